/* SPDX-License-Identifier: MIT
 *
 * Logging.  Success is silent by default; `-v` shows one line a step, `-vv` what goes over the wire.  Lines go to a
 * stream, normally standard error, and to a file beside it, each of which takes what its level says.  The logger is
 * handed down in option structs; NULL is a logger that drops everything.  Never give it a secret, an HMAC or a key
 * authorization: there is no filter that could save you.
 *
 * As text a line of the stream is "acme-dme: [12.345] <message>", times being seconds since start, and one of the file
 *
 *   2026-11-23T20:00:00.123Z info [4711] 12.345 <message>
 *
 * with the time in UTC and the process id.  As JSON both are one object a line, with what the text says as fields:
 *
 *   {"time":"2026-11-23T20:00:00.123Z","level":"info","pid":4711,"elapsed_ms":12345,"message":"..."}
 */
#ifndef ACME_DME_UTIL_LOG_H
#define ACME_DME_UTIL_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/attrs.h"
#include "util/clock.h"
#include "util/err.h"

enum log_level {
    LOG_ERROR = 0,
    LOG_WARNING = 1, /* a failure we survive; the text ends in ", continuing" */
    LOG_INFO = 2,    /* -v */
    LOG_DEBUG = 3,   /* -vv */
};

enum log_format { LOG_TEXT, LOG_JSON };

/* A file that lines are appended to: platform_log_append() and what it works on. */
struct log_file {
    enum err_code (*append)(void *file, const char *line, size_t len, struct err *err); /* NULL: there is no file */
    void *file;                                                                         /* borrowed */
};

struct log {
    enum log_level level; /* of `out`: what is more detailed is dropped */
    FILE *out;            /* borrowed; normally stderr; NULL: none */
    struct clock *clock;  /* borrowed; NULL: no times in front of lines */
    int64_t start_ms;     /* monotonic time that lines count from */
    enum log_format format;
    struct log_file file;
    enum log_level file_level;
    long pid;
    void (*clear)(void *ctx); /* called before something goes to `out`, to take a live line away; may be NULL */
    void *clear_ctx;
    bool file_failed; /* that lines get lost was said */
    bool is_set_up;   /* for the owner's use: format, levels and file are what the operator wants */
};

/* What a line says beside its message, for JSON. */
struct log_field {
    const char *name;
    const char *text; /* escaped by us; NULL: the number counts */
    int64_t number;
};

/* Would a line of this level be written?  For callers whose arguments are expensive. */
bool log_wants(const struct log *log, enum log_level level);

/* One line; the text is escaped, so server text may be among the arguments. */
void log_line(struct log *log, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* One line with fields. */
void log_event(struct log *log, enum log_level level, const struct log_field *fields, size_t count, const char *fmt,
               ...) PRINTF_LIKE(5, 6);

/* The error that the program ends with, and its hint: a line each in text, one object in JSON. */
void log_final_error(struct log *log, const struct err *err, int exit_status);

#endif
