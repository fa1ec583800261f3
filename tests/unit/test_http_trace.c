/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fake_http.h"
#include "fixture.h"
#include "test.h"

#define ROOT "https://api.example.net/V2.0"

/* Perform one exchange through the decorator; the log's text is yours. */
static char *traced_as(enum log_format format, enum log_level level, const struct fake_exchange *exchange)
{
    char *text;
    struct err err;
    struct fake_clock clock;
    struct fixture_stream said;
    struct log log = {.level = level, .format = format};
    struct http_request request = {
        .method = "POST", .url = ROOT "/x?a=b", .body = "{\"value\":\"key-auth\"}", .body_len = 20, .max_body = 1000};
    struct http_response response AUTO_HTTP_RESPONSE = {.result = ERR_OK};
    struct fake_http *fake;
    struct http *http;

    fixture_stream_open(&said);
    log.out = said.out;
    fake_clock_init(&clock);
    fake = fake_http_new(&clock, ROOT);
    fake_http_expect(fake, exchange);
    http = http_trace_new(fake_http_base(fake), &log);
    http_request_add_header(&request, "x-dnsme-apiKey", "the-api-key");
    http_request_add_header(&request, "x-dnsme-hmac", "the-hmac");
    assert_int_equal(http_perform(http, &request, &response, &err), exchange->fail);
    http_request_done(&request);
    http_free(http);
    fake_http_done(fake);
    text = mem_strdup(fixture_stream_text(&said));
    fixture_stream_done(&said);
    return text;
}

static char *traced(enum log_level level, const struct fake_exchange *exchange)
{
    return traced_as(LOG_TEXT, level, exchange);
}

static const struct fake_exchange answered = {
    .method = "POST",
    .url = "/x?a=b",
    .body = "{\"value\":\"key-auth\"}",
    .status = 201,
    .answer = "secret answer",
    .takes_ms = 12,
    .headers = "Set-Cookie: JSESSIONID=cookie-secret\nSERVER: DNSME API\nX-DNSME-RequestID: 0815\n"
               "x-dnsme-requestLimit: 150\nx-dnsme-requestsRemaining: 149\nx-dnsme-hmac: echoed",
};

TEST(an_exchange_is_two_lines_with_what_matters)
{
    char *text AUTO_FREE = traced(LOG_DEBUG, &answered);

    assert_string_equal(text, "acme-dme: > POST " ROOT "/x?a=b, 20 bytes\n"
                              "acme-dme: < POST " ROOT "/x?a=b: 201, 13 bytes in 12 ms; "
                              "Date: Sat, 12 Feb 2011 20:59:04 GMT; Server: DNSME API; x-dnsme-requestId: 0815; "
                              "x-dnsme-requestLimit: 150; x-dnsme-requestsRemaining: 149\n");
}

TEST(signatures_cookies_and_bodies_never_show)
{
    static const char *const hidden[] = {"the-api-key", "the-hmac", "cookie-secret",
                                         "echoed",      "key-auth", "secret answer"};
    char *text AUTO_FREE = traced(LOG_DEBUG, &answered);

    for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
        assert_null(strstr(text, hidden[i]));
}

TEST(what_a_server_repeats_of_them_does_not_show_either)
{
    struct fake_exchange exchange = answered;
    char *text AUTO_FREE = NULL;

    exchange.headers = "Location: https://elsewhere.example/?key=the-api-key\nServer: you sent the-hmac\n"
                       "x-dnsme-requestId: the-api-key";
    text = traced(LOG_DEBUG, &exchange);
    assert_null(strstr(text, "the-api-key"));
    assert_null(strstr(text, "the-hmac"));
    assert_non_null(strstr(text, "Location: (not shown, it repeats what was sent)"));
    assert_non_null(strstr(text, "Date: Sat, 12 Feb 2011"));
}

/* Both lines of an exchange as JSON. */
static void expect_lines(const char *text, const char *request, const char *answer)
{
    const char *second = strchr(text, '\n') + 1;
    json_t *got[] = {json_loadb(text, (size_t)(second - text), 0, NULL), json_loads(second, 0, NULL)};
    json_t *want[] = {json_loads(request, 0, NULL), json_loads(answer, 0, NULL)};

    for (size_t i = 0; i < 2; i++) {
        assert_non_null(got[i]);
        assert_non_null(want[i]);
        assert_int_equal(json_object_del(got[i], "message"), 0);
        assert_true(json_equal(got[i], want[i]));
        json_decref(got[i]);
        json_decref(want[i]);
    }
}

TEST(json_has_what_programs_want_as_fields)
{
    char *text AUTO_FREE = traced_as(LOG_JSON, LOG_DEBUG, &answered);

    expect_lines(text,
                 "{\"level\":\"debug\",\"pid\":0,\"elapsed_ms\":0,\"method\":\"POST\",\"url\":\"" ROOT
                 "/x?a=b\",\"bytes\":20}",
                 "{\"level\":\"debug\",\"pid\":0,\"elapsed_ms\":0,\"method\":\"POST\",\"url\":\"" ROOT
                 "/x?a=b\",\"status\":201,\"bytes\":13,\"ms\":12,\"request_id\":\"0815\",\"remaining\":149}");
}

TEST(an_odd_budget_is_no_number_and_so_no_field)
{
    struct fake_exchange exchange = answered;
    char *text AUTO_FREE = NULL;

    exchange.headers = "x-dnsme-requestsRemaining: \"},{";
    exchange.is_foreign = true; /* no other header */
    text = traced_as(LOG_JSON, LOG_DEBUG, &exchange);
    expect_lines(text,
                 "{\"level\":\"debug\",\"pid\":0,\"elapsed_ms\":0,\"method\":\"POST\",\"url\":\"" ROOT
                 "/x?a=b\",\"bytes\":20}",
                 "{\"level\":\"debug\",\"pid\":0,\"elapsed_ms\":0,\"method\":\"POST\",\"url\":\"" ROOT
                 "/x?a=b\",\"status\":201,\"bytes\":13,\"ms\":12}");
}

TEST(server_text_cannot_steer_a_terminal)
{
    struct fake_exchange exchange = answered;
    char *text AUTO_FREE = NULL;

    exchange.headers = "Server: \x1b[2J";
    text = traced(LOG_DEBUG, &exchange);
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "Server: \\x1b[2J"));
}

TEST(a_failure_shows_its_reason)
{
    struct fake_exchange exchange = answered;
    char *text AUTO_FREE = NULL;

    exchange.fail = ERR_NETWORK;
    text = traced(LOG_DEBUG, &exchange);
    assert_non_null(strstr(text, "< POST " ROOT "/x?a=b: failed after 12 ms: scripted failure"));
}

TEST(nothing_is_written_below_debug_level)
{
    char *text AUTO_FREE = traced(LOG_INFO, &answered);

    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_is_two_lines_with_what_matters),
        cmocka_unit_test(signatures_cookies_and_bodies_never_show),
        cmocka_unit_test(what_a_server_repeats_of_them_does_not_show_either),
        cmocka_unit_test(json_has_what_programs_want_as_fields),
        cmocka_unit_test(an_odd_budget_is_no_number_and_so_no_field),
        cmocka_unit_test(server_text_cannot_steer_a_terminal),
        cmocka_unit_test(a_failure_shows_its_reason),
        cmocka_unit_test(nothing_is_written_below_debug_level),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
