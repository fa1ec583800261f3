/* SPDX-License-Identifier: MIT
 *
 * The one place that sends.
 *
 * Calls go out in windows, as many side by side as there are nonces (RFC 8555 section 6.5: each POST uses one up, each
 * answer brings one), up to ACME_SIDE_BY_SIDE_MAX and what requests_per_s allows.  A session begins with one nonce: on
 * a quick link calls that follow each other cost nothing, and no request is spent.  Where the work ahead would take
 * longer than SERIAL_LONG_MS in this way, more nonces are fetched first, side by side.
 *
 * Each answer is judged (answer.c) and ends its call or leads to another attempt, signed anew:
 *
 *   badNonce    at once, with the nonce of that answer.  CAs with many front ends refuse good nonces now and then, and
 *               one for tests refuses 9 of 10, so that only a row of many in which nothing else is answered is an end.
 *   transient   broken connections, time-outs, 5xx: after a pause that doubles, ATTEMPTS_MAX times.
 *   limited     429, 503 and rateLimited that say how long: after that time.  If it is the pace that the CA minds,
 *               nothing else is sent meanwhile.  rateLimited is about what one call asks for, and keeps no other from
 *               being carried out, nor from going on: a long pause is that call's end if it has company.  Where a row
 *               of calls is refused so, those that are left are not worth asking.
 *
 * It gives up give_up_after_ms after the last call that came to an end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "util/text.h"

#define ATTEMPTS_MAX 8
#define ATTEMPTS_WITH_ALTERNATIVE_MAX 4
#define LIMITED_MAX 20
#define LIMITED_ROW_MAX ACME_SIDE_BY_SIDE_MAX
#define COMPANY_WAITS_MS 10000 /* for one of several calls that is limited */
#define BAD_NONCES_MAX 300     /* in a row; where 9 of 10 are refused, a row this long has a chance of 2 in 10^14 */
#define BAD_NONCES_QUICK 20    /* of these without a pause */
#define BAD_NONCE_PAUSE_MS 100
#define BACKOFF_FIRST_MS 250
#define BACKOFF_LONGEST_MS 8000
#define ATTEMPT_SHORTEST_MS 1000
#define SERIAL_LONG_MS 1500
#define NONCES_WANTED 10 /* CAs allow bursts of so many at newNonce */
#define BODY_MAX (4u * 1024 * 1024)

struct sending {
    struct acme *acme;
    struct acme_call *calls;
    size_t count;
    size_t first; /* all before it are finished */
    int64_t deadline_ms;
    bool is_for_nonces;  /* of calls that wait, whose deadline it has to keep */
    unsigned bad_nonces; /* in a row */
    unsigned refused;    /* calls in a row that ended as the CA limits their number */
    const struct acme_call *last_refused;
    bool has_topped_up;
};

struct window {
    struct acme_call *calls[ACME_SIDE_BY_SIDE_MAX];
    size_t count;
};

static int64_t now_ms(const struct sending *s)
{
    return clock_mono_ms(s->acme->clock);
}

static void finish(struct sending *s, struct acme_call *call)
{
    call->is_finished = true;
    if (!s->is_for_nonces)
        s->deadline_ms = now_ms(s) + s->acme->give_up_after_ms;
}

/* All that are left end with this. */
static void finish_all(struct sending *s, enum err_code code, const struct err *why)
{
    for (size_t i = s->first; i < s->count; i++) {
        struct acme_call *call = &s->calls[i];

        if (call->is_finished)
            continue;
        acme_result_set(&call->result, code, why);
        (void)err_prefix(&call->result.err, code, "could not %s", call->what);
        call->is_finished = true;
    }
}

/* ------------------------------------------------------------------ one attempt */

static int64_t timeout_ms(const struct sending *s)
{
    int64_t left_ms = s->deadline_ms - now_ms(s);

    if (left_ms < ATTEMPT_SHORTEST_MS)
        left_ms = ATTEMPT_SHORTEST_MS;
    return left_ms < s->acme->request_timeout_ms ? left_ms : s->acme->request_timeout_ms;
}

/* Before attempt `times` + 1; not less than the CA asked for. */
static int64_t backoff_ms(struct acme *acme, unsigned times, int64_t asked_ms)
{
    int64_t ms = BACKOFF_FIRST_MS;

    for (unsigned i = 1; i < times && ms < BACKOFF_LONGEST_MS; i++)
        ms *= 2;
    /* A quarter more or less, so that processes that were started together do not come back together. */
    acme->seed = acme->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    ms = ms - ms / 4 + (int64_t)(acme->seed >> 33) % (ms / 2 + 1);
    return asked_ms > ms ? asked_ms : ms;
}

/* ------------------------------------------------------------------ what follows from an answer */

