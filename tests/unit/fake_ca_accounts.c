/* SPDX-License-Identifier: MIT
 *
 * Accounts and authorizations.
 */
#include "fake_ca_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "test.h"
#include "util/secret.h"

#define EXPIRES "2030-01-01T00:00:00Z"

/* ------------------------------------------------------------------ accounts */

static json_t *account_json(const struct fake_ca_account *account)
{
    json_t *json = json_object();

    (void)json_object_set_new(json, "status", json_string(account->status));
    if (account->contact)
        (void)json_object_set(json, "contact", account->contact);
    return json;
}

/* External account binding, RFC 8555 section 7.3.4. */
static bool check_binding(struct fake_ca *ca, const struct asked *asked, struct reply *reply)
{
    const json_t *binding = json_object_get(asked->payload, "externalAccountBinding");
    struct secret *key AUTO_SECRET = secret_new(FAKE_CA_EAB_KEY, strlen(FAKE_CA_EAB_KEY));
    struct fake_ca_jws jws = {.header = NULL};
    json_t *jwk = NULL;
    char *text AUTO_FREE = NULL;
    uint8_t mac[DIGEST_HMAC_MAX];
    size_t len = 0;
    bool ok;

    if (!binding) {
        if (ca->manner.needs_eab)
            fake_ca_refuse(reply, 403, "externalAccountRequired", "bring a binding");
        return !ca->manner.needs_eab;
    }
    ok = fake_ca_jws_parse(binding, &jws) && fake_ca_member(jws.header, "kid") && fake_ca_member(jws.header, "url") &&
         strcmp(fake_ca_member(jws.header, "kid"), FAKE_CA_EAB_KID) == 0 &&
         strcmp(fake_ca_member(jws.header, "url"), asked->seen->url) == 0 && json_object_size(jws.header) == 3 &&
         strcmp(fake_ca_member(jws.header, "alg"), "HS256") == 0;
    ok = ok &&
         digest_hmac(DIGEST_HMAC_SHA256, key, jws.signing_input, strlen(jws.signing_input), mac, &len, NULL) == ERR_OK;
    ok = ok && jws.signature.len == len && memcmp(buf_cstr(&jws.signature), mac, len) == 0;
    if (ok) {
        jwk = json_loads(jws.payload, 0, NULL);
        text = fake_ca_canonical(jwk);
        ok = strcmp(text, asked->jwk) == 0;
    }
    json_decref(jwk);
    fake_ca_jws_done(&jws);
    if (!ok)
        fake_ca_complain(ca, reply, "the external account binding is not right");
    return ok;
}

static void add_account(struct fake_ca *ca, const struct asked *asked, struct reply *reply)
{
    struct fake_ca_account *account;

    ca->accounts = mem_resize(ca->accounts, ca->account_count + 1, sizeof *ca->accounts);
    account = &ca->accounts[ca->account_count++];
    *account = (struct fake_ca_account){
        .jwk = mem_strdup(asked->jwk),
        .url = fake_ca_url_of("acct", ca->account_count),
        .status = mem_strdup("valid"),
        .contact = json_incref(json_object_get(asked->payload, "contact")),
        .has_eab = json_object_get(asked->payload, "externalAccountBinding") != NULL,
    };
    reply->status = 201;
    reply->json = account_json(account);
    buf_printf(&reply->headers, "Location: %s\n", account->url);
}

void fake_ca_serve_new_account(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    struct fake_ca_account *account;

    if (!asked->jwk || !asked->payload) {
        fake_ca_complain(ca, reply, "newAccount wants the key in the header, and a payload");
        return;
    }
    account = fake_ca_find_account(ca, NULL, asked->jwk);
    if (account) {
        reply->json = account_json(account);
        buf_printf(&reply->headers, "Location: %s\n", account->url);
    } else if (json_is_true(json_object_get(asked->payload, "onlyReturnExisting"))) {
        fake_ca_refuse(reply, 400, "accountDoesNotExist", "no account with that key");
    } else if (ca->manner.refusal) {
        reply->status = ca->manner.refusal_status;
        reply->text = mem_strdup(ca->manner.refusal);
        buf_printf(&reply->headers, "Link: <%s>;rel=\"terms-of-service\"\n", FAKE_CA_TERMS);
    } else if (!json_is_true(json_object_get(asked->payload, "termsOfServiceAgreed"))) {
        fake_ca_refuse(reply, 400, "malformed", "must agree to terms of service");
    } else if (check_binding(ca, asked, reply)) {
        add_account(ca, asked, reply);
    }
}

