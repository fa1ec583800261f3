/* SPDX-License-Identifier: MIT
 *
 * Reading API key and secret: cleaning, checks, files and who can read them.
 */
#include <stdio.h>
#include <string.h>

#include "config_fixture.h"
#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

#define ENCRYPTED                                                                                                      \
    "BAhTOh1TeW06OkRhdGE6OldyYXBwZXJTdHJ1Y3QLOhNlbmNyeXB0ZWRfZGF0YSIlQnGiN3FkZlZ3ZWZxd2VmcXdlZnF3ZWZxd2VmOg"           \
    "dpdiIVcXdl"

static void expect_credentials(const struct config_fixture *f, const char *key, const char *secret)
{
    assert_int_equal(f->code, ERR_OK);
    assert_int_equal(f->config->account_count, 1);
    assert_string_equal(secret_bytes(f->config->accounts[0].api_key), key);
    assert_string_equal(secret_bytes(f->config->accounts[0].api_secret), secret);
}

/* Key in the file "@/key" with these bytes, the secret in the configuration. */
static void load_key_file(struct config_fixture *f, const char *bytes)
{
    given_write(f, "key", bytes);
    load_config_text(f, "credentials: {api_key_file: key, api_secret: " GOOD_SECRET "}\n");
}

TEST(key_and_secret_are_taken_as_they_are)
{
    struct config_fixture *f = *state;

    load_config_text(f, GOOD_CREDENTIALS);
    expect_silence(f);
    expect_credentials(f, GOOD_KEY, GOOD_SECRET);
    assert_string_equal(f->config->accounts[0].name, "default");
    assert_true(f->config->accounts[0].is_default);
}

TEST(a_key_may_be_in_a_file_of_its_own)
{
    struct config_fixture *f = *state;

    given_write(f, "sub/key", GOOD_KEY);
    given_write(f, "home/secret", GOOD_SECRET "\n");
    load_config_text(f, "credentials: {api_key_file: sub/key, api_secret_file: ~/secret}\n");
    expect_silence(f);
    expect_credentials(f, GOOD_KEY, GOOD_SECRET);
}

TEST(what_pasting_leaves_around_a_value_is_taken_off_with_a_warning)
{
    static const struct {
        const char *bytes;
        const char *what;
    } table[] = {
        {GOOD_KEY "\r\r\n", "a carriage return"},
        {GOOD_KEY "\n\n", "white space"},
        {" " GOOD_KEY, "white space"},
        {"\t" GOOD_KEY " \n", "white space"},
        {"\"" GOOD_KEY "\"\n", "quotes"},
        {"'" GOOD_KEY "'", "quotes"},
        {"\xef\xbb\xbf" GOOD_KEY "\n", "a byte order mark"},
        {"\xef\xbb\xbf\" " GOOD_KEY " \"\r\r\n", "a byte order mark, white space, a carriage return and quotes"},
        {"\"'" GOOD_KEY "'\"", "quotes"},
    };
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *warning = mem_printf("@/key: took %s off the value of \"credentials.api_key\", continuing",
                                             table[i].what);

        load_key_file(f, table[i].bytes);
        expect_warning(f, warning);
        expect_credentials(f, GOOD_KEY, GOOD_SECRET);
        expect_unsaid(f, GOOD_KEY);
    }
}

TEST(a_line_may_end_as_lines_do_here)
{
    struct config_fixture *f = *state;

    load_key_file(f, GOOD_KEY "\r\n");
    if (strcmp(platform_line_end(), "\r\n") == 0)
        expect_silence(f);
    else
        expect_warning(f, "@/key: took a carriage return off the value of \"credentials.api_key\", continuing");
    expect_credentials(f, GOOD_KEY, GOOD_SECRET);
    load_key_file(f, GOOD_KEY "\n");
    expect_silence(f);
}

