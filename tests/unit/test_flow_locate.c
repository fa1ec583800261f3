/* SPDX-License-Identifier: MIT
 *
 * From the name that was asked for to the record: zones.c, propose.c, locate.c and servers.c, seen from outside.
 */
#include <stdlib.h>
#include <string.h>

#include "flow_world.h"
#include "test.h"

static const struct pair one[] = {{"_acme-challenge.example.com", VALUE_A}, {NULL, NULL}};

/* What was asked of the API: "GET /dns/managed/name?domainname=..." is shown as "?...", a POST as "+". */
static char *trace(const struct world *w)
{
    struct buf out = BUF_INIT(10000);

    for (size_t i = 0; i < w->api->request_count; i++) {
        const struct fake_api_request *r = &w->api->requests[i];
        const char *name = strstr(r->target, "domainname=");

        if (name)
            buf_printf(&out, "%s?%s", i ? " " : "", strchr(name, '=') + 1);
        else
            buf_printf(&out, "%s%s", i ? " " : "", strcmp(r->method, "POST") == 0 ? "+" : r->method);
    }
    return buf_take(&out);
}

static void expect_trace(const struct world *w, const char *want)
{
    AUTO_FREE char *is = trace(w);

    assert_string_equal(is, want);
}

/* ------------------------------------------------------------------ finding the zone */

TEST(the_cut_that_dns_shows_is_asked_for_first)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.a.b.c.example.com", VALUE_A})), ERR_OK);
    expect_trace(w, "?example.com +");
    world_free(w);
}

TEST(no_resolver_is_ever_asked_about_the_record_itself)
{
    struct world *w = world_new();

    w->dns->servers[0].lag_ms = 7000;
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    w->no_journal = true;
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(w->dns->names_spoilt, 0);
    assert_true(w->dns->asked_count > 0);
    world_free(w);
}

TEST(without_any_dns_every_suffix_is_asked_for_longest_first)
{
    struct world *w = world_new();

    fake_resolver_fail(w->dns, ERR_TIMEOUT, 0, SIZE_MAX);
    (void)world_engine(w);
    assert_int_equal(world_publish_with(w, PAIRS({"_acme-challenge.x.sub.example.com", VALUE_A}),
                                        &(struct challenge_publish_opts){.wait = CHALLENGE_NO_WAIT}),
                     ERR_OK);
    expect_trace(w, "?_acme-challenge.x.sub.example.com ?x.sub.example.com ?sub.example.com +");
    world_free(w);
}

TEST(a_remembered_parent_does_not_hide_a_sub_zone)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    w->api->request_count = 0;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.sub.example.com", VALUE_A})), ERR_OK);
    expect_trace(w, "?sub.example.com +");
    assert_non_null(fake_api_find_txt(w->api, SUB_EXAMPLE_COM, "_acme-challenge", VALUE_A));
    w->api->request_count = 0;
    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_B}, {"_acme-challenge.sub.example.com", VALUE_B})),
        ERR_OK);
    expect_trace(w, "+ +"); /* both are remembered, whichever comes first */
    world_free(w);
}

TEST(a_sub_zone_on_other_servers_is_found_through_the_delegation)
{
    struct world *w = world_new();

    for (int i = 0; i < 2; i++)
        w->dns->servers[i].zone_count = 1;
    fake_server_serve(&w->dns->servers[2], "sub.example.com"); /* ns3 */
    strlist_add(&w->zones[0], "example.com");
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.www.sub.example.com", VALUE_A})), ERR_OK);
    expect_trace(w, "?example.com ?sub.example.com +");
    assert_non_null(fake_api_find_txt(w->api, SUB_EXAMPLE_COM, "_acme-challenge.www", VALUE_A));
    world_free(w);
}

