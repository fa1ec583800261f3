/* SPDX-License-Identifier: MIT
 *
 * How each address of each server serves a zone, over UDP and over TCP.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/delegation.h"
#include "dns/wire.h"
#include "util/text.h"

#define ADDRESSES_MAX 64

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

static void judge_answer(const struct dns_answer *answer, const char *zone, struct serving *out)
{
    const struct dns_rr *soa = soa_of(answer, zone);

    out->result = SERVING_LAME;
    if (answer->rcode != DNS_NOERROR)
        out->why = mem_printf("answers %s", dns_rcode_name(answer->rcode));
    else if (!answer->authoritative)
        out->why = mem_strdup("answers, but not as a server of the zone");
    else if (!soa)
        out->why = mem_strdup("answers without the SOA record of the zone");
    else {
        out->result = SERVING_OK;
        out->serial = soa->soa_serial;
    }
}

static void judge(const struct dns_answer *answer, const char *zone, struct serving *out)
{
    out->elapsed_ms = answer->elapsed_ms;
    if (answer->result == ERR_OK) {
        judge_answer(answer, zone, out);
        return;
    }
    if (answer->result == ERR_DNS) {
        out->result = SERVING_LAME;
        out->why = mem_strdup("answers with something that is not DNS");
        return;
    }
    out->result = SERVING_SILENT;
    out->why = mem_strdup(answer->result == ERR_TIMEOUT ? "does not answer" : "can't be reached");
}

/* ------------------------------------------------------------------ all of them */

static void add(struct serving_list *list, const char *server, const char *address)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        list->items = mem_grow(list->items, list->count, sizeof *list->items);
        list->items[list->count++] = (struct serving){
            .server = server,
            .address = address,
            .family = address && (*address == '[' || !strchr(address, '.')) ? SERVING_IPV6 : SERVING_IPV4,
            .transport = tcp ? SERVING_TCP : SERVING_UDP,
        };
    }
}

static void list_addresses(const struct dns_servers *servers, struct serving_list *out)
{
    size_t addresses = 0;

    for (size_t s = 0; s < servers->count; s++) {
        const struct dns_server *server = &servers->items[s];

        if (!server->addresses.count)
            add(out, server->name, NULL);
        for (size_t a = 0; a < server->addresses.count && addresses < ADDRESSES_MAX; a++, addresses++)
            add(out, server->name, server->addresses.items[a]);
    }
}

/* A machine without a way to the other family's addresses fails at all of them alike, and at once; a server that is
 * down does so alone, or after a time-out. */
static bool is_family_dead(const struct serving_list *list, int family)
{
    size_t of_family = 0;
    size_t others_ok = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct serving *s = &list->items[i];

        others_ok += (int)s->family != family && s->result == SERVING_OK;
        if (!s->address || (int)s->family != family)
            continue;
        of_family++;
        if (s->result != SERVING_SILENT)
            return false;
    }
    return of_family && others_ok;
}

static void excuse_family(struct serving_list *list, int family, const char *name)
{
    if (!is_family_dead(list, family))
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct serving *s = &list->items[i];

        if (!s->address || (int)s->family != family)
            continue;
        free(s->why);
        s->why = mem_printf("this machine reaches no name server of the zone over %s", name);
        s->result = SERVING_UNREACHABLE;
    }
}

/* Ask those whose result is not known; `again`: those that stayed silent over UDP. */
static enum err_code ask(struct resolver *direct, const char *zone, int64_t timeout_ms, struct serving_list *list,
                         enum serving_result which, struct err *err)
{
    AUTO_FREE struct dns_question *questions = mem_calloc(list->count, sizeof *questions);
    AUTO_FREE struct dns_answer *answers = mem_calloc(list->count, sizeof *answers);
    AUTO_FREE struct serving **asked = mem_calloc(list->count, sizeof *asked);
    size_t count = 0;
    enum err_code code;

    for (size_t i = 0; i < list->count; i++) {
        struct serving *s = &list->items[i];

        if (!s->address || s->result != which || (which == SERVING_SILENT && s->transport == SERVING_TCP))
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
    code = ask(direct, zone, timeout_ms, &list, SERVING_OK, err); /* as all are set to at first */
    for (size_t i = 0; i < list.count; i++) {
        if (list.items[i].address)
            continue;
        list.items[i].result = SERVING_SILENT;
        list.items[i].why = mem_strdup("has no address");
    }
    if (code == ERR_OK)
        code = ask(direct, zone, timeout_ms, &list, SERVING_SILENT, err);
    if (code != ERR_OK)
        return code;
    excuse_family(&list, SERVING_IPV6, "IPv6");
    excuse_family(&list, SERVING_IPV4, "IPv4");
    *out = list;
    list = (struct serving_list){NULL, 0};
    return ERR_OK;
}
