/* SPDX-License-Identifier: MIT
 *
 * Atomic writing of files.
 *
 * Each file is written to a temporary one in the same directory, which has its final access from the moment it is made;
 * it is flushed, closed, and takes its place by a rename that is on the disk when the call returns.  Whatever kills us
 * in between leaves the old files whole, and at worst temporary files, whose names platform_dir_sweep() knows.
 *
 * A file that another program has open can't be replaced until it is closed, nor can one be renamed that a virus
 * scanner has just found: renames are tried for some seconds.
 */
#include "platform/win32.h"

#include <stdlib.h>

#define OPEN_MAX_FILES 64 /* that many handles at once */
#define WRITE_MAX (1U << 20)

/* A file on its way. */
struct pending {
    const struct platform_file_write *write;
    wchar_t *path;
    wchar_t *temp; /* NULL before it is made and after it took its place */
    HANDLE handle; /* INVALID_HANDLE_VALUE when closed */
};

struct pending_list {
    struct pending *items;
    size_t count;
    struct win32_security secret;
    struct win32_security open;
};

/* ------------------------------------------------------------------ for others, too */

bool win32_write_all(HANDLE handle, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        DWORD put = 0;

        if (!WriteFile(handle, at, len < WRITE_MAX ? (DWORD)len : WRITE_MAX, &put, NULL))
            return false;
        if (put == 0) {
            SetLastError(ERROR_DISK_FULL);
            return false;
        }
        at += put;
        len -= put;
    }
    return true;
}

static void make_writable(const wchar_t *file, DWORD attributes)
{
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY))
        (void)SetFileAttributesW(file, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY);
}

struct renaming {
    const wchar_t *from;
    const wchar_t *to;
    DWORD flags;
};

/* Where something stands that can't be replaced the system says "access denied", as it does while a file is in use.  A
 * file that is marked as read-only is replaced at the next try. */
static bool try_rename(void *ctx)
{
    const struct renaming *r = ctx;
    DWORD error;
    DWORD there;

    if (MoveFileExW(r->from, r->to, r->flags))
        return true;
    error = GetLastError();
    there = error == ERROR_ACCESS_DENIED ? GetFileAttributesW(r->to) : INVALID_FILE_ATTRIBUTES;
    if (there != INVALID_FILE_ATTRIBUTES && !(r->flags & MOVEFILE_REPLACE_EXISTING))
        error = ERROR_ALREADY_EXISTS;
    else if (there != INVALID_FILE_ATTRIBUTES && (there & FILE_ATTRIBUTE_DIRECTORY))
        error = ERROR_CANNOT_MAKE;
    else if (error == ERROR_FILE_EXISTS)
        error = ERROR_ALREADY_EXISTS;
    else
        make_writable(r->to, there);
    SetLastError(error);
    return false;
}

bool win32_move(const wchar_t *from, const wchar_t *to, enum win32_rename how)
{
    struct renaming r = {.from = from, .to = to};

    if (how == WIN32_RENAME_REPLACE || how == WIN32_RENAME_REPLACE_LAZILY)
        r.flags |= MOVEFILE_REPLACE_EXISTING;
    if (how == WIN32_RENAME_NEW || how == WIN32_RENAME_REPLACE)
        r.flags |= MOVEFILE_WRITE_THROUGH;
    return win32_retry(try_rename, &r);
}

struct deletion {
    const wchar_t *file;
};

/* <winbase.h> has them for a Windows 10 that is newer than the oldest of ours; those before say no. */
#define DISPOSITION_INFO_EX ((FILE_INFO_BY_HANDLE_CLASS)21)
#define DISPOSITION_DELETE 0x1
#define DISPOSITION_POSIX_SEMANTICS 0x2

/* The name goes at once, whoever has the file open.  With DeleteFile() it stays until the last of them closes it, and
 * whoever asks for it then is told "access denied". */
