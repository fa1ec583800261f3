/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dme/budget.h"
#include "dme_fixture.h"
#include "test.h"

#define LIST "{\"totalPages\":1,\"totalRecords\":0,\"data\":[],\"page\":0}"

/* A server that counts: `limit` requests in `window_ms`, shared with others. */
struct counting {
    struct fake_clock *clock;
    int64_t limit;
    int64_t window_ms;
    int64_t made_ms[2000];
    size_t made;
    size_t refused;
    char headers[128];
};

static size_t used(const struct counting *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->made; i++)
        n += c->made_ms[i] > c->clock->mono_ms - c->window_ms;
    return n;
}

static void count_one(struct counting *c)
{
    assert_true(c->made < ARRAY_LEN(c->made_ms));
    c->made_ms[c->made++] = c->clock->mono_ms;
}

static void answer_counting(void *context, UNUSED const struct fake_seen *request, UNUSED size_t index,
                            struct fake_exchange *answer)
{
    struct counting *c = context;
    bool is_full = (int64_t)used(c) >= c->limit;

    if (is_full)
        c->refused++;
    else
        count_one(c);
    (void)snprintf(c->headers, sizeof c->headers,
                   "x-dnsme-requestLimit: %" PRId64 "\nx-dnsme-requestsRemaining: %" PRId64, c->limit,
                   c->limit - (int64_t)used(c));
    answer->headers = c->headers;
    answer->status = is_full ? 400 : 200;
    answer->answer = is_full ? "{\"error\": [\"Rate limit exceeded\"]}" : LIST;
}

struct scene {
    struct dme_fixture f;
    struct counting api;
};

static void scene_init(struct scene *s, int64_t limit)
{
    dme_fixture_init(&s->f);
    s->api = (struct counting){.clock = &s->f.clock, .limit = limit, .window_ms = 300000};
    s->f.http->handler = answer_counting;
    s->f.http->handler_context = &s->api;
}

static enum err_code ask(struct scene *s)
{
    struct dme_record record = {.name = "a", .value = "v"};

    return dme_records_find(s->f.dme, 42, &record, 1, &s->f.err);
}

TEST(whatever_the_limit_all_get_through_and_none_is_refused)
{
    static const int64_t limits[] = {150, 20, 5};

    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct scene s;
        int64_t start_ms;

        scene_init(&s, limits[i]);
        start_ms = s.f.clock.mono_ms;
        for (int64_t n = 0; n < 2 * limits[i] + 3; n++)
            assert_int_equal(ask(&s), ERR_OK);
        assert_int_equal(s.api.refused, 0);
        assert_int_equal(s.f.clock.mono_ms - start_ms, 600000);
        dme_fixture_done(&s.f);
    }
}

TEST(a_wait_is_one_warning_that_says_what_is_needed)
{
    struct scene s;
    char *warning;

    scene_init(&s, 5);
    for (size_t n = 0; n < 5; n++)
        assert_int_equal(ask(&s), ERR_OK);
    fake_clock_advance(&s.f.clock, 160000);
    assert_int_equal(ask(&s), ERR_OK);
    warning = strstr(dme_fixture_log(&s.f), "warning: ");
    assert_non_null(warning);
    assert_non_null(strstr(warning, "request limit of DNS Made Easy: needs 1 request, 0 left of 5, next free in 140 s; "
                                    "waiting, continuing\n"));
    assert_null(strstr(warning + 1, "warning: "));
    dme_fixture_done(&s.f);
}

/* A wait of minutes between two requests: the second has a date of its own, and its time begins then. */
TEST(who_has_waited_signs_anew_and_has_all_the_time_that_there_was)
{
    struct scene s;

    scene_init(&s, 1);
    s.f.http->server_behind_ms = 1000;
    assert_int_equal(ask(&s), ERR_OK);
    fake_http_expect(s.f.http, &(struct fake_exchange){.method = "GET", .fail = ERR_NETWORK, .takes_ms = 10});
    assert_int_equal(ask(&s), ERR_OK); /* the failure, and the attempt after it, though 60 s have long passed */
    assert_int_equal(s.f.http->seen_count, 3);
    assert_true(s.f.http->seen[1].wall_ms - s.f.http->seen[0].wall_ms >= 300000);
    for (size_t i = 0; i < 3; i++) {
        char now[CLOCK_HTTP_DATE_MAX];
        int64_t signed_s;

        assert_true(clock_parse_http_date(fake_seen_header(&s.f.http->seen[i], "x-dnsme-requestDate"), &signed_s));
        clock_format_http_date(now, s.f.http->seen[i].wall_ms / 1000);
        assert_in_range(signed_s * 1000 + 2000, s.f.http->seen[i].wall_ms - 2000, s.f.http->seen[i].wall_ms + 2000);
    }
    dme_fixture_done(&s.f);
}

