/* SPDX-License-Identifier: MIT
 *
 * The orders that a CA takes of one account in three hours: what is beyond it waits for a later run, so that no run
 * spends its time on refusals.
 */
#ifndef ACME_DME_CMD_QUOTA_H
#define ACME_DME_CMD_QUOTA_H

#include "cmd/issuance.h"
#include "cmd/workspace.h"

/* Defer what is due and beyond the number, which the configuration or config/ca.h knows: those with the least time left
 * are served first, then those that were never issued.  What was issued in the last three hours counts, as the records
 * tell; a renewal in the CA's window that names its predecessor is exempt (Let's Encrypt).  One line says how many wait
 * and until when.  Errors: ERR_IO. */
enum err_code quota_apply(struct workspace *space, struct issuance_list *list, struct err *err) MUST_USE;

#endif
