/* SPDX-License-Identifier: MIT
 *
 * Authorizations, RFC 8555 sections 7.1.4 and 7.5.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"

#define WHAT "the CA's authorization object"
#define CHALLENGES_MAX 32

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

/* ------------------------------------------------------------------ reading */

/* Why an authorization is invalid: the error of the challenge that failed, or else any. */
static const json_t *find_error(const json_t *challenges)
{
    const json_t *any = NULL;
    const json_t *item;
    size_t i;

    json_array_foreach(challenges, i, item)
    {
        const json_t *error = json_object_get(item, "error");
        const char *status = json_string_value(json_object_get(item, "status"));

        if (!json_is_object(error))
            continue;
        if (status && strcmp(status, "invalid") == 0)
            return error;
        any = any ? any : error;
    }
    return any;
}

static enum err_code read_challenges(const json_t *challenges, enum acme_scheme scheme, enum acme_challenge_type type,
                                     struct acme_authz *out, struct err *err)
{
    const char *what = "a challenge in " WHAT;
    const json_t *item;
    size_t i;

    if (json_array_size(challenges) > CHALLENGES_MAX)
        return err_set(err, ERR_INPUT, "%s has %zu challenges", WHAT, json_array_size(challenges));
    json_array_foreach(challenges, i, item)
    {
        const char *name;
        enum err_code code = json_want_object(item, what, err);

        if (code == ERR_OK)
            code = json_want_string(item, "type", what, &name, err);
        if (code != ERR_OK)
            return code;
        strlist_add(&out->offered, name);
        if (out->has_challenge || strcmp(name, acme_challenge_type_name(type)) != 0)
            continue;
        code = acme_challenge_read(item, scheme, type, &out->challenge, err);
        if (code != ERR_OK)
            return code;
        out->has_challenge = true;
    }
    return ERR_OK;
}

static enum err_code read_members(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                                  struct acme_authz *out, const json_t **out_challenges, struct err *err)
{
    static const char *const statuses[] = {"pending", "valid", "invalid", "deactivated", "expired", "revoked"};
    size_t status = 0;
    enum err_code code = acme_member_want_status(json, statuses, ARRAY_LEN(statuses), WHAT, &status, err);

    if (code == ERR_OK)
        code = acme_member_identifier(json_object_get(json, "identifier"), ACME_STAR_REFUSED, "the identifier of " WHAT,
                                      &out->domain, err);
    if (code == ERR_OK)
        code = acme_member_find_bool(json, "wildcard", WHAT, &out->is_wildcard, err);
    if (code == ERR_OK)
        code = acme_member_find_time(json, "expires", WHAT, &out->expires_s, err);
    if (code == ERR_OK)
        code = json_want_array(json, "challenges", WHAT, out_challenges, err);
    if (code == ERR_OK)
        code = read_challenges(*out_challenges, scheme, type, out, err);
    out->status = (enum acme_authz_status)status;
    return code;
}

enum err_code acme_authz_read(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                              struct acme_authz *out, const json_t **out_error, struct err *err)
{
    struct acme_authz authz AUTO(acme_authz_done) = {.url = NULL};
    const json_t *challenges = NULL;
    enum err_code code = json_want_object(json, WHAT, err);

    if (code == ERR_OK)
        code = read_members(json, scheme, type, &authz, &challenges, err);
    if (code != ERR_OK)
        return acme_member_error(code, err);
    members_done(out);
    authz.url = out->url;
    authz.result = out->result;
    *out = authz;
    authz = (struct acme_authz){.url = NULL};
    *out_error = find_error(challenges);
    return ERR_OK;
}

/* ------------------------------------------------------------------ fetching */

static void take_authz(struct acme *acme, const struct acme_call *call, enum acme_challenge_type type,
                       struct acme_authz *authz)
{
    const json_t *error = NULL;
    struct err err;
    enum err_code code = call->result.code;

    authz->result = call->result;
    if (code != ERR_OK)
        return;
    code = acme_authz_read(call->json, acme->scheme, type, authz, &error, &err);
    if (code != ERR_OK)
        (void)err_prefix(&err, code, "could not %s", call->what);
    acme_result_set(&authz->result, code, &err);
    if (code == ERR_OK && authz->status == ACME_AUTHZ_INVALID) {
        char *doing AUTO_FREE = mem_printf("the CA could not validate \"%s%s\"", authz->is_wildcard ? "*." : "",
                                           authz->domain);

        acme_result_take_problem(&authz->result, error, doing);
    }
}

static void log_authzs(const struct acme *acme, const struct acme_authz *authzs, size_t count, int64_t start_ms)
{
    int64_t took_ms = clock_mono_ms(acme->clock) - start_ms;
    size_t pending = 0;

    for (size_t i = 0; i < count; i++)
        pending += authzs[i].result.code == ERR_OK && authzs[i].status == ACME_AUTHZ_PENDING ? 1 : 0;
    log_line(acme->log, LOG_INFO, "%zu authorization%s, %zu to be validated, %" PRId64 ".%" PRId64 " s", count,
             count == 1 ? "" : "s", pending, took_ms / 1000, took_ms / 100 % 10);
}

enum err_code acme_authzs_fetch(struct acme *acme, const struct strlist *urls, enum acme_challenge_type type,
                                struct acme_authz *authzs, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(urls->count);
    int64_t start_ms = clock_mono_ms(acme->clock);
    struct err why;
    enum err_code code = acme_ready(acme, &why);

    for (size_t i = 0; i < urls->count; i++) {
        authzs[i] = (struct acme_authz){.url = mem_strdup(urls->items[i])};
        acme_call_fetch(&calls.items[i], authzs[i].url, mem_printf("look at the authorization %s", authzs[i].url));
        if (code != ERR_OK)
            acme_result_set(&authzs[i].result, code, &why);
    }
    if (code == ERR_OK) {
        code = acme_send(acme, calls.items, urls->count, &why);
        for (size_t i = 0; i < urls->count; i++)
            take_authz(acme, &calls.items[i], type, &authzs[i]);
        log_authzs(acme, authzs, urls->count, start_ms);
    }
    if (code != ERR_OK && err)
        *err = why;
    return code;
}
