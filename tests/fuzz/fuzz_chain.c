/* SPDX-License-Identifier: MIT
 *
 * What a CA delivers, whatever it is: it is refused, or it is certificates whose texts are safe to print, which are
 * written and read again as they were, and which can be judged.
 */
#include <string.h>

#include <openssl/err.h>

#include "crypto/chain.h"
#include "fuzz.h"
#include "util/text.h"

#define BYTES_MAX (16u * 1024 * 1024)
#define LONGEST 1000

static void check_text(const char *text)
{
    FUZZ_CHECK(text && strlen(text) < LONGEST && text_is_utf8(text, strlen(text)));
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_message(enum err_code code, const struct err *err)
{
    FUZZ_CHECK(code == ERR_INPUT && err->code == code);
    check_text(err->msg);
}

static void check_round_trip(const struct chain *chain)
{
    struct buf AUTO_BUF pem = BUF_INIT(BYTES_MAX);
    struct buf AUTO_BUF pem_again = BUF_INIT(BYTES_MAX);
    struct chain AUTO_CHAIN *again = NULL;
    char one[CHAIN_FINGERPRINT_LEN + 1];
    char other[CHAIN_FINGERPRINT_LEN + 1];

    chain_format_pem(chain, 0, CHAIN_LEN_MAX, &pem);
    FUZZ_CHECK(buf_ok(&pem) && chain_parse(pem.data, pem.len, "it", &again, NULL) == ERR_OK);
    FUZZ_CHECK(chain_len(again) == chain_len(chain));
    chain_format_pem(again, 0, CHAIN_LEN_MAX, &pem_again);
    FUZZ_CHECK(pem.len == pem_again.len && memcmp(pem.data, pem_again.data, pem.len) == 0);
    for (size_t i = 0; i < chain_len(chain); i++) {
        chain_fingerprint(chain, i, one);
        chain_fingerprint(again, i, other);
        FUZZ_CHECK(strlen(one) == CHAIN_FINGERPRINT_LEN && strcmp(one, other) == 0);
        FUZZ_CHECK(i == 0 || chain_is_preferred(chain, one));
    }
}

static void check_judgement(const struct chain *chain)
{
    const struct cert *cert = chain_cert(chain, 0);
    struct buf AUTO_BUF public_der = BUF_INIT(BYTES_MAX);
    struct chain_expectation want = {.names = &cert->names, .now_s = cert->not_before_s};
    struct err err;
    enum err_code code;

    chain_public_der(chain, &public_der);
    FUZZ_CHECK(buf_ok(&public_der));
    want.public_der = public_der.data;
    want.public_der_len = public_der.len;
    code = chain_check(chain, &want, &err);
    if (code != ERR_OK)
        check_message(code, &err);
    want.public_der_len--;
    FUZZ_CHECK(chain_check(chain, &want, &err) == ERR_INPUT);
}

static void check_id(const struct chain *chain)
{
    char AUTO_FREE *id = chain_ari_id(chain);

    if (!id)
        return;
    check_text(id);
    FUZZ_CHECK(strchr(id, '.') && strchr(id, '.') == strrchr(id, '.') && !strpbrk(id, "+/= "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chain AUTO_CHAIN *chain = NULL;
    struct err err;
    enum err_code code = chain_parse(data, size, "it", &chain, &err);

    FUZZ_CHECK(ERR_peek_error() == 0);
    if (code != ERR_OK) {
        FUZZ_CHECK(!chain);
        check_message(code, &err);
        return 0;
    }
    FUZZ_CHECK(chain_len(chain) >= 1 && chain_len(chain) <= CHAIN_LEN_MAX);
    for (size_t i = 0; i < chain_len(chain); i++)
        check_text(chain_cert(chain, i)->subject);
    check_text(chain_root_name(chain));
    check_round_trip(chain);
    check_judgement(chain);
    check_id(chain);
    FUZZ_CHECK(ERR_peek_error() == 0);
    return 0;
}
