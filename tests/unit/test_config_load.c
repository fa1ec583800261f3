/* SPDX-License-Identifier: MIT
 *
 * Finding the file; command line over environment over file over default; where values came from.
 */
#include <stdlib.h>
#include <string.h>

#include "config_fixture.h"
#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

static void set_env_credentials(struct config_fixture *f)
{
    given_env(f, "DNSMADEEASY_API_KEY", GOOD_KEY);
    given_env(f, "DNSMADEEASY_API_SECRET", GOOD_SECRET);
}

static void expect_file(const struct config_fixture *f, const char *path)
{
    char AUTO_FREE *want = mem_printf("%s/%s", f->dir, path);

    assert_int_equal(f->code, ERR_OK);
    assert_string_equal(f->config->file, want);
}

TEST(the_first_place_that_has_a_file_wins)
{
    struct config_fixture *f = *state;

    given_write(f, "home/.dnsmadeeasy/credentials.yml", GOOD_CREDENTIALS);
    load_config(f);
    expect_file(f, "home/.dnsmadeeasy/credentials.yml");
    given_write(f, "home/.config/acme-dme/acme-dme.yaml", GOOD_CREDENTIALS);
    load_config(f);
    expect_file(f, "home/.config/acme-dme/acme-dme.yaml");
    given_write(f, "etc/acme-dme/acme-dme.yaml", GOOD_CREDENTIALS);
    load_config(f);
    expect_file(f, "etc/acme-dme/acme-dme.yaml");
    given_write(f, "named.yaml", GOOD_CREDENTIALS);
    given_env_path(f, "ACME_DME_CONFIG", "named.yaml");
    load_config(f);
    expect_file(f, "named.yaml");
    load_config_text(f, GOOD_CREDENTIALS);
    expect_file(f, "c.yaml");
    expect_silence(f);
}

TEST(the_xdg_directory_takes_the_place_of_dot_config)
{
    struct config_fixture *f = *state;

    given_write(f, "home/.config/acme-dme/acme-dme.yaml", GOOD_CREDENTIALS);
    given_write(f, "xdg/acme-dme/acme-dme.yaml", GOOD_CREDENTIALS);
    given_env_path(f, "XDG_CONFIG_HOME", "xdg");
    load_config(f);
    expect_file(f, "xdg/acme-dme/acme-dme.yaml");
    given_env(f, "XDG_CONFIG_HOME", "relative");
    load_config(f);
    expect_file(f, "home/.config/acme-dme/acme-dme.yaml");
}

TEST(an_empty_variable_counts_as_unset)
{
    struct config_fixture *f = *state;

    given_write(f, "etc/acme-dme/acme-dme.yaml", GOOD_CREDENTIALS);
    given_env(f, "ACME_DME_CONFIG", "");
    given_env(f, "XDG_CONFIG_HOME", "");
    given_env(f, "DNSMADEEASY_API_KEY", "");
    given_env(f, "DNSMADEEASY_API_SECRET", "");
    given_env(f, "DNSMADEEASY_API_KEY_FILE", "");
    given_env(f, "DNSMADEEASY_API_SECRET_FILE", "");
    given_env(f, "DNSMADEEASY_SANDBOX", "");
    given_env(f, "ACME_DME_STATE_DIR", "");
    load_config(f);
    expect_file(f, "etc/acme-dme/acme-dme.yaml");
    expect_silence(f);
    assert_string_equal(f->config->accounts[0].name, "default");
    assert_null(f->config->state_dir);
}

TEST(a_file_that_was_named_and_is_missing_is_an_error)
{
    struct config_fixture *f = *state;

    set_env_credentials(f);
    given_env_path(f, "ACME_DME_CONFIG", "nowhere.yaml");
    load_config(f);
    expect_error(f, ERR_CONFIG, "@/nowhere.yaml: the configuration file that ACME_DME_CONFIG names does not exist");
    f->named_file = mem_printf("%s/neither.yaml", f->dir);
    f->req.file = f->named_file;
    load_config(f);
    expect_error(f, ERR_CONFIG, "@/neither.yaml: the configuration file that --config names does not exist");
}

