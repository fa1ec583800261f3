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

#define NAMES_MAX 64 /* of one set */

void delegation_done(struct delegation *delegation)
{
    free(delegation->parent);
    strlist_done(&delegation->parent_ns);
    strlist_done(&delegation->zone_ns);
    *delegation = (struct delegation){.parent = NULL};
}

/* ------------------------------------------------------------------ sets of names */

static bool has_name(const struct strlist *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

static void add_name(struct strlist *names, const char *name)
{
    if (names->count < NAMES_MAX && !has_name(names, name))
        strlist_add(names, name);
}

/* Add the set that one more server gives. */
static void merge(struct strlist *all, const struct strlist *names, bool *is_split)
{
    bool is_first = all->count == 0;

    *is_split |= !is_first && names->count != all->count;
    for (size_t i = 0; i < names->count; i++) {
        *is_split |= !is_first && !has_name(all, names->items[i]);
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

static void take_parent_answer(const struct dns_answer *answer, const char *parent, const char *zone,
                               struct delegation *out, struct verdict *verdict)
{
    const char *between = find_between(answer, parent, zone);

    if (answer->result != ERR_OK || (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN))
        return;
    if (is_covered(answer, zone)) {
        verdict->covered++;
    } else if (!answer->answer_count && find_rr(answer->authority, answer->authority_count, DNS_NS, zone)) {
        AUTO_STRLIST struct strlist names = {NULL, 0};

        take_ns(answer->authority, answer->authority_count, zone, &names);
        merge(&out->parent_ns, &names, &out->has_split_parent);
        verdict->referred++;
    } else if (between) {
        verdict->between = verdict->between ? verdict->between : mem_strdup(between);
    } else if (answer->authoritative) {
        verdict->denied++;
    }
}

/* Ask the servers of `parent`. */
static enum err_code ask_parent(struct resolver *direct, const char *parent, const char *zone, struct delegation *out,
                                struct verdict *verdict, struct err *err)
{
    AUTO_DNS_SERVERS struct dns_servers servers = {0};
    AUTO_CENSUS struct census census = {NULL, NULL, 0};
    enum err_code code = authority_find_servers(direct, parent, &servers, err);

    if (code == ERR_OK)
        code = census_take(direct, &servers, zone, DNS_NS, &census, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < census.count; i++)
        take_parent_answer(&census.answers[i], parent, zone, out, verdict);
    if (!verdict->referred && !verdict->covered && !verdict->denied && !verdict->between)
        return census_fail(&census, parent, zone, err);
    return ERR_OK;
}

static void conclude_parent(const struct verdict *verdict, struct delegation *out)
{
    out->parent_kind = verdict->referred  ? DELEGATION_SEEN
                       : verdict->covered ? DELEGATION_COVERED
                                          : DELEGATION_ABSENT;
    out->has_split_parent |= verdict->denied && (verdict->referred || verdict->covered);
}

static enum err_code examine_parent(struct resolver *direct, const char *zone, struct delegation *out, struct err *err)
{
    const char *above = name_parent(zone);
    enum err_code code;

    if (!above)
        return err_set(err, ERR_DNS, "zone \"%s\" is directly below the root, which is not asked", zone);
    code = authority_find_zone(direct, above, &out->parent, err);
    while (code == ERR_OK) {
        AUTO(verdict_done) struct verdict verdict = {.between = NULL};

        code = ask_parent(direct, out->parent, zone, out, &verdict, err);
        if (code == ERR_OK && (verdict.referred || verdict.covered || !verdict.between)) {
            conclude_parent(&verdict, out);
            return ERR_OK;
        }
        if (code == ERR_OK) { /* longer each time, and shorter than the zone: it ends */
            free(out->parent);
            out->parent = verdict.between;
            verdict.between = NULL;
        }
    }
    return code;
}

/* ------------------------------------------------------------------ the zone's side */

static enum err_code examine_zone(struct resolver *direct, const char *zone, const struct dns_servers *servers,
                                  struct delegation *out, struct err *err)
{
    AUTO_CENSUS struct census census = {NULL, NULL, 0};
    enum err_code code = census_take(direct, servers, zone, DNS_NS, &census, err);

    for (size_t i = 0; code == ERR_OK && i < census.count; i++) {
        AUTO_STRLIST struct strlist names = {NULL, 0};
        const struct dns_answer *answer = &census.answers[i];

        if (!census_is_useful(answer))
            continue;
        take_ns(answer->answers, answer->answer_count, zone, &names);
        if (names.count)
            merge(&out->zone_ns, &names, &out->has_split_zone);
    }
    return code;
}

enum err_code delegation_examine(struct resolver *direct, const char *zone, const struct dns_servers *servers,
                                 struct delegation *out, struct err *err)
{
    AUTO(delegation_done) struct delegation found = {.parent = NULL};
    enum err_code code = examine_parent(direct, zone, &found, err);

    if (code == ERR_OK)
        code = examine_zone(direct, zone, servers, &found, err);
    if (code != ERR_OK)
        return code;
    sort_names(&found.parent_ns);
    sort_names(&found.zone_ns);
    *out = found;
    found = (struct delegation){.parent = NULL};
    return ERR_OK;
}
