/* SPDX-License-Identifier: MIT
 *
 * Every client's exact argv and environment, taken from the clients' sources.
 */
#include <stdlib.h>
#include <string.h>

#include "hook/hook.h"
#include "test.h"

#define VALUE "-hLhbbbR7x9kYh1ZQO0AOrBFUfTBOxjTRmqhdmwUbJA" /* begins with "-", as 1 in 64 does */

/* ------------------------------------------------------------------ a fake environment */

static const char *const *fake_env;

static const char *env_lookup(const char *name)
{
    for (const char *const *p = fake_env; p && *p; p += 2)
        if (strcmp(p[0], name) == 0)
            return p[1];
    return NULL;
}

/* clang-format off */
#define ENV(...) fake_env = (const char *const[]){__VA_ARGS__, NULL, NULL}
/* clang-format on */

static int set_up(UNUSED void **state)
{
    fake_env = NULL;
    return 0;
}

/* ------------------------------------------------------------------ helpers */

static enum err_code parse_call(const struct hook_call *from, struct hook_request *out, struct err *err, int argc,
                                const char *const *argv)
{
    char *copy[32];
    struct hook_call call = *from;

    call.argc = argc;
    call.argv = copy;
    call.env = env_lookup;

    assert_true(argc < 32);
    for (int i = 0; i < argc; i++) {
        copy[i] = strdup(argv[i]);
        assert_non_null(copy[i]);
    }
    copy[argc] = NULL;
    enum err_code code = hook_parse(&call, out, err);
    for (int i = 0; i < argc; i++)
        free(copy[i]);
    return code;
}

static enum err_code parse_as(const char *program, struct hook_request *out, struct err *err, int argc,
                              const char *const *argv)
{
    return parse_call(&(struct hook_call){.program = program}, out, err, argc, argv);
}

/* clang-format off */
#define ARGS(...) (int)ARRAY_LEN(((const char *const[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__}
/* clang-format on */

static void expect_one(enum hook_action action, enum hook_name_kind kind, const char *name, const char *value, int argc,
                       const char *const *argv)
{
    struct hook_request r;
    struct err err;

    err_init(&err);
    if (parse_as("acme-dme", &r, &err, argc, argv) != ERR_OK)
        fail_msg("%s: %s", argv[0], err.msg);
    assert_int_equal(r.action, action);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.records[0].kind, kind);
    assert_string_equal(r.records[0].name, name);
    if (value)
        assert_string_equal(r.records[0].value, value);
    else
        assert_null(r.records[0].value);
    assert_int_equal(r.turn, HOOK_TURN_ONLY);
    assert_int_equal(r.refusal.code, ERR_OK);
    hook_request_done(&r);
}

static void expect_nothing(int exit_status, int argc, const char *const *argv)
{
    struct hook_request r;
    struct err err;

    assert_int_equal(parse_as("acme-dme", &r, &err, argc, argv), ERR_OK);
    assert_int_equal(r.action, HOOK_NOTHING);
    assert_int_equal(r.exit_status, exit_status);
    assert_int_equal(r.count, 0);
    hook_request_done(&r);
}

static void expect_refused(const char *in_message, const char *in_hint, int argc, const char *const *argv)
{
    struct hook_request r = {.client = "untouched"};
    struct err err;

    err_init(&err);
    assert_int_equal(parse_as("acme-dme", &r, &err, argc, argv), ERR_USAGE);
    assert_string_equal(r.client, "untouched");
    if (!strstr(err.msg, in_message))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, in_message);
    if (!strstr(err.hint, in_hint))
        fail_msg("the hint \"%s\" does not say \"%s\"", err.hint, in_hint);
}

/* ------------------------------------------------------------------ certbot */

TEST(certbot_gives_domain_and_value_in_the_environment)
{
    ENV("CERTBOT_DOMAIN", "example.com", "CERTBOT_VALIDATION", VALUE);
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", VALUE, ARGS("auth"));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", VALUE, ARGS("cleanup"));
}

