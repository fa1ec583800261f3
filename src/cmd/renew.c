/* SPDX-License-Identifier: MIT
 *
 * acme-dme renew: all certificates, or those that are named; what is due is issued again, CA by CA, in waves, and a
 * certificate that fails keeps no other from being done.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/deploy.h"
#include "cmd/due.h"
#include "cmd/quota.h"
#include "cmd/sweep.h"
#include "util/parse.h"

/* Certificates that go through the phases together.  Requests to DNS Made Easy grow with the zones of a wave, so that
 * one large wave costs less than several; a certificate on its way takes about 20 kB. */
#define WAVE_MAX 1000
/* Each has its lock, a descriptor; connections, name servers and programs need some, too. */
#define OTHER_DESCRIPTORS 128

/* ------------------------------------------------------------------ when */

/* Once a run, and before anything else: so that not all machines ask at the same time. */
static enum err_code wait_at_random(const struct opts *opts, struct err *err)
{
    int64_t most_ms = 0;
    uint64_t random;
    enum err_code code;

    if (opts->jitter && !parse_duration_ms(opts->jitter, &most_ms)) {
        (void)err_set(err, ERR_USAGE, "option --jitter: \"%s\" is no duration", opts->jitter);
        err_hint(err, "Write it like 30s, 10m or 11h.");
        return ERR_USAGE;
    }
    if (!most_ms || platform_stderr_is_terminal())
        return ERR_OK;
    code = platform_random(&random, sizeof random, err);
    if (code == ERR_OK && !clock_sleep_ms(platform_clock(), (int64_t)(random % (uint64_t)most_ms)))
        code = err_set(err, ERR_CANCELLED, "interrupted before anything was done");
    return code;
}

/* ------------------------------------------------------------------ which ones */

static enum err_code list_named(struct workspace *space, const struct opts *opts, struct strlist *names,
                                struct err *err)
{
    for (size_t i = 0; i < opts->word_count; i++) {
        AUTO(plan_done) struct plan plan = {.managed = SIZE_MAX};
        const char *name = opts->words[i];
        struct err why;

        if (plan_make_named(&space->app, opts, name, &plan, &why) == ERR_NOT_FOUND) {
            *err = why;
            return err->code = ERR_USAGE;
        }
        strlist_add_once(names, name);
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ taking up */

/* Whoever holds locks works on these certificates: the others come first, and then there is one wait for all. */
struct turn {
    struct workspace *space;
    const struct opts *opts;
    enum { TURN_FREE, TURN_HELD } kind;
    int64_t deadline_ms; /* monotonic, of waiting for locks */
};

static int64_t patience_ms(const struct turn *turn)
{
    int64_t left = turn->deadline_ms - clock_mono_ms(turn->space->app.clock);

    return turn->kind == TURN_FREE || left < 0 ? 0 : left;
}

static bool is_its_turn(const struct turn *turn, const struct issuance *issuance)
{
    return issuance->outcome == ISSUANCE_DUE && issuance->is_held == (turn->kind == TURN_HELD);
}

/* Lock it and look again: somebody may have been quicker.  False: nothing is to be ordered for it now; deploy programs
 * that are pending were run. */
static bool take_up(const struct turn *turn, struct issuance *issuance)
{
    struct plan *plan = &issuance->plan;
    struct err err;
    enum err_code code = issuance_lock(issuance, turn->space->app.store, patience_ms(turn), &err);

    if (code == ERR_LOCK && turn->kind == TURN_FREE) {
        issuance->is_held = true;
        return false;
    }
    if (code != ERR_OK) {
        issuance_fail(issuance, &err);
        issuance_unlock(issuance);
        return false;
    }
    plan->why = due_why(turn->space, turn->opts, plan);
    if (plan->why)
        return true;
    if (plan->record.deploy_pending)
        issuance_deploy_again(&turn->space->app, issuance);
    else
        issuance->outcome = ISSUANCE_NOT_DUE;
    issuance_unlock(issuance);
    return false;
}

/* Of those that are not due a deploy program is to be run again. */
static void deploy_pending(const struct turn *turn, struct issuance_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct issuance *issuance = &list->items[i];

        if (is_its_turn(turn, issuance) && !issuance->plan.why && !issuance->plan.settings.deploy_once &&
            take_up(turn, issuance))
            issuance_unlock(issuance); /* it has become due: a wave takes it */
    }
}

/* ------------------------------------------------------------------ waves */

static size_t wave_max(void)
{
    size_t room = platform_descriptors_want(WAVE_MAX + OTHER_DESCRIPTORS);

    return room > OTHER_DESCRIPTORS ? room - OTHER_DESCRIPTORS : room / 4 + 1;
}

/* The next certificates of one CA that are due, with their locks. */
static size_t next_wave(const struct turn *turn, struct issuance_list *list, struct issuance **out, size_t max)
{
    const char *directory = NULL;
    size_t count = 0;

    for (size_t i = 0; i < list->count && count < max; i++) {
        struct issuance *issuance = &list->items[i];

        if (!is_its_turn(turn, issuance) || !issuance->plan.why ||
            (directory && strcmp(issuance->plan.directory, directory) != 0) || !take_up(turn, issuance))
            continue;
        log_line(turn->space->app.log, LOG_INFO, "%s: renewing, as %s", issuance->plan.name, issuance->plan.why);
        directory = issuance->plan.directory;
        out[count++] = issuance;
    }
    return count;
}

static enum err_code run_wave(const struct turn *turn, struct issuance *const *wave, size_t count, struct err *err)
{
    struct client *client;
    enum err_code code = workspace_client(turn->space, wave[0]->plan.directory, &client, err);

