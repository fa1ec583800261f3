/* SPDX-License-Identifier: MIT
 *
 * Command lines.
 *
 * A process gets one text and takes it apart by itself.  Most do it as CommandLineToArgvW() does, where what is in
 * quotes is taken literally, and neither spaces nor wildcards mean anything.  A batch file is run by cmd.exe, which has
 * other rules and no way to quote some characters: such arguments are refused, as otherwise they might become commands
 * ("BatBadBut", CVE-2024-24576).  The system would run cmd.exe by itself, but with no protection at all, and so every
 * file that it takes for a batch file has to be recognised here.
 */
#include "platform/platform.h"

#include <string.h>

#include "platform/win32.h"
#include "util/text.h"

#define LINE_MAX_CHARS 32766
#define BATCH_LINE_MAX_CHARS 8190
#define LINE_MAX_BYTES ((size_t)4 * LINE_MAX_CHARS)

/* What both ways of taking apart leave alone. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+./\\:@"

#define CMD "\\cmd.exe"
#define CMD_OPTIONS " /d /e:ON /v:OFF /s /c "
#define POWERSHELL "\\WindowsPowerShell\\v1.0\\powershell.exe"
#define POWERSHELL_OPTIONS " -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "

static bool has_extension(const char *path, const char *extension)
{
    size_t len = strlen(path);
    size_t end = strlen(extension);

    return len > end && text_casecmp(path + len - end, extension) == 0;
}

enum win32_runner win32_runner_of(const char *path)
{
    if (has_extension(path, ".bat") || has_extension(path, ".cmd"))
        return WIN32_RUN_BY_CMD;
    return has_extension(path, ".ps1") ? WIN32_RUN_BY_POWERSHELL : WIN32_RUN_BY_SYSTEM;
}

/* From the system's directory, whatever PATH and ComSpec say. */
char *win32_runner_path(enum win32_runner runner)
{
    wchar_t dir[MAX_PATH];
    UINT len = GetSystemDirectoryW(dir, MAX_PATH);
    char AUTO_FREE *text = NULL;

    if (len == 0 || len >= MAX_PATH)
        return NULL;
    text = win32_utf8(dir);
    return mem_printf("%s%s", text, runner == WIN32_RUN_BY_CMD ? CMD : POWERSHELL);
}

/* Backslashes are literal, except in front of a quote: there each needs one more. */
static void put_argument(struct buf *line, const char *argument)
{
    if (*argument && !argument[strspn(argument, PLAIN)]) {
        buf_puts(line, argument);
        return;
    }
    buf_putc(line, '"');
    while (*argument) {
        size_t backslashes = strspn(argument, "\\");
        bool is_doubled = argument[backslashes] == '"' || argument[backslashes] == '\0';

        for (size_t i = 0; i < (is_doubled ? 2 * backslashes : backslashes); i++)
            buf_putc(line, '\\');
        argument += backslashes;
        if (*argument == '"')
            buf_putc(line, '\\');
        if (*argument)
            buf_putc(line, *argument++);
    }
    buf_putc(line, '"');
}

/* ------------------------------------------------------------------ batch files */

/* "%" names variables, even in quotes, and so does "!" in many a script; a quote ends the quotes, and a line its end.
 * Tabs are fine. */
static bool is_dangerous(char c)
{
    unsigned char byte = (unsigned char)c;

    return strchr("\"%!", c) || (byte < ' ' && c != '\t') || byte == 0x7F;
}

static enum err_code check_for_batch(const char *file, const char *argument, struct err *err)
{
    for (const char *at = argument; *at; at++) {
        if (!is_dangerous(*at))
            continue;
        (void)err_set(err, ERR_INPUT, "could not run \"%s\": a batch file can't be given \"%s\" safely, because of %s",
                      file, argument, (unsigned char)*at < ' ' ? "a control character" : (char[]){'\'', *at, '\'', 0});
        err_hint(err, "Use a PowerShell script (.ps1) or a program in place of the batch file.");
        return ERR_INPUT;
    }
    return ERR_OK;
}

/* Quoted only where it must be: a batch file sees the quotes. */
static void put_for_batch(struct buf *line, const char *argument)
{
    bool is_plain = *argument && !argument[strspn(argument, PLAIN)];

    buf_printf(line, is_plain ? "%s" : "\"%s\"", argument);
}

/* With /s it takes off the outermost quotes, and nothing else. */
static enum err_code put_batch(struct buf *line, const char *const *argv, struct err *err)
{
    char AUTO_FREE *native = platform_path_native(argv[0]);
    enum err_code rc = check_for_batch(argv[0], native, err);

    buf_printf(line, CMD_OPTIONS "\"\"%s\"", native);
    for (size_t i = 1; rc == ERR_OK && argv[i]; i++) {
        rc = check_for_batch(argv[0], argv[i], err);
        buf_putc(line, ' ');
        put_for_batch(line, argv[i]);
    }
    buf_putc(line, '"');
    return rc;
}

/* ------------------------------------------------------------------ whole */

static void put_program(struct buf *line, const char *const *argv)
{
    char AUTO_FREE *native = platform_path_native(argv[0]);

    put_argument(line, native);
    for (size_t i = 1; argv[i]; i++) {
        buf_putc(line, ' ');
        put_argument(line, argv[i]);
    }
}

static enum err_code put_line(struct buf *line, const char *const *argv, struct err *err)
{
    enum win32_runner runner = win32_runner_of(argv[0]);
    char AUTO_FREE *path = runner == WIN32_RUN_BY_SYSTEM ? NULL : win32_runner_path(runner);

    if (path)
        put_argument(line, path);
    if (runner == WIN32_RUN_BY_CMD)
        return put_batch(line, argv, err);
    if (runner == WIN32_RUN_BY_POWERSHELL)
        buf_puts(line, POWERSHELL_OPTIONS);
    put_program(line, argv);
    return ERR_OK;
}

enum err_code win32_command_line(const char *const *argv, wchar_t **out, struct err *err)
{
    struct buf AUTO_BUF line = BUF_INIT(LINE_MAX_BYTES);
    size_t most = win32_runner_of(argv[0]) == WIN32_RUN_BY_CMD ? BATCH_LINE_MAX_CHARS : LINE_MAX_CHARS;
    wchar_t AUTO_WIDE *wide = NULL;
    enum err_code rc = put_line(&line, argv, err);

    if (rc != ERR_OK)
        return rc;
    wide = win32_wide(buf_cstr(&line));
    if (!buf_ok(&line) || wcslen(wide) > most)
        return err_set(err, ERR_INPUT, "could not run \"%s\": its arguments are longer than %zu characters", argv[0],
                       most);
    *out = wide;
    wide = NULL;
    return ERR_OK;
}
