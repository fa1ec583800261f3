/* SPDX-License-Identifier: MIT
 *
 * A zone as DNS Made Easy has it, and as its parent refers to it.
 */
#include <inttypes.h>
#include <string.h>

#include "check/internal.h"
#include "dns/delegation.h"

#define LIST_MAX 1000
#define SERIAL_MS 2000
#define SERIAL_HALF UINT32_C(0x80000000) /* RFC 1982 */

/* pendingActionId of the API */
enum { PENDING_NONE = 0, PENDING_CREATION = 1 };

static struct check_zone *add_zone(struct check *check, const struct challenge_place *place)
{
    check->zones = mem_grow(check->zones, check->zone_count, sizeof *check->zones);
    check->zones[check->zone_count] = (struct check_zone){
        .name = mem_strdup(place->zone), .record_name = mem_strdup(place->record_name), .account = place->account};
    return &check->zones[check->zone_count++];
}

/* ------------------------------------------------------------------ at DNS Made Easy */

static void note_servers(const struct dme_zone *found, struct check_zone *zone)
{
    for (size_t i = 0; i < found->nameserver_count; i++) {
        dns_servers_add(&zone->api_servers, found->nameservers[i].fqdn, found->nameservers[i].ipv4);
        if (found->nameservers[i].ipv6)
            dns_servers_add(&zone->api_servers, found->nameservers[i].fqdn, found->nameservers[i].ipv6);
    }
    for (size_t i = 0; i < found->delegate_names.count; i++)
        dns_servers_add(&zone->api_servers, found->delegate_names.items[i], NULL);
}

static void report_found(struct check *check, const struct challenge_place *place, const struct dme_zone *found)
{
    if (found->pending_action == PENDING_NONE) {
        check_add(check->report, CHECK_OK, "zone", found->name,
                  "account \"%s\" has it with id %" PRId64 ", and no change of it is pending", place->account->name,
                  found->id);
    } else {
        check_add(check->report, CHECK_WARN, "zone", found->name, "DNS Made Easy is still %s it",
                  found->pending_action == PENDING_CREATION ? "creating" : "changing");
        check_hint(check->report, "Wait some minutes: until then not all of its name servers serve it.");
    }
    check_measure(check->report, "zone_id", found->id);
    check_measure(check->report, "pending_action", found->pending_action);
}

static enum err_code look_up(struct check *check, const struct challenge_place *place, struct check_zone *zone,
                             struct err *err)
{
    AUTO(dme_zone_done) struct dme_zone found = {.id = 0};
    struct err why;
    enum err_code code;

    if (!check_may_ask(check, place->account, "zone", place->zone))
        return ERR_OK;
    check_report_flush(check->report);
    err_init(&why);
    code = dme_zone_find(place->account->dme, place->zone, &found, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code != ERR_OK) {
        check_add_error(check->report, CHECK_FAIL, "zone", place->zone, &why);
        return ERR_OK;
    }
    note_servers(&found, zone);
    report_found(check, place, &found);
    return ERR_OK;
}

/* ------------------------------------------------------------------ at the parent */

/* Those of `names` that are not among `others`, ", " between; their number. */
static size_t list_missing(const struct strlist *names, const struct strlist *others, struct buf *out)
{
    size_t missing = 0;

    for (size_t i = 0; i < names->count; i++) {
        if (strlist_has(others, names->items[i]))
            continue;
        buf_printf(out, "%s\"%s\"", missing ? ", " : "", names->items[i]);
        missing++;
    }
    return missing;
}

static void advise_servers(struct check *check, const struct check_zone *zone)
{
    AUTO_BUF struct buf names = BUF_INIT(LIST_MAX);

    for (size_t i = 0; i < zone->api_servers.count; i++)
        buf_printf(&names, "%s\"%s\"", i ? ", " : "", zone->api_servers.items[i].name);
    if (names.len)
        check_hint(check->report, "At the registrar, or in the zone above, make these its name servers: %s.",
                   buf_cstr(&names));
    else
        check_hint(check->report, "At the registrar, or in the zone above, make those its name servers that DNS Made "
                                  "Easy's control panel shows for it.");
}

