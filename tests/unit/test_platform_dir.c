/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

TEST(directories_are_made_with_their_parents_private_and_again_without_harm)
{
    char *dir = fixture_dir_new();
    char *deep = fixture_path(dir, "a/b//c");
    char *made = fixture_path(dir, "a/b");

    assert_int_equal(platform_dir_make(deep, NULL), ERR_OK);
    assert_int_equal(platform_dir_make(deep, NULL), ERR_OK);
    fixture_expect_mode(made, 0700);
    fixture_expect_mode(dir, 0755);
    free(made);
    free(deep);
    fixture_dir_free(dir);
}

TEST(a_file_in_the_way_is_named)
{
    char *dir = fixture_dir_new();
    char *file = fixture_path(dir, "file");
    char *below = fixture_path(dir, "file/below");
    struct err err;

    fixture_write(file, "x");
    assert_int_equal(platform_dir_make(below, &err), ERR_IO);
    assert_non_null(strstr(err.msg, file));
    assert_int_equal(platform_dir_make(file, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "no directory"));
    free(below);
    free(file);
    fixture_dir_free(dir);
}

TEST(a_listing_is_sorted_and_complete)
{
    char *dir = fixture_dir_new();
    struct strlist names = {NULL, 0};

    assert_int_equal(platform_dir_list(dir, &names, NULL), ERR_OK);
    assert_int_equal(names.count, 0);
    for (int i = 499; i >= 0; i--) {
        char *name = mem_printf("f%03d", i);
        char *path = fixture_path(dir, name);

        fixture_write(path, "");
        free(path);
        free(name);
    }
    assert_int_equal(platform_dir_list(dir, &names, NULL), ERR_OK);
    assert_int_equal(names.count, 500);
    for (size_t i = 0; i < names.count; i++) {
        char *want = mem_printf("f%03zu", i);

        assert_string_equal(names.items[i], want);
        free(want);
    }
    strlist_done(&names);
    fixture_dir_free(dir);
}

TEST(a_listing_of_what_is_not_there_or_no_directory_fails)
{
    char *dir = fixture_dir_new();
    char *none = fixture_path(dir, "none");
    char *file = fixture_path(dir, "file");
    struct strlist names = {NULL, 0};

    fixture_write(file, "");
    assert_int_equal(platform_dir_list(none, &names, NULL), ERR_NOT_FOUND);
    assert_int_equal(platform_dir_list(file, &names, NULL), ERR_IO);
    assert_null(names.items);
    free(file);
    free(none);
    fixture_dir_free(dir);
}

TEST(only_old_temporary_files_of_ours_are_swept)
{
    static const struct {
        const char *name;
        int age_s;
        bool goes;
    } files[] = {
        {".acme-dme-0123456789abcdef.tmp", 7200, true},
        {".acme-dme-0123456789abcdee.tmp", 60, false},
        {"acme-dme-0123.tmp", 7200, false},
        {".acme-dme-0123", 7200, false},
        {"other.json", 7200, false},
    };
    char *dir = fixture_dir_new();
    char *sub = fixture_path(dir, ".acme-dme-dir.tmp");
    int64_t now_ms = clock_wall_ms(platform_clock());

    fixture_mkdir(sub, 0700);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = fixture_path(dir, files[i].name);

        fixture_write(path, "");
        fixture_touch(path, now_ms / 1000 - files[i].age_s);
        free(path);
    }
    platform_dir_sweep(dir, now_ms, 3600000);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = fixture_path(dir, files[i].name);

        assert_int_equal(platform_file_exists(path), !files[i].goes);
        free(path);
    }
    assert_true(platform_file_exists(sub));
    platform_dir_sweep("/does/not/exist", now_ms, 0);
    free(sub);
    fixture_dir_free(dir);
}

TEST(an_inspection_tells_who_else_can_write)
{
    char *dir = fixture_dir_new();
    struct platform_dir_info info;

    assert_int_equal(platform_dir_inspect(dir, &info, NULL), ERR_OK);
    assert_int_equal(info.access, PLATFORM_DIR_WRITABLE);
    assert_true(info.owner_is_trusted);
    assert_false(info.others_can_write);
    assert_int_equal(info.mode, fixture_has(FIXTURE_MODES) ? 0755 : 0);
    if (fixture_can(FIXTURE_GROUPS)) {
        fixture_chmod(dir, 0775);
        assert_int_equal(platform_dir_inspect(dir, &info, NULL), ERR_OK);
        assert_true(info.others_can_write);
    }
    fixture_chmod(dir, 01707);
    assert_int_equal(platform_dir_inspect(dir, &info, NULL), ERR_OK);
    assert_true(info.others_can_write);
    fixture_dir_free(dir);
    assert_int_equal(platform_dir_inspect("/does/not/exist", &info, NULL), ERR_NOT_FOUND);
    if (fixture_can(FIXTURE_FIFOS))
        assert_int_equal(platform_dir_inspect("/dev/null", &info, NULL), ERR_IO);
}

static int inspect_unwritable(void *context)
{
    const char *dir = context;
    struct platform_dir_info info;

    fixture_chmod(dir, 0555);
    CHILD_CHECK(fixture_drop_root());
    CHILD_CHECK(platform_dir_inspect(dir, &info, NULL) == ERR_OK);
    CHILD_CHECK(info.access == PLATFORM_DIR_DENIED);
    return CHILD_OK;
}

static int inspect_read_only(void *context)
{
    const char *dir = context;
    struct platform_dir_info info;

    if (!fixture_mount(dir, "size=64k") || !fixture_remount_read_only(dir))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_dir_inspect(dir, &info, NULL) == ERR_OK);
    CHILD_CHECK(info.access == PLATFORM_DIR_READ_ONLY);
    return CHILD_OK;
}

TEST(no_permission_and_a_read_only_mount_are_told_apart)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_in_child(inspect_unwritable, dir);
    fixture_in_child(inspect_read_only, dir);
    fixture_chmod(dir, 0755);
    fixture_dir_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_are_made_with_their_parents_private_and_again_without_harm),
        cmocka_unit_test(a_file_in_the_way_is_named),
        cmocka_unit_test(a_listing_is_sorted_and_complete),
        cmocka_unit_test(a_listing_of_what_is_not_there_or_no_directory_fails),
        cmocka_unit_test(only_old_temporary_files_of_ours_are_swept),
        cmocka_unit_test(an_inspection_tells_who_else_can_write),
        cmocka_unit_test(no_permission_and_a_read_only_mount_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
