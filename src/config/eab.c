/* SPDX-License-Identifier: MIT
 *
 * External account binding (RFC 8555 section 7.3.4): a key identifier and a MAC key that the CA gave.  CAs show the key
 * as base64url, some as plain base64 or with padding.
 */
#include <string.h>

#include "config/clean.h"
#include "crypto/b64url.h"

#define KEY_FILE_MAX 8192
#define KEY "acme.eab.hmac_key"
#define KEY_FILE "acme.eab.hmac_key_file"
#define KID "acme.eab.kid"

/* NULL: it is not base64. */
static struct secret *normalize(const char *text, size_t len)
{
    struct buf AUTO_BUF chars = BUF_INIT(KEY_FILE_MAX);
    struct buf AUTO_BUF bytes = BUF_INIT(KEY_FILE_MAX);

    while (len && text[len - 1] == '=')
        len--;
    for (size_t i = 0; i < len; i++)
        buf_putc(&chars, (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]));
    if (!buf_ok(&chars) || !b64url_decode(buf_cstr(&chars), chars.len, &bytes) || bytes.len == 0)
        return NULL;
    return secret_new(buf_cstr(&chars), chars.len);
}

bool config_eab_set(struct config_loading *load, const char *path, const struct config_text *text, size_t len,
                    struct secret **slot)
{
    struct config_cleaning c = {.text = text->text, .len = len};
    struct secret *key;

    config_clean(&c);
    key = normalize(c.text, c.len);
    if (!key) {
        config_report_problem(&load->report, &text->at, "the value of \"%s\" is not base64url", path);
        config_report_hint(&load->report, "Copy it anew from where the CA shows it, together with its identifier.");
        return false;
    }
    config_cleaning_warn(load, &text->at, path, &c);
    secret_free(*slot);
    *slot = key;
    return true;
}

static void read_file(struct config_loading *load)
{
    struct config_acme *acme = &load->config->acme;
    const char *where = config_where(load->config, KEY_FILE);
    struct buf AUTO_BUF content = BUF_INIT(KEY_FILE_MAX);
    struct platform_file_info info = {.exposure = PLATFORM_WORLD_READABLE};
    struct config_text text = {.at = {CONFIG_FILE, acme->eab_hmac_key_file, 0, 0}};
    size_t problems = load->report.count;
    struct err err;
    enum err_code code = platform_file_read(acme->eab_hmac_key_file, &content, &info, &err);

    if (code != ERR_OK) {
        /* The key itself where the name of its file belongs is an easy mistake. */
        const char *slash = strrchr(acme->eab_hmac_key_file, '/');

        config_report_error(&load->report, code == ERR_NOT_FOUND ? ERR_CONFIG : code, NULL, "%s: %s", where,
                            config_may_be_secret(slash ? slash : acme->eab_hmac_key_file)
                                ? "could not read the file, whose name is not shown here, as it looks like a secret"
                                : err.msg);
        return;
    }
    config_check_exposure(load, acme->eab_hmac_key_file, &info);
    if (load->report.count > problems)
        return;
    text.text = buf_cstr(&content);
    if (config_eab_set(load, KEY_FILE, &text, content.len, &acme->eab_hmac_key))
        config_origin_copy(load->config, KEY, KEY_FILE);
}

/* Key and file are one thing: of two places the stronger one wins. */
static void choose_key(struct config_loading *load)
{
    struct config_acme *acme = &load->config->acme;
    enum config_source_kind of_key = config_source(load->config, KEY);
    enum config_source_kind of_file = config_source(load->config, KEY_FILE);

    if (!acme->eab_hmac_key || !acme->eab_hmac_key_file)
        return;
    if (of_key == of_file) {
        config_report_problem(&load->report, NULL, "%s: \"" KEY "\" and \"" KEY_FILE "\" are both given",
                              config_where(load->config, KEY_FILE));
        config_report_hint(&load->report, "Give one of them.");
    } else if (of_key > of_file) {
        config_field_done(config_key_find(KEY_FILE), &acme->eab_hmac_key_file);
    } else {
        config_field_done(config_key_find(KEY), &acme->eab_hmac_key);
    }
}

void config_settle_eab(struct config_loading *load)
{
    struct config_acme *acme = &load->config->acme;
    const char *given = acme->eab_hmac_key ? KEY : KEY_FILE;
    bool has_key = acme->eab_hmac_key || acme->eab_hmac_key_file;

    choose_key(load);
    /* When the other half was refused, that it is missing is no news. */
    if (load->report.count)
        return;
    if (acme->eab_kid && !has_key) {
        config_report_problem(&load->report, NULL, "%s: \"" KID "\" is given without its key",
                              config_where(load->config, KID));
        config_report_hint(&load->report, "Give \"" KEY_FILE "\" or \"" KEY "\" too, as the CA shows it.");
    } else if (has_key && !acme->eab_kid) {
        config_report_problem(&load->report, NULL, "%s: \"%s\" is given without \"" KID "\"",
                              config_where(load->config, given), given);
        config_report_hint(&load->report, "Give the key identifier too, as the CA shows it.");
    } else if (acme->eab_hmac_key_file && load->req->need == CONFIG_WITH_CREDENTIALS) {
        read_file(load);
    }
}

enum err_code config_read_eab(struct config *config, struct strlist *warnings, struct err *err)
{
    struct strlist AUTO_STRLIST none = {NULL, 0};
    struct config_loading load = {.config = config, .report.warnings = warnings};
    enum err_code code;

    if (!config->acme.eab_hmac_key_file || config->acme.eab_hmac_key)
        return ERR_OK;
    read_file(&load); /* reports one problem at most */
    code = config_report_finish(&load.report, NULL, &none, err);
    config_report_done(&load.report);
    return code;
}
