/* SPDX-License-Identifier: MIT
 *
 * From the name that was asked for to the zone and name that the record is written to.
 *
 * A zone that the API has and that holds the name need not be the one the world sees: the resolver may show another
 * DNS than the world's (split horizon), a remembered zone may have got a sub-zone since, and the name may be an alias.
 * One question, without recursion, to the zone's own servers settles all three: they answer for the name, or refer to
 * a sub-zone, or show a CNAME.  When they can't be asked (port 53 closed) the API's word stands.
 *
 * Many names go side by side, see survey.h; each goes on from where it was when something had to be asked for.
 *
 * The name may also be in a zone that is hosted elsewhere, with a CNAME there that leads into one of ours: then that
 * zone's public servers are asked.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "flow/survey.h"
#include "util/text.h"

#define HOPS_MAX 16

static char *trail_text(const struct location *at)
{
    struct buf out = BUF_INIT(ERR_MSG_MAX);

    for (size_t i = 0; i < at->trail.count; i++)
        buf_printf(&out, "%s\"%s\"", i ? " -> " : "", at->trail.items[i]);
    return buf_take(&out);
}

/* ------------------------------------------------------------------ what the zone's servers say */

/* An alias does not tell which zone it is in; the nearest name above it that is none does.  *out is NULL when there is
 * no such name. */
