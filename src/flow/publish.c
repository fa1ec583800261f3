/* SPDX-License-Identifier: MIT
 *
 * Publishing.  The order of effects is what keeps us safe: journal, API, journal.  Killed at any point, the journal
 * knows every record that may exist.
 */
#include "flow/engine.h"

#include <inttypes.h>
#include <string.h>

#include "dns/name.h"

/* ------------------------------------------------------------------ placing */

/* An entry of an earlier call for the same name and value: the client asks again, there is still one record.  One that
 * another run left is taken over; only what this run has published before is not ours to roll back. */
static void adopt_entry(const struct challenge *c, const struct journal_list *journal, struct placement *p)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_entry *entry = &journal->items[i];

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

static enum err_code place(struct challenge *c, const struct challenge_set *set, struct batch *batch, struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {0};
    enum err_code code = c->opts.store ? journal_load(c->opts.store, &journal, err) : ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < set->count; i++) {
        struct placement p = {.age = PLACEMENT_NEW};

        code = locate(c, set->items[i].name, &p.name, &p.zone, err);
        if (code != ERR_OK)
            break;
        p.asked = mem_strdup(set->items[i].name);
        p.value = mem_strdup(set->items[i].value);
        adopt_entry(c, &journal, &p);
        batch_add_take(batch, &p);
    }
    return code;
}

/* A remembered zone is gone: find the zones of its records anew. */
static enum err_code place_again(struct challenge *c, struct batch *batch, struct zone *gone, struct err *err)
{
    log_line(c->opts.log, LOG_INFO, "zone \"%s\" has another id than remembered, looking it up", gone->name);
    zones_forget(c, gone);
    for (size_t i = 0; i < batch->count; i++) {
        struct placement *p = &batch->items[i];
        char *name = NULL;
        enum err_code code;

        if (p->zone != gone)
            continue;
        code = locate(c, p->asked, &name, &p->zone, err);
        if (code != ERR_OK)
            return code;
        mem_free_auto(&p->name);
        p->name = name;
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ creating */

static enum err_code create_records(struct challenge *c, struct placement *items, size_t count, struct err *err)
{
    AUTO_STRLIST struct strlist names = {0};
    AUTO_FREE struct dme_record *records = mem_calloc(count, sizeof *records);
    const struct zone *zone = items[0].zone;
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        strlist_add_take(&names, name_relative(items[i].name, zone->name));
        records[i] =
            (struct dme_record){.name = names.items[i], .value = items[i].value, .shown = items[i].name};
    }
    code = dme_records_create(zone->account->dme, zone->id, records, count, c->opts.ttl_s, err);
    for (size_t i = 0; i < count; i++) {
        items[i].record_id = records[i].id;
        items[i].may_exist = items[i].may_exist || records[i].may_exist;
        items[i].may_appear = code != ERR_OK && dme_has_lost_answer(zone->account->dme);
    }
    return code;
}

static void log_created(struct challenge *c, const struct placement *items, size_t count, int64_t ms)
{
    for (size_t i = 0; i < count; i++) {
        const struct log_field fields[] = {
            {"name", items[i].name, 0},
            {"zone", items[i].zone->name, 0},
            {"record_id", NULL, items[i].record_id},
            {"ms", NULL, ms},
        };
        log_event(c->opts.log, LOG_INFO, fields, ARRAY_LEN(fields), "TXT record \"%s\" has id %" PRId64, items[i].name,
                  items[i].record_id);
    }
    log_line(c->opts.log, LOG_INFO, "%zu TXT record%s of zone \"%s\" published in %" PRId64 " ms", count,
             count == 1 ? "" : "s", items[0].zone->name, ms);
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

static enum err_code publish_group(struct challenge *c, struct placement *items, size_t count, struct err *err)
{
    int64_t start_ms = clock_mono_ms(c->opts.clock);
    enum err_code code = record_intent(c, items, count, err);

    warn_if_unseen(c, items[0].zone);
    if (code == ERR_OK && c->opts.store)
        log_line(c->opts.log, LOG_INFO, "%zu TXT record%s of zone \"%s\" journalled", count, count == 1 ? "" : "s",
                 items[0].zone->name);
    if (code == ERR_OK)
        code = create_records(c, items, count, err);
    if (code == ERR_OK)
        code = record_published(c, items, count, err);
    if (code == ERR_OK)
        log_created(c, items, count, clock_mono_ms(c->opts.clock) - start_ms);
    return code;
}

static bool is_published(const struct placement *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!items[i].record_id)
            return false;
    return true;
}

/* Publish every group; *out_gone is the remembered zone that turned out to be gone, when ERR_NOT_FOUND is returned. */
static enum err_code publish_groups(struct challenge *c, struct batch *batch, struct zone **out_gone, struct err *err)
{
    batch_sort(batch);
    for (size_t i = 0; i < batch->count; i += batch_run(batch, i)) {
        struct placement *items = &batch->items[i];
        size_t count = batch_run(batch, i);
        enum err_code code;

        if (is_published(items, count))
            continue;
        code = publish_group(c, items, count, err);
        if (code == ERR_NOT_FOUND)
            *out_gone = items[0].zone;
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

/* The look-up by name found it a moment ago, and the creation did not. */
static enum err_code zone_vanished(const struct zone *zone, struct err *err)
{
    enum err_code code = err_prefix(err, ERR_ZONE, "zone \"%s\" vanished", zone ? zone->name : "");

    err_hint(err, "Look in the control panel of DNS Made Easy whether the zone is being moved or deleted, and try "
                  "again.");
    return code;
}

static enum err_code publish_batch(struct challenge *c, struct batch *batch, struct err *err)
{
    struct zone *gone = NULL;
    enum err_code code = publish_groups(c, batch, &gone, err);

    /* Once a zone: what was found anew is not ZONE_REMEMBERED. */
    while (code == ERR_NOT_FOUND && gone && gone->origin == ZONE_REMEMBERED) {
        code = place_again(c, batch, gone, err);
        gone = NULL;
        if (code == ERR_OK)
            code = publish_groups(c, batch, &gone, err);
    }
    return code == ERR_NOT_FOUND ? zone_vanished(gone, err) : code;
}

/* ------------------------------------------------------------------ undoing */

/* The first record that is still there, or may be; *out_count of them. */
static const struct placement *first_left(const struct batch *batch, size_t *out_count)
{
    const struct placement *first = NULL;

    *out_count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct placement *p = &batch->items[i];

        if (p->is_removed && !p->entry.id)
            continue;
        first = first ? first : p;
        (*out_count)++;
    }
    return first;
}

static void report_undo(struct challenge *c, const struct batch *batch, enum err_code code, const struct err *err)
{
    const char *later = c->opts.store ? "\"acme-dme sweep\" will delete what the journal has"
                                      : "there is no journal, so delete it by hand";
    AUTO_FREE char *more = NULL;
    size_t count;
    const struct placement *left = first_left(batch, &count);

    if (!left) {
        log_line(c->opts.log, LOG_INFO, "%zu record%s of this call withdrawn", batch->count,
                 batch->count == 1 ? "" : "s");
        return;
    }
    more = count > 1 ? mem_printf(" and %zu more", count - 1) : mem_strdup("");
    if (code == ERR_OK)
        log_line(c->opts.log, LOG_WARNING,
                 "TXT record \"%s\"%s may still appear, as DNS Made Easy did not answer when asked to create it; %s, "
                 "continuing",
                 left->name, more, later);
    else
        log_line(c->opts.log, LOG_WARNING, "TXT record \"%s\"%s is left behind (%s); %s, continuing", left->name, more,
                 err->msg, later);
}

/* The records of this call, parted in those that exist or may exist and those that certainly do not: a request that was
 * refused has made nothing, and there is no need to ask a server that refuses us. */
static void part_ours(struct batch *batch, struct batch *existing, struct batch *absent)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct placement *p = &batch->items[i];

