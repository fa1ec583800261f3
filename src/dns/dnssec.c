/* SPDX-License-Identifier: MIT
 *
 * 1. What the resolvers say, one after the other until one validates: DS of the zone, with checking disabled so that a
 * bogus zone answers too; its SOA, with DO, where AD tells of a resolver that validates; and where SOA fails, SOA once
 * more with checking disabled: failing only while it checks is what a validator does with a bogus zone.
 * 2. Is there a zone above that is not signed?  Then nobody can check anything here.
 * 3. What each of the zone's own servers gives: keys and SOA with their signatures, judged in dnssec_server.c.
 *
 * Signatures from the servers that hold the zone tell what is wrong; a resolver tells only that something is.
 */
#include "dns/dnssec.h"

#include <stdlib.h>
#include <string.h>

#include "dns/dnssec_server.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "util/buf.h"
#include "util/text.h"

#define QUESTION_MS 5000
#define ABOVE_MAX 127    /* names above one of 253 octets */
#define ADDRESSES_MAX 16 /* of one zone that are asked */

void dnssec_view_done(struct dnssec_view *view)
{
    free(view->why);
    *view = (struct dnssec_view){.why = NULL};
}

static void conclude(struct dnssec_view *view, enum dnssec_state state, char *why_take)
{
    free(view->why);
    view->state = state;
    view->why = why_take;
}

static bool is_sound(const struct dns_answer *answer)
{
    return answer->result == ERR_OK && answer->rcode == DNS_NOERROR;
}

