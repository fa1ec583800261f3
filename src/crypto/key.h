/* SPDX-License-Identifier: MIT
 *
 * Private keys as handles: made, loaded, signed with, their public part shown.  Nobody outside crypto/ sees the bytes
 * but as the PEM text that a file of ours holds, in buffers that wipe themselves.
 *
 * Account keys sign JWS (RFC 7515, RFC 7518, RFC 8037) and have a JWK (RFC 7517) and its thumbprint (RFC 7638);
 * certificate keys sign CSRs (csr.h).
 */
#ifndef ACME_DME_CRYPTO_KEY_H
#define ACME_DME_CRYPTO_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"
#include "util/buf.h"
#include "util/err.h"

enum key_type {
    KEY_RSA_2048,
    KEY_RSA_3072,
    KEY_RSA_4096,
    KEY_ECDSA_P256,
    KEY_ECDSA_P384,
    KEY_ED25519,
    KEY_TYPE_COUNT,
    KEY_OTHER = KEY_TYPE_COUNT, /* of a key that was loaded: another size of RSA (2048 to 8192 bits), P-521 */
};

/* "rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-p256", "ecdsa-p384", "ed25519"; static.  KEY_OTHER: "other". */
const char *key_type_name(enum key_type type);
/* The reverse, in any case; also what other clients call them: "rsa2048", "2048", "ec256", "ec-256", "P256", "P-256",
 * "prime256v1", "secp256r1", "secp384r1", "ec384", "p384". */
bool key_type_parse(const char *name, enum key_type *out) MUST_USE;

struct key;

/* A new one.  Errors: ERR_INTERNAL. */
enum err_code key_new(enum key_type type, struct key **out, struct err *err) MUST_USE;

/* A private key in PEM: PKCS#8, PKCS#1 or SEC1, other PEM blocks in front (EC PARAMETERS, certificates) passed over.
 * `what` names it in errors.  Refused, saying why: encrypted keys (never asks for a passphrase), public keys, DSA, RSA
 * below 2048 bits, curves other than P-256, P-384 and P-521, keys that do not pass OpenSSL's check.
 * Errors: ERR_INPUT. */
enum err_code key_parse_pem(const void *data, size_t len, const char *what, struct key **out, struct err *err) MUST_USE;

/* A number of a JWK, big endian. */
struct key_number {
    const uint8_t *data; /* borrowed */
    size_t len;
};

/* Private keys from the members of a JWK (RFC 7518 section 6), as other clients keep them.  Errors: ERR_INPUT. */
struct key_rsa_numbers {
    struct key_number n, e, d, p, q, dp, dq, qi;
};
struct key_ec_numbers {
    const char *crv; /* "P-256" or "P-384" */
    struct key_number x, y, d;
};
enum err_code key_from_rsa(const struct key_rsa_numbers *in, const char *what, struct key **out,
                           struct err *err) MUST_USE;
enum err_code key_from_ec(const struct key_ec_numbers *in, const char *what, struct key **out,
                          struct err *err) MUST_USE;

/* Another handle of the same key; both are freed. */
struct key *key_dup(const struct key *key) MUST_USE;
void key_free(struct key *key); /* NULL is fine */
void key_free_auto(struct key **key);
#define AUTO_KEY AUTO(key_free_auto)

enum key_type key_type_of(const struct key *key);
/* "ECDSA P-256", "RSA 3072"; for messages, yours. */
char *key_describe(const struct key *key) MUST_USE;

/* Unencrypted PKCS#8 PEM, appended.  Errors: ERR_INTERNAL. */
enum err_code key_format_pem(const struct key *key, struct buf *out, struct err *err) MUST_USE;
/* The same as DER. */
enum err_code key_format_der(const struct key *key, struct buf *out, struct err *err) MUST_USE;

#define KEY_PUBLIC_DER_MAX 8192 /* what the next one takes at most */
/* SubjectPublicKeyInfo in DER, appended: tells whether two keys, or key and certificate, belong together. */
enum err_code key_public_der(const struct key *key, struct buf *out, struct err *err) MUST_USE;
bool key_is_same(const struct key *a, const struct key *b);

/* ------------------------------------------------------------------ JOSE */

/* "ES256", "ES384", "ES512", "RS256", "EdDSA"; static. */
const char *key_jws_alg(const struct key *key);

/* The signature in the form of RFC 7518 section 3 (of ECDSA: R and S side by side, left-padded), appended as base64url.
 * Errors: ERR_INTERNAL. */
enum err_code key_jws_sign(const struct key *key, const void *data, size_t len, struct buf *out,
                           struct err *err) MUST_USE;

/* The public key as JWK: the required members only, in lexicographic order, without white space (RFC 7638 section 3),
 * appended.  Errors: ERR_INTERNAL. */
enum err_code key_jwk(const struct key *key, struct buf *out, struct err *err) MUST_USE;

#define KEY_THUMBPRINT_LEN 43
/* base64url of SHA-256 over the JWK. */
enum err_code key_thumbprint(const struct key *key, char out[KEY_THUMBPRINT_LEN + 1], struct err *err) MUST_USE;

#endif
