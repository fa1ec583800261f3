/* SPDX-License-Identifier: MIT
 *
 * The stack protector's half that is a library.  libssp of gcc asks for the value to guard stacks with in a way that
 * loads five system libraries at each start, among them user32, and shows a violation where nobody may be.  The names
 * are those that compilers call.  Also for unit tests and libraries: who links us, needs no libssp.
 */
#include <stdint.h>

#include "platform/win32.h"
/* after <windows.h>, which it needs */
#include <bcrypt.h>

/* What nobody guesses, but for those who see our memory; the value before is for a system without random numbers. */
uintptr_t __stack_chk_guard = (uintptr_t)0xff0a0d00b7c35a91;

NORETURN void __stack_chk_fail(void);
NORETURN void __chk_fail(void);

/* Before everything that has a stack to guard: no such function may return while the value changes. */
__attribute__((constructor(101), no_stack_protector)) static void choose_guard(void)
{
    uintptr_t value;

    if (BCryptGenRandom(NULL, (unsigned char *)&value, sizeof value, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0)
        __stack_chk_guard = value & ~(uintptr_t)0xff; /* a string that runs over ends before it */
}

/* Nothing can be trusted any more: system calls alone. */
NORETURN static void end_by(const char *message, DWORD len)
{
    win32_last_words(message, len);
    (void)TerminateProcess(GetCurrentProcess(), (UINT)STATUS_STACK_BUFFER_OVERRUN);
    for (;;)
        Sleep(INFINITE);
}

#define END_BY(text) end_by("acme-dme: " text "\r\n", sizeof "acme-dme: " text "\r\n" - 1)

void __stack_chk_fail(void)
{
    END_BY("ended, since a buffer on the stack was written beyond its end");
}

/* What memcpy() and others of _FORTIFY_SOURCE come to. */
void __chk_fail(void)
{
    END_BY("ended, since a buffer was about to be written beyond its end");
}