TEST(a_sub_zone_that_is_delegated_to_strangers_is_refused)
{
    struct world *w = world_new();

    fake_server_serve(&w->dns->servers[3], "away.example.com");
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.away.example.com", VALUE_A})), ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "\"away.example.com\""));
    assert_non_null(strstr(w->err.msg, "delegates away"));
    assert_true(*w->err.hint);
    assert_int_equal(fake_api_count_method(w->api, "POST"), 0);
    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.away.example.com", VALUE_A})), ERR_OK);
    world_free(w);
}

TEST(names_of_a_stranger_s_zone_do_not_ask_for_it_again_and_again)
{
    struct world *w = world_new();

    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.a.foreign.test", VALUE_A},
                                             {"_acme-challenge.b.foreign.test", VALUE_A},
                                             {"_acme-challenge.c.foreign.test", VALUE_A})),
                     ERR_OK);
    expect_trace(w, "?foreign.test ?_acme-challenge.a.foreign.test ?a.foreign.test "
                    "?_acme-challenge.b.foreign.test ?b.foreign.test ?_acme-challenge.c.foreign.test ?c.foreign.test");
    world_free(w);
}

/* ------------------------------------------------------------------ several accounts */

TEST(the_default_account_is_asked_first_and_the_others_after_it)
{
    struct world *w = world_new();

    w->opts.account_count = 3;
    w->accounts[0].is_default = false;
    w->accounts[1].is_default = true;
    fake_api_find_zone(w->api, "example.net")->account = 2;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.net", VALUE_A})), ERR_OK);
    expect_trace(w, "?example.net ?example.net ?example.net +");
    assert_true(world_log_has(w, "zone \"example.net\" is in account \"account-2\""));
    w->api->request_count = 0;
    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.example.net", VALUE_A})), ERR_OK);
    expect_trace(w, "DELETE");
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(the_account_that_lists_the_zone_is_the_only_one_asked)
{
    struct world *w = world_new();

    w->opts.account_count = 3;
    strlist_add(&w->zones[2], "example.net");
    fake_api_find_zone(w->api, "example.net")->account = 2;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.net", VALUE_A})), ERR_OK);
    expect_trace(w, "?example.net +");
    world_free(w);
}

TEST(of_two_accounts_that_list_a_zone_the_one_with_the_longer_entry_has_it)
{
    struct world *w = world_new();

    w->opts.account_count = 2;
    strlist_add(&w->zones[0], "example.com");
    strlist_add(&w->zones[1], "sub.example.com");
    fake_api_find_zone(w->api, "sub.example.com")->account = 1;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.sub.example.com", VALUE_A})), ERR_OK);
    expect_trace(w, "?sub.example.com +");
    w->api->request_count = 0;
    assert_int_equal(world_publish(w, one), ERR_OK);
    expect_trace(w, "?example.com +");
    world_free(w);
}

TEST(an_account_with_a_key_that_is_no_good_does_not_keep_the_others_from_working)
{
    struct world *w = world_new();

    w->opts.account_count = 2;
    fake_api_find_zone(w->api, "example.com")->account = 1;
    fake_api_find_zone(w->api, "sub.example.com")->account = 1;
    w->api->refused_account = 0;
    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.sub.example.com", VALUE_A})),
        ERR_OK);
    expect_trace(w, "?example.com ?example.com ?sub.example.com + +"); /* refused once, not asked again */
    assert_true(world_log_has(w, "account \"account-0\": "));
    world_free(w);
}

TEST(a_key_that_is_no_good_is_named_when_the_zone_may_be_in_its_account)
{
    struct world *w = world_new();

    w->opts.account_count = 2;
    w->api->refused_account = 0;
    assert_int_equal(world_publish(w, one), ERR_AUTH);
    world_free(w);
}

TEST(the_only_account_s_refusal_ends_the_search_at_once)
{
    struct world *w = world_new();

    w->api->refused_account = 0;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.a.b.c.example.com", VALUE_A})), ERR_AUTH);
    assert_int_equal(w->api->request_count, 1);
    world_free(w);
}

