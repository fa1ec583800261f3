/* SPDX-License-Identifier: MIT
 *
 * Starting a program of the operator's.
 *
 * It gets three handles of ours and no other, however many we may have that can be inherited.  It is born into a job,
 * so that nothing it starts can get away from us, but for what breaks away on purpose, as a daemon does elsewhere.
 */
#include "platform/platform.h"

#include <stdlib.h>
#include <string.h>

#include "platform/win32.h"
#include "util/text.h"

#define PIPE_SIZE 65536
#define PIPE_NAME_BYTES 16
#define HANDLES 2
#define ATTRIBUTES 2
#define PLAIN_PATH_MAX 240 /* longer ones need the form without a limit, which some programs do not understand */

#ifndef ERROR_ELEVATION_REQUIRED /* <winerror.h> of mingw-w64 has it not */
#define ERROR_ELEVATION_REQUIRED 740
#endif

static const char *const extensions[] = {".com", ".exe", ".bat", ".cmd", ".ps1"};

/* ------------------------------------------------------------------ which program */

static enum err_code cannot_run(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "could not run \"%s\": %s", path, why);
}

static bool has_known_extension(const char *path)
{
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < ARRAY_LEN(extensions); i++)
        if (text_casecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

/* The file at `path`, or with the first extension that makes one; NULL: there is none.  A file without extension that
 * is beside "name.exe" is mostly a script for another system. */
static char *find_file(const char *path)
{
    for (size_t i = 0; !has_known_extension(path) && i < ARRAY_LEN(extensions); i++) {
        char AUTO_FREE *longer = mem_printf("%s%s", path, extensions[i]);

        if (platform_file_exists(longer))
            return platform_path_absolute(longer);
    }
    return platform_file_exists(path) ? platform_path_absolute(path) : NULL;
}

static enum err_code check_program(const char *path, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    DWORD attributes = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;

    if (!wide)
        return cannot_run(path, "a part of it is no name of a file here", err);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return win32_err(err, ERR_NOT_FOUND, GetLastError(), "run", path);
    if (attributes & FILE_ATTRIBUTE_DIRECTORY)
        return cannot_run(path, "it is a directory", err);
    return ERR_OK;
}

/* Up to the next ";" that is not in quotes, without them; NULL at the end.  Yours. */
static char *next_dir(const char **list)
{
    struct buf AUTO_BUF dir = BUF_INIT(LONG_MAX);
    bool is_quoted = false;

    if (!**list)
        return NULL;
    for (; **list && (is_quoted || **list != ';'); (*list)++) {
        if (**list == '"')
            is_quoted = !is_quoted;
        else
            buf_putc(&dir, **list);
    }
    *list += **list == ';';
    return platform_path_inside(buf_cstr(&dir));
}

/* Neither the directory where we were started is looked into, nor ours, as the system itself would do: what runs must
 * not depend on the former, nor on who can write where the latter is. */
static enum err_code search_path(const char *name, char **out, struct err *err)
{
    const char *path = platform_env("PATH");
    const char *rest = path ? path : "";

    for (;;) {
        char AUTO_FREE *dir = next_dir(&rest);
        char AUTO_FREE *file = NULL;
        char *found;

        if (!dir)
            break;
        file = mem_printf("%s/%s", dir, name);
        found = platform_path_is_absolute(dir) ? find_file(file) : NULL;
        if (found && check_program(found, NULL) == ERR_OK) {
            *out = found;
            return ERR_OK;
        }
        mem_free_auto(&found);
    }
    (void)err_set(err, ERR_NOT_FOUND, "could not run \"%s\": no directory of PATH has it", name);
    err_hint(err, "Write the whole path of the program; PATH is \"%s\".", path ? path : "");
    return ERR_NOT_FOUND;
}

/* *out is absolute. */
static enum err_code find_program(const char *name, char **out, struct err *err)
{
    char AUTO_FREE *inside = NULL;
    char AUTO_FREE *found = NULL;
    enum err_code rc;

    if (!name || !*name)
        return err_set(err, ERR_NOT_FOUND, "could not run a program: it has no name");
    inside = platform_path_inside(name);
    if (!strpbrk(inside, "/:"))
        return search_path(inside, out, err);
    found = find_file(inside);
    if (!found)
        return cannot_run(name, "there is no such file", err);
    rc = check_program(found, err);
    if (rc == ERR_OK) {
        *out = found;
        found = NULL;
    }
    return rc;
}

/* ------------------------------------------------------------------ environment */

/* Up to the "=", which may be the first character: the system hides the working directory of each drive so. */
static int name_length(const wchar_t *entry)
{
    return *entry ? (int)(1 + wcscspn(entry + 1, L"=")) : 0;
}

/* Names are the same in whatever case. */
static int compare_names(const void *a, const void *b)
{
    const wchar_t *first = *(const wchar_t *const *)a;
    const wchar_t *second = *(const wchar_t *const *)b;

    return CompareStringOrdinal(first, name_length(first), second, name_length(second), TRUE) - CSTR_EQUAL;
}

static bool begins_with(const wchar_t *entry, const wchar_t *prefix)
{
    int len = (int)wcslen(prefix);

    return (int)wcslen(entry) >= len && CompareStringOrdinal(entry, len, prefix, len, TRUE) == CSTR_EQUAL;
}

struct entries {
    wchar_t **items;
    size_t count;
};

static void entries_done(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        win32_wide_auto(&entries->items[i]);
    mem_free_auto(&entries->items);
}

static void add_entry(struct entries *entries, const wchar_t *entry)
{
    size_t len = wcslen(entry);
    wchar_t *copy = mem_calloc(len + 1, sizeof *copy);

    memcpy(copy, entry, len * sizeof *copy);
    entries->items = mem_grow(entries->items, entries->count, sizeof *entries->items);
    entries->items[entries->count++] = copy;
}

static bool has_name_of(const struct entries *entries, const wchar_t *entry)
{
    for (size_t i = 0; i < entries->count; i++)
        if (compare_names(&entries->items[i], &entry) == 0)
            return true;
    return false;
}

static void add_ours(struct entries *entries)
{
    wchar_t *ours = GetEnvironmentStringsW();

    for (const wchar_t *at = ours; at && *at; at += wcslen(at) + 1)
        if (!begins_with(at, L"ACME_DME_") && !begins_with(at, L"DNSMADEEASY_") && !has_name_of(entries, at))
            add_entry(entries, at);
    if (ours)
        (void)FreeEnvironmentStringsW(ours);
}

/* One after the other, sorted, as the system wants them, with an empty one at the end.  Yours. */
static wchar_t *environment_of(const struct platform_program *program)
{
    struct entries AUTO(entries_done) entries = {NULL, 0};
    size_t size = 2;
    wchar_t *block;
    wchar_t *at;

    for (const char *const *added = program->environment; added && *added; added++) {
        wchar_t AUTO_WIDE *entry = win32_wide(*added);

        add_entry(&entries, entry);
    }
    add_ours(&entries);
    if (entries.count)
        qsort(entries.items, entries.count, sizeof *entries.items, compare_names);
    for (size_t i = 0; i < entries.count; i++)
        size += wcslen(entries.items[i]) + 1;
    block = at = mem_calloc(size, sizeof *block);
    for (size_t i = 0; i < entries.count; i++) {
        size_t len = wcslen(entries.items[i]);

        memcpy(at, entries.items[i], len * sizeof *at);
        at += len + 1;
    }
    return block;
}

/* ------------------------------------------------------------------ handles */

/* All that the process needs. */
struct launch {
    wchar_t *file; /* what the system starts: the program, or what runs such a script */
    wchar_t *line;
    wchar_t *environment;
    HANDLE handles[HANDLES]; /* input; output and errors */
    HANDLE job;
    LPPROC_THREAD_ATTRIBUTE_LIST attributes;
};

static void launch_done(struct launch *l)
{
    win32_wide_auto(&l->file);
    win32_wide_auto(&l->line);
    win32_wide_auto(&l->environment);
    for (size_t i = 0; i < HANDLES; i++)
        win32_close_auto(&l->handles[i]);
    win32_close_auto(&l->job);
    if (l->attributes)
        DeleteProcThreadAttributeList(l->attributes);
    mem_free_auto(&l->attributes);
}

static HANDLE open_for_child(const wchar_t *path, DWORD access)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};

    return CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, NULL);
}