    if (code == ERR_OK && !client->account.key)
        code = client_want_account(client, err);
    if (code == ERR_OK)
        return issuance_run(client, wave, count, err);
    issuance_fail_all(&turn->space->app, turn->opts, wave, count, err);
    return code;
}

/* What ended a whole wave would end the next one, too, but no wave of another CA. */
static void give_up_on(const struct turn *turn, struct issuance_list *list, const char *directory,
                       const struct err *err)
{
    AUTO_FREE struct issuance **rest = mem_calloc(list->count, sizeof *rest);
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].outcome == ISSUANCE_DUE && list->items[i].plan.why &&
            strcmp(list->items[i].plan.directory, directory) == 0)
            rest[count++] = &list->items[i];
    issuance_fail_all(&turn->space->app, turn->opts, rest, count, err);
}

/* After a stop those that are left have the same outcome. */
static void fail_rest(struct issuance_list *list, const struct err *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].outcome == ISSUANCE_DUE && list->items[i].plan.why)
            issuance_fail(&list->items[i], err);
}

static enum err_code run_waves(const struct turn *turn, struct issuance_list *list, struct err *err)
{
    size_t max = wave_max();
    AUTO_FREE struct issuance **wave = mem_calloc(max, sizeof *wave);
    enum err_code code = ERR_OK;
    size_t count;

    while (code == ERR_OK && (count = next_wave(turn, list, wave, max)) > 0) {
        code = run_wave(turn, wave, count, err);
        if (code == ERR_OK || code == ERR_CANCELLED)
            continue;
        give_up_on(turn, list, wave[0]->plan.directory, err);
        code = ERR_OK;
    }
    return code;
}

static void run_turns(struct workspace *space, const struct opts *opts, struct issuance_list *list)
{
    struct turn turn = {.space = space, .opts = opts, .kind = TURN_FREE};
    enum err_code code;
    struct err err;

    deploy_pending(&turn, list);
    code = run_waves(&turn, list, &err);
    turn.kind = TURN_HELD;
    turn.deadline_ms = clock_mono_ms(space->app.clock) + ISSUANCE_LOCK_WAIT_MS;
    if (code == ERR_OK) {
        deploy_pending(&turn, list);
        code = run_waves(&turn, list, &err);
    }
    if (code != ERR_OK)
        fail_rest(list, &err);
    if (!opts->dry_run)
        deploy_all_once(&space->app, list);
}

enum err_code cmd_renew(const struct opts *opts, struct err *err)
{
    AUTO_WORKSPACE struct workspace space = {.client_count = 0};
    AUTO(issuance_list_done) struct issuance_list list = {.count = 0};
    struct strlist AUTO_STRLIST names = {NULL, 0};
    enum err_code code = wait_at_random(opts, err);

    if (code == ERR_OK)
        code = workspace_open(&space, opts, CONFIG_WITH_CREDENTIALS, err);
    if (code == ERR_OK)
        code = opts->word_count ? list_named(&space, opts, &names, err) : workspace_list(&space, &names, err);
    if (code == ERR_OK)
        code = due_find(&space, opts, &names, &list, err);
    if (code == ERR_OK && !opts->dry_run)
        code = quota_apply(&space, &list, err);
    if (code != ERR_OK)
        return code;
    run_turns(&space, opts, &list);
    sweep_leftovers(&space.app); /* of a run that was killed after its certificates were installed, too */
    return issuance_report(&space.app, opts, &list, err);
}
