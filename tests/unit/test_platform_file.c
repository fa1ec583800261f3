/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"
#include "util/text.h"

/* A directory with one file, "file", in it. */
struct place {
    char *dir;
    char *path;
};

static struct place place_new(const char *content)
{
    struct place p = {.dir = fixture_dir_new()};

    p.path = fixture_path(p.dir, "file");
    if (content)
        fixture_write(p.path, content);
    return p;
}

static void place_free(struct place *p)
{
    free(p->path);
    fixture_dir_free(p->dir);
}

static void expect_content(const char *path, const char *want)
{
    char *now = fixture_read(path);

    if (want)
        assert_string_equal(now, want);
    else
        assert_null(now);
    free(now);
}

/* ------------------------------------------------------------------ reading */

TEST(a_file_is_read_whole_up_to_the_maximum_and_not_a_byte_more)
{
    struct place p = place_new("12345");
    struct buf exact = BUF_INIT(5);
    struct buf small = BUF_INIT(4);
    struct err err;

    assert_int_equal(platform_file_read(p.path, &exact, NULL, &err), ERR_OK);
    assert_string_equal(buf_cstr(&exact), "12345");
    buf_puts(&small, "kept");
    assert_int_equal(platform_file_read(p.path, &small, NULL, &err), ERR_IO);
    assert_non_null(strstr(err.msg, p.path));
    assert_string_equal(buf_cstr(&small), "kept");
    buf_done(&exact);
    buf_done(&small);
    place_free(&p);
}

TEST(files_that_claim_to_be_empty_are_read_and_bounded_too)
{
    struct buf out = BUF_INIT(65536);
    struct buf small = BUF_INIT(3);

    if (!platform_file_exists("/proc/self/status"))
        skip();
    assert_int_equal(platform_file_read("/proc/self/status", &out, NULL, NULL), ERR_OK);
    assert_true(out.len > 100);
    assert_int_equal(platform_file_read("/proc/self/status", &small, NULL, NULL), ERR_IO);
    buf_done(&out);
    buf_done(&small);
}

TEST(what_is_no_regular_file_is_refused_without_waiting)
{
    struct place p;
    struct buf out = BUF_INIT(100);
    struct err err;

    fixture_needs(FIXTURE_FIFOS);
    p = place_new(NULL);
    fixture_fifo(p.path);
    assert_int_equal(platform_file_read(p.path, &out, NULL, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "not a regular file"));
    assert_int_equal(platform_file_read(p.dir, &out, NULL, &err), ERR_IO);
    assert_int_equal(platform_file_read("/dev/null", &out, NULL, &err), ERR_IO);
    buf_done(&out);
    place_free(&p);
}

TEST(an_absent_file_is_not_found)
{
    struct place p = place_new("x");
    char *below = fixture_path(p.path, "below");
    char *other = fixture_path(p.dir, "other");
    struct buf out = BUF_INIT(100);

    assert_int_equal(platform_file_read(other, &out, NULL, NULL), ERR_NOT_FOUND);
    assert_int_equal(platform_file_read(below, &out, NULL, NULL), ERR_NOT_FOUND);
    assert_false(platform_file_exists(other));
    assert_true(platform_file_exists(p.path));
    free(below);
    free(other);
    buf_done(&out);
    place_free(&p);
}

