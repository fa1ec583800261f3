/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "store_place.h"
#include "store/internal.h"
#include "store/store.h"
#include "test.h"
#include "util/text.h"

#define ENDPOINT "https://api.dnsmadeeasy.com/V2.0/"
#define VALUE "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"

static struct journal_entry example(void)
{
    static const struct journal_entry fixed = {
        .state = JOURNAL_INTENDED,
        .account = (char *)(uintptr_t) "production",
        .endpoint = (char *)(uintptr_t)ENDPOINT,
        .zone = (char *)(uintptr_t) "example.com",
        .zone_id = 1234567890123456789,
        .name = (char *)(uintptr_t) "_acme-challenge.example.com",
        .asked_name = (char *)(uintptr_t) "_acme-challenge.www.example.org",
        .value = (char *)(uintptr_t)VALUE,
        .run_id = (char *)(uintptr_t) "42:4711:0a:0b:0c",
        .created_ms = 1297544344123,
    };
    struct journal_entry entry;

    journal_entry_copy(&entry, &fixed);
    return entry;
}

static void expect_same(const struct journal_entry *a, const struct journal_entry *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->state, b->state);
    assert_string_equal(a->account, b->account);
    assert_string_equal(a->endpoint, b->endpoint);
    assert_string_equal(a->zone, b->zone);
    assert_int_equal(a->zone_id, b->zone_id);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->asked_name, b->asked_name);
    assert_string_equal(a->value, b->value);
    assert_int_equal(a->record_id, b->record_id);
    assert_string_equal(a->run_id, b->run_id);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->published_ms, b->published_ms);
}

static void expect_count(struct place *p, size_t want)
{
    struct journal_list list = {NULL, 0};

    assert_int_equal(journal_load(p->store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, want);
    journal_list_done(&list);
}

TEST(an_entry_comes_back_as_it_was_written_updated_and_struck_out)
{
    struct place p;
    struct journal_entry entry = example();
    struct journal_list list = {NULL, 0};

    place_init(&p);
    expect_count(&p, 0);
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    assert_int_equal(strlen(entry.id), 32);
    assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    expect_same(&list.items[0], &entry);
    journal_list_done(&list);

    entry.state = JOURNAL_PUBLISHED;
    entry.record_id = INT64_MAX;
    entry.published_ms = 1297544345000;
    assert_int_equal(place_update(p.store, &entry, NULL), ERR_OK);
    assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    expect_same(&list.items[0], &entry);
    journal_list_done(&list);

    assert_int_equal(journal_remove(p.store, entry.id, NULL), ERR_OK);
    assert_int_equal(journal_remove(p.store, entry.id, NULL), ERR_OK);
    expect_count(&p, 0);
    assert_int_equal(fixture_count(p.journal), 0);
    journal_entry_done(&entry);
    journal_entry_done(NULL);
    journal_list_done(NULL);
    place_done(&p);
}

TEST(a_batch_is_added_confirmed_and_struck_out)
{
    struct place p;
    struct journal_entry entries[100];
    struct journal_entry *pointers[ARRAY_LEN(entries)];
    struct journal_list list = {NULL, 0};

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        entries[i] = example();
        entries[i].created_ms = (int64_t)i;
        pointers[i] = &entries[i];
    }
    assert_int_equal(journal_add_all(p.store, pointers, ARRAY_LEN(entries), NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        entries[i].state = JOURNAL_PUBLISHED;
        entries[i].record_id = (int64_t)i + 1;
    }
    assert_int_equal(journal_confirm(p.store, pointers, ARRAY_LEN(entries), NULL), ERR_OK);
    assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, ARRAY_LEN(entries));
    for (size_t i = 0; i < list.count; i++)
        expect_same(&list.items[i], &entries[i]);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        assert_int_equal(journal_remove(p.store, entries[i].id, NULL), ERR_OK);
        journal_entry_done(&entries[i]);
    }
    expect_count(&p, 0);
    journal_list_done(&list);
    place_done(&p);
}

