/* SPDX-License-Identifier: MIT
 *
 * From the name that was asked for to the zone and name that the record is written to.
 *
 * A zone that the API has and that holds the name need not be the one the world sees: the resolver may show another
 * DNS than the world's (split horizon), a remembered zone may have got a sub-zone since, and the name may be an alias.
 * One question, without recursion, to the zone's own servers settles all three: they answer for the name, or refer to
 * a sub-zone, or show a CNAME.  When they can't be asked (port 53 closed) the API's word stands.
 *
 * The name may also be in a zone that is hosted elsewhere, with a CNAME there that leads into one of ours: then that
 * zone's public servers are asked.
 */
#include "flow/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "util/text.h"

#define HOPS_MAX 16

/* The way so far, for loops and for messages. */
struct trail {
    struct strlist names;
};

static char *trail_text(const struct trail *trail)
{
    struct buf out = BUF_INIT(ERR_MSG_MAX);

    for (size_t i = 0; i < trail->names.count; i++)
        buf_printf(&out, "%s\"%s\"", i ? " -> " : "", trail->names.items[i]);
    return buf_take(&out);
}

/* ------------------------------------------------------------------ what the zone's servers say */

static bool is_doh_only(const struct challenge *c)
{
    return c->opts.doh_mode == CHALLENGE_DOH_ALWAYS && c->opts.doh_count;
}

/* Without port 53: a DoH server is asked for the CNAME.  It may remember a "no" for a while, which is why
 * propagation_wait_doh() prefers the other ones; and why, where there is only one, it is not asked. */
static bool can_look_by_doh(const struct challenge *c)
{
    return c->opts.doh_mode != CHALLENGE_DOH_NEVER && c->opts.doh_count > 1;
}

static enum err_code look_by_doh(struct challenge *c, const char *name, struct authority_view *out, struct err *err)
{
    struct dns_question question = {.name = name, .type = DNS_CNAME, .timeout_ms = 5000};
    AUTO_DNS_ANSWER struct dns_answer answer = {.rcode = 0};
    enum err_code code = resolver_ask(c->opts.doh[0], &question, &answer, err);

    if (code != ERR_OK)
        return code;
    out->kind = AUTHORITY_HERE;
    for (size_t i = 0; i < answer.answer_count; i++) {
        if (answer.answers[i].type == DNS_CNAME && strcmp(answer.answers[i].owner, name) == 0) {
            out->kind = AUTHORITY_ALIAS;
            out->target = mem_strdup(answer.answers[i].text);
            break;
        }
    }
    return ERR_OK;
}

static enum err_code look_directly(struct challenge *c, struct zone *zone, const char *name, struct authority_view *out,
                                   struct err *err)
{
    const struct dns_servers *servers = NULL;
    enum err_code code;

    if (zone->is_silent)
        return err_set(err, ERR_TIMEOUT, "the servers of zone \"%s\" did not answer before", zone->name);
    code = servers_of_zone(c, zone, &servers, err);
    if (code == ERR_OK)
        code = authority_look(c->opts.direct, servers, zone->name, name, out, err);
    zone->is_silent = code == ERR_TIMEOUT || code == ERR_NETWORK;
    return code;
}

/* Errors: ERR_CANCELLED only.  When nobody can tell, the API's word stands. */
static enum err_code look(struct challenge *c, struct zone *zone, const char *name, struct authority_view *out,
                          struct err *err)
{
    struct err why;
    enum err_code code = ERR_NOT_FOUND;

    *out = (struct authority_view){.kind = AUTHORITY_HERE};
    if (!is_doh_only(c)) {
        code = look_directly(c, zone, name, out, &why);
        if (code != ERR_OK && code != ERR_CANCELLED)
            log_line(c->opts.log, LOG_INFO, "the servers of zone \"%s\" could not be asked about \"%s\": %s",
                     zone->name, name, why.msg);
    }
    if (code != ERR_OK && code != ERR_CANCELLED && can_look_by_doh(c))
        code = look_by_doh(c, name, out, &why);
    return code == ERR_CANCELLED ? err_set(err, code, "%s", why.msg) : ERR_OK;
}

