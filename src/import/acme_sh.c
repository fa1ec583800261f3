/* SPDX-License-Identifier: MIT
 *
 * acme.sh: ~/.acme.sh.  An account is ca/<server>/<path>/ with account.key and ca.conf; a certificate is <name>/ or
 * <name>_ecc/ with <name>.conf.  Both conf files are for a shell; here they are only read.
 */
#include "import/internal.h"

#include <string.h>

#include "crypto/b64url.h"
#include "platform/platform.h"
#include "util/text.h"

#define BASE64_START "__ACME_BASE64__START_"
#define BASE64_END "__ACME_BASE64__END_"
#define BASE64_MAX 4096

static enum err_code read_settings(const char *file, struct import_settings *out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(IMPORT_FILE_MAX);
    enum err_code code = import_read_text(file, &text, err);

    return code == ERR_OK ? import_settings_parse_shell(buf_cstr(&text), text.len, file, out, err) : code;
}

/* ------------------------------------------------------------------ accounts */

/* ca/<host>/<path> is made of the directory's URL, but for the port; that stands in the account's.  acme.sh
 * before 2.8.7 had no <path>. */
static enum err_code take_directory(const char *dir, struct import_account *out, struct err *err)
{
    char AUTO_FREE *below = import_below(dir, "ca");
    size_t host = below ? strcspn(below, "/") : 0;
    char AUTO_FREE *origin = mem_printf("https://%.*s", (int)host, below ? below : "");
    size_t len = out->url ? import_url_origin_len(out->url) : 0;
    char AUTO_FREE *url = NULL;

    if (host == 0)
        return ERR_OK;
    if (len > strlen(origin) && text_ncasecmp(out->url, origin, strlen(origin)) == 0 && out->url[strlen(origin)] == ':')
        url = mem_printf("%.*s%s", (int)len, out->url, below + host);
    else
        url = below[host] ? mem_printf("%s%s", origin, below + host) : import_known_directory(origin);
    return import_take_url(url, "the CA's directory", dir, &out->directory, err);
}

static enum err_code account(const char *marker, struct import_account *out, struct err *err)
{
    char AUTO_FREE *dir = import_dirname(marker);
    char AUTO_FREE *file = import_join(dir, "ca.conf");
    struct import_settings AUTO_IMPORT_SETTINGS settings = {.file = NULL};
    const char *url = NULL;
    const char *email = NULL;
    enum err_code code = read_settings(file, &settings, err);

    if (code == ERR_OK)
        code = import_settings_text(&settings, "", "ACCOUNT_URL", &url, err);
    if (code == ERR_OK)
        code = import_take_url(url, "the account's URL", file, &out->url, err);
    if (code == ERR_OK)
        code = import_settings_text(&settings, "", "CA_EMAIL", &email, err);
    if (code == ERR_OK)
        code = take_directory(dir, out, err);
    if (code != ERR_OK)
        return code;
    import_take_email(email, &out->contacts);
    if (!out->directory && out->url)
        out->directory = import_known_directory(out->url);
    return import_read_account_key(marker, &out->key, err);
}

/* ------------------------------------------------------------------ certificates */

/* "<name>", of the directory "<name>" or "<name>_ecc". */
static char *name_of_dir(const char *dir)
{
    char AUTO_FREE *base = import_basename(dir);
    char *name = import_without(base, "_ecc");

    return name ? name : mem_strdup(base);
}

static char *find(const char *path)
{
    char AUTO_FREE *name = name_of_dir(path);
    char AUTO_FREE *file = mem_printf("%s.conf", name);
    char AUTO_FREE *inside = import_join(path, file);
    char AUTO_FREE *dir = import_dirname(path);
    char AUTO_FREE *own = name_of_dir(dir);
    char AUTO_FREE *base = import_basename(path);
    char AUTO_FREE *wanted = mem_printf("%s.conf", own);

    if (platform_file_exists(inside))
        return mem_strdup(inside);
    return strcmp(base, wanted) == 0 && platform_file_exists(path) ? mem_strdup(path) : NULL;
}

/* "no" is acme.sh's word for none. */
static void take_domains(const char *domain, const char *more, struct import_certificate *out)
{
    if (domain)
        strlist_add(&out->domains, domain);
    while (more && *more && strcmp(more, "no") != 0) {
        size_t len = strcspn(more, ",");

        if (len)
            strlist_add_take(&out->domains, mem_strndup(more, len));
        more += len + (more[len] ? 1 : 0);
    }
}

/* What acme.sh put into base64 because a shell would trip over it; yours. */
static enum err_code take_base64(const struct import_settings *settings, const char *key, const char *value, char **out,
                                 struct err *err)
{
    char AUTO_FREE *start = value && text_starts_with(value, BASE64_START) ? import_without(value, BASE64_END) : NULL;
    char AUTO_FREE *text = start ? mem_strdup(start + strlen(BASE64_START)) : NULL;
    struct buf AUTO_BUF plain = BUF_INIT(BASE64_MAX);

