/* SPDX-License-Identifier: MIT
 *
 * Keys and types of values.
 */
#include <string.h>

#include "config/loading.h"
#include "config_fixture.h"
#include "fixture.h"
#include "test.h"
#include "util/buf.h"

/* What follows "@/c.yaml:" when this line is put below good credentials. */
struct bad {
    const char *text;
    const char *message;
};

static void expect_each(struct config_fixture *f, const struct bad *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char AUTO_FREE *text = mem_printf(GOOD_CREDENTIALS "%s\n", table[i].text);
        char AUTO_FREE *message = mem_printf("@/c.yaml:%s", table[i].message);

        load_config_text(f, text);
        expect_error(f, ERR_CONFIG, message);
    }
}

static void load_line(struct config_fixture *f, const char *line)
{
    char AUTO_FREE *text = mem_printf(GOOD_CREDENTIALS "%s\n", line);

    load_config_text(f, text);
}

TEST(without_settings_all_have_their_defaults)
{
    struct config_fixture *f = *state;
    const struct config *c;

    load_config_text(f, GOOD_CREDENTIALS);
    expect_silence(f);
    c = f->config;
    assert_string_equal(c->endpoint, "https://api.dnsmadeeasy.com/V2.0/");
    assert_false(c->sandbox);
    assert_null(c->ca_file);
    assert_int_equal(c->ttl_s, 10);
    assert_int_equal(c->request_timeout_ms, 30000);
    assert_int_equal(c->give_up_after_ms, 90000);
    assert_int_equal(c->request_limit, 0);
    assert_int_equal(c->request_window_ms, 300000);
    assert_int_equal(c->budget_wait_ms, 900000);
    assert_int_equal(c->propagation_timeout_ms, 100000);
    assert_int_equal(c->settle_ms, 10000);
    assert_int_equal(c->lame_after_ms, 10000);
    assert_int_equal(c->resolvers.count, 0);
    assert_int_equal(c->nameservers.count, 0);
    assert_int_equal(c->doh, CONFIG_DOH_AUTO);
    assert_int_equal(c->doh_urls.count, 2);
    assert_string_equal(c->doh_urls.items[0], "https://cloudflare-dns.com/dns-query");
    assert_string_equal(c->doh_urls.items[1], "https://dns.google/dns-query");
    assert_true(c->follow_cname);
    assert_null(c->state_dir);
    assert_int_equal(c->journal, CONFIG_JOURNAL_REQUIRED);
    assert_int_equal(c->sweep_after_ms, 24 * 3600 * 1000);
    assert_false(c->allow_readable_secrets);
}

TEST(every_setting_is_taken_from_the_file)
{
    struct config_fixture *f = *state;
    const struct config *c;

    given_write(f, "ca.pem", GOOD_CA);
    load_config_text(f, GOOD_CREDENTIALS "dnsmadeeasy:\n"
                                         "  endpoint: https://api.example/V2.0\n"
                                         "  ca_file: ca.pem\n"
                                         "  ttl: 5\n"
                                         "  timeout: 1500ms\n"
                                         "  give_up_after: 20s\n"
                                         "  request_limit: 100\n"
                                         "  request_window: 1m\n"
                                         "  budget_wait: 0s\n"
                                         "propagation:\n"
                                         "  timeout: 2m\n"
                                         "  settle: 0s\n"
                                         "  lame_after: 1s\n"
                                         "  resolvers: [\"127.0.0.10:53\", 192.0.2.1]\n"
                                         "  nameservers:\n"
                                         "  - \"[2001:db8::1]:53\"\n"
                                         "  doh: always\n"
                                         "  doh_urls: [https://dns.example/dns-query]\n"
                                         "follow_cname: no\n"
                                         "state_dir: /state\n"
                                         "journal: none\n"
                                         "sweep_after: 1d\n"
                                         "allow_readable_secrets: true\n");
    expect_silence(f);
    c = f->config;
    assert_string_equal(c->endpoint, "https://api.example/V2.0/");
    assert_string_equal(c->ca_file + strlen(f->dir), "/ca.pem");
    assert_int_equal(c->ttl_s, 5);
    assert_int_equal(c->request_timeout_ms, 1500);
    assert_int_equal(c->give_up_after_ms, 20000);
    assert_int_equal(c->request_limit, 100);
    assert_int_equal(c->request_window_ms, 60000);
    assert_int_equal(c->budget_wait_ms, 0);
    assert_int_equal(c->propagation_timeout_ms, 120000);
    assert_int_equal(c->settle_ms, 0);
    assert_int_equal(c->lame_after_ms, 1000);
    assert_int_equal(c->resolvers.count, 2);
    assert_string_equal(c->resolvers.items[0], "127.0.0.10:53");
    assert_string_equal(c->resolvers.items[1], "192.0.2.1");
    assert_int_equal(c->nameservers.count, 1);
    assert_string_equal(c->nameservers.items[0], "[2001:db8::1]:53");
    assert_int_equal(c->doh, CONFIG_DOH_ALWAYS);
    assert_int_equal(c->doh_urls.count, 1);
    assert_string_equal(c->doh_urls.items[0], "https://dns.example/dns-query");
    assert_false(c->follow_cname);
    assert_string_equal(c->state_dir, "/state");
    assert_int_equal(c->journal, CONFIG_JOURNAL_NONE);
    assert_int_equal(c->sweep_after_ms, 86400000);
    assert_true(c->allow_readable_secrets);
}

