/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

#define OTHER_ID 65534
#define OTHER_TEXT "65534"

static const struct platform_access private_dir = {.mode = 0700};

static const struct platform_tree_file two_files[] = {
    {.name = "cert.pem", .data = "certificate", .len = 11, .access = {.mode = 0644}},
    {.name = "privkey.pem", .data = "key", .len = 3, .access = {.mode = 0600}},
};

struct place {
    char *dir;
    char *tree;
    char *link;
};

static void place_init(struct place *p)
{
    p->dir = fixture_dir_new();
    p->tree = fixture_path(p->dir, "00000001");
    p->link = fixture_path(p->dir, "link");
}

static void place_done(struct place *p)
{
    free(p->tree);
    free(p->link);
    fixture_dir_free(p->dir);
}

/* One tree alone. */
static enum err_code create_of(const struct place *p, const struct platform_access *access,
                               const struct platform_tree_file *files, size_t count, struct err *err)
{
    struct platform_tree tree = {.path = p->tree, .access = *access, .files = files, .count = count};

    platform_trees_create(&tree, 1);
    if (tree.err.code != ERR_OK && err)
        *err = tree.err;
    return tree.err.code;
}

static enum err_code create(const struct place *p, struct err *err)
{
    return create_of(p, &private_dir, two_files, ARRAY_LEN(two_files), err);
}

static void expect_mode(const char *dir, const char *name, unsigned mode)
{
    char AUTO_FREE *path = fixture_path(dir, name);

    fixture_expect_mode(path, mode);
}

static void expect_ids(const char *dir, const char *name, unsigned user, unsigned group)
{
    char AUTO_FREE *path = fixture_path(dir, name);

    fixture_expect_ids(path, user, group);
}

static void expect_target(const char *link, const char *want)
{
    char *target = NULL;

    assert_int_equal(platform_link_read(link, &target, NULL), ERR_OK);
    assert_string_equal(target, want);
    free(target);
}

/* ------------------------------------------------------------------ trees */

TEST(a_tree_has_its_files_with_their_modes_whatever_the_umask)
{
    struct place p;
    char *file;
    char *text;
    unsigned before = fixture_umask(0);

    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    (void)fixture_umask(before);
    expect_mode(p.dir, "00000001", 0700);
    expect_mode(p.tree, "cert.pem", 0644);
    expect_mode(p.tree, "privkey.pem", 0600);
    file = fixture_path(p.tree, "cert.pem");
    text = fixture_read(file);
    assert_string_equal(text, "certificate");
    assert_int_equal(fixture_count(p.dir), 1);
    free(text);
    free(file);
    place_done(&p);
}

TEST(a_tree_that_exists_stays_as_it_is)
{
    struct place p;
    struct err err;

    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    assert_int_equal(create(&p, &err), ERR_EXISTS);
    assert_non_null(strstr(err.msg, p.tree));
    assert_int_equal(fixture_count(p.dir), 1);
    assert_int_equal(fixture_count(p.tree), 2);
    place_done(&p);
}

TEST(names_that_lead_elsewhere_and_unknown_owners_leave_nothing)
{
    static const struct {
        struct platform_tree_file file;
        enum err_code code;
        const char *why;
    } cases[] = {
        {{.name = "../out", .data = "", .access = {.mode = 0600}}, ERR_INTERNAL, "no name of a file"},
        {{.name = "..", .data = "", .access = {.mode = 0600}}, ERR_INTERNAL, "no name of a file"},
        {{.name = "", .data = "", .access = {.mode = 0600}}, ERR_INTERNAL, "no name of a file"},
        {{.name = "a", .data = "", .access = {.owner = "no such user", .mode = 0600}},
         ERR_USAGE,
         "user \"no such user\""},
        {{.name = "a", .data = "", .access = {.group = "-1", .mode = 0600}}, ERR_USAGE, "group \"-1\""},
        {{.name = "a", .data = "", .access = {.owner = "4294967295", .mode = 0600}}, ERR_USAGE, "4294967295"},
    };
    struct place p;
    struct err err;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(create_of(&p, &private_dir, &cases[i].file, 1, &err), cases[i].code);
        if (!strstr(err.msg, cases[i].code == ERR_USAGE ? fixture_here(cases[i].why, "there is no ") : cases[i].why))
            fail_msg("%s", err.msg);
        assert_int_equal(fixture_count(p.dir), 0);
    }
    place_done(&p);
}

TEST(root_gives_files_and_the_directory_to_others_by_name_or_number)
{
    const struct platform_access access = {.group = OTHER_TEXT, .mode = 0750};
    const struct platform_tree_file file = {
        .name = "privkey.pem", .data = "key", .len = 3, .access = {.owner = OTHER_TEXT, .group = "root", .mode = 0640}};
    struct place p;

    fixture_needs(FIXTURE_OWNERS);
    place_init(&p);
    assert_int_equal(create_of(&p, &access, &file, 1, NULL), ERR_OK);
    expect_ids(p.dir, "00000001", 0, OTHER_ID);
    expect_mode(p.dir, "00000001", 0750);
    expect_ids(p.tree, "privkey.pem", OTHER_ID, 0);
    expect_mode(p.tree, "privkey.pem", 0640);
    place_done(&p);
}

