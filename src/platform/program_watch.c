/* SPDX-License-Identifier: MIT */
#include "platform/program_watch.h"

#define DRAIN_MS 1000      /* for what children of an ended program write */
#define KILL_GRACE_MS 5000 /* from force to giving up: it hangs in the kernel, or belongs to another user by now */

void platform_program_end_done(struct platform_program_end *end)
{
    if (end)
        buf_done(&end->output);
}

void program_watch_init(struct program_watch *watch, const struct platform_program *program, struct clock *clock,
                        const struct program_ways *ways, void *child)
{
    *watch = (struct program_watch){
        .program = program,
        .clock = clock,
        .ways = ways,
        .child = child,
        .output = BUF_INIT(program->max_output),
        .line = BUF_INIT(PROGRAM_LINE_MAX),
        .started_ms = clock_mono_ms(clock),
    };
}

/* ------------------------------------------------------------------ output */

static void tell_line(struct program_watch *watch)
{
    watch->ways->tell(watch->program, &watch->line);
    buf_clear(&watch->line);
}

/* What does not fit into a line is dropped, and so are NULs, which would hide the rest of it. */
void program_watch_take(struct program_watch *watch, const char *data, size_t len)
{
    size_t room = watch->output.max - watch->output.len;

    buf_append(&watch->output, data, len < room ? len : room);
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n')
            tell_line(watch);
        else if (data[i] != '\0' && data[i] != '\r')
            buf_putc(&watch->line, data[i]);
    }
}

void program_watch_end_line(struct program_watch *watch)
{
    if (watch->line.len > 0)
        tell_line(watch);
}

/* ------------------------------------------------------------------ its end */

static void stop(struct program_watch *watch, enum err_code code, int64_t now_ms)
{
    watch->is_stopping = true;
    watch->code = code;
    watch->kill_ms = now_ms + watch->ways->ask_to_end(watch->child);
}

void program_watch_look(struct program_watch *watch, int64_t now_ms)
{
    if (!watch->has_ended && watch->ways->has_ended(watch->child)) {
        watch->has_ended = true;
        watch->ended_ms = now_ms;
    }
    if (!watch->has_ended && !watch->is_stopping) {
        if (clock_is_cancelled(watch->clock))
            stop(watch, ERR_CANCELLED, now_ms);
        else if (now_ms - watch->started_ms >= watch->program->timeout_ms)
            stop(watch, ERR_TIMEOUT, now_ms);
    }
    if (watch->is_stopping && !watch->is_killed && now_ms >= watch->kill_ms) {
        watch->is_killed = true;
        watch->ways->kill(watch->child);
    }
}

bool program_watch_is_over(const struct program_watch *watch, enum program_output output, int64_t now_ms)
{
    if (watch->is_killed)
        return watch->has_ended || now_ms >= watch->kill_ms + KILL_GRACE_MS;
    if (!watch->has_ended)
        return false;
    return output == PROGRAM_OUTPUT_CLOSED || (!watch->is_stopping && now_ms >= watch->ended_ms + DRAIN_MS);
}

enum err_code program_watch_result(const struct program_watch *watch, struct err *err)
{
    const char *name = watch->program->argv[0];

    if (watch->code == ERR_CANCELLED)
        return err_set(err, ERR_CANCELLED, "stopped while \"%s\" was running", name);
    if (watch->code == ERR_TIMEOUT) {
        (void)err_set(err, ERR_TIMEOUT, "\"%s\" did not end within %lld s, and was ended", name,
                      (long long)(watch->program->timeout_ms + 999) / 1000);
        err_hint(err, "See what it waits for; it has %s.", watch->ways->lacks);
        return ERR_TIMEOUT;
    }
    return ERR_OK;
}
