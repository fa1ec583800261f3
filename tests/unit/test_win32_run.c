/* SPDX-License-Identifier: MIT
 *
 * Windows only: which process is the run that we belong to, and does it still live.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"
#include "util/text.h"

#define LINE_MAX 8
#define HOUR_MS (60 * 60 * 1000LL)

/* Processes from ours upwards: number 100, 101 and so on; each started a tick before its child. */
struct above {
    const char *name;
    const char *line;
};

static void make_line(const struct above *above, size_t count, struct win32_process *items)
{
    items[0] = (struct win32_process){.pid = 100, .parent = 101, .start = 1000, .name = mem_strdup("acme-dme.exe")};
    for (size_t i = 0; i < count; i++)
        items[i + 1] = (struct win32_process){.pid = (DWORD)(101 + i),
                                              .parent = (DWORD)(102 + i),
                                              .start = (int64_t)(999 - i),
                                              .name = mem_strdup(above[i].name),
                                              .line = mem_strdup(above[i].line)};
}

static void free_line(struct win32_process *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(items[i].name);
        free(items[i].line);
    }
}

static void expect_run(const struct above *above, size_t count, DWORD pid, enum platform_run_trust trust)
{
    struct win32_process items[LINE_MAX];
    const struct win32_processes line = {items, count + 1};
    enum platform_run_trust found;
    char AUTO_FREE *start = mem_printf("%lu:%lu:-:-:", (unsigned long)pid, (unsigned long)(1100 - pid));
    char AUTO_FREE *id = NULL;

    assert_true(count < LINE_MAX);
    make_line(above, count, items);
    id = win32_run_id_of(&line, &found);
    if (!text_starts_with(id, start) || found != trust)
        fail_msg("%s is \"%s\" with trust %d", above[0].line, id, (int)found);
    free_line(items, count + 1);
}

#define EXPECT_RUN(pid, trust, ...)                                                                                    \
    expect_run((const struct above[])__VA_ARGS__, ARRAY_LEN(((const struct above[])__VA_ARGS__)), pid, trust)

TEST(a_client_that_is_known_by_name_is_the_run)
{
    EXPECT_RUN(101, PLATFORM_RUN_CLIENT, {{"wacs.exe", "wacs.exe --renew"}, {"svchost.exe", NULL}});
    EXPECT_RUN(101, PLATFORM_RUN_CLIENT, {{"Lego.EXE", "\"C:\\lego\\Lego.EXE\" run"}, {"cmd.exe", "cmd"}});
    EXPECT_RUN(101, PLATFORM_RUN_CLIENT, {{"Certify.Service.exe", NULL}, {"services.exe", NULL}});
}

TEST(shells_and_wrapper_scripts_below_a_client_are_skipped)
{
    EXPECT_RUN(
        102, PLATFORM_RUN_CLIENT,
        {{"powershell.exe", "powershell.exe -noninteractive -executionpolicy bypass -command \"&{&'x.ps1' a; exit}\""},
         {"wacs.exe", "wacs.exe"}});
    EXPECT_RUN(103, PLATFORM_RUN_CLIENT,
               {{"cmd.exe", "C:\\Windows\\system32\\cmd.exe /c acme-dme x"},
                {"cmd.exe", "cmd.exe /d /s /c \"\"C:\\a b\\wrapper.bat\" \"c d\"\""},
                {"lego.exe", "lego"}});
}

TEST(a_script_that_python_runs_may_be_a_client)
{
    EXPECT_RUN(102, PLATFORM_RUN_CLIENT,
               {{"powershell.exe", "powershell.exe -Command acme-dme"},
                {"python.exe", "\"C:\\Certbot\\python.exe\" -I \"C:\\Certbot\\bin\\certbot.exe\" renew"},
                {"certbot.exe", "certbot renew"}});
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED, {{"python.exe", "python certbot_not.py"}, {"explorer.exe", NULL}});
}

TEST(failing_a_client_it_is_the_nearest_that_is_no_go_between)
{
    EXPECT_RUN(102, PLATFORM_RUN_GUESSED, {{"cmd.exe", "cmd /c acme-dme"}, {"client.exe", "client"}, {"x.exe", "x"}});
    EXPECT_RUN(102, PLATFORM_RUN_GUESSED, {{"cmd.exe", "cmd.exe /d /s /C\"acme-dme a\""}, {"client.exe", "client"}});
    EXPECT_RUN(102, PLATFORM_RUN_GUESSED, {{"pwsh.exe", "pwsh -NoProfile -c acme-dme"}, {"client.exe", "client"}});
    EXPECT_RUN(102, PLATFORM_RUN_GUESSED, {{"powershell.exe", "powershell -ep Bypass -enc abcd"}, {"client.exe", "c"}});
    EXPECT_RUN(102, PLATFORM_RUN_GUESSED, {{"powershell.exe", "powershell acme-dme"}, {"client.exe", "client"}});
    EXPECT_RUN(102, PLATFORM_RUN_GUESSED, {{"bash.exe", "bash -ec acme-dme"}, {"client.exe", "client"}});
    EXPECT_RUN(103, PLATFORM_RUN_GUESSED,
               {{"gsudo.exe", "gsudo x"}, {"cmd.exe", "cmd /r x"}, {"client.exe", "client"}});
}

