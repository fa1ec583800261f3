/* SPDX-License-Identifier: MIT
 *
 * Which run of an ACME client do we belong to?
 *
 * A client starts its hook once for each name, and all those processes have to find out that they belong
 * together. What they have in common is the client's process, somewhere above them: a client may start its
 * hook through `sh -c`, `env` or `sudo`, in a subshell of its own, or through an administrator's wrapper
 * script.  So, upwards from the process that started us:
 *
 *   1. The nearest process with the name of an ACME client is it.
 *   2. Failing that, it is the nearest that is not a mere go-between: a shell with -c, env, sudo, timeout ...
 *      A shell that runs a script file is none: it may be a client we do not know.
 *   3. A subshell is a copy of the shell that forked it, command line and all: of equal command lines one
 * above the other the uppermost counts.
 *
 * A run id is "<pid>:<start time>:<boot>:<pid namespace>:<host>"; the last three are short hashes that tell
 * whether the first two still mean anything to the process that reads them.  Without /proc it is
 * "<pid>:-:-:-:<host>".
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "platform/posix.h"
#include "util/parse.h"
#include "util/text.h"

#define ANCESTORS_MAX 48
#define STAT_MAX 4096
#define CMDLINE_MAX 16384
#define ARGS_MAX 32
#define UNKNOWN "-"
#define HASH_SIZE 9 /* 8 hex digits */

static const char *const clients[] = {
    "acme-client", "acme.sh", "acmetool", "apache2", "caddy",   "certbot", "certbot-auto", "dehydrated",
    "getssl",      "httpd",   "lacme",    "lego",    "pvenode", "simp_le", "traefik",      "uacme",
};

static const char *const shells[] = {"ash", "bash", "busybox", "dash", "ksh", "ksh93", "mksh", "sh", "zsh"};

static const char *const go_betweens[] = {
    "chpst",  "chroot", "chrt",    "doas",    "env",     "flock",   "ionice",  "ltrace",
    "nice",   "nohup",  "nsenter", "prlimit", "runuser", "setpriv", "setsid",  "stdbuf",
    "strace", "su",     "sudo",    "taskset", "time",    "timeout", "unshare", "xargs",
};

/* What starts runs and outlives them: where the search ends, one below. */
static const char *const spawners[] = {
    "anacron", "atd",   "catatonit", "conmon", "cron",  "crond",     "docker-init", "dumb-init", "fcron",
    "init",    "login", "procd",     "runsv",  "runit", "s6-svscan", "sshd",        "systemd",   "tini",
};

static const char *const interpreters[] = {"python", "perl", "ruby", "pwsh", "node", "php"};

struct process {
    pid_t pid;
    pid_t parent;
    char start[24];
    char state;
    char comm[64];
    size_t argc;
    char *argv[ARGS_MAX]; /* point into cmdline */
    struct buf cmdline;
};

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

static bool read_proc(const char *proc, const char *dir, const char *file, struct buf *out)
{
    char AUTO_FREE *path = mem_printf("%s/%s/%s", proc, dir, file);
    int AUTO_FD fd = posix_open(path, O_RDONLY, 0);

    return fd >= 0 && posix_read_all(fd, out);
}

/* Cut the next word off; NULL at the end. */
static char *next_field(char **rest)
{
    return strsep(rest, " \n");
}

/* "pid (comm) state ppid ..." with the start time as field 22.  comm is whatever the process likes, so it
 * ends at the last parenthesis. */
static bool parse_stat(char *text, struct process *out)
{
    char *open = strchr(text, '(');
    char *close = strrchr(text, ')');
    char *rest;
    uint64_t number;
    char *word = NULL;

    if (!open || !close || close < open || close[1] != ' ')
        return false;
    *close = '\0';
    text_cut_into(out->comm, sizeof out->comm, open + 1);
    rest = close + 2;
    for (int field = 3; field <= 22; field++) {
        word = next_field(&rest);
        if (!word)
            return false;
        if (field == 3)
            out->state = word[0];
        if (field == 4) {
            if (!parse_uint(word, 0, INT_MAX, &number))
                return false;
            out->parent = (pid_t)number;
        }
    }
    if (!parse_uint(word, 0, UINT64_MAX, &number) || strlen(word) >= sizeof out->start)
        return false;
    text_cut_into(out->start, sizeof out->start, word);
    return true;
}

