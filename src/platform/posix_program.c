/* SPDX-License-Identifier: MIT
 *
 * Running a program of the operator's to its end.
 *
 * What it writes is read until nobody has the pipe open any more; but a daemon that it leaves behind may have it open
 * for ever, so a second after the program's own end we stop listening.  An end that we bring about goes to its whole
 * process group.  Its process is reaped last of all: until then nobody else can have the number of the group.
 */
#include "platform/platform.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/posix.h"
#include "platform/program_watch.h"

#define FIRST_PAUSE_MS 1 /* when nothing can be read any more, the end is near */

struct run {
    struct program_watch watch;
    struct posix_child child;
    int64_t pause_ms;
};

/* ------------------------------------------------------------------ output */

static void tell(const struct platform_program *program, struct buf *line)
{
    if (program->line)
        program->line(program->ctx, buf_cstr(line));
}

static void read_some(struct run *r)
{
    char chunk[PROGRAM_CHUNK];
    ssize_t got = read(r->child.output, chunk, sizeof chunk);

    if (got < 0 && errno == EINTR)
        return;
    if (got <= 0)
        posix_close_auto(&r->child.output);
    else
        program_watch_take(&r->watch, chunk, (size_t)got);
}

/* Real time, whatever the clock is: another process is waited for. */
static void listen_for_a_while(struct run *r)
{
    struct pollfd pipe = {.fd = r->child.output, .events = POLLIN};

    if (r->child.output < 0) {
        (void)poll(NULL, 0, (int)r->pause_ms);
        r->pause_ms = r->pause_ms * 2 < PROGRAM_LOOK_MS ? r->pause_ms * 2 : PROGRAM_LOOK_MS;
    } else if (poll(&pipe, 1, PROGRAM_LOOK_MS) > 0) {
        read_some(r);
    }
}

/* ------------------------------------------------------------------ its end */

/* It stays unreaped. */
static bool has_ended(void *ctx)
{
    const struct posix_child *child = ctx;
    siginfo_t info = {.si_pid = 0};

    if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return errno != EINTR;
    return info.si_pid == child->pid;
}

static int64_t ask_to_end(void *ctx)
{
    const struct posix_child *child = ctx;

    (void)kill(-child->pid, SIGTERM);
    return PROGRAM_GRACE_MS;
}

static void kill_all(void *ctx)
{
    const struct posix_child *child = ctx;

    (void)kill(-child->pid, SIGKILL);
}

static const struct program_ways posix_ways = {
    .has_ended = has_ended,
    .ask_to_end = ask_to_end,
    .kill = kill_all,
    .tell = tell,
    .lacks = "no terminal and no standard input",
};

bool posix_reap(pid_t pid, int *out_status)
{
    int status = 0;
    pid_t got;

    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    if (got == pid && out_status)
        *out_status = status;
    return got == pid;
}

static void follow(struct run *r)
{
    for (;;) {
        int64_t now_ms = clock_mono_ms(r->watch.clock);

        program_watch_look(&r->watch, now_ms);
        if (program_watch_is_over(&r->watch, r->child.output < 0 ? PROGRAM_OUTPUT_CLOSED : PROGRAM_OUTPUT_OPEN, now_ms))
            break;
        listen_for_a_while(r);
    }
    posix_close_auto(&r->child.output);
    program_watch_end_line(&r->watch);
}

static void note_end(const struct run *r, struct platform_program_end *end)
{
    int status = 0;

    end->took_ms = clock_mono_ms(r->watch.clock) - r->watch.started_ms;
    if (!r->watch.has_ended || !posix_reap(r->child.pid, &status))
        return;
    if (WIFEXITED(status))
        end->exit_status = WEXITSTATUS(status);
    else if (WIFSIGNALED(status))
        end->signal = WTERMSIG(status);
}

/* ------------------------------------------------------------------ whole */

/* A parent that ignores SIGCHLD hands that down to us, and then no child can be waited for. */
static bool expect_children(struct sigaction *out_before)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    (void)sigemptyset(&action.sa_mask);
    return sigaction(SIGCHLD, &action, out_before) == 0;
}

enum err_code platform_program_run(const struct platform_program *program, struct clock *clock,
                                   struct platform_program_end *out, struct err *err)
{
    struct platform_program_end end = {.exit_status = -1};
    struct run r = {.child = {.output = -1}, .pause_ms = FIRST_PAUSE_MS};
    struct sigaction before;
    bool is_changed = expect_children(&before);
    enum err_code rc;

    program_watch_init(&r.watch, program, clock, &posix_ways, &r.child);
    rc = posix_program_start(program, &r.child, err);
    if (rc == ERR_OK) {
        follow(&r);
        note_end(&r, &end);
        rc = program_watch_result(&r.watch, err);
    }
    if (is_changed)
        (void)sigaction(SIGCHLD, &before, NULL);
    buf_done(&r.watch.line);
    if (rc == ERR_NOT_FOUND)
        return rc;
    end.output = r.watch.output;
    *out = end;
    return rc;
}
