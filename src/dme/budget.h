/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: requests wait for the budget of their API key.  The arithmetic is in limit.h, and where it is kept is
 * dme_opts.budget.
 */
#ifndef ACME_DME_DME_BUDGET_H
#define ACME_DME_DME_BUDGET_H

#include "dme/client.h"

/* Use the one of the options, or a private one. */
void dme_budget_init(struct dme *dme, const struct dme_opts *opts);
void dme_budget_done(struct dme *dme);

/* Wait until at least one request may be sent, and take up to `most`; `what` completes "could not ...".
 * Errors: ERR_RATE_LIMIT (not before the deadline), ERR_CANCELLED. */
enum err_code dme_budget_take(struct dme *dme, size_t most, const char *what, size_t *out_got,
                              struct err *err) MUST_USE;

/* Take regardless. */
void dme_budget_force(struct dme *dme, size_t count);

/* What has become of them; `news` without its owner. */
void dme_budget_learn(struct dme *dme, const struct dme_news *news);

#endif
