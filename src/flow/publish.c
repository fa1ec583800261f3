/* SPDX-License-Identifier: MIT
 *
 * Publishing.  The order of effects is what keeps us safe: journal, API, journal.  Killed at any point, the journal
 * knows every record that may exist.
 *
 * Each record has an outcome of its own all the way.  The caller may want to know them; or else the first that is an
 * error ends the call, and what the others have led to is taken back.
 */
#include "flow/engine.h"

#include <inttypes.h>
#include <string.h>

struct publication {
    struct challenge *c;
    const struct challenge_set *set;
    const struct challenge_publish_opts *opts;
    struct err *outcomes; /* one an item of the set */
    struct batch batch;   /* of those items that were located */
    int64_t start_ms;
};

/* The error that ends the call: none when the caller takes each by itself. */
static enum err_code first_failure(const struct publication *p, struct err *err)
{
    for (size_t i = 0; !p->opts->outcomes && i < p->set->count; i++) {
        if (p->outcomes[i].code == ERR_OK)
            continue;
        if (err)
            *err = p->outcomes[i];
        return p->outcomes[i].code;
    }
    return ERR_OK;
}

static void publication_done(struct publication *p)
{
    batch_done(&p->batch);
}

/* ------------------------------------------------------------------ placing */

/* An entry of an earlier call for the same name and value: the client asks again, there is still one record.  One that
 * another run left is taken over; only what this run has published before is not ours to roll back. */
static void adopt_entry(const struct challenge *c, const struct journal_index *index, struct placement *p)
{
    size_t at = 0;

    for (const struct journal_entry *entry = journal_index_find(index, p->name, &at); entry;
         entry = journal_index_next(index, p->name, &at)) {
        if (entry->zone_id == p->zone->id && strcmp(entry->name, p->name) == 0 && strcmp(entry->value, p->value) == 0 &&
            strcmp(entry->account, p->zone->account->name) == 0 &&
            strcmp(entry->endpoint, p->zone->account->endpoint) == 0) {
            journal_entry_copy(&p->entry, entry);
            p->may_exist = true;
            if (entry->state == JOURNAL_PUBLISHED && strcmp(entry->run_id, c->opts.run_id) == 0)
                p->age = PLACEMENT_KNOWN;
            return;
        }
    }
}

/* Placements for those that were located. */
static void take_locations(struct publication *p, struct location *locations, const struct journal_list *journal)
{
    AUTO(journal_index_done) struct journal_index index;

    journal_index_init(&index, journal);
    for (size_t i = 0; i < p->set->count; i++) {
        struct placement placement = {.age = PLACEMENT_NEW, .outcome = &p->outcomes[i]};

        if (locations[i].err.code != ERR_OK)
            continue;
        placement.asked = mem_strdup(p->set->items[i].name);
        placement.value = mem_strdup(p->set->items[i].value);
        placement.name = locations[i].name;
        placement.zone = locations[i].zone;
        locations[i].name = NULL;
        adopt_entry(p->c, &index, &placement);
        batch_add_take(&p->batch, &placement);
    }
}

static enum err_code place(struct publication *p, struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {0};
    AUTO_FREE struct location *locations = mem_calloc(p->set->count, sizeof *locations);
    enum err_code code = p->c->opts.store ? journal_load(p->c->opts.store, &journal, err) : ERR_OK;

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < p->set->count; i++)
        locations[i].asked = p->set->items[i].name;
    code = locate_all(p->c, locations, p->set->count, p->opts->outcomes ? LOCATE_EACH : LOCATE_OR_STOP, err);
    for (size_t i = 0; i < p->set->count; i++)
        p->outcomes[i] = locations[i].err;
    if (code == ERR_OK)
        code = first_failure(p, err);
    if (code == ERR_OK)
        take_locations(p, locations, &journal);
    locations_done(locations, p->set->count);
    return code;
}

static void fail_account(struct publication *p, const struct challenge_account *account, const struct err *why)
{
    for (size_t i = 0; i < p->batch.count; i++)
        if (p->batch.items[i].zone->account == account)
            *p->batch.items[i].outcome = *why;
}

/* What is created will have to be deleted, so the requests for both must fit. */
static enum err_code admit(struct publication *p, struct err *err)
{
    AUTO(groups_done) struct groups groups;

    groups_init(&groups, &p->batch);
    for (size_t i = 0; i < p->c->opts.account_count; i++) {
        const struct challenge_account *account = &p->c->opts.accounts[i];
        size_t requests = groups_requests(&groups, account);
        struct err why;
        enum err_code code = requests ? dme_admit(account->dme, requests * 2, &why) : ERR_OK;

        if (code == ERR_CANCELLED)
            return err_set(err, code, "%s", why.msg);
        if (code != ERR_OK)
            fail_account(p, account, &why);
    }
    return first_failure(p, err);
}

