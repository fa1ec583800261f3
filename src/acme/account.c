/* SPDX-License-Identifier: MIT
 *
 * Accounts, RFC 8555 section 7.3.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"

#define WHAT "the CA's account object"
#define CONTACTS_MAX 100
#define INNER_MAX (64u * 1024)

static const char *const status_names[] = {
    [ACME_ACCOUNT_VALID] = "valid",
    [ACME_ACCOUNT_DEACTIVATED] = "deactivated",
    [ACME_ACCOUNT_REVOKED] = "revoked",
};

const char *acme_account_status_name(enum acme_account_status status)
{
    return status_names[status];
}

void acme_account_done(struct acme_account *account)
{
    free(account->url);
    strlist_done(&account->contacts);
    *account = (struct acme_account){.url = NULL};
}

char *acme_json_text(const json_t *json)
{
    struct buf text AUTO_BUF = BUF_INIT(2u * 1024 * 1024);

    json_write(json, &text);
    return buf_ok(&text) ? buf_take(&text) : NULL;
}

enum err_code acme_account_read(const json_t *json, struct acme_account *out, struct err *err)
{
    struct strlist contacts AUTO_STRLIST = {.count = 0};
    size_t status = ACME_ACCOUNT_VALID;
    enum err_code code = acme_member_find_strings(json, "contact", CONTACTS_MAX, WHAT, &contacts, err);

    /* Some CAs answer with no more than the URL in the header. */
    if (code == ERR_OK && json_object_get(json, "status"))
        code = acme_member_want_status(json, status_names, ARRAY_LEN(status_names), WHAT, &status, err);
    if (code != ERR_OK)
        return acme_member_error(code, err);
    strlist_done(&out->contacts);
    out->contacts = contacts;
    out->status = (enum acme_account_status)status;
    contacts = (struct strlist){.count = 0};
    return ERR_OK;
}

/* The URL in Location; `fallback` where an answer need not have one. */
static enum err_code take_url(const struct acme *acme, const struct acme_call *call, const char *fallback, char **out,
                              struct err *err)
{
    const char *url = http_response_header(&call->response, "Location");
    enum err_code code;

    if (fallback)
        url = fallback;
    if (url && acme_url_is_valid(url, acme->scheme)) {
        *out = mem_strdup(url);
        return ERR_OK;
    }
    if (url)
        code = err_set(err, ERR_INPUT, "could not %s: the CA's answer has \"%.200s\" as Location, which is no URL",
                       call->what, url);
    else
        code = err_set(err, ERR_INPUT, "could not %s: the CA's answer has no Location, which is the account's URL",
                       call->what);
    return acme_member_error(code, err);
}

static enum err_code take_account(const struct acme *acme, const struct acme_call *call, const char *fallback,
                                  struct acme_account *out, struct err *err)
{
    struct acme_account account AUTO(acme_account_done) = {.url = NULL};
    enum err_code code = take_url(acme, call, fallback, &account.url, err);

    if (code == ERR_OK)
        code = acme_account_read(call->json, &account, err);
    if (code != ERR_OK)
        return code;
    *out = account;
    account = (struct acme_account){.url = NULL};
    return ERR_OK;
}

/* ------------------------------------------------------------------ new */

static enum err_code put_binding(const struct acme_registration *registration, const char *url, json_t *payload,
                                 struct err *err)
{
    struct buf text AUTO_BUF = BUF_INIT(INNER_MAX);
    json_t *json = NULL;
    enum err_code code = acme_jws_format_eab(registration->eab, registration->key, url, &text, err);

    if (code == ERR_OK)
        code = json_parse(buf_cstr(&text), text.len, "the external account binding", &json, err);
    if (code == ERR_OK)
        (void)json_object_set_new(payload, "externalAccountBinding", json);
    return code;
}

static enum err_code registration_payload(const struct acme_registration *registration, const char *url, char **out,
                                          struct err *err)
{
    json_t *payload AUTO_JSON = json_object();
    enum err_code code = ERR_OK;

