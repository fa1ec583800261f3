/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "fixture.h"
#include "test.h"
#include "util/buf.h"

TEST(an_empty_buffer_is_an_empty_string)
{
    struct buf b = BUF_INIT(10);
    char *taken;

    assert_string_equal(buf_cstr(&b), "");
    buf_puts(&b, "");
    assert_true(buf_ok(&b));
    taken = buf_take(&b);
    assert_string_equal(taken, "");
    free(taken);
    buf_done(&b);
}

TEST(it_holds_as_much_as_it_may_and_not_one_byte_more)
{
    struct buf b = BUF_INIT(10);

    buf_puts(&b, "12345");
    buf_printf(&b, "%d", 67890);
    assert_true(buf_ok(&b));
    assert_string_equal(buf_cstr(&b), "1234567890");
    buf_putc(&b, 'x');
    assert_false(buf_ok(&b));
    assert_string_equal(buf_cstr(&b), "1234567890");
    buf_done(&b);
}

TEST(what_did_not_fit_is_left_out_whole_and_the_mark_sticks)
{
    struct buf b = BUF_INIT(4);

    buf_puts(&b, "ab");
    buf_puts(&b, "cde");
    buf_puts(&b, "f"); /* would fit */
    assert_false(buf_ok(&b));
    assert_string_equal(buf_cstr(&b), "ab");
    buf_clear(&b);
    assert_true(buf_ok(&b));
    buf_put_urlencoded(&b, "a/");
    assert_string_equal(buf_cstr(&b), "a%2F");
    assert_true(buf_ok(&b));
    buf_done(&b);
}

TEST(a_length_near_the_largest_does_not_wrap_round)
{
    struct buf b = BUF_INIT(100);

    buf_puts(&b, "a");
    buf_append(&b, "x", SIZE_MAX);
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 1);
    buf_done(&b);
}

TEST(bytes_that_are_no_text_are_kept)
{
    struct buf b = BUF_INIT(100);

    buf_append(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(buf_cstr(&b), "a\0b", 4);
    buf_done(&b);
}

TEST(only_unreserved_characters_stand_for_themselves_in_a_url)
{
    struct buf b = BUF_INIT(100);

    buf_put_urlencoded(&b, "aZ09-._~ &=?#%/+\"\xc3\xa4\x7f");
    assert_string_equal(buf_cstr(&b), "aZ09-._~%20%26%3D%3F%23%25%2F%2B%22%C3%A4%7F");
    buf_done(&b);
}

TEST(a_text_that_can_not_be_formatted_counts_as_lost)
{
    static const wchar_t no_character[] = {(wchar_t)0x7fffffff, 0};
    struct buf b = BUF_INIT(100);

    fixture_needs(FIXTURE_BAD_FORMATS);
    buf_printf(&b, "%ls", no_character);
    assert_false(buf_ok(&b));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(it_holds_as_much_as_it_may_and_not_one_byte_more),
        cmocka_unit_test(what_did_not_fit_is_left_out_whole_and_the_mark_sticks),
        cmocka_unit_test(a_length_near_the_largest_does_not_wrap_round),
        cmocka_unit_test(bytes_that_are_no_text_are_kept),
        cmocka_unit_test(only_unreserved_characters_stand_for_themselves_in_a_url),
        cmocka_unit_test(a_text_that_can_not_be_formatted_counts_as_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
