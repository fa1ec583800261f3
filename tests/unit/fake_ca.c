/* SPDX-License-Identifier: MIT */
#include "fake_ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/b64url.h"
#include "crypto/digest.h"
#include "test.h"
#include "util/parse.h"
#include "util/secret.h"
#include "util/text.h"

#define URN "urn:ietf:params:acme:error:"
#define EXPIRES "2030-01-01T00:00:00Z"

const char *fake_ca_fault_name(enum fake_ca_fault fault)
{
    static const char *const names[FAKE_CA_FAULT_COUNT] = {
        "nothing",      "no connection", "request lost",     "answer lost", "timeout",      "tls",  "500",
        "503",          "rate limit",    "short rate limit", "bad nonce",   "unauthorized", "html", "truncated",
        "empty answer", "wrong object",  "redirect",         "404",         "cancel",
    };

    return names[fault];
}

/* ------------------------------------------------------------------ one request and its answer */

struct asked {
    const struct fake_seen *seen;
    const char *path; /* behind the root */
    struct fake_ca_jws jws;
    json_t *payload;                 /* NULL: empty */
    struct fake_ca_account *account; /* of "kid"; NULL: the key is in the header */
    char *jwk;                       /* canonical text; of "jwk" */
};

struct reply {
    long status;
    json_t *json;
    char *text; /* instead of JSON */
    struct buf headers;
};

json_t *fake_ca_problem(const char *type, const char *detail)
{
    json_t *json = json_object();

    (void)json_object_set_new(json, "type", json_sprintf(URN "%s", type));
    (void)json_object_set_new(json, "detail", json_string(detail));
    return json;
}

static void refuse(struct reply *reply, long status, const char *type, const char *detail)
{
    json_decref(reply->json);
    reply->json = fake_ca_problem(type, detail);
    reply->status = status;
}

/* A rule was broken. */
static void complain(struct fake_ca *ca, struct reply *reply, const char *rule)
{
    if (!ca->complaint)
        ca->complaint = mem_printf("request %zu: %s", ca->request_count, rule);
    refuse(reply, 400, "malformed", rule);
}

static char *canonical(const json_t *json)
{
    struct buf text AUTO_BUF = BUF_INIT(1u << 20);

    json_write_sorted(json, &text);
    return buf_take(&text);
}

static const char *member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static char *url_of(const char *kind, size_t number)
{
    return mem_printf(FAKE_CA_ROOT "/%s/%zu", kind, number);
}

static void set_string(char **out, const char *text)
{
    free(*out);
    *out = mem_strdup(text);
}

static struct fake_ca_account *find_account(struct fake_ca *ca, const char *url, const char *jwk)
{
    for (size_t i = 0; i < ca->account_count; i++)
        if ((url && strcmp(ca->accounts[i].url, url) == 0) || (jwk && strcmp(ca->accounts[i].jwk, jwk) == 0))
            return &ca->accounts[i];
    return NULL;
}

/* ------------------------------------------------------------------ nonces */

static char *new_nonce(struct fake_ca *ca)
{
    char *nonce = mem_printf("nonce-%zu_x", ca->nonce_number++);

    strlist_add(&ca->nonces, nonce);
    return nonce;
}

