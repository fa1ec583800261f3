/* SPDX-License-Identifier: MIT
 *
 * Windows only: files and directories as the program uses them, and who may do what with them.
 */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <aclapi.h>
#include <sddl.h>

#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"
#include "util/text.h"

#define NAME "日本-grüß"
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* ------------------------------------------------------------------ a place for tests */

/* A new directory; yours. */
static char *place_new(void)
{
    wchar_t temp[MAX_PATH];
    char AUTO_FREE *utf8 = NULL;
    char AUTO_FREE *inside = NULL;
    char *dir;
    uint64_t random = GetTickCount64();
    struct err err;

    assert_true(GetTempPathW(ARRAY_LEN(temp), temp) > 0);
    utf8 = win32_utf8(temp);
    inside = platform_path_inside(utf8);
    assert_int_equal(platform_random(&random, sizeof random, &err), ERR_OK);
    dir = mem_printf("%stest-" NAME "-%llx", inside, (unsigned long long)random);
    assert_int_equal(platform_dir_make(dir, &err), ERR_OK);
    return dir;
}

static void erase(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    struct strlist AUTO_STRLIST names = {NULL, 0};

    if (win32_is_directory(path)) {
        assert_int_equal(platform_dir_list(path, &names, NULL), ERR_OK);
        for (size_t i = 0; i < names.count; i++) {
            char AUTO_FREE *below = mem_printf("%s/%s", path, names.items[i]);

            erase(below);
        }
        assert_true(RemoveDirectoryW(wide));
    } else {
        assert_true(DeleteFileW(wide));
    }
}

static void place_free(char **dir)
{
    erase(*dir);
    free(*dir);
}
#define PLACE(dir) AUTO(place_free) char *dir = place_new()

static char *in(const char *dir, const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

static void put(const char *path, const char *text)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE AUTO_HANDLE handle = NULL;
    DWORD done = 0;

    assert_non_null(wide);
    handle = CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    assert_true(handle != INVALID_HANDLE_VALUE);
    assert_true(WriteFile(handle, text, (DWORD)strlen(text), &done, NULL));
}

static void put_in(const char *dir, const char *name)
{
    char AUTO_FREE *path = in(dir, name);

    put(path, name);
}

static void make_in(const char *dir, const char *name)
{
    char AUTO_FREE *path = in(dir, name);
    struct err err;

    assert_int_equal(platform_dir_make(path, &err), ERR_OK);
}

/* Open it, a directory too, as another program does, for so long as the handle is open. */
static HANDLE hold(const char *path, DWORD access, DWORD share)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    HANDLE handle = CreateFileW(wide, access, share, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

    assert_true(handle != INVALID_HANDLE_VALUE);
    return handle;
}

static DWORD WINAPI close_soon(void *handle)
{
    Sleep(300);
    (void)CloseHandle(handle);
    return 0;
}

/* Let go of it in a moment; the handle returned ends then. */
static HANDLE release_soon(HANDLE held)
{
    HANDLE thread = CreateThread(NULL, 0, close_soon, held, 0, NULL);

    assert_non_null(thread);
    return thread;
}

/* ------------------------------------------------------------------ reading */

static void expect_content(const char *path, const char *text)
{
    struct buf AUTO_BUF got = BUF_INIT(10000);
    struct buf AUTO_BUF own = BUF_INIT(10000);
    struct err err;

    assert_int_equal(platform_file_read(path, &got, NULL, &err), ERR_OK);
    assert_string_equal(buf_cstr(&got), text);
    assert_int_equal(platform_file_read_own(path, &own, &err), ERR_OK);
    assert_string_equal(buf_cstr(&own), text);
}

static void expect_unread(const char *path, enum err_code code, enum err_code code_of_own)
{
    struct buf AUTO_BUF got = BUF_INIT(5);
    struct err err;

    buf_puts(&got, "kept");
    assert_int_equal(platform_file_read(path, &got, NULL, &err), code);
    assert_int_equal(err.code, code);
    assert_true(err.msg[0] != '\0');
    assert_int_equal(platform_file_read_own(path, &got, &err), code_of_own);
    assert_int_equal(err.code, code_of_own);
    assert_string_equal(buf_cstr(&got), "kept");
}

TEST(files_are_read_whole)
{
    PLACE(dir);
    char AUTO_FREE *path = in(dir, "grüß.txt");
    char AUTO_FREE *empty = in(dir, "empty");
    char AUTO_FREE *upper = in(dir, "GRÜß.TXT");

    put(path, "one\r\ntwo\x1athree\n");
    expect_content(path, "one\r\ntwo\x1athree\n");
    expect_content(upper, "one\r\ntwo\x1athree\n");
    put(empty, "");
    expect_content(empty, "");
    assert_true(platform_file_exists(path));
    assert_true(platform_file_exists(dir));
}