TEST(exposure_is_that_of_the_file_behind_a_symbolic_link)
{
    static const struct {
        unsigned mode;
        enum platform_exposure want;
    } cases[] = {
        {0600, PLATFORM_PRIVATE},        {0400, PLATFORM_PRIVATE},        {0640, PLATFORM_GROUP_READABLE},
        {0440, PLATFORM_GROUP_READABLE}, {0644, PLATFORM_WORLD_READABLE}, {0604, PLATFORM_WORLD_READABLE},
        {0622, PLATFORM_PRIVATE},
    };
    struct place p = place_new("secret");
    char *link = fixture_path(p.dir, "link");
    const char *path = fixture_can(FIXTURE_SYMLINKS) ? link : p.path;

    if (path == link)
        fixture_symlink("file", link);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(100);
        struct platform_file_info info;

        fixture_chmod(p.path, cases[i].mode);
        assert_int_equal(platform_file_read(path, &out, &info, NULL), ERR_OK);
        if (cases[i].want != PLATFORM_GROUP_READABLE || fixture_can(FIXTURE_GROUPS))
            assert_int_equal(info.exposure, cases[i].want);
        assert_int_equal(info.mode, fixture_has(FIXTURE_MODES) ? cases[i].mode : 0);
        assert_true(info.owner_is_trusted);
        buf_done(&out);
    }
    free(link);
    place_free(&p);
}

TEST(a_stranger_as_owner_is_not_trusted)
{
    struct place p;
    struct buf out = BUF_INIT(100);
    struct platform_file_info info;

    fixture_needs(FIXTURE_OWNERS);
    p = place_new("secret");
    fixture_chown(p.path, 4711, 4711);
    assert_int_equal(platform_file_read(p.path, &out, &info, NULL), ERR_OK);
    assert_false(info.owner_is_trusted);
    buf_done(&out);
    place_free(&p);
}

static int read_without_permission(void *context)
{
    struct place *p = context;
    struct buf out = BUF_INIT(100);
    struct err err;

    CHILD_CHECK(fixture_drop_root());
    CHILD_CHECK(platform_file_read(p->path, &out, NULL, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "ermission denied") && strstr(err.hint, "user id"));
    return CHILD_OK;
}

TEST(a_file_that_may_not_be_read_is_an_error_that_says_who_we_are)
{
    struct place p;

    fixture_needs(FIXTURE_FAULTS);
    p = place_new("secret");
    fixture_chmod(p.path, 0);
    fixture_in_child(read_without_permission, &p);
    place_free(&p);
}

/* ------------------------------------------------------------------ writing */

TEST(replace_makes_private_files_and_leaves_nothing_behind)
{
    struct place p = place_new(NULL);
    char *large = mem_calloc(300001, 1);
    struct buf out = BUF_INIT(400000);

    assert_int_equal(platform_file_replace(p.path, "one", 3, NULL), ERR_OK);
    expect_content(p.path, "one");
    assert_int_equal(platform_file_replace(p.path, "second", 6, NULL), ERR_OK);
    expect_content(p.path, "second");
    fixture_expect_mode(p.path, 0600);
    memset(large, 'x', 300000);
    assert_int_equal(platform_file_replace(p.path, large, 300000, NULL), ERR_OK);
    assert_int_equal(platform_file_read(p.path, &out, NULL, NULL), ERR_OK);
    assert_string_equal(buf_cstr(&out), large);
    assert_int_equal(platform_file_replace(p.path, "", 0, NULL), ERR_OK);
    expect_content(p.path, "");
    assert_int_equal(fixture_count(p.dir), 1);
    buf_done(&out);
    free(large);
    place_free(&p);
}

TEST(replace_takes_the_place_of_a_symbolic_link_and_not_of_its_target)
{
    struct place p;
    char *link;
    struct platform_path_info info;

    fixture_needs(FIXTURE_SYMLINKS);
    p = place_new("target");
    link = fixture_path(p.dir, "link");
    fixture_symlink("file", link);
    assert_int_equal(platform_file_replace(link, "new", 3, NULL), ERR_OK);
    expect_content(p.path, "target");
    expect_content(link, "new");
    assert_int_equal(platform_path_look(link, &info, NULL), ERR_OK);
    assert_int_equal(info.kind, PLATFORM_PATH_FILE);
    free(link);
    place_free(&p);
}

