/* SPDX-License-Identifier: MIT
 *
 * Where this system has what hints speak of.
 */
#include "platform/platform.h"

#include <string.h>

bool platform_name_is_possible(const char *name)
{
    return *name && !strchr(name, '/');
}

bool platform_config_dir_is_shared(void)
{
    return false;
}

char *platform_user_config_dir(void)
{
    return NULL;
}

const char *platform_hosts_place(void)
{
    return "/etc/hosts";
}

const char *platform_resolvers_place(void)
{
    return "/etc/resolv.conf";
}

const char *platform_link_name(void)
{
    return "a symbolic link";
}

const char *platform_secret_file_mode(void)
{
    return "mode 600";
}

const char *platform_line_end(void)
{
    return "\n";
}

const char *platform_cas_advice(void)
{
    return "Debian: package ca-certificates";
}