/* "... (gave up after 3 attempts in 12 s)" */
static void give_up(struct sending *s, struct acme_call *call)
{
    struct err *err = &call->result.err;
    char last[ERR_MSG_MAX - 88];

    /* Not err_set(): it would drop the hint. */
    text_cut_into(last, sizeof last, err->msg);
    if (call->attempts > 1)
        (void)snprintf(err->msg, sizeof err->msg, "%s (gave up after %u attempts in %" PRId64 " s)", last,
                       call->attempts, (now_ms(s) - call->first_ms + 999) / 1000);
    else if (err->code != ERR_ACME_LIMIT && err->retry_after_s > 0) /* of limits the hint says when */
        (void)snprintf(err->msg, sizeof err->msg, "%s (the CA asks to be left alone for %" PRId32 " s)", last,
                       err->retry_after_s);
    finish(s, call);
}

static void again(struct sending *s, struct acme_call *call, int64_t pause_ms)
{
    if (now_ms(s) + pause_ms > s->deadline_ms) {
        give_up(s, call);
        return;
    }
    call->not_before_ms = now_ms(s) + pause_ms;
    log_line(s->acme->log, LOG_INFO, "%s; trying again in %" PRId64 " ms", call->result.err.msg, pause_ms);
}

static void again_transient(struct sending *s, struct acme_call *call, int64_t asked_ms)
{
    bool is_for_other_way = call->has_alternative && call->result.problem == ACME_PROBLEM_SERVER_INTERNAL;

    if (++call->transient >= (is_for_other_way ? ATTEMPTS_WITH_ALTERNATIVE_MAX : ATTEMPTS_MAX)) {
        give_up(s, call);
        return;
    }
    again(s, call, backoff_ms(s->acme, call->transient, asked_ms));
}

/* Does the CA mind what this call asks for, and not how many requests there are? */
static bool is_about_call(const struct acme_call *call)
{
    return call->result.problem == ACME_PROBLEM_RATE_LIMITED && call->response.status != 503;
}

static void note_refusal(struct sending *s, const struct acme_call *call)
{
    s->refused++;
    s->last_refused = call;
}

static void again_limited(struct sending *s, struct acme_call *call, int64_t asked_ms)
{
    bool is_held_up = is_about_call(call) && s->count > 1 && asked_ms > COMPANY_WAITS_MS;

    if (++call->limited >= LIMITED_MAX || is_held_up)
        give_up(s, call);
    else
        again(s, call, backoff_ms(s->acme, call->limited, asked_ms));
    if (call->is_finished)
        note_refusal(s, call);
    else if (!is_about_call(call) && s->acme->quiet_until_ms < call->not_before_ms)
        s->acme->quiet_until_ms = call->not_before_ms;
}

/* The CA's limit is one of all of them: an account's orders, say. */
static void stop_if_all_are_refused(struct sending *s)
{
    const struct acme_call *last = s->last_refused;
    struct err why;

    if (s->refused < LIMITED_ROW_MAX)
        return;
    (void)err_set(&why, last->result.code, "the CA refused %u in a row before it: %s", s->refused,
                  last->result.err.msg);
    err_hint(&why, "%s", last->result.err.hint);
    why.retry_after_s = last->result.err.retry_after_s;
    finish_all(s, last->result.code, &why);
}

static void again_bad_nonce(struct sending *s, struct acme_call *call)
{
    struct err why;

    s->bad_nonces++;
    if (s->bad_nonces >= BAD_NONCES_MAX || now_ms(s) > s->deadline_ms) {
        (void)err_set(&why, ERR_ACME, "the CA refused %u nonces in a row, each of which it had just given out",
                      s->bad_nonces);
        err_hint(&why, "The CA's servers do not agree on their nonces, or something on the way answers from a cache; "
                       "try again later.");
        finish_all(s, ERR_ACME, &why);
        return;
    }
    call->not_before_ms = now_ms(s) + (s->bad_nonces > BAD_NONCES_QUICK ? BAD_NONCE_PAUSE_MS : 0);
}

static void note_answer(struct acme *acme, struct acme_call *call, enum acme_verdict verdict)
{
    const struct http_response *response = &call->response;
    const char *nonce = http_response_header(response, "Replay-Nonce");

    if (response->result != ERR_OK) {
        call->was_lost |= response->may_have_acted;
        return;
    }
    if (call->kind != ACME_GET) /* the first one, of the directory, includes the handshake */
        acme->round_trip_ms = acme->round_trip_ms ? (acme->round_trip_ms * 3 + response->elapsed_ms) / 4
                                                  : response->elapsed_ms;
    if (!nonce)
        return;
    if (verdict == ACME_VERDICT_BAD_NONCE && acme_nonce_is_valid(nonce))
        call->nonce = mem_strdup(nonce);
    else
        acme_nonces_add(&acme->nonces, nonce);
}

