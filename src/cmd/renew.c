/* SPDX-License-Identifier: MIT
 *
 * acme-dme renew: all certificates, or those that are named; what is due is issued again, CA by CA, and a certificate
 * that fails keeps no other from being done.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/issuance.h"
#include "cmd/workspace.h"

#define WAVE_MAX 50 /* certificates that go through the phases together */

/* ------------------------------------------------------------------ which ones */

static enum err_code list_named(struct workspace *space, const struct opts *opts, struct strlist *names,
                                struct err *err)
{
    struct strlist AUTO_STRLIST all = {NULL, 0};
    enum err_code code = workspace_list(space, &all, err);

    for (size_t i = 0; code == ERR_OK && i < opts->word_count; i++) {
        const char *name = opts->words[i];

        if (!strlist_has(&all, name)) {
            code = err_set(err, ERR_USAGE, "there is no certificate \"%s\"", name);
            err_hint(err, "\"acme-dme list\" shows those there are.");
        } else {
            strlist_add_once(names, name);
        }
    }
    return code;
}

/* One that can't be planned (its CSR is gone, say) is a failure of its own. */
static void add_plan(struct workspace *space, const struct opts *opts, const char *name, struct issuance_list *list)
{
    AUTO(plan_done) struct plan plan = {.managed = SIZE_MAX};
    struct err err;
    enum err_code code = plan_make_named(&space->app, opts, name, &plan, &err);

    if (code != ERR_OK) {
        plan_done(&plan);
        plan.name = mem_strdup(name);
        plan.directory = mem_strdup("");
    }
    issuance_add(list, &plan);
    if (code != ERR_OK)
        issuance_fail(&list->items[list->count - 1], &err);
}

/* ------------------------------------------------------------------ which are due */

/* Ask the CAs, all certificates of one side by side.  What can't be had leaves the certificate to its lifetime. */
static enum err_code look(struct workspace *space, struct issuance_list *list, const char *directory, struct err *err)
{
    AUTO_FREE struct certificate_record **records = mem_calloc(list->count, sizeof *records);
    AUTO_FREE bool *changed = mem_calloc(list->count, sizeof *changed);
    struct client *client;
    struct err why;
    size_t count = 0;
    enum err_code code = workspace_client(space, directory, &client, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].outcome == ISSUANCE_NOT_DUE && list->items[i].plan.has_record &&
            strcmp(list->items[i].plan.record.directory, directory) == 0)
            records[count++] = &list->items[i].plan.record;
    code = renewal_look(client->acme, records, count, clock_wall_ms(space->app.clock), changed, space->app.log, &why);
    if (code == ERR_CANCELLED) {
        *err = why;
        return code;
    }
    if (code != ERR_OK)
        log_line(space->app.log, LOG_INFO, "no renewal information: %s", why.msg);
    for (size_t i = 0; i < count && !space->trial; i++)
        if (changed[i] && certificate_save(space->app.store, records[i], &why) != ERR_OK)
            log_line(space->app.log, LOG_WARNING, "%s, continuing", why.msg);
    return ERR_OK;
}

static enum err_code look_all(struct workspace *space, struct issuance_list *list, struct err *err)
{
    struct strlist AUTO_STRLIST directories = {NULL, 0};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < list->count; i++) {
        const struct plan *plan = &list->items[i].plan;

        if (plan->has_record && plan->record.generation && *plan->record.directory)
            strlist_add_once(&directories, plan->record.directory);
    }
    for (size_t i = 0; code == ERR_OK && i < directories.count && space->app.config->acme.ari; i++)
        code = look(space, list, directories.items[i], err);
    return code;
}

