/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store/certs.h"
#include "store/internal.h"
#include "store_place.h"
#include "test.h"

#define MANY 5000
#define LONG_NAME "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static char *domain_texts[] = {(char *)(uintptr_t) "example.com", (char *)(uintptr_t) "*.example.com"};
static char *setting_texts[] = {(char *)(uintptr_t) "key_type=ecdsa-p256",
                                (char *)(uintptr_t) "deploy=[\"/bin/x\",\"a\\nb\"]"};

static char *persisted[] = {
    (char *)(uintptr_t) "_validation-persist.example.com ca.example; accounturi=https://ca.example/1"};

static struct certificate_record record_of(const char *name)
{
    return (struct certificate_record){
        .name = (char *)(uintptr_t)name,
        .domains = {.items = domain_texts, .count = 2},
        .settings = {.items = setting_texts, .count = 2},
        .directory = (char *)(uintptr_t) "https://ca.example/directory",
        .ari_id = (char *)(uintptr_t) "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",
        .generation = 7,
        .issued_ms = 1,
        .not_before_s = 2,
        .not_after_s = 3,
        .window_start_ms = 4,
        .window_end_ms = 5,
        .drawn_ms = 6,
        .next_look_ms = 8,
        .explanation_url = (char *)(uintptr_t) "https://ca.example/why",
        .deploy_pending = 9,
        .revoked_ms = 10,
        .retry_after_ms = 11,
        .persisted = {persisted, ARRAY_LEN(persisted)},
    };
}

