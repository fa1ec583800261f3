/* SPDX-License-Identifier: MIT
 *
 * The live line of a wait, on a terminal only.
 */
#ifndef ACME_DME_CMD_PROGRESS_H
#define ACME_DME_CMD_PROGRESS_H

#include <stdio.h>

#include "dns/propagation.h"

struct progress {
    FILE *out; /* NULL: no terminal, or --quiet */
    int shown; /* columns that the line on the screen takes */
};

/* A propagation_progress_fn; `ctx` is a struct progress. */
void progress_show(void *ctx, const struct propagation_progress *p);
/* Take the line off the screen. */
void progress_clear(struct progress *progress);

#endif
