/* SPDX-License-Identifier: MIT
 *
 * The operator's programs: in their order, with what they need to know, and what their failure says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "flow/program.h"
#include "platform/platform.h"
#include "test.h"

#define COMMANDS_MAX 3

struct stage {
    char *dir;
    char *trace; /* a file that the programs write to */
    struct log log;
    char *log_text;
    size_t log_len;
    struct strlist domains;
    struct strlist commands[COMMANDS_MAX];
    const struct strlist *list[COMMANDS_MAX];
    size_t count;
    struct program_runner runner;
    struct program_call call;
    struct err err;
};

static void stage_init(struct stage *s)
{
    *s = (struct stage){.dir = fixture_dir_new()};
    s->trace = fixture_path(s->dir, "trace");
    s->log = (struct log){.level = LOG_INFO, .out = open_memstream(&s->log_text, &s->log_len)};
    strlist_add(&s->domains, "www.example.com");
    strlist_add(&s->domains, "*.example.com");
    s->runner = (struct program_runner){.clock = platform_clock(), .log = &s->log, .timeout_ms = 20000};
    s->call = (struct program_call){.event = PROGRAM_DEPLOY,
                                    .name = "www",
                                    .dir = "/state/certs/www",
                                    .domains = &s->domains,
                                    .directory = "https://ca.example.net/dir",
                                    .not_after_s = 1297544344};
}

static void stage_done(struct stage *s)
{
    assert_int_equal(fclose(s->log.out), 0);
    free(s->log_text);
    for (size_t i = 0; i < s->count; i++)
        strlist_done(&s->commands[i]);
    strlist_done(&s->domains);
    free(s->trace);
    fixture_dir_free(s->dir);
}

/* One more command: a shell that runs the script, which finds the trace's name in $0. */
static void add(struct stage *s, const char *script)
{
    struct strlist *command = &s->commands[s->count];

    strlist_add(command, "/bin/sh");
    strlist_add(command, "-c");
    strlist_add(command, script);
    strlist_add(command, s->trace);
    s->list[s->count++] = command;
}

static enum err_code run(struct stage *s)
{
    err_init(&s->err);
    return programs_run(&s->runner, s->list, s->count, &s->call, &s->err);
}

static void assert_trace(const struct stage *s, const char *want)
{
    AUTO_FREE char *got = fixture_read(s->trace);

    assert_non_null(got);
    assert_string_equal(got, want);
}

/* What a program has in its environment under names that begin like ours. */
static const char show_ours[] = "env | grep -E '^(ACME_DME_|RENEWED_)' | LC_ALL=C sort > \"$0\"";

TEST(a_program_knows_certificate_files_names_and_ca)
{
    struct stage s;

    stage_init(&s);
    add(&s, show_ours);
    assert_int_equal(run(&s), ERR_OK);
    assert_trace(&s, "ACME_DME_CERT=/state/certs/www/cert.pem\n"
                     "ACME_DME_CHAIN=/state/certs/www/chain.pem\n"
                     "ACME_DME_DIRECTORY=https://ca.example.net/dir\n"
                     "ACME_DME_DOMAINS=www.example.com *.example.com\n"
                     "ACME_DME_EVENT=deploy\n"
                     "ACME_DME_FULLCHAIN=/state/certs/www/fullchain.pem\n"
                     "ACME_DME_KEY=/state/certs/www/privkey.pem\n"
                     "ACME_DME_NAME=www\n"
                     "ACME_DME_NOT_AFTER=2011-02-12T20:59:04Z\n"
                     "RENEWED_DOMAINS=www.example.com *.example.com\n"
                     "RENEWED_LINEAGE=/state/certs/www\n");
    stage_done(&s);
}

TEST(a_program_for_several_certificates_knows_their_names_and_where_they_are)
{
    struct stage s;
    struct strlist AUTO_STRLIST names = {NULL, 0};

    stage_init(&s);
    strlist_add(&names, "www");
    strlist_add(&names, "mail");
    s.call = (struct program_call){.event = PROGRAM_DEPLOY, .names = &names, .dir = "/state/certs"};
    add(&s, show_ours);
    assert_int_equal(run(&s), ERR_OK);
    assert_trace(&s, "ACME_DME_CERTS=/state/certs\n"
                     "ACME_DME_EVENT=deploy\n"
                     "ACME_DME_NAMES=www\n");
    add(&s, "exit 7");
    assert_int_equal(run(&s), ERR_PROGRAM);
    assert_non_null(strstr(s.err.msg, "the deploy program of 2 certificates: "));
    stage_done(&s);
}