void fake_ca_serve_account(UNUSED struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *status = fake_ca_member(asked->payload, "status");
    json_t *contact = json_object_get(asked->payload, "contact");

    if (status)
        fake_ca_set_string(&asked->account->status, status);
    if (contact) {
        json_decref(asked->account->contact);
        asked->account->contact = json_incref(contact);
    }
    reply->json = account_json(asked->account);
}

/* RFC 8555 section 7.3.5 */
static bool is_right_rollover(const struct asked *asked, const struct fake_ca_jws *inner, const char *new_jwk)
{
    json_t *payload = json_loads(inner->payload, 0, NULL);
    char *old AUTO_FREE = fake_ca_canonical(json_object_get(payload, "oldKey"));
    const char *url = fake_ca_member(inner->header, "url");
    const char *account = fake_ca_member(payload, "account");
    bool ok = url && account && strcmp(url, asked->seen->url) == 0 && !fake_ca_member(inner->header, "nonce") &&
              fake_ca_jws_verify(inner, json_object_get(inner->header, "jwk")) &&
              strcmp(account, asked->account->url) == 0 && strcmp(old, asked->account->jwk) == 0 &&
              strcmp(new_jwk, old) != 0;

    json_decref(payload);
    return ok;
}

void fake_ca_serve_key_change(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    struct fake_ca_jws inner = {.header = NULL};
    char *jwk AUTO_FREE = NULL;
    const struct fake_ca_account *other;

    if (!asked->account || !asked->payload || !fake_ca_jws_parse(asked->payload, &inner)) {
        fake_ca_jws_done(&inner);
        fake_ca_complain(ca, reply, "no change of keys");
        return;
    }
    jwk = fake_ca_canonical(json_object_get(inner.header, "jwk"));
    other = fake_ca_find_account(ca, NULL, jwk);
    if (!is_right_rollover(asked, &inner, jwk)) {
        fake_ca_complain(ca, reply, "the change of keys is not right");
    } else if (other) {
        fake_ca_refuse(reply, 409, "malformed", "the new key is in use");
        buf_printf(&reply->headers, "Location: %s\n", other->url);
    } else {
        fake_ca_set_string(&asked->account->jwk, jwk);
        reply->json = account_json(asked->account);
    }
    fake_ca_jws_done(&inner);
}

/* ------------------------------------------------------------------ authorizations */

static json_t *challenge_json(const struct fake_ca_authz *authz, size_t number, const char *type)
{
    json_t *json = json_object();

    (void)json_object_set_new(json, "type", json_string(type));
    (void)json_object_set_new(json, "url", fake_ca_url("chall", number, type));
    (void)json_object_set_new(json, "status", json_string(authz->challenge_status));
    if (strcmp(type, "dns-persist-01") == 0)
        (void)json_object_set_new(json, "issuer-domain-names", json_pack("[ss]", "ca.example.net", "other.example"));
    else
        (void)json_object_set_new(json, "token", json_string(authz->token));
    if (authz->error)
        (void)json_object_set(json, "error", authz->error);
    return json;
}

