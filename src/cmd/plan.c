/* SPDX-License-Identifier: MIT */
#include "cmd/plan.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "flow/install.h"

#define KEY_FILE_MAX 65536
#define CSR_FILE_MAX (1024u * 1024)
#define DIRECTORY "directory"

void plan_done(struct plan *plan)
{
    free(plan->name);
    strlist_done(&plan->domains);
    free(plan->directory);
    config_certificate_settings_done(&plan->settings);
    strlist_done(&plan->kept);
    strlist_done(&plan->overridden);
    certificate_record_done(&plan->record);
    key_free(plan->key);
    csr_done(&plan->csr);
    *plan = (struct plan){.managed = SIZE_MAX};
}

/* ------------------------------------------------------------------ "key=value" */

static const char *kept_value(const struct strlist *kept, const char *setting)
{
    size_t len = strlen(setting);

    for (size_t i = 0; kept && i < kept->count; i++)
        if (strncmp(kept->items[i], setting, len) == 0 && kept->items[i][len] == '=')
            return kept->items[i] + len + 1;
    return NULL;
}

static void keep(struct strlist *kept, const char *setting, const char *value)
{
    strlist_add_take(kept, mem_printf("%s=%s", setting, value));
}

/* ------------------------------------------------------------------ name and domains */

static enum err_code take_domains(const struct strlist *from, struct plan *plan, struct err *err)
{
    enum err_code code = ERR_OK;

    strlist_done(&plan->domains);
    for (size_t i = 0; code == ERR_OK && i < from->count; i++)
        code = issue_names_add(&plan->domains, from->items[i], err);
    return code;
}

/* "example.com" for "*.example.com" */
static char *name_of(const struct strlist *domains)
{
    const char *first = domains->items[0];

    return mem_strdup(strncmp(first, "*.", 2) == 0 ? first + 2 : first);
}

static enum err_code check_name(const struct plan *plan, struct err *err)
{
    if (certificate_name_is_good(plan->name))
        return ERR_OK;
    (void)err_set(err, ERR_USAGE, "\"%s\" can't be the name of a certificate", plan->name);
    err_hint(err, "A name has letters, digits, \"-\", \"_\", \".\" and \"@\"; give one with --name.");
    return ERR_USAGE;
}

static enum err_code load_record(const struct plan_request *request, struct plan *plan, struct err *err)
{
    struct err why;
    enum err_code code = certificate_load(request->app->store, plan->name, &plan->record, &why);

    plan->has_record = code == ERR_OK;
    if (code == ERR_OK || code == ERR_NOT_FOUND)
        return ERR_OK;
    if (err)
        *err = why;
    return code;
}

static enum err_code refuse_nameless(const struct plan *plan, struct err *err)
{
    (void)err_set(err, ERR_USAGE, "no domain is given%s%s%s", plan->name ? " for \"" : "", plan->name ? plan->name : "",
                  plan->name ? "\"" : "");
    err_hint(err, "Give each with -d, or list them under \"certificates:\" in the configuration.");
    return ERR_USAGE;
}

/* Who the certificate is for: of the command line, a CSR, the configuration, an earlier issue. */
static enum err_code find_domains(const struct plan_request *request, struct plan *plan, struct err *err)
{
    const struct config *config = request->app->config;

    if (request->domains->count)
        return take_domains(request->domains, plan, err);
    if (plan->has_csr)
        return take_domains(&plan->csr.names, plan, err);
    if (plan->managed != SIZE_MAX && config->managed[plan->managed].domains.count)
        return take_domains(&config->managed[plan->managed].domains, plan, err);
    if (plan->has_record)
        return take_domains(&plan->record.domains, plan, err);
    return refuse_nameless(plan, err);
}

/* ------------------------------------------------------------------ settings */

static const struct config_certificate_settings *given_settings(const struct plan *plan, const struct config *config)
{
    return plan->managed == SIZE_MAX ? &config->certificate_defaults : &config->managed[plan->managed].settings;
}