static bool has(const struct strlist *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static bool use_nonce(struct fake_ca *ca, const char *nonce)
{
    for (size_t i = 0; i < ca->nonces.count; i++) {
        if (strcmp(ca->nonces.items[i], nonce) != 0)
            continue;
        strlist_add_take(&ca->used_nonces, ca->nonces.items[i]);
        ca->nonces.items[i] = ca->nonces.items[--ca->nonces.count];
        return true;
    }
    return false;
}

void fake_ca_forget_nonces(struct fake_ca *ca)
{
    strlist_done(&ca->nonces);
}

static unsigned draw(struct fake_ca *ca)
{
    ca->seed = ca->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((ca->seed >> 33) % 100);
}

/* ------------------------------------------------------------------ rules of JWS */

/* False: refused. */
static bool check_nonce(struct fake_ca *ca, const struct asked *asked, struct reply *reply)
{
    const char *nonce = member(asked->jws.header, "nonce");

    if (!nonce) {
        complain(ca, reply, "no nonce");
        return false;
    }
    if (has(&ca->used_nonces, nonce)) {
        complain(ca, reply, "a nonce was used twice");
        return false;
    }
    if (!use_nonce(ca, nonce) || draw(ca) < ca->manner.bad_nonce_percent) {
        refuse(reply, 400, "badNonce", "JWS has an invalid anti-replay nonce");
        return false;
    }
    return true;
}

static bool check_signer(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const json_t *jwk = json_object_get(asked->jws.header, "jwk");
    const char *kid = member(asked->jws.header, "kid");
    json_t *account_jwk;
    bool ok;

    if (!jwk == !kid) {
        complain(ca, reply, "not exactly one of jwk and kid");
        return false;
    }
    if (jwk) {
        asked->jwk = canonical(jwk);
        if (fake_ca_jws_verify(&asked->jws, jwk))
            return true;
        complain(ca, reply, "the signature does not fit the key");
        return false;
    }
    asked->account = find_account(ca, kid, NULL);
    if (!asked->account || ca->manner.forgets_account) {
        refuse(reply, 400, "accountDoesNotExist", "no such account");
        return false;
    }
    account_jwk = json_loads(asked->account->jwk, 0, NULL);
    ok = fake_ca_jws_verify(&asked->jws, account_jwk);
    json_decref(account_jwk);
    if (!ok && ca->manner.has_other_keys)
        refuse(reply, 400, "malformed", "JWS verification error");
    else if (!ok)
        complain(ca, reply, "the signature does not fit the account");
    if (ok && strcmp(asked->account->status, "valid") != 0) {
        refuse(reply, 401, "unauthorized", "the account is deactivated");
        return false;
    }
    return ok;
}

static bool check_post(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *type = fake_seen_header(asked->seen, "Content-Type");
    const char *url;
    json_t *body;
    bool ok;

    if (!type || strcmp(type, "application/jose+json") != 0 || !fake_seen_header(asked->seen, "Accept-Language") ||
        !fake_seen_header(asked->seen, "Accept")) {
        complain(ca, reply, "a header is missing");
        return false;
    }
    body = json_loads(asked->seen->body ? asked->seen->body : "", JSON_REJECT_DUPLICATES, NULL);
    ok = fake_ca_jws_parse(body, &asked->jws);
    json_decref(body);
    if (!ok) {
        complain(ca, reply, "no JWS");
        return false;
    }
    url = member(asked->jws.header, "url");
    if (!url || strcmp(url, asked->seen->url) != 0 || json_object_size(asked->jws.header) != 4) {
        complain(ca, reply, "the header's url is not that of the request, or it has too many members");
        return false;
    }
    if (!check_nonce(ca, asked, reply) || !check_signer(ca, asked, reply))
        return false;
    if (asked->jws.payload_len == 0)
        return true;
    asked->payload = json_loads(asked->jws.payload, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(asked->payload))
        complain(ca, reply, "the payload is no object");
    return json_is_object(asked->payload);
}

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
            refuse(reply, 403, "externalAccountRequired", "bring a binding");
        return !ca->manner.needs_eab;
    }
    ok = fake_ca_jws_parse(binding, &jws) && member(jws.header, "kid") && member(jws.header, "url") &&
         strcmp(member(jws.header, "kid"), FAKE_CA_EAB_KID) == 0 &&
         strcmp(member(jws.header, "url"), asked->seen->url) == 0 && json_object_size(jws.header) == 3 &&
         strcmp(member(jws.header, "alg"), "HS256") == 0;
    ok = ok &&
         digest_hmac(DIGEST_HMAC_SHA256, key, jws.signing_input, strlen(jws.signing_input), mac, &len, NULL) == ERR_OK;
    ok = ok && jws.signature.len == len && memcmp(buf_cstr(&jws.signature), mac, len) == 0;
    if (ok) {
        jwk = json_loads(jws.payload, 0, NULL);
        text = canonical(jwk);
        ok = strcmp(text, asked->jwk) == 0;
    }
    json_decref(jwk);
    fake_ca_jws_done(&jws);
    if (!ok)
        complain(ca, reply, "the external account binding is not right");
    return ok;
}

static void add_account(struct fake_ca *ca, const struct asked *asked, struct reply *reply)
{
    struct fake_ca_account *account;

    ca->accounts = mem_resize(ca->accounts, ca->account_count + 1, sizeof *ca->accounts);
    account = &ca->accounts[ca->account_count++];
    *account = (struct fake_ca_account){
        .jwk = mem_strdup(asked->jwk),
        .url = url_of("acct", ca->account_count),
        .status = mem_strdup("valid"),
        .contact = json_incref(json_object_get(asked->payload, "contact")),
        .has_eab = json_object_get(asked->payload, "externalAccountBinding") != NULL,
    };
    reply->status = 201;
    reply->json = account_json(account);
    buf_printf(&reply->headers, "Location: %s\n", account->url);
}

