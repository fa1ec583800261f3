/* SPDX-License-Identifier: MIT
 *
 * What remains of an issuance: files, the certificate's record, and for `acme-dme status` how it ended.
 */
#ifndef ACME_DME_CMD_KEEP_H
#define ACME_DME_CMD_KEEP_H

#include "cmd/plan.h"

/* Install what the job brought, save the record, and forget the order: it was needed until then.
 * Errors: those of install_certificate() and certificate_save(). */
enum err_code keep_certificate(struct app *app, struct plan *plan, const struct issue_job *job, struct err *err)
    MUST_USE;

/* What a refusal means for a certificate that is there: with rateLimited the CA's wish not to be asked before a moment
 * is remembered, and records that are to persist but proved nothing are no longer relied on. */
void keep_refusal(struct app *app, struct plan *plan, const struct err *refusal);

/* How it ended, for `acme-dme status`: first and later issuances are one thing, so that a success ends a failure. */
void keep_result(struct app *app, const struct plan *plan, const struct err *outcome, int64_t took_ms);

#endif