static void note_overridden(struct plan *plan, const char *setting, const char *stored, const char *value,
                            const char *where)
{
    if (!value || strcmp(stored, value) != 0)
        strlist_add_take(&plan->overridden,
                         mem_printf("\"%s: %s\", which was given when \"%s\" was issued, is overridden by \"%s\" (%s)",
                                    setting, stored, plan->name, value ? value : "", where));
}

/* A renewal runs elsewhere: what is a path on the command line is stored as one that means the same there. */
static char *to_be_kept(const char *setting, const char *value)
{
    static const char *const paths[] = {"csr", "key", "pfx_password_file"};

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (strcmp(setting, paths[i]) == 0)
            return platform_path_absolute(value);
    return mem_strdup(value);
}

/* A setting that was given when the certificate was first asked for, or may be on the command line now.  What nobody
 * gave there has been taken from the configuration already. */
static enum err_code take_setting(const struct plan_request *request, struct plan *plan, const char *setting,
                                  const char *stored, const char *imported, struct err *err)
{
    const struct config *config = request->app->config;
    AUTO_FREE char *value = config_certificate_format(given_settings(plan, config), setting);
    enum config_source_kind kind = CONFIG_DEFAULT;
    const char *where = "default";
    bool is_given = config_certificate_setting(config, plan->managed, setting, &kind, &where);
    const char *holds = is_given ? value : stored ? stored : imported ? imported : value;
    AUTO_FREE char *what = mem_printf("the setting \"%s\" of \"%s\"", setting, plan->name);

    if (is_given && stored && kind != CONFIG_COMMAND_LINE)
        note_overridden(plan, setting, stored, value, where);
    if (is_given && kind == CONFIG_COMMAND_LINE && value) {
        AUTO_FREE char *lasting = to_be_kept(setting, value);

        keep(&plan->kept, setting, lasting);
    }
    if (!(is_given && kind == CONFIG_COMMAND_LINE) && (stored || imported))
        keep(&plan->kept, setting, stored ? stored : imported);
    return holds ? config_certificate_apply(&plan->settings, setting, holds, what, err) : ERR_OK;
}

static enum err_code take_settings(const struct plan_request *request, struct plan *plan, struct err *err)
{
    const struct config *config = request->app->config;
    size_t count;
    const char *const *names = config_certificate_setting_names(&count);
    enum err_code code = ERR_OK;

    config_certificate_settings_copy(&plan->settings, given_settings(plan, config));
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        const char *stored = plan->has_record ? kept_value(&plan->record.settings, names[i]) : NULL;
        const char *imported = kept_value(request->imported, names[i]);

        if (stored || imported || config->has_certificate_options)
            code = take_setting(request, plan, names[i], stored, imported, err);
    }
    return code;
}

/* The CA: command line, configuration, what was stored; --staging and dry runs change it. */
static enum err_code take_directory(const struct plan_request *request, struct plan *plan, struct err *err)
{
    const struct config *config = request->app->config;
    const char *stored = plan->has_record ? kept_value(&plan->record.settings, DIRECTORY) : NULL;
    enum config_source_kind kind = config_source(config, "acme.directory");
    bool is_of_item = plan->managed != SIZE_MAX && config->managed[plan->managed].directory;
    const char *configured = is_of_item ? config->managed[plan->managed].directory : config->acme.directory;
    bool is_given = is_of_item || kind != CONFIG_DEFAULT;
    const char *directory = configured;
    enum err_code code;

    if (!is_given && stored)
        configured = stored;
    else if (!is_given && request->imported_directory)
        configured = request->imported_directory;
    code = client_directory(request->app, request->opts, configured, &directory, err);
    if (code != ERR_OK)
        return code;
    plan->directory = mem_strdup(directory);
    if (kind == CONFIG_COMMAND_LINE || request->opts->staging)
        keep(&plan->kept, DIRECTORY, directory);
    else if (stored || (!is_given && request->imported_directory))
        keep(&plan->kept, DIRECTORY, stored ? stored : request->imported_directory);
    if (stored && is_given && kind != CONFIG_COMMAND_LINE && !request->opts->staging)
        note_overridden(plan, DIRECTORY, stored, directory, config_where(config, "acme.directory"));
    return ERR_OK;
}

