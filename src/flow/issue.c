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

static void forget_orders(const struct wave *wave)
{
    for (size_t i = 0; wave->engine->store && i < wave->count; i++) {
        const struct run *run = &wave->runs[i];
        struct err err;

        /* A good one goes when its certificate is installed: until then it can be downloaded again. */
        if (run_is_live(run) || !is_spent(run))
            continue;
        if (order_remove(wave->engine->store, run->job->name, &err) != ERR_OK)
            log_line(wave->engine->log, LOG_WARNING, "%s, continuing", err.msg);
    }
}

static void wave_done(struct wave *wave)
{
    for (size_t i = 0; i < wave->count; i++) {
        acme_order_done(&wave->runs[i].order);
        challenge_set_done(&wave->runs[i].records);
    }
    for (size_t i = 0; i < wave->authz_count; i++)
        acme_authz_done(&wave->authzs[i]);
    free(wave->authzs);
    free(wave->runs);
}

/* ------------------------------------------------------------------ phases */

static enum err_code run_phases(struct wave *wave, struct err *err)
{
    static enum err_code (*const phases[])(struct wave *, struct err *) = {
        wave_order, wave_authorize, wave_publish, wave_answer, wave_finalize, wave_download,
    };
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < ARRAY_LEN(phases) && wave_live(wave); i++)
        code = phases[i](wave, err);
    return code;
}

static void tell_finished(const struct wave *wave)
{
    AUTO_FREE struct issue_job **jobs = mem_calloc(wave->count, sizeof(struct issue_job *));

    for (size_t i = 0; i < wave->count; i++)
        jobs[i] = wave->runs[i].job;
    if (wave->engine->finished && wave->count)
        wave->engine->finished(wave->engine->finished_ctx, jobs, wave->count);
}

enum err_code issue_certificates(const struct issue_engine *engine, struct issue_job *jobs, size_t count,
                                 struct err *err)
{
    AUTO(wave_done)
    struct wave wave = {.engine = engine, .runs = mem_calloc(count, sizeof(struct run)), .count = count};
    struct err why;
    bool is_stopped;
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        wave.runs[i].job = &jobs[i];
        err_init(&jobs[i].err);
        if (jobs[i].persisted && jobs[i].challenge == ACME_DNS_PERSIST_01)
            strlist_copy(&jobs[i].to_keep, jobs[i].persisted);
    }
    code = run_phases(&wave, &why);
    for (size_t i = 0; code != ERR_OK && i < count; i++)
        run_fail(&wave.runs[i], &why);
    is_stopped = clock_is_cancelled(engine->clock);
    if (is_stopped || wave_live(&wave) < count) /* the operator's wish, or an error: now it is cleaned up */
        clock_accept_cancel(engine->clock);
    wave_withdraw(&wave);
    forget_orders(&wave);
    tell_finished(&wave);
    if (code == ERR_OK && is_stopped)
        code = err_set(&why, ERR_CANCELLED, "interrupted");
    if (code != ERR_OK && err)
        *err = why;
    return code;
}
