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

static void fill_record(struct app *app, struct plan *plan, const struct issue_job *job, int64_t generation)
{
    struct certificate_record *record = &plan->record;
    const struct cert *cert = chain_cert(job->chain, 0);
    AUTO_FREE char *ari_id = chain_ari_id(job->chain);

    set_text(&record->name, plan->name);
    strlist_copy(&record->domains, &plan->domains);
    strlist_copy(&record->settings, &plan->kept);
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
    plan->has_record = true;
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
        code = err_set(err, ERR_UNSAFE, "the password file \"%s\" can be read by everybody", path);
        err_hint(err, "chmod 600 %s", path);
    }
    if (code != ERR_OK)
        return code;
    *out = secret_new(buf_cstr(&text), strcspn(buf_cstr(&text), "\r\n"));
    return ERR_OK;
}

static enum err_code install(struct app *app, const struct plan *plan, const struct issue_job *job,
                             int64_t *out_generation, struct err *err)
{
    const struct config_certificate_settings *s = &plan->settings;
    AUTO_SECRET struct secret *password = NULL;
    enum err_code code = read_password(plan, &password, err);

    if (code != ERR_OK)
        return code;
    return install_certificate(
        &(struct install_request){
            .store = app->store,
            .name = plan->name,
            .chain = job->chain,
            .key = job->own_key,
            .access = {.owner = s->owner, .group = s->group, .key_mode = s->key_mode},
            .combined = s->combined,
            .der = s->der,
            .pfx = s->pfx,
            .pfx_algorithms = s->pfx_legacy ? PFX_LEGACY : PFX_MODERN,
            .pfx_password = password,
            .keep = app->config->acme.keep,
        },
        app->log, out_generation, err);
}

enum err_code keep_certificate(struct app *app, struct plan *plan, const struct issue_job *job, struct err *err)
{
    int64_t generation = 0;
    struct err why;
    enum err_code code = install(app, plan, job, &generation, err);

    if (code != ERR_OK)
        return code;
    fill_record(app, plan, job, generation);
    code = certificate_save(app->store, &plan->record, err);
    if (code == ERR_OK && order_remove(app->store, plan->name, &why) != ERR_OK)
        log_line(app->log, LOG_WARNING, "%s, continuing", why.msg);
    return code;
}

void keep_refusal(struct app *app, struct plan *plan, const struct err *refusal)
{
    struct certificate_record *record = &plan->record;
    struct err err;

    if (!plan->has_record)
        return;
    if (refusal->code == ERR_ACME_LIMIT && refusal->retry_after_s > 0)
        record->retry_after_ms = clock_wall_ms(app->clock) + (int64_t)refusal->retry_after_s * 1000;
    else if (refusal->code == ERR_CHALLENGE && record->persisted.count)
        strlist_done(&record->persisted); /* somebody may have deleted them: they are published again */
    else
        return;
    if (certificate_save(app->store, record, &err) != ERR_OK)
        log_line(app->log, LOG_WARNING, "%s, continuing", err.msg);
}

void keep_result(struct app *app, const struct plan *plan, const struct err *outcome, int64_t took_ms)
{
    const struct result result = {
        .kind = RESULT_CERTIFICATE,
        .name = plan->name,
        .client = (char *)"",
        .action = (char *)"issue",
        .code = outcome->code,
        .error = (char *)(outcome->code == ERR_OK ? "" : outcome->msg),
        .hint = (char *)(outcome->code == ERR_OK ? "" : outcome->hint),
        .at_ms = clock_wall_ms(app->clock),
        .took_ms = took_ms,
    };
    struct err err;

    if (result_note(app->store, &result, &err) != ERR_OK)
        log_line(app->log, LOG_INFO, "the result was not noted: %s", err.msg);
}
