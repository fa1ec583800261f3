/* SPDX-License-Identifier: MIT
 *
 * Publishing many records each of which has an outcome of its own; and many of them at all.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_disk.h"
#include "flow_world.h"
#include "test.h"

#define RECORDS_MAX 2000

static struct err outcomes[RECORDS_MAX];

static enum err_code publish_each(struct world *w, const struct pair *pairs, enum challenge_wait wait)
{
    memset(outcomes, 0x55, sizeof outcomes);
    return world_publish_with(w, pairs, &(struct challenge_publish_opts){.wait = wait, .outcomes = outcomes});
}

/* A name in each of two zones. */
static const struct pair both[] = {
    {"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_A}, {NULL, NULL}};

static bool is_there(struct world *w, int64_t zone_id, const char *name, const char *value)
{
    return fake_api_find_txt(w->api, zone_id, name, value) != NULL;
}

/* How often the log has it. */
static size_t count_lines(struct world *w, const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(fixture_stream_text(&w->said), text); at; at = strstr(at + 1, text))
        count++;
    return count;
}

/* ------------------------------------------------------------------ one fails, the others don't */

/* Three zones, a name in none, a record that the API does not like. */
static const struct pair mixed[] = {
    {"_acme-challenge.example.com", VALUE_A},      {"_acme-challenge.sub.example.com", VALUE_A},
    {"_acme-challenge.nowhere.test", VALUE_A},     {"_acme-challenge.example.net", VALUE_A},
    {"_acme-challenge.www.example.com", VALUE_C},  {"_acme-challenge.x.sub.example.com", VALUE_B},
    {"_acme-challenge.mail.example.com", VALUE_B}, {NULL, NULL},
};

TEST(what_can_be_published_is_and_the_others_say_why_not)
{
    struct world *w = world_new();

    fake_api_fail_where(w->api, FAKE_API_403, "POST /dns/managed/12/");
    (void)strcpy(w->api->refused_value, VALUE_C);
    assert_int_equal(publish_each(w, mixed, CHALLENGE_NO_WAIT), ERR_OK);

    assert_int_equal(outcomes[0].code, ERR_OK);
    assert_int_equal(outcomes[1].code, ERR_AUTH);
    assert_int_equal(outcomes[2].code, ERR_ZONE);
    assert_int_equal(outcomes[3].code, ERR_OK);
    assert_int_equal(outcomes[4].code, ERR_API);
    assert_int_equal(outcomes[5].code, ERR_AUTH);
    assert_int_equal(outcomes[6].code, ERR_OK);
    assert_non_null(strstr(outcomes[1].msg, "\"_acme-challenge.sub.example.com\""));
    assert_non_null(strstr(outcomes[2].msg, "\"_acme-challenge.nowhere.test\""));
    assert_non_null(strstr(outcomes[4].msg, "\"_acme-challenge.www.example.com\""));
    assert_non_null(strstr(outcomes[4].msg, "not valid"));

    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge.mail", VALUE_B));
    assert_true(is_there(w, EXAMPLE_NET, "_acme-challenge", VALUE_A));
    assert_int_equal(fake_api_count_ours(w->api), 3);
    assert_int_equal(world_journal_count(w), 3); /* of the others nothing is left, not even an entry */
    assert_true(world_is_safe(w, "published"));
    world_free(w);
}

TEST(what_failed_and_may_be_there_is_taken_back_alone)
{
    struct world *w = world_new();

    fake_api_fail_where(w->api, FAKE_API_500_AFTER_ALL, "POST /dns/managed/21/");
    assert_int_equal(
        publish_each(w,
                     PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_A},
                           {"_acme-challenge.www.example.net", VALUE_A}),
                     CHALLENGE_NO_WAIT),
        ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_OK);
    if (outcomes[1].code != ERR_OK) /* the second attempt may have found that they exist */
        assert_int_equal(fake_api_count_ours(w->api), 1);
    else
        assert_int_equal(fake_api_count_ours(w->api), 3);
    assert_int_equal(outcomes[2].code, outcomes[1].code);
    assert_true(world_is_safe(w, "published"));
    world_free(w);
}

