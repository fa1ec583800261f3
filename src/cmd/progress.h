/* SPDX-License-Identifier: MIT
 *
 * The live line of a wait, on a terminal only.
 */
#ifndef ACME_DME_CMD_PROGRESS_H
#define ACME_DME_CMD_PROGRESS_H

#include <stdio.h>

#include "dns/propagation.h"
#include "util/clock.h"

struct progress {
    FILE *out;           /* NULL: no terminal, or --quiet */
    int shown;           /* columns that the line on the screen takes */
    struct clock *clock; /* borrowed; of progress_step() */
    int64_t begin_ms;    /* monotonic; 0: no step was shown yet */
};

/* A propagation_progress_fn; `ctx` is a struct progress. */
void progress_show(void *ctx, const struct propagation_progress *p);
/* An issue_progress_fn of the same: a step of an issuance, as "validating 3 of 20, 4 s". */
void progress_step(void *ctx, const char *step, size_t done, size_t total);
/* Something is waited for, so long still. */
void progress_wait(void *ctx, const char *what, int64_t left_ms);
/* Take the line off the screen. */
void progress_clear(struct progress *progress);

#endif
