/* SPDX-License-Identifier: MIT
 *
 * Running a program of the operator's to its end.
 *
 * What it writes is read until nobody has the pipe open any more; but a process that it leaves behind may have it open
 * for ever, so a second after the program's own end we stop listening.  An end that we bring about goes to all that it
 * started.  What it left behind when it ended by itself is let live.
 */
#include "platform/platform.h"

#include <signal.h>
#include <string.h>

#include "platform/win32.h"
#include "util/text.h"

#define LOOK_MS 200         /* how often we look whether we are to stop */
#define DRAIN_MS 1000       /* for what children of an ended program write */
#define BREAK_GRACE_MS 5000 /* from Ctrl-Break to the end by force */
#define KILL_GRACE_MS 5000  /* from there to giving up: it hangs in a driver */
#define LINE_MAX_BYTES 1024
#define TEXT_MAX_FACTOR 3 /* of a byte in some code page */
#define CHUNK 16384
#define LETTER_MAX 4 /* bytes of UTF-8 */
#define KILLED_STATUS 1U

struct run {
    const struct platform_program *program;
    struct clock *clock;
    struct win32_child child;
    OVERLAPPED read; /* with an event */
    char chunk[CHUNK];
    struct buf output;
    struct buf line;
    int64_t started_ms;
    int64_t ended_ms;   /* valid once has_ended */
    int64_t kill_ms;    /* valid once is_stopping */
    enum err_code code; /* why it is stopped */
    bool is_reading;    /* the system has `read` and `chunk` */
    bool has_ended;
    bool is_stopping;
    bool is_killed;
};

void platform_program_end_done(struct platform_program_end *end)
{
    if (end)
        buf_done(&end->output);
}

/* ------------------------------------------------------------------ text */

/* Does it end where it did, or where we had no more room, in the middle of a letter perhaps? */
enum text_end { TEXT_WHOLE, TEXT_CUT };

static bool is_utf8(const char *text, size_t len, enum text_end end)
{
    if (text_is_utf8(text, len))
        return true;
    for (size_t cut = 1; end == TEXT_CUT && cut < LETTER_MAX && cut <= len; cut++)
        if ((unsigned char)text[len - cut] >= 0xC0)
            return text_is_utf8(text, len - cut);
    return false;
}

/* Programs write what they like: mostly UTF-8 or what consoles understand. */
static void put_text(struct buf *out, const char *text, size_t len, enum text_end end)
{
    UINT of_console = GetConsoleOutputCP(); /* 0: there is none */
    UINT code_page = of_console && of_console != CP_UTF8 ? of_console : CP_OEMCP;
    wchar_t AUTO_WIDE *wide = NULL;
    char AUTO_FREE *utf8 = NULL;
    int count;

    if (len == 0 || is_utf8(text, len, end)) {
        buf_append(out, text, len);
        return;
    }
    wide = mem_calloc(len + 1, sizeof *wide);
    count = MultiByteToWideChar(code_page, 0, text, (int)len, wide, (int)len);
    wide[count > 0 ? count : 0] = L'\0';
    utf8 = win32_utf8(wide);
    buf_puts(out, utf8);
}

/* Line by line: not all come from the same program. */
static struct buf text_of(const struct buf *bytes)
{
    struct buf out = BUF_INIT(bytes->max * TEXT_MAX_FACTOR);
    const char *at = buf_cstr(bytes);
    const char *end = at + bytes->len;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline ? newline + 1 : end;

        put_text(&out, at, (size_t)(next - at), newline ? TEXT_WHOLE : TEXT_CUT);
        at = next;
    }
    return out;
}

/* ------------------------------------------------------------------ output */

static void tell_line(struct run *r)
{
    struct buf AUTO_BUF text = BUF_INIT(LINE_MAX_BYTES * TEXT_MAX_FACTOR);

    put_text(&text, buf_cstr(&r->line), r->line.len, buf_ok(&r->line) ? TEXT_WHOLE : TEXT_CUT);
    if (r->program->line)
        r->program->line(r->program->ctx, buf_cstr(&text));
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

static void begin_reading(struct run *r)
{
    if (r->is_reading || !r->child.output)
        return;
    r->is_reading = ReadFile(r->child.output, r->chunk, sizeof r->chunk, NULL, &r->read) ||
                    GetLastError() == ERROR_IO_PENDING;
    if (!r->is_reading)
        win32_close_auto(&r->child.output);
}

static void take_what_came(struct run *r)
{
    size_t room = r->output.max - r->output.len;
    DWORD got = 0;

    if (!r->is_reading || WaitForSingleObject(r->read.hEvent, 0) != WAIT_OBJECT_0)
        return;
    r->is_reading = false;
    if (!GetOverlappedResult(r->child.output, &r->read, &got, FALSE)) {
        win32_close_auto(&r->child.output);
        return;
    }
    buf_append(&r->output, r->chunk, got < room ? got : room);
    take_lines(r, r->chunk, got);
}

/* Real time, whatever the clock is: another process is waited for. */
static void listen_for_a_while(struct run *r)
{
    HANDLE awaited[2];
    DWORD count = 0;

    begin_reading(r);
    if (r->is_reading)
        awaited[count++] = r->read.hEvent;
    if (!r->has_ended)
        awaited[count++] = r->child.process;
    if (count > 0)
        (void)WaitForMultipleObjects(count, awaited, FALSE, LOOK_MS);
    take_what_came(r);
}

static void stop_listening(struct run *r)
{
    DWORD got;

    if (r->is_reading) {
        (void)CancelIoEx(r->child.output, &r->read);
        (void)GetOverlappedResult(r->child.output, &r->read, &got, TRUE);
        r->is_reading = false;
    }
    win32_close_auto(&r->child.output);
    if (r->line.len > 0)
        tell_line(r);
}

/* ------------------------------------------------------------------ its end */

/* Without a console of ours it has one of its own, which we have to join for that. */
static bool send_break(DWORD pid)
{
    bool is_joined = !win32_has_console() && AttachConsole(pid);
    bool is_sent = GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, pid);

    if (is_joined)
        (void)FreeConsole();
    return is_sent;
}