/* An alias does not tell which zone it is in; the nearest name above it that is none does. */
static enum err_code look_above(struct challenge *c, struct zone *zone, const char *name, struct authority_view *out,
                                struct err *err)
{
    for (const char *at = name_parent(name); at && name_is_within(at, zone->name); at = name_parent(at)) {
        enum err_code code = look(c, zone, at, out, err);

        if (code != ERR_OK || out->kind != AUTHORITY_ALIAS)
            return code;
        authority_view_done(out);
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ aliases */

/* A CNAME at "*.<parent>" stands for every name that has no records of its own.  It was not made for challenges and
 * leads to some web host; a TXT record at the name itself takes the name out of its reach.  The zone's servers show the
 * same target for a sibling that nobody can have made. */
static enum err_code check_wildcard(struct challenge *c, struct zone *zone, const char *name, const char *target,
                                    bool *out_is_wildcard, struct err *err)
{
    AUTO_AUTHORITY_VIEW struct authority_view view = {.kind = AUTHORITY_HERE};
    AUTO_FREE char *sibling = NULL;
    uint64_t number = 0;
    enum err_code code;

    *out_is_wildcard = false;
    if (!name_parent(name))
        return ERR_OK;
    code = platform_random(&number, sizeof number, err);
    if (code != ERR_OK)
        return code;
    sibling = mem_printf("_acme-dme-%016" PRIx64 ".%s", number, name_parent(name));
    if (strlen(sibling) > DNS_NAME_MAX)
        return ERR_OK;
    code = look(c, zone, sibling, &view, err);
    *out_is_wildcard = code == ERR_OK && view.kind == AUTHORITY_ALIAS && text_casecmp(view.target, target) == 0;
    return code;
}

/* Should the CNAME be followed? */
static enum err_code check_alias(struct challenge *c, struct zone *zone, const char *name,
                                 const struct authority_view *view, bool *out_follow, struct err *err)
{
    bool is_wildcard = false;
    enum err_code code;

    *out_follow = view->kind == AUTHORITY_ALIAS && c->opts.cname == CHALLENGE_CNAME_FOLLOW;
    if (!*out_follow)
        return ERR_OK;
    code = check_wildcard(c, zone, name, view->target, &is_wildcard, err);
    if (code == ERR_OK && is_wildcard) {
        log_line(c->opts.log, LOG_INFO, "the CNAME at \"%s\" is that of a wildcard, writing at the name itself", name);
        *out_follow = false;
    }
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

/* The servers show a zone below the one we took: that one must be ours too. */
static enum err_code step_down(struct challenge *c, const struct zone *from, const char *sub_zone, const char *name,
                               struct zone **out, struct err *err)
{
    enum err_code code = zones_want(c, sub_zone, out, err);

    if (code != ERR_NOT_FOUND)
        return code;
    code = zones_refusal(c, err);
    return code != ERR_OK ? code : refuse_delegation(from, sub_zone, name, err);
}

static enum err_code follow(struct challenge *c, struct trail *trail, const char *target, char **name, struct err *err)
{
    AUTO_FREE char *normal = NULL;
    AUTO_FREE char *way = NULL;
    enum err_code code = name_normalise(target, &normal, err);

    if (code != ERR_OK)
        return err_prefix(err, code, "CNAME at \"%s\"", *name);
    if (strlist_has(&trail->names, normal) || trail->names.count > HOPS_MAX) {
        strlist_add(&trail->names, normal);
        way = trail_text(trail);
        code = err_set(err, ERR_ZONE, "the CNAMEs at \"%s\" %s: %s", trail->names.items[0],
                       trail->names.count > HOPS_MAX + 1 ? "are too many" : "form a loop", way);
        err_hint(err, "Correct the CNAME, or set \"follow_cname: false\" to write at the name itself.");
        return code;
    }
    log_line(c->opts.log, LOG_INFO, "\"%s\" is a CNAME to \"%s\"", *name, normal);
    strlist_add(&trail->names, normal);
    free(*name);
    *name = mem_strdup(normal);
    return ERR_OK;
}

/* ------------------------------------------------------------------ a zone for a name */

struct outside_alias {
    char *target; /* NULL: none */
    bool is_wildcard;
};

static void outside_alias_done(struct outside_alias *alias)
{
    free(alias->target);
}

/* The alias at a name that seems to be in no zone of ours, as its public servers show it; `cut` may be NULL.  Errors:
 * ERR_CANCELLED only. */
static enum err_code find_outside_alias(struct challenge *c, const char *cut, const char *name,
                                        struct outside_alias *out, struct err *err)
{
    AUTO(zone_content_done) struct zone outside = {.name = mem_strdup(cut ? cut : name_parent(name))};
    AUTO_AUTHORITY_VIEW struct authority_view view = {.kind = AUTHORITY_HERE};
    enum err_code code;

    if (!outside.name || (!cut && !c->opts.nameservers->count && !is_doh_only(c)))
        return ERR_OK; /* nobody to ask */
    code = look(c, &outside, name, &view, err);
    while (code == ERR_OK && view.kind == AUTHORITY_DELEGATED && is_below(view.zone, outside.name)) {
        zone_content_done(&outside);
        outside = (struct zone){.name = mem_strdup(view.zone)};
        authority_view_done(&view);
        code = look(c, &outside, name, &view, err);
    }
    if (code != ERR_OK || view.kind != AUTHORITY_ALIAS)
        return code;
    out->target = mem_strdup(view.target);
    return check_wildcard(c, &outside, name, view.target, &out->is_wildcard, err);
}

/* Find a zone that is not known yet, or else the alias that leads on from the name: one of *out_zone and *out_target is
 * set. */
static enum err_code find_unknown_zone(struct challenge *c, const char *name, struct zone **out_zone, char **out_target,
                                       struct err *err)
{
    AUTO(zone_search_done) struct zone_search search = {.name = name};
    AUTO(outside_alias_done) struct outside_alias alias = {NULL, false};
    enum err_code code = zone_search_likely(c, &search, out_zone, err);

    if (code != ERR_NOT_FOUND)
        return code;
    if (c->opts.cname == CHALLENGE_CNAME_FOLLOW && find_outside_alias(c, search.cut, name, &alias, err) != ERR_OK)
        return ERR_CANCELLED;
    /* A wildcard's alias only counts when the name can't be written to itself. */
    code = alias.target && !alias.is_wildcard ? ERR_ZONE : zone_search_suffixes(c, &search, out_zone, err);
    if (code != ERR_ZONE || !alias.target)
        return code;
    *out_target = alias.target;
    alias.target = NULL;
    return ERR_OK;
}

static enum err_code explain_way(const struct trail *trail, enum err_code code, struct err *err)
{
    if (code == ERR_ZONE && trail->names.count > 1) {
        AUTO_FREE char *way = trail_text(trail);
        (void)err_prefix(err, code, "CNAME %s", way);
        err_hint(err, "The CNAME must lead into a zone of the account; or set \"follow_cname: false\" to write at the "
                      "name itself.");
    }
    return code;
}

static enum err_code find_zone(struct challenge *c, struct trail *trail, char **name, struct zone **out,
                               struct err *err)
{
    while (true) {
        AUTO_FREE char *target = NULL;
        struct zone *zone = zones_known(c, *name);
        enum err_code code = zone ? ERR_OK : find_unknown_zone(c, *name, &zone, &target, err);

        if (code != ERR_OK)
            return explain_way(trail, code, err);
        if (zone) {
            *out = zone;
            return ERR_OK;
        }
        code = follow(c, trail, target, name, err);
        if (code != ERR_OK)
            return code;
    }
}

/* ------------------------------------------------------------------ the walk */

enum progress { ARRIVED, MOVED };

/* See what stands at the name, and go where it points. */
static enum err_code take_step(struct challenge *c, struct trail *trail, char **name, struct zone **zone,
                               enum progress *out, struct err *err)
{
    AUTO_AUTHORITY_VIEW struct authority_view view = {.kind = AUTHORITY_HERE};
    bool is_followed = false;
    enum err_code code = look(c, *zone, *name, &view, err);

    *out = MOVED;
    if (code == ERR_OK)
        code = check_alias(c, *zone, *name, &view, &is_followed, err);
    if (code == ERR_OK && is_followed)
        code = follow(c, trail, view.target, name, err);
    if (code == ERR_OK && is_followed)
        return find_zone(c, trail, name, zone, err);
    if (code == ERR_OK && view.kind == AUTHORITY_ALIAS) {
        authority_view_done(&view);
        code = look_above(c, *zone, *name, &view, err);
    }
    if (code != ERR_OK)
        return code;
    if (is_below(view.zone, (*zone)->name))
        return step_down(c, *zone, view.zone, *name, zone, err);
    *out = ARRIVED;
    return ERR_OK;
}

/* It ends: a trail has a limit, and between its hops each zone is below the last one. */
static enum err_code walk(struct challenge *c, struct trail *trail, char **name, struct zone **zone, struct err *err)
{
    enum progress progress = MOVED;
    enum err_code code = find_zone(c, trail, name, zone, err);

    while (code == ERR_OK && progress == MOVED)
        code = take_step(c, trail, name, zone, &progress, err);
    return code;
}

static void log_place(struct challenge *c, const char *asked, const char *name, const struct zone *zone, int64_t ms)
{
    const struct log_field fields[] = {
        {"asked", asked, 0},
        {"name", name, 0},
        {"zone", zone->name, 0},
        {"ms", NULL, ms},
    };
    AUTO_FREE char *as = strcmp(asked, name) == 0 ? mem_strdup("") : mem_printf(", as \"%s\"", name);

    log_event(c->opts.log, LOG_INFO, fields, ARRAY_LEN(fields),
              "\"%s\" belongs to zone \"%s\"%s, found in %" PRId64 " ms", asked, zone->name, as, ms);
}

enum err_code locate(struct challenge *c, const char *asked, char **out_name, struct zone **out_zone, struct err *err)
{
    int64_t start_ms = clock_mono_ms(c->opts.clock);
    struct trail trail = {{0}};
    char *name = mem_strdup(asked);
    struct zone *zone = NULL;
    enum err_code code;

    strlist_add(&trail.names, asked);
    code = walk(c, &trail, &name, &zone, err);
    strlist_done(&trail.names);
    if (code != ERR_OK) {
        free(name);
        return code;
    }
    log_place(c, asked, name, zone, clock_mono_ms(c->opts.clock) - start_ms);
    *out_name = name;
    *out_zone = zone;
    return ERR_OK;
}
