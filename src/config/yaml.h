/* SPDX-License-Identifier: MIT
 *
 * Parsing YAML into a tree.  The only file that knows libyaml is yaml.c.
 *
 * What a configuration does not need and what surprises people is refused with a clear problem: anchors and
 * aliases, merge keys, tags, several documents, deep nesting, duplicate keys, keys that are not plain text,
 * other encodings than UTF-8.
 */
#ifndef ACME_DME_CONFIG_YAML_H
#define ACME_DME_CONFIG_YAML_H

#include <stddef.h>

#include "config/yaml_tree.h"
#include "util/attrs.h"

#define YAML_TREE_DEPTH_MAX 32
#define YAML_TREE_NODES_MAX 65536
#define YAML_TREE_KEYS_MAX 256 /* in one mapping */

/* Parse; a file without content is an empty mapping.  Problems go to `report` with `file` as their place.
 * Returns NULL when the syntax is wrong (one problem was reported); a tree may come with problems, too. */
struct yaml_tree *yaml_tree_parse(const char *file, const char *text, size_t len,
                                  struct config_report *report) MUST_USE;

#endif
