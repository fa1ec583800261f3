/* SPDX-License-Identifier: MIT
 *
 * What the servers of a zone say about a name: theirs, an alias, or delegated.  One question to one server is
 * enough as a rule; the next is asked when that one says nothing useful, or nothing at all for STAGGER_MS.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "dns/authority.h"
#include "dns/name.h"
#include "util/text.h"

#define QUESTION_MS 1500
#define STAGGER_MS 300

struct look {
    struct resolver *resolver;
    const char *zone; /* NULL: not known */
    const char *name;
    const char **addresses; /* in the order in which they are asked */
    size_t count;
    size_t asked;
    size_t under_way;
    bool timed_out;     /* one at least said nothing */
    bool answered;      /* one at least said something, though nothing useful */
    struct err example; /* of what went wrong */
};

static void look_done(struct look *look)
{
    free(look->addresses);
}

/* The first address of each server, then the second of each, and so on: they fail together more often than
 * not. */
static void collect_addresses(struct look *look, const struct dns_servers *servers)
{
    size_t total = 0;

    for (size_t i = 0; i < servers->count; i++)
        total += servers->items[i].addresses.count;
    look->addresses = mem_calloc(total, sizeof *look->addresses);
    for (size_t a = 0; look->count < total; a++)
        for (size_t i = 0; i < servers->count; i++)
            if (a < servers->items[i].addresses.count)
                look->addresses[look->count++] = servers->items[i].addresses.items[a];
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
static bool take_answer(const struct dns_answer *answer, const char *zone, const char *name,
                        struct authority_view *out)
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

/* ------------------------------------------------------------------ asking */

static void ask_next(struct look *look, enum dns_transport transport)
{
    look->resolver->start(look->resolver, &(struct dns_question){.name = look->name,
                                                                 .type = DNS_CNAME,
                                                                 .server = look->addresses[look->asked++],
                                                                 .transport = transport,
                                                                 .timeout_ms = QUESTION_MS});
    look->under_way++;
}

/* Errors: ERR_CANCELLED; ERR_NOT_FOUND when all were asked and none was useful. */
static enum err_code ask_all(struct look *look, enum dns_transport transport, struct authority_view *out)
{
    look->asked = 0;
    while (look->asked < look->count || look->under_way) {
        AUTO_DNS_ANSWER struct dns_answer answer = {0};
        bool is_more = look->asked < look->count;
        enum err_code code;

        if (is_more)
            ask_next(look, transport);
        is_more = look->asked < look->count;
        code = look->resolver->next(look->resolver, is_more ? STAGGER_MS : QUESTION_MS, &answer);
        if (code == ERR_CANCELLED)
            return code;
        if (code == ERR_NOT_FOUND)
            look->under_way = 0;
        if (code != ERR_OK)
            continue;
        look->under_way--;
        if (answer.result == ERR_OK && take_answer(&answer, look->zone, look->name, out))
            return ERR_OK;
        look->answered |= answer.result == ERR_OK;
        look->timed_out |= answer.result == ERR_TIMEOUT;
        if (answer.result != ERR_OK)
            look->example = answer.err;
    }
    return ERR_NOT_FOUND;
}

static enum err_code explain(const struct look *look, enum err_code code, struct err *err)
{
    if (code == ERR_CANCELLED)
        return err_set(err, code, "interrupted while asking name servers about \"%s\"", look->name);
    if (look->count == 0)
        return err_set(err, ERR_DNS, "no name server to ask about \"%s\" has an address", look->name);
    if (look->answered)
        return err_set(err, ERR_DNS,
                       "no name server gives a usable answer about \"%s\": those that answer refuse, or "
                       "serve other zones",
                       look->name);
    if (err)
        *err = look->example;
    code = look->timed_out ? ERR_TIMEOUT : ERR_NETWORK;
    if (err)
        err->code = code;
    (void)err_prefix(err, code, "no name server answers about \"%s\"", look->name);
    err_hint(err, "Port 53 (UDP and TCP) to the name servers may be blocked.");
    return code;
}

enum err_code authority_look(struct resolver *resolver, const struct dns_servers *servers, const char *zone,
                             const char *name, struct authority_view *out, struct err *err)
{
    AUTO(look_done) struct look look = {.resolver = resolver, .zone = zone, .name = name};
    struct authority_view view = {0};
    enum err_code code;

    collect_addresses(&look, servers);
    code = ask_all(&look, DNS_UDP_THEN_TCP, &view);
    if (code == ERR_NOT_FOUND && look.timed_out && !look.answered) {
        resolver_cancel(resolver);
        code = ask_all(&look, DNS_TCP, &view);
    }
    resolver_cancel(resolver);
    if (code != ERR_OK)
        return explain(&look, code, err);
    *out = view;
    return ERR_OK;
}

void authority_view_done(struct authority_view *view)
{
    free(view->zone);
    free(view->target);
    dns_servers_done(&view->servers);
    *view = (struct authority_view){0};
}
