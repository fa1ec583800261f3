/* SPDX-License-Identifier: MIT
 *
 * Waiting for records that were published before, each by itself.
 */
#include <string.h>

#include "flow_world.h"
#include "test.h"

static const struct challenge_publish_opts later = {.wait = CHALLENGE_NO_WAIT};

struct wait {
    struct world *w;
    struct challenge_set set;
    struct challenge_awaiting *awaiting;
    int64_t start_ms;
};

/* Publish in one process, and wait there. */
static void begin(struct wait *t, struct world *w, const struct pair *pairs)
{
    (void)world_engine(w);
    *t = (struct wait){.w = w, .set = world_set(pairs)};
    assert_int_equal(world_publish_with(w, pairs, &later), ERR_OK);
    t->start_ms = w->clock.mono_ms;
    t->awaiting = challenge_awaiting_new(world_current(w), &t->set);
}

static void end(struct wait *t)
{
    challenge_awaiting_free(t->awaiting);
    challenge_set_done(&t->set);
    world_free(t->w);
}

static void go_on(struct wait *t, int64_t quiet_ms, int64_t limit_ms)
{
    const struct propagation_patience patience = {quiet_ms, limit_ms};

    assert_int_equal(challenge_await(t->awaiting, &patience, &t->w->err), ERR_OK);
}

static int64_t elapsed(const struct wait *t)
{
    return t->w->clock.mono_ms - t->start_ms;
}

static void expect_failure(const struct wait *t, size_t i, enum err_code want, const char *says)
{
    struct err err;

    assert_int_equal(challenge_awaiting_state(t->awaiting, i), CHALLENGE_FAILED);
    assert_int_equal(challenge_awaiting_explain(t->awaiting, i, &err), want);
    assert_int_equal(err.code, want);
    if (!strstr(err.msg, says))
        fail_msg("\"%s\" is not in \"%s\"", says, err.msg);
}

#define BOTH PAIRS({"_acme-challenge.example.net", VALUE_B}, {"_acme-challenge.example.com", VALUE_A})

TEST(records_are_told_in_the_order_of_the_set)
{
    struct world *w = world_new();
    struct wait t;

    w->dns->servers[2].lag_ms = 30000; /* example.net */
    begin(&t, w, BOTH);
    go_on(&t, 5000, 0);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 0), CHALLENGE_WAITING);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 1), CHALLENGE_SHOWN);
    assert_in_range(elapsed(&t), 5000, 6000);
    go_on(&t, 5000, 0);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 0), CHALLENGE_SHOWN);
    assert_in_range(elapsed(&t), 29000, 31000);
    end(&t);
}

/* Beside a stranger's value, too. */
TEST(a_name_with_two_values_is_shown_with_both)
{
    struct world *w = world_new();
    struct wait t;

    w->opts.propagation.timeout_ms = 20000;
    begin(&t, w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.com", VALUE_B}));
    assert_int_equal(challenge_await(t.awaiting, NULL, &w->err), ERR_OK);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 0), CHALLENGE_SHOWN);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 1), CHALLENGE_SHOWN);
    end(&t);
}

TEST(a_record_is_waited_for_where_its_cname_led_and_without_a_journal)
{
    struct world *w = world_new();
    struct wait t;

    w->no_journal = true;
    fake_resolver_add(w->dns, "_acme-challenge.www.foreign.test", DNS_CNAME, "acme.example.com");
    w->dns->servers[0].lag_ms = 4000;
    begin(&t, w, PAIRS({"_acme-challenge.www.foreign.test", VALUE_A}));
    assert_int_equal(challenge_await(t.awaiting, NULL, &w->err), ERR_OK);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 0), CHALLENGE_SHOWN);
    assert_in_range(elapsed(&t), 3500, 4500);
    end(&t);
}

TEST(what_was_not_published_fails_at_once)
{
    struct world *w = world_new();
    struct challenge_set set = world_set(BOTH);
    struct challenge_awaiting *awaiting;

    (void)world_engine(w);
    assert_int_equal(world_publish_with(w, PAIRS({"_acme-challenge.example.com", VALUE_A}), &later), ERR_OK);
    awaiting = challenge_awaiting_new(world_current(w), &set);
    assert_int_equal(challenge_awaiting_state(awaiting, 0), CHALLENGE_FAILED);
    assert_int_equal(challenge_awaiting_explain(awaiting, 0, NULL), ERR_INTERNAL);
    assert_int_equal(challenge_await(awaiting, NULL, &w->err), ERR_OK);
    assert_int_equal(challenge_awaiting_state(awaiting, 1), CHALLENGE_SHOWN);
    challenge_awaiting_free(awaiting);
    challenge_set_done(&set);
    world_free(w);
}

TEST(where_nothing_was_published_there_is_nothing_to_wait_for)
{
    struct world *w = world_new();
    struct challenge_set set = world_set(BOTH);
    struct challenge_set none = {NULL, 0};
    struct challenge_awaiting *awaiting[2];

    (void)world_engine(w);
    awaiting[0] = challenge_awaiting_new(world_current(w), &set);
    awaiting[1] = challenge_awaiting_new(world_current(w), &none);
    for (size_t i = 0; i < ARRAY_LEN(awaiting); i++) {
        assert_int_equal(challenge_await(awaiting[i], NULL, &w->err), ERR_OK);
        challenge_awaiting_free(awaiting[i]);
    }
    assert_int_equal(w->dns->asked_count, 0);
    challenge_set_done(&set);
    world_free(w);
}

