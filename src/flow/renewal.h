/* SPDX-License-Identifier: MIT
 *
 * When a certificate is to be renewed: by what the CA suggests (RFC 9773), else by what is left of its lifetime.
 * Deciding takes an instant and changes nothing; asking the CA is a step of its own.
 */
#ifndef ACME_DME_FLOW_RENEWAL_H
#define ACME_DME_FLOW_RENEWAL_H

#include "acme/acme.h"
#include "store/certs.h"

enum renewal_reason {
    RENEWAL_NOT_DUE,
    RENEWAL_MISSING, /* there is none yet */
    RENEWAL_EXPIRED,
    RENEWAL_REVOKED,
    RENEWAL_WINDOW,   /* the moment drawn in the CA's window has come */
    RENEWAL_LIFETIME, /* little enough is left of its lifetime */
};

/* What must be left of the lifetime. */
struct renewal_rule {
    uint32_t numerator;
    uint32_t denominator; /* 0: `ms` counts */
    int64_t ms;
    bool is_given;      /* by the operator: then it counts beside the CA's window */
    bool ignore_window; /* the operator wants no renewal information */
};

enum renewal_reason renewal_decide(const struct certificate_record *record, const struct renewal_rule *rule,
                                   int64_t now_ms);
/* The moment from which renewal_decide() says so; 0: now. */
int64_t renewal_moment_ms(const struct certificate_record *record, const struct renewal_rule *rule);
/* "it has expired"; static, a part of a sentence. */
const char *renewal_reason_text(enum renewal_reason reason);

/* Ask the CA about those whose next look has come (records of another CA, expired and revoked ones are passed over),
 * and draw a moment in each window that changed, uniformly.  What can't be had is a line in the log and tried again
 * later. `changed[i]` tells which records should be saved.  Errors: ERR_CANCELLED, ERR_INTERNAL, and those of a CA
 * whose directory can't be had. */
enum err_code renewal_look(struct acme *acme, struct certificate_record *const *records, size_t count, int64_t now_ms,
                           bool *changed, struct log *log, struct err *err) MUST_USE;

#endif
