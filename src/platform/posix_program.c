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

#define LOOK_MS 200        /* how often we look whether the program ended or we are to stop */
#define FIRST_PAUSE_MS 1   /* when nothing can be read any more, the end is near */
#define DRAIN_MS 1000      /* for what children of an ended program write */
#define TERM_GRACE_MS 5000 /* from SIGTERM to SIGKILL */
#define KILL_GRACE_MS 5000 /* from SIGKILL to giving up: it hangs in the kernel, or belongs to another user by now */
#define LINE_MAX_BYTES 1024
#define CHUNK 16384

struct run {
    const struct platform_program *program;
    struct clock *clock;
    struct posix_child child;
    struct buf output;
    struct buf line;
    int64_t started_ms;
    int64_t ended_ms; /* valid once has_ended */
    int64_t kill_ms;  /* valid once is_stopping */
    int64_t pause_ms;
    enum err_code code; /* why it is stopped */
    bool has_ended;
    bool is_stopping;
    bool is_killed;
};

void platform_program_end_done(struct platform_program_end *end)
{
    if (end)
        buf_done(&end->output);
}

/* ------------------------------------------------------------------ output */

static void tell_line(struct run *r)
{
    if (r->program->line)
        r->program->line(r->program->ctx, buf_cstr(&r->line));
    buf_clear(&r->line);
}

/* What does not fit into a line is dropped, and so are NULs, which would hide the rest of it. */
static void take_lines(struct run *r, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n')
            tell_line(r);
        else if (data[i] != '\0' && data[i] != '\r')
            buf_putc(&r->line, data[i]);
    }
}

static void read_some(struct run *r)
{
    char chunk[CHUNK];
    size_t room = r->output.max - r->output.len;
    ssize_t got = read(r->child.output, chunk, sizeof chunk);

    if (got < 0 && errno == EINTR)
        return;
    if (got <= 0) {
        posix_close_auto(&r->child.output);
        return;
    }
    buf_append(&r->output, chunk, (size_t)got < room ? (size_t)got : room);
    take_lines(r, chunk, (size_t)got);
}

/* Real time, whatever the clock is: another process is waited for. */
static void listen_for_a_while(struct run *r)
{
    struct pollfd pipe = {.fd = r->child.output, .events = POLLIN};

    if (r->child.output < 0) {
        (void)poll(NULL, 0, (int)r->pause_ms);
        r->pause_ms = r->pause_ms * 2 < LOOK_MS ? r->pause_ms * 2 : LOOK_MS;
    } else if (poll(&pipe, 1, LOOK_MS) > 0) {
        read_some(r);
    }
}

/* ------------------------------------------------------------------ its end */

/* It stays unreaped. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return errno != EINTR;
    return info.si_pid == pid;
}

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

static void stop(struct run *r, enum err_code code, int64_t now_ms)
{
    r->is_stopping = true;
    r->code = code;
    r->kill_ms = now_ms + TERM_GRACE_MS;
    (void)kill(-r->child.pid, SIGTERM);
}

static void look_at_it(struct run *r, int64_t now_ms)
{
    if (!r->has_ended && has_ended(r->child.pid)) {
        r->has_ended = true;
        r->ended_ms = now_ms;
    }
    if (!r->has_ended && !r->is_stopping) {
        if (clock_is_cancelled(r->clock))
            stop(r, ERR_CANCELLED, now_ms);
        else if (now_ms - r->started_ms >= r->program->timeout_ms)
            stop(r, ERR_TIMEOUT, now_ms);
    }
    if (r->is_stopping && !r->is_killed && now_ms >= r->kill_ms) {
        r->is_killed = true;
        (void)kill(-r->child.pid, SIGKILL);
    }
}

/* Nothing more will come, or we do not wait for it. */
static bool is_over(const struct run *r, int64_t now_ms)
{
    if (r->is_killed)
        return r->has_ended || now_ms >= r->kill_ms + KILL_GRACE_MS;
    if (!r->has_ended)
        return false;
    return r->child.output < 0 || (!r->is_stopping && now_ms >= r->ended_ms + DRAIN_MS);
}

static void follow(struct run *r)
{
    for (;;) {
        int64_t now_ms = clock_mono_ms(r->clock);

        look_at_it(r, now_ms);
        if (is_over(r, now_ms))
            break;
        listen_for_a_while(r);
    }
    posix_close_auto(&r->child.output);
    if (r->line.len > 0)
        tell_line(r);
}

static void note_end(const struct run *r, struct platform_program_end *end)
{
    int status = 0;

    end->took_ms = clock_mono_ms(r->clock) - r->started_ms;
    if (!r->has_ended || !posix_reap(r->child.pid, &status))
        return;
    if (WIFEXITED(status))
        end->exit_status = WEXITSTATUS(status);
    else if (WIFSIGNALED(status))
        end->signal = WTERMSIG(status);
}

static enum err_code result_of(const struct run *r, struct err *err)
{
    const char *name = r->program->argv[0];

    if (r->code == ERR_CANCELLED)
        return err_set(err, ERR_CANCELLED, "stopped while \"%s\" was running", name);
    if (r->code == ERR_TIMEOUT) {
        (void)err_set(err, ERR_TIMEOUT, "\"%s\" did not end within %lld s, and was ended", name,
                      (long long)(r->program->timeout_ms + 999) / 1000);
        err_hint(err, "See what it waits for; it has no terminal and no standard input.");
        return ERR_TIMEOUT;
    }
    return ERR_OK;
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
    struct run r = {
        .program = program,
        .clock = clock,
        .child = {.output = -1},
        .output = BUF_INIT(program->max_output),
        .line = BUF_INIT(LINE_MAX_BYTES),
        .started_ms = clock_mono_ms(clock),
        .pause_ms = FIRST_PAUSE_MS,
    };
    struct sigaction before;
    bool is_changed = expect_children(&before);
    enum err_code rc = posix_program_start(program, &r.child, err);

    if (rc == ERR_OK) {
        follow(&r);
        note_end(&r, &end);
        rc = result_of(&r, err);
    }
    if (is_changed)
        (void)sigaction(SIGCHLD, &before, NULL);
    buf_done(&r.line);
    if (rc == ERR_NOT_FOUND)
        return rc;
    end.output = r.output;
    *out = end;
    return rc;
}
