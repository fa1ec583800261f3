/* SPDX-License-Identifier: MIT
 *
 * HTTP as the program sees it: a list of requests goes in, a list of answers comes out, all of them side by side over
 * as few connections as possible.  curl.c is the real one; trace.c wraps another and logs; tests have fakes.
 *
 * TLS is always verified and redirects are never followed, whatever the options.
 */
#ifndef ACME_DME_HTTP_HTTP_H
#define ACME_DME_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"
#include "util/mem.h"

struct http_request {
    const char *method;         /* "GET", "HEAD", "POST", "PUT", "DELETE" */
    const char *url;            /* absolute, https (http only for an endpoint that the operator gave as such) */
    struct strlist headers;     /* "Name: value" lines, owned; wiped when freed, as they may carry signatures */
    const char *body;           /* borrowed; NULL: none */
    size_t body_len;
    int64_t timeout_ms;         /* for the whole exchange */
    size_t max_body;            /* bytes of answer at most */
};

struct http_header {
    char *name; /* as the server wrote it; compare without case */
    char *value;
};

struct http_response {
    enum err_code result;   /* ERR_OK: a complete answer was read, whatever its status */
    struct err err;         /* if not */
    bool may_have_acted;    /* not ERR_OK: the server may have got and carried out the request */
    long status;
    struct http_header *headers;
    size_t header_count;
    struct buf body;
    int64_t elapsed_ms;
    int64_t mono_answered_ms; /* when the first byte of the answer came */
};

struct http {
    /* Perform all requests; out[i] answers requests[i] and is initialised by the callee; free each with
     * http_response_done().  The return value is ERR_OK unless nothing could be done at all (ERR_CANCELLED, or a
     * library that refuses to work); single failures are in out[i].result:
     * ERR_NETWORK, ERR_TLS, ERR_TIMEOUT, ERR_API (answer too large or not HTTP), ERR_INPUT (a URL that is not http or
     * https, or has a user name in it), ERR_CANCELLED. */
    enum err_code (*perform_many)(struct http *self, const struct http_request *requests, size_t count,
                                  struct http_response *out, struct err *err);
    void (*free)(struct http *self);
};

static inline MUST_USE enum err_code http_perform_many(struct http *http, const struct http_request *requests,
                                                       size_t count, struct http_response *out, struct err *err)
{
    return http->perform_many(http, requests, count, out, err);
}

/* One request; returns out->result, with *err filled from it. */
enum err_code http_perform(struct http *http, const struct http_request *request, struct http_response *out,
                           struct err *err) MUST_USE;

void http_free(struct http *http); /* NULL is fine */

void http_request_add_header(struct http_request *request, const char *name, const char *value);
void http_request_done(struct http_request *request); /* frees headers; body and url are borrowed */

/* First header of that name, or NULL. */
const char *http_response_header(const struct http_response *response, const char *name);
void http_response_done(struct http_response *response);
#define AUTO_HTTP_RESPONSE AUTO(http_response_done)

/* ------------------------------------------------------------------ implementations */

struct http_curl_opts {
    const char *ca_file;         /* PEM, in place of the system's CAs; NULL: those */
    const char *user_agent;
    const char *clock_advice;    /* how to set this machine's clock, a part of a sentence; NULL: unknown */
    int64_t connect_timeout_ms;
    struct clock *clock;         /* borrowed; is asked about cancellation at least every 200 ms */
};

/* libcurl's multi interface; connections are kept for the life of the object.  libcurl is initialised here, not
 * earlier: --version and hooks that are not for us never pay for it. */
enum err_code http_curl_new(const struct http_curl_opts *opts, struct http **out, struct err *err) MUST_USE;

/* Logs method, URL, status, allow-listed headers, size and time of each exchange at LOG_DEBUG.  Takes `inner`. */
struct http *http_trace_new(struct http *inner_take, struct log *log) MUST_USE;

#endif
