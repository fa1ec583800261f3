/* SPDX-License-Identifier: MIT
 *
 * A log file.
 *
 * The file may be rotated at any time, by renaming, removing or truncating it; it is opened so that others may.  So
 * before each line the path is looked at: when it names another file, or none, it is opened anew.  We have the right to
 * append and none to write elsewhere: then each write goes to the end, wherever that is by now, as a whole.  On shares
 * of other machines the end may be another's by the time of the write; so there is a lock around it, of a byte far
 * behind all that is written.  Whoever holds that for long is not waited for.
 *
 * The program often runs as an administrator, and logs are put into directories where others may write: nobody else may
 * choose what we append to.  What is opened must be a regular file of ours or of the system's, no link, and no second
 * name of another file.
 */
#include "platform/win32.h"

#include <stdlib.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define LOCKED_BYTE_HIGH 0x40000000UL
#define TRIES 10
#define PAUSE_MS 25
#define LOCK_TRIES 100 /* of a millisecond, or what the system makes of it */

struct platform_log {
    char *path;
    HANDLE handle; /* INVALID_HANDLE_VALUE: not open */
    BY_HANDLE_FILE_INFORMATION info;
    bool is_inside_line; /* the last write ended inside a line */
};

/* ------------------------------------------------------------------ what may be written to */

static enum err_code refuse(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_UNSAFE, "could not write the log \"%s\": %s", path, why);
}

/* Can users whom we do not trust put other files into the directory of `path`? */
static bool is_in_public_directory(const char *path)
{
    char AUTO_FREE *dir = win32_directory_of(path);
    wchar_t AUTO_WIDE *wide = win32_path(dir);
    HANDLE AUTO_HANDLE handle = INVALID_HANDLE_VALUE;
    struct win32_access access;

    if (wide)
        handle = CreateFileW(wide, READ_CONTROL, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (handle == INVALID_HANDLE_VALUE || win32_access_of(handle, dir, &access, NULL) != ERR_OK)
        return true;
    return access.others_can_write || !access.owner_is_trusted;
}

static enum err_code check_kind(HANDLE handle, DWORD attributes, const char *path, struct err *err)
{
    if (attributes & FILE_ATTRIBUTE_DIRECTORY)
        return refuse(path, "it is a directory", err);
    if (GetFileType(handle) != FILE_TYPE_DISK || (attributes & FILE_ATTRIBUTE_DEVICE))
        return refuse(path, "it is no file", err);
    return ERR_OK;
}

static enum err_code check_file(HANDLE handle, const BY_HANDLE_FILE_INFORMATION *info, const char *path,
                                struct err *err)
{
    struct win32_access access;
    enum err_code rc = check_kind(handle, info->dwFileAttributes, path, err);

    if (rc == ERR_OK)
        rc = win32_access_of(handle, path, &access, err);
    if (rc != ERR_OK)
        return rc;
    if (!access.owner_is_trusted) {
        rc = refuse(path, "it belongs to another user", err);
        err_hint(err, "Move the file away, so that a new one is made, or choose another path.");
        return rc;
    }
    if (info->nNumberOfLinks > 1 && is_in_public_directory(path))
        return refuse(path, "it is a hard link in a directory that other users can write to", err);
    return ERR_OK;
}

/* ------------------------------------------------------------------ opening */

static void log_close(struct platform_log *log)
{
    win32_close_auto(&log->handle);
    log->handle = INVALID_HANDLE_VALUE;
    log->is_inside_line = false;
}

static bool is_same_file(const BY_HANDLE_FILE_INFORMATION *a, const BY_HANDLE_FILE_INFORMATION *b)
{
    return a->dwVolumeSerialNumber == b->dwVolumeSerialNumber && a->nFileIndexHigh == b->nFileIndexHigh &&
           a->nFileIndexLow == b->nFileIndexLow;
}

enum links { FOLLOW_LINKS, LINKS_THEMSELVES };

static HANDLE open_with(const wchar_t *wide, DWORD access, enum links links, SECURITY_ATTRIBUTES *security)
{
    return CreateFileW(wide, access | FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE, SHARE_ALL,
                       security, OPEN_ALWAYS,
                       FILE_ATTRIBUTE_NORMAL | (links == FOLLOW_LINKS ? 0 : FILE_FLAG_OPEN_REPARSE_POINT), NULL);
}

/* The right to read is for the lock alone, and may be withheld. */
static HANDLE open_file(const wchar_t *wide, enum links links, SECURITY_ATTRIBUTES *security)
{
    HANDLE handle = open_with(wide, FILE_READ_DATA, links, security);

    /* Somebody reads it, who lets nobody write meanwhile. */
    for (int i = 0; handle == INVALID_HANDLE_VALUE && GetLastError() == ERROR_SHARING_VIOLATION && i < TRIES; i++) {
        Sleep(PAUSE_MS);
        handle = open_with(wide, FILE_READ_DATA, links, security);
    }
    if (handle == INVALID_HANDLE_VALUE && GetLastError() == ERROR_ACCESS_DENIED)
        handle = open_with(wide, 0, links, security);
    return handle;
}

/* A reparse point that is no link is how a volume stores a file (deduplicated, compressed); it has to be opened by way
 * of what does so, and is the same file then. */
static enum err_code open_stored(const wchar_t *wide, HANDLE *handle, BY_HANDLE_FILE_INFORMATION *info,
                                 const char *path, struct err *err)
{
    FILE_ATTRIBUTE_TAG_INFO tag;
    BY_HANDLE_FILE_INFORMATION before = *info;

    if (!(info->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT))
        return ERR_OK;
    if (!GetFileInformationByHandleEx(*handle, FileAttributeTagInfo, &tag, sizeof tag) ||
        IsReparseTagNameSurrogate(tag.ReparseTag))
        return refuse(path, "it is a symbolic link", err);
    win32_close_auto(handle);
    *handle = open_file(wide, FOLLOW_LINKS, NULL);
    if (*handle == INVALID_HANDLE_VALUE || !GetFileInformationByHandle(*handle, info))
        return win32_err(err, ERR_IO, GetLastError(), "open the log", path);
    return is_same_file(&before, info) ? ERR_OK : refuse(path, "it was replaced meanwhile", err);
}

/* Is what we have open removed, and only there until we close it?  Until then nothing can take its name. */
static bool is_removed(HANDLE handle)
{
    FILE_STANDARD_INFO info;

    return handle != INVALID_HANDLE_VALUE &&
           GetFileInformationByHandleEx(handle, FileStandardInfo, &info, sizeof info) && info.DeletePending;
}

/* What is open stays open unless something better was found. */
static enum err_code log_open(struct platform_log *log, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(log->path);
    HANDLE AUTO_HANDLE handle = INVALID_HANDLE_VALUE;
    struct win32_security AUTO(win32_security_done) security = {.descriptor = NULL};
    BY_HANDLE_FILE_INFORMATION info;
    enum err_code rc = win32_security_for_mode(0600, WIN32_FILE, &security, err);

    if (rc == ERR_OK && !wide)
        rc = win32_err_name(err, "write the log", log->path);
    if (rc != ERR_OK)
        return rc;
    if (win32_is_directory(log->path))
        return refuse(log->path, "it is a directory", err);
    if (is_removed(log->handle))
        log_close(log);
    handle = open_file(wide, LINKS_THEMSELVES, &security.attributes);
    if (handle == INVALID_HANDLE_VALUE || !GetFileInformationByHandle(handle, &info))
        return win32_err(err, ERR_IO, GetLastError(), "open the log", log->path);
    rc = open_stored(wide, &handle, &info, log->path, err);
    if (rc == ERR_OK)
        rc = check_file(handle, &info, log->path, err);
    if (rc != ERR_OK)
        return rc;
    log_close(log);
    log->handle = handle;
    log->info = info;
    handle = INVALID_HANDLE_VALUE;
    return ERR_OK;
}

/* Does the path still name what is open? */
static bool is_current(const struct platform_log *log)
{
    wchar_t AUTO_WIDE *wide = win32_path(log->path);
    HANDLE AUTO_HANDLE handle = INVALID_HANDLE_VALUE;
    BY_HANDLE_FILE_INFORMATION now;

    if (log->handle == INVALID_HANDLE_VALUE || !wide || is_removed(log->handle))
        return false;
    handle = CreateFileW(wide, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT,
                         NULL);
    return handle != INVALID_HANDLE_VALUE && GetFileInformationByHandle(handle, &now) && is_same_file(&now, &log->info);
}

/* ------------------------------------------------------------------ writing */

static bool lock_end(HANDLE handle, OVERLAPPED *at)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (LockFileEx(handle, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at))
            return true;
        if (GetLastError() != ERROR_LOCK_VIOLATION)
            break;
        Sleep(1);
    }
    return false;
}

