/* SPDX-License-Identifier: MIT
 *
 * acme-dme account: register, show, update, rollover, deactivate, import.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/workspace.h"
#include "import/import.h"
#include "json/json.h"
#include "util/text.h"

#define DOCUMENT_MAX 65536

struct call {
    const struct opts *opts;
    struct import_account from; /* of "import" */
};

static void call_done(struct call *call)
{
    import_account_done(&call->from);
}

/* ------------------------------------------------------------------ output */

static enum err_code print_json(const struct client *client, const char *status, struct err *err)
{
    AUTO_JSON json_t *document = json_object();

    (void)json_object_set_new(document, "directory", json_string(acme_directory_url(client->acme)));
    (void)json_object_set_new(document, "url", json_string(client->account.record.url));
    (void)json_object_set_new(document, "status", json_string(status));
    (void)json_object_set_new(document, "contacts", json_strings(&client->account.record.contacts));
    (void)json_object_set_new(document, "key_type", json_string(key_type_name(key_type_of(client->account.key))));
    return cmd_print_document(document, DOCUMENT_MAX, err);
}

static enum err_code print_account(const struct client *client, const struct call *call, const char *status,
                                   struct err *err)
{
    const struct account *account = &client->account;
    AUTO_FREE char *key = key_describe(account->key);

    if (call->opts->json)
        return print_json(client, status, err);
    if (call->opts->quiet)
        return ERR_OK;
    (void)printf("%s\n  CA:      %s\n  status:  %s\n  key:     %s\n", account->record.url,
                 acme_directory_url(client->acme), status, key);
    for (size_t i = 0; i < account->record.contacts.count; i++)
        (void)printf("  contact: %s\n", account->record.contacts.items[i]);
    return ERR_OK;
}

/* ------------------------------------------------------------------ actions */

static enum err_code run_register(struct client *client, const struct call *call, struct err *err)
{
    enum err_code code = client_want_account(client, err);

    if (code == ERR_OK && !client->account.is_new)
        log_line(client->app->log, LOG_INFO, "there was an account already");
    return code == ERR_OK ? print_account(client, call, "valid", err) : code;
}

static enum err_code run_show(struct client *client, const struct call *call, struct err *err)
{
    AUTO(acme_account_done) struct acme_account answer = {0};
    enum err_code code = client_find_account(client, err);

    if (code == ERR_OK)
        code = acme_account_fetch(client->acme, &answer, err);
    return code == ERR_OK ? print_account(client, call, acme_account_status_name(answer.status), err) : code;
}

static enum err_code run_update(struct client *client, const struct call *call, struct err *err)
{
    AUTO(acme_account_done) struct acme_account answer = {0};
    enum err_code code = client_find_account(client, err);

    if (code == ERR_OK && !client->contacts.count) {
        code = err_set(err, ERR_USAGE, "no address is given");
        err_hint(err, "Give it with --email, or set \"acme.email\".");
    }
    if (code == ERR_OK)
        code = acme_account_update(client->acme, &client->contacts, &answer, err);
    if (code != ERR_OK)
        return code;
    strlist_done(&client->account.record.contacts);
    client->account.record.contacts = answer.contacts;
    answer.contacts = (struct strlist){NULL, 0};
    code = account_record_save(client->store, &client->account.record, err);
    return code == ERR_OK ? print_account(client, call, "valid", err) : code;
}

static enum err_code run_rollover(struct client *client, const struct call *call, struct err *err)
{
    enum err_code code = client_find_account(client, err);

    if (code == ERR_OK)
        code = account_rollover(client->acme, &client->account_opts, &client->account, err);
    return code == ERR_OK ? print_account(client, call, "valid", err) : code;
}

/* One that the CA does not know, or has deactivated already, is retired here all the same. */
static enum err_code run_deactivate(struct client *client, const struct call *call, struct err *err)
{
    struct err why;
    enum err_code code = client_find_account(client, &why);

