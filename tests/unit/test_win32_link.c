/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/win32.h"
#include "test.h"
#include "util/parse.h"
#include "util/text.h"
#include "win32_faults.h"

#define SWITCHERS 3
#define ROUNDS 15
#define KILLS 15

/* "<dir>/archive/<n>" for n from 1 on, and "<dir>/certs/x", the link. */
struct place {
    char *dir;
    char *certs;
    char *link;
};

static const char *const file_names[] = {"cert.pem", "privkey.pem"};

static char *target_of(unsigned n)
{
    return mem_printf("../archive/%u", n);
}

static char *archive_of(const char *dir, unsigned n)
{
    return mem_printf("%s/archive/%u", dir, n);
}

static char *content_of(const char *file, unsigned n)
{
    return mem_printf("%s of %u", file, n);
}

static void put_generation(const char *dir, unsigned n)
{
    char AUTO_FREE *path = archive_of(dir, n);
    char AUTO_FREE *cert = content_of(file_names[0], n);
    char AUTO_FREE *key = content_of(file_names[1], n);
    const struct platform_tree_file files[] = {
        {.name = file_names[0], .data = cert, .len = strlen(cert), .access = {.mode = 0644}},
        {.name = file_names[1], .data = key, .len = strlen(key), .access = {.mode = 0600}},
    };
    struct platform_tree tree = {.path = path, .access = {.mode = 0700}, .files = files, .count = 2};

    platform_trees_create(&tree, 1);
    if (tree.err.code != ERR_OK)
        fail_msg("%s", tree.err.msg);
}

static void place_init(struct place *p, unsigned generations)
{
    char AUTO_FREE *archive = NULL;

    p->dir = fixture_dir_new();
    p->certs = fixture_path(p->dir, "certs");
    p->link = fixture_path(p->certs, "x");
    archive = fixture_path(p->dir, "archive");
    fixture_mkdir(archive, 0700);
    fixture_mkdir(p->certs, 0700);
    for (unsigned n = 1; n <= generations; n++)
        put_generation(p->dir, n);
}

static void place_done(struct place *p)
{
    free(p->certs);
    free(p->link);
    fixture_dir_free(p->dir);
}

static enum err_code switch_to(const struct place *p, unsigned n, struct err *err)
{
    char AUTO_FREE *target = target_of(n);

    return platform_link_switch(p->link, target, err);
}

