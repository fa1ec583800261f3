/* SPDX-License-Identifier: MIT
 *
 * base64url without padding, RFC 4648 section 5 as RFC 7515 section 2 uses it.
 */
#ifndef ACME_DME_CRYPTO_B64URL_H
#define ACME_DME_CRYPTO_B64URL_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attrs.h"
#include "util/buf.h"

#define B64URL_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* Characters that `len` bytes become. */
#define B64URL_LEN(len) (((len)*4 + 2) / 3)

/* Encode into `out`, which has room for B64URL_LEN(len) + 1 bytes; NUL-terminated. */
void b64url_encode(char *out, const void *data, size_t len);

/* The same, appended. */
void b64url_put(struct buf *out, const void *data, size_t len);

/* 1 to `max` characters of it, whatever they mean? */
bool b64url_is_text(const char *text, size_t max);

/* Decode strictly and append: no padding, no white space, no characters of plain base64, unused bits zero.  False, with
 * nothing appended, for anything else. */
bool b64url_decode(const char *text, size_t len, struct buf *out) MUST_USE;

#endif
