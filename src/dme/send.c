/* SPDX-License-Identifier: MIT
 *
 * The one place that sends.  In each round all calls whose time has come go out together, as many as the budget allows,
 * each signed anew; each answer is judged, and ends its call or puts it off.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dme/auth.h"
#include "dme/budget.h"
#include "dme/client.h"
#include "dme/judge.h"
#include "util/text.h"

#define ANSWER_MAX (16u * 1024 * 1024)
#define URL_MAX 16384
#define SIDE_BY_SIDE_MAX 8

struct sending {
    struct dme *dme;
    struct dme_call *calls;
    size_t count;
};

struct round {
    struct dme_call *calls[SIDE_BY_SIDE_MAX];
    char *urls[SIDE_BY_SIDE_MAX];
    struct http_request requests[SIDE_BY_SIDE_MAX];
    struct http_response responses[SIDE_BY_SIDE_MAX];
    struct dme_attempt attempts[SIDE_BY_SIDE_MAX];
    size_t count;
};

static void round_done(struct round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        free(round->urls[i]);
        http_request_done(&round->requests[i]);
        http_response_done(&round->responses[i]);
    }
}

/* ------------------------------------------------------------------ ends */

/* "gave up after 3 attempts in 12 s", "the server wants to be left alone for 120 s" */
static void put_why_no_more(const struct dme *dme, const struct dme_retry *retry, struct buf *out)
{
    int64_t now_ms = clock_mono_ms(dme->clock);
    bool is_put_off = retry->asked_ms && now_ms + retry->asked_ms > dme_retry_deadline_ms(retry);

    if (retry->transient + retry->garbled + retry->limited == 0)
        return;
    if (retry->attempts > 1 || !is_put_off)
        buf_printf(out, "gave up after %u attempt%s in %" PRId64 " s", retry->attempts, retry->attempts == 1 ? "" : "s",
                   (now_ms - retry->start_ms + 999) / 1000);
    if (is_put_off)
        buf_printf(out, "%sthe server asks to be left alone for %" PRId64 " s", out->len ? "; " : "",
                   retry->asked_ms / 1000);
}

static void fail(const struct dme *dme, struct dme_call *call, const struct err *last)
{
    struct buf why AUTO_BUF = BUF_INIT(200);

    call->is_finished = true;
    put_why_no_more(dme, &call->retry, &why);
    if (why.len)
        (void)err_set(&call->err, last->code, "could not %s: %s (%s)", call->what, last->msg, buf_cstr(&why));
    else
        (void)err_set(&call->err, last->code, "could not %s: %s", call->what, last->msg);
    if (*last->hint)
        err_hint(&call->err, "%s", last->hint);
    call->err.retry_after_s = call->retry.asked_ms ? (int32_t)(call->retry.asked_ms / 1000) : last->retry_after_s;
}

static void log_pause(struct dme *dme, const struct dme_call *call, enum dme_verdict verdict, int64_t pause_ms,
                      const struct err *last)
{
    if (verdict == DME_RESIGN)
        return;
    if (verdict == DME_LIMITED && pause_ms)
        log_line(dme->log, LOG_WARNING,
                 "the request limit of DNS Made Easy is used up; waiting %" PRId64 " s, as it asks for, continuing",
                 (pause_ms + 999) / 1000);
    log_line(dme->log, LOG_INFO, "could not %s yet: %s; trying again in %" PRId64 " ms", call->what, last->msg,
             pause_ms);
}

/* An attempt has come to this. */
static void follow(struct dme *dme, struct dme_call *call, enum dme_verdict verdict, const struct err *last)
{
    int64_t now_ms = clock_mono_ms(dme->clock);
    int64_t pause_ms = 0;

    if (verdict == DME_FINAL && last->code == ERR_OK) {
        call->is_finished = true;
        return;
    }
    if (!dme_retry_next(&call->retry, verdict, now_ms, &pause_ms)) {
        fail(dme, call, last);
        return;
    }
    log_pause(dme, call, verdict, pause_ms, last);
    call->not_before_ms = now_ms + pause_ms;
}

/* ------------------------------------------------------------------ one round */

static enum err_code make_request(struct dme *dme, struct round *round, size_t i, struct err *err)
{
    struct buf url AUTO_BUF = BUF_INIT(URL_MAX);
    struct dme_call *call = round->calls[i];
    struct http_request *request = &round->requests[i];

    buf_printf(&url, "%s%s", dme->base, call->path);
    if (!buf_ok(&url))
        return err_set(err, ERR_INTERNAL, "could not %s: the URL is too long", call->what);
    round->urls[i] = buf_take(&url);
    call->retry.deadline_ms = dme->deadline_ms; /* which waits put off */
    *request = (struct http_request){
        .method = call->method,
        .url = round->urls[i],
        .body = call->body,
        .body_len = call->body ? strlen(call->body) : 0,
        .timeout_ms = dme_retry_timeout_ms(&call->retry, dme->request_timeout_ms, clock_mono_ms(dme->clock)),
        .max_body = ANSWER_MAX,
    };
    http_request_add_header(request, "Accept", "application/json");
    if (call->body)
        http_request_add_header(request, "Content-Type", "application/json");
    round->attempts[i].sent_mono_ms = clock_mono_ms(dme->clock);
    return dme_auth_sign(dme, request, &round->attempts[i].signed_ms, err);
}

