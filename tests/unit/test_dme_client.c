/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dme/client.h"
#include "dme_fixture.h"
#include "test.h"
#include "util/text.h"

#define PATH "/x"

static const struct dme_call get = {.method = "GET", .path = PATH, .what = "look"};
static const struct dme_call post = {
    .method = "POST", .path = PATH, .body = "{}", .what = "make", .expect = DME_EXPECT_ANY};
static const struct dme_call delete = {
    .method = "DELETE", .path = PATH, .what = "remove", .expect = DME_EXPECT_NOTHING};

static enum err_code perform(struct dme_fixture *f, const struct dme_call *call)
{
    json_t *json AUTO_JSON = NULL;

    dme_begin(f->dme);
    return dme_call_perform(f->dme, call, &json, &f->err);
}

static void expect_failure(struct dme_fixture *f, const struct dme_call *call, enum err_code code)
{
    fake_http_expect(
        f->http,
        &(struct fake_exchange){.method = call->method, .url = PATH, .body = call->body, .fail = code, .takes_ms = 50});
}

static void expect_status(struct dme_fixture *f, const struct dme_call *call, long status, const char *answer)
{
    expect(f, call->method, PATH, call->body, status, answer);
}

TEST(what_is_transient_is_tried_again_with_every_method_and_a_new_signature)
{
    static const struct dme_call *const calls[] = {&get, &post, &delete};

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        expect_failure(&f, calls[i], ERR_NETWORK);
        expect_failure(&f, calls[i], ERR_TIMEOUT);
        expect_status(&f, calls[i], 500, "<html>oops</html>");
        expect_status(&f, calls[i], 503, "");
        expect_status(&f, calls[i], 408, "");
        expect_status(&f, calls[i], 200, "{}");
        assert_int_equal(perform(&f, calls[i]), ERR_OK);
        assert_int_equal(f.clock.sleep_count, 5);
        assert_in_range(f.clock.sleeps[0], 225, 375);
        assert_in_range(f.clock.sleeps[4], 3600, 6000);
        assert_string_not_equal(fake_seen_header(&f.http->seen[0], "x-dnsme-hmac"),
                                fake_seen_header(&f.http->seen[5], "x-dnsme-hmac"));
        assert_string_not_equal(fake_seen_header(&f.http->seen[0], "x-dnsme-requestDate"),
                                fake_seen_header(&f.http->seen[5], "x-dnsme-requestDate"));
        assert_non_null(strstr(dme_fixture_log(&f), "trying again in"));
        assert_null(strstr(dme_fixture_log(&f), "warning"));
        dme_fixture_done(&f);
    }
}

TEST(a_service_that_stays_broken_is_one_clear_error_after_eight_attempts)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    for (size_t i = 0; i < 8; i++)
        expect_status(&f, &get, 502, "<html><title>Bad Gateway</title></html>");
    assert_error(&f, perform(&f, &get), ERR_SERVER,
                 "could not look: DNS Made Easy failed (status 502): \"an HTML page titled Bad Gateway\" (gave up "
                 "after 8 attempts in ",
                 NULL);
    assert_int_equal(f.clock.sleep_count, 7);
    dme_fixture_done(&f);
}

static void never_answers(UNUSED void *context, UNUSED const struct fake_seen *request, UNUSED size_t index,
                          struct fake_exchange *answer)
{
    answer->fail = ERR_TIMEOUT;
    answer->takes_ms = INT32_MAX;
}

TEST(attempts_end_with_the_deadline)
{
    struct dme_fixture f;
    int64_t start_ms;

    dme_fixture_init(&f);
    start_ms = f.clock.mono_ms;
    f.http->handler = never_answers;
    assert_int_equal(perform(&f, &get), ERR_TIMEOUT);
    assert_in_range(f.clock.mono_ms - start_ms, 50000, 61000);
    assert_in_range(f.http->seen_count, 5, 6);
    dme_fixture_done(&f);
}

TEST(what_would_be_the_same_again_is_not_tried_again)
{
    static const enum err_code final[] = {ERR_TLS, ERR_INPUT, ERR_INTERNAL};

    for (size_t i = 0; i < ARRAY_LEN(final); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        expect_failure(&f, &get, final[i]);
        assert_error(&f, perform(&f, &get), final[i], "could not look: scripted failure", NULL);
        dme_fixture_done(&f);
    }
}

TEST(garbled_answers_to_a_get_are_tried_twice_again_then_an_api_error)
{
    static const char *const bodies[] = {"",    "{\"data\":[{\"id\":", "{error: [\"x\"]}", "{\"a\":1,\"a\":2}",
                                         "NaN", "{\"a\":NaN}",         "<html></html>",    "{\"a\":\"\xff\"}"};

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        for (size_t n = 0; n < 3; n++)
            expect_status(&f, &get, 200, bodies[i]);
        assert_error(&f, perform(&f, &get), ERR_API, "(gave up after 3 attempts in ", NULL);
        dme_fixture_done(&f);
    }
}