char *plan_where(const struct plan *plan, const struct config *config, const char *setting)
{
    enum config_source_kind kind;
    const char *where;

    if (config_certificate_setting(config, plan->managed, setting, &kind, &where))
        return mem_strdup(where);
    if (plan->has_record && kept_value(&plan->record.settings, setting))
        return mem_strdup("command line of issue");
    return mem_strdup("default");
}

/* ------------------------------------------------------------------ keys and CSR */

static enum err_code read_key_file(const char *path, struct key **out, struct err *err)
{
    struct buf AUTO_BUF pem = BUF_INIT(KEY_FILE_MAX);
    struct platform_file_info info;
    enum err_code code = platform_file_read(path, &pem, &info, err);

    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? err_set(err, ERR_CONFIG, "there is no key file \"%s\"", path) : code;
    if (info.exposure == PLATFORM_WORLD_READABLE) {
        char AUTO_FREE *mode = platform_advice_mode(info.mode);
        char AUTO_FREE *command = platform_advice_private(path);

        (void)err_set(err, ERR_UNSAFE, "the key file \"%s\" can be read by everybody%s", path, mode);
        err_hint(err, "Make a new key: this one may be known.  Then: %s", command);
        return ERR_UNSAFE;
    }
    return key_parse_pem(buf_cstr(&pem), pem.len, path, out, err);
}

static enum err_code read_csr(struct plan *plan, const char *path, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CSR_FILE_MAX);
    enum err_code code = platform_file_read(path, &text, NULL, err);

    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_CONFIG, "there is no CSR \"%s\"", path);
    if (code == ERR_OK)
        code = csr_parse(buf_cstr(&text), text.len, path, &plan->csr, err);
    plan->has_csr = code == ERR_OK;
    return code;
}

/* The CSR that will hold, looked up before the rest as the names may come from it. */
static enum err_code find_csr(const struct plan_request *request, struct plan *plan, struct err *err)
{
    const struct config_certificate_settings *given = given_settings(plan, request->app->config);
    const char *stored = plan->has_record ? kept_value(&plan->record.settings, "csr") : NULL;
    const char *path = given->csr_file ? given->csr_file : stored;

    return path ? read_csr(plan, path, err) : ERR_OK;
}

static enum err_code check_csr(const struct plan *plan, struct err *err)
{
    if (!plan->has_csr)
        return ERR_OK;
    if (plan->settings.key_file)
        return err_set(err, ERR_USAGE, "a CSR has its key already: \"csr\" and \"key\" exclude each other");
    if (strlist_is_same_set(&plan->csr.names, &plan->domains))
        return ERR_OK;
    (void)err_set(err, ERR_INPUT, "the CSR \"%s\" is not for the names that are asked for", plan->settings.csr_file);
    err_hint(err, "Leave out the domains: they are taken from the CSR; or make a CSR for just these names.");
    return ERR_INPUT;
}

enum err_code plan_load_keys(struct plan *plan, struct store *store, struct err *err)
{
    struct buf AUTO_BUF pem = BUF_INIT(KEY_FILE_MAX);
    enum err_code code;

    key_free(plan->key);
    plan->key = NULL;
    if (plan->has_csr)
        return ERR_OK;
    if (plan->settings.key_file)
        return read_key_file(plan->settings.key_file, &plan->key, err);
    if (!plan->settings.reuse_key || !plan->record.generation)
        return ERR_OK;
    code = certificate_read(store, plan->name, INSTALL_KEY, &pem, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    return code == ERR_OK ? key_parse_pem(buf_cstr(&pem), pem.len, INSTALL_KEY, &plan->key, err) : code;
}

/* ------------------------------------------------------------------ whole */

static enum err_code settle(struct plan *plan, struct err *err)
{
    static const enum acme_challenge_type challenges[] = {
        [CONFIG_DNS_01] = ACME_DNS_01,
        [CONFIG_DNS_ACCOUNT_01] = ACME_DNS_ACCOUNT_01,
        [CONFIG_DNS_PERSIST_01] = ACME_DNS_PERSIST_01,
    };

