/* SPDX-License-Identifier: MIT */
#include "dme/retry.h"

#define TRANSIENT_FIRST_MS 300
#define TRANSIENT_LONGEST_MS 10000
#define TRANSIENT_ATTEMPTS 8
#define GARBLED_ATTEMPTS 3
#define ATTEMPT_SHORTEST_MS 1000

/* `first` doubled `steps` times, at most `longest`. */
static int64_t doubled(int64_t first, unsigned steps, int64_t longest)
{
    int64_t ms = first;

    while (steps-- > 0 && ms < longest)
        ms *= 2;
    return ms < longest ? ms : longest;
}

/* A quarter more or less, so that processes that were started together do not come back together.  Nothing
 * depends on its being unpredictable. */
static int64_t with_jitter(struct dme_retry *retry, int64_t ms)
{
    retry->seed = retry->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ms - ms / 4 + (int64_t)(retry->seed >> 33) % (ms / 2 + 1);
}

int64_t dme_retry_deadline_ms(const struct dme_retry *retry)
{
    return retry->is_limited ? retry->budget_deadline_ms : retry->deadline_ms;
}

bool dme_retry_next(struct dme_retry *retry, enum dme_verdict verdict, int64_t now_ms, int64_t *out_pause_ms)
{
    int64_t pause_ms = 0;

    retry->is_limited = verdict == DME_LIMITED;
    switch (verdict) {
    case DME_FINAL:
        return false;
    case DME_RESIGN:
        if (retry->resigned)
            return false;
        retry->resigned = true;
        break;
    case DME_GARBLED:
        if (++retry->garbled >= GARBLED_ATTEMPTS)
            return false;
        pause_ms = with_jitter(retry, doubled(TRANSIENT_FIRST_MS, retry->garbled - 1, TRANSIENT_LONGEST_MS));
        break;
    case DME_TRANSIENT:
        if (++retry->transient >= TRANSIENT_ATTEMPTS)
            return false;
        pause_ms = with_jitter(retry, doubled(TRANSIENT_FIRST_MS, retry->transient - 1, TRANSIENT_LONGEST_MS));
        break;
    case DME_LIMITED:
        retry->limited++;
        break;
    }
    if (verdict != DME_RESIGN && pause_ms < retry->asked_ms)
        pause_ms = retry->asked_ms;
    if (now_ms + pause_ms > dme_retry_deadline_ms(retry))
        return false;
    *out_pause_ms = pause_ms;
    return true;
}

int64_t dme_retry_timeout_ms(const struct dme_retry *retry, int64_t request_timeout_ms, int64_t now_ms)
{
    int64_t left_ms = retry->deadline_ms - now_ms;

    if (left_ms < ATTEMPT_SHORTEST_MS)
        left_ms = ATTEMPT_SHORTEST_MS;
    return left_ms < request_timeout_ms ? left_ms : request_timeout_ms;
}
