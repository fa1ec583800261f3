/* SPDX-License-Identifier: MIT
 *
 * The table of keys: what the rest relies on.
 */
#include <string.h>

#include "config/schema.h"
#include "config_fixture.h"
#include "test.h"
#include "util/text.h"

TEST(paths_options_and_variables_are_unique)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(config_key_find(keys[i].path), &keys[i]);
        if (keys[i].option)
            assert_ptr_equal(config_key_find_option(keys[i].option), &keys[i]);
        for (size_t j = 0; j < i; j++) {
            if (keys[i].variable && keys[j].variable)
                assert_string_not_equal(keys[i].variable, keys[j].variable);
        }
    }
    assert_null(config_key_find("propagation"));
    assert_null(config_key_find_option("--zebra"));
}

TEST(no_secret_has_an_option)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        if (keys[i].type == CONFIG_TYPE_SECRET || strstr(keys[i].path, "credentials"))
            assert_null(keys[i].option);
        else if (!strchr(keys[i].path, '['))
            assert_non_null(keys[i].option);
    }
}

TEST(every_key_has_a_line_of_help_and_a_word_for_its_value)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        char AUTO_FREE *argument = config_key_argument(&keys[i]);

        assert_true(*argument && !strchr(argument, ' '));
        assert_true(strlen(keys[i].help) > 10 && strlen(keys[i].help) < 80);
        assert_false(text_ends_with(keys[i].help, "."));
        assert_true(!keys[i].option || text_starts_with(keys[i].option, "--"));
    }
}

TEST(ranges_are_those_of_numbers_and_durations)
{
    char AUTO_FREE *ttl = config_key_range(config_key_find("dnsmadeeasy.ttl"));
    char AUTO_FREE *sweep = config_key_range(config_key_find("sweep_after"));

    assert_string_equal(ttl, "1 to 86400");
    assert_string_equal(sweep, "0s to 366d");
    assert_null(config_key_range(config_key_find("state_dir")));
}

TEST(both_ends_of_every_range_are_taken)
{
    struct config_fixture *f = *state;
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        char AUTO_FREE *range = config_key_range(&keys[i]);
        char *end = range ? strstr(range, " to ") : NULL;

        if (!end || strchr(keys[i].path, '['))
            continue;
        *end = '\0';
        f->req.override_count = 0;
        given_override(f, keys[i].path, range);
        load_config_text(f, GOOD_CREDENTIALS);
        expect_silence(f);
        f->req.override_count = 0;
        given_override(f, keys[i].path, end + 4);
        load_config_text(f, GOOD_CREDENTIALS);
        expect_silence(f);
    }
}

TEST(choices_are_in_the_order_of_their_enums)
{
    static const struct {
        const char *doh, *journal;
        enum config_doh want_doh;
        enum config_journal want_journal;
    } table[] = {{"auto", "required", CONFIG_DOH_AUTO, CONFIG_JOURNAL_REQUIRED},
                 {"always", "none", CONFIG_DOH_ALWAYS, CONFIG_JOURNAL_NONE},
                 {"never", "none", CONFIG_DOH_NEVER, CONFIG_JOURNAL_NONE}};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        f->req.override_count = 0;
        given_override(f, "propagation.doh", table[i].doh);
        given_override(f, "journal", table[i].journal);
        load_config_text(f, GOOD_CREDENTIALS);
        expect_silence(f);
        assert_int_equal(f->config->doh, table[i].want_doh);
        assert_int_equal(f->config->journal, table[i].want_journal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_options_and_variables_are_unique),
        cmocka_unit_test(no_secret_has_an_option),
        cmocka_unit_test(every_key_has_a_line_of_help_and_a_word_for_its_value),
        cmocka_unit_test(ranges_are_those_of_numbers_and_durations),
        CONFIG_TEST(both_ends_of_every_range_are_taken),
        CONFIG_TEST(choices_are_in_the_order_of_their_enums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
