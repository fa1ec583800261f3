/* SPDX-License-Identifier: MIT
 *
 * A certification authority in memory, to stand behind fake_http: RFC 8555 with profiles, RFC 9773, and every way in
 * which a request can go wrong.
 *
 *     struct fake_ca *ca = fake_ca_new(&clock);
 *     fake_ca_attach(ca, http);
 *     fake_ca_fail(ca, FAKE_CA_ANSWER_LOST, 4, 1);   // request 4 of all (from 0), that one only
 *     ...
 *     fake_ca_done(ca);   // fails when a request broke the rules of ACME
 *
 * It checks each request as a strict CA does: nonces that it gave out and that were not used before, JWS with their
 * signatures, URLs, key or account, payloads.  What breaks a rule is refused and noted as a complaint.
 *
 * What is to be validated and what is issued is the test's word, through functions; without them everything is valid,
 * and a text that only looks like a certificate is issued.
 */
#ifndef ACME_DME_TESTS_UNIT_FAKE_CA_H
#define ACME_DME_TESTS_UNIT_FAKE_CA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_clock.h"
#include "fake_http.h"
#include "json/json.h"
#include "util/buf.h"
#include "util/mem.h"

#define FAKE_CA_ROOT "https://ca.example.net"
#define FAKE_CA_DIRECTORY FAKE_CA_ROOT "/dir"
#define FAKE_CA_FOREVER SIZE_MAX
#define FAKE_CA_TERMS "https://ca.example.net/terms"
#define FAKE_CA_EAB_KID "kid-1"
#define FAKE_CA_EAB_KEY "a key of 32 bytes for the tests!"

enum fake_ca_fault {
    FAKE_CA_OK,
    FAKE_CA_NO_CONNECTION,    /* nothing arrived */
    FAKE_CA_REQUEST_LOST,     /* it may have arrived, and has not */
    FAKE_CA_ANSWER_LOST,      /* it was carried out, and the connection broke */
    FAKE_CA_TIMEOUT,          /* it was carried out, and the answer takes too long */
    FAKE_CA_TLS,              /* a certificate that is not trusted */
    FAKE_CA_500,              /* not carried out */
    FAKE_CA_503,              /* not carried out; Retry-After: 2 */
    FAKE_CA_RATE_LIMIT,       /* rateLimited, Retry-After: 7200 */
    FAKE_CA_RATE_LIMIT_SHORT, /* rateLimited, Retry-After: 3 */
    FAKE_CA_BAD_NONCE,
    FAKE_CA_UNAUTHORIZED,
    FAKE_CA_HTML,      /* carried out, and somebody's web page comes back with status 200 */
    FAKE_CA_TRUNCATED, /* carried out, and half of the body comes back */
    FAKE_CA_EMPTY,     /* carried out, and nothing comes back but status 200 */
    FAKE_CA_WRONG,     /* carried out, and an empty JSON object comes back */
    FAKE_CA_REDIRECT,
    FAKE_CA_404,
    FAKE_CA_CANCEL, /* the operator interrupts while it is carried out */
    FAKE_CA_FAULT_COUNT
};

const char *fake_ca_fault_name(enum fake_ca_fault fault);

struct fake_ca_account {
    char *jwk; /* canonical */
    char *url;
    char *status;
    json_t *contact;
    bool has_eab;
};

struct fake_ca_authz {
    char *domain;
    bool is_wildcard;
    char *status;
    char *challenge_status;
    char *token;
    json_t *error; /* of the challenge; NULL: none */
    char *account_url;
};

struct fake_ca_order {
    char *account_url;
    char *status;
    struct strlist names;
    size_t first_authz; /* as many as there are names, in a row */
    char *profile;
    char *replaces;
    char *csr;         /* base64url, as it came; NULL: not finalized */
    char *certificate; /* PEM; NULL: none yet */
    json_t *error;
    unsigned looks_left; /* until it is no longer processing */
};

/* What a challenge of a name comes down to. */
struct fake_ca_validation {
    const char *type; /* of the challenge that was answered */
    const char *domain;
    bool is_wildcard;
    const char *record_name;
    const char *record_value;
};

