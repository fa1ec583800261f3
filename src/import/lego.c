/* SPDX-License-Identifier: MIT
 *
 * lego: ~/.lego, or what --path names.  An account is accounts/<server>/<email>/ with account.json and
 * keys/<email>.key; a certificate is certificates/<name>.json with .crt and .key beside it.
 */
#include "import/internal.h"

#include "json/json.h"
#include "platform/platform.h"

/* ------------------------------------------------------------------ accounts */

/* It may never have been registered; the CA tells. */
static enum err_code take_registration(const json_t *json, const char *file, struct import_account *out,
                                       struct err *err)
{
    const json_t *registration = json_object_get(json, "registration");

    return json_is_object(registration) ? import_take_registration(registration, file, out, err) : ERR_OK;
}

/* keys/<email>.key; the directory's name is the address. */
static char *key_file_of(const char *dir)
{
    char AUTO_FREE *keys = import_join(dir, "keys");
    char AUTO_FREE *base = import_basename(dir);
    char AUTO_FREE *file = mem_printf("%s.key", base);

    return import_join(keys, file);
}

static enum err_code account(const char *marker, struct import_account *out, struct err *err)
{
    char AUTO_FREE *what = mem_printf("\"%s\"", marker);
    char AUTO_FREE *dir = import_dirname(marker);
    char AUTO_FREE *key = key_file_of(dir);
    json_t AUTO_JSON *json = NULL;
    const char *email = NULL;
    enum err_code code = import_read_json(marker, &json, err);

    if (code == ERR_OK)
        code = take_registration(json, marker, out, err);
    if (code == ERR_OK)
        code = json_find_string(json, "email", what, &email, err);
    if (code != ERR_OK)
        return code;
    if (!out->contacts.count)
        import_take_email(email, &out->contacts);
    if (out->url)
        out->directory = import_known_directory(out->url);
    return import_read_account_key(key, &out->key, err);
}

/* ------------------------------------------------------------------ certificates */

/* Any of its files leads to the .json. */
static char *find(const char *path)
{
    static const char *const suffixes[] = {".json", ".issuer.crt", ".crt", ".key", ".pem", ".pfx", ""};

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char AUTO_FREE *stem = import_without(path, suffixes[i]);
        char AUTO_FREE *json = stem ? mem_printf("%s.json", stem) : NULL;
        char AUTO_FREE *crt = stem ? mem_printf("%s.crt", stem) : NULL;

        if (json && platform_file_exists(json) && platform_file_exists(crt))
            return mem_strdup(json);
    }
    return NULL;
}

static enum err_code certificate(const char *found, struct import_certificate *out, struct err *err)
{
    char AUTO_FREE *what = mem_printf("\"%s\"", found);
    char AUTO_FREE *stem = import_without(found, ".json");
    char AUTO_FREE *crt = mem_printf("%s.crt", stem);
    char AUTO_FREE *key = mem_printf("%s.key", stem);
    json_t AUTO_JSON *json = NULL;
    const char *url = NULL;
    enum err_code code = import_read_json(found, &json, err);

    if (code == ERR_OK)
        code = json_find_string(json, "certUrl", what, &url, err);
    if (code != ERR_OK)
        return code;
    out->name = import_basename(stem);
    if (url)
        out->directory = import_known_directory(url);
    code = import_take_certificate(crt, out, err);
    return code == ERR_OK ? import_take_key(key, out, err) : code;
}

static const char *const markers[] = {
    "accounts/*/*/account.json", "*/*/account.json", "*/account.json", "account.json", NULL,
};

const struct import_client import_lego = {
    .name = "lego",
    .markers = markers,
    .beside = "keys",
    .wanted = "account.json with the directory keys beside it, below accounts/",
    .account = account,
    .find = find,
    .certificate_wanted = "certificates/<name>.json with <name>.crt beside it",
    .certificate = certificate,
};
