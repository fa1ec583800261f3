/* SPDX-License-Identifier: MIT */
#include "dns/authority.h"

#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "dns/name.h"
#include "util/text.h"

#define RECURSIVE_MS 10000 /* a resolver with a cold cache may need several round trips to far servers */
#define SERVERS_MAX 32     /* NS names of one zone that are looked at */

/* ------------------------------------------------------------------ lists of servers */

static struct dns_server *want_server(struct dns_servers *servers, const char *name)
{
    for (size_t i = 0; i < servers->count; i++)
        if (text_casecmp(servers->items[i].name, name) == 0)
            return &servers->items[i];
    servers->items = mem_grow(servers->items, servers->count, sizeof *servers->items);
    servers->items[servers->count] = (struct dns_server){.name = mem_strdup(name)};
    return &servers->items[servers->count++];
}

void dns_servers_add(struct dns_servers *servers, const char *name, const char *address)
{
    struct dns_server *server = want_server(servers, name);

    if (address)
        strlist_add_once(&server->addresses, address);
}

void dns_servers_done(struct dns_servers *servers)
{
    for (size_t i = 0; i < servers->count; i++) {
        free(servers->items[i].name);
        strlist_done(&servers->items[i].addresses);
    }
    free(servers->items);
    *servers = (struct dns_servers){NULL, 0};
}

void dns_servers_copy(struct dns_servers *out, const struct dns_servers *in)
{
    *out = (struct dns_servers){NULL, 0};
    for (size_t i = 0; i < in->count; i++) {
        dns_servers_add(out, in->items[i].name, NULL);
        for (size_t a = 0; a < in->items[i].addresses.count; a++)
            dns_servers_add(out, in->items[i].name, in->items[i].addresses.items[a]);
    }
}

static int compare_servers(const void *a, const void *b)
{
    return strcmp(((const struct dns_server *)a)->name, ((const struct dns_server *)b)->name);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Answers come in any order; messages should not. */
static void servers_sort(struct dns_servers *servers)
{
    if (servers->count)
        qsort(servers->items, servers->count, sizeof *servers->items, compare_servers);
    for (size_t i = 0; i < servers->count; i++)
        if (servers->items[i].addresses.count)
            qsort(servers->items[i].addresses.items, servers->items[i].addresses.count,
                  sizeof *servers->items[i].addresses.items, compare_strings);
}

/* ------------------------------------------------------------------ the zone of a name */

/* The zone that an answer to SOA `name` tells, borrowed, or NULL.  With a CNAME at the name the SOA is that
 * of its target's zone. */
static const char *zone_of_answer(const struct dns_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->answer_count; i++) {
        const struct dns_rr *rr = &answer->answers[i];

        if (text_casecmp(rr->owner, name) != 0)
            continue;
        if (rr->type == DNS_CNAME)
            return NULL;
        if (rr->type == DNS_SOA)
            return rr->owner;
    }
    for (size_t i = 0; i < answer->authority_count; i++) {
        const struct dns_rr *rr = &answer->authority[i];

        if (rr->type == DNS_SOA && *rr->owner && name_is_within(name, rr->owner))
            return rr->owner;
    }
    return NULL;
}

static const char *skip_underscored(const char *name)
{
    while (*name == '_' && name_parent(name))
        name = name_parent(name);
    return name;
}

enum err_code authority_find_zone(struct resolver *resolver, const char *name, char **out, struct err *err)
{
    int last_rcode = DNS_NOERROR;

    for (const char *at = skip_underscored(name); at; at = name_parent(at)) {
        AUTO_DNS_ANSWER struct dns_answer answer = {0};
        enum err_code code = resolver_ask(
            resolver, &(struct dns_question){.name = at, .type = DNS_SOA, .timeout_ms = RECURSIVE_MS}, &answer, err);
        const char *zone;

        if (code != ERR_OK)
            return err_prefix(err, code, "could not find the zone of \"%s\"", name);
        zone = zone_of_answer(&answer, at);
        if (zone) {
            *out = mem_strdup(zone);
            return ERR_OK;
        }
        last_rcode = answer.rcode;
    }
    return err_set(err, ERR_DNS, "could not find the zone of \"%s\": no SOA at it or above (last response code %s)",
                   name, dns_rcode_name(last_rcode));
}

/* ------------------------------------------------------------------ the servers of a zone */

static struct dns_question ask_for_names(const char *zone)
{
    return (struct dns_question){.name = zone, .type = DNS_NS, .timeout_ms = RECURSIVE_MS};
}

/* The names of a zone's servers from the answer to that question. */
static enum err_code take_names(const struct dns_answer *answer, const char *zone, struct dns_servers *out,
                                struct err *err)
{
    if (answer->result != ERR_OK) {
        if (err)
            *err = answer->err;
        return err_prefix(err, answer->result, "could not find the name servers of zone \"%s\"", zone);
    }
    for (size_t i = 0; i < answer->answer_count && out->count < SERVERS_MAX; i++)
        if (answer->answers[i].type == DNS_NS && text_casecmp(answer->answers[i].owner, zone) == 0)
            dns_servers_add(out, answer->answers[i].text, NULL);
    if (out->count == 0)
        return err_set(err, ERR_DNS, "zone \"%s\" has no name servers in DNS (response code %s)", zone,
                       dns_rcode_name(answer->rcode));
    return ERR_OK;
}

