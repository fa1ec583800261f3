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
    size_t *places;               /* of these in the wave's set; NULL: not there */
    bool is_resumed;
    bool is_shown;     /* its records are, or it needs none: it can go on */
    bool is_answered;  /* the CA was told so */
    bool is_finalized; /* the CA was asked for the certificate */
    bool is_finished;  /* it has come to its end, and the caller knows */
};

/* How a record of the wave stands. */
struct out_record {
    bool is_out;   /* it was published and not withdrawn */
    bool is_kept;  /* it is to stay (dns-persist-01) */
    bool is_noted; /* and no longer in the journal */
    size_t needed; /* by so many runs that are not finished */
};

struct wave {
    const struct issue_engine *engine;
    struct run *runs;
    size_t count;
    struct acme_authz *authzs;
    size_t authz_count;
    struct challenge_set records; /* of all runs, each once */
    struct out_record *out;       /* one a record */
    struct challenge_awaiting *awaiting;
    bool is_interrupted; /* the operator's wish to stop came while records were withdrawn */
};

/* While others are waited for, what is ready goes on after this much quiet. */
#define WAVE_PATIENCE_MS 5000

/* A phase: what befalls single runs is in their jobs.  Errors: only what ends the whole wave. */
enum err_code wave_order(struct wave *wave, struct err *err) MUST_USE;     /* order.c */
enum err_code wave_authorize(struct wave *wave, struct err *err) MUST_USE; /* prove.c */
enum err_code wave_publish(struct wave *wave, struct err *err) MUST_USE;   /* records.c */

/* Phases of a round: each takes on the runs that are as far as that. */
enum err_code wave_await(struct wave *wave, struct err *err) MUST_USE;
enum err_code wave_answer(struct wave *wave, struct err *err) MUST_USE;   /* prove.c */
enum err_code wave_finalize(struct wave *wave, struct err *err) MUST_USE; /* obtain.c */
enum err_code wave_download(struct wave *wave, struct err *err) MUST_USE;
/* Wait until orders of that state leave it, or for WAVE_PATIENCE_MS in which none does. */
enum err_code wave_settle(struct wave *wave, enum acme_order_status status, const char *step, struct err *err) MUST_USE;

/* records.c: a run is at its end and needs its records no more; those of good runs may have to stay. */
void wave_release(struct wave *wave, struct run *run);
/* Strike records that are to stay out of the journal.  Never fails: no more than a warning. */
void wave_strike_kept(struct wave *wave);
enum wave_withdrawal { WITHDRAW_MANY /* not before it is worth its requests */, WITHDRAW_ALL };
/* Withdraw records that no run needs.  Never fails: what can't be withdrawn is in the journal, and said. */
void wave_withdraw(struct wave *wave, enum wave_withdrawal withdrawal);

/* Is it still on its way? */
static inline bool run_is_live(const struct run *run)
{
    return !run->is_finished && run->job->err.code == ERR_OK;
}

/* Is it the CA's turn, to validate or to issue? */
static inline bool run_is_polled(const struct run *run)
{
    return run_is_live(run) && ((run->order.status == ACME_ORDER_PENDING && run->is_answered) ||
                                run->order.status == ACME_ORDER_PROCESSING);
}

/* It drops out with this error. */
void run_fail(struct run *run, const struct err *err);
/* The same with the result of its order, if that is bad. */
void run_check_order(struct run *run);

size_t wave_live(const struct wave *wave); /* runs that are still on their way */

void wave_tell(const struct wave *wave, const char *step, size_t done, size_t total);

#endif