TEST(relative_names_work)
{
    char *dir = fixture_dir_new();

    fixture_chdir(dir);
    assert_int_equal(platform_file_replace("here", "x", 1, NULL), ERR_OK);
    expect_content("here", "x");
    assert_int_equal(platform_file_remove("here", NULL), ERR_OK);
    assert_int_equal(fixture_count("."), 0);
    fixture_chdir(NULL);
    fixture_dir_free(dir);
}

TEST(create_does_not_touch_what_exists)
{
    struct place p = place_new(NULL);
    struct err err;

    assert_int_equal(platform_file_create(p.path, "first", 5, &err), ERR_OK);
    assert_int_equal(platform_file_create(p.path, "second", 6, &err), ERR_EXISTS);
    assert_non_null(strstr(err.msg, p.path));
    expect_content(p.path, "first");
    assert_int_equal(fixture_count(p.dir), 1);
    place_free(&p);
}

TEST(remove_of_what_is_not_there_is_success)
{
    struct place p = place_new("x");

    assert_int_equal(platform_file_remove(p.path, NULL), ERR_OK);
    assert_int_equal(platform_file_remove(p.path, NULL), ERR_OK);
    assert_int_equal(platform_file_remove(p.dir, NULL), ERR_IO);
    assert_int_equal(fixture_count(p.dir), 0);
    place_free(&p);
}

#define MANY 200 /* more than are open at once */

/* `count` files "0", "1", ... of `dir` with their own names as content. */
struct many {
    struct platform_file_write writes[MANY];
    struct strlist texts;
};

static void many_init(struct many *m, const char *dir)
{
    *m = (struct many){.texts = {NULL, 0}};
    for (size_t i = 0; i < MANY; i++) {
        char *name = mem_printf("%zu", i);
        char *path = fixture_path(dir, name);

        strlist_add_take(&m->texts, name);
        strlist_add_take(&m->texts, path);
        m->writes[i] = (struct platform_file_write){.path = path, .data = name, .len = strlen(name)};
    }
}

TEST(many_files_are_written_at_once)
{
    static const enum platform_write_mode modes[] = {PLATFORM_CREATE, PLATFORM_REPLACE, PLATFORM_REPLACE_LAZILY,
                                                     PLATFORM_REPLACE_UNSYNCED};
    char *dir = fixture_dir_new();
    struct many m;

    many_init(&m, dir);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        assert_int_equal(platform_files_write(m.writes, MANY, modes[i], NULL), ERR_OK);
        assert_int_equal(fixture_count(dir), MANY);
        expect_content(m.writes[0].path, "0");
        expect_content(m.writes[MANY - 1].path, "199");
    }
    assert_int_equal(platform_files_write(NULL, 0, PLATFORM_CREATE, NULL), ERR_OK);
    strlist_done(&m.texts);
    fixture_dir_free(dir);
}

TEST(of_many_new_files_all_or_none_are_made)
{
    char *dir = fixture_dir_new();
    struct many m;

    many_init(&m, dir);
    fixture_write(m.writes[150].path, "was here");
    assert_int_equal(platform_files_write(m.writes, MANY, PLATFORM_CREATE, NULL), ERR_EXISTS);
    assert_int_equal(fixture_count(dir), 1);
    expect_content(m.writes[150].path, "was here");
    strlist_done(&m.texts);
    fixture_dir_free(dir);
}

/* ------------------------------------------------------------------ faults */

struct fault {
    struct place place;
    enum fixture_call call;
    int errnum;
};

static int create_with_odd_rename(void *context)
{
    const struct fault *f = context;
    struct err err;

    if (!fixture_fail(f->call, f->errnum))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_file_create(f->place.path, "first", 5, &err) == ERR_OK);
    CHILD_CHECK(platform_file_create(f->place.path, "second", 6, &err) == ERR_EXISTS);
    return CHILD_OK;
}

