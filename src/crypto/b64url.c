/* SPDX-License-Identifier: MIT */
#include "crypto/b64url.h"

#include <stdint.h>
#include <string.h>

#include "util/secret.h"

#define CHUNK 3072 /* bytes; a multiple of 3, so that what was encoded piece by piece fits together */

void b64url_encode(char *out, const void *data, size_t len)
{
    static const char alphabet[] = B64URL_ALPHABET;
    const unsigned char *in = data;
    uint32_t bits = 0;
    unsigned held = 0; /* bits not yet written, the low ones of `bits` */

    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | in[i]) & 0xffffu;
        for (held += 8; held >= 6; held -= 6)
            *out++ = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *out++ = alphabet[bits << (6 - held) & 63];
    *out = '\0';
}

void b64url_put(struct buf *out, const void *data, size_t len)
{
    const unsigned char *in = data;
    char text[B64URL_LEN(CHUNK) + 1];

    while (len > 0) {
        size_t piece = len < CHUNK ? len : CHUNK;

        b64url_encode(text, in, piece);
        buf_append(out, text, B64URL_LEN(piece));
        in += piece;
        len -= piece;
    }
    secret_wipe(text, sizeof text);
}

/* 64: none of the alphabet. */
static unsigned value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : 64;
}

static bool is_canonical(const char *text, size_t len)
{
    static const unsigned unused_bits[] = {0, 0, 15, 3}; /* of the last character, by the length modulo 4 */

    for (size_t i = 0; i < len; i++)
        if (value_of(text[i]) > 63)
            return false;
    return len % 4 != 1 && (len == 0 || (value_of(text[len - 1]) & unused_bits[len % 4]) == 0);
}

bool b64url_decode(const char *text, size_t len, struct buf *out)
{
    uint32_t bits = 0;
    unsigned held = 0; /* bits not yet written, the low ones of `bits` */

    if (!is_canonical(text, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 6 | value_of(text[i])) & 0xffffu;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buf_putc(out, (char)(bits >> held & 255));
        }
    }
    return true;
}

bool b64url_is_text(const char *text, size_t max)
{
    size_t len = strspn(text, B64URL_ALPHABET);

    return len > 0 && len <= max && text[len] == '\0';
}
