/* SPDX-License-Identifier: MIT
 *
 * Windows only: the console, and what may stop the program there.  Tests may run without one, so each is made by a
 * child in a console of its own that nobody sees.
 */
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"

#define PATIENCE_MS 10000
#define WIDTH 40
#define SAMPLE "日本-grüß €"
#define WIDE_SAMPLE L"\u65E5\u672C-gr\u00FC\u00DF \u20AC"

/* In a child, whose parent sees nothing else: its status is the line where it went wrong. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return __LINE__;                                                                                           \
    } while (0)

/* Does the screen have it in its first lines?  A wide letter has two cells on some. */
static bool is_shown(const wchar_t *text)
{
    HANDLE AUTO_HANDLE screen = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                                            FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    int64_t end = clock_mono_ms(platform_clock()) + PATIENCE_MS;

    do {
        for (SHORT y = 0; y < 20; y++) {
            wchar_t line[WIDTH + 1] = L"";
            DWORD got = 0;

            (void)ReadConsoleOutputCharacterW(screen, line, WIDTH, (COORD){0, y}, &got);
            if (wcsstr(line, text))
                return true;
        }
        Sleep(50);
    } while (clock_mono_ms(platform_clock()) < end);
    return false;
}

static int child_writes(void)
{
    UINT code_page = GetConsoleOutputCP();

    CHECK(platform_start(NULL) == ERR_OK);
    CHECK(win32_has_console() && platform_stderr_is_terminal());
    for (const char *at = SAMPLE "\n"; *at; at++) { /* in pieces of letters */
        (void)fputc(*at, stdout);
        (void)fflush(stdout);
        Sleep(1);
    }
    CHECK(is_shown(WIDE_SAMPLE));
    (void)fputs("error " SAMPLE "\n", stderr);
    (void)fflush(stderr);
    CHECK(is_shown(L"error " WIDE_SAMPLE));
    (void)fputs("not UTF-8: \xFF.\n", stdout);
    CHECK(is_shown(L"not UTF-8: \uFFFD."));
    CHECK(GetConsoleOutputCP() == code_page);
    return 0;
}

/* What was not flushed is shown at the end of the process, which has the modes as they were. */
static int child_shows_all(void)
{
    HANDLE AUTO_HANDLE screen = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                                            FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    wchar_t path[MAX_PATH + 32];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD before = 0;
    DWORD after = 1;
    DWORD status = 1;

    CHECK(GetConsoleMode(screen, &before));
    path[0] = L'"';
    CHECK(GetModuleFileNameW(NULL, path + 1, MAX_PATH) > 0);
    wcscat(path, L"\" child-ends");
    CHECK(CreateProcessW(NULL, path, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process));
    CHECK(WaitForSingleObject(process.hProcess, PATIENCE_MS) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(process.hProcess, &status) && status == 0);
    CHECK(is_shown(L"the end " WIDE_SAMPLE));
    CHECK(GetConsoleMode(screen, &after) && after == before);
    return 0;
}

static int child_ends(void)
{
    CHECK(platform_start(NULL) == ERR_OK);
    (void)fputs("the end " SAMPLE, stdout);
    (void)fputs(".", stderr);
    return 0;
}

