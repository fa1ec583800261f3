/* SPDX-License-Identifier: MIT
 *
 * One certificate's way: pre programs, order and validation (flow/issue.h, together with others of its wave), files,
 * record, deploy programs, post programs.  The record on disk is written after the files are there and before anything
 * is told of them; what is under way until then is in orders/.
 */
#include "cmd/issuance.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/deploy.h"
#include "cmd/keep.h"

/* ------------------------------------------------------------------ lists */

void issuance_move(struct issuance_list *list, struct issuance *issuance_take)
{
    list->items = mem_grow(list->items, list->count, sizeof *list->items);
    list->items[list->count] = *issuance_take;
    list->items[list->count++].place = list->total++;
    *issuance_take = (struct issuance){.plan = {.managed = SIZE_MAX}};
}

void issuance_add(struct issuance_list *list, struct plan *plan_take)
{
    struct issuance issuance = {.plan = *plan_take};

    *plan_take = (struct plan){.managed = SIZE_MAX};
    issuance_move(list, &issuance);
}

void issuance_list_done(struct issuance_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        plan_done(&list->items[i].plan);
        platform_lock_free(list->items[i].lock);
    }
    free(list->items);
    json_decref(list->shown);
    *list = (struct issuance_list){NULL, 0, 0, NULL};
}

void issuance_fail(struct issuance *issuance, const struct err *err)
{
    issuance->outcome = ISSUANCE_FAILED;
    issuance->err = *err;
}

/* ------------------------------------------------------------------ lock */

/* Another process may have renewed it while we waited. */
static enum err_code read_again(struct issuance *issuance, struct store *store, struct err *err)
{
    AUTO(certificate_record_done) struct certificate_record record = {.name = NULL};
    enum err_code code = certificate_load(store, issuance->plan.name, &record, err);

    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    certificate_record_done(&issuance->plan.record);
    issuance->plan.has_record = code == ERR_OK;
    issuance->plan.record = record;
    record = (struct certificate_record){.name = NULL};
    return plan_load_keys(&issuance->plan, store, err);
}

enum err_code issuance_lock(struct issuance *issuance, struct store *store, int64_t timeout_ms, struct err *err)
{
    enum err_code code = certificate_lock(store, issuance->plan.name, timeout_ms, &issuance->lock, err);

    if (code == ERR_OK)
        code = read_again(issuance, store, err);
    issuance->is_first = !issuance->plan.record.generation;
    return code;
}

void issuance_unlock(struct issuance *issuance)
{
    platform_lock_free(issuance->lock);
    issuance->lock = NULL;
}

/* ------------------------------------------------------------------ programs */

/* What follows an outcome: its failure is said and changes nothing of the outcome. */
static void run_afterwards(const struct app *app, const struct issuance *issuance, enum program_event event,
                           const char *error)
{
    struct err err;

    if (deploy_run_programs(app, issuance, event, error, &err) != ERR_OK)
        log_line(app->log, LOG_WARNING, "%s, continuing", err.msg);
}

void issuance_deploy_again(struct app *app, struct issuance *issuance)
{
    if (issuance->plan.settings.deploy_once)
        return;
    deploy_one(app, issuance);
    issuance->outcome = issuance->err.code == ERR_OK ? ISSUANCE_DEPLOYED : ISSUANCE_FAILED;
}

/* ------------------------------------------------------------------ a wave */

/* What is ordered together: jobs[i] is of issuances[i]. */
struct wave_list {
    struct client *client;
    struct issuance **issuances;
    struct issue_job *jobs;
    size_t count;
};

static void wave_list_done(struct wave_list *wave)
{
    for (size_t i = 0; i < wave->count; i++)
        issue_job_done(&wave->jobs[i]);
    free(wave->issuances);
    free(wave->jobs);
}

static void add_job(struct wave_list *wave, struct issuance *issuance)
{
    const struct plan *plan = &issuance->plan;
    const struct certificate_record *record = &plan->record;
    bool is_same_ca = plan->has_record && record->directory && strcmp(record->directory, plan->directory) == 0;

    wave->issuances[wave->count] = issuance;
    wave->jobs[wave->count++] = (struct issue_job){
        .name = plan->name,
        .domains = &plan->domains,
        .key_type = plan->key_type,
        .key = plan->key,
        .csr = plan->has_csr ? &plan->csr : NULL,
        .profile = plan->settings.profile,
        .preferred_chain = plan->settings.preferred_chain,
        .replaces = plan_predecessor(plan),
        .challenge = plan->challenge,
        .persisted = is_same_ca ? &record->persisted : NULL,
    };
}

static bool is_dry(const struct client *client)
{
    return client->store != client->app->store;
}

/* Of a dry run nothing is kept but the account: the order is done with. */
static void settle_try(struct client *client, struct issuance *issuance, const struct issue_job *job)
{
    struct err err;

    if (job->err.code != ERR_OK)
        issuance_fail(issuance, &job->err);
    else
        issuance->outcome = ISSUANCE_TRIED;
    if (order_remove(client->store, issuance->plan.name, &err) != ERR_OK)
        log_line(client->app->log, LOG_WARNING, "%s, continuing", err.msg);
}

