/* SPDX-License-Identifier: MIT
 *
 * The phases in their order, and how runs drop out of them.
 */
#include "flow/issue.h"

#include <stdlib.h>

#include "flow/wave.h"

void issue_job_done(struct issue_job *job)
{
    key_free(job->own_key);
    chain_free(job->chain);
    strlist_done(&job->to_keep);
    job->own_key = NULL;
    job->chain = NULL;
}

void run_fail(struct run *run, const struct err *err)
{
    if (run_is_live(run))
        run->job->err = *err;
}

void run_check_order(struct run *run)
{
    if (run->order.result.code != ERR_OK)
        run_fail(run, &run->order.result.err);
}

size_t wave_live(const struct wave *wave)
{
    size_t count = 0;

    for (size_t i = 0; i < wave->count; i++)
        count += run_is_live(&wave->runs[i]);
    return count;
}

void wave_tell(const struct wave *wave, const char *step, size_t done, size_t total)
{
    if (wave->engine->progress)
        wave->engine->progress(wave->engine->progress_ctx, step, done, total);
}

/* ------------------------------------------------------------------ what is left behind */

/* An order that can still lead somewhere is taken up by the next run; any other would only be in its way. */
static bool is_spent(const struct run *run)
{
    const struct acme_result *last = &run->order.result;

    if (!run->order.url)
        return false; /* what is stored is an earlier one, of which nothing bad is known */
    if (run->order.status == ACME_ORDER_INVALID)
        return true;
    switch (run->job->err.code) {
    case ERR_CHALLENGE:
    case ERR_INPUT:
    case ERR_NOT_FOUND:
        return true;
    case ERR_ACME: /* unless a portal or a proxy answered in the CA's place */
        return last->code == ERR_OK || last->problem != ACME_PROBLEM_NONE;
    default:
        return false;
    }
}

/* A good one goes when its certificate is installed: until then it can be downloaded again. */
static void forget_order(const struct wave *wave, const struct run *run)
{
    struct err err;

    if (!wave->engine->store || run->job->err.code == ERR_OK || !is_spent(run))
        return;
    if (order_remove(wave->engine->store, run->job->name, &err) != ERR_OK)
        log_line(wave->engine->log, LOG_WARNING, "%s, continuing", err.msg);
}

static void run_done(struct wave *wave, struct run *run)
{
    acme_order_done(&run->order);
    challenge_set_done(&run->records);
    mem_free_auto(&run->places);
    for (size_t i = 0; i < run->authz_count; i++)
        acme_authz_done(&wave->authzs[run->first_authz + i]);
    run->authz_count = 0;
}

static void wave_done(struct wave *wave)
{
    for (size_t i = 0; i < wave->count; i++)
        run_done(wave, &wave->runs[i]);
    challenge_awaiting_free(wave->awaiting);
    challenge_set_done(&wave->records);
    free(wave->out);
    free(wave->authzs);
    free(wave->runs);
}

/* ------------------------------------------------------------------ the end of runs */

/* Has it failed, or its certificate, and is it not known yet? */
static bool is_at_end(const struct run *run)
{
    return !run->is_finished && (run->job->err.code != ERR_OK || run->job->chain);
}

/* Runs that have come to their end: what they leave is seen to, the caller is told, and their memory is freed. */
static size_t finish_runs(struct wave *wave)
{
    AUTO_FREE struct issue_job **jobs = mem_calloc(wave->count, sizeof(struct issue_job *));
    size_t count = 0;

    for (size_t i = 0; i < wave->count; i++) {
        struct run *run = &wave->runs[i];

        if (!is_at_end(run))
            continue;
        jobs[count++] = run->job;
        forget_order(wave, run);
        wave_release(wave, run);
        run_done(wave, run);
        run->is_finished = true;
    }
    if (count)
        wave_strike_kept(wave);
    if (count && wave->engine->finished)
        wave->engine->finished(wave->engine->finished_ctx, jobs, count);
    return count;
}

/* ------------------------------------------------------------------ phases */

typedef enum err_code phase_fn(struct wave *wave, struct err *err);

static enum err_code run_phases(struct wave *wave, phase_fn *const *phases, size_t count, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < count && wave_live(wave); i++)
        code = phases[i](wave, err);
    return code;
}

/* All together as far as the records, then in rounds: each takes those on that can go on, and ends where nothing more
 * happens for a while. */
static enum err_code run_wave(struct wave *wave, struct err *err)
{
    static phase_fn *const together[] = {wave_order, wave_authorize, wave_publish};
    static phase_fn *const round[] = {wave_await, wave_answer, wave_finalize, wave_download};
    enum err_code code = run_phases(wave, together, ARRAY_LEN(together), err);

    (void)finish_runs(wave);
    while (code == ERR_OK && wave_live(wave)) {
        code = run_phases(wave, round, ARRAY_LEN(round), err);
        while (finish_runs(wave) && code == ERR_OK)
            code = wave_download(wave, err);
        wave_withdraw(wave, WITHDRAW_MANY);
        if (code == ERR_OK && wave->is_interrupted)
            code = err_set(err, ERR_CANCELLED, "interrupted");
    }
    return code;
}

static void wave_init(struct wave *wave, struct issue_job *jobs)
{
    wave->runs = mem_calloc(wave->count, sizeof *wave->runs);
    for (size_t i = 0; i < wave->count; i++) {
        struct issue_job *job = &jobs[i];

        wave->runs[i].job = job;
        err_init(&job->err);
        if (job->persisted && job->challenge == ACME_DNS_PERSIST_01)
            strlist_copy(&job->to_keep, job->persisted);
    }
}

enum err_code issue_certificates(const struct issue_engine *engine, struct issue_job *jobs, size_t count,
                                 struct err *err)
{
    AUTO(wave_done) struct wave wave = {.engine = engine, .count = count};
    struct err why = {.code = ERR_OK};
    enum err_code code;

    wave_init(&wave, jobs);
    code = run_wave(&wave, &why);
    for (size_t i = 0; code != ERR_OK && i < count; i++)
        run_fail(&wave.runs[i], &why);
    if (clock_is_cancelled(engine->clock)) { /* now it is cleaned up, and that is not to be interrupted */
        wave.is_interrupted = true;
        clock_accept_cancel(engine->clock);
    }
    (void)finish_runs(&wave);
    wave_withdraw(&wave, WITHDRAW_ALL);
    if (code != ERR_CANCELLED && wave.is_interrupted)
        code = err_set(&why, ERR_CANCELLED, "interrupted");
    if (code != ERR_OK && err)
        *err = why;
    return code;
}
