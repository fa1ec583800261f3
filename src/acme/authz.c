/* SPDX-License-Identifier: MIT
 *
 * Authorizations and their challenges, RFC 8555 section 7.5; the dns-account-01 and dns-persist-01 challenges are those
 * of the drafts that acme.h names.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "util/text.h"

#define WHAT "the CA's authorization object"
#define WHAT_CHALLENGE "a challenge in " WHAT
#define CHALLENGES_MAX 100
#define OFFERED_SHOWN 20
#define TOKEN_MAX 512
#define ISSUERS_MAX 10 /* draft-ietf-acme-dns-persist section 3 */

static const char *const status_names[] = {
    [ACME_AUTHZ_PENDING] = "pending",         [ACME_AUTHZ_VALID] = "valid",     [ACME_AUTHZ_INVALID] = "invalid",
    [ACME_AUTHZ_DEACTIVATED] = "deactivated", [ACME_AUTHZ_EXPIRED] = "expired", [ACME_AUTHZ_REVOKED] = "revoked",
};

static const char *const challenge_status_names[] = {
    [ACME_CHALLENGE_PENDING] = "pending",
    [ACME_CHALLENGE_PROCESSING] = "processing",
    [ACME_CHALLENGE_VALID] = "valid",
    [ACME_CHALLENGE_INVALID] = "invalid",
};

const char *acme_challenge_type_name(enum acme_challenge_type type)
{
    static const char *const names[] = {
        [ACME_DNS_01] = "dns-01", [ACME_DNS_ACCOUNT_01] = "dns-account-01", [ACME_DNS_PERSIST_01] = "dns-persist-01"};

    return names[type];
}

void acme_challenge_done(struct acme_challenge *challenge)
{
    free(challenge->url);
    free(challenge->token);
    strlist_done(&challenge->issuer_domains);
    *challenge = (struct acme_challenge){.url = NULL};
}

/* All but its URL and result. */
static void members_done(struct acme_authz *authz)
{
    free(authz->domain);
    acme_challenge_done(&authz->challenge);
    strlist_done(&authz->offered);
}

void acme_authz_done(struct acme_authz *authz)
{
    free(authz->url);
    members_done(authz);
    *authz = (struct acme_authz){.url = NULL};
}

/* ------------------------------------------------------------------ reading a challenge */

enum err_code acme_challenge_read_status(const json_t *json, enum acme_challenge_status *out, struct err *err)
{
    size_t status = 0;
    enum err_code code = acme_member_want_status(json, challenge_status_names, ARRAY_LEN(challenge_status_names),
                                                 WHAT_CHALLENGE, &status, err);

    if (code == ERR_OK)
        *out = (enum acme_challenge_status)status;
    return code;
}

/* RFC 8555 section 8.3: base64url characters alone.  It goes into a digest, and must not go anywhere else. */
static bool is_token(const char *token)
{
    size_t len = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    return len > 0 && len <= TOKEN_MAX && token[len] == '\0';
}

static enum err_code read_token(const json_t *json, struct acme_challenge *out, struct err *err)
{
    const char *token;
    enum err_code code = json_want_string(json, "token", WHAT_CHALLENGE, &token, err);

    if (code != ERR_OK)
        return code;
    if (!is_token(token))
        return err_set(err, ERR_INPUT, "%s has a token that is none", WHAT_CHALLENGE);
    out->token = mem_strdup(token);
    return ERR_OK;
}

/* A-labels in lower case without a dot at the end: it becomes the beginning of a record's value. */
static bool is_issuer(const char *domain)
{
    size_t len = strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.");

    return len > 0 && len <= 253 && domain[len] == '\0' && domain[0] != '.' && domain[len - 1] != '.' &&
           !strstr(domain, "..");
}

static enum err_code read_issuers(const json_t *json, struct acme_challenge *out, struct err *err)
{
    enum err_code code = acme_member_find_strings(json, "issuer-domain-names", ISSUERS_MAX, WHAT_CHALLENGE,
                                                  &out->issuer_domains, err);

    if (code == ERR_OK && out->issuer_domains.count == 0)
        code = err_set(err, ERR_INPUT, "%s has no \"issuer-domain-names\"", WHAT_CHALLENGE);
    for (size_t i = 0; code == ERR_OK && i < out->issuer_domains.count; i++)
        if (!is_issuer(out->issuer_domains.items[i]))
            code = err_set(err, ERR_INPUT, "%s has \"%s\" among its \"issuer-domain-names\", which is no domain",
                           WHAT_CHALLENGE, out->issuer_domains.items[i]);
    return code;
}

