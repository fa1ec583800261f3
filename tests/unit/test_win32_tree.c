/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/win32.h"
#include "test.h"
#include "util/parse.h"
#include "win32_faults.h"

static const struct platform_access private_dir = {.mode = 0700};

static const struct platform_tree_file two_files[] = {
    {.name = "cert.pem", .data = "certificate", .len = 11, .access = {.mode = 0644}},
    {.name = "privkey.pem", .data = "key", .len = 3, .access = {.mode = 0600}},
};

struct place {
    char *dir;
    char *tree;
};

static void place_init(struct place *p)
{
    p->dir = fixture_dir_new();
    p->tree = fixture_path(p->dir, "00000001");
}

static void place_done(struct place *p)
{
    free(p->tree);
    fixture_dir_free(p->dir);
}

/* One tree alone. */
static enum err_code create_of(const char *path, const struct platform_access *access,
                               const struct platform_tree_file *files, size_t count, struct err *err)
{
    struct platform_tree tree = {.path = path, .access = *access, .files = files, .count = count};

    platform_trees_create(&tree, 1);
    if (tree.err.code != ERR_OK && err)
        *err = tree.err;
    return tree.err.code;
}

static enum err_code create(const struct place *p, struct err *err)
{
    return create_of(p->tree, &private_dir, two_files, ARRAY_LEN(two_files), err);
}

static void expect_file(const char *dir, const char *name, const char *want)
{
    char AUTO_FREE *path = fixture_path(dir, name);
    char AUTO_FREE *now = fixture_read(path);

    assert_string_equal(now ? now : "(no file)", want);
}

static void expect_whole(const struct place *p)
{
    assert_int_equal(fixture_count(p->tree), 2);
    expect_file(p->tree, "cert.pem", "certificate");
    expect_file(p->tree, "privkey.pem", "key");
}

static HANDLE open_for(const char *path, DWORD access, DWORD share)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE handle = CreateFileW(wide, access, share, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

    assert_true(handle != INVALID_HANDLE_VALUE);
    return handle;
}

/* ------------------------------------------------------------------ making */

TEST(a_tree_has_its_files_and_nothing_is_left_beside_it)
{
    struct place p;

    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    assert_true(faults_moved_durably());
    assert_int_equal(fixture_count(p.dir), 1);
    expect_whole(&p);
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
    expect_whole(&p);
    place_done(&p);
}

TEST(what_is_made_has_its_final_access_from_the_beginning)
{
    static const struct {
        struct platform_access access;
        const char *has;
        const char *has_not;
    } cases[] = {
        {{.mode = 0600}, "D:P(", ";WD)"},
        {{.mode = 0644}, ";WD)", ";BU)"},
        {{.group = "S-1-5-32-545", .mode = 0640}, ";BU)", ";WD)"},
        {{.owner = "S-1-5-20", .mode = 0600}, ";NS)", ";WD)"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct platform_tree_file file = {.name = "a", .data = "", .access = cases[i].access};
        struct place p;

        place_init(&p);
        assert_int_equal(create_of(p.tree, &private_dir, &file, 1, NULL), ERR_OK);
        if (!strstr(faults_access(), cases[i].has) || strstr(faults_access(), cases[i].has_not))
            fail_msg("%s", faults_access());
        assert_int_equal(create_of(p.tree, &private_dir, &file, 0, NULL), ERR_EXISTS);
        assert_non_null(strstr(faults_access(), "D:P(A;OICI;")); /* the directory: its files inherit it */
        place_done(&p);
    }
}

TEST(names_that_lead_elsewhere_and_unknown_accounts_leave_nothing)
{
    static const struct {
        struct platform_tree_file file;
        enum err_code code;
        const char *why;
    } cases[] = {
        {{.name = "../out", .data = "", .access = {.mode = 0600}}, ERR_INTERNAL, "no name of a file"},
        {{.name = "a\\b", .data = "", .access = {.mode = 0600}}, ERR_INTERNAL, "no name of a file"},
        {{.name = "a:stream", .data = "", .access = {.mode = 0600}}, ERR_INTERNAL, "no name of a file"},
        {{.name = "..", .data = "", .access = {.mode = 0600}}, ERR_INTERNAL, "no name of a file"},
        {{.name = "", .data = "", .access = {.mode = 0600}}, ERR_INTERNAL, "no name of a file"},
        {{.name = "nul", .data = "", .access = {.mode = 0600}}, ERR_IO, "not the name of a file"},
        {{.name = "a", .data = "", .access = {.owner = "no such user", .mode = 0600}}, ERR_USAGE, "\"no such user\""},
        {{.name = "a", .data = "", .access = {.group = "S-1-x", .mode = 0640}}, ERR_USAGE, "\"S-1-x\""},
    };
    struct place p;
    struct err err;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(create_of(p.tree, &private_dir, &cases[i].file, 1, &err), cases[i].code);
        if (!strstr(err.msg, cases[i].why))
            fail_msg("%s", err.msg);
        assert_int_equal(fixture_count(p.dir), 0);
    }
    place_done(&p);
}

