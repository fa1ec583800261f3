/* SPDX-License-Identifier: MIT
 *
 * What other clients' files say, looked at before it is believed.
 */
#include "import/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "json/json.h"
#include "util/text.h"

#define URL_MAX 2048
#define CONTACTS_MAX 20
#define CONTACT_MAX 320 /* "mailto:" and an address of RFC 5321 */
#define WARNING_MAX 1024

/* ------------------------------------------------------------------ URLs */

static const char scheme[] = "https://";

size_t import_url_origin_len(const char *url)
{
    size_t host = strlen(scheme);

    if (text_ncasecmp(url, scheme, host) != 0 || strchr("/?#:", url[host]))
        return 0;
    return host + strcspn(url + host, "/?#");
}

static bool is_url(const char *text)
{
    if (import_url_origin_len(text) == 0 || strlen(text) > URL_MAX)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

enum err_code import_take_url(const char *text, const char *what, const char *file, char **out, struct err *err)
{
    if (!text || !*text)
        return ERR_OK;
    if (!is_url(text))
        return err_set(err, ERR_INPUT, "\"%s\" has no https URL as %s: \"%.80s\"", file, what, text);
    free(*out);
    *out = mem_strdup(text);
    return ERR_OK;
}

char *import_known_directory(const char *url)
{
    static const char *const directories[] = {
        "https://acme-v02.api.letsencrypt.org/directory",
        "https://acme-staging-v02.api.letsencrypt.org/directory",
        "https://acme.zerossl.com/v2/DV90",
        "https://dv.acme-v02.api.pki.goog/directory",
        "https://dv.acme-v02.test-api.pki.goog/directory",
        "https://acme-api.actalis.com/acme/directory",
    };
    size_t len = import_url_origin_len(url);

    for (size_t i = 0; len && i < ARRAY_LEN(directories); i++)
        if (import_url_origin_len(directories[i]) == len && text_ncasecmp(directories[i], url, len) == 0)
            return mem_strdup(directories[i]);
    return NULL;
}

/* ------------------------------------------------------------------ contacts */

enum err_code import_take_contacts(const json_t *object, const char *file, struct strlist *out, struct err *err)
{
    char AUTO_FREE *what = mem_printf("\"%s\"", file);
    const json_t *array = NULL;
    enum err_code code = json_find_array(object, "contact", what, &array, err);

    if (code != ERR_OK)
        return code;
    if (json_array_size(array) > CONTACTS_MAX)
        return err_set(err, ERR_INPUT, "%s has more than %d contacts", what, CONTACTS_MAX);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *contact = json_string_value(json_array_get(array, i));

        if (!contact || !*contact || strlen(contact) > CONTACT_MAX || strpbrk(contact, " \t\r\n"))
            return err_set(err, ERR_INPUT, "%s has a contact that is no URL", what);
        strlist_add(out, contact);
    }
    return ERR_OK;
}

enum err_code import_take_registration(const json_t *registration, const char *file, struct import_account *out,
                                       struct err *err)
{
    char AUTO_FREE *what = mem_printf("\"%s\"", file);
    const json_t *body = json_object_get(registration, "body");
    const char *uri = NULL;
    enum err_code code = json_find_string(registration, "uri", what, &uri, err);

    if (code == ERR_OK)
        code = import_take_url(uri, "the account's URL", file, &out->url, err);
    if (code == ERR_OK && json_is_object(body))
        code = import_take_contacts(body, file, &out->contacts, err);
    return code;
}

void import_take_email(const char *email, struct strlist *out)
{
    if (email && strchr(email, '@') && strlen(email) <= CONTACT_MAX && !strpbrk(email, " \t\r\n,"))
        strlist_add_take(out, mem_printf("mailto:%s", email));
}

/* ------------------------------------------------------------------ certificates */

void import_warn(struct import_certificate *out, const char *fmt, ...)
{
    char text[WARNING_MAX];
    char safe[WARNING_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    text_escape_into(safe, sizeof safe, text, strlen(text));
    strlist_add(&out->warnings, safe);
}

enum err_code import_take_certificate(const char *file, struct import_certificate *out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(IMPORT_FILE_MAX);
    char AUTO_FREE *what = mem_printf("\"%s\"", file);
    struct cert AUTO_CERT cert = {.subject = NULL};
    enum err_code code = import_read_text(file, &text, err);

    if (code == ERR_OK)
        code = cert_parse(buf_cstr(&text), text.len, what, &cert, err);
    if (code != ERR_OK)
        return code;
    if (cert.names.count == 0)
        return err_set(err, ERR_INPUT, "the certificate in %s has no names", what);
    if (out->domains.count == 0) { /* its settings go first */
        out->domains = cert.names;
        cert.names = (struct strlist){NULL, 0};
    }
    free(out->certificate_file);
    out->certificate_file = mem_strdup(file);
    return ERR_OK;
}

static bool is_made_here(enum key_type type)
{
    return type < KEY_TYPE_COUNT;
}

void import_take_key_type(const char *text, struct import_certificate *out)
{
    enum key_type type;

    if (!key_type_parse(text, &type) || !is_made_here(type)) {
        import_warn(out, "keys of the type \"%.40s\" are not made here: the type of the configuration is taken", text);
        return;
    }
    free(out->key_type);
    out->key_type = mem_strdup(key_type_name(type));
}

static void take_parsed_key(const char *file, const struct key *key, struct import_certificate *out)
{
    enum key_type type = key_type_of(key);

    free(out->key_file);
    out->key_file = mem_strdup(file);
    if (out->key_type)
        return;
    if (is_made_here(type)) {
        out->key_type = mem_strdup(key_type_name(type));
    } else {
        char AUTO_FREE *kind = key_describe(key);

        import_warn(out,
                    "new keys of the kind that \"%s\" holds, %s, are not made here: the type of the configuration is "
                    "taken",
                    file, kind);
    }
}

enum err_code import_take_key(const char *file, struct import_certificate *out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(IMPORT_FILE_MAX);
    char AUTO_FREE *what = mem_printf("\"%s\"", file);
    char AUTO_FREE *exposed = NULL;
    struct key AUTO_KEY *key = NULL;
    struct err why;
    enum err_code code = import_read_secret(file, &text, &exposed, &why);

    if (code == ERR_NOT_FOUND) {
        import_warn(out, "there is no private key at %s: a new one is made", what);
        return ERR_OK;
    }
    if (code != ERR_OK)
        return err_set(err, code, "%s", why.msg);
    if (exposed)
        import_warn(out, "%s", exposed);
    if (key_parse_pem(buf_cstr(&text), text.len, what, &key, &why) == ERR_OK)
        take_parsed_key(file, key, out);
    else
        import_warn(out, "the current private key can't be used, and a new one is made: %s", why.msg);
    return ERR_OK;
}
