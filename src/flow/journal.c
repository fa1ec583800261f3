/* SPDX-License-Identifier: MIT
 *
 * The batch's side of the journal: entries from placements and back.
 */
#include "flow/engine.h"

#include <stdlib.h>
#include <string.h>

#define RENEW_MS (60 * 60 * 1000LL)

static void entry_fill(const struct challenge *c, const struct placement *p, struct journal_entry *entry)
{
    const struct challenge_account *account = p->zone->account;

    *entry = (struct journal_entry){
        .state = JOURNAL_INTENDED,
        .account = mem_strdup(account->name),
        .endpoint = mem_strdup(account->endpoint),
        .zone = mem_strdup(p->zone->name),
        .zone_id = p->zone->id,
        .name = mem_strdup(p->name),
        .asked_name = mem_strdup(p->asked),
        .value = mem_strdup(p->value),
        .run_id = mem_strdup(c->opts.run_id),
        .created_ms = clock_wall_ms(c->opts.clock),
    };
}

static bool is_same_place(const struct journal_entry *a, const struct journal_entry *b)
{
    return a->zone_id == b->zone_id && strcmp(a->zone, b->zone) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->account, b->account) == 0 && strcmp(a->endpoint, b->endpoint) == 0;
}

/* Is there an entry of this run for the place where the record will be, and not one so old that a sweep may take it
 * while it is needed?  PLACEMENT_KNOWN says that it is of this run. */
static bool is_written(const struct placement *p, const struct journal_entry *wanted)
{
    return p->age == PLACEMENT_KNOWN && is_same_place(&p->entry, wanted) &&
           wanted->created_ms - p->entry.created_ms < RENEW_MS;
}

/* The entry is taken over from another run, or is to last longer, or the zone was found anew: then the record will be
 * made anew in it, and that is this call's doing.  Tells whether it has to be written again. */
static bool revise_intent(struct challenge *c, struct placement *p)
{
    AUTO(journal_entry_done) struct journal_entry wanted = {.id = NULL};
    struct journal_entry before = p->entry;

    entry_fill(c, p, &wanted);
    if (is_written(p, &wanted))
        return false;
    if (!is_same_place(&before, &wanted))
        p->age = PLACEMENT_NEW;
    wanted.id = mem_strdup(before.id);
    p->entry = wanted;
    wanted = before;
    return true;
}

enum err_code record_intent(struct challenge *c, const struct picks *picks, struct err *err)
{
    AUTO_FREE struct journal_entry **fresh = mem_calloc(picks->count, sizeof(struct journal_entry *));
    AUTO_FREE struct journal_entry **changed = mem_calloc(picks->count, sizeof(struct journal_entry *));
    size_t fresh_count = 0;
    size_t changed_count = 0;
    enum err_code code = ERR_OK;

    for (size_t i = 0; c->opts.store && i < picks->count; i++) {
        struct placement *p = picks->items[i];

        if (!p->entry.id) {
            journal_entry_done(&p->entry);
            entry_fill(c, p, &p->entry);
            fresh[fresh_count++] = &p->entry;
        } else if (revise_intent(c, p)) {
            changed[changed_count++] = &p->entry;
        }
    }
    if (changed_count)
        code = journal_update_all(c->opts.store, changed, changed_count, err);
    if (code == ERR_OK && fresh_count)
        code = journal_add_all(c->opts.store, fresh, fresh_count, err);
    return code;
}

enum err_code record_published(struct challenge *c, const struct picks *picks, struct err *err)
{
    AUTO_FREE struct journal_entry **entries = mem_calloc(picks->count, sizeof(struct journal_entry *));

    if (!c->opts.store || !picks->count)
        return ERR_OK;
    for (size_t i = 0; i < picks->count; i++) {
        entries[i] = &picks->items[i]->entry;
        entries[i]->state = JOURNAL_PUBLISHED;
        entries[i]->record_id = picks->items[i]->record_id;
        entries[i]->published_ms = clock_wall_ms(c->opts.clock);
    }
    return journal_confirm(c->opts.store, entries, picks->count, err);
}

