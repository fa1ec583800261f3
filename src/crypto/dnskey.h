/* SPDX-License-Identifier: MIT
 *
 * Verifying DNSSEC signatures: public keys and signatures in the forms of RFC 3110 (RSA), RFC 6605 (ECDSA) and RFC 8080
 * (EdDSA).  Bytes in, verdict out; what was signed is the caller's to put together.
 */
#ifndef ACME_DME_CRYPTO_DNSKEY_H
#define ACME_DME_CRYPTO_DNSKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"

/* https://www.iana.org/assignments/dns-sec-alg-numbers */
enum dnskey_algorithm {
    DNSKEY_RSASHA1 = 5,
    DNSKEY_RSASHA1_NSEC3 = 7,
    DNSKEY_RSASHA256 = 8,
    DNSKEY_RSASHA512 = 10,
    DNSKEY_ECDSAP256SHA256 = 13,
    DNSKEY_ECDSAP384SHA384 = 14,
    DNSKEY_ED25519 = 15,
    DNSKEY_ED448 = 16,
};

enum dnskey_verdict {
    DNSKEY_GOOD,
    DNSKEY_BAD,         /* the signature does not fit, or key or signature is malformed */
    DNSKEY_UNSUPPORTED, /* an algorithm that this function or the OpenSSL at hand does not know or does not allow */
};

struct dnskey_bytes {
    const uint8_t *data;
    size_t len;
};

/* One of enum dnskey_algorithm? */
bool dnskey_is_known(unsigned algorithm);

/* `key`: the public key field of a DNSKEY record; `signature`: that of a RRSIG record. */
enum dnskey_verdict dnskey_verify(unsigned algorithm, struct dnskey_bytes key, struct dnskey_bytes data,
                                  struct dnskey_bytes signature) MUST_USE;

#endif
