/* SPDX-License-Identifier: MIT */
#ifndef ACME_DME_CMD_SWEEP_H
#define ACME_DME_CMD_SWEEP_H

#include "cmd/app.h"

/* Leftovers of killed runs go when a later run has done its work.  That costs nothing when there are none, and is no
 * reason to fail: the run did what it was asked to. */
void sweep_leftovers(struct app *app);

#endif
