/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"
#include "util/text.h"

#define NOBODY 65534

/* A private directory, a path in it that is not there yet, and perhaps a log that is open at it. */
struct place {
    char *dir;
    char *path;
    struct platform_log *log;
};

static void place_init(struct place *p)
{
    *p = (struct place){.dir = fixture_dir_new()};
    p->path = fixture_path(p->dir, "x.log");
}

static void place_open(struct place *p)
{
    struct err err;

    place_init(p);
    if (platform_log_open(p->path, &p->log, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static void place_done(struct place *p)
{
    platform_log_free(p->log);
    free(p->path);
    fixture_dir_free(p->dir);
}

static enum err_code put(struct place *p, const char *line, struct err *err)
{
    return platform_log_append(p->log, line, strlen(line), err);
}

static void put_well(struct place *p, const char *line)
{
    struct err err;

    if (put(p, line, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static void expect_content(const char *path, const char *want)
{
    char AUTO_FREE *now = fixture_read(path);

    assert_string_equal(now ? now : "(no file)", want);
}

static void expect_refusal(const char *path, enum err_code code, const char *why)
{
    struct platform_log *log = NULL;
    struct err err;

    assert_int_equal(platform_log_open(path, &log, &err), code);
    assert_null(log);
    assert_non_null(strstr(err.msg, path));
    if (!strstr(err.msg, why))
        fail_msg("\"%s\" is not in: %s", why, err.msg);
}

static void expect_open(const char *path)
{
    struct platform_log *log = NULL;
    struct err err;

    if (platform_log_open(path, &log, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    platform_log_free(log);
}

/* ------------------------------------------------------------------ appending */

TEST(a_log_is_made_for_its_owner_alone)
{
    struct place p AUTO(place_done);
    unsigned before = fixture_umask(0);

    place_open(&p);
    put_well(&p, "one\n");
    put_well(&p, "two\n");
    fixture_expect_mode(p.path, 0600);
    expect_content(p.path, "one\ntwo\n");
    (void)fixture_umask(before);
}

TEST(what_is_there_stays_and_so_does_its_mode)
{
    struct place p AUTO(place_done);

    place_init(&p);
    fixture_write(p.path, "old\n");
    fixture_chmod(p.path, 0640);
    assert_int_equal(platform_log_open(p.path, &p.log, NULL), ERR_OK);
    put_well(&p, "new\n");
    expect_content(p.path, "old\nnew\n");
    fixture_expect_mode(p.path, 0640);
}

#define WRITERS 6
#define LINES 500

static int append_many(const char *path)
{
    struct platform_log *log = NULL;
    char line[200];

    CHILD_CHECK(platform_log_open(path, &log, NULL) == ERR_OK);
    memset(line, 'a' + (int)(platform_process_id() / 4 % 26), sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < LINES; i++)
        CHILD_CHECK(platform_log_append(log, line, sizeof line, NULL) == ERR_OK);
    platform_log_free(log);
    return CHILD_OK;
}

static bool is_of_one_letter(const char *line, size_t len)
{
    for (size_t i = 1; i < len; i++)
        if (line[i] != line[0])
            return false;
    return true;
}

TEST(lines_of_several_processes_do_not_mix)
{
    struct place p AUTO(place_done);
    struct buf AUTO_BUF all = BUF_INIT(1 << 20);
    size_t lines = 0;

    place_init(&p);
    fixture_in_processes(WRITERS, append_many, p.path);
    assert_int_equal(platform_file_read(p.path, &all, NULL, NULL), ERR_OK);
    for (const char *at = buf_cstr(&all); *at; at += 200, lines++) {
        assert_int_equal(at[199], '\n');
        assert_true(is_of_one_letter(at, 199));
    }
    assert_int_equal(lines, WRITERS * LINES);
}

/* ------------------------------------------------------------------ rotation */

TEST(a_log_that_was_renamed_is_made_anew)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *old = NULL;

    place_open(&p);
    old = fixture_path(p.dir, "x.log.1");
    put_well(&p, "one\n");
    fixture_rename(p.path, old);
    put_well(&p, "two\n");
    expect_content(old, "one\n");
    expect_content(p.path, "two\n");
}

TEST(a_log_that_was_replaced_is_left_for_the_new_one)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *fresh = NULL;
    char AUTO_FREE *old = NULL;

    place_open(&p);
    fresh = fixture_path(p.dir, "fresh");
    put_well(&p, "one\n");
    fixture_write(fresh, "made by the rotation\n");
    if (!fixture_has(FIXTURE_OPEN_FILES)) {
        old = fixture_path(p.dir, "x.log.1");
        fixture_rename(p.path, old);
    }
    fixture_rename(fresh, p.path);
    put_well(&p, "two\n");
    expect_content(p.path, "made by the rotation\ntwo\n");
}

TEST(a_log_that_was_truncated_begins_at_its_beginning)
{
    struct place p AUTO(place_done);

    place_open(&p);
    put_well(&p, "one\n");
    fixture_truncate(p.path, 0);
    put_well(&p, "two\n");
    expect_content(p.path, "two\n");
}

TEST(with_nothing_to_write_to_in_its_place_the_old_file_gets_the_line_and_the_caller_the_error)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *old = NULL;
    struct err err;

    place_open(&p);
    old = fixture_path(p.dir, "x.log.1");
    fixture_rename(p.path, old);
    fixture_mkdir(p.path, 0700);
    assert_int_equal(put(&p, "one\n", &err), ERR_UNSAFE);
    assert_non_null(strstr(err.msg, "it is a directory"));
    expect_content(old, "one\n");
    fixture_rmdir(p.path);
    put_well(&p, "two\n");
    expect_content(p.path, "two\n");
}

/* ------------------------------------------------------------------ what is no log */

TEST(what_is_no_file_is_refused_at_once)
{
    struct place p AUTO(place_done);

    place_init(&p);
    expect_refusal(p.dir, ERR_UNSAFE, "it is a directory");
    if (!fixture_can(FIXTURE_FIFOS))
        return;
    fixture_fifo(p.path);
    expect_refusal(p.path, ERR_UNSAFE, "it is a pipe"); /* and does not wait for a reader */
    fixture_unlink(p.path);
    fixture_socket(p.path);
    expect_refusal(p.path, ERR_UNSAFE, "it is neither a file nor a terminal");
}

TEST(character_devices_will_do)
{
    struct place p AUTO(place_done);
    struct err err;

    fixture_needs(FIXTURE_FIFOS);
    place_init(&p);
    assert_int_equal(platform_log_open("/dev/null", &p.log, &err), ERR_OK);
    put_well(&p, "gone\n");
    platform_log_free(p.log);
    assert_int_equal(platform_log_open("/dev/full", &p.log, &err), ERR_OK);
    assert_int_equal(put(&p, "too much\n", &err), ERR_IO);
    assert_non_null(strstr(err.msg, "No space left on device"));
    assert_non_null(strstr(err.hint, "Free some space"));
}

TEST(a_directory_that_is_not_there_is_not_made)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *path = NULL;

    place_init(&p);
    path = fixture_path(p.dir, "sub/x.log");
    expect_refusal(path, ERR_IO, fixture_here("No such file or directory", "sub/x.log"));
    assert_int_equal(fixture_count(p.dir), 0);
}

/* ------------------------------------------------------------------ what others may have put there */

TEST(a_link_of_ours_is_followed_and_its_target_made)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *link = NULL;
    char AUTO_FREE *chain = NULL;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    link = fixture_path(p.dir, "link");
    chain = fixture_path(p.dir, "chain");
    fixture_symlink("x.log", link);
    fixture_symlink(link, chain);
    assert_int_equal(platform_log_open(chain, &p.log, NULL), ERR_OK);
    put_well(&p, "one\n");
    expect_content(p.path, "one\n");
}

TEST(a_link_in_a_directory_for_everybody_is_not_followed)
{
    struct place p AUTO(place_done);
    struct place outside AUTO(place_done);
    char AUTO_FREE *victim = NULL;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    place_init(&outside);
    victim = fixture_path(outside.dir, "victim");
    fixture_write(victim, "valuable\n");
    fixture_chmod(p.dir, 01777);
    fixture_symlink(victim, p.path);
    expect_refusal(p.path, ERR_UNSAFE, "symbolic link in a directory that other users can write to");
    fixture_unlink(victim);
    expect_refusal(p.path, ERR_UNSAFE, "symbolic link");
    assert_false(platform_file_exists(victim));
    /* Nor from a safe place by way of an unsafe one. */
    fixture_symlink(p.path, outside.path);
    expect_refusal(outside.path, ERR_UNSAFE, "symbolic link");
}

TEST(a_plain_file_in_a_directory_for_everybody_is_fine)
{
    struct place p AUTO(place_done);

    place_init(&p);
    fixture_chmod(p.dir, 01777);
    expect_open(p.path);
    expect_open(p.path);
}

TEST(a_second_name_of_a_file_is_refused_where_others_could_have_made_it)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *victim = NULL;

    place_init(&p);
    victim = fixture_path(p.dir, "victim");
    fixture_write(victim, "valuable\n");
    fixture_link(victim, p.path);
    expect_open(p.path);
    fixture_chmod(p.dir, 01777);
    expect_refusal(p.path, ERR_UNSAFE, "hard link");
}

TEST(links_that_lead_nowhere_end)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *other = NULL;

    fixture_needs(FIXTURE_SYMLINKS);
    place_init(&p);
    other = fixture_path(p.dir, "other");
    fixture_symlink(other, p.path);
    fixture_symlink(p.path, other);
    expect_refusal(p.path, ERR_UNSAFE, "too many symbolic links");
}

TEST(what_belongs_to_another_user_is_refused)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *link = NULL;

    fixture_needs(FIXTURE_OWNERS);
    place_init(&p);
    fixture_write(p.path, "");
    fixture_chown(p.path, NOBODY, NOBODY);
    expect_refusal(p.path, ERR_UNSAFE, "belongs to another user");
    link = fixture_path(p.dir, "link");
    fixture_symlink("/dev/null", link);
    expect_open(link);
    fixture_lchown(link, NOBODY, NOBODY);
    expect_refusal(link, ERR_UNSAFE, "symbolic link");
}

