/* SPDX-License-Identifier: MIT
 *
 * The parent of example.com is com, served by a.gtld.test and b.gtld.test; example.com's own servers are ns1 and ns2.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/delegation.h"
#include "dns_script.h"
#include "test.h"
#include "util/buf.h"

#define A_GTLD "192.0.2.1"
#define B_GTLD "192.0.2.2"
#define NS1 "198.51.100.1"
#define NS2 "198.51.100.2"
#define BOTH "ns1.dme.test|ns2.dme.test"

/* The way to the parent, and two servers of the zone that agree. */
/* clang-format off */
#define WAY \
    {RECURSIVE, "com", DNS_SOA, SAYS_CACHED, "1", NULL}, \
    {RECURSIVE, "com", DNS_NS, SAYS_CACHED, "a.gtld.test|b.gtld.test", NULL}, \
    {RECURSIVE, "a.gtld.test", DNS_A, SAYS_CACHED, A_GTLD, NULL}, \
    {RECURSIVE, "b.gtld.test", DNS_A, SAYS_CACHED, B_GTLD, NULL}
#define ZONE_AGREES \
    {NS1, NULL, DNS_NS, SAYS_DATA, BOTH, NULL}, \
    {NS2, NULL, DNS_NS, SAYS_DATA, BOTH, NULL}
#define PARENT_AGREES \
    {A_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}, \
    {B_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}
/* clang-format on */

struct run {
    struct fake_clock clock;
    struct fake_dns *dns;
    struct dns_script script;
    struct dns_servers servers;
    struct delegation found;
    struct err err;
    enum err_code code;
};

static void run_done(struct run *run)
{
    delegation_done(&run->found);
    dns_servers_done(&run->servers);
    fake_dns_done(run->dns);
}
#define AUTO_RUN AUTO(run_done) struct run

static void start(struct run *run, const struct dns_line *lines, size_t count)
{
    *run = (struct run){.script = {.lines = lines, .count = count}};
    fake_clock_init(&run->clock);
    run->dns = fake_dns_new(&run->clock, dns_script_world, &run->script);
    dns_servers_add(&run->servers, "ns1.dme.test", NS1);
    dns_servers_add(&run->servers, "ns2.dme.test", NS2);
    err_init(&run->err);
}

static void examine(struct run *run, const char *zone)
{
    run->code = delegation_examine(&run->dns->base, zone, &run->servers, &run->found, &run->err);
}

#define EXAMINE(run, zone, ...)                                                                                        \
    const struct dns_line lines[] = {__VA_ARGS__};                                                                     \
    AUTO_RUN run;                                                                                                      \
    start(&run, lines, ARRAY_LEN(lines));                                                                              \
    examine(&run, zone)

static void assert_names(const struct strlist *names, const char *want)
{
    AUTO_BUF struct buf is = BUF_INIT(8000);

    for (size_t i = 0; i < names->count; i++)
        buf_printf(&is, "%s%s", i ? "|" : "", names->items[i]);
    assert_string_equal(buf_cstr(&is), want);
}

static void assert_fails(const struct run *run, enum err_code code, const char *in_msg)
{
    assert_int_equal(run->code, code);
    assert_int_equal(run->err.code, code);
    if (!strstr(run->err.msg, in_msg))
        fail_msg("\"%s\" is not in: %s", in_msg, run->err.msg);
    assert_null(run->found.parent); /* outputs untouched */
}

/* ------------------------------------------------------------------ the parent's side */

TEST(names_of_both_sides_are_told_in_order)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, "ns2.dme.test|ns1.dme.test", NULL},
            {B_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_string_equal(run.found.parent, "com");
    assert_int_equal(run.found.parent_kind, DELEGATION_SEEN);
    assert_names(&run.found.parent_ns, BOTH);
    assert_names(&run.found.zone_ns, BOTH);
    assert_false(run.found.has_split_parent);
    assert_false(run.found.has_split_zone);
}

TEST(parents_servers_that_name_different_sets_are_told)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, "ns1.dme.test|ns9.old.test", NULL},
            {B_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_names(&run.found.parent_ns, BOTH "|ns9.old.test");
    assert_true(run.found.has_split_parent);
    assert_false(run.found.has_split_zone);
}

TEST(a_set_that_is_part_of_another_is_a_different_one)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL},
            {B_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, "ns2.dme.test", NULL}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_names(&run.found.parent_ns, BOTH);
    assert_true(run.found.has_split_parent);
}