static void serve_new_account(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    struct fake_ca_account *account;

    if (!asked->jwk || !asked->payload) {
        complain(ca, reply, "newAccount wants the key in the header, and a payload");
        return;
    }
    account = find_account(ca, NULL, asked->jwk);
    if (account) {
        reply->json = account_json(account);
        buf_printf(&reply->headers, "Location: %s\n", account->url);
    } else if (json_is_true(json_object_get(asked->payload, "onlyReturnExisting"))) {
        refuse(reply, 400, "accountDoesNotExist", "no account with that key");
    } else if (ca->manner.refusal) {
        reply->status = ca->manner.refusal_status;
        reply->text = mem_strdup(ca->manner.refusal);
        buf_printf(&reply->headers, "Link: <%s>;rel=\"terms-of-service\"\n", FAKE_CA_TERMS);
    } else if (!json_is_true(json_object_get(asked->payload, "termsOfServiceAgreed"))) {
        refuse(reply, 400, "malformed", "must agree to terms of service");
    } else if (check_binding(ca, asked, reply)) {
        add_account(ca, asked, reply);
    }
}

static void serve_account(UNUSED struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *status = member(asked->payload, "status");
    json_t *contact = json_object_get(asked->payload, "contact");

    if (status)
        set_string(&asked->account->status, status);
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
    char *old AUTO_FREE = canonical(json_object_get(payload, "oldKey"));
    const char *url = member(inner->header, "url");
    const char *account = member(payload, "account");
    bool ok = url && account && strcmp(url, asked->seen->url) == 0 && !member(inner->header, "nonce") &&
              fake_ca_jws_verify(inner, json_object_get(inner->header, "jwk")) &&
              strcmp(account, asked->account->url) == 0 && strcmp(old, asked->account->jwk) == 0 &&
              strcmp(new_jwk, old) != 0;

    json_decref(payload);
    return ok;
}

static void serve_key_change(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    struct fake_ca_jws inner = {.header = NULL};
    char *jwk AUTO_FREE = NULL;
    const struct fake_ca_account *other;

    if (!asked->account || !asked->payload || !fake_ca_jws_parse(asked->payload, &inner)) {
        fake_ca_jws_done(&inner);
        complain(ca, reply, "no change of keys");
        return;
    }
    jwk = canonical(json_object_get(inner.header, "jwk"));
    other = find_account(ca, NULL, jwk);
    if (!is_right_rollover(asked, &inner, jwk)) {
        complain(ca, reply, "the change of keys is not right");
    } else if (other) {
        refuse(reply, 409, "malformed", "the new key is in use");
        buf_printf(&reply->headers, "Location: %s\n", other->url);
    } else {
        set_string(&asked->account->jwk, jwk);
        reply->json = account_json(asked->account);
    }
    fake_ca_jws_done(&inner);
}

/* ------------------------------------------------------------------ authorizations */

static json_t *challenge_json(const struct fake_ca_authz *authz, size_t number, const char *type)
{
    json_t *json = json_object();

    (void)json_object_set_new(json, "type", json_string(type));
    (void)json_object_set_new(json, "url", json_sprintf(FAKE_CA_ROOT "/chall/%zu/%s", number, type));
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
    (void)json_object_set_new(json, "identifier", json_pack("{ssss}", "type", "dns", "value",
                                                            instead ? instead : authz->domain));
    if (authz->is_wildcard)
        (void)json_object_set_new(json, "wildcard", json_true());
    (void)json_object_set_new(json, "challenges", challenges);
    return json;
}

/* The record that a challenge wants; all by the documents, nothing by the program. */
static void expected_record(const struct fake_ca *ca, const struct fake_ca_authz *authz, const char *type,
                            char **out_name, char **out_value)
{
    const struct fake_ca_account *account = find_account((struct fake_ca *)(uintptr_t)ca, authz->account_url, NULL);
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
static void validate(struct fake_ca *ca, struct fake_ca_authz *authz)
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
    set_string(&authz->challenge_status, authz->error ? "invalid" : "valid");
    set_string(&authz->status, authz->error ? "invalid" : "valid");
}

static void serve_authz(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply)
{
    struct fake_ca_authz *authz = &ca->authzs[number];

    if (asked->payload)
        complain(ca, reply, "an authorization is fetched with an empty payload");
    else
        reply->json = authz_json(authz, number, ca->manner.authorizes_instead);
}

static void serve_challenge(struct fake_ca *ca, struct asked *asked, size_t number, const char *type,
                            struct reply *reply)
{
    struct fake_ca_authz *authz = &ca->authzs[number];

    if (!asked->payload || json_object_size(asked->payload) != 0) {
        complain(ca, reply, "a challenge is answered with {}");
        return;
    }
    if (strcmp(authz->status, "pending") != 0 || strcmp(authz->challenge_status, "pending") != 0) {
        refuse(reply, 400, "malformed", "the challenge is not pending");
        return;
    }
    reply->json = challenge_json(authz, number, type);
    free(authz->challenge_status);
    authz->challenge_status = mem_printf("processing %s", type);
    (void)json_object_set_new(reply->json, "status", json_string("processing"));
    if (ca->manner.challenge_retry_after)
        buf_printf(&reply->headers, "Retry-After: %s\n", ca->manner.challenge_retry_after);
}

