/* SPDX-License-Identifier: MIT
 *
 * From the name that was asked for to the zone and name that the record is written to.
 *
 * A zone that the API has and that holds the name need not be the one the world sees: the resolver may show another
 * DNS than the world's (split horizon), a remembered zone may have got a sub-zone since, and the name may be an alias.
 * One question, without recursion, to the zone's own servers settles all three: they answer for the name, or refer to
 * a sub-zone, or show a CNAME.  When they can't be asked (port 53 closed) the API's word stands.
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

static bool trail_has(const struct trail *trail, const char *name)
{
    for (size_t i = 0; i < trail->names.count; i++)
        if (strcmp(trail->names.items[i], name) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------------ what the zone's servers say */

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

static enum err_code look(struct challenge *c, struct zone *zone, const char *name, struct authority_view *out,
                          struct err *err)
{
    const struct dns_servers *servers = NULL;
    enum err_code code;

    out->kind = AUTHORITY_HERE; /* when nobody can tell, the API's word stands */
    if (c->opts.doh_mode == CHALLENGE_DOH_ALWAYS && c->opts.doh_count)
        return can_look_by_doh(c) ? look_by_doh(c, name, out, err) : ERR_OK;
    code = servers_of_zone(c, zone, &servers, err);
    if (code == ERR_OK)
        code = authority_look(c->opts.direct, servers, name, out, err);
    if (code == ERR_OK || code == ERR_CANCELLED)
        return code;
    log_line(c->opts.log, LOG_INFO, "the servers of zone \"%s\" could not be asked about \"%s\": %s", zone->name, name,
             err->msg);
    if (can_look_by_doh(c) && look_by_doh(c, name, out, err) == ERR_CANCELLED)
        return ERR_CANCELLED;
    return ERR_OK;
}

/* ------------------------------------------------------------------ steps */

static enum err_code refuse_delegation(const struct zone *zone, const char *sub_zone, const char *name,
                                       struct err *err)
{
    enum err_code code = err_set(err, ERR_ZONE, "\"%s\" is in zone \"%s\", which zone \"%s\" delegates away and which "
                                                "is not in the account",
                                 name, sub_zone, zone->name);

    err_hint(err, "Add zone \"%s\" to DNS Made Easy, name the account that has it under \"accounts:\", or make \"%s\" "
                  "a CNAME into a zone of this account.",
             sub_zone, name);
    return code;
}

/* The servers show a zone below the one we took: that one must be ours too. */
static enum err_code step_down(struct challenge *c, const struct zone *from, const char *sub_zone, const char *name,
                               struct zone **out, struct err *err)
{
    enum err_code code = zones_want(c, sub_zone, out, err);

    return code == ERR_NOT_FOUND ? refuse_delegation(from, sub_zone, name, err) : code;
}

static enum err_code follow(struct challenge *c, struct trail *trail, const char *target, char **name,
                            struct err *err)
{
    AUTO_FREE char *normal = NULL;
    AUTO_FREE char *way = NULL;
    enum err_code code = name_normalise(target, &normal, err);

    if (code != ERR_OK)
        return err_prefix(err, code, "CNAME at \"%s\"", *name);
    if (trail_has(trail, normal) || trail->names.count > HOPS_MAX) {
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

/* A CNAME at "*.<parent>" stands for every name that has no records of its own.  It was not made for challenges and
 * leads to some web host; a TXT record at the name itself takes the name out of its reach.  The zone's servers show the
 * same target for a sibling that nobody can have made. */
static enum err_code check_wildcard(struct challenge *c, struct zone *zone, const char *name, const char *target,
                                    bool *out_is_wildcard, struct err *err)
{
    AUTO(authority_view_done) struct authority_view view = {.kind = AUTHORITY_HERE};
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
    enum err_code code = ERR_OK;

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

static enum err_code find_zone(struct challenge *c, const struct trail *trail, const char *name, struct zone **out,
                               struct err *err)
{
    struct zone *known = zones_known(c, name);
    enum err_code code;

    if (known) {
        *out = known;
        return ERR_OK;
    }
    code = zones_discover(c, name, out, err);
    if (code == ERR_ZONE && trail->names.count > 1) {
        AUTO_FREE char *way = trail_text(trail);
        (void)err_prefix(err, code, "CNAME %s", way);
        err_hint(err, "The CNAME must lead into a zone of the account; or set \"follow_cname: false\" to write at the "
                      "name itself.");
    }
    return code;
}

static enum err_code walk(struct challenge *c, struct trail *trail, char **name, struct zone **zone, struct err *err)
{
    enum err_code code = find_zone(c, trail, *name, zone, err);

    for (int step = 0; code == ERR_OK && step < HOPS_MAX * 2; step++) {
        AUTO(authority_view_done) struct authority_view view = {.kind = AUTHORITY_HERE};
        bool is_followed = false;

        code = look(c, *zone, *name, &view, err);
        if (code == ERR_OK)
            code = check_alias(c, *zone, *name, &view, &is_followed, err);
        if (code != ERR_OK)
            break;
        if (is_followed) {
            code = follow(c, trail, view.target, name, err);
            if (code == ERR_OK)
                code = find_zone(c, trail, *name, zone, err);
        } else if (view.kind != AUTHORITY_ALIAS && view.zone && strlen(view.zone) > strlen((*zone)->name) &&
                   name_is_within(view.zone, (*zone)->name)) {
            code = step_down(c, *zone, view.zone, *name, zone, err);
        } else {
            return ERR_OK;
        }
    }
    return code;
}

enum err_code locate(struct challenge *c, const char *asked, char **out_name, struct zone **out_zone, struct err *err)
{
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
    *out_name = name;
    *out_zone = zone;
    return ERR_OK;
}
