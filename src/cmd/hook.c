/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/sweep.h"
#include "util/text.h"

#define CHALLENGE_PREFIX "_acme-challenge."

static enum err_code add_record(struct challenge_set *set, const struct hook_record *record, struct err *err)
{
    return record->kind == HOOK_NAME_DOMAIN ? challenge_set_add_domain(set, record->name, record->value, err)
                                            : challenge_set_add_record(set, record->name, record->value, err);
}

static enum err_code make_set(const struct hook_request *request, struct challenge_set *set, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < request->count; i++)
        code = add_record(set, &request->records[i], err);
    return code;
}

/* The client may prove other identifiers of its run by other means (an IP address by http-01): what can't be a record
 * of ours is nothing to wait for. */
static void make_run_set(struct app *app, const struct hook_request *request, struct challenge_set *set)
{
    for (size_t i = 0; i < request->run_domains.count; i++) {
        struct err err;

        if (challenge_set_add_domain(set, request->run_domains.items[i], NULL, &err) != ERR_OK)
            log_line(app->log, LOG_INFO, "not waited for: %s", err.msg);
    }
}

static enum err_code publish(struct app *app, const struct hook_request *request, const struct opts *opts,
                             const struct challenge_set *set, struct err *err)
{
    AUTO(challenge_set_done) struct challenge_set run_set = {0};
    /* Without a journal the run's last call does not know what the earlier ones published: each waits for its own. */
    bool is_to_wait = request->wait == HOOK_WAIT_NOW || !app->store;
    const struct challenge_publish_opts publish_opts = {
        .wait = is_to_wait && !opts->no_wait ? CHALLENGE_WAIT : CHALLENGE_NO_WAIT,
        .on_timeout = request->on_timeout == HOOK_TIMEOUT_KEEP ? CHALLENGE_TIMEOUT_KEEP : CHALLENGE_TIMEOUT_ROLL_BACK,
        .time_limit_ms = request->time_limit_ms,
        .run_set = &run_set,
    };

    make_run_set(app, request, &run_set);
    return challenge_publish(app->challenge, set, &publish_opts, err);
}

static enum err_code withdraw(struct app *app, const struct hook_request *request, const struct challenge_set *set,
                              struct err *err)
{
    enum err_code code = request->action == HOOK_WITHDRAW ? challenge_withdraw(app->challenge, set, err)
                                                          : challenge_withdraw_run(app->challenge, err);

    if (code == ERR_OK)
        sweep_leftovers(app);
    return code;
}

/* ------------------------------------------------------------------ results */

static const char *domain_of(const struct challenge_item *item)
{
    return text_starts_with(item->name, CHALLENGE_PREFIX) ? item->name + strlen(CHALLENGE_PREFIX) : item->name;
}

/* Base and wildcard are two records of one name. */
static bool is_noted(const struct result *results, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(results[i].name, name) == 0)
            return true;
    return false;
}

/* No reason to fail: the call did what it was asked to, or has an error of its own to tell. */
static void note_in(const struct app *app, const struct hook_request *request, const struct challenge_set *set,
                         int64_t begin_ms, const struct err *outcome)
{
    AUTO_FREE struct result *results = mem_calloc(set->count, sizeof *results);
    const struct result call = {
        .kind = RESULT_HOOK,
        .client = (char *)request->client,
        .action = (char *)(request->action == HOOK_PUBLISH ? "publish" : "withdraw"),
        .code = outcome->code,
        .error = (char *)outcome->msg,
        .hint = (char *)outcome->hint,
        .at_ms = clock_wall_ms(app->clock),
        .took_ms = clock_mono_ms(app->clock) - begin_ms,
    };
    size_t count = 0;
    struct err err;

    for (size_t i = 0; i < set->count; i++) {
        const char *domain = domain_of(&set->items[i]);

        if (is_noted(results, count, domain))
            continue;
        results[count] = call;
        results[count++].name = (char *)domain;
    }
    if (count > 0 && result_note_all(app->store, results, count, &err) != ERR_OK)
        log_line(app->log, LOG_INFO, "the result of this call was not noted: %s", err.msg);
}

/* For `acme-dme status`.  A configuration whose credentials can't be used, so that not even a store was opened, is
 * what monitoring should see first. */
static void note_results(const struct app *app, const struct hook_request *request, const struct opts *opts,
                         const struct challenge_set *set, int64_t begin_ms, const struct err *outcome)
{
    AUTO_APP struct app alone = {0};

    if (app->store)
        note_in(app, request, set, begin_ms, outcome);
    else if (outcome->code != ERR_OK && app_open_store_alone(&alone, opts, NULL) == ERR_OK && alone.store)
        note_in(&alone, request, set, begin_ms, outcome);
}

/* ------------------------------------------------------------------ a call */

static enum err_code act(struct app *app, const struct hook_request *request, const struct opts *opts,
                         const struct challenge_set *set, struct err *err)
{
    log_line(app->log, LOG_INFO, "called by %s", request->client);
    return request->action == HOOK_PUBLISH ? publish(app, request, opts, set, err)
                                           : withdraw(app, request, set, err);
}

static enum err_code run(const struct hook_request *request, const struct opts *opts, struct err *err)
{
    AUTO_APP struct app app = {0};
    AUTO(challenge_set_done) struct challenge_set set = {0};
    const struct app_request app_request = {.opts = opts, .time_limit_ms = request->time_limit_ms};
    int64_t begin_ms = clock_mono_ms(platform_clock());
    enum err_code code = make_set(request, &set, err);

    if (code != ERR_OK)
        return code;
    err_init(err);
    code = app_open(&app, &app_request, err);
    if (code == ERR_OK)
        code = act(&app, request, opts, &set, err);
    if (code == ERR_OK)
        err_init(err);
    note_results(&app, request, opts, &set, begin_ms, err);
    return code;
}

enum err_code cmd_hook(const struct hook_call *call, const struct opts *opts, int *out_status, struct err *err)
{
    AUTO(hook_request_done) struct hook_request request = {.client = ""};
    enum err_code code = hook_parse(call, &request, err);

    if (code != ERR_OK)
        return code;
    *out_status = request.action == HOOK_NOTHING ? request.exit_status : 0;
    return request.action == HOOK_NOTHING ? ERR_OK : run(&request, opts, err);
}
