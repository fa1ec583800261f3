/* SPDX-License-Identifier: MIT
 *
 * From names to certificates: a wave of orders is taken through the phases of RFC 8555 together, so that there is one
 * batch of TXT records and one wait, however many names and orders there are.
 *
 *   together    resume or order -> authorizations -> publish
 *   in rounds   wait -> answer, settle -> finalize, settle -> download, check -> tell -> withdraw
 *
 * An order that fails drops out of its wave and harms no other; nor does one that is slow: what is ready goes on when
 * nothing else becomes so for a few seconds, and the rest is waited for again in the next round.  An order and the key
 * of its CSR are on disk before the CA is asked to finalize it, so that a run that was killed is taken up where it was.
 * Nothing is installed here.
 */
#ifndef ACME_DME_FLOW_ISSUE_H
#define ACME_DME_FLOW_ISSUE_H

#include "acme/acme.h"
#include "crypto/chain.h"
#include "crypto/csr.h"
#include "flow/challenge.h"
#include "store/certs.h"

/* Told of each step, for people who wait: "validating", 3 of 20. */
typedef void issue_progress_fn(void *ctx, const char *step, size_t done, size_t total);

struct issue_job;

/* Told when jobs have come to their end (job->err, own_key, chain and to_keep are final; `jobs` points into the
 * caller's array), so that they can be installed while others are still under way.  Each job is told exactly once,
 * failed ones too.  What it needs no more may be freed by issue_job_done() right there. */
typedef void issue_finished_fn(void *ctx, struct issue_job *const *jobs, size_t count);

struct issue_engine {  /* all borrowed */
    struct acme *acme; /* uses an account already */
    const struct key *account_key;
    struct challenge *challenge;
    struct store *store; /* where orders are remembered; NULL: nowhere */
    struct clock *clock;
    struct log *log;
    int64_t poll_timeout_ms;     /* for the CA to validate, and to issue */
    issue_progress_fn *progress; /* may be NULL */
    void *progress_ctx;
    issue_finished_fn *finished; /* may be NULL */
    void *finished_ctx;
};

/* One certificate to be had, and what came of it. */
struct issue_job {
    const char *name;              /* of the certificate: orders are remembered under it */
    const struct strlist *domains; /* normalised, A-labels, each once */
    enum key_type key_type;
    const struct key *key;       /* to be used again, or the operator's; NULL: a new one of key_type */
    const struct csr *csr;       /* the operator's, in place of a key of ours; NULL: none */
    const char *profile;         /* NULL: the CA chooses */
    const char *preferred_chain; /* NULL: the CA's first */
    const char *replaces;        /* certID of the predecessor; NULL: none */
    enum acme_challenge_type challenge;
    const struct strlist *persisted; /* "name value" of records that stand already (dns-persist-01); may be NULL */

    struct err err;      /* err.code is ERR_OK: it is there */
    struct key *own_key; /* of the certificate; NULL with a CSR */
    struct chain *chain;
    struct strlist to_keep; /* "name value" of all records that must stay (dns-persist-01), those that
                               stood already included */
};

void issue_job_done(struct issue_job *job); /* leaves what is borrowed */

/* Errors: ERR_OK, also when jobs failed: each has its error; ERR_CANCELLED, ERR_INTERNAL, and what keeps all from being
 * done: the CA's directory can't be had, the journal can't be written.  All jobs that were not done yet have it, too
 * (none, when the operator's wish to stop came with the last step). */
enum err_code issue_certificates(const struct issue_engine *engine, struct issue_job *jobs, size_t count,
                                 struct err *err) MUST_USE;

/* ------------------------------------------------------------------ names */

/* Add what stands on a command line or in a list: a name, or several with "," between; normalised, one that is there
 * already is not added again.  "*." in front of a name of two labels at least.  Refused, saying why: IP addresses,
 * e-mail addresses, URLs, "_" (no CA issues for it), other wildcards, single labels.  Errors: ERR_INPUT. */
enum err_code issue_names_add(struct strlist *names, const char *text, struct err *err) MUST_USE;

#endif
