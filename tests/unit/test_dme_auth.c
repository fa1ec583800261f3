/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dme_fixture.h"
#include "fixture.h"
#include "test.h"
#include "util/text.h"

#define FIND "/dns/managed/name?domainname=example.com"
#define ZONE "{\"id\":7,\"name\":\"example.com\"}"
#define OUT_OF_SYNC                                                                                                    \
    "{\"error\": [\"Request sent with date header too far out of sync.  Difference in times is -412000, header value " \
    "is 1297544344000\"]}"

static enum err_code find(struct dme_fixture *f)
{
    struct dme_zone zone = {.id = 0};
    enum err_code code = dme_zone_find(f->dme, "example.com", &zone, &f->err);

    dme_zone_done(&zone);
    return code;
}

static const char *sent(const struct dme_fixture *f, size_t index, const char *header)
{
    assert_true(index < f->http->seen_count);
    return fake_seen_header(&f->http->seen[index], header);
}

TEST(a_request_is_signed_as_the_api_document_shows)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    assert_string_equal(sent(&f, 0, "x-dnsme-apiKey"), FIXTURE_KEY);
    assert_string_equal(sent(&f, 0, "x-dnsme-requestDate"), "Sat, 12 Feb 2011 20:59:04 GMT");
    assert_string_equal(sent(&f, 0, "x-dnsme-hmac"), "b3502e6116a324f3cf4a8ed693d78bcee8d8fe3c");
    assert_string_equal(sent(&f, 0, "Accept"), "application/json");
    assert_null(sent(&f, 0, "Content-Type"));
    dme_fixture_done(&f);
}

TEST(the_locale_has_no_say_in_dates)
{
    struct dme_fixture f;

    fixture_setenv("LC_ALL", "de_DE.UTF-8");
    dme_fixture_init(&f);
    f.clock.wall_ms = INT64_C(1661680000) * 1000; /* a Sunday in August: "dim., 28 août" was refused */
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    assert_string_equal(sent(&f, 0, "x-dnsme-requestDate"), "Sun, 28 Aug 2022 09:46:40 GMT");
    dme_fixture_done(&f);
    fixture_setenv("LC_ALL", NULL);
}

TEST(the_offset_is_unknown_before_the_first_answer)
{
    struct dme_fixture f;
    int64_t offset_ms = 4711;

    dme_fixture_init(&f);
    assert_false(dme_clock_offset_ms(f.dme, &offset_ms));
    assert_int_equal(offset_ms, 4711);
    dme_fixture_done(&f);
}

TEST(the_offset_takes_the_round_trip_into_account)
{
    static const int64_t behind_ms[] = {0, 400, 20000, -20000, 86400000, -86400000, INT64_C(946080000000)};

    for (size_t i = 0; i < ARRAY_LEN(behind_ms); i++) {
        struct dme_fixture f;
        int64_t offset_ms = 0;

        dme_fixture_init(&f);
        f.http->server_behind_ms = behind_ms[i];
        /* the fake's Date is that of the end of the exchange, the worst case for a guess of the middle */
        fake_http_expect(f.http, &(struct fake_exchange){
                                     .method = "GET", .url = FIND, .status = 200, .answer = ZONE, .takes_ms = 600});
        assert_int_equal(find(&f), ERR_OK);
        assert_true(dme_clock_offset_ms(f.dme, &offset_ms));
        assert_true(llabs(offset_ms - behind_ms[i]) <= 800);
        dme_fixture_done(&f);
    }
}

TEST(the_middle_of_the_exchange_and_of_the_second_are_the_best_guess)
{
    struct dme_fixture f;
    int64_t offset_ms = 0;

    dme_fixture_init(&f);
    fake_http_expect(
        f.http, &(struct fake_exchange){.method = "GET", .url = FIND, .status = 200, .answer = ZONE, .takes_ms = 600});
    assert_int_equal(find(&f), ERR_OK);
    assert_true(dme_clock_offset_ms(f.dme, &offset_ms));
    assert_int_equal(offset_ms, 600 / 2 - 500);
    dme_fixture_done(&f);
}

TEST(later_requests_are_signed_with_the_servers_time)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    f.http->server_behind_ms = 20000; /* would still be accepted */
    expect_get(&f, FIND, ZONE);
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    assert_int_equal(find(&f), ERR_OK);
    assert_string_equal(sent(&f, 0, "x-dnsme-requestDate"), "Sat, 12 Feb 2011 20:59:04 GMT");
    assert_string_equal(sent(&f, 1, "x-dnsme-requestDate"), "Sat, 12 Feb 2011 20:58:44 GMT");
    dme_fixture_done(&f);
}

