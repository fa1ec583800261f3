/* SPDX-License-Identifier: MIT */
#include "util/parse.h"

#include <string.h>

#include "util/attrs.h"
#include "util/mem.h"
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

bool parse_fraction(const char *s, uint32_t *out_numerator, uint32_t *out_denominator)
{
    uint64_t numerator = 0;
    uint64_t denominator = 0;
    size_t n = leading_uint(s, &numerator);

    if (n == 0 || s[n] != '/' || numerator == 0 || !parse_uint(s + n + 1, 2, 1000, &denominator) ||
        numerator >= denominator)
        return false;
    *out_numerator = (uint32_t)numerator;
    *out_denominator = (uint32_t)denominator;
    return true;
}

#define HOST_MAX 253

static bool is_host_char(char c)
{
    char lower = text_lower(c);

    return (lower >= 'a' && lower <= 'z') || text_is_digit(c) || c == '-' || c == '.' || c == '_';
}

/* Of an IPv6 address, a zone ("%eth0") included. */
static bool is_v6_char(char c)
{
    return is_host_char(c) || c == ':' || c == '%';
}

bool parse_host_port(const char *s, char **out_host, char **out_port)
{
    bool is_bracketed = s[0] == '[';
    const char *host = s + (is_bracketed ? 1 : 0);
    size_t len = 0;
    const char *port;
    uint64_t number;

    while (host[len] && (is_bracketed ? is_v6_char(host[len]) : is_host_char(host[len])))
        len++;
    port = host + len;
    if (len == 0 || len > HOST_MAX || host[0] == '-' || (is_bracketed && *port++ != ']') || *port++ != ':')
        return false;
    if (!parse_uint(port, 1, 65535, &number))
        return false;
    *out_host = mem_strndup(host, len);
    *out_port = mem_printf("%u", (unsigned)number);
    return true;
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
