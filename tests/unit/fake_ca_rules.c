/* SPDX-License-Identifier: MIT
 *
 * What the rules of ACME say of a request: nonces, JWS, who signed.
 */
#include "fake_ca_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define URN "urn:ietf:params:acme:error:"

/* ------------------------------------------------------------------ one request and its answer */

json_t *fake_ca_problem(const char *type, const char *detail)
{
    json_t *json = json_object();

    (void)json_object_set_new(json, "type", json_sprintf(URN "%s", type));
    (void)json_object_set_new(json, "detail", json_string(detail));
    return json;
}

void fake_ca_refuse(struct reply *reply, long status, const char *type, const char *detail)
{
    json_decref(reply->json);
    reply->json = fake_ca_problem(type, detail);
    reply->status = status;
}

/* A rule was broken. */
void fake_ca_complain(struct fake_ca *ca, struct reply *reply, const char *rule)
{
    if (!ca->complaint)
        ca->complaint = mem_printf("request %zu: %s", ca->request_count, rule);
    fake_ca_refuse(reply, 400, "malformed", rule);
}

char *fake_ca_canonical(const json_t *json)
{
    struct buf text AUTO_BUF = BUF_INIT(1u << 20);

    json_write_sorted(json, &text);
    return buf_take(&text);
}

const char *fake_ca_member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

char *fake_ca_url_of(const char *kind, size_t number)
{
    return mem_printf(FAKE_CA_ROOT "/%s/%zu", kind, number);
}

void fake_ca_set_string(char **out, const char *text)
{
    free(*out);
    *out = mem_strdup(text);
}

struct fake_ca_account *fake_ca_find_account(struct fake_ca *ca, const char *url, const char *jwk)
{
    for (size_t i = 0; i < ca->account_count; i++)
        if ((url && strcmp(ca->accounts[i].url, url) == 0) || (jwk && strcmp(ca->accounts[i].jwk, jwk) == 0))
            return &ca->accounts[i];
    return NULL;
}

/* ------------------------------------------------------------------ nonces */

json_t *fake_ca_url(const char *what, size_t number, const char *rest)
{
    char AUTO_FREE *url = mem_printf("%s/%s/%zu%s%s", FAKE_CA_ROOT, what, number, rest ? "/" : "", rest ? rest : "");

    return json_string(url);
}

char *fake_ca_new_nonce(struct fake_ca *ca)
{
    char *nonce = mem_printf("nonce-%zu_x", ca->nonce_number++);

    strlist_add(&ca->nonces, nonce);
    return nonce;
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
    const char *nonce = fake_ca_member(asked->jws.header, "nonce");

    if (!nonce) {
        fake_ca_complain(ca, reply, "no nonce");
        return false;
    }
    if (strlist_has(&ca->used_nonces, nonce)) {
        fake_ca_complain(ca, reply, "a nonce was used twice");
        return false;
    }
    if (!use_nonce(ca, nonce) || draw(ca) < ca->manner.bad_nonce_percent) {
        fake_ca_refuse(reply, 400, "badNonce", "JWS has an invalid anti-replay nonce");
        return false;
    }
    return true;
}

static bool check_signer(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const json_t *jwk = json_object_get(asked->jws.header, "jwk");
    const char *kid = fake_ca_member(asked->jws.header, "kid");
    json_t *account_jwk;
    bool ok;

    if (!jwk == !kid) {
        fake_ca_complain(ca, reply, "not exactly one of jwk and kid");
        return false;
    }
    if (jwk) {
        asked->jwk = fake_ca_canonical(jwk);
        if (fake_ca_jws_verify(&asked->jws, jwk))
            return true;
        fake_ca_complain(ca, reply, "the signature does not fit the key");
        return false;
    }
    asked->account = fake_ca_find_account(ca, kid, NULL);
    if (!asked->account || ca->manner.forgets_account) {
        fake_ca_refuse(reply, 400, "accountDoesNotExist", "no such account");
        return false;
    }
    account_jwk = json_loads(asked->account->jwk, 0, NULL);
    ok = fake_ca_jws_verify(&asked->jws, account_jwk);
    json_decref(account_jwk);
    if (!ok && ca->manner.has_other_keys)
        fake_ca_refuse(reply, 400, "malformed", "JWS verification error");
    else if (!ok)
        fake_ca_complain(ca, reply, "the signature does not fit the account");
    if (ok && strcmp(asked->account->status, "valid") != 0) {
        fake_ca_refuse(reply, 401, "unauthorized", "the account is deactivated");
        return false;
    }
    return ok;
}

bool fake_ca_check_post(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *type = fake_seen_header(asked->seen, "Content-Type");
    const char *url;
    json_t *body;
    bool ok;

    if (!type || strcmp(type, "application/jose+json") != 0 || !fake_seen_header(asked->seen, "Accept-Language") ||
        !fake_seen_header(asked->seen, "Accept")) {
        fake_ca_complain(ca, reply, "a header is missing");
        return false;
    }
    body = json_loads(asked->seen->body ? asked->seen->body : "", JSON_REJECT_DUPLICATES, NULL);
    ok = fake_ca_jws_parse(body, &asked->jws);
    json_decref(body);
    if (!ok) {
        fake_ca_complain(ca, reply, "no JWS");
        return false;
    }
    url = fake_ca_member(asked->jws.header, "url");
    if (!url || strcmp(url, asked->seen->url) != 0 || json_object_size(asked->jws.header) != 4) {
        fake_ca_complain(ca, reply, "the header's url is not that of the request, or it has too many members");
        return false;
    }
    if (!check_nonce(ca, asked, reply) || !check_signer(ca, asked, reply))
        return false;
    if (asked->jws.payload_len == 0)
        return true;
    asked->payload = json_loads(asked->jws.payload, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(asked->payload))
        fake_ca_complain(ca, reply, "the payload is no object");
    return json_is_object(asked->payload);
}
