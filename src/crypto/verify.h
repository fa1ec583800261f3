/* SPDX-License-Identifier: MIT
 *
 * Looking on while somebody else's TLS handshake (libcurl's) verifies a server's certificates, to be able to say what
 * was wrong with which of them.  The verdict is OpenSSL's own and is never changed.
 */
#ifndef ACME_DME_CRYPTO_VERIFY_H
#define ACME_DME_CRYPTO_VERIFY_H

#include <stdbool.h>

#include "crypto/cert.h"

struct verify_watch;

/* Is "OpenSSL/3.0.17", as a library says of the one it uses, the OpenSSL that this program uses? */
bool verify_is_our_library(const char *version);

/* Look on at what the given SSL_CTX, which must be our library's, verifies.  Must live as long as the SSL_CTX does, and
 * all connections made with it. */
struct verify_watch *verify_watch_new(void *ssl_ctx) MUST_USE;
void verify_watch_free(struct verify_watch *watch); /* NULL is fine */

enum verify_fault {
    VERIFY_GOOD, /* the chain is; names are not looked at here */
    VERIFY_NOT_YET_VALID,
    VERIFY_EXPIRED,
    VERIFY_UNKNOWN_CA,
    VERIFY_SELF_SIGNED, /* the server's own, without any CA */
    VERIFY_OTHER,
};

struct verify_finding {
    enum verify_fault fault;
    const char *reason; /* OpenSSL's words; static */
    struct cert cert;   /* the one at fault, or the server's own */
    bool is_of_ca;      /* ... which is not the server's own */
};

void verify_finding_done(struct verify_finding *finding);

/* What was found last; false when no certificate was verified yet, or it can't be read. */
bool verify_watch_read(const struct verify_watch *watch, struct verify_finding *out) MUST_USE;

#endif
