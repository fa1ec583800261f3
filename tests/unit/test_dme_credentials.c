/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dme/dme.h"
#include "dme_fixture.h"
#include "test.h"

/* The remark, "" when there is none. */
static void assert_remark(const char *key, const char *secret, const char *want)
{
    struct secret AUTO_SECRET *a = secret_new(key, strlen(key));
    struct secret AUTO_SECRET *b = secret_new(secret, strlen(secret));
    struct buf out AUTO_BUF = BUF_INIT(512);
    bool is_odd = dme_credentials_remark(a, b, &out);

    assert_true(buf_ok(&out));
    assert_string_equal(buf_cstr(&out), want);
    assert_int_equal(is_odd, *want != '\0');
}

TEST(credentials_of_the_usual_shape_are_not_remarked_on)
{
    assert_remark(FIXTURE_KEY, FIXTURE_SECRET, "");
    assert_remark("1C1A3C91-4770-4CE7-96F4-54C0EB0E457A", FIXTURE_SECRET, "");
}

TEST(what_is_odd_is_told_by_kind_and_place_and_never_shown)
{
    static const struct {
        const char *secret;
        const char *remark;
    } rows[] = {
        {"c9b5625f-9834-4ff8-baba-4ed5f32cae5", "has 35 characters instead of 36"},
        {"c9b5625f-9834-4ff8-baba-4ed5f32cae555", "has 37 characters instead of 36"},
        {"c9b5625f98344ff8baba4ed5f32cae55", "has 32 characters instead of 36, its dashes are missing"},
        {"c9b5625f-98344ff8baba4ed5f32cae5", "has 32 characters instead of 36"},
        {"", "has 0 characters instead of 36"},
        {"c", "has 1 character instead of 36"},
        {" c9b5625f-9834-4ff8-baba-4ed5f32cae55", "has 37 characters instead of 36 and white space at character 1"},
        {"c9b5625f-9834-4ff8-baba-4ed5f32cae5\r", "has white space at character 36"},
        {"\"9b5625f-9834-4ff8-baba-4ed5f32cae55", "has a quote at character 1"},
        {"\xef\xbb\xbf"
         "c9b5625f-9834-4ff8-baba-4ed5f32cae55",
         "has 39 characters instead of 36 and a character that is not ASCII at character 1"},
        {"c9b5625f-9834-4ff8-baba-4ed5f32cae5O", "has a character that is not hexadecimal at character 36"},
        {"c9b5625f-9834-4ff8-baba\x01"
         "4ed5f32cae55",
         "has a control character at character 24"},
        {"c9b5625f09834-4ff8-baba-4ed5f32cae55", "has no dash at character 9"},
        {"c9b562-5f9834-4ff8-baba-4ed5f32cae55", "has a dash at character 7"},
        {"hunter2", "has 7 characters instead of 36 and a character that is not hexadecimal at character 1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *of_secret = mem_printf("the API secret %s", rows[i].remark);
        AUTO_FREE char *of_key = mem_printf("the API key %s", rows[i].remark);

        assert_remark(FIXTURE_KEY, rows[i].secret, of_secret);
        assert_remark(rows[i].secret, FIXTURE_SECRET, of_key);
    }
}

TEST(both_may_be_odd)
{
    assert_remark(
        "x", "y",
        "the API key has 1 character instead of 36 and a character that is not hexadecimal at character 1; "
        "the API secret has 1 character instead of 36 and a character that is not hexadecimal at character 1");
}

TEST(the_same_value_twice_is_a_mistake)
{
    assert_remark(FIXTURE_KEY, FIXTURE_KEY, "the API key and the API secret are the same");
    assert_remark(FIXTURE_KEY, "1C1A3C91-4770-4CE7-96F4-54C0EB0E457A", "the API key and the API secret are the same");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_of_the_usual_shape_are_not_remarked_on),
        cmocka_unit_test(what_is_odd_is_told_by_kind_and_place_and_never_shown),
        cmocka_unit_test(both_may_be_odd),
        cmocka_unit_test(the_same_value_twice_is_a_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
