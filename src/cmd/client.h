/* SPDX-License-Identifier: MIT
 *
 * What the commands of the standalone client share: the session with a CA and its account, built from the
 * configuration.
 */
#ifndef ACME_DME_CMD_CLIENT_H
#define ACME_DME_CMD_CLIENT_H

#include "cmd/app.h"
#include "flow/account.h"
#include "flow/issue.h"

struct client {
    struct app *app;     /* borrowed */
    struct store *store; /* of accounts and orders, borrowed: the app's, or that of dry runs */
    struct acme *acme;
    struct account account;
    struct strlist contacts;
    struct acme_eab eab;
    struct secret *eab_hmac_key;
    struct account_opts account_opts;
    bool has_no_news; /* it could not be asked for renewal information, and is not again in this run */
};

/* A session with the CA of that directory; nothing is sent yet.  Errors: ERR_CONFIG. */
enum err_code client_open(struct client *client, struct app *app, struct store *store, const char *directory,
                          struct err *err) MUST_USE;
void client_close(struct client *client);

/* Use the account there is, or register one. */
enum err_code client_want_account(struct client *client, struct err *err) MUST_USE;
/* Use the account there is.  Errors: ERR_NOT_FOUND. */
enum err_code client_find_account(struct client *client, struct err *err) MUST_USE;

/* The directory that a command works with: --staging is that of the configured CA; a dry run has it unless --directory
 * is on the command line.  Static or borrowed from the configuration.  Errors: ERR_USAGE (no staging is known). */
enum err_code client_directory(const struct app *app, const struct opts *opts, const char *configured, const char **out,
                               struct err *err) MUST_USE;

#endif
