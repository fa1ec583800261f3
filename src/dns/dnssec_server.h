/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: do the keys and signatures that one name server gives hang together with the DS records at the
 * parent (RFC 4035 section 5)?
 */
#ifndef ACME_DME_DNS_DNSSEC_SERVER_H
#define ACME_DME_DNS_DNSSEC_SERVER_H

#include "dns/rrset.h"

#define DNSSEC_DS_MAX 32

struct dnssec_trust {
    struct rrset_ds ds[DNSSEC_DS_MAX]; /* those that count; borrowed from the answer they were taken from */
    size_t count;
    size_t seen; /* DS records of any kind */
};

/* The DS records of `zone` in an answer.  Those of algorithms and digests that nobody knows do not count (RFC 4035
 * section 5.2), nor does SHA-1 beside a better digest (RFC 4509 section 3). */
void dnssec_trust_take(const struct dns_answer *answer, const char *zone, struct dnssec_trust *out);
/* "key tag 12345", "key tags 1 and 2" */
char *dnssec_trust_describe(const struct dnssec_trust *trust) MUST_USE;

enum dnssec_finding {
    DNSSEC_SERVER_GOOD,
    DNSSEC_SERVER_UNUSABLE,     /* it did not answer for the zone: nothing is known of its keys */
    DNSSEC_SERVER_UNVERIFIABLE, /* this machine's OpenSSL does not verify the zone's algorithm */
    DNSSEC_SERVER_NO_KEYS,
    DNSSEC_SERVER_BAD,
};

struct dnssec_server {
    enum dnssec_finding finding;
    char *why;         /* BAD, UNVERIFIABLE: a sentence part; else NULL */
    int64_t expires_s; /* when the first set that was looked at loses its last signature; 0: none was good */
};

/* Judge a server by its answers for DNSKEY and for SOA at the apex of `zone`; *out is to be freed with
 * dnssec_server_done(). */
void dnssec_server_judge(const char *zone, const struct dnssec_trust *trust, const struct dns_answer *keys,
                         const struct dns_answer *soa, int64_t now_s, struct dnssec_server *out);
void dnssec_server_done(struct dnssec_server *server);

#endif
