/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store/store.h"
#include "test.h"

#define ENDPOINT "https://api.dnsmadeeasy.com/V2.0/"
#define SANDBOX "https://api.sandbox.dnsmadeeasy.com/V2.0/"

struct place {
    char *dir;
    char *zones;
    struct store *store;
};

static void place_init(struct place *p)
{
    *p = (struct place){.dir = fixture_dir_new()};
    p->zones = fixture_path(p->dir, "zones");
    assert_int_equal(store_open(p->dir, platform_clock(), NULL, &p->store, NULL), ERR_OK);
}

static void place_done(struct place *p)
{
    store_free(p->store);
    free(p->zones);
    fixture_dir_free(p->dir);
}

static struct zone_memo memo_of(const char *zone, int64_t id)
{
    struct zone_memo memo = {
        .endpoint = mem_strdup(ENDPOINT),
        .account = mem_strdup("production"),
        .key_id = mem_strdup("1a2b3c4d"),
        .name = mem_strdup(zone),
        .id = id,
        .seen_ms = 1297544344123,
    };

    strlist_add(&memo.nameservers, "ns10.dnsmadeeasy.com 208.94.148.4");
    strlist_add(&memo.nameservers, "ns11.dnsmadeeasy.com");
    return memo;
}

static void remember(struct place *p, const char *zone, int64_t id)
{
    struct zone_memo memo = memo_of(zone, id);

    assert_int_equal(zone_memo_save(p->store, &memo, NULL), ERR_OK);
    zone_memo_done(&memo);
}

/* The id of the zone that is remembered for a name; 0 for none. */
static int64_t find_for(struct place *p, const char *endpoint, const char *account, const char *key_id,
                        const char *name)
{
    struct zone_memo memo = {.id = 0};
    enum err_code rc = zone_memo_find(p->store, endpoint, account, key_id, name, NULL, &memo, NULL);
    int64_t id = memo.id;

    assert_true(rc == ERR_OK || rc == ERR_NOT_FOUND);
    assert_int_equal(rc == ERR_OK, id != 0);
    zone_memo_done(&memo);
    return id;
}

static int64_t find(struct place *p, const char *name)
{
    return find_for(p, ENDPOINT, "production", "1a2b3c4d", name);
}

TEST(a_remembered_zone_comes_back_whole)
{
    struct place p;
    struct zone_memo memo = {.id = 0};

    place_init(&p);
    remember(&p, "example.com", INT64_MAX);
    assert_int_equal(
        zone_memo_find(p.store, ENDPOINT, "production", "1a2b3c4d", "_acme-challenge.example.com", NULL, &memo, NULL),
        ERR_OK);
    assert_string_equal(memo.name, "example.com");
    assert_string_equal(memo.endpoint, ENDPOINT);
    assert_string_equal(memo.account, "production");
    assert_string_equal(memo.key_id, "1a2b3c4d");
    assert_true(memo.id == INT64_MAX);
    assert_int_equal(memo.seen_ms, 1297544344123);
    assert_int_equal(memo.nameservers.count, 2);
    assert_string_equal(memo.nameservers.items[0], "ns10.dnsmadeeasy.com 208.94.148.4");
    assert_string_equal(memo.nameservers.items[1], "ns11.dnsmadeeasy.com");
    zone_memo_done(&memo);
    zone_memo_done(NULL);
    place_done(&p);
}

TEST(the_longest_zone_wins_and_labels_are_whole)
{
    struct place p;

    place_init(&p);
    remember(&p, "example.com", 1);
    remember(&p, "sub.example.com", 2);
    assert_int_equal(find(&p, "example.com"), 1);
    assert_int_equal(find(&p, "_acme-challenge.example.com"), 1);
    assert_int_equal(find(&p, "a.b.sub.example.com"), 2);
    assert_int_equal(find(&p, "sub.example.com"), 2);
    assert_int_equal(find(&p, "xsub.example.com"), 1);
    assert_int_equal(find(&p, "badexample.com"), 0);
    assert_int_equal(find(&p, "com"), 0);
    assert_int_equal(find(&p, ""), 0);
    assert_int_equal(find(&p, "..."), 0);
    assert_int_equal(find(&p, "example.com."), 0);
    place_done(&p);
}

TEST(other_endpoints_and_accounts_have_zones_of_their_own)
{
    struct place p;

    place_init(&p);
    remember(&p, "example.com", 1);
    assert_int_equal(find_for(&p, SANDBOX, "production", "1a2b3c4d", "example.com"), 0);
    assert_int_equal(find_for(&p, ENDPOINT, "staging", "1a2b3c4d", "example.com"), 0);
    assert_int_equal(find_for(&p, ENDPOINT, NULL, "1a2b3c4d", "example.com"), 0);
    assert_int_equal(find_for(&p, ENDPOINT, "production", "1a2b3c4d", "example.com"), 1);
    place_done(&p);
}

