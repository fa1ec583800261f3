/* SPDX-License-Identifier: MIT
 *
 * What goes over the wire, as log lines: "> GET <url>" before, "< GET <url>: 200, ..." after.  Request
 * headers and bodies never appear: the former carry signatures, the latter key authorizations.
 */
#include "http/http.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/text.h"

#define LINE_MAX_BYTES 2048

/* The only headers that are ever shown. */
static const char *const shown_headers[] = {
    "Date",
    "Content-Type",
    "Content-Length",
    "Location",
    "Retry-After",
    "Server",
    "x-dnsme-requestId",
    "x-dnsme-requestLimit",
    "x-dnsme-requestsRemaining",
};

struct http_trace {
    struct http base;
    struct http *inner;
    struct log *log;
};

static void trace_answer(struct log *log, const struct http_request *request, const struct http_response *response)
{
    struct buf line AUTO_BUF = BUF_INIT(LINE_MAX_BYTES);

    if (response->result != ERR_OK) {
        log_line(log, LOG_DEBUG, "< %s %s: failed after %" PRId64 " ms: %s", request->method, request->url,
                 response->elapsed_ms, response->err.msg);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(shown_headers); i++) {
        const char *value = http_response_header(response, shown_headers[i]);
        if (value)
            buf_printf(&line, "; %s: %s", shown_headers[i], value);
    }
    log_line(log, LOG_DEBUG, "< %s %s: %ld, %zu bytes in %" PRId64 " ms%s", request->method, request->url,
             response->status, response->body.len, response->elapsed_ms, buf_cstr(&line));
}

static enum err_code trace_perform_many(struct http *self, const struct http_request *requests, size_t count,
                                        struct http_response *out, struct err *err)
{
    struct http_trace *trace = (struct http_trace *)self;
    enum err_code code;

    if (!log_wants(trace->log, LOG_DEBUG))
        return http_perform_many(trace->inner, requests, count, out, err);
    for (size_t i = 0; i < count; i++)
        log_line(trace->log, LOG_DEBUG, "> %s %s, %zu bytes", requests[i].method, requests[i].url,
                 requests[i].body ? requests[i].body_len : 0);
    code = http_perform_many(trace->inner, requests, count, out, err);
    for (size_t i = 0; i < count; i++)
        trace_answer(trace->log, &requests[i], &out[i]);
    return code;
}

static void trace_free(struct http *self)
{
    struct http_trace *trace = (struct http_trace *)self;

    http_free(trace->inner);
    free(trace);
}

struct http *http_trace_new(struct http *inner_take, struct log *log)
{
    struct http_trace *trace = mem_zalloc(sizeof *trace);

    trace->base.perform_many = trace_perform_many;
    trace->base.free = trace_free;
    trace->inner = inner_take;
    trace->log = log;
    return &trace->base;
}
