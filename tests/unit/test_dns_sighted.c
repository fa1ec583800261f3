/* SPDX-License-Identifier: MIT
 *
 * Of propagation.c: who is told when which server first showed what.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/propagation.h"
#include "fake_dns.h"
#include "test.h"

#define ZONE "example.com"
#define NAME "_acme-challenge.example.com"
#define OTHER "_acme-challenge.www.example.com"
#define NEVER INT64_MAX

/* An address, and when it shows the first and the second value of a name. */
struct host {
    const char *address;
    int64_t first_ms, second_ms;
};

struct seen {
    char *name, *server, *address;
    int64_t elapsed_ms, clock_ms;
};

struct scene {
    struct fake_clock clock;
    const struct host *hosts; /* ends with address NULL */
    struct fake_dns *dns;
    struct dns_servers servers;
    struct propagation_opts opts;
    struct err err;
    int64_t start_ms;
    struct seen seen[32];
    size_t seen_count;
};

static void world(void *ctx, const struct dns_question *q, int64_t now_ms, struct fake_dns_reply *reply)
{
    const struct scene *s = ctx;
    const struct host *h = s->hosts;
    int64_t at_ms = now_ms - (s->start_ms - s->dns->start_ms);

    while (h->address && strcmp(h->address, q->server) != 0)
        h++;
    assert_non_null(h->address);
    if (h->first_ms < 0) {
        reply->takes_ms = INT64_MAX;
        return;
    }
    if (at_ms >= h->first_ms)
        fake_dns_put_txt(&reply->answer, q->name, "one");
    if (at_ms >= h->second_ms)
        fake_dns_put_txt(&reply->answer, q->name, "two");
    if (!reply->answer.answer_count)
        reply->answer.rcode = DNS_NXDOMAIN;
}

static void on_sighted(void *ctx, const struct propagation_sighting *sighting)
{
    struct scene *s = ctx;

    assert_true(s->seen_count < ARRAY_LEN(s->seen));
    s->seen[s->seen_count++] = (struct seen){
        .name = mem_strdup(sighting->name),
        .server = mem_strdup(sighting->server),
        .address = mem_strdup(sighting->address),
        .elapsed_ms = sighting->elapsed_ms,
        .clock_ms = s->clock.mono_ms - s->start_ms,
    };
}

static void scene_done(struct scene *s)
{
    for (size_t i = 0; i < s->seen_count; i++) {
        free(s->seen[i].name);
        free(s->seen[i].server);
        free(s->seen[i].address);
    }
    dns_servers_done(&s->servers);
    fake_dns_done(s->dns);
}
#define AUTO_SCENE AUTO(scene_done) struct scene

/* Names of the servers are those of their hosts' order, two addresses each: "a.test", "a.test", "b.test" ... */
static void scene_init(struct scene *s, const struct host *hosts)
{
    *s = (struct scene){.hosts = hosts};
    fake_clock_init(&s->clock);
    s->dns = fake_dns_new(&s->clock, world, s);
    for (size_t i = 0; hosts[i].address; i++) {
        const char name[] = {(char)('a' + i / 2), '.', 't', 'e', 's', 't', '\0'};
        dns_servers_add(&s->servers, name, hosts[i].address);
    }
    s->opts = (struct propagation_opts){.timeout_ms = 60000,
                                        .settle_ms = 5000,
                                        .lame_after_ms = 10000,
                                        .clock = &s->clock.base,
                                        .sighted = on_sighted,
                                        .sighted_ctx = s};
    fake_clock_advance(&s->clock, 123456); /* other work came before */
    s->start_ms = s->clock.mono_ms;
}

static enum err_code wait_for(struct scene *s, size_t name_count, size_t value_count)
{
    static const char *const values[] = {"one", "two"};
    const struct propagation_item items[] = {
        {NAME, values, value_count, &s->servers, ZONE},
        {OTHER, values, value_count, &s->servers, ZONE},
    };

    return propagation_wait(&s->dns->base, items, name_count, &s->opts, &s->err);
}

static const struct seen *find(const struct scene *s, const char *name, const char *address)
{
    const struct seen *found = NULL;

    for (size_t i = 0; i < s->seen_count; i++) {
        if (strcmp(s->seen[i].name, name) != 0 || strcmp(s->seen[i].address, address) != 0)
            continue;
        assert_null(found); /* told once */
        found = &s->seen[i];
    }
    return found;
}

/* Seen soon after it was there, and told at once. */
static void expect_seen(const struct scene *s, const char *name, const char *server, const char *address,
                        int64_t lag_ms)
{
    const struct seen *seen = find(s, name, address);

    if (!seen) {
        fail_msg("%s was not seen", address);
        return;
    }
    assert_string_equal(seen->server, server);
    assert_int_equal(seen->elapsed_ms, seen->clock_ms);
    if (seen->elapsed_ms < lag_ms || seen->elapsed_ms > lag_ms + 400)
        fail_msg("%s: seen after %lld ms, there after %lld ms", address, (long long)seen->elapsed_ms,
                 (long long)lag_ms);
}