TEST(of_several_trees_each_has_an_outcome_of_its_own)
{
    struct place p;
    char AUTO_FREE *second = NULL;
    char AUTO_FREE *nowhere = NULL;
    const struct platform_tree_file unknown = {.name = "a", .data = "", .access = {.owner = "no such", .mode = 0600}};

    place_init(&p);
    second = fixture_path(p.dir, "00000002");
    nowhere = fixture_path(p.dir, "no/such/00000003");
    {
        struct platform_tree trees[] = {
            {.path = p.tree, .access = private_dir, .files = two_files, .count = 2, .err = {.code = ERR_INTERNAL}},
            {.path = p.tree, .access = private_dir, .files = two_files, .count = 2},
            {.path = second, .access = private_dir, .files = &unknown, .count = 1},
            {.path = nowhere, .access = private_dir, .files = two_files, .count = 2},
            {.path = second, .access = private_dir, .files = two_files, .count = 2},
        };

        platform_trees_create(trees, ARRAY_LEN(trees));
        assert_int_equal(trees[0].err.code, ERR_OK);
        assert_int_equal(trees[1].err.code, ERR_EXISTS);
        assert_int_equal(trees[2].err.code, ERR_USAGE);
        assert_int_equal(trees[3].err.code, ERR_IO);
        assert_int_equal(trees[4].err.code, ERR_OK);
    }
    assert_int_equal(fixture_count(p.dir), 2);
    expect_whole(&p);
    platform_trees_create(NULL, 0);
    place_done(&p);
}

TEST(a_tree_is_made_and_removed_where_paths_are_long)
{
    struct place p;
    char AUTO_FREE *dir = NULL;
    char AUTO_FREE *tree = NULL;

    place_init(&p);
    dir = mem_strdup(p.dir);
    while (strlen(dir) < 350) {
        char *deeper = mem_printf("%s/\xe6\x97\xa5\xe6\x9c\xac-0123456789-0123456789-0123456789-0123456789", dir);

        free(dir);
        dir = deeper;
    }
    assert_int_equal(platform_dir_make(dir, NULL), ERR_OK);
    tree = fixture_path(dir, "00000001");
    assert_int_equal(create_of(tree, &private_dir, two_files, 2, NULL), ERR_OK);
    expect_file(tree, "privkey.pem", "key");
    assert_int_equal(platform_tree_remove(tree, NULL), ERR_OK);
    assert_int_equal(fixture_count(dir), 0);
    place_done(&p);
}

/* ------------------------------------------------------------------ removing */

TEST(a_tree_is_removed_and_one_that_is_absent_is_no_error)
{
    struct place p;
    char AUTO_FREE *file = NULL;
    struct err err;

    place_init(&p);
    file = fixture_path(p.dir, "file");
    assert_int_equal(create(&p, NULL), ERR_OK);
    assert_int_equal(platform_tree_remove(p.tree, NULL), ERR_OK);
    assert_int_equal(platform_tree_remove(p.tree, NULL), ERR_OK);
    assert_int_equal(fixture_count(p.dir), 0);
    fixture_write(file, "precious");
    assert_int_equal(platform_tree_remove(file, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "it is no directory"));
    expect_file(p.dir, "file", "precious");
    place_done(&p);
}

TEST(a_file_that_is_read_only_is_removed_with_its_tree)
{
    struct place p;
    char AUTO_FREE *file = NULL;
    wchar_t AUTO_WIDE *wide = NULL;

    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    file = fixture_path(p.tree, "cert.pem");
    wide = win32_path(file);
    assert_true(SetFileAttributesW(wide, FILE_ATTRIBUTE_READONLY));
    assert_int_equal(platform_tree_remove(p.tree, NULL), ERR_OK);
    assert_int_equal(fixture_count(p.dir), 0);
    place_done(&p);
}

TEST(directories_in_it_keep_all_of_it_from_being_removed)
{
    struct place p;
    char AUTO_FREE *inner = NULL;
    struct strlist AUTO_STRLIST names = {NULL, 0};
    char AUTO_FREE *temp = NULL;
    struct err err;

    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    inner = fixture_path(p.tree, "inner");
    fixture_mkdir(inner, 0700);
    assert_int_equal(platform_tree_remove(p.tree, &err), ERR_IO);
    assert_non_null(strstr(err.msg, p.tree));
    assert_int_equal(platform_dir_list(p.dir, &names, NULL), ERR_OK);
    assert_int_equal(names.count, 1);
    temp = fixture_path(p.dir, names.items[0]);
    assert_int_equal(fixture_count(temp), 3);
    place_done(&p);
}

/* The text is the path of a file, which is open to nobody else's removing for a second. */
static int hold_for_a_second(const char *text)
{
    HANDLE AUTO_HANDLE handle = open_for(text, GENERIC_READ, FILE_SHARE_READ);
    char AUTO_FREE *ready = mem_printf("%s.held", text);

    fixture_write(ready, "");
    fixture_sleep_ms(1000);
    return CHILD_OK;
}

