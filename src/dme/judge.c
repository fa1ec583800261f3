/* SPDX-License-Identifier: MIT */
#include "dme/judge.h"

#include <string.h>

#include "dme/auth.h"
#include "dme/error.h"
#include "util/parse.h"
#include "util/text.h"

static void read_count(const struct http_response *response, const char *header, int *out)
{
    const char *text = http_response_header(response, header);
    uint64_t count;

    if (text && parse_uint(text, 0, INT32_MAX, &count))
        *out = (int)count;
}

/* All answers of the API have these, as far as is known. */
static bool has_api_header(const struct http_response *response)
{
    return http_response_header(response, "x-dnsme-requestId") ||
           http_response_header(response, "x-dnsme-requestsRemaining");
}

static void note_server(struct dme *dme, const struct http_response *response)
{
    read_count(response, "x-dnsme-requestsRemaining", &dme->requests_remaining);
    read_count(response, "x-dnsme-requestLimit", &dme->requests_limit);
    dme->is_api |= has_api_header(response);
}

static bool is_web_page(const struct http_response *response)
{
    const char *type = http_response_header(response, "Content-Type");

    return response->body.len > 0 && type && text_ncasecmp(type, "text/html", 9) == 0;
}

static enum dme_verdict judge_page(const struct dme *dme, const struct http_response *response, struct err *err)
{
    struct buf said AUTO_BUF = BUF_INIT(DME_ERROR_TEXT_MAX);
    char shown[DME_ERROR_SHOWN_MAX];

    dme_error_text(&response->body, dme->api_key, &said);
    text_cut_into(shown, sizeof shown, buf_cstr(&said));
    (void)err_set(err, ERR_API, "what answers is not DNS Made Easy's API but a web server (status %ld): \"%s\"",
                  response->status, shown);
    err_hint(err, "Check the endpoint in the configuration, and whether a proxy or a captive portal stands between "
                  "this machine and DNS Made Easy.");
    return DME_GARBLED;
}

static enum dme_verdict judge_body(const struct dme *dme, const struct dme_call *call,
                                   const struct http_response *response, json_t **out, struct err *err)
{
    bool is_page = is_web_page(response);

    if (call->expect == DME_EXPECT_NOTHING && !is_page)
        return DME_FINAL;
    if (call->expect == DME_EXPECT_ANY && response->body.len == 0)
        return DME_FINAL;
    if (response->body.len == 0) {
        (void)err_set(err, ERR_API, "DNS Made Easy's answer is empty (status %ld)", response->status);
        (void)dme_error_unreadable(err);
        return DME_GARBLED;
    }
    if (json_parse(buf_cstr(&response->body), response->body.len, "DNS Made Easy's answer", out, err) == ERR_OK)
        return DME_FINAL;
    if (call->expect == DME_EXPECT_ANY)
        return DME_FINAL;
    if (is_page)
        return judge_page(dme, response, err);
    (void)dme_error_unreadable(err);
    return DME_GARBLED;
}

/* Retry-After (RFC 9110 section 10.2.3), as seconds or as a date, which is one of the server's clock. */
static int64_t asked_pause_ms(const struct http_response *response)
{
    const char *after = http_response_header(response, "Retry-After");
    const char *date = http_response_header(response, "Date");
    uint64_t seconds;
    int64_t then_s, now_s;

    if (!after)
        return 0;
    if (parse_uint(after, 0, INT32_MAX, &seconds))
        return (int64_t)seconds * 1000;
    if (!date || !clock_parse_http_date(after, &then_s) || !clock_parse_http_date(date, &now_s) || then_s < now_s)
        return 0;
    return then_s - now_s > INT32_MAX ? INT32_MAX * INT64_C(1000) : (then_s - now_s) * 1000;
}

/* Did the API itself say this?  Should the gateway in front of it not send those headers, its errors still are
 * objects. */
static bool is_from_api(const struct http_response *response)
{
    const char *body = buf_cstr(&response->body);

    return has_api_header(response) || (body[strspn(body, " \t\r\n")] == '{' && strstr(body, "error"));
}

