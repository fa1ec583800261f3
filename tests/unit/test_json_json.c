/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "json/json.h"
#include "test.h"

static json_t *parsed(const char *text)
{
    struct err err;
    json_t *json = NULL;

    assert_int_equal(json_parse(text, strlen(text), "the answer", &json, &err), ERR_OK);
    return json;
}

static void expect_refused(const char *text, size_t len, const char *part)
{
    struct err err;
    json_t *json = NULL;

    assert_int_equal(json_parse(text, len, "the answer", &json, &err), ERR_INPUT);
    assert_null(json);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.msg, "the answer is not"));
    assert_non_null(strstr(err.msg, part));
}

TEST(what_is_not_strict_json_is_refused_with_one_clear_error)
{
    static const char *const bad[] = {
        "",
        "{",
        "{]",
        "{error: [\"x\"]}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":NaN}",
        "{\"a\":1} x",
        "nul",
        "{\"a\":'x'}",
        "{\"a\":\"\\ud800\"}",
        "[1,]",
        "{\"a\":01}",
        "{\"a\":99999999999999999999}",
        "{\"a\":1e999}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\\u0000\"}",
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_refused(bad[i], strlen(bad[i]), "valid JSON");
    expect_refused("{}\0{}", 5, "valid JSON");
}

TEST(deep_nesting_is_refused_before_it_costs_stack)
{
    static char deep[100000];

    memset(deep, '[', sizeof deep);
    expect_refused(deep, sizeof deep, "deeper than 32 levels");
    for (size_t i = 0; i + 5 < sizeof deep; i += 5)
        memcpy(deep + i, "{\"a\":", 5);
    expect_refused(deep, sizeof deep - 5, "deeper than 32 levels");
}

TEST(brackets_inside_strings_do_not_count_as_nesting)
{
    json_t *json AUTO_JSON = parsed("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"}");

    assert_non_null(json_object_get(json, "a"));
}

TEST(siblings_do_not_add_up_to_depth)
{
    json_t *json AUTO_JSON = parsed("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
                                    "[],[],[],[],[],[],[],[],[],[],[],[]]");

    assert_int_equal(json_array_size(json), 39);
}

TEST(whole_numbers_keep_all_64_bits)
{
    struct err err;
    int64_t n = 0;
    json_t *json AUTO_JSON = parsed("{\"a\":9223372036854775807,\"b\":\"9223372036854775807\",\"c\":-5,\"d\":1.0,"
                                    "\"e\":\"-1\",\"f\":\"9223372036854775808\",\"g\":true,\"h\":null}");

    assert_int_equal(json_want_int64(json, "a", 0, INT64_MAX, "x", &n, &err), ERR_OK);
    assert_true(n == INT64_MAX);
    n = 0;
    assert_int_equal(json_want_int64(json, "b", 0, INT64_MAX, "x", &n, &err), ERR_OK);
    assert_true(n == INT64_MAX);
    assert_int_equal(json_want_int64(json, "c", 0, INT64_MAX, "x", &n, &err), ERR_INPUT);
    assert_string_equal(err.msg, "x has -5 as \"c\", which is out of range");
    assert_int_equal(json_want_int64(json, "c", -9, 9, "x", &n, &err), ERR_OK);
    assert_int_equal(n, -5);
    for (const char *key = "defg"; *key; key++) {
        const char name[2] = {*key, '\0'};
        assert_int_equal(json_want_int64(json, name, INT64_MIN, INT64_MAX, "x", &n, &err), ERR_INPUT);
        assert_non_null(strstr(err.msg, "where a whole number belongs"));
        assert_int_equal(json_find_int64(json, name, INT64_MIN, INT64_MAX, 7, "x", &n, &err), ERR_INPUT);
    }
    assert_int_equal(n, -5);
    assert_int_equal(json_want_int64(json, "h", 0, 9, "x", &n, &err), ERR_INPUT);
    assert_int_equal(json_find_int64(json, "h", 0, 9, 42, "x", &n, &err), ERR_OK);
    assert_int_equal(n, 42);
}

TEST(wanted_members_must_be_there_and_found_ones_may_be_absent)
{
    struct err err;
    const char *text = "untouched";
    const json_t *list = NULL;
    json_t *json AUTO_JSON = parsed("{\"s\":\"v\",\"l\":[],\"n\":null,\"i\":1}");

    assert_int_equal(json_want_string(json, "nope", "the answer", &text, &err), ERR_INPUT);
    assert_string_equal(err.msg, "the answer has no \"nope\"");
    assert_string_equal(text, "untouched");
    assert_int_equal(json_want_string(json, "i", "the answer", &text, &err), ERR_INPUT);
    assert_string_equal(err.msg, "the answer has a number as \"i\" where a string belongs");
    assert_int_equal(json_want_string(json, "s", "the answer", &text, &err), ERR_OK);
    assert_string_equal(text, "v");
    assert_int_equal(json_find_string(json, "n", "the answer", &text, &err), ERR_OK);
    assert_null(text);
    assert_int_equal(json_want_array(json, "s", "the answer", &list, &err), ERR_INPUT);
    assert_int_equal(json_want_array(json, "nope", "the answer", &list, &err), ERR_INPUT);
    assert_int_equal(json_want_array(json, "l", "the answer", &list, &err), ERR_OK);
    assert_non_null(list);
    assert_int_equal(json_find_array(json, "nope", "the answer", &list, &err), ERR_OK);
    assert_null(list);
}

TEST(members_of_what_is_no_object_are_absent)
{
    struct err err;
    const char *text = NULL;
    json_t *json AUTO_JSON = parsed("[1]");

    assert_int_equal(json_want_object(json, "the answer", &err), ERR_INPUT);
    assert_string_equal(err.msg, "the answer is an array where an object belongs");
    assert_int_equal(json_want_object(NULL, "the answer", &err), ERR_INPUT);
    assert_int_equal(json_want_string(json, "s", "the answer", &text, &err), ERR_INPUT);
}

TEST(written_json_is_compact_escaped_and_bounded)
{
    struct buf out AUTO_BUF = BUF_INIT(64);
    struct buf small AUTO_BUF = BUF_INIT(4);
    json_t *json AUTO_JSON = parsed("{ \"a\" : \"q\\\"\\n\" , \"b\" : [ 1 ] }");

    json_write(json, &out);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_cstr(&out), "{\"a\":\"q\\\"\\n\",\"b\":[1]}");
    json_write(json, &small);
    assert_false(buf_ok(&small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_strict_json_is_refused_with_one_clear_error),
        cmocka_unit_test(deep_nesting_is_refused_before_it_costs_stack),
        cmocka_unit_test(brackets_inside_strings_do_not_count_as_nesting),
        cmocka_unit_test(siblings_do_not_add_up_to_depth),
        cmocka_unit_test(whole_numbers_keep_all_64_bits),
        cmocka_unit_test(wanted_members_must_be_there_and_found_ones_may_be_absent),
        cmocka_unit_test(members_of_what_is_no_object_are_absent),
        cmocka_unit_test(written_json_is_compact_escaped_and_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
