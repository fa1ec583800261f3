/* SPDX-License-Identifier: MIT
 *
 * Other users, file systems of our own and system calls that fail: on Linux; other systems have the first alone.
 */
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "fixture.h"
#include "test.h"

#define NOBODY 65534

bool fixture_drop_root(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0;
}

/* As long as the saved user id is root's. */
static void become(uid_t user)
{
    assert_int_equal(seteuid(user), 0);
}

void fixture_become_user(void)
{
    if (getuid() == 0)
        become(NOBODY);
}

void fixture_become_root(void)
{
    if (getuid() == 0)
        become(0);
}

#ifdef __linux__

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        (void)close(fd);
    return done;
}

static bool enter_private_mounts(void)
{
    char uid_map[64];
    char gid_map[64];

    if (geteuid() == 0)
        return unshare(CLONE_NEWNS) == 0;
    (void)snprintf(uid_map, sizeof uid_map, "0 %lu 1", (unsigned long)geteuid());
    (void)snprintf(gid_map, sizeof gid_map, "0 %lu 1", (unsigned long)getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/setgroups", "deny") &&
           write_text("/proc/self/uid_map", uid_map) && write_text("/proc/self/gid_map", gid_map);
}

bool fixture_mount(const char *dir, const char *options)
{
    return enter_private_mounts() && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", dir, "tmpfs", 0, options) == 0;
}

bool fixture_remount_read_only(const char *dir)
{
    return mount("none", dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0;
}

bool fixture_leave_network(void)
{
    return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static const unsigned call_numbers[] = {
    [CALL_FSYNC] = SYS_fsync,
    [CALL_SYNCFS] = SYS_syncfs,
#ifdef SYS_rename
    [CALL_RENAME] = SYS_rename,
#else
    [CALL_RENAME] = SYS_renameat,
#endif
    [CALL_RENAME_NEW] = SYS_renameat2,
#ifdef SYS_link
    [CALL_LINK] = SYS_link,
#else
    [CALL_LINK] = SYS_linkat,
#endif
    [CALL_FCNTL] = SYS_fcntl,
#ifdef SYS_unlink
    [CALL_UNLINK] = SYS_unlink,
#else
    [CALL_UNLINK] = SYS_unlinkat,
#endif
    [CALL_WRITE] = SYS_write,
    [CALL_CLOSE_RANGE] = SYS_close_range,
    [CALL_GETRANDOM] = SYS_getrandom,
};

bool fixture_fail(enum fixture_call call, int errnum)
{
    unsigned action = errnum ? SECCOMP_RET_ERRNO | ((unsigned)errnum & SECCOMP_RET_DATA) : SECCOMP_RET_KILL_PROCESS;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call_numbers[call], 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(code), .filter = code};

    /* valgrind makes system calls of its own, which would fail and die as well. */
    return !fixture_is_under_valgrind() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#else

bool fixture_leave_network(void)
{
    return false;
}

bool fixture_mount(UNUSED const char *dir, UNUSED const char *options)
{
    return false;
}

bool fixture_remount_read_only(UNUSED const char *dir)
{
    return false;
}

bool fixture_fail(UNUSED enum fixture_call call, UNUSED int errnum)
{
    return false;
}

#endif
