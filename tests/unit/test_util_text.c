/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "test.h"
#include "util/mem.h"
#include "util/text.h"

static void expect_escaped(const char *in, size_t len, const char *want)
{
    char out[64];

    text_escape_into(out, sizeof out, in, len);
    assert_string_equal(out, want);
}

TEST(plain_text_passes_unchanged)
{
    expect_escaped("d\xc3\xa9j\xc3\xa0 vu", 9, "d\xc3\xa9j\xc3\xa0 vu");
}

TEST(what_could_steer_a_terminal_is_escaped)
{
    expect_escaped("a\x1b[2Jb", 6, "a\\x1b[2Jb");
    expect_escaped("a\nb\r", 4, "a\\x0ab\\x0d");
    expect_escaped("\xe2\x80\xae"
                   "x",
                   4, "\\xe2\\x80\\xaex");
    expect_escaped("\xc2\x9b", 2, "\\xc2\\x9b");
}

TEST(bytes_that_are_no_utf8_are_escaped)
{
    expect_escaped("\xff", 1, "\\xff");
    expect_escaped("\xc0\x80", 2, "\\xc0\\x80");
    expect_escaped("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
    expect_escaped("\xe2\x82", 2, "\\xe2\\x82");
}

TEST(an_overlong_text_is_cut_visibly_and_stays_in_bounds)
{
    for (size_t size = 0; size < 20; size++) {
        char out[21];

        memset(out, '#', sizeof out);
        text_escape_into(out, size, "abcdefghijklmnopqrstuvwxyz", 26);
        assert_int_equal(out[size], '#');
        if (size)
            assert_true(strlen(out) < size);
        if (size >= 4)
            assert_true(text_ends_with(out, "..."));
    }
}

TEST(a_sorted_list_is_searched_by_bytes)
{
    static const char *const words[] = {"b", "a-b", "a", "B"};
    struct strlist AUTO_STRLIST list = {NULL, 0};

    strlist_sort(&list);
    assert_false(strlist_has_sorted(&list, "a"));
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        strlist_add(&list, words[i]);
    strlist_sort(&list);
    assert_string_equal(list.items[0], "B");
    assert_string_equal(list.items[2], "a-b");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_true(strlist_has_sorted(&list, words[i]));
    assert_false(strlist_has_sorted(&list, "A"));
    assert_false(strlist_has_sorted(&list, "c"));
}

TEST(lists_are_the_same_in_the_same_order_alone)
{
    struct strlist AUTO_STRLIST a = {NULL, 0};
    struct strlist AUTO_STRLIST b = {NULL, 0};

    assert_true(strlist_is_same(&a, &b));
    strlist_add(&a, "x");
    strlist_add(&a, "y");
    strlist_add(&b, "x");
    assert_false(strlist_is_same(&a, &b));
    assert_false(strlist_is_same(&b, &a));
    strlist_add(&b, "y");
    assert_true(strlist_is_same(&a, &b));
    b.items[0][0] = 'y';
    b.items[1][0] = 'x';
    assert_false(strlist_is_same(&a, &b));
    assert_true(strlist_is_same_set(&a, &b));
}

TEST(comparison_ignores_ascii_case_only)
{
    assert_int_equal(text_casecmp("ExAmPle", "example"), 0);
    assert_true(text_casecmp("a", "b") < 0);
    assert_true(text_casecmp("\xc3\x84", "\xc3\xa4") != 0);
}

TEST(the_nearest_word_is_suggested_only_when_near)
{
    static const char *const words[] = {"credentials", "accounts", "propagation", "state_dir"};

    assert_string_equal(text_nearest("credentails", words, 4), "credentials");
    assert_string_equal(text_nearest("statedir", words, 4), "state_dir");
    assert_null(text_nearest("zebra", words, 4));
    assert_null(text_nearest("", words, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_passes_unchanged),
        cmocka_unit_test(what_could_steer_a_terminal_is_escaped),
        cmocka_unit_test(bytes_that_are_no_utf8_are_escaped),
        cmocka_unit_test(an_overlong_text_is_cut_visibly_and_stays_in_bounds),
        cmocka_unit_test(a_sorted_list_is_searched_by_bytes),
        cmocka_unit_test(lists_are_the_same_in_the_same_order_alone),
        cmocka_unit_test(comparison_ignores_ascii_case_only),
        cmocka_unit_test(the_nearest_word_is_suggested_only_when_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
