/* SPDX-License-Identifier: MIT
 *
 * Downloading certificates, RFC 8555 section 7.4.2, and revoking them, section 7.6.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "crypto/b64url.h"
#include "util/parse.h"
#include "util/text.h"

#define ALTERNATES_MAX 20
#define CERTIFICATE_DER_MAX (512u * 1024)

/* ------------------------------------------------------------------ download */

static void want_chain(struct acme_call *call, const char *url, const char *which)
{
    acme_call_fetch(call, url, mem_printf("download %s", which));
    call->expect = ACME_EXPECT_PEM;
}

/* The URLs of Link headers may be relative, and are no better than any other of the CA's. */
static void list_alternates(const struct acme *acme, const struct acme_call *call, struct strlist *out)
{
    struct strlist AUTO_STRLIST targets = {NULL, 0};

    acme_links_find(&call->response, "alternate", ALTERNATES_MAX, &targets);
    for (size_t i = 0; i < targets.count; i++) {
        char *url = acme_url_resolve(call->url, targets.items[i]);

        if (url && acme_url_is_valid(url, acme->scheme))
            strlist_add(out, url);
        else
            log_line(acme->log, LOG_WARNING,
                     "the CA offers an alternate chain at \"%s\", which is no usable URL, continuing",
                     targets.items[i]);
        free(url);
    }
}

static enum err_code fetch_alternates(struct acme *acme, const struct strlist *urls, struct strlist *out_pems,
                                      struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(urls->count);
    enum err_code code;

    for (size_t i = 0; i < urls->count; i++)
        want_chain(&calls.items[i], urls->items[i], "an alternate chain");
    code = acme_send(acme, calls.items, urls->count, err);
    for (size_t i = 0; i < urls->count; i++) {
        if (calls.items[i].result.code == ERR_OK)
            strlist_add(out_pems, buf_cstr(&calls.items[i].response.body));
        else
            log_line(acme->log, LOG_WARNING, "%s, continuing", calls.items[i].result.err.msg);
    }
    return code;
}

enum err_code acme_order_certificates(struct acme *acme, const struct acme_order *order, enum acme_chains chains,
                                      struct strlist *out_pems, struct err *err)
{
    struct acme_call call AUTO_ACME_CALL = {.kind = ACME_POST};
    struct strlist AUTO_STRLIST alternates = {NULL, 0};
    enum err_code code = acme_account_want(acme, err);

    if (code != ERR_OK)
        return code;
    want_chain(&call, order->certificate_url, "the certificate");
    code = acme_send_one(acme, &call, err);
    if (code != ERR_OK)
        return code;
    strlist_add(out_pems, buf_cstr(&call.response.body));
    if (chains == ACME_DEFAULT_CHAIN)
        return ERR_OK;
    list_alternates(acme, &call, &alternates);
    return alternates.count ? fetch_alternates(acme, &alternates, out_pems, err) : ERR_OK;
}

/* ------------------------------------------------------------------ revocation */

/* RFC 5280 section 5.3.1; those that a subscriber may give by the CA/Browser Forum's rules. */
static const struct reason {
    const char *name;
    int code;
} reasons[] = {
    {"unspecified", 0}, {"keyCompromise", 1}, {"affiliationChanged", 3}, {"superseded", 4}, {"cessationOfOperation", 5},
};

bool acme_revocation_reason_parse(const char *text, int *out)
{
    uint64_t number = UINT64_MAX;
    bool is_number = parse_uint(text, 0, 100, &number);

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (is_number ? number != (uint64_t)reasons[i].code : text_casecmp(text, reasons[i].name) != 0)
            continue;
        *out = reasons[i].code;
        return true;
    }
    return false;
}

static char *revocation_payload(const struct acme_revocation *revocation)
{
    struct buf AUTO_BUF text = BUF_INIT(CERTIFICATE_DER_MAX * 2);

    buf_puts(&text, "{\"certificate\":\"");
    b64url_put(&text, revocation->der, revocation->len);
    buf_puts(&text, "\"");
    if (revocation->reason >= 0)
        buf_printf(&text, ",\"reason\":%d", revocation->reason);
    buf_puts(&text, "}");
    return buf_ok(&text) ? buf_take(&text) : NULL;
}

enum err_code acme_revoke(struct acme *acme, const struct acme_revocation *revocation, bool *out_was_revoked,
                          struct err *err)
{
    struct acme_call call AUTO_ACME_CALL = {
        .kind = ACME_POST, .expect = ACME_EXPECT_ANY, .key = revocation->certificate_key};
    enum err_code code = acme_open(acme, err);

    if (code == ERR_OK && !revocation->certificate_key)
        code = acme_account_want(acme, err);
    if (code == ERR_OK)
        code = acme_resource_want(acme, ACME_REVOKE_CERT, &call.url, err);
    if (code != ERR_OK)
        return code;
    call.what = mem_strdup("revoke the certificate");
    call.payload = revocation_payload(revocation);
    if (!call.payload)
        return err_set(err, ERR_INPUT, "could not revoke the certificate: it is too large");
    code = acme_send_one(acme, &call, err);
    *out_was_revoked = call.result.problem == ACME_PROBLEM_ALREADY_REVOKED;
    return *out_was_revoked ? ERR_OK : code;
}
