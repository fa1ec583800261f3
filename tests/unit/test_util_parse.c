/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

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
    static const char *const bad[] = {"",
                                      "s",
                                      "10",
                                      "10 s",
                                      "1.5s",
                                      "-1s",
                                      "10S",
                                      "10sec",
                                      "1m1s",
                                      "367d",
                                      "31622400001ms",
                                      "18446744073709551616s",
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

TEST(a_fraction_is_a_part_and_not_the_whole)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "1/",
                                      "/3",
                                      "0/3",
                                      "1/0",
                                      "1/1",
                                      "3/1",
                                      "2/2",
                                      "1/3 ",
                                      " 1/3",
                                      "1/3/4",
                                      "-1/3",
                                      "1/-3",
                                      "1/1001",
                                      "0.3",
                                      "1 / 3",
                                      "1/3d",
                                      "18446744073709551617/18446744073709551618",
                                      "30%"};
    uint32_t numerator = 7;
    uint32_t denominator = 7;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parse_fraction(bad[i], &numerator, &denominator))
            fail_msg("\"%s\" is taken", bad[i]);
    assert_true(numerator == 7 && denominator == 7);
    assert_true(parse_fraction("1/3", &numerator, &denominator));
    assert_true(numerator == 1 && denominator == 3);
    assert_true(parse_fraction("999/1000", &numerator, &denominator));
    assert_true(numerator == 999 && denominator == 1000);
}

TEST(host_and_port_are_a_name_or_an_address_and_a_number)
{
    static const char *const good[][3] = {
        {"example.com:443", "example.com", "443"},     {"localhost:1", "localhost", "1"},
        {"192.0.2.1:65535", "192.0.2.1", "65535"},     {"[2001:db8::1]:8443", "2001:db8::1", "8443"},
        {"[fe80::1%eth0]:443", "fe80::1%eth0", "443"}, {"xn--bcher-kva.example.:0443", "xn--bcher-kva.example.", "443"},
    };
    static const char *const bad[] = {"",
                                      ":",
                                      ":443",
                                      "example.com",
                                      "example.com:",
                                      "example.com:0",
                                      "example.com:65536",
                                      "example.com:https",
                                      "example.com:443 ",
                                      "example.com:443/x",
                                      "a b:443",
                                      "./file:443",
                                      "/etc/x:443",
                                      "*.example.com:443",
                                      "2001:db8::1:443",
                                      "[2001:db8::1]",
                                      "[2001:db8::1]443",
                                      "[]:443",
                                      "[::1:443",
                                      "::1]:443",
                                      "-x:443",
                                      "a\nb:443",
                                      "C:\\cert.pem",
                                      ("b\xc3\xbc"
                                       "cher.example:443")};
    char label[300];
    char *host = NULL;
    char *port = NULL;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(parse_host_port(good[i][0], &host, &port));
        assert_string_equal(host, good[i][1]);
        assert_string_equal(port, good[i][2]);
        free(host);
        free(port);
    }
    host = port = NULL;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parse_host_port(bad[i], &host, &port))
            fail_msg("\"%s\" is taken", bad[i]);
    memset(label, 'a', sizeof label);
    memcpy(label + 254, ":1", 3);
    assert_false(parse_host_port(label, &host, &port));
    assert_null(host);
    assert_null(port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_digits_only_and_within_its_bounds),
        cmocka_unit_test(a_duration_has_a_unit_and_at_most_366_days),
        cmocka_unit_test(yes_and_no_have_four_words_each),
        cmocka_unit_test(a_fraction_is_a_part_and_not_the_whole),
        cmocka_unit_test(host_and_port_are_a_name_or_an_address_and_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
