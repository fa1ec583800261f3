/* SPDX-License-Identifier: MIT
 *
 * A secret: opaque, wiped when freed, and with no function that formats it.  Only the code that signs looks inside.
 */
#ifndef ACME_DME_UTIL_SECRET_H
#define ACME_DME_UTIL_SECRET_H

#include <stddef.h>

#include "util/attrs.h"

struct secret;

/* A copy of `len` bytes. */
struct secret *secret_new(const void *data, size_t len) MUST_USE;
struct secret *secret_dup(const struct secret *s) MUST_USE; /* NULL gives NULL */
void secret_free(struct secret *s);                         /* wipes; NULL is fine */
void secret_free_auto(struct secret **s);
#define AUTO_SECRET AUTO(secret_free_auto)

/* The bytes; NUL-terminated for the benefit of string functions.  Borrowed. */
const char *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);

/* Overwrite memory in a way that the compiler may not leave out. */
void secret_wipe(void *data, size_t len);

#endif
