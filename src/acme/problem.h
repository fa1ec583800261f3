/* SPDX-License-Identifier: MIT
 *
 * Problem documents: RFC 7807 as RFC 8555 section 6.7 uses it, with subproblems.  Callers branch on the type, never on
 * the text, which is a server's and for people.
 */
#ifndef ACME_DME_ACME_PROBLEM_H
#define ACME_DME_ACME_PROBLEM_H

#include "json/json.h"
#include "util/err.h"

enum acme_problem_type {
    ACME_PROBLEM_NONE,
    ACME_PROBLEM_OTHER, /* one that we do not know, or a document without a type */
    ACME_PROBLEM_ACCOUNT_DOES_NOT_EXIST,
    ACME_PROBLEM_ALREADY_REPLACED, /* RFC 9773 */
    ACME_PROBLEM_ALREADY_REVOKED,
    ACME_PROBLEM_BAD_CSR,
    ACME_PROBLEM_BAD_NONCE,
    ACME_PROBLEM_BAD_PUBLIC_KEY,
    ACME_PROBLEM_BAD_REVOCATION_REASON,
    ACME_PROBLEM_BAD_SIGNATURE_ALGORITHM,
    ACME_PROBLEM_CAA,
    ACME_PROBLEM_COMPOUND,
    ACME_PROBLEM_CONNECTION,
    ACME_PROBLEM_DNS,
    ACME_PROBLEM_EXTERNAL_ACCOUNT_REQUIRED,
    ACME_PROBLEM_INCORRECT_RESPONSE,
    ACME_PROBLEM_INVALID_CONTACT,
    ACME_PROBLEM_INVALID_PROFILE, /* draft-ietf-acme-profiles */
    ACME_PROBLEM_MALFORMED,
    ACME_PROBLEM_ORDER_NOT_READY,
    ACME_PROBLEM_RATE_LIMITED,
    ACME_PROBLEM_REJECTED_IDENTIFIER,
    ACME_PROBLEM_SERVER_INTERNAL,
    ACME_PROBLEM_TLS,
    ACME_PROBLEM_UNAUTHORIZED,
    ACME_PROBLEM_UNSUPPORTED_CONTACT,
    ACME_PROBLEM_UNSUPPORTED_IDENTIFIER,
    ACME_PROBLEM_USER_ACTION_REQUIRED,
};

/* The type of a document; ACME_PROBLEM_OTHER for anything that is none.  Never fails: `json` may be NULL. */
enum acme_problem_type acme_problem_type_of(const json_t *json);

/* Say what a problem says, in one message with its subproblems by identifier, and a hint that fits its type:
 * "<doing>: the CA says: <detail> (<type>); <identifier>: <detail> (<type>); ...".  `status` is that of HTTP, 0 when
 * the problem stood inside another object.  Codes: ERR_ACME_LIMIT for rateLimited; ERR_SERVER for serverInternal and
 * 5xx; ERR_CHALLENGE for what the CA's validation ran into (caa; of validation also compound, connection, dns,
 * incorrectResponse, malformed, tls, unauthorized, what is not known and what is not there); else ERR_ACME. */
enum acme_problem_place { ACME_PROBLEM_OF_REQUEST, ACME_PROBLEM_OF_VALIDATION };
enum err_code acme_problem_set(struct err *err, const json_t *json, long status, enum acme_problem_place place,
                               const char *doing);

#endif