/* As a configuration file with encrypted values in one of its accounts. */
static void make_unusable(struct world *w, size_t account)
{
    dme_free(w->accounts[account].dme);
    w->accounts[account].dme = NULL;
    w->accounts[account].key_id = NULL;
    w->accounts[account].unusable = "the credentials of account \"account-1\" are encrypted, not supported";
}

TEST(an_account_that_can_t_be_used_is_an_error_for_its_zones_only)
{
    struct world *w = world_new();

    w->opts.account_count = 2;
    strlist_add(&w->zones[1], "example.net");
    make_unusable(w, 1);
    assert_int_equal(world_publish(w, one), ERR_OK);
    w->api->request_count = 0;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.net", VALUE_A})), ERR_CONFIG);
    assert_non_null(strstr(w->err.msg, "\"account-1\" are encrypted"));
    assert_int_equal(w->api->request_count, 0);
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.foreign.test", VALUE_A})), ERR_ZONE);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    world_free(w);
}

TEST(accounts_that_can_t_be_used_have_no_zones_but_those_they_list)
{
    struct world *w = world_new();

    w->opts.account_count = 1;
    w->accounts[0].is_default = false;
    make_unusable(w, 0);
    assert_int_equal(world_publish(w, one), ERR_ZONE);
    assert_int_equal(w->api->request_count, 0);
    world_free(w);
}

TEST(a_journal_entry_of_an_account_that_can_t_be_used_any_more_is_kept)
{
    struct world *w = world_new();
    struct world_swept swept;

    w->opts.account_count = 2;
    fake_api_find_zone(w->api, "example.net")->account = 1;
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.net", VALUE_A})), ERR_OK);
    make_unusable(w, 1);
    w->clock.wall_ms += 2 * DAY_MS;
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.foreign, 1);
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

TEST(a_zone_on_its_way_from_one_account_to_another_is_found_in_the_other)
{
    struct world *w = world_new();

    w->opts.account_count = 2;
    fake_api_find_zone(w->api, "example.net")->pending_action = 3;
    fake_api_add_zone(w->api, 1, 121, "example.net");
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.net", VALUE_A})), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, 121, "_acme-challenge", VALUE_A));
    world_free(w);
}

/* ------------------------------------------------------------------ split horizon */

/* A resolver in an office: example.com has its own servers there, and a sub-domain of its own. */
static void move_inside(struct world *w)
{
    struct fake_server *dc = fake_resolver_add_server(w->dns, "dc.corp.example.com", "10.1.2.3");

    dc->is_inside = true;
    dc->lag_ms = FAKE_NEVER;
    fake_server_serve(dc, "example.com");
    fake_server_serve(dc, "corp.example.com");
    fake_resolver_add_inside(w->dns, "corp.example.com", DNS_SOA, "");
    fake_resolver_add_inside(w->dns, "example.com", DNS_SOA, "");
    fake_resolver_add_inside(w->dns, "example.com", DNS_NS, "dc.corp.example.com");
    fake_resolver_add_inside(w->dns, "corp.example.com", DNS_NS, "dc.corp.example.com");
    fake_resolver_add_inside(w->dns, "sub.example.com", DNS_NS, "dc.corp.example.com");
}

TEST(an_inside_zone_that_the_account_does_not_have_is_passed_over)
{
    struct world *w = world_new();

    move_inside(w);
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.host.corp.example.com", VALUE_A})), ERR_OK);
    expect_trace(w, "?corp.example.com ?_acme-challenge.host.corp.example.com ?host.corp.example.com ?example.com +");
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge.host.corp", VALUE_A));
    world_free(w);
}

