/* SPDX-License-Identifier: MIT
 *
 * Accounts: the file's, the environment's, and which of them are loaded.
 */
#include <string.h>

#include "config_fixture.h"
#include "test.h"

#define CREDENTIALS "credentials: {api_key: " GOOD_KEY ", api_secret: " GOOD_SECRET "}"
#define OTHER_KEY "87654321-a8f8-4466-ffff-2324aaaa9098"
#define OTHER_SECRET "90808990-abcc-ffcc-eeee-09f809808098"
#define OTHER_KEY_FINGERPRINT "d5903283"
#define OTHER_SECRET_FINGERPRINT "bbc66f8b"

static void set_env_credentials(struct config_fixture *f)
{
    given_env(f, "DNSMADEEASY_API_KEY", OTHER_KEY);
    given_env(f, "DNSMADEEASY_API_SECRET", OTHER_SECRET);
}

/* The fixtures of the Ruby gem "dnsmadeeasy", in their shapes. */
TEST(the_gems_file_with_one_account_loads_unchanged)
{
    struct config_fixture *f = *state;

    given_write(f, "home/.dnsmadeeasy/credentials.yml",
                "# this is an example file\n"
                "# with comments in front\n"
                "---\n"
                "credentials:\n"
                "  api_key: 12345678-a8f8-4466-ffff-2324aaaa9098\n"
                "  api_secret: 43009899-abcc-ffcc-eeee-09f809808098\n");
    load_config(f);
    expect_silence(f);
    assert_string_equal(secret_bytes(f->config->accounts[0].api_key), GOOD_KEY);
}

static const char multi_account[] = "# several accounts\n"
                                    "accounts:\n"
                                    "- name: production\n"
                                    "  default_account: true\n"
                                    "  credentials:\n"
                                    "    api_key: \"12345678-a8f8-4466-ffff-2324aaaa9098\"\n"
                                    "    api_secret: \"43009899-abcc-ffcc-eeee-09f809808098\"\n"
                                    "    encryption_key:\n"
                                    "- name: staging\n"
                                    "  credentials:\n"
                                    "    api_key: 87654321-a8f8-4466-ffff-2324aaaa9098\n"
                                    "    api_secret: 90808990-abcc-ffcc-eeee-09f809808098\n";

TEST(the_gems_file_with_several_accounts_loads_unchanged)
{
    struct config_fixture *f = *state;

    load_config_text(f, multi_account);
    expect_silence(f);
    assert_int_equal(f->config->account_count, 2);
    assert_string_equal(f->config->accounts[0].name, "production");
    assert_true(f->config->accounts[0].is_default);
    assert_string_equal(secret_bytes(f->config->accounts[1].api_secret), OTHER_SECRET);
    assert_false(f->config->accounts[1].is_default);
}

static const char encrypted_default[] = "accounts:\n"
                                        "  - name: production\n"
                                        "    default_account: true\n"
                                        "    credentials:\n"
                                        "      api_key: \"BAhTOh1TeW06OkRhdGE6OldyYXBwZXJTdHJ1Y3QLOhNl\"\n"
                                        "      api_secret: \"BAhTOh1TeW06OkRhdGE6OldyYXBwZXJTdHJ1Y3QLOhNl\"\n"
                                        "      encryption_key: spec/fixtures/sym.key\n"
                                        "  - name: staging\n"
                                        "    credentials:\n"
                                        "      api_key: " OTHER_KEY "\n"
                                        "      api_secret: " OTHER_SECRET "\n";

TEST(an_encrypted_account_is_an_error_when_it_is_the_one_to_use)
{
    struct config_fixture *f = *state;

    load_config_text(f, encrypted_default);
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml:5:16: the value of \"accounts[0].credentials.api_key\" is encrypted, not supported");
    f->req.account = "staging";
    load_config(f);
    expect_silence(f);
    assert_int_equal(f->config->account_count, 1);
    assert_string_equal(f->config->accounts[0].name, "staging");
    assert_null(f->config->accounts[0].unusable);
}