TEST(certbot_5_3_calls_the_domain_an_identifier)
{
    ENV("CERTBOT_IDENTIFIER", "new.example.com", "CERTBOT_DOMAIN", "old.example.com", "CERTBOT_VALIDATION", VALUE);
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "new.example.com", VALUE, ARGS("auth"));
}

/* A call of certbot for the identifier that `remaining` follow in `all`. */
static struct hook_request certbot_call(const char *verb, const char *domain, const char *all, const char *remaining)
{
    struct hook_request r;
    struct err err;

    ENV("CERTBOT_DOMAIN", domain, "CERTBOT_VALIDATION", VALUE, "CERTBOT_ALL_DOMAINS", all,
        "CERTBOT_REMAINING_CHALLENGES", remaining);
    err_init(&err);
    if (parse_as("acme-dme", &r, &err, ARGS(verb)) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(r.count, 1);
    return r;
}

static void expect_turn(const char *domain, const char *all, const char *remaining, enum hook_turn turn)
{
    static const char *const verbs[] = {"auth", "cleanup"};

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        struct hook_request r = certbot_call(verbs[i], domain, all, remaining);

        if (r.turn != turn)
            fail_msg("%s of \"%s\" in \"%s\": turn %d, not %d", verbs[i], domain, all, (int)r.turn, (int)turn);
        assert_int_equal(strlen(r.batch.name), turn == HOOK_TURN_ONLY ? 0 : HOOK_BATCH_LEN);
        hook_request_done(&r);
    }
}

#define THREE "a.example.com,b.example.com,b.example.com"

TEST(certbot_says_how_many_calls_follow_and_the_last_one_works_for_all)
{
    struct hook_request first = certbot_call("auth", "a.example.com", THREE, "2");
    struct hook_request last = certbot_call("auth", "b.example.com", THREE, "0");

    assert_int_equal(first.turn, HOOK_TURN_LATER);
    assert_int_equal(first.batch.position, 2);
    assert_int_equal(first.batch.calls_before, 0);
    assert_true(first.batch.is_begun);
    assert_int_equal(last.turn, HOOK_TURN_LAST);
    assert_int_equal(last.on_timeout, HOOK_TIMEOUT_KEEP);
    assert_int_equal(last.batch.position, 0);
    assert_int_equal(last.batch.calls_before, 2);
    assert_false(last.batch.is_begun);
    assert_string_equal(first.batch.name, last.batch.name);
    hook_request_done(&first);
    hook_request_done(&last);
    first = certbot_call("auth", "b.example.com", THREE, "1");
    assert_int_equal(first.turn, HOOK_TURN_LATER);
    assert_false(first.batch.is_begun);
    hook_request_done(&first);
    expect_turn("a.example.com", THREE, "2", HOOK_TURN_LATER);
    expect_turn("b.example.com", THREE, "0", HOOK_TURN_LAST);
}

TEST(batches_of_other_names_have_other_names)
{
    struct hook_request one = certbot_call("auth", "a.example.com", "a.example.com,b.example.com", "1");
    struct hook_request other = certbot_call("auth", "a.example.com", "a.example.com,c.example.com", "1");

    assert_string_not_equal(one.batch.name, other.batch.name);
    hook_request_done(&one);
    hook_request_done(&other);
}

TEST(a_single_name_and_what_certbot_does_not_tell_are_served_alone)
{
    expect_turn("a.example.com", "a.example.com", "0", HOOK_TURN_ONLY);
    expect_turn("a.example.com", "", "0", HOOK_TURN_ONLY);
    expect_turn("a.example.com", "", "3", HOOK_TURN_ONLY);
    expect_turn("a.example.com", THREE, "", HOOK_TURN_ONLY);
    expect_turn("a.example.com", THREE, "3", HOOK_TURN_ONLY); /* more to come than there are */
    expect_turn("a.example.com", ",,", "0", HOOK_TURN_ONLY);
}

