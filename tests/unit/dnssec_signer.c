/* SPDX-License-Identifier: MIT */
#include "dnssec_signer.h"

#include <string.h>

#include <openssl/evp.h>

#include "test.h"

#define TTL 3600

static const uint8_t owner[] = "\007example\003com"; /* the NUL is the root */

static void put(struct signer_rdata *out, const void *data, size_t len)
{
    assert_true(len <= sizeof out->data - out->len);
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_number(struct signer_rdata *out, size_t octets, uint32_t value)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)(value >> 8 * octets);

        put(out, &octet, 1);
    }
}

static EVP_PKEY *private_key(const struct signer_key *key)
{
    uint8_t seed[32];
    EVP_PKEY *made;

    memset(seed, key->seed, sizeof seed);
    made = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, sizeof seed);
    assert_non_null(made);
    return made;
}

void signer_dnskey(const struct signer_key *key, struct signer_rdata *out)
{
    EVP_PKEY *made = private_key(key);
    uint8_t public[32];
    size_t len = sizeof public;

    assert_int_equal(EVP_PKEY_get_raw_public_key(made, public, &len), 1);
    EVP_PKEY_free(made);
    out->len = 0;
    put_number(out, 2, key->flags);
    put_number(out, 1, key->protocol);
    put_number(out, 1, 15);
    put(out, public, len);
    assert_int_equal(out->len, SIGNER_KEY_LEN);
}

/* RFC 4034 appendix B, as it stands there. */
static uint16_t key_tag(const struct signer_rdata *dnskey)
{
    uint32_t ac = 0;

    for (size_t i = 0; i < dnskey->len; ++i)
        ac += (i & 1) ? dnskey->data[i] : (uint32_t)dnskey->data[i] << 8;
    ac += (ac >> 16) & 0xFFFF;
    return (uint16_t)(ac & 0xFFFF);
}

void signer_ds(const struct signer_rdata *dnskey, struct signer_rdata *out)
{
    struct signer_rdata data = {.len = 0};
    uint8_t digest[32];

    put(&data, owner, sizeof owner);
    put(&data, dnskey->data, dnskey->len);
    assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, data.data, data.len, digest, NULL), 1);
    out->len = 0;
    put_number(out, 2, key_tag(dnskey));
    put_number(out, 1, 15);
    put_number(out, 1, 2);
    put(out, digest, sizeof digest);
    assert_int_equal(out->len, SIGNER_DS_LEN);
}

static void put_signature(const struct signer_key *key, const uint8_t *data, size_t len, struct signer_rdata *out)
{
    EVP_PKEY *made = private_key(key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[64];
    size_t signature_len = sizeof signature;

    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, made, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &signature_len, data, len), 1);
    put(out, signature, signature_len);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(made);
}

void signer_sign(const struct signer_key *key, uint16_t type, const struct signer_rdata *rdatas, size_t count,
                 uint32_t begins_s, uint32_t expires_s, struct signer_rdata *out)
{
    static uint8_t data[32768];
    struct signer_rdata dnskey;
    size_t len;

    signer_dnskey(key, &dnskey);
    out->len = 0;
    put_number(out, 2, type);
    put_number(out, 1, 15);
    put_number(out, 1, 2); /* labels */
    put_number(out, 4, TTL);
    put_number(out, 4, expires_s);
    put_number(out, 4, begins_s);
    put_number(out, 2, key_tag(&dnskey));
    put(out, owner, sizeof owner);
    memcpy(data, out->data, out->len);
    len = out->len;
    for (size_t i = 0; i < count; i++) {
        struct signer_rdata rr = {.len = 0};

        put(&rr, owner, sizeof owner);
        put_number(&rr, 2, type);
        put_number(&rr, 2, 1);
        put_number(&rr, 4, TTL);
        put_number(&rr, 2, (uint32_t)rdatas[i].len);
        put(&rr, rdatas[i].data, rdatas[i].len);
        assert_true(rr.len <= sizeof data - len);
        memcpy(data + len, rr.data, rr.len);
        len += rr.len;
    }
    put_signature(key, data, len, out);
    assert_int_equal(out->len, SIGNER_SIGNATURE_LEN);
}
