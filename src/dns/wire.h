/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: from a DNS message on the wire (RFC 1035 section 4) to a struct dns_answer, and the queue
 * in which resolvers keep answers until next() takes them.
 */
#ifndef ACME_DME_DNS_WIRE_H
#define ACME_DME_DNS_WIRE_H

#include "dns/resolver.h"

/* Take a response apart.  Fills everything but `tag` and `elapsed_ms`, which are zero afterwards; free with
 * dns_answer_done().  Records of a class other than IN are left out.  Any bytes may be given.
 * Errors: ERR_DNS (no well-formed response). */
enum err_code dns_answer_parse(const uint8_t *msg, size_t len, struct dns_answer *out, struct err *err) MUST_USE;

/* Answers in the order in which they came.  Zero-initialised is empty and ready. */
struct answer_queue {
    struct answer_node *first;
    struct answer_node *last;
};

/* The answer's memory goes over to the queue. */
void answer_queue_put_take(struct answer_queue *queue, struct dns_answer *answer_take);
/* False when empty; otherwise the answer is the caller's. */
bool answer_queue_get(struct answer_queue *queue, struct dns_answer *out);
void answer_queue_done(struct answer_queue *queue);

/* Can this name be asked for?  Dotted labels of 1-63 printable octets without escapes, 253 in all. */
bool dns_name_can_be_asked(const char *name);

/* "TXT" and the like; "TYPE99" has no table here and gives "?". */
const char *dns_type_name(enum dns_type type);
/* "NXDOMAIN" and the like; "?" for the unnamed. */
const char *dns_rcode_name(int rcode);

#endif
