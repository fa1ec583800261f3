/* SPDX-License-Identifier: MIT
 *
 * Finding zones with as few requests as can be.
 *
 * DNS Made Easy has no "which zone holds this name": one asks for a zone by its exact name.  Listing the account would
 * cost more with every zone in it.  So names are proposed, most likely first, and the API decides: what the operator
 * wrote under `zones:`, the cut that DNS shows (an SOA query for the name's PARENT: asking for the record's own name
 * would leave "no such name" in the resolver's cache), then every suffix, longest first.  What was found is remembered
 * on disk, so that the next run asks nothing.
 */
#include "flow/engine.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

/* ------------------------------------------------------------------ servers of a zone, to and from the memo */

static void servers_from_api(const struct dme_zone *api, struct dns_servers *out)
{
    for (size_t i = 0; i < api->nameserver_count; i++) {
        const struct dme_nameserver *ns = &api->nameservers[i];
        dns_servers_add(out, ns->fqdn, ns->ipv4);
        if (ns->ipv6)
            dns_servers_add(out, ns->fqdn, ns->ipv6);
    }
    for (size_t i = 0; i < api->delegate_names.count; i++)
        dns_servers_add(out, api->delegate_names.items[i], NULL);
}

static void servers_from_memo(const struct strlist *lines, struct dns_servers *out)
{
    for (size_t i = 0; i < lines->count; i++) {
        size_t len = strcspn(lines->items[i], " ");
        AUTO_FREE char *name = mem_strndup(lines->items[i], len);
        dns_servers_add(out, name, lines->items[i][len] ? lines->items[i] + len + 1 : NULL);
    }
}

static void servers_to_memo(const struct dns_servers *servers, struct strlist *out)
{
    for (size_t i = 0; i < servers->count; i++) {
        const struct dns_server *s = &servers->items[i];
        if (s->addresses.count == 0)
            strlist_add(out, s->name);
        for (size_t j = 0; j < s->addresses.count; j++)
            strlist_add_take(out, mem_printf("%s %s", s->name, s->addresses.items[j]));
    }
}

/* ------------------------------------------------------------------ known and remembered */

struct zone *zones_add(struct challenge *c, const struct challenge_account *account, const char *name,
                              int64_t id, enum zone_origin origin)
{
    struct zone *zone = mem_zalloc(sizeof *zone);

    zone->account = account;
    zone->name = mem_strdup(name);
    zone->id = id;
    zone->origin = origin;
    c->zones = mem_grow(c->zones, c->zone_count, sizeof(struct zone *));
    c->zones[c->zone_count++] = zone;
    return zone;
}

static struct zone *loaded_zone(struct challenge *c, const char *name)
{
    struct zone *best = NULL;

    for (size_t i = 0; i < c->zone_count; i++) {
        struct zone *z = c->zones[i];
        if (z->id && name_is_within(name, z->name) && (!best || strlen(z->name) > strlen(best->name)))
            best = z;
    }
    return best;
}

/* The longest remembered zone that holds the name, if it is longer than `best`; else `best`. */
static struct zone *recall(struct challenge *c, const char *name, struct zone *best)
{
    for (size_t i = 0; c->opts.store && i < c->opts.account_count; i++) {
        const struct challenge_account *a = &c->opts.accounts[i];
        struct zone_memo memo = {0};

        if (zone_memo_find(c->opts.store, a->endpoint, a->name, a->key_id, name, &memo, NULL) != ERR_OK)
            continue;
        if (!best || strlen(memo.name) > strlen(best->name)) {
            best = zones_add(c, a, memo.name, memo.id, ZONE_REMEMBERED);
            servers_from_memo(&memo.nameservers, &best->api_servers);
        }
        zone_memo_done(&memo);
    }
    return best;
}

struct zone *zones_known(struct challenge *c, const char *name)
{
    return recall(c, name, loaded_zone(c, name));
}