TEST(sandbox_has_an_endpoint_of_its_own)
{
    struct config_fixture *f = *state;

    load_line(f, "dnsmadeeasy: {sandbox: true}");
    expect_silence(f);
    assert_string_equal(f->config->endpoint, "https://api.sandbox.dnsmadeeasy.com/V2.0/");
    load_line(f, "dnsmadeeasy: {sandbox: true, endpoint: \"https://x.example/\"}");
    expect_error(f, ERR_CONFIG, "@/c.yaml: \"dnsmadeeasy.endpoint\" and \"dnsmadeeasy.sandbox\" are both given");
    load_line(f, "dnsmadeeasy: {sandbox: false, endpoint: \"https://x.example/\"}");
    expect_silence(f);
    assert_string_equal(f->config->endpoint, "https://x.example/");
}

TEST(sections_may_be_all_comments)
{
    struct config_fixture *f = *state;

    load_line(f, "propagation:\n  # timeout: 100s\ndnsmadeeasy:");
    expect_silence(f);
}

TEST(booleans_have_the_usual_words)
{
    static const char *const yes[] = {"true", "True", "yes", "on", "ON", "\"true\"", "1"};
    static const char *const no[] = {"false", "FALSE", "no", "off", "0"};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(yes) + ARRAY_LEN(no); i++) {
        bool want = i < ARRAY_LEN(yes);
        char AUTO_FREE *line = mem_printf("follow_cname: %s", want ? yes[i] : no[i - ARRAY_LEN(yes)]);

        load_line(f, line);
        expect_silence(f);
        assert_int_equal(f->config->follow_cname, want);
    }
}

