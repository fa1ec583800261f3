/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/challenge.h"
#include "test.h"
#include "util/mem.h"

TEST(a_domain_gets_the_label_in_front_and_loses_wildcard_dot_and_case)
{
    static const char *const domains[] = {"example.com", "*.example.com", "Example.COM.", "*.EXAMPLE.com."};

    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        AUTO(challenge_set_done) struct challenge_set set = {0};

        assert_int_equal(challenge_set_add_domain(&set, domains[i], "v", NULL), ERR_OK);
        assert_int_equal(set.count, 1);
        assert_string_equal(set.items[0].name, "_acme-challenge.example.com");
        assert_string_equal(set.items[0].value, "v");
    }
}

TEST(a_record_name_is_taken_as_it_is)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};

    assert_int_equal(challenge_set_add_record(&set, "x.Acme.example.net.", "v", NULL), ERR_OK);
    assert_string_equal(set.items[0].name, "x.acme.example.net");
}

TEST(a_pair_that_is_there_is_not_added_twice)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};

    assert_int_equal(challenge_set_add_domain(&set, "example.com", "a", NULL), ERR_OK);
    assert_int_equal(challenge_set_add_domain(&set, "*.example.com", "a", NULL), ERR_OK);
    assert_int_equal(challenge_set_add_record(&set, "_acme-challenge.example.com", "a", NULL), ERR_OK);
    assert_int_equal(set.count, 1);
    assert_int_equal(challenge_set_add_domain(&set, "*.example.com", "b", NULL), ERR_OK);
    assert_int_equal(challenge_set_add_domain(&set, "example.com", "A", NULL), ERR_OK); /* values have case */
    assert_int_equal(challenge_set_add_domain(&set, "example.com", NULL, NULL), ERR_OK);
    assert_int_equal(challenge_set_add_domain(&set, "example.com", NULL, NULL), ERR_OK);
    assert_int_equal(set.count, 4);
    assert_null(set.items[3].value);
}

TEST(what_is_no_name_is_refused_and_adds_nothing)
{
    AUTO_FREE char *label = mem_calloc(65, 1);
    AUTO_FREE char *too_long = NULL;
    const char *bad[] = {"", ".", "*.", "*.*.example.com", "a..b", "with space.example.com", "a\nb.example.com", NULL};

    memset(label, 'a', 60);
    too_long = mem_printf("%s.%s.%s.%s.example", label, label, label, label); /* with the label in front over 253 */
    bad[ARRAY_LEN(bad) - 1] = too_long;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(challenge_set_done) struct challenge_set set = {0};
        struct err err;

        assert_int_equal(challenge_set_add_domain(&set, bad[i], "v", &err), ERR_INPUT);
        assert_int_equal(err.code, ERR_INPUT);
        assert_int_equal(set.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_gets_the_label_in_front_and_loses_wildcard_dot_and_case),
        cmocka_unit_test(a_record_name_is_taken_as_it_is),
        cmocka_unit_test(a_pair_that_is_there_is_not_added_twice),
        cmocka_unit_test(what_is_no_name_is_refused_and_adds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