    if (code == ERR_OK)
        code = acme_account_deactivate(client->acme, &why);
    if (code == ERR_ACME && account_record_retire(client->store, acme_directory_url(client->acme), NULL) == ERR_OK) {
        log_line(client->app->log, LOG_WARNING, "%s; the account is forgotten here, continuing", why.msg);
        return ERR_OK;
    }
    if (code != ERR_OK) {
        *err = why;
        return code;
    }
    code = account_record_retire(client->store, acme_directory_url(client->acme), err);
    return code == ERR_OK ? print_account(client, call, "deactivated", err) : code;
}

static enum err_code run_import(struct client *client, const struct call *call, struct err *err)
{
    const struct import_account *from = &call->from;
    const char *directory = acme_directory_url(client->acme);
    enum err_code code;

    if (from->directory && strcmp(from->directory, directory) != 0) {
        (void)err_set(err, ERR_USAGE, "the account in \"%s\" is with the CA \"%s\", not \"%s\"", call->opts->words[1],
                      from->directory, directory);
        err_hint(err, "Say --directory %s.", from->directory);
        return ERR_USAGE;
    }
    code = account_adopt(client->acme, &client->account_opts, from->key, &client->account, err);
    return code == ERR_OK ? print_account(client, call, "valid", err) : code;
}

/* ------------------------------------------------------------------ dispatch */

static const struct action {
    const char *name;
    size_t words; /* with its own */
    enum err_code (*run)(struct client *client, const struct call *call, struct err *err);
} actions[] = {
    {"register", 1, run_register},     {"show", 1, run_show},
    {"update", 1, run_update},         {"rollover", 1, run_rollover},
    {"deactivate", 1, run_deactivate}, {"import", 2, run_import},
};

static enum err_code find_action(const struct opts *opts, const struct action **out, struct err *err)
{
    const char *names[ARRAY_LEN(actions)];
    const char *word = opts->word_count ? opts->words[0] : "";
    const char *nearest;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        names[i] = actions[i].name;
        if (strcmp(word, actions[i].name) == 0 && opts->word_count == actions[i].words) {
            *out = &actions[i];
            return ERR_OK;
        }
    }
    nearest = text_nearest(word, names, ARRAY_LEN(names));
    (void)err_set(err, ERR_USAGE,
                  "\"account\" needs one of: register, show, update, rollover, deactivate, import WHERE");
    if (nearest && strcmp(nearest, "import") == 0 && opts->word_count == 1)
        err_hint(err, "Say from where, e.g. \"acme-dme account import certbot:/etc/letsencrypt\".");
    else if (nearest && strcmp(nearest, word) != 0)
        err_hint(err, "Did you mean \"acme-dme account %s\"?", nearest);
    return ERR_USAGE;
}

/* The CA: an account that is taken over says itself where it is. */
static enum err_code find_directory(const struct workspace *space, const struct call *call, const char **out,
                                    struct err *err)
{
    const struct config *config = space->app.config;
    bool is_given = config_source(config, "acme.directory") != CONFIG_DEFAULT;
    const char *configured = call->from.directory && !is_given ? call->from.directory : config->acme.directory;

    return client_directory(&space->app, call->opts, configured, out, err);
}

enum err_code cmd_account(const struct opts *opts, struct err *err)
{
    AUTO_WORKSPACE struct workspace space = {.client_count = 0};
    AUTO(call_done) struct call call = {.opts = opts};
    const struct action *action;
    const char *directory;
    struct client *client;
    enum err_code code = find_action(opts, &action, err);

    if (code == ERR_OK && action->words == 2)
        code = import_account(opts->words[1], &call.from, err);
    if (code == ERR_OK)
        code = workspace_open(&space, opts, CONFIG_WITHOUT_CREDENTIALS, err);
    if (code == ERR_OK)
        code = find_directory(&space, &call, &directory, err);
    if (code == ERR_OK)
        code = workspace_client(&space, directory, &client, err);
    return code == ERR_OK ? action->run(client, &call, err) : code;
}
