/* SPDX-License-Identifier: MIT */
#include "util/secret.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "util/mem.h"

struct secret {
    size_t len;
    char bytes[];
};

struct secret *secret_new(const void *data, size_t len)
{
    struct secret *s = mem_zalloc(sizeof *s + len + 1);

    s->len = len;
    if (len)
        memcpy(s->bytes, data, len);
    return s;
}

struct secret *secret_dup(const struct secret *s)
{
    return s ? secret_new(s->bytes, s->len) : NULL;
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    secret_wipe(s, sizeof *s + s->len);
    free(s);
}

void secret_free_auto(struct secret **s)
{
    secret_free(*s);
    *s = NULL;
}

const char *secret_bytes(const struct secret *s)
{
    return s->bytes;
}

size_t secret_len(const struct secret *s)
{
    return s->len;
}

void secret_wipe(void *data, size_t len)
{
    if (data && len)
        OPENSSL_cleanse(data, len);
}