TEST(each_address_is_told_of_when_it_first_shows_the_record)
{
    static const struct host hosts[] = {
        {"192.0.2.1", 0, 0},         {"2001:db8::1", 700, 700}, {"192.0.2.2", 2500, 2500},
        {"2001:db8::2", 9000, 9000}, {"192.0.2.3", 300, 300},   {NULL, 0, 0},
    };
    AUTO_SCENE s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, 1, 1), ERR_OK);
    assert_int_equal(s.seen_count, 5);
    expect_seen(&s, NAME, "a.test", "192.0.2.1", 0);
    expect_seen(&s, NAME, "a.test", "2001:db8::1", 700);
    expect_seen(&s, NAME, "b.test", "192.0.2.2", 2500);
    expect_seen(&s, NAME, "b.test", "2001:db8::2", 9000);
    expect_seen(&s, NAME, "c.test", "192.0.2.3", 300);
    for (size_t i = 1; i < s.seen_count; i++)
        assert_true(s.seen[i - 1].elapsed_ms <= s.seen[i].elapsed_ms);
}

TEST(a_record_is_shown_when_all_of_its_values_are)
{
    static const struct host hosts[] = {{"192.0.2.1", 0, 4000}, {"192.0.2.2", 6000, 500}, {NULL, 0, 0}};
    AUTO_SCENE s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, 1, 2), ERR_OK);
    assert_int_equal(s.seen_count, 2);
    expect_seen(&s, NAME, "a.test", "192.0.2.1", 4000);
    expect_seen(&s, NAME, "a.test", "192.0.2.2", 6000);
}

TEST(each_record_is_told_of_by_itself)
{
    static const struct host hosts[] = {{"192.0.2.1", 0, 0}, {"192.0.2.2", 1500, 0}, {NULL, 0, 0}};
    AUTO_SCENE s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, 2, 1), ERR_OK);
    assert_int_equal(s.seen_count, 4);
    expect_seen(&s, NAME, "a.test", "192.0.2.2", 1500);
    expect_seen(&s, OTHER, "a.test", "192.0.2.1", 0);
    expect_seen(&s, OTHER, "a.test", "192.0.2.2", 1500);
}

TEST(what_was_never_shown_is_never_told_and_what_was_before_a_failure_is)
{
    static const struct host hosts[] = {
        {"192.0.2.1", 0, 0}, {"192.0.2.2", -1, 0}, {"192.0.2.3", NEVER, 0}, {"192.0.2.4", 50000, 0}, {NULL, 0, 0}};
    AUTO_SCENE s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, 1, 1), ERR_PROPAGATION);
    assert_int_equal(s.seen_count, 2);
    expect_seen(&s, NAME, "a.test", "192.0.2.1", 0);
    expect_seen(&s, NAME, "b.test", "192.0.2.4", 50000);
}

TEST(nobody_need_listen)
{
    static const struct host hosts[] = {{"192.0.2.1", 100, 100}, {NULL, 0, 0}};
    AUTO_SCENE s;

    scene_init(&s, hosts);
    s.opts.sighted = NULL;
    assert_int_equal(wait_for(&s, 1, 1), ERR_OK);
    assert_int_equal(s.seen_count, 0);
}

static void doh_world(UNUSED void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                      struct fake_dns_reply *reply)
{
    fake_dns_put_txt(&reply->answer, q->name, "one");
}

TEST(dns_over_https_does_not_know_the_servers_and_tells_nobody)
{
    static const struct host hosts[] = {{"192.0.2.1", 0, 0}, {NULL, 0, 0}};
    static const char *const values[] = {"one"};
    AUTO_SCENE s;
    struct fake_dns *doh;
    struct resolver *list[1];
    enum err_code code;

    scene_init(&s, hosts);
    doh = fake_dns_new(&s.clock, doh_world, NULL);
    list[0] = &doh->base;
    code = propagation_wait_doh(list, 1, &(struct propagation_item){NAME, values, 1, &s.servers, ZONE}, 1, &s.opts,
                                &s.err);
    fake_dns_done(doh);
    assert_int_equal(code, ERR_OK);
    assert_int_equal(s.seen_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_is_told_of_when_it_first_shows_the_record),
        cmocka_unit_test(a_record_is_shown_when_all_of_its_values_are),
        cmocka_unit_test(each_record_is_told_of_by_itself),
        cmocka_unit_test(what_was_never_shown_is_never_told_and_what_was_before_a_failure_is),
        cmocka_unit_test(nobody_need_listen),
        cmocka_unit_test(dns_over_https_does_not_know_the_servers_and_tells_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
