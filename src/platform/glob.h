/* SPDX-License-Identifier: MIT
 *
 * What a system has to say for platform_file_glob(), which is in glob.c.  Nobody else includes this.
 */
#ifndef ACME_DME_PLATFORM_GLOB_H
#define ACME_DME_PLATFORM_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* How much of the pattern is never one: a drive, say. */
size_t glob_root_length(const char *pattern);
/* Does a part of a pattern fit a name?  A "." at the beginning is fitted by "." only. */
bool glob_fits(const char *part, const char *name);
/* Is there something, or what may not be looked at?  That is named: reading it will tell why. */
bool glob_may_exist(const char *path);
/* Is it something that has nothing below it, or nothing at all?  A file among directories, as certbot's README in
 * live/.  `path` ends in "/". */
bool glob_is_no_directory(const char *path);

#endif
