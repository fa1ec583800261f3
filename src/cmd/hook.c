/* SPDX-License-Identifier: MIT
 *
 * A call of an ACME client.  One that others follow leaves its records to the last one (flow/deferral.h), so that a
 * batch of any size costs one request a zone and one wait.
 */
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/hook_report.h"
#include "cmd/sweep.h"
#include "flow/deferral.h"

struct call {
    const struct hook_request *request;
    const struct opts *opts;
    struct app app;
    enum hook_turn turn;      /* the request's, where calls can be tied together */
    struct deferral deferral; /* valid there */
    int64_t begin_ms;
};

static void call_done(struct call *call)
{
    app_close(&call->app);
}

/* ------------------------------------------------------------------ the records */

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

/* ------------------------------------------------------------------ opening */

static struct app_request app_request_of(const struct call *call)
{
    return (struct app_request){.opts = call->opts, .time_limit_ms = call->request->time_limit_ms};
}

/* Records that are left to a call which does not find them are never published.  So it has to be sure that both calls
 * have the same run id: as sure as can be where the client has not been asked whether it wants this. */
static bool can_defer(const struct call *call)
{
    enum platform_run_trust least = *call->request->batch.name ? PLATFORM_RUN_CLIENT : PLATFORM_RUN_GUESSED;

    return call->app.store && call->app.run_trust >= least;
}

/* Configuration and state, which is all that a call needs that only takes a note: so a hundred of them are cheap. */
static enum err_code open_call(struct call *call, struct err *err)
{
    const struct app_request app_request = app_request_of(call);
    enum err_code code;

    app_start(&call->app, call->opts);
    code = app_configure(&call->app, &app_request, err);
    if (code == ERR_OK)
        code = app_open_store(&call->app, err);
    if (code != ERR_OK)
        return code;
    app_find_run(&call->app, &app_request);
    log_line(call->app.log, LOG_INFO, "called by %s", call->request->client);
    call->deferral = (struct deferral){
        .store = call->app.store,
        .run_id = call->app.run_id,
        .batch = call->request->batch.name,
        .position = call->request->batch.position,
        .clock = call->app.clock,
        .log = call->app.log,
    };
    if (can_defer(call))
        call->turn = call->request->turn;
    else if (call->request->turn != HOOK_TURN_ONLY)
        log_line(call->app.log, LOG_INFO, "calls of one run can't be told to belong together here: each works alone");
    return ERR_OK;
}

static enum err_code connect_call(struct call *call, struct err *err)
{
    const struct app_request app_request = app_request_of(call);

    return call->app.challenge ? ERR_OK : app_connect(&call->app, &app_request, err);
}

/* ------------------------------------------------------------------ leaving it to the last call */

static enum deferred_action deferred_action_of(enum hook_action action)
{
    return action == HOOK_PUBLISH ? DEFERRED_PUBLISH : DEFERRED_WITHDRAW;
}

static enum err_code begin_batch(const struct call *call, enum hook_action action, struct err *err)
{
    bool is_begun = call->turn != HOOK_TURN_ONLY && call->request->batch.is_begun && action == HOOK_PUBLISH;

    return is_begun ? deferral_begin(&call->deferral, err) : ERR_OK;
}

static void warn_if_alone(const struct call *call, enum hook_action action, size_t left)
{
    if (action == HOOK_PUBLISH && left == 0 && call->request->count > 0 && call->request->batch.calls_before > 0)
        log_line(call->app.log, LOG_WARNING,
                 "none of the %zu calls that %s made before this one has left a record to be published, continuing",
                 call->request->batch.calls_before, call->request->client);
}

static enum err_code gather(const struct call *call, enum hook_action action, struct challenge_set *set,
                            struct err *err)
{
    size_t left = 0;
    enum err_code code;

    if (call->turn != HOOK_TURN_LAST)
        return ERR_OK;
    code = deferral_gather(&call->deferral, deferred_action_of(action), set, &left, err);
    if (code == ERR_OK)
        warn_if_alone(call, action, left);
    return code;
}

/* What can't be forgotten costs a later call a look. */
static void settle(const struct call *call, enum hook_action action, const struct challenge_set *set)
{
    struct err err;

    if (call->turn == HOOK_TURN_LAST &&
        deferral_settle(&call->deferral, deferred_action_of(action), set, &err) != ERR_OK)
        log_line(call->app.log, LOG_WARNING, "%s, continuing", err.msg);
}

/* ------------------------------------------------------------------ doing it */

static enum err_code publish_as(struct call *call, const struct challenge_set *set, struct err *outcomes,
                                struct err *err)
{
    const struct hook_request *request = call->request;
    const struct challenge_publish_opts publish_opts = {
        .wait = call->opts->no_wait ? CHALLENGE_NO_WAIT : CHALLENGE_WAIT,
        .on_timeout = request->on_timeout == HOOK_TIMEOUT_KEEP ? CHALLENGE_TIMEOUT_KEEP : CHALLENGE_TIMEOUT_ROLL_BACK,
        .time_limit_ms = request->time_limit_ms,
        .outcomes = outcomes,
    };

    return challenge_publish(call->app.challenge, set, &publish_opts, err);
}

/* A client that goes on whatever we say gets as many of the names as can be had: certbot's --allow-subset-of-names.
 * *out_outcomes is one a name then, and yours; NULL: the error is that of all. */
