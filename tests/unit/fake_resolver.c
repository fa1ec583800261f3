/* SPDX-License-Identifier: MIT */
#include "fake_resolver.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "test.h"
#include "util/text.h"

#define ROUND_TRIP_MS 5

/* ------------------------------------------------------------------ the world */

struct fake_server *fake_resolver_add_server(struct fake_resolver *dns, const char *name, const char *address)
{
    struct fake_server *server = &dns->servers[dns->server_count++];

    assert_true(dns->server_count <= ARRAY_LEN(dns->servers));
    *server = (struct fake_server){.name = name, .address = address};
    return server;
}

void fake_server_serve(struct fake_server *server, const char *zone)
{
    assert_true(server->zone_count < ARRAY_LEN(server->zones));
    server->zones[server->zone_count++] = zone;
}

void fake_resolver_add(struct fake_resolver *dns, const char *owner, enum dns_type type, const char *text)
{
    assert_true(dns->record_count < ARRAY_LEN(dns->records));
    dns->records[dns->record_count++] = (struct fake_rr){owner, type, text};
}

void fake_resolver_add_inside(struct fake_resolver *dns, const char *owner, enum dns_type type, const char *text)
{
    assert_true(dns->inside_count < ARRAY_LEN(dns->inside));
    dns->inside[dns->inside_count++] = (struct fake_rr){owner, type, text};
}

void fake_resolver_fail(struct fake_resolver *dns, enum err_code fault, size_t first, size_t count)
{
    dns->fault = fault;
    dns->fault_first = first;
    dns->fault_count = count;
}

size_t fake_resolver_count(const struct fake_resolver *dns, const char *server, enum dns_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < dns->asked_count && i < ARRAY_LEN(dns->asked); i++)
        count += dns->asked[i].type == type && (!server || strcmp(dns->asked[i].server, server) == 0);
    return count;
}

static const char *deepest(const char *const *zones, size_t count, const char *name)
{
    const char *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (name_is_within(name, zones[i]) && (!best || strlen(zones[i]) > strlen(best)))
            best = zones[i];
    return best;
}

static const char *deepest_public(const struct fake_resolver *dns, const char *name)
{
    const char *best = NULL;

    for (size_t i = 0; i < dns->server_count; i++) {
        const struct fake_server *s = &dns->servers[i];
        const char *zone = s->is_inside ? NULL : deepest(s->zones, s->zone_count, name);

        if (zone && (!best || strlen(zone) > strlen(best)))
            best = zone;
    }
    return best;
}

static bool serves(const struct fake_server *server, const char *zone)
{
    for (size_t i = 0; i < server->zone_count; i++)
        if (strcmp(server->zones[i], zone) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------------ answers */

static bool is_in_zone(const struct fake_api *api, const struct fake_api_record *record, const char *zone)
{
    for (size_t i = 0; i < api->zone_count; i++)
        if (api->zones[i].id == record->zone_id)
            return text_casecmp(api->zones[i].name, zone) == 0;
    return false;
}

/* Records of the API as a server with that lag has them; tells whether the name exists there. */
static bool add_from_api(const struct fake_resolver *dns, const char *zone, const char *name, int64_t lag_ms,
                         enum dns_type type, struct dns_answer *out)
{
    AUTO_FREE char *relative = name_relative(name, zone);
    int64_t seen_ms = lag_ms == FAKE_NEVER ? 0 : dns->clock->wall_ms - lag_ms;
    bool exists = false;

    for (size_t i = 0; i < dns->api->record_count; i++) {
        const struct fake_api_record *r = &dns->api->records[i];

        if (r->created_ms > seen_ms || (r->deleted_ms && r->deleted_ms <= seen_ms) || strcmp(r->type, "TXT") != 0 ||
            text_casecmp(r->name, relative) != 0 || !is_in_zone(dns->api, r, zone))
            continue;
        exists = true;
        if (type == DNS_TXT)
            fake_dns_put(out, name, DNS_TXT, r->value);
    }
    return exists;
}

static bool add_from_table(const struct fake_rr *table, size_t count, const char *owner, const char *name,
                           enum dns_type type, struct dns_answer *out)
{
    bool exists = false;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].owner, owner) != 0)
            continue;
        exists = true;
        if (table[i].type == type || table[i].type == DNS_CNAME)
            fake_dns_put(out, name, table[i].type, table[i].text);
    }
    return exists;
}

