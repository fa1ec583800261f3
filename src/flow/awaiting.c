/* SPDX-License-Identifier: MIT
 *
 * A wait for records that were published earlier, in which each counts by itself: at the servers of their zones, and
 * through DNS over HTTPS for what can't be asked there.
 */
#include <stdlib.h>
#include <string.h>

#include "flow/engine.h"

/* ------------------------------------------------------------------ what was published */

void published_note(struct published_list *list, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct placement *p = &batch->items[i];

        list->items = mem_grow(list->items, list->count, sizeof *list->items);
        list->items[list->count++] = (struct published){
            .asked = mem_strdup(p->asked), .name = mem_strdup(p->name), .value = mem_strdup(p->value), .zone = p->zone};
    }
}

void published_done(struct published_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].asked);
        free(list->items[i].name);
        free(list->items[i].value);
    }
    free(list->items);
    *list = (struct published_list){NULL, 0};
}

static int compare_asked(const void *a, const void *b)
{
    const struct published *left = a;
    const struct published *right = b;
    int order = strcmp(left->asked, right->asked);

    return order ? order : strcmp(left->value, right->value);
}

static const struct published *published_find(const struct published_list *list, const struct challenge_item *item)
{
    const struct published key = {.asked = item->name, .value = item->value};

    return list->count ? bsearch(&key, list->items, list->count, sizeof key, compare_asked) : NULL;
}

/* ------------------------------------------------------------------ the wait */

/* How a name is looked for. */
enum way { BY_SERVERS, BY_DOH, BY_NOBODY /* its zone's servers are not known */ };

/* A name and all values that were published there. */
struct name {
    const char *name;
    const char *const *values;
    size_t value_count;
    struct zone *zone;
    size_t zone_place; /* in the list of zones */
    enum challenge_state state;
    enum way way;
    size_t place; /* BY_SERVERS: among those that are asked for there */
};

struct challenge_awaiting {
    struct challenge *c;
    struct published_list published;
    size_t *names_of; /* by record: its name; SIZE_MAX: it was not published */
    const char **values;
    struct name *names;
    size_t name_count;
    struct propagation_opts opts;
    struct propagation_item *items; /* of names that are looked for at the servers */
    size_t item_count;
    struct propagation *direct; /* NULL: not begun, or nothing to ask there */
    bool is_begun;
    struct zone_servers_list zones;
    int64_t waited_ms;
    struct err doh_why;
};

struct member {
    const struct published *published;
    size_t record;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;

    return strcmp(left->published->name, right->published->name);
}

/* Records that were published, those of one name side by side. */
static size_t find_members(struct challenge_awaiting *a, const struct challenge_set *set, struct member *out)
{
    size_t count = 0;

    if (a->published.count) /* none, when all of them failed */
        qsort(a->published.items, a->published.count, sizeof *a->published.items, compare_asked);
    for (size_t i = 0; i < set->count; i++) {
        const struct published *published = published_find(&a->published, &set->items[i]);

        a->names_of[i] = SIZE_MAX;
        if (published)
            out[count++] = (struct member){published, i};
    }
    qsort(out, count, sizeof *out, compare_members);
    return count;
}

static struct challenge_awaiting *awaiting_new(struct challenge *c, const struct challenge_set *set,
                                               struct published_list published_take)
{
    struct challenge_awaiting *a = mem_zalloc(sizeof *a);
    AUTO_FREE struct member *members = mem_calloc(set->count, sizeof *members);
    size_t count;

    *a = (struct challenge_awaiting){.c = c, .published = published_take, .opts = c->opts.propagation};
    a->names_of = mem_calloc(set->count, sizeof *a->names_of);
    a->values = mem_calloc(set->count, sizeof *a->values);
    a->names = mem_calloc(set->count, sizeof *a->names);
    if (set->count == 0)
        return a;
    count = find_members(a, set, members);
    for (size_t i = 0; i < count; i++) {
        const struct published *p = members[i].published;

        if (i == 0 || strcmp(p->name, members[i - 1].published->name) != 0)
            a->names[a->name_count++] = (struct name){.name = p->name, .values = &a->values[i], .zone = p->zone};
        a->values[i] = p->value;
        a->names[a->name_count - 1].value_count++;
        a->names_of[members[i].record] = a->name_count - 1;
    }
    return a;
}

struct challenge_awaiting *challenge_awaiting_new(struct challenge *c, const struct challenge_set *set)
{
    struct published_list published = c->published;

    c->published = (struct published_list){NULL, 0};
    return awaiting_new(c, set, published);
}

