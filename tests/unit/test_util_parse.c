/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "util/parse.h"

TEST(a_number_is_digits_only_and_within_its_bounds)
{
    static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "9", "21", "18446744073709551616"};
    uint64_t value = 0;

    assert_true(parse_uint("18446744073709551615", 0, UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_true(parse_uint("0010", 10, 20, &value));
    assert_int_equal(value, 10);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(parse_uint(bad[i], 10, 20, &value));
    assert_int_equal(value, 10);
}

TEST(a_duration_has_a_unit_and_at_most_366_days)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0s", 0}, {"250ms", 250}, {"100s", 100000}, {"5m", 300000}, {"2h", 7200000}, {"366d", 31622400000}};
    static const char *const bad[] = {"",     "s",     "10",   "10 s", "1.5s", "-1s",
                                      "10S",  "10sec", "1m1s", "367d", "31622400001ms", "18446744073709551616s",
                                      "213503982335d"};
    int64_t ms = -1;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(parse_duration_ms(good[i].text, &ms));
        assert_true(ms == good[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(parse_duration_ms(bad[i], &ms));
    assert_true(ms == 31622400000);
}

TEST(yes_and_no_have_four_words_each)
{
    static const char *const words[] = {"true", "FALSE", "Yes", "no", "on", "off", "1", "0"};
    bool value = false;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        assert_true(parse_bool(words[i], &value));
        assert_int_equal(value, i % 2 == 0);
    }
    assert_false(parse_bool("", &value));
    assert_false(parse_bool("y", &value));
    assert_false(parse_bool("true ", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_digits_only_and_within_its_bounds),
        cmocka_unit_test(a_duration_has_a_unit_and_at_most_366_days),
        cmocka_unit_test(yes_and_no_have_four_words_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
