/* SPDX-License-Identifier: MIT
 *
 * What the files of crypto/ that make and read things with OpenSSL share.  Nobody else includes this.
 */
#ifndef ACME_DME_CRYPTO_OSSL_H
#define ACME_DME_CRYPTO_OSSL_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "util/attrs.h"
#include "util/buf.h"
#include "util/err.h"

/* For AUTO(). */
void ossl_free_bio(BIO **bio);
void ossl_free_pkey(EVP_PKEY **pkey);
void ossl_free_pkey_context(EVP_PKEY_CTX **ctx);
void ossl_free_number(BIGNUM **number); /* wipes */
void ossl_free_x509(X509 **x509);
void ossl_free_bytes(unsigned char **bytes); /* what i2d_...() allocated */
void ossl_free_digest_context(EVP_MD_CTX **ctx);
void ossl_free_signature(ECDSA_SIG **signature);
void ossl_free_builder(OSSL_PARAM_BLD **builder);
void ossl_free_params(OSSL_PARAM **params); /* wipes numbers that are "secure" */

/* Sets "could not <what>: OpenSSL says "<its reason>"", empties the error queue, and returns ERR_INTERNAL. */
enum err_code ossl_fail(struct err *err, const char *what);

/* A pem_password_cb that knows no password: without one OpenSSL asks on the terminal. */
int ossl_no_password(char *buf, int size, int is_writing, void *ctx);

/* What was written to a memory BIO, appended. */
void ossl_put_bio(struct buf *out, BIO *bio);

/* What i2d_...(), whose length this is, has put at *der, appended; an error of it is an overflow. */
void ossl_put_der(struct buf *out, int len, unsigned char *const *der);

#endif
