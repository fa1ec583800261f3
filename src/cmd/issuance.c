/* SPDX-License-Identifier: MIT
 *
 * One certificate's way: pre programs, order and validation (flow/issue.h, together with others of its wave), files,
 * record, deploy programs, post programs.  The record on disk is written after the files are there and before anything
 * is told of them; what is under way until then is in orders/.
 */
#include "cmd/issuance.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/keep.h"
#include "cmd/sweep.h"
#include "flow/program.h"

#define LOCK_WAIT_MS 120000

/* ------------------------------------------------------------------ lists */

void issuance_add(struct issuance_list *list, struct plan *plan_take)
{
    list->items = mem_grow(list->items, list->count, sizeof *list->items);
    list->items[list->count++] = (struct issuance){.plan = *plan_take};
    *plan_take = (struct plan){.managed = SIZE_MAX};
}

void issuance_list_done(struct issuance_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        plan_done(&list->items[i].plan);
        platform_lock_free(list->items[i].lock);
    }
    free(list->items);
    *list = (struct issuance_list){NULL, 0};
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

enum err_code issuance_lock(struct issuance *issuance, struct store *store, struct err *err)
{
    enum err_code code = certificate_lock(store, issuance->plan.name, LOCK_WAIT_MS, &issuance->lock, err);

    if (code == ERR_OK)
        code = read_again(issuance, store, err);
    issuance->is_first = !issuance->plan.record.generation;
    return code;
}

/* ------------------------------------------------------------------ programs */

static const struct config_commands *commands_of(const struct plan *plan, enum program_event event)
{
    const struct config_commands *const all[] = {&plan->settings.pre, &plan->settings.deploy, &plan->settings.post,
                                                 &plan->settings.failed};

    return all[event];
}

static enum err_code run_programs(const struct app *app, const struct issuance *issuance, enum program_event event,
                                  const char *error, struct err *err)
{
    const struct plan *plan = &issuance->plan;
    const struct config_commands *commands = commands_of(plan, event);
    AUTO_FREE const struct strlist **list = mem_calloc(commands->count, sizeof *list);
    AUTO_FREE char *dir = certificate_dir(app->store, plan->name);

    for (size_t i = 0; i < commands->count; i++)
        list[i] = &commands->items[i].argv;
    return programs_run(&(struct program_runner){.clock = app->clock,
                                                 .log = app->log,
                                                 .timeout_ms = app->config->acme.program_timeout_ms},
                        list, commands->count,
                        &(struct program_call){.event = event,
                                               .name = plan->name,
                                               .dir = dir,
                                               .domains = &plan->domains,
                                               .directory = plan->directory,
                                               .not_after_s = plan->record.not_after_s,
                                               .has_combined = plan->settings.combined,
                                               .has_pfx = plan->settings.pfx,
                                               .error = error},
                        err);
}

/* What follows an outcome: its failure is said and changes nothing of the outcome. */
static void run_afterwards(const struct app *app, const struct issuance *issuance, enum program_event event,
                           const char *error)
{
    struct err err;

    if (run_programs(app, issuance, event, error, &err) != ERR_OK)
        log_line(app->log, LOG_WARNING, "%s, continuing", err.msg);
}

static void deploy(struct app *app, struct issuance *issuance)
{
    struct err err;

    if (run_programs(app, issuance, PROGRAM_DEPLOY, NULL, &err) != ERR_OK) {
        issuance->err = err;
        err_hint(&issuance->err, "The certificate is in place; \"acme-dme renew\" runs the program again.");
        return;
    }
    if (!issuance->plan.record.deploy_pending)
        return;
    issuance->plan.record.deploy_pending = 0;
    if (certificate_save(app->store, &issuance->plan.record, &err) != ERR_OK)
        log_line(app->log, LOG_WARNING, "%s, continuing", err.msg);
}

void issuance_deploy_again(struct app *app, struct issuance *issuance)
{
    deploy(app, issuance);
    issuance->outcome = issuance->err.code == ERR_OK ? ISSUANCE_DEPLOYED : ISSUANCE_FAILED;
}

/* ------------------------------------------------------------------ a wave */

/* What is ordered together: jobs[i] is of issuances[i]. */
struct wave_list {
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
        .replaces = is_same_ca && record->generation && *record->ari_id && !record->revoked_ms ? record->ari_id : NULL,
        .challenge = plan->challenge,
        .persisted = is_same_ca ? &record->persisted : NULL,
    };
}

static enum err_code obtain(struct client *client, struct wave_list *wave, struct err *err)
{
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
    };
    enum err_code code = issue_certificates(&engine, wave->jobs, wave->count, err);

    progress_clear(&app->progress);
    return code;
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

static void settle(struct client *client, struct issuance *issuance, const struct issue_job *job)
{
    struct app *app = client->app;
    struct err err;

    if (job->err.code != ERR_OK) {
        issuance_fail(issuance, &job->err);
        keep_refusal(app, &issuance->plan, &issuance->err);
    } else if (keep_certificate(app, &issuance->plan, job, &err) != ERR_OK) {
        issuance_fail(issuance, &err);
    } else {
        issuance->outcome = ISSUANCE_DONE;
        deploy(app, issuance);
    }
}

static bool is_dry(const struct client *client)
{
    return client->store != client->app->store;
}

/* Pre programs, then the list of what is to be ordered. */
static void prepare(struct client *client, struct issuance *const *list, size_t count, struct wave_list *wave)
{
    for (size_t i = 0; i < count; i++) {
        struct err err;

        for (size_t k = 0; k < list[i]->plan.overridden.count; k++)
            log_line(client->app->log, LOG_WARNING, "%s, continuing", list[i]->plan.overridden.items[k]);
        if (!is_dry(client) && run_programs(client->app, list[i], PROGRAM_PRE, NULL, &err) != ERR_OK)
            issuance_fail(list[i], &err);
        else
            add_job(wave, list[i]);
    }
}

static void finish(struct app *app, struct issuance *issuance, int64_t begin_ms)
{
    if (issuance->outcome == ISSUANCE_FAILED)
        run_afterwards(app, issuance, PROGRAM_FAILED, issuance->err.msg);
    run_afterwards(app, issuance, PROGRAM_POST, NULL);
    keep_result(app, &issuance->plan, &issuance->err, clock_mono_ms(app->clock) - begin_ms);
}

enum err_code issuance_run(struct client *client, struct issuance *const *list, size_t count, struct err *err)
{
    AUTO(wave_list_done)
    struct wave_list wave = {.issuances = mem_calloc(count, sizeof(struct issuance *)),
                             .jobs = mem_calloc(count, sizeof *wave.jobs)};
    int64_t begin_ms = clock_mono_ms(client->app->clock);
    enum err_code code = ERR_OK;

    prepare(client, list, count, &wave);
    if (wave.count)
        code = obtain(client, &wave, err);
    for (size_t i = 0; i < wave.count; i++) {
        if (is_dry(client))
            settle_try(client, wave.issuances[i], &wave.jobs[i]);
        else
            settle(client, wave.issuances[i], &wave.jobs[i]);
    }
    for (size_t i = 0; i < count && !is_dry(client); i++)
        finish(client->app, list[i], begin_ms);
    sweep_leftovers(client->app);
    return code;
}

void issuance_fail_all(struct app *app, const struct opts *opts, struct issuance *const *list, size_t count,
                       const struct err *err)
{
    clock_accept_cancel(app->clock);
    for (size_t i = 0; i < count; i++) {
        issuance_fail(list[i], err);
        if (!opts->dry_run)
            finish(app, list[i], clock_mono_ms(app->clock));
    }
}