/* ------------------------------------------------------------------ creating */

static void log_created(struct challenge *c, const struct placement *p, int64_t ms)
{
    const struct log_field fields[] = {
        {"name", p->name, 0},
        {"zone", p->zone->name, 0},
        {"record_id", NULL, p->record_id},
        {"ms", NULL, ms},
    };

    log_event(c->opts.log, LOG_INFO, fields, ARRAY_LEN(fields), "TXT record \"%s\" has id %" PRId64, p->name,
              p->record_id);
}

static void tell_created(struct challenge *c, const struct picks *created, int64_t ms)
{
    size_t count;

    for (size_t i = 0; i < created->count; i += count) {
        count = picks_run(created, i);
        for (size_t k = i; k < i + count; k++)
            log_created(c, created->items[k], ms);
        log_line(c->opts.log, LOG_INFO, "%zu TXT record%s of zone \"%s\" published in %" PRId64 " ms", count,
                 count == 1 ? "" : "s", created->items[i]->zone->name, ms);
    }
}

/* It is published all the same: a delegation may be on its way, and what we see need not be what the CA sees. */
static void warn_if_unseen(struct challenge *c, struct zone *zone)
{
    if (!zone->unseen)
        return;
    log_line(c->opts.log, LOG_WARNING,
             "%s, so a CA will hardly find its records (check the NS records at its registrar), continuing",
             zone->unseen);
    mem_free_auto(&zone->unseen);
}

static void tell_intent(struct challenge *c, const struct picks *wanted, enum err_code code)
{
    size_t count;

    for (size_t i = 0; i < wanted->count; i += count) {
        struct zone *zone = wanted->items[i]->zone;

        count = picks_run(wanted, i);
        warn_if_unseen(c, zone);
        if (code == ERR_OK && c->opts.store)
            log_line(c->opts.log, LOG_INFO, "%zu TXT record%s of zone \"%s\" journalled", count, count == 1 ? "" : "s",
                     zone->name);
    }
}

/* Journal, create, journal: those that are not there yet and have not failed. */
static enum err_code create(struct publication *p, struct groups *groups, struct err *err)
{
    AUTO(picks_done) struct picks wanted = {0};
    AUTO(picks_done) struct picks created = {0};
    int64_t start_ms = clock_mono_ms(p->c->opts.clock);
    enum err_code code, noted;

    for (size_t i = 0; i < p->batch.count; i++)
        if (p->batch.items[i].outcome->code == ERR_OK && !p->batch.items[i].record_id)
            picks_add(&wanted, &p->batch.items[i]);
    code = record_intent(p->c, &wanted, err);
    tell_intent(p->c, &wanted, code);
    if (code != ERR_OK)
        return code;
    code = groups_create(p->c, groups, err);
    for (size_t i = 0; i < wanted.count; i++)
        if (wanted.items[i]->record_id)
            picks_add(&created, wanted.items[i]);
    noted = record_published(p->c, &created, code == ERR_OK ? err : NULL);
    tell_created(p->c, &created, clock_mono_ms(p->c->opts.clock) - start_ms);
    return code == ERR_OK ? noted : code;
}

/* ------------------------------------------------------------------ zones that are gone */

/* The look-up by name found it a moment ago, and the creation did not. */
static void fail_vanished(const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct err *outcome = group->items[i].outcome;

        if (outcome->code != ERR_NOT_FOUND)
            continue;
        outcome->code = err_prefix(outcome, ERR_ZONE, "zone \"%s\" vanished", group->items[i].zone->name);
        err_hint(outcome,
                 "Look in the control panel of DNS Made Easy whether the zone is being moved or deleted, and try "
                 "again.");
    }
}

/* Records that were refused because the id of their zone is not known any more; tells whether there are any. */
static bool pick_lost(const struct group *group, struct picks *out)
{
    size_t before = out->count;

    for (size_t i = 0; i < group->count; i++)
        if (group->items[i].outcome->code == ERR_NOT_FOUND && !group->items[i].record_id)
            picks_add(out, &group->items[i]);
    return out->count > before;
}

/* Find the zones of these records anew. */
static enum err_code place_again(struct publication *p, const struct picks *lost, struct err *err)
{
    AUTO_FREE struct location *locations = mem_calloc(lost->count, sizeof *locations);
    enum err_code code;

    for (size_t i = 0; i < lost->count; i++)
        locations[i].asked = lost->items[i]->asked;
    code = locate_all(p->c, locations, lost->count, LOCATE_EACH, err);
    for (size_t i = 0; code == ERR_OK && i < lost->count; i++) {
        struct placement *placement = lost->items[i];

        *placement->outcome = locations[i].err;
        if (locations[i].err.code != ERR_OK)
            continue;
        mem_free_auto(&placement->name);
        placement->name = locations[i].name;
        placement->zone = locations[i].zone;
        locations[i].name = NULL;
    }
    locations_done(locations, lost->count);
    return code;
}

