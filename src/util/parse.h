/* SPDX-License-Identifier: MIT
 *
 * Strict parsing of numbers and durations: the whole text or nothing, no sign, no white space, no locale.
 */
#ifndef ACME_DME_UTIL_PARSE_H
#define ACME_DME_UTIL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"

/* Decimal digits only, min <= value <= max; false leaves *out alone. */
bool parse_uint(const char *s, uint64_t min, uint64_t max, uint64_t *out) MUST_USE;

/* "250ms", "100s", "5m", "2h", "1d": a whole number and a unit, in milliseconds, at most 366 days. */
bool parse_duration_ms(const char *s, int64_t *out_ms) MUST_USE;

/* true/false, yes/no, on/off, 1/0 in any case. */
bool parse_bool(const char *s, bool *out) MUST_USE;

#endif