static enum err_code publish(struct call *call, const struct challenge_set *set, struct err **out_outcomes,
                             struct err *err)
{
    AUTO_FREE struct err *outcomes = NULL;
    enum err_code code;

    if (call->request->on_timeout != HOOK_TIMEOUT_KEEP)
        return publish_as(call, set, NULL, err);
    outcomes = mem_calloc(set->count, sizeof *outcomes);
    code = publish_as(call, set, outcomes, err);
    if (code != ERR_OK)
        return code;
    code = hook_report_sum(&call->app, set, outcomes, err);
    *out_outcomes = outcomes;
    outcomes = NULL;
    return code;
}

static enum err_code do_now(struct call *call, enum hook_action action, struct challenge_set *set,
                            struct err **out_outcomes, struct err *err)
{
    enum err_code code = gather(call, action, set, err);

    if (code != ERR_OK || set->count == 0)
        return code;
    code = connect_call(call, err);
    if (code != ERR_OK)
        return code;
    code = action == HOOK_PUBLISH ? publish(call, set, out_outcomes, err)
                                  : challenge_withdraw(call->app.challenge, set, err);
    settle(call, action, set);
    if (code == ERR_OK && action == HOOK_WITHDRAW)
        sweep_leftovers(&call->app);
    return code;
}

static void note(const struct call *call, enum hook_action action, const struct challenge_set *set,
                 const struct err *outcomes, const struct err *err)
{
    const struct hook_report report = {
        .client = call->request->client,
        .action = action == HOOK_PUBLISH ? "publish" : "withdraw",
        .set = set,
        .outcomes = outcomes,
        .begin_ms = call->begin_ms,
    };

    hook_report_note(&call->app, call->opts, &report, err);
}

/* Publish or withdraw the set, now or by the last call; the one that does it notes the result. */
static enum err_code work(struct call *call, enum hook_action action, struct challenge_set *set, struct err *err)
{
    AUTO_FREE struct err *outcomes = NULL;
    enum err_code code = begin_batch(call, action, err);

    if (code == ERR_OK && call->turn == HOOK_TURN_LATER) {
        code = deferral_leave(&call->deferral, deferred_action_of(action), set, err);
        if (code == ERR_OK)
            return ERR_OK;
    } else if (code == ERR_OK) {
        code = do_now(call, action, set, &outcomes, err);
    }
    if (code == ERR_OK)
        err_init(err);
    note(call, action, set, outcomes, err);
    return code;
}

/* ------------------------------------------------------------------ calls without records of their own */

static enum err_code withdraw_run(struct call *call, struct err *err)
{
    enum err_code code = connect_call(call, err);

    if (code == ERR_OK)
        code = challenge_withdraw_run(call->app.challenge, err);
    if (code == ERR_OK && can_defer(call))
        code = deferral_drop(&call->deferral, DEFERRED_PUBLISH, err);
    if (code == ERR_OK && can_defer(call))
        code = deferral_drop(&call->deferral, DEFERRED_WITHDRAW, err);
    if (code == ERR_OK)
        sweep_leftovers(&call->app);
    return code;
}

/* What is to be published comes first, as somebody waits for it; that it fails is no reason to leave the rest. */
static enum err_code save(struct call *call, struct err *err)
{
    AUTO(challenge_set_done) struct challenge_set to_publish = {0};
    AUTO(challenge_set_done) struct challenge_set to_withdraw = {0};
    struct err second;
    enum err_code code;
    enum err_code second_code;

    if (call->turn != HOOK_TURN_LAST)
        return ERR_OK;
    err_init(&second);
    code = work(call, HOOK_PUBLISH, &to_publish, err);
    second_code = deferral_drop(&call->deferral, DEFERRED_PUBLISH, &second);
    if (second_code == ERR_OK)
        second_code = work(call, HOOK_WITHDRAW, &to_withdraw, &second);
    if (code == ERR_OK && second_code != ERR_OK)
        *err = second;
    return code == ERR_OK ? second_code : code;
}

/* ------------------------------------------------------------------ a call */

static enum err_code act(struct call *call, struct challenge_set *set, struct err *err)
{
    if (call->request->action == HOOK_WITHDRAW_RUN)
        return withdraw_run(call, err);
    return call->request->action == HOOK_SAVE ? save(call, err) : work(call, call->request->action, set, err);
}

static enum err_code refusal_of(const struct hook_request *request, struct err *err)
{
    if (request->refusal.code != ERR_OK)
        *err = request->refusal;
    return request->refusal.code;
}

static enum err_code run(const struct hook_request *request, const struct opts *opts, struct err *err)
{
    AUTO(call_done)
    struct call call = {
        .request = request, .opts = opts, .turn = HOOK_TURN_ONLY, .begin_ms = clock_mono_ms(platform_clock())};
    AUTO(challenge_set_done) struct challenge_set set = {0};
    enum err_code code = make_set(request, &set, err);

    if (code != ERR_OK)
        return code;
    err_init(err);
    code = open_call(&call, err);
    if (code != ERR_OK)
        note(&call, request->action, &set, NULL, err);
    else
        code = act(&call, &set, err);
    return code == ERR_OK ? refusal_of(request, err) : code;
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
