/* SPDX-License-Identifier: MIT */
#include "platform/platform.h"

#include <stdlib.h>
#include <string.h>

#include "platform/win32.h"
#include "util/text.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* ------------------------------------------------------------------ making */

static bool make_now(const wchar_t *path, struct win32_security *security)
{
    return CreateDirectoryW(path, &security->attributes);
}

static enum err_code make_one(const char *path, struct win32_security *security, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    DWORD error;

    if (!wide)
        return win32_err_name(err, "make the directory", path);
    if (make_now(wide, security))
        return ERR_OK;
    error = GetLastError();
    /* Any failure is fine when the directory is there: it is a drive, or above it we may be unable to write. */
    if (win32_is_directory(path))
        return ERR_OK;
    if (platform_file_exists(path))
        return err_set(err, ERR_IO, "could not make the directory \"%s\": it exists and is no directory", path);
    return win32_err(err, ERR_IO, error, "make the directory", path);
}

enum err_code platform_dir_make(const char *path, struct err *err)
{
    struct win32_security AUTO(win32_security_done) security = {.descriptor = NULL};
    char AUTO_FREE *part = platform_path_absolute(path);
    wchar_t AUTO_WIDE *wide = win32_path(path);
    enum err_code rc;

    if (!wide)
        return win32_err_name(err, "make the directory", path);
    if (win32_is_directory(path))
        return ERR_OK;
    rc = win32_security_for_mode(0700, WIN32_DIRECTORY, &security, err);
    /* Behind the drive, or behind the server and share: there is no making these. */
    for (char *slash = part + strcspn(part + 2, "/\\") + 2; rc == ERR_OK && *slash;) {
        char *next = slash + 1 + strcspn(slash + 1, "/\\");
        char after = *next;

        *next = '\0';
        if (next > slash + 1 && !win32_is_directory(part))
            rc = make_one(part, &security, err);
        *next = after;
        slash = next;
    }
    return rc;
}

