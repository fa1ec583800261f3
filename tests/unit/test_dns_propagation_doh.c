/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/propagation.h"
#include "fake_dns.h"
#include "test.h"

#define NEVER INT64_MAX
#define NAME "_acme-challenge.example.com"

/* A recursive resolver with a cache that remembers denials. */
struct cache {
    int64_t shows_at_ms;  /* the servers behind it */
    uint32_t negative_s;  /* how long it remembers */
    enum err_code broken; /* not ERR_OK: every question fails so */
    int64_t takes_ms;     /* 0: no matter */
    int64_t blind_until_ms;
    size_t wasted; /* questions that it answered from memory */
};

struct scene {
    struct fake_clock clock;
    struct fake_dns *dns[2];
    struct resolver *resolvers[2];
    struct propagation_opts opts;
    struct dns_servers servers;
    struct err err;
};

static void world(void *ctx, const struct dns_question *q, int64_t now_ms, struct fake_dns_reply *reply)
{
    struct cache *cache = ctx;

    assert_null(q->server);
    reply->answer.authoritative = false;
    reply->takes_ms = cache->takes_ms ? cache->takes_ms : reply->takes_ms;
    if (cache->broken != ERR_OK) {
        fake_dns_fail(&reply->answer, cache->broken);
        return;
    }
    /* Only the first name is remembered: enough for these tests. */
    if (now_ms < cache->blind_until_ms && strcmp(q->name, NAME) == 0) {
        cache->wasted++;
        reply->answer.rcode = DNS_NXDOMAIN;
        fake_dns_put_soa(&reply->answer, "example.com", (uint32_t)((cache->blind_until_ms - now_ms + 999) / 1000));
    } else if (now_ms < cache->shows_at_ms) {
        cache->blind_until_ms = now_ms + (int64_t)cache->negative_s * 1000;
        reply->answer.rcode = DNS_NXDOMAIN;
        fake_dns_put_soa(&reply->answer, "example.com", cache->negative_s);
    } else {
        fake_dns_put_txt(&reply->answer, q->name, "value");
    }
}

static void scene_init(struct scene *s, struct cache *caches, size_t count)
{
    *s = (struct scene){0};
    fake_clock_init(&s->clock);
    for (size_t i = 0; i < count; i++) {
        s->dns[i] = fake_dns_new(&s->clock, world, &caches[i]);
        s->resolvers[i] = &s->dns[i]->base;
    }
    s->opts = (struct propagation_opts){.timeout_ms = 100000, .lame_after_ms = 10000, .clock = &s->clock.base};
}

static void scene_done(struct scene *s)
{
    for (size_t i = 0; i < 2; i++)
        if (s->dns[i])
            fake_dns_done(s->dns[i]);
}

static enum err_code wait_for(struct scene *s, size_t sources)
{
    static const char *const values[] = {"value"};
    struct propagation_item item = {NAME, values, 1, &s->servers, "example.com"};

    return propagation_wait_doh(s->resolvers, sources, &item, 1, &s->opts, &s->err);
}

static int64_t elapsed(const struct scene *s)
{
    return s->clock.mono_ms - s->dns[0]->start_ms;
}

TEST(nothing_is_asked_before_records_have_had_time_to_appear)
{
    struct cache cache = {.shows_at_ms = 25000, .negative_s = 180};
    struct scene s;

    scene_init(&s, &cache, 1);
    assert_int_equal(wait_for(&s, 1), ERR_OK);
    assert_in_range(elapsed(&s), 30000, 30100);
    assert_int_equal(s.dns[0]->asked, 1);
    scene_done(&s);
}

TEST(a_short_time_out_shortens_the_first_pause)
{
    struct cache cache = {.shows_at_ms = 1000, .negative_s = 180};
    struct scene s;

    scene_init(&s, &cache, 1);
    s.opts.timeout_ms = 15000;
    assert_int_equal(wait_for(&s, 1), ERR_OK);
    assert_in_range(elapsed(&s), 5000, 5100);
    scene_done(&s);
}

TEST(after_a_denial_the_name_is_left_alone_while_it_may_be_remembered)
{
    struct cache cache = {.shows_at_ms = 40000, .negative_s = 20};
    struct scene s;

    scene_init(&s, &cache, 1);
    assert_int_equal(wait_for(&s, 1), ERR_OK);
    assert_in_range(elapsed(&s), 50000, 50400);
    assert_int_equal(s.dns[0]->asked, 2);
    assert_int_equal(cache.wasted, 0);
    scene_done(&s);
}

