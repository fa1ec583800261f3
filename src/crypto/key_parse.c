/* SPDX-License-Identifier: MIT
 *
 * Private keys from files: PEM, and the numbers of a JWK.  The blocks of a PEM text are looked at one by one, so that
 * what can't be used is called by its name and nothing ever asks for a passphrase.
 */
#include "crypto/key.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "crypto/key_ossl.h"
#include "crypto/ossl.h"
#include "util/secret.h"
#include "util/text.h"

#define NUMBER_MAX (KEY_RSA_BITS_MAX / 8)
#define EXCUSE_MAX 160

/* ------------------------------------------------------------------ blocks of PEM */

struct block {
    char *name;
    char *header;
    unsigned char *data;
    long len;
};

static void free_block(struct block *block)
{
    OPENSSL_secure_free(block->name);
    OPENSSL_secure_free(block->header);
    OPENSSL_secure_clear_free(block->data, block->len > 0 ? (size_t)block->len : 0);
}

static bool read_block(BIO *bio, struct block *out)
{
    return PEM_read_bio_ex(bio, &out->name, &out->header, &out->data, &out->len,
                           PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1;
}

/* Blocks with private keys: how OpenSSL calls the form, or why not. */
static const struct form {
    const char *name;
    const char *structure; /* NULL: refused */
    const char *type;
    const char *why;
} forms[] = {
    {"PRIVATE KEY", "PrivateKeyInfo", NULL, NULL},
    {"RSA PRIVATE KEY", "type-specific", "RSA", NULL},
    {"EC PRIVATE KEY", "type-specific", "EC", NULL},
    {"ENCRYPTED PRIVATE KEY", NULL, NULL, "it is encrypted"},
    {"DSA PRIVATE KEY", NULL, NULL, "it is a DSA key"},
    {"OPENSSH PRIVATE KEY", NULL, NULL, "it is in OpenSSH's own format"},
};

/* NULL: no private key. */
static const struct form *find_form(const char *name)
{
    static const struct form unknown = {"", NULL, NULL, "the kind of key is not known"};

    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (strcmp(forms[i].name, name) == 0)
            return &forms[i];
    return text_ends_with(name, "PRIVATE KEY") ? &unknown : NULL;
}

static void free_decoder(OSSL_DECODER_CTX **ctx)
{
    OSSL_DECODER_CTX_free(*ctx);
}

static EVP_PKEY *decode(const struct block *block, const struct form *form)
{
    EVP_PKEY *pkey = NULL;
    OSSL_DECODER_CTX AUTO(free_decoder) *ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER", form->structure, form->type,
                                                                             EVP_PKEY_KEYPAIR, NULL, NULL);
    const unsigned char *data = block->data;
    size_t left = (size_t)block->len;

    /* Without this OpenSSL might ask for the passphrase of an encrypted key that does not say so in its name. */
    if (!ctx || OSSL_DECODER_CTX_set_pem_password_cb(ctx, ossl_no_password, NULL) != 1 ||
        OSSL_DECODER_from_data(ctx, &data, &left) != 1 || left != 0) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static enum err_code take_block(const struct block *block, const struct form *form, const char *what, struct key **out,
                                struct err *err)
{
    EVP_PKEY AUTO(ossl_free_pkey) *pkey = NULL;
    const char *why = form->why;

    if (strstr(block->header, "ENCRYPTED"))
        why = "it is encrypted";
    if (!why) {
        pkey = decode(block, form);
        why = pkey ? NULL : "what is in it is no private key that OpenSSL can read";
    }
    if (!why)
        return key_take_pkey(&pkey, what, out, err);
    (void)key_refuse(err, what, why);
    if (strcmp(why, "it is encrypted") == 0)
        err_hint(err, "Keys are used without a passphrase: \"openssl pkey -in <file> -out <new file>\" removes it.");
    return ERR_INPUT;
}

/* Why no block was a private key. */
static enum err_code refuse_all(const char *last_name, const char *what, struct err *err)
{
    unsigned long error = ERR_peek_last_error();
    char name[EXCUSE_MAX / 2];
    char why[EXCUSE_MAX];

    text_escape_into(name, sizeof name, last_name, strlen(last_name));
    if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
        (void)snprintf(why, sizeof why, "the PEM text is damaged");
    else if (name[0])
        (void)snprintf(why, sizeof why, "there is none in it, only \"%s\"", name);
    else
        (void)snprintf(why, sizeof why, "there is none in it");
    (void)key_refuse(err, what, why);
    err_hint(err,
             "Private keys are read in PEM, with or without \"RSA\" or \"EC\" in \"-----BEGIN PRIVATE KEY-----\".");
    return ERR_INPUT;
}

enum err_code key_parse_pem(const void *data, size_t len, const char *what, struct key **out, struct err *err)
{
    BIO AUTO(ossl_free_bio) *bio = len <= INT_MAX ? BIO_new_mem_buf(len ? data : "", (int)len) : NULL;
    struct buf AUTO_BUF last_name = BUF_INIT(EXCUSE_MAX);

    if (!bio)
        return key_refuse(err, what, "it is too large");
    for (;;) {
        struct block AUTO(free_block) block = {NULL, NULL, NULL, 0};
        const struct form *form;

        if (!read_block(bio, &block))
            return refuse_all(buf_cstr(&last_name), what, err);
        form = find_form(block.name);
        if (form)
            return take_block(&block, form, what, out, err);
        buf_clear(&last_name);
        buf_puts(&last_name, block.name);
    }
}

/* ------------------------------------------------------------------ numbers of a JWK */

static enum err_code take_params(const char *type, OSSL_PARAM_BLD *builder, const char *what, struct key **out,
                                 struct err *err)
{
    EVP_PKEY_CTX AUTO(ossl_free_pkey_context) *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM AUTO(ossl_free_params) *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY AUTO(ossl_free_pkey) *pkey = NULL;

    if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        return key_refuse(err, what, "its numbers make no key");
    return key_take_pkey(&pkey, what, out, err);
}

static BIGNUM *number_of(const struct key_number *in)
{
    BIGNUM *number = in->len > 0 && in->len <= NUMBER_MAX ? BN_secure_new() : NULL;

    return number ? BN_bin2bn(in->data, (int)in->len, number) : NULL;
}

#define RSA_NUMBERS 8

struct numbers {
    BIGNUM *items[RSA_NUMBERS];
};

static void free_numbers(struct numbers *numbers)
{
    for (size_t i = 0; i < RSA_NUMBERS; i++)
        BN_clear_free(numbers->items[i]);
}

enum err_code key_from_rsa(const struct key_rsa_numbers *in, const char *what, struct key **out, struct err *err)
{
    const struct {
        const char *jwk;
        const char *param;
        const struct key_number *number;
    } members[RSA_NUMBERS] = {
        {"n", OSSL_PKEY_PARAM_RSA_N, &in->n},           {"e", OSSL_PKEY_PARAM_RSA_E, &in->e},
        {"d", OSSL_PKEY_PARAM_RSA_D, &in->d},           {"p", OSSL_PKEY_PARAM_RSA_FACTOR1, &in->p},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2, &in->q},     {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1, &in->dp},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2, &in->dq}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &in->qi},
    };
    struct numbers AUTO(free_numbers) numbers = {{NULL}};
    OSSL_PARAM_BLD AUTO(ossl_free_builder) *builder = OSSL_PARAM_BLD_new();

    for (size_t i = 0; i < RSA_NUMBERS; i++) {
        numbers.items[i] = number_of(members[i].number);
        if (!numbers.items[i] || !builder || OSSL_PARAM_BLD_push_BN(builder, members[i].param, numbers.items[i]) != 1) {
            char why[EXCUSE_MAX];

            (void)snprintf(why, sizeof why, "its number \"%s\" is missing or too large", members[i].jwk);
            return key_refuse(err, what, why);
        }
    }
    return take_params("RSA", builder, what, out, err);
}

