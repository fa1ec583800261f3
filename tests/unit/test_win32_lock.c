/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fake_clock.h"
#include "fixture.h"
#include "platform/win32.h"
#include "test.h"
#include "util/parse.h"
#include "win32_faults.h"

#define PROCESSES 4
#define ROUNDS 25

struct place {
    char *dir;
    char *path;
};

static void place_init(struct place *p)
{
    p->dir = fixture_dir_new();
    p->path = fixture_path(p->dir, "zone.lock");
}

static void place_done(struct place *p)
{
    free(p->path);
    fixture_dir_free(p->dir);
}

/* The text is the path of the lock; ends when the test kills it, or after a minute. */
static int hold_lock(const char *text)
{
    struct platform_lock *lock = NULL;
    char AUTO_FREE *ready = mem_printf("%s.held", text);

    CHILD_CHECK(platform_lock_take(text, 0, platform_clock(), &lock, NULL) == ERR_OK);
    fixture_write(ready, "");
    fixture_sleep_ms(60000);
    platform_lock_free(lock);
    return CHILD_OK;
}

static struct fixture_process *start_holder(const char *path)
{
    struct fixture_process *holder = fixture_process_start(hold_lock, path);
    char AUTO_FREE *ready = mem_printf("%s.held", path);

    for (int i = 0; i < 500 && !platform_file_exists(ready); i++)
        fixture_sleep_ms(20);
    assert_true(platform_file_exists(ready));
    return holder;
}

/* ------------------------------------------------------------------ taking */

TEST(a_lock_is_taken_freed_and_taken_again_and_is_private)
{
    struct platform_lock *lock = NULL;
    struct place p;

    place_init(&p);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(platform_lock_take(p.path, 0, platform_clock(), &lock, NULL), ERR_OK);
        if (i == 0) {
            assert_non_null(strstr(faults_access(), "D:P("));
            assert_null(strstr(faults_access(), ";WD)"));
        }
        platform_lock_free_auto(&lock);
        assert_null(lock);
    }
    platform_lock_free(NULL);
    assert_int_equal(fixture_count(p.dir), 1);
    place_done(&p);
}

TEST(one_process_can_have_a_lock_only_once)
{
    struct platform_lock *lock = NULL;
    struct platform_lock *again = NULL;
    struct place p;

    place_init(&p);
    assert_int_equal(platform_lock_take(p.path, 0, platform_clock(), &lock, NULL), ERR_OK);
    assert_int_equal(platform_lock_take(p.path, 0, platform_clock(), &again, NULL), ERR_LOCK);
    assert_null(again);
    platform_lock_free(lock);
    place_done(&p);
}

/* ------------------------------------------------------------------ waiting */

TEST(a_wait_has_growing_pauses_a_limit_and_names_the_holder)
{
    struct platform_lock *lock = NULL;
    struct fake_clock clock;
    struct fixture_process *holder;
    char AUTO_FREE *name = NULL;
    struct place p;
    struct err err;

    place_init(&p);
    holder = start_holder(p.path);
    name = mem_printf("process %ld holds it", fixture_process_id(holder));
    fake_clock_init(&clock);
    assert_int_equal(platform_lock_take(p.path, 3000, &clock.base, &lock, &err), ERR_LOCK);
    assert_null(lock);
    assert_non_null(strstr(err.msg, p.path));
    assert_non_null(strstr(err.msg, "within 3 s"));
    assert_non_null(strstr(err.msg, name));
    assert_int_equal(fake_clock_slept_ms(&clock), 3000);
    assert_true(faults_locked_byte() > 1000000); /* or its number could not be read */
    assert_int_equal(clock.sleeps[0], 10);
    assert_int_equal(clock.sleeps[1], 20);
    for (size_t i = 1; i + 1 < clock.sleep_count; i++)
        assert_in_range(clock.sleeps[i], clock.sleeps[i - 1], 250);
    fixture_process_kill(holder);
    place_done(&p);
}

TEST(a_wait_ends_when_we_are_asked_to_stop)
{
    struct platform_lock *lock = NULL;
    struct fixture_process *holder;
    struct fake_clock clock;
    struct place p;
    struct err err;

    place_init(&p);
    holder = start_holder(p.path);
    fake_clock_init(&clock);
    clock.cancel_at_ms = clock.mono_ms + 500;
    assert_int_equal(platform_lock_take(p.path, 60000, &clock.base, &lock, &err), ERR_CANCELLED);
    assert_non_null(strstr(err.msg, p.path));
    assert_null(lock);
    fixture_process_kill(holder);
    place_done(&p);
}

TEST(a_killed_process_loses_its_lock)
{
    struct platform_lock *lock = NULL;
    struct fixture_process *holder;
    struct place p;

    place_init(&p);
    holder = start_holder(p.path);
    assert_int_equal(platform_lock_take(p.path, 0, platform_clock(), &lock, NULL), ERR_LOCK);
    fixture_process_kill(holder);
    assert_int_equal(platform_lock_take(p.path, 5000, platform_clock(), &lock, NULL), ERR_OK);
    platform_lock_free(lock);
    place_done(&p);
}