TEST(values_in_the_configuration_are_cleaned_in_the_same_way)
{
    struct config_fixture *f = *state;

    load_config_text(f, "credentials:\n  api_key: \"  " GOOD_KEY "\"\n  api_secret: '\"" GOOD_SECRET "\"'\n");
    assert_int_equal(f->warnings.count, 2);
    expect_credentials(f, GOOD_KEY, GOOD_SECRET);
    load_config_text(f, "credentials:\n  api_key: |\n    " GOOD_KEY "\n  api_secret: >-\n    " GOOD_SECRET "\n");
    expect_silence(f);
    expect_credentials(f, GOOD_KEY, GOOD_SECRET);
    load_config_text(f, "credentials:\n  api_key: \" " GOOD_KEY "\"\n  api_secret: " GOOD_SECRET "\n");
    expect_warning(f, "@/c.yaml:2:12: took white space off the value of \"credentials.api_key\", continuing");
}

TEST(values_of_variables_are_cleaned_in_the_same_way)
{
    struct config_fixture *f = *state;

    given_env(f, "DNSMADEEASY_API_KEY", "\"" GOOD_KEY "\"");
    given_env(f, "DNSMADEEASY_API_SECRET", GOOD_SECRET);
    load_config(f);
    expect_warning(f, "environment variable DNSMADEEASY_API_KEY: took quotes off the value of "
                      "\"DNSMADEEASY_API_KEY\", continuing");
    expect_credentials(f, GOOD_KEY, GOOD_SECRET);
}

TEST(what_no_key_can_hold_is_refused_and_not_shown)
{
    static const struct {
        const char *bytes;
        const char *fault;
    } table[] = {
        {"", "is empty"},
        {"\n", "is empty"},
        {"\"\"", "is empty"},
        {" \r\n", "is empty"},
        {GOOD_KEY "\n" GOOD_SECRET "\n", "holds more than one line"},
        {"api_key: " GOOD_KEY "\n", "holds white space"},
        {"12345678 a8f8", "holds white space"},
        {"12345678\x01"
         "a8f8",
         "holds a control character"},
        {"12345678\x7f"
         "a8f8",
         "holds a control character"},
        {"12345678\xe2\x80\x93"
         "a8f8",
         "holds a character that is not ASCII"},
        {"\xff\xfe"
         "12345678",
         "is UTF-16, as PowerShell writes it: its file has to be UTF-8"},
        {"\"12345678", "holds a quote"},
        {"12345678'", "holds a quote"},
    };
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *message = mem_printf("@/key: the value of \"credentials.api_key\" %s", table[i].fault);

        load_key_file(f, table[i].bytes);
        expect_error(f, ERR_CONFIG, message);
        expect_unsaid(f, "12345678");
    }
}

TEST(a_nul_in_a_key_file_is_a_control_character)
{
    struct config_fixture *f = *state;

    given_write_bytes(f, "key", "abc\0def", 7);
    load_config_text(f, "credentials: {api_key_file: key, api_secret: " GOOD_SECRET "}\n");
    expect_error(f, ERR_CONFIG, "@/key: the value of \"credentials.api_key\" holds a control character");
}

TEST(an_overlong_value_is_refused)
{
    struct config_fixture *f = *state;
    char text[10000];

    memset(text, '.', sizeof text);
    text[257] = '\0';
    load_key_file(f, text);
    expect_error(f, ERR_CONFIG, "@/key: the value of \"credentials.api_key\" is too long to be one");
    text[257] = '.';
    text[sizeof text - 1] = '\0';
    load_key_file(f, text);
    expect_error(f, ERR_IO, "@/c.yaml:1:29: could not read \"@/key\": it is larger than 8192 bytes");
}

TEST(a_key_that_is_no_uuid_is_taken_with_a_warning)
{
    static const char *const keys[] = {"1234", "12345678-a8f8-4466-ffff-2324aaaa909",
                                       "12345678xa8f8-4466-ffff-2324aaaa9098", "1234567g-a8f8-4466-ffff-2324aaaa9098"};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        load_key_file(f, keys[i]);
        expect_warning(f, "@/key: the value of \"credentials.api_key\" is no UUID, as DNS Made Easy's API keys are, "
                          "continuing");
        expect_credentials(f, keys[i], GOOD_SECRET);
    }
    load_key_file(f, "12345678-A8F8-4466-FFFF-2324AAAA9098");
    expect_silence(f);
}

