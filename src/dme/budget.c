/* SPDX-License-Identifier: MIT */
#include "dme/budget.h"

#include <inttypes.h>

#include "dme/error.h"

/* ------------------------------------------------------------------ a private one */

static struct dme_window *open_private(struct dme_budget *self)
{
    struct dme_own_budget *own = (struct dme_own_budget *)self;

    return &own->window;
}

static void close_private(UNUSED struct dme_budget *self)
{
    /* nobody else is waiting for it */
}

void dme_budget_init(struct dme *dme, const struct dme_opts *opts)
{
    dme->own_budget = (struct dme_own_budget){
        .base = {.owner = 1, .open = open_private, .close = close_private},
        .window = {.window_ms = opts->budget_window_ms ? opts->budget_window_ms : DME_WINDOW_USUAL_MS,
                   .allowed = opts->budget_allowed},
    };
    dme->budget = opts->budget ? opts->budget : &dme->own_budget.base;
    dme->budget_wait_ms = opts->budget_wait_ms;
    dme->budget_until_ms = opts->budget_until_ms;
    dme->waiting = opts->waiting;
    dme->waiting_ctx = opts->waiting_ctx;
}

/* What is held and was not used is somebody else's. */
static void release(struct dme *dme)
{
    if (!dme->has_held)
        return;
    dme_window_release(dme->budget->open(dme->budget), dme->budget->owner);
    dme->budget->close(dme->budget);
}

void dme_budget_done(struct dme *dme)
{
    release(dme);
    dme_window_done(&dme->own_budget.window);
}

/* ------------------------------------------------------------------ waiting */

/* A look at the window by somebody who wants `least` requests. */
struct look {
    int64_t wait_ms; /* 0: they are taken */
    size_t got;
    int64_t next_ms; /* the rest with wait_ms only */
    int64_t left;
    int64_t limit;
    int64_t poll_ms;
    bool is_trial; /* it would fit, but the answer to another one is awaited */
};

static struct look ask(struct dme *dme, const struct dme_claim *claim)
{
    struct dme_window *window = dme->budget->open(dme->budget);
    int64_t now_ms = clock_wall_ms(dme->clock); /* not before: opening may take a while, and others go on meanwhile */
    struct look look = {.got = 0};

    look.wait_ms = dme_window_claim(window, claim, now_ms, &look.got);
    if (look.wait_ms > 0) {
        look.next_ms = dme_window_next_ms(window, now_ms);
        look.left = dme_window_left(window, now_ms);
        look.limit = dme_window_limit(window);
        look.poll_ms = dme_window_poll_ms(window);
        look.is_trial = look.left >= claim->least && dme_window_is_trying(window, now_ms);
    }
    dme->budget->close(dme->budget);
    return look;
}

static void leave(struct dme *dme)
{
    dme_window_leave(dme->budget->open(dme->budget), dme->budget->owner);
    dme->budget->close(dme->budget);
}

static int64_t seconds(int64_t ms)
{
    return ms > 0 ? (ms + 999) / 1000 : 1;
}

/* "needs 12 requests, 3 left of 150, next free in 140 s" */
static void put_need(const struct look *look, int64_t needed, struct buf *out)
{
    int64_t all_s = seconds(look->wait_ms);
    int64_t next_s = look->left == 0 ? seconds(look->next_ms) : all_s;

    buf_printf(out, "needs %" PRId64 " request%s, %" PRId64 " left of %" PRId64 ", ", needed, needed == 1 ? "" : "s",
               look->left, look->limit);
    if (next_s < all_s)
        buf_printf(out, "next free in %" PRId64 " s, all of them in %" PRId64 " s", next_s, all_s);
    else
        buf_printf(out, "next free in %" PRId64 " s", all_s);
}

static enum err_code fail(const struct look *look, int64_t needed, const char *what, struct err *err)
{
    struct buf need AUTO_BUF = BUF_INIT(200);
    struct err why;

