/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/win32.h"
#include "test.h"
#include "util/parse.h"
#include "win32_faults.h"

#define WRITERS 4
#define ROUNDS 25
#define CONTENT_MAX 40000

static const enum platform_write_mode all_modes[] = {PLATFORM_CREATE, PLATFORM_REPLACE, PLATFORM_REPLACE_LAZILY,
                                                     PLATFORM_REPLACE_UNSYNCED};

/* A directory and a path in it. */
struct place {
    char *dir;
    char *path;
};

static void place_init(struct place *p)
{
    p->dir = fixture_dir_new();
    p->path = fixture_path(p->dir, "file");
}

static void place_done(struct place *p)
{
    free(p->path);
    fixture_dir_free(p->dir);
}

static enum err_code write_text(const char *path, const char *text, enum platform_write_mode mode, struct err *err)
{
    const struct platform_file_write write = {.path = path, .data = text, .len = strlen(text)};

    return platform_files_write(&write, 1, mode, err);
}

static void expect_content(const char *path, const char *want)
{
    char AUTO_FREE *now = fixture_read(path);

    assert_string_equal(now ? now : "(no file)", want);
}

static HANDLE open_for(const char *path, DWORD access, DWORD share)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE handle = CreateFileW(wide, access, share, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

    assert_true(handle != INVALID_HANDLE_VALUE);
    return handle;
}

/* ------------------------------------------------------------------ writing */

TEST(each_way_of_writing_leaves_the_file_and_nothing_else)
{
    struct place p;

    for (size_t i = 0; i < ARRAY_LEN(all_modes); i++) {
        place_init(&p);
        if (all_modes[i] != PLATFORM_CREATE)
            fixture_write(p.path, "what was there before, and is longer");
        assert_int_equal(write_text(p.path, "new", all_modes[i], NULL), ERR_OK);
        assert_int_equal(faults_moved_durably(), all_modes[i] == PLATFORM_CREATE || all_modes[i] == PLATFORM_REPLACE);
        expect_content(p.path, "new");
        assert_int_equal(fixture_count(p.dir), 1);
        place_done(&p);
    }
}

TEST(bytes_are_written_as_they_are_and_as_many_as_there_are)
{
    size_t len = (3U << 20) + 7;
    char *data = mem_calloc(len, 1);
    struct buf AUTO_BUF now = BUF_INIT(4 << 20);
    struct place p;

    for (size_t i = 0; i < len; i++)
        data[i] = (char)(i * 7 + i / 251);
    memcpy(data, "a\nb\r\n\x1a", 6);
    place_init(&p);
    assert_int_equal(platform_file_create(p.path, data, len, NULL), ERR_OK);
    assert_int_equal(platform_file_read(p.path, &now, NULL, NULL), ERR_OK);
    assert_int_equal(now.len, len);
    assert_memory_equal(buf_cstr(&now), data, len);
    assert_int_equal(platform_file_replace(p.path, "", 0, NULL), ERR_OK);
    expect_content(p.path, "");
    free(data);
    place_done(&p);
}

/* Protected from what the directory would let it inherit; "AU" are all who have an account. */
TEST(a_file_is_for_us_alone_unless_it_is_public_from_the_moment_it_is_made)
{
    struct platform_file_write write = {.data = "x", .len = 1};
    struct buf AUTO_BUF now = BUF_INIT(10);
    struct platform_file_info info;
    struct place p;

    place_init(&p);
    write.path = p.path;
    assert_int_equal(platform_files_write(&write, 1, PLATFORM_CREATE, NULL), ERR_OK);
    assert_non_null(strstr(faults_access(), "D:P("));
    assert_null(strstr(faults_access(), ";WD)"));
    assert_int_equal(platform_file_read(p.path, &now, &info, NULL), ERR_OK);
    assert_int_equal(info.exposure, PLATFORM_PRIVATE);
    write.is_public = true;
    assert_int_equal(platform_files_write(&write, 1, PLATFORM_REPLACE, NULL), ERR_OK);
    assert_non_null(strstr(faults_access(), "D:P("));
    assert_non_null(strstr(faults_access(), ";WD)"));
    assert_int_equal(platform_file_read(p.path, &now, &info, NULL), ERR_OK);
    assert_int_equal(info.exposure, PLATFORM_WORLD_READABLE);
    place_done(&p);
}

