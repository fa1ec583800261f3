/* SPDX-License-Identifier: MIT
 *
 * What an examination has found: the list, whom it tells, what follows from it, and its JSON.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "check/report.h"
#include "json/json.h"
#include "test.h"

/* ------------------------------------------------------------------ telling */

struct told {
    size_t count;
    char *text; /* of the last one */
    char *hint;
};

static void note(void *ctx, const struct check_finding *finding)
{
    struct told *told = ctx;

    told->count++;
    free(told->text);
    free(told->hint);
    told->text = mem_strdup(finding->text);
    told->hint = mem_strdup(finding->hint);
}

static void told_done(struct told *told)
{
    free(told->text);
    free(told->hint);
}

TEST(a_finding_is_told_once_and_with_its_hint)
{
    AUTO(told_done) struct told told = {0};
    AUTO_CHECK_REPORT struct check_report report = {.on_finding = note, .ctx = &told};

    check_add(&report, CHECK_OK, "config", "", "read");
    assert_int_equal(told.count, 0); /* a hint may still come */
    check_hint(&report, "Do %s.", "this");
    check_add(&report, CHECK_WARN, "clock", "", "late");
    assert_int_equal(told.count, 1);
    assert_string_equal(told.text, "read");
    assert_string_equal(told.hint, "Do this.");
    check_report_flush(&report);
    check_report_flush(&report);
    assert_int_equal(told.count, 2);
    assert_string_equal(told.text, "late");
    assert_string_equal(told.hint, "");
}

TEST(without_a_listener_nothing_is_told)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};

    check_report_flush(&report);
    check_add(&report, CHECK_OK, "config", "", "read");
    check_report_flush(&report);
    assert_int_equal(report.count, 1);
}

/* ------------------------------------------------------------------ text */

TEST(text_of_servers_can_t_play_with_the_terminal)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    const struct check_finding *finding;

    check_add(&report, CHECK_WARN, "servers", "ns\033[2J", "says \"%s\"", "\a\n\xff");
    check_hint(&report, "Ask \"%s\".", "\r");
    finding = &report.items[0];
    assert_string_equal(finding->subject, "ns\\x1b[2J");
    assert_string_equal(finding->text, "says \"\\x07\\x0a\\xff\"");
    assert_string_equal(finding->hint, "Ask \"\\x0d\".");
}

TEST(a_text_that_is_too_long_is_cut_and_says_so)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    AUTO_BUF struct buf text = BUF_INIT(10000);

    for (int i = 0; i < 5000; i++)
        buf_puts(&text, "x");
    check_add(&report, CHECK_WARN, "records", buf_cstr(&text), "%s", buf_cstr(&text));
    assert_true(strlen(report.items[0].text) < 2100);
    assert_true(strlen(report.items[0].subject) < 2100);
    assert_string_equal(report.items[0].text + strlen(report.items[0].text) - 3, "...");
}

/* ------------------------------------------------------------------ what follows */

TEST(an_error_brings_message_hint_and_code)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    struct err err;
    enum err_code code;

    err_init(&err);
    (void)err_set(&err, ERR_AUTH, "DNS Made Easy does not know the API key");
    err_hint(&err, "Compare it.");
    check_add_error(&report, CHECK_FAIL, "credentials", "main", &err);
    assert_int_equal(report.items[0].code, ERR_AUTH);
    assert_string_equal(report.items[0].text, "DNS Made Easy does not know the API key");
    assert_string_equal(report.items[0].hint, "Compare it.");
    assert_int_equal(check_worst(&report, &code), CHECK_FAIL);
    assert_int_equal(code, ERR_AUTH);
}

TEST(an_error_that_is_only_warned_of_fails_nothing)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    struct err err;
    enum err_code code;

    err_init(&err);
    (void)err_set(&err, ERR_TIMEOUT, "no answer");
    check_add_error(&report, CHECK_WARN, "caa", "example.com", &err);
    check_code(&report, ERR_DNS); /* a code belongs to failures alone */
    assert_int_equal(report.items[0].code, ERR_OK);
    assert_int_equal(check_worst(&report, &code), CHECK_WARN);
    assert_int_equal(code, ERR_OK);
}

TEST(the_first_failure_gives_the_code)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    enum err_code code;

    assert_int_equal(check_worst(&report, &code), CHECK_OK);
    assert_int_equal(code, ERR_OK);
    check_add(&report, CHECK_OK, "config", "", "read");
    check_add(&report, CHECK_SKIPPED, "servers", "", "no way there");
    assert_int_equal(check_worst(&report, &code), CHECK_SKIPPED);
    check_add(&report, CHECK_WARN, "clock", "", "late");
    check_add(&report, CHECK_FAIL, "delegation", "example.com", "absent");
    check_code(&report, ERR_ZONE);
    check_add(&report, CHECK_FAIL, "caa", "example.com", "forbids");
    check_code(&report, ERR_DNS);
    assert_int_equal(check_worst(&report, &code), CHECK_FAIL);
    assert_int_equal(code, ERR_ZONE);
}