TEST(a_wait_beyond_the_deadline_fails_at_once_and_says_when)
{
    struct scene s;

    scene_init(&s, 5);
    s.f.dme->budget_wait_ms = 100000;
    for (size_t n = 0; n < 5; n++)
        assert_int_equal(ask(&s), ERR_OK);
    assert_error(
        &s.f, ask(&s), ERR_RATE_LIMIT,
        "could not look up TXT records: the request limit of DNS Made Easy is used up for this API key (needs 1 "
        "request, 0 left of 5, next free in 300 s)",
        "give other tools a key of their own");
    assert_int_equal(s.f.err.retry_after_s, 300);
    assert_int_equal(s.f.http->seen_count, 5);
    assert_int_equal(s.f.clock.sleep_count, 0);
    fake_clock_advance(&s.f.clock, 200001);
    assert_int_equal(ask(&s), ERR_OK);
    dme_fixture_done(&s.f);
}

TEST(the_time_that_the_client_listens_bounds_the_wait)
{
    struct scene s;

    scene_init(&s, 5);
    s.f.dme->budget_until_ms = s.f.clock.mono_ms + 250000;
    for (size_t n = 0; n < 5; n++)
        assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(ask(&s), ERR_RATE_LIMIT);
    s.f.dme->budget_until_ms = s.f.clock.mono_ms + 300001;
    assert_int_equal(ask(&s), ERR_OK);
    dme_fixture_done(&s.f);
}

TEST(an_interruption_ends_a_wait)
{
    struct scene s;

    scene_init(&s, 5);
    for (size_t n = 0; n < 5; n++)
        assert_int_equal(ask(&s), ERR_OK);
    s.f.clock.cancel_at_ms = s.f.clock.mono_ms + 5000;
    assert_error(&s.f, ask(&s), ERR_CANCELLED, "interrupted while waiting", NULL);
    assert_int_equal(s.f.dme->own_budget.window.ticket_count, 0);
    dme_fixture_done(&s.f);
}

struct told {
    size_t times;
    int64_t last_ms;
};

static void tell(void *ctx, int64_t left_ms)
{
    struct told *told = ctx;

    assert_int_equal(left_ms, told->times ? told->last_ms - 2000 : 300000); /* it looks again every two seconds */
    told->times++;
    told->last_ms = left_ms;
}

TEST(whoever_waits_is_told_how_long_still)
{
    struct scene s;
    struct told told = {.times = 0};

    scene_init(&s, 1);
    s.f.dme->waiting = tell;
    s.f.dme->waiting_ctx = &told;
    assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(told.times, 0);
    assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(told.times, 150);
    assert_int_equal(told.last_ms, 2000);
    dme_fixture_done(&s.f);
}

TEST(a_probe_goes_out_whatever_seems_to_be_left)
{
    struct scene s;

    scene_init(&s, 5);
    s.f.dme->budget_wait_ms = 1000;
    for (size_t n = 0; n < 5; n++)
        assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(dme_probe(s.f.dme, &s.f.err), ERR_RATE_LIMIT);
    assert_int_equal(s.api.refused, 1);
    assert_int_equal(dme_requests_own(s.f.dme), 5);
    dme_fixture_done(&s.f);
}

/* ------------------------------------------------------------------ another host */

TEST(what_others_use_is_waited_for_without_a_refusal)
{
    struct scene s;

    scene_init(&s, 20);
    assert_int_equal(ask(&s), ERR_OK);
    for (size_t n = 0; n < 10; n++)
        count_one(&s.api);
    for (size_t n = 0; n < 15; n++)
        assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(s.api.refused, 0);
    dme_fixture_done(&s.f);
}

TEST(where_others_take_all_one_refusal_tells_and_none_follows_in_the_window)
{
    struct scene s;

    scene_init(&s, 5);
    assert_int_equal(ask(&s), ERR_OK);
    for (size_t n = 0; n < 4; n++)
        count_one(&s.api);
    fake_clock_advance(&s.f.clock, 10000);
    assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(s.api.refused, 1);
    assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(s.api.refused, 1);
    dme_fixture_done(&s.f);
}

