/* SPDX-License-Identifier: MIT
 *
 * JSON Web Signatures in the form that RFC 8555 section 6.2 wants: flattened JSON, one signature, everything in the
 * protected header.
 */
#include <string.h>

#include "acme/internal.h"
#include "crypto/b64url.h"

#define HEADER_MAX (16u * 1024)
#define JWS_MAX (4u * 1024 * 1024)

static const char *const hmac_algs[] = {
    [DIGEST_HMAC_SHA256] = "HS256",
    [DIGEST_HMAC_SHA384] = "HS384",
    [DIGEST_HMAC_SHA512] = "HS512",
};

static void put_string(struct buf *out, const char *text)
{
    json_t *json AUTO_JSON = json_string(text);

    if (json)
        json_write(json, out);
    else /* not UTF-8 */
        out->overflow = true;
}

static void put_member(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, ",\"%s\":", key);
    put_string(out, value);
}

/* `"protected":"...","payload":"..."`, and what is to be signed: both with a dot between. */
static void put_input(struct buf *input, const struct buf *header, const char *payload)
{
    b64url_put(input, buf_cstr(header), header->len);
    buf_putc(input, '.');
    if (payload)
        b64url_put(input, payload, strlen(payload));
}

/* Signature and the rest of it, out of "protected.payload". */
static enum err_code put_whole(const struct buf *input, const struct buf *signature, struct buf *out, struct err *err)
{
    const char *dot = strchr(buf_cstr(input), '.');
    struct buf whole AUTO_BUF = BUF_INIT(JWS_MAX);

    if (!buf_ok(input) || !buf_ok(signature) || !dot)
        return err_set(err, ERR_INTERNAL, "a request to the CA is too large to be signed");
    buf_puts(&whole, "{\"protected\":\"");
    buf_append(&whole, buf_cstr(input), (size_t)(dot - buf_cstr(input)));
    buf_printf(&whole, "\",\"payload\":\"");
    buf_puts(&whole, dot + 1);
    buf_puts(&whole, "\",\"signature\":\"");
    buf_append(&whole, buf_cstr(signature), signature->len);
    buf_puts(&whole, "\"}");
    if (!buf_ok(&whole))
        return err_set(err, ERR_INTERNAL, "a request to the CA is too large to be signed");
    buf_append(out, buf_cstr(&whole), whole.len);
    return ERR_OK;
}

static enum err_code format_header(const struct acme_jws *jws, struct buf *out, struct err *err)
{
    enum err_code code = ERR_OK;

    buf_printf(out, "{\"alg\":\"%s\"", key_jws_alg(jws->key));
    if (jws->kid) {
        put_member(out, "kid", jws->kid);
    } else {
        buf_puts(out, ",\"jwk\":");
        code = key_jwk(jws->key, out, err);
    }
    if (jws->nonce)
        put_member(out, "nonce", jws->nonce);
    put_member(out, "url", jws->url);
    buf_putc(out, '}');
    if (code == ERR_OK && !buf_ok(out))
        return err_set(err, ERR_INTERNAL, "the header of a request to the CA is too large");
    return code;
}

enum err_code acme_jws_format(const struct acme_jws *jws, struct buf *out, struct err *err)
{
    struct buf header AUTO_BUF = BUF_INIT(HEADER_MAX);
    struct buf input AUTO_BUF = BUF_INIT(JWS_MAX);
    struct buf signature AUTO_BUF = BUF_INIT(HEADER_MAX);
    enum err_code code = format_header(jws, &header, err);

    if (code != ERR_OK)
        return code;
    put_input(&input, &header, jws->payload);
    code = key_jws_sign(jws->key, buf_cstr(&input), input.len, &signature, err);
    return code == ERR_OK ? put_whole(&input, &signature, out, err) : code;
}

enum err_code acme_jws_format_eab(const struct acme_eab *eab, const struct key *account_key, const char *url,
                                  struct buf *out, struct err *err)
{
    struct buf header AUTO_BUF = BUF_INIT(HEADER_MAX);
    struct buf jwk AUTO_BUF = BUF_INIT(HEADER_MAX);
    struct buf input AUTO_BUF = BUF_INIT(JWS_MAX);
    struct buf signature AUTO_BUF = BUF_INIT(HEADER_MAX);
    uint8_t mac[DIGEST_HMAC_MAX];
    size_t mac_len = 0;
    enum err_code code = key_jwk(account_key, &jwk, err);

    buf_printf(&header, "{\"alg\":\"%s\"", hmac_algs[eab->hmac]);
    put_member(&header, "kid", eab->kid);
    put_member(&header, "url", url);
    buf_putc(&header, '}');
    if (code != ERR_OK)
        return code;
    if (!buf_ok(&header) || !buf_ok(&jwk))
        return err_set(err, ERR_INTERNAL,
                       "the external account binding can't be written: its key identifier is not "
                       "UTF-8 or too long");
    put_input(&input, &header, buf_cstr(&jwk));
    code = digest_hmac(eab->hmac, eab->hmac_key, buf_cstr(&input), input.len, mac, &mac_len, err);
    if (code != ERR_OK)
        return code;
    b64url_put(&signature, mac, mac_len);
    return put_whole(&input, &signature, out, err);
}
