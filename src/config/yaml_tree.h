/* SPDX-License-Identifier: MIT
 *
 * A YAML document as a tree that remembers where everything stands.
 */
#ifndef ACME_DME_CONFIG_YAML_TREE_H
#define ACME_DME_CONFIG_YAML_TREE_H

#include <stddef.h>

#include "config/report.h"

enum yaml_tree_kind {
    YAML_TREE_NULL, /* nothing, "~" or "null" */
    YAML_TREE_SCALAR,
    YAML_TREE_LIST,
    YAML_TREE_MAP,
    YAML_TREE_BAD, /* was refused, and a problem says so already */
};

struct yaml_tree {
    enum yaml_tree_kind kind;
    size_t line; /* of the value, from 1 */
    size_t column;
    char *key; /* when inside a mapping; else NULL */
    size_t key_line;
    size_t key_column;
    char *text; /* scalar: NUL-terminated; libyaml lets escaped NUL bytes through, so compare with len */
    size_t len;
    struct yaml_tree *items; /* list, mapping */
    size_t count;
};

/* Wipes all texts: some are secrets.  NULL is fine. */
void yaml_tree_free(struct yaml_tree *tree);
void yaml_tree_free_auto(struct yaml_tree **tree);

/* The same for a tree that is part of another object. */
void yaml_tree_done(struct yaml_tree *tree);

/* The item of a mapping with this key, NULL if there is none. */
const struct yaml_tree *yaml_tree_get(const struct yaml_tree *tree, const char *key);

/* Where a value stands, and where its key does (for items of a list: the value). */
struct config_place yaml_tree_place(const struct yaml_tree *tree, const char *file);
struct config_place yaml_tree_key_place(const struct yaml_tree *tree, const char *file);

#endif