static void switch_well(const struct place *p, unsigned n)
{
    struct err err;

    if (switch_to(p, n, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static void expect_files(const char *at, unsigned n)
{
    for (size_t i = 0; i < ARRAY_LEN(file_names); i++) {
        char AUTO_FREE *path = fixture_path(at, file_names[i]);
        char AUTO_FREE *now = fixture_read(path);
        char AUTO_FREE *want = content_of(file_names[i], n);

        assert_string_equal(now ? now : "(no file)", want);
    }
    assert_int_equal(fixture_count(at), ARRAY_LEN(file_names) + 1);
}

/* Which generation the link leads to, all of its files being of that; 0: there is none. */
static unsigned generation_of(const struct place *p)
{
    char AUTO_FREE *target = NULL;
    struct err err;
    enum err_code rc = platform_link_read(p->link, &target, &err);
    uint64_t n;

    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc != ERR_OK)
        fail_msg("%s", err.msg);
    assert_true(text_starts_with(target, "../archive/"));
    assert_true(parse_uint(target + strlen("../archive/"), 1, 100, &n));
    expect_files(p->link, (unsigned)n);
    return (unsigned)n;
}

/* ------------------------------------------------------------------ making and switching */

static DWORD names_of_file(const char *dir, const char *name)
{
    char AUTO_FREE *path = fixture_path(dir, name);
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE AUTO_HANDLE handle = CreateFileW(wide, FILE_READ_ATTRIBUTES, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    BY_HANDLE_FILE_INFORMATION info;

    assert_true(handle != INVALID_HANDLE_VALUE && GetFileInformationByHandle(handle, &info));
    return info.nNumberOfLinks;
}

TEST(a_link_is_made_and_switched_and_nothing_is_left_beside_it)
{
    struct place p;
    struct platform_path_info info;
    char AUTO_FREE *first = NULL;

    place_init(&p, 2);
    first = archive_of(p.dir, 1);
    assert_int_equal(generation_of(&p), 0);
    switch_well(&p, 1);
    assert_int_equal(generation_of(&p), 1);
    assert_int_equal(names_of_file(p.link, "privkey.pem"), 2);
    switch_well(&p, 2);
    assert_true(faults_moved_durably());
    assert_int_equal(generation_of(&p), 2);
    assert_int_equal(names_of_file(first, "privkey.pem"), 1);
    switch_well(&p, 2);
    switch_well(&p, 1);
    assert_int_equal(generation_of(&p), 1);
    assert_int_equal(fixture_count(p.certs), 1);
    assert_int_equal(platform_path_look(p.link, &info, NULL), ERR_OK);
    assert_int_equal(info.kind, PLATFORM_PATH_LINK);
    assert_true(info.leads_to_directory);
    place_done(&p);
}

TEST(the_directory_of_a_link_has_the_access_of_its_target)
{
    struct place p;

    place_init(&p, 1);
    switch_well(&p, 1);
    assert_int_equal(faults_access()[0], '\0'); /* the note was made last, and inherits */
    faults_at(2, ERROR_ACCESS_DENIED);          /* the lock is the first, the directory the second */
    assert_int_equal(switch_to(&p, 1, NULL), ERR_IO);
    faults_at(0, 0);
    assert_non_null(strstr(faults_access(), ";SY)"));
    assert_int_equal(generation_of(&p), 1);
    place_done(&p);
}

TEST(several_links_have_outcomes_of_their_own)
{
    struct place p;
    char AUTO_FREE *second = NULL;
    char AUTO_FREE *third = NULL;
    char AUTO_FREE *target = NULL;

    place_init(&p, 1);
    second = fixture_path(p.certs, "y");
    third = fixture_path(p.certs, "z");
    fixture_write(second, "precious");
    {
        struct platform_link links[] = {
            {.path = p.link, .target = "../archive/1", .err = {.code = ERR_INTERNAL}},
            {.path = second, .target = "../archive/1"},
            {.path = third, .target = "../archive/7"},
            {.path = third, .target = "../archive/1"},
        };

        platform_links_switch(links, ARRAY_LEN(links));
        assert_int_equal(links[0].err.code, ERR_OK);
        assert_int_equal(links[1].err.code, ERR_EXISTS);
        assert_non_null(strstr(links[1].err.msg, "something else is there"));
        assert_int_equal(links[2].err.code, ERR_IO);
        assert_non_null(strstr(links[2].err.msg, "archive/7"));
        assert_int_equal(links[3].err.code, ERR_OK);
    }
    assert_int_equal(platform_link_read(third, &target, NULL), ERR_OK);
    assert_int_equal(fixture_count(p.certs), 3);
    place_done(&p);
}

TEST(what_is_no_link_is_not_replaced_and_not_read_as_one)
{
    struct place p;
    char AUTO_FREE *target = NULL;
    char AUTO_FREE *file = NULL;
    struct err err;

    place_init(&p, 1);
    assert_int_equal(platform_link_read(p.link, &target, &err), ERR_NOT_FOUND);
    fixture_mkdir(p.link, 0700);
    file = fixture_path(p.link, "precious");
    fixture_write(file, "precious");
    assert_int_equal(switch_to(&p, 1, &err), ERR_EXISTS);
    assert_int_equal(platform_link_read(p.link, &target, &err), ERR_INPUT);
    assert_int_equal(platform_link_read(file, &target, &err), ERR_INPUT);
    assert_int_equal(win32_link_remove(p.link, &err), ERR_IO);
    assert_null(target);
    assert_int_equal(fixture_count(p.link), 1);
    assert_int_equal(fixture_count(p.certs), 1);
    place_done(&p);
}

TEST(a_target_that_is_missing_is_an_error_and_the_old_link_stays)
{
    struct place p;
    struct err err;

    place_init(&p, 1);
    assert_int_equal(switch_to(&p, 9, &err), ERR_IO);
    assert_int_equal(fixture_count(p.certs), 0);
    switch_well(&p, 1);
    assert_int_equal(switch_to(&p, 9, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "archive/9"));
    assert_int_equal(generation_of(&p), 1);
    assert_int_equal(fixture_count(p.certs), 1);
    place_done(&p);
}

TEST(a_link_whose_target_is_gone_has_its_files_and_tells_where_it_led)
{
    struct place p;
    char AUTO_FREE *first = NULL;

    place_init(&p, 2);
    first = archive_of(p.dir, 1);
    switch_well(&p, 1);
    assert_int_equal(platform_tree_remove(first, NULL), ERR_OK);
    assert_int_equal(generation_of(&p), 1);
    switch_well(&p, 2);
    assert_int_equal(generation_of(&p), 2);
    place_done(&p);
}

TEST(an_absolute_target_and_names_in_other_scripts_and_long_paths_will_do)
{
    struct place p;
    char AUTO_FREE *dir = NULL;
    char AUTO_FREE *link = NULL;
    char AUTO_FREE *target = NULL;
    char AUTO_FREE *now = NULL;

    place_init(&p, 1);
    dir = mem_strdup(p.certs);
    while (strlen(dir) < 400) {
        char *deeper = mem_printf("%s/\xe6\x97\xa5\xe6\x9c\xac-0123456789-0123456789-0123456789-0123456789", dir);

        free(dir);
        dir = deeper;
    }
    assert_int_equal(platform_dir_make(dir, NULL), ERR_OK);
    link = fixture_path(dir, "gr\xc3\xbc\xc3\x9f"
                             "e");
    target = archive_of(p.dir, 1);
    assert_int_equal(platform_link_switch(link, target, NULL), ERR_OK);
    assert_int_equal(platform_link_switch(link, target, NULL), ERR_OK);
    assert_int_equal(platform_link_read(link, &now, NULL), ERR_OK);
    assert_string_equal(now, target);
    expect_files(link, 1);
    assert_int_equal(fixture_count(dir), 1);
    place_done(&p);
}

TEST(without_hard_links_the_files_are_copied_with_their_access)
{
    struct place p;

    place_init(&p, 2);
    faults_fail(FAULT_LINK, ERROR_INVALID_FUNCTION);
    switch_well(&p, 1);
    switch_well(&p, 2);
    assert_int_equal(generation_of(&p), 2);
    assert_int_equal(names_of_file(p.link, "privkey.pem"), 1);
    faults_at(3, ERROR_DISK_FULL); /* the lock, the directory, a link that fails by itself, and so the first file */
    assert_int_equal(switch_to(&p, 1, NULL), ERR_OK);
    faults_at(4, ERROR_ACCESS_DENIED);
    assert_int_equal(switch_to(&p, 1, NULL), ERR_IO);
    assert_non_null(strstr(faults_access(), ";SY)"));
    faults_at(0, 0);
    faults_fail(FAULT_LINK, 0);
    assert_int_equal(generation_of(&p), 1);
    assert_int_equal(fixture_count(p.certs), 1);
    place_done(&p);
}

TEST(a_link_is_removed_and_one_that_is_absent_is_no_error)
{
    struct place p;
    char AUTO_FREE *first = NULL;

    place_init(&p, 1);
    first = archive_of(p.dir, 1);
    switch_well(&p, 1);
    assert_int_equal(platform_file_remove(p.link, NULL), ERR_OK);
    assert_int_equal(fixture_count(p.certs), 0);
    assert_int_equal(win32_link_remove(p.link, NULL), ERR_OK);
    assert_int_equal(platform_file_remove(p.link, NULL), ERR_OK);
    assert_int_equal(generation_of(&p), 0);
    assert_int_equal(fixture_count(first), 2);
    place_done(&p);
}

/* ------------------------------------------------------------------ what a switch that was cut short leaves */

/* A temporary directory with the files of a generation, and a note, if any. */
static void put_temp(const struct place *p, unsigned n, const char *note, size_t files)
{
    char AUTO_FREE *temp = mem_printf("%s/" WIN32_TEMP_PREFIX "%08u-%zu" WIN32_TEMP_SUFFIX, p->certs, n, files);

    fixture_mkdir(temp, 0700);
    for (size_t i = 0; i < files; i++) {
        char AUTO_FREE *path = fixture_path(temp, file_names[i]);
        char AUTO_FREE *text = content_of(file_names[i], n);

        fixture_write(path, text);
    }
    if (note) {
        char AUTO_FREE *path = fixture_path(temp, WIN32_LINK_NOTE);

        fixture_write(path, note);
    }
}

static void put_link(const struct place *p, unsigned n)
{
    char AUTO_FREE *temp = mem_printf("%s/" WIN32_TEMP_PREFIX "%08u-2" WIN32_TEMP_SUFFIX, p->certs, n);
    char AUTO_FREE *note = mem_printf("../archive/%u\nx\n%u\n", n, n * 10);

    put_temp(p, n, note, 2);
    fixture_rename(temp, p->link);
}

/* A state of the directory, and what the link is in it. */
struct left {
    unsigned link; /* generation at the link's own path; 0: there is nothing */
    struct {
        unsigned n;
        const char *note;
        size_t files;
    } temps[3];
    unsigned is;
};

#define NOTE(n, number) "../archive/" #n "\nx\n" #number "\n"

static const struct left lefts[] = {
    {.link = 1, .is = 1},
    /* cut short before the note of 2 was whole: made, one file, all files, a note in parts, or of zeros */
    {.link = 1, .temps = {{2, NULL, 0}}, .is = 1},
    {.link = 1, .temps = {{2, NULL, 1}}, .is = 1},
    {.link = 1, .temps = {{2, NULL, 2}}, .is = 1},
    {.link = 1, .temps = {{2, "", 2}}, .is = 1},
    {.link = 1, .temps = {{2, "../archive/2\n", 2}}, .is = 1},
    {.link = 1, .temps = {{2, "../archive/2\nx\n2", 2}}, .is = 1},
    {.temps = {{2, "../archive/2\nx\n2", 2}}, .is = 0},
    {.temps = {{2, NULL, 2}}, .is = 0},
    /* after the note */
    {.link = 1, .temps = {{2, NOTE(2, 20), 2}}, .is = 1},
    {.temps = {{2, NOTE(2, 20), 2}}, .is = 2},
    /* after the link was set aside */
    {.temps = {{1, NOTE(1, 10), 2}, {2, NOTE(2, 20), 2}}, .is = 2},
    {.temps = {{2, NOTE(2, 20), 2}, {1, NOTE(1, 100), 2}}, .is = 1},
    /* and with what still earlier ones left */
    {.temps = {{1, NOTE(1, 10), 2}, {2, NOTE(2, 20), 2}, {3, NOTE(3, 15), 2}}, .is = 2},
    {.temps = {{1, NOTE(1, 10), 2}, {2, NOTE(2, 9), 2}, {3, "../archive/3\nx\n", 2}}, .is = 1},
    /* after the new one took its place; with the old one on its way out */
    {.link = 2, .temps = {{1, NOTE(1, 10), 2}}, .is = 2},
    {.link = 2, .temps = {{1, NULL, 2}}, .is = 2},
    {.link = 2, .temps = {{1, NULL, 1}}, .is = 2},
    {.link = 2, .temps = {{1, NULL, 0}}, .is = 2},
    /* of another link, and what is no note at all */
    {.temps = {{1, "../archive/1\ny\n10\n", 2}, {2, "../archive/2\nx\n-1\n", 2}, {3, "\n\n\n", 2}}, .is = 0},
    {.temps = {{1, "../archive/1\nX\n10\n", 2}, {2, "../archive/2\n../certs/x\n20\n", 2}}, .is = 1},
    {.temps = {{1, "../archive/1\nx\n10\n\n", 2}, {2, "../archive/2\nx\n18446744073709551616\n", 2}}, .is = 0},
};

static void left_init(struct place *p, const struct left *left)
{
    place_init(p, 4);
    if (left->link)
        put_link(p, left->link);
    for (size_t i = 0; i < ARRAY_LEN(left->temps) && left->temps[i].n; i++)
        put_temp(p, left->temps[i].n, left->temps[i].note, left->temps[i].files);
}

static void sweep(const struct place *p)
{
    platform_dir_sweep(p->certs, clock_wall_ms(platform_clock()) + 600000, 1000);
}

TEST(the_next_read_finds_the_link_and_puts_it_in_its_place)
{
    struct place p;

    for (size_t i = 0; i < ARRAY_LEN(lefts); i++) {
        left_init(&p, &lefts[i]);
        assert_int_equal(generation_of(&p), lefts[i].is);
        assert_int_equal(platform_file_exists(p.link), lefts[i].is != 0);
        assert_int_equal(generation_of(&p), lefts[i].is);
        place_done(&p);
    }
}

TEST(a_sweep_puts_the_link_in_its_place_and_removes_the_rest)
{
    struct place p;

    for (size_t i = 0; i < ARRAY_LEN(lefts); i++) {
        size_t others = 0;
        char AUTO_FREE *other = NULL;

        left_init(&p, &lefts[i]);
        other = fixture_path(p.certs, "y");
        sweep(&p);
        others = platform_file_exists(other);
        assert_int_equal(fixture_count(p.certs), others + (lefts[i].is != 0));
        assert_int_equal(generation_of(&p), lefts[i].is);
        place_done(&p);
    }
}

TEST(the_next_switch_succeeds_and_is_what_the_link_is)
{
    struct place p;

    for (size_t i = 0; i < ARRAY_LEN(lefts); i++) {
        left_init(&p, &lefts[i]);
        switch_well(&p, 4);
        assert_int_equal(generation_of(&p), 4);
        sweep(&p);
        assert_int_equal(generation_of(&p), 4);
        place_done(&p);
    }
}

TEST(a_switch_that_fails_leaves_what_the_link_was)
{
    struct place p;

    for (size_t i = 0; i < ARRAY_LEN(lefts); i++) {
        left_init(&p, &lefts[i]);
        assert_int_equal(switch_to(&p, 9, NULL), ERR_IO);
        assert_int_equal(generation_of(&p), lefts[i].is);
        place_done(&p);
    }
}

TEST(the_number_of_a_switch_is_above_all_that_are_left)
{
    struct place p;
    char AUTO_FREE *path = NULL;
    char AUTO_FREE *note = NULL;

    left_init(&p, &lefts[9]);
    path = fixture_path(p.link, WIN32_LINK_NOTE);
    switch_well(&p, 4);
    note = fixture_read(path);
    assert_string_equal(note, "../archive/4\nx\n21\n");
    place_done(&p);
}

TEST(a_link_that_is_removed_does_not_come_back)
{
    struct place p;

    for (size_t i = 0; i < ARRAY_LEN(lefts); i++) {
        left_init(&p, &lefts[i]);
        assert_int_equal(win32_link_remove(p.link, NULL), ERR_OK);
        assert_int_equal(generation_of(&p), 0);
        sweep(&p);
        assert_int_equal(generation_of(&p), 0);
        place_done(&p);
    }
}

TEST(young_leftovers_are_not_swept)
{
    struct place p;

    left_init(&p, &lefts[3]);
    platform_dir_sweep(p.certs, clock_wall_ms(platform_clock()), 600000);
    assert_int_equal(fixture_count(p.certs), 2);
    place_done(&p);
}

/* ------------------------------------------------------------------ kills */

/* The text is "<nth> <generation> <dir>". */
static unsigned take_number(const char **text)
{
    const char *space = strchr(*text, ' ');
    char AUTO_FREE *word = mem_strndup(*text, (size_t)(space - *text));
    uint64_t number;

    *text = space + 1;
    return parse_uint(word, 0, 1000, &number) ? (unsigned)number : 0;
}

/* Generation 0: it is removed. */
static int die_while_switching(const char *text)
{
    unsigned nth = take_number(&text);
    unsigned n = take_number(&text);
    char AUTO_FREE *link = mem_printf("%s/certs/x", text);
    char AUTO_FREE *target = target_of(n);

    faults_at(nth, 0);
    CHILD_CHECK((n ? platform_link_switch(link, target, NULL) : win32_link_remove(link, NULL)) == ERR_OK);
    return CHILD_OK;
}

/* False once the child came to its end. */
static bool kill_at(unsigned nth, unsigned before, unsigned after)
{
    struct place p;
    char AUTO_FREE *text = NULL;
    unsigned now;
    int status;

    place_init(&p, 3);
    if (before)
        switch_well(&p, before);
    text = mem_printf("%u %u %s", nth, after, p.dir);
    status = fixture_process_end(fixture_process_start(die_while_switching, text));
    assert_true(status == CHILD_OK || status == 9);
    now = generation_of(&p);
    assert_true(now == after || (status != CHILD_OK && now == before));
    if (nth % 2)
        sweep(&p);
    assert_int_equal(generation_of(&p), now);
    switch_well(&p, 3);
    assert_int_equal(generation_of(&p), 3);
    sweep(&p);
    assert_int_equal(generation_of(&p), 3);
    assert_int_equal(fixture_count(p.certs), 1);
    place_done(&p);
    return status != CHILD_OK;
}

TEST(a_kill_before_any_step_leaves_the_old_link_or_the_new_one)
{
    unsigned nth = 1;

    while (kill_at(nth, 0, 1))
        nth++;
    assert_in_range(nth, 9, 20);
    nth = 1;
    while (kill_at(nth, 1, 2))
        nth++;
    assert_in_range(nth, 14, 25);
    nth = 1;
    while (kill_at(nth, 1, 0))
        nth++;
    assert_in_range(nth, 6, 15);
}

/* The text is "<dir>". */
static int switch_forever(const char *text)
{
    char AUTO_FREE *link = mem_printf("%s/certs/x", text);

    for (;;)
        for (unsigned n = 1; n <= 2; n++) {
            char AUTO_FREE *target = target_of(n);
            struct err err;

            if (platform_link_switch(link, target, &err) != ERR_OK) {
                (void)fprintf(stderr, "%s\n", err.msg);
                return CHILD_FAILED;
            }
        }
}

TEST(a_kill_at_any_time_leaves_a_whole_link)
{
    struct place p;

    place_init(&p, 3);
    switch_well(&p, 1);
    for (int i = 0; i < KILLS; i++) {
        struct fixture_process *child = fixture_process_start(switch_forever, p.dir);

        fixture_sleep_ms(100 + i * 7);
        fixture_process_kill(child);
        assert_in_range(generation_of(&p), 1, 2);
    }
    switch_well(&p, 3);
    sweep(&p);
    assert_int_equal(generation_of(&p), 3);
    assert_int_equal(fixture_count(p.certs), 1);
    place_done(&p);
}

/* ------------------------------------------------------------------ others at work */

static int switch_many(const char *text)
{
    char AUTO_FREE *link = mem_printf("%s/certs/x", text);

    for (unsigned i = 0; i < ROUNDS; i++) {
        char AUTO_FREE *target = target_of(1 + (unsigned)(GetCurrentProcessId() / 4 + i) % 3);
        struct err err;

        if (platform_link_switch(link, target, &err) != ERR_OK) {
            (void)fprintf(stderr, "%s\n", err.msg);
            return CHILD_FAILED;
        }
    }
    return CHILD_OK;
}

TEST(switches_side_by_side_all_succeed_and_the_link_can_always_be_read)
{
    struct fixture_process *children[SWITCHERS];
    struct place p;

    place_init(&p, 3);
    switch_well(&p, 1);
    for (size_t i = 0; i < SWITCHERS; i++)
        children[i] = fixture_process_start(switch_many, p.dir);
    for (int i = 0; i < 100; i++) {
        char AUTO_FREE *target = NULL;
        struct err err;

        if (platform_link_read(p.link, &target, &err) != ERR_OK)
            fail_msg("%s", err.msg);
        fixture_sleep_ms(5);
    }
    for (size_t i = 0; i < SWITCHERS; i++)
        assert_int_equal(fixture_process_end(children[i]), CHILD_OK);
    assert_in_range(generation_of(&p), 1, 3);
    assert_int_equal(fixture_count(p.certs), 1);
    place_done(&p);
}

/* The directory is open to nobody else's renaming. */
static HANDLE hold(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE handle = CreateFileW(wide, FILE_LIST_DIRECTORY, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                                FILE_FLAG_BACKUP_SEMANTICS, NULL);

    assert_true(handle != INVALID_HANDLE_VALUE);
    return handle;
}

static int hold_for_a_second(const char *text)
{
    HANDLE AUTO_HANDLE handle = hold(text);
    char AUTO_FREE *ready = mem_printf("%s-is-held", text);

    fixture_write(ready, "");
    fixture_sleep_ms(1000);
    return CHILD_OK;
}

TEST(a_program_that_uses_the_link_delays_its_switch)
{
    struct place p;
    struct fixture_process *user;
    char AUTO_FREE *ready = NULL;
    ULONGLONG start;

    place_init(&p, 2);
    ready = fixture_path(p.certs, "x-is-held");
    switch_well(&p, 1);
    user = fixture_process_start(hold_for_a_second, p.link);
    for (int i = 0; i < 500 && !platform_file_exists(ready); i++)
        fixture_sleep_ms(20);
    start = GetTickCount64();
    switch_well(&p, 2);
    assert_in_range(GetTickCount64() - start, 300, 4500);
    assert_int_equal(generation_of(&p), 2);
    assert_int_equal(fixture_process_end(user), CHILD_OK);
    place_done(&p);
}

TEST(a_program_that_uses_it_for_ever_is_an_error_and_the_old_link_stays)
{
    struct place p;
    struct err err;
    HANDLE handle;

    place_init(&p, 2);
    switch_well(&p, 1);
    handle = hold(p.link);
    assert_int_equal(switch_to(&p, 2, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "in use by another program"));
    assert_non_null(strstr(err.msg, p.link));
    assert_int_equal(win32_link_remove(p.link, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "in use by another program"));
    assert_int_equal(generation_of(&p), 1);
    assert_int_equal(fixture_count(p.certs), 1);
    win32_close_auto(&handle);
    switch_well(&p, 2);
    assert_int_equal(generation_of(&p), 2);
    place_done(&p);
}

/* ------------------------------------------------------------------ faults */

/* A failure of any step: success was said only of a switch that is done, and all is well again with the next one. */
static bool fail_at(unsigned nth, unsigned before)
{
    struct place p;
    struct err err;
    enum err_code rc;
    bool has_failed;

    place_init(&p, 3);
    if (before)
        switch_well(&p, before);
    faults_at(nth, ERROR_DISK_FULL);
    rc = switch_to(&p, 2, &err);
    has_failed = nth <= faults_changes();
    faults_at(0, 0);
    assert_true(rc == ERR_OK || (has_failed && rc == ERR_IO && *err.msg));
    assert_int_equal(platform_file_exists(p.link), rc == ERR_OK || before != 0);
    assert_int_equal(generation_of(&p), rc == ERR_OK ? 2 : before);
    switch_well(&p, 3);
    sweep(&p);
    assert_int_equal(generation_of(&p), 3);
    assert_int_equal(fixture_count(p.certs), 1);
    place_done(&p);
    return has_failed;
}

TEST(a_failure_of_any_step_leaves_the_old_link_and_is_told)
{
    unsigned nth = 1;

    while (fail_at(nth, 0))
        nth++;
    assert_in_range(nth, 9, 20);
    nth = 1;
    while (fail_at(nth, 1))
        nth++;
    assert_in_range(nth, 14, 25);
}

/* Somebody who may not write there, and finds the link missing. */
TEST(who_may_not_put_the_link_in_its_place_reads_it_all_the_same)
{
    struct place p;
    char AUTO_FREE *target = NULL;

    left_init(&p, &lefts[11]);
    faults_fail(FAULT_MAKE_FILE, ERROR_ACCESS_DENIED);
    assert_int_equal(platform_link_read(p.link, &target, NULL), ERR_OK);
    faults_fail(FAULT_MAKE_FILE, 0);
    assert_string_equal(target, "../archive/2");
    assert_false(platform_file_exists(p.link));
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_made_and_switched_and_nothing_is_left_beside_it),
        cmocka_unit_test(the_directory_of_a_link_has_the_access_of_its_target),
        cmocka_unit_test(several_links_have_outcomes_of_their_own),
        cmocka_unit_test(what_is_no_link_is_not_replaced_and_not_read_as_one),
        cmocka_unit_test(a_target_that_is_missing_is_an_error_and_the_old_link_stays),
        cmocka_unit_test(a_link_whose_target_is_gone_has_its_files_and_tells_where_it_led),
        cmocka_unit_test(an_absolute_target_and_names_in_other_scripts_and_long_paths_will_do),
        cmocka_unit_test(without_hard_links_the_files_are_copied_with_their_access),
        cmocka_unit_test(a_link_is_removed_and_one_that_is_absent_is_no_error),
        cmocka_unit_test(the_next_read_finds_the_link_and_puts_it_in_its_place),
        cmocka_unit_test(a_sweep_puts_the_link_in_its_place_and_removes_the_rest),
        cmocka_unit_test(the_next_switch_succeeds_and_is_what_the_link_is),
        cmocka_unit_test(a_switch_that_fails_leaves_what_the_link_was),
        cmocka_unit_test(the_number_of_a_switch_is_above_all_that_are_left),
        cmocka_unit_test(a_link_that_is_removed_does_not_come_back),
        cmocka_unit_test(young_leftovers_are_not_swept),
        cmocka_unit_test(a_kill_before_any_step_leaves_the_old_link_or_the_new_one),
        cmocka_unit_test(a_kill_at_any_time_leaves_a_whole_link),
        cmocka_unit_test(switches_side_by_side_all_succeed_and_the_link_can_always_be_read),
        cmocka_unit_test(a_program_that_uses_the_link_delays_its_switch),
        cmocka_unit_test(a_program_that_uses_it_for_ever_is_an_error_and_the_old_link_stays),
        cmocka_unit_test(a_failure_of_any_step_leaves_the_old_link_and_is_told),
        cmocka_unit_test(who_may_not_put_the_link_in_its_place_reads_it_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
