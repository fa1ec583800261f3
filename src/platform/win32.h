/* SPDX-License-Identifier: MIT
 *
 * What the win32_*.c files share among themselves, and what their tests reach into.  Nobody else includes this.
 *
 * Paths of the program are UTF-8 with "/" (platform_path_inside()); those of the system are UTF-16 with "\".  Nothing
 * here uses the ANSI code page, the CRT's files, or anything that depends on the locale.
 */
#ifndef ACME_DME_PLATFORM_WIN32_H
#define ACME_DME_PLATFORM_WIN32_H

#include <stdbool.h>
#include <stddef.h>
#include <winsock2.h>
/* before it, as it would bring winsock 1 otherwise */
#include <windows.h>

#include "platform/platform.h"
#include "util/attrs.h"
#include "util/buf.h"
#include "util/err.h"

/* ------------------------------------------------------------------ text (win32_text.c) */

/* UTF-16 of UTF-8 and back; what is no text becomes U+FFFD.  Yours, never NULL. */
wchar_t *win32_wide(const char *utf8) MUST_USE;
char *win32_utf8(const wchar_t *wide) MUST_USE;
/* A path for system calls: absolute, "\", with "\\?\" in front (or "\\?\UNC\"), so that its length has no limit and
 * names are taken literally.  NULL: a part of it is no file name here (con, nul, a trailing dot or space, one of
 * <>:"|?* or a control character).  Yours. */
wchar_t *win32_path(const char *path) MUST_USE;
/* The same of a directory, with "\" and a text behind it that is taken as it is: "*", "". */
wchar_t *win32_path_below(const char *dir, const wchar_t *text) MUST_USE;

void win32_wide_auto(wchar_t **text);
#define AUTO_WIDE AUTO(win32_wide_auto)

/* ------------------------------------------------------------------ handles and errors (win32_error.c) */

/* Cleanup for AUTO(): closes *handle unless it is NULL or INVALID_HANDLE_VALUE. */
void win32_close_auto(HANDLE *handle);
#define AUTO_HANDLE AUTO(win32_close_auto)

/* Set an error of a file operation: "could not <what> "<path>": <text of the system, English if it has it>", with a
 * hint for the causes that an operator can mend (denied, in use by another program, disk full, read-only, path not a
 * name here). `error` as of GetLastError(). */
enum err_code win32_err(struct err *err, enum err_code code, DWORD error, const char *what, const char *path);
/* The same for what has no path: "could not <what>: <text>". */
enum err_code win32_err_plain(struct err *err, enum err_code code, DWORD error, const char *what);
/* For a path that win32_path() made NULL of.  ERR_IO. */
enum err_code win32_err_name(struct err *err, const char *what, const char *path);
bool win32_is_missing(DWORD error); /* file, directory on the way, drive, share */

/* Call `attempt` until it succeeds or fails otherwise than because another program has the file open for a moment (a
 * virus scanner, a reader): sharing violation, access denied, lock violation; up to 5 s, first quickly.  False with
 * GetLastError(). */
bool win32_retry(bool (*attempt)(void *ctx), void *ctx);
/* The same for what only reads: "access denied" is waited out for a moment only, as it is mostly meant. */
bool win32_retry_reading(bool (*attempt)(void *ctx), void *ctx);

/* ------------------------------------------------------------------ who may do what (win32_security.c) */

/* A security descriptor for something that is being made; win32_security_done() frees what is in it. */
struct win32_security {
    SECURITY_ATTRIBUTES attributes; /* give &attributes to CreateFileW() and CreateDirectoryW() */
    PSECURITY_DESCRIPTOR descriptor;
};
void win32_security_done(struct win32_security *security);

/* Protected from inheritance: SYSTEM, Administrators and the owner have full access; for bits of `access->mode`: 0040
 * gives `access->group` read access (with a group), 0004 "Everyone"; 0020/0002 write access likewise, 0111
 * passing through is not needed here.  `access->owner` may be read and write (a name like "DOMAIN\user", "NT
 * SERVICE\W3SVC", or an SID); mode 0600 without names is what secrets have.  For a directory what is made in it
 * inherits the same. Errors: ERR_USAGE (no such account), ERR_INTERNAL. */
enum win32_kind { WIN32_FILE, WIN32_DIRECTORY };
enum err_code win32_security_make(const struct platform_access *access, enum win32_kind kind,
                                  struct win32_security *out, struct err *err) MUST_USE;