TEST(what_is_no_file_is_not_read)
{
    PLACE(dir);
    char AUTO_FREE *missing = in(dir, "missing");
    char AUTO_FREE *below_missing = in(dir, "missing/x");
    char AUTO_FREE *file = in(dir, "file");
    char AUTO_FREE *below_file = in(dir, "file/x");

    put(file, "123456");
    expect_unread(missing, ERR_NOT_FOUND, ERR_NOT_FOUND);
    expect_unread(below_missing, ERR_NOT_FOUND, ERR_NOT_FOUND);
    expect_unread(below_file, ERR_NOT_FOUND, ERR_NOT_FOUND);
    expect_unread(dir, ERR_IO, ERR_INPUT);
    expect_unread(file, ERR_IO, ERR_INPUT); /* too large */
    assert_false(platform_file_exists(missing));
    assert_false(platform_file_exists(below_file));
}

TEST(names_that_mean_something_else_are_not_read_and_not_made)
{
    static const char *const names[] = {"con", "NUL.txt", "com1", "file.", "file ", "file:stream", "f*", "fil?", "a|b"};
    PLACE(dir);
    struct strlist AUTO_STRLIST left = {NULL, 0};

    put_in(dir, "file");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char AUTO_FREE *path = in(dir, names[i]);
        char AUTO_FREE *below = in(path, "x");
        struct platform_path_info info;
        struct err err;

        expect_unread(path, ERR_IO, ERR_INPUT);
        assert_false(platform_file_exists(path));
        assert_int_equal(platform_path_look(path, &info, &err), ERR_IO);
        assert_int_equal(platform_dir_make(below, &err), ERR_IO);
        assert_non_null(strstr(err.hint, "Choose another name"));
        assert_int_equal(platform_file_remove(path, &err), ERR_IO);
    }
    assert_int_equal(platform_dir_list(dir, &left, NULL), ERR_OK);
    assert_int_equal(left.count, 1);
}

