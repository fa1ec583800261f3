/* SPDX-License-Identifier: MIT
 *
 * The state directory: will the next hook be able to write its journal, and what did the last ones leave there?
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/internal.h"
#include "platform/platform.h"

#define MEGABYTE (UINT64_C(1024) * 1024)
#define SPACE_FAIL MEGABYTE
#define SPACE_WARN (16 * MEGABYTE)
#define GRACE_MS (INT64_C(3600) * 1000) /* as sweep has it */
#define FAILURES_SHOWN 20

static void report_space(struct check *check, const char *dir, uint64_t free_bytes)
{
    enum check_level level = free_bytes < SPACE_FAIL ? CHECK_FAIL : free_bytes < SPACE_WARN ? CHECK_WARN : CHECK_OK;

    if (level == CHECK_OK) {
        check_add(check->report, level, "state", dir, "can be written to, locks work, %" PRIu64 " MiB free",
                  free_bytes / MEGABYTE);
    } else {
        check_add(check->report, level, "state", dir, "only %" PRIu64 " KiB are free", free_bytes / 1024);
        check_code(check->report, ERR_IO);
        check_hint(check->report,
                   "Make room on the file system of \"%s\": nothing is published that can't be "
                   "journalled first.",
                   dir);
    }
    check_measure(check->report, "free_bytes", free_bytes > INT64_MAX ? INT64_MAX : (int64_t)free_bytes);
}

bool check_is_leftover(const struct check *check, const struct journal_entry *entry)
{
    int64_t age_ms = clock_wall_ms(check->opts.clock) - entry->created_ms;

    if (age_ms >= check->opts.sweep_after_ms)
        return true;
    return (age_ms < 0 || age_ms >= GRACE_MS) && !platform_run_is_alive(entry->run_id);
}

static void report_journal(struct check *check, const struct journal_list *journal)
{
    const struct journal_entry *oldest = NULL;
    char span[CHECK_SPAN_MAX];
    size_t left = 0;

    for (size_t i = 0; i < journal->count; i++) {
        if (!check_is_leftover(check, &journal->items[i]))
            continue;
        oldest = oldest ? oldest : &journal->items[i];
        left++;
    }
    if (left) {
        (void)check_span(span, clock_wall_ms(check->opts.clock) - oldest->created_ms);
        check_add(check->report, CHECK_WARN, "journal", "",
                  "%zu TXT record%s left behind by runs that are gone, the oldest at \"%s\" for %s", left,
                  left == 1 ? " was" : "s were", oldest->name, span);
        check_hint(check->report, "Run \"acme-dme sweep\" to delete %s.", left == 1 ? "it" : "them");
    } else if (journal->count) {
        check_add(check->report, CHECK_OK, "journal", "", "%zu TXT record%s of runs that may be at work",
                  journal->count, journal->count == 1 ? "" : "s");
    } else {
        check_add(check->report, CHECK_OK, "journal", "", "no TXT record is left behind");
    }
    check_measure(check->report, "records", (int64_t)journal->count);
    check_measure(check->report, "leftovers", (int64_t)left);
}

static void report_damage(struct check *check, const char *dir, size_t damaged)
{
    if (!damaged)
        return;
    check_add(check->report, CHECK_WARN, "damaged", "",
              "%zu file%s of the state directory could not be understood and %s "
              "set aside",
              damaged, damaged == 1 ? "" : "s", damaged == 1 ? "was" : "were");
    check_hint(
        check->report,
        "Check the disk, and look at \"%s/damaged\": a file of the journal there names a TXT record that may be left "
        "at DNS Made Easy; then delete the files.",
        dir);
    check_measure(check->report, "damaged", (int64_t)damaged);
}

static void report_result(struct check *check, const struct result *result)
{
    char span[CHECK_SPAN_MAX];

    char row[48] = "";

    (void)check_span(span, clock_wall_ms(check->opts.clock) - result->at_ms);
    if (result->failures > 1)
        (void)snprintf(row, sizeof row, ", %" PRId64 " times in a row", result->failures);
    check_add(check->report, CHECK_WARN, "results", result->name, "the last attempt of %s to %s failed %s ago%s: %s",
              *result->client ? result->client : "acme-dme", result->action, span, row, result->error);
    if (*result->hint)
        check_hint(check->report, "%s", result->hint);
    check_measure(check->report, "failures", result->failures);
}

/* They are sorted by name; there is one for each action. */
static size_t count_names(const struct result_list *results)
{
    size_t count = 0;

    for (size_t i = 0; i < results->count; i++)
        count += i == 0 || strcmp(results->items[i].name, results->items[i - 1].name) != 0;
    return count;
}

static void report_results(struct check *check, const struct result_list *results)
{
    size_t failed = 0;
    size_t names = count_names(results);

    for (size_t i = 0; i < results->count; i++) {
        if (results->items[i].code == ERR_OK)
            continue;
        if (failed++ < FAILURES_SHOWN)
            report_result(check, &results->items[i]);
    }
    if (failed > FAILURES_SHOWN) {
        check_add(check->report, CHECK_WARN, "results", "", "the last attempt failed for %zu more names",
                  failed - FAILURES_SHOWN);
        check_hint(check->report, "\"acme-dme status\" lists them all.");
    }
    if (!failed && results->count)
        check_add(check->report, CHECK_OK, "results", "", "the last call for %s%zu name%s succeeded",
                  names == 1 ? "" : "each of ", names, names == 1 ? "" : "s");
}

enum err_code check_state(struct check *check, struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {NULL, 0};
    AUTO(result_list_done) struct result_list results = {NULL, 0};
    struct store *store = check->opts.store;
    struct store_examination found;
    struct err why;
    enum err_code code;

    if (!store)
        return ERR_OK;
    err_init(&why);
    code = store_examine(store, &found, &why);
    if (code == ERR_OK) {
        report_space(check, store_dir(store), found.free_bytes);
        report_damage(check, store_dir(store), found.damaged);
        code = journal_load(store, &journal, &why);
    }
    if (code == ERR_OK) {
        report_journal(check, &journal);
        code = result_load(store, &results, &why);
    }
    if (code == ERR_OK)
        report_results(check, &results);
    else if (code != ERR_CANCELLED)
        check_add_error(check->report, CHECK_FAIL, "state", store_dir(store), &why);
    return code == ERR_CANCELLED ? err_set(err, code, "%s", why.msg) : ERR_OK;
}