TEST(inside_servers_are_not_waited_for_when_the_public_ones_can_be_asked)
{
    struct world *w = world_new();
    int64_t start_ms = w->clock.mono_ms;

    move_inside(w);
    w->dns->servers[1].lag_ms = 3000;
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_true(w->clock.mono_ms - start_ms >= 3000);
    assert_true(w->clock.mono_ms - start_ms < 4000);
    assert_true(fake_resolver_count(w->dns, "192.0.2.1", DNS_TXT) > 0);
    assert_int_equal(fake_resolver_count(w->dns, "10.1.2.3", DNS_TXT), 0);
    world_free(w);
}

TEST(a_sub_zone_that_the_inside_view_lacks_is_found_at_the_public_servers)
{
    struct world *w = world_new();

    move_inside(w);
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.sub.example.com", VALUE_A})), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, SUB_EXAMPLE_COM, "_acme-challenge", VALUE_A));
    world_free(w);
}

TEST(servers_with_private_addresses_are_waited_for_when_nobody_else_answers)
{
    struct world *w = world_new();

    move_inside(w);
    w->dns->servers[0].mood = FAKE_SERVER_SILENT;
    w->dns->servers[1].mood = FAKE_SERVER_SILENT;
    w->dns->servers[4].lag_ms = 2000; /* the inside server is fed after all */
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_true(fake_resolver_count(w->dns, "10.1.2.3", DNS_TXT) > 0);
    world_free(w);
}

TEST(private_addresses_of_the_very_servers_that_the_api_names_are_not_an_inside_view)
{
    struct world *w = world_new();
    struct fake_server *near = fake_resolver_add_server(w->dns, "ns1.dme.test", "10.0.0.1");

    near->is_inside = true; /* a way to the same servers through a tunnel, say */
    fake_server_serve(near, "example.com");
    fake_resolver_add_inside(w->dns, "ns1.dme.test", DNS_A, "10.0.0.1");
    fake_resolver_add_inside(w->dns, "ns2.dme.test", DNS_A, "10.0.0.1");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_true(fake_resolver_count(w->dns, "10.0.0.1", DNS_TXT) > 0);
    assert_int_equal(fake_resolver_count(w->dns, "192.0.2.1", DNS_TXT), 0);
    world_free(w);
}

TEST(the_configured_name_servers_are_the_only_ones_asked)
{
    struct world *w = world_new();

    strlist_add(&w->nameservers, "192.0.2.2");
    assert_int_equal(world_publish(w, one), ERR_OK);
    expect_trace(w, "?example.com +");
    assert_int_equal(w->dns->asked_count, fake_resolver_count(w->dns, "192.0.2.2", DNS_TXT) +
                                              fake_resolver_count(w->dns, "192.0.2.2", DNS_CNAME));
    world_free(w);
}

TEST(a_zone_that_dns_does_not_show_yet_is_asked_about_at_the_servers_that_the_api_names)
{
    struct world *w = world_new();
    struct fake_api_zone *zone = fake_api_add_zone(w->api, 0, 31, "new.test");

    fake_api_zone_add_server(zone, "ns1.dme.test", "192.0.2.9");
    fake_server_serve(fake_resolver_add_server(w->dns, "hidden", "192.0.2.9"), "new.test");
    w->dns->servers[4].is_inside = true; /* not delegated to */
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.new.test", VALUE_A})), ERR_OK);
    assert_true(fake_resolver_count(w->dns, "192.0.2.9", DNS_TXT) > 0);
    world_free(w);
}

TEST(silent_servers_cost_their_time_once_and_not_for_each_name)
{
    struct world *w = world_new();
    int64_t start_ms;

    w->dns->servers[0].mood = FAKE_SERVER_SILENT;
    w->dns->servers[1].mood = FAKE_SERVER_SILENT;
    (void)world_engine(w);
    start_ms = w->clock.mono_ms;
    assert_int_equal(world_publish_with(
                         w,
                         PAIRS({"_acme-challenge.a.example.com", VALUE_A}, {"_acme-challenge.b.example.com", VALUE_A},
                               {"_acme-challenge.c.example.com", VALUE_A}, {"_acme-challenge.d.example.com", VALUE_A}),
                         &(struct challenge_publish_opts){.wait = CHALLENGE_NO_WAIT}),
                     ERR_OK);
    assert_true(w->clock.mono_ms - start_ms < 10000);
    assert_int_equal(fake_resolver_count(w->dns, "192.0.2.1", DNS_CNAME), 2); /* UDP and TCP */
    world_free(w);
}

