/* SPDX-License-Identifier: MIT
 *
 * Waiting until every authoritative server shows every value.  All names and all addresses of all servers are asked
 * side by side; a server that has shown a name's values is not asked again for it; the interval adapts (quick at first,
 * then up to a ceiling).  When all have shown all: settle, then return.  Only authoritative answers count.
 *
 * Policy for servers that stay silent or refuse: they are asked again until `lame_after_ms` has passed AND all other
 * servers of the zone show everything; then a server of which not one address has answered with authority is named in a
 * warning and no longer waited for, provided that at least half of the zone's servers, and at least one, have shown
 * everything.  A server without any address is such a server from the start.
 * A server that answers with something else (old data) is waited for until the time-out.  One address of a server that
 * is silent while another address of it answers is not waited for (no IPv6 route is common), with a debug line: at once
 * when it can't be reached, after one try each over UDP and TCP when it is silent, after `lame_after_ms` when it
 * refuses. A zone whose servers are all silent, or all answer without authority (as an intercepting resolver does), is
 * given up with ERR_NETWORK after `lame_after_ms`, 5 s at least, so that time is left for another way.  Servers that
 * all refuse may only be late with a new zone and get the whole time.
 */
#ifndef ACME_DME_DNS_PROPAGATION_H
#define ACME_DME_DNS_PROPAGATION_H

#include "dns/authority.h"

struct propagation_item {
    const char *name;          /* record name */
    const char *const *values; /* all must be shown; other values beside them are fine */
    size_t value_count;
    const struct dns_servers *servers; /* of the record's zone; the same pointer for names of one zone */
    const char *zone;
};

/* How a wait stands, for a live line.  Called at most 5 times a second. */
struct propagation_progress {
    size_t records_total, records_done; /* items, and those of them that all servers show */
    int64_t elapsed_ms;
    const char *lagging; /* server names, ", " between, cut with "…" to fit a line; "" when settling */
};
typedef void propagation_progress_fn(void *ctx, const struct propagation_progress *progress);

/* A server has shown all values of an item for the first time; times count from the start of the wait. */
struct propagation_sighting {
    const char *name;   /* of the record */
    const char *server; /* name of the server */
    const char *address;
    int64_t elapsed_ms;
};
typedef void propagation_sighting_fn(void *ctx, const struct propagation_sighting *sighting);

struct propagation_opts {
    int64_t timeout_ms;    /* 100 s */
    int64_t settle_ms;     /* 10 s */
    int64_t lame_after_ms; /* 10 s */
    struct clock *clock;
    struct log *log;
    propagation_progress_fn *progress; /* may be NULL */
    void *progress_ctx;
    propagation_sighting_fn *sighted; /* may be NULL; not called by propagation_wait_doh() */
    void *sighted_ctx;
};

/* Nothing else may be under way in `direct`, and nothing is afterwards.
 * Errors: ERR_PROPAGATION (names each server that lags and what it still answers), ERR_NETWORK (no server of a zone
 * answered with authority: port 53 may be blocked or intercepted), ERR_CANCELLED. */
enum err_code propagation_wait(struct resolver *direct, const struct propagation_item *items, size_t count,
                               const struct propagation_opts *opts, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ each item by itself */

/* A wait that tells how each item stands, and that can be left and gone on with: zones whose servers are silent, or
 * never show an item, fail their own items alone.  The policy above holds for each zone, and in it for each item. */
struct propagation;
enum propagation_state { PROPAGATION_WAITING, PROPAGATION_SHOWN, PROPAGATION_FAILED };

/* All is borrowed, the options too. */
struct propagation *propagation_new(struct resolver *direct, const struct propagation_item *items, size_t count,
                                    const struct propagation_opts *opts) MUST_USE;
void propagation_free(struct propagation *propagation); /* NULL is fine */

/* How long one call takes at most, beside settling; 0: no such limit. */
struct propagation_patience {
    int64_t quiet_ms; /* come back when some are shown that were not before, and no other came within this */
    int64_t limit_ms; /* come back in any case */
};

/* Wait until no item is PROPAGATION_WAITING, or `patience` (NULL: endless) is over.  What is then shown settles before
 * this returns; what is not after opts.timeout_ms, counted over all calls, has failed.  The time between calls and that
 * of settling do not count.  As with propagation_wait() nothing is under way in `direct` before and after.
 * Errors: ERR_CANCELLED. */
enum err_code propagation_go_on(struct propagation *propagation, const struct propagation_patience *patience,
                                struct err *err) MUST_USE;

enum propagation_state propagation_state(const struct propagation *propagation, size_t item);
/* Why an item has failed: ERR_PROPAGATION, ERR_NETWORK. */
enum err_code propagation_explain(const struct propagation *propagation, size_t item, struct err *err);

/* ------------------------------------------------------------------ DNS over HTTPS */

/* The same through DNS over HTTPS, where port 53 is closed: asks each of `doh` (resolvers of one URL each) for each
 * name, but nothing for the first 30 s (a third of the time-out, if that is less), lest the resolvers learn that there
 * is nothing; after a negative answer the name is left alone for as long as that answer may be cached. Errors:
 * ERR_PROPAGATION, ERR_NETWORK, ERR_CANCELLED. */
enum err_code propagation_wait_doh(struct resolver *const *doh, size_t doh_count, const struct propagation_item *items,
                                   size_t count, const struct propagation_opts *opts, struct err *err) MUST_USE;

/* The same, but each item by itself, up to the time-out and in one call: there is no patience here.  states[i] becomes
 * PROPAGATION_SHOWN or PROPAGATION_FAILED; *why is set when some failed, for all of them.  Errors: ERR_CANCELLED. */
enum err_code propagation_wait_doh_each(struct resolver *const *doh, size_t doh_count,
                                        const struct propagation_item *items, size_t count,
                                        const struct propagation_opts *opts, enum propagation_state *states,
                                        struct err *why, struct err *err) MUST_USE;

#endif