TEST(a_garbled_answer_followed_by_a_good_one_is_forgotten)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_failure(&f, &get, ERR_API);
    expect_status(&f, &get, 200, "{\"data\"");
    expect_status(&f, &get, 200, "{}");
    assert_int_equal(perform(&f, &get), ERR_OK);
    dme_fixture_done(&f);
}

TEST(a_web_page_in_place_of_an_answer_hints_at_who_may_be_in_between)
{
    static const struct dme_call *const calls[] = {&get, &delete}; /* a portal's 200 has deleted nothing */

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        for (size_t n = 0; n < 3; n++)
            fake_http_expect(f.http, &(struct fake_exchange){.method = calls[i]->method,
                                                             .url = PATH,
                                                             .status = 200,
                                                             .headers = "Content-Type: text/html;charset=ISO-8859-1",
                                                             .answer = "<html>Please log in</html>"});
        assert_error(&f, perform(&f, calls[i]), ERR_API, "a web server (status 200)", "captive portal");
        dme_fixture_done(&f);
    }
}

TEST(a_post_that_was_done_needs_no_readable_answer)
{
    static const char *const bodies[] = {"", "{\"data\":[{\"id\":", "<html></html>"};

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct dme_fixture f;
        json_t *json AUTO_JSON = NULL;

        dme_fixture_init(&f);
        expect_status(&f, &post, 201, bodies[i]);
        dme_begin(f.dme);
        assert_int_equal(dme_call_perform(f.dme, &post, &json, &f.err), ERR_OK);
        assert_null(json);
        assert_string_equal(fake_seen_header(&f.http->seen[0], "Content-Type"), "application/json");
        dme_fixture_done(&f);
    }
}

TEST(whatever_else_answers_a_delete_is_not_read)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_status(&f, &delete, 200, "}{ not JSON");
    assert_int_equal(perform(&f, &delete), ERR_OK);
    dme_fixture_done(&f);
}

TEST(the_rate_limit_is_waited_for_with_a_fresh_signature_each_time)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    for (size_t i = 0; i < 3; i++)
        expect_status(&f, &post, 400,
                      i ? "{\"error\": [\"Rate limit exceeded\"]}" : "{error: [\"Rate limit exceeded\"]}");
    expect_status(&f, &post, 201, "{}");
    assert_int_equal(perform(&f, &post), ERR_OK);
    assert_int_equal(f.http->seen[1].wall_ms - f.http->seen[0].wall_ms, 60000); /* a fifth of the window */
    assert_int_equal(f.http->seen[2].wall_ms - f.http->seen[1].wall_ms, 300000);
    assert_int_equal(f.http->seen[3].wall_ms - f.http->seen[2].wall_ms, 300000);
    for (size_t i = 1; i < 4; i++)
        assert_string_not_equal(fake_seen_header(&f.http->seen[i - 1], "x-dnsme-requestDate"),
                                fake_seen_header(&f.http->seen[i], "x-dnsme-requestDate"));
    assert_non_null(
        strstr(dme_fixture_log(&f),
               "warning: request limit of DNS Made Easy: needs 1 request, 0 left of 150, next free in 60 s; "
               "waiting, continuing"));
    dme_fixture_done(&f);
}

static void always_limited(UNUSED void *context, UNUSED const struct fake_seen *request, UNUSED size_t index,
                           struct fake_exchange *answer)
{
    answer->status = 400;
    answer->answer = "{\"error\": [\"Rate limit exceeded\"]}";
}

TEST(a_rate_limit_that_outlasts_the_deadline_is_an_error_with_advice)
{
    struct dme_fixture f;
    int64_t start_ms;

    dme_fixture_init(&f);
    start_ms = f.clock.mono_ms;
    f.http->handler = always_limited;
    assert_error(&f, perform(&f, &get), ERR_RATE_LIMIT, "the request limit of DNS Made Easy is used up",
                 "150 requests in 5 minutes");
    assert_int_equal(f.err.retry_after_s, 300);
    assert_int_equal(f.clock.mono_ms - start_ms, 660000); /* 60 s, 300 s, 300 s; 300 s more would be too long */
    assert_int_equal(f.http->seen_count, 4);
    dme_fixture_done(&f);
}

/* ------------------------------------------------------------------ Retry-After */

static void expect_put_off(struct dme_fixture *f, long status, const char *headers, bool no_date)
{
    fake_http_expect(f->http,
                     &(struct fake_exchange){
                         .method = "GET", .url = "/x", .status = status, .headers = headers, .no_date = no_date});
}

