/* SPDX-License-Identifier: MIT */
#include "dme/error.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define MASK "***"
#define MASKED_RUN 32 /* UUIDs have 36 characters, signatures 40 */

/* ------------------------------------------------------------------ finding the text */

static void join(struct buf *out, const char *text, size_t len)
{
    if (len && out->len)
        buf_puts(out, "; ");
    buf_append(out, text, len);
}

static bool from_json(const struct buf *body, struct buf *out)
{
    json_t *json AUTO_JSON = NULL;
    const json_t *error;
    const json_t *item;
    size_t i;

    if (json_parse(buf_cstr(body), body->len, "", &json, NULL) != ERR_OK)
        return false;
    error = json_object_get(json, "error");
    if (json_is_string(error))
        join(out, json_string_value(error), json_string_length(error));
    json_array_foreach(error, i, item)
    {
        if (json_is_string(item))
            join(out, json_string_value(item), json_string_length(item));
    }
    return out->len > 0;
}

/* {error: ["text"]}: not JSON, yet what the gateway sent until 2017. */
static bool from_broken_json(const char *body, struct buf *out)
{
    const char *error = strstr(body, "error");
    const char *open = error && body[strspn(body, " \t\r\n")] == '{' ? strchr(error, '[') : NULL;
    const char *start = open ? strchr(open, '"') : NULL;
    const char *end = start ? strchr(start + 1, '"') : NULL;

    if (!end)
        return false;
    join(out, start + 1, (size_t)(end - start - 1));
    return out->len > 0;
}

static const char *find_nocase(const char *text, const char *wanted)
{
    size_t len = strlen(wanted);

    for (; *text; text++)
        if (text_ncasecmp(text, wanted, len) == 0)
            return text;
    return NULL;
}

static bool from_html(const char *body, struct buf *out)
{
    const char *title = find_nocase(body, "<title>");
    const char *end;

    if (!find_nocase(body, "<html") && !title)
        return false;
    title = title ? title + strlen("<title>") : "";
    end = strchr(title, '<');
    buf_puts(out, "an HTML page");
    if (end && end > title) {
        buf_puts(out, " titled ");
        buf_append(out, title, (size_t)(end - title));
    }
    return true;
}

/* ------------------------------------------------------------------ cleaning it */

static bool is_key_char(char c)
{
    return text_is_hex(c) || c == '-';
}

/* Length of what must not be shown at s; 0: nothing. */
static size_t secret_at(const char *s, const struct secret *api_key)
{
    size_t run = 0;

    if (secret_len(api_key) >= 4 && strncmp(s, secret_bytes(api_key), secret_len(api_key)) == 0)
        return secret_len(api_key);
    while (is_key_char(s[run]))
        run++;
    return run >= MASKED_RUN ? run : 0;
}

/* Masked, and white space folded: pages are full of it. */
static void clean(const char *in, const struct secret *api_key, struct buf *out)
{
    for (in += strspn(in, " \t\r\n"); *in;) {
        size_t hidden = secret_at(in, api_key);
        size_t space = strspn(in, "\t\r\n");

        if (hidden) {
            buf_puts(out, MASK);
            in += hidden;
        } else if (space) {
            buf_putc(out, ' ');
            in += space;
        } else {
            buf_putc(out, *in++);
        }
    }
}

void dme_error_text(const struct buf *body, const struct secret *api_key, struct buf *out)
{
    struct buf start AUTO_BUF = BUF_INIT(DME_ERROR_TEXT_MAX);
    struct buf found AUTO_BUF = BUF_INIT(DME_ERROR_TEXT_MAX);

    buf_append(&start, buf_cstr(body), body->len < DME_ERROR_TEXT_MAX ? body->len : DME_ERROR_TEXT_MAX);
    if (!from_json(&start, &found) && !from_broken_json(buf_cstr(&start), &found) &&
        !from_html(buf_cstr(&start), &found))
        buf_puts(&found, buf_cstr(&start));
    clean(buf_cstr(&found), api_key, out);
}

/* ------------------------------------------------------------------ what it means */

bool dme_error_is_rate_limit(long status, const char *text)
{
    /* 400 in the service's own words; by the status alone only where HTTP itself says so. */
    return status == 429 || (status >= 400 && status < 500 && strstr(text, "Rate limit exceeded"));
}

bool dme_error_is_duplicate(const char *text)
{
    return strstr(text, "already exists") || strstr(text, "Duplicate name and value match");
}

enum err_code dme_error_rate_limit(struct err *err)
{
    enum err_code code = err_set(err, ERR_RATE_LIMIT, "the request limit of DNS Made Easy is used up for this API key");

    err_hint(err, "DNS Made Easy allows 150 requests in 5 minutes for each API key, shared by everything that uses the "
                  "key: try again in 5 minutes, or give other tools a key of their own.");
    if (err)
        err->retry_after_s = 300;
    return code;
}

enum err_code dme_error_unreadable(struct err *err)
{
    if (!err)
        return ERR_API;
    err->code = ERR_API;
    if (!*err->hint)
        err_hint(err, "Try again later; if it stays so, check the endpoint in the configuration and whether a proxy on "
                      "the way to DNS Made Easy changes answers.");
    return ERR_API;
}

static enum err_code from_server(long status, const char *said, struct err *err)
{
    enum err_code code = err_set(err, ERR_SERVER, "DNS Made Easy failed (status %ld): \"%s\"", status, said);

    err_hint(err, "DNS Made Easy itself has trouble, or a gateway in front of it: nothing is wrong here, try again "
                  "later.");
    return code;
}

static enum err_code from_redirect(long status, const char *where, struct err *err)
{
    char shown[DME_ERROR_SHOWN_MAX];
    enum err_code code;

    text_cut_into(shown, sizeof shown, where ? where : "nowhere");
    code = err_set(err, ERR_API,
                   "DNS Made Easy answered with a redirect, which is never followed (status %ld, to \"%s\")", status,
                   shown);
    err_hint(err,
             "Check \"endpoint\" in the configuration, and whether a proxy or a captive portal stands between this "
             "machine and DNS Made Easy: one that removes the x-dnsme headers makes DNS Made Easy itself redirect.");
    return code;
}

enum err_code dme_error_from_status(long status, const char *text, const char *where, struct err *err)
{
    char said[DME_ERROR_SHOWN_MAX];

    text_cut_into(said, sizeof said, *text ? text : "no reason given");
    if (status >= 300 && status < 400)
        return from_redirect(status, where, err);
    if (status == 404)
        return err_set(err, ERR_NOT_FOUND, "DNS Made Easy has no such zone or record (status 404)");
    if (status == 408 || (status >= 500 && status < 600))
        return from_server(status, said, err);
    if (status == 400 && dme_error_is_duplicate(text))
        return err_set(err, ERR_EXISTS, "DNS Made Easy has this record already: \"%s\"", said);
    if (status >= 400 && status < 500)
        return err_set(err, ERR_API, "DNS Made Easy refused the request (status %ld): \"%s\"", status, said);
    return err_set(err, ERR_API, "DNS Made Easy answered with the unexpected status %ld: \"%s\"", status, said);
}
