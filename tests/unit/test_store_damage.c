/* SPDX-License-Identifier: MIT
 *
 * Files of the state directory that a failing disk, a careless hand or a newer program has changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store_place.h"
#include "store/budget.h"
#include "store/internal.h"
#include "store/store.h"
#include "test.h"
#include "util/text.h"

#define ENDPOINT "https://api.dnsmadeeasy.com/V2.0/"
#define VALUE "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"

static void forget_log(struct place *p)
{
    fixture_stream_done(&p->said);
    fixture_stream_open(&p->said);
    p->log.out = p->said.out;
}

static size_t count_text(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

/* An entry whose every member has a value. */
static struct journal_entry entry_of(const char *name)
{
    static const struct journal_entry fixed = {
        .state = JOURNAL_PUBLISHED,
        .account = (char *)(uintptr_t) "production",
        .endpoint = (char *)(uintptr_t)ENDPOINT,
        .zone = (char *)(uintptr_t) "example.com",
        .zone_id = 1234567890123456789,
        .asked_name = (char *)(uintptr_t) "_acme-challenge.www.example.org",
        .value = (char *)(uintptr_t)VALUE,
        .record_id = 1000000000000000001,
        .run_id = (char *)(uintptr_t) "42:4711:0a:0b:0c",
        .created_ms = 1297544344123,
        .published_ms = 1297544345000,
    };
    struct journal_entry entry = fixed;
    struct journal_entry out;