static bool has_record(const struct dns_answer *answer, const char *owner, enum dns_type type)
{
    for (size_t i = 0; i < answer->answer_count; i++)
        if (answer->answers[i].type == type && text_casecmp(answer->answers[i].owner, owner) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------------ what resolvers say */

struct opinion {
    struct resolver *of; /* borrowed */
    struct dns_answer ds;
    bool validated; /* looked, and agrees */
    bool refused;   /* looked, and finds it bogus */
};

static void opinion_done(struct opinion *opinion)
{
    dns_answer_done(&opinion->ds);
}

static enum err_code ask_opinion(struct resolver *resolver, const char *zone, struct opinion *out, struct err *err)
{
    const struct dns_question questions[] = {
        {.name = zone, .type = DNS_DS, .flags = DNS_WANT_DNSSEC | DNS_NO_VALIDATION, .timeout_ms = QUESTION_MS},
        {.name = zone, .type = DNS_SOA, .flags = DNS_WANT_DNSSEC, .timeout_ms = QUESTION_MS},
    };
    const struct dns_question unchecked = {
        .name = zone, .type = DNS_SOA, .flags = DNS_WANT_DNSSEC | DNS_NO_VALIDATION, .timeout_ms = QUESTION_MS};
    struct dns_answer answers[2];
    enum err_code code = resolver_ask_all(resolver, questions, 2, answers, err);
    bool failed;

    if (code != ERR_OK)
        return code;
    failed = answers[1].result == ERR_OK && answers[1].rcode == DNS_SERVFAIL;
    out->of = resolver;
    out->ds = answers[0];
    out->validated = is_sound(&answers[1]) && answers[1].authenticated;
    dns_answer_done(&answers[1]);
    if (!failed)
        return ERR_OK;
    code = resolver_ask_all(resolver, &unchecked, 1, answers, err);
    if (code == ERR_OK) {
        out->refused = is_sound(&answers[0]);
        dns_answer_done(&answers[0]);
    }
    return code;
}

struct opinions {
    struct opinion *items;
    size_t count;
};

static void opinions_done(struct opinions *opinions)
{
    for (size_t i = 0; i < opinions->count; i++)
        opinion_done(&opinions->items[i]);
    free(opinions->items);
}

static bool has_signature(const struct dns_rr *section, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (section[i].type == DNS_RRSIG)
            return true;
    return false;
}

/* Need nobody else be asked?  Not when somebody validates, nor when the parent's proof that there is no DS record came
 * along: then the resolver is none of those that know no DS.  A resolver that refuses is not enough: with a wrong clock
 * or an old trust anchor it refuses everything. */
static bool is_settled(const struct opinions *opinions, const char *zone)
{
    for (size_t i = 0; i < opinions->count; i++) {
        const struct opinion *o = &opinions->items[i];

        if (o->validated)
            return true;
        if (!o->refused && is_sound(&o->ds) && !has_record(&o->ds, zone, DNS_DS) &&
            has_signature(o->ds.authority, o->ds.authority_count))
            return true;
    }
    return false;
}

static enum err_code ask_opinions(const struct dnssec_request *request, struct opinions *out, struct err *err)
{
    enum err_code code;

    out->items = mem_calloc(request->doh_count + 1, sizeof *out->items);
    code = ask_opinion(request->direct, request->zone, &out->items[out->count++], err);
    for (size_t i = 0; i < request->doh_count && code == ERR_OK && !is_settled(out, request->zone); i++)
        code = ask_opinion(request->doh[i], request->zone, &out->items[out->count++], err);
    return code;
}

/* That of a resolver that shows DS records if anybody does (some forwarders know no DS), else of one that says that
 * there are none, else NULL. */
static const struct opinion *pick_opinion(const struct opinions *opinions, const char *zone)
{
    const struct opinion *picked = NULL;

    for (size_t i = 0; i < opinions->count; i++) {
        const struct opinion *o = &opinions->items[i];

        if (!is_sound(&o->ds))
            continue;
        if (has_record(&o->ds, zone, DNS_DS))
            return o;
        picked = picked ? picked : o;
    }
    return picked;
}

static char *describe_failure(const struct opinions *opinions)
{
    const struct dns_answer *ds = &opinions->items[0].ds;

    if (ds->result != ERR_OK)
        return mem_strdup(ds->err.msg);
    return mem_printf("asked for DS, the resolver says %s", dns_rcode_name(ds->rcode));
}

/* ------------------------------------------------------------------ zones above */

/* The nearest zone above that has no DS record of its own; *out stays NULL when there is none.  Below such a zone
 * nothing is checked.  Where the resolver fails, the zone above is taken to be signed. */
static enum err_code find_unsigned_above(struct resolver *resolver, const char *zone, char **out, struct err *err)
{
    AUTO_FREE struct dns_question *questions = mem_calloc(2 * ABOVE_MAX, sizeof *questions);
    AUTO_FREE struct dns_answer *answers = mem_calloc(2 * ABOVE_MAX, sizeof *answers);
    size_t count = 0;
    enum err_code code;

    for (const char *name = name_parent(zone); name && count < 2 * ABOVE_MAX; name = name_parent(name)) {
        struct dns_question question = {
            .name = name, .flags = DNS_WANT_DNSSEC | DNS_NO_VALIDATION, .timeout_ms = QUESTION_MS};

        question.type = DNS_SOA;
        questions[count++] = question;
        question.type = DNS_DS;
        questions[count++] = question;
    }
    code = resolver_ask_all(resolver, questions, count, answers, err);
    for (size_t i = 0; i < count && code == ERR_OK; i += 2) {
        const char *name = questions[i].name;

        if (!*out && is_sound(&answers[i]) && has_record(&answers[i], name, DNS_SOA) && is_sound(&answers[i + 1]) &&
            !has_record(&answers[i + 1], name, DNS_DS))
            *out = mem_strdup(name);
        dns_answer_done(&answers[i]);
        dns_answer_done(&answers[i + 1]);
    }
    return code;
}

/* ------------------------------------------------------------------ the zone's own servers */

struct seat { /* one address of a server */
    const char *server;
    const char *address;
    struct dnssec_server found;
};

struct seats {
    struct seat items[ADDRESSES_MAX];
    size_t count;
};

static void seats_done(struct seats *seats)
{
    for (size_t i = 0; i < seats->count; i++)
        dnssec_server_done(&seats->items[i].found);
}

/* The first address of each server, then the second of each, as far as there is room. */
static void list_seats(const struct dns_servers *servers, struct seats *out)
{
    size_t longest = 0;

    for (size_t s = 0; s < servers->count; s++)
        longest = servers->items[s].addresses.count > longest ? servers->items[s].addresses.count : longest;
    for (size_t a = 0; a < longest; a++)
        for (size_t s = 0; s < servers->count && out->count < ADDRESSES_MAX; s++)
            if (a < servers->items[s].addresses.count)
                out->items[out->count++] = (struct seat){.server = servers->items[s].name,
                                                         .address = servers->items[s].addresses.items[a]};
}

static enum err_code ask_seats(const struct dnssec_request *request, const struct dnssec_trust *trust,
                               struct seats *seats, struct err *err)
{
    struct dns_question questions[2 * ADDRESSES_MAX];
    struct dns_answer answers[2 * ADDRESSES_MAX];
    enum err_code code;

    list_seats(request->servers, seats);
    for (size_t i = 0; i < seats->count; i++) {
        questions[2 * i] = (struct dns_question){.name = request->zone,
                                                 .type = DNS_DNSKEY,
                                                 .server = seats->items[i].address,
                                                 .flags = DNS_WANT_DNSSEC,
                                                 .timeout_ms = QUESTION_MS};
        questions[2 * i + 1] = questions[2 * i];
        questions[2 * i + 1].type = DNS_SOA;
    }
    code = resolver_ask_all(request->direct, questions, 2 * seats->count, answers, err);
    for (size_t i = 0; i < seats->count && code == ERR_OK; i++) {
        dnssec_server_judge(request->zone, trust, &answers[2 * i], &answers[2 * i + 1], request->now_s,
                            &seats->items[i].found);
        dns_answer_done(&answers[2 * i]);
        dns_answer_done(&answers[2 * i + 1]);
    }
    return code;
}

static const struct seat *find_seat(const struct seats *seats, enum dnssec_finding finding)
{
    for (size_t i = 0; i < seats->count; i++)
        if (seats->items[i].found.finding == finding)
            return &seats->items[i];
    return NULL;
}

static bool is_fault(const struct seat *seat)
{
    return seat->found.finding == DNSSEC_SERVER_NO_KEYS || seat->found.finding == DNSSEC_SERVER_BAD;
}

static bool is_same(const struct seat *a, const struct seat *b)
{
    return a->found.finding == b->found.finding && (!a->found.why || strcmp(a->found.why, b->found.why) == 0);
}

/* The fault of all servers that answer, or the first of several with the name of its server. */
static char *describe_faults(const struct seats *seats)
{
    const struct seat *first = NULL;
    bool is_everywhere = true;

    for (size_t i = 0; i < seats->count; i++) {
        const struct seat *seat = &seats->items[i];

        if (seat->found.finding == DNSSEC_SERVER_UNUSABLE)
            continue;
        if (!first && is_fault(seat))
            first = seat;
    }
    for (size_t i = 0; first && i < seats->count; i++)
        if (seats->items[i].found.finding != DNSSEC_SERVER_UNUSABLE && !is_same(&seats->items[i], first))
            is_everywhere = false;
    if (!first)
        return NULL;
    if (first->found.finding == DNSSEC_SERVER_NO_KEYS)
        return is_everywhere ? mem_strdup("the parent has a DS record, and the zone is not signed")
                             : mem_printf("the parent has a DS record, and name server \"%s\" (%s) does not sign the "
                                          "zone",
                                          first->server, first->address);
    return is_everywhere ? mem_strdup(first->found.why)
                         : mem_printf("%s at name server \"%s\" (%s)", first->found.why, first->server, first->address);
}

static void judge_seats(const struct seats *seats, struct dnssec_view *out)
{
    const struct seat *unverifiable = find_seat(seats, DNSSEC_SERVER_UNVERIFIABLE);
    char *fault = describe_faults(seats);

    for (size_t i = 0; i < seats->count; i++) {
        int64_t expires_s = seats->items[i].found.expires_s;

        if (expires_s && (!out->expires_s || expires_s < out->expires_s))
            out->expires_s = expires_s;
    }
    if (fault)
        conclude(out, DNSSEC_BROKEN, fault);
    else if (unverifiable)
        conclude(out, DNSSEC_UNKNOWN, mem_strdup(unverifiable->found.why));
    else if (find_seat(seats, DNSSEC_SERVER_GOOD))
        conclude(out, DNSSEC_SECURE, NULL);
    else
        conclude(out, DNSSEC_UNKNOWN, mem_strdup("no name server of the zone could be asked for its keys"));
}

/* ------------------------------------------------------------------ all of it */

static enum err_code examine_chain(const struct dnssec_request *request, const struct opinion *opinion,
                                   struct dnssec_view *out, struct err *err)
{
    AUTO_FREE char *above = NULL;
    AUTO(seats_done) struct seats seats = {.count = 0};
    struct dnssec_trust trust;
    enum err_code code;

    dnssec_trust_take(&opinion->ds, request->zone, &trust);
    if (trust.seen == 0) {
        conclude(out, DNSSEC_UNSIGNED, NULL);
        return ERR_OK;
    }
    if (trust.count == 0) {
        conclude(out, DNSSEC_UNSIGNED,
                 mem_strdup("the parent's DS records are all of algorithms that validators do not know"));
        return ERR_OK;
    }
    /* Asked of the one that knows DS: to one that doesn't, every zone above looks unsigned. */
    code = find_unsigned_above(opinion->of, request->zone, &above, err);
    if (code == ERR_OK && above) {
        conclude(out, DNSSEC_UNSIGNED,
                 mem_printf("the parent has a DS record, but zone \"%s\" above it has none, so nobody checks", above));
        return ERR_OK;
    }
    if (code == ERR_OK)
        code = ask_seats(request, &trust, &seats, err);
    if (code == ERR_OK)
        judge_seats(&seats, out);
    return code;
}

/* The resolvers' word on top of what the chain looks like.  One that refuses outweighs a chain that seems sound, as
 * the fault may lie above the zone, unless another agrees; one that agrees with a broken chain may do so from memory
 * only. */
static void add_opinions(const struct opinions *opinions, struct dnssec_view *view)
{
    bool refused = false;

    for (size_t i = 0; i < opinions->count; i++) {
        view->was_validated = view->was_validated || opinions->items[i].validated;
        refused = refused || opinions->items[i].refused;
    }
    if (!refused || view->state == DNSSEC_BROKEN)
        return;
    if (view->was_validated)
        conclude(view, view->state, mem_strdup("the resolver of this machine refuses it, and another one does not"));
    else if (view->state == DNSSEC_UNSIGNED && !view->why)
        conclude(view, DNSSEC_BROKEN,
                 mem_strdup("validating resolvers refuse the zone, although the parent shows no DS record"));
    else
        conclude(view, DNSSEC_BROKEN, mem_strdup("validating resolvers refuse the zone"));
}

static enum err_code examine(const struct dnssec_request *request, struct dnssec_view *view, struct err *err)
{
    AUTO(opinions_done) struct opinions opinions = {NULL, 0};
    const struct opinion *picked;
    enum err_code code = ask_opinions(request, &opinions, err);

    if (code != ERR_OK)
        return code;
    picked = pick_opinion(&opinions, request->zone);
    if (picked)
        code = examine_chain(request, picked, view, err);
    else
        conclude(view, DNSSEC_UNKNOWN, describe_failure(&opinions));
    if (code == ERR_OK)
        add_opinions(&opinions, view);
    return code;
}

enum err_code dnssec_examine(const struct dnssec_request *request, struct dnssec_view *out, struct err *err)
{
    AUTO(dnssec_view_done) struct dnssec_view view = {.state = DNSSEC_UNKNOWN};
    struct err why;
    enum err_code code = examine(request, &view, &why);

    if (code == ERR_CANCELLED) {
        if (err)
            *err = why;
        return code;
    }
    if (code != ERR_OK) {
        dnssec_view_done(&view);
        conclude(&view, DNSSEC_UNKNOWN, mem_strdup(why.msg));
    }
    *out = view;
    view = (struct dnssec_view){.why = NULL};
    return ERR_OK;
}
