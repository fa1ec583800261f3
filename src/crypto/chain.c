/* SPDX-License-Identifier: MIT
 *
 * Reading a chain, and the forms in which it is written again.  What it says is checked in chain_check.c.
 */
#include "crypto/chain.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/b64url.h"
#include "crypto/chain_ossl.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "crypto/ossl.h"
#include "crypto/x509.h"
#include "util/text.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define BLOCK_BEGIN "-----BEGIN "
#define BLOCK_NAME_MAX 60
#define ARI_ID_MAX 512

void chain_free(struct chain *chain)
{
    if (!chain)
        return;
    for (size_t i = 0; i < chain->count; i++) {
        X509_free(chain->items[i].x509);
        cert_done(&chain->items[i].cert);
    }
    free(chain);
}

void chain_free_auto(struct chain **chain)
{
    chain_free(*chain);
    *chain = NULL;
}

size_t chain_len(const struct chain *chain)
{
    return chain->count;
}

const struct cert *chain_cert(const struct chain *chain, size_t index)
{
    return &chain->items[index].cert;
}

/* ------------------------------------------------------------------ reading */

/* Every line that begins a block must begin a certificate: a CA has no business to deliver keys, and who writes the
 * text into a file for a server would deliver them on (RFC 8555 section 11.4). */
static enum err_code check_blocks(const char *text, const char *what, struct err *err)
{
    char name[BLOCK_NAME_MAX];
    bool is_any = false;

    for (const char *at = strstr(text, "-----"); at; at = strstr(at + 5, "-----")) {
        if (at != text && at[-1] != '\n')
            continue;
        if (text_starts_with(at, "-----END "))
            continue;
        is_any = is_any || text_starts_with(at, BEGIN);
        if (text_starts_with(at, BEGIN))
            continue;
        if (!text_starts_with(at, BLOCK_BEGIN))
            return err_set(err, ERR_INPUT, "%s holds something that is no PEM block", what);
        at += strlen(BLOCK_BEGIN);
        text_escape_into(name, sizeof name, at, strcspn(at, "-\r\n"));
        return err_set(err, ERR_INPUT, "%s holds a \"%s\", where only certificates may be", what, name);
    }
    return is_any ? ERR_OK : err_set(err, ERR_INPUT, "%s holds no certificate", what);
}

static enum err_code refuse(const char *what, size_t index, struct err *err)
{
    char reason[160];

    x509_last_error(reason, sizeof reason, "it is damaged");
    return err_set(err, ERR_INPUT, "could not read certificate %zu of %s: %s", index + 1, what, reason);
}

/* One certificate from the text; false when there is no further one. */
static enum err_code read_next(BIO *bio, const char *what, struct chain *chain, bool *out_found, struct err *err)
{
    X509 AUTO(ossl_free_x509) *x509 = PEM_read_bio_X509(bio, NULL, ossl_no_password, NULL);
    struct chain_item *item = &chain->items[chain->count];
    enum err_code code;

    *out_found = x509 != NULL;
    if (!x509 && ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_PEM &&
        ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
        ERR_clear_error();
        return ERR_OK;
    }
    if (!x509)
        return refuse(what, chain->count, err);
    if (chain->count == CHAIN_LEN_MAX)
        return err_set(err, ERR_INPUT, "%s has more than %d certificates", what, CHAIN_LEN_MAX);
    code = cert_of_x509(x509, what, &item->cert, err);
    if (code != ERR_OK)
        return code;
    item->x509 = x509;
    x509 = NULL;
    chain->count++;
    return ERR_OK;
}

static size_t count_begins(const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(text, BEGIN); at; at = strstr(at + 1, BEGIN))
        count++;
    return count;
}

static enum err_code read_all(const char *text, size_t len, const char *what, struct chain *chain, struct err *err)
{
    BIO AUTO(ossl_free_bio) *bio = BIO_new_mem_buf(text, (int)len);
    bool found = true;
    enum err_code code = ERR_OK;

    if (!bio)
        return ossl_fail(err, "read a certificate");
    while (code == ERR_OK && found)
        code = read_next(bio, what, chain, &found, err);
    if (code == ERR_OK && chain->count != count_begins(text)) /* what OpenSSL passed over is damage */
        return err_set(err, ERR_INPUT, "could not read certificate %zu of %s: its lines are damaged", chain->count + 1,
                       what);
    return code;
}

enum err_code chain_parse(const void *data, size_t len, const char *what, struct chain **out, struct err *err)
{
    AUTO_CHAIN struct chain *chain = NULL;
    AUTO_FREE char *text = NULL;
    enum err_code code;

