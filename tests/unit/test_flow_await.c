/* SPDX-License-Identifier: MIT
 *
 * Waiting for the batch within the time that the client listens, and what becomes of the records when the wait does not
 * end well.
 */
#include <stdlib.h>
#include <string.h>

#include "flow_world.h"
#include "test.h"

static const struct pair one[] = {{"_acme-challenge.example.com", VALUE_A}, {NULL, NULL}};
static const struct challenge_publish_opts later = {.wait = CHALLENGE_NO_WAIT};

/* How long a publication took, on the fake clock. */
static int64_t timed(struct world *w, const struct pair *pairs, const struct challenge_publish_opts *opts,
                     enum err_code want)
{
    int64_t start_ms = w->clock.mono_ms;

    (void)world_engine(w);
    assert_int_equal(world_publish_with(w, pairs, opts), want);
    return w->clock.mono_ms - start_ms;
}

static void set_lags(struct world *w, int64_t lag_ms)
{
    for (size_t i = 0; i < 3; i++)
        w->dns->servers[i].lag_ms = lag_ms;
}

/* ------------------------------------------------------------------ the batch */

TEST(the_slowest_server_of_all_decides)
{
    struct world *w = world_new();
    int64_t took_ms;

    w->dns->servers[1].lag_ms = 8000;
    w->dns->servers[2].lag_ms = 20000;
    took_ms = timed(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_A}),
                    &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT}, ERR_OK);
    assert_true(took_ms >= 20000);
    assert_true(took_ms < 20500 + 200);
    world_free(w);
}

TEST(settling_comes_after_the_last_server)
{
    struct world *w = world_new();
    int64_t took_ms;

    w->opts.propagation.settle_ms = 10000;
    w->dns->servers[0].lag_ms = 5000;
    took_ms = timed(w, one, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT}, ERR_OK);
    assert_true(took_ms >= 15000 && took_ms < 15700);
    world_free(w);
}

TEST(a_publication_may_have_a_settling_time_of_its_own)
{
    static const int64_t own_ms[] = {0, 3000, 20000};

    for (size_t i = 0; i < ARRAY_LEN(own_ms); i++) {
        struct world *w = world_new();
        const struct challenge_publish_opts opts = {.wait = CHALLENGE_WAIT, .settle_ms = &own_ms[i]};
        int64_t took_ms;

        w->opts.propagation.settle_ms = 10000;
        took_ms = timed(w, one, &opts, ERR_OK);
        assert_in_range(took_ms, own_ms[i], own_ms[i] + 500);
        took_ms = timed(w, PAIRS({"_acme-challenge.example.net", VALUE_A}),
                        &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT}, ERR_OK);
        assert_in_range(took_ms, 10000, 10500); /* the next one not */
        world_free(w);
    }
}

struct sighted {
    size_t count;
    int64_t ns1_ms, ns2_ms;
};

static void on_sighted(void *ctx, const struct propagation_sighting *sighting)
{
    struct sighted *sighted = ctx;

    assert_string_equal(sighting->name, "_acme-challenge.example.com");
    sighted->count++;
    if (strcmp(sighting->server, "ns1.dme.test") == 0)
        sighted->ns1_ms = sighting->elapsed_ms;
    else
        sighted->ns2_ms = sighting->elapsed_ms;
}

TEST(who_publishes_is_told_when_each_server_shows_it)
{
    struct world *w = world_new();
    struct sighted sighted = {0};
    const struct challenge_publish_opts opts = {.wait = CHALLENGE_WAIT, .sighted = on_sighted, .sighted_ctx = &sighted};

    w->dns->servers[0].lag_ms = 3000;
    w->dns->servers[1].lag_ms = 8000;
    (void)timed(w, one, &opts, ERR_OK);
    assert_int_equal(sighted.count, 2);
    assert_in_range(sighted.ns1_ms, 2900, 3500);
    assert_in_range(sighted.ns2_ms, 7900, 8500);
    world_free(w);
}

TEST(all_values_of_a_name_are_waited_for_beside_those_of_others)
{
    struct world *w = world_new();
    const struct fake_api_record *b;

    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", "foreign");
    set_lags(w, 4000);
    assert_true(timed(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.com", VALUE_B}),
                      &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT}, ERR_OK) >= 4000);
    b = fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_B);
    assert_true(w->clock.wall_ms >= b->created_ms + 4000);
    world_free(w);
}