TEST(what_can_not_be_taken_back_stays_in_the_journal)
{
    struct world *w = world_new();

    fake_api_fail_where(w->api, FAKE_API_TIMEOUT, "POST /dns/managed/21/");
    assert_int_equal(publish_each(w, PAIRS({"_acme-challenge.example.com", VALUE_A}), CHALLENGE_NO_WAIT), ERR_OK);
    fake_api_fail_where(w->api, FAKE_API_REQUEST_LOST, "");
    w->api->fault_first = w->api->request_count + 1; /* the zone is found; from then on nothing gets through */
    assert_int_equal(publish_each(w, PAIRS({"_acme-challenge.example.net", VALUE_A}), CHALLENGE_NO_WAIT), ERR_OK);
    assert_int_not_equal(outcomes[0].code, ERR_OK);
    assert_int_equal(world_journal_count(w), 2);
    assert_true(world_is_safe(w, "nothing gets through"));
    assert_true(world_sweeps_clean(w, "a day later"));
    world_free(w);
}

TEST(when_all_fail_it_is_no_error_of_the_call)
{
    struct world *w = world_new();

    assert_int_equal(
        publish_each(w, PAIRS({"_acme-challenge.nowhere.test", VALUE_A}, {"_acme-challenge.foreign.test", VALUE_A}),
                     CHALLENGE_WAIT),
        ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_ZONE);
    assert_int_equal(outcomes[1].code, ERR_ZONE);
    assert_int_equal(fake_api_count_method(w->api, "POST"), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(without_outcomes_one_that_fails_takes_all_back)
{
    struct world *w = world_new();

    (void)strcpy(w->api->refused_value, VALUE_C);
    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.www.example.net", VALUE_C},
                               {"_acme-challenge.example.net", VALUE_A})),
        ERR_API);
    assert_non_null(strstr(w->err.msg, "\"_acme-challenge.www.example.net\""));
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

/* The error of one ends the call while it is not known yet where the other is, which an earlier call has published. */
TEST(without_outcomes_one_that_is_nowhere_ends_it_wherever_the_others_are)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.www.foreign.test", DNS_CNAME, "foreign.acme.example.net");
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.www.foreign.test", VALUE_A})), ERR_OK);
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.www.foreign.test", VALUE_A},
                                            {"_acme-challenge.nowhere.test", VALUE_A})),
                     ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "\"_acme-challenge.nowhere.test\""));
    assert_true(is_there(w, EXAMPLE_NET, "foreign.acme", VALUE_A));
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

/* ------------------------------------------------------------------ zones */

/* Two zones are remembered, and one of them is gone. */
static struct world *begin_gone(void)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, both), ERR_OK);
    assert_int_equal(world_withdraw(w, both), ERR_OK);
    fake_api_drop_zone(w->api, EXAMPLE_COM);
    world_leave(w);
    return w;
}

/* It is there again, with another id. */
static void come_back(struct world *w)
{
    fake_api_zone_add_server(fake_api_add_zone(w->api, 0, 111, "example.com"), "ns1.dme.test", "192.0.2.1");
}

TEST(a_remembered_zone_that_is_gone_is_found_anew_and_the_others_are_not_asked_again)
{
    struct world *w = begin_gone();

    come_back(w);
    w->api->request_count = 0;
    assert_int_equal(publish_each(w, both, CHALLENGE_WAIT), ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_OK);
    assert_int_equal(outcomes[1].code, ERR_OK);
    assert_true(is_there(w, 111, "_acme-challenge", VALUE_A));
    assert_true(is_there(w, EXAMPLE_NET, "_acme-challenge", VALUE_A));
    assert_int_equal(fake_api_count_method(w->api, "POST"), 3);
    assert_int_equal(w->api->request_count, 4);
    assert_int_equal(count_lines(w, "1 TXT record of zone \"example.net\" published"), 2); /* once a call */
    world_free(w);
}