TEST(an_encrypted_account_that_is_not_the_default_says_why_it_can_t_be_used)
{
    struct config_fixture *f = *state;

    load_config_text(f,
                     "accounts:\n"
                     "- {name: a, default_account: true, " CREDENTIALS "}\n"
                     "- {name: b, zones: [b.example], credentials: {api_key: x, api_secret: y, encryption_key: K}}\n");
    expect_silence(f);
    assert_null(f->config->accounts[0].unusable);
    assert_string_equal(f->config->accounts[1].unusable,
                        "the credentials of account \"b\" are encrypted, not supported");
    assert_null(f->config->accounts[1].api_key);
}

TEST(zones_are_kept_as_dns_compares_them)
{
    struct config_fixture *f = *state;

    load_config_text(f, "accounts:\n"
                        "- {name: a, default_account: true, " CREDENTIALS "}\n"
                        "- {name: b, zones: [Example.COM., example.org], " CREDENTIALS "}\n"
                        "- {name: c, zones: [sub.example.com], " CREDENTIALS "}\n");
    expect_silence(f);
    assert_int_equal(f->config->accounts[0].zones.count, 0);
    assert_int_equal(f->config->accounts[1].zones.count, 2);
    assert_string_equal(f->config->accounts[1].zones.items[0], "example.com");
    assert_string_equal(f->config->accounts[1].zones.items[1], "example.org");
    assert_string_equal(f->config->accounts[2].zones.items[0], "sub.example.com");
}

TEST(without_a_default_each_account_needs_zones)
{
    struct config_fixture *f = *state;

    load_config_text(f, "accounts:\n"
                        "- {name: a, zones: [a.example], " CREDENTIALS "}\n"
                        "- {name: b, zones: [b.example], " CREDENTIALS "}\n");
    expect_silence(f);
    assert_false(f->config->accounts[0].is_default);
    assert_false(f->config->accounts[1].is_default);
    load_config_text(f, "accounts:\n"
                        "- {name: a, zones: [a.example], " CREDENTIALS "}\n"
                        "- {name: b, zones: [], " CREDENTIALS "}\n");
    expect_error(f, ERR_CONFIG, "@/c.yaml: none of the 2 accounts is the default");
    f->req.account = "b";
    load_config(f);
    expect_silence(f);
    assert_string_equal(f->config->accounts[0].name, "b");
    assert_true(f->config->accounts[0].is_default);
}

TEST(a_single_account_is_the_default)
{
    struct config_fixture *f = *state;

    load_config_text(f, "accounts:\n- {name: a, zones: [a.example], " CREDENTIALS "}\n");
    expect_silence(f);
    assert_true(f->config->accounts[0].is_default);
}

