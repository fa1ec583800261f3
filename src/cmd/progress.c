/* SPDX-License-Identifier: MIT */
#include "cmd/progress.h"

#include <string.h>

#include "util/text.h"

#define COLUMNS 79

void progress_clear(struct progress *progress)
{
    if (progress->out && progress->shown) {
        (void)fprintf(progress->out, "\r%*s\r", progress->shown, "");
        (void)fflush(progress->out);
    }
    progress->shown = 0;
}

static void show_line(struct progress *progress, const char *whole)
{
    char line[COLUMNS + 1];
    int shown;

    text_escape_into(line, sizeof line, whole, strlen(whole));
    shown = (int)strlen(line);
    (void)fprintf(progress->out, "\r%s%*s", line, progress->shown > shown ? progress->shown - shown : 0, "");
    (void)fflush(progress->out);
    progress->shown = shown;
}

void progress_show(void *ctx, const struct propagation_progress *p)
{
    struct progress *progress = ctx;
    char whole[512];

    if (!progress->out)
        return;
    (void)snprintf(whole, sizeof whole, "%zu of %zu name%s everywhere, %lld s%s%s", p->records_done, p->records_total,
                   p->records_total == 1 ? "" : "s", (long long)(p->elapsed_ms / 1000),
                   *p->lagging ? ", waiting for " : ", settling", p->lagging);
    show_line(progress, whole);
}

void progress_step(void *ctx, const char *step, size_t done, size_t total)
{
    struct progress *progress = ctx;
    char whole[512];
    int64_t now_ms;

    if (!progress->out || !progress->clock)
        return;
    now_ms = clock_mono_ms(progress->clock);
    if (!progress->begin_ms)
        progress->begin_ms = now_ms;
    (void)snprintf(whole, sizeof whole, "%s %zu of %zu, %lld s", step, done, total,
                   (long long)((now_ms - progress->begin_ms) / 1000));
    show_line(progress, whole);
}

void progress_wait(void *ctx, const char *what, int64_t left_ms)
{
    struct progress *progress = ctx;
    char whole[512];

    if (!progress->out)
        return;
    (void)snprintf(whole, sizeof whole, "%s, %lld s", what, (long long)((left_ms + 999) / 1000));
    show_line(progress, whole);
}
