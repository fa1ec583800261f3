/* SPDX-License-Identifier: MIT
 *
 * Where Windows has what hints speak of.
 */
#include "platform/win32.h"

#include <string.h>

bool platform_name_is_possible(const char *name)
{
    char AUTO_FREE *path = mem_printf("C:/%s", name);
    wchar_t AUTO_WIDE *wide = *name && !strpbrk(name, "/\\") ? win32_path(path) : NULL;

    return wide != NULL;
}

bool platform_config_dir_is_shared(void)
{
    return true; /* %ProgramData% grants that to Users */
}

char *platform_user_config_dir(void)
{
    const char *dir = platform_env("APPDATA");

    return dir && platform_path_is_absolute(dir) ? platform_path_inside(dir) : NULL;
}

const char *platform_hosts_place(void)
{
    return "%SystemRoot%\\System32\\drivers\\etc\\hosts";
}

const char *platform_resolvers_place(void)
{
    return "ipconfig /all";
}

const char *platform_link_name(void)
{
    return "a directory with hard links";
}

const char *platform_secret_file_mode(void)
{
    return "which only Administrators and SYSTEM may read";
}

const char *platform_line_end(void)
{
    return "\r\n";
}

const char *platform_cas_advice(void)
{
    return "certutil -addstore Root FILE, or a newer ca-bundle.crt beside acme-dme.exe";
}
