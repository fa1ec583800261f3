/* SPDX-License-Identifier: MIT
 *
 * The client side of ACME: RFC 8555, RFC 9773 (ARI), draft-ietf-acme-profiles.  One `struct acme` is a session with one
 * CA: its directory, its nonces, the account that signs.  It knows nothing of DNS, files or DNS Made Easy; what has to
 * happen between the steps is the caller's.
 *
 * What can be asked for many at once takes arrays, sent side by side over one connection as far as nonces, the CA's
 * limits and ACME_SIDE_BY_SIDE_MAX allow; each item has a result of its own.  The value that such a function returns is
 * ERR_OK unless nothing more could be done at all (no directory, no account in use, ERR_CANCELLED, ERR_INTERNAL); then
 * the results of the items that are left are that error too.  A call gives up `give_up_after_ms` after it began or the
 * last of its items was answered for good, not counting pauses that the CA asks for while it is at work
 * (acme_orders_settle()).
 *
 *   directory -> account -> newOrder -> authorizations -> [publish] -> challenges -> settle -> finalize -> settle
 *   -> certificate
 *
 * Retried by itself: badNonce (with the nonce of the error), connections that break before an answer, 5xx and 503 with
 * Retry-After that fits into the time; every attempt is signed anew.  newOrder and newAccount are safe to repeat.
 *
 * Errors of all functions, beside those named: ERR_ACME (the CA refused it or answered what is no ACME), ERR_ACME_LIMIT
 * (rateLimited; err.retry_after_s when the CA says), ERR_NETWORK, ERR_TLS, ERR_TIMEOUT, ERR_SERVER (5xx to the end),
 * ERR_CANCELLED, ERR_INTERNAL.
 */
#ifndef ACME_DME_ACME_ACME_H
#define ACME_DME_ACME_ACME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme/problem.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "http/http.h"
#include "util/secret.h"

#define ACME_SIDE_BY_SIDE_MAX 16

/* ------------------------------------------------------------------ session */

struct acme;

struct acme_opts {
    const char *directory; /* URL; copied */
    struct http *http;     /* borrowed */
    struct clock *clock;   /* borrowed */
    struct log *log;       /* borrowed, may be NULL */
    int64_t request_timeout_ms;
    int64_t give_up_after_ms;
    uint32_t requests_per_s; /* the CA allows no more; 0: not known */
};

struct acme *acme_new(const struct acme_opts *opts) MUST_USE;
void acme_free(struct acme *acme); /* NULL is fine */

/* The URL that it was made with; borrowed. */
const char *acme_directory_url(const struct acme *acme);

struct acme_profile {
    char *name;
    char *description;
};

/* What the directory says of the CA. */
struct acme_meta {
    char *terms_of_service; /* URL; NULL: none */
    char *website;
    struct strlist caa_identities;
    bool external_account_required;
    struct acme_profile *profiles;
    size_t profile_count; /* 0: it has no profiles */
    bool has_renewal_info;
};

/* Fetch the directory, once; what follows does it when needed.  The answer must be a JSON object with newNonce,
 * newAccount and newOrder as https URLs (http where the directory itself is).  Anything else is told apart: HTML, a
 * redirection (with its target), another status.  Errors: ERR_ACME, ERR_CONFIG (the directory is no URL). */
enum err_code acme_meta(struct acme *acme, const struct acme_meta **out, struct err *err) MUST_USE;

/* Requests that were sent so far, of every kind, for reports and tests. */
size_t acme_request_count(const struct acme *acme);

/* Sign with this account from now on.  Both are copied. */
void acme_use_account(struct acme *acme, const struct key *key, const char *account_url);

/* ------------------------------------------------------------------ results of single items */

struct acme_result {
    enum err_code code; /* ERR_OK, or as in `err` */
    struct err err;
    enum acme_problem_type problem; /* what the CA called it; ACME_PROBLEM_NONE: it did not */
};
/* Did the network or the CA's servers fail, so that it may be better soon? */
bool acme_result_is_temporary(const struct acme_result *result);

/* ------------------------------------------------------------------ account, RFC 8555 section 7.3 */

enum acme_account_status { ACME_ACCOUNT_VALID, ACME_ACCOUNT_DEACTIVATED, ACME_ACCOUNT_REVOKED };
const char *acme_account_status_name(enum acme_account_status status); /* "deactivated"; static */

struct acme_account {
    char *url;
    enum acme_account_status status;
    struct strlist contacts; /* "mailto:a@example.com" */
};

void acme_account_done(struct acme_account *account);

struct acme_eab { /* external account binding, section 7.3.4 */
    const char *kid;
    const struct secret *hmac_key; /* decoded bytes */
    enum digest_hmac hmac;
};

struct acme_registration {
    const struct key *key;
    const struct strlist *contacts; /* "mailto:..." */
    bool terms_agreed;              /* the user has, himself */
    const struct acme_eab *eab;     /* NULL: none */
    bool only_existing;             /* ERR_NOT_FOUND if there is no account with that key */
};

