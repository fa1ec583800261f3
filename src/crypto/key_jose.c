/* SPDX-License-Identifier: MIT
 *
 * Signatures and public keys in the forms of JOSE: RFC 7518 (RSA, ECDSA), RFC 8037 (Ed25519), RFC 7638 (thumbprints).
 */
#include "crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>

#include "crypto/b64url.h"
#include "crypto/digest.h"
#include "crypto/key_ossl.h"
#include "crypto/ossl.h"

#define SIGNATURE_MAX (KEY_RSA_BITS_MAX / 8) /* ECDSA's and Ed25519's are shorter */
#define JWK_MAX 2048                         /* an RSA key of 8192 bits takes 1400 */

const char *key_jws_alg(const struct key *key)
{
    return key->kind->alg;
}

/* ------------------------------------------------------------------ signatures */

/* R and S of an ECDSA signature in DER, side by side.  False: OpenSSL made nonsense. */
static bool split_signature(const uint8_t *der, size_t der_len, uint8_t *out, size_t field_len)
{
    ECDSA_SIG AUTO(ossl_free_signature) *signature = d2i_ECDSA_SIG(NULL, &der, (long)der_len);

    return signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)field_len) == (int)field_len &&
           BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + field_len, (int)field_len) == (int)field_len;
}

enum err_code key_jws_sign(const struct key *key, const void *data, size_t len, struct buf *out, struct err *err)
{
    EVP_MD_CTX AUTO(ossl_free_digest_context) *ctx = EVP_MD_CTX_new();
    size_t field_len = key->kind->field_len;
    uint8_t raw[2 * KEY_EC_FIELD_MAX];
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len = sizeof signature;

    if (!ctx || EVP_DigestSignInit_ex(ctx, NULL, key->kind->digest, NULL, NULL, key->pkey, NULL) != 1 ||
        EVP_DigestSign(ctx, signature, &signature_len, data, len) != 1 ||
        (field_len && !split_signature(signature, signature_len, raw, field_len)))
        return ossl_fail(err, "sign");
    if (field_len)
        b64url_put(out, raw, 2 * field_len);
    else
        b64url_put(out, signature, signature_len);
    return ERR_OK;
}

/* ------------------------------------------------------------------ public keys */

/* A number of the key as base64url, `len` octets long (0: as long as it is).  False: there is none. */
static bool put_number(struct buf *out, const struct key *key, const char *param, size_t len)
{
    BIGNUM AUTO(ossl_free_number) *number = NULL;
    uint8_t bytes[KEY_RSA_BITS_MAX / 8];

    if (EVP_PKEY_get_bn_param(key->pkey, param, &number) != 1)
        return false;
    if (len == 0)
        len = (size_t)BN_num_bytes(number);
    if (len > sizeof bytes || BN_bn2binpad(number, bytes, (int)len) != (int)len)
        return false;
    b64url_put(out, bytes, len);
    return true;
}

static bool put_rsa(struct buf *out, const struct key *key)
{
    bool is_ok;

    buf_puts(out, "{\"e\":\"");
    is_ok = put_number(out, key, OSSL_PKEY_PARAM_RSA_E, 0);
    buf_puts(out, "\",\"kty\":\"RSA\",\"n\":\"");
    is_ok = put_number(out, key, OSSL_PKEY_PARAM_RSA_N, 0) && is_ok;
    buf_puts(out, "\"}");
    return is_ok;
}

static bool put_ec(struct buf *out, const struct key *key)
{
    size_t len = key->kind->field_len;
    bool is_ok;

    buf_printf(out, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"", key->kind->crv);
    is_ok = put_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, len);
    buf_puts(out, "\",\"y\":\"");
    is_ok = put_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, len) && is_ok;
    buf_puts(out, "\"}");
    return is_ok;
}

static bool put_okp(struct buf *out, const struct key *key)
{
    uint8_t bytes[32]; /* RFC 8032 section 5.1.5 */
    size_t len = sizeof bytes;

    if (EVP_PKEY_get_raw_public_key(key->pkey, bytes, &len) != 1)
        return false;
    buf_printf(out, "{\"crv\":\"%s\",\"kty\":\"OKP\",\"x\":\"", key->kind->crv);
    b64url_put(out, bytes, len);
    buf_puts(out, "\"}");
    return true;
}

enum err_code key_jwk(const struct key *key, struct buf *out, struct err *err)
{
    struct buf AUTO_BUF jwk = BUF_INIT(JWK_MAX);
    bool is_ok = key->kind->group ? put_ec(&jwk, key) : key->kind->crv ? put_okp(&jwk, key) : put_rsa(&jwk, key);

    if (!is_ok || !buf_ok(&jwk))
        return ossl_fail(err, "write a public key as JWK");
    buf_append(out, jwk.data, jwk.len);
    return ERR_OK;
}

enum err_code key_thumbprint(const struct key *key, char out[KEY_THUMBPRINT_LEN + 1], struct err *err)
{
    struct buf AUTO_BUF jwk = BUF_INIT(JWK_MAX);
    enum err_code rc = key_jwk(key, &jwk, err);

    return rc == ERR_OK ? digest_sha256_b64url(jwk.data, jwk.len, out, err) : rc;
}
