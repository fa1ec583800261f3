/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: the border to c-ares, so that the rest neither knows its version nor sees its types.  A
 * `struct cares` owns the library's initialisation, the sockets and any number of lines; a line is one
 * channel, to one server or to the recursive resolvers.  Retransmission and the change to TCP after
 * truncation are c-ares' work; deadlines and limits are the caller's.
 */
#ifndef ACME_DME_DNS_CARES_H
#define ACME_DME_DNS_CARES_H

#include <stddef.h>
#include <stdint.h>

#include "dns/resolver.h"
#include "util/attrs.h"
#include "util/buf.h"
#include "util/err.h"

struct cares;
struct cares_line;

/* What came of a question.  ERR_OK with `msg`: a DNS message, not looked into yet.  ERR_OK without: only the
 * response code is known (c-ares drops refusals of recursive resolvers after it has tried them all).
 * Otherwise ERR_TIMEOUT, ERR_NETWORK, ERR_DNS, ERR_INPUT, ERR_CANCELLED or ERR_INTERNAL, and `why`. */
struct cares_reply {
    enum err_code result;
    int rcode;
    const uint8_t *msg; /* borrowed until the callback returns */
    size_t len;
    const char *why; /* static text */
};

typedef void cares_reply_fn(void *ctx, const struct cares_reply *reply);

enum cares_kind {
    CARES_RECURSIVE,     /* RD=1, all resolvers in turn until one gives more than a refusal; when none does, older
                            c-ares says ERR_NETWORK, as it does when nobody is there */
    CARES_RECURSIVE_ANY, /* RD=1, the first that answers, even with a refusal */
    CARES_SERVER,        /* RD=0, every answer comes through, UDP then TCP */
    CARES_SERVER_TCP,    /* RD=0, every answer comes through, TCP only */
};

/* Errors: ERR_INTERNAL. */
enum err_code cares_new(struct cares **out, struct err *err) MUST_USE;
/* Ends open questions with ERR_CANCELLED first. */
void cares_free(struct cares *cares);

/* `servers`: addresses in the form of cares_address_parse(), "," between; NULL: those of the system
 * (recursive only). The line belongs to `cares`.  Errors: ERR_INTERNAL, ERR_NETWORK (the system's resolvers
 * can't be found). */
enum err_code cares_line_new(struct cares *cares, const char *servers, enum cares_kind kind, struct cares_line **out,
                             struct err *err) MUST_USE;
/* Ends the line's open questions with ERR_CANCELLED first. */
void cares_line_free(struct cares_line *line);

/* Ask, `flags` of enum dns_flag; `fn` is called exactly once, perhaps before this returns. */
void cares_line_ask(struct cares_line *line, const char *name, enum dns_type type, unsigned flags, cares_reply_fn *fn,
                    void *ctx);

/* End all open questions with ERR_CANCELLED. */
void cares_cancel(struct cares *cares);

/* Wait up to timeout_ms for something to happen on the sockets, and handle it and c-ares' own timers.
 * Errors: ERR_INTERNAL. */
enum err_code cares_wait(struct cares *cares, int64_t timeout_ms, struct err *err) MUST_USE;

/* Bring "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:53" into one form with
 * port. Errors: ERR_INPUT. */
enum err_code cares_address_parse(const char *text, char **out, struct err *err) MUST_USE;

/* A query message with id 0 and RD=1, as RFC 8484 section 4.1 wants it; `flags` of enum dns_flag.
 * Errors: ERR_INPUT, ERR_INTERNAL. */
enum err_code cares_query_build(const char *name, enum dns_type type, unsigned flags, struct buf *out,
                                struct err *err) MUST_USE;

#endif