TEST(what_there_is_besides_and_what_went_wrong_are_told_only_then)
{
    struct stage s;
    AUTO_FREE char *got = NULL;

    stage_init(&s);
    add(&s, show_ours);
    s.call.event = PROGRAM_FAILED;
    s.call.has_combined = s.call.has_pfx = true;
    s.call.not_after_s = 0;
    s.call.error = "the CA says: no; $(touch x) `y`";
    assert_int_equal(run(&s), ERR_OK);
    got = fixture_read(s.trace);
    assert_non_null(strstr(got, "ACME_DME_EVENT=failed\n"));
    assert_non_null(strstr(got, "ACME_DME_COMBINED=/state/certs/www/combined.pem\n"));
    assert_non_null(strstr(got, "ACME_DME_PFX=/state/certs/www/certificate.pfx\n"));
    assert_non_null(strstr(got, "ACME_DME_ERROR=the CA says: no; $(touch x) `y`\n"));
    assert_null(strstr(got, "NOT_AFTER"));
    stage_done(&s);
}

TEST(programs_run_in_their_order_and_their_output_is_logged)
{
    struct stage s;

    stage_init(&s);
    add(&s, "echo one >> \"$0\"; echo hello");
    add(&s, "echo two >> \"$0\"; echo oops >&2");
    add(&s, "echo three >> \"$0\"");
    assert_int_equal(run(&s), ERR_OK);
    assert_trace(&s, "one\ntwo\nthree\n");
    assert_int_equal(fflush(s.log.out), 0);
    assert_non_null(strstr(s.log_text, "/bin/sh: hello"));
    assert_non_null(strstr(s.log_text, "/bin/sh: oops"));
    stage_done(&s);
}

TEST(the_first_that_fails_ends_it_and_its_last_line_says_why)
{
    struct stage s;

    stage_init(&s);
    add(&s, "echo one >> \"$0\"");
    add(&s, "echo trying; echo 'no such server' >&2; echo; exit 3");
    add(&s, "echo three >> \"$0\"");
    assert_int_equal(run(&s), ERR_PROGRAM);
    assert_int_equal(s.err.code, ERR_PROGRAM);
    assert_string_equal(s.err.msg,
                        "the deploy program of \"www\": \"/bin/sh\" ended with exit status 3: no such server");
    assert_trace(&s, "one\n");
    stage_done(&s);
}

TEST(a_program_that_dies_says_of_what)
{
    struct stage s;

    stage_init(&s);
    add(&s, "kill -9 $$");
    s.call.event = PROGRAM_PRE;
    assert_int_equal(run(&s), ERR_PROGRAM);
    assert_string_equal(s.err.msg, "the pre program of \"www\": \"/bin/sh\" was killed by signal 9");
    stage_done(&s);
}

TEST(a_program_that_is_not_there_is_named)
{
    struct stage s;

    stage_init(&s);
    strlist_add(&s.commands[0], "/nonexistent/reload");
    s.list[s.count++] = &s.commands[0];
    s.call.event = PROGRAM_POST;
    assert_int_equal(run(&s), ERR_PROGRAM);
    assert_int_equal(s.err.code, ERR_PROGRAM);
    assert_non_null(strstr(s.err.msg, "the post program of \"www\": "));
    assert_non_null(strstr(s.err.msg, "/nonexistent/reload"));
    stage_done(&s);
}

TEST(a_program_that_takes_too_long_is_ended)
{
    struct stage s;

    stage_init(&s);
    add(&s, "sleep 30; echo late > \"$0\"");
    s.runner.timeout_ms = 200;
    assert_int_equal(run(&s), ERR_PROGRAM);
    assert_int_equal(s.err.code, ERR_PROGRAM);
    assert_int_not_equal(access(s.trace, F_OK), 0);
    stage_done(&s);
}

/* ------------------------------------------------------------------ interruption */

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

static bool always(UNUSED struct clock *self)
{
    return true;
}

TEST(an_interruption_is_no_failure_of_the_program)
{
    struct clock stopped = {
        .wall_ms = real_wall_ms, .mono_ms = real_mono_ms, .sleep_ms = real_sleep_ms, .is_cancelled = always};
    struct stage s;

    stage_init(&s);
    add(&s, "sleep 30");
    add(&s, "echo two >> \"$0\"");
    s.runner.clock = &stopped;
    assert_int_equal(run(&s), ERR_CANCELLED);
    assert_int_equal(s.err.code, ERR_CANCELLED);
    assert_int_not_equal(access(s.trace, F_OK), 0);
    stage_done(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_knows_certificate_files_names_and_ca),
        cmocka_unit_test(a_program_for_several_certificates_knows_their_names_and_where_they_are),
        cmocka_unit_test(what_there_is_besides_and_what_went_wrong_are_told_only_then),
        cmocka_unit_test(programs_run_in_their_order_and_their_output_is_logged),
        cmocka_unit_test(the_first_that_fails_ends_it_and_its_last_line_says_why),
        cmocka_unit_test(a_program_that_dies_says_of_what),
        cmocka_unit_test(a_program_that_is_not_there_is_named),
        cmocka_unit_test(a_program_that_takes_too_long_is_ended),
        cmocka_unit_test(an_interruption_is_no_failure_of_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
