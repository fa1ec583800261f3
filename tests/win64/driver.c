/* SPDX-License-Identifier: MIT
 *
 * driver.exe [--stdin-open] [--timeout SECONDS] [--directory DIR] EXE ARGUMENTS...
 *
 * Starts EXE as win-acme 2.x and simple-acme start a script that is neither .ps1 nor .sh.  Both do the same in their
 * ScriptClient.RunScript(), with .NET's Process below it:
 *
 *   - %VAR% in the path is expanded, nothing else is done to it; .NET puts it in quotes unless it has some;
 *   - the expanded template is one string, put behind the path as it is: the child's runtime takes it apart;
 *   - no shell, no window (CREATE_NO_WINDOW), the environment and the working directory of the client;
 *   - three pipes; standard input is closed right after the start (win-acme 2.0 left it open: --stdin-open);
 *   - both outputs are read to their ends, line by line, as UTF-8;
 *   - after Script.Timeout, 600 seconds, the process alone is killed, not its children.
 *
 * Each of ARGUMENTS is the whole argument string of one process, and all are started before one is waited for, as with
 * parallelism 1 and 3.  What is told of the n-th of them, when all have ended:
 *
 *   n stdout TEXT          n exit STATUS MILLISECONDS
 *   n stderr TEXT          n killed
 *   n open                 (the process has ended, and somebody else holds its pipes: the client would wait)
 *
 * The exit status is 0 when all have ended with 0, 1 when one has not, 2 when one could not be started.
 */
#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <windows.h>

#define DEFAULT_TIMEOUT_S 600
#define OUTPUT_GRACE_MS 5000
#define CHUNK 4096

/* What one of the child's outputs had to say; filled by a thread of its own. */
struct output {
    HANDLE pipe;
    HANDLE thread;
    char *data;
    size_t len;
};

struct child {
    HANDLE process;
    HANDLE input; /* our end of its standard input, with --stdin-open */
    struct output out, err;
    ULONGLONG started_ms, ended_ms;
    DWORD status;
    bool is_killed, is_open;
};

struct options {
    bool stdin_open;
    DWORD timeout_s;
    const wchar_t *directory;
};

static void die(const char *what)
{
    fprintf(stderr, "driver: %s: error %lu\n", what, GetLastError());
    exit(2);
}

static void *need(void *memory)
{
    if (!memory)
        die("out of memory");
    return memory;
}

/* ------------------------------------------------------------------ pipes */

/* As .NET does it: the child's end can be inherited, ours can't.  (.NET duplicates it for that, to the same effect.) */
static void make_pipe(HANDLE *read_end, HANDLE *write_end, HANDLE *ours)
{
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};

    if (!CreatePipe(read_end, write_end, &inheritable, 0) || !SetHandleInformation(*ours, HANDLE_FLAG_INHERIT, 0))
        die("no pipe");
}

static DWORD WINAPI read_output(void *ctx)
{
    struct output *output = ctx;
    DWORD got;

    do {
        output->data = need(realloc(output->data, output->len + CHUNK));
        if (!ReadFile(output->pipe, output->data + output->len, CHUNK, &got, NULL))
            got = 0;
        output->len += got;
    } while (got > 0);
    return 0;
}

static void listen_to(struct output *output)
{
    output->thread = CreateThread(NULL, 0, read_output, output, 0, NULL);
    if (!output->thread)
        die("no thread");
}

/* ------------------------------------------------------------------ one process */

/* ProcessStartInfo.FileName and Arguments as one command line. */
static wchar_t *command_line(const wchar_t *exe, const wchar_t *arguments)
{
    DWORD expanded_len = ExpandEnvironmentStringsW(exe, NULL, 0);
    wchar_t *expanded = need(calloc(expanded_len + 1, sizeof *expanded));
    size_t size = expanded_len + wcslen(arguments) + 4;
    wchar_t *line = need(calloc(size, sizeof *line));
    bool is_quoted;

    if (!ExpandEnvironmentStringsW(exe, expanded, expanded_len))
        die("could not expand the path");
    is_quoted = expanded[0] == L'"' && wcslen(expanded) > 1 && expanded[wcslen(expanded) - 1] == L'"';
    wcscpy(line, is_quoted ? L"" : L"\"");
    wcscat(line, expanded);
    wcscat(line, is_quoted ? L"" : L"\"");
    if (*arguments) {
        wcscat(line, L" ");
        wcscat(line, arguments);
    }
    free(expanded);
    return line;
}

