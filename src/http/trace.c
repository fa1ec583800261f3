/* SPDX-License-Identifier: MIT
 *
 * What goes over the wire, as log lines: "> GET <url>" before, "< GET <url>: 200, ..." after.  Request
 * headers and bodies never appear: the former carry signatures, the latter key authorizations.
 */
#include "http/http.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/parse.h"
#include "util/text.h"

#define LINE_MAX_BYTES 2048
#define FIELDS_MAX 7

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

/* Request headers whose values must not come back in one of those, as http_request_add_header() writes them. */
static const char *const secret_headers[] = {"x-dnsme-apiKey: ", "x-dnsme-hmac: "};

struct http_trace {
    struct http base;
    struct http *inner;
    struct log *log;
};

/* The value of a request header that must not show, else NULL. */
static const char *secret_value(const char *header)
{
    for (size_t i = 0; i < ARRAY_LEN(secret_headers); i++) {
        size_t len = strlen(secret_headers[i]);

        if (text_ncasecmp(header, secret_headers[i], len) == 0 && header[len])
            return header + len;
    }
    return NULL;
}

/* A server may repeat what we sent: the key or the signature, say, in a Location. */
static bool repeats_request(const struct http_request *request, const char *text)
{
    for (size_t i = 0; i < request->headers.count; i++) {
        const char *value = secret_value(request->headers.items[i]);

        if (value && strstr(text, value))
            return true;
    }
    return false;
}

/* The first header of that name, or NULL. */
static const char *shown_header(const struct http_request *request, const struct http_response *response,
                                const char *name)
{
    const char *value = http_response_header(response, name);

    return value && repeats_request(request, value) ? "(not shown, it repeats what was sent)" : value;
}

static void trace_request(struct log *log, const struct http_request *request)
{
    size_t bytes = request->body ? request->body_len : 0;
    const struct log_field fields[] = {
        {"method", request->method, 0},
        {"url", request->url, 0},
        {"bytes", NULL, (int64_t)bytes},
    };

    log_event(log, LOG_DEBUG, fields, ARRAY_LEN(fields), "> %s %s, %zu bytes", request->method, request->url, bytes);
}

static void trace_failure(struct log *log, const struct http_request *request, const struct http_response *response)
{
    const struct log_field fields[] = {
        {"method", request->method, 0},
        {"url", request->url, 0},
        {"error", err_name(response->result), 0},
        {"ms", NULL, response->elapsed_ms},
    };

    log_event(log, LOG_DEBUG, fields, ARRAY_LEN(fields), "< %s %s: failed after %" PRId64 " ms: %s", request->method,
              request->url, response->elapsed_ms, response->err.msg);
}

static void trace_answer(struct log *log, const struct http_request *request, const struct http_response *response)
{
    struct buf line AUTO_BUF = BUF_INIT(LINE_MAX_BYTES);
    const char *id = shown_header(request, response, "x-dnsme-requestId");
    const char *remaining = shown_header(request, response, "x-dnsme-requestsRemaining");
    struct log_field fields[FIELDS_MAX] = {
        {"method", request->method, 0},
        {"url", request->url, 0},
        {"status", NULL, response->status},
        {"bytes", NULL, (int64_t)response->body.len},
        {"ms", NULL, response->elapsed_ms},
    };
    size_t count = 5;
    uint64_t left;

    if (id)
        fields[count++] = (struct log_field){"request_id", id, 0};
    if (remaining && parse_uint(remaining, 0, INT32_MAX, &left))
        fields[count++] = (struct log_field){"remaining", NULL, (int64_t)left};
    for (size_t i = 0; i < ARRAY_LEN(shown_headers); i++) {
        const char *value = shown_header(request, response, shown_headers[i]);
        if (value)
            buf_printf(&line, "; %s: %s", shown_headers[i], value);
    }
    log_event(log, LOG_DEBUG, fields, count, "< %s %s: %ld, %zu bytes in %" PRId64 " ms%s", request->method,
              request->url, response->status, response->body.len, response->elapsed_ms, buf_cstr(&line));
}

static void trace_outcome(struct log *log, const struct http_request *request, const struct http_response *response)
{
    if (response->result == ERR_OK)
        trace_answer(log, request, response);
    else
        trace_failure(log, request, response);
}

static enum err_code trace_perform_many(struct http *self, const struct http_request *requests, size_t count,
                                        struct http_response *out, struct err *err)
{
    struct http_trace *trace = (struct http_trace *)self;
    enum err_code code;

    if (!log_wants(trace->log, LOG_DEBUG))
        return http_perform_many(trace->inner, requests, count, out, err);
    for (size_t i = 0; i < count; i++)
        trace_request(trace->log, &requests[i]);
    code = http_perform_many(trace->inner, requests, count, out, err);
    for (size_t i = 0; i < count; i++)
        trace_outcome(trace->log, &requests[i], &out[i]);
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
