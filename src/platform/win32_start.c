/* SPDX-License-Identifier: MIT
 *
 * The state a process starts in: its arguments, its standard handles, what may stop it and what may not.
 */
#include "platform/platform.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>

#include "platform/win32.h"

#define STDERR_BUF_SIZE 4096
#define CRASH_MESSAGE_SIZE 96
#define SHOWN_MS 100

/* ------------------------------------------------------------------ arguments */

/* Of the C runtime, for those who bring a main() of their own; mingw-w64 has no header for it.  0, or an errno; what it
 * returns is its own, as long as the process is there. */
struct new_mode {
    int is_new_handler_called_by_malloc;
};
int __wgetmainargs(int *argc, wchar_t ***argv, wchar_t ***environment, int are_wildcards_replaced,
                   struct new_mode *mode);

/* What main() gets is in the ANSI code page, and an argument with "*" is replaced by the names of files.  The same with
 * CommandLineToArgvW() would bring two libraries of the desktop along.  Never freed: they are there as long as the
 * process. */
void platform_arguments(int *argc, char ***argv)
{
    struct new_mode mode = {0};
    wchar_t **environment;
    wchar_t **wide;
    char **list;
    int count = 0;

    if (__wgetmainargs(&count, &wide, &environment, 0, &mode) != 0)
        return;
    list = mem_calloc((size_t)count + 1, sizeof *list);
    for (int i = 0; i < count; i++)
        list[i] = win32_utf8(wide[i]);
    *argc = count;
    *argv = list;
}

/* <werapi.h> of mingw-w64 can't be compiled. */
#define WER_FAULT_REPORTING_FLAG_NOHEAP 0x01
#define WER_FAULT_REPORTING_NO_UI 0x20
HRESULT WINAPI WerSetFlags(DWORD flags);

/* ------------------------------------------------------------------ no dialogs, no dumps, no foreign code */

/* Where that is a console a thread of ours shows what comes (win32_console.c), and needs a moment for it. */
void win32_last_words(const char *text, DWORD len)
{
    DWORD written;

    (void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, len, &written, NULL);
    Sleep(SHOWN_MS);
}

/* The system would ask whether to send a report, with the memory of the process, which has secrets.  What is left to
 * say is said by system calls alone. */