static struct issuance *issuance_of(const struct wave_list *wave, const struct issue_job *job)
{
    return wave->issuances[job - wave->jobs];
}

static void settle(struct wave_list *wave, struct issue_job *const *jobs, size_t count)
{
    AUTO_FREE struct keep_item *good = mem_calloc(count, sizeof *good);
    AUTO_FREE struct keep_item *bad = mem_calloc(count, sizeof *bad);
    size_t good_count = 0;
    size_t bad_count = 0;

    for (size_t i = 0; i < count; i++) {
        struct issuance *issuance = issuance_of(wave, jobs[i]);
        const struct keep_item item = {.plan = &issuance->plan, .job = jobs[i]};

        if (jobs[i]->err.code == ERR_OK) {
            good[good_count++] = item;
        } else {
            issuance_fail(issuance, &jobs[i]->err);
            bad[bad_count++] = item;
        }
    }
    keep_refusals(wave->client->app, bad, bad_count);
    keep_certificates(wave->client->app, good, good_count);
    for (size_t i = 0; i < good_count; i++) {
        struct issuance *issuance = issuance_of(wave, good[i].job);

        issuance->outcome = ISSUANCE_DONE;
        if (good[i].err.code != ERR_OK)
            issuance_fail(issuance, &good[i].err);
    }
}

/* An issue_finished_fn: files and records are written while other orders are under way. */
static void take_finished(void *ctx, struct issue_job *const *jobs, size_t count)
{
    struct wave_list *wave = ctx;

    if (is_dry(wave->client))
        for (size_t i = 0; i < count; i++)
            settle_try(wave->client, issuance_of(wave, jobs[i]), jobs[i]);
    else
        settle(wave, jobs, count);
    for (size_t i = 0; i < count; i++)
        issue_job_done(jobs[i]);
}

static enum err_code obtain(struct wave_list *wave, struct err *err)
{
    struct client *client = wave->client;
    struct app *app = client->app;
    const struct issue_engine engine = {
        .acme = client->acme,
        .account_key = client->account.key,
        .challenge = app->challenge,
        .store = client->store,
        .clock = app->clock,
        .log = app->log,
        .poll_timeout_ms = app->config->acme.poll_timeout_ms,
        .progress = progress_step,
        .progress_ctx = &app->progress,
        .finished = take_finished,
        .finished_ctx = wave,
    };
    enum err_code code = issue_certificates(&engine, wave->jobs, wave->count, err);

    progress_clear(&app->progress);
    return code;
}

/* Pre programs, then the list of what is to be ordered. */
static void prepare(struct issuance *const *list, size_t count, struct wave_list *wave)
{
    struct app *app = wave->client->app;

    for (size_t i = 0; i < count; i++) {
        struct err err;

        for (size_t k = 0; k < list[i]->plan.overridden.count; k++)
            log_line(app->log, LOG_WARNING, "%s, continuing", list[i]->plan.overridden.items[k]);
        if (!is_dry(wave->client) && deploy_run_programs(app, list[i], PROGRAM_PRE, NULL, &err) != ERR_OK)
            issuance_fail(list[i], &err);
        else
            add_job(wave, list[i]);
    }
}

/* What remains when all are through: programs, which would keep other orders waiting before, and results. */
static void finish(struct app *app, struct issuance *const *list, size_t count, int64_t begin_ms)
{
    AUTO_FREE struct keep_outcome *outcomes = mem_calloc(count, sizeof *outcomes);

    for (size_t i = 0; i < count; i++) {
        if (list[i]->outcome == ISSUANCE_DONE)
            deploy_one(app, list[i]);
        if (list[i]->outcome == ISSUANCE_FAILED)
            run_afterwards(app, list[i], PROGRAM_FAILED, list[i]->err.msg);
        run_afterwards(app, list[i], PROGRAM_POST, NULL);
        outcomes[i] = (struct keep_outcome){&list[i]->plan, &list[i]->err};
    }
    keep_results(app, outcomes, count, clock_mono_ms(app->clock) - begin_ms);
}

enum err_code issuance_run(struct client *client, struct issuance *const *list, size_t count, struct err *err)
{
    AUTO(wave_list_done)
    struct wave_list wave = {.client = client,
                             .issuances = mem_calloc(count, sizeof(struct issuance *)),
                             .jobs = mem_calloc(count, sizeof *wave.jobs)};
    int64_t begin_ms = clock_mono_ms(client->app->clock);
    enum err_code code = ERR_OK;

    prepare(list, count, &wave);
    if (wave.count)
        code = obtain(&wave, err);
    if (!is_dry(client))
        finish(client->app, list, count, begin_ms);
    for (size_t i = 0; i < count; i++)
        issuance_unlock(list[i]);
    return code;
}

void issuance_fail_all(struct app *app, const struct opts *opts, struct issuance *const *list, size_t count,
                       const struct err *err)
{
    if (err->code == ERR_CANCELLED)
        clock_accept_cancel(app->clock);
    for (size_t i = 0; i < count; i++)
        issuance_fail(list[i], err);
    if (!opts->dry_run)
        finish(app, list, count, clock_mono_ms(app->clock));
    for (size_t i = 0; i < count; i++)
        issuance_unlock(list[i]);
}
