/* SPDX-License-Identifier: MIT
 *
 * The wait through recursive resolvers, where the servers themselves can't be asked.  A resolver remembers
 * that a name was not there (RFC 2308), so that asking too early makes it blind for minutes.  Hence: nothing
 * is asked at first, as records have not been seen to need less; then one name at a time, until one is shown;
 * a name that was denied is left alone until the denial is forgotten, or until the last moment.
 */
#include "dns/propagation.h"

#include <inttypes.h>
#include <stdlib.h>

#include "dns/pace.h"
#include "dns/sighting.h"
#include "util/mem.h"

#define FIRST_PAUSE_MS 30000 /* DNS Made Easy: not after 15 s, but after 30 s; at most a third of the time-out */
#define QUESTION_MS 5000
#define QUESTION_SHORTEST_MS 1000
#define RETRY_MS 2000      /* after a failure */
#define NEXT_NAME_MS 10000 /* after a denial another name is tried */
#define LAST_MOMENT_MS 3000
#define DEAD_AFTER_MS 5000
#define SLICE_MS 200
#define DETAILS_MAX 4

struct name {
    struct sighting seen;
    int64_t due_ms;
};

/* One resolver. */
struct source {
    struct resolver *resolver;
    struct name *names;
    size_t opened;        /* names that take part */
    size_t missing;       /* not shown yet */
    int64_t open_next_ms; /* when one more name takes part */
    bool answered;        /* with anything that is DNS */
};

struct wait {
    struct pace pace;
    const struct propagation_item *items;
    size_t count;
    struct source *sources;
    size_t source_count;
    int64_t first_ms; /* when asking began */
    int64_t end_ms;
};