/* Remembered zones that turned out to be gone are forgotten, and their records placed anew: *out_count of them.  Once a
 * zone: what was found anew is not ZONE_REMEMBERED. */
static enum err_code find_anew(struct publication *p, const struct groups *groups, size_t *out_count, struct err *err)
{
    AUTO(picks_done) struct picks lost = {0};

    for (size_t i = 0; i < groups->count; i++) {
        struct zone *zone = groups->items[i].items[0].zone;

        if (zone->origin != ZONE_REMEMBERED) {
            fail_vanished(&groups->items[i]);
        } else if (pick_lost(&groups->items[i], &lost)) {
            log_line(p->c->opts.log, LOG_INFO, "zone \"%s\" has another id than remembered, looking it up", zone->name);
            zones_forget(p->c, zone);
        }
    }
    *out_count = lost.count;
    return lost.count ? place_again(p, &lost, err) : ERR_OK;
}

static enum err_code publish_batch(struct publication *p, struct err *err)
{
    size_t lost = 1;
    enum err_code code = ERR_OK;

    while (code == ERR_OK && lost) {
        AUTO(groups_done) struct groups groups;

        groups_init(&groups, &p->batch);
        code = create(p, &groups, err);
        if (code == ERR_OK)
            code = find_anew(p, &groups, &lost, err);
        if (code == ERR_OK)
            code = first_failure(p, err);
    }
    return code;
}

/* ------------------------------------------------------------------ waiting */

static int64_t remaining_ms(const struct publication *p)
{
    int64_t limit_ms = p->opts->time_limit_ms;
    int64_t left;

    if (!limit_ms)
        return 0;
    left = limit_ms - (clock_mono_ms(p->c->opts.clock) - p->start_ms);
    return left > 1 ? left : 1;
}

static enum err_code wait(struct publication *p, struct err *err)
{
    return p->opts->outcomes ? await_each(p->c, &p->batch, p->opts, remaining_ms(p), err)
                             : await_batch(p->c, &p->batch, p->opts, remaining_ms(p), err);
}

/* ------------------------------------------------------------------ entry */

/* Take the records that failed out of the batch. */
static void part_failed(struct batch *batch, struct batch *failed)
{
    struct batch good = {NULL, 0};

    for (size_t i = 0; i < batch->count; i++)
        batch_add_take(batch->items[i].outcome->code == ERR_OK ? &good : failed, &batch->items[i]);
    batch_done(batch);
    *batch = good;
}

/* Publish what was placed.  What fails alone goes into `failed`.  What fails in the wait stays where it is if the
 * caller wants to keep it. */
static enum err_code carry_out(struct publication *p, struct batch *failed, bool *out_is_kept, struct err *err)
{
    enum err_code code = publish_batch(p, err);

    *out_is_kept = false;
    if (code != ERR_OK)
        return code;
    part_failed(&p->batch, failed);
    if (p->opts->wait != CHALLENGE_WAIT) {
        published_note(&p->c->published, &p->batch);
        return ERR_OK;
    }
    code = wait(p, err);
    *out_is_kept = p->opts->on_timeout == CHALLENGE_TIMEOUT_KEEP && code != ERR_CANCELLED;
    if (code == ERR_OK && !*out_is_kept)
        part_failed(&p->batch, failed);
    return code;
}

/* Nothing is to stay. */
static void roll_back(struct publication *p, struct batch *failed)
{
    for (size_t i = 0; i < failed->count; i++)
        batch_add_take(&p->batch, &failed->items[i]);
    clock_accept_cancel(p->c->opts.clock);
    (void)!undo(p->c, &p->batch);
}

enum err_code challenge_publish(struct challenge *c, const struct challenge_set *set,
                                const struct challenge_publish_opts *opts, struct err *err)
{
    AUTO_FREE struct err *own = opts->outcomes ? NULL : mem_calloc(set->count, sizeof *own);
    AUTO(batch_done) struct batch failed = {0};
    AUTO(publication_done)
    struct publication p = {.c = c,
                            .set = set,
                            .opts = opts,
                            .outcomes = opts->outcomes ? opts->outcomes : own,
                            .start_ms = clock_mono_ms(c->opts.clock)};
    bool is_kept = false;
    enum err_code code = place(&p, err);

    if (code == ERR_OK)
        code = admit(&p, err);
    if (code != ERR_OK)
        return code; /* nothing was changed yet */
    code = carry_out(&p, &failed, &is_kept, err);
    if ((code == ERR_OK || is_kept) && undo(c, &failed) != ERR_CANCELLED)
        return code;
    if (code == ERR_OK)
        code = err_set(err, ERR_CANCELLED, "interrupted while records that failed were withdrawn");
    roll_back(&p, &failed);
    return code;
}
