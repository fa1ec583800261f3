/* SPDX-License-Identifier: MIT
 *
 * Handles of keys: made, examined, written.  How they are read is in key_parse.c, how they sign in key_jose.c.
 */
#include "crypto/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/key_ossl.h"
#include "crypto/ossl.h"
#include "crypto/x509.h"
#include "util/mem.h"
#include "util/secret.h"
#include "util/text.h"

#define GROUP_NAME_MAX 80
#define REASON_MAX 160

/* ------------------------------------------------------------------ kinds */

static const struct key_kind kinds[] = {
    {KEY_OTHER, "RSA", NULL, NULL, "RS256", "SHA256", 0},
    {KEY_ECDSA_P256, "EC", "prime256v1", "P-256", "ES256", "SHA256", 32},
    {KEY_ECDSA_P384, "EC", "secp384r1", "P-384", "ES384", "SHA384", 48},
    {KEY_OTHER, "EC", "secp521r1", "P-521", "ES512", "SHA512", 66},
    {KEY_ED25519, "ED25519", NULL, "Ed25519", "EdDSA", NULL, 0},
};

const struct key_kind *key_kind_of_curve(const char *crv)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].group && strcmp(kinds[i].crv, crv) == 0)
            return &kinds[i];
    return NULL;
}

static void name_group(const EVP_PKEY *pkey, char out[GROUP_NAME_MAX])
{
    size_t len;

    out[0] = '\0';
    if (EVP_PKEY_get_group_name(pkey, out, GROUP_NAME_MAX, &len) != 1)
        out[0] = '\0';
    ERR_clear_error();
}

const struct key_kind *key_kind_of(const EVP_PKEY *pkey)
{
    char group[GROUP_NAME_MAX];

    name_group(pkey, group);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (EVP_PKEY_is_a(pkey, kinds[i].ossl_type) && (!kinds[i].group || strcmp(kinds[i].group, group) == 0))
            return &kinds[i];
    return NULL;
}

enum key_type key_kind_type(const struct key_kind *kind, const EVP_PKEY *pkey)
{
    if (strcmp(kind->ossl_type, "RSA") != 0)
        return kind->type;
    switch (EVP_PKEY_get_bits(pkey)) {
    case 2048:
        return KEY_RSA_2048;
    case 3072:
        return KEY_RSA_3072;
    case 4096:
        return KEY_RSA_4096;
    default:
        return KEY_OTHER;
    }
}

/* ------------------------------------------------------------------ names of types */

static const struct type_name {
    const char *name;
    enum key_type type;
} type_names[] = {
    /* the first of each type is ours */
    {"rsa-2048", KEY_RSA_2048},     {"rsa2048", KEY_RSA_2048},      {"2048", KEY_RSA_2048},
    {"rsa-3072", KEY_RSA_3072},     {"rsa3072", KEY_RSA_3072},      {"3072", KEY_RSA_3072},
    {"rsa-4096", KEY_RSA_4096},     {"rsa4096", KEY_RSA_4096},      {"4096", KEY_RSA_4096},
    {"ecdsa-p256", KEY_ECDSA_P256}, {"ec256", KEY_ECDSA_P256},      {"ec-256", KEY_ECDSA_P256},
    {"p256", KEY_ECDSA_P256},       {"p-256", KEY_ECDSA_P256},      {"prime256v1", KEY_ECDSA_P256},
    {"secp256r1", KEY_ECDSA_P256},  {"ecdsa-p384", KEY_ECDSA_P384}, {"ec384", KEY_ECDSA_P384},
    {"ec-384", KEY_ECDSA_P384},     {"p384", KEY_ECDSA_P384},       {"p-384", KEY_ECDSA_P384},
    {"secp384r1", KEY_ECDSA_P384},  {"ed25519", KEY_ED25519},
};

const char *key_type_name(enum key_type type)
{
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
        if (type_names[i].type == type)
            return type_names[i].name;
    return "other";
}

bool key_type_parse(const char *name, enum key_type *out)
{
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
        if (text_casecmp(type_names[i].name, name) == 0) {
            *out = type_names[i].type;
            return true;
        }
    return false;
}

/* ------------------------------------------------------------------ handles */

static struct key *wrap(EVP_PKEY *pkey)
{
    struct key *key = mem_zalloc(sizeof *key);

    key->pkey = pkey;
    key->kind = key_kind_of(pkey);
    return key;
}

static EVP_PKEY *generate(enum key_type type)
{
    switch (type) {
    case KEY_RSA_2048:
        return EVP_RSA_gen(2048);
    case KEY_RSA_3072:
        return EVP_RSA_gen(3072);
    case KEY_RSA_4096:
        return EVP_RSA_gen(4096);
    case KEY_ECDSA_P256:
        return EVP_EC_gen("P-256");
    case KEY_ECDSA_P384:
        return EVP_EC_gen("P-384");
    case KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    default:
        return NULL;
    }
}

enum err_code key_new(enum key_type type, struct key **out, struct err *err)
{
    EVP_PKEY *pkey = generate(type);

    if (!pkey)
        return ossl_fail(err, "make a private key");
    *out = wrap(pkey);
    return ERR_OK;
}

struct key *key_dup(const struct key *key)
{
    struct key *copy = mem_zalloc(sizeof *copy);

