/* SPDX-License-Identifier: MIT */
#include "flow/budget.h"

#include <stdlib.h>

#include "dme/limit.h"
#include "store/budget.h"

_Static_assert((int)DME_STAMP_DONE == (int)BUDGET_DONE && (int)DME_STAMP_SENT == (int)BUDGET_SENT &&
                   (int)DME_STAMP_HELD == (int)BUDGET_HELD && (int)DME_STAMP_FOREIGN == (int)BUDGET_FOREIGN &&
                   (int)DME_STAMP_KINDS == (int)BUDGET_KINDS,
               "one is read as the other");

struct budget {
    struct dme_budget base;
    struct store *store; /* borrowed */
    struct log *log;     /* borrowed */
    char *endpoint;
    char *key_id;
    struct dme_window window;
    struct budget_file *file; /* while it is open; NULL: it could not be */
    bool has_told;
};

/* ------------------------------------------------------------------ both forms */

static void take_over(struct dme_window *window, const struct budget_record *record)
{
    const struct dme_window last = *window;

    *window = (struct dme_window){
        .window_ms = last.window_ms,
        .allowed = last.allowed,
        .limit = record->limit,
        .closed_until_ms = record->closed_until_ms,
        .refusals = record->refusals,
        .refused_ms = record->refused_ms,
    };
    free(last.stamps);
    free(last.tickets);
    for (size_t i = 0; i < record->stamp_count; i++)
        dme_window_add_stamp(window, (struct dme_stamp){.at_ms = record->stamps[i].at_ms,
                                                        .owner = record->stamps[i].owner,
                                                        .kind = (enum dme_stamp_kind)record->stamps[i].kind});
    for (size_t i = 0; i < record->ticket_count; i++)
        dme_window_add_ticket(window, (struct dme_ticket){record->tickets[i].owner, record->tickets[i].count,
                                                          record->tickets[i].seen_ms});
}

/* What is beyond the record's lists is old, or behind a very long queue. */
static void give_back(const struct dme_window *window, struct budget_record *out)
{
    size_t skipped = window->stamp_count > BUDGET_LIST_MAX ? window->stamp_count - BUDGET_LIST_MAX : 0;

    *out = (struct budget_record){
        .limit = window->limit,
        .closed_until_ms = window->closed_until_ms,
        .refusals = window->refusals,
        .refused_ms = window->refused_ms,
        .stamp_count = window->stamp_count - skipped,
        .ticket_count = window->ticket_count < BUDGET_LIST_MAX ? window->ticket_count : BUDGET_LIST_MAX,
    };
    out->stamps = mem_calloc(out->stamp_count, sizeof *out->stamps);
    out->tickets = mem_calloc(out->ticket_count, sizeof *out->tickets);
    for (size_t i = 0; i < out->stamp_count; i++) {
        const struct dme_stamp *stamp = &window->stamps[skipped + i];

        out->stamps[i] = (struct budget_stamp){
            .at_ms = stamp->at_ms, .owner = stamp->owner, .kind = (enum budget_stamp_kind)stamp->kind};
    }
    for (size_t i = 0; i < out->ticket_count; i++)
        out->tickets[i] = (struct budget_ticket){window->tickets[i].owner, window->tickets[i].count,
                                                 window->tickets[i].seen_ms};
}

/* ------------------------------------------------------------------ sharing */

/* Nobody is to be woken by it: the API itself says when there were too many. */
static void tell(struct budget *budget, const struct err *why)
{
    log_line(budget->log, budget->has_told ? LOG_DEBUG : LOG_INFO,
             "requests to DNS Made Easy can't be counted together with those of other processes: %s, continuing",
             why->msg);
    budget->has_told = true;
}

static struct dme_window *open_shared(struct dme_budget *self)
{
    struct budget *budget = (struct budget *)self;
    AUTO(budget_record_done) struct budget_record record = {.limit = 0};
    struct err err;

    if (budget_open(budget->store, budget->endpoint, budget->key_id, &budget->file, &record, &err) == ERR_OK)
        take_over(&budget->window, &record);
    else
        tell(budget, &err);
    return &budget->window;
}

static void close_shared(struct dme_budget *self)
{
    struct budget *budget = (struct budget *)self;
    AUTO(budget_record_done) struct budget_record record = {.limit = 0};
    struct err err;

    if (!budget->file)
        return;
    give_back(&budget->window, &record);
    if (budget_close(budget->file, &record, &err) != ERR_OK)
        tell(budget, &err);
    budget->file = NULL;
}

enum err_code budget_new(const struct budget_opts *opts, struct budget **out, struct err *err)
{
    uint64_t random = 0;
    enum err_code code = platform_random(&random, sizeof random, err);
    struct budget *budget;

    if (code != ERR_OK)
        return code;
    budget = mem_zalloc(sizeof *budget);
    budget->base = (struct dme_budget){.owner = (int64_t)(random >> 1) | 1, .open = open_shared, .close = close_shared};
    budget->store = opts->store;
    budget->log = opts->log;
    budget->endpoint = mem_strdup(opts->endpoint);
    budget->key_id = mem_strdup(opts->key_id);
    budget->window = (struct dme_window){.window_ms = opts->window_ms, .allowed = opts->allowed};
    *out = budget;
    return ERR_OK;
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    dme_window_done(&budget->window);
    free(budget->endpoint);
    free(budget->key_id);
    free(budget);
}

struct dme_budget *budget_base(struct budget *budget)
{
    return &budget->base;
}
