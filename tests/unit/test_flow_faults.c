/* SPDX-License-Identifier: MIT
 *
 * Everything that the engine does, with everything going wrong at every point.  A flow is run once in peace to count
 * its requests, DNS questions and writes; then again and again with number n of them failing in each known way, that
 * one only or all from then on, and with the process killed there.  Whatever happens:
 *
 *   - every record of ours is gone, or the journal has it;
 *   - no foreign record was touched, no zone was wiped;
 *   - the store can be read, and a sweep a day later, with everything in order again, leaves nothing of ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_disk.h"
#include "fixture.h"
#include "flow_world.h"
#include "test.h"

/* ------------------------------------------------------------------ the flows */

struct flow {
    const char *name;
    void (*prepare)(struct world *w); /* in peace; may be NULL */
    enum err_code (*run)(struct world *w);
    size_t records;                           /* of ours when it went well */
    bool takes_back;                          /* when it goes wrong nothing is left, if the API lets us */
    enum depth { THOROUGHLY, BRIEFLY } depth; /* with all kinds of faults, or with those that differ most */
    enum killing { SPARED, KILLED } killing;
};

static const struct pair one[] = {{"_acme-challenge.example.com", VALUE_A}, {NULL, NULL}};

/* Apex and wildcard, a delegated sub-zone, a CNAME into another zone. */
static const struct pair mixed[] = {
    {"_acme-challenge.example.com", VALUE_A},
    {"_acme-challenge.sub.example.com", VALUE_A},
    {"_acme-challenge.example.com", VALUE_B},
    {"_acme-challenge.alias.example.com", VALUE_C},
    {NULL, NULL},
};

static enum err_code publish_one(struct world *w)
{
    return world_publish(w, one);
}

static enum err_code publish_mixed(struct world *w)
{
    return world_publish(w, mixed);
}

/* What became of each, when each counts by itself. */
static struct err outcomes[ARRAY_LEN(mixed) - 1];

static enum err_code publish_each(struct world *w)
{
    (void)world_engine(w);
    memset(outcomes, 0, sizeof outcomes);
    return world_publish_with(w, mixed, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT, .outcomes = outcomes});
}

static size_t count_published(void)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        count += outcomes[i].code == ERR_OK;
    return count;
}

static enum err_code publish_and_withdraw(struct world *w)
{
    enum err_code code = world_publish(w, mixed);
    enum err_code withdrawal = world_withdraw(w, mixed);

    return code == ERR_OK ? withdrawal : code;
}

static enum err_code sweep(struct world *w)
{
    struct world_swept swept;

    return world_sweep(w, SWEEP_REMOVE, &swept);
}

static void be_asked_before(struct world *w)
{
    assert_int_equal(world_publish(w, mixed), ERR_OK);
    assert_int_equal(world_withdraw(w, mixed), ERR_OK);
}

/* The zone's id is another one than what is remembered. */
static void grow_stale(struct world *w)
{
    struct fake_api_zone *zone;

    be_asked_before(w);
    fake_api_drop_zone(w->api, EXAMPLE_COM);
    zone = fake_api_add_zone(w->api, 0, 111, "example.com");
    fake_api_add_foreign(w->api, 111, "TXT", "_acme-challenge", "foreign");
    fake_api_zone_add_server(zone, "ns1.dme.test", "192.0.2.1");
}

static void never_show(struct world *w)
{
    w->dns->servers[1].lag_ms = FAKE_NEVER;
}

static void be_published(struct world *w)
{
    assert_int_equal(world_publish(w, mixed), ERR_OK);
}

static void leave_behind(struct world *w)
{
    be_published(w);
    fake_clock_advance(&w->clock, 2 * DAY_MS);
}

static enum err_code withdraw_mixed(struct world *w)
{
    return world_withdraw(w, mixed);
}

