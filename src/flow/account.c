/* SPDX-License-Identifier: MIT
 *
 * Key first, then the CA, then the account's URL.  Whatever dies in between, the key is there, and a key that the CA
 * knows is asked for its account (RFC 8555 section 7.3.1).
 */
#include "flow/account.h"

#include <stdlib.h>
#include <string.h>

#define PEM_MAX 16384
#define LOCK_WAIT_MS 60000

void account_done(struct account *account)
{
    account_record_done(&account->record);
    key_free(account->key);
    *account = (struct account){.key = NULL};
}

/* ------------------------------------------------------------------ keys */

static enum err_code format_key(const struct key *key, char **out, struct err *err)
{
    struct buf AUTO_BUF pem = BUF_INIT(PEM_MAX);
    enum err_code code = key_format_pem(key, &pem, err);

    if (code == ERR_OK)
        *out = buf_take(&pem);
    return code;
}

static enum err_code parse_key(const char *pem, struct key **out, struct err *err)
{
    return key_parse_pem(pem, strlen(pem), "the key of the ACME account", out, err);
}

static void wipe_text(char **text)
{
    if (*text)
        secret_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

/* The next key, of which the record has the text, is the account's from now on. */
static void adopt_next(struct account *account, struct key **next_take)
{
    wipe_text(&account->record.key_pem);
    account->record.key_pem = account->record.next_key_pem;
    account->record.next_key_pem = NULL;
    key_free(account->key);
    account->key = *next_take;
    *next_take = NULL;
}

/* ------------------------------------------------------------------ registering */

/* Has the user agreed, or is there nothing to agree to? */
static enum err_code check_terms(const struct acme_meta *meta, const struct account_opts *opts, struct err *err)
{
    if (!meta->terms_of_service || opts->terms_agreed ||
        (opts->agree && opts->agree(opts->ctx, meta->terms_of_service)))
        return ERR_OK;
    (void)err_set(err, ERR_USAGE, "the CA's terms of service have to be agreed to: %s", meta->terms_of_service);
    err_hint(err, "Read them; if you agree, give --agree-tos once, or set \"acme.agree_tos: true\".");
    return ERR_USAGE;
}

static enum err_code check_binding(const struct acme_meta *meta, const struct account_opts *opts, struct err *err)
{
    if (!meta->external_account_required || opts->eab)
        return ERR_OK;
    (void)err_set(err, ERR_USAGE, "the CA wants new accounts to be bound to one that you have with it (EAB)");
    err_hint(err,
             "Get key id and HMAC key from the CA's web site%s%s, and set \"acme.eab.kid\" and "
             "\"acme.eab.hmac_key_file\".",
             meta->website ? ", " : "", meta->website ? meta->website : "");
    return ERR_USAGE;
}

static enum err_code new_key(const struct account_opts *opts, struct account *account, struct err *err)
{
    enum err_code code = key_new(opts->key_type, &account->key, err);

    return code == ERR_OK ? format_key(account->key, &account->record.key_pem, err) : code;
}

/* What the CA said of the account goes to disk. */
static enum err_code settle(struct acme_account *answer, const struct account_opts *opts, struct account *account,
                            struct err *err)
{
    if (answer->status != ACME_ACCOUNT_VALID) {
        (void)err_set(err, ERR_ACME, "the account \"%s\" is %s", answer->url, acme_account_status_name(answer->status));
        err_hint(err, "Run \"acme-dme account deactivate\" to forget it here, then \"acme-dme account register\".");
        return ERR_ACME;
    }
    free(account->record.url);
    account->record.url = answer->url;
    answer->url = NULL;
    strlist_copy(&account->record.contacts, &answer->contacts);
    return account_record_save(opts->store, &account->record, err);
}

static enum err_code ask(struct acme *acme, const struct acme_registration *registration,
                         const struct account_opts *opts, struct account *account, struct err *err)
{
    AUTO(acme_account_done) struct acme_account answer = {0};
    enum err_code code = acme_account_register(acme, registration, &answer, &account->is_new, err);

    if (code == ERR_OK)
        code = settle(&answer, opts, account, err);
    if (code == ERR_OK)
        log_line(opts->log, LOG_INFO, "%s ACME account %s", account->is_new ? "registered" : "using",
                 account->record.url);
    return code;
}

static enum err_code register_account(struct acme *acme, const struct account_opts *opts, struct account *account,
                                      struct err *err)
{
    const struct acme_meta *meta;
    struct acme_registration registration = {.contacts = opts->contacts, .eab = opts->eab};
    enum err_code code = acme_meta(acme, &meta, err);

    if (code == ERR_OK)
        code = check_terms(meta, opts, err);
    if (code == ERR_OK)
        code = check_binding(meta, opts, err);
    if (code == ERR_OK && !account->key)
        code = new_key(opts, account, err);
    if (code != ERR_OK)
        return code;
    if (!account->record.url) {
        account->record.directory = mem_strdup(acme_directory_url(acme));
        account->record.url = mem_strdup("");
        account->record.created_ms = clock_wall_ms(opts->clock);
        code = account_record_save(opts->store, &account->record, err);
    }
    registration.key = account->key;
    registration.terms_agreed = meta->terms_of_service != NULL;
    return code == ERR_OK ? ask(acme, &registration, opts, account, err) : code;
}

/* ------------------------------------------------------------------ what is in the store */

/* A rollover whose answer was lost: the key that the CA knows is the account's. */
static enum err_code finish_rollover(struct acme *acme, const struct account_opts *opts, struct account *account,
                                     struct err *err)
{
    AUTO_KEY struct key *next = NULL;
    AUTO(acme_account_done) struct acme_account answer = {0};
    struct acme_registration registration = {.only_existing = true};
    bool is_new;
    enum err_code code = parse_key(account->record.next_key_pem, &next, err);

    if (code != ERR_OK)
        return code;
    registration.key = next;
    code = acme_account_register(acme, &registration, &answer, &is_new, err);
    if (code == ERR_OK && strcmp(answer.url, account->record.url) == 0) {
        adopt_next(account, &next);
        log_line(opts->log, LOG_INFO, "the account's new key, of a change that was interrupted, is in force");
    } else if (code == ERR_OK || code == ERR_NOT_FOUND) {
        wipe_text(&account->record.next_key_pem);
    } else {
        return code;
    }
    return account_record_save(opts->store, &account->record, err);
}

/* ERR_NOT_FOUND when there is none; a key without an account's URL is success, with an empty URL. */
static enum err_code recall(struct acme *acme, const struct account_opts *opts, struct account *account,
                            struct err *err)
{
    enum err_code code = account_record_load(opts->store, acme_directory_url(acme), &account->record, err);

    if (code == ERR_INPUT && account->record.key_pem) {
        log_line(opts->log, LOG_WARNING, "%s; asking the CA for the account of the key, continuing",
                 err ? err->msg : "");
        code = ERR_OK;
    }
    if (code == ERR_OK)
        code = parse_key(account->record.key_pem, &account->key, err);
    if (code == ERR_OK && account->record.next_key_pem && *account->record.url)
        code = finish_rollover(acme, opts, account, err);
    if (code == ERR_OK && *account->record.url)
        acme_use_account(acme, account->key, account->record.url);
    return code;
}

static enum err_code lookup(struct acme *acme, const struct account_opts *opts, struct account *account,
                            struct err *err)
{
    const struct acme_registration registration = {.key = account->key, .only_existing = true};

    return ask(acme, &registration, opts, account, err);
}

enum err_code account_find(struct acme *acme, const struct account_opts *opts, struct account *out, struct err *err)
{
    AUTO_ACCOUNT struct account account = {.key = NULL};
    struct err why;
    enum err_code code = recall(acme, opts, &account, &why);

    if (code == ERR_OK && !*account.record.url)
        code = lookup(acme, opts, &account, &why);
    if (code == ERR_NOT_FOUND) {
        (void)err_set(&why, ERR_NOT_FOUND, "there is no account with the CA \"%s\" here", acme_directory_url(acme));
        err_hint(&why, "\"acme-dme account register\" makes one, \"acme-dme account import\" takes one over.");
    }
    if (code != ERR_OK) {
        if (err)
            *err = why;
        return code;
    }
    *out = account;
    account = (struct account){.key = NULL};
    return ERR_OK;
}

enum err_code account_want(struct acme *acme, const struct account_opts *opts, struct account *out, struct err *err)
{
    AUTO(platform_lock_free_auto) struct platform_lock *lock = NULL;
    AUTO_ACCOUNT struct account account = {.key = NULL};
    enum err_code code = account_lock(opts->store, acme_directory_url(acme), LOCK_WAIT_MS, &lock, err);

    if (code != ERR_OK)
        return code;
    code = recall(acme, opts, &account, err);
    if (code == ERR_NOT_FOUND || (code == ERR_OK && !*account.record.url))
        code = register_account(acme, opts, &account, err);
    if (code != ERR_OK)
        return code;
    *out = account;
    account = (struct account){.key = NULL};
    return ERR_OK;
}

/* ------------------------------------------------------------------ changes */

enum err_code account_rollover(struct acme *acme, const struct account_opts *opts, struct account *account,
                               struct err *err)
{
    AUTO_KEY struct key *next = NULL;
    enum err_code code = key_new(opts->key_type, &next, err);

    if (code == ERR_OK)
        code = format_key(next, &account->record.next_key_pem, err);
    if (code == ERR_OK)
        code = account_record_save(opts->store, &account->record, err);
    if (code == ERR_OK)
        code = acme_account_rollover(acme, next, err);
    if (code != ERR_OK)
        return code; /* the next call finds out which key is in force */
    adopt_next(account, &next);
    return account_record_save(opts->store, &account->record, err);
}

static enum err_code refuse_second(struct acme *acme, const struct account_opts *opts, const struct key *key,
                                   struct err *err)
{
    AUTO_ACCOUNT struct account here = {.key = NULL};
    struct err why;
    enum err_code code = account_record_load(opts->store, acme_directory_url(acme), &here.record, &why);

    if (code == ERR_OK && parse_key(here.record.key_pem, &here.key, NULL) == ERR_OK && !key_is_same(here.key, key)) {
        (void)err_set(err, ERR_EXISTS, "there is an account with this CA already: %s", here.record.url);
        err_hint(err, "Use that one, or \"acme-dme account deactivate\" it first.");
        return ERR_EXISTS;
    }
    return ERR_OK;
}

enum err_code account_adopt(struct acme *acme, const struct account_opts *opts, const struct key *key,
                            struct account *out, struct err *err)
{
    AUTO(platform_lock_free_auto) struct platform_lock *lock = NULL;
    AUTO_ACCOUNT struct account account = {.key = NULL};
    enum err_code code = account_lock(opts->store, acme_directory_url(acme), LOCK_WAIT_MS, &lock, err);

    if (code == ERR_OK)
        code = refuse_second(acme, opts, key, err);
    if (code != ERR_OK)
        return code;
    account.key = key_dup(key);
    account.record.directory = mem_strdup(acme_directory_url(acme));
    account.record.created_ms = clock_wall_ms(opts->clock);
    code = format_key(key, &account.record.key_pem, err);
    if (code == ERR_OK)
        code = lookup(acme, opts, &account, err);
    if (code != ERR_OK)
        return code;
    *out = account;
    account = (struct account){.key = NULL};
    return ERR_OK;
}