enum err_code record_removed(struct challenge *c, const struct picks *picks, struct err *err)
{
    enum err_code first = ERR_OK;

    for (size_t i = 0; i < picks->count; i++) {
        struct placement *p = picks->items[i];
        enum err_code code;

        if (p->may_appear && !p->record_id)
            continue;
        p->is_removed = true;
        if (!c->opts.store || !p->entry.id)
            continue;
        code = journal_remove(c->opts.store, p->entry.id, first == ERR_OK ? err : NULL);
        if (code == ERR_OK)
            journal_entry_done(&p->entry);
        else if (first == ERR_OK)
            first = code;
    }
    return first;
}

/* ------------------------------------------------------------------ entries of a name */

struct journal_name {
    const char *name;
    size_t entry;
};

static int compare_names(const void *a, const void *b)
{
    const struct journal_name *x = a;
    const struct journal_name *y = b;
    int order = strcmp(x->name, y->name);

    if (order)
        return order;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

void journal_index_init(struct journal_index *index, const struct journal_list *journal)
{
    *index = (struct journal_index){journal, mem_calloc(journal->count * 2, sizeof *index->names), 0};
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_entry *entry = &journal->items[i];

        index->names[index->count++] = (struct journal_name){entry->name, i};
        if (strcmp(entry->name, entry->asked_name) != 0)
            index->names[index->count++] = (struct journal_name){entry->asked_name, i};
    }
    if (index->count)
        qsort(index->names, index->count, sizeof *index->names, compare_names);
}

void journal_index_done(struct journal_index *index)
{
    free(index->names);
    *index = (struct journal_index){NULL, NULL, 0};
}

const struct journal_entry *journal_index_next(const struct journal_index *index, const char *name, size_t *at)
{
    const struct journal_name *found = &index->names[*at];

    if (*at >= index->count || strcmp(found->name, name) != 0)
        return NULL;
    (*at)++;
    return &index->journal->items[found->entry];
}

const struct journal_entry *journal_index_find(const struct journal_index *index, const char *name, size_t *at)
{
    size_t low = 0;
    size_t high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(index->names[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return journal_index_next(index, name, at);
}

bool is_entry_of_run(const struct challenge *c, const struct journal_entry *entry)
{
    return *c->opts.run_id && strcmp(entry->run_id, c->opts.run_id) == 0;
}

static const struct challenge_account *account_of(const struct challenge *c, const struct journal_entry *entry)
{
    for (size_t i = 0; i < c->opts.account_count; i++) {
        const struct challenge_account *a = &c->opts.accounts[i];
        if (!a->unusable && strcmp(a->name, entry->account) == 0 && strcmp(a->endpoint, entry->endpoint) == 0)
            return a;
    }
    return NULL;
}

static bool is_zone_of(const struct zone *zone, const struct challenge_account *account,
                       const struct journal_entry *entry)
{
    return zone->account == account && zone->id == entry->zone_id && strcmp(zone->name, entry->zone) == 0;
}

/* The engine's zone for an entry; made from the entry when it was not met yet in this process. */
static struct zone *zone_of(struct challenge *c, const struct challenge_account *account,
                            const struct journal_entry *entry)
{
    struct zone *known = zones_known(c, entry->name); /* brings its name servers along */

    if (known && is_zone_of(known, account, entry))
        return known;
    for (size_t i = 0; i < c->zone_count; i++)
        if (is_zone_of(c->zones[i], account, entry))
            return c->zones[i];
    return zones_add(c, account, entry->zone, entry->zone_id, ZONE_REMEMBERED);
}

bool recall_placement(struct challenge *c, const struct journal_entry *entry, struct placement *out)
{
    const struct challenge_account *account = account_of(c, entry);

    if (!account)
        return false;
    *out = (struct placement){
        .asked = mem_strdup(entry->asked_name),
        .name = mem_strdup(entry->name),
        .value = mem_strdup(entry->value),
        .zone = zone_of(c, account, entry),
        .record_id = entry->state == JOURNAL_PUBLISHED ? entry->record_id : 0,
        .age = PLACEMENT_KNOWN,
    };
    journal_entry_copy(&out->entry, entry);
    return true;
}