    entry.name = (char *)(uintptr_t)name;
    journal_entry_copy(&out, &entry);
    return out;
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool is_same_entry(const struct journal_entry *a, const struct journal_entry *b)
{
    return a->state == b->state && is_same_text(a->account, b->account) && is_same_text(a->endpoint, b->endpoint) &&
           is_same_text(a->zone, b->zone) && a->zone_id == b->zone_id && is_same_text(a->name, b->name) &&
           is_same_text(a->asked_name, b->asked_name) && is_same_text(a->value, b->value) &&
           a->record_id == b->record_id && is_same_text(a->run_id, b->run_id) && a->created_ms == b->created_ms &&
           a->published_ms == b->published_ms;
}

static void write_bytes(const char *path, const char *data, size_t len)
{
    FILE *file = fixture_open(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void remove_all_in(const char *dir)
{
    struct strlist files = {NULL, 0};

    if (platform_dir_list(dir, &files, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < files.count; i++) {
        char *path = fixture_path(dir, files.items[i]);

        fixture_unlink(path);
        free(path);
    }
    strlist_done(&files);
}

static size_t count_in(const char *dir)
{
    return platform_file_exists(dir) ? fixture_count(dir) : 0;
}

static char *entry_path(const struct place *p, int number)
{
    return mem_printf("%s/%032d.json", p->journal, number);
}

static size_t load_count(struct place *p)
{
    struct journal_list list = {NULL, 0};
    size_t count;

    assert_int_equal(journal_load(p->store, &list, NULL), ERR_OK);
    count = list.count;
    journal_list_done(&list);
    return count;
}

/* The text of a good file, of the version that we write. */
static char *good_text(void)
{
    struct journal_entry entry = entry_of("_acme-challenge.example.com");
    struct buf text = BUF_INIT(CODEC_FILE_MAX);

    assert_int_equal(journal_format(&entry, &text, NULL), ERR_OK);
    journal_entry_done(&entry);
    return buf_take(&text);
}

/* ------------------------------------------------------------------ the essential property */

/* What is at `path` is either read as `want`, or not read and set aside byte for byte. */
static void expect_same_or_set_aside(struct place *p, const char *path, const char *data, size_t len,
                                     const struct journal_entry *want)
{
    struct journal_list list = {NULL, 0};
    struct strlist aside = {NULL, 0};
    char *moved;
    char *content;

    write_bytes(path, data, len);
    assert_int_equal(journal_load(p->store, &list, NULL), ERR_OK);
    if (list.count == 1) {
        assert_true(is_same_entry(&list.items[0], want));
        assert_true(platform_file_exists(path));
        assert_int_equal(count_in(p->damaged), 0);
    } else {
        assert_int_equal(list.count, 0);
        assert_false(platform_file_exists(path));
        assert_int_equal(platform_dir_list(p->damaged, &aside, NULL), ERR_OK);
        assert_int_equal(aside.count, 1);
        moved = fixture_path(p->damaged, aside.items[0]);
        content = fixture_read(moved);
        assert_memory_equal(content, data, len + 1);
        free(content);
        free(moved);
        strlist_done(&aside);
        remove_all_in(p->damaged);
    }
    journal_list_done(&list);
}

TEST(a_journal_file_with_any_byte_changed_is_read_as_it_was_or_set_aside)
{
    struct place p;
    struct journal_entry want = entry_of("_acme-challenge.example.com");
    char *text = good_text();
    size_t len = strlen(text);
    char *path;

    place_init(&p);
    p.log.level = LOG_ERROR;
    path = entry_path(&p, 1);
    for (size_t i = 0; i < len; i++) {
        int bit = 1 << i % 7;

        text[i] = (char)(text[i] ^ bit);
        expect_same_or_set_aside(&p, path, text, len, &want);
        text[i] = (char)(text[i] ^ bit);
    }
    expect_same_or_set_aside(&p, path, text, len, &want);
    assert_true(platform_file_exists(path));
    free(path);
    free(text);
    journal_entry_done(&want);
    place_done(&p);
}

TEST(a_journal_file_with_any_byte_replaced_by_any_other_is_never_read_differently)
{
    struct journal_entry want = entry_of("_acme-challenge.example.com");
    char *text = good_text();
    size_t len = strlen(text);
    size_t same = 0;

    for (size_t i = 0; i < len; i++) {
        char was = text[i];

        for (int byte = 0; byte < 256; byte++) {
            struct journal_entry got = {.id = NULL};
            json_t *json = NULL;
            enum err_code rc;

            text[i] = (char)byte;
            rc = json_parse(text, len, "text", &json, NULL);
            if (rc == ERR_OK)
                rc = journal_parse(json, "text", &got, NULL);
            if (rc == ERR_OK && !is_same_entry(&got, &want))
                fail_msg("byte %zu as %d is believed", i, byte);
            assert_true(rc == ERR_OK || rc == ERR_INPUT);
            same += rc == ERR_OK;
            journal_entry_done(&got);
            json_decref(json);
        }
        text[i] = was;
    }
    /* Each byte as it was, and the newline at the end as other white space. */
    assert_int_equal(same, len + 3);
    free(text);
    journal_entry_done(&want);
}

TEST(a_journal_file_cut_at_any_length_is_read_as_it_was_or_set_aside)
{
    struct place p;
    struct journal_entry want = entry_of("_acme-challenge.example.com");
    char *text = good_text();
    char *path;

    place_init(&p);
    p.log.level = LOG_ERROR;
    path = entry_path(&p, 1);
    for (size_t len = strlen(text); len-- > 0;) {
        text[len] = '\0';
        expect_same_or_set_aside(&p, path, text, len, &want);
    }
    free(path);
    free(text);
    journal_entry_done(&want);
    place_done(&p);
}

TEST(a_changed_digit_of_a_record_id_is_not_believed)
{
    struct place p;
    char *text = good_text();
    char *id = strstr(text, "1000000000000000001");
    char *path;

    place_init(&p);
    path = entry_path(&p, 1);
    assert_non_null(id);
    id[0] = '7';
    fixture_write(path, text);
    assert_int_equal(load_count(&p), 0);
    assert_non_null(strstr(place_logged(&p), "its checksum is wrong"));
    free(path);
    free(text);
    place_done(&p);
}

/* ------------------------------------------------------------------ versions */

#define MEMBERS                                                                                                        \
    "\"account\":\"production\",\"endpoint\":\"" ENDPOINT "\",\"zone\":\"example.com\","                               \
    "\"zone_id\":1234567890123456789,\"name\":\"_acme-challenge.example.com\","                                        \
    "\"asked_name\":\"_acme-challenge.www.example.org\",\"value\":\"" VALUE "\","                                      \
    "\"record_id\":1000000000000000001,\"run_id\":\"42:4711:0a:0b:0c\",\"created_ms\":1297544344123,"                  \
    "\"published_ms\":1297544345000,\"state\":\"published\"}"

TEST(a_file_without_checksum_of_version_1_is_read_and_becomes_one_of_version_2_when_it_is_written)
{
    struct place p;
    struct journal_list list = {NULL, 0};
    char *path;
    char *text;

    place_init(&p);
    path = entry_path(&p, 1);
    fixture_write(path, "{\"version\":1," MEMBERS "\n");
    assert_int_equal(journal_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_string_equal(place_logged(&p), "");
    assert_int_equal(place_update(p.store, &list.items[0], NULL), ERR_OK);
    text = fixture_read(path);
    assert_non_null(strstr(text, "\"version\":2"));
    assert_non_null(strstr(text, "\"checksum\":\""));
    journal_list_done(&list);
    assert_int_equal(load_count(&p), 1);
    free(text);
    free(path);
    place_done(&p);
}

/* Computed by hand: sha256sum of the compact text with sorted keys. */
TEST(the_checksum_is_that_of_the_text_with_sorted_keys)
{
    static const char input[] = "{\"b\":[1,\"\xc3\xa4/\"],\"a\":\"\\u0041\"}";
    json_t *json = NULL;
    struct buf text = BUF_INIT(1000);

    assert_int_equal(json_parse(input, strlen(input), "text", &json, NULL), ERR_OK);
    assert_int_equal(checksum_add(json, "text", NULL), ERR_OK);
    json_write_sorted(json, &text);
    assert_string_equal(buf_cstr(&text), "{\"a\":\"A\",\"b\":[1,\"\xc3\xa4/\"],\"checksum\":\"44aa021bcf00d725\"}");
    assert_int_equal(checksum_verify(json, "text", NULL), ERR_OK);
    buf_done(&text);
    json_decref(json);
}

/* A document that a later version may write: ours with another version, and sealed. */
static char *newer_text(void)
{
    struct buf text = BUF_INIT(CODEC_FILE_MAX);
    char *good = good_text();
    json_t *json = NULL;

    assert_int_equal(json_parse(good, strlen(good), "text", &json, NULL), ERR_OK);
    assert_int_equal(json_object_del(json, "checksum"), 0);
    assert_int_equal(json_object_set_new(json, "version", json_integer(CODEC_VERSION + 1)), 0);
    assert_int_equal(checksum_add(json, "text", NULL), ERR_OK);
    json_write(json, &text);
    json_decref(json);
    free(good);
    return buf_take(&text);
}

TEST(what_a_newer_program_wrote_is_left_alone_and_reported_once)
{
    struct place p;
    char *text = newer_text();

    place_init(&p);
    for (int i = 0; i < 3; i++) {
        char *path = entry_path(&p, i);

        fixture_write(path, text);
        free(path);
    }
    assert_int_equal(load_count(&p), 0);
    assert_int_equal(load_count(&p), 0);
    assert_int_equal(fixture_count(p.journal), 3);
    assert_int_equal(count_in(p.damaged), 0);
    assert_int_equal(count_text(place_logged(&p), "was written by a newer acme-dme"), 1);
    free(text);
    place_done(&p);
}

TEST(a_version_that_is_newer_by_a_flipped_bit_is_damaged)
{
    struct place p;
    char *text = good_text();
    char *version = strstr(text, "\"version\":2");
    char *path;

    place_init(&p);
    path = entry_path(&p, 1);
    assert_non_null(version);
    version[strlen("\"version\":")] = '3';
    fixture_write(path, text);
    assert_int_equal(load_count(&p), 0);
    assert_int_equal(count_in(p.damaged), 1);
    free(path);
    free(text);
    place_done(&p);
}

/* ------------------------------------------------------------------ what is said */

static void expect_said(const char *text, const char *want)
{
    struct place p;
    char *path;

    place_init(&p);
    path = entry_path(&p, 1);
    fixture_write(path, text);
    assert_int_equal(load_count(&p), 0);
    if (!strstr(place_logged(&p), want))
        fail_msg("not said: %s\nbut: %s", want, place_logged(&p));
    assert_int_equal(count_text(place_logged(&p), "warning: "), 1);
    assert_int_equal(count_text(place_logged(&p), "\n"), 1);
    assert_non_null(strstr(place_logged(&p), path));
    assert_non_null(strstr(place_logged(&p), p.damaged));
    free(path);
    place_done(&p);
}

TEST(the_warning_names_what_may_remain_as_far_as_it_can_be_read)
{
    char *long_name = mem_calloc(400, 1);
    char *text;

    memset(long_name, 'x', 300);
    expect_said(
        "{\"version\":2,\"checksum\":\"0\",\"zone\":\"example.com\",\"name\":\"_acme-challenge.www.example.com\"}",
        "a TXT record of ours may remain at DNS Made Easy at \"_acme-challenge.www.example.com\": run "
        "\"acme-dme check www.example.com\"");
    expect_said("{\"version\":1,\"asked_name\":\"_acme-challenge.a.example\",\"name\":\"b.example\",\"val",
                "may remain at DNS Made Easy at \"b.example\": run \"acme-dme check b.example\"");
    expect_said("{\"version\":1,\"zone\":\"example.com\",\"name\":\"_acme-challenge.www.exam",
                "may remain at DNS Made Easy in zone \"example.com\": run \"acme-dme check example.com\"");
    expect_said("", "is empty; it was set aside");
    expect_said("\x01\x02\x03", "may remain at DNS Made Easy: run \"acme-dme check DOMAIN\"");
    /* Nothing that could be taken for something else is shown. */
    expect_said("\"name\":\"a b; rm -rf /\"", "run \"acme-dme check DOMAIN\"");
    expect_said("\"name\":\"$(reboot).example\"", "run \"acme-dme check DOMAIN\"");
    expect_said("\"name\":\"-rf", "run \"acme-dme check DOMAIN\"");
    expect_said("\"name\" : \n\"a.example\"", "run \"acme-dme check a.example\"");
    expect_said("\"name\"", "run \"acme-dme check DOMAIN\"");
    expect_said("\"name\":\"x\\u0022", "run \"acme-dme check DOMAIN\"");
    text = mem_printf("\"name\":\"%s\"", long_name);
    expect_said(text, "run \"acme-dme check DOMAIN\"");
    free(text);
    free(long_name);
}

/* ------------------------------------------------------------------ what is no file */

TEST(directories_links_and_devices_in_place_of_files_are_set_aside)
{
    struct place p;
    char *good = good_text();
    char *elsewhere;
    char *large = mem_calloc(CODEC_FILE_MAX + 2, 1);
    char *paths[6];
    char *inner;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    memset(large, ' ', CODEC_FILE_MAX + 1);
    elsewhere = fixture_path(p.dir, "elsewhere.json");
    fixture_write(elsewhere, good);
    for (int i = 0; i < 6; i++)
        paths[i] = entry_path(&p, i);
    fixture_mkdir(paths[0], 0700);
    inner = fixture_path(paths[0], "content");
    fixture_write(inner, "kept");
    fixture_symlink(elsewhere, paths[1]);
    fixture_symlink("/does/not/exist", paths[2]);
    fixture_symlink("loop", paths[3]);
    fixture_fifo(paths[4]);
    fixture_write(paths[5], large);
    assert_int_equal(load_count(&p), 0);
    assert_int_equal(fixture_count(p.journal), 0);
    assert_int_equal(fixture_count(p.damaged), 6);
    assert_int_equal(count_text(place_logged(&p), "is not a regular file"), 5);
    assert_int_equal(count_text(place_logged(&p), "it is larger than"), 1);
    assert_true(platform_file_exists(elsewhere));
    free(inner);
    for (int i = 0; i < 6; i++)
        free(paths[i]);
    free(large);
    free(elsewhere);
    free(good);
    place_done(&p);
}

TEST(foreign_files_are_left_alone)
{
    static const char *const names[] = {"README", "notes.json", "0123456789abcdef0123456789abcdef.json.bak",
                                        "0123456789abcdef0123456789abcdeX.json", ".0123456789abcdef0123456789abcdef"};
    struct place p;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = fixture_path(p.journal, names[i]);

        fixture_write(path, "{");
        free(path);
    }
    assert_int_equal(load_count(&p), 0);
    assert_int_equal(fixture_count(p.journal), ARRAY_LEN(names));
    assert_int_equal(count_in(p.damaged), 0);
    assert_string_equal(place_logged(&p), "");
    place_done(&p);
}

/* ------------------------------------------------------------------ what can't be read, or not be moved */

static int load_unreadable(void *context)
{
    char *dir = fixture_path(context, "state");
    char *journal = fixture_path(dir, "journal");
    char *damaged = fixture_path(dir, "damaged");
    char *path = fixture_path(journal, "0123456789abcdef0123456789abcdef.json");
    struct fixture_stream said;
    struct log log = {.level = LOG_WARNING};
    struct journal_list list = {NULL, 0};
    struct store_examination found;
    struct store *store;
    struct err err;

    fixture_mkdir(dir, 0700);
    if (fixture_has(FIXTURE_OWNERS))
        fixture_chown(dir, 65534, 65534);
    CHILD_CHECK(fixture_drop_root());
    fixture_stream_open(&said);
    log.out = said.out;
    CHILD_CHECK(store_open(dir, platform_clock(), &log, &store, &err) == ERR_OK);
    fixture_write(path, "{");
    fixture_chmod(path, 0);
    for (int i = 0; i < 2; i++) {
        CHILD_CHECK(journal_load(store, &list, &err) == ERR_OK && list.count == 0);
        journal_list_done(&list);
    }
    CHILD_CHECK(platform_file_exists(path) && !platform_file_exists(damaged));
    CHILD_CHECK(count_text(fixture_stream_text(&said), "Permission denied") == 1);
    CHILD_CHECK(store_examine(store, &found, &err) == ERR_IO && strstr(err.msg, "Permission denied"));
    fixture_stream_done(&said);
    store_free(store);
    free(path);
    free(damaged);
    free(journal);
    free(dir);
    return CHILD_OK;
}

TEST(what_can_not_be_read_now_is_not_damaged)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_chmod(dir, 0777);
    fixture_in_child(load_unreadable, dir);
    fixture_dir_free(dir);
}

TEST(what_can_not_be_moved_is_reported_once_and_hides_no_other)
{
    struct place p;
    struct journal_entry entry = entry_of("_acme-challenge.example.com");
    char *path;

    place_init(&p);
    path = entry_path(&p, 1);
    fixture_write(p.damaged, "a file where the directory should be");
    fixture_write(path, "{");
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    assert_int_equal(load_count(&p), 1);
    assert_int_equal(load_count(&p), 1);
    assert_true(platform_file_exists(path));
    assert_int_equal(count_text(place_logged(&p), "it could not be set aside"), 1);
    free(path);
    journal_entry_done(&entry);
    place_done(&p);
}

static int load_read_only(void *context)
{
    const char *dir = context;
    struct journal_list list = {NULL, 0};
    struct journal_entry entry = entry_of("_acme-challenge.example.com");
    char *bad = mem_printf("%s/journal/%032d.json", dir, 1);
    struct store *store;
    struct err err;

    if (!fixture_mount(dir, "size=1m,mode=700"))
        return CHILD_CANNOT;
    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, &err) == ERR_OK);
    CHILD_CHECK(place_add(store, &entry, &err) == ERR_OK);
    fixture_write(bad, "{");
    CHILD_CHECK(fixture_remount_read_only(dir));
    CHILD_CHECK(journal_load(store, &list, &err) == ERR_OK && list.count == 1);
    CHILD_CHECK(platform_file_exists(bad));
    journal_list_done(&list);
    journal_entry_done(&entry);
    store_free(store);
    free(bad);
    return CHILD_OK;
}

TEST(on_a_disk_that_became_read_only_the_good_entries_are_still_read)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_in_child(load_read_only, dir);
    fixture_dir_free(dir);
}