/* The text is "<dir>". */
static int count_up(const char *text)
{
    char AUTO_FREE *path = fixture_path(text, "zone.lock");
    char AUTO_FREE *number_path = fixture_path(text, "number");

    for (int i = 0; i < ROUNDS; i++) {
        struct platform_lock *lock = NULL;
        char AUTO_FREE *now = NULL;
        char AUTO_FREE *next = NULL;
        uint64_t number;

        CHILD_CHECK(platform_lock_take(path, 60000, platform_clock(), &lock, NULL) == ERR_OK);
        now = fixture_read(number_path);
        CHILD_CHECK(now && parse_uint(now, 0, 10000, &number));
        next = mem_printf("%llu", (unsigned long long)number + 1);
        fixture_write(number_path, next);
        platform_lock_free(lock);
    }
    return CHILD_OK;
}

TEST(processes_do_not_get_in_each_others_way)
{
    struct place p;
    char AUTO_FREE *number_path = NULL;
    char AUTO_FREE *now = NULL;
    char AUTO_FREE *want = mem_printf("%d", PROCESSES * ROUNDS);

    place_init(&p);
    number_path = fixture_path(p.dir, "number");
    fixture_write(number_path, "0");
    fixture_in_processes(PROCESSES, count_up, p.dir);
    now = fixture_read(number_path);
    assert_string_equal(now, want);
    place_done(&p);
}

/* ------------------------------------------------------------------ what can't be locked */

static HANDLE open_alone(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE handle = CreateFileW(wide, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);

    assert_true(handle != INVALID_HANDLE_VALUE);
    return handle;
}

TEST(a_file_that_a_backup_has_open_is_waited_for_as_a_lock_is)
{
    struct platform_lock *lock = NULL;
    struct fake_clock clock;
    struct place p;
    struct err err;
    HANDLE handle;

    place_init(&p);
    fixture_write(p.path, "");
    handle = open_alone(p.path);
    fake_clock_init(&clock);
    assert_int_equal(platform_lock_take(p.path, 500, &clock.base, &lock, &err), ERR_LOCK);
    assert_non_null(strstr(err.msg, "within 1 s: another process holds it"));
    assert_int_equal(fake_clock_slept_ms(&clock), 500);
    win32_close_auto(&handle);
    assert_int_equal(platform_lock_take(p.path, 0, &clock.base, &lock, NULL), ERR_OK);
    platform_lock_free(lock);
    place_done(&p);
}

TEST(a_file_system_without_locks_is_refused_clearly_and_at_once)
{
    static const DWORD errors[] = {ERROR_NOT_SUPPORTED, ERROR_INVALID_FUNCTION};
    struct platform_lock *lock = NULL;
    struct fake_clock clock;
    struct place p;
    struct err err;

    place_init(&p);
    fake_clock_init(&clock);
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        faults_fail(FAULT_LOCK, errors[i]);
        assert_int_equal(platform_lock_take(p.path, 60000, &clock.base, &lock, &err), ERR_LOCK);
        faults_fail(FAULT_LOCK, 0);
        assert_non_null(strstr(err.msg, "does not support locks"));
        assert_non_null(strstr(err.msg, p.path));
        assert_non_null(strstr(err.hint, "\"state_dir\""));
    }
    assert_int_equal(fake_clock_slept_ms(&clock), 0);
    place_done(&p);
}

TEST(a_full_disk_is_no_reason_not_to_hold_a_lock)
{
    struct platform_lock *lock = NULL;
    struct place p;

    place_init(&p);
    faults_fail(FAULT_WRITE, ERROR_DISK_FULL);
    assert_int_equal(platform_lock_take(p.path, 0, platform_clock(), &lock, NULL), ERR_OK);
    faults_fail(FAULT_WRITE, 0);
    platform_lock_free(lock);
    place_done(&p);
}

TEST(a_lock_file_that_cannot_be_opened_is_an_error)
{
    static const char *const names[] = {"no/such/x.lock", "con", "x?.lock", "."};
    struct platform_lock *lock = NULL;
    struct place p;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char AUTO_FREE *path = fixture_path(p.dir, names[i]);
        struct err err;

        assert_int_equal(platform_lock_take(path, 0, platform_clock(), &lock, &err), ERR_IO);
        assert_non_null(strstr(err.msg, p.dir));
        assert_null(lock);
    }
    assert_int_equal(fixture_count(p.dir), 0);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_is_taken_freed_and_taken_again_and_is_private),
        cmocka_unit_test(one_process_can_have_a_lock_only_once),
        cmocka_unit_test(a_wait_has_growing_pauses_a_limit_and_names_the_holder),
        cmocka_unit_test(a_wait_ends_when_we_are_asked_to_stop),
        cmocka_unit_test(a_killed_process_loses_its_lock),
        cmocka_unit_test(processes_do_not_get_in_each_others_way),
        cmocka_unit_test(a_file_that_a_backup_has_open_is_waited_for_as_a_lock_is),
        cmocka_unit_test(a_file_system_without_locks_is_refused_clearly_and_at_once),
        cmocka_unit_test(a_full_disk_is_no_reason_not_to_hold_a_lock),
        cmocka_unit_test(a_lock_file_that_cannot_be_opened_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
