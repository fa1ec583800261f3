/* SPDX-License-Identifier: MIT
 *
 * The operator's programs: in their order, with what they need to know, and what their failure says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "flow/program.h"
#include "platform/platform.h"
#include "test.h"
#include "util/text.h"

#define COMMANDS_MAX 3

/* ------------------------------------------------------------------ the program that is run */

#define BE_PROGRAM "--be-program"
#define STEP_SLEEP_MS 30000

static const char *this_program;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is in the environment under names that begin like ours. */
static void write_ours(FILE *out)
{
    struct strlist ours = {NULL, 0};

    for (char **entry = fixture_environ(); *entry; entry++)
        if (text_starts_with(*entry, "ACME_DME_") || text_starts_with(*entry, "RENEWED_"))
            strlist_add(&ours, *entry);
    if (ours.count)
        qsort(ours.items, ours.count, sizeof *ours.items, by_text);
    for (size_t i = 0; i < ours.count; i++)
        (void)fprintf(out, "%s\n", ours.items[i]);
    strlist_done(&ours);
}

/* "trace:<line>" appends to the trace, "out:<line>" and "err:<line>" say something, "exit:<status>", "die" and "sleep"
 * are what they are called, "environment" goes into the trace. */
static void take_step(const char *trace, const char *step)
{
    const char *arg = strchr(step, ':');

    arg = arg ? arg + 1 : "";
    if (text_starts_with(step, "trace:") || text_starts_with(step, "environment")) {
        FILE *out = fixture_open(trace, *arg ? "a" : "w");

        if (!out)
            exit(99);
        if (*arg)
            (void)fprintf(out, "%s\n", arg);
        else
            write_ours(out);
        (void)fclose(out);
    } else if (text_starts_with(step, "out:")) {
        (void)puts(arg);
        (void)fflush(stdout);
    } else if (text_starts_with(step, "err:")) {
        (void)fprintf(stderr, "%s\n", arg);
    } else if (text_starts_with(step, "exit:")) {
        exit((int)strtol(arg, NULL, 10));
    } else if (text_starts_with(step, "die")) {
        fixture_die();
    } else {
        fixture_sleep_ms(STEP_SLEEP_MS);
    }
}

static int be_program(int argc, char **argv)
{
    for (int i = 3; i < argc; i++)
        take_step(argv[2], argv[i]);
    return 0;
}

/* ------------------------------------------------------------------ who runs it */

struct stage {
    char *dir;
    char *trace; /* a file that the programs write to */
    struct log log;
    struct fixture_stream said;
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
    fixture_stream_open(&s->said);
    s->log = (struct log){.level = LOG_INFO, .out = s->said.out};
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
    fixture_stream_done(&s->said);
    for (size_t i = 0; i < s->count; i++)
        strlist_done(&s->commands[i]);
    strlist_done(&s->domains);
    free(s->trace);
    fixture_dir_free(s->dir);
}

/* One more command: this very program, which takes steps (see take_step()). */
static void add(struct stage *s, const char *const *steps)
{
    struct strlist *command = &s->commands[s->count];

    strlist_add(command, this_program);
    strlist_add(command, BE_PROGRAM);
    strlist_add(command, s->trace);
    for (; *steps; steps++)
        strlist_add(command, *steps);
    s->list[s->count++] = command;
}
#define ADD(s, ...) add(s, (const char *const[]){__VA_ARGS__, NULL})

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

TEST(a_program_knows_certificate_files_names_and_ca)
{
    struct stage s;

    stage_init(&s);
    ADD(&s, "environment");
    assert_int_equal(run(&s), ERR_OK);
    assert_trace(&s,
                 "ACME_DME_CERT=" FIXTURE_SEP "state" FIXTURE_SEP "certs" FIXTURE_SEP "www" FIXTURE_SEP "cert.pem\n"
                 "ACME_DME_CHAIN=" FIXTURE_SEP "state" FIXTURE_SEP "certs" FIXTURE_SEP "www" FIXTURE_SEP "chain.pem\n"
                 "ACME_DME_DIRECTORY=https://ca.example.net/dir\n"
                 "ACME_DME_DOMAINS=www.example.com *.example.com\n"
                 "ACME_DME_EVENT=deploy\n"
                 "ACME_DME_FULLCHAIN=" FIXTURE_SEP "state" FIXTURE_SEP "certs" FIXTURE_SEP "www" FIXTURE_SEP
                 "fullchain.pem\n"
                 "ACME_DME_KEY=" FIXTURE_SEP "state" FIXTURE_SEP "certs" FIXTURE_SEP "www" FIXTURE_SEP "privkey.pem\n"
                 "ACME_DME_NAME=www\n"
                 "ACME_DME_NOT_AFTER=2011-02-12T20:59:04Z\n"
                 "RENEWED_DOMAINS=www.example.com *.example.com\n"
                 "RENEWED_LINEAGE=" FIXTURE_SEP "state" FIXTURE_SEP "certs" FIXTURE_SEP "www\n");
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
    ADD(&s, "environment");
    assert_int_equal(run(&s), ERR_OK);
    assert_trace(&s, "ACME_DME_CERTS=" FIXTURE_SEP "state" FIXTURE_SEP "certs\n"
                     "ACME_DME_EVENT=deploy\n"
                     "ACME_DME_NAMES=www\nmail\n");
    ADD(&s, "exit:7");
    assert_int_equal(run(&s), ERR_PROGRAM);
    assert_non_null(strstr(s.err.msg, "the deploy program of 2 certificates: "));
    stage_done(&s);
}

