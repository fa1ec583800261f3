/* SPDX-License-Identifier: MIT
 *
 * What differs between operating systems: files, locks, permissions, processes, console and signals.  The only place
 * where system calls of that kind are made; posix_*.c is the Unix side.  Paths are UTF-8.
 */
#ifndef ACME_DME_PLATFORM_PLATFORM_H
#define ACME_DME_PLATFORM_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/mem.h"

/* ------------------------------------------------------------------ process */

/* The program's arguments as UTF-8, where main() does not get them so; nothing else is done to them ("*" is no
 * wildcard). */
void platform_arguments(int *argc, char ***argv);

/* First thing in main(): descriptors 0-2 open, all others closed, umask 077, no core dumps, SIGPIPE and other deadly
 * nonsense ignored, SIGINT/SIGTERM/SIGHUP/SIGQUIT/SIGALRM/SIGXCPU noted for platform_clock(), however often. */
enum err_code platform_start(struct err *err) MUST_USE;

/* The machine's clock; its sleep ends early and is_cancelled() is true once a signal asked us to stop.  Static. */
struct clock *platform_clock(void);

/* How to set this machine's clock and keep it right, as a part of a sentence: commands of the system.  Static. */
const char *platform_clock_advice(void);

/* Name of the signal that asked us to stop, e.g. "SIGTERM"; NULL if none did. */
const char *platform_cancel_reason(void);

/* The id of this process. */
long platform_process_id(void);

/* How sure is it that all hooks of a run, and none of another, get the same run id? */
enum platform_run_trust {
    PLATFORM_RUN_UNKNOWN, /* the system does not show processes: each call may have an id of its own */
    PLATFORM_RUN_GUESSED, /* no process above us is known as an ACME client; the nearest that may be one was taken */
    PLATFORM_RUN_CLIENT,  /* it is the process of a client that is known by name */
};
/* A text that names the ACME client's process above us (shells, sudo, wrapper scripts in between are skipped) and that
 * no later process shares.  Hooks that one run of a client starts all get the same.  Opaque, ASCII without spaces,
 * under 80 bytes, never NULL.  `out_trust` may be NULL. */
char *platform_run_id(enum platform_run_trust *out_trust) MUST_USE;
/* The same for this process itself, when it is the run. */
char *platform_own_run_id(void) MUST_USE;
/* Is it of that kind?  Then nothing goes on once its process has ended. */
bool platform_run_is_own(const char *run_id);

/* Does the process that a run id names still live?  True when the system can't tell: a text that is no run id, one of
 * another host or container. */
bool platform_run_is_alive(const char *run_id);

/* Is that process alive and known to have started less than `age_ms` ago, whatever was done to the clock since?  False
 * when the system can't tell. */
bool platform_run_is_younger(const char *run_id, int64_t age_ms);

/* See that we may have so many descriptors open at once, as far as the system lets us; returns how many we may. */
size_t platform_descriptors_want(size_t count);

/* getenv() without the pitfalls: NULL when unset. */
const char *platform_env(const char *name);

/* Is standard error a terminal?  Standard output? */
bool platform_stderr_is_terminal(void);
bool platform_stdout_is_terminal(void);

/* Is there a person who can be asked: are standard input and error terminals?  Ask: true for "y" or "yes". */
bool platform_can_ask(void);
bool platform_ask(const char *question);

/* The user's home directory: $HOME, else the user database.  NULL if there is none. */
char *platform_home(void) MUST_USE;

/* Where the system's configurations are: SYSCONFDIR, %ProgramData%.  Never NULL. */
char *platform_config_dir(void) MUST_USE;
/* May everybody make directories there? */
bool platform_config_dir_is_shared(void);
/* The same for the user alone: %APPDATA%.  NULL: by XDG's rules, or there is none. */
char *platform_user_config_dir(void) MUST_USE;
/* The directory of state, when the configuration names none.  Root: LOCALSTATEDIR/lib/acme-dme; others: $XDG_STATE_HOME
 * or
 * ~/.local/state, /acme-dme.  Windows: %ProgramData%/acme-dme/state for administrators and SYSTEM, else
 * %LOCALAPPDATA%/acme-dme/state.  Never NULL. */
char *platform_default_state_dir(void) MUST_USE;

