/* SPDX-License-Identifier: MIT
 *
 * A file with a private key of any content: a key that can be written, read again as the same and shown, or a message
 * that is safe to print.
 */
#include <string.h>

#include "crypto/key.h"
#include "fuzz.h"
#include "util/mem.h"
#include "util/text.h"

#define LONGEST 2000 /* the JWK of an RSA key of 8192 bits */
#define OUT_MAX (64u * 1024)

static void check_text(const char *text)
{
    FUZZ_CHECK(text && *text && strlen(text) < LONGEST && text_is_utf8(text, strlen(text)));
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_again(const struct key *key)
{
    AUTO_KEY struct key *again = NULL;
    struct buf AUTO_BUF pem = BUF_INIT(OUT_MAX);

    FUZZ_CHECK(key_format_pem(key, &pem, NULL) == ERR_OK && buf_ok(&pem));
    FUZZ_CHECK(key_parse_pem(buf_cstr(&pem), pem.len, "it", &again, NULL) == ERR_OK);
    FUZZ_CHECK(key_is_same(key, again) && key_type_of(key) == key_type_of(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_KEY struct key *key = NULL;
    AUTO_FREE char *text = NULL;
    struct buf AUTO_BUF jwk = BUF_INIT(OUT_MAX);
    char thumbprint[KEY_THUMBPRINT_LEN + 1];
    struct err err;
    enum err_code code = key_parse_pem(data, size, "it", &key, &err);

    if (code != ERR_OK) {
        FUZZ_CHECK(code == ERR_INPUT && err.code == code && !key);
        check_text(err.msg);
        return 0;
    }
    text = key_describe(key);
    check_text(text);
    check_again(key);
    FUZZ_CHECK(key_jwk(key, &jwk, NULL) == ERR_OK && buf_ok(&jwk));
    check_text(buf_cstr(&jwk));
    FUZZ_CHECK(key_thumbprint(key, thumbprint, NULL) == ERR_OK && strlen(thumbprint) == KEY_THUMBPRINT_LEN);
    return 0;
}