TEST(accounts_are_checked_against_each_other)
{
    static const struct {
        const char *text;
        const char *message;
    } table[] = {
        {"accounts: []\n", "@/c.yaml:1:11: \"accounts\" must have 1 to 1000 items"},
        {"accounts: {name: a}\n", "@/c.yaml:1:11: \"accounts\" must be a list, e.g. [one, two]"},
        {"accounts: [a]\n",
         "@/c.yaml:1:12: \"accounts[0]\" must be a mapping (\"key: value\" lines), not a single value"},
        {"accounts: [~]\n", "@/c.yaml:1:12: \"accounts[0]\" is empty"},
        {"accounts:\n- {" CREDENTIALS "}\n", "@/c.yaml:2:3: this account has no \"name\""},
        {"accounts:\n- {name: \"\", " CREDENTIALS "}\n",
         "@/c.yaml:2:10: \"accounts[0].name\" must be a text without control characters, not \"\""},
        {"accounts:\n- {name: a}\n", "@/c.yaml:2:3: this account has no \"credentials\""},
        {"accounts:\n- {name: a, credentials: {api_key: " GOOD_KEY "}}\n",
         "@/c.yaml:2:3: \"accounts[0].credentials.api_secret\" is missing"},
        {"accounts:\n- {name: a, default_account: true, " CREDENTIALS "}\n- {name: a, " CREDENTIALS "}\n",
         "@/c.yaml:3:3: there are two accounts of this name; the first is in line 2"},
        {"accounts:\n- {name: a, default_account: true, " CREDENTIALS
         "}\n- {name: b, default_account: yes, " CREDENTIALS "}\n",
         "@/c.yaml:3:3: a second default account; the first is in line 2"},
        {"accounts:\n- {name: a, default_account: true, zones: [z.example], " CREDENTIALS
         "}\n- {name: b, zones: [y.example, Z.example.], " CREDENTIALS "}\n",
         "@/c.yaml:3:3: zone \"z.example\" is listed twice; first in the account in line 2"},
        {"accounts:\n- {name: a, zones: [\"*.z.example\"], " CREDENTIALS "}\n",
         "@/c.yaml:2:21: \"accounts[0].zones\" must be the name of a zone, not \"*.z.example\""},
        {"accounts:\n- {name: a, zone: [z.example], " CREDENTIALS "}\n",
         "@/c.yaml:2:13: unknown key \"accounts[0].zone\"; did you mean \"accounts[0].zones\"?"},
        {"accounts:\n- {name: a, default_account: maybe, " CREDENTIALS "}\n",
         "@/c.yaml:2:30: \"accounts[0].default_account\" must be true or false, not \"maybe\""},
        {GOOD_CREDENTIALS "accounts:\n- {name: a, " CREDENTIALS "}\n",
         "@/c.yaml: \"credentials\" and \"accounts\" are both given"},
    };
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        load_config_text(f, table[i].text);
        expect_error(f, ERR_CONFIG, table[i].message);
    }
}

TEST(the_environment_replaces_the_files_accounts)
{
    struct config_fixture *f = *state;

    set_env_credentials(f);
    load_config_text(f, multi_account);
    expect_silence(f);
    assert_int_equal(f->config->account_count, 1);
    assert_string_equal(f->config->accounts[0].name, "environment");
    assert_string_equal(secret_bytes(f->config->accounts[0].api_key), OTHER_KEY);
    load_config_text(f, encrypted_default);
    expect_silence(f);
    assert_null(f->config->accounts[0].hidden_origin);
    assert_string_equal(f->config->accounts[0].key_origin, "environment variable DNSMADEEASY_API_KEY");
    assert_string_equal(f->config->accounts[0].secret_origin, "environment variable DNSMADEEASY_API_SECRET");
}

TEST(what_the_environment_hides_is_announced_by_place_and_fingerprint)
{
    struct config_fixture *f = *state;

    set_env_credentials(f);
    load_config_text(f, GOOD_CREDENTIALS);
    expect_warning(
        f, "the API key of environment variable DNSMADEEASY_API_KEY (fingerprint " OTHER_KEY_FINGERPRINT
           ") hides a different one, of @/c.yaml:1:24 (fingerprint " GOOD_KEY_FINGERPRINT "), continuing\n"
           "the API secret of environment variable DNSMADEEASY_API_SECRET (fingerprint " OTHER_SECRET_FINGERPRINT
           ") hides a different one, of @/c.yaml:1:74 (fingerprint " GOOD_SECRET_FINGERPRINT "), continuing");
    assert_string_equal(secret_bytes(f->config->accounts[0].api_key), OTHER_KEY);
    assert_string_equal(secret_bytes(f->config->accounts[0].api_secret), OTHER_SECRET);
    assert_non_null(strstr(f->config->accounts[0].hidden_origin, "/c.yaml:1:24 and "));
    assert_non_null(strstr(f->config->accounts[0].hidden_origin, "/c.yaml:1:74"));
    load_config_text(f, "accounts:\n- {name: a, " CREDENTIALS "}\n");
    assert_int_equal(f->warnings.count, 2);
    assert_non_null(strstr(f->said, "hides a different one, of @/c.yaml:2:"));
}