TEST(at_the_last_moment_the_name_is_asked_for_once_more)
{
    struct cache cache = {.shows_at_ms = 31000, .negative_s = 3600};
    struct scene s;

    scene_init(&s, &cache, 1);
    assert_int_equal(wait_for(&s, 1), ERR_PROPAGATION);
    assert_in_range(elapsed(&s), 100000, 100300);
    assert_in_range(cache.wasted, 1, 2);
    assert_non_null(strstr(s.err.msg, "\"" NAME "\""));
    assert_non_null(strstr(s.err.msg, "resolver 1 has no such name"));
    scene_done(&s);
}

TEST(a_silent_resolver_does_not_stretch_the_time_out)
{
    struct cache caches[] = {{.shows_at_ms = NEVER, .negative_s = 10}, {.takes_ms = 60000}};

    for (int64_t timeout_ms = 60000; timeout_ms < 67000; timeout_ms += 500) {
        struct scene s;

        scene_init(&s, caches, 2);
        s.opts.timeout_ms = timeout_ms;
        assert_int_equal(wait_for(&s, 2), ERR_PROPAGATION);
        assert_in_range(elapsed(&s), timeout_ms, timeout_ms + 1300);
        scene_done(&s);
    }
}

TEST(resolvers_that_never_answer_are_named_also_when_the_time_out_comes_first)
{
    struct cache caches[] = {{.broken = ERR_NETWORK}, {.broken = ERR_TIMEOUT}};
    struct scene s;

    for (int64_t timeout_ms = 1; timeout_ms <= 60000; timeout_ms += 59999) {
        scene_init(&s, caches, 2);
        s.resolvers[0]->name = "https://one.test/dns-query";
        s.opts.timeout_ms = timeout_ms;
        assert_int_equal(wait_for(&s, 2), ERR_NETWORK);
        assert_non_null(strstr(s.err.msg, "asked \"https://one.test/dns-query\", resolver 2"));
        scene_done(&s);
    }
}

TEST(a_resolver_that_lags_is_called_by_its_name)
{
    struct cache cache = {.shows_at_ms = NEVER, .negative_s = 10};
    struct scene s;

    scene_init(&s, &cache, 1);
    s.resolvers[0]->name = "https://one.test/dns-query";
    assert_int_equal(wait_for(&s, 1), ERR_PROPAGATION);
    assert_non_null(strstr(s.err.msg, "\"https://one.test/dns-query\" has no such name"));
    scene_done(&s);
}

TEST(every_resolver_must_show_it)
{
    struct cache caches[] = {{.shows_at_ms = 0, .negative_s = 10}, {.shows_at_ms = 45000, .negative_s = 10}};
    struct scene s;

    scene_init(&s, caches, 2);
    assert_int_equal(wait_for(&s, 2), ERR_OK);
    assert_in_range(elapsed(&s), 45000, 51000);
    assert_int_equal(s.dns[0]->asked, 1);
    scene_done(&s);
}

TEST(a_resolver_that_never_answers_is_left_out_after_its_time)
{
    struct cache caches[] = {{.shows_at_ms = 0}, {.broken = ERR_TLS}};
    struct scene s;

    scene_init(&s, caches, 2);
    assert_int_equal(wait_for(&s, 2), ERR_OK);
    assert_in_range(elapsed(&s), 40000, 40300);
    scene_done(&s);
}

TEST(when_no_resolver_answers_the_wait_ends_early)
{
    struct cache caches[] = {{.broken = ERR_NETWORK}, {.broken = ERR_TIMEOUT}};
    struct scene s;

    scene_init(&s, caches, 2);
    assert_int_equal(wait_for(&s, 2), ERR_NETWORK);
    assert_in_range(elapsed(&s), 40000, 42300);
    assert_true(s.dns[0]->asked <= 8);
    assert_true(s.err.hint[0] != '\0');
    scene_done(&s);
}

TEST(without_resolvers_there_is_nobody_to_ask)
{
    struct cache cache = {0};
    struct scene s;

    scene_init(&s, &cache, 1);
    assert_int_equal(wait_for(&s, 0), ERR_NETWORK);
    scene_done(&s);
}

TEST(of_many_names_one_tries_the_way_for_the_others)
{
    enum { COUNT = 200 };
    struct cache cache = {.shows_at_ms = 35000, .negative_s = 15};
    struct propagation_item items[COUNT];
    static const char *const values[] = {"value"};
    AUTO_STRLIST struct strlist names = {NULL, 0};
    struct scene s;

    scene_init(&s, &cache, 1);
    for (size_t i = 0; i < COUNT; i++) {
        strlist_add_take(&names, i ? mem_printf("h%zu.example.com", i) : mem_strdup(NAME));
        items[i] = (struct propagation_item){names.items[i], values, 1, &s.servers, "example.com"};
    }
    assert_int_equal(propagation_wait_doh(s.resolvers, 1, items, COUNT, &s.opts, &s.err), ERR_OK);
    assert_in_range(elapsed(&s), 40000, 47000);
    assert_in_range(s.dns[0]->asked, COUNT, COUNT + 2);
    assert_int_equal(cache.wasted, 0);
    scene_done(&s);
}