TEST(one_of_the_parents_servers_that_denies_the_zone_is_a_disagreement)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, SAYS_NXDOMAIN, NULL, "com"},
            {B_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.parent_kind, DELEGATION_SEEN);
    assert_names(&run.found.parent_ns, BOTH);
    assert_true(run.found.has_split_parent);
}

TEST(one_useful_server_of_the_parent_is_enough)
{
    static const enum dns_says useless[] = {SAYS_REFUSED, SAYS_SILENT,  SAYS_CLOSED, SAYS_NO_ROUTE,
                                            SAYS_GARBAGE, SAYS_NOTHING, SAYS_CODE_23};

    for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
        EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, useless[i], NULL, NULL},
                {B_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}, ZONE_AGREES);

        assert_int_equal(run.code, ERR_OK);
        assert_int_equal(run.found.parent_kind, DELEGATION_SEEN);
        assert_names(&run.found.parent_ns, BOTH);
        assert_false(run.found.has_split_parent);
    }
}

TEST(a_parent_on_the_zones_own_servers_does_not_show_its_referral)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, SAYS_DATA, BOTH, NULL},
            {B_GTLD, "example.com", DNS_NS, SAYS_DATA, BOTH, NULL}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.parent_kind, DELEGATION_COVERED);
    assert_names(&run.found.parent_ns, "");
    assert_names(&run.found.zone_ns, BOTH);
    assert_false(run.found.has_split_parent);
}

TEST(a_zone_without_ns_of_its_own_covers_its_parent_too)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, SAYS_NODATA, NULL, "example.com"},
            {B_GTLD, "example.com", DNS_NS, SAYS_NODATA, NULL, "example.com"}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.parent_kind, DELEGATION_COVERED);
}

TEST(what_another_server_of_a_covered_parent_refers_to_counts)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, SAYS_DATA, "ns9.dme.test", NULL},
            {B_GTLD, "example.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.parent_kind, DELEGATION_SEEN);
    assert_names(&run.found.parent_ns, BOTH);
    assert_false(run.found.has_split_parent);
}

TEST(a_covered_parent_that_does_not_refer_elsewhere_is_told)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, SAYS_DATA, BOTH, NULL},
            {B_GTLD, "example.com", DNS_NS, SAYS_NXDOMAIN, NULL, "com"}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.parent_kind, DELEGATION_COVERED);
    assert_true(run.found.has_split_parent);
}

TEST(a_referral_with_authority_is_one)
{
    EXAMINE(run, "example.com", WAY, {NULL, "example.com", DNS_NS, SAYS_REFERRAL_AA, BOTH, NULL});

    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.parent_kind, DELEGATION_SEEN);
    assert_names(&run.found.parent_ns, BOTH);
    assert_names(&run.found.zone_ns, ""); /* its own servers refer too: none of them serves it */
}

TEST(a_zone_that_is_not_delegated_is_absent)
{
    static const enum dns_says denials[] = {SAYS_NXDOMAIN, SAYS_NODATA};

    for (size_t i = 0; i < ARRAY_LEN(denials); i++) {
        EXAMINE(run, "example.com", WAY, {A_GTLD, "example.com", DNS_NS, denials[i], NULL, "com"},
                {B_GTLD, "example.com", DNS_NS, denials[i], NULL, "com"}, ZONE_AGREES);

        assert_int_equal(run.code, ERR_OK);
        assert_int_equal(run.found.parent_kind, DELEGATION_ABSENT);
        assert_names(&run.found.parent_ns, "");
        assert_names(&run.found.zone_ns, BOTH);
        assert_false(run.found.has_split_parent);
    }
}

/* ------------------------------------------------------------------ answers of no use */

TEST(a_referral_upwards_or_sideways_is_no_answer)
{
    static const char *const owners[] = {"", "com", "example.org", "www.example.com", "xample.com"};

    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        EXAMINE(run, "example.com", WAY, {NULL, "example.com", DNS_NS, SAYS_REFERRAL, "ns.evil.test", owners[i]});

        assert_fails(&run, ERR_DNS, "no name server of zone \"com\" gives a usable answer about \"example.com\"");
    }
}

TEST(an_answer_from_somebodys_cache_is_not_the_parents)
{
    EXAMINE(run, "example.com", WAY, {NULL, "example.com", DNS_NS, SAYS_CACHED, BOTH, NULL});

    assert_fails(&run, ERR_DNS, A_GTLD " answers, but not as a server of the zone");
}

