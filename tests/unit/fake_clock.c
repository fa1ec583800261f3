/* SPDX-License-Identifier: MIT */
#include "fake_clock.h"

#include "util/attrs.h"

static int64_t fake_wall_ms(struct clock *self)
{
    return ((struct fake_clock *)self)->wall_ms;
}

static int64_t fake_mono_ms(struct clock *self)
{
    return ((struct fake_clock *)self)->mono_ms;
}

static bool fake_is_cancelled(struct clock *self)
{
    return ((struct fake_clock *)self)->cancelled;
}

static bool fake_sleep_ms(struct clock *self, int64_t ms)
{
    struct fake_clock *clock = (struct fake_clock *)self;

    if (clock->sleep_count < ARRAY_LEN(clock->sleeps))
        clock->sleeps[clock->sleep_count] = ms;
    clock->sleep_count++;
    if (clock->cancelled)
        return false;
    if (clock->cancel_at_ms && clock->mono_ms + ms > clock->cancel_at_ms)
        ms = clock->cancel_at_ms > clock->mono_ms ? clock->cancel_at_ms - clock->mono_ms : 0;
    fake_clock_advance(clock, ms);
    clock->wall_ms += clock->jump_ms;
    if (clock->jumps_server)
        *clock->jumps_server += clock->jump_ms;
    clock->jump_ms = 0;
    return !clock->cancelled;
}

static void fake_accept_cancel(struct clock *self)
{
    struct fake_clock *clock = (struct fake_clock *)self;

    clock->cancelled = false;
    clock->cancel_at_ms = 0;
    clock->accepted++;
}

void fake_clock_init(struct fake_clock *clock)
{
    *clock = (struct fake_clock){
        .base = {fake_wall_ms, fake_mono_ms, fake_sleep_ms, fake_is_cancelled, fake_accept_cancel},
        .wall_ms = FAKE_CLOCK_START_S * INT64_C(1000),
        .mono_ms = 7777777,
    };
}

void fake_clock_advance(struct fake_clock *clock, int64_t ms)
{
    clock->wall_ms += ms;
    clock->mono_ms += ms;
    if (clock->cancel_at_ms && clock->mono_ms >= clock->cancel_at_ms)
        clock->cancelled = true;
}

int64_t fake_clock_slept_ms(const struct fake_clock *clock)
{
    int64_t sum = 0;

    for (size_t i = 0; i < clock->sleep_count && i < ARRAY_LEN(clock->sleeps); i++)
        sum += clock->sleeps[i];
    return sum;
}
