/* SPDX-License-Identifier: MIT
 *
 * From the tree of a file to values: every key is looked up in the table, whose paths also tell which
 * sections there are.  Settings go straight into the configuration; accounts become drafts.
 */
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"
#include "util/buf.h"
#include "util/text.h"

/* A mapping that is being walked. */
struct section {
    const struct yaml_tree *map;
    const char *table;          /* its path in the table, with a dot at the end: "accounts[]." or "" */
    const char *shown;          /* its path in messages: "accounts[0]." */
    void *base;                 /* what the fields of its keys are in: the configuration, or the item of a list */
    struct config_draft *draft; /* the account that we are inside of; NULL: none */
};

static void walk_section(struct config_loading *load, const struct section *s);

static struct config_place place(const struct config_loading *load, const struct yaml_tree *node)
{
    return yaml_tree_place(node, load->config->file);
}

/* ------------------------------------------------------------------ unknown keys */

/* May a key's name be shown?  "api_key:1234" without the space is one long key, with the secret in it. */
static bool is_showable(const char *key)
{
    size_t digits = 0;
    size_t len = 0;

    for (; key[len]; len++) {
        char c = text_lower(key[len]);

        digits += text_is_digit(c) ? 1 : 0;
        if (!(c >= 'a' && c <= 'z') && !text_is_digit(c) && !strchr("_-. ", c))
            return false;
    }
    return len <= 32 && digits <= 3;
}

/* Names that the table has right below a path, for suggestions. */
static void list_children(const char *table, struct strlist *out)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        const char *rest = keys[i].path + strlen(table);

        if (text_starts_with(keys[i].path, table))
            strlist_add_take(out, mem_strndup(rest, strcspn(rest, ".[")));
    }
}

/* The path of a key of this name that belongs elsewhere, NULL if there is none. */
static const char *find_elsewhere(const char *name)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        const char *dot = strrchr(keys[i].path, '.');

        if (dot && strcmp(dot + 1, name) == 0)
            return keys[i].path;
    }
    return NULL;
}

/* The known name that "api_key:1234" begins with, NULL if none. */
static const char *find_glued(const char *name, const struct strlist *known)
{
    for (size_t i = 0; i < known->count; i++) {
        if (text_starts_with(name, known->items[i]) && name[strlen(known->items[i])] == ':')
            return known->items[i];
    }
    return NULL;
}

static void report_unknown(struct config_loading *load, const struct section *s, const struct yaml_tree *item)
{
    struct strlist AUTO_STRLIST known = {NULL, 0};
    struct config_place at = yaml_tree_key_place(item, load->config->file);
    const char *better;

    list_children(s->table, &known);
    better = find_glued(item->key, &known);
    if (better) {
        config_report_problem(&load->report, &at, "\"%s%s:\" needs a space after the colon", s->shown, better);
        return;
    }
    if (!is_showable(item->key)) {
        config_report_problem(&load->report, &at,
                              "unknown key, which is not shown here as it may hold a secret by mistake");
        return;
    }
    if (!*s->table && config_key_find(item->key)) {
        size_t len = strcspn(item->key, ".");

        config_report_problem(&load->report, &at, "\"%s\" must be written as \"%s:\" below \"%.*s:\"", item->key,
                              item->key + len + 1, (int)len, item->key);
        return;
    }
    better = text_nearest(item->key, (const char *const *)known.items, known.count);
    if (better)
        config_report_problem(&load->report, &at, "unknown key \"%s%s\"; did you mean \"%s%s\"?", s->shown, item->key,
                              s->shown, better);
    else if (find_elsewhere(item->key))
        config_report_problem(&load->report, &at, "unknown key \"%s%s\"; did you mean \"%s\"?", s->shown, item->key,
                              find_elsewhere(item->key));
    else
        config_report_problem(&load->report, &at, "unknown key \"%s%s\"", s->shown, item->key);
}

/* ------------------------------------------------------------------ values */

static void take_setting(struct config_loading *load, const struct section *s, const struct config_key *key,
                         const struct yaml_tree *item, const char *shown)
{
    void *field = (char *)s->base + key->offset;
    struct config_place at = place(load, item);
    size_t count = 0;
    struct config_text AUTO_FREE *texts = config_texts_collect(load, key, item, shown, &count);

    load->has_secrets = load->has_secrets || key->type == CONFIG_TYPE_SECRET;
    if (!texts || !config_value_set(load, key, shown, texts, count, field))
        return;
    config_origin_set(load->config, shown, &at);
    if (s->base != load->config)
        config_origin_show_take(load->config, shown, config_value_format(key, field));
}

/* A key of `credentials`: kept as it is until it is known which account is used. */
static void take_credential(struct config_loading *load, const struct section *s, const struct yaml_tree *item,
                            const char *shown)
{
    static const char *const names[CONFIG_GIVEN_COUNT] = {"api_key", "api_secret", "api_key_file", "api_secret_file",
                                                          "encryption_key"};

    for (size_t i = 0; i < CONFIG_GIVEN_COUNT; i++) {
        if (strcmp(item->key, names[i]) != 0)
            continue;
        if (i == CONFIG_GIVEN_ENCRYPTION_KEY && item->kind == YAML_TREE_NULL)
            continue;
        load->has_secrets = load->has_secrets || i == CONFIG_GIVEN_KEY || i == CONFIG_GIVEN_SECRET;
        if (config_want_scalar(load, item, shown))
            s->draft->given[i] = item; /* NOLINT(clang-analyzer-core.NullDereference): an account's section has one */
    }
}

