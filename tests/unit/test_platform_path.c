/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

struct place {
    char *dir;
    char *from;
    char *to;
};

static void place_init(struct place *p)
{
    *p = (struct place){.dir = fixture_dir_new()};
    p->from = fixture_path(p->dir, "from");
    p->to = fixture_path(p->dir, "to");
}

static void place_done(struct place *p)
{
    free(p->from);
    free(p->to);
    fixture_dir_free(p->dir);
}

static struct platform_path_info look(const char *path)
{
    struct platform_path_info info;

    assert_int_equal(platform_path_look(path, &info, NULL), ERR_OK);
    return info;
}

TEST(what_is_at_a_path_is_told_without_following_links)
{
    struct place p;
    struct platform_path_info info;
    struct err err;
    char *below;

    place_init(&p);
    below = fixture_path(p.from, "below");
    assert_int_equal(platform_path_look(p.from, &info, &err), ERR_NOT_FOUND);
    fixture_write(p.from, "text");
    assert_int_equal(look(p.from).kind, PLATFORM_PATH_FILE);
    assert_true(look(p.from).changed_ms > 0);
    assert_int_equal(platform_path_look(below, &info, &err), ERR_NOT_FOUND);
    fixture_unlink(p.from);
    fixture_mkdir(p.from, 0700);
    assert_int_equal(look(p.from).kind, PLATFORM_PATH_DIRECTORY);
    assert_int_equal(platform_link_switch(p.to, "from", NULL), ERR_OK);
    assert_int_equal(look(p.to).kind, PLATFORM_PATH_LINK);
    assert_true(look(p.to).leads_to_directory);
    assert_int_equal(platform_file_remove(p.to, NULL), ERR_OK);
    assert_int_equal(platform_path_look(p.to, &info, &err), ERR_NOT_FOUND);
    if (fixture_can(FIXTURE_FIFOS)) {
        fixture_fifo(p.to);
        assert_int_equal(look(p.to).kind, PLATFORM_PATH_OTHER);
    }
    free(below);
    place_done(&p);
}

TEST(a_symbolic_link_leads_to_a_directory_or_does_not)
{
    struct place p;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    fixture_write(p.from, "text");
    fixture_symlink(p.from, p.to);
    assert_int_equal(look(p.to).kind, PLATFORM_PATH_LINK);
    assert_false(look(p.to).leads_to_directory);
    fixture_unlink(p.from);
    assert_int_equal(look(p.to).kind, PLATFORM_PATH_LINK);
    fixture_mkdir(p.from, 0700);
    assert_true(look(p.to).leads_to_directory);
    place_done(&p);
}

enum thing { A_FILE, A_DIRECTORY, A_LINK, A_FIFO, THING_COUNT };

/* How many of these there are here. */
static enum thing things(void)
{
    return fixture_can(FIXTURE_FIFOS) ? THING_COUNT : A_FIFO;
}

static void make(enum thing thing, const char *path)
{
    char *inner;

    switch (thing) {
    case A_FILE:
        fixture_write(path, "content");
        break;
    case A_DIRECTORY:
        fixture_mkdir(path, 0700);
        inner = fixture_path(path, "inner");
        fixture_write(inner, "content");
        free(inner);
        break;
    case A_LINK:
        /* To nowhere, if there can be such. */
        if (fixture_has(FIXTURE_SYMLINKS))
            fixture_symlink("/does/not/exist", path);
        else
            assert_int_equal(platform_link_switch(path, ".", NULL), ERR_OK);
        break;
    case A_FIFO:
    case THING_COUNT:
        fixture_fifo(path);
        break;
    }
}

TEST(anything_can_be_moved_and_nothing_is_replaced)
{
    const enum thing count = things();

    for (enum thing thing = A_FILE; thing < count; thing++)
        for (enum thing there = A_FILE; there <= count; there++) {
            struct place p;
            struct err err;
            enum platform_path_kind kind;

            place_init(&p);
            assert_int_equal(platform_path_move(p.from, p.to, &err), ERR_NOT_FOUND);
            make(thing, p.from);
            kind = look(p.from).kind;
            if (there < count) {
                make(there, p.to);
                assert_int_equal(platform_path_move(p.from, p.to, &err), ERR_EXISTS);
                assert_int_equal(look(p.from).kind, kind);
                assert_int_equal(fixture_count(p.dir), 2);
            } else {
                if (platform_path_move(p.from, p.to, &err) != ERR_OK)
                    fail_msg("%s", err.msg);
                assert_int_equal(look(p.to).kind, kind);
                assert_int_equal(fixture_count(p.dir), 1);
            }
            place_done(&p);
        }
}

