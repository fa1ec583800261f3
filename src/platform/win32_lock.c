/* SPDX-License-Identifier: MIT
 *
 * Locks between processes: a byte of the lock file, which ends with the process however it dies, and works on shares of
 * other machines, too.
 *
 * Locks keep others from reading and writing what they cover; so the byte is far behind the end of the file, which
 * holds the process id of the last holder, for the message to those who waited in vain.  The file is never removed:
 * whoever waits for it would end up holding the lock of a file that nobody else can find.
 */
#include "platform/win32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/parse.h"

#define LOCKED_BYTE 0x40000000UL
#define TEXT_MAX 24

#define FIRST_PAUSE_MS 10
#define LAST_PAUSE_MS 250

struct platform_lock {
    HANDLE handle;
};

/* A lock file that is being waited for; INVALID_HANDLE_VALUE: it could not be opened yet. */
struct waiting {
    const char *path;
    wchar_t *wide;
    HANDLE handle;
    struct win32_security security;
};

static void waiting_done(struct waiting *w)
{
    win32_close_auto(&w->handle);
    win32_security_done(&w->security);
    free(w->wide);
}

enum attempt { TAKEN, HELD, FAILED };

static enum err_code no_locks_here(const char *path, DWORD error, struct err *err)
{
    char AUTO_FREE *what = mem_printf("lock \"%s\": the file system does not support locks", path);

    (void)win32_err_plain(err, ERR_LOCK, error, what);
    err_hint(err, "Set \"state_dir\" to a directory on a local disk.");
    return ERR_LOCK;
}

/* Not through a link to a file elsewhere, which we would write to. */
static enum attempt try_open(struct waiting *w, struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;

    w->handle = CreateFileW(w->wide, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                            &w->security.attributes, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT,
                            NULL);
    if (w->handle == INVALID_HANDLE_VALUE && GetLastError() == ERROR_SHARING_VIOLATION)
        return HELD; /* for a moment: a backup, a virus scanner */
    if (w->handle == INVALID_HANDLE_VALUE || !GetFileInformationByHandle(w->handle, &info)) {
        (void)win32_err(err, ERR_IO, GetLastError(), "open the lock file", w->path);
        return FAILED;
    }
    if (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) {
        (void)err_set(err, ERR_IO, "could not open the lock file \"%s\": it is a symbolic link", w->path);
        return FAILED;
    }
    return TAKEN;
}

static enum attempt try_lock(struct waiting *w, struct err *err)
{
    OVERLAPPED at = {.Offset = LOCKED_BYTE};

    if (LockFileEx(w->handle, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at))
        return TAKEN;
    if (GetLastError() == ERROR_LOCK_VIOLATION || GetLastError() == ERROR_IO_PENDING)
        return HELD;
    (void)no_locks_here(w->path, GetLastError(), err);
    return FAILED;
}

static enum attempt try_once(struct waiting *w, struct err *err)
{
    enum attempt opened = w->handle == INVALID_HANDLE_VALUE ? try_open(w, err) : TAKEN;

    return opened == TAKEN ? try_lock(w, err) : opened;
}

static void note_holder(HANDLE handle)
{
    char text[TEXT_MAX];
    int len = snprintf(text, sizeof text, "%lu\n", (unsigned long)GetCurrentProcessId());
    LARGE_INTEGER start = {.QuadPart = 0};

    /* A full disk is no reason not to hold the lock. */
    if (len > 0 && SetFilePointerEx(handle, start, NULL, FILE_BEGIN) && SetEndOfFile(handle))
        (void)win32_write_all(handle, text, (size_t)len);
}

static void read_holder(HANDLE handle, char text[TEXT_MAX])
{
    OVERLAPPED at = {.Offset = 0};
    DWORD got = 0;

    if (handle == INVALID_HANDLE_VALUE || !ReadFile(handle, text, TEXT_MAX - 1, &got, &at))
        got = 0;
    text[got] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static enum err_code held_too_long(const struct waiting *w, int64_t timeout_ms, struct err *err)
{
    char text[TEXT_MAX];
    char waited[40] = "";
    uint64_t pid;

    read_holder(w->handle, text);
    if (timeout_ms > 0)
        (void)snprintf(waited, sizeof waited, " within %lld s", (long long)(timeout_ms + 999) / 1000);
    if (parse_uint(text, 1, UINT32_MAX, &pid))
        (void)err_set(err, ERR_LOCK, "could not lock \"%s\"%s: process %llu holds it", w->path, waited,
                      (unsigned long long)pid);
    else
        (void)err_set(err, ERR_LOCK, "could not lock \"%s\"%s: another process holds it", w->path, waited);
    err_hint(err, "Another acme-dme is at work; wait for it, or end it if it hangs.");
    return ERR_LOCK;
}

static enum err_code wait_for(struct waiting *w, int64_t timeout_ms, struct clock *clock, struct err *err)
{
    int64_t end = clock_mono_ms(clock) + timeout_ms;
    int64_t pause = FIRST_PAUSE_MS;

    for (;;) {
        struct err why;
        enum attempt attempt = try_once(w, &why);
        int64_t left;

        if (attempt == TAKEN)
            return ERR_OK;
        if (attempt == FAILED) {
            if (err)
                *err = why;
            return why.code;
        }
        left = end - clock_mono_ms(clock);
        if (left <= 0)
            return held_too_long(w, timeout_ms, err);
        if (!clock_sleep_ms(clock, pause < left ? pause : left))
            return err_set(err, ERR_CANCELLED, "stopped while waiting for the lock \"%s\"", w->path);
        pause = pause * 2 < LAST_PAUSE_MS ? pause * 2 : LAST_PAUSE_MS;
    }
}

enum err_code platform_lock_take(const char *path, int64_t timeout_ms, struct clock *clock, struct platform_lock **out,
                                 struct err *err)
{
    struct waiting AUTO(waiting_done) w = {.path = path, .wide = win32_path(path), .handle = INVALID_HANDLE_VALUE};
    enum err_code rc = win32_security_for_mode(0600, WIN32_FILE, &w.security, err);

    if (rc == ERR_OK && !w.wide)
        rc = win32_err_name(err, "open the lock file", path);
    if (rc == ERR_OK)
        rc = wait_for(&w, timeout_ms, clock, err);
    if (rc != ERR_OK)
        return rc;
    note_holder(w.handle);
    *out = mem_zalloc(sizeof **out);
    (*out)->handle = w.handle;
    w.handle = INVALID_HANDLE_VALUE;
    return ERR_OK;
}

/* Closing alone would unlock as well, but perhaps not at once. */
void platform_lock_free(struct platform_lock *lock)
{
    OVERLAPPED at = {.Offset = LOCKED_BYTE};

    if (!lock)
        return;
    (void)UnlockFileEx(lock->handle, 0, 1, 0, &at);
    win32_close_auto(&lock->handle);
    free(lock);
}

void platform_lock_free_auto(struct platform_lock **lock)
{
    platform_lock_free(*lock);
    *lock = NULL;
}
