/* SPDX-License-Identifier: MIT
 *
 * Reading, atomic writing and removing of single files.
 *
 * A write goes to a temporary file in the same directory, is synced, and takes its place by rename; the
 * directory is synced last.  Whatever kills us in between leaves the old file whole, and at worst a temporary
 * file, whose name platform_dir_sweep() knows.
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix.h"

#define TEMP_ATTEMPTS 8

/* ------------------------------------------------------------------ reading */

static enum err_code open_regular(const char *path, int *out_fd, struct stat *st, struct err *err)
{
    /* O_NONBLOCK: opening a FIFO must not wait for somebody to write to it.  Symbolic links are followed:
     * that is how container platforms mount secrets. */
    int AUTO_FD fd = posix_open(path, O_RDONLY | O_NONBLOCK, 0);

    if (fd < 0)
        return posix_err(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, errno, "open",
                         path);
    if (fstat(fd, st) != 0)
        return posix_err(err, ERR_IO, errno, "look at", path);
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_IO, "could not read \"%s\": it is not a regular file", path);
    *out_fd = fd;
    fd = -1;
    return ERR_OK;
}

/* The group bits of a file with a POSIX ACL are its mask: what any named user or group may have at most.  So
 * the mode alone already errs on the safe side. */
static struct platform_file_info info_of(const struct stat *st)
{
    struct platform_file_info info = {.exposure = PLATFORM_PRIVATE, .mode = (unsigned)st->st_mode & 07777U};

    if (st->st_mode & S_IROTH)
        info.exposure = PLATFORM_WORLD_READABLE;
    else if (st->st_mode & S_IRGRP)
        info.exposure = PLATFORM_GROUP_READABLE;
    info.owner_is_trusted = st->st_uid == 0 || st->st_uid == geteuid();
    return info;
}

static enum err_code too_large(const char *path, const struct buf *out, struct err *err)
{
    return err_set(err, ERR_IO, "could not read \"%s\": it is larger than %zu bytes", path, out->max);
}

enum err_code platform_file_read(const char *path, struct buf *out, struct platform_file_info *info,
                                 struct err *err)
{
    struct buf AUTO_BUF content = BUF_INIT(out->max);
    int AUTO_FD fd = -1;
    struct stat st;
    enum err_code rc = open_regular(path, &fd, &st, err);

    if (rc != ERR_OK)
        return rc;
    if (st.st_size < 0 || (uintmax_t)st.st_size > out->max)
        return too_large(path, out, err);
    if (!posix_read_all(fd, &content))
        return posix_err(err, ERR_IO, errno, "read", path);
    if (!buf_ok(&content)) /* it grew meanwhile, or is one of those that say 0, as under /proc */
        return too_large(path, out, err);
    buf_done(out);
    *out = content;
    content = BUF_INIT(out->max);
    if (info)
        *info = info_of(&st);
    return ERR_OK;
}

bool platform_file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* ------------------------------------------------------------------ writing */

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

/* Make a rename or an unlink durable.  File systems without the notion say EINVAL (some network and FUSE
 * ones). */
static enum err_code sync_directory_of(const char *path, struct err *err)
{
    char AUTO_FREE *dir = directory_of(path);
    int AUTO_FD fd = posix_open(dir, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return errno == EACCES ? ERR_OK : posix_err(err, ERR_IO, errno, "open the directory", dir);
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EBADF)
        return posix_err(err, ERR_IO, errno, "sync the directory", dir);
    return ERR_OK;
}

/* A new file beside `path`, under a name that no one else has. */
static enum err_code temp_open(const char *path, char **out_name, int *out_fd, struct err *err)
{
    char AUTO_FREE *dir = directory_of(path);

    for (int attempt = 0; attempt < TEMP_ATTEMPTS; attempt++) {
        uint64_t random;
        enum err_code rc = platform_random(&random, sizeof random, err);
        char AUTO_FREE *name = NULL;
        int fd;

        if (rc != ERR_OK)
            return rc;
        name = mem_printf("%s/" POSIX_TEMP_PREFIX "%016llx" POSIX_TEMP_SUFFIX, dir,
                          (unsigned long long)random);
        fd = posix_open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (fd >= 0) {
            *out_name = name;
            *out_fd = fd;
            name = NULL;
            return ERR_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return posix_err(err, ERR_IO, errno, "create a file in", dir);
}

static enum err_code fill_and_close(int *fd, const void *data, size_t len, const char *path, struct err *err)
{
    int closing = *fd;

    if (!posix_write_all(*fd, data, len))
        return posix_err(err, ERR_IO, errno, "write", path);
    if (fsync(*fd) != 0)
        return posix_err(err, ERR_IO, errno, "sync", path);
    *fd = -1;
    /* NFS and quotas report late; EINTR means closed all the same on every system that matters. */
    if (close(closing) != 0 && errno != EINTR)
        return posix_err(err, ERR_IO, errno, "write", path);
    return ERR_OK;
}

static bool move_over(const char *temp, const char *path)
{
    return rename(temp, path) == 0;
}

/* Rename unless `path` exists.  Not every file system knows that (NFS, older FUSE), and not every one knows
 * hard links (FAT); each knows one of them. */
static bool move_new(const char *temp, const char *path)
{
#ifdef HAVE_RENAMEAT2
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
#endif
    if (link(temp, path) != 0)
        return false;
    (void)unlink(temp);
    return true;
}

static enum err_code write_file(const char *path, const void *data, size_t len,
                                bool (*move)(const char *temp, const char *path), struct err *err)
{
    char AUTO_FREE *temp = NULL;
    int AUTO_FD fd = -1;
    enum err_code rc = temp_open(path, &temp, &fd, err);

    if (rc != ERR_OK)
        return rc;
    rc = fill_and_close(&fd, data, len, path, err);
    if (rc == ERR_OK && !move(temp, path))
        rc = errno == EEXIST ? err_set(err, ERR_EXISTS, "could not create \"%s\": it exists", path)
                             : posix_err(err, ERR_IO, errno, "write", path);
    if (rc != ERR_OK) {
        (void)unlink(temp);
        return rc;
    }
    return sync_directory_of(path, err);
}

enum err_code platform_file_replace(const char *path, const void *data, size_t len, struct err *err)
{
    return write_file(path, data, len, move_over, err);
}

enum err_code platform_file_create(const char *path, const void *data, size_t len, struct err *err)
{
    return write_file(path, data, len, move_new, err);
}

enum err_code platform_file_remove(const char *path, struct err *err)
{
    if (unlink(path) != 0) {
        if (errno == ENOENT)
            return ERR_OK;
        return posix_err(err, ERR_IO, errno, "remove", path);
    }
    return sync_directory_of(path, err);
}
