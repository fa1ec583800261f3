/* SPDX-License-Identifier: MIT
 *
 * Many zones and many names at once: authority_find_servers_all() and authority_look_all().
 */
#include <stdlib.h>
#include <string.h>

#include "dns/authority.h"
#include "fake_dns.h"
#include "test.h"

#define NAMES_MAX 1000
#define ROUND_TRIP_MS 50

static struct fake_clock the_clock;
static struct fake_dns *dns;
static struct err err;

static int64_t elapsed(void)
{
    return the_clock.mono_ms - dns->start_ms;
}

/* ------------------------------------------------------------------ looks */

enum say { SAY_HERE, SAY_NOTHING, SAY_TCP_ONLY, SAY_REFUSED };

/* What the servers 192.0.2.1 to .9 say. */
static enum say says[9];

static void look_world(UNUSED void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                       struct fake_dns_reply *reply)
{
    enum say say = says[q->server[8] - '1'];

    assert_int_equal(q->type, DNS_CNAME);
    reply->takes_ms = ROUND_TRIP_MS;
    if (say == SAY_NOTHING || (say == SAY_TCP_ONLY && q->transport != DNS_TCP))
        reply->takes_ms = INT64_MAX;
    else if (say == SAY_REFUSED)
        reply->answer.rcode = DNS_REFUSED;
    else if (strncmp(q->name, "alias-", 6) == 0)
        fake_dns_put(&reply->answer, q->name, DNS_CNAME, q->name + 6);
    else
        fake_dns_put_soa(&reply->answer, strstr(q->name, "example."), 180);
}

/* Names in one zone after the other; each zone has servers of its own. */
struct many {
    struct authority_query queries[NAMES_MAX];
    struct strlist names;
    struct dns_servers servers[2];
};

static struct many *begin_many(size_t count, size_t servers_of_first, size_t servers_of_second)
{
    static const char *const zones[] = {"example.com", "example.net"};
    const size_t counts[] = {servers_of_first, servers_of_second};
    struct many *many = mem_zalloc(sizeof *many);
    size_t number = 1;

    fake_clock_init(&the_clock);
    dns = fake_dns_new(&the_clock, look_world, NULL);
    err_init(&err);
    memset(says, 0, sizeof says);
    for (size_t z = 0; z < 2; z++)
        for (size_t i = 0; i < counts[z]; i++, number++) {
            AUTO_FREE char *name = mem_printf("ns%zu.test", number);
            AUTO_FREE char *address = mem_printf("192.0.2.%zu", number);
            dns_servers_add(&many->servers[z], name, address);
        }
    for (size_t i = 0; i < count; i++) {
        size_t z = servers_of_second ? i % 2 : 0;

        strlist_add_take(&many->names, mem_printf("%shost-%zu.%s", i % 10 == 9 ? "alias-" : "", i, zones[z]));
        many->queries[i] = (struct authority_query){
            .servers = &many->servers[z], .zone = zones[z], .name = many->names.items[i]};
    }
    return many;
}

static void end_many(struct many *many)
{
    for (size_t i = 0; i < NAMES_MAX; i++)
        authority_view_done(&many->queries[i].view);
    for (size_t z = 0; z < 2; z++)
        dns_servers_done(&many->servers[z]);
    strlist_done(&many->names);
    free(many);
    fake_dns_done(dns);
}

/* Names whose look had that end. */
static size_t count_of(const struct many *many, enum err_code code)
{
    size_t count = 0;

    for (size_t i = 0; i < many->names.count; i++)
        count += many->queries[i].err.code == code;
    return count;
}

TEST(a_thousand_names_are_looked_at_in_a_dozen_round_trips)
{
    struct many *many = begin_many(1000, 4, 0);

    assert_int_equal(authority_look_all(&dns->base, many->queries, 1000, &err), ERR_OK);
    assert_int_equal(count_of(many, ERR_OK), 1000);
    assert_in_range(elapsed(), 10 * ROUND_TRIP_MS, 12 * ROUND_TRIP_MS);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(many->queries[i].view.kind, i % 10 == 9 ? AUTHORITY_ALIAS : AUTHORITY_HERE);
    assert_string_equal(many->queries[9].view.target, "host-9.example.com");
    assert_string_equal(many->queries[8].view.zone, "example.com");
    assert_int_equal(dns->asked, 1000);
    assert_int_equal(fake_dns_count(dns, "192.0.2.1")->asked, 250);       /* spread over the servers */
    assert_in_range(fake_dns_count(dns, "192.0.2.4")->open_most, 20, 30); /* and not all at once */
    end_many(many);
}