static const struct flow flows[] = {
    {"publish one", NULL, publish_one, 1, true, THOROUGHLY, SPARED},
    {"publish mixed", NULL, publish_mixed, 4, true, BRIEFLY, SPARED},
    {"publish with remembered zones", be_asked_before, publish_mixed, 4, true, BRIEFLY, SPARED},
    {"publish with a stale zone id", grow_stale, publish_mixed, 4, true, BRIEFLY, KILLED},
    {"publish each", NULL, publish_each, 4, true, THOROUGHLY, KILLED},
    {"publish each with a stale zone id", grow_stale, publish_each, 4, true, BRIEFLY, SPARED},
    {"publish again", be_published, publish_mixed, 4, false, BRIEFLY, SPARED},
    {"publish and time out", never_show, publish_mixed, 0, false, BRIEFLY, SPARED},
    {"publish and withdraw", NULL, publish_and_withdraw, 0, false, THOROUGHLY, KILLED},
    {"withdraw", be_published, withdraw_mixed, 0, false, BRIEFLY, SPARED},
    {"sweep", leave_behind, sweep, 0, false, THOROUGHLY, KILLED},
};

/* ------------------------------------------------------------------ one run */

enum what { REQUEST, QUESTION, WRITE };

struct fault {
    const char *name;
    enum what what;
    int kind; /* of fake_api, an err_code for DNS, of fake_disk */
    size_t first, count;
};

static struct world *begin(const struct flow *flow)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.alias.example.com", DNS_CNAME, "alias.acme.example.net");
    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", "foreign");
    fake_api_add_foreign(w->api, EXAMPLE_NET, "TXT", "alias.acme", VALUE_A);
    fake_api_add_foreign(w->api, SUB_EXAMPLE_COM, "CNAME", "www", "example.com.");
    if (flow->prepare)
        flow->prepare(w);
    world_leave(w);
    fake_disk_heal();
    w->api->request_count = 0;
    w->dns->asked_count = 0;
    return w;
}

static void arm(struct world *w, const struct fault *fault)
{
    if (fault->what == REQUEST)
        fake_api_fail(w->api, (enum fake_api_fault)fault->kind, fault->first, fault->count);
    else if (fault->what == QUESTION)
        fake_resolver_fail(w->dns, (enum err_code)fault->kind, fault->first, fault->count);
    else
        fake_disk_fail((enum fake_disk_fault)fault->kind, "/", fault->first, fault->count);
}

/* How many of each there are when nothing goes wrong. */
static size_t count_in_peace(const struct flow *flow, enum what what)
{
    struct world *w = begin(flow);
    size_t count;

    (void)flow->run(w);
    assert_int_equal(fake_api_count_ours(w->api), flow->records);
    count = what == REQUEST ? w->api->request_count : what == QUESTION ? w->dns->asked_count : fake_disk_changes();
    world_free(w);
    return count;
}

/* An API that finds neither the zone's id nor its name any more: withdrawing from there is done, and a sweep decides.
 */
static bool is_denial(const struct fault *fault)
{
    return fault->what == REQUEST && fault->kind == FAKE_API_404 && fault->count > 1;
}

static bool is_as_promised(struct world *w, const struct flow *flow, const struct fault *fault, enum err_code code,
                           const char *when)
{
    size_t ours = fake_api_count_ours(w->api);
    bool good = world_is_safe(w, when);

    if (code == ERR_OK && flow->run == publish_each) {
        /* What failed is taken back, unless what makes it fail goes on. */
        if (ours != count_published() && (fault->count == 1 || ours < count_published())) {
            (void)fprintf(stderr, "%s: %zu records, and %zu are said to be there\n", when, ours, count_published());
            good = false;
        }
        return good;
    }
    if (code == ERR_OK && ours != flow->records && !is_denial(fault)) {
        (void)fprintf(stderr, "%s: success with %zu records\n", when, ours);
        good = false;
    }
    if (code != ERR_OK && flow->takes_back && fault->count == 1 && ours != 0) {
        (void)fprintf(stderr, "%s: failed (%s) and left %zu records: %s\n", when, err_name(code), ours, w->err.msg);
        good = false;
    }
    return good;
}