TEST(files_set_aside_under_one_name_in_one_second_all_stay)
{
    struct place p;
    struct strlist files = {NULL, 0};
    char *path;

    place_init(&p);
    path = entry_path(&p, 1);
    for (int i = 0; i < 5; i++) {
        char *content = mem_printf("damage %d", i);

        fixture_write(path, content);
        assert_int_equal(load_count(&p), 0);
        free(content);
    }
    assert_int_equal(platform_dir_list(p.damaged, &files, NULL), ERR_OK);
    assert_int_equal(files.count, 5);
    for (size_t i = 0; i < files.count; i++) {
        const char *name = files.items[i];

        assert_int_equal(strspn(name, "0123456789"), 8);
        assert_int_equal(name[8], 'T');
        assert_true(text_starts_with(name + 15, "Z-journal-0000000000000000000000000000000"));
    }
    strlist_done(&files);
    free(path);
    place_done(&p);
}

/* ------------------------------------------------------------------ at once */

#define PROCESSES 8
#define FILES 100

static int load_and_log(const char *dir)
{
    char *path = mem_printf("%s/log-%ld", dir, platform_process_id());
    struct log log = {.level = LOG_WARNING, .out = fixture_open(path, "w")};
    struct journal_list list = {NULL, 0};
    struct store *store;

    CHILD_CHECK(log.out && store_open(dir, platform_clock(), &log, &store, NULL) == ERR_OK);
    CHILD_CHECK(journal_load(store, &list, NULL) == ERR_OK && list.count == 1);
    journal_list_done(&list);
    (void)fclose(log.out);
    store_free(store);
    free(path);
    return CHILD_OK;
}