TEST(the_same_value_in_both_places_is_no_news)
{
    struct config_fixture *f = *state;

    given_env(f, "DNSMADEEASY_API_KEY", GOOD_KEY);
    given_env(f, "DNSMADEEASY_API_SECRET", GOOD_SECRET);
    load_config_text(f, GOOD_CREDENTIALS);
    expect_silence(f);
    assert_null(f->config->accounts[0].hidden_origin);
    given_write(f, "key", GOOD_KEY "\n");
    load_config_text(f, "credentials: {api_key_file: key, api_secret: \" " GOOD_SECRET "\"}\n");
    expect_silence(f); /* not even of what would be taken off a value that is not used */
}

TEST(several_accounts_that_the_environment_hides_are_announced_together)
{
    struct config_fixture *f = *state;

    given_env(f, "DNSMADEEASY_API_KEY", OTHER_KEY);
    given_env(f, "DNSMADEEASY_API_SECRET", GOOD_SECRET); /* no pair of the file's */
    load_config_text(f, multi_account);
    expect_warning(
        f,
        "the credentials of environment variable DNSMADEEASY_API_KEY (API key with fingerprint " OTHER_KEY_FINGERPRINT
        ") hide the 2 accounts of @/c.yaml, none of which has them, continuing");
}

TEST(what_is_hidden_need_not_be_usable)
{
    static const char *const files[] = {
        "credentials: {api_key_file: /nowhere, api_secret: \"a b\"}\n",
        "credentials: {api_key: BAhTOh1TeW06OkRhdGE6OldyYXBwZXJTdHJ1Y3QLOhNl, api_secret: x, encryption_key: K}\n",
    };
    struct config_fixture *f = *state;

    set_env_credentials(f);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        load_config_text(f, files[i]);
        expect_silence(f);
        assert_null(f->config->accounts[0].hidden_origin);
    }
}

TEST(the_origin_of_a_value_in_a_file_of_its_own_names_both_files)
{
    struct config_fixture *f = *state;

    given_write(f, "key", GOOD_KEY "\n");
    given_write(f, "secret", GOOD_SECRET "\n");
    given_env_path(f, "DNSMADEEASY_API_SECRET_FILE", "secret");
    load_config_text(f, "credentials: {api_key_file: key, api_secret: " GOOD_SECRET "}\n");
    expect_warning(f, "API key and secret come from different sources: file @/key, which @/c.yaml:1:29 names and file "
                      "@/secret, which environment variable DNSMADEEASY_API_SECRET_FILE names, continuing");
}

/* A renewal is another process, but even within one nothing is remembered. */
TEST(every_load_reads_the_files_anew)
{
    struct config_fixture *f = *state;

    given_write(f, "key", GOOD_KEY "\n");
    load_config_text(f, "credentials: {api_key_file: key, api_secret: " GOOD_SECRET "}\n");
    expect_silence(f);
    given_write(f, "key", OTHER_KEY "\n");
    load_config(f);
    expect_silence(f);
    assert_string_equal(secret_bytes(f->config->accounts[0].api_key), OTHER_KEY);
    load_config_text(f, "credentials: {api_key_file: key, api_secret: " OTHER_SECRET "}\n");
    expect_silence(f);
    assert_string_equal(secret_bytes(f->config->accounts[0].api_secret), OTHER_SECRET);
}

TEST(one_variable_alone_goes_with_the_files_credentials_and_a_warning)
{
    struct config_fixture *f = *state;

    given_env(f, "DNSMADEEASY_API_SECRET", OTHER_SECRET);
    load_config_text(f, GOOD_CREDENTIALS);
    expect_warning(
        f, "API key and secret come from different sources: @/c.yaml:1:24 and environment variable "
           "DNSMADEEASY_API_SECRET, continuing\n"
           "the API secret of environment variable DNSMADEEASY_API_SECRET (fingerprint " OTHER_SECRET_FINGERPRINT ") "
           "hides a different one, of @/c.yaml:1:74 (fingerprint " GOOD_SECRET_FINGERPRINT "), "
           "continuing");
    assert_string_equal(f->config->accounts[0].hidden_origin + strlen(f->dir), "/c.yaml:1:74");
    assert_string_equal(secret_bytes(f->config->accounts[0].api_key), GOOD_KEY);
    assert_string_equal(secret_bytes(f->config->accounts[0].api_secret), OTHER_SECRET);
    load_config_text(f, multi_account);
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml: the file has \"accounts\", and of the environment's credentials only "
                 "DNSMADEEASY_API_SECRET is set");
    load_config_text(f, "state_dir: /x\n");
    expect_error(f, ERR_CONFIG, "\"DNSMADEEASY_API_KEY\" is missing");
}

