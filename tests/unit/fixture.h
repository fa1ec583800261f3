/* SPDX-License-Identifier: MIT
 *
 * Surroundings for tests of the platform and of files: directories that go away, child processes, and system
 * calls that fail or kill on demand.  What differs between systems is in fixture_posix.c and fixture_win32.c.
 */
#ifndef ACME_DME_TESTS_UNIT_FIXTURE_H
#define ACME_DME_TESTS_UNIT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "util/attrs.h"

/* ------------------------------------------------------------------ what there is to test with */

enum fixture_means {
    FIXTURE_FORK,          /* a child that goes on with all that the test has in memory */
    FIXTURE_FAULTS,        /* system calls that fail, file systems of our own, other users to become */
    FIXTURE_OWNERS,        /* files can be given to others: we are root */
    FIXTURE_SYMLINKS,      /* whoever may write to a directory can make them, to whatever it be */
    FIXTURE_FIFOS,         /* and sockets in the file system, devices */
    FIXTURE_MODES,         /* permission bits, which are told and said in messages */
    FIXTURE_GROUPS,        /* what a group may do is kept and told: not by wine */
    FIXTURE_SIGNALS,       /* processes die of them */
    FIXTURE_INTERPOSITION, /* functions of the C library can be replaced in the whole process */
    FIXTURE_ANY_NAME,      /* files may have every name without "/" */
    FIXTURE_OPEN_FILES,    /* can be replaced and removed */
    FIXTURE_ANY_DATE,      /* the C library knows more than the years from 1970 to 3000 */
    FIXTURE_BAD_FORMATS,   /* printf() tells of characters that are none */
};
bool fixture_has(enum fixture_means means) MUST_USE;
/* At the beginning of a test: where there are none it is skipped, and says so. */
void fixture_needs(enum fixture_means means);
/* For a part of a test; where it is false a note is printed. */
bool fixture_can(enum fixture_means means) MUST_USE;
/* The one of POSIX or the one of Windows. */
const char *fixture_here(const char *posix, const char *windows) MUST_USE;
/* What the system says of a file that is not there. */
const char *fixture_no_such_file(void) MUST_USE;

/* The beginning of absolute paths that begin with "/", and what is between the parts of a path outside the program. */
#ifdef _WIN32
#define FIXTURE_DRIVE "C:"
#define FIXTURE_SEP "\\"
#else
#define FIXTURE_DRIVE ""
#define FIXTURE_SEP "/"
#endif

/* ------------------------------------------------------------------ files */

/* A new empty directory that everybody may pass through; freed together with all that is in it. */
char *fixture_dir_new(void) MUST_USE;
void fixture_dir_free(char *dir);

/* The same in memory, if there is such a file system: files are synced hundreds of times. */
char *fixture_quick_dir_new(void) MUST_USE;

/* Where such directories are made; yours. */
char *fixture_temporary(void) MUST_USE;

/* "<dir>/<name>"; yours. */
char *fixture_path(const char *dir, const char *name) MUST_USE;

/* fopen(), without any translation of line ends. */
FILE *fixture_open(const char *path, const char *mode) MUST_USE;
void fixture_write(const char *path, const char *text);
/* Whole content, NULL when the file can't be read; yours. */
char *fixture_read(const char *path) MUST_USE;
/* What is left of an open file; yours. */
char *fixture_read_stream(FILE *file) MUST_USE;
/* Two files of a directory that may be a link which another process switches: both of the same one.  Yours; NULL for
 * what can't be read. */
void fixture_read_together(const char *dir, const char *a, char **out_a, const char *b, char **out_b);
/* Number of entries, hidden ones included. */
size_t fixture_count(const char *dir);

/* The test fails when it can't be done. */
void fixture_mkdir(const char *path, unsigned mode);
void fixture_rmdir(const char *path);
void fixture_unlink(const char *path);
void fixture_rename(const char *from, const char *to); /* a file that is there is replaced */
void fixture_link(const char *from, const char *to);
void fixture_chmod(const char *path, unsigned mode);
void fixture_truncate(const char *path, int64_t size);
void fixture_touch(const char *path, int64_t changed_s); /* as if it had been changed then */
unsigned fixture_umask(unsigned mask);                   /* returns the old one */
/* Go there; NULL: back to where the last call left from. */
void fixture_chdir(const char *dir);

/* The permission bits are exactly those; without FIXTURE_MODES: whom they let read can read, and nobody else, and
 * so with writing. */
