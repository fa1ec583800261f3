/* SPDX-License-Identifier: MIT
 *
 * A wait in which each item counts by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dns/propagation.h"
#include "fake_dns.h"
#include "fixture.h"
#include "test.h"
#include "util/mem.h"

#define NEVER INT64_MAX
#define ZONES_MAX 20
#define SERVERS 3
#define QUIET_MS 5000

/* How the servers of one zone behave; server n of zone z is 10.z.0.n. */
struct zone {
    int64_t shows_at_ms;
    size_t silent;       /* so many of its servers never answer */
    const char *missing; /* a name in it that is never there */
};

struct scene {
    struct fake_clock clock;
    struct fake_dns *dns;
    const struct zone *zones;
    size_t zone_count;
    struct dns_servers servers[ZONES_MAX];
    char names_of_zones[ZONES_MAX][32];
    struct propagation_item *items;
    struct strlist names;
    struct propagation_opts opts;
    struct propagation *wait;
    struct log log;
    struct fixture_stream said;
    struct err err;
};

static const char *const values[] = {"value"};

static void world(void *ctx, const struct dns_question *question, int64_t now_ms, struct fake_dns_reply *reply)
{
    const struct scene *s = ctx;
    unsigned z = (unsigned)strtoul(question->server + strlen("10."), NULL, 10);
    unsigned n = (unsigned)strtoul(strrchr(question->server, '.') + 1, NULL, 10);
    const struct zone *zone = &s->zones[z];

    if (n < zone->silent)
        reply->takes_ms = NEVER;
    else if (now_ms >= zone->shows_at_ms && !(zone->missing && strcmp(zone->missing, question->name) == 0))
        fake_dns_put_txt(&reply->answer, question->name, "value");
    else
        reply->answer.rcode = DNS_NXDOMAIN;
}

/* `each` names in each zone; item i is in zone i / each. */
static void begin(struct scene *s, const struct zone *zones, size_t zone_count, size_t each)
{
    *s = (struct scene){.zones = zones, .zone_count = zone_count};
    fake_clock_init(&s->clock);
    s->dns = fake_dns_new(&s->clock, world, s);
    fixture_stream_open(&s->said);
    s->log = (struct log){.level = LOG_DEBUG, .out = s->said.out};
    s->opts = (struct propagation_opts){
        .timeout_ms = 100000, .lame_after_ms = 10000, .clock = &s->clock.base, .log = &s->log};
    s->items = mem_calloc(zone_count * each, sizeof *s->items);
    for (size_t z = 0; z < zone_count; z++) {
        (void)snprintf(s->names_of_zones[z], sizeof s->names_of_zones[z], "z%zu.test", z);
        for (size_t n = 0; n < SERVERS; n++) {
            AUTO_FREE char *name = mem_printf("ns%zu.z%zu.test", n, z);
            AUTO_FREE char *address = mem_printf("10.%zu.0.%zu", z, n);

            dns_servers_add(&s->servers[z], name, address);
        }
        for (size_t i = 0; i < each; i++)
            strlist_add_take(&s->names, mem_printf("h%zu.z%zu.test", i, z));
    }
    for (size_t i = 0; i < zone_count * each; i++)
        s->items[i] = (struct propagation_item){s->names.items[i], values, 1, &s->servers[i / each],
                                                s->names_of_zones[i / each]};
    s->wait = propagation_new(&s->dns->base, s->items, zone_count * each, &s->opts);
}

static void end(struct scene *s)
{
    propagation_free(s->wait);
    for (size_t z = 0; z < s->zone_count; z++)
        dns_servers_done(&s->servers[z]);
    free(s->items);
    strlist_done(&s->names);
    fake_dns_done(s->dns);
    fixture_stream_done(&s->said);
}

static void go_on(struct scene *s, int64_t quiet_ms, int64_t limit_ms)
{
    const struct propagation_patience patience = {quiet_ms, limit_ms};

    if (propagation_go_on(s->wait, &patience, &s->err) != ERR_OK)
        fail_msg("%s", s->err.msg);
}

static int64_t elapsed(const struct scene *s)
{
    return s->clock.mono_ms - s->dns->start_ms;
}

