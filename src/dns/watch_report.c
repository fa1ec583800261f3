/* SPDX-License-Identifier: MIT */
#include "dns/watch.h"

#include <inttypes.h>

#define DETAILS_MAX 6 /* servers that an error describes one by one */
#define HINT_TIMEOUT "If the servers are only slow, raise propagation.timeout (--timeout)."

static const struct watch_zone *zone_of(const struct watch *w, const struct watch_lane *lane)
{
    return &w->zones[lane->zone];
}

static bool lane_lags(const struct watch *w, const struct watch_lane *lane, int64_t elapsed_ms)
{
    return lane->missing > 0 && !watch_lane_is_excused(w, lane, elapsed_ms);
}

/* Does every lane that counts show the zone's name number i? */
static bool name_is_done(const struct watch *w, const struct watch_zone *zone, size_t i, int64_t elapsed_ms)
{
    for (size_t l = zone->first_lane; l < zone->first_lane + zone->lane_count; l++) {
        const struct watch_lane *lane = &w->lanes[l];

        if (lane->pairs[i].seen.kind != SIGHTING_SHOWN && lane_lags(w, lane, elapsed_ms))
            return false;
    }
    return zone->lane_count > 0;
}

size_t watch_count_done(const struct watch *watch, int64_t elapsed_ms)
{
    size_t done = 0;

    for (size_t z = 0; z < watch->zone_count; z++)
        for (size_t i = 0; i < watch->zones[z].count; i++)
            done += name_is_done(watch, &watch->zones[z], i, elapsed_ms) ? 1 : 0;
    return done;
}

void watch_put_lagging(const struct watch *watch, int64_t elapsed_ms, struct buf *out)
{
    const struct watch_lane *last = NULL;

    for (size_t l = 0; l < watch->lane_count; l++) {
        const struct watch_lane *lane = &watch->lanes[l];

        if (!lane_lags(watch, lane, elapsed_ms) || (last && last->zone == lane->zone && last->server == lane->server))
            continue;
        buf_printf(out, "%s%s", last ? ", " : "", lane->server_name);
        last = lane;
    }
}

/* The name that stands for what a lane lacks: one that was asked for, if there is one. */
static size_t telling_pair(const struct watch *w, const struct watch_lane *lane)
{
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < zone_of(w, lane)->count; i++) {
        enum sighting_kind kind = lane->pairs[i].seen.kind;

        if (kind == SIGHTING_SHOWN)
            continue;
        if (kind != SIGHTING_NONE)
            return i;
        first = first == SIZE_MAX ? i : first;
    }
    return first == SIZE_MAX ? 0 : first;
}

static void put_lane(const struct watch *w, const struct watch_lane *lane, struct buf *out)
{
    size_t i = telling_pair(w, lane);
    const struct propagation_item *item = zone_of(w, lane)->items[i];

    buf_printf(out, "%s (%s) ", lane->server_name, lane->address);
    sighting_describe(&lane->pairs[i].seen, item, out);
    if (w->item_count > 1)
        buf_printf(out, " for \"%s\"", item->name);
    if (lane->missing > 1)
        buf_printf(out, " and lacks %zu more", lane->missing - 1);
}

static void put_lanes(const struct watch *w, int64_t elapsed_ms, struct buf *out)
{
    size_t count = 0;

    for (size_t l = 0; l < w->lane_count; l++) {
        if (!lane_lags(w, &w->lanes[l], elapsed_ms) || ++count > DETAILS_MAX)
            continue;
        buf_puts(out, count > 1 ? "; " : "");
        put_lane(w, &w->lanes[l], out);
    }
    if (count > DETAILS_MAX)
        buf_printf(out, "; and %zu more addresses", count - DETAILS_MAX);
    for (size_t z = 0; z < w->zone_count; z++)
        for (size_t s = 0; s < w->zones[z].servers->count; s++)
            if (w->zones[z].servers->items[s].addresses.count == 0)
                buf_printf(out, "%s%s has no address", out->len ? "; " : "", w->zones[z].servers->items[s].name);
}

