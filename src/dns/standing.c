/* SPDX-License-Identifier: MIT
 *
 * What stands at a name, as all servers of its zone together show it.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/census.h"
#include "dns/delegation.h"
#include "dns/name.h"
#include "util/text.h"

#define VALUES_MAX 200
#define SHOWN_MAX 1024 /* bytes of a value, escapes included */
#define NOBODY "_acme-dme-nobody"

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
    if (values->count < VALUES_MAX && !strlist_has(values, shown))
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

static enum err_code look(struct resolver *direct, const char *zone, const char *name,
                          const struct dns_servers *servers, struct standing *out, struct err *err)
{
    AUTO_CENSUS struct census census = {NULL, NULL, 0};
    size_t useful = 0;
    enum err_code code = census_take(direct, servers, name, DNS_TXT, &census, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < census.count; i++) {
        if (!census_is_useful(&census.answers[i]))
            continue;
        useful++;
        take(&census.answers[i], name, out);
    }
    return useful ? ERR_OK : census_fail(&census, zone, name, err);
}

/* ------------------------------------------------------------------ wildcards */

static bool is_same(const struct standing *a, const struct standing *b)
{
    if (!a->cname != !b->cname || (a->cname && text_casecmp(a->cname, b->cname) != 0) ||
        a->values.count != b->values.count)
        return false;
    for (size_t i = 0; i < a->values.count; i++)
        if (!strlist_has(&b->values, a->values.items[i]))
            return false;
    return true;
}

/* What a wildcard shows at the name it also shows at one beside it that nobody has made.  Errors: ERR_CANCELLED,
 * ERR_INTERNAL; servers that do not answer this time tell of no wildcard. */
static enum err_code look_beside(struct resolver *direct, const char *zone, const char *name,
                                 const struct dns_servers *servers, struct standing *out, struct err *err)
{
    const char *parent = name_parent(name);
    AUTO(standing_done) struct standing beside = {.cname = NULL};
    AUTO_FREE char *nobody = NULL;
    struct err why;
    enum err_code code;

    if (!parent || !name_is_within(parent, zone) || (!out->cname && !out->values.count))
        return ERR_OK;
    nobody = mem_printf(NOBODY ".%s", parent);
    if (strlen(nobody) > DNS_NAME_MAX)
        return ERR_OK;
    code = look(direct, zone, nobody, servers, &beside, &why);
    if (code == ERR_CANCELLED || code == ERR_INTERNAL)
        return err_set(err, code, "%s", why.msg);
    out->is_wildcard = code == ERR_OK && is_same(out, &beside);
    return ERR_OK;
}

enum err_code standing_examine(struct resolver *direct, const char *zone, const char *name,
                               const struct dns_servers *servers, struct standing *out, struct err *err)
{
    AUTO(standing_done) struct standing found = {.cname = NULL};
    enum err_code code = look(direct, zone, name, servers, &found, err);

    if (code == ERR_OK)
        code = look_beside(direct, zone, name, servers, &found, err);
    if (code != ERR_OK)
        return code;
    *out = found;
    found = (struct standing){.cname = NULL};
    return ERR_OK;
}
