/* SPDX-License-Identifier: MIT */
#include "flow_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "test.h"

/* ------------------------------------------------------------------ the world */

static void make_zones(struct world *w)
{
    struct fake_server *ns1 = fake_resolver_add_server(w->dns, "ns1.dme.test", "192.0.2.1");
    struct fake_server *ns2 = fake_resolver_add_server(w->dns, "ns2.dme.test", "192.0.2.2");
    struct fake_server *ns3 = fake_resolver_add_server(w->dns, "ns3.dme.test", "192.0.2.3");
    struct fake_server *foreign = fake_resolver_add_server(w->dns, "ns.foreign.test", "198.51.100.1");
    struct fake_api_zone *zone;

    for (int i = 0; i < 2; i++) {
        zone = fake_api_add_zone(w->api, 0, i ? SUB_EXAMPLE_COM : EXAMPLE_COM, i ? "sub.example.com" : "example.com");
        fake_api_zone_add_server(zone, "ns1.dme.test", "192.0.2.1");
        fake_api_zone_add_server(zone, "ns2.dme.test", "192.0.2.2");
        fake_server_serve(ns1, i ? "sub.example.com" : "example.com");
        fake_server_serve(ns2, i ? "sub.example.com" : "example.com");
    }
    zone = fake_api_add_zone(w->api, 0, EXAMPLE_NET, "example.net");
    fake_api_zone_add_server(zone, "ns3.dme.test", "192.0.2.3");
    fake_server_serve(ns3, "example.net");
    fake_server_serve(foreign, "foreign.test");
}

struct dme *world_dme(struct world *w, size_t account, int64_t budget_wait_ms)
{
    char key[] = "key-0";
    struct secret *api_key, *api_secret;
    struct dme *dme;

    key[4] = (char)('0' + account);
    api_key = secret_new(key, strlen(key));
    api_secret = secret_new("secret", 6);
    dme = dme_new(&(struct dme_opts){.endpoint = FAKE_API_ROOT "/",
                                     .api_key = api_key,
                                     .api_secret = api_secret,
                                     .http = fake_http_base(w->http),
                                     .clock = &w->clock.base,
                                     .log = &w->log,
                                     .request_timeout_ms = 10000,
                                     .give_up_after_ms = 60000,
                                     .budget_wait_ms = budget_wait_ms});
    secret_free(api_key);
    secret_free(api_secret);
    return dme;
}

static void make_accounts(struct world *w)
{
    static const char *const names[FAKE_API_ACCOUNTS] = {"account-0", "account-1", "account-2"};
    static const char *const keys[FAKE_API_ACCOUNTS] = {"f0", "f1", "f2"};

    for (size_t i = 0; i < FAKE_API_ACCOUNTS; i++)
        w->accounts[i] = (struct challenge_account){.name = names[i],
                                                    .endpoint = FAKE_API_ROOT "/",
                                                    .key_id = keys[i],
                                                    .zones = &w->zones[i],
                                                    .is_default = i == 0,
                                                    .dme = world_dme(w, i, 900000)};
}

static void make_opts(struct world *w)
{
    w->doh_list[0] = fake_resolver_base(w->doh);
    w->opts = (struct challenge_opts){
        .accounts = w->accounts,
        .account_count = 1,
        .direct = fake_resolver_base(w->dns),
        .doh_mode = CHALLENGE_DOH_NEVER,
        .cname = CHALLENGE_CNAME_FOLLOW,
        .nameservers = &w->nameservers,
        .propagation =
            {.timeout_ms = 100000, .settle_ms = 0, .lame_after_ms = 10000, .clock = &w->clock.base, .log = &w->log},
        .ttl_s = 60,
        .run_id = mem_strdup(WORLD_RUN_ELSEWHERE),
        .clock = &w->clock.base,
        .log = &w->log,
    };
}

struct world *world_new(void)
{
    struct world *w = mem_zalloc(sizeof *w);