    put_need(look, needed, &need);
    (void)dme_error_rate_limit(&why);
    (void)err_set(err, ERR_RATE_LIMIT, "could not %s: %s (%s)", what, why.msg, buf_cstr(&need));
    err_hint(err, "%s", why.hint);
    if (err)
        err->retry_after_s = (int32_t)seconds(look->wait_ms);
    return ERR_RATE_LIMIT;
}

static void tell(struct dme *dme, const struct look *look, int64_t needed)
{
    struct buf need AUTO_BUF = BUF_INIT(200);

    put_need(look, needed, &need);
    log_line(dme->log, LOG_WARNING, "request limit of DNS Made Easy: %s; waiting, continuing", buf_cstr(&need));
}

/* Sleep, or be told to stop. */
static enum err_code pause_for(struct dme *dme, const struct look *look, const char *what, struct err *err)
{
    int64_t pause_ms = look->wait_ms < look->poll_ms ? look->wait_ms : look->poll_ms;

    if (dme->waiting)
        dme->waiting(dme->waiting_ctx, look->wait_ms);
    if (clock_sleep_ms(dme->clock, pause_ms))
        return ERR_OK;
    return err_set(err, ERR_CANCELLED, "could not %s: interrupted while waiting for DNS Made Easy's request limit",
                   what);
}

/* The queue may move faster or slower than it seemed at first, so whoever waits looks again now and then. */
static enum err_code wait_for(struct dme *dme, const struct dme_claim *claim, const char *what, size_t *out_got,
                              struct err *err)
{
    int64_t start_ms = clock_mono_ms(dme->clock);
    struct look look = ask(dme, claim);
    enum err_code code = ERR_OK;

    for (bool has_told = false; look.wait_ms > 0 && code == ERR_OK;) {
        if (clock_mono_ms(dme->clock) + look.wait_ms > dme->budget_deadline_ms) {
            code = fail(&look, claim->least, what, err);
            break;
        }
        if (!has_told && !look.is_trial)
            tell(dme, &look, claim->least);
        has_told |= !look.is_trial;
        code = pause_for(dme, &look, what, err);
        if (code == ERR_OK)
            look = ask(dme, claim);
    }
    if (code != ERR_OK)
        leave(dme);
    dme->deadline_ms += clock_mono_ms(dme->clock) - start_ms;
    *out_got = look.got;
    return code;
}

enum err_code dme_budget_take(struct dme *dme, size_t most, const char *what, size_t *out_got, struct err *err)
{
    const struct dme_claim claim = {
        .owner = dme->budget->owner, .least = 1, .most = (int64_t)most, .kind = DME_STAMP_SENT};

    return wait_for(dme, &claim, what, out_got, err);
}

void dme_budget_force(struct dme *dme, size_t count)
{
    struct dme_window *window = dme->budget->open(dme->budget);

    dme_window_force(window, dme->budget->owner, count, clock_wall_ms(dme->clock));
    dme->budget->close(dme->budget);
}

void dme_budget_learn(struct dme *dme, const struct dme_news *news)
{
    struct dme_window *window = dme->budget->open(dme->budget);
    struct dme_news ours = *news;

    ours.owner = dme->budget->owner;
    dme_window_learn(window, &ours, clock_wall_ms(dme->clock));
    dme->budget->close(dme->budget);
}

int64_t dme_requests_own(struct dme *dme)
{
    struct dme_window *window = dme->budget->open(dme->budget);
    int64_t own;

    dme_window_tidy(window, clock_wall_ms(dme->clock));
    own = dme_window_own(window);
    dme->budget->close(dme->budget);
    return own;
}

enum err_code dme_admit(struct dme *dme, size_t requests, struct err *err)
{
    const struct dme_claim claim = {
        .owner = dme->budget->owner, .least = (int64_t)requests, .most = (int64_t)requests, .kind = DME_STAMP_HELD};
    size_t got;
    enum err_code code;

    if (requests == 0)
        return ERR_OK;
    dme_begin(dme);
    code = wait_for(dme, &claim, "begin", &got, err);
    dme->has_held |= code == ERR_OK;
    return code;
}
