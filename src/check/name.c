/* SPDX-License-Identifier: MIT
 *
 * What stands already at the name that the next record will be written to.
 */
#include <string.h>

#include "check/internal.h"
#include "dns/delegation.h"

#define MANY 20             /* values; some CAs give up on more */
#define MANY_BYTES 1232     /* what a UDP answer holds everywhere (DNS flag day 2020) */
#define BYTES_OF_A_VALUE 13 /* beside its text: compressed owner, type, class, TTL, lengths */

struct owners {
    size_t at_work;   /* of runs that may need them */
    size_t leftovers; /* in the journal, and their run is gone */
    size_t strangers;
    size_t bytes;
};

static const struct journal_entry *find_entry(const struct journal_list *journal, const char *name, const char *value)
{
    for (size_t i = 0; i < journal->count; i++)
        if (strcmp(journal->items[i].name, name) == 0 && strcmp(journal->items[i].value, value) == 0)
            return &journal->items[i];
    return NULL;
}

static struct owners count_owners(const struct check *check, const char *name, const struct strlist *values,
                                  const struct journal_list *journal)
{
    struct owners owners = {0};

    for (size_t i = 0; i < values->count; i++) {
        const struct journal_entry *entry = find_entry(journal, name, values->items[i]);

        owners.bytes += strlen(values->items[i]) + BYTES_OF_A_VALUE;
        if (!entry)
            owners.strangers++;
        else if (check_is_leftover(check, entry))
            owners.leftovers++;
        else
            owners.at_work++;
    }
    return owners;
}

static void advise(struct check *check, const struct owners *owners, bool is_much)
{
    if (owners->leftovers)
        check_hint(check->report, "Run \"acme-dme sweep\" to delete those that the journal knows%s.",
                   owners->strangers ? "; the others are not acme-dme's to delete" : "");
    else if (is_much)
        check_hint(check->report,
                   "Delete those that no ACME client needs any more in DNS Made Easy's control panel: CAs "
                   "fail when there are too many.");
    else
        check_hint(
            check->report,
            "A few do no harm; if no other ACME client is at work, delete them in DNS Made Easy's control panel.");
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* "2 TXT records of unknown origin", "3 TXT records: 1 of runs at work, 2 of unknown origin" */
static void describe(const struct owners *owners, size_t count, struct buf *out)
{
    const struct {
        size_t count;
        const char *what;
    } parts[] = {{owners->at_work, "of runs at work"},
                 {owners->leftovers, "left behind by runs that are gone"},
                 {owners->strangers, "of unknown origin"}};
    const char *before = ": ";

    buf_printf(out, "%zu TXT record%s", count, plural(count));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].count == count)
            buf_printf(out, " %s", parts[i].what);
        else if (parts[i].count)
            buf_printf(out, "%s%zu %s", before, parts[i].count, parts[i].what);
        before = parts[i].count ? ", " : before;
    }
}

static void report_values(struct check *check, const char *name, const struct strlist *values,
                          const struct journal_list *journal)
{
    AUTO_BUF struct buf text = BUF_INIT(512);
    struct owners owners = count_owners(check, name, values, journal);
    bool is_much = values->count > MANY || owners.bytes > MANY_BYTES;
    bool is_in_order = owners.at_work == values->count && !is_much;

    describe(&owners, values->count, &text);
    if (!values->count)
        check_add(check->report, CHECK_OK, "records", name, "no TXT record is there");
    else
        check_add(check->report, is_in_order ? CHECK_OK : CHECK_WARN, "records", name, "%s%s", buf_cstr(&text),
                  is_much ? ", more than fit into a UDP answer" : "");
    if (!is_in_order)
        advise(check, &owners, is_much);
    check_measure(check->report, "records", (int64_t)values->count);
    check_measure(check->report, "at_work", (int64_t)owners.at_work);
    check_measure(check->report, "leftovers", (int64_t)owners.leftovers);
    check_measure(check->report, "unknown", (int64_t)owners.strangers);
}

static void report_standing(struct check *check, const struct challenge_place *place, const struct standing *standing)
{
    AUTO(journal_list_done) struct journal_list journal = {NULL, 0};

    if (standing->cname && !standing->is_wildcard && !check->opts.follows_cname) {
        check_add(check->report, CHECK_FAIL, "records", place->record_name,
                  "a CNAME to \"%s\" stands there: no TXT record can be created beside it", standing->cname);
        check_code(check->report, ERR_ZONE);
        check_hint(check->report, "Take \"follow_cname: false\" out of the configuration, or delete the CNAME.");
        return;
    }
    if (standing->is_wildcard) {
        check_add(check->report, CHECK_OK, "records", place->record_name,
                  "no TXT record is there but that of a wildcard, which one of ours displaces");
        return;
    }
    /* what can't be read has a finding of check_state() */
    if (check->opts.store && standing->values.count && journal_load(check->opts.store, &journal, NULL) != ERR_OK)
        journal = (struct journal_list){NULL, 0};
    report_values(check, place->record_name, &standing->values, &journal);
}

enum err_code check_records(struct check *check, const struct challenge_place *place, const struct check_zone *zone,
                            struct err *err)
{
    AUTO(standing_done) struct standing standing = {.cname = NULL};
    struct err why;
    enum err_code code;

    if (!place->servers || zone->is_silent) {
        check_add(check->report, CHECK_SKIPPED, "records", place->record_name,
                  "the zone's name servers can't be asked");
        return ERR_OK;
    }
    check_report_flush(check->report);
    err_init(&why);
    code = standing_examine(check->opts.direct, place->zone, place->record_name, &zone->answering, &standing, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code == ERR_OK)
        report_standing(check, place, &standing);
    else
        check_add_error(check->report, CHECK_WARN, "records", place->record_name, &why);
    return ERR_OK;
}
