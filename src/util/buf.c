/* SPDX-License-Identifier: MIT */
#include "util/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/secret.h"

/* Make room for `extra` more bytes and the NUL; false when the maximum forbids it.  The old memory is wiped rather
 * than handed back by realloc, as it may hold a secret. */
static bool reserve(struct buf *b, size_t extra)
{
    size_t want;
    size_t size;
    char *data;

    if (b->overflow || extra > b->max || b->len > b->max - extra) {
        b->overflow = true;
        return false;
    }
    want = b->len + extra + 1;
    if (want <= b->size)
        return true;
    size = b->size ? b->size : 64;
    while (size < want)
        size = size > SIZE_MAX / 2 ? want : size * 2;
    data = mem_calloc(size, 1);
    if (b->data) {
        memcpy(data, b->data, b->len);
        secret_wipe(b->data, b->size);
        free(b->data);
    }
    b->data = data;
    b->size = size;
    return true;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
    if (len == 0 || !reserve(b, len))
        return;
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_append(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_list again;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) /* nothing must get lost unnoticed */
        b->overflow = true;
    if (len > 0 && reserve(b, (size_t)len)) {
        (void)vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void buf_put_urlencoded(struct buf *b, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c))
            buf_putc(b, *s);
        else
            buf_printf(b, "%%%02X", c);
    }
}

bool buf_ok(const struct buf *b)
{
    return !b->overflow;
}

const char *buf_cstr(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
    char *out = b->data ? b->data : mem_strdup("");

    *b = BUF_INIT(b->max);
    return out;
}

void buf_clear(struct buf *b)
{
    if (b->data) {
        secret_wipe(b->data, b->size);
        b->data[0] = '\0';
    }
    b->len = 0;
    b->overflow = false;
}

void buf_done(struct buf *b)
{
    if (!b)
        return;
    buf_clear(b);
    free(b->data);
    *b = BUF_INIT(b->max);
}
