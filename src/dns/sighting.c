/* SPDX-License-Identifier: MIT */
#include "dns/sighting.h"

#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "util/text.h"

#define OTHER_MAX 64 /* bytes of a stranger's value that a message shows */

static bool answer_has(const struct dns_answer *answer, const char *name, const char *value)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < answer->answer_count; i++) {
        const struct dns_rr *rr = &answer->answers[i];

        if (rr->type == DNS_TXT && rr->text_len == len && memcmp(rr->text, value, len) == 0 &&
            text_casecmp(rr->owner, name) == 0)
            return true;
    }
    return false;
}

static const struct dns_rr *answer_find(const struct dns_answer *answer, const char *name, enum dns_type type)
{
    for (size_t i = 0; i < answer->answer_count; i++)
        if (answer->answers[i].type == type && text_casecmp(answer->answers[i].owner, name) == 0)
            return &answer->answers[i];
    return NULL;
}

static bool is_wanted(const struct dns_rr *rr, const struct propagation_item *item)
{
    for (size_t i = 0; i < item->value_count; i++)
        if (rr->text_len == strlen(item->values[i]) && memcmp(rr->text, item->values[i], rr->text_len) == 0)
            return true;
    return false;
}

/* What stands there instead tells the operator whether the server is behind or the zone is another one. */
static void note_others(const struct dns_answer *answer, const struct propagation_item *item, struct sighting *seen)
{
    for (size_t i = 0; i < answer->answer_count; i++) {
        const struct dns_rr *rr = &answer->answers[i];

        if (rr->type != DNS_TXT || text_casecmp(rr->owner, item->name) != 0 || is_wanted(rr, item))
            continue;
        if (!seen->other)
            seen->other = mem_strndup(rr->text, rr->text_len < OTHER_MAX ? rr->text_len : OTHER_MAX);
        seen->other_count++;
    }
}

/* An authoritative answer without an error. */
static struct sighting judge_data(const struct dns_answer *answer, const struct propagation_item *item)
{
    struct sighting seen = {.kind = SIGHTING_PARTIAL};
    const struct dns_rr *cname = answer_find(answer, item->name, DNS_CNAME);

    for (size_t i = 0; i < item->value_count; i++)
        if (answer_has(answer, item->name, item->values[i]))
            seen.shown++;
    if (seen.shown == item->value_count)
        seen.kind = SIGHTING_SHOWN;
    else if (cname)
        seen = (struct sighting){.kind = SIGHTING_ALIAS, .alias = mem_strdup(cname->text)};
    else if (!answer_find(answer, item->name, DNS_TXT))
        seen.kind = SIGHTING_NO_TXT;
    else
        note_others(answer, item, &seen);
    return seen;
}

static struct sighting judge(const struct dns_answer *answer, const struct propagation_item *item,
                             enum sighting_trust trust)
{
    if (answer->result == ERR_TIMEOUT)
        return (struct sighting){.kind = SIGHTING_SILENT};
    if (answer->result != ERR_OK)
        return (struct sighting){.kind = SIGHTING_UNREACHABLE};
    if (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN)
        return (struct sighting){.kind = SIGHTING_REFUSED, .rcode = answer->rcode};
    if (trust == SIGHTING_AUTHORITATIVE_ONLY && !answer->authoritative)
        return (struct sighting){.kind = SIGHTING_NO_AUTHORITY};
    /* NXDOMAIN behind a CNAME is about its target, RFC 6604 section 3. */
    if (answer->rcode == DNS_NXDOMAIN && !answer_find(answer, item->name, DNS_CNAME))
        return (struct sighting){.kind = SIGHTING_NO_NAME};
    return judge_data(answer, item);
}

void sighting_update(struct sighting *sighting, const struct dns_answer *answer, const struct propagation_item *item,
                     enum sighting_trust trust)
{
    struct sighting now = judge(answer, item, trust);
    bool says_nothing = now.kind == SIGHTING_SILENT || now.kind == SIGHTING_UNREACHABLE;

    if (says_nothing && sighting->kind > SIGHTING_UNREACHABLE)
        return;
    sighting_done(sighting);
    *sighting = now;
}

void sighting_done(struct sighting *sighting)
{
    free(sighting->alias);
    free(sighting->other);
    *sighting = (struct sighting){0};
}

static void describe_partial(const struct sighting *sighting, const struct propagation_item *item, struct buf *out)
{
    if (item->value_count > 1)
        buf_printf(out, "shows %zu of %zu values", sighting->shown, item->value_count);
    else
        buf_puts(out, "shows");
    if (!sighting->other)
        return;
    buf_printf(out, "%s \"%s\"", item->value_count > 1 ? ", and" : " only", sighting->other);
    if (sighting->other_count > 1)
        buf_printf(out, " and %zu more", sighting->other_count - 1);
}

void sighting_describe(const struct sighting *sighting, const struct propagation_item *item, struct buf *out)
{
    switch (sighting->kind) {
    case SIGHTING_NONE:
        buf_puts(out, "has not answered yet");
        break;
    case SIGHTING_SILENT:
        buf_puts(out, "did not answer");
        break;
    case SIGHTING_UNREACHABLE:
        buf_puts(out, "can't be reached");
        break;
    case SIGHTING_REFUSED:
        buf_printf(out, "answers with an error (%s, code %d)", dns_rcode_name(sighting->rcode), sighting->rcode);
        break;
    case SIGHTING_NO_AUTHORITY:
        buf_puts(out, "does not answer as a server of the zone");
        break;
    case SIGHTING_NO_NAME:
        buf_puts(out, "has no such name");
        break;
    case SIGHTING_NO_TXT:
        buf_puts(out, "has no TXT record there");
        break;
    case SIGHTING_ALIAS:
        buf_printf(out, "still answers CNAME \"%s\"", sighting->alias);
        break;
    case SIGHTING_PARTIAL:
        describe_partial(sighting, item, out);
        break;
    case SIGHTING_SHOWN:
        buf_puts(out, "shows it");
        break;
    }
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t sighting_cache_s(const struct dns_answer *answer)
{
    int64_t ttl_s = -1;

    for (size_t i = 0; i < answer->answer_count; i++)
        ttl_s = ttl_s < 0 ? answer->answers[i].ttl_s : lesser(ttl_s, answer->answers[i].ttl_s);
    for (size_t i = 0; i < answer->authority_count; i++) {
        const struct dns_rr *rr = &answer->authority[i];

        if (rr->type == DNS_SOA) {
            int64_t negative_s = lesser(rr->ttl_s, rr->soa_minimum_s);

            ttl_s = ttl_s < 0 ? negative_s : lesser(ttl_s, negative_s);
        }
    }
    return ttl_s < 0 ? 0 : ttl_s;
}