TEST(addresses_are_proved_by_others_and_are_not_counted)
{
    struct hook_request r = certbot_call("auth", "b.example.com", "192.0.2.1,a.example.com,b.example.com,2001:db8::1",
                                         "1");

    assert_int_equal(r.batch.calls_before, 1);
    hook_request_done(&r);
    r = certbot_call("auth", "a.example.com", "192.0.2.1,a.example.com,b.example.com", "1");
    assert_true(r.batch.is_begun);
    hook_request_done(&r);
    expect_turn("b.example.com", "a.example.com,b.example.com,192.0.2.1,2001:db8::1", "2", HOOK_TURN_LAST);
    expect_turn("a.example.com", "a.example.com,b.example.com,192.0.2.1", "2", HOOK_TURN_LATER);
    expect_turn("a.example.com", "192.0.2.1,a.example.com,192.0.2.2", "1", HOOK_TURN_ONLY);
}

TEST(a_clean_up_is_done_whatever_certbot_says_of_its_place)
{
    ENV("CERTBOT_DOMAIN", "example.com", "CERTBOT_VALIDATION", VALUE, "CERTBOT_REMAINING_CHALLENGES", "two");
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", VALUE, ARGS("cleanup"));
}

TEST(certbots_last_call_for_http01_serves_the_others_before_it_is_refused)
{
    struct hook_request r;
    struct err err;

    ENV("CERTBOT_DOMAIN", "b.example.com", "CERTBOT_VALIDATION", "t.thumb", "CERTBOT_TOKEN", "t", "CERTBOT_ALL_DOMAINS",
        "a.example.com,b.example.com", "CERTBOT_REMAINING_CHALLENGES", "0");
    assert_int_equal(parse_as("acme-dme", &r, &err, ARGS("auth")), ERR_OK);
    assert_int_equal(r.action, HOOK_PUBLISH);
    assert_int_equal(r.count, 0);
    assert_int_equal(r.turn, HOOK_TURN_LAST);
    assert_int_equal(r.refusal.code, ERR_USAGE);
    assert_non_null(strstr(r.refusal.msg, "http-01"));
    hook_request_done(&r);
    assert_int_equal(parse_as("acme-dme", &r, &err, ARGS("cleanup")), ERR_OK);
    assert_int_equal(r.action, HOOK_WITHDRAW);
    assert_int_equal(r.count, 0);
    assert_int_equal(r.turn, HOOK_TURN_LAST);
    assert_int_equal(r.refusal.code, ERR_OK);
    hook_request_done(&r);

    /* one in the middle, and an address, behind which nothing of ours is left */
    ENV("CERTBOT_DOMAIN", "a.example.com", "CERTBOT_VALIDATION", "t.thumb", "CERTBOT_TOKEN", "t", "CERTBOT_ALL_DOMAINS",
        "a.example.com,b.example.com", "CERTBOT_REMAINING_CHALLENGES", "1");
    expect_refused("http-01", "--preferred-challenges dns", ARGS("auth"));
    expect_nothing(0, ARGS("cleanup"));
    ENV("CERTBOT_DOMAIN", "192.0.2.1", "CERTBOT_VALIDATION", "t.thumb", "CERTBOT_TOKEN", "t", "CERTBOT_ALL_DOMAINS",
        "a.example.com,192.0.2.1", "CERTBOT_REMAINING_CHALLENGES", "0");
    expect_refused("http-01", "--preferred-challenges dns", ARGS("auth"));
    expect_nothing(0, ARGS("cleanup"));
}

TEST(certbot_with_http01_is_told_which_flag_is_missing)
{
    ENV("CERTBOT_DOMAIN", "example.com", "CERTBOT_VALIDATION", VALUE, "CERTBOT_TOKEN", "tok");
    expect_refused("http-01", "--preferred-challenges dns", ARGS("auth"));
    expect_nothing(0, ARGS("cleanup"));
}

