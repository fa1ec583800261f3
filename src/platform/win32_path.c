/* SPDX-License-Identifier: MIT
 *
 * Paths from outside and to the outside, what stands at one, and moving it elsewhere without replacing anything.
 */
#include "platform/platform.h"

#include <string.h>

#include "platform/win32.h"
#include "util/text.h"

/* ------------------------------------------------------------------ forms of paths */

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

static bool has_drive(const char *path)
{
    return text_lower(path[0]) >= 'a' && text_lower(path[0]) <= 'z' && path[1] == ':';
}

static void replace_all(char *text, char from, char to)
{
    for (; *text; text++)
        if (*text == from)
            *text = to;
}

/* "\\?\" only keeps the system from changing a path, as win32_path() does by itself. */
char *platform_path_inside(const char *path)
{
    char AUTO_FREE *copy = mem_strdup(path);
    const char *rest = copy + 4;

    replace_all(copy, '\\', '/');
    if (!text_starts_with(copy, "//?/"))
        return mem_strdup(copy);
    if (text_ncasecmp(rest, "UNC/", 4) == 0)
        return mem_printf("//%s", rest + 4);
    return mem_strdup(has_drive(rest) && rest[2] == '/' ? rest : copy);
}

char *platform_path_native(const char *path)
{
    char *native = mem_strdup(path);

    replace_all(native, '/', '\\');
    return native;
}

bool platform_path_is_absolute(const char *path)
{
    if (has_drive(path))
        return is_separator(path[2]);
    return is_separator(path[0]) && is_separator(path[1]) && path[2] && !is_separator(path[2]);
}

/* Where a path begins that says only a part of it: the current directory, that of a drive ("C:x"), or its root ("/x").
 * NULL when it can't be told.  Yours. */
static char *start_of(const char *path)
{
    wchar_t of[] = {L'.', L'\0', L'\0', L'\0'};
    wchar_t AUTO_WIDE *start = NULL;
    char AUTO_FREE *utf8 = NULL;
    DWORD size;

    if (has_drive(path)) {
        of[0] = (wchar_t)path[0];
        of[1] = L':';
        of[2] = L'.';
    } else if (is_separator(path[0])) {
        of[0] = L'\\';
    }
    size = GetFullPathNameW(of, 0, NULL, NULL);
    start = mem_calloc((size_t)size + 1, sizeof *start);
    if (size == 0 || GetFullPathNameW(of, size + 1, start, NULL) == 0)
        return NULL;
    utf8 = win32_utf8(start);
    return platform_path_inside(utf8);
}

char *platform_path_absolute(const char *path)
{
    char AUTO_FREE *start = platform_path_is_absolute(path) ? NULL : start_of(path);
    const char *rest = has_drive(path) ? path + 2 : path;

    if (!start)
        return mem_strdup(path);
    while (is_separator(*rest))
        rest++;
    return mem_printf("%s%s%s", start, text_ends_with(start, "/") ? "" : "/", rest);
}

char *win32_directory_of(const char *path)
{
    size_t root = has_drive(path) ? 2 : 0;
    size_t len = strlen(path);

    while (len > root && !is_separator(path[len - 1]))
        len--;
    if (len == root)
        return root ? mem_printf("%.2s.", path) : mem_strdup(".");
    return len == root + 1 ? mem_strndup(path, len) : mem_strndup(path, len - 1);
}

bool platform_is_temp_name(const char *name)
{
    return text_starts_with(name, WIN32_TEMP_PREFIX) && text_ends_with(name, WIN32_TEMP_SUFFIX);
}

/* ------------------------------------------------------------------ what is there */

int64_t win32_ms_of(FILETIME time)
{
    uint64_t ticks = ((uint64_t)time.dwHighDateTime << 32) | time.dwLowDateTime; /* of 100 ns, since 1601 */

    return (int64_t)(ticks / 10000) - INT64_C(11644473600000);
}

/* What another program has open exclusively is still seen in its directory, and so is what kind of link something is;
 * but a drive is in none. */
