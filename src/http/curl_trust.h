/* SPDX-License-Identifier: MIT
 *
 * Inside http/: whom libcurl trusts, and looking on while it verifies.
 */
#ifndef ACME_DME_HTTP_CURL_TRUST_H
#define ACME_DME_HTTP_CURL_TRUST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "crypto/trust.h"
#include "crypto/verify.h"

/* The system's CAs are a bundle in one file, all of which is parsed before the first byte is sent (20 ms of processor
 * time on the machine where it was measured, more than all the rest of a run), and on most systems also a directory
 * from which OpenSSL takes only what it needs.  So the directory goes first; should it not hold the CA, we go on as
 * libcurl does by default, with both. */
enum curl_trust {
    CURL_TRUST_FILE,
    CURL_TRUST_DIRECTORY,
    CURL_TRUST_SYSTEM,
    CURL_TRUST_OURS, /* libcurl does not find the system's CAs: see crypto/trust.h */
};

/* Where to begin; `ca_file` NULL: the system's. */
enum curl_trust curl_trust_choose(const char *ca_file);

CURLcode curl_trust_set(CURL *easy, enum curl_trust trust, const char *ca_file) MUST_USE;
/* Go on with CURL_TRUST_SYSTEM. */
CURLcode curl_trust_widen(CURL *easy) MUST_USE;

/* All that was looked on at: connections are kept, and OpenSSL may come back to their certificates. */
struct curl_watches {
    struct curl_watched {
        char *host;
        struct verify_watch *watch;
    } * items;
    size_t count;
    enum curl_trust kind;
    struct trust *trust; /* of CURL_TRUST_OURS, once it is needed */
};

void curl_watches_done(struct curl_watches *watches);

/* One transfer's view. */
struct curl_watch {
    struct curl_watches *all; /* borrowed */
    char *host;               /* and port, that it goes to; owned by the transfer */
};

/* Look on, if libcurl uses the same OpenSSL as we do, which is an error if not with CURL_TRUST_OURS.  `watch` lives as
 * long as the handle. */
CURLcode curl_watch_set(CURL *easy, struct curl_watch *watch) MUST_USE;

/* What was found on the transfer's connection, or, if that took up an earlier TLS session, in which case nothing is
 * verified, on the one before.  False: nothing is known. */
bool curl_watch_read(const struct curl_watch *watch, struct verify_finding *out) MUST_USE;

#endif
