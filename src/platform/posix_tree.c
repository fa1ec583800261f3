/* SPDX-License-Identifier: MIT
 *
 * Directories that come into being whole and go away whole, and links that are switched in one step.
 *
 * A tree is filled under a temporary name, mode 0700, where nobody else can look in; its files are given away before
 * they get their final mode, and the directory last, so that at no moment anybody has more than in the end.  Several
 * are filled before they are synced, all of them by one call when they are many, and only then take their places.
 */
#include "platform/platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix.h"

#define LINK_TARGET_MAX 4096

/* A directory on its way. */
struct tree {
    const char *path; /* where it is to be */
    char *temp;       /* NULL before it is made and after it took its place */
    int fd;           /* -1 when closed */
};

/* ------------------------------------------------------------------ removing */

/* `at` is where it is now, `path` what it is called in messages. */
static enum err_code remove_now(const char *at, const char *path, struct err *err)
{
    int fd = posix_open(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR AUTO_DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        int errnum = errno;

        posix_close_auto(&fd);
        return errnum == ENOENT ? ERR_OK : posix_err(err, ERR_IO, errnum, "remove the directory", path);
    }
    while ((entry = readdir(dir)) != NULL)
        if (!posix_is_self_or_parent(entry->d_name) && unlinkat(fd, entry->d_name, 0) != 0 && errno != ENOENT) {
            char AUTO_FREE *file = mem_printf("%s/%s", path, entry->d_name);

            return posix_err(err, ERR_IO, errno, "remove", file);
        }
    if (rmdir(at) != 0 && errno != ENOENT)
        return posix_err(err, ERR_IO, errno, "remove the directory", path);
    return ERR_OK;
}

enum err_code platform_tree_remove(const char *path, struct err *err)
{
    char AUTO_FREE *dir = posix_directory_of(path);
    char AUTO_FREE *temp = NULL;
    struct platform_path_info info;
    enum err_code rc = platform_path_look(path, &info, err);

    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc == ERR_OK && info.kind != PLATFORM_PATH_DIRECTORY)
        return err_set(err, ERR_IO, "could not remove \"%s\": it is no directory", path);
    if (rc == ERR_OK)
        rc = posix_temp_name(dir, &temp, err);
    if (rc != ERR_OK)
        return rc;
    if (rename(path, temp) != 0)
        return errno == ENOENT ? ERR_OK : posix_err(err, ERR_IO, errno, "remove the directory", path);
    return remove_now(temp, path, err);
}

static void tree_done(struct tree *tree)
{
    posix_close_auto(&tree->fd);
    if (tree->temp)
        (void)!remove_now(tree->temp, tree->path, NULL);
    free(tree->temp);
}

/* ------------------------------------------------------------------ making */

static enum err_code make_temp(struct tree *tree, struct err *err)
{
    char AUTO_FREE *dir = posix_directory_of(tree->path);

