/* SPDX-License-Identifier: MIT */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix.h"

/* What open() says of links with O_NOFOLLOW (EMLINK on FreeBSD), of sockets and of devices. */
static bool is_no_file(int flags, int errnum)
{
    return (flags & O_NOFOLLOW) && (errnum == ELOOP || errnum == EMLINK || errnum == ENXIO || errnum == ENODEV);
}

static enum err_code open_regular(const char *path, int flags, int *out_fd, struct stat *st, struct err *err)
{
    /* O_NONBLOCK: opening a FIFO must not wait for somebody to write to it. */
    int AUTO_FD fd = posix_open(path, O_RDONLY | O_NONBLOCK | flags, 0);

    if (fd < 0 && is_no_file(flags, errno))
        return err_set(err, ERR_INPUT, "could not read \"%s\": it is not a regular file", path);
    if (fd < 0)
        return posix_err(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, errno, "open", path);
    if (fstat(fd, st) != 0)
        return posix_err(err, ERR_IO, errno, "look at", path);
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_INPUT, "could not read \"%s\": it is not a regular file", path);
    *out_fd = fd;
    fd = -1;
    return ERR_OK;
}

/* The group bits of a file with a POSIX ACL are its mask: what any named user or group may have at most.  So
 * the mode alone already errs on the safe side. */
static struct platform_file_info info_of(const struct stat *st)
{
    struct platform_file_info info = {.exposure = PLATFORM_PRIVATE, .mode = (unsigned)st->st_mode & 07777U};

    info.everybody_can_write = (st->st_mode & S_IWOTH) != 0;
    if (st->st_mode & S_IROTH)
        info.exposure = PLATFORM_WORLD_READABLE;
    else if (st->st_mode & S_IRGRP)
        info.exposure = PLATFORM_GROUP_READABLE;
    info.owner_is_trusted = st->st_uid == 0 || st->st_uid == geteuid();
    return info;
}

static enum err_code too_large(const char *path, const struct buf *out, struct err *err)
{
    return err_set(err, ERR_INPUT, "could not read \"%s\": it is larger than %zu bytes", path, out->max);
}

/* Errors: ERR_NOT_FOUND, ERR_INPUT (no regular file, too large), ERR_IO. */
static enum err_code read_regular(const char *path, int flags, struct buf *out, struct stat *st, struct err *err)
{
    struct buf AUTO_BUF content = BUF_INIT(out->max);
    int AUTO_FD fd = -1;
    enum err_code rc = open_regular(path, flags, &fd, st, err);

    if (rc != ERR_OK)
        return rc;
    if (st->st_size < 0 || (uintmax_t)st->st_size > out->max)
        return too_large(path, out, err);
    if (!posix_read_all(fd, &content))
        return posix_err(err, ERR_IO, errno, "read", path);
    if (!buf_ok(&content)) /* it grew meanwhile, or is one of those that say 0, as under /proc */
        return too_large(path, out, err);
    buf_done(out);
    *out = content;
    content = BUF_INIT(out->max);
    return ERR_OK;
}

/* Symbolic links are followed: that is how container platforms mount secrets. */
enum err_code platform_file_read(const char *path, struct buf *out, struct platform_file_info *info, struct err *err)
{
    struct stat st;
    enum err_code rc = read_regular(path, 0, out, &st, err);

    if (rc == ERR_INPUT && err)
        err->code = ERR_IO;
    if (rc == ERR_OK && info)
        *info = info_of(&st);
    return rc == ERR_INPUT ? ERR_IO : rc;
}

enum err_code platform_file_read_own(const char *path, struct buf *out, struct err *err)
{
    struct stat st;

    return read_regular(path, O_NOFOLLOW, out, &st, err);
}

bool platform_file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

enum err_code platform_file_remove(const char *path, struct err *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return posix_err(err, ERR_IO, errno, "remove", path);
    return ERR_OK;
}