/* ------------------------------------------------------------------ CNAMEs */

TEST(a_cname_is_followed_into_another_zone_of_ours)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "example-com.acme.example.net");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_NET, "example-com.acme", VALUE_A));
    assert_true(world_is_safe(w, "published"));
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(a_cname_is_followed_without_a_journal_when_withdrawing_too)
{
    struct world *w = world_new();

    w->no_journal = true;
    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "x.example.net");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(a_chain_of_cnames_through_a_stranger_s_zone_is_followed)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "hop.foreign.test");
    fake_resolver_add(w->dns, "hop.foreign.test", DNS_CNAME, "end.example.net");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_NET, "end", VALUE_A));
    world_free(w);
}

TEST(a_name_in_a_stranger_s_zone_that_points_to_ours_is_published)
{
    struct world *w = world_new();
    const struct pair outside[] = {{"_acme-challenge.www.foreign.test", VALUE_A}, {NULL, NULL}};

    fake_resolver_add(w->dns, "_acme-challenge.www.foreign.test", DNS_CNAME, "foreign.acme.example.net");
    assert_int_equal(world_publish(w, outside), ERR_OK);
    expect_trace(w, "?foreign.test ?example.net +");
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_NET, "foreign.acme", VALUE_A));
    assert_int_equal(world_withdraw(w, outside), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(a_name_in_a_delegated_part_of_a_stranger_s_zone_is_followed_too)
{
    struct world *w = world_new();

    fake_resolver_add_inside(w->dns, "deep.foreign.test", DNS_SOA, ""); /* cached wrongly: there is no such cut */
    fake_resolver_add_inside(w->dns, "deep.foreign.test", DNS_NS, "ns.foreign.test");
    fake_server_serve(&w->dns->servers[2], "acme.deep.foreign.test");
    fake_resolver_add(w->dns, "_acme-challenge.acme.deep.foreign.test", DNS_CNAME, "x.example.net");
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.acme.deep.foreign.test", VALUE_A})), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_NET, "x", VALUE_A));
    world_free(w);
}

TEST(a_cname_to_strangers_is_refused_and_shows_the_way)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "x.foreign.test");
    assert_int_equal(world_publish(w, one), ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "\"_acme-challenge.example.com\" -> \"x.foreign.test\""));
    assert_non_null(strstr(w->err.hint, "follow_cname"));
    assert_int_equal(fake_api_count_method(w->api, "POST"), 0);
    world_free(w);
}

TEST(cnames_that_form_a_loop_are_refused_and_shown)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "a.example.net");
    fake_resolver_add(w->dns, "a.example.net", DNS_CNAME, "b.foreign.test");
    fake_resolver_add(w->dns, "b.foreign.test", DNS_CNAME, "_acme-challenge.example.com");
    assert_int_equal(world_publish(w, one), ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "form a loop"));
    assert_non_null(strstr(w->err.msg, "-> \"b.foreign.test\" -> \"_acme-challenge.example.com\""));
    assert_int_equal(fake_api_count_method(w->api, "POST"), 0);
    world_free(w);
}

TEST(a_cname_to_itself_is_a_loop)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "_acme-challenge.example.com");
    assert_int_equal(world_publish(w, one), ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "form a loop"));
    world_free(w);
}