/* ------------------------------------------------------------------ orders */

static json_t *order_json(const struct fake_ca *ca, const struct fake_ca_order *order, size_t number)
{
    json_t *json = json_object();
    json_t *identifiers = json_array();
    json_t *authorizations = json_array();

    for (size_t i = 0; i < order->names.count; i++) {
        (void)json_array_append_new(identifiers,
                                    json_pack("{ssss}", "type", "dns", "value",
                                              ca->manner.ignores_names ? "evil.example" : order->names.items[i]));
        (void)json_array_append_new(authorizations, json_sprintf(FAKE_CA_ROOT "/authz/%zu", order->first_authz + i));
    }
    (void)json_object_set_new(json, "status", json_string(order->status));
    (void)json_object_set_new(json, "expires", json_string(EXPIRES));
    (void)json_object_set_new(json, "identifiers", identifiers);
    (void)json_object_set_new(json, "authorizations", authorizations);
    (void)json_object_set_new(json, "finalize", json_sprintf(FAKE_CA_ROOT "/finalize/%zu", number));
    if (order->certificate)
        (void)json_object_set_new(json, "certificate", json_sprintf(FAKE_CA_ROOT "/cert/%zu", number));
    if (order->profile)
        (void)json_object_set_new(json, "profile", json_string(order->profile));
    if (order->replaces)
        (void)json_object_set_new(json, "replaces", json_string(order->replaces));
    if (order->error)
        (void)json_object_set(json, "error", order->error);
    return json;
}

static void add_authz(struct fake_ca *ca, const char *name, const char *account_url)
{
    bool is_wildcard = text_starts_with(name, "*.");
    const char *status = ca->manner.reuses_authorizations ? "valid" : "pending";

    ca->authzs = mem_resize(ca->authzs, ca->authz_count + 1, sizeof *ca->authzs);
    ca->authzs[ca->authz_count] = (struct fake_ca_authz){
        .domain = mem_strdup(is_wildcard ? name + 2 : name),
        .is_wildcard = is_wildcard,
        .status = mem_strdup(status),
        .challenge_status = mem_strdup(status),
        .token = mem_printf("token-%zu_abcdefghijklmnopqrst", ca->authz_count),
        .account_url = mem_strdup(account_url),
    };
    ca->authz_count++;
}

static bool accepts_order(struct fake_ca *ca, const struct asked *asked, struct reply *reply)
{
    const char *profile = member(asked->payload, "profile");
    const char *replaces = member(asked->payload, "replaces");

    if (!asked->account || json_array_size(json_object_get(asked->payload, "identifiers")) == 0) {
        complain(ca, reply, "newOrder wants an account and identifiers");
    } else if (ca->manner.refusal) {
        reply->status = ca->manner.refusal_status;
        reply->text = mem_strdup(ca->manner.refusal);
        if (ca->manner.retry_after)
            buf_printf(&reply->headers, "Retry-After: %s\n", ca->manner.retry_after);
    } else if (profile && strcmp(profile, "classic") != 0 && strcmp(profile, "shortlived") != 0) {
        complain(ca, reply, "a profile that the directory does not list");
    } else if (replaces && ca->manner.has_no_renewal_info) {
        complain(ca, reply, "replaces, where the directory has no renewalInfo");
    } else if (replaces && ca->manner.refuses_replaces) {
        refuse(reply, 409, "alreadyReplaced", "it was replaced already");
    } else if (replaces && ca->manner.refuses_replaces_softly) {
        refuse(reply, 400, "malformed", "what is this certificate?");
    } else if (replaces && ca->manner.fails_at_replaces) {
        refuse(reply, 500, "serverInternal", "no such order");
    } else {
        return true;
    }
    return false;
}

static void serve_new_order(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    struct fake_ca_order *order;
    const json_t *item;
    size_t i;

    if (!accepts_order(ca, asked, reply))
        return;
    ca->orders = mem_resize(ca->orders, ca->order_count + 1, sizeof *ca->orders);
    order = &ca->orders[ca->order_count];
    *order = (struct fake_ca_order){
        .account_url = mem_strdup(asked->account->url),
        .status = mem_strdup(ca->manner.reuses_authorizations ? "ready" : "pending"),
        .first_authz = ca->authz_count,
        .profile = mem_strdup(member(asked->payload, "profile")),
        .replaces = mem_strdup(member(asked->payload, "replaces")),
        .looks_left = ca->manner.validation_looks,
    };
    json_array_foreach(json_object_get(asked->payload, "identifiers"), i, item)
    {
        strlist_add(&order->names, member(item, "value"));
        add_authz(ca, member(item, "value"), asked->account->url);
    }
    reply->status = 201;
    reply->json = order_json(ca, order, ca->order_count);
    buf_printf(&reply->headers, "Location: " FAKE_CA_ROOT "/order/%zu\n", ca->order_count);
    ca->order_count++;
}

