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
static enum err_code match_ids(struct challenge *c, struct group *group, struct err *err)
{
    AUTO_STRLIST struct strlist names = {0};
    AUTO_FREE struct dme_record *records = mem_calloc(group->count, sizeof *records);
    AUTO_FREE struct placement **places = mem_calloc(group->count, sizeof(struct placement *));
    const struct zone *zone = group->items[0].zone;
    size_t n = 0;
    enum err_code code;

    for (size_t i = 0; i < group->count; i++) {
        struct placement *p = &group->items[i];

        if (p->is_removed || is_fresh(c, p))
            continue;
        strlist_add_take(&names, name_relative(p->name, zone->name));
        places[n] = p;
        records[n++] = (struct dme_record){.name = names.items[names.count - 1], .value = p->value};
    }
    if (n == 0)
        return ERR_OK;
    code = dme_records_find(zone->account->dme, zone->id, records, n, err);
    for (size_t i = 0; code == ERR_OK && i < n; i++)
        places[i]->record_id = records[i].id;
    return code;
}

/* Errors: as groups_delete(), and of the group. */
static enum err_code delete_group(struct challenge *c, struct group *group, struct err *err)
{
    struct groups one = {group, 1};
    enum err_code code;

    err_init(&group->err);
    code = groups_delete(c, &one, err);
    if (code != ERR_OK)
        return code;
    if (group->err.code != ERR_OK && err)
        *err = group->err;
    return group->err.code;
}

static enum err_code contradiction(const struct zone *zone, struct err *err)
{
    return err_set(err, ERR_API, "DNS Made Easy shows zone \"%s\" and denies that its records exist", zone->name);
}

static void drop_ids(struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (!group->items[i].is_removed)
            group->items[i].record_id = 0;
}

/* "Not found" may be a record that is gone already, or an answer of something that is not the API: look again before
 * the journal forgets.  Errors: ERR_NOT_FOUND when the API denies the zone's id. */
static enum err_code delete_again(struct challenge *c, struct group *group, struct err *err)
{
    enum err_code code;

    drop_ids(group);
    code = match_ids(c, group, err);
    if (code != ERR_OK)
        return code;
    code = delete_group(c, group, err);
    return code == ERR_NOT_FOUND ? contradiction(group->items[0].zone, err) : code;
}

/* Neither the zone's id nor its name is known to the API any more, so it is gone, and all in it.  Unless what answers
 * is not quite the API at the moment: entries that are not old yet stay, and a later sweep decides. */
static void accept_loss(struct challenge *c, struct group *group)
{
    int64_t now_ms = clock_wall_ms(c->opts.clock);
    size_t lost = 0;

    for (size_t i = 0; i < group->count; i++) {
        struct placement *p = &group->items[i];

        if (p->is_removed)
            continue;
        lost++;
        p->record_id = 0;
        p->may_appear |= now_ms - p->entry.created_ms < BELIEVE_MS;
    }
    log_line(c->opts.log, LOG_WARNING, "zone \"%s\" is gone, and %zu TXT record%s of ours with it, continuing",
             group->items[0].zone->name, lost, lost == 1 ? "" : "s");
}

/* The API denies the id of the zone.  Perhaps it has another one by now, and our records in it; or the answer was not
 * the API's, and the same id will do. */
static enum err_code remove_anew(struct challenge *c, struct group *group, struct err *err)
{
    struct zone *old = group->items[0].zone;
    struct zone *now = NULL;
    enum err_code code;

    zones_forget(c, old);
    code = zones_want(c, old->name, &now, err);
    if (code == ERR_NOT_FOUND) {
        accept_loss(c, group);
        return ERR_OK;
    }
    if (code != ERR_OK)
        return code;
    drop_ids(group);
    for (size_t i = 0; i < group->count; i++)
        group->items[i].zone = now;
    code = match_ids(c, group, err);
    if (code == ERR_OK)
        code = delete_group(c, group, err);
    if (code == ERR_NOT_FOUND)
        code = delete_again(c, group, err);
    return code == ERR_NOT_FOUND ? contradiction(now, err) : code;
}