    if (registration->only_existing) {
        (void)json_object_set_new(payload, "onlyReturnExisting", json_true());
    } else {
        if (registration->contacts && registration->contacts->count)
            (void)json_object_set_new(payload, "contact", json_strings(registration->contacts));
        if (registration->terms_agreed)
            (void)json_object_set_new(payload, "termsOfServiceAgreed", json_true());
        if (registration->eab)
            code = put_binding(registration, url, payload, err);
    }
    if (code == ERR_OK)
        *out = acme_json_text(payload);
    if (code == ERR_OK && !*out)
        code = err_set(err, ERR_INTERNAL, "the account's contacts can't be written");
    return code;
}

/* An existing account of that key.  Errors: ERR_NOT_FOUND. */
static enum err_code as_not_found(const struct acme *acme, const struct acme_call *call, enum err_code code,
                                  struct err *err)
{
    if (code != ERR_ACME || call->result.problem != ACME_PROBLEM_ACCOUNT_DOES_NOT_EXIST)
        return code;
    code = err_set(err, ERR_NOT_FOUND, "the CA at \"%s\" has no account with this key", acme->directory_url);
    err_hint(err, "Register with this CA first, or check that the directory URL is the one that the account was made "
                  "at.");
    return code;
}

/* newAccount without any effect on the session. */
static enum err_code register_with(struct acme *acme, const struct acme_registration *registration,
                                   struct acme_account *out, bool *out_is_new, struct err *err)
{
    struct acme_call call AUTO_ACME_CALL = {.kind = ACME_POST, .expect = ACME_EXPECT_ANY, .key = registration->key};
    enum err_code code = acme_open(acme, err);

    call.what = mem_printf("%s at the CA \"%s\"",
                           registration->only_existing ? "find the account" : "register an account",
                           acme->directory_url);
    if (code == ERR_OK)
        code = acme_resource_want(acme, ACME_NEW_ACCOUNT, &call.url, err);
    if (code == ERR_OK)
        code = registration_payload(registration, call.url, &call.payload, err);
    if (code != ERR_OK)
        return code;
    code = acme_send_one(acme, &call, err);
    if (code == ERR_OK)
        code = take_account(acme, &call, NULL, out, err);
    else if (registration->only_existing)
        code = as_not_found(acme, &call, code, err);
    if (code == ERR_OK)
        *out_is_new = call.response.status == 201;
    return code;
}

enum err_code acme_account_register(struct acme *acme, const struct acme_registration *registration,
                                    struct acme_account *out, bool *out_is_new, struct err *err)
{
    enum err_code code = register_with(acme, registration, out, out_is_new, err);

    if (code != ERR_OK)
        return code;
    acme_use_account(acme, registration->key, out->url);
    log_line(acme->log, LOG_INFO, "account %s %s", out->url, *out_is_new ? "registered" : "found");
    return ERR_OK;
}

/* ------------------------------------------------------------------ existing */

/* POST to the account's URL; NULL payload: as GET. */
static enum err_code post_account(struct acme *acme, const char *what, char *payload_take, struct acme_account *out,
                                  struct err *err)
{
    struct acme_call call AUTO_ACME_CALL = {.kind = ACME_POST,
                                            .expect = ACME_EXPECT_OBJECT,
                                            .url = acme->account_url,
                                            .what = mem_strdup(what),
                                            .payload = payload_take};
    enum err_code code = acme_ready(acme, err);

    if (code == ERR_OK)
        code = acme_send_one(acme, &call, err);
    return code == ERR_OK ? take_account(acme, &call, acme->account_url, out, err) : code;
}

enum err_code acme_account_fetch(struct acme *acme, struct acme_account *out, struct err *err)
{
    return post_account(acme, "look at the account", NULL, out, err);
}

enum err_code acme_account_update(struct acme *acme, const struct strlist *contacts, struct acme_account *out,
                                  struct err *err)
{
    json_t *payload AUTO_JSON = json_object();
    char *text;

