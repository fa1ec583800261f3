/* SPDX-License-Identifier: MIT
 *
 * Windows only: the state a process starts in, and what it knows of its surroundings.
 */
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"
#include "util/text.h"

#define PATIENCE_MS 30000

/* In a child: its status is the line where it went wrong. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return __LINE__;                                                                                           \
    } while (0)

/* ------------------------------------------------------------------ children */

static int child_is_complete(UNUSED int argc, UNUSED char **argv)
{
    FILE *streams[] = {stdin, stdout, stderr};
    HANDLE AUTO_HANDLE next = NULL;

    CHECK(platform_start(NULL) == ERR_OK);
    for (int i = 0; i < 3; i++) {
        HANDLE handle = (HANDLE)_get_osfhandle(i);

        CHECK(_fileno(streams[i]) == i);
        CHECK(GetFileType(handle) != FILE_TYPE_UNKNOWN);
    }
    CHECK(getchar() == EOF);
    CHECK(puts("x") >= 0 && fflush(stdout) == 0 && !ferror(stdout));
    CHECK(fputs("x", stderr) >= 0 && fflush(stderr) == 0 && !ferror(stderr));
    next = CreateEventW(NULL, TRUE, FALSE, NULL); /* takes no place of theirs */
    CHECK(next != GetStdHandle(STD_INPUT_HANDLE) && next != GetStdHandle(STD_OUTPUT_HANDLE) &&
          next != GetStdHandle(STD_ERROR_HANDLE));
    CHECK(!platform_stdout_is_terminal() && !platform_stderr_is_terminal() && !platform_can_ask());
    return 0;
}

static int child_writes_bytes(UNUSED int argc, UNUSED char **argv)
{
    CHECK(platform_start(NULL) == ERR_OK);
    CHECK(fputs("a\nb\r\n", stdout) >= 0);
    return 0;
}

static int child_compares(int argc, char **argv)
{
    static const char *const expected[] = {"*", "a*.c?", "日本-grüß", "", "a b"};

    platform_arguments(&argc, &argv);
    CHECK(argc == 2 + (int)ARRAY_LEN(expected) && !argv[argc]);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        CHECK(strcmp(argv[i + 2], expected[i]) == 0);
    return 0;
}

static int child_crashes(UNUSED int argc, UNUSED char **argv)
{
    CHECK(platform_start(NULL) == ERR_OK);
    RaiseException(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 0, NULL);
    return 0;
}

static const struct {
    const char *name;
    int (*body)(int argc, char **argv);
} children[] = {
    {"child-is-complete", child_is_complete},
    {"child-writes-bytes", child_writes_bytes},
    {"child-compares", child_compares},
    {"child-crashes", child_crashes},
};

/* Run one with these handles; its status. */
static int run_child(const char *arguments, HANDLE input, HANDLE output, HANDLE errors)
{
    wchar_t path[MAX_PATH];
    char AUTO_FREE *utf8 = NULL;
    char AUTO_FREE *line = NULL;
    wchar_t AUTO_WIDE *wide = NULL;
    STARTUPINFOW startup = {.cb = sizeof startup,
                            .dwFlags = STARTF_USESTDHANDLES,
                            .hStdInput = input,
                            .hStdOutput = output,
                            .hStdError = errors};
    PROCESS_INFORMATION process;
    DWORD status = 0;

    assert_true(GetModuleFileNameW(NULL, path, MAX_PATH) > 0);
    utf8 = win32_utf8(path);
    line = mem_printf("\"%s\" %s", utf8, arguments);
    wide = win32_wide(line);
    assert_true(CreateProcessW(NULL, wide, NULL, NULL, TRUE, DETACHED_PROCESS, NULL, NULL, &startup, &process));
    if (WaitForSingleObject(process.hProcess, PATIENCE_MS) != WAIT_OBJECT_0)
        (void)TerminateProcess(process.hProcess, 1);
    assert_true(GetExitCodeProcess(process.hProcess, &status));
    (void)CloseHandle(process.hThread);
    (void)CloseHandle(process.hProcess);
    return (int)status;
}

/* The same, with a pipe for what it writes to one stream. */
static int run_child_and_read(const char *arguments, DWORD which, struct buf *out)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE AUTO_HANDLE from = NULL;
    HANDLE to = NULL;
    int status;

    assert_true(CreatePipe(&from, &to, &inherited, 0));
    assert_true(SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0));
    status = run_child(arguments, NULL, which == STD_OUTPUT_HANDLE ? to : NULL, which == STD_ERROR_HANDLE ? to : NULL);
    (void)CloseHandle(to);
    assert_true(win32_read_all(from, out));
    return status;
}

/* ------------------------------------------------------------------ how it starts */

TEST(missing_standard_handles_are_replaced)
{
    HANDLE stale = (HANDLE)(uintptr_t)0x7ff4; /* a number that means nothing there */

    assert_int_equal(run_child("child-is-complete", NULL, NULL, NULL), 0);
    assert_int_equal(run_child("child-is-complete", INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE),
                     0);
    assert_int_equal(run_child("child-is-complete", stale, stale, stale), 0);
}

TEST(output_is_written_as_it_is)
{
    struct buf AUTO_BUF out = BUF_INIT(100);

    assert_int_equal(run_child_and_read("child-writes-bytes", STD_OUTPUT_HANDLE, &out), 0);
    assert_string_equal(buf_cstr(&out), "a\nb\r\n");
}