TEST(a_file_that_another_program_has_open_for_a_moment_is_waited_for)
{
    PLACE(dir);
    char AUTO_FREE *path = in(dir, "file");
    HANDLE AUTO_HANDLE thread = NULL;

    put(path, "text");
    thread = release_soon(hold(path, GENERIC_READ | GENERIC_WRITE, 0));
    expect_content(path, "text");
    assert_int_equal(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
}

TEST(a_file_that_is_being_written_or_read_by_others_can_be_read)
{
    PLACE(dir);
    char AUTO_FREE *path = in(dir, "file");
    HANDLE AUTO_HANDLE writer = NULL;
    HANDLE AUTO_HANDLE reader = NULL;

    put(path, "text");
    writer = hold(path, GENERIC_WRITE, SHARE_ALL);
    reader = hold(path, GENERIC_READ, SHARE_ALL);
    expect_content(path, "text");
}

TEST(a_file_is_replaced_once_its_reader_has_closed_it)
{
    PLACE(dir);
    char AUTO_FREE *path = in(dir, "file");
    HANDLE AUTO_HANDLE thread = NULL;
    struct err err;

    put(path, "old");
    thread = release_soon(hold(path, GENERIC_READ, FILE_SHARE_READ));
    assert_int_equal(platform_file_replace(path, "new", 3, &err), ERR_OK);
    expect_content(path, "new");
    assert_int_equal(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
}

/* ------------------------------------------------------------------ removing, moving, looking */

TEST(files_are_removed_whatever_their_attributes)
{
    PLACE(dir);
    char AUTO_FREE *path = in(dir, "file");
    char AUTO_FREE *below = in(dir, "none/file");
    wchar_t AUTO_WIDE *wide = win32_path(path);
    struct err err;

    put(path, "text");
    assert_true(SetFileAttributesW(wide, FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN));
    assert_int_equal(platform_file_remove(path, &err), ERR_OK);
    assert_false(platform_file_exists(path));
    assert_int_equal(platform_file_remove(path, &err), ERR_OK);
    assert_int_equal(platform_file_remove(below, &err), ERR_OK);
    assert_int_equal(platform_file_remove(dir, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "it is a directory"));
    assert_true(win32_is_directory(dir));
}

TEST(links_are_told_from_directories_and_removed)
{
    PLACE(dir);
    char AUTO_FREE *target = in(dir, "target");
    char AUTO_FREE *link = in(dir, "link");
    char AUTO_FREE *file = in(dir, "target/file");
    struct platform_path_info info;
    struct err err;

    make_in(dir, "target");
    put(file, "text");
    assert_int_equal(platform_link_switch(link, "target", &err), ERR_OK);
    assert_int_equal(platform_path_look(link, &info, &err), ERR_OK);
    assert_int_equal(info.kind, PLATFORM_PATH_LINK);
    assert_true(info.leads_to_directory);
    assert_int_equal(platform_file_remove(link, &err), ERR_OK);
    assert_false(platform_file_exists(link));
    expect_content(file, "text");
    assert_int_equal(platform_path_look(target, &info, &err), ERR_OK);
    assert_int_equal(info.kind, PLATFORM_PATH_DIRECTORY);
    assert_false(info.leads_to_directory);
}

TEST(it_is_told_what_stands_at_a_path_and_since_when)
{
    PLACE(dir);
    char AUTO_FREE *path = in(dir, "file");
    char AUTO_FREE *missing = in(dir, "missing");
    struct platform_path_info info;
    FILETIME now;
    struct err err;

    put(path, "text");
    GetSystemTimeAsFileTime(&now);
    assert_int_equal(platform_path_look(path, &info, &err), ERR_OK);
    assert_int_equal(info.kind, PLATFORM_PATH_FILE);
    assert_true(llabs(win32_ms_of(now) - info.changed_ms) < 60000);
    assert_true(win32_ms_of(now) > INT64_C(1600000000000) && win32_ms_of(now) < INT64_C(4000000000000));
    assert_int_equal(platform_path_look("C:/", &info, &err), ERR_OK);
    assert_int_equal(info.kind, PLATFORM_PATH_DIRECTORY);
    assert_int_equal(platform_path_look(missing, &info, &err), ERR_NOT_FOUND);
    assert_int_not_equal(platform_path_look("//no.invalid/share/x", &info, &err), ERR_OK);
}

TEST(moving_replaces_nothing)
{
    PLACE(dir);
    char AUTO_FREE *a = in(dir, "a");
    char AUTO_FREE *b = in(dir, "b");
    char AUTO_FREE *c = in(dir, "c");
    char AUTO_FREE *d = in(dir, "d");
    char AUTO_FREE *nowhere = in(dir, "none/x");
    char AUTO_FREE *below = in(dir, "d/file");
    struct err err;

    put(a, "a");
    put(b, "b");
    assert_int_equal(platform_path_move(a, b, &err), ERR_EXISTS);
    expect_content(b, "b");
    assert_int_equal(platform_path_move(a, c, &err), ERR_OK);
    expect_content(c, "a");
    assert_int_equal(platform_path_move(a, d, &err), ERR_NOT_FOUND);
    assert_int_equal(platform_path_move(c, nowhere, &err), ERR_NOT_FOUND);
    assert_int_equal(platform_path_move(c, "C:/a:b", &err), ERR_IO);
    make_in(dir, "x");
    put_in(dir, "x/file");
    {
        char AUTO_FREE *x = in(dir, "x");

        assert_int_equal(platform_path_move(x, b, &err), ERR_EXISTS);
        assert_int_equal(platform_path_move(x, d, &err), ERR_OK);
    }
    expect_content(below, "x/file");
}

TEST(free_space_is_told_for_directories_and_files)
{
    PLACE(dir);
    char AUTO_FREE *path = in(dir, "file");
    char AUTO_FREE *missing = in(dir, "none/x");
    uint64_t bytes = 0;
    struct err err;

    put(path, "text");
    assert_int_equal(platform_free_bytes(dir, &bytes, &err), ERR_OK);
    assert_true(bytes > 0);
    bytes = 0;
    assert_int_equal(platform_free_bytes(path, &bytes, &err), ERR_OK);
    assert_true(bytes > 0);
    assert_int_equal(platform_free_bytes(missing, &bytes, &err), ERR_NOT_FOUND);
}

/* ------------------------------------------------------------------ directories */

TEST(directories_are_made_with_their_parents)
{
    PLACE(dir);
    char AUTO_FREE *deep = in(dir, "a/b//c");
    char AUTO_FREE *file = in(dir, "file");
    char AUTO_FREE *below_file = in(dir, "file/x");
    char AUTO_FREE *one = in(dir, "one");
    char AUTO_FREE *two = in(dir, "two");
    char AUTO_FREE *orphan = in(dir, "none/x");
    struct strlist AUTO_STRLIST several = {NULL, 0};
    struct platform_dir_info info;
    struct err err;

    assert_int_equal(platform_dir_make(deep, &err), ERR_OK);
    assert_int_equal(platform_dir_make(deep, &err), ERR_OK);
    assert_int_equal(platform_dir_inspect(deep, &info, &err), ERR_OK);
    assert_int_equal(info.access, PLATFORM_DIR_WRITABLE);
    assert_true(info.owner_is_trusted);
    assert_false(info.others_can_write);
    assert_int_equal(info.mode, 0);
    put(file, "");
    assert_int_equal(platform_dir_make(file, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "it exists and is no directory"));
    assert_int_equal(platform_dir_make(below_file, &err), ERR_IO);
    assert_int_equal(platform_dir_make("", &err), ERR_IO);
    strlist_add(&several, one);
    strlist_add(&several, orphan);
    strlist_add(&several, two);
    platform_dirs_make(&several);
    assert_true(win32_is_directory(one) && win32_is_directory(two) && !win32_is_directory(orphan));
}

TEST(directories_are_listed_in_order)
{
    PLACE(dir);
    char AUTO_FREE *file = in(dir, "b");
    char AUTO_FREE *missing = in(dir, "missing");
    char AUTO_FREE *empty = in(dir, "empty");
    struct strlist AUTO_STRLIST names = {NULL, 0};
    char AUTO_FREE *all = NULL;
    struct err err;

    put_in(dir, "b");
    put_in(dir, "C");
    put_in(dir, ".a");
    put_in(dir, NAME);
    make_in(dir, "empty");
    assert_int_equal(platform_dir_list(dir, &names, &err), ERR_OK);
    all = strlist_join(&names, " ");
    assert_string_equal(all, ".a C b empty " NAME);
    assert_int_equal(platform_dir_list(missing, &names, &err), ERR_NOT_FOUND);
    assert_int_equal(platform_dir_list(file, &names, &err), ERR_IO);
    assert_int_equal(names.count, 5);
    assert_int_equal(platform_dir_list(empty, &names, &err), ERR_OK);
    assert_int_equal(names.count, 0);
    assert_int_equal(platform_dir_list("C:/", &names, &err), ERR_OK);
    assert_true(names.count > 0);
}

TEST(a_directory_that_is_none_is_not_inspected)
{
    PLACE(dir);
    char AUTO_FREE *file = in(dir, "file");
    char AUTO_FREE *missing = in(dir, "missing");
    char AUTO_FREE *below_missing = in(dir, "missing/x");
    char AUTO_FREE *below_file = in(dir, "file/x/y");
    struct platform_dir_info info;
    struct err err;

    put(file, "");
    assert_int_equal(platform_dir_inspect(file, &info, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "it is not a directory"));
    assert_int_equal(platform_dir_inspect(missing, &info, &err), ERR_NOT_FOUND);
    assert_int_equal(platform_dir_inspect(below_missing, &info, &err), ERR_NOT_FOUND);
    assert_int_equal(platform_dir_inspect(below_file, &info, &err), ERR_IO);
    assert_int_equal(platform_dir_inspect("Q:/none", &info, &err), ERR_NOT_FOUND);
    assert_int_equal(platform_dir_inspect("none/none", &info, &err), ERR_NOT_FOUND);
    assert_int_equal(platform_dir_set_mode(file, 0700, &err), ERR_IO);
    assert_int_equal(platform_dir_set_mode(missing, 0700, &err), ERR_IO);
    assert_int_equal(platform_dir_inspect("C:/", &info, &err), ERR_OK);
}

/* As it is while another process makes it. */
TEST(a_directory_that_another_program_has_open_is_no_less_ours)
{
    PLACE(dir);
    HANDLE AUTO_HANDLE held = hold(dir, FILE_LIST_DIRECTORY, FILE_SHARE_READ);
    struct platform_dir_info info;
    struct err err;

    assert_int_equal(platform_dir_inspect(dir, &info, &err), ERR_OK);
    assert_int_equal(info.access, PLATFORM_DIR_WRITABLE);
}

static void age(const char *path, int64_t ms)
{
    HANDLE AUTO_HANDLE handle = hold(path, FILE_WRITE_ATTRIBUTES, SHARE_ALL);
    uint64_t ticks = (uint64_t)(ms + INT64_C(11644473600000)) * 10000;
    FILETIME time = {.dwLowDateTime = (DWORD)ticks, .dwHighDateTime = (DWORD)(ticks >> 32)};

    assert_true(SetFileTime(handle, NULL, NULL, &time));
}

TEST(only_old_temporary_files_are_swept_away)
{
    static const char *const names[] = {".acme-dme-1.tmp", ".acme-dme-2.tmp", "old.tmp", ".acme-dme-old"};
    PLACE(dir);
    struct strlist AUTO_STRLIST left = {NULL, 0};
    char AUTO_FREE *all = NULL;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char AUTO_FREE *path = in(dir, names[i]);

        put(path, "");
        age(path, i == 1 ? 1000000 : 500000);
    }
    platform_dir_sweep(dir, 1100000, 200000);
    assert_int_equal(platform_dir_list(dir, &left, NULL), ERR_OK);
    all = strlist_join(&left, " ");
    assert_string_equal(all, ".acme-dme-2.tmp .acme-dme-old old.tmp");
}

/* ------------------------------------------------------------------ long paths */

TEST(paths_longer_than_260_characters_work)
{
    PLACE(dir);
    struct buf AUTO_BUF deep = BUF_INIT(4096);
    char AUTO_FREE *file = NULL;
    char AUTO_FREE *moved = NULL;
    char AUTO_FREE *pattern = NULL;
    struct strlist AUTO_STRLIST found = {NULL, 0};
    struct strlist AUTO_STRLIST unreadable = {NULL, 0};
    struct platform_dir_info info;
    struct err err;

    buf_puts(&deep, dir);
    for (int i = 0; i < 8; i++)
        buf_printf(&deep, "/%d-a-part-of-the-path-that-is-as-long-as-names-of-hosts-can-be", i);
    assert_true(deep.len > 500);
    assert_int_equal(platform_dir_make(buf_cstr(&deep), &err), ERR_OK);
    assert_int_equal(platform_dir_inspect(buf_cstr(&deep), &info, &err), ERR_OK);
    file = in(buf_cstr(&deep), "file.pem");
    moved = in(buf_cstr(&deep), "moved.pem");
    assert_int_equal(platform_file_create(file, "text", 4, &err), ERR_OK);
    expect_content(file, "text");
    assert_int_equal(platform_path_move(file, moved, &err), ERR_OK);
    pattern = in(buf_cstr(&deep), "*.pem");
    platform_file_glob(pattern, &found, &unreadable);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.items[0], moved);
    assert_int_equal(platform_file_remove(moved, &err), ERR_OK);
}

