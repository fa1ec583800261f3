/* SPDX-License-Identifier: MIT
 *
 * Certification Authority Authorization, RFC 8659, with the parameters of RFC 8657: may a CA issue for a name, and if
 * not, which record forbids it?  The records are looked up as a CA does: through the resolvers, from the name upwards,
 * the first name that has any decides.
 */
#ifndef ACME_DME_DNS_CAA_H
#define ACME_DME_DNS_CAA_H

#include "dns/resolver.h"

struct caa_record {
    uint8_t flags; /* bit 7: critical */
    char *tag;     /* lower case */
    char *value;   /* may hold any bytes but NUL; escaped before it is shown */
};

struct caa_set {
    char *owner; /* the name that has them; NULL: none up to the root */
    struct caa_record *items;
    size_t count;
};

void caa_set_done(struct caa_set *set);
#define AUTO_CAA_SET AUTO(caa_set_done)

/* The set that counts for `domain` (without "*.").  CNAMEs are followed by the resolver (RFC 8659 section 3).
 * Errors: ERR_DNS (a failing answer, SERVFAIL included: a CA must not issue then; names who failed; malformed records),
 * ERR_TIMEOUT, ERR_NETWORK, ERR_CANCELLED. */
enum err_code caa_find(struct resolver *resolver, const char *domain, struct caa_set *out, struct err *err) MUST_USE;

struct caa_request {
    const char *const *issuers; /* domains by which the CA knows itself, e.g. "letsencrypt.org" */
    size_t issuer_count;
    enum { CAA_NAME, CAA_WILDCARD } kind; /* issuewild comes before issue for wildcards */
    const char *method;                   /* RFC 8657 validationmethods, e.g. "dns-01" */
    const char *account_uri;              /* RFC 8657 accounturi; NULL: not known */
};

enum caa_verdict {
    CAA_PERMITTED,
    CAA_PERMITTED_IF_ACCOUNT, /* a record names an account, and ours is not known */
    CAA_FORBIDDEN,
};

/* Judge; `why` gets a sentence part that names the record which decided (safe to print, "" when there is none). */
enum caa_verdict caa_judge(const struct caa_set *set, const struct caa_request *request, char *why, size_t why_size);

/* Domains by which a CA knows itself in CAA records, for its short name ("letsencrypt", "letsencrypt-staging",
 * "zerossl", "google", "google-test", "buypass", "sslcom", "actalis"); static, ends with NULL.  NULL: no such CA. */
const char *const *caa_issuers_of(const char *ca);
/* The short names. */
const char *const *caa_ca_names(size_t *out_count);

#endif