TEST(cnames_without_end_are_refused)
{
    static const char *const names[] = {"_acme-challenge.example.com",
                                        "n1.example.net",
                                        "n2.example.net",
                                        "n3.example.net",
                                        "n4.example.net",
                                        "n5.example.net",
                                        "n6.example.net",
                                        "n7.example.net",
                                        "n8.example.net",
                                        "n9.example.net",
                                        "n10.example.net",
                                        "n11.example.net",
                                        "n12.example.net",
                                        "n13.example.net",
                                        "n14.example.net",
                                        "n15.example.net",
                                        "n16.example.net",
                                        "n17.example.net",
                                        "n18.example.net"};
    struct world *w = world_new();

    for (size_t i = 0; i + 1 < ARRAY_LEN(names); i++)
        fake_resolver_add(w->dns, names[i], DNS_CNAME, names[i + 1]);
    assert_int_equal(world_publish(w, one), ERR_ZONE);
    assert_non_null(strstr(w->err.msg, "are too many"));
    world_free(w);
}

TEST(a_cname_to_something_that_is_no_name_is_refused)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "with space.example.net");
    assert_int_equal(world_publish(w, one), ERR_INPUT);
    assert_non_null(strstr(w->err.msg, "\"_acme-challenge.example.com\""));
    world_free(w);
}

TEST(with_follow_cname_off_the_name_itself_is_written_to_in_the_zone_it_is_in)
{
    struct world *w = world_new();

    w->opts.cname = CHALLENGE_CNAME_IGNORE;
    fake_resolver_add(w->dns, "_acme-challenge.sub.example.com", DNS_CNAME, "x.foreign.test");
    strlist_add(&w->zones[0], "example.com"); /* the parent is proposed first */
    (void)world_engine(w);
    assert_int_equal(world_publish_with(w, PAIRS({"_acme-challenge.sub.example.com", VALUE_A}),
                                        &(struct challenge_publish_opts){.wait = CHALLENGE_NO_WAIT}),
                     ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, SUB_EXAMPLE_COM, "_acme-challenge", VALUE_A));
    world_free(w);
}

TEST(a_wildcard_cname_is_not_meant_for_challenges)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "*.example.com", DNS_CNAME, "web.foreign.test");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(a_wildcard_cname_does_not_lead_away_when_nothing_else_tells_the_zone)
{
    struct world *w = world_new();

    strlist_add(&w->nameservers, "192.0.2.1");
    fake_resolver_add(w->dns, "*.example.com", DNS_CNAME, "x.example.net");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    world_free(w);
}

TEST(a_cname_beside_a_wildcard_is_followed_when_it_leads_elsewhere)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "*.example.com", DNS_CNAME, "web.foreign.test");
    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "x.example.net");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_NET, "x", VALUE_A));
    world_free(w);
}

TEST(a_cname_is_followed_by_the_first_of_two_doh_servers_and_waited_for_by_the_second)
{
    struct world *w = world_new();
    struct fake_resolver *second = fake_resolver_new(&w->clock, w->api);
    struct resolver *both[] = {fake_resolver_base(w->doh), fake_resolver_base(second)};

    second->doh_of = w->dns;
    w->opts.doh = both;
    w->opts.doh_count = 2;
    w->opts.doh_mode = CHALLENGE_DOH_ALWAYS;
    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "x.example.net");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_NET, "x", VALUE_A));
    assert_int_equal(fake_resolver_count(w->doh, "", DNS_TXT), 0);
    assert_int_equal(fake_resolver_count(second, "", DNS_CNAME), 0);
    assert_true(fake_resolver_count(second, "", DNS_TXT) > 0);
    assert_int_equal(w->dns->asked_count, 0);
    fake_resolver_free(second);
    world_free(w);
}