TEST(of_several_files_all_are_created_or_none)
{
    enum { FILES = 100, OTHER = 70 };
    char *paths[FILES];
    struct platform_file_write writes[FILES];
    struct place p;
    struct err err;

    place_init(&p);
    for (size_t i = 0; i < FILES; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "%zu", i);
        paths[i] = fixture_path(p.dir, name);
        writes[i] = (struct platform_file_write){.path = paths[i], .data = "mine", .len = 4};
    }
    fixture_write(paths[OTHER], "another's");
    assert_int_equal(platform_files_write(writes, FILES, PLATFORM_CREATE, &err), ERR_EXISTS);
    assert_non_null(strstr(err.msg, paths[OTHER]));
    assert_non_null(strstr(err.msg, "it exists"));
    assert_int_equal(fixture_count(p.dir), 1);
    expect_content(paths[OTHER], "another's");
    fixture_unlink(paths[OTHER]);
    assert_int_equal(platform_files_write(writes, FILES, PLATFORM_CREATE, &err), ERR_OK);
    assert_int_equal(fixture_count(p.dir), FILES);
    assert_int_equal(platform_files_write(writes, 0, PLATFORM_CREATE, NULL), ERR_OK);
    for (size_t i = 0; i < FILES; i++)
        free(paths[i]);
    place_done(&p);
}

/* "Grüße-日本" and the same in a depth that plain paths can't have. */
#define FOREIGN                                                                                                        \
    "Gr\xc3\xbc\xc3\x9f"                                                                                               \
    "e-\xe6\x97\xa5\xe6\x9c\xac"

TEST(names_in_other_scripts_and_long_paths_are_written_to)
{
    struct place p;
    char AUTO_FREE *dir = NULL;
    char AUTO_FREE *file = NULL;

    place_init(&p);
    dir = mem_strdup(p.dir);
    while (strlen(dir) < 400) {
        char *deeper = mem_printf("%s/" FOREIGN "-0123456789-0123456789-0123456789", dir);

        free(dir);
        dir = deeper;
    }
    assert_int_equal(platform_dir_make(dir, NULL), ERR_OK);
    file = fixture_path(dir, FOREIGN ".pem");
    assert_int_equal(write_text(file, "one", PLATFORM_CREATE, NULL), ERR_OK);
    assert_int_equal(write_text(file, "two", PLATFORM_CREATE, NULL), ERR_EXISTS);
    assert_int_equal(write_text(file, "two", PLATFORM_REPLACE, NULL), ERR_OK);
    expect_content(file, "two");
    assert_int_equal(fixture_count(dir), 1);
    place_done(&p);
}

TEST(what_is_no_name_and_what_has_no_directory_is_an_error_with_the_path)
{
    const char *const names[] = {"con", "a?b", "a.", "no/such/directory"};
    struct place p;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char AUTO_FREE *path = fixture_path(p.dir, names[i]);
        struct err err;

        assert_int_equal(write_text(path, "x", PLATFORM_REPLACE, &err), ERR_IO);
        assert_non_null(strstr(err.msg, p.dir));
        assert_int_equal(fixture_count(p.dir), 0);
    }
    place_done(&p);
}

TEST(a_directory_in_the_way_is_an_error_at_once)
{
    ULONGLONG start = GetTickCount64();
    struct place p;
    struct err err;

    place_init(&p);
    fixture_mkdir(p.path, 0700);
    assert_int_equal(write_text(p.path, "x", PLATFORM_REPLACE, &err), ERR_IO);
    assert_non_null(strstr(err.msg, p.path));
    assert_int_equal(write_text(p.path, "x", PLATFORM_CREATE, &err), ERR_EXISTS);
    assert_in_range(GetTickCount64() - start, 0, 2000);
    assert_int_equal(fixture_count(p.dir), 1);
    place_done(&p);
}

/* ------------------------------------------------------------------ others at work */

/* The text is "<path>"; the file is open, to nobody else's writing or removing, for a second. */
static int hold_for_a_second(const char *text)
{
    HANDLE AUTO_HANDLE handle = open_for(text, GENERIC_READ, FILE_SHARE_READ);
    char AUTO_FREE *ready = mem_printf("%s.held", text);

    fixture_write(ready, "");
    fixture_sleep_ms(1000);
    return CHILD_OK;
}

static void wait_for_file(const char *path)
{
    for (int i = 0; i < 500 && !platform_file_exists(path); i++)
        fixture_sleep_ms(20);
    assert_true(platform_file_exists(path));
}

TEST(a_reader_delays_the_replacement_of_its_file)
{
    struct place p;
    struct fixture_process *reader;
    char AUTO_FREE *ready = NULL;
    ULONGLONG start;

    place_init(&p);
    ready = mem_printf("%s.held", p.path);
    fixture_write(p.path, "old");
    reader = fixture_process_start(hold_for_a_second, p.path);
    wait_for_file(ready);
    start = GetTickCount64();
    assert_int_equal(write_text(p.path, "new", PLATFORM_REPLACE, NULL), ERR_OK);
    assert_in_range(GetTickCount64() - start, 300, 4500);
    expect_content(p.path, "new");
    assert_int_equal(fixture_process_end(reader), CHILD_OK);
    place_done(&p);
}