static int move_without_renameat2(void *context)
{
    const char *dir = context;
    char *from = fixture_path(dir, "from");
    char *to = fixture_path(dir, "to");
    char *file = fixture_path(dir, "file");
    char *moved = fixture_path(dir, "moved");
    struct platform_path_info info;
    struct err err;

    if (!fixture_fail(CALL_RENAME_NEW, ENOSYS))
        return CHILD_CANNOT;
    fixture_mkdir(from, 0700);
    fixture_mkdir(to, 0700);
    fixture_write(file, "content");
    CHILD_CHECK(platform_path_move(file, to, &err) == ERR_EXISTS);
    CHILD_CHECK(platform_path_move(from, file, &err) == ERR_EXISTS);
    CHILD_CHECK(platform_path_move(file, moved, &err) == ERR_OK && !platform_file_exists(file));
    CHILD_CHECK(platform_path_move(file, moved, &err) == ERR_NOT_FOUND);
    CHILD_CHECK(platform_path_move(from, file, &err) == ERR_OK && platform_path_look(file, &info, &err) == ERR_OK);
    CHILD_CHECK(info.kind == PLATFORM_PATH_DIRECTORY);
    fixture_symlink("/does/not/exist", from);
    fixture_unlink(moved);
    CHILD_CHECK(platform_path_move(from, moved, &err) == ERR_OK && platform_path_look(moved, &info, &err) == ERR_OK);
    CHILD_CHECK(info.kind == PLATFORM_PATH_LINK);
    free(moved);
    free(file);
    free(to);
    free(from);
    return CHILD_OK;
}

TEST(a_file_system_without_exclusive_rename_is_no_obstacle)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_in_child(move_without_renameat2, dir);
    fixture_dir_free(dir);
}

TEST(a_file_of_ours_is_read_and_what_can_be_none_is_told_apart)
{
    struct place p;
    struct buf text = BUF_INIT(10);
    struct err err;
    const enum thing count = things();

    place_init(&p);
    if (fixture_has(FIXTURE_FIFOS)) {
        fixture_socket(p.from);
        assert_int_equal(platform_file_read_own(p.from, &text, &err), ERR_INPUT);
        fixture_unlink(p.from);
    }
    for (enum thing thing = A_DIRECTORY; thing < count; thing++) {
        make(thing, p.to);
        assert_int_equal(platform_file_read_own(p.to, &text, &err), ERR_INPUT);
        assert_non_null(strstr(err.msg, "not a regular file"));
        assert_int_equal(platform_path_move(p.to, p.from, NULL), ERR_OK);
        if (thing == A_DIRECTORY) {
            char *inner = fixture_path(p.from, "inner");

            assert_int_equal(platform_file_read_own(inner, &text, &err), ERR_OK);
            assert_string_equal(buf_cstr(&text), "content");
            fixture_unlink(inner);
            free(inner);
            fixture_rmdir(p.from);
        } else {
            assert_int_equal(platform_file_remove(p.from, NULL), ERR_OK);
        }
    }
    assert_int_equal(platform_file_read_own(p.from, &text, &err), ERR_NOT_FOUND);
    fixture_write(p.from, "01234567890");
    assert_int_equal(platform_file_read_own(p.from, &text, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "larger than 10 bytes"));
    assert_string_equal(buf_cstr(&text), "content");
    buf_done(&text);
    place_done(&p);
}

TEST(names_of_temporary_files_are_known)
{
    assert_true(platform_is_temp_name(".acme-dme-0123.tmp"));
    assert_false(platform_is_temp_name("0123.tmp"));
    assert_false(platform_is_temp_name(".acme-dme-0123"));
    assert_false(platform_is_temp_name(""));
}

static int fill_a_disk(void *context)
{
    const char *dir = context;
    char *path = fixture_path(dir, "file");
    char *content = mem_calloc(20000, 1);
    uint64_t before;
    uint64_t after;

    if (!fixture_mount(dir, "size=64k"))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_free_bytes(dir, &before, NULL) == ERR_OK && before == 65536);
    CHILD_CHECK(platform_file_create(path, content, 20000, NULL) == ERR_OK);
    CHILD_CHECK(platform_free_bytes(path, &after, NULL) == ERR_OK);
    CHILD_CHECK(before - after >= 20000 && before - after < 40000);
    free(content);
    free(path);
    return CHILD_OK;
}

TEST(free_space_is_that_of_the_file_system)
{
    char *dir = fixture_dir_new();
    char *none = fixture_path(dir, "none");
    uint64_t bytes = 7;

    assert_int_equal(platform_free_bytes(none, &bytes, NULL), ERR_NOT_FOUND);
    assert_int_equal(bytes, 7);
    assert_int_equal(platform_free_bytes(dir, &bytes, NULL), ERR_OK);
    if (fixture_can(FIXTURE_FAULTS))
        fixture_in_child(fill_a_disk, dir);
    free(none);
    fixture_dir_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_at_a_path_is_told_without_following_links),
        cmocka_unit_test(a_symbolic_link_leads_to_a_directory_or_does_not),
        cmocka_unit_test(anything_can_be_moved_and_nothing_is_replaced),
        cmocka_unit_test(a_file_system_without_exclusive_rename_is_no_obstacle),
        cmocka_unit_test(a_file_of_ours_is_read_and_what_can_be_none_is_told_apart),
        cmocka_unit_test(names_of_temporary_files_are_known),
        cmocka_unit_test(free_space_is_that_of_the_file_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