/* A pipe that we can wait for has a name, unlike others.  Nobody guesses it, and there is one end for each of us. */
static enum err_code make_pipe(HANDLE *out_from, HANDLE *out_to, struct err *err)
{
    unsigned char random[PIPE_NAME_BYTES];
    struct buf AUTO_BUF name = BUF_INIT(128);
    wchar_t AUTO_WIDE *wide = NULL;
    enum err_code rc = platform_random(random, sizeof random, err);

    if (rc != ERR_OK)
        return rc;
    buf_puts(&name, "\\\\.\\pipe\\acme-dme-");
    for (size_t i = 0; i < sizeof random; i++)
        buf_printf(&name, "%02x", random[i]);
    wide = win32_wide(buf_cstr(&name));
    *out_from = CreateNamedPipeW(wide, PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                 PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 1, 0, PIPE_SIZE, 0, NULL);
    if (*out_from == INVALID_HANDLE_VALUE)
        return win32_err_plain(err, ERR_IO, GetLastError(), "make a pipe");
    *out_to = open_for_child(wide, GENERIC_WRITE);
    if (*out_to == INVALID_HANDLE_VALUE)
        return win32_err_plain(err, ERR_IO, GetLastError(), "open a pipe");
    return ERR_OK;
}

static enum err_code make_job(HANDLE *out, struct err *err)
{
    *out = CreateJobObjectW(NULL, NULL);
    if (!*out || !win32_job_keep(*out, WIN32_JOB_ENDS_WITH_US))
        return win32_err_plain(err, ERR_IO, GetLastError(), "make a job");
    return ERR_OK;
}

