/* SPDX-License-Identifier: MIT
 *
 * Commands for hints.
 */
#include "platform/platform.h"

#define QUOTED_MAX 65536

/* A path for a shell. */
static char *quote(const char *path)
{
    struct buf AUTO_BUF b = BUF_INIT(QUOTED_MAX);

    buf_putc(&b, '\'');
    for (; *path; path++) {
        if (*path == '\'')
            buf_puts(&b, "'\\''");
        else
            buf_putc(&b, *path);
    }
    buf_putc(&b, '\'');
    return buf_take(&b);
}

static char *command(const char *what, const char *path)
{
    char AUTO_FREE *quoted = quote(path);

    return mem_printf("%s %s", what, quoted);
}

char *platform_advice_private(const char *path)
{
    return command("chmod 600", path);
}

char *platform_advice_own_private(const char *path)
{
    char AUTO_FREE *quoted = quote(path);

    return mem_printf("chown \"$(id -u)\" %s && chmod 600 %s", quoted, quoted);
}

char *platform_advice_file_no_write(const char *path)
{
    return command("chmod o-w", path);
}

char *platform_advice_dir_no_write(const char *path)
{
    return command("chmod go-w", path);
}

const char *platform_advice_owner_program(void)
{
    return "chown";
}

const char *platform_advice_group(void)
{
    return "users of the file's group";
}

char *platform_advice_mode(unsigned mode)
{
    return mem_printf(" (mode %04o)", mode);
}
