/* SPDX-License-Identifier: MIT */
#include "util/parse.h"

#include <string.h>

#include "util/attrs.h"
#include "util/text.h"

/* Digits at the start of s; returns how many there are, 0 on overflow too. */
static size_t leading_uint(const char *s, uint64_t *out)
{
    uint64_t value = 0;
    size_t n = 0;

    for (; text_is_digit(s[n]); n++) {
        uint64_t digit = (uint64_t)(s[n] - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *out = value;
    return n;
}

bool parse_uint(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    size_t n = leading_uint(s, &value);

    if (n == 0 || s[n] || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool parse_duration_ms(const char *s, int64_t *out_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    const int64_t longest = 366LL * 86400000;
    uint64_t value = 0;
    size_t n = leading_uint(s, &value);

    if (n == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(s + n, units[i].name) != 0)
            continue;
        if (value > (uint64_t)(longest / units[i].ms))
            return false;
        *out_ms = (int64_t)value * units[i].ms;
        return true;
    }
    return false;
}

bool parse_bool(const char *s, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (text_casecmp(s, yes[i]) == 0 || text_casecmp(s, no[i]) == 0) {
            *out = text_casecmp(s, yes[i]) == 0;
            return true;
        }
    }
    return false;
}
