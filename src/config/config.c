/* SPDX-License-Identifier: MIT
 *
 * The steps of loading, in order.  Later steps run even when earlier ones found mistakes, so that all are
 * told at once.
 */
#include "config/config.h"

#include <stdlib.h>

#include "config/loading.h"
#include "config/yaml.h"

static void account_done(struct config_account *account)
{
    free(account->name);
    free(account->key_origin);
    free(account->secret_origin);
    free(account->hidden_origin);
    free(account->unusable);
    strlist_done(&account->zones);
    secret_free(account->api_key);
    secret_free(account->api_secret);
}

void config_log_done(struct config_log *log)
{
    free(log->file);
    log->file = NULL;
}

static void acme_done(struct config_acme *acme)
{
    free(acme->directory);
    strlist_done(&acme->emails);
    free(acme->ca_file);
    free(acme->account_key_type);
    free(acme->eab_kid);
    free(acme->eab_hmac_key_file);
    secret_free(acme->eab_hmac_key);
}

static void certificate_done(struct config_certificate *certificate)
{
    free(certificate->name);
    strlist_done(&certificate->domains);
    free(certificate->directory);
    config_certificate_settings_done(&certificate->settings);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->account_count; i++)
        account_done(&config->accounts[i]);
    free(config->accounts);
    free(config->file);
    free(config->endpoint);
    free(config->ca_file);
    free(config->state_dir);
    free(config->check_ca);
    free(config->check_account_uri);
    strlist_done(&config->resolvers);
    strlist_done(&config->nameservers);
    strlist_done(&config->doh_urls);
    config_log_done(&config->log);
    strlist_done(&config->certificates);
    free(config->certificate_ca_file);
    acme_done(&config->acme);
    config_certificate_settings_done(&config->certificate_defaults);
    for (size_t i = 0; i < config->managed_count; i++)
        certificate_done(&config->managed[i]);
    free(config->managed);
    free(config->managed_by_name);
    config_origins_free(config->origins);
    free(config);
}

void config_free_auto(struct config **config)
{
    config_free(*config);
    *config = NULL;
}

static void loading_done(struct config_loading *load)
{
    for (size_t i = 0; i < load->draft_count; i++)
        config_draft_done(&load->drafts[i]);
    free(load->drafts);
    yaml_tree_free(load->tree);
    strlist_done(&load->looked);
    config_report_done(&load->report);
    config_free(load->config);
}

/* Everything after the file was found.  Without a tree (wrong syntax) what depends on the file would only be
 * noise. */
static void assemble(struct config_loading *load, const struct platform_file_info *info)
{
    config_set_defaults(load);
    if (load->tree)
        config_walk(load);
    config_set_from_environment(load);
    config_set_from_command_line(load);
    if (load->config->file && !load->tree)
        return;
    config_settle_endpoint(load);
    config_check_ca_file(load);
    config_settle_eab(load);
    config_settle_certificates(load);
    if (load->has_secrets)
        config_check_exposure(load, load->config->file, info);
    else if (load->config->file)
        config_check_writable(load, load->config->file, info);
    config_make_accounts(load);
}

static enum err_code finish(struct config_loading *load, struct config **out, struct strlist *problems, struct err *err)
{
    enum err_code code = config_report_finish(&load->report, load->config->file, problems, err);

    if (code != ERR_OK)
        return code;
    *out = load->config;
    load->config = NULL;
    return ERR_OK;
}

static void loading_init(struct config_loading *load, const struct config_request *req, struct strlist *warnings)
{
    *load = (struct config_loading){.req = req};
    load->report.warnings = warnings;
    load->config = mem_zalloc(sizeof *load->config);
}

enum err_code config_load(const struct config_request *req, struct config **out, struct strlist *problems,
                          struct strlist *warnings, struct err *err)
{
    struct config_loading AUTO(loading_done) load;
    struct buf AUTO_BUF content = BUF_INIT(0);
    struct platform_file_info info = {.exposure = PLATFORM_WORLD_READABLE};

    loading_init(&load, req, warnings);
    if (config_find(&load, &content, &info)) {
        if (load.config->file)
            load.tree = yaml_tree_parse(load.config->file, buf_cstr(&content), content.len, &load.report);
        assemble(&load, &info);
    }
    return finish(&load, out, problems, err);
}

enum err_code config_load_text(const struct config_request *req, const char *text, size_t len, struct config **out,
                               struct strlist *problems, struct strlist *warnings, struct err *err)
{
    const struct platform_file_info info = {.exposure = PLATFORM_PRIVATE, .owner_is_trusted = true};
    struct config_loading AUTO(loading_done) load;

    loading_init(&load, req, warnings);
    load.config->file = mem_strdup(req->file);
    load.tree = yaml_tree_parse(load.config->file, text, len, &load.report);
    assemble(&load, &info);
    return finish(&load, out, problems, err);
}

void config_load_log(const struct config_request *req, struct config_log *out)
{
    struct strlist AUTO_STRLIST warnings = {NULL, 0};
    struct config_loading AUTO(loading_done) load;

    loading_init(&load, req, &warnings);
    config_set_defaults(&load);
    config_set_from_environment(&load);
    config_set_from_command_line(&load);
    *out = load.config->log;
    load.config->log.file = NULL;
}
