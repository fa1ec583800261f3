/* SPDX-License-Identifier: MIT
 *
 * Commands for hints, in words that cmd.exe and PowerShell take alike: no "&&", which the PowerShell of Windows does
 * not know, and "(" only within quotes.  Accounts that have another name in each language are given as SIDs.
 */
#include "platform/platform.h"

#include <stdlib.h>
#include <string.h>

#include "platform/win32.h"

#define SYSTEM "*S-1-5-18"
#define ADMINISTRATORS "*S-1-5-32-544"

/* As a word of a command: before the quote at its end a backslash would be none. */
static char *word_of(const char *path)
{
    char AUTO_FREE *native = platform_path_native(path);
    size_t len = strlen(native);

    while (len > 1 && native[len - 1] == '\\')
        native[--len] = '\0';
    return mem_printf("%s%s", native, native[len - 1] == ':' ? "\\." : "");
}

/* An administrator has full access as such, and SYSTEM, who runs the tasks, would take a grant to one for that to a
 * stranger. */
static char *grant_to_us(const char *inherit)
{
    char AUTO_FREE *us = win32_is_administrator() ? NULL : win32_account_of_us();

    return us ? mem_printf(" \"%s:%sF\"", us, inherit) : mem_strdup("");
}

/* "/reset" drops what was granted by name, which "/inheritance:r" leaves.  `inherit` is "" or "(OI)(CI)". */
static char *grant(const char *path, const char *inherit)
{
    char AUTO_FREE *word = word_of(path);
    char AUTO_FREE *ours = grant_to_us(inherit);

    return mem_printf("icacls \"%s\" /reset, and then: icacls \"%s\" /inheritance:r /grant:r \"" SYSTEM
                      ":%sF\" \"" ADMINISTRATORS ":%sF\"%s",
                      word, word, inherit, inherit, ours);
}

char *platform_advice_private(const char *path)
{
    return grant(path, "");
}

char *platform_advice_own_private(const char *path)
{
    char AUTO_FREE *word = word_of(path);
    char AUTO_FREE *granting = grant(path, "");

    return mem_printf("%s /f \"%s\", and then: %s", platform_advice_owner_program(), word, granting);
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

/* "/a": not to this administrator, but to all of them. */
const char *platform_advice_owner_program(void)
{
    return win32_is_administrator() ? "takeown /a" : "takeown";
}

const char *platform_advice_group(void)
{
    return "accounts that the file's permissions name";
}

char *platform_advice_mode(unsigned mode)
{
    return mode ? mem_printf(" (mode %04o)", mode) : mem_strdup("");
}
