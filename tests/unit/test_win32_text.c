/* SPDX-License-Identifier: MIT
 *
 * Windows only: texts, names and paths on their way to the system and back, patterns, and commands in hints.
 */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "platform/glob.h"
#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"
#include "util/text.h"

/* The path as the system gets it, as UTF-8; NULL: refused. */
static char *system_path(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);

    return wide ? win32_utf8(wide) : NULL;
}

static void expect_path(const char *path, const char *expected)
{
    char AUTO_FREE *got = system_path(path);

    assert_non_null(got);
    assert_string_equal(got, expected);
}

TEST(text_survives_the_way_to_the_system_and_back)
{
    static const char *const table[] = {"", "plain", "日本-grüß", "😀 and 𝒜", "a\\b/c\td"};

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        wchar_t AUTO_WIDE *wide = win32_wide(table[i]);
        char AUTO_FREE *back = win32_utf8(wide);

        assert_string_equal(back, table[i]);
    }
}

TEST(what_is_no_text_becomes_the_replacement_character)
{
    static const wchar_t lone[] = {L'a', 0xd83d, L'b', 0};
    wchar_t AUTO_WIDE *wide = win32_wide("a\xff"
                                         "b");
    char AUTO_FREE *back = win32_utf8(lone);

    assert_int_equal(wcslen(wide), 3);
    assert_int_equal(wide[1], 0xfffd);
    assert_string_equal(back, "a\xef\xbf\xbd"
                              "b");
}