static LONG WINAPI end_by_crash(EXCEPTION_POINTERS *crash)
{
    const EXCEPTION_RECORD *what = crash->ExceptionRecord;
    char message[CRASH_MESSAGE_SIZE];
    int len = snprintf(message, sizeof message, "acme-dme: ended by exception 0x%08lX at %p\r\n", what->ExceptionCode,
                       what->ExceptionAddress);

    if (len > 0 && (size_t)len < sizeof message)
        win32_last_words(message, (DWORD)len);
    (void)TerminateProcess(GetCurrentProcess(), what->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

static void forbid_dialogs_and_dumps(void)
{
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    (void)SetUnhandledExceptionFilter(end_by_crash);
    (void)WerSetFlags(WER_FAULT_REPORTING_FLAG_NOHEAP | WER_FAULT_REPORTING_NO_UI);
    (void)HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
}

/* Libraries that the system loads late come from the system's directory, not from ours, from where we were started or
 * from PATH, where others may have put theirs. */
static void trust_system_libraries_only(void)
{
    if (!SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32))
        (void)SetDllDirectoryW(L"");
}

/* What finds a library's function when it is first called (src/local.mk) notes it in a table that newer linkers have in
 * a section which can't be written to. */
static void make_imports_writable(void)
{
    char *image = (char *)GetModuleHandleW(NULL);
    const IMAGE_NT_HEADERS *headers = (const void *)(image + ((const IMAGE_DOS_HEADER *)(void *)image)->e_lfanew);
    const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(headers);
    DWORD before;

    for (WORD i = 0; i < headers->FileHeader.NumberOfSections; i++, section++)
        if (strncmp((const char *)section->Name, ".idata", IMAGE_SIZEOF_SHORT_NAME) == 0)
            (void)VirtualProtect(image + section->VirtualAddress, section->Misc.VirtualSize, PAGE_READWRITE, &before);
}

/* ------------------------------------------------------------------ standard handles */

static bool is_valid(DWORD which)
{
    HANDLE handle = GetStdHandle(which);
    DWORD flags;

    return handle && handle != INVALID_HANDLE_VALUE && GetHandleInformation(handle, &flags);
}

/* A stream without a handle has a descriptor that is none, and freopen() is not sure to mend that. */
static bool connect_with_nothing(FILE *stream, int fd, int flags)
{
    int nothing = _wopen(L"NUL", flags | _O_BINARY);

    if (nothing < 0 || (nothing != fd && (_dup2(nothing, fd) != 0 || _close(nothing) != 0)))
        return false;
    stream->_file = fd;
    return true;
}

/* A service or a scheduled task may have none; a number that means nothing would become that of the next file we open,
 * and a message to "stderr" be written into it.  And no program that we start gets them but on purpose. */
static enum err_code keep_stream(FILE *stream, int fd, DWORD which, int flags, struct err *err)
{
    if (!is_valid(which) || _fileno(stream) < 0 || _get_osfhandle(_fileno(stream)) < 0) {
        if (!connect_with_nothing(stream, fd, flags))
            return win32_err_plain(err, ERR_IO, GetLastError(), "open \"NUL\"");
        (void)SetStdHandle(which, (HANDLE)_get_osfhandle(fd));
    }
    (void)_setmode(_fileno(stream), _O_BINARY);
    (void)SetHandleInformation(GetStdHandle(which), HANDLE_FLAG_INHERIT, 0);
    return ERR_OK;
}

static enum err_code keep_streams(struct err *err)
{
    enum err_code rc = keep_stream(stdin, 0, STD_INPUT_HANDLE, _O_RDONLY, err);

    if (rc == ERR_OK)
        rc = keep_stream(stdout, 1, STD_OUTPUT_HANDLE, _O_WRONLY, err);
    if (rc == ERR_OK)
        rc = keep_stream(stderr, 2, STD_ERROR_HANDLE, _O_WRONLY, err);
    /* Unbuffered, each letter of a message is a system call, and messages of others come in between.  Whoever writes
     * there flushes. */
    (void)setvbuf(stderr, NULL, _IOFBF, STDERR_BUF_SIZE);
    return rc;
}

/* ------------------------------------------------------------------ the wish to stop */

static const char *reason_of(DWORD event)
{
    switch (event) {
    case CTRL_C_EVENT:
        return "Ctrl-C";
    case CTRL_BREAK_EVENT:
        return "Ctrl-Break";
    case CTRL_CLOSE_EVENT:
        return "the console was closed";
    case CTRL_LOGOFF_EVENT:
        return "logoff";
    default:
        return "shutdown";
    }
}

/* In a thread that the system makes for it.  After all but the keys the process is ended as soon as this returns, and a
 * few seconds later anyway: until then the program may clean up, and its own end ends this thread, too.  Of logoff and
 * shutdown the system tells services only, once a library that we need has loaded user32.dll; others are ended without
 * a word, and the journal has what there is to clean up.  Those that do not belong to a session of a user hear of the
 * logoff of anybody, which is nothing to them. */
static BOOL WINAPI note_event(DWORD event)
{
    if (event == CTRL_LOGOFF_EVENT && win32_is_background())
        return TRUE;
    win32_cancel(reason_of(event));
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        Sleep(INFINITE);
    return TRUE;
}

enum err_code platform_start(struct err *err)
{
    WSADATA network;
    enum err_code rc;
    int fault;

    make_imports_writable();
    forbid_dialogs_and_dumps();
    trust_system_libraries_only();
    rc = keep_streams(err);
    if (rc != ERR_OK)
        return rc;
    if (!win32_cancel_event() || !SetConsoleCtrlHandler(note_event, TRUE))
        return win32_err_plain(err, ERR_INTERNAL, GetLastError(), "listen for the console's events");
    fault = WSAStartup(MAKEWORD(2, 2), &network);
    if (fault != 0)
        return win32_err_plain(err, ERR_INTERNAL, (DWORD)fault, "start the network");
    return win32_console_start(err);
}
