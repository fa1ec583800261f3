/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_clock.h"
#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

#define PROCESSES 8
#define ROUNDS 40

TEST(a_lock_is_taken_freed_and_taken_again)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "zone.lock");
    struct platform_lock *lock = NULL;
    struct stat st;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(platform_lock_take(path, 0, platform_clock(), &lock, NULL), ERR_OK);
        platform_lock_free_auto(&lock);
        assert_null(lock);
    }
    platform_lock_free(NULL);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    free(path);
    fixture_dir_free(dir);
}

/* A process that holds the lock until it is killed, or the test program ends: a test that fails leaves nobody behind. */
static pid_t start_holder(const char *path)
{
    int ready[2];
    int alive[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(alive), 0);
    (void)fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct platform_lock *lock;

        if (platform_lock_take(path, 0, platform_clock(), &lock, NULL) != ERR_OK)
            _exit(CHILD_FAILED);
        (void)close(alive[1]);
        (void)!write(ready[1], "x", 1);
        (void)!read(alive[0], &byte, 1);
        _exit(0);
    }
    (void)close(ready[1]);
    (void)close(alive[0]); /* alive[1] stays open */
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    return pid;
}

static void end_holder(pid_t pid)
{
    int status;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

TEST(a_wait_has_growing_pauses_a_limit_and_names_the_holder)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "zone.lock");
    pid_t holder = start_holder(path);
    char *name = mem_printf("process %ld holds it", (long)holder);
    struct platform_lock *lock = NULL;
    struct fake_clock clock;
    struct err err;

    fake_clock_init(&clock);
    assert_int_equal(platform_lock_take(path, 3000, &clock.base, &lock, &err), ERR_LOCK);
    assert_null(lock);
    assert_non_null(strstr(err.msg, path));
    assert_non_null(strstr(err.msg, "within 3 s"));
    assert_non_null(strstr(err.msg, name));
    assert_int_equal(fake_clock_slept_ms(&clock), 3000);
    assert_int_equal(clock.sleeps[0], 10);
    assert_int_equal(clock.sleeps[1], 20);
    for (size_t i = 1; i + 1 < clock.sleep_count; i++)
        assert_in_range(clock.sleeps[i], clock.sleeps[i - 1], 250);
    end_holder(holder);
    free(name);
    free(path);
    fixture_dir_free(dir);
}

TEST(a_wait_ends_when_we_are_asked_to_stop)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "zone.lock");
    pid_t holder = start_holder(path);
    struct platform_lock *lock = NULL;
    struct fake_clock clock;

    fake_clock_init(&clock);
    clock.cancel_at_ms = clock.mono_ms + 500;
    assert_int_equal(platform_lock_take(path, 60000, &clock.base, &lock, NULL), ERR_CANCELLED);
    assert_null(lock);
    end_holder(holder);
    free(path);
    fixture_dir_free(dir);
}

TEST(a_killed_process_loses_its_lock)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "zone.lock");
    pid_t holder = start_holder(path);
    struct platform_lock *lock = NULL;

    assert_int_equal(platform_lock_take(path, 0, platform_clock(), &lock, NULL), ERR_LOCK);
    end_holder(holder);
    assert_int_equal(platform_lock_take(path, 0, platform_clock(), &lock, NULL), ERR_OK);
    platform_lock_free(lock);
    free(path);
    fixture_dir_free(dir);
}

struct counter {
    char *lock_path;
    char *number_path;
};

static int count_up(void *context)
{
    const struct counter *c = context;

    for (int i = 0; i < ROUNDS; i++) {
        struct platform_lock *lock;
        char *text;
        char *next;

        CHILD_CHECK(platform_lock_take(c->lock_path, 60000, platform_clock(), &lock, NULL) == ERR_OK);
        text = fixture_read(c->number_path);
        next = mem_printf("%ld", strtol(text, NULL, 10) + 1);
        fixture_write(c->number_path, next);
        free(text);
        free(next);
        platform_lock_free(lock);
    }
    return CHILD_OK;
}

TEST(eight_processes_do_not_get_in_each_others_way)
{
    char *dir = fixture_dir_new();
    struct counter c = {fixture_path(dir, "zone.lock"), fixture_path(dir, "number")};
    char *text;

    fixture_write(c.number_path, "0");
    fixture_in_children(PROCESSES, count_up, &c);
    text = fixture_read(c.number_path);
    assert_int_equal(strtol(text, NULL, 10), PROCESSES * ROUNDS);
    free(text);
    free(c.lock_path);
    free(c.number_path);
    fixture_dir_free(dir);
}

struct lockless {
    char *path;
    int errnum;
};

static int lock_with_fault(void *context)
{
    const struct lockless *l = context;
    struct platform_lock *lock;
    struct err err;

    if (!fixture_fail(CALL_FCNTL, l->errnum))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_lock_take(l->path, 60000, platform_clock(), &lock, &err) == ERR_LOCK);
    CHILD_CHECK(strstr(err.msg, "does not support locks") && strstr(err.msg, l->path));
    CHILD_CHECK(strstr(err.hint, "\"state_dir\""));
    return CHILD_OK;
}

TEST(a_file_system_without_locks_is_refused_clearly_and_at_once)
{
    static const int errnums[] = {ENOLCK, EOPNOTSUPP, ENOSYS};
    char *dir = fixture_dir_new();
    struct lockless l = {.path = fixture_path(dir, "zone.lock")};

    for (size_t i = 0; i < ARRAY_LEN(errnums); i++) {
        l.errnum = errnums[i];
        fixture_in_child(lock_with_fault, &l);
    }
    free(l.path);
    fixture_dir_free(dir);
}

TEST(a_lock_file_that_cannot_be_opened_is_an_error)
{
    struct platform_lock *lock = NULL;
    struct err err;

    assert_int_equal(platform_lock_take("/does/not/exist.lock", 0, platform_clock(), &lock, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "/does/not/exist.lock"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_is_taken_freed_and_taken_again),
        cmocka_unit_test(a_wait_has_growing_pauses_a_limit_and_names_the_holder),
        cmocka_unit_test(a_wait_ends_when_we_are_asked_to_stop),
        cmocka_unit_test(a_killed_process_loses_its_lock),
        cmocka_unit_test(eight_processes_do_not_get_in_each_others_way),
        cmocka_unit_test(a_file_system_without_locks_is_refused_clearly_and_at_once),
        cmocka_unit_test(a_lock_file_that_cannot_be_opened_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