static enum err_code look_above(struct survey *survey, struct zone *zone, const char *name,
                                const struct authority_view **out)
{
    *out = NULL;
    for (const char *at = name_parent(name); at && name_is_within(at, zone->name); at = name_parent(at)) {
        const struct authority_view *view = NULL;
        enum err_code code = survey_look(survey, zone, at, &view);

        if (code != ERR_OK)
            return code;
        if (view->kind != AUTHORITY_ALIAS) {
            *out = view;
            return ERR_OK;
        }
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ aliases */

/* A CNAME at "*.<parent>" stands for every name that has no records of its own.  It was not made for challenges and
 * leads to some web host; a TXT record at the name itself takes the name out of its reach.  The zone's servers show the
 * same target for a sibling that nobody can have made. */
static enum err_code check_wildcard(struct survey *survey, struct zone *zone, const char *name, const char *target,
                                    bool *out_is_wildcard, struct err *err)
{
    const struct authority_view *view = NULL;
    AUTO_FREE char *sibling = NULL;
    enum err_code code;

    *out_is_wildcard = false;
    if (!name_parent(name))
        return ERR_OK;
    code = survey_sibling(survey, name_parent(name), &sibling, err);
    if (code != ERR_OK || !sibling)
        return code;
    code = survey_look(survey, zone, sibling, &view);
    *out_is_wildcard = code == ERR_OK && view->kind == AUTHORITY_ALIAS && text_casecmp(view->target, target) == 0;
    return code;
}

enum alias { ALIAS_NONE, ALIAS_IGNORED, ALIAS_OF_WILDCARD, ALIAS_FOLLOWED };

static enum err_code judge_alias(struct survey *survey, const struct location *at, const struct authority_view *view,
                                 enum alias *out, struct err *err)
{
    bool is_wildcard = false;
    enum err_code code;

    *out = view->kind == AUTHORITY_ALIAS ? ALIAS_IGNORED : ALIAS_NONE;
    if (*out == ALIAS_NONE || survey->c->opts.cname != CHALLENGE_CNAME_FOLLOW)
        return ERR_OK;
    code = check_wildcard(survey, at->zone, at->name, view->target, &is_wildcard, err);
    if (code == ERR_OK)
        *out = is_wildcard ? ALIAS_OF_WILDCARD : ALIAS_FOLLOWED;
    return code;
}

/* ------------------------------------------------------------------ steps */

static bool is_below(const char *zone, const char *above)
{
    return zone && strlen(zone) > strlen(above) && name_is_within(zone, above);
}

static enum err_code refuse_delegation(const struct zone *zone, const char *sub_zone, const char *name, struct err *err)
{
    enum err_code code = err_set(err, ERR_ZONE,
                                 "\"%s\" is in zone \"%s\", which zone \"%s\" delegates away and which "
                                 "is not in the account",
                                 name, sub_zone, zone->name);

    err_hint(err,
             "Add zone \"%s\" to DNS Made Easy, name the account that has it under \"accounts:\", or make \"%s\" "
             "a CNAME into a zone of this account.",
             sub_zone, name);
    return code;
}

/* The servers show a zone below the one we took: that one must be ours too.  Another name may have led to it already.
 */
static enum err_code step_down(struct challenge *c, const struct zone *from, const char *sub_zone, const char *name,
                               struct zone **out, struct err *err)
{
    struct zone *known = zones_known(c, name);
    enum err_code code;

    if (known && strcmp(known->name, sub_zone) == 0) {
        *out = known;
        return ERR_OK;
    }
    code = zones_want(c, sub_zone, out, err);
    if (code != ERR_NOT_FOUND)
        return code;
    code = zones_refusal(c, name, err);
    return code != ERR_OK ? code : refuse_delegation(from, sub_zone, name, err);
}

/* From here on the zone has to be found anew. */
static enum err_code follow(struct survey *survey, struct location *at, const char *target, struct err *err)
{
    AUTO_FREE char *normal = NULL;
    AUTO_FREE char *way = NULL;
    enum err_code code = name_normalise(target, &normal, err);

    if (code != ERR_OK)
        return err_prefix(err, code, "CNAME at \"%s\"", at->name);
    if (strlist_has(&at->trail, normal) || at->trail.count > HOPS_MAX) {
        strlist_add(&at->trail, normal);
        way = trail_text(at);
        code = err_set(err, ERR_ZONE, "the CNAMEs at \"%s\" %s: %s", at->trail.items[0],
                       at->trail.count > HOPS_MAX + 1 ? "are too many" : "form a loop", way);
        err_hint(err, "Correct the CNAME, or set \"follow_cname: false\" to write at the name itself.");
        return code;
    }
    log_line(survey->c->opts.log, LOG_INFO, "\"%s\" is a CNAME to \"%s\"", at->name, normal);
    strlist_add(&at->trail, normal);
    free(at->name);
    at->name = mem_strdup(normal);
    at->zone = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ a zone for a name */

struct outside_alias {
    const char *target; /* NULL: none; the survey's */
    bool is_wildcard;
};

/* The alias at a name that seems to be in no zone of ours, as its public servers show it; `cut` may be NULL.  Errors:
 * NOT_YET, ERR_INTERNAL. */
static enum err_code find_outside_alias(struct survey *survey, const char *cut, const char *name,
                                        struct outside_alias *out, struct err *err)
{
    const struct challenge_opts *opts = &survey->c->opts;
    bool is_doh_only = opts->doh_mode == CHALLENGE_DOH_ALWAYS && opts->doh_count;
    const char *zone_name = cut ? cut : name_parent(name);
    const struct authority_view *view = NULL;
    struct zone *outside;
    enum err_code code;

    if (!zone_name || (!cut && !opts->nameservers->count && !is_doh_only))
        return ERR_OK; /* nobody to ask */
    outside = survey_outside(survey, zone_name);
    code = survey_look(survey, outside, name, &view);
    while (code == ERR_OK && view->kind == AUTHORITY_DELEGATED && is_below(view->zone, outside->name)) {
        outside = survey_outside(survey, view->zone);
        code = survey_look(survey, outside, name, &view);
    }
    if (code != ERR_OK || view->kind != AUTHORITY_ALIAS)
        return code;
    code = check_wildcard(survey, outside, name, view->target, &out->is_wildcard, err);
    if (code == ERR_OK)
        out->target = view->target;
    return code;
}

/* Find a zone that is not known yet, or else the alias that leads on from the name: one of *out_zone and *out_target is
 * set. */
static enum err_code find_unknown_zone(struct survey *survey, const char *name, struct zone **out_zone,
                                       const char **out_target, struct err *err)
{
    struct zone_search *search = survey_search(survey, name);
    struct outside_alias alias = {NULL, false};
    enum err_code code = zone_search_likely(survey->c, search, out_zone, err);

    if (code != ERR_NOT_FOUND)
        return code;
    code = survey->c->opts.cname == CHALLENGE_CNAME_FOLLOW ? find_outside_alias(survey, search->cut, name, &alias, err)
                                                           : ERR_OK;
    if (code != ERR_OK)
        return code;
    /* A wildcard's alias only counts when the name can't be written to itself. */
    code = alias.target && !alias.is_wildcard ? ERR_ZONE : zone_search_suffixes(survey->c, search, out_zone, err);
    if (code != ERR_ZONE || !alias.target)
        return code;
    *out_target = alias.target;
    return ERR_OK;
}

static enum err_code explain_way(const struct location *at, enum err_code code, struct err *err)
{
    if (code == ERR_ZONE && at->trail.count > 1) {
        AUTO_FREE char *way = trail_text(at);
        (void)err_prefix(err, code, "CNAME %s", way);
        err_hint(err, "The CNAME must lead into a zone of the account; or set \"follow_cname: false\" to write at the "
                      "name itself.");
    }
    return code;
}

static enum err_code find_zone(struct survey *survey, struct location *at, struct err *err)
{
    while (true) {
        const char *target = NULL;
        struct zone *zone = zones_known(survey->c, at->name);
        enum err_code code = zone ? ERR_OK : find_unknown_zone(survey, at->name, &zone, &target, err);

        if (code != ERR_OK)
            return explain_way(at, code, err);
        if (zone) {
            at->zone = zone;
            return ERR_OK;
        }
        code = follow(survey, at, target, err);
        if (code != ERR_OK)
            return code;
    }
}

/* ------------------------------------------------------------------ the walk */

enum progress { ARRIVED, MOVED };

/* See what stands at the name, and go where it points.  Nothing has moved when the answer is NOT_YET. */
static enum err_code take_step(struct survey *survey, struct location *at, enum progress *out, struct err *err)
{
    const struct authority_view *view = NULL;
    enum alias alias = ALIAS_NONE;
    enum err_code code = survey_look(survey, at->zone, at->name, &view);

    *out = MOVED;
    if (code == ERR_OK)
        code = judge_alias(survey, at, view, &alias, err);
    if (code == ERR_OK && alias == ALIAS_FOLLOWED)
        return follow(survey, at, view->target, err);
    if (code == ERR_OK && alias != ALIAS_NONE)
        code = look_above(survey, at->zone, at->name, &view);
    if (code != ERR_OK)
        return code;
    if (alias == ALIAS_OF_WILDCARD)
        log_line(survey->c->opts.log, LOG_INFO, "the CNAME at \"%s\" is that of a wildcard, writing at the name itself",
                 at->name);
    if (view && is_below(view->zone, at->zone->name))
        return step_down(survey->c, at->zone, view->zone, at->name, &at->zone, err);
    *out = ARRIVED;
    return ERR_OK;
}

/* It ends: a trail has a limit, and between its hops each zone is below the last one.  Errors: NOT_YET: to be called
 * again. */
static enum err_code walk(struct survey *survey, struct location *at, struct err *err)
{
    enum progress progress = MOVED;
    enum err_code code = ERR_OK;

    while (code == ERR_OK && progress == MOVED)
        code = at->zone ? take_step(survey, at, &progress, err) : find_zone(survey, at, err);
    return code;
}

/* ------------------------------------------------------------------ many names */

static void log_place(struct challenge *c, const struct location *at, int64_t ms)
{
    const struct log_field fields[] = {
        {"asked", at->asked, 0},
        {"name", at->name, 0},
        {"zone", at->zone->name, 0},
        {"ms", NULL, ms},
    };
    AUTO_FREE char *as = strcmp(at->asked, at->name) == 0 ? mem_strdup("") : mem_printf(", as \"%s\"", at->name);

    log_event(c->opts.log, LOG_INFO, fields, ARRAY_LEN(fields),
              "\"%s\" belongs to zone \"%s\"%s, found in %" PRId64 " ms", at->asked, at->zone->name, as, ms);
}

void locations_done(struct location *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(items[i].name);
        strlist_done(&items[i].trail);
    }
}

/* Those that are still on their way; sorted out as they arrive or fail. */
struct walkers {
    struct location **items;
    size_t count;
    int64_t start_ms;
    size_t failed;
};

/* Let each go as far as it can.  Errors: ERR_CANCELLED. */
static enum err_code go_on(struct survey *survey, struct walkers *walkers, struct err *err)
{
    size_t left = 0;

    for (size_t i = 0; i < walkers->count; i++) {
        struct location *at = walkers->items[i];
        enum err_code code = walk(survey, at, &at->err);

        if (code == ERR_CANCELLED)
            return err_set(err, code, "%s", at->err.msg);
        if (code == NOT_YET) {
            err_init(&at->err); /* what was tried and failed on the way is not the end of it */
            walkers->items[left++] = at;
            continue;
        }
        if (code == ERR_OK)
            log_place(survey->c, at, clock_mono_ms(survey->c->opts.clock) - walkers->start_ms);
        else
            at->zone = NULL;
        at->err.code = code;
        walkers->failed += code != ERR_OK;
    }
    walkers->count = left;
    return ERR_OK;
}

enum err_code locate_all(struct challenge *c, struct location *items, size_t count, enum locate_mode mode,
                         struct err *err)
{
    AUTO(survey_done) struct survey survey = {.c = c};
    AUTO_FREE struct location **on_their_way = mem_calloc(count, sizeof(struct location *));
    struct walkers walkers = {.items = on_their_way, .count = count, .start_ms = clock_mono_ms(c->opts.clock)};
    enum err_code code = ERR_OK;

    zones_forgive(c);
    for (size_t i = 0; i < count; i++) {
        err_init(&items[i].err);
        items[i].name = mem_strdup(items[i].asked);
        items[i].zone = NULL;
        items[i].trail = (struct strlist){NULL, 0};
        strlist_add(&items[i].trail, items[i].asked);
        on_their_way[i] = &items[i];
    }
    while (code == ERR_OK && walkers.count) {
        code = go_on(&survey, &walkers, err);
        if (walkers.failed && mode == LOCATE_OR_STOP)
            break;
        if (code == ERR_OK && walkers.count)
            code = survey_ask(&survey, err);
    }
    return code;
}

enum err_code locate(struct challenge *c, const char *asked, char **out_name, struct zone **out_zone, struct err *err)
{
    struct location one = {.asked = asked};
    enum err_code code = locate_all(c, &one, 1, LOCATE_EACH, err);

    if (code == ERR_OK && one.err.code != ERR_OK) {
        code = one.err.code;
        if (err)
            *err = one.err;
    }
    if (code == ERR_OK) {
        *out_name = one.name;
        *out_zone = one.zone;
        one.name = NULL;
    }
    locations_done(&one, 1);
    return code;
}
