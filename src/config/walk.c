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

#define ACCOUNTS_MAX 1000

/* A mapping that is being walked. */
struct section {
    const struct yaml_tree *map;
    const char *table;          /* its path in the table, with a dot at the end: "accounts[]." or "" */
    const char *shown;          /* its path in messages: "accounts[0]." */
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

/* Report what is no text; false then. */
static bool want_scalar(struct config_loading *load, const struct yaml_tree *node, const char *shown)
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

static bool want_list(struct config_loading *load, const struct yaml_tree *node, const char *shown)
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

/* Texts of a scalar or of a list; NULL after reporting why there are none. */
static struct config_text *collect_texts(struct config_loading *load, const struct config_key *key,
                                         const struct yaml_tree *node, const char *shown, size_t *out_count)
{
    bool is_list = config_key_is_list(key);
    size_t count = is_list ? node->count : 1;
    struct config_text AUTO_FREE *texts = NULL;
    struct config_text *out;
    bool good = is_list ? want_list(load, node, shown) : true;

    if (!good)
        return NULL;
    texts = mem_calloc(count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const struct yaml_tree *item = is_list ? &node->items[i] : node;

        texts[i] = (struct config_text){item->text, place(load, item)};
        good = want_scalar(load, item, shown) && good;
    }
    if (good && count == 0 && key->type == CONFIG_TYPE_URLS) {
        struct config_place at = place(load, node);
        config_report_problem(&load->report, &at, "\"%s\" must not be empty", shown);
        good = false;
    }
    if (!good)
        return NULL;
    *out_count = count;
    out = texts;
    texts = NULL;
    return out;
}

static void take_setting(struct config_loading *load, const struct section *s, const struct config_key *key,
                         const struct yaml_tree *item, const char *shown)
{
    char *base = s->draft ? (char *)s->draft : (char *)load->config;
    struct config_place at = place(load, item);
    size_t count = 0;
    struct config_text AUTO_FREE *texts = collect_texts(load, key, item, shown, &count);

    if (!texts || !config_value_set(load, key, shown, texts, count, base + key->offset))
        return;
    config_origin_set(load->config, shown, &at);
    if (s->draft)
        config_origin_show_take(load->config, shown, config_value_format(key, base + key->offset));
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
        if (want_scalar(load, item, shown))
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

/* A section whose lines are all comments is null, which is fine. */
static bool want_map(struct config_loading *load, const struct yaml_tree *node, const char *shown)
{
    struct config_place at = place(load, node);

    if (node->kind == YAML_TREE_SCALAR || node->kind == YAML_TREE_LIST)
        config_report_problem(&load->report, &at, "\"%s\" must be a mapping (\"key: value\" lines), not a %s", shown,
                              node->kind == YAML_TREE_LIST ? "list" : "single value");
    return node->kind == YAML_TREE_MAP;
}

static void walk_list(struct config_loading *load, const struct yaml_tree *list, const char *table, const char *shown)
{
    struct config_place at = place(load, list);

    load->has_accounts = true;
    if (!want_list(load, list, shown))
        return;
    if (list->count == 0 || list->count > ACCOUNTS_MAX)
        config_report_problem(&load->report, &at, "\"%s\" must have 1 to %d items", shown, ACCOUNTS_MAX);
    for (size_t i = 0; i < list->count && list->count <= ACCOUNTS_MAX; i++) {
        char AUTO_FREE *item_shown = mem_printf("%s[%zu]", shown, i);
        char AUTO_FREE *item_prefix = mem_printf("%s.", item_shown);
        struct section s = {&list->items[i], table, item_prefix, NULL};

        s.draft = add_draft(load, &list->items[i], item_prefix);
        if (list->items[i].kind == YAML_TREE_NULL) {
            at = place(load, &list->items[i]);
            config_report_problem(&load->report, &at, "\"%s\" is empty", item_shown);
        } else if (want_map(load, &list->items[i], item_shown)) {
            walk_section(load, &s);
        }
    }
}

static void walk_map(struct config_loading *load, const struct section *parent, const struct yaml_tree *map,
                     const char *table, const char *shown)
{
    char AUTO_FREE *prefix = mem_printf("%s.", shown);
    struct section s = {map, table, prefix, parent->draft};

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

    if (strpbrk(item->key, ".["))
        report_unknown(load, s, item);
    else if (key && key->offset == SIZE_MAX)
        take_credential(load, s, item, shown);
    else if (key)
        take_setting(load, s, key, item, shown);
    else if (is_prefix(as_list))
        walk_list(load, item, as_list, shown);
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
    const struct section top = {load->tree, "", "", NULL};
    struct config_place at = place(load, load->tree);

    if (load->tree->kind == YAML_TREE_MAP)
        walk_section(load, &top);
    else if (load->tree->kind != YAML_TREE_BAD)
        config_report_problem(&load->report, &at, "the file must hold \"key: value\" lines, not a %s",
                              load->tree->kind == YAML_TREE_LIST ? "list" : "single value");
}
