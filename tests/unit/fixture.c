/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "test.h"
#include "util/mem.h"

#define NOBODY 65534

char *fixture_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = mem_printf("%s/acme-dme-test-XXXXXX", base ? base : "/tmp");

    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    return dir;
}

static int remove_one(const char *path, UNUSED const struct stat *st, UNUSED int type, UNUSED struct FTW *ftw)
{
    return remove(path);
}

void fixture_dir_free(char *dir)
{
    assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(dir);
}

char *fixture_path(const char *dir, const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

void fixture_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

char *fixture_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text;
    size_t len;

    if (!file)
        return NULL;
    text = mem_calloc(65536, 1);
    len = fread(text, 1, 65535, file);
    text[len] = '\0';
    (void)fclose(file);
    return text;
}

size_t fixture_count(const char *dir)
{
    DIR *open = opendir(dir);
    size_t count = 0;

    assert_non_null(open);
    while (readdir(open))
        count++;
    (void)closedir(open);
    return count - 2;
}

/* ------------------------------------------------------------------ child processes */

int fixture_child(int (*body)(void *context), void *context)
{
    int status = 0;
    pid_t pid;

    (void)fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body(context));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

void fixture_in_child(int (*body)(void *context), void *context)
{
    int result = fixture_child(body, context);

    /* Not skip(): that jumps over the caller's cleanup. */
    if (result == CHILD_CANNOT)
        print_message("[   NOTE   ] a part was left out: this machine does not let us\n");
    else
        assert_int_equal(result, CHILD_OK);
}

bool fixture_drop_root(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0;
}

#ifdef __linux__

static bool write_map(const char *path, unsigned long id)
{
    char text[64];
    int len = snprintf(text, sizeof text, "0 %lu 1", id);
    int fd = open(path, O_WRONLY);
    bool done = fd >= 0 && write(fd, text, (size_t)len) == len;

    if (fd >= 0)
        (void)close(fd);
    return done;
}

static bool enter_private_mounts(void)
{
    unsigned long uid = geteuid();

    if (uid == 0)
        return unshare(CLONE_NEWNS) == 0;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_map("/proc/self/uid_map", uid);
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

static const unsigned call_numbers[] = {
    [CALL_FSYNC] = SYS_fsync,
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
    unsigned action = errnum ? SECCOMP_RET_ERRNO | ((unsigned)errnum & SECCOMP_RET_DATA)
                             : SECCOMP_RET_KILL_PROCESS;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call_numbers[call], 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(code), .filter = code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#else

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