TEST(create_works_where_rename_cannot_be_told_to_spare_what_exists)
{
    static const int errnums[] = {EINVAL, ENOSYS};

    fixture_needs(FIXTURE_FAULTS);
    for (size_t i = 0; i < ARRAY_LEN(errnums); i++) {
        struct fault f = {.place = place_new(NULL), .call = CALL_RENAME_NEW, .errnum = errnums[i]};

        if (fixture_in_child(create_with_odd_rename, &f)) {
            expect_content(f.place.path, "first");
            assert_int_equal(fixture_count(f.place.dir), 1);
        }
        place_free(&f.place);
    }
}

static int replace_with_fault(void *context)
{
    const struct fault *f = context;
    struct err err;

    if (!fixture_fail(f->call, f->errnum))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_file_replace(f->place.path, "new", 3, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, f->place.path) && strstr(err.msg, strerror(f->errnum)));
    CHILD_CHECK(f->errnum != ENOSPC || strstr(err.hint, "Free some space"));
    return CHILD_OK;
}

static int write_without_a_sync(void *context)
{
    const struct fault *f = context;
    const struct platform_file_write write = {.path = f->place.path, .data = "new", .len = 3};

    if (!fixture_fail(CALL_FSYNC, EIO))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_files_write(&write, 1, PLATFORM_REPLACE_LAZILY, NULL) == ERR_IO);
    CHILD_CHECK(platform_files_write(&write, 1, PLATFORM_REPLACE_UNSYNCED, NULL) == ERR_OK);
    return CHILD_OK;
}

TEST(what_need_not_survive_a_power_failure_is_not_synced)
{
    struct fault f = {.place = place_new("old")};

    fixture_needs(FIXTURE_FAULTS);
    if (fixture_in_child(write_without_a_sync, &f))
        expect_content(f.place.path, "new");
    assert_int_equal(fixture_count(f.place.dir), 1);
    place_free(&f.place);
}

TEST(whatever_fails_in_a_write_the_old_file_stays_and_nothing_else)
{
    static const struct {
        enum fixture_call call;
        int errnum;
    } cases[] = {{CALL_WRITE, ENOSPC}, {CALL_WRITE, EIO},     {CALL_FSYNC, EIO},
                 {CALL_FSYNC, ENOSPC}, {CALL_RENAME, EACCES}, {CALL_RENAME, EROFS}};

    fixture_needs(FIXTURE_FAULTS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fault f = {.place = place_new("old"), .call = cases[i].call, .errnum = cases[i].errnum};

        fixture_in_child(replace_with_fault, &f);
        expect_content(f.place.path, "old");
        assert_int_equal(fixture_count(f.place.dir), 1);
        place_free(&f.place);
    }
}

static int replace_and_die(void *context)
{
    const struct fault *f = context;

    if (!fixture_fail(f->call, 0))
        return CHILD_CANNOT;
    (void)!platform_file_replace(f->place.path, "new", 3, NULL);
    return CHILD_FAILED;
}

TEST(a_kill_at_any_step_leaves_the_old_file_and_at_worst_a_temporary_one_that_is_swept)
{
    static const enum fixture_call steps[] = {CALL_WRITE, CALL_FSYNC, CALL_RENAME};

    fixture_needs(FIXTURE_FAULTS);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct fault f = {.place = place_new("old"), .call = steps[i]};
        int64_t now_ms = clock_wall_ms(platform_clock());
        size_t left = fixture_child_is_killed(replace_and_die, &f) ? 2 : 1;

        expect_content(f.place.path, "old");
        assert_int_equal(fixture_count(f.place.dir), left);
        platform_dir_sweep(f.place.dir, now_ms, 3600000);
        assert_int_equal(fixture_count(f.place.dir), left);
        platform_dir_sweep(f.place.dir, now_ms + 3660000, 3600000);
        assert_int_equal(fixture_count(f.place.dir), 1);
        expect_content(f.place.path, "old");
        place_free(&f.place);
    }
}

