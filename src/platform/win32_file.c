/* SPDX-License-Identifier: MIT
 *
 * Reading and removing files.  What reads leaves everybody else free to replace the file meanwhile.
 */
#include "platform/platform.h"

#include "platform/win32.h"
#include "util/secret.h"

#define CHUNK 16384
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

bool win32_read_all(HANDLE handle, struct buf *out)
{
    char chunk[CHUNK];
    DWORD error = ERROR_SUCCESS;
    DWORD got = 0;

    do {
        if (!ReadFile(handle, chunk, sizeof chunk, &got, NULL)) {
            error = GetLastError();
            got = 0;
        }
        if (got > 0)
            buf_append(out, chunk, got);
    } while (got > 0 && buf_ok(out));
    secret_wipe(chunk, sizeof chunk);
    if (error == ERROR_SUCCESS || error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF)
        return true;
    SetLastError(error);
    return false;
}

/* ------------------------------------------------------------------ reading */

enum links { FOLLOW_LINKS, REFUSE_LINKS };

/* A file to be opened; directories are, too, as it is seen from the handle that they are. */
struct opening {
    const wchar_t *path;
    DWORD flags;
    HANDLE handle;
};

static bool open_once(void *ctx)
{
    struct opening *opening = ctx;

    opening->handle = CreateFileW(opening->path, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, opening->flags, NULL);
    return opening->handle != INVALID_HANDLE_VALUE;
}

/* 0: it is none. */
static DWORD reparse_tag(HANDLE handle)
{
    FILE_ATTRIBUTE_TAG_INFO info;

    if (!GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &info, sizeof info))
        return 0;
    return info.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT ? info.ReparseTag : 0;
}

/* A reparse point that is no link is how a volume stores a file (deduplicated, compressed): it is opened anew, so that
 * its content is had.  *out is NULL for a link. */
static bool open_handle(const wchar_t *path, enum links links, HANDLE *out)
{
    struct opening opening = {.path = path, .flags = FILE_FLAG_BACKUP_SEMANTICS};
    DWORD tag;

    if (links == REFUSE_LINKS)
        opening.flags |= FILE_FLAG_OPEN_REPARSE_POINT;
    if (!win32_retry_reading(open_once, &opening))
        return false;
    tag = links == REFUSE_LINKS ? reparse_tag(opening.handle) : 0;
    if (tag != 0) {
        win32_close_auto(&opening.handle);
        opening.flags = FILE_FLAG_BACKUP_SEMANTICS;
        if (!IsReparseTagNameSurrogate(tag) && !win32_retry_reading(open_once, &opening))
            return false;
    }
    *out = opening.handle;
    return true;
}

static enum err_code no_regular_file(const char *path, struct err *err)
{
    return err_set(err, ERR_INPUT, "could not read \"%s\": it is not a regular file", path);
}

static enum err_code too_large(const char *path, const struct buf *out, struct err *err)
{
    return err_set(err, ERR_INPUT, "could not read \"%s\": it is larger than %zu bytes", path, out->max);
}

static enum err_code open_regular(const char *path, enum links links, HANDLE *out, uint64_t *out_size, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE AUTO_HANDLE handle = NULL;
    BY_HANDLE_FILE_INFORMATION info;

    if (!wide) {
        (void)win32_err_name(err, "read", path);
        if (err && links == REFUSE_LINKS)
            err->code = ERR_INPUT;
        return links == REFUSE_LINKS ? ERR_INPUT : ERR_IO;
    }
    if (!open_handle(wide, links, &handle)) {
        DWORD error = GetLastError();

        return win32_err(err, win32_is_missing(error) ? ERR_NOT_FOUND : ERR_IO, error, "open", path);
    }
    if (!handle || GetFileType(handle) != FILE_TYPE_DISK)
        return no_regular_file(path, err);
    if (!GetFileInformationByHandle(handle, &info))
        return win32_err(err, ERR_IO, GetLastError(), "look at", path);
    if (info.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE))
        return no_regular_file(path, err);
    *out_size = ((uint64_t)info.nFileSizeHigh << 32) | info.nFileSizeLow;
    *out = handle;
    handle = NULL;
    return ERR_OK;
}

static enum err_code info_of(HANDLE handle, const char *path, struct platform_file_info *out, struct err *err)
{
    struct win32_access access;
    enum err_code rc = win32_access_of(handle, path, &access, err);

    if (rc == ERR_OK)
        *out = (struct platform_file_info){
            .exposure = access.readable,
            .everybody_can_write = access.everybody_can_write,
            .owner_is_trusted = access.owner_is_trusted,
        };
    return rc;
}

/* Errors: ERR_NOT_FOUND, ERR_INPUT (no regular file, too large), ERR_IO. */
static enum err_code read_regular(const char *path, enum links links, struct buf *out, struct platform_file_info *info,
                                  struct err *err)
{
    struct buf AUTO_BUF content = BUF_INIT(out->max);
    struct platform_file_info found = {.mode = 0};
    HANDLE AUTO_HANDLE handle = NULL;
    uint64_t size = 0;
    enum err_code rc = open_regular(path, links, &handle, &size, err);

    if (rc == ERR_OK && size > out->max)
        rc = too_large(path, out, err);
    if (rc == ERR_OK && info)
        rc = info_of(handle, path, &found, err);
    if (rc != ERR_OK)
        return rc;
    if (!win32_read_all(handle, &content))
        return win32_err(err, ERR_IO, GetLastError(), "read", path);
    if (!buf_ok(&content)) /* it grew meanwhile */
        return too_large(path, out, err);
    if (info)
        *info = found;
    buf_done(out);
    *out = content;
    content = BUF_INIT(out->max);
    return ERR_OK;
}

/* Links are followed, as on other systems. */
enum err_code platform_file_read(const char *path, struct buf *out, struct platform_file_info *info, struct err *err)
{
    enum err_code rc = read_regular(path, FOLLOW_LINKS, out, info, err);

    if (rc == ERR_INPUT && err)
        err->code = ERR_IO;
    return rc == ERR_INPUT ? ERR_IO : rc;
}

enum err_code platform_file_read_own(const char *path, struct buf *out, struct err *err)
{
    return read_regular(path, REFUSE_LINKS, out, NULL, err);
}

/* ------------------------------------------------------------------ removing */

static bool remove_directory_once(void *ctx)
{
    return RemoveDirectoryW(ctx);
}

enum err_code platform_file_remove(const char *path, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    DWORD attributes = win32_attributes(path);
    bool is_done;

    if (!wide)
        return win32_err_name(err, "remove", path);
    if (attributes == INVALID_FILE_ATTRIBUTES && win32_is_missing(GetLastError()))
        return ERR_OK;
    if (attributes == INVALID_FILE_ATTRIBUTES || !(attributes & FILE_ATTRIBUTE_DIRECTORY))
        is_done = win32_delete(wide);
    else if (attributes & FILE_ATTRIBUTE_REPARSE_POINT) /* it alone goes, not what it leads to */
        is_done = win32_retry(remove_directory_once, wide);
    else if (win32_is_link(path))
        return win32_link_remove(path, err);
    else
        return err_set(err, ERR_IO, "could not remove \"%s\": it is a directory", path);
    if (!is_done && !win32_is_missing(GetLastError()))
        return win32_err(err, ERR_IO, GetLastError(), "remove", path);
    return ERR_OK;
}
