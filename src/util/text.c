/* SPDX-License-Identifier: MIT */
#include "util/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

char text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int text_ncasecmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)text_lower(a[i]);
        unsigned char y = (unsigned char)text_lower(b[i]);

        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
    return 0;
}

int text_casecmp(const char *a, const char *b)
{
    return text_ncasecmp(a, b, SIZE_MAX);
}

void text_lower_inplace(char *s)
{
    for (; *s; s++)
        *s = text_lower(*s);
}

bool text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool text_is_hex(char c)
{
    return text_is_digit(c) || (text_lower(c) >= 'a' && text_lower(c) <= 'f');
}

bool text_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t m = strlen(suffix);

    return m <= n && memcmp(s + n - m, suffix, m) == 0;
}

/* ------------------------------------------------------------------ UTF-8 and escaping */

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), with its code point; 0 if there is none. */
static size_t utf8_next(const unsigned char *p, size_t len, uint32_t *out_code)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    uint32_t code;

    if (n == 0 || n > len)
        return 0;
    code = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    if (code < lowest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *out_code = code;
    return n;
}

bool text_is_utf8(const char *in, size_t len)
{
    const unsigned char *p = (const unsigned char *)in;
    uint32_t code;

    for (size_t i = 0; i < len;) {
        size_t n = utf8_next(p + i, len - i, &code);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

/* Code points that can move the cursor, hide text or turn its direction. */
static bool is_dangerous(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
           (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe007f);
}

static size_t put_escaped(char *out, const unsigned char *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[4 * i] = '\\';
        out[4 * i + 1] = 'x';
        out[4 * i + 2] = hex[p[i] >> 4];
        out[4 * i + 3] = hex[p[i] & 15];
    }
    return 4 * n;
}

void text_escape_into(char *out, size_t size, const char *in, size_t len)
{
    const unsigned char *p = (const unsigned char *)in;
    size_t used = 0;
    size_t cut_at = 0; /* where "..." still fits */

    if (size == 0)
        return;
    for (size_t i = 0; i < len;) {
        uint32_t code = 0;
        char piece[16];
        size_t n = utf8_next(p + i, len - i, &code);
        size_t piece_len;

        if (n == 0 || is_dangerous(code)) {
            n = n ? n : 1;
            piece_len = put_escaped(piece, p + i, n);
        } else {
            memcpy(piece, p + i, n);
            piece_len = n;
        }
        if (used + piece_len >= size) {
            if (cut_at + 4 <= size) {
                memcpy(out + cut_at, "...", 3);
                used = cut_at + 3;
            }
            break;
        }
        memcpy(out + used, piece, piece_len);
        used += piece_len;
        if (used + 4 <= size)
            cut_at = used;
        i += n;
    }
    out[used] = '\0';
}

void text_cut_into(char *out, size_t size, const char *in)
{
    size_t len = strlen(in);
    size_t keep;

    if (size == 0)
        return;
    if (len < size) {
        memcpy(out, in, len + 1);
        return;
    }
    keep = size > 4 ? size - 4 : 0;
    while (keep > 0 && ((unsigned char)in[keep] & 0xc0) == 0x80)
        keep--;
    memcpy(out, in, keep);
    (void)snprintf(out + keep, size - keep, "...");
}

/* ------------------------------------------------------------------ nearest word */

#define NEAREST_MAX 48

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Levenshtein distance of two words of at most NEAREST_MAX letters, without regard to case. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[NEAREST_MAX + 1];

    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            size_t change = text_lower(a[i - 1]) == text_lower(b[j - 1]) ? 0 : 1;

            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + change);
            diagonal = above;
        }
    }
    return row[b_len];
}

void text_hex_into(char *out, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t len = strlen(word);
    size_t limit = len / 3 > 2 ? len / 3 : 2;
    const char *best = NULL;

    if (len == 0 || len > NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(candidates[i]);
        size_t distance;

        if (n > NEAREST_MAX)
            continue;
        distance = edit_distance(word, len, candidates[i], n);
        if (distance <= limit && distance < len) {
            best = candidates[i];
            limit = distance > 0 ? distance - 1 : 0;
            if (distance == 0)
                break;
        }
    }
    return best;
}
