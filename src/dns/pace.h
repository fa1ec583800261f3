/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: what both kinds of propagation wait do besides asking: interrupt, progress and settling.
 */
#ifndef ACME_DME_DNS_PACE_H
#define ACME_DME_DNS_PACE_H

#include "dns/propagation.h"
#include "util/buf.h"

struct pace {
    const struct propagation_opts *opts;
    int64_t start_ms;
    int64_t told_ms; /* when progress was told last */
    size_t total;
};

void pace_init(struct pace *pace, const struct propagation_opts *opts, size_t total);
int64_t pace_elapsed_ms(const struct pace *pace);

/* Is it time to tell progress?  At most 5 times a second, and never without a listener. */
bool pace_wants_progress(const struct pace *pace);
/* `lagging` is cut to fit a line. */
void pace_tell(struct pace *pace, size_t done, const char *lagging);

/* Sleep; ERR_CANCELLED when the operator interrupts. */
enum err_code pace_sleep(struct pace *pace, int64_t ms, struct err *err) MUST_USE;
/* The last part of a successful wait, in which `shown` of all are shown: opts->settle_ms.  Errors: ERR_CANCELLED. */
enum err_code pace_settle(struct pace *pace, size_t shown, struct err *err) MUST_USE;
/* The wait went on after a pause that does not count, which began at `from_ms` of the monotonic clock. */
void pace_skip(struct pace *pace, int64_t from_ms);
enum err_code pace_cancelled(struct err *err) MUST_USE;

/* How long after an answer that does not show the values the same server is asked again.  A twentieth of the
 * time waited so far keeps the delay with which success is seen in proportion.  0.1 s at first; 0.3 s from 6
 * s on, since propagation takes 5 to 45 s as a rule and a reaction within half a second was promised; slower
 * after 45 s, when something is wrong and haste is no use; 2 s at most. */
int64_t pace_interval_ms(int64_t elapsed_ms);

#endif
