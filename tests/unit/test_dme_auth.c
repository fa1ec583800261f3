/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dme_fixture.h"
#include "test.h"

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

    assert_int_equal(setenv("LC_ALL", "de_DE.UTF-8", 1), 0);
    dme_fixture_init(&f);
    f.clock.wall_ms = INT64_C(1661680000) * 1000; /* a Sunday in August: "dim., 28 août" was refused */
    expect_get(&f, FIND, ZONE);
    assert_int_equal(find(&f), ERR_OK);
    assert_string_equal(sent(&f, 0, "x-dnsme-requestDate"), "Sun, 28 Aug 2022 09:46:40 GMT");
    dme_fixture_done(&f);
    assert_int_equal(unsetenv("LC_ALL"), 0);
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
        fail_msg("\"%s\" is not in \"%s\"", offset, f.log_text);
    assert_non_null(strstr(f.log_text, "warning: "));
    assert_non_null(strstr(f.log_text, ", continuing\n"));
    dme_fixture_done(&f);
}

TEST(a_wrong_clock_is_healed_with_the_servers_time_and_named_in_a_warning)
{
    expect_healed(412000, OUT_OF_SYNC, "this machine's clock is 412 s ahead of DNS Made Easy's");
    expect_healed(-412000, OUT_OF_SYNC, "this machine's clock is 412 s behind DNS Made Easy's");
    expect_healed(31000, OUT_OF_SYNC, "31 s ahead of");
    expect_healed(-31000, OUT_OF_SYNC, "31 s behind");
    expect_healed(86400000, OUT_OF_SYNC, "86400 s ahead of");
    expect_healed(-INT64_C(946080000000), OUT_OF_SYNC, "946080000 s behind"); /* 30 years: a dead battery */
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
    assert_error(&f, find(&f), ERR_AUTH, "the API secret does not belong to it", "api_secret");
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
    assert_error(&f, find(&f), ERR_AUTH, "this machine's clock is 412 s behind the server's", "timedatectl");
    dme_fixture_done(&f);
}

TEST(a_refused_date_without_the_servers_time_cannot_be_healed)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    fake_http_expect(f.http, &(struct fake_exchange){
                                 .method = "GET", .url = FIND, .status = 403, .answer = OUT_OF_SYNC, .no_date = true});
    assert_error(&f, find(&f), ERR_AUTH, "refused the date of the request", "timedatectl");
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

TEST(each_refusal_has_its_own_words_and_its_own_remedy)
{
    static const struct {
        long status;
        const char *body;
        const char *msg;
        const char *hint;
    } rows[] = {
        {403, "{\"error\": [\"API key not found\"]}", "does not know the API key", "production"},
        {401, "{\"error\": [\"API key not found\"]}", "(status 401: \"API key not found\")", "DNSMADEEASY_API_KEY"},
        {403, "{\"error\": [\"Unable to verify HMAC\"]}", "the API secret does not belong to it",
         "DNSMADEEASY_API_SECRET"},
        {403, "{error: [\"Missing API key or HMAC\"]}", "the API key or the signature is missing", "proxy"},
        {403, "{\"error\": [\"Missing API key or HMAC\"]}", "the API key or the signature is missing", "not empty"},
        {403, "{\"error\": [\"Invalid request date header: dim., 28 ao\\u00fbt 2022 09:24:45 UTC\"]}",
         "could not read the date", "bug"},
        {403, "{\"error\": [\"Something \\u001b[2J new\"]}", "refused access (status 403): \"Something \\x1b[2J new\"",
         "plan includes API access"},
        {403, "<html><title>Forbidden</title>", "refused access (status 403): \"an HTML page titled Forbidden\"",
         "api_secret"},
        {403, "", "refused access (status 403) and gave no reason", "sandbox"},
        {403, "{\"error\": [\"key " FIXTURE_KEY " is blocked\"]}", "\"key *** is blocked\"", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        expect(&f, "GET", FIND, NULL, rows[i].status, rows[i].body);
        assert_error(&f, find(&f), ERR_AUTH, rows[i].msg, rows[i].hint);
        assert_non_null(strstr(f.err.msg, "could not look up zone \"example.com\": "));
        dme_fixture_done(&f);
    }
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
        cmocka_unit_test(a_403_that_is_not_about_the_clock_is_asked_once_only),
        cmocka_unit_test(a_wrong_clock_and_a_wrong_key_end_in_the_error_about_the_key),
        cmocka_unit_test(a_date_that_is_refused_twice_is_an_error_with_a_hint),
        cmocka_unit_test(a_refused_date_without_the_servers_time_cannot_be_healed),
        cmocka_unit_test(the_time_of_a_cache_is_not_believed),
        cmocka_unit_test(each_refusal_has_its_own_words_and_its_own_remedy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
