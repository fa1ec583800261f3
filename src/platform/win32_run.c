/* SPDX-License-Identifier: MIT
 *
 * Which run of an ACME client do we belong to?
 *
 * A client starts its hook once for each name, and all those processes have to find out that they belong together.
 * What they have in common is the client's process, somewhere above them: a client may start its hook through
 * "cmd /c", PowerShell, or an administrator's wrapper script.  So, upwards from the process that started us:
 *
 *   1. The nearest process with the name of an ACME client is it.
 *   2. Failing that, it is the nearest that is not a mere go-between: a shell that was given a command.  A shell that
 *      runs a script file is none: it may be a client we do not know, as scripts that use Posh-ACME are.
 *
 * The system does not keep the ids of parents that have ended from being used again: a "parent" that started after its
 * child is none.  A run id is "<pid>:<start time>:-:-:<host>", the latter a short hash.  The start time, in units of
 * 100 ns since 1601, is enough to know a process again, whether the system was started since or not.
 */
#include "platform/platform.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/win32.h"
#include "util/parse.h"
#include "util/text.h"
/* after <windows.h>, which it needs */
#include <shellapi.h>

#define UNKNOWN "-"
#define OWN_MARK "own" /* behind the id of a run that is one process of ours, from its beginning to its end */
#define RUN_PARTS 5
#define HASH_SIZE 9 /* 8 hex digits */
#define NAME_SIZE 64

static const char *const clients[] = {
    "acme-client", "acme.sh",         "acmetool",   "caddy",  "certbot",
    "certify.cli", "certify.service", "dehydrated", "getssl", "httpd",
    "lego",        "letsencrypt",     "traefik",    "uacme",  "wacs",
};

static const char *const unix_shells[] = {"ash", "bash", "busybox", "dash", "ksh", "mksh", "sh", "zsh"};

static const char *const go_betweens[] = {
    "conhost", "env",  "gsudo",   "nice", "nohup",  "psexec", "psexec64",
    "runas",   "sudo", "timeout", "time", "winpty", "xargs",
};

/* What starts runs and outlives them: where the search ends, one below. */
static const char *const spawners[] = {
    "explorer", "nssm",     "openconsole", "psexesvc",    "services",  "sshd",     "sshd-session",
    "start",    "svchost",  "taskeng",     "taskhost",    "taskhostw", "userinit", "windowsterminal",
    "wininit",  "winlogon", "wmiprvse",    "wsmprovhost",
};

static const char *const interpreters[] = {"python", "py", "perl", "ruby", "node", "php"};

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_casecmp(word, list[i]) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------------ what a process does */

enum role { ROLE_PROGRAM, ROLE_COMMAND, ROLE_SCRIPT, ROLE_INTERACTIVE };

/* A program, or a shell that was given a command, a script or nothing; with the name of the script or program. */
struct act {
    enum role role;
    char name[NAME_SIZE];
};

/* The last part of a path, without ".exe". */
static void take_name(char out[NAME_SIZE], const char *path)
{
    const char *base = path;
    size_t len;

    for (const char *at = path; *at; at++)
        if (*at == '/' || *at == '\\')
            base = at + 1;
    len = strlen(base);
    if (len > 4 && text_casecmp(base + len - 4, ".exe") == 0)
        len -= 4;
    (void)snprintf(out, NAME_SIZE, "%.*s", (int)(len < NAME_SIZE ? len : NAME_SIZE - 1), base);
}

static void split(const char *line, struct strlist *out)
{
    wchar_t AUTO_WIDE *wide = win32_wide(line ? line : "");
    wchar_t **words;
    int count = 0;

    if (!*wide) /* of which that function makes our own path */
        return;
    words = CommandLineToArgvW(wide, &count);
    for (int i = 0; words && i < count; i++)
        strlist_add_take(out, win32_utf8(words[i]));
    (void)LocalFree(words);
}

static bool is_batch(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && (text_casecmp(name + len - 4, ".bat") == 0 || text_casecmp(name + len - 4, ".cmd") == 0);
}

/* What "cmd /d /s /c ""C:\\a b.bat" ..."" was given, from its first letter on; NULL: nothing.  Its quotes have rules of
 * their own. */
static const char *command_of_cmd(const char *line)
{
    const char *at = line + (*line == '"' ? 1 + strcspn(line + 1, "\"") : strcspn(line, " "));

    at += *at == '"';
    for (;;) {
        at += strspn(at, " ");
        if (at[0] != '/' || !at[1] || strchr("kK", at[1]))
            return NULL;
        if (strchr("cCrR", at[1]))
            return at + 2;
        at += strcspn(at, " ");
    }
}

static void look_at_cmd(const char *line, struct act *out)
{
    const char *command = line ? command_of_cmd(line) : NULL;
    char AUTO_FREE *first = NULL;
    bool is_quoted;

    out->role = command ? ROLE_COMMAND : ROLE_INTERACTIVE;
    if (!command)
        return;
    command += strspn(command, " @\"");
    is_quoted = command[-1] == '"';
    first = mem_strndup(command, strcspn(command, is_quoted ? "\"" : " \""));
    take_name(out->name, first);
    if (is_batch(out->name))
        out->role = ROLE_SCRIPT;
}

