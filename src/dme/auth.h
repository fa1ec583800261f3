/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: signatures and the server's time.
 *
 * Three headers sign a request: the API key, the date, and HMAC-SHA1 of the date's text under the secret.
 * URL, method and body are not signed, and the API refuses a date that is 30 s off.  So the date is the
 * server's, not ours, as soon as we know it, and a signature is good for one attempt.
 */
#ifndef ACME_DME_DME_AUTH_H
#define ACME_DME_DME_AUTH_H

#include "dme/client.h"
#include "dme/refusal.h"
#include "dme/retry.h"

/* Add the three headers; *out_signed_ms is the instant they name. */
enum err_code dme_auth_sign(struct dme *dme, struct http_request *request, int64_t *out_signed_ms,
                            struct err *err) MUST_USE;

/* Learn the server's time from an answer to a request that was sent at `sent_mono_ms`; false: it has no usable Date.
 * What something on the way says counts only as long as the API itself, `is_from_api`, has said nothing. */
bool dme_auth_learn_time(struct dme *dme, const struct http_response *response, int64_t sent_mono_ms,
                         bool is_from_api);

/* What to make of 401 and 403.  DME_RESIGN: worth another try with the right time, and a warning was logged; DME_FINAL:
 * *err holds ERR_AUTH. */
enum dme_verdict dme_auth_judge(struct dme *dme, const struct dme_retry *retry, const struct dme_refusal *refusal,
                                struct err *err);

#endif