TEST(a_batch_with_one_bad_entry_is_not_written_at_all)
{
    struct place p;
    struct journal_entry good = example();
    struct journal_entry bad = good;
    struct journal_entry *pointers[] = {&good, &bad};

    bad.value = (char *)(uintptr_t) "";
    place_init(&p);
    assert_int_equal(journal_add_all(p.store, pointers, 2, NULL), ERR_INTERNAL);
    assert_null(good.id);
    assert_null(bad.id);
    assert_int_equal(fixture_count(p.journal), 0);
    journal_entry_done(&good);
    place_done(&p);
}

TEST(what_may_be_missing_comes_back_empty)
{
    struct place p;
    struct journal_entry entry = {.endpoint = (char *)(uintptr_t)ENDPOINT,
                                  .zone = (char *)(uintptr_t) "example.com",
                                  .name = (char *)(uintptr_t) "example.com",
                                  .value = (char *)(uintptr_t) "\xc3\xa4 \"quoted\" \\ text"};
    struct journal_list list = {NULL, 0};

    place_init(&p);
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].account, "");
    assert_string_equal(list.items[0].asked_name, "");
    assert_string_equal(list.items[0].run_id, "");
    assert_string_equal(list.items[0].value, entry.value);
    journal_list_done(&list);
    free(entry.id);
    place_done(&p);
}

TEST(entries_are_private_files)
{
    struct place p;
    struct journal_entry entry = example();
    char *path;

    place_init(&p);
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    path = mem_printf("%s/%s.json", p.journal, entry.id);
    fixture_expect_mode(path, 0600);
    free(path);
    journal_entry_done(&entry);
    place_done(&p);
}

TEST(entries_come_oldest_first)
{
    static const int64_t stamps[] = {500, 100, 400, 0, 300, 200};
    struct place p;
    struct journal_list list = {NULL, 0};

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(stamps); i++) {
        struct journal_entry entry = example();

        entry.created_ms = stamps[i];
        assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
        journal_entry_done(&entry);
    }
    assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, ARRAY_LEN(stamps));
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.items[i].created_ms, 100 * i);
    journal_list_done(&list);
    place_done(&p);
}

/* ------------------------------------------------------------------ bad input */

static void expect_not_written(struct place *p, struct journal_entry entry)
{
    struct err err;

    assert_int_equal(place_add(p->store, &entry, &err), ERR_INTERNAL);
    assert_null(entry.id);
    assert_int_equal(fixture_count(p->journal), 0);
}

TEST(what_could_not_be_read_back_is_not_written)
{
    struct place p;
    struct journal_entry good = example();
    struct journal_entry bad;
    char *huge = mem_calloc(5001, 1);

    memset(huge, 'x', 5000);
    place_init(&p);
#define EXPECT_NOT_WRITTEN(member, text)                                                                               \
    bad = good;                                                                                                        \
    bad.member = (text);                                                                                               \
    expect_not_written(&p, bad)
    EXPECT_NOT_WRITTEN(name, NULL);
    EXPECT_NOT_WRITTEN(name, (char *)(uintptr_t) "");
    EXPECT_NOT_WRITTEN(name, (char *)(uintptr_t) "example.com.");
    EXPECT_NOT_WRITTEN(name, (char *)(uintptr_t) "Example.com");
    EXPECT_NOT_WRITTEN(name, (char *)(uintptr_t) "a..example.com");
    EXPECT_NOT_WRITTEN(name, (char *)(uintptr_t) "other.org");
    EXPECT_NOT_WRITTEN(name, (char *)(uintptr_t) "badexample.com");
    EXPECT_NOT_WRITTEN(name, huge);
    EXPECT_NOT_WRITTEN(zone, NULL);
    EXPECT_NOT_WRITTEN(zone, (char *)(uintptr_t) "com\n");
    EXPECT_NOT_WRITTEN(value, NULL);
    EXPECT_NOT_WRITTEN(value, (char *)(uintptr_t) "");
    EXPECT_NOT_WRITTEN(value, (char *)(uintptr_t) "a\x01");
    EXPECT_NOT_WRITTEN(value, (char *)(uintptr_t) "a\xff");
    EXPECT_NOT_WRITTEN(value, huge);
    EXPECT_NOT_WRITTEN(endpoint, (char *)(uintptr_t) "");
    EXPECT_NOT_WRITTEN(run_id, huge);
    EXPECT_NOT_WRITTEN(zone_id, -1);
    EXPECT_NOT_WRITTEN(created_ms, -1);
    EXPECT_NOT_WRITTEN(state, (enum journal_state)7);
    free(huge);
    journal_entry_done(&good);
    place_done(&p);
}

