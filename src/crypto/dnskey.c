/* SPDX-License-Identifier: MIT */
#include "crypto/dnskey.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "crypto/ossl.h"

#define RSA_MODULUS_MIN 64  /* octets: RFC 5702 section 2.1 */
#define RSA_MODULUS_MAX 512 /* the same */
#define EC_FIELD_MAX 48     /* P-384 */
#define ECDSA_DER_MAX (2 * EC_FIELD_MAX + 16)

enum family { RSA_KEY, EC_KEY_POINT, EDWARDS_KEY };

struct algorithm {
    unsigned number;
    enum family family;
    const char *digest; /* NULL: part of the algorithm */
    const char *group;  /* OpenSSL's name of curve or key type */
    size_t field_len;   /* EC: octets of a coordinate */
};

static const struct algorithm algorithms[] = {
    {DNSKEY_RSASHA1, RSA_KEY, "SHA1", "RSA", 0},
    {DNSKEY_RSASHA1_NSEC3, RSA_KEY, "SHA1", "RSA", 0},
    {DNSKEY_RSASHA256, RSA_KEY, "SHA256", "RSA", 0},
    {DNSKEY_RSASHA512, RSA_KEY, "SHA512", "RSA", 0},
    {DNSKEY_ECDSAP256SHA256, EC_KEY_POINT, "SHA256", "P-256", 32},
    {DNSKEY_ECDSAP384SHA384, EC_KEY_POINT, "SHA384", "P-384", 48},
    {DNSKEY_ED25519, EDWARDS_KEY, NULL, "ED25519", 0},
    {DNSKEY_ED448, EDWARDS_KEY, NULL, "ED448", 0},
};

static const struct algorithm *find_algorithm(unsigned number)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        if (algorithms[i].number == number)
            return &algorithms[i];
    return NULL;
}

bool dnskey_is_known(unsigned algorithm)
{
    return find_algorithm(algorithm) != NULL;
}

/* ------------------------------------------------------------------ keys */

/* NULL: no such key. */
static EVP_PKEY *key_from(const char *type, OSSL_PARAM *params)
{
    AUTO(ossl_free_pkey_context) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

static EVP_PKEY *rsa_from(struct dnskey_bytes exponent, struct dnskey_bytes modulus)
{
    AUTO(ossl_free_number) BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.len, NULL);
    AUTO(ossl_free_number) BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
    AUTO(ossl_free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    AUTO(ossl_free_params) OSSL_PARAM *params = NULL;

    if (!e || !n || !builder || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1)
        return NULL;
    params = OSSL_PARAM_BLD_to_param(builder);
    return params ? key_from("RSA", params) : NULL;
}

/* RFC 3110 section 2: length of the exponent in one octet, or in two behind a zero; exponent; modulus. */
static EVP_PKEY *make_rsa(struct dnskey_bytes key)
{
    size_t at = 1;
    size_t exponent_len;

    if (key.len < 3)
        return NULL;
    exponent_len = key.data[0];
    if (exponent_len == 0) {
        exponent_len = (size_t)key.data[1] << 8 | key.data[2];
        at = 3;
    }
    if (exponent_len == 0 || exponent_len > key.len - at || key.len - at - exponent_len < RSA_MODULUS_MIN ||
        key.len - at - exponent_len > RSA_MODULUS_MAX)
        return NULL;
    return rsa_from((struct dnskey_bytes){key.data + at, exponent_len},
                    (struct dnskey_bytes){key.data + at + exponent_len, key.len - at - exponent_len});
}

/* RFC 6605 section 4: both coordinates; OpenSSL wants 04 in front, "uncompressed". */
static EVP_PKEY *make_ec(const struct algorithm *algorithm, struct dnskey_bytes key)
{
    uint8_t point[1 + 2 * EC_FIELD_MAX] = {4};
    char group[16];
    OSSL_PARAM params[3];

    if (key.len != 2 * algorithm->field_len)
        return NULL;
    memcpy(point + 1, key.data, key.len);
    memcpy(group, algorithm->group, strlen(algorithm->group) + 1);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, key.len + 1);
    params[2] = OSSL_PARAM_construct_end();
    return key_from("EC", params);
}

static EVP_PKEY *make_key(const struct algorithm *algorithm, struct dnskey_bytes key)
{
    switch (algorithm->family) {
    case RSA_KEY:
        return make_rsa(key);
    case EC_KEY_POINT:
        return make_ec(algorithm, key);
    default:
        return EVP_PKEY_new_raw_public_key_ex(NULL, algorithm->group, NULL, key.data, key.len);
    }
}

/* ------------------------------------------------------------------ signatures */

/* RFC 6605 section 4: r and s, each as long as the field; OpenSSL wants DER.  0: no signature. */
static size_t ecdsa_to_der(const struct algorithm *algorithm, struct dnskey_bytes signature, uint8_t out[ECDSA_DER_MAX])
{
    AUTO(ossl_free_signature) ECDSA_SIG *parsed = ECDSA_SIG_new();
    BIGNUM *r, *s;
    int len;

    if (!parsed || signature.len != 2 * algorithm->field_len)
        return 0;
    r = BN_bin2bn(signature.data, (int)algorithm->field_len, NULL);
    s = BN_bin2bn(signature.data + algorithm->field_len, (int)algorithm->field_len, NULL);
    if (!r || !s || ECDSA_SIG_set0(parsed, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    len = i2d_ECDSA_SIG(parsed, NULL);
    if (len <= 0 || len > ECDSA_DER_MAX)
        return 0;
    len = i2d_ECDSA_SIG(parsed, &out);
    return len > 0 ? (size_t)len : 0;
}

static enum dnskey_verdict verify(const struct algorithm *algorithm, EVP_PKEY *key, struct dnskey_bytes data,
                                  struct dnskey_bytes signature)
{
    AUTO(ossl_free_digest_context) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[ECDSA_DER_MAX];

    if (algorithm->family == EC_KEY_POINT) {
        signature.len = ecdsa_to_der(algorithm, signature, der);
        signature.data = der;
    }
    if (signature.len == 0)
        return DNSKEY_BAD;
    if (!ctx || EVP_DigestVerifyInit_ex(ctx, NULL, algorithm->digest, NULL, NULL, key, NULL) != 1)
        return DNSKEY_UNSUPPORTED;
    return EVP_DigestVerify(ctx, signature.data, signature.len, data.data, data.len) == 1 ? DNSKEY_GOOD : DNSKEY_BAD;
}

enum dnskey_verdict dnskey_verify(unsigned algorithm, struct dnskey_bytes key, struct dnskey_bytes data,
                                  struct dnskey_bytes signature)
{
    const struct algorithm *known = find_algorithm(algorithm);
    enum dnskey_verdict verdict = DNSKEY_BAD;
    EVP_PKEY *made;

    if (!known)
        return DNSKEY_UNSUPPORTED;
    made = make_key(known, key);
    if (made)
        verdict = verify(known, made, data, signature);
    EVP_PKEY_free(made);
    ERR_clear_error(); /* what OpenSSL thinks of bytes from outside is of no interest later */
    return verdict;
}
