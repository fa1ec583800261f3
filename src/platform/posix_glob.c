/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "platform/glob.h"
#include "util/attrs.h"

size_t glob_root_length(UNUSED const char *pattern)
{
    return 0;
}

bool glob_fits(const char *part, const char *name)
{
    return fnmatch(part, name, FNM_PERIOD) == 0;
}

bool glob_may_exist(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool glob_is_no_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) != 0 && (errno == ENOTDIR || errno == ENOENT);
}
