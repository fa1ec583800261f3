/* SPDX-License-Identifier: MIT
 *
 * A parent's server refers to a zone below with NS in the authority section (RFC 1034 section 4.3.2).  One that serves
 * the zone itself answers for it instead, and what the parent's own zone says is not to be had from it.  The resolvers
 * may name a parent that is too high, as they don't get through to the zone between; then its servers refer to that
 * one, and the search goes on there.
 */
#include "dns/delegation.h"

#include <stdlib.h>
#include <string.h>

#include "dns/census.h"
#include "dns/name.h"
#include "util/text.h"

#define NAMES_MAX 64  /* of one set */
#define GLUE_MAX 64   /* addresses of one referral */
#define OTHERS_MAX 32 /* servers */

void delegation_done(struct delegation *delegation)
{
    free(delegation->parent);
    strlist_done(&delegation->parent_ns);
    strlist_done(&delegation->zone_ns);
    dns_servers_done(&delegation->others);
    *delegation = (struct delegation){.parent = NULL};
}

/* ------------------------------------------------------------------ sets of names */

static void add_name(struct strlist *names, const char *name)
{
    if (names->count < NAMES_MAX && !strlist_has(names, name))
        strlist_add(names, name);
}

/* Add the set that one more server gives. */
static void merge(struct strlist *all, const struct strlist *names, bool *is_split)
{
    bool is_first = all->count == 0;

    *is_split |= !is_first && names->count != all->count;
    for (size_t i = 0; i < names->count; i++) {
        *is_split |= !is_first && !strlist_has(all, names->items[i]);
        add_name(all, names->items[i]);
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_names(struct strlist *names)
{
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, compare);
}

static const struct dns_rr *find_rr(const struct dns_rr *section, size_t count, enum dns_type type, const char *owner)
{
    for (size_t i = 0; i < count; i++)
        if (section[i].type == type && text_casecmp(section[i].owner, owner) == 0)
            return &section[i];
    return NULL;
}

static void take_ns(const struct dns_rr *section, size_t count, const char *zone, struct strlist *out)
{
    for (size_t i = 0; i < count; i++)
        if (section[i].type == DNS_NS && text_casecmp(section[i].owner, zone) == 0)
            add_name(out, section[i].text);
}

/* ------------------------------------------------------------------ the parent's side */

struct verdict {
    size_t referred, denied, covered;
    char *between; /* a zone below the parent and above the zone that the parent refers to; NULL: none */
};

static void verdict_done(struct verdict *verdict)
{
    free(verdict->between);
}

/* Answers of the zone's own servers have the zone's SOA or NS. */
static bool is_covered(const struct dns_answer *answer, const char *zone)
{
    return answer->authoritative && (find_rr(answer->answers, answer->answer_count, DNS_NS, zone) ||
                                     find_rr(answer->authority, answer->authority_count, DNS_SOA, zone));
}

static bool is_below(const char *name, const char *zone)
{
    return strlen(name) > strlen(zone) && name_is_within(name, zone);
}

static const char *find_between(const struct dns_answer *answer, const char *parent, const char *zone)
{
    for (size_t i = 0; i < answer->authority_count && !answer->answer_count; i++)
        if (answer->authority[i].type == DNS_NS && is_below(answer->authority[i].owner, parent) &&
            is_below(zone, answer->authority[i].owner))
            return answer->authority[i].owner;
    return NULL;
}

/* A resolver on its way down has no other addresses of servers within the zone, RFC 1034 section 4.2.1. */
static void take_glue(const struct dns_answer *answer, const char *zone, const struct strlist *names,
                      struct dns_servers *out)
{
    for (size_t i = 0; i < answer->additional_count && i < GLUE_MAX; i++) {
        const struct dns_rr *rr = &answer->additional[i];

        if ((rr->type == DNS_A || rr->type == DNS_AAAA) && name_is_within(rr->owner, zone) &&
            strlist_has(names, rr->owner))
            dns_servers_add(out, rr->owner, rr->text);
    }
}

struct examination {
    struct resolver *direct;
    const char *zone;
    struct delegation found;
    struct dns_servers glue;
};

static void examination_done(struct examination *e)
{
    delegation_done(&e->found);
    dns_servers_done(&e->glue);
}

static void take_parent_answer(struct examination *e, const struct dns_answer *answer, struct verdict *verdict)
{
    const char *between = find_between(answer, e->found.parent, e->zone);

    if (answer->result != ERR_OK || (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN))
        return;
    if (is_covered(answer, e->zone)) {
        verdict->covered++;
    } else if (!answer->answer_count && find_rr(answer->authority, answer->authority_count, DNS_NS, e->zone)) {
        AUTO_STRLIST struct strlist names = {NULL, 0};

        take_ns(answer->authority, answer->authority_count, e->zone, &names);
        take_glue(answer, e->zone, &names, &e->glue);
        merge(&e->found.parent_ns, &names, &e->found.has_split_parent);
        verdict->referred++;
    } else if (between) {
        verdict->between = verdict->between ? verdict->between : mem_strdup(between);
    } else if (answer->authoritative) {
        verdict->denied++;
    }
}

static enum err_code ask_parent(struct examination *e, struct verdict *verdict, struct err *err)
{
    AUTO_DNS_SERVERS struct dns_servers servers = {0};
    AUTO_CENSUS struct census census = {NULL, NULL, 0};
    enum err_code code = authority_find_servers(e->direct, e->found.parent, &servers, err);

    if (code == ERR_OK)
        code = census_take(e->direct, &servers, e->zone, DNS_NS, &census, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < census.count; i++)
        take_parent_answer(e, &census.answers[i], verdict);
    if (!verdict->referred && !verdict->covered && !verdict->denied && !verdict->between)
        return census_fail(&census, e->found.parent, e->zone, err);
    return ERR_OK;
}

static void conclude_parent(const struct verdict *verdict, struct delegation *out)
{
    out->parent_kind = verdict->referred ? DELEGATION_SEEN : verdict->covered ? DELEGATION_COVERED : DELEGATION_ABSENT;
    out->has_split_parent |= verdict->denied && (verdict->referred || verdict->covered);
}

static enum err_code examine_parent(struct examination *e, struct err *err)
{
    const char *above = name_parent(e->zone);
    enum err_code code;

    if (!above)
        return err_set(err, ERR_DNS, "zone \"%s\" is directly below the root, which is not asked", e->zone);
    code = authority_find_zone(e->direct, above, &e->found.parent, err);
    while (code == ERR_OK) {
        AUTO(verdict_done) struct verdict verdict = {.between = NULL};

        code = ask_parent(e, &verdict, err);
        if (code == ERR_OK && (verdict.referred || verdict.covered || !verdict.between)) {
            conclude_parent(&verdict, &e->found);
            return ERR_OK;
        }
        if (code == ERR_OK) { /* longer each time, and shorter than the zone: it ends */
            free(e->found.parent);
            e->found.parent = verdict.between;
            verdict.between = NULL;
        }
    }
    return code;
}

/* ------------------------------------------------------------------ the zone's side */

static enum err_code examine_zone(struct examination *e, const struct dns_servers *servers, struct err *err)
{
    AUTO_CENSUS struct census census = {NULL, NULL, 0};
    enum err_code code = census_take(e->direct, servers, e->zone, DNS_NS, &census, err);

    for (size_t i = 0; code == ERR_OK && i < census.count; i++) {
        AUTO_STRLIST struct strlist names = {NULL, 0};
        const struct dns_answer *answer = &census.answers[i];

        if (!census_is_useful(answer))
            continue;
        take_ns(answer->answers, answer->answer_count, e->zone, &names);
        if (names.count)
            merge(&e->found.zone_ns, &names, &e->found.has_split_zone);
    }
    return code;
}

/* ------------------------------------------------------------------ whom else the world may ask */

static bool has_server(const struct dns_servers *servers, const char *name, const char *address)
{
    for (size_t s = 0; s < servers->count; s++) {
        if (text_casecmp(servers->items[s].name, name) == 0)
            return !address || strlist_has(&servers->items[s].addresses, address);
    }
    return false;
}

static void add_others(const struct strlist *names, const struct dns_servers *known, struct dns_servers *out)
{
    for (size_t i = 0; i < names->count && out->count < OTHERS_MAX; i++)
        if (!has_server(known, names->items[i], NULL))
            dns_servers_add(out, names->items[i], NULL);
}

/* Errors: ERR_CANCELLED, ERR_INTERNAL; servers without an address just have none. */
static enum err_code find_others(struct examination *e, const struct dns_servers *known, struct err *err)
{
    struct dns_servers *others = &e->found.others;
    struct err why;
    enum err_code code;

    add_others(&e->found.parent_ns, known, others);
    add_others(&e->found.zone_ns, known, others);
    code = others->count ? authority_find_addresses(e->direct, others, &why) : ERR_OK;
    if (code == ERR_CANCELLED || code == ERR_INTERNAL)
        return err_set(err, code, "%s", why.msg);
    for (size_t s = 0; s < e->glue.count; s++) {
        const struct dns_server *server = &e->glue.items[s];

        for (size_t a = 0; a < server->addresses.count; a++)
            if (!has_server(known, server->name, server->addresses.items[a]))
                dns_servers_add(others, server->name, server->addresses.items[a]);
    }
    return ERR_OK;
}

enum err_code delegation_examine(struct resolver *direct, const char *zone, const struct dns_servers *servers,
                                 struct delegation *out, struct err *err)
{
    AUTO(examination_done) struct examination e = {.direct = direct, .zone = zone};
    enum err_code code = examine_parent(&e, err);

    if (code == ERR_OK)
        code = examine_zone(&e, servers, err);
    if (code == ERR_OK)
        code = find_others(&e, servers, err);
    if (code != ERR_OK)
        return code;
    sort_names(&e.found.parent_ns);
    sort_names(&e.found.zone_ns);
    *out = e.found;
    e.found = (struct delegation){.parent = NULL};
    return ERR_OK;
}