/* ------------------------------------------------------------------ sections */

/* Does the table have paths that begin with this? */
static bool is_prefix(const char *path)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        if (text_starts_with(keys[i].path, path))
            return true;
    }
    return false;
}

static struct config_draft *add_draft(struct config_loading *load, const struct yaml_tree *node, const char *path)
{
    struct config_draft *draft;

    load->drafts = mem_resize(load->drafts, load->draft_count + 1, sizeof *load->drafts);
    draft = &load->drafts[load->draft_count++];
    *draft = (struct config_draft){.node = node, .path = mem_strdup(path)};
    return draft;
}

static void add_account(struct config_loading *load, struct section *item)
{
    item->base = item->draft = add_draft(load, item->map, item->shown);
}

static void add_certificate(struct config_loading *load, struct section *item)
{
    struct config *c = load->config;

    c->managed = mem_grow(c->managed, c->managed_count, sizeof *c->managed);
    c->managed[c->managed_count] = (struct config_certificate){.name = NULL};
    item->base = &c->managed[c->managed_count++];
}

/* A section whose lines are all comments is null, which is fine. */
static bool want_map(struct config_loading *load, const struct yaml_tree *node, const char *shown)
{
    struct config_place at = place(load, node);

    if (node->kind == YAML_TREE_SCALAR || node->kind == YAML_TREE_LIST)
        config_report_problem(&load->report, &at, "\"%s\" must be a mapping (\"key: value\" lines), not a %s", shown,
                              node->kind == YAML_TREE_LIST ? "list" : "single value");
    return node->kind == YAML_TREE_MAP;
}

/* The lists of mappings that there are. */
static const struct list {
    const char *table; /* path of an item in the table */
    size_t min;        /* items */
    size_t max;
    void (*add)(struct config_loading *load, struct section *item); /* make what an item's fields are in */
} lists[] = {
    {"accounts[].", 1, 1000, add_account},
    {"certificates[].", 0, 10000, add_certificate},
};

static const struct list *find_list(const char *table)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (strcmp(lists[i].table, table) == 0)
            return &lists[i];
    }
    return NULL;
}

static void walk_list(struct config_loading *load, const struct list *list, const struct yaml_tree *node,
                      const char *shown)
{
    struct config_place at = place(load, node);
    bool good = node->count >= list->min && node->count <= list->max;

    load->has_accounts = load->has_accounts || list->add == add_account;
    if (!config_want_list(load, node, shown))
        return;
    if (!good)
        config_report_problem(&load->report, &at, "\"%s\" must have %zu to %zu items", shown, list->min, list->max);
    for (size_t i = 0; i < node->count && good; i++) {
        char AUTO_FREE *item_shown = mem_printf("%s[%zu]", shown, i);
        char AUTO_FREE *item_prefix = mem_printf("%s.", item_shown);
        struct section s = {.map = &node->items[i], .table = list->table, .shown = item_prefix};

        list->add(load, &s);
        if (node->items[i].kind == YAML_TREE_NULL) {
            at = place(load, &node->items[i]);
            config_report_problem(&load->report, &at, "\"%s\" is empty", item_shown);
        } else if (want_map(load, &node->items[i], item_shown)) {
            walk_section(load, &s);
        }
    }
}

static void walk_map(struct config_loading *load, const struct section *parent, const struct yaml_tree *map,
                     const char *table, const char *shown)
{
    char AUTO_FREE *prefix = mem_printf("%s.", shown);
    struct section s = {map, table, prefix, parent->base, parent->draft};

    if (!parent->draft && strcmp(shown, "credentials") == 0) {
        load->has_credentials = true;
        s.draft = add_draft(load, map, "");
    }
    if (want_map(load, map, shown))
        walk_section(load, &s);
}

static void walk_item(struct config_loading *load, const struct section *s, const struct yaml_tree *item)
{
    char AUTO_FREE *path = mem_printf("%s%s", s->table, item->key);
    char AUTO_FREE *shown = mem_printf("%s%s", s->shown, item->key);
    char AUTO_FREE *as_map = mem_printf("%s.", path);
    char AUTO_FREE *as_list = mem_printf("%s[].", path);
    const struct config_key *key = strpbrk(item->key, ".[") ? NULL : config_key_find(path);
    const struct list *list = find_list(as_list);

    if (strpbrk(item->key, ".["))
        report_unknown(load, s, item);
    else if (key && key->offset == SIZE_MAX)
        take_credential(load, s, item, shown);
    else if (key)
        take_setting(load, s, key, item, shown);
    else if (list)
        walk_list(load, list, item, shown);
    else if (is_prefix(as_map))
        walk_map(load, s, item, as_map, shown);
    else
        report_unknown(load, s, item);
}

static void walk_section(struct config_loading *load, const struct section *s)
{
    for (size_t i = 0; i < s->map->count; i++) {
        if (s->map->items[i].kind != YAML_TREE_BAD)
            walk_item(load, s, &s->map->items[i]);
    }
}

void config_walk(struct config_loading *load)
{
    const struct section top = {.map = load->tree, .table = "", .shown = "", .base = load->config};
    struct config_place at = place(load, load->tree);

    if (load->tree->kind == YAML_TREE_MAP)
        walk_section(load, &top);
    else if (load->tree->kind != YAML_TREE_BAD)
        config_report_problem(&load->report, &at, "the file must hold \"key: value\" lines, not a %s",
                              load->tree->kind == YAML_TREE_LIST ? "list" : "single value");
}