static int64_t now_ms(const struct wait *w)
{
    return clock_mono_ms(w->pace.opts->clock);
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ------------------------------------------------------------------ asking */

static int64_t pause_after(const struct wait *w, const struct name *name, const struct dns_answer *answer)
{
    int64_t last_ms = w->end_ms - LAST_MOMENT_MS - now_ms(w);
    int64_t pause_ms = sighting_cache_s(answer) * 1000;

    if (name->seen.kind <= SIGHTING_REFUSED || pause_ms < RETRY_MS)
        pause_ms = RETRY_MS;
    return last_ms > RETRY_MS ? lesser(pause_ms, last_ms) : pause_ms;
}

static const char *source_name(const struct source *source)
{
    return source->resolver->name ? source->resolver->name : "the DNS over HTTPS server";
}

static void log_shown(const struct wait *w, const struct source *source)
{
    const struct log_field fields[] = {
        {"server", source_name(source), 0},
        {"ms", NULL, pace_elapsed_ms(&w->pace)},
    };

    if (source->missing == 0)
        log_event(w->pace.opts->log, LOG_INFO, fields, ARRAY_LEN(fields), "%s shows everything after %" PRId64 " ms",
                  source_name(source), pace_elapsed_ms(&w->pace));
}

static void log_start(const struct wait *w)
{
    for (size_t s = 0; s < w->source_count; s++)
        log_line(w->pace.opts->log, LOG_INFO, "waiting for %zu name%s at %s, which is first asked in %" PRId64 " ms",
                 w->count, w->count == 1 ? "" : "s", source_name(&w->sources[s]), w->first_ms - now_ms(w));
}

static void take(struct wait *w, struct source *source, struct dns_answer *answer)
{
    struct name *name = answer->tag;

    source->answered |= answer->result == ERR_OK;
    sighting_update(&name->seen, answer, &w->items[name - source->names], SIGHTING_RECURSIVE);
    if (name->seen.kind == SIGHTING_SHOWN) {
        source->missing--;
        log_shown(w, source);
        source->opened = source->opened * 2 < w->count ? source->opened * 2 : w->count;
        name->due_ms = INT64_MAX;
        return;
    }
    name->due_ms = now_ms(w) + pause_after(w, name, answer);
    source->open_next_ms = now_ms(w) + NEXT_NAME_MS;
}

/* An answer that comes after the time-out is no use. */
static int64_t question_ms(const struct wait *w)
{
    int64_t left_ms = w->end_ms - now_ms(w);

    return left_ms > QUESTION_SHORTEST_MS ? lesser(QUESTION_MS, left_ms) : QUESTION_SHORTEST_MS;
}

static enum err_code ask_source(struct wait *w, struct source *source, struct err *err)
{
    struct dns_answer answer;
    enum err_code code;

    if (source->opened < w->count && now_ms(w) >= source->open_next_ms) {
        source->opened++;
        source->open_next_ms = now_ms(w) + NEXT_NAME_MS;
    }
    for (size_t i = 0; i < source->opened; i++)
        if (source->names[i].due_ms <= now_ms(w))
            source->resolver->start(source->resolver, &(struct dns_question){.name = w->items[i].name,
                                                                             .type = DNS_TXT,
                                                                             .timeout_ms = question_ms(w),
                                                                             .tag = &source->names[i]});
    do {
        code = source->resolver->next(source->resolver, SLICE_MS, &answer);
        if (code == ERR_OK) {
            take(w, source, &answer);
            dns_answer_done(&answer);
        }
    } while (code == ERR_OK || code == ERR_TIMEOUT);
    return code == ERR_CANCELLED ? pace_cancelled(err) : ERR_OK;
}

/* How long to sleep until something is due, in slices that let progress be told. */
static int64_t idle_ms(const struct wait *w)
{
    int64_t next_ms = now_ms(w) + SLICE_MS;

    for (size_t s = 0; s < w->source_count; s++)
        for (size_t i = 0; i < w->sources[s].opened; i++)
            next_ms = lesser(next_ms, w->sources[s].names[i].due_ms);
    next_ms = lesser(next_ms, w->end_ms);
    return next_ms > now_ms(w) ? next_ms - now_ms(w) : 0;
}

/* ------------------------------------------------------------------ verdicts */

static bool is_complete(const struct wait *w)
{
    bool patient = now_ms(w) - w->first_ms < w->pace.opts->lame_after_ms;
    size_t complete = 0;

    for (size_t s = 0; s < w->source_count; s++) {
        const struct source *source = &w->sources[s];

        if (source->missing && (source->answered || patient))
            return false;
        complete += source->missing ? 0 : 1;
    }
    return complete > 0;
}

static bool any_answered(const struct wait *w)
{
    for (size_t s = 0; s < w->source_count; s++)
        if (w->sources[s].answered)
            return true;
    return false;
}

static bool is_dead(const struct wait *w)
{
    int64_t lame_ms = w->pace.opts->lame_after_ms;

    return !any_answered(w) && now_ms(w) - w->first_ms >= (lame_ms > DEAD_AFTER_MS ? lame_ms : DEAD_AFTER_MS);
}

static size_t count_done(const struct wait *w)
{
    size_t done = 0;

    for (size_t i = 0; i < w->count; i++) {
        bool shown = true;

        for (size_t s = 0; s < w->source_count; s++)
            shown = shown && w->sources[s].names[i].seen.kind == SIGHTING_SHOWN;
        done += shown ? 1 : 0;
    }
    return done;
}

/* By those that answer, as is_complete() has it of all names. */
static bool name_is_shown(const struct wait *w, size_t i)
{
    size_t sources = 0;

    for (size_t s = 0; s < w->source_count; s++) {
        if (w->sources[s].names[i].seen.kind == SIGHTING_SHOWN)
            sources++;
        else if (w->sources[s].answered)
            return false;
    }
    return sources > 0;
}

static size_t first_missing(const struct wait *w, const struct source *source)
{
    size_t i = 0;

    while (i + 1 < w->count && source->names[i].seen.kind == SIGHTING_SHOWN)
        i++;
    return i;
}

static void put_name(const struct wait *w, size_t s, struct buf *out)
{
    const char *name = w->sources[s].resolver->name;

    if (name)
        buf_printf(out, "\"%s\"", name);
    else
        buf_printf(out, "resolver %zu", s + 1);
}

static enum err_code nobody_answers(const struct wait *w, struct err *err)
{
    AUTO_BUF struct buf who = BUF_INIT(ERR_MSG_MAX);

    for (size_t s = 0; s < w->source_count; s++) {
        buf_puts(&who, s ? ", " : "");
        put_name(w, s, &who);
    }
    (void)err_set(err, ERR_NETWORK, "no DNS over HTTPS server answers for \"%s\": asked %s", w->items[0].name,
                  buf_cstr(&who));
    err_hint(err, "Check the URLs of the DNS over HTTPS servers and the way to them.");
    return ERR_NETWORK;
}

static enum err_code timed_out(const struct wait *w, struct err *err)
{
    AUTO_BUF struct buf what = BUF_INIT((size_t)DETAILS_MAX * 1500);
    const struct propagation_item *example = &w->items[0];
    size_t told = 0;
    enum err_code code;

    for (size_t s = 0; s < w->source_count && told < DETAILS_MAX; s++) {
        const struct source *source = &w->sources[s];
        size_t i = first_missing(w, source);

        if (source->missing == 0)
            continue;
        example = told++ ? example : &w->items[i];
        buf_puts(&what, told > 1 ? "; " : "");
        put_name(w, s, &what);
        buf_putc(&what, ' ');
        sighting_describe(&source->names[i].seen, &w->items[i], &what);
    }
    code = err_set(err, ERR_PROPAGATION,
                   "%zu of %zu TXT records (\"%s\", say) can't be seen through DNS over HTTPS after %lld s: %s",
                   w->count - count_done(w), w->count, example->name, (long long)(pace_elapsed_ms(&w->pace) / 1000),
                   buf_cstr(&what));
    err_hint(err, "A resolver may repeat an old answer for minutes; a longer propagation time-out helps.");
    return code;
}

static void tell(struct wait *w)
{
    AUTO_BUF struct buf lagging = BUF_INIT(256);

    if (!pace_wants_progress(&w->pace))
        return;
    for (size_t s = 0; s < w->source_count; s++)
        if (w->sources[s].missing)
            buf_printf(&lagging, "%sDNS over HTTPS %zu", lagging.len ? ", " : "", s + 1);
    pace_tell(&w->pace, count_done(w), buf_cstr(&lagging));
}

/* ------------------------------------------------------------------ the wait */

/* Sleep until `until_ms`, telling progress. */
static enum err_code pause_until(struct wait *w, int64_t until_ms, struct err *err)
{
    while (now_ms(w) < until_ms) {
        enum err_code code = pace_sleep(&w->pace, lesser(SLICE_MS, until_ms - now_ms(w)), err);

        if (code != ERR_OK)
            return code;
        tell(w);
    }
    return ERR_OK;
}

static enum err_code ask_until_shown(struct wait *w, struct err *err)
{
    enum err_code code = pause_until(w, w->first_ms, err);

    while (code == ERR_OK) {
        for (size_t s = 0; s < w->source_count && code == ERR_OK; s++)
            if (w->sources[s].missing)
                code = ask_source(w, &w->sources[s], err);
        if (code != ERR_OK || is_complete(w))
            return code;
        if (is_dead(w))
            return nobody_answers(w, err);
        if (now_ms(w) >= w->end_ms)
            return any_answered(w) ? timed_out(w, err) : nobody_answers(w, err);
        tell(w);
        code = pace_sleep(&w->pace, idle_ms(w), err);
    }
    return code;
}

/* Nothing is under way afterwards. */
static enum err_code wait_until_shown(struct wait *w, struct err *err)
{
    enum err_code code = ask_until_shown(w, err);

    for (size_t s = 0; s < w->source_count; s++)
        resolver_cancel(w->sources[s].resolver);
    return code;
}

static void wait_done(struct wait *w)
{
    for (size_t s = 0; s < w->source_count; s++) {
        for (size_t i = 0; i < w->count; i++)
            sighting_done(&w->sources[s].names[i].seen);
        free(w->sources[s].names);
    }
    free(w->sources);
}

static void wait_init(struct wait *w, struct resolver *const *doh, size_t doh_count,
                      const struct propagation_opts *opts)
{
    pace_init(&w->pace, opts, w->count);
    w->first_ms = w->pace.start_ms + lesser(FIRST_PAUSE_MS, opts->timeout_ms / 3);
    w->end_ms = w->pace.start_ms + opts->timeout_ms;
    w->sources = mem_calloc(doh_count, sizeof *w->sources);
    w->source_count = doh_count;
    for (size_t s = 0; s < doh_count; s++)
        w->sources[s] = (struct source){.resolver = doh[s],
                                        .names = mem_calloc(w->count, sizeof(struct name)),
                                        .opened = 1,
                                        .missing = w->count,
                                        .open_next_ms = w->first_ms + NEXT_NAME_MS};
    log_start(w);
}

enum err_code propagation_wait_doh_each(struct resolver *const *doh, size_t doh_count,
                                        const struct propagation_item *items, size_t count,
                                        const struct propagation_opts *opts, enum propagation_state *states,
                                        struct err *why, struct err *err)
{
    AUTO(wait_done) struct wait w = {.items = items, .count = count};
    size_t shown = 0;

    if (count == 0)
        return ERR_OK;
    wait_init(&w, doh, doh_count, opts);
    if (wait_until_shown(&w, why) == ERR_CANCELLED) {
        if (err)
            *err = *why;
        return ERR_CANCELLED;
    }
    for (size_t i = 0; i < count; i++) {
        states[i] = name_is_shown(&w, i) ? PROPAGATION_SHOWN : PROPAGATION_FAILED;
        shown += states[i] == PROPAGATION_SHOWN;
    }
    return shown ? pace_settle(&w.pace, shown, err) : ERR_OK;
}

enum err_code propagation_wait_doh(struct resolver *const *doh, size_t doh_count, const struct propagation_item *items,
                                   size_t count, const struct propagation_opts *opts, struct err *err)
{
    AUTO(wait_done) struct wait w = {.items = items, .count = count};
    enum err_code code;

    if (count == 0)
        return ERR_OK;
    if (doh_count == 0)
        return err_set(err, ERR_NETWORK, "no DNS over HTTPS server is configured");
    wait_init(&w, doh, doh_count, opts);
    code = wait_until_shown(&w, err);
    return code == ERR_OK ? pace_settle(&w.pace, count, err) : code;
}
