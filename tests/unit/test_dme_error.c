/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dme/error.h"
#include "test.h"

static void expect_text(const char *body, size_t len, const char *want)
{
    struct buf text AUTO_BUF = BUF_INIT(DME_ERROR_TEXT_MAX);
    struct buf buf AUTO_BUF = BUF_INIT(1 << 20);
    struct secret *key AUTO_SECRET = secret_new("my-api-key", 10);

    buf_append(&buf, body, len);
    dme_error_text(&buf, key, &text);
    assert_true(buf_ok(&text));
    assert_string_equal(buf_cstr(&text), want);
}

static void expect_body(const char *body, const char *want)
{
    expect_text(body, strlen(body), want);
}

TEST(both_styles_of_error_arrays_are_read)
{
    expect_body("{\"error\": [\"API key not found\"]}", "API key not found");
    expect_body("{\"error\":[\"Record with this type (TXT), name (_acme-challenge.noop), and value "
                "(\\\"challengetoken\\\") already exists.\"]}",
                "Record with this type (TXT), name (_acme-challenge.noop), and value (\"challengetoken\") already "
                "exists.");
    expect_body("{\"error\":[\"one\",\"two\"]}", "one; two");
    expect_body("{\"error\":\"plain\"}", "plain");
}

TEST(the_old_invalid_json_is_read)
{
    expect_body("{error: [\"Rate limit exceeded\"]}", "Rate limit exceeded");
    expect_body("  { error : [ \"Missing API key or HMAC\" ] }", "Missing API key or HMAC");
}

TEST(html_pages_show_their_title_only)
{
    expect_body("<html><head><title>Apache Tomcat/7.0.12 - Error report</title><style>H1 {}</style></head></html>",
                "an HTML page titled Apache Tomcat/7.0.12 - Error report");
    expect_body("<!DOCTYPE html>\n<HTML><body>no title</body></HTML>", "an HTML page");
    expect_body("<html><title>unfinished", "an HTML page");
}

TEST(other_texts_are_shown_from_their_start)
{
    char *too_long AUTO_FREE = mem_zalloc(5001);

    expect_body("", "");
    expect_body("{}", "{}");
    expect_body("{\"error\":[]}", "{\"error\":[]}");
    expect_body("  Service\r\nUnavailable ", "Service Unavailable ");
    expect_text("a\0b", 3, "a");
    memset(too_long, 'x', 5000);
    expect_body(too_long, too_long);
}

TEST(what_looks_like_a_secret_is_masked)
{
    expect_body("key 12345678-a8f8-4466-ffff-2324aaaa9098!", "key ***!");
    expect_body("hmac b3502e6116a324f3cf4a8ed693d78bcee8d8fe3c", "hmac ***");
    expect_body("{\"error\":[\"no such key: my-api-key.\"]}", "no such key: ***.");
    expect_body("2024-05-06 is a date", "2024-05-06 is a date");
}

TEST(the_rate_limit_is_told_by_its_text_in_any_4xx_or_by_429)
{
    assert_true(dme_error_is_rate_limit(400, "Rate limit exceeded"));
    assert_true(dme_error_is_rate_limit(403, "Rate limit exceeded"));
    assert_true(dme_error_is_rate_limit(429, ""));
    assert_false(dme_error_is_rate_limit(400, "Record value may not be a standalone dot."));
    assert_false(dme_error_is_rate_limit(500, "Rate limit exceeded"));
}

TEST(every_status_becomes_one_code)
{
    static const struct {
        long status;
        const char *text;
        enum err_code want;
    } rows[] = {
        {301, "", ERR_API},
        {302, "", ERR_API},
        {400, "Record with this type (TXT), name (x), and value (\"y\") already exists.", ERR_EXISTS},
        {400, "Duplicate name and value match detected for record \"a b\" with domain \"c.\".", ERR_EXISTS},
        {400, "Domain name conflicts with existing zones.", ERR_API},
        {400, "Record value may not be a standalone dot.", ERR_API},
        {404, "an HTML page titled Apache Tomcat/7.0.12 - Error report", ERR_NOT_FOUND},
        {405, "", ERR_API},
        {408, "", ERR_SERVER},
        {500, "", ERR_SERVER},
        {503, "Service Unavailable", ERR_SERVER},
        {599, "", ERR_SERVER},
        {101, "", ERR_API},
        {600, "", ERR_API},
        {0, "", ERR_API},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;

        assert_int_equal(dme_error_from_status(rows[i].status, rows[i].text, NULL, &err), rows[i].want);
        assert_int_equal(err.code, rows[i].want);
        if (rows[i].want != ERR_NOT_FOUND && *rows[i].text)
            assert_non_null(strstr(err.msg, rows[i].text));
    }
}

/* A relative name of 230 characters is legal, and the verdict stands behind it. */
TEST(a_long_text_counts_to_its_end_and_is_cut_in_messages_only)
{
    char *name AUTO_FREE = mem_zalloc(231);
    char *text AUTO_FREE = NULL;
    struct err err;

    memset(name, 'n', 230);
    text = mem_printf("Record with this type (TXT), name (%s), and value (\"\"v\"\") already exists.", name);
    assert_int_equal(dme_error_from_status(400, text, NULL, &err), ERR_EXISTS);
    assert_non_null(strstr(err.msg, "nnn...\""));
    assert_true(strlen(err.msg) < DME_ERROR_SHOWN_MAX + 60);
}

TEST(a_redirect_says_where_it_pointed_and_that_it_is_not_followed)
{
    struct err err;

    assert_int_equal(dme_error_from_status(302, "", "https://login.example.net/", &err), ERR_API);
    assert_string_equal(err.msg, "DNS Made Easy answered with a redirect, which is never followed (status 302, to "
                                 "\"https://login.example.net/\")");
    assert_non_null(strstr(err.hint, "captive portal"));
}

TEST(the_rate_limit_error_advises_to_come_back)
{
    struct err err;

    assert_int_equal(dme_error_rate_limit(&err), ERR_RATE_LIMIT);
    assert_int_equal(err.retry_after_s, 300);
    assert_non_null(strstr(err.hint, "150 requests in 5 minutes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_styles_of_error_arrays_are_read),
        cmocka_unit_test(the_old_invalid_json_is_read),
        cmocka_unit_test(html_pages_show_their_title_only),
        cmocka_unit_test(other_texts_are_shown_from_their_start),
        cmocka_unit_test(what_looks_like_a_secret_is_masked),
        cmocka_unit_test(the_rate_limit_is_told_by_its_text_in_any_4xx_or_by_429),
        cmocka_unit_test(every_status_becomes_one_code),
        cmocka_unit_test(a_long_text_counts_to_its_end_and_is_cut_in_messages_only),
        cmocka_unit_test(a_redirect_says_where_it_pointed_and_that_it_is_not_followed),
        cmocka_unit_test(the_rate_limit_error_advises_to_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
