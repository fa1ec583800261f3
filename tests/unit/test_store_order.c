/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fake_disk.h"
#include "fixture.h"
#include "store/certs.h"
#include "store_place.h"
#include "test.h"

#define DIRECTORY "https://acme-v02.api.letsencrypt.org/directory"
#define KEY_A "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n"
#define KEY_B "-----BEGIN PRIVATE KEY-----\nB\n-----END PRIVATE KEY-----\n"

static char *domain_texts[] = {(char *)(uintptr_t) "example.com", (char *)(uintptr_t) "*.example.com"};

static struct order_record order_of(const char *url, const char *key)
{
    return (struct order_record){
        .name = (char *)(uintptr_t) "www",
        .url = (char *)(uintptr_t)url,
        .directory = (char *)(uintptr_t)DIRECTORY,
        .domains = {.items = domain_texts, .count = 2},
        .profile = (char *)(uintptr_t) "tlsserver",
        .key_pem = (char *)(uintptr_t)key,
        .created_ms = 1297544344123,
    };
}

static void save(struct place *p, const char *url, const char *key)
{
    struct order_record order = order_of(url, key);
    struct err err;

    if (place_save_order(p->store, &order, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static char *at(const struct place *p, const char *file)
{
    return mem_printf("%s/orders/%s", p->dir, file);
}

static void expect(struct place *p, const char *url, const char *key)
{
    struct order_record got = {.created_ms = 0};
    struct err err;

    if (order_load(p->store, "www", &got, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_string_equal(got.url, url);
    if (key)
        assert_string_equal(got.key_pem, key);
    else
        assert_null(got.key_pem);
    order_record_done(&got);
}

static void expect_none(struct place *p)
{
    struct order_record got = {.created_ms = 0};
    struct err err;

    assert_int_equal(order_load(p->store, "www", &got, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "\"www\""));
    assert_null(got.name);
}

TEST(an_order_comes_back_as_it_was_saved_until_it_is_removed)
{
    struct place p;
    struct order_record got = {.created_ms = 0};
    char *key;

    place_init(&p);
    expect_none(&p);
    save(&p, "https://ca.example/order/1", KEY_A);
    assert_int_equal(order_load(p.store, "www", &got, NULL), ERR_OK);
    assert_string_equal(got.name, "www");
    assert_string_equal(got.directory, DIRECTORY);
    assert_string_equal(got.profile, "tlsserver");
    assert_int_equal(got.domains.count, 2);
    assert_string_equal(got.domains.items[1], "*.example.com");
    assert_int_equal(got.created_ms, 1297544344123);
    order_record_done(&got);
    order_record_done(NULL);
    key = at(&p, "www.key");
    fixture_expect_mode(key, 0600);
    assert_int_equal(order_remove(p.store, "www", NULL), ERR_OK);
    assert_int_equal(order_remove(p.store, "www", NULL), ERR_OK);
    expect_none(&p);
    assert_false(platform_file_exists(key));
    free(key);
    place_done(&p);
}

TEST(a_record_without_key_goes_on_with_the_key_that_is_there)
{
    struct place p;

    place_init(&p);
    save(&p, "", KEY_A);
    expect(&p, "", KEY_A);
    save(&p, "https://ca.example/order/1", NULL);
    expect(&p, "https://ca.example/order/1", KEY_A);
    place_done(&p);
}

TEST(the_users_own_csr_is_not_given_a_key_that_was_left_over)
{
    struct place p;
    char *record;

    place_init(&p);
    save(&p, "", NULL);
    expect(&p, "", NULL);
    assert_int_equal(order_remove(p.store, "www", NULL), ERR_OK);
    save(&p, "", KEY_A);
    record = at(&p, "www.json");
    fixture_unlink(record); /* killed in order_remove() */
    save(&p, "", NULL);
    expect(&p, "", NULL);
    free(record);
    place_done(&p);
}

TEST(another_key_is_kept_beside_and_never_taken_for_that_of_the_order)
{
    struct place p;
    char *record;
    char *before;
    char *dir;

    place_init(&p);
    save(&p, "https://ca.example/order/1", KEY_A);
    record = at(&p, "www.json");
    dir = at(&p, "");
    before = fixture_read(record);
    save(&p, "https://ca.example/order/2", KEY_B);
    expect(&p, "https://ca.example/order/2", KEY_B);
    assert_int_equal(fixture_count(dir), 3);
    fixture_write(record, before); /* as if we had been killed between key and record */
    expect_none(&p);
    free(dir);
    free(before);
    free(record);
    place_done(&p);
}

TEST(an_order_whose_key_is_gone_cannot_be_finished)
{
    struct place p;
    char *key;

    place_init(&p);
    save(&p, "https://ca.example/order/1", KEY_A);
    key = at(&p, "www.key");
    fixture_unlink(key);
    expect_none(&p);
    free(key);
    place_done(&p);
}

TEST(a_key_that_others_can_read_is_refused)
{
    struct place p;
    struct order_record got = {.created_ms = 0};
    char *key;

    place_init(&p);
    save(&p, "", KEY_A);
    key = at(&p, "www.key");
    fixture_chmod(key, 0644);
    assert_int_equal(order_load(p.store, "www", &got, NULL), ERR_UNSAFE);
    free(key);
    place_done(&p);
}

TEST(an_order_with_any_byte_changed_is_read_as_it_was_or_set_aside)
{
    struct place p;
    char *record;
    char *text;

    place_init(&p);
    p.log.level = LOG_ERROR;
    save(&p, "https://ca.example/order/1", KEY_A);
    record = at(&p, "www.json");
    text = fixture_read(record);
    for (size_t i = 0; text[i]; i++) {
        struct order_record got = {.created_ms = 0};
        enum err_code rc;

        text[i] = (char)(text[i] ^ 1);
        fixture_write(record, text);
        text[i] = (char)(text[i] ^ 1);
        rc = order_load(p.store, "www", &got, NULL);
        assert_true(rc == ERR_OK || rc == ERR_NOT_FOUND);
        if (rc == ERR_OK)
            assert_string_equal(got.url, "https://ca.example/order/1");
        assert_int_equal(platform_file_exists(record), rc == ERR_OK);
        order_record_done(&got);
    }
    free(text);
    free(record);
    place_done(&p);
}

TEST(names_that_are_none_reach_no_file)
{
    struct place p;
    struct order_record order = order_of("", KEY_A);
    struct order_record got = {.created_ms = 0};

    place_init(&p);
    order.name = (char *)(uintptr_t) "../www";
    assert_int_equal(place_save_order(p.store, &order, NULL), ERR_USAGE);
    assert_int_equal(order_load(p.store, "../www", &got, NULL), ERR_NOT_FOUND);
    assert_int_equal(order_remove(p.store, "../www", NULL), ERR_USAGE);
    place_done(&p);
}

/* Whatever fails, the order on disk is the old one or the new one with its own key, or none. */
TEST(no_fault_of_the_disk_mixes_orders)
{
    for (int fault = FAKE_DISK_FULL; fault < FAKE_DISK_KILL; fault++)
        for (size_t n = 0; n < 4; n++) {
            struct place p;
            struct order_record order = order_of("https://ca.example/order/2", KEY_B);
            struct order_record got = {.created_ms = 0};
            enum err_code rc;

            place_init(&p);
            save(&p, "https://ca.example/order/1", KEY_A);
            fake_disk_fail((enum fake_disk_fault)fault, "orders", n, 1);
            (void)!place_save_order(p.store, &order, NULL);
            fake_disk_heal();
            rc = order_load(p.store, "www", &got, NULL);
            if (rc == ERR_OK)
                assert_string_equal(got.key_pem, got.url[strlen(got.url) - 1] == '1' ? KEY_A : KEY_B);
            else
                assert_int_equal(rc, ERR_NOT_FOUND);
            order_record_done(&got);
            place_done(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_comes_back_as_it_was_saved_until_it_is_removed),
        cmocka_unit_test(a_record_without_key_goes_on_with_the_key_that_is_there),
        cmocka_unit_test(the_users_own_csr_is_not_given_a_key_that_was_left_over),
        cmocka_unit_test(another_key_is_kept_beside_and_never_taken_for_that_of_the_order),
        cmocka_unit_test(an_order_whose_key_is_gone_cannot_be_finished),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(an_order_with_any_byte_changed_is_read_as_it_was_or_set_aside),
        cmocka_unit_test(names_that_are_none_reach_no_file),
        cmocka_unit_test(no_fault_of_the_disk_mixes_orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