/* ------------------------------------------------------------------ patterns */

static char *found(const char *dir, const char *pattern)
{
    char AUTO_FREE *whole = in(dir, pattern);
    struct strlist AUTO_STRLIST paths = {NULL, 0};
    struct strlist AUTO_STRLIST unreadable = {NULL, 0};
    struct buf AUTO_BUF out = BUF_INIT(100000);

    platform_file_glob(whole, &paths, &unreadable);
    assert_int_equal(unreadable.count, 0);
    for (size_t i = 0; i < paths.count; i++) {
        assert_true(text_starts_with(paths.items[i], dir));
        buf_printf(&out, "%s\n", paths.items[i] + strlen(dir) + 1);
    }
    return buf_take(&out);
}

TEST(patterns_name_the_files_that_fit_in_order)
{
    static const char *const dirs[] = {"live/b.example", "live/a.example", "live/.hidden", "empty", "odd[1]"};
    static const char *const files[] = {
        "live/README",           "live/a.example/cert.pem", "live/a.example/privkey.PEM", "live/b.example/cert.pem",
        "live/.hidden/cert.pem", "odd[1]/cert.pem"};
    static const char *const table[][2] = {
        {"live/*/cert.pem", "live/a.example/cert.pem\nlive/b.example/cert.pem\n"},
        {"LIVE/?.Example/CERT.*", "LIVE/a.example/cert.pem\nLIVE/b.example/cert.pem\n"},
        {"live/[b-z]*/*.pem", "live/b.example/cert.pem\n"},
        {"*/a.example/*.pem", "live/a.example/cert.pem\nlive/a.example/privkey.PEM\n"},
        {"live//*//cert.pem", "live//a.example//cert.pem\nlive//b.example//cert.pem\n"},
        {"live/.h*/cert.pem", "live/.hidden/cert.pem\n"},
        {"live/*/none.pem", ""},
        {"none/*/cert.pem", ""},
        {"empty/*", ""},
        {"live/README/*", ""},
        {"live/*", "live/README\nlive/a.example\nlive/b.example\n"},
        {"live/a.example/cert.pem", "live/a.example/cert.pem\n"},
        {"not/there.pem", "not/there.pem\n"},
        {"odd[1]/cert.pem", "odd[1]/cert.pem\n"},
        {"odd[[]1]/c*", "odd[1]/cert.pem\n"},
    };
    PLACE(dir);

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        make_in(dir, dirs[i]);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put_in(dir, files[i]);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *got = found(dir, table[i][0]);

        assert_string_equal(got, table[i][1]);
    }
}

