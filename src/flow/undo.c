/* SPDX-License-Identifier: MIT
 *
 * Taking back what was published and is not to stay.
 */
#include "flow/engine.h"

/* The first record that is still there, or may be; *out_count of them. */
static const struct placement *first_left(const struct batch *batch, size_t *out_count)
{
    const struct placement *first = NULL;

    *out_count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct placement *p = &batch->items[i];

        if (p->is_removed && !p->entry.id)
            continue;
        first = first ? first : p;
        (*out_count)++;
    }
    return first;
}

static void report(struct challenge *c, const struct batch *batch, enum err_code code, const struct err *err)
{
    const char *later = c->opts.store ? "\"acme-dme sweep\" will delete what the journal has"
                                      : "there is no journal, so delete it by hand";
    AUTO_FREE char *more = NULL;
    size_t count;
    const struct placement *left = first_left(batch, &count);

    if (!left) {
        log_line(c->opts.log, LOG_INFO, "%zu record%s of this call withdrawn", batch->count,
                 batch->count == 1 ? "" : "s");
        return;
    }
    more = count > 1 ? mem_printf(" and %zu more", count - 1) : mem_strdup("");
    if (code == ERR_OK)
        log_line(c->opts.log, LOG_WARNING,
                 "TXT record \"%s\"%s may still appear, as DNS Made Easy did not answer when asked to create it; %s, "
                 "continuing",
                 left->name, more, later);
    else
        log_line(c->opts.log, LOG_WARNING, "TXT record \"%s\"%s is left behind (%s); %s, continuing", left->name, more,
                 err->msg, later);
}

/* The records of this call, parted in those that exist or may exist and those that certainly do not: a request that was
 * refused has made nothing, and there is no need to ask a server that refuses us. */
static void part_ours(struct batch *batch, struct batch *existing, struct batch *absent)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct placement *p = &batch->items[i];

        if (p->age == PLACEMENT_NEW && (p->entry.id || p->record_id || p->may_exist))
            batch_add_take(p->record_id || p->may_exist ? existing : absent, p);
    }
}

enum err_code undo(struct challenge *c, struct batch *batch)
{
    AUTO(batch_done) struct batch ours = {0};
    AUTO(batch_done) struct batch absent = {0};
    AUTO(picks_done) struct picks picks = {0};
    struct err err;
    enum err_code code;
    bool is_interrupted;

    part_ours(batch, &ours, &absent);
    picks_all(&picks, &absent);
    if (record_removed(c, &picks, &err) != ERR_OK)
        log_line(c->opts.log, LOG_WARNING, "%s, continuing", err.msg);
    if (!ours.count)
        return ERR_OK;
    err_init(&err);
    code = remove_batch(c, &ours, &err);
    is_interrupted = code == ERR_CANCELLED;
    if (is_interrupted) { /* the wish to stop is no reason to leave them */
        clock_accept_cancel(c->opts.clock);
        code = remove_batch(c, &ours, &err);
    }
    report(c, &ours, code, &err);
    return is_interrupted ? ERR_CANCELLED : code;
}
