/* SPDX-License-Identifier: MIT
 *
 * A call of a function of the system goes through a pointer, which is in the import library unless somebody else has
 * it: here it is.
 */
#include "win32_faults.h"

#include <winsock2.h>
/* before it, as it would bring winsock 1 otherwise */
#include <windows.h>

#include <sddl.h>
#include <stdio.h>

static unsigned long always[FAULT_CALLS];
static unsigned changes;
static unsigned faulty;
static unsigned long faulty_error;
static char access_text[512];
static bool moved_durably;
static unsigned long long locked_byte;

void faults_fail(enum fault_call call, unsigned long error)
{
    always[call] = error;
}

void faults_at(unsigned nth, unsigned long error)
{
    changes = 0;
    faulty = nth;
    faulty_error = error;
}

unsigned faults_changes(void)
{
    return changes;
}

const char *faults_access(void)
{
    return access_text;
}

bool faults_moved_durably(void)
{
    return moved_durably;
}

unsigned long long faults_locked_byte(void)
{
    return locked_byte;
}

static void note_access(const SECURITY_ATTRIBUTES *security)
{
    wchar_t *text = NULL;

    access_text[0] = '\0';
    if (security && security->lpSecurityDescriptor &&
        ConvertSecurityDescriptorToStringSecurityDescriptorW(security->lpSecurityDescriptor, SDDL_REVISION_1,
                                                             DACL_SECURITY_INFORMATION, &text, NULL)) {
        (void)snprintf(access_text, sizeof access_text, "%ls", text);
        (void)LocalFree(text);
    }
}

/* Is this call to be made? */
static bool may(enum fault_call call)
{
    unsigned long error = always[call];

    if (call != FAULT_LOCK && ++changes == faulty) {
        if (!faulty_error)
            (void)TerminateProcess(GetCurrentProcess(), 9);
        error = faulty_error;
    }
    if (error)
        SetLastError(error);
    return !error;
}

#define SYSTEM(name) ((__typeof__(&name))(void *)GetProcAddress(GetModuleHandleW(L"kernel32.dll"), #name))

static HANDLE WINAPI create_file(LPCWSTR path, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security,
                                 DWORD disposition, DWORD flags, HANDLE like)
{
    if (disposition != OPEN_EXISTING && !may(FAULT_MAKE_FILE))
        return INVALID_HANDLE_VALUE;
    if (disposition != OPEN_EXISTING)
        note_access(security);
    return SYSTEM(CreateFileW)(path, access, share, security, disposition, flags, like);
}

static BOOL WINAPI create_directory(LPCWSTR path, LPSECURITY_ATTRIBUTES security)
{
    note_access(security);
    return may(FAULT_MAKE_DIRECTORY) && SYSTEM(CreateDirectoryW)(path, security);
}

static BOOL WINAPI write_file(HANDLE handle, LPCVOID data, DWORD len, LPDWORD put, LPOVERLAPPED at)
{
    return may(FAULT_WRITE) && SYSTEM(WriteFile)(handle, data, len, put, at);
}

static BOOL WINAPI flush_file_buffers(HANDLE handle)
{
    return may(FAULT_FLUSH) && SYSTEM(FlushFileBuffers)(handle);
}

static BOOL WINAPI create_hard_link(LPCWSTR path, LPCWSTR file, LPSECURITY_ATTRIBUTES security)
{
    return may(FAULT_LINK) && SYSTEM(CreateHardLinkW)(path, file, security);
}

static BOOL WINAPI move_file(LPCWSTR from, LPCWSTR to, DWORD flags)
{
    moved_durably = (flags & MOVEFILE_WRITE_THROUGH) != 0;
    return may(FAULT_MOVE) && SYSTEM(MoveFileExW)(from, to, flags);
}

static BOOL WINAPI delete_file(LPCWSTR path)
{
    return may(FAULT_DELETE) && SYSTEM(DeleteFileW)(path);
}

static BOOL WINAPI remove_directory(LPCWSTR path)
{
    return may(FAULT_REMOVE_DIRECTORY) && SYSTEM(RemoveDirectoryW)(path);
}

static BOOL WINAPI lock_file(HANDLE handle, DWORD flags, DWORD reserved, DWORD low, DWORD high, LPOVERLAPPED at)
{
    locked_byte = ((unsigned long long)at->OffsetHigh << 32) | at->Offset;
    return may(FAULT_LOCK) && SYSTEM(LockFileEx)(handle, flags, reserved, low, high, at);
}

/* What the headers let the compiler call through. */
extern void *const __imp_CreateFileW;
extern void *const __imp_CreateDirectoryW;
extern void *const __imp_WriteFile;
extern void *const __imp_FlushFileBuffers;
extern void *const __imp_CreateHardLinkW;
extern void *const __imp_MoveFileExW;
extern void *const __imp_DeleteFileW;
extern void *const __imp_RemoveDirectoryW;
extern void *const __imp_LockFileEx;
void *const __imp_CreateFileW = (void *)create_file;
void *const __imp_CreateDirectoryW = (void *)create_directory;
void *const __imp_WriteFile = (void *)write_file;
void *const __imp_FlushFileBuffers = (void *)flush_file_buffers;
void *const __imp_CreateHardLinkW = (void *)create_hard_link;
void *const __imp_MoveFileExW = (void *)move_file;
void *const __imp_DeleteFileW = (void *)delete_file;
void *const __imp_RemoveDirectoryW = (void *)remove_directory;
void *const __imp_LockFileEx = (void *)lock_file;
