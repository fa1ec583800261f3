/* SPDX-License-Identifier: MIT
 *
 * What the phases of an issuance share.  Internal to flow/.
 */
#ifndef ACME_DME_FLOW_WAVE_H
#define ACME_DME_FLOW_WAVE_H

#include "flow/issue.h"

/* One certificate under way. */
struct run {
    struct issue_job *job;
    struct acme_order order;
    size_t first_authz; /* in the wave's list */
    size_t authz_count;
    struct challenge_set records; /* that prove its names */
    bool is_published;            /* its records are there, to be withdrawn */
    bool is_resumed;
};

struct wave {
    const struct issue_engine *engine;
    struct run *runs;
    size_t count;
    struct acme_authz *authzs;
    size_t authz_count;
};

/* A phase: what befalls single runs is in their jobs.  Errors: only what ends the whole wave. */
enum err_code wave_order(struct wave *wave, struct err *err) MUST_USE;     /* order.c */
enum err_code wave_authorize(struct wave *wave, struct err *err) MUST_USE; /* prove.c */
enum err_code wave_publish(struct wave *wave, struct err *err) MUST_USE;
enum err_code wave_answer(struct wave *wave, struct err *err) MUST_USE;
enum err_code wave_finalize(struct wave *wave, struct err *err) MUST_USE; /* obtain.c */
enum err_code wave_download(struct wave *wave, struct err *err) MUST_USE;
/* Wait for all orders of that state to leave it. */
enum err_code wave_settle(struct wave *wave, enum acme_order_status status, const char *step, struct err *err) MUST_USE;
/* Never fails: what can't be withdrawn is in the journal, and said. */
void wave_withdraw(struct wave *wave); /* prove.c */

/* Is it still on its way? */
static inline bool run_is_live(const struct run *run)
{
    return run->job->err.code == ERR_OK;
}

/* It drops out with this error. */
void run_fail(struct run *run, const struct err *err);
/* The same with the result of its order, if that is bad. */
void run_check_order(struct run *run);

size_t wave_live(const struct wave *wave);

void wave_tell(const struct wave *wave, const char *step, size_t done, size_t total);

#endif