static void log_removed(struct challenge *c, const struct group *group, const char *zone_name, int64_t ms)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct placement *p = &group->items[i];
        const struct log_field fields[] = {
            {"name", p->name, 0},
            {"zone", zone_name, 0},
            {"record_id", NULL, p->record_id},
        };
        if (p->record_id)
            log_event(c->opts.log, LOG_INFO, fields, ARRAY_LEN(fields), "TXT record \"%s\", id %" PRId64 ", deleted",
                      p->name, p->record_id);
        else
            log_event(c->opts.log, LOG_INFO, fields, 2, "TXT record \"%s\" is not there", p->name);
    }
    log_line(c->opts.log, LOG_INFO, "%zu TXT record%s of zone \"%s\" withdrawn in %" PRId64 " ms", group->count,
             group->count == 1 ? "" : "s", zone_name, ms);
}

/* How far a group has come when it is its turn to be settled. */
struct removal {
    struct group *group;
    bool is_matched; /* an error of its is one of the deletion */
};

/* Strike out what is deleted; of a zone with many records that can be some of them. */
static enum err_code strike_out(struct challenge *c, struct group *group, enum err_code code, struct err *err)
{
    AUTO(picks_done) struct picks picks = {0};

    for (size_t i = 0; i < group->count; i++)
        if (code == ERR_OK || group->items[i].is_removed)
            picks_add(&picks, &group->items[i]);
    return record_removed(c, &picks, err);
}

static enum err_code settle(struct challenge *c, const struct removal *removal, int64_t start_ms, struct err *err)
{
    struct group *group = removal->group;
    const char *zone_name = group->items[0].zone->name;
    struct err why = group->err;
    enum err_code code = why.code;
    enum err_code noted;

    if (code == ERR_NOT_FOUND && removal->is_matched)
        code = delete_again(c, group, &why);
    if (code == ERR_NOT_FOUND)
        code = remove_anew(c, group, &why);
    if (code == ERR_OK)
        log_removed(c, group, zone_name, clock_mono_ms(c->opts.clock) - start_ms);
    noted = strike_out(c, group, code, code == ERR_OK ? err : NULL);
    if (code == ERR_OK)
        return noted;
    if (err)
        *err = why;
    return err_prefix(err, code, "TXT record \"%s\"%s", group->items[0].name, group->count > 1 ? " and others" : "");
}

/* Ids that are fresh or can be matched are deleted in all zones side by side; groups get an error. */
static void remove_likely(struct challenge *c, struct groups *groups, struct removal *removals)
{
    struct err why;
    enum err_code code;

    for (size_t i = 0; i < groups->count; i++) {
        struct group *group = &groups->items[i];

        group->err.code = match_ids(c, group, &group->err);
        removals[i] = (struct removal){group, group->err.code == ERR_OK};
    }
    code = groups_delete(c, groups, &why);
    for (size_t i = 0; code != ERR_OK && i < groups->count; i++)
        if (groups->items[i].err.code == ERR_OK)
            groups->items[i].err = why;
}

enum err_code remove_batch(struct challenge *c, struct batch *batch, struct err *err)
{
    AUTO(groups_done) struct groups groups;
    AUTO_FREE struct removal *removals = NULL;
    int64_t start_ms = clock_mono_ms(c->opts.clock);
    enum err_code first = ERR_OK;

    zones_forgive(c);
    groups_init(&groups, batch);
    removals = mem_calloc(groups.count, sizeof *removals);
    remove_likely(c, &groups, removals);
    for (size_t i = 0; i < groups.count; i++) {
        enum err_code code = settle(c, &removals[i], start_ms, first == ERR_OK ? err : NULL);

        if (first == ERR_OK)
            first = code;
    }
    return first;
}
