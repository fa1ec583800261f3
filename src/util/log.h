/* SPDX-License-Identifier: MIT
 *
 * Logging.  Success is silent by default; `-v` shows one line a step, `-vv` what goes over the wire.  The logger is
 * handed down in option structs; NULL is a logger that drops everything.  Never give it a secret, an HMAC or a key
 * authorization: there is no filter that could save you.
 */
#ifndef ACME_DME_UTIL_LOG_H
#define ACME_DME_UTIL_LOG_H

#include <stdio.h>

#include "util/attrs.h"
#include "util/clock.h"

enum log_level {
    LOG_ERROR = 0,
    LOG_WARNING = 1, /* a failure we survive; the text ends in ", continuing" */
    LOG_INFO = 2,    /* -v */
    LOG_DEBUG = 3,   /* -vv */
};

struct log {
    enum log_level level; /* what is more detailed is dropped */
    FILE *out;            /* borrowed; normally stderr */
    struct clock *clock;  /* borrowed; NULL: no times in front of lines */
    int64_t start_ms;     /* monotonic time that lines count from */
};

/* Would a line of this level be written?  For callers whose arguments are expensive. */
bool log_wants(const struct log *log, enum log_level level);

/* One line; the text is escaped, so server text may be among the arguments. */
void log_line(struct log *log, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
