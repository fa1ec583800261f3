/* SPDX-License-Identifier: MIT
 *
 * Members of a CA's objects that json/ has no getter for: URLs, times, identifiers, statuses.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "util/text.h"

#define NAME_MAX_LEN 255

enum err_code acme_member_error(enum err_code code, struct err *err)
{
    if (code != ERR_INPUT)
        return code;
    if (err) {
        err->code = ERR_ACME;
        err_hint(err, "The CA, or what answers in its place, does not keep to RFC 8555; check the URL of its "
                      "directory, and whether a proxy stands between this machine and the CA.");
    }
    return ERR_ACME;
}

/* ------------------------------------------------------------------ URLs */

/* Length of "https://" or, where that is allowed, "http://"; 0: neither. */
static size_t scheme_len(const char *url, enum acme_scheme scheme)
{
    if (text_ncasecmp(url, "https://", 8) == 0)
        return 8;
    return scheme == ACME_HTTP_TOO && text_ncasecmp(url, "http://", 7) == 0 ? 7 : 0;
}

bool acme_url_is_valid(const char *url, enum acme_scheme scheme)
{
    size_t start = scheme_len(url, scheme);
    size_t host_len;

    if (start == 0 || strlen(url) > ACME_URL_MAX)
        return false;
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}#", *p))
            return false;
    host_len = strcspn(url + start, "/?");
    return host_len > 0 && url[start] != ':' && !memchr(url + start, '@', host_len);
}

char *acme_url_resolve(const char *base, const char *reference)
{
    const char *start = strstr(base, "://");

    if (scheme_len(reference, ACME_HTTP_TOO))
        return mem_strdup(reference);
    if (!start || reference[0] != '/' || reference[1] == '/')
        return NULL;
    start += 3;
    return mem_printf("%.*s%s", (int)(start - base + (ptrdiff_t)strcspn(start, "/?#")), base, reference);
}

static enum err_code check_url(const char *url, const char *key, enum acme_scheme scheme, const char *what, char **out,
                               struct err *err)
{
    char shown[120];

    if (acme_url_is_valid(url, scheme)) {
        *out = mem_strdup(url);
        return ERR_OK;
    }
    text_cut_into(shown, sizeof shown, url);
    return err_set(err, ERR_INPUT, "%s has \"%s\" as \"%s\", which is no %s URL", what, shown, key,
                   scheme == ACME_HTTPS_ONLY ? "https" : "https or http");
}

enum err_code acme_member_want_url(const json_t *object, const char *key, enum acme_scheme scheme, const char *what,
                                   char **out, struct err *err)
{
    const char *url;
    enum err_code code = json_want_string(object, key, what, &url, err);

    return code == ERR_OK ? check_url(url, key, scheme, what, out, err) : code;
}

enum err_code acme_member_find_url(const json_t *object, const char *key, enum acme_scheme scheme, const char *what,
                                   char **out, struct err *err)
{
    const char *url;
    enum err_code code = json_find_string(object, key, what, &url, err);

    if (code != ERR_OK)
        return code;
    if (url && *url)
        return check_url(url, key, scheme, what, out, err);
    *out = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ others */

enum err_code acme_member_find_text(const json_t *object, const char *key, const char *what, char **out,
                                    struct err *err)
{
    const char *text;
    enum err_code code = json_find_string(object, key, what, &text, err);

    if (code == ERR_OK)
        *out = text && *text ? mem_strdup(text) : NULL;
    return code;
}

enum err_code acme_member_find_bool(const json_t *object, const char *key, const char *what, bool *out, struct err *err)
{
    const json_t *value = json_object_get(object, key);

    if (value && !json_is_null(value) && !json_is_boolean(value))
        return err_set(err, ERR_INPUT, "%s has something else than true or false as \"%s\"", what, key);
    *out = json_is_true(value);
    return ERR_OK;
}

enum err_code acme_member_find_time(const json_t *object, const char *key, const char *what, int64_t *out_s,
                                    struct err *err)
{
    const char *text;
    int64_t ms = 0;
    enum err_code code = json_find_string(object, key, what, &text, err);

    if (code != ERR_OK)
        return code;
    if (text && *text && !clock_parse_rfc3339(text, &ms))
        return err_set(err, ERR_INPUT, "%s has \"%s\" as \"%s\", which is no time of RFC 3339", what, text, key);
    *out_s = ms / 1000;
    return ERR_OK;
}

enum err_code acme_member_find_strings(const json_t *object, const char *key, size_t max, const char *what,
                                       struct strlist *out, struct err *err)
{
    const json_t *array, *item;
    size_t i;
    enum err_code code = json_find_array(object, key, what, &array, err);

    if (code != ERR_OK)
        return code;
    if (json_array_size(array) > max)
        return err_set(err, ERR_INPUT, "%s has %zu items as \"%s\", more than %zu", what, json_array_size(array), key,
                       max);
    json_array_foreach(array, i, item)
    {
        if (!json_is_string(item))
            return err_set(err, ERR_INPUT, "%s has something else than strings in \"%s\"", what, key);
        strlist_add(out, json_string_value(item));
    }
    return ERR_OK;
}

enum err_code acme_member_want_status(const json_t *object, const char *const *names, size_t count, const char *what,
                                      size_t *out, struct err *err)
{
    const char *text;
    enum err_code code = json_want_string(object, "status", what, &text, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INPUT, "%s has the status \"%s\", which is none", what, text);
}

/* It becomes part of a record's name. */
static bool is_plain_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return len > 0 && len <= NAME_MAX_LEN && name[len] == '\0' && name[0] != '.' && name[len - 1] != '.' &&
           !strstr(name, "..");
}

enum err_code acme_member_identifier(const json_t *identifier, enum acme_star star, const char *what, char **out,
                                     struct err *err)
{
    const char *type = NULL;
    const char *value = NULL;
    enum err_code code = json_want_object(identifier, what, err);

    if (code == ERR_OK)
        code = json_want_string(identifier, "type", what, &type, err);
    if (code == ERR_OK)
        code = json_want_string(identifier, "value", what, &value, err);
    if (code != ERR_OK)
        return code;
    if (strcmp(type, "dns") != 0)
        return err_set(err, ERR_INPUT, "%s is of type \"%s\" where \"dns\" belongs", what, type);
    if (!is_plain_name(star == ACME_STAR_ALLOWED && text_starts_with(value, "*.") ? value + 2 : value))
        return err_set(err, ERR_INPUT, "%s is \"%s\", which is no DNS name", what, value);
    *out = mem_strdup(value);
    text_lower_inplace(*out);
    return ERR_OK;
}
