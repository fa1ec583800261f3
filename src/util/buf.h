/* SPDX-License-Identifier: MIT
 *
 * A growing byte buffer that is always a C string and has a maximum.  An append that would pass the maximum sets a
 * sticky overflow mark and adds nothing: build all, then check once with buf_ok().  It is also the limit on files
 * and HTTP answers that are read.
 */
#ifndef ACME_DME_UTIL_BUF_H
#define ACME_DME_UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attrs.h"

struct buf {
    char *data; /* use buf_cstr(): NULL while nothing was added */
    size_t len; /* without the NUL */
    size_t size;
    size_t max; /* bytes of content at most */
    bool overflow;
};

/* An empty buffer for at most `max` bytes of content. */
#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_append(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Percent-encode everything but RFC 3986 unreserved characters. */
void buf_put_urlencoded(struct buf *b, const char *s);

/* Nothing was lost? */
bool buf_ok(const struct buf *b);
/* The content; "" when empty.  Borrowed until the next change. */
const char *buf_cstr(const struct buf *b);
/* Hand over the content (never NULL); the buffer is empty and usable afterwards. */
char *buf_take(struct buf *b) MUST_USE;
/* Keep memory, drop content and the overflow mark. */
void buf_clear(struct buf *b);
/* Free.  The content is wiped first: buffers may have held secrets. */
void buf_done(struct buf *b);
#define AUTO_BUF AUTO(buf_done)

#endif
