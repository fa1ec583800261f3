/* SPDX-License-Identifier: MIT */
#include "cmd/client.h"

#include <stdlib.h>
#include <string.h>

#include "config/ca.h"
#include "crypto/b64url.h"
#include "platform/platform.h"

#define HMAC_KEY_MAX 1024

/* ------------------------------------------------------------------ directories */

static const char *staging_of(const char *directory)
{
    static const char *const pairs[][2] = {
        {"letsencrypt", "letsencrypt-staging"}, {"google", "google-test"}, {"buypass", "buypass-test"}};
    const char *name = config_ca_name(directory);

    for (size_t i = 0; name && i < ARRAY_LEN(pairs); i++)
        if (strcmp(name, pairs[i][0]) == 0 || strcmp(name, pairs[i][1]) == 0)
            return config_ca_url(pairs[i][1]);
    return NULL;
}

enum err_code client_directory(const struct app *app, const struct opts *opts, const char *configured, const char **out,
                               struct err *err)
{
    bool is_on_command_line = config_source(app->config, "acme.directory") == CONFIG_COMMAND_LINE;
    const char *directory = is_on_command_line ? app->config->acme.directory : configured;
    const char *staging;

    if (!opts->staging && (!opts->dry_run || is_on_command_line)) {
        *out = directory;
        return ERR_OK;
    }
    staging = staging_of(directory);
    if (!staging) {
        (void)err_set(err, ERR_USAGE, "no staging directory is known for the CA \"%s\"", directory);
        err_hint(err, "Name it with --directory URL.");
        return ERR_USAGE;
    }
    *out = staging;
    return ERR_OK;
}

/* ------------------------------------------------------------------ the account's options */

static bool ask_terms(UNUSED void *ctx, const char *terms_of_service)
{
    AUTO_FREE char *question = mem_printf("The CA's terms of service: %s\nDo you agree to them? [y/N] ",
                                          terms_of_service);

    return platform_ask(question);
}

static enum err_code read_eab(struct client *client, struct err *err)
{
    const struct config_acme *config = &client->app->config->acme;
    struct buf AUTO_BUF key = BUF_INIT(HMAC_KEY_MAX);

    if (!config->eab_kid || !config->eab_hmac_key)
        return ERR_OK;
    if (!b64url_decode(secret_bytes(config->eab_hmac_key), secret_len(config->eab_hmac_key), &key) || !key.len)
        return err_set(err, ERR_CONFIG, "\"acme.eab.hmac_key\" is not base64url text");
    client->eab_hmac_key = secret_new(key.data, key.len);
    client->eab = (struct acme_eab){.kid = config->eab_kid,
                                    .hmac_key = client->eab_hmac_key,
                                    .hmac = config->eab_alg == CONFIG_HS512   ? DIGEST_HMAC_SHA512
                                            : config->eab_alg == CONFIG_HS384 ? DIGEST_HMAC_SHA384
                                                                              : DIGEST_HMAC_SHA256};
    return ERR_OK;
}

static enum err_code make_account_opts(struct client *client, struct err *err)
{
    struct app *app = client->app;
    const struct config_acme *config = &app->config->acme;
    enum key_type type;

    if (!key_type_parse(config->account_key_type, &type))
        return err_set(err, ERR_CONFIG, "\"acme.account_key_type\" is no type of key: \"%s\"",
                       config->account_key_type);
    for (size_t i = 0; i < config->emails.count; i++)
        strlist_add_take(&client->contacts, mem_printf("mailto:%s", config->emails.items[i]));
    client->account_opts = (struct account_opts){
        .store = client->store,
        .clock = app->clock,
        .log = app->log,
        .contacts = &client->contacts,
        .key_type = type,
        .eab = client->eab.kid ? &client->eab : NULL,
        .terms_agreed = config->agree_tos,
        .agree = platform_can_ask() ? ask_terms : NULL,
    };
    return ERR_OK;
}

/* ------------------------------------------------------------------ session */

enum err_code client_open(struct client *client, struct app *app, struct store *store, const char *directory,
                          struct err *err)
{
    const struct config_acme *config = &app->config->acme;
    enum err_code code;

    *client = (struct client){.app = app, .store = store};
    code = read_eab(client, err);
    if (code == ERR_OK)
        code = make_account_opts(client, err);
    if (code == ERR_OK)
        code = app_open_ca(app, err);
    if (code != ERR_OK)
        return code;
    client->acme = acme_new(&(struct acme_opts){
        .directory = directory,
        .http = app->ca_http,
        .clock = app->clock,
        .log = app->log,
        .request_timeout_ms = config->request_timeout_ms,
        .give_up_after_ms = config->give_up_after_ms,
        .requests_per_s = config_ca_requests_per_s(directory),
    });
    return ERR_OK;
}

void client_close(struct client *client)
{
    acme_free(client->acme);
    account_done(&client->account);
    strlist_done(&client->contacts);
    secret_free(client->eab_hmac_key);
    *client = (struct client){.app = NULL};
}

enum err_code client_want_account(struct client *client, struct err *err)
{
    return account_want(client->acme, &client->account_opts, &client->account, err);
}

enum err_code client_find_account(struct client *client, struct err *err)
{
    return account_find(client->acme, &client->account_opts, &client->account, err);
}