TEST(an_interrupt_ends_it)
{
    struct cache cache = {.shows_at_ms = NEVER, .negative_s = 10};
    struct scene s;

    for (int64_t at_ms = 10000; at_ms <= 60000; at_ms += 25000) {
        scene_init(&s, &cache, 1);
        s.clock.cancel_at_ms = s.clock.mono_ms + at_ms;
        assert_int_equal(wait_for(&s, 1), ERR_CANCELLED);
        assert_in_range(elapsed(&s), at_ms, at_ms + 250);
        assert_int_equal(s.dns[0]->open_count, 0);
        scene_done(&s);
    }
}

/* ------------------------------------------------------------------ each item by itself */

static enum err_code wait_for_each(struct scene *s, size_t sources, enum propagation_state states[2], struct err *why)
{
    static const char *const good[] = {"value"};
    static const char *const never[] = {"another"};
    const struct propagation_item items[] = {{NAME, good, 1, &s->servers, "example.com"},
                                             {"_acme-challenge.example.net", never, 1, &s->servers, "example.net"}};

    return propagation_wait_doh_each(s->resolvers, sources, items, 2, &s->opts, states, why, &s->err);
}

TEST(a_record_that_is_never_shown_fails_alone)
{
    struct cache cache = {.shows_at_ms = 25000, .negative_s = 180};
    enum propagation_state states[2];
    struct scene s;
    struct err why;

    scene_init(&s, &cache, 1);
    s.opts.settle_ms = 1000;
    assert_int_equal(wait_for_each(&s, 1, states, &why), ERR_OK);
    assert_int_equal(states[0], PROPAGATION_SHOWN);
    assert_int_equal(states[1], PROPAGATION_FAILED);
    assert_int_equal(why.code, ERR_PROPAGATION);
    assert_non_null(strstr(why.msg, "1 of 2 TXT records"));
    assert_in_range(elapsed(&s), 101000, 101500);
    scene_done(&s);
}

TEST(servers_that_do_not_answer_fail_each_record)
{
    struct cache cache = {.broken = ERR_NETWORK};
    enum propagation_state states[2];
    struct scene s;
    struct err why;

    scene_init(&s, &cache, 1);
    assert_int_equal(wait_for_each(&s, 1, states, &why), ERR_OK);
    assert_int_equal(states[0], PROPAGATION_FAILED);
    assert_int_equal(states[1], PROPAGATION_FAILED);
    assert_int_equal(why.code, ERR_NETWORK);
    scene_done(&s);
}

TEST(an_interrupt_ends_the_wait_for_each)
{
    struct cache cache = {.shows_at_ms = NEVER, .negative_s = 180};
    enum propagation_state states[2];
    struct scene s;
    struct err why;

    scene_init(&s, &cache, 1);
    s.clock.cancel_at_ms = s.clock.mono_ms + 40000;
    assert_int_equal(wait_for_each(&s, 1, states, &why), ERR_CANCELLED);
    assert_int_equal(s.err.code, ERR_CANCELLED);
    scene_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_before_records_have_had_time_to_appear),
        cmocka_unit_test(a_short_time_out_shortens_the_first_pause),
        cmocka_unit_test(after_a_denial_the_name_is_left_alone_while_it_may_be_remembered),
        cmocka_unit_test(at_the_last_moment_the_name_is_asked_for_once_more),
        cmocka_unit_test(a_silent_resolver_does_not_stretch_the_time_out),
        cmocka_unit_test(resolvers_that_never_answer_are_named_also_when_the_time_out_comes_first),
        cmocka_unit_test(a_resolver_that_lags_is_called_by_its_name),
        cmocka_unit_test(every_resolver_must_show_it),
        cmocka_unit_test(a_resolver_that_never_answers_is_left_out_after_its_time),
        cmocka_unit_test(when_no_resolver_answers_the_wait_ends_early),
        cmocka_unit_test(without_resolvers_there_is_nobody_to_ask),
        cmocka_unit_test(of_many_names_one_tries_the_way_for_the_others),
        cmocka_unit_test(an_interrupt_ends_it),
        cmocka_unit_test(a_record_that_is_never_shown_fails_alone),
        cmocka_unit_test(servers_that_do_not_answer_fail_each_record),
        cmocka_unit_test(an_interrupt_ends_the_wait_for_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
