/* SPDX-License-Identifier: MIT
 *
 * Patterns of paths.  Not glob(3): it does not tell which directory it could not look through, and a monitor that is
 * silent about what it may not see is worse than none.
 */
#include "platform/glob.h"

#include <string.h>

#include "platform/platform.h"

#define GLOB_MAX 10000 /* files; a pattern that means more means something else */

struct globbing {
    struct strlist *out;
    struct strlist *unreadable;
    size_t found;
};

static bool is_magic(const char *part)
{
    return strpbrk(part, "*?[") != NULL;
}

static void expand(struct globbing *g, const char *base, const char *rest);

/* Every name in a directory that fits, and what there is below it. */
static void expand_names(struct globbing *g, const char *base, const char *part, const char *rest)
{
    struct strlist AUTO_STRLIST names = {NULL, 0};
    struct err err;

    if (*base && glob_is_no_directory(base))
        return;
    if (platform_dir_list(*base ? base : ".", &names, &err) != ERR_OK) {
        if (err.code != ERR_NOT_FOUND)
            strlist_add(g->unreadable, err.msg);
        return;
    }
    for (size_t i = 0; i < names.count && g->found < GLOB_MAX; i++) {
        char AUTO_FREE *path = mem_printf("%s%s", base, names.items[i]);

        if (glob_fits(part, names.items[i]))
            expand(g, path, rest);
    }
}

/* `base` is settled, `rest` begins with "/" or is the first part. */
static void expand(struct globbing *g, const char *base, const char *rest)
{
    size_t slashes = strspn(rest, "/");
    size_t len = strcspn(rest + slashes, "/");
    char AUTO_FREE *start = mem_printf("%s%.*s", base, (int)slashes, rest);
    char AUTO_FREE *part = mem_strndup(rest + slashes, len);
    const char *next = rest + slashes + len;
    char AUTO_FREE *path = NULL;

    if (is_magic(part)) {
        expand_names(g, start, part, next);
        return;
    }
    path = mem_printf("%s%s", start, part);
    if (*next) {
        expand(g, path, next);
    } else if (glob_may_exist(path)) {
        strlist_add(g->out, path);
        g->found++;
    }
}

void platform_file_glob(const char *pattern, struct strlist *out, struct strlist *unreadable)
{
    struct globbing g = {out, unreadable, 0};
    size_t root = glob_root_length(pattern);
    char AUTO_FREE *base = mem_strndup(pattern, root);

    if (!is_magic(pattern + root) || platform_file_exists(pattern))
        strlist_add(out, pattern);
    else
        expand(&g, base, pattern + root);
}
