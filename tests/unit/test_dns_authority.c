/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/authority.h"
#include "fake_dns.h"
#include "test.h"

static struct fake_clock the_clock;
static struct fake_dns *dns;
static struct err err;

static void begin(fake_dns_world *world, void *ctx)
{
    fake_clock_init(&the_clock);
    dns = fake_dns_new(&the_clock, world, ctx);
    err_init(&err);
}

static int64_t elapsed(void)
{
    return the_clock.mono_ms - dns->start_ms;
}

/* ------------------------------------------------------------------ zone of a name */

static void zones_world(void *ctx, const struct dns_question *q, UNUSED int64_t now_ms, struct fake_dns_reply *reply)
{
    struct strlist *asked = ctx;
    struct dns_answer *a = &reply->answer;

    assert_null(q->server);
    assert_int_equal(q->type, DNS_SOA);
    if (asked)
        strlist_add(asked, q->name);
    if (strcmp(q->name, "example.com") == 0 || strcmp(q->name, "sub.example.com") == 0) {
        fake_dns_put(a, q->name, DNS_SOA, "ns1.example.net");
    } else if (strcmp(q->name, "alias.example.com") == 0) {
        fake_dns_put(a, q->name, DNS_CNAME, "host.example.org");
        fake_dns_put_soa(a, "example.org", 180);
    } else if (strcmp(q->name, "apexalias.example.com") == 0) { /* its target is an apex: SOA in the answer */
        fake_dns_put(a, q->name, DNS_CNAME, "example.org");
        fake_dns_put(a, "example.org", DNS_SOA, "ns1.example.net");
    } else if (strcmp(q->name, "broken.example.com") == 0) {
        a->rcode = DNS_SERVFAIL;
    } else if (strcmp(q->name, "slow.example.com") == 0) {
        reply->takes_ms = INT64_MAX;
    } else if (strstr(q->name, "example.com")) {
        a->rcode = DNS_NXDOMAIN;
        fake_dns_put_soa(a, strstr(q->name, "sub.") ? "sub.example.com" : "example.com", 180);
    } else {
        a->rcode = DNS_NXDOMAIN;
        fake_dns_put_soa(a, "", 86400); /* the root */
    }
}

static void expect_zone(const char *name, const char *want)
{
    char *zone = NULL;

    begin(zones_world, NULL);
    if (authority_find_zone(&dns->base, name, &zone, &err) != ERR_OK)
        fail_msg("%s: %s", name, err.msg);
    assert_string_equal(zone, want);
    free(zone);
    fake_dns_done(dns);
}

TEST(the_zone_is_the_owner_of_the_soa_in_answer_or_authority)
{
    expect_zone("example.com", "example.com");
    expect_zone("www.example.com", "example.com");
    expect_zone("a.b.c.example.com", "example.com");
    expect_zone("sub.example.com", "sub.example.com");
    expect_zone("x.sub.example.com", "sub.example.com");
}

TEST(with_an_alias_at_the_name_its_parent_tells_the_zone)
{
    expect_zone("alias.example.com", "example.com");
    expect_zone("apexalias.example.com", "example.com");
}

TEST(a_broken_name_does_not_hide_the_zone_above)
{
    expect_zone("broken.example.com", "example.com");
}

TEST(resolvers_are_never_asked_for_the_name_of_a_record)
{
    struct strlist asked = {NULL, 0};
    char *zone = NULL;

    begin(zones_world, &asked);
    assert_int_equal(authority_find_zone(&dns->base, "_acme-challenge.www.example.com", &zone, &err), ERR_OK);
    assert_string_equal(zone, "example.com");
    assert_int_equal(asked.count, 1);
    assert_string_equal(asked.items[0], "www.example.com");
    free(zone);
    strlist_done(&asked);
    fake_dns_done(dns);
}

TEST(the_root_is_nobodys_zone)
{
    char *zone = NULL;

    begin(zones_world, NULL);
    assert_int_equal(authority_find_zone(&dns->base, "host.nonsense", &zone, &err), ERR_DNS);
    assert_null(zone);
    assert_non_null(strstr(err.msg, "\"host.nonsense\""));
    assert_non_null(strstr(err.msg, "NXDOMAIN"));
    fake_dns_done(dns);
}

