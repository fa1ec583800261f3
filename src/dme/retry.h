/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: whether to try again, and when.
 */
#ifndef ACME_DME_DME_RETRY_H
#define ACME_DME_DME_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "util/attrs.h"

/* What one attempt has shown. */
enum dme_verdict {
    DME_FINAL,     /* success, or a failure that would be the same again */
    DME_RESIGN,    /* refused because of the clock; sign again at once */
    DME_TRANSIENT, /* nothing wrong with the request */
    DME_GARBLED,   /* an answer that makes no sense: worth another try, not many */
    DME_LIMITED,   /* rate limit: again when the budget allows */
};

struct dme_retry {
    int64_t start_ms; /* monotonic */
    int64_t deadline_ms;
    int64_t budget_deadline_ms; /* of those that are limited */
    uint64_t seed;              /* for jitter */
    unsigned attempts;
    unsigned transient; /* attempts that ended so */
    unsigned garbled;
    unsigned limited;
    bool resigned;
    bool is_limited;  /* by the last answer */
    int64_t asked_ms; /* the server asked in its last answer not to come back before; 0: it did not */
};

/* After an attempt that was not final: how long to pause before the next; false: give up. */
bool dme_retry_next(struct dme_retry *retry, enum dme_verdict verdict, int64_t now_ms, int64_t *out_pause_ms) MUST_USE;

/* Until when the next attempt has to be made. */
int64_t dme_retry_deadline_ms(const struct dme_retry *retry);

/* How long the next attempt may take. */
int64_t dme_retry_timeout_ms(const struct dme_retry *retry, int64_t request_timeout_ms, int64_t now_ms);

#endif
