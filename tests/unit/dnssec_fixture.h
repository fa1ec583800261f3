/* SPDX-License-Identifier: MIT
 *
 * Answers that hold records given in hexadecimal, and a signed zone as a name server and as resolvers show it.
 */
#ifndef ACME_DME_TESTS_UNIT_DNSSEC_FIXTURE_H
#define ACME_DME_TESTS_UNIT_DNSSEC_FIXTURE_H

#include "dns/resolver.h"
#include "dns_message.h"
#include "dnssec_vectors.h"

/* Octets of hexadecimal text; at most `size`. */
size_t dnssec_unhex(const char *hex, uint8_t *out, size_t size);
void message_rr_hex(struct message *m, const char *owner, uint16_t type, const char *hex);
/* Through the parser for what comes from the network. */
void dnssec_answer(const struct message *m, struct dns_answer *out);

/* What a zone's server leaves out or breaks. */
enum dnssec_fault {
    FAULT_NO_KEYS = 1,            /* DNSKEY is answered with nothing */
    FAULT_KEYS_NOT_SIGNED = 2,    /* no RRSIG over DNSKEY */
    FAULT_SOA_NOT_SIGNED = 4,     /* no RRSIG over SOA */
    FAULT_KEY_MISSING = 8,        /* one of the keys is left out, so that the signature does not fit */
    FAULT_SERIAL_CHANGED = 16,    /* SOA differs from what was signed */
    FAULT_NOT_AUTHORITATIVE = 32, /* AA is not set */
    FAULT_NO_SOA = 64,            /* SOA is answered with nothing */
    FAULT_SIGNER_GONE = 128,      /* the key that signs SOA is not among the keys; DNSKEY is signed by nobody then */
    FAULT_COLLISIONS = 256,       /* twenty signatures over DNSKEY that do not verify, before the good one */
    FAULT_DOUBLED = 512,          /* each record twice, the keys in another order */
};

/* The answer of a server of example.com to DNSKEY or SOA at its apex, with DO. */
void dnssec_zone_answer(const struct dnssec_vector *vector, unsigned faults, enum dns_type type,
                        struct dns_answer *out);

#endif
