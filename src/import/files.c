/* SPDX-License-Identifier: MIT
 *
 * Reading other clients' files: bounded, and with an eye on who else can.
 */
#include "import/internal.h"

#include <string.h>

#include "json/json.h"
#include "platform/platform.h"
#include "util/text.h"

/* ------------------------------------------------------------------ paths */

/* Without the "/" at its end. */
static size_t path_len(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return len;
}

/* Where the last part begins. */
static size_t last_part(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/')
        len--;
    return len;
}

char *import_dirname(const char *path)
{
    size_t len = last_part(path, path_len(path));

    while (len > 1 && path[len - 1] == '/')
        len--;
    return len ? mem_strndup(path, len) : mem_strdup(".");
}

char *import_basename(const char *path)
{
    size_t len = path_len(path);
    size_t start = last_part(path, len);

    return mem_strndup(path + start, len - start);
}

char *import_join(const char *dir, const char *name)
{
    return mem_printf("%.*s%s%s", (int)path_len(dir), dir, strcmp(dir, "/") == 0 ? "" : "/", name);
}

char *import_without(const char *path, const char *suffix)
{
    return text_ends_with(path, suffix) ? mem_strndup(path, strlen(path) - strlen(suffix)) : NULL;
}

char *import_below(const char *path, const char *name)
{
    char AUTO_FREE *whole = mem_printf("/%s", path);
    char AUTO_FREE *part = mem_printf("/%s/", name);
    const char *found = NULL;

    for (const char *at = strstr(whole, part); at; at = strstr(at + 1, part))
        found = at;
    return found ? mem_strdup(found + strlen(part)) : NULL;
}

/* ------------------------------------------------------------------ texts */

static enum err_code read_text(const char *path, struct buf *out, struct platform_file_info *info, struct err *err)
{
    enum err_code code = platform_file_read(path, out, info, err);

    if (code != ERR_OK)
        return code;
    if (!text_is_utf8(buf_cstr(out), out->len) || memchr(buf_cstr(out), '\0', out->len))
        return err_set(err, ERR_INPUT, "\"%s\" is no text", path);
    return ERR_OK;
}

enum err_code import_read_text(const char *path, struct buf *out, struct err *err)
{
    return read_text(path, out, NULL, err);
}

enum err_code import_read_json(const char *path, json_t **out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(IMPORT_FILE_MAX);
    char AUTO_FREE *what = mem_printf("\"%s\"", path);
    json_t AUTO_JSON *json = NULL;
    enum err_code code = import_read_text(path, &text, err);

    if (code == ERR_OK)
        code = json_parse(buf_cstr(&text), text.len, what, &json, err);
    if (code == ERR_OK)
        code = json_want_object(json, what, err);
    if (code != ERR_OK)
        return code;
    *out = json;
    json = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ keys */

/* Whoever may not pass through its directory does not get to a file, whatever its own mode: lego's account keys are
 * readable by everybody, in a directory that only their owner may enter. */
static bool is_shut_in(const char *path)
{
    char AUTO_FREE *dir = import_dirname(path);
    struct platform_dir_info info;

    return platform_dir_inspect(dir, &info, NULL) == ERR_OK && info.mode != 0 && (info.mode & 0011) == 0;
}

enum err_code import_read_secret(const char *path, struct buf *out, char **out_exposed, struct err *err)
{
    struct platform_file_info info = {.mode = 0};
    enum err_code code = read_text(path, out, &info, err);

    if (code != ERR_OK)
        return code;
    *out_exposed = info.exposure == PLATFORM_PRIVATE || is_shut_in(path)
                       ? NULL
                       : mem_printf("%s%s can read the private key in \"%s\"",
                                    info.exposure == PLATFORM_WORLD_READABLE ? "" : "other ",
                                    info.exposure == PLATFORM_WORLD_READABLE ? "every user of this machine"
                                                                             : platform_advice_group(),
                                    path);
    return ERR_OK;
}

enum err_code import_read_account_secret(const char *path, struct buf *out, struct err *err)
{
    char AUTO_FREE *exposed = NULL;
    char AUTO_FREE *command = NULL;
    enum err_code code = import_read_secret(path, out, &exposed, err);

    if (code != ERR_OK || !exposed)
        return code;
    code = err_set(err, ERR_UNSAFE, "%s", exposed);
    command = platform_advice_private(path);
    err_hint(err, "Run: %s.  If others may have read it, change the key after the import.", command);
    return code;
}

enum err_code import_read_account_key(const char *path, struct key **out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(IMPORT_FILE_MAX);
    char AUTO_FREE *what = mem_printf("\"%s\"", path);
    enum err_code code = import_read_account_secret(path, &text, err);

    return code == ERR_OK ? key_parse_pem(buf_cstr(&text), text.len, what, out, err) : code;
}
