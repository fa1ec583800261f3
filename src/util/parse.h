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

/* "1/3": a part of a whole, larger than nothing and smaller than all, both numbers at most 1000. */
bool parse_fraction(const char *s, uint32_t *out_numerator, uint32_t *out_denominator) MUST_USE;

/* "host:443", "192.0.2.1:443" or "[2001:db8::1]:443": a DNS name or an IP address, and a port, both of which are only
 * looked at for their letters.  *out_host (without brackets) and *out_port are yours. */
bool parse_host_port(const char *s, char **out_host, char **out_port) MUST_USE;

/* true/false, yes/no, on/off, 1/0 in any case. */
bool parse_bool(const char *s, bool *out) MUST_USE;

#endif
