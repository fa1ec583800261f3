/* SPDX-License-Identifier: MIT
 *
 * Commands for hints, in words that cmd.exe and PowerShell take alike: no "&&", which the PowerShell of Windows does
 * not know, and "(" only within quotes.  Accounts that have another name in each language are given as SIDs.
 */
#include "platform/platform.h"
#include "platform/win32.h"

#define SYSTEM "*S-1-5-18"
#define ADMINISTRATORS "*S-1-5-32-544"

/* "/reset" drops what was granted by name, which "/inheritance:r" leaves.  `inherit` is "" or "(OI)(CI)". */
static char *grant(const char *path, const char *inherit)
{
    char AUTO_FREE *native = platform_path_native(path);
    char AUTO_FREE *us = win32_account_of_us();

    return mem_printf("icacls \"%s\" /reset, and then: icacls \"%s\" /inheritance:r /grant:r \"" SYSTEM
                      ":%sF\" \"" ADMINISTRATORS ":%sF\" \"%s:%sF\"",
                      native, native, inherit, inherit, us, inherit);
}

char *platform_advice_private(const char *path)
{
    return grant(path, "");
}

char *platform_advice_own_private(const char *path)
{
    char AUTO_FREE *native = platform_path_native(path);
    char AUTO_FREE *granting = grant(path, "");

    return mem_printf("takeown /f \"%s\", and then: %s", native, granting);
}

/* There is no taking away from everybody alone: who is everybody depends on the machine and its domain. */
char *platform_advice_file_no_write(const char *path)
{
    return grant(path, "");
}

char *platform_advice_dir_no_write(const char *path)
{
    return grant(path, "(OI)(CI)");
}

const char *platform_advice_owner_program(void)
{
    return "takeown";
}

const char *platform_advice_group(void)
{
    return "accounts that the file's permissions name";
}

char *platform_advice_mode(unsigned mode)
{
    return mode ? mem_printf(" (mode %04o)", mode) : mem_strdup("");
}
