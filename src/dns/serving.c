/* SPDX-License-Identifier: MIT
 *
 * How each address of each server serves a zone, over UDP and over TCP.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/census.h"
#include "dns/delegation.h"
#include "util/text.h"

#define ADDRESSES_MAX 64 /* shared out among the servers ... */
#define SHARE_MIN 2      /* ... but so many for each */

void serving_list_done(struct serving_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].why);
    free(list->items);
    *list = (struct serving_list){NULL, 0};
}

/* ------------------------------------------------------------------ one answer */

static const struct dns_rr *soa_of(const struct dns_answer *answer, const char *zone)
{
    for (size_t i = 0; i < answer->answer_count; i++)
        if (answer->answers[i].type == DNS_SOA && text_casecmp(answer->answers[i].owner, zone) == 0)
            return &answer->answers[i];
    return NULL;
}

static void judge(const struct dns_answer *answer, const char *zone, struct serving *out)
{
    const struct dns_rr *soa = soa_of(answer, zone);

    out->elapsed_ms = answer->elapsed_ms;
    if (census_is_useful(answer) && soa) {
        out->result = SERVING_OK;
        out->serial = soa->soa_serial;
        return;
    }
    if (answer->result == ERR_OK || answer->result == ERR_DNS)
        out->result = SERVING_LAME;
    else
        out->result = answer->has_no_route ? SERVING_UNREACHABLE : SERVING_SILENT;
    out->why = census_fault(answer);
}

/* ------------------------------------------------------------------ all of them */

static bool is_ipv6(const char *address)
{
    const char *colon = strchr(address, ':');

    return *address == '[' || (colon && strchr(colon + 1, ':'));
}

static void add(struct serving_list *list, const char *server, const char *address)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        list->items = mem_grow(list->items, list->count, sizeof *list->items);
        list->items[list->count++] = (struct serving){
            .server = server,
            .address = address,
            .family = address && is_ipv6(address) ? SERVING_IPV6 : SERVING_IPV4,
            .transport = tcp ? SERVING_TCP : SERVING_UDP,
            .result = SERVING_SILENT,
            .why = address ? NULL : mem_strdup("has no address"),
        };
    }
}

static void list_addresses(const struct dns_servers *servers, struct serving_list *out)
{
    size_t share = servers->count ? ADDRESSES_MAX / servers->count : 0;

    share = share > SHARE_MIN ? share : SHARE_MIN;
    for (size_t s = 0; s < servers->count; s++) {
        const struct dns_server *server = &servers->items[s];

        if (!server->addresses.count)
            add(out, server->name, NULL);
        for (size_t a = 0; a < server->addresses.count && a < share; a++)
            add(out, server->name, server->addresses.items[a]);
    }
}

static bool is_asked_first(const struct serving *s)
{
    return s->address != NULL;
}

/* A lost datagram need not mean a silent server. */
static bool is_asked_again(const struct serving *s)
{
    return s->address && s->transport == SERVING_UDP && s->result == SERVING_SILENT;
}

static enum err_code ask(struct resolver *direct, const char *zone, int64_t timeout_ms,
                         bool (*is_asked)(const struct serving *), struct serving_list *list, struct err *err)
{
    AUTO_FREE struct dns_question *questions = mem_calloc(list->count, sizeof *questions);
    AUTO_FREE struct dns_answer *answers = mem_calloc(list->count, sizeof *answers);
    AUTO_FREE struct serving **asked = mem_calloc(list->count, sizeof(struct serving *));
    size_t count = 0;
    enum err_code code;

    for (size_t i = 0; i < list->count; i++) {
        struct serving *s = &list->items[i];

        if (!is_asked(s))
            continue;
        questions[count] = (struct dns_question){.name = zone,
                                                 .type = DNS_SOA,
                                                 .server = s->address,
                                                 .transport = s->transport == SERVING_TCP ? DNS_TCP : DNS_UDP_THEN_TCP,
                                                 .timeout_ms = timeout_ms};
        asked[count++] = s;
    }
    code = resolver_ask_all(direct, questions, count, answers, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        free(asked[i]->why);
        asked[i]->why = NULL;
        judge(&answers[i], zone, asked[i]);
        dns_answer_done(&answers[i]);
    }
    return code;
}

enum err_code serving_examine(struct resolver *direct, const char *zone, const struct dns_servers *servers,
                              int64_t timeout_ms, struct serving_list *out, struct err *err)
{
    AUTO(serving_list_done) struct serving_list list = {NULL, 0};
    enum err_code code;

    list_addresses(servers, &list);
    code = ask(direct, zone, timeout_ms, is_asked_first, &list, err);
    if (code == ERR_OK)
        code = ask(direct, zone, timeout_ms, is_asked_again, &list, err);
    if (code != ERR_OK)
        return code;
    *out = list;
    list = (struct serving_list){NULL, 0};
    return ERR_OK;
}
