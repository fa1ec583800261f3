/* SPDX-License-Identifier: MIT
 *
 * Zones of ours: met in this process, remembered on disk by an earlier one, or asked for by their exact name.  What was
 * found is remembered, so that the next run asks nothing.
 */
#include "flow/engine.h"

#include <inttypes.h>
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

/* A remembered zone that holds `name` and is longer than `best`, which may be NULL; else `best`. */
static struct zone *recall_longer(struct challenge *c, const char *name, struct zone *best)
{
    for (size_t i = 0; c->opts.store && i < c->opts.account_count; i++) {
        const struct challenge_account *a = &c->opts.accounts[i];
        struct zone_memo memo = {0};

        if (a->unusable || zone_memo_find(c->opts.store, a->endpoint, a->name, a->key_id, name, &memo, NULL) != ERR_OK)
            continue;
        if ((!best || strlen(memo.name) > strlen(best->name)) && !is_known_gone(c, a, memo.id)) {
            best = zones_add(c, a, memo.name, memo.id, ZONE_REMEMBERED);
            servers_from_memo(&memo.nameservers, &best->api_servers);
        }
        zone_memo_done(&memo);
    }
    return best;
}

struct zone *zones_known(struct challenge *c, const char *name)
{
    struct zone *loaded = loaded_zone(c, name);
    struct zone *zone = recall_longer(c, name, loaded);

    if (zone != loaded)
        log_line(c->opts.log, LOG_INFO, "zone \"%s\" is remembered: account \"%s\", id %" PRId64, zone->name,
                 zone->account->name, zone->id);
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

static void note_refusal(struct challenge *c, size_t account, const struct err *why)
{
    c->refused[account] = why->code != ERR_ZONE;
    if (c->refusal.code == ERR_OK) {
        c->refusal = *why;
        if (c->opts.account_count > 1)
            (void)err_prefix(&c->refusal, why->code, "account \"%s\"", c->opts.accounts[account].name);
    }
    if (c->opts.account_count > 1)
        log_line(c->opts.log, LOG_WARNING, "account \"%s\": %s, continuing", c->opts.accounts[account].name, why->msg);
}

enum err_code zones_refusal(const struct challenge *c, struct err *err)
{
    if (c->refusal.code != ERR_OK && err)
        *err = c->refusal;
    return c->refusal.code;
}

/* ERR_NOT_FOUND when none has it; when all refused to answer, the first refusal. */
static enum err_code ask_accounts(struct challenge *c, const char *zone_name, struct zone **out, struct err *err)
{
    size_t denials = 0;

    for (int rank = 2; rank > 0; rank--) {
        for (size_t i = 0; i < c->opts.account_count; i++) {
            const struct challenge_account *a = &c->opts.accounts[i];
            struct err why;
            enum err_code code;

            if (c->refused[i] || account_rank(c, a, zone_name) != rank)
                continue;
            code = ask_account(c, a, zone_name, out, &why);
            if (is_of_account_only(code)) {
                note_refusal(c, i, &why);
            } else if (code == ERR_NOT_FOUND) {
                denials++;
            } else {
                if (err)
                    *err = why;
                return code;
            }
        }
    }
    return denials || c->refusal.code == ERR_OK ? ERR_NOT_FOUND : zones_refusal(c, err);
}

enum err_code zones_want(struct challenge *c, const char *zone_name, struct zone **out, struct err *err)
{
    enum err_code code = strlist_has(&c->absent, zone_name) ? ERR_NOT_FOUND : ask_accounts(c, zone_name, out, err);

    if (code != ERR_NOT_FOUND)
        return code;
    if (!strlist_has(&c->absent, zone_name))
        strlist_add(&c->absent, zone_name);
    return err_set(err, ERR_NOT_FOUND, "zone \"%s\" is in no account of the configuration", zone_name);
}
