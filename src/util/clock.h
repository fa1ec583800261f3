/* SPDX-License-Identifier: MIT
 *
 * Time as an object.  Code that waits, stamps or signs takes a `struct clock *`; code that only decides takes an
 * instant.  The real one is platform_clock(); tests have one that runs as fast as they like.
 */
#ifndef ACME_DME_UTIL_CLOCK_H
#define ACME_DME_UTIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "util/attrs.h"

struct clock {
    /* Milliseconds since 1970-01-01T00:00:00Z, as this machine believes. */
    int64_t (*wall_ms)(struct clock *self);
    /* Milliseconds of a clock that never jumps; only differences mean something. */
    int64_t (*mono_ms)(struct clock *self);
    /* Sleep; false when the operator asked us to stop, which also ends the sleep early. */
    bool (*sleep_ms)(struct clock *self, int64_t ms);
    /* Has the operator asked us to stop (SIGINT, SIGTERM, Ctrl-C)? */
    bool (*is_cancelled)(struct clock *self);
    /* Cleaning up begins, because the operator asked us to stop or because of an error: from now on nobody has
     * asked, and a further signal does not cut the clean-up short.  May be NULL. */
    void (*accept_cancel)(struct clock *self);
};

static inline int64_t clock_wall_ms(struct clock *c)
{
    return c->wall_ms(c);
}

static inline int64_t clock_mono_ms(struct clock *c)
{
    return c->mono_ms(c);
}

static inline MUST_USE bool clock_sleep_ms(struct clock *c, int64_t ms)
{
    return c->sleep_ms(c, ms);
}

static inline bool clock_is_cancelled(struct clock *c)
{
    return c->is_cancelled(c);
}

static inline void clock_accept_cancel(struct clock *c)
{
    if (c->accept_cancel)
        c->accept_cancel(c);
}

/* Calendar, always English and always UTC: locale's strftime() would sign dates that the API can't read. */

#define CLOCK_HTTP_DATE_MAX 32
/* IMF-fixdate of RFC 9110 section 5.6.7, e.g. "Sat, 12 Feb 2011 20:59:04 GMT". */
void clock_format_http_date(char out[CLOCK_HTTP_DATE_MAX], int64_t unix_s);
/* Parse the same; false when it is anything else. */
bool clock_parse_http_date(const char *s, int64_t *out_unix_s);
/* RFC 3339 in all its forms: any offset, fractions of a second, which are cut to milliseconds, "t" and "z", a leap
 * second.  False when it is anything else. */
bool clock_parse_rfc3339(const char *s, int64_t *out_unix_ms);
/* "2011-02-12T20:59:04Z" */
void clock_format_iso(char out[CLOCK_HTTP_DATE_MAX], int64_t unix_s);

/* How much time, for people, without a sign: "412 s", "37706 s (10:28:26)", "86431 s (1 day 0:00:31)",
 * "946080000 s (30 years)". */
#define CLOCK_SPAN_MAX 64
void clock_format_span(char out[CLOCK_SPAN_MAX], int64_t ms);

#endif
