/* SPDX-License-Identifier: MIT
 *
 * A CSR that the user brings, of any content: names that can be asked for, and the same again when it is written, or a
 * message that is safe to print.
 */
#include <string.h>

#include "crypto/csr.h"
#include "fuzz.h"
#include "util/text.h"

#define LONGEST 1000
#define NAME_MAX_LEN 253

static void check_text(const char *text)
{
    FUZZ_CHECK(text && *text && strlen(text) < LONGEST && text_is_utf8(text, strlen(text)));
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_name(const char *name)
{
    FUZZ_CHECK(*name && strlen(name) <= NAME_MAX_LEN);
    if (text_starts_with(name, "*."))
        name += 2;
    FUZZ_CHECK(*name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._") == strlen(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_CSR struct csr csr = {.has_must_staple = false};
    AUTO_CSR struct csr again = {.has_must_staple = false};
    struct err err;
    enum err_code code = csr_parse(data, size, "it", &csr, &err);

    if (code != ERR_OK) {
        FUZZ_CHECK(code == ERR_INPUT && err.code == code && !csr.names.items && !csr.der.data);
        check_text(err.msg);
        return 0;
    }
    FUZZ_CHECK(csr.names.count > 0 && csr.der.len > 0 && csr.public_der.len > 0);
    for (size_t i = 0; i < csr.names.count; i++)
        check_name(csr.names.items[i]);
    FUZZ_CHECK(csr_parse(csr.der.data, csr.der.len, "it", &again, NULL) == ERR_OK);
    FUZZ_CHECK(strlist_is_same_set(&csr.names, &again.names) && csr.key_type == again.key_type);
    FUZZ_CHECK(csr.der.len == again.der.len && memcmp(csr.der.data, again.der.data, csr.der.len) == 0);
    return 0;
}
