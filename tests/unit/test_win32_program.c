/* SPDX-License-Identifier: MIT
 *
 * Windows only: programs that are run, their command lines, their ends.  The programs are this one: with "child-..." as
 * its first argument it does what that says.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"
#include "util/text.h"

/* after <windows.h>, which it needs */
#include <shellapi.h>

#define LONG_MS 60000
#define MAX_OUTPUT 65536
#define ARGS_MAX 16

/* ------------------------------------------------------------------ what the children do */

static char *own_path(void)
{
    wchar_t wide[MAX_PATH];

    assert_true(GetModuleFileNameW(NULL, wide, MAX_PATH) > 0);
    return win32_utf8(wide);
}

/* Start this program once more, with our output. */
static HANDLE start_another(const char *arguments)
{
    char *path = own_path();
    char *line = mem_printf("\"%s\" %s", path, arguments);
    wchar_t *wide = win32_wide(line);
    STARTUPINFOW startup = {.cb = sizeof startup,
                            .dwFlags = STARTF_USESTDHANDLES,
                            .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                            .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
    PROCESS_INFORMATION process = {NULL};

    /* platform_start() took that away. */
    (void)SetHandleInformation(startup.hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    (void)SetHandleInformation(startup.hStdError, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    if (!CreateProcessW(NULL, wide, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        exit(99);
    (void)CloseHandle(process.hThread);
    free(wide);
    free(line);
    free(path);
    return process.hProcess;
}

static int child_arguments(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        printf("[%s]", argv[i]);
    return 0;
}

static int child_variables(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        const char *value = platform_env(argv[i]);

        printf("%s%s", i > 2 ? "|" : "", value ? value : "(unset)");
    }
    return 0;
}

static int child_outputs(UNUSED int argc, char **argv)
{
    (void)fputs("out\n", stdout);
    (void)fflush(stdout);
    (void)fputs("err\n", stderr);
    return atoi(argv[2]);
}

static int child_reads(UNUSED int argc, UNUSED char **argv)
{
    return getchar() == EOF ? 0 : 1;
}

static int child_lines(UNUSED int argc, UNUSED char **argv)
{
    (void)fputs("one\r\n\ntw", stdout);
    (void)fflush(stdout);
    Sleep(300);
    (void)fputs("o\n", stdout);
    for (int i = 0; i < 5000; i++)
        (void)fputc('x', stdout);
    (void)fwrite("\na\0b\nend", 1, 8, stdout);
    return 0;
}

static int child_flood(UNUSED int argc, UNUSED char **argv)
{
    for (int i = 0; i < 3000000; i++)
        (void)fputc('x', stdout);
    return 7;
}

/* A handle of its parent's, as the number that it has there. */
static int child_sets_event(UNUSED int argc, char **argv)
{
    uintptr_t number = (uintptr_t)atoll(argv[2]);

    (void)SetEvent((HANDLE)number);
    return 0;
}

static int child_sleeps(UNUSED int argc, char **argv)
{
    Sleep((DWORD)atoi(argv[2]));
    return 0;
}

/* Tell whoever waits for an event of that name. */
static void tell(const char *name)
{
    wchar_t AUTO_WIDE *wide = win32_wide(name);
    HANDLE AUTO_HANDLE event = OpenEventW(EVENT_MODIFY_STATE, FALSE, wide);

    (void)SetEvent(event);
}

static int child_says_later(UNUSED int argc, char **argv)
{
    tell(argv[3]);
    Sleep((DWORD)atoi(argv[2]));
    (void)fputs("late\n", stdout);
    return 0;
}

/* It ends once the other one has begun. */
static int child_leaves_one(UNUSED int argc, char **argv)
{
    char AUTO_FREE *name = mem_printf("acme-dme-test-up-%lu", (unsigned long)GetCurrentProcessId());
    char AUTO_FREE *arguments = mem_printf("%s %s %s", argv[2], argv[3], name);
    wchar_t AUTO_WIDE *wide = win32_wide(name);
    HANDLE AUTO_HANDLE event = CreateEventW(NULL, TRUE, FALSE, wide);
    HANDLE AUTO_HANDLE other = start_another(arguments);

    return WaitForSingleObject(event, LONG_MS) == WAIT_OBJECT_0 ? 5 : 1;
}

static int child_waits_for_one(UNUSED int argc, char **argv)
{
    char *arguments = mem_printf("%s %s \"%s\"", argv[2], argv[3], argv[4]);

    (void)WaitForSingleObject(start_another(arguments), INFINITE);
    free(arguments);
    return 0;
}

static int child_makes_file(int argc, char **argv)
{
    if (argc > 4)
        tell(argv[4]);
    Sleep((DWORD)atoi(argv[2]));
    return platform_file_replace(argv[3], "x", 1, NULL) == ERR_OK ? 0 : 1;
}

/* Run this program as the program does, and be killed meanwhile. */
static int child_runs_one(UNUSED int argc, char **argv)
{
    char *path = own_path();
    const char *const program_argv[] = {path, argv[2], argv[3], argv[4], NULL};
    const struct platform_program program = {.argv = program_argv, .timeout_ms = LONG_MS};
    struct platform_program_end end;

    (void)fputs("up\n", stdout);
    (void)fflush(stdout);
    return platform_program_run(&program, platform_clock(), &end, NULL) == ERR_OK ? 0 : 1;
}

static BOOL WINAPI leave_on_break(UNUSED DWORD event)
{
    (void)fputs("bye\n", stdout);
    (void)fflush(stdout);
    ExitProcess(9);
}

static BOOL WINAPI ignore_break(UNUSED DWORD event)
{
    return TRUE;
}

/* Wine does not know Ctrl-Break: there it is this event. */
static HANDLE break_event(DWORD pid)
{
    char AUTO_FREE *name = mem_printf("acme-dme-test-break-%lu", (unsigned long)pid);
    wchar_t AUTO_WIDE *wide = win32_wide(name);

    return CreateEventW(NULL, TRUE, FALSE, wide);
}

/* Calls go through pointers that the system fills: this one, and ours in its place. */
typedef BOOL(WINAPI *break_function)(DWORD event, DWORD group);
extern const break_function __real___imp_GenerateConsoleCtrlEvent;
extern const break_function __wrap___imp_GenerateConsoleCtrlEvent;

static BOOL WINAPI send_event(DWORD event, DWORD group)
{
    HANDLE AUTO_HANDLE instead = NULL;

    if (__real___imp_GenerateConsoleCtrlEvent(event, group))
        return TRUE;
    instead = break_event(group);
    return event == CTRL_BREAK_EVENT && GetLastError() == ERROR_ALREADY_EXISTS && SetEvent(instead);
}

const break_function __wrap___imp_GenerateConsoleCtrlEvent = send_event;

static int child_cleans_up(UNUSED int argc, UNUSED char **argv)
{
    HANDLE event = break_event(GetCurrentProcessId());

    (void)SetConsoleCtrlHandler(leave_on_break, TRUE);
    (void)fputs("up\n", stdout);
    (void)fflush(stdout);
    if (WaitForSingleObject(event, LONG_MS) == WAIT_OBJECT_0)
        (void)leave_on_break(CTRL_BREAK_EVENT);
    return 0;
}

static int child_is_deaf(UNUSED int argc, UNUSED char **argv)
{
    HANDLE event = break_event(GetCurrentProcessId());

    (void)SetConsoleCtrlHandler(ignore_break, TRUE);
    (void)fputs("up\n", stdout);
    (void)fflush(stdout);
    Sleep(LONG_MS);
    (void)CloseHandle(event);
    return 0;
}

static int child_old_text(UNUSED int argc, UNUSED char **argv)
{
    char old[16];
    int len = WideCharToMultiByte(CP_OEMCP, 0, L"gr\u00FC\u00DF\n", -1, old, sizeof old, NULL, NULL);

    (void)fwrite(old, 1, len > 0 ? (size_t)len - 1 : 0, stdout);
    (void)fputs("und gr\xC3\xBC\xC3\x9F\n", stdout);
    return 0;
}

static int child_crashes(UNUSED int argc, UNUSED char **argv)
{
    RaiseException(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 0, NULL);
    return 0;
}

static const struct {
    const char *name;
    int (*body)(int argc, char **argv);
} children[] = {
    {"child-arguments", child_arguments},
    {"child-variables", child_variables},
    {"child-outputs", child_outputs},
    {"child-reads", child_reads},
    {"child-lines", child_lines},
    {"child-flood", child_flood},
    {"child-sets-event", child_sets_event},
    {"child-sleeps", child_sleeps},
    {"child-says-later", child_says_later},
    {"child-leaves-one", child_leaves_one},
    {"child-waits-for-one", child_waits_for_one},
    {"child-makes-file", child_makes_file},
    {"child-runs-one", child_runs_one},
    {"child-cleans-up", child_cleans_up},
    {"child-is-deaf", child_is_deaf},
    {"child-old-text", child_old_text},
    {"child-crashes", child_crashes},
};

/* ------------------------------------------------------------------ what the tests need */

/* This program with arguments, up to NULL. */
static enum err_code run(const char *const *arguments, int64_t timeout_ms, struct platform_program_end *out,
                         struct err *err)
{
    char AUTO_FREE *path = own_path();
    const char *argv[ARGS_MAX] = {path};
    const struct platform_program program = {.argv = argv, .timeout_ms = timeout_ms, .max_output = MAX_OUTPUT};

    for (size_t i = 0; arguments[i]; i++) {
        assert_true(i + 2 < ARGS_MAX);
        argv[i + 1] = arguments[i];
    }
    return platform_program_run(&program, platform_clock(), out, err);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect(const char *const *arguments, int status, const char *output)
{
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};
    struct err err;

    if (run(arguments, LONG_MS, &end, &err) != ERR_OK)
        fail_msg("%s: %s", arguments[0], err.msg);
    assert_string_equal(buf_cstr(&end.output), output);
    assert_int_equal(end.exit_status, status);
    assert_int_equal(end.signal, 0);
}

static bool is_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

/* A new directory; yours. */
static char *place_new(void)
{
    wchar_t temp[MAX_PATH];
    char AUTO_FREE *utf8 = NULL;
    char AUTO_FREE *inside = NULL;
    char *dir;
    uint64_t random = 0;

    assert_true(GetTempPathW(MAX_PATH, temp) > 0);
    utf8 = win32_utf8(temp);
    inside = platform_path_inside(utf8);
    assert_int_equal(platform_random(&random, sizeof random, NULL), ERR_OK);
    dir = mem_printf("%stest program 日本-grüß %llx", inside, (unsigned long long)random);
    assert_int_equal(platform_dir_make(dir, NULL), ERR_OK);
    return dir;
}

static void place_free(char **dir)
{
    assert_int_equal(platform_tree_remove(*dir, NULL), ERR_OK);
    mem_free_auto(dir);
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(platform_file_create(path, text, strlen(text), NULL), ERR_OK);
}

/* ------------------------------------------------------------------ command lines */

TEST(arguments_come_through_as_they_are)
{
    expect(ARGS("child-arguments", "", "a b", "-x", "--", "/c", "*", "?.c", "日本-grüß", "[a]"), 0,
           "[][a b][-x][--][/c][*][?.c][日本-grüß][[a]]");
    expect(ARGS("child-arguments", "\"", "a\"b", "a\\\"b", "a\\\\\"b\\", "c:\\dir\\", "c:\\a dir\\", "\\\\host\\share"),
           0, "[\"][a\"b][a\\\"b][a\\\\\"b\\][c:\\dir\\][c:\\a dir\\][\\\\host\\share]");
    expect(ARGS("child-arguments", "%PATH%", "!x!", "a&b|c<d>e^f", "$(id) `id`", "\ttab\t", "line\nline", "'a'", "@x"),
           0, "[%PATH%][!x!][a&b|c<d>e^f][$(id) `id`][\ttab\t][line\nline]['a'][@x]");
}

/* What the system makes of our command line, without any process. */
TEST(command_lines_are_taken_apart_as_they_were_put_together)
{
    static const char *const parts[] = {"", "\\", "\\\\", "\"", "\\\"", "a", " ", "\\\\\" \\", "\"\""};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        for (size_t j = 0; j < ARRAY_LEN(parts); j++) {
            char AUTO_FREE *both = mem_printf("%s%s", parts[i], parts[j]);
            const char *const argv[] = {"C:/a b/x.exe", parts[i], both, parts[j], NULL};
            wchar_t AUTO_WIDE *line = NULL;
            wchar_t **words;
            int count = 0;

            assert_int_equal(win32_command_line(argv, &line, NULL), ERR_OK);
            words = CommandLineToArgvW(line, &count);
            assert_int_equal(count, 4);
            for (int k = 1; k < count; k++) {
                char AUTO_FREE *word = win32_utf8(words[k]);

                assert_string_equal(word, argv[k]);
            }
            (void)LocalFree(words);
        }
    }
}

static void expect_line(const char *const *argv, const char *line)
{
    wchar_t AUTO_WIDE *wide = NULL;
    char AUTO_FREE *text = NULL;
    struct err err;

    if (win32_command_line(argv, &wide, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    text = win32_utf8(wide);
    if (!text_ends_with(text, line))
        fail_msg("\"%s\" does not end in \"%s\"", text, line);
}

TEST(scripts_are_run_by_the_systems_own_interpreters)
{
    expect_line(ARGS("C:/a b/x.CMD", "plain-1.0", "a b", "", "c:\\d\\", "a&b", "(x)"),
                "\\system32\\cmd.exe /d /e:ON /v:OFF /s /c \"\"C:\\a b\\x.CMD\" plain-1.0 \"a b\" \"\" c:\\d\\ \"a&b\" "
                "\"(x)\"\"");
    expect_line(ARGS("C:/x.ps1", "-Name", "a b"), "\\system32\\WindowsPowerShell\\v1.0\\powershell.exe -NoLogo "
                                                  "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File C:\\x.ps1 "
                                                  "-Name \"a b\"");
    expect_line(ARGS("C:/x.exe", "a b"), "C:\\x.exe \"a b\"");
}

TEST(what_a_batch_file_can_not_be_given_safely_is_refused)
{
    static const char *const dangerous[] = {"a\"b", "\" & calc & \"", "%PATH%", "!x!", "a\nb", "a\rb", "\x1a"};
    wchar_t *line = NULL;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(dangerous); i++) {
        assert_int_equal(win32_command_line(ARGS("C:/x.bat", "fine", dangerous[i]), &line, &err), ERR_INPUT);
        assert_non_null(strstr(err.msg, "C:/x.bat"));
        assert_non_null(strstr(err.hint, "PowerShell"));
        assert_int_equal(win32_command_line(ARGS("C:/x.ps1", dangerous[i]), &line, &err), ERR_OK);
        win32_wide_auto(&line);
    }
    assert_int_equal(win32_command_line(ARGS("C:/100%/x.bat"), &line, NULL), ERR_INPUT);
}

TEST(command_lines_have_a_maximum)
{
    char AUTO_FREE *text = mem_zalloc(40001);
    wchar_t *line = NULL;

    memset(text, 'x', 8000);
    assert_int_equal(win32_command_line(ARGS("C:/x.bat", text), &line, NULL), ERR_OK);
    win32_wide_auto(&line);
    memset(text, 'x', 8200);
    assert_int_equal(win32_command_line(ARGS("C:/x.bat", text), &line, NULL), ERR_INPUT);
    assert_int_equal(win32_command_line(ARGS("C:/x.exe", text), &line, NULL), ERR_OK);
    win32_wide_auto(&line);
    memset(text, 'x', 40000);
    assert_int_equal(win32_command_line(ARGS("C:/x.exe", text), &line, NULL), ERR_INPUT);
}

TEST(a_batch_file_is_run_with_its_arguments_and_its_status_told)
{
    AUTO(place_free) char *dir = place_new();
    char AUTO_FREE *path = mem_printf("%s/a script.bat", dir);
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};
    const char *const argv[] = {path, "a b", "c&d", "plain", NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    struct err err;

    write_text(path, "@echo off\r\necho [%~1][%~3]\r\nexit /b 6\r\n");
    if (platform_program_run(&program, platform_clock(), &end, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_string_equal(buf_cstr(&end.output), "[a b][plain]\r\n");
    assert_int_equal(end.exit_status, 6);
}

/* ------------------------------------------------------------------ what it is told and tells */

TEST(exit_status_and_both_outputs_are_handed_back)
{
    expect(ARGS("child-outputs", "3"), 3, "out\nerr\n");
    expect(ARGS("child-outputs", "0"), 0, "out\nerr\n");
    expect(ARGS("child-outputs", "-1"), -1, "out\nerr\n");
}

TEST(it_has_an_input_that_is_at_its_end)
{
    expect(ARGS("child-reads"), 0, "");
}

TEST(our_environment_goes_on_without_secrets_and_with_what_is_added)
{
    char AUTO_FREE *path = own_path();
    const char *const argv[] = {path,
                                "child-variables",
                                "KEPT",
                                "replaced",
                                "ADDED",
                                "ACME_DME_API_KEY",
                                "Dnsmadeeasy_Secret",
                                "acme_dme_name",
                                "EMPTY",
                                "SYSTEMROOT",
                                NULL};
    const char *const environment[] = {"REPLACED=new 日本", "ADDED=a=b", "ACME_DME_NAME=told", NULL};
    const struct platform_program program = {
        .argv = argv, .environment = environment, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};

    assert_true(SetEnvironmentVariableW(L"KEPT", L"grüß") && SetEnvironmentVariableW(L"Replaced", L"old") &&
                SetEnvironmentVariableW(L"Acme_Dme_Api_Key", L"secret") &&
                SetEnvironmentVariableW(L"DNSMADEEASY_SECRET", L"secret") && SetEnvironmentVariableW(L"EMPTY", L""));
    assert_int_equal(platform_program_run(&program, platform_clock(), &end, NULL), ERR_OK);
    if (!text_starts_with(buf_cstr(&end.output), "grüß|new 日本|a=b|(unset)|(unset)|told||") ||
        text_ends_with(buf_cstr(&end.output), "(unset)"))
        fail_msg("%s", buf_cstr(&end.output));
}

TEST(it_gets_no_handle_of_ours)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE event = CreateEventW(&inherited, TRUE, FALSE, NULL);
    char AUTO_FREE *number = mem_printf("%llu", (unsigned long long)(uintptr_t)event);
    char AUTO_FREE *arguments = mem_printf("child-sets-event %s", number);
    HANDLE AUTO_HANDLE other = NULL;

    assert_non_null(event);
    other = start_another(arguments);
    (void)WaitForSingleObject(other, INFINITE);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0); /* as others do it */
    (void)ResetEvent(event);
    expect(ARGS("child-sets-event", number), 0, "");
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    (void)CloseHandle(event);
}

static void note_line(void *ctx, const char *line)
{
    buf_printf(ctx, "<%zu:%.8s>", strlen(line), line);
}

TEST(lines_are_told_as_they_come_overlong_ones_are_cut_and_the_last_needs_no_newline)
{
    char AUTO_FREE *path = own_path();
    const char *const argv[] = {path, "child-lines", NULL};
    struct buf AUTO_BUF lines = BUF_INIT(10000);
    const struct platform_program program = {
        .argv = argv, .timeout_ms = LONG_MS, .max_output = 5, .line = note_line, .ctx = &lines};
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};

    assert_int_equal(platform_program_run(&program, platform_clock(), &end, NULL), ERR_OK);
    assert_string_equal(buf_cstr(&lines), "<3:one><0:><3:two><1024:xxxxxxxx><2:ab><3:end>");
    assert_string_equal(buf_cstr(&end.output), "one\r\n");
}

TEST(more_output_than_is_kept_is_read_all_the_same)
{
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};

    assert_int_equal(run(ARGS("child-flood"), LONG_MS, &end, NULL), ERR_OK);
    assert_int_equal(end.exit_status, 7);
    assert_int_equal(end.output.len, MAX_OUTPUT);
}

TEST(lines_in_the_consoles_code_page_become_utf8_and_others_stay)
{
    expect(ARGS("child-old-text"), 0, "grüß\nund grüß\n");
}

TEST(a_crash_is_a_status)
{
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};

    assert_int_equal(run(ARGS("child-crashes"), LONG_MS, &end, NULL), ERR_OK);
    assert_int_equal((unsigned)end.exit_status, (unsigned)EXCEPTION_ACCESS_VIOLATION);
}

/* ------------------------------------------------------------------ programs that are none */

static void expect_not_run(const char *name, const char *why)
{
    const char *const argv[] = {name, NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    struct platform_program_end end = {.exit_status = 4711};
    struct err err;

    if (platform_program_run(&program, platform_clock(), &end, &err) != ERR_NOT_FOUND)
        fail_msg("\"%s\" ran", name);
    if (!strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_int_equal(end.exit_status, 4711);
}

TEST(what_cannot_be_run_is_refused_with_the_reason)
{
    AUTO(place_free) char *dir = place_new();
    char AUTO_FREE *absent = mem_printf("%s/absent", dir);
    char AUTO_FREE *text = mem_printf("%s/text.exe", dir);
    char AUTO_FREE *script = mem_printf("%s/script", dir);

    write_text(text, "no program");
    write_text(script, "#!/bin/sh\n");
    expect_not_run(absent, "there is no such file");
    expect_not_run(dir, "it is a directory");
    expect_not_run(text, "it is no program of this system");
    if (!is_wine()) /* which runs what the system below it can run */
        expect_not_run(script, "it is no program of this system");
    expect_not_run("acme-dme-no-such-program", "no directory of PATH has it");
    expect_not_run("C:/x.bat. .", "");
    expect_not_run("", "it has no name");
}

static int status_of(const char *name)
{
    const char *const argv[] = {name, NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};
    struct err err;

    if (platform_program_run(&program, platform_clock(), &end, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return end.exit_status;
}

TEST(a_name_is_looked_for_in_absolute_parts_of_path_only_with_the_extensions_that_run)
{
    AUTO(place_free) char *dir = place_new();
    AUTO(place_free) char *other = place_new();
    char AUTO_FREE *here = mem_printf("%s/greet.bat", dir);
    char AUTO_FREE *plain = mem_printf("%s/greet", other);
    char AUTO_FREE *there = mem_printf("%s/greet.cmd", other);
    char AUTO_FREE *before = mem_strdup(platform_env("PATH"));
    char AUTO_FREE *path = mem_printf("relative;;.;C:\\no\\such;\"%s\";%s", other, before);
    wchar_t AUTO_WIDE *wide_dir = win32_wide(dir);
    wchar_t AUTO_WIDE *wide_path = win32_wide(path);
    wchar_t AUTO_WIDE *wide_before = win32_wide(before);
    wchar_t cwd[MAX_PATH];

    write_text(here, "@exit /b 1\r\n");
    write_text(plain, "#!/bin/sh\n");
    write_text(there, "@exit /b 2\r\n");
    assert_true(GetCurrentDirectoryW(MAX_PATH, cwd) > 0 && SetCurrentDirectoryW(wide_dir) &&
                SetEnvironmentVariableW(L"PATH", wide_path));
    assert_int_equal(status_of("greet"), 2);
    assert_int_equal(status_of("greet.cmd"), 2);
    assert_int_equal(status_of("./greet"), 1);
    assert_true(SetEnvironmentVariableW(L"PATH", wide_before) && SetCurrentDirectoryW(cwd));
}

/* ------------------------------------------------------------------ ends */

TEST(a_time_limit_ends_all_that_it_started)
{
    AUTO(place_free) char *dir = place_new();
    char AUTO_FREE *path = mem_printf("%s/alive", dir);
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};
    struct err err;

    assert_int_equal(run(ARGS("child-waits-for-one", "child-makes-file", "8000", path), 500, &end, &err), ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, "within 1 s"));
    assert_int_equal(end.exit_status, -1);
    assert_int_equal(end.signal, SIGTERM);
    assert_in_range(end.took_ms, 500, 7900);
    Sleep(8500);
    assert_false(platform_file_exists(path));
}

TEST(one_that_does_not_heed_ctrl_break_is_killed_later)
{
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};

    assert_int_equal(run(ARGS("child-is-deaf"), 3000, &end, NULL), ERR_TIMEOUT);
    assert_int_equal(end.signal, SIGTERM);
    assert_string_equal(buf_cstr(&end.output), "up\n");
    assert_in_range(end.took_ms, 8000, 30000);
}

TEST(one_that_cleans_up_after_ctrl_break_is_let_do_so)
{
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};

    assert_int_equal(run(ARGS("child-cleans-up"), 3000, &end, NULL), ERR_TIMEOUT);
    assert_string_equal(buf_cstr(&end.output), "up\nbye\n");
    assert_int_equal(end.exit_status, 9);
    assert_int_equal(end.signal, 0);
    assert_in_range(end.took_ms, 3000, 7900);
}

static int64_t real_mono_ms(UNUSED struct clock *self)
{
    return clock_mono_ms(platform_clock());
}

static bool is_cancelled(UNUSED struct clock *self)
{
    return true;
}

TEST(it_is_ended_when_we_are_asked_to_stop)
{
    char AUTO_FREE *path = own_path();
    const char *const argv[] = {path, "child-sleeps", "60000", NULL};
    const struct platform_program program = {.argv = argv, .timeout_ms = LONG_MS, .max_output = MAX_OUTPUT};
    struct clock clock = {.mono_ms = real_mono_ms, .is_cancelled = is_cancelled};
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};
    struct err err;

    assert_int_equal(platform_program_run(&program, &clock, &end, &err), ERR_CANCELLED);
    assert_non_null(strstr(err.msg, path));
    assert_int_equal(end.signal, SIGTERM);
    assert_in_range(end.took_ms, 0, 30000);
}