void fixture_expect_mode(const char *path, unsigned mode);

/* A group that we may give files to, as a configuration names it; yours.  And is that a file's? */
char *fixture_group(void) MUST_USE;
void fixture_expect_group(const char *path, const char *group);
void fixture_expect_ids(const char *path, unsigned user, unsigned group); /* with FIXTURE_OWNERS */

/* With FIXTURE_OWNERS, FIXTURE_SYMLINKS, FIXTURE_FIFOS. */
void fixture_chown(const char *path, unsigned user, unsigned group);
void fixture_lchown(const char *path, unsigned user, unsigned group);
void fixture_symlink(const char *target, const char *path);
void fixture_fifo(const char *path);
void fixture_socket(const char *path);

/* A stream into memory; stays where it was opened. */
struct fixture_stream {
    FILE *out;
    char *text;
    size_t len;
};
void fixture_stream_open(struct fixture_stream *stream);
/* All that was written so far; borrowed until the next call. */
const char *fixture_stream_text(struct fixture_stream *stream);
void fixture_stream_done(struct fixture_stream *stream);

/* gmtime_r(), as far as the system goes; NULL beyond. */
struct tm *fixture_gmtime(const time_t *instant, struct tm *out);
void fixture_setenv(const char *name, const char *value); /* NULL: unset it */
void fixture_ignore_sigpipe(void);                        /* as platform_start() does */
int64_t fixture_processor_us(void);                       /* that this process has used */
void fixture_sleep_ms(int64_t ms);
void fixture_sleep_us(int64_t us);
/* This very program, to be started once more; yours. */
char *fixture_program(const char *argv0) MUST_USE;
char **fixture_environ(void);
/* Wait until there is one; the test fails when it takes too long. */
void fixture_await_file(const char *path);

/* ------------------------------------------------------------------ child processes */

#define CHILD_OK 0
#define CHILD_FAILED 1
#define CHILD_CANNOT 77 /* this machine does not let us */

/* Run `body` in a process of its own that has all of our memory; returns what it returned, or 1000 + the signal it died
 * of; CHILD_CANNOT without FIXTURE_FORK. */
int fixture_child(int (*body)(void *context), void *context) MUST_USE;

/* The same, and the test fails unless it returned CHILD_OK; for CHILD_CANNOT a note is printed and false returned. */
bool fixture_in_child(int (*body)(void *context), void *context);

/* The same for a body that fixture_fail() is to kill. */
bool fixture_child_is_killed(int (*body)(void *context), void *context);

/* A process that has nothing of ours but a text, and does not outlive the test program: there is such everywhere.  It
 * may find memory as it was when the test program started. */
struct fixture_process;
typedef int fixture_process_body(const char *text);
struct fixture_process *fixture_process_start(fixture_process_body *body, const char *text) MUST_USE;
long fixture_process_id(const struct fixture_process *process);
bool fixture_process_is_alive(struct fixture_process *process);
/* Wait for its end; returns what the body returned. */
int fixture_process_end(struct fixture_process *process) MUST_USE;
/* Kill it; the test fails if it has ended before. */
void fixture_process_kill(struct fixture_process *process);

/* `count` of them at once, each of which has to return CHILD_OK. */
void fixture_in_processes(size_t count, fixture_process_body *body, const char *text);

/* For the body of a child: assertions of the test framework belong to the parent. */
#define CHILD_CHECK(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                              \
            return CHILD_FAILED;                                                                                       \
        }                                                                                                              \
    } while (0)

/* End this process as by kill -9. */
NORETURN void fixture_die(void);

/* Zeros, which a child of fixture_child() shares with us. */
void *fixture_shared_new(size_t size) MUST_USE;
void fixture_shared_free(void *memory, size_t size);

/* From now on this process is not root (it stays who it is if it isn't anyway). */
bool fixture_drop_root(void);

/* The same for a while; nothing happens if we are not root. */
void fixture_become_user(void);
void fixture_become_root(void);

/* Mount an empty file system on `dir`, for this process only; `options` as in tmpfs(5), e.g. "size=64k". */
bool fixture_mount(const char *dir, const char *options);
/* Make it read-only. */
bool fixture_remount_read_only(const char *dir);

/* From now on this process has no network, not even loopback. */
bool fixture_leave_network(void);

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

/* For loops over all points at which something can go wrong: 1; more under valgrind, as only what such a path reads is
 * looked at there, and on Windows, where files are slow and these paths the same. */
size_t fixture_step(void);

#endif
