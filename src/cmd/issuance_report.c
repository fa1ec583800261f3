/* SPDX-License-Identifier: MIT
 *
 * What became of certificates, for people and for machines.  What was not due is not worth a word of `renew`: cron
 * would mail it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/issuance.h"
#include "json/json.h"
#include "util/strmap.h"

#define DOCUMENT_MAX (16u * 1024 * 1024)
#define LINE_MAX_BYTES 200 /* about, of a list of names */

static const char *outcome_name(const struct issuance *issuance)
{
    static const char *const names[] = {
        [ISSUANCE_NOT_DUE] = "not-due", [ISSUANCE_DUE] = "due",           [ISSUANCE_DONE] = "renewed",
        [ISSUANCE_TRIED] = "tried",     [ISSUANCE_DEPLOYED] = "deployed", [ISSUANCE_DEFERRED] = "deferred",
        [ISSUANCE_FAILED] = "failed",
    };

    return issuance->outcome == ISSUANCE_DONE && issuance->is_first ? "issued" : names[issuance->outcome];
}

/* ------------------------------------------------------------------ lines */

static void print_line(const struct app *app, const struct issuance *issuance)
{
    const struct plan *plan = &issuance->plan;
    AUTO_FREE char *dir = certificate_dir(app->store, plan->name);
    const char *plural = plan->domains.count == 1 ? "" : "s";
    char until[CLOCK_HTTP_DATE_MAX];

    clock_format_iso(until, plan->record.not_after_s);
    switch (issuance->outcome) {
    case ISSUANCE_DONE:
        (void)printf("%s: certificate for %zu name%s until %s: %s\n", plan->name, plan->domains.count, plural, until,
                     dir);
        break;
    case ISSUANCE_TRIED:
        (void)printf("%s: a certificate for %zu name%s could be had from %s; nothing was changed\n", plan->name,
                     plan->domains.count, plural, plan->directory);
        break;
    case ISSUANCE_DEPLOYED:
        (void)printf("%s: deployed\n", plan->name);
        break;
    case ISSUANCE_NOT_DUE:
    case ISSUANCE_DUE:
    case ISSUANCE_DEFERRED: /* which is said of all of them together */
    case ISSUANCE_FAILED:
        break;
    }
}

/* When the CA may be asked for it again. */
static int64_t moment_ms(const struct app *app, const struct plan *plan)
{
    const struct renewal_rule rule = plan_rule(plan, app->config);
    int64_t moment = renewal_moment_ms(&plan->record, &rule);

    return moment > plan->record.retry_after_ms ? moment : plan->record.retry_after_ms;
}

static void print_not_due(const struct app *app, const struct opts *opts, const struct plan *plan)
{
    char moment[CLOCK_HTTP_DATE_MAX];

    clock_format_iso(moment, moment_ms(app, plan) / 1000);
    if (!opts->domains.count && !opts->name)
        log_line(app->log, LOG_INFO, "%s: not due before %s", plan->name, moment);
    else
        (void)printf("%s: there is a certificate, not due before %s; --force gets another\n", plan->name, moment);
}

/* ------------------------------------------------------------------ JSON */

static void set_time(json_t *object, const char *key, int64_t unix_s)
{
    char text[CLOCK_HTTP_DATE_MAX];

    clock_format_iso(text, unix_s);
    (void)json_object_set_new(object, key, json_string(text));
}

static json_t *item_json(const struct app *app, const struct issuance *issuance)
{
    const struct plan *plan = &issuance->plan;
    AUTO_FREE char *dir = certificate_dir(app->store, plan->name);
    json_t *object = json_object();

    (void)json_object_set_new(object, "name", json_string(plan->name));
    (void)json_object_set_new(object, "outcome", json_string(outcome_name(issuance)));
    (void)json_object_set_new(object, "domains", json_strings(&plan->domains));
    (void)json_object_set_new(object, "directory", json_string(plan->directory));
    if (plan->why)
        (void)json_object_set_new(object, "reason", json_string(plan->why));
    if (plan->record.generation) {
        (void)json_object_set_new(object, "path", json_string(dir));
        set_time(object, "not_after", plan->record.not_after_s);
    }
    if (issuance->err.code != ERR_OK) {
        (void)json_object_set_new(object, "code", json_string(err_name(issuance->err.code)));
        (void)json_object_set_new(object, "error", json_string(issuance->err.msg));
        (void)json_object_set_new(object, "hint", json_string(issuance->err.hint));
    }
    return object;
}

/* Each at its place, so that all are in the order in which they were looked at. */
static void show_at(json_t *array, size_t place, json_t *item_take)
{
    while (json_array_size(array) <= place)
        (void)json_array_append_new(array, json_null());
    (void)json_array_set_new(array, place, item_take);
}

