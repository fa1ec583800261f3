/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fake_disk.h"
#include "fixture.h"
#include "store/certs.h"
#include "store_place.h"
#include "test.h"
#include "util/text.h"

#define LETS_ENCRYPT "https://acme-v02.api.letsencrypt.org/directory"
#define STAGING "https://acme-staging-v02.api.letsencrypt.org/directory"
#define KEY_A "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n"
#define KEY_B "-----BEGIN PRIVATE KEY-----\nB\n-----END PRIVATE KEY-----\n"

static char *contact_texts[] = {(char *)(uintptr_t) "mailto:a@example.com", (char *)(uintptr_t) "mailto:b@example.com"};

static struct account_record account_of(const char *directory, const char *key, const char *next)
{
    return (struct account_record){
        .directory = (char *)(uintptr_t)directory,
        .url = (char *)(uintptr_t) "https://ca.example/acct/1",
        .contacts = {.items = contact_texts, .count = 2},
        .key_pem = (char *)(uintptr_t)key,
        .next_key_pem = (char *)(uintptr_t)next,
        .created_ms = 1297544344123,
    };
}

static void save(struct place *p, const char *directory, const char *key, const char *next)
{
    struct account_record account = account_of(directory, key, next);
    struct err err;

    if (account_record_save(p->store, &account, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

/* The path of the one file whose name ends so; yours. */
static char *file_that_ends(const struct place *p, const char *suffix)
{
    char *dir = fixture_path(p->dir, "accounts");
    struct strlist names = {NULL, 0};
    char *found = NULL;

    assert_int_equal(platform_dir_list(dir, &names, NULL), ERR_OK);
    for (size_t i = 0; i < names.count; i++)
        if (text_ends_with(names.items[i], suffix)) {
            assert_null(found);
            found = fixture_path(dir, names.items[i]);
        }
    assert_non_null(found);
    strlist_done(&names);
    free(dir);
    return found;
}

static size_t count_with(const struct place *p, const char *part)
{
    char *dir = fixture_path(p->dir, "accounts");
    struct strlist names = {NULL, 0};
    size_t count = 0;

    assert_int_equal(platform_dir_list(dir, &names, NULL), ERR_OK);
    for (size_t i = 0; i < names.count; i++)
        count += strstr(names.items[i], part) != NULL;
    strlist_done(&names);
    free(dir);
    return count;
}

/* Is the text in one of the files whose names contain `part`? */
static bool is_kept(const struct place *p, const char *part, const char *text)
{
    char *dir = fixture_path(p->dir, "accounts");
    struct strlist names = {NULL, 0};
    bool found = false;

    assert_int_equal(platform_dir_list(dir, &names, NULL), ERR_OK);
    for (size_t i = 0; i < names.count; i++) {
        char *path = fixture_path(dir, names.items[i]);
        char *content = fixture_read(path);

        found = found || (strstr(names.items[i], part) && strcmp(content, text) == 0);
        free(content);
        free(path);
    }
    strlist_done(&names);
    free(dir);
    return found;
}

static void expect_keys(struct place *p, const char *key, const char *next)
{
    struct account_record got = {.created_ms = 0};

    assert_int_equal(account_record_load(p->store, LETS_ENCRYPT, &got, NULL), ERR_OK);
    assert_string_equal(got.key_pem, key);
    if (next)
        assert_string_equal(got.next_key_pem, next);
    else
        assert_null(got.next_key_pem);
    account_record_done(&got);
}

TEST(an_account_comes_back_as_it_was_saved)
{
    struct place p;
    struct account_record got = {.created_ms = 0};
    char *key;

    place_init(&p);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    assert_int_equal(account_record_load(p.store, LETS_ENCRYPT, &got, NULL), ERR_OK);
    assert_string_equal(got.directory, LETS_ENCRYPT);
    assert_string_equal(got.url, "https://ca.example/acct/1");
    assert_int_equal(got.contacts.count, 2);
    assert_string_equal(got.contacts.items[1], contact_texts[1]);
    assert_string_equal(got.key_pem, KEY_A);
    assert_null(got.next_key_pem);
    assert_int_equal(got.created_ms, 1297544344123);
    account_record_done(&got);
    account_record_done(NULL);
    key = file_that_ends(&p, ".key");
    assert_non_null(strstr(key, "/acme-v02.api.letsencrypt.org_directory-"));
    fixture_expect_mode(key, 0600);
    free(key);
    place_done(&p);
}

TEST(accounts_of_other_cas_are_not_confused)
{
    struct place p;
    struct account_record got = {.created_ms = 0};
    struct strlist list = {NULL, 0};
    struct err err;

    place_init(&p);
    assert_int_equal(account_record_list(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(account_record_load(p.store, STAGING, &got, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, STAGING));
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    assert_int_equal(account_record_load(p.store, STAGING, &got, NULL), ERR_NOT_FOUND);
    save(&p, STAGING, KEY_B, NULL);
    expect_keys(&p, KEY_A, NULL);
    assert_int_equal(account_record_list(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0], STAGING);
    assert_string_equal(list.items[1], LETS_ENCRYPT);
    strlist_done(&list);
    place_done(&p);
}

TEST(a_key_that_others_can_read_is_refused_with_the_remedy)
{
    static const unsigned modes[] = {0640, 0604, 0644};
    struct place p;
    struct account_record got = {.created_ms = 0};
    struct err err;
    char *key;

    place_init(&p);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    key = file_that_ends(&p, ".key");
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if ((modes[i] & 0004) == 0 && !fixture_can(FIXTURE_GROUPS))
            continue;
        fixture_chmod(key, modes[i]);
        assert_int_equal(account_record_load(p.store, LETS_ENCRYPT, &got, &err), ERR_UNSAFE);
        assert_non_null(strstr(err.msg, key));
        assert_non_null(strstr(err.hint, fixture_here("chmod 600", "icacls")));
        assert_null(got.key_pem);
    }
    fixture_chmod(key, 0400);
    expect_keys(&p, KEY_A, NULL);
    if (fixture_has(FIXTURE_OWNERS)) {
        fixture_chown(key, 65534, 65534);
        assert_int_equal(account_record_load(p.store, LETS_ENCRYPT, &got, &err), ERR_UNSAFE);
        assert_non_null(strstr(err.msg, "another user"));
    }
    free(key);
    place_done(&p);
}

TEST(another_key_never_takes_the_place_of_one_that_is_not_kept)
{
    struct place p;

    place_init(&p);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    assert_int_equal(count_with(&p, ".key"), 1);
    save(&p, LETS_ENCRYPT, KEY_B, NULL);
    expect_keys(&p, KEY_B, NULL);
    assert_true(is_kept(&p, ".key.", KEY_A));
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    save(&p, LETS_ENCRYPT, KEY_B, NULL);
    assert_int_equal(count_with(&p, ".key."), 3);
    place_done(&p);
}

TEST(a_rollover_ends_with_the_new_key_and_the_old_one_kept)
{
    struct place p;

    place_init(&p);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    save(&p, LETS_ENCRYPT, KEY_A, KEY_B);
    expect_keys(&p, KEY_A, KEY_B);
    save(&p, LETS_ENCRYPT, KEY_B, NULL);
    expect_keys(&p, KEY_B, NULL);
    assert_true(is_kept(&p, ".key.", KEY_A));
    assert_int_equal(count_with(&p, ".next.key"), 0);
    place_done(&p);
}

TEST(the_next_key_of_a_rollover_that_was_given_up_is_kept)
{
    struct place p;

    place_init(&p);
    save(&p, LETS_ENCRYPT, KEY_A, KEY_B);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    expect_keys(&p, KEY_A, NULL);
    assert_true(is_kept(&p, ".next.key.", KEY_B));
    place_done(&p);
}

static void expect_key_alone(struct place *p, const char *directory)
{
    struct account_record got = {.created_ms = 0};
    struct err err;

    assert_int_equal(account_record_load(p->store, directory, &got, &err), ERR_INPUT);
    assert_int_equal(err.code, ERR_INPUT);
    assert_string_equal(got.directory, directory);
    assert_string_equal(got.url, "");
    assert_string_equal(got.key_pem, KEY_A);
    account_record_done(&got);
}

TEST(with_a_damaged_or_absent_record_the_key_is_handed_out_all_the_same)
{
    struct place p;
    char *record;

    place_init(&p);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    record = file_that_ends(&p, ".json");
    fixture_write(record, "{\"version\":2,");
    expect_key_alone(&p, LETS_ENCRYPT);
    assert_false(platform_file_exists(record));
    assert_int_equal(fixture_count(p.damaged), 1);
    assert_non_null(strstr(place_logged(&p), "the CA is asked for the rest"));
    expect_key_alone(&p, LETS_ENCRYPT);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    expect_keys(&p, KEY_A, NULL);
    free(record);
    place_done(&p);
}

TEST(an_account_record_with_any_byte_changed_is_read_as_it_was_or_set_aside)
{
    struct place p;
    char *record;
    char *text;

    place_init(&p);
    p.log.level = LOG_ERROR;
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    record = file_that_ends(&p, ".json");
    text = fixture_read(record);
    for (size_t i = 0; text[i]; i++) {
        struct account_record got = {.created_ms = 0};
        enum err_code rc;

        text[i] = (char)(text[i] ^ 1);
        fixture_write(record, text);
        text[i] = (char)(text[i] ^ 1);
        rc = account_record_load(p.store, LETS_ENCRYPT, &got, NULL);
        assert_true(rc == ERR_OK || rc == ERR_INPUT);
        assert_string_equal(got.key_pem, KEY_A);
        assert_string_equal(got.url, rc == ERR_OK ? "https://ca.example/acct/1" : "");
        assert_int_equal(platform_file_exists(record), rc == ERR_OK);
        account_record_done(&got);
    }
    free(text);
    free(record);
    place_done(&p);
}

TEST(a_record_without_its_key_is_no_account)
{
    struct place p;
    struct account_record got = {.created_ms = 0};
    char *key;

    place_init(&p);
    save(&p, LETS_ENCRYPT, KEY_A, NULL);
    key = file_that_ends(&p, ".key");
    fixture_unlink(key);
    assert_int_equal(account_record_load(p.store, LETS_ENCRYPT, &got, NULL), ERR_NOT_FOUND);
    fixture_write(key, "");
    fixture_chmod(key, 0600);
    assert_int_equal(account_record_load(p.store, LETS_ENCRYPT, &got, NULL), ERR_IO);
    free(key);
    place_done(&p);
}

TEST(a_retired_account_is_gone_and_its_key_kept)
{
    struct place p;
    struct account_record got = {.created_ms = 0};

    place_init(&p);
    save(&p, LETS_ENCRYPT, KEY_A, KEY_B);
    assert_int_equal(account_record_retire(p.store, LETS_ENCRYPT, NULL), ERR_OK);
    assert_int_equal(account_record_load(p.store, LETS_ENCRYPT, &got, NULL), ERR_NOT_FOUND);
    assert_int_equal(account_record_retire(p.store, LETS_ENCRYPT, NULL), ERR_NOT_FOUND);
    assert_true(is_kept(&p, ".key.", KEY_A));
    assert_true(is_kept(&p, ".next.key.", KEY_B));
    assert_int_equal(count_with(&p, ".json."), 1);
    save(&p, LETS_ENCRYPT, KEY_B, NULL);
    expect_keys(&p, KEY_B, NULL);
    place_done(&p);
}

TEST(an_account_without_key_or_directory_is_not_saved)
{
    struct place p;
    struct account_record no_key = account_of(LETS_ENCRYPT, NULL, NULL);
    struct account_record no_directory = account_of("", KEY_A, NULL);

    place_init(&p);
    assert_int_equal(account_record_save(p.store, &no_key, NULL), ERR_INTERNAL);
    assert_int_equal(account_record_save(p.store, &no_directory, NULL), ERR_INTERNAL);
    place_done(&p);
}

/* Each write and removal of a rollover's end fails once: one of the keys is in use, and both are somewhere. */
TEST(no_fault_of_the_disk_loses_a_key)
{
    for (int fault = FAKE_DISK_FULL; fault < FAKE_DISK_KILL; fault++)
        for (size_t n = 0; n < 6; n++) {
            struct place p;
            struct account_record account = account_of(LETS_ENCRYPT, KEY_B, NULL);
            struct account_record got = {.created_ms = 0};
            enum err_code rc;

            place_init(&p);
            p.log.level = LOG_ERROR;
            save(&p, LETS_ENCRYPT, KEY_A, KEY_B);
            fake_disk_fail((enum fake_disk_fault)fault, "accounts", n, 1);
            (void)!account_record_save(p.store, &account, NULL);
            fake_disk_heal();
            rc = account_record_load(p.store, LETS_ENCRYPT, &got, NULL);
            assert_int_equal(rc, ERR_OK);
            assert_true(strcmp(got.key_pem, KEY_A) == 0 || strcmp(got.key_pem, KEY_B) == 0);
            assert_true(is_kept(&p, ".key", KEY_A));
            assert_true(is_kept(&p, ".key", KEY_B));
            account_record_done(&got);
            assert_int_equal(account_record_save(p.store, &account, NULL), ERR_OK);
            expect_keys(&p, KEY_B, NULL);
            place_done(&p);
        }
}

TEST(one_process_at_a_time_works_on_an_account_and_the_message_names_it)
{
    struct place p;
    struct platform_lock *lock = NULL;
    struct platform_lock *other = NULL;
    struct platform_lock *second = NULL;
    char *pid = mem_printf("process %ld holds it", platform_process_id());
    struct err err;

    place_init(&p);
    assert_int_equal(account_lock(p.store, LETS_ENCRYPT, 0, &lock, NULL), ERR_OK);
    assert_int_equal(account_lock(p.store, STAGING, 0, &other, NULL), ERR_OK);
    assert_int_equal(account_lock(p.store, LETS_ENCRYPT, 0, &second, &err), ERR_LOCK);
    assert_non_null(strstr(err.msg, "account for \"" LETS_ENCRYPT "\""));
    assert_non_null(strstr(err.msg, pid));
    assert_int_equal(certificate_lock(p.store, "www", 0, &second, NULL), ERR_OK);
    platform_lock_free(second);
    platform_lock_free(lock);
    platform_lock_free(other);
    free(pid);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_comes_back_as_it_was_saved),
        cmocka_unit_test(accounts_of_other_cas_are_not_confused),
        cmocka_unit_test(a_key_that_others_can_read_is_refused_with_the_remedy),
        cmocka_unit_test(another_key_never_takes_the_place_of_one_that_is_not_kept),
        cmocka_unit_test(a_rollover_ends_with_the_new_key_and_the_old_one_kept),
        cmocka_unit_test(the_next_key_of_a_rollover_that_was_given_up_is_kept),
        cmocka_unit_test(with_a_damaged_or_absent_record_the_key_is_handed_out_all_the_same),
        cmocka_unit_test(an_account_record_with_any_byte_changed_is_read_as_it_was_or_set_aside),
        cmocka_unit_test(a_record_without_its_key_is_no_account),
        cmocka_unit_test(a_retired_account_is_gone_and_its_key_kept),
        cmocka_unit_test(an_account_without_key_or_directory_is_not_saved),
        cmocka_unit_test(no_fault_of_the_disk_loses_a_key),
        cmocka_unit_test(one_process_at_a_time_works_on_an_account_and_the_message_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
