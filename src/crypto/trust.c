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

struct refused {
    void *der;
    size_t len;
};

struct trust {
    X509_STORE *store;
    struct refused *refused;
    size_t refused_count;
    char *bundle; /* NULL: none was there */
    size_t of_bundle;
    size_t of_system;
};

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
    for (size_t i = 0; i < trust->refused_count; i++)
        free(trust->refused[i].der);
    free(trust->refused);
    free(trust->bundle);
    free(trust);
}

void trust_free_auto(struct trust **trust)
{
    trust_free(*trust);
}

void trust_refuse(struct trust *trust, const void *der, size_t len)
{
    trust->refused = mem_grow(trust->refused, trust->refused_count, sizeof *trust->refused);
    trust->refused[trust->refused_count++] = (struct refused){mem_strndup(der, len), len};
}

static bool is_refused(const struct trust *trust, const void *der, size_t len)
{
    for (size_t i = 0; i < trust->refused_count; i++)
        if (trust->refused[i].len == len && memcmp(trust->refused[i].der, der, len) == 0)
            return true;
    return false;
}

size_t trust_add(struct trust *trust, const void *der, size_t len)
{
    const unsigned char *at = der;
    X509 AUTO(ossl_free_x509) *x509 = is_refused(trust, der, len) ? NULL : d2i_X509(NULL, &at, (long)len);
    bool is_added = x509 && trust->store && X509_STORE_add_cert(trust->store, x509);

    ERR_clear_error();
    return is_added ? 1 : 0;
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

    trust->bundle = platform_trust_bundle();
    if (trust->bundle && platform_file_read(trust->bundle, &text, NULL, NULL) == ERR_OK)
        trust->of_bundle = trust_add_pem(trust, buf_cstr(&text), text.len);
}

static void take(void *ctx, enum platform_trust trusted, const void *der, size_t len)
{
    struct trust *trust = ctx;

    if (trusted == PLATFORM_DISTRUSTED)
        trust_refuse(trust, der, len);
    else if (trust_add(trust, der, len)) /* more than one of its stores may have it */
        trust->of_system = (size_t)sk_X509_OBJECT_num(X509_STORE_get0_objects(trust->store));
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
        take_bundle(trust); /* now it is known which are refused */
    }
    return trust;
}

char *trust_describe(const struct trust *trust)
{
    if (!trust->bundle)
        return mem_printf("%zu CAs of the system's certificate stores", trust->of_system);
    return mem_printf("%zu CAs of \"%s\" and %zu of the system's certificate stores", trust->of_bundle, trust->bundle,
                      trust->of_system);
}

size_t trust_count(const struct trust *trust)
{
    return trust->of_bundle + trust->of_system;
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