static void save(struct place *p, const char *name)
{
    struct certificate_record record = record_of(name);
    struct err err;

    if (certificate_save(p->store, &record, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static bool is_same(const struct certificate_record *a, const struct certificate_record *b)
{
    return strcmp(a->name, b->name) == 0 && a->domains.count == 2 &&
           strcmp(a->domains.items[0], b->domains.items[0]) == 0 &&
           strcmp(a->domains.items[1], b->domains.items[1]) == 0 && a->settings.count == 2 &&
           strcmp(a->settings.items[0], b->settings.items[0]) == 0 &&
           strcmp(a->settings.items[1], b->settings.items[1]) == 0 && strcmp(a->directory, b->directory) == 0 &&
           strcmp(a->ari_id, b->ari_id) == 0 && a->generation == b->generation && a->issued_ms == b->issued_ms &&
           a->not_before_s == b->not_before_s && a->not_after_s == b->not_after_s &&
           a->window_start_ms == b->window_start_ms && a->window_end_ms == b->window_end_ms &&
           a->drawn_ms == b->drawn_ms && a->next_look_ms == b->next_look_ms &&
           strcmp(a->explanation_url, b->explanation_url) == 0 && a->deploy_pending == b->deploy_pending &&
           a->revoked_ms == b->revoked_ms && a->retry_after_ms == b->retry_after_ms && a->persisted.count == 1 &&
           b->persisted.count == 1 && strcmp(a->persisted.items[0], b->persisted.items[0]) == 0;
}

static char *at(const struct place *p, const char *file)
{
    return mem_printf("%s/renewal/%s", p->dir, file);
}

TEST(names_are_those_that_every_file_system_takes)
{
    static const char *const good[] = {
        "a", "example.com", "www-2", "_x", "@host", "A.b_c@d", "con1", "console", "com", "lpt10", LONG_NAME LONG_NAME};
    static const char *const bad[] = {
        "",    ".",   "..",  ".deleted", "-rf",  "a/b",      "a b", "a\nb",     "*.example.com",
        "a:b", "con", "CON", "nul.pem",  "Com1", "lpt9.x.y", "a.",  "\xc3\xa4", LONG_NAME LONG_NAME "a"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!certificate_name_is_good(good[i]))
            fail_msg("\"%s\" is refused", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (certificate_name_is_good(bad[i]))
            fail_msg("\"%s\" is accepted", bad[i]);
}

TEST(a_certificate_comes_back_as_it_was_saved)
{
    struct place p;
    struct certificate_record want = record_of("www");
    struct certificate_record got = {.generation = 0};
    struct err err;

    place_init(&p);
    assert_int_equal(certificate_load(p.store, "www", &got, &err), ERR_NOT_FOUND);
    assert_string_equal(err.msg, "there is no certificate \"www\"");
    save(&p, "www");
    assert_int_equal(certificate_load(p.store, "www", &got, NULL), ERR_OK);
    assert_true(is_same(&got, &want));
    certificate_record_done(&got);
    certificate_record_done(NULL);
    place_done(&p);
}

TEST(one_of_which_nothing_is_known_yet_comes_back_with_empty_texts)
{
    struct place p;
    struct certificate_record fresh = {.name = (char *)(uintptr_t) "new",
                                       .domains = {.items = domain_texts, .count = 1}};
    struct certificate_record got = {.generation = 0};

    place_init(&p);
    assert_int_equal(certificate_save(p.store, &fresh, NULL), ERR_OK);
    assert_int_equal(certificate_load(p.store, "new", &got, NULL), ERR_OK);
    assert_string_equal(got.directory, "");
    assert_string_equal(got.ari_id, "");
    assert_string_equal(got.explanation_url, "");
    assert_int_equal(got.persisted.count, 0);
    certificate_record_done(&got);
    place_done(&p);
}

TEST(names_that_are_none_reach_no_file)
{
    struct place p;
    struct certificate_record record = record_of("../www");
    struct certificate_record got = {.generation = 0};
    struct err err;

    place_init(&p);
    assert_int_equal(certificate_save(p.store, &record, &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "\"../www\""));
    assert_int_equal(certificate_load(p.store, "../www", &got, NULL), ERR_NOT_FOUND);
    record = record_of("www");
    record.domains.count = 0;
    assert_int_equal(certificate_save(p.store, &record, NULL), ERR_INTERNAL);
    place_done(&p);
}

TEST(thousands_of_domains_are_kept_and_more_are_refused)
{
    struct place p;
    struct certificate_record record = record_of("many");
    struct certificate_record got = {.generation = 0};
    struct strlist domains = {NULL, 0};

    place_init(&p);
    for (int i = 0; i < MANY; i++)
        strlist_add_take(&domains, mem_printf("%0200d.example.com", i));
    record.domains = domains;
    assert_int_equal(certificate_save(p.store, &record, NULL), ERR_OK);
    assert_int_equal(certificate_load(p.store, "many", &got, NULL), ERR_OK);
    assert_int_equal(got.domains.count, MANY);
    assert_string_equal(got.domains.items[MANY - 1], domains.items[MANY - 1]);
    certificate_record_done(&got);
    strlist_add(&domains, "one.more.example");
    record.domains = domains;
    assert_int_equal(certificate_save(p.store, &record, NULL), ERR_INTERNAL);
    strlist_done(&domains);
    place_done(&p);
}

TEST(other_files_are_bounded_as_before)
{
    struct place p;
    struct zone_memo memo = {
        .endpoint = (char *)(uintptr_t) "https://api.example", .name = (char *)(uintptr_t) "example.com", .id = 1};

    place_init(&p);
    for (size_t i = 0; i <= CODEC_LIST_MAX; i++)
        strlist_add(&memo.nameservers, "ns.example");
    assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_INTERNAL);
    strlist_done(&memo.nameservers);
    place_done(&p);
}

TEST(all_are_listed_by_name_and_a_damaged_one_does_not_hide_the_others)
{
    struct place p;
    struct certificate_list list = {NULL, 0};
    char *bad;
    char *foreign;

    place_init(&p);
    assert_int_equal(certificate_list(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    certificate_list_done(&list);
    save(&p, "a-b");
    save(&p, "a");
    save(&p, "c");
    bad = at(&p, "b.json");
    foreign = at(&p, "README");
    fixture_write(bad, "{}");
    fixture_write(foreign, "");
    assert_int_equal(certificate_list(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0].name, "a");
    assert_string_equal(list.items[1].name, "a-b");
    assert_string_equal(list.items[2].name, "c");
    assert_false(platform_file_exists(bad));
    assert_true(platform_file_exists(foreign));
    assert_int_equal(fixture_count(p.damaged), 1);
    assert_non_null(strstr(place_logged(&p), "is not renewed until"));
    certificate_list_done(&list);
    certificate_list_done(NULL);
    free(foreign);
    free(bad);
    place_done(&p);
}

TEST(a_record_under_another_name_is_damaged)
{
    struct place p;
    struct certificate_record got = {.generation = 0};
    char *from;
    char *to;

    place_init(&p);
    save(&p, "www");
    from = at(&p, "www.json");
    to = at(&p, "other.json");
    fixture_rename(from, to);
    assert_int_equal(certificate_load(p.store, "other", &got, NULL), ERR_NOT_FOUND);
    assert_int_equal(fixture_count(p.damaged), 1);
    free(from);
    free(to);
    place_done(&p);
}

TEST(a_certificate_with_any_byte_changed_is_read_as_it_was_or_set_aside)
{
    struct place p;
    struct certificate_record want = record_of("www");
    char *path;
    char *text;

    place_init(&p);
    p.log.level = LOG_ERROR;
    save(&p, "www");
    path = at(&p, "www.json");
    text = fixture_read(path);
    for (size_t i = 0; text[i]; i++) {
        struct certificate_record got = {.generation = 0};
        int bit = 1 << i % 7;
        enum err_code rc;

        text[i] = (char)(text[i] ^ bit);
        fixture_write(path, text);
        text[i] = (char)(text[i] ^ bit);
        rc = certificate_load(p.store, "www", &got, NULL);
        assert_true(rc == ERR_OK ? is_same(&got, &want) : rc == ERR_NOT_FOUND);
        assert_int_equal(platform_file_exists(path), rc == ERR_OK);
        certificate_record_done(&got);
    }
    free(text);
    free(path);
    place_done(&p);
}

/* As a later version may write it: ours with another version, and sealed. */
static void make_newer(const char *path)
{
    struct buf text = BUF_INIT(CODEC_FILE_MAX);
    char *good = fixture_read(path);
    json_t *json = NULL;

    assert_int_equal(json_parse(good, strlen(good), "text", &json, NULL), ERR_OK);
    assert_int_equal(json_object_del(json, "checksum"), 0);
    assert_int_equal(json_object_set_new(json, "version", json_integer(CODEC_VERSION + 1)), 0);
    assert_int_equal(checksum_add(json, "text", NULL), ERR_OK);
    json_write(json, &text);
    fixture_write(path, buf_cstr(&text));
    json_decref(json);
    buf_done(&text);
    free(good);
}

TEST(what_a_newer_program_wrote_is_an_error_and_stays)
{
    struct place p;
    struct certificate_record got = {.generation = 0};
    struct certificate_list list = {NULL, 0};
    struct err err;
    char *path;

    place_init(&p);
    save(&p, "www");
    path = at(&p, "www.json");
    make_newer(path);
    assert_int_equal(certificate_load(p.store, "www", &got, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "newer acme-dme"));
    assert_int_equal(certificate_list(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    certificate_list_done(&list);
    assert_true(platform_file_exists(path));
    free(path);
    place_done(&p);
}

TEST(a_store_for_reading_lists_and_changes_nothing)
{
    struct place p;
    struct store *reading = NULL;
    struct certificate_list list = {NULL, 0};
    struct certificate_record record = record_of("www");
    char *bad;

    place_init(&p);
    save(&p, "www");
    bad = at(&p, "bad.json");
    fixture_write(bad, "{}");
    assert_int_equal(store_open_readonly(p.dir, platform_clock(), NULL, &reading, NULL), ERR_OK);
    assert_int_equal(certificate_list(reading, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_true(platform_file_exists(bad));
    assert_int_equal(certificate_save(reading, &record, NULL), ERR_INTERNAL);
    certificate_list_done(&list);
    store_free(reading);
    free(bad);
    place_done(&p);
}

/* ------------------------------------------------------------------ examination and reset */

static void fill(struct place *p)
{
    static char *contacts[] = {(char *)(uintptr_t) "mailto:a@example.com"};
    struct account_record account = {.directory = (char *)(uintptr_t) "https://ca.example/directory",
                                     .contacts = {.items = contacts, .count = 1},
                                     .key_pem = (char *)(uintptr_t) "KEY"};
    struct order_record order = {.name = (char *)(uintptr_t) "www",
                                 .directory = (char *)(uintptr_t) "https://ca.example/directory",
                                 .domains = {.items = domain_texts, .count = 1},
                                 .key_pem = (char *)(uintptr_t) "KEY"};
    const struct certificate_file file = {.name = "cert.pem", .data = "x", .len = 1};
    int64_t generation;

    assert_int_equal(account_record_save(p->store, &account, NULL), ERR_OK);
    assert_int_equal(place_save_order(p->store, &order, NULL), ERR_OK);
    save(p, "www");
    assert_int_equal(
        place_install(p->store, "www", &file, 1, &(struct certificate_access){.key_mode = 0}, &generation, NULL),
        ERR_OK);
}

TEST(an_examination_counts_them_and_sets_damaged_ones_aside)
{
    struct place p;
    struct store_examination found;
    char *bad;

    place_init(&p);
    fill(&p);
    bad = at(&p, "bad.json");
    fixture_write(bad, "{}");
    assert_int_equal(store_examine(p.store, &found, NULL), ERR_OK);
    assert_int_equal(found.accounts, 1);
    assert_int_equal(found.certificates, 1);
    assert_int_equal(found.orders, 1);
    assert_int_equal(found.damaged, 1);
    assert_false(platform_file_exists(bad));
    free(bad);
    place_done(&p);
}

struct reports {
    struct buf text;
    size_t keys;
    size_t unknown;
};

static void note(void *ctx, const struct store_reset_report *report)
{
    static const char *const outcomes[] = {
        [STORE_KEPT] = "kept", [STORE_SET_ASIDE] = "aside", [STORE_DROPPED] = "dropped"};
    struct reports *reports = ctx;

    buf_printf(&reports->text, "%s %s: %s\n", outcomes[report->outcome], report->file, report->why);
    reports->keys += report->item == STORE_ITEM_KEY;
    reports->unknown += report->item == STORE_ITEM_UNKNOWN;
}

TEST(a_reset_keeps_good_records_and_every_key_and_sets_damaged_records_aside)
{
    struct place p;
    struct reports reports = {.text = BUF_INIT(65536)};
    struct certificate_record got = {.generation = 0};
    struct order_record order = {.created_ms = 0};
    struct account_record account = {.created_ms = 0};
    struct buf content = BUF_INIT(100);
    char *bad;

    place_init(&p);
    fill(&p);
    bad = at(&p, "bad.json");
    fixture_write(bad, "{}");
    assert_int_equal(store_reset(p.dir,
                                 &(struct store_reset_opts){
                                     .clock = platform_clock(), .mode = STORE_RESET, .report = note, .ctx = &reports},
                                 NULL),
                     ERR_OK);
    assert_non_null(strstr(buf_cstr(&reports.text), "aside renewal/bad.json: "));
    assert_non_null(strstr(buf_cstr(&reports.text), "kept renewal/www.json: certificate \"www\"\n"));
    assert_non_null(strstr(buf_cstr(&reports.text), "kept orders/www.json: order for \"www\"\n"));
    assert_non_null(strstr(buf_cstr(&reports.text), "kept orders/www.key: "));
    assert_non_null(strstr(buf_cstr(&reports.text), ": account for \"https://ca.example/directory\"\n"));
    assert_non_null(strstr(buf_cstr(&reports.text), "kept archive: "));
    assert_int_equal(reports.keys, 4);
    assert_int_equal(reports.unknown, 0);
    assert_null(strstr(buf_cstr(&reports.text), "dropped"));
    assert_int_equal(certificate_load(p.store, "www", &got, NULL), ERR_OK);
    assert_int_equal(order_load(p.store, "www", &order, NULL), ERR_OK);
    assert_int_equal(account_record_load(p.store, "https://ca.example/directory", &account, NULL), ERR_OK);
    assert_int_equal(certificate_read(p.store, "www", "cert.pem", &content, NULL), ERR_OK);
    certificate_record_done(&got);
    order_record_done(&order);
    account_record_done(&account);
    buf_done(&content);
    buf_done(&reports.text);
    free(bad);
    place_done(&p);
}

TEST(hooks_need_none_of_the_directories)
{
    static const char *const names[] = {"accounts", "renewal", "orders", "archive", "certs"};
    struct place p;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = fixture_path(p.dir, names[i]);

        assert_false(platform_file_exists(path));
        free(path);
    }
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_that_every_file_system_takes),
        cmocka_unit_test(a_certificate_comes_back_as_it_was_saved),
        cmocka_unit_test(one_of_which_nothing_is_known_yet_comes_back_with_empty_texts),
        cmocka_unit_test(names_that_are_none_reach_no_file),
        cmocka_unit_test(thousands_of_domains_are_kept_and_more_are_refused),
        cmocka_unit_test(other_files_are_bounded_as_before),
        cmocka_unit_test(all_are_listed_by_name_and_a_damaged_one_does_not_hide_the_others),
        cmocka_unit_test(a_record_under_another_name_is_damaged),
        cmocka_unit_test(a_certificate_with_any_byte_changed_is_read_as_it_was_or_set_aside),
        cmocka_unit_test(what_a_newer_program_wrote_is_an_error_and_stays),
        cmocka_unit_test(a_store_for_reading_lists_and_changes_nothing),
        cmocka_unit_test(an_examination_counts_them_and_sets_damaged_ones_aside),
        cmocka_unit_test(a_reset_keeps_good_records_and_every_key_and_sets_damaged_records_aside),
        cmocka_unit_test(hooks_need_none_of_the_directories),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
