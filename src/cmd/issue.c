/* SPDX-License-Identifier: MIT
 *
 * acme-dme issue: one certificate, now.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/deploy.h"
#include "cmd/issuance.h"
#include "cmd/sweep.h"
#include "cmd/workspace.h"
#include "import/import.h"

/* ------------------------------------------------------------------ what another client has */

struct imported {
    struct import_certificate certificate;
    struct strlist settings; /* "key=value" */
    bool is_there;
};

static void imported_done(struct imported *imported)
{
    if (imported->is_there)
        import_certificate_done(&imported->certificate);
    strlist_done(&imported->settings);
}

static void add_setting(struct strlist *settings, const char *name, const char *value)
{
    if (value)
        strlist_add_take(settings, mem_printf("%s=%s", name, value));
}

static enum err_code import(const struct app *app, const struct opts *opts, struct imported *out, struct err *err)
{
    enum err_code code;

    if (!opts->import_from)
        return ERR_OK;
    code = import_certificate(opts->import_from, &out->certificate, err);
    if (code != ERR_OK)
        return code;
    out->is_there = true;
    add_setting(&out->settings, "key_type", out->certificate.key_type);
    add_setting(&out->settings, "profile", out->certificate.profile);
    add_setting(&out->settings, "preferred_chain", out->certificate.preferred_chain);
    add_setting(&out->settings, "reuse_key", out->certificate.reuse_key ? "true" : NULL);
    if (out->certificate.reuse_key && out->certificate.key_file)
        log_line(app->log, LOG_WARNING, "the present key is not taken over; to keep it give --key %s, continuing",
                 out->certificate.key_file);
    for (size_t i = 0; i < out->certificate.warnings.count; i++)
        log_line(app->log, LOG_WARNING, "%s, continuing", out->certificate.warnings.items[i]);
    return ERR_OK;
}

static enum err_code make_plan(struct workspace *space, const struct opts *opts, struct plan *plan, struct err *err)
{
    AUTO(imported_done) struct imported imported = {.is_there = false};
    const struct import_certificate *from = &imported.certificate;
    enum err_code code = import(&space->app, opts, &imported, err);

    if (code != ERR_OK)
        return code;
    return plan_make(
        &(struct plan_request){
            .app = &space->app,
            .name = opts->name                                  ? opts->name
                    : imported.is_there && !opts->domains.count ? from->name
                                                                : NULL,
            .domains = opts->domains.count || !imported.is_there ? &opts->domains : &from->domains,
            .opts = opts,
            .imported = &imported.settings,
            .imported_directory = imported.is_there ? from->directory : NULL,
        },
        plan, err);
}

/* ------------------------------------------------------------------ is there anything to do? */

/* A certificate that is there, is for these names and was asked for in the same way is not issued again before it is
 * due: CAs count. */
static bool is_to_be_issued(const struct workspace *space, const struct opts *opts, struct plan *plan)
{
    const struct renewal_rule rule = plan_rule(plan, space->app.config);
    enum renewal_reason reason = renewal_decide(&plan->record, &rule, clock_wall_ms(space->app.clock));

    if (opts->dry_run || opts->force)
        plan->why = "it was asked for";
    else if (reason != RENEWAL_NOT_DUE)
        plan->why = renewal_reason_text(reason);
    else if (!strlist_is_same_set(&plan->domains, &plan->record.domains))
        plan->why = "its names change";
    else if (strcmp(plan->directory, plan->record.directory) != 0)
        plan->why = "the CA changes";
    else if (!strlist_is_same_set(&plan->kept, &plan->record.settings))
        plan->why = "what was asked for changes";
    return plan->why != NULL;
}

static void run(struct workspace *space, const struct opts *opts, struct issuance *issuance)
{
    struct issuance *list[] = {issuance};
    struct client *client;
    struct err err;
    enum err_code code = workspace_client(space, issuance->plan.directory, &client, &err);

    log_line(space->app.log, LOG_INFO, "%s: issuing, as %s", issuance->plan.name, issuance->plan.why);
    if (code == ERR_OK)
        code = client_want_account(client, &err);
    if (code != ERR_OK)
        issuance_fail_all(&space->app, opts, list, 1, &err);
    else if (issuance_run(client, list, 1, &err) != ERR_OK)
        log_line(space->app.log, LOG_INFO, "ended early: %s",
                 err.msg); /* which the certificate's own error says, too */
}

static void redeploy(struct app *app, struct issuance *issuance)
{
    issuance->outcome = ISSUANCE_DUE;
    issuance_deploy_again(app, issuance);
}

enum err_code cmd_issue(const struct opts *opts, struct err *err)
{
    AUTO_WORKSPACE struct workspace space = {.client_count = 0};
    AUTO(issuance_list_done) struct issuance_list list = {.count = 0};
    AUTO(plan_done) struct plan plan = {.managed = SIZE_MAX};
    enum err_code code = workspace_open(&space, opts, CONFIG_WITH_CREDENTIALS, err);

    if (code == ERR_OK)
        code = make_plan(&space, opts, &plan, err);
    if (code != ERR_OK)
        return code;
    issuance_add(&list, &plan);
    code = issuance_lock(&list.items[0], space.app.store, ISSUANCE_LOCK_WAIT_MS, err);
    if (code != ERR_OK)
        return code;
    if (is_to_be_issued(&space, opts, &list.items[0].plan))
        run(&space, opts, &list.items[0]);
    else if (list.items[0].plan.record.deploy_pending)
        redeploy(&space.app, &list.items[0]);
    issuance_unlock(&list.items[0]);
    if (!opts->dry_run)
        deploy_all_once(&space.app, &list);
    sweep_leftovers(&space.app); /* of a run that was killed after its certificate was installed, too */
    return issuance_report(&space.app, opts, &list, err);
}
