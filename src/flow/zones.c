/* SPDX-License-Identifier: MIT
 *
 * Zones of ours: met in this process, remembered on disk by an earlier one, or asked for by their exact name.  What was
 * found is remembered, so that the next run asks nothing.
 */
#include "flow/engine.h"

#include <inttypes.h>
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

struct zone *zones_add(struct challenge *c, const struct challenge_account *account, const char *name, int64_t id,
                       enum zone_origin origin)
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
        if (!z->is_gone && name_is_within(name, z->name) && (!best || strlen(z->name) > strlen(best->name)))
            best = z;
    }
    return best;
}

/* A memo of a zone that is gone may still be there: because it could not be removed, or because another process that
 * has not noticed yet wrote it again. */
static bool is_known_gone(const struct challenge *c, const struct challenge_account *account, int64_t id)
{
    for (size_t i = 0; i < c->zone_count; i++)
        if (c->zones[i]->is_gone && c->zones[i]->account == account && c->zones[i]->id == id)
            return true;
    return false;
}

/* The first of a name and those above it whose remembered zone was looked for before, in this process; NULL: none. What
 * is below it counts as looked for from now on. */
static const char *mark_recalled(struct challenge *c, const struct challenge_account *account, const char *name)
{
    const char *at = name;

    for (; at; at = name_parent(at)) {
        AUTO_FREE char *key = mem_printf("%zu %s", (size_t)(account - c->opts.accounts), at);

        if (!strmap_add(&c->recalled, key, 0))
            break;
    }
    return at;
}

/* Load the remembered zones that a name may be in, all of them, so that each file is looked for once. */
static void recall(struct challenge *c, const struct challenge_account *account, const char *name)
{
    const char *end = mark_recalled(c, account, name);
    const char *at = name;

    while (at && at != end) {
        AUTO(zone_memo_done) struct zone_memo memo = {0};
        struct zone *zone;

        if (zone_memo_find(c->opts.store, account->endpoint, account->name, account->key_id, at, end, &memo, NULL) !=
            ERR_OK)
            return;
        at = name_parent(at + strlen(at) - strlen(memo.name));
        if (is_known_gone(c, account, memo.id))
            continue;
        zone = zones_add(c, account, memo.name, memo.id, ZONE_REMEMBERED);
        servers_from_memo(&memo.nameservers, &zone->api_servers);
    }
}

struct zone *zones_known(struct challenge *c, const char *name)
{
    size_t count = c->zone_count;
    struct zone *zone;

    for (size_t i = 0; c->opts.store && i < c->opts.account_count; i++)
        if (!c->opts.accounts[i].unusable)
            recall(c, &c->opts.accounts[i], name);
    zone = loaded_zone(c, name);
    for (; count < c->zone_count; count++)
        log_line(c->opts.log, LOG_INFO, "zone \"%s\" is remembered: account \"%s\", id %" PRId64, c->zones[count]->name,
                 c->zones[count]->account->name, c->zones[count]->id);
    return zone;
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
    zone->is_gone = true;
}

/* ------------------------------------------------------------------ asking the API */

/* How narrowly the operator's `zones:` name this zone: "sub.example.com" beats "example.com"; 0: not at all. */
static size_t account_claim(const struct challenge_account *a, const char *zone_name)
{
    size_t claim = 0;

    for (size_t i = 0; i < a->zones->count; i++)
        if (name_is_within(zone_name, a->zones->items[i]) && strlen(a->zones->items[i]) > claim)
            claim = strlen(a->zones->items[i]);
    return claim;
}

static size_t best_claim(const struct challenge *c, const char *zone_name)
{
    size_t best = 0;

    for (size_t i = 0; i < c->opts.account_count; i++) {
        size_t claim = account_claim(&c->opts.accounts[i], zone_name);
        best = claim > best ? claim : best;
    }
    return best;
}

/* How early an account is asked for a zone; 0: not at all.  What the operator wrote under `zones:` is final, so that an
 * account that can't be used is an error for its zones, and none for others. */
static int account_rank(const struct challenge *c, const struct challenge_account *a, const char *zone_name)
{
    size_t best = best_claim(c, zone_name);

    if (best)
        return account_claim(a, zone_name) == best ? 2 : 0;
    if (a->unusable)
        return 0;
    return a->is_default ? 2 : 1;
}

static enum err_code ask_account(struct challenge *c, const struct challenge_account *a, const char *zone_name,
                                 struct zone **out, struct err *err)
{
    struct dme_zone api = {0};
    enum err_code code = a->unusable ? err_set(err, ERR_CONFIG, "%s", a->unusable)
                                     : dme_zone_find(a->dme, zone_name, &api, err);

    if (code != ERR_OK)
        return code;
    *out = zones_add(c, a, api.name, api.id, ZONE_FROM_API);
    servers_from_api(&api, &(*out)->api_servers);
    dme_zone_done(&api);
    log_line(c->opts.log, LOG_INFO, "zone \"%s\" is in account \"%s\", id %" PRId64, zone_name, a->name, (*out)->id);
    remember(c, *out);
    return ERR_OK;
}

