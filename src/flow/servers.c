/* SPDX-License-Identifier: MIT
 *
 * Which servers count.  The delegation that the resolver shows does, as the CA follows it: vanity names, secondary
 * servers elsewhere, all of them.  But the resolver may show an inside view (split horizon) in which the zone is served
 * by machines that DNS Made Easy never feeds; waiting for those would be for ever.  So: when none of the delegation's
 * servers is one that DNS Made Easy names for the zone, and they have private addresses, and DNS Made Easy's do
 * answer, then those are asked instead.
 */
#include "flow/engine.h"

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

/* RFC 1918, RFC 4193, RFC 6598 and the local ranges. */
static bool is_private_address(const char *address)
{
    static const char *const prefixes[] = {
        "10.", "127.", "192.168.", "169.254.", "172.16.", "172.17.", "172.18.", "172.19.",
        "172.20.", "172.21.", "172.22.", "172.23.", "172.24.", "172.25.", "172.26.", "172.27.",
        "172.28.", "172.29.", "172.30.", "172.31.", "100.64.", "fc", "fd", "fe8", "::1",
    };

    if (*address == '[')
        address++;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (text_starts_with(address, prefixes[i]))
            return true;
    return false;
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
    AUTO(authority_view_done) struct authority_view view = {.kind = AUTHORITY_HERE};

    if (!has_address(&zone->api_servers) || names_overlap(found, &zone->api_servers) || !any_private(found))
        return false;
    return authority_look(c->opts.direct, &zone->api_servers, zone->name, &view, NULL) == ERR_OK;
}

enum err_code servers_of_zone(struct challenge *c, struct zone *zone, const struct dns_servers **out, struct err *err)
{
    AUTO(dns_servers_done) struct dns_servers found = {0};
    enum err_code code = ERR_OK;

    *out = &zone->servers;
    if (zone->servers.count)
        return ERR_OK;
    if (c->opts.nameservers->count) {
        servers_from_override(c->opts.nameservers, &zone->servers);
        return ERR_OK;
    }
    code = authority_find_servers(c->opts.direct, zone->name, &found, err);
    if (code == ERR_CANCELLED)
        return code;
    if (code == ERR_OK && has_address(&found) && !is_inside_view(c, zone, &found)) {
        dns_servers_copy(&zone->servers, &found);
        return ERR_OK;
    }
    if (!has_address(&zone->api_servers))
        return code != ERR_OK
                   ? code
                   : err_set(err, ERR_DNS, "no address of a name server of zone \"%s\" is known", zone->name);
    log_line(c->opts.log, LOG_INFO, "the resolver does not show the public name servers of zone \"%s\", asking those "
                                    "that DNS Made Easy names", zone->name);
    copy_reachable(&zone->servers, &zone->api_servers);
    return ERR_OK;
}
