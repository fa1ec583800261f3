/* SPDX-License-Identifier: MIT
 *
 * Random bytes that nobody can guess.
 */
#ifndef ACME_DME_CRYPTO_RANDOM_H
#define ACME_DME_CRYPTO_RANDOM_H

#include <stddef.h>

#include "util/attrs.h"
#include "util/err.h"

/* Errors: ERR_INTERNAL. */
enum err_code random_bytes(void *out, size_t len, struct err *err) MUST_USE;

#endif