static bool has_authority(const struct watch *w, const struct watch_zone *zone)
{
    for (size_t l = zone->first_lane; l < zone->first_lane + zone->lane_count; l++)
        if (w->lanes[l].authoritative)
            return true;
    return false;
}

enum err_code watch_timeout(const struct watch *watch, int64_t elapsed_ms, struct err *err)
{
    AUTO_BUF struct buf lanes = BUF_INIT((size_t)DETAILS_MAX * 1500);
    size_t missing = watch->item_count - watch_count_done(watch, elapsed_ms);
    enum err_code code;

    for (size_t z = 0; z < watch->zone_count; z++)
        if (!has_authority(watch, &watch->zones[z]))
            return watch_dead(watch, &watch->zones[z], err);
    put_lanes(watch, elapsed_ms, &lanes);
    if (watch->item_count == 1)
        code = err_set(err, ERR_PROPAGATION, "TXT record \"%s\" is not at every name server after %lld s: %s",
                       watch->zones[0].items[0]->name, (long long)(elapsed_ms / 1000), buf_cstr(&lanes));
    else
        code = err_set(err, ERR_PROPAGATION, "%zu of %zu TXT records are not at every name server after %lld s: %s",
                       missing, watch->item_count, (long long)(elapsed_ms / 1000), buf_cstr(&lanes));
    err_hint(err, HINT_TIMEOUT);
    return code;
}

/* What each lane that lacks the item shows of it. */
static void put_item(const struct watch *w, const struct watch_zone *zone, size_t place, struct buf *out)
{
    size_t count = 0;

    for (size_t l = zone->first_lane; l < zone->first_lane + zone->lane_count; l++) {
        const struct watch_lane *lane = &w->lanes[l];
        const struct sighting *seen = &lane->pairs[place].seen;

        if (seen->kind == SIGHTING_SHOWN || watch_lane_is_excused(w, lane, zone->ended_ms) || ++count > DETAILS_MAX)
            continue;
        buf_printf(out, "%s%s (%s) ", count > 1 ? "; " : "", lane->server_name, lane->address);
        sighting_describe(seen, zone->items[place], out);
    }
    if (count > DETAILS_MAX)
        buf_printf(out, "; and %zu more addresses", count - DETAILS_MAX);
}

enum err_code watch_explain(const struct watch *watch, const struct watch_zone *zone, size_t place, struct err *err)
{
    AUTO_BUF struct buf lanes = BUF_INIT((size_t)DETAILS_MAX * 1500);
    enum err_code code;

    if (!has_authority(watch, zone))
        return watch_dead(watch, zone, err);
    put_item(watch, zone, place, &lanes);
    code = err_set(err, ERR_PROPAGATION, "TXT record \"%s\" is not at every name server after %lld s: %s",
                   zone->items[place]->name, (long long)(zone->ended_ms / 1000), buf_cstr(&lanes));
    err_hint(err, HINT_TIMEOUT);
    return code;
}

enum err_code watch_dead(const struct watch *watch, const struct watch_zone *zone, struct err *err)
{
    AUTO_BUF struct buf lanes = BUF_INIT((size_t)DETAILS_MAX * 1500);
    bool talked = false;

    if (zone->lane_count == 0) {
        (void)err_set(err, ERR_NETWORK, "no name server of zone \"%s\" has an address", zone->name);
        err_hint(err, "Check the NS records of the zone, and that the names in them resolve.");
        return ERR_NETWORK;
    }
    for (size_t i = 0; i < zone->lane_count && i < DETAILS_MAX; i++) {
        const struct watch_lane *lane = &watch->lanes[zone->first_lane + i];

        buf_puts(&lanes, i ? "; " : "");
        put_lane(watch, lane, &lanes);
        talked |= lane->pairs[telling_pair(watch, lane)].seen.kind > SIGHTING_UNREACHABLE;
    }
    (void)err_set(err, ERR_NETWORK, "no name server of zone \"%s\" %s: %s", zone->name,
                  talked ? "answers with authority" : "answers", buf_cstr(&lanes));
    if (talked)
        err_hint(err, "Something between here and the servers may answer in their place; DNS over HTTPS goes "
                      "around it.");
    else
        err_hint(err, "Port 53 (UDP and TCP) to the name servers may be blocked; allow it, or use DNS over HTTPS "
                      "(\"propagation.doh: auto\").");
    return ERR_NETWORK;
}