TEST(wrong_values_are_refused_with_what_is_right)
{
    static const struct bad table[] = {
        {"dnsmadeeasy: {ttl: 0}", "2:20: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"0\""},
        {"dnsmadeeasy: {ttl: 86401}",
         "2:20: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"86401\""},
        {"dnsmadeeasy: {ttl: 60s}", "2:20: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"60s\""},
        {"dnsmadeeasy: {ttl: -1}", "2:20: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"-1\""},
        {"dnsmadeeasy: {ttl: 6e1}", "2:20: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"6e1\""},
        {"dnsmadeeasy: {ttl: 99999999999999999999999}",
         "2:20: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"99999999999999999999999\""},
        {"propagation: {timeout: 100}",
         "2:24: \"propagation.timeout\" needs a unit (ms, s, m, h or d): \"100s\" if seconds are meant"},
        {"propagation: {timeout: 100 s}",
         "2:24: \"propagation.timeout\" must be a duration from 1s to 1d, not \"100 s\""},
        {"propagation: {timeout: 1.5m}",
         "2:24: \"propagation.timeout\" must be a duration from 1s to 1d, not \"1.5m\""},
        {"propagation: {timeout: 999ms}",
         "2:24: \"propagation.timeout\" must be a duration from 1s to 1d, not \"999ms\""},
        {"propagation: {timeout: 25h}", "2:24: \"propagation.timeout\" must be a duration from 1s to 1d, not \"25h\""},
        {"propagation: {timeout: 1w}", "2:24: \"propagation.timeout\" must be a duration from 1s to 1d, not \"1w\""},
        {"propagation: {settle: -1s}", "2:23: \"propagation.settle\" must be a duration from 0s to 1h, not \"-1s\""},
        {"follow_cname: maybe", "2:15: \"follow_cname\" must be true or false, not \"maybe\""},
        {"follow_cname: 2", "2:15: \"follow_cname\" must be true or false, not \"2\""},
        {"journal: never", "2:10: \"journal\" must be \"required\" or \"none\", not \"never\""},
        {"state_dir: \"\"", "2:12: \"state_dir\" must be a path without control characters"},
        {"state_dir: \"/a\\nb\"", "2:12: \"state_dir\" must be a path without control characters"},
        {"propagation: {resolvers: [localhost]}", "2:27: \"propagation.resolvers\" must be an IP address "
                                                  "with or without port (\"192.0.2.1\", \"192.0.2.1:53\", "
                                                  "\"[2001:db8::1]:53\"), not \"localhost\""},
        {"propagation: {doh_urls: []}", "2:25: \"propagation.doh_urls\" must not be empty"},
        {"propagation: {doh_urls: [\"http://dns.example/\"]}",
         "2:26: \"propagation.doh_urls\" must be an https URL (http is for servers on this machine only)"},
        {"dnsmadeeasy: {endpoint: \"http://api.example/\"}",
         "2:25: \"dnsmadeeasy.endpoint\" must be an https URL (http is for servers on this machine only)"},
        {"dnsmadeeasy: {endpoint: \"https://me:pw@api.example/\"}",
         "2:25: \"dnsmadeeasy.endpoint\" must be an https URL without a user name or password"},
    };
    struct config_fixture *f = *state;

    expect_each(f, table, ARRAY_LEN(table));
}

TEST(wrong_kinds_of_values_are_refused)
{
    static const struct bad table[] = {
        {"dnsmadeeasy: 5", "2:14: \"dnsmadeeasy\" must be a mapping (\"key: value\" lines), not a single value"},
        {"dnsmadeeasy: [ttl]", "2:14: \"dnsmadeeasy\" must be a mapping (\"key: value\" lines), not a list"},
        {"dnsmadeeasy: {ttl: [60]}", "2:20: \"dnsmadeeasy.ttl\" must be a single value, not a list"},
        {"dnsmadeeasy: {ttl: {a: 60}}", "2:20: \"dnsmadeeasy.ttl\" must be a single value, not a mapping"},
        {"dnsmadeeasy: {ttl: }", "2:20: \"dnsmadeeasy.ttl\" has no value"},
        {"dnsmadeeasy: {ttl: ~}", "2:20: \"dnsmadeeasy.ttl\" has no value"},
        {"state_dir: null", "2:12: \"state_dir\" has no value"},
        {"propagation: {resolvers: 192.0.2.1}", "2:26: \"propagation.resolvers\" must be a list, e.g. [one, two]"},
        {"propagation: {resolvers: {a: b}}", "2:26: \"propagation.resolvers\" must be a list, e.g. [one, two]"},
        {"propagation: {resolvers: }", "2:26: \"propagation.resolvers\" has no value; an empty list is []"},
        {"propagation: {resolvers: [[a]]}", "2:27: \"propagation.resolvers\" must be a single value, not a list"},
        {"propagation: {resolvers: [~]}", "2:27: \"propagation.resolvers\" has no value"},
    };
    struct config_fixture *f = *state;

    expect_each(f, table, ARRAY_LEN(table));
}