void issuance_pass(struct issuance_list *list, const struct app *app, const struct opts *opts, const struct plan *plan)
{
    const struct issuance issuance = {.plan = *plan, .place = list->total++}; /* borrows all */

    if (!opts->json) {
        if (!opts->quiet)
            print_not_due(app, opts, plan);
        return;
    }
    if (!list->shown)
        list->shown = json_array();
    show_at(list->shown, issuance.place, item_json(app, &issuance));
}

static enum err_code print_document(const struct app *app, const struct issuance_list *list, struct err *err)
{
    AUTO_JSON json_t *document = json_object();
    json_t *array = list->shown ? json_incref(list->shown) : json_array();

    for (size_t i = 0; i < list->count; i++)
        show_at(array, list->items[i].place, item_json(app, &list->items[i]));
    (void)json_object_set_new(document, "certificates", array);
    return cmd_print_document(document, DOCUMENT_MAX, err);
}

/* ------------------------------------------------------------------ whole */

/* Those that failed for the same reason. */
struct reason {
    const struct issuance *first;
    struct strlist others; /* their names */
};

struct reasons {
    struct reason *items;
    size_t count;
    size_t bad; /* certificates in all */
};

static void reasons_done(struct reasons *reasons)
{
    for (size_t i = 0; i < reasons->count; i++)
        strlist_done(&reasons->items[i].others);
    free(reasons->items);
}

/* What a CA that can't be reached, or a full disk, does to thousands is one sentence. */
static void gather_reasons(const struct issuance_list *list, struct reasons *out)
{
    AUTO_STRMAP struct strmap known = {NULL, 0, 0};

    out->items = mem_calloc(list->count, sizeof *out->items);
    for (size_t i = 0; i < list->count; i++) {
        const struct issuance *issuance = &list->items[i];
        size_t at = out->count;

        if (issuance->err.code == ERR_OK)
            continue;
        out->bad++;
        if (strmap_add(&known, issuance->err.msg, at)) {
            out->items[out->count++].first = issuance;
            continue;
        }
        (void)strmap_find(&known, issuance->err.msg, &at);
        strlist_add(&out->items[at].others, issuance->plan.name);
    }
}

/* Each is named, some on a line. */
static void print_others(const struct app *app, const struct strlist *names)
{
    struct buf AUTO_BUF line = BUF_INIT(2 * LINE_MAX_BYTES);

    for (size_t i = 0; i < names->count; i++) {
        buf_printf(&line, "%s\"%s\"", line.len ? ", " : "the same happened to ", names->items[i]);
        if (line.len < LINE_MAX_BYTES && i + 1 < names->count)
            continue;
        log_line(app->log, LOG_ERROR, "%s", buf_cstr(&line));
        buf_clear(&line);
    }
}

static void print_reason(const struct app *app, const struct reason *reason)
{
    const struct issuance *first = reason->first;
    AUTO_FREE char *more = reason->others.count ? mem_printf(" and %zu more", reason->others.count) : mem_strdup("");

    log_line(app->log, LOG_ERROR, "certificate \"%s\"%s: %s", first->plan.name, more, first->err.msg);
    if (*first->err.hint)
        log_line(app->log, LOG_ERROR, "hint: %s", first->err.hint);
    print_others(app, &reason->others);
}

/* One failure is the error of the command; of several each is said, and they are summed up. */
static enum err_code sum_up(const struct app *app, const struct issuance_list *list, struct err *err)
{
    AUTO(reasons_done) struct reasons reasons = {.count = 0};
    const struct issuance *first;

    gather_reasons(list, &reasons);
    if (!reasons.bad)
        return ERR_OK;
    first = reasons.items[0].first;
    if (reasons.bad == 1) {
        *err = first->err;
        return list->total == 1 ? err->code : err_prefix(err, err->code, "certificate \"%s\"", first->plan.name);
    }
    for (size_t i = 0; i < reasons.count; i++)
        print_reason(app, &reasons.items[i]);
    return err_set(err, first->err.code, "%zu of %zu certificates failed", reasons.bad, list->total);
}

enum err_code issuance_report(const struct app *app, const struct opts *opts, const struct issuance_list *list,
                              struct err *err)
{
    enum err_code code = opts->json ? print_document(app, list, err) : ERR_OK;

    for (size_t i = 0; !opts->json && !opts->quiet && i < list->count; i++) {
        if (list->items[i].outcome == ISSUANCE_NOT_DUE)
            print_not_due(app, opts, &list->items[i].plan);
        else
            print_line(app, &list->items[i]);
    }
    return code == ERR_OK ? sum_up(app, list, err) : code;
}