TEST(each_zone_is_asked_at_its_own_servers)
{
    struct many *many = begin_many(100, 1, 1);

    assert_int_equal(authority_look_all(&dns->base, many->queries, 100, &err), ERR_OK);
    assert_int_equal(fake_dns_count(dns, "192.0.2.1")->asked, 50);
    assert_int_equal(fake_dns_count(dns, "192.0.2.2")->asked, 50);
    assert_string_equal(many->queries[0].view.zone, "example.com");
    assert_string_equal(many->queries[1].view.zone, "example.net");
    end_many(many);
}

TEST(a_zone_that_is_silent_is_asked_about_one_name_and_delays_no_other)
{
    struct many *many = begin_many(1000, 1, 2);

    says[0] = SAY_NOTHING;
    assert_int_equal(authority_look_all(&dns->base, many->queries, 1000, &err), ERR_OK);
    assert_int_equal(count_of(many, ERR_TIMEOUT), 500);
    assert_int_equal(count_of(many, ERR_OK), 500);
    assert_int_equal(fake_dns_count(dns, "192.0.2.1")->asked, 2); /* UDP and TCP */
    assert_true(elapsed() < 4000);
    assert_non_null(strstr(many->queries[0].err.msg, "\"host-0.example.com\""));
    assert_non_null(strstr(many->queries[998].err.msg, "\"host-998.example.com\""));
    end_many(many);
}

TEST(a_zone_that_refuses_is_a_dns_error_for_each_of_its_names)
{
    struct many *many = begin_many(20, 1, 1);

    says[0] = SAY_REFUSED;
    assert_int_equal(authority_look_all(&dns->base, many->queries, 20, &err), ERR_OK);
    assert_int_equal(count_of(many, ERR_DNS), 10);
    assert_int_equal(count_of(many, ERR_OK), 10);
    end_many(many);
}

TEST(one_silent_server_of_two_costs_its_patience_and_not_once_a_name)
{
    struct many *many = begin_many(100, 2, 0);

    says[0] = SAY_NOTHING;
    assert_int_equal(authority_look_all(&dns->base, many->queries, 100, &err), ERR_OK);
    assert_int_equal(count_of(many, ERR_OK), 100);
    assert_true(elapsed() < 1000);
    end_many(many);
}

TEST(where_udp_gets_no_answer_one_name_tells_and_the_others_go_by_tcp)
{
    struct many *many = begin_many(100, 1, 0);

    says[0] = SAY_TCP_ONLY;
    assert_int_equal(authority_look_all(&dns->base, many->queries, 100, &err), ERR_OK);
    assert_int_equal(count_of(many, ERR_OK), 100);
    assert_int_equal(fake_dns_count(dns, "192.0.2.1")->tcp, 100);
    assert_int_equal(dns->asked, 101);
    assert_true(elapsed() < 2500);
    end_many(many);
}

TEST(servers_without_an_address_are_an_error_for_their_zone_alone)
{
    struct many *many = begin_many(10, 1, 0);

    many->queries[4].servers = &many->servers[1]; /* empty */
    assert_int_equal(authority_look_all(&dns->base, many->queries, 10, &err), ERR_OK);
    assert_int_equal(many->queries[4].err.code, ERR_DNS);
    assert_int_equal(count_of(many, ERR_OK), 9);
    end_many(many);
}

TEST(an_interrupt_ends_all_looks)
{
    struct many *many = begin_many(1000, 2, 0);

    the_clock.cancel_at_ms = the_clock.mono_ms + 4 * ROUND_TRIP_MS;
    assert_int_equal(authority_look_all(&dns->base, many->queries, 1000, &err), ERR_CANCELLED);
    assert_int_equal(dns->open_count, 0);
    end_many(many); /* views of the first looks are freed once */
}

TEST(nothing_to_look_at_is_nothing)
{
    struct many *many = begin_many(0, 1, 0);

    assert_int_equal(authority_look_all(&dns->base, many->queries, 0, &err), ERR_OK);
    assert_int_equal(authority_find_servers_all(&dns->base, NULL, 0, &err), ERR_OK);
    assert_int_equal(dns->asked, 0);
    end_many(many);
}

/* ------------------------------------------------------------------ servers */

