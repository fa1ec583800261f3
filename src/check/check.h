/* SPDX-License-Identifier: MIT
 *
 * The examination behind `acme-dme check`: everything that an issuance will need, looked at before trouble comes.
 * Reads only, but for check_write().  Steps that need another one that failed are reported as skipped; nothing is
 * reported twice.
 */
#ifndef ACME_DME_CHECK_CHECK_H
#define ACME_DME_CHECK_CHECK_H

#include "check/report.h"
#include "flow/challenge.h"

struct check_opts { /* all borrowed */
    struct challenge *challenge;
    const struct challenge_account *accounts;
    size_t account_count;
    struct store *store; /* NULL: no journal, or it can't be opened */
    struct resolver *direct;
    struct resolver *const *doh;
    size_t doh_count;
    const char *const *ca_issuers; /* NULL-terminated: CAA identities of the CA that will be asked; NULL: not known */
    const char *ca;                /* its name, for messages */
    const char *account_uri;       /* ACME account, RFC 8657; NULL: not known */
    const char *clock_advice;      /* how a clock is set right on this system */
    bool has_doh_fallback;         /* where port 53 is closed, DNS over HTTPS is asked */
    bool follows_cname;            /* at the record's name */
    int64_t sweep_after_ms;        /* journal entries of this age are leftovers, whatever their run */
    int64_t settle_ms, timeout_ms; /* as configured, to compare with what is measured */
    struct clock *clock;
    struct log *log;
};

struct check;

struct check *check_new(const struct check_opts *opts, struct check_report *report) MUST_USE;
void check_free(struct check *check); /* NULL is fine */
void check_free_auto(struct check **check);

/* Each of these adds findings; the return value is ERR_OK or ERR_CANCELLED. */
enum err_code check_state(struct check *check, struct err *err) MUST_USE;    /* state directory, journal */
enum err_code check_accounts(struct check *check, struct err *err) MUST_USE; /* TLS, clock, credentials, budget */
/* `domain` as it stands in a certificate, "*." included; what it shares with an earlier one is not looked at again. */
enum err_code check_domain(struct check *check, const char *domain, struct err *err) MUST_USE;
/* A round trip for each zone that the domains led to: create a TXT record under a random name, time each server, delete
 * it again. */
enum err_code check_write(struct check *check, struct err *err) MUST_USE;

#endif
