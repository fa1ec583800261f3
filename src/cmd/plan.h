/* SPDX-License-Identifier: MIT
 *
 * What is to be done for one certificate: what the command line, the environment, the configuration file and an earlier
 * `issue` say, put together.
 *
 *   command line > `certificates:` item, environment, `acme:` > what was on the command line of `issue` > default
 *
 * What was stored and does not hold is said when it matters: no argument is ever ignored silently.
 */
#ifndef ACME_DME_CMD_PLAN_H
#define ACME_DME_CMD_PLAN_H

#include "cmd/app.h"
#include "crypto/csr.h"
#include "flow/issue.h"
#include "flow/renewal.h"

struct plan {
    char *name;
    struct strlist domains; /* normalised */
    char *directory;
    struct config_certificate_settings settings; /* what holds */
    struct strlist kept;                         /* "key=value": to be stored with the certificate */
    struct strlist overridden;                   /* a sentence for each stored setting that does not hold */
    size_t managed;                              /* index in the configuration's `certificates`; SIZE_MAX: none */
    bool has_record;
    struct certificate_record record; /* if has_record */
    struct key *key;                  /* the operator's, or the one to be used again; NULL: a new one */
    struct csr csr;
    bool has_csr;
    enum key_type key_type;
    enum acme_challenge_type challenge;
    const char *why; /* it is done, as part of a sentence; static */
};

void plan_done(struct plan *plan);

struct plan_request { /* all borrowed */
    struct app *app;
    const char *name;              /* NULL: from the first domain */
    const struct strlist *domains; /* of the command line; empty: those of configuration, record or CSR */
    const struct opts *opts;
    const struct strlist *imported; /* "key=value" of another client, weaker than all that is given; may be NULL */
    const char *imported_directory; /* the same; may be NULL */
};

/* Errors: ERR_USAGE, ERR_CONFIG, ERR_INPUT (names, keys, CSR), ERR_UNSAFE (a key file that others can read), those of
 * certificate_load(). */
enum err_code plan_make(const struct plan_request *request, struct plan *out, struct err *err) MUST_USE;

/* The same for a certificate that has been issued, or is in the configuration.
 * Errors: also ERR_NOT_FOUND (there is neither). */
enum err_code plan_make_named(struct app *app, const struct opts *opts, const char *name, struct plan *out,
                              struct err *err) MUST_USE;

/* Load what differs at each attempt: the key that is used again.  Called with the certificate's lock held. */
enum err_code plan_load_keys(struct plan *plan, struct store *store, struct err *err) MUST_USE;

/* The certID of the predecessor, which the new order is to replace (RFC 9773 section 5); NULL: there is none. */
const char *plan_predecessor(const struct plan *plan);

struct renewal_rule plan_rule(const struct plan *plan, const struct config *config);

/* Where the value of a setting comes from, for `show`: a place of the configuration, "command line of issue",
 * "default"; yours. */
char *plan_where(const struct plan *plan, const struct config *config, const char *setting) MUST_USE;

#endif
