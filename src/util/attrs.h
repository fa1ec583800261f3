/* SPDX-License-Identifier: MIT
 *
 * Compiler attributes that the whole program uses.  gcc and clang are required; both know all of these.
 */
#ifndef ACME_DME_UTIL_ATTRS_H
#define ACME_DME_UTIL_ATTRS_H

#include <stdio.h> /* says on Windows whose printf() it has */

#define MUST_USE __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))
#ifdef __MINGW_PRINTF_FORMAT /* "%zu" and "%lld", which the system's own does not know */
#define PRINTF_LIKE(fmt_index, first_arg) __attribute__((format(__MINGW_PRINTF_FORMAT, fmt_index, first_arg)))
#else
#define PRINTF_LIKE(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))
#endif

/* A local declared with AUTO(fn) is handed to fn(&local) when it leaves its scope. */
#define AUTO(fn) __attribute__((cleanup(fn)))

/* Number of elements of an array (not of a pointer). */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
