/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow_world.h"
#include "test.h"

static const struct pair one[] = {{"_acme-challenge.example.com", VALUE_A}, {NULL, NULL}};
static const struct pair apex_and_wildcard[] = {
    {"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.com", VALUE_B}, {NULL, NULL}};

static bool is_there(struct world *w, int64_t zone_id, const char *name, const char *value)
{
    return fake_api_find_txt(w->api, zone_id, name, value) != NULL;
}

/* ------------------------------------------------------------------ requests */

TEST(one_name_costs_three_requests_when_nothing_is_known)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_int_equal(w->api->request_count, 2);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(w->api->request_count, 3);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(one_name_costs_two_requests_when_the_zone_is_remembered)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    w->api->request_count = 0;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.www.example.com", VALUE_B})), ERR_OK);
    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.www.example.com", VALUE_B})), ERR_OK);
    assert_int_equal(w->api->request_count, 2);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(a_hundred_names_of_one_zone_cost_three_requests)
{
    struct world *w = world_new();
    AUTO(challenge_set_done) struct challenge_set set = {0};

    for (int i = 0; i < 100; i++) {
        AUTO_FREE char *name = mem_printf("_acme-challenge.host-%d.example.com", i);
        assert_int_equal(challenge_set_add_record(&set, name, VALUE_A, NULL), ERR_OK);
    }
    assert_int_equal(
        challenge_publish(world_engine(w), &set, &(struct challenge_publish_opts){.wait = CHALLENGE_WAIT}, &w->err),
        ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 100);
    assert_int_equal(challenge_withdraw(world_engine(w), &set, &w->err), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(w->api->request_count, 3);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

/* ------------------------------------------------------------------ what is published */

TEST(apex_and_wildcard_are_two_values_at_one_name)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, apex_and_wildcard), ERR_OK);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_B));
    assert_int_equal(w->api->request_count, 2);
    assert_true(world_is_safe(w, "published"));
    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.example.com", VALUE_A})), ERR_OK);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_B));
    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.example.com", VALUE_B})), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(names_of_three_zones_go_to_the_longest_match_one_request_each)
{
    struct world *w = world_new();

    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.sub.example.com", VALUE_A},
                               {"_acme-challenge.example.net", VALUE_A}, {"_acme-challenge.www.example.com", VALUE_B},
                               {"_acme-challenge.a.b.sub.example.com", VALUE_B})),
        ERR_OK);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge.www", VALUE_B));
    assert_true(is_there(w, SUB_EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_true(is_there(w, SUB_EXAMPLE_COM, "_acme-challenge.a.b", VALUE_B));
    assert_true(is_there(w, EXAMPLE_NET, "_acme-challenge", VALUE_A));
    assert_int_equal(fake_api_count_method(w->api, "POST"), 3);
    assert_int_equal(fake_api_count_method(w->api, "GET"), 3);
    assert_true(world_is_safe(w, "published"));
    world_free(w);
}

TEST(a_record_at_the_apex_of_a_zone_is_published_and_withdrawn)
{
    struct world *w = world_new();
    const struct pair apex[] = {{"example.net", VALUE_A}, {NULL, NULL}};

    fake_api_add_foreign(w->api, EXAMPLE_NET, "TXT", "", "v=spf1 -all");
    assert_int_equal(world_publish(w, apex), ERR_OK);
    assert_true(is_there(w, EXAMPLE_NET, "", VALUE_A));
    assert_true(world_is_safe(w, "published"));
    fake_clock_advance(&w->clock, 2 * 60 * 60 * 1000); /* ids are looked up again */
    assert_int_equal(world_withdraw(w, apex), ERR_OK);
    assert_true(is_there(w, EXAMPLE_NET, "", "v=spf1 -all"));
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_true(world_is_safe(w, "withdrawn"));
    world_free(w);
}

TEST(what_others_have_at_the_name_stays)
{
    struct world *w = world_new();

    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", "of another client");
    assert_int_equal(world_publish(w, apex_and_wildcard), ERR_OK);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", "of another client"));
    assert_int_equal(world_withdraw(w, apex_and_wildcard), ERR_OK);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", "of another client"));
    assert_int_equal(w->api->foreign_touched, 0);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(an_answer_without_ids_is_made_up_for_by_looking_them_up)
{
    struct world *w = world_new();

    w->api->multi_is_nothing = true;
    assert_int_equal(world_publish(w, apex_and_wildcard), ERR_OK);
    assert_int_equal(w->api->request_count, 3);
    assert_int_equal(world_withdraw(w, apex_and_wildcard), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_false(w->api->wiped);
    world_free(w);
}

/* ------------------------------------------------------------------ again */

TEST(publishing_again_leaves_one_record_and_one_entry)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_int_equal(world_journal_count(w), 1);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(a_record_of_an_earlier_call_survives_the_failure_of_a_later_one)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    w->dns->servers[0].lag_ms = FAKE_NEVER; /* this one shows nothing new any more */
    assert_int_equal(world_publish(w, apex_and_wildcard), ERR_PROPAGATION);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_false(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_B));
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

TEST(a_value_left_over_by_a_dead_run_belongs_to_the_run_that_asks_for_it_again)
{
    struct world *w = world_new();
    AUTO_FREE char *dead = world_dead_run_id();
    const char *alive = w->opts.run_id;
    struct world_swept swept;
    struct journal_list journal;

    w->opts.run_id = dead;
    assert_int_equal(world_publish(w, one), ERR_OK);
    w->opts.run_id = alive;
    fake_clock_advance(&w->clock, DAY_MS - 1000);
    assert_int_equal(world_publish(w, one), ERR_OK);
    journal = world_journal(w);
    assert_int_equal(journal.count, 1);
    assert_string_equal(journal.items[0].run_id, alive);
    journal_list_done(&journal);
    fake_clock_advance(&w->clock, 2000);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.young, 1);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    world_free(w);
}

TEST(a_value_that_a_long_run_asks_for_again_a_day_later_is_not_swept_while_in_use)
{
    struct world *w = world_new();
    struct world_swept swept;

    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_clock_advance(&w->clock, DAY_MS - 1000);
    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_clock_advance(&w->clock, 2000);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.young, 1);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    world_free(w);
}