TEST(ids_lead_nowhere_else)
{
    static const char *const ids[] = {"",
                                      "..",
                                      "../../../../etc/passwd",
                                      "0123456789abcdef0123456789abcde",
                                      "0123456789abcdef0123456789abcdef0",
                                      "0123456789abcdef/123456789abcdef"};
    struct place p;

    place_init(&p);
    assert_int_equal(journal_remove(p.store, NULL, NULL), ERR_INTERNAL);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct journal_entry entry = example();

        entry.id = mem_strdup(ids[i]);
        assert_int_equal(journal_remove(p.store, ids[i], NULL), ERR_INTERNAL);
        assert_int_equal(place_update(p.store, &entry, NULL), ERR_INTERNAL);
        journal_entry_done(&entry);
    }
    place_done(&p);
}

#define GOOD_TAIL                                                                                                      \
    "\"account\":\"\",\"endpoint\":\"e\",\"zone\":\"a.b\",\"zone_id\":1,\"name\":\"x.a.b\",\"value\":\"v\","           \
    "\"record_id\":0,\"created_ms\":1,\"published_ms\":0"

TEST(damaged_entries_are_set_aside_with_a_warning_each_and_hide_no_other)
{
    static const char *const damaged[] = {
        "",
        "{",
        "null",
        "[]",
        "{}",
        "\x00\x01\x02",
        "not json",
        "{\"version\":1}",
        "{\"version\":2,\"state\":\"intended\"," GOOD_TAIL "}",
        "{\"version\":\"x\",\"state\":\"intended\"," GOOD_TAIL "}",
        "{\"version\":1,\"state\":\"odd\"," GOOD_TAIL "}",
        "{\"version\":1,\"state\":1," GOOD_TAIL "}",
        "{\"version\":1," GOOD_TAIL "}",
        "{\"version\":1,\"state\":\"intended\",\"name\":\"twice.a.b\"," GOOD_TAIL "}",
        "{\"version\":1,\"state\":\"intended\"," GOOD_TAIL "} trailing",
        "{\"version\":1,\"state\":\"intended\"," GOOD_TAIL,
        "{\"version\":1,\"state\":\"intended\",\"account\":\"\",\"endpoint\":\"e\",\"zone\":\"a.b\",\"zone_"
        "id\":-1,"
        "\"name\":\"x.a.b\",\"value\":\"v\",\"record_id\":0,\"created_ms\":1,\"published_ms\":0}",
        "{\"version\":1,\"state\":\"intended\",\"account\":\"\",\"endpoint\":\"e\",\"zone\":\"a.b\",\"zone_"
        "id\":1,"
        "\"name\":\"x.a.c\",\"value\":\"v\",\"record_id\":0,\"created_ms\":1,\"published_ms\":0}",
        "{\"version\":1,\"state\":\"intended\",\"account\":\"\",\"endpoint\":\"e\",\"zone\":\"a.b\",\"zone_"
        "id\":1e3,"
        "\"name\":\"x.a.b\",\"value\":\"v\",\"record_id\":0,\"created_ms\":1,\"published_ms\":0}",
        "{\"version\":1,\"state\":\"intended\",\"account\":\"\",\"endpoint\":\"e\",\"zone\":\"a.b\",\"zone_"
        "id\":1,"
        "\"name\":\"x.a.b\",\"value\":\"\\u0000\",\"record_id\":0,\"created_ms\":1,\"published_ms\":0}",
    };
    struct place p;
    struct journal_entry entry = example();
    struct journal_list list = {NULL, 0};
    char *set_aside;

    place_init(&p);
    set_aside = fixture_path(p.dir, "damaged");
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        char *path = mem_printf("%s/%032zx.json", p.journal, i);

        fixture_write(path, damaged[i]);
        free(path);
    }
    assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    expect_same(&list.items[0], &entry);
    journal_list_done(&list);
    assert_int_equal(fixture_count(p.journal), 1);
    assert_int_equal(fixture_count(set_aside), ARRAY_LEN(damaged));
    free(set_aside);
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        char *name = mem_printf("%032zx.json", i);

        if (!strstr(place_logged(&p), name))
            fail_msg("no warning about %s: %s", name, damaged[i]);
        free(name);
    }
    assert_non_null(strstr(place_logged(&p), "warning: "));
    assert_non_null(strstr(place_logged(&p), ", continuing"));
    journal_entry_done(&entry);
    place_done(&p);
}

