/* SPDX-License-Identifier: MIT
 *
 * The zone example.com as another program signed it, once with each algorithm: RDATA in hexadecimal.  The signatures are
 * valid from DNSSEC_VECTORS_BEGIN to DNSSEC_VECTORS_END.  SOA's is not in canonical form (upper case in its names).
 */
#ifndef ACME_DME_TESTS_UNIT_DNSSEC_VECTORS_H
#define ACME_DME_TESTS_UNIT_DNSSEC_VECTORS_H

#define DNSSEC_VECTORS 8
#define DNSSEC_VECTORS_BEGIN 1767225600 /* 2026-01-01T00:00:00Z */
#define DNSSEC_VECTORS_END 1769904000   /* 2026-02-01T00:00:00Z */
#define DNSSEC_VECTOR_KEYS 3            /* one that DS names, one that signs SOA, one that signs nothing */

struct dnssec_vector {
    unsigned algorithm;
    const char *ds_sha1, *ds_sha256, *ds_sha384;
    const char *keys[DNSSEC_VECTOR_KEYS];
    const char *keys_signature;
    const char *soa;
    const char *soa_signature;
};

extern const struct dnssec_vector dnssec_vectors[DNSSEC_VECTORS];

#endif