TEST(certbot_without_its_environment_is_refused)
{
    expect_refused("CERTBOT_DOMAIN is not set", "acme-dme-hooks(7)", ARGS("auth"));
    ENV("CERTBOT_DOMAIN", "example.com");
    expect_refused("CERTBOT_VALIDATION is not set", "certbot", ARGS("cleanup"));
    ENV("CERTBOT_DOMAIN", "example.com", "CERTBOT_VALIDATION", "");
    expect_refused("empty", "", ARGS("auth"));
    ENV("CERTBOT_DOMAIN", "example.com", "CERTBOT_VALIDATION", VALUE, "CERTBOT_REMAINING_CHALLENGES", "-1");
    expect_refused("CERTBOT_REMAINING_CHALLENGES", "", ARGS("auth"));
}

/* ------------------------------------------------------------------ the other clients */

TEST(lego_gives_the_record_name_with_a_dot)
{
    expect_one(HOOK_PUBLISH, HOOK_NAME_RECORD, "_acme-challenge.example.com.", VALUE,
               ARGS("present", "_acme-challenge.example.com.", VALUE));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_RECORD, "alias.example.net.", VALUE,
               ARGS("cleanup", "alias.example.net.", VALUE));
}

TEST(lego_raw_gives_a_key_authorization_that_is_digested)
{
    /* SHA-256 of "token.thumb" */
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", "lCdftpJCXapaZHkBGIZbcubeKW8RmA0jSG_aZN01zbU",
               ARGS("present", "--", "example.com", "token", "token.thumb"));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", "lCdftpJCXapaZHkBGIZbcubeKW8RmA0jSG_aZN01zbU",
               ARGS("cleanup", "--", "example.com", "token", "token.thumb"));
    expect_refused("thumbprint", "RAW", ARGS("present", "--", "example.com", "token", "nodot"));
}

TEST(cleanup_is_told_apart_by_its_arguments_even_with_certbots_environment_around)
{
    ENV("CERTBOT_DOMAIN", "other.example.com", "CERTBOT_VALIDATION", "other");
    expect_one(HOOK_WITHDRAW, HOOK_NAME_RECORD, "_acme-challenge.example.com.", VALUE,
               ARGS("cleanup", "_acme-challenge.example.com.", VALUE));
}

TEST(win_acme_gives_identifier_record_and_value)
{
    expect_one(HOOK_PUBLISH, HOOK_NAME_RECORD, "_acme-challenge.example.com", VALUE,
               ARGS("create", "example.com", "_acme-challenge.example.com", VALUE));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_RECORD, "moved.example.net", VALUE,
               ARGS("delete", "example.com", "moved.example.net", VALUE, "extra", "arguments"));
}

TEST(dehydrated_gives_one_or_many_triples)
{
    struct hook_request r;
    struct err err;

    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", VALUE,
               ARGS("deploy_challenge", "example.com", "tokenfile", VALUE));
    assert_int_equal(parse_as("acme-dme", &r, &err,
                              ARGS("clean_challenge", "example.com", "t1", "v1", "example.com", "t2", "-v2",
                                   "www.example.com", "t3", "v3")),
                     ERR_OK);
    assert_int_equal(r.action, HOOK_WITHDRAW);
    assert_int_equal(r.count, 3);
    assert_string_equal(r.records[1].name, "example.com");
    assert_string_equal(r.records[1].value, "-v2");
    assert_string_equal(r.records[2].name, "www.example.com");
    hook_request_done(&r);
    expect_refused("4 arguments", "dehydrated", ARGS("deploy_challenge", "a", "b", "c", "d"));
}

TEST(dehydrated_serves_http01_itself_and_only_tells_of_it)
{
    ENV("CHALLENGETYPE", "http-01");
    expect_nothing(0, ARGS("deploy_challenge", "example.com", "token", "token.thumbprint"));
    expect_nothing(0, ARGS("clean_challenge", "example.com", "token", "token.thumbprint"));
    ENV("CHALLENGETYPE", "dns-01");
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", VALUE,
               ARGS("deploy_challenge", "example.com", "tokenfile", VALUE));
    ENV("CHALLENGETYPE", "http-01"); /* means nothing to others */
    expect_one(HOOK_PUBLISH, HOOK_NAME_RECORD, "_acme-challenge.example.com", VALUE,
               ARGS("present", "_acme-challenge.example.com", VALUE));
}

