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

void config_origins_free(struct config_origins *origins)
{
    if (!origins)
        return;
    for (size_t i = 0; i < origins->count; i++) {
        free(origins->items[i].path);
        free(origins->items[i].where);
    }
    free(origins->items);
    free(origins);
}

/* Settings first, in the order of the table, then what accounts have. */
void config_explain(const struct config *config, struct strlist *lines)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);
    const struct config_origins *origins = config->origins;

    for (size_t i = 0; i < count; i++) {
        const struct origin *known = find(origins, keys[i].path);

        if (strstr(keys[i].path, "credentials.") || strstr(keys[i].path, "[]"))
            continue;
        strlist_add_take(lines, mem_printf("%s: %s", keys[i].path, known ? known->where : "default"));
    }
    for (size_t i = 0; origins && i < origins->count; i++) {
        const struct origin *o = &origins->items[i];

        if (!config_key_find(o->path) || strstr(o->path, "credentials."))
            strlist_add_take(lines, mem_printf("%s: %s", o->path, o->where));
    }
}

enum config_source_kind config_source(const struct config *config, const char *key)
{
    const struct origin *known = find(config->origins, key);

    return known ? known->kind : CONFIG_DEFAULT;
}
