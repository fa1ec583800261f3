/* SPDX-License-Identifier: MIT
 *
 * What killed runs left behind.
 */
#include "flow/engine.h"

/* The process that ran the hook may be a short-lived script that leaves the validation to another; so its end alone
 * says little, and an hour is more than any client waits for a CA. */
#define GRACE_MS (60 * 60 * 1000LL)

/* How old an entry is only the wall clock tells, and somebody may have set it since, in the middle of a wait even.  So
 * an entry is never due while its run is known to live and to be younger than that; one from the future may be of any
 * age, and is due only once its run is known to be over. */
static bool is_due(const struct challenge *c, const struct journal_entry *entry, int64_t age_ms)
{
    int64_t age = clock_wall_ms(c->opts.clock) - entry->created_ms;

    if (age_ms == 0) /* everything is wanted */
        return true;
    if (age >= age_ms)
        return !platform_run_is_younger(entry->run_id, age_ms);
    if (platform_run_is_own(entry->run_id)) /* nobody but that process waits for the CA */
        return !platform_run_is_alive(entry->run_id);
    return (age >= GRACE_MS || age <= -GRACE_MS) && !platform_run_is_alive(entry->run_id);
}

static void report(const struct sweep_opts *opts, const struct journal_entry *entry, enum sweep_outcome outcome,
                   const struct err *err)
{
    if (opts->report)
        opts->report(opts->ctx, entry, outcome, err);
}

/* Due entries become a batch; the others are reported and stay. */
static void pick(struct challenge *c, const struct journal_list *journal, const struct sweep_opts *opts,
                 struct batch *due)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_entry *entry = &journal->items[i];
        struct placement p;

        if (!is_due(c, entry, opts->age_ms))
            report(opts, entry, SWEEP_KEPT_YOUNG, NULL);
        else if (!recall_placement(c, entry, &p))
            report(opts, entry, SWEEP_KEPT_FOREIGN_ACCOUNT, NULL);
        else
            batch_add_take(due, &p);
    }
}

static enum sweep_outcome outcome_of(const struct placement *p, enum sweep_mode mode, enum err_code code)
{
    if (mode == SWEEP_DRY_RUN)
        return SWEEP_WOULD_REMOVE;
    if (!p->entry.id) /* struck out */
        return SWEEP_REMOVED;
    return code == ERR_OK ? SWEEP_KEPT_YOUNG : SWEEP_FAILED;
}

/* Split off the first group of one zone, so that its outcome can be told entry by entry. */
static enum err_code sweep_group(struct challenge *c, struct placement *items, size_t count,
                                 const struct sweep_opts *opts, struct err *err)
{
    AUTO(batch_done) struct batch group = {0};
    AUTO(journal_list_done) struct journal_list told = {mem_calloc(count, sizeof *told.items), count};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < count; i++) {
        journal_entry_copy(&told.items[i], &items[i].entry);
        batch_add_take(&group, &items[i]);
    }
    if (opts->mode == SWEEP_REMOVE)
        code = remove_batch(c, &group, err);
    for (size_t i = 0; i < count; i++)
        report(opts, &told.items[i], outcome_of(&group.items[i], opts->mode, code), err);
    return code;
}

/* ------------------------------------------------------------------ deferred work */

/* Nobody but its own run takes it up.  Where the system can't tell whether that goes on, age has to do. */
static bool is_abandoned(const struct challenge *c, const struct deferred_entry *entry, int64_t age_ms)
{
    int64_t age = clock_wall_ms(c->opts.clock) - entry->created_ms;

    if (age_ms == 0 || !platform_run_is_alive(entry->run_id))
        return true;
    return age >= age_ms && !platform_run_is_younger(entry->run_id, age_ms);
}

static enum err_code sweep_deferred(struct challenge *c, const struct sweep_opts *opts, struct err *err)
{
    AUTO(deferred_list_done) struct deferred_list list = {NULL, 0};
    enum err_code code = deferred_load(c->opts.store, NULL, &list, err);
    size_t count = 0;

    for (size_t i = 0; i < list.count && code == ERR_OK; i++) {
        if (!is_abandoned(c, &list.items[i], opts->age_ms))
            continue;
        count++;
        if (opts->mode == SWEEP_REMOVE)
            code = deferred_remove(c->opts.store, &list.items[i], err);
    }
    if (count)
        log_line(c->opts.log, LOG_INFO, "%zu record%s left to last calls that never came%s", count,
                 count == 1 ? "" : "s", opts->mode == SWEEP_REMOVE ? ": forgotten" : "");
    return code;
}

enum err_code challenge_sweep(struct challenge *c, const struct sweep_opts *opts, struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {0};
    AUTO(batch_done) struct batch due = {0};
    enum err_code first = c->opts.store ? journal_load(c->opts.store, &journal, err)
                                        : err_set(err, ERR_CONFIG, "there is no journal to sweep");
    size_t count;

    if (first == ERR_OK)
        first = sweep_deferred(c, opts, err);
    if (first != ERR_OK)
        return first;
    pick(c, &journal, opts, &due);
    if (journal.count)
        log_line(c->opts.log, LOG_INFO, "%zu record%s in the journal, %zu to be swept", journal.count,
                 journal.count == 1 ? "" : "s", due.count);
    batch_sort(&due);
    for (size_t i = 0; i < due.count; i += count) {
        struct err local;
        enum err_code code;

        count = batch_run(&due, i);
        err_init(&local);
        code = sweep_group(c, &due.items[i], count, opts, &local);
        if (first == ERR_OK && code != ERR_OK) {
            first = code;
            *err = local;
        }
        if (code == ERR_CANCELLED)
            break;
    }
    return first;
}
