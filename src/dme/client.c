/* SPDX-License-Identifier: MIT */
#include "dme/client.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dme/auth.h"
#include "dme/error.h"
#include "dme/retry.h"
#include "util/parse.h"
#include "util/text.h"

#define ANSWER_MAX (16u * 1024 * 1024)
#define URL_MAX 16384

struct dme *dme_new(const struct dme_opts *opts)
{
    struct dme *dme = mem_zalloc(sizeof *dme);
    size_t len = strlen(opts->endpoint);

    while (len > 0 && opts->endpoint[len - 1] == '/')
        len--;
    dme->base = mem_strndup(opts->endpoint, len);
    dme->api_key = secret_dup(opts->api_key);
    dme->api_secret = secret_dup(opts->api_secret);
    dme->http = opts->http;
    dme->clock = opts->clock;
    dme->log = opts->log;
    dme->request_timeout_ms = opts->request_timeout_ms;
    dme->give_up_after_ms = opts->give_up_after_ms;
    dme->requests_remaining = -1;
    dme->requests_limit = -1;
    dme->key_origin = mem_strdup(opts->key_origin);
    dme->secret_origin = mem_strdup(opts->secret_origin);
    dme->hidden_origin = mem_strdup(opts->hidden_origin);
    dme->clock_advice = mem_strdup(opts->clock_advice);
    return dme;
}

struct dme *dme_new_at(const struct dme *like, const char *endpoint)
{
    const struct dme_opts opts = {
        .endpoint = endpoint,
        .api_key = like->api_key,
        .api_secret = like->api_secret,
        .key_origin = like->key_origin,
        .secret_origin = like->secret_origin,
        .hidden_origin = like->hidden_origin,
        .clock_advice = like->clock_advice,
        .http = like->http,
        .clock = like->clock,
        .log = like->log,
        .request_timeout_ms = like->request_timeout_ms,
        .give_up_after_ms = like->give_up_after_ms,
    };
    struct dme *dme = dme_new(&opts);

    dme->has_server_time = like->has_server_time; /* both keep the same time */
    dme->has_api_time = like->has_api_time;
    dme->server_minus_mono_ms = like->server_minus_mono_ms;
    return dme;
}

void dme_free(struct dme *dme)
{
    if (!dme)
        return;
    free(dme->base);
    secret_free(dme->api_key);
    secret_free(dme->api_secret);
    free(dme->key_origin);
    free(dme->secret_origin);
    free(dme->hidden_origin);
    free(dme->clock_advice);
    free(dme);
}

int dme_requests_remaining(const struct dme *dme)
{
    return dme->requests_remaining;
}

int dme_requests_limit(const struct dme *dme)
{
    return dme->requests_limit;
}

bool dme_is_at(const struct dme *dme, const char *endpoint)
{
    size_t len = strlen(dme->base);

    return strncmp(dme->base, endpoint, len) == 0 && strcmp(endpoint + len, "/") == 0;
}

void dme_begin(struct dme *dme)
{
    dme->deadline_ms = clock_mono_ms(dme->clock) + dme->give_up_after_ms;
}

/* ------------------------------------------------------------------ one attempt */

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

