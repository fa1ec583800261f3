/* SPDX-License-Identifier: MIT */
#include "crypto/pfx.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "crypto/chain_ossl.h"
#include "crypto/key_ossl.h"
#include "crypto/ossl.h"

#define ITERATIONS 10000

static void free_pfx(PKCS12 **pfx)
{
    PKCS12_free(*pfx);
}

static void free_stack(STACK_OF(X509) * *stack)
{
    sk_X509_free(*stack);
}

static enum err_code check_key(const struct pfx_opts *opts, struct err *err)
{
    struct buf AUTO_BUF of_key = BUF_INIT(KEY_PUBLIC_DER_MAX);
    enum err_code code = key_public_der(opts->key, &of_key, err);

    if (code != ERR_OK)
        return code;
    if (chain_has_key(opts->chain, of_key.data, of_key.len))
        return ERR_OK;
    return err_set(err, ERR_INPUT, "could not make a PKCS#12 file: the key does not belong to the certificate");
}

static STACK_OF(X509) * authorities(const struct chain *chain)
{
    STACK_OF(X509) *stack = sk_X509_new_null();

    for (size_t i = 1; stack && i < chain->count; i++) {
        if (sk_X509_push(stack, chain->items[i].x509) <= 0) {
            sk_X509_free(stack);
            return NULL;
        }
    }
    return stack;
}

enum err_code pfx_new(const struct pfx_opts *opts, struct buf *out, struct err *err)
{
    bool is_modern = opts->algorithms == PFX_MODERN;
    int cipher = is_modern ? NID_aes_256_cbc : NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
    const char *password = opts->password ? secret_bytes(opts->password) : "";
    STACK_OF(X509) AUTO(free_stack) *others = authorities(opts->chain);
    PKCS12 AUTO(free_pfx) *pfx = NULL;
    unsigned char AUTO(ossl_free_bytes) *der = NULL;
    int len = 0;
    enum err_code code = check_key(opts, err);

    if (code != ERR_OK)
        return code;
    if (opts->password && strlen(password) != secret_len(opts->password))
        return err_set(err, ERR_INPUT, "could not make a PKCS#12 file: its password holds a NUL character");
    /* The MAC is set afterwards, as PKCS12_create() knows only one digest for it. */
    if (others)
        pfx = PKCS12_create(password, opts->friendly_name, opts->key->pkey, opts->chain->items[0].x509, others, cipher,
                            cipher, ITERATIONS, -1, 0);
    if (pfx && PKCS12_set_mac(pfx, password, -1, NULL, 0, ITERATIONS, is_modern ? EVP_sha256() : EVP_sha1()) == 1)
        len = i2d_PKCS12(pfx, &der);
    if (len <= 0)
        return ossl_fail(err, "make a PKCS#12 file");
    buf_append(out, der, (size_t)len);
    return ERR_OK;
}
