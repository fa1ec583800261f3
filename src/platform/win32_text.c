/* SPDX-License-Identifier: MIT
 *
 * UTF-8 inside, UTF-16 for the system, and paths that mean to the system what they say.
 *
 * Windows gives some names a meaning of their own, even below a directory: "con" and "nul.txt" are devices, "a." and
 * "a " are "a", "a:b" is a part of the file "a", and "*" is a pattern.  With "\\?\" in front it takes names literally,
 * but then other programs can't open what has such a name; so none is ever made, and none is looked for.
 */
#include "platform/win32.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define PATH_MAX_BYTES ((size_t)3 * 32767) /* as the system's limit is 32767 of UTF-16 */

wchar_t *win32_wide(const char *utf8)
{
    int size = MultiByteToWideChar(CP_UTF8, 0, utf8, -1, NULL, 0);
    wchar_t *wide = mem_calloc(size > 0 ? (size_t)size : 1, sizeof *wide);

    if (size > 0)
        (void)MultiByteToWideChar(CP_UTF8, 0, utf8, -1, wide, size);
    return wide;
}

char *win32_utf8(const wchar_t *wide)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *utf8 = mem_calloc(size > 0 ? (size_t)size : 1, 1);

    if (size > 0)
        (void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, utf8, size, NULL, NULL);
    return utf8;
}

void win32_wide_auto(wchar_t **text)
{
    free(*text);
    *text = NULL;
}

/* ------------------------------------------------------------------ names */

/* Is it the number of a port behind "com" or "lpt": a digit, or one of those that stand above the line in Latin-1? */
static bool is_port_number(const char *s, size_t len)
{
    if (len == 1)
        return text_is_digit(s[0]);
    return len == 2 && s[0] == '\xc2' && (s[1] == '\xb9' || s[1] == '\xb2' || s[1] == '\xb3');
}

/* What stands before the first dot decides, and spaces before that dot do not count. */
static bool is_device(const char *name)
{
    static const char *const devices[] = {"con", "prn", "aux", "nul", "conin$", "conout$"};
    size_t len = strcspn(name, ".");

    while (len > 0 && name[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        if (len == strlen(devices[i]) && text_ncasecmp(name, devices[i], len) == 0)
            return true;
    return len > 3 && (text_ncasecmp(name, "com", 3) == 0 || text_ncasecmp(name, "lpt", 3) == 0) &&
           is_port_number(name + 3, len - 3);
}

static bool is_file_name(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || name[len - 1] == '.' || name[len - 1] == ' ')
        return false;
    for (const char *s = name; *s; s++)
        if ((unsigned char)*s < 0x20 || strchr("<>:\"|?*", *s))
            return false;
    return !is_device(name);
}

/* ------------------------------------------------------------------ paths */

/* Take the next part of a path off its front; NULL at the end.  Yours. */
static char *next_part(const char **rest)
{
    const char *start = *rest + strspn(*rest, "/");
    size_t len = strcspn(start, "/");

    *rest = start + len;
    return len ? mem_strndup(start, len) : NULL;
}

/* What an absolute path begins with, in the system's form and without a "\" behind: a drive, or a server and a share
 * of it.  NULL: neither.  Yours. */
static char *take_root(const char **rest)
{
    const char *path = *rest;
    char AUTO_FREE *server = NULL;
    char AUTO_FREE *share = NULL;

    if (path[0] && path[1] == ':') {
        *rest = path + 2;
        return mem_printf("\\\\?\\%c:", path[0]);
    }
    server = next_part(rest);
    share = next_part(rest);
    if (!server || !share || !is_file_name(server) || !is_file_name(share))
        return NULL;
    return mem_printf("\\\\?\\UNC\\%s\\%s", server, share);
}

static void drop_last(struct strlist *parts)
{
    if (parts->count)
        free(parts->items[--parts->count]);
}

/* Behind "\\?\" the system knows neither "." nor "..".  False: a part is no name. */
static bool split(const char *rest, struct strlist *parts)
{
    char *part;

    while ((part = next_part(&rest)) != NULL) {
        if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
            if (part[1])
                drop_last(parts);
            free(part);
            continue;
        }
        strlist_add_take(parts, part);
        if (!is_file_name(part))
            return false;
    }
    return true;
}

wchar_t *win32_path(const char *path)
{
    char AUTO_FREE *inside = platform_path_inside(path);
    char AUTO_FREE *absolute = platform_path_absolute(inside);
    struct strlist AUTO_STRLIST parts = {NULL, 0};
    const char *rest = absolute;
    char AUTO_FREE *root = NULL;
    char AUTO_FREE *below = NULL;
    char AUTO_FREE *whole = NULL;

    if (!*path || !text_is_utf8(path, strlen(path)) || strlen(absolute) > PATH_MAX_BYTES ||
        !platform_path_is_absolute(absolute))
        return NULL;
    root = take_root(&rest);
    if (!root || !split(rest, &parts))
        return NULL;
    below = strlist_join(&parts, "\\");
    whole = mem_printf("%s\\%s", root, below);
    return win32_wide(whole);
}

wchar_t *win32_path_below(const char *dir, const wchar_t *text)
{
    wchar_t AUTO_WIDE *path = win32_path(dir);
    size_t len = path ? wcslen(path) : 0;
    wchar_t *whole = path ? mem_calloc(len + wcslen(text) + 2, sizeof *whole) : NULL;

    if (!whole)
        return NULL;
    memcpy(whole, path, len * sizeof *whole);
    if (path[len - 1] != L'\\') /* as behind a drive */
        whole[len++] = L'\\';
    memcpy(whole + len, text, wcslen(text) * sizeof *whole);
    return whole;
}