TEST(unknown_members_of_later_versions_are_ignored)
{
    struct place p;
    char *path;

    place_init(&p);
    path = mem_printf("%s/%032d.json", p.journal, 7);
    fixture_write(path, "{\"new\":{\"a\":[1]},\"version\":1,\"state\":\"published\"," GOOD_TAIL "}");
    free(path);
    expect_count(&p, 1);
    assert_string_equal(place_logged(&p), "");
    place_done(&p);
}

TEST(what_is_no_entry_is_not_read)
{
    struct place p;
    char *other;
    char *fifo;
    char *big;
    char *large = mem_calloc(CODEC_FILE_MAX + 2, 1);

    memset(large, ' ', CODEC_FILE_MAX + 1);
    place_init(&p);
    other = fixture_path(p.journal, "README.json");
    fifo = mem_printf("%s/%032d.json", p.journal, 1);
    big = mem_printf("%s/%032d.json", p.journal, 2);
    fixture_write(other, "{}");
    fixture_write(big, large);
    if (fixture_can(FIXTURE_FIFOS))
        fixture_fifo(fifo);
    expect_count(&p, 0);
    if (fixture_has(FIXTURE_FIFOS))
        assert_non_null(strstr(place_logged(&p), fifo));
    assert_non_null(strstr(place_logged(&p), big));
    assert_null(strstr(place_logged(&p), "README"));
    free(large);
    free(big);
    free(fifo);
    free(other);
    place_done(&p);
}

/* ------------------------------------------------------------------ faults */

static int add_to_full_disk(void *context)
{
    const char *dir = context;
    struct journal_entry entry = example();
    struct journal_list list = {NULL, 0};
    struct store *store;
    struct err err;
    size_t count = 0;
    enum err_code rc;

    if (!fixture_mount(dir, "size=64k,mode=700"))
        return CHILD_CANNOT;
    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, &err) == ERR_OK);
    while ((rc = place_add(store, &entry, &err)) == ERR_OK)
        CHILD_CHECK(++count < 1000);
    CHILD_CHECK(rc == ERR_IO && strstr(err.msg, "No space left") && strstr(err.hint, "Free some space"));
    CHILD_CHECK(count > 0);
    CHILD_CHECK(journal_load(store, &list, &err) == ERR_OK);
    CHILD_CHECK(list.count == count);
    CHILD_CHECK(journal_remove(store, list.items[0].id, &err) == ERR_OK);
    CHILD_CHECK(place_add(store, &entry, &err) == ERR_OK);
    journal_list_done(&list);
    journal_entry_done(&entry);
    store_free(store);
    return CHILD_OK;
}

TEST(a_full_disk_is_an_error_before_anything_is_published_and_loses_no_entry)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_in_child(add_to_full_disk, dir);
    fixture_dir_free(dir);
}

struct killing {
    struct place *place;
    struct journal_entry *entry;
    enum fixture_call call;
};

static int update_and_die(void *context)
{
    struct killing *k = context;

    if (!fixture_fail(k->call, 0))
        return CHILD_CANNOT;
    k->entry->state = JOURNAL_PUBLISHED;
    (void)!place_update(k->place->store, k->entry, NULL);
    return CHILD_FAILED;
}

TEST(a_kill_during_an_update_keeps_the_entry_as_it_was)
{
    static const enum fixture_call steps[] = {CALL_WRITE, CALL_FSYNC, CALL_RENAME};
    struct place p;
    struct journal_entry entry;

    fixture_needs(FIXTURE_FAULTS);
    entry = example();
    place_init(&p);
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct killing k = {&p, &entry, steps[i]};
        struct journal_list list = {NULL, 0};

        (void)fixture_child_is_killed(update_and_die, &k);
        assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
        assert_int_equal(list.count, 1);
        expect_same(&list.items[0], &entry);
        journal_list_done(&list);
    }
    journal_entry_done(&entry);
    place_done(&p);
}

