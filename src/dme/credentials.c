/* SPDX-License-Identifier: MIT
 *
 * What is odd about the shape of API key and secret.  Both are UUIDs in text form (RFC 9562 section 4): 36 characters,
 * hexadecimal digits in groups of 8, 4, 4, 4 and 12.  Nothing of the values themselves is ever told.
 */
#include <string.h>

#include "dme/dme.h"
#include "util/text.h"

#define UUID_LEN 36

static bool is_dash_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static const char *kind_of(char c)
{
    if (text_is_space(c))
        return "white space";
    if (c == '"' || c == '\'' || c == '`')
        return "a quote";
    if ((unsigned char)c >= 0x80)
        return "a character that is not ASCII";
    if ((unsigned char)c < 0x20 || c == 0x7f)
        return "a control character";
    return c == '-' ? "a dash" : "a character that is not hexadecimal";
}

/* May this stand there?  Where the length is wrong the places are too. */
static bool is_good_at(char c, size_t i, size_t len)
{
    if (len != UUID_LEN)
        return c == '-' || text_is_hex(c);
    return is_dash_place(i) ? c == '-' : text_is_hex(c);
}

/* Of the first character that is wrong; `len` when there is none. */
static size_t find_fault(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && is_good_at(text[i], i, len))
        i++;
    return i;
}

/* "the API key has 37 characters instead of 36 and white space at character 1"; false: nothing is odd. */
static bool remark_on(const struct secret *value, const char *name, struct buf *out)
{
    const char *text = secret_bytes(value);
    size_t len = secret_len(value);
    size_t at = find_fault(text, len);

    if (len == UUID_LEN && at == len)
        return false;
    buf_printf(out, "%sthe %s has ", out->len ? "; " : "", name);
    if (len != UUID_LEN)
        buf_printf(out, "%zu character%s instead of %d%s", len, len == 1 ? "" : "s", UUID_LEN,
                   len == UUID_LEN - 4 && !strchr(text, '-') ? ", its dashes are missing" : "");
    if (len != UUID_LEN && at < len)
        buf_puts(out, " and ");
    if (at < len && is_dash_place(at) && text_is_hex(text[at]))
        buf_printf(out, "no dash at character %zu", at + 1);
    else if (at < len)
        buf_printf(out, "%s at character %zu", kind_of(text[at]), at + 1);
    return true;
}

bool dme_credentials_remark(const struct secret *api_key, const struct secret *api_secret, struct buf *out)
{
    bool is_odd;

    if (text_casecmp(secret_bytes(api_key), secret_bytes(api_secret)) == 0) {
        buf_puts(out, "the API key and the API secret are the same");
        return true;
    }
    is_odd = remark_on(api_key, "API key", out);
    return remark_on(api_secret, "API secret", out) || is_odd;
}