bool win32_job_keep(HANDLE job, enum win32_job_end end)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_BREAKAWAY_OK}};

    if (end == WIN32_JOB_ENDS_WITH_US)
        limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    return SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
}

/* They point to what `l` has. */
static bool make_attributes(struct launch *l)
{
    SIZE_T size = 0;

    (void)InitializeProcThreadAttributeList(NULL, ATTRIBUTES, 0, &size);
    l->attributes = mem_zalloc(size);
    if (!InitializeProcThreadAttributeList(l->attributes, ATTRIBUTES, 0, &size)) {
        mem_free_auto(&l->attributes);
        return false;
    }
    return UpdateProcThreadAttribute(l->attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, l->handles, sizeof l->handles,
                                     NULL, NULL) &&
           UpdateProcThreadAttribute(l->attributes, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &l->job, sizeof l->job, NULL,
                                     NULL);
}

static enum err_code prepare(struct launch *l, HANDLE *out_output, struct err *err)
{
    enum err_code rc = make_pipe(out_output, &l->handles[1], err);

    if (rc == ERR_OK)
        rc = make_job(&l->job, err);
    if (rc != ERR_OK)
        return rc;
    l->handles[0] = open_for_child(L"NUL", GENERIC_READ);
    if (l->handles[0] == INVALID_HANDLE_VALUE)
        return win32_err_plain(err, ERR_IO, GetLastError(), "open \"NUL\"");
    if (!make_attributes(l))
        return win32_err_plain(err, ERR_IO, GetLastError(), "prepare a process");
    return ERR_OK;
}

/* ------------------------------------------------------------------ the process */

