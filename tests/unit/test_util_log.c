/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fake_clock.h"
#include "fixture.h"
#include "test.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/text.h"

/* A log whose stream is memory and whose file is a buffer that fails on demand. */
struct world {
    struct fake_clock clock;
    struct log log;
    struct fixture_stream stream;
    char *filed;
    int appends;
    enum err_code failure;
};

static enum err_code append(void *file, const char *line, size_t len, struct err *err)
{
    struct world *w = file;
    char *longer;

    w->appends++;
    if (w->failure != ERR_OK)
        return err_set(err, w->failure, "could not write the log \"x.log\": No space left on device");
    longer = mem_printf("%s%.*s", w->filed ? w->filed : "", (int)len, line);
    free(w->filed);
    w->filed = longer;
    return ERR_OK;
}

static void world_init(struct world *w, enum log_format format)
{
    *w = (struct world){.failure = ERR_OK};
    fake_clock_init(&w->clock);
    fixture_stream_open(&w->stream);
    w->log = (struct log){
        .level = LOG_WARNING,
        .out = w->stream.out,
        .clock = &w->clock.base,
        .start_ms = clock_mono_ms(&w->clock.base),
        .format = format,
        .file = {append, w},
        .file_level = LOG_INFO,
        .pid = 4711,
    };
    assert_true(clock_sleep_ms(&w->clock.base, 1234));
}

static void world_done(struct world *w)
{
    fixture_stream_done(&w->stream);
    free(w->filed);
}

/* What the stream got; valid until the next line. */
static const char *said(struct world *w)
{
    return fixture_stream_text(&w->stream);
}

TEST(a_line_of_the_file_has_time_level_process_and_seconds)
{
    struct world w AUTO(world_done);

    world_init(&w, LOG_TEXT);
    log_line(&w.log, LOG_INFO, "%s by %s", "called", "certbot");
    assert_string_equal(w.filed, "2011-02-12T20:59:05.234Z info [4711] 1.234 called by certbot\n");
    assert_string_equal(said(&w), "");
}

TEST(stream_and_file_have_levels_of_their_own)
{
    struct world w AUTO(world_done);

    world_init(&w, LOG_TEXT);
    w.log.level = LOG_DEBUG;
    w.log.file_level = LOG_WARNING;
    log_line(&w.log, LOG_DEBUG, "detail");
    assert_null(w.filed);
    assert_string_equal(said(&w), "acme-dme: [1.234] detail\n");
    log_line(&w.log, LOG_WARNING, "odd");
    assert_string_equal(said(&w), "acme-dme: [1.234] detail\nacme-dme: warning: odd\n");
    assert_string_equal(w.filed, "2011-02-12T20:59:05.234Z warning [4711] 1.234 odd\n");
}

TEST(whoever_asks_is_told_whether_any_of_them_wants_a_line)
{
    struct world w AUTO(world_done);

    world_init(&w, LOG_TEXT);
    assert_true(log_wants(&w.log, LOG_INFO));
    assert_false(log_wants(&w.log, LOG_DEBUG));
    w.log.file = (struct log_file){NULL, NULL};
    assert_false(log_wants(&w.log, LOG_INFO));
    w.log.level = LOG_INFO;
    assert_true(log_wants(&w.log, LOG_INFO));
    assert_false(log_wants(NULL, LOG_ERROR));
}

static json_t *object(const char *line)
{
    json_error_t error;
    json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &error);

    if (!json)
        fail_msg("%s: %s", error.text, line);
    return json;
}

static const char *text_of(json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    assert_non_null(text);
    return text;
}

TEST(json_is_one_object_a_line_in_both)
{
    struct world w AUTO(world_done);

    world_init(&w, LOG_JSON);
    log_line(&w.log, LOG_WARNING, "odd");
    assert_string_equal(w.filed, "{\"time\":\"2011-02-12T20:59:05.234Z\",\"level\":\"warning\",\"pid\":4711,"
                                 "\"elapsed_ms\":1234,\"message\":\"odd\"}\n");
    assert_string_equal(said(&w), w.filed);
}

TEST(fields_are_texts_and_numbers)
{
    const struct log_field fields[] = {{"url", "https://a.example/\"x\"", 0}, {"status", NULL, -200}};
    struct world w AUTO(world_done);
    json_t *json;

    world_init(&w, LOG_JSON);
    log_event(&w.log, LOG_INFO, fields, ARRAY_LEN(fields), "%d answers", 2);
    json = object(w.filed);
    assert_string_equal(text_of(json, "message"), "2 answers");
    assert_string_equal(text_of(json, "url"), "https://a.example/\"x\"");
    assert_int_equal(json_integer_value(json_object_get(json, "status")), -200);
    json_decref(json);
}

TEST(text_has_the_message_of_an_event_only)
{
    const struct log_field fields[] = {{"url", "https://a.example/", 0}};
    struct world w AUTO(world_done);

    world_init(&w, LOG_TEXT);
    log_event(&w.log, LOG_INFO, fields, ARRAY_LEN(fields), "%d answers", 2);
    assert_string_equal(w.filed, "2011-02-12T20:59:05.234Z info [4711] 1.234 2 answers\n");
}

