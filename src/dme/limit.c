/* SPDX-License-Identifier: MIT */
#include "dme/limit.h"

#include <stdlib.h>

#include "util/mem.h"

#define FLIGHT_MS 60000 /* what is under way for longer counts as done */
#define TRY_MS 10000    /* ... and is not waited for by those who would try next */
#define TRY_POLL_MS 50
#define POLLS 60 /* in a window */
#define POLL_SHORTEST_MS 50
#define POLL_LONGEST_MS 2000
#define AWAY_POLLS 3 /* a waiting process that missed so many, and AWAY_MS, is gone */
#define AWAY_MS 5000
#define REFUSED_PART 5 /* of the window, in which nothing is sent after a refusal of which we know no more */

/* ------------------------------------------------------------------ lists */

void dme_window_done(struct dme_window *window)
{
    free(window->stamps);
    free(window->tickets);
    *window = (struct dme_window){.window_ms = 0};
}

void dme_window_add_stamp(struct dme_window *window, struct dme_stamp stamp)
{
    window->stamps = mem_grow(window->stamps, window->stamp_count, sizeof *window->stamps);
    window->stamps[window->stamp_count++] = stamp;
}

void dme_window_add_ticket(struct dme_window *window, struct dme_ticket ticket)
{
    window->tickets = mem_grow(window->tickets, window->ticket_count, sizeof *window->tickets);
    window->tickets[window->ticket_count++] = ticket;
}

static int by_time(const void *a, const void *b)
{
    const struct dme_stamp *x = a;
    const struct dme_stamp *y = b;

    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static void sort(struct dme_window *window)
{
    if (window->stamp_count)
        qsort(window->stamps, window->stamp_count, sizeof *window->stamps, by_time);
}

typedef bool stamp_test(const struct dme_stamp *stamp, const void *ctx);

/* Remove the oldest `count` stamps that the test is true of. */
static void drop(struct dme_window *window, stamp_test *test, const void *ctx, int64_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < window->stamp_count; i++) {
        if (count > 0 && test(&window->stamps[i], ctx))
            count--;
        else
            window->stamps[kept++] = window->stamps[i];
    }
    window->stamp_count = kept;
}

static int64_t count_if(const struct dme_window *window, stamp_test *test, const void *ctx)
{
    int64_t count = 0;

    for (size_t i = 0; i < window->stamp_count; i++)
        count += test(&window->stamps[i], ctx) ? 1 : 0;
    return count;
}

static bool is_held_for(const struct dme_stamp *stamp, const void *owner)
{
    return stamp->kind == DME_STAMP_HELD && stamp->owner == *(const int64_t *)owner;
}

static bool is_held(const struct dme_stamp *stamp, UNUSED const void *ctx)
{
    return stamp->kind == DME_STAMP_HELD;
}

static bool is_sent_by(const struct dme_stamp *stamp, const void *owner)
{
    return stamp->kind == DME_STAMP_SENT && stamp->owner == *(const int64_t *)owner;
}

static bool is_under_way_since(const struct dme_stamp *stamp, const void *since_ms)
{
    return stamp->kind == DME_STAMP_SENT && stamp->at_ms > *(const int64_t *)since_ms;
}

static bool is_own(const struct dme_stamp *stamp, UNUSED const void *ctx)
{
    return stamp->kind != DME_STAMP_FOREIGN && stamp->kind != DME_STAMP_HELD;
}

static bool is_over(const struct dme_stamp *stamp, const void *until_ms)
{
    return stamp->at_ms <= *(const int64_t *)until_ms;
}

/* Surely counted by the server when a request arrives that was sent at that time (and is none of these itself). */
static bool is_counted_by(const struct dme_stamp *stamp, const void *sent_ms)
{
    return (stamp->kind == DME_STAMP_DONE || stamp->kind == DME_STAMP_FOREIGN) &&
           stamp->at_ms < *(const int64_t *)sent_ms;
}

static bool may_be_counted(const struct dme_stamp *stamp, UNUSED const void *ctx)
{
    return stamp->kind != DME_STAMP_HELD;
}

/* ------------------------------------------------------------------ time */

