/* SPDX-License-Identifier: MIT
 *
 * What the servers of a zone say about names: theirs, an alias, or delegated.  One question to one server is enough as
 * a rule; the next is asked when that one says nothing useful, or when nothing at all has come for STAGGER_MS.
 *
 * Many names are looked at side by side, OPEN_MAX at a time, each beginning with another server of its zone.  The first
 * of a zone goes ahead, and what it learns holds for those behind it: that UDP gets no answer, or that nobody does.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "dns/authority.h"
#include "dns/name.h"
#include "util/text.h"

#define QUESTION_MS 1500
#define STAGGER_MS 300
#define OPEN_MAX 100 /* looks; their answers fit into any socket buffer, and no server takes them for an attack */

struct look;

/* Looks at the same servers. */
struct group {
    const struct dns_servers *servers;
    const char **addresses; /* in the order in which they are asked */
    size_t count;
    struct look *waiting; /* looks to come */
    struct look *last;    /* of these */
    size_t look_count;    /* of all */
    size_t open;
    bool has_answered;            /* more than one may be open at a time */
    enum dns_transport transport; /* that of looks to come */
    const struct look *silent;    /* a look that nobody answered; NULL: none so far */
};

enum look_state { LOOK_WAITING, LOOK_OPEN, LOOK_DONE };

struct look {
    struct authority_query *query;
    struct group *group;
    struct look *next; /* of the group's that wait */
    enum look_state state;
    enum dns_transport transport;
    size_t first; /* the address that it begins with */
    size_t asked;
    size_t under_way;
    bool timed_out;     /* one at least said nothing */
    bool answered;      /* one at least said something, though nothing useful */
    struct err example; /* of what went wrong */
};

struct looks {
    struct resolver *resolver;
    struct look *items;
    size_t count;
    size_t open;
    struct group *groups;
    size_t group_count;
};

static void looks_done(struct looks *looks)
{
    for (size_t i = 0; i < looks->group_count; i++)
        free(looks->groups[i].addresses);
    free(looks->groups);
    free(looks->items);
}

/* The first address of each server, then the second of each, and so on: they fail together more often than
 * not. */
static void collect_addresses(struct group *group, const struct dns_servers *servers)
{
    size_t total = 0;

    for (size_t i = 0; i < servers->count; i++)
        total += servers->items[i].addresses.count;
    group->addresses = mem_calloc(total, sizeof *group->addresses);
    for (size_t a = 0; group->count < total; a++)
        for (size_t i = 0; i < servers->count; i++)
            if (a < servers->items[i].addresses.count)
                group->addresses[group->count++] = servers->items[i].addresses.items[a];
}

/* Lists of servers are told apart by their place in memory: the looks of one zone share one. */
static struct group *want_group(struct looks *looks, const struct dns_servers *servers)
{
    struct group *group;

    for (size_t i = looks->group_count; i-- > 0;)
        if (looks->groups[i].servers == servers)
            return &looks->groups[i];
    group = &looks->groups[looks->group_count++];
    *group = (struct group){.servers = servers, .transport = DNS_UDP_THEN_TCP};
    collect_addresses(group, servers);
    return group;
}

static void enqueue(struct group *group, struct look *look)
{
    look->group = group;
    look->first = group->look_count++;
    if (group->last)
        group->last->next = look;
    else
        group->waiting = look;
    group->last = look;
}

static void looks_init(struct looks *looks, struct resolver *resolver, struct authority_query *queries, size_t count)
{
    *looks = (struct looks){.resolver = resolver,
                            .items = mem_calloc(count, sizeof *looks->items),
                            .count = count,
                            .groups = mem_calloc(count, sizeof *looks->groups)};
    for (size_t i = 0; i < count; i++) {
        queries[i].view = (struct authority_view){.kind = AUTHORITY_HERE};
        err_init(&queries[i].err);
        looks->items[i].query = &queries[i];
        enqueue(want_group(looks, queries[i].servers), &looks->items[i]);
    }
}

/* ------------------------------------------------------------------ reading an answer */

static const struct dns_rr *find_rr(const struct dns_rr *items, size_t count, enum dns_type type, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].type == type && name_is_within(name, items[i].owner) && *items[i].owner)
            return &items[i];
    return NULL;
}