TEST(no_wait_is_no_wait)
{
    struct world *w = world_new();

    set_lags(w, 4000);
    assert_true(timed(w, one, &later, ERR_OK) < 100);
    assert_int_equal(fake_resolver_count(w->dns, NULL, DNS_TXT), 0);
    world_free(w);
}

/* ------------------------------------------------------------------ time-outs */

TEST(after_a_time_out_the_records_are_rolled_back)
{
    struct world *w = world_new();

    w->dns->servers[1].lag_ms = FAKE_NEVER;
    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_A})),
        ERR_PROPAGATION);
    assert_non_null(strstr(w->err.msg, "ns2.dme.test"));
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(after_a_time_out_the_records_are_kept_for_clients_that_go_on_all_the_same)
{
    struct world *w = world_new();

    w->dns->servers[1].lag_ms = FAKE_NEVER;
    (void)timed(w, one, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT, .on_timeout = CHALLENGE_TIMEOUT_KEEP},
                ERR_PROPAGATION);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_true(world_is_safe(w, "kept"));
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(keeping_is_for_waits_and_not_for_records_that_could_not_be_created)
{
    struct world *w = world_new();

    fake_api_fail(w->api, FAKE_API_500_AFTER_ALL, 1, 1);
    (void)timed(w, one, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT, .on_timeout = CHALLENGE_TIMEOUT_KEEP},
                ERR_OK); /* it was there at the second attempt */
    assert_true(world_is_safe(w, "kept"));
    fake_api_fail(w->api, FAKE_API_500, w->api->request_count, 8);
    (void)timed(w, PAIRS({"_acme-challenge.example.com", VALUE_B}),
                &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT, .on_timeout = CHALLENGE_TIMEOUT_KEEP},
                ERR_SERVER);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

TEST(the_whole_call_ends_before_the_client_stops_listening)
{
    struct world *w = world_new();
    const struct challenge_publish_opts limited = {.wait = CHALLENGE_WAIT, .time_limit_ms = 40000};
    int64_t took_ms;

    w->opts.propagation.settle_ms = 30000; /* cut to a quarter of what is left */
    w->dns->servers[1].lag_ms = 28000;
    took_ms = timed(w, one, &limited, ERR_OK);
    assert_true(took_ms >= 28000 && took_ms < 40000);
    w->dns->servers[1].lag_ms = FAKE_NEVER;
    took_ms = timed(w, PAIRS({"_acme-challenge.example.com", VALUE_B}), &limited, ERR_PROPAGATION);
    assert_true(took_ms < 40000);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    world_free(w);
}

TEST(what_comes_too_late_to_settle_is_too_late)
{
    struct world *w = world_new();

    w->opts.propagation.settle_ms = 30000;
    w->dns->servers[1].lag_ms = 35000;
    assert_true(timed(w, one, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT, .time_limit_ms = 40000},
                      ERR_PROPAGATION) < 40000);
    world_free(w);
}

TEST(what_publishing_took_is_not_there_for_the_wait)
{
    struct world *w = world_new();

    w->dns->servers[1].lag_ms = FAKE_NEVER;
    fake_api_fail(w->api, FAKE_API_TIMEOUT, 0, 2); /* 20 s */
    assert_true(timed(w, one, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT, .time_limit_ms = 40000},
                      ERR_PROPAGATION) < 41000);
    world_free(w);
}

/* ------------------------------------------------------------------ interrupts */

