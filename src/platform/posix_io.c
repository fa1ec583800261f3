/* SPDX-License-Identifier: MIT
 *
 * The loops around system calls that every file function needs, and the advice for their common failures.
 */
#include "platform/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "platform/platform.h"
#include "util/secret.h"

#define CHUNK 16384
/* One by one a file costs 3 to 10 ms on ext4; the file system as a whole hardly more than that, unless others write. */
#define SYNC_AT_ONCE_MIN 64

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

void posix_close_dir_auto(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

bool posix_is_self_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int posix_end_of_descriptors(void)
{
    struct rlimit limit;
    int end = 65536; /* where the limit is "unlimited" */

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)end)
        end = (int)limit.rlim_cur;
    return end;
}

char *posix_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

enum err_code posix_temp_name(const char *dir, char **out, struct err *err)
{
    uint64_t random;
    enum err_code rc = platform_random(&random, sizeof random, err);

    if (rc == ERR_OK)
        *out = mem_printf("%s/" POSIX_TEMP_PREFIX "%016llx" POSIX_TEMP_SUFFIX, dir, (unsigned long long)random);
    return rc;
}

/* File systems without the notion say EINVAL (some network and FUSE ones), and a directory may be one that we can write
 * to but not read. */
enum err_code posix_sync_directory_of(const char *path, struct err *err)
{
    char AUTO_FREE *dir = posix_directory_of(path);
    int AUTO_FD fd = posix_open(dir, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return errno == EACCES ? ERR_OK : posix_err(err, ERR_IO, errno, "open the directory", dir);
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EBADF)
        return posix_err(err, ERR_IO, errno, "sync the directory", dir);
    return ERR_OK;
}

enum posix_sync posix_sync_for(size_t files)
{
#ifdef HAVE_SYNCFS
    return files >= SYNC_AT_ONCE_MIN ? POSIX_SYNC_AT_ONCE : POSIX_SYNC_EACH;
#else
    (void)files;
    return POSIX_SYNC_EACH;
#endif
}

enum err_code posix_close_written(int *fd, enum posix_sync sync, const char *path, struct err *err)
{
    int closing = *fd;

    if (sync == POSIX_SYNC_EACH && fsync(*fd) != 0)
        return posix_err(err, ERR_IO, errno, "sync", path);
    *fd = -1;
    /* NFS and quotas report late; EINTR means closed all the same on every system that matters. */
    if (close(closing) != 0 && errno != EINTR)
        return posix_err(err, ERR_IO, errno, "write", path);
    return ERR_OK;
}

enum err_code posix_sync_file_system_of(const char *path, struct err *err)
{
    char AUTO_FREE *dir = posix_directory_of(path);
    int AUTO_FD fd = posix_open(dir, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return posix_err(err, ERR_IO, errno, "open the directory", dir);
#ifdef HAVE_SYNCFS
    if (syncfs(fd) != 0)
        return posix_err(err, ERR_IO, errno, "sync the file system of", dir);
    return ERR_OK;
#else
    return err_set(err, ERR_INTERNAL, "could not sync the file system of \"%s\": the system has no such call", dir);
#endif
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
        err_hint(err, "The file system that holds \"%s\" is mounted read-only; choose a place that can be written to.",
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