    *copy = *key;
    (void)EVP_PKEY_up_ref(copy->pkey); /* fails only when 2^31 others hold it */
    return copy;
}

void key_free(struct key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

void key_free_auto(struct key **key)
{
    key_free(*key);
    *key = NULL;
}

/* ------------------------------------------------------------------ keys from outside */

enum err_code key_refuse(struct err *err, const char *what, const char *why)
{
    ERR_clear_error();
    return err_set(err, ERR_INPUT, "could not read a private key from \"%s\": %s", what, why);
}

static enum err_code refuse_kind(struct err *err, const char *what, const char *kind)
{
    (void)err_set(err, ERR_INPUT, "the key in \"%s\" can't be used: it is %s", what, kind);
    err_hint(err, "Use RSA of %d to %d bits, ECDSA on P-256, P-384 or P-521, or Ed25519.", KEY_RSA_BITS_MIN,
             KEY_RSA_BITS_MAX);
    return ERR_INPUT;
}

static enum err_code examine_kind(const EVP_PKEY *pkey, const char *what, struct err *err)
{
    const struct key_kind *kind = key_kind_of(pkey);
    const char *type = EVP_PKEY_get0_type_name(pkey);
    int bits = EVP_PKEY_get_bits(pkey);
    char group[GROUP_NAME_MAX];
    char text[REASON_MAX];

    if (kind && (strcmp(kind->ossl_type, "RSA") != 0 || (bits >= KEY_RSA_BITS_MIN && bits <= KEY_RSA_BITS_MAX)))
        return ERR_OK;
    name_group(pkey, group);
    if (kind)
        (void)snprintf(text, sizeof text, "an RSA key of %d bits", bits);
    else if (EVP_PKEY_is_a(pkey, "EC"))
        (void)snprintf(text, sizeof text, "on the curve \"%s\"", group);
    else
        (void)snprintf(text, sizeof text, "a key of type \"%s\"", type ? type : "");
    return refuse_kind(err, what, text);
}

enum err_code key_examine(EVP_PKEY *pkey, int (*check)(EVP_PKEY_CTX *ctx), const char *what, struct err *err)
{
    EVP_PKEY_CTX AUTO(ossl_free_pkey_context) *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    enum err_code rc = examine_kind(pkey, what, err);
    char reason[REASON_MAX];

    if (rc != ERR_OK)
        return rc;
    if (ctx && check(ctx) == 1) {
        ERR_clear_error();
        return ERR_OK;
    }
    x509_last_error(reason, sizeof reason, "no reason");
    return err_set(err, ERR_INPUT, "the key in \"%s\" is damaged: OpenSSL says \"%s\"", what, reason);
}

/* Curves by name and points in full, whatever form the key came in: CAs take nothing else. */
static bool normalise_curve(EVP_PKEY *pkey)
{
    return !EVP_PKEY_is_a(pkey, "EC") ||
           (EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_GROUP) == 1 &&
            EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                           OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) == 1);
}

enum err_code key_take_pkey(EVP_PKEY **pkey, const char *what, struct key **out, struct err *err)
{
    enum err_code rc = key_examine(*pkey, EVP_PKEY_check, what, err);

    if (rc != ERR_OK)
        return rc;
    if (!normalise_curve(*pkey))
        return key_refuse(err, what, "its curve can't be named");
    *out = wrap(*pkey);
    *pkey = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ what a key is */

enum key_type key_type_of(const struct key *key)
{
    return key_kind_type(key->kind, key->pkey);
}

char *key_describe(const struct key *key)
{
    if (key->kind->group)
        return mem_printf("ECDSA %s", key->kind->crv);
    if (key->kind->crv)
        return mem_strdup(key->kind->crv);
    return mem_printf("RSA %d", EVP_PKEY_get_bits(key->pkey));
}

bool key_is_same(const struct key *a, const struct key *b)
{
    bool is_same = EVP_PKEY_eq(a->pkey, b->pkey) == 1;

    ERR_clear_error();
    return is_same;
}

/* ------------------------------------------------------------------ as bytes */

enum err_code key_format_pem(const struct key *key, struct buf *out, struct err *err)
{
    BIO AUTO(ossl_free_bio) *bio = BIO_new(BIO_s_secmem());

    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, ossl_no_password, NULL) != 1)
        return ossl_fail(err, "write a private key");
    ossl_put_bio(out, bio);
    return ERR_OK;
}

static void free_pkcs8(PKCS8_PRIV_KEY_INFO **pkcs8)
{
    PKCS8_PRIV_KEY_INFO_free(*pkcs8);
}

enum err_code key_format_der(const struct key *key, struct buf *out, struct err *err)
{
    PKCS8_PRIV_KEY_INFO AUTO(free_pkcs8) *pkcs8 = EVP_PKEY2PKCS8(key->pkey);
    unsigned char *der = NULL;
    int len = pkcs8 ? i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &der) : -1;

    if (len <= 0)
        return ossl_fail(err, "write a private key");
    buf_append(out, der, (size_t)len);
    OPENSSL_clear_free(der, (size_t)len);
    return ERR_OK;
}

enum err_code key_public_der(const struct key *key, struct buf *out, struct err *err)
{
    unsigned char AUTO(ossl_free_bytes) *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);

    if (len <= 0)
        return ossl_fail(err, "write a public key");
    buf_append(out, der, (size_t)len);
    return ERR_OK;
}
