/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "crypto/b64url.h"

/* RFC 8555 section 6.5.1: base64url, and what is anything else is ignored. */
bool acme_nonce_is_valid(const char *text)
{
    return b64url_is_text(text, ACME_NONCE_MAX);
}

void acme_nonces_add(struct acme_nonces *nonces, const char *text)
{
    if (nonces->count >= ARRAY_LEN(nonces->items) || !acme_nonce_is_valid(text))
        return;
    for (size_t i = 0; i < nonces->count; i++) /* a cache on the way repeats itself */
        if (strcmp(nonces->items[i], text) == 0)
            return;
    nonces->items[nonces->count++] = mem_strdup(text);
}

char *acme_nonces_take(struct acme_nonces *nonces)
{
    return nonces->count ? nonces->items[--nonces->count] : NULL;
}

void acme_nonces_done(struct acme_nonces *nonces)
{
    while (nonces->count)
        free(nonces->items[--nonces->count]);
}
