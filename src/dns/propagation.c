/* SPDX-License-Identifier: MIT
 *
 * The wait at the servers themselves.
 *
 * In each lane (a zone at one address) only a few names are asked at first: as long as a server still has the
 * old zone it makes no difference which of a thousand names it denies.  Each name that is shown lets two more
 * take part, so that all are asked within a few round trips once the new zone is there; a name that stays
 * missing lets one more take part after a while, so that none goes unasked for ever.
 *
 * An address gets at most FLYING_MAX questions at a time and RATE_PER_S on average.  A question that is lost
 * is sent again by the resolver; one that stays unanswered is followed by one over TCP, as some networks drop
 * UDP.
 */
#include "dns/propagation.h"

#include <stdlib.h>

#include "dns/pace.h"
#include "dns/watch.h"

#define QUESTION_MS 2000 /* the resolver sends again within this */
#define FLYING_MAX 64
#define RATE_PER_S 200
#define BURST 1000          /* saved up while little is asked: enough for the names of a large zone at once */
#define FIRST_NAMES 8       /* names of a lane that are asked from the start */
#define FIRST_PER_TARGET 64 /* the same over all lanes of a target */
#define OPEN_ON_SHOWN 2
#define OPEN_ON_MISSING_AFTER 32 /* questions for one name: five seconds or so */
#define LISTEN_MS 200

struct propagation {
    struct pace pace;
    struct watch watch;
    struct resolver *resolver;
    size_t turn;     /* lane that goes first */
    int64_t left_ms; /* monotonic time at which the last call was left; 0: there was none */
};

/* ------------------------------------------------------------------ queues */

static void lane_queue(struct watch_lane *lane, size_t count, size_t pair, int64_t due_ms)
{
    lane->pairs[pair].due_ms = due_ms;
    lane->queue[(lane->queue_head + lane->queue_len) % count] = (uint32_t)pair;
    lane->queue_len++;
}

static void lane_open(struct propagation *w, struct watch_lane *lane, size_t more, int64_t now_ms)
{
    size_t count = w->watch.zones[lane->zone].count;

    for (; more > 0 && lane->opened < count; more--) {
        lane_queue(lane, count, lane->opened++, now_ms);
        w->watch.targets[lane->target].polled++;
    }
}

static void open_first(struct propagation *w, int64_t now_ms)
{
    for (size_t l = 0; l < w->watch.lane_count; l++) {
        struct watch_lane *lane = &w->watch.lanes[l];
        size_t share = FIRST_PER_TARGET / w->watch.targets[lane->target].lane_count;

        share = share > FIRST_NAMES ? FIRST_NAMES : share;
        lane_open(w, lane, share ? share : 1, now_ms);
    }
}

/* ------------------------------------------------------------------ asking */

static void target_credit(struct watch_target *target, int64_t now_ms)
{
    int64_t credit = target->credit + (now_ms - target->credited_ms) * RATE_PER_S;

    target->credit = credit > BURST * 1000 ? BURST * 1000 : credit;
    target->credited_ms = now_ms;
}

static enum dns_transport target_transport(struct watch_target *target)
{
    if (target->udp_answered || !target->udp_silent)
        return DNS_UDP_THEN_TCP;
    if (target->tcp_answered)
        return DNS_TCP;
    target->tcp_next = !target->tcp_next;
    return target->tcp_next ? DNS_TCP : DNS_UDP_THEN_TCP;
}

static void ask(struct propagation *w, struct watch_lane *lane, struct watch_pair *pair)
{
    struct watch_target *target = &w->watch.targets[lane->target];

    target->flying++;
    target->credit -= 1000;
    pair->asked++;
    pair->is_flying = true;
    pair->transport = target_transport(target);
    w->resolver->start(w->resolver, &(struct dns_question){.name = watch_item(&w->watch, pair)->name,
                                                           .type = DNS_TXT,
                                                           .server = target->address,
                                                           .transport = pair->transport,
                                                           .timeout_ms = QUESTION_MS,
                                                           .tag = pair});
}

/* Ask what is due in a lane; returns when the lane wants its next question asked, INT64_MAX: after an answer. */
static int64_t lane_ask(struct propagation *w, struct watch_lane *lane, int64_t now_ms)
{
    struct watch_target *target = &w->watch.targets[lane->target];
    size_t count = w->watch.zones[lane->zone].count;

    if (w->watch.zones[lane->zone].waiting == 0) /* nobody needs to know */
        return INT64_MAX;
    while (lane->queue_len) {
        struct watch_pair *pair = &lane->pairs[lane->queue[lane->queue_head]];

        if (target->flying >= FLYING_MAX)
            return INT64_MAX;
        if (pair->due_ms > now_ms)
            return pair->due_ms;
        if (target->credit < 1000)
            return now_ms + (1000 - target->credit) / RATE_PER_S + 1;
        lane->queue_head = (lane->queue_head + 1) % count;
        lane->queue_len--;
        ask(w, lane, pair);
    }
    return INT64_MAX;
}

