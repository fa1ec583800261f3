/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "store/internal.h"
#include "store/store.h"
#include "test.h"

static enum err_code open_store(const char *dir, struct store **out, struct err *err)
{
    return store_open(dir, platform_clock(), NULL, out, err);
}

static void expect_refused_naming(const char *dir, const char *why, const char *named)
{
    struct store *store = NULL;
    struct err err;

    assert_int_equal(open_store(dir, &store, &err), ERR_IO);
    assert_null(store);
    if (!strstr(err.msg, why) || !strstr(err.msg, named))
        fail_msg("\"%s\" does not say \"%s\" of \"%s\"", err.msg, why, named);
    assert_true(strlen(err.hint) > 0);
}

static void expect_refused(const char *dir, const char *why)
{
    expect_refused_naming(dir, why, dir);
}

TEST(a_state_directory_is_made_private_and_opened_again)
{
    char *base = fixture_dir_new();
    char *dir = fixture_path(base, "deep/state");
    char *journal = fixture_path(dir, "journal");

    for (int i = 0; i < 2; i++) {
        struct store *store = NULL;

        assert_int_equal(open_store(dir, &store, NULL), ERR_OK);
        assert_string_equal(store_dir(store), dir);
        store_free(store);
    }
    store_free(NULL);
    fixture_expect_mode(dir, 0700);
    fixture_expect_mode(journal, 0700);
    free(journal);
    free(dir);
    fixture_dir_free(base);
}

TEST(opening_for_reading_makes_and_changes_nothing)
{
    char *base = fixture_dir_new();
    char *dir = fixture_path(base, "state");
    struct store *store = NULL;
    struct err err;

    assert_int_equal(store_open_readonly(dir, platform_clock(), NULL, &store, &err), ERR_NOT_FOUND);
    assert_null(store);
    assert_non_null(strstr(err.msg, dir));
    assert_non_null(strstr(err.hint, "state_dir"));
    assert_int_equal(fixture_count(base), 0);

    fixture_mkdir(dir, 0777);
    fixture_chmod(dir, 0777); /* what store_open() refuses */
    assert_int_equal(store_open_readonly(dir, platform_clock(), NULL, &store, &err), ERR_OK);
    assert_string_equal(store_dir(store), dir);
    assert_int_equal(fixture_count(dir), 0);
    store_free(store);
    free(dir);
    fixture_dir_free(base);
}

TEST(opening_for_reading_fails_on_what_is_no_directory)
{
    char *base = fixture_dir_new();
    char *file = fixture_path(base, "file");
    struct store *store = NULL;

    fixture_write(file, "");
    assert_int_equal(store_open_readonly(file, platform_clock(), NULL, &store, NULL), ERR_IO);
    assert_null(store);
    free(file);
    fixture_dir_free(base);
}

TEST(a_symbolic_link_to_a_state_directory_is_followed)
{
    char *base;
    char *real;
    char *link;
    char *journal;
    struct store *store = NULL;

    fixture_needs(FIXTURE_SYMLINKS);
    base = fixture_dir_new();
    real = fixture_path(base, "real");
    link = fixture_path(base, "link");
    journal = fixture_path(real, "journal");
    fixture_mkdir(real, 0700);
    fixture_symlink("real", link);
    assert_int_equal(open_store(link, &store, NULL), ERR_OK);
    assert_true(platform_file_exists(journal));
    store_free(store);
    free(journal);
    free(link);
    free(real);
    fixture_dir_free(base);
}

TEST(what_is_no_directory_is_refused)
{
    char *base = fixture_dir_new();
    char *file = fixture_path(base, "file");
    char *below = fixture_path(base, "file/state");
    char *dangling = fixture_path(base, "dangling");

    fixture_write(file, "");
    expect_refused(file, "not a directory");
    /* Windows names what stands in the way. */
    expect_refused_naming(below, "", fixture_here(below, file));
    if (fixture_can(FIXTURE_SYMLINKS)) {
        fixture_symlink("nowhere", dangling);
        expect_refused(dangling, "");
    }
    free(dangling);
    free(below);
    free(file);
    fixture_dir_free(base);
}

TEST(a_directory_that_others_can_write_to_is_refused_with_the_chmod_to_run)
{
    static const unsigned modes[] = {0770, 0702, 01777};
    char *dir = fixture_dir_new();
    char AUTO_FREE *native = platform_path_native(dir);

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct store *store = NULL;
        struct err err;

        if ((modes[i] & 0002) == 0 && !fixture_can(FIXTURE_GROUPS))
            continue;
        fixture_chmod(dir, modes[i]);
        assert_int_equal(open_store(dir, &store, &err), ERR_IO);
        assert_non_null(strstr(err.msg, "others can write"));
        assert_non_null(strstr(err.hint, fixture_here("chmod go-w", "icacls")));
        assert_non_null(strstr(err.hint, native));
    }
    fixture_dir_free(dir);
}

TEST(a_directory_inside_that_others_can_write_to_is_refused_too)
{
    char *dir = fixture_dir_new();
    char *journal = fixture_path(dir, "journal");

    fixture_mkdir(journal, 0700);
    fixture_chmod(journal, 0777);
    expect_refused(dir, "others can write");
    free(journal);
    fixture_dir_free(dir);
}

TEST(a_directory_of_another_user_is_refused)
{
    char *dir = fixture_dir_new();

    if (fixture_has(FIXTURE_OWNERS)) {
        fixture_chown(dir, 4711, 4711);
        expect_refused(dir, "another user");
    }
    fixture_dir_free(dir);
}

