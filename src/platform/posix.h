/* SPDX-License-Identifier: MIT
 *
 * What the posix_*.c files share among themselves, and what their tests reach into.  Nobody else includes
 * this.
 */
#ifndef ACME_DME_PLATFORM_POSIX_H
#define ACME_DME_PLATFORM_POSIX_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "platform/platform.h"
#include "util/attrs.h"
#include "util/buf.h"
#include "util/err.h"

/* ------------------------------------------------------------------ descriptors */

/* Cleanup for AUTO(): closes *fd unless it is negative. */
void posix_close_auto(int *fd);
#define AUTO_FD AUTO(posix_close_auto)

void posix_close_dir_auto(DIR **dir);
#define AUTO_DIR AUTO(posix_close_dir_auto)

/* What a program inherits beyond standard input, output and error, up to the end of what there can be.  The latter is
 * found out by system calls alone. */
#define POSIX_FIRST_FOREIGN_FD 3
int posix_end_of_descriptors(void);

/* open() that survives signals; always O_CLOEXEC and O_NOCTTY. */
int posix_open(const char *path, int flags, mode_t mode);

/* Read all there is into `out`; false with errno set.  A full buffer ends it early: see buf_ok(). */
bool posix_read_all(int fd, struct buf *out);
bool posix_write_all(int fd, const void *data, size_t len);

/* How what was written becomes durable: file by file, or the whole file system by one call, which many files at once
 * are worth, or when the system likes. */
enum posix_sync { POSIX_SYNC_EACH, POSIX_SYNC_AT_ONCE, POSIX_SYNC_NONE };
enum posix_sync posix_sync_for(size_t files);
/* Close what was written, with POSIX_SYNC_EACH after a sync.  *fd is -1 if it was closed.  Errors: ERR_IO. */
enum err_code posix_close_written(int *fd, enum posix_sync sync, const char *path, struct err *err) MUST_USE;
/* Sync the file system that `path` is in the directory of: POSIX_SYNC_AT_ONCE.  Errors: ERR_IO. */
enum err_code posix_sync_file_system_of(const char *path, struct err *err) MUST_USE;

/* "." and "..", which directories list */
bool posix_is_self_or_parent(const char *name);

/* Set an error of a file operation, with a hint for the causes that an operator can mend. */
enum err_code posix_err(struct err *err, enum err_code code, int errnum, const char *what, const char *path);

/* Temporary files of writes that have not taken their place yet. */
#define POSIX_TEMP_PREFIX ".acme-dme-"
#define POSIX_TEMP_SUFFIX ".tmp"
#define POSIX_TEMP_ATTEMPTS 8
/* A name for one in the directory `dir`, which nobody else has; yours.  Errors: those of platform_random(). */
enum err_code posix_temp_name(const char *dir, char **out, struct err *err) MUST_USE;

/* The directory that `path` is in; yours. */
char *posix_directory_of(const char *path) MUST_USE;
/* Make what was made, renamed or removed beside `path` durable.  Errors: ERR_IO. */
enum err_code posix_sync_directory_of(const char *path, struct err *err) MUST_USE;

/* Rename unless `to` exists; false with errno set, EEXIST among others. */
bool posix_move_new(const char *from, const char *to);

/* ------------------------------------------------------------------ owners */

struct platform_access;

/* Who a file is to belong to; -1: nobody else than now. */
struct posix_ids {
    uid_t user;
    gid_t group;
};

/* Errors: ERR_USAGE (there is none of that name). */
enum err_code posix_ids_find(const struct platform_access *access, struct posix_ids *out, struct err *err) MUST_USE;

/* Give an open file or directory away, and then its mode.  `path` is for messages.
 * Errors: ERR_USAGE (we may not), ERR_IO. */
enum err_code posix_give(int fd, const struct posix_ids *ids, const struct platform_access *access, const char *path,
                         struct err *err) MUST_USE;

/* ------------------------------------------------------------------ signals */

/* Note the signals that ask us to stop, ignore those that would kill us for nothing. */
enum err_code posix_signals_start(struct err *err) MUST_USE;

/* ------------------------------------------------------------------ programs */

/* The child, and the pipe that its standard output and error lead into. */
struct posix_child {
    pid_t pid;
    int output; /* to read from */
};

/* Start a program (platform_program_run() tells how) as the leader of a process group.
 * Errors: ERR_NOT_FOUND, ERR_IO. */
struct platform_program;
enum err_code posix_program_start(const struct platform_program *program, struct posix_child *out,
                                  struct err *err) MUST_USE;
/* Wait for a child's end; false when there is none.  `out_status` may be NULL. */
bool posix_reap(pid_t pid, int *out_status);

/* ------------------------------------------------------------------ the run we belong to */

/* platform_run_id() and platform_run_is_alive() on another /proc; `pid` is the process that started us. */
char *posix_run_id_in(const char *proc, pid_t pid, enum platform_run_trust *out_trust) MUST_USE;
bool posix_run_is_alive_in(const char *proc, const char *run_id);
bool posix_run_is_younger_in(const char *proc, const char *run_id, int64_t age_ms);

#endif