static void take_delegation(const struct dns_answer *answer, const struct dns_rr *ns, struct authority_view *out)
{
    out->kind = AUTHORITY_DELEGATED;
    out->zone = mem_strdup(ns->owner);
    for (size_t i = 0; i < answer->authority_count; i++)
        if (answer->authority[i].type == DNS_NS && text_casecmp(answer->authority[i].owner, ns->owner) == 0)
            dns_servers_add(&out->servers, answer->authority[i].text, NULL);
    for (size_t i = 0; i < answer->additional_count; i++) {
        const struct dns_rr *rr = &answer->additional[i];
        /* Others' addresses are hearsay: only names inside the zone need glue. */
        bool is_glue = (rr->type == DNS_A || rr->type == DNS_AAAA) && name_is_within(rr->owner, ns->owner);

        for (size_t s = 0; is_glue && s < out->servers.count; s++)
            if (text_casecmp(out->servers.items[s].name, rr->owner) == 0)
                dns_servers_add(&out->servers, rr->owner, rr->text);
    }
}

/* A lame server, or a resolver that answers from its cache, refers to the zone itself or upwards. */
static bool leads_down(const struct dns_rr *ns, const char *zone)
{
    return !zone || (strlen(ns->owner) > strlen(zone) && name_is_within(ns->owner, zone));
}

/* False when the answer is of no use: an error, or a server that does not know the zone. */
static bool take_answer(const struct dns_answer *answer, const char *zone, const char *name, struct authority_view *out)
{
    const struct dns_rr *rr;

    if (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN)
        return false;
    for (size_t i = 0; answer->authoritative && i < answer->answer_count; i++) {
        rr = &answer->answers[i];
        if (rr->type == DNS_CNAME && text_casecmp(rr->owner, name) == 0) {
            out->kind = AUTHORITY_ALIAS;
            out->target = mem_strdup(rr->text);
            return true;
        }
    }
    if (answer->authoritative) {
        rr = find_rr(answer->authority, answer->authority_count, DNS_SOA, name);
        out->kind = AUTHORITY_HERE;
        out->zone = rr ? mem_strdup(rr->owner) : NULL;
        return true;
    }
    rr = find_rr(answer->authority, answer->authority_count, DNS_NS, name);
    if (answer->rcode != DNS_NOERROR || answer->answer_count > 0 || !rr || !leads_down(rr, zone))
        return false;
    take_delegation(answer, rr, out);
    return true;
}

/* ------------------------------------------------------------------ the end of a look */

static void explain(const struct look *look, struct err *err)
{
    const char *name = look->query->name;
    enum err_code code = look->timed_out ? ERR_TIMEOUT : ERR_NETWORK;

    if (look->group->count == 0) {
        (void)err_set(err, ERR_DNS, "no name server to ask about \"%s\" has an address", name);
    } else if (look->answered) {
        (void)err_set(err, ERR_DNS,
                      "no name server gives a usable answer about \"%s\": those that answer refuse, or "
                      "serve other zones",
                      name);
    } else {
        *err = look->example;
        err->code = code;
        (void)err_prefix(err, code, "no name server answers about \"%s\"", name);
        err_hint(err, "Port 53 (UDP and TCP) to the name servers may be blocked.");
    }
}

static void finish(struct looks *looks, struct look *look)
{
    if (look->state == LOOK_OPEN) {
        looks->open--;
        look->group->open--;
    }
    look->state = LOOK_DONE;
}

static void fail(struct looks *looks, struct look *look)
{
    finish(looks, look);
    explain(look, &look->query->err);
}

/* ------------------------------------------------------------------ asking */

static void ask_next(struct looks *looks, struct look *look)
{
    const struct group *group = look->group;
    const char *server = group->addresses[(look->first + look->asked++) % group->count];

    looks->resolver->start(looks->resolver, &(struct dns_question){.name = look->query->name,
                                                                   .type = DNS_CNAME,
                                                                   .server = server,
                                                                   .transport = look->transport,
                                                                   .timeout_ms = QUESTION_MS,
                                                                   .tag = look});
    look->under_way++;
}

/* After an answer that was of no use, or none: the next server; all of them by TCP; or there is nobody left. */
static void go_on(struct looks *looks, struct look *look)
{
    if (look->asked < look->group->count) {
        ask_next(looks, look);
    } else if (look->under_way == 0 && look->transport != DNS_TCP && look->timed_out && !look->answered) {
        look->transport = look->group->transport = DNS_TCP;
        look->asked = 0;
        ask_next(looks, look);
    } else if (look->under_way == 0) {
        if (!look->answered)
            look->group->silent = look;
        fail(looks, look);
    }
}

