/* SPDX-License-Identifier: MIT
 *
 * The bytes of a configuration file, before YAML: encoding, and where in the file a byte stands.
 */
#ifndef ACME_DME_CONFIG_INPUT_H
#define ACME_DME_CONFIG_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/report.h"

struct config_input {
    const char *file; /* all borrowed */
    const char *text;
    size_t len;
};

/* Is it UTF-8, with at least something in it?  If not, a problem is reported.  A byte order mark is taken
 * off. */
bool config_input_is_readable(struct config_input *input, struct config_report *report);

/* Line and column of a byte. */
struct config_place config_input_place(const struct config_input *input, size_t offset);

/* Does a line have a tab where its indentation should be? */
bool config_input_has_tab(const struct config_input *input, size_t line);

#endif
