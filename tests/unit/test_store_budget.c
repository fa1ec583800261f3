/* SPDX-License-Identifier: MIT */
#include "store/budget.h"

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store_place.h"
#include "test.h"

#define ENDPOINT "https://api.dnsmadeeasy.com/V2.0/"
#define KEY_ID "1a2b3c4d"

static void change(struct place *p, const char *endpoint, const char *key_id, const struct budget_record *record)
{
    struct budget_record before;
    struct budget_file *file = NULL;

    assert_int_equal(budget_open(p->store, endpoint, key_id, &file, &before, NULL), ERR_OK);
    assert_int_equal(budget_close(file, record, NULL), ERR_OK);
    budget_record_done(&before);
}

static struct budget_record look(struct place *p, const char *endpoint, const char *key_id)
{
    struct budget_record record;
    struct budget_file *file = NULL;

    assert_int_equal(budget_open(p->store, endpoint, key_id, &file, &record, NULL), ERR_OK);
    assert_int_equal(budget_close(file, NULL, NULL), ERR_OK);
    return record;
}

static void note_one(struct place *p, int64_t at_ms)
{
    struct budget_stamp stamp = {.at_ms = at_ms, .kind = BUDGET_DONE};

    change(p, ENDPOINT, KEY_ID, &(struct budget_record){.stamps = &stamp, .stamp_count = 1});
}

TEST(what_was_noted_is_read_again)
{
    struct place p;
    struct budget_stamp stamps[] = {{1764160000123, 0, BUDGET_DONE},
                                    {1764160000124, INT64_MAX, BUDGET_SENT},
                                    {1764160000125, 77, BUDGET_HELD},
                                    {0, 0, BUDGET_FOREIGN}};
    struct budget_ticket ticket = {INT64_MAX, 12, 1764160000200};
    struct budget_record record = {.limit = 150,
                                   .closed_until_ms = 1764160001000,
                                   .refusals = 2,
                                   .refused_ms = 1764160000999,
                                   .stamps = stamps,
                                   .stamp_count = ARRAY_LEN(stamps),
                                   .tickets = &ticket,
                                   .ticket_count = 1};
    struct budget_record found;

    place_init(&p);
    change(&p, ENDPOINT, KEY_ID, &record);
    found = look(&p, ENDPOINT, KEY_ID);
    assert_int_equal(found.limit, 150);
    assert_int_equal(found.closed_until_ms, record.closed_until_ms);
    assert_int_equal(found.refusals, 2);
    assert_int_equal(found.refused_ms, record.refused_ms);
    assert_int_equal(found.stamp_count, ARRAY_LEN(stamps));
    for (size_t i = 0; i < ARRAY_LEN(stamps); i++) {
        assert_int_equal(found.stamps[i].at_ms, stamps[i].at_ms);
        assert_true(found.stamps[i].owner == stamps[i].owner);
        assert_int_equal(found.stamps[i].kind, stamps[i].kind);
    }
    assert_int_equal(found.ticket_count, 1);
    assert_true(found.tickets[0].owner == INT64_MAX && found.tickets[0].count == 12);
    assert_int_equal(found.tickets[0].seen_ms, ticket.seen_ms);
    budget_record_done(&found);
    place_done(&p);
}

TEST(each_key_and_endpoint_has_its_own)
{
    static const char *const others[][2] = {{ENDPOINT, "ffffffff"},
                                            {"https://api.sandbox.dnsmadeeasy.com/V2.0/", KEY_ID}};
    struct place p;

    place_init(&p);
    note_one(&p, 1764160000123);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct budget_record found = look(&p, others[i][0], others[i][1]);

        assert_int_equal(found.stamp_count, 0);
        budget_record_done(&found);
    }
    place_done(&p);
}

TEST(a_damaged_one_is_set_aside_and_counting_begins_anew)
{
    static const char *const texts[] = {"", "{", "[]", "{\"version\": 2}"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct place p;
        struct budget_record found;
        char *path;

        place_init(&p);
        note_one(&p, 1764160000123);
        path = place_only_file(&p, "budget");
        fixture_write(path, texts[i]);
        found = look(&p, ENDPOINT, KEY_ID);
        assert_int_equal(found.stamp_count, 0);
        assert_int_equal(fixture_count(p.damaged), 1);
        assert_non_null(strstr(place_logged(&p), "budget: damaged: "));
        assert_non_null(strstr(place_logged(&p), "requests are counted anew, continuing\n"));
        note_one(&p, 1764160000124);
        budget_record_done(&found);
        found = look(&p, ENDPOINT, KEY_ID);
        assert_int_equal(found.stamp_count, 1);
        budget_record_done(&found);
        free(path);
        place_done(&p);
    }
}

