/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store/certs.h"
#include "store_place.h"
#include "test.h"
#include "util/text.h"

#define OTHER_ID 65534
#define OTHER_TEXT "65534"
#define SWITCHES 300
#define KILLS 40
#define PADDING 20000 /* so that writing takes a while */

static const struct certificate_access ours = {.key_mode = 0};

/* Certificate and key hold the same number. */
struct content {
    char *cert;
    char *key;
    struct certificate_file files[2];
};

static void content_init(struct content *c, int number)
{
    c->cert = mem_printf("%06d%*s", number, PADDING, "");
    c->key = mem_printf("%06d%*s", number, PADDING, "");
    c->files[0] = (struct certificate_file){
        .name = "cert.pem", .data = c->cert, .len = strlen(c->cert), .kind = CERTIFICATE_FILE_PUBLIC};
    c->files[1] = (struct certificate_file){
        .name = "privkey.pem", .data = c->key, .len = strlen(c->key), .kind = CERTIFICATE_FILE_SECRET};
}

static void content_done(struct content *c)
{
    free(c->cert);
    free(c->key);
}

static enum err_code install_as(struct store *store, int number, const struct certificate_access *access, int64_t *out,
                                struct err *err)
{
    struct content c;
    enum err_code rc;

    content_init(&c, number);
    rc = place_install(store, "www", c.files, ARRAY_LEN(c.files), access, out, err);
    content_done(&c);
    return rc;
}