/* Run a flow with a fault; false when a promise was broken. */
static bool survives(const struct flow *flow, const struct fault *fault)
{
    struct world *w = begin(flow);
    AUTO_FREE char *when = mem_printf("%s, %s at %zu%s", flow->name, fault->name, fault->first,
                                      fault->count == 1 ? "" : " and after");
    enum err_code code;
    bool good;

    arm(w, fault);
    code = flow->run(w);
    world_leave(w);
    fake_disk_heal();
    good = is_as_promised(w, flow, fault, code, when);
    good = world_sweeps_clean(w, when) && good;
    world_free(w);
    return good;
}

static size_t count_broken(const struct flow *flow, enum what what, int kind, const char *name)
{
    static const size_t spans[] = {1, SIZE_MAX};
    size_t total = count_in_peace(flow, what);
    size_t broken = 0;

    assert_true(total > 0);
    for (size_t s = 0; s < ARRAY_LEN(spans); s++)
        for (size_t n = 0; n < total; n += fixture_step())
            broken += !survives(flow, &(struct fault){name, what, kind, n, spans[s]});
    return broken;
}

/* ------------------------------------------------------------------ kill -9, first: forking gets dearer with time */

struct victim {
    struct world *w;
    const struct flow *flow;
    const struct fault *fault;
};

static int run_to_death(void *context)
{
    struct victim *k = context;

    arm(k->w, k->fault);
    (void)k->flow->run(k->w);
    return CHILD_OK;
}

static bool survives_kill(const struct flow *flow, const struct fault *fault)
{
    struct world *w = begin(flow);
    struct victim victim = {w, flow, fault};
    AUTO_FREE char *when = mem_printf("%s, %s %zu", flow->name, fault->name, fault->first);
    int status = fixture_child(run_to_death, &victim);
    bool good = status == 1000 + 9;

    if (!good)
        (void)fprintf(stderr, "%s: was not killed: %d\n", when, status);
    good = world_is_safe(w, when) && good;
    good = world_sweeps_clean(w, when) && good;
    world_free(w);
    return good;
}

/* Between two effects there is nothing that a kill could interrupt: after each of them is everywhere. */
static size_t count_killed_unsafely(const struct flow *flow, enum what what, int kind, const char *name)
{
    size_t total = flow->killing == KILLED ? count_in_peace(flow, what) : 0;
    size_t broken = 0;

    for (size_t n = 0; n < total; n += fixture_step())
        broken += !survives_kill(flow, &(struct fault){name, what, kind, n, 1});
    return broken;
}

TEST(the_process_may_be_killed_after_any_request)
{
    size_t broken = 0;

    fixture_needs(FIXTURE_FORK);
    for (size_t f = 0; f < ARRAY_LEN(flows); f++)
        broken += count_killed_unsafely(&flows[f], REQUEST, FAKE_API_KILL, fake_api_fault_name(FAKE_API_KILL));
    assert_int_equal(broken, 0);
}

TEST(the_process_may_be_killed_after_any_write)
{
    size_t broken = 0;

    fixture_needs(FIXTURE_FORK);
    for (size_t f = 0; f < ARRAY_LEN(flows); f++)
        broken += count_killed_unsafely(&flows[f], WRITE, FAKE_DISK_KILL, fake_disk_fault_name(FAKE_DISK_KILL));
    assert_int_equal(broken, 0);
}

/* ------------------------------------------------------------------ requests, questions, writes */

/* Carried out and unknown, refused for good, interrupted. */
static bool is_telling(int kind)
{
    return kind == FAKE_API_ANSWER_LOST || kind == FAKE_API_403 || kind == FAKE_API_CANCEL_LATE;
}

TEST(any_request_may_fail_in_any_way)
{
    size_t broken = 0;

    for (size_t f = 0; f < ARRAY_LEN(flows); f++)
        for (int kind = FAKE_API_OK + 1; kind < FAKE_API_KILL; kind++)
            if (kind != FAKE_API_404 && (flows[f].depth == THOROUGHLY || is_telling(kind)))
                broken += count_broken(&flows[f], REQUEST, kind, fake_api_fault_name((enum fake_api_fault)kind));
    assert_int_equal(broken, 0);
}