    for (int attempt = 0; attempt < POSIX_TEMP_ATTEMPTS; attempt++) {
        char AUTO_FREE *name = NULL;
        enum err_code rc = posix_temp_name(dir, &name, err);

        if (rc != ERR_OK)
            return rc;
        if (mkdir(name, 0700) == 0) {
            tree->temp = name;
            name = NULL;
            tree->fd = posix_open(tree->temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
            return tree->fd < 0 ? posix_err(err, ERR_IO, errno, "open the directory", tree->path) : ERR_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return posix_err(err, ERR_IO, errno, "create a directory in", dir);
}

static bool is_plain_name(const char *name)
{
    return *name && !strchr(name, '/') && !posix_is_self_or_parent(name);
}

static enum err_code make_file(const struct tree *tree, const struct platform_tree_file *file, enum posix_sync sync,
                               struct err *err)
{
    char AUTO_FREE *path = mem_printf("%s/%s", tree->path, file->name);
    int AUTO_FD fd = -1;
    struct posix_ids ids;
    enum err_code rc = posix_ids_find(&file->access, &ids, err);

    if (rc != ERR_OK)
        return rc;
    if (!is_plain_name(file->name))
        return err_set(err, ERR_INTERNAL, "could not write \"%s\": it is no name of a file", path);
    fd = openat(tree->fd, file->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || !posix_write_all(fd, file->data, file->len))
        return posix_err(err, ERR_IO, errno, "write", path);
    rc = posix_give(fd, &ids, &file->access, path, err);
    return rc == ERR_OK ? posix_close_written(&fd, sync, path, err) : rc;
}

static enum err_code sync_tree(const struct tree *tree, struct err *err)
{
    if (fsync(tree->fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EBADF)
        return posix_err(err, ERR_IO, errno, "sync the directory", tree->path);
    return ERR_OK;
}

static enum err_code fill(struct tree *tree, const struct platform_tree *wanted, enum posix_sync sync, struct err *err)
{
    struct posix_ids ids;
    enum err_code rc = posix_ids_find(&wanted->access, &ids, err);

    if (rc == ERR_OK)
        rc = make_temp(tree, err);
    for (size_t i = 0; i < wanted->count && rc == ERR_OK; i++)
        rc = make_file(tree, &wanted->files[i], sync, err);
    if (rc == ERR_OK)
        rc = posix_give(tree->fd, &ids, &wanted->access, tree->path, err);
    if (rc == ERR_OK && sync == POSIX_SYNC_EACH)
        rc = sync_tree(tree, err);
    posix_close_auto(&tree->fd);
    return rc;
}

static enum err_code take_place(struct tree *tree, struct err *err)
{
    if (!posix_move_new(tree->temp, tree->path)) {
        if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)
            return err_set(err, ERR_EXISTS, "could not create \"%s\": it exists", tree->path);
        return posix_err(err, ERR_IO, errno, "create the directory", tree->path);
    }
    free(tree->temp);
    tree->temp = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ several together */

static bool is_well(const struct platform_tree *wanted)
{
    return wanted->err.code == ERR_OK;
}

/* What was written, or has taken its place, is not durable for sure. */
static void fail_all(struct platform_tree *trees, size_t count, const struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (is_well(&trees[i]))
            trees[i].err = *err;
}

static void sync_at_once(struct platform_tree *trees, size_t count)
{
    struct err err;

    if (posix_sync_file_system_of(trees[0].path, &err) != ERR_OK)
        fail_all(trees, count, &err);
}

/* Those that can't be made durable go away again. */
static void sync_places(struct platform_tree *wanted, size_t count, enum posix_sync sync)
{
    AUTO_FREE bool *is_there = mem_calloc(count, sizeof *is_there);

    for (size_t i = 0; i < count; i++)
        is_there[i] = is_well(&wanted[i]);
    if (sync == POSIX_SYNC_AT_ONCE)
        sync_at_once(wanted, count);
    for (size_t i = 0; i < count; i++) {
        if (sync == POSIX_SYNC_EACH && is_there[i])
            err_settle(&wanted[i].err, posix_sync_directory_of(wanted[i].path, &wanted[i].err));
        if (is_there[i] && !is_well(&wanted[i]))
            (void)!platform_tree_remove(wanted[i].path, NULL);
    }
}

void platform_trees_create(struct platform_tree *trees, size_t count)
{
    AUTO_FREE struct tree *made = mem_calloc(count, sizeof *made);
    size_t files = 0;
    enum posix_sync sync;

    for (size_t i = 0; i < count; i++) {
        err_init(&trees[i].err);
        made[i] = (struct tree){.path = trees[i].path, .fd = -1};
        files += trees[i].count;
    }
    sync = posix_sync_for(files);
    for (size_t i = 0; i < count; i++)
        err_settle(&trees[i].err, fill(&made[i], &trees[i], sync, &trees[i].err));
    if (sync == POSIX_SYNC_AT_ONCE)
        sync_at_once(trees, count);
    for (size_t i = 0; i < count; i++)
        if (is_well(&trees[i]))
            err_settle(&trees[i].err, take_place(&made[i], &trees[i].err));
    if (count)
        sync_places(trees, count, sync);
    for (size_t i = 0; i < count; i++)
        tree_done(&made[i]);
}

/* ------------------------------------------------------------------ links */

static enum err_code make_link(const char *path, const char *target, char **out_temp, struct err *err)
{
    char AUTO_FREE *dir = posix_directory_of(path);

    for (int attempt = 0; attempt < POSIX_TEMP_ATTEMPTS; attempt++) {
        char AUTO_FREE *name = NULL;
        enum err_code rc = posix_temp_name(dir, &name, err);

        if (rc != ERR_OK)
            return rc;
        if (symlink(target, name) == 0) {
            *out_temp = name;
            name = NULL;
            return ERR_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return posix_err(err, ERR_IO, errno, "create a link in", dir);
}

static enum err_code switch_one(const char *path, const char *target, struct err *err)
{
    char AUTO_FREE *temp = NULL;
    struct platform_path_info info;
    enum err_code rc = platform_path_look(path, &info, err);

    if (rc == ERR_OK && info.kind != PLATFORM_PATH_LINK)
        return err_set(err, ERR_EXISTS, "could not create the link \"%s\": something else is there", path);
    if (rc == ERR_OK || rc == ERR_NOT_FOUND)
        rc = make_link(path, target, &temp, err);
    if (rc == ERR_OK && rename(temp, path) != 0) {
        rc = posix_err(err, ERR_IO, errno, "switch the link", path);
        (void)unlink(temp);
    }
    return rc;
}

void platform_links_switch(struct platform_link *links, size_t count)
{
    enum err_code synced = ERR_OK;
    struct err err;

    for (size_t i = 0; i < count; i++) {
        err_settle(&links[i].err, switch_one(links[i].path, links[i].target, &links[i].err));
    }
    if (count)
        synced = posix_sync_directory_of(links[0].path, &err);
    for (size_t i = 0; synced != ERR_OK && i < count; i++)
        if (links[i].err.code == ERR_OK)
            links[i].err = err;
}

enum err_code platform_link_switch(const char *path, const char *target, struct err *err)
{
    struct platform_link link = {.path = path, .target = target};

    platform_links_switch(&link, 1);
    if (link.err.code != ERR_OK && err)
        *err = link.err;
    return link.err.code;
}

enum err_code platform_link_read(const char *path, char **out_target, struct err *err)
{
    char target[LINK_TARGET_MAX];
    ssize_t len = readlink(path, target, sizeof target);

    if (len < 0 && errno == EINVAL)
        return err_set(err, ERR_INPUT, "\"%s\" is no link", path);
    if (len < 0)
        return posix_err(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, errno, "read the link",
                         path);
    if ((size_t)len == sizeof target)
        return err_set(err, ERR_INPUT, "could not read the link \"%s\": it is too long", path);
    *out_target = mem_strndup(target, (size_t)len);
    return ERR_OK;
}