static bool delete_name(const wchar_t *file)
{
    HANDLE AUTO_HANDLE handle = CreateFileW(file, DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                            OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    DWORD flags = DISPOSITION_DELETE | DISPOSITION_POSIX_SEMANTICS;

    return handle != INVALID_HANDLE_VALUE &&
           SetFileInformationByHandle(handle, DISPOSITION_INFO_EX, &flags, sizeof flags);
}

static bool try_delete(void *ctx)
{
    const struct deletion *d = ctx;

    make_writable(d->file, GetFileAttributesW(d->file));
    return delete_name(d->file) || DeleteFileW(d->file) || win32_is_missing(GetLastError());
}

bool win32_delete(const wchar_t *file)
{
    return win32_retry(try_delete, &(struct deletion){file});
}

enum err_code win32_temp_beside(const char *path, char **out, struct err *err)
{
    char AUTO_FREE *dir = win32_directory_of(path);
    uint64_t random;
    enum err_code rc = platform_random(&random, sizeof random, err);

    if (rc == ERR_OK)
        *out = mem_printf("%s/" WIN32_TEMP_PREFIX "%016llx" WIN32_TEMP_SUFFIX, dir, (unsigned long long)random);
    return rc;
}

enum err_code win32_make_file(const char *at, const char *path, SECURITY_ATTRIBUTES *security, const void *data,
                              size_t len, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(at);
    HANDLE AUTO_HANDLE handle = INVALID_HANDLE_VALUE;

    if (!wide)
        return win32_err_name(err, "write", path);
    handle = CreateFileW(wide, GENERIC_WRITE, 0, security, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (handle == INVALID_HANDLE_VALUE || !win32_write_all(handle, data, len) || !FlushFileBuffers(handle))
        return win32_err(err, ERR_IO, GetLastError(), "write", path);
    return ERR_OK;
}

/* ------------------------------------------------------------------ the steps */

static void pending_list_done(struct pending_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct pending *p = &list->items[i];

        win32_close_auto(&p->handle);
        if (p->temp)
            (void)win32_delete(p->temp);
        free(p->temp);
        free(p->path);
    }
    free(list->items);
    win32_security_done(&list->secret);
    win32_security_done(&list->open);
}

static enum err_code pending_list_init(struct pending_list *list, const struct platform_file_write *writes,
                                       size_t count, struct err *err)
{
    enum err_code rc = win32_security_for_mode(0600, WIN32_FILE, &list->secret, err);

    if (rc == ERR_OK)
        rc = win32_security_for_mode(0644, WIN32_FILE, &list->open, err);
    if (rc != ERR_OK)
        return rc;
    list->items = mem_calloc(count, sizeof *list->items);
    list->count = count;
    for (size_t i = 0; i < count; i++)
        list->items[i] = (struct pending){.write = &writes[i], .handle = INVALID_HANDLE_VALUE};
    return ERR_OK;
}

/* A new file beside the one to write, under a name that no one else has. */
static enum err_code open_temp(struct pending *p, SECURITY_ATTRIBUTES *security, struct err *err)
{
    char AUTO_FREE *dir = win32_directory_of(p->write->path);

    for (int attempt = 0; attempt < WIN32_TEMP_ATTEMPTS; attempt++) {
        char AUTO_FREE *name = NULL;
        wchar_t AUTO_WIDE *temp = NULL;
        enum err_code rc = win32_temp_beside(p->write->path, &name, err);

        if (rc != ERR_OK)
            return rc;
        temp = win32_path(name);
        if (!temp)
            return win32_err_name(err, "create a file in", dir);
        p->handle = CreateFileW(temp, GENERIC_WRITE, 0, security, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
        if (p->handle != INVALID_HANDLE_VALUE) {
            p->temp = temp;
            temp = NULL;
            return ERR_OK;
        }
        if (GetLastError() != ERROR_FILE_EXISTS)
            break;
    }
    return win32_err(err, ERR_IO, GetLastError(), "create a file in", dir);
}

static enum err_code fill(struct pending_list *list, struct pending *p, struct err *err)
{
    enum err_code rc;

    p->path = win32_path(p->write->path);
    if (!p->path)
        return win32_err_name(err, "write", p->write->path);
    rc = open_temp(p, p->write->is_public ? &list->open.attributes : &list->secret.attributes, err);
    if (rc == ERR_OK && !win32_write_all(p->handle, p->write->data, p->write->len))
        rc = win32_err(err, ERR_IO, GetLastError(), "write", p->write->path);
    return rc;
}

static enum err_code close_written(struct pending *p, enum platform_write_mode mode, struct err *err)
{
    if (mode != PLATFORM_REPLACE_UNSYNCED && !FlushFileBuffers(p->handle))
        return win32_err(err, ERR_IO, GetLastError(), "sync", p->write->path);
    win32_close_auto(&p->handle);
    return ERR_OK;
}

static enum err_code move(struct pending *p, enum platform_write_mode mode, struct err *err)
{
    enum win32_rename how = mode == PLATFORM_CREATE    ? WIN32_RENAME_NEW
                            : mode == PLATFORM_REPLACE ? WIN32_RENAME_REPLACE
                                                       : WIN32_RENAME_REPLACE_LAZILY;

    if (!win32_move(p->temp, p->path, how)) {
        DWORD error = GetLastError();

        if (mode == PLATFORM_CREATE && error == ERROR_ALREADY_EXISTS)
            return err_set(err, ERR_EXISTS, "could not create \"%s\": it exists", p->write->path);
        return win32_err(err, ERR_IO, error, "write", p->write->path);
    }
    free(p->temp);
    p->temp = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ all together */

/* All are written before the first is flushed: the system has most of them on the disk by then. */
static enum err_code fill_all(struct pending_list *list, enum platform_write_mode mode, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (size_t start = 0; start < list->count && rc == ERR_OK; start += OPEN_MAX_FILES) {
        size_t end = list->count - start < OPEN_MAX_FILES ? list->count : start + OPEN_MAX_FILES;

        for (size_t i = start; i < end && rc == ERR_OK; i++)
            rc = fill(list, &list->items[i], err);
        for (size_t i = start; i < end && rc == ERR_OK; i++)
            rc = close_written(&list->items[i], mode, err);
    }
    return rc;
}

static enum err_code move_all(struct pending_list *list, enum platform_write_mode mode, struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        enum err_code rc = move(&list->items[i], mode, err);

        if (rc == ERR_OK)
            continue;
        while (mode == PLATFORM_CREATE && i-- > 0)
            (void)win32_delete(list->items[i].path);
        return rc;
    }
    return ERR_OK;
}

enum err_code platform_files_write(const struct platform_file_write *writes, size_t count,
                                   enum platform_write_mode mode, struct err *err)
{
    struct pending_list AUTO(pending_list_done) list = {.count = 0};
    enum err_code rc;

    if (count == 0)
        return ERR_OK;
    rc = pending_list_init(&list, writes, count, err);
    if (rc == ERR_OK)
        rc = fill_all(&list, mode, err);
    if (rc == ERR_OK)
        rc = move_all(&list, mode, err);
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
