/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

#define LONG_MS 30000

TEST(wall_time_is_the_systems_and_monotonic_time_moves_with_sleep)
{
    struct clock *clock = platform_clock();
    int64_t wall_s = (int64_t)time(NULL);
    int64_t before = clock_mono_ms(clock);

    assert_true(clock_sleep_ms(clock, 20));
    assert_true(clock_mono_ms(clock) - before >= 20);
    assert_true(clock_wall_ms(clock) / 1000 - wall_s <= 5);
    assert_true(clock_wall_ms(clock) / 1000 >= wall_s);
    assert_true(clock_sleep_ms(clock, 0));
    assert_true(clock_sleep_ms(clock, -5));
    assert_false(clock_is_cancelled(clock));
    assert_null(platform_cancel_reason());
}

/* A process that says on `ready` that it is about to sleep, sleeps, and exits with 0 when it was ended early
 * for `reason`; then it "cleans up" until the pipe `go` closes. */
struct sleeper {
    int ready[2];
    int go[2];
    const char *reason;
    pid_t pid;
};

static int sleep_until_told(struct sleeper *s)
{
    struct clock *clock = platform_clock();
    int64_t before;
    char byte;

    /* platform_start() would close the pipes at 3 and up */
    (void)dup2(s->ready[1], 1);
    (void)dup2(s->go[0], 0);
    CHILD_CHECK(platform_start(NULL) == ERR_OK);
    before = clock_mono_ms(clock);
    CHILD_CHECK(write(1, "r", 1) == 1);
    CHILD_CHECK(!clock_sleep_ms(clock, LONG_MS));
    CHILD_CHECK(clock_mono_ms(clock) - before < LONG_MS / 2);
    CHILD_CHECK(clock_is_cancelled(clock));
    CHILD_CHECK(platform_cancel_reason() && strcmp(platform_cancel_reason(), s->reason) == 0);
    CHILD_CHECK(!clock_sleep_ms(clock, LONG_MS));
    clock_accept_cancel(clock);
    CHILD_CHECK(write(1, "c", 1) == 1);
    CHILD_CHECK(read(0, &byte, 1) == 0); /* the signals are through by now */
    before = clock_mono_ms(clock);
    CHILD_CHECK(!clock_is_cancelled(clock) && clock_sleep_ms(clock, 20));
    CHILD_CHECK(clock_mono_ms(clock) - before >= 20);
    CHILD_CHECK(strcmp(platform_cancel_reason(), s->reason) == 0);
    return CHILD_OK;
}

static void wait_for_byte(struct sleeper *s, char want)
{
    char byte = 0;

    assert_int_equal(read(s->ready[0], &byte, 1), 1);
    assert_int_equal(byte, want);
}

static void sleeper_start(struct sleeper *s, void (*prepare)(void))
{
    assert_int_equal(pipe(s->ready), 0);
    assert_int_equal(pipe(s->go), 0);
    (void)fflush(NULL);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        (void)close(s->go[1]);
        prepare();
        _exit(sleep_until_told(s));
    }
    (void)close(s->ready[1]);
    (void)close(s->go[0]);
    wait_for_byte(s, 'r');
}

static void sleeper_end(struct sleeper *s)
{
    int status = 0;

    (void)close(s->go[1]);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    (void)close(s->ready[0]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void as_it_is(void)
{
}

TEST(each_signal_that_asks_us_to_stop_ends_the_sleep_and_a_second_one_kills_nothing)
{
    static const struct {
        int number;
        const char *name;
    } signals[] = {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGHUP, "SIGHUP"},
                   {SIGQUIT, "SIGQUIT"}, {SIGALRM, "SIGALRM"}, {SIGXCPU, "SIGXCPU"}};

    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct sleeper s = {.reason = signals[i].name};

        sleeper_start(&s, as_it_is);
        assert_int_equal(kill(s.pid, signals[i].number), 0);
        wait_for_byte(&s, 'c');
        for (int again = 0; again < 3; again++)
            assert_int_equal(kill(s.pid, again ? SIGTERM : signals[i].number), 0);
        sleeper_end(&s);
    }
}

static int clean_up_after_an_error(UNUSED void *context)
{
    struct clock *clock = platform_clock();
    int64_t before;

    CHILD_CHECK(platform_start(NULL) == ERR_OK);
    clock_accept_cancel(clock);
    CHILD_CHECK(raise(SIGTERM) == 0);
    before = clock_mono_ms(clock);
    CHILD_CHECK(clock_sleep_ms(clock, 20) && clock_mono_ms(clock) - before >= 20);
    return CHILD_OK;
}

TEST(a_signal_does_not_cut_a_clean_up_short_that_an_error_began)
{
    fixture_in_child(clean_up_after_an_error, NULL);
}

static void ignore_hangup_and_interrupt(void)
{
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
}

TEST(what_nohup_and_background_shells_ignore_stays_ignored)
{
    struct sleeper s = {.reason = "SIGTERM"};

    sleeper_start(&s, ignore_hangup_and_interrupt);
    assert_int_equal(kill(s.pid, SIGHUP), 0);
    assert_int_equal(kill(s.pid, SIGINT), 0);
    assert_int_equal(kill(s.pid, SIGUSR1), 0);
    assert_int_equal(kill(s.pid, SIGPIPE), 0);
    assert_int_equal(kill(s.pid, SIGTERM), 0);
    wait_for_byte(&s, 'c');
    sleeper_end(&s);
}

static void block_and_ignore_all(void)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGTERM, SIG_IGN);
}

TEST(a_blocked_or_ignored_sigterm_that_we_inherit_works_all_the_same)
{
    struct sleeper s = {.reason = "SIGTERM"};

    sleeper_start(&s, block_and_ignore_all);
    assert_int_equal(kill(s.pid, SIGTERM), 0);
    wait_for_byte(&s, 'c');
    sleeper_end(&s);
}

TEST(a_signal_is_noticed_whenever_it_comes)
{
    /* In the window between the look at the flag and the wait, too: each sleep that missed one would last its
     * whole piece of half a second, and forty of them ten seconds and more. */
    struct clock *clock = platform_clock();
    int64_t before = clock_mono_ms(clock);

    for (long i = 0; i < 40; i++) {
        struct sleeper s = {.reason = "SIGTERM"};
        struct timespec delay = {.tv_nsec = i * 3000};

        sleeper_start(&s, as_it_is);
        (void)nanosleep(&delay, NULL);
        assert_int_equal(kill(s.pid, SIGTERM), 0);
        wait_for_byte(&s, 'c');
        sleeper_end(&s);
    }
    assert_true(clock_mono_ms(clock) - before < 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_time_is_the_systems_and_monotonic_time_moves_with_sleep),
        cmocka_unit_test(each_signal_that_asks_us_to_stop_ends_the_sleep_and_a_second_one_kills_nothing),
        cmocka_unit_test(a_signal_does_not_cut_a_clean_up_short_that_an_error_began),
        cmocka_unit_test(what_nohup_and_background_shells_ignore_stays_ignored),
        cmocka_unit_test(a_blocked_or_ignored_sigterm_that_we_inherit_works_all_the_same),
        cmocka_unit_test(a_signal_is_noticed_whenever_it_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
