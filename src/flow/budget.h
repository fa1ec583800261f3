/* SPDX-License-Identifier: MIT
 *
 * The request budget of an API key (dme.h) in the state directory (store/budget.h), where all processes of this host
 * share it.
 */
#ifndef ACME_DME_FLOW_BUDGET_H
#define ACME_DME_FLOW_BUDGET_H

#include "dme/dme.h"
#include "store/store.h"

struct budget_opts {
    struct store *store;  /* borrowed */
    const char *endpoint; /* copied */
    const char *key_id;   /* copied; fingerprint of the API key */
    int64_t window_ms;
    int64_t allowed; /* requests in a window; 0: as many as the API says */
    struct log *log; /* borrowed, may be NULL */
};

struct budget;

/* Errors: those of platform_random(). */
enum err_code budget_new(const struct budget_opts *opts, struct budget **out, struct err *err) MUST_USE;
void budget_free(struct budget *budget); /* NULL is fine */

/* For dme_opts.budget.  While the state directory can't be used, which is said once, this process counts alone. */
struct dme_budget *budget_base(struct budget *budget);

#endif
