/* SPDX-License-Identifier: MIT
 *
 * Many calls, one batch.  An ACME client that calls once for each name is served with one request a zone and one wait
 * when all its calls but the last leave their records to the last one.
 *
 *   a call that others follow    deferral_leave(): a small file, no network
 *   the last one                 deferral_gather() -> challenge_publish() or challenge_withdraw() -> deferral_settle()
 *
 * A run has one batch after the other, certbot's `renew` for instance one for each certificate.  What a batch left to
 * be published is nobody's any more once the next one begins.  What is to be withdrawn never goes stale: the next last
 * call of the run takes it along, and if none comes it is a leftover like any other.
 */
#ifndef ACME_DME_FLOW_DEFERRAL_H
#define ACME_DME_FLOW_DEFERRAL_H

#include "flow/challenge.h"

struct deferral { /* all borrowed */
    struct store *store;
    const char *run_id;
    const char *batch; /* tells it from the other batches of the run; "": one that has no name, or all of them */
    int64_t position;  /* how many calls of the batch follow */
    struct clock *clock;
    struct log *log;
};

/* A batch begins: forget what earlier ones left to be published.  Errors: ERR_IO. */
enum err_code deferral_begin(const struct deferral *d, struct err *err) MUST_USE;

/* Leave the set to the last call.  A record that is to be withdrawn and was only left to be published is forgotten, and
 * nothing is left to do.  Errors: ERR_IO. */
enum err_code deferral_leave(const struct deferral *d, enum deferred_action action, const struct challenge_set *set,
                             struct err *err) MUST_USE;

/* Add to the set what earlier calls left: to be published, those of this batch; to be withdrawn, all of the run.
 * *out_count of them.  Errors: ERR_IO. */
enum err_code deferral_gather(const struct deferral *d, enum deferred_action action, struct challenge_set *set,
                              size_t *out_count, struct err *err) MUST_USE;

/* The last call has done its work, or failed: forget of the set what is done.  That is what the journal knows of now,
 * or no more; the rest is still waiting for somebody.  Errors: ERR_IO. */
enum err_code deferral_settle(const struct deferral *d, enum deferred_action action, const struct challenge_set *set,
                              struct err *err) MUST_USE;

/* Forget all that is to be published, or all that is to be withdrawn.  Errors: ERR_IO. */
enum err_code deferral_drop(const struct deferral *d, enum deferred_action action, struct err *err) MUST_USE;

#endif