TEST(a_relative_pattern_is_looked_for_in_the_current_directory)
{
    PLACE(dir);
    wchar_t old[MAX_PATH];
    char AUTO_FREE *native = platform_path_native(dir);
    wchar_t AUTO_WIDE *wide = win32_wide(native);
    struct strlist AUTO_STRLIST paths = {NULL, 0};
    struct strlist AUTO_STRLIST unreadable = {NULL, 0};
    char AUTO_FREE *all = NULL;

    put_in(dir, "a.pem");
    assert_true(GetCurrentDirectoryW(ARRAY_LEN(old), old) > 0);
    assert_true(SetCurrentDirectoryW(wide));
    platform_file_glob("*.pem", &paths, &unreadable);
    platform_file_glob("./?.pem", &paths, &unreadable);
    assert_true(SetCurrentDirectoryW(old));
    all = strlist_join(&paths, " ");
    assert_string_equal(all, "a.pem ./a.pem");
    assert_int_equal(unreadable.count, 0);
}

/* ------------------------------------------------------------------ permissions */

#define OURS "(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)"
#define TRUSTED_INSTALLER "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

static struct win32_access access_by(const char *sddl)
{
    wchar_t AUTO_WIDE *wide = win32_wide(sddl);
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    ACL *acl = NULL;
    BOOL is_there = FALSE;
    BOOL is_default = FALSE;
    struct win32_access access;

    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1, &descriptor, NULL));
    assert_true(GetSecurityDescriptorDacl(descriptor, &is_there, &acl, &is_default));
    assert_true(GetSecurityDescriptorOwner(descriptor, &owner, &is_default));
    access = win32_access_by(acl, owner);
    (void)LocalFree(descriptor);
    return access;
}