TEST(silent_resolvers_are_a_time_out_that_names_what_was_asked)
{
    char *zone = NULL;

    begin(zones_world, NULL);
    assert_int_equal(authority_find_zone(&dns->base, "slow.example.com", &zone, &err), ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, "could not find the zone of \"slow.example.com\""));
    fake_dns_done(dns);
}

TEST(an_interrupt_ends_the_search)
{
    char *zone = NULL;

    begin(zones_world, NULL);
    the_clock.cancel_at_ms = the_clock.mono_ms + 5;
    assert_int_equal(authority_find_zone(&dns->base, "www.example.com", &zone, &err), ERR_CANCELLED);
    fake_dns_done(dns);
}

/* ------------------------------------------------------------------ servers of a zone */

static void servers_world(UNUSED void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                          struct fake_dns_reply *reply)
{
    struct dns_answer *a = &reply->answer;

    assert_null(q->server);
    reply->takes_ms = 50;
    if (q->type == DNS_NS) {
        if (strcmp(q->name, "example.com") != 0)
            return;
        fake_dns_put(a, "example.com", DNS_NS, "ns2.example.net");
        fake_dns_put(a, "example.com", DNS_NS, "ns1.example.net");
        fake_dns_put(a, "example.com", DNS_NS, "alias.example.net");
        fake_dns_put(a, "example.com", DNS_NS, "lost.example.net");
        fake_dns_put(a, "other.example", DNS_NS, "not.ours.example");
        return;
    }
    if (strcmp(q->name, "ns1.example.net") == 0 && q->type == DNS_A) {
        fake_dns_put(a, q->name, DNS_A, "192.0.2.11");
        fake_dns_put(a, q->name, DNS_A, "192.0.2.10");
    } else if (strcmp(q->name, "ns1.example.net") == 0) {
        fake_dns_put(a, q->name, DNS_AAAA, "2001:db8::1");
    } else if (strcmp(q->name, "ns2.example.net") == 0 && q->type == DNS_A) {
        fake_dns_put(a, q->name, DNS_A, "192.0.2.20");
    } else if (strcmp(q->name, "alias.example.net") == 0) {
        fake_dns_put(a, q->name, DNS_CNAME, "real.example.net");
        fake_dns_put(a, "real.example.net", q->type, q->type == DNS_A ? "192.0.2.66" : "2001:db8::66");
    } else if (strcmp(q->name, "lost.example.net") == 0) {
        reply->takes_ms = INT64_MAX;
    }
}

TEST(servers_come_sorted_with_all_their_own_addresses)
{
    struct dns_servers servers = {NULL, 0};

    begin(servers_world, NULL);
    assert_int_equal(authority_find_servers(&dns->base, "example.com", &servers, &err), ERR_OK);
    assert_int_equal(servers.count, 4);
    assert_string_equal(servers.items[0].name, "alias.example.net");
    assert_int_equal(servers.items[0].addresses.count, 0); /* an alias is not followed */
    assert_string_equal(servers.items[1].name, "lost.example.net");
    assert_int_equal(servers.items[1].addresses.count, 0);
    assert_string_equal(servers.items[2].name, "ns1.example.net");
    assert_int_equal(servers.items[2].addresses.count, 3);
    assert_string_equal(servers.items[2].addresses.items[0], "192.0.2.10");
    assert_string_equal(servers.items[2].addresses.items[1], "192.0.2.11");
    assert_string_equal(servers.items[2].addresses.items[2], "2001:db8::1");
    assert_string_equal(servers.items[3].addresses.items[0], "192.0.2.20");
    assert_int_equal(dns->asked, 9);
    assert_int_equal(fake_dns_count(dns, "")->open_most, 8); /* side by side */
    dns_servers_done(&servers);
    fake_dns_done(dns);
}

TEST(a_zone_without_servers_is_an_error)
{
    struct dns_servers servers = {NULL, 0};

    begin(servers_world, NULL);
    assert_int_equal(authority_find_servers(&dns->base, "nothing.example", &servers, &err), ERR_DNS);
    assert_non_null(strstr(err.msg, "\"nothing.example\""));
    assert_null(servers.items);
    fake_dns_done(dns);
}

