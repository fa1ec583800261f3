/* SPDX-License-Identifier: MIT
 *
 * JWS as a CA reads them, with OpenSSL and nothing of the program's own but base64url: what signs wrongly shows here.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "crypto/b64url.h"
#include "fake_ca.h"

static bool decode(const char *text, struct buf *out)
{
    *out = BUF_INIT(1u << 20);
    return text && b64url_decode(text, strlen(text), out);
}

bool fake_ca_jws_parse(const json_t *json, struct fake_ca_jws *out)
{
    const char *protected = json_string_value(json_object_get(json, "protected"));
    const char *payload = json_string_value(json_object_get(json, "payload"));
    const char *signature = json_string_value(json_object_get(json, "signature"));
    AUTO_BUF struct buf header = BUF_INIT(1u << 20);
    AUTO_BUF struct buf content = BUF_INIT(1u << 20);
    json_error_t error;

    *out = (struct fake_ca_jws){.header = NULL, .signature = BUF_INIT(1u << 20)};
    if (json_object_size(json) != 3 || !decode(protected, &header) || !decode(payload, &content) ||
        !decode(signature, &out->signature))
        return false;
    out->header = json_loadb(buf_cstr(&header), header.len, JSON_REJECT_DUPLICATES, &error);
    out->payload_len = content.len;
    out->payload = buf_take(&content);
    out->signing_input = mem_printf("%s.%s", protected, payload);
    return json_is_object(out->header);
}

void fake_ca_jws_done(struct fake_ca_jws *jws)
{
    json_decref(jws->header);
    free(jws->payload);
    free(jws->signing_input);
    buf_done(&jws->signature);
}

/* ------------------------------------------------------------------ keys */

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *ec_key(const json_t *jwk, const char *group, size_t size)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    AUTO_BUF struct buf x = BUF_INIT(1), y = BUF_INIT(1);
    struct buf point AUTO_BUF = BUF_INIT(256);
    EVP_PKEY *key = NULL;

    if (decode(json_string_value(json_object_get(jwk, "x")), &x) &&
        decode(json_string_value(json_object_get(jwk, "y")), &y) && x.len == size && y.len == size) {
        buf_putc(&point, 4);
        buf_append(&point, buf_cstr(&x), x.len);
        buf_append(&point, buf_cstr(&y), y.len);
        (void)OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
        (void)OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, buf_cstr(&point), point.len);
        key = from_params("EC", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *rsa_key(const json_t *jwk)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    AUTO_BUF struct buf n = BUF_INIT(1), e = BUF_INIT(1);
    BIGNUM *modulus = NULL, *exponent = NULL;
    EVP_PKEY *key = NULL;

    if (decode(json_string_value(json_object_get(jwk, "n")), &n) &&
        decode(json_string_value(json_object_get(jwk, "e")), &e)) {
        modulus = BN_bin2bn((const unsigned char *)buf_cstr(&n), (int)n.len, NULL);
        exponent = BN_bin2bn((const unsigned char *)buf_cstr(&e), (int)e.len, NULL);
        (void)OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
        (void)OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
        key = from_params("RSA", builder);
    }
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *okp_key(const json_t *jwk)
{
    struct buf x AUTO_BUF = BUF_INIT(1);

    if (!decode(json_string_value(json_object_get(jwk, "x")), &x))
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)buf_cstr(&x), x.len);
}

/* ------------------------------------------------------------------ signatures */

/* R and S side by side become the DER that OpenSSL wants. */
static unsigned char *ecdsa_der(const struct buf *raw, size_t size, size_t *out_len)
{
    const unsigned char *bytes = (const unsigned char *)buf_cstr(raw);
    unsigned char *der = NULL;
    ECDSA_SIG *signature;
    int len = 0;

    if (raw->len != 2 * size)
        return NULL;
    signature = ECDSA_SIG_new();
    if (ECDSA_SIG_set0(signature, BN_bin2bn(bytes, (int)size, NULL), BN_bin2bn(bytes + size, (int)size, NULL)) == 1)
        len = i2d_ECDSA_SIG(signature, &der);
    ECDSA_SIG_free(signature);
    *out_len = len > 0 ? (size_t)len : 0;
    return der;
}

static bool check(EVP_PKEY *key, const EVP_MD *md, const struct fake_ca_jws *jws, const unsigned char *signature,
                  size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = key && signature && EVP_DigestVerifyInit(context, NULL, md, NULL, key) == 1 &&
              EVP_DigestVerify(context, signature, len, (const unsigned char *)jws->signing_input,
                               strlen(jws->signing_input)) == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

static bool check_ecdsa(const struct fake_ca_jws *jws, const json_t *jwk, const char *group, size_t size,
                        const EVP_MD *md)
{
    size_t len = 0;
    unsigned char *der = ecdsa_der(&jws->signature, size, &len);
    EVP_PKEY *key = ec_key(jwk, group, size);
    bool ok = check(key, md, jws, der, len);

    EVP_PKEY_free(key);
    OPENSSL_free(der);
    return ok;
}

bool fake_ca_jws_verify(const struct fake_ca_jws *jws, const json_t *jwk)
{
    const char *alg = json_string_value(json_object_get(jws->header, "alg"));
    EVP_PKEY *key;
    bool ok;

    if (!alg)
        return false;
    if (strcmp(alg, "ES256") == 0)
        return check_ecdsa(jws, jwk, "P-256", 32, EVP_sha256());
    if (strcmp(alg, "ES384") == 0)
        return check_ecdsa(jws, jwk, "P-384", 48, EVP_sha384());
    key = strcmp(alg, "RS256") == 0 ? rsa_key(jwk) : strcmp(alg, "EdDSA") == 0 ? okp_key(jwk) : NULL;
    ok = check(key, strcmp(alg, "RS256") == 0 ? EVP_sha256() : NULL, jws,
               (const unsigned char *)buf_cstr(&jws->signature), jws->signature.len);
    EVP_PKEY_free(key);
    return ok;
}
