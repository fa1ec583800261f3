/* SPDX-License-Identifier: MIT
 *
 * What every unit test includes.  Test names are sentences; cmocka wants its headers in this order.
 */
#ifndef ACME_DME_TESTS_UNIT_TEST_H
#define ACME_DME_TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Formats are those of C11 on Windows, too. */
#ifdef __MINGW_PRINTF_FORMAT
#define __printf__ __MINGW_PRINTF_FORMAT
#endif
#include <cmocka.h>
#undef __printf__

#include "util/attrs.h"

#define TEST(name) static void name(UNUSED void **state)

#endif