static void expect_states(const struct scene *s, const char *states)
{
    static const enum propagation_state meanings[] = {
        ['w'] = PROPAGATION_WAITING, ['s'] = PROPAGATION_SHOWN, ['f'] = PROPAGATION_FAILED};

    for (size_t i = 0; states[i]; i++)
        if (propagation_state(s->wait, i) != meanings[(unsigned char)states[i]])
            fail_msg("item %zu is not \"%c\" but %d", i, states[i], (int)propagation_state(s->wait, i));
}

static const char *logged(struct scene *s)
{
    return fixture_stream_text(&s->said);
}

/* ------------------------------------------------------------------ zones */

TEST(what_is_shown_is_told_before_a_zone_that_never_shows_times_out)
{
    static const struct zone zones[] = {{.shows_at_ms = 2000}, {.shows_at_ms = NEVER}, {.shows_at_ms = 3000}};
    struct scene s;

    begin(&s, zones, 3, 1);
    go_on(&s, QUIET_MS, 0);
    expect_states(&s, "sws");
    assert_in_range(elapsed(&s), 3000 + QUIET_MS, 3500 + QUIET_MS);
    go_on(&s, QUIET_MS, 0);
    expect_states(&s, "sfs");
    assert_in_range(elapsed(&s), 100000, 100500);
    assert_int_equal(propagation_explain(s.wait, 1, &s.err), ERR_PROPAGATION);
    assert_non_null(
        strstr(s.err.msg, "TXT record \"h0.z1.test\" is not at every name server after 100 s: ns0.z1.test"));
    assert_null(strstr(s.err.msg, "z0"));
    assert_non_null(strstr(s.err.hint, "propagation.timeout"));
    end(&s);
}

TEST(time_between_calls_does_not_count)
{
    static const struct zone zones[] = {{.shows_at_ms = 2000}, {.shows_at_ms = NEVER}};
    struct scene s;

    begin(&s, zones, 2, 1);
    go_on(&s, QUIET_MS, 0);
    fake_clock_advance(&s.clock, 1000000);
    go_on(&s, 0, 0);
    expect_states(&s, "sf");
    assert_in_range(elapsed(&s), 1100000, 1100500);
    end(&s);
}

TEST(a_zone_whose_servers_are_silent_fails_alone_and_soon)
{
    static const struct zone zones[] = {{.shows_at_ms = 20000}, {.silent = SERVERS}};
    struct scene s;

    begin(&s, zones, 2, 2);
    go_on(&s, QUIET_MS, 15000);
    expect_states(&s, "wwff");
    assert_int_equal(propagation_explain(s.wait, 3, &s.err), ERR_NETWORK);
    assert_non_null(strstr(s.err.msg, "no name server of zone \"z1.test\" answers"));
    go_on(&s, 0, 0);
    expect_states(&s, "ssff");
    assert_in_range(elapsed(&s), 20000, 20500);
    end(&s);
}

TEST(a_silent_server_is_named_once_and_not_waited_for)
{
    static const struct zone zones[] = {{.silent = 1}, {.shows_at_ms = 1000}};
    struct scene s;
    const char *first;

    begin(&s, zones, 2, 1);
    go_on(&s, QUIET_MS, 0);
    expect_states(&s, "ws");
    go_on(&s, 0, 0);
    expect_states(&s, "ss");
    assert_in_range(elapsed(&s), 10000, 10300); /* time is counted over both calls */
    first = strstr(logged(&s), "name server \"ns0.z0.test\" of zone \"z0.test\" did not answer, continuing");
    assert_non_null(first);
    assert_null(strstr(first + 1, "name server \""));
    end(&s);
}

TEST(a_record_that_is_missing_fails_alone_in_its_zone)
{
    static const struct zone zones[] = {{.missing = "h1.z0.test"}};
    struct scene s;

    begin(&s, zones, 1, 3);
    go_on(&s, QUIET_MS, 0);
    expect_states(&s, "sws");
    assert_in_range(elapsed(&s), QUIET_MS, QUIET_MS + 500);
    go_on(&s, 0, 0);
    expect_states(&s, "sfs");
    assert_int_equal(propagation_explain(s.wait, 1, &s.err), ERR_PROPAGATION);
    assert_non_null(strstr(s.err.msg, "\"h1.z0.test\" is not at every name server"));
    end(&s);
}

/* ------------------------------------------------------------------ calls */