/* Addresses of the server itself; those of an alias' target are none (RFC 2181 section 10.3). */
static void take_addresses(struct dns_servers *servers, const struct dns_server *server,
                           const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->answer_count; i++) {
        const struct dns_rr *rr = &answer->answers[i];

        if ((rr->type == DNS_A || rr->type == DNS_AAAA) && text_casecmp(rr->owner, server->name) == 0)
            dns_servers_add(servers, server->name, rr->text);
    }
}

static size_t count_addresses(const struct dns_servers *servers)
{
    size_t count = 0;

    for (size_t i = 0; i < servers->count; i++)
        count += servers->items[i].addresses.count;
    return count;
}

/* Both kinds of addresses of all servers at once.  A look-up that fails leaves its server without them; only
 * when none has any its error counts. */
enum err_code authority_find_addresses(struct resolver *resolver, struct dns_servers *servers, struct err *err)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    size_t under_way = 0;
    enum err_code failed = ERR_OK;

    for (size_t i = 0; i < servers->count; i++)
        for (size_t t = 0; t < ARRAY_LEN(types); t++, under_way++)
            resolver->start(resolver, &(struct dns_question){.name = servers->items[i].name,
                                                             .type = types[t],
                                                             .timeout_ms = RECURSIVE_MS,
                                                             .tag = &servers->items[i]});
    while (under_way > 0) {
        AUTO_DNS_ANSWER struct dns_answer answer = {0};
        enum err_code code = resolver->next(resolver, RECURSIVE_MS, &answer);

        if (code == ERR_CANCELLED || code == ERR_NOT_FOUND) {
            resolver_cancel(resolver);
            return err_set(err, code == ERR_CANCELLED ? code : ERR_INTERNAL,
                           "interrupted while asking DNS for addresses");
        }
        if (code != ERR_OK)
            continue;
        under_way--;
        take_addresses(servers, answer.tag, &answer);
        if (answer.result != ERR_OK) {
            failed = answer.result;
            if (err)
                *err = answer.err;
        }
    }
    return count_addresses(servers) ? ERR_OK : failed;
}

/* Ask for the names of all; those that can't be had get an error.  Errors: ERR_CANCELLED, ERR_INTERNAL. */
static enum err_code find_names(struct resolver *resolver, struct authority_zone *zones, size_t count, struct err *err)
{
    AUTO_FREE struct dns_question *questions = mem_calloc(count, sizeof *questions);
    AUTO_FREE struct dns_answer *answers = mem_calloc(count, sizeof *answers);
    enum err_code code;

    for (size_t i = 0; i < count; i++)
        questions[i] = ask_for_names(zones[i].name);
    code = resolver_ask_all(resolver, questions, count, answers, err);
    if (code != ERR_OK)
        return err_prefix(err, code, "could not find the name servers of zone \"%s\"", zones[0].name);
    for (size_t i = 0; i < count; i++) {
        zones[i].err.code = take_names(&answers[i], zones[i].name, &zones[i].servers, &zones[i].err);
        dns_answer_done(&answers[i]);
    }
    return ERR_OK;
}

static void share_addresses(const struct dns_servers *all, struct dns_servers *servers)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < servers->count; k++)
            for (size_t a = 0; a < all->items[i].addresses.count; a++)
                if (text_casecmp(all->items[i].name, servers->items[k].name) == 0)
                    dns_servers_add(servers, servers->items[k].name, all->items[i].addresses.items[a]);
}

/* Zones share servers as a rule, and each server is asked for once.  Errors: ERR_CANCELLED, ERR_INTERNAL. */
static enum err_code find_addresses(struct resolver *resolver, struct authority_zone *zones, size_t count,
                                    struct err *err)
{
    AUTO_DNS_SERVERS struct dns_servers all = {NULL, 0};
    struct err why;
    enum err_code code;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < zones[i].servers.count; k++)
            dns_servers_add(&all, zones[i].servers.items[k].name, NULL);
    code = authority_find_addresses(resolver, &all, &why);
    if (code == ERR_CANCELLED || code == ERR_INTERNAL)
        return err_set(err, code, "%s", why.msg);
    for (size_t i = 0; i < count; i++) {
        struct authority_zone *zone = &zones[i];

        share_addresses(&all, &zone->servers);
        servers_sort(&zone->servers);
        if (zone->err.code == ERR_OK && code != ERR_OK)
            zone->err = why;
    }
    return ERR_OK;
}

enum err_code authority_find_servers_all(struct resolver *resolver, struct authority_zone *zones, size_t count,
                                         struct err *err)
{
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        zones[i].servers = (struct dns_servers){NULL, 0};
        err_init(&zones[i].err);
    }
    code = count ? find_names(resolver, zones, count, err) : ERR_OK;
    if (code == ERR_OK)
        code = find_addresses(resolver, zones, count, err);
    for (size_t i = 0; i < count; i++)
        if (code != ERR_OK || zones[i].err.code != ERR_OK)
            dns_servers_done(&zones[i].servers);
    return code;
}

enum err_code authority_find_servers(struct resolver *resolver, const char *zone, struct dns_servers *out,
                                     struct err *err)
{
    struct authority_zone one = {.name = zone};
    enum err_code code = authority_find_servers_all(resolver, &one, 1, err);

    if (code == ERR_OK && one.err.code != ERR_OK) {
        code = one.err.code;
        if (err)
            *err = one.err;
    }
    if (code == ERR_OK)
        *out = one.servers;
    return code;
}
