/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "util/mem.h"
#include "util/strmap.h"

TEST(an_empty_map_has_nothing)
{
    AUTO_STRMAP struct strmap map = {NULL, 0, 0};

    assert_false(strmap_find(&map, "", NULL));
    assert_false(strmap_find(&map, "a", NULL));
}

TEST(a_key_is_added_once_and_keeps_its_number)
{
    AUTO_STRMAP struct strmap map = {NULL, 0, 0};
    char key[] = "key";
    size_t number = 0;

    assert_true(strmap_add(&map, key, 7));
    assert_false(strmap_add(&map, "key", 8));
    key[0] = 'x'; /* it was copied */
    assert_true(strmap_find(&map, "key", &number));
    assert_int_equal(number, 7);
    assert_true(strmap_find(&map, "key", NULL));
    assert_false(strmap_find(&map, "xey", NULL));
    assert_true(strmap_add(&map, "", 9));
    assert_true(strmap_find(&map, "", &number));
    assert_int_equal(number, 9);
}

TEST(ten_thousand_keys_are_all_found_again)
{
    AUTO_STRMAP struct strmap map = {NULL, 0, 0};
    size_t number = 0;

    for (size_t i = 0; i < 10000; i++) {
        AUTO_FREE char *key = mem_printf("_acme-challenge.host-%zu.example.com", i);
        assert_true(strmap_add(&map, key, i));
    }
    assert_int_equal(map.count, 10000);
    for (size_t i = 0; i < 10000; i++) {
        AUTO_FREE char *key = mem_printf("_acme-challenge.host-%zu.example.com", i);
        assert_true(strmap_find(&map, key, &number));
        assert_int_equal(number, i);
    }
    assert_false(strmap_find(&map, "_acme-challenge.host-10000.example.com", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(a_key_is_added_once_and_keeps_its_number),
        cmocka_unit_test(ten_thousand_keys_are_all_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