static bool can_begin(const struct looks *looks, const struct group *group)
{
    return group->waiting && looks->open < OPEN_MAX && (group->has_answered || group->silent || !group->open);
}

static void begin(struct looks *looks, struct group *group)
{
    const struct look *silent = group->silent;
    struct look *look = group->waiting;

    group->waiting = look->next;
    if (silent) {
        look->timed_out = silent->timed_out;
        look->example = silent->example;
    }
    if (silent || group->count == 0) {
        fail(looks, look);
        return;
    }
    look->state = LOOK_OPEN;
    look->transport = group->transport;
    looks->open++;
    group->open++;
    ask_next(looks, look);
}

/* One of each group in turn, so that a group with many does not hold up the others. */
static void begin_all(struct looks *looks)
{
    bool any = true;

    while (any) {
        any = false;
        for (size_t i = 0; i < looks->group_count; i++) {
            if (!can_begin(looks, &looks->groups[i]))
                continue;
            begin(looks, &looks->groups[i]);
            any = true;
        }
    }
}

static void take(struct looks *looks, const struct dns_answer *answer)
{
    struct look *look = answer->tag;
    struct authority_query *query = look->query;

    look->under_way--;
    if (look->state != LOOK_OPEN)
        return;
    if (answer->result == ERR_OK && take_answer(answer, query->zone, query->name, &query->view)) {
        look->group->has_answered = true;
        finish(looks, look);
        return;
    }
    look->answered |= answer->result == ERR_OK;
    look->timed_out |= answer->result == ERR_TIMEOUT;
    if (answer->result != ERR_OK)
        look->example = answer->err;
    go_on(looks, look);
}

/* Nothing has come for a while. */
static void ask_others(struct looks *looks)
{
    for (size_t i = 0; i < looks->count; i++)
        if (looks->items[i].state == LOOK_OPEN && looks->items[i].asked < looks->items[i].group->count)
            ask_next(looks, &looks->items[i]);
}

/* The resolver knows of no question of ours. */
static void go_on_all(struct looks *looks)
{
    for (size_t i = 0; i < looks->count; i++) {
        looks->items[i].under_way = 0;
        if (looks->items[i].state == LOOK_OPEN)
            go_on(looks, &looks->items[i]);
    }
}

/* Errors: ERR_CANCELLED. */
static enum err_code look_at_all(struct looks *looks)
{
    while (true) {
        AUTO_DNS_ANSWER struct dns_answer answer = {0};
        enum err_code code;

        begin_all(looks);
        if (!looks->open)
            return ERR_OK;
        code = looks->resolver->next(looks->resolver, STAGGER_MS, &answer);
        if (code == ERR_CANCELLED)
            return code;
        if (code == ERR_OK)
            take(looks, &answer);
        else if (code == ERR_NOT_FOUND)
            go_on_all(looks);
        else
            ask_others(looks);
    }
}

enum err_code authority_look_all(struct resolver *resolver, struct authority_query *queries, size_t count,
                                 struct err *err)
{
    AUTO(looks_done) struct looks looks;
    enum err_code code;

    looks_init(&looks, resolver, queries, count);
    code = look_at_all(&looks);
    resolver_cancel(resolver);
    if (code == ERR_OK)
        return ERR_OK;
    for (size_t i = 0; i < count; i++)
        authority_view_done(&queries[i].view);
    return err_set(err, code, "interrupted while asking name servers about \"%s\"%s", queries[0].name,
                   count > 1 ? " and others" : "");
}

enum err_code authority_look(struct resolver *resolver, const struct dns_servers *servers, const char *zone,
                             const char *name, struct authority_view *out, struct err *err)
{
    struct authority_query query = {.servers = servers, .zone = zone, .name = name};
    enum err_code code = authority_look_all(resolver, &query, 1, err);

    if (code != ERR_OK)
        return code;
    if (query.err.code != ERR_OK) {
        if (err)
            *err = query.err;
        return query.err.code;
    }
    *out = query.view;
    return ERR_OK;
}

void authority_view_done(struct authority_view *view)
{
    free(view->zone);
    free(view->target);
    dns_servers_done(&view->servers);
    *view = (struct authority_view){0};
}