/* ------------------------------------------------------------------ admission */

TEST(a_run_that_does_not_fit_says_so_and_waits_before_its_first_request)
{
    struct scene s;
    int64_t start_ms;

    scene_init(&s, 15);
    for (size_t n = 0; n < 12; n++)
        assert_int_equal(ask(&s), ERR_OK);
    fake_clock_advance(&s.f.clock, 160000);
    start_ms = s.f.clock.mono_ms;
    assert_int_equal(dme_admit(s.f.dme, 12, &s.f.err), ERR_OK);
    assert_int_equal(s.f.clock.mono_ms - start_ms, 140000);
    assert_int_equal(s.f.http->seen_count, 12);
    assert_non_null(strstr(dme_fixture_log(&s.f),
                           "warning: request limit of DNS Made Easy: needs 12 requests, 3 left of "
                           "15, next free in 140 s; waiting, continuing\n"));
    for (size_t n = 0; n < 12; n++)
        assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(s.f.clock.mono_ms - start_ms, 140000); /* they were held for it */
    assert_int_equal(s.api.refused, 0);
    dme_fixture_done(&s.f);
}

TEST(a_run_that_fits_says_nothing)
{
    struct scene s;

    scene_init(&s, 20);
    assert_int_equal(dme_admit(s.f.dme, 0, &s.f.err), ERR_OK);
    assert_int_equal(dme_admit(s.f.dme, 20, &s.f.err), ERR_OK);
    assert_int_equal(s.f.clock.sleep_count, 0);
    assert_null(strstr(dme_fixture_log(&s.f), "warning"));
    dme_fixture_done(&s.f);
}

TEST(a_run_that_will_not_fit_in_time_fails_before_its_first_request)
{
    struct scene s;

    scene_init(&s, 5);
    s.f.dme->budget_wait_ms = 100000;
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(ask(&s), ERR_OK);
    assert_error(&s.f, dme_admit(s.f.dme, 4, &s.f.err), ERR_RATE_LIMIT,
                 "needs 4 requests, 2 left of 5, next free in 300 s", NULL);
    assert_int_equal(s.f.err.retry_after_s, 300);
    assert_int_equal(s.f.http->seen_count, 3);
    assert_int_equal(ask(&s), ERR_OK); /* what is left is not taken */
    assert_int_equal(ask(&s), ERR_OK);
    dme_fixture_done(&s.f);
}

TEST(a_run_larger_than_the_limit_waits_for_as_many_as_there_can_be)
{
    struct scene s;
    int64_t start_ms;

    scene_init(&s, 5);
    assert_int_equal(ask(&s), ERR_OK);
    start_ms = s.f.clock.mono_ms;
    assert_int_equal(dme_admit(s.f.dme, 12, &s.f.err), ERR_OK);
    assert_int_equal(s.f.clock.mono_ms - start_ms, 300000);
    for (size_t n = 0; n < 12; n++)
        assert_int_equal(ask(&s), ERR_OK);
    assert_int_equal(s.api.refused, 0);
    dme_fixture_done(&s.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_limit_all_get_through_and_none_is_refused),
        cmocka_unit_test(a_wait_is_one_warning_that_says_what_is_needed),
        cmocka_unit_test(who_has_waited_signs_anew_and_has_all_the_time_that_there_was),
        cmocka_unit_test(a_wait_beyond_the_deadline_fails_at_once_and_says_when),
        cmocka_unit_test(the_time_that_the_client_listens_bounds_the_wait),
        cmocka_unit_test(an_interruption_ends_a_wait),
        cmocka_unit_test(whoever_waits_is_told_how_long_still),
        cmocka_unit_test(a_probe_goes_out_whatever_seems_to_be_left),
        cmocka_unit_test(what_others_use_is_waited_for_without_a_refusal),
        cmocka_unit_test(where_others_take_all_one_refusal_tells_and_none_follows_in_the_window),
        cmocka_unit_test(a_run_that_does_not_fit_says_so_and_waits_before_its_first_request),
        cmocka_unit_test(a_run_that_fits_says_nothing),
        cmocka_unit_test(a_run_that_will_not_fit_in_time_fails_before_its_first_request),
        cmocka_unit_test(a_run_larger_than_the_limit_waits_for_as_many_as_there_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