static void split_cmdline(struct process *p)
{
    char *at = p->cmdline.data;
    char *end = at ? at + p->cmdline.len : at;

    while (at < end && p->argc < ARRAY_LEN(p->argv)) {
        p->argv[p->argc++] = at;
        at += strlen(at) + 1;
    }
}

static void process_done(struct process *p)
{
    buf_done(&p->cmdline);
}

static bool process_load(const char *proc, pid_t pid, struct process *out)
{
    struct buf AUTO_BUF stat = BUF_INIT(STAT_MAX);
    char dir[24];

    *out = (struct process){.pid = pid, .cmdline = BUF_INIT(CMDLINE_MAX)};
    (void)snprintf(dir, sizeof dir, "%ld", (long)pid);
    if (!read_proc(proc, dir, "stat", &stat) || !stat.data || !parse_stat(stat.data, out))
        return false;
    if (read_proc(proc, dir, "cmdline", &out->cmdline))
        split_cmdline(out);
    return true;
}

/* Last component; a login shell's leading "-" is not part of the name. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;

    return base[0] == '-' ? base + 1 : base;
}

static bool is_interpreter(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(interpreters); i++)
        if (text_starts_with(name, interpreters[i]))
            return true;
    return false;
}

/* Where a shell's own options start: after its name, and after the "sh" of "busybox sh". */
static size_t shell_options(const struct process *p)
{
    if (p->argc == 0 || !is_one_of(base_name(p->argv[0]), shells, ARRAY_LEN(shells)))
        return 0;
    if (strcmp(base_name(p->argv[0]), "busybox") != 0)
        return 1;
    return p->argc > 1 && is_one_of(base_name(p->argv[1]), shells, ARRAY_LEN(shells)) ? 2 : 0;
}

/* Is it a shell with -c?  "-ec", "+x" and "-o errexit" may come before. */
static bool is_command_shell(const struct process *p)
{
    size_t i = shell_options(p);

    for (; i > 0 && i < p->argc; i++) {
        const char *arg = p->argv[i];

        if ((arg[0] != '-' && arg[0] != '+') || arg[1] == '\0' || strcmp(arg, "--") == 0)
            return false;
        if (text_starts_with(arg, "--")) {
            i += strcmp(arg, "--rcfile") == 0 || strcmp(arg, "--init-file") == 0;
            continue;
        }
        if (arg[0] == '-' && strchr(arg, 'c'))
            return true;
        i += arg[strlen(arg) - 1] == 'o' || arg[strlen(arg) - 1] == 'O';
    }
    return false;
}

/* The script or module that an interpreter or shell runs, e.g. "certbot" of "python3 -u /usr/bin/certbot
 * renew"; the program's own name for anything else. */
static const char *program_name(const struct process *p)
{
    const char *name = p->argc > 0 ? base_name(p->argv[0]) : p->comm;

    if (shell_options(p) == 0 && !is_interpreter(name))
        return name;
    for (size_t i = shell_options(p) > 1 ? 2 : 1; i < p->argc; i++)
        if (p->argv[i][0] != '-' && p->argv[i][0] != '+')
            return base_name(p->argv[i]);
    return name;
}

static bool is_client(const struct process *p)
{
    return is_one_of(p->comm, clients, ARRAY_LEN(clients)) ||
           (!is_command_shell(p) && is_one_of(program_name(p), clients, ARRAY_LEN(clients)));
}

static bool is_go_between(const struct process *p)
{
    return is_command_shell(p) || is_one_of(p->comm, go_betweens, ARRAY_LEN(go_betweens));
}

static bool is_spawner(const struct process *p)
{
    return is_one_of(p->comm, spawners, ARRAY_LEN(spawners));
}