TEST(a_secret_need_not_be_a_uuid)
{
    struct config_fixture *f = *state;

    load_config_text(f, "credentials: {api_key: " GOOD_KEY ", api_secret: abc+/=}\n");
    expect_silence(f);
}

TEST(key_and_secret_that_are_the_same_give_a_warning)
{
    struct config_fixture *f = *state;

    load_config_text(f, "credentials: {api_key: " GOOD_KEY ", api_secret: " GOOD_KEY "}\n");
    expect_warning(f, "@/c.yaml:1:24: API key and secret are the same, continuing");
}

TEST(encrypted_values_are_named_as_such)
{
    static const char *const values[] = {ENCRYPTED, "BAhTOh1TeW06OkRhdGE6O",
                                         "qwertyuiopasdfghjklzxcvbnm1234567890QWERTYUIOPASDFGHJKLZXCVBNM12+/=="};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        load_key_file(f, values[i]);
        expect_error(f, ERR_CONFIG, "@/key: the value of \"credentials.api_key\" is encrypted, not supported");
        expect_hint(f, "Decrypt it with \"sym\" and put the value itself into a file that only you can read.");
        expect_unsaid(f, values[i]);
    }
    load_config_text(f, "credentials: {api_key: short, api_secret: " GOOD_SECRET ", encryption_key: DME_KEY}\n");
    expect_error(f, ERR_CONFIG, "@/c.yaml:1:24: the value of \"credentials.api_key\" is encrypted, not supported");
}

TEST(an_encryption_key_beside_plain_values_is_of_no_interest)
{
    struct config_fixture *f = *state;

    load_config_text(f, "credentials: {api_key: " GOOD_KEY ", api_secret: " GOOD_SECRET ", encryption_key: DME_KEY}\n");
    expect_silence(f);
}

TEST(a_value_and_a_file_for_it_contradict_each_other)
{
    struct config_fixture *f = *state;

    load_config_text(f, "credentials: {api_key: " GOOD_KEY ", api_key_file: key, api_secret: " GOOD_SECRET "}\n");
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml:1:24: \"credentials.api_key\" and \"credentials.api_key_file\" are both given");
    given_env(f, "DNSMADEEASY_API_SECRET", GOOD_SECRET);
    given_env(f, "DNSMADEEASY_API_SECRET_FILE", "/secret");
    load_config_text(f, GOOD_CREDENTIALS);
    expect_error(f, ERR_CONFIG,
                 "environment variables DNSMADEEASY_API_SECRET and DNSMADEEASY_API_SECRET_FILE are both "
                 "set");
}

TEST(what_is_missing_is_named)
{
    char AUTO_FREE *text = NULL;
    struct config_fixture *f = *state;

    load_config_text(f, "credentials: {api_key: " GOOD_KEY "}\n");
    expect_error(f, ERR_CONFIG, "@/c.yaml:1:14: \"credentials.api_secret\" is missing");
    load_config_text(f, "credentials:\n");
    expect_problems(f, "@/c.yaml:1:13: \"credentials.api_key\" is missing\n"
                       "@/c.yaml:1:13: \"credentials.api_secret\" is missing");
    load_config_text(f, "credentials: {api_key: , api_secret: [" GOOD_SECRET "]}\n");
    expect_problems(f, "@/c.yaml:1:24: \"credentials.api_key\" has no value\n"
                       "@/c.yaml:1:38: \"credentials.api_secret\" must be a single value, not a list");
    load_config_text(f, "credentials: {api_key: " GOOD_KEY ", api_secret_file: nowhere}\n");
    text = mem_printf("@/c.yaml:1:79: could not open \"@/nowhere\": %s", fixture_no_such_file());
    expect_error(f, ERR_CONFIG, text);
}

