/* SPDX-License-Identifier: MIT
 *
 * Memory that never fails: when there is none left the program ends with a message and status 1, after which the
 * journal has everything that is needed to clean up.  Sizes that come from outside are bounded before they get here.
 */
#ifndef ACME_DME_UTIL_MEM_H
#define ACME_DME_UTIL_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attrs.h"

void *mem_zalloc(size_t size) MUST_USE;                          /* zeroed */
void *mem_calloc(size_t count, size_t size) MUST_USE;            /* zeroed, product checked */
void *mem_resize(void *ptr, size_t count, size_t size) MUST_USE; /* realloc, product checked */
/* Room for one more element behind the `count` that an array has which always grew through this function: twice the
 * room at each power of two, so that n elements cost n steps and not n * n. */
void *mem_grow(void *ptr, size_t count, size_t size) MUST_USE;
char *mem_strdup(const char *s) MUST_USE; /* NULL gives NULL */
char *mem_strndup(const char *s, size_t len) MUST_USE;
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_USE;

/* `s` itself, for a struct that owns its texts elsewhere and is not freed here. */
char *mem_lend(const char *s) MUST_USE;

/* Cleanup for AUTO(): frees what the pointer points to. */
void mem_free_auto(void *ptr_to_ptr);
#define AUTO_FREE AUTO(mem_free_auto)

/* A growing list of strings, all owned.  Zero-initialised is empty and ready. */
struct strlist {
    char **items;
    size_t count;
};

void strlist_add(struct strlist *list, const char *s);
void strlist_add_take(struct strlist *list, char *s);
void strlist_done(struct strlist *list);
/* `to` has what `from` has; what it had is freed.  `from` may be NULL. */
void strlist_copy(struct strlist *to, const struct strlist *from);
bool strlist_has(const struct strlist *list, const char *s);
bool strlist_has_nocase(const struct strlist *list, const char *s);
void strlist_add_once(struct strlist *list, const char *s);
/* By bytes; and is it in a list that was sorted so, and not changed since? */
void strlist_sort(struct strlist *list);
bool strlist_has_sorted(const struct strlist *list, const char *s);
/* The same, in the same order? */
bool strlist_is_same(const struct strlist *a, const struct strlist *b);
/* Does each have all that the other has, in whatever order? */
bool strlist_is_same_set(const struct strlist *a, const struct strlist *b);
/* All of it, with `between` between; yours. */
char *strlist_join(const struct strlist *list, const char *between) MUST_USE;
#define AUTO_STRLIST AUTO(strlist_done)

#endif