TEST(a_jump_of_this_machines_clock_between_requests_changes_nothing)
{
    struct dme_fixture f;
    int64_t offset_ms = 0;

    dme_fixture_init(&f);
    expect_get(&f, FIND, ZONE);
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    f.clock.wall_ms += 3600000;
    f.http->server_behind_ms += 3600000;
    assert_int_equal(find(&f), ERR_OK);
    assert_string_equal(sent(&f, 1, "x-dnsme-requestDate"), "Sat, 12 Feb 2011 20:59:04 GMT");
    assert_true(dme_clock_offset_ms(f.dme, &offset_ms));
    assert_in_range(offset_ms, 3599000, 3601000);
    dme_fixture_done(&f);
}

static void expect_healed(int64_t behind_ms, const char *answer, const char *offset)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    f.clock.wall_ms += 500; /* Date has no fractions: in the middle of a second the measurement is exact */
    f.http->server_behind_ms = behind_ms;
    expect(&f, "GET", FIND, NULL, 403, answer);
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    assert_int_equal(f.clock.sleep_count, 0);
    assert_string_not_equal(sent(&f, 0, "x-dnsme-requestDate"), sent(&f, 1, "x-dnsme-requestDate"));
    assert_string_not_equal(sent(&f, 0, "x-dnsme-hmac"), sent(&f, 1, "x-dnsme-hmac"));
    if (!strstr(dme_fixture_log(&f), offset))
        fail_msg("\"%s\" is not in \"%s\"", offset, dme_fixture_log(&f));
    assert_non_null(strstr(dme_fixture_log(&f), "warning: "));
    assert_non_null(strstr(dme_fixture_log(&f), ", continuing\n"));
    dme_fixture_done(&f);
}

TEST(a_wrong_clock_is_healed_with_the_servers_time_and_named_in_a_warning)
{
    expect_healed(412000, OUT_OF_SYNC, "this machine's clock is 412 s ahead of DNS Made Easy's");
    expect_healed(-412000, OUT_OF_SYNC, "this machine's clock is 412 s behind DNS Made Easy's");
    expect_healed(31000, OUT_OF_SYNC, "31 s ahead of");
    expect_healed(-31000, OUT_OF_SYNC, "31 s behind");
    expect_healed(86431000, OUT_OF_SYNC, "86431 s (1 day 0:00:31) ahead of DNS Made Easy's");
    expect_healed(-86400000, OUT_OF_SYNC, "86400 s (1 day 0:00:00) behind DNS Made Easy's; set it");
    expect_healed(3600000, OUT_OF_SYNC, "3600 s (1:00:00) ahead of DNS Made Easy's, as if a time zone's time");
    expect_healed(-3600000, OUT_OF_SYNC, "3600 s (1:00:00) behind DNS Made Easy's, as if a time zone's time");
    expect_healed(INT64_C(946080000000), OUT_OF_SYNC, "946080000 s (30 years) ahead of");
    expect_healed(-INT64_C(946080000000), OUT_OF_SYNC, "946080000 s (30 years) behind"); /* 30 years: a dead battery */
}

TEST(any_403_with_a_clock_that_far_off_is_worth_a_second_signature)
{
    expect_healed(26000, "{\"error\": [\"Unable to verify HMAC\"]}", "26 s ahead of");
    expect_healed(-90000, "<html>403</html>", "90 s behind");
}

TEST(a_clock_that_jumped_after_the_offset_was_measured_is_healed_again)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    f.clock.mono_ms += 100000; /* slept in a suspended virtual machine: the wall clock did not notice */
    expect(&f, "GET", FIND, NULL, 403, OUT_OF_SYNC);
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    assert_string_equal(sent(&f, 2, "x-dnsme-requestDate"), "Sat, 12 Feb 2011 20:59:04 GMT");
    assert_non_null(strstr(dme_fixture_log(&f), "warning: DNS Made Easy found the date of a request out of step"));
    dme_fixture_done(&f);
}