/* The zone's own NS against those that its parent gives. */
static void report_agreement(struct check *check, const struct check_zone *zone, const struct delegation *d)
{
    AUTO_BUF struct buf only_parent = BUF_INIT(LIST_MAX);
    AUTO_BUF struct buf only_zone = BUF_INIT(LIST_MAX);
    size_t at_parent = list_missing(&d->parent_ns, &d->zone_ns, &only_parent);
    size_t at_zone = list_missing(&d->zone_ns, &d->parent_ns, &only_zone);

    if (!d->zone_ns.count) {
        /* which is for check_serving() to judge */
        check_add(check->report, CHECK_SKIPPED, "delegation", zone->name,
                  "zone \"%s\" refers to %zu name server%s, none of which tells what the zone itself names", d->parent,
                  d->parent_ns.count, d->parent_ns.count == 1 ? "" : "s");
    } else if (at_parent || at_zone) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "zone \"%s\" and the zone itself name different servers: %s%s%s%s%s", d->parent,
                  at_parent ? "only above " : "", buf_cstr(&only_parent), at_parent && at_zone ? ", " : "",
                  at_zone ? "only in the zone " : "", buf_cstr(&only_zone));
        check_hint(check->report,
                   "Make both the same, at the registrar and in DNS Made Easy's control panel: resolvers, "
                   "and so CAs, may ask any of them.");
    } else if (d->has_split_parent) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "the servers of zone \"%s\" do not all refer to the same name servers", d->parent);
        check_hint(check->report, "After a change at the registrar that is normal for some hours.");
    } else if (d->has_split_zone) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "the zone's servers do not all name the same name servers");
        check_hint(check->report,
                   "Shortly after a change that is normal; if it stays so, one of them has an old copy.");
    } else {
        check_add(check->report, CHECK_OK, "delegation", zone->name,
                  "zone \"%s\" refers to the same %zu name server%s as the zone itself", d->parent, d->parent_ns.count,
                  d->parent_ns.count == 1 ? "" : "s");
    }
}

/* Servers of others that fetch the zone from DNS Made Easy have its serial; those of a zone that has moved away do not.
 * Errors: ERR_CANCELLED. */
static enum err_code newest_serial(struct check *check, const char *zone, const struct dns_servers *servers,
                                   bool *out_is_known, uint32_t *out, struct err *err)
{
    AUTO(serving_list_done) struct serving_list list = {NULL, 0};
    enum err_code code = serving_examine(check->opts.direct, zone, servers, SERIAL_MS, &list, err);

    *out_is_known = false;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        if (list.items[i].result != SERVING_OK || (*out_is_known && list.items[i].serial - *out >= SERIAL_HALF))
            continue;
        *out_is_known = true;
        *out = list.items[i].serial;
    }
    return code;
}

/* Not one of those that the world asks is one that DNS Made Easy names.  Errors: ERR_CANCELLED. */
static enum err_code report_strangers(struct check *check, const struct challenge_place *place,
                                      const struct check_zone *zone, const struct delegation *d, const char *names,
                                      struct err *err)
{
    bool is_here_known = false;
    bool is_there_known = false;
    uint32_t here = 0;
    uint32_t there = 0;
    enum err_code code = newest_serial(check, zone->name, place->servers, &is_there_known, &there, err);

    if (code == ERR_OK)
        code = newest_serial(check, zone->name, &zone->api_servers, &is_here_known, &here, err);
    if (code != ERR_OK)
        return code;
    if (is_here_known && is_there_known && here == there) {
        check_add(check->report, CHECK_OK, "delegation", zone->name,
                  "zone \"%s\" refers to servers that fetch it from DNS Made Easy: %s", d->parent, names);
        return ERR_OK;
    }
    check_add(check->report, CHECK_FAIL, "delegation", zone->name,
              "zone \"%s\" refers to name servers that are not DNS Made Easy's: %s; nobody would see the records",
              d->parent, names);
    check_code(check->report, ERR_ZONE);
    advise_servers(check, zone);
    return ERR_OK;
}

static void report_some_strangers(struct check *check, const struct check_zone *zone, const char *names)
{
    check_add(check->report, CHECK_WARN, "delegation", zone->name,
              "besides DNS Made Easy's there are name servers that it does not know of: %s", names);
    check_hint(check->report,
               "If they fetch the zone from DNS Made Easy, see that they do so within a minute of a change; "
               "otherwise take them out at the registrar.");
}

