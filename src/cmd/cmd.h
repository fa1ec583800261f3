/* SPDX-License-Identifier: MIT
 *
 * The command line's entry point, separate from main() so that tests can call it in-process, and the commands.
 */
#ifndef ACME_DME_CMD_CMD_H
#define ACME_DME_CMD_CMD_H

#include "cmd/app.h"
#include "hook/hook.h"
#include "json/json.h"

/* Run one command; returns the exit status. */
int cmd_main(int argc, char **argv) MUST_USE;

/* hook.c: what an ACME client calls; *out_status is the exit status on ERR_OK. */
enum err_code cmd_hook(const struct hook_call *call, const struct opts *opts, int *out_status,
                       struct err *err) MUST_USE;

/* sweep.c: "acme-dme sweep [--dry-run]" */
enum err_code cmd_sweep(const struct opts *opts, struct err *err) MUST_USE;

/* check.c: "acme-dme check [DOMAIN...]" */
enum err_code cmd_check(const struct opts *opts, struct err *err) MUST_USE;

/* reset.c: "acme-dme reset --state [--dry-run]" */
enum err_code cmd_reset(const struct opts *opts, struct err *err) MUST_USE;

/* issue.c: "acme-dme issue -d NAME ..." */
enum err_code cmd_issue(const struct opts *opts, struct err *err) MUST_USE;

/* renew.c: "acme-dme renew [NAME ...]" */
enum err_code cmd_renew(const struct opts *opts, struct err *err) MUST_USE;

/* revoke.c: "acme-dme revoke {NAME | --cert FILE}" */
enum err_code cmd_revoke(const struct opts *opts, struct err *err) MUST_USE;

/* account.c: "acme-dme account {register | show | ...}" */
enum err_code cmd_account(const struct opts *opts, struct err *err) MUST_USE;

/* certificates.c: "acme-dme list", "show NAME", "delete NAME" */
enum err_code cmd_list(const struct opts *opts, struct err *err) MUST_USE;
enum err_code cmd_show(const struct opts *opts, struct err *err) MUST_USE;
enum err_code cmd_delete(const struct opts *opts, struct err *err) MUST_USE;

/* document.c: one JSON document on standard output.  Errors: ERR_INTERNAL (it takes more than `max` bytes). */
enum err_code cmd_print_document(const json_t *document, size_t max, struct err *err) MUST_USE;

/* status.c: "acme-dme status"; *out_status is the exit status on ERR_OK. */
enum err_code cmd_status(const struct opts *opts, int *out_status, struct err *err) MUST_USE;
/* Do these words ask for a plugin of Nagios?  Then a call that fails in whatever way has to say so on standard output,
 * with the exit status that cmd_status_unknown() returns. */
bool cmd_status_is_plugin(int argc, char *const *argv);
int cmd_status_unknown(const struct err *err) MUST_USE;

/* help.c */
void cmd_help(void);
void cmd_version(void);

#endif