TEST(a_server_that_asks_for_a_pause_gets_it)
{
    static const struct {
        long status;
        const char *headers;
        bool no_date;
        int64_t least_ms, most_ms;
    } rows[] = {
        {503, "Retry-After: 20", false, 20000, 20000},
        {429, "retry-after: 20", false, 20000, 20000},
        {429, "Retry-After: Sat, 12 Feb 2011 20:59:44 GMT\nDate: Sat, 12 Feb 2011 20:59:14 GMT", true, 30000, 30000},
        {503, "Retry-After: Sat, 12 Feb 2011 20:58:44 GMT", false, 200, 400}, /* over */
        {503, "Retry-After: Sat, 12 Feb 2011 20:59:44 GMT", true, 200, 400},  /* by which clock? */
        {503, "Retry-After: soon", false, 200, 400},
        {503, "Retry-After: -5", false, 200, 400},
        {503, "Retry-After: 0", false, 200, 400},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        dme_begin(f.dme);
        expect_put_off(&f, rows[i].status, rows[i].headers, rows[i].no_date);
        expect_get(&f, "/x", "{}");
        assert_int_equal(perform(&f, &get), ERR_OK);
        assert_int_equal(f.clock.sleep_count, 1);
        assert_in_range(f.clock.sleeps[0], rows[i].least_ms, rows[i].most_ms);
        dme_fixture_done(&f);
    }
}

TEST(a_server_that_asks_for_more_than_there_is_left_is_not_asked_again)
{
    static const char *const asks[] = {"Retry-After: 120", "Retry-After: Sun, 31 Dec 9999 23:59:59 GMT"};

    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        expect_put_off(&f, 503, asks[i], false);
        assert_error(&f, perform(&f, &get), ERR_SERVER, "(the server asks to be left alone for ", NULL);
        assert_true(f.err.retry_after_s >= 120);
        assert_int_equal(f.clock.sleep_count, 0);
        dme_fixture_done(&f);
    }
}

/* The answer before the failure asked for something, the last one does not. */
TEST(what_an_earlier_answer_asked_for_does_not_count)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_put_off(&f, 503, "Retry-After: 20", false);
    fake_http_expect(f.http, &(struct fake_exchange){.method = "GET", .url = "/x", .fail = ERR_NETWORK});
    expect_get(&f, "/x", "{}");
    assert_int_equal(perform(&f, &get), ERR_OK);
    assert_int_equal(f.clock.sleeps[0], 20000);
    assert_in_range(f.clock.sleeps[1], 400, 800);
    dme_fixture_done(&f);
}

/* ------------------------------------------------------------------ a clock that is set meanwhile */

TEST(a_clock_that_jumps_during_a_wait_changes_neither_the_deadline_nor_the_signature)
{
    static const int64_t jumps_ms[] = {412000, -412000, 86400000, -INT64_C(946080000000), INT64_C(946080000000)};

    for (size_t i = 0; i < ARRAY_LEN(jumps_ms); i++) {
        struct dme_fixture f;
        int64_t start_ms;
        const char *date;

        dme_fixture_init(&f);
        start_ms = f.clock.mono_ms;
        expect_get(&f, "/x", "{}");
        expect(&f, "GET", "/x", NULL, 503, "");
        expect_get(&f, "/x", "{}");
        assert_int_equal(perform(&f, &get), ERR_OK);
        f.clock.jump_ms = jumps_ms[i]; /* in the next sleep */
        f.http->server_behind_ms = 0;
        f.clock.jumps_server = &f.http->server_behind_ms;
        assert_int_equal(perform(&f, &get), ERR_OK);
        assert_true(f.clock.mono_ms - start_ms < 1000);
        date = fake_seen_header(&f.http->seen[2], "x-dnsme-requestDate");
        assert_true(text_starts_with(date, "Sat, 12 Feb 2011 20:59:0"));
        dme_fixture_done(&f);
    }
}

TEST(the_last_request_of_the_window_is_no_rate_limit)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    assert_int_equal(dme_requests_remaining(f.dme), -1);
    fake_http_expect(
        f.http,
        &(struct fake_exchange){
            .method = "GET", .url = PATH, .status = 200, .answer = "{}", .headers = "X-DNSME-RequestsRemaining: 0"});
    assert_int_equal(perform(&f, &get), ERR_OK);
    assert_int_equal(dme_requests_remaining(f.dme), 0);
    fake_http_expect(
        f.http,
        &(struct fake_exchange){
            .method = "GET", .url = PATH, .status = 200, .answer = "{}", .headers = "x-dnsme-requestsRemaining: many"});
    assert_int_equal(perform(&f, &get), ERR_OK);
    assert_int_equal(dme_requests_remaining(f.dme), 0);
    dme_fixture_done(&f);
}

