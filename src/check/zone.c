/* SPDX-License-Identifier: MIT
 *
 * A zone as DNS Made Easy has it, and as its parent refers to it.
 */
#include <string.h>

#include "check/internal.h"
#include "dns/delegation.h"

#define LIST_MAX 400

/* pendingActionId of the API */
enum { PENDING_NONE = 0, PENDING_CREATION = 1 };

static struct check_zone *add_zone(struct check *check, const char *name)
{
    check->zones = mem_grow(check->zones, check->zone_count, sizeof *check->zones);
    check->zones[check->zone_count] = (struct check_zone){.name = mem_strdup(name)};
    return &check->zones[check->zone_count++];
}

/* ------------------------------------------------------------------ at DNS Made Easy */

static void note_servers(const struct dme_zone *found, struct check_zone *zone)
{
    for (size_t i = 0; i < found->nameserver_count; i++)
        strlist_add(&zone->api_servers, found->nameservers[i].fqdn);
    for (size_t i = 0; i < found->delegate_names.count; i++)
        strlist_add(&zone->api_servers, found->delegate_names.items[i]);
}

static void report_pending(struct check *check, const struct dme_zone *found)
{
    if (found->pending_action == PENDING_NONE) {
        check_add(check->report, CHECK_OK, "zone", found->name, "is in the account and not waiting for anything");
    } else {
        check_add(check->report, CHECK_WARN, "zone", found->name, "is %s at DNS Made Easy",
                  found->pending_action == PENDING_CREATION ? "still being created" : "still being changed");
        check_hint(check->report, "Wait some minutes; its name servers do not all serve it before that is done.");
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
    err_init(&why);
    code = dme_zone_find(place->account->dme, place->zone, &found, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code != ERR_OK) {
        check_add_error(check->report, CHECK_FAIL, "zone", place->zone, &why);
        return ERR_OK;
    }
    note_servers(&found, zone);
    report_pending(check, &found);
    return ERR_OK;
}

/* ------------------------------------------------------------------ at the parent */

static bool has_name(const struct strlist *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* Those of `names` that are not among `others`, ", " between; their number. */
static size_t list_missing(const struct strlist *names, const struct strlist *others, struct buf *out)
{
    size_t missing = 0;

    for (size_t i = 0; i < names->count; i++) {
        if (has_name(others, names->items[i]))
            continue;
        buf_printf(out, "%s%s", missing ? ", " : "", names->items[i]);
        missing++;
    }
    return missing;
}

static void advise_servers(struct check *check, const struct check_zone *zone, const char *what)
{
    AUTO_BUF struct buf names = BUF_INIT(LIST_MAX);

    (void)list_missing(&zone->api_servers, &(struct strlist){NULL, 0}, &names);
    if (names.len)
        check_hint(check->report, "%s: %s.", what, buf_cstr(&names));
    else
        check_hint(check->report, "%s those that the control panel of DNS Made Easy shows for it.", what);
}

/* The zone's own NS against those that its parent gives. */
static void report_agreement(struct check *check, const struct check_zone *zone, const struct delegation *d)
{
    AUTO_BUF struct buf only_parent = BUF_INIT(LIST_MAX);
    AUTO_BUF struct buf only_zone = BUF_INIT(LIST_MAX);
    size_t at_parent = list_missing(&d->parent_ns, &d->zone_ns, &only_parent);
    size_t at_zone = list_missing(&d->zone_ns, &d->parent_ns, &only_zone);

    if (!d->zone_ns.count) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "none of the zone's servers tells which name servers it has");
    } else if (at_parent || at_zone) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "zone \"%s\" and the zone itself name different servers: only above: %s; only in the zone: %s",
                  d->parent, at_parent ? buf_cstr(&only_parent) : "none", at_zone ? buf_cstr(&only_zone) : "none");
        check_hint(check->report, "Bring both into line at the registrar and in the control panel of DNS Made Easy: "
                                  "resolvers, and so CAs, may ask any of them.");
    } else if (d->has_split_parent) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "the servers of zone \"%s\" do not all refer to the same name servers", d->parent);
        check_hint(check->report, "After a change at the registrar that is normal for some hours.");
    } else if (d->has_split_zone) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "the zone's servers do not all name the same name servers");
    } else {
        check_add(check->report, CHECK_OK, "delegation", zone->name,
                  "zone \"%s\" refers to the same %zu name servers as the zone itself", d->parent, d->parent_ns.count);
    }
}

/* Are those that the world asks DNS Made Easy's? */
static void report_strangers(struct check *check, const struct check_zone *zone, const struct delegation *d)
{
    AUTO_BUF struct buf names = BUF_INIT(LIST_MAX);
    size_t strangers = zone->api_servers.count ? list_missing(&d->parent_ns, &zone->api_servers, &names) : 0;

    if (strangers && strangers == d->parent_ns.count) {
        check_add(check->report, CHECK_FAIL, "delegation", zone->name,
                  "zone \"%s\" refers to servers that are not DNS Made Easy's: %s", d->parent, buf_cstr(&names));
        check_code(check->report, ERR_ZONE);
        advise_servers(check, zone, "At the registrar, make the name servers of the zone");
    } else if (strangers) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "besides DNS Made Easy's it has name servers that DNS Made Easy does not name: %s", buf_cstr(&names));
        check_hint(check->report, "If they are secondaries of yours, see that they fetch changes within a minute; "
                                  "otherwise take them out at the registrar.");
    }
}

static void report_covered(struct check *check, const struct check_zone *zone, const struct delegation *d)
{
    if (d->has_split_parent) {
        check_add(check->report, CHECK_WARN, "delegation", zone->name,
                  "some servers of zone \"%s\" serve it too, others say that there is no such zone", d->parent);
        advise_servers(check, zone, "In the zone above, set its name servers");
    } else {
        check_add(check->report, CHECK_OK, "delegation", zone->name,
                  "the servers of zone \"%s\" serve it too, so their reference can't be seen", d->parent);
    }
}

static void report_delegation(struct check *check, const struct check_zone *zone, const struct delegation *d)
{
    if (d->parent_kind == DELEGATION_ABSENT) {
        check_add(check->report, CHECK_FAIL, "delegation", zone->name,
                  "zone \"%s\" does not refer to it: nobody can find the records", d->parent);
        check_code(check->report, ERR_ZONE);
        advise_servers(check, zone, "At the registrar, or in the zone above, set its name servers");
        return;
    }
    if (d->parent_kind == DELEGATION_COVERED) {
        report_covered(check, zone, d);
        return;
    }
    report_agreement(check, zone, d);
    report_strangers(check, zone, d);
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
    err_init(&why);
    code = delegation_examine(check->opts.direct, place->zone, place->servers, &delegation, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code == ERR_OK) {
        report_delegation(check, zone, &delegation);
        if (!is_override(place->servers))
            add_servers(all, &delegation.others);
    } else {
        check_add(check->report, CHECK_SKIPPED, "delegation", place->zone, "could not be looked at: %s", why.msg);
    }
    return ERR_OK;
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
    *out = add_zone(check, place->zone);
    code = look_up(check, place, *out, err);
    if (place->servers)
        dns_servers_copy(&all, place->servers);
    if (code == ERR_OK)
        code = look_above(check, place, *out, &all, err);
    if (code == ERR_OK && place->servers)
        code = check_serving(check, &all, *out, err);
    return code == ERR_OK ? check_dnssec(check, place, err) : code;
}