TEST(a_key_where_the_name_of_its_file_belongs_is_not_shown)
{
    struct config_fixture *f = *state;

    load_config_text(f, "credentials: {api_key_file: " GOOD_KEY ", api_secret: " GOOD_SECRET "}\n");
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml:1:29: could not read the file, whose name is not shown here, as it looks like a secret");
    expect_unsaid(f, GOOD_KEY);
}

TEST(variables_may_name_files)
{
    struct config_fixture *f = *state;

    given_write(f, "key", GOOD_KEY "\n");
    given_write(f, "secret", GOOD_SECRET "\n");
    given_env_path(f, "DNSMADEEASY_API_KEY_FILE", "key");
    given_env_path(f, "DNSMADEEASY_API_SECRET_FILE", "secret");
    load_config(f);
    expect_silence(f);
    expect_credentials(f, GOOD_KEY, GOOD_SECRET);
}

TEST(a_file_with_secrets_that_others_can_read_is_refused_with_the_command_to_run)
{
    struct config_fixture *f = *state;

    load_config_text(f, GOOD_CREDENTIALS);
    if (fixture_can(FIXTURE_GROUPS)) {
        char AUTO_FREE *text = mem_printf("@/c.yaml: other %s can read the secrets in it", platform_advice_group());

        given_chmod(f, "c.yaml", 0640);
        load_config(f);
        expect_error(f, ERR_UNSAFE, text);
        expect_remedy(f, "Run: chmod 600 '@/c.yaml'");
    }
    given_chmod(f, "c.yaml", 0604);
    load_config(f);
    expect_error(f, ERR_UNSAFE, "@/c.yaml: every user of this machine can read the secrets in this file");
    given_chmod(f, "c.yaml", 0400);
    load_config(f);
    expect_silence(f);
}

TEST(key_files_are_held_to_the_same_rule)
{
    struct config_fixture *f = *state;

    load_key_file(f, GOOD_KEY);
    expect_silence(f);
    given_chmod(f, "key", 0444);
    load_config(f);
    expect_error(f, ERR_UNSAFE, "@/key: every user of this machine can read the secrets in this file");
    expect_remedy(f, "Run: chmod 600 '@/key'");
}

TEST(readable_secrets_may_be_allowed_and_are_a_warning_then)
{
    struct config_fixture *f = *state;

    given_write(f, "it's", GOOD_KEY);
    given_chmod(f, "it's", 0444);
    load_config_text(f, "credentials: {api_key_file: \"it's\", api_secret: " GOOD_SECRET "}\n");
    expect_error(f, ERR_UNSAFE, "@/it's: every user of this machine can read the secrets in this file");
    expect_remedy(f, "Run: chmod 600 '@/it'\\''s'");
    given_override(f, "allow_readable_secrets", "true");
    load_config(f);
    expect_warning(f, "@/it's: every user of this machine can read the secrets in this file, continuing");
    f->req.override_count = 0;
    load_config_text(f, GOOD_CREDENTIALS "allow_readable_secrets: true\n");
    given_chmod(f, "c.yaml", 0644);
    load_config(f);
    expect_warning(f, "@/c.yaml: every user of this machine can read the secrets in this file, continuing");
}

TEST(a_file_without_secrets_may_be_readable_but_not_writable_by_all)
{
    struct config_fixture *f = *state;

    given_env(f, "DNSMADEEASY_API_KEY", GOOD_KEY);
    given_env(f, "DNSMADEEASY_API_SECRET", GOOD_SECRET);
    load_config_text(f, "state_dir: /x\n");
    given_chmod(f, "c.yaml", 0644);
    load_config(f);
    expect_silence(f);
    given_chmod(f, "c.yaml", 0666);
    load_config(f);
    expect_error(f, ERR_UNSAFE, "@/c.yaml: every user of this machine can change this file");
    expect_remedy(f, "Run: chmod o-w '@/c.yaml'");
}

