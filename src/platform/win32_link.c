/* SPDX-License-Identifier: MIT
 *
 * Links to directories, on a system where only administrators may make symbolic ones, and where nothing replaces a
 * directory in one step.
 *
 * The link P to the directory T is a directory of its own, in which the files of T stand once more (win32_link_make.c),
 * and a note that has the text of the target, the name of the link, and a number that each switch counts up.  It needs
 * T no more once it is made.  A switch, which holds the lock of P's directory:
 *
 *   1. makes the temporary directory N beside P, with the files of the new target;
 *   2. writes the note into it, last and flushed, with a number above that of all other notes of that name;
 *   3. renames P, if it is there, to the temporary name O;
 *   4. renames N to P; when this returns, both renames are on the disk;
 *   5. removes the note of O, and then the rest of it.
 *
 * What the link is: P if there is one; otherwise the temporary directory with the highest of the whole notes of that
 * name; otherwise there is no link.  So whenever we are killed, or the power fails, it is the old one or the new one,
 * and whole:
 *
 *   before 2   P is there, untouched.  N has no whole note (the last line of it is missing): it is nothing.
 *   after 2    P is there, untouched; N is not looked at.  For a link's first time P is not there: then N is the link,
 *              which is as if the kill had come after 4.
 *   after 3    P is not there.  N has the highest number, by 2: it is the link, and whole.  The rename of 3 can be on
 *              the disk only with 1 and 2, which went into the same log of the file system before it.  (FAT has no
 *              log: there that holds for kills alone.)
 *   after 4    P is there, the new one.  O is not looked at, and has a lower number than any N to come.
 *   in 5       the same.  O without its note is nothing, however much is left of it; with it, it is whole, as the note
 *              goes first.
 *
 * A rename that fails in 3 leaves P; one that fails in 4 is followed by renaming O back, and a kill in between is one
 * "after 3".  Removing a link first removes the notes of what is left of earlier switches (P is there, so they are not
 * looked at), then renames P to O, and then removes the note of O: until then O is the link, since no other note of
 * that name is left, and from then on there is none.
 *
 * Who finds P missing and a temporary directory in its stead renames it to P, with the lock: the next read, switch or
 * platform_dir_sweep().  That is one rename, which is done or not.  No rename here replaces anything, so that what has
 * become P meanwhile stays.  Reading takes no lock while P is there.  The lock is a file that is open for one process
 * alone and goes away when it is closed, by whatever end of the process.
 *
 * Readers of a link's files do not see a half-switched link, but for a moment, between 3 and 4, none.  A directory in
 * which a file is open can't be renamed: a switch waits for some seconds, and then fails with the old link in place.
 */
#include "platform/win32_link.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ switching */

static char *directory_of_target(const char *path, const char *target)
{
    char AUTO_FREE *dir = platform_path_is_absolute(target) ? NULL : win32_directory_of(path);

    return dir ? mem_printf("%s/%s", dir, target) : mem_strdup(target);
}

/* A link whose note is damaged is one all the same, and may be replaced. */
static enum err_code number_of(const char *path, uint64_t *out, struct err *err)
{
    struct link_note AUTO(link_note_done) note = {NULL, NULL, 0};
    enum err_code rc = link_note_read(path, &note, err);

    if (rc == ERR_OK)
        *out = note.number;
    return rc == ERR_INPUT || rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

static enum err_code next_number(const char *path, const struct link_leftovers *list, uint64_t *out, struct err *err)
{
    uint64_t number = 0;
    enum err_code rc = number_of(path, &number, err);

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].note.number > number)
            number = list->items[i].note.number;
    *out = number + 1;
    return rc;
}

/* Steps 3 to 5. */
static enum err_code exchange(const char *path, const char *fresh, struct err *err)
{
    char AUTO_FREE *aside = NULL;
    enum err_code rc = win32_temp_beside(path, &aside, err);
    bool was_there = link_is_there(path);

    if (rc == ERR_OK && was_there)
        rc = link_move(path, aside, WIN32_RENAME_NEW_LAZILY, "switch the link", path, err);
    if (rc != ERR_OK)
        return rc;
    rc = link_move(fresh, path, WIN32_RENAME_NEW, "switch the link", path, err);
    if (was_there && rc != ERR_OK)
        (void)!link_move(aside, path, WIN32_RENAME_NEW_LAZILY, "switch the link", path, NULL);
    else if (was_there)
        (void)!link_discard(aside, path, NULL);
    return rc;
}