/* Fill with random bytes of the system. */
enum err_code platform_random(void *out, size_t len, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ files */

/* Is a file readable by others than its owner (and root)?  Group, others, or an ACL that grants more. */
enum platform_exposure { PLATFORM_PRIVATE, PLATFORM_GROUP_READABLE, PLATFORM_WORLD_READABLE };

struct platform_file_info {
    enum platform_exposure exposure;
    bool everybody_can_write;
    bool owner_is_trusted; /* owned by the user we run as, or by root */
    unsigned mode;         /* permission bits, for messages; 0 where there are none */
};

/* Read a whole regular file into `out` (its maximum applies; one byte more is an error), and tell about the file
 * that was really read.  `info` may be NULL.
 * Errors: ERR_NOT_FOUND, ERR_IO (also: not a regular file, too large). */
enum err_code platform_file_read(const char *path, struct buf *out, struct platform_file_info *info,
                                 struct err *err) MUST_USE;

/* Read a file that we wrote ourselves.  What we can't have written is told apart from what can't be read now.
 * Errors: ERR_NOT_FOUND; ERR_INPUT (a symbolic link, a directory, a device, larger than `out` may get); ERR_IO. */
enum err_code platform_file_read_own(const char *path, struct buf *out, struct err *err) MUST_USE;

bool platform_file_exists(const char *path);

struct platform_file_write {
    const char *path;
    const void *data;
    size_t len;
    bool is_public; /* everybody may read it: mode 0644, where all others have 0600 */
};

enum platform_write_mode {
    PLATFORM_CREATE,           /* none may exist: ERR_EXISTS; all or none are made */
    PLATFORM_REPLACE,          /* on failure some may be replaced, and each is either old or new */
    PLATFORM_REPLACE_LAZILY,   /* the same, but a power failure right after may bring the old ones back */
    PLATFORM_REPLACE_UNSYNCED, /* the same, or leave nothing of either: for what is written often and not missed */
};

/* Write files of one directory atomically and durably: temporary files beside them, write, fsync, close,
 * rename, fsync of the directory.  Much faster than one by one.  No temporary file remains. */
enum err_code platform_files_write(const struct platform_file_write *writes, size_t count,
                                   enum platform_write_mode mode, struct err *err) MUST_USE;

/* One file. */
enum err_code platform_file_replace(const char *path, const void *data, size_t len, struct err *err) MUST_USE;
enum err_code platform_file_create(const char *path, const void *data, size_t len, struct err *err) MUST_USE;

/* Who owns a file or directory, and who may do what with it. */
struct platform_access {
    const char *owner; /* name or number; NULL: left as it is */
    const char *group; /* the same */
    unsigned mode;     /* permission bits */
};

/* Write files into directories that do not exist yet, and make those, all of one file system: as a temporary directory
 * beside each, with its final access and that of the files from the moment they are created, synced, and renamed.  Of
 * one directory all or nothing; each has an outcome of its own.  Much faster than one by one.
 * Errors of each: ERR_EXISTS; ERR_USAGE (no such user or group, or we may not give files away); ERR_IO; ERR_INTERNAL
 * (the name of a file is none). */
struct platform_tree_file {
    const char *name; /* below the directory, without "/" */
    const void *data;
    size_t len;
    struct platform_access access;
};
struct platform_tree {
    const char *path;
    struct platform_access access;
    const struct platform_tree_file *files;
    size_t count;
    struct err err; /* out: ERR_OK, or as above */
};
void platform_trees_create(struct platform_tree *trees, size_t count);
/* Remove a directory of files, as one that platform_trees_create() made; one that is not there is success.  It is
 * renamed first, so that nobody finds half of it; a temporary directory is what a kill leaves.  Errors: ERR_IO. */
enum err_code platform_tree_remove(const char *path, struct err *err) MUST_USE;

/* Make `path` a symbolic link to the directory `target` (relative to the link's own directory), in place of the link
 * that may be there, in one step, durably.  Errors: ERR_EXISTS (something that is no link is there), ERR_IO. */
enum err_code platform_link_switch(const char *path, const char *target, struct err *err) MUST_USE;
/* The same for several links of one directory, which is synced once.  One whose sync failed may be switched. */
struct platform_link {
    const char *path;
    const char *target;
    struct err err; /* out: ERR_OK, or as above */
};
void platform_links_switch(struct platform_link *links, size_t count);
/* Where a link leads to, as it is written.  Errors: ERR_NOT_FOUND, ERR_INPUT (no link), ERR_IO. */
enum err_code platform_link_read(const char *path, char **out_target, struct err *err) MUST_USE;

/* Change the permission bits of a directory of ours.  Errors: ERR_IO. */
enum err_code platform_dir_set_mode(const char *path, unsigned mode, struct err *err) MUST_USE;

/* Remove; a file that is not there is success.  A power failure right after may bring it back. */
enum err_code platform_file_remove(const char *path, struct err *err) MUST_USE;

/* What is at a path itself: a symbolic link is not followed. */
enum platform_path_kind { PLATFORM_PATH_FILE, PLATFORM_PATH_DIRECTORY, PLATFORM_PATH_LINK, PLATFORM_PATH_OTHER };

struct platform_path_info {
    enum platform_path_kind kind;
    bool leads_to_directory; /* a link that does */
    int64_t changed_ms;      /* wall clock of the last change of the content */
};

/* Errors: ERR_NOT_FOUND, ERR_IO. */
enum err_code platform_path_look(const char *path, struct platform_path_info *out, struct err *err) MUST_USE;

/* Paths have "/" between their parts inside the program.  From outside (arguments, environment, configuration) and to
 * the outside (programs that we start, commands in hints): yours. */
char *platform_path_inside(const char *path) MUST_USE;
char *platform_path_native(const char *path) MUST_USE;
bool platform_path_is_absolute(const char *path);

/* Can a file have this name?  Windows reserves "con.json" and the like for devices. */
bool platform_name_is_possible(const char *name);

/* A path that means the same wherever we are; yours.  As it is when the working directory can't be told. */
char *platform_path_absolute(const char *path) MUST_USE;

/* Move what is at a path, of whatever kind, to another one of the same file system; nothing is ever replaced, but for
 * an empty directory perhaps.  A power failure right after may undo it.
 * Errors: ERR_EXISTS, ERR_NOT_FOUND (`from`, or the directory of `to`), ERR_IO. */
enum err_code platform_path_move(const char *from, const char *to, struct err *err) MUST_USE;

/* Is it a temporary name, as of platform_files_write(), platform_trees_create() and platform_link_switch()? */
bool platform_is_temp_name(const char *name);

/* Bytes of the file system at `path` that we may still use.  Errors: ERR_NOT_FOUND, ERR_IO. */
enum err_code platform_free_bytes(const char *path, uint64_t *out, struct err *err) MUST_USE;

/* Make a directory and its parents, mode 0700 for those it makes; existing is success. */
enum err_code platform_dir_make(const char *path, struct err *err) MUST_USE;

/* Make directories of one parent, mode 0700, durably and with one sync for all; parents are not made.  What can't be
 * made is not said: it shows when it is used. */
void platform_dirs_make(const struct strlist *paths);

/* Names in a directory, sorted, without "." and "..".  Errors: ERR_NOT_FOUND, ERR_IO. */
enum err_code platform_dir_list(const char *path, struct strlist *out, struct err *err) MUST_USE;

/* The files that a path with "*", "?" and "[...]" in any of its parts names, sorted; appended to `out`.  A path without
 * these names itself, whether it exists or not, and so does one that exists just as it is written.  `unreadable` gets a
 * message for each directory that could not be looked through. */
void platform_file_glob(const char *pattern, struct strlist *out, struct strlist *unreadable);

/* Remove the temporary files and links of ours in a directory that are older than max_age_ms: killed runs left them. */
void platform_dir_sweep(const char *path, int64_t now_ms, int64_t max_age_ms);

/* Can we create files in a directory, and can others? */
struct platform_dir_info {
    enum { PLATFORM_DIR_WRITABLE, PLATFORM_DIR_DENIED, PLATFORM_DIR_READ_ONLY } access;
    bool owner_is_trusted; /* owned by the user we run as, or by root */
    bool above_is_trusted; /* false: it is where everybody may make directories, in one that another user made */
    bool others_can_write; /* group or others */
    unsigned mode;         /* permission bits, for messages; 0 where there are none */
};

/* Errors: ERR_NOT_FOUND, ERR_IO (also: not a directory). */
enum err_code platform_dir_inspect(const char *path, struct platform_dir_info *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ advice */

/* Commands of the system for hints ("Run: ..."), with the path quoted for its shell and without a full stop; yours.
 * So that only we can read and write a file: */
char *platform_advice_private(const char *path) MUST_USE;
/* That it belongs to us, and the same: */
char *platform_advice_own_private(const char *path) MUST_USE;
/* That not everybody can change a file, and nobody else what is in a directory: */
char *platform_advice_file_no_write(const char *path) MUST_USE;
char *platform_advice_dir_no_write(const char *path) MUST_USE;
/* The program that gives files to other users: "chown".  Static. */
const char *platform_advice_owner_program(void);
/* Who they are that PLATFORM_GROUP_READABLE is about: "users of the file's group".  Static. */
const char *platform_advice_group(void);
/* Permission bits behind a name in a message: " (mode 0644)", or "" where there are none; yours. */
char *platform_advice_mode(unsigned mode) MUST_USE;

/* ------------------------------------------------------------------ programs */

/* A program of the operator's: started without a shell, with standard input closed (/dev/null), no other descriptor of
 * ours, default signals and umask 022, in a process group of its own. */
struct platform_program {
    const char *const *argv;        /* NULL-terminated; argv[0] is a path, or a name that PATH has */
    const char *const *environment; /* "NAME=value", NULL-terminated; added to ours, ACME_DME_* and DNSMADEEASY_* of
                                       which are left out: they may be secrets */
    int64_t timeout_ms;             /* then SIGTERM to the group (Windows: Ctrl-Break), and SIGKILL 5 s later */
    size_t max_output;              /* bytes kept of standard output and error together; more is read and dropped */
    void (*line)(void *ctx, const char *line); /* told of each line as it comes; may be NULL */
    void *ctx;
};

struct platform_program_end {
    int exit_status; /* -1: it was killed by a signal */
    int signal;      /* 0: it was not */
    int64_t took_ms;
    struct buf output; /* the beginning of what it wrote */
};

void platform_program_end_done(struct platform_program_end *end);

/* Run it to its end.  A program that leaves children with our pipe open is not waited for beyond its own end and one
 * second.  Errors: ERR_NOT_FOUND (no such program, or it may not be executed: says which), ERR_TIMEOUT, ERR_CANCELLED
 * (the operator wants us to stop; the program was ended likewise), ERR_INPUT (Windows: an argument that a batch file
 * can't be given safely), ERR_IO.  With all but the first *out is filled. */
enum err_code platform_program_run(const struct platform_program *program, struct clock *clock,
                                   struct platform_program_end *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ logs */

struct platform_log;

/* Open a log file for appending, mode 0600 if it has to be made; directories are not made.  Never blocks.
 * Errors: ERR_UNSAFE (neither a regular file nor a character device, a file of another user, a symbolic link that
 * others could have put there), ERR_IO. */
enum err_code platform_log_open(const char *path, struct platform_log **out, struct err *err) MUST_USE;

/* Append a line, "\n" included, with one write().  A file that was rotated away is opened anew first; if that fails,
 * the line goes to the old one and the error is returned all the same.  `log` is a struct platform_log; a log_file of
 * util/log.h takes this function.  Errors: those of platform_log_open(). */
enum err_code platform_log_append(void *log, const char *line, size_t len, struct err *err) MUST_USE;

void platform_log_free(struct platform_log *log); /* NULL is fine */

/* ------------------------------------------------------------------ host names */

struct platform_lookup {
    const char *host;         /* borrowed */
    struct strlist addresses; /* numeric, in the order in which they should be tried */
    enum err_code code;       /* ERR_OK: there is at least one; ERR_NETWORK, ERR_TIMEOUT, and `err` */
    struct err err;
};

void platform_lookup_done(struct platform_lookup *lookup);

/* Find the addresses of hosts in the system's own way (hosts file, DNS, what else it is set up for), all side by side,
 * with a time limit.  Errors: ERR_CANCELLED, ERR_INTERNAL; what befell a single one is in its `code`. */
enum err_code platform_lookup(struct platform_lookup *lookups, size_t count, int64_t timeout_ms, struct clock *clock,
                              struct err *err) MUST_USE;

/* ------------------------------------------------------------------ trust */

/* A file of CA certificates (PEM) that came with the program, for systems that have none which is complete; NULL: there
 * is none, or none is needed.  Yours. */
char *platform_trust_bundle(void) MUST_USE;

enum platform_trust { PLATFORM_TRUSTED, PLATFORM_DISTRUSTED };
typedef void platform_trust_fn(void *ctx, enum platform_trust trust, const void *der, size_t len);
/* Tell of each certificate by which the system trusts TLS servers, after all those that it wants nobody to trust; `fn`
 * may be NULL.  False: OpenSSL knows by itself whom the system trusts, and nothing is told. */
bool platform_trust_each(platform_trust_fn *fn, void *ctx);

/* ------------------------------------------------------------------ places, for hints */

/* All static.  Where names are given addresses by hand: "/etc/hosts". */
const char *platform_hosts_place(void);
/* Where this machine's name servers can be read: "/etc/resolv.conf". */
const char *platform_resolvers_place(void);
/* What platform_link_switch() makes, for sentences: "a symbolic link". */
const char *platform_link_name(void);
/* What keeps a file with secrets from others, in a list of what it has to have: "mode 600". */
const char *platform_secret_file_mode(void);
/* What lines of text files end with: "\n". */
const char *platform_line_end(void);
/* How to get newer CA certificates, for parentheses. */
const char *platform_cas_advice(void);

/* ------------------------------------------------------------------ locks */

struct platform_lock;

/* Lock `path` (created, mode 0600) for ourselves; waits up to timeout_ms, ends early on cancel.  The lock ends with
 * platform_lock_free() or with the process, however it dies.
 * Errors: ERR_LOCK (held by another: says how long we waited; not supported by the file system: says so and names
 * `state_dir`), ERR_CANCELLED, ERR_IO. */
enum err_code platform_lock_take(const char *path, int64_t timeout_ms, struct clock *clock, struct platform_lock **out,
                                 struct err *err) MUST_USE;
void platform_lock_free(struct platform_lock *lock);
void platform_lock_free_auto(struct platform_lock **lock);

#endif
