/* SPDX-License-Identifier: MIT */
#include "crypto/ossl.h"

#include <openssl/crypto.h>

#include "crypto/x509.h"

#define REASON_MAX 160

void ossl_free_bio(BIO **bio)
{
    BIO_free(*bio);
}

void ossl_free_pkey(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

void ossl_free_pkey_context(EVP_PKEY_CTX **ctx)
{
    EVP_PKEY_CTX_free(*ctx);
}

void ossl_free_number(BIGNUM **number)
{
    BN_clear_free(*number);
}

void ossl_free_x509(X509 **x509)
{
    X509_free(*x509);
}

void ossl_free_bytes(unsigned char **bytes)
{
    OPENSSL_free(*bytes);
}

void ossl_free_digest_context(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

void ossl_free_signature(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}

void ossl_free_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

void ossl_free_params(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}

enum err_code ossl_fail(struct err *err, const char *what)
{
    char reason[REASON_MAX];

    x509_last_error(reason, sizeof reason, "no reason");
    return err_set(err, ERR_INTERNAL, "could not %s: OpenSSL says \"%s\"", what, reason);
}

int ossl_no_password(UNUSED char *buf, UNUSED int size, UNUSED int is_writing, UNUSED void *ctx)
{
    return -1;
}

void ossl_put_bio(struct buf *out, BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    if (len > 0)
        buf_append(out, data, (size_t)len);
}

void ossl_put_der(struct buf *out, int len, unsigned char *const *der)
{
    if (len > 0)
        buf_append(out, *der, (size_t)len);
    else
        out->overflow = true;
}
