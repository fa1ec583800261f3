/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    char *dir = mem_printf("%s/acme-dme-test.XXXXXX", base ? base : "/tmp");

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

#define NO_RESULT (-1)

/* Results go through shared memory, as bodies may close every descriptor; and a child that has reported dies at once,
 * so that no leak checker takes what the parent still has to free for a leak of the child. */
static int *shared_results(size_t count)
{
    int *results = mmap(NULL, count * sizeof *results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(results != MAP_FAILED);
    for (size_t i = 0; i < count; i++)
        results[i] = NO_RESULT;
    return results;
}

static pid_t start_child(int (*body)(void *context), void *context, volatile int *result)
{
    pid_t pid;

    (void)fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    *result = body(context);
    (void)kill(getpid(), SIGKILL);
    _exit(CHILD_FAILED);
}

static int end_child(pid_t pid, const volatile int *result)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (*result != NO_RESULT)
        return *result;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : CHILD_FAILED;
}

int fixture_child(int (*body)(void *context), void *context)
{
    int *shared = shared_results(1);
    int result = end_child(start_child(body, context, shared), shared);

    (void)munmap(shared, sizeof *shared);
    return result;
}

static void note_cannot(void)
{
    print_message("[   NOTE   ] a part was left out: this machine does not let us\n");
}

bool fixture_in_child(int (*body)(void *context), void *context)
{
    int result = fixture_child(body, context);

    /* Not skip(): that jumps over the caller's cleanup. */
    if (result == CHILD_CANNOT)
        note_cannot();
    else
        assert_int_equal(result, CHILD_OK);
    return result == CHILD_OK;
}

bool fixture_child_is_killed(int (*body)(void *context), void *context)
{
    int result = fixture_child(body, context);

    if (result == CHILD_CANNOT)
        note_cannot();
    else
        assert_int_equal(result, 1000 + SIGSYS);
    return result != CHILD_CANNOT;
}

void fixture_in_children(size_t count, int (*body)(void *context), void *context)
{
    int *shared = shared_results(count);
    pid_t *pids = mem_calloc(count, sizeof *pids);

    for (size_t i = 0; i < count; i++)
        pids[i] = start_child(body, context, &shared[i]);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(end_child(pids[i], &shared[i]), CHILD_OK);
    free(pids);
    (void)munmap(shared, count * sizeof *shared);
}

bool fixture_drop_root(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0;
}

bool fixture_is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "vgpreload");
}

size_t fixture_step(void)
{
    return fixture_is_under_valgrind() ? 11 : 1;
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