TEST(eight_processes_meet_the_same_damage_and_each_file_is_set_aside_and_reported_once)
{
    struct place p;
    struct strlist files = {NULL, 0};
    struct journal_entry entry = entry_of("_acme-challenge.example.com");
    size_t told = 0;

    place_init(&p);
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    for (int i = 0; i < FILES; i++) {
        char *path = entry_path(&p, i);

        fixture_write(path, "{");
        free(path);
    }
    fixture_in_processes(PROCESSES, load_and_log, p.dir);
    assert_int_equal(fixture_count(p.journal), 1);
    assert_int_equal(fixture_count(p.damaged), FILES);
    assert_int_equal(platform_dir_list(p.dir, &files, NULL), ERR_OK);
    for (size_t i = 0; i < files.count; i++)
        if (text_starts_with(files.items[i], "log-")) {
            char *path = fixture_path(p.dir, files.items[i]);
            char *text = fixture_read(path);

            assert_int_equal(count_text(text, "\n"), count_text(text, "it was set aside"));
            told += count_text(text, "\n");
            free(text);
            free(path);
        }
    assert_int_equal(told, FILES);
    strlist_done(&files);
    journal_entry_done(&entry);
    place_done(&p);
}

#define ROUNDS 200

/* The first process writes the entry damaged and whole in turn; the others load, and set aside what they find. */
static int write_or_load(const char *dir)
{
    char *turn = fixture_path(dir, "turn");
    char *path = mem_printf("%s/journal/%032d.json", dir, 1);
    char *bad = fixture_path(dir, "bad");
    struct log log = {.level = LOG_ERROR, .out = stderr};
    struct journal_entry entry = entry_of("_acme-challenge.example.com");
    bool is_writer = platform_file_create(turn, "", 0, NULL) == ERR_OK;
    struct store *store;

    CHILD_CHECK(store_open(dir, platform_clock(), &log, &store, NULL) == ERR_OK);
    entry.id = mem_printf("%032d", 1);
    for (int i = 0; i < ROUNDS; i++) {
        struct journal_list list = {NULL, 0};

        if (is_writer) {
            write_bytes(bad, "{", 1);
            fixture_rename(bad, path);
            CHILD_CHECK(place_update(store, &entry, NULL) == ERR_OK);
        } else {
            CHILD_CHECK(journal_load(store, &list, NULL) == ERR_OK && list.count <= 1);
        }
        journal_list_done(&list);
    }
    store_free(store);
    journal_entry_done(&entry);
    free(bad);
    free(path);
    free(turn);
    return CHILD_OK;
}

