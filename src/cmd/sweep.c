/* SPDX-License-Identifier: MIT */
#include "cmd/sweep.h"

#include "cmd/cmd.h"

/* Calls that withdraw sweep too, and a timer's failure would mean mail for nothing. */
#define LOCK_WAIT_MS 60000

static const char *outcome_text(enum sweep_outcome outcome)
{
    switch (outcome) {
    case SWEEP_KEPT_YOUNG:
        return "kept, its run may still be at work";
    case SWEEP_KEPT_FOREIGN_ACCOUNT:
        return "kept, the configuration has no usable account for it";
    case SWEEP_WOULD_REMOVE:
        return "would be removed";
    case SWEEP_REMOVED:
        return "removed";
    case SWEEP_FAILED:
        return "could not be removed";
    }
    return "";
}

static void print_entry(UNUSED void *ctx, const struct journal_entry *entry, enum sweep_outcome outcome,
                        UNUSED const struct err *err)
{
    char created[CLOCK_HTTP_DATE_MAX];

    clock_format_iso(created, entry->created_ms / 1000);
    (void)printf("%s %s TXT %s (zone %s, account %s): %s\n", created, entry->name, entry->value, entry->zone,
                 entry->account, outcome_text(outcome));
}

enum err_code cmd_sweep(const struct opts *opts, struct err *err)
{
    AUTO_APP struct app app = {0};
    AUTO(platform_lock_free_auto) struct platform_lock *lock = NULL;
    const struct app_request request = {.opts = opts};
    enum err_code code = app_open(&app, &request, err);

    if (code != ERR_OK)
        return code;
    if (!app.store) {
        code = err_set(err, ERR_CONFIG, "there is no journal to sweep");
        err_hint(err, "With \"journal: none\" nothing is noted, and so nothing can be swept.");
        return code;
    }
    code = store_lock(app.store, "sweep", LOCK_WAIT_MS, &lock, err);
    if (code != ERR_OK)
        return code;
    return challenge_sweep(app.challenge,
                           &(struct sweep_opts){.age_ms = app.config->sweep_after_ms,
                                                .mode = opts->dry_run ? SWEEP_DRY_RUN : SWEEP_REMOVE,
                                                .report = opts->quiet ? NULL : print_entry},
                           err);
}

void sweep_leftovers(struct app *app)
{
    AUTO(platform_lock_free_auto) struct platform_lock *lock = NULL;
    struct err err;
    enum err_code code;

    if (!app->store)
        return;
    code = store_lock(app->store, "sweep", 0, &lock, &err);
    if (code == ERR_OK)
        code = challenge_sweep(app->challenge,
                               &(struct sweep_opts){.age_ms = app->config->sweep_after_ms, .mode = SWEEP_REMOVE}, &err);
    if (code != ERR_OK)
        log_line(app->log, LOG_INFO, "leftovers of earlier runs were not swept: %s", err.msg);
}
