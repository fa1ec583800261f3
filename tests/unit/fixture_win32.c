/* SPDX-License-Identifier: MIT */
#include <winsock2.h>
/* before it */
#include <windows.h>

#include <sddl.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "fixture.h"
#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"
#include "util/mem.h"

static bool is_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

bool fixture_has(enum fixture_means means)
{
    return means == FIXTURE_GROUPS && !is_wine();
}

static wchar_t *path_of(const char *path)
{
    wchar_t *wide = win32_path(path);

    if (!wide)
        fail_msg("\"%s\" is no name", path);
    return wide;
}

static void need(BOOL done, const char *what, const char *path)
{
    if (!done)
        fail_msg("could not %s \"%s\": error %lu", what, path, GetLastError());
}

/* ------------------------------------------------------------------ directories */

char *fixture_temporary(void)
{
    wchar_t shorter[MAX_PATH + 1];
    wchar_t longer[MAX_PATH + 1];
    char AUTO_FREE *native = NULL;
    char *inside;
    size_t len;

    assert_true(GetTempPathW(MAX_PATH, shorter) > 0);
    assert_true(GetLongPathNameW(shorter, longer, MAX_PATH) > 0);
    native = win32_utf8(longer);
    inside = platform_path_inside(native);
    len = strlen(inside);
    if (len > 0 && inside[len - 1] == '/')
        inside[len - 1] = '\0';
    return inside;
}

static char *dir_new_in(const char *base)
{
    static unsigned count;

    for (;;) {
        char *dir = mem_printf("%s/acme-dme-test.%lu.%u", base, GetCurrentProcessId(), count++);
        wchar_t AUTO_WIDE *wide = path_of(dir);

        if (CreateDirectoryW(wide, NULL))
            return dir;
        assert_int_equal(GetLastError(), ERROR_ALREADY_EXISTS);
        free(dir);
    }
}

char *fixture_dir_new(void)
{
    char AUTO_FREE *base = fixture_temporary();

    return dir_new_in(base);
}

/* tests/run-test tells of a drive in memory, if wine has one. */
char *fixture_quick_dir_new(void)
{
    const char *drive = platform_env("TEST_QUICK_DRIVE");
    char AUTO_FREE *base = drive ? mem_strdup(drive) : fixture_temporary();

    return dir_new_in(base);
}

static bool is_self_or_parent(const wchar_t *name)
{
    return wcscmp(name, L".") == 0 || wcscmp(name, L"..") == 0;
}

static wchar_t *below(const wchar_t *dir, const wchar_t *name)
{
    size_t len = wcslen(dir) + wcslen(name) + 2;
    wchar_t *path = mem_calloc(len, sizeof *path);

    (void)wcscpy(path, dir);
    (void)wcscat(path, L"\\");
    (void)wcscat(path, name);
    return path;
}

static void remove_tree(const wchar_t *dir);

