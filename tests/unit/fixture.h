/* SPDX-License-Identifier: MIT
 *
 * Surroundings for tests of the platform and of files: directories that go away, child processes, and system
 * calls that fail or kill on demand.
 */
#ifndef ACME_DME_TESTS_UNIT_FIXTURE_H
#define ACME_DME_TESTS_UNIT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/attrs.h"

/* A new empty directory that everybody may pass through; freed together with all that is in it. */
char *fixture_dir_new(void) MUST_USE;
void fixture_dir_free(char *dir);

/* "<dir>/<name>"; yours. */
char *fixture_path(const char *dir, const char *name) MUST_USE;

void fixture_write(const char *path, const char *text);
/* Whole content, NULL when the file can't be read; yours. */
char *fixture_read(const char *path) MUST_USE;
/* Number of entries, hidden ones included. */
size_t fixture_count(const char *dir);

/* ------------------------------------------------------------------ child processes */

#define CHILD_OK 0
#define CHILD_FAILED 1
#define CHILD_CANNOT 77 /* this machine does not let us */

/* Run `body` in a process of its own; returns what it returned, or 1000 + the signal it died of. */
int fixture_child(int (*body)(void *context), void *context) MUST_USE;

/* The same, and the test fails unless it returned CHILD_OK; for CHILD_CANNOT a note is printed and false returned. */
bool fixture_in_child(int (*body)(void *context), void *context);

/* The same for a body that fixture_fail() is to kill. */
bool fixture_child_is_killed(int (*body)(void *context), void *context);

/* `count` of them at once, each of which has to return CHILD_OK. */
void fixture_in_children(size_t count, int (*body)(void *context), void *context);

/* For the body of a child: assertions of the test framework belong to the parent. */
#define CHILD_CHECK(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                              \
            return CHILD_FAILED;                                                                                       \
        }                                                                                                              \
    } while (0)

/* From now on this process is not root (it stays who it is if it isn't anyway). */
bool fixture_drop_root(void);

/* Mount an empty file system on `dir`, for this process only; `options` as in tmpfs(5), e.g. "size=64k". */
bool fixture_mount(const char *dir, const char *options);
/* Make it read-only. */
bool fixture_remount_read_only(const char *dir);

/* From now on a system call fails with `errnum`, or kills this process when errnum is 0.  Takes any number of
 * the names below. */
enum fixture_call {
    CALL_FSYNC,
    CALL_SYNCFS,
    CALL_RENAME,
    CALL_RENAME_NEW,
    CALL_LINK,
    CALL_FCNTL,
    CALL_UNLINK,
    CALL_WRITE,
    CALL_CLOSE_RANGE,
    CALL_GETRANDOM
};
bool fixture_fail(enum fixture_call call, int errnum);

bool fixture_is_under_valgrind(void);

/* For loops over all points at which something can go wrong: 1, under valgrind more, as only what such a path reads is
 * looked at there. */
size_t fixture_step(void);

#endif
