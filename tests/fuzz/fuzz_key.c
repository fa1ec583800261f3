/* SPDX-License-Identifier: MIT
 *
 * A file that is to hold a private key, whatever it holds: it is refused with a message that is safe to print, or the
 * key is written and read again as the same, has a JWK, and signs.
 */
#include <string.h>

#include <openssl/err.h>

#include "crypto/key.h"
#include "fuzz.h"
#include "util/mem.h"
#include "util/text.h"

#define TEXT_MAX (64u * 1024)

static void check_text(const char *text)
{
    FUZZ_CHECK(text[0] != '\0' && text_is_utf8(text, strlen(text)));
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_use(const struct key *key)
{
    char AUTO_FREE *description = key_describe(key);
    struct buf AUTO_BUF out = BUF_INIT(TEXT_MAX);
    char thumbprint[KEY_THUMBPRINT_LEN + 1];

    check_text(description);
    check_text(key_jws_alg(key));
    FUZZ_CHECK(key_thumbprint(key, thumbprint, NULL) == ERR_OK && strlen(thumbprint) == KEY_THUMBPRINT_LEN);
    FUZZ_CHECK(key_jws_sign(key, "data", 4, &out, NULL) == ERR_OK && buf_ok(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct key AUTO_KEY *key = NULL;
    struct key AUTO_KEY *again = NULL;
    struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);
    struct err err;
    enum err_code code = key_parse_pem(data, size, "it", &key, &err);

    FUZZ_CHECK(ERR_peek_error() == 0);
    if (code != ERR_OK) {
        FUZZ_CHECK(code == ERR_INPUT && err.code == code && !key);
        check_text(err.msg);
        return 0;
    }
    FUZZ_CHECK(key_format_pem(key, &pem, NULL) == ERR_OK && buf_ok(&pem));
    FUZZ_CHECK(key_parse_pem(pem.data, pem.len, "it", &again, NULL) == ERR_OK && key_is_same(key, again));
    check_use(key);
    FUZZ_CHECK(ERR_peek_error() == 0);
    return 0;
}