static bool write_locked(HANDLE handle, const char *line, size_t len, DWORD *put)
{
    OVERLAPPED at = {.OffsetHigh = LOCKED_BYTE_HIGH};
    bool is_locked = lock_end(handle, &at);
    bool is_written = WriteFile(handle, line, (DWORD)len, put, NULL);
    DWORD error = GetLastError();

    if (is_locked)
        (void)UnlockFileEx(handle, 0, 1, 0, &at);
    SetLastError(error);
    return is_written;
}

/* One write for the whole line.  Should it be cut short by a full disk, the next one begins on a line of its own. */
static bool put_line(struct platform_log *log, const char *line, size_t len)
{
    char AUTO_FREE *whole = NULL;
    DWORD put = 0;

    if (log->is_inside_line) {
        whole = mem_printf("\n%.*s", (int)len, line);
        line = whole;
        len++;
    }
    if (!write_locked(log->handle, line, len, &put))
        return false;
    if (put > 0)
        log->is_inside_line = put < len;
    if (put < len)
        SetLastError(ERROR_DISK_FULL);
    return put == len;
}

enum err_code platform_log_append(void *log_of_path, const char *line, size_t len, struct err *err)
{
    struct platform_log *log = log_of_path;
    enum err_code rc = is_current(log) ? ERR_OK : log_open(log, err);

    if (log->handle == INVALID_HANDLE_VALUE)
        return rc;
    /* Rotated away with nothing in its place that could be opened: better in the old file than lost. */
    if (!put_line(log, line, len) && rc == ERR_OK)
        rc = win32_err(err, ERR_IO, GetLastError(), "write the log", log->path);
    return rc;
}

enum err_code platform_log_open(const char *path, struct platform_log **out, struct err *err)
{
    struct platform_log *log = mem_zalloc(sizeof *log);
    enum err_code rc;

    log->path = mem_strdup(path);
    log->handle = INVALID_HANDLE_VALUE;
    rc = log_open(log, err);
    if (rc != ERR_OK)
        platform_log_free(log);
    else
        *out = log;
    return rc;
}

void platform_log_free(struct platform_log *log)
{
    if (!log)
        return;
    log_close(log);
    free(log->path);
    free(log);
}
