/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: the records of DNSSEC taken apart (RFC 4034), and what a signature over a set of records was made
 * of: the canonical form of section 6.  Whatever is borrowed lives as long as the answer it was taken from.
 */
#ifndef ACME_DME_DNS_RRSET_H
#define ACME_DME_DNS_RRSET_H

#include "crypto/dnskey.h"
#include "dns/resolver.h"

#define RRSET_NAME_MAX 255      /* octets on the wire */
#define RRSET_RECORDS_MAX 64    /* of one set */
#define RRSET_SIGNATURES_MAX 16 /* over one set */

struct rrset_name { /* on the wire, lower case, not compressed */
    uint8_t data[RRSET_NAME_MAX];
    size_t len;
};

/* From text without escapes.  False: no such name. */
bool rrset_name_from_text(const char *text, struct rrset_name *out) MUST_USE;
/* From octets; *out_used is its length there.  False: compressed, or longer than the octets. */
bool rrset_name_from_wire(const uint8_t *data, size_t len, struct rrset_name *out, size_t *out_used) MUST_USE;
bool rrset_name_equal(const struct rrset_name *a, const struct rrset_name *b);

struct rrset_ds { /* RFC 4034 section 5.1 */
    uint16_t key_tag;
    uint8_t algorithm;
    uint8_t digest_type;
    struct dnskey_bytes digest; /* borrowed */
};

#define RRSET_KEY_ZONE 0x0100u    /* RFC 4034 section 2.1.1 */
#define RRSET_KEY_REVOKED 0x0080u /* RFC 5011 section 7 */

struct rrset_key { /* RFC 4034 section 2.1 */
    uint16_t flags;
    uint8_t protocol;
    uint8_t algorithm;
    uint16_t tag;              /* appendix B */
    struct dnskey_bytes key;   /* borrowed */
    struct dnskey_bytes rdata; /* borrowed */
};

struct rrset_signature { /* RFC 4034 section 3.1 */
    uint16_t type;
    uint8_t algorithm;
    uint8_t labels;
    uint32_t ttl_s;
    uint32_t expires, begins; /* see rrset_time() */
    uint16_t key_tag;
    struct rrset_name signer;
    struct dnskey_bytes fixed;     /* borrowed: the fields before the signer's name */
    struct dnskey_bytes signature; /* borrowed */
};

/* False: another type, or malformed. */
bool rrset_ds_parse(const struct dns_rr *rr, struct rrset_ds *out) MUST_USE;
bool rrset_key_parse(const struct dns_rr *rr, struct rrset_key *out) MUST_USE;
bool rrset_signature_parse(const struct dns_rr *rr, struct rrset_signature *out) MUST_USE;

/* Is this the key, of the zone `owner`, that the DS record names?  Key tag, algorithm and digest (RFC 4034 section
 * 5.1.4, RFC 4509, RFC 6605). */
bool rrset_ds_matches(const struct rrset_ds *ds, const struct rrset_name *owner, const struct rrset_key *key);
/* A digest type that rrset_ds_matches() can compute? */
bool rrset_digest_is_known(unsigned digest_type);

/* Unix time of a time in a signature: the one nearest to now (RFC 4034 section 3.1.5). */
int64_t rrset_time(uint32_t in_signature, int64_t now_s);

struct rrset {
    struct rrset_name owner;
    uint16_t type;
    struct dnskey_bytes rdatas[RRSET_RECORDS_MAX]; /* borrowed, canonical order, each once */
    size_t count;
    struct rrset_signature signatures[RRSET_SIGNATURES_MAX];
    size_t signature_count;
};

/* The records of `type` at `owner` and the signatures over them that `owner`, a zone, itself made, from the answer
 * section; there may be none of either.  Their rdata must be in canonical form, as DNSKEY always is and struct dns_rr
 * keeps SOA.  False: no such name, or more records than anybody has. */
bool rrset_take(const struct dns_answer *answer, const char *owner, enum dns_type type, struct rrset *out) MUST_USE;

/* Was the signature made by that key over that set?  Neither dates nor the key's flags are looked at. */
enum dnskey_verdict rrset_verify(const struct rrset *set, const struct rrset_signature *signature,
                                 const struct rrset_key *key) MUST_USE;

#endif
