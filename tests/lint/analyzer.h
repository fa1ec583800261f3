/* SPDX-License-Identifier: MIT
 *
 * check-tidy has this in front of every file: the analyzer looks at one file at a time and could not know otherwise that these
 * functions return the code that they are given, and would follow "failed" branches with a result of ERR_OK.
 */
#include "platform/posix.h"
#include "util/err.h"

#define err_set(err, code, ...) ((void)(err_set)(err, code, __VA_ARGS__), (code))
#define err_prefix(err, code, ...) ((void)(err_prefix)(err, code, __VA_ARGS__), (code))
#define err_set_errno(err, code, ...) ((void)(err_set_errno)(err, code, __VA_ARGS__), (code))
#define posix_err(err, code, ...) ((void)(posix_err)(err, code, __VA_ARGS__), (code))
