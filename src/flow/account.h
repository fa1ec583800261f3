/* SPDX-License-Identifier: MIT
 *
 * The ACME account: found in the store or registered, and the session told to use it.  Its key is on disk before the CA
 * hears of it.
 */
#ifndef ACME_DME_FLOW_ACCOUNT_H
#define ACME_DME_FLOW_ACCOUNT_H

#include "acme/acme.h"
#include "store/certs.h"

struct account_opts { /* all borrowed */
    struct store *store;
    struct clock *clock;
    struct log *log;
    const struct strlist *contacts; /* "mailto:..." for a new account */
    enum key_type key_type;         /* of a new one */
    const struct acme_eab *eab;     /* NULL: none */
    bool terms_agreed;
    /* Ask the user whether he agrees; NULL: nobody is there to be asked. */
    bool (*agree)(void *ctx, const char *terms_of_service);
    void *ctx;
};

struct account { /* one that the session uses */
    struct account_record record;
    struct key *key;
    bool is_new;
};

void account_done(struct account *account);
#define AUTO_ACCOUNT AUTO(account_done)

/* The account of the session's directory; registered when there is none.  An interrupted registration or key rollover
 * is completed.  Errors: ERR_USAGE (terms of service or external account binding are needed: the hint says how), those
 * of acme.h and certs.h. */
enum err_code account_want(struct acme *acme, const struct account_opts *opts, struct account *out,
                           struct err *err) MUST_USE;
/* The same without ever registering.  Errors: ERR_NOT_FOUND, with a hint. */
enum err_code account_find(struct acme *acme, const struct account_opts *opts, struct account *out,
                           struct err *err) MUST_USE;

/* Change the account's key: the new one is on disk first.  `key_type` of opts is that of the new key. */
enum err_code account_rollover(struct acme *acme, const struct account_opts *opts, struct account *account,
                               struct err *err) MUST_USE;
/* Take over a key that another client registered: the CA is asked for its account.
 * Errors: ERR_EXISTS (another account of that CA is here), ERR_NOT_FOUND (the CA does not know the key). */
enum err_code account_adopt(struct acme *acme, const struct account_opts *opts, const struct key *key,
                            struct account *out, struct err *err) MUST_USE;

#endif