    if (len > CHAIN_TEXT_MAX)
        return err_set(err, ERR_INPUT, "%s is larger than %u bytes", what, CHAIN_TEXT_MAX);
    if (len == 0) /* `data` may be NULL then */
        return err_set(err, ERR_INPUT, "%s holds no certificate", what);
    if (memchr(data, '\0', len))
        return err_set(err, ERR_INPUT, "%s holds a NUL character", what);
    text = mem_strndup(data, len);
    code = check_blocks(text, what, err);
    if (code != ERR_OK)
        return code;
    chain = mem_zalloc(sizeof *chain);
    code = read_all(text, len, what, chain, err);
    if (code != ERR_OK)
        return code;
    *out = chain;
    chain = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ writing */

void chain_format_pem(const struct chain *chain, size_t first, size_t count, struct buf *out)
{
    for (size_t i = first; i < chain->count && i - first < count; i++) {
        BIO AUTO(ossl_free_bio) *bio = BIO_new(BIO_s_mem());

        if (bio && PEM_write_bio_X509(bio, chain->items[i].x509) == 1)
            ossl_put_bio(out, bio);
        else
            out->overflow = true;
    }
}

void chain_format_der(const struct chain *chain, size_t index, struct buf *out)
{
    unsigned char AUTO(ossl_free_bytes) *der = NULL;

    ossl_put_der(out, i2d_X509(chain->items[index].x509, &der), &der);
}

void chain_public_der(const struct chain *chain, struct buf *out)
{
    unsigned char AUTO(ossl_free_bytes) *der = NULL;

    ossl_put_der(out, i2d_X509_PUBKEY(X509_get_X509_PUBKEY(chain->items[0].x509), &der), &der);
}

bool chain_has_key(const struct chain *chain, const void *public_der, size_t len)
{
    struct buf AUTO_BUF der = BUF_INIT(KEY_PUBLIC_DER_MAX);

    chain_public_der(chain, &der);
    return buf_ok(&der) && der.len == len && memcmp(der.data, public_der, len) == 0;
}

void chain_fingerprint(const struct chain *chain, size_t index, char out[CHAIN_FINGERPRINT_LEN + 1])
{
    unsigned char digest[DIGEST_SHA256_LEN] = {0};
    unsigned len = 0;

    if (X509_digest(chain->items[index].x509, EVP_sha256(), digest, &len) != 1)
        ERR_clear_error();
    text_hex_into(out, digest, sizeof digest);
}

/* ------------------------------------------------------------------ which chain */

/* Hex digits with ":" between, or not; false: it is no fingerprint. */
static bool read_fingerprint(const char *text, char out[CHAIN_FINGERPRINT_LEN + 1])
{
    size_t n = 0;

    for (; *text; text++) {
        if (*text == ':')
            continue;
        if (!text_is_hex(text_lower(*text)) || n == CHAIN_FINGERPRINT_LEN)
            return false;
        out[n++] = text_lower(*text);
    }
    out[n] = '\0';
    return n == CHAIN_FINGERPRINT_LEN;
}

static bool has_fingerprint(const struct chain *chain, const char *wanted)
{
    char fingerprint[CHAIN_FINGERPRINT_LEN + 1];

    for (size_t i = 1; i < chain->count; i++) {
        chain_fingerprint(chain, i, fingerprint);
        if (strcmp(fingerprint, wanted) == 0)
            return true;
    }
    return false;
}

bool chain_is_preferred(const struct chain *chain, const char *preferred)
{
    char fingerprint[CHAIN_FINGERPRINT_LEN + 1];

    if (read_fingerprint(preferred, fingerprint))
        return has_fingerprint(chain, fingerprint);
    for (size_t i = 1; i < chain->count; i++)
        if (text_casecmp(chain->items[i].cert.subject, preferred) == 0 ||
            text_casecmp(chain->items[i].cert.issuer, preferred) == 0)
            return true;
    return text_casecmp(chain_root_name(chain), preferred) == 0;
}

const char *chain_root_name(const struct chain *chain)
{
    return chain->items[chain->count - 1].cert.issuer;
}

/* ------------------------------------------------------------------ RFC 9773 */

/* The content octets of the INTEGER, with the zero in front that keeps a high bit from meaning a negative number. */
static bool put_serial(const X509 *x509, struct buf *out)
{
    unsigned char AUTO(ossl_free_bytes) *der = NULL;
    int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &der);

    if (len < 3 || len > 127) /* one byte each of tag and length: RFC 5280 allows 20 octets */
        return false;
    b64url_put(out, der + 2, (size_t)len - 2);
    return true;
}

char *chain_ari_id(const struct chain *chain)
{
    struct buf AUTO_BUF text = BUF_INIT(ARI_ID_MAX);
    X509 *x509 = chain->items[0].x509;
    const ASN1_OCTET_STRING *id = X509_get0_authority_key_id(x509);
    bool ok = id && ASN1_STRING_length(id) > 0;

    if (ok) {
        b64url_put(&text, ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
        buf_putc(&text, '.');
        ok = put_serial(x509, &text);
    }
    ERR_clear_error();
    return ok && buf_ok(&text) ? buf_take(&text) : NULL;
}
