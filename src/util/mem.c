/* SPDX-License-Identifier: MIT */
#include "util/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static NORETURN void out_of_memory(void)
{
    (void)fputs("acme-dme: out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

void *mem_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *mem_zalloc(size_t size)
{
    return mem_calloc(1, size);
}

void *mem_resize(void *ptr, size_t count, size_t size)
{
    void *p;

    if (size && count > SIZE_MAX / size)
        out_of_memory();
    p = realloc(ptr, count && size ? count * size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *mem_grow(void *ptr, size_t count, size_t size)
{
    if (count & (count - 1)) /* neither 0 nor a power of two: there is room */
        return ptr;
    return mem_resize(ptr, count ? count * 2 : 1, size);
}

char *mem_lend(const char *s)
{
    const union {
        const char *lent;
        char *text;
    } as = {s};

    return as.text;
}

char *mem_strdup(const char *s)
{
    return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t len)
{
    char *copy = mem_calloc(len + 1, 1);

    memcpy(copy, s, len);
    return copy;
}

char *mem_printf(const char *fmt, ...)
{
    va_list args;
    va_list again;
    int len;
    char *out;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    out = mem_calloc(len > 0 ? (size_t)len + 1 : 1, 1);
    if (len > 0)
        (void)vsnprintf(out, (size_t)len + 1, fmt, again);
    va_end(again);
    return out;
}

void mem_free_auto(void *ptr_to_ptr)
{
    void **p = ptr_to_ptr;

    free(*p);
    *p = NULL;
}

void strlist_add_take(struct strlist *list, char *s)
{
    list->items = mem_grow(list->items, list->count, sizeof *list->items);
    list->items[list->count++] = s;
}

void strlist_add(struct strlist *list, const char *s)
{
    strlist_add_take(list, mem_strdup(s));
}

void strlist_done(struct strlist *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strlist){NULL, 0};
}

void strlist_copy(struct strlist *to, const struct strlist *from)
{
    strlist_done(to);
    for (size_t i = 0; from && i < from->count; i++)
        strlist_add(to, from->items[i]);
}

bool strlist_has(const struct strlist *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], s) == 0)
            return true;
    return false;
}

bool strlist_has_nocase(const struct strlist *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_casecmp(list->items[i], s) == 0)
            return true;
    return false;
}

void strlist_add_once(struct strlist *list, const char *s)
{
    if (!strlist_has(list, s))
        strlist_add(list, s);
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_items);
}

bool strlist_has_sorted(const struct strlist *list, const char *s)
{
    return list->count && bsearch(&s, list->items, list->count, sizeof *list->items, compare_items);
}

bool strlist_is_same(const struct strlist *a, const struct strlist *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

static bool has_all(const struct strlist *list, const struct strlist *of)
{
    for (size_t i = 0; i < of->count; i++)
        if (!strlist_has(list, of->items[i]))
            return false;
    return true;
}

bool strlist_is_same_set(const struct strlist *a, const struct strlist *b)
{
    return has_all(a, b) && has_all(b, a);
}

char *strlist_join(const struct strlist *list, const char *between)
{
    size_t gap = strlen(between);
    size_t len = 0;
    char *text;
    char *at;

    for (size_t i = 0; i < list->count; i++)
        len += strlen(list->items[i]) + gap;
    at = text = mem_calloc(len + 1, 1);
    for (size_t i = 0; i < list->count; i++) {
        size_t item_len = strlen(list->items[i]);

        if (i) {
            memcpy(at, between, gap);
            at += gap;
        }
        memcpy(at, list->items[i], item_len);
        at += item_len;
    }
    return text;
}
