/* SPDX-License-Identifier: MIT
 *
 * Revocation, RFC 8555 section 7.6.
 */
#include <string.h>

#include "acme/internal.h"
#include "crypto/b64url.h"
#include "util/parse.h"
#include "util/text.h"

#define CERTIFICATE_MAX (1024u * 1024)

/* RFC 5280 section 5.3.1.  Only these are left to subscribers; 2 (CA compromise), 6 (hold) and the like are not. */
static const struct {
    const char *name;
    int reason;
} reasons[] = {
    {"unspecified", 0}, {"keyCompromise", 1}, {"affiliationChanged", 3}, {"superseded", 4}, {"cessationOfOperation", 5},
};

bool acme_revocation_reason_parse(const char *text, int *out)
{
    uint64_t number = UINT64_MAX;
    bool is_number = parse_uint(text, 0, 10, &number);

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (text_casecmp(text, reasons[i].name) == 0 || (is_number && number == (uint64_t)reasons[i].reason)) {
            *out = reasons[i].reason;
            return true;
        }
    }
    return false;
}

static enum err_code make_payload(const struct acme_revocation *revocation, char **out, struct err *err)
{
    struct buf text AUTO_BUF = BUF_INIT(CERTIFICATE_MAX);

    buf_puts(&text, "{\"certificate\":\"");
    b64url_put(&text, revocation->der, revocation->len);
    buf_putc(&text, '"');
    if (revocation->reason >= 0)
        buf_printf(&text, ",\"reason\":%d", revocation->reason);
    buf_putc(&text, '}');
    if (!buf_ok(&text))
        return err_set(err, ERR_INPUT, "the certificate is too large to be revoked");
    *out = buf_take(&text);
    return ERR_OK;
}

enum err_code acme_revoke(struct acme *acme, const struct acme_revocation *revocation, bool *out_was_revoked,
                          struct err *err)
{
    struct acme_call call AUTO_ACME_CALL = {
        .kind = ACME_POST,
        .expect = ACME_EXPECT_ANY,
        .what = mem_strdup("revoke the certificate"),
        .key = revocation->certificate_key,
    };
    enum err_code code = revocation->certificate_key ? acme_open(acme, err) : acme_ready(acme, err);

    if (code == ERR_OK)
        code = acme_resource_want(acme, ACME_REVOKE_CERT, &call.url, err);
    if (code == ERR_OK)
        code = make_payload(revocation, &call.payload, err);
    if (code != ERR_OK)
        return code;
    code = acme_send_one(acme, &call, err);
    if (code != ERR_OK && call.result.problem != ACME_PROBLEM_ALREADY_REVOKED)
        return code;
    *out_was_revoked = code != ERR_OK;
    log_line(acme->log, LOG_INFO, "%s",
             *out_was_revoked ? "the certificate was revoked already" : "certificate revoked");
    return ERR_OK;
}
