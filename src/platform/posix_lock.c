/* SPDX-License-Identifier: MIT
 *
 * Locks between processes: open file description locks where the system has them (Linux, macOS), record locks
 * elsewhere.  Both go with the process however it dies, and both work on NFS through its lock manager;
 * flock() does the latter on Linux only.
 *
 * The lock file is never removed: whoever waits for it would end up holding the lock of a file that nobody
 * else can find.  It holds the process id of the last holder, for the message to those who waited in vain.
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/posix.h"
#include "util/parse.h"

#ifdef F_OFD_SETLK
#define SETLK F_OFD_SETLK
#else
#define SETLK F_SETLK
#endif

#define FIRST_PAUSE_MS 10
#define LAST_PAUSE_MS 250

struct platform_lock {
    int fd;
};

enum attempt { TAKEN, HELD, FAILED };

static enum attempt try_once(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}; /* l_pid has to be 0 */

    if (fcntl(fd, SETLK, &lock) == 0)
        return TAKEN;
    return errno == EAGAIN || errno == EACCES || errno == EINTR ? HELD : FAILED;
}

static enum err_code no_locks_here(const char *path, int errnum, struct err *err)
{
    (void)err_set_errno(err, ERR_LOCK, errnum,
                        "could not lock \"%s\": the file system does not support locks", path);
    err_hint(
        err,
        "Set \"state_dir\" to a directory on a local file system, or start the lock service of the NFS mount.");
    return ERR_LOCK;
}

static void note_holder(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    /* A full disk is no reason not to hold the lock. */
    if (len > 0 && ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) != len) {
        int rc = ftruncate(fd, 0);

        (void)rc;
    }
}

static enum err_code held_too_long(int fd, const char *path, int64_t timeout_ms, struct err *err)
{
    char text[24] = "";
    char waited[40] = "";
    uint64_t pid;

    if (pread(fd, text, sizeof text - 1, 0) > 0)
        text[strcspn(text, "\n")] = '\0';
    if (timeout_ms > 0)
        (void)snprintf(waited, sizeof waited, " within %lld s", (long long)(timeout_ms + 999) / 1000);
    if (parse_uint(text, 1, INT_MAX, &pid))
        (void)err_set(err, ERR_LOCK, "could not lock \"%s\"%s: process %llu holds it", path, waited,
                      (unsigned long long)pid);
    else
        (void)err_set(err, ERR_LOCK, "could not lock \"%s\"%s: another process holds it", path, waited);
    err_hint(err, "Another acme-dme is at work; wait for it, or end it if it hangs.");
    return ERR_LOCK;
}

static enum err_code wait_for(int fd, const char *path, int64_t timeout_ms, struct clock *clock,
                              struct err *err)
{
    int64_t end = clock_mono_ms(clock) + timeout_ms;
    int64_t pause = FIRST_PAUSE_MS;

    for (;;) {
        enum attempt attempt = try_once(fd);
        int64_t left;

        if (attempt == TAKEN)
            return ERR_OK;
        if (attempt == FAILED)
            return no_locks_here(path, errno, err);
        left = end - clock_mono_ms(clock);
        if (left <= 0)
            return held_too_long(fd, path, timeout_ms, err);
        if (!clock_sleep_ms(clock, pause < left ? pause : left))
            return err_set(err, ERR_CANCELLED, "stopped while waiting for the lock \"%s\"", path);
        pause = pause * 2 < LAST_PAUSE_MS ? pause * 2 : LAST_PAUSE_MS;
    }
}

enum err_code platform_lock_take(const char *path, int64_t timeout_ms, struct clock *clock,
                                 struct platform_lock **out, struct err *err)
{
    int AUTO_FD fd = posix_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    enum err_code rc;

    if (fd < 0)
        return posix_err(err, ERR_IO, errno, "open the lock file", path);
    rc = wait_for(fd, path, timeout_ms, clock, err);
    if (rc != ERR_OK)
        return rc;
    note_holder(fd);
    *out = mem_zalloc(sizeof **out);
    (*out)->fd = fd;
    fd = -1;
    return ERR_OK;
}

void platform_lock_free(struct platform_lock *lock)
{
    if (!lock)
        return;
    posix_close_auto(&lock->fd); /* and with it the lock */
    free(lock);
}

void platform_lock_free_auto(struct platform_lock **lock)
{
    platform_lock_free(*lock);
    *lock = NULL;
}