TEST(paths_go_to_the_system_literally_and_without_a_limit)
{
    static const char *const table[][2] = {
        {"C:/a/b.c", "\\\\?\\C:\\a\\b.c"},
        {"c:\\a\\b", "\\\\?\\c:\\a\\b"},
        {"C:/a//b/./c/", "\\\\?\\C:\\a\\b\\c"},
        {"C:/a/../b/x/../c", "\\\\?\\C:\\b\\c"},
        {"C:/", "\\\\?\\C:\\"},
        {"C:/..", "\\\\?\\C:\\"},
        {"C:/../../a", "\\\\?\\C:\\a"},
        {"//server/share/a", "\\\\?\\UNC\\server\\share\\a"},
        {"//server/share", "\\\\?\\UNC\\server\\share\\"},
        {"//server/C$/../..", "\\\\?\\UNC\\server\\C$\\"},
        {"\\\\?\\C:\\a\\b", "\\\\?\\C:\\a\\b"},
        {"\\\\?\\unc\\server\\share\\a", "\\\\?\\UNC\\server\\share\\a"},
        {"C:/日本-grüß/😀.pem", "\\\\?\\C:\\日本-grüß\\😀.pem"},
        {"C:/.hidden/a b/..c/[x]", "\\\\?\\C:\\.hidden\\a b\\..c\\[x]"},
        {"C:/console/nulx/com/com10/lpt/comx.txt/x.con", "\\\\?\\C:\\console\\nulx\\com\\com10\\lpt\\comx.txt\\x.con"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        expect_path(table[i][0], table[i][1]);
}

TEST(long_paths_go_through_and_endless_ones_do_not)
{
    char AUTO_FREE *part = mem_calloc(1, 251);
    struct buf AUTO_BUF path = BUF_INIT(200000);
    wchar_t AUTO_WIDE *wide = NULL;
    wchar_t AUTO_WIDE *endless = NULL;

    memset(part, 'x', 250);
    buf_puts(&path, "C:");
    for (int i = 0; i < 10; i++)
        buf_printf(&path, "/%s", part);
    wide = win32_path(buf_cstr(&path));
    assert_non_null(wide);
    assert_int_equal(wcslen(wide), 4 + 2 + 10 * 251);
    for (int i = 0; i < 500; i++)
        buf_printf(&path, "/%s", part);
    endless = win32_path(buf_cstr(&path));
    assert_null(endless);
}

TEST(names_with_a_meaning_of_their_own_are_refused)
{
    static const char *const table[] = {
        "",         "con",         "CON",        "C:/a/nul",        "C:/nul.txt",       "C:/Aux .c", "C:/prn/x",
        "C:/com1",  "C:/COM9.log", "C:/lpt2",    "C:/com\xc2\xb9",  "C:/LPT\xc2\xb3.a", "C:/conin$", "C:/CONOUT$",
        "C:/a.",    "C:/a ",       "C:/a./b",    "C:/...",          "C:/*.example",     "C:/a?",     "C:/a:b",
        "C:/a:b:c", "C:/a|b",      "C:/<a>",     "C:/\"a\"",        "C:/a\x01",         "C:/a\nb",   "C:/\xff",
        "//server", "//./C:/x",    "//./pipe/x", "//?/Volume{1}/x", "//server/sh?re/x", "*",         "C:/a\x1f/b",
        "1:/x",     "C:C:/x",
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *got = system_path(table[i]);

        if (got)
            fail_msg("\"%s\" became \"%s\"", table[i], got);
    }
}

TEST(relative_paths_are_of_the_current_directory_its_drive_or_its_root)
{
    wchar_t old[MAX_PATH];

    assert_true(GetCurrentDirectoryW(ARRAY_LEN(old), old) > 0);
    assert_true(SetCurrentDirectoryW(L"C:\\windows"));
    expect_path("a/b", "\\\\?\\C:\\windows\\a\\b");
    expect_path(".", "\\\\?\\C:\\windows");
    expect_path("../a", "\\\\?\\C:\\a");
    expect_path("/a", "\\\\?\\C:\\a");
    expect_path("\\a", "\\\\?\\C:\\a");
    expect_path("C:a", "\\\\?\\C:\\windows\\a");
    expect_path("C:", "\\\\?\\C:\\windows");
    assert_true(SetCurrentDirectoryW(L"C:\\"));
    expect_path("a", "\\\\?\\C:\\a");
    expect_path("C:a", "\\\\?\\C:\\a");
    assert_true(SetCurrentDirectoryW(old));
}

TEST(a_path_is_made_absolute_in_the_form_of_the_program)
{
    static const char *const table[][2] = {
        {"a/b", "C:/windows/a/b"},  {"/a", "C:/a"},         {"c:a", "c:/windows/a"},
        {"C:/x/../y", "C:/x/../y"}, {"//s/h/a", "//s/h/a"}, {"grüß", "C:/windows/grüß"},
    };
    wchar_t old[MAX_PATH];

    assert_true(GetCurrentDirectoryW(ARRAY_LEN(old), old) > 0);
    assert_true(SetCurrentDirectoryW(L"C:\\windows"));
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *got = platform_path_absolute(table[i][0]);

        assert_int_equal(text_casecmp(got, table[i][1]), 0);
    }
    assert_true(SetCurrentDirectoryW(old));
}

TEST(only_a_drive_with_its_root_or_a_share_makes_a_path_absolute)
{
    static const char *const absolute[] = {"C:/", "c:\\x", "Z:/x/y", "//server/share", "\\\\server\\share\\x"};
    static const char *const relative[] = {
        "", "x", "x/y", "/x", "\\x", "C:", "C:x", "/", "//", "///x", "./C:/x", "1:/x"};

    for (size_t i = 0; i < ARRAY_LEN(absolute); i++)
        assert_true(platform_path_is_absolute(absolute[i]));
    for (size_t i = 0; i < ARRAY_LEN(relative); i++)
        assert_false(platform_path_is_absolute(relative[i]));
}

TEST(paths_are_turned_at_the_border)
{
    static const char *const inside[][2] = {
        {"C:\\a\\b", "C:/a/b"},
        {"a/b\\c", "a/b/c"},
        {"\\\\server\\share\\x", "//server/share/x"},
        {"\\\\?\\C:\\x", "C:/x"},
        {"\\\\?\\UNC\\server\\share\\x", "//server/share/x"},
        {"\\\\?\\Volume{1}\\x", "//?/Volume{1}/x"},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
        char AUTO_FREE *got = platform_path_inside(inside[i][0]);

        assert_string_equal(got, inside[i][1]);
    }
    for (size_t i = 0; i < 3; i++) {
        char AUTO_FREE *native = platform_path_native(inside[i][1]);

        assert_null(strchr(native, '/'));
        assert_int_equal(strlen(native), strlen(inside[i][1]));
    }
}

TEST(the_directory_of_a_path_is_told)
{
    static const char *const table[][2] = {
        {"C:/a/b", "C:/a"}, {"C:/a", "C:/"},       {"a", "."},           {"a/b", "a"}, {"/a", "/"}, {"C:a", "C:."},
        {"C:a/b", "C:a"},   {"C:\\a\\b", "C:\\a"}, {"//s/h/a", "//s/h"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *got = win32_directory_of(table[i][0]);

        assert_string_equal(got, table[i][1]);
    }
}

TEST(patterns_fit_without_regard_to_case)
{
    static const char *const fitting[][2] = {
        {"*", "a"},       {"*.PEM", "x.pem"}, {"*.pem", "X.Pem"}, {"a*b*c", "aXbYbZc"}, {"?", "😀"},
        {"*ü*", "GRÜSS"}, {"日?", "日本"},    {"[a-c]x", "Bx"},   {"[!a]", "b"},        {"[^a]", "b"},
        {"[]]", "]"},     {"[!]]", "a"},      {"[", "["},         {"a[b", "a[b"},       {"[[]1]", "[1]"},
        {"[a-]", "-"},    {"**", "ab"},       {".h*", ".hidden"}, {"*.*", "a.b"},       {"a*", "a"},
        {"[日本]", "本"}, {"*a", "aaaa"},     {"*aab", "aaaab"},
    };
    static const char *const others[][2] = {
        {"*", ".hidden"},       {"?", ""},        {"?", "ab"},  {"[a-c]", "d"}, {"[!a]", "A"},
        {"?hidden", ".hidden"}, {"*.pem", "pem"}, {"a*b", "a"}, {"", "a"},      {"*aab", "aaba"},
        {"[!.]x", ".x"},        {"*.*", "a"},     {"[ab", "a"}, {"a", "ab"},    {"[]", "]x"},
    };

    for (size_t i = 0; i < ARRAY_LEN(fitting); i++)
        if (!glob_fits(fitting[i][0], fitting[i][1]))
            fail_msg("\"%s\" does not fit \"%s\"", fitting[i][0], fitting[i][1]);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (glob_fits(others[i][0], others[i][1]))
            fail_msg("\"%s\" fits \"%s\"", others[i][0], others[i][1]);
}

TEST(a_drive_or_a_share_is_no_part_of_a_pattern)
{
    assert_int_equal(glob_root_length("C:/a*"), 2);
    assert_int_equal(glob_root_length("C:*"), 2);
    assert_int_equal(glob_root_length("//server/share/*"), 14);
    assert_int_equal(glob_root_length("//server"), 8);
    assert_int_equal(glob_root_length("/a*"), 0);
    assert_int_equal(glob_root_length("*"), 0);
    assert_int_equal(glob_root_length(""), 0);
}

TEST(errors_are_words_with_advice)
{
    struct err err;

    assert_int_equal(win32_err(&err, ERR_IO, ERROR_SHARING_VIOLATION, "open", "C:/x"), ERR_IO);
    assert_non_null(strstr(err.msg, "could not open \"C:/x\": "));
    assert_int_not_equal(err.msg[strlen(err.msg) - 1], '.');
    assert_non_null(strstr(err.hint, "Another program"));
    assert_int_equal(win32_err(&err, ERR_IO, ERROR_DISK_FULL, "write", "C:/x"), ERR_IO);
    assert_non_null(strstr(err.hint, "Free some space"));
    assert_int_equal(win32_err(&err, ERR_IO, ERROR_ACCESS_DENIED, "write", "C:/x"), ERR_IO);
    assert_non_null(strstr(err.hint, "The program runs as \""));
    assert_int_equal(win32_err(&err, ERR_NOT_FOUND, ERROR_FILE_NOT_FOUND, "open", "C:/x"), ERR_NOT_FOUND);
    assert_string_equal(err.hint, "");
    assert_int_equal(win32_err_plain(&err, ERR_INTERNAL, 0xdeadbeef, "do it"), ERR_INTERNAL);
    assert_string_equal(err.msg, "could not do it: Windows error 3735928559");
    assert_int_equal(win32_err_name(&err, "write", "a:b"), ERR_IO);
    assert_non_null(strstr(err.hint, "Choose another name"));
    assert_int_equal(win32_err(NULL, ERR_IO, ERROR_DISK_FULL, "write", "x"), ERR_IO);
    assert_true(win32_is_missing(ERROR_PATH_NOT_FOUND));
    assert_false(win32_is_missing(ERROR_BAD_NETPATH)); /* what is there shows when the server is back */
}

TEST(commands_in_hints_name_the_account_and_quote_the_path)
{
    char AUTO_FREE *us = win32_account_of_us();
    bool are_administrator = win32_is_administrator();
    char AUTO_FREE *entry = are_administrator ? mem_strdup("") : mem_printf(" \"%s:F\"", us);
    char AUTO_FREE *ending = mem_printf(" \"*S-1-5-18:F\" \"*S-1-5-32-544:F\"%s", entry);
    char AUTO_FREE *file = platform_advice_private("C:/a b/c.yaml");
    char AUTO_FREE *own = platform_advice_own_private("C:/a b/c.yaml");
    char AUTO_FREE *dir = platform_advice_dir_no_write("C:/a b");
    char AUTO_FREE *none = platform_advice_mode(0);
    char AUTO_FREE *slash = platform_advice_dir_no_write("C:/a b/");
    char AUTO_FREE *root = platform_advice_dir_no_write("D:/");

    assert_true(strlen(us) > 1);
    assert_non_null(strstr(file, "icacls \"C:\\a b\\c.yaml\" /inheritance:r /grant:r"));
    assert_true(
        text_ends_with(file, ending)); /* an administrator gets no grant of his own: SYSTEM would refuse the file */
    assert_true(text_starts_with(own, are_administrator ? "takeown /a /f \"C:\\a b\\c.yaml\""
                                                        : "takeown /f \"C:\\a b\\c.yaml\""));
    assert_string_equal(slash, dir);
    assert_true(text_starts_with(root, "icacls \"D:\\.\" /reset"));
    assert_true(text_ends_with(own, file));
    assert_non_null(strstr(dir, "\"*S-1-5-18:(OI)(CI)F\""));
    assert_string_equal(none, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_survives_the_way_to_the_system_and_back),
        cmocka_unit_test(what_is_no_text_becomes_the_replacement_character),
        cmocka_unit_test(paths_go_to_the_system_literally_and_without_a_limit),
        cmocka_unit_test(long_paths_go_through_and_endless_ones_do_not),
        cmocka_unit_test(names_with_a_meaning_of_their_own_are_refused),
        cmocka_unit_test(relative_paths_are_of_the_current_directory_its_drive_or_its_root),
        cmocka_unit_test(a_path_is_made_absolute_in_the_form_of_the_program),
        cmocka_unit_test(only_a_drive_with_its_root_or_a_share_makes_a_path_absolute),
        cmocka_unit_test(paths_are_turned_at_the_border),
        cmocka_unit_test(the_directory_of_a_path_is_told),
        cmocka_unit_test(patterns_fit_without_regard_to_case),
        cmocka_unit_test(a_drive_or_a_share_is_no_part_of_a_pattern),
        cmocka_unit_test(errors_are_words_with_advice),
        cmocka_unit_test(commands_in_hints_name_the_account_and_quote_the_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
