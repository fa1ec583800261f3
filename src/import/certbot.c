/* SPDX-License-Identifier: MIT
 *
 * certbot: /etc/letsencrypt.  An account is accounts/<server>/<path>/<hash>/ with the key as a JWK; a certificate's
 * settings are renewal/<name>.conf, and its names stand in the certificate alone.
 */
#include "import/internal.h"

#include <string.h>

#include "json/json.h"
#include "platform/platform.h"
#include "util/text.h"

#define PARAMS "renewalparams"

/* ------------------------------------------------------------------ accounts */

/* The directory's URL, which the path is made of: accounts/acme-v02.api.letsencrypt.org/directory/<hash>. */
static enum err_code take_directory(const char *dir, struct import_account *out, struct err *err)
{
    char AUTO_FREE *server = import_dirname(dir);
    char AUTO_FREE *path = import_below(server, "accounts");
    char AUTO_FREE *url = path ? mem_printf("https://%s", path) : NULL;

    return import_take_url(url, "the CA's directory", dir, &out->directory, err);
}

static enum err_code take_registration(const char *file, struct import_account *out, struct err *err)
{
    json_t AUTO_JSON *json = NULL;
    enum err_code code = import_read_json(file, &json, err);

    return code == ERR_OK ? import_take_registration(json, file, out, err) : code;
}

static enum err_code take_key(const char *file, struct import_account *out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(IMPORT_FILE_MAX);
    char AUTO_FREE *what = mem_printf("\"%s\"", file);
    json_t AUTO_JSON *json = NULL;
    enum err_code code = import_read_account_secret(file, &text, err);

    if (code == ERR_OK)
        code = json_parse(buf_cstr(&text), text.len, what, &json, err);
    if (code == ERR_OK)
        code = json_want_object(json, what, err);
    return code == ERR_OK ? import_jwk_parse(json, file, &out->key, err) : code;
}

static enum err_code account(const char *marker, struct import_account *out, struct err *err)
{
    char AUTO_FREE *dir = import_dirname(marker);
    char AUTO_FREE *registration = import_join(dir, "regr.json");
    enum err_code code = take_directory(dir, out, err);

    if (code == ERR_OK)
        code = take_registration(registration, out, err);
    if (code == ERR_OK && !out->directory && out->url)
        out->directory = import_known_directory(out->url);
    return code == ERR_OK ? take_key(marker, out, err) : code;
}

/* ------------------------------------------------------------------ certificates */

/* The directory's name tells it from acme.sh's, which end in ".conf" too. */
static bool is_settings_file(const char *path)
{
    char AUTO_FREE *dir = import_dirname(path);
    char AUTO_FREE *base = import_basename(dir);

    return text_ends_with(path, ".conf") && strcmp(base, "renewal") == 0 && platform_file_exists(path);
}

/* renewal/<name>.conf itself, or live/<name>. */
static char *find(const char *path)
{
    char AUTO_FREE *live = import_dirname(path);
    char AUTO_FREE *base = import_basename(live);
    char AUTO_FREE *top = import_dirname(live);
    char AUTO_FREE *name = import_basename(path);
    char AUTO_FREE *renewal = import_join(top, "renewal");
    char AUTO_FREE *file = mem_printf("%s.conf", name);
    char AUTO_FREE *settings = import_join(renewal, file);

    if (is_settings_file(path))
        return mem_strdup(path);
    return strcmp(base, "live") == 0 && is_settings_file(settings) ? mem_strdup(settings) : NULL;
}

static const char *value_of(const struct import_settings *settings, const char *key)
{
    const struct import_setting *setting = import_settings_find(settings, PARAMS, key);

    return setting && import_settings_has(settings, PARAMS, key) ? setting->value : NULL;
}

/* RSA has a size, ECDSA a curve; certbot 2 writes the type always. */
static void take_key_type(const struct import_settings *settings, struct import_certificate *out)
{
    const char *type = value_of(settings, "key_type");
    const char *size = value_of(settings, "rsa_key_size");
    const char *curve = value_of(settings, "elliptic_curve");

    if (type && strcmp(type, "rsa") == 0)
        import_take_key_type(size ? size : "2048", out);
    else if (type && strcmp(type, "ecdsa") == 0)
        import_take_key_type(curve ? curve : "secp256r1", out);
}

