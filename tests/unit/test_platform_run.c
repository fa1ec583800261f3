/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "platform/platform.h"
#include "platform/posix.h"
#include "test.h"
#include "util/mem.h"
#include "util/text.h"

/* A process of a made-up /proc.  Arguments are separated by "|". */
struct made_up {
    int pid;
    int parent;
    const char *comm;
    const char *cmdline;
};

static void put(const char *proc, const char *file, const char *text, size_t len)
{
    char *path = fixture_path(proc, file);
    FILE *out;

    for (char *slash = strchr(path + strlen(proc) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    free(path);
}

static void put_process(const char *proc, const struct made_up *p, const char *state, long start)
{
    char *stat_file = mem_printf("%d/stat", p->pid);
    char *cmdline_file = mem_printf("%d/cmdline", p->pid);
    char *stat = mem_printf("%d (%s) %s %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %ld 9 10\n", p->pid, p->comm,
                            state, p->parent, start);
    char *cmdline = mem_printf("%s|", p->cmdline);
    size_t len = strlen(cmdline);

    for (char *bar = strchr(cmdline, '|'); bar; bar = strchr(bar + 1, '|'))
        *bar = '\0';
    put(proc, stat_file, stat, strlen(stat));
    put(proc, cmdline_file, cmdline, p->cmdline[0] ? len : 0);
    free(stat_file);
    free(cmdline_file);
    free(stat);
    free(cmdline);
}

/* Of the processes (the first is our parent), which one is the run? */
static void expect_run(const struct made_up *processes, size_t count, int want)
{
    char *proc = fixture_dir_new();
    char *prefix = mem_printf("%d:%d:", want, want * 10);
    char *id;

    for (size_t i = 0; i < count; i++)
        put_process(proc, &processes[i], "S", processes[i].pid * 10L);
    id = posix_run_id_in(proc, processes[0].pid, NULL);
    if (!text_starts_with(id, prefix))
        fail_msg("the run is \"%s\", not \"%s...\"", id, prefix);
    free(id);
    free(prefix);
    fixture_dir_free(proc);
}

#define EXPECT_RUN(want, ...)                                                                                          \
    do {                                                                                                               \
        static const struct made_up processes[] = {__VA_ARGS__};                                                       \
        expect_run(processes, ARRAY_LEN(processes), want);                                                             \
    } while (0)

#define INIT                                                                                                           \
    {                                                                                                                  \
        1, 0, "systemd", "/sbin/init|splash"                                                                           \
    }
#define CRON                                                                                                           \
    {                                                                                                                  \
        300, 1, "cron", "/usr/sbin/cron|-f"                                                                            \
    }

TEST(certbots_shell_is_skipped)
{
    EXPECT_RUN(500, {501, 500, "sh", "/bin/sh|-c|/usr/bin/acme-dme auth"},
               {500, 300, "certbot", "/usr/bin/python3|/usr/bin/certbot|renew"}, CRON, INIT);
    /* dash without exec of the last command, bash with other options first */
    EXPECT_RUN(500, {502, 501, "dash", "dash|-e|-c|acme-dme auth"}, {501, 500, "bash", "bash|-o|pipefail|-ec|x"},
               {500, 300, "python3", "python3|-m|certbot|renew"}, CRON, INIT);
}

TEST(a_client_that_calls_us_directly_is_the_run)
{
    EXPECT_RUN(500, {500, 300, "lego", "lego|--dns|exec|run"}, CRON, INIT);
    EXPECT_RUN(500, {500, 1, "some-new-client", "/opt/some-new-client"}, INIT);
}

TEST(a_script_that_is_the_client_is_the_run_however_it_was_started)
{
    EXPECT_RUN(500, {500, 300, "dehydrated", "/bin/bash|/usr/bin/dehydrated|-c"}, CRON, INIT);
    EXPECT_RUN(500, {500, 300, "bash", "bash|dehydrated|-c"}, CRON, INIT);
    EXPECT_RUN(500, {500, 300, "bash", "/bin/bash|-x|./my-own-client|-c"}, CRON, INIT);
    EXPECT_RUN(500, {500, 300, "busybox", "busybox|sh|/root/.acme.sh/acme.sh|--issue"}, CRON, INIT);
    EXPECT_RUN(500, {500, 300, "sh", "/bin/sh|--|getssl|-c"}, CRON, INIT);
}

TEST(subshells_of_a_script_belong_to_one_run)
{
    EXPECT_RUN(500, {502, 501, "acme.sh", "/bin/sh|/root/acme.sh|--issue"},
               {501, 500, "acme.sh", "/bin/sh|/root/acme.sh|--issue"},
               {500, 300, "acme.sh", "/bin/sh|/root/acme.sh|--issue"}, CRON, INIT);
    EXPECT_RUN(500, {501, 500, "bash", "bash|./unknown-client"}, {500, 300, "bash", "bash|./unknown-client"}, CRON,
               INIT);
    /* ... and a second one beside it is another */
    EXPECT_RUN(501, {501, 500, "acme.sh", "/bin/sh|/root/acme.sh|--issue|-d|a"},
               {500, 300, "acme.sh", "/bin/sh|/root/acme.sh|--cron"}, CRON, INIT);
}

TEST(wrapper_scripts_under_a_known_client_are_skipped)
{
    EXPECT_RUN(500, {502, 501, "hook.sh", "/bin/sh|/etc/hook.sh|auth"},
               {501, 500, "sh", "/bin/sh|-c|/etc/hook.sh auth"},
               {500, 300, "certbot", "/usr/bin/python3|/usr/bin/certbot|renew"}, CRON, INIT);
}

TEST(go_betweens_are_skipped)
{
    EXPECT_RUN(500, {504, 503, "timeout", "timeout|300|acme-dme|auth"}, {503, 502, "env", "env|A=b|timeout"},
               {502, 501, "sudo", "sudo|-n|env"}, {501, 500, "sh", "sh|-c|sudo"},
               {500, 300, "unknown", "/opt/unknown|-c"}, CRON, INIT);
}

TEST(the_search_ends_below_what_outlives_every_run)
{
    EXPECT_RUN(400, {401, 400, "sh", "sh|-c|acme-dme sweep"}, {400, 300, "sh", "/bin/sh|-c|x"}, CRON, INIT);
    EXPECT_RUN(400, {400, 1, "sh", "/bin/sh|-c|acme-dme sweep"}, INIT);
    /* an interactive shell is where it was typed */
    EXPECT_RUN(350, {350, 300, "bash", "-bash"}, {300, 1, "sshd", "sshd: root@pts/0"}, INIT);
}

TEST(in_a_container_the_first_process_may_be_the_client)
{
    EXPECT_RUN(1, {7, 1, "sh", "/bin/sh|-c|acme-dme auth"}, {1, 0, "certbot", "python3|/usr/bin/certbot|certonly"});
    EXPECT_RUN(1, {1, 0, "lego", "/lego|run"});
    EXPECT_RUN(7, {7, 1, "sh", "/bin/sh|-c|acme-dme auth"}, {1, 0, "tini", "/sbin/tini|--|sh"});
}

TEST(names_with_spaces_and_parentheses_do_not_confuse_it)
{
    EXPECT_RUN(500, {501, 500, "sh", "sh|-c|x"}, {500, 1, ") S 1 (x) R 2", "evil"}, INIT);
    EXPECT_RUN(500, {501, 500, "sh", "sh|-c|x"}, {500, 1, "a b", "a b|c"}, INIT);
}

static enum platform_run_trust trust_in(const struct made_up *processes, size_t count)
{
    char *proc = fixture_dir_new();
    enum platform_run_trust trust;

    for (size_t i = 0; i < count; i++)
        put_process(proc, &processes[i], "S", processes[i].pid * 10L);
    free(posix_run_id_in(proc, 501, &trust));
    fixture_dir_free(proc);
    return trust;
}

TEST(only_a_client_that_is_known_by_name_is_sure_to_be_the_run_of_all_calls)
{
    static const struct made_up known[] = {
        {501, 500, "hook.sh", "/bin/sh|/etc/hook.sh"}, {500, 300, "python3", "python3|-m|certbot|renew"}, CRON, INIT};
    static const struct made_up unknown[] = {
        {501, 500, "hook.sh", "/bin/sh|/etc/hook.sh"}, {500, 300, "some-new-client", "some-new-client"}, CRON, INIT};

    assert_int_equal(trust_in(known, ARRAY_LEN(known)), PLATFORM_RUN_CLIENT);
    assert_int_equal(trust_in(unknown, ARRAY_LEN(unknown)), PLATFORM_RUN_GUESSED);
    /* /proc hides the processes of other users: whoever started the script is out of sight */
    assert_int_equal(trust_in(known, 1), PLATFORM_RUN_GUESSED);
    assert_int_equal(trust_in(known, 0), PLATFORM_RUN_UNKNOWN);
}

TEST(damaged_process_files_are_survived)
{
    static const char *const stats[] = {"",
                                        "500",
                                        "500 (x",
                                        "500 (x)",
                                        "500 (x) ",
                                        ")(",
                                        "500 (x) S",
                                        "500 (x) S a 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2",
                                        "500 (x) S 1 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 -1 2"};

    for (size_t i = 0; i < ARRAY_LEN(stats); i++) {
        char *proc = fixture_dir_new();
        char *id;

        put(proc, "500/stat", stats[i], strlen(stats[i]));
        id = posix_run_id_in(proc, 500, NULL);
        assert_true(text_starts_with(id, "500:-:"));
        free(id);
        fixture_dir_free(proc);
    }
}

TEST(a_circle_of_processes_is_no_endless_loop)
{
    char *proc = fixture_dir_new();
    char *id;

    put_process(proc, &(struct made_up){500, 501, "sh", "sh|-c|x"}, "S", 1);
    put_process(proc, &(struct made_up){501, 500, "sh", "sh|-c|x"}, "S", 2);
    id = posix_run_id_in(proc, 500, NULL);
    assert_true(strlen(id) > 0 && strlen(id) < 80);
    free(id);
    fixture_dir_free(proc);
}

TEST(a_run_lives_until_its_process_ends_or_its_number_is_used_again)
{
    const struct made_up client = {INT_MAX - 7, 1, "lego", "lego"};
    char *proc = fixture_dir_new();
    char *id;
    char *gone;

    put_process(proc, &client, "S", 123);
    put(proc, "sys/kernel/random/boot_id", "0b5e-1", 6);
    id = posix_run_id_in(proc, client.pid, NULL);
    assert_true(posix_run_is_alive_in(proc, id));
    put_process(proc, &client, "Z", 123);
    assert_false(posix_run_is_alive_in(proc, id));
    put_process(proc, &client, "S", 124);
    assert_false(posix_run_is_alive_in(proc, id));
    put_process(proc, &client, "S", 123);
    put(proc, "sys/kernel/random/boot_id", "0b5e-2", 6);
    assert_false(posix_run_is_alive_in(proc, id));
    put(proc, "sys/kernel/random/boot_id", "0b5e-1", 6);
    assert_true(posix_run_is_alive_in(proc, id));
    gone = mem_printf("%d%s", INT_MAX - 6, strchr(id, ':'));
    assert_false(posix_run_is_alive_in(proc, gone));
    free(gone);
    free(id);
    fixture_dir_free(proc);
}

TEST(the_age_of_a_run_comes_from_the_time_since_the_system_started)
{
    const struct made_up client = {INT_MAX - 7, 1, "lego", "lego"};
    long tick = sysconf(_SC_CLK_TCK);
    char *proc = fixture_dir_new();
    char *id;
    char *elsewhere;

    put_process(proc, &client, "S", 100 * tick);
    put(proc, "sys/kernel/random/boot_id", "0b5e-1", 6);
    id = posix_run_id_in(proc, client.pid, NULL);
    assert_false(posix_run_is_younger_in(proc, id, 60000)); /* how long the system has been up is not told */
    put(proc, "uptime", "3700.25 9999.99\n", 16);
    assert_false(posix_run_is_younger_in(proc, id, 3600000));
    assert_true(posix_run_is_younger_in(proc, id, 3601000));
    assert_false(posix_run_is_younger_in(proc, id, 0));
    elsewhere = mem_strdup(id);
    elsewhere[strlen(elsewhere) - 1] ^= 1;
    assert_false(posix_run_is_younger_in(proc, elsewhere, 3601000));
    assert_false(posix_run_is_younger_in(proc, "nonsense", 3601000));
    assert_false(posix_run_is_younger_in(proc, NULL, 3601000));
    put_process(proc, &client, "S", 200 * tick);
    assert_false(posix_run_is_younger_in(proc, id, 3601000)); /* that one is over */
    free(elsewhere);
    free(id);
    fixture_dir_free(proc);
}

TEST(a_run_of_another_host_or_container_counts_as_alive)
{
    char *proc = fixture_dir_new();
    char *ns_dir = fixture_path(proc, "self/ns");
    char *ns = fixture_path(proc, "self/ns/pid");
    char *id;
    char *elsewhere;

    put_process(proc, &(struct made_up){INT_MAX - 7, 1, "lego", "lego"}, "S", 123);
    put(proc, "self/ns/x", "", 0);
    assert_int_equal(symlink("pid:[1]", ns), 0);
    id = posix_run_id_in(proc, INT_MAX - 7, NULL);
    put_process(proc, &(struct made_up){INT_MAX - 7, 1, "lego", "lego"}, "S", 999);
    assert_false(posix_run_is_alive_in(proc, id));
    elsewhere = mem_strdup(id);
    elsewhere[strlen(elsewhere) - 1] ^= 1;
    assert_true(posix_run_is_alive_in(proc, elsewhere));
    assert_int_equal(unlink(ns), 0);
    assert_int_equal(symlink("pid:[2]", ns), 0);
    assert_true(posix_run_is_alive_in(proc, id));
    free(elsewhere);
    free(id);
    free(ns);
    free(ns_dir);
    fixture_dir_free(proc);
}

TEST(a_text_that_is_no_run_id_counts_as_alive)
{
    static const char *const texts[] = {"",           "x", "1", "1:2", "0:1:a:b:c", "-5:1:a:b:c", "99999999999:1:a:b:c",
                                        "1:2:3:4:5:6"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_true(platform_run_is_alive(texts[i]));
    assert_true(platform_run_is_alive(NULL));
}

static int print_run_id(void *context)
{
    const int *out = context;
    char *id = platform_run_id(NULL);

    CHILD_CHECK(write(*out, id, strlen(id)) == (ssize_t)strlen(id));
    free(id);
    return CHILD_OK;
}

TEST(on_this_machine_children_of_one_process_agree_and_it_is_alive)
{
    int ends[2];
    char first[128] = "";
    char second[128] = "";

    assert_int_equal(pipe(ends), 0);
    fixture_in_child(print_run_id, &ends[1]);
    assert_true(read(ends[0], first, sizeof first - 1) > 0);
    fixture_in_child(print_run_id, &ends[1]);
    assert_true(read(ends[0], second, sizeof second - 1) > 0);
    assert_string_equal(first, second);
    assert_true(platform_run_is_alive(first));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certbots_shell_is_skipped),
        cmocka_unit_test(a_client_that_calls_us_directly_is_the_run),
        cmocka_unit_test(a_script_that_is_the_client_is_the_run_however_it_was_started),
        cmocka_unit_test(subshells_of_a_script_belong_to_one_run),
        cmocka_unit_test(wrapper_scripts_under_a_known_client_are_skipped),
        cmocka_unit_test(go_betweens_are_skipped),
        cmocka_unit_test(the_search_ends_below_what_outlives_every_run),
        cmocka_unit_test(in_a_container_the_first_process_may_be_the_client),
        cmocka_unit_test(names_with_spaces_and_parentheses_do_not_confuse_it),
        cmocka_unit_test(only_a_client_that_is_known_by_name_is_sure_to_be_the_run_of_all_calls),
        cmocka_unit_test(damaged_process_files_are_survived),
        cmocka_unit_test(a_circle_of_processes_is_no_endless_loop),
        cmocka_unit_test(a_run_lives_until_its_process_ends_or_its_number_is_used_again),
        cmocka_unit_test(the_age_of_a_run_comes_from_the_time_since_the_system_started),
        cmocka_unit_test(a_run_of_another_host_or_container_counts_as_alive),
        cmocka_unit_test(a_text_that_is_no_run_id_counts_as_alive),
        cmocka_unit_test(on_this_machine_children_of_one_process_agree_and_it_is_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