TEST(an_interrupt_during_the_wait_rolls_back)
{
    struct world *w = world_new();

    w->dns->servers[1].lag_ms = FAKE_NEVER;
    w->clock.cancel_at_ms = w->clock.mono_ms + 12345;
    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_B})),
        ERR_CANCELLED);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(an_interrupt_rolls_back_what_would_be_kept_after_a_time_out)
{
    struct world *w = world_new();

    w->dns->servers[1].lag_ms = FAKE_NEVER;
    w->clock.cancel_at_ms = w->clock.mono_ms + 12345;
    (void)timed(w, one, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT, .on_timeout = CHALLENGE_TIMEOUT_KEEP},
                ERR_CANCELLED);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(an_interrupt_while_settling_rolls_back)
{
    struct world *w = world_new();

    w->opts.propagation.settle_ms = 20000;
    w->clock.cancel_at_ms = w->clock.mono_ms + 10000;
    assert_int_equal(world_publish(w, one), ERR_CANCELLED);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

/* ------------------------------------------------------------------ DNS that can't be asked */

TEST(servers_that_nobody_can_ask_are_a_failure_of_dns)
{
    struct world *w = world_new();

    for (size_t i = 0; i < 2; i++)
        w->dns->servers[i].mood = FAKE_SERVER_SILENT;
    assert_int_equal(world_publish(w, one), ERR_DNS);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(one_lame_server_of_several_does_not_block)
{
    struct world *w = world_new();

    w->dns->servers[1].mood = FAKE_SERVER_SILENT;
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_true(world_log_has(w, "ns2.dme.test"));
    world_free(w);
}

TEST(where_port_53_is_closed_dns_over_https_takes_over)
{
    struct world *w = world_new();

    w->opts.doh = w->doh_list;
    w->opts.doh_count = 1;
    w->opts.doh_mode = CHALLENGE_DOH_AUTO;
    for (size_t i = 0; i < 2; i++)
        w->dns->servers[i].mood = FAKE_SERVER_SILENT;
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_true(fake_resolver_count(w->doh, "", DNS_TXT) > 0);
    assert_int_equal(fake_resolver_count(w->doh, "", DNS_CNAME), 0); /* the only one must not learn of a "no" */
    world_free(w);
}

TEST(with_dns_over_https_only_no_other_question_is_asked)
{
    struct world *w = world_new();

    w->opts.doh = w->doh_list;
    w->opts.doh_count = 1;
    w->opts.doh_mode = CHALLENGE_DOH_ALWAYS;
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(w->dns->asked_count, 0);
    assert_int_equal(w->api->request_count, 2);
    assert_true(fake_resolver_count(w->doh, "", DNS_TXT) > 0);
    world_free(w);
}

TEST(a_value_that_dns_over_https_never_shows_ends_within_the_time_out)
{
    struct world *w = world_new();
    int64_t took_ms;

    w->opts.doh = w->doh_list;
    w->opts.doh_count = 1;
    w->opts.doh_mode = CHALLENGE_DOH_AUTO;
    for (size_t i = 0; i < 2; i++)
        w->dns->servers[i].mood = FAKE_SERVER_SILENT;
    fake_resolver_fail(w->doh, ERR_SERVER, 0, SIZE_MAX);
    took_ms = timed(w, one, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT, .time_limit_ms = 60000},
                    ERR_PROPAGATION);
    assert_true(took_ms < 61000);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_server_of_all_decides),
        cmocka_unit_test(settling_comes_after_the_last_server),
        cmocka_unit_test(a_publication_may_have_a_settling_time_of_its_own),
        cmocka_unit_test(who_publishes_is_told_when_each_server_shows_it),
        cmocka_unit_test(all_values_of_a_name_are_waited_for_beside_those_of_others),
        cmocka_unit_test(no_wait_is_no_wait),
        cmocka_unit_test(after_a_time_out_the_records_are_rolled_back),
        cmocka_unit_test(after_a_time_out_the_records_are_kept_for_clients_that_go_on_all_the_same),
        cmocka_unit_test(keeping_is_for_waits_and_not_for_records_that_could_not_be_created),
        cmocka_unit_test(the_whole_call_ends_before_the_client_stops_listening),
        cmocka_unit_test(what_comes_too_late_to_settle_is_too_late),
        cmocka_unit_test(what_publishing_took_is_not_there_for_the_wait),
        cmocka_unit_test(an_interrupt_during_the_wait_rolls_back),
        cmocka_unit_test(an_interrupt_rolls_back_what_would_be_kept_after_a_time_out),
        cmocka_unit_test(an_interrupt_while_settling_rolls_back),
        cmocka_unit_test(servers_that_nobody_can_ask_are_a_failure_of_dns),
        cmocka_unit_test(one_lame_server_of_several_does_not_block),
        cmocka_unit_test(where_port_53_is_closed_dns_over_https_takes_over),
        cmocka_unit_test(with_dns_over_https_only_no_other_question_is_asked),
        cmocka_unit_test(a_value_that_dns_over_https_never_shows_ends_within_the_time_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
