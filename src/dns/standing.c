/* SPDX-License-Identifier: MIT
 *
 * What stands at a name, as all servers of its zone together show it.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/delegation.h"
#include "util/text.h"

#define QUESTION_MS 3000
#define SERVERS_MAX 32 /* addresses that are asked */
#define VALUES_MAX 200
#define SHOWN_MAX 1024 /* bytes of a value, escapes included */

void standing_done(struct standing *standing)
{
    free(standing->cname);
    strlist_done(&standing->values);
    *standing = (struct standing){.cname = NULL};
}

static void add_value(struct strlist *values, const struct dns_rr *rr)
{
    char shown[SHOWN_MAX];

    text_escape_into(shown, sizeof shown, rr->text, rr->text_len);
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->items[i], shown) == 0)
            return;
    if (values->count < VALUES_MAX)
        strlist_add(values, shown);
}

/* Only what stands at the name itself: servers that follow a CNAME add what its target has. */
static void take(const struct dns_answer *answer, const char *name, struct standing *out)
{
    for (size_t i = 0; i < answer->answer_count; i++) {
        const struct dns_rr *rr = &answer->answers[i];

        if (text_casecmp(rr->owner, name) != 0)
            continue;
        if (rr->type == DNS_TXT)
            add_value(&out->values, rr);
        else if (rr->type == DNS_CNAME && !out->cname)
            out->cname = mem_strdup(rr->text);
    }
}

static enum err_code conclude(const struct dns_answer *answers, size_t count, const char *name, size_t useful,
                              struct err *err)
{
    if (useful)
        return ERR_OK;
    for (size_t i = 0; i < count; i++)
        if (answers[i].result != ERR_OK) {
            if (err)
                *err = answers[i].err;
            return err_prefix(err, answers[i].result, "no name server answers about \"%s\"", name);
        }
    return err_set(err, ERR_DNS, "no name server gives a usable answer about \"%s\"", name);
}

enum err_code standing_examine(struct resolver *direct, const char *zone, const char *name,
                               const struct dns_servers *servers, struct standing *out, struct err *err)
{
    struct dns_question questions[SERVERS_MAX];
    struct dns_answer answers[SERVERS_MAX];
    AUTO(standing_done) struct standing found = {.cname = NULL};
    size_t count = 0;
    size_t useful = 0;
    enum err_code code;

    for (size_t s = 0; s < servers->count; s++)
        for (size_t a = 0; a < servers->items[s].addresses.count && count < SERVERS_MAX; a++)
            questions[count++] = (struct dns_question){.name = name,
                                                       .type = DNS_TXT,
                                                       .server = servers->items[s].addresses.items[a],
                                                       .timeout_ms = QUESTION_MS};
    code = resolver_ask_all(direct, questions, count, answers, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < count; i++) {
        if (answers[i].result != ERR_OK || !answers[i].authoritative ||
            (answers[i].rcode != DNS_NOERROR && answers[i].rcode != DNS_NXDOMAIN))
            continue;
        useful++;
        take(&answers[i], name, &found);
    }
    code = conclude(answers, count, name, useful, err);
    for (size_t i = 0; i < count; i++)
        dns_answer_done(&answers[i]);
    if (code != ERR_OK)
        return err_prefix(err, code, "zone \"%s\"", zone);
    *out = found;
    found = (struct standing){.cname = NULL};
    return ERR_OK;
}