/* Register, or find the account of the key; sets *out_is_new; the session uses it from now on.
 * Errors: ERR_NOT_FOUND (only_existing), ERR_ACME. */
enum err_code acme_account_register(struct acme *acme, const struct acme_registration *registration,
                                    struct acme_account *out, bool *out_is_new, struct err *err) MUST_USE;
/* Of the account that the session uses. */
enum err_code acme_account_fetch(struct acme *acme, struct acme_account *out, struct err *err) MUST_USE;
enum err_code acme_account_update(struct acme *acme, const struct strlist *contacts, struct acme_account *out,
                                  struct err *err) MUST_USE;
enum err_code acme_account_deactivate(struct acme *acme, struct err *err) MUST_USE;
/* Section 7.3.5; the session uses the new key from now on.  When the CA has it already (its answer to an earlier
 * attempt was lost) that is success.  Errors: ERR_EXISTS (another account has that key). */
enum err_code acme_account_rollover(struct acme *acme, const struct key *new_key, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ orders, section 7.4 */

enum acme_order_status {
    ACME_ORDER_PENDING,
    ACME_ORDER_READY,
    ACME_ORDER_PROCESSING,
    ACME_ORDER_VALID,
    ACME_ORDER_INVALID,
};
const char *acme_order_status_name(enum acme_order_status status); /* "processing"; static */

struct acme_order {
    char *url;
    enum acme_order_status status;
    struct strlist names;          /* DNS names, lower case */
    struct strlist authorizations; /* URLs */
    char *finalize_url;
    char *certificate_url;  /* NULL until valid */
    char *profile;          /* NULL: not told */
    char *replaces;         /* NULL: not told */
    int64_t expires_s;      /* 0: not told */
    int64_t retry_after_ms; /* monotonic time before which it should not be asked again; 0: any */
    struct {                /* of acme_orders_settle() */
        enum acme_order_status status;
        int64_t since_ms; /* monotonic time since which its end is waited for; 0: it is not */
        int64_t look_at_ms;
        size_t looks;
    } settle;
    struct acme_result result; /* of the last request about it; of an invalid order: its error */
};

void acme_order_done(struct acme_order *order);

struct acme_order_request {
    const struct strlist *names;
    const char *profile;  /* NULL: the CA chooses */
    const char *replaces; /* certID of the predecessor; NULL: none */
};

/* newOrder for each request; orders[i] is initialised, its result tells.  `replaces` is left out when the directory has
 * no renewalInfo, and dropped when the CA refuses it for any of the known reasons (alreadyReplaced, malformed,
 * unauthorized, not found, conflict), with a line in the log.  A profile that the directory does not list is refused
 * before anything is sent, naming those there are.  The identifiers in the answer must be those that were asked for. */
enum err_code acme_orders_new(struct acme *acme, const struct acme_order_request *requests, struct acme_order *orders,
                              size_t count, struct err *err) MUST_USE;

/* Fetch orders by their `url`. */
enum err_code acme_orders_fetch(struct acme *acme, struct acme_order *const *orders, size_t count,
                                struct err *err) MUST_USE;

/* Poll all orders whose status is `while_status` and whose result is good until none has it any more, or until
 * timeout_ms have passed: ERR_TIMEOUT in the result of each that still has.  With patience it comes back once that
 * long none has left the status; the others keep status and result, and calls for them later go on where this one
 * was: timeout_ms counts from an order's first call.  Retry-After is respected in both forms, within the time; else it
 * waits 0.3, 1, 2, 3, 5, 5 ... s.  For ACME_ORDER_PENDING the first look is taken after a moment or what the CA said
 * when the challenges were answered.  An order that becomes invalid gets its error,
 * or that of the first authorization that failed, as result (ERR_CHALLENGE for what the CA could not validate). */
struct acme_settle {
    enum acme_order_status while_status;
    int64_t timeout_ms;
    void (*progress)(void *ctx, size_t done, size_t total); /* may be NULL */
    void *ctx;
    int64_t patience_ms; /* 0: until the end */
};
enum err_code acme_orders_settle(struct acme *acme, struct acme_order *const *orders, size_t count,
                                 const struct acme_settle *settle, struct err *err) MUST_USE;

/* Finalize orders that are ready; csrs[i] is the DER of orders[i].  orderNotReady: the order is fetched again, and the
 * result says how it stands. */
struct acme_csr {
    const void *der;
    size_t len;
};
enum err_code acme_orders_finalize(struct acme *acme, struct acme_order *const *orders, const struct acme_csr *csrs,
                                   size_t count, struct err *err) MUST_USE;

/* The certificates of valid orders: the PEM text that is served by default, then the alternates (Link
 * rel="alternate"), which are only fetched for ACME_ALL_CHAINS.  Content type application/pem-certificate-chain.
 * An alternate that can't be had is a warning. */
enum acme_chains { ACME_DEFAULT_CHAIN, ACME_ALL_CHAINS };
struct acme_download {
    const struct acme_order *order;
    enum acme_chains chains;
    struct strlist pems; /* out; yours */
    struct acme_result result;
};
enum err_code acme_orders_certificates(struct acme *acme, struct acme_download *downloads, size_t count,
                                       struct err *err) MUST_USE;

/* ------------------------------------------------------------------ authorizations, sections 7.5 and 8 */

enum acme_authz_status {
    ACME_AUTHZ_PENDING,
    ACME_AUTHZ_VALID,
    ACME_AUTHZ_INVALID,
    ACME_AUTHZ_DEACTIVATED,
    ACME_AUTHZ_EXPIRED,
    ACME_AUTHZ_REVOKED,
};

/* The ways to prove control through DNS.  dns-account-01: draft-ietf-acme-dns-account-label-03; dns-persist-01:
 * draft-ietf-acme-dns-persist-01. */
enum acme_challenge_type { ACME_DNS_01, ACME_DNS_ACCOUNT_01, ACME_DNS_PERSIST_01 };
const char *acme_challenge_type_name(enum acme_challenge_type type); /* "dns-01"; static */

enum acme_challenge_status {
    ACME_CHALLENGE_PENDING,
    ACME_CHALLENGE_PROCESSING,
    ACME_CHALLENGE_VALID,
    ACME_CHALLENGE_INVALID,
};

struct acme_challenge {
    char *url;
    enum acme_challenge_status status;
    char *token;                   /* base64url; NULL with dns-persist-01 */
    struct strlist issuer_domains; /* of dns-persist-01; lower case */
};

struct acme_authz {
    char *url;
    enum acme_authz_status status;
    char *domain; /* without "*." */
    bool is_wildcard;
    int64_t expires_s;  /* 0: not told */
    bool has_challenge; /* of the type that was asked for */
    struct acme_challenge challenge;
    struct strlist offered;    /* names of all types that the CA offers, for messages */
    struct acme_result result; /* of the last request about it; of an invalid one: the error of its challenge */
};

void acme_authz_done(struct acme_authz *authz);

/* Fetch authorizations by URL; authzs[i] is initialised.  `type` picks the challenge.  What would break the record
 * (a token or an issuer name of other characters than the documents allow, 0 or more than 10 issuer names) is
 * ERR_ACME in the result. */
enum err_code acme_authzs_fetch(struct acme *acme, const struct strlist *urls, enum acme_challenge_type type,
                                struct acme_authz *authzs, struct err *err) MUST_USE;

/* Tell the CA that the challenges of these can be validated now ("{}" to each challenge's URL). */
enum err_code acme_challenges_answer(struct acme *acme, struct acme_authz *const *authzs, size_t count,
                                     struct err *err) MUST_USE;

/* The TXT record that answers a challenge, for the account that the session uses; both are yours.
 *   dns-01          "_acme-challenge.<domain>", base64url of SHA-256 of the key authorization (RFC 8555 section 8.4)
 *   dns-account-01  "_<base32 of the account URL's digest>._acme-challenge.<domain>", the same value
 *   dns-persist-01  "_validation-persist.<domain>", "<issuer>; accounturi=<URL>[; policy=wildcard]" */
enum err_code acme_challenge_record(const struct acme *acme, const struct acme_authz *authz,
                                    enum acme_challenge_type type, char **out_name, char **out_value,
                                    struct err *err) MUST_USE;

/* ------------------------------------------------------------------ revocation, section 7.6 */

/* Reasons of RFC 5280 section 5.3.1 that an ACME client may give; -1: none. */
struct acme_revocation {
    const void *der;
    size_t len;
    int reason;
    const struct key *certificate_key; /* sign with it instead of the account's; NULL: the account's */
};
/* A certificate that is revoked already is success; sets *out_was_revoked. */
enum err_code acme_revoke(struct acme *acme, const struct acme_revocation *revocation, bool *out_was_revoked,
                          struct err *err) MUST_USE;
/* "unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation" or its number. */
bool acme_revocation_reason_parse(const char *text, int *out) MUST_USE;

/* ------------------------------------------------------------------ renewal information, RFC 9773 */

struct acme_renewal_info {
    int64_t start_ms; /* wall clock; start < end */
    int64_t end_ms;
    char *explanation_url; /* NULL: none */
    int64_t next_look_ms;  /* from now on: Retry-After, within a minute and a day; 6 hours without one */
};

void acme_renewal_info_done(struct acme_renewal_info *info);

/* GET renewalInfo for each certID, unsigned, side by side; infos[i] is valid when results[i].code is ERR_OK.  A window
 * that ends before it begins, or times that are no RFC 3339, is ERR_ACME in the result.  ERR_NOT_FOUND in the result:
 * the CA does not know the certificate, or has no renewal information at all. */
enum err_code acme_renewal_infos(struct acme *acme, const char *const *cert_ids, size_t count,
                                 struct acme_renewal_info *infos, struct acme_result *results,
                                 struct err *err) MUST_USE;

#endif