/* ------------------------------------------------------------------ disks */

static int fill_the_disk(void *context)
{
    const struct place *p = context;
    char AUTO_FREE *filler = fixture_path(p->dir, "filler");
    char block[4096];
    struct platform_log *log = NULL;
    struct err err;
    char *now;
    FILE *file;

    if (!fixture_mount(p->dir, "size=64k"))
        return CHILD_CANNOT;
    memset(block, 'x', sizeof block);
    block[sizeof block - 1] = '\n';
    CHILD_CHECK(platform_log_open(p->path, &log, NULL) == ERR_OK);
    CHILD_CHECK(platform_log_append(log, "first\n", 6, NULL) == ERR_OK);
    file = fixture_open(filler, "w");
    while (file && fwrite(block, 1, sizeof block, file) == sizeof block && fflush(file) == 0)
        continue;
    /* The page of the first line has room for a part of this one. */
    CHILD_CHECK(platform_log_append(log, block, sizeof block, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "No space left on device"));
    CHILD_CHECK(file);
    (void)fclose(file);
    fixture_unlink(filler);
    CHILD_CHECK(platform_log_append(log, "last\n", 5, NULL) == ERR_OK);
    platform_log_free(log);
    now = fixture_read(p->path);
    CHILD_CHECK(now && text_starts_with(now, "first\nxxx") && text_ends_with(now, "xxx\nlast\n"));
    free(now);
    return CHILD_OK;
}

