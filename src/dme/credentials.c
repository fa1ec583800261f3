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

/* The first mistake of one of them, e.g. "the API key has 35 characters instead of 36"; false: none. */
static bool remark_on(const struct secret *value, const char *name, struct buf *out)
{
    const char *text = secret_bytes(value);
    size_t len = secret_len(value);
    const char *joint = out->len ? "; " : "";

    for (size_t i = 0; i < len; i++) {
        bool is_good = is_dash_place(i) ? text[i] == '-' : text_is_hex(text[i]);

        if (is_good || (len != UUID_LEN && (text[i] == '-' || text_is_hex(text[i]))))
            continue;
        if (is_dash_place(i) && text_is_hex(text[i]))
            buf_printf(out, "%sthe %s has no dash at character %zu", joint, name, i + 1);
        else
            buf_printf(out, "%sthe %s has %s at character %zu", joint, name, kind_of(text[i]), i + 1);
        return true;
    }
    if (len == UUID_LEN)
        return false;
    buf_printf(out, "%sthe %s has %zu characters instead of %d", joint, name, len, UUID_LEN);
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
