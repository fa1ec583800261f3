/* SPDX-License-Identifier: MIT
 *
 * A parent's server refers to a zone below with NS in the authority section and without authority (RFC 1034 section
 * 4.3.2).  One that serves the zone itself answers with authority instead, and what the parent's own zone says is not
 * to be had from it.
 */
#include "dns/delegation.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "util/text.h"

#define QUESTION_MS 3000
#define SERVERS_MAX 32 /* addresses of one zone that are asked */
#define NAMES_MAX 64   /* of one set */

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

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_names(struct strlist *names)
{
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, compare);
}

/* The NS names of `zone` in a section; how many there are. */
static size_t take_ns(const struct dns_rr *section, size_t count, const char *zone, struct strlist *out)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (section[i].type != DNS_NS || text_casecmp(section[i].owner, zone) != 0)
            continue;
        add_name(out, section[i].text);
        found++;
    }
    return found;
}

/* ------------------------------------------------------------------ asking */

struct answers {
    struct dns_answer items[SERVERS_MAX];
    size_t count;
};

static void answers_done(struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        dns_answer_done(&answers->items[i]);
}

/* NS of `zone` from the first address of each server, then from the second of each, as far as there is room. */
static enum err_code ask_servers(struct resolver *direct, const struct dns_servers *servers, const char *zone,
                                 struct answers *out, struct err *err)
{
    struct dns_question questions[SERVERS_MAX];
    size_t longest = 0;
    size_t count = 0;
    enum err_code code;

    for (size_t s = 0; s < servers->count; s++)
        longest = servers->items[s].addresses.count > longest ? servers->items[s].addresses.count : longest;
    for (size_t a = 0; a < longest; a++)
        for (size_t s = 0; s < servers->count && count < SERVERS_MAX; s++)
            if (a < servers->items[s].addresses.count)
                questions[count++] = (struct dns_question){.name = zone,
                                                           .type = DNS_NS,
                                                           .server = servers->items[s].addresses.items[a],
                                                           .timeout_ms = QUESTION_MS};
    code = resolver_ask_all(direct, questions, count, out->items, err);
    out->count = code == ERR_OK ? count : 0;
    return code;
}

/* ------------------------------------------------------------------ the parent's side */

struct parent_count {
    size_t referred, denied, covered;
};

static void take_parent_answer(const struct dns_answer *answer, const char *zone, struct delegation *out,
                               struct parent_count *count)
{
    if (answer->result != ERR_OK || (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN))
        return;
    if (!answer->authoritative && take_ns(answer->authority, answer->authority_count, zone, &out->parent_ns))
        count->referred++;
    else if (answer->authoritative && take_ns(answer->answers, answer->answer_count, zone, &(struct strlist){NULL, 0}))
        count->covered++;
    else if (answer->authoritative)
        count->denied++;
}

static enum err_code conclude_parent(const struct answers *answers, const struct parent_count *count,
                                     struct delegation *out, struct err *err)
{
    if (count->referred)
        out->parent_kind = DELEGATION_SEEN;
    else if (count->covered)
        out->parent_kind = DELEGATION_COVERED;
    else if (count->denied)
        out->parent_kind = DELEGATION_ABSENT;
    else {
        for (size_t i = 0; i < answers->count; i++)
            if (answers->items[i].result != ERR_OK) {
                if (err)
                    *err = answers->items[i].err;
                return err_prefix(err, answers->items[i].result, "no name server of zone \"%s\" tells of zones below",
                                  out->parent);
            }
        return err_set(err, ERR_DNS, "no name server of zone \"%s\" gives a usable answer about zones below",
                       out->parent);
    }
    return ERR_OK;
}

static enum err_code examine_parent(struct resolver *direct, const char *zone, struct delegation *out, struct err *err)
{
    AUTO_DNS_SERVERS struct dns_servers servers = {0};
    AUTO(answers_done) struct answers answers = {.count = 0};
    struct parent_count count = {0};
    const char *above = name_parent(zone);
    enum err_code code;

    if (!above)
        return err_set(err, ERR_DNS, "zone \"%s\" is directly below the root, which is not asked", zone);
    code = authority_find_zone(direct, above, &out->parent, err);
    if (code == ERR_OK)
        code = authority_find_servers(direct, out->parent, &servers, err);
    if (code == ERR_OK)
        code = ask_servers(direct, &servers, zone, &answers, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < answers.count; i++)
        take_parent_answer(&answers.items[i], zone, out, &count);
    return conclude_parent(&answers, &count, out, err);
}

/* ------------------------------------------------------------------ the zone's side */

static void note_split(struct delegation *out, const struct strlist *names)
{
    out->has_split_zone |= out->zone_ns.count && names->count != out->zone_ns.count;
    for (size_t i = 0; i < names->count; i++) {
        out->has_split_zone |= out->zone_ns.count && !has_name(&out->zone_ns, names->items[i]);
    }
}

static enum err_code examine_zone(struct resolver *direct, const char *zone, const struct dns_servers *servers,
                                  struct delegation *out, struct err *err)
{
    AUTO(answers_done) struct answers answers = {.count = 0};
    enum err_code code = ask_servers(direct, servers, zone, &answers, err);

    for (size_t i = 0; code == ERR_OK && i < answers.count; i++) {
        AUTO_STRLIST struct strlist names = {NULL, 0};
        const struct dns_answer *answer = &answers.items[i];

        if (answer->result != ERR_OK || !answer->authoritative ||
            !take_ns(answer->answers, answer->answer_count, zone, &names))
            continue;
        note_split(out, &names);
        for (size_t n = 0; n < names.count; n++)
            add_name(&out->zone_ns, names.items[n]);
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
