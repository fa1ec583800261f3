/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/delegation.h"
#include "dns_script.h"
#include "test.h"

#define NS1 "198.51.100.1"
#define NS1_V6 "2001:db8::1"
#define NS2 "198.51.100.2"
#define ZONE "example.com"
#define TIMEOUT_MS 2000

struct run {
    struct fake_clock clock;
    struct fake_dns *dns;
    struct dns_script script;
    struct dns_servers servers;
    struct serving_list list;
    struct err err;
    enum err_code code;
};

static void run_done(struct run *run)
{
    serving_list_done(&run->list);
    dns_servers_done(&run->servers);
    fake_dns_done(run->dns);
}
#define AUTO_RUN AUTO(run_done) struct run

static void start(struct run *run, const struct dns_line *lines, size_t count)
{
    *run = (struct run){.script = {.lines = lines, .count = count}};
    fake_clock_init(&run->clock);
    run->dns = fake_dns_new(&run->clock, dns_script_world, &run->script);
    err_init(&run->err);
}

static void examine(struct run *run)
{
    run->code = serving_examine(&run->dns->base, ZONE, &run->servers, TIMEOUT_MS, &run->list, &run->err);
}

static void examine_two(struct run *run)
{
    dns_servers_add(&run->servers, "ns1.dme.test", NS1);
    dns_servers_add(&run->servers, "ns1.dme.test", NS1_V6);
    dns_servers_add(&run->servers, "ns2.dme.test", NS2);
    examine(run);
    assert_int_equal(run->code, ERR_OK);
    assert_int_equal(run->list.count, 6);
}

/* ns1 with two addresses and ns2 with one. */
#define EXAMINE(run, ...)                                                                                              \
    const struct dns_line lines[] = {__VA_ARGS__};                                                                     \
    AUTO_RUN run;                                                                                                      \
    start(&run, lines, ARRAY_LEN(lines));                                                                              \
    examine_two(&run)

static void assert_serving(const struct serving *s, enum serving_result result, const char *why)
{
    if (s->result != result)
        fail_msg("%s (%u): result %u and not %u, %s", s->address ? s->address : s->server, s->transport, s->result,
                 result, s->why ? s->why : "no reason");
    if (result == SERVING_OK)
        assert_null(s->why);
    else
        assert_string_equal(s->why, why);
}

/* ------------------------------------------------------------------ good ones */

TEST(every_address_is_asked_over_udp_and_tcp_in_order)
{
    static const struct {
        const char *server, *address;
        int family, transport;
    } want[] = {
        {"ns1.dme.test", NS1, SERVING_IPV4, SERVING_UDP},    {"ns1.dme.test", NS1, SERVING_IPV4, SERVING_TCP},
        {"ns1.dme.test", NS1_V6, SERVING_IPV6, SERVING_UDP}, {"ns1.dme.test", NS1_V6, SERVING_IPV6, SERVING_TCP},
        {"ns2.dme.test", NS2, SERVING_IPV4, SERVING_UDP},    {"ns2.dme.test", NS2, SERVING_IPV4, SERVING_TCP},
    };
    EXAMINE(run, {NULL, ZONE, DNS_SOA, SAYS_DATA, "2026112301", NULL});

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct serving *s = &run.list.items[i];

        assert_serving(s, SERVING_OK, NULL);
        assert_string_equal(s->server, want[i].server);
        assert_string_equal(s->address, want[i].address);
        assert_int_equal(s->family, want[i].family);
        assert_int_equal(s->transport, want[i].transport);
        assert_int_equal(s->serial, 2026112301);
        assert_int_equal(s->elapsed_ms, 20);
    }
    assert_int_equal(run.dns->asked, 6);
    assert_int_equal(fake_dns_count(run.dns, NS2)->tcp, 1);
    assert_int_equal(run.clock.mono_ms - run.dns->start_ms, 20); /* side by side */
}

TEST(each_server_has_its_own_serial)
{
    EXAMINE(run, {NS2, ZONE, DNS_SOA, SAYS_DATA, "4294967295", NULL}, {NULL, ZONE, DNS_SOA, SAYS_DATA, "3", NULL});

    assert_int_equal(run.list.items[0].serial, 3);
    assert_int_equal(run.list.items[4].serial, 4294967295);
}