TEST(a_wildcard_cname_in_a_stranger_s_zone_counts_as_there_is_no_other_way)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "*.foreign.test", DNS_CNAME, "x.example.net");
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.foreign.test", VALUE_A})), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_NET, "x", VALUE_A));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cut_that_dns_shows_is_asked_for_first),
        cmocka_unit_test(no_resolver_is_ever_asked_about_the_record_itself),
        cmocka_unit_test(without_any_dns_every_suffix_is_asked_for_longest_first),
        cmocka_unit_test(a_remembered_parent_does_not_hide_a_sub_zone),
        cmocka_unit_test(a_sub_zone_on_other_servers_is_found_through_the_delegation),
        cmocka_unit_test(a_sub_zone_that_is_delegated_to_strangers_is_refused),
        cmocka_unit_test(names_of_a_stranger_s_zone_do_not_ask_for_it_again_and_again),
        cmocka_unit_test(the_default_account_is_asked_first_and_the_others_after_it),
        cmocka_unit_test(the_account_that_lists_the_zone_is_the_only_one_asked),
        cmocka_unit_test(of_two_accounts_that_list_a_zone_the_one_with_the_longer_entry_has_it),
        cmocka_unit_test(an_account_with_a_key_that_is_no_good_does_not_keep_the_others_from_working),
        cmocka_unit_test(a_key_that_is_no_good_is_named_when_the_zone_may_be_in_its_account),
        cmocka_unit_test(the_only_account_s_refusal_ends_the_search_at_once),
        cmocka_unit_test(an_account_that_can_t_be_used_is_an_error_for_its_zones_only),
        cmocka_unit_test(accounts_that_can_t_be_used_have_no_zones_but_those_they_list),
        cmocka_unit_test(a_journal_entry_of_an_account_that_can_t_be_used_any_more_is_kept),
        cmocka_unit_test(a_zone_on_its_way_from_one_account_to_another_is_found_in_the_other),
        cmocka_unit_test(an_inside_zone_that_the_account_does_not_have_is_passed_over),
        cmocka_unit_test(inside_servers_are_not_waited_for_when_the_public_ones_can_be_asked),
        cmocka_unit_test(a_sub_zone_that_the_inside_view_lacks_is_found_at_the_public_servers),
        cmocka_unit_test(servers_with_private_addresses_are_waited_for_when_nobody_else_answers),
        cmocka_unit_test(private_addresses_of_the_very_servers_that_the_api_names_are_not_an_inside_view),
        cmocka_unit_test(the_configured_name_servers_are_the_only_ones_asked),
        cmocka_unit_test(a_zone_that_dns_does_not_show_yet_is_asked_about_at_the_servers_that_the_api_names),
        cmocka_unit_test(silent_servers_cost_their_time_once_and_not_for_each_name),
        cmocka_unit_test(a_cname_is_followed_into_another_zone_of_ours),
        cmocka_unit_test(a_cname_is_followed_without_a_journal_when_withdrawing_too),
        cmocka_unit_test(a_chain_of_cnames_through_a_stranger_s_zone_is_followed),
        cmocka_unit_test(a_name_in_a_stranger_s_zone_that_points_to_ours_is_published),
        cmocka_unit_test(a_name_in_a_delegated_part_of_a_stranger_s_zone_is_followed_too),
        cmocka_unit_test(a_cname_to_strangers_is_refused_and_shows_the_way),
        cmocka_unit_test(cnames_that_form_a_loop_are_refused_and_shown),
        cmocka_unit_test(a_cname_to_itself_is_a_loop),
        cmocka_unit_test(cnames_without_end_are_refused),
        cmocka_unit_test(a_cname_to_something_that_is_no_name_is_refused),
        cmocka_unit_test(with_follow_cname_off_the_name_itself_is_written_to_in_the_zone_it_is_in),
        cmocka_unit_test(a_wildcard_cname_is_not_meant_for_challenges),
        cmocka_unit_test(a_wildcard_cname_does_not_lead_away_when_nothing_else_tells_the_zone),
        cmocka_unit_test(a_cname_beside_a_wildcard_is_followed_when_it_leads_elsewhere),
        cmocka_unit_test(a_cname_is_followed_by_the_first_of_two_doh_servers_and_waited_for_by_the_second),
        cmocka_unit_test(a_wildcard_cname_in_a_stranger_s_zone_counts_as_there_is_no_other_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
