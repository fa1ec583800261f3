/* SPDX-License-Identifier: MIT
 *
 * What remains of an issuance: files, the certificate's record, and for `acme-dme status` how it ended.
 */
#ifndef ACME_DME_CMD_KEEP_H
#define ACME_DME_CMD_KEEP_H

#include "cmd/plan.h"

struct keep_item { /* borrowed */
    struct plan *plan;
    const struct issue_job *job;
    struct err err; /* out: ERR_OK, or those of certificate_install_all() and certificate_save() */
};

/* Save records as they are now; one that can't be saved is a warning. */
void keep_records(struct app *app, struct certificate_record *const *records, size_t count);

/* Install what the jobs brought, save the records, and forget the orders: they were needed until then.  Together, step
 * by step; each has an outcome. */
void keep_certificates(struct app *app, struct keep_item *items, size_t count);

/* What refusals mean for certificates that are there or to be renewed: with rateLimited the CA's wish not to be asked
 * before a moment is remembered, and records that are to persist but proved nothing are no longer relied on. `job->err`
 * is the refusal. */
void keep_refusals(struct app *app, const struct keep_item *items, size_t count);

/* How they ended, for `acme-dme status`: first and later issuances are one thing, so that a success ends a failure. */
struct keep_outcome { /* borrowed */
    const struct plan *plan;
    const struct err *err;
};
void keep_results(struct app *app, const struct keep_outcome *outcomes, size_t count, int64_t took_ms);

#endif