TEST(an_account_can_be_chosen_by_name)
{
    struct config_fixture *f = *state;

    f->req.account = "staging";
    load_config_text(f, multi_account);
    expect_silence(f);
    assert_int_equal(f->config->account_count, 1);
    assert_string_equal(f->config->accounts[0].name, "staging");
    f->req.account = "stagging";
    load_config(f);
    expect_error(f, ERR_CONFIG, "option --account: there is no account \"stagging\"");
    expect_hint(f, "There are: \"production\", \"staging\".");
    f->req.account = "default";
    load_config_text(f, GOOD_CREDENTIALS);
    expect_silence(f);
}

TEST(a_chosen_account_goes_before_the_environment)
{
    struct config_fixture *f = *state;

    set_env_credentials(f);
    f->req.account = "production";
    load_config_text(f, multi_account);
    expect_warning(f, "the credentials in the environment are not used, as --account is given, continuing");
    assert_string_equal(secret_bytes(f->config->accounts[0].api_key), GOOD_KEY);
    f->req.account = "environment";
    load_config(f);
    expect_silence(f);
    assert_string_equal(secret_bytes(f->config->accounts[0].api_key), OTHER_KEY);
}

TEST(key_files_of_accounts_that_are_not_chosen_are_not_read)
{
    struct config_fixture *f = *state;

    f->req.account = "a";
    load_config_text(f, "accounts:\n"
                        "- {name: a, default_account: true, " CREDENTIALS "}\n"
                        "- {name: b, credentials: {api_key_file: nowhere, api_secret_file: nowhere}}\n");
    expect_silence(f);
    f->req.account = NULL;
    load_config(f);
    assert_int_equal(f->code, ERR_CONFIG);
    assert_int_equal(f->problems.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(the_gems_file_with_one_account_loads_unchanged),
        CONFIG_TEST(the_gems_file_with_several_accounts_loads_unchanged),
        CONFIG_TEST(an_encrypted_account_is_an_error_when_it_is_the_one_to_use),
        CONFIG_TEST(an_encrypted_account_that_is_not_the_default_says_why_it_can_t_be_used),
        CONFIG_TEST(zones_are_kept_as_dns_compares_them),
        CONFIG_TEST(without_a_default_each_account_needs_zones),
        CONFIG_TEST(a_single_account_is_the_default),
        CONFIG_TEST(accounts_are_checked_against_each_other),
        CONFIG_TEST(the_environment_replaces_the_files_accounts),
        CONFIG_TEST(what_the_environment_hides_is_announced_by_place_and_fingerprint),
        CONFIG_TEST(the_same_value_in_both_places_is_no_news),
        CONFIG_TEST(several_accounts_that_the_environment_hides_are_announced_together),
        CONFIG_TEST(what_is_hidden_need_not_be_usable),
        CONFIG_TEST(the_origin_of_a_value_in_a_file_of_its_own_names_both_files),
        CONFIG_TEST(every_load_reads_the_files_anew),
        CONFIG_TEST(one_variable_alone_goes_with_the_files_credentials_and_a_warning),
        CONFIG_TEST(an_account_can_be_chosen_by_name),
        CONFIG_TEST(a_chosen_account_goes_before_the_environment),
        CONFIG_TEST(key_files_of_accounts_that_are_not_chosen_are_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