static bool is_copy_of(const struct process *child, const struct process *parent)
{
    return child->cmdline.len > 0 && child->cmdline.len == parent->cmdline.len &&
           memcmp(child->cmdline.data, parent->cmdline.data, child->cmdline.len) == 0;
}

struct ancestry {
    struct process items[ANCESTORS_MAX];
    size_t count;
};

static void ancestry_done(struct ancestry *a)
{
    for (size_t i = 0; i < a->count; i++)
        process_done(&a->items[i]);
}

/* From `pid` up to the first process, which in a container may be the client. */
static void ancestry_load(const char *proc, pid_t pid, struct ancestry *out)
{
    while (out->count < ANCESTORS_MAX && pid > 0) {
        struct process *p = &out->items[out->count];

        if (!process_load(proc, pid, p)) {
            process_done(p);
            break;
        }
        out->count++;
        pid = p->parent;
    }
}

static const struct process *choose(const struct ancestry *a, enum platform_run_trust *out_trust)
{
    size_t best = 0;

    while (best < a->count && !is_client(&a->items[best]))
        best++;
    *out_trust = best < a->count ? PLATFORM_RUN_CLIENT : a->count > 0 ? PLATFORM_RUN_GUESSED : PLATFORM_RUN_UNKNOWN;
    if (best == a->count) {
        best = 0;
        while (best + 1 < a->count && is_go_between(&a->items[best]) && !is_spawner(&a->items[best + 1]))
            best++;
    }
    while (best + 1 < a->count && is_copy_of(&a->items[best], &a->items[best + 1]))
        best++;
    return best < a->count ? &a->items[best] : NULL;
}

/* FNV-1a, 32 bits: to tell machines apart, not to keep them apart from an enemy. */
static void short_hash(char out[HASH_SIZE], const char *text, size_t len)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619U;
    (void)snprintf(out, HASH_SIZE, "%08lx", (unsigned long)hash);
}

struct place {
    char boot[HASH_SIZE];
    char pid_namespace[HASH_SIZE];
    char host[HASH_SIZE];
};

static void place_load(const char *proc, struct place *out)
{
    struct buf AUTO_BUF boot = BUF_INIT(STAT_MAX);
    char AUTO_FREE *ns_path = mem_printf("%s/self/ns/pid", proc);
    char ns[64];
    ssize_t ns_len = readlink(ns_path, ns, sizeof ns);
    struct utsname host;

    *out = (struct place){UNKNOWN, UNKNOWN, UNKNOWN};
    if (read_proc(proc, "sys/kernel/random", "boot_id", &boot) && boot.len > 0)
        short_hash(out->boot, boot.data, boot.len);
    if (ns_len > 0)
        short_hash(out->pid_namespace, ns, (size_t)ns_len);
    if (uname(&host) == 0)
        short_hash(out->host, host.nodename, strlen(host.nodename));
}

char *posix_run_id_in(const char *proc, pid_t pid, enum platform_run_trust *out_trust)
{
    struct ancestry AUTO(ancestry_done) above = {.count = 0};
    enum platform_run_trust trust;
    const struct process *client;
    struct place here;

    ancestry_load(proc, pid, &above);
    client = choose(&above, &trust);
    if (out_trust)
        *out_trust = trust;
    place_load(proc, &here);
    return mem_printf("%ld:%s:%s:%s:%s", client ? (long)client->pid : (long)pid, client ? client->start : UNKNOWN,
                      here.boot, here.pid_namespace, here.host);
}

static bool is_known(const char *part)
{
    return strcmp(part, UNKNOWN) != 0;
}

/* The process exists and, as far as can be seen, is the one that started then. */
static bool process_is_alive(const char *proc, pid_t pid, const char *start)
{
    struct process p;
    bool loaded = process_load(proc, pid, &p);

    process_done(&p);
    if (loaded)
        return p.state != 'Z' && p.state != 'X' && (!is_known(start) || strcmp(p.start, start) == 0);
    /* Where /proc hides other users' processes, or there is none, a signal that is not sent still tells. */
    return kill(pid, 0) == 0 || errno == EPERM;
}