TEST(what_there_is_besides_and_what_went_wrong_are_told_only_then)
{
    struct stage s;
    AUTO_FREE char *got = NULL;

    stage_init(&s);
    ADD(&s, "environment");
    s.call.event = PROGRAM_FAILED;
    s.call.has_combined = s.call.has_pfx = true;
    s.call.not_after_s = 0;
    s.call.error = "the CA says: no; $(touch x) `y`";
    assert_int_equal(run(&s), ERR_OK);
    got = fixture_read(s.trace);
    assert_non_null(strstr(got, "ACME_DME_EVENT=failed\n"));
    assert_non_null(strstr(got, "ACME_DME_COMBINED=" FIXTURE_SEP "state" FIXTURE_SEP "certs" FIXTURE_SEP
                                "www" FIXTURE_SEP "combined.pem\n"));
    assert_non_null(strstr(got, "ACME_DME_PFX=" FIXTURE_SEP "state" FIXTURE_SEP "certs" FIXTURE_SEP "www" FIXTURE_SEP
                                "certificate.pfx\n"));
    assert_non_null(strstr(got, "ACME_DME_ERROR=the CA says: no; $(touch x) `y`\n"));
    assert_null(strstr(got, "NOT_AFTER"));
    stage_done(&s);
}

TEST(programs_run_in_their_order_and_their_output_is_logged)
{
    struct stage s;
    AUTO_FREE char *hello = NULL;
    AUTO_FREE char *oops = NULL;

    stage_init(&s);
    ADD(&s, "trace:one", "out:hello");
    ADD(&s, "trace:two", "err:oops");
    ADD(&s, "trace:three");
    assert_int_equal(run(&s), ERR_OK);
    assert_trace(&s, "one\ntwo\nthree\n");
    hello = mem_printf("%s: hello", this_program);
    oops = mem_printf("%s: oops", this_program);
    assert_non_null(strstr(fixture_stream_text(&s.said), hello));
    assert_non_null(strstr(fixture_stream_text(&s.said), oops));
    stage_done(&s);
}

TEST(the_first_that_fails_ends_it_and_its_last_line_says_why)
{
    struct stage s;
    AUTO_FREE char *want = NULL;

    stage_init(&s);
    ADD(&s, "trace:one");
    ADD(&s, "out:trying", "err:no such server", "out:", "exit:3");
    ADD(&s, "trace:three");
    assert_int_equal(run(&s), ERR_PROGRAM);
    assert_int_equal(s.err.code, ERR_PROGRAM);
    want = mem_printf("the deploy program of \"www\": \"%s\" ended with exit status 3: no such server", this_program);
    assert_string_equal(s.err.msg, want);
    assert_trace(&s, "one\n");
    stage_done(&s);
}

TEST(a_program_that_dies_says_of_what)
{
    struct stage s;
    AUTO_FREE char *want = NULL;

    fixture_needs(FIXTURE_SIGNALS);
    stage_init(&s);
    ADD(&s, "die");
    s.call.event = PROGRAM_PRE;
    assert_int_equal(run(&s), ERR_PROGRAM);
    want = mem_printf("the pre program of \"www\": \"%s\" was killed by signal 9", this_program);
    assert_string_equal(s.err.msg, want);
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
    ADD(&s, "sleep", "trace:late");
    s.runner.timeout_ms = 200;
    assert_int_equal(run(&s), ERR_PROGRAM);
    assert_int_equal(s.err.code, ERR_PROGRAM);
    assert_false(platform_file_exists(s.trace));
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
    ADD(&s, "sleep");
    ADD(&s, "trace:two");
    s.runner.clock = &stopped;
    assert_int_equal(run(&s), ERR_CANCELLED);
    assert_int_equal(s.err.code, ERR_CANCELLED);
    assert_false(platform_file_exists(s.trace));
    stage_done(&s);
}

int main(int argc, char **argv)
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

    char AUTO_FREE *program = NULL;

    if (argc > 2 && strcmp(argv[1], BE_PROGRAM) == 0)
        return be_program(argc, argv);
    this_program = program = fixture_program(argv[0]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
