/* SPDX-License-Identifier: MIT */
#include "dns/census.h"

#include <stdlib.h>

#include "dns/wire.h"

#define QUESTION_MS 2000 /* the resolver sends again within this */
#define ADDRESSES_MAX 32

void census_done(struct census *census)
{
    for (size_t i = 0; i < census->count; i++)
        dns_answer_done(&census->answers[i]);
    free(census->answers);
    free(census->addresses);
    *census = (struct census){NULL, NULL, 0};
}

/* ------------------------------------------------------------------ asking */

static void list_addresses(const struct dns_servers *servers, struct census *out)
{
    size_t longest = 0;

    out->addresses = mem_calloc(ADDRESSES_MAX, sizeof *out->addresses);
    out->answers = mem_calloc(ADDRESSES_MAX, sizeof *out->answers);
    for (size_t s = 0; s < servers->count; s++)
        longest = servers->items[s].addresses.count > longest ? servers->items[s].addresses.count : longest;
    for (size_t a = 0; a < longest; a++)
        for (size_t s = 0; s < servers->count && out->count < ADDRESSES_MAX; s++)
            if (a < servers->items[s].addresses.count)
                out->addresses[out->count++] = servers->items[s].addresses.items[a];
}

static enum err_code ask(struct resolver *direct, struct census *census, const char *name, enum dns_type type,
                         enum dns_transport transport, struct err *err)
{
    struct dns_question questions[ADDRESSES_MAX];

    for (size_t i = 0; i < census->count; i++) {
        dns_answer_done(&census->answers[i]);
        questions[i] = (struct dns_question){.name = name,
                                             .type = type,
                                             .server = census->addresses[i],
                                             .transport = transport,
                                             .timeout_ms = QUESTION_MS};
    }
    return resolver_ask_all(direct, questions, census->count, census->answers, err);
}

static bool any_answered(const struct census *census)
{
    for (size_t i = 0; i < census->count; i++)
        if (census->answers[i].result == ERR_OK)
            return true;
    return false;
}

enum err_code census_take(struct resolver *direct, const struct dns_servers *servers, const char *name,
                          enum dns_type type, struct census *out, struct err *err)
{
    AUTO_CENSUS struct census census = {NULL, NULL, 0};
    enum err_code code;

    list_addresses(servers, &census);
    code = ask(direct, &census, name, type, DNS_UDP_THEN_TCP, err);
    if (code == ERR_OK && !any_answered(&census))
        code = ask(direct, &census, name, type, DNS_TCP, err);
    if (code != ERR_OK)
        return code;
    *out = census;
    census = (struct census){NULL, NULL, 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ judging */

static bool is_error(const struct dns_answer *answer)
{
    return answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN;
}

bool census_is_useful(const struct dns_answer *answer)
{
    return answer->result == ERR_OK && answer->authoritative && !is_error(answer);
}

static char *failure(const struct dns_answer *answer)
{
    switch (answer->result) {
    case ERR_TIMEOUT:
        return mem_strdup("does not answer");
    case ERR_NETWORK:
        return mem_strdup(answer->has_no_route ? "is where this machine has no route to" : "can't be reached");
    case ERR_DNS:
        return mem_strdup("answers with something that is not DNS");
    default:
        return mem_printf("could not be asked: %s", answer->err.msg);
    }
}

static const char *referred_zone(const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->authority_count && !answer->answer_count; i++)
        if (answer->authority[i].type == DNS_NS)
            return answer->authority[i].owner;
    return NULL;
}

char *census_fault(const struct dns_answer *answer)
{
    const char *name = dns_rcode_name(answer->rcode);
    const char *referred = referred_zone(answer);

    if (answer->result != ERR_OK)
        return failure(answer);
    if (answer->rcode != DNS_NOERROR)
        return *name == '?' ? mem_printf("answers with response code %d", answer->rcode)
                            : mem_printf("answers %s", name);
    if (answer->authoritative)
        return mem_strdup("answers without the records of the zone");
    if (!referred)
        return mem_strdup("answers, but not as a server of the zone");
    return *referred ? mem_printf("does not serve it and refers to the servers of \"%s\"", referred)
                     : mem_strdup("does not serve it and refers to the root");
}

/* Silence of one says less than a wrong answer of another. */
static size_t example(const struct census *census)
{
    for (size_t i = 0; i < census->count; i++)
        if (census->answers[i].result == ERR_OK)
            return i;
    for (size_t i = 0; i < census->count; i++)
        if (!census->answers[i].has_no_route)
            return i;
    return 0;
}

enum err_code census_fail(const struct census *census, const char *zone, const char *name, struct err *err)
{
    AUTO_FREE char *fault = NULL;
    const struct dns_answer *answer;
    size_t i;

    if (!census->count)
        return err_set(err, ERR_DNS, "no name server of zone \"%s\" has an address", zone);
    i = example(census);
    answer = &census->answers[i];
    fault = census_fault(answer);
    return err_set(err, answer->result == ERR_OK ? ERR_DNS : answer->result,
                   "no name server of zone \"%s\" gives a usable answer about \"%s\": %s %s", zone, name,
                   census->addresses[i], fault);
}
