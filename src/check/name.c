/* SPDX-License-Identifier: MIT
 *
 * What stands already at the name that the next record will be written to.
 */
#include <string.h>

#include "check/internal.h"
#include "dns/delegation.h"

#define MANY 20 /* values: answers then outgrow UDP, and some resolvers of CAs give up */

static bool is_ours(const struct journal_list *journal, const char *name, const char *value)
{
    for (size_t i = 0; i < journal->count; i++)
        if (strcmp(journal->items[i].name, name) == 0 && strcmp(journal->items[i].value, value) == 0)
            return true;
    return false;
}

static void report_values(struct check *check, const struct challenge_place *place, const struct standing *standing,
                          const struct journal_list *journal)
{
    size_t count = standing->values.count;
    size_t ours = 0;

    for (size_t i = 0; i < count; i++)
        ours += is_ours(journal, place->record_name, standing->values.items[i]);
    if (!count) {
        check_add(check->report, CHECK_OK, "records", place->record_name, "no TXT record is left there");
    } else if (standing->is_wildcard) {
        check_add(check->report, CHECK_OK, "records", place->record_name,
                  "no TXT record is left there but that of a wildcard, which ours will displace");
    } else {
        check_add(check->report, CHECK_WARN, "records", place->record_name,
                  "%zu TXT record%s there: %zu in our journal, %zu of somebody else or forgotten%s", count,
                  count == 1 ? " stands" : "s stand", ours, count - ours,
                  count > MANY ? "; so many make answers too large for some CAs" : "");
        check_hint(check->report,
                   count == ours ? "A run may be at work; if none is, run \"acme-dme sweep\"."
                                 : "They do no harm while they are few; if no ACME client is at work, delete them in "
                                   "the control panel of DNS Made Easy.");
    }
    check_measure(check->report, "records", (int64_t)count);
    check_measure(check->report, "ours", (int64_t)ours);
}

enum err_code check_records(struct check *check, const struct challenge_place *place, const struct check_zone *zone,
                            struct err *err)
{
    AUTO(standing_done) struct standing standing = {.cname = NULL};
    AUTO(journal_list_done) struct journal_list journal = {NULL, 0};
    struct err why;
    enum err_code code;

    if (!place->servers || zone->is_silent) {
        check_add(check->report, CHECK_SKIPPED, "records", place->record_name,
                  "the zone's name servers can't be asked");
        return ERR_OK;
    }
    err_init(&why);
    code = standing_examine(check->opts.direct, place->zone, place->record_name, place->servers, &standing, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code != ERR_OK) {
        check_add_error(check->report, CHECK_WARN, "records", place->record_name, &why);
        return ERR_OK;
    }
    if (check->opts.store && standing.values.count && journal_load(check->opts.store, &journal, &why) != ERR_OK)
        journal = (struct journal_list){NULL, 0}; /* check_state() has reported it */
    report_values(check, place, &standing, &journal);
    return ERR_OK;
}