TEST(an_address_with_a_port_tells_its_family)
{
    static const struct dns_line lines[] = {{NULL, ZONE, DNS_SOA, SAYS_DATA, "1", NULL}};
    AUTO_RUN run;

    start(&run, lines, ARRAY_LEN(lines));
    dns_servers_add(&run.servers, "a", "192.0.2.1:5353");
    dns_servers_add(&run.servers, "a", "[2001:db8::1]:5353");
    dns_servers_add(&run.servers, "a", "::ffff:192.0.2.1");
    examine(&run);
    assert_int_equal(run.list.items[0].family, SERVING_IPV4);
    assert_int_equal(run.list.items[2].family, SERVING_IPV6);
    assert_int_equal(run.list.items[4].family, SERVING_IPV6);
}

/* ------------------------------------------------------------------ lame ones */

TEST(what_is_not_the_zones_soa_is_lame_and_says_why)
{
    static const struct {
        enum dns_says says;
        const char *data, *owner, *why;
    } rows[] = {
        {SAYS_REFUSED, NULL, NULL, "answers REFUSED"},
        {SAYS_CODE_23, NULL, NULL, "answers with response code 23"},
        {SAYS_NXDOMAIN, NULL, "com", "answers NXDOMAIN"},
        {SAYS_NODATA, NULL, "com", "answers without the records of the zone"},
        {SAYS_DATA, "1", "example.org", "answers without the records of the zone"},
        {SAYS_DATA, "1", "com", "answers without the records of the zone"},
        {SAYS_CACHED, "1", NULL, "answers, but not as a server of the zone"},
        {SAYS_NOTHING, NULL, NULL, "answers, but not as a server of the zone"},
        {SAYS_REFERRAL, "a.root.test", "", "does not serve it and refers to the root"},
        {SAYS_REFERRAL, "ns.old.test", "example.com", "does not serve it and refers to the servers of \"example.com\""},
        {SAYS_GARBAGE, NULL, NULL, "answers with something that is not DNS"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EXAMINE(run, {NS2, ZONE, DNS_SOA, rows[i].says, rows[i].data, rows[i].owner},
                {NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL});

        for (size_t n = 0; n < 4; n++)
            assert_serving(&run.list.items[n], SERVING_OK, NULL);
        assert_serving(&run.list.items[4], SERVING_LAME, rows[i].why);
        assert_serving(&run.list.items[5], SERVING_LAME, rows[i].why);
        assert_int_equal(run.dns->asked, 6); /* there is nothing to be had by asking again */
    }
}

/* ------------------------------------------------------------------ silent ones */

TEST(a_silent_server_is_asked_once_more_over_udp)
{
    EXAMINE(run, {NS2, ZONE, DNS_SOA, SAYS_SILENT, NULL, NULL}, {NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL});

    assert_serving(&run.list.items[3], SERVING_OK, NULL);
    assert_serving(&run.list.items[4], SERVING_SILENT, "does not answer");
    assert_serving(&run.list.items[5], SERVING_SILENT, "does not answer");
    assert_int_equal(fake_dns_count(run.dns, NS2)->asked, 3);
    assert_int_equal(fake_dns_count(run.dns, NS2)->tcp, 1);
    assert_int_equal(fake_dns_count(run.dns, NS1)->asked, 2);
    assert_int_equal(run.clock.mono_ms - run.dns->start_ms, 2 * TIMEOUT_MS);
}

TEST(udp_that_is_dropped_is_told_apart_from_tcp)
{
    EXAMINE(run, {NS2, ZONE, DNS_SOA, SAYS_SILENT_UDP, NULL, NULL}, {NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL});

    assert_serving(&run.list.items[4], SERVING_SILENT, "does not answer");
    assert_serving(&run.list.items[5], SERVING_OK, NULL);
}

TEST(lost_datagrams_are_no_silence)
{
    static const struct dns_line lines[] = {{NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL}};
    AUTO_RUN run;

    start(&run, lines, ARRAY_LEN(lines));
    run.script.lost = 3;
    examine_two(&run);
    for (size_t i = 0; i < run.list.count; i++)
        assert_serving(&run.list.items[i], SERVING_OK, NULL);
    assert_int_equal(run.dns->asked, 9);
}

TEST(a_port_that_is_closed_is_no_answer)
{
    EXAMINE(run, {NS2, ZONE, DNS_SOA, SAYS_CLOSED, NULL, NULL}, {NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL});

    assert_serving(&run.list.items[4], SERVING_SILENT, "can't be reached");
    assert_serving(&run.list.items[5], SERVING_SILENT, "can't be reached");
}

TEST(where_this_machine_has_no_route_nothing_is_said_of_the_server)
{
    EXAMINE(run, {NS1_V6, ZONE, DNS_SOA, SAYS_NO_ROUTE, NULL, NULL}, {NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL});

    assert_serving(&run.list.items[1], SERVING_OK, NULL);
    assert_serving(&run.list.items[2], SERVING_UNREACHABLE, "is where this machine has no route to");
    assert_serving(&run.list.items[3], SERVING_UNREACHABLE, "is where this machine has no route to");
    assert_int_equal(run.dns->asked, 6);
}

TEST(silence_over_ipv6_alone_is_silence)
{
    EXAMINE(run, {NS1_V6, ZONE, DNS_SOA, SAYS_SILENT, NULL, NULL}, {NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL});

    assert_serving(&run.list.items[2], SERVING_SILENT, "does not answer");
}

TEST(a_server_without_an_address_is_silent)
{
    static const struct dns_line lines[] = {{NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL}};
    AUTO_RUN run;

    start(&run, lines, ARRAY_LEN(lines));
    dns_servers_add(&run.servers, "glueless.dme.test", NULL);
    dns_servers_add(&run.servers, "ns2.dme.test", NS2);
    examine(&run);
    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.list.count, 4);
    assert_null(run.list.items[0].address);
    assert_serving(&run.list.items[0], SERVING_SILENT, "has no address");
    assert_serving(&run.list.items[1], SERVING_SILENT, "has no address");
    assert_serving(&run.list.items[2], SERVING_OK, NULL);
    assert_int_equal(run.dns->asked, 2);
}