static void put_servers(const struct dns_servers *servers, struct buf *out)
{
    for (size_t s = 0; s < servers->count; s++) {
        const struct strlist *addresses = &servers->items[s].addresses;

        buf_printf(out, "%s%s (", s ? ", " : "", servers->items[s].name);
        for (size_t a = 0; a < addresses->count; a++)
            buf_printf(out, "%s%s", a ? ", " : "", addresses->items[a]);
        buf_puts(out, addresses->count ? ")" : "no address)");
    }
}

void watch_log_start(const struct watch *watch, struct log *log)
{
    if (!log_wants(log, LOG_INFO))
        return;
    for (size_t z = 0; z < watch->zone_count; z++) {
        AUTO_BUF struct buf servers = BUF_INIT(3000);
        const struct watch_zone *zone = &watch->zones[z];

        put_servers(zone->servers, &servers);
        log_line(log, LOG_INFO, "waiting for %zu name%s of zone \"%s\" at %s%s", zone->count,
                 zone->count == 1 ? "" : "s", zone->name, buf_cstr(&servers), buf_ok(&servers) ? "" : " and more");
    }
}

void watch_log_shown(const struct watch *watch, const struct watch_lane *lane, int64_t elapsed_ms, struct log *log)
{
    const struct watch_target *target = &watch->targets[lane->target];
    const struct log_field fields[] = {
        {"server", target->server_name, 0},
        {"address", target->address, 0},
        {"ms", NULL, elapsed_ms},
    };

    if (target->missing == 0)
        log_event(log, LOG_INFO, fields, ARRAY_LEN(fields), "%s (%s) shows everything after %" PRId64 " ms",
                  target->server_name, target->address, elapsed_ms);
}

/* What a server that is not waited for does instead of answering, seen at its first address. */
static void log_mute(const struct watch *w, const struct watch_zone *zone, size_t server, struct log *log)
{
    AUTO_BUF struct buf what = BUF_INIT(1500);

    for (size_t l = zone->first_lane; l < zone->first_lane + zone->lane_count && what.len == 0; l++) {
        const struct watch_lane *lane = &w->lanes[l];

        if (lane->server == server)
            sighting_describe(&lane->pairs[telling_pair(w, lane)].seen, zone->items[0], &what);
    }
    if (what.len == 0)
        buf_puts(&what, "has no address");
    log_line(log, LOG_WARNING, "name server \"%s\" of zone \"%s\" %s, continuing", zone->servers->items[server].name,
             zone->name, buf_cstr(&what));
}

static void log_lame_zone(const struct watch *w, const struct watch_zone *zone, int64_t elapsed_ms, struct log *log)
{
    for (size_t s = 0; s < zone->servers->count; s++)
        if (watch_server_state(w, zone, s, elapsed_ms) == WATCH_MUTE)
            log_mute(w, zone, s, log);
    for (size_t l = zone->first_lane; l < zone->first_lane + zone->lane_count; l++)
        if (watch_lane_is_excused(w, &w->lanes[l], elapsed_ms))
            log_line(log, LOG_DEBUG, "name server \"%s\" does not answer at %s but elsewhere, continuing",
                     w->lanes[l].server_name, w->lanes[l].address);
}

void watch_log_lame(const struct watch *watch, int64_t elapsed_ms, struct log *log)
{
    for (size_t z = 0; z < watch->zone_count; z++)
        log_lame_zone(watch, &watch->zones[z], elapsed_ms, log);
}

void watch_log_lame_new(struct watch *watch, int64_t elapsed_ms, struct log *log)
{
    for (size_t z = 0; z < watch->zone_count; z++) {
        struct watch_zone *zone = &watch->zones[z];

        if (zone->waiting > 0 || zone->shown == 0 || zone->is_reported)
            continue;
        zone->is_reported = true;
        log_lame_zone(watch, zone, elapsed_ms, log);
    }
}
