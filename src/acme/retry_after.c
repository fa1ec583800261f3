/* SPDX-License-Identifier: MIT
 *
 * Retry-After, RFC 9110 section 10.2.3: seconds, or a date.  Servers set the latter by their own clock, so it is
 * measured from their Date where there is one.
 */
#include "acme/internal.h"
#include "util/parse.h"

int64_t acme_retry_after_ms(const struct http_response *response, int64_t now_ms)
{
    const char *after = http_response_header(response, "Retry-After");
    const char *date = http_response_header(response, "Date");
    int64_t then_s, now_s;
    int64_t pause_ms;
    uint64_t seconds;

    if (!after)
        return ACME_PAUSE_NONE;
    if (parse_uint(after, 0, UINT64_MAX, &seconds))
        return seconds > (uint64_t)ACME_PAUSE_MAX_MS / 1000 ? ACME_PAUSE_MAX_MS : (int64_t)seconds * 1000;
    if (!clock_parse_http_date(after, &then_s))
        return ACME_PAUSE_NONE;
    if (!date || !clock_parse_http_date(date, &now_s))
        now_s = now_ms / 1000;
    if (then_s <= now_s)
        return 0;
    pause_ms = then_s - now_s > ACME_PAUSE_MAX_MS / 1000 ? ACME_PAUSE_MAX_MS : (then_s - now_s) * 1000;
    return pause_ms;
}