/* ------------------------------------------------------------------ bounds */

TEST(addresses_without_measure_are_cut_and_no_server_is_left_out)
{
    static const struct dns_line lines[] = {{NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL}};
    AUTO_RUN run;
    size_t of_last = 0;

    start(&run, lines, ARRAY_LEN(lines));
    for (int n = 0; n < 4; n++) {
        for (int i = 1; i <= 100; i++) {
            AUTO_FREE char *name = mem_printf("ns%d.evil.test", n);
            AUTO_FREE char *address = mem_printf("10.0.%d.%d", n, i);
            dns_servers_add(&run.servers, name, address);
        }
    }
    examine(&run);
    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.list.count, 2 * 64);
    for (size_t i = 0; i < run.list.count; i++)
        of_last += strcmp(run.list.items[i].server, "ns3.evil.test") == 0;
    assert_int_equal(of_last, 2 * 16);
}

TEST(no_servers_at_all_is_an_empty_list)
{
    AUTO_RUN run;

    start(&run, NULL, 0);
    examine(&run);
    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.list.count, 0);
}

TEST(an_interrupt_at_any_time_ends_it)
{
    static const struct dns_line lines[] = {{NS2, ZONE, DNS_SOA, SAYS_SILENT, NULL, NULL},
                                            {NULL, ZONE, DNS_SOA, SAYS_DATA, "7", NULL}};

    for (int64_t at_ms = 5; at_ms < 2 * TIMEOUT_MS; at_ms += at_ms < 100 ? 5 : 300) {
        AUTO_RUN run;

        start(&run, lines, ARRAY_LEN(lines));
        dns_servers_add(&run.servers, "ns1.dme.test", NS1);
        dns_servers_add(&run.servers, "ns2.dme.test", NS2);
        dns_servers_add(&run.servers, "ns3.dme.test", NULL);
        run.clock.cancel_at_ms = run.clock.mono_ms + at_ms;
        examine(&run);
        assert_int_equal(run.code, ERR_CANCELLED);
        assert_int_equal(run.err.code, ERR_CANCELLED);
        assert_int_equal(run.list.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_address_is_asked_over_udp_and_tcp_in_order),
        cmocka_unit_test(each_server_has_its_own_serial),
        cmocka_unit_test(an_address_with_a_port_tells_its_family),
        cmocka_unit_test(what_is_not_the_zones_soa_is_lame_and_says_why),
        cmocka_unit_test(a_silent_server_is_asked_once_more_over_udp),
        cmocka_unit_test(udp_that_is_dropped_is_told_apart_from_tcp),
        cmocka_unit_test(lost_datagrams_are_no_silence),
        cmocka_unit_test(a_port_that_is_closed_is_no_answer),
        cmocka_unit_test(where_this_machine_has_no_route_nothing_is_said_of_the_server),
        cmocka_unit_test(silence_over_ipv6_alone_is_silence),
        cmocka_unit_test(a_server_without_an_address_is_silent),
        cmocka_unit_test(addresses_without_measure_are_cut_and_no_server_is_left_out),
        cmocka_unit_test(no_servers_at_all_is_an_empty_list),
        cmocka_unit_test(an_interrupt_at_any_time_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
