/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fixture.h"
#include "platform/platform.h"
#include "platform/posix.h"
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
    mode_t before = umask(0);
    struct stat st;

    place_open(&p);
    put_well(&p, "one\n");
    put_well(&p, "two\n");
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    expect_content(p.path, "one\ntwo\n");
    (void)umask(before);
}

TEST(what_is_there_stays_and_so_does_its_mode)
{
    struct place p AUTO(place_done);
    struct stat st;

    place_init(&p);
    fixture_write(p.path, "old\n");
    assert_int_equal(chmod(p.path, 0640), 0);
    assert_int_equal(platform_log_open(p.path, &p.log, NULL), ERR_OK);
    put_well(&p, "new\n");
    expect_content(p.path, "old\nnew\n");
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

#define WRITERS 6
#define LINES 500

static int append_many(void *context)
{
    const char *path = context;
    struct platform_log *log = NULL;
    char line[200];

    CHILD_CHECK(platform_log_open(path, &log, NULL) == ERR_OK);
    memset(line, 'a' + (int)getpid() % 26, sizeof line);
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
    fixture_in_children(WRITERS, append_many, p.path);
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
    assert_int_equal(rename(p.path, old), 0);
    put_well(&p, "two\n");
    expect_content(old, "one\n");
    expect_content(p.path, "two\n");
}

TEST(a_log_that_was_replaced_is_left_for_the_new_one)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *fresh = NULL;

    place_open(&p);
    fresh = fixture_path(p.dir, "fresh");
    put_well(&p, "one\n");
    fixture_write(fresh, "made by the rotation\n");
    assert_int_equal(rename(fresh, p.path), 0);
    put_well(&p, "two\n");
    expect_content(p.path, "made by the rotation\ntwo\n");
}

TEST(a_log_that_was_truncated_begins_at_its_beginning)
{
    struct place p AUTO(place_done);

    place_open(&p);
    put_well(&p, "one\n");
    assert_int_equal(truncate(p.path, 0), 0);
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
    assert_int_equal(rename(p.path, old), 0);
    assert_int_equal(mkdir(p.path, 0700), 0);
    assert_int_equal(put(&p, "one\n", &err), ERR_UNSAFE);
    assert_non_null(strstr(err.msg, "it is a directory"));
    expect_content(old, "one\n");
    assert_int_equal(rmdir(p.path), 0);
    put_well(&p, "two\n");
    expect_content(p.path, "two\n");
}

/* ------------------------------------------------------------------ what is no log */

TEST(what_is_no_file_is_refused_at_once)
{
    struct place p AUTO(place_done);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM, 0);

    place_init(&p);
    expect_refusal(p.dir, ERR_UNSAFE, "it is a directory");
    assert_int_equal(mkfifo(p.path, 0600), 0);
    expect_refusal(p.path, ERR_UNSAFE, "it is a pipe"); /* and does not wait for a reader */
    assert_int_equal(unlink(p.path), 0);
    assert_true(strlen(p.path) < sizeof address.sun_path);
    memcpy(address.sun_path, p.path, strlen(p.path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    expect_refusal(p.path, ERR_UNSAFE, "it is neither a file nor a terminal");
}

TEST(character_devices_will_do)
{
    struct place p AUTO(place_done);
    struct err err;

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
    expect_refusal(path, ERR_IO, "No such file or directory");
    assert_int_equal(fixture_count(p.dir), 0);
}

/* ------------------------------------------------------------------ what others may have put there */

TEST(a_link_of_ours_is_followed_and_its_target_made)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *link = NULL;
    char AUTO_FREE *chain = NULL;

    place_init(&p);
    link = fixture_path(p.dir, "link");
    chain = fixture_path(p.dir, "chain");
    assert_int_equal(symlink("x.log", link), 0);
    assert_int_equal(symlink(link, chain), 0);
    assert_int_equal(platform_log_open(chain, &p.log, NULL), ERR_OK);
    put_well(&p, "one\n");
    expect_content(p.path, "one\n");
}

TEST(a_link_in_a_directory_for_everybody_is_not_followed)
{
    struct place p AUTO(place_done);
    struct place outside AUTO(place_done);
    char AUTO_FREE *victim = NULL;

    place_init(&p);
    place_init(&outside);
    victim = fixture_path(outside.dir, "victim");
    fixture_write(victim, "valuable\n");
    assert_int_equal(chmod(p.dir, 01777), 0);
    assert_int_equal(symlink(victim, p.path), 0);
    expect_refusal(p.path, ERR_UNSAFE, "symbolic link in a directory that other users can write to");
    assert_int_equal(unlink(victim), 0);
    expect_refusal(p.path, ERR_UNSAFE, "symbolic link");
    assert_int_equal(access(victim, F_OK), -1);
    /* Nor from a safe place by way of an unsafe one. */
    assert_int_equal(symlink(p.path, outside.path), 0);
    expect_refusal(outside.path, ERR_UNSAFE, "symbolic link");
}

TEST(a_plain_file_in_a_directory_for_everybody_is_fine)
{
    struct place p AUTO(place_done);

    place_init(&p);
    assert_int_equal(chmod(p.dir, 01777), 0);
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
    assert_int_equal(link(victim, p.path), 0);
    expect_open(p.path);
    assert_int_equal(chmod(p.dir, 01777), 0);
    expect_refusal(p.path, ERR_UNSAFE, "hard link");
}

TEST(links_that_lead_nowhere_end)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *other = NULL;

    place_init(&p);
    other = fixture_path(p.dir, "other");
    assert_int_equal(symlink(other, p.path), 0);
    assert_int_equal(symlink(p.path, other), 0);
    expect_refusal(p.path, ERR_UNSAFE, "too many symbolic links");
}

TEST(what_belongs_to_another_user_is_refused)
{
    struct place p AUTO(place_done);
    char AUTO_FREE *link = NULL;

    place_init(&p);
    if (geteuid() != 0) {
        print_message("[   NOTE   ] a part was left out: only root can give files away\n");
        return;
    }
    fixture_write(p.path, "");
    assert_int_equal(chown(p.path, NOBODY, NOBODY), 0);
    expect_refusal(p.path, ERR_UNSAFE, "belongs to another user");
    link = fixture_path(p.dir, "link");
    assert_int_equal(symlink("/dev/null", link), 0);
    expect_open(link);
    assert_int_equal(lchown(link, NOBODY, NOBODY), 0);
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
    file = fopen(filler, "w");
    while (file && fwrite(block, 1, sizeof block, file) == sizeof block && fflush(file) == 0)
        continue;
    /* The page of the first line has room for a part of this one. */
    CHILD_CHECK(platform_log_append(log, block, sizeof block, &err) == ERR_IO);
    CHILD_CHECK(strstr(err.msg, "No space left on device"));
    CHILD_CHECK(file);
    (void)fclose(file);
    CHILD_CHECK(unlink(filler) == 0);
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