TEST(a_reader_that_never_ends_is_an_error_and_the_old_file_stays)
{
    struct place p;
    HANDLE handle;
    struct err err;

    place_init(&p);
    fixture_write(p.path, "old");
    handle = open_for(p.path, GENERIC_READ, FILE_SHARE_READ);
    assert_int_equal(write_text(p.path, "new", PLATFORM_REPLACE, &err), ERR_IO);
    assert_non_null(strstr(err.msg, p.path));
    assert_non_null(strstr(err.hint, "open"));
    expect_content(p.path, "old");
    assert_int_equal(fixture_count(p.dir), 1);
    win32_close_auto(&handle);
    place_done(&p);
}

/* All of one letter, which is the process's own; how much of it varies. */
static int replace_many(const char *text)
{
    char *content = mem_calloc(CONTENT_MAX + 1, 1);

    for (size_t i = 0; i < ROUNDS; i++) {
        struct err err;

        memset(content, 'a' + (int)(GetCurrentProcessId() / 4 % 26), CONTENT_MAX);
        content[1 + i * (CONTENT_MAX / ROUNDS)] = '\0';
        if (write_text(text, content, i % 2 ? PLATFORM_REPLACE_UNSYNCED : PLATFORM_REPLACE, &err) != ERR_OK) {
            (void)fprintf(stderr, "%s\n", err.msg);
            return CHILD_FAILED;
        }
    }
    free(content);
    return CHILD_OK;
}

static bool is_whole(const struct buf *content)
{
    const char *text = buf_cstr(content);

    for (size_t i = 1; i < content->len; i++)
        if (text[i] != text[0])
            return false;
    return content->len > 0 && (content->len - 1) % (CONTENT_MAX / ROUNDS) == 0;
}

TEST(writers_side_by_side_all_succeed_and_readers_see_whole_files)
{
    struct place p;
    struct fixture_process *writers[WRITERS];
    size_t seen = 0;

    place_init(&p);
    fixture_write(p.path, "a");
    for (size_t i = 0; i < WRITERS; i++)
        writers[i] = fixture_process_start(replace_many, p.path);
    for (int i = 0; i < 60; i++) {
        struct buf AUTO_BUF now = BUF_INIT(CONTENT_MAX);
        struct err err;

        if (platform_file_read(p.path, &now, NULL, &err) != ERR_OK)
            fail_msg("%s", err.msg);
        assert_true(is_whole(&now));
        seen += now.len > 1;
        fixture_sleep_ms(10);
    }
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(fixture_process_end(writers[i]), CHILD_OK);
    assert_true(seen > 0);
    assert_int_equal(fixture_count(p.dir), 1);
    place_done(&p);
}

/* ------------------------------------------------------------------ faults */

/* The text is "<nth> <dir>": two files are replaced, and the process ends before the nth change. */
static int die_while_replacing(const char *text)
{
    const char *dir = strchr(text, ' ') + 1;
    char AUTO_FREE *number = mem_strndup(text, (size_t)(dir - text) - 1);
    char AUTO_FREE *a = fixture_path(dir, "a");
    char AUTO_FREE *b = fixture_path(dir, "b");
    const struct platform_file_write writes[] = {{.path = a, .data = "new", .len = 3},
                                                 {.path = b, .data = "new", .len = 3}};
    uint64_t nth;

    CHILD_CHECK(parse_uint(number, 1, 1000, &nth));
    faults_at((unsigned)nth, 0);
    CHILD_CHECK(platform_files_write(writes, 2, PLATFORM_REPLACE, NULL) == ERR_OK);
    return CHILD_OK;
}

static void expect_old_or_new(const char *dir, const char *name, bool is_done)
{
    char AUTO_FREE *path = fixture_path(dir, name);
    char AUTO_FREE *now = fixture_read(path);

    assert_non_null(now);
    assert_true(strcmp(now, "new") == 0 || (!is_done && strcmp(now, "old") == 0));
}