/* Well-formed, and not what we write. */
TEST(an_item_that_makes_no_sense_is_damage)
{
    static const char *const items[] = {"1764160000123 0",        "1764160000123 0 0 0", "1764160000123 4 0",  "-1 0 0",
                                        " 1764160000123 0 0",     "1764160000123  0 0",  "1764160000123 0 0 ", "x 0 0",
                                        "9223372036854775808 0 0"};
    struct place p;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        struct budget_record found;
        char *path;
        char *whole;
        char *at;
        struct buf text = BUF_INIT(4096);

        note_one(&p, 1764160000123);
        path = place_only_file(&p, "budget");
        whole = fixture_read(path);
        at = strstr(whole, "1764160000123 0 0");
        assert_non_null(at);
        *at = '\0';
        buf_printf(&text, "%s%s%s", whole, items[i], at + strlen("1764160000123 0 0"));
        /* version 1 had no checksum */
        at = strstr(text.data, "\"version\":2");
        if (!at)
            at = strstr(text.data, "\"version\": 2");
        assert_non_null(at);
        *strchr(at, '2') = '1';
        at = strstr(text.data, "\"checksum\"");
        assert_non_null(at);
        at[1] = 'k';
        fixture_write(path, buf_cstr(&text));
        found = look(&p, ENDPOINT, KEY_ID);
        assert_int_equal(found.stamp_count, 0);
        assert_int_equal(fixture_count(p.damaged), i + 1);
        budget_record_done(&found);
        buf_done(&text);
        free(whole);
        free(path);
    }
    assert_non_null(strstr(place_logged(&p), "a list has an item it can't have"));
    place_done(&p);
}

TEST(examinations_count_it_and_resets_drop_it)
{
    struct place p;
    struct store_examination found;

    place_init(&p);
    assert_int_equal(store_examine(p.store, &found, NULL), ERR_OK);
    assert_int_equal(found.budgets, 0);
    note_one(&p, 1764160000123);
    assert_int_equal(store_examine(p.store, &found, NULL), ERR_OK);
    assert_int_equal(found.budgets, 1);
    assert_int_equal(found.damaged, 0);
    assert_int_equal(
        store_reset(p.dir, &(struct store_reset_opts){.clock = platform_clock(), .mode = STORE_RESET}, NULL), ERR_OK);
    assert_int_equal(store_examine(p.store, &found, NULL), ERR_OK);
    assert_int_equal(found.budgets, 0);
    place_done(&p);
}

/* ------------------------------------------------------------------ several processes */

static int add_fifty(const char *dir)
{
    struct store *store;

    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, NULL) == ERR_OK);
    for (size_t i = 0; i < 50; i++) {
        struct budget_record record;
        struct budget_file *file = NULL;

        CHILD_CHECK(budget_open(store, ENDPOINT, KEY_ID, &file, &record, NULL) == ERR_OK);
        record.stamps = mem_resize(record.stamps, record.stamp_count + 1, sizeof *record.stamps);
        record.stamps[record.stamp_count++] = (struct budget_stamp){.at_ms = 1764160000123, .kind = BUDGET_DONE};
        CHILD_CHECK(budget_close(file, &record, NULL) == ERR_OK);
        budget_record_done(&record);
    }
    store_free(store);
    return CHILD_OK;
}

TEST(what_several_processes_note_at_once_is_all_there)
{
    struct place p;
    struct budget_record found;

    place_init(&p);
    fixture_in_processes(4, add_fifty, p.dir);
    found = look(&p, ENDPOINT, KEY_ID);
    assert_int_equal(found.stamp_count, 200);
    budget_record_done(&found);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_noted_is_read_again),
        cmocka_unit_test(each_key_and_endpoint_has_its_own),
        cmocka_unit_test(a_damaged_one_is_set_aside_and_counting_begins_anew),
        cmocka_unit_test(an_item_that_makes_no_sense_is_damage),
        cmocka_unit_test(examinations_count_it_and_resets_drop_it),
        cmocka_unit_test(what_several_processes_note_at_once_is_all_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
