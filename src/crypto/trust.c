/* SPDX-License-Identifier: MIT */
#include "crypto/trust.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "crypto/ossl.h"
#include "platform/platform.h"
#include "util/buf.h"
#include "util/mem.h"

#define BUNDLE_MAX (4U << 20)

/* Certificates as they are written, which is how they are compared: to parse one that is known takes much longer. */
struct encoded {
    struct {
        void *der;
        size_t len;
    } * items;
    size_t count;
};

struct trust {
    X509_STORE *store;
    struct encoded known; /* that are in the store */
    struct encoded refused;
    char *bundle; /* NULL: none was there */
    bool has_looked_for_bundle;
    size_t of_bundle;
};

static void encoded_done(struct encoded *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->items[i].der);
    free(all->items);
}

static void encoded_add(struct encoded *all, const void *der, size_t len)
{
    all->items = mem_grow(all->items, all->count, sizeof *all->items);
    all->items[all->count].der = mem_strndup(der, len);
    all->items[all->count++].len = len;
}

static bool encoded_has(const struct encoded *all, const void *der, size_t len)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].len == len && memcmp(all->items[i].der, der, len) == 0)
            return true;
    return false;
}

struct trust *trust_new(void)
{
    struct trust *trust = mem_zalloc(sizeof *trust);

    trust->store = X509_STORE_new();
    return trust;
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->store);
    encoded_done(&trust->known);
    encoded_done(&trust->refused);
    free(trust->bundle);
    free(trust);
}

void trust_free_auto(struct trust **trust)
{
    trust_free(*trust);
}

void trust_refuse(struct trust *trust, const void *der, size_t len)
{
    encoded_add(&trust->refused, der, len);
}

size_t trust_add(struct trust *trust, const void *der, size_t len)
{
    const unsigned char *at = der;
    X509 AUTO(ossl_free_x509) *x509 = NULL;

    if (encoded_has(&trust->refused, der, len))
        return 0;
    if (encoded_has(&trust->known, der, len))
        return 1;
    x509 = d2i_X509(NULL, &at, (long)len);
    if (!x509 || !trust->store || !X509_STORE_add_cert(trust->store, x509)) {
        ERR_clear_error();
        return 0;
    }
    encoded_add(&trust->known, der, len);
    return 1;
}

size_t trust_add_pem(struct trust *trust, const char *text, size_t len)
{
    BIO AUTO(ossl_free_bio) *bio = BIO_new_mem_buf(text, (int)len);
    char *name, *header;
    unsigned char *der;
    size_t count = 0;
    long der_len;

    while (bio && PEM_read_bio(bio, &name, &header, &der, &der_len)) {
        if (strcmp(name, PEM_STRING_X509) == 0)
            count += trust_add(trust, der, (size_t)der_len);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    ERR_clear_error();
    return count;
}

/* ------------------------------------------------------------------ the system's */

static void take_bundle(struct trust *trust)
{
    struct buf AUTO_BUF text = BUF_INIT(BUNDLE_MAX);

    if (trust->has_looked_for_bundle)
        return;
    trust->has_looked_for_bundle = true;
    trust->bundle = platform_trust_bundle();
    if (trust->bundle && platform_file_read(trust->bundle, &text, NULL, NULL) == ERR_OK)
        (void)trust_add_pem(trust, buf_cstr(&text), text.len);
    trust->of_bundle = trust->known.count;
}

static void take(void *ctx, enum platform_trust trusted, const void *der, size_t len)
{
    struct trust *trust = ctx;

    if (trusted == PLATFORM_DISTRUSTED) {
        trust_refuse(trust, der, len);
        return;
    }
    take_bundle(trust); /* now it is known which are refused */
    (void)trust_add(trust, der, len);
}

bool trust_is_ours(void)
{
    return platform_trust_each(NULL, NULL);
}

struct trust *trust_of_system(void)
{
    struct trust *trust = trust_is_ours() ? trust_new() : NULL;

    if (trust) {
        (void)platform_trust_each(take, trust);
        take_bundle(trust); /* there may have been none but that */
    }
    return trust;
}

char *trust_describe(const struct trust *trust)
{
    if (!trust->bundle)
        return mem_printf("%zu CAs of the system's certificate stores", trust->known.count);
    return mem_printf("%zu CAs of \"%s\" and %zu more of the system's certificate stores", trust->of_bundle,
                      trust->bundle, trust->known.count - trust->of_bundle);
}

size_t trust_count(const struct trust *trust)
{
    return trust->known.count;
}

enum err_code trust_set(const struct trust *trust, void *ssl_ctx, struct err *err)
{
    SSL_CTX *ctx = ssl_ctx;

    /* A CA that is trusted may be an intermediate one, as libcurl has it by default, too.  The store for verification
     * goes before the one that libcurl fills. */
    if (!trust->store || !X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST) ||
        !SSL_CTX_set1_verify_cert_store(ctx, trust->store))
        return ossl_fail(err, "tell TLS whom to trust");
    return ERR_OK;
}