static void take_answer(struct sending *s, struct acme_call *call)
{
    int64_t asked_ms = ACME_PAUSE_NONE;
    enum acme_verdict verdict;

    if (call->is_finished) /* all were given up on because of one beside it */
        return;
    if (call->response.result == ERR_OK)
        asked_ms = acme_retry_after_ms(&call->response, clock_wall_ms(s->acme->clock));
    verdict = acme_answer_judge(call, asked_ms, clock_wall_ms(s->acme->clock));
    note_answer(s->acme, call, verdict);
    if (verdict != ACME_VERDICT_BAD_NONCE && call->kind == ACME_POST && call->response.result == ERR_OK)
        s->bad_nonces = 0;
    if (call->is_optional)
        verdict = ACME_VERDICT_FAILED;
    switch (verdict) {
    case ACME_VERDICT_DONE:
        s->refused = 0;
        finish(s, call);
        break;
    case ACME_VERDICT_FAILED:
        if (is_about_call(call))
            note_refusal(s, call);
        finish(s, call);
        break;
    case ACME_VERDICT_BAD_NONCE:
        again_bad_nonce(s, call);
        break;
    case ACME_VERDICT_TRANSIENT:
        again_transient(s, call, asked_ms);
        break;
    case ACME_VERDICT_LIMITED:
        again_limited(s, call, asked_ms);
        break;
    }
}

/* ------------------------------------------------------------------ one window */

/* Until then, or an error: the operator wants us to stop. */
static enum err_code pause_until(const struct acme *acme, int64_t until_ms, struct err *err)
{
    int64_t pause_ms = until_ms - clock_mono_ms(acme->clock);

    if (clock_is_cancelled(acme->clock) || (pause_ms > 0 && !clock_sleep_ms(acme->clock, pause_ms)))
        return err_set(err, ERR_CANCELLED, "interrupted while talking to the CA");
    return ERR_OK;
}

/* Wait until requests_per_s allows that many at once, and note that they go out. */
static enum err_code pace(struct acme *acme, size_t count, struct err *err)
{
    struct acme_pace *pace = &acme->pace;
    int64_t free_ms = 0;
    enum err_code code;

    if (pace->slots) /* the youngest of those whose slots they take has to be long enough ago */
        free_ms = pace->sent_ms[(pace->next + count - 1) % pace->slots] + pace->period_ms;
    code = pause_until(acme, free_ms, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; pace->slots && i < count; i++) {
        pace->sent_ms[pace->next] = clock_mono_ms(acme->clock);
        pace->next = (pace->next + 1) % pace->slots;
    }
    acme->request_count += count;
    return ERR_OK;
}

static enum err_code perform(struct sending *s, const struct window *window, struct err *err)
{
    struct http_request requests[ACME_SIDE_BY_SIDE_MAX];
    struct http_response responses[ACME_SIDE_BY_SIDE_MAX];
    struct buf bodies[ACME_SIDE_BY_SIDE_MAX];
    enum err_code code = pace(s->acme, window->count, err);

    for (size_t i = 0; i < window->count; i++) {
        requests[i] = (struct http_request){.method = NULL};
        responses[i] = (struct http_response){.result = ERR_INTERNAL};
        bodies[i] = BUF_INIT(BODY_MAX);
    }
    for (size_t i = 0; code == ERR_OK && i < window->count; i++)
        code = acme_request_make(s->acme, window->calls[i], timeout_ms(s), &requests[i], &bodies[i], err);
    if (code == ERR_OK)
        code = http_perform_many(s->acme->http, requests, window->count, responses, err);
    for (size_t i = 0; i < window->count; i++) {
        struct acme_call *call = window->calls[i];

        http_request_done(&requests[i]);
        buf_done(&bodies[i]);
        http_response_done(&call->response);
        call->response = responses[i];
        if (call->attempts++ == 0)
            call->first_ms = now_ms(s) - responses[i].elapsed_ms;
    }
    for (size_t i = 0; code == ERR_OK && i < window->count; i++)
        take_answer(s, window->calls[i]);
    if (code == ERR_OK)
        stop_if_all_are_refused(s);
    return code;
}

/* ------------------------------------------------------------------ which ones */

static size_t count_left(const struct sending *s)
{
    size_t left = 0;

    for (size_t i = s->first; i < s->count; i++)
        left += s->calls[i].is_finished ? 0 : 1;
    return left;
}

static enum err_code run(struct sending *s, struct err *err);