/* Is `word` an option whose name begins so, cut off perhaps, as PowerShell understands it? */
static bool is_option(const char *word, const char *name, size_t least)
{
    size_t len = strlen(word);

    return len > least && len - 1 <= strlen(name) && text_ncasecmp(word + 1, name, len - 1) == 0;
}

static bool has_value(const char *option)
{
    static const struct {
        const char *name;
        size_t least; /* letters that it can't be without */
    } names[] = {{"ExecutionPolicy", 2},   {"ep", 2},
                 {"InputFormat", 2},       {"OutputFormat", 1},
                 {"WindowStyle", 1},       {"PSConsoleFile", 1},
                 {"ConfigurationName", 3}, {"Version", 1},
                 {"WorkingDirectory", 2},  {"wd", 2},
                 {"SettingsFile", 2}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (is_option(option, names[i].name, names[i].least))
            return true;
    return false;
}

/* Without an option, the former takes a command, the latter a file. */
static void look_at_powershell(const struct strlist *words, struct act *out)
{
    bool takes_file = text_casecmp(out->name, "pwsh") == 0;

    out->role = ROLE_INTERACTIVE;
    for (size_t i = 1; i < words->count; i++) {
        const char *word = words->items[i];
        bool is_file = is_option(word, "File", 1) && i + 1 < words->count;

        if (word[0] != '-' && word[0] != '/')
            is_file = takes_file;
        else if (!is_file && has_value(word)) {
            i++;
            continue;
        } else if (!is_file && !is_option(word, "Command", 1) && !is_option(word, "EncodedCommand", 1) &&
                   text_casecmp(word + 1, "ec") != 0)
            continue;
        out->role = is_file ? ROLE_SCRIPT : ROLE_COMMAND;
        if (is_file)
            take_name(out->name, word[0] == '-' || word[0] == '/' ? words->items[i + 1] : word);
        return;
    }
}

/* "-ec", "+x" and "-o errexit" may come before. */
static void look_at_unix_shell(const struct strlist *words, struct act *out)
{
    out->role = ROLE_INTERACTIVE;
    for (size_t i = 1; i < words->count; i++) {
        const char *word = words->items[i];

        if (word[0] != '-' && word[0] != '+') {
            out->role = ROLE_SCRIPT;
            take_name(out->name, word);
            return;
        }
        if (word[0] == '-' && word[1] != '-' && strchr(word, 'c')) {
            out->role = ROLE_COMMAND;
            return;
        }
        i += strlen(word) == 2 && strchr("oO", word[1]);
    }
}

/* "certbot" of "python -u C:\certbot\certbot.exe renew" */
static void look_at_interpreter(const struct strlist *words, struct act *out)
{
    for (size_t i = 1; i < words->count; i++) {
        if (words->items[i][0] != '-') {
            take_name(out->name, words->items[i]);
            return;
        }
    }
}

static bool is_interpreter(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(interpreters); i++)
        if (text_ncasecmp(name, interpreters[i], strlen(interpreters[i])) == 0)
            return true;
    return false;
}

static struct act act_of(const struct win32_process *p)
{
    struct strlist AUTO_STRLIST words = {NULL, 0};
    struct act act = {.role = ROLE_PROGRAM};

    take_name(act.name, p->name);
    split(p->line, &words);
    if (text_casecmp(act.name, "cmd") == 0)
        look_at_cmd(p->line, &act);
    else if (text_casecmp(act.name, "powershell") == 0 || text_casecmp(act.name, "pwsh") == 0)
        look_at_powershell(&words, &act);
    else if (is_one_of(act.name, unix_shells, ARRAY_LEN(unix_shells)))
        look_at_unix_shell(&words, &act);
    else if (is_interpreter(act.name))
        look_at_interpreter(&words, &act);
    return act;
}

static bool is_client(const struct win32_process *p)
{
    struct act act = act_of(p);
    char own[NAME_SIZE];

    take_name(own, p->name);
    return is_one_of(own, clients, ARRAY_LEN(clients)) ||
           (act.role != ROLE_COMMAND && is_one_of(act.name, clients, ARRAY_LEN(clients)));
}

static bool is_go_between(const struct win32_process *p)
{
    struct act act = act_of(p);

    return act.role == ROLE_COMMAND || is_one_of(act.name, go_betweens, ARRAY_LEN(go_betweens));
}

/* A shell that somebody sits at outlives all that he starts in it. */
static bool is_spawner(const struct win32_process *p)
{
    struct act act = act_of(p);

    return act.role == ROLE_INTERACTIVE || is_one_of(act.name, spawners, ARRAY_LEN(spawners));
}

/* ------------------------------------------------------------------ which of them */