static void remove_entry(const wchar_t *dir, const WIN32_FIND_DATAW *entry)
{
    wchar_t AUTO_WIDE *path = below(dir, entry->cFileName);

    (void)SetFileAttributesW(path, FILE_ATTRIBUTE_NORMAL);
    if (entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
        remove_tree(path);
    else
        assert_true(DeleteFileW(path));
}

/* Call `fn` for each entry. */
static size_t walk(const wchar_t *dir, void (*fn)(const wchar_t *dir, const WIN32_FIND_DATAW *entry))
{
    wchar_t AUTO_WIDE *pattern = below(dir, L"*");
    WIN32_FIND_DATAW entry;
    HANDLE found = FindFirstFileW(pattern, &entry);
    size_t count = 0;

    assert_true(found != INVALID_HANDLE_VALUE);
    do {
        if (is_self_or_parent(entry.cFileName))
            continue;
        count++;
        if (fn)
            fn(dir, &entry);
    } while (FindNextFileW(found, &entry));
    (void)FindClose(found);
    return count;
}

static void remove_tree(const wchar_t *dir)
{
    (void)walk(dir, remove_entry);
    assert_true(RemoveDirectoryW(dir));
}

void fixture_dir_free(char *dir)
{
    wchar_t AUTO_WIDE *wide = path_of(dir);

    remove_tree(wide);
    free(dir);
}

size_t fixture_count(const char *dir)
{
    wchar_t AUTO_WIDE *wide = path_of(dir);

    return walk(wide, NULL);
}

void fixture_mkdir(const char *path, unsigned mode)
{
    wchar_t AUTO_WIDE *wide = path_of(path);

    need(CreateDirectoryW(wide, NULL), "make the directory", path);
    fixture_chmod(path, mode);
}

void fixture_rmdir(const char *path)
{
    wchar_t AUTO_WIDE *wide = path_of(path);

    need(RemoveDirectoryW(wide), "remove the directory", path);
}

void fixture_chdir(const char *dir)
{
    static wchar_t back[MAX_PATH + 1];
    wchar_t AUTO_WIDE *wide = NULL;

    if (!dir) {
        need(SetCurrentDirectoryW(back), "go back to", "");
        return;
    }
    assert_true(GetCurrentDirectoryW(MAX_PATH, back) > 0);
    wide = win32_wide(dir); /* "\\?\" is no current directory */
    need(SetCurrentDirectoryW(wide), "go to", dir);
}

/* ------------------------------------------------------------------ files */

FILE *fixture_open(const char *path, const char *mode)
{
    wchar_t AUTO_WIDE *wide = path_of(path);
    char AUTO_FREE *binary = mem_printf("%sb", mode);
    wchar_t AUTO_WIDE *wide_mode = win32_wide(binary);

    return _wfopen(wide, wide_mode);
}

void fixture_read_together(const char *dir, const char *a, char **out_a, const char *b, char **out_b)
{
    char AUTO_FREE *path_a = fixture_path(dir, a);
    char AUTO_FREE *path_b = fixture_path(dir, b);
    bool same = false;

    /* The link that it is may be switched at any time: then both are read again. */
    for (*out_a = *out_b = NULL; !same;) {
        char AUTO_FREE *before = NULL;
        char AUTO_FREE *after = NULL;

        free(*out_a);
        free(*out_b);
        (void)!platform_link_read(dir, &before, NULL);
        *out_a = fixture_read(path_a);
        *out_b = fixture_read(path_b);
        (void)!platform_link_read(dir, &after, NULL);
        same = before && after ? strcmp(before, after) == 0 : before == after;
    }
}

void fixture_unlink(const char *path)
{
    wchar_t AUTO_WIDE *wide = path_of(path);

    need(DeleteFileW(wide), "remove", path);
}

void fixture_rename(const char *from, const char *to)
{
    wchar_t AUTO_WIDE *wide_from = path_of(from);
    wchar_t AUTO_WIDE *wide_to = path_of(to);

    if (!win32_move(wide_from, wide_to, WIN32_RENAME_REPLACE))
        need(FALSE, "rename", from);
}

void fixture_link(const char *from, const char *to)
{
    wchar_t AUTO_WIDE *wide_from = path_of(from);
    wchar_t AUTO_WIDE *wide_to = path_of(to);

    need(CreateHardLinkW(wide_to, wide_from, NULL), "link", from);
}

static HANDLE open_for(const char *path, DWORD access)
{
    wchar_t AUTO_WIDE *wide = path_of(path);
    HANDLE handle = CreateFileW(wide, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

    need(handle != INVALID_HANDLE_VALUE, "open", path);
    return handle;
}

/* Everybody, and a group of which nobody is: what the mode gives to others and to the group. */
static char *list_of(unsigned mode)
{
    static const char *const rights[] = {NULL, NULL, "GW", NULL, "GR", NULL, "GRGW", NULL};
    const char *others = rights[mode & 06];
    const char *group = rights[mode >> 3 & 06];

    return mem_printf("D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)%s%s%s%s%s%s", others ? "(A;;" : "", others ? others : "",
                      others ? ";;;WD)" : "", group ? "(A;;" : "", group ? group : "", group ? ";;;BO)" : "");
}

void fixture_chmod(const char *path, unsigned mode)
{
    HANDLE AUTO_HANDLE handle = open_for(path, READ_CONTROL | WRITE_DAC);
    char AUTO_FREE *list = list_of(mode);
    wchar_t AUTO_WIDE *wide = win32_wide(list);
    PSECURITY_DESCRIPTOR descriptor = NULL;

    need(ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1, &descriptor, NULL), "name", list);
    need(SetKernelObjectSecurity(handle, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, descriptor),
         "change the access to", path);
    (void)LocalFree(descriptor);
}

void fixture_truncate(const char *path, int64_t size)
{
    HANDLE AUTO_HANDLE handle = open_for(path, GENERIC_WRITE);
    LARGE_INTEGER end = {.QuadPart = size};

    need(SetFilePointerEx(handle, end, NULL, FILE_BEGIN) && SetEndOfFile(handle), "truncate", path);
}

void fixture_touch(const char *path, int64_t changed_s)
{
    HANDLE AUTO_HANDLE handle = open_for(path, FILE_WRITE_ATTRIBUTES);
    uint64_t ticks = (uint64_t)(changed_s + INT64_C(11644473600)) * 10000000;
    FILETIME time = {.dwLowDateTime = (DWORD)ticks, .dwHighDateTime = (DWORD)(ticks >> 32)};

    need(SetFileTime(handle, NULL, NULL, &time), "date", path);
}

unsigned fixture_umask(UNUSED unsigned mask)
{
    return 0;
}

void fixture_expect_mode(const char *path, unsigned mode)
{
    HANDLE AUTO_HANDLE handle = open_for(path, READ_CONTROL);
    /* Wine keeps bits, and forgets whom it does not know as the owner, a group or everybody. */
    enum platform_exposure want = mode & 0004   ? PLATFORM_WORLD_READABLE
                                  : mode & 0040 ? PLATFORM_GROUP_READABLE
                                                : PLATFORM_PRIVATE;
    struct win32_access access;
    struct err err;

    if (win32_access_of(handle, path, &access, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    if (!fixture_has(FIXTURE_GROUPS) && access.readable < want)
        want = access.readable;
    if (access.readable != want || access.others_can_write != ((mode & 0022) != 0))
        fail_msg("\"%s\" has not what is mode %04o elsewhere: readable %d, others can write %d", path, mode,
                 (int)access.readable, access.others_can_write);
}

char *fixture_group(void)
{
    return mem_strdup("S-1-5-32-545"); /* Users */
}

void fixture_expect_group(const char *path, UNUSED const char *group)
{
    fixture_expect_mode(path, 0640);
}

/* ------------------------------------------------------------------ what there is not */

NORETURN static void lack(const char *what)
{
    fail_msg("%s: not here", what);
    abort();
}

void fixture_chown(const char *path, UNUSED unsigned user, UNUSED unsigned group)
{
    lack(path);
}

void fixture_lchown(const char *path, UNUSED unsigned user, UNUSED unsigned group)
{
    lack(path);
}

void fixture_expect_ids(const char *path, UNUSED unsigned user, UNUSED unsigned group)
{
    lack(path);
}

void fixture_symlink(UNUSED const char *target, const char *path)
{
    lack(path);
}

void fixture_fifo(const char *path)
{
    lack(path);
}

void fixture_socket(const char *path)
{
    lack(path);
}

int fixture_child(UNUSED int (*body)(void *context), UNUSED void *context)
{
    return CHILD_CANNOT;
}

bool fixture_child_is_killed(UNUSED int (*body)(void *context), UNUSED void *context)
{
    lack("fixture_child_is_killed");
}

bool fixture_drop_root(void)
{
    return false;
}

void fixture_become_user(void)
{
    lack("fixture_become_user");
}

void fixture_become_root(void)
{
    lack("fixture_become_root");
}

bool fixture_mount(UNUSED const char *dir, UNUSED const char *options)
{
    return false;
}

bool fixture_remount_read_only(UNUSED const char *dir)
{
    return false;
}

bool fixture_leave_network(void)
{
    return false;
}

bool fixture_fail(UNUSED enum fixture_call call, UNUSED int errnum)
{
    return false;
}

void fixture_ignore_sigpipe(void)
{
}
