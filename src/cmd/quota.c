/* SPDX-License-Identifier: MIT */
#include "cmd/quota.h"

#include <stdlib.h>
#include <string.h>

#include "config/ca.h"

#define PERIOD_MS (INT64_C(3) * 3600 * 1000)

/* What one CA is to be asked for. */
struct demand {
    const char *directory;
    struct issuance **items;
    size_t count;
};

static uint32_t limit_of(const struct config *config, const char *directory)
{
    return config->acme.new_orders_per_3h ? config->acme.new_orders_per_3h : config_ca_new_orders_per_3h(directory);
}

static bool is_exempt(const struct plan *plan, int64_t now_ms)
{
    const struct certificate_record *record = &plan->record;

    return plan_predecessor(plan) && record->window_start_ms && now_ms >= record->window_start_ms;
}

static bool is_counted(const struct issuance *issuance, const char *directory, int64_t now_ms)
{
    const struct plan *plan = &issuance->plan;

    return issuance->outcome == ISSUANCE_DUE && plan->why && strcmp(plan->directory, directory) == 0 &&
           !is_exempt(plan, now_ms);
}

/* Those that were never issued come last. */
static int compare_urgency(const void *a, const void *b)
{
    const struct certificate_record *x = &(*(struct issuance *const *)a)->plan.record;
    const struct certificate_record *y = &(*(struct issuance *const *)b)->plan.record;
    int64_t end_x = x->generation ? x->not_after_s : INT64_MAX;
    int64_t end_y = y->generation ? y->not_after_s : INT64_MAX;

    return end_x < end_y ? -1 : end_x > end_y;
}

/* Orders of the last three hours, as far as they led to certificates; *out_oldest_ms is when the first was. */
static size_t count_used(struct workspace *space, const struct strlist *names, const char *directory, int64_t now_ms,
                         int64_t *out_oldest_ms)
{
    size_t used = 0;

    *out_oldest_ms = now_ms;
    for (size_t i = 0; i < names->count; i++) {
        AUTO(certificate_record_done) struct certificate_record record = {.generation = 0};

        if (certificate_load(space->app.store, names->items[i], &record, NULL) != ERR_OK ||
            strcmp(record.directory, directory) != 0 || record.issued_ms <= now_ms - PERIOD_MS)
            continue;
        used++;
        *out_oldest_ms = record.issued_ms < *out_oldest_ms ? record.issued_ms : *out_oldest_ms;
    }
    return used;
}

static void defer(struct workspace *space, struct demand *demand, size_t left, uint32_t limit, int64_t until_ms)
{
    const char *name = config_ca_name(demand->directory);
    size_t count = demand->count - left;
    char until[CLOCK_HTTP_DATE_MAX];

    qsort(demand->items, demand->count, sizeof *demand->items, compare_urgency);
    for (size_t i = left; i < demand->count; i++)
        demand->items[i]->outcome = ISSUANCE_DEFERRED;
    clock_format_iso(until, until_ms / 1000);
    log_line(space->app.log, LOG_WARNING,
             "%zu certificate%s until %s: \"%s\" takes %u new orders in 3 hours, continuing", count,
             count == 1 ? " waits" : "s wait", until, name ? name : demand->directory, limit);
}

static void apply_to(struct workspace *space, struct issuance_list *list, const struct strlist *names,
                     const char *directory)
{
    AUTO_FREE struct issuance **items = mem_calloc(list->count, sizeof *items);
    struct demand demand = {directory, items, 0};
    int64_t now_ms = clock_wall_ms(space->app.clock);
    uint32_t limit = limit_of(space->app.config, directory);
    int64_t oldest_ms;
    size_t used;

    for (size_t i = 0; i < list->count; i++)
        if (is_counted(&list->items[i], directory, now_ms))
            items[demand.count++] = &list->items[i];
    if (!limit || !demand.count || demand.count + names->count <= limit)
        return;
    used = count_used(space, names, directory, now_ms, &oldest_ms);
    if (demand.count + used > limit)
        defer(space, &demand, used < limit ? limit - used : 0, limit, oldest_ms + PERIOD_MS);
}

enum err_code quota_apply(struct workspace *space, struct issuance_list *list, struct err *err)
{
    struct strlist AUTO_STRLIST directories = {NULL, 0};
    struct strlist AUTO_STRLIST names = {NULL, 0};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].outcome == ISSUANCE_DUE && list->items[i].plan.why)
            strlist_add_once(&directories, list->items[i].plan.directory);
    if (directories.count)
        code = certificate_names(space->app.store, &names, err);
    for (size_t i = 0; code == ERR_OK && i < directories.count; i++)
        apply_to(space, list, &names, directories.items[i]);
    return code;
}