/* RFC 4592, as far as one level of labels goes. */
static bool add_from_wildcard(const struct fake_resolver *dns, const char *name, enum dns_type type,
                              struct dns_answer *out)
{
    const char *parent = name_parent(name);
    AUTO_FREE char *wildcard = mem_printf("*.%s", parent ? parent : "");

    return add_from_table(dns->records, dns->record_count, wildcard, name, type, out);
}

/* What a server of the zone says with authority. */
static void answer_zone(const struct fake_resolver *dns, const char *zone, const struct fake_question *q,
                        int64_t lag_ms, struct dns_answer *out)
{
    bool exists = add_from_api(dns, zone, q->name, lag_ms, q->type, out);

    exists = add_from_table(dns->records, dns->record_count, q->name, q->name, q->type, out) || exists ||
             strcmp(q->name, zone) == 0;
    if (!exists)
        exists = add_from_wildcard(dns, q->name, q->type, out);
    out->authoritative = true;
    if (q->type == DNS_SOA && strcmp(q->name, zone) == 0)
        fake_dns_put(out, zone, DNS_SOA, "ns.test");
    if (out->answer_count == 0)
        fake_dns_put_soa(out, zone, 60);
    out->rcode = exists ? DNS_NOERROR : DNS_NXDOMAIN;
}

static void answer_direct(const struct fake_resolver *dns, const struct fake_server *server,
                          const struct fake_question *q, struct dns_answer *out)
{
    const char *own = deepest(server->zones, server->zone_count, q->name);
    const char *cut = server->is_inside ? NULL : deepest_public(dns, q->name);

    if (!own) {
        out->rcode = DNS_REFUSED;
    } else if (cut && strlen(cut) > strlen(own)) {
        for (size_t i = 0; i < dns->server_count; i++)
            if (!dns->servers[i].is_inside && serves(&dns->servers[i], cut))
                fake_dns_put_authority(out, cut, DNS_NS, dns->servers[i].name);
    } else {
        answer_zone(dns, own, q, server->lag_ms, out);
        for (size_t i = 0; i < out->answer_count; i++)
            out->answers[i].soa_serial = server->serial;
    }
}

static bool answer_inside(const struct fake_resolver *dns, const struct fake_question *q, struct dns_answer *out)
{
    for (size_t i = 0; i < dns->inside_count; i++) {
        const struct fake_rr *rr = &dns->inside[i];

        if (q->type == DNS_SOA && rr->type == DNS_SOA && strcmp(rr->owner, q->name) == 0)
            fake_dns_put(out, rr->owner, DNS_SOA, "dc.inside");
        else if (q->type == DNS_SOA && rr->type == DNS_SOA && name_is_within(q->name, rr->owner))
            fake_dns_put_soa(out, rr->owner, 60);
        else if (rr->type == q->type && strcmp(rr->owner, q->name) == 0)
            fake_dns_put(out, rr->owner, rr->type, rr->text);
    }
    return out->answer_count || out->authority_count;
}

