/* SPDX-License-Identifier: MIT
 *
 * Looking at processes: their parents, when they started, what they were started with.
 */
#include "platform/platform.h"

#include <string.h>

#include "platform/win32.h"
/* after <windows.h>, which it needs */
#include <tlhelp32.h>

/* Of NtQueryInformationProcess(): a UNICODE_STRING and its text; since Windows 8.1. */
#define PROCESS_COMMAND_LINE 60
/* A struct telemetry and more; since Windows 10. */
#define PROCESS_TELEMETRY 64
#define INFORMATION_SIZE 131072

struct unicode_string {
    USHORT bytes;
    USHORT size;
    wchar_t *text;
};

struct telemetry {
    ULONG size;
    ULONG pid;
    ULONG64 start_key;
    ULONG64 created;                    /* as of GetProcessTimes() */
    ULONG64 created_interrupt;          /* the same, since the system started */
    ULONG64 created_unbiased_interrupt; /* and without the time that it slept */
};

typedef LONG(NTAPI *query_function)(HANDLE process, int what, void *out, ULONG size, ULONG *out_size);

static query_function find_query(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    FARPROC found = ntdll ? GetProcAddress(ntdll, "NtQueryInformationProcess") : NULL;
    query_function query;

    memcpy(&query, &found, sizeof query);
    return query;
}

/* Yours; NULL: the system does not tell. */
static void *query(HANDLE process, int what)
{
    query_function function = find_query();
    void *out = mem_zalloc(INFORMATION_SIZE);
    ULONG size = 0;

    if (function && function(process, what, out, INFORMATION_SIZE, &size) == 0)
        return out;
    mem_free_auto(&out);
    return NULL;
}

static char *command_line_of(HANDLE process)
{
    struct unicode_string AUTO_FREE *line = query(process, PROCESS_COMMAND_LINE);
    wchar_t AUTO_WIDE *text = NULL;

    if (!line || !line->text)
        return NULL;
    text = mem_zalloc((size_t)line->bytes + sizeof *text);
    memcpy(text, line->text, line->bytes);
    return win32_utf8(text);
}

static HANDLE open_process(DWORD pid)
{
    return OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
}

/* 0: the system does not tell. */
static int64_t start_of(HANDLE process)
{
    FILETIME created;
    FILETIME other[3];

    return GetProcessTimes(process, &created, &other[0], &other[1], &other[2]) ? win32_ticks(&created) : 0;
}

/* ------------------------------------------------------------------ those above us */

void win32_processes_done(struct win32_processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        mem_free_auto(&processes->items[i].name);
        mem_free_auto(&processes->items[i].line);
    }
    mem_free_auto(&processes->items);
    processes->count = 0;
}

static void add(struct win32_processes *to, const PROCESSENTRY32W *entry)
{
    HANDLE AUTO_HANDLE process = open_process(entry->th32ProcessID);
    struct win32_process *p;

    to->items = mem_grow(to->items, to->count, sizeof *to->items);
    p = &to->items[to->count++];
    *p = (struct win32_process){
        .pid = entry->th32ProcessID, .parent = entry->th32ParentProcessID, .name = win32_utf8(entry->szExeFile)};
    if (process) {
        p->start = start_of(process);
        p->line = command_line_of(process);
    }
}

static bool has(const struct win32_processes *processes, DWORD pid)
{
    for (size_t i = 0; i < processes->count; i++)
        if (processes->items[i].pid == pid)
            return true;
    return false;
}

static bool add_by_id(HANDLE snapshot, DWORD pid, struct win32_processes *to)
{
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};

    for (BOOL more = Process32FirstW(snapshot, &entry); more; more = Process32NextW(snapshot, &entry)) {
        if (entry.th32ProcessID == pid) {
            add(to, &entry);
            return true;
        }
    }
    return false;
}

void win32_processes_above(struct win32_processes *out)
{
    HANDLE AUTO_HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    DWORD pid = GetCurrentProcessId();

    *out = (struct win32_processes){NULL, 0};
    if (snapshot == INVALID_HANDLE_VALUE)
        return;
    while (pid != 0 && !has(out, pid) && out->count < WIN32_ANCESTORS_MAX && add_by_id(snapshot, pid, out))
        pid = out->items[out->count - 1].parent;
}

/* ------------------------------------------------------------------ one of them */

int64_t win32_process_start(DWORD pid)
{
    HANDLE AUTO_HANDLE process = open_process(pid);

    return process ? start_of(process) : 0;
}

bool win32_process_is_alive(DWORD pid, int64_t start)
{
    HANDLE AUTO_HANDLE process = open_process(pid);
    int64_t now;

    if (!process) /* there is none, or it is none of ours */
        return GetLastError() == ERROR_ACCESS_DENIED;
    now = start_of(process);
    return WaitForSingleObject(process, 0) == WAIT_TIMEOUT && (start == 0 || now == 0 || now == start);
}

/* The wall clock that a process started at may have been set since.  What the other one says is believed only where the
 * rest of what comes with it is known to be right. */
int64_t win32_process_age_ms(DWORD pid, int64_t start)
{
    HANDLE AUTO_HANDLE process = open_process(pid);
    struct telemetry AUTO_FREE *t = process ? query(process, PROCESS_TELEMETRY) : NULL;
    ULONGLONG now = 0;

    if (!t || t->pid != pid || t->created != (ULONG64)start || !QueryUnbiasedInterruptTime(&now) ||
        now < t->created_unbiased_interrupt)
        return -1;
    return (int64_t)((now - t->created_unbiased_interrupt) / WIN32_TICKS_PER_MS);
}
