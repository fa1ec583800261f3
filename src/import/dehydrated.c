/* SPDX-License-Identifier: MIT
 *
 * dehydrated: what BASEDIR names.  An account is accounts/<base64url of the CA's URL>/ with account_key.pem; a
 * certificate is certs/<name>/ with cert.pem and privkey.pem.
 */
#include "import/internal.h"

#include <string.h>

#include "crypto/b64url.h"
#include "json/json.h"
#include "platform/platform.h"
#include "util/text.h"

#define URL_MAX 2048

/* ------------------------------------------------------------------ accounts */

/* The directory's name is what its shell made of the URL: with the line's end. */
static void take_directory(const char *dir, struct import_account *out)
{
    struct buf AUTO_BUF text = BUF_INIT(URL_MAX);
    char AUTO_FREE *base = import_basename(dir);

    if (!b64url_decode(base, strlen(base), &text) || !buf_ok(&text) || strlen(buf_cstr(&text)) != text.len)
        return;
    if (text.len && text.data[text.len - 1] == '\n')
        text.data[text.len - 1] = '\0';
    if (import_take_url(buf_cstr(&text), "the CA's directory", dir, &out->directory, NULL) != ERR_OK)
        out->directory = NULL; /* another directory of that name: the CA has to be told */
}

static enum err_code take_registration(const char *file, struct import_account *out, struct err *err)
{
    json_t AUTO_JSON *json = NULL;
    enum err_code code;

    if (!platform_file_exists(file))
        return ERR_OK;
    code = import_read_json(file, &json, err);
    return code == ERR_OK ? import_take_contacts(json, file, &out->contacts, err) : code;
}

static enum err_code take_id(const char *file, struct import_account *out, struct err *err)
{
    char AUTO_FREE *what = mem_printf("\"%s\"", file);
    json_t AUTO_JSON *json = NULL;
    const char *url = NULL;
    enum err_code code;

    if (!platform_file_exists(file))
        return ERR_OK;
    code = import_read_json(file, &json, err);
    if (code == ERR_OK)
        code = json_find_string(json, "url", what, &url, err);
    return code == ERR_OK ? import_take_url(url, "the account's URL", file, &out->url, err) : code;
}

static enum err_code account(const char *marker, struct import_account *out, struct err *err)
{
    char AUTO_FREE *dir = import_dirname(marker);
    char AUTO_FREE *registration = import_join(dir, "registration_info.json");
    char AUTO_FREE *id = import_join(dir, "account_id.json");
    enum err_code code = take_registration(registration, out, err);

    if (code == ERR_OK)
        code = take_id(id, out, err);
    if (code != ERR_OK)
        return code;
    take_directory(dir, out);
    return import_read_account_key(marker, &out->key, err);
}

/* ------------------------------------------------------------------ certificates */

/* The directory, or a file in it. */
static char *find(const char *path)
{
    char AUTO_FREE *cert = import_join(path, "cert.pem");
    char AUTO_FREE *key = import_join(path, "privkey.pem");
    char AUTO_FREE *dir = import_dirname(path);
    char AUTO_FREE *beside = import_join(dir, "cert.pem");
    char AUTO_FREE *key_beside = import_join(dir, "privkey.pem");

    if (platform_file_exists(cert) && platform_file_exists(key))
        return mem_strdup(path);
    return text_ends_with(path, ".pem") && platform_file_exists(beside) && platform_file_exists(key_beside)
               ? mem_strdup(dir)
               : NULL;
}

static enum err_code certificate(const char *found, struct import_certificate *out, struct err *err)
{
    char AUTO_FREE *cert = import_join(found, "cert.pem");
    char AUTO_FREE *key = import_join(found, "privkey.pem");
    enum err_code code = import_take_certificate(cert, out, err);

    out->name = import_basename(found);
    if (code == ERR_OK)
        code = import_take_key(key, out, err);
    if (code == ERR_OK)
        import_warn(out, "dehydrated keeps its settings for all certificates together: give CA, key type and programs "
                         "anew if they are not the usual ones");
    return code;
}

static const char *const markers[] = {
    "accounts/*/account_key.pem",
    "*/account_key.pem",
    "account_key.pem",
    NULL,
};

const struct import_client import_dehydrated = {
    .name = "dehydrated",
    .markers = markers,
    .beside = NULL,
    .wanted = "account_key.pem, below accounts/",
    .account = account,
    .find = find,
    .certificate_wanted = "certs/<name> with cert.pem and privkey.pem",
    .certificate = certificate,
};