static void issue(struct fake_ca *ca, struct fake_ca_order *order, size_t number)
{
    struct buf der AUTO_BUF = BUF_INIT(1u << 20);

    assert_true(b64url_decode(order->csr, strlen(order->csr), &der));
    if (ca->manner.certificate_text)
        order->certificate = mem_strdup(ca->manner.certificate_text);
    else if (ca->issue)
        order->certificate = ca->issue(ca->issue_context, buf_cstr(&der), der.len, order);
    else
        order->certificate = mem_printf("-----BEGIN CERTIFICATE-----\nQ0%02zu\n-----END CERTIFICATE-----\n",
                                        number % 100);
    if (order->certificate) {
        set_string(&order->status, "valid");
    } else {
        set_string(&order->status, "invalid");
        order->error = fake_ca_problem("badCSR", "no certificate for this");
    }
}

/* Time goes on for an order when it is looked at. */
static void move_on(struct fake_ca *ca, struct fake_ca_order *order, size_t number)
{
    bool is_pending = strcmp(order->status, "pending") == 0;
    size_t valid = 0, invalid = 0, processing = 0;

    if (strcmp(order->status, "processing") == 0) {
        if (order->looks_left == 0)
            issue(ca, order, number);
        else
            order->looks_left--;
    }
    if (!is_pending)
        return;
    for (size_t i = 0; i < order->names.count; i++)
        processing += text_starts_with(ca->authzs[order->first_authz + i].challenge_status, "processing") ? 1 : 0;
    if (processing && order->looks_left) {
        order->looks_left--;
        return;
    }
    for (size_t i = 0; i < order->names.count; i++) {
        struct fake_ca_authz *authz = &ca->authzs[order->first_authz + i];

        if (text_starts_with(authz->challenge_status, "processing"))
            validate(ca, authz);
        valid += strcmp(authz->status, "valid") == 0 ? 1 : 0;
        invalid += strcmp(authz->status, "invalid") == 0 ? 1 : 0;
    }
    if (invalid || valid == order->names.count)
        set_string(&order->status, invalid ? "invalid" : "ready");
}

static void reply_order(const struct fake_ca *ca, size_t number, struct reply *reply)
{
    const struct fake_ca_order *order = &ca->orders[number];

    reply->json = order_json(ca, order, number);
    if (ca->manner.retry_after && (strcmp(order->status, "pending") == 0 || strcmp(order->status, "processing") == 0))
        buf_printf(&reply->headers, "Retry-After: %s\n", ca->manner.retry_after);
}

static void serve_order(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply)
{
    if (asked->payload) {
        complain(ca, reply, "an order is fetched with an empty payload");
        return;
    }
    move_on(ca, &ca->orders[number], number);
    reply_order(ca, number, reply);
}

static void serve_finalize(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply)
{
    struct fake_ca_order *order = &ca->orders[number];
    const char *csr = member(asked->payload, "csr");

    if (!csr || json_object_size(asked->payload) != 1) {
        complain(ca, reply, "finalize wants a csr and nothing else");
        return;
    }
    if (strcmp(order->status, "ready") != 0) {
        refuse(reply, 403, "orderNotReady", "the order is not ready");
        return;
    }
    order->csr = mem_strdup(csr);
    order->looks_left = ca->manner.processing_looks;
    set_string(&order->status, "processing");
    if (order->looks_left == 0)
        issue(ca, order, number);
    else
        order->looks_left--;
    reply_order(ca, number, reply);
}

static void serve_certificate(struct fake_ca *ca, struct asked *asked, size_t number, const char *rest,
                              struct reply *reply)
{
    const char *accept = fake_seen_header(asked->seen, "Accept");