static void memo_fill(const struct zone *zone, struct clock *clock, struct zone_memo *memo)
{
    memo->endpoint = mem_strdup(zone->account->endpoint);
    memo->account = mem_strdup(zone->account->name);
    memo->key_id = mem_strdup(zone->account->key_id);
    memo->name = mem_strdup(zone->name);
    memo->id = zone->id;
    memo->seen_ms = clock_wall_ms(clock);
    servers_to_memo(&zone->api_servers, &memo->nameservers);
}

static void remember(struct challenge *c, const struct zone *zone)
{
    struct zone_memo memo = {0};
    struct err err;

    if (!c->opts.store)
        return;
    memo_fill(zone, c->opts.clock, &memo);
    if (zone_memo_save(c->opts.store, &memo, &err) != ERR_OK)
        log_line(c->opts.log, LOG_WARNING, "%s, continuing", err.msg);
    zone_memo_done(&memo);
}

void zones_forget(struct challenge *c, struct zone *zone)
{
    struct zone_memo memo = {0};

    if (c->opts.store) {
        memo_fill(zone, c->opts.clock, &memo);
        if (zone_memo_forget(c->opts.store, &memo, NULL) != ERR_OK)
            log_line(c->opts.log, LOG_DEBUG, "could not forget zone \"%s\"", zone->name);
        zone_memo_done(&memo);
    }
    zone->id = 0; /* loaded_zone() passes it over; placements may still point here */
}

/* ------------------------------------------------------------------ asking the API */

static bool account_lists(const struct challenge_account *a, const char *zone_name)
{
    for (size_t i = 0; i < a->zones->count; i++)
        if (name_is_within(zone_name, a->zones->items[i]))
            return true;
    return false;
}

static bool any_account_lists(const struct challenge *c, const char *zone_name)
{
    for (size_t i = 0; i < c->opts.account_count; i++)
        if (account_lists(&c->opts.accounts[i], zone_name))
            return true;
    return false;
}

/* How early an account is asked for a zone; 0: not at all.  What the operator wrote under `zones:` is final. */
static int account_rank(const struct challenge *c, const struct challenge_account *a, const char *zone_name)
{
    if (any_account_lists(c, zone_name))
        return account_lists(a, zone_name) ? 2 : 0;
    return a->is_default ? 2 : 1;
}

static enum err_code ask_account(struct challenge *c, const struct challenge_account *a, const char *zone_name,
                                 struct zone **out, struct err *err)
{
    struct dme_zone api = {0};
    enum err_code code = dme_zone_find(a->dme, zone_name, &api, err);

    if (code != ERR_OK)
        return code;
    *out = zones_add(c, a, api.name, api.id, ZONE_FROM_API);
    servers_from_api(&api, &(*out)->api_servers);
    dme_zone_done(&api);
    log_line(c->opts.log, LOG_INFO, "zone \"%s\" is in account \"%s\"", zone_name, a->name);
    remember(c, *out);
    return ERR_OK;
}

enum err_code zones_want(struct challenge *c, const char *zone_name, struct zone **out, struct err *err)
{
    for (int rank = 2; rank > 0; rank--) {
        for (size_t i = 0; i < c->opts.account_count; i++) {
            const struct challenge_account *a = &c->opts.accounts[i];
            if (account_rank(c, a, zone_name) != rank)
                continue;
            enum err_code code = ask_account(c, a, zone_name, out, err);
            if (code != ERR_NOT_FOUND)
                return code;
        }
    }
    return err_set(err, ERR_NOT_FOUND, "zone \"%s\" is not in the account", zone_name);
}

/* ------------------------------------------------------------------ proposals */

static void propose(struct strlist *list, const char *zone_name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], zone_name) == 0)
            return;
    strlist_add(list, zone_name);
}