TEST(a_file_that_can_not_be_read_is_an_error_and_not_skipped)
{
    struct config_fixture *f = *state;

    set_env_credentials(f);
    given_write(f, "etc/acme-dme/acme-dme.yaml/is/a/directory", "");
    given_write(f, "home/.config/acme-dme/acme-dme.yaml", GOOD_CREDENTIALS);
    load_config(f);
    expect_error(f, ERR_IO, "could not read \"@/etc/acme-dme/acme-dme.yaml\": it is not a regular file");
}

TEST(without_permission_a_file_is_an_error_too)
{
    struct config_fixture *f = *state;

    fixture_needs(FIXTURE_FAULTS);
    set_env_credentials(f);
    given_write(f, "etc/acme-dme/acme-dme.yaml", GOOD_CREDENTIALS);
    given_chmod(f, "etc", 0755);
    given_chmod(f, "etc/acme-dme", 0755);
    given_chmod(f, "etc/acme-dme/acme-dme.yaml", 0);
    load_config_as_user(f);
    expect_error(f, ERR_IO, "could not open \"@/etc/acme-dme/acme-dme.yaml\": Permission denied");
}

TEST(a_directory_that_can_not_be_searched_is_a_warning)
{
    struct config_fixture *f = *state;

    fixture_needs(FIXTURE_FAULTS);
    set_env_credentials(f);
    given_write(f, "etc/acme-dme/acme-dme.yaml", GOOD_CREDENTIALS);
    given_chmod(f, "etc", 0);
    load_config_as_user(f);
    given_chmod(f, "etc", 0700);
    expect_warning(f, "could not look for the configuration: could not open \"@/etc/acme-dme/acme-dme.yaml\": "
                      "Permission denied, continuing");
}

TEST(no_file_is_fine_when_the_environment_has_both_credentials)
{
    struct config_fixture *f = *state;

    set_env_credentials(f);
    load_config(f);
    expect_silence(f);
    assert_null(f->config->file);
    assert_int_equal(f->config->account_count, 1);
    assert_string_equal(f->config->accounts[0].name, "environment");
    f->req.home = NULL;
    f->req.sysconfdir = NULL;
    load_config(f);
    expect_silence(f);
}

TEST(without_any_credentials_the_error_lists_where_they_were_looked_for)
{
    struct config_fixture *f = *state;
    AUTO_FREE char *hint = mem_printf("Create @/etc/acme-dme/acme-dme.yaml, %s, with the line: credentials: {api_key: "
                                      "\"...\", api_secret: \"...\"}",
                                      platform_secret_file_mode());

    load_config(f);
    expect_error(f, ERR_CONFIG,
                 "there are no credentials: DNSMADEEASY_API_KEY and DNSMADEEASY_API_SECRET are not set, and none of "
                 "these files exists: \"@/etc/acme-dme/acme-dme.yaml\", \"@/home/.config/acme-dme/acme-dme.yaml\", "
                 "\"@/home/.dnsmadeeasy/credentials.yml\"");
    expect_hint(f, hint);
    load_config_text(f, "state_dir: /x\n");
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml: there are no credentials in this file, nor in DNSMADEEASY_API_KEY and "
                 "DNSMADEEASY_API_SECRET");
}

TEST(commands_without_credentials_need_none)
{
    struct config_fixture *f = *state;

    f->req.need = CONFIG_WITHOUT_CREDENTIALS;
    load_config(f);
    expect_silence(f);
    assert_int_equal(f->config->account_count, 0);
    load_config_text(f, "credentials: {api_key_file: /nowhere, api_secret_file: /nowhere}\n");
    expect_silence(f);
    assert_int_equal(f->config->account_count, 1);
    assert_null(f->config->accounts[0].api_key);
}

TEST(the_command_line_wins_over_the_environment_and_that_over_the_file)
{
    struct config_fixture *f = *state;

    load_config_text(f, GOOD_CREDENTIALS "state_dir: /file\ndnsmadeeasy: {ttl: 5}\n");
    assert_string_equal(f->config->state_dir, "/file");
    assert_int_equal(config_source(f->config, "state_dir"), CONFIG_FILE);
    assert_int_equal(config_source(f->config, "journal"), CONFIG_DEFAULT);
    given_env(f, "ACME_DME_STATE_DIR", "/env");
    load_config(f);
    assert_string_equal(f->config->state_dir, "/env");
    assert_int_equal(config_source(f->config, "state_dir"), CONFIG_ENVIRONMENT);
    given_override(f, "state_dir", "/first");
    given_override(f, "state_dir", "/argv");
    given_override(f, "dnsmadeeasy.ttl", "7");
    load_config(f);
    expect_silence(f);
    assert_string_equal(f->config->state_dir, "/argv");
    assert_int_equal(config_source(f->config, "state_dir"), CONFIG_COMMAND_LINE);
    assert_int_equal(f->config->ttl_s, 7);
}