TEST(when_all_are_shown_there_is_no_patience)
{
    static const struct zone zones[] = {{.shows_at_ms = 2000}, {.shows_at_ms = 4000}};
    struct scene s;
    size_t asked;

    begin(&s, zones, 2, 1);
    go_on(&s, QUIET_MS, 0);
    expect_states(&s, "ss");
    assert_in_range(elapsed(&s), 4000, 4300);
    asked = s.dns->asked;
    go_on(&s, QUIET_MS, 0);
    assert_int_equal(s.dns->asked, asked);
    end(&s);
}

TEST(what_is_shown_has_settled_and_settling_costs_no_time_of_others)
{
    static const struct zone zones[] = {{.shows_at_ms = 2000}, {.shows_at_ms = NEVER}};
    struct scene s;

    begin(&s, zones, 2, 1);
    s.opts.settle_ms = 10000;
    go_on(&s, QUIET_MS, 0);
    assert_in_range(elapsed(&s), 17000, 17500);
    assert_non_null(strstr(logged(&s), "1 of 2 names are shown"));
    go_on(&s, 0, 0);
    assert_in_range(elapsed(&s), 110000, 110500);
    expect_states(&s, "sf");
    end(&s);
}

TEST(an_interrupt_ends_waiting_and_settling)
{
    static const struct zone zones[] = {{.shows_at_ms = 2000}};
    static const int64_t moments[] = {1000, 5000};

    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        struct scene s;

        begin(&s, zones, 1, 1);
        s.opts.settle_ms = 10000;
        s.clock.cancel_at_ms = s.clock.mono_ms + moments[i];
        assert_int_equal(propagation_go_on(s.wait, NULL, &s.err), ERR_CANCELLED);
        assert_in_range(elapsed(&s), moments[i], moments[i] + 100);
        end(&s);
    }
}

TEST(a_limit_ends_a_call_and_the_next_one_goes_on)
{
    static const struct zone zones[] = {{.shows_at_ms = 2500}};
    struct scene s;

    begin(&s, zones, 1, 1);
    for (int64_t call = 1; call <= 2; call++) {
        go_on(&s, QUIET_MS, 1000);
        expect_states(&s, "w");
        assert_in_range(elapsed(&s), call * 1000, call * 1000 + 50);
    }
    go_on(&s, QUIET_MS, 1000);
    expect_states(&s, "s");
    end(&s);
}

/* ------------------------------------------------------------------ many */

TEST(a_thousand_records_of_twenty_zones_are_no_matter)
{
    struct zone zones[ZONES_MAX] = {{.shows_at_ms = 0}};
    struct scene s;
    int64_t start_us = fixture_processor_us();

    for (size_t z = 0; z < ZONES_MAX; z++)
        zones[z].shows_at_ms = 5000 + 100 * (int64_t)z;
    zones[7].shows_at_ms = NEVER;
    begin(&s, zones, ZONES_MAX, 50);
    go_on(&s, QUIET_MS, 0);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(propagation_state(s.wait, i), i / 50 == 7 ? PROPAGATION_WAITING : PROPAGATION_SHOWN);
    assert_in_range(elapsed(&s), 6900 + QUIET_MS, 8500 + QUIET_MS);
    assert_true(s.dns->asked < 1000 * SERVERS + 30000);
    go_on(&s, QUIET_MS, 0);
    assert_int_equal(propagation_state(s.wait, 7 * 50 + 49), PROPAGATION_FAILED);
    assert_int_equal(propagation_explain(s.wait, 7 * 50 + 49, &s.err), ERR_PROPAGATION);
    assert_non_null(strstr(s.err.msg, "h49.z7.test"));
    assert_true(fixture_processor_us() - start_us < 20000000);
    end(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown_is_told_before_a_zone_that_never_shows_times_out),
        cmocka_unit_test(time_between_calls_does_not_count),
        cmocka_unit_test(a_zone_whose_servers_are_silent_fails_alone_and_soon),
        cmocka_unit_test(a_silent_server_is_named_once_and_not_waited_for),
        cmocka_unit_test(a_record_that_is_missing_fails_alone_in_its_zone),
        cmocka_unit_test(when_all_are_shown_there_is_no_patience),
        cmocka_unit_test(what_is_shown_has_settled_and_settling_costs_no_time_of_others),
        cmocka_unit_test(an_interrupt_ends_waiting_and_settling),
        cmocka_unit_test(a_limit_ends_a_call_and_the_next_one_goes_on),
        cmocka_unit_test(a_thousand_records_of_twenty_zones_are_no_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
