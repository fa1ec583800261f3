/* SPDX-License-Identifier: MIT
 *
 * Digests.  Bytes in, bytes or text out.
 */
#ifndef ACME_DME_CRYPTO_DIGEST_H
#define ACME_DME_CRYPTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"
#include "util/err.h"
#include "util/secret.h"

#define DIGEST_SHA1_LEN 20
#define DIGEST_SHA256_LEN 32
#define DIGEST_SHA384_LEN 48
#define DIGEST_SHA1_HEX_LEN 40
#define DIGEST_B64URL_SHA256_LEN 43 /* characters, no padding */

enum err_code digest_sha1(const void *data, size_t len, uint8_t out[DIGEST_SHA1_LEN], struct err *err) MUST_USE;
enum err_code digest_sha384(const void *data, size_t len, uint8_t out[DIGEST_SHA384_LEN], struct err *err) MUST_USE;
enum err_code digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN], struct err *err) MUST_USE;

/* Lower-case hex of HMAC-SHA1, NUL-terminated. */
enum err_code digest_hmac_sha1_hex(const struct secret *key, const void *data, size_t len,
                                   char out[DIGEST_SHA1_HEX_LEN + 1], struct err *err) MUST_USE;

/* HMACs of RFC 7518 section 3.2, as HS256, HS384 and HS512; *out_len is 32, 48 or 64. */
enum digest_hmac { DIGEST_HMAC_SHA256, DIGEST_HMAC_SHA384, DIGEST_HMAC_SHA512 };
#define DIGEST_HMAC_MAX 64
enum err_code digest_hmac(enum digest_hmac hash, const struct secret *key, const void *data, size_t len,
                          uint8_t out[DIGEST_HMAC_MAX], size_t *out_len, struct err *err) MUST_USE;

/* base64url without padding (RFC 7515 section 2) of SHA-256: the TXT value of a key authorization, RFC 8555
 * section 8.4. */
enum err_code digest_sha256_b64url(const void *data, size_t len, char out[DIGEST_B64URL_SHA256_LEN + 1],
                                   struct err *err) MUST_USE;

/* First 8 hex digits of SHA-256: names a secret so that two machines can be compared without showing it. */
enum err_code digest_fingerprint(const struct secret *secret, char out[9], struct err *err) MUST_USE;

#endif
