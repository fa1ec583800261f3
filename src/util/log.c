/* SPDX-License-Identifier: MIT */
#include "util/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "util/buf.h"
#include "util/text.h"

#define MESSAGE_MAX_BYTES 4096
#define FIELD_MAX_BYTES 2048
#define LINE_MAX_BYTES 65536

static const char *const level_names[] = {"error", "warning", "info", "debug"};

static bool stream_wants(const struct log *log, enum log_level level)
{
    return log->out && level <= log->level;
}

static bool file_wants(const struct log *log, enum log_level level)
{
    return log->file.append && level <= log->file_level;
}

bool log_wants(const struct log *log, enum log_level level)
{
    return log && (stream_wants(log, level) || file_wants(log, level));
}

/* ------------------------------------------------------------------ one line in each format */

struct line {
    enum log_level level;
    int64_t wall_ms;
    int64_t elapsed_ms;
    const char *message; /* escaped */
    const struct log_field *fields;
    size_t field_count;
};

static void put_seconds(struct buf *out, int64_t ms)
{
    buf_printf(out, "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000);
}

static void put_time(struct buf *out, int64_t wall_ms)
{
    char date[CLOCK_HTTP_DATE_MAX];
    int64_t ms = wall_ms % 1000;

    ms += ms < 0 ? 1000 : 0;
    clock_format_iso(date, (wall_ms - ms) / 1000);
    date[strlen(date) - 1] = '\0'; /* the Z */
    buf_printf(out, "%s.%03" PRId64 "Z", date, ms);
}

/* A text that text_escape_into() made: valid UTF-8 without control characters.  RFC 8259 section 7 wants no more. */
static void put_json_text(struct buf *out, const char *safe)
{
    buf_putc(out, '"');
    for (; *safe; safe++) {
        if (*safe == '"' || *safe == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *safe);
    }
    buf_putc(out, '"');
}

static void put_json_field(struct buf *out, const struct log_field *field)
{
    char safe[FIELD_MAX_BYTES];

    buf_printf(out, ",\"%s\":", field->name);
    if (!field->text) {
        buf_printf(out, "%" PRId64, field->number);
        return;
    }
    text_escape_into(safe, sizeof safe, field->text, strlen(field->text));
    put_json_text(out, safe);
}

static void put_json(struct buf *out, const struct log *log, const struct line *line)
{
    buf_putc(out, '{');
    if (log->clock) {
        buf_puts(out, "\"time\":\"");
        put_time(out, line->wall_ms);
        buf_puts(out, "\",");
    }
    buf_printf(out, "\"level\":\"%s\",\"pid\":%ld,\"elapsed_ms\":%" PRId64 ",\"message\":", level_names[line->level],
               log->pid, line->elapsed_ms);
    put_json_text(out, line->message);
    for (size_t i = 0; i < line->field_count; i++)
        put_json_field(out, &line->fields[i]);
    buf_puts(out, "}\n");
}

static void put_stream_text(struct buf *out, const struct log *log, const struct line *line)
{
    buf_puts(out, "acme-dme: ");
    if (log->clock && line->level >= LOG_INFO) {
        buf_putc(out, '[');
        put_seconds(out, line->elapsed_ms);
        buf_puts(out, "] ");
    }
    buf_printf(out, "%s%s\n", line->level == LOG_WARNING ? "warning: " : "", line->message);
}

static void put_file_text(struct buf *out, const struct log *log, const struct line *line)
{
    if (log->clock) {
        put_time(out, line->wall_ms);
        buf_putc(out, ' ');
    }
    buf_printf(out, "%s [%ld] ", level_names[line->level], log->pid);
    put_seconds(out, line->elapsed_ms);
    buf_printf(out, " %s\n", line->message);
}

/* ------------------------------------------------------------------ where lines go */

/* In one piece: what other processes write to the same place does not end up in the middle of it. */
static void write_stream(struct log *log, const char *text, size_t len)
{
    if (log->clear)
        log->clear(log->clear_ctx);
    (void)fwrite(text, 1, len, log->out);
    (void)fflush(log->out);
}

static void write_line_to_stream(struct log *log, const struct line *line)
{
    struct buf AUTO_BUF out = BUF_INIT(LINE_MAX_BYTES);

    if (log->format == LOG_JSON)
        put_json(&out, log, line);
    else
        put_stream_text(&out, log, line);
    write_stream(log, buf_cstr(&out), out.len);
}

/* A log is no reason to fail: once it is said that it can't be written, and every further line is tried, as somebody
 * may have made room. */
static void complain_of_file(struct log *log, const struct line *line, const struct err *err)
{
    char message[ERR_MSG_MAX + 64];
    struct line warning = *line;

    if (log->file_failed)
        return;
    log->file_failed = true;
    (void)snprintf(message, sizeof message, "%s, continuing without it", err->msg);
    warning.level = LOG_WARNING;
    warning.message = message;
    warning.field_count = 0;
    if (stream_wants(log, LOG_WARNING))
        write_line_to_stream(log, &warning);
}

static void write_line_to_file(struct log *log, const struct line *line)
{
    struct buf AUTO_BUF out = BUF_INIT(LINE_MAX_BYTES);
    struct err err;

    if (log->format == LOG_JSON)
        put_json(&out, log, line);
    else
        put_file_text(&out, log, line);
    if (log->file.append(log->file.file, buf_cstr(&out), out.len, &err) != ERR_OK)
        complain_of_file(log, line, &err);
}

static struct line line_make(const struct log *log, enum log_level level, const char *message)
{
    struct line line = {.level = level, .message = message};

    if (log->clock) {
        line.wall_ms = clock_wall_ms(log->clock);
        line.elapsed_ms = clock_mono_ms(log->clock) - log->start_ms;
    }
    return line;
}

static PRINTF_LIKE(5, 0) void write_line(struct log *log, enum log_level level, const struct log_field *fields,
                                         size_t count, const char *fmt, va_list args)
{
    char raw[MESSAGE_MAX_BYTES + 16]; /* longer than what fits, so that a cut shows */
    char safe[MESSAGE_MAX_BYTES] = "";
    struct line line = line_make(log, level, safe);
    int len = vsnprintf(raw, sizeof raw, fmt, args);

    line.fields = fields;
    line.field_count = count;
    text_escape_into(safe, sizeof safe, raw, len < 0 ? 0 : strlen(raw));
    if (stream_wants(log, level))
        write_line_to_stream(log, &line);
    if (file_wants(log, level))
        write_line_to_file(log, &line);
}

/* ------------------------------------------------------------------ lines */

void log_line(struct log *log, enum log_level level, const char *fmt, ...)
{
    va_list args;

    if (!log_wants(log, level))
        return;
    va_start(args, fmt);
    write_line(log, level, NULL, 0, fmt, args);
    va_end(args);
}

void log_event(struct log *log, enum log_level level, const struct log_field *fields, size_t count, const char *fmt,
               ...)
{
    va_list args;

    if (!log_wants(log, level))
        return;
    va_start(args, fmt);
    write_line(log, level, fields, count, fmt, args);
    va_end(args);
}

/* Text has the hint on a line of its own, with no more in front than people need: see acme-dme(1). */
static void error_to_stream_text(struct log *log, const struct err *err)
{
    struct buf AUTO_BUF out = BUF_INIT(LINE_MAX_BYTES);

    buf_printf(&out, "acme-dme: %s\n", err->msg);
    if (*err->hint)
        buf_printf(&out, "hint: %s\n", err->hint);
    write_stream(log, buf_cstr(&out), out.len);
}

static void error_to_file_text(struct log *log, const struct err *err, int exit_status)
{
    char message[ERR_MSG_MAX + 64] = "";
    struct line line = line_make(log, LOG_ERROR, message);

    (void)snprintf(message, sizeof message, "%s (exit status %d, %s)", err->msg, exit_status, err_name(err->code));
    write_line_to_file(log, &line);
    if (!*err->hint)
        return;
    (void)snprintf(message, sizeof message, "hint: %s", err->hint);
    write_line_to_file(log, &line);
}

void log_final_error(struct log *log, const struct err *err, int exit_status)
{
    const struct log_field fields[] = {
        {"code", err_name(err->code), 0},
        {"exit_status", NULL, exit_status},
        {"hint", err->hint, 0},
    };

    if (log->format == LOG_JSON) {
        log_event(log, LOG_ERROR, fields, *err->hint ? 3 : 2, "%s", err->msg);
        return;
    }
    if (stream_wants(log, LOG_ERROR))
        error_to_stream_text(log, err);
    if (file_wants(log, LOG_ERROR))
        error_to_file_text(log, err, exit_status);
}
