/* SPDX-License-Identifier: MIT */
#include "config/address.h"

#include <string.h>

#include "util/text.h"

bool config_is_ipv4(const char *text, size_t len)
{
    size_t i = 0;

    for (size_t octet = 0; octet < 4; octet++) {
        size_t digits = 0;
        unsigned value = 0;

        if (octet && (i == len || text[i++] != '.'))
            return false;
        for (; i < len && text_is_digit(text[i]) && digits < 4; i++, digits++)
            value = value * 10 + (unsigned)(text[i] - '0');
        if (digits == 0 || value > 255 || (digits > 1 && text[i - digits] == '0'))
            return false;
    }
    return i == len;
}

/* Groups of 16 bits at `text`; an IPv4 address at the end counts as two.  0 when malformed. */
static size_t count_groups(const char *text, size_t len)
{
    size_t groups = 0;

    for (size_t i = 0; i <= len;) {
        size_t n = 0;

        while (i + n < len && text_is_hex(text[i + n]))
            n++;
        if (i + n < len && text[i + n] == '.')
            return config_is_ipv4(text + i, len - i) ? groups + 2 : 0;
        if (n == 0 || n > 4 || (i + n < len && text[i + n] != ':'))
            return 0;
        groups++;
        i += n + 1;
    }
    return groups;
}

/* Where "::" is; len if it isn't. */
static size_t find_gap(const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (text[i] == ':' && text[i + 1] == ':')
            return i;
    }
    return len;
}

bool config_is_ipv6(const char *text, size_t len)
{
    size_t gap = find_gap(text, len);
    size_t before;
    size_t after;

    if (gap == len)
        return count_groups(text, len) == 8;
    before = gap ? count_groups(text, gap) : 0;
    after = gap + 2 < len ? count_groups(text + gap + 2, len - gap - 2) : 0;
    /* An IPv4 tail can only be at the very end, and "::" stands for at least one group. */
    return (gap == 0 || (before && !memchr(text, '.', gap))) && (gap + 2 == len || after) && before + after <= 7;
}

/* "" or ":1" to ":65535" */
static bool is_port_suffix(const char *text, size_t len)
{
    unsigned long value = 0;

    if (len == 0)
        return true;
    if (text[0] != ':' || len < 2 || len > 6)
        return false;
    for (size_t i = 1; i < len; i++) {
        if (!text_is_digit(text[i]))
            return false;
        value = value * 10 + (unsigned long)(text[i] - '0');
    }
    return value >= 1 && value <= 65535;
}

/* Split "host[:port]" with an IPv6 host in brackets; the host without them.  False if the port is bad. */
static bool split_port(const char *text, size_t len, const char **host, size_t *host_len)
{
    const char *end;

    if (len && text[0] == '[') {
        end = memchr(text, ']', len);
        if (!end)
            return false;
        *host = text + 1;
        *host_len = (size_t)(end - text) - 1;
        return config_is_ipv6(*host, *host_len) && is_port_suffix(end + 1, len - (size_t)(end - text) - 1);
    }
    end = memchr(text, ':', len);
    *host = text;
    *host_len = end ? (size_t)(end - text) : len;
    return is_port_suffix(text + *host_len, len - *host_len);
}

bool config_is_address(const char *text)
{
    const char *host;
    size_t host_len;
    size_t len = strlen(text);

    if (config_is_ipv6(text, len))
        return true;
    if (!split_port(text, len, &host, &host_len))
        return false;
    return text[0] == '[' || config_is_ipv4(host, host_len);
}

static bool is_dns_name(const char *text, size_t len)
{
    size_t label = 0;

    if (len && text[len - 1] == '.')
        len--;
    if (len == 0 || len > 253)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text_lower(text[i]);

        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        if (!(c >= 'a' && c <= 'z') && !text_is_digit(c) && c != '-' && c != '_')
            return false;
        if (++label > 63)
            return false;
    }
    return label > 0;
}

bool config_is_dns_name(const char *text)
{
    return is_dns_name(text, strlen(text));
}

static bool is_this_machine(const char *host, size_t len)
{
    return (len == 9 && text_ncasecmp(host, "localhost", 9) == 0) || (len == 3 && memcmp(host, "::1", 3) == 0) ||
           (config_is_ipv4(host, len) && memcmp(host, "127.", 4) == 0);
}

const char *config_url_fault(const char *url)
{
    bool is_http = text_ncasecmp(url, "http://", 7) == 0;
    const char *authority = url + (is_http ? 7 : 8);
    const char *host;
    size_t host_len;
    size_t len;

    if (!is_http && text_ncasecmp(url, "https://", 8) != 0)
        return "and begin with \"https://\"";
    for (const char *p = url; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f || strchr("\"<>\\^`{|}", *p))
            return "without white space and characters that URLs do not have";
    }
    len = strcspn(authority, "/?#");
    if (memchr(authority, '@', len))
        return "without a user name or password";
    if (authority[strcspn(authority, "?#")])
        return "without \"?\" and \"#\"";
    if (!split_port(authority, len, &host, &host_len))
        return "with a port from 1 to 65535, if any";
    if (authority[0] != '[' && !is_dns_name(host, host_len))
        return "with a host name";
    if (is_http && !is_this_machine(host, host_len))
        return "(http is for servers on this machine only)";
    return NULL;
}
