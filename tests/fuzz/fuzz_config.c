/* SPDX-License-Identifier: MIT
 *
 * A configuration file of any content: it loads into something complete, or says why not in lines that are safe to
 * print, and never shows what may be a secret.
 */
#include <string.h>

#include "config/loading.h"
#include "fuzz.h"
#include "util/text.h"

/* Long enough, and with letters and digits, to be taken for a secret wherever it is. */
#define MARKER "5ecre7k3y-5ecre7k3y-5ecre7k3y"

static void check_line(const char *line)
{
    FUZZ_CHECK(*line && text_is_utf8(line, strlen(line)) && !strstr(line, MARKER));
    for (; *line; line++)
        FUZZ_CHECK((unsigned char)*line >= ' ');
}

static void check_account(const struct config_account *account)
{
    FUZZ_CHECK(account->name && *account->name);
    FUZZ_CHECK(account->unusable ? !account->is_default : account->api_key && account->api_secret);
    for (size_t i = 0; i < account->zones.count; i++)
        FUZZ_CHECK(*account->zones.items[i]);
}

static void check_certificate(const struct config_certificate *certificate)
{
    size_t count;
    const char *const *names = config_certificate_setting_names(&count);
    struct config_certificate_settings AUTO_CONFIG_CERTIFICATE_SETTINGS again = {.key_type = NULL};

    FUZZ_CHECK(certificate->name && *certificate->name);
    FUZZ_CHECK(certificate->domains.count || certificate->settings.csr_file);
    for (size_t i = 0; i < count; i++) {
        char *text AUTO_FREE = config_certificate_format(&certificate->settings, names[i]);
        char *same AUTO_FREE = NULL;

        if (!text)
            continue;
        FUZZ_CHECK(config_certificate_apply(&again, names[i], text, "fuzz", NULL) == ERR_OK);
        same = config_certificate_format(&again, names[i]);
        FUZZ_CHECK(same && strcmp(text, same) == 0);
    }
}

static void check_loaded(const struct config *c)
{
    struct strlist lines AUTO_STRLIST = {NULL, 0};
    size_t defaults = 0;

    FUZZ_CHECK(c->account_count > 0);
    for (size_t i = 0; i < c->account_count; i++) {
        check_account(&c->accounts[i]);
        defaults += c->accounts[i].is_default ? 1 : 0;
    }
    FUZZ_CHECK(defaults <= 1 && (defaults == 1 || c->account_count > 1));
    FUZZ_CHECK(text_ncasecmp(c->endpoint, "http", 4) == 0 && text_ends_with(c->endpoint, "/"));
    FUZZ_CHECK(c->ttl_s >= 1 && c->doh_urls.count > 0 && c->request_timeout_ms >= 1000);
    FUZZ_CHECK(c->acme.directory && c->acme.keep >= 1 && c->certificate_defaults.key_type);
    FUZZ_CHECK(!c->acme.eab_hmac_key || c->acme.eab_kid);
    for (size_t i = 0; i < c->managed_count; i++)
        check_certificate(&c->managed[i]);
    config_explain(c, CONFIG_EXPLAIN_GIVEN, &lines);
    config_explain(c, CONFIG_EXPLAIN_DEFAULTS, &lines);
    for (size_t i = 0; i < lines.count; i++)
        check_line(lines.items[i]);
}

static const char *no_environment(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config_request req = {.file = "c.yaml", .env = no_environment, .home = "/nonexistent"};
    struct config *config AUTO(config_free_auto) = NULL;
    struct strlist problems AUTO_STRLIST = {NULL, 0};
    struct strlist warnings AUTO_STRLIST = {NULL, 0};
    struct err err;
    enum err_code code;

    code = config_load_text(&req, (const char *)data, size, &config, &problems, &warnings, &err);
    for (size_t i = 0; i < warnings.count; i++)
        check_line(warnings.items[i]);
    for (size_t i = 0; i < problems.count; i++)
        check_line(problems.items[i]);
    if (code == ERR_OK) {
        FUZZ_CHECK(problems.count == 0);
        check_loaded(config);
    } else {
        FUZZ_CHECK(!config && err.code == code && problems.count != 1);
        FUZZ_CHECK(code == ERR_CONFIG || code == ERR_UNSAFE || code == ERR_IO);
        check_line(err.msg);
    }
    return 0;
}