TEST(dehydrateds_other_events_succeed_silently)
{
    expect_nothing(0, ARGS("this_hookscript_is_broken__dehydrated_is_working_fine__please_ignore_unknown_hooks_in_your_"
                           "script"));
    expect_nothing(0, ARGS("startup_hook"));
    expect_nothing(0, ARGS("deploy_cert", "example.com", "k", "c", "f", "ch", "1"));
    expect_nothing(0, ARGS("generate_csr", "example.com", "dir", "names"));
    expect_nothing(0, ARGS("invalid_challenge", "example.com", "two\nlines"));
    ENV("ALPNCERTDIR", "/x", "COMMAND", "sign_domains");
    expect_nothing(0, ARGS("an_event_of_next_year", "x"));
}

TEST(dehydrateds_exit_hook_withdraws_what_the_run_left)
{
    struct hook_request r;
    struct err err;

    assert_int_equal(parse_as("acme-dme", &r, &err, ARGS("exit_hook", "something failed")), ERR_OK);
    assert_int_equal(r.action, HOOK_WITHDRAW_RUN);
    hook_request_done(&r);
}

TEST(uacme_is_served_for_dns01_and_declined_otherwise)
{
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", VALUE,
               ARGS("begin", "dns-01", "example.com", "token", VALUE));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", VALUE,
               ARGS("done", "dns-01", "example.com", "token", VALUE));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", VALUE,
               ARGS("failed", "dns-01", "example.com", "token", VALUE));
    expect_nothing(1, ARGS("begin", "http-01", "example.com", "token", "auth"));
    expect_nothing(1, ARGS("begin", "dns-persist-01", "example.com", "", ""));
    expect_nothing(0, ARGS("failed", "http-01", "example.com", "token", "auth"));
}

TEST(acmetool_is_served_for_dns_and_answered_42_otherwise)
{
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", VALUE,
               ARGS("challenge-dns-start", "example.com", "target", VALUE, ""));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", VALUE,
               ARGS("challenge-dns-stop", "example.com", "target", VALUE, "wildcard"));
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", VALUE,
               ARGS("challenge-dns-start", "example.com", "target", VALUE));
    expect_nothing(42, ARGS("challenge-http-start", "example.com", "target", "x"));
    expect_nothing(42, ARGS("live-updated"));
    ENV("ACME_STATE_DIR", "/var/lib/acme");
    expect_nothing(42, ARGS("an-event-of-next-year"));
}

TEST(mod_md_may_leave_the_value_out_when_tearing_down)
{
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", VALUE, ARGS("setup", "example.com", VALUE));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", VALUE, ARGS("teardown", "example.com", VALUE));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", NULL, ARGS("teardown", "example.com"));
    expect_refused("1 argument ", "mod_md", ARGS("setup", "example.com"));
}

TEST(certify_the_web_gives_no_verb_but_two_programs)
{
    static const char *const create[] = {"acme-dme-create", "/opt/acme-dme-add",
                                         "C:\\Program Files\\x\\Acme-create.EXE", "ACME-DME-CREATE"};
    struct hook_request r;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(create); i++) {
        assert_true(hook_program_is_verb(create[i]));
        assert_int_equal(parse_as(create[i], &r, &err, ARGS("example.com", "_acme-challenge.example.com", VALUE, "")),
                         ERR_OK);
        assert_int_equal(r.action, HOOK_PUBLISH);
        assert_string_equal(r.records[0].name, "_acme-challenge.example.com");
        assert_true(r.time_limit_ms > 0 && r.time_limit_ms < 120000);
        hook_request_done(&r);
    }
    assert_int_equal(parse_as("acme-dme-del", &r, &err, ARGS("example.com", "_acme-challenge.example.com", VALUE)),
                     ERR_OK);
    assert_int_equal(r.action, HOOK_WITHDRAW);
    hook_request_done(&r);
    assert_int_equal(parse_as("acme-dme-delete", &r, &err, ARGS("example.com")), ERR_USAGE);
    assert_false(hook_program_is_verb("acme-dme"));
    assert_false(hook_program_is_verb("/x-add/acme-dme"));
}