/* `count` HEAD requests to newNonce, side by side; fails when there is no nonce afterwards. */
static enum err_code fetch_nonces(const struct sending *waiting, size_t count, struct err *err)
{
    struct acme *acme = waiting->acme;
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    const char *url = NULL;
    enum err_code code = acme_resource_want(acme, ACME_NEW_NONCE, &url, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < count; i++) {
        calls.items[i].kind = ACME_HEAD;
        calls.items[i].expect = ACME_EXPECT_ANY;
        calls.items[i].url = url;
        calls.items[i].what = mem_strdup("get a nonce");
        calls.items[i].is_optional = acme->nonces.count > 0;
    }
    code = run(&(struct sending){.acme = acme,
                                 .calls = calls.items,
                                 .count = count,
                                 .deadline_ms = waiting->deadline_ms,
                                 .is_for_nonces = true},
               err);
    if (code != ERR_OK || acme->nonces.count > 0)
        return code;
    for (size_t i = 0; i < count; i++) {
        if (calls.items[i].result.code != ERR_OK) {
            if (err)
                *err = calls.items[i].result.err;
            return calls.items[i].result.code;
        }
    }
    code = err_set(err, ERR_ACME, "the CA's answer to \"%s\" has no usable Replay-Nonce header", url);
    err_hint(err, "Check that the directory URL is that of an ACME server, and whether something on the way answers "
                  "in its place.");
    return code;
}

/* Would the POSTs that are left take long with the nonces that there are?  Then fetch more, once. */
static enum err_code top_up_nonces(struct sending *s, struct err *err)
{
    struct acme *acme = s->acme;
    size_t left = count_left(s);
    size_t wanted = left < NONCES_WANTED ? left : NONCES_WANTED;
    size_t have = acme->nonces.count;

    if (acme->pace.slots && wanted > acme->pace.slots)
        wanted = acme->pace.slots;
    if (s->has_topped_up || have == 0 || have >= wanted ||
        (int64_t)left * acme->round_trip_ms / (int64_t)have <= SERIAL_LONG_MS)
        return ERR_OK;
    s->has_topped_up = true;
    return fetch_nonces(s, wanted - have, err);
}

/* Those whose time has come.  *out_next_ms: when that of the next one comes, if there is none. */
static void pick(struct sending *s, struct window *out, int64_t *out_next_ms)
{
    const struct acme *acme = s->acme;
    size_t max = acme->pace.slots && acme->pace.slots < ACME_SIDE_BY_SIDE_MAX ? acme->pace.slots
                                                                              : ACME_SIDE_BY_SIDE_MAX;
    size_t nonces = acme->nonces.count;
    int64_t now = now_ms(s);
    int64_t next = INT64_MAX;

    out->count = 0;
    for (size_t i = s->first; i < s->count && out->count < max; i++) {
        struct acme_call *call = &s->calls[i];
        bool needs_nonce = call->kind == ACME_POST && !call->nonce;

        if (call->is_finished)
            continue;
        if (call->not_before_ms > now) {
            next = call->not_before_ms < next ? call->not_before_ms : next;
            continue;
        }
        next = now;
        if (needs_nonce && nonces == 0)
            continue;
        nonces -= needs_nonce ? 1 : 0;
        out->calls[out->count++] = call;
    }
    *out_next_ms = next;
}

static enum err_code step(struct sending *s, struct err *err)
{
    struct window window;
    int64_t next_ms;
    enum err_code code = pause_until(s->acme, s->acme->quiet_until_ms, err);

    if (code == ERR_OK && s->calls[0].kind == ACME_POST)
        code = top_up_nonces(s, err);
    if (code != ERR_OK)
        return code;
    pick(s, &window, &next_ms);
    if (window.count > 0)
        return perform(s, &window, err);
    if (next_ms > now_ms(s))
        return pause_until(s->acme, next_ms, err);
    return fetch_nonces(s, 1, err);
}

static enum err_code run(struct sending *s, struct err *err)
{
    struct err why = {.code = ERR_OK};

    for (;;) {
        enum err_code code;

        while (s->first < s->count && s->calls[s->first].is_finished)
            s->first++;
        if (s->first == s->count)
            return ERR_OK;
        code = step(s, &why);
        if (code == ERR_OK)
            continue;
        finish_all(s, code, &why);
        if (code != ERR_CANCELLED && code != ERR_INTERNAL)
            return ERR_OK;
        if (err)
            *err = why;
        return code;
    }
}

enum err_code acme_send(struct acme *acme, struct acme_call *calls, size_t count, struct err *err)
{
    return run(&(struct sending){.acme = acme,
                                 .calls = calls,
                                 .count = count,
                                 .deadline_ms = clock_mono_ms(acme->clock) + acme->give_up_after_ms},
               err);
}

enum err_code acme_send_one(struct acme *acme, struct acme_call *call, struct err *err)
{
    enum err_code code = acme_send(acme, call, 1, err);

    if (code == ERR_OK && call->result.code != ERR_OK && err)
        *err = call->result.err;
    return code == ERR_OK ? call->result.code : code;
}
