/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

/* A tree as certbot makes it. */
static char *tree_new(void)
{
    static const char *const dirs[] = {"live", "live/b.example", "live/a.example", "live/.hidden", "empty", "odd[1]"};
    static const char *const files[] = {
        "live/README",           "live/a.example/cert.pem", "live/a.example/privkey.pem", "live/b.example/cert.pem",
        "live/.hidden/cert.pem", "odd[1]/cert.pem"};
    char *dir = fixture_dir_new();

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        char AUTO_FREE *path = fixture_path(dir, dirs[i]);

        fixture_mkdir(path, 0700);
    }
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char AUTO_FREE *path = fixture_path(dir, files[i]);

        fixture_write(path, "");
    }
    if (fixture_can(FIXTURE_ANY_NAME)) {
        char AUTO_FREE *path = fixture_path(dir, "odd[1]/*.pem");

        fixture_write(path, "");
    }
    return dir;
}

/* What a pattern below the directory finds, with "\n" behind each; the directory itself is left out. */
static char *found(const char *dir, const char *pattern)
{
    char AUTO_FREE *whole = fixture_path(dir, pattern);
    struct strlist AUTO_STRLIST paths = {NULL, 0};
    struct strlist AUTO_STRLIST unreadable = {NULL, 0};
    struct buf AUTO_BUF out = BUF_INIT(100000);

    platform_file_glob(whole, &paths, &unreadable);
    assert_int_equal(unreadable.count, 0);
    for (size_t i = 0; i < paths.count; i++) {
        assert_true(strncmp(paths.items[i], dir, strlen(dir)) == 0);
        buf_printf(&out, "%s\n", paths.items[i] + strlen(dir) + 1);
    }
    return buf_take(&out);
}

TEST(patterns_name_the_files_that_fit_in_order)
{
    static const char *const table[][2] = {
        {"live/*/cert.pem", "live/a.example/cert.pem\nlive/b.example/cert.pem\n"},
        {"live/?.example/cert.pem", "live/a.example/cert.pem\nlive/b.example/cert.pem\n"},
        {"live/[b-z]*/*.pem", "live/b.example/cert.pem\n"},
        {"*/a.example/*.pem", "live/a.example/cert.pem\nlive/a.example/privkey.pem\n"},
        {"live//*//cert.pem", "live//a.example//cert.pem\nlive//b.example//cert.pem\n"},
        {"live/.h*/cert.pem", "live/.hidden/cert.pem\n"},
        {"live/*/none.pem", ""},
        {"none/*/cert.pem", ""},
        {"empty/*", ""},
        {"live/README/*", ""},
        {"live/*", "live/README\nlive/a.example\nlive/b.example\n"},
    };
    char *dir = tree_new();

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *got = found(dir, table[i][0]);

        assert_string_equal(got, table[i][1]);
    }
    fixture_dir_free(dir);
}

TEST(paths_that_are_no_pattern_or_exist_as_they_are_name_themselves)
{
    static const char *const table[][2] = {
        {"live/a.example/cert.pem", "live/a.example/cert.pem\n"},
        {"not/there.pem", "not/there.pem\n"},
        {"odd[1]/cert.pem", "odd[1]/cert.pem\n"},
        {"odd[[]1]/c*", "odd[1]/cert.pem\n"},
    };
    char *dir = tree_new();

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *got = found(dir, table[i][0]);

        assert_string_equal(got, table[i][1]);
    }
    if (fixture_has(FIXTURE_ANY_NAME)) {
        char AUTO_FREE *got = found(dir, "odd[1]/*.pem");

        assert_string_equal(got, "odd[1]/*.pem\n");
    }
    fixture_dir_free(dir);
}

TEST(a_relative_pattern_is_looked_for_in_the_current_directory)
{
    char *dir = tree_new();
    struct strlist AUTO_STRLIST paths = {NULL, 0};
    struct strlist AUTO_STRLIST unreadable = {NULL, 0};

    fixture_chdir(dir);
    platform_file_glob("l*/a*/cert.pem", &paths, &unreadable);
    fixture_chdir(NULL);
    assert_int_equal(paths.count, 1);
    assert_string_equal(paths.items[0], "live/a.example/cert.pem");
    assert_int_equal(unreadable.count, 0);
    fixture_dir_free(dir);
}

static int look_as_user(void *context)
{
    const char *dir = context;
    char AUTO_FREE *top = fixture_path(dir, "live/*/cert.pem");
    struct strlist AUTO_STRLIST paths = {NULL, 0};
    struct strlist AUTO_STRLIST unreadable = {NULL, 0};

    if (!fixture_drop_root())
        return CHILD_CANNOT;
    platform_file_glob(top, &paths, &unreadable);
    CHILD_CHECK(unreadable.count == 0);
    /* What is in a directory that may not be entered is named, so that reading it tells why. */
    CHILD_CHECK(paths.count == 2);
    return CHILD_OK;
}

static int look_into_closed_directory(void *context)
{
    const char *dir = context;
    char AUTO_FREE *top = fixture_path(dir, "live/*/cert.pem");
    char AUTO_FREE *live = fixture_path(dir, "live");
    struct strlist AUTO_STRLIST paths = {NULL, 0};
    struct strlist AUTO_STRLIST unreadable = {NULL, 0};

    if (!fixture_drop_root())
        return CHILD_CANNOT;
    platform_file_glob(top, &paths, &unreadable);
    CHILD_CHECK(paths.count == 0 && unreadable.count == 1);
    CHILD_CHECK(strstr(unreadable.items[0], live) != NULL);
    return CHILD_OK;
}

TEST(what_may_not_be_looked_through_is_reported)
{
    char *dir;
    char AUTO_FREE *live = NULL;
    char AUTO_FREE *a = NULL;

    fixture_needs(FIXTURE_FAULTS);
    dir = tree_new();
    live = fixture_path(dir, "live");
    a = fixture_path(dir, "live/a.example");
    fixture_chmod(dir, 0755);
    fixture_chmod(live, 0755);
    fixture_chmod(a, 0000);
    (void)fixture_in_child(look_as_user, dir);
    fixture_chmod(live, 0000);
    (void)fixture_in_child(look_into_closed_directory, dir);
    fixture_chmod(live, 0700);
    fixture_chmod(a, 0700);
    fixture_dir_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_name_the_files_that_fit_in_order),
        cmocka_unit_test(paths_that_are_no_pattern_or_exist_as_they_are_name_themselves),
        cmocka_unit_test(a_relative_pattern_is_looked_for_in_the_current_directory),
        cmocka_unit_test(what_may_not_be_looked_through_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
