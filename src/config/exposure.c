/* SPDX-License-Identifier: MIT */
#include "config/loading.h"

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

/* `command` is taken. */
static void advise(struct config_loading *load, char *command)
{
    config_report_hint(&load->report, "Run: %s", command);
    mem_free_auto(&command);
}

void config_check_exposure(struct config_loading *load, const char *file, const struct platform_file_info *info)
{
    char AUTO_FREE *fault = NULL;

    if (!info->owner_is_trusted && complain(load, file, "the file with secrets belongs to another user"))
        advise(load, platform_advice_own_private(file));
    if (!info->owner_is_trusted || info->exposure == PLATFORM_PRIVATE)
        return;
    fault = info->exposure == PLATFORM_WORLD_READABLE
                ? mem_strdup("every user of this machine can read the secrets in this file")
                : mem_printf("other %s can read the secrets in it", platform_advice_group());
    if (complain(load, file, fault))
        advise(load, platform_advice_private(file));
}

void config_check_writable(struct config_loading *load, const char *file, const struct platform_file_info *info)
{
    if (info->everybody_can_write && complain(load, file, "every user of this machine can change this file"))
        advise(load, platform_advice_file_no_write(file));
}