TEST(it_is_told_who_can_read_and_write)
{
    static const struct {
        const char *entries;
        enum platform_exposure readable;
        enum { NOBODY, OTHERS, EVERYBODY } writers;
    } table[] = {
        {"", PLATFORM_PRIVATE, NOBODY},
        {OURS, PLATFORM_PRIVATE, NOBODY},
        {OURS "(A;;FA;;;" TRUSTED_INSTALLER ")(A;;FA;;;CO)", PLATFORM_PRIVATE, NOBODY},
        {OURS "(A;;FR;;;WD)", PLATFORM_WORLD_READABLE, NOBODY},
        {OURS "(A;;FR;;;BU)", PLATFORM_WORLD_READABLE, NOBODY},
        {OURS "(A;;FR;;;AU)", PLATFORM_WORLD_READABLE, NOBODY},
        {OURS "(A;;GR;;;AN)", PLATFORM_WORLD_READABLE, NOBODY},
        {OURS "(A;;GA;;;BG)", PLATFORM_WORLD_READABLE, EVERYBODY},
        {OURS "(A;;FR;;;IU)", PLATFORM_WORLD_READABLE, NOBODY},
        {OURS "(A;;FR;;;NU)", PLATFORM_WORLD_READABLE, NOBODY},
        {OURS "(A;;FR;;;S-1-5-21-1-2-3-513)", PLATFORM_WORLD_READABLE, NOBODY},
        {OURS "(A;;FR;;;S-1-5-21-1-2-3-1001)", PLATFORM_GROUP_READABLE, NOBODY},
        {OURS "(A;;FA;;;S-1-5-21-1-2-3-1001)", PLATFORM_GROUP_READABLE, OTHERS},
        {OURS "(A;;FR;;;S-1-5-80-1-2-3-4-5)", PLATFORM_GROUP_READABLE, NOBODY},
        {OURS "(A;;FR;;;S-1-5-82-1-2-3-4-5)(A;;FW;;;WD)", PLATFORM_GROUP_READABLE, EVERYBODY},
        {OURS "(A;;0x100080;;;WD)", PLATFORM_PRIVATE, NOBODY}, /* attributes alone */
        {OURS "(A;;WD;;;BU)", PLATFORM_PRIVATE, EVERYBODY},    /* may write the list itself */
        {OURS "(A;;WO;;;S-1-5-21-1-2-3-1001)", PLATFORM_PRIVATE, OTHERS},
        {OURS "(A;;0x40;;;BU)", PLATFORM_PRIVATE, EVERYBODY}, /* may delete what is in a directory */
        {OURS "(A;OICIIO;FA;;;WD)", PLATFORM_PRIVATE, NOBODY},
        {OURS "(A;ID;FR;;;WD)", PLATFORM_WORLD_READABLE, NOBODY},
        {"(D;;FA;;;WD)" OURS, PLATFORM_PRIVATE, NOBODY},
        {"(D;;FA;;;BU)" OURS "(A;;FR;;;BU)", PLATFORM_WORLD_READABLE, NOBODY},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char AUTO_FREE *sddl = mem_printf("O:SYD:P%s", table[i].entries);
        struct win32_access access = access_by(sddl);

        if (access.readable != table[i].readable || access.others_can_write != (table[i].writers != NOBODY) ||
            access.everybody_can_write != (table[i].writers == EVERYBODY))
            fail_msg("%s: readable %d, others can write %d, everybody %d", sddl, (int)access.readable,
                     access.others_can_write, access.everybody_can_write);
    }
}