static int open_without_permission(void *context)
{
    const char *dir = context;
    char *below = fixture_path(dir, "state");
    struct store *store = NULL;
    struct err err;

    fixture_chmod(dir, 0555);
    CHILD_CHECK(fixture_drop_root());
    CHILD_CHECK(open_store(dir, &store, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "permission") && strstr(err.hint, "state_dir") && strstr(err.hint, "journal: none"));
    CHILD_CHECK(open_store(below, &store, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "ermission denied") && strstr(err.hint, "journal: none"));
    free(below);
    return CHILD_OK;
}

static int open_read_only(void *context)
{
    const char *dir = context;
    struct store *store = NULL;
    struct err err;

    if (!fixture_mount(dir, "size=64k,mode=700"))
        return CHILD_CANNOT;
    CHILD_CHECK(open_store(dir, &store, &err) == ERR_OK);
    store_free(store);
    CHILD_CHECK(fixture_remount_read_only(dir));
    CHILD_CHECK(open_store(dir, &store, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "read-only") && strstr(err.hint, "\"state_dir\"") &&
                strstr(err.hint, "\"journal: none\""));
    return CHILD_OK;
}

TEST(a_directory_that_cannot_be_written_to_is_refused_with_the_way_out)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_in_child(open_without_permission, dir);
    fixture_chmod(dir, 0755);
    fixture_in_child(open_read_only, dir);
    fixture_dir_free(dir);
}

TEST(temporary_files_of_killed_runs_are_swept_on_opening)
{
    char *dir = fixture_dir_new();
    char *journal = fixture_path(dir, "journal");
    char *temp = fixture_path(dir, "journal/.acme-dme-0011223344556677.tmp");
    struct store *store = NULL;

    fixture_mkdir(journal, 0700);
    fixture_write(temp, "half");
    assert_int_equal(open_store(dir, &store, NULL), ERR_OK);
    store_free(store);
    assert_true(platform_file_exists(temp));
    fixture_touch(temp, 1000000000);
    assert_int_equal(open_store(dir, &store, NULL), ERR_OK);
    store_free(store);
    assert_false(platform_file_exists(temp));
    free(temp);
    free(journal);
    fixture_dir_free(dir);
}

TEST(locks_of_different_names_are_different_and_stay_inside)
{
    static const char *const names[] = {"sweep", "zone example.com", "../../etc/x", "", ".", "A", "a"};
    char *dir = fixture_dir_new();
    char *lock_dir = fixture_path(dir, "lock");
    struct platform_lock *locks[ARRAY_LEN(names)];
    struct store *store = NULL;

    assert_int_equal(open_store(dir, &store, NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct platform_lock *second = NULL;

        assert_int_equal(store_lock(store, names[i], 0, &locks[i], NULL), ERR_OK);
        assert_int_equal(store_lock(store, names[i], 0, &second, NULL), ERR_LOCK);
    }
    assert_int_equal(fixture_count(lock_dir), ARRAY_LEN(names));
    assert_int_equal(fixture_count(dir), 3);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        platform_lock_free(locks[i]);
    store_free(store);
    free(lock_dir);
    fixture_dir_free(dir);
}

static void expect_file_name(const char *const *parts, size_t count, const char *start)
{
    char *name = store_file_name(parts, count);
    size_t len = strlen(name);

    assert_true(len > 0 && len <= 120);
    assert_memory_equal(name, start, strlen(start));
    assert_null(strchr(name, '/'));
    assert_true(name[0] != '.');
    assert_true(platform_name_is_possible(name));
    free(name);
}

TEST(file_names_are_readable_safe_and_bounded)
{
    char *huge = mem_calloc(1001, 1);
    const char *parts[] = {"example.com", "https://api.dnsmadeeasy.com/V2.0/", "production"};
    char *a;
    char *b;

    memset(huge, 'x', 1000);
    expect_file_name((const char *const[]){"sweep"}, 1, "sweep");
    expect_file_name(parts, 3, "example.com-");
    expect_file_name((const char *const[]){huge}, 1, "xxxx");
    expect_file_name((const char *const[]){"../\xff\n*/.."}, 1, "_.");
    expect_file_name((const char *const[]){""}, 1, "-");
    /* a device of Windows */
    expect_file_name((const char *const[]){"con.example.com", "x"}, 2,
                     platform_name_is_possible("con.example.com") ? "con.example.com-" : "_con.example.com-");
    a = store_file_name((const char *const[]){"z", "ab", "c"}, 3);
    b = store_file_name((const char *const[]){"z", "a", "bc"}, 3);
    assert_string_not_equal(a, b);
    free(a);
    free(b);
    free(huge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_directory_is_made_private_and_opened_again),
        cmocka_unit_test(opening_for_reading_makes_and_changes_nothing),
        cmocka_unit_test(opening_for_reading_fails_on_what_is_no_directory),
        cmocka_unit_test(a_symbolic_link_to_a_state_directory_is_followed),
        cmocka_unit_test(what_is_no_directory_is_refused),
        cmocka_unit_test(a_directory_that_others_can_write_to_is_refused_with_the_chmod_to_run),
        cmocka_unit_test(a_directory_inside_that_others_can_write_to_is_refused_too),
        cmocka_unit_test(a_directory_of_another_user_is_refused),
        cmocka_unit_test(a_directory_that_cannot_be_written_to_is_refused_with_the_way_out),
        cmocka_unit_test(temporary_files_of_killed_runs_are_swept_on_opening),
        cmocka_unit_test(locks_of_different_names_are_different_and_stay_inside),
        cmocka_unit_test(file_names_are_readable_safe_and_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
