/* SPDX-License-Identifier: MIT
 *
 * A log file.
 *
 * The file may be rotated at any time, by renaming or by truncating it.  So before each line the path is looked at:
 * when it names another file, or none, it is opened anew.  O_APPEND and one write() a line keep lines of several
 * processes apart, and find the end of a truncated file.
 *
 * The program often runs as root, and logs are put into directories like /tmp: nobody else may choose what we append
 * to.  Symbolic links are therefore followed by hand, and only those of root or of ourselves in directories that not
 * everybody can write to; what is opened in the end must be a character device, or a regular file of root or of
 * ourselves that is no second name of another one.
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix.h"

#define LINKS_MAX 16
#define LINK_MAX_BYTES 4096
#define REASON_MAX 256

struct platform_log {
    char *path;
    int fd;    /* -1: not open */
    dev_t dev; /* of what is open */
    ino_t ino;
    bool is_inside_line; /* the last write() ended inside a line */
};

/* ------------------------------------------------------------------ what may be written to */

static bool is_trusted(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

static enum err_code refuse(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_UNSAFE, "could not write the log \"%s\": %s", path, why);
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

/* Can users whom we do not trust put other files into the directory of `path`?  The sticky bit is no help: a name that
 * is not there yet is free for all. */
static bool is_in_public_directory(const char *path)
{
    char AUTO_FREE *dir = directory_of(path);
    struct stat st;

    return stat(dir, &st) == 0 && ((st.st_mode & S_IWOTH) || !is_trusted(&st));
}

static enum err_code check_kind(const char *path, mode_t mode, struct err *err)
{
    enum err_code code;

    if (S_ISREG(mode) || S_ISCHR(mode))
        return ERR_OK;
    code = refuse(path,
                  S_ISDIR(mode)    ? "it is a directory"
                  : S_ISFIFO(mode) ? "it is a pipe, which may block"
                                   : "it is neither a file nor a terminal",
                  err);
    if (S_ISFIFO(mode))
        err_hint(err, "Name a file; for a pipe use standard error, which has the same lines with -v.");
    return code;
}

/* The target of a symbolic link: relative ones begin at the link's directory. */
static char *link_target(const char *path)
{
    char target[LINK_MAX_BYTES];
    char AUTO_FREE *dir = NULL;
    ssize_t len = readlink(path, target, sizeof target - 1);

    if (len <= 0)
        return NULL;
    target[len] = '\0';
    if (target[0] == '/')
        return mem_strdup(target);
    dir = directory_of(path);
    return mem_printf("%s/%s", dir, target);
}

/* The path that the links at the end of `path` lead to; it need not exist. */
static enum err_code follow_links(const char *path, char **out, struct err *err)
{
    char AUTO_FREE *at = mem_strdup(path);

    for (int hops = 0; hops < LINKS_MAX; hops++) {
        char *next;
        struct stat st;

        if (lstat(at, &st) != 0 || !S_ISLNK(st.st_mode)) {
            *out = at;
            at = NULL;
            return ERR_OK;
        }
        if (!is_trusted(&st) || is_in_public_directory(at))
            return refuse(path, "it is a symbolic link in a directory that other users can write to", err);
        next = link_target(at);
        if (!next)
            return posix_err(err, ERR_IO, errno, "read the symbolic link", at);
        free(at);
        at = next;
    }
    return refuse(path, "there are too many symbolic links", err);
}

static enum err_code check_file(const char *path, const char *real, const struct stat *st, struct err *err)
{
    enum err_code code = check_kind(path, st->st_mode, err);

    if (code != ERR_OK || S_ISCHR(st->st_mode))
        return code;
    if (!is_trusted(st)) {
        code = refuse(path, "it belongs to another user", err);
        err_hint(err, "Move the file away, so that a new one is made, or choose another path.");
        return code;
    }
    if (st->st_nlink > 1 && is_in_public_directory(real))
        return refuse(path, "it is a hard link in a directory that other users can write to", err);
    return ERR_OK;
}

/* ------------------------------------------------------------------ opening */

static void log_close(struct platform_log *log)
{
    posix_close_auto(&log->fd);
    log->is_inside_line = false;
}

/* What is open stays open unless something better was found. */
static enum err_code log_open(struct platform_log *log, struct err *err)
{
    char AUTO_FREE *real = NULL;
    int AUTO_FD fd = -1;
    struct stat st;
    enum err_code code;

    /* Before a FIFO is opened: that would wake up who waits at its other end. */
    if (stat(log->path, &st) == 0 && (code = check_kind(log->path, st.st_mode, err)) != ERR_OK)
        return code;
    code = follow_links(log->path, &real, err);
    if (code != ERR_OK)
        return code;
    /* O_NONBLOCK: whatever comes between looking and opening, and a terminal that was stopped with ^S. */
    fd = posix_open(real, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return posix_err(err, ERR_IO, errno, "open the log", log->path);
    if (fstat(fd, &st) != 0)
        return posix_err(err, ERR_IO, errno, "look at the log", log->path);
    code = check_file(log->path, real, &st, err);
    if (code != ERR_OK)
        return code;
    log_close(log);
    log->fd = fd;
    log->dev = st.st_dev;
    log->ino = st.st_ino;
    fd = -1;
    return ERR_OK;
}

/* Does the path still name what is open? */
static bool is_current(const struct platform_log *log)
{
    struct stat st;

    return log->fd >= 0 && stat(log->path, &st) == 0 && st.st_dev == log->dev && st.st_ino == log->ino;
}

/* ------------------------------------------------------------------ writing */

/* One write() for the whole line.  Should it be cut short by a full disk, the next one begins on a line of its own. */
static bool put_line(struct platform_log *log, const char *line, size_t len)
{
    char AUTO_FREE *whole = NULL;
    ssize_t put;

    if (log->is_inside_line) {
        whole = mem_printf("\n%.*s", (int)len, line);
        line = whole;
        len++;
    }
    do {
        put = write(log->fd, line, len);
    } while (put < 0 && errno == EINTR);
    if (put > 0)
        log->is_inside_line = (size_t)put < len;
    if (put >= 0 && (size_t)put < len)
        errno = ENOSPC;
    return put >= 0 && (size_t)put == len;
}

enum err_code platform_log_append(void *log_of_path, const char *line, size_t len, struct err *err)
{
    struct platform_log *log = log_of_path;
    enum err_code code = is_current(log) ? ERR_OK : log_open(log, err);

    if (log->fd < 0)
        return code;
    /* Rotated away with nothing in its place that could be opened: better in the old file than lost. */
    if (!put_line(log, line, len) && code == ERR_OK)
        code = posix_err(err, ERR_IO, errno, "write the log", log->path);
    return code;
}

enum err_code platform_log_open(const char *path, struct platform_log **out, struct err *err)
{
    struct platform_log *log = mem_zalloc(sizeof *log);
    enum err_code code;

    log->path = mem_strdup(path);
    log->fd = -1;
    code = log_open(log, err);
    if (code != ERR_OK)
        platform_log_free(log);
    else
        *out = log;
    return code;
}

void platform_log_free(struct platform_log *log)
{
    if (!log)
        return;
    log_close(log);
    free(log->path);
    free(log);
}
