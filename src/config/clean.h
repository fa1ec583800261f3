/* SPDX-License-Identifier: MIT
 *
 * What web pages, editors and secret stores leave around a value: white space, quotes, carriage returns, byte order
 * marks.
 */
#ifndef ACME_DME_CONFIG_CLEAN_H
#define ACME_DME_CONFIG_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/loading.h"

struct config_cleaning {
    const char *text; /* borrowed; what is left of it */
    size_t len;
    bool bom; /* what was taken off */
    bool cr;
    bool space;
    bool quotes;
};

/* Take everything off; also one line feed at the end, which is not mentioned. */
void config_clean(struct config_cleaning *c);

/* Warn of what was taken off the value of `path`, if anything was. */
void config_cleaning_warn(struct config_loading *load, const struct config_place *at, const char *path,
                          const struct config_cleaning *c);

#endif
