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

#include "platform/program_watch.h"
#include "platform/win32.h"
#include "util/text.h"

#define TEXT_MAX_FACTOR 3 /* of a byte in some code page */
#define LETTER_MAX 4      /* bytes of UTF-8 */
#define KILLED_STATUS 1U

struct run {
    struct program_watch watch;
    struct win32_child child;
    OVERLAPPED read; /* with an event */
    char chunk[PROGRAM_CHUNK];
    bool is_reading; /* the system has `read` and `chunk` */
};

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

static void tell(const struct platform_program *program, struct buf *line)
{
    struct buf AUTO_BUF text = BUF_INIT(PROGRAM_LINE_MAX * TEXT_MAX_FACTOR);

    put_text(&text, buf_cstr(line), line->len, buf_ok(line) ? TEXT_WHOLE : TEXT_CUT);
    if (program->line)
        program->line(program->ctx, buf_cstr(&text));
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
    DWORD got = 0;

    if (!r->is_reading || WaitForSingleObject(r->read.hEvent, 0) != WAIT_OBJECT_0)
        return;
    r->is_reading = false;
    if (!GetOverlappedResult(r->child.output, &r->read, &got, FALSE)) {
        win32_close_auto(&r->child.output);
        return;
    }
    program_watch_take(&r->watch, r->chunk, got);
}

/* Real time, whatever the clock is: another process is waited for. */
static void listen_for_a_while(struct run *r)
{
    HANDLE awaited[2];
    DWORD count = 0;

    begin_reading(r);
    if (r->is_reading)
        awaited[count++] = r->read.hEvent;
    if (!r->watch.has_ended)
        awaited[count++] = r->child.process;
    if (count > 0)
        (void)WaitForMultipleObjects(count, awaited, FALSE, PROGRAM_LOOK_MS);
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
    program_watch_end_line(&r->watch);
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
static int64_t ask_to_end(void *ctx)
{
    const struct win32_child *child = ctx;

    return send_break(child->pid) ? PROGRAM_GRACE_MS : 0;
}

static bool has_ended(void *ctx)
{
    const struct win32_child *child = ctx;

    return WaitForSingleObject(child->process, 0) != WAIT_TIMEOUT;
}

static void kill_all(void *ctx)
{
    const struct win32_child *child = ctx;

    (void)TerminateJobObject(child->job, KILLED_STATUS);
}

static const struct program_ways win32_ways = {
    .has_ended = has_ended,
    .ask_to_end = ask_to_end,
    .kill = kill_all,
    .tell = tell,
    .lacks = "no standard input",
};

static void follow(struct run *r)
{
    for (;;) {
        int64_t now_ms = clock_mono_ms(r->watch.clock);

        program_watch_look(&r->watch, now_ms);
        if (program_watch_is_over(&r->watch, r->child.output ? PROGRAM_OUTPUT_OPEN : PROGRAM_OUTPUT_CLOSED, now_ms))
            break;
        listen_for_a_while(r);
    }
    stop_listening(r);
}

/* There are no signals here: an end by Ctrl-Break or by force is told as one. */
static void note_end(const struct run *r, struct platform_program_end *end)
{
    DWORD status = 0;

    end->took_ms = clock_mono_ms(r->watch.clock) - r->watch.started_ms;
    if (!r->watch.has_ended || !GetExitCodeProcess(r->child.process, &status))
        return;
    if (r->watch.is_stopping &&
        (status == (DWORD)STATUS_CONTROL_C_EXIT || (r->watch.is_killed && status == KILLED_STATUS)))
        end->signal = SIGTERM;
    else
        end->exit_status = (int)status;
}

/* ------------------------------------------------------------------ whole */

static void run_done(struct run *r)
{
    win32_close_auto(&r->child.output);
    win32_close_auto(&r->child.process);
    win32_close_auto(&r->child.job);
    win32_close_auto(&r->read.hEvent);
    buf_done(&r->watch.output);
    buf_done(&r->watch.line);
}

static enum err_code run_it(struct run *r, struct platform_program_end *end, struct err *err)
{
    enum err_code rc;

    r->read.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!r->read.hEvent)
        return win32_err_plain(err, ERR_IO, GetLastError(), "make an event");
    rc = win32_program_start(r->watch.program, &r->child, err);
    if (rc != ERR_OK)
        return rc;
    follow(r);
    note_end(r, end);
    if (!r->watch.is_stopping)
        (void)win32_job_keep(r->child.job, WIN32_JOB_OUTLIVES_US);
    return program_watch_result(&r->watch, err);
}

enum err_code platform_program_run(const struct platform_program *program, struct clock *clock,
                                   struct platform_program_end *out, struct err *err)
{
    struct platform_program_end end = {.exit_status = -1};
    struct run AUTO(run_done) r = {.is_reading = false};
    enum err_code rc;

    program_watch_init(&r.watch, program, clock, &win32_ways, &r.child);
    rc = run_it(&r, &end, err);
    if (rc == ERR_NOT_FOUND)
        return rc;
    end.output = text_of(&r.watch.output);
    *out = end;
    return rc;
}