static json_t *authz_json(const struct fake_ca_authz *authz, size_t number, const char *instead)
{
    json_t *json = json_object();
    json_t *challenges = json_array();

    if (!authz->is_wildcard)
        (void)json_array_append_new(challenges, challenge_json(authz, number, "http-01"));
    (void)json_array_append_new(challenges, challenge_json(authz, number, "dns-01"));
    (void)json_array_append_new(challenges, challenge_json(authz, number, "dns-account-01"));
    (void)json_array_append_new(challenges, challenge_json(authz, number, "dns-persist-01"));
    (void)json_object_set_new(json, "status", json_string(authz->status));
    (void)json_object_set_new(json, "expires", json_string(EXPIRES));
    (void)json_object_set_new(json, "identifier",
                              json_pack("{ssss}", "type", "dns", "value", instead ? instead : authz->domain));
    if (authz->is_wildcard)
        (void)json_object_set_new(json, "wildcard", json_true());
    (void)json_object_set_new(json, "challenges", challenges);
    return json;
}

/* The record that a challenge wants; all by the documents, nothing by the program. */
static void expected_record(const struct fake_ca *ca, const struct fake_ca_authz *authz, const char *type,
                            char **out_name, char **out_value)
{
    const struct fake_ca_account *account = fake_ca_find_account((struct fake_ca *)(uintptr_t)ca, authz->account_url,
                                                                 NULL);
    char thumbprint[DIGEST_B64URL_SHA256_LEN + 1], value[DIGEST_B64URL_SHA256_LEN + 1];
    char *authorization AUTO_FREE = NULL;

    if (strcmp(type, "dns-persist-01") == 0) {
        *out_name = mem_printf("_validation-persist.%s", authz->domain);
        *out_value = mem_printf("ca.example.net; accounturi=%s%s", authz->account_url,
                                authz->is_wildcard ? "; policy=wildcard" : "");
        return;
    }
    assert_int_equal(digest_sha256_b64url(account->jwk, strlen(account->jwk), thumbprint, NULL), ERR_OK);
    authorization = mem_printf("%s.%s", authz->token, thumbprint);
    assert_int_equal(digest_sha256_b64url(authorization, strlen(authorization), value, NULL), ERR_OK);
    *out_name = mem_printf("_acme-challenge.%s", authz->domain);
    *out_value = mem_strdup(value);
}

/* challenge_status is "processing <type>" until this. */
void fake_ca_validate(struct fake_ca *ca, struct fake_ca_authz *authz)
{
    char *type AUTO_FREE = mem_strdup(authz->challenge_status + strlen("processing "));
    char *name AUTO_FREE = NULL;
    char *value AUTO_FREE = NULL;

    expected_record(ca, authz, type, &name, &value);
    if (ca->validate)
        authz->error = ca->validate(ca->validate_context, &(struct fake_ca_validation){
                                                              .type = type,
                                                              .domain = authz->domain,
                                                              .is_wildcard = authz->is_wildcard,
                                                              .record_name = name,
                                                              .record_value = value,
                                                          });
    fake_ca_set_string(&authz->challenge_status, authz->error ? "invalid" : "valid");
    fake_ca_set_string(&authz->status, authz->error ? "invalid" : "valid");
}

void fake_ca_serve_authz(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply)
{
    struct fake_ca_authz *authz = &ca->authzs[number];

    if (asked->payload)
        fake_ca_complain(ca, reply, "an authorization is fetched with an empty payload");
    else
        reply->json = authz_json(authz, number, ca->manner.authorizes_instead);
}

void fake_ca_serve_challenge(struct fake_ca *ca, struct asked *asked, size_t number, const char *type,
                             struct reply *reply)
{
    struct fake_ca_authz *authz = &ca->authzs[number];

    if (!asked->payload || json_object_size(asked->payload) != 0) {
        fake_ca_complain(ca, reply, "a challenge is answered with {}");
        return;
    }
    if (strcmp(authz->status, "pending") != 0 || strcmp(authz->challenge_status, "pending") != 0) {
        fake_ca_refuse(reply, 400, "malformed", "the challenge is not pending");
        return;
    }
    reply->json = challenge_json(authz, number, type);
    free(authz->challenge_status);
    authz->challenge_status = mem_printf("processing %s", type);
    (void)json_object_set_new(reply->json, "status", json_string("processing"));
    if (ca->manner.challenge_retry_after)
        buf_printf(&reply->headers, "Retry-After: %s\n", ca->manner.challenge_retry_after);
}
