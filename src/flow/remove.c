/* SPDX-License-Identifier: MIT
 *
 * Deleting what is ours, and only that: by id, after name and value matched.  An id counts as matched when the API
 * gave it for exactly this name and value a short while ago; older ids are looked up again, as somebody may have edited
 * the record since.
 */
#include "flow/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

#define FRESH_MS (60 * 60 * 1000LL)
#define BELIEVE_MS (24 * 60 * 60 * 1000LL)

static bool is_fresh(const struct challenge *c, const struct placement *p)
{
    int64_t age = clock_wall_ms(c->opts.clock) - p->entry.published_ms;

    return p->record_id && p->entry.id && p->entry.state == JOURNAL_PUBLISHED && age >= 0 && age < FRESH_MS;
}

/* Ids by name and value of those placements that have no fresh one; 0 for what is not there any more. */
static enum err_code match_ids(struct challenge *c, struct placement *items, size_t count, struct err *err)
{
    AUTO_STRLIST struct strlist names = {0};
    AUTO_FREE struct dme_record *records = mem_calloc(count, sizeof *records);
    AUTO_FREE size_t *places = mem_calloc(count, sizeof *places);
    const struct zone *zone = items[0].zone;
    size_t n = 0;
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        if (is_fresh(c, &items[i]))
            continue;
        strlist_add_take(&names, name_relative(items[i].name, zone->name));
        places[n] = i;
        records[n++] = (struct dme_record){.name = names.items[names.count - 1], .value = items[i].value};
    }
    if (n == 0)
        return ERR_OK;
    code = dme_records_find(zone->account->dme, zone->id, records, n, err);
    for (size_t i = 0; code == ERR_OK && i < n; i++)
        items[places[i]].record_id = records[i].id;
    return code;
}

static enum err_code delete_ids(struct placement *items, size_t count, struct err *err)
{
    AUTO_FREE int64_t *ids = mem_calloc(count, sizeof *ids);
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (items[i].record_id)
            ids[n++] = items[i].record_id;
    return n ? dme_records_delete(items[0].zone->account->dme, items[0].zone->id, ids, n, err) : ERR_OK;
}

static enum err_code contradiction(const struct zone *zone, struct err *err)
{
    return err_set(err, ERR_API, "DNS Made Easy shows zone \"%s\" and denies that its records exist", zone->name);
}

static bool any_id(const struct placement *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].record_id)
            return true;
    return false;
}

/* Errors: ERR_NOT_FOUND when the API denies the zone's id. */
static enum err_code match_and_delete(struct challenge *c, struct placement *items, size_t count, struct err *err)
{
    enum err_code code = match_ids(c, items, count, err);

    if (code != ERR_OK)
        return code;
    code = delete_ids(items, count, err);
    if (code != ERR_NOT_FOUND)
        return code;
    /* "Not found" may be a record that is gone already, or an answer of something that is not the API: look again
     * before the journal forgets. */
    for (size_t i = 0; i < count; i++)
        items[i].record_id = 0;
    code = match_ids(c, items, count, err);
    if (code != ERR_OK || !any_id(items, count))
        return code;
    code = delete_ids(items, count, err);
    return code == ERR_NOT_FOUND ? contradiction(items[0].zone, err) : code;
}

/* Neither the zone's id nor its name is known to the API any more, so it is gone, and all in it.  Unless what answers
 * is not quite the API at the moment: entries that are not old yet stay, and a later sweep decides. */
static void accept_loss(struct challenge *c, struct placement *items, size_t count)
{
    int64_t now_ms = clock_wall_ms(c->opts.clock);

    log_line(c->opts.log, LOG_WARNING, "zone \"%s\" is gone, and %zu TXT record%s of ours with it, continuing",
             items[0].zone->name, count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        items[i].record_id = 0;
        items[i].may_appear |= now_ms - items[i].entry.created_ms < BELIEVE_MS;
    }
}

/* The API denies the id of the zone.  Perhaps it has another one by now, and our records in it; or the answer was not
 * the API's, and the same id will do. */
static enum err_code remove_anew(struct challenge *c, struct placement *items, size_t count, struct err *err)
{
    struct zone *old = items[0].zone;
    struct zone *now = NULL;
    enum err_code code;

    zones_forget(c, old);
    code = zones_want(c, old->name, &now, err);
    if (code == ERR_NOT_FOUND) {
        accept_loss(c, items, count);
        return ERR_OK;
    }
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < count; i++) {
        items[i].zone = now;
        items[i].record_id = 0;
    }
    code = match_and_delete(c, items, count, err);
    return code == ERR_NOT_FOUND ? contradiction(now, err) : code;
}

static void log_removed(struct challenge *c, const struct placement *items, size_t count, const char *zone_name,
                        int64_t ms)
{
    for (size_t i = 0; i < count; i++) {
        const struct log_field fields[] = {
            {"name", items[i].name, 0},
            {"zone", zone_name, 0},
            {"record_id", NULL, items[i].record_id},
        };
        if (items[i].record_id)
            log_event(c->opts.log, LOG_INFO, fields, ARRAY_LEN(fields), "TXT record \"%s\", id %" PRId64 ", deleted",
                      items[i].name, items[i].record_id);
        else
            log_event(c->opts.log, LOG_INFO, fields, 2, "TXT record \"%s\" is not there", items[i].name);
    }
    log_line(c->opts.log, LOG_INFO, "%zu TXT record%s of zone \"%s\" withdrawn in %" PRId64 " ms", count,
             count == 1 ? "" : "s", zone_name, ms);
}

static enum err_code remove_group(struct challenge *c, struct placement *items, size_t count, struct err *err)
{
    const char *zone_name = items[0].zone->name;
    int64_t start_ms = clock_mono_ms(c->opts.clock);
    enum err_code code = match_and_delete(c, items, count, err);

    if (code == ERR_NOT_FOUND)
        code = remove_anew(c, items, count, err);
    if (code != ERR_OK)
        return err_prefix(err, code, "TXT record \"%s\"%s", items[0].name, count > 1 ? " and others" : "");
    log_removed(c, items, count, zone_name, clock_mono_ms(c->opts.clock) - start_ms);
    return record_removed(c, items, count, err);
}

enum err_code remove_batch(struct challenge *c, struct batch *batch, struct err *err)
{
    enum err_code first = ERR_OK;
    size_t count;

    batch_sort(batch);
    for (size_t i = 0; i < batch->count; i += count) {
        enum err_code code;

        count = batch_run(batch, i);
        code = remove_group(c, &batch->items[i], count, first == ERR_OK ? err : NULL);
        if (first == ERR_OK)
            first = code;
    }
    return first;
}