static void no_addresses_world(UNUSED void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                               struct fake_dns_reply *reply)
{
    if (q->type == DNS_NS)
        fake_dns_put(&reply->answer, q->name, DNS_NS, "ns1.example.net");
    else
        reply->takes_ms = INT64_MAX;
}

TEST(when_no_address_can_be_had_the_reason_is_told)
{
    struct dns_servers servers = {NULL, 0};

    begin(no_addresses_world, NULL);
    assert_int_equal(authority_find_servers(&dns->base, "example.com", &servers, &err), ERR_TIMEOUT);
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_null(servers.items);
    fake_dns_done(dns);
}

TEST(an_interrupt_ends_the_search_for_addresses)
{
    struct dns_servers servers = {NULL, 0};

    begin(servers_world, NULL);
    the_clock.cancel_at_ms = the_clock.mono_ms + 70;
    assert_int_equal(authority_find_servers(&dns->base, "example.com", &servers, &err), ERR_CANCELLED);
    assert_int_equal(dns->open_count, 0);
    fake_dns_done(dns);
}

TEST(a_list_of_servers_holds_each_name_and_address_once)
{
    struct dns_servers servers = {NULL, 0};
    struct dns_servers copy;

    dns_servers_add(&servers, "ns1.example.net", NULL);
    dns_servers_add(&servers, "NS1.example.net", "192.0.2.1");
    dns_servers_add(&servers, "ns1.example.net", "192.0.2.1");
    dns_servers_add(&servers, "ns2.example.net", "192.0.2.2");
    dns_servers_copy(&copy, &servers);
    dns_servers_done(&servers);
    assert_int_equal(copy.count, 2);
    assert_int_equal(copy.items[0].addresses.count, 1);
    assert_string_equal(copy.items[1].addresses.items[0], "192.0.2.2");
    dns_servers_done(&copy);
}

/* ------------------------------------------------------------------ what servers say */

enum say {
    SAY_HERE,
    SAY_NXDOMAIN,
    SAY_BARE,
    SAY_ALIAS,
    SAY_DELEGATED,
    SAY_UPWARD,
    SAY_TLD,
    SAY_ITSELF,
    SAY_REFUSED,
    SAY_NO_AUTHORITY,
    SAY_NOTHING,
    SAY_GONE,
    SAY_TCP_ONLY
};

static void look_world(void *ctx, const struct dns_question *q, UNUSED int64_t now_ms, struct fake_dns_reply *reply)
{
    const enum say *says = ctx; /* of 192.0.2.1, .2, ... */
    struct dns_answer *a = &reply->answer;
    enum say say;

    assert_non_null(q->server);
    assert_int_equal(q->type, DNS_CNAME);
    assert_memory_equal(q->server, "192.0.2.", 8);
    say = says[q->server[8] - '1'];
    if (say == SAY_TCP_ONLY)
        say = q->transport == DNS_TCP ? SAY_HERE : SAY_NOTHING;
    a->authoritative = say <= SAY_ALIAS;
    switch (say) {
    case SAY_NXDOMAIN:
        a->rcode = DNS_NXDOMAIN;
        __attribute__((fallthrough));
    case SAY_HERE:
        fake_dns_put_soa(a, "example.com", 180);
        break;
    case SAY_ALIAS:
        fake_dns_put(a, q->name, DNS_CNAME, "x.example.org");
        break;
    case SAY_DELEGATED:
        fake_dns_put_authority(a, "sub.example.com", DNS_NS, "ns1.sub.example.com");
        fake_dns_put_authority(a, "sub.example.com", DNS_NS, "ns2.example.net");
        fake_dns_put_additional(a, "ns1.sub.example.com", DNS_A, "192.0.2.53");
        fake_dns_put_additional(a, "ns2.example.net", DNS_A, "192.0.2.54");   /* out of bailiwick */
        fake_dns_put_additional(a, "x.sub.example.com", DNS_A, "192.0.2.55"); /* not a server */
        break;
    case SAY_UPWARD:
        fake_dns_put_authority(a, "", DNS_NS, "a.root-servers.net");
        break;
    case SAY_TLD:
        fake_dns_put_authority(a, "com", DNS_NS, "a.gtld-servers.net");
        break;
    case SAY_ITSELF: /* as a resolver does from its cache */
        fake_dns_put_authority(a, "example.com", DNS_NS, "ns1.example.net");
        break;
    case SAY_REFUSED:
        a->rcode = DNS_REFUSED;
        break;
    case SAY_NO_AUTHORITY:
        fake_dns_put(a, q->name, DNS_CNAME, "forged.example.org");
        break;
    case SAY_NOTHING:
        reply->takes_ms = INT64_MAX;
        break;
    case SAY_GONE:
        fake_dns_fail(a, ERR_NETWORK);
        break;
    default:
        break;
    }
}