TEST(no_list_is_no_limit)
{
    struct win32_access access = win32_access_by(NULL, NULL);

    assert_int_equal(access.readable, PLATFORM_WORLD_READABLE);
    assert_true(access.others_can_write);
    assert_true(access.everybody_can_write);
    assert_false(access.owner_is_trusted);
}

TEST(owners_are_trusted_who_could_do_everything_anyway)
{
    assert_true(access_by("O:SYD:P" OURS).owner_is_trusted);
    assert_true(access_by("O:BAD:P" OURS).owner_is_trusted);
    assert_true(access_by("O:" TRUSTED_INSTALLER "D:P" OURS).owner_is_trusted);
    assert_false(access_by("O:S-1-5-21-1-2-3-1001D:P" OURS).owner_is_trusted);
    assert_false(access_by("O:BUD:P" OURS).owner_is_trusted);
    assert_false(access_by("O:WDD:P" OURS).owner_is_trusted);
    /* What it grants to its owner is no exposure; that the owner is not to be trusted is said by itself. */
    assert_int_equal(access_by("O:S-1-5-21-1-2-3-1001D:P(A;;FA;;;S-1-5-21-1-2-3-1001)").readable, PLATFORM_PRIVATE);
}

static struct win32_access access_of_mode(unsigned mode, const char *owner, const char *group, enum win32_kind kind)
{
    struct win32_security AUTO(win32_security_done) security = {.descriptor = NULL};
    const struct platform_access access = {.owner = owner, .group = group, .mode = mode};
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision = 0;
    ACL *acl = NULL;
    BOOL is_there = FALSE;
    BOOL is_default = FALSE;
    struct err err;

    assert_int_equal(win32_security_make(&access, kind, &security, &err), ERR_OK);
    assert_true(GetSecurityDescriptorDacl(security.descriptor, &is_there, &acl, &is_default));
    assert_non_null(acl);
    assert_true(GetSecurityDescriptorControl(security.descriptor, &control, &revision));
    assert_true(control & SE_DACL_PROTECTED);
    assert_ptr_equal(security.attributes.lpSecurityDescriptor, security.descriptor);
    return win32_access_by(acl, NULL);
}

TEST(modes_become_lists)
{
    static const char account[] = "S-1-5-21-1-2-3-1001";
    static const struct {
        unsigned mode;
        const char *owner;
        const char *group;
        enum platform_exposure readable;
        bool others_can_write;
    } table[] = {
        {0600, NULL, NULL, PLATFORM_PRIVATE, false},           {0700, NULL, NULL, PLATFORM_PRIVATE, false},
        {0711, NULL, NULL, PLATFORM_PRIVATE, false},           {0640, NULL, NULL, PLATFORM_PRIVATE, false},
        {0640, NULL, account, PLATFORM_GROUP_READABLE, false}, {0600, NULL, account, PLATFORM_PRIVATE, false},
        {0400, account, NULL, PLATFORM_GROUP_READABLE, false}, {0600, account, NULL, PLATFORM_GROUP_READABLE, true},
        {0660, NULL, account, PLATFORM_GROUP_READABLE, true},  {0644, NULL, NULL, PLATFORM_WORLD_READABLE, false},
        {0666, NULL, NULL, PLATFORM_WORLD_READABLE, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(table) * 2; i++) {
        struct win32_access access = access_of_mode(table[i / 2].mode, table[i / 2].owner, table[i / 2].group,
                                                    i % 2 ? WIN32_DIRECTORY : WIN32_FILE);

        if (access.readable != table[i / 2].readable || access.others_can_write != table[i / 2].others_can_write)
            fail_msg("%o: readable %d, others can write %d", table[i / 2].mode, (int)access.readable,
                     access.others_can_write);
    }
}

TEST(accounts_that_are_none_are_refused)
{
    const struct platform_access none = {.owner = "no such account here", .mode = 0600};
    const struct platform_access empty = {.group = "", .mode = 0640};
    struct win32_security security;
    struct err err;

    assert_int_equal(win32_security_make(&none, WIN32_FILE, &security, &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "there is no user \"no such account here\""));
    assert_int_equal(win32_security_make(&empty, WIN32_FILE, &security, &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "there is no group \"\""));
    (void)access_of_mode(0640, NULL, "Administrators", WIN32_FILE);
}

static void grant(const char *path, const char *entries)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);
    char AUTO_FREE *sddl = mem_printf("D:P" OURS "%s", entries);
    wchar_t AUTO_WIDE *sddl_wide = win32_wide(sddl);
    PSECURITY_DESCRIPTOR descriptor = NULL;

    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_wide, SDDL_REVISION_1, &descriptor, NULL));
    assert_true(SetFileSecurityW(wide, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, descriptor));
    (void)LocalFree(descriptor);
}

