/* SPDX-License-Identifier: MIT
 *
 * Which client's files are at a path.
 */
#include "import/internal.h"

#include <string.h>

#include "platform/platform.h"

#define PATTERN_MAX 65536

/* The directory as a pattern that names nothing else. */
static char *pattern_of(const char *dir, const char *marker)
{
    char AUTO_FREE *path = import_join(dir, "");
    struct buf AUTO_BUF pattern = BUF_INIT(PATTERN_MAX);

    for (const char *p = path; *p; p++) {
        if (strchr("*?[", *p))
            buf_printf(&pattern, "[%c]", *p);
        else
            buf_putc(&pattern, *p);
    }
    buf_puts(&pattern, marker);
    return buf_take(&pattern);
}

static bool has_beside(const char *marker, const char *beside)
{
    char AUTO_FREE *dir = import_dirname(marker);
    char AUTO_FREE *other = beside ? import_join(dir, beside) : NULL;

    return !other || platform_file_exists(other);
}

static void look_below(const struct import_client *client, const char *dir, struct strlist *out,
                       struct strlist *unreadable)
{
    for (size_t i = 0; client->markers[i]; i++) {
        char AUTO_FREE *pattern = pattern_of(dir, client->markers[i]);
        struct strlist AUTO_STRLIST found = {NULL, 0};

        platform_file_glob(pattern, &found, unreadable);
        for (size_t k = 0; k < found.count; k++)
            if (platform_file_exists(found.items[k]) && has_beside(found.items[k], client->beside))
                strlist_add(out, found.items[k]);
    }
}

/* Of Let's Encrypt's ACMEv1, which is gone: certbot and dehydrated have links from or to what they had there. */
static bool is_obsolete(const char *marker)
{
    static const char *const parts[] = {
        "/acme-v01.api.letsencrypt.org/", "/acme-staging.api.letsencrypt.org/",
        "/aHR0cHM6Ly9hY21lLXYwMS5hcGkubGV0c2VuY3J5", /* base64url of "https://acme-v01.api.letsencry" */
        "/aHR0cHM6Ly9hY21lLXN0YWdpbmcuYXBpLmxldHNl", /* and of "https://acme-staging.api.letse" */
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (strstr(marker, parts[i]))
            return true;
    return false;
}

static bool is_directory(const char *path)
{
    struct platform_path_info info;

    return platform_path_look(path, &info, NULL) == ERR_OK &&
           (info.kind == PLATFORM_PATH_DIRECTORY || info.leads_to_directory);
}

void import_find_markers(const struct import_client *client, const char *path, struct strlist *out,
                         struct strlist *unreadable)
{
    struct strlist AUTO_STRLIST found = {NULL, 0};
    char AUTO_FREE *dir = is_directory(path) ? mem_strdup(path) : import_dirname(path);

    look_below(client, dir, &found, unreadable);
    if (found.count == 0 && strcmp(dir, path) != 0) { /* a file one level below its account's marker */
        char AUTO_FREE *above = import_dirname(dir);

        look_below(client, above, &found, unreadable);
    }
    if (strlist_has(&found, path)) {
        strlist_add(out, path);
        return;
    }
    for (size_t i = 0; i < found.count; i++)
        if (!is_obsolete(found.items[i]))
            strlist_add(out, found.items[i]);
    if (out->count == 0)
        for (size_t i = 0; i < found.count; i++)
            strlist_add(out, found.items[i]);
}