TEST(a_shell_that_runs_a_script_may_be_a_client_that_is_not_known)
{
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED,
               {{"cmd.exe", "C:\\Windows\\system32\\cmd.exe /c \"\"C:\\a b\\renew.cmd\" /c now\""}, {"x.exe", "x"}});
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED, {{"cmd.exe", "cmd /c renew.bat a"}, {"x.exe", "x"}});
    EXPECT_RUN(
        101, PLATFORM_RUN_GUESSED,
        {{"powershell.exe", "powershell.exe -NoProfile -ExecutionPolicy Bypass -File C:\\posh.ps1"}, {"x.exe", "x"}});
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED, {{"pwsh.exe", "pwsh C:\\posh.ps1"}, {"x.exe", "x"}});
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED, {{"sh.exe", "sh -x renew.sh -c"}, {"x.exe", "x"}});
    EXPECT_RUN(101, PLATFORM_RUN_CLIENT, {{"sh.exe", "sh /c/acme/acme.sh --cron"}, {"x.exe", "x"}});
}

TEST(the_search_ends_below_what_outlives_every_run)
{
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED, {{"cmd.exe", "cmd /c acme-dme"}, {"svchost.exe", "svchost -k netsvcs"}});
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED, {{"powershell.exe", "powershell -Command x"}, {"cmd.exe", "cmd.exe"}});
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED, {{"cmd.exe", "cmd /c x"}, {"cmd.exe", "cmd /k title y"}});
    EXPECT_RUN(101, PLATFORM_RUN_GUESSED, {{"powershell.exe", "powershell -Command x"}, {"pwsh.exe", "pwsh -NoLogo"}});
}

TEST(a_parent_that_is_younger_than_its_child_is_none)
{
    char names[][16] = {"acme-dme.exe", "cmd.exe", "wacs.exe"};
    char command[] = "cmd /c x";
    struct win32_process items[] = {
        {.pid = 1, .parent = 2, .start = 1000, .name = names[0]},
        {.pid = 2, .parent = 3, .start = 900, .name = names[1], .line = command},
        {.pid = 3, .parent = 4, .start = 901, .name = names[2]},
    };
    const struct win32_processes line = {items, ARRAY_LEN(items)};
    enum platform_run_trust trust;
    char AUTO_FREE *id = win32_run_id_of(&line, &trust);
    char AUTO_FREE *other = NULL;

    assert_true(text_starts_with(id, "2:900:-:-:"));
    assert_int_equal(trust, PLATFORM_RUN_GUESSED);
    items[2].start = 899;
    other = win32_run_id_of(&line, &trust);
    assert_true(text_starts_with(other, "3:899:-:-:"));
    assert_int_equal(trust, PLATFORM_RUN_CLIENT);
}

TEST(without_a_parent_the_run_is_not_known)
{
    char name[] = "acme-dme.exe";
    struct win32_process items[] = {{.pid = 1, .parent = 2, .start = 1000, .name = name}};
    const struct win32_processes line = {items, 1};
    const struct win32_processes none = {NULL, 0};
    enum platform_run_trust trust;
    char AUTO_FREE *id = win32_run_id_of(&line, &trust);
    char AUTO_FREE *nothing = NULL;

    assert_true(text_starts_with(id, "2:-:-:-:"));
    assert_int_equal(trust, PLATFORM_RUN_UNKNOWN);
    nothing = win32_run_id_of(&none, NULL);
    assert_true(text_starts_with(nothing, "0:-:-:-:"));
}

/* ------------------------------------------------------------------ on this machine */

static bool is_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

TEST(a_run_id_is_short_ascii_and_the_same_each_time)
{
    char AUTO_FREE *first = platform_run_id(NULL);
    char AUTO_FREE *second = platform_run_id(NULL);

    assert_string_equal(first, second);
    assert_true(strlen(first) < 80 && !strchr(first, ' '));
    assert_true(platform_run_is_alive(first));
    assert_false(platform_run_is_own(first));
}