/* "zNN.example": two servers that all share and one of its own; "none.example": none; "broken.example": silence. */
static void servers_world(UNUSED void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                          struct fake_dns_reply *reply)
{
    struct dns_answer *a = &reply->answer;

    assert_null(q->server);
    reply->takes_ms = strcmp(q->name, "broken.example") == 0 ? INT64_MAX : ROUND_TRIP_MS;
    if (q->type == DNS_NS && *q->name == 'z') {
        AUTO_FREE char *own = mem_printf("own.%s", q->name);

        fake_dns_put(a, q->name, DNS_NS, "ns2.test");
        fake_dns_put(a, q->name, DNS_NS, own);
        fake_dns_put(a, q->name, DNS_NS, "ns1.test");
    } else if (q->type == DNS_A && strncmp(q->name, "ns", 2) == 0) {
        fake_dns_put(a, q->name, DNS_A, q->name[2] == '1' ? "192.0.2.1" : "192.0.2.2");
    } else if (q->type == DNS_AAAA && strncmp(q->name, "own.", 4) == 0) {
        fake_dns_put(a, q->name, DNS_AAAA, "2001:db8::1");
    }
}

static void begin_servers(void)
{
    fake_clock_init(&the_clock);
    dns = fake_dns_new(&the_clock, servers_world, NULL);
    err_init(&err);
}

TEST(servers_of_many_zones_take_two_round_trips_and_each_is_asked_for_once)
{
    struct authority_zone zones[3] = {{.name = "z01.example"}, {.name = "z02.example"}, {.name = "z03.example"}};

    begin_servers();
    assert_int_equal(authority_find_servers_all(&dns->base, zones, 3, &err), ERR_OK);
    assert_int_equal(elapsed(), 2 * ROUND_TRIP_MS);
    assert_int_equal(dns->asked, 3 + 2 * (2 + 3)); /* NS; A and AAAA of ns1, ns2 and of each zone's own */
    for (size_t i = 0; i < 3; i++) {
        const struct dns_servers *servers = &zones[i].servers;

        assert_int_equal(zones[i].err.code, ERR_OK);
        assert_int_equal(servers->count, 3);
        assert_string_equal(servers->items[0].name, "ns1.test"); /* sorted */
        assert_string_equal(servers->items[0].addresses.items[0], "192.0.2.1");
        assert_string_equal(servers->items[1].addresses.items[0], "192.0.2.2");
        assert_memory_equal(servers->items[2].name, "own.z0", 6);
        assert_string_equal(servers->items[2].addresses.items[0], "2001:db8::1");
        dns_servers_done(&zones[i].servers);
    }
    fake_dns_done(dns);
}

TEST(a_zone_whose_servers_are_not_found_fails_alone)
{
    struct authority_zone zones[3] = {{.name = "broken.example"}, {.name = "z02.example"}, {.name = "none.example"}};

    begin_servers();
    assert_int_equal(authority_find_servers_all(&dns->base, zones, 3, &err), ERR_OK);
    assert_int_equal(zones[0].err.code, ERR_TIMEOUT);
    assert_non_null(strstr(zones[0].err.msg, "\"broken.example\""));
    assert_null(zones[0].servers.items);
    assert_int_equal(zones[1].err.code, ERR_OK);
    assert_int_equal(zones[1].servers.count, 3);
    assert_int_equal(zones[2].err.code, ERR_DNS);
    assert_non_null(strstr(zones[2].err.msg, "\"none.example\""));
    dns_servers_done(&zones[1].servers);
    fake_dns_done(dns);
}

TEST(an_interrupt_ends_the_search_for_all_servers)
{
    for (int64_t after_ms = 20; after_ms <= 70; after_ms += 50) {
        struct authority_zone zones[2] = {{.name = "z01.example"}, {.name = "z02.example"}};

        begin_servers();
        the_clock.cancel_at_ms = the_clock.mono_ms + after_ms;
        assert_int_equal(authority_find_servers_all(&dns->base, zones, 2, &err), ERR_CANCELLED);
        assert_null(zones[0].servers.items);
        assert_null(zones[1].servers.items);
        assert_int_equal(dns->open_count, 0);
        fake_dns_done(dns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_names_are_looked_at_in_a_dozen_round_trips),
        cmocka_unit_test(each_zone_is_asked_at_its_own_servers),
        cmocka_unit_test(a_zone_that_is_silent_is_asked_about_one_name_and_delays_no_other),
        cmocka_unit_test(a_zone_that_refuses_is_a_dns_error_for_each_of_its_names),
        cmocka_unit_test(one_silent_server_of_two_costs_its_patience_and_not_once_a_name),
        cmocka_unit_test(where_udp_gets_no_answer_one_name_tells_and_the_others_go_by_tcp),
        cmocka_unit_test(servers_without_an_address_are_an_error_for_their_zone_alone),
        cmocka_unit_test(an_interrupt_ends_all_looks),
        cmocka_unit_test(nothing_to_look_at_is_nothing),
        cmocka_unit_test(servers_of_many_zones_take_two_round_trips_and_each_is_asked_for_once),
        cmocka_unit_test(a_zone_whose_servers_are_not_found_fails_alone),
        cmocka_unit_test(an_interrupt_ends_the_search_for_all_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
