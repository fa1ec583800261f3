/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "fixture.h"
#include "test.h"
#include "util/err.h"
#include "util/log.h"

TEST(an_error_has_a_code_a_message_and_perhaps_a_hint)
{
    struct err err;

    assert_int_equal(err_set(&err, ERR_ZONE, "no zone for \"%s\"", "x"), ERR_ZONE);
    assert_int_equal(err.code, ERR_ZONE);
    assert_string_equal(err.msg, "no zone for \"x\"");
    assert_string_equal(err.hint, "");
    err_hint(&err, "Make %s.", "one");
    assert_int_equal(err_prefix(&err, ERR_ZONE, "could not %s", "start"), ERR_ZONE);
    assert_string_equal(err.msg, "could not start: no zone for \"x\"");
    assert_string_equal(err.hint, "Make one.");
    assert_int_equal(err_set_errno(&err, ERR_IO, ENOENT, "could not open \"%s\"", "f"), ERR_IO);
    assert_string_equal(err.msg, "could not open \"f\": No such file or directory");
    assert_string_equal(err.hint, "");
}

TEST(whoever_wants_the_code_only_gives_no_error)
{
    assert_int_equal(err_set(NULL, ERR_API, "%s", "x"), ERR_API);
    assert_int_equal(err_prefix(NULL, ERR_API, "x"), ERR_API);
    assert_int_equal(err_set_errno(NULL, ERR_IO, ENOENT, "x"), ERR_IO);
    err_hint(NULL, "x");
}

/* So "the error, told in other words" needs no copy. */
TEST(an_error_may_be_set_from_its_own_message)
{
    struct err err;

    (void)err_set(&err, ERR_DNS, "inner");
    err_hint(&err, "Old.");
    (void)err_set(&err, ERR_ZONE, "outer (%s)", err.msg);
    assert_string_equal(err.msg, "outer (inner)");
    assert_string_equal(err.hint, "");
    (void)err_set_errno(&err, ERR_IO, EACCES, "%s again", err.msg);
    assert_string_equal(err.msg, "outer (inner) again: Permission denied");
}

TEST(overlong_and_unsafe_texts_are_cut_and_escaped)
{
    static char text[5000];
    struct err err;

    memset(text, 'x', sizeof text - 1);
    (void)err_set(&err, ERR_API, "%s", text);
    assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
    assert_string_equal(err.msg + ERR_MSG_MAX - 4, "...");
    (void)err_prefix(&err, ERR_API, "a\x1b[2J%s", text);
    assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
    assert_memory_equal(err.msg, "a\\x1b[2Jxxx", 11);
}

TEST(a_text_that_can_not_be_formatted_is_empty)
{
    static const wchar_t no_character[] = {(wchar_t)0x7fffffff, 0};
    struct err err;

    fixture_needs(FIXTURE_BAD_FORMATS);
    (void)err_set(&err, ERR_API, "%ls", no_character);
    assert_string_equal(err.msg, "");
}

TEST(an_outcome_is_what_the_call_returned_whatever_it_left_in_its_error)
{
    struct err err;

    (void)err_set(&err, ERR_IO, "left over");
    err_settle(&err, ERR_IO);
    assert_int_equal(err.code, ERR_IO);
    err_settle(&err, ERR_OK);
    assert_int_equal(err.code, ERR_OK);
    assert_string_equal(err.msg, "");
}

TEST(every_code_has_a_name_of_its_own)
{
    for (int a = 0; a < ERR_COUNT; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(err_name((enum err_code)a), err_name((enum err_code)b));
    assert_string_equal(err_name(ERR_COUNT), "unknown");
}

TEST(a_log_line_is_one_line_and_only_of_the_wanted_levels)
{
    struct fixture_stream said;
    struct log log = {.level = LOG_INFO};

    fixture_stream_open(&said);
    log.out = said.out;
    log_line(&log, LOG_WARNING, "a\nb");
    log_line(&log, LOG_INFO, "c");
    log_line(&log, LOG_DEBUG, "d");
    log_line(NULL, LOG_ERROR, "e");
    assert_string_equal(fixture_stream_text(&said), "acme-dme: warning: a\\x0ab\nacme-dme: c\n");
    fixture_stream_done(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_a_code_a_message_and_perhaps_a_hint),
        cmocka_unit_test(whoever_wants_the_code_only_gives_no_error),
        cmocka_unit_test(an_error_may_be_set_from_its_own_message),
        cmocka_unit_test(overlong_and_unsafe_texts_are_cut_and_escaped),
        cmocka_unit_test(a_text_that_can_not_be_formatted_is_empty),
        cmocka_unit_test(an_outcome_is_what_the_call_returned_whatever_it_left_in_its_error),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
        cmocka_unit_test(a_log_line_is_one_line_and_only_of_the_wanted_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
