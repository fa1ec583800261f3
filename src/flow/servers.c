/* SPDX-License-Identifier: MIT
 *
 * Which servers count.  The delegation that the resolver shows does, as the CA follows it: vanity names, secondary
 * servers elsewhere, all of them.  But the resolver may show an inside view (split horizon) in which the zone is served
 * by machines that DNS Made Easy never feeds; waiting for those would be for ever.  So: when none of the delegation's
 * servers is one that DNS Made Easy names for the zone, and they have private addresses, and DNS Made Easy's do
 * answer, then those are asked instead.
 */
#include "flow/engine.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

void servers_from_override(const struct strlist *nameservers, struct dns_servers *out)
{
    for (size_t i = 0; i < nameservers->count; i++)
        dns_servers_add(out, nameservers->items[i], nameservers->items[i]);
}

static bool names_overlap(const struct dns_servers *a, const struct dns_servers *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (strcmp(a->items[i].name, b->items[j].name) == 0)
                return true;
    return false;
}

/* A leading decimal number; moves *s behind it and the dot that follows. */
static unsigned take_octet(const char **s)
{
    unsigned n = 0;

    while (text_is_digit(**s) && n < 256)
        n = n * 10 + (unsigned)(*(*s)++ - '0');
    *s += **s == '.';
    return n;
}

/* RFC 1918, RFC 6598, and the local ranges. */
static bool is_private_ipv4(const char *address)
{
    const char *at = address;
    unsigned first = take_octet(&at);
    unsigned second = take_octet(&at);

    return first == 10 || first == 127 || (first == 192 && second == 168) || (first == 169 && second == 254) ||
           (first == 172 && second >= 16 && second < 32) || (first == 100 && second >= 64 && second < 128);
}

/* RFC 4193, link-local, loopback. */
static bool is_private_ipv6(const char *address)
{
    static const char *const prefixes[] = {"fc", "fd", "fe8", "fe9", "fea", "feb"};
    bool is_loopback = text_starts_with(address, "::1") && !text_is_hex(address[3]) && address[3] != ':';

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (text_ncasecmp(address, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return is_loopback;
}

/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1" or "[2001:db8::1]:53" */
static bool is_private_address(const char *address)
{
    if (*address == '[')
        return is_private_ipv6(address + 1);
    return strchr(address, '.') ? is_private_ipv4(address) : is_private_ipv6(address);
}

static bool any_private(const struct dns_servers *servers)
{
    for (size_t i = 0; i < servers->count; i++)
        for (size_t j = 0; j < servers->items[i].addresses.count; j++)
            if (is_private_address(servers->items[i].addresses.items[j]))
                return true;
    return false;
}

static bool has_address(const struct dns_servers *servers)
{
    for (size_t i = 0; i < servers->count; i++)
        if (servers->items[i].addresses.count)
            return true;
    return false;
}

static void copy_reachable(struct dns_servers *out, const struct dns_servers *in)
{
    for (size_t i = 0; i < in->count; i++)
        for (size_t j = 0; j < in->items[i].addresses.count; j++)
            dns_servers_add(out, in->items[i].name, in->items[i].addresses.items[j]);
}

/* Does the resolver show an inside view of the zone? */
static bool is_inside_view(struct challenge *c, const struct zone *zone, const struct dns_servers *found)
{
    AUTO_AUTHORITY_VIEW struct authority_view view = {.kind = AUTHORITY_HERE};

    if (!has_address(&zone->api_servers) || names_overlap(found, &zone->api_servers) || !any_private(found))
        return false;
    return authority_look(c->opts.direct, &zone->api_servers, zone->name, zone->name, &view, NULL) == ERR_OK;
}

/* The resolver answers, and has no name server of the zone: does nobody outside see one either?  DNS over HTTPS shows
 * what a resolver of the house does not. */
static bool is_undelegated(struct challenge *c, const char *zone)
{
    for (size_t i = 0; c->opts.doh_mode != CHALLENGE_DOH_NEVER && i < c->opts.doh_count; i++) {
        AUTO_DNS_SERVERS struct dns_servers found = {0};

        if (authority_find_servers(c->opts.doh[i], zone, &found, NULL) != ERR_DNS)
            return false;
    }
    return true;
}

/* Those that the resolver shows (or `why` it does not), or those that DNS Made Easy names. */
static enum err_code settle(struct challenge *c, struct zone *zone, struct dns_servers *found, const struct err *why,
                            struct err *err)
{
    if (why->code == ERR_OK && has_address(found) && !is_inside_view(c, zone, found)) {
        zone->servers = *found;
        *found = (struct dns_servers){NULL, 0};
        return ERR_OK;
    }
    if (!has_address(&zone->api_servers))
        return why->code != ERR_OK
                   ? err_set(err, why->code, "%s", why->msg)
                   : err_set(err, ERR_DNS, "no address of a name server of zone \"%s\" is known", zone->name);
    log_line(c->opts.log, LOG_INFO,
             "the resolver does not show the public name servers of zone \"%s\", asking those "
             "that DNS Made Easy names",
             zone->name);
    if (why->code == ERR_DNS && is_undelegated(c, zone->name))
        zone->unseen = mem_strdup(why->msg);
    copy_reachable(&zone->servers, &zone->api_servers);
    return ERR_OK;
}

/* Zones whose servers are still to be found.  The configured ones count for all. */
static size_t pick_unknown(const struct challenge *c, struct zone_servers *items, size_t count,
                           struct authority_zone *out, size_t *out_places)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        struct zone *zone = items[i].zone;

        err_init(&items[i].err);
        if (!zone->servers.count)
            servers_from_override(c->opts.nameservers, &zone->servers);
        if (zone->servers.count)
            continue;
        out_places[n] = i;
        out[n++] = (struct authority_zone){.name = zone->name};
    }
    return n;
}

enum err_code servers_of_zones(struct challenge *c, struct zone_servers *items, size_t count, struct err *err)
{
    AUTO_FREE struct authority_zone *found = mem_calloc(count, sizeof *found);
    AUTO_FREE size_t *places = mem_calloc(count, sizeof *places);
    size_t n = pick_unknown(c, items, count, found, places);
    struct err why;
    enum err_code code = n ? authority_find_servers_all(c->opts.direct, found, n, &why) : ERR_OK;

    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    for (size_t i = 0; i < n; i++) {
        struct zone_servers *item = &items[places[i]];

        if (code != ERR_OK)
            found[i].err = why;
        item->err.code = settle(c, item->zone, &found[i].servers, &found[i].err, &item->err);
        dns_servers_done(&found[i].servers);
    }
    return ERR_OK;
}

size_t zone_servers_want(struct zone_servers_list *list, struct zone *zone)
{
    size_t i = 0;

    while (i < list->count && list->items[i].zone != zone)
        i++;
    if (i == list->count) {
        list->items = mem_grow(list->items, list->count, sizeof *list->items);
        list->items[list->count++] = (struct zone_servers){.zone = zone};
    }
    return i;
}

void zone_servers_list_done(struct zone_servers_list *list)
{
    free(list->items);
    *list = (struct zone_servers_list){NULL, 0};
}

enum err_code servers_of_zone(struct challenge *c, struct zone *zone, const struct dns_servers **out, struct err *err)
{
    struct zone_servers one = {.zone = zone};
    enum err_code code = servers_of_zones(c, &one, 1, err);

    *out = &zone->servers;
    if (code == ERR_OK && one.err.code != ERR_OK) {
        code = one.err.code;
        if (err)
            *err = one.err;
    }
    return code;
}
