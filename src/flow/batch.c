/* SPDX-License-Identifier: MIT */
#include "flow/engine.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void placement_done(struct placement *p)
{
    free(p->asked);
    free(p->name);
    free(p->value);
    journal_entry_done(&p->entry);
    *p = (struct placement){.asked = NULL};
}

void batch_add_take(struct batch *batch, struct placement *placement_take)
{
    batch->items = mem_grow(batch->items, batch->count, sizeof *batch->items);
    placement_take->order = batch->count;
    batch->items[batch->count++] = *placement_take;
    *placement_take = (struct placement){.asked = NULL};
}

void batch_done(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        placement_done(&batch->items[i]);
    free(batch->items);
    *batch = (struct batch){NULL, 0};
}

/* Zones in the order in which they were met, records of a zone in that in which they were added. */
static int compare_placements(const void *a, const void *b)
{
    const struct placement *x = a;
    const struct placement *y = b;
    size_t left = x->zone == y->zone ? x->order : x->zone->first;
    size_t right = x->zone == y->zone ? y->order : y->zone->first;

    return left < right ? -1 : left > right;
}

void batch_sort(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->items[i].zone->first = SIZE_MAX;
    for (size_t i = 0; i < batch->count; i++) {
        const struct placement *p = &batch->items[i];

        if (p->order < p->zone->first)
            p->zone->first = p->order;
    }
    if (batch->count)
        qsort(batch->items, batch->count, sizeof *batch->items, compare_placements);
}

size_t batch_run(const struct batch *batch, size_t first)
{
    size_t n = 1;

    while (first + n < batch->count && batch->items[first + n].zone == batch->items[first].zone)
        n++;
    return n;
}

/* ------------------------------------------------------------------ picks */

void picks_add(struct picks *picks, struct placement *placement)
{
    picks->items = mem_grow(picks->items, picks->count, sizeof(struct placement *));
    picks->items[picks->count++] = placement;
}

void picks_all(struct picks *picks, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        picks_add(picks, &batch->items[i]);
}

size_t picks_run(const struct picks *picks, size_t first)
{
    size_t n = 1;

    while (first + n < picks->count && picks->items[first + n]->zone == picks->items[first]->zone)
        n++;
    return n;
}

void picks_done(struct picks *picks)
{
    free(picks->items);
    *picks = (struct picks){NULL, 0};
}
