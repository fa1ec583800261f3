/* SPDX-License-Identifier: MIT */
#include "dns/watch.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

/* Before this much time a zone is not given up: UDP and TCP must each have had their chance. */
#define DEAD_AFTER_MS 5000
#define ALL_ITEMS SIZE_MAX

/* ------------------------------------------------------------------ building */

static struct watch_zone *want_zone(struct watch *w, const struct propagation_item *item)
{
    for (size_t i = 0; i < w->zone_count; i++)
        if (w->zones[i].servers == item->servers)
            return &w->zones[i];
    w->zones = mem_grow(w->zones, w->zone_count, sizeof *w->zones);
    w->zones[w->zone_count] = (struct watch_zone){.name = item->zone, .servers = item->servers};
    return &w->zones[w->zone_count++];
}

static struct watch_place zone_add(struct watch *w, struct watch_zone *zone, const struct propagation_item *item)
{
    zone->items = mem_grow(zone->items, zone->count, sizeof *zone->items);
    zone->items[zone->count++] = item;
    return (struct watch_place){(uint32_t)(zone - w->zones), (uint32_t)(zone->count - 1)};
}

static size_t want_target(struct watch *w, const char *address, const char *server_name)
{
    for (size_t i = 0; i < w->target_count; i++)
        if (strcmp(w->targets[i].address, address) == 0)
            return i;
    w->targets = mem_grow(w->targets, w->target_count, sizeof *w->targets);
    w->targets[w->target_count] = (struct watch_target){.address = address, .server_name = server_name};
    return w->target_count++;
}

static void add_lane(struct watch *w, size_t zone, size_t server, const char *address)
{
    size_t count = w->zones[zone].count;
    struct watch_lane lane = {
        .zone = zone,
        .server = server,
        .target = want_target(w, address, w->zones[zone].servers->items[server].name),
        .server_name = w->zones[zone].servers->items[server].name,
        .address = address,
        .pairs = mem_calloc(count, sizeof *lane.pairs),
        .queue = mem_calloc(count, sizeof *lane.queue),
        .missing = count,
    };

    for (size_t i = 0; i < count; i++)
        lane.pairs[i].lane = (uint32_t)w->lane_count;
    w->targets[lane.target].lane_count++;
    w->targets[lane.target].missing += count;
    w->lanes = mem_grow(w->lanes, w->lane_count, sizeof *w->lanes);
    w->lanes[w->lane_count++] = lane;
    w->zones[zone].lane_count++;
}

void watch_init(struct watch *watch, const struct propagation_item *items, size_t count, int64_t lame_after_ms)
{
    *watch = (struct watch){.item_count = count, .lame_after_ms = lame_after_ms};
    watch->places = mem_calloc(count, sizeof *watch->places);
    for (size_t i = 0; i < count; i++)
        watch->places[i] = zone_add(watch, want_zone(watch, &items[i]), &items[i]);
    for (size_t z = 0; z < watch->zone_count; z++) {
        const struct dns_servers *servers = watch->zones[z].servers;

        watch->zones[z].states = mem_calloc(watch->zones[z].count, sizeof(enum propagation_state));
        watch->zones[z].waiting = watch->zones[z].count;
        watch->zones[z].first_lane = watch->lane_count;
        for (size_t s = 0; s < servers->count; s++)
            for (size_t a = 0; a < servers->items[s].addresses.count; a++)
                add_lane(watch, z, s, servers->items[s].addresses.items[a]);
    }
}

void watch_done(struct watch *watch)
{
    for (size_t l = 0; l < watch->lane_count; l++) {
        struct watch_lane *lane = &watch->lanes[l];

        for (size_t i = 0; i < watch->zones[lane->zone].count; i++)
            sighting_done(&lane->pairs[i].seen);
        free(lane->pairs);
        free(lane->queue);
    }
    for (size_t z = 0; z < watch->zone_count; z++) {
        free(watch->zones[z].items);
        free(watch->zones[z].states);
    }
    free(watch->places);
    free(watch->lanes);
    free(watch->zones);
    free(watch->targets);
    *watch = (struct watch){0};
}

/* ------------------------------------------------------------------ answers */

const struct propagation_item *watch_item(const struct watch *watch, const struct watch_pair *pair)
{
    const struct watch_lane *lane = &watch->lanes[pair->lane];

    return watch->zones[lane->zone].items[pair - lane->pairs];
}

static void note_target(struct watch_target *target, enum dns_transport transport, bool answered)
{
    if (transport == DNS_TCP) {
        target->tcp_answered |= answered;
        target->tcp_silent |= !answered;
    } else {
        target->udp_answered |= answered;
        target->udp_silent |= !answered;
    }
}