/* What the CA does; a test sets what it wants before it begins. */
struct fake_ca_manner {
    int64_t round_trip_ms;       /* of each request */
    unsigned bad_nonce_percent;  /* of good nonces that are refused all the same */
    bool gives_garbage_nonces;   /* "not a nonce!" */
    bool gives_no_nonces;        /* but for newNonce */
    bool reuses_authorizations;  /* they are valid from the beginning, the order is ready */
    unsigned validation_looks;   /* looks at the order until the validation is done */
    unsigned processing_looks;   /* looks at the order after finalize until the certificate is there */
    const char *never_validates; /* an order with this name stays pending */
    const char *never_issues;    /* an order with this name stays processing */
    const char *retry_after;     /* header of orders that are not done; NULL: none */
    const char *challenge_retry_after;
    bool needs_eab;
    bool has_no_renewal_info;
    bool has_no_profiles;           /* else "classic" and "shortlived" */
    bool refuses_replaces;          /* 409 alreadyReplaced */
    bool refuses_replaces_softly;   /* 400 malformed */
    bool fails_at_replaces;         /* 500 serverInternal, always */
    const char *authorizes_instead; /* authorizations are shown for this name */
    bool ignores_names;             /* orders are for other names */
    bool has_other_keys;            /* that a signature does not fit its account breaks no rule: the key was changed */
    bool forgets_account;           /* accountDoesNotExist for everything */
    unsigned alternates;
    const char *alternate_links;  /* instead; a Link header's value */
    const char *certificate_text; /* instead of a certificate */
    const char *refusal;          /* of newOrder and newAccount: the problem document */
    long refusal_status;
};

struct fake_ca {
    struct fake_clock *clock;
    struct fake_ca_manner manner;
    /* NULL: all is valid.  A problem document when it is not, which the CA frees. */
    json_t *(*validate)(void *context, const struct fake_ca_validation *validation);
    void *validate_context;
    /* NULL: "certificate <n>".  The chain in PEM for a CSR in DER; NULL: badCSR. */
    char *(*issue)(void *context, const void *csr_der, size_t csr_len, const struct fake_ca_order *order);
    void *issue_context;
    struct fake_ca_account *accounts;
    size_t account_count;
    struct fake_ca_authz *authzs;
    size_t authz_count;
    struct fake_ca_order *orders;
    size_t order_count;
    struct strlist nonces; /* given out and not used */
    struct strlist used_nonces;
    size_t nonce_number;
    size_t request_count;
    size_t new_nonce_count;
    struct strlist revoked; /* base64url */
    int last_reason;        /* of a revocation; -1: none */
    char *complaint;        /* the first rule that was broken; NULL: none */
    uint64_t seed;
    enum fake_ca_fault fault;
    size_t fault_first, fault_count;
    char *body; /* of the last answer */
    char *headers;
};

struct fake_ca *fake_ca_new(struct fake_clock *clock) MUST_USE;
/* Fails the test when there was a complaint; frees. */
void fake_ca_done(struct fake_ca *ca);
/* Answer the requests of `http` from now on. */
void fake_ca_attach(struct fake_ca *ca, struct fake_http *http);

/* From request `first` (from 0, counted over the life of the CA) on, `count` requests go wrong. */
void fake_ca_fail(struct fake_ca *ca, enum fake_ca_fault fault, size_t first, size_t count);

/* Nonces that it gave out are forgotten. */
void fake_ca_forget_nonces(struct fake_ca *ca);

/* A problem document: {"type":"urn:ietf:params:acme:error:<type>","detail":...} */
json_t *fake_ca_problem(const char *type, const char *detail) MUST_USE;

/* ------------------------------------------------------------------ fake_ca_jws.c */

struct fake_ca_jws {
    json_t *header;
    char *payload; /* decoded */
    size_t payload_len;
    char *signing_input;
    struct buf signature;
};

/* False: no JWS. */
bool fake_ca_jws_parse(const json_t *json, struct fake_ca_jws *out) MUST_USE;
/* Does the signature fit the key, which is a JWK, and the header's "alg"? */
bool fake_ca_jws_verify(const struct fake_ca_jws *jws, const json_t *jwk) MUST_USE;
void fake_ca_jws_done(struct fake_ca_jws *jws);

#endif
