/* SPDX-License-Identifier: MIT
 *
 * Where each value came from, for config_explain().
 */
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"

#define SLOTS_MIN 64

struct origin {
    char *path;
    enum config_source_kind kind;
    char *where;
    char *shown; /* NULL: the value is in struct config */
};

/* In the order in which they were met, and a table of hashes: thousands of certificates have tens of thousands of
 * values. */
struct config_origins {
    struct origin *items;
    size_t count;
    size_t *slots;     /* number of an item, from 1, at its hash or behind; 0: empty */
    size_t slot_count; /* a power of two, more than half of them empty */
};

/* FNV-1a */
static size_t hash(const char *path)
{
    uint64_t value = UINT64_C(14695981039346656037);

    for (; *path; path++)
        value = (value ^ (unsigned char)*path) * UINT64_C(1099511628211);
    return (size_t)value;
}

/* The slot of a path, or the empty one where it belongs. */
static size_t *find_slot(const struct config_origins *origins, const char *path)
{
    size_t i = hash(path);

    for (;; i++) {
        size_t *slot = &origins->slots[i & (origins->slot_count - 1)];

        if (!*slot || strcmp(origins->items[*slot - 1].path, path) == 0)
            return slot;
    }
}

static struct origin *find(const struct config_origins *origins, const char *path)
{
    size_t number = origins && origins->slot_count ? *find_slot(origins, path) : 0;

    return number ? &origins->items[number - 1] : NULL;
}

static void make_room(struct config_origins *origins)
{
    if (2 * (origins->count + 1) < origins->slot_count)
        return;
    origins->slot_count = origins->slot_count ? 2 * origins->slot_count : SLOTS_MIN;
    free(origins->slots);
    origins->slots = mem_calloc(origins->slot_count, sizeof *origins->slots);
    for (size_t i = 0; i < origins->count; i++)
        *find_slot(origins,
                   origins->items[i].path) = i + 1; /* NOLINT(clang-analyzer-core.NullDereference): room was made */
}

static struct origin *add(struct config_origins *origins, const char *path)
{
    make_room(origins);
    origins->items = mem_grow(origins->items, origins->count, sizeof *origins->items);
    origins->items[origins->count] = (struct origin){.path = mem_strdup(path)};
    *find_slot(origins, path) = origins->count + 1;
    return &origins->items[origins->count++];
}

void config_origin_set(struct config *config, const char *path, const struct config_place *at)
{
    struct config_origins *origins = config->origins;
    struct origin *known = find(origins, path);

    if (!origins)
        origins = config->origins = mem_zalloc(sizeof *origins);
    if (!known)
        known = add(origins, path);
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
    free(origins->slots);
    free(origins);
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

/* Settings first, in the order of the table, then what accounts and certificates have. */
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

        size_t offset = config_key_offset(&keys[i]);

        if (offset == SIZE_MAX || !is_wanted(known, what))
            continue;
        value = config_value_format(&keys[i], (const char *)config + offset);
        strlist_add_take(lines, mem_printf("%s: %s (%s)", keys[i].path, value, known ? known->where : "default"));
    }
    for (size_t i = 0; origins && i < origins->count; i++) {
        const struct origin *o = &origins->items[i];

        if (o->shown && is_wanted(o, what))
            strlist_add_take(lines, mem_printf("%s: %s (%s)", o->path, o->shown, o->where));
    }
}

const char *config_where(const struct config *config, const char *key)
{
    const struct origin *known = find(config->origins, key);

    return known ? known->where : "default";
}

enum config_source_kind config_source(const struct config *config, const char *key)
{
    const struct origin *known = find(config->origins, key);

    return known ? known->kind : CONFIG_DEFAULT;
}