int64_t dme_window_poll_ms(const struct dme_window *window)
{
    int64_t ms = window->window_ms / POLLS;

    return ms < POLL_SHORTEST_MS ? POLL_SHORTEST_MS : ms > POLL_LONGEST_MS ? POLL_LONGEST_MS : ms;
}

static void tidy_tickets(struct dme_window *window, int64_t now_ms)
{
    int64_t away_ms = AWAY_POLLS * dme_window_poll_ms(window) + AWAY_MS;
    size_t kept = 0;

    for (size_t i = 0; i < window->ticket_count; i++) {
        struct dme_ticket *ticket = &window->tickets[i];

        if (ticket->seen_ms > now_ms)
            ticket->seen_ms = now_ms;
        if (now_ms - ticket->seen_ms <= away_ms)
            window->tickets[kept++] = *ticket;
    }
    window->ticket_count = kept;
}

void dme_window_tidy(struct dme_window *window, int64_t now_ms)
{
    int64_t over_ms = now_ms - window->window_ms;

    for (size_t i = 0; i < window->stamp_count; i++) {
        struct dme_stamp *stamp = &window->stamps[i];

        if (stamp->at_ms > now_ms)
            stamp->at_ms = now_ms;
        if (stamp->kind == DME_STAMP_SENT && now_ms - stamp->at_ms > FLIGHT_MS)
            *stamp = (struct dme_stamp){.at_ms = stamp->at_ms, .kind = DME_STAMP_DONE};
    }
    sort(window);
    drop(window, is_over, &over_ms, INT64_MAX);
    if (window->closed_until_ms > now_ms + window->window_ms)
        window->closed_until_ms = now_ms + window->window_ms;
    if (window->refused_ms > now_ms)
        window->refused_ms = now_ms;
    tidy_tickets(window, now_ms);
}

int64_t dme_window_limit(const struct dme_window *window)
{
    int64_t limit = window->limit > 0 ? window->limit : DME_LIMIT_USUAL;

    if (window->allowed > 0 && window->allowed < limit)
        limit = window->allowed;
    return limit < DME_LIMIT_MAX ? limit : DME_LIMIT_MAX;
}

/* While the limit is not known, or after a refusal, one request at a time tries. */
static bool is_careful(const struct dme_window *window)
{
    return window->refusals > 0 || window->limit == 0;
}

bool dme_window_is_trying(const struct dme_window *window, int64_t now_ms)
{
    int64_t since_ms = now_ms - TRY_MS;

    return is_careful(window) && count_if(window, is_under_way_since, &since_ms) > 0;
}

static int64_t room(const struct dme_window *window)
{
    int64_t left = dme_window_limit(window) - (int64_t)window->stamp_count;

    return left > 0 ? left : 0;
}

int64_t dme_window_left(const struct dme_window *window, int64_t now_ms)
{
    return window->closed_until_ms > now_ms ? 0 : room(window);
}

int64_t dme_window_own(const struct dme_window *window)
{
    return count_if(window, is_own, NULL);
}

/* ------------------------------------------------------------------ the queue */

/* Requests yet to come go out as soon as the oldest of a full window falls out: play it through. */
struct future {
    const struct dme_window *window;
    int64_t *made_ms; /* when those go out, in order */
    size_t count;
    int64_t at_ms;
};

/* When the n-th of all goes out, those of the window first. */
static int64_t nth_ms(const struct future *future, size_t n)
{
    size_t stamps = future->window->stamp_count;

    if (n < stamps)
        return future->window->stamps[n].at_ms;
    return n - stamps < future->count ? future->made_ms[n - stamps] : future->at_ms;
}

/* `count` more, together. */
static void play(struct future *future, int64_t count)
{
    int64_t limit = dme_window_limit(future->window);
    int64_t before;

    if (count > limit)
        count = limit;
    before = (int64_t)(future->window->stamp_count + future->count) + count - limit - 1;
    if (before >= 0 && nth_ms(future, (size_t)before) + future->window->window_ms > future->at_ms)
        future->at_ms = nth_ms(future, (size_t)before) + future->window->window_ms;
    for (int64_t i = 0; i < count; i++) {
        future->made_ms = mem_grow(future->made_ms, future->count, sizeof *future->made_ms);
        future->made_ms[future->count++] = future->at_ms;
    }
}