TEST(an_entry_that_is_written_anew_while_others_set_it_aside_is_not_lost)
{
    struct place p;

    place_init(&p);
    p.log.level = LOG_ERROR;
    fixture_in_processes(4, write_or_load, p.dir);
    assert_int_equal(load_count(&p), 1);
    assert_int_equal(fixture_count(p.journal), 1);
    place_done(&p);
}

/* The same, step by step: another process wrote the entry between our look at it and the move. */
TEST(what_is_whole_after_the_move_goes_back_where_it_was)
{
    struct place p;
    struct journal_entry entry = entry_of("_acme-challenge.example.com");
    struct err err;
    char *file;
    char *as = NULL;
    char *consequence = NULL;

    place_init(&p);
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    file = mem_printf("%s.json", entry.id);
    assert_int_equal(damage_set_aside(p.store, &journal_part, file, &as, &consequence, &err), ERR_NOT_FOUND);
    assert_int_equal(fixture_count(p.damaged), 0);
    assert_int_equal(load_count(&p), 1);
    assert_int_equal(journal_remove(p.store, entry.id, NULL), ERR_OK);
    assert_int_equal(damage_set_aside(p.store, &journal_part, file, &as, &consequence, &err), ERR_NOT_FOUND);
    assert_null(as);
    assert_null(consequence);
    free(file);
    journal_entry_done(&entry);
    place_done(&p);
}