TEST(unknown_keys_come_with_the_nearest_known_one)
{
    static const struct bad table[] = {
        {"propagation: {timeuot: 100s}",
         "2:15: unknown key \"propagation.timeuot\"; did you mean \"propagation.timeout\"?"},
        {"statedir: /x", "2:1: unknown key \"statedir\"; did you mean \"state_dir\"?"},
        {"api_key: x", "2:1: unknown key \"api_key\"; did you mean \"credentials.api_key\"?"},
        {"ttl: 60", "2:1: unknown key \"ttl\"; did you mean \"dnsmadeeasy.ttl\"?"},
        {"zebra: 60", "2:1: unknown key \"zebra\""},
        {"dnsmadeeasy: {zebra: 60}", "2:15: unknown key \"dnsmadeeasy.zebra\""},
        {"dnsmadeeasy.ttl: 60", "2:1: \"dnsmadeeasy.ttl\" must be written as \"ttl:\" below \"dnsmadeeasy:\""},
        {"dnsmadeeasy: {ttl:60}", "2:15: \"dnsmadeeasy.ttl:\" needs a space after the colon"},
        {"accounts[]: 60", "2:1: unknown key, which is not shown here as it may hold a secret by mistake"},
    };
    struct config_fixture *f = *state;

    expect_each(f, table, ARRAY_LEN(table));
}

TEST(a_near_choice_is_suggested)
{
    struct config_fixture *f = *state;

    load_line(f, "propagation: {doh: alway}");
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml:2:20: \"propagation.doh\" must be \"auto\" or \"always\" or \"never\", not "
                 "\"alway\"");
    expect_hint(f, "Did you mean \"always\"?");
}

TEST(all_mistakes_are_told_at_once)
{
    struct config_fixture *f = *state;

    load_config_text(f, "credentails: {api_key: x}\n"
                        "dnsmadeeasy:\n"
                        "  ttl: 1m\n"
                        "  sandbox: maybe\n"
                        "propagation:\n"
                        "  resolvers: [a.example, 192.0.2.1, b.example]\n"
                        "state_dir: /a\n"
                        "state_dir: /b\n");
    expect_problems(
        f, "@/c.yaml:8:1: key \"state_dir\" is there twice; the first is in line 7\n"
           "@/c.yaml:1:1: unknown key \"credentails\"; did you mean \"credentials\"?\n"
           "@/c.yaml:3:8: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"1m\"\n"
           "@/c.yaml:4:12: \"dnsmadeeasy.sandbox\" must be true or false, not \"maybe\"\n"
           "@/c.yaml:6:15: \"propagation.resolvers\" must be an IP address with or without port (\"192.0.2.1\", "
           "\"192.0.2.1:53\", \"[2001:db8::1]:53\"), not \"a.example\"\n"
           "@/c.yaml:6:37: \"propagation.resolvers\" must be an IP address with or without port (\"192.0.2.1\", "
           "\"192.0.2.1:53\", \"[2001:db8::1]:53\"), not \"b.example\"");
    assert_int_equal(f->err.code, ERR_CONFIG);
    assert_non_null(strstr(f->err.msg, "c.yaml\" has 6 mistakes"));
}

TEST(very_many_mistakes_are_counted_and_not_all_listed)
{
    struct config_fixture *f = *state;
    struct buf AUTO_BUF b = BUF_INIT(1 << 20);

    for (size_t i = 0; i < 200; i++)
        buf_printf(&b, "zebra%zu: 1\n", i);
    load_config_bytes(f, buf_cstr(&b), b.len);
    assert_int_equal(f->problems.count, 51);
    assert_string_equal(f->problems.items[50], "... and 150 more");
    assert_non_null(strstr(f->err.msg, "has 200 mistakes"));
}

TEST(paths_in_the_file_begin_at_the_file_or_at_home)
{
    struct config_fixture *f = *state;
    char AUTO_FREE *beside = mem_printf("%s/state/here", f->dir);
    char AUTO_FREE *at_home = mem_printf("%s/state", f->home);

    load_line(f, "state_dir: state/here");
    expect_silence(f);
    assert_string_equal(f->config->state_dir, beside);
    load_line(f, "state_dir: ~/state");
    expect_silence(f);
    assert_string_equal(f->config->state_dir, at_home);
    f->req.home = NULL;
    load_line(f, "state_dir: ~/state");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:12: \"state_dir\" begins with \"~/\", and there is no home directory");
    load_line(f, "state_dir: 'C:\\state'");
    expect_silence(f);
    assert_string_equal(f->config->state_dir, fixture_here("C:\\state", "C:/state"));
}

