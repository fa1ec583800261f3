/* SPDX-License-Identifier: MIT */
#include "util/log.h"

#include <stdarg.h>
#include <string.h>

#include "util/text.h"

#define LINE_MAX_BYTES 4096

bool log_wants(const struct log *log, enum log_level level)
{
    return log && log->out && level <= log->level;
}

void log_line(struct log *log, enum log_level level, const char *fmt, ...)
{
    char raw[LINE_MAX_BYTES];
    char safe[LINE_MAX_BYTES];
    va_list args;
    int len;

    if (!log_wants(log, level))
        return;
    va_start(args, fmt);
    len = vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    text_escape_into(safe, sizeof safe, raw, len < 0 ? 0 : strlen(raw));
    if (log->clock && level >= LOG_INFO) {
        int64_t ms = clock_mono_ms(log->clock) - log->start_ms;
        (void)fprintf(log->out, "acme-dme: [%lld.%03lld] %s\n", (long long)(ms / 1000), (long long)(ms % 1000), safe);
    } else {
        (void)fprintf(log->out, "acme-dme: %s%s\n", level == LOG_WARNING ? "warning: " : "", safe);
    }
    (void)fflush(log->out);
}
