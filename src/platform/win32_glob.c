/* SPDX-License-Identifier: MIT
 *
 * Patterns fit names without regard to case, as Windows finds files.
 */
#include "platform/glob.h"

#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/win32.h"

/* The drive ("C:"), or the server and share ("//server/share"). */
size_t glob_root_length(const char *pattern)
{
    size_t server;

    if (pattern[0] && pattern[1] == ':')
        return 2;
    if (strncmp(pattern, "//", 2) != 0)
        return 0;
    server = 2 + strcspn(pattern + 2, "/");
    return pattern[server] ? server + 1 + strcspn(pattern + server + 1, "/") : server;
}

/* In upper case, letter by letter and the same in each language; yours. */
static wchar_t *fold(const char *utf8)
{
    wchar_t *wide = win32_wide(utf8);
    size_t len = wcslen(wide);
    wchar_t *folded = mem_calloc(len + 1, sizeof *folded);

    if (LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_UPPERCASE, wide, (int)len, folded, (int)len, NULL, NULL, 0) == 0)
        memcpy(folded, wide, len * sizeof *folded);
    free(wide);
    return folded;
}

/* One character, which may take two units of UTF-16. */
static unsigned long take(const wchar_t **s)
{
    unsigned long first = *(*s)++;

    if (first >= 0xd800 && first < 0xdc00 && **s >= 0xdc00 && **s < 0xe000)
        return 0x10000 + ((first - 0xd800) << 10) + ((unsigned long)*(*s)++ - 0xdc00);
    return first;
}

/* The end of "[...]", behind the "]"; NULL: there is none, and "[" means itself.  A "]" that comes first is one of the
 * characters. */
static const wchar_t *end_of_set(const wchar_t *set)
{
    const wchar_t *s = set + 1;

    if (*s == L'!' || *s == L'^')
        s++;
    if (*s == L']')
        s++;
    s = wcschr(s, L']');
    return s ? s + 1 : NULL;
}

/* `end` is behind the "]" of the set. */
static bool set_has(const wchar_t *set, const wchar_t *end, unsigned long c)
{
    const wchar_t *s = set + 1;
    bool is_inverse = *s == L'!' || *s == L'^';
    bool is_in = false;

    if (is_inverse)
        s++;
    while (s < end - 1) {
        unsigned long low = take(&s);
        unsigned long high = low;

        if (*s == L'-' && s + 1 < end - 1) {
            s++;
            high = take(&s);
        }
        is_in |= low <= c && c <= high;
    }
    return is_in != is_inverse;
}

/* Does the first of a pattern, which is no "*", fit the first of a name?  Both then stand behind it. */
static bool fits_one(const wchar_t **pattern, const wchar_t **name)
{
    const wchar_t *set_end = **pattern == L'[' ? end_of_set(*pattern) : NULL;
    unsigned long c;

    if (!**pattern || !**name)
        return false;
    c = take(name);
    if (set_end) {
        bool has = set_has(*pattern, set_end, c);

        *pattern = set_end;
        return has;
    }
    if (**pattern == L'?') {
        (*pattern)++;
        return true;
    }
    return take(pattern) == c;
}

/* Only the last "*" is ever tried anew: what an earlier one could take more of, it can as well. */
static bool fits(const wchar_t *pattern, const wchar_t *name)
{
    const wchar_t *behind_star = NULL;
    const wchar_t *retry = NULL;

    while (*name || *pattern == L'*') {
        if (*pattern == L'*') {
            behind_star = ++pattern;
            retry = name;
        } else if (!fits_one(&pattern, &name)) {
            if (!behind_star || !*retry)
                return false;
            (void)take(&retry);
            pattern = behind_star;
            name = retry;
        }
    }
    return !*pattern;
}

bool glob_fits(const char *part, const char *name)
{
    wchar_t AUTO_WIDE *pattern = fold(part);
    wchar_t AUTO_WIDE *folded = fold(name);

    return (*name != '.' || *part == '.') && fits(pattern, folded);
}

bool glob_may_exist(const char *path)
{
    return win32_attributes(path) != INVALID_FILE_ATTRIBUTES || !win32_is_missing(GetLastError());
}

bool glob_is_no_directory(const char *path)
{
    DWORD attributes = win32_attributes(path);

    if (attributes == INVALID_FILE_ATTRIBUTES)
        return win32_is_missing(GetLastError());
    return !win32_is_directory(path) && !(attributes & FILE_ATTRIBUTE_REPARSE_POINT);
}
