/* SPDX-License-Identifier: MIT
 *
 * Where a link is, when a switch was cut short: win32_link.c tells how that can be.
 */
#include "platform/win32_link.h"

#include <stdlib.h>
#include <string.h>

#define LOCK_NAME WIN32_TEMP_PREFIX "lock" WIN32_TEMP_SUFFIX
#define LOCK_TRIES 6 /* of win32_retry(): a switch that waits for a reader holds it for 5 s and more */

/* ------------------------------------------------------------------ the lock */

struct locking {
    const wchar_t *file;
    SECURITY_ATTRIBUTES *security;
    HANDLE handle;
};

static bool try_lock(void *ctx)
{
    struct locking *l = ctx;

    l->handle = CreateFileW(l->file, GENERIC_WRITE, 0, l->security, OPEN_ALWAYS,
                            FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    return l->handle != INVALID_HANDLE_VALUE;
}

/* Lock the links of the directory that `path` is in; closing *out unlocks. */
enum err_code link_lock(const char *path, HANDLE *out, struct err *err)
{
    char AUTO_FREE *dir = win32_directory_of(path);
    char AUTO_FREE *file = mem_printf("%s/" LOCK_NAME, dir);
    wchar_t AUTO_WIDE *wide = win32_path(file);
    struct win32_security AUTO(win32_security_done) security = {.descriptor = NULL};
    struct locking l = {.file = wide, .security = &security.attributes};
    enum err_code rc = win32_security_for_mode(0600, WIN32_FILE, &security, err);

    if (rc == ERR_OK && !wide)
        rc = win32_err_name(err, "create a link in", dir);
    if (rc != ERR_OK)
        return rc;
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (win32_retry(try_lock, &l)) {
            *out = l.handle;
            return ERR_OK;
        }
        if (GetLastError() != ERROR_SHARING_VIOLATION)
            break;
    }
    return win32_err(err, ERR_IO, GetLastError(), "create a link in", dir);
}

/* ------------------------------------------------------------------ what is left of switches */

void link_leftovers_done(struct link_leftovers *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].path);
        link_note_done(&list->items[i].note);
    }
    free(list->items);
}

const char *link_name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* As the file system compares them. */
static bool is_same_name(const char *a, const char *b)
{
    wchar_t AUTO_WIDE *wide_a = win32_wide(a);
    wchar_t AUTO_WIDE *wide_b = win32_wide(b);

    return CompareStringOrdinal(wide_a, -1, wide_b, -1, TRUE) == CSTR_EQUAL;
}

static enum err_code look_at(const char *path, const char *link, struct link_leftovers *list, struct err *err)
{
    struct link_note note = {NULL, NULL, 0};
    enum err_code rc = link_note_read(path, &note, err);

    if (rc != ERR_OK)
        return rc == ERR_INPUT || rc == ERR_NOT_FOUND ? ERR_OK : rc;
    if (!is_same_name(note.name, link_name_of(link))) {
        link_note_done(&note);
        return ERR_OK;
    }
    list->items = mem_grow(list->items, list->count, sizeof *list->items);
    list->items[list->count++] = (struct link_leftover){.path = mem_strdup(path), .note = note};
    return ERR_OK;
}

/* All that are of the link `path`.  One whose note can't be read might be the newest: an error. */
enum err_code link_leftovers_find(const char *path, struct link_leftovers *out, struct err *err)
{
    char AUTO_FREE *dir = win32_directory_of(path);
    struct strlist AUTO_STRLIST names = {NULL, 0};
    enum err_code rc = ERR_OK;

    if (!win32_list(dir, L"" WIN32_TEMP_PREFIX "*", WIN32_DIRECTORY, &names)) {
        DWORD error = GetLastError();

        return win32_err(err, win32_is_missing(error) ? ERR_NOT_FOUND : ERR_IO, error, "list the directory", dir);
    }
    for (size_t i = 0; i < names.count && rc == ERR_OK; i++) {
        char AUTO_FREE *temp = mem_printf("%s/%s", dir, names.items[i]);

        if (platform_is_temp_name(names.items[i]))
            rc = look_at(temp, path, out, err);
    }
    return rc;
}

