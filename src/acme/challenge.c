/* SPDX-License-Identifier: MIT
 *
 * Challenges that are answered in the DNS, RFC 8555 section 8: read, answered, and the records that they want.
 */
#include <string.h>

#include "acme/internal.h"
#include "crypto/b64url.h"
#include "util/text.h"

#define WHAT "the CA's challenge object"
#define TOKEN_MAX 512
#define ISSUERS_MAX 10 /* draft-ietf-acme-dns-persist section 3 */
#define ISSUER_MAX_LEN 253
#define LABEL_BYTES 10 /* of the digest; 16 characters of base32 */

const char *acme_challenge_type_name(enum acme_challenge_type type)
{
    static const char *const names[] = {
        [ACME_DNS_01] = "dns-01",
        [ACME_DNS_ACCOUNT_01] = "dns-account-01",
        [ACME_DNS_PERSIST_01] = "dns-persist-01",
    };

    return names[type];
}

/* ------------------------------------------------------------------ reading */

static enum err_code read_token(const json_t *json, struct acme_challenge *out, struct err *err)
{
    const char *token;
    enum err_code code = json_want_string(json, "token", WHAT, &token, err);

    if (code != ERR_OK)
        return code;
    if (!b64url_is_text(token, TOKEN_MAX))
        return err_set(err, ERR_INPUT, "%s has a \"token\" that is not base64url", WHAT);
    out->token = mem_strdup(token);
    return ERR_OK;
}

static bool is_issuer_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

    return len > 0 && len <= ISSUER_MAX_LEN && name[len] == '\0' && name[0] != '.' && name[len - 1] != '.' &&
           !strstr(name, "..");
}

static enum err_code read_issuers(const json_t *json, struct acme_challenge *out, struct err *err)
{
    struct strlist *issuers = &out->issuer_domains;
    enum err_code code = acme_member_find_strings(json, "issuer-domain-names", ISSUERS_MAX, WHAT, issuers, err);

    if (code == ERR_OK && issuers->count == 0)
        return err_set(err, ERR_INPUT, "%s has no \"issuer-domain-names\"", WHAT);
    for (size_t i = 0; code == ERR_OK && i < issuers->count; i++) {
        text_lower_inplace(issuers->items[i]);
        if (!is_issuer_name(issuers->items[i]))
            code = err_set(err, ERR_INPUT, "%s has \"%.253s\" among its \"issuer-domain-names\", which is no DNS name",
                           WHAT, issuers->items[i]);
    }
    return code;
}

static enum err_code read_status(const json_t *json, enum acme_challenge_status *out, struct err *err)
{
    static const char *const statuses[] = {"pending", "processing", "valid", "invalid"};
    size_t status;
    enum err_code code = acme_member_want_status(json, statuses, ARRAY_LEN(statuses), WHAT, &status, err);

    if (code == ERR_OK)
        *out = (enum acme_challenge_status)status;
    return code;
}

enum err_code acme_challenge_read(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                                  struct acme_challenge *out, struct err *err)
{
    struct acme_challenge challenge AUTO(acme_challenge_done) = {.url = NULL};
    enum err_code code = read_status(json, &challenge.status, err);

    if (code == ERR_OK)
        code = acme_member_want_url(json, "url", scheme, WHAT, &challenge.url, err);
    if (code == ERR_OK)
        code = type == ACME_DNS_PERSIST_01 ? read_issuers(json, &challenge, err) : read_token(json, &challenge, err);
    if (code != ERR_OK)
        return code;
    *out = challenge;
    challenge = (struct acme_challenge){.url = NULL};
    return ERR_OK;
}

/* ------------------------------------------------------------------ answering */

/* The order says how the validation went; here only the time to look at it matters. */
static void take_answer(struct acme *acme, const struct acme_call *call, struct acme_authz *authz)
{
    int64_t pause_ms = acme_retry_after_ms(&call->response, clock_wall_ms(acme->clock));
    struct err ignored;

    authz->result = call->result;
    if (call->result.code == ERR_ACME && call->attempts > 1 && call->result.problem == ACME_PROBLEM_MALFORMED) {
        /* An attempt whose answer was lost has begun the validation: it can't be asked for twice.  libcurl, too, sends
         * again when a connection that it kept has died, which the CA then calls a bad nonce. */
        acme_result_init(&authz->result);
        return;
    }
    if (call->result.code != ERR_OK)
        return;
    if (call->json)
        (void)!read_status(call->json, &authz->challenge.status, &ignored);
    if (pause_ms > 0 && acme->look_at_ms < clock_mono_ms(acme->clock) + pause_ms)
        acme->look_at_ms = clock_mono_ms(acme->clock) + pause_ms;
}

static bool is_to_be_answered(const struct acme_authz *authz)
{
    return authz->status == ACME_AUTHZ_PENDING && authz->has_challenge &&
           authz->challenge.status == ACME_CHALLENGE_PENDING;
}

