/* SPDX-License-Identifier: MIT
 *
 * A file that is to hold a CSR, whatever it holds: it is refused with a message that is safe to print, or it asks for
 * names that can be ordered, and its DER says the same.
 */
#include <string.h>

#include <openssl/err.h>

#include "crypto/csr.h"
#include "fuzz.h"
#include "util/text.h"

static void check_message(const struct err *err)
{
    const char *text = err->msg;

    FUZZ_CHECK(err->code == ERR_INPUT && text[0] != '\0' && text_is_utf8(text, strlen(text)));
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_names(const struct strlist *names)
{
    FUZZ_CHECK(names->count >= 1);
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        const char *base = text_starts_with(name, "*.") ? name + 2 : name;

        FUZZ_CHECK(strlen(name) <= 253 && base[strspn(base, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0');
        FUZZ_CHECK(base[0] != '\0' && base[0] != '.' && !text_ends_with(name, ".") && !strstr(name, ".."));
        for (size_t j = 0; j < i; j++)
            FUZZ_CHECK(strcmp(names->items[j], name) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csr AUTO_CSR csr = {.has_must_staple = false};
    struct csr AUTO_CSR again = {.has_must_staple = false};
    struct err err;

    if (csr_parse(data, size, "it", &csr, &err) != ERR_OK) {
        FUZZ_CHECK(ERR_peek_error() == 0 && csr.names.count == 0 && !csr.der.data);
        check_message(&err);
        return 0;
    }
    check_names(&csr.names);
    FUZZ_CHECK(csr.public_der.len > 0);
    FUZZ_CHECK(csr_parse(csr.der.data, csr.der.len, "it", &again, &err) == ERR_OK);
    FUZZ_CHECK(again.der.len == csr.der.len && memcmp(again.der.data, csr.der.data, csr.der.len) == 0);
    FUZZ_CHECK(again.names.count == csr.names.count && again.has_must_staple == csr.has_must_staple);
    FUZZ_CHECK(ERR_peek_error() == 0);
    return 0;
}
