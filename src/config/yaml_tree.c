/* SPDX-License-Identifier: MIT */
#include "config/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

#include "util/secret.h"

void yaml_tree_done(struct yaml_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        yaml_tree_done(&tree->items[i]);
    if (tree->key)
        secret_wipe(tree->key, strlen(tree->key));
    secret_wipe(tree->text, tree->len);
    free(tree->key);
    free(tree->text);
    free(tree->items);
    *tree = (struct yaml_tree){.kind = YAML_TREE_NULL};
}

void yaml_tree_free(struct yaml_tree *tree)
{
    if (!tree)
        return;
    yaml_tree_done(tree);
    free(tree);
}

void yaml_tree_free_auto(struct yaml_tree **tree)
{
    yaml_tree_free(*tree);
    *tree = NULL;
}

const struct yaml_tree *yaml_tree_get(const struct yaml_tree *tree, const char *key)
{
    for (size_t i = 0; tree->kind == YAML_TREE_MAP && i < tree->count; i++) {
        if (strcmp(tree->items[i].key, key) == 0)
            return &tree->items[i];
    }
    return NULL;
}

struct config_place yaml_tree_place(const struct yaml_tree *tree, const char *file)
{
    return (struct config_place){CONFIG_FILE, file, tree->line, tree->column};
}

struct config_place yaml_tree_key_place(const struct yaml_tree *tree, const char *file)
{
    if (!tree->key)
        return yaml_tree_place(tree, file);
    return (struct config_place){CONFIG_FILE, file, tree->key_line, tree->key_column};
}
