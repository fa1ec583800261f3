/* SPDX-License-Identifier: MIT */
#include "crypto/digest.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/b64url.h"
#include "util/text.h"

/* The library's own reason.  Most likely: a provider configuration that lacks the algorithm, such as a strict FIPS
 * set-up. */
static enum err_code fail(struct err *err, const char *what)
{
    char reason[160];

    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    ERR_clear_error();
    return err_set(err, ERR_INTERNAL, "could not compute %s: OpenSSL says \"%s\"", what, reason);
}

static enum err_code compute(const EVP_MD *kind, const char *name, const void *data, size_t len, uint8_t *out,
                             size_t out_len, struct err *err)
{
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned md_len = 0;

    if (EVP_Digest(data, len, md, &md_len, kind, NULL) != 1 || md_len != out_len)
        return fail(err, name);
    memcpy(out, md, out_len);
    return ERR_OK;
}

enum err_code digest_sha1(const void *data, size_t len, uint8_t out[DIGEST_SHA1_LEN], struct err *err)
{
    return compute(EVP_sha1(), "SHA-1", data, len, out, DIGEST_SHA1_LEN, err);
}

enum err_code digest_sha384(const void *data, size_t len, uint8_t out[DIGEST_SHA384_LEN], struct err *err)
{
    return compute(EVP_sha384(), "SHA-384", data, len, out, DIGEST_SHA384_LEN, err);
}

enum err_code digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN], struct err *err)
{
    return compute(EVP_sha256(), "SHA-256", data, len, out, DIGEST_SHA256_LEN, err);
}

enum err_code digest_hmac_sha1_hex(const struct secret *key, const void *data, size_t len,
                                   char out[DIGEST_SHA1_HEX_LEN + 1], struct err *err)
{
    uint8_t md[EVP_MAX_MD_SIZE];
    size_t md_len = 0;

    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, secret_bytes(key), secret_len(key), data, len, md, sizeof md,
                   &md_len) ||
        md_len != DIGEST_SHA1_LEN) {
        enum err_code code = fail(err, "HMAC-SHA1");
        err_hint(err, "DNS Made Easy signs requests with HMAC-SHA1: it must not be disabled in openssl.cnf.");
        return code;
    }
    text_hex_into(out, md, md_len);
    secret_wipe(md, sizeof md);
    return ERR_OK;
}

enum err_code digest_hmac(enum digest_hmac hash, const struct secret *key, const void *data, size_t len,
                          uint8_t out[DIGEST_HMAC_MAX], size_t *out_len, struct err *err)
{
    static const struct {
        const char *digest;
        size_t len;
    } hashes[] = {
        [DIGEST_HMAC_SHA256] = {"SHA256", 32},
        [DIGEST_HMAC_SHA384] = {"SHA384", 48},
        [DIGEST_HMAC_SHA512] = {"SHA512", 64},
    };
    uint8_t md[EVP_MAX_MD_SIZE];
    size_t md_len = 0;

    if (!EVP_Q_mac(NULL, "HMAC", NULL, hashes[hash].digest, NULL, secret_bytes(key), secret_len(key), data, len, md,
                   sizeof md, &md_len) ||
        md_len != hashes[hash].len)
        return fail(err, "HMAC");
    memcpy(out, md, md_len);
    *out_len = md_len;
    secret_wipe(md, sizeof md);
    return ERR_OK;
}

enum err_code digest_sha256_b64url(const void *data, size_t len, char out[DIGEST_B64URL_SHA256_LEN + 1],
                                   struct err *err)
{
    uint8_t md[DIGEST_SHA256_LEN];
    enum err_code code = digest_sha256(data, len, md, err);

    if (code == ERR_OK)
        b64url_encode(out, md, sizeof md);
    return code;
}

enum err_code digest_fingerprint(const struct secret *secret, char out[9], struct err *err)
{
    uint8_t md[DIGEST_SHA256_LEN];
    enum err_code code = digest_sha256(secret_bytes(secret), secret_len(secret), md, err);

    if (code == ERR_OK)
        text_hex_into(out, md, 4);
    secret_wipe(md, sizeof md);
    return code;
}