TEST(the_general_verbs_take_a_record_name_or_a_domain)
{
    expect_one(HOOK_PUBLISH, HOOK_NAME_RECORD, "_acme-challenge.example.com", VALUE,
               ARGS("add-record", "_acme-challenge.example.com", VALUE));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_RECORD, "_acme-challenge.example.com", VALUE,
               ARGS("del-record", "_acme-challenge.example.com", VALUE));
    expect_one(HOOK_PUBLISH, HOOK_NAME_DOMAIN, "example.com", VALUE, ARGS("add-domain", "example.com", VALUE));
    expect_one(HOOK_WITHDRAW, HOOK_NAME_DOMAIN, "example.com", VALUE, ARGS("del-domain", "example.com", VALUE));
}

TEST(the_general_verbs_take_a_whole_batch)
{
    struct hook_request r;
    struct err err;

    assert_int_equal(parse_as("acme-dme", &r, &err,
                              ARGS("add-record", "_acme-challenge.example.com", VALUE, "alias.example.net", "-two")),
                     ERR_OK);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.records[1].kind, HOOK_NAME_RECORD);
    assert_string_equal(r.records[1].name, "alias.example.net");
    assert_string_equal(r.records[1].value, "-two");
    hook_request_done(&r);
    expect_refused("3 arguments", "NAME VALUE [NAME VALUE ...]", ARGS("del-record", "a.example.com", VALUE, "b"));
}

TEST(the_general_verbs_may_leave_their_records_to_save_records)
{
    const struct hook_call defer = {.program = "acme-dme", .defer = true};
    struct hook_request r;
    struct err err;

    assert_int_equal(parse_call(&defer, &r, &err, ARGS("add-record", "a.example.com", VALUE, "b.example.com", VALUE)),
                     ERR_OK);
    assert_int_equal(r.action, HOOK_PUBLISH);
    assert_int_equal(r.turn, HOOK_TURN_LATER);
    assert_string_equal(r.batch.name, "");
    assert_int_equal(r.count, 2);
    hook_request_done(&r);
    assert_int_equal(parse_call(&defer, &r, &err, ARGS("del-domain", "example.com", VALUE)), ERR_OK);
    assert_int_equal(r.action, HOOK_WITHDRAW);
    assert_int_equal(r.turn, HOOK_TURN_LATER);
    hook_request_done(&r);
    assert_int_equal(parse_as("acme-dme", &r, &err, ARGS("save-records")), ERR_OK);
    assert_int_equal(r.action, HOOK_SAVE);
    assert_int_equal(r.turn, HOOK_TURN_LAST);
    assert_int_equal(r.count, 0);
    hook_request_done(&r);
    expect_refused("1 argument ", "save-records (no arguments)", ARGS("save-records", "a.example.com"));
}

TEST(other_verbs_can_not_be_deferred_as_nobody_would_say_when_all_are_there)
{
    static const char *const calls[][5] = {{"present", "a.example.com.", VALUE},
                                           {"begin", "dns-01", "a.example.com", "t", VALUE},
                                           {"save-records"},
                                           {"auth"}};

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        const struct hook_call defer = {.program = "acme-dme", .defer = true};
        struct hook_request r;
        struct err err;
        int argc = 0;

        while (argc < 5 && calls[i][argc])
            argc++;
        assert_int_equal(parse_call(&defer, &r, &err, argc, calls[i]), ERR_USAGE);
        assert_non_null(strstr(err.msg, "--defer"));
        assert_non_null(strstr(err.msg, calls[i][0]));
        assert_non_null(strstr(err.hint, "\"add-record\", \"del-record\", \"add-domain\", \"del-domain\""));
    }
}

/* ------------------------------------------------------------------ what is refused */

