/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store/internal.h"
#include "store/store.h"
#include "test.h"

#define ENDPOINT "https://api.dnsmadeeasy.com/V2.0/"
#define BAD_ENTRY "00000000000000000000000000000001.json"

struct place {
    char *dir;
    struct buf reports; /* "<outcome> <file>: <why>\n" for each */
    size_t set_aside;
};

static void place_init(struct place *p)
{
    *p = (struct place){.dir = fixture_dir_new(), .reports = BUF_INIT(1 << 20)};
    fixture_chmod(p->dir, 0700);
}

static void place_done(struct place *p)
{
    buf_done(&p->reports);
    fixture_dir_free(p->dir);
}

static char *at(const struct place *p, const char *file)
{
    return fixture_path(p->dir, file);
}

static bool is_there(const struct place *p, const char *file)
{
    char *path = at(p, file);
    struct platform_path_info info;
    bool found = platform_path_look(path, &info, NULL) == ERR_OK;

    free(path);
    return found;
}

static void put(const struct place *p, const char *file, const char *text)
{
    char *path = at(p, file);

    fixture_write(path, text);
    free(path);
}

static void make_directory(const struct place *p, const char *name)
{
    char *path = at(p, name);

    fixture_mkdir(path, 0700);
    free(path);
}

static size_t count_in(const struct place *p, const char *name)
{
    char *path = at(p, name);
    size_t count = fixture_count(path);

    free(path);
    return count;
}

static void note(void *ctx, const struct store_reset_report *report)
{
    static const char *const outcomes[] = {
        [STORE_KEPT] = "kept", [STORE_SET_ASIDE] = "aside", [STORE_DROPPED] = "dropped"};
    struct place *p = ctx;

    buf_printf(&p->reports, "%s %s: %s\n", outcomes[report->outcome], report->file, report->why);
    p->set_aside += report->outcome == STORE_SET_ASIDE;
}

static enum err_code reset_with(struct place *p, enum store_reset_mode mode, struct err *err)
{
    buf_clear(&p->reports);
    p->set_aside = 0;
    return store_reset(
        p->dir, &(struct store_reset_opts){.clock = platform_clock(), .mode = mode, .report = note, .ctx = p}, err);
}

static void reset(struct place *p)
{
    struct err err;

    if (reset_with(p, STORE_RESET, &err) != ERR_OK)
        fail_msg("%s\n%s", err.msg, buf_cstr(&p->reports));
}

static void expect_report(const struct place *p, const char *text)
{
    if (!strstr(buf_cstr(&p->reports), text))
        fail_msg("not reported: %s\nbut:\n%s", text, buf_cstr(&p->reports));
}

static struct store *open_store(const struct place *p)
{
    struct store *store;
    struct err err;