static enum err_code answer_all(struct acme *acme, struct acme_authz *const *authzs, size_t count, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        calls.items[i].kind = ACME_POST;
        calls.items[i].expect = ACME_EXPECT_ANY;
        calls.items[i].url = authzs[i]->challenge.url;
        calls.items[i].what = mem_printf("ask the CA to validate \"%s%s\"", authzs[i]->is_wildcard ? "*." : "",
                                         authzs[i]->domain);
        calls.items[i].payload = mem_strdup("{}");
    }
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++)
        take_answer(acme, &calls.items[i], authzs[i]);
    log_line(acme->log, LOG_INFO, "the CA was told of %zu challenge%s", count, count == 1 ? "" : "s");
    return code;
}

enum err_code acme_challenges_answer(struct acme *acme, struct acme_authz *const *authzs, size_t count, struct err *err)
{
    struct acme_authz **open AUTO_FREE = mem_calloc(count, sizeof(struct acme_authz *));
    struct err why;
    size_t open_count = 0;
    enum err_code code = acme_ready(acme, &why);

    acme->look_at_ms = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_to_be_answered(authzs[i]))
            open[open_count++] = authzs[i];
        if (code != ERR_OK)
            acme_result_set(&authzs[i]->result, code, &why);
    }
    if (code == ERR_OK && open_count > 0)
        code = answer_all(acme, open, open_count, &why);
    if (code != ERR_OK && err)
        *err = why;
    return code;
}

/* ------------------------------------------------------------------ records */

/* base64url of SHA-256 of "<token>.<thumbprint of the account's key>" */
static enum err_code digest_of_authorization(const struct acme *acme, const char *token, char **out, struct err *err)
{
    char thumbprint[KEY_THUMBPRINT_LEN + 1];
    char digest[DIGEST_B64URL_SHA256_LEN + 1];
    struct buf text AUTO_BUF = BUF_INIT(TOKEN_MAX + KEY_THUMBPRINT_LEN + 2);
    enum err_code code = key_thumbprint(acme->key, thumbprint, err);

    if (code != ERR_OK)
        return code;
    buf_printf(&text, "%s.%s", token, thumbprint);
    code = digest_sha256_b64url(buf_cstr(&text), text.len, digest, err);
    if (code == ERR_OK)
        *out = mem_strdup(digest);
    return code;
}

/* The first bytes of the digest of the account's URL, in base32 (RFC 4648 section 6) and lower case. */
static enum err_code account_label(const char *account_url, char out[LABEL_BYTES * 8 / 5 + 1], struct err *err)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t digest[DIGEST_SHA256_LEN];
    uint32_t bits = 0;
    unsigned bit_count = 0;
    enum err_code code = digest_sha256(account_url, strlen(account_url), digest, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < LABEL_BYTES; i++) {
        bits = bits << 8 | digest[i];
        for (bit_count += 8; bit_count >= 5; bit_count -= 5)
            *out++ = alphabet[bits >> (bit_count - 5) & 31];
    }
    *out = '\0';
    return ERR_OK;
}

static enum err_code persistent_value(const struct acme *acme, const struct acme_authz *authz, char **out,
                                      struct err *err)
{
    const char *url = acme->account_url;

    if (authz->challenge.issuer_domains.count == 0)
        return err_set(err, ERR_ACME, "the CA names no issuer for the record of \"%s\"", authz->domain);
    if (strchr(url, ';')) /* it ends a parameter */
        return err_set(err, ERR_ACME, "the account's URL \"%s\" can't stand in a record, as it has a semicolon", url);
    *out = mem_printf("%s; accounturi=%s%s", authz->challenge.issuer_domains.items[0], url,
                      authz->is_wildcard ? "; policy=wildcard" : "");
    return ERR_OK;
}

enum err_code acme_challenge_record(const struct acme *acme, const struct acme_authz *authz,
                                    enum acme_challenge_type type, char **out_name, char **out_value, struct err *err)
{
    char label[LABEL_BYTES * 8 / 5 + 1];
    char *value = NULL;
    enum err_code code = acme_account_want(acme, err);

    if (code == ERR_OK && (!authz->has_challenge || (type != ACME_DNS_PERSIST_01 && !authz->challenge.token)))
        code = err_set(err, ERR_ACME, "the CA offers no %s challenge for \"%s\"", acme_challenge_type_name(type),
                       authz->domain);
    if (code == ERR_OK && type == ACME_DNS_ACCOUNT_01)
        code = account_label(acme->account_url, label, err);
    if (code == ERR_OK && type == ACME_DNS_PERSIST_01)
        code = persistent_value(acme, authz, &value, err);
    else if (code == ERR_OK)
        code = digest_of_authorization(acme, authz->challenge.token, &value, err);
    if (code != ERR_OK)
        return code;
    *out_value = value;
    if (type == ACME_DNS_ACCOUNT_01)
        *out_name = mem_printf("_%s._acme-challenge.%s", label, authz->domain);
    else
        *out_name = mem_printf("%s.%s", type == ACME_DNS_01 ? "_acme-challenge" : "_validation-persist", authz->domain);
    return ERR_OK;
}