static bool look(const wchar_t *path, WIN32_FIND_DATAW *out)
{
    WIN32_FILE_ATTRIBUTE_DATA seen;
    bool is_seen = GetFileAttributesExW(path, GetFileExInfoStandard, &seen);
    HANDLE found;

    if (!is_seen && GetLastError() != ERROR_SHARING_VIOLATION)
        return false;
    if (!is_seen || (seen.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
        found = FindFirstFileExW(path, FindExInfoBasic, out, FindExSearchNameMatch, NULL, 0);
        if (found != INVALID_HANDLE_VALUE)
            return FindClose(found);
    }
    if (is_seen)
        *out = (WIN32_FIND_DATAW){.dwFileAttributes = seen.dwFileAttributes, .ftLastWriteTime = seen.ftLastWriteTime};
    return is_seen;
}

DWORD win32_attributes(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    WIN32_FIND_DATAW seen;

    if (!wide) {
        SetLastError(ERROR_INVALID_NAME);
        return INVALID_FILE_ATTRIBUTES;
    }
    return look(wide, &seen) ? seen.dwFileAttributes : INVALID_FILE_ATTRIBUTES;
}

/* The attributes behind links of the system. */
static DWORD attributes_behind(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE AUTO_HANDLE handle = NULL;
    BY_HANDLE_FILE_INFORMATION info;

    if (!wide)
        return INVALID_FILE_ATTRIBUTES;
    handle = CreateFileW(wide, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                         OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (handle == INVALID_HANDLE_VALUE || !GetFileInformationByHandle(handle, &info))
        return INVALID_FILE_ATTRIBUTES;
    return info.dwFileAttributes;
}

static DWORD attributes_followed(const char *path)
{
    DWORD attributes = win32_attributes(path);

    if (attributes == INVALID_FILE_ATTRIBUTES || !(attributes & FILE_ATTRIBUTE_REPARSE_POINT))
        return attributes;
    return attributes_behind(path);
}

bool win32_is_directory(const char *path)
{
    DWORD attributes = attributes_followed(path);

    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
}

bool platform_file_exists(const char *path)
{
    return attributes_followed(path) != INVALID_FILE_ATTRIBUTES;
}

enum err_code platform_path_look(const char *path, struct platform_path_info *out, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    WIN32_FIND_DATAW seen;

    if (!wide)
        return win32_err_name(err, "look at", path);
    if (!look(wide, &seen)) {
        DWORD error = GetLastError();

        return win32_err(err, win32_is_missing(error) ? ERR_NOT_FOUND : ERR_IO, error, "look at", path);
    }
    *out = (struct platform_path_info){.kind = PLATFORM_PATH_FILE, .changed_ms = win32_ms_of(seen.ftLastWriteTime)};
    if ((seen.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) && IsReparseTagNameSurrogate(seen.dwReserved0)) {
        out->kind = PLATFORM_PATH_LINK;
        out->leads_to_directory = win32_is_directory(path);
    } else if (seen.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
        out->leads_to_directory = win32_is_link(path);
        out->kind = out->leads_to_directory ? PLATFORM_PATH_LINK : PLATFORM_PATH_DIRECTORY;
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ moving, space */

struct taking {
    const wchar_t *from;
    FILE_RENAME_INFO *to;
    DWORD size;
};

static bool try_take(void *ctx)
{
    const struct taking *t = ctx;
    HANDLE AUTO_HANDLE handle = CreateFileW(t->from, DELETE | SYNCHRONIZE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                            OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
                                            NULL);

    return handle != INVALID_HANDLE_VALUE && SetFileInformationByHandle(handle, FileRenameInfo, t->to, t->size);
}

/* A rename moves what it has opened, wherever somebody else has moved that in between: of two that move the same, both
 * would succeed, and one not know where it is.  So only one may have it open. */
static bool take(const wchar_t *from, const wchar_t *to)
{
    size_t len = wcslen(to) * sizeof *to;
    FILE_RENAME_INFO AUTO_FREE *info = mem_calloc(sizeof *info + len, 1);

    info->FileNameLength = (DWORD)len;
    memcpy(info->FileName, to, len);
    return win32_retry(try_take, &(struct taking){from, info, (DWORD)(sizeof *info + len)});
}

enum err_code platform_path_move(const char *from, const char *to, struct err *err)
{
    wchar_t AUTO_WIDE *wide_from = win32_path(from);
    wchar_t AUTO_WIDE *wide_to = win32_path(to);
    DWORD error;

    if (!wide_from || !wide_to)
        return win32_err_name(err, wide_from ? "move to" : "move", wide_from ? to : from);
    if (take(wide_from, wide_to))
        return ERR_OK;
    error = GetLastError();
    if (error == ERROR_ALREADY_EXISTS || error == ERROR_FILE_EXISTS)
        return err_set(err, ERR_EXISTS, "could not move \"%s\" to \"%s\": it exists", from, to);
    return win32_err(err, win32_is_missing(error) ? ERR_NOT_FOUND : ERR_IO, error, "move", from);
}

enum err_code platform_free_bytes(const char *path, uint64_t *out, struct err *err)
{
    DWORD attributes = win32_attributes(path);
    char AUTO_FREE *dir = attributes != INVALID_FILE_ATTRIBUTES && !(attributes & FILE_ATTRIBUTE_DIRECTORY)
                              ? win32_directory_of(path)
                              : mem_strdup(path);
    wchar_t AUTO_WIDE *wide = win32_path_below(dir, L""); /* a share must have the "\" */
    ULARGE_INTEGER bytes;

    if (!wide)
        return win32_err_name(err, "look at the file system of", path);
    if (!GetDiskFreeSpaceExW(wide, &bytes, NULL, NULL)) {
        DWORD error = GetLastError();

        return win32_err(err, win32_is_missing(error) ? ERR_NOT_FOUND : ERR_IO, error, "look at the file system of",
                         path);
    }
    *out = bytes.QuadPart;
    return ERR_OK;
}