    if (asked->payload || strcmp(accept, "application/pem-certificate-chain") != 0 || !ca->orders[number].certificate) {
        complain(ca, reply, "a certificate that there is is fetched with an empty payload, and as PEM");
        return;
    }
    reply->text = mem_strdup(ca->orders[number].certificate);
    if (*rest) {
        free(reply->text);
        reply->text = mem_printf("-----BEGIN CERTIFICATE-----\nQWx0%s\n-----END CERTIFICATE-----\n", rest);
        return;
    }
    buf_puts(&reply->headers, "Link: <" FAKE_CA_ROOT "/dir>;rel=\"index\"\n");
    for (unsigned i = 1; i <= ca->manner.alternates; i++)
        buf_printf(&reply->headers, "Link: <" FAKE_CA_ROOT "/cert/%zu/%u>;rel=\"alternate\"\n", number, i);
    if (ca->manner.alternate_links)
        buf_printf(&reply->headers, "Link: %s\n", ca->manner.alternate_links);
}

/* ------------------------------------------------------------------ others */

static void serve_revoke(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *certificate = member(asked->payload, "certificate");
    const json_t *reason = json_object_get(asked->payload, "reason");

    if (!certificate) {
        complain(ca, reply, "revokeCert wants a certificate");
        return;
    }
    if (has(&ca->revoked, certificate)) {
        refuse(reply, 409, "alreadyRevoked", "it is revoked");
        return;
    }
    strlist_add(&ca->revoked, certificate);
    ca->last_reason = reason ? (int)json_integer_value(reason) : -1;
}

static void serve_renewal_info(struct fake_ca *ca, const char *id, struct reply *reply)
{
    if (strncmp(id, "unknown", 7) == 0) {
        refuse(reply, 404, "malformed", "no such certificate");
        return;
    }
    reply->text = mem_strdup(
        ca->manner.renewal_info
            ? ca->manner.renewal_info
            : "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\","
              "\"end\":\"2025-01-03T04:00:00Z\"},\"explanationURL\":\"https://ca.example.net/why\"}");
    buf_puts(&reply->headers, "Retry-After: 21600\n");
}

static void serve_directory(const struct fake_ca *ca, struct reply *reply)
{
    json_t *meta = json_pack("{s:s,s:s,s:[s],s:b}", "termsOfService", FAKE_CA_TERMS, "website",
                             "https://www.ca.example.net", "caaIdentities", "ca.example.net", "externalAccountRequired",
                             ca->manner.needs_eab ? 1 : 0);

    if (!ca->manner.has_no_profiles)
        (void)json_object_set_new(meta, "profiles", json_pack("{ssss}", "classic", "90 days", "shortlived", "6 days"));
    reply->json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "newNonce", FAKE_CA_ROOT "/nonce", "newAccount",
                            FAKE_CA_ROOT "/new-account", "newOrder", FAKE_CA_ROOT "/new-order", "revokeCert",
                            FAKE_CA_ROOT "/revoke", "keyChange", FAKE_CA_ROOT "/key-change", "meta", meta);
    if (!ca->manner.has_no_renewal_info)
        (void)json_object_set_new(reply->json, "renewalInfo", json_string(FAKE_CA_ROOT "/ari"));
}

/* ------------------------------------------------------------------ dispatch */

/* "/order/12/rest": is it that, with a number below `count`? */
static bool is_at(const char *path, const char *prefix, size_t count, size_t *out_number, const char **out_rest)
{
    size_t len = strlen(prefix);
    char *digits AUTO_FREE = NULL;
    uint64_t number;
    size_t digit_count;

    if (strncmp(path, prefix, len) != 0)
        return false;
    digit_count = strspn(path + len, "0123456789");
    digits = mem_strndup(path + len, digit_count);
    if (!parse_uint(digits, 0, UINT32_MAX, &number) || number >= count)
        return false;
    *out_number = (size_t)number;
    *out_rest = path + len + digit_count + (path[len + digit_count] == '/' ? 1 : 0);
    return true;
}

/* What only its own account may look at. */
static void serve_owned(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *rest = "";
    size_t number = 0;

    if (!asked->account)
        complain(ca, reply, "this wants an account");
    else if (is_at(asked->path, "/acct/", SIZE_MAX, &number, &rest))
        serve_account(ca, asked, reply);
    else if (is_at(asked->path, "/order/", ca->order_count, &number, &rest))
        serve_order(ca, asked, number, reply);
    else if (is_at(asked->path, "/authz/", ca->authz_count, &number, &rest))
        serve_authz(ca, asked, number, reply);
    else if (is_at(asked->path, "/chall/", ca->authz_count, &number, &rest))
        serve_challenge(ca, asked, number, rest, reply);
    else if (is_at(asked->path, "/finalize/", ca->order_count, &number, &rest))
        serve_finalize(ca, asked, number, reply);
    else if (is_at(asked->path, "/cert/", ca->order_count, &number, &rest))
        serve_certificate(ca, asked, number, rest, reply);
    else
        refuse(reply, 404, "malformed", "no such thing");
}