/* The owner's turn, behind all tickets that came before its own. */
static int64_t turn_ms(const struct dme_window *window, int64_t owner, int64_t count, int64_t now_ms)
{
    struct future future = {.window = window, .at_ms = now_ms};

    if (window->closed_until_ms > now_ms)
        future.at_ms = window->closed_until_ms;
    for (size_t i = 0; i < window->ticket_count && window->tickets[i].owner != owner; i++)
        play(&future, window->tickets[i].count);
    play(&future, count);
    free(future.made_ms);
    return future.at_ms - now_ms;
}

int64_t dme_window_next_ms(const struct dme_window *window, int64_t now_ms)
{
    return turn_ms(window, 0, 1, now_ms);
}

static struct dme_ticket *find_ticket(struct dme_window *window, int64_t owner)
{
    for (size_t i = 0; i < window->ticket_count; i++)
        if (window->tickets[i].owner == owner)
            return &window->tickets[i];
    return NULL;
}

static void drop_ticket(struct dme_window *window, int64_t owner)
{
    struct dme_ticket *ticket = find_ticket(window, owner);

    if (!ticket)
        return;
    window->ticket_count--;
    for (; ticket < window->tickets + window->ticket_count; ticket++)
        *ticket = ticket[1];
}

static void queue_up(struct dme_window *window, const struct dme_claim *claim, int64_t now_ms)
{
    struct dme_ticket *ticket = find_ticket(window, claim->owner);

    if (!ticket) {
        dme_window_add_ticket(window, (struct dme_ticket){claim->owner, claim->least, now_ms});
        return;
    }
    ticket->seen_ms = now_ms;
    ticket->count = claim->least;
}

/* Several at once only to those whom nobody waits behind. */
static int64_t amount(const struct dme_window *window, const struct dme_claim *claim)
{
    int64_t most = is_careful(window) || window->ticket_count > 0 ? claim->least : claim->most;
    int64_t left = room(window);

    return most < left ? most : left;
}

void dme_window_force(struct dme_window *window, int64_t owner, size_t count, int64_t now_ms)
{
    for (size_t i = 0; i < count; i++)
        dme_window_add_stamp(window, (struct dme_stamp){now_ms, owner, DME_STAMP_SENT});
}

/* Turn up to `most` of those that are held for the owner into requests under way. */
static size_t use_held(struct dme_window *window, const struct dme_claim *claim, int64_t now_ms)
{
    int64_t held = count_if(window, is_held_for, &claim->owner);
    int64_t most = is_careful(window) ? 1 : claim->most;
    int64_t count = held < most ? held : most;

    if (claim->kind != DME_STAMP_SENT || window->closed_until_ms > now_ms || dme_window_is_trying(window, now_ms))
        return 0;
    drop(window, is_held_for, &claim->owner, count);
    dme_window_force(window, claim->owner, (size_t)count, now_ms);
    return (size_t)count;
}

int64_t dme_window_claim(struct dme_window *window, const struct dme_claim *claim, int64_t now_ms, size_t *out_got)
{
    int64_t limit = dme_window_limit(window);
    struct dme_claim bounded = *claim;
    int64_t wait_ms;
    int64_t got;

    bounded.least = claim->least < limit ? claim->least : limit;
    dme_window_tidy(window, now_ms);
    *out_got = use_held(window, claim, now_ms);
    if (*out_got >= (size_t)claim->least) {
        drop_ticket(window, claim->owner); /* of a wait for the answer to another one */
        return 0;
    }
    wait_ms = turn_ms(window, claim->owner, bounded.least, now_ms);
    if (wait_ms <= 0 && dme_window_is_trying(window, now_ms))
        wait_ms = TRY_POLL_MS;
    if (wait_ms > 0) {
        queue_up(window, &bounded, now_ms);
        return wait_ms;
    }
    drop_ticket(window, claim->owner);
    got = amount(window, &bounded);
    for (int64_t i = 0; i < got; i++)
        dme_window_add_stamp(window, (struct dme_stamp){now_ms, claim->owner, claim->kind});
    *out_got += (size_t)got;
    return 0;
}

void dme_window_leave(struct dme_window *window, int64_t owner)
{
    drop_ticket(window, owner);
}

