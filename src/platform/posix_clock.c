/* SPDX-License-Identifier: MIT
 *
 * The machine's clock, and the signals that end its sleep.
 *
 * A signal that asks us to stop only sets a flag; the program then withdraws what it published and exits with
 * an error.  The handlers stay in place, so a second signal cannot cut that short, and no signal that can be
 * caught kills us: uacme gives up its whole run when a hook dies by one.
 *
 * Monotonic time is CLOCK_MONOTONIC, not CLOCK_BOOTTIME: a machine that was suspended did not poll meanwhile,
 * and a time limit that ran out in its sleep would fail a certificate that one more look would have got.
 */
#include "platform/platform.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "platform/posix.h"

/* A sleep is cut into pieces of this length, in case another thread (libcurl resolves names in one) took the
 * signal. */
#define SLEEP_PIECE_MS 500

/* SIGALRM is what `perl -e 'alarm 60; exec @ARGV'` kills with; SIGXCPU comes before SIGKILL when CPU time is
 * limited. */
static const struct {
    int number;
    const char *name;
} stop_signals[] = {
    {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGHUP, "SIGHUP"},
    {SIGQUIT, "SIGQUIT"}, {SIGALRM, "SIGALRM"}, {SIGXCPU, "SIGXCPU"},
};

/* Closed pipes and full files are reported by write(); the user signals mean nothing to us. */
static const int ignored_signals[] = {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2};

/* The globals that are written: the first signal that asked us to stop, and whether the program has begun to
 * clean up, because of it or of an error, after which no signal cuts its waits short. */
static volatile sig_atomic_t cancel_signal;
static volatile sig_atomic_t cancel_accepted;

static bool is_stop_wanted(void)
{
    return cancel_signal != 0 && cancel_accepted == 0;
}

static void note_signal(int number)
{
    if (!cancel_signal)
        cancel_signal = number;
}

static enum err_code set_action(int number, void (*handler)(int), struct err *err)
{
    /* SA_RESTART keeps EINTR out of the libraries; poll() and its kin end early all the same. */
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    (void)sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, NULL) != 0)
        return err_set_errno(err, ERR_INTERNAL, errno, "could not handle signal %d", number);
    return ERR_OK;
}

/* nohup and a shell's `&` hand their children ignored signals, and those stay so.  SIGTERM does not: nothing
 * ignores it on purpose for others, and it is how service managers stop us. */
static bool stays_ignored(int number)
{
    struct sigaction now;

    return number != SIGTERM && sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

enum err_code posix_signals_start(struct err *err)
{
    sigset_t ours;
    enum err_code rc = ERR_OK;

    (void)sigemptyset(&ours);
    for (size_t i = 0; i < ARRAY_LEN(stop_signals) && rc == ERR_OK; i++) {
        (void)sigaddset(&ours, stop_signals[i].number);
        if (!stays_ignored(stop_signals[i].number))
            rc = set_action(stop_signals[i].number, note_signal, err);
    }
    for (size_t i = 0; i < ARRAY_LEN(ignored_signals) && rc == ERR_OK; i++)
        rc = set_action(ignored_signals[i], SIG_IGN, err);
    /* A blocked signal is inherited too, and would make us deaf. */
    if (rc == ERR_OK && sigprocmask(SIG_UNBLOCK, &ours, NULL) != 0)
        rc = err_set_errno(err, ERR_INTERNAL, errno, "could not unblock signals");
    return rc;
}

const char *platform_cancel_reason(void)
{
    for (size_t i = 0; i < ARRAY_LEN(stop_signals); i++)
        if (cancel_signal == stop_signals[i].number)
            return stop_signals[i].name;
    return NULL;
}

static int64_t read_clock(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now); /* cannot fail for these two */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t machine_wall_ms(UNUSED struct clock *self)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t machine_mono_ms(UNUSED struct clock *self)
{
    return read_clock(CLOCK_MONOTONIC);
}

static bool machine_is_cancelled(UNUSED struct clock *self)
{
    return is_stop_wanted();
}

static void machine_accept_cancel(UNUSED struct clock *self)
{
    cancel_accepted = 1;
}

/* Wait for `ms`, or less when a signal comes.  Signals are let in only inside ppoll(), so that one that
 * arrives between the look at the flag and the wait is not missed. */
static void wait_piece(int64_t ms)
{
    struct timespec piece = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    sigset_t ours;
    sigset_t before;

    (void)sigemptyset(&ours);
    for (size_t i = 0; i < ARRAY_LEN(stop_signals); i++)
        (void)sigaddset(&ours, stop_signals[i].number);
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    if (!is_stop_wanted())
        (void)ppoll(NULL, 0, &piece, &before);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static bool machine_sleep_ms(struct clock *self, int64_t ms)
{
    int64_t end = machine_mono_ms(self) + ms;

    for (;;) {
        int64_t left = end - machine_mono_ms(self);

        if (is_stop_wanted())
            return false;
        if (left <= 0)
            return true;
        wait_piece(left < SLEEP_PIECE_MS ? left : SLEEP_PIECE_MS);
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
#if defined(__linux__)
    return "\"timedatectl set-ntp true\", or with chrony \"chronyc makestep\"; in a container at its host";
#elif defined(__APPLE__)
    return "\"sntp -sS time.apple.com\"";
#else
    return "start ntpd, openntpd or chronyd at boot";
#endif
}