/* Why it is to be issued again; NULL: it is not. */
static const char *why_due(const struct workspace *space, const struct opts *opts, const struct plan *plan)
{
    const struct renewal_rule rule = plan_rule(plan, space->app.config);
    int64_t now_ms = clock_wall_ms(space->app.clock);
    enum renewal_reason reason = renewal_decide(&plan->record, &rule, now_ms);

    if (opts->force || opts->dry_run)
        return "it was asked for";
    if (reason != RENEWAL_MISSING && now_ms < plan->record.retry_after_ms)
        return NULL;
    if (reason != RENEWAL_NOT_DUE)
        return renewal_reason_text(reason);
    if (!strlist_is_same_set(&plan->domains, &plan->record.domains))
        return "its names changed";
    return strcmp(plan->directory, plan->record.directory) != 0 ? "the CA changed" : NULL;
}

/* Lock what is due; of the rest perhaps a deploy program is to be run again. */
static void select_due(struct workspace *space, const struct opts *opts, struct issuance *issuance)
{
    struct plan *plan = &issuance->plan;
    struct err err;

    plan->why = why_due(space, opts, plan);
    if (!plan->why && !plan->record.deploy_pending)
        return;
    if (issuance_lock(issuance, space->app.store, &err) != ERR_OK) {
        issuance_fail(issuance, &err);
        return;
    }
    plan->why = why_due(space, opts, plan); /* somebody may have been quicker */
    if (plan->why)
        log_line(space->app.log, LOG_INFO, "%s: renewing, as %s", plan->name, plan->why);
    else if (plan->record.deploy_pending)
        issuance_deploy_again(&space->app, issuance);
}

/* ------------------------------------------------------------------ waves */

/* The next certificates of one CA that are due, NULL directory: of any. */
static size_t next_wave(struct issuance_list *list, struct issuance **out)
{
    const char *directory = NULL;
    size_t count = 0;

    for (size_t i = 0; i < list->count && count < WAVE_MAX; i++) {
        struct issuance *issuance = &list->items[i];

        if (issuance->outcome != ISSUANCE_NOT_DUE || !issuance->plan.why ||
            (directory && strcmp(issuance->plan.directory, directory) != 0))
            continue;
        directory = issuance->plan.directory;
        out[count++] = issuance;
    }
    return count;
}

static enum err_code run_wave(struct workspace *space, const struct opts *opts, struct issuance *const *wave,
                              size_t count, struct err *err)
{
    struct client *client;
    enum err_code code = workspace_client(space, wave[0]->plan.directory, &client, err);

    if (code == ERR_OK && !client->account.key)
        code = client_want_account(client, err);
    if (code == ERR_OK)
        return issuance_run(client, wave, count, err);
    issuance_fail_all(&space->app, opts, wave, count, err);
    return code == ERR_CANCELLED ? code : ERR_OK;
}

static void run_waves(struct workspace *space, const struct opts *opts, struct issuance_list *list)
{
    struct issuance *wave[WAVE_MAX];
    enum err_code code = ERR_OK;
    struct err err;
    size_t count;

    while ((count = next_wave(list, wave)) > 0) {
        if (code == ERR_OK)
            code = run_wave(space, opts, wave, count, &err);
        for (size_t i = 0; i < count; i++)
            if (wave[i]->outcome == ISSUANCE_NOT_DUE)
                issuance_fail(wave[i], &err);
    }
}

enum err_code cmd_renew(const struct opts *opts, struct err *err)
{
    AUTO_WORKSPACE struct workspace space = {.client_count = 0};
    AUTO(issuance_list_done) struct issuance_list list = {NULL, 0};
    struct strlist AUTO_STRLIST names = {NULL, 0};
    enum err_code code = workspace_open(&space, opts, CONFIG_WITH_CREDENTIALS, err);

    if (code == ERR_OK)
        code = opts->word_count ? list_named(&space, opts, &names, err) : workspace_list(&space, &names, err);
    for (size_t i = 0; code == ERR_OK && i < names.count; i++)
        add_plan(&space, opts, names.items[i], &list);
    if (code == ERR_OK && !opts->force && !opts->dry_run)
        code = look_all(&space, &list, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].outcome == ISSUANCE_NOT_DUE)
            select_due(&space, opts, &list.items[i]);
    run_waves(&space, opts, &list);
    return issuance_report(&space.app, opts, &list, err);
}