static void serve_post(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    if (!check_post(ca, asked, reply))
        return;
    if (strcmp(asked->path, "/new-account") == 0)
        serve_new_account(ca, asked, reply);
    else if (strcmp(asked->path, "/new-order") == 0)
        serve_new_order(ca, asked, reply);
    else if (strcmp(asked->path, "/revoke") == 0)
        serve_revoke(ca, asked, reply);
    else if (strcmp(asked->path, "/key-change") == 0)
        serve_key_change(ca, asked, reply);
    else
        serve_owned(ca, asked, reply);
}

static void serve(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *method = asked->seen->method;

    if (strcmp(method, "GET") == 0 && strcmp(asked->path, "/dir") == 0) {
        serve_directory(ca, reply);
    } else if (strcmp(method, "HEAD") == 0 && strcmp(asked->path, "/nonce") == 0) {
        ca->new_nonce_count++;
    } else if (strcmp(method, "GET") == 0 && text_starts_with(asked->path, "/ari/")) {
        serve_renewal_info(ca, asked->path + strlen("/ari/"), reply);
    } else if (strcmp(method, "POST") == 0) {
        serve_post(ca, asked, reply);
    } else {
        complain(ca, reply, "no such method there");
    }
}

static void put_nonce(struct fake_ca *ca, const struct asked *asked, struct reply *reply)
{
    bool is_new_nonce = strcmp(asked->path, "/nonce") == 0;
    char *nonce AUTO_FREE = NULL;

    if (ca->manner.gives_garbage_nonces) {
        buf_puts(&reply->headers, "Replay-Nonce: not a nonce!\n");
        return;
    }
    if (strcmp(asked->seen->method, "GET") == 0 || (ca->manner.gives_no_nonces && !is_new_nonce))
        return;
    nonce = new_nonce(ca);
    buf_printf(&reply->headers, "Replay-Nonce: %s\n", nonce);
}

/* ------------------------------------------------------------------ faults */

/* Before anything is carried out; true: that was all. */
static bool fail_early(enum fake_ca_fault fault, struct reply *reply, struct fake_exchange *answer)
{
    switch (fault) {
    case FAKE_CA_NO_CONNECTION:
    case FAKE_CA_TLS:
        answer->fail = fault == FAKE_CA_TLS ? ERR_TLS : ERR_NETWORK;
        return true;
    case FAKE_CA_REQUEST_LOST:
        answer->fail = ERR_NETWORK;
        answer->may_have_acted = true;
        return true;
    case FAKE_CA_500:
        refuse(reply, 500, "serverInternal", "oops");
        return true;
    case FAKE_CA_503:
        refuse(reply, 503, "serverInternal", "busy");
        buf_puts(&reply->headers, "Retry-After: 2\n");
        return true;
    case FAKE_CA_RATE_LIMIT:
    case FAKE_CA_RATE_LIMIT_SHORT:
        refuse(reply, 429, "rateLimited", "too many");
        buf_printf(&reply->headers, "Retry-After: %s\n", fault == FAKE_CA_RATE_LIMIT ? "7200" : "3");
        return true;
    case FAKE_CA_BAD_NONCE:
        refuse(reply, 400, "badNonce", "bad");
        return true;
    case FAKE_CA_UNAUTHORIZED:
        refuse(reply, 403, "unauthorized", "no");
        return true;
    case FAKE_CA_REDIRECT:
        reply->status = 302;
        buf_puts(&reply->headers, "Location: https://portal.example/login\n");
        return true;
    case FAKE_CA_404:
        reply->status = 404;
        reply->text = mem_strdup("<html>not here</html>");
        return true;
    default:
        return false;
    }
}

/* After it was carried out. */
static void fail_late(struct fake_ca *ca, enum fake_ca_fault fault, struct fake_exchange *answer)
{
    if (fault == FAKE_CA_ANSWER_LOST || fault == FAKE_CA_TIMEOUT) {
        answer->fail = fault == FAKE_CA_TIMEOUT ? ERR_TIMEOUT : ERR_NETWORK;
        answer->may_have_acted = true;
        answer->takes_ms = fault == FAKE_CA_TIMEOUT ? 1000000 : answer->takes_ms;
    } else if (fault == FAKE_CA_HTML) {
        answer->status = 200;
        set_string(&ca->body, "<html><title>Welcome</title></html>");
    } else if (fault == FAKE_CA_TRUNCATED && ca->body) {
        ca->body[strlen(ca->body) / 2] = '\0';
    } else if (fault == FAKE_CA_EMPTY) {
        answer->status = 200;
        set_string(&ca->body, "");
    } else if (fault == FAKE_CA_WRONG) {
        answer->status = 200;
        set_string(&ca->body, "{}");
    } else if (fault == FAKE_CA_CANCEL) {
        ca->clock->cancelled = true;
    }
    answer->answer = ca->body;
}

