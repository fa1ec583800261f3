/* SPDX-License-Identifier: MIT
 *
 * Typed values: text in, field out, or a problem that says what the value must be.
 */
#include <stdlib.h>
#include <string.h>

#include "config/address.h"
#include "config/value.h"
#include "util/buf.h"
#include "util/parse.h"
#include "util/text.h"

void config_value_must_be(const struct config_value *v, const struct config_text *text, const char *what)
{
    char AUTO_FREE *quoted = config_quote(text->text);

    config_report_problem(&v->load->report, &text->at, "\"%s\" must be %s, not %s", v->path, what, quoted);
}

/* ------------------------------------------------------------------ scalars */

bool config_value_is_plain(const char *text)
{
    if (!*text || strlen(text) > CONFIG_STRING_MAX)
        return false;
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

void config_value_store_take(void *field, char *take)
{
    char **slot = field;

    free(*slot);
    *slot = take;
}

static bool set_string(const struct config_value *v)
{
    const char *text = v->texts[0].text;

    if (!config_value_is_plain(text)) {
        config_value_must_be(v, &v->texts[0], "a text without control characters");
        return false;
    }
    config_value_store_take(v->field, mem_strdup(text));
    return true;
}

/* "C:\...", "\\server\...": absolute wherever the file is read, as nobody means it to be relative. */
static bool is_of_windows(const char *path)
{
    char first = text_lower(path[0]);

    return (path[0] == '\\' && path[1] == '\\') ||
           (first >= 'a' && first <= 'z' && path[1] == ':' && (path[2] == '\\' || path[2] == '/'));
}

bool config_value_is_absolute(const char *path)
{
    return platform_path_is_absolute(path) || is_of_windows(path);
}

/* "/x" is, or is the root of whatever drive Windows is at. */
static bool has_root(const char *path)
{
    return path[0] == '/' || config_value_is_absolute(path);
}

char *config_path_resolve(struct config_loading *load, const char *path, const struct config_text *text)
{
    char AUTO_FREE *inside = platform_path_inside(text->text);
    const char *slash;

    if (!config_value_is_plain(text->text)) {
        config_report_problem(&load->report, &text->at, "\"%s\" must be a path without control characters", path);
        return NULL;
    }
    if (text->at.kind != CONFIG_FILE || has_root(inside))
        return mem_strdup(inside);
    if (text_starts_with(inside, "~/")) {
        if (load->req->home)
            return mem_printf("%s/%s", load->req->home, inside + 2);
        config_report_problem(&load->report, &text->at, "\"%s\" begins with \"~/\", and there is no home directory",
                              path);
        return NULL;
    }
    slash = strrchr(text->at.name, '/');
    if (!slash)
        return mem_strdup(inside);
    return mem_printf("%.*s/%s", (int)(slash - text->at.name), text->at.name, inside);
}

static bool set_path(const struct config_value *v)
{
    char *path = config_path_resolve(v->load, v->path, &v->texts[0]);

    if (path)
        config_value_store_take(v->field, path);
    return path;
}

/* A URL isn't quoted in messages: it may hold a password. */
bool config_value_check_url(const struct config_value *v, const struct config_text *text)
{
    const char *fault = strlen(text->text) > CONFIG_STRING_MAX ? "of a reasonable length"
                                                               : config_url_fault(text->text);

    if (fault)
        config_report_problem(&v->load->report, &text->at, "\"%s\" must be an https URL %s", v->path, fault);
    return !fault;
}

static bool set_url(const struct config_value *v)
{
    const char *text = v->texts[0].text;

    if (!config_value_check_url(v, &v->texts[0]))
        return false;
    config_value_store_take(v->field, mem_printf("%s%s", text, text_ends_with(text, "/") ? "" : "/"));
    return true;
}

static bool set_uint(const struct config_value *v)
{
    uint64_t value;
    char AUTO_FREE *range = config_key_range(v->key);
    char AUTO_FREE *what = mem_printf("a whole number from %s", range);

    if (!parse_uint(v->texts[0].text, (uint64_t)v->key->min, (uint64_t)v->key->max, &value)) {
        config_value_must_be(v, &v->texts[0], what);
        return false;
    }
    *(uint32_t *)v->field = (uint32_t)value;
    return true;
}

static bool set_duration(const struct config_value *v)
{
    const struct config_text *text = &v->texts[0];
    char AUTO_FREE *range = config_key_range(v->key);
    char AUTO_FREE *what = mem_printf("a duration from %s", range);
    uint64_t number;
    int64_t ms;

    if (parse_uint(text->text, 0, UINT32_MAX, &number)) {
        config_report_problem(&v->load->report, &text->at,
                              "\"%s\" needs a unit (ms, s, m, h or d): \"%llus\" if seconds are meant", v->path,
                              (unsigned long long)number);
        return false;
    }
    if (!parse_duration_ms(text->text, &ms) || ms < v->key->min || ms > v->key->max) {
        config_value_must_be(v, text, what);
        return false;
    }
    *(int64_t *)v->field = ms;
    return true;
}

static bool set_share(const struct config_value *v)
{
    const struct config_text *text = &v->texts[0];
    char AUTO_FREE *range = config_key_range(v->key);
    char AUTO_FREE *what = mem_printf("a part of the lifetime (\"1/3\") or a duration from %s", range);
    struct config_share share = {.denominator = 0};

    if (!parse_fraction(text->text, &share.numerator, &share.denominator) &&
        (!parse_duration_ms(text->text, &share.ms) || share.ms < v->key->min || share.ms > v->key->max)) {
        config_value_must_be(v, text, what);
        return false;
    }
    *(struct config_share *)v->field = share;
    return true;
}

static bool set_bool(const struct config_value *v)
{
    if (parse_bool(v->texts[0].text, v->field))
        return true;
    config_value_must_be(v, &v->texts[0], "true or false");
    return false;
}

/* Enumerations are stored by index; the fields are enums without negative members. */
_Static_assert(sizeof(enum config_doh) == sizeof(unsigned) && sizeof(enum config_journal) == sizeof(unsigned) &&
                   sizeof(enum config_hmac) == sizeof(unsigned) && sizeof(enum config_challenge) == sizeof(unsigned) &&
                   sizeof(enum log_format) == sizeof(unsigned) && sizeof(enum log_level) == sizeof(unsigned),
               "an enum is as wide as unsigned int");

static bool set_enum(const struct config_value *v)
{
    struct buf AUTO_BUF what = BUF_INIT(500);
    size_t count = 0;
    const char *near;

    for (; v->key->choices[count]; count++) {
        if (text_casecmp(v->texts[0].text, v->key->choices[count]) == 0) {
            unsigned index = (unsigned)count;

            memcpy(v->field, &index, sizeof index);
            return true;
        }
        buf_printf(&what, "%s\"%s\"", count ? " or " : "", v->key->choices[count]);
    }
    config_value_must_be(v, &v->texts[0], buf_cstr(&what));
    near = text_nearest(v->texts[0].text, v->key->choices, count);
    if (near)
        config_report_hint(&v->load->report, "Did you mean \"%s\"?", near);
    return false;
}

/* ------------------------------------------------------------------ lists */

static bool check_item(const struct config_value *v, const struct config_text *text)
{
    if (v->key->type == CONFIG_TYPE_URLS)
        return config_value_check_url(v, text);
    if (v->key->type == CONFIG_TYPE_SOURCES)
        return true; /* every path may be one */
    if (v->key->type == CONFIG_TYPE_ADDRESSES) {
        if (config_is_address(text->text))
            return true;
        config_value_must_be(
            v, text, "an IP address with or without port (\"192.0.2.1\", \"192.0.2.1:53\", \"[2001:db8::1]:53\")");
        return false;
    }
    if (v->key->type == CONFIG_TYPE_EMAILS)
        return config_value_check_email(v, text);
    if (v->key->type == CONFIG_TYPE_DOMAINS)
        return config_value_check_domain(v, text);
    if (config_is_dns_name(text->text))
        return true;
    config_value_must_be(v, text, "the name of a zone");
    if (*text->text && (!config_value_is_plain(text->text) || strchr(text->text, '*')))
        config_report_hint(&v->load->report, "Write the zone itself, without \"*.\".");
    return false;
}

static bool is_server(const char *text)
{
    char AUTO_FREE *host = NULL;
    char AUTO_FREE *port = NULL;

    return parse_host_port(text, &host, &port);
}

/* NULL after reporting a problem. */
static char *source_item(const struct config_value *v, const struct config_text *text)
{
    return is_server(text->text) ? mem_strdup(text->text) : config_path_resolve(v->load, v->path, text);
}

char *config_name_normalize(const char *name)
{
    char *copy = mem_strndup(name, strlen(name) - (text_ends_with(name, ".") ? 1 : 0));

    text_lower_inplace(copy);
    return copy;
}

static char *normal_item(const struct config_value *v, const struct config_text *text)
{
    if (v->key->type == CONFIG_TYPE_SOURCES)
        return source_item(v, text);
    if (v->key->type == CONFIG_TYPE_NAMES)
        return config_name_normalize(text->text);
    return mem_strdup(v->key->type == CONFIG_TYPE_EMAILS ? config_email_address(text->text) : text->text);
}

static bool set_list(const struct config_value *v)
{
    struct strlist AUTO_STRLIST list = {NULL, 0};
    struct strlist *slot = v->field;
    struct strlist old = *slot;
    bool good = true;

    for (size_t i = 0; i < v->count; i++) {
        char *item = check_item(v, &v->texts[i]) ? normal_item(v, &v->texts[i]) : NULL;

        if (item)
            strlist_add_take(&list, item);
        else
            good = false;
    }
    if (!good)
        return false;
    *slot = list;
    list = old; /* freed at the end of the scope */
    return true;
}

/* ------------------------------------------------------------------ dispatch */

bool config_value_set(struct config_loading *load, const struct config_key *key, const char *path,
                      const struct config_text *texts, size_t count, void *field)
{
    const struct config_value v = {load, key, path, texts, count, field};

    switch (key->type) {
    case CONFIG_TYPE_STRING:
        return set_string(&v);
    case CONFIG_TYPE_PATH:
        return set_path(&v);
    case CONFIG_TYPE_URL:
        return set_url(&v);
    case CONFIG_TYPE_UINT:
        return set_uint(&v);
    case CONFIG_TYPE_DURATION:
        return set_duration(&v);
    case CONFIG_TYPE_BOOL:
        return set_bool(&v);
    case CONFIG_TYPE_ENUM:
        return set_enum(&v);
    case CONFIG_TYPE_SHARE:
        return set_share(&v);
    case CONFIG_TYPE_NAMES:
    case CONFIG_TYPE_ADDRESSES:
    case CONFIG_TYPE_URLS:
    case CONFIG_TYPE_SOURCES:
    case CONFIG_TYPE_EMAILS:
    case CONFIG_TYPE_DOMAINS:
        return set_list(&v);
    case CONFIG_TYPE_CA:
        return config_value_set_ca(&v);
    case CONFIG_TYPE_KEY_TYPE:
        return config_value_set_key_type(&v);
    case CONFIG_TYPE_ITEM_NAME:
        return config_value_set_item_name(&v);
    case CONFIG_TYPE_MODE:
        return config_value_set_mode(&v);
    case CONFIG_TYPE_COMMANDS:
        return config_value_set_commands(&v);
    case CONFIG_TYPE_SECRET:
        return config_eab_set(load, path, &texts[0], strlen(texts[0].text), field);
    case CONFIG_TYPE_IGNORED:
        break;
    }
    return false;
}
