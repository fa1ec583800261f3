/* SPDX-License-Identifier: MIT
 *
 * Carrying plans out: programs, orders, installation, what is remembered, and what is said of it.
 */
#ifndef ACME_DME_CMD_ISSUANCE_H
#define ACME_DME_CMD_ISSUANCE_H

#include "cmd/client.h"
#include "cmd/plan.h"
#include "json/json.h"

enum issuance_outcome {
    ISSUANCE_NOT_DUE,
    ISSUANCE_DUE,      /* something is to be done: plan.why, or only its deploy programs are pending */
    ISSUANCE_DONE,     /* a new certificate is installed */
    ISSUANCE_TRIED,    /* a dry run succeeded */
    ISSUANCE_DEPLOYED, /* only its deploy programs were run again */
    ISSUANCE_DEFERRED, /* nothing is wrong, but the CA takes no more orders now */
    ISSUANCE_FAILED,
};

struct issuance {
    struct plan plan;
    struct platform_lock *lock;
    enum issuance_outcome outcome;
    bool is_first;  /* there was no certificate before */
    bool is_held;   /* somebody else had its lock when it was its turn */
    struct err err; /* ISSUANCE_FAILED; also ISSUANCE_DONE with ERR_PROGRAM */
    size_t place;   /* among all that were looked at, from 0 */
};

struct issuance_list {
    struct issuance *items;
    size_t count;
    size_t total;  /* with those that were passed over */
    json_t *shown; /* what --json shows of those, each at its place; NULL: nothing */
};

/* Takes the plan. */
void issuance_add(struct issuance_list *list, struct plan *plan_take);
/* Takes it out of another list, where nothing is left of it. */
void issuance_move(struct issuance_list *list, struct issuance *issuance_take);
/* One that is not due: all that is kept of it is what will be printed. */
void issuance_pass(struct issuance_list *list, const struct app *app, const struct opts *opts, const struct plan *plan);
void issuance_list_done(struct issuance_list *list);

void issuance_fail(struct issuance *issuance, const struct err *err);

/* Nobody else works on it meanwhile; its record is read again then.  Errors: as certificate_lock(). */
enum err_code issuance_lock(struct issuance *issuance, struct store *store, int64_t timeout_ms,
                            struct err *err) MUST_USE;
void issuance_unlock(struct issuance *issuance);
#define ISSUANCE_LOCK_WAIT_MS 120000

/* Issue all of one CA, whose locks are held; each tells what became of it and has no lock any more.  What is finished
 * is installed while others are under way; programs are run when all are through.
 * Errors: as issue_certificates(). */
enum err_code issuance_run(struct client *client, struct issuance *const *list, size_t count, struct err *err) MUST_USE;

/* The CA can't even be asked: they failed, for that reason. */
void issuance_fail_all(struct app *app, const struct opts *opts, struct issuance *const *list, size_t count,
                       const struct err *err);

/* Run the deploy programs that did not succeed after the last issuance; those of deploy_once are left to
 * deploy_all_once(). */
void issuance_deploy_again(struct app *app, struct issuance *issuance);

/* Print what became of them: lines, or one document with --json; and make the error that the command ends with. */
enum err_code issuance_report(const struct app *app, const struct opts *opts, const struct issuance_list *list,
                              struct err *err) MUST_USE;

#endif