struct link_leftover *link_newest(const struct link_leftovers *list)
{
    struct link_leftover *best = NULL;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].path && (!best || list->items[i].note.number > best->note.number))
            best = &list->items[i];
    return best;
}

/* The first that can't be is the error; the others are tried all the same. */
enum err_code link_discard_all(struct link_leftovers *list, const char *path, struct err *err)
{
    enum err_code first = ERR_OK;

    for (size_t i = 0; i < list->count; i++) {
        enum err_code rc = list->items[i].path ? link_discard(list->items[i].path, path, first == ERR_OK ? err : NULL)
                                               : ERR_OK;

        if (first == ERR_OK)
            first = rc;
    }
    return first;
}

/* ------------------------------------------------------------------ renaming */

bool link_is_there(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);

    return wide && (GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES || !win32_is_missing(GetLastError()));
}

/* Of a directory that we made ourselves, in one where we have just made another. */
static enum err_code rename_failed(DWORD error, const char *what, const char *path, struct err *err)
{
    if (error != ERROR_ACCESS_DENIED && error != ERROR_SHARING_VIOLATION && error != ERROR_LOCK_VIOLATION)
        return win32_err(err, ERR_IO, error, what, path);
    (void)err_set(err, ERR_IO, "could not %s \"%s\": it, or a file in it, is in use by another program", what, path);
    err_hint(err, "Close what has a file there open, or its working directory there, and try again; programs that read "
                  "the files once, when they start, are not in the way.");
    return ERR_IO;
}

enum err_code link_move(const char *from, const char *to, enum win32_rename how, const char *what, const char *path,
                        struct err *err)
{
    wchar_t AUTO_WIDE *wide_from = win32_path(from);
    wchar_t AUTO_WIDE *wide_to = win32_path(to);

    if (!wide_from || !wide_to)
        return win32_err_name(err, what, path);
    return win32_move(wide_from, wide_to, how) ? ERR_OK : rename_failed(GetLastError(), what, path, err);
}

enum err_code link_heal(const char *path, struct link_leftovers *list, struct err *err)
{
    struct link_leftover *best = link_newest(list);
    enum err_code rc;

    if (!best || link_is_there(path))
        return ERR_OK;
    rc = link_move(best->path, path, WIN32_RENAME_NEW, "put back the link", path, err);
    if (rc == ERR_OK) {
        free(best->path);
        best->path = NULL;
    }
    return rc;
}

/* ------------------------------------------------------------------ reading */

/* There is nothing at its path: put it there, or, where we may not or can't, read it where it is. */
static enum err_code read_elsewhere(const char *path, struct link_note *out, struct err *err)
{
    struct link_leftovers AUTO(link_leftovers_done) seen = {NULL, 0};
    struct link_leftovers AUTO(link_leftovers_done) locked = {NULL, 0};
    HANDLE AUTO_HANDLE lock = INVALID_HANDLE_VALUE;
    struct link_leftover *best;
    enum err_code rc = link_leftovers_find(path, &seen, err);

    if (rc != ERR_OK)
        return rc;
    best = link_newest(&seen);
    if (best && link_lock(path, &lock, NULL) == ERR_OK && link_leftovers_find(path, &locked, NULL) == ERR_OK) {
        best = link_newest(&locked);
        if (link_heal(path, &locked, NULL) == ERR_OK)
            best = NULL;
    }
    if (!best) /* it is there, perhaps by another process, or nowhere */
        return link_note_read(path, out, err);
    *out = best->note;
    best->note = (struct link_note){NULL, NULL, 0};
    return ERR_OK;
}

enum err_code platform_link_read(const char *path, char **out_target, struct err *err)
{
    struct link_note AUTO(link_note_done) note = {NULL, NULL, 0};
    enum err_code rc = link_note_read(path, &note, err);

    if (rc == ERR_NOT_FOUND)
        rc = read_elsewhere(path, &note, err);
    if (rc != ERR_OK)
        return rc;
    *out_target = note.target;
    note.target = NULL;
    return ERR_OK;
}
