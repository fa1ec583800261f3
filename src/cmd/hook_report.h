/* SPDX-License-Identifier: MIT
 *
 * How a hook's call ended, for its caller and for `acme-dme status`.
 */
#ifndef ACME_DME_CMD_HOOK_REPORT_H
#define ACME_DME_CMD_HOOK_REPORT_H

#include "cmd/app.h"

/* What was done with a set of records. */
struct hook_report {
    const char *client;
    const char *action; /* of a struct result: "publish" or "withdraw" */
    const struct challenge_set *set;
    const struct err *outcomes; /* one an item; NULL: `err` is that of all */
    int64_t begin_ms;           /* monotonic clock */
};

/* The outcomes as one error: which failed first, how many did, and why.  Each of them is logged.
 * Errors: that of the first; ERR_OK: none has failed. */
enum err_code hook_report_sum(const struct app *app, const struct challenge_set *set, const struct err *outcomes,
                              struct err *err) MUST_USE;

/* Note it for each domain.  Without a store (the configuration can't be used, say) the state directory is looked for,
 * so that monitoring sees that first of all. */
void hook_report_note(const struct app *app, const struct opts *opts, const struct hook_report *report,
                      const struct err *err);

#endif