static enum err_code look(const enum say *says, size_t count, struct authority_view *view)
{
    struct dns_servers servers = {NULL, 0};
    enum err_code code;

    begin(look_world, (void *)(uintptr_t)says);
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *name = mem_printf("ns%zu.example.net", i + 1);
        AUTO_FREE char *address = mem_printf("192.0.2.%zu", i + 1);

        dns_servers_add(&servers, name, address);
    }
    code = authority_look(&dns->base, &servers, "example.com", "www.sub.example.com", view, &err);
    dns_servers_done(&servers);
    return code;
}

TEST(a_name_that_the_servers_answer_for_is_here)
{
    static const enum say here[] = {SAY_HERE}, gone[] = {SAY_NXDOMAIN}, bare[] = {SAY_BARE};
    struct authority_view view;

    assert_int_equal(look(here, 1, &view), ERR_OK);
    assert_int_equal(view.kind, AUTHORITY_HERE);
    assert_string_equal(view.zone, "example.com");
    authority_view_done(&view);
    fake_dns_done(dns);
    assert_int_equal(look(gone, 1, &view), ERR_OK);
    assert_int_equal(view.kind, AUTHORITY_HERE);
    assert_string_equal(view.zone, "example.com");
    authority_view_done(&view);
    fake_dns_done(dns);
    assert_int_equal(look(bare, 1, &view), ERR_OK);
    assert_int_equal(view.kind, AUTHORITY_HERE);
    assert_null(view.zone);
    authority_view_done(&view);
    fake_dns_done(dns);
}

TEST(an_alias_is_told_with_its_target)
{
    static const enum say says[] = {SAY_ALIAS};
    struct authority_view view;

    assert_int_equal(look(says, 1, &view), ERR_OK);
    assert_int_equal(view.kind, AUTHORITY_ALIAS);
    assert_string_equal(view.target, "x.example.org");
    authority_view_done(&view);
    fake_dns_done(dns);
}

TEST(a_delegation_is_told_with_its_servers_and_only_its_own_glue)
{
    static const enum say says[] = {SAY_DELEGATED};
    struct authority_view view;

    assert_int_equal(look(says, 1, &view), ERR_OK);
    assert_int_equal(view.kind, AUTHORITY_DELEGATED);
    assert_string_equal(view.zone, "sub.example.com");
    assert_int_equal(view.servers.count, 2);
    assert_int_equal(view.servers.items[0].addresses.count, 1);
    assert_string_equal(view.servers.items[0].addresses.items[0], "192.0.2.53");
    assert_int_equal(view.servers.items[1].addresses.count, 0);
    authority_view_done(&view);
    fake_dns_done(dns);
}

TEST(useless_answers_make_the_next_server_asked_at_once)
{
    static const enum say says[] = {SAY_REFUSED, SAY_UPWARD, SAY_TLD, SAY_ITSELF, SAY_NO_AUTHORITY, SAY_GONE, SAY_HERE};
    struct authority_view view;

    assert_int_equal(look(says, ARRAY_LEN(says), &view), ERR_OK);
    assert_int_equal(view.kind, AUTHORITY_HERE);
    assert_int_equal(elapsed(), 140); /* seven round trips */
    authority_view_done(&view);
    fake_dns_done(dns);
}

TEST(silent_servers_delay_the_next_by_no_more_than_a_third_of_a_second)
{
    static const enum say says[] = {SAY_NOTHING, SAY_NOTHING, SAY_HERE};
    struct authority_view view;

    assert_int_equal(look(says, 3, &view), ERR_OK);
    assert_in_range(elapsed(), 600, 700);
    assert_int_equal(dns->open_count, 0);
    authority_view_done(&view);
    fake_dns_done(dns);
}

