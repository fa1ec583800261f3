/* SPDX-License-Identifier: MIT
 *
 * Waiting for orders while the CA is at work: they are polled, not their authorizations, so that a look costs one
 * request whatever the number of names.
 */
#include <stdlib.h>

#include "acme/internal.h"

#define FIRST_LOOK_MS 300 /* a quick CA is done by then; any other is asked once more than it need be */

struct settling {
    struct acme *acme;
    struct acme_order **left; /* those that still have the status */
    size_t count;
    size_t total;
    const struct acme_settle *opts;
    int64_t deadline_ms;
    size_t looks;
};

/* Before each look: a moment, one second, two, three, then five. */
static int64_t pause_of(size_t looks)
{
    static const int64_t pauses[] = {FIRST_LOOK_MS, 1000, 2000, 3000, 5000};

    return pauses[looks < ARRAY_LEN(pauses) ? looks : ARRAY_LEN(pauses) - 1];
}

static bool is_waited_for(const struct settling *s, const struct acme_order *order)
{
    return order->result.code == ERR_OK && order->status == s->opts->while_status;
}

static void keep_waiting_ones(struct settling *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++)
        if (is_waited_for(s, s->left[i]))
            s->left[kept++] = s->left[i];
    s->count = kept;
}

/* When the next look is due: what the CA asked for, of the order that is to be looked at first. */
static int64_t next_look_ms(const struct settling *s)
{
    int64_t now_ms = clock_mono_ms(s->acme->clock);
    int64_t by_us_ms = now_ms + pause_of(s->looks);
    int64_t first_ms = INT64_MAX;

    for (size_t i = 0; i < s->count; i++) {
        int64_t at_ms = s->left[i]->retry_after_ms;

        if (s->looks == 0 && s->opts->while_status == ACME_ORDER_PENDING)
            at_ms = s->acme->look_at_ms;
        at_ms = at_ms ? at_ms : by_us_ms;
        first_ms = at_ms < first_ms ? at_ms : first_ms;
    }
    return first_ms < s->deadline_ms ? first_ms : s->deadline_ms;
}

static enum err_code pause_until(const struct settling *s, int64_t at_ms, struct err *err)
{
    int64_t pause_ms = at_ms - clock_mono_ms(s->acme->clock);

    if (clock_is_cancelled(s->acme->clock) || (pause_ms > 0 && !clock_sleep_ms(s->acme->clock, pause_ms)))
        return err_set(err, ERR_CANCELLED, "interrupted while waiting for the CA");
    return ERR_OK;
}

/* Orders that the CA wants to be left alone longer are not asked for. */
static size_t pick_due(const struct settling *s, struct acme_order **out)
{
    int64_t now_ms = clock_mono_ms(s->acme->clock);
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        if (s->left[i]->retry_after_ms <= now_ms || now_ms >= s->deadline_ms)
            out[count++] = s->left[i];
    return count;
}

static void fail_rest(const struct settling *s)
{
    static const char *const doing[] = {
        [ACME_ORDER_PENDING] = "has not validated",
        [ACME_ORDER_READY] = "has not taken up",
        [ACME_ORDER_PROCESSING] = "has not issued the certificate for",
        [ACME_ORDER_VALID] = "has not delivered",
        [ACME_ORDER_INVALID] = "has not given up",
    };

    for (size_t i = 0; i < s->count; i++) {
        char *names AUTO_FREE = acme_names_describe(&s->left[i]->names);
        struct err err;

        (void)err_set(&err, ERR_TIMEOUT, "the CA %s %s within %lld s", doing[s->opts->while_status], names,
                      (long long)(s->opts->timeout_ms / 1000));
        err_hint(&err, "Try again later: the order is taken up where it is; \"acme.poll_timeout\" gives it more time.");
        acme_result_set(&s->left[i]->result, ERR_TIMEOUT, &err);
    }
}

static enum err_code look(struct settling *s, struct err *err)
{
    struct acme_order **due AUTO_FREE = mem_calloc(s->count, sizeof(struct acme_order *));
    size_t count = pick_due(s, due);
    enum err_code code = count ? acme_orders_fetch(s->acme, due, count, err) : ERR_OK;

    s->looks++;
    keep_waiting_ones(s);
    if (code == ERR_OK && s->opts->progress)
        s->opts->progress(s->opts->ctx, s->total - s->count, s->total);
    return code;
}

enum err_code acme_orders_settle(struct acme *acme, struct acme_order *const *orders, size_t count,
                                 const struct acme_settle *settle, struct err *err)
{
    struct acme_order **left AUTO_FREE = mem_calloc(count, sizeof(struct acme_order *));
    struct settling s = {.acme = acme,
                         .left = left,
                         .count = count,
                         .total = count,
                         .opts = settle,
                         .deadline_ms = clock_mono_ms(acme->clock) + settle->timeout_ms};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < count; i++)
        left[i] = orders[i];
    keep_waiting_ones(&s);
    while (code == ERR_OK && s.count && (s.looks == 0 || clock_mono_ms(acme->clock) < s.deadline_ms)) {
        code = pause_until(&s, next_look_ms(&s), err);
        if (code == ERR_OK)
            code = look(&s, err);
    }
    if (code == ERR_OK)
        fail_rest(&s);
    return code;
}
