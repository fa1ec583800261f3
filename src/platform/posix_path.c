/* SPDX-License-Identifier: MIT
 *
 * What stands at a path, and moving it elsewhere without replacing anything.
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "platform/posix.h"
#include "util/text.h"

static enum platform_path_kind kind_of(const struct stat *st)
{
    if (S_ISREG(st->st_mode))
        return PLATFORM_PATH_FILE;
    if (S_ISDIR(st->st_mode))
        return PLATFORM_PATH_DIRECTORY;
    return S_ISLNK(st->st_mode) ? PLATFORM_PATH_LINK : PLATFORM_PATH_OTHER;
}

enum err_code platform_path_look(const char *path, struct platform_path_info *out, struct err *err)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return posix_err(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, errno, "look at", path);
    *out = (struct platform_path_info){.kind = kind_of(&st), .changed_ms = (int64_t)st.st_mtime * 1000};
    if (out->kind == PLATFORM_PATH_LINK && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        out->leads_to_directory = true;
    return ERR_OK;
}

/* Not every file system knows how to rename unless the target exists (NFS, older FUSE), and not every one knows hard
 * links (FAT); each knows one of them.  A directory can't be linked; rename() replaces only an empty one. */
bool posix_move_new(const char *from, const char *to)
{
    struct stat st;

#ifdef HAVE_RENAMEAT2
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
#endif
    if (lstat(from, &st) != 0)
        return false;
    if (S_ISDIR(st.st_mode))
        return rename(from, to) == 0;
    if (linkat(AT_FDCWD, from, AT_FDCWD, to, 0) != 0)
        return false;
    (void)unlink(from);
    return true;
}

enum err_code platform_path_move(const char *from, const char *to, struct err *err)
{
    if (posix_move_new(from, to))
        return ERR_OK;
    switch (errno) {
    case EEXIST:
    case ENOTEMPTY:
    case ENOTDIR:
        return err_set(err, ERR_EXISTS, "could not move \"%s\" to \"%s\": it exists", from, to);
    case ENOENT:
        return posix_err(err, ERR_NOT_FOUND, ENOENT, "move", from);
    default:
        return posix_err(err, ERR_IO, errno, "move", from);
    }
}

bool platform_is_temp_name(const char *name)
{
    return text_starts_with(name, POSIX_TEMP_PREFIX) && text_ends_with(name, POSIX_TEMP_SUFFIX);
}

enum err_code platform_free_bytes(const char *path, uint64_t *out, struct err *err)
{
    struct statvfs st;
    uint64_t bytes;

    if (statvfs(path, &st) != 0)
        return posix_err(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "look at the file system of", path);
    if (__builtin_mul_overflow((uint64_t)st.f_bavail, (uint64_t)st.f_frsize, &bytes))
        bytes = UINT64_MAX;
    *out = bytes;
    return ERR_OK;
}

char *platform_path_absolute(const char *path)
{
    char AUTO_FREE *dir = path[0] == '/' ? NULL : mem_calloc(1, PATH_MAX);

    return dir && getcwd(dir, PATH_MAX) && dir[0] == '/' ? mem_printf("%s/%s", dir, path) : mem_strdup(path);
}

char *platform_path_inside(const char *path)
{
    return mem_strdup(path);
}

char *platform_path_native(const char *path)
{
    return mem_strdup(path);
}

bool platform_path_is_absolute(const char *path)
{
    return path[0] == '/';
}
