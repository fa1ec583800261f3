/* SPDX-License-Identifier: MIT
 *
 * Starting a program of the operator's.
 *
 * Between fork() and execve() only system calls are made: other threads may hold the locks of malloc().  So the program
 * is looked for and its environment put together before.  A pipe that execve() closes tells what became of it.
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix.h"
#include "util/text.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define EXEC_FAILED 127

#ifdef NSIG
#define SIGNAL_COUNT NSIG
#else
#define SIGNAL_COUNT 65
#endif

#ifndef __linux__ /* where <unistd.h> has it */
extern char **environ;
#endif

/* All that the child needs. */
struct launch {
    const char *path;
    char *const *argv;
    char **environment;
    int input;
    int output;
    int trouble; /* an int, errno, is written here when it did not start */
};

/* ------------------------------------------------------------------ which program */

static enum err_code cannot_run(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "could not run \"%s\": %s", path, why);
}

static enum err_code check_program(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return errno == ENOENT ? cannot_run(path, "there is no such file", err)
                               : posix_err(err, ERR_NOT_FOUND, errno, "run", path);
    if (S_ISDIR(st.st_mode))
        return cannot_run(path, "it is a directory", err);
    if (!S_ISREG(st.st_mode))
        return cannot_run(path, "it is not a regular file", err);
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0) {
        (void)err_set(err, ERR_NOT_FOUND, "could not run \"%s\": it may not be executed (mode %04o, user id %ld)", path,
                      (unsigned)st.st_mode & 07777U, (long)geteuid());
        err_hint(err, "Run: chmod +x '%s'; if that is done, see whether its file system is mounted \"noexec\".", path);
        return ERR_NOT_FOUND;
    }
    return ERR_OK;
}

/* Parts that are not absolute are passed over: what runs must not depend on where we were started. */
static enum err_code search_path(const char *name, char **out, struct err *err)
{
    const char *list = platform_env("PATH");
    struct err first = {.code = ERR_OK};

    if (!list || !*list)
        list = DEFAULT_PATH;
    for (const char *at = list; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
        size_t len = strcspn(at, ":");
        char AUTO_FREE *dir = mem_strndup(at, len);
        char AUTO_FREE *path = mem_printf("%s/%s", dir, name);
        struct err why;

        if (dir[0] != '/' || !platform_file_exists(path))
            continue;
        if (check_program(path, &why) == ERR_OK) {
            *out = path;
            path = NULL;
            return ERR_OK;
        }
        if (first.code == ERR_OK)
            first = why;
    }
    if (first.code == ERR_OK) {
        (void)err_set(&first, ERR_NOT_FOUND, "could not run \"%s\": no directory of PATH has it", name);
        err_hint(&first, "Write the whole path of the program; PATH is \"%s\".", list);
    }
    if (err)
        *err = first;
    return ERR_NOT_FOUND;
}

static enum err_code find_program(const char *name, char **out, struct err *err)
{
    enum err_code rc;

    if (!name || !*name)
        return err_set(err, ERR_NOT_FOUND, "could not run a program: it has no name");
    if (!strchr(name, '/'))
        return search_path(name, out, err);
    rc = check_program(name, err);
    if (rc == ERR_OK)
        *out = mem_strdup(name);
    return rc;
}

/* ------------------------------------------------------------------ environment */

static bool is_same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");

    return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool is_replaced(const char *entry, const char *const *by)
{
    for (; by && *by; by++)
        if (is_same_name(entry, *by))
            return true;
    return false;
}

/* NULL-terminated; the texts are borrowed. */
static char **environment_of(const struct platform_program *program)
{
    size_t count = 0;
    size_t used = 0;
    char **list;

    for (char *const *at = environ; at && *at; at++)
        count++;
    for (const char *const *at = program->environment; at && *at; at++)
        count++;
    list = mem_calloc(count + 1, sizeof *list);
    for (char *const *at = environ; at && *at; at++)
        if (!text_starts_with(*at, "ACME_DME_") && !text_starts_with(*at, "DNSMADEEASY_") &&
            !is_replaced(*at, program->environment))
            list[used++] = *at;
    /* execve() wants them without const, and changes nothing. */
    for (const char *const *at = program->environment; at && *at; at++)
        memcpy(&list[used++], at, sizeof *at);
    return list;
}

/* ------------------------------------------------------------------ the child */