TEST(a_parent_that_refuses_is_quoted)
{
    EXAMINE(run, "example.com", WAY, {NULL, NULL, DNS_NS, SAYS_REFUSED, NULL, NULL});

    assert_fails(&run, ERR_DNS, A_GTLD " answers REFUSED");
}

TEST(a_parent_that_is_silent_over_udp_and_tcp_is_a_time_out)
{
    EXAMINE(run, "example.com", WAY, {NULL, NULL, DNS_NS, SAYS_SILENT, NULL, NULL});

    assert_fails(&run, ERR_TIMEOUT, A_GTLD " does not answer");
    assert_int_equal(fake_dns_count(run.dns, A_GTLD)->tcp, 1);
    assert_int_equal(fake_dns_count(run.dns, B_GTLD)->asked, 2);
}

TEST(where_udp_is_dropped_tcp_tells)
{
    EXAMINE(run, "example.com", WAY, {NULL, NULL, DNS_NS, SAYS_SILENT_UDP, NULL, NULL}, PARENT_AGREES, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_names(&run.found.parent_ns, BOTH);
    assert_names(&run.found.zone_ns, BOTH);
}

TEST(parents_servers_out_of_reach_are_a_matter_of_the_network)
{
    EXAMINE(run, "example.com", WAY, {A_GTLD, NULL, 0, SAYS_NO_ROUTE, NULL, NULL},
            {B_GTLD, NULL, 0, SAYS_CLOSED, NULL, NULL});

    assert_fails(&run, ERR_NETWORK, B_GTLD " can't be reached");
}

TEST(parents_servers_without_addresses_can_not_be_asked)
{
    EXAMINE(run, "example.com", {RECURSIVE, "com", DNS_SOA, SAYS_CACHED, "1", NULL},
            {RECURSIVE, "com", DNS_NS, SAYS_CACHED, "a.gtld.test|b.gtld.test", NULL});

    assert_fails(&run, ERR_DNS, "no name server of zone \"com\" has an address");
}

TEST(silent_resolvers_are_a_time_out)
{
    EXAMINE(run, "example.com", {RECURSIVE, "com", DNS_SOA, SAYS_SILENT, NULL, NULL});

    assert_fails(&run, ERR_TIMEOUT, "could not find the zone of \"com\"");
}

TEST(the_root_is_left_alone)
{
    EXAMINE(run, "example", WAY);

    assert_fails(&run, ERR_DNS, "\"example\"");
    assert_int_equal(run.dns->asked, 0);
}

TEST(an_interrupt_at_any_time_ends_it_and_leaves_nothing_open)
{
    static const struct dns_line lines[] = {WAY,
                                            {A_GTLD, NULL, 0, SAYS_SILENT, NULL, NULL},
                                            PARENT_AGREES,
                                            {NS1, NULL, 0, SAYS_SILENT, NULL, NULL},
                                            ZONE_AGREES};
    int64_t took_ms;

    {
        AUTO_RUN whole;
        start(&whole, lines, ARRAY_LEN(lines));
        examine(&whole, "example.com");
        assert_int_equal(whole.code, ERR_OK);
        took_ms = whole.clock.mono_ms - whole.dns->start_ms;
        assert_true(took_ms > 4000); /* each side has a silent server */
    }
    for (int64_t at_ms = 5; at_ms < took_ms; at_ms += at_ms < 100 ? 10 : 500) {
        AUTO_RUN run;
        start(&run, lines, ARRAY_LEN(lines));
        run.clock.cancel_at_ms = run.clock.mono_ms + at_ms;
        examine(&run, "example.com");
        assert_fails(&run, ERR_CANCELLED, "interrupted");
    }
}

/* ------------------------------------------------------------------ finding the parent */

TEST(names_between_that_are_no_zones_are_passed_over)
{
    EXAMINE(run, "a.b.com", {RECURSIVE, "b.com", DNS_SOA, SAYS_NODATA, NULL, "com"}, WAY,
            {A_GTLD, "a.b.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL},
            {B_GTLD, "a.b.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_string_equal(run.found.parent, "com");
    assert_names(&run.found.parent_ns, BOTH);
}

TEST(a_zone_of_challenges_alone_hangs_in_the_zone_of_the_domain)
{
    EXAMINE(run, "_acme-challenge.com", WAY, {NULL, "_acme-challenge.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL});

    assert_int_equal(run.code, ERR_OK);
    assert_string_equal(run.found.parent, "com");
    assert_int_equal(run.found.parent_kind, DELEGATION_SEEN);
}

#define BETWEEN "203.0.113.1"

TEST(a_zone_between_that_the_resolvers_get_no_answer_from_is_the_parent)
{
    EXAMINE(run, "a.b.com", {RECURSIVE, "b.com", DNS_SOA, SAYS_REFUSED, NULL, NULL}, WAY,
            {A_GTLD, "a.b.com", DNS_NS, SAYS_REFERRAL, "ns.b.test", "b.com"},
            {B_GTLD, "a.b.com", DNS_NS, SAYS_REFERRAL, "ns.b.test", "b.com"},
            {RECURSIVE, "b.com", DNS_NS, SAYS_CACHED, "ns.b.test", NULL},
            {RECURSIVE, "ns.b.test", DNS_A, SAYS_CACHED, BETWEEN, NULL},
            {BETWEEN, "a.b.com", DNS_NS, SAYS_REFERRAL, BOTH, NULL}, ZONE_AGREES);

    assert_int_equal(run.code, ERR_OK);
    assert_string_equal(run.found.parent, "b.com");
    assert_int_equal(run.found.parent_kind, DELEGATION_SEEN);
    assert_names(&run.found.parent_ns, BOTH);
}

TEST(a_zone_between_that_nobody_finds_is_named)
{
    EXAMINE(run, "a.b.com", {RECURSIVE, "b.com", 0, SAYS_REFUSED, NULL, NULL}, WAY,
            {NULL, "a.b.com", DNS_NS, SAYS_REFERRAL, "ns.b.test", "b.com"});

    assert_fails(&run, ERR_DNS, "zone \"b.com\" has no name servers in DNS");
}

TEST(referrals_in_a_circle_come_to_an_end)
{
    EXAMINE(run, "a.b.com", {RECURSIVE, "b.com", DNS_SOA, SAYS_REFUSED, NULL, NULL}, WAY,
            {RECURSIVE, "b.com", DNS_NS, SAYS_CACHED, "ns.b.test", NULL},
            {RECURSIVE, "ns.b.test", DNS_A, SAYS_CACHED, BETWEEN, NULL},
            {NULL, "a.b.com", DNS_NS, SAYS_REFERRAL, "ns.b.test", "b.com"});

    assert_fails(&run, ERR_DNS, "does not serve it and refers to the servers of \"b.com\"");
}

/* ------------------------------------------------------------------ the zone's side */

TEST(zone_servers_that_name_different_sets_are_told)
{
    EXAMINE(run, "example.com", WAY, PARENT_AGREES, {NS1, NULL, DNS_NS, SAYS_DATA, BOTH, NULL},
            {NS2, NULL, DNS_NS, SAYS_DATA, BOTH "|ns3.dme.test", NULL});

    assert_int_equal(run.code, ERR_OK);
    assert_names(&run.found.zone_ns, BOTH "|ns3.dme.test");
    assert_true(run.found.has_split_zone);
    assert_false(run.found.has_split_parent);
}

TEST(zone_servers_that_are_of_no_use_do_not_count_as_disagreeing)
{
    static const enum dns_says useless[] = {SAYS_REFUSED, SAYS_SILENT,   SAYS_CLOSED,  SAYS_GARBAGE,
                                            SAYS_CACHED,  SAYS_REFERRAL, SAYS_NOTHING, SAYS_NODATA};

    for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
        EXAMINE(run, "example.com", WAY, PARENT_AGREES,
                {NS1, NULL, DNS_NS, useless[i], useless[i] == SAYS_NOTHING ? NULL : "ns.evil.test", NULL},
                {NS2, NULL, DNS_NS, SAYS_DATA, BOTH, NULL});

        assert_int_equal(run.code, ERR_OK);
        assert_names(&run.found.zone_ns, BOTH);
        assert_false(run.found.has_split_zone);
    }
}

TEST(zone_servers_that_are_all_lame_name_nobody)
{
    EXAMINE(run, "example.com", WAY, PARENT_AGREES, {NS1, NULL, DNS_NS, SAYS_REFUSED, NULL, NULL},
            {NS2, NULL, DNS_NS, SAYS_SILENT, NULL, NULL});

    assert_int_equal(run.code, ERR_OK);
    assert_names(&run.found.parent_ns, BOTH);
    assert_names(&run.found.zone_ns, "");
}

TEST(records_of_other_names_are_no_ns_of_the_zone)
{
    EXAMINE(run, "example.com", WAY, PARENT_AGREES, {NULL, NULL, DNS_NS, SAYS_DATA, "ns.evil.test", "example.org"});

    assert_int_equal(run.code, ERR_OK);
    assert_names(&run.found.zone_ns, "");
}

TEST(a_set_without_measure_is_cut)
{
    AUTO_BUF struct buf many = BUF_INIT(20000);

    for (int i = 0; i < 500; i++)
        buf_printf(&many, "%sns%03d.evil.test", i ? "|" : "", i);
    EXAMINE(run, "example.com", WAY, PARENT_AGREES, {NULL, NULL, DNS_NS, SAYS_DATA, buf_cstr(&many), NULL});

    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.zone_ns.count, 64);
}

/* ------------------------------------------------------------------ whom else the world may ask */

static void assert_others(const struct run *run, const char *want)
{
    AUTO_BUF struct buf is = BUF_INIT(8000);

    assert_int_equal(run->code, ERR_OK);
    for (size_t s = 0; s < run->found.others.count; s++) {
        const struct dns_server *server = &run->found.others.items[s];

        buf_printf(&is, "%s%s", s ? "|" : "", server->name);
        for (size_t a = 0; a < server->addresses.count; a++)
            buf_printf(&is, "=%s", server->addresses.items[a]);
    }
    assert_string_equal(buf_cstr(&is), want);
}

TEST(servers_that_are_asked_anyway_are_no_others)
{
    EXAMINE(run, "example.com", WAY, PARENT_AGREES, ZONE_AGREES);

    assert_others(&run, "");
}

TEST(servers_that_only_parent_or_zone_name_come_with_their_addresses)
{
    EXAMINE(run, "example.com", WAY, {RECURSIVE, "ns8.old.test", DNS_A, SAYS_CACHED, "203.0.113.8", NULL},
            {RECURSIVE, "ns8.old.test", DNS_AAAA, SAYS_CACHED, "2001:db8::8", NULL},
            {RECURSIVE, "ns9.new.test", DNS_A, SAYS_CACHED, "203.0.113.9", NULL},
            {A_GTLD, NULL, DNS_NS, SAYS_REFERRAL, BOTH "|ns8.old.test", NULL},
            {B_GTLD, NULL, DNS_NS, SAYS_REFERRAL, BOTH "|ns7.gone.test", NULL},
            {NULL, NULL, DNS_NS, SAYS_DATA, BOTH "|ns9.new.test|ns8.old.test", NULL});

    assert_others(&run, "ns8.old.test=203.0.113.8=2001:db8::8|ns7.gone.test|ns9.new.test=203.0.113.9");
}

TEST(glue_that_nobody_else_knows_is_an_address_too)
{
    EXAMINE(run, "example.com", WAY, {RECURSIVE, "ns.example.com", DNS_A, SAYS_CACHED, "203.0.113.1", NULL},
            {A_GTLD, NULL, DNS_NS, SAYS_REFERRAL,
             "ns1.dme.test|ns.example.com|ns.example.com=203.0.113.1|ns.example.com=203.0.113.2|"
             "ns.example.com=2001:db8::2|www.example.com=203.0.113.66|ns1.dme.test=203.0.113.66",
             NULL},
            {B_GTLD, NULL, DNS_NS, SAYS_REFERRAL, "ns1.dme.test|ns.example.com|ns.example.com=203.0.113.2", NULL},
            {NULL, NULL, DNS_NS, SAYS_DATA, "ns1.dme.test|ns.example.com", NULL});

    assert_others(&run, "ns.example.com=203.0.113.1=203.0.113.2=2001:db8::2");
}

TEST(stale_glue_of_a_server_that_is_asked_at_other_addresses_is_told)
{
    static const struct dns_line lines[] = {
        WAY,
        {NULL, NULL, DNS_NS, SAYS_REFERRAL, "ns.example.com|ns.example.com=198.51.100.7|ns.example.com=203.0.113.2",
         NULL},
    };
    AUTO_RUN run;

    start(&run, lines, ARRAY_LEN(lines));
    dns_servers_add(&run.servers, "ns.example.com", "198.51.100.7");
    examine(&run, "example.com");
    assert_others(&run, "ns.example.com=203.0.113.2");
    assert_int_equal(fake_dns_count(run.dns, RECURSIVE)->asked, 6); /* nobody looked it up again */
}

TEST(others_without_measure_are_cut)
{
    AUTO_BUF struct buf many = BUF_INIT(20000);

    for (int i = 0; i < 60; i++)
        buf_printf(&many, "%sns%02d.evil.test", i ? "|" : "", i);
    EXAMINE(run, "example.com", WAY, {NULL, NULL, DNS_NS, SAYS_REFERRAL, buf_cstr(&many), NULL});

    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.parent_ns.count, 60);
    assert_int_equal(run.found.others.count, 32);
}

TEST(an_interrupt_while_others_are_looked_up_ends_it)
{
    static const struct dns_line lines[] = {
        WAY,
        {RECURSIVE, "ns.old.test", 0, SAYS_SILENT, NULL, NULL},
        {NULL, NULL, DNS_NS, SAYS_REFERRAL, "ns.old.test", NULL},
    };
    AUTO_RUN run;

    start(&run, lines, ARRAY_LEN(lines));
    run.clock.cancel_at_ms = run.clock.mono_ms + 5000;
    examine(&run, "example.com");
    assert_fails(&run, ERR_CANCELLED, "interrupted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_both_sides_are_told_in_order),
        cmocka_unit_test(parents_servers_that_name_different_sets_are_told),
        cmocka_unit_test(a_set_that_is_part_of_another_is_a_different_one),
        cmocka_unit_test(one_of_the_parents_servers_that_denies_the_zone_is_a_disagreement),
        cmocka_unit_test(one_useful_server_of_the_parent_is_enough),
        cmocka_unit_test(a_parent_on_the_zones_own_servers_does_not_show_its_referral),
        cmocka_unit_test(a_zone_without_ns_of_its_own_covers_its_parent_too),
        cmocka_unit_test(what_another_server_of_a_covered_parent_refers_to_counts),
        cmocka_unit_test(a_covered_parent_that_does_not_refer_elsewhere_is_told),
        cmocka_unit_test(a_referral_with_authority_is_one),
        cmocka_unit_test(a_zone_that_is_not_delegated_is_absent),
        cmocka_unit_test(a_referral_upwards_or_sideways_is_no_answer),
        cmocka_unit_test(an_answer_from_somebodys_cache_is_not_the_parents),
        cmocka_unit_test(a_parent_that_refuses_is_quoted),
        cmocka_unit_test(a_parent_that_is_silent_over_udp_and_tcp_is_a_time_out),
        cmocka_unit_test(where_udp_is_dropped_tcp_tells),
        cmocka_unit_test(parents_servers_out_of_reach_are_a_matter_of_the_network),
        cmocka_unit_test(parents_servers_without_addresses_can_not_be_asked),
        cmocka_unit_test(silent_resolvers_are_a_time_out),
        cmocka_unit_test(the_root_is_left_alone),
        cmocka_unit_test(an_interrupt_at_any_time_ends_it_and_leaves_nothing_open),
        cmocka_unit_test(names_between_that_are_no_zones_are_passed_over),
        cmocka_unit_test(a_zone_of_challenges_alone_hangs_in_the_zone_of_the_domain),
        cmocka_unit_test(a_zone_between_that_the_resolvers_get_no_answer_from_is_the_parent),
        cmocka_unit_test(a_zone_between_that_nobody_finds_is_named),
        cmocka_unit_test(referrals_in_a_circle_come_to_an_end),
        cmocka_unit_test(zone_servers_that_name_different_sets_are_told),
        cmocka_unit_test(zone_servers_that_are_of_no_use_do_not_count_as_disagreeing),
        cmocka_unit_test(zone_servers_that_are_all_lame_name_nobody),
        cmocka_unit_test(records_of_other_names_are_no_ns_of_the_zone),
        cmocka_unit_test(a_set_without_measure_is_cut),
        cmocka_unit_test(servers_that_are_asked_anyway_are_no_others),
        cmocka_unit_test(servers_that_only_parent_or_zone_name_come_with_their_addresses),
        cmocka_unit_test(glue_that_nobody_else_knows_is_an_address_too),
        cmocka_unit_test(stale_glue_of_a_server_that_is_asked_at_other_addresses_is_told),
        cmocka_unit_test(others_without_measure_are_cut),
        cmocka_unit_test(an_interrupt_while_others_are_looked_up_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