    if (store_open(p->dir, platform_clock(), NULL, &store, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return store;
}

/* A good entry, a remembered zone and a result. */
static char *fill(const struct place *p)
{
    struct store *store = open_store(p);
    struct journal_entry entry = {.endpoint = (char *)(uintptr_t)ENDPOINT,
                                  .zone = (char *)(uintptr_t) "example.com",
                                  .name = (char *)(uintptr_t) "_acme-challenge.example.com",
                                  .value = (char *)(uintptr_t) "value"};
    struct journal_entry *entries[] = {&entry};
    struct zone_memo memo = {
        .endpoint = (char *)(uintptr_t)ENDPOINT, .name = (char *)(uintptr_t) "example.com", .id = 1};
    struct result result = {
        .name = (char *)(uintptr_t) "example.com", .action = (char *)(uintptr_t) "publish", .at_ms = 1};

    assert_int_equal(journal_add_all(store, entries, 1, NULL), ERR_OK);
    assert_int_equal(zone_memo_save(store, &memo, NULL), ERR_OK);
    assert_int_equal(result_note(store, &result, NULL), ERR_OK);
    store_free(store);
    return entry.id;
}

TEST(good_entries_stay_and_what_comes_again_by_itself_goes)
{
    struct place p;
    char *id;
    char *kept;

    place_init(&p);
    id = fill(&p);
    kept = mem_printf("kept journal/%s.json: record \"_acme-challenge.example.com\" in zone \"example.com\"\n", id);
    reset(&p);
    expect_report(&p, kept);
    expect_report(&p, "dropped zones/example.com-");
    expect_report(&p, ".json: zone \"example.com\"\n");
    expect_report(&p, "dropped results/example.com-");
    assert_int_equal(count_in(&p, "journal"), 1);
    assert_int_equal(count_in(&p, "zones"), 0);
    assert_int_equal(count_in(&p, "results"), 0);
    reset(&p);
    assert_string_equal(buf_cstr(&p.reports), kept);
    free(kept);
    free(id);
    place_done(&p);
}

TEST(damaged_files_are_set_aside_and_none_is_lost)
{
    struct place p;
    char *id;

    place_init(&p);
    id = fill(&p);
    put(&p, "journal/" BAD_ENTRY, "{\"name\":\"_acme-challenge.lost.example.com\"");
    put(&p, "zones/z-0123456789abcdef.json", "");
    put(&p, "results/r-0123456789abcdef.json", "{}");
    reset(&p);
    assert_int_equal(p.set_aside, 3);
    expect_report(&p, "aside journal/" BAD_ENTRY ": it is not valid JSON: ");
    expect_report(&p, "run \"acme-dme check lost.example.com\"\n");
    expect_report(&p, "aside zones/z-0123456789abcdef.json: it is empty; ");
    expect_report(&p, "aside results/r-0123456789abcdef.json: ");
    assert_int_equal(count_in(&p, "damaged"), 3);
    assert_int_equal(count_in(&p, "journal"), 1);
    reset(&p);
    assert_int_equal(p.set_aside, 0);
    expect_report(&p, "kept damaged/");
    assert_int_equal(count_in(&p, "damaged"), 3);
    free(id);
    place_done(&p);
}

TEST(what_acme_dme_does_not_know_is_kept_and_named)
{
    static const char *const files[] = {"keys/example.com.key", "account.pem", "journal/README", "zones/notes.json",
                                        "results/x.json"};
    struct place p;
    char *id;

    place_init(&p);
    id = fill(&p);
    make_directory(&p, "keys");
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put(&p, files[i], "precious");
    reset(&p);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_true(is_there(&p, files[i]));
    expect_report(&p, "kept keys: not a file of acme-dme\n");
    expect_report(&p, "kept account.pem: not a file of acme-dme\n");
    expect_report(&p, "kept journal/README: ");
    assert_int_equal(p.set_aside, 0);
    free(id);
    place_done(&p);
}

TEST(a_dry_run_tells_the_same_and_changes_nothing)
{
    struct place p;
    char *id;

    place_init(&p);
    id = fill(&p);
    put(&p, "journal/" BAD_ENTRY, "{");
    assert_int_equal(reset_with(&p, STORE_RESET_DRY_RUN, NULL), ERR_OK);
    expect_report(&p, "kept journal/");
    expect_report(&p, "aside journal/" BAD_ENTRY ": ");
    expect_report(&p, "dropped zones/");
    expect_report(&p, "dropped results/");
    assert_int_equal(count_in(&p, "journal"), 2);
    assert_int_equal(count_in(&p, "zones"), 1);
    assert_int_equal(count_in(&p, "results"), 1);
    assert_false(is_there(&p, "damaged"));
    free(id);
    place_done(&p);
}

TEST(what_stands_where_a_directory_should_be_is_set_aside_and_the_store_opens_again)
{
    static const char *const names[] = {"journal", "zones", "lock", "results", "damaged"};

    for (size_t i = 0; i < 2 * ARRAY_LEN(names); i++) {
        const char *name = names[i / 2];
        struct place p;
        struct store *store;
        char *path;
        char *report = mem_printf("aside %s: it is no directory\n", name);

        place_init(&p);
        path = at(&p, name);
        if (i % 2 && fixture_can(FIXTURE_SYMLINKS))
            fixture_symlink("/does/not/exist", path);
        else
            fixture_write(path, "content");
        assert_int_equal(reset_with(&p, STORE_RESET_DRY_RUN, NULL), ERR_OK);
        expect_report(&p, report);
        assert_int_equal(fixture_count(p.dir), 1);
        reset(&p);
        expect_report(&p, report);
        assert_int_equal(count_in(&p, "damaged"), 1);
        store = open_store(&p);
        store_free(store);
        free(report);
        free(path);
        place_done(&p);
    }
}

TEST(all_directories_at_once_may_be_something_else)
{
    static const char *const names[] = {"journal", "zones", "lock", "results", "damaged"};
    struct place p;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put(&p, names[i], "content");
    reset(&p);
    assert_int_equal(p.set_aside, ARRAY_LEN(names));
    assert_int_equal(count_in(&p, "damaged"), ARRAY_LEN(names));
    assert_int_equal(fixture_count(p.dir), ARRAY_LEN(names));
    place_done(&p);
}

TEST(a_link_to_a_directory_is_as_good_as_one)
{
    struct place p;
    char *journal;
    char *elsewhere;
    char *id;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    journal = at(&p, "journal");
    elsewhere = at(&p, "elsewhere");
    make_directory(&p, "elsewhere");
    fixture_symlink(elsewhere, journal);
    id = fill(&p);
    reset(&p);
    assert_int_equal(p.set_aside, 0);
    assert_int_equal(fixture_count(elsewhere), 1);
    free(id);
    free(elsewhere);
    free(journal);
    place_done(&p);
}

TEST(opening_a_store_with_something_in_the_way_tells_of_reset)
{
    struct place p;
    struct store *store;
    struct err err;

    place_init(&p);
    put(&p, "zones", "content");
    assert_int_equal(store_open(p.dir, platform_clock(), NULL, &store, &err), ERR_IO);
    assert_non_null(strstr(err.hint, "acme-dme reset --state"));
    place_done(&p);
}

TEST(a_lock_that_is_no_file_is_set_aside_and_one_that_is_held_stays)
{
    struct place p;
    struct store *store;
    struct platform_lock *lock;
    char *id;

    place_init(&p);
    id = fill(&p);
    store = open_store(&p);
    assert_int_equal(store_lock(store, "other", 0, &lock, NULL), ERR_OK);
    make_directory(&p, "lock/sweep.lock");
    reset(&p);
    expect_report(&p, "aside lock/sweep.lock: it is no file\n");
    assert_true(is_there(&p, "lock/other.lock"));
    platform_lock_free(lock);
    store_free(store);
    free(id);
    place_done(&p);
}

TEST(temporary_files_go_when_they_are_old)
{
    struct place p;
    char *id;
    char *old;

    place_init(&p);
    id = fill(&p);
    put(&p, "journal/.acme-dme-1.tmp", "");
    put(&p, "journal/.acme-dme-2.tmp", "");
    old = at(&p, "journal/.acme-dme-1.tmp");
    fixture_touch(old, 1);
    reset(&p);
    assert_false(is_there(&p, "journal/.acme-dme-1.tmp"));
    assert_true(is_there(&p, "journal/.acme-dme-2.tmp"));
    expect_report(&p, "dropped journal/.acme-dme-1.tmp: ");
    expect_report(&p, "kept journal/.acme-dme-2.tmp: ");
    free(old);
    free(id);
    place_done(&p);
}

TEST(a_directory_that_is_not_there_is_not_made)
{
    struct err err;
    char *dir = fixture_dir_new();
    char *none = fixture_path(dir, "none");

    assert_int_equal(store_reset(none, &(struct store_reset_opts){.clock = platform_clock()}, &err), ERR_NOT_FOUND);
    assert_int_equal(fixture_count(dir), 0);
    fixture_write(none, "a file");
    assert_int_equal(store_reset(none, &(struct store_reset_opts){.clock = platform_clock()}, &err), ERR_IO);
    free(none);
    fixture_dir_free(dir);
}

TEST(a_directory_that_others_can_write_to_is_refused)
{
    struct place p;
    struct err err;
    char *id;

    place_init(&p);
    id = fill(&p);
    fixture_chmod(p.dir, 0777);
    assert_int_equal(reset_with(&p, STORE_RESET, &err), ERR_IO);
    assert_non_null(strstr(err.hint, fixture_here("chmod go-w", "icacls")));
    assert_int_equal(count_in(&p, "zones"), 1);
    free(id);
    place_done(&p);
}

static int reset_once(const char *dir)
{
    CHILD_CHECK(store_reset(dir, &(struct store_reset_opts){.clock = platform_clock()}, NULL) == ERR_OK);
    return CHILD_OK;
}

TEST(eight_resets_at_once_lose_nothing)
{
    struct place p;
    char *id;

    place_init(&p);
    id = fill(&p);
    for (int i = 0; i < 50; i++) {
        char *name = mem_printf("journal/%032d.json", i);

        put(&p, name, "{");
        free(name);
    }
    fixture_in_processes(8, reset_once, p.dir);
    assert_int_equal(count_in(&p, "journal"), 1);
    assert_int_equal(count_in(&p, "damaged"), 50);
    free(id);
    place_done(&p);
}

static int reset_read_only(void *context)
{
    struct place *p = context;
    struct err err;
    char *id;

    if (!fixture_mount(p->dir, "size=1m,mode=700"))
        return CHILD_CANNOT;
    id = fill(p);
    CHILD_CHECK(fixture_remount_read_only(p->dir));
    CHILD_CHECK(reset_with(p, STORE_RESET, &err) == ERR_IO && strstr(err.msg, "read-only"));
    CHILD_CHECK(reset_with(p, STORE_RESET_DRY_RUN, &err) == ERR_OK);
    CHILD_CHECK(strstr(buf_cstr(&p->reports), "dropped zones/") != NULL);
    free(id);
    return CHILD_OK;
}

TEST(a_read_only_disk_is_an_error_and_no_obstacle_to_a_dry_run)
{
    struct place p;

    fixture_needs(FIXTURE_FAULTS);
    place_init(&p);
    fixture_in_child(reset_read_only, &p);
    place_done(&p);
}

static int reset_where_nothing_can_be_removed(void *context)
{
    struct place *p = context;
    struct err err;

    if (!fixture_fail(CALL_UNLINK, EACCES))
        return CHILD_CANNOT;
    CHILD_CHECK(reset_with(p, STORE_RESET, &err) == ERR_IO && strstr(err.msg, "could not remove"));
    CHILD_CHECK(strstr(buf_cstr(&p->reports), "kept zones/") != NULL);
    CHILD_CHECK(strstr(buf_cstr(&p->reports), "kept results/") != NULL);
    CHILD_CHECK(strstr(buf_cstr(&p->reports), "aside journal/" BAD_ENTRY) != NULL);
    return CHILD_OK;
}

TEST(a_file_that_can_not_be_removed_does_not_keep_it_from_the_others)
{
    struct place p;
    char *id;

    fixture_needs(FIXTURE_FAULTS);
    place_init(&p);
    id = fill(&p);
    put(&p, "journal/" BAD_ENTRY, "{");
    fixture_in_child(reset_where_nothing_can_be_removed, &p);
    free(id);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_entries_stay_and_what_comes_again_by_itself_goes),
        cmocka_unit_test(damaged_files_are_set_aside_and_none_is_lost),
        cmocka_unit_test(what_acme_dme_does_not_know_is_kept_and_named),
        cmocka_unit_test(a_dry_run_tells_the_same_and_changes_nothing),
        cmocka_unit_test(what_stands_where_a_directory_should_be_is_set_aside_and_the_store_opens_again),
        cmocka_unit_test(all_directories_at_once_may_be_something_else),
        cmocka_unit_test(a_link_to_a_directory_is_as_good_as_one),
        cmocka_unit_test(opening_a_store_with_something_in_the_way_tells_of_reset),
        cmocka_unit_test(a_lock_that_is_no_file_is_set_aside_and_one_that_is_held_stays),
        cmocka_unit_test(temporary_files_go_when_they_are_old),
        cmocka_unit_test(a_directory_that_is_not_there_is_not_made),
        cmocka_unit_test(a_directory_that_others_can_write_to_is_refused),
        cmocka_unit_test(eight_resets_at_once_lose_nothing),
        cmocka_unit_test(a_read_only_disk_is_an_error_and_no_obstacle_to_a_dry_run),
        cmocka_unit_test(a_file_that_can_not_be_removed_does_not_keep_it_from_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