static bool is_done(enum dme_verdict verdict, const struct err *err)
{
    return verdict == DME_FINAL && err->code == ERR_OK;
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

/* `signed_ms` and `knows_time` as struct dme_refusal has them. */
static enum dme_verdict judge_answer(struct dme *dme, const struct dme_call *call, const struct dme_retry *retry,
                                     const struct http_response *response, int64_t signed_ms, bool knows_time,
                                     json_t **out, struct err *err)
{
    struct buf said AUTO_BUF = BUF_INIT(DME_ERROR_TEXT_MAX);
    const char *text;
    enum err_code code;

    if (response->status >= 200 && response->status < 300) {
        enum dme_verdict verdict = judge_body(dme, call, response, out, err);
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
        return dme_auth_judge(dme, retry,
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

static enum err_code make_request(struct dme *dme, const struct dme_call *call, const struct dme_retry *retry,
                                  const char *url, struct http_request *out, int64_t *out_signed_ms, struct err *err)
{
    *out = (struct http_request){
        .method = call->method,
        .url = url,
        .body = call->body,
        .body_len = call->body ? strlen(call->body) : 0,
        .timeout_ms = dme_retry_timeout_ms(retry, dme->request_timeout_ms, clock_mono_ms(dme->clock)),
        .max_body = ANSWER_MAX,
    };
    http_request_add_header(out, "Accept", "application/json");
    if (call->body)
        http_request_add_header(out, "Content-Type", "application/json");
    return dme_auth_sign(dme, out, out_signed_ms, err);
}

/* Remember what may become of a POST.  Of a 2xx too: what comes after it, a look-up say, may still fail.  A gateway
 * that speaks in place of the service (502, 504 and those of a content network) has lost its answer, as a broken
 * connection has. */
static void note_post(struct dme *dme, enum err_code code, const struct http_response *response)
{
    long status = response->status;

    if (code != ERR_OK) {
        dme->has_lost_answer |= response->may_have_acted;
        dme->unclear_posts += response->may_have_acted ? 1 : 0;
        return;
    }
    dme->has_lost_answer |= status == 502 || status == 504 || (status >= 520 && status < 600);
    dme->unclear_posts += (status >= 200 && status < 300) || status == 408 || status >= 500 ? 1 : 0;
}

/* *err is set unless the verdict is DME_FINAL and all is well, in which case its code is ERR_OK. */
static enum dme_verdict attempt(struct dme *dme, const struct dme_call *call, struct dme_retry *retry, const char *url,
                                json_t **out, struct err *err)
{
    struct http_request request AUTO(http_request_done) = {.method = NULL};
    struct http_response response AUTO_HTTP_RESPONSE = {.result = ERR_OK};
    int64_t signed_ms = 0;
    int64_t sent_mono_ms;
    enum err_code code = make_request(dme, call, retry, url, &request, &signed_ms, err);

    retry->asked_ms = 0;
    if (code != ERR_OK)
        return DME_FINAL;
    sent_mono_ms = clock_mono_ms(dme->clock);
    code = http_perform(dme->http, &request, &response, err);
    if (strcmp(call->method, "POST") == 0)
        note_post(dme, code, &response);
    if (code != ERR_OK)
        return judge_failure(code, err);
    note_server(dme, &response);
    retry->asked_ms = asked_pause_ms(&response);
    return judge_answer(dme, call, retry, &response, signed_ms,
                        dme_auth_learn_time(dme, &response, sent_mono_ms, is_from_api(&response)), out, err);
}

/* ------------------------------------------------------------------ all attempts */

static void retry_start(struct dme_retry *retry, struct dme *dme)
{
    int64_t now_ms = clock_mono_ms(dme->clock);

    *retry = (struct dme_retry){
        .start_ms = now_ms,
        .deadline_ms = dme->deadline_ms,
        .seed = (uint64_t)(uintptr_t)dme ^ (uint64_t)now_ms,
    };
}

/* "gave up after 3 attempts in 12 s", "the server wants to be left alone for 120 s" */
static void put_why_no_more(const struct dme *dme, const struct dme_retry *retry, struct buf *out)
{
    int64_t now_ms = clock_mono_ms(dme->clock);
    bool is_put_off = retry->asked_ms && now_ms + retry->asked_ms > retry->deadline_ms;

    if (retry->transient + retry->garbled + retry->limited == 0)
        return;
    if (retry->attempts > 1 || !is_put_off)
        buf_printf(out, "gave up after %u attempt%s in %" PRId64 " s", retry->attempts, retry->attempts == 1 ? "" : "s",
                   (now_ms - retry->start_ms + 999) / 1000);
    if (is_put_off)
        buf_printf(out, "%sthe server asks to be left alone for %" PRId64 " s", out->len ? "; " : "",
                   retry->asked_ms / 1000);
}

static enum err_code fail(const struct dme *dme, const struct dme_call *call, const struct dme_retry *retry,
                          const struct err *last, struct err *err)
{
    struct buf why AUTO_BUF = BUF_INIT(200);

    if (!err)
        return last->code;
    put_why_no_more(dme, retry, &why);
    if (why.len)
        (void)err_set(err, last->code, "could not %s: %s (%s)", call->what, last->msg, buf_cstr(&why));
    else
        (void)err_set(err, last->code, "could not %s: %s", call->what, last->msg);
    if (*last->hint)
        err_hint(err, "%s", last->hint);
    err->retry_after_s = retry->asked_ms ? (int32_t)(retry->asked_ms / 1000) : last->retry_after_s;
    return last->code;
}

static void log_pause(struct dme *dme, const struct dme_call *call, const struct dme_retry *retry,
                      enum dme_verdict verdict, int64_t pause_ms, const struct err *last)
{
    if (verdict == DME_RESIGN)
        return;
    if (verdict == DME_LIMITED && retry->limited == 1)
        log_line(dme->log, LOG_WARNING,
                 "the request limit of DNS Made Easy is used up; waiting for it, at most %" PRId64 " s, continuing",
                 (retry->deadline_ms - clock_mono_ms(dme->clock)) / 1000);
    log_line(dme->log, LOG_INFO, "could not %s yet: %s; trying again in %" PRId64 " ms", call->what, last->msg,
             pause_ms);
}

enum err_code dme_call_perform(struct dme *dme, const struct dme_call *call, json_t **out, struct err *err)
{
    struct buf url AUTO_BUF = BUF_INIT(URL_MAX);
    json_t *json AUTO_JSON = NULL;
    struct dme_retry retry;
    struct err last;

    buf_printf(&url, "%s%s", dme->base, call->path);
    if (!buf_ok(&url))
        return err_set(err, ERR_INTERNAL, "could not %s: the URL is too long", call->what);
    retry_start(&retry, dme);
    if (retry.start_ms > retry.deadline_ms) /* used up by the calls before this one */
        return err_set(err, ERR_TIMEOUT, "could not %s: no time is left for it", call->what);
    for (;;) {
        enum dme_verdict verdict;
        int64_t pause_ms = 0;

        err_init(&last);
        retry.attempts++;
        verdict = attempt(dme, call, &retry, buf_cstr(&url), &json, &last);
        if (is_done(verdict, &last))
            break;
        if (!dme_retry_next(&retry, verdict, clock_mono_ms(dme->clock), &pause_ms))
            return fail(dme, call, &retry, &last, err);
        log_pause(dme, call, &retry, verdict, pause_ms, &last);
        if (pause_ms && !clock_sleep_ms(dme->clock, pause_ms))
            return err_set(err, ERR_CANCELLED, "could not %s: interrupted while waiting to try again", call->what);
    }
    if (out) {
        *out = json;
        json = NULL;
    }
    return ERR_OK;
}