static int fill_up_with_new_files(const char *dir)
{
    struct many m;

    many_init(&m, dir);
    CHILD_CHECK(platform_files_write(m.writes, MANY, PLATFORM_CREATE, NULL) == ERR_IO);
    CHILD_CHECK(fixture_count(dir) == 1);
    strlist_done(&m.texts);
    return CHILD_OK;
}

static int write_to_full_disk(void *context)
{
    const char *dir = context;
    char *path = fixture_path(dir, "file");
    static char large[200000];
    struct err err;

    if (!fixture_mount(dir, "size=64k"))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_file_replace(path, "old", 3, &err) == ERR_OK);
    CHILD_CHECK(platform_file_replace(path, large, sizeof large, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "No space left") && strstr(err.hint, "Free some space"));
    expect_content(path, "old");
    CHILD_CHECK(fixture_count(dir) == 1);
    CHILD_CHECK(fill_up_with_new_files(dir) == CHILD_OK);
    CHILD_CHECK(platform_file_replace(path, "new", 3, &err) == ERR_OK);
    CHILD_CHECK(fixture_remount_read_only(dir));
    CHILD_CHECK(platform_file_replace(path, "newer", 5, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "Read-only") && strstr(err.hint, "read-only"));
    CHILD_CHECK(platform_file_remove(path, &err) == ERR_IO);
    free(path);
    return CHILD_OK;
}

TEST(full_and_read_only_file_systems_are_named_as_such)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_in_child(write_to_full_disk, dir);
    fixture_dir_free(dir);
}

TEST(a_public_file_may_be_read_by_everybody_whatever_the_umask)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "metrics.prom");
    const struct platform_file_write write = {.path = path, .data = "x 1\n", .len = 4, .is_public = true};
    unsigned old = fixture_umask(077);

    for (int i = 0; i < 2; i++) {
        assert_int_equal(platform_files_write(&write, 1, PLATFORM_REPLACE_LAZILY, NULL), ERR_OK);
        fixture_expect_mode(path, 0644);
        fixture_chmod(path, 0600);
    }
    (void)fixture_umask(old);
    assert_int_equal(fixture_count(dir), 1);
    free(path);
    fixture_dir_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole_up_to_the_maximum_and_not_a_byte_more),
        cmocka_unit_test(files_that_claim_to_be_empty_are_read_and_bounded_too),
        cmocka_unit_test(what_is_no_regular_file_is_refused_without_waiting),
        cmocka_unit_test(an_absent_file_is_not_found),
        cmocka_unit_test(exposure_is_that_of_the_file_behind_a_symbolic_link),
        cmocka_unit_test(a_stranger_as_owner_is_not_trusted),
        cmocka_unit_test(a_file_that_may_not_be_read_is_an_error_that_says_who_we_are),
        cmocka_unit_test(replace_makes_private_files_and_leaves_nothing_behind),
        cmocka_unit_test(replace_takes_the_place_of_a_symbolic_link_and_not_of_its_target),
        cmocka_unit_test(relative_names_work),
        cmocka_unit_test(create_does_not_touch_what_exists),
        cmocka_unit_test(remove_of_what_is_not_there_is_success),
        cmocka_unit_test(many_files_are_written_at_once),
        cmocka_unit_test(of_many_new_files_all_or_none_are_made),
        cmocka_unit_test(create_works_where_rename_cannot_be_told_to_spare_what_exists),
        cmocka_unit_test(what_need_not_survive_a_power_failure_is_not_synced),
        cmocka_unit_test(whatever_fails_in_a_write_the_old_file_stays_and_nothing_else),
        cmocka_unit_test(a_kill_at_any_step_leaves_the_old_file_and_at_worst_a_temporary_one_that_is_swept),
        cmocka_unit_test(full_and_read_only_file_systems_are_named_as_such),
        cmocka_unit_test(a_public_file_may_be_read_by_everybody_whatever_the_umask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