TEST(a_kill_before_any_step_leaves_each_file_old_or_new_and_what_else_is_there_is_swept)
{
    struct place p;
    int64_t later = clock_wall_ms(platform_clock()) + 600000;
    int status = -1;
    unsigned nth = 0;

    while (status != CHILD_OK) {
        char AUTO_FREE *a = NULL;
        char AUTO_FREE *b = NULL;
        char AUTO_FREE *text = NULL;

        place_init(&p);
        a = fixture_path(p.dir, "a");
        b = fixture_path(p.dir, "b");
        text = mem_printf("%u %s", ++nth, p.dir);
        fixture_write(a, "old");
        fixture_write(b, "old");
        status = fixture_process_end(fixture_process_start(die_while_replacing, text));
        assert_true(status == CHILD_OK || status == 9);
        expect_old_or_new(p.dir, "a", status == CHILD_OK);
        expect_old_or_new(p.dir, "b", status == CHILD_OK);
        platform_dir_sweep(p.dir, later, 1000);
        assert_int_equal(fixture_count(p.dir), 2);
        place_done(&p);
    }
    assert_int_equal(nth, 9); /* two times making, writing, flushing, moving; and then it lived */
}

static void fail_at(unsigned nth, enum platform_write_mode mode)
{
    struct place p;
    struct err err;
    enum err_code rc;

    place_init(&p);
    if (mode != PLATFORM_CREATE)
        fixture_write(p.path, "old");
    faults_at(nth, ERROR_DISK_FULL);
    rc = write_text(p.path, "new", mode, &err);
    assert_int_equal(rc, nth <= faults_changes() ? ERR_IO : ERR_OK);
    if (rc != ERR_OK) {
        assert_non_null(strstr(err.msg, p.dir));
        assert_non_null(strstr(err.hint, "Free some space"));
    }
    faults_at(0, 0);
    if (rc == ERR_OK || mode != PLATFORM_CREATE)
        expect_content(p.path, rc == ERR_OK ? "new" : "old");
    assert_int_equal(fixture_count(p.dir), rc == ERR_OK || mode != PLATFORM_CREATE);
    place_done(&p);
}

TEST(a_full_disk_is_an_error_with_advice_and_leaves_what_was_there)
{
    for (size_t i = 0; i < ARRAY_LEN(all_modes); i++)
        for (unsigned nth = 1; nth <= 5; nth++)
            fail_at(nth, all_modes[i]);
}

/* A virus scanner looks at what was just written. */
TEST(a_rename_that_is_refused_once_is_made_again)
{
    static const DWORD errors[] = {ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION};
    struct place p;

    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        place_init(&p);
        fixture_write(p.path, "old");
        faults_at(4, errors[i]);
        assert_int_equal(write_text(p.path, "new", PLATFORM_REPLACE, NULL), ERR_OK);
        assert_int_equal(faults_changes(), 5);
        faults_at(0, 0);
        expect_content(p.path, "new");
        place_done(&p);
    }
}

TEST(what_is_lazy_is_not_flushed_where_it_says_so)
{
    struct place p;

    place_init(&p);
    faults_fail(FAULT_FLUSH, ERROR_WRITE_FAULT);
    assert_int_equal(write_text(p.path, "x", PLATFORM_REPLACE_UNSYNCED, NULL), ERR_OK);
    assert_int_equal(write_text(p.path, "x", PLATFORM_REPLACE_LAZILY, NULL), ERR_IO);
    assert_int_equal(write_text(p.path, "x", PLATFORM_REPLACE, NULL), ERR_IO);
    faults_fail(FAULT_FLUSH, 0);
    assert_int_equal(fixture_count(p.dir), 1);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_of_writing_leaves_the_file_and_nothing_else),
        cmocka_unit_test(bytes_are_written_as_they_are_and_as_many_as_there_are),
        cmocka_unit_test(a_file_is_for_us_alone_unless_it_is_public_from_the_moment_it_is_made),
        cmocka_unit_test(of_several_files_all_are_created_or_none),
        cmocka_unit_test(names_in_other_scripts_and_long_paths_are_written_to),
        cmocka_unit_test(what_is_no_name_and_what_has_no_directory_is_an_error_with_the_path),
        cmocka_unit_test(a_directory_in_the_way_is_an_error_at_once),
        cmocka_unit_test(a_reader_delays_the_replacement_of_its_file),
        cmocka_unit_test(a_reader_that_never_ends_is_an_error_and_the_old_file_stays),
        cmocka_unit_test(writers_side_by_side_all_succeed_and_readers_see_whole_files),
        cmocka_unit_test(a_kill_before_any_step_leaves_each_file_old_or_new_and_what_else_is_there_is_swept),
        cmocka_unit_test(a_full_disk_is_an_error_with_advice_and_leaves_what_was_there),
        cmocka_unit_test(a_rename_that_is_refused_once_is_made_again),
        cmocka_unit_test(what_is_lazy_is_not_flushed_where_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