void platform_dirs_make(const struct strlist *paths)
{
    struct win32_security AUTO(win32_security_done) security = {.descriptor = NULL};

    if (win32_security_for_mode(0700, WIN32_DIRECTORY, &security, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < paths->count; i++) {
        wchar_t AUTO_WIDE *wide = win32_path(paths->items[i]);

        if (wide)
            (void)make_now(wide, &security);
    }
}

/* ------------------------------------------------------------------ access */

/* Open a directory for `access`; INVALID_HANDLE_VALUE with GetLastError(). */
static HANDLE open_dir(const wchar_t *path, DWORD access)
{
    return CreateFileW(path, access, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

/* The system itself says whether we may: it knows what is refused, and all groups that we are in. */
static int access_to(const wchar_t *path)
{
    HANDLE AUTO_HANDLE handle = open_dir(path, FILE_LIST_DIRECTORY | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY);
    DWORD error = handle == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    DWORD flags = 0;

    if (error == ERROR_SHARING_VIOLATION)
        return PLATFORM_DIR_WRITABLE; /* we may, but not while another process, which makes it, say, has it open */
    if (error != ERROR_SUCCESS)
        return error == ERROR_WRITE_PROTECT ? PLATFORM_DIR_READ_ONLY : PLATFORM_DIR_DENIED;
    if (GetVolumeInformationByHandleW(handle, NULL, 0, NULL, NULL, &flags, NULL, 0) && (flags & FILE_READ_ONLY_VOLUME))
        return PLATFORM_DIR_READ_ONLY;
    return PLATFORM_DIR_WRITABLE;
}

/* Does what is at a path itself, a link for instance, belong to somebody who could do everything anyway? */
static bool is_of_trusted(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE AUTO_HANDLE handle = INVALID_HANDLE_VALUE;
    struct win32_access access;

    if (wide)
        handle = CreateFileW(wide, FILE_READ_ATTRIBUTES | READ_CONTROL, SHARE_ALL, NULL, OPEN_EXISTING,
                             FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    return handle != INVALID_HANDLE_VALUE && win32_access_of(handle, path, &access, NULL) == ERR_OK &&
           access.owner_is_trusted;
}

/* Everybody may make directories in %ProgramData%, so of ours there the one above counts, too. */
static bool is_above_of_trusted(const char *path)
{
    char AUTO_FREE *whole = platform_path_absolute(path);
    char AUTO_FREE *above = win32_directory_of(whole);
    char AUTO_FREE *common = win32_directory_of(above);
    char AUTO_FREE *program_data = platform_config_dir();

    return text_casecmp(common, program_data) != 0 || is_of_trusted(above);
}

/* The system says of this the same as of what is not there. */
static bool is_below_file(const char *path)
{
    char AUTO_FREE *above = win32_directory_of(path);

    while (strcmp(above, ".") != 0 && !platform_file_exists(above)) {
        char *next = win32_directory_of(above);
        bool is_end = strlen(next) >= strlen(above);

        free(above);
        above = next;
        if (is_end)
            return false;
    }
    return platform_file_exists(above) && !win32_is_directory(above);
}

static enum err_code no_such_directory(const char *path, DWORD error, const char *what, struct err *err)
{
    if (win32_is_missing(error) && is_below_file(path))
        return err_set(err, ERR_IO, "could not %s \"%s\": what it is said to be in is not a directory", what, path);
    return win32_err(err, win32_is_missing(error) ? ERR_NOT_FOUND : ERR_IO, error, what, path);
}

enum err_code platform_dir_inspect(const char *path, struct platform_dir_info *out, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE AUTO_HANDLE handle = NULL;
    struct win32_access access;
    enum err_code rc;

    if (!wide)
        return win32_err_name(err, "look at the directory", path);
    handle = open_dir(wide, FILE_READ_ATTRIBUTES | READ_CONTROL);
    if (handle == INVALID_HANDLE_VALUE)
        return no_such_directory(path, GetLastError(), "look at the directory", err);
    if (!win32_is_directory(path))
        return err_set(err, ERR_IO, "could not use \"%s\": it is not a directory", path);
    rc = win32_access_of(handle, path, &access, err);
    if (rc == ERR_OK)
        *out = (struct platform_dir_info){
            .access = access_to(wide),
            .owner_is_trusted = access.owner_is_trusted && is_of_trusted(path),
            .above_is_trusted = is_above_of_trusted(path),
            .others_can_write = access.others_can_write,
        };
    return rc;
}

/* Nobody needs a right to pass through a directory.  So a list that gives everybody what the mode has, and no more, is
 * left alone: the operator may have added accounts to it. */
static bool has_mode(const struct win32_access *access, unsigned mode)
{
    return (access->readable == PLATFORM_WORLD_READABLE) == ((mode & 0004) != 0) &&
           access->everybody_can_write == ((mode & 0002) != 0) && (!access->others_can_write || (mode & 0022));
}

enum err_code platform_dir_set_mode(const char *path, unsigned mode, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE AUTO_HANDLE handle = NULL;
    struct win32_access access;
    enum err_code rc;

    if (!wide)
        return win32_err_name(err, "open the directory", path);
    handle = open_dir(wide, FILE_READ_ATTRIBUTES | READ_CONTROL | WRITE_DAC);
    if (handle == INVALID_HANDLE_VALUE)
        return win32_err(err, ERR_IO, GetLastError(), "open the directory", path);
    if (!win32_is_directory(path))
        return err_set(err, ERR_IO, "could not open the directory \"%s\": it is not a directory", path);
    rc = win32_access_of(handle, path, &access, err);
    if (rc != ERR_OK || has_mode(&access, mode))
        return rc;
    return win32_set_mode(handle, mode, WIN32_DIRECTORY, path, err);
}

/* ------------------------------------------------------------------ what is in it */

bool win32_walk(const wchar_t *pattern, win32_each *each, void *ctx)
{
    WIN32_FIND_DATAW found;
    HANDLE find = FindFirstFileExW(pattern, FindExInfoBasic, &found, FindExSearchNameMatch, NULL,
                                   FIND_FIRST_EX_LARGE_FETCH);
    DWORD error;

    if (find == INVALID_HANDLE_VALUE)
        return false;
    do {
        char AUTO_FREE *name = win32_utf8(found.cFileName);

        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            each(ctx, name, &found);
    } while (FindNextFileW(find, &found));
    error = GetLastError();
    (void)FindClose(find);
    SetLastError(error);
    return error == ERROR_NO_MORE_FILES;
}

static void note_name(void *ctx, const char *name, const WIN32_FIND_DATAW *found)
{
    struct strlist *names = ctx;

    (void)found;
    strlist_add(names, name);
}

enum err_code platform_dir_list(const char *path, struct strlist *out, struct err *err)
{
    struct strlist AUTO_STRLIST names = {NULL, 0};
    wchar_t AUTO_WIDE *pattern = win32_path_below(path, L"*");

    if (!pattern)
        return win32_err_name(err, "list the directory", path);
    if (!win32_walk(pattern, note_name, &names)) {
        DWORD error = GetLastError();
        bool is_there = win32_is_missing(error) && win32_is_directory(path);

        if (win32_is_missing(error) && !is_there && platform_file_exists(path))
            return err_set(err, ERR_IO, "could not list the directory \"%s\": it is not a directory", path);
        if (!is_there) /* an empty drive has not even a "." */
            return no_such_directory(path, error, "list the directory", err);
    }
    strlist_sort(&names);
    strlist_done(out);
    *out = names;
    names = (struct strlist){NULL, 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ sweeping */

struct sweep {
    const char *dir;
    int64_t before_ms; /* what was last changed earlier goes */
};

/* A directory is what a link was to become, or was. */
static void sweep_one(void *ctx, const char *name, const WIN32_FIND_DATAW *found)
{
    const struct sweep *sweep = ctx;
    char AUTO_FREE *path = mem_printf("%s/%s", sweep->dir, name);

    if (!platform_is_temp_name(name) || win32_ms_of(found->ftLastWriteTime) >= sweep->before_ms)
        return;
    if (!(found->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
        (void)!platform_file_remove(path, NULL);
    else
        win32_link_sweep(path);
}

void platform_dir_sweep(const char *path, int64_t now_ms, int64_t max_age_ms)
{
    struct sweep sweep = {.dir = path, .before_ms = now_ms - max_age_ms};
    wchar_t AUTO_WIDE *pattern = win32_path_below(path, L"*");

    if (pattern)
        (void)win32_walk(pattern, sweep_one, &sweep);
}