/* Big endian, of exactly `len` bytes; false: it has more. */
static bool pad(const struct key_number *in, uint8_t *out, size_t len)
{
    const uint8_t *data = in->data;
    size_t left = in->len;

    for (; left > len; data++, left--)
        if (*data != 0)
            return false;
    memset(out, 0, len - left);
    if (left)
        memcpy(out + (len - left), data, left);
    return true;
}

enum err_code key_from_ec(const struct key_ec_numbers *in, const char *what, struct key **out, struct err *err)
{
    const struct key_kind *kind = in->crv ? key_kind_of_curve(in->crv) : NULL;
    size_t len = kind ? kind->field_len : 0;
    uint8_t point[1 + 2 * KEY_EC_FIELD_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    OSSL_PARAM_BLD AUTO(ossl_free_builder) *builder = OSSL_PARAM_BLD_new();
    BIGNUM AUTO(ossl_free_number) *d = number_of(&in->d);

    if (!kind)
        return key_refuse(err, what, "its curve is not one of \"P-256\", \"P-384\" and \"P-521\"");
    if (!d || in->x.len == 0 || in->y.len == 0 || !pad(&in->x, point + 1, len) || !pad(&in->y, point + 1 + len, len))
        return key_refuse(err, what, "one of its numbers \"x\", \"y\" and \"d\" is missing or too large");
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, kind->group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1)
        return ossl_fail(err, "take over a key");
    return take_params("EC", builder, what, out, err);
}
