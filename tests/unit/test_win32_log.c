/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/win32.h"
#include "test.h"
#include "win32_faults.h"

#define WRITERS 4
#define LINES 200
#define LINE_LEN 200

/* A private directory, a path in it that is not there yet, and perhaps a log that is open at it. */
struct place {
    char *dir;
    char *path;
    struct platform_log *log;
};

static void place_init(struct place *p)
{
    *p = (struct place){.dir = fixture_dir_new()};
    p->path = fixture_path(p->dir, "x.log");
}

static void place_open(struct place *p)
{
    struct err err;

    place_init(p);
    if (platform_log_open(p->path, &p->log, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static void place_done(struct place *p)
{
    platform_log_free(p->log);
    free(p->path);
    fixture_dir_free(p->dir);
}

static enum err_code put(struct place *p, const char *line, struct err *err)
{
    return platform_log_append(p->log, line, strlen(line), err);
}

static void put_well(struct place *p, const char *line)
{
    struct err err;

    if (put(p, line, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static void expect_content(const char *path, const char *want)
{
    char AUTO_FREE *now = fixture_read(path);

    assert_string_equal(now ? now : "(no file)", want);
}

static void expect_refusal(const char *path, enum err_code code, const char *why)
{
    struct platform_log *log = NULL;
    struct err err;

    assert_int_equal(platform_log_open(path, &log, &err), code);
    assert_null(log);
    assert_non_null(strstr(err.msg, path));
    if (!strstr(err.msg, why))
        fail_msg("\"%s\" is not in: %s", why, err.msg);
}

/* ------------------------------------------------------------------ appending */

TEST(a_log_is_made_for_its_owner_alone_and_lines_are_appended)
{
    struct place p AUTO(place_done);

    place_open(&p);
    assert_non_null(strstr(faults_access(), "D:P("));
    assert_null(strstr(faults_access(), ";WD)"));
    put_well(&p, "one\n");
    put_well(&p, "two\n");
    expect_content(p.path, "one\ntwo\n");
    assert_true(faults_locked_byte() > 1ULL << 40);
    platform_log_free(NULL);
}

TEST(what_is_there_stays)
{
    struct place p AUTO(place_done);

    place_init(&p);
    fixture_write(p.path, "old\n");
    assert_int_equal(platform_log_open(p.path, &p.log, NULL), ERR_OK);
    put_well(&p, "new\n");
    expect_content(p.path, "old\nnew\n");
}

static DWORD WINAPI close_soon(void *handle)
{
    Sleep(100);
    (void)CloseHandle(handle);
    return 0;
}

TEST(a_log_that_somebody_reads_for_a_moment_is_waited_for)
{
    struct place p AUTO(place_done);
    wchar_t AUTO_WIDE *wide = NULL;
    HANDLE held;
    HANDLE thread;

    place_init(&p);
    fixture_write(p.path, "old\n");
    wide = win32_path(p.path);
    held = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    assert_true(held != INVALID_HANDLE_VALUE);
    thread = CreateThread(NULL, 0, close_soon, held, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(platform_log_open(p.path, &p.log, NULL), ERR_OK);
    put_well(&p, "new\n");
    expect_content(p.path, "old\nnew\n");
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    (void)CloseHandle(thread);
}

TEST(a_log_may_have_a_name_in_another_script_and_a_long_path)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *dir = NULL;
    char AUTO_FREE *path = NULL;

    place_init(&p);
    dir = mem_strdup(p.dir);
    while (strlen(dir) < 350) {
        char *deeper = mem_printf("%s/\xe6\x97\xa5\xe6\x9c\xac-0123456789-0123456789-0123456789-0123456789", dir);

        free(dir);
        dir = deeper;
    }
    assert_int_equal(platform_dir_make(dir, NULL), ERR_OK);
    path = fixture_path(dir, "\xe6\x97\xa5.log");
    assert_int_equal(platform_log_open(path, &p.log, NULL), ERR_OK);
    put_well(&p, "one\n");
    put_well(&p, "two\n");
    expect_content(path, "one\ntwo\n");
}

/* The text is the path.  Lines of one letter, which is the process's own. */
static int append_many(const char *text)
{
    struct platform_log *log = NULL;
    char line[LINE_LEN];

    CHILD_CHECK(platform_log_open(text, &log, NULL) == ERR_OK);
    memset(line, 'a' + (int)(GetCurrentProcessId() / 4 % 26), sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < LINES; i++)
        CHILD_CHECK(platform_log_append(log, line, sizeof line, NULL) == ERR_OK);
    platform_log_free(log);
    return CHILD_OK;
}

static bool is_of_one_letter(const char *line, size_t len)
{
    for (size_t i = 1; i < len; i++)
        if (line[i] != line[0])
            return false;
    return true;
}

TEST(lines_of_several_processes_do_not_mix)
{
    struct place p AUTO(place_done);
    struct buf AUTO_BUF all = BUF_INIT(1 << 20);
    size_t lines = 0;

    place_init(&p);
    fixture_in_processes(WRITERS, append_many, p.path);
    assert_int_equal(platform_file_read(p.path, &all, NULL, NULL), ERR_OK);
    for (const char *at = buf_cstr(&all); *at; at += LINE_LEN, lines++) {
        assert_int_equal(at[LINE_LEN - 1], '\n');
        assert_true(is_of_one_letter(at, LINE_LEN - 1));
    }
    assert_int_equal(lines, WRITERS * LINES);
}

/* ------------------------------------------------------------------ rotation */

TEST(a_log_that_was_renamed_is_made_anew)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *old = NULL;

    place_open(&p);
    old = fixture_path(p.dir, "x.log.1");
    put_well(&p, "one\n");
    fixture_rename(p.path, old);
    put_well(&p, "two\n");
    expect_content(old, "one\n");
    expect_content(p.path, "two\n");
}

TEST(a_log_that_was_renamed_and_made_by_the_rotation_is_left_for_the_new_one)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *old = NULL;

    place_open(&p);
    old = fixture_path(p.dir, "x.log.1");
    put_well(&p, "one\n");
    fixture_rename(p.path, old);
    fixture_write(p.path, "made by the rotation\n");
    put_well(&p, "two\n");
    expect_content(p.path, "made by the rotation\ntwo\n");
    expect_content(old, "one\n");
}

/* Wine keeps the name of a file that was removed until nobody has it open, and does not tell; Windows does. */
TEST(a_log_that_was_moved_away_and_removed_is_made_anew)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *old = NULL;

    place_open(&p);
    old = fixture_path(p.dir, "x.log.1");
    put_well(&p, "one\n");
    fixture_rename(p.path, old);
    fixture_unlink(old);
    put_well(&p, "two\n");
    expect_content(p.path, "two\n");
}

TEST(a_log_that_was_truncated_begins_at_its_beginning)
{
    struct place p AUTO(place_done);

    place_open(&p);
    put_well(&p, "one\n");
    fixture_truncate(p.path, 0);
    put_well(&p, "two\n");
    expect_content(p.path, "two\n");
}

TEST(with_nothing_to_write_to_in_its_place_the_old_file_gets_the_line_and_the_caller_the_error)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *old = NULL;
    struct err err;

    place_open(&p);
    old = fixture_path(p.dir, "x.log.1");
    fixture_rename(p.path, old);
    fixture_mkdir(p.path, 0700);
    assert_int_equal(put(&p, "one\n", &err), ERR_UNSAFE);
    assert_non_null(strstr(err.msg, "it is a directory"));
    expect_content(old, "one\n");
    fixture_rmdir(p.path);
    put_well(&p, "two\n");
    expect_content(p.path, "two\n");
}

/* ------------------------------------------------------------------ what is no log */

TEST(what_is_no_file_is_refused)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *nul = NULL;
    char AUTO_FREE *nowhere = NULL;

    place_init(&p);
    nul = fixture_path(p.dir, "nul");
    nowhere = fixture_path(p.dir, "no/such/x.log");
    expect_refusal(p.dir, ERR_UNSAFE, "it is a directory");
    expect_refusal(nul, ERR_IO, "not the name of a file");
    expect_refusal(nowhere, ERR_IO, "could not open the log");
    assert_int_equal(fixture_count(p.dir), 0);
}

static void make_hard_link(const char *path, const char *file)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    wchar_t AUTO_WIDE *wide_file = win32_path(file);

    assert_true(CreateHardLinkW(wide, wide_file, NULL));
}

