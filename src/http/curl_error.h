/* SPDX-License-Identifier: MIT
 *
 * Inside http/: a failure of libcurl in our words.
 */
#ifndef ACME_DME_HTTP_CURL_ERROR_H
#define ACME_DME_HTTP_CURL_ERROR_H

#include <curl/curl.h>

#include "util/err.h"

struct curl_failure {
    CURL *easy;
    CURLcode code;
    const char *text;    /* of CURLOPT_ERRORBUFFER, may be "" */
    const char *host;    /* that was asked */
    const char *ca_file; /* that was used; NULL: the system's */
};

/* Set *err to ERR_NETWORK, ERR_TLS, ERR_TIMEOUT, ERR_API (not HTTP), ERR_INPUT (not a URL) or ERR_INTERNAL. */
enum err_code curl_error_translate(const struct curl_failure *failure, struct err *err);

#endif