void challenge_awaiting_free(struct challenge_awaiting *awaiting)
{
    if (!awaiting)
        return;
    propagation_free(awaiting->direct);
    published_done(&awaiting->published);
    free(awaiting->names_of);
    free(awaiting->values);
    free(awaiting->names);
    free(awaiting->items);
    free(awaiting->zones.items);
    free(awaiting);
}

/* ------------------------------------------------------------------ where to ask */

/* The servers can't be asked for it: another way, if there is one. */
static void go_around(const struct challenge_awaiting *a, struct name *name, enum err_code code)
{
    if (await_may_ask_doh(a->c) && await_is_silence(code)) {
        name->way = BY_DOH;
        name->state = CHALLENGE_WAITING;
        return;
    }
    name->state = CHALLENGE_FAILED;
}

static void fill_item(const struct name *name, const struct dns_servers *servers, struct propagation_item *out)
{
    *out = (struct propagation_item){.name = name->name,
                                     .values = name->values,
                                     .value_count = name->value_count,
                                     .servers = servers,
                                     .zone = name->zone->name};
}

/* Errors: ERR_CANCELLED. */
static enum err_code find_servers(struct challenge_awaiting *a, struct err *err)
{
    for (size_t i = 0; i < a->name_count; i++)
        a->names[i].zone_place = zone_servers_want(&a->zones, a->names[i].zone);
    return servers_of_zones(a->c, a->zones.items, a->zones.count, err);
}

static void choose_way(struct challenge_awaiting *a, struct name *name)
{
    const struct err *why = &a->zones.items[name->zone_place].err;

    if (why->code != ERR_OK) {
        name->way = BY_NOBODY;
        go_around(a, name, why->code);
        return;
    }
    name->way = BY_SERVERS;
    name->place = a->item_count;
    fill_item(name, &name->zone->servers, &a->items[a->item_count++]);
}

static enum err_code begin(struct challenge_awaiting *a, struct err *err)
{
    bool is_doh = await_may_ask_doh(a->c) && a->c->opts.doh_mode == CHALLENGE_DOH_ALWAYS;
    enum err_code code = is_doh ? ERR_OK : find_servers(a, err);

    if (code != ERR_OK)
        return code;
    a->is_begun = true;
    a->items = mem_calloc(a->name_count, sizeof *a->items);
    for (size_t i = 0; i < a->name_count; i++) {
        if (is_doh)
            a->names[i].way = BY_DOH;
        else
            choose_way(a, &a->names[i]);
    }
    if (a->item_count)
        a->direct = propagation_new(a->c->opts.direct, a->items, a->item_count, &a->opts);
    return ERR_OK;
}

/* ------------------------------------------------------------------ asking */

static size_t count_names(const struct challenge_awaiting *a, enum way way, enum challenge_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < a->name_count; i++)
        count += a->names[i].way == way && a->names[i].state == state;
    return count;
}

/* How those stand that the servers were asked for. */
static void take_states(struct challenge_awaiting *a)
{
    for (size_t i = 0; i < a->name_count; i++) {
        struct name *name = &a->names[i];
        enum propagation_state state;

        if (name->way != BY_SERVERS || name->state != CHALLENGE_WAITING)
            continue;
        state = propagation_state(a->direct, name->place);
        if (state == PROPAGATION_SHOWN)
            name->state = CHALLENGE_SHOWN;
        else if (state == PROPAGATION_FAILED)
            go_around(a, name, propagation_explain(a->direct, name->place, NULL));
    }
}

/* *out_shown: how many are shown that were not before. */
static enum err_code ask_servers(struct challenge_awaiting *a, const struct propagation_patience *patience,
                                 size_t *out_shown, struct err *err)
{
    size_t before = count_names(a, BY_SERVERS, CHALLENGE_SHOWN);
    int64_t start_ms = clock_mono_ms(a->c->opts.clock);
    enum err_code code = propagation_go_on(a->direct, patience, err);
    size_t shown;

    a->waited_ms += clock_mono_ms(a->c->opts.clock) - start_ms;
    if (code != ERR_OK)
        return code;
    take_states(a);
    shown = count_names(a, BY_SERVERS, CHALLENGE_SHOWN) - before;
    if (shown)
        log_line(a->c->opts.log, LOG_INFO, "settled: %zu name%s can be validated", shown, shown == 1 ? "" : "s");
    *out_shown = shown;
    return ERR_OK;
}

