/* SPDX-License-Identifier: MIT
 *
 * The machine's clock, and what ends its sleep: an event that is set once somebody wants us to stop (win32_start.c has
 * the console's handler, which runs in a thread of its own).
 *
 * Monotonic time does not count while the machine sleeps, as on POSIX: it did not poll meanwhile, and a time limit that
 * ran out in its sleep would fail a certificate that one more look would have got.  The system's waits do the same.
 */
#include "platform/platform.h"

#include "platform/win32.h"

/* A sleep is cut into pieces of this length: what the system can wait for at once has an end. */
#define SLEEP_PIECE_MS 60000
#define UNIX_EPOCH_TICKS INT64_C(116444736000000000) /* since 1601-01-01 */

/* The globals that are written: an event, set once we are to stop; why; and whether the program has begun to clean up,
 * because of it or of an error, after which nothing cuts its waits short. */
static void *cancel_event;
static SRWLOCK cancel_lock = SRWLOCK_INIT;
static const char *cancel_reason;
static bool cancel_accepted;

/* ------------------------------------------------------------------ the wish to stop */

/* Made by whoever asks first, and kept to the end. */
HANDLE win32_cancel_event(void)
{
    HANDLE event = InterlockedCompareExchangePointer(&cancel_event, NULL, NULL);
    HANDLE others;

    if (event)
        return event;
    event = CreateEventW(NULL, TRUE, FALSE, NULL);
    others = InterlockedCompareExchangePointer(&cancel_event, event, NULL);
    if (!others)
        return event;
    if (event)
        (void)CloseHandle(event);
    return others;
}

/* The first reason stays. */
void win32_cancel(const char *reason)
{
    AcquireSRWLockExclusive(&cancel_lock);
    if (!cancel_reason)
        cancel_reason = reason;
    if (!cancel_accepted)
        (void)SetEvent(win32_cancel_event());
    ReleaseSRWLockExclusive(&cancel_lock);
}

const char *platform_cancel_reason(void)
{
    const char *reason;

    AcquireSRWLockShared(&cancel_lock);
    reason = cancel_reason;
    ReleaseSRWLockShared(&cancel_lock);
    return reason;
}

static bool machine_is_cancelled(UNUSED struct clock *self)
{
    return WaitForSingleObject(win32_cancel_event(), 0) == WAIT_OBJECT_0;
}

static void machine_accept_cancel(UNUSED struct clock *self)
{
    AcquireSRWLockExclusive(&cancel_lock);
    cancel_accepted = true;
    (void)ResetEvent(win32_cancel_event());
    ReleaseSRWLockExclusive(&cancel_lock);
}

/* ------------------------------------------------------------------ time */

static int64_t machine_wall_ms(UNUSED struct clock *self)
{
    FILETIME now;

    GetSystemTimePreciseAsFileTime(&now);
    return win32_unix_ms(&now);
}

int64_t win32_ticks(const FILETIME *time)
{
    return (int64_t)((uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime);
}

int64_t win32_unix_ms(const FILETIME *time)
{
    return (win32_ticks(time) - UNIX_EPOCH_TICKS) / WIN32_TICKS_PER_MS;
}

static int64_t machine_mono_ms(UNUSED struct clock *self)
{
    ULONGLONG ticks = 0;

    (void)QueryUnbiasedInterruptTime(&ticks); /* fails for NULL only */
    return (int64_t)(ticks / WIN32_TICKS_PER_MS);
}

static bool machine_sleep_ms(struct clock *self, int64_t ms)
{
    int64_t end = machine_mono_ms(self) + ms;

    for (;;) {
        int64_t left = end - machine_mono_ms(self);
        DWORD piece = left < SLEEP_PIECE_MS ? (DWORD)(left > 0 ? left : 0) : SLEEP_PIECE_MS;

        if (WaitForSingleObject(win32_cancel_event(), piece) == WAIT_OBJECT_0)
            return false;
        if (left <= 0)
            return true;
    }
}

struct clock *platform_clock(void)
{
    static struct clock machine_clock = {
        .wall_ms = machine_wall_ms,
        .mono_ms = machine_mono_ms,
        .sleep_ms = machine_sleep_ms,
        .is_cancelled = machine_is_cancelled,
        .accept_cancel = machine_accept_cancel,
    };

    return &machine_clock;
}

const char *platform_clock_advice(void)
{
    return "as administrator \"w32tm /resync\"; if its service does not run, first \"sc config w32time start= auto\" "
           "and "
           "\"net start w32time\"; in a virtual machine at its host, too";
}
