/* SPDX-License-Identifier: MIT
 *
 * The operator's programs around certificates: each certificate's own, and with deploy_once one run of each deploy
 * command for all certificates of a run that have it.
 */
#ifndef ACME_DME_CMD_DEPLOY_H
#define ACME_DME_CMD_DEPLOY_H

#include "cmd/issuance.h"
#include "flow/program.h"

/* Run a certificate's programs of that event.  Errors: as programs_run(). */
enum err_code deploy_run_programs(const struct app *app, const struct issuance *issuance, enum program_event event,
                                  const char *error, struct err *err) MUST_USE;

/* The deploy programs of one that is installed, whose lock is held; with deploy_once nothing yet.  A failure is noted
 * in its `err`, and leaves the programs pending. */
void deploy_one(struct app *app, struct issuance *issuance);

/* At the end of a run: each distinct command of those that are installed or pending and have deploy_once, once.  A
 * failure is noted in the `err` of each certificate whose command it is.  No lock may be held. */
void deploy_all_once(struct app *app, struct issuance_list *list);

#endif
