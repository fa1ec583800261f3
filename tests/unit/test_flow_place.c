/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow_world.h"
#include "test.h"

static enum err_code find(struct world *w, const char *name, struct challenge_place *out)
{
    err_init(&w->err);
    return challenge_locate(world_current(w), name, out, &w->err);
}

/* Nothing was changed anywhere. */
static void expect_untouched(struct world *w)
{
    assert_int_equal(fake_api_count_method(w->api, "GET"), w->api->request_count);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    assert_int_equal(w->dns->names_spoilt, 0);
}

TEST(the_place_of_a_record_is_told_with_its_servers)
{
    struct world *w = world_new();
    AUTO(challenge_place_done) struct challenge_place place = {.zone_id = 0};

    assert_int_equal(find(w, "_acme-challenge.www.example.com", &place), ERR_OK);
    assert_string_equal(place.record_name, "_acme-challenge.www.example.com");
    assert_string_equal(place.zone, "example.com");
    assert_int_equal(place.zone_id, EXAMPLE_COM);
    assert_ptr_equal(place.account, &w->accounts[0]);
    assert_non_null(place.servers);
    assert_int_equal(place.servers->count, 2);
    assert_string_equal(place.servers->items[0].name, "ns1.dme.test");
    assert_string_equal(place.servers->items[0].addresses.items[0], "192.0.2.1");
    expect_untouched(w);
    challenge_place_done(&place);
    world_free(w);
}

TEST(the_deepest_zone_of_the_account_is_the_place)
{
    struct world *w = world_new();
    AUTO(challenge_place_done) struct challenge_place place = {.zone_id = 0};

    assert_int_equal(find(w, "_acme-challenge.a.b.sub.example.com", &place), ERR_OK);
    assert_string_equal(place.zone, "sub.example.com");
    assert_int_equal(place.zone_id, SUB_EXAMPLE_COM);
    expect_untouched(w);
    challenge_place_done(&place);
    world_free(w);
}

TEST(an_alias_leads_to_its_targets_place)
{
    struct world *w = world_new();
    AUTO(challenge_place_done) struct challenge_place place = {.zone_id = 0};

    fake_resolver_add(w->dns, "_acme-challenge.www.example.com", DNS_CNAME, "www.acme.example.net");
    assert_int_equal(find(w, "_acme-challenge.www.example.com", &place), ERR_OK);
    assert_string_equal(place.record_name, "www.acme.example.net");
    assert_string_equal(place.zone, "example.net");
    assert_string_equal(place.servers->items[0].name, "ns3.dme.test");
    expect_untouched(w);
    challenge_place_done(&place);
    world_free(w);
}

TEST(one_place_after_the_other_costs_one_look_up_a_zone)
{
    struct world *w = world_new();
    struct challenge_place place = {.zone_id = 0};
    size_t asked;

    assert_int_equal(find(w, "_acme-challenge.example.com", &place), ERR_OK);
    challenge_place_done(&place);
    asked = w->api->request_count;
    assert_int_equal(find(w, "_acme-challenge.www.example.com", &place), ERR_OK);
    challenge_place_done(&place);
    assert_int_equal(w->api->request_count, asked);
    world_free(w);
}

TEST(a_name_in_nobodys_zone_has_no_place)
{
    struct world *w = world_new();
    struct challenge_place place = {.zone_id = 4711};

    assert_int_equal(find(w, "_acme-challenge.foreign.test", &place), ERR_ZONE);
    assert_int_equal(w->err.code, ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "foreign.test"));
    assert_int_equal(place.zone_id, 4711); /* untouched */
    expect_untouched(w);
    world_free(w);
}

TEST(aliases_in_a_circle_have_no_place)
{
    struct world *w = world_new();
    struct challenge_place place = {.zone_id = 0};

    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "_acme-challenge.example.net");
    fake_resolver_add(w->dns, "_acme-challenge.example.net", DNS_CNAME, "_acme-challenge.example.com");
    assert_int_equal(find(w, "_acme-challenge.example.com", &place), ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "loop"));
    expect_untouched(w);
    world_free(w);
}