TEST(unknown_verbs_and_wrong_numbers_of_arguments_say_what_is_expected)
{
    expect_refused("\"frobnicate\"", "--help", ARGS("frobnicate"));
    expect_refused("\"add_record\"", "Did you mean \"add-record\"?", ARGS("add_record", "a", "b"));
    expect_refused("3 arguments", "\"present FQDN. VALUE\" [lego (exec)] or ", ARGS("present", "a", "b", "c"));
    expect_refused("1 argument ", "certbot", ARGS("cleanup", "a"));
    expect_refused("0 arguments", "win-acme", ARGS("create"));
}

TEST(values_that_no_txt_record_can_have_are_refused)
{
    char large[300];

    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    expect_refused("empty", "", ARGS("add-record", "a.example.com", ""));
    expect_refused("name, is empty", "", ARGS("add-record", "", VALUE));
    expect_refused("position 2", "", ARGS("add-record", "a.example.com", "a\nb"));
    expect_refused("position 1", "", ARGS("add-record", "a.example.com", "\"quoted\""));
    expect_refused("position 1", "", ARGS("add-record", "a.example.com", "\xff"));
    expect_refused("255", "", ARGS("add-record", "a.example.com", large));
}

TEST(every_contract_describes_itself)
{
    struct hook_contract_text text;
    size_t n = 0;

    for (; hook_contract_describe(n, &text); n++) {
        assert_non_null(text.client);
        assert_non_null(text.usage);
        if (strcmp(text.verbs[0], "save-records") == 0) {
            assert_int_equal(text.verb_count, 1);
            continue;
        }
        assert_true(text.verb_count >= 2 && text.verb_count <= HOOK_VERBS_MAX);
        assert_string_not_equal(text.verbs[0], text.verbs[text.verb_count - 1]);
    }
    assert_int_equal(n, 12);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, set_up)
    const struct CMUnitTest tests[] = {
        CASE(certbot_gives_domain_and_value_in_the_environment),
        CASE(certbot_5_3_calls_the_domain_an_identifier),
        CASE(certbot_says_how_many_calls_follow_and_the_last_one_works_for_all),
        CASE(batches_of_other_names_have_other_names),
        CASE(a_single_name_and_what_certbot_does_not_tell_are_served_alone),
        CASE(addresses_are_proved_by_others_and_are_not_counted),
        CASE(a_clean_up_is_done_whatever_certbot_says_of_its_place),
        CASE(certbots_last_call_for_http01_serves_the_others_before_it_is_refused),
        CASE(certbot_with_http01_is_told_which_flag_is_missing),
        CASE(certbot_without_its_environment_is_refused),
        CASE(lego_gives_the_record_name_with_a_dot),
        CASE(lego_raw_gives_a_key_authorization_that_is_digested),
        CASE(cleanup_is_told_apart_by_its_arguments_even_with_certbots_environment_around),
        CASE(win_acme_gives_identifier_record_and_value),
        CASE(dehydrated_gives_one_or_many_triples),
        CASE(dehydrated_serves_http01_itself_and_only_tells_of_it),
        CASE(dehydrateds_other_events_succeed_silently),
        CASE(dehydrateds_exit_hook_withdraws_what_the_run_left),
        CASE(uacme_is_served_for_dns01_and_declined_otherwise),
        CASE(acmetool_is_served_for_dns_and_answered_42_otherwise),
        CASE(mod_md_may_leave_the_value_out_when_tearing_down),
        CASE(certify_the_web_gives_no_verb_but_two_programs),
        CASE(the_general_verbs_take_a_record_name_or_a_domain),
        CASE(unknown_verbs_and_wrong_numbers_of_arguments_say_what_is_expected),
        CASE(values_that_no_txt_record_can_have_are_refused),
        CASE(the_general_verbs_take_a_whole_batch),
        CASE(the_general_verbs_may_leave_their_records_to_save_records),
        CASE(other_verbs_can_not_be_deferred_as_nobody_would_say_when_all_are_there),
        CASE(every_contract_describes_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
