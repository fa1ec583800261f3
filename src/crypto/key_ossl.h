/* SPDX-License-Identifier: MIT
 *
 * What is in a handle of a key, for the files of crypto/ that work with it.  Nobody else includes this.
 */
#ifndef ACME_DME_CRYPTO_KEY_OSSL_H
#define ACME_DME_CRYPTO_KEY_OSSL_H

#include <openssl/evp.h>

#include "crypto/key.h"

#define KEY_RSA_BITS_MIN 2048
#define KEY_RSA_BITS_MAX 8192
#define KEY_EC_FIELD_MAX 66 /* octets of a coordinate on P-521 */

/* What OpenSSL and JOSE (RFC 7518 section 3.1, RFC 8037) call a kind of key. */
struct key_kind {
    enum key_type type; /* of RSA: KEY_OTHER, as it depends on the size */
    const char *ossl_type;
    const char *group;  /* EC: OpenSSL's name of the curve */
    const char *crv;    /* EC, OKP: JOSE's */
    const char *alg;    /* signature of a JWS */
    const char *digest; /* for signatures, OpenSSL's name; NULL: part of the algorithm */
    size_t field_len;   /* EC: octets of a coordinate */
};

struct key {
    EVP_PKEY *pkey;
    const struct key_kind *kind;
};

/* By JOSE's name of the curve; NULL: not one of ours, or not of elliptic curves. */
const struct key_kind *key_kind_of_curve(const char *crv);
/* NULL: not one of ours. */
const struct key_kind *key_kind_of(const EVP_PKEY *pkey);
enum key_type key_kind_type(const struct key_kind *kind, const EVP_PKEY *pkey);

/* Is it of a kind and size that we take, and sound?  `check` is EVP_PKEY_check() or EVP_PKEY_public_check().
 * Errors: ERR_INPUT, with what is wrong with the key of `what`. */
enum err_code key_examine(EVP_PKEY *pkey, int (*check)(EVP_PKEY_CTX *ctx), const char *what, struct err *err) MUST_USE;

/* A handle for a key pair from outside, once it was examined; takes over *pkey then and sets it to NULL.
 * Errors: ERR_INPUT. */
enum err_code key_take_pkey(EVP_PKEY **pkey, const char *what, struct key **out, struct err *err) MUST_USE;

/* "could not read a private key from "<what>": <why>", ERR_INPUT; empties the error queue. */
enum err_code key_refuse(struct err *err, const char *what, const char *why);

#endif