static int64_t install(struct place *p, int number)
{
    int64_t generation = 0;
    struct err err;

    if (install_as(p->store, number, &ours, &generation, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return generation;
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

static size_t count_in(const struct place *p, const char *name)
{
    char *path = at(p, name);
    size_t count = fixture_count(path);

    free(path);
    return count;
}

static void expect_mode(const struct place *p, const char *file, unsigned mode)
{
    char AUTO_FREE *path = at(p, file);

    fixture_expect_mode(path, mode);
}

static void expect_link(const struct place *p, const char *want)
{
    char *path = at(p, "certs/www");
    char *target = NULL;

    assert_int_equal(platform_link_read(path, &target, NULL), ERR_OK);
    assert_string_equal(target, want);
    free(target);
    free(path);
}

/* The number that a file begins with; -1 when it is not whole. */
static int number_of(const char *text)
{
    return text && strlen(text) == PADDING + 6 ? (int)strtol(text, NULL, 10) : -1;
}

/* What certs/www leads to is whole and of one piece; -1 otherwise. */
static int current_number(const char *dir)
{
    char AUTO_FREE *path = fixture_path(dir, "certs/www");
    char AUTO_FREE *cert = NULL;
    char AUTO_FREE *key = NULL;

    fixture_read_together(path, "cert.pem", &cert, "privkey.pem", &key);
    return number_of(cert) == number_of(key) ? number_of(cert) : -1;
}

/* ------------------------------------------------------------------ installing */

TEST(generations_are_numbered_and_the_link_leads_to_the_newest)
{
    struct place p;
    struct buf text = BUF_INIT(2 * PADDING);
    char *dir;
    char *want;

    place_init(&p);
    assert_int_equal(install(&p, 1), 1);
    expect_link(&p, "../archive/www/00000001");
    assert_int_equal(install(&p, 2), 2);
    expect_link(&p, "../archive/www/00000002");
    assert_int_equal(current_number(p.dir), 2);
    assert_int_equal(count_in(&p, "archive/www"), 2);
    assert_int_equal(count_in(&p, "certs"), 1);
    assert_int_equal(certificate_read(p.store, "www", "cert.pem", &text, NULL), ERR_OK);
    assert_true(text_starts_with(buf_cstr(&text), "000002"));
    assert_int_equal(certificate_read(p.store, "www", "absent.pem", &text, NULL), ERR_NOT_FOUND);
    assert_int_equal(certificate_read(p.store, "other", "cert.pem", &text, NULL), ERR_NOT_FOUND);
    assert_int_equal(certificate_read(p.store, "www", "../../archive", &text, NULL), ERR_NOT_FOUND);
    dir = certificate_dir(p.store, "www");
    want = at(&p, "certs/www");
    assert_string_equal(dir, want);
    free(want);
    free(dir);
    buf_done(&text);
    place_done(&p);
}

TEST(without_owner_and_group_nobody_else_gets_anywhere)
{
    struct place p;

    place_init(&p);
    fixture_chmod(p.dir, 0700);
    (void)install(&p, 1);
    expect_mode(&p, "", 0700);
    expect_mode(&p, "certs", 0700);
    expect_mode(&p, "archive", 0700);
    expect_mode(&p, "archive/www", 0700);
    expect_mode(&p, "archive/www/00000001", 0700);
    expect_mode(&p, "archive/www/00000001/cert.pem", 0644);
    expect_mode(&p, "archive/www/00000001/privkey.pem", 0600);
    place_done(&p);
}

TEST(a_group_of_ours_reads_the_key_and_passes_through_the_rest)
{
    struct place p;
    char AUTO_FREE *group = fixture_group();
    char AUTO_FREE *key = NULL;
    const struct certificate_access access = {.group = group};
    int64_t generation;

    place_init(&p);
    key = at(&p, "archive/www/00000001/privkey.pem");
    fixture_chmod(p.dir, 0700);
    assert_int_equal(install_as(p.store, 1, &access, &generation, NULL), ERR_OK);
    expect_mode(&p, "", 0711);
    expect_mode(&p, "certs", 0711);
    expect_mode(&p, "archive", 0711);
    expect_mode(&p, "archive/www", 0711);
    expect_mode(&p, "archive/www/00000001", 0750);
    expect_mode(&p, "archive/www/00000001/cert.pem", 0644);
    expect_mode(&p, "archive/www/00000001/privkey.pem", 0640);
    expect_mode(&p, "journal", 0700);
    fixture_expect_group(key, group);
    place_done(&p);
}

TEST(a_mode_that_the_state_directory_has_is_only_added_to)
{
    struct place p;
    char AUTO_FREE *group = fixture_group();
    const struct certificate_access access = {.group = group, .key_mode = 0600};
    int64_t generation;

    place_init(&p);
    fixture_chmod(p.dir, 0750);
    assert_int_equal(install_as(p.store, 1, &access, &generation, NULL), ERR_OK);
    expect_mode(&p, "", 0751);
    expect_mode(&p, "archive/www/00000001/privkey.pem", 0600);
    place_done(&p);
}

struct reader {
    const char *dir;
    bool may_read_key;
};

static int read_as_other(void *context)
{
    const struct reader *reader = context;
    char AUTO_FREE *path = fixture_path(reader->dir, "certs/www");
    char AUTO_FREE *fresh = fixture_path(path, "new");
    char AUTO_FREE *cert = NULL;
    char AUTO_FREE *key = NULL;

    CHILD_CHECK(fixture_drop_root());
    fixture_read_together(path, "cert.pem", &cert, "privkey.pem", &key);
    CHILD_CHECK(number_of(cert) == 1);
    CHILD_CHECK((number_of(key) == 1) == reader->may_read_key);
    CHILD_CHECK(!fixture_open(fresh, "w"));
    return CHILD_OK;
}

TEST(as_root_an_owner_or_a_group_gets_what_it_is_given_and_no_more)
{
    static const struct {
        struct certificate_access access;
        bool may_read_key;
    } cases[] = {
        {{.owner = OTHER_TEXT}, true},
        {{.group = OTHER_TEXT}, true},
        {{.owner = OTHER_TEXT, .group = "0"}, true},
        {{.owner = "0", .group = OTHER_TEXT}, true},
        {{.group = OTHER_TEXT, .key_mode = 0600}, false},
        {{.owner = "1", .group = "1"}, false},
    };

    fixture_needs(FIXTURE_OWNERS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct place p;
        struct reader reader;
        int64_t generation;

        place_init(&p);
        fixture_chmod(p.dir, 0700);
        assert_int_equal(install_as(p.store, 1, &cases[i].access, &generation, NULL), ERR_OK);
        reader = (struct reader){.dir = p.dir, .may_read_key = cases[i].may_read_key};
        fixture_in_child(read_as_other, &reader);
        place_done(&p);
    }
}

TEST(what_is_wrong_from_the_start_changes_nothing)
{
    static const struct certificate_access nobody = {.owner = "no such user"};
    static const struct certificate_access open_to_all = {.key_mode = 0644};
    struct place p;
    struct content c;
    int64_t generation = 4711;
    struct err err;

    place_init(&p);
    (void)install(&p, 1);
    assert_int_equal(install_as(p.store, 2, &nobody, &generation, &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "no such user"));
    assert_int_equal(install_as(p.store, 2, &open_to_all, &generation, NULL), ERR_INTERNAL);
    content_init(&c, 2);
    assert_int_equal(place_install(p.store, "../x", c.files, 2, &ours, &generation, NULL), ERR_USAGE);
    assert_int_equal(place_install(p.store, "www", c.files, 0, &ours, &generation, NULL), ERR_INTERNAL);
    c.files[1].name = "cert.pem";
    assert_int_equal(place_install(p.store, "www", c.files, 2, &ours, &generation, NULL), ERR_IO);
    content_done(&c);
    assert_int_equal(generation, 4711);
    assert_int_equal(current_number(p.dir), 1);
    assert_int_equal(count_in(&p, "archive/www"), 1);
    place_done(&p);
}

TEST(what_is_no_link_is_not_replaced)
{
    struct place p;
    int64_t generation;
    struct err err;
    char *path;

    place_init(&p);
    (void)install(&p, 1);
    path = at(&p, "certs/www");
    assert_int_equal(platform_file_remove(path, NULL), ERR_OK);
    fixture_mkdir(path, 0700);
    assert_int_equal(install_as(p.store, 2, &ours, &generation, &err), ERR_IO);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.msg, "is no link"));
    assert_non_null(strstr(err.hint, "Move it away"));
    assert_int_equal(count_in(&p, "archive/www"), 1);
    free(path);
    place_done(&p);
}

/* ------------------------------------------------------------------ what earlier calls left */

static void make_generation(const struct place *p, const char *number)
{
    char *path = mem_printf("%s/archive/www/%s", p->dir, number);
    char *file = fixture_path(path, "privkey.pem");

    fixture_mkdir(path, 0700);
    fixture_write(file, "left over");
    free(file);
    free(path);
}

TEST(a_generation_that_was_never_switched_to_is_removed_and_its_number_not_used_again)
{
    struct place p;

    place_init(&p);
    (void)install(&p, 1);
    make_generation(&p, "00000002");
    make_generation(&p, ".acme-dme-0123456789abcdef.tmp");
    make_generation(&p, "notes");
    assert_int_equal(install(&p, 3), 3);
    assert_true(is_there(&p, "archive/www/00000001"));
    assert_false(is_there(&p, "archive/www/00000002"));
    assert_false(is_there(&p, "archive/www/.acme-dme-0123456789abcdef.tmp"));
    assert_true(is_there(&p, "archive/www/notes"));
    place_done(&p);
}

static void note_generation(struct place *p, int64_t generation)
{
    static char *domains[] = {(char *)(uintptr_t) "example.com"};
    const struct certificate_record record = {
        .name = (char *)(uintptr_t) "www", .domains = {.items = domains, .count = 1}, .generation = generation};

    assert_int_equal(certificate_save(p->store, &record, NULL), ERR_OK);
}

TEST(a_generation_that_the_operator_switched_back_from_is_kept)
{
    struct place p;
    char *link;

    place_init(&p);
    (void)install(&p, 1);
    (void)install(&p, 2);
    note_generation(&p, 2);
    link = at(&p, "certs/www");
    assert_int_equal(platform_link_switch(link, "../archive/www/00000001", NULL), ERR_OK);
    assert_int_equal(install(&p, 3), 3);
    assert_true(is_there(&p, "archive/www/00000002"));
    free(link);
    place_done(&p);
}

TEST(without_link_and_record_nothing_is_taken_for_left_over)
{
    struct place p;
    char *link;

    place_init(&p);
    (void)install(&p, 1);
    (void)install(&p, 2);
    link = at(&p, "certs/www");
    assert_int_equal(platform_file_remove(link, NULL), ERR_OK);
    assert_int_equal(install(&p, 3), 3);
    assert_int_equal(count_in(&p, "archive/www"), 3);
    free(link);
    place_done(&p);
}

TEST(pruning_keeps_the_newest_and_the_one_in_use)
{
    struct place p;
    char *link;

    place_init(&p);
    assert_int_equal(certificate_prune(p.store, "www", 2, NULL), ERR_OK);
    for (int i = 1; i <= 5; i++)
        (void)install(&p, i);
    link = at(&p, "certs/www");
    assert_int_equal(platform_link_switch(link, "../archive/www/00000002", NULL), ERR_OK);
    assert_int_equal(certificate_prune(p.store, "www", 2, NULL), ERR_OK);
    assert_int_equal(count_in(&p, "archive/www"), 3);
    assert_true(is_there(&p, "archive/www/00000002"));
    assert_true(is_there(&p, "archive/www/00000004"));
    assert_true(is_there(&p, "archive/www/00000005"));
    assert_int_equal(certificate_prune(p.store, "www", 0, NULL), ERR_OK);
    assert_int_equal(count_in(&p, "archive/www"), 2);
    assert_true(is_there(&p, "archive/www/00000005"));
    free(link);
    place_done(&p);
}

/* ------------------------------------------------------------------ deleting */

TEST(a_deleted_certificate_is_gone_and_its_keys_are_kept)
{
    struct place p;
    struct certificate_record got = {.generation = 0};
    struct err err;

    place_init(&p);
    assert_int_equal(certificate_delete(p.store, "www", &err), ERR_NOT_FOUND);
    assert_string_equal(err.msg, "there is no certificate \"www\"");
    for (int round = 1; round <= 2; round++) {
        assert_int_equal(install(&p, 1), 1);
        note_generation(&p, 1);
        assert_int_equal(certificate_delete(p.store, "www", NULL), ERR_OK);
        assert_false(is_there(&p, "certs/www"));
        assert_false(is_there(&p, "archive/www"));
        assert_int_equal(certificate_load(p.store, "www", &got, NULL), ERR_NOT_FOUND);
        assert_int_equal(count_in(&p, "archive/.deleted"), round);
    }
    expect_mode(&p, "archive/.deleted", 0700);
    assert_int_equal(certificate_delete(p.store, "www", NULL), ERR_NOT_FOUND);
    assert_int_equal(certificate_delete(p.store, "../www", NULL), ERR_NOT_FOUND);
    place_done(&p);
}

TEST(what_is_left_of_a_certificate_can_be_deleted)
{
    struct place p;

    place_init(&p);
    note_generation(&p, 0);
    assert_int_equal(certificate_delete(p.store, "www", NULL), ERR_OK);
    (void)install(&p, 1);
    assert_int_equal(certificate_delete(p.store, "www", NULL), ERR_OK);
    place_done(&p);
}

/* ------------------------------------------------------------------ faults */

struct faulty {
    struct place *place;
    enum fixture_call call;
    int errnum;
};

static int install_with_fault(void *context)
{
    const struct faulty *f = context;
    int64_t generation = 4711;
    struct err err;

    if (!fixture_fail(f->call, f->errnum))
        return CHILD_CANNOT;
    CHILD_CHECK(install_as(f->place->store, 2, &ours, &generation, &err) == ERR_IO);
    CHILD_CHECK(generation == 4711);
    CHILD_CHECK(f->errnum == EIO || err.hint[0]);
    return CHILD_OK;
}

TEST(a_failing_disk_leaves_the_old_generation_in_use_and_nothing_of_the_new)
{
    static const struct {
        enum fixture_call call;
        int errnum;
    } faults[] = {
        {CALL_WRITE, ENOSPC}, {CALL_FSYNC, EIO},     {CALL_RENAME_NEW, ENOSPC},
        {CALL_RENAME, EROFS}, {CALL_RENAME, ENOSPC}, {CALL_RENAME_NEW, EACCES},
    };
    struct place p;

    fixture_needs(FIXTURE_FAULTS);
    place_init(&p);
    (void)install(&p, 1);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct faulty f = {.place = &p, .call = faults[i].call, .errnum = faults[i].errnum};

        fixture_in_child(install_with_fault, &f);
        assert_int_equal(current_number(p.dir), 1);
        assert_int_equal(count_in(&p, "certs"), 1);
        /* Where renaming itself fails, what was written can't be hidden before it is removed: the next call does it. */
        assert_in_range(count_in(&p, "archive/www"), 1, faults[i].call == CALL_RENAME ? 2 : 1);
        assert_true(install(&p, 1) > 1);
        assert_int_equal(certificate_prune(p.store, "www", 1, NULL), ERR_OK);
        assert_int_equal(count_in(&p, "archive/www"), 1);
    }
    place_done(&p);
}

