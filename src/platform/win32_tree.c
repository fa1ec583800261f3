/* SPDX-License-Identifier: MIT
 *
 * Directories that come into being whole and go away whole.
 *
 * A tree is filled under a temporary name; the directory and its files have their final access from the moment they are
 * made, so that at no moment anybody has more than in the end.  Each file is flushed, and the rename of the directory
 * is on the disk when the call returns, with all that was done before it, as file systems keep one log.
 */
#include "platform/win32.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ listing */

struct listing {
    enum win32_kind kind;
    struct strlist *names;
};

static void add_found(void *ctx, const char *name, const WIN32_FIND_DATAW *found)
{
    const struct listing *listing = ctx;
    bool is_directory = (found->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;

    if (is_directory == (listing->kind == WIN32_DIRECTORY))
        strlist_add(listing->names, name);
}

bool win32_list(const char *dir, const wchar_t *pattern, enum win32_kind kind, struct strlist *out)
{
    wchar_t AUTO_WIDE *search = win32_path_below(dir, pattern);
    struct listing listing = {kind, out};

    if (!search) {
        SetLastError(ERROR_INVALID_NAME);
        return false;
    }
    /* The directory is there, and nothing of that name in it. */
    return win32_walk(search, add_found, &listing) || GetLastError() == ERROR_FILE_NOT_FOUND;
}

/* ------------------------------------------------------------------ removing */

/* A file that was open when it was deleted stays until it is closed, and the directory with it. */
static bool try_remove_directory(void *ctx)
{
    if (RemoveDirectoryW((const wchar_t *)ctx) || win32_is_missing(GetLastError()))
        return true;
    if (GetLastError() == ERROR_DIR_NOT_EMPTY)
        SetLastError(ERROR_SHARING_VIOLATION);
    return false;
}

static enum err_code erase_files(const char *at, const char *path, const struct strlist *files, struct err *err)
{
    for (size_t i = 0; i < files->count; i++) {
        char AUTO_FREE *file = mem_printf("%s/%s", at, files->items[i]);
        char AUTO_FREE *shown = mem_printf("%s/%s", path, files->items[i]);
        wchar_t AUTO_WIDE *wide = win32_path(file);

        if (!wide)
            return win32_err_name(err, "remove", shown);
        if (!win32_delete(wide))
            return win32_err(err, ERR_IO, GetLastError(), "remove", shown);
    }
    return ERR_OK;
}

enum err_code win32_erase_directory(const char *at, const char *path, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    struct strlist AUTO_STRLIST directories = {NULL, 0};
    wchar_t AUTO_WIDE *wide = win32_path(at);
    enum err_code rc;

    if (!wide)
        return win32_err_name(err, "remove the directory", path);
    if (!win32_list(at, L"*", WIN32_FILE, &files) || !win32_list(at, L"*", WIN32_DIRECTORY, &directories))
        return win32_is_missing(GetLastError()) ? ERR_OK
                                                : win32_err(err, ERR_IO, GetLastError(), "remove the directory", path);
    if (directories.count > 0)
        return win32_err(err, ERR_IO, ERROR_DIR_NOT_EMPTY, "remove the directory", path);
    rc = erase_files(at, path, &files, err);
    if (rc == ERR_OK && !win32_retry(try_remove_directory, wide))
        rc = win32_err(err, ERR_IO, GetLastError(), "remove the directory", path);
    return rc;
}

enum err_code platform_tree_remove(const char *path, struct err *err)
{
    char AUTO_FREE *temp = NULL;
    wchar_t AUTO_WIDE *from = win32_path(path);
    wchar_t AUTO_WIDE *to = NULL;
    struct platform_path_info info;
    enum err_code rc = platform_path_look(path, &info, err);

    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc == ERR_OK && info.kind != PLATFORM_PATH_DIRECTORY)
        return err_set(err, ERR_IO, "could not remove \"%s\": it is no directory", path);
    if (rc == ERR_OK)
        rc = win32_temp_beside(path, &temp, err);
    if (rc != ERR_OK)
        return rc;
    to = win32_path(temp);
    if (!from || !to)
        return win32_err_name(err, "remove the directory", path);
    if (!win32_move(from, to, WIN32_RENAME_NEW_LAZILY))
        return win32_is_missing(GetLastError()) ? ERR_OK
                                                : win32_err(err, ERR_IO, GetLastError(), "remove the directory", path);
    return win32_erase_directory(temp, path, err);
}