static void mark_all_close_on_exec(void)
{
#if defined(HAVE_CLOSE_RANGE) && defined(CLOSE_RANGE_CLOEXEC)
    if (close_range(POSIX_FIRST_FOREIGN_FD, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
#endif
    for (int fd = POSIX_FIRST_FOREIGN_FD, end = posix_end_of_descriptors(); fd < end; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    (void)sigemptyset(&action.sa_mask);
    for (int number = 1; number < SIGNAL_COUNT; number++)
        (void)sigaction(number, &action, NULL); /* not for SIGKILL and the like */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child.  A session of its own has no terminal, so that no program asks questions there. */
static NORETURN void become(const struct launch *l)
{
    int errnum;

    (void)setsid();
    (void)umask(022);
    if (dup2(l->input, STDIN_FILENO) >= 0 && dup2(l->output, STDOUT_FILENO) >= 0 &&
        dup2(l->output, STDERR_FILENO) >= 0) {
        mark_all_close_on_exec();
        reset_signals();
        (void)execve(l->path, l->argv, l->environment);
    }
    errnum = errno;
    (void)!write(l->trouble, &errnum, sizeof errnum);
    _exit(EXEC_FAILED);
}

/* ------------------------------------------------------------------ the parent */

static enum err_code explain(const char *path, int errnum, struct err *err)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
        (void)cannot_run(path, "the interpreter that it names in its first line (#!) or needs does not exist", err);
        err_hint(err,
                 "Correct the first line of \"%s\"; a line that ends in a carriage return (Windows) is wrong, too.",
                 path);
        return ERR_NOT_FOUND;
    case ENOEXEC:
        (void)cannot_run(path, "it is neither a program of this machine nor a script that begins with \"#!\"", err);
        err_hint(err, "Begin the script with \"#!/bin/sh\" or the like.");
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        (void)err_set_errno(err, ERR_NOT_FOUND, errnum, "could not run \"%s\"", path);
        err_hint(err,
                 "Check the modes of \"%s\" and of its interpreter, and whether their file systems are mounted "
                 "\"noexec\".",
                 path);
        return ERR_NOT_FOUND;
    default:
        return posix_err(err, ERR_IO, errnum, "run", path);
    }
}

/* execve() closes the other end without a word, or an errno comes. */
static int trouble_of(int fd)
{
    int errnum = 0;
    ssize_t got;

    do {
        got = read(fd, &errnum, sizeof errnum);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof errnum ? errnum : 0;
}

/* Signals wait meanwhile: a handler of ours must not run in the child. */
static pid_t fork_quietly(const struct launch *l)
{
    sigset_t all;
    sigset_t before;
    pid_t pid;
    int errnum;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        become(l);
    errnum = errno;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return pid;
}

static bool make_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        return false;
    return fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
}

static void pipe_done(int (*ends)[2])
{
    posix_close_auto(&(*ends)[0]);
    posix_close_auto(&(*ends)[1]);
}

static enum err_code launch(struct launch *l, struct posix_child *out, struct err *err)
{
    int AUTO_FD input = posix_open("/dev/null", O_RDONLY, 0);
    int AUTO(pipe_done) output[2] = {-1, -1};
    int AUTO(pipe_done) trouble[2] = {-1, -1};
    int errnum;
    pid_t pid;

    if (input < 0)
        return posix_err(err, ERR_IO, errno, "open", "/dev/null");
    if (!make_pipe(output) || !make_pipe(trouble))
        return posix_err(err, ERR_IO, errno, "make a pipe for", l->path);
    l->input = input;
    l->output = output[1];
    l->trouble = trouble[1];
    pid = fork_quietly(l);
    if (pid < 0)
        return posix_err(err, ERR_IO, errno, "start a process for", l->path);
    posix_close_auto(&trouble[1]);
    errnum = trouble_of(trouble[0]);
    if (errnum != 0) {
        posix_reap(pid, NULL);
        return explain(l->path, errnum, err);
    }
    *out = (struct posix_child){.pid = pid, .output = output[0]};
    output[0] = -1;
    return ERR_OK;
}

enum err_code posix_program_start(const struct platform_program *program, struct posix_child *out, struct err *err)
{
    char AUTO_FREE *path = NULL;
    char **AUTO_FREE environment = NULL;
    struct launch l = {.input = -1};
    enum err_code rc = find_program(program->argv[0], &path, err);

    if (rc != ERR_OK)
        return rc;
    environment = environment_of(program);
    l.path = path;
    l.environment = environment;
    memcpy(&l.argv, &program->argv, sizeof l.argv);
    return launch(&l, out, err);
}
