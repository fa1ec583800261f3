/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>

#include "fixture.h"
#include "test.h"
#include "util/clock.h"

#define YEAR_3000_S INT64_C(32503680000)

static void expect_date(int64_t unix_s, const char *want)
{
    char date[CLOCK_HTTP_DATE_MAX];
    int64_t parsed = -12345;

    clock_format_http_date(date, unix_s);
    assert_string_equal(date, want);
    assert_true(clock_parse_http_date(date, &parsed));
    assert_true(parsed == unix_s);
}

TEST(dates_are_english_and_come_back_as_they_were)
{
    expect_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    expect_date(1297544344, "Sat, 12 Feb 2011 20:59:04 GMT"); /* of the API's document */
    expect_date(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    expect_date(4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"); /* no leap year */
    expect_date(2147483648, "Tue, 19 Jan 2038 03:14:08 GMT");
    expect_date(-1, "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(years_that_do_not_fit_become_the_first_and_the_last)
{
    char date[CLOCK_HTTP_DATE_MAX];

    clock_format_http_date(date, INT64_MAX);
    assert_string_equal(date, "Fri, 31 Dec 9999 23:59:59 GMT");
    clock_format_http_date(date, INT64_MIN);
    assert_string_equal(date, "Sat, 01 Jan 0000 00:00:00 GMT");
    clock_format_iso(date, INT64_MAX);
    assert_string_equal(date, "9999-12-31T23:59:59Z");
}

TEST(the_calendar_agrees_with_the_systems)
{
    for (int64_t unix_s = -62135596800; unix_s < 253402300800; unix_s += 86400 * 97 + 3671) {
        time_t instant = (time_t)unix_s;
        struct tm tm;
        char want[CLOCK_HTTP_DATE_MAX];
        char got[CLOCK_HTTP_DATE_MAX];

        if (!fixture_gmtime(&instant, &tm)) {
            assert_false(fixture_has(FIXTURE_ANY_DATE) || (unix_s >= 0 && unix_s < YEAR_3000_S));
            continue;
        }
        (void)snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ", (tm.tm_year + 1900) % 10000,
                       (tm.tm_mon + 1) % 100, tm.tm_mday % 100, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
        clock_format_iso(got, unix_s);
        assert_string_equal(got, want);
    }
}

TEST(anything_else_is_no_date)
{
    static const char *const texts[] = {
        "",
        "Sat",
        "Sat, 12 Feb 2011 20:59:04",
        "Sat, 12 Feb 2011 20:59:04 UTC",
        "Sat, 12 Feb 2011 20:59:04 GMT ",
        " Sat, 12 Feb 2011 20:59:04 GMT",
        "sat, 12 Feb 2011 20:59:04 GMT",
        "Sat, 2 Feb 2011 20:59:04 GMT",
        "Sat, 00 Feb 2011 20:59:04 GMT",
        "Sat, 32 Jan 2011 20:59:04 GMT",
        "Sat, 12 Feb 2011 24:00:00 GMT",
        "Sat, 12 Feb 2011 20:60:04 GMT",
        "Sat, 12 Feb 2011 20:59:61 GMT",
        "Sat, 12 Feb -011 20:59:04 GMT",
        "Sat, 12 Feb 12011 20:59:04 GMT",
        "dim., 28 ao\xc3\xbbt 2022 09:24:45 GMT",
        "Saturday, 12-Feb-11 20:59:04 GMT",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t unix_s = 42;

        assert_false(clock_parse_http_date(texts[i], &unix_s));
        assert_int_equal(unix_s, 42);
    }
}

TEST(times_of_rfc_3339_have_offsets_fractions_and_small_letters)
{
    static const struct {
        const char *text;
        int64_t unix_ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1985-04-12T23:20:50.52Z", INT64_C(482196050520)},        /* of the RFC */
        {"1996-12-19T16:39:57-08:00", INT64_C(851042397000)},      /* of the RFC */
        {"1937-01-01T12:00:27.87+00:20", -INT64_C(1041337172130)}, /* of the RFC */
        {"1990-12-31T23:59:60Z", INT64_C(662688000000)},           /* of the RFC: a leap second */
        {"2000-02-29t00:00:00z", INT64_C(951782400000)},
        {"2025-01-02T05:30:00.0009999999999999999+01:30", INT64_C(1735790400000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t unix_ms = -42;

        assert_true(clock_parse_rfc3339(rows[i].text, &unix_ms));
        assert_true(unix_ms == rows[i].unix_ms);
    }
}

TEST(anything_else_is_no_time_of_rfc_3339)
{
    static const char *const texts[] = {
        "",
        "2025-01-02",
        "2025-01-02T04:00:00",
        "2025-01-02 04:00:00Z",
        "2025-01-02T04:00Z",
        "2025-01-02T04:00:00.Z",
        "2025-01-02T04:00:00,5Z",
        "2025-01-02T04:00:00Z ",
        " 2025-01-02T04:00:00Z",
        "2025-00-02T04:00:00Z",
        "2025-13-02T04:00:00Z",
        "2025-01-00T04:00:00Z",
        "2025-01-32T04:00:00Z",
        "2025-02-29T04:00:00Z",
        "2025-04-31T04:00:00Z",
        "2025-01-02T24:00:00Z",
        "2025-01-02T04:60:00Z",
        "2025-01-02T04:00:61Z",
        "2025-01-02T04:00:00+0100",
        "2025-01-02T04:00:00+24:00",
        "2025-01-02T04:00:00+01:60",
        "2025-01-02T04:00:00+01",
        "2025-1-2T04:00:00Z",
        "-025-01-02T04:00:00Z",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t unix_ms = 42;

        if (clock_parse_rfc3339(texts[i], &unix_ms))
            fail_msg("taken: %s", texts[i]);
        assert_int_equal(unix_ms, 42);
    }
}

TEST(a_span_is_exact_and_readable)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0 s"},
        {499, "0 s"},
        {-500, "1 s"},
        {412000, "412 s"},
        {-3599499, "3599 s"},
        {3600000, "3600 s (1:00:00)"},
        {37706000, "37706 s (10:28:26)"},
        {-86399499, "86399 s (23:59:59)"},
        {86431000, "86431 s (1 day 0:00:31)"},
        {INT64_C(-5) * 86400000, "432000 s (5 days 0:00:00)"},
        {INT64_C(729) * 86400000, "62985600 s (729 days 0:00:00)"},
        {INT64_C(730) * 86400000, "63072000 s (2 years)"},
        {INT64_C(-946080000000), "946080000 s (30 years)"},
        {INT64_MIN, "9223372036854776 s (292271023 years)"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[CLOCK_SPAN_MAX];

        clock_format_span(out, rows[i].ms);
        assert_string_equal(out, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_english_and_come_back_as_they_were),
        cmocka_unit_test(years_that_do_not_fit_become_the_first_and_the_last),
        cmocka_unit_test(the_calendar_agrees_with_the_systems),
        cmocka_unit_test(anything_else_is_no_date),
        cmocka_unit_test(times_of_rfc_3339_have_offsets_fractions_and_small_letters),
        cmocka_unit_test(anything_else_is_no_time_of_rfc_3339),
        cmocka_unit_test(a_span_is_exact_and_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