TEST(nothing_is_forgotten_because_something_was_not_found)
{
    size_t broken = 0;

    for (size_t f = 0; f < ARRAY_LEN(flows); f++) {
        size_t total = count_in_peace(&flows[f], REQUEST);

        for (size_t n = 0; n < total; n += fixture_step()) {
            broken += !survives(&flows[f], &(struct fault){"not found", REQUEST, FAKE_API_404, n, 1});
            /* What is a day old, and denied by id and by name, is gone. */
            if (flows[f].run != sweep)
                broken += !survives(&flows[f], &(struct fault){"not found", REQUEST, FAKE_API_404, n, SIZE_MAX});
        }
    }
    assert_int_equal(broken, 0);
}

TEST(any_question_may_fail_in_any_way)
{
    static const enum err_code kinds[] = {ERR_TIMEOUT, ERR_SERVER, ERR_NETWORK, ERR_DNS};
    size_t broken = 0;

    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        broken += count_broken(&flows[0], QUESTION, (int)kinds[k], err_name(kinds[k]));
    for (size_t k = 0; k < 2; k++)
        broken += count_broken(&flows[1], QUESTION, (int)kinds[k], err_name(kinds[k]));
    assert_int_equal(broken, 0);
}

TEST(any_write_may_fail)
{
    size_t broken = 0;

    for (size_t f = 0; f < ARRAY_LEN(flows); f++)
        for (int kind = FAKE_DISK_FULL; kind <= (flows[f].depth == THOROUGHLY ? FAKE_DISK_UNSYNCED : FAKE_DISK_FULL);
             kind++)
            broken += count_broken(&flows[f], WRITE, kind, fake_disk_fault_name((enum fake_disk_fault)kind));
    assert_int_equal(broken, 0);
}

TEST(nothing_is_published_when_the_journal_can_not_be_written)
{
    struct world *w = begin(&flows[1]);

    fake_disk_fail(FAKE_DISK_FULL, "/journal/", 0, SIZE_MAX);
    assert_int_equal(publish_mixed(w), ERR_IO);
    assert_int_equal(fake_api_count_method(w->api, "POST"), 0);
    fake_disk_heal();
    world_free(w);
}

TEST(zones_that_can_not_be_remembered_are_no_obstacle)
{
    struct world *w = begin(&flows[1]);

    fake_disk_fail(FAKE_DISK_FULL, "/zones/", 0, SIZE_MAX);
    assert_int_equal(publish_mixed(w), ERR_OK);
    assert_int_equal(withdraw_mixed(w), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    fake_disk_heal();
    world_free(w);
}

TEST(a_stale_id_is_replaced_even_when_it_can_not_be_forgotten)
{
    struct world *w = begin(&flows[1]);

    grow_stale(w);
    world_leave(w);
    w->api->request_count = 0;
    fake_disk_fail(FAKE_DISK_FULL, "/zones/", 0, SIZE_MAX);
    assert_int_equal(publish_one(w), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, 111, "_acme-challenge", VALUE_A));
    assert_int_equal(w->api->request_count, 3);
    fake_disk_heal();
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_may_be_killed_after_any_request),
        cmocka_unit_test(the_process_may_be_killed_after_any_write),
        cmocka_unit_test(any_request_may_fail_in_any_way),
        cmocka_unit_test(nothing_is_forgotten_because_something_was_not_found),
        cmocka_unit_test(any_question_may_fail_in_any_way),
        cmocka_unit_test(any_write_may_fail),
        cmocka_unit_test(nothing_is_published_when_the_journal_can_not_be_written),
        cmocka_unit_test(zones_that_can_not_be_remembered_are_no_obstacle),
        cmocka_unit_test(a_stale_id_is_replaced_even_when_it_can_not_be_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