TEST(a_bad_record_does_not_hide_that_its_zone_is_gone)
{
    struct world *w = begin_gone();

    come_back(w);
    assert_int_equal(publish_each(w,
                                  PAIRS({"_acme-challenge.a.example.com", "a \"quoted\" value"},
                                        {"_acme-challenge.b.example.com", VALUE_A}),
                                  CHALLENGE_NO_WAIT),
                     ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_INPUT);
    assert_int_equal(outcomes[1].code, ERR_OK);
    assert_true(is_there(w, 111, "_acme-challenge.b", VALUE_A));
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

TEST(a_remembered_zone_that_is_gone_for_good_fails_its_own_records)
{
    struct world *w = begin_gone();

    assert_int_equal(publish_each(w, both, CHALLENGE_NO_WAIT), ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_ZONE);
    assert_int_equal(outcomes[1].code, ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_true(world_sweeps_clean(w, "a day later"));
    world_free(w);
}

TEST(a_zone_that_the_api_does_not_tell_of_costs_its_patience_once)
{
    struct world *w = world_new();
    int64_t start_ms = w->clock.mono_ms;

    fake_api_fail_where(w->api, FAKE_API_500, "GET /dns/managed/name?domainname=example.com");
    assert_int_equal(
        publish_each(w,
                     PAIRS({"_acme-challenge.a.example.com", VALUE_A}, {"_acme-challenge.b.example.com", VALUE_A},
                           {"_acme-challenge.c.example.com", VALUE_A}, {"_acme-challenge.d.example.com", VALUE_A},
                           {"_acme-challenge.example.net", VALUE_A}),
                     CHALLENGE_NO_WAIT),
        ERR_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(outcomes[i].code, ERR_SERVER);
    assert_int_equal(outcomes[4].code, ERR_OK);
    assert_true(w->clock.mono_ms - start_ms < 65000); /* give_up_after_ms and a bit */
    assert_true(fake_api_count_method(w->api, "GET") <= 10);
    world_free(w);
}

TEST(when_the_api_can_not_be_reached_two_zones_tell_for_all)
{
    struct world *w = world_new();
    int64_t start_ms = w->clock.mono_ms;

    for (int i = 0; i < 8; i++)
        fake_server_serve(&w->dns->servers[2], (const char *[]){"a.test", "b.test", "c.test", "d.test", "e.test",
                                                                "f.test", "g.test", "h.test"}[i]);
    fake_api_fail_where(w->api, FAKE_API_TIMEOUT, "");
    assert_int_equal(publish_each(w,
                                  PAIRS({"_acme-challenge.a.test", VALUE_A}, {"_acme-challenge.b.test", VALUE_A},
                                        {"_acme-challenge.c.test", VALUE_A}, {"_acme-challenge.d.test", VALUE_A},
                                        {"_acme-challenge.e.test", VALUE_A}, {"_acme-challenge.f.test", VALUE_A},
                                        {"_acme-challenge.g.test", VALUE_A}, {"_acme-challenge.h.test", VALUE_A}),
                                  CHALLENGE_NO_WAIT),
                     ERR_OK);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(outcomes[i].code, ERR_TIMEOUT);
    assert_true(w->clock.mono_ms - start_ms < 2 * 75000);
    world_free(w);
}

TEST(a_zone_on_its_way_out_is_no_word_about_others)
{
    struct world *w = world_new();

    fake_api_find_zone(w->api, "example.com")->pending_action = 3;
    assert_int_equal(
        publish_each(w,
                     PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.nowhere.test", VALUE_A},
                           {"_acme-challenge.example.net", VALUE_A}),
                     CHALLENGE_NO_WAIT),
        ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_ZONE);
    assert_null(strstr(outcomes[0].msg, "nowhere.test"));
    assert_int_equal(outcomes[1].code, ERR_ZONE);
    assert_non_null(strstr(outcomes[1].msg, "no zone of the account holds \"_acme-challenge.nowhere.test\""));
    assert_int_equal(outcomes[2].code, ERR_OK);
    world_free(w);
}

/* ------------------------------------------------------------------ accounts */

TEST(an_account_that_refuses_fails_its_own_records)
{
    struct world *w = world_new();

    w->opts.account_count = 2;
    fake_api_find_zone(w->api, "example.net")->account = 1;
    assert_int_equal(world_publish(w, both), ERR_OK);
    assert_int_equal(fake_api_count_method(w->api, "POST"), 2);
    assert_int_equal(world_withdraw(w, both), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_leave(w);
    w->api->refused_account = 1;
    assert_int_equal(publish_each(w, both, CHALLENGE_WAIT), ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_OK);
    assert_int_equal(outcomes[1].code, ERR_AUTH);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

/* ------------------------------------------------------------------ the wait */

TEST(what_is_kept_after_the_wait_failed_is_kept_with_outcomes_as_well)
{
    struct world *w = world_new();
    const struct challenge_publish_opts opts = {
        .wait = CHALLENGE_WAIT, .on_timeout = CHALLENGE_TIMEOUT_KEEP, .outcomes = outcomes};

    w->dns->servers[0].lag_ms = FAKE_NEVER;
    assert_int_equal(
        world_publish_with(
            w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.nowhere.test", VALUE_A}), &opts),
        ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_PROPAGATION);
    assert_int_equal(outcomes[1].code, ERR_ZONE);
    assert_true(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

TEST(a_zone_that_never_shows_its_records_loses_them_alone)
{
    struct world *w = world_new();

    w->dns->servers[0].lag_ms = FAKE_NEVER;
    assert_int_equal(publish_each(w, both, CHALLENGE_WAIT), ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_PROPAGATION);
    assert_int_equal(outcomes[1].code, ERR_OK);
    assert_false(is_there(w, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_true(is_there(w, EXAMPLE_NET, "_acme-challenge", VALUE_A));
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

/* ------------------------------------------------------------------ what ends everything */

TEST(an_interrupt_takes_all_back_with_outcomes_as_well)
{
    struct world *w = world_new();

    fake_api_fail(w->api, FAKE_API_CANCEL, 3, 1); /* two zones, the first POST, the second */
    assert_int_equal(publish_each(w, both, CHALLENGE_NO_WAIT), ERR_CANCELLED);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_true(world_is_safe(w, "interrupted"));
    world_free(w);
}

TEST(an_interrupt_while_what_failed_is_taken_back_takes_that_back_as_well)
{
    struct world *w = world_new();

    w->dns->servers[0].lag_ms = FAKE_NEVER;
    fake_api_fail(w->api, FAKE_API_CANCEL, 4, 1); /* two zones, two POSTs, the DELETE of what is never shown */
    assert_int_equal(publish_each(w, both, CHALLENGE_WAIT), ERR_CANCELLED);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    assert_false(world_log_has(w, "left behind"));
    world_free(w);
}

TEST(a_journal_that_can_not_be_written_ends_everything_before_anything_is_created)
{
    struct world *w = world_new();

    fake_disk_fail(FAKE_DISK_FULL, "/journal/", 0, SIZE_MAX);
    assert_int_equal(publish_each(w, mixed, CHALLENGE_NO_WAIT), ERR_IO);
    assert_int_equal(fake_api_count_method(w->api, "POST"), 0);
    fake_disk_heal();
    world_free(w);
}

/* The account's requests fit at once or not at all. */
static void have_no_time(struct world *w)
{
    dme_free(w->accounts[0].dme);
    w->accounts[0].dme = world_dme(w, 0, 0);
}

TEST(a_budget_that_does_not_suffice_is_told_before_anything_is_changed)
{
    struct world *w = world_new();
    const struct pair one[] = {{"_acme-challenge.example.com", VALUE_A}, {NULL, NULL}};

    have_no_time(w);
    assert_int_equal(world_publish(w, one), ERR_OK);
    w->api->requests_remaining = 0;
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    w->api->request_count = 0;
    assert_int_equal(
        publish_each(w, PAIRS({"_acme-challenge.example.com", VALUE_B}, {"_acme-challenge.www.example.com", VALUE_A}),
                     CHALLENGE_NO_WAIT),
        ERR_OK);
    assert_int_equal(outcomes[0].code, ERR_RATE_LIMIT);
    assert_int_equal(outcomes[1].code, ERR_RATE_LIMIT);
    assert_int_equal(world_publish(w, one), ERR_RATE_LIMIT);
    assert_int_equal(w->api->request_count, 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

/* ------------------------------------------------------------------ many */

#define ZONES 20
#define NAMES 1000

static const char *const zone_names[ZONES] = {
    "z00.test", "z01.test", "z02.test", "z03.test", "z04.test", "z05.test", "z06.test",
    "z07.test", "z08.test", "z09.test", "z10.test", "z11.test", "z12.test", "z13.test",
    "z14.test", "z15.test", "z16.test", "z17.test", "z18.test", "z19.test",
};

/* A world with twenty zones, and NAMES records in them, from one zone to the next in turn. */
static struct world *begin_many(struct challenge_set *set)
{
    struct world *w = world_new();

    w->dns->round_trip_ms = 50;
    for (size_t i = 0; i < ZONES; i++) {
        struct fake_api_zone *zone = fake_api_add_zone(w->api, 0, 1000 + (int64_t)i, zone_names[i]);

        fake_api_zone_add_server(zone, "ns1.dme.test", "192.0.2.1");
        fake_server_serve(&w->dns->servers[0], zone_names[i]);
        fake_server_serve(&w->dns->servers[1], zone_names[i]);
    }
    for (size_t i = 0; i < NAMES; i++) {
        AUTO_FREE char *name = mem_printf("_acme-challenge.host-%zu.%s", i, zone_names[i % ZONES]);
        assert_int_equal(challenge_set_add_record(set, name, VALUE_A, NULL), ERR_OK);
    }
    return w;
}

/* Publish in a process of its own, without waiting; how long it took. */
static int64_t publish_many(struct world *w, const struct challenge_set *set)
{
    struct challenge *engine = world_engine(w);
    int64_t start_ms = w->clock.mono_ms;

    assert_int_equal(
        challenge_publish(engine, set,
                          &(struct challenge_publish_opts){.wait = CHALLENGE_NO_WAIT, .outcomes = outcomes}, &w->err),
        ERR_OK);
    for (size_t i = 0; i < set->count; i++)
        assert_int_equal(outcomes[i].code, ERR_OK);
    return w->clock.mono_ms - start_ms;
}

TEST(a_thousand_names_cost_three_requests_a_zone_and_two_when_it_is_remembered)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};
    struct world *w = begin_many(&set);

    for (int remembered = 0; remembered < 2; remembered++) {
        w->api->request_count = 0;
        (void)publish_many(w, &set);
        assert_int_equal(fake_api_count_ours(w->api), NAMES);
        assert_int_equal(w->api->request_count, remembered ? ZONES : 2 * ZONES);
        assert_true(world_is_safe(w, "published"));
        assert_int_equal(challenge_withdraw(world_engine(w), &set, &w->err), ERR_OK);
        assert_int_equal(w->api->request_count, remembered ? 2 * ZONES : 3 * ZONES);
        assert_int_equal(fake_api_count_ours(w->api), 0);
        assert_int_equal(world_journal_count(w), 0);
    }
    assert_int_equal(fake_api_count_method(w->api, "DELETE"), ZONES);
    world_free(w);
}

TEST(a_thousand_names_take_a_second_and_not_a_thousand_round_trips)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};
    struct world *w = begin_many(&set);
    int64_t cold_ms = publish_many(w, &set);
    int64_t warm_ms;

    assert_int_equal(challenge_withdraw(world_engine(w), &set, &w->err), ERR_OK);
    warm_ms = publish_many(w, &set);
    assert_in_range(cold_ms, 500, 1800); /* twenty zones are looked for one after the other */
    assert_in_range(warm_ms, 500, 800);
    world_free(w);
}

TEST(ids_that_are_not_fresh_cost_one_look_a_zone)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};
    struct world *w = begin_many(&set);

    (void)publish_many(w, &set);
    fake_clock_advance(&w->clock, 2 * 60 * 60 * INT64_C(1000));
    w->api->request_count = 0;
    assert_int_equal(challenge_withdraw(world_engine(w), &set, &w->err), ERR_OK);
    assert_int_equal(w->api->request_count, 2 * ZONES);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(records_that_no_journal_knows_are_withdrawn_with_two_requests_a_zone)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};
    struct world *w = begin_many(&set);

    w->no_journal = true;
    (void)publish_many(w, &set);
    w->api->request_count = 0;
    assert_int_equal(challenge_withdraw(world_engine(w), &set, &w->err), ERR_OK);
    assert_int_equal(w->api->request_count, 3 * ZONES); /* nothing is remembered either */
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(one_zone_of_twenty_that_fails_fails_alone)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};
    struct world *w = begin_many(&set);

    fake_api_fail_where(w->api, FAKE_API_403, "POST /dns/managed/1007/");
    assert_int_equal(
        challenge_publish(world_engine(w), &set,
                          &(struct challenge_publish_opts){.wait = CHALLENGE_NO_WAIT, .outcomes = outcomes}, &w->err),
        ERR_OK);
    for (size_t i = 0; i < NAMES; i++)
        assert_int_equal(outcomes[i].code, i % ZONES == 7 ? ERR_AUTH : ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), NAMES - NAMES / ZONES);
    assert_int_equal(world_journal_count(w), NAMES - NAMES / ZONES);
    fake_api_fail_where(w->api, FAKE_API_403, "DELETE /dns/managed/1009/");
    assert_int_equal(challenge_withdraw(world_engine(w), &set, &w->err), ERR_AUTH);
    assert_int_equal(fake_api_count_ours(w->api), NAMES / ZONES);
    assert_int_equal(world_journal_count(w), NAMES / ZONES);
    assert_true(world_sweeps_clean(w, "a day later"));
    world_free(w);
}

/* Each name a CNAME into another zone, as for a delegated challenge. */
TEST(a_hundred_aliases_take_a_handful_of_round_trips)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};
    AUTO_STRLIST struct strlist names = {NULL, 0};
    struct world *w = world_new();

    w->dns->round_trip_ms = 50;
    for (size_t i = 0; i < 100; i++) {
        strlist_add_take(&names, mem_printf("_acme-challenge.host-%zu.example.com", i));
        strlist_add_take(&names, mem_printf("host-%zu.acme.example.net", i));
        fake_resolver_add(w->dns, names.items[2 * i], DNS_CNAME, names.items[2 * i + 1]);
        assert_int_equal(challenge_set_add_record(&set, names.items[2 * i], VALUE_A, NULL), ERR_OK);
    }
    assert_in_range(publish_many(w, &set), 300, 900);
    assert_int_equal(w->api->request_count, 3); /* two zones, one createMulti */
    assert_true(is_there(w, EXAMPLE_NET, "host-99.acme", VALUE_A));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_published_is_and_the_others_say_why_not),
        cmocka_unit_test(what_failed_and_may_be_there_is_taken_back_alone),
        cmocka_unit_test(what_can_not_be_taken_back_stays_in_the_journal),
        cmocka_unit_test(when_all_fail_it_is_no_error_of_the_call),
        cmocka_unit_test(without_outcomes_one_that_fails_takes_all_back),
        cmocka_unit_test(without_outcomes_one_that_is_nowhere_ends_it_wherever_the_others_are),
        cmocka_unit_test(a_remembered_zone_that_is_gone_is_found_anew_and_the_others_are_not_asked_again),
        cmocka_unit_test(a_bad_record_does_not_hide_that_its_zone_is_gone),
        cmocka_unit_test(a_remembered_zone_that_is_gone_for_good_fails_its_own_records),
        cmocka_unit_test(a_zone_that_the_api_does_not_tell_of_costs_its_patience_once),
        cmocka_unit_test(when_the_api_can_not_be_reached_two_zones_tell_for_all),
        cmocka_unit_test(a_zone_on_its_way_out_is_no_word_about_others),
        cmocka_unit_test(an_account_that_refuses_fails_its_own_records),
        cmocka_unit_test(what_is_kept_after_the_wait_failed_is_kept_with_outcomes_as_well),
        cmocka_unit_test(a_zone_that_never_shows_its_records_loses_them_alone),
        cmocka_unit_test(an_interrupt_takes_all_back_with_outcomes_as_well),
        cmocka_unit_test(an_interrupt_while_what_failed_is_taken_back_takes_that_back_as_well),
        cmocka_unit_test(a_journal_that_can_not_be_written_ends_everything_before_anything_is_created),
        cmocka_unit_test(a_budget_that_does_not_suffice_is_told_before_anything_is_changed),
        cmocka_unit_test(a_thousand_names_cost_three_requests_a_zone_and_two_when_it_is_remembered),
        cmocka_unit_test(a_thousand_names_take_a_second_and_not_a_thousand_round_trips),
        cmocka_unit_test(ids_that_are_not_fresh_cost_one_look_a_zone),
        cmocka_unit_test(records_that_no_journal_knows_are_withdrawn_with_two_requests_a_zone),
        cmocka_unit_test(one_zone_of_twenty_that_fails_fails_alone),
        cmocka_unit_test(a_hundred_aliases_take_a_handful_of_round_trips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
