/* SPDX-License-Identifier: MIT */
#include "util/strmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define ROOM_MIN 16

struct strmap_slot {
    char *key; /* NULL: free */
    size_t number;
};

/* FNV-1a */
static uint64_t hash(const char *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (const char *at = key; *at; at++)
        h = (h ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    return h;
}

/* The slot of a key, or the free one that it belongs into.  There is one: at most half of them are taken. */
static struct strmap_slot *slot_of(struct strmap_slot *slots, size_t room, const char *key)
{
    size_t i = (size_t)(hash(key) & (room - 1));

    while (slots[i].key && strcmp(slots[i].key, key) != 0)
        i = (i + 1) & (room - 1);
    return &slots[i];
}

static void grow(struct strmap *map)
{
    size_t room = map->room ? map->room * 2 : ROOM_MIN;
    struct strmap_slot *slots = mem_calloc(room, sizeof *slots);

    for (size_t i = 0; i < map->room; i++)
        if (map->slots[i].key)
            *slot_of(slots, room, map->slots[i].key) = map->slots[i];
    free(map->slots);
    map->slots = slots;
    map->room = room;
}

bool strmap_add(struct strmap *map, const char *key, size_t number)
{
    struct strmap_slot *slot;

    if ((map->count + 1) * 2 > map->room)
        grow(map);
    slot = slot_of(map->slots, map->room, key);
    if (slot->key)
        return false;
    *slot = (struct strmap_slot){mem_strdup(key), number};
    map->count++;
    return true;
}

bool strmap_find(const struct strmap *map, const char *key, size_t *out)
{
    const struct strmap_slot *slot = map->room ? slot_of(map->slots, map->room, key) : NULL;

    if (!slot || !slot->key)
        return false;
    if (out)
        *out = slot->number;
    return true;
}

void strmap_done(struct strmap *map)
{
    for (size_t i = 0; i < map->room; i++)
        free(map->slots[i].key);
    free(map->slots);
    *map = (struct strmap){NULL, 0, 0};
}