void watch_note(struct watch *watch, struct watch_pair *pair, const struct dns_answer *answer)
{
    struct watch_lane *lane = &watch->lanes[pair->lane];
    struct sighting now = {0};

    sighting_update(&now, answer, watch_item(watch, pair), SIGHTING_AUTHORITATIVE_ONLY);
    note_target(&watch->targets[lane->target], pair->transport, answer->result == ERR_OK);
    lane->unreachable = now.kind == SIGHTING_UNREACHABLE;
    lane->refused |= now.kind == SIGHTING_REFUSED;
    if (!lane->authoritative && now.kind > SIGHTING_NO_AUTHORITY) {
        lane->authoritative = true;
        watch->lagging_count++;
    }
    if (now.kind == SIGHTING_SHOWN) {
        watch->targets[lane->target].missing--;
        if (--lane->missing == 0)
            watch->lagging_count--;
    }
    sighting_done(&now);
    sighting_update(&pair->seen, answer, watch_item(watch, pair), SIGHTING_AUTHORITATIVE_ONLY);
}

/* ------------------------------------------------------------------ verdicts */

static bool server_has_answered(const struct watch *w, const struct watch_zone *zone, size_t server)
{
    for (size_t l = zone->first_lane; l < zone->first_lane + zone->lane_count; l++)
        if (w->lanes[l].server == server && w->lanes[l].authoritative)
            return true;
    return false;
}

bool watch_lane_is_excused(const struct watch *watch, const struct watch_lane *lane, int64_t elapsed_ms)
{
    const struct watch_target *target = &watch->targets[lane->target];
    bool tried_all = target->udp_silent && target->tcp_silent && !target->udp_answered && !target->tcp_answered;

    if (lane->authoritative || !server_has_answered(watch, &watch->zones[lane->zone], lane->server))
        return false;
    return lane->unreachable || tried_all || elapsed_ms >= watch->lame_after_ms;
}

/* Does the lane lack the item, or any? */
static bool lane_lacks(const struct watch_lane *lane, size_t place)
{
    return place == ALL_ITEMS ? lane->missing > 0 : lane->pairs[place].seen.kind != SIGHTING_SHOWN;
}

static enum watch_server server_state(const struct watch *w, const struct watch_zone *zone, size_t server, size_t place,
                                      int64_t elapsed_ms)
{
    if (!server_has_answered(w, zone, server))
        return WATCH_MUTE;
    for (size_t l = zone->first_lane; l < zone->first_lane + zone->lane_count; l++) {
        const struct watch_lane *lane = &w->lanes[l];

        if (lane->server == server && lane_lacks(lane, place) && !watch_lane_is_excused(w, lane, elapsed_ms))
            return WATCH_LAGGING;
    }
    return WATCH_COMPLETE;
}

enum watch_server watch_server_state(const struct watch *watch, const struct watch_zone *zone, size_t server,
                                     int64_t elapsed_ms)
{
    return server_state(watch, zone, server, ALL_ITEMS, elapsed_ms);
}

static bool is_complete(const struct watch *w, const struct watch_zone *zone, size_t place, int64_t elapsed_ms)
{
    size_t complete = 0;
    size_t mute = 0;

    for (size_t s = 0; s < zone->servers->count; s++) {
        enum watch_server state = server_state(w, zone, s, place, elapsed_ms);

        if (state == WATCH_LAGGING)
            return false;
        if (state == WATCH_COMPLETE)
            complete++;
        else if (zone->servers->items[s].addresses.count && elapsed_ms < w->lame_after_ms)
            return false; /* it may still answer; one without any address won't */
        else
            mute++;
    }
    return complete > 0 && complete >= mute;
}

bool watch_item_is_complete(const struct watch *watch, const struct watch_zone *zone, size_t place, int64_t elapsed_ms)
{
    return is_complete(watch, zone, place, elapsed_ms);
}

bool watch_is_complete(const struct watch *watch, int64_t elapsed_ms)
{
    if (watch->lagging_count) /* such lanes are never excused; this saves most of the work with many zones */
        return false;
    for (size_t z = 0; z < watch->zone_count; z++)
        if (!is_complete(watch, &watch->zones[z], ALL_ITEMS, elapsed_ms))
            return false;
    return true;
}

bool watch_zone_is_dead(const struct watch *watch, const struct watch_zone *zone, int64_t elapsed_ms)
{
    int64_t patience_ms = watch->lame_after_ms > DEAD_AFTER_MS ? watch->lame_after_ms : DEAD_AFTER_MS;

    if (zone->lane_count == 0)
        return true;
    if (elapsed_ms < patience_ms)
        return false;
    for (size_t l = zone->first_lane; l < zone->first_lane + zone->lane_count; l++)
        if (watch->lanes[l].authoritative || watch->lanes[l].refused)
            return false;
    return true;
}

const struct watch_zone *watch_find_dead_zone(const struct watch *watch, int64_t elapsed_ms)
{
    for (size_t z = 0; z < watch->zone_count; z++)
        if (watch_zone_is_dead(watch, &watch->zones[z], elapsed_ms))
            return &watch->zones[z];
    return NULL;
}