TEST(an_entry_of_another_endpoint_is_not_taken_for_ours)
{
    struct world *w = world_new();
    struct journal_list journal;

    w->accounts[0].endpoint = "https://sandbox.example.net/V2.0/";
    assert_int_equal(world_publish(w, one), ERR_OK);
    w->accounts[0].endpoint = FAKE_API_ROOT "/";
    assert_int_equal(world_publish(w, one), ERR_OK);
    journal = world_journal(w);
    assert_int_equal(journal.count, 2);
    assert_string_not_equal(journal.items[0].endpoint, journal.items[1].endpoint);
    journal_list_done(&journal);
    world_free(w);
}

/* ------------------------------------------------------------------ zone ids that went stale */

static void renumber(struct world *w, int64_t old_id, int64_t new_id, const char *name)
{
    struct fake_api_zone *zone;

    fake_api_drop_zone(w->api, old_id);
    zone = fake_api_add_zone(w->api, 0, new_id, name);
    fake_api_zone_add_server(zone, "ns1.dme.test", "192.0.2.1");
}

TEST(a_remembered_id_that_went_stale_is_noticed_and_replaced)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    renumber(w, EXAMPLE_COM, 111, "example.com");
    w->api->request_count = 0;
    assert_int_equal(world_publish(w, apex_and_wildcard), ERR_OK);
    assert_true(is_there(w, 111, "_acme-challenge", VALUE_A));
    assert_true(is_there(w, 111, "_acme-challenge", VALUE_B));
    assert_int_equal(w->api->request_count, 3); /* refused, looked up, created */
    assert_true(world_is_safe(w, "published"));
    w->api->request_count = 0;
    assert_int_equal(world_withdraw(w, apex_and_wildcard), ERR_OK);
    assert_int_equal(w->api->request_count, 1); /* the new id is remembered */
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(an_entry_follows_its_record_into_the_zone_that_took_over)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.sub.example.com", VALUE_A})), ERR_OK);
    fake_api_drop_zone(w->api, SUB_EXAMPLE_COM); /* merged into its parent */
    for (int i = 0; i < 2; i++)
        w->dns->servers[i].zone_count = 1;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.sub.example.com", VALUE_A})), ERR_OK);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge.sub", VALUE_A));
    assert_int_equal(world_journal_count(w), 1);
    assert_true(world_is_safe(w, "published"));
    fake_clock_advance(&w->clock, 2 * 60 * 60 * 1000);
    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.sub.example.com", VALUE_A})), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(a_zone_that_vanishes_for_good_is_an_error)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    fake_api_drop_zone(w->api, EXAMPLE_COM);
    assert_int_equal(world_publish(w, one), ERR_ZONE);
    assert_true(world_sweeps_clean(w, "a day later"));
    world_free(w);
}

