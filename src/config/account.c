/* SPDX-License-Identifier: MIT
 *
 * The accounts: from `credentials` or `accounts` of the file, or from the environment, which replaces both.
 *
 *   --account NAME      that one of the file; the environment's credentials are left out, with a warning
 *   both variables set  one account, "environment"
 *   accounts            all of them; one variable alone is a mistake
 *   credentials         one account, "default"; each half from the environment if it is there, else from the
 * file
 */
#include <stdlib.h>
#include <string.h>

#include "config/credential.h"

#define NAME_ENVIRONMENT "environment"
#define NAME_DEFAULT "default"

/* ------------------------------------------------------------------ accounts */

static struct config_account *add_account(struct config *config, const char *name)
{
    struct config_account *account;

    config->accounts = mem_resize(config->accounts, config->account_count + 1, sizeof *config->accounts);
    account = &config->accounts[config->account_count++];
    *account = (struct config_account){.name = mem_strdup(name)};
    return account;
}

/* Read both halves into an account.  What can't be used is a problem if it is sure to be needed. */
static void fill(struct config_loading *load, struct config_account *account, const struct config_half halves[2])
{
    struct secret **slots[] = {&account->api_key, &account->api_secret};
    char **origins[] = {&account->key_origin, &account->secret_origin};

    for (size_t i = 0; i < 2; i++) {
        struct config_place at = halves[i].at;
        enum config_half_result result = config_half_read(load, &halves[i], slots[i]);

        if (halves[i].file)
            at = (struct config_place){CONFIG_FILE, halves[i].file, 0, 0};
        if (result == CONFIG_HALF_GOOD) {
            *origins[i] = config_half_origin(&halves[i]);
            config_origin_set(load->config, halves[i].path, &at);
            config_origin_show_take(load->config, halves[i].path, config_secret_format(*slots[i]));
        }
        if (result != CONFIG_HALF_ENCRYPTED || account->unusable)
            continue;
        if (account->is_default) {
            config_report_problem(&load->report, &at, "the value of \"%s\" is encrypted, not supported",
                                  halves[i].path);
            config_report_hint(&load->report, "Decrypt it with \"sym\" and put the value itself into a file that only "
                                              "you can read.");
        }
        account->unusable = mem_printf("the credentials of account \"%s\" are encrypted, not supported", account->name);
    }
    if (account->api_key && account->api_secret &&
        strcmp(secret_bytes(account->api_key), secret_bytes(account->api_secret)) == 0)
        config_report_warning(&load->report, &halves[0].at, "API key and secret are the same");
}

/* Report halves that are missing; `of` and `at` say from what. */
static bool want_both(struct config_loading *load, const struct config_half halves[2], const struct config_place *at)
{
    bool good = true;

    for (size_t i = 0; i < 2; i++) {
        if (halves[i].is_given)
            continue;
        config_report_problem(&load->report, at, "\"%s\" is missing", halves[i].path);
        good = false;
    }
    return good;
}

static void add_from_draft(struct config_loading *load, struct config_draft *draft, bool is_default)
{
    struct config_account *account;
    struct config_half halves[2];
    struct config_place at = yaml_tree_place(draft->node, load->config->file);

    account = add_account(load->config, draft->name ? draft->name : NAME_DEFAULT);
    account->is_default = is_default;
    account->zones = draft->zones;
    draft->zones = (struct strlist){NULL, 0};
    if (load->req->need == CONFIG_WITHOUT_CREDENTIALS || (*draft->path && !yaml_tree_get(draft->node, "credentials")))
        return;
    halves[0] = config_half_from_draft(load, draft, CONFIG_HALF_KEY);
    halves[1] = config_half_from_draft(load, draft, CONFIG_HALF_SECRET);
    if (want_both(load, halves, &at))
        fill(load, account, halves);
    config_half_done(&halves[0]);
    config_half_done(&halves[1]);
}

/* ------------------------------------------------------------------ which ones */

static void report_unknown_account(struct config_loading *load)
{
    struct config_place at = {CONFIG_COMMAND_LINE, "--account", 0, 0};
    struct buf AUTO_BUF names = BUF_INIT(400);

    for (size_t i = 0; i < load->draft_count; i++) {
        const char *name = load->has_accounts ? load->drafts[i].name : NAME_DEFAULT;

        if (name)
            buf_printf(&names, "%s\"%s\"", i ? ", " : "", name);
    }
    config_report_problem(&load->report, &at, "there is no account \"%s\"", load->req->account);
    if (names.len && buf_ok(&names))
        config_report_hint(&load->report, "There are: %s.", buf_cstr(&names));
}

static void add_chosen(struct config_loading *load, bool environment_has_some)
{
    for (size_t i = 0; i < load->draft_count; i++) {
        const char *name = load->has_accounts ? load->drafts[i].name : NAME_DEFAULT;

        if (!name || strcmp(name, load->req->account) != 0)
            continue;
        if (environment_has_some)
            config_report_warning(&load->report, NULL,
                                  "the credentials in the environment are not used, as --account is given");
        add_from_draft(load, &load->drafts[i], true);
        return;
    }
    report_unknown_account(load);
}

static void add_from_environment(struct config_loading *load, const struct config_half halves[2])
{
    struct config_account *account = add_account(load->config, NAME_ENVIRONMENT);

    account->is_default = true;
    fill(load, account, halves);
    if (!load->req->account)
        config_note_hidden(load, account, (const bool[]){true, true});
}