static int give_without_right(void *context)
{
    const struct place *p = context;
    const struct platform_tree_file file = {.name = "a", .data = "", .access = {.owner = "0", .mode = 0600}};
    struct err err;

    CHILD_CHECK(fixture_drop_root());
    CHILD_CHECK(create_of(p, &private_dir, &file, 1, &err) == ERR_USAGE);
    CHILD_CHECK(strstr(err.msg, "could not give") && strstr(err.msg, "\"0\""));
    CHILD_CHECK(strstr(err.hint, "Only root"));
    CHILD_CHECK(!platform_file_exists(p->tree));
    return CHILD_OK;
}

TEST(who_is_not_root_gives_nothing_away)
{
    struct place p;

    fixture_needs(FIXTURE_FAULTS);
    place_init(&p);
    fixture_chmod(p.dir, 0777);
    fixture_in_child(give_without_right, &p);
    assert_int_equal(fixture_count(p.dir), 0);
    place_done(&p);
}

static int create_where_denied(void *context)
{
    const struct place *p = context;
    struct err err;

    CHILD_CHECK(fixture_drop_root());
    CHILD_CHECK(create(p, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, p->dir) && strstr(err.hint, "user id"));
    CHILD_CHECK(platform_link_switch(p->link, "x", &err) == ERR_IO);
    CHILD_CHECK(strstr(err.hint, "user id"));
    return CHILD_OK;
}

TEST(a_directory_that_may_not_be_written_to_is_an_error_with_advice)
{
    struct place p;

    fixture_needs(FIXTURE_FAULTS);
    place_init(&p);
    fixture_chmod(p.dir, 0555);
    fixture_in_child(create_where_denied, &p);
    fixture_chmod(p.dir, 0755);
    place_done(&p);
}

struct faulty {
    struct place place;
    enum fixture_call call;
    int errnum;
};

static int create_with_fault(void *context)
{
    const struct faulty *f = context;
    struct err err;

    if (!fixture_fail(f->call, f->errnum))
        return CHILD_CANNOT;
    CHILD_CHECK(create(&f->place, &err) == ERR_IO);
    CHILD_CHECK(f->errnum != ENOSPC || strstr(err.hint, "Free some space"));
    return CHILD_OK;
}

TEST(a_failing_disk_leaves_nothing_of_a_tree)
{
    static const struct {
        enum fixture_call call;
        int errnum;
    } faults[] = {{CALL_WRITE, ENOSPC}, {CALL_FSYNC, EIO}, {CALL_RENAME_NEW, EROFS}};
    struct faulty f;

    fixture_needs(FIXTURE_FAULTS);
    place_init(&f.place);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        f.call = faults[i].call;
        f.errnum = faults[i].errnum;
        fixture_in_child(create_with_fault, &f);
        assert_int_equal(fixture_count(f.place.dir), 0);
    }
    place_done(&f.place);
}

static int create_only(void *context)
{
    const struct faulty *f = context;

    if (!fixture_fail(f->call, 0))
        return CHILD_CANNOT;
    (void)!create(&f->place, NULL);
    return CHILD_OK;
}

TEST(a_kill_leaves_no_half_tree_under_its_name)
{
    static const enum fixture_call calls[] = {CALL_WRITE, CALL_FSYNC, CALL_RENAME_NEW};
    struct faulty f;

    fixture_needs(FIXTURE_FAULTS);
    place_init(&f.place);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct strlist names = {NULL, 0};

        f.call = calls[i];
        (void)!fixture_child_is_killed(create_only, &f);
        assert_false(platform_file_exists(f.place.tree));
        assert_int_equal(platform_dir_list(f.place.dir, &names, NULL), ERR_OK);
        for (size_t n = 0; n < names.count; n++) {
            char *path = fixture_path(f.place.dir, names.items[n]);

            assert_true(platform_is_temp_name(names.items[n]));
            assert_int_equal(platform_tree_remove(path, NULL), ERR_OK);
            free(path);
        }
        strlist_done(&names);
        assert_int_equal(fixture_count(f.place.dir), 0);
    }
    place_done(&f.place);
}

TEST(a_tree_is_removed_and_one_that_is_absent_is_no_error)
{
    struct place p;
    struct err err;

    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    assert_int_equal(platform_tree_remove(p.tree, NULL), ERR_OK);
    assert_int_equal(platform_tree_remove(p.tree, NULL), ERR_OK);
    assert_int_equal(fixture_count(p.dir), 0);
    assert_int_equal(platform_link_switch(p.link, ".", NULL), ERR_OK);
    assert_int_equal(platform_tree_remove(p.link, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "it is no directory"));
    assert_int_equal(fixture_count(p.dir), 1);
    place_done(&p);
}

/* ------------------------------------------------------------------ links */

