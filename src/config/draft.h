/* SPDX-License-Identifier: MIT
 *
 * An account as the file gives it, before its credentials are read and checked.
 */
#ifndef ACME_DME_CONFIG_DRAFT_H
#define ACME_DME_CONFIG_DRAFT_H

#include <stdbool.h>

#include "config/yaml_tree.h"
#include "util/mem.h"

/* The keys of `credentials`, here and in accounts. */
enum config_given {
    CONFIG_GIVEN_KEY,
    CONFIG_GIVEN_SECRET,
    CONFIG_GIVEN_KEY_FILE,
    CONFIG_GIVEN_SECRET_FILE,
    CONFIG_GIVEN_ENCRYPTION_KEY,
    CONFIG_GIVEN_COUNT
};

struct config_draft {
    const struct yaml_tree *node; /* the account's mapping, or `credentials` */
    char *path;                   /* what to put in front of "credentials.api_key": "accounts[0]." or "" */
    char *name;
    bool is_default;
    struct strlist zones;
    const struct yaml_tree *given[CONFIG_GIVEN_COUNT]; /* NULL: not there */
};

#endif
