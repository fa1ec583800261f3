/* SPDX-License-Identifier: MIT
 *
 * One wait for a whole batch.
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
    strlist_add_once(&found->values, p->value);
}

static int64_t at_least_1(int64_t ms)
{
    return ms > 1 ? ms : 1;
}

/* All but the servers. */
static void fill_item(const struct expected *from, struct propagation_item *out)
{
    out->name = from->name;
    out->values = (const char *const *)from->values.items;
    out->value_count = from->values.count;
    out->zone = from->zone->name;
}

bool await_may_ask_doh(const struct challenge *c)
{
    return c->opts.doh_mode != CHALLENGE_DOH_NEVER && c->opts.doh_count > 0;
}

struct resolver *const *await_doh(const struct challenge *c, size_t *out_count)
{
    size_t skip = c->opts.doh_count > 1 ? 1 : 0;

    *out_count = c->opts.doh_count - skip;
    return c->opts.doh + skip;
}

static enum err_code wait_by_doh(struct challenge *c, const struct expected_list *list, struct propagation_item *items,
                                 const struct propagation_opts *opts, struct err *err)
{
    size_t doh_count;
    struct resolver *const *doh = await_doh(c, &doh_count);

    for (size_t i = 0; i < list->count; i++)
        fill_item(&list->items[i], &items[i]);
    return propagation_wait_doh(doh, doh_count, items, list->count, opts, err);
}

/* The first zone without servers ends it. */
static enum err_code find_servers(struct challenge *c, const struct expected_list *list, struct err *err)
{
    AUTO(zone_servers_list_done) struct zone_servers_list zones = {NULL, 0};
    enum err_code code;

    for (size_t i = 0; i < list->count; i++)
        (void)zone_servers_want(&zones, list->items[i].zone);
    code = servers_of_zones(c, zones.items, zones.count, err);
    for (size_t i = 0; code == ERR_OK && i < zones.count; i++) {
        code = zones.items[i].err.code;
        if (code != ERR_OK && err)
            *err = zones.items[i].err;
    }
    return code;
}

static enum err_code wait_direct(struct challenge *c, const struct expected_list *list, struct propagation_item *items,
                                 const struct propagation_opts *opts, struct err *err)
{
    enum err_code code = find_servers(c, list, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < list->count; i++) {
        fill_item(&list->items[i], &items[i]);
        items[i].servers = &list->items[i].zone->servers;
    }
    return propagation_wait(c->opts.direct, items, list->count, opts, err);
}

bool await_is_silence(enum err_code code)
{
    return code == ERR_NETWORK || code == ERR_DNS || code == ERR_TIMEOUT;
}

static enum err_code wait_for(struct challenge *c, const struct expected_list *list, struct propagation_opts *opts,
                              struct err *err)
{
    AUTO_FREE struct propagation_item *items = mem_calloc(list->count, sizeof *items);
    int64_t start_ms = clock_mono_ms(c->opts.clock);
    struct err why;
    enum err_code code;

    if (!await_may_ask_doh(c))
        return wait_direct(c, list, items, opts, err);
    if (c->opts.doh_mode == CHALLENGE_DOH_ALWAYS)
        return wait_by_doh(c, list, items, opts, err);
    code = wait_direct(c, list, items, opts, &why);
    if (!await_is_silence(code)) {
        if (code != ERR_OK && err)
            *err = why;
        return code;
    }
    log_line(c->opts.log, LOG_WARNING, "%s; asking by DNS over HTTPS instead, continuing", why.msg);
    opts->timeout_ms = at_least_1(opts->timeout_ms - (clock_mono_ms(c->opts.clock) - start_ms));
    return wait_by_doh(c, list, items, opts, err);
}

/* Settling counts as well: who stops listening does so whatever we are at. */
static void limit_time(struct propagation_opts *opts, int64_t limit_ms)
{
    if (!limit_ms)
        return;
    if (opts->settle_ms > limit_ms / 4)
        opts->settle_ms = limit_ms / 4;
    if (opts->timeout_ms > limit_ms - opts->settle_ms)
        opts->timeout_ms = at_least_1(limit_ms - opts->settle_ms);
}

void await_adapt(const struct challenge_publish_opts *publish, int64_t time_limit_ms, struct propagation_opts *opts)
{
    opts->settle_ms = publish->settle_ms ? *publish->settle_ms : opts->settle_ms;
    opts->sighted = publish->sighted;
    opts->sighted_ctx = publish->sighted_ctx;
    limit_time(opts, time_limit_ms);
}

enum err_code await_batch(struct challenge *c, const struct batch *batch, const struct challenge_publish_opts *publish,
                          int64_t time_limit_ms, struct err *err)
{
    AUTO(expected_list_done) struct expected_list list = {0};
    struct propagation_opts opts = c->opts.propagation;
    enum err_code code;

    for (size_t i = 0; i < batch->count; i++)
        expect(&list, &batch->items[i]);
    if (list.count == 0)
        return ERR_OK;
    await_adapt(publish, time_limit_ms, &opts);
    code = wait_for(c, &list, &opts, err);
    if (code == ERR_OK)
        log_line(c->opts.log, LOG_INFO, "settled: %zu name%s can be validated", list.count, list.count == 1 ? "" : "s");
    if (!await_is_silence(code))
        return code;
    if (err) /* whatever is wrong with the network, the API has done its part */
        err->code = ERR_DNS;
    return ERR_DNS;
}