TEST(lists_from_the_command_line_replace_those_of_the_file)
{
    struct config_fixture *f = *state;

    given_override(f, "propagation.resolvers", "192.0.2.2,192.0.2.3:53");
    given_override(f, "propagation.resolvers", "::1");
    load_config_text(f, GOOD_CREDENTIALS "propagation: {resolvers: [192.0.2.1]}\n");
    expect_silence(f);
    assert_int_equal(f->config->resolvers.count, 3);
    assert_string_equal(f->config->resolvers.items[0], "192.0.2.2");
    assert_string_equal(f->config->resolvers.items[1], "192.0.2.3:53");
    assert_string_equal(f->config->resolvers.items[2], "::1");
}

TEST(sandbox_and_endpoint_of_different_sources_follow_the_order_of_sources)
{
    struct config_fixture *f = *state;

    given_env(f, "DNSMADEEASY_SANDBOX", "true");
    load_config_text(f, GOOD_CREDENTIALS "dnsmadeeasy: {endpoint: \"https://file.example/\"}\n");
    expect_silence(f);
    assert_string_equal(f->config->endpoint, "https://api.sandbox.dnsmadeeasy.com/V2.0/");
    assert_int_equal(config_source(f->config, "dnsmadeeasy.endpoint"), CONFIG_ENVIRONMENT);
    given_override(f, "dnsmadeeasy.endpoint", "http://127.0.0.1:8080/V2.0");
    load_config(f);
    expect_silence(f);
    assert_string_equal(f->config->endpoint, "http://127.0.0.1:8080/V2.0/");
    assert_false(f->config->sandbox);
    given_override(f, "dnsmadeeasy.sandbox", "true");
    load_config(f);
    expect_error(f, ERR_CONFIG, "\"dnsmadeeasy.endpoint\" and \"dnsmadeeasy.sandbox\" are both given");
    given_override(f, "dnsmadeeasy.sandbox", "false");
    load_config(f);
    expect_silence(f);
    assert_string_equal(f->config->endpoint, "http://127.0.0.1:8080/V2.0/");
}

TEST(sandbox_false_on_the_command_line_leaves_the_endpoint_of_the_file)
{
    struct config_fixture *f = *state;

    given_override(f, "dnsmadeeasy.sandbox", "false");
    load_config_text(f, GOOD_CREDENTIALS "dnsmadeeasy: {endpoint: \"https://file.example/\"}\n");
    expect_silence(f);
    assert_string_equal(f->config->endpoint, "https://file.example/");
}

TEST(wrong_values_name_their_variable_or_option)
{
    struct config_fixture *f = *state;

    set_env_credentials(f);
    given_env(f, "DNSMADEEASY_SANDBOX", "perhaps");
    given_override(f, "dnsmadeeasy.ttl", "1m");
    given_override(f, "propagation.doh_urls", "");
    given_override(f, "zebra", "1");
    load_config(f);
    expect_problems(f, "environment variable DNSMADEEASY_SANDBOX: \"dnsmadeeasy.sandbox\" must be true or false, not "
                       "\"perhaps\"\n"
                       "option zebra: there is no such setting\n"
                       "option --ttl: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"1m\"\n"
                       "option --doh-url: \"propagation.doh_urls\" must be an https URL and begin with \"https://\"");
    assert_non_null(strstr(f->err.msg, "the configuration has 4 mistakes"));
}

TEST(a_wrong_value_in_the_file_is_a_mistake_even_if_a_stronger_source_has_a_right_one)
{
    struct config_fixture *f = *state;

    given_override(f, "dnsmadeeasy.ttl", "60");
    load_config_text(f, GOOD_CREDENTIALS "dnsmadeeasy: {ttl: 1m}\n");
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml:2:20: \"dnsmadeeasy.ttl\" must be a whole number from 1 to 86400, not \"1m\"");
}