static enum err_code explain(const char *path, DWORD error, struct err *err)
{
    switch (error) {
    case ERROR_BAD_EXE_FORMAT:
    case ERROR_EXE_MACHINE_TYPE_MISMATCH:
        (void)cannot_run(path, "it is no program of this system", err);
        err_hint(err, "Programs end in .exe or .com, scripts in .bat, .cmd or .ps1; of others name the interpreter "
                      "first, and then the script as its argument.");
        return ERR_NOT_FOUND;
    case ERROR_ELEVATION_REQUIRED:
        (void)cannot_run(path, "it wants the rights of an administrator", err);
        err_hint(err, "Run acme-dme as an administrator, or as a scheduled task with the highest rights.");
        return ERR_NOT_FOUND;
    case ERROR_ACCESS_DENIED:
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return win32_err(err, ERR_NOT_FOUND, error, "run", path);
    default:
        return win32_err(err, ERR_IO, error, "run", path);
    }
}

/* Without a console of ours it would get a window.  In a process group of its own Ctrl-C is not for it, but Ctrl-Break
 * is, which we can send. */
static bool create_process(const struct launch *l, PROCESS_INFORMATION *out)
{
    STARTUPINFOEXW startup = {
        .StartupInfo = {.cb = sizeof startup,
                        .dwFlags = STARTF_USESTDHANDLES,
                        .hStdInput = l->handles[0],
                        .hStdOutput = l->handles[1],
                        .hStdError = l->handles[1]},
        .lpAttributeList = l->attributes,
    };
    DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT | CREATE_NEW_PROCESS_GROUP |
                  (win32_has_console() ? 0 : CREATE_NO_WINDOW);

    return CreateProcessW(l->file, l->line, NULL, NULL, TRUE, flags, l->environment, NULL, &startup.StartupInfo, out);
}

/* "C:\..." where it may be so. */
static wchar_t *file_for_system(const char *path)
{
    char AUTO_FREE *native = platform_path_native(path);
    wchar_t *wide = win32_wide(native);

    if (wcslen(wide) <= PLAIN_PATH_MAX)
        return wide;
    win32_wide_auto(&wide);
    return win32_path(path);
}

static enum err_code describe(const char *path, const struct platform_program *program, struct launch *out,
                              struct err *err)
{
    enum win32_runner runner = win32_runner_of(path);
    char AUTO_FREE *by = runner == WIN32_RUN_BY_SYSTEM ? mem_strdup(path) : win32_runner_path(runner);
    size_t count = 0;
    const char **AUTO_FREE argv = NULL;

    while (program->argv[count])
        count++;
    argv = mem_calloc(count + 1, sizeof *argv);
    argv[0] = path;
    for (size_t i = 1; i < count; i++)
        argv[i] = program->argv[i];
    if (!by)
        return err_set(err, ERR_IO, "could not run \"%s\": the system does not tell its directory", path);
    out->file = file_for_system(by);
    out->environment = environment_of(program);
    return win32_command_line(argv, &out->line, err);
}

enum err_code win32_program_start(const struct platform_program *program, struct win32_child *out, struct err *err)
{
    char AUTO_FREE *path = NULL;
    struct launch AUTO(launch_done) l = {.file = NULL};
    HANDLE AUTO_HANDLE output = NULL;
    PROCESS_INFORMATION process = {NULL};
    enum err_code rc = find_program(program->argv[0], &path, err);

    if (rc == ERR_OK)
        rc = describe(path, program, &l, err);
    if (rc == ERR_OK)
        rc = prepare(&l, &output, err);
    if (rc != ERR_OK)
        return rc;
    if (!create_process(&l, &process))
        return explain(path, GetLastError(), err);
    (void)CloseHandle(process.hThread);
    *out = (struct win32_child){
        .process = process.hProcess, .job = l.job, .output = output, .pid = process.dwProcessId};
    l.job = NULL;
    output = NULL;
    return ERR_OK;
}