enum err_code acme_challenge_read(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                                  struct acme_challenge *out, struct err *err)
{
    struct acme_challenge AUTO(acme_challenge_done) challenge = {.url = NULL};
    enum err_code code = acme_member_want_url(json, "url", scheme, WHAT_CHALLENGE, &challenge.url, err);

    if (code == ERR_OK)
        code = acme_challenge_read_status(json, &challenge.status, err);
    if (code == ERR_OK)
        code = type == ACME_DNS_PERSIST_01 ? read_issuers(json, &challenge, err) : read_token(json, &challenge, err);
    if (code != ERR_OK)
        return code;
    *out = challenge;
    challenge = (struct acme_challenge){.url = NULL};
    return ERR_OK;
}

/* ------------------------------------------------------------------ reading an authorization */

static enum err_code read_challenges(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                                     struct acme_authz *out, const json_t **out_error, struct err *err)
{
    const json_t *array, *item;
    size_t i;
    enum err_code code = json_want_array(json, "challenges", WHAT, &array, err);

    if (code == ERR_OK && json_array_size(array) > CHALLENGES_MAX)
        code = err_set(err, ERR_INPUT, "%s has %zu challenges", WHAT, json_array_size(array));
    if (code != ERR_OK)
        return code;
    json_array_foreach(array, i, item)
    {
        const json_t *error = json_object_get(item, "error");
        const char *name;

        code = json_want_object(item, WHAT_CHALLENGE, err);
        if (code == ERR_OK)
            code = json_want_string(item, "type", WHAT_CHALLENGE, &name, err);
        if (code == ERR_OK && out->offered.count < OFFERED_SHOWN)
            strlist_add(&out->offered, name);
        if (code == ERR_OK && !*out_error && json_is_object(error))
            *out_error = error;
        if (code == ERR_OK && !out->has_challenge && strcmp(name, acme_challenge_type_name(type)) == 0) {
            code = acme_challenge_read(item, scheme, type, &out->challenge, err);
            out->has_challenge = code == ERR_OK;
        }
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code read_members(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                                  struct acme_authz *out, const json_t **out_error, struct err *err)
{
    size_t status = 0;
    enum err_code code = acme_member_want_status(json, status_names, ARRAY_LEN(status_names), WHAT, &status, err);

    out->status = (enum acme_authz_status)status;
    if (code == ERR_OK)
        code = acme_member_identifier(json_object_get(json, "identifier"), ACME_STAR_REFUSED, "the identifier in " WHAT,
                                      &out->domain, err);
    if (code == ERR_OK)
        code = acme_member_find_bool(json, "wildcard", WHAT, &out->is_wildcard, err);
    if (code == ERR_OK)
        code = acme_member_find_time(json, "expires", WHAT, &out->expires_s, err);
    return code == ERR_OK ? read_challenges(json, scheme, type, out, out_error, err) : code;
}

enum err_code acme_authz_read(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                              struct acme_authz *out, const json_t **out_error, struct err *err)
{
    struct acme_authz AUTO(acme_authz_done) authz = {.url = NULL};
    const json_t *error = NULL;
    enum err_code code = json_want_object(json, WHAT, err);

    if (code == ERR_OK)
        code = read_members(json, scheme, type, &authz, &error, err);
    if (code != ERR_OK)
        return acme_member_error(code, err);
    members_done(out);
    authz.url = out->url;
    authz.result = out->result;
    *out = authz;
    authz = (struct acme_authz){.url = NULL};
    *out_error = error;
    return ERR_OK;
}

/* ------------------------------------------------------------------ fetching */

static void take(struct acme *acme, const struct acme_call *call, enum acme_challenge_type type,
                 struct acme_authz *authz)
{
    const json_t *error = NULL;
    struct err err;
    enum err_code code = call->result.code;

    authz->result = call->result;
    if (code != ERR_OK)
        return;
    code = acme_authz_read(call->json, acme->scheme, type, authz, &error, &err);
    if (code != ERR_OK) {
        (void)err_prefix(&err, code, "could not %s", call->what);
        acme_result_set(&authz->result, code, &err);
        return;
    }
    acme_result_init(&authz->result);
    if (authz->status == ACME_AUTHZ_INVALID) {
        char *doing AUTO_FREE = mem_printf("the CA could not validate \"%s\"", authz->domain);

        code = error ? acme_problem_set(&err, error, 0, ACME_PROBLEM_OF_VALIDATION, doing)
                     : err_set(&err, ERR_CHALLENGE, "%s, and does not say why", doing);
        acme_result_set(&authz->result, code, &err);
        authz->result.problem = acme_problem_type_of(error);
    }
}

static enum err_code fetch(struct acme *acme, const struct strlist *urls, enum acme_challenge_type type,
                           struct acme_authz *authzs, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(urls->count);
    enum err_code code;

    for (size_t i = 0; i < urls->count; i++)
        acme_call_fetch(&calls.items[i], urls->items[i], mem_printf("look at the authorization %s", urls->items[i]));
    code = acme_send(acme, calls.items, urls->count, err);
    for (size_t i = 0; i < urls->count; i++)
        take(acme, &calls.items[i], type, &authzs[i]);
    return code;
}

enum err_code acme_authzs_fetch(struct acme *acme, const struct strlist *urls, enum acme_challenge_type type,
                                struct acme_authz *authzs, struct err *err)
{
    enum err_code code;

    for (size_t i = 0; i < urls->count; i++)
        authzs[i] = (struct acme_authz){.url = mem_strdup(urls->items[i])};
    code = acme_account_want(acme, err);
    return code == ERR_OK ? fetch(acme, urls, type, authzs, err) : code;
}

/* ------------------------------------------------------------------ orders that do not say why */

enum err_code acme_orders_explain(struct acme *acme, struct acme_order *const *orders, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct acme_order *order = orders[i];
        AUTO_FREE struct acme_authz *authzs = NULL;
        struct err why;
        enum err_code code;

        if (order->status != ACME_ORDER_INVALID || order->result.code != ERR_OK)
            continue;
        authzs = mem_calloc(order->authorizations.count, sizeof *authzs);
        code = acme_authzs_fetch(acme, &order->authorizations, ACME_DNS_01, authzs, err);
        (void)err_set(&why, ERR_ACME, "the CA made the order invalid and does not say why");
        acme_result_set(&order->result, ERR_ACME, &why);
        for (size_t k = order->authorizations.count; code == ERR_OK && k-- > 0;)
            if (authzs[k].status == ACME_AUTHZ_INVALID && authzs[k].result.code != ERR_OK)
                order->result = authzs[k].result;
        for (size_t k = 0; k < order->authorizations.count; k++)
            acme_authz_done(&authzs[k]);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ answering */

/* When the CA says how long it will take, the orders are not looked at before. */
static void note_pause(struct acme *acme, const struct acme_call *call)
{
    int64_t pause_ms = acme_retry_after_ms(&call->response, clock_wall_ms(acme->clock));
    int64_t at_ms = clock_mono_ms(acme->clock) + pause_ms;

    if (pause_ms > 0 && at_ms > acme->look_at_ms)
        acme->look_at_ms = at_ms;
}

/* A challenge that is invalid at once says why; one that is valid at once is fine. */
static void take_answer(const struct acme_call *call, struct acme_authz *authz)
{
    struct err err;
    enum err_code code = call->result.code;

    authz->result = call->result;
    /* An earlier attempt whose answer was lost has set the CA to work (libcurl, too, sends again when a connection that
     * it kept has died, which the CA then calls a bad nonce): that it is done already is no failure, the order tells.
     */
    if (call->attempts > 1 && call->result.problem == ACME_PROBLEM_MALFORMED)
        acme_result_init(&authz->result);
    if (code != ERR_OK)
        return;
    code = acme_challenge_read_status(call->json, &authz->challenge.status, &err);
    if (code == ERR_OK) {
        acme_result_init(&authz->result);
        return;
    }
    code = acme_member_error(code, &err);
    (void)err_prefix(&err, code, "could not %s", call->what);
    acme_result_set(&authz->result, code, &err);
}

enum err_code acme_challenges_answer(struct acme *acme, struct acme_authz *const *authzs, size_t count, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    enum err_code code = acme_account_want(acme, err);

    if (code != ERR_OK)
        return code;
    acme->look_at_ms = 0;
    for (size_t i = 0; i < count; i++) {
        acme_call_fetch(&calls.items[i], authzs[i]->challenge.url,
                        mem_printf("tell the CA to validate \"%s\"", authzs[i]->domain));
        calls.items[i].payload = mem_strdup("{}");
    }
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++) {
        take_answer(&calls.items[i], authzs[i]);
        if (authzs[i]->result.code == ERR_OK)
            note_pause(acme, &calls.items[i]);
    }
    if (code == ERR_OK)
        log_line(acme->log, LOG_INFO, "the CA was told to validate %zu name%s", count, count == 1 ? "" : "s");
    return code;
}
