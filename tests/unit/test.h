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

#include <cmocka.h>

#include "util/attrs.h"

#define TEST(name) static void name(UNUSED void **state)

#endif