static struct platform_file_info info_of(const char *path)
{
    struct buf AUTO_BUF text = BUF_INIT(1000);
    struct platform_file_info info = {.mode = 1};
    struct err err;

    assert_int_equal(platform_file_read(path, &text, &info, &err), ERR_OK);
    assert_int_equal(info.mode, 0);
    return info;
}

TEST(the_exposure_of_a_file_that_is_read_is_told)
{
    PLACE(dir);
    char AUTO_FREE *path = in(dir, "file");
    struct err err;

    assert_int_equal(platform_file_create(path, "key", 3, &err), ERR_OK);
    assert_int_equal(info_of(path).exposure, PLATFORM_PRIVATE);
    assert_true(info_of(path).owner_is_trusted);
    grant(path, "(A;;FR;;;WD)");
    assert_int_equal(info_of(path).exposure, PLATFORM_WORLD_READABLE);
    assert_false(info_of(path).everybody_can_write);
    grant(path, "(A;;FRFW;;;WD)");
    assert_true(info_of(path).everybody_can_write);
    grant(path, "");
    assert_int_equal(info_of(path).exposure, PLATFORM_PRIVATE);
    assert_false(info_of(path).everybody_can_write);
}

TEST(a_directory_that_others_can_write_to_is_told_and_shut)
{
    PLACE(dir);
    char AUTO_FREE *sub = in(dir, "sub");
    struct platform_dir_info info;
    struct err err;

    make_in(dir, "sub");
    grant(sub, "(A;OICI;FA;;;WD)");
    assert_int_equal(platform_dir_inspect(sub, &info, &err), ERR_OK);
    assert_true(info.others_can_write);
    assert_int_equal(platform_dir_set_mode(sub, 0700, &err), ERR_OK);
    assert_int_equal(platform_dir_inspect(sub, &info, &err), ERR_OK);
    assert_false(info.others_can_write);
    assert_int_equal(info.access, PLATFORM_DIR_WRITABLE);
    assert_int_equal(platform_dir_set_mode(sub, 0711, &err), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_whole),
        cmocka_unit_test(what_is_no_file_is_not_read),
        cmocka_unit_test(names_that_mean_something_else_are_not_read_and_not_made),
        cmocka_unit_test(a_file_that_another_program_has_open_for_a_moment_is_waited_for),
        cmocka_unit_test(a_file_that_is_being_written_or_read_by_others_can_be_read),
        cmocka_unit_test(a_file_is_replaced_once_its_reader_has_closed_it),
        cmocka_unit_test(files_are_removed_whatever_their_attributes),
        cmocka_unit_test(links_are_told_from_directories_and_removed),
        cmocka_unit_test(it_is_told_what_stands_at_a_path_and_since_when),
        cmocka_unit_test(moving_replaces_nothing),
        cmocka_unit_test(free_space_is_told_for_directories_and_files),
        cmocka_unit_test(directories_are_made_with_their_parents),
        cmocka_unit_test(directories_are_listed_in_order),
        cmocka_unit_test(a_directory_that_is_none_is_not_inspected),
        cmocka_unit_test(a_directory_that_another_program_has_open_is_no_less_ours),
        cmocka_unit_test(only_old_temporary_files_are_swept_away),
        cmocka_unit_test(paths_longer_than_260_characters_work),
        cmocka_unit_test(patterns_name_the_files_that_fit_in_order),
        cmocka_unit_test(a_relative_pattern_is_looked_for_in_the_current_directory),
        cmocka_unit_test(it_is_told_who_can_read_and_write),
        cmocka_unit_test(no_list_is_no_limit),
        cmocka_unit_test(owners_are_trusted_who_could_do_everything_anyway),
        cmocka_unit_test(modes_become_lists),
        cmocka_unit_test(accounts_that_are_none_are_refused),
        cmocka_unit_test(the_exposure_of_a_file_that_is_read_is_told),
        cmocka_unit_test(a_directory_that_others_can_write_to_is_told_and_shut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