/* Ask all that is due; returns how long to listen for answers before more is. */
static int64_t ask_due(struct propagation *w)
{
    int64_t now_ms = clock_mono_ms(w->pace.opts->clock);
    int64_t next_ms = now_ms + LISTEN_MS;

    for (size_t t = 0; t < w->watch.target_count; t++)
        target_credit(&w->watch.targets[t], now_ms);
    for (size_t l = 0; l < w->watch.lane_count; l++) {
        struct watch_lane *lane = &w->watch.lanes[(w->turn + l) % w->watch.lane_count];
        int64_t due_ms = lane_ask(w, lane, now_ms);

        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    w->turn++;
    return next_ms > now_ms ? next_ms - now_ms : 1;
}

/* ------------------------------------------------------------------ listening */

/* With many names in rotation at a target they come round more slowly, so that half of the rate stays in
 * reserve for the moment at which all the others have to be asked. */
static int64_t interval_ms(const struct propagation *w, const struct watch_target *target)
{
    int64_t pace_ms = pace_interval_ms(pace_elapsed_ms(&w->pace));
    int64_t share_ms = (int64_t)target->polled * 1000 / (RATE_PER_S / 2);

    return pace_ms > share_ms ? pace_ms : share_ms;
}

static void tell_sighting(const struct propagation *w, const struct watch_lane *lane, const struct watch_pair *pair)
{
    const struct propagation_opts *opts = w->pace.opts;
    const struct propagation_sighting sighting = {
        .name = watch_item(&w->watch, pair)->name,
        .server = lane->server_name,
        .address = lane->address,
        .elapsed_ms = pace_elapsed_ms(&w->pace),
    };

    if (opts->sighted)
        opts->sighted(opts->sighted_ctx, &sighting);
}

static void take(struct propagation *w, struct dns_answer *answer)
{
    struct watch_pair *pair = answer->tag;
    struct watch_lane *lane = &w->watch.lanes[pair->lane];
    struct watch_target *target = &w->watch.targets[lane->target];
    int64_t now_ms = clock_mono_ms(w->pace.opts->clock);

    target->flying--;
    pair->is_flying = false;
    watch_note(&w->watch, pair, answer);
    if (pair->seen.kind == SIGHTING_SHOWN) {
        target->polled--;
        tell_sighting(w, lane, pair);
        watch_log_shown(&w->watch, lane, pace_elapsed_ms(&w->pace), w->pace.opts->log);
        lane_open(w, lane, OPEN_ON_SHOWN, now_ms);
        return;
    }
    lane_queue(lane, w->watch.zones[lane->zone].count, (size_t)(pair - lane->pairs), now_ms + interval_ms(w, target));
    if (pair->asked == OPEN_ON_MISSING_AFTER)
        lane_open(w, lane, 1, now_ms);
}

/* Take the answers that come within wait_ms.  Errors: ERR_CANCELLED. */
static enum err_code listen_for(struct propagation *w, int64_t wait_ms, struct err *err)
{
    struct dns_answer answer;
    enum err_code code = w->resolver->next(w->resolver, wait_ms, &answer);

    if (code == ERR_NOT_FOUND)
        return pace_sleep(&w->pace, wait_ms, err);
    while (code == ERR_OK) {
        take(w, &answer);
        dns_answer_done(&answer);
        code = w->resolver->next(w->resolver, 0, &answer);
    }
    return code == ERR_CANCELLED ? pace_cancelled(err) : ERR_OK;
}

static void tell(struct propagation *w)
{
    AUTO_BUF struct buf lagging = BUF_INIT(1024);
    int64_t elapsed_ms = pace_elapsed_ms(&w->pace);

    if (!pace_wants_progress(&w->pace))
        return;
    watch_put_lagging(&w->watch, elapsed_ms, &lagging);
    pace_tell(&w->pace, watch_count_done(&w->watch, elapsed_ms), buf_cstr(&lagging));
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Ask what is due, and take the answers that come before more is, within `most_ms`. */
static enum err_code ask_and_listen(struct propagation *w, int64_t most_ms, struct err *err)
{
    int64_t listen_ms = earliest(ask_due(w), most_ms);

    tell(w);
    return listen_for(w, listen_ms, err);
}

static enum err_code wait_until_shown(struct propagation *w, struct err *err)
{
    int64_t timeout_ms = w->pace.opts->timeout_ms;

    open_first(w, clock_mono_ms(w->pace.opts->clock));
    while (true) {
        int64_t elapsed_ms = pace_elapsed_ms(&w->pace);
        const struct watch_zone *dead = watch_find_dead_zone(&w->watch, elapsed_ms);
        enum err_code code;

        if (watch_is_complete(&w->watch, elapsed_ms))
            return ERR_OK;
        if (dead)
            return watch_dead(&w->watch, dead, err);
        if (elapsed_ms >= timeout_ms)
            return watch_timeout(&w->watch, elapsed_ms, err);
        code = ask_and_listen(w, timeout_ms - elapsed_ms, err);
        if (code != ERR_OK)
            return code;
    }
}

static void wait_done(struct propagation *w)
{
    watch_done(&w->watch);
}

static void wait_init(struct propagation *w, const struct propagation_item *items, size_t count,
                      const struct propagation_opts *opts)
{
    pace_init(&w->pace, opts, count);
    watch_init(&w->watch, items, count, opts->lame_after_ms);
    for (size_t t = 0; t < w->watch.target_count; t++) {
        w->watch.targets[t].credited_ms = w->pace.start_ms;
        w->watch.targets[t].credit = BURST * 1000;
    }
    watch_log_start(&w->watch, opts->log);
}

enum err_code propagation_wait(struct resolver *direct, const struct propagation_item *items, size_t count,
                               const struct propagation_opts *opts, struct err *err)
{
    AUTO(wait_done) struct propagation w = {.resolver = direct};
    enum err_code code;

    if (count == 0)
        return ERR_OK;
    wait_init(&w, items, count, opts);
    code = wait_until_shown(&w, err);
    resolver_cancel(direct); /* what is still under way points into the books */
    if (code != ERR_OK)
        return code;
    watch_log_lame(&w.watch, pace_elapsed_ms(&w.pace), opts->log);
    return pace_settle(&w.pace, count, err);
}

/* ------------------------------------------------------------------ each item by itself */

struct propagation *propagation_new(struct resolver *direct, const struct propagation_item *items, size_t count,
                                    const struct propagation_opts *opts)
{
    struct propagation *w = mem_zalloc(sizeof *w);

    w->resolver = direct;
    wait_init(w, items, count, opts);
    return w;
}

void propagation_free(struct propagation *propagation)
{
    if (!propagation)
        return;
    wait_done(propagation);
    free(propagation);
}

/* What was under way when the last call was left is asked again. */
static void ask_lost_again(struct propagation *w, int64_t now_ms)
{
    for (size_t t = 0; t < w->watch.target_count; t++)
        w->watch.targets[t].flying = 0;
    for (size_t l = 0; l < w->watch.lane_count; l++) {
        struct watch_lane *lane = &w->watch.lanes[l];

        for (size_t i = 0; i < lane->opened; i++) {
            if (!lane->pairs[i].is_flying)
                continue;
            lane->pairs[i].is_flying = false;
            lane_queue(lane, w->watch.zones[lane->zone].count, i, now_ms);
        }
    }
}

static void resume(struct propagation *w)
{
    if (w->left_ms) {
        pace_skip(&w->pace, w->left_ms);
        ask_lost_again(w, clock_mono_ms(w->pace.opts->clock));
        return;
    }
    pace_skip(&w->pace, w->pace.start_ms);
    open_first(w, clock_mono_ms(w->pace.opts->clock));
}

/* Ask until none is waited for, or patience or time are over; *out_fresh: were any shown that were not before? */
static enum err_code ask_on(struct propagation *w, const struct propagation_patience *patience, size_t *out_fresh,
                            struct err *err)
{
    int64_t timeout_ms = w->pace.opts->timeout_ms;
    int64_t limit_ms = patience && patience->limit_ms ? pace_elapsed_ms(&w->pace) + patience->limit_ms : INT64_MAX;
    int64_t quiet_ms = INT64_MAX;
    enum err_code code = ERR_OK;

    while (code == ERR_OK) {
        int64_t elapsed_ms = pace_elapsed_ms(&w->pace);
        size_t shown = watch_judge(&w->watch, elapsed_ms);
        int64_t end_ms;

        *out_fresh += shown;
        if (shown && patience && patience->quiet_ms)
            quiet_ms = elapsed_ms + patience->quiet_ms;
        end_ms = earliest(quiet_ms, limit_ms);
        if (elapsed_ms >= timeout_ms)
            watch_give_up(&w->watch, elapsed_ms);
        if (watch_waiting(&w->watch) == 0 || elapsed_ms >= end_ms)
            return ERR_OK;
        code = ask_and_listen(w, earliest(end_ms, timeout_ms) - elapsed_ms, err);
    }
    return code;
}

enum err_code propagation_go_on(struct propagation *propagation, const struct propagation_patience *patience,
                                struct err *err)
{
    struct propagation *w = propagation;
    size_t fresh = 0;
    enum err_code code;

    if (watch_waiting(&w->watch) == 0)
        return ERR_OK;
    resume(w);
    code = ask_on(w, patience, &fresh, err);
    resolver_cancel(w->resolver);
    w->left_ms = clock_mono_ms(w->pace.opts->clock);
    watch_log_lame_new(&w->watch, pace_elapsed_ms(&w->pace), w->pace.opts->log);
    return code == ERR_OK && fresh > 0 ? pace_settle(&w->pace, watch_shown(&w->watch), err) : code;
}

enum propagation_state propagation_state(const struct propagation *propagation, size_t item)
{
    size_t place;
    const struct watch_zone *zone = watch_find(&propagation->watch, item, &place);

    return zone->states[place];
}

enum err_code propagation_explain(const struct propagation *propagation, size_t item, struct err *err)
{
    size_t place;
    const struct watch_zone *zone = watch_find(&propagation->watch, item, &place);

    return watch_explain(&propagation->watch, zone, place, err);
}