    (void)json_object_set_new(payload, "contact", json_strings(contacts));
    text = acme_json_text(payload);
    if (!text)
        return err_set(err, ERR_INTERNAL, "the account's contacts can't be written");
    return post_account(acme, "change the account's contacts", text, out, err);
}

enum err_code acme_account_deactivate(struct acme *acme, struct err *err)
{
    struct acme_account account AUTO(acme_account_done) = {.url = NULL};
    enum err_code code = post_account(acme, "deactivate the account", mem_strdup("{\"status\":\"deactivated\"}"),
                                      &account, err);

    if (code == ERR_OK && account.status == ACME_ACCOUNT_VALID)
        return err_set(err, ERR_ACME, "could not deactivate the account: the CA says that it is valid still");
    return code;
}

/* ------------------------------------------------------------------ rollover */

/* {"account": URL, "oldKey": JWK}, signed by the new key. */
static enum err_code rollover_payload(const struct acme *acme, const struct key *new_key, const char *url, char **out,
                                      struct err *err)
{
    struct buf inner AUTO_BUF = BUF_INIT(INNER_MAX);
    struct buf whole AUTO_BUF = BUF_INIT(INNER_MAX);
    json_t *account AUTO_JSON = json_string(acme->account_url);
    enum err_code code;

    buf_puts(&inner, "{\"account\":");
    json_write(account, &inner);
    buf_puts(&inner, ",\"oldKey\":");
    code = key_jwk(acme->key, &inner, err);
    buf_putc(&inner, '}');
    if (code == ERR_OK && !buf_ok(&inner))
        code = err_set(err, ERR_INTERNAL, "the account's key is too large for a change of keys");
    if (code == ERR_OK)
        code = acme_jws_format(&(struct acme_jws){.key = new_key, .url = url, .payload = buf_cstr(&inner)}, &whole,
                               err);
    if (code == ERR_OK)
        *out = buf_take(&whole);
    return code;
}

/* The CA refused: perhaps since it has the new key already.  `refusal` is what is reported if not. */
static enum err_code look_for_new_key(struct acme *acme, const struct key *new_key, const struct err *refusal,
                                      struct err *err)
{
    struct acme_account account AUTO(acme_account_done) = {.url = NULL};
    struct err ignored;
    bool is_new;
    enum err_code code = register_with(acme, &(struct acme_registration){.key = new_key, .only_existing = true},
                                       &account, &is_new, &ignored);

    if (code == ERR_OK && account.url && acme->account_url && strcmp(account.url, acme->account_url) == 0) {
        log_line(acme->log, LOG_INFO, "the CA has the new key of the account already");
        return ERR_OK;
    }
    if (code == ERR_OK && account.url)
        return err_set(err, ERR_EXISTS, "could not change the account's key: the account \"%s\" has that key",
                       account.url);
    if (err)
        *err = *refusal;
    return refusal->code;
}

enum err_code acme_account_rollover(struct acme *acme, const struct key *new_key, struct err *err)
{
    struct acme_call call AUTO_ACME_CALL = {
        .kind = ACME_POST, .expect = ACME_EXPECT_ANY, .what = mem_strdup("change the account's key")};
    struct err refusal;
    enum err_code code = acme_ready(acme, err);

    if (code == ERR_OK)
        code = acme_resource_want(acme, ACME_KEY_CHANGE, &call.url, err);
    if (code == ERR_OK)
        code = rollover_payload(acme, new_key, call.url, &call.payload, err);
    if (code != ERR_OK)
        return code;
    code = acme_send_one(acme, &call, &refusal);
    if (code == ERR_ACME || (code != ERR_OK && code != ERR_CANCELLED && call.was_lost))
        code = look_for_new_key(acme, new_key, &refusal, err);
    else if (code != ERR_OK && err)
        *err = refusal;
    if (code == ERR_OK)
        acme_use_account(acme, new_key, acme->account_url);
    return code;
}