TEST(a_link_is_made_and_switched)
{
    struct place p;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    assert_int_equal(platform_link_switch(p.link, "../archive/x/00000001", NULL), ERR_OK);
    expect_target(p.link, "../archive/x/00000001");
    assert_int_equal(platform_link_switch(p.link, "../archive/x/00000002", NULL), ERR_OK);
    expect_target(p.link, "../archive/x/00000002");
    assert_int_equal(fixture_count(p.dir), 1);
    place_done(&p);
}

TEST(a_link_to_a_directory_is_itself_replaced)
{
    struct place p;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    assert_int_equal(platform_link_switch(p.link, "00000001", NULL), ERR_OK);
    assert_int_equal(platform_link_switch(p.link, "00000002", NULL), ERR_OK);
    expect_target(p.link, "00000002");
    assert_int_equal(fixture_count(p.tree), 2);
    place_done(&p);
}

TEST(what_is_no_link_is_not_replaced_and_not_read_as_one)
{
    struct place p;
    char *target = NULL;
    struct err err;

    place_init(&p);
    assert_int_equal(platform_link_read(p.link, &target, &err), ERR_NOT_FOUND);
    assert_int_equal(create(&p, NULL), ERR_OK);
    fixture_write(p.link, "precious");
    assert_int_equal(platform_link_switch(p.link, "x", &err), ERR_EXISTS);
    assert_int_equal(platform_link_switch(p.tree, "x", &err), ERR_EXISTS);
    assert_int_equal(platform_link_read(p.link, &target, &err), ERR_INPUT);
    assert_int_equal(platform_link_read(p.tree, &target, &err), ERR_INPUT);
    assert_null(target);
    assert_int_equal(fixture_count(p.dir), 2);
    place_done(&p);
}

static int switch_with_fault(void *context)
{
    const struct faulty *f = context;

    if (!fixture_fail(f->call, f->errnum))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_link_switch(f->place.link, "new", NULL) == ERR_IO);
    return CHILD_OK;
}

TEST(a_link_that_cannot_be_switched_stays)
{
    struct faulty f = {.call = CALL_RENAME, .errnum = ENOSPC};

    fixture_needs(FIXTURE_FAULTS);
    place_init(&f.place);
    assert_int_equal(platform_link_switch(f.place.link, "old", NULL), ERR_OK);
    fixture_in_child(switch_with_fault, &f);
    expect_target(f.place.link, "old");
    assert_int_equal(fixture_count(f.place.dir), 1);
    place_done(&f.place);
}

/* ------------------------------------------------------------------ directories */

TEST(the_mode_of_a_directory_is_changed)
{
    struct place p;
    struct err err;

    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    assert_int_equal(platform_dir_set_mode(p.tree, 0711, NULL), ERR_OK);
    assert_int_equal(platform_dir_set_mode(p.tree, 0711, NULL), ERR_OK);
    expect_mode(p.dir, "00000001", 0711);
    assert_int_equal(platform_dir_set_mode(p.link, 0711, &err), ERR_IO);
    assert_non_null(strstr(err.msg, p.link));
    place_done(&p);
}

TEST(left_over_links_are_swept_like_files)
{
    struct place p;
    char *temp;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    temp = fixture_path(p.dir, ".acme-dme-0123456789abcdef.tmp");
    fixture_symlink("nowhere", temp);
    fixture_symlink("nowhere", p.link);
    platform_dir_sweep(p.dir, clock_wall_ms(platform_clock()), 60000);
    assert_int_equal(fixture_count(p.dir), 2);
    platform_dir_sweep(p.dir, clock_wall_ms(platform_clock()) + 120000, 60000);
    assert_int_equal(fixture_count(p.dir), 1);
    expect_target(p.link, "nowhere");
    free(temp);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_has_its_files_with_their_modes_whatever_the_umask),
        cmocka_unit_test(a_tree_that_exists_stays_as_it_is),
        cmocka_unit_test(names_that_lead_elsewhere_and_unknown_owners_leave_nothing),
        cmocka_unit_test(root_gives_files_and_the_directory_to_others_by_name_or_number),
        cmocka_unit_test(who_is_not_root_gives_nothing_away),
        cmocka_unit_test(a_directory_that_may_not_be_written_to_is_an_error_with_advice),
        cmocka_unit_test(a_failing_disk_leaves_nothing_of_a_tree),
        cmocka_unit_test(a_kill_leaves_no_half_tree_under_its_name),
        cmocka_unit_test(a_tree_is_removed_and_one_that_is_absent_is_no_error),
        cmocka_unit_test(a_link_is_made_and_switched),
        cmocka_unit_test(a_link_to_a_directory_is_itself_replaced),
        cmocka_unit_test(what_is_no_link_is_not_replaced_and_not_read_as_one),
        cmocka_unit_test(a_link_that_cannot_be_switched_stays),
        cmocka_unit_test(the_mode_of_a_directory_is_changed),
        cmocka_unit_test(left_over_links_are_swept_like_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
