/* SPDX-License-Identifier: MIT
 *
 * One wait for a whole batch: its own records, and those that earlier calls of the same run published and left the
 * waiting to us.
 */
#include "flow/engine.h"

#include <stdlib.h>
#include <string.h>

/* propagation_item with its memory: a name and all values that were published there. */
struct expected {
    char *name;
    struct strlist values;
    struct zone *zone;
};

struct expected_list {
    struct expected *items;
    size_t count;
};

static void expected_list_done(struct expected_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        strlist_done(&list->items[i].values);
    }
    free(list->items);
}

static bool strlist_has(const struct strlist *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], s) == 0)
            return true;
    return false;
}

static void expect(struct expected_list *list, const struct placement *p)
{
    struct expected *found = NULL;

    for (size_t i = 0; i < list->count && !found; i++)
        if (strcmp(list->items[i].name, p->name) == 0)
            found = &list->items[i];
    if (!found) {
        list->items = mem_grow(list->items, list->count, sizeof *list->items);
        found = &list->items[list->count++];
        *found = (struct expected){.name = mem_strdup(p->name), .zone = p->zone};
    }
    if (!strlist_has(&found->values, p->value))
        strlist_add(&found->values, p->value);
}

static bool set_has_name(const struct challenge_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].name, name) == 0)
            return true;
    return false;
}

static enum err_code expect_run(struct challenge *c, const struct challenge_set *run_set, struct expected_list *list,
                                struct err *err)
{
    AUTO(journal_list_done) struct journal_list journal = {0};
    enum err_code code;

    if (!run_set || !run_set->count || !c->opts.store || !*c->opts.run_id)
        return ERR_OK;
    code = journal_load(c->opts.store, &journal, err);
    for (size_t i = 0; code == ERR_OK && i < journal.count; i++) {
        const struct journal_entry *entry = &journal.items[i];
        struct placement p;

        if (entry->state != JOURNAL_PUBLISHED || strcmp(entry->run_id, c->opts.run_id) != 0 ||
            !set_has_name(run_set, entry->asked_name) || !recall_placement(c, entry, &p))
            continue;
        expect(list, &p);
        placement_done(&p);
    }
    return code;
}

static enum err_code make_items(struct challenge *c, const struct expected_list *list, struct propagation_item *items,
                                struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct expected *e = &list->items[i];
        enum err_code code;

        items[i] = (struct propagation_item){
            .name = e->name,
            .values = (const char *const *)e->values.items,
            .value_count = e->values.count,
            .zone = e->zone->name,
        };
        code = servers_of_zone(c, e->zone, &items[i].servers, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code wait_by_doh(struct challenge *c, const struct propagation_item *items, size_t count,
                                 const struct propagation_opts *opts, struct err *err)
{
    /* The first one was asked for CNAMEs and may remember that there was nothing. */
    size_t skip = c->opts.doh_count > 1 ? 1 : 0;

    return propagation_wait_doh(c->opts.doh + skip, c->opts.doh_count - skip, items, count, opts, err);
}

static enum err_code wait_direct(struct challenge *c, const struct expected_list *list,
                                 struct propagation_item *items, const struct propagation_opts *opts, struct err *err)
{
    enum err_code code = make_items(c, list, items, err);

    return code == ERR_OK ? propagation_wait(c->opts.direct, items, list->count, opts, err) : code;
}

static bool is_silence(enum err_code code)
{
    return code == ERR_NETWORK || code == ERR_DNS || code == ERR_TIMEOUT;
}

/* What the first way took is no more there for the second. */
static void spend(struct challenge *c, int64_t start_ms, struct propagation_opts *opts)
{
    opts->timeout_ms -= clock_mono_ms(c->opts.clock) - start_ms;
    if (opts->timeout_ms < 1)
        opts->timeout_ms = 1;
}

static enum err_code wait_for(struct challenge *c, const struct expected_list *list,
                              struct propagation_opts *opts, struct err *err)
{
    AUTO_FREE struct propagation_item *items = mem_calloc(list->count, sizeof *items);
    int64_t start_ms = clock_mono_ms(c->opts.clock);
    enum err_code code;

    if (c->opts.doh_mode != CHALLENGE_DOH_ALWAYS || !c->opts.doh_count) {
        code = wait_direct(c, list, items, opts, err);
        if (c->opts.doh_mode != CHALLENGE_DOH_AUTO || !c->opts.doh_count || !is_silence(code))
            return code;
        log_line(c->opts.log, LOG_WARNING, "%s; asking by DNS over HTTPS instead, continuing", err->msg);
        spend(c, start_ms, opts);
    }
    for (size_t i = 0; i < list->count; i++)
        items[i] = (struct propagation_item){
            .name = list->items[i].name,
            .values = (const char *const *)list->items[i].values.items,
            .value_count = list->items[i].values.count,
            .zone = list->items[i].zone->name,
        };
    return wait_by_doh(c, items, list->count, opts, err);
}

enum err_code await_batch(struct challenge *c, const struct batch *batch, const struct challenge_set *run_set,
                          int64_t time_limit_ms, struct err *err)
{
    AUTO(expected_list_done) struct expected_list list = {0};
    struct propagation_opts opts = c->opts.propagation;
    enum err_code code;

    for (size_t i = 0; i < batch->count; i++)
        expect(&list, &batch->items[i]);
    code = expect_run(c, run_set, &list, err);
    if (code != ERR_OK)
        return code;
    if (time_limit_ms && opts.timeout_ms > time_limit_ms)
        opts.timeout_ms = time_limit_ms > 0 ? time_limit_ms : 1;
    if (time_limit_ms && opts.settle_ms > time_limit_ms / 4)
        opts.settle_ms = time_limit_ms / 4;
    code = wait_for(c, &list, &opts, err);
    if (!is_silence(code))
        return code;
    if (err) /* whatever is wrong with the network, the API has done its part */
        err->code = ERR_DNS;
    return ERR_DNS;
}