static void propose_configured(const struct challenge *c, const char *name, struct strlist *out)
{
    const char *best = NULL;

    for (size_t i = 0; i < c->opts.account_count; i++) {
        const struct strlist *zones = c->opts.accounts[i].zones;
        for (size_t j = 0; j < zones->count; j++)
            if (name_is_within(name, zones->items[j]) && (!best || strlen(zones->items[j]) > strlen(best)))
                best = zones->items[j];
    }
    if (best)
        propose(out, best);
}

static struct resolver *recursive_resolver(const struct challenge *c)
{
    return c->opts.doh_mode == CHALLENGE_DOH_ALWAYS && c->opts.doh_count ? c->opts.doh[0] : c->opts.direct;
}

/* The cut as the configured name servers show it: no resolver is needed, and none can mislead. */
static enum err_code cut_from_override(const struct challenge *c, const char *name, char **out, struct err *err)
{
    AUTO(dns_servers_done) struct dns_servers servers = {0};
    AUTO(authority_view_done) struct authority_view view = {.kind = AUTHORITY_HERE};
    enum err_code code;

    servers_from_override(c->opts.nameservers, &servers);
    code = authority_look(c->opts.direct, &servers, name, &view, err);
    if (code == ERR_OK && !view.zone)
        return err_set(err, ERR_DNS, "the name servers do not tell the zone of \"%s\"", name);
    if (code == ERR_OK)
        *out = mem_strdup(view.zone);
    return code;
}

static enum err_code find_cut(const struct challenge *c, const char *name, char **out, struct err *err)
{
    const char *parent = name_parent(name);

    if (c->opts.nameservers->count && c->opts.doh_mode != CHALLENGE_DOH_ALWAYS)
        return cut_from_override(c, name, out, err);
    if (!parent || !name_parent(parent))
        return err_set(err, ERR_NOT_FOUND, "the parent of \"%s\" is no zone of ours", name);
    return authority_find_zone(recursive_resolver(c), parent, out, err);
}

static enum err_code propose_cut(const struct challenge *c, const char *name, struct strlist *out)
{
    AUTO_FREE char *cut = NULL;
    struct err err;
    enum err_code code = find_cut(c, name, &cut, &err);

    if (code == ERR_OK && name_parent(cut))
        propose(out, cut);
    else if (code != ERR_OK)
        log_line(c->opts.log, LOG_DEBUG, "no zone cut for \"%s\" from DNS: %s", name, err.msg);
    return code == ERR_CANCELLED ? code : ERR_OK;
}

static enum err_code refuse_name(const struct strlist *tried, const char *name, struct err *err)
{
    AUTO_BUF struct buf list = BUF_INIT(ERR_MSG_MAX);
    enum err_code code;

    for (size_t i = 0; i < tried->count; i++)
        buf_printf(&list, "%s\"%s\"", i ? ", " : "", tried->items[i]);
    code = err_set(err, ERR_ZONE, "no zone of the account holds \"%s\": tried %s", name, buf_cstr(&list));
    err_hint(err, "Is the zone in another DNS Made Easy account, or the key one of the sandbox?  Several accounts go "
                  "under \"accounts:\" in the configuration, see acme-dme.yaml(5).");
    return code;
}

enum err_code zones_discover(struct challenge *c, const char *name, struct zone **out, struct err *err)
{
    AUTO_STRLIST struct strlist names = {0};
    enum err_code code;

    propose_configured(c, name, &names);
    if (propose_cut(c, name, &names) == ERR_CANCELLED)
        return err_set(err, ERR_CANCELLED, "interrupted while looking for the zone of \"%s\"", name);
    for (const char *suffix = name; suffix && name_parent(suffix); suffix = name_parent(suffix))
        propose(&names, suffix);
    for (size_t i = 0; i < names.count; i++) {
        code = zones_want(c, names.items[i], out, err);
        if (code != ERR_NOT_FOUND)
            return code;
    }
    return refuse_name(&names, name, err);
}