    plan->challenge = challenges[plan->settings.challenge];
    if (!key_type_parse(plan->settings.key_type, &plan->key_type))
        return err_set(err, ERR_CONFIG, "\"%s\" is no type of key", plan->settings.key_type);
    return ERR_OK;
}

static enum err_code fill(const struct plan_request *request, struct plan *plan, struct err *err)
{
    enum err_code code = find_csr(request, plan, err);

    if (code == ERR_OK)
        code = find_domains(request, plan, err);
    if (code == ERR_OK && !plan->name) {
        plan->name = name_of(&plan->domains);
        plan->managed = config_certificate_find(request->app->config, plan->name);
        code = load_record(request, plan, err);
    }
    if (code == ERR_OK)
        code = check_name(plan, err);
    if (code == ERR_OK)
        code = take_settings(request, plan, err);
    if (code == ERR_OK)
        code = take_directory(request, plan, err);
    if (code == ERR_OK)
        code = check_csr(plan, err);
    return code == ERR_OK ? settle(plan, err) : code;
}

/* What is known under a name that is given. */
static enum err_code begin(const struct plan_request *request, struct plan *plan, struct err *err)
{
    enum err_code code;

    if (!request->name)
        return ERR_OK;
    plan->name = mem_strdup(request->name);
    plan->managed = config_certificate_find(request->app->config, plan->name);
    code = check_name(plan, err);
    return code == ERR_OK ? load_record(request, plan, err) : code;
}

static enum err_code finish(const struct plan_request *request, struct plan *plan, struct plan *out, struct err *err)
{
    enum err_code code = fill(request, plan, err);

    if (code != ERR_OK)
        return code;
    *out = *plan;
    *plan = (struct plan){.managed = SIZE_MAX};
    return ERR_OK;
}

enum err_code plan_make(const struct plan_request *request, struct plan *out, struct err *err)
{
    AUTO(plan_done) struct plan plan = {.managed = SIZE_MAX};
    enum err_code code = begin(request, &plan, err);

    return code == ERR_OK ? finish(request, &plan, out, err) : code;
}

static enum err_code refuse_unknown(const char *name, struct err *err)
{
    (void)err_set(err, ERR_NOT_FOUND, "there is no certificate \"%s\"", name);
    err_hint(err, "\"acme-dme list\" shows those there are.");
    return ERR_NOT_FOUND;
}

enum err_code plan_make_named(struct app *app, const struct opts *opts, const char *name, struct plan *out,
                              struct err *err)
{
    static const struct strlist none = {NULL, 0};
    const struct plan_request request = {.app = app, .name = name, .domains = &none, .opts = opts};
    AUTO(plan_done) struct plan plan = {.managed = SIZE_MAX};
    enum err_code code = begin(&request, &plan, err);

    if (code == ERR_OK && plan.managed == SIZE_MAX && !plan.has_record)
        code = refuse_unknown(name, err);
    return code == ERR_OK ? finish(&request, &plan, out, err) : code;
}

const char *plan_predecessor(const struct plan *plan)
{
    const struct certificate_record *record = &plan->record;
    bool is_there = plan->has_record && record->generation && !record->revoked_ms && record->ari_id && *record->ari_id;

    return is_there && strcmp(record->directory, plan->directory) == 0 ? record->ari_id : NULL;
}

struct renewal_rule plan_rule(const struct plan *plan, const struct config *config)
{
    const struct config_share *share = &plan->settings.renew_before;
    enum config_source_kind kind;
    const char *where;

    return (struct renewal_rule){
        .numerator = share->numerator,
        .denominator = share->denominator,
        .ms = share->ms,
        .is_given = config_certificate_setting(config, plan->managed, "renew_before", &kind, &where) ||
                    kept_value(&plan->kept, "renew_before"),
        .ignore_window = !config->acme.ari,
    };
}