static void answer_recursive(const struct fake_resolver *dns, const struct fake_question *q, struct dns_answer *out)
{
    const char *zone = deepest_public(dns, q->name);

    if (answer_inside(dns, q, out))
        return;
    for (size_t i = 0; i < dns->server_count; i++) {
        const struct fake_server *s = &dns->servers[i];

        if (q->type == DNS_A && s->address && strcmp(s->name, q->name) == 0)
            fake_dns_put(out, s->name, DNS_A, s->address);
        if (q->type == DNS_NS && !s->is_inside && serves(s, q->name))
            fake_dns_put(out, q->name, DNS_NS, s->name);
    }
    if (out->answer_count || q->type == DNS_A || q->type == DNS_AAAA)
        return;
    if (!zone) {
        out->rcode = DNS_NXDOMAIN;
        return;
    }
    answer_zone(dns, zone, q, 0, out);
    out->authoritative = false;
}

static const struct fake_server *find_server(const struct fake_resolver *dns, const char *address)
{
    for (size_t i = 0; i < dns->server_count; i++)
        if (dns->servers[i].address && strcmp(dns->servers[i].address, address) == 0)
            return &dns->servers[i];
    return NULL;
}

/* ------------------------------------------------------------------ questions */

static void note(struct fake_resolver *dns, const struct fake_question *q)
{
    dns->names_spoilt += !*q->server && *q->name == '_';
    if (dns->asked_count < ARRAY_LEN(dns->asked))
        dns->asked[dns->asked_count] = *q;
    dns->asked_count++;
}

/* What goes wrong with question number n; false: nothing. */
static bool go_wrong(const struct fake_resolver *dns, size_t n, const struct fake_server *server,
                     const struct fake_question *q, struct fake_dns_reply *reply)
{
    bool is_due = n >= dns->fault_first && n - dns->fault_first < dns->fault_count;
    enum err_code fail = ERR_OK;

    if (is_due)
        fail = dns->fault;
    else if (*q->server && (!server || server->mood == FAKE_SERVER_SILENT))
        fail = ERR_TIMEOUT;
    else if (server && server->mood == FAKE_SERVER_UNREACHABLE)
        fail = ERR_NETWORK;
    else if (server && server->mood == FAKE_SERVER_REFUSES)
        fail = ERR_SERVER;
    if (fail == ERR_TIMEOUT)
        reply->takes_ms = INT64_MAX; /* the question's own limit comes first */
    else if (fail == ERR_SERVER)
        reply->answer.rcode = is_due ? DNS_SERVFAIL : DNS_REFUSED;
    else if (fail != ERR_OK)
        fake_dns_fail(&reply->answer, fail);
    return fail != ERR_OK;
}

static void answer_question(void *ctx, const struct dns_question *question, UNUSED int64_t now_ms,
                            struct fake_dns_reply *reply)
{
    struct fake_resolver *dns = ctx;
    struct fake_question q = {.type = question->type};
    const struct fake_server *server = question->server ? find_server(dns, question->server) : NULL;
    size_t n = dns->asked_count;

    assert_true(!dns->doh_of || !question->server);
    text_cut_into(q.name, sizeof q.name, question->name);
    text_cut_into(q.server, sizeof q.server, question->server ? question->server : "");
    note(dns, &q);
    reply->takes_ms = dns->round_trip_ms;
    reply->answer.authoritative = false;
    if (go_wrong(dns, n, server, &q, reply))
        return;
    if (question->server)
        answer_direct(dns, server, &q, &reply->answer);
    else
        answer_recursive(dns->doh_of ? dns->doh_of : dns, &q, &reply->answer);
}

struct fake_resolver *fake_resolver_new(struct fake_clock *clock, struct fake_api *api)
{
    struct fake_resolver *dns = mem_zalloc(sizeof *dns);

    dns->questions = fake_dns_new(clock, answer_question, dns);
    dns->clock = clock;
    dns->round_trip_ms = ROUND_TRIP_MS;
    dns->api = api;
    return dns;
}

struct resolver *fake_resolver_base(struct fake_resolver *dns)
{
    return &dns->questions->base;
}

void fake_resolver_free(struct fake_resolver *dns)
{
    fake_dns_done(dns->questions);
    free(dns);
}