/* What servers may say, each in a message and in a field. */
TEST(whatever_is_in_a_line_json_stays_valid)
{
    static const char *const hostile[] = {
        "\"}\n{\"level\":\"error\"",  "back\\slash\\",          "\x01\x1f\x7f\x1b[2J",
        "\xff\xfe\x80 no UTF-8",      "\xed\xa0\x80 surrogate", "\xc0\xaf overlong",
        "\xf4\x90\x80\x80 too large", "\xe2\x80\xae turned",    "\xe2\x82 cut",
        "\xf0\x9f\x98\x80",
    };

    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        const struct log_field field = {"text", hostile[i], 0};
        struct world w AUTO(world_done);
        json_t *json;

        world_init(&w, LOG_JSON);
        log_event(&w.log, LOG_INFO, &field, 1, "%s", hostile[i]);
        assert_ptr_equal(strchr(w.filed, '\n'), w.filed + strlen(w.filed) - 1);
        assert_true(text_is_utf8(w.filed, strlen(w.filed)));
        json = object(w.filed);
        assert_string_equal(text_of(json, "message"), text_of(json, "text"));
        assert_null(strpbrk(text_of(json, "text"), "\x1b\n\x7f"));
        json_decref(json);
    }
}

/* Every byte at every place where texts are cut. */
TEST(overlong_texts_are_cut_and_stay_valid)
{
    char *text AUTO_FREE = mem_calloc(10001, 1);

    for (size_t shift = 0; shift < 8; shift++) {
        static const char *const pieces[] = {"\xf0\x9f\x98\x80", "\"\\\"\\", "\xff\xff\xff\xff"};

        for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
            const struct log_field field = {"text", text, 0};
            struct world w AUTO(world_done);
            json_t *json;

            memset(text, 'x', shift);
            for (size_t at = shift; at + 4 <= 10000; at += 4)
                memcpy(text + at, pieces[p], 4);
            world_init(&w, LOG_JSON);
            log_event(&w.log, LOG_INFO, &field, 1, "%s", text);
            json = object(w.filed);
            assert_true(text_ends_with(text_of(json, "message"), "..."));
            assert_true(text_ends_with(text_of(json, "text"), "..."));
            json_decref(json);
        }
    }
}

static struct err an_error(void)
{
    struct err err;

    (void)err_set(&err, ERR_AUTH, "no \"access\"");
    err_hint(&err, "Check the key.");
    return err;
}

TEST(the_last_error_is_text_for_people_on_the_stream_and_a_line_with_its_status_in_the_file)
{
    const struct err err = an_error();
    struct world w AUTO(world_done);

    world_init(&w, LOG_TEXT);
    log_final_error(&w.log, &err, 4);
    assert_string_equal(said(&w), "acme-dme: no \"access\"\nhint: Check the key.\n");
    assert_string_equal(w.filed, "2011-02-12T20:59:05.234Z error [4711] 1.234 no \"access\" (exit status 4, auth)\n"
                                 "2011-02-12T20:59:05.234Z error [4711] 1.234 hint: Check the key.\n");
}

TEST(the_last_error_is_one_object_in_json)
{
    struct err err = an_error();
    struct world w AUTO(world_done);

    world_init(&w, LOG_JSON);
    log_final_error(&w.log, &err, 4);
    assert_string_equal(w.filed, "{\"time\":\"2011-02-12T20:59:05.234Z\",\"level\":\"error\",\"pid\":4711,"
                                 "\"elapsed_ms\":1234,\"message\":\"no \\\"access\\\"\",\"code\":\"auth\","
                                 "\"exit_status\":4,\"hint\":\"Check the key.\"}\n");
    assert_string_equal(said(&w), w.filed);
    err.hint[0] = '\0';
    log_final_error(&w.log, &err, 4);
    assert_true(text_ends_with(w.filed, "\"exit_status\":4}\n"));
}

TEST(a_file_that_fails_is_one_warning_and_is_tried_again)
{
    struct world w AUTO(world_done);

    world_init(&w, LOG_TEXT);
    w.failure = ERR_IO;
    log_line(&w.log, LOG_INFO, "one");
    log_line(&w.log, LOG_INFO, "two");
    assert_int_equal(w.appends, 2);
    assert_string_equal(said(&w), "acme-dme: warning: could not write the log \"x.log\": No space left on device, "
                                  "continuing without it\n");
    w.failure = ERR_OK;
    log_line(&w.log, LOG_INFO, "three");
    assert_non_null(strstr(w.filed, "three"));
}

TEST(a_quiet_stream_does_not_hear_of_a_file_that_fails)
{
    struct world w AUTO(world_done);

    world_init(&w, LOG_TEXT);
    w.log.level = LOG_ERROR;
    w.failure = ERR_IO;
    log_line(&w.log, LOG_INFO, "one");
    assert_string_equal(said(&w), "");
}

TEST(times_before_1970_are_no_surprise)
{
    struct world w AUTO(world_done);

    world_init(&w, LOG_TEXT);
    w.clock.wall_ms = -1;
    log_line(&w.log, LOG_INFO, "old");
    assert_true(text_starts_with(w.filed, "1969-12-31T23:59:59.999Z "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_the_file_has_time_level_process_and_seconds),
        cmocka_unit_test(stream_and_file_have_levels_of_their_own),
        cmocka_unit_test(whoever_asks_is_told_whether_any_of_them_wants_a_line),
        cmocka_unit_test(json_is_one_object_a_line_in_both),
        cmocka_unit_test(fields_are_texts_and_numbers),
        cmocka_unit_test(text_has_the_message_of_an_event_only),
        cmocka_unit_test(whatever_is_in_a_line_json_stays_valid),
        cmocka_unit_test(overlong_texts_are_cut_and_stay_valid),
        cmocka_unit_test(the_last_error_is_text_for_people_on_the_stream_and_a_line_with_its_status_in_the_file),
        cmocka_unit_test(the_last_error_is_one_object_in_json),
        cmocka_unit_test(a_file_that_fails_is_one_warning_and_is_tried_again),
        cmocka_unit_test(a_quiet_stream_does_not_hear_of_a_file_that_fails),
        cmocka_unit_test(times_before_1970_are_no_surprise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
