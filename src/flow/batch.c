/* SPDX-License-Identifier: MIT */
#include "flow/engine.h"

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

void batch_sort(struct batch *batch)
{
    for (size_t done = 0; done < batch->count; done += batch_run(batch, done)) {
        size_t end = done + batch_run(batch, done);

        for (size_t i = end; i < batch->count; i++) {
            if (batch->items[i].zone != batch->items[done].zone)
                continue;
            struct placement moved = batch->items[i];
            memmove(&batch->items[end + 1], &batch->items[end], (i - end) * sizeof moved);
            batch->items[end++] = moved;
        }
    }
}

size_t batch_run(const struct batch *batch, size_t first)
{
    size_t n = 1;

    while (first + n < batch->count && batch->items[first + n].zone == batch->items[first].zone)
        n++;
    return n;
}
