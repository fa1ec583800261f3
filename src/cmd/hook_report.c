/* SPDX-License-Identifier: MIT */
#include "cmd/hook_report.h"

#include <string.h>

#include "util/text.h"

#define CHALLENGE_PREFIX "_acme-challenge."
#define NAMES_SHOWN 3

/* ------------------------------------------------------------------ one error out of many */

static size_t list_failed(const struct challenge_set *set, const struct err *outcomes, struct buf *names)
{
    size_t failed = 0;

    for (size_t i = 0; i < set->count; i++) {
        if (outcomes[i].code == ERR_OK)
            continue;
        if (failed++ < NAMES_SHOWN)
            buf_printf(names, "%s\"%s\"", failed > 1 ? ", " : "", set->items[i].name);
    }
    if (failed > NAMES_SHOWN)
        buf_printf(names, " and %zu more", failed - NAMES_SHOWN);
    return failed;
}

enum err_code hook_report_sum(const struct app *app, const struct challenge_set *set, const struct err *outcomes,
                              struct err *err)
{
    AUTO_BUF struct buf names = BUF_INIT(ERR_MSG_MAX);
    const struct err *first = NULL;
    size_t failed = list_failed(set, outcomes, &names);

    for (size_t i = 0; i < set->count; i++) {
        if (outcomes[i].code == ERR_OK)
            continue;
        first = first ? first : &outcomes[i];
        log_line(app->log, LOG_INFO, "failed: TXT record \"%s\": %s", set->items[i].name, outcomes[i].msg);
    }
    if (!first)
        return ERR_OK;
    *err = *first;
    if (set->count == 1)
        return first->code;
    return err_prefix(err, first->code, "%zu of %zu records failed (%s)", failed, set->count, buf_cstr(&names));
}

/* ------------------------------------------------------------------ results */

static const char *domain_of(const struct challenge_item *item)
{
    return text_starts_with(item->name, CHALLENGE_PREFIX) ? item->name + strlen(CHALLENGE_PREFIX) : item->name;
}

/* Base and wildcard are two records of one name, which is as good as the worse of them. */
static struct result *find_noted(struct result *results, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(results[i].name, name) == 0)
            return &results[i];
    return NULL;
}

static void fill_outcome(struct result *result, const struct err *outcome)
{
    result->code = outcome->code;
    result->error = mem_lend(outcome->msg);
    result->hint = mem_lend(outcome->hint);
}

/* No reason to fail: the call did what it was asked to, or has an error of its own to tell. */
static void note_in(const struct app *app, const struct hook_report *report, const struct err *err)
{
    const struct challenge_set *set = report->set;
    AUTO_FREE struct result *results = mem_calloc(set->count, sizeof *results);
    const struct result call = {
        .kind = RESULT_HOOK,
        .client = mem_lend(report->client),
        .action = mem_lend(report->action),
        .at_ms = clock_wall_ms(app->clock),
        .took_ms = clock_mono_ms(app->clock) - report->begin_ms,
    };
    size_t count = 0;
    struct err why;

    for (size_t i = 0; i < set->count; i++) {
        const char *domain = domain_of(&set->items[i]);
        struct result *result = find_noted(results, count, domain);

        if (!result) {
            result = &results[count++];
            *result = call;
            result->name = mem_lend(domain);
        }
        if (result->code == ERR_OK)
            fill_outcome(result, report->outcomes ? &report->outcomes[i] : err);
    }
    if (count > 0 && result_note_all(app->store, results, count, &why) != ERR_OK)
        log_line(app->log, LOG_INFO, "the result of this call was not noted: %s", why.msg);
}

void hook_report_note(const struct app *app, const struct opts *opts, const struct hook_report *report,
                      const struct err *err)
{
    AUTO_APP struct app alone = {0};

    if (app->store)
        note_in(app, report, err);
    else if (err->code != ERR_OK && app_open_store_alone(&alone, opts, NULL) == ERR_OK && alone.store)
        note_in(&alone, report, err);
}
