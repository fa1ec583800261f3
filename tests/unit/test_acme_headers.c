/* SPDX-License-Identifier: MIT
 *
 * Headers, URLs and identifiers as CAs write them: Retry-After, Link, and what stands in their objects.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "fake_clock.h"
#include "test.h"

#define NOW_MS (FAKE_CLOCK_START_S * INT64_C(1000)) /* 20:59:04 */

static int64_t pause_for(const char *after, const char *date)
{
    struct http_header headers[2];
    struct http_response response = {.headers = headers};
    struct http_header both[] = {{(char *)(uintptr_t) "retry-after", (char *)(uintptr_t)after},
                                 {(char *)(uintptr_t) "date", (char *)(uintptr_t)date}};

    for (size_t i = 0; i < 2; i++)
        if (both[i].value)
            headers[response.header_count++] = both[i];
    return acme_retry_after_ms(&response, NOW_MS);
}

TEST(retry_after_is_seconds_or_a_date_of_the_servers_clock)
{
    assert_true(pause_for("120", NULL) == 120000);
    assert_true(pause_for("0", NULL) == 0);
    assert_true(pause_for("Sat, 12 Feb 2011 21:00:04 GMT", NULL) == 60000);
    assert_true(pause_for("Sat, 12 Feb 2011 21:00:04 GMT", "Sat, 12 Feb 2011 21:00:00 GMT") == 4000);
    assert_true(pause_for("Sat, 12 Feb 2011 20:00:04 GMT", NULL) == 0);
    assert_true(pause_for("Sat, 12 Feb 2011 21:00:04 GMT", "yesterday") == 60000);
}

TEST(retry_after_that_is_neither_is_none_and_what_is_huge_is_bounded)
{
    static const char *const none[] = {"", "-1", "1.5", "soon", "Sat, 12 Feb", "1e3", " 5"};

    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_true(pause_for(none[i], NULL) == ACME_PAUSE_NONE);
    assert_true(pause_for(NULL, NULL) == ACME_PAUSE_NONE);
    assert_true(pause_for("18446744073709551615", NULL) == ACME_PAUSE_MAX_MS);
    assert_true(pause_for("Fri, 31 Dec 9999 23:59:59 GMT", NULL) == ACME_PAUSE_MAX_MS);
}

static void expect_links(const char *value, const char *want)
{
    struct http_header header = {(char *)(uintptr_t) "link", (char *)(uintptr_t)value};
    struct http_response response = {.headers = &header, .header_count = 1};
    struct strlist links AUTO_STRLIST = {.count = 0};
    struct buf got AUTO_BUF = BUF_INIT(1000);

    acme_links_find(&response, "alternate", 3, &links);
    for (size_t i = 0; i < links.count; i++)
        buf_printf(&got, "%s%s", i ? " " : "", links.items[i]);
    assert_string_equal(buf_cstr(&got), want);
}

TEST(links_are_found_by_their_relation)
{
    expect_links("<https://a/1>;rel=\"alternate\"", "https://a/1");
    expect_links("<https://a/1>; rel=alternate", "https://a/1");
    expect_links("<https://a/1> ; title=\"a, b; \\\" c\" ; REL = \"up Alternate\", </2>;rel=alternate",
                 "https://a/1 /2");
    expect_links("<https://a/0>;rel=\"index\", <https://a/1>;rel=\"alternate\"", "https://a/1");
    expect_links("<1>;rel=alternate,<2>;rel=alternate,<3>;rel=alternate,<4>;rel=alternate", "1 2 3");
    expect_links("<1>;rel=up;rel=alternate", "");
    expect_links("<1>;rev=alternate", "");
    expect_links("<1>;rel=\"alternates\"", "");
    expect_links("<1", "");
    expect_links("", "");
    expect_links("1;rel=alternate", "");
    expect_links("<1>;rel=\"alternate", "1");
    expect_links("<1>;;;rel", "");
}

TEST(only_absolute_urls_of_the_right_scheme_are_taken)
{
    static const char *const good[] = {"https://a", "https://a.example:14000/x?y=%20", "HTTPS://[2001:db8::1]/dir"};
    static const char *const bad[] = {
        "",
        "a",
        "//a/b",
        "ftp://a",
        "http://a",
        "https://",
        "https:///x",
        "https://:80",
        "https://u@a/x",
        "https://a/\"",
        "https://a/b c",
        "https://a/\n",
        "https:/a",
        "https://a\\",
        "https://a/#x",
        "https://a/\xc3\xa4",
    };

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(acme_url_is_valid(good[i], ACME_HTTPS_ONLY));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (acme_url_is_valid(bad[i], ACME_HTTPS_ONLY))
            fail_msg("taken: %s", bad[i]);
    assert_true(acme_url_is_valid("http://a/x", ACME_HTTP_TOO));
    assert_true(acme_url_is_valid("https://a/x", ACME_HTTP_TOO));
}

static void expect_resolved(const char *reference, const char *want)
{
    char *got AUTO_FREE = acme_url_resolve("https://ca.example:444/cert/1?x", reference);

    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
}

TEST(references_are_resolved_as_far_as_cas_use_them)
{
    expect_resolved("https://b/1", "https://b/1");
    expect_resolved("/cert/2", "https://ca.example:444/cert/2");
    expect_resolved("//b/1", NULL);
    expect_resolved("2", NULL);
    expect_resolved("", NULL);
}

static enum err_code identifier(const char *text, enum acme_star star, char **out)
{
    json_t *json AUTO_JSON = json_loads(text, 0, NULL);
    struct err err;

    return acme_member_identifier(json, star, "it", out, &err);
}

#define DNS(name) "{\"type\":\"dns\",\"value\":\"" name "\"}"

TEST(identifiers_are_dns_names_in_lower_case)
{
    static const char *const bad[] = {
        DNS(""),
        DNS("."),
        DNS("a..b"),
        DNS("a."),
        DNS(".a"),
        DNS("a b"),
        DNS("*.a"),
        DNS("a/b"),
        DNS("a\\n"),
        DNS("*"),
        "{}",
        "[]",
        "{\"type\":\"dns\"}",
        "{\"type\":\"ip\",\"value\":\"192.0.2.1\"}",
        "{\"type\":\"dns\",\"value\":1}",
    };
    char *name = NULL;

    assert_int_equal(identifier(DNS("Example.COM"), ACME_STAR_REFUSED, &name), ERR_OK);
    assert_string_equal(name, "example.com");
    free(name);
    assert_int_equal(identifier(DNS("*.xn--fsq.example"), ACME_STAR_ALLOWED, &name), ERR_OK);
    assert_string_equal(name, "*.xn--fsq.example");
    free(name);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(identifier(bad[i], ACME_STAR_REFUSED, &name), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after_is_seconds_or_a_date_of_the_servers_clock),
        cmocka_unit_test(retry_after_that_is_neither_is_none_and_what_is_huge_is_bounded),
        cmocka_unit_test(links_are_found_by_their_relation),
        cmocka_unit_test(only_absolute_urls_of_the_right_scheme_are_taken),
        cmocka_unit_test(references_are_resolved_as_far_as_cas_use_them),
        cmocka_unit_test(identifiers_are_dns_names_in_lower_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
