/* SPDX-License-Identifier: MIT
 *
 * What a process knows of its surroundings.
 */
#include "platform/platform.h"

#include <string.h>

#include "platform/win32.h"
/* after <windows.h>, which they need */
#include <initguid.h>

#include <bcrypt.h>
#include <knownfolders.h>
#include <objbase.h>
#include <shlobj.h>
#include <userenv.h>

#define FALLBACK_PROGRAM_DATA "C:/ProgramData"

long platform_process_id(void)
{
    return (long)GetCurrentProcessId();
}

/* ------------------------------------------------------------------ environment */

/* What was asked for, so that it can be lent: values that changed meanwhile stay, too. */
struct variable {
    struct variable *next;
    char *name;
    char *value;
};

/* Yours; NULL: it is unset. */
static wchar_t *wide_variable(const char *name)
{
    wchar_t AUTO_WIDE *wide_name = win32_wide(name);
    DWORD size = 0;
    wchar_t *value = NULL;

    for (;;) {
        DWORD needed;

        SetLastError(ERROR_SUCCESS);
        needed = GetEnvironmentVariableW(wide_name, value, size);
        if (needed == 0 && GetLastError() == ERROR_ENVVAR_NOT_FOUND)
            break;
        if (needed < size)
            return value;
        if (needed == 0) /* it is empty */
            needed = 1;
        size = needed;
        value = mem_resize(value, size, sizeof *value);
        value[0] = L'\0';
    }
    win32_wide_auto(&value);
    return NULL;
}

static const char *lend(struct variable **list, const char *name, char *value)
{
    struct variable *v;

    for (v = *list; v; v = v->next) {
        if (strcmp(v->name, name) == 0 && strcmp(v->value, value) == 0) {
            mem_free_auto(&value);
            return v->value;
        }
    }
    v = mem_zalloc(sizeof *v);
    *v = (struct variable){.next = *list, .name = mem_strdup(name), .value = value};
    *list = v;
    return v->value;
}

const char *platform_env(const char *name)
{
    /* Threads of libraries may ask, too. */
    static SRWLOCK environment_lock = SRWLOCK_INIT;
    static struct variable *environment_lent;
    wchar_t AUTO_WIDE *wide = wide_variable(name);
    const char *value;

    if (!wide)
        return NULL;
    AcquireSRWLockExclusive(&environment_lock);
    value = lend(&environment_lent, name, win32_utf8(wide));
    ReleaseSRWLockExclusive(&environment_lock);
    return value;
}

/* ------------------------------------------------------------------ directories */

/* Yours; NULL: the system does not know. */
static char *known_folder(const GUID *which)
{
    wchar_t *wide = NULL;
    char AUTO_FREE *path = NULL;

    if (SHGetKnownFolderPath(which, 0, NULL, &wide) == S_OK && wide)
        path = win32_utf8(wide);
    CoTaskMemFree(wide);
    return path ? platform_path_inside(path) : NULL;
}

/* A directory that the environment names, else the system. */
static char *folder(const char *variable, const GUID *which)
{
    const char *set = platform_env(variable);
    char AUTO_FREE *path = set ? platform_path_inside(set) : NULL;

    return path && platform_path_is_absolute(path) ? mem_strdup(path) : known_folder(which);
}

char *platform_home(void)
{
    return folder("USERPROFILE", &FOLDERID_Profile);
}

/* Not %ProgramData%: what everybody's configuration is must not depend on who sets a variable. */
char *platform_config_dir(void)
{
    wchar_t wide[MAX_PATH + 1];
    DWORD size = ARRAY_LEN(wide);
    char AUTO_FREE *path = GetAllUsersProfileDirectoryW(wide, &size) ? win32_utf8(wide) : NULL;

    return path ? platform_path_inside(path) : mem_strdup(FALLBACK_PROGRAM_DATA);
}

bool win32_is_background(void)
{
    DWORD session;

    return ProcessIdToSessionId(GetCurrentProcessId(), &session) && session == 0;
}

bool win32_is_administrator(void)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    PSID group = NULL;
    BOOL is_member = FALSE;

    if (!AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0,
                                  &group))
        return false;
    if (!CheckTokenMembership(NULL, group, &is_member))
        is_member = FALSE;
    (void)FreeSid(group);
    return is_member;
}

char *platform_default_state_dir(void)
{
    char AUTO_FREE *local = win32_is_administrator() ? NULL : folder("LOCALAPPDATA", &FOLDERID_LocalAppData);
    char AUTO_FREE *base = local ? mem_strdup(local) : platform_config_dir();

    return mem_printf("%s/acme-dme/state", base);
}

/* ------------------------------------------------------------------ the rest */

enum err_code platform_random(void *out, size_t len, struct err *err)
{
    unsigned char *bytes = out;

    while (len > 0) {
        ULONG part = len < ULONG_MAX ? (ULONG)len : ULONG_MAX;
        NTSTATUS status = BCryptGenRandom(NULL, bytes, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG);

        if (status != 0)
            return err_set(err, ERR_INTERNAL, "could not get random bytes of the system: status 0x%08lX",
                           (unsigned long)status);
        bytes += part;
        len -= part;
    }
    return ERR_OK;
}

/* Handles are as many as memory allows, and sockets are such. */
size_t platform_descriptors_want(size_t count)
{
    return count;
}