/* ------------------------------------------------------------------ DNS that does not answer */

TEST(when_the_servers_are_not_known_the_place_is_and_the_error_says_why)
{
    struct world *w = world_new();
    AUTO(challenge_place_done) struct challenge_place place = {.zone_id = 0};

    for (size_t i = 0; i < 16; i++) /* the API names servers, but no addresses that lead to them */
        w->api->zones[i].server_count = 0;
    fake_resolver_fail(w->dns, ERR_TIMEOUT, 0, FAKE_API_FOREVER);
    assert_int_equal(find(w, "_acme-challenge.example.com", &place), ERR_OK);
    assert_string_equal(place.zone, "example.com");
    assert_null(place.servers);
    assert_int_equal(place.servers_err.code, ERR_TIMEOUT);
    assert_non_null(strstr(place.servers_err.msg, "example.com"));
    expect_untouched(w);
    challenge_place_done(&place);
    world_free(w);
}

TEST(servers_that_are_silent_are_told_all_the_same)
{
    struct world *w = world_new();
    AUTO(challenge_place_done) struct challenge_place place = {.zone_id = 0};

    w->dns->servers[0].mood = w->dns->servers[1].mood = FAKE_SERVER_SILENT;
    assert_int_equal(find(w, "_acme-challenge.example.com", &place), ERR_OK);
    assert_non_null(place.servers);
    assert_int_equal(place.servers->count, 2);
    challenge_place_done(&place);
    world_free(w);
}

static void interrupt_everywhere(struct world *w)
{
    struct challenge_place place = {.zone_id = 0};
    size_t cancelled = 0;
    enum err_code code;

    do {
        (void)world_engine(w);
        w->clock.cancelled = false;
        w->clock.cancel_at_ms = w->clock.mono_ms + 1 + (int64_t)cancelled * 3;
        code = find(w, "_acme-challenge.www.example.com", &place);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_CANCELLED);
        assert_int_equal(w->err.code, ERR_CANCELLED);
        assert_true(w->err.msg[0] != '\0');
        cancelled++;
    } while (cancelled < 1000);
    assert_int_equal(code, ERR_OK); /* later than all of it */
    assert_true(cancelled >= 3);
    challenge_place_done(&place);
    w->clock.cancelled = false;
    w->clock.cancel_at_ms = 0;
    expect_untouched(w);
}

TEST(an_interrupt_at_any_time_ends_it_and_says_so)
{
    struct world *w = world_new();

    interrupt_everywhere(w);
    world_free(w);
}

TEST(an_interrupt_while_only_the_servers_are_looked_for_does_too)
{
    struct world *w = world_new();

    w->opts.doh = w->doh_list;
    w->opts.doh_count = 1;
    w->opts.doh_mode = CHALLENGE_DOH_ALWAYS; /* they are not needed to find the place */
    interrupt_everywhere(w);
    world_free(w);
}

TEST(an_empty_place_is_no_trouble)
{
    struct challenge_place place = {.zone_id = 0};

    challenge_place_done(&place);
    challenge_place_done(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_place_of_a_record_is_told_with_its_servers),
        cmocka_unit_test(the_deepest_zone_of_the_account_is_the_place),
        cmocka_unit_test(an_alias_leads_to_its_targets_place),
        cmocka_unit_test(one_place_after_the_other_costs_one_look_up_a_zone),
        cmocka_unit_test(a_name_in_nobodys_zone_has_no_place),
        cmocka_unit_test(aliases_in_a_circle_have_no_place),
        cmocka_unit_test(when_the_servers_are_not_known_the_place_is_and_the_error_says_why),
        cmocka_unit_test(servers_that_are_silent_are_told_all_the_same),
        cmocka_unit_test(an_interrupt_at_any_time_ends_it_and_says_so),
        cmocka_unit_test(an_interrupt_while_only_the_servers_are_looked_for_does_too),
        cmocka_unit_test(an_empty_place_is_no_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
