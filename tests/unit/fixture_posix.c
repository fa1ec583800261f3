/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "fixture.h"
#include "test.h"
#include "util/mem.h"

bool fixture_has(enum fixture_means means)
{
    return means != FIXTURE_OWNERS || geteuid() == 0;
}

/* ------------------------------------------------------------------ files */

char *fixture_temporary(void)
{
    const char *base = getenv("TMPDIR");

    return mem_strdup(base ? base : "/tmp");
}

char *fixture_dir_new(void)
{
    char AUTO_FREE *base = fixture_temporary();
    char *dir = mem_printf("%s/acme-dme-test.XXXXXX", base);

    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    return dir;
}

char *fixture_quick_dir_new(void)
{
    if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
        fixture_setenv("TMPDIR", "/dev/shm");
    return fixture_dir_new();
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

static char *read_at(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    char *text = file ? fixture_read_stream(file) : NULL;

    if (file)
        (void)fclose(file);
    return text;
}

void fixture_read_together(const char *dir, const char *a, char **out_a, const char *b, char **out_b)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    *out_a = fd < 0 ? NULL : read_at(fd, a);
    *out_b = fd < 0 ? NULL : read_at(fd, b);
    if (fd >= 0)
        (void)close(fd);
}

FILE *fixture_open(const char *path, const char *mode)
{
    return fopen(path, mode);
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

void fixture_mkdir(const char *path, unsigned mode)
{
    assert_int_equal(mkdir(path, mode), 0);
}

void fixture_rmdir(const char *path)
{
    assert_int_equal(rmdir(path), 0);
}

void fixture_unlink(const char *path)
{
    assert_int_equal(unlink(path), 0);
}

void fixture_rename(const char *from, const char *to)
{
    assert_int_equal(rename(from, to), 0);
}

void fixture_link(const char *from, const char *to)
{
    assert_int_equal(link(from, to), 0);
}

void fixture_chmod(const char *path, unsigned mode)
{
    assert_int_equal(chmod(path, mode), 0);
}

void fixture_truncate(const char *path, int64_t size)
{
    assert_int_equal(truncate(path, size), 0);
}

void fixture_touch(const char *path, int64_t changed_s)
{
    const struct utimbuf times = {.actime = changed_s, .modtime = changed_s};

    assert_int_equal(utime(path, &times), 0);
}

unsigned fixture_umask(unsigned mask)
{
    return umask(mask);
}

void fixture_chdir(const char *dir)
{
    static int back = -1;

    if (dir) {
        back = open(".", O_RDONLY | O_CLOEXEC);
        assert_int_equal(chdir(dir), 0);
    } else {
        assert_int_equal(fchdir(back), 0);
        assert_int_equal(close(back), 0);
    }
}

void fixture_expect_mode(const char *path, unsigned mode)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
}

char *fixture_group(void)
{
    return mem_printf("%ld", (long)getegid());
}

void fixture_expect_group(const char *path, const char *group)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_gid, strtol(group, NULL, 10));
}

void fixture_expect_ids(const char *path, unsigned user, unsigned group)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_uid, user);
    assert_int_equal(st.st_gid, group);
}

void fixture_chown(const char *path, unsigned user, unsigned group)
{
    assert_int_equal(chown(path, user, group), 0);
}

void fixture_lchown(const char *path, unsigned user, unsigned group)
{
    assert_int_equal(lchown(path, user, group), 0);
}

void fixture_symlink(const char *target, const char *path)
{
    assert_int_equal(symlink(target, path), 0);
}

void fixture_fifo(const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
}

void fixture_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(close(fd), 0);
}

void fixture_stream_open(struct fixture_stream *stream)
{
    *stream = (struct fixture_stream){.out = NULL};
    stream->out = open_memstream(&stream->text, &stream->len);
    assert_non_null(stream->out);
}

const char *fixture_stream_text(struct fixture_stream *stream)
{
    assert_int_equal(fflush(stream->out), 0);
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
    return gmtime_r(instant, out);
}

void fixture_setenv(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

void fixture_ignore_sigpipe(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
}

char *fixture_program(const char *argv0)
{
    return mem_strdup(argv0);
}

char **fixture_environ(void)
{
    return environ;
}

int64_t fixture_processor_us(void)
{
    return (int64_t)((double)clock() * 1e6 / CLOCKS_PER_SEC);
}

void fixture_sleep_us(int64_t us)
{
    (void)usleep((useconds_t)us);
}

/* ------------------------------------------------------------------ child processes */

#define NO_RESULT (-1)

void *fixture_shared_new(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

void fixture_shared_free(void *memory, size_t size)
{
    assert_int_equal(munmap(memory, size), 0);
}

/* Results go through shared memory, as bodies may close every descriptor; and a child that has reported dies at once,
 * so that no leak checker takes what the parent still has to free for a leak of the child. */
static NORETURN void report(volatile int *result, int code)
{
    *result = code;
    fixture_die();
}

void fixture_die(void)
{
    (void)kill(getpid(), SIGKILL);
    _exit(CHILD_FAILED);
}

static pid_t fork_child(void)
{
    pid_t pid;

    (void)fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    return pid;
}

static int end_child(pid_t pid, int *shared)
{
    int status = 0;
    int result;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    result = *(volatile int *)shared;
    fixture_shared_free(shared, sizeof *shared);
    if (result != NO_RESULT)
        return result;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : CHILD_FAILED;
}

int fixture_child(int (*body)(void *context), void *context)
{
    int *shared = fixture_shared_new(sizeof *shared);
    pid_t pid;

    *shared = NO_RESULT;
    pid = fork_child();
    if (pid == 0)
        report(shared, body(context));
    return end_child(pid, shared);
}

bool fixture_child_is_killed(int (*body)(void *context), void *context)
{
    int result = fixture_child(body, context);

    if (result == CHILD_CANNOT)
        print_message("[   NOTE   ] a part was left out: this machine does not let us\n");
    else
        assert_int_equal(result, 1000 + SIGSYS);
    return result != CHILD_CANNOT;
}

struct fixture_process {
    pid_t pid;
    int *shared;
};

struct fixture_process *fixture_process_start(fixture_process_body *body, const char *text)
{
    struct fixture_process *process = mem_zalloc(sizeof *process);

    process->shared = fixture_shared_new(sizeof *process->shared);
    *process->shared = NO_RESULT;
    process->pid = fork_child();
    if (process->pid > 0)
        return process;
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    report(process->shared, body(text));
}

long fixture_process_id(const struct fixture_process *process)
{
    return process->pid;
}

bool fixture_process_is_alive(struct fixture_process *process)
{
    siginfo_t ended = {.si_pid = 0};

    assert_int_equal(waitid(P_PID, (id_t)process->pid, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
    return ended.si_pid == 0;
}

int fixture_process_end(struct fixture_process *process)
{
    int result = end_child(process->pid, process->shared);

    free(process);
    return result;
}

void fixture_process_kill(struct fixture_process *process)
{
    assert_int_equal(kill(process->pid, SIGKILL), 0);
    assert_int_equal(fixture_process_end(process), 1000 + SIGKILL);
}