/* Errors: ERR_CANCELLED. */
static enum err_code report_reference(struct check *check, const struct challenge_place *place,
                                      const struct check_zone *zone, const struct delegation *d, struct err *err)
{
    AUTO_BUF struct buf names = BUF_INIT(LIST_MAX);
    AUTO_STRLIST struct strlist known = {NULL, 0};
    size_t strangers;

    for (size_t i = 0; i < zone->api_servers.count; i++)
        strlist_add(&known, zone->api_servers.items[i].name);
    strangers = known.count ? list_missing(&d->parent_ns, &known, &names) : 0;
    if (strangers && strangers == d->parent_ns.count)
        return report_strangers(check, place, zone, d, buf_cstr(&names), err);
    if (strangers)
        report_some_strangers(check, zone, buf_cstr(&names));
    else
        report_agreement(check, zone, d);
    return ERR_OK;
}

static void report_covered(struct check *check, const struct check_zone *zone, const struct delegation *d)
{
    if (d->has_split_parent) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "some servers of zone \"%s\" serve it too, others say that there is no such zone", d->parent);
        advise_servers(check, zone);
    } else {
        check_add(check->report, CHECK_OK, "delegation", zone->name,
                  "the servers of zone \"%s\" serve it too, so whether they refer to it does not show", d->parent);
    }
}

/* Errors: ERR_CANCELLED. */
static enum err_code report_delegation(struct check *check, const struct challenge_place *place,
                                       const struct check_zone *zone, const struct delegation *d, struct err *err)
{
    switch (d->parent_kind) {
    case DELEGATION_SEEN:
        return report_reference(check, place, zone, d, err);
    case DELEGATION_ABSENT:
        check_add(check->report, CHECK_FAIL, "delegation", zone->name,
                  "zone \"%s\" does not refer to it, so nobody would see the records", d->parent);
        check_code(check->report, ERR_ZONE);
        advise_servers(check, zone);
        break;
    case DELEGATION_COVERED:
        report_covered(check, zone, d);
        break;
    }
    return ERR_OK;
}

/* With "propagation.nameservers" each address is its own name, and nobody else is to be asked. */
static bool is_override(const struct dns_servers *servers)
{
    return servers->count && servers->items[0].addresses.count &&
           strcmp(servers->items[0].name, servers->items[0].addresses.items[0]) == 0;
}

static void add_servers(struct dns_servers *servers, const struct dns_servers *more)
{
    for (size_t i = 0; i < more->count; i++) {
        dns_servers_add(servers, more->items[i].name, NULL);
        for (size_t a = 0; a < more->items[i].addresses.count; a++)
            dns_servers_add(servers, more->items[i].name, more->items[i].addresses.items[a]);
    }
}

/* `all` gets the servers that are not asked by us but by the world. */
static enum err_code look_above(struct check *check, const struct challenge_place *place, const struct check_zone *zone,
                                struct dns_servers *all, struct err *err)
{
    AUTO(delegation_done) struct delegation delegation = {.parent = NULL};
    struct err why;
    enum err_code code;

    if (!place->servers) {
        check_add_error(check->report, CHECK_WARN, "delegation", place->zone, &place->servers_err);
        return ERR_OK;
    }
    if (check->has_no_resolver) {
        check_add(check->report, CHECK_SKIPPED, "delegation", place->zone, "no resolver answers this machine");
        return ERR_OK;
    }
    check_report_flush(check->report);
    err_init(&why);
    code = delegation_examine(check->opts.direct, place->zone, place->servers, &delegation, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code != ERR_OK) {
        check_add(check->report, CHECK_SKIPPED, "delegation", place->zone, "could not be looked at: %s", why.msg);
        return ERR_OK;
    }
    if (!is_override(place->servers))
        add_servers(all, &delegation.others);
    return report_delegation(check, place, zone, &delegation, err);
}

enum err_code check_zone(struct check *check, const struct challenge_place *place, struct check_zone **out,
                         struct err *err)
{
    AUTO_DNS_SERVERS struct dns_servers all = {NULL, 0};
    enum err_code code;

    for (size_t i = 0; i < check->zone_count; i++) {
        if (strcmp(check->zones[i].name, place->zone) == 0) {
            *out = &check->zones[i];
            return ERR_OK;
        }
    }
    *out = add_zone(check, place);
    code = look_up(check, place, *out, err);
    if (place->servers)
        dns_servers_copy(&all, place->servers);
    if (code == ERR_OK)
        code = look_above(check, place, *out, &all, err);
    if (code == ERR_OK && place->servers)
        code = check_serving(check, &all, place->servers, *out, err);
    return code == ERR_OK ? check_dnssec(check, place, *out, err) : code;
}
