/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fake_disk.h"
#include "fixture.h"
#include "store/internal.h"
#include "store_place.h"
#include "test.h"

#define RUN "500:1:aaaaaaaa:bbbbbbbb:cccccccc"
#define OTHER_RUN "501:1:aaaaaaaa:bbbbbbbb:cccccccc"
#define NAME "_acme-challenge.example.com"

static struct deferred_entry entry_of(enum deferred_action action, const char *run_id, const char *value, int64_t at_ms)
{
    return (struct deferred_entry){
        .action = action,
        .run_id = (char *)(uintptr_t)run_id,
        .batch = (char *)(uintptr_t) "abcdefgh",
        .position = 3,
        .name = (char *)(uintptr_t)NAME,
        .value = (char *)(uintptr_t)value,
        .created_ms = at_ms,
    };
}

static void save(struct place *p, enum deferred_action action, const char *run_id, const char *value, int64_t at_ms)
{
    const struct deferred_entry entry = entry_of(action, run_id, value, at_ms);
    struct err err;

    if (deferred_save(p->store, &entry, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static struct deferred_list load(struct place *p, const char *run_id, size_t want)
{
    struct deferred_list list = {NULL, 0};
    struct err err;

    if (deferred_load(p->store, run_id, &list, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(list.count, want);
    return list;
}

static void expect_count(struct place *p, const char *run_id, size_t want)
{
    struct deferred_list list = load(p, run_id, want);

    deferred_list_done(&list);
}

TEST(what_is_left_comes_back_whole)
{
    struct place p;
    struct deferred_list list;

    place_init(&p);
    expect_count(&p, NULL, 0);
    save(&p, DEFERRED_WITHDRAW, RUN, "-value", 1297544344123);
    list = load(&p, RUN, 1);
    assert_int_equal(list.items[0].action, DEFERRED_WITHDRAW);
    assert_string_equal(list.items[0].run_id, RUN);
    assert_string_equal(list.items[0].batch, "abcdefgh");
    assert_int_equal(list.items[0].position, 3);
    assert_string_equal(list.items[0].name, NAME);
    assert_string_equal(list.items[0].value, "-value");
    assert_int_equal(list.items[0].created_ms, 1297544344123);
    deferred_list_done(&list);
    deferred_list_done(NULL);
    place_done(&p);
}

TEST(nothing_is_made_until_something_is_left)
{
    struct place p;
    char *dir;

    place_init(&p);
    dir = fixture_path(p.dir, "deferred");
    assert_false(platform_file_exists(dir));
    save(&p, DEFERRED_PUBLISH, RUN, "a", 1);
    assert_int_equal(fixture_count(dir), 1);
    free(dir);
    place_done(&p);
}

TEST(two_values_of_one_name_and_two_runs_live_side_by_side_oldest_first)
{
    struct place p;
    struct deferred_list list;

    place_init(&p);
    save(&p, DEFERRED_PUBLISH, RUN, "second", 2);
    save(&p, DEFERRED_PUBLISH, RUN, "first", 1);
    save(&p, DEFERRED_PUBLISH, OTHER_RUN, "second", 3);
    expect_count(&p, NULL, 3);
    expect_count(&p, OTHER_RUN, 1);
    list = load(&p, RUN, 2);
    assert_string_equal(list.items[0].value, "first");
    assert_string_equal(list.items[1].value, "second");
    deferred_list_done(&list);
    place_done(&p);
}

TEST(of_one_record_the_latest_counts)
{
    struct place p;
    enum deferred_action action;

    place_init(&p);
    assert_int_equal(deferred_find(p.store, RUN, NAME, "a", &action, NULL), ERR_NOT_FOUND);
    save(&p, DEFERRED_PUBLISH, RUN, "a", 1);
    assert_int_equal(deferred_find(p.store, RUN, NAME, "a", &action, NULL), ERR_OK);
    assert_int_equal(action, DEFERRED_PUBLISH);
    save(&p, DEFERRED_WITHDRAW, RUN, "a", 2);
    assert_int_equal(deferred_find(p.store, RUN, NAME, "a", &action, NULL), ERR_OK);
    assert_int_equal(action, DEFERRED_WITHDRAW);
    assert_int_equal(deferred_find(p.store, OTHER_RUN, NAME, "a", &action, NULL), ERR_NOT_FOUND);
    assert_int_equal(deferred_find(p.store, RUN, NAME, "b", &action, NULL), ERR_NOT_FOUND);
    expect_count(&p, RUN, 1);
    place_done(&p);
}

TEST(what_is_removed_is_gone_and_may_be_removed_again)
{
    const struct deferred_entry entry = entry_of(DEFERRED_PUBLISH, RUN, "a", 1);
    struct place p;

    place_init(&p);
    save(&p, DEFERRED_PUBLISH, RUN, "a", 1);
    save(&p, DEFERRED_PUBLISH, RUN, "b", 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(deferred_remove(p.store, &entry, NULL), ERR_OK);
    expect_count(&p, RUN, 1);
    place_done(&p);
}

TEST(what_could_not_be_read_back_is_not_written)
{
    struct deferred_entry entry = entry_of(DEFERRED_PUBLISH, RUN, "a", 1);
    struct place p;

    place_init(&p);
    entry.name = (char *)(uintptr_t) "No..Name";
    assert_int_equal(deferred_save(p.store, &entry, NULL), ERR_INTERNAL);
    entry.name = (char *)(uintptr_t)NAME;
    entry.run_id = (char *)(uintptr_t) "";
    assert_int_equal(deferred_save(p.store, &entry, NULL), ERR_INTERNAL);
    expect_count(&p, NULL, 0);
    place_done(&p);
}

TEST(a_damaged_one_is_set_aside_with_a_warning_and_hides_no_other)
{
    struct place p;
    char *path;

    place_init(&p);
    save(&p, DEFERRED_PUBLISH, RUN, "a", 1);
    path = place_only_file(&p, "deferred");
    fixture_write(path, "{\"version\": 2");
    save(&p, DEFERRED_PUBLISH, RUN, "b", 2);
    expect_count(&p, RUN, 1);
    assert_false(platform_file_exists(path));
    assert_int_equal(fixture_count(p.damaged), 1);
    assert_non_null(strstr(place_logged(&p), "warning: deferred: damaged: "));
    free(path);
    place_done(&p);
}

TEST(one_under_the_name_of_another_is_damaged)
{
    struct place p;
    char *path;
    char *other;

    place_init(&p);
    save(&p, DEFERRED_PUBLISH, RUN, "a", 1);
    path = place_only_file(&p, "deferred");
    other = mem_strdup(path);
    other[strlen(other) - strlen("0.json")] ^= 1;
    fixture_rename(path, other);
    expect_count(&p, RUN, 0);
    assert_int_equal(fixture_count(p.damaged), 1);
    free(other);
    free(path);
    place_done(&p);
}

TEST(an_examination_counts_them_and_a_reset_keeps_them)
{
    struct store_examination found;
    struct place p;

    place_init(&p);
    save(&p, DEFERRED_PUBLISH, RUN, "a", 1);
    save(&p, DEFERRED_WITHDRAW, RUN, "b", 1);
    assert_int_equal(store_examine(p.store, &found, NULL), ERR_OK);
    assert_int_equal(found.deferred, 2);
    assert_int_equal(
        store_reset(p.dir, &(struct store_reset_opts){.clock = platform_clock(), .mode = STORE_RESET}, NULL), ERR_OK);
    expect_count(&p, RUN, 2);
    place_done(&p);
}

TEST(on_a_full_disk_nothing_half_remains)
{
    const struct deferred_entry entry = entry_of(DEFERRED_WITHDRAW, RUN, "a", 2);
    enum deferred_action action;
    struct place p;
    struct err err;

    place_init(&p);
    save(&p, DEFERRED_PUBLISH, RUN, "a", 1);
    fake_disk_fail(FAKE_DISK_FULL, "/deferred/", 0, 1);
    assert_int_equal(deferred_save(p.store, &entry, &err), ERR_IO);
    fake_disk_heal();
    assert_int_equal(deferred_find(p.store, RUN, NAME, "a", &action, NULL), ERR_OK);
    assert_int_equal(action, DEFERRED_PUBLISH);
    expect_count(&p, RUN, 1);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_comes_back_whole),
        cmocka_unit_test(nothing_is_made_until_something_is_left),
        cmocka_unit_test(two_values_of_one_name_and_two_runs_live_side_by_side_oldest_first),
        cmocka_unit_test(of_one_record_the_latest_counts),
        cmocka_unit_test(what_is_removed_is_gone_and_may_be_removed_again),
        cmocka_unit_test(what_could_not_be_read_back_is_not_written),
        cmocka_unit_test(a_damaged_one_is_set_aside_with_a_warning_and_hides_no_other),
        cmocka_unit_test(one_under_the_name_of_another_is_damaged),
        cmocka_unit_test(an_examination_counts_them_and_a_reset_keeps_them),
        cmocka_unit_test(on_a_full_disk_nothing_half_remains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
