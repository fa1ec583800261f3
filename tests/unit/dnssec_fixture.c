/* SPDX-License-Identifier: MIT */
#include "dnssec_fixture.h"

#include <string.h>

#include "dns/wire.h"
#include "test.h"

#define ZONE "example.com"

static unsigned digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c);

    assert_non_null(at);
    return (unsigned)(at - digits);
}

size_t dnssec_unhex(const char *hex, uint8_t *out, size_t size)
{
    size_t len = strlen(hex) / 2;

    assert_true(len <= size && strlen(hex) % 2 == 0);
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return len;
}

void message_rr_hex(struct message *m, const char *owner, uint16_t type, const char *hex)
{
    uint8_t rdata[4096];
    size_t len = dnssec_unhex(hex, rdata, sizeof rdata);

    message_rr(m, MESSAGE_ANSWER, owner, type, 60, rdata, len);
}

void dnssec_answer(const struct message *m, struct dns_answer *out)
{
    struct err err;

    if (dns_answer_parse(m->data, m->len, out, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

/* The signature with its last octet changed. */
static void put_broken(struct message *m, const char *hex)
{
    uint8_t rdata[4096];
    size_t len = dnssec_unhex(hex, rdata, sizeof rdata);

    rdata[len - 1] ^= 1;
    message_rr(m, MESSAGE_ANSWER, ZONE, DNS_RRSIG, 60, rdata, len);
}

static void put_keys(struct message *m, const struct dnssec_vector *v, unsigned faults)
{
    size_t times = faults & FAULT_DOUBLED ? 2 : 1;

    if (faults & FAULT_NO_KEYS)
        return;
    for (size_t n = 0; n < times; n++)
        for (size_t i = 0; i < DNSSEC_VECTOR_KEYS; i++) {
            size_t at = n ? DNSSEC_VECTOR_KEYS - 1 - i : i;
            bool is_named = strncmp(v->keys[at], "0101", 4) == 0;

            if (!(faults & FAULT_KEY_MISSING && at == DNSSEC_VECTOR_KEYS - 1) &&
                !(faults & FAULT_SIGNER_GONE && !is_named))
                message_rr_hex(m, ZONE, DNS_DNSKEY, v->keys[at]);
        }
    for (size_t i = 0; faults & FAULT_COLLISIONS && i < 20; i++)
        put_broken(m, v->keys_signature);
    for (size_t n = 0; !(faults & FAULT_KEYS_NOT_SIGNED) && n < times; n++)
        message_rr_hex(m, ZONE, DNS_RRSIG, v->keys_signature);
}

static void put_soa(struct message *m, const struct dnssec_vector *v, unsigned faults)
{
    uint8_t rdata[1024];
    size_t len = dnssec_unhex(v->soa, rdata, sizeof rdata);

    if (faults & FAULT_NO_SOA)
        return;
    if (faults & FAULT_SERIAL_CHANGED)
        rdata[len - 17]++;
    message_rr(m, MESSAGE_ANSWER, ZONE, DNS_SOA, 60, rdata, len);
    if (!(faults & FAULT_SOA_NOT_SIGNED))
        message_rr_hex(m, ZONE, DNS_RRSIG, v->soa_signature);
}

void dnssec_zone_answer(const struct dnssec_vector *vector, unsigned faults, enum dns_type type, struct dns_answer *out)
{
    static struct message m;

    message_begin(&m, 0, MESSAGE_RESPONSE | (faults & FAULT_NOT_AUTHORITATIVE ? 0 : MESSAGE_AUTHORITATIVE));
    message_question(&m, ZONE, (uint16_t)type);
    if (type == DNS_DNSKEY)
        put_keys(&m, vector, faults);
    else
        put_soa(&m, vector, faults);
    dnssec_answer(&m, out);
}
