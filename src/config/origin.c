/* SPDX-License-Identifier: MIT
 *
 * Where each value came from, for config_explain().
 */
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"

struct origin {
    char *path;
    enum config_source_kind kind;
    char *where;
    char *shown; /* NULL: the value is in struct config */
};

struct config_origins {
    struct origin *items;
    size_t count;
};

static struct origin *find(const struct config_origins *origins, const char *path)
{
    for (size_t i = 0; origins && i < origins->count; i++) {
        if (strcmp(origins->items[i].path, path) == 0)
            return &origins->items[i];
    }
    return NULL;
}

void config_origin_set(struct config *config, const char *path, const struct config_place *at)
{
    struct config_origins *origins = config->origins;
    struct origin *known = find(origins, path);

    if (!origins)
        origins = config->origins = mem_zalloc(sizeof *origins);
    if (!known) {
        origins->items = mem_resize(origins->items, origins->count + 1, sizeof *origins->items);
        known = &origins->items[origins->count++];
        *known = (struct origin){.path = mem_strdup(path)};
    }
    free(known->where);
    known->kind = at->kind;
    known->where = config_place_format(at);
}

void config_origin_copy(struct config *config, const char *to, const char *from)
{
    const struct origin *source = find(config->origins, from);
    struct config_place nowhere = {CONFIG_DEFAULT, NULL, 0, 0};
    struct origin *target;
    char *where = source ? mem_strdup(source->where) : NULL;
    enum config_source_kind kind = source ? source->kind : CONFIG_DEFAULT;

    config_origin_set(config, to, &nowhere);
    target = find(config->origins, to);
    if (!where || !target)
        return;
    free(target->where);
    target->where = where;
    target->kind = kind;
}

void config_origin_show_take(struct config *config, const char *path, char *shown_take)
{
    struct origin *known = find(config->origins, path);

    if (!known) {
        free(shown_take);
        return;
    }
    free(known->shown);
    known->shown = shown_take;
}

void config_origins_free(struct config_origins *origins)
{
    if (!origins)
        return;
    for (size_t i = 0; i < origins->count; i++) {
        free(origins->items[i].path);
        free(origins->items[i].where);
        free(origins->items[i].shown);
    }
    free(origins->items);
    free(origins);
}

static bool is_setting(const struct config_key *key)
{
    return key->offset != SIZE_MAX && !strstr(key->path, "[]");
}

static bool is_wanted(const struct origin *known, enum config_explained what)
{
    bool is_default = !known || known->kind == CONFIG_DEFAULT;

    return is_default == (what == CONFIG_EXPLAIN_DEFAULTS);
}

static void explain_file(const struct config *config, struct strlist *lines)
{
    char AUTO_FREE *name = config->file ? config_quote(config->file) : NULL;

    strlist_add_take(lines, name ? mem_printf("configuration file: %s", name) : mem_strdup("no configuration file"));
}

/* Settings first, in the order of the table, then what accounts have. */
void config_explain(const struct config *config, enum config_explained what, struct strlist *lines)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);
    const struct config_origins *origins = config->origins;

    if (what == CONFIG_EXPLAIN_GIVEN)
        explain_file(config, lines);
    for (size_t i = 0; i < count; i++) {
        const struct origin *known = find(origins, keys[i].path);
        char AUTO_FREE *value = NULL;

        if (!is_setting(&keys[i]) || !is_wanted(known, what))
            continue;
        value = config_value_format(&keys[i], (const char *)config + keys[i].offset);
        strlist_add_take(lines, mem_printf("%s: %s (%s)", keys[i].path, value, known ? known->where : "default"));
    }
    for (size_t i = 0; origins && i < origins->count; i++) {
        const struct origin *o = &origins->items[i];

        if (o->shown && is_wanted(o, what))
            strlist_add_take(lines, mem_printf("%s: %s (%s)", o->path, o->shown, o->where));
    }
}

const char *config_origin_where(const struct config *config, const char *key)
{
    const struct origin *known = find(config->origins, key);

    return known ? known->where : "default";
}

enum config_source_kind config_source(const struct config *config, const char *key)
{
    const struct origin *known = find(config->origins, key);

    return known ? known->kind : CONFIG_DEFAULT;
}
