/* SPDX-License-Identifier: MIT
 *
 * How a program that was started is followed to its end, on every system: the lines it writes, its time limit, and in
 * which order it is made to end.  For posix_program.c and win32_program.c, which say what differs.
 */
#ifndef ACME_DME_PLATFORM_PROGRAM_WATCH_H
#define ACME_DME_PLATFORM_PROGRAM_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/platform.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/err.h"

#define PROGRAM_LOOK_MS 200   /* how often we look whether it ended or we are to stop */
#define PROGRAM_GRACE_MS 5000 /* from asking it to end to force */
#define PROGRAM_LINE_MAX 1024
#define PROGRAM_CHUNK 16384

/* What each system does in its own way.  `child` is that of the watch. */
struct program_ways {
    bool (*has_ended)(void *child);
    /* Ask it and all that it started to end; returns for how long that may take. */
    int64_t (*ask_to_end)(void *child);
    void (*kill)(void *child);
    /* Tell the operator's program->line of one line. */
    void (*tell)(const struct platform_program *program, struct buf *line);
    const char *lacks; /* what it has none of, as a part of a sentence */
};

struct program_watch {
    const struct platform_program *program;
    struct clock *clock;
    const struct program_ways *ways;
    void *child;
    struct buf output;
    struct buf line;
    int64_t started_ms;
    int64_t ended_ms;   /* valid once has_ended */
    int64_t kill_ms;    /* valid once is_stopping */
    enum err_code code; /* why it is stopped */
    bool has_ended;
    bool is_stopping;
    bool is_killed;
};

/* All are borrowed for as long as the watch is used.  The time limit begins. */
void program_watch_init(struct program_watch *watch, const struct platform_program *program, struct clock *clock,
                        const struct program_ways *ways, void *child);

/* What it wrote.  The last line need not have an end: program_watch_end_line(). */
void program_watch_take(struct program_watch *watch, const char *data, size_t len);
void program_watch_end_line(struct program_watch *watch);

/* See whether it has ended, and make it end when its time is over or we are to stop. */
void program_watch_look(struct program_watch *watch, int64_t now_ms);

/* Nothing more will come, or we do not wait for it. */
enum program_output { PROGRAM_OUTPUT_OPEN, PROGRAM_OUTPUT_CLOSED };
bool program_watch_is_over(const struct program_watch *watch, enum program_output output, int64_t now_ms);

/* Errors: ERR_CANCELLED, ERR_TIMEOUT. */
enum err_code program_watch_result(const struct program_watch *watch, struct err *err) MUST_USE;

#endif