/* A check during which another process writes the file once more; `path` is that in damaged/. */
static enum err_code check_while_another_writes(const char *path, const char *file, UNUSED int64_t *out_at_ms,
                                                UNUSED char **out_what, UNUSED struct err *err)
{
    char *dir = mem_strndup(path, (size_t)(strstr(path, "/damaged/") - path));
    char *again = mem_printf("%s/journal/%s", dir, file);

    fixture_write(again, "newer");
    free(again);
    free(dir);
    return ERR_OK;
}

TEST(what_was_written_once_more_meanwhile_is_the_one_that_stays)
{
    struct place p;
    struct store_part part = journal_part;
    struct err err;
    char *path;
    char *text;
    char *as = NULL;
    char *consequence = NULL;

    part.check = check_while_another_writes;
    place_init(&p);
    path = fixture_path(p.journal, "file.json");
    fixture_write(path, "older");
    assert_int_equal(damage_set_aside(p.store, &part, "file.json", &as, &consequence, &err), ERR_NOT_FOUND);
    text = fixture_read(path);
    assert_string_equal(text, "newer");
    assert_int_equal(fixture_count(p.damaged), 0);
    free(text);
    free(path);
    place_done(&p);
}

/* ------------------------------------------------------------------ zones, results and counts */

static struct zone_memo memo_of(const char *zone)
{
    struct zone_memo memo = {.endpoint = mem_strdup(ENDPOINT),
                             .account = mem_strdup("production"),
                             .key_id = mem_strdup("1a2b3c4d"),
                             .name = mem_strdup(zone),
                             .id = 4711,
                             .seen_ms = 1297544344123};

    strlist_add(&memo.nameservers, "ns10.dnsmadeeasy.com 208.94.148.4");
    return memo;
}

static void damage_file(const char *path, size_t i, int bit)
{
    char *text = fixture_read(path);

    text[i] = (char)(text[i] ^ (1 << bit));
    write_bytes(path, text, strlen(text));
    free(text);
}

TEST(a_remembered_zone_with_any_byte_changed_is_believed_only_if_nothing_changed)
{
    struct place p;
    char *path;
    char *text;
    struct zone_memo memo = memo_of("example.com");

    place_init(&p);
    p.log.level = LOG_ERROR;
    assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_OK);
    path = place_only_file(&p, "zones");
    text = fixture_read(path);
    for (size_t i = 0; i < strlen(text); i++) {
        struct zone_memo found = {.id = 0};

        damage_file(path, i, (int)(i % 7));
        if (zone_memo_find(p.store, ENDPOINT, "production", "1a2b3c4d", "example.com", NULL, &found, NULL) == ERR_OK) {
            assert_int_equal(found.id, 4711);
            assert_int_equal(found.seen_ms, 1297544344123);
            assert_string_equal(found.nameservers.items[0], "ns10.dnsmadeeasy.com 208.94.148.4");
        } else {
            assert_false(platform_file_exists(path));
            assert_int_equal(fixture_count(p.damaged), 1);
            remove_all_in(p.damaged);
        }
        zone_memo_done(&found);
        fixture_write(path, text);
    }
    free(text);
    free(path);
    zone_memo_done(&memo);
    place_done(&p);
}

TEST(a_damaged_memo_is_set_aside_once_and_the_zone_remembered_anew)
{
    struct place p;
    struct zone_memo memo = memo_of("example.com");
    struct zone_memo found = {.id = 0};
    char *path;

    place_init(&p);
    assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_OK);
    path = place_only_file(&p, "zones");
    fixture_write(path, "");
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            zone_memo_find(p.store, ENDPOINT, "production", "1a2b3c4d", "x.example.com", NULL, &found, NULL),
            ERR_NOT_FOUND);
    assert_int_equal(fixture_count(p.damaged), 1);
    assert_int_equal(count_text(place_logged(&p), "\n"), 1);
    assert_non_null(strstr(place_logged(&p), "warning: zones: damaged: "));
    assert_non_null(strstr(place_logged(&p), "; the zone is looked up again, continuing"));
    assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_OK);
    assert_int_equal(zone_memo_find(p.store, ENDPOINT, "production", "1a2b3c4d", "x.example.com", NULL, &found, NULL),
                     ERR_OK);
    zone_memo_done(&found);
    free(path);
    zone_memo_done(&memo);
    place_done(&p);
}

static char *sealed_newer(const char *path)
{
    struct buf text = BUF_INIT(CODEC_FILE_MAX);
    char *good = fixture_read(path);
    json_t *json = NULL;

    assert_int_equal(json_parse(good, strlen(good), "text", &json, NULL), ERR_OK);
    assert_int_equal(json_object_del(json, "checksum"), 0);
    assert_int_equal(json_object_set_new(json, "version", json_integer(99)), 0);
    assert_int_equal(checksum_add(json, "text", NULL), ERR_OK);
    json_write(json, &text);
    json_decref(json);
    free(good);
    return buf_take(&text);
}

