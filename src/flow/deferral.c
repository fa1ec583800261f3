/* SPDX-License-Identifier: MIT */
#include "flow/deferral.h"

#include <string.h>

static const char *action_text(enum deferred_action action)
{
    return action == DEFERRED_PUBLISH ? "published" : "withdrawn";
}

static struct deferred_entry entry_of(const struct deferral *d, enum deferred_action action,
                                      const struct challenge_item *item)
{
    return (struct deferred_entry){
        .action = action,
        .run_id = mem_lend(d->run_id),
        .batch = mem_lend(d->batch),
        .position = d->position,
        .name = item->name,
        .value = item->value,
        .created_ms = clock_wall_ms(d->clock),
    };
}

/* ------------------------------------------------------------------ leaving */

/* The record exists, or may: the last call may have been killed after it had published. */
static bool is_journalled(const struct journal_list *journal, const struct challenge_item *item)
{
    for (size_t i = 0; i < journal->count; i++)
        if (strcmp(journal->items[i].asked_name, item->name) == 0 && strcmp(journal->items[i].value, item->value) == 0)
            return true;
    return false;
}

/* *out_is_done: it was left to be published, nobody has done so, and now nobody will. */
static enum err_code forget_unpublished(const struct deferral *d, const struct challenge_item *item, bool *out_is_done,
                                        struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {NULL, 0};
    const struct deferred_entry entry = entry_of(d, DEFERRED_PUBLISH, item);
    enum deferred_action left = DEFERRED_WITHDRAW;
    enum err_code code = deferred_find(d->store, d->run_id, item->name, item->value, &left, err);

    *out_is_done = false;
    if (code == ERR_NOT_FOUND || (code == ERR_OK && left == DEFERRED_WITHDRAW))
        return ERR_OK;
    if (code == ERR_OK)
        code = journal_load(d->store, &journal, err);
    if (code != ERR_OK || is_journalled(&journal, item))
        return code;
    *out_is_done = true;
    log_line(d->log, LOG_INFO, "TXT record \"%s\" was never published, so nothing is to be withdrawn", item->name);
    return deferred_remove(d->store, &entry, err);
}

static enum err_code leave_item(const struct deferral *d, enum deferred_action action,
                                const struct challenge_item *item, struct err *err)
{
    const struct deferred_entry entry = entry_of(d, action, item);
    bool is_done = false;
    enum err_code code = action == DEFERRED_WITHDRAW ? forget_unpublished(d, item, &is_done, err) : ERR_OK;

    if (code == ERR_OK && !is_done)
        code = deferred_save(d->store, &entry, err);
    if (code == ERR_OK && !is_done)
        log_line(d->log, LOG_INFO, "TXT record \"%s\" is left to a later call of this run to be %s", item->name,
                 action_text(action));
    return code;
}

enum err_code deferral_leave(const struct deferral *d, enum deferred_action action, const struct challenge_set *set,
                             struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < set->count && code == ERR_OK; i++)
        code = leave_item(d, action, &set->items[i], err);
    return code;
}

/* ------------------------------------------------------------------ taking up */

static bool is_of_batch(const struct deferral *d, const struct deferred_entry *entry)
{
    return entry->action == DEFERRED_WITHDRAW || !*d->batch || strcmp(entry->batch, d->batch) == 0;
}

enum err_code deferral_gather(const struct deferral *d, enum deferred_action action, struct challenge_set *set,
                              size_t *out_count, struct err *err)
{
    AUTO(deferred_list_done) struct deferred_list list = {NULL, 0};
    enum err_code code = deferred_load(d->store, d->run_id, &list, err);

    *out_count = 0;
    for (size_t i = 0; i < list.count && code == ERR_OK; i++) {
        const struct deferred_entry *entry = &list.items[i];

        if (entry->action != action || !is_of_batch(d, entry))
            continue;
        code = challenge_set_add_record(set, entry->name, entry->value, err);
        ++*out_count;
    }
    if (code == ERR_OK)
        log_line(d->log, LOG_INFO, "%zu record%s to be %s, %zu of them left by earlier calls of this run", set->count,
                 set->count == 1 ? "" : "s", action_text(action), *out_count);
    return code;
}

/* ------------------------------------------------------------------ forgetting */

enum err_code deferral_drop(const struct deferral *d, enum deferred_action action, struct err *err)
{
    AUTO(deferred_list_done) struct deferred_list list = {NULL, 0};
    enum err_code code = deferred_load(d->store, d->run_id, &list, err);

    for (size_t i = 0; i < list.count && code == ERR_OK; i++)
        if (list.items[i].action == action)
            code = deferred_remove(d->store, &list.items[i], err);
    return code;
}

enum err_code deferral_begin(const struct deferral *d, struct err *err)
{
    return deferral_drop(d, DEFERRED_PUBLISH, err);
}

enum err_code deferral_settle(const struct deferral *d, enum deferred_action action, const struct challenge_set *set,
                              struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {NULL, 0};
    enum err_code code = journal_load(d->store, &journal, err);

    for (size_t i = 0; i < set->count && code == ERR_OK; i++) {
        const struct deferred_entry entry = entry_of(d, action, &set->items[i]);

        if (is_journalled(&journal, &set->items[i]) == (action == DEFERRED_PUBLISH))
            code = deferred_remove(d->store, &entry, err);
    }
    return code;
}
