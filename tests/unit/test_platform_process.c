/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"
#include "util/text.h"

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int start_with_standard_descriptors_closed(void *context)
{
    const int *closed = context;
    int next;

    for (; *closed >= 0; closed++)
        (void)close(*closed);
    if (platform_start(NULL) != ERR_OK)
        return CHILD_FAILED;
    next = open("/dev/null", O_RDONLY);
    return is_open(0) && is_open(1) && is_open(2) && next == 3 ? CHILD_OK : CHILD_FAILED;
}

TEST(closed_standard_descriptors_are_opened_before_a_file_can_take_their_place)
{
    static int cases[][4] = {{0, -1}, {1, -1}, {2, -1}, {0, 1, -1}, {0, 1, 2, -1}, {1, 2, -1}, {-1}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fixture_in_child(start_with_standard_descriptors_closed, cases[i]);
}

static int start_with_foreign_descriptors(void *context)
{
    const char *path = context;
    int fd = open(path, O_WRONLY);

    CHILD_CHECK(fd >= 3);
    CHILD_CHECK(dup2(fd, 3) == 3 && dup2(fd, 77) == 77 && dup2(fd, 1000) == 1000);
    CHILD_CHECK(platform_start(NULL) == ERR_OK);
    CHILD_CHECK(!is_open(3) && !is_open(77) && !is_open(1000) && !is_open(fd));
    CHILD_CHECK(is_open(0) && is_open(1) && is_open(2));
    return CHILD_OK;
}

static int start_without_close_range(void *context)
{
    return fixture_fail(CALL_CLOSE_RANGE, ENOSYS) ? start_with_foreign_descriptors(context) : CHILD_CANNOT;
}

TEST(descriptors_that_a_parent_left_open_are_closed)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "cert.pem");

    fixture_write(path, "certificate");
    fixture_in_child(start_with_foreign_descriptors, path);
    fixture_in_child(start_without_close_range, path);
    free(path);
    fixture_dir_free(dir);
}

static int start_and_look(UNUSED void *context)
{
    struct rlimit core;

    (void)umask(022);
    CHILD_CHECK(platform_start(NULL) == ERR_OK);
    CHILD_CHECK(umask(0) == 077);
    CHILD_CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur <= 1 && core.rlim_max <= 1);
    return CHILD_OK;
}

TEST(files_are_private_and_no_core_is_dumped)
{
    fixture_in_child(start_and_look, NULL);
}

static int write_to_nobody(UNUSED void *context)
{
    int ends[2];

    CHILD_CHECK(platform_start(NULL) == ERR_OK);
    CHILD_CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    CHILD_CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
    return CHILD_OK;
}

TEST(writing_to_a_closed_pipe_is_an_error_and_no_death)
{
    fixture_in_child(write_to_nobody, NULL);
}

static int write_past_the_limit(void *context)
{
    const char *path = context;
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
    static char large[8192];
    struct err err;

    CHILD_CHECK(platform_start(NULL) == ERR_OK);
    CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHILD_CHECK(platform_file_replace(path, large, sizeof large, &err) == ERR_IO);
    return CHILD_OK;
}

static int want_descriptors(UNUSED void *context)
{
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = 200};

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) /* valgrind keeps some for itself */
        return CHILD_CANNOT;
    CHILD_CHECK(platform_descriptors_want(50) == 50);
    CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 64);
    CHILD_CHECK(platform_descriptors_want(150) == 150);
    CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 150);
    CHILD_CHECK(platform_descriptors_want(1000) == 200);
    CHILD_CHECK(platform_descriptors_want(10) == 10);
    return CHILD_OK;
}

TEST(descriptors_are_had_as_far_as_the_system_allows_and_no_more_than_wanted)
{
    fixture_in_child(want_descriptors, NULL);
}

TEST(a_file_size_limit_is_an_error_and_no_death)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "file");
    char *now;

    fixture_write(path, "old");
    fixture_in_child(write_past_the_limit, path);
    now = fixture_read(path);
    assert_string_equal(now, "old");
    assert_int_equal(fixture_count(dir), 1);
    free(now);
    free(path);
    fixture_dir_free(dir);
}

static int draw(void *context)
{
    unsigned char a[64] = {0};
    unsigned char b[64] = {0};
    unsigned char none[64] = {0};

    if (context && !fixture_fail(CALL_GETRANDOM, ENOSYS))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_random(a, sizeof a, NULL) == ERR_OK && platform_random(b, sizeof b, NULL) == ERR_OK);
    CHILD_CHECK(memcmp(a, b, sizeof a) != 0 && memcmp(a, none, sizeof a) != 0);
    CHILD_CHECK(memcmp(a + 32, none, 32) != 0);
    return CHILD_OK;
}

TEST(random_bytes_come_from_the_system_with_and_without_the_system_call)
{
    int without = 1;

    fixture_in_child(draw, NULL);
    fixture_in_child(draw, &without);
}

static int find_home(UNUSED void *context)
{
    char *home;

    CHILD_CHECK(setenv("HOME", "/somewhere", 1) == 0);
    home = platform_home();
    CHILD_CHECK(home && strcmp(home, "/somewhere") == 0);
    free(home);
    CHILD_CHECK(unsetenv("HOME") == 0);
    home = platform_home();
    CHILD_CHECK(!home || home[0] == '/');
    CHILD_CHECK(geteuid() != 0 || (home && strcmp(home, "/root") == 0));
    free(home);
    return CHILD_OK;
}

TEST(the_home_directory_is_home_or_the_user_databases)
{
    fixture_in_child(find_home, NULL);
}

static int find_state_dir(UNUSED void *context)
{
    char *dir;

    CHILD_CHECK(setenv("HOME", "/somewhere", 1) == 0 && setenv("XDG_STATE_HOME", "/xdg", 1) == 0);
    if (geteuid() == 0) {
        dir = platform_default_state_dir();
        CHILD_CHECK(strcmp(dir, LOCALSTATEDIR "/lib/acme-dme") == 0);
        free(dir);
    }
    CHILD_CHECK(fixture_drop_root());
    dir = platform_default_state_dir();
    CHILD_CHECK(strcmp(dir, "/xdg/acme-dme") == 0);
    free(dir);
    CHILD_CHECK(setenv("XDG_STATE_HOME", "not/absolute", 1) == 0);
    dir = platform_default_state_dir();
    CHILD_CHECK(strcmp(dir, "/somewhere/.local/state/acme-dme") == 0);
    free(dir);
    return CHILD_OK;
}

TEST(the_default_state_directory_is_the_systems_for_root_and_the_users_for_others)
{
    fixture_in_child(find_state_dir, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_standard_descriptors_are_opened_before_a_file_can_take_their_place),
        cmocka_unit_test(descriptors_that_a_parent_left_open_are_closed),
        cmocka_unit_test(files_are_private_and_no_core_is_dumped),
        cmocka_unit_test(writing_to_a_closed_pipe_is_an_error_and_no_death),
        cmocka_unit_test(descriptors_are_had_as_far_as_the_system_allows_and_no_more_than_wanted),
        cmocka_unit_test(a_file_size_limit_is_an_error_and_no_death),
        cmocka_unit_test(random_bytes_come_from_the_system_with_and_without_the_system_call),
        cmocka_unit_test(the_home_directory_is_home_or_the_user_databases),
        cmocka_unit_test(the_default_state_directory_is_the_systems_for_root_and_the_users_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
