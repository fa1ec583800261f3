/* SPDX-License-Identifier: MIT
 *
 * Atomic writing of files.
 *
 * Each file is written to a temporary one in the same directory, which is synced and takes its place by rename; the
 * directory is synced last, once for all of them.  Whatever kills us in between leaves the old files whole, and at
 * worst temporary files, whose names platform_dir_sweep() knows.
 *
 * Of several files all are written before the first is synced: a file system then has most of them on disk with one
 * commit of its own (100 files on ext4: 0.3 s, one after the other 0.9 s).  Many are synced by one call for the whole
 * file system.
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix.h"

#define OPEN_MAX_FILES 64 /* that many descriptors at once */

/* A file on its way. */
struct pending {
    const struct platform_file_write *write;
    char *temp; /* NULL before it is made and after it took its place */
    int fd;     /* -1 when closed */
};

struct pending_list {
    struct pending *items;
    size_t count;
};

static void pending_list_done(struct pending_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct pending *p = &list->items[i];

        posix_close_auto(&p->fd);
        if (p->temp)
            (void)unlink(p->temp);
        free(p->temp);
    }
    free(list->items);
}

static void pending_list_init(struct pending_list *list, const struct platform_file_write *writes, size_t count)
{
    *list = (struct pending_list){mem_calloc(count, sizeof *list->items), count};
    for (size_t i = 0; i < count; i++)
        list->items[i] = (struct pending){.write = &writes[i], .fd = -1};
}

/* ------------------------------------------------------------------ the steps */

/* A new file beside the one to write, under a name that no one else has. */
static enum err_code open_temp(struct pending *p, struct err *err)
{
    char AUTO_FREE *dir = posix_directory_of(p->write->path);

    for (int attempt = 0; attempt < POSIX_TEMP_ATTEMPTS; attempt++) {
        char AUTO_FREE *name = NULL;
        enum err_code rc = posix_temp_name(dir, &name, err);

        if (rc != ERR_OK)
            return rc;
        p->fd = posix_open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (p->fd >= 0) {
            p->temp = name;
            name = NULL;
            return ERR_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return posix_err(err, ERR_IO, errno, "create a file in", dir);
}

static enum err_code fill(struct pending *p, struct err *err)
{
    enum err_code rc = open_temp(p, err);

    if (rc == ERR_OK && !posix_write_all(p->fd, p->write->data, p->write->len))
        rc = posix_err(err, ERR_IO, errno, "write", p->write->path);
    if (rc == ERR_OK && p->write->is_public && fchmod(p->fd, 0644) != 0)
        rc = posix_err(err, ERR_IO, errno, "change the mode of", p->write->path);
    return rc;
}

static enum err_code move(struct pending *p, enum platform_write_mode mode, struct err *err)
{
    const char *path = p->write->path;
    bool moved = mode == PLATFORM_CREATE ? posix_move_new(p->temp, path) : rename(p->temp, path) == 0;

    if (!moved && errno == EEXIST)
        return err_set(err, ERR_EXISTS, "could not create \"%s\": it exists", path);
    if (!moved)
        return posix_err(err, ERR_IO, errno, "write", path);
    free(p->temp);
    p->temp = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ all together */

static enum err_code fill_all(struct pending_list *list, enum platform_write_mode mode, struct err *err)
{
    enum posix_sync sync = mode == PLATFORM_REPLACE_UNSYNCED ? POSIX_SYNC_NONE : posix_sync_for(list->count);
    enum err_code rc = ERR_OK;

    for (size_t start = 0; start < list->count && rc == ERR_OK; start += OPEN_MAX_FILES) {
        size_t end = list->count - start < OPEN_MAX_FILES ? list->count : start + OPEN_MAX_FILES;

        for (size_t i = start; i < end && rc == ERR_OK; i++)
            rc = fill(&list->items[i], err);
        for (size_t i = start; i < end && rc == ERR_OK; i++)
            rc = posix_close_written(&list->items[i].fd, sync, list->items[i].write->path, err);
    }
    if (rc == ERR_OK && sync == POSIX_SYNC_AT_ONCE)
        rc = posix_sync_file_system_of(list->items[0].write->path, err);
    return rc;
}

static enum err_code move_all(struct pending_list *list, enum platform_write_mode mode, struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        enum err_code rc = move(&list->items[i], mode, err);

        if (rc == ERR_OK)
            continue;
        while (mode == PLATFORM_CREATE && i-- > 0)
            (void)unlink(list->items[i].write->path);
        return rc;
    }
    return ERR_OK;
}

enum err_code platform_files_write(const struct platform_file_write *writes, size_t count,
                                   enum platform_write_mode mode, struct err *err)
{
    struct pending_list AUTO(pending_list_done) list = {NULL, 0};
    enum err_code rc;

    if (count == 0)
        return ERR_OK;
    pending_list_init(&list, writes, count);
    rc = fill_all(&list, mode, err);
    if (rc == ERR_OK)
        rc = move_all(&list, mode, err);
    if (rc == ERR_OK && (mode == PLATFORM_CREATE || mode == PLATFORM_REPLACE))
        rc = posix_sync_directory_of(writes[0].path, err);
    return rc;
}

enum err_code platform_file_replace(const char *path, const void *data, size_t len, struct err *err)
{
    return platform_files_write(&(struct platform_file_write){.path = path, .data = data, .len = len}, 1,
                                PLATFORM_REPLACE, err);
}

enum err_code platform_file_create(const char *path, const void *data, size_t len, struct err *err)
{
    return platform_files_write(&(struct platform_file_write){.path = path, .data = data, .len = len}, 1,
                                PLATFORM_CREATE, err);
}