static int install_where_denied(void *context)
{
    struct store *store = NULL;
    int64_t generation;
    struct err err;

    CHILD_CHECK(fixture_drop_root());
    CHILD_CHECK(store_open(context, platform_clock(), NULL, &store, NULL) == ERR_OK);
    CHILD_CHECK(install_as(store, 1, &ours, &generation, NULL) == ERR_OK);
    {
        char *archive = fixture_path(context, "archive/www");

        fixture_chmod(archive, 0500);
        CHILD_CHECK(install_as(store, 2, &ours, &generation, &err) == ERR_IO);
        CHILD_CHECK(err.hint[0] && strstr(err.msg, archive));
        fixture_chmod(archive, 0700);
        free(archive);
    }
    CHILD_CHECK(current_number(context) == 1);
    return CHILD_OK;
}

TEST(a_directory_that_may_not_be_written_to_is_an_error_with_advice)
{
    char *base;
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    base = fixture_dir_new();
    dir = fixture_path(base, "state");
    fixture_chmod(base, 0777);
    fixture_in_child(install_where_denied, dir);
    free(dir);
    fixture_dir_free(base);
}

/* ------------------------------------------------------------------ others at the same time */

static int install_many(const char *dir)
{
    struct store *store;

    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, NULL) == ERR_OK);
    for (int i = 2; i < SWITCHES; i++) {
        int64_t generation;

        CHILD_CHECK(install_as(store, i, &ours, &generation, NULL) == ERR_OK);
    }
    store_free(store);
    return CHILD_OK;
}

