/* SPDX-License-Identifier: MIT
 *
 * Asking DNS questions, many at a time.  A completion queue: start() as many questions as you like, then take answers
 * with next() in the order in which they come.  Two implementations: c-ares over UDP and TCP (direct.c) and DNS over
 * HTTPS, RFC 8484 (doh.c); tests have fakes.
 *
 * A question goes either to the configured recursive resolvers (server NULL, recursion desired) or to one given
 * server (no recursion desired, no cache in between).  DoH can only do the former.
 */
#ifndef ACME_DME_DNS_RESOLVER_H
#define ACME_DME_DNS_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"
#include "util/mem.h"

/* RFC 1035 section 3.2.2, RFC 3596, RFC 4034, RFC 8659 */
enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_DS = 43,
    DNS_RRSIG = 46,
    DNS_DNSKEY = 48,
    DNS_CAA = 257,
};

/* RFC 1035 section 4.1.1 */
enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5
};

enum dns_transport { DNS_UDP_THEN_TCP, DNS_TCP };

/* Bits of dns_question.flags */
enum dns_flag {
    DNS_WANT_DNSSEC = 1,   /* DO, RFC 3225: signatures too */
    DNS_NO_VALIDATION = 2, /* CD, RFC 4035 section 3.2.2: a validating resolver answers even what it found bogus */
};

struct dns_question {
    const char *name; /* no trailing dot; borrowed until start() returns */
    enum dns_type type;
    const char *server; /* "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53"; NULL: the recursive resolvers */
    enum dns_transport transport;
    unsigned flags;     /* of enum dns_flag */
    int64_t timeout_ms; /* for this question, retransmissions included */
    void *tag;          /* comes back with the answer */
};

struct dns_rr {
    char *owner; /* lower case, no trailing dot */
    uint16_t type;
    uint32_t ttl_s;
    char *text;      /* A, AAAA: address; NS, CNAME: name (lower case, no dot); SOA: mname; TXT: the character-strings
                        joined, NUL-terminated; other types: "" */
    size_t text_len; /* TXT may hold NUL bytes: compare with the length */
    uint32_t soa_serial;
    uint32_t soa_minimum_s;
    uint8_t *rdata; /* as on the wire, for types that are not taken apart; SOA: the canonical form of RFC 4034 section
                       6.2; else NULL */
    size_t rdata_len;
};

struct dns_answer {
    enum err_code result; /* ERR_OK: a well-formed DNS answer came, whatever its rcode.  ERR_TIMEOUT, ERR_NETWORK
                             (refused, unreachable), ERR_DNS (malformed) */
    struct err err;
    bool has_no_route; /* with ERR_NETWORK: this machine has no way to the server, which tells nothing about it */
    void *tag;
    int rcode; /* enum dns_rcode or another value of the registry, extended ones (RFC 6891) included */
    bool authoritative;
    bool authenticated; /* AD, RFC 4035 section 3.2.3: the resolver says that it validated all of it */
    struct dns_rr *answers; /* answer section */
    size_t answer_count;
    struct dns_rr *authority; /* authority section */
    size_t authority_count;
    struct dns_rr *additional; /* additional section, without OPT */
    size_t additional_count;
    int64_t elapsed_ms;
};

struct resolver {
    /* Queue a question.  Errors (ERR_INPUT for a name that can't be asked, ERR_INTERNAL) come as answers too. */
    void (*start)(struct resolver *self, const struct dns_question *question);
    /* Take the next answer, waiting up to timeout_ms for one.  ERR_OK; ERR_TIMEOUT (none yet, some are under way);
     * ERR_NOT_FOUND (nothing is under way); ERR_CANCELLED. */
    enum err_code (*next)(struct resolver *self, int64_t timeout_ms, struct dns_answer *out);
    void (*free)(struct resolver *self);
    /* Forget every question that is under way and every answer that was not taken, at once.  May be NULL, see
     * resolver_cancel(). */
    void (*cancel)(struct resolver *self);
    const char *name; /* for messages, e.g. a URL; lives as long as the resolver; NULL: it has none */
};

void dns_answer_done(struct dns_answer *answer);
#define AUTO_DNS_ANSWER AUTO(dns_answer_done)

void resolver_free(struct resolver *resolver); /* NULL is fine */

/* Forget all questions that are under way: nothing of them comes back with next() later, so tags may be freed.  With a
 * resolver that has no cancel() the answers are waited for and dropped. */
void resolver_cancel(struct resolver *resolver);

/* Ask one question and wait for its answer; nothing else may be under way.  Returns the answer's result, with *err
 * filled from it, or ERR_CANCELLED. */
enum err_code resolver_ask(struct resolver *resolver, const struct dns_question *question, struct dns_answer *out,
                           struct err *err) MUST_USE;

/* Ask many and wait for all: out[i] answers questions[i] (whose tag must be NULL), each to be freed by the caller;
 * nothing else may be under way.  Errors: ERR_CANCELLED, ERR_INTERNAL; then there is nothing to free. */
enum err_code resolver_ask_all(struct resolver *resolver, const struct dns_question *questions, size_t count,
                               struct dns_answer *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ implementations */

struct resolver_direct_opts {
    const struct strlist *resolvers; /* "addr", "addr:port", "[v6]:port"; empty: the system's */
    struct clock *clock;
    struct log *log; /* each question and answer at LOG_DEBUG */
};

enum err_code resolver_direct_new(const struct resolver_direct_opts *opts, struct resolver **out,
                                  struct err *err) MUST_USE;

struct http;
struct resolver_doh_opts {
    const struct strlist *urls; /* e.g. "https://dns.example/dns-query"; asked in order until one answers */
    struct http *http;          /* borrowed */
    struct clock *clock;
    struct log *log;
};

enum err_code resolver_doh_new(const struct resolver_doh_opts *opts, struct resolver **out, struct err *err) MUST_USE;

#endif