void fake_ca_fail(struct fake_ca *ca, enum fake_ca_fault fault, size_t first, size_t count)
{
    ca->fault = fault;
    ca->fault_first = first;
    ca->fault_count = count;
}

bool fake_ca_is_asked(const struct fake_seen *request)
{
    return text_starts_with(request->url, FAKE_CA_ROOT "/");
}

static void take_reply(struct fake_ca *ca, struct reply *reply, struct fake_exchange *answer)
{
    bool is_problem = reply->status >= 400;

    free(ca->body);
    ca->body = reply->text ? reply->text : reply->json ? json_dumps(reply->json, JSON_COMPACT) : mem_strdup("");
    json_decref(reply->json);
    if (reply->text)
        buf_printf(&reply->headers, "Content-Type: %s\n",
                   *reply->text == '-'   ? "application/pem-certificate-chain"
                   : *reply->text == '<' ? "text/html"
                   : is_problem          ? "application/problem+json"
                                         : "application/json");
    else
        buf_printf(&reply->headers, "Content-Type: application/%s\n", is_problem ? "problem+json" : "json");
    if (reply->headers.len && reply->headers.data[reply->headers.len - 1] == '\n')
        reply->headers.data[reply->headers.len - 1] = '\0';
    assert_true(buf_ok(&reply->headers));
    set_string(&ca->headers, buf_cstr(&reply->headers));
    buf_done(&reply->headers);
    answer->status = reply->status;
    answer->headers = ca->headers;
    answer->answer = ca->body;
}

void fake_ca_answer(struct fake_ca *ca, const struct fake_seen *request, struct fake_exchange *answer)
{
    size_t index = ca->request_count++;
    bool is_faulty = index >= ca->fault_first && index - ca->fault_first < ca->fault_count;
    enum fake_ca_fault fault = is_faulty ? ca->fault : FAKE_CA_OK;
    struct asked asked = {.seen = request, .path = request->url + strlen(FAKE_CA_ROOT)};
    struct reply reply = {.status = 200, .headers = BUF_INIT(1u << 16)};

    *answer = (struct fake_exchange){.takes_ms = ca->manner.round_trip_ms, .is_foreign = true};
    if (!fail_early(fault, &reply, answer))
        serve(ca, &asked, &reply);
    put_nonce(ca, &asked, &reply);
    take_reply(ca, &reply, answer);
    fail_late(ca, fault, answer);
    json_decref(asked.payload);
    free(asked.jwk);
    fake_ca_jws_done(&asked.jws);
}

static void handle(void *context, const struct fake_seen *request, UNUSED size_t index, struct fake_exchange *answer)
{
    fake_ca_answer(context, request, answer);
}

void fake_ca_attach(struct fake_ca *ca, struct fake_http *http)
{
    http->handler = handle;
    http->handler_context = ca;
}

/* ------------------------------------------------------------------ memory */

struct fake_ca *fake_ca_new(struct fake_clock *clock)
{
    struct fake_ca *ca = mem_zalloc(sizeof *ca);

    ca->clock = clock;
    ca->last_reason = -1;
    ca->seed = 4711;
    return ca;
}

static void free_parts(struct fake_ca *ca)
{
    for (size_t i = 0; i < ca->account_count; i++) {
        free(ca->accounts[i].jwk);
        free(ca->accounts[i].url);
        free(ca->accounts[i].status);
        json_decref(ca->accounts[i].contact);
    }
    for (size_t i = 0; i < ca->authz_count; i++) {
        free(ca->authzs[i].domain);
        free(ca->authzs[i].status);
        free(ca->authzs[i].challenge_status);
        free(ca->authzs[i].token);
        free(ca->authzs[i].account_url);
        json_decref(ca->authzs[i].error);
    }
    for (size_t i = 0; i < ca->order_count; i++) {
        free(ca->orders[i].account_url);
        free(ca->orders[i].status);
        strlist_done(&ca->orders[i].names);
        free(ca->orders[i].profile);
        free(ca->orders[i].replaces);
        free(ca->orders[i].csr);
        free(ca->orders[i].certificate);
        json_decref(ca->orders[i].error);
    }
}

void fake_ca_done(struct fake_ca *ca)
{
    char *complaint = ca->complaint;

    free_parts(ca);
    free(ca->accounts);
    free(ca->authzs);
    free(ca->orders);
    strlist_done(&ca->nonces);
    strlist_done(&ca->used_nonces);
    strlist_done(&ca->revoked);
    free(ca->body);
    free(ca->headers);
    free(ca);
    if (complaint)
        fail_msg("the CA complains: %s", complaint);
}