TEST(secrets_are_never_taken_from_the_command_line)
{
    struct config_fixture *f = *state;

    given_override(f, "credentials.api_secret", GOOD_SECRET);
    given_override(f, "accounts[].name", "x");
    load_config_text(f, GOOD_CREDENTIALS);
    expect_problems(f, "option credentials.api_secret: secrets are not taken from the command line\n"
                       "option accounts[].name: this can't be set on the command line");
    expect_unsaid(f, GOOD_SECRET);
}

/* The line that config_explain() has for a key; "@" in `want` stands for the directory of the test. */
static void expect_explained(const struct config_fixture *f, enum config_explained what, const char *want)
{
    struct strlist AUTO_STRLIST lines = {NULL, 0};
    const char *at = strchr(want, '@');
    char AUTO_FREE *whole = at ? mem_printf("%.*s%s%s", (int)(at - want), want, f->dir, at + 1) : mem_strdup(want);
    char AUTO_FREE *all = mem_strdup("");

    config_explain(f->config, what, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        char *longer = mem_printf("%s%s\n", all, lines.items[i]);

        if (strcmp(lines.items[i], whole) == 0) {
            free(longer);
            return;
        }
        free(all);
        all = longer;
    }
    fail_msg("\"%s\" is not among:\n%s", whole, all);
}

static void expect_given(const struct config_fixture *f, const char *want)
{
    expect_explained(f, CONFIG_EXPLAIN_GIVEN, want);
}

TEST(every_value_that_was_given_is_told_with_its_source_and_secrets_by_their_fingerprints)
{
    struct config_fixture *f = *state;
    struct strlist AUTO_STRLIST lines = {NULL, 0};

    given_write(f, "secret", GOOD_SECRET "\n");
    given_env(f, "ACME_DME_STATE_DIR", "/env");
    given_override(f, "propagation.settle", "1500ms");
    given_override(f, "propagation.resolvers", "192.0.2.1,192.0.2.2:53");
    load_config_text(f, "credentials:\n  api_key: " GOOD_KEY "\n  api_secret_file: secret\n"
                        "dnsmadeeasy:\n  ttl: 5\n");
    expect_silence(f);
    expect_given(f, "configuration file: \"@/c.yaml\"");
    expect_given(f, "dnsmadeeasy.ttl: 5 (@/c.yaml:5:8)");
    expect_given(f, "state_dir: \"/env\" (environment variable ACME_DME_STATE_DIR)");
    expect_given(f, "propagation.settle: 1500ms (option --settle)");
    expect_given(f, "propagation.resolvers: \"192.0.2.1\", \"192.0.2.2:53\" (option --resolver)");
    expect_given(f, "credentials.api_key: 36 characters, fingerprint " GOOD_KEY_FINGERPRINT " (@/c.yaml:2:12)");
    expect_given(f, "credentials.api_secret: 36 characters, fingerprint " GOOD_SECRET_FINGERPRINT " (@/secret)");
    config_explain(f->config, CONFIG_EXPLAIN_GIVEN, &lines);
    assert_int_equal(lines.count, 7);
    config_explain(f->config, CONFIG_EXPLAIN_DEFAULTS, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        assert_null(strstr(lines.items[i], GOOD_KEY));
        assert_null(strstr(lines.items[i], GOOD_SECRET));
    }
}

TEST(defaults_are_told_with_their_values_when_asked_for)
{
    static const char *const want[] = {
        "dnsmadeeasy.endpoint: \"https://api.dnsmadeeasy.com/V2.0/\" (default)",
        "dnsmadeeasy.sandbox: false (default)",
        "dnsmadeeasy.ca_file: none (default)",
        "propagation.timeout: 100s (default)",
        "propagation.nameservers: none (default)",
        "propagation.doh: auto (default)",
        "propagation.doh_urls: \"https://cloudflare-dns.com/dns-query\", \"https://dns.google/dns-query\" (default)",
        "journal: required (default)",
        "log.level: info (default)",
    };
    struct config_fixture *f = *state;

    load_config_text(f, GOOD_CREDENTIALS);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        expect_explained(f, CONFIG_EXPLAIN_DEFAULTS, want[i]);
}

