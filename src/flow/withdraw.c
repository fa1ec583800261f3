/* SPDX-License-Identifier: MIT
 *
 * Withdrawing.  The journal knows zone, name and id, so that one request a zone is enough.  A record that it does not
 * know (another state directory, a container that was thrown away) is looked for by name and value.
 */
#include "flow/engine.h"

#include <string.h>

#define APPEAR_MS (5 * 60 * 1000LL)

static bool entry_has_value(const struct journal_entry *entry, const char *value)
{
    return !value || strcmp(entry->value, value) == 0;
}

/* "All of ours at that name", asked without a value, means those of the run that asks, if it has any there. */
static bool run_has_answer(const struct challenge *c, const struct journal_index *index, const char *name)
{
    size_t at = 0;

    for (const struct journal_entry *entry = journal_index_find(index, name, &at); entry;
         entry = journal_index_next(index, name, &at))
        if (is_entry_of_run(c, entry))
            return true;
    return false;
}

/* The client's clean-up follows an interrupted or killed call at once, while the API may still be carrying out what
 * that one asked for: then "no such record" is not the last word, and a later sweep looks again. */
static void add_recalled(struct challenge *c, struct placement *p_take, struct batch *batch)
{
    int64_t age_ms = clock_wall_ms(c->opts.clock) - p_take->entry.created_ms;

    p_take->may_appear = p_take->entry.state == JOURNAL_INTENDED && age_ms < APPEAR_MS;
    batch_add_take(batch, p_take);
}

/* Add a placement for each journal entry that the item names; tells how many there were. */
static size_t add_from_journal(struct challenge *c, const struct journal_index *index,
                               const struct challenge_item *item, struct batch *batch)
{
    bool only_this_run = !item->value && run_has_answer(c, index, item->name);
    size_t found = 0;
    size_t at = 0;

    for (const struct journal_entry *entry = journal_index_find(index, item->name, &at); entry;
         entry = journal_index_next(index, item->name, &at)) {
        struct placement p;

        if (!entry_has_value(entry, item->value) || (only_this_run && !is_entry_of_run(c, entry)))
            continue;
        if (recall_placement(c, entry, &p)) {
            add_recalled(c, &p, batch);
            found++;
        }
    }
    return found;
}

/* Items that the journal does not know: where they would be. */
static enum err_code add_located(struct challenge *c, const struct challenge_item *const *items,
                                 struct location *locations, size_t count, struct batch *batch, struct err *err)
{
    enum err_code first = ERR_OK;

    for (size_t i = 0; i < count; i++) {
        const struct err *why = &locations[i].err;
        struct placement p = {.age = PLACEMENT_NEW};

        if (why->code == ERR_ZONE) { /* in no zone of ours: nothing of ours can be there */
            log_line(c->opts.log, LOG_INFO, "%s", why->msg);
        } else if (why->code == ERR_OK) {
            p.asked = mem_strdup(items[i]->name);
            p.value = mem_strdup(items[i]->value);
            p.name = locations[i].name;
            p.zone = locations[i].zone;
            locations[i].name = NULL;
            batch_add_take(batch, &p);
        } else if (first == ERR_OK) {
            first = why->code;
            if (err)
                *err = *why;
        }
    }
    return first;
}

static enum err_code add_from_api(struct challenge *c, const struct challenge_item *const *items, size_t count,
                                  struct batch *batch, struct err *err)
{
    AUTO_FREE struct location *locations = mem_calloc(count, sizeof *locations);
    enum err_code code;

    for (size_t i = 0; i < count; i++)
        locations[i].asked = items[i]->name;
    code = locate_all(c, locations, count, LOCATE_EACH, err);
    if (code == ERR_OK)
        code = add_located(c, items, locations, count, batch, err);
    locations_done(locations, count);
    return code;
}

static enum err_code gather(struct challenge *c, const struct challenge_set *set, struct batch *batch, struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {0};
    AUTO(journal_index_done) struct journal_index index = {NULL, NULL, 0};
    AUTO_FREE const struct challenge_item **unknown = mem_calloc(set->count, sizeof(struct challenge_item *));
    size_t count = 0;
    enum err_code code = c->opts.store ? journal_load(c->opts.store, &journal, err) : ERR_OK;

    if (code != ERR_OK)
        return code;
    journal_index_init(&index, &journal);
    for (size_t i = 0; i < set->count; i++)
        if (!add_from_journal(c, &index, &set->items[i], batch) && set->items[i].value)
            unknown[count++] = &set->items[i];
    return count ? add_from_api(c, unknown, count, batch, err) : ERR_OK;
}

/* Delete the batch; what fails and is in the journal is not lost, and the message says so. */
static enum err_code withdraw_batch(struct challenge *c, struct batch *batch, struct err *err)
{
    enum err_code code = remove_batch(c, batch, err);
    bool is_noted = false;

    for (size_t i = 0; i < batch->count; i++)
        is_noted |= batch->items[i].entry.id != NULL;
    return code != ERR_OK && is_noted ? err_prefix(err, code, "left for \"acme-dme sweep\"") : code;
}

enum err_code challenge_withdraw(struct challenge *c, const struct challenge_set *set, struct err *err)
{
    AUTO(batch_done) struct batch batch = {0};
    enum err_code code = gather(c, set, &batch, err);
    enum err_code removal;

    if (code == ERR_CANCELLED)
        return code;
    removal = withdraw_batch(c, &batch, code == ERR_OK ? err : NULL);
    return code == ERR_OK ? removal : code;
}

enum err_code challenge_withdraw_run(struct challenge *c, struct err *err)
{
    AUTO(batch_done) struct batch batch = {0};
    AUTO(journal_list_done) struct journal_list journal = {0};
    enum err_code code;

    if (!c->opts.store)
        return ERR_OK;
    code = journal_load(c->opts.store, &journal, err);
    for (size_t i = 0; code == ERR_OK && i < journal.count; i++) {
        struct placement p;

        if (is_entry_of_run(c, &journal.items[i]) && recall_placement(c, &journal.items[i], &p))
            add_recalled(c, &p, &batch);
    }
    return code == ERR_OK ? withdraw_batch(c, &batch, err) : code;
}

enum err_code challenge_release(struct challenge *c, const struct challenge_set *set, struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {0};
    AUTO(journal_index_done) struct journal_index index = {NULL, NULL, 0};
    enum err_code code = c->opts.store ? journal_load(c->opts.store, &journal, err) : ERR_OK;

    journal_index_init(&index, &journal);
    for (size_t i = 0; i < set->count; i++) {
        const struct challenge_item *item = &set->items[i];
        size_t at = 0;

        for (const struct journal_entry *entry = journal_index_find(&index, item->name, &at); code == ERR_OK && entry;
             entry = journal_index_next(&index, item->name, &at))
            if (entry_has_value(entry, item->value))
                code = journal_remove(c->opts.store, entry->id, err);
    }
    return code;
}