/* A gateway between us and the API has an error page and a clock of its own. */
TEST(the_time_of_what_is_on_the_way_does_not_replace_that_of_the_api)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect(&f, "GET", FIND, NULL, 403, OUT_OF_SYNC);
    fake_http_expect(f.http, &(struct fake_exchange){.method = "GET",
                                                     .url = FIND,
                                                     .status = 502,
                                                     .answer = "<html>",
                                                     .headers = "Date: Sat, 12 Feb 2011 12:00:00 GMT",
                                                     .no_date = true,
                                                     .is_foreign = true});
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    assert_true(text_starts_with(sent(&f, 2, "x-dnsme-requestDate"), "Sat, 12 Feb 2011 20:59:0"));
    dme_fixture_done(&f);
}

TEST(a_403_that_is_not_about_the_clock_is_asked_once_only)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    f.http->server_behind_ms = 15000;
    expect(&f, "GET", FIND, NULL, 403, "{\"error\": [\"API key not found\"]}");
    assert_error(&f, find(&f), ERR_AUTH, "does not know the API key", "sandbox");
    assert_string_equal(dme_fixture_log(&f), "");
    dme_fixture_done(&f);
}

TEST(a_wrong_clock_and_a_wrong_key_end_in_the_error_about_the_key)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    f.http->server_behind_ms = 100000;
    expect(&f, "GET", FIND, NULL, 403, OUT_OF_SYNC);
    expect(&f, "GET", FIND, NULL, 403, "{\"error\": [\"Unable to verify HMAC\"]}");
    assert_error(&f, find(&f), ERR_AUTH, "does not belong to it", "api_secret");
    /* the next call knows the time and does not try twice */
    expect(&f, "GET", FIND, NULL, 403, "{\"error\": [\"Unable to verify HMAC\"]}");
    assert_int_equal(find(&f), ERR_AUTH);
    dme_fixture_done(&f);
}

TEST(a_date_that_is_refused_twice_is_an_error_with_a_hint)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    f.clock.wall_ms += 500;
    f.http->server_behind_ms = -412000;
    expect(&f, "GET", FIND, NULL, 403, OUT_OF_SYNC);
    expect(&f, "GET", FIND, NULL, 403, OUT_OF_SYNC);
    assert_error(&f, find(&f), ERR_AUTH,
                 "signed with its own time, too: this machine's clock is 412 s behind DNS Made Easy's",
                 FIXTURE_CLOCK_ADVICE);
    dme_fixture_done(&f);
}

TEST(a_refused_date_without_the_servers_time_cannot_be_healed)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    fake_http_expect(f.http, &(struct fake_exchange){
                                 .method = "GET", .url = FIND, .status = 403, .answer = OUT_OF_SYNC, .no_date = true});
    assert_error(&f, find(&f), ERR_AUTH, "its own time could not be measured",
                 "Does a proxy on the way remove that header? Set this machine's");
    dme_fixture_done(&f);
}

TEST(the_time_of_a_cache_is_not_believed)
{
    struct dme_fixture f;
    int64_t offset_ms;

    dme_fixture_init(&f);
    f.http->server_behind_ms = 100000;
    fake_http_expect(f.http, &(struct fake_exchange){
                                 .method = "GET", .url = FIND, .status = 200, .answer = ZONE, .headers = "Age: 100"});
    fake_http_expect(f.http, &(struct fake_exchange){.method = "GET",
                                                     .url = FIND,
                                                     .status = 200,
                                                     .answer = ZONE,
                                                     .headers = "Date: yesterday",
                                                     .no_date = true});
    assert_int_equal(find(&f), ERR_OK);
    assert_int_equal(find(&f), ERR_OK);
    assert_false(dme_clock_offset_ms(f.dme, &offset_ms));
    dme_fixture_done(&f);
}

/* ------------------------------------------------------------------ whose fault it is */

struct refused {
    long status;
    const char *headers;
    const char *body;
    const char *msg;
    const char *hint;
    bool is_foreign;
};

static void assert_refused(struct dme_fixture *f, const struct refused *row)
{
    fake_http_expect(f->http, &(struct fake_exchange){.method = "GET",
                                                      .status = row->status,
                                                      .headers = row->headers,
                                                      .answer = row->body,
                                                      .is_foreign = row->is_foreign});
    assert_error(f, find(f), ERR_AUTH, row->msg, row->hint);
    assert_non_null(strstr(f->err.msg, "could not look up zone \"example.com\": "));
    assert_false(text_ends_with(f->err.msg, "..."));
    assert_false(text_ends_with(f->err.hint, "..."));
    assert_true(text_ends_with(f->err.hint, "."));
    assert_null(strstr(f->err.hint, FIXTURE_KEY));
    assert_null(strstr(f->err.msg, FIXTURE_SECRET));
}

