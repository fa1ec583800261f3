/* SPDX-License-Identifier: MIT
 *
 * The books of a wait in which each item counts by itself.
 */
#include "dns/watch.h"

static void set_state(struct watch_zone *zone, size_t place, enum propagation_state state)
{
    zone->states[place] = state;
    zone->waiting--;
    zone->shown += state == PROPAGATION_SHOWN ? 1 : 0;
}

static void fail_waiting(struct watch_zone *zone, int64_t elapsed_ms)
{
    for (size_t i = 0; i < zone->count; i++)
        if (zone->states[i] == PROPAGATION_WAITING)
            set_state(zone, i, PROPAGATION_FAILED);
    zone->ended_ms = elapsed_ms;
}

static size_t judge_zone(const struct watch *w, struct watch_zone *zone, int64_t elapsed_ms)
{
    size_t shown = zone->shown;

    for (size_t i = 0; zone->waiting > 0 && i < zone->count; i++)
        if (zone->states[i] == PROPAGATION_WAITING && watch_item_is_complete(w, zone, i, elapsed_ms))
            set_state(zone, i, PROPAGATION_SHOWN);
    if (zone->waiting > 0 && watch_zone_is_dead(w, zone, elapsed_ms))
        fail_waiting(zone, elapsed_ms);
    return zone->shown - shown;
}

size_t watch_judge(struct watch *watch, int64_t elapsed_ms)
{
    size_t shown = 0;

    for (size_t z = 0; z < watch->zone_count; z++)
        shown += judge_zone(watch, &watch->zones[z], elapsed_ms);
    return shown;
}

void watch_give_up(struct watch *watch, int64_t elapsed_ms)
{
    for (size_t z = 0; z < watch->zone_count; z++)
        if (watch->zones[z].waiting > 0)
            fail_waiting(&watch->zones[z], elapsed_ms);
}

size_t watch_waiting(const struct watch *watch)
{
    size_t waiting = 0;

    for (size_t z = 0; z < watch->zone_count; z++)
        waiting += watch->zones[z].waiting;
    return waiting;
}

size_t watch_shown(const struct watch *watch)
{
    size_t shown = 0;

    for (size_t z = 0; z < watch->zone_count; z++)
        shown += watch->zones[z].shown;
    return shown;
}

const struct watch_zone *watch_find(const struct watch *watch, size_t index, size_t *out_place)
{
    *out_place = watch->places[index].place;
    return &watch->zones[watch->places[index].zone];
}