        if (p->age == PLACEMENT_NEW && (p->entry.id || p->record_id || p->may_exist))
            batch_add_take(p->record_id || p->may_exist ? existing : absent, p);
    }
}

/* Withdraw what this call created.  The error that brought us here stays the error that is reported. */
static void roll_back(struct challenge *c, struct batch *batch)
{
    AUTO(batch_done) struct batch ours = {0};
    AUTO(batch_done) struct batch absent = {0};
    struct err err;
    enum err_code code;

    part_ours(batch, &ours, &absent);
    clock_accept_cancel(c->opts.clock);
    if (record_removed(c, absent.items, absent.count, &err) != ERR_OK)
        log_line(c->opts.log, LOG_WARNING, "%s, continuing", err.msg);
    if (!ours.count)
        return;
    err_init(&err);
    code = remove_batch(c, &ours, &err);
    report_undo(c, &ours, code, &err);
}

/* ------------------------------------------------------------------ entry */

static int64_t remaining_ms(const struct challenge *c, int64_t start_ms, int64_t limit_ms)
{
    int64_t left;

    if (!limit_ms)
        return 0;
    left = limit_ms - (clock_mono_ms(c->opts.clock) - start_ms);
    return left > 1 ? left : 1;
}

/* TEMPORARY, until branch engine */
static enum err_code publish_each(struct challenge *c, const struct challenge_set *set,
                                const struct challenge_publish_opts *opts, struct err *err)
{
    struct challenge_publish_opts all = *opts;
    struct err why = {.code = 0};
    enum err_code code;
    all.outcomes = NULL;
    for (size_t i = 0; i < set->count; i++)
        err_init(&opts->outcomes[i]);
    code = challenge_publish(c, set, &all, &why);
    for (size_t i = 0; code != ERR_OK && code != ERR_CANCELLED && i < set->count; i++) {
        struct challenge_set one = {&set->items[i], 1};
        enum err_code now = challenge_publish(c, &one, &all, &opts->outcomes[i]);
        if (now == ERR_CANCELLED) { code = now; break; }
        if (now == ERR_OK)
            err_init(&opts->outcomes[i]);
    }
    if (code == ERR_CANCELLED) { if (err) *err = why; return code; }
    return ERR_OK;
}

enum err_code challenge_publish(struct challenge *c, const struct challenge_set *set,
                                const struct challenge_publish_opts *opts, struct err *err)
{
    AUTO(batch_done) struct batch batch = {0};
    int64_t start_ms = clock_mono_ms(c->opts.clock);
    enum err_code code;

    if (opts->outcomes)
        return publish_each(c, set, opts, err);
    code = place(c, set, &batch, err);
    if (code != ERR_OK)
        return code; /* nothing was changed yet */
    code = publish_batch(c, &batch, err);
    if (code == ERR_OK && opts->wait == CHALLENGE_WAIT) {
        code = await_batch(c, &batch, opts, remaining_ms(c, start_ms, opts->time_limit_ms), err);
        if (code != ERR_CANCELLED && opts->on_timeout == CHALLENGE_TIMEOUT_KEEP)
            return code;
    }
    if (code == ERR_OK && opts->wait == CHALLENGE_NO_WAIT)
        published_note(c, &batch);
    if (code != ERR_OK)
        roll_back(c, &batch);
    return code;
}