    fake_clock_init(&w->clock);
    w->log.level = getenv("FLOW_LOG") ? LOG_DEBUG : LOG_INFO;
    fixture_stream_open(&w->said);
    w->log.out = w->said.out;
    w->http = fake_http_new(&w->clock, FAKE_API_ROOT);
    w->api = fake_api_new(&w->clock);
    w->dns = fake_resolver_new(&w->clock, w->api);
    w->doh = fake_resolver_new(&w->clock, w->api);
    w->doh->doh_of = w->dns;
    fake_api_attach(w->api, w->http);
    make_zones(w);
    make_accounts(w);
    make_opts(w);
    w->dir = fixture_quick_dir_new();
    return w;
}

void world_leave(struct world *w)
{
    challenge_free(w->engine);
    store_free(w->store);
    w->engine = NULL;
    w->store = NULL;
}

void world_free(struct world *w)
{
    world_leave(w);
    for (size_t i = 0; i < FAKE_API_ACCOUNTS; i++) {
        dme_free(w->accounts[i].dme);
        strlist_done(&w->zones[i]);
    }
    strlist_done(&w->nameservers);
    mem_free_auto(&w->opts.run_id);
    fake_resolver_free(w->dns);
    fake_resolver_free(w->doh);
    fake_http_done(w->http);
    fake_api_free(w->api);
    if (getenv("FLOW_LOG"))
        (void)fputs(fixture_stream_text(&w->said), stderr);
    fixture_stream_done(&w->said);
    fixture_dir_free(w->dir);
    free(w);
}

struct challenge *world_engine(struct world *w)
{
    world_leave(w);
    if (!w->no_journal && store_open(w->dir, &w->clock.base, &w->log, &w->store, &w->err) != ERR_OK)
        fail_msg("%s", w->err.msg);
    w->opts.store = w->store;
    w->engine = challenge_new(&w->opts);
    return w->engine;
}

struct challenge *world_current(struct world *w)
{
    return w->engine ? w->engine : world_engine(w);
}

/* ------------------------------------------------------------------ calls */

struct challenge_set world_set(const struct pair *pairs)
{
    struct challenge_set set = {NULL, 0};

    for (; pairs->name; pairs++)
        assert_int_equal(challenge_set_add_record(&set, pairs->name, pairs->value, NULL), ERR_OK);
    return set;
}

enum err_code world_publish_with(struct world *w, const struct pair *pairs, const struct challenge_publish_opts *opts)
{
    AUTO(challenge_set_done) struct challenge_set set = world_set(pairs);

    err_init(&w->err);
    return challenge_publish(world_current(w), &set, opts, &w->err);
}

enum err_code world_publish(struct world *w, const struct pair *pairs)
{
    (void)world_engine(w);
    return world_publish_with(w, pairs, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT});
}

enum err_code world_withdraw(struct world *w, const struct pair *pairs)
{
    AUTO(challenge_set_done) struct challenge_set set = world_set(pairs);

    err_init(&w->err);
    return challenge_withdraw(world_engine(w), &set, &w->err);
}

static void count_swept(void *ctx, UNUSED const struct journal_entry *entry, enum sweep_outcome outcome,
                        UNUSED const struct err *err)
{
    struct world_swept *swept = ctx;
    size_t *const counts[] = {
        [SWEEP_KEPT_YOUNG] = &swept->young,
        [SWEEP_KEPT_FOREIGN_ACCOUNT] = &swept->foreign,
        [SWEEP_WOULD_REMOVE] = &swept->would_remove,
        [SWEEP_REMOVED] = &swept->removed,
        [SWEEP_FAILED] = &swept->failed,
    };

    (*counts[outcome])++;
}

static enum err_code sweep(struct world *w, enum sweep_mode mode, int64_t age_ms, struct world_swept *out)
{
    *out = (struct world_swept){0};
    err_init(&w->err);
    return challenge_sweep(world_engine(w),
                           &(struct sweep_opts){.age_ms = age_ms, .mode = mode, .report = count_swept, .ctx = out},
                           &w->err);
}

enum err_code world_sweep(struct world *w, enum sweep_mode mode, struct world_swept *out)
{
    return sweep(w, mode, DAY_MS, out);
}

