/* SPDX-License-Identifier: MIT */
#include "dns/pace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PROGRESS_MS 200
#define LAGGING_MAX 60 /* octets, so that a whole live line fits into 80 columns or so */
#define ELLIPSIS "\xe2\x80\xa6"

void pace_init(struct pace *pace, const struct propagation_opts *opts, size_t total)
{
    int64_t now_ms = clock_mono_ms(opts->clock);

    *pace = (struct pace){.opts = opts, .start_ms = now_ms, .told_ms = now_ms - PROGRESS_MS, .total = total};
}

int64_t pace_elapsed_ms(const struct pace *pace)
{
    return clock_mono_ms(pace->opts->clock) - pace->start_ms;
}

bool pace_wants_progress(const struct pace *pace)
{
    return pace->opts->progress && clock_mono_ms(pace->opts->clock) - pace->told_ms >= PROGRESS_MS;
}

/* Cut behind the last whole name that fits. */
static void cut_names(char out[LAGGING_MAX + 1], const char *names)
{
    size_t keep = LAGGING_MAX - strlen(ELLIPSIS);

    if (strlen(names) <= LAGGING_MAX) {
        memcpy(out, names, strlen(names) + 1);
        return;
    }
    memcpy(out, names, keep);
    while (keep > 0 && out[keep - 1] != ' ')
        keep--;
    if (keep == 0) /* one long name */
        keep = LAGGING_MAX - strlen(ELLIPSIS);
    memcpy(out + keep, ELLIPSIS, strlen(ELLIPSIS) + 1);
}

void pace_tell(struct pace *pace, size_t done, const char *lagging)
{
    char names[LAGGING_MAX + 1];
    struct propagation_progress progress = {
        .records_total = pace->total,
        .records_done = done,
        .elapsed_ms = pace_elapsed_ms(pace),
        .lagging = names,
    };

    if (!pace_wants_progress(pace))
        return;
    cut_names(names, lagging);
    pace->told_ms = clock_mono_ms(pace->opts->clock);
    pace->opts->progress(pace->opts->progress_ctx, &progress);
}

enum err_code pace_cancelled(struct err *err)
{
    return err_set(err, ERR_CANCELLED, "interrupted while waiting for the name servers");
}

enum err_code pace_sleep(struct pace *pace, int64_t ms, struct err *err)
{
    return clock_sleep_ms(pace->opts->clock, ms) ? ERR_OK : pace_cancelled(err);
}

void pace_skip(struct pace *pace, int64_t from_ms)
{
    pace->start_ms += clock_mono_ms(pace->opts->clock) - from_ms;
}

enum err_code pace_settle(struct pace *pace, size_t shown, struct err *err)
{
    int64_t end_ms = pace_elapsed_ms(pace) + pace->opts->settle_ms;
    char what[64] = "everything is";

    if (clock_is_cancelled(pace->opts->clock))
        return pace_cancelled(err);
    if (shown < pace->total)
        (void)snprintf(what, sizeof what, "%zu of %zu names are", shown, pace->total);
    log_line(pace->opts->log, LOG_INFO, "%s shown after %" PRId64 " ms, settling for %" PRId64 " ms", what,
             pace_elapsed_ms(pace), pace->opts->settle_ms);
    while (true) {
        int64_t left_ms = end_ms - pace_elapsed_ms(pace);
        enum err_code code;

        if (left_ms <= 0)
            return ERR_OK;
        pace_tell(pace, shown, "");
        code = pace_sleep(pace, pace->opts->progress && left_ms > PROGRESS_MS ? PROGRESS_MS : left_ms, err);
        if (code != ERR_OK)
            return code;
    }
}

int64_t pace_interval_ms(int64_t elapsed_ms)
{
    int64_t quick_ms = elapsed_ms / 20;
    int64_t slow_ms = elapsed_ms / 150;
    int64_t ms = quick_ms > 300 ? 300 : quick_ms;

    ms = ms < 100 ? 100 : ms;
    ms = ms < slow_ms ? slow_ms : ms;
    return ms > 2000 ? 2000 : ms;
}
