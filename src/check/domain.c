/* SPDX-License-Identifier: MIT
 *
 * One domain: where its record would go, and everything on the way from there to a CA that believes it.
 */
#include <stdlib.h>
#include <string.h>

#include "check/internal.h"
#include "dns/name.h"
#include "util/text.h"

#define PREFIX "_acme-challenge."

/* "*.example.com" as it stands in a certificate, normalised; without the star for `out_base`. */
static enum err_code normalise(const char *domain, char **out_name, char **out_base, struct err *err)
{
    bool is_wildcard = text_starts_with(domain, "*.");
    enum err_code code = name_normalise(is_wildcard ? domain + 2 : domain, out_base, err);

    if (code != ERR_OK)
        return err_prefix(err, code, "\"%s\" is no domain", domain);
    *out_name = is_wildcard ? mem_printf("*.%s", *out_base) : mem_strdup(*out_base);
    return ERR_OK;
}

static void report_place(struct check *check, const char *name, const char *record, const struct challenge_place *place)
{
    if (strcmp(record, place->record_name) == 0)
        check_add(check->report, CHECK_OK, "name", name, "\"%s\" goes into zone \"%s\" of account \"%s\"", record,
                  place->zone, place->account->name);
    else
        check_add(check->report, CHECK_OK, "name", name,
                  "\"%s\" is a CNAME that leads to \"%s\" in zone \"%s\" of account \"%s\"", record, place->record_name,
                  place->zone, place->account->name);
}

/* Errors: ERR_CANCELLED. */
static enum err_code check_place(struct check *check, const char *name, const char *base, struct err *err)
{
    AUTO_FREE char *record = mem_printf(PREFIX "%s", base);
    AUTO(challenge_place_done) struct challenge_place place = {.zone_id = 0};
    struct check_zone *zone = NULL;
    struct err why;
    enum err_code code;

    if (!check_may_ask(check, NULL, "name", name))
        return ERR_OK;
    check_report_flush(check->report);
    err_init(&why);
    code = challenge_locate(check->opts.challenge, record, &place, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code != ERR_OK) {
        check_add_error(check->report, CHECK_FAIL, "name", name, &why);
        return ERR_OK;
    }
    report_place(check, name, record, &place);
    code = check_zone(check, &place, &zone, err);
    if (code != ERR_OK || check_is_known(&check->records, place.record_name))
        return code;
    return check_records(check, &place, zone, err);
}

enum err_code check_domain(struct check *check, const char *domain, struct err *err)
{
    AUTO_FREE char *name = NULL;
    AUTO_FREE char *base = NULL;
    struct err why;
    enum err_code code = ERR_OK;

    err_init(&why);
    if (normalise(domain, &name, &base, &why) != ERR_OK) {
        check_add_error(check->report, CHECK_FAIL, "name", domain, &why);
        return ERR_OK;
    }
    if (check_is_known(&check->names, name))
        return ERR_OK;
    if (check->accounts_good)
        code = check_place(check, name, base, err);
    else
        check_add(check->report, CHECK_SKIPPED, "name", name, "no account could be asked for its zone");
    return code == ERR_OK ? check_caa(check, name, err) : code;
}
