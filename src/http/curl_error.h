/* SPDX-License-Identifier: MIT
 *
 * Inside http/: a failure of libcurl in our words.
 */
#ifndef ACME_DME_HTTP_CURL_ERROR_H
#define ACME_DME_HTTP_CURL_ERROR_H

#include <curl/curl.h>

#include <stdbool.h>

#include "http/curl_trust.h"
#include "util/clock.h"
#include "util/err.h"

struct curl_failure {
    CURL *easy;
    CURLcode code;
    const char *text;    /* of CURLOPT_ERRORBUFFER, may be "" */
    const char *host;    /* that was asked */
    const char *ca_file; /* that was used; NULL: the system's */
    const struct curl_watch *watch;
    const char *clock_advice; /* how to set this machine's clock, a part of a sentence; NULL: unknown */
    int64_t now_ms;           /* what this machine's clock says */
};

/* Set *err to ERR_NETWORK, ERR_TLS, ERR_TIMEOUT, ERR_API (not HTTP), ERR_INPUT (not a URL) or ERR_INTERNAL. */
enum err_code curl_error_translate(const struct curl_failure *failure, struct err *err);

/* tls_error.c: the same for a certificate that did not verify; false when it is something else, or nothing is known of
 * the certificate. */
bool tls_error_explain(const struct curl_failure *failure, struct err *err);

#endif