/* ------------------------------------------------------------------ many */

#define PROCESSES 8
#define ROUNDS 50

/* Add entries, strike every second one out again, and look at all of them now and then. */
static int work(const char *dir)
{
    struct store *store;

    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, NULL) == ERR_OK);
    for (int i = 0; i < ROUNDS; i++) {
        struct journal_entry entry = example();
        struct journal_list list = {NULL, 0};

        entry.record_id = i;
        CHILD_CHECK(place_add(store, &entry, NULL) == ERR_OK);
        entry.state = JOURNAL_PUBLISHED;
        CHILD_CHECK(place_update(store, &entry, NULL) == ERR_OK);
        if (i % 2)
            CHILD_CHECK(journal_remove(store, entry.id, NULL) == ERR_OK);
        if (i % 10 == 0)
            CHILD_CHECK(journal_load(store, &list, NULL) == ERR_OK && list.count > 0);
        journal_list_done(&list);
        journal_entry_done(&entry);
    }
    store_free(store);
    return CHILD_OK;
}

TEST(eight_processes_write_at_once_and_nothing_is_lost_or_warned_of)
{
    struct place p;

    place_init(&p);
    fixture_in_processes(PROCESSES, work, p.dir);
    expect_count(&p, PROCESSES * ROUNDS / 2);
    assert_int_equal(fixture_count(p.journal), PROCESSES * ROUNDS / 2);
    assert_string_equal(place_logged(&p), "");
    place_done(&p);
}

TEST(ten_thousand_entries_load_in_half_a_second)
{
    struct place p;
    struct journal_list list = {NULL, 0};
    struct journal_entry entry = example();
    size_t count = 10000 / fixture_step();
    int64_t before;
    double cpu_s;

    place_init(&p);
    for (size_t i = 0; i < count; i++) {
        struct buf text = BUF_INIT(CODEC_FILE_MAX);
        char *path = mem_printf("%s/%032zu.json", p.journal, i);

        entry.created_ms = (int64_t)(count - i);
        assert_int_equal(journal_format(&entry, &text, NULL), ERR_OK);
        fixture_write(path, buf_cstr(&text));
        free(path);
        buf_done(&text);
    }
    before = fixture_processor_us();
    assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
    cpu_s = (double)(fixture_processor_us() - before) / 1e6;
    assert_int_equal(list.count, count);
    assert_int_equal(list.items[0].created_ms, 1);
    print_message("%zu entries: %.3f s of CPU\n", count, cpu_s);
    /* CPU time, since the machine may be busy; sanitizers make it several times slower, valgrind tens of times. */
#if defined __SANITIZE_ADDRESS__ || !defined __OPTIMIZE__
    assert_true(cpu_s < 5);
#else
    assert_true(cpu_s < (getenv("ACME_DME_TEST_SLOW") != NULL ? 50 : 0.5));
#endif
    journal_list_done(&list);
    journal_entry_done(&entry);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_comes_back_as_it_was_written_updated_and_struck_out),
        cmocka_unit_test(a_batch_is_added_confirmed_and_struck_out),
        cmocka_unit_test(a_batch_with_one_bad_entry_is_not_written_at_all),
        cmocka_unit_test(what_may_be_missing_comes_back_empty),
        cmocka_unit_test(entries_are_private_files),
        cmocka_unit_test(entries_come_oldest_first),
        cmocka_unit_test(what_could_not_be_read_back_is_not_written),
        cmocka_unit_test(ids_lead_nowhere_else),
        cmocka_unit_test(damaged_entries_are_set_aside_with_a_warning_each_and_hide_no_other),
        cmocka_unit_test(unknown_members_of_later_versions_are_ignored),
        cmocka_unit_test(what_is_no_entry_is_not_read),
        cmocka_unit_test(a_full_disk_is_an_error_before_anything_is_published_and_loses_no_entry),
        cmocka_unit_test(a_kill_during_an_update_keeps_the_entry_as_it_was),
        cmocka_unit_test(eight_processes_write_at_once_and_nothing_is_lost_or_warned_of),
        cmocka_unit_test(ten_thousand_entries_load_in_half_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
