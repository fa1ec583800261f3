/* SPDX-License-Identifier: MIT */
#include "config/loading.h"

/* A path for a shell. */
static char *shell_quote(const char *path)
{
    struct buf AUTO_BUF b = BUF_INIT(65536);

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

/* A problem, or a warning where readable secrets are allowed. */
static bool complain(struct config_loading *load, const char *file, const char *fault)
{
    struct config_place at = {CONFIG_FILE, file, 0, 0};

    if (load->config->allow_readable_secrets)
        config_report_warning(&load->report, &at, "%s", fault);
    else
        config_report_error(&load->report, ERR_UNSAFE, &at, "%s", fault);
    return !load->config->allow_readable_secrets;
}

void config_check_exposure(struct config_loading *load, const char *file, const struct platform_file_info *info)
{
    char AUTO_FREE *quoted = shell_quote(file);

    if (!info->owner_is_trusted && complain(load, file, "the file with secrets belongs to another user"))
        config_report_hint(&load->report, "Run: chown \"$(id -u)\" %s && chmod 600 %s", quoted, quoted);
    if (!info->owner_is_trusted || info->exposure == PLATFORM_PRIVATE)
        return;
    if (!complain(load, file,
                  info->exposure == PLATFORM_WORLD_READABLE
                      ? "every user of this machine can read the secrets in this file"
                      : "other users of the file's group can read the secrets in it"))
        return;
    if (info->mode)
        config_report_hint(&load->report, "Run: chmod 600 %s", quoted);
    else
        config_report_hint(&load->report, "Take other users' right to read it away.");
}

void config_check_writable(struct config_loading *load, const char *file, const struct platform_file_info *info)
{
    char AUTO_FREE *quoted = shell_quote(file);

    if ((info->mode & 0002) && complain(load, file, "every user of this machine can change this file"))
        config_report_hint(&load->report, "Run: chmod o-w %s", quoted);
}
