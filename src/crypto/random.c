/* SPDX-License-Identifier: MIT */
#include "crypto/random.h"

#include <openssl/err.h>
#include <openssl/rand.h>

enum err_code random_bytes(void *out, size_t len, struct err *err)
{
    if (RAND_bytes_ex(NULL, out, len, 0) == 1)
        return ERR_OK;
    ERR_clear_error();
    return err_set(err, ERR_INTERNAL, "OpenSSL gives no random bytes");
}
