/* SPDX-License-Identifier: MIT
 *
 * The records of one zone go to the API in one request, and the requests of all zones of an account side by side.
 */
#include <stdlib.h>

#include "dns/name.h"
#include "flow/engine.h"

void groups_init(struct groups *groups, struct batch *batch)
{
    *groups = (struct groups){NULL, 0};
    batch_sort(batch);
    for (size_t i = 0; i < batch->count; i += batch_run(batch, i)) {
        groups->items = mem_grow(groups->items, groups->count, sizeof *groups->items);
        groups->items[groups->count++] = (struct group){.items = &batch->items[i], .count = batch_run(batch, i)};
        err_init(&groups->items[groups->count - 1].err);
    }
}

void groups_done(struct groups *groups)
{
    free(groups->items);
    *groups = (struct groups){NULL, 0};
}

size_t groups_requests(const struct groups *groups, const struct challenge_account *account)
{
    size_t requests = 0;

    for (size_t i = 0; i < groups->count; i++)
        if (groups->items[i].items[0].zone->account == account)
            requests += (groups->items[i].count + DME_RECORDS_A_REQUEST - 1) / DME_RECORDS_A_REQUEST;
    return requests;
}

/* ------------------------------------------------------------------ what goes to one account */

struct cargo {
    struct dme_batch *batches;
    struct group **groups; /* by batch */
    size_t batch_count;
    struct dme_record *records;
    struct placement **placements; /* by record */
    size_t record_count;
    struct strlist names;
};

static void cargo_done(struct cargo *cargo)
{
    free(cargo->batches);
    free(cargo->groups);
    free(cargo->records);
    free(cargo->placements);
    strlist_done(&cargo->names);
}

typedef bool wanted_fn(const struct placement *p);

/* The wanted records of a group; none: no batch. */
static void cargo_add(struct cargo *cargo, struct group *group, wanted_fn *is_wanted)
{
    const struct zone *zone = group->items[0].zone;
    struct dme_record *first = &cargo->records[cargo->record_count];
    size_t count = 0;

    for (size_t i = 0; i < group->count; i++) {
        struct placement *p = &group->items[i];

        if (!is_wanted(p))
            continue;
        strlist_add_take(&cargo->names, name_relative(p->name, zone->name));
        cargo->placements[cargo->record_count++] = p;
        first[count++] = (struct dme_record){.name = cargo->names.items[cargo->names.count - 1],
                                             .value = p->value,
                                             .shown = p->name,
                                             .id = p->record_id};
    }
    if (!count)
        return;
    cargo->groups[cargo->batch_count] = group;
    cargo->batches[cargo->batch_count++] = (struct dme_batch){.zone_id = zone->id, .records = first, .count = count};
}

static void cargo_init(struct cargo *cargo, const struct groups *groups, const struct challenge_account *account,
                       wanted_fn *is_wanted)
{
    size_t total = 0;

    for (size_t i = 0; i < groups->count; i++)
        total += groups->items[i].count;
    *cargo = (struct cargo){
        .batches = mem_calloc(groups->count, sizeof *cargo->batches),
        .groups = mem_calloc(groups->count, sizeof(struct group *)),
        .records = mem_calloc(total, sizeof *cargo->records),
        .placements = mem_calloc(total, sizeof(struct placement *)),
    };
    for (size_t i = 0; i < groups->count; i++)
        if (groups->items[i].items[0].zone->account == account && groups->items[i].err.code == ERR_OK)
            cargo_add(cargo, &groups->items[i], is_wanted);
}

/* ------------------------------------------------------------------ creating */

static bool is_to_create(const struct placement *p)
{
    return !p->record_id && p->outcome->code == ERR_OK;
}

/* `err`: what ended everything; an interrupt may also be found in a batch. */
static void take_created(struct cargo *cargo, struct err *err)
{
    struct placement **placements = cargo->placements;

    for (size_t i = 0; i < cargo->batch_count; i++) {
        const struct dme_batch *batch = &cargo->batches[i];

        if (batch->err.code == ERR_CANCELLED && err->code == ERR_OK)
            *err = batch->err;
        for (size_t k = 0; k < batch->count; k++) {
            struct placement *p = *placements++;
            const struct dme_record *record = &batch->records[k];

            p->record_id = record->id;
            p->may_exist = p->may_exist || record->may_exist;
            p->may_appear = !record->id && batch->has_lost_answer;
            *p->outcome = record->err;
            if (record->err.code == ERR_OK && !record->id)
                *p->outcome = err->code != ERR_OK ? *err : batch->err;
        }
    }
}

enum err_code groups_create(struct challenge *c, struct groups *groups, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < c->opts.account_count && code == ERR_OK; i++) {
        const struct challenge_account *account = &c->opts.accounts[i];
        AUTO(cargo_done) struct cargo cargo;
        struct err why;

        cargo_init(&cargo, groups, account, is_to_create);
        if (!cargo.batch_count)
            continue;
        err_init(&why);
        why.code = dme_batches_create(account->dme, cargo.batches, cargo.batch_count, c->opts.ttl_s, &why);
        take_created(&cargo, &why);
        code = why.code;
        if (code != ERR_OK && err)
            *err = why;
    }
    return code;
}

/* ------------------------------------------------------------------ deleting */

static bool is_to_delete(const struct placement *p)
{
    return p->record_id && !p->is_removed;
}

static void take_deleted(struct cargo *cargo)
{
    struct placement **placements = cargo->placements;

    for (size_t i = 0; i < cargo->batch_count; i++) {
        const struct dme_batch *batch = &cargo->batches[i];

        cargo->groups[i]->err = batch->err;
        for (size_t k = 0; k < batch->count; k++)
            (*placements++)->is_removed = batch->records[k].err.code == ERR_OK;
    }
}

enum err_code groups_delete(struct challenge *c, struct groups *groups, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < c->opts.account_count && code == ERR_OK; i++) {
        const struct challenge_account *account = &c->opts.accounts[i];
        AUTO(cargo_done) struct cargo cargo;

        cargo_init(&cargo, groups, account, is_to_delete);
        if (!cargo.batch_count)
            continue;
        code = dme_batches_delete(account->dme, cargo.batches, cargo.batch_count, err);
        if (code == ERR_OK)
            take_deleted(&cargo);
    }
    return code;
}