/* Where nobody hears Ctrl-Break there is nothing to wait for. */
static void stop(struct run *r, enum err_code code, int64_t now_ms)
{
    r->is_stopping = true;
    r->code = code;
    r->kill_ms = now_ms + (send_break(r->child.pid) ? BREAK_GRACE_MS : 0);
}

static void look_at_it(struct run *r, int64_t now_ms)
{
    if (!r->has_ended && WaitForSingleObject(r->child.process, 0) != WAIT_TIMEOUT) {
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
        (void)TerminateJobObject(r->child.job, KILLED_STATUS);
    }
}

/* Nothing more will come, or we do not wait for it. */
static bool is_over(const struct run *r, int64_t now_ms)
{
    if (r->is_killed)
        return r->has_ended || now_ms >= r->kill_ms + KILL_GRACE_MS;
    if (!r->has_ended)
        return false;
    return !r->child.output || (!r->is_stopping && now_ms >= r->ended_ms + DRAIN_MS);
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
    stop_listening(r);
}

/* There are no signals here: an end by Ctrl-Break or by force is told as one. */
static void note_end(const struct run *r, struct platform_program_end *end)
{
    DWORD status = 0;

    end->took_ms = clock_mono_ms(r->clock) - r->started_ms;
    if (!r->has_ended || !GetExitCodeProcess(r->child.process, &status))
        return;
    if (r->is_stopping && (status == (DWORD)STATUS_CONTROL_C_EXIT || (r->is_killed && status == KILLED_STATUS)))
        end->signal = SIGTERM;
    else
        end->exit_status = (int)status;
}

static enum err_code result_of(const struct run *r, struct err *err)
{
    const char *name = r->program->argv[0];

    if (r->code == ERR_CANCELLED)
        return err_set(err, ERR_CANCELLED, "stopped while \"%s\" was running", name);
    if (r->code == ERR_TIMEOUT) {
        (void)err_set(err, ERR_TIMEOUT, "\"%s\" did not end within %lld s, and was ended", name,
                      (long long)(r->program->timeout_ms + 999) / 1000);
        err_hint(err, "See what it waits for; it has no standard input.");
        return ERR_TIMEOUT;
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ whole */

static void run_done(struct run *r)
{
    win32_close_auto(&r->child.output);
    win32_close_auto(&r->child.process);
    win32_close_auto(&r->child.job);
    win32_close_auto(&r->read.hEvent);
    buf_done(&r->output);
    buf_done(&r->line);
}

static enum err_code run_it(struct run *r, struct platform_program_end *end, struct err *err)
{
    enum err_code rc;

    r->read.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!r->read.hEvent)
        return win32_err_plain(err, ERR_IO, GetLastError(), "make an event");
    rc = win32_program_start(r->program, &r->child, err);
    if (rc != ERR_OK)
        return rc;
    follow(r);
    note_end(r, end);
    if (!r->is_stopping)
        (void)win32_job_keep(r->child.job, WIN32_JOB_OUTLIVES_US);
    return result_of(r, err);
}

enum err_code platform_program_run(const struct platform_program *program, struct clock *clock,
                                   struct platform_program_end *out, struct err *err)
{
    struct platform_program_end end = {.exit_status = -1};
    struct run AUTO(run_done) r = {
        .program = program,
        .clock = clock,
        .output = BUF_INIT(program->max_output),
        .line = BUF_INIT(LINE_MAX_BYTES),
        .started_ms = clock_mono_ms(clock),
    };
    enum err_code rc = run_it(&r, &end, err);

    if (rc == ERR_NOT_FOUND)
        return rc;
    end.output = text_of(&r.output);
    *out = end;
    return rc;
}