    if (!text) {
        *out = mem_strdup(value);
        return ERR_OK;
    }
    for (char *p = text; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    text[strcspn(text, "=")] = '\0';
    if (!b64url_decode(text, strlen(text), &plain) || !buf_ok(&plain) || strlen(buf_cstr(&plain)) != plain.len)
        return err_set(err, ERR_INPUT, "%s:%zu: the base64 in \"%s\" is damaged", settings->file,
                       import_settings_find(settings, "", key)->line, key);
    *out = buf_take(&plain);
    return ERR_OK;
}

/* Proved by DNS Made Easy, each and every one? */
static bool is_by_dnsmadeeasy(const char *ways)
{
    static const char *const ours[] = {"dns_me", "dns_acmedme"};

    while (*ways) {
        size_t len = strcspn(ways, ",");
        bool is_ours = len == 0;

        for (size_t i = 0; i < ARRAY_LEN(ours); i++)
            is_ours = is_ours || (strlen(ours[i]) == len && strncmp(ways, ours[i], len) == 0);
        if (!is_ours)
            return false;
        ways += len + (ways[len] ? 1 : 0);
    }
    return true;
}

static void warn_of_rest(const struct import_settings *settings, struct import_certificate *out)
{
    static const char *const programs[][2] = {{"Le_PreHook", "pre"},
                                              {"Le_PostHook", "post"},
                                              {"Le_RenewHook", "deploy"},
                                              {"Le_ReloadCmd", "deploy"},
                                              {"Le_DeployHook", "deploy"}};
    static const char *const copies[] = {"Le_RealCertPath", "Le_RealKeyPath", "Le_RealCACertPath",
                                         "Le_RealFullChainPath"};
    const struct import_setting *way = import_settings_find(settings, "", "Le_Webroot");

    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (import_settings_has(settings, "", programs[i][0]))
            import_warn(out, "acme.sh's %s is not taken over: list the program under \"%s\"", programs[i][0],
                        programs[i][1]);
    for (size_t i = 0; i < ARRAY_LEN(copies); i++)
        if (import_settings_has(settings, "", copies[i]))
            import_warn(out,
                        "acme.sh's copy of the files for %s is not taken over: use the new ones where they are, or a "
                        "deploy program",
                        copies[i]);
    if (way && way->value && !is_by_dnsmadeeasy(way->value))
        import_warn(out,
                    "acme.sh proved its names by \"%.60s\", acme-dme does by DNS Made Easy: see that it has the zones",
                    way->value);
}

static enum err_code take_settings(const struct import_settings *settings, struct import_certificate *out,
                                   struct err *err)
{
    const char *texts[6] = {NULL};
    static const char *const keys[] = {
        "Le_Domain", "Le_Alt", "Le_Keylength", "Le_API", "Le_Preferred_Chain", "Le_Certificate_Profile"};
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < ARRAY_LEN(keys); i++)
        code = import_settings_text(settings, "", keys[i], &texts[i], err);
    if (code == ERR_OK)
        code = import_take_url(texts[3], "Le_API", settings->file, &out->directory, err);
    if (code == ERR_OK)
        code = take_base64(settings, "Le_Preferred_Chain", texts[4], &out->preferred_chain, err);
    if (code != ERR_OK)
        return code;
    take_domains(texts[0], texts[1], out);
    if (!out->domains.count)
        return err_set(err, ERR_INPUT, "\"%s\" names no domain (no \"Le_Domain\")", settings->file);
    import_take_key_type(texts[2] ? texts[2] : "2048", out); /* as acme.sh reads an empty one */
    out->profile = mem_strdup(texts[5]);
    warn_of_rest(settings, out);
    return ERR_OK;
}

static enum err_code certificate(const char *found, struct import_certificate *out, struct err *err)
{
    struct import_settings AUTO_IMPORT_SETTINGS settings = {.file = NULL};
    char AUTO_FREE *stem = import_without(found, ".conf");
    char AUTO_FREE *cert = mem_printf("%s.cer", stem);
    char AUTO_FREE *key = mem_printf("%s.key", stem);
    enum err_code code = read_settings(found, &settings, err);

    if (code == ERR_OK)
        code = take_settings(&settings, out, err);
    if (code != ERR_OK)
        return code;
    out->name = import_basename(stem);
    if (platform_file_exists(cert))
        code = import_take_certificate(cert, out, err);
    return code == ERR_OK ? import_take_key(key, out, err) : code;
}

static const char *const markers[] = {
    "ca/*/account.key",
    "ca/*/*/account.key",
    "ca/*/*/*/account.key",
    "*/*/account.key",
    "*/account.key",
    "account.key",
    NULL,
};

const struct import_client import_acme_sh = {
    .name = "acme.sh",
    .markers = markers,
    .beside = "ca.conf",
    .wanted = "account.key with ca.conf beside it, below ca/",
    .account = account,
    .find = find,
    .certificate_wanted = "<name>/<name>.conf, or <name>_ecc/<name>.conf",
    .certificate = certificate,
};
