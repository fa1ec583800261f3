/* SPDX-License-Identifier: MIT
 *
 * What a CA delivers as a certificate: a chain that can be written, read again as the same and judged, or a message
 * that is safe to print.
 */
#include <string.h>

#include "crypto/chain.h"
#include "fuzz.h"
#include "util/text.h"

#define LONGEST 1000
#define OUT_MAX (16u * 1024 * 1024)

static void check_text(const char *text)
{
    FUZZ_CHECK(text && strlen(text) < LONGEST && text_is_utf8(text, strlen(text)));
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_error(enum err_code code, const struct err *err)
{
    FUZZ_CHECK(code == ERR_INPUT && err->code == code);
    check_text(err->msg);
}

static void check_again(const struct chain *chain, const struct buf *pem)
{
    AUTO_CHAIN struct chain *again = NULL;

    FUZZ_CHECK(chain_parse(buf_cstr(pem), pem->len, "it", &again, NULL) == ERR_OK);
    FUZZ_CHECK(chain_len(again) == chain_len(chain));
    for (size_t i = 0; i < chain_len(chain); i++) {
        char a[CHAIN_FINGERPRINT_LEN + 1];
        char b[CHAIN_FINGERPRINT_LEN + 1];

        chain_fingerprint(chain, i, a);
        chain_fingerprint(again, i, b);
        FUZZ_CHECK(strcmp(a, b) == 0);
        FUZZ_CHECK(chain_is_preferred(chain, a) || i == 0);
    }
}

/* With the chain's own word for all that can be asked for. */
static void judge(const struct chain *chain)
{
    struct buf AUTO_BUF public_der = BUF_INIT(OUT_MAX);
    const struct cert *cert = chain_cert(chain, 0);
    struct err err;
    enum err_code code;

    chain_public_der(chain, &public_der);
    code = chain_check(chain,
                       &(struct chain_expectation){.public_der = public_der.data,
                                                   .public_der_len = public_der.len,
                                                   .names = &cert->names,
                                                   .now_s = cert->not_before_s},
                       &err);
    if (code != ERR_OK)
        check_error(code, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_CHAIN struct chain *chain = NULL;
    AUTO_FREE char *id = NULL;
    struct buf AUTO_BUF pem = BUF_INIT(OUT_MAX);
    struct err err;
    enum err_code code = chain_parse(data, size, "it", &chain, &err);

    if (code != ERR_OK) {
        FUZZ_CHECK(!chain);
        check_error(code, &err);
        return 0;
    }
    FUZZ_CHECK(chain_len(chain) > 0 && chain_len(chain) <= CHAIN_LEN_MAX);
    FUZZ_CHECK(chain_is_preferred(chain, chain_root_name(chain)) || strlen(chain_root_name(chain)) >= 64);
    chain_format_pem(chain, 0, CHAIN_LEN_MAX, &pem);
    FUZZ_CHECK(buf_ok(&pem));
    check_again(chain, &pem);
    judge(chain);
    id = chain_ari_id(chain);
    FUZZ_CHECK(!id || (strchr(id, '.') && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                                     "-_.") == strlen(id)));
    return 0;
}