/* ------------------------------------------------------------------ all or nothing */

TEST(one_name_in_no_zone_of_ours_leaves_nothing_of_the_others)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A},
                                            {"_acme-challenge.unknown.example.org", VALUE_B})),
                     ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "\"_acme-challenge.unknown.example.org\""));
    assert_non_null(strstr(w->err.msg, "\"unknown.example.org\""));
    assert_non_null(strstr(w->err.msg, "\"example.org\""));
    assert_int_equal(fake_api_count_method(w->api, "POST"), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(a_zone_that_is_being_deleted_is_refused)
{
    struct world *w = world_new();

    fake_api_find_zone(w->api, "example.com")->pending_action = 3;
    assert_int_equal(world_publish(w, one), ERR_ZONE);
    assert_int_equal(fake_api_count_method(w->api, "POST"), 0);
    world_free(w);
}

TEST(a_failing_second_zone_takes_the_records_of_the_first_back)
{
    struct world *w = world_new();

    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_A})),
        ERR_OK);
    assert_int_equal(
        world_withdraw(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_A})),
        ERR_OK);
    fake_api_fail_where(w->api, FAKE_API_500, "POST /dns/managed/21/");
    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_B}, {"_acme-challenge.example.net", VALUE_B})),
        ERR_SERVER);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(without_a_journal_publishing_withdrawing_and_rolling_back_work)
{
    struct world *w = world_new();

    w->no_journal = true;
    assert_int_equal(world_publish(w, apex_and_wildcard), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 2);
    assert_int_equal(world_withdraw(w, apex_and_wildcard), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    w->dns->servers[0].lag_ms = FAKE_NEVER;
    assert_int_equal(world_publish(w, apex_and_wildcard), ERR_PROPAGATION);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(challenge_withdraw_run(world_engine(w), &w->err), ERR_OK);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(a_roll_back_that_fails_names_what_is_left_and_what_to_do)
{
    struct world *w = world_new();

    w->dns->servers[0].lag_ms = FAKE_NEVER;
    fake_api_fail(w->api, FAKE_API_403, 2, 1); /* zone, POST, DELETE */
    assert_int_equal(world_publish(w, apex_and_wildcard), ERR_PROPAGATION);
    assert_int_equal(world_journal_count(w), 2);
    assert_true(world_log_has(w, "TXT record \"_acme-challenge.example.com\" and 1 more is left behind ("));
    assert_true(world_log_has(w, "\"acme-dme sweep\" will delete what the journal has, continuing"));
    world_free(w);
}

TEST(a_roll_back_that_fails_without_a_journal_does_not_speak_of_one)
{
    struct world *w = world_new();

    w->no_journal = true;
    w->dns->servers[0].lag_ms = FAKE_NEVER;
    fake_api_fail(w->api, FAKE_API_403, 2, 1);
    assert_int_equal(world_publish(w, one), ERR_PROPAGATION);
    assert_true(world_log_has(w, "is left behind ("));
    assert_true(world_log_has(w, "there is no journal, so delete it by hand, continuing"));
    assert_false(world_log_has(w, "sweep"));
    world_free(w);
}

TEST(without_a_journal_a_record_whose_creation_was_never_answered_is_looked_for_too)
{
    struct world *w = world_new();

    w->no_journal = true;
    fake_api_fail(w->api, FAKE_API_CANCEL, 1, 1);
    assert_int_equal(world_publish(w, one), ERR_CANCELLED);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(an_address_is_no_name_and_costs_no_request)
{
    static const char *const addresses[] = {"192.0.2.1", "192.0.2.1.", "2001:db8::1", "::", "1"};
    AUTO(challenge_set_done) struct challenge_set set = {0};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        err_init(&err);
        assert_int_equal(challenge_set_add_domain(&set, addresses[i], VALUE_A, &err), ERR_INPUT);
        assert_non_null(strstr(err.msg, "is an IP address"));
    }
    assert_int_equal(challenge_set_add_domain(&set, "2.0.192.in-addr.arpa", VALUE_A, &err), ERR_OK);
    assert_int_equal(challenge_set_add_domain(&set, "a1.example.com", VALUE_A, &err), ERR_OK);
    assert_int_equal(set.count, 2);
}

TEST(an_empty_set_is_published_without_a_request_or_a_wait)
{
    struct world *w = world_new();

    w->opts.propagation.settle_ms = 10000;
    assert_int_equal(world_publish(w, PAIRS({NULL, NULL})), ERR_OK);
    assert_int_equal(w->api->request_count, 0);
    assert_int_equal(fake_clock_slept_ms(&w->clock), 0);
    world_free(w);
}

static void expect_logged(struct world *w, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!world_log_has(w, lines[i]))
            fail_msg("\"%s\" is not in the log:\n%s", lines[i], fixture_stream_text(&w->said));
}

TEST(the_log_tells_each_step_with_its_time)
{
    static const char *const cold[] = {
        "DNS shows that \"_acme-challenge.example.com\" is in zone \"example.com\"",
        "zone \"example.com\" is in account \"account-0\", id 11",
        "\"_acme-challenge.example.com\" belongs to zone \"example.com\", found in ",
        "1 TXT record of zone \"example.com\" journalled",
        "TXT record \"_acme-challenge.example.com\" has id ",
        "1 TXT record of zone \"example.com\" published in ",
        "waiting for 1 name of zone \"example.com\" at ns1.dme.test (192.0.2.1), ns2.dme.test (192.0.2.2)",
        "ns1.dme.test (192.0.2.1) shows everything after ",
        "everything is shown after ",
        "settled: 1 name can be validated",
    };
    static const char *const warm[] = {
        "zone \"example.com\" is remembered: account \"account-0\", id 11",
        "deleted",
        "1 TXT record of zone \"example.com\" withdrawn in ",
    };
    struct world *w = world_new();

    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A})), ERR_OK);
    expect_logged(w, cold, ARRAY_LEN(cold));
    assert_false(world_log_has(w, warm[0]));
    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.example.com", VALUE_A})), ERR_OK);
    expect_logged(w, warm, ARRAY_LEN(warm));
    world_free(w);
}

