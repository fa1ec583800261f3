/* SPDX-License-Identifier: MIT
 *
 * One request out of a call: its headers, and for POST a signature with the next nonce, RFC 8555 sections 6.1 to 6.3.
 */
#include "acme/internal.h"

#define ANSWER_MAX (1024u * 1024)
#define CERTIFICATE_MAX (4u * 1024 * 1024)

static enum err_code sign(struct acme *acme, struct acme_call *call, struct buf *body, struct err *err)
{
    char *nonce AUTO_FREE = call->nonce ? call->nonce : acme_nonces_take(&acme->nonces);

    call->nonce = NULL;
    return acme_jws_format(
        &(struct acme_jws){
            .key = call->key ? call->key : acme->key,
            .kid = call->key ? NULL : acme->account_url,
            .nonce = nonce,
            .url = call->url,
            .payload = call->payload,
        },
        body, err);
}

enum err_code acme_request_make(struct acme *acme, struct acme_call *call, int64_t timeout_ms, struct http_request *out,
                                struct buf *body, struct err *err)
{
    static const char *const methods[] = {[ACME_POST] = "POST", [ACME_GET] = "GET", [ACME_HEAD] = "HEAD"};
    bool is_pem = call->expect == ACME_EXPECT_PEM;

    *out = (struct http_request){
        .method = methods[call->kind],
        .url = call->url,
        .timeout_ms = timeout_ms,
        .max_body = is_pem ? CERTIFICATE_MAX : ANSWER_MAX,
    };
    http_request_add_header(
        out, "Accept", is_pem ? "application/pem-certificate-chain" : "application/json, application/problem+json");
    http_request_add_header(out, "Accept-Language", "en");
    if (call->kind == ACME_POST) {
        enum err_code code = sign(acme, call, body, err);

        if (code != ERR_OK)
            return code;
        http_request_add_header(out, "Content-Type", "application/jose+json");
        out->body = buf_cstr(body);
        out->body_len = body->len;
    }
    return ERR_OK;
}