/* The same for a mode alone, which can't fail for want of an account. */
enum err_code win32_security_for_mode(unsigned mode, enum win32_kind kind, struct win32_security *out,
                                      struct err *err) MUST_USE;

/* The user we run as, for icacls: "DOMAIN\user", or "*S-1-5-..." when it has no name.  Yours. */
char *win32_account_of_us(void) MUST_USE;
/* In session 0, that of services and tasks, where OpenSSH's shells are as well. */
bool win32_is_background(void) MUST_USE;
/* With full rights, that is: SYSTEM, or an administrator who confirmed it. */
bool win32_is_administrator(void) MUST_USE;

/* Who can read or write an open file or directory besides SYSTEM, Administrators, its owner and us. */
struct win32_access {
    enum platform_exposure readable;
    bool others_can_write;
    bool everybody_can_write;
    bool owner_is_trusted; /* it is us, SYSTEM, Administrators or TrustedInstaller */
};
/* What a list grants to others; NULL: it is none, and everybody may do everything.  `owner` may be NULL. */
struct win32_access win32_access_by(ACL *acl, PSID owner);
/* Errors: ERR_IO. */
enum err_code win32_access_of(HANDLE handle, const char *path, struct win32_access *out, struct err *err) MUST_USE;

/* Give an open file or directory (WRITE_DAC) the access that win32_security_for_mode() has for a mode; what a directory
 * holds keeps its own.  Errors: ERR_IO, ERR_INTERNAL. */
enum err_code win32_set_mode(HANDLE handle, unsigned mode, enum win32_kind kind, const char *path,
                             struct err *err) MUST_USE;

/* ------------------------------------------------------------------ files (win32_file.c, win32_write.c, win32_tree.c)
 */

/* Attributes of what is at a path itself, a link of the system not followed; INVALID_FILE_ATTRIBUTES with
 * GetLastError(), ERROR_INVALID_NAME for what win32_path() refuses. */
DWORD win32_attributes(const char *path);
/* Wall clock of a file's time. */
int64_t win32_ms_of(FILETIME time);
/* Is there a directory, perhaps behind a link of the system? */
bool win32_is_directory(const char *path);

bool win32_read_all(HANDLE handle, struct buf *out);
bool win32_write_all(HANDLE handle, const void *data, size_t len);

/* Rename within a volume, with retries while others have one of the two open; durably, unless it is lazy.  False with
 * GetLastError(), ERROR_ALREADY_EXISTS among others. */
enum win32_rename { WIN32_RENAME_NEW, WIN32_RENAME_REPLACE, WIN32_RENAME_NEW_LAZILY, WIN32_RENAME_REPLACE_LAZILY };
bool win32_move(const wchar_t *from, const wchar_t *to, enum win32_rename how);
/* Remove a file, read-only or not, with retries while others have it open; one that is not there is success.  False
 * with GetLastError(). */
bool win32_delete(const wchar_t *file);

#define WIN32_TEMP_PREFIX ".acme-dme-"
#define WIN32_TEMP_SUFFIX ".tmp"
#define WIN32_TEMP_ATTEMPTS 8
/* A name for a temporary file or directory beside `path`, which nobody else has; yours.  Errors: of platform_random().
 */
enum err_code win32_temp_beside(const char *path, char **out, struct err *err) MUST_USE;
/* The directory that `path` is in; yours. */
char *win32_directory_of(const char *path) MUST_USE;

/* Write a file that is not there yet, durably.  `at` is where, `path` what it is called in messages.  Errors: ERR_IO.
 */
enum err_code win32_make_file(const char *at, const char *path, SECURITY_ATTRIBUTES *security, const void *data,
                              size_t len, struct err *err) MUST_USE;
/* Make an empty temporary directory beside `path`; *out is its path, yours.  Errors: ERR_IO. */
enum err_code win32_make_temp_directory(const char *path, SECURITY_ATTRIBUTES *security, char **out,
                                        struct err *err) MUST_USE;
/* Remove a directory and the files in it.  `at` is where it is now, `path` what it is called in messages.  One that is
 * not there is success.  Errors: ERR_IO. */
enum err_code win32_erase_directory(const char *at, const char *path, struct err *err) MUST_USE;
/* Tell `each` of all that a path with "*" in its last part finds, but for "." and "..".  False with GetLastError(). */
typedef void win32_each(void *ctx, const char *name, const WIN32_FIND_DATAW *found);
bool win32_walk(const wchar_t *pattern, win32_each *each, void *ctx);
/* Names of the files, or of the directories, in a directory; those of a pattern like "*".  False with GetLastError().
 */
