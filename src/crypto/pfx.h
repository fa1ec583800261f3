/* SPDX-License-Identifier: MIT
 *
 * PKCS#12 (RFC 7292) files with key, certificate and chain, for IIS, Java and others.
 */
#ifndef ACME_DME_CRYPTO_PFX_H
#define ACME_DME_CRYPTO_PFX_H

#include "crypto/chain.h"
#include "crypto/key.h"
#include "util/secret.h"

enum pfx_algorithms {
    PFX_MODERN, /* AES-256-CBC with PBKDF2-SHA256, MAC SHA-256 */
    PFX_LEGACY, /* 3DES for key and certificates, MAC SHA-1: Windows before 10 1709, Java before 8u301; needs no
                   provider beside the default one */
};

struct pfx_opts {
    const struct key *key;
    const struct chain *chain;
    const struct secret *password; /* UTF-8; NULL: empty */
    const char *friendly_name;
    enum pfx_algorithms algorithms;
};

/* DER, appended.  Errors: ERR_INTERNAL (says when this OpenSSL does not allow the algorithms), ERR_INPUT (the key does
 * not belong to the certificate, or the password holds a NUL). */
enum err_code pfx_new(const struct pfx_opts *opts, struct buf *out, struct err *err) MUST_USE;

#endif
