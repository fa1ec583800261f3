/* SPDX-License-Identifier: MIT
 *
 * From a challenge to the TXT record that answers it.
 */
#include <string.h>

#include "acme/internal.h"

#define KEY_AUTHORIZATION_MAX 1024
#define PERSIST_VALUE_MAX 4096
#define LABEL_BYTES 10 /* of the digest: draft-ietf-acme-dns-account-label-03 section 3.1 */
#define LABEL_LEN 16

/* RFC 8555 section 8.1 and 8.4 */
static enum err_code key_authorization_digest(const struct acme *acme, const char *token, char **out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(KEY_AUTHORIZATION_MAX);
    char thumbprint[KEY_THUMBPRINT_LEN + 1];
    char digest[DIGEST_B64URL_SHA256_LEN + 1];
    enum err_code code = key_thumbprint(acme->key, thumbprint, err);

    if (code != ERR_OK)
        return code;
    buf_printf(&text, "%s.%s", token, thumbprint);
    if (!buf_ok(&text))
        return err_set(err, ERR_ACME, "the CA's challenge has a token that is too long");
    code = digest_sha256_b64url(buf_cstr(&text), text.len, digest, err);
    if (code == ERR_OK)
        *out = mem_strdup(digest);
    return code;
}

/* RFC 4648 section 6, in lower case; 10 bytes are 16 characters without padding. */
static void base32(const uint8_t bytes[LABEL_BYTES], char out[LABEL_LEN + 1])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

    for (size_t i = 0; i < LABEL_LEN; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | (bit / 8 + 1 < LABEL_BYTES ? bytes[bit / 8 + 1] : 0u);

        out[i] = digits[pair >> (11 - bit % 8) & 31];
    }
    out[LABEL_LEN] = '\0';
}

static enum err_code account_name(const struct acme *acme, const char *domain, char **out, struct err *err)
{
    uint8_t digest[DIGEST_SHA256_LEN];
    char label[LABEL_LEN + 1];
    enum err_code code = digest_sha256(acme->account_url, strlen(acme->account_url), digest, err);

    if (code != ERR_OK)
        return code;
    base32(digest, label);
    *out = mem_printf("_%s._acme-challenge.%s", label, domain);
    return ERR_OK;
}

/* An issue-value of RFC 8659 section 4.2: the account's URL must not hold what would end it. */
static enum err_code persist_value(const struct acme *acme, const struct acme_authz *authz, char **out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(PERSIST_VALUE_MAX);

    if (strchr(acme->account_url, ';'))
        return err_set(err, ERR_ACME, "the account's URL \"%s\" can't stand in a record of dns-persist-01",
                       acme->account_url);
    buf_printf(&text, "%s; accounturi=%s%s", authz->challenge.issuer_domains.items[0], acme->account_url,
               authz->is_wildcard ? "; policy=wildcard" : "");
    if (!buf_ok(&text))
        return err_set(err, ERR_ACME, "the account's URL is too long for a record of dns-persist-01");
    *out = buf_take(&text);
    return ERR_OK;
}

enum err_code acme_challenge_record(const struct acme *acme, const struct acme_authz *authz,
                                    enum acme_challenge_type type, char **out_name, char **out_value, struct err *err)
{
    char AUTO_FREE *name = NULL;
    char AUTO_FREE *value = NULL;
    enum err_code code = acme_account_want(acme, err);

    if (code != ERR_OK)
        return code;
    if (type == ACME_DNS_PERSIST_01) {
        name = mem_printf("_validation-persist.%s", authz->domain);
        code = persist_value(acme, authz, &value, err);
    } else {
        code = key_authorization_digest(acme, authz->challenge.token, &value, err);
    }
    if (code == ERR_OK && type == ACME_DNS_01)
        name = mem_printf("_acme-challenge.%s", authz->domain);
    else if (code == ERR_OK && type == ACME_DNS_ACCOUNT_01)
        code = account_name(acme, authz->domain, &name, err);
    if (code != ERR_OK)
        return code;
    *out_name = name;
    *out_value = value;
    name = value = NULL;
    return ERR_OK;
}