TEST(one_that_it_leaves_behind_is_neither_waited_for_nor_ended)
{
    AUTO(place_free) char *dir = place_new();
    char AUTO_FREE *path = mem_printf("%s/alive", dir);
    char AUTO_FREE *rest = mem_printf("8000 \"%s\"", path);
    AUTO(platform_program_end_done) struct platform_program_end end = {.exit_status = -1};

    assert_int_equal(run(ARGS("child-leaves-one", "child-makes-file", rest), LONG_MS, &end, NULL), ERR_OK);
    assert_int_equal(end.exit_status, 5);
    assert_in_range(end.took_ms, 900, 7000);
    for (int i = 0; i < 300 && !platform_file_exists(path); i++)
        Sleep(100);
    assert_true(platform_file_exists(path));
}

TEST(it_ends_with_us)
{
    AUTO(place_free) char *dir = place_new();
    char AUTO_FREE *path = mem_printf("%s/alive", dir);
    char AUTO_FREE *other = mem_printf("%s/other", dir);
    char AUTO_FREE *killed = mem_printf("child-runs-one child-makes-file 4000 \"%s\"", path);
    char AUTO_FREE *spared = mem_printf("child-runs-one child-makes-file 100 \"%s\"", other);
    HANDLE AUTO_HANDLE first = start_another(killed);
    HANDLE AUTO_HANDLE second = start_another(spared);

    assert_int_equal(WaitForSingleObject(second, 30000), WAIT_OBJECT_0);
    assert_true(platform_file_exists(other));
    Sleep(1000);
    assert_true(TerminateProcess(first, 1));
    Sleep(5000);
    assert_false(platform_file_exists(path));
}