/* ------------------------------------------------------------------ zones that the DNS does not show */

static const struct pair in_example_net[] = {{"_acme-challenge.example.net", VALUE_A}, {NULL, NULL}};

/* Nobody refers to example.net any more; its servers still serve it. */
static void take_out(struct world *w)
{
    assert_string_equal(w->dns->servers[2].name, "ns3.dme.test");
    w->dns->servers[2].is_inside = true;
}

TEST(a_zone_that_nobody_refers_to_is_published_in_with_one_warning)
{
    static const enum challenge_doh modes[] = {CHALLENGE_DOH_NEVER, CHALLENGE_DOH_AUTO};

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct world *w = world_new();
        const char *first;

        take_out(w);
        w->opts.doh_mode = modes[i];
        w->opts.doh = w->doh_list;
        w->opts.doh_count = 1;
        assert_int_equal(world_publish(w, in_example_net), ERR_OK);
        assert_true(world_log_has(w, "zone \"example.net\" has no name servers in DNS (response code NXDOMAIN), so"));
        first = strstr(fixture_stream_text(&w->said), "so a CA will hardly find its records");
        assert_null(strstr(first + 1, "so a CA will hardly"));
        world_free(w);
    }
}

TEST(what_dns_over_https_shows_of_a_zone_is_as_good_as_what_the_resolver_shows)
{
    struct world *w = world_new();
    struct fake_resolver *outside = fake_resolver_new(&w->clock, w->api);

    fake_server_serve(fake_resolver_add_server(outside, "ns3.dme.test", "192.0.2.3"), "example.net");
    take_out(w);
    w->doh->doh_of = outside;
    w->opts.doh_mode = CHALLENGE_DOH_AUTO;
    w->opts.doh = w->doh_list;
    w->opts.doh_count = 1;
    assert_int_equal(world_publish(w, in_example_net), ERR_OK);
    assert_false(world_log_has(w, "a CA will hardly"));
    w->doh->doh_of = NULL;
    world_free(w);
    fake_resolver_free(outside);
}

