/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_clock.h"
#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

#define PROCESSES 8
#define ROUNDS 40
#define HOLD_MS 60000

TEST(a_lock_is_taken_freed_and_taken_again)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "zone.lock");
    struct platform_lock *lock = NULL;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(platform_lock_take(path, 0, platform_clock(), &lock, NULL), ERR_OK);
        platform_lock_free_auto(&lock);
        assert_null(lock);
    }
    platform_lock_free(NULL);
    fixture_expect_mode(path, 0600);
    free(path);
    fixture_dir_free(dir);
}

/* A process that holds the lock until it is killed. */
static int hold(const char *path)
{
    char AUTO_FREE *held = mem_printf("%s.held", path);
    struct platform_lock *lock = NULL;

    CHILD_CHECK(platform_lock_take(path, 0, platform_clock(), &lock, NULL) == ERR_OK);
    fixture_write(held, "");
    fixture_sleep_ms(HOLD_MS);
    return CHILD_FAILED;
}

static struct fixture_process *start_holder(const char *path)
{
    char AUTO_FREE *held = mem_printf("%s.held", path);
    struct fixture_process *holder = fixture_process_start(hold, path);

    fixture_await_file(held);
    return holder;
}

TEST(a_wait_has_growing_pauses_a_limit_and_names_the_holder)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "zone.lock");
    struct fixture_process *holder = start_holder(path);
    char *name = mem_printf("process %ld holds it", fixture_process_id(holder));
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
    fixture_process_kill(holder);
    free(name);
    free(path);
    fixture_dir_free(dir);
}

TEST(a_wait_ends_when_we_are_asked_to_stop)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "zone.lock");
    struct fixture_process *holder = start_holder(path);
    struct platform_lock *lock = NULL;
    struct fake_clock clock;

    fake_clock_init(&clock);
    clock.cancel_at_ms = clock.mono_ms + 500;
    assert_int_equal(platform_lock_take(path, 60000, &clock.base, &lock, NULL), ERR_CANCELLED);
    assert_null(lock);
    fixture_process_kill(holder);
    free(path);
    fixture_dir_free(dir);
}

TEST(a_killed_process_loses_its_lock)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "zone.lock");
    struct fixture_process *holder = start_holder(path);
    struct platform_lock *lock = NULL;

    assert_int_equal(platform_lock_take(path, 0, platform_clock(), &lock, NULL), ERR_LOCK);
    fixture_process_kill(holder);
    assert_int_equal(platform_lock_take(path, 0, platform_clock(), &lock, NULL), ERR_OK);
    platform_lock_free(lock);
    free(path);
    fixture_dir_free(dir);
}

static int count_up(const char *dir)
{
    char AUTO_FREE *lock_path = fixture_path(dir, "zone.lock");
    char AUTO_FREE *number_path = fixture_path(dir, "number");

    for (int i = 0; i < ROUNDS; i++) {
        struct platform_lock *lock;
        char *text;
        char *next;

        CHILD_CHECK(platform_lock_take(lock_path, 60000, platform_clock(), &lock, NULL) == ERR_OK);
        text = fixture_read(number_path);
        next = mem_printf("%ld", strtol(text, NULL, 10) + 1);
        fixture_write(number_path, next);
        free(text);
        free(next);
        platform_lock_free(lock);
    }
    return CHILD_OK;
}

TEST(eight_processes_do_not_get_in_each_others_way)
{
    char *dir = fixture_dir_new();
    char *number_path = fixture_path(dir, "number");
    char *text;

    fixture_write(number_path, "0");
    fixture_in_processes(PROCESSES, count_up, dir);
    text = fixture_read(number_path);
    assert_int_equal(strtol(text, NULL, 10), PROCESSES * ROUNDS);
    free(text);
    free(number_path);
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
    char *dir;
    struct lockless l;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    l.path = fixture_path(dir, "zone.lock");
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