static void take_answers(struct dme *dme, struct round *round, int64_t sent_ms)
{
    struct dme_news news = {.sent_ms = sent_ms, .remaining = -1};
    enum dme_verdict verdicts[SIDE_BY_SIDE_MAX];
    struct err *last = mem_calloc(round->count, sizeof *last);

    for (size_t i = 0; i < round->count; i++) {
        struct dme_call *call = round->calls[i];

        call->retry.attempts++;
        verdicts[i] = dme_judge(dme, call, &round->attempts[i], &round->responses[i], &last[i]);
        dme_judge_count(&round->responses[i], verdicts[i], call->retry.asked_ms, &news);
    }
    dme_budget_learn(dme, &news);
    for (size_t i = 0; i < round->count; i++)
        follow(dme, round->calls[i], verdicts[i], &last[i]);
    free(last);
}

static enum err_code perform(struct dme *dme, struct round *round, struct err *err)
{
    int64_t sent_ms = clock_wall_ms(dme->clock);
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < round->count && code == ERR_OK; i++)
        code = make_request(dme, round, i, err);
    if (code != ERR_OK)
        return code;
    code = http_perform_many(dme->http, round->requests, round->count, round->responses, err);
    take_answers(dme, round, sent_ms);
    return code == ERR_OK ? ERR_OK : err_prefix(err, code, "could not %s", round->calls[0]->what);
}

/* ------------------------------------------------------------------ which ones */

/* Those whose time has come. */
static void pick(const struct sending *s, struct round *out)
{
    int64_t now_ms = clock_mono_ms(s->dme->clock);

    for (size_t i = 0; i < s->count && out->count < SIDE_BY_SIDE_MAX; i++)
        if (!s->calls[i].is_finished && s->calls[i].not_before_ms <= now_ms)
            out->calls[out->count++] = &s->calls[i];
}

static enum err_code take_from_budget(struct dme *dme, struct round *round, struct err *err)
{
    size_t got = 0;
    enum err_code code;

    if (round->calls[0]->is_unbounded && round->calls[0]->retry.attempts == 0) {
        dme_budget_force(dme, round->count);
        return ERR_OK;
    }
    code = dme_budget_take(dme, round->count, round->calls[0]->what, &got, err);
    if (code == ERR_OK)
        round->count = got;
    return code;
}

static const struct dme_call *next_call(const struct sending *s)
{
    const struct dme_call *next = NULL;

    for (size_t i = 0; i < s->count; i++)
        if (!s->calls[i].is_finished && (!next || s->calls[i].not_before_ms < next->not_before_ms))
            next = &s->calls[i];
    return next;
}

static enum err_code pause_for(struct dme *dme, const struct dme_call *call, struct err *err)
{
    int64_t pause_ms = call->not_before_ms - clock_mono_ms(dme->clock);

    if (pause_ms > 0 && !clock_sleep_ms(dme->clock, pause_ms))
        return err_set(err, ERR_CANCELLED, "could not %s: interrupted while waiting to try again", call->what);
    if (call->retry.is_limited) /* nothing has failed */
        dme->deadline_ms += pause_ms;
    return ERR_OK;
}

/* The time is used up by the calls before them. */
static void expire(const struct sending *s)
{
    bool is_over = clock_mono_ms(s->dme->clock) > s->dme->deadline_ms;

    for (size_t i = 0; is_over && i < s->count; i++) {
        struct dme_call *call = &s->calls[i];

        if (call->is_finished || call->retry.attempts > 0)
            continue;
        (void)err_set(&call->err, ERR_TIMEOUT, "could not %s: no time is left for it", call->what);
        call->is_finished = true;
    }
}

static enum err_code step(const struct sending *s, bool *out_is_done, struct err *err)
{
    struct round round AUTO(round_done) = {.count = 0};
    const struct dme_call *next;
    enum err_code code;

    expire(s);
    next = next_call(s);
    *out_is_done = !next;
    if (!next)
        return ERR_OK;
    pick(s, &round);
    if (round.count == 0)
        return pause_for(s->dme, next, err);
    code = take_from_budget(s->dme, &round, err);
    return code == ERR_OK ? perform(s->dme, &round, err) : code;
}

/* All that are left end with this. */
static void finish_all(const struct sending *s, const struct err *why)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->calls[i].is_finished)
            continue;
        s->calls[i].err = *why;
        s->calls[i].is_finished = true;
    }
}

static void start(struct dme *dme, struct dme_call *call)
{
    int64_t now_ms = clock_mono_ms(dme->clock);

    call->retry = (struct dme_retry){
        .start_ms = now_ms,
        .budget_deadline_ms = dme->budget_deadline_ms,
        .seed = (uint64_t)(uintptr_t)call ^ (uint64_t)now_ms,
    };
    call->not_before_ms = now_ms;
    err_init(&call->err);
}

enum err_code dme_calls_perform(struct dme *dme, struct dme_call *calls, size_t count, struct err *err)
{
    const struct sending sending = {dme, calls, count};
    bool is_done = false;

    for (size_t i = 0; i < count; i++)
        start(dme, &calls[i]);
    while (!is_done) {
        struct err why = {.code = ERR_OK};
        enum err_code code = step(&sending, &is_done, &why);

        if (code == ERR_OK)
            continue;
        finish_all(&sending, &why);
        if (code != ERR_CANCELLED && code != ERR_INTERNAL)
            return ERR_OK;
        if (err)
            *err = why;
        return code;
    }
    return ERR_OK;
}

enum err_code dme_call_perform(struct dme *dme, const struct dme_call *call, json_t **out, struct err *err)
{
    struct dme_call one AUTO(dme_call_done) = *call;
    enum err_code code = dme_calls_perform(dme, &one, 1, err);

    if (code == ERR_OK && one.err.code != ERR_OK && err)
        *err = one.err;
    if (code == ERR_OK)
        code = one.err.code;
    if (code == ERR_OK && out) {
        *out = one.json;
        one.json = NULL;
    }
    return code;
}

void dme_call_done(struct dme_call *call)
{
    json_free_auto(&call->json);
}