TEST(secrets_that_the_environment_overrides_must_not_be_readable_either)
{
    struct config_fixture *f = *state;

    given_env(f, "DNSMADEEASY_API_KEY", GOOD_KEY);
    given_env(f, "DNSMADEEASY_API_SECRET", GOOD_SECRET);
    load_config_text(f, GOOD_CREDENTIALS);
    given_chmod(f, "c.yaml", 0644);
    load_config(f);
    expect_error(f, ERR_UNSAFE, "@/c.yaml: every user of this machine can read the secrets in this file");
}

TEST(a_file_with_secrets_must_be_ours_or_roots)
{
    struct config_fixture *f = *state;
    char AUTO_FREE *path = mem_printf("%s/c.yaml", f->dir);

    fixture_needs(FIXTURE_OWNERS);
    load_config_text(f, GOOD_CREDENTIALS);
    fixture_chown(path, 12345, 0);
    load_config(f);
    expect_error(f, ERR_UNSAFE, "@/c.yaml: the file with secrets belongs to another user");
    expect_remedy(f, "Run: chown \"$(id -u)\" '@/c.yaml' && chmod 600 '@/c.yaml'");
    given_override(f, "allow_readable_secrets", "true");
    load_config(f);
    expect_warning(f, "@/c.yaml: the file with secrets belongs to another user, continuing");
}

TEST(a_mistake_in_the_text_counts_more_than_an_unsafe_file)
{
    struct config_fixture *f = *state;

    load_config_text(f, GOOD_CREDENTIALS "zebra: 1\n");
    given_chmod(f, "c.yaml", 0644);
    load_config(f);
    assert_int_equal(f->code, ERR_CONFIG);
    expect_problems(f, "@/c.yaml:2:1: unknown key \"zebra\"\n"
                       "@/c.yaml: every user of this machine can read the secrets in this file");
    expect_remedy(f, "Run: chmod 600 '@/c.yaml'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(key_and_secret_are_taken_as_they_are),
        CONFIG_TEST(a_key_may_be_in_a_file_of_its_own),
        CONFIG_TEST(what_pasting_leaves_around_a_value_is_taken_off_with_a_warning),
        CONFIG_TEST(a_line_may_end_as_lines_do_here),
        CONFIG_TEST(values_in_the_configuration_are_cleaned_in_the_same_way),
        CONFIG_TEST(values_of_variables_are_cleaned_in_the_same_way),
        CONFIG_TEST(what_no_key_can_hold_is_refused_and_not_shown),
        CONFIG_TEST(a_nul_in_a_key_file_is_a_control_character),
        CONFIG_TEST(an_overlong_value_is_refused),
        CONFIG_TEST(a_key_that_is_no_uuid_is_taken_with_a_warning),
        CONFIG_TEST(a_secret_need_not_be_a_uuid),
        CONFIG_TEST(key_and_secret_that_are_the_same_give_a_warning),
        CONFIG_TEST(encrypted_values_are_named_as_such),
        CONFIG_TEST(an_encryption_key_beside_plain_values_is_of_no_interest),
        CONFIG_TEST(a_value_and_a_file_for_it_contradict_each_other),
        CONFIG_TEST(what_is_missing_is_named),
        CONFIG_TEST(a_key_where_the_name_of_its_file_belongs_is_not_shown),
        CONFIG_TEST(variables_may_name_files),
        CONFIG_TEST(a_file_with_secrets_that_others_can_read_is_refused_with_the_command_to_run),
        CONFIG_TEST(key_files_are_held_to_the_same_rule),
        CONFIG_TEST(readable_secrets_may_be_allowed_and_are_a_warning_then),
        CONFIG_TEST(a_file_without_secrets_may_be_readable_but_not_writable_by_all),
        CONFIG_TEST(secrets_that_the_environment_overrides_must_not_be_readable_either),
        CONFIG_TEST(a_file_with_secrets_must_be_ours_or_roots),
        CONFIG_TEST(a_mistake_in_the_text_counts_more_than_an_unsafe_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