/* Nothing at all: say where it was looked for. */
static void report_nothing(struct config_loading *load)
{
    struct config_place at = {CONFIG_FILE, load->config->file, 0, 0};
    struct buf AUTO_BUF places = BUF_INIT(600);

    /* A misspelt "credentials" was reported; that it is missing is no news then. */
    if (load->report.count)
        return;
    if (load->config->file) {
        config_report_problem(&load->report, &at,
                              "there are no credentials in this file, nor in DNSMADEEASY_API_KEY and "
                              "DNSMADEEASY_API_SECRET");
        config_report_hint(&load->report, "Add the line: credentials: {api_key: \"...\", api_secret: \"...\"}");
        return;
    }
    for (size_t i = 0; i < load->looked.count; i++)
        buf_printf(&places, "%s\"%s\"", i ? ", " : "", load->looked.items[i]);
    config_report_problem(&load->report, NULL,
                          "there are no credentials: DNSMADEEASY_API_KEY and DNSMADEEASY_API_SECRET are not set, and "
                          "none of these files exists: %s",
                          buf_cstr(&places));
    config_report_hint(&load->report,
                       "Create %s, %s, with the line: credentials: {api_key: \"...\", api_secret: \"...\"}",
                       load->looked.count ? load->looked.items[0] : "acme-dme.yaml", platform_secret_file_mode());
}

/* A key of the environment and a secret of the file, or the reverse. */
static void warn_of_mixture(struct config_loading *load, struct config_account *account,
                            const struct config_half halves[2])
{
    const bool is_from_env[] = {halves[0].at.kind == CONFIG_ENVIRONMENT, halves[1].at.kind == CONFIG_ENVIRONMENT};

    if (is_from_env[0] == is_from_env[1] || !account->api_key || !account->api_secret)
        return;
    config_report_warning(&load->report, NULL, "API key and secret come from different sources: %s and %s",
                          account->key_origin, account->secret_origin);
    config_note_hidden(load, account, is_from_env);
}

/* One account whose halves come from the environment or from `credentials`, each on its own. */
static void add_merged(struct config_loading *load, struct config_half env[2])
{
    struct config_draft *draft = load->has_credentials ? &load->drafts[0] : NULL;
    struct config_half merged[2];
    struct config_account *account;

    if (!draft && !env[0].is_given && !env[1].is_given) {
        report_nothing(load);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        merged[i] = env[i];
        if (!env[i].is_given && draft) {
            config_half_done(&env[i]);
            merged[i] = config_half_from_draft(load, draft, i == 0 ? CONFIG_HALF_KEY : CONFIG_HALF_SECRET);
        }
        env[i] = (struct config_half){.kind = merged[i].kind};
    }
    account = add_account(load->config, NAME_DEFAULT);
    account->is_default = true;
    if (want_both(load, merged,
                  draft
                      ? &(struct config_place){CONFIG_FILE, load->config->file, draft->node->line, draft->node->column}
                      : NULL)) {
        fill(load, account, merged);
        warn_of_mixture(load, account, merged);
    }
    config_half_done(&merged[0]);
    config_half_done(&merged[1]);
}

static void add_all(struct config_loading *load, const struct config_half env[2])
{
    for (size_t i = 0; i < 2; i++) {
        struct config_place at = {CONFIG_FILE, load->config->file, 0, 0};

        if (env[i].is_given)
            config_report_problem(&load->report, &at,
                                  "the file has \"accounts\", and of the environment's credentials only %s is set",
                                  env[i].path);
    }
    for (size_t i = 0; i < load->draft_count; i++) {
        if (load->drafts[i].node->kind == YAML_TREE_MAP)
            add_from_draft(load, &load->drafts[i], load->drafts[i].is_default);
    }
}

static void choose(struct config_loading *load, struct config_half env[2])
{
    const char *chosen = load->req->account;
    bool both = env[0].is_given && env[1].is_given;

    if (chosen && !(both && strcmp(chosen, NAME_ENVIRONMENT) == 0))
        add_chosen(load, env[0].is_given || env[1].is_given);
    else if (both)
        add_from_environment(load, env);
    else if (load->has_accounts)
        add_all(load, env);
    else if (load->req->need == CONFIG_WITH_CREDENTIALS)
        add_merged(load, env);
    else if (load->has_credentials)
        add_from_draft(load, &load->drafts[0], true);
}

void config_make_accounts(struct config_loading *load)
{
    struct config_half env[2] = {{.kind = CONFIG_HALF_KEY}, {.kind = CONFIG_HALF_SECRET}};

    if (load->has_credentials && load->has_accounts) {
        struct config_place at = {CONFIG_FILE, load->config->file, 0, 0};

        config_report_problem(&load->report, &at, "\"credentials\" and \"accounts\" are both given");
        config_report_hint(&load->report, "Give one of them.");
        return;
    }
    if (load->has_accounts)
        config_check_drafts(load);
    if (load->req->need == CONFIG_WITH_CREDENTIALS) {
        env[0] = config_half_from_environment(load, CONFIG_HALF_KEY);
        env[1] = config_half_from_environment(load, CONFIG_HALF_SECRET);
    }
    choose(load, env);
    config_half_done(&env[0]);
    config_half_done(&env[1]);
}