/* One account's refusal says nothing of the others: its key may be out of date, or the zone on its way out of it. */
static bool is_of_account_only(enum err_code code)
{
    return code == ERR_AUTH || code == ERR_CONFIG || code == ERR_ZONE;
}

/* That a zone is on its way out of an account says nothing of other zones. */
static struct err *place_of_refusal(struct challenge *c, const char *zone_name, enum err_code code)
{
    if (code != ERR_ZONE)
        return &c->refusal;
    mem_free_auto(&c->leaving);
    c->leaving = mem_strdup(zone_name);
    err_init(&c->leaving_err);
    return &c->leaving_err;
}

static void note_refusal(struct challenge *c, size_t account, const char *zone_name, const struct err *why)
{
    struct err *place = place_of_refusal(c, zone_name, why->code);

    c->refused[account] = why->code != ERR_ZONE;
    if (place->code == ERR_OK) {
        *place = *why;
        if (c->opts.account_count > 1)
            (void)err_prefix(place, why->code, "account \"%s\"", c->opts.accounts[account].name);
    }
    if (c->opts.account_count > 1)
        log_line(c->opts.log, LOG_WARNING, "account \"%s\": %s, continuing", c->opts.accounts[account].name, why->msg);
}

enum err_code zones_refusal(const struct challenge *c, const char *name, struct err *err)
{
    const struct err *refusal = c->leaving && name_is_within(name, c->leaving) ? &c->leaving_err : &c->refusal;

    if (refusal->code != ERR_OK && err)
        *err = *refusal;
    return refusal->code;
}

/* ERR_NOT_FOUND when none has it; when all refused to answer, the first refusal. */
static enum err_code ask_accounts(struct challenge *c, const char *zone_name, struct zone **out, struct err *err)
{
    size_t denials = 0;
    enum err_code refusal;

    for (int rank = 2; rank > 0; rank--) {
        for (size_t i = 0; i < c->opts.account_count; i++) {
            const struct challenge_account *a = &c->opts.accounts[i];
            struct err why;
            enum err_code code;

            if (c->refused[i] || account_rank(c, a, zone_name) != rank)
                continue;
            code = ask_account(c, a, zone_name, out, &why);
            if (is_of_account_only(code)) {
                note_refusal(c, i, zone_name, &why);
            } else if (code == ERR_NOT_FOUND) {
                denials++;
            } else {
                if (err)
                    *err = why;
                return code;
            }
        }
    }
    refusal = denials ? ERR_OK : zones_refusal(c, zone_name, err);
    return refusal == ERR_OK ? ERR_NOT_FOUND : refusal;
}

/* ------------------------------------------------------------------ failures */

/* The API could not be asked for a zone: it is not asked again and again for each name of that zone, and after a second
 * zone in a row not for any other, as each time takes as long as the operator's patience. */
#define IN_A_ROW_MAX 2

void zones_forgive(struct challenge *c)
{
    strmap_done(&c->failures.places);
    free(c->failures.items);
    c->failures = (struct zone_failures){.count = 0};
}

static const struct err *failure_of(const struct challenge *c, const char *zone_name)
{
    const struct zone_failures *failures = &c->failures;
    size_t i = 0;

    if (strmap_find(&failures->places, zone_name, &i))
        return &failures->items[i];
    return failures->in_a_row >= IN_A_ROW_MAX ? &failures->items[failures->count - 1] : NULL;
}

static void note_failure(struct challenge *c, const char *zone_name, const struct err *why)
{
    struct zone_failures *failures = &c->failures;

    (void)strmap_add(&failures->places, zone_name, failures->count);
    failures->items = mem_grow(failures->items, failures->count, sizeof *failures->items);
    failures->items[failures->count++] = *why;
    if (why->code == ERR_RATE_LIMIT)
        failures->in_a_row = IN_A_ROW_MAX;
    else if (!is_of_account_only(why->code) && why->code != ERR_INPUT)
        failures->in_a_row++;
}

/* Ask, and keep in mind how it went. */
static enum err_code ask(struct challenge *c, const char *zone_name, struct zone **out, struct err *err)
{
    struct err why;
    enum err_code code = ask_accounts(c, zone_name, out, &why);

    if (code == ERR_NOT_FOUND)
        (void)strmap_add(&c->absent, zone_name, 0);
    if (code == ERR_OK || code == ERR_NOT_FOUND) {
        c->failures.in_a_row = 0;
        return code;
    }
    if (code != ERR_CANCELLED)
        note_failure(c, zone_name, &why);
    if (err)
        *err = why;
    return code;
}

enum err_code zones_want(struct challenge *c, const char *zone_name, struct zone **out, struct err *err)
{
    const struct err *failure = failure_of(c, zone_name);
    enum err_code code = ERR_NOT_FOUND;

    if (failure) {
        if (err)
            *err = *failure;
        return failure->code;
    }
    if (!strmap_find(&c->absent, zone_name, NULL))
        code = ask(c, zone_name, out, err);
    if (code != ERR_NOT_FOUND)
        return code;
    return err_set(err, ERR_NOT_FOUND, "zone \"%s\" is in no account of the configuration", zone_name);
}