void dme_window_release(struct dme_window *window, int64_t owner)
{
    drop(window, is_held_for, &owner, INT64_MAX);
}

/* ------------------------------------------------------------------ what answers tell */

/* The owner's requests are answered: they count from now, as the server has counted them before now. */
static void finish(struct dme_window *window, int64_t owner, int64_t now_ms)
{
    for (size_t i = 0; i < window->stamp_count; i++)
        if (is_sent_by(&window->stamps[i], &owner))
            window->stamps[i] = (struct dme_stamp){.at_ms = now_ms, .kind = DME_STAMP_DONE};
}

/* The server has counted `used` requests.  More than we know of: other hosts have made them.  Fewer than it must know
 * of: they have fallen out of its window, or have not arrived. */
static void believe(struct dme_window *window, const struct dme_news *news, int64_t used, int64_t now_ms)
{
    int64_t known = count_if(window, may_be_counted, NULL);
    int64_t sure = count_if(window, is_counted_by, &news->sent_ms) + (int64_t)news->answered;

    for (; known < used; known++)
        dme_window_add_stamp(window, (struct dme_stamp){.at_ms = now_ms, .kind = DME_STAMP_FOREIGN});
    if (used < sure)
        drop(window, is_counted_by, &news->sent_ms, sure - used);
}

static int64_t used_of(const struct dme_news *news)
{
    int64_t limit = news->limit < DME_LIMIT_MAX ? news->limit : DME_LIMIT_MAX;

    return news->remaining < limit ? limit - news->remaining : 0;
}

/* Refused: the first time until the oldest of ours falls out of the server's window as of our own, for then there is
 * room unless another host takes it; where we know of none, for a part of the window.  Again: for a whole window. */
static void close_for(struct dme_window *window, const struct dme_news *news, int64_t now_ms)
{
    int64_t until_ms = now_ms + window->window_ms / REFUSED_PART;

    window->refusals++;
    window->refused_ms = now_ms;
    if (news->asked_ms > 0)
        until_ms = now_ms + news->asked_ms;
    else if (window->refusals > 1)
        until_ms = now_ms + window->window_ms;
    else if (window->stamp_count > 0 && window->stamps[0].at_ms + window->window_ms > until_ms)
        until_ms = window->stamps[0].at_ms + window->window_ms;
    if (until_ms > window->closed_until_ms)
        window->closed_until_ms = until_ms;
}

/* What the server counts is full at the moment, and we do not know since when: one request may try once it is open
 * again, the others wait for what its answer tells. */
static void fill_up(struct dme_window *window, int64_t now_ms)
{
    int64_t missing = dme_window_limit(window) - (int64_t)window->stamp_count;

    for (int64_t i = 0; i < missing; i++)
        dme_window_add_stamp(window,
                             (struct dme_stamp){.at_ms = i ? now_ms : window->closed_until_ms - window->window_ms,
                                                .kind = DME_STAMP_FOREIGN});
    sort(window);
}

/* There is less than we thought: what was promised beyond it can't be had. */
static void break_promises(struct dme_window *window)
{
    drop(window, is_held, NULL, (int64_t)window->stamp_count - dme_window_limit(window));
}

void dme_window_learn(struct dme_window *window, const struct dme_news *news, int64_t now_ms)
{
    if (news->limit > 0)
        window->limit = news->limit;
    else if (window->limit == 0 && news->answered > 0)
        window->limit = DME_LIMIT_USUAL; /* it does not tell */
    /* Whether the server counts what it refuses is not known; should it do so, the next answers tell. */
    drop(window, is_sent_by, &news->owner, (int64_t)(news->unsent + news->refused));
    finish(window, news->owner, now_ms);
    dme_window_tidy(window, now_ms);
    if (news->answered > 0 && news->sent_ms >= window->refused_ms) /* an older one's answer may come later */
        window->refusals = window->closed_until_ms = window->refused_ms = 0;
    if (news->refused > 0) {
        drop(window, is_held, NULL, INT64_MAX);
        close_for(window, news, now_ms);
        if (news->asked_ms == 0)
            fill_up(window, now_ms);
    } else if (news->answered > 0 && news->limit > 0 && news->remaining >= 0) {
        believe(window, news, used_of(news), now_ms);
    }
    break_promises(window);
}
