/* SPDX-License-Identifier: MIT
 *
 * What the posix_*.c files share among themselves, and what their tests reach into.  Nobody else includes
 * this.
 */
#ifndef ACME_DME_PLATFORM_POSIX_H
#define ACME_DME_PLATFORM_POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/attrs.h"
#include "util/buf.h"
#include "util/err.h"

/* ------------------------------------------------------------------ descriptors */

/* Cleanup for AUTO(): closes *fd unless it is negative. */
void posix_close_auto(int *fd);
#define AUTO_FD AUTO(posix_close_auto)

/* open() that survives signals; always O_CLOEXEC and O_NOCTTY. */
int posix_open(const char *path, int flags, mode_t mode);

/* Read all there is into `out`; false with errno set.  A full buffer ends it early: see buf_ok(). */
bool posix_read_all(int fd, struct buf *out);
bool posix_write_all(int fd, const void *data, size_t len);

/* Set an error of a file operation, with a hint for the causes that an operator can mend. */
enum err_code posix_err(struct err *err, enum err_code code, int errnum, const char *what, const char *path);

/* Temporary files of writes that have not taken their place yet. */
#define POSIX_TEMP_PREFIX ".acme-dme-"
#define POSIX_TEMP_SUFFIX ".tmp"

/* Rename unless `to` exists; false with errno set, EEXIST among others. */
bool posix_move_new(const char *from, const char *to);

/* ------------------------------------------------------------------ signals */

/* Note the signals that ask us to stop, ignore those that would kill us for nothing. */
enum err_code posix_signals_start(struct err *err) MUST_USE;

/* ------------------------------------------------------------------ the run we belong to */

/* platform_run_id() and platform_run_is_alive() on another /proc; `pid` is the process that started us. */
char *posix_run_id_in(const char *proc, pid_t pid) MUST_USE;
bool posix_run_is_alive_in(const char *proc, const char *run_id);
bool posix_run_is_younger_in(const char *proc, const char *run_id, int64_t age_ms);

#endif