/* How many of the processes above the first, which is we, are what they seem to be? */
static size_t count_true_ancestors(const struct win32_processes *line)
{
    size_t count = 0;

    for (size_t i = 1; i < line->count; i++) {
        const struct win32_process *child = &line->items[i - 1];
        const struct win32_process *parent = &line->items[i];

        if (child->parent != parent->pid || child->start == 0 || parent->start > child->start)
            break;
        count++;
    }
    return count;
}

static const struct win32_process *choose(const struct win32_processes *line, enum platform_run_trust *out_trust)
{
    size_t count = count_true_ancestors(line);
    const struct win32_process *above = line->items + 1;
    size_t best = 0;

    while (best < count && !is_client(&above[best]))
        best++;
    *out_trust = best < count ? PLATFORM_RUN_CLIENT : count > 0 ? PLATFORM_RUN_GUESSED : PLATFORM_RUN_UNKNOWN;
    if (best < count)
        return &above[best];
    best = 0;
    while (best + 1 < count && is_go_between(&above[best]) && !is_spawner(&above[best + 1]))
        best++;
    return count > 0 ? &above[best] : NULL;
}

/* FNV-1a, 32 bits: to tell machines apart, not to keep them apart from an enemy. */
static void load_host(char out[HASH_SIZE])
{
    wchar_t wide[MAX_PATH];
    DWORD size = MAX_PATH;
    char AUTO_FREE *name = NULL;
    uint32_t hash = 2166136261U;

    if (!GetComputerNameExW(ComputerNamePhysicalDnsHostname, wide, &size)) {
        (void)snprintf(out, HASH_SIZE, UNKNOWN);
        return;
    }
    name = win32_utf8(wide);
    for (const char *at = name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    (void)snprintf(out, HASH_SIZE, "%08" PRIx32, hash);
}

static char *id_of(DWORD pid, int64_t start, const char *mark)
{
    char host[HASH_SIZE];

    load_host(host);
    if (start == 0)
        return mem_printf("%lu:" UNKNOWN ":" UNKNOWN ":" UNKNOWN ":%s%s", (unsigned long)pid, host, mark);
    return mem_printf("%lu:%" PRId64 ":" UNKNOWN ":" UNKNOWN ":%s%s", (unsigned long)pid, start, host, mark);
}

char *win32_run_id_of(const struct win32_processes *line, enum platform_run_trust *out_trust)
{
    enum platform_run_trust trust;
    const struct win32_process *client = choose(line, &trust);

    if (out_trust)
        *out_trust = trust;
    if (client)
        return id_of(client->pid, client->start, "");
    return id_of(line->count ? line->items[0].parent : 0, 0, "");
}

char *platform_run_id(enum platform_run_trust *out_trust)
{
    struct win32_processes AUTO(win32_processes_done) line;

    win32_processes_above(&line);
    return win32_run_id_of(&line, out_trust);
}

char *platform_own_run_id(void)
{
    DWORD pid = GetCurrentProcessId();

    return id_of(pid, win32_process_start(pid), ":" OWN_MARK);
}

bool platform_run_is_own(const char *run_id)
{
    return text_ends_with(run_id, ":" OWN_MARK);
}

/* ------------------------------------------------------------------ what became of it */

struct run {
    DWORD pid;
    int64_t start; /* 0: unknown */
};

/* Can the run's process be looked for here? */
static bool find_run(const char *run_id, struct run *out)
{
    char AUTO_FREE *copy = mem_strdup(run_id ? run_id : "");
    char *parts[RUN_PARTS + 1] = {copy};
    char host[HASH_SIZE];
    size_t count = 1;
    uint64_t pid;
    uint64_t start = 0;

    for (char *at = copy; *at; at++) {
        if (*at != ':')
            continue;
        *at = '\0';
        if (count == ARRAY_LEN(parts))
            return false;
        parts[count++] = at + 1;
    }
    load_host(host);
    if (count < RUN_PARTS || (count > RUN_PARTS && strcmp(parts[RUN_PARTS], OWN_MARK) != 0) ||
        !parse_uint(parts[0], 1, UINT32_MAX, &pid) || strcmp(parts[RUN_PARTS - 1], host) != 0 ||
        strcmp(parts[2], UNKNOWN) != 0 || strcmp(parts[3], UNKNOWN) != 0)
        return false;
    if (strcmp(parts[1], UNKNOWN) != 0 && !parse_uint(parts[1], 1, INT64_MAX, &start))
        return false;
    *out = (struct run){.pid = (DWORD)pid, .start = (int64_t)start};
    return true;
}

bool platform_run_is_alive(const char *run_id)
{
    struct run run;

    return !find_run(run_id, &run) || win32_process_is_alive(run.pid, run.start);
}

bool platform_run_is_younger(const char *run_id, int64_t age_ms)
{
    struct run run;
    int64_t age;

    if (!find_run(run_id, &run) || run.start == 0 || !win32_process_is_alive(run.pid, run.start))
        return false;
    age = win32_process_age_ms(run.pid, run.start);
    return age >= 0 && age < age_ms;
}
