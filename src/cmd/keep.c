/* SPDX-License-Identifier: MIT */
#include "cmd/keep.h"

#include <stdlib.h>
#include <string.h>

#include "flow/install.h"

#define PASSWORD_MAX 1024

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = mem_strdup(text);
}

/* What was asked for; the rest is as it was, or empty in a new one. */
static void fill_request(struct plan *plan)
{
    struct certificate_record *record = &plan->record;

    set_text(&record->name, plan->name);
    strlist_copy(&record->domains, &plan->domains);
    strlist_copy(&record->settings, &plan->kept);
    if (plan->has_record)
        return;
    set_text(&record->directory, "");
    set_text(&record->ari_id, "");
    set_text(&record->explanation_url, "");
    plan->has_record = true;
}

static void fill_record(struct app *app, struct plan *plan, const struct issue_job *job, int64_t generation)
{
    struct certificate_record *record = &plan->record;
    const struct cert *cert = chain_cert(job->chain, 0);
    AUTO_FREE char *ari_id = chain_ari_id(job->chain);

    fill_request(plan);
    set_text(&record->directory, plan->directory);
    set_text(&record->ari_id, ari_id ? ari_id : "");
    set_text(&record->explanation_url, "");
    strlist_copy(&record->persisted, &job->to_keep);
    record->generation = generation;
    record->issued_ms = clock_wall_ms(app->clock);
    record->not_before_s = cert->not_before_s;
    record->not_after_s = cert->not_after_s;
    record->window_start_ms = record->window_end_ms = record->drawn_ms = record->next_look_ms = 0;
    record->deploy_pending = plan->settings.deploy.count ? generation : 0;
    record->revoked_ms = record->retry_after_ms = 0;
}

static enum err_code read_password(const struct plan *plan, struct secret **out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(PASSWORD_MAX);
    const char *path = plan->settings.pfx_password_file;
    struct platform_file_info info;
    enum err_code code;

    if (!plan->settings.pfx || !path)
        return ERR_OK;
    code = platform_file_read(path, &text, &info, err);
    if (code == ERR_OK && info.exposure == PLATFORM_WORLD_READABLE) {
        char AUTO_FREE *command = platform_advice_private(path);

        code = err_set(err, ERR_UNSAFE, "the password file \"%s\" can be read by everybody", path);
        err_hint(err, "%s", command);
    }
    if (code != ERR_OK)
        return code;
    *out = secret_new(buf_cstr(&text), strcspn(buf_cstr(&text), "\r\n"));
    return ERR_OK;
}

static struct install_request request_of(const struct app *app, struct keep_item *item, struct secret **out_password)
{
    const struct plan *plan = item->plan;
    const struct config_certificate_settings *s = &plan->settings;
    struct install_request request = {
        .name = plan->name,
        .chain = item->job->chain,
        .key = item->job->own_key,
        .access = {.owner = s->owner, .group = s->group, .key_mode = s->key_mode},
        .combined = s->combined,
        .der = s->der,
        .pfx = s->pfx,
        .pfx_algorithms = s->pfx_legacy ? PFX_LEGACY : PFX_MODERN,
        .keep = app->config->acme.keep,
    };

    err_settle(&request.err, read_password(plan, out_password, &request.err));
    request.pfx_password = *out_password;
    return request;
}

static void install(struct app *app, struct keep_item *items, size_t count)
{
    AUTO_FREE struct install_request *requests = mem_calloc(count, sizeof *requests);
    AUTO_FREE struct secret **passwords = mem_calloc(count, sizeof *passwords);

    for (size_t i = 0; i < count; i++)
        requests[i] = request_of(app, &items[i], &passwords[i]);
    install_certificates(app->store, requests, count, app->log);
    for (size_t i = 0; i < count; i++) {
        secret_free(passwords[i]);
        items[i].err = requests[i].err;
        if (items[i].err.code == ERR_OK)
            fill_record(app, items[i].plan, items[i].job, requests[i].generation);
    }
}

/* The records of those that are well. */
static void save(struct app *app, struct keep_item *items, size_t count)
{
    AUTO_FREE struct certificate_record **records = mem_calloc(count, sizeof *records);
    AUTO_FREE struct err *outcomes = mem_calloc(count, sizeof *outcomes);
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (items[i].err.code == ERR_OK)
            records[n++] = &items[i].plan->record;
    certificate_save_all(app->store, records, n, outcomes);
    for (size_t i = 0, k = 0; i < count; i++)
        if (items[i].err.code == ERR_OK)
            items[i].err = outcomes[k++];
}

void keep_records(struct app *app, struct certificate_record *const *records, size_t count)
{
    AUTO_FREE struct err *outcomes = mem_calloc(count, sizeof *outcomes);

    certificate_save_all(app->store, records, count, outcomes);
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].code != ERR_OK)
            log_line(app->log, LOG_WARNING, "%s, continuing", outcomes[i].msg);
}

void keep_certificates(struct app *app, struct keep_item *items, size_t count)
{
    struct err why;

    install(app, items, count);
    save(app, items, count);
    for (size_t i = 0; i < count; i++)
        if (items[i].err.code == ERR_OK && order_remove(app->store, items[i].plan->name, &why) != ERR_OK)
            log_line(app->log, LOG_WARNING, "%s, continuing", why.msg);
}

/* ------------------------------------------------------------------ failures */

/* Does the refusal change the record?  One that there is none of yet is made for what the configuration asks for, which
 * is tried by every renewal: so that it waits, too. */
static bool note_refusal(const struct app *app, struct plan *plan, const struct err *refusal)
{
    struct certificate_record *record = &plan->record;

    if (!plan->has_record && plan->managed == SIZE_MAX)
        return false;
    if (refusal->code == ERR_ACME_LIMIT && refusal->retry_after_s > 0) {
        if (!plan->has_record)
            fill_request(plan);
        record->retry_after_ms = clock_wall_ms(app->clock) + (int64_t)refusal->retry_after_s * 1000;
        return true;
    }
    if (refusal->code != ERR_CHALLENGE || !record->persisted.count)
        return false;
    strlist_done(&record->persisted); /* somebody may have deleted them: they are published again */
    return true;
}

void keep_refusals(struct app *app, const struct keep_item *items, size_t count)
{
    AUTO_FREE struct certificate_record **records = mem_calloc(count, sizeof *records);
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (note_refusal(app, items[i].plan, &items[i].job->err))
            records[n++] = &items[i].plan->record;
    keep_records(app, records, n);
}

/* ------------------------------------------------------------------ results */

static struct result result_of(const struct app *app, const struct keep_outcome *outcome, int64_t took_ms)
{
    const struct err *err = outcome->err;

    return (struct result){
        .kind = RESULT_CERTIFICATE,
        .name = outcome->plan->name,
        .client = mem_lend(""),
        .action = mem_lend("issue"),
        .code = err->code,
        .error = mem_lend(err->code == ERR_OK ? "" : err->msg),
        .hint = mem_lend(err->code == ERR_OK ? "" : err->hint),
        .at_ms = clock_wall_ms(app->clock),
        .took_ms = took_ms,
    };
}

void keep_results(struct app *app, const struct keep_outcome *outcomes, size_t count, int64_t took_ms)
{
    AUTO_FREE struct result *results = mem_calloc(count, sizeof *results);
    struct err err;

    for (size_t i = 0; i < count; i++)
        results[i] = result_of(app, &outcomes[i], took_ms);
    if (result_note_all(app->store, results, count, &err) != ERR_OK)
        log_line(app->log, LOG_INFO, "results were not noted: %s", err.msg);
}
