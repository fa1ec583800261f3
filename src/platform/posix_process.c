/* SPDX-License-Identifier: MIT
 *
 * The state a process starts in, and what it knows of its surroundings.
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_GETRANDOM
#include <sys/random.h>
#endif

#include "platform/posix.h"
#include "util/parse.h"
#include "util/text.h"

#define PASSWD_BUF_SIZE 16384
#define ANSWER_SIZE 64

/* Without a list of what is open, try them all. */
static void close_up_to_limit(void)
{
    int end = posix_end_of_descriptors();

    for (int fd = POSIX_FIRST_FOREIGN_FD; fd < end; fd++)
        (void)close(fd);
}

static bool close_listed(const char *dir)
{
    struct strlist AUTO_STRLIST names = {NULL, 0};

    if (platform_dir_list(dir, &names, NULL) != ERR_OK)
        return false;
    for (size_t i = 0; i < names.count; i++) {
        uint64_t fd;

        if (parse_uint(names.items[i], POSIX_FIRST_FOREIGN_FD, INT32_MAX, &fd))
            (void)close((int)fd);
    }
    return true;
}

/* dehydrated starts its hook with fd 3 open on the new certificate file, and a parent that reads a pipe to
 * its end would wait for whoever still holds it. */
static void close_foreign_descriptors(void)
{
#ifdef HAVE_CLOSE_RANGE
    if (close_range(POSIX_FIRST_FOREIGN_FD, ~0U, 0) == 0)
        return;
#endif
    if (!close_listed("/proc/self/fd") && !close_listed("/dev/fd"))
        close_up_to_limit();
}

/* mod_md gives no stdin.  A hole there would be filled by the next file we open, and a message to "stderr"
 * written into it.  In a chroot without /dev/null any other open file fills the hole. */
static enum err_code open_standard_descriptors(struct err *err)
{
    for (int fd = 0; fd < POSIX_FIRST_FOREIGN_FD; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0 && open("/", O_RDONLY) < 0)
            return err_set_errno(err, ERR_IO, errno, "could not open \"/dev/null\"");
    }
    return ERR_OK;
}

/* A limit of 1, not 0: Linux then refuses to start a program that core dumps are piped to, too, and a file of
 * one byte is never written.  prctl(PR_SET_DUMPABLE) would say the same, but it also takes /proc/self and the
 * leak checker's ptrace() away from us. */
static void forbid_core_dumps(void)
{
    const struct rlimit one = {.rlim_cur = 1, .rlim_max = 1};
    const struct rlimit zero = {.rlim_cur = 0, .rlim_max = 0};

    if (setrlimit(RLIMIT_CORE, &one) != 0)
        (void)setrlimit(RLIMIT_CORE, &zero); /* the hard limit was 0 before */
}

void platform_arguments(UNUSED int *argc, UNUSED char ***argv)
{
}

enum err_code platform_start(struct err *err)
{
    enum err_code rc = open_standard_descriptors(err);

    if (rc != ERR_OK)
        return rc;
    close_foreign_descriptors();
    (void)umask(077);
    forbid_core_dumps();
    return posix_signals_start(err);
}

const char *platform_env(const char *name)
{
    return getenv(name);
}

long platform_process_id(void)
{
    return (long)getpid();
}

bool platform_can_ask(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool platform_ask(const char *question)
{
    char answer[ANSWER_SIZE];

    (void)fputs(question, stderr);
    (void)fflush(stderr);
    if (!fgets(answer, sizeof answer, stdin))
        return false;
    answer[strcspn(answer, "\r\n")] = '\0';
    return text_casecmp(answer, "y") == 0 || text_casecmp(answer, "yes") == 0;
}

bool platform_stderr_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

bool platform_stdout_is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

static char *home_in_user_database(void)
{
    char AUTO_FREE *space = mem_calloc(PASSWD_BUF_SIZE, 1);
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(geteuid(), &entry, space, PASSWD_BUF_SIZE, &found) != 0 || !found || !found->pw_dir ||
        found->pw_dir[0] != '/')
        return NULL;
    return mem_strdup(found->pw_dir);
}

char *platform_home(void)
{
    const char *home = platform_env("HOME");

    return home && home[0] == '/' ? mem_strdup(home) : home_in_user_database();
}

char *platform_config_dir(void)
{
    return mem_strdup(SYSCONFDIR);
}

char *platform_default_state_dir(void)
{
    const char *xdg = platform_env("XDG_STATE_HOME");
    char AUTO_FREE *home = NULL;

    if (geteuid() == 0)
        return mem_strdup(LOCALSTATEDIR "/lib/acme-dme");
    if (xdg && xdg[0] == '/')
        return mem_printf("%s/acme-dme", xdg);
    home = platform_home();
    if (home)
        return mem_printf("%s/.local/state/acme-dme", home);
    return mem_strdup(LOCALSTATEDIR "/lib/acme-dme");
}

static enum err_code random_from_device(uint8_t *out, size_t len, struct err *err)
{
    int AUTO_FD fd = posix_open("/dev/urandom", O_RDONLY, 0);

    if (fd < 0)
        return err_set_errno(err, ERR_INTERNAL, errno, "could not open \"/dev/urandom\"");
    while (len > 0) {
        ssize_t got = read(fd, out, len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set_errno(err, ERR_INTERNAL, got < 0 ? errno : EIO, "could not read \"/dev/urandom\"");
        out += got;
        len -= (size_t)got;
    }
    return ERR_OK;
}

enum err_code platform_random(void *out, size_t len, struct err *err)
{
    uint8_t *bytes = out;

#ifdef HAVE_GETRANDOM
    while (len > 0) {
        ssize_t got = getrandom(bytes, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break; /* an old kernel, or a sandbox that forbids the call */
        bytes += got;
        len -= (size_t)got;
    }
#endif
    return len > 0 ? random_from_device(bytes, len, err) : ERR_OK;
}

/* Only as far as it is needed: programs that we start have the limit, too, and some still use select(). */
size_t platform_descriptors_want(size_t count)
{
    struct rlimit limit;
    struct rlimit more;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return (size_t)posix_end_of_descriptors();
    more = limit;
    more.rlim_cur = limit.rlim_max != RLIM_INFINITY && limit.rlim_max < (rlim_t)count ? limit.rlim_max : (rlim_t)count;
    if (limit.rlim_cur < more.rlim_cur && setrlimit(RLIMIT_NOFILE, &more) == 0)
        limit = more;
    return limit.rlim_cur < (rlim_t)count ? (size_t)limit.rlim_cur : count;
}