TEST(paths_in_a_file_of_the_current_directory_stay_relative)
{
    const char text[] = GOOD_CREDENTIALS "state_dir: here\n";
    const struct config_request req = {.file = "c.yaml"};
    struct config *config AUTO(config_free_auto) = NULL;
    struct strlist said AUTO_STRLIST = {NULL, 0};

    (void)state;
    assert_int_equal(config_load_text(&req, text, sizeof text - 1, &config, &said, &said, NULL), ERR_OK);
    assert_string_equal(config->state_dir, "here");
    assert_int_equal(said.count, 0);
}

TEST(certificates_are_servers_and_paths_that_begin_at_the_file)
{
    struct config_fixture *f = *state;
    char AUTO_FREE *etc = mem_printf("%s/live/*/cert.pem", f->dir);
    char AUTO_FREE *home = mem_printf("%s/c.pem", f->home);
    const struct strlist *list;

    load_line(f, "monitor: {certificates: [live/*/cert.pem, ~/c.pem, /abs.pem, 'www.example.com:443', '[::1]:443']}");
    expect_silence(f);
    list = &f->config->certificates;
    assert_int_equal(list->count, 5);
    assert_string_equal(list->items[0], etc);
    assert_string_equal(list->items[1], home);
    assert_string_equal(list->items[2], "/abs.pem");
    assert_string_equal(list->items[3], "www.example.com:443");
    assert_string_equal(list->items[4], "[::1]:443");

    given_override(f, "monitor.certificates", "rel.pem,a.example:1");
    given_override(f, "monitor.certificates", "b.example:2");
    load_line(f, "monitor: {certificates: [x.pem]}");
    expect_silence(f);
    list = &f->config->certificates;
    assert_int_equal(list->count, 3);
    assert_string_equal(list->items[0], "rel.pem");
    assert_string_equal(list->items[2], "b.example:2");
}

TEST(thresholds_are_a_part_or_a_duration)
{
    struct config_fixture *f = *state;
    static const struct bad table[] = {
        {"monitor: {warn: 1/1}",
         "2:17: \"monitor.warn\" must be a part of the lifetime (\"1/3\") or a duration from 0s "
         "to 366d, not \"1/1\""},
        {"monitor: {warn: 30}", "2:17: \"monitor.warn\" must be a part of the lifetime (\"1/3\") or a duration from 0s "
                                "to 366d, not \"30\""},
        {"monitor: {critical: 367d}",
         "2:21: \"monitor.critical\" must be a part of the lifetime (\"1/3\") or a duration "
         "from 0s to 366d, not \"367d\""},
        {"monitor: {certificates: ['']}", "2:26: \"monitor.certificates\" must be a path without control characters"},
        {"monitor: {certificates: x.pem}", "2:25: \"monitor.certificates\" must be a list, e.g. [one, two]"},
    };

    expect_each(f, table, ARRAY_LEN(table));
    load_line(f, "monitor: {warn: 2/5, critical: 36h}");
    expect_silence(f);
    assert_int_equal(f->config->warn.numerator, 2);
    assert_int_equal(f->config->warn.denominator, 5);
    assert_int_equal(f->config->critical.denominator, 0);
    assert_int_equal(f->config->critical.ms, 36 * 3600 * 1000);
    load_line(f, "");
    expect_silence(f);
    assert_int_equal(f->config->warn.denominator, 4);
    assert_int_equal(f->config->critical.denominator, 10);
    assert_int_equal(f->config->failing_for_ms, 3 * 86400 * 1000);
    assert_int_equal(f->config->certificates.count, 0);
}