TEST(we_are_the_first_of_those_above_us)
{
    struct win32_processes AUTO(win32_processes_done) above;

    win32_processes_above(&above);
    assert_true(above.count >= 1);
    assert_int_equal(above.items[0].pid, GetCurrentProcessId());
    assert_int_equal(above.items[0].start, win32_process_start(GetCurrentProcessId()));
    assert_true(above.items[0].start > 0);
    if (is_wine()) /* which does not tell */
        return;
    assert_non_null(above.items[0].line);
    assert_non_null(strstr(above.items[0].line, "test_win32_run"));
}

TEST(our_own_run_lives_and_one_of_the_same_number_that_started_otherwise_does_not)
{
    char AUTO_FREE *own = platform_own_run_id();
    char AUTO_FREE *older = mem_strdup(own);
    char AUTO_FREE *elsewhere = mem_strdup(own);
    char *digit = strchr(older, ':') + 1;
    char *host = strrchr(elsewhere, ':') - 1;

    assert_true(platform_run_is_own(own) && platform_run_is_alive(own));
    *digit = *digit == '1' ? '2' : '1';
    assert_false(platform_run_is_alive(older));
    assert_false(platform_run_is_younger(older, HOUR_MS));
    *host = *host == '1' ? '2' : '1';
    assert_true(platform_run_is_alive(elsewhere));
    assert_false(platform_run_is_younger(elsewhere, HOUR_MS));
}

TEST(a_run_ends_with_its_process)
{
    wchar_t line[] = L"cmd.exe /c exit";
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    char AUTO_FREE *own = platform_own_run_id();
    char AUTO_FREE *id = NULL;

    assert_true(CreateProcessW(NULL, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup, &process));
    id = mem_printf("%lu:%lld:-:-%s", process.dwProcessId, (long long)win32_process_start(process.dwProcessId),
                    strstr(own, ":-:-") + 4);
    assert_true(platform_run_is_alive(id));
    (void)ResumeThread(process.hThread);
    assert_int_equal(WaitForSingleObject(process.hProcess, 30000), WAIT_OBJECT_0);
    assert_false(platform_run_is_alive(id)); /* though we have a handle of it */
    (void)CloseHandle(process.hThread);
    (void)CloseHandle(process.hProcess);
    assert_false(platform_run_is_alive(id));
}

TEST(the_age_of_a_run_is_told_by_the_time_since_the_system_started_or_not_at_all)
{
    char AUTO_FREE *own = platform_own_run_id();
    int64_t age = win32_process_age_ms(GetCurrentProcessId(), win32_process_start(GetCurrentProcessId()));

    assert_false(platform_run_is_younger(own, 0));
    assert_int_equal(win32_process_age_ms(GetCurrentProcessId(), 1), -1); /* another process of that number */
    assert_int_equal(platform_run_is_younger(own, HOUR_MS), age >= 0);
    assert_true(age < HOUR_MS);
    assert_true(is_wine() || age >= 0);
}

TEST(a_text_that_is_no_run_id_counts_as_alive)
{
    static const char *const texts[] = {
        "", "x", "1", "1:2", "0:1:a:b:c", "-5:1:a:b:c", "99999999999:1:a:b:c", "1:2:3:4:5:6", "1:2:3:4:5:own:x"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_true(platform_run_is_alive(texts[i]));
        assert_false(platform_run_is_younger(texts[i], HOUR_MS));
    }
    assert_true(platform_run_is_alive(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_is_known_by_name_is_the_run),
        cmocka_unit_test(shells_and_wrapper_scripts_below_a_client_are_skipped),
        cmocka_unit_test(a_script_that_python_runs_may_be_a_client),
        cmocka_unit_test(failing_a_client_it_is_the_nearest_that_is_no_go_between),
        cmocka_unit_test(a_shell_that_runs_a_script_may_be_a_client_that_is_not_known),
        cmocka_unit_test(the_search_ends_below_what_outlives_every_run),
        cmocka_unit_test(a_parent_that_is_younger_than_its_child_is_none),
        cmocka_unit_test(without_a_parent_the_run_is_not_known),
        cmocka_unit_test(a_run_id_is_short_ascii_and_the_same_each_time),
        cmocka_unit_test(we_are_the_first_of_those_above_us),
        cmocka_unit_test(our_own_run_lives_and_one_of_the_same_number_that_started_otherwise_does_not),
        cmocka_unit_test(a_run_ends_with_its_process),
        cmocka_unit_test(the_age_of_a_run_is_told_by_the_time_since_the_system_started_or_not_at_all),
        cmocka_unit_test(a_text_that_is_no_run_id_counts_as_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