TEST(a_full_disk_is_an_error_and_what_follows_begins_on_a_line_of_its_own)
{
    struct place p AUTO(place_done);

    fixture_needs(FIXTURE_FAULTS);
    place_init(&p);
    fixture_in_child(fill_the_disk, &p);
}

static int be_read_only(void *context)
{
    const struct place *p = context;
    struct platform_log *log = NULL;
    struct err err;

    if (!fixture_mount(p->dir, "size=64k") || !fixture_remount_read_only(p->dir))
        return CHILD_CANNOT;
    CHILD_CHECK(platform_log_open(p->path, &log, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "Read-only file system") && strstr(err.hint, "mounted read-only"));
    return CHILD_OK;
}

TEST(a_read_only_file_system_is_an_error)
{
    struct place p AUTO(place_done);

    fixture_needs(FIXTURE_FAULTS);
    place_init(&p);
    fixture_in_child(be_read_only, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_is_made_for_its_owner_alone),
        cmocka_unit_test(what_is_there_stays_and_so_does_its_mode),
        cmocka_unit_test(lines_of_several_processes_do_not_mix),
        cmocka_unit_test(a_log_that_was_renamed_is_made_anew),
        cmocka_unit_test(a_log_that_was_replaced_is_left_for_the_new_one),
        cmocka_unit_test(a_log_that_was_truncated_begins_at_its_beginning),
        cmocka_unit_test(with_nothing_to_write_to_in_its_place_the_old_file_gets_the_line_and_the_caller_the_error),
        cmocka_unit_test(what_is_no_file_is_refused_at_once),
        cmocka_unit_test(character_devices_will_do),
        cmocka_unit_test(a_directory_that_is_not_there_is_not_made),
        cmocka_unit_test(a_link_of_ours_is_followed_and_its_target_made),
        cmocka_unit_test(a_link_in_a_directory_for_everybody_is_not_followed),
        cmocka_unit_test(a_plain_file_in_a_directory_for_everybody_is_fine),
        cmocka_unit_test(a_second_name_of_a_file_is_refused_where_others_could_have_made_it),
        cmocka_unit_test(links_that_lead_nowhere_end),
        cmocka_unit_test(what_belongs_to_another_user_is_refused),
        cmocka_unit_test(a_full_disk_is_an_error_and_what_follows_begins_on_a_line_of_its_own),
        cmocka_unit_test(a_read_only_file_system_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