TEST(a_reader_never_sees_files_of_two_generations)
{
    struct place p;
    size_t looks = 0;
    int last = 0;
    struct fixture_process *installer;

    place_init(&p);
    (void)install(&p, 1);
    installer = fixture_process_start(install_many, p.dir);
    while (fixture_process_is_alive(installer)) {
        int number = current_number(p.dir);

        if (number < last)
            fail_msg("%d after %d", number, last);
        last = number;
        looks++;
    }
    assert_int_equal(fixture_process_end(installer), CHILD_OK);
    assert_true(looks > 10);
    assert_int_equal(current_number(p.dir), SWITCHES - 1);
    place_done(&p);
}

static bool install_number(struct store *store, int number)
{
    int64_t generation;

    return install_as(store, number, &ours, &generation, NULL) == ERR_OK;
}

static int install_numbers(const char *text)
{
    return place_work(text, install_number);
}

TEST(wherever_it_is_killed_the_link_leads_to_a_whole_generation)
{
    struct place p;
    int last = 1;

    place_init(&p);
    (void)install(&p, 1);
    for (int i = 0; i < KILLS; i++) {
        struct store_examination found;
        int number;

        place_kill_at_work(&p, install_numbers, 1000 * (i + 1), 1500 + i * 7919 % 9000);
        number = current_number(p.dir);
        if (number < last)
            fail_msg("%d after %d", number, last);
        last = number;
        assert_int_equal(store_examine(p.store, &found, NULL), ERR_OK);
        assert_int_equal(found.damaged, 0);
    }
    (void)install(&p, 999999);
    assert_int_equal(current_number(p.dir), 999999);
    assert_int_equal(certificate_prune(p.store, "www", 1, NULL), ERR_OK);
    assert_int_equal(count_in(&p, "archive/www"), 1);
    place_done(&p);
}