TEST(what_a_child_writes_shortly_after_its_parent_ended_is_read)
{
    expect(ARGS("child-leaves-one", "child-says-later", "400"), 5, "late\n");
}

TEST(no_handle_is_left_behind)
{
    DWORD before = 0;
    DWORD after = 0;

    expect(ARGS("child-outputs", "0"), 0, "out\nerr\n");
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &before));
    for (int i = 0; i < 10; i++)
        expect(ARGS("child-outputs", "0"), 0, "out\nerr\n");
    expect_not_run("C:/no/such/program.exe", "there is no such file");
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &after));
    assert_int_equal(after, before);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(arguments_come_through_as_they_are),
    cmocka_unit_test(command_lines_are_taken_apart_as_they_were_put_together),
    cmocka_unit_test(scripts_are_run_by_the_systems_own_interpreters),
    cmocka_unit_test(what_a_batch_file_can_not_be_given_safely_is_refused),
    cmocka_unit_test(command_lines_have_a_maximum),
    cmocka_unit_test(a_batch_file_is_run_with_its_arguments_and_its_status_told),
    cmocka_unit_test(exit_status_and_both_outputs_are_handed_back),
    cmocka_unit_test(it_has_an_input_that_is_at_its_end),
    cmocka_unit_test(our_environment_goes_on_without_secrets_and_with_what_is_added),
    cmocka_unit_test(it_gets_no_handle_of_ours),
    cmocka_unit_test(lines_are_told_as_they_come_overlong_ones_are_cut_and_the_last_needs_no_newline),
    cmocka_unit_test(more_output_than_is_kept_is_read_all_the_same),
    cmocka_unit_test(lines_in_the_consoles_code_page_become_utf8_and_others_stay),
    cmocka_unit_test(a_crash_is_a_status),
    cmocka_unit_test(what_cannot_be_run_is_refused_with_the_reason),
    cmocka_unit_test(a_name_is_looked_for_in_absolute_parts_of_path_only_with_the_extensions_that_run),
    cmocka_unit_test(a_time_limit_ends_all_that_it_started),
    cmocka_unit_test(one_that_does_not_heed_ctrl_break_is_killed_later),
    cmocka_unit_test(one_that_cleans_up_after_ctrl_break_is_let_do_so),
    cmocka_unit_test(it_is_ended_when_we_are_asked_to_stop),
    cmocka_unit_test(one_that_it_leaves_behind_is_neither_waited_for_nor_ended),
    cmocka_unit_test(it_ends_with_us),
    cmocka_unit_test(what_a_child_writes_shortly_after_its_parent_ended_is_read),
    cmocka_unit_test(no_handle_is_left_behind),
};

int main(int argc, char **argv)
{
    platform_arguments(&argc, &argv);
    if (platform_start(NULL) != ERR_OK)
        return 1;
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(children); i++)
        if (strcmp(argv[1], children[i].name) == 0)
            return children[i].body(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
