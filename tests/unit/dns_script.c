/* SPDX-License-Identifier: MIT */
#include "dns_script.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static bool fits(const struct dns_line *line, const struct dns_question *q)
{
    if (line->server ? strcmp(line->server, q->server ? q->server : RECURSIVE) != 0 : !q->server)
        return false;
    return (!line->name || strcmp(line->name, q->name) == 0) && (!line->type || line->type == q->type) &&
           (line->says != SAYS_SILENT_UDP || q->transport != DNS_TCP);
}

static void put_glue(char *text, struct dns_answer *answer)
{
    char *address = strchr(text, '=');

    *address++ = '\0';
    fake_dns_put_additional(answer, text, strchr(address, ':') ? DNS_AAAA : DNS_A, address);
}

static void put_all(const struct dns_line *line, const struct dns_question *q, struct dns_answer *answer)
{
    const char *owner = line->owner ? line->owner : q->name;
    bool is_referral = line->says == SAYS_REFERRAL || line->says == SAYS_REFERRAL_AA;
    AUTO_FREE char *texts = mem_strdup(line->data);
    char *next = texts;

    for (char *text = next; text; text = next) {
        next = strchr(text, '|');
        if (next)
            *next++ = '\0';
        if (is_referral && strchr(text, '='))
            put_glue(text, answer);
        else if (is_referral)
            fake_dns_put_authority(answer, owner, DNS_NS, text);
        else
            fake_dns_put(answer, owner, q->type, text);
        if (q->type == DNS_SOA && !is_referral)
            answer->answers[answer->answer_count - 1].soa_serial = (uint32_t)strtoul(text, NULL, 10);
    }
}

static void say(const struct dns_line *line, const struct dns_question *q, struct fake_dns_reply *reply)
{
    struct dns_answer *a = &reply->answer;

    switch (line->says) {
    case SAYS_CACHED:
    case SAYS_REFERRAL:
    case SAYS_NOTHING:
        a->authoritative = false;
        put_all(line, q, a);
        break;
    case SAYS_DATA:
    case SAYS_REFERRAL_AA:
        put_all(line, q, a);
        break;
    case SAYS_NODATA:
    case SAYS_NXDOMAIN:
        a->rcode = line->says == SAYS_NXDOMAIN ? DNS_NXDOMAIN : DNS_NOERROR;
        fake_dns_put_soa(a, line->owner ? line->owner : q->name, 180);
        break;
    case SAYS_REFUSED:
    case SAYS_CODE_23:
        a->authoritative = false;
        a->rcode = line->says == SAYS_REFUSED ? DNS_REFUSED : 23;
        break;
    case SAYS_SILENT:
    case SAYS_SILENT_UDP:
        reply->takes_ms = INT64_MAX;
        break;
    case SAYS_CLOSED:
    case SAYS_NO_ROUTE:
        fake_dns_fail(a, ERR_NETWORK);
        a->has_no_route = line->says == SAYS_NO_ROUTE;
        break;
    case SAYS_GARBAGE:
        fake_dns_fail(a, ERR_DNS);
        break;
    }
}

void dns_script_world(void *ctx, const struct dns_question *question, UNUSED int64_t now_ms,
                      struct fake_dns_reply *reply)
{
    struct dns_script *script = ctx;

    if (script->lost && question->server && question->transport != DNS_TCP) {
        script->lost--;
        reply->takes_ms = INT64_MAX;
        return;
    }
    for (size_t i = 0; i < script->count; i++) {
        if (fits(&script->lines[i], question)) {
            say(&script->lines[i], question, reply);
            return;
        }
    }
    if (question->server || (question->type != DNS_A && question->type != DNS_AAAA))
        fail_msg("%s was asked for type %u of \"%s\"", question->server ? question->server : "the resolver",
                 question->type, question->name);
}
