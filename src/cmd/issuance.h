/* SPDX-License-Identifier: MIT
 *
 * Carrying plans out: programs, orders, installation, what is remembered, and what is said of it.
 */
#ifndef ACME_DME_CMD_ISSUANCE_H
#define ACME_DME_CMD_ISSUANCE_H

#include "cmd/client.h"
#include "cmd/plan.h"

enum issuance_outcome {
    ISSUANCE_NOT_DUE,
    ISSUANCE_DONE,     /* a new certificate is installed */
    ISSUANCE_TRIED,    /* a dry run succeeded */
    ISSUANCE_DEPLOYED, /* only its deploy programs were run again */
    ISSUANCE_FAILED,
};

struct issuance {
    struct plan plan;
    struct platform_lock *lock;
    enum issuance_outcome outcome;
    bool is_first;  /* there was no certificate before */
    struct err err; /* ISSUANCE_FAILED; also ISSUANCE_DONE with ERR_PROGRAM */
};

struct issuance_list {
    struct issuance *items;
    size_t count;
};

/* Takes the plan. */
void issuance_add(struct issuance_list *list, struct plan *plan_take);
void issuance_list_done(struct issuance_list *list);

void issuance_fail(struct issuance *issuance, const struct err *err);

/* Nobody else works on it meanwhile; its record is read again then.  Errors: as certificate_lock(). */
enum err_code issuance_lock(struct issuance *issuance, struct store *store, struct err *err) MUST_USE;

/* Issue all of one CA whose outcome is not settled yet; each tells what became of it.
 * Errors: ERR_CANCELLED, ERR_INTERNAL. */
enum err_code issuance_run(struct client *client, struct issuance *const *list, size_t count, struct err *err) MUST_USE;

/* The CA can't even be asked: they failed, for that reason. */
void issuance_fail_all(struct app *app, const struct opts *opts, struct issuance *const *list, size_t count,
                       const struct err *err);

/* Run the deploy programs that did not succeed after the last issuance. */
void issuance_deploy_again(struct app *app, struct issuance *issuance);

/* Print what became of them: lines, or one document with --json; and make the error that the command ends with. */
enum err_code issuance_report(const struct app *app, const struct opts *opts, const struct issuance_list *list,
                              struct err *err) MUST_USE;

#endif