static enum err_code ask_doh(struct challenge_awaiting *a, size_t count, struct err *err)
{
    AUTO_FREE struct propagation_item *items = mem_calloc(count, sizeof *items);
    AUTO_FREE enum propagation_state *states = mem_calloc(count, sizeof *states);
    AUTO_FREE struct name **names = mem_calloc(count, sizeof(struct name *));
    size_t doh_count;
    struct resolver *const *doh = await_doh(a->c, &doh_count);
    enum err_code code;

    count = 0;
    for (size_t i = 0; i < a->name_count; i++) {
        if (a->names[i].way != BY_DOH || a->names[i].state != CHALLENGE_WAITING)
            continue;
        names[count] = &a->names[i];
        fill_item(&a->names[i], NULL, &items[count++]);
    }
    if (a->c->opts.doh_mode != CHALLENGE_DOH_ALWAYS)
        log_line(
            a->c->opts.log, LOG_WARNING,
            "name servers of zone \"%s\" can't be asked; asking for %zu name%s by DNS over HTTPS instead, continuing",
            names[0]->zone->name, count, count == 1 ? "" : "s");
    a->opts.timeout_ms = a->opts.timeout_ms > a->waited_ms ? a->opts.timeout_ms - a->waited_ms : 1;
    code = propagation_wait_doh_each(doh, doh_count, items, count, &a->opts, states, &a->doh_why, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        names[i]->state = states[i] == PROPAGATION_SHOWN ? CHALLENGE_SHOWN : CHALLENGE_FAILED;
    return code;
}

enum err_code challenge_await(struct challenge_awaiting *awaiting, const struct propagation_patience *patience,
                              struct err *err)
{
    struct challenge_awaiting *a = awaiting;
    enum err_code code = a->is_begun ? ERR_OK : begin(a, err);
    size_t shown = 0;
    size_t waiting;

    if (code == ERR_OK && count_names(a, BY_SERVERS, CHALLENGE_WAITING) > 0)
        code = ask_servers(a, patience, &shown, err);
    if (code != ERR_OK || (patience && (shown || patience->limit_ms)) ||
        count_names(a, BY_SERVERS, CHALLENGE_WAITING) > 0)
        return code;
    waiting = count_names(a, BY_DOH, CHALLENGE_WAITING);
    return waiting ? ask_doh(a, waiting, err) : ERR_OK;
}

/* ------------------------------------------------------------------ how it stands */

enum challenge_state challenge_awaiting_state(const struct challenge_awaiting *awaiting, size_t i)
{
    size_t name = awaiting->names_of[i];

    return name == SIZE_MAX ? CHALLENGE_FAILED : awaiting->names[name].state;
}

enum err_code challenge_awaiting_explain(const struct challenge_awaiting *awaiting, size_t i, struct err *err)
{
    const struct challenge_awaiting *a = awaiting;
    const struct name *name = a->names_of[i] == SIZE_MAX ? NULL : &a->names[a->names_of[i]];
    struct err why = a->doh_why;

    if (!name)
        return err_set(err, ERR_INTERNAL, "a TXT record is waited for that was not published");
    if (name->way == BY_NOBODY)
        why = a->zones.items[name->zone_place].err;
    if (name->way == BY_SERVERS)
        (void)propagation_explain(a->direct, name->place, &why);
    if (await_is_silence(why.code)) /* whatever is wrong with the network, the API has done its part */
        why.code = ERR_DNS;
    if (name->way != BY_SERVERS || why.code == ERR_DNS)
        (void)err_prefix(&why, why.code, "TXT record \"%s\" can't be looked for", name->name);
    if (err)
        *err = why;
    return why.code;
}

/* ------------------------------------------------------------------ a batch */

enum err_code await_each(struct challenge *c, const struct batch *batch, const struct challenge_publish_opts *publish,
                         int64_t time_limit_ms, struct err *err)
{
    AUTO_FREE struct challenge_item *items = mem_calloc(batch->count, sizeof *items);
    const struct challenge_set set = {items, batch->count};
    struct published_list published = {NULL, 0};
    struct challenge_awaiting *a;
    enum err_code code;

    published_note(&published, batch);
    for (size_t i = 0; i < batch->count; i++)
        items[i] = (struct challenge_item){batch->items[i].asked, batch->items[i].value};
    a = awaiting_new(c, &set, published);
    await_adapt(publish, time_limit_ms, &a->opts);
    code = challenge_await(a, NULL, err);
    for (size_t i = 0; code == ERR_OK && i < batch->count; i++)
        if (challenge_awaiting_state(a, i) != CHALLENGE_SHOWN)
            (void)challenge_awaiting_explain(a, i, batch->items[i].outcome);
    challenge_awaiting_free(a);
    return code;
}