TEST(values_that_look_like_secrets_in_the_wrong_place_are_not_shown)
{
    static const char *const lines[] = {
        "follow_cname: " GOOD_SECRET,
        "journal: " GOOD_SECRET,
        "dnsmadeeasy: {ttl: " GOOD_SECRET "}",
        "propagation: {timeout: " GOOD_SECRET "}",
        "propagation: {resolvers: [" GOOD_SECRET "]}",
        "dnsmadeeasy: {endpoint: " GOOD_SECRET "}",
        "dnsmadeeasy: " GOOD_SECRET,
        GOOD_SECRET ": x",
        "{" GOOD_SECRET "}: x",
        "? " GOOD_SECRET "\n? " GOOD_SECRET,
        "api_secret:" GOOD_SECRET ": x",
        "dnsmadeeasy: {api_secret:" GOOD_SECRET "}",
        "dnsmadeeasy: {ttl:" GOOD_SECRET "}",
        "accounts: [{name:" GOOD_SECRET "}]",
        "state_dir: *" GOOD_SECRET,
        "state_dir: &" GOOD_SECRET " x",
        "state_dir: !" GOOD_SECRET " x",
        "state_dir: [" GOOD_SECRET "]",
        "\t" GOOD_SECRET,
        GOOD_SECRET ": : " GOOD_SECRET,
    };
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        load_line(f, lines[i]);
        assert_int_not_equal(f->code, ERR_OK);
        expect_unsaid(f, "43009899");
    }
}

TEST(a_ca_file_that_can_t_be_used_is_noticed_before_any_request)
{
    char AUTO_FREE *text = NULL;
    char AUTO_FREE *missing = NULL;
    struct config_fixture *f = *state;

    load_config_text(f, GOOD_CREDENTIALS "dnsmadeeasy: {ca_file: ca.pem}\n");
    text = mem_printf("@/c.yaml:2:24: ca_file can't be used: could not open \"@/ca.pem\": %s", fixture_no_such_file());
    expect_error(f, ERR_CONFIG, text);
    expect_hint(
        f, "Name a file with the endpoint's CA certificate in PEM form (\"openssl x509 -inform der\" makes it from "
           "DER), or leave ca_file out to trust the system's CAs.");
    given_write(f, "ca.pem", "");
    load_config(f);
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:24: ca_file \"@/ca.pem\" holds no certificate in PEM form");
    given_write(f, "ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    load_config(f);
    assert_int_equal(f->code, ERR_CONFIG);
    assert_non_null(strstr(f->said, "@/c.yaml:2:24: "));
    given_write(f, "ca.pem", "Test CA\n=======\n" GOOD_CA);
    load_config(f);
    expect_silence(f);
    load_config_text(f, GOOD_CREDENTIALS "dnsmadeeasy: {ca_file: home}\n");
    assert_int_equal(f->code, ERR_CONFIG);
    assert_non_null(strstr(f->err.msg, "c.yaml:2:24: "));
    given_override(f, "dnsmadeeasy.ca_file", "/nowhere/ca.pem");
    load_config(f);
    missing = mem_printf("option --ca-file: ca_file can't be used: could not open \"/nowhere/ca.pem\": %s",
                         fixture_here("No such file or directory", "Path not found"));
    expect_error(f, ERR_CONFIG, missing);
    f->req.need = CONFIG_WITHOUT_CREDENTIALS; /* nothing is asked */
    load_config(f);
    expect_silence(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(without_settings_all_have_their_defaults),
        CONFIG_TEST(every_setting_is_taken_from_the_file),
        CONFIG_TEST(sandbox_has_an_endpoint_of_its_own),
        CONFIG_TEST(sections_may_be_all_comments),
        CONFIG_TEST(booleans_have_the_usual_words),
        CONFIG_TEST(wrong_values_are_refused_with_what_is_right),
        CONFIG_TEST(wrong_kinds_of_values_are_refused),
        CONFIG_TEST(unknown_keys_come_with_the_nearest_known_one),
        CONFIG_TEST(a_near_choice_is_suggested),
        CONFIG_TEST(all_mistakes_are_told_at_once),
        CONFIG_TEST(very_many_mistakes_are_counted_and_not_all_listed),
        CONFIG_TEST(paths_in_the_file_begin_at_the_file_or_at_home),
        cmocka_unit_test(paths_in_a_file_of_the_current_directory_stay_relative),
        CONFIG_TEST(certificates_are_servers_and_paths_that_begin_at_the_file),
        CONFIG_TEST(thresholds_are_a_part_or_a_duration),
        CONFIG_TEST(values_that_look_like_secrets_in_the_wrong_place_are_not_shown),
        CONFIG_TEST(a_ca_file_that_can_t_be_used_is_noticed_before_any_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