TEST(a_hard_link_is_taken_where_nobody_else_can_have_made_it)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *dir = NULL;
    char AUTO_FREE *file = NULL;
    char AUTO_FREE *path = NULL;

    place_init(&p);
    dir = fixture_path(p.dir, "private");
    file = fixture_path(dir, "file");
    path = fixture_path(dir, "x.log");
    assert_int_equal(platform_dir_make(dir, NULL), ERR_OK);
    fixture_write(file, "old\n");
    make_hard_link(path, file);
    assert_int_equal(platform_log_open(path, &p.log, NULL), ERR_OK);
    put_well(&p, "new\n");
    expect_content(file, "old\nnew\n");
}

/* ------------------------------------------------------------------ faults */

TEST(a_full_disk_is_told_and_writing_goes_on_when_there_is_space_again)
{
    struct place p AUTO(place_done);
    struct err err;

    place_open(&p);
    put_well(&p, "one\n");
    faults_fail(FAULT_WRITE, ERROR_DISK_FULL);
    assert_int_equal(put(&p, "two\n", &err), ERR_IO);
    faults_fail(FAULT_WRITE, 0);
    assert_non_null(strstr(err.msg, p.path));
    assert_non_null(strstr(err.hint, "Free some space"));
    put_well(&p, "three\n");
    expect_content(p.path, "one\nthree\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_is_made_for_its_owner_alone_and_lines_are_appended),
        cmocka_unit_test(what_is_there_stays),
        cmocka_unit_test(a_log_that_somebody_reads_for_a_moment_is_waited_for),
        cmocka_unit_test(a_log_may_have_a_name_in_another_script_and_a_long_path),
        cmocka_unit_test(lines_of_several_processes_do_not_mix),
        cmocka_unit_test(a_log_that_was_renamed_is_made_anew),
        cmocka_unit_test(a_log_that_was_renamed_and_made_by_the_rotation_is_left_for_the_new_one),
        cmocka_unit_test(a_log_that_was_moved_away_and_removed_is_made_anew),
        cmocka_unit_test(a_log_that_was_truncated_begins_at_its_beginning),
        cmocka_unit_test(with_nothing_to_write_to_in_its_place_the_old_file_gets_the_line_and_the_caller_the_error),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(a_hard_link_is_taken_where_nobody_else_can_have_made_it),
        cmocka_unit_test(a_full_disk_is_told_and_writing_goes_on_when_there_is_space_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