TEST(what_another_key_saw_is_not_used_nor_is_a_parent_zone_instead)
{
    struct place p;
    struct zone_memo memo = memo_of("sub.example.com", 2);

    place_init(&p);
    remember(&p, "example.com", 1);
    free(memo.key_id);
    memo.key_id = mem_strdup("ffffffff");
    assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_OK);
    assert_int_equal(find(&p, "x.sub.example.com"), 0);
    assert_int_equal(find_for(&p, ENDPOINT, "production", "ffffffff", "x.sub.example.com"), 2);
    assert_int_equal(find(&p, "x.example.com"), 1);
    zone_memo_done(&memo);
    place_done(&p);
}

TEST(a_zone_is_forgotten_and_remembered_anew)
{
    struct place p;
    struct zone_memo memo = memo_of("example.com", 1);

    place_init(&p);
    assert_int_equal(zone_memo_forget(p.store, &memo, NULL), ERR_OK);
    remember(&p, "example.com", 1);
    assert_int_equal(zone_memo_forget(p.store, &memo, NULL), ERR_OK);
    assert_int_equal(find(&p, "example.com"), 0);
    remember(&p, "example.com", 5);
    remember(&p, "example.com", 6);
    assert_int_equal(find(&p, "example.com"), 6);
    assert_int_equal(fixture_count(p.zones), 1);
    zone_memo_done(&memo);
    place_done(&p);
}

TEST(a_damaged_memo_is_set_aside_and_no_parent_zone_taken_instead)
{
    static const char *const damaged[] = {
        "",
        "{",
        "[]",
        "{\"version\":1}",
        "garbage",
        ("{\"version\":1,\"endpoint\":\"e\",\"account\":\"a\",\"key_id\":\"k\",\"name\":\"z\",\"id\":1,"
         "\"nameservers\":[1],"
         "\"seen_ms\":0}"),
        ("{\"version\":1,\"endpoint\":\"e\",\"account\":\"a\",\"key_id\":\"k\",\"name\":\"z\",\"id\":1,"
         "\"nameservers\":{},\"seen_ms\":0}")};
    struct place p;
    struct strlist files = {NULL, 0};
    char *path;

    place_init(&p);
    remember(&p, "sub.example.com", 2);
    assert_int_equal(platform_dir_list(p.zones, &files, NULL), ERR_OK);
    path = fixture_path(p.zones, files.items[0]);
    remember(&p, "example.com", 1);
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        fixture_write(path, damaged[i]);
        assert_int_equal(find(&p, "x.sub.example.com"), 0);
        assert_false(platform_file_exists(path));
    }
    free(path);
    strlist_done(&files);
    place_done(&p);
}

TEST(a_memo_of_another_zone_under_our_file_name_is_not_believed)
{
    struct place p;
    struct strlist files = {NULL, 0};
    char *mine;
    char *other;

    place_init(&p);
    remember(&p, "a.example", 1);
    remember(&p, "b.example", 2);
    assert_int_equal(platform_dir_list(p.zones, &files, NULL), ERR_OK);
    mine = fixture_path(p.zones, files.items[0]);
    other = fixture_path(p.zones, files.items[1]);
    fixture_rename(other, mine);
    assert_int_equal(find(&p, "a.example"), 0);
    free(mine);
    free(other);
    strlist_done(&files);
    place_done(&p);
}

TEST(what_could_not_be_read_back_is_not_remembered)
{
    struct place p;
    struct zone_memo memo = memo_of("Example.com", 1);

    place_init(&p);
    assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_INTERNAL);
    free(memo.name);
    memo.name = mem_strdup("example.com");
    memo.id = -1;
    assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_INTERNAL);
    memo.id = 1;
    for (int i = 0; i < 100; i++)
        strlist_add(&memo.nameservers, "ns.example.net");
    assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_INTERNAL);
    assert_int_equal(fixture_count(p.zones), 0);
    zone_memo_done(&memo);
    place_done(&p);
}

TEST(the_longest_possible_name_has_a_file_name_that_fits)
{
    struct place p;
    char name[254];

    place_init(&p);
    for (size_t i = 0; i < 253; i++)
        name[i] = i % 64 == 63 ? '.' : 'x';
    name[253] = '\0';
    remember(&p, name, 9);
    assert_int_equal(find(&p, name), 9);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_remembered_zone_comes_back_whole),
        cmocka_unit_test(the_longest_zone_wins_and_labels_are_whole),
        cmocka_unit_test(other_endpoints_and_accounts_have_zones_of_their_own),
        cmocka_unit_test(what_another_key_saw_is_not_used_nor_is_a_parent_zone_instead),
        cmocka_unit_test(a_zone_is_forgotten_and_remembered_anew),
        cmocka_unit_test(a_damaged_memo_is_set_aside_and_no_parent_zone_taken_instead),
        cmocka_unit_test(a_memo_of_another_zone_under_our_file_name_is_not_believed),
        cmocka_unit_test(what_could_not_be_read_back_is_not_remembered),
        cmocka_unit_test(the_longest_possible_name_has_a_file_name_that_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
