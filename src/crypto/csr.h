/* SPDX-License-Identifier: MIT
 *
 * Certificate signing requests, RFC 2986, with the names in a subjectAltName extension request (RFC 5280 section
 * 4.2.1.6) and an empty subject, as RFC 8555 section 7.4 allows and the CA/Browser Forum prefers.
 */
#ifndef ACME_DME_CRYPTO_CSR_H
#define ACME_DME_CRYPTO_CSR_H

#include "crypto/key.h"
#include "util/mem.h"

/* DER, appended.  `names`: DNS names, A-labels, lower case, "*." in front allowed.  Errors: ERR_INTERNAL. */
enum err_code csr_new(const struct key *key, const struct strlist *names, struct buf *out, struct err *err) MUST_USE;

/* A CSR that the user brings. */
struct csr {
    struct buf der;
    struct buf public_der; /* SubjectPublicKeyInfo, for key_public_der() and chain_check() */
    struct strlist names;  /* DNS names of SAN and common name, lower case, each once, in their order */
    enum key_type key_type;
    bool has_must_staple;  /* TLS feature, RFC 7633 */
};

/* PEM or DER.  Refused, saying why: a signature that does not verify, no DNS name at all, names that are no DNS names
 * (IP addresses, e-mail addresses: named), keys that key_parse_pem() would refuse.  Errors: ERR_INPUT. */
enum err_code csr_parse(const void *data, size_t len, const char *what, struct csr *out, struct err *err) MUST_USE;
void csr_done(struct csr *csr);
#define AUTO_CSR AUTO(csr_done)

#endif
