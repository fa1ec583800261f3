/* SPDX-License-Identifier: MIT
 *
 * What a link of win32_link.c is made of: its note and its files.
 */
#ifndef ACME_DME_PLATFORM_WIN32_LINK_H
#define ACME_DME_PLATFORM_WIN32_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/win32.h"
#include "util/attrs.h"
#include "util/err.h"

/* The note in a link: three lines. */
struct link_note {
    char *target;    /* where the link leads to, as the caller wrote it */
    char *name;      /* what the link is called in its directory */
    uint64_t number; /* of its switches; of several notes of one name the highest is the newest */
};
void link_note_done(struct link_note *note);

/* Errors: ERR_NOT_FOUND (there is nothing at `dir`), ERR_INPUT (it has no note, or what is none), ERR_IO. */
enum err_code link_note_read(const char *dir, struct link_note *out, struct err *err) MUST_USE;

/* Make the temporary directory of a link beside `path`, whole: the files of `from`, and then the note.  *out is its
 * path, yours; nothing is left of one that could not be made.  Errors: ERR_IO. */
enum err_code link_make(const char *path, const char *from, const struct link_note *note, char **out,
                        struct err *err) MUST_USE;
/* Remove the directory of a link, of which `path` is the name in messages: the note first, and while that can't be
 * done nothing else, as it says that the directory is whole.  Files that are in use may stay.  Errors: ERR_IO. */
enum err_code link_discard(const char *at, const char *path, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ where a link is (win32_link_find.c) */

/* Lock the links of the directory that `path` is in; closing *out unlocks.  Errors: ERR_IO. */
enum err_code link_lock(const char *path, HANDLE *out, struct err *err) MUST_USE;

/* The temporary directories with a whole note that are of one link. */
struct link_leftover {
    char *path; /* NULL: it is gone */
    struct link_note note;
};
struct link_leftovers {
    struct link_leftover *items;
    size_t count;
};
void link_leftovers_done(struct link_leftovers *list);
/* Errors: ERR_NOT_FOUND (the directory), ERR_IO (also: one can't be read, and might be the newest). */
enum err_code link_leftovers_find(const char *path, struct link_leftovers *out, struct err *err) MUST_USE;
struct link_leftover *link_newest(const struct link_leftovers *list); /* NULL: there is none */
/* link_discard() for all; the first that fails is the error. */
enum err_code link_discard_all(struct link_leftovers *list, const char *path, struct err *err) MUST_USE;

/* With the lock: see that the link stands at its path, if there is one.  Errors: ERR_IO. */
enum err_code link_heal(const char *path, struct link_leftovers *list, struct err *err) MUST_USE;

bool link_is_there(const char *path); /* whatever it is */
const char *link_name_of(const char *path);
/* win32_move() with an error "could not <what> <path>: ...".  Errors: ERR_IO. */
enum err_code link_move(const char *from, const char *to, enum win32_rename how, const char *what, const char *path,
                        struct err *err) MUST_USE;

#endif