static enum err_code switch_locked(const char *path, const char *target, struct err *err)
{
    struct link_leftovers AUTO(link_leftovers_done) list = {NULL, 0};
    char AUTO_FREE *from = directory_of_target(path, target);
    char AUTO_FREE *fresh = NULL;
    struct link_note AUTO(link_note_done) note = {mem_strdup(target), mem_strdup(link_name_of(path)), 0};
    enum err_code rc = link_leftovers_find(path, &list, err);

    if (rc == ERR_OK)
        rc = link_heal(path, &list, err);
    if (rc == ERR_OK && link_is_there(path) && !win32_is_link(path))
        return err_set(err, ERR_EXISTS, "could not create the link \"%s\": something else is there", path);
    if (rc == ERR_OK)
        rc = next_number(path, &list, &note.number, err);
    if (rc == ERR_OK) {
        (void)!link_discard_all(&list, path, NULL);
        rc = link_make(path, from, &note, &fresh, err);
    }
    if (rc == ERR_OK)
        rc = exchange(path, fresh, err);
    if (rc != ERR_OK && fresh)
        (void)!link_discard(fresh, path, NULL);
    return rc == ERR_NOT_FOUND ? ERR_IO : rc;
}

static enum err_code switch_one(const char *path, const char *target, struct err *err)
{
    HANDLE AUTO_HANDLE lock = INVALID_HANDLE_VALUE;
    enum err_code rc = link_lock(path, &lock, err);

    return rc == ERR_OK ? switch_locked(path, target, err) : rc;
}

void platform_links_switch(struct platform_link *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        err_init(&links[i].err);
        err_settle(&links[i].err, switch_one(links[i].path, links[i].target, &links[i].err));
    }
}

enum err_code platform_link_switch(const char *path, const char *target, struct err *err)
{
    struct platform_link link = {.path = path, .target = target};

    platform_links_switch(&link, 1);
    if (link.err.code != ERR_OK && err)
        *err = link.err;
    return link.err.code;
}

/* ------------------------------------------------------------------ removing */

/* The link is gone with the note of what it was renamed to, as there is no other. */
static enum err_code remove_place(const char *path, struct err *err)
{
    char AUTO_FREE *aside = NULL;
    enum err_code rc = win32_temp_beside(path, &aside, err);

    if (rc == ERR_OK)
        rc = link_move(path, aside, WIN32_RENAME_NEW_LAZILY, "remove the link", path, err);
    if (rc != ERR_OK)
        return rc;
    rc = link_discard(aside, path, err);
    if (rc != ERR_OK)
        (void)!link_move(aside, path, WIN32_RENAME_NEW_LAZILY, "put back the link", path, NULL);
    return rc;
}

enum err_code win32_link_remove(const char *path, struct err *err)
{
    struct link_leftovers AUTO(link_leftovers_done) list = {NULL, 0};
    HANDLE AUTO_HANDLE lock = INVALID_HANDLE_VALUE;
    enum err_code rc = link_lock(path, &lock, err);

    if (rc == ERR_OK)
        rc = link_leftovers_find(path, &list, err);
    if (rc == ERR_OK && link_is_there(path) && !win32_is_link(path))
        return err_set(err, ERR_IO, "could not remove the link \"%s\": something else is there", path);
    if (rc == ERR_OK)
        rc = link_discard_all(&list, path, err);
    if (rc == ERR_OK && link_is_there(path))
        rc = remove_place(path, err);
    return rc;
}

void win32_link_sweep(const char *temp)
{
    struct link_leftovers AUTO(link_leftovers_done) list = {NULL, 0};
    struct link_note AUTO(link_note_done) note = {NULL, NULL, 0};
    HANDLE AUTO_HANDLE lock = INVALID_HANDLE_VALUE;
    char AUTO_FREE *dir = win32_directory_of(temp);
    char AUTO_FREE *path = NULL;
    enum err_code rc = link_lock(temp, &lock, NULL);

    if (rc != ERR_OK)
        return;
    rc = link_note_read(temp, &note, NULL);
    if (rc == ERR_INPUT)
        (void)!win32_erase_directory(temp, temp, NULL);
    if (rc != ERR_OK)
        return;
    path = mem_printf("%s/%s", dir, note.name);
    if (link_leftovers_find(path, &list, NULL) == ERR_OK && link_heal(path, &list, NULL) == ERR_OK &&
        link_is_there(temp))
        (void)!link_discard(temp, temp, NULL);
}