TEST(a_redirect_is_never_followed)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    fake_http_expect(f.http,
                     &(struct fake_exchange){
                         .method = "GET", .url = PATH, .status = 302, .headers = "Location: https://evil.example/"});
    assert_error(&f, perform(&f, &get), ERR_API, "answered with a redirect, which is never followed", "endpoint");
    dme_fixture_done(&f);
}

TEST(a_refused_request_shows_the_servers_words_escaped_and_shortened)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_status(&f, &post, 400, "{\"error\":[\"bad \\u001b[31mvalue\"]}");
    assert_error(&f, perform(&f, &post), ERR_API,
                 "could not make: DNS Made Easy refused the request (status 400): \"bad \\x1b[31mvalue\"", NULL);
    dme_fixture_done(&f);
}

TEST(an_interruption_ends_the_pause_and_the_call)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    f.clock.cancel_at_ms = f.clock.mono_ms + 1300; /* in the third pause, whatever the jitter */
    for (size_t i = 0; i < 3; i++)
        expect_status(&f, &get, 500, "");
    assert_error(&f, perform(&f, &get), ERR_CANCELLED, "could not look: interrupted", NULL);
    dme_fixture_done(&f);
}

TEST(an_interruption_during_a_request_is_not_tried_again)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    f.clock.cancelled = true;
    assert_int_equal(perform(&f, &get), ERR_CANCELLED);
    assert_int_equal(f.http->seen_count, 0);
    dme_fixture_done(&f);
}

TEST(errors_may_be_asked_for_by_code_only)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_status(&f, &get, 404, "<html></html>");
    dme_begin(f.dme);
    assert_int_equal(dme_call_perform(f.dme, &get, NULL, NULL), ERR_NOT_FOUND);
    dme_fixture_done(&f);
}

TEST(the_endpoint_may_end_in_any_number_of_slashes)
{
    static const char *const endpoints[] = {FIXTURE_ROOT, FIXTURE_ROOT "/", FIXTURE_ROOT "//"};

    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        dme_free(f.dme);
        f.dme = dme_new(&(struct dme_opts){.endpoint = endpoints[i],
                                           .api_key = f.key,
                                           .api_secret = f.secret,
                                           .http = fake_http_base(f.http),
                                           .clock = &f.clock.base,
                                           .request_timeout_ms = 1000,
                                           .give_up_after_ms = 1000});
        expect_status(&f, &get, 200, "{}");
        assert_int_equal(perform(&f, &get), ERR_OK);
        dme_fixture_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_transient_is_tried_again_with_every_method_and_a_new_signature),
        cmocka_unit_test(a_service_that_stays_broken_is_one_clear_error_after_eight_attempts),
        cmocka_unit_test(attempts_end_with_the_deadline),
        cmocka_unit_test(what_would_be_the_same_again_is_not_tried_again),
        cmocka_unit_test(garbled_answers_to_a_get_are_tried_twice_again_then_an_api_error),
        cmocka_unit_test(a_garbled_answer_followed_by_a_good_one_is_forgotten),
        cmocka_unit_test(a_web_page_in_place_of_an_answer_hints_at_who_may_be_in_between),
        cmocka_unit_test(a_post_that_was_done_needs_no_readable_answer),
        cmocka_unit_test(whatever_else_answers_a_delete_is_not_read),
        cmocka_unit_test(the_rate_limit_is_waited_for_with_a_fresh_signature_each_time),
        cmocka_unit_test(a_rate_limit_that_outlasts_the_deadline_is_an_error_with_advice),
        cmocka_unit_test(a_server_that_asks_for_a_pause_gets_it),
        cmocka_unit_test(a_server_that_asks_for_more_than_there_is_left_is_not_asked_again),
        cmocka_unit_test(what_an_earlier_answer_asked_for_does_not_count),
        cmocka_unit_test(a_clock_that_jumps_during_a_wait_changes_neither_the_deadline_nor_the_signature),
        cmocka_unit_test(the_last_request_of_the_window_is_no_rate_limit),
        cmocka_unit_test(a_redirect_is_never_followed),
        cmocka_unit_test(a_refused_request_shows_the_servers_words_escaped_and_shortened),
        cmocka_unit_test(an_interruption_ends_the_pause_and_the_call),
        cmocka_unit_test(an_interruption_during_a_request_is_not_tried_again),
        cmocka_unit_test(errors_may_be_asked_for_by_code_only),
        cmocka_unit_test(the_endpoint_may_end_in_any_number_of_slashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
