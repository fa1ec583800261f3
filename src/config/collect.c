/* SPDX-License-Identifier: MIT
 *
 * From nodes of a file's tree to the texts of a value.
 */
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"

/* Texts that are being collected. */
struct texts {
    struct config_text *items;
    size_t count;
};

static void texts_done(struct texts *texts)
{
    free(texts->items);
    *texts = (struct texts){NULL, 0};
}

static struct config_place place(const struct config_loading *load, const struct yaml_tree *node)
{
    return yaml_tree_place(node, load->config->file);
}

bool config_want_scalar(struct config_loading *load, const struct yaml_tree *node, const char *shown)
{
    struct config_place at = place(load, node);

    if (node->kind == YAML_TREE_BAD)
        return false;
    if (node->kind == YAML_TREE_NULL)
        config_report_problem(&load->report, &at, "\"%s\" has no value", shown);
    else if (node->kind != YAML_TREE_SCALAR)
        config_report_problem(&load->report, &at, "\"%s\" must be a single value, not a %s", shown,
                              node->kind == YAML_TREE_LIST ? "list" : "mapping");
    else if (strlen(node->text) != node->len)
        config_report_problem(&load->report, &at, "\"%s\" holds a NUL character", shown);
    else
        return true;
    return false;
}

bool config_want_list(struct config_loading *load, const struct yaml_tree *node, const char *shown)
{
    struct config_place at = place(load, node);

    if (node->kind == YAML_TREE_LIST)
        return true;
    if (node->kind == YAML_TREE_NULL)
        config_report_problem(&load->report, &at, "\"%s\" has no value; an empty list is []", shown);
    else if (node->kind != YAML_TREE_BAD)
        config_report_problem(&load->report, &at, "\"%s\" must be a list, e.g. [one, two]", shown);
    return false;
}

/* True unless a problem was reported. */
static bool add(struct config_loading *load, const struct yaml_tree *node, const char *shown, size_t command,
                struct texts *out)
{
    if (!config_want_scalar(load, node, shown))
        return false;
    out->items = mem_grow(out->items, out->count, sizeof *out->items);
    out->items[out->count++] = (struct config_text){node->text, place(load, node), command};
    return true;
}

static bool add_items(struct config_loading *load, const struct yaml_tree *list, const char *shown, size_t command,
                      struct texts *out)
{
    bool good = true;

    for (size_t i = 0; i < list->count; i++)
        good = add(load, &list->items[i], shown, command, out) && good;
    return good;
}

/* [[/bin/one, argument], [/bin/two]] */
static bool add_commands(struct config_loading *load, const struct yaml_tree *list, const char *shown,
                         struct texts *out)
{
    bool good = true;

    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_tree *item = &list->items[i];
        struct config_place at = place(load, item);

        if (item->kind == YAML_TREE_LIST && item->count) {
            good = add_items(load, item, shown, i, out) && good;
            continue;
        }
        config_report_problem(&load->report, &at, "\"%s\" must hold lists of a program and its arguments only", shown);
        config_report_hint(&load->report, "Write [/bin/one, argument] for one command, and "
                                          "[[/bin/one, argument], [/bin/two]] for several.");
        good = false;
    }
    return good;
}

static bool is_single(const struct config_key *key, const struct yaml_tree *node)
{
    bool may_be = key->type == CONFIG_TYPE_COMMANDS || key->type == CONFIG_TYPE_EMAILS;

    return !config_key_is_list(key) || (may_be && node->kind == YAML_TREE_SCALAR);
}

static bool collect(struct config_loading *load, const struct config_key *key, const struct yaml_tree *node,
                    const char *shown, struct texts *out)
{
    if (is_single(key, node))
        return add(load, node, shown, 0, out);
    if (!config_want_list(load, node, shown))
        return false;
    if (node->count == 0 && key->type == CONFIG_TYPE_URLS) {
        struct config_place at = place(load, node);

        config_report_problem(&load->report, &at, "\"%s\" must not be empty", shown);
        return false;
    }
    if (key->type == CONFIG_TYPE_COMMANDS && node->count && node->items[0].kind == YAML_TREE_LIST)
        return add_commands(load, node, shown, out);
    return add_items(load, node, shown, 0, out);
}

struct config_text *config_texts_collect(struct config_loading *load, const struct config_key *key,
                                         const struct yaml_tree *node, const char *shown, size_t *out_count)
{
    struct texts AUTO(texts_done) texts = {NULL, 0};
    struct config_text *out;

    if (!collect(load, key, node, shown, &texts))
        return NULL;
    *out_count = texts.count;
    out = texts.items ? texts.items : mem_calloc(1, sizeof *out);
    texts.items = NULL;
    return out;
}
