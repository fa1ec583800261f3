/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "acme/internal.h"
#include "acme_fixture.h"
#include "test.h"

#define CERT_ID "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE" /* of RFC 9773 section 4.1 */

TEST(windows_are_asked_for_unsigned_and_each_for_itself)
{
    static const char *const ids[] = {CERT_ID, "unknown.AA", "no/id", CERT_ID};
    struct acme_renewal_info infos[4];
    struct acme_result results[4];
    struct acme_fixture f;

    acme_fixture_init(&f);
    assert_int_equal(acme_renewal_infos(f.acme, ids, 4, infos, results, &f.err), ERR_OK);
    assert_int_equal(results[0].code, ERR_OK);
    assert_int_equal(results[1].code, ERR_NOT_FOUND);
    assert_acme_error(&results[2].err, results[2].code, ERR_INPUT, "identifier is none", NULL);
    assert_int_equal(results[3].code, ERR_OK);
    assert_true(infos[0].start_ms == INT64_C(1735790400000)); /* 2025-01-02T04:00:00Z */
    assert_true(infos[0].end_ms - infos[0].start_ms == 86400000);
    assert_string_equal(infos[0].explanation_url, "https://ca.example.net/why");
    assert_true(infos[0].next_look_ms == 21600000);
    assert_int_equal(f.http->seen_count, 4);
    assert_string_equal(f.http->seen[1].method, "GET");
    assert_string_equal(f.http->seen[1].url, FAKE_CA_ROOT "/ari/" CERT_ID);
    for (size_t i = 0; i < 4; i++)
        acme_renewal_info_done(&infos[i]);
    acme_fixture_done(&f);
}

TEST(a_ca_without_renewal_information_is_not_asked)
{
    static const char *const ids[] = {CERT_ID};
    struct acme_renewal_info info;
    struct acme_result result;
    struct acme_fixture f;

    acme_fixture_init(&f);
    f.ca->manner.has_no_renewal_info = true;
    assert_int_equal(acme_renewal_infos(f.acme, ids, 1, &info, &result, &f.err), ERR_OK);
    assert_int_equal(result.code, ERR_NOT_FOUND);
    assert_int_equal(f.http->seen_count, 1);
    acme_fixture_done(&f);
}

static void answer_with_pause(void *context, UNUSED const struct fake_seen *request, UNUSED size_t index,
                              struct fake_exchange *answer)
{
    *answer = (struct fake_exchange){.status = 200,
                                     .headers = context,
                                     .answer = "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":"
                                               "\"2025-01-03T04:00:00Z\"}}"};
}

static void expect_next_look(const char *headers, int64_t want_ms)
{
    static const char *const ids[] = {CERT_ID};
    struct acme_renewal_info info;
    struct acme_result result;
    struct acme_fixture f;
    const struct acme_meta *meta;

    acme_fixture_init(&f);
    assert_int_equal(acme_meta(f.acme, &meta, &f.err), ERR_OK);
    f.http->handler = answer_with_pause;
    f.http->handler_context = (void *)(uintptr_t)headers;
    assert_int_equal(acme_renewal_infos(f.acme, ids, 1, &info, &result, &f.err), ERR_OK);
    assert_int_equal(result.code, ERR_OK);
    assert_null(info.explanation_url);
    assert_true(info.next_look_ms == want_ms);
    acme_fixture_done(&f);
}

TEST(the_next_look_is_between_a_minute_and_a_day)
{
    expect_next_look("Retry-After: 0", 60000);
    expect_next_look("Retry-After: 7200", 7200000);
    expect_next_look("Retry-After: 9999999", 86400000);
    expect_next_look("Retry-After: Sat, 12 Feb 2011 21:59:04 GMT", 3600000);
    expect_next_look("Retry-After: later", 21600000);
    expect_next_look(NULL, 21600000);
}

static enum err_code read_info(const char *text, struct acme_renewal_info *out, struct err *err)
{
    json_t *json AUTO_JSON = json_loads(text, 0, NULL);

    return acme_renewal_info_read(json, out, err);
}

#define WINDOW(start, end) "{\"suggestedWindow\":{\"start\":\"" start "\",\"end\":\"" end "\"}}"

TEST(times_have_offsets_and_fractions)
{
    struct acme_renewal_info info;
    struct err err;

    assert_int_equal(
        read_info(WINDOW("2025-01-02T05:30:00.25+01:30", "2025-01-01T23:00:01.123456789-05:00"), &info, &err), ERR_OK);
    assert_true(info.start_ms == INT64_C(1735790400250));
    assert_true(info.end_ms == INT64_C(1735790401123));
}

TEST(what_is_no_window_is_an_error)
{
    static const char *const bad[] = {
        "{}",
        "{\"suggestedWindow\":[]}",
        "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\"}}",
        "{\"suggestedWindow\":{\"start\":5,\"end\":6}}",
        WINDOW("2025-01-02T04:00:00Z", "2025-01-02T04:00:00Z"),
        WINDOW("2025-01-03T04:00:00Z", "2025-01-02T04:00:00Z"),
        WINDOW("2025-01-02", "2025-01-03"),
        WINDOW("2025-01-02T04:00:00", "2025-01-03T04:00:00Z"),
        ("{\"explanationURL\":5,\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-03T04:00:"
         "00Z\"}}"),
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct acme_renewal_info info = {.start_ms = 1};
        struct err err;

        assert_int_equal(read_info(bad[i], &info, &err), ERR_ACME);
        assert_true(info.start_ms == 1);
        assert_true(err.msg[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_asked_for_unsigned_and_each_for_itself),
        cmocka_unit_test(a_ca_without_renewal_information_is_not_asked),
        cmocka_unit_test(the_next_look_is_between_a_minute_and_a_day),
        cmocka_unit_test(times_have_offsets_and_fractions),
        cmocka_unit_test(what_is_no_window_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
