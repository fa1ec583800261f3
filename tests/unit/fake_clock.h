/* SPDX-License-Identifier: MIT
 *
 * A clock that a test moves: sleeping costs no time, and is written down.
 */
#ifndef ACME_DME_TESTS_UNIT_FAKE_CLOCK_H
#define ACME_DME_TESTS_UNIT_FAKE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/clock.h"

#define FAKE_CLOCK_START_S 1297544344 /* Sat, 12 Feb 2011 20:59:04 GMT, the date of the API's own example */

struct fake_clock {
    struct clock base; /* hand out &fake.base */
    int64_t wall_ms;
    int64_t mono_ms;
    bool cancelled;
    int64_t cancel_at_ms;  /* monotonic time at which the operator interrupts; 0: never; once, if it is accepted */
    size_t accepted;       /* times that a clean-up was begun */
    int64_t jump_ms;       /* somebody sets the wall clock by so much in the next sleep */
    int64_t *jumps_server; /* ... and what a fake server's is behind it follows, as that one is not touched; or NULL */
    int64_t sleeps[64];    /* what was asked of clock_sleep_ms(), in order; what does not fit is counted only */
    size_t sleep_count;
};

/* Wall clock at FAKE_CLOCK_START_S, monotonic clock at an odd number so that mixing them up shows. */
void fake_clock_init(struct fake_clock *clock);

/* Time passes, cancellation included. */
void fake_clock_advance(struct fake_clock *clock, int64_t ms);

/* Sum of all sleeps so far. */
int64_t fake_clock_slept_ms(const struct fake_clock *clock);

#endif