TEST(a_resolver_that_does_not_answer_says_nothing_of_the_delegation)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, in_example_net), ERR_OK); /* the zone is remembered from here on */
    take_out(w);
    w->dns->fault = ERR_TIMEOUT;
    w->dns->fault_first = w->dns->asked_count;
    w->dns->fault_count = 1; /* the servers of the zone */
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.net", VALUE_B})), ERR_OK);
    assert_false(world_log_has(w, "a CA will hardly"));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_name_costs_three_requests_when_nothing_is_known),
        cmocka_unit_test(one_name_costs_two_requests_when_the_zone_is_remembered),
        cmocka_unit_test(a_hundred_names_of_one_zone_cost_three_requests),
        cmocka_unit_test(apex_and_wildcard_are_two_values_at_one_name),
        cmocka_unit_test(names_of_three_zones_go_to_the_longest_match_one_request_each),
        cmocka_unit_test(a_record_at_the_apex_of_a_zone_is_published_and_withdrawn),
        cmocka_unit_test(what_others_have_at_the_name_stays),
        cmocka_unit_test(an_answer_without_ids_is_made_up_for_by_looking_them_up),
        cmocka_unit_test(publishing_again_leaves_one_record_and_one_entry),
        cmocka_unit_test(a_record_of_an_earlier_call_survives_the_failure_of_a_later_one),
        cmocka_unit_test(a_value_left_over_by_a_dead_run_belongs_to_the_run_that_asks_for_it_again),
        cmocka_unit_test(a_value_that_a_long_run_asks_for_again_a_day_later_is_not_swept_while_in_use),
        cmocka_unit_test(an_entry_of_another_endpoint_is_not_taken_for_ours),
        cmocka_unit_test(a_remembered_id_that_went_stale_is_noticed_and_replaced),
        cmocka_unit_test(an_entry_follows_its_record_into_the_zone_that_took_over),
        cmocka_unit_test(a_zone_that_vanishes_for_good_is_an_error),
        cmocka_unit_test(one_name_in_no_zone_of_ours_leaves_nothing_of_the_others),
        cmocka_unit_test(a_zone_that_is_being_deleted_is_refused),
        cmocka_unit_test(a_failing_second_zone_takes_the_records_of_the_first_back),
        cmocka_unit_test(without_a_journal_publishing_withdrawing_and_rolling_back_work),
        cmocka_unit_test(a_roll_back_that_fails_names_what_is_left_and_what_to_do),
        cmocka_unit_test(a_roll_back_that_fails_without_a_journal_does_not_speak_of_one),
        cmocka_unit_test(without_a_journal_a_record_whose_creation_was_never_answered_is_looked_for_too),
        cmocka_unit_test(an_address_is_no_name_and_costs_no_request),
        cmocka_unit_test(an_empty_set_is_published_without_a_request_or_a_wait),
        cmocka_unit_test(the_log_tells_each_step_with_its_time),
        cmocka_unit_test(a_zone_that_nobody_refers_to_is_published_in_with_one_warning),
        cmocka_unit_test(what_dns_over_https_shows_of_a_zone_is_as_good_as_what_the_resolver_shows),
        cmocka_unit_test(a_resolver_that_does_not_answer_says_nothing_of_the_delegation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