/* ------------------------------------------------------------------ DNS over HTTPS */

static void allow_https(struct world *w, enum challenge_doh mode)
{
    w->opts.doh = w->doh_list;
    w->opts.doh_count = 1;
    w->opts.doh_mode = mode;
}

TEST(what_its_servers_can_not_be_asked_for_is_asked_for_by_https_after_all_others)
{
    struct world *w = world_new();
    struct wait t;

    allow_https(w, CHALLENGE_DOH_AUTO);
    begin(&t, w, BOTH);
    w->dns->servers[2].mood = FAKE_SERVER_SILENT;
    go_on(&t, 5000, 0);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 0), CHALLENGE_WAITING);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 1), CHALLENGE_SHOWN);
    assert_in_range(elapsed(&t), 5000, 6000);
    go_on(&t, 5000, 10000); /* as long as others wait for us, the direct way only */
    assert_int_equal(fake_resolver_count(w->doh, NULL, DNS_TXT), 0);
    go_on(&t, 5000, 0);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 0), CHALLENGE_SHOWN);
    assert_true(fake_resolver_count(w->doh, NULL, DNS_TXT) > 0);
    assert_true(world_log_has(w, "DNS over HTTPS instead, continuing"));
    end(&t);
}

TEST(one_endless_call_asks_the_servers_and_then_by_https)
{
    struct world *w = world_new();
    struct wait t;

    allow_https(w, CHALLENGE_DOH_AUTO);
    begin(&t, w, BOTH);
    w->dns->servers[2].mood = FAKE_SERVER_SILENT;
    assert_int_equal(challenge_await(t.awaiting, NULL, &w->err), ERR_OK);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 0), CHALLENGE_SHOWN);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 1), CHALLENGE_SHOWN);
    assert_true(fake_resolver_count(w->doh, NULL, DNS_TXT) > 0);
    assert_true(world_log_has(w, "asking for 1 name by DNS over HTTPS instead, continuing"));
    end(&t);
}

TEST(what_https_does_not_show_fails_within_the_time_out)
{
    struct world *w = world_new();
    struct wait t;

    allow_https(w, CHALLENGE_DOH_ALWAYS);
    begin(&t, w, BOTH);
    for (size_t i = 0; i < w->api->record_count; i++) /* somebody takes it away */
        if (w->api->records[i].zone_id == EXAMPLE_NET)
            w->api->records[i].deleted_ms = w->clock.wall_ms;
    assert_int_equal(challenge_await(t.awaiting, NULL, &w->err), ERR_OK);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 1), CHALLENGE_SHOWN);
    expect_failure(&t, 0, ERR_PROPAGATION, "TXT record \"_acme-challenge.example.net\" can't be looked for: ");
    assert_in_range(elapsed(&t), 100000, 101000);
    end(&t);
}

TEST(without_https_servers_that_are_silent_fail_their_records)
{
    struct world *w = world_new();
    struct wait t;

    begin(&t, w, BOTH);
    w->dns->servers[2].mood = FAKE_SERVER_SILENT;
    assert_int_equal(challenge_await(t.awaiting, NULL, &w->err), ERR_OK);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 1), CHALLENGE_SHOWN);
    expect_failure(&t, 0, ERR_DNS,
                   "TXT record \"_acme-challenge.example.net\" can't be looked for: no name server of zone "
                   "\"example.net\" answers");
    assert_in_range(elapsed(&t), 10000, 11000);
    end(&t);
}

TEST(an_interrupt_ends_it)
{
    struct world *w = world_new();
    struct wait t;

    w->dns->servers[2].lag_ms = FAKE_NEVER;
    begin(&t, w, BOTH);
    w->clock.cancel_at_ms = w->clock.mono_ms + 2000;
    assert_int_equal(challenge_await(t.awaiting, NULL, &w->err), ERR_CANCELLED);
    assert_int_equal(challenge_awaiting_state(t.awaiting, 0), CHALLENGE_WAITING);
    end(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_told_in_the_order_of_the_set),
        cmocka_unit_test(a_name_with_two_values_is_shown_with_both),
        cmocka_unit_test(a_record_is_waited_for_where_its_cname_led_and_without_a_journal),
        cmocka_unit_test(what_was_not_published_fails_at_once),
        cmocka_unit_test(where_nothing_was_published_there_is_nothing_to_wait_for),
        cmocka_unit_test(what_its_servers_can_not_be_asked_for_is_asked_for_by_https_after_all_others),
        cmocka_unit_test(one_endless_call_asks_the_servers_and_then_by_https),
        cmocka_unit_test(what_https_does_not_show_fails_within_the_time_out),
        cmocka_unit_test(without_https_servers_that_are_silent_fail_their_records),
        cmocka_unit_test(an_interrupt_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
