/* SPDX-License-Identifier: MIT
 *
 * The loops around system calls that every file function needs, and the advice for their common failures.
 */
#include "platform/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "util/secret.h"

#define CHUNK 16384

void posix_close_auto(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

int posix_open(const char *path, int flags, mode_t mode)
{
    int fd;

    do {
        fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

bool posix_read_all(int fd, struct buf *out)
{
    char chunk[CHUNK];
    ssize_t got;

    do {
        got = read(fd, chunk, sizeof chunk);
        if (got > 0)
            buf_append(out, chunk, (size_t)got);
    } while ((got > 0 && buf_ok(out)) || (got < 0 && errno == EINTR));
    secret_wipe(chunk, sizeof chunk);
    return got >= 0;
}

bool posix_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t put = write(fd, at, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            if (put == 0)
                errno = ENOSPC;
            return false;
        }
        at += put;
        len -= (size_t)put;
    }
    return true;
}

enum err_code posix_err(struct err *err, enum err_code code, int errnum, const char *what, const char *path)
{
    (void)err_set_errno(err, code, errnum, "could not %s \"%s\"", what, path);
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        err_hint(err, "Free some space (or inodes, or quota) on the file system that holds \"%s\".", path);
        break;
    case EFBIG:
        err_hint(err, "Raise the limit of file sizes that this process has (\"ulimit -f\", LimitFSIZE= of systemd).");
        break;
    case EMFILE:
    case ENFILE:
        err_hint(err, "Raise the limit of open files (\"ulimit -n\", LimitNOFILE= of systemd).");
        break;
    case EROFS:
        err_hint(
            err,
            "The file system that holds \"%s\" is mounted read-only; choose a place that can be written to.",
            path);
        break;
    case EACCES:
    case EPERM:
        err_hint(err,
                 "The program runs as user id %ld; check the owner and mode of \"%s\" and of the directories "
                 "above it.",
                 (long)geteuid(), path);
        break;
    default:
        break;
    }
    return code;
}