/* Under wine it takes the keys. */
static bool press_ctrl_c(void)
{
    HANDLE AUTO_HANDLE keyboard = NULL;
    INPUT_RECORD keys[2] = {{.EventType = KEY_EVENT}, {.EventType = KEY_EVENT}};
    DWORD written = 0;

    if (GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
        return true;
    keyboard = CreateFileW(L"CONIN$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                           OPEN_EXISTING, 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        keys[i].Event.KeyEvent.bKeyDown = i == 0;
        keys[i].Event.KeyEvent.wRepeatCount = 1;
        keys[i].Event.KeyEvent.wVirtualKeyCode = 'C';
        keys[i].Event.KeyEvent.uChar.UnicodeChar = L'\x03';
        keys[i].Event.KeyEvent.dwControlKeyState = LEFT_CTRL_PRESSED;
    }
    return WriteConsoleInputW(keyboard, keys, ARRAY_LEN(keys), &written) && written == ARRAY_LEN(keys);
}

static int child_is_stopped(void)
{
    struct clock *clock = platform_clock();
    int64_t start;

    CHECK(platform_start(NULL) == ERR_OK);
    CHECK(!clock_is_cancelled(clock) && !platform_cancel_reason());
    start = clock_mono_ms(clock);
    CHECK(press_ctrl_c());
    CHECK(!clock_sleep_ms(clock, 60000));
    CHECK(clock_mono_ms(clock) - start < 20000);
    CHECK(clock_is_cancelled(clock) && !clock_sleep_ms(clock, 1));
    CHECK(strcmp(platform_cancel_reason(), "Ctrl-C") == 0);
    clock_accept_cancel(clock);
    CHECK(!clock_is_cancelled(clock) && clock_sleep_ms(clock, 300));
    CHECK(press_ctrl_c()); /* a second time cleaning up is not cut short */
    CHECK(clock_sleep_ms(clock, 300));
    return 0;
}

static DWORD WINAPI cancel_soon(UNUSED void *argument)
{
    Sleep(200);
    win32_cancel("first");
    win32_cancel("second");
    return 0;
}

static int child_is_cancelled(void)
{
    struct clock *clock = platform_clock();

    CHECK(platform_start(NULL) == ERR_OK);
    CHECK(CreateThread(NULL, 0, cancel_soon, NULL, 0, NULL));
    CHECK(!clock_sleep_ms(clock, 60000));
    CHECK(strcmp(platform_cancel_reason(), "first") == 0);
    clock_accept_cancel(clock);
    win32_cancel("third");
    CHECK(clock_sleep_ms(clock, 100) && !clock_is_cancelled(clock));
    CHECK(strcmp(platform_cancel_reason(), "first") == 0);
    return 0;
}

static const struct {
    const char *name;
    int (*body)(void);
} children[] = {
    {"child-writes", child_writes},         {"child-shows-all", child_shows_all},       {"child-ends", child_ends},
    {"child-is-stopped", child_is_stopped}, {"child-is-cancelled", child_is_cancelled},
};

/* In a console of its own; its status. */
static int in_console(const char *name)
{
    wchar_t path[MAX_PATH];
    char AUTO_FREE *utf8 = NULL;
    char AUTO_FREE *line = NULL;
    wchar_t AUTO_WIDE *wide = NULL;
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD status = 0;

    assert_true(GetModuleFileNameW(NULL, path, MAX_PATH) > 0);
    utf8 = win32_utf8(path);
    line = mem_printf("\"%s\" %s", utf8, name);
    wide = win32_wide(line);
    assert_true(CreateProcessW(NULL, wide, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, NULL, &startup, &process));
    if (WaitForSingleObject(process.hProcess, 6 * PATIENCE_MS) != WAIT_OBJECT_0)
        (void)TerminateProcess(process.hProcess, 1);
    assert_true(GetExitCodeProcess(process.hProcess, &status));
    (void)CloseHandle(process.hThread);
    (void)CloseHandle(process.hProcess);
    return (int)status;
}

TEST(text_is_shown_letter_by_letter_whatever_the_code_page_is)
{
    assert_int_equal(in_console("child-writes"), 0);
}

TEST(at_the_end_all_is_shown_and_the_console_as_it_was)
{
    assert_int_equal(in_console("child-shows-all"), 0);
}

TEST(ctrl_c_ends_a_sleep_and_no_clean_up)
{
    assert_int_equal(in_console("child-is-stopped"), 0);
}

TEST(the_first_reason_to_stop_stays)
{
    assert_int_equal(in_console("child-is-cancelled"), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_shown_letter_by_letter_whatever_the_code_page_is),
        cmocka_unit_test(at_the_end_all_is_shown_and_the_console_as_it_was),
        cmocka_unit_test(ctrl_c_ends_a_sleep_and_no_clean_up),
        cmocka_unit_test(the_first_reason_to_stop_stays),
    };

    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(children); i++)
        if (strcmp(argv[1], children[i].name) == 0)
            return children[i].body();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