/* Where a link is a directory there is none for a moment. */
TEST(a_file_is_read_though_the_switch_of_its_link_was_cut_short)
{
    struct place p;
    struct buf AUTO_BUF text = BUF_INIT(PADDING * 2);
    char AUTO_FREE *link = NULL;
    char AUTO_FREE *aside = NULL;

    place_init(&p);
    link = at(&p, "certs/www");
    aside = at(&p, "certs/.acme-dme-0123456789abcdef.tmp");
    (void)install(&p, 7);
    if (!fixture_has(FIXTURE_SYMLINKS))
        fixture_rename(link, aside);
    assert_int_equal(certificate_read(p.store, "www", "privkey.pem", &text, NULL), ERR_OK);
    assert_int_equal(number_of(buf_cstr(&text)), 7);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generations_are_numbered_and_the_link_leads_to_the_newest),
        cmocka_unit_test(without_owner_and_group_nobody_else_gets_anywhere),
        cmocka_unit_test(a_group_of_ours_reads_the_key_and_passes_through_the_rest),
        cmocka_unit_test(a_mode_that_the_state_directory_has_is_only_added_to),
        cmocka_unit_test(as_root_an_owner_or_a_group_gets_what_it_is_given_and_no_more),
        cmocka_unit_test(what_is_wrong_from_the_start_changes_nothing),
        cmocka_unit_test(what_is_no_link_is_not_replaced),
        cmocka_unit_test(a_generation_that_was_never_switched_to_is_removed_and_its_number_not_used_again),
        cmocka_unit_test(a_generation_that_the_operator_switched_back_from_is_kept),
        cmocka_unit_test(without_link_and_record_nothing_is_taken_for_left_over),
        cmocka_unit_test(a_file_is_read_though_the_switch_of_its_link_was_cut_short),
        cmocka_unit_test(pruning_keeps_the_newest_and_the_one_in_use),
        cmocka_unit_test(a_deleted_certificate_is_gone_and_its_keys_are_kept),
        cmocka_unit_test(what_is_left_of_a_certificate_can_be_deleted),
        cmocka_unit_test(a_failing_disk_leaves_the_old_generation_in_use_and_nothing_of_the_new),
        cmocka_unit_test(a_directory_that_may_not_be_written_to_is_an_error_with_advice),
        cmocka_unit_test(a_reader_never_sees_files_of_two_generations),
        cmocka_unit_test(wherever_it_is_killed_the_link_leads_to_a_whole_generation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