TEST(a_failure_without_a_code_still_has_one)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    enum err_code code;

    check_add(&report, CHECK_FAIL, "api", "", "broken");
    assert_int_equal(check_worst(&report, &code), CHECK_FAIL);
    assert_int_not_equal(code, ERR_OK);
}

TEST(levels_have_names)
{
    assert_string_equal(check_level_name(CHECK_OK), "ok");
    assert_string_equal(check_level_name(CHECK_SKIPPED), "skipped");
    assert_string_equal(check_level_name(CHECK_WARN), "warn");
    assert_string_equal(check_level_name(CHECK_FAIL), "fail");
}

/* ------------------------------------------------------------------ JSON */

static json_t *parse(const struct check_report *report)
{
    AUTO_FREE char *text = check_report_json(report);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    assert_null(strchr(text, '\n'));
    assert_non_null(root);
    return root;
}

static const char *string_at(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

TEST(json_has_everything)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    AUTO_JSON json_t *root = NULL;
    json_t *clock;
    json_t *caa;

    check_add(&report, CHECK_OK, "clock", "", "fits");
    check_measure(&report, "offset_ms", -412000);
    check_measure(&report, "round_trip_ms", 12);
    check_add(&report, CHECK_FAIL, "caa", "*.example.com", "\"letsencrypt\" may not issue");
    check_code(&report, ERR_DNS);
    check_hint(&report, "Add one.");
    root = parse(&report);
    assert_int_equal(json_integer_value(json_object_get(root, "version")), 1);
    assert_string_equal(string_at(root, "result"), "fail");
    assert_int_equal(json_array_size(json_object_get(root, "findings")), 2);
    clock = json_array_get(json_object_get(root, "findings"), 0);
    assert_string_equal(string_at(clock, "level"), "ok");
    assert_string_equal(string_at(clock, "step"), "clock");
    assert_string_equal(string_at(clock, "subject"), "");
    assert_null(json_object_get(clock, "code"));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(clock, "measures"), "offset_ms")), -412000);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(clock, "measures"), "round_trip_ms")), 12);
    caa = json_array_get(json_object_get(root, "findings"), 1);
    assert_string_equal(string_at(caa, "level"), "fail");
    assert_string_equal(string_at(caa, "code"), err_name(ERR_DNS));
    assert_string_equal(string_at(caa, "subject"), "*.example.com");
    assert_string_equal(string_at(caa, "text"), "\"letsencrypt\" may not issue");
    assert_string_equal(string_at(caa, "hint"), "Add one.");
    assert_int_equal(json_object_size(json_object_get(caa, "measures")), 0);
}

TEST(an_empty_report_is_a_document_too)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    AUTO_JSON json_t *root = parse(&report);

    assert_string_equal(string_at(root, "result"), "ok");
    assert_true(json_is_array(json_object_get(root, "findings")));
    assert_int_equal(json_array_size(json_object_get(root, "findings")), 0);
}

TEST(json_survives_whatever_a_server_says)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    AUTO_JSON json_t *root = NULL;
    struct err err;

    err_init(&err);
    (void)err_set(&err, ERR_API, "it said \"%s\"", "\xc3\x28\xff\"\\\xe2\x80\xae");
    err_hint(&err, "Look at \"%s\".", "\xf0\x9f");
    check_add_error(&report, CHECK_FAIL, "api", "\xed\xa0\x80", &err);
    check_add(&report, CHECK_WARN, "api", "", "%s", "\xc3\x28");
    root = parse(&report);
    assert_int_equal(json_array_size(json_object_get(root, "findings")), 2);
}

TEST(more_measures_than_there_is_room_for_are_left_out)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};

    check_add(&report, CHECK_OK, "servers", "", "fine");
    for (int i = 0; i < CHECK_MEASURES_MAX + 5; i++)
        check_measure(&report, "n", i);
    assert_int_equal(report.items[0].measure_count, CHECK_MEASURES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_is_told_once_and_with_its_hint),
        cmocka_unit_test(without_a_listener_nothing_is_told),
        cmocka_unit_test(text_of_servers_can_t_play_with_the_terminal),
        cmocka_unit_test(a_text_that_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(an_error_brings_message_hint_and_code),
        cmocka_unit_test(an_error_that_is_only_warned_of_fails_nothing),
        cmocka_unit_test(the_first_failure_gives_the_code),
        cmocka_unit_test(a_failure_without_a_code_still_has_one),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(json_has_everything),
        cmocka_unit_test(an_empty_report_is_a_document_too),
        cmocka_unit_test(json_survives_whatever_a_server_says),
        cmocka_unit_test(more_measures_than_there_is_room_for_are_left_out),
    };

    return cmocka_run_group_tests_name("check/report", tests, NULL, NULL);
}