TEST(an_accounts_values_are_told)
{
    struct config_fixture *f = *state;

    load_config_text(f, "accounts:\n- name: one\n  zones: [example.com, Example.NET]\n"
                        "  credentials: {api_key: " GOOD_KEY ", api_secret: " GOOD_SECRET "}\n");
    expect_silence(f);
    expect_given(f, "accounts[0].name: \"one\" (@/c.yaml:2:9)");
    expect_given(f, "accounts[0].zones: \"example.com\", \"example.net\" (@/c.yaml:3:10)");
    expect_given(f, "accounts[0].credentials.api_key: 36 characters, fingerprint " GOOD_KEY_FINGERPRINT
                    " (@/c.yaml:4:26)");
}

TEST(a_secret_in_the_wrong_place_is_not_told)
{
    struct config_fixture *f = *state;

    load_config_text(f, GOOD_CREDENTIALS "state_dir: /" GOOD_SECRET "\nlog: {file: \"/a\\u202e.log\"}\n");
    expect_given(f, "state_dir: a value that is not shown here, as it looks like a secret (@/c.yaml:2:12)");
    expect_given(f, "log.file: \"/a\\xe2\\x80\\xae.log\" (@/c.yaml:3:13)");
}

TEST(what_the_call_says_about_logs_counts_before_anything_is_loaded)
{
    struct config_fixture *f = *state;
    AUTO_CONFIG_LOG struct config_log log = {NULL, LOG_TEXT, LOG_ERROR};

    given_env(f, "ACME_DME_LOG_FILE", "/env.log");
    given_env(f, "ACME_DME_LOG_LEVEL", "debug");
    given_override(f, "log.format", "json");
    given_override(f, "dnsmadeeasy.ttl", "nonsense");
    config_load_log(&f->req, &log);
    assert_string_equal(log.file, "/env.log");
    assert_int_equal(log.format, LOG_JSON);
    assert_int_equal(log.level, LOG_DEBUG);
    config_log_done(&log);
    given_override(f, "log.file", "/option.log");
    given_override(f, "log.level", "nonsense");
    config_load_log(&f->req, &log);
    assert_string_equal(log.file, "/option.log");
    assert_int_equal(log.level, LOG_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(the_first_place_that_has_a_file_wins),
        CONFIG_TEST(the_xdg_directory_takes_the_place_of_dot_config),
        CONFIG_TEST(an_empty_variable_counts_as_unset),
        CONFIG_TEST(a_file_that_was_named_and_is_missing_is_an_error),
        CONFIG_TEST(a_file_that_can_not_be_read_is_an_error_and_not_skipped),
        CONFIG_TEST(without_permission_a_file_is_an_error_too),
        CONFIG_TEST(a_directory_that_can_not_be_searched_is_a_warning),
        CONFIG_TEST(no_file_is_fine_when_the_environment_has_both_credentials),
        CONFIG_TEST(without_any_credentials_the_error_lists_where_they_were_looked_for),
        CONFIG_TEST(commands_without_credentials_need_none),
        CONFIG_TEST(the_command_line_wins_over_the_environment_and_that_over_the_file),
        CONFIG_TEST(lists_from_the_command_line_replace_those_of_the_file),
        CONFIG_TEST(sandbox_and_endpoint_of_different_sources_follow_the_order_of_sources),
        CONFIG_TEST(sandbox_false_on_the_command_line_leaves_the_endpoint_of_the_file),
        CONFIG_TEST(wrong_values_name_their_variable_or_option),
        CONFIG_TEST(a_wrong_value_in_the_file_is_a_mistake_even_if_a_stronger_source_has_a_right_one),
        CONFIG_TEST(secrets_are_never_taken_from_the_command_line),
        CONFIG_TEST(every_value_that_was_given_is_told_with_its_source_and_secrets_by_their_fingerprints),
        CONFIG_TEST(defaults_are_told_with_their_values_when_asked_for),
        CONFIG_TEST(an_accounts_values_are_told),
        CONFIG_TEST(a_secret_in_the_wrong_place_is_not_told),
        CONFIG_TEST(what_the_call_says_about_logs_counts_before_anything_is_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