TEST(each_refusal_has_its_own_words_and_its_own_remedy)
{
    static const struct refused rows[] = {
        {403, NULL, "{\"error\": [\"API key not found\"]}", "does not know the API key (fingerprint bc75ea4d)",
         "DNSMADEEASY_API_KEY) with the one in DNS Made Easy's control panel", false},
        {401, NULL, "{\"error\": [\"API key not found\"]}", "(status 401: \"API key not found\")", "sandbox", false},
        {403, NULL, "{\"error\": [\"Unable to verify HMAC\"]}",
         "knows the API key (fingerprint bc75ea4d), but the API secret (fingerprint d2d5b5b6) does not belong to it",
         "DNSMADEEASY_API_SECRET", false},
        {403, NULL, "{error: [\"Missing API key or HMAC\"]}", "the API key or the signature is missing", "proxy",
         false},
        {403, NULL, "{\"error\": [\"Missing API key or HMAC\"]}", "and both were sent", "x-dnsme headers", false},
        {403, NULL, "{\"error\": [\"Invalid request date header: dim., 28 ao\\u00fbt 2022 09:24:45 UTC\"]}",
         "could not read the date", "bug", false},
        {403, NULL, "{\"error\": [\"Something \\u001b[2J new\"]}",
         "refused access with the API key (fingerprint bc75ea4d) (status 403: \"Something \\x1b[2J new\"",
         "plan includes API access", false},
        {403, NULL, "<html><title>Forbidden</title>", "DNS Made Easy refused access with the API key", "control panel",
         false},
        {403, NULL, "", "and gave no reason (status 403)", "https://api.example.net/V2.0", false},
        {403, NULL, "{\"error\": [\"key " FIXTURE_KEY " is blocked\"]}", "\"key *** is blocked\"", NULL, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        assert_refused(&f, &rows[i]);
        dme_fixture_done(&f);
    }
}

TEST(what_is_not_the_api_is_told_from_it)
{
    static const struct refused rows[] = {
        {403, NULL, "<html><title>Access denied</title>",
         "something on the way refused the request, not DNS Made Easy's API (status 403: \"an HTML page titled Access",
         "API key and secret were not looked at", true},
        {403, "Server: squid/6\x1b", "<html>", "API (status 403, server \"squid/6\\x1b\": \"an HTML page\")",
         "firewall", true},
        {401, NULL, "", "not DNS Made Easy's API (status 401)", "https://api.example.net/V2.0", true},
        {403, NULL, "Unable to verify HMAC", "the API secret (fingerprint d2d5b5b6) does not belong to it", NULL, true},
        {403, NULL, "{error: [\"API key not found\"]}", "does not know the API key", NULL, true},
        {403, NULL, "{\"error\": [\"Closed\"]}", "DNS Made Easy refused access with the API key", NULL, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        assert_refused(&f, &rows[i]);
        dme_fixture_done(&f);
    }
}

static struct dme *dme_with(struct dme_fixture *f, const char *endpoint, const char *key, const char *secret,
                            const char *hidden)
{
    struct secret *a = secret_new(key, strlen(key));
    struct secret *b = secret_new(secret, strlen(secret));
    struct dme *dme = dme_new(&(struct dme_opts){
        .endpoint = endpoint,
        .api_key = a,
        .api_secret = b,
        .key_origin = "/etc/acme-dme/acme-dme.yaml:3:12",
        .secret_origin = "environment variable DNSMADEEASY_API_SECRET",
        .hidden_origin = hidden,
        .http = fake_http_base(f->http),
        .clock = &f->clock.base,
        .log = &f->log,
        .request_timeout_ms = 10000,
        .give_up_after_ms = 60000,
    });

    secret_free(a);
    secret_free(b);
    return dme;
}

TEST(origin_shape_and_what_is_hidden_are_named)
{
    static const char hidden[] = "/etc/acme-dme/acme-dme.yaml:4:15";
    const struct refused row = {
        403,
        NULL,
        "{\"error\": [\"Unable to verify HMAC\"]}",
        "DNS Made Easy knows the API key (from /etc/acme-dme/acme-dme.yaml:3:12, fingerprint bc75ea4d), but the API "
        "secret (from environment variable DNSMADEEASY_API_SECRET, fingerprint 07e200bf) does not belong to it: the "
        "API secret has 35 characters instead of 36 (status 403: \"Unable to verify HMAC\")",
        "It hides a different one (/etc/acme-dme/acme-dme.yaml:4:15); if that is the right one, unset",
        false};
    struct dme_fixture f;

    dme_fixture_init(&f);
    dme_free(f.dme);
    f.dme = dme_with(&f, FIXTURE_ROOT, FIXTURE_KEY, "c9b5625f-9834-4ff8-baba-4ed5f32cae5", hidden);
    assert_refused(&f, &row);
    assert_non_null(strstr(f.err.hint, "The clock is not to blame"));
    dme_fixture_done(&f);
}

TEST(a_key_that_is_not_known_may_belong_to_the_other_endpoint)
{
    static const struct {
        const char *endpoint;
        const char *hint;
    } rows[] = {
        {DME_ENDPOINT_PRODUCTION, "a key of the sandbox works with \"sandbox: true\" only"},
        {DME_ENDPOINT_SANDBOX, "this is the sandbox, where a key of production does not work"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dme_fixture f;
        const struct refused row = {403,
                                    NULL,
                                    "{\"error\": [\"API key not found\"]}",
                                    "does not know the API key (from /etc/acme-dme/acme-dme.yaml:3:12, fingerprint "
                                    "bc75ea4d) (status 403",
                                    rows[i].hint,
                                    false};

        dme_fixture_init(&f);
        dme_free(f.dme);
        f.dme = dme_with(&f, rows[i].endpoint, FIXTURE_KEY, FIXTURE_SECRET, NULL);
        assert_refused(&f, &row);
        assert_null(strstr(f.err.hint, "hides"));
        dme_fixture_done(&f);
    }
}

TEST(a_refusal_without_date_leaves_the_clock_in_doubt)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    fake_http_expect(f.http, &(struct fake_exchange){.method = "GET",
                                                     .url = FIND,
                                                     .status = 403,
                                                     .answer = "{\"error\": [\"Unable to verify HMAC\"]}",
                                                     .no_date = true});
    assert_error(&f, find(&f), ERR_AUTH, "does not belong", "Check this machine's clock too");
    dme_fixture_done(&f);
}

TEST(the_other_endpoint_inherits_the_measured_time)
{
    struct dme_fixture f;
    struct dme *other;
    int64_t offset_ms = 0;

    dme_fixture_init(&f);
    f.http->server_behind_ms = 412000;
    expect(&f, "GET", FIND, NULL, 403, OUT_OF_SYNC);
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    other = dme_new_at(f.dme, FIXTURE_ROOT);
    assert_true(dme_clock_offset_ms(other, &offset_ms));
    assert_in_range(offset_ms, 411000, 413000);
    dme_free(other);
    dme_fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_signed_as_the_api_document_shows),
        cmocka_unit_test(the_locale_has_no_say_in_dates),
        cmocka_unit_test(the_offset_is_unknown_before_the_first_answer),
        cmocka_unit_test(the_offset_takes_the_round_trip_into_account),
        cmocka_unit_test(the_middle_of_the_exchange_and_of_the_second_are_the_best_guess),
        cmocka_unit_test(later_requests_are_signed_with_the_servers_time),
        cmocka_unit_test(a_jump_of_this_machines_clock_between_requests_changes_nothing),
        cmocka_unit_test(a_wrong_clock_is_healed_with_the_servers_time_and_named_in_a_warning),
        cmocka_unit_test(any_403_with_a_clock_that_far_off_is_worth_a_second_signature),
        cmocka_unit_test(a_clock_that_jumped_after_the_offset_was_measured_is_healed_again),
        cmocka_unit_test(the_time_of_what_is_on_the_way_does_not_replace_that_of_the_api),
        cmocka_unit_test(a_403_that_is_not_about_the_clock_is_asked_once_only),
        cmocka_unit_test(a_wrong_clock_and_a_wrong_key_end_in_the_error_about_the_key),
        cmocka_unit_test(a_date_that_is_refused_twice_is_an_error_with_a_hint),
        cmocka_unit_test(a_refused_date_without_the_servers_time_cannot_be_healed),
        cmocka_unit_test(the_time_of_a_cache_is_not_believed),
        cmocka_unit_test(each_refusal_has_its_own_words_and_its_own_remedy),
        cmocka_unit_test(what_is_not_the_api_is_told_from_it),
        cmocka_unit_test(origin_shape_and_what_is_hidden_are_named),
        cmocka_unit_test(a_key_that_is_not_known_may_belong_to_the_other_endpoint),
        cmocka_unit_test(a_refusal_without_date_leaves_the_clock_in_doubt),
        cmocka_unit_test(the_other_endpoint_inherits_the_measured_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
