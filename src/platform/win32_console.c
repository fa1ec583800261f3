/* SPDX-License-Identifier: MIT
 *
 * The console.
 *
 * It takes bytes in its code page, which is never UTF-8, and which belongs to everybody who uses the console: a program
 * that changes it and is killed leaves it changed.  And bytes come in pieces, in the middle of a letter perhaps.  So
 * what goes to a console is led through a pipe to a thread that writes it as UTF-16, letter by letter.  Standard output
 * and error share that pipe, so that their order stays.  What is no console gets its bytes as they are.
 */
#include "platform/platform.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/win32.h"
#include "util/text.h"

#define CHUNK 4096
#define LETTER_MAX 4  /* bytes of UTF-8 */
#define FLUSH_MS 5000 /* how long the console may take for the rest, at our end */
#define ANSWER_SIZE 64
#define NOTHING (-1) /* no descriptor */

enum { STREAM_IN, STREAM_OUT, STREAM_ERR, STREAMS };
static const DWORD stream_handles[STREAMS] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

/* The one that we have: there are no two, and the C library's streams, which it belongs to, are global, too. */
static struct console {
    bool is_started;
    bool is_console[STREAMS]; /* valid once started; after that descriptors lead elsewhere */
    bool has_escapes;         /* escape sequences are obeyed */
    bool is_mode_changed;
    DWORD mode_before;
    HANDLE screen;
    HANDLE from; /* the pipe's end that the thread reads */
    HANDLE thread;
} console;

/* ------------------------------------------------------------------ the thread */

/* How many of these bytes are whole letters?  What is no UTF-8 counts as whole. */
static size_t whole_letters(const char *bytes, size_t len)
{
    for (size_t back = 1; back < LETTER_MAX && back <= len; back++) {
        unsigned char c = (unsigned char)bytes[len - back];

        if (c >= 0xC0) { /* the first byte of a letter */
            size_t needed = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

            return needed > back ? len - back : len;
        }
        if (c < 0x80)
            break;
    }
    return len;
}

static void show(HANDLE screen, const char *bytes, size_t len)
{
    wchar_t wide[CHUNK];
    int count = len ? MultiByteToWideChar(CP_UTF8, 0, bytes, (int)len, wide, CHUNK) : 0;
    int done = 0;
    DWORD written;

    while (done < count && WriteConsoleW(screen, wide + done, (DWORD)(count - done), &written, NULL) && written > 0)
        done += (int)written;
}

static DWORD WINAPI show_all(void *argument)
{
    const struct console *c = argument;
    char bytes[CHUNK];
    size_t len = 0;
    DWORD got;

    while (ReadFile(c->from, bytes + len, (DWORD)(sizeof bytes - len), &got, NULL)) {
        size_t whole;

        len += got;
        whole = whole_letters(bytes, len);
        show(c->screen, bytes, whole);
        memmove(bytes, bytes + whole, len - whole);
        len -= whole;
    }
    show(c->screen, bytes, len);
    return 0;
}

/* ------------------------------------------------------------------ to the console and back */

static bool is_console(DWORD which)
{
    DWORD mode;

    return GetConsoleMode(GetStdHandle(which), &mode) != 0;
}

static void want_escapes(struct console *c)
{
    if (!GetConsoleMode(c->screen, &c->mode_before))
        return;
    if (c->mode_before & ENABLE_VIRTUAL_TERMINAL_PROCESSING)
        c->has_escapes = true;
    else
        c->has_escapes = c->is_mode_changed = SetConsoleMode(c->screen, c->mode_before | ENABLE_PROCESSED_OUTPUT |
                                                                            ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

/* Lead the streams that are consoles to `fd`. */
static bool lead_streams(const struct console *c, int fd)
{
    return (!c->is_console[STREAM_OUT] || _dup2(fd, _fileno(stdout)) == 0) &&
           (!c->is_console[STREAM_ERR] || _dup2(fd, _fileno(stderr)) == 0);
}

/* At the end of the process.  With its last writer gone the pipe ends, and with it the thread. */
static void finish(void)
{
    int nothing;

    (void)fflush(NULL);
    nothing = _wopen(L"NUL", _O_WRONLY | _O_BINARY);
    if (nothing != NOTHING && lead_streams(&console, nothing))
        (void)WaitForSingleObject(console.thread, FLUSH_MS);
    if (console.is_mode_changed)
        (void)SetConsoleMode(console.screen, console.mode_before);
}

static bool start_thread(struct console *c)
{
    HANDLE to = NULL;
    int fd;

    /* Ours: the C library closes the ones that it has. */
    if (!DuplicateHandle(GetCurrentProcess(),
                         GetStdHandle(stream_handles[c->is_console[STREAM_OUT] ? STREAM_OUT : STREAM_ERR]),
                         GetCurrentProcess(), &c->screen, 0, FALSE, DUPLICATE_SAME_ACCESS) ||
        !CreatePipe(&c->from, &to, NULL, 0))
        return false;
    want_escapes(c);
    fd = _open_osfhandle((intptr_t)to, _O_WRONLY | _O_BINARY);
    c->thread = fd == NOTHING ? NULL : CreateThread(NULL, 0, show_all, c, 0, NULL);
    if (!c->thread)
        return false;
    return lead_streams(c, fd) && _close(fd) == 0 && atexit(finish) == 0;
}

enum err_code win32_console_start(struct err *err)
{
    struct console *c = &console;

    for (int i = 0; i < STREAMS; i++)
        c->is_console[i] = is_console(stream_handles[i]);
    c->is_started = true;
    if (!c->is_console[STREAM_OUT] && !c->is_console[STREAM_ERR])
        return ERR_OK;
    if (!start_thread(c))
        return win32_err_plain(err, ERR_INTERNAL, GetLastError(), "write to the console");
    if (c->is_console[STREAM_OUT])
        (void)setvbuf(stdout, NULL, _IONBF, 0); /* the C library here does not know lines */
    return ERR_OK;
}

/* ------------------------------------------------------------------ what it is */

static bool is_terminal(int stream)
{
    return console.is_started ? console.is_console[stream] : is_console(stream_handles[stream]);
}

/* A task has a console, too, which the system makes for it and nobody sees. */
static bool is_somebody_there(void)
{
    return !win32_is_background() || platform_env("SSH_CONNECTION");
}

bool platform_stderr_is_terminal(void)
{
    return is_terminal(STREAM_ERR) && is_somebody_there();
}

/* For colours: a console that shows escape sequences, as those before Windows 10 do, counts as none. */
bool platform_stdout_is_terminal(void)
{
    return is_terminal(STREAM_OUT) && (!console.is_started || console.has_escapes);
}

bool platform_can_ask(void)
{
    return is_terminal(STREAM_IN) && is_terminal(STREAM_ERR) && is_somebody_there();
}

bool platform_ask(const char *question)
{
    char answer[ANSWER_SIZE];

    (void)fputs(question, stderr);
    (void)fflush(stderr);
    if (!fgets(answer, sizeof answer, stdin))
        return false;
    answer[strcspn(answer, "\r\n")] = '\0';
    return text_casecmp(answer, "y") == 0 || text_casecmp(answer, "yes") == 0;
}

bool win32_has_console(void)
{
    return GetConsoleCP() != 0;
}