TEST(a_reader_delays_the_removal_of_a_tree)
{
    struct place p;
    char AUTO_FREE *file = NULL;
    char AUTO_FREE *ready = NULL;
    struct fixture_process *reader;
    ULONGLONG start;

    place_init(&p);
    assert_int_equal(create(&p, NULL), ERR_OK);
    file = fixture_path(p.tree, "privkey.pem");
    ready = mem_printf("%s.held", file);
    reader = fixture_process_start(hold_for_a_second, file);
    for (int i = 0; i < 500 && !platform_file_exists(ready); i++)
        fixture_sleep_ms(20);
    start = GetTickCount64();
    assert_int_equal(platform_tree_remove(p.tree, NULL), ERR_OK);
    assert_in_range(GetTickCount64() - start, 300, 4500);
    assert_int_equal(fixture_count(p.dir), 0);
    assert_int_equal(fixture_process_end(reader), CHILD_OK);
    place_done(&p);
}

/* ------------------------------------------------------------------ faults */

/* "<nth> <dir>" */
static unsigned take_nth(const char *text, const char **out_dir)
{
    const char *space = strchr(text, ' ');
    char AUTO_FREE *number = mem_strndup(text, (size_t)(space - text));
    uint64_t nth;

    *out_dir = space + 1;
    return parse_uint(number, 1, 1000, &nth) ? (unsigned)nth : 0;
}

static int die_while_creating(const char *text)
{
    struct place p = {.dir = NULL};
    const char *dir;
    unsigned nth = take_nth(text, &dir);

    p.tree = fixture_path(dir, "00000001");
    faults_at(nth, 0);
    CHILD_CHECK(create(&p, NULL) == ERR_OK);
    free(p.tree);
    return CHILD_OK;
}

static int die_while_removing(const char *text)
{
    const char *dir;
    unsigned nth = take_nth(text, &dir);
    char AUTO_FREE *tree = fixture_path(dir, "00000001");

    faults_at(nth, 0);
    CHILD_CHECK(platform_tree_remove(tree, NULL) == ERR_OK);
    return CHILD_OK;
}

/* After a kill the tree is there as a whole or not at all, and the rest goes. */
static bool kill_at(unsigned nth, fixture_process_body *body, bool is_there_before)
{
    int64_t later = clock_wall_ms(platform_clock()) + 600000;
    char AUTO_FREE *text = NULL;
    struct place p;
    int status;

    place_init(&p);
    if (is_there_before)
        assert_int_equal(create(&p, NULL), ERR_OK);
    text = mem_printf("%u %s", nth, p.dir);
    status = fixture_process_end(fixture_process_start(body, text));
    assert_true(status == CHILD_OK || status == 9);
    platform_dir_sweep(p.dir, later, 1000);
    if (platform_file_exists(p.tree))
        expect_whole(&p);
    if (status == CHILD_OK)
        assert_int_equal(platform_file_exists(p.tree), !is_there_before);
    assert_int_equal(fixture_count(p.dir), platform_file_exists(p.tree));
    place_done(&p);
    return status != CHILD_OK;
}

TEST(a_kill_before_any_step_leaves_a_tree_whole_or_absent)
{
    unsigned nth = 1;

    while (kill_at(nth, die_while_creating, false))
        nth++;
    assert_int_equal(nth, 9); /* a directory, two times making, writing, flushing; the rename; then it lived */
    nth = 1;
    while (kill_at(nth, die_while_removing, true))
        nth++;
    assert_int_equal(nth, 5); /* the rename, two files, the directory */
}

TEST(a_full_disk_leaves_nothing_of_a_tree)
{
    struct place p;
    struct err err;

    place_init(&p);
    for (unsigned nth = 1; nth <= 8; nth++) {
        faults_at(nth, ERROR_DISK_FULL);
        assert_int_equal(create(&p, &err), ERR_IO);
        assert_non_null(strstr(err.msg, p.dir));
        assert_non_null(strstr(err.hint, "Free some space"));
        faults_at(0, 0);
        assert_int_equal(fixture_count(p.dir), 0);
    }
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_has_its_files_and_nothing_is_left_beside_it),
        cmocka_unit_test(a_tree_that_exists_stays_as_it_is),
        cmocka_unit_test(what_is_made_has_its_final_access_from_the_beginning),
        cmocka_unit_test(names_that_lead_elsewhere_and_unknown_accounts_leave_nothing),
        cmocka_unit_test(of_several_trees_each_has_an_outcome_of_its_own),
        cmocka_unit_test(a_tree_is_made_and_removed_where_paths_are_long),
        cmocka_unit_test(a_tree_is_removed_and_one_that_is_absent_is_no_error),
        cmocka_unit_test(a_file_that_is_read_only_is_removed_with_its_tree),
        cmocka_unit_test(directories_in_it_keep_all_of_it_from_being_removed),
        cmocka_unit_test(a_reader_delays_the_removal_of_a_tree),
        cmocka_unit_test(a_kill_before_any_step_leaves_a_tree_whole_or_absent),
        cmocka_unit_test(a_full_disk_leaves_nothing_of_a_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