static void warn_of_rest(const struct import_settings *settings, struct import_certificate *out)
{
    static const char *const programs[][2] = {
        {"pre_hook", "pre"}, {"post_hook", "post"}, {"renew_hook", "deploy"}, {"deploy_hook", "deploy"}};
    const char *authenticator = value_of(settings, "authenticator");

    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (import_settings_has(settings, PARAMS, programs[i][0]))
            import_warn(out, "certbot's %s is not taken over: list the program under \"%s\"", programs[i][0],
                        programs[i][1]);
    if (import_settings_has(settings, PARAMS, "installer"))
        import_warn(out, "certbot's installer is not taken over: point the server at the new files yourself");
    if (import_settings_has(settings, PARAMS, "autorenew") && !import_settings_is_true(settings, PARAMS, "autorenew"))
        import_warn(out, "certbot left this certificate out of its renewals; acme-dme renews it");
    if (import_settings_is_true(settings, PARAMS, "allow_subset_of_names"))
        import_warn(out,
                    "allow_subset_of_names is not taken over: a certificate is issued for all names or not at all");
    if (import_settings_is_true(settings, PARAMS, "must_staple"))
        import_warn(out, "must_staple is not taken over: CAs have given up OCSP");
    if (authenticator && strcmp(authenticator, "manual") != 0 && strcmp(authenticator, "dns-dnsmadeeasy") != 0)
        import_warn(out,
                    "certbot proved its names by \"%s\", acme-dme does by DNS Made Easy: see that it has the zones",
                    authenticator);
}

static enum err_code take_settings(const struct import_settings *settings, struct import_certificate *out,
                                   struct err *err)
{
    const char *server = value_of(settings, "server");
    const char *profile = value_of(settings, "required_profile");
    const char *chain = value_of(settings, "preferred_chain");
    enum err_code code = import_take_url(server, "server", settings->file, &out->directory, err);

    if (code != ERR_OK)
        return code;
    if (!profile)
        profile = value_of(settings, "preferred_profile");
    out->profile = mem_strdup(profile);
    out->preferred_chain = mem_strdup(chain);
    out->reuse_key = import_settings_is_true(settings, PARAMS, "reuse_key");
    take_key_type(settings, out);
    warn_of_rest(settings, out);
    return ERR_OK;
}

static enum err_code take_files(const struct import_settings *settings, struct import_certificate *out, struct err *err)
{
    const char *cert = NULL;
    const char *key = NULL;
    enum err_code code = import_settings_text(settings, "", "cert", &cert, err);

    if (code == ERR_OK)
        code = import_settings_text(settings, "", "privkey", &key, err);
    if (code == ERR_OK && !cert)
        code = err_set(err, ERR_INPUT, "\"%s\" does not say where the certificate is (no \"cert\")", settings->file);
    if (code == ERR_OK)
        code = import_take_certificate(cert, out, err);
    return code == ERR_OK && key ? import_take_key(key, out, err) : code;
}

/* Programs in renewal-hooks/ are run for every certificate. */
static void warn_of_programs(const char *found, struct import_certificate *out)
{
    static const char *const kinds[] = {"pre", "deploy", "post"};
    char AUTO_FREE *renewal = import_dirname(found);
    char AUTO_FREE *top = import_dirname(renewal);
    char AUTO_FREE *hooks = import_join(top, "renewal-hooks");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        char AUTO_FREE *dir = import_join(hooks, kinds[i]);
        struct strlist AUTO_STRLIST names = {NULL, 0};

        if (platform_dir_list(dir, &names, NULL) == ERR_OK && names.count)
            import_warn(out, "the programs in \"%s\" are not taken over: list them under \"%s\"", dir, kinds[i]);
    }
}

static enum err_code certificate(const char *found, struct import_certificate *out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(IMPORT_FILE_MAX);
    struct import_settings AUTO_IMPORT_SETTINGS settings = {.file = NULL};
    char AUTO_FREE *base = import_basename(found);
    enum err_code code = import_read_text(found, &text, err);

    if (code == ERR_OK)
        code = import_settings_parse_ini(buf_cstr(&text), text.len, found, &settings, err);
    if (code != ERR_OK)
        return code;
    out->name = import_without(base, ".conf");
    code = take_settings(&settings, out, err);
    warn_of_programs(found, out);
    return code == ERR_OK ? take_files(&settings, out, err) : code;
}

static const char *const markers[] = {
    "accounts/*/*/*/private_key.json",
    "accounts/*/*/*/*/private_key.json",
    "accounts/*/*/*/*/*/private_key.json",
    "accounts/*/*/private_key.json",
    "*/*/*/private_key.json",
    "*/*/private_key.json",
    "*/private_key.json",
    "private_key.json",
    NULL,
};

const struct import_client import_certbot = {
    .name = "certbot",
    .markers = markers,
    .beside = "regr.json",
    .wanted = "private_key.json with regr.json beside it, below accounts/",
    .account = account,
    .find = find,
    .certificate_wanted = "renewal/<name>.conf, or live/<name>",
    .certificate = certificate,
};
