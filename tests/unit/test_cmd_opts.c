/* SPDX-License-Identifier: MIT
 *
 * Options of the standalone client, and which command takes them.
 */
#include <stdio.h>

#include "cmd/opts.h"
#include "config/schema.h"
#include "test.h"

/* Parse one option and ask whether the command takes it. */
static enum err_code take(const char *option, const char *command, struct err *err)
{
    struct opts AUTO(opts_done) opts = {.action = OPTS_RUN};
    char word[200];
    char *const argv[] = {word};
    int index = 0;

    (void)snprintf(word, sizeof word, "%s=x", option);
    assert_int_equal(opts_parse(1, argv, &index, &opts, err), ERR_OK);
    assert_int_equal(opts.override_count, 1);
    return opts_check_command(&opts, command, err);
}

TEST(options_of_certificates_are_for_issue_and_renew)
{
    struct err err;

    assert_int_equal(take("--profile", "issue", &err), ERR_OK);
    assert_int_equal(take("--csr", "renew", &err), ERR_OK);
    assert_int_equal(take("--profile", "hook", &err), ERR_USAGE);
    assert_string_equal(err.msg, "option --profile is for: issue renew");
    assert_int_equal(take("--csr", "list", &err), ERR_USAGE);
    assert_string_equal(err.msg, "option --csr is for: issue renew");
}

TEST(options_of_the_ca_are_for_all_commands_of_the_standalone_client)
{
    static const char *const commands[] = {"issue", "renew", "revoke", "account", "list", "show"};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        assert_int_equal(take("--directory", commands[i], &err), ERR_OK);
    assert_int_equal(take("--directory", "check", &err), ERR_USAGE);
    assert_string_equal(err.msg, "option --directory is for: issue renew revoke account list show");
}

TEST(options_of_everything_else_are_for_all_commands)
{
    struct err err;

    assert_int_equal(take("--ttl", "hook", &err), ERR_OK);
    assert_int_equal(take("--ttl", "issue", &err), ERR_OK);
}

TEST(every_option_of_the_table_is_parsed)
{
    size_t count, options = 0;
    const struct config_key *keys = config_keys(&count);
    struct err err;

    for (size_t i = 0; i < count; i++) {
        if (!keys[i].option)
            continue;
        options++;
        assert_int_equal(take(keys[i].option, "issue", &err), ERR_OK);
    }
    assert_true(options > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_certificates_are_for_issue_and_renew),
        cmocka_unit_test(options_of_the_ca_are_for_all_commands_of_the_standalone_client),
        cmocka_unit_test(options_of_everything_else_are_for_all_commands),
        cmocka_unit_test(every_option_of_the_table_is_parsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
