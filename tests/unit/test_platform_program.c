/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

#define LONG_MS 60000
#define MAX_OUTPUT 65536

/* A clock that runs, and on which the operator can interrupt. */
struct stop_clock {
    struct clock base;
    int64_t cancel_at_ms; /* monotonic; 0: never */
};

static int64_t real_wall_ms(UNUSED struct clock *self)
{
    return clock_wall_ms(platform_clock());
}

static int64_t real_mono_ms(UNUSED struct clock *self)
{
    return clock_mono_ms(platform_clock());
}

static bool real_sleep_ms(UNUSED struct clock *self, int64_t ms)
{
    return clock_sleep_ms(platform_clock(), ms);
}

static bool is_cancelled(struct clock *self)
{
    struct stop_clock *clock = (struct stop_clock *)self;

    return clock->cancel_at_ms > 0 && clock_mono_ms(platform_clock()) >= clock->cancel_at_ms;
}

static struct stop_clock stop_clock_in(int64_t ms)
{
    return (struct stop_clock){
        .base = {.wall_ms = real_wall_ms,
                 .mono_ms = real_mono_ms,
                 .sleep_ms = real_sleep_ms,
                 .is_cancelled = is_cancelled},
        .cancel_at_ms = clock_mono_ms(platform_clock()) + ms,
    };
}

/* A shell that runs `script`. */
static enum err_code run_shell(const char *script, int64_t timeout_ms, struct platform_program_end *out,
                               struct err *err)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = timeout_ms, .max_output = MAX_OUTPUT};

    return platform_program_run(&program, platform_clock(), out, err);
}

static void expect_shell(const char *script, int status, const char *output)
{
    struct platform_program_end end;
    struct err err;

    if (run_shell(script, LONG_MS, &end, &err) != ERR_OK)
        fail_msg("%s: %s", script, err.msg);
    assert_int_equal(end.exit_status, status);
    assert_int_equal(end.signal, 0);
    assert_string_equal(buf_cstr(&end.output), output);
    platform_program_end_done(&end);
}

static void expect_not_run(const char *name, const char *why)
{
    const char *const argv[] = {name, NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = LONG_MS};
    struct platform_program_end end = {.exit_status = 4711};
    struct err err;

    assert_int_equal(platform_program_run(&program, platform_clock(), &end, &err), ERR_NOT_FOUND);
    if (!strstr(err.msg, why) || !strstr(err.msg, name))
        fail_msg("\"%s\" does not say \"%s\" of \"%s\"", err.msg, why, name);
    assert_int_equal(end.exit_status, 4711);
}

static void write_program(const char *path, const char *text)
{
    fixture_write(path, text);
    assert_int_equal(chmod(path, 0755), 0);
}

/* ------------------------------------------------------------------ what it is told and tells */

TEST(exit_status_and_both_outputs_are_handed_back)
{
    expect_shell("echo out; echo err >&2; exit 3", 3, "out\nerr\n");
    expect_shell("exit 0", 0, "");
}

TEST(a_signal_that_kills_it_is_told)
{
    struct platform_program_end end;

    assert_int_equal(run_shell("kill -KILL $$", LONG_MS, &end, NULL), ERR_OK);
    assert_int_equal(end.exit_status, -1);
    assert_int_equal(end.signal, SIGKILL);
    platform_program_end_done(&end);
    platform_program_end_done(NULL);
}

