/* SPDX-License-Identifier: MIT
 *
 * A certificate file of any content: it is read into texts that are safe to print and into dates that can be judged, or
 * refused with a message that is safe to print.
 */
#include <string.h>

#include "crypto/cert.h"
#include "fuzz.h"
#include "util/text.h"

#define LONGEST 1000

static void check_text(const char *text)
{
    FUZZ_CHECK(text && strlen(text) < LONGEST && text_is_utf8(text, strlen(text)));
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cert AUTO_CERT cert = {.subject = NULL};
    struct err err;
    enum err_code code = cert_parse(data, size, "a.pem", &cert, &err);

    if (code != ERR_OK) {
        FUZZ_CHECK(code == ERR_INPUT && err.code == code && !cert.subject);
        check_text(err.msg);
        return 0;
    }
    check_text(cert.subject);
    check_text(cert.issuer);
    check_text(cert.serial);
    FUZZ_CHECK(cert.names.count <= CERT_NAMES_MAX);
    for (size_t i = 0; i < cert.names.count; i++)
        check_text(cert.names.items[i]);
    /* The years 0 to 9999. */
    FUZZ_CHECK(cert.not_before_s >= INT64_C(-62167219200) && cert.not_before_s <= INT64_C(253402300799));
    FUZZ_CHECK(cert.not_after_s >= INT64_C(-62167219200) && cert.not_after_s <= INT64_C(253402300799));
    return 0;
}
