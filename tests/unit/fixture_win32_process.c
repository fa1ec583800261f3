/* SPDX-License-Identifier: MIT
 *
 * Streams, environment, time and processes of fixture.h.
 */
#include <winsock2.h>
/* before it */
#include <windows.h>

#include <process.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"
#include "util/mem.h"

/* ------------------------------------------------------------------ streams, environment, time */

/* A file that goes when it is closed ("D"), and is kept in memory as long as that will do ("T"). */
void fixture_stream_open(struct fixture_stream *stream)
{
    char AUTO_FREE *base = fixture_temporary();
    wchar_t AUTO_WIDE *wide_base = win32_wide(base);
    wchar_t name[MAX_PATH + 1];

    *stream = (struct fixture_stream){.out = NULL};
    assert_int_not_equal(GetTempFileNameW(wide_base, L"dme", 0, name), 0);
    stream->out = _wfopen(name, L"w+bTD");
    assert_non_null(stream->out);
}

const char *fixture_stream_text(struct fixture_stream *stream)
{
    long len;

    assert_int_equal(fflush(stream->out), 0);
    len = ftell(stream->out);
    assert_true(len >= 0);
    stream->len = (size_t)len;
    stream->text = mem_resize(stream->text, stream->len + 1, 1);
    rewind(stream->out);
    assert_int_equal(fread(stream->text, 1, stream->len, stream->out), stream->len);
    stream->text[stream->len] = '\0';
    assert_int_equal(fseek(stream->out, 0, SEEK_END), 0);
    return stream->text;
}

void fixture_stream_done(struct fixture_stream *stream)
{
    assert_int_equal(fclose(stream->out), 0);
    free(stream->text);
    *stream = (struct fixture_stream){.out = NULL};
}

struct tm *fixture_gmtime(const time_t *instant, struct tm *out)
{
    return _gmtime64_s(out, instant) == 0 ? out : NULL;
}

/* For those who ask the system, and for those who ask the C library. */
void fixture_setenv(const char *name, const char *value)
{
    wchar_t AUTO_WIDE *wide_name = win32_wide(name);
    wchar_t AUTO_WIDE *wide_value = value ? win32_wide(value) : NULL;
    char AUTO_FREE *both = mem_printf("%s=%s", name, value ? value : "");
    wchar_t AUTO_WIDE *wide_both = win32_wide(both);

    (void)_wputenv(wide_both);
    (void)SetEnvironmentVariableW(wide_name, wide_value);
}

char *fixture_program(UNUSED const char *argv0)
{
    wchar_t self[MAX_PATH + 1];
    char AUTO_FREE *native = NULL;

    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) > 0);
    native = win32_utf8(self);
    return platform_path_inside(native);
}

char **fixture_environ(void)
{
    return environ;
}

/* clock() is time of the wall here. */
int64_t fixture_processor_us(void)
{
    FILETIME created;
    FILETIME ended;
    FILETIME kernel;
    FILETIME user;

    assert_true(GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user));
    return ((((int64_t)kernel.dwHighDateTime + user.dwHighDateTime) << 32) + kernel.dwLowDateTime +
            user.dwLowDateTime) /
           10;
}

void fixture_sleep_us(int64_t us)
{
    LARGE_INTEGER per_second;
    LARGE_INTEGER start;
    LARGE_INTEGER now;

    (void)QueryPerformanceFrequency(&per_second);
    (void)QueryPerformanceCounter(&start);
    do {
        Sleep(0);
        (void)QueryPerformanceCounter(&now);
    } while ((now.QuadPart - start.QuadPart) * 1000000 / per_second.QuadPart < us);
}

/* ------------------------------------------------------------------ processes */

#define KILLED 1009

/* The same program once more: "<offset of the function>:<text>" in its environment tells it to be but that function. */
#define BODY_VARIABLE L"TEST_FIXTURE_BODY"

struct fixture_process {
    HANDLE process;
    HANDLE job;
    DWORD pid;
};

static char *module_base(void)
{
    return (char *)GetModuleHandleW(NULL);
}

/* Runs before main(). */
__attribute__((constructor)) static void be_the_body(void)
{
    static wchar_t wide[32767];
    char AUTO_FREE *text = NULL;
    char *rest;
    intptr_t offset;
    fixture_process_body *body;
    int result;

    if (GetEnvironmentVariableW(BODY_VARIABLE, wide, ARRAY_LEN(wide)) == 0)
        return;
    (void)SetEnvironmentVariableW(BODY_VARIABLE, NULL);
    text = win32_utf8(wide);
    offset = (intptr_t)strtoll(text, &rest, 16);
    *(void **)&body = module_base() + offset;
    result = body(rest + 1);
    (void)fflush(NULL);
    _exit(result);
}

void *fixture_shared_new(size_t size)
{
    return mem_calloc(size, 1);
}

void fixture_shared_free(void *memory, UNUSED size_t size)
{
    free(memory);
}

void fixture_die(void)
{
    (void)TerminateProcess(GetCurrentProcess(), KILLED);
    abort();
}

static HANDLE new_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    assert_non_null(job);
    assert_true(SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits));
    return job;
}

struct fixture_process *fixture_process_start(fixture_process_body *body, const char *text)
{
    struct fixture_process *process = mem_zalloc(sizeof *process);
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION started;
    wchar_t self[MAX_PATH + 1];
    void *address;
    char AUTO_FREE *value = NULL;
    wchar_t AUTO_WIDE *wide = NULL;

    *(fixture_process_body **)&address = body;
    value = mem_printf("%llx:%s", (unsigned long long)((char *)address - module_base()), text);
    wide = win32_wide(value);
    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) > 0);
    process->job = new_job();
    (void)fflush(NULL);
    assert_true(SetEnvironmentVariableW(BODY_VARIABLE, wide));
    assert_true(CreateProcessW(self, NULL, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &started));
    assert_true(SetEnvironmentVariableW(BODY_VARIABLE, NULL));
    assert_true(AssignProcessToJobObject(process->job, started.hProcess));
    assert_int_equal(ResumeThread(started.hThread), 1);
    (void)CloseHandle(started.hThread);
    process->process = started.hProcess;
    process->pid = started.dwProcessId;
    return process;
}

long fixture_process_id(const struct fixture_process *process)
{
    return (long)process->pid;
}

bool fixture_process_is_alive(struct fixture_process *process)
{
    return WaitForSingleObject(process->process, 0) == WAIT_TIMEOUT;
}

int fixture_process_end(struct fixture_process *process)
{
    DWORD code;

    assert_int_equal(WaitForSingleObject(process->process, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(process->process, &code));
    (void)CloseHandle(process->process);
    (void)CloseHandle(process->job);
    free(process);
    return (int)code;
}

void fixture_process_kill(struct fixture_process *process)
{
    assert_true(TerminateProcess(process->process, KILLED));
    assert_int_equal(fixture_process_end(process), KILLED);
}
