/* SPDX-License-Identifier: MIT
 *
 * Days are counted with the usual March-based civil calendar, in which leap days fall on the end of a year and no
 * table of month lengths is needed.
 */
#include "util/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct civil {
    int64_t year;
    int month; /* 1-12 */
    int day;   /* 1-31 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_unix(int64_t unix_s)
{
    int64_t day_count = floor_div(unix_s, 86400);
    int64_t rest = unix_s - day_count * 86400;
    int64_t z = day_count + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil c;

    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = yoe + era * 400 + (c.month <= 2 ? 1 : 0);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    c.weekday = (int)((day_count % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
    return c;
}

/* Years outside 0..9999 do not fit the formats; they are clamped, as no clock of ours means them. */
static int64_t clamp_unix(int64_t unix_s)
{
    const int64_t first = -62167219200;
    const int64_t last = 253402300799;

    return unix_s < first ? first : unix_s > last ? last : unix_s;
}

void clock_format_http_date(char out[CLOCK_HTTP_DATE_MAX], int64_t unix_s)
{
    struct civil c = civil_from_unix(clamp_unix(unix_s));

    (void)snprintf(out, CLOCK_HTTP_DATE_MAX, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[c.weekday],
                   (unsigned)c.day % 100u, months[c.month - 1], (unsigned)c.year % 10000u, (unsigned)c.hour % 100u,
                   (unsigned)c.minute % 100u, (unsigned)c.second % 100u);
}

void clock_format_iso(char out[CLOCK_HTTP_DATE_MAX], int64_t unix_s)
{
    struct civil c = civil_from_unix(clamp_unix(unix_s));

    (void)snprintf(out, CLOCK_HTTP_DATE_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000u,
                   (unsigned)c.month % 100u, (unsigned)c.day % 100u, (unsigned)c.hour % 100u, (unsigned)c.minute % 100u,
                   (unsigned)c.second % 100u);
}

void clock_format_span(char out[CLOCK_SPAN_MAX], int64_t ms)
{
    uint64_t magnitude = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    uint64_t s = magnitude / 1000 + (magnitude % 1000 >= 500 ? 1 : 0);
    uint64_t day_count = s / 86400;
    char in_day[24];

    (void)snprintf(in_day, sizeof in_day, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600 % 24, s / 60 % 60, s % 60);
    if (s < 3600)
        (void)snprintf(out, CLOCK_SPAN_MAX, "%" PRIu64 " s", s);
    else if (day_count == 0)
        (void)snprintf(out, CLOCK_SPAN_MAX, "%" PRIu64 " s (%s)", s, in_day);
    else if (day_count < 730)
        (void)snprintf(out, CLOCK_SPAN_MAX, "%" PRIu64 " s (%" PRIu64 " day%s %s)", s, day_count,
                       day_count == 1 ? "" : "s", in_day);
    else
        (void)snprintf(out, CLOCK_SPAN_MAX, "%" PRIu64 " s (%" PRIu64 " years)", s, (day_count * 100 + 18262) / 36525);
}

/* `count` decimal digits at *p; moves *p behind them; -1 when there are none. */
static int take_digits(const char **p, int count)
{
    int value = 0;

    for (int i = 0; i < count; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        value = value * 10 + (**p - '0');
    }
    return value;
}

static bool take_text(const char **p, const char *text)
{
    size_t len = strlen(text);

    if (strncmp(*p, text, len) != 0)
        return false;
    *p += len;
    return true;
}

static int take_name(const char **p, const char table[][4], int count)
{
    for (int i = 0; i < count; i++)
        if (take_text(p, table[i]))
            return i;
    return -1;
}

bool clock_parse_http_date(const char *s, int64_t *out_unix_s)
{
    const char *p = s;
    int day, month, year, hour, minute, second;

    if (take_name(&p, days, 7) < 0 || !take_text(&p, ", "))
        return false;
    day = take_digits(&p, 2);
    if (day < 1 || day > 31 || !take_text(&p, " "))
        return false;
    month = take_name(&p, months, 12);
    if (month < 0 || !take_text(&p, " "))
        return false;
    year = take_digits(&p, 4);
    if (year < 0 || !take_text(&p, " "))
        return false;
    hour = take_digits(&p, 2);
    if (hour < 0 || hour > 23 || !take_text(&p, ":"))
        return false;
    minute = take_digits(&p, 2);
    if (minute < 0 || minute > 59 || !take_text(&p, ":"))
        return false;
    second = take_digits(&p, 2);
    if (second < 0 || second > 60 || !take_text(&p, " GMT") || *p)
        return false;
    *out_unix_s = days_from_civil(year, month + 1, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

/* "+01:30", "Z"; minutes east of Greenwich. */
static bool take_offset(const char **p, int *out_minutes)
{
    int sign = **p == '-' ? -1 : 1;
    int hours, minutes;

    if (**p == 'Z' || **p == 'z') {
        (*p)++;
        *out_minutes = 0;
        return true;
    }
    if (!take_text(p, "+") && !take_text(p, "-"))
        return false;
    hours = take_digits(p, 2);
    if (hours < 0 || hours > 23 || !take_text(p, ":"))
        return false;
    minutes = take_digits(p, 2);
    if (minutes < 0 || minutes > 59)
        return false;
    *out_minutes = sign * (hours * 60 + minutes);
    return true;
}

/* ".25", or nothing; in milliseconds. */
static bool take_fraction(const char **p, int *out_ms)
{
    int unit = 100;

    *out_ms = 0;
    if (!take_text(p, "."))
        return true;
    if (**p < '0' || **p > '9')
        return false;
    for (; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
        *out_ms += (**p - '0') * unit;
    return true;
}

static bool take_number(const char **p, int count, const char *behind, int max, int *out)
{
    *out = take_digits(p, count);
    return *out >= 0 && *out <= max && take_text(p, behind);
}

bool clock_parse_rfc3339(const char *s, int64_t *out_unix_ms)
{
    const char *p = s;
    int year, month, day, hour, minute, second, ms, offset;
    int64_t day_count;

    if (!take_number(&p, 4, "-", 9999, &year) || !take_number(&p, 2, "-", 12, &month) ||
        !take_number(&p, 2, "", 31, &day) || month < 1 || day < 1)
        return false;
    if (!take_text(&p, "T") && !take_text(&p, "t"))
        return false;
    if (!take_number(&p, 2, ":", 23, &hour) || !take_number(&p, 2, ":", 59, &minute) ||
        !take_number(&p, 2, "", 60, &second) || !take_fraction(&p, &ms) || !take_offset(&p, &offset) || *p)
        return false;
    day_count = days_from_civil(year, month, day);
    if (civil_from_unix(day_count * 86400).month != month) /* February 30 */
        return false;
    *out_unix_ms = (day_count * 86400 + hour * 3600 + (minute - offset) * 60 + second) * 1000 + ms;
    return true;
}
