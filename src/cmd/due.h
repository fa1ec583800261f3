/* SPDX-License-Identifier: MIT
 *
 * Which certificates have something to be done about: looked at in blocks, so that ten thousand of which none is due
 * take little time and hardly any memory.
 */
#ifndef ACME_DME_CMD_DUE_H
#define ACME_DME_CMD_DUE_H

#include "cmd/issuance.h"
#include "cmd/workspace.h"

/* Why a certificate is to be issued again, as part of a sentence; NULL: it is not.  Static. */
const char *due_why(const struct workspace *space, const struct opts *opts, const struct plan *plan);

/* Add those of that name that are due or whose deploy programs are pending, as ISSUANCE_DUE, and those that can't be
 * planned, as ISSUANCE_FAILED; the others are passed over (issuance_pass()).  The CAs are asked for renewal information
 * where it is time to.  Errors: ERR_CANCELLED, and those of workspace_client(). */
enum err_code due_find(struct workspace *space, const struct opts *opts, const struct strlist *names,
                       struct issuance_list *list, struct err *err) MUST_USE;

#endif
