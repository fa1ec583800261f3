/* SPDX-License-Identifier: MIT */
#include "platform/platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix.h"

static enum err_code make_one(const char *path, struct err *err)
{
    struct stat st;
    int errnum;

    if (mkdir(path, 0700) == 0) {
        /* What is made in it is durable only if it is; where that fails, so will the write that needs it. */
        (void)!posix_sync_directory_of(path, NULL);
        return ERR_OK;
    }
    errnum = errno;
    /* Any failure is fine when the directory is there: above it we may be unable to write, or it is a mount
     * point. */
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return ERR_OK;
        return err_set(err, ERR_IO, "could not make the directory \"%s\": it exists and is no directory", path);
    }
    return posix_err(err, ERR_IO, errnum, "make the directory", path);
}

enum err_code platform_dir_make(const char *path, struct err *err)
{
    char AUTO_FREE *part = mem_strdup(path);
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return ERR_OK;
    for (char *slash = strchr(part + (part[0] == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
        enum err_code rc;

        *slash = '\0';
        rc = make_one(part, err);
        *slash = '/';
        if (rc != ERR_OK)
            return rc;
    }
    return make_one(path, err);
}

enum err_code platform_dir_inspect(const char *path, struct platform_dir_info *out, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return posix_err(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "look at the directory", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_IO, "could not use \"%s\": it is not a directory", path);
    *out = (struct platform_dir_info){
        .mode = (unsigned)st.st_mode & 07777U,
        .owner_is_trusted = st.st_uid == 0 || st.st_uid == geteuid(),
        .above_is_trusted = true,
        .others_can_write = (st.st_mode & (S_IWGRP | S_IWOTH)) != 0,
    };
    /* Root passes every permission check, but not that of a read-only mount. */
    if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0)
        out->access = PLATFORM_DIR_WRITABLE;
    else
        out->access = errno == EROFS ? PLATFORM_DIR_READ_ONLY : PLATFORM_DIR_DENIED;
    return ERR_OK;
}

void platform_dirs_make(const struct strlist *paths)
{
    bool is_new = false;

    for (size_t i = 0; i < paths->count; i++)
        is_new |= mkdir(paths->items[i], 0700) == 0;
    if (is_new)
        (void)!posix_sync_directory_of(paths->items[0], NULL);
}

enum err_code platform_dir_set_mode(const char *path, unsigned mode, struct err *err)
{
    struct stat st;
    int AUTO_FD fd = posix_open(path, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return posix_err(err, ERR_IO, errno, "open the directory", path);
    if (fstat(fd, &st) != 0)
        return posix_err(err, ERR_IO, errno, "look at", path);
    if ((st.st_mode & 07777U) != mode && fchmod(fd, (mode_t)mode) != 0)
        return posix_err(err, ERR_IO, errno, "change the mode of", path);
    return ERR_OK;
}

enum err_code platform_dir_list(const char *path, struct strlist *out, struct err *err)
{
    DIR AUTO_DIR *dir = opendir(path);
    struct strlist AUTO_STRLIST names = {NULL, 0};
    const struct dirent *entry;

    if (!dir)
        return posix_err(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "list the directory", path);
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0)
        if (!posix_is_self_or_parent(entry->d_name))
            strlist_add(&names, entry->d_name);
    if (errno != 0)
        return posix_err(err, ERR_IO, errno, "list the directory", path);
    strlist_sort(&names);
    strlist_done(out);
    *out = names;
    names = (struct strlist){NULL, 0};
    return ERR_OK;
}

void platform_dir_sweep(const char *path, int64_t now_ms, int64_t max_age_ms)
{
    DIR AUTO_DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        struct stat st;

        if (platform_is_temp_name(entry->d_name) && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) && (int64_t)st.st_mtime * 1000 < now_ms - max_age_ms)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
}