/* ------------------------------------------------------------------ making */

enum err_code win32_make_temp_directory(const char *path, SECURITY_ATTRIBUTES *security, char **out, struct err *err)
{
    char AUTO_FREE *dir = win32_directory_of(path);

    for (int attempt = 0; attempt < WIN32_TEMP_ATTEMPTS; attempt++) {
        char AUTO_FREE *name = NULL;
        wchar_t AUTO_WIDE *wide = NULL;
        enum err_code rc = win32_temp_beside(path, &name, err);

        if (rc != ERR_OK)
            return rc;
        wide = win32_path(name);
        if (!wide)
            return win32_err_name(err, "create a directory in", dir);
        if (CreateDirectoryW(wide, security)) {
            *out = name;
            name = NULL;
            return ERR_OK;
        }
        if (GetLastError() != ERROR_ALREADY_EXISTS)
            break;
    }
    return win32_err(err, ERR_IO, GetLastError(), "create a directory in", dir);
}

static bool is_plain_name(const char *name)
{
    return *name && !strpbrk(name, "/\\:") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static enum err_code make_file(const char *temp, const char *path, const struct platform_tree_file *file,
                               struct err *err)
{
    char AUTO_FREE *at = mem_printf("%s/%s", temp, file->name);
    char AUTO_FREE *shown = mem_printf("%s/%s", path, file->name);
    struct win32_security AUTO(win32_security_done) security = {.descriptor = NULL};
    enum err_code rc = win32_security_make(&file->access, WIN32_FILE, &security, err);

    if (rc == ERR_OK && !is_plain_name(file->name))
        rc = err_set(err, ERR_INTERNAL, "could not write \"%s\": it is no name of a file", shown);
    if (rc == ERR_OK)
        rc = win32_make_file(at, shown, &security.attributes, file->data, file->len, err);
    return rc;
}

static enum err_code take_place(const char *temp, const char *path, struct err *err)
{
    wchar_t AUTO_WIDE *from = win32_path(temp);
    wchar_t AUTO_WIDE *to = win32_path(path);

    if (!from || !to)
        return win32_err_name(err, "create the directory", path);
    if (win32_move(from, to, WIN32_RENAME_NEW))
        return ERR_OK;
    if (GetLastError() == ERROR_ALREADY_EXISTS)
        return err_set(err, ERR_EXISTS, "could not create \"%s\": it exists", path);
    return win32_err(err, ERR_IO, GetLastError(), "create the directory", path);
}

static enum err_code create(const struct platform_tree *tree, struct err *err)
{
    char AUTO_FREE *temp = NULL;
    struct win32_security AUTO(win32_security_done) security = {.descriptor = NULL};
    enum err_code rc = win32_security_make(&tree->access, WIN32_DIRECTORY, &security, err);

    if (rc == ERR_OK)
        rc = win32_make_temp_directory(tree->path, &security.attributes, &temp, err);
    for (size_t i = 0; i < tree->count && rc == ERR_OK; i++)
        rc = make_file(temp, tree->path, &tree->files[i], err);
    if (rc == ERR_OK)
        rc = take_place(temp, tree->path, err);
    if (rc != ERR_OK && temp)
        (void)!win32_erase_directory(temp, tree->path, NULL);
    return rc;
}

void platform_trees_create(struct platform_tree *trees, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        err_init(&trees[i].err);
        err_settle(&trees[i].err, create(&trees[i], &trees[i].err));
    }
}