enum err_code world_sweep_older(struct world *w, int64_t age_ms, struct world_swept *out)
{
    return sweep(w, SWEEP_REMOVE, age_ms, out);
}

/* ------------------------------------------------------------------ what is there */

struct journal_list world_journal(struct world *w)
{
    struct journal_list list = {NULL, 0};
    struct store *store = NULL;

    if (!w->store)
        assert_int_equal(store_open(w->dir, &w->clock.base, &w->log, &store, NULL), ERR_OK);
    assert_int_equal(journal_load(w->store ? w->store : store, &list, NULL), ERR_OK);
    store_free(store);
    return list;
}

size_t world_journal_count(struct world *w)
{
    struct journal_list list = world_journal(w);
    size_t count = list.count;

    journal_list_done(&list);
    return count;
}

bool world_log_has(struct world *w, const char *text)
{
    return strstr(fixture_stream_text(&w->said), text) != NULL;
}

static const struct fake_api_zone *zone_of(const struct fake_api *api, int64_t id)
{
    for (size_t i = 0; i < api->zone_count; i++)
        if (api->zones[i].id == id)
            return &api->zones[i];
    return NULL;
}

static bool is_journalled(const struct world *w, const struct journal_list *journal, const struct fake_api_record *r)
{
    const struct fake_api_zone *zone = zone_of(w->api, r->zone_id);
    AUTO_FREE char *name = *r->name ? mem_printf("%s.%s", r->name, zone->name) : mem_strdup(zone->name);

    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_entry *e = &journal->items[i];

        if (e->zone_id == r->zone_id && strcmp(e->zone, zone->name) == 0 && strcmp(e->name, name) == 0 &&
            strcmp(e->value, r->value) == 0 && strcmp(e->account, w->accounts[zone->account].name) == 0)
            return true;
    }
    return false;
}

static bool complain(const char *when, const char *what, const char *name)
{
    (void)fprintf(stderr, "%s: %s%s%s\n", when, what, *name ? " " : "", name);
    return false;
}

static bool is_safe(struct world *w, const struct journal_list *journal, const char *when)
{
    bool safe = true;

    for (size_t i = 0; i < w->api->record_count; i++) {
        const struct fake_api_record *r = &w->api->records[i];

        if (!r->deleted_ms && r->origin == FAKE_API_OURS && !is_journalled(w, journal, r))
            safe = complain(when, "a record of ours is not in the journal:", r->name);
    }
    if (w->api->foreign_touched)
        safe = complain(when, "a foreign record was touched", "");
    if (w->api->wiped)
        safe = complain(when, "a zone was wiped", "");
    return safe;
}

bool world_is_safe(struct world *w, const char *when)
{
    AUTO(journal_list_done) struct journal_list journal = world_journal(w);

    return is_safe(w, &journal, when);
}

bool world_sweeps_clean(struct world *w, const char *when)
{
    AUTO(journal_list_done) struct journal_list journal = {NULL, 0};
    struct world_swept swept;
    bool clean = true;

    world_leave(w);
    fake_api_heal(w->api);
    fake_resolver_fail(w->dns, ERR_OK, 0, 0);
    w->clock.cancelled = false;
    w->clock.cancel_at_ms = 0;
    fake_clock_advance(&w->clock, 25 * DAY_MS / 24);
    if (world_sweep(w, SWEEP_REMOVE, &swept) != ERR_OK)
        clean = complain(when, "the sweep failed:", w->err.msg);
    journal = world_journal(w);
    if (fake_api_count_ours(w->api))
        clean = complain(when, "records of ours are left after a sweep", "");
    if (journal.count)
        clean = complain(when, "entries are left after a sweep", "");
    return is_safe(w, &journal, when) && clean;
}

char *world_dead_run_id(void)
{
    AUTO_FREE char *alive = platform_run_id(NULL);
    const char *boot = strchr(strchr(alive, ':') + 1, ':');

    /* This very process, but started at another time: so the one that is meant has ended. */
    return mem_printf("%ld:1%s", platform_process_id(), boot);
}
