/* SPDX-License-Identifier: MIT
 *
 * Signs sets of example.com with Ed25519 keys that are made of a number, for what no other program would sign.
 */
#ifndef ACME_DME_TESTS_UNIT_DNSSEC_SIGNER_H
#define ACME_DME_TESTS_UNIT_DNSSEC_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#define SIGNER_KEY_LEN 36       /* RDATA of DNSKEY */
#define SIGNER_SIGNATURE_LEN 95 /* RDATA of RRSIG: 18 octets, the signer's name, 64 octets */
#define SIGNER_DS_LEN 36        /* RDATA of DS with SHA-256 */

struct signer_key {
    uint8_t seed; /* another one is another key */
    uint16_t flags;
    uint8_t protocol;
};

#define SIGNER_KSK(number) ((struct signer_key){(number), 257, 3})
#define SIGNER_ZSK(number) ((struct signer_key){(number), 256, 3})

struct signer_rdata {
    uint8_t data[512];
    size_t len;
};

void signer_dnskey(const struct signer_key *key, struct signer_rdata *out);
void signer_ds(const struct signer_rdata *dnskey, struct signer_rdata *out);
/* Over `rdatas`, which must be in canonical order. */
void signer_sign(const struct signer_key *key, uint16_t type, const struct signer_rdata *rdatas, size_t count,
                 uint32_t begins_s, uint32_t expires_s, struct signer_rdata *out);

#endif