TEST(servers_that_are_all_useless_are_a_dns_error)
{
    static const enum say says[] = {SAY_REFUSED, SAY_NO_AUTHORITY, SAY_NOTHING};
    struct authority_view view;

    assert_int_equal(look(says, 3, &view), ERR_DNS);
    assert_non_null(strstr(err.msg, "\"www.sub.example.com\""));
    fake_dns_done(dns);
}

TEST(servers_that_are_all_silent_are_tried_over_tcp_and_then_are_a_time_out)
{
    static const enum say silent[] = {SAY_NOTHING, SAY_NOTHING, SAY_GONE};
    static const enum say tcp[] = {SAY_TCP_ONLY, SAY_NOTHING};
    struct authority_view view;

    assert_int_equal(look(silent, 3, &view), ERR_TIMEOUT);
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_true(elapsed() < 5000);
    assert_int_equal(fake_dns_count(dns, "192.0.2.1")->tcp, 1);
    fake_dns_done(dns);
    assert_int_equal(look(tcp, 2, &view), ERR_OK);
    assert_int_equal(view.kind, AUTHORITY_HERE);
    authority_view_done(&view);
    fake_dns_done(dns);
}

TEST(servers_that_can_not_be_reached_are_a_network_error)
{
    static const enum say says[] = {SAY_GONE, SAY_GONE};
    struct authority_view view;

    assert_int_equal(look(says, 2, &view), ERR_NETWORK);
    assert_int_equal(err.code, ERR_NETWORK);
    assert_true(err.hint[0] != '\0');
    fake_dns_done(dns);
}

TEST(without_addresses_there_is_nobody_to_look_at)
{
    struct authority_view view;

    assert_int_equal(look(NULL, 0, &view), ERR_DNS);
    fake_dns_done(dns);
}

TEST(an_interrupt_ends_looking)
{
    static const enum say says[] = {SAY_NOTHING, SAY_NOTHING};
    struct dns_servers servers = {NULL, 0};
    struct authority_view view;

    begin(look_world, (void *)(uintptr_t)says);
    the_clock.cancel_at_ms = the_clock.mono_ms + 450;
    dns_servers_add(&servers, "ns1.example.net", "192.0.2.1");
    dns_servers_add(&servers, "ns2.example.net", "192.0.2.2");
    assert_int_equal(authority_look(&dns->base, &servers, "example.com", "www.example.com", &view, &err),
                     ERR_CANCELLED);
    assert_int_equal(dns->open_count, 0);
    dns_servers_done(&servers);
    fake_dns_done(dns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zone_is_the_owner_of_the_soa_in_answer_or_authority),
        cmocka_unit_test(with_an_alias_at_the_name_its_parent_tells_the_zone),
        cmocka_unit_test(a_broken_name_does_not_hide_the_zone_above),
        cmocka_unit_test(resolvers_are_never_asked_for_the_name_of_a_record),
        cmocka_unit_test(the_root_is_nobodys_zone),
        cmocka_unit_test(silent_resolvers_are_a_time_out_that_names_what_was_asked),
        cmocka_unit_test(an_interrupt_ends_the_search),
        cmocka_unit_test(servers_come_sorted_with_all_their_own_addresses),
        cmocka_unit_test(a_zone_without_servers_is_an_error),
        cmocka_unit_test(when_no_address_can_be_had_the_reason_is_told),
        cmocka_unit_test(an_interrupt_ends_the_search_for_addresses),
        cmocka_unit_test(a_list_of_servers_holds_each_name_and_address_once),
        cmocka_unit_test(a_name_that_the_servers_answer_for_is_here),
        cmocka_unit_test(an_alias_is_told_with_its_target),
        cmocka_unit_test(a_delegation_is_told_with_its_servers_and_only_its_own_glue),
        cmocka_unit_test(useless_answers_make_the_next_server_asked_at_once),
        cmocka_unit_test(silent_servers_delay_the_next_by_no_more_than_a_third_of_a_second),
        cmocka_unit_test(servers_that_are_all_useless_are_a_dns_error),
        cmocka_unit_test(servers_that_are_all_silent_are_tried_over_tcp_and_then_are_a_time_out),
        cmocka_unit_test(servers_that_can_not_be_reached_are_a_network_error),
        cmocka_unit_test(without_addresses_there_is_nobody_to_look_at),
        cmocka_unit_test(an_interrupt_ends_looking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