bool win32_list(const char *dir, const wchar_t *pattern, enum win32_kind kind, struct strlist *out);

/* ------------------------------------------------------------------ links (win32_link.c) */

/* Windows has no symbolic link that everybody may make: a "link" is a directory in which the files of its target stand
 * once more, as hard links, beside a file that says where they come from.  Does a directory have that file? */
#define WIN32_LINK_NOTE ".acme-dme-link"
bool win32_is_link(const char *path);
/* Remove a link; one that is not there is success.  Errors: ERR_IO (also: no link). */
enum err_code win32_link_remove(const char *path, struct err *err) MUST_USE;
/* For platform_dir_sweep(): a temporary directory of ours that is old enough.  What is left of the switch of a link
 * takes the link's place if there is none; all else is removed. */
void win32_link_sweep(const char *temp);

/* ------------------------------------------------------------------ processes (win32_start.c, win32_program*.c,
 * win32_run.c) */

/* An event that is set once the operator wants us to stop, and is not any more once the program cleans up; for
 * WaitForMultipleObjects().  Borrowed; never NULL after platform_start(). */
HANDLE win32_cancel_event(void);
/* Set it, as the console's handler does.  `reason` is static. */
void win32_cancel(const char *reason);
/* To standard error, by system calls alone: for a process that ends because something is broken. */
void win32_last_words(const char *text, DWORD len);

/* The system's time, in units of 100 ns since 1601, and in milliseconds since 1970. */
#define WIN32_TICKS_PER_MS 10000
int64_t win32_ticks(const FILETIME *time);
int64_t win32_unix_ms(const FILETIME *time);

/* What is written to a console from now on is taken as UTF-8, whatever its code page is, which stays; and it gets
 * escape sequences if it can.  Until the process ends.  Errors: ERR_INTERNAL. */
enum err_code win32_console_start(struct err *err) MUST_USE;
/* Have we a console, seen or not? */
bool win32_has_console(void);

/* The child, in a job of its own that ends with us, and the pipe that its standard output and error lead into. */
struct win32_child {
    HANDLE process;
    HANDLE job;
    HANDLE output;
    DWORD pid;
};
enum err_code win32_program_start(const struct platform_program *program, struct win32_child *out,
                                  struct err *err) MUST_USE;
/* One command line out of arguments, so that CommandLineToArgvW() and the CRT of the child make the same of it; for a
 * .bat or .cmd file, whose text cmd.exe takes apart once more, an error where that can't be had.  Yours.  Errors:
 * ERR_INPUT. */
enum err_code win32_command_line(const char *const *argv, wchar_t **out, struct err *err) MUST_USE;
/* What runs a file of that name, and where it is: yours, NULL if the system does not say. */
enum win32_runner { WIN32_RUN_BY_SYSTEM, WIN32_RUN_BY_CMD, WIN32_RUN_BY_POWERSHELL };
enum win32_runner win32_runner_of(const char *path);
char *win32_runner_path(enum win32_runner runner) MUST_USE;
/* What becomes of a job's processes when its last handle is closed, as it is when we end in whatever way. */
enum win32_job_end { WIN32_JOB_ENDS_WITH_US, WIN32_JOB_OUTLIVES_US };
bool win32_job_keep(HANDLE job, enum win32_job_end end);

/* ------------------------------------------------------------------ the run we belong to (win32_processes.c,
 * win32_run.c) */

struct win32_process {
    DWORD pid;
    DWORD parent;
    int64_t start; /* as of win32_ticks(); 0: the system does not tell */
    char *name;    /* of its file, e.g. "cmd.exe" */
    char *line;    /* what it was started with; NULL: the system does not tell */
};
struct win32_processes {
    struct win32_process *items;
    size_t count;
};
void win32_processes_done(struct win32_processes *processes);

/* We, the process that started us, the one that started that, and so on. */
#define WIN32_ANCESTORS_MAX 48
void win32_processes_above(struct win32_processes *out);
/* platform_run_id() with such a line. */
char *win32_run_id_of(const struct win32_processes *line, enum platform_run_trust *out_trust) MUST_USE;

/* When a process started; 0: the system does not tell. */
int64_t win32_process_start(DWORD pid);
/* Is there one that started then (0: whenever)?  Also true where the system does not tell. */
bool win32_process_is_alive(DWORD pid, int64_t start);
/* How long ago did it start, whatever was done to the clock since?  -1: the system does not tell. */
int64_t win32_process_age_ms(DWORD pid, int64_t start);

#endif
