/* SPDX-License-Identifier: MIT */
#include "crypto/b64url.h"

#include <stdint.h>

void b64url_encode(char *out, const void *data, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
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
