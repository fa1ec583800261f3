/* SPDX-License-Identifier: MIT
 *
 * DNS messages made by hand, for tests of what reads them.
 */
#ifndef ACME_DME_TESTS_UNIT_DNS_MESSAGE_H
#define ACME_DME_TESTS_UNIT_DNS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_RESPONSE 0x8000u
#define MESSAGE_AUTHORITATIVE 0x0400u
#define MESSAGE_TRUNCATED 0x0200u
#define MESSAGE_RD 0x0100u
#define MESSAGE_AUTHENTICATED 0x0020u

enum message_section { MESSAGE_ANSWER = 1, MESSAGE_AUTHORITY = 2, MESSAGE_ADDITIONAL = 3 };

struct message {
    size_t len;
    uint8_t data[65535];
};

void message_begin(struct message *m, uint16_t id, unsigned flags);
void message_question(struct message *m, const char *name, uint16_t type);
/* Raw RDATA. */
void message_rr(struct message *m, enum message_section section, const char *owner, uint16_t type, uint32_t ttl_s,
                const void *rdata, size_t len);
/* NS, CNAME. */
void message_rr_name(struct message *m, enum message_section section, const char *owner, uint16_t type,
                     const char *target);
/* One character-string. */
void message_rr_txt(struct message *m, const char *owner, uint32_t ttl_s, const char *value);
void message_rr_soa(struct message *m, enum message_section section, const char *owner, uint32_t ttl_s,
                    uint32_t minimum_s);
/* An EDNS record whose TTL field is given. */
void message_opt(struct message *m, uint32_t ttl);

/* Building blocks for messages that are wrong. */
void message_put(struct message *m, const void *data, size_t len);
void message_put_u16(struct message *m, unsigned value);
void message_put_u32(struct message *m, uint32_t value);
void message_put_name(struct message *m, const char *name);
void message_count(struct message *m, enum message_section section, unsigned count);

#endif