static void start(struct child *child, const wchar_t *exe, const wchar_t *arguments, const struct options *options)
{
    STARTUPINFOW info = {.cb = sizeof info, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    wchar_t *line = command_line(exe, arguments);

    make_pipe(&info.hStdInput, &child->input, &child->input);
    make_pipe(&child->out.pipe, &info.hStdOutput, &child->out.pipe);
    make_pipe(&child->err.pipe, &info.hStdError, &child->err.pipe);
    child->started_ms = GetTickCount64();
    /* .NET gives no program, no environment and no attributes, and lets everything be inherited that can be. */
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, options->directory, &info, &process))
        die("could not start it");
    CloseHandle(process.hThread);
    CloseHandle(info.hStdInput);
    CloseHandle(info.hStdOutput);
    CloseHandle(info.hStdError);
    child->process = process.hProcess;
    listen_to(&child->out);
    listen_to(&child->err);
    if (!options->stdin_open)
        CloseHandle(child->input);
    free(line);
}

static void wait_for(struct child *child, DWORD timeout_s)
{
    ULONGLONG deadline = child->started_ms + timeout_s * 1000ULL;
    ULONGLONG now = GetTickCount64();
    HANDLE readers[] = {child->out.thread, child->err.thread};

    if (WaitForSingleObject(child->process, now < deadline ? (DWORD)(deadline - now) : 0) != WAIT_OBJECT_0) {
        child->is_killed = true;
        if (TerminateProcess(child->process, (UINT)-1))
            (void)WaitForSingleObject(child->process, INFINITE);
    }
    child->ended_ms = GetTickCount64();
    if (!GetExitCodeProcess(child->process, &child->status))
        die("no exit status");
    child->is_open = WaitForMultipleObjects(2, readers, TRUE, OUTPUT_GRACE_MS) == WAIT_TIMEOUT;
}

/* ------------------------------------------------------------------ report */

/* Bytes are passed on as they are, so that a test sees whether they are UTF-8. */
static void tell_lines(size_t n, const char *name, const struct output *output)
{
    const char *at = output->data;
    const char *end = at + output->len;

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);

        printf("%lu %s ", (unsigned long)n, name);
        fwrite(at, 1, len, stdout);
        putchar('\n');
        at += len + 1;
    }
}

static bool report(size_t n, const struct child *child)
{
    unsigned long number = (unsigned long)n;

    /* What another process still writes into is not looked at. */
    if (child->is_open) {
        printf("%lu open\n", number);
    } else {
        tell_lines(n, "stdout", &child->out);
        tell_lines(n, "stderr", &child->err);
    }
    if (child->is_killed)
        printf("%lu killed\n", number);
    else
        printf("%lu exit %lu %lu\n", number, child->status, (unsigned long)(child->ended_ms - child->started_ms));
    return !child->is_open && !child->is_killed && child->status == 0;
}

/* ------------------------------------------------------------------ command line */

static void usage(void)
{
    fputs("usage: driver [--stdin-open] [--timeout SECONDS] [--directory DIR] EXE ARGUMENTS...\n", stderr);
    exit(2);
}

/* How many arguments were options. */
static int read_options(int argc, wchar_t **argv, struct options *options)
{
    int i = 1;

    for (; i < argc && wcsncmp(argv[i], L"--", 2) == 0; i++) {
        if (wcscmp(argv[i], L"--stdin-open") == 0)
            options->stdin_open = true;
        else if (wcscmp(argv[i], L"--timeout") == 0 && i + 1 < argc)
            options->timeout_s = wcstoul(argv[++i], NULL, 10);
        else if (wcscmp(argv[i], L"--directory") == 0 && i + 1 < argc)
            options->directory = argv[++i];
        else
            usage();
    }
    return i - 1;
}

int wmain(int argc, wchar_t **argv); /* no header has it */

int wmain(int argc, wchar_t **argv)
{
    struct options options = {.timeout_s = DEFAULT_TIMEOUT_S};
    int first = read_options(argc, argv, &options) + 1;
    size_t count = argc > first + 1 ? (size_t)(argc - first - 1) : 0;
    struct child *children;
    bool all_well = true;

    if (!count)
        usage();
    _setmode(_fileno(stdout), _O_BINARY);
    children = need(calloc(count, sizeof *children));
    for (size_t i = 0; i < count; i++)
        start(&children[i], argv[first], argv[first + 1 + (int)i], &options);
    for (size_t i = 0; i < count; i++)
        wait_for(&children[i], options.timeout_s);
    for (size_t i = 0; i < count; i++)
        all_well = report(i, &children[i]) && all_well;
    fflush(stdout);
    return all_well ? 0 : 1;
}