/* `knows_time` as struct dme_refusal has it. */
static enum dme_verdict judge_answer(struct dme *dme, struct dme_call *call, int64_t signed_ms, bool knows_time,
                                     const struct http_response *response, struct err *err)
{
    struct buf said AUTO_BUF = BUF_INIT(DME_ERROR_TEXT_MAX);
    const char *text;
    enum err_code code;

    if (response->status >= 200 && response->status < 300) {
        enum dme_verdict verdict = judge_body(dme, call, response, &call->json, err);
        if (verdict == DME_FINAL)
            err_init(err);
        return verdict;
    }
    dme_error_text(&response->body, dme->api_key, &said);
    text = buf_cstr(&said);
    if (dme_error_is_rate_limit(response->status, text)) {
        (void)dme_error_rate_limit(err);
        return DME_LIMITED;
    }
    if (response->status == 401 || response->status == 403)
        return dme_auth_judge(dme, &call->retry,
                              &(struct dme_refusal){.status = response->status,
                                                    .text = text,
                                                    .is_foreign = !is_from_api(response),
                                                    .server = http_response_header(response, "Server"),
                                                    .signed_ms = signed_ms,
                                                    .knows_time = knows_time},
                              err);
    code = dme_error_from_status(response->status, text, http_response_header(response, "Location"), err);
    return code == ERR_SERVER ? DME_TRANSIENT : DME_FINAL;
}

static enum dme_verdict judge_failure(enum err_code code, struct err *err)
{
    switch (code) {
    case ERR_NETWORK:
    case ERR_TIMEOUT:
        return DME_TRANSIENT;
    case ERR_API:
        (void)dme_error_unreadable(err);
        return DME_GARBLED;
    default:
        return DME_FINAL;
    }
}

/* Remember what may become of a POST.  Of a 2xx too: what comes after it, a look-up say, may still fail.  A gateway
 * that speaks in place of the service (502, 504 and those of a content network) has lost its answer, as a broken
 * connection has. */
static void note_post(struct dme_call *call, const struct http_response *response)
{
    long status = response->status;

    if (strcmp(call->method, "POST") != 0)
        return;
    if (response->result != ERR_OK) {
        call->has_lost_answer |= response->may_have_acted;
        call->may_have_acted |= response->may_have_acted;
        return;
    }
    call->has_lost_answer |= status == 502 || status == 504 || (status >= 520 && status < 600);
    call->may_have_acted |= (status >= 200 && status < 300) || status == 408 || status >= 500;
}

enum dme_verdict dme_judge(struct dme *dme, struct dme_call *call, const struct dme_attempt *attempt,
                           const struct http_response *response, struct err *err)
{
    bool knows_time;

    call->retry.asked_ms = 0;
    call->status = response->status;
    note_post(call, response);
    if (response->result != ERR_OK) {
        if (err)
            *err = response->err;
        return judge_failure(response->result, err);
    }
    note_server(dme, response);
    call->retry.asked_ms = asked_pause_ms(response);
    knows_time = dme_auth_learn_time(dme, response, attempt->sent_mono_ms, is_from_api(response));
    return judge_answer(dme, call, attempt->signed_ms, knows_time, response, err);
}

void dme_judge_count(const struct http_response *response, enum dme_verdict verdict, int64_t asked_ms,
                     struct dme_news *news)
{
    int limit = 0;
    int remaining = -1;

    if (response->result != ERR_OK) {
        news->unsent += response->may_have_acted || response->result == ERR_API ? 0 : 1;
        return;
    }
    read_count(response, "x-dnsme-requestLimit", &limit);
    read_count(response, "x-dnsme-requestsRemaining", &remaining);
    if (verdict == DME_LIMITED) {
        news->refused++;
        news->asked_ms = asked_ms > news->asked_ms ? asked_ms : news->asked_ms;
    } else if (has_api_header(response)) {
        news->answered++;
    }
    if (limit > 0)
        news->limit = limit;
    if (remaining >= 0 && (news->remaining < 0 || remaining < news->remaining))
        news->remaining = remaining;
}