TEST(zones_and_results_of_a_newer_program_are_neither_used_nor_overwritten)
{
    struct place p;
    struct zone_memo memo = memo_of("example.com");
    struct zone_memo found = {.id = 0};
    struct result result = {
        .name = (char *)(uintptr_t) "example.com", .action = (char *)(uintptr_t) "publish", .at_ms = 1};
    struct result_list list = {NULL, 0};

    place_init(&p);
    for (int i = 0; i < 2; i++) {
        char *path;
        char *newer;
        char *after;

        if (i == 0)
            assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_OK);
        else
            assert_int_equal(result_note(p.store, &result, NULL), ERR_OK);
        path = place_only_file(&p, i == 0 ? "zones" : "results");
        newer = sealed_newer(path);
        fixture_write(path, newer);
        assert_int_equal(zone_memo_save(p.store, &memo, NULL), ERR_OK);
        if (i == 1)
            assert_int_equal(result_note(p.store, &result, NULL), ERR_OK);
        after = fixture_read(path);
        assert_string_equal(after, newer);
        free(after);
        free(newer);
        free(path);
    }
    assert_int_equal(zone_memo_find(p.store, ENDPOINT, "production", "1a2b3c4d", "example.com", NULL, &found, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(result_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(count_in(p.damaged), 0);
    assert_int_equal(count_text(place_logged(&p), "\n"), 1);
    result_list_done(&list);
    zone_memo_done(&memo);
    place_done(&p);
}

TEST(a_count_of_a_newer_program_is_neither_used_nor_overwritten)
{
    struct place p;
    struct budget_record record;
    struct budget_file *file = NULL;
    char *path;
    char *newer;
    char *after;

    place_init(&p);
    assert_int_equal(budget_open(p.store, ENDPOINT, "1a2b3c4d", &file, &record, NULL), ERR_OK);
    assert_int_equal(budget_close(file, &record, NULL), ERR_OK);
    path = place_only_file(&p, "budget");
    newer = sealed_newer(path);
    fixture_write(path, newer);
    for (int i = 0; i < 2; i++)
        assert_int_equal(budget_open(p.store, ENDPOINT, "1a2b3c4d", &file, &record, NULL), ERR_DECLINED);
    after = fixture_read(path);
    assert_string_equal(after, newer);
    assert_int_equal(count_in(p.damaged), 0);
    assert_int_equal(count_text(place_logged(&p), "\n"), 1);
    free(after);
    free(newer);
    free(path);
    place_done(&p);
}

TEST(a_damaged_result_is_set_aside_and_begun_anew)
{
    struct place p;
    struct result result = {.name = (char *)(uintptr_t) "example.com",
                            .action = (char *)(uintptr_t) "publish",
                            .code = ERR_AUTH,
                            .at_ms = 1};
    struct result_list list = {NULL, 0};
    char *path;

    place_init(&p);
    result.error = (char *)(uintptr_t) "no";
    for (int i = 0; i < 3; i++)
        assert_int_equal(result_note(p.store, &result, NULL), ERR_OK);
    path = place_only_file(&p, "results");
    damage_file(path, 20, 0);
    assert_int_equal(result_note(p.store, &result, NULL), ERR_OK);
    assert_int_equal(count_in(p.damaged), 1);
    assert_int_equal(result_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].failures, 1);
    result_list_done(&list);
    damage_file(path, 20, 0);
    assert_int_equal(result_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(count_in(p.damaged), 2);
    result_list_done(&list);
    free(path);
    place_done(&p);
}

TEST(a_result_under_the_name_of_another_is_not_believed)
{
    struct place p;
    struct result result = {
        .name = (char *)(uintptr_t) "example.com", .action = (char *)(uintptr_t) "publish", .at_ms = 1};
    struct result_list list = {NULL, 0};
    char *path;
    char *text;
    char *copy;

    place_init(&p);
    assert_int_equal(result_note(p.store, &result, NULL), ERR_OK);
    path = place_only_file(&p, "results");
    text = fixture_read(path);
    copy = fixture_path(p.results, "example.com-0123456789abcdef.json");
    fixture_write(copy, text);
    assert_int_equal(result_load(p.store, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_false(platform_file_exists(copy));
    assert_true(platform_file_exists(path));
    assert_non_null(strstr(place_logged(&p), "it belongs into a file named"));
    result_list_done(&list);
    free(copy);
    free(text);
    free(path);
    place_done(&p);
}

/* ------------------------------------------------------------------ looking only */

TEST(a_store_that_is_read_only_counts_damage_and_moves_nothing)
{
    struct place p;
    struct store *reader;
    struct store_examination found;
    struct result result = {
        .name = (char *)(uintptr_t) "example.com", .action = (char *)(uintptr_t) "publish", .at_ms = 1};
    struct result_list list = {NULL, 0};
    struct journal_entry entry = entry_of("_acme-challenge.example.com");
    char *bad;
    char *bad_result;

    place_init(&p);
    bad = entry_path(&p, 1);
    bad_result = mem_printf("%s/results/x-0123456789abcdef.json", p.dir);
    assert_int_equal(place_add(p.store, &entry, NULL), ERR_OK);
    assert_int_equal(result_note(p.store, &result, NULL), ERR_OK);
    fixture_write(bad, "{");
    fixture_write(bad_result, "{");
    assert_int_equal(store_open_readonly(p.dir, platform_clock(), &p.log, &reader, NULL), ERR_OK);
    assert_int_equal(result_load(reader, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    result_list_done(&list);
    assert_int_equal(store_examine(reader, &found, NULL), ERR_OK);
    assert_int_equal(found.journal_entries, 1);
    assert_int_equal(found.journal_oldest_ms, 1297544344123);
    assert_int_equal(found.results, 1);
    assert_int_equal(found.zones, 0);
    assert_int_equal(found.damaged, 2);
    assert_true(found.free_bytes > 0);
    assert_true(platform_file_exists(bad) && platform_file_exists(bad_result));
    assert_false(platform_file_exists(p.damaged));
    assert_string_equal(place_logged(&p), "");
    assert_int_equal(result_note(reader, &result, NULL), ERR_INTERNAL);
    store_free(reader);

    assert_int_equal(store_examine(p.store, &found, NULL), ERR_OK);
    assert_int_equal(found.journal_entries, 1);
    assert_int_equal(found.damaged, 2);
    assert_int_equal(fixture_count(p.damaged), 2);
    assert_int_equal(fixture_count(p.journal), 1);
    free(bad_result);
    free(bad);
    journal_entry_done(&entry);
    forget_log(&p);
    place_done(&p);
}

static int examine_full_disk(void *context)
{
    const char *dir = context;
    char *filler = fixture_path(dir, "filler");
    struct store_examination found;
    struct store *store;
    struct err err;
    char block[4096] = {0};
    FILE *file;

    if (!fixture_mount(dir, "size=64k,mode=700"))
        return CHILD_CANNOT;
    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, &err) == ERR_OK);
    CHILD_CHECK(store_examine(store, &found, &err) == ERR_OK);
    CHILD_CHECK(found.free_bytes > 0 && found.free_bytes <= 65536);
    file = fixture_open(filler, "w");
    while (fwrite(block, 1, sizeof block, file) == sizeof block && fflush(file) == 0)
        ;
    (void)fclose(file);
    CHILD_CHECK(store_examine(store, &found, &err) == ERR_IO && strstr(err.msg, "No space left"));
    fixture_unlink(filler);
    CHILD_CHECK(store_examine(store, &found, &err) == ERR_OK);
    CHILD_CHECK(fixture_remount_read_only(dir));
    CHILD_CHECK(store_examine(store, &found, &err) == ERR_IO && strstr(err.msg, "Read-only"));
    store_free(store);
    free(filler);
    return CHILD_OK;
}

TEST(an_examination_finds_a_full_and_a_read_only_disk)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_in_child(examine_full_disk, dir);
    fixture_dir_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_file_with_any_byte_changed_is_read_as_it_was_or_set_aside),
        cmocka_unit_test(a_journal_file_with_any_byte_replaced_by_any_other_is_never_read_differently),
        cmocka_unit_test(a_journal_file_cut_at_any_length_is_read_as_it_was_or_set_aside),
        cmocka_unit_test(a_changed_digit_of_a_record_id_is_not_believed),
        cmocka_unit_test(a_file_without_checksum_of_version_1_is_read_and_becomes_one_of_version_2_when_it_is_written),
        cmocka_unit_test(the_checksum_is_that_of_the_text_with_sorted_keys),
        cmocka_unit_test(what_a_newer_program_wrote_is_left_alone_and_reported_once),
        cmocka_unit_test(a_version_that_is_newer_by_a_flipped_bit_is_damaged),
        cmocka_unit_test(the_warning_names_what_may_remain_as_far_as_it_can_be_read),
        cmocka_unit_test(directories_links_and_devices_in_place_of_files_are_set_aside),
        cmocka_unit_test(foreign_files_are_left_alone),
        cmocka_unit_test(what_can_not_be_read_now_is_not_damaged),
        cmocka_unit_test(what_can_not_be_moved_is_reported_once_and_hides_no_other),
        cmocka_unit_test(on_a_disk_that_became_read_only_the_good_entries_are_still_read),
        cmocka_unit_test(files_set_aside_under_one_name_in_one_second_all_stay),
        cmocka_unit_test(eight_processes_meet_the_same_damage_and_each_file_is_set_aside_and_reported_once),
        cmocka_unit_test(an_entry_that_is_written_anew_while_others_set_it_aside_is_not_lost),
        cmocka_unit_test(what_is_whole_after_the_move_goes_back_where_it_was),
        cmocka_unit_test(what_was_written_once_more_meanwhile_is_the_one_that_stays),
        cmocka_unit_test(a_remembered_zone_with_any_byte_changed_is_believed_only_if_nothing_changed),
        cmocka_unit_test(a_damaged_memo_is_set_aside_once_and_the_zone_remembered_anew),
        cmocka_unit_test(zones_and_results_of_a_newer_program_are_neither_used_nor_overwritten),
        cmocka_unit_test(a_count_of_a_newer_program_is_neither_used_nor_overwritten),
        cmocka_unit_test(a_damaged_result_is_set_aside_and_begun_anew),
        cmocka_unit_test(a_result_under_the_name_of_another_is_not_believed),
        cmocka_unit_test(a_store_that_is_read_only_counts_damage_and_moves_nothing),
        cmocka_unit_test(an_examination_finds_a_full_and_a_read_only_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