/* Behind the id of a run that is one process of ours, from its beginning to its end. */
#define OWN_MARK "own"

enum run_place { RUN_HERE, RUN_OVER, RUN_UNKNOWN };

/* Can the run's process be looked for in this /proc?  If so, *out_pid and *out_start say which it was; the latter is
 * borrowed from `copy`, a copy of the run id that is taken apart. */
static enum run_place find_run(const char *proc, char *copy, pid_t *out_pid, const char **out_start)
{
    char *part[5];
    struct place here;
    uint64_t pid;

    for (size_t i = 0; i < ARRAY_LEN(part); i++) {
        part[i] = strsep(&copy, ":");
        if (!part[i])
            return RUN_UNKNOWN;
    }
    if ((copy && strcmp(copy, OWN_MARK) != 0) || !parse_uint(part[0], 1, INT_MAX, &pid))
        return RUN_UNKNOWN;
    place_load(proc, &here);
    if (strcmp(part[4], here.host) != 0)
        return RUN_UNKNOWN;
    if (strcmp(part[2], here.boot) != 0)
        return is_known(part[2]) && is_known(here.boot) ? RUN_OVER : RUN_UNKNOWN;
    if (strcmp(part[3], here.pid_namespace) != 0)
        return RUN_UNKNOWN;
    *out_pid = (pid_t)pid;
    *out_start = part[1];
    return RUN_HERE;
}

bool posix_run_is_alive_in(const char *proc, const char *run_id)
{
    char AUTO_FREE *copy = mem_strdup(run_id ? run_id : "");
    const char *start;
    pid_t pid;
    enum run_place place = find_run(proc, copy, &pid, &start);

    return place == RUN_HERE ? process_is_alive(proc, pid, start) : place == RUN_UNKNOWN;
}

/* Ticks since the system started; false when /proc does not say. */
static bool uptime_ticks(const char *proc, int64_t *out)
{
    struct buf AUTO_BUF text = BUF_INIT(STAT_MAX);
    long per_second = sysconf(_SC_CLK_TCK);
    uint64_t seconds;

    if (per_second <= 0 || !read_proc(proc, ".", "uptime", &text) || !text.len)
        return false;
    text.data[strcspn(text.data, ". \n")] = '\0';
    if (!parse_uint(text.data, 0, INT_MAX, &seconds))
        return false;
    *out = (int64_t)seconds * per_second;
    return true;
}

bool posix_run_is_younger_in(const char *proc, const char *run_id, int64_t age_ms)
{
    char AUTO_FREE *copy = mem_strdup(run_id ? run_id : "");
    const char *start;
    uint64_t started;
    int64_t now;
    pid_t pid;

    if (find_run(proc, copy, &pid, &start) != RUN_HERE || !parse_uint(start, 0, INT64_MAX, &started) ||
        !process_is_alive(proc, pid, start) || !uptime_ticks(proc, &now))
        return false;
    return (now - (int64_t)started) / sysconf(_SC_CLK_TCK) < age_ms / 1000;
}

char *platform_run_id(enum platform_run_trust *out_trust)
{
    return posix_run_id_in("/proc", getppid(), out_trust);
}

char *platform_own_run_id(void)
{
    struct process self;
    struct place here;
    bool is_loaded = process_load("/proc", getpid(), &self);

    process_done(&self);
    place_load("/proc", &here);
    return mem_printf("%ld:%s:%s:%s:%s:" OWN_MARK, (long)getpid(), is_loaded ? self.start : UNKNOWN, here.boot,
                      here.pid_namespace, here.host);
}

bool platform_run_is_own(const char *run_id)
{
    return text_ends_with(run_id, ":" OWN_MARK);
}

bool platform_run_is_alive(const char *run_id)
{
    return posix_run_is_alive_in("/proc", run_id);
}

bool platform_run_is_younger(const char *run_id, int64_t age_ms)
{
    return posix_run_is_younger_in("/proc", run_id, age_ms);
}
