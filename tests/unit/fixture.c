/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "test.h"
#include "util/mem.h"

#define FILE_MAX 65536
#define AWAIT_MS 60000

/* ------------------------------------------------------------------ what there is to test with */

static const char *lack_of(enum fixture_means means)
{
    static const char *const texts[] = {
        [FIXTURE_FORK] = "no fork()",
        [FIXTURE_FAULTS] = "no system calls that fail on demand",
        [FIXTURE_OWNERS] = "files cannot be given to others",
        [FIXTURE_SYMLINKS] = "no symbolic links for everybody",
        [FIXTURE_FIFOS] = "no pipes, sockets and devices in the file system",
        [FIXTURE_MODES] = "no permission bits",
        [FIXTURE_GROUPS] = "what groups may do is not kept",
        [FIXTURE_SIGNALS] = "no signals",
        [FIXTURE_INTERPOSITION] = "no functions of the C library to replace",
        [FIXTURE_ANY_NAME] = "not every name is one of a file",
        [FIXTURE_OPEN_FILES] = "files that are open stay where they are",
        [FIXTURE_ANY_DATE] = "the C library does not know every date",
        [FIXTURE_BAD_FORMATS] = "the C library formats whatever it gets",
    };

    return texts[means];
}

void fixture_needs(enum fixture_means means)
{
    if (fixture_has(means))
        return;
    print_message("[   NOTE   ] %s here\n", lack_of(means));
    skip();
}

bool fixture_can(enum fixture_means means)
{
    bool can = fixture_has(means);

    if (!can)
        print_message("[   NOTE   ] a part was left out: %s here\n", lack_of(means));
    return can;
}

const char *fixture_here(const char *posix, const char *windows)
{
    return fixture_has(FIXTURE_MODES) ? posix : windows;
}

const char *fixture_no_such_file(void)
{
    static struct err err;
    struct buf none = BUF_INIT(1);
    const char *text;

    assert_int_equal(platform_file_read("there-is-no-such-file", &none, NULL, &err), ERR_NOT_FOUND);
    text = strstr(err.msg, "\": ");
    assert_non_null(text);
    return fixture_here("No such file or directory", text + 3);
}

/* ------------------------------------------------------------------ files */

char *fixture_path(const char *dir, const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

void fixture_write(const char *path, const char *text)
{
    FILE *file = fixture_open(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

char *fixture_read_stream(FILE *file)
{
    char *text = mem_calloc(FILE_MAX, 1);

    text[fread(text, 1, FILE_MAX - 1, file)] = '\0';
    return text;
}

char *fixture_read(const char *path)
{
    FILE *file = fixture_open(path, "r");
    char *text = file ? fixture_read_stream(file) : NULL;

    if (file)
        (void)fclose(file);
    return text;
}

void fixture_sleep_ms(int64_t ms)
{
    (void)!clock_sleep_ms(platform_clock(), ms);
}

void fixture_await_file(const char *path)
{
    int64_t until_ms = clock_mono_ms(platform_clock()) + AWAIT_MS;

    while (!platform_file_exists(path)) {
        if (clock_mono_ms(platform_clock()) > until_ms)
            fail_msg("\"%s\" did not come", path);
        fixture_sleep_ms(1);
    }
}

/* ------------------------------------------------------------------ child processes */

bool fixture_in_child(int (*body)(void *context), void *context)
{
    int result = fixture_child(body, context);

    /* Not skip(): that jumps over the caller's cleanup. */
    if (result == CHILD_CANNOT)
        print_message("[   NOTE   ] a part was left out: this machine does not let us\n");
    else
        assert_int_equal(result, CHILD_OK);
    return result == CHILD_OK;
}

void fixture_in_processes(size_t count, fixture_process_body *body, const char *text)
{
    struct fixture_process **processes = mem_calloc(count, sizeof(struct fixture_process *));

    for (size_t i = 0; i < count; i++)
        processes[i] = fixture_process_start(body, text);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fixture_process_end(processes[i]), CHILD_OK);
    free(processes);
}

bool fixture_is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "vgpreload");
}

size_t fixture_step(void)
{
    if (fixture_is_under_valgrind())
        return 11;
    return fixture_has(FIXTURE_FORK) ? 1 : 5;
}