TEST(arguments_reach_it_as_they_are_without_a_shell)
{
    const char *const argv[] = {"/bin/sh", "-c", "printf '[%s]' \"$@\"", "name", "$(id) `id` \"x\" ; *", "",
                                "a b",     NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    struct platform_program_end end;

    assert_int_equal(platform_program_run(&program, platform_clock(), &end, NULL), ERR_OK);
    assert_string_equal(buf_cstr(&end.output), "[$(id) `id` \"x\" ; *][][a b]");
    platform_program_end_done(&end);
}

TEST(our_environment_goes_on_without_secrets_and_with_what_is_added)
{
    const char *const argv[] = {
        "/bin/sh", "-c", "echo \"$KEPT|$REPLACED|$ADDED|$ACME_DME_API_KEY|$DNSMADEEASY_SECRET|$ACME_DME_NAME\"", NULL};
    const char *const environment[] = {"REPLACED=new", "ADDED=a=b", "ACME_DME_NAME=told", NULL};
    const struct platform_program program = {
        .argv = argv, .environment = environment, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    struct platform_program_end end;

    assert_int_equal(setenv("KEPT", "kept", 1) | setenv("REPLACED", "old", 1) |
                         setenv("ACME_DME_API_KEY", "secret", 1) | setenv("DNSMADEEASY_SECRET", "secret", 1),
                     0);
    assert_int_equal(platform_program_run(&program, platform_clock(), &end, NULL), ERR_OK);
    assert_string_equal(buf_cstr(&end.output), "kept|new|a=b|||told\n");
    platform_program_end_done(&end);
}

static int run_with_hostile_surroundings(UNUSED void *context)
{
    struct platform_program_end end;
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigset_t all;
    int fd = open("/", O_RDONLY); /* without O_CLOEXEC */

    (void)sigfillset(&all);
    (void)umask(077);
    (void)sigaction(SIGPIPE, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    CHILD_CHECK(fd >= 3);
    CHILD_CHECK(run_shell("umask; cat; for f in /proc/self/fd/*; do case ${f##*/} in [012]) ;; *) readlink \"$f\" ;; "
                          "esac; done; grep -E '^Sig(Blk|Ign):' /proc/self/status",
                          LONG_MS, &end, NULL) == ERR_OK);
    CHILD_CHECK(strstr(buf_cstr(&end.output), "0022\n") == buf_cstr(&end.output));
    CHILD_CHECK(!strstr(buf_cstr(&end.output), "\n/\n"));
#ifdef __linux__
    CHILD_CHECK(strstr(buf_cstr(&end.output), "SigBlk:\t0000000000000000"));
    /* 32 and 33 are the C library's own, which it lets nobody set, and which some parents hand down as ignored. */
    CHILD_CHECK(strstr(buf_cstr(&end.output), "SigIgn:\t0000000000000000") ||
                strstr(buf_cstr(&end.output), "SigIgn:\t0000000180000000"));
#endif
    platform_program_end_done(&end);
    return CHILD_OK;
}

TEST(it_has_no_input_no_descriptors_default_signals_and_a_usual_umask)
{
    fixture_in_child(run_with_hostile_surroundings, NULL);
}

TEST(it_leads_a_process_group_and_session_of_its_own)
{
    if (!platform_file_exists("/proc/self/stat"))
        skip();
    expect_shell("read pid name state parent group session rest </proc/self/stat; "
                 "test $group = $$ && test $session = $$",
                 0, "");
}

struct lines {
    struct buf text;
};

static void note_line(void *ctx, const char *line)
{
    struct lines *lines = ctx;

    buf_printf(&lines->text, "<%zu:%.8s>", strlen(line), line);
}

TEST(lines_are_told_as_they_come_overlong_ones_are_cut_and_the_last_needs_no_newline)
{
    const char *const argv[] = {
        "/bin/sh", "-c",
        "printf 'one\\r\\n\\ntw'; sleep 0.3; printf 'o\\n'; head -c 5000 /dev/zero | tr '\\0' x; "
        "printf '\\na\\000b\\nend'",
        NULL};
    struct lines lines = {.text = BUF_INIT(10000)};
    const struct platform_program program = {
        .argv = argv, .timeout_ms = LONG_MS, .max_output = 5, .line = note_line, .ctx = &lines};
    struct platform_program_end end;

    assert_int_equal(platform_program_run(&program, platform_clock(), &end, NULL), ERR_OK);
    assert_string_equal(buf_cstr(&lines.text), "<3:one><0:><3:two><1024:xxxxxxxx><2:ab><3:end>");
    assert_string_equal(buf_cstr(&end.output), "one\r\n");
    platform_program_end_done(&end);
    buf_done(&lines.text);
}

TEST(more_output_than_is_kept_is_read_all_the_same)
{
    struct platform_program_end end;

    assert_int_equal(run_shell("head -c 3000000 /dev/zero && exit 7", LONG_MS, &end, NULL), ERR_OK);
    assert_int_equal(end.exit_status, 7);
    assert_int_equal(end.output.len, MAX_OUTPUT);
    platform_program_end_done(&end);
}

/* ------------------------------------------------------------------ programs that are none */

TEST(what_cannot_be_run_is_refused_with_the_reason)
{
    char *dir = fixture_dir_new();
    char *absent = fixture_path(dir, "absent");
    char *plain = fixture_path(dir, "plain");
    char *lost = fixture_path(dir, "lost");
    char *bare = fixture_path(dir, "bare");

    fixture_write(plain, "#!/bin/sh\n");
    write_program(lost, "#!/no/such/shell\n");
    write_program(bare, "echo no first line\n");
    expect_not_run(absent, "there is no such file");
    expect_not_run(dir, "it is a directory");
    expect_not_run(plain, "it may not be executed (mode 06");
    if (!fixture_is_under_valgrind()) { /* which dies when the system refuses to execute */
        expect_not_run(lost, "interpreter");
        expect_not_run(bare, "begins with \"#!\"");
    }
    expect_not_run("/dev/null", "it is not a regular file");
    expect_not_run("acme-dme-no-such-program", "no directory of PATH has it");
    expect_not_run("", "it has no name");
    free(absent);
    free(plain);
    free(lost);
    free(bare);
    fixture_dir_free(dir);
}

static int run_by_name(void *context)
{
    const char *const argv[] = {"acme-dme-greet", NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    char *path = mem_printf("relative::/no/such:%s/b:/bin:/usr/bin", (const char *)context);
    struct platform_program_end end;

    CHILD_CHECK(chdir(context) == 0 && setenv("PATH", path, 1) == 0);
    CHILD_CHECK(platform_program_run(&program, platform_clock(), &end, NULL) == ERR_OK);
    CHILD_CHECK(strcmp(buf_cstr(&end.output), "right\n") == 0);
    return CHILD_OK;
}

TEST(a_name_is_looked_for_in_absolute_parts_of_path_only)
{
    char *dir = fixture_dir_new();
    char *relative = fixture_path(dir, "relative");
    char *wrong = fixture_path(relative, "acme-dme-greet");
    char *here = fixture_path(dir, "acme-dme-greet");
    char *b = fixture_path(dir, "b");
    char *right = fixture_path(b, "acme-dme-greet");

    assert_int_equal(mkdir(relative, 0755) | mkdir(b, 0755), 0);
    write_program(wrong, "#!/bin/sh\necho wrong\n");
    write_program(here, "#!/bin/sh\necho wrong\n");
    write_program(right, "#!/bin/sh\necho right\n");
    fixture_in_child(run_by_name, dir);
    free(relative);
    free(wrong);
    free(here);
    free(b);
    free(right);
    fixture_dir_free(dir);
}

/* ------------------------------------------------------------------ ends */

TEST(a_time_limit_ends_the_whole_group)
{
    char *dir = fixture_dir_new();
    char *path = fixture_path(dir, "alive");
    char *script = mem_printf("(sleep 2; echo x >'%s') & sleep 60", path);
    struct platform_program_end end;
    struct err err;

    assert_int_equal(run_shell(script, 300, &end, &err), ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, "within 1 s"));
    assert_int_equal(end.signal, SIGTERM);
    assert_in_range(end.took_ms, 300, 5000);
    platform_program_end_done(&end);
    (void)usleep(2200 * 1000);
    assert_false(platform_file_exists(path));
    free(script);
    free(path);
    fixture_dir_free(dir);
}

TEST(one_that_does_not_heed_sigterm_is_killed_later)
{
    struct platform_program_end end;

    assert_int_equal(run_shell("trap '' TERM; echo up; while :; do sleep 1; done", 200, &end, NULL), ERR_TIMEOUT);
    assert_int_equal(end.signal, SIGKILL);
    assert_string_equal(buf_cstr(&end.output), "up\n");
    assert_in_range(end.took_ms, 5200, 10000);
    platform_program_end_done(&end);
}

TEST(one_that_cleans_up_after_sigterm_is_let_do_so)
{
    struct platform_program_end end;

    assert_int_equal(run_shell("trap 'echo bye; exit 9' TERM; while :; do sleep 0.1; done", 300, &end, NULL),
                     ERR_TIMEOUT);
    assert_int_equal(end.exit_status, 9);
    assert_non_null(strstr(buf_cstr(&end.output), "bye\n")); /* a shell may also tell of its child's end */
    platform_program_end_done(&end);
}

TEST(it_is_ended_when_we_are_asked_to_stop)
{
    const char *const argv[] = {"/bin/sh", "-c", "exec >/dev/null 2>&1; sleep 60", NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    struct stop_clock clock = stop_clock_in(300);
    struct platform_program_end end;
    struct err err;

    assert_int_equal(platform_program_run(&program, &clock.base, &end, &err), ERR_CANCELLED);
    assert_non_null(strstr(err.msg, "/bin/sh"));
    assert_int_equal(end.signal, SIGTERM);
    assert_in_range(end.took_ms, 300, 5000);
    platform_program_end_done(&end);
}

TEST(a_daemon_that_keeps_the_pipe_open_is_not_waited_for)
{
    struct platform_program_end end;

    assert_int_equal(run_shell("sleep 20 & echo started", LONG_MS, &end, NULL), ERR_OK);
    assert_string_equal(buf_cstr(&end.output), "started\n");
    assert_int_equal(end.exit_status, 0);
    assert_in_range(end.took_ms, 900, 5000);
    platform_program_end_done(&end);
}

TEST(what_a_child_writes_shortly_after_its_parent_ended_is_read)
{
    expect_shell("(sleep 0.4; echo late) & exit 5", 5, "late\n");
}

static int run_with_ignored_children(UNUSED void *context)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    struct platform_program_end end;
    struct sigaction now;

    CHILD_CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    CHILD_CHECK(run_shell("exit 6", LONG_MS, &end, NULL) == ERR_OK);
    CHILD_CHECK(end.exit_status == 6);
    CHILD_CHECK(sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
    platform_program_end_done(&end);
    return CHILD_OK;
}

TEST(its_status_is_known_even_where_a_parent_of_ours_ignores_children)
{
    fixture_in_child(run_with_ignored_children, NULL);
}

TEST(no_child_and_no_descriptor_is_left_behind)
{
    int before = dup(0);
    int after;

    (void)close(before);
    for (int i = 0; i < 20; i++)
        expect_shell("echo x", 0, "x\n");
    expect_not_run("/no/such/program", "there is no such file");
    after = dup(0);
    (void)close(after);
    assert_int_equal(after, before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_and_both_outputs_are_handed_back),
        cmocka_unit_test(a_signal_that_kills_it_is_told),
        cmocka_unit_test(arguments_reach_it_as_they_are_without_a_shell),
        cmocka_unit_test(our_environment_goes_on_without_secrets_and_with_what_is_added),
        cmocka_unit_test(it_has_no_input_no_descriptors_default_signals_and_a_usual_umask),
        cmocka_unit_test(it_leads_a_process_group_and_session_of_its_own),
        cmocka_unit_test(lines_are_told_as_they_come_overlong_ones_are_cut_and_the_last_needs_no_newline),
        cmocka_unit_test(more_output_than_is_kept_is_read_all_the_same),
        cmocka_unit_test(what_cannot_be_run_is_refused_with_the_reason),
        cmocka_unit_test(a_name_is_looked_for_in_absolute_parts_of_path_only),
        cmocka_unit_test(a_time_limit_ends_the_whole_group),
        cmocka_unit_test(one_that_does_not_heed_sigterm_is_killed_later),
        cmocka_unit_test(one_that_cleans_up_after_sigterm_is_let_do_so),
        cmocka_unit_test(it_is_ended_when_we_are_asked_to_stop),
        cmocka_unit_test(a_daemon_that_keeps_the_pipe_open_is_not_waited_for),
        cmocka_unit_test(what_a_child_writes_shortly_after_its_parent_ended_is_read),
        cmocka_unit_test(its_status_is_known_even_where_a_parent_of_ours_ignores_children),
        cmocka_unit_test(no_child_and_no_descriptor_is_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
