/* SPDX-License-Identifier: MIT
 *
 * Handles that close themselves, errors of the system in words, and patience with other programs.
 */
#include "platform/win32.h"

#include <string.h>

#include "util/text.h"

#ifndef ERROR_DISK_QUOTA_EXCEEDED /* older headers */
#define ERROR_DISK_QUOTA_EXCEEDED 1295L
#endif

#define RETRY_MS 5000
#define RETRY_DENIED_MS 250 /* while reading: most of what is denied stays so */
#define RETRY_PAUSE_MAX_MS 100

void win32_close_auto(HANDLE *handle)
{
    if (*handle && *handle != INVALID_HANDLE_VALUE)
        (void)CloseHandle(*handle);
    *handle = NULL;
}

/* ------------------------------------------------------------------ words */

static DWORD look_up(DWORD error, DWORD language, wchar_t *out, DWORD size)
{
    return FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                          NULL, error, language, out, size, NULL);
}

/* Without the full stop and the spaces behind it.  Yours. */
static char *text_of(DWORD error)
{
    wchar_t wide[512] = L"";
    char *text;
    size_t len;

    if (look_up(error, MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US), wide, ARRAY_LEN(wide)) == 0 &&
        look_up(error, 0, wide, ARRAY_LEN(wide)) == 0)
        return mem_printf("Windows error %lu", error);
    text = win32_utf8(wide);
    len = strlen(text);
    while (len > 0 && (text_is_space(text[len - 1]) || text[len - 1] == '.'))
        text[--len] = '\0';
    return text;
}

static void advise(struct err *err, DWORD error, const char *path)
{
    char AUTO_FREE *us = NULL;

    switch (error) {
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_DISK_QUOTA_EXCEEDED:
        err_hint(err, "Free some space (or quota) on the volume that holds \"%s\".", path);
        break;
    case ERROR_WRITE_PROTECT:
        err_hint(err, "The volume that holds \"%s\" is read-only; choose a place that can be written to.", path);
        break;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_USER_MAPPED_FILE:
        err_hint(err,
                 "Another program has \"%s\" open: close it, or exclude the directory from what a virus scanner or a "
                 "backup looks at.",
                 path);
        break;
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
        us = win32_account_of_us();
        err_hint(err,
                 "The program runs as \"%s\"; check the owner and permissions of \"%s\" and of the directories above "
                 "it, and whether another program has it open.",
                 us, path);
        break;
    case ERROR_FILENAME_EXCED_RANGE:
    case ERROR_BUFFER_OVERFLOW:
        err_hint(err, "Choose a shorter name: one part of a path may have 255 characters.");
        break;
    default:
        break;
    }
}

enum err_code win32_err(struct err *err, enum err_code code, DWORD error, const char *what, const char *path)
{
    char AUTO_FREE *text = NULL;

    if (!err)
        return code;
    text = text_of(error);
    (void)err_set(err, code, "could not %s \"%s\": %s", what, path, text);
    advise(err, error, path);
    return code;
}

enum err_code win32_err_plain(struct err *err, enum err_code code, DWORD error, const char *what)
{
    char AUTO_FREE *text = NULL;

    if (!err)
        return code;
    text = text_of(error);
    return err_set(err, code, "could not %s: %s", what, text);
}

enum err_code win32_err_name(struct err *err, const char *what, const char *path)
{
    (void)err_set(err, ERR_IO, "could not %s \"%s\": it is not the name of a file on Windows", what, path);
    err_hint(err,
             "Choose another name: without any of < > : \" | ? *, not ending in a dot or a space, and none of con, "
             "prn, aux, nul, com1 and lpt1, with whatever extension.");
    return ERR_IO;
}

/* Of what is on a server that can't be reached nobody knows. */
bool win32_is_missing(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
        return true;
    default:
        return false;
    }
}

/* ------------------------------------------------------------------ patience */

/* How long a failure is waited out; 0: it will not pass. */
static ULONGLONG patience(DWORD error, ULONGLONG denied_ms)
{
    switch (error) {
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_USER_MAPPED_FILE:
    case ERROR_DELETE_PENDING:
        return RETRY_MS;
    case ERROR_ACCESS_DENIED:
        return denied_ms;
    default:
        return 0;
    }
}

static bool retry(bool (*attempt)(void *ctx), void *ctx, ULONGLONG denied_ms)
{
    ULONGLONG start = GetTickCount64();
    DWORD pause_ms = 1;

    while (!attempt(ctx)) {
        DWORD error = GetLastError();

        if (GetTickCount64() - start >= patience(error, denied_ms)) {
            SetLastError(error);
            return false;
        }
        Sleep(pause_ms);
        pause_ms = pause_ms * 2 < RETRY_PAUSE_MAX_MS ? pause_ms * 2 : RETRY_PAUSE_MAX_MS;
    }
    return true;
}

bool win32_retry(bool (*attempt)(void *ctx), void *ctx)
{
    return retry(attempt, ctx, RETRY_MS);
}

bool win32_retry_reading(bool (*attempt)(void *ctx), void *ctx)
{
    return retry(attempt, ctx, RETRY_DENIED_MS);
}