TEST(arguments_are_utf8_and_no_wildcards)
{
    assert_int_equal(run_child("child-compares * a*.c? 日本-grüß \"\" \"a b\"", NULL, NULL, NULL), 0);
}

TEST(a_crash_says_what_it_was_and_ends_the_process_with_it)
{
    struct buf AUTO_BUF out = BUF_INIT(1000);

    assert_int_equal((unsigned)run_child_and_read("child-crashes", STD_ERROR_HANDLE, &out),
                     (unsigned)EXCEPTION_ACCESS_VIOLATION);
    assert_non_null(strstr(buf_cstr(&out), "acme-dme: ended by exception 0xC0000005 at "));
}

/* ------------------------------------------------------------------ what it knows */

TEST(variables_are_utf8_and_what_was_lent_stays)
{
    const char *first;
    const char *second;

    assert_null(platform_env("ACME_DME_TEST_ABSENT"));
    assert_true(SetEnvironmentVariableW(L"ACME_DME_TEST", L"\u65E5\u672C"));
    first = platform_env("ACME_DME_TEST");
    assert_string_equal(first, "日本");
    assert_ptr_equal(platform_env("ACME_DME_TEST"), first);
    assert_true(SetEnvironmentVariableW(L"ACME_DME_TEST", L""));
    second = platform_env("ACME_DME_TEST");
    assert_string_equal(second, "");
    assert_string_equal(first, "日本");
    assert_true(SetEnvironmentVariableW(L"ACME_DME_TEST", NULL));
    assert_null(platform_env("ACME_DME_TEST"));
    assert_string_equal(second, "");
}

TEST(a_long_variable_is_had_whole)
{
    wchar_t *wide = mem_calloc(30001, sizeof *wide);

    for (size_t i = 0; i < 30000; i++)
        wide[i] = L'x';
    assert_true(SetEnvironmentVariableW(L"ACME_DME_TEST", wide));
    assert_int_equal(strlen(platform_env("ACME_DME_TEST")), 30000);
    free(wide);
}

static void expect_dir(char *path, const char *end)
{
    if (!path || !platform_path_is_absolute(path) || strchr(path, '\\') || !text_ends_with(path, end))
        fail_msg("\"%s\"", path ? path : "(none)");
    free(path);
}

TEST(directories_are_the_systems_and_written_with_slashes)
{
    expect_dir(platform_config_dir(), "ProgramData");
    expect_dir(platform_default_state_dir(), "/acme-dme/state");
    expect_dir(platform_home(), "");
    assert_true(SetEnvironmentVariableW(L"ProgramData", L"C:\\planted"));
    expect_dir(platform_config_dir(), "ProgramData");
    assert_true(SetEnvironmentVariableW(L"USERPROFILE", L"D:\\Homes\\J\u00FCrgen"));
    expect_dir(platform_home(), "D:/Homes/Jürgen");
    assert_true(SetEnvironmentVariableW(L"USERPROFILE", L"not\\absolute"));
    expect_dir(platform_home(), "");
    assert_true(SetEnvironmentVariableW(L"USERPROFILE", NULL));
    expect_dir(platform_home(), "");
}

TEST(random_bytes_are_never_the_same)
{
    unsigned char a[64] = {0};
    unsigned char b[64] = {0};
    unsigned char none[64] = {0};

    assert_int_equal(platform_random(a, sizeof a, NULL), ERR_OK);
    assert_int_equal(platform_random(b, sizeof b, NULL), ERR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 32, none, 32);
    assert_memory_not_equal(b + 32, none, 32);
}

TEST(the_clock_is_the_systems_and_a_sleep_takes_its_time)
{
    struct clock *clock = platform_clock();
    FILETIME now;
    int64_t start = clock_mono_ms(clock);
    int64_t wall = clock_wall_ms(clock);

    GetSystemTimeAsFileTime(&now);
    assert_true(llabs(win32_unix_ms(&now) - wall) < 5000);
    assert_true(wall > 1700000000000LL);
    assert_true(clock_sleep_ms(clock, 300));
    assert_in_range(clock_mono_ms(clock) - start, 285, 5000);
    assert_true(clock_sleep_ms(clock, 0));
    assert_true(clock_sleep_ms(clock, -5));
    assert_false(clock_is_cancelled(clock));
    assert_null(platform_cancel_reason());
    assert_non_null(strstr(platform_clock_advice(), "w32tm /resync"));
}

TEST(handles_have_no_limit)
{
    assert_int_equal(platform_descriptors_want(100000), 100000);
    assert_int_equal(platform_process_id(), GetCurrentProcessId());
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_standard_handles_are_replaced),
        cmocka_unit_test(output_is_written_as_it_is),
        cmocka_unit_test(arguments_are_utf8_and_no_wildcards),
        cmocka_unit_test(a_crash_says_what_it_was_and_ends_the_process_with_it),
        cmocka_unit_test(variables_are_utf8_and_what_was_lent_stays),
        cmocka_unit_test(a_long_variable_is_had_whole),
        cmocka_unit_test(directories_are_the_systems_and_written_with_slashes),
        cmocka_unit_test(random_bytes_are_never_the_same),
        cmocka_unit_test(the_clock_is_the_systems_and_a_sleep_takes_its_time),
        cmocka_unit_test(handles_have_no_limit),
    };

    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(children); i++)
        if (strcmp(argv[1], children[i].name) == 0)
            return children[i].body(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
