/* SPDX-License-Identifier: MIT */
#include "crypto/csr.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "crypto/key_ossl.h"
#include "crypto/ossl.h"
#include "crypto/san.h"
#include "crypto/x509.h"

#define DER_MAX (1024u * 1024)

static void free_request(X509_REQ **request)
{
    X509_REQ_free(*request);
}

static void free_extensions(STACK_OF(X509_EXTENSION) * *extensions)
{
    sk_X509_EXTENSION_pop_free(*extensions, X509_EXTENSION_free);
}

void csr_done(struct csr *csr)
{
    buf_done(&csr->der);
    buf_done(&csr->public_der);
    strlist_done(&csr->names);
}

/* ------------------------------------------------------------------ making one */

static bool add_name(GENERAL_NAMES *names, const char *name)
{
    GENERAL_NAME *item = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    if (!item || !text || ASN1_STRING_set(text, name, (int)strlen(name)) != 1 ||
        sk_GENERAL_NAME_push(names, item) <= 0) {
        GENERAL_NAME_free(item);
        ASN1_IA5STRING_free(text);
        return false;
    }
    GENERAL_NAME_set0_value(item, GEN_DNS, text);
    return true;
}

static bool add_names(X509_REQ *request, const struct strlist *list)
{
    GENERAL_NAMES AUTO(san_free) *names = GENERAL_NAMES_new();
    STACK_OF(X509_EXTENSION) AUTO(free_extensions) *extensions = NULL;
    bool ok = names != NULL;

    for (size_t i = 0; ok && i < list->count; i++)
        ok = add_name(names, list->items[i]);
    return ok && X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1 &&
           X509_REQ_add_extensions(request, extensions) == 1;
}

static const EVP_MD *digest_of(const struct key *key)
{
    return key->kind->digest ? EVP_get_digestbyname(key->kind->digest) : NULL;
}

enum err_code csr_new(const struct key *key, const struct strlist *names, struct buf *out, struct err *err)
{
    X509_REQ AUTO(free_request) *request = X509_REQ_new();
    unsigned char AUTO(ossl_free_bytes) *der = NULL;
    int len = 0;

    if (request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
        X509_REQ_set_pubkey(request, key->pkey) == 1 && add_names(request, names) &&
        X509_REQ_sign(request, key->pkey, digest_of(key)) > 0)
        len = i2d_X509_REQ(request, &der);
    if (len <= 0)
        return ossl_fail(err, "make a certificate signing request");
    buf_append(out, der, (size_t)len);
    return ERR_OK;
}

/* ------------------------------------------------------------------ reading one */

static enum err_code refuse(const char *what, const char *why, struct err *err)
{
    ERR_clear_error();
    return err_set(err, ERR_INPUT, "could not use the certificate signing request in \"%s\": %s", what, why);
}

static X509_REQ *read_request(const void *data, size_t len)
{
    BIO AUTO(ossl_free_bio) *bio = BIO_new_mem_buf(data, (int)len);
    const unsigned char *end = data;
    X509_REQ *request = bio ? PEM_read_bio_X509_REQ(bio, NULL, ossl_no_password, NULL) : NULL;

    if (request)
        return request;
    request = d2i_X509_REQ(NULL, &end, (long)len);
    ERR_clear_error();
    if (request && end != (const unsigned char *)data + len) {
        X509_REQ_free(request);
        return NULL;
    }
    return request;
}

static bool has_extensions(const X509_REQ *request)
{
    return X509_REQ_get_attr_by_NID(request, NID_ext_req, -1) >= 0 ||
           X509_REQ_get_attr_by_NID(request, NID_ms_ext_req, -1) >= 0;
}

static enum err_code take_names(X509_REQ *request, const char *what, struct csr *csr, struct err *err)
{
    STACK_OF(X509_EXTENSION) AUTO(free_extensions) *extensions = X509_REQ_get_extensions(request);
    int critical; /* -1: there is no such extension */
    GENERAL_NAMES AUTO(san_free) *names = X509V3_get_d2i(extensions, NID_subject_alt_name, &critical, NULL);
    AUTO_FREE char *odd = NULL;
    AUTO_FREE char *why = NULL;

    if (!extensions && has_extensions(request))
        return refuse(what, "its extensions can't be read", err);
    if (!names && critical != -1) /* damaged, or there are several */
        return refuse(what, "its names can't be read", err);
    odd = san_add(names, &csr->names);
    if (!odd)
        odd = san_add_common_names(X509_REQ_get_subject_name(request), &csr->names);
    csr->has_must_staple = X509v3_get_ext_by_NID(extensions, NID_tlsfeature, -1) >= 0;
    if (odd) {
        why = mem_printf("it asks for %s, which can't be proved by DNS", odd);
        return refuse(what, why, err);
    }
    return csr->names.count ? ERR_OK : refuse(what, "it asks for no DNS name", err);
}

static enum err_code take_key(X509_REQ *request, const char *what, struct csr *csr, struct err *err)
{
    unsigned char AUTO(ossl_free_bytes) *der = NULL;
    EVP_PKEY *pkey = X509_REQ_get0_pubkey(request);
    enum err_code code;

    if (!pkey)
        return refuse(what, "its key can't be read", err);
    code = key_examine(pkey, EVP_PKEY_public_check, what, err);
    if (code != ERR_OK)
        return code;
    if (X509_REQ_verify(request, pkey) != 1)
        return refuse(what, "its signature does not verify", err);
    csr->key_type = key_kind_type(key_kind_of(pkey), pkey);
    ossl_put_der(&csr->public_der, i2d_PUBKEY(pkey, &der), &der);
    return ERR_OK;
}

enum err_code csr_parse(const void *data, size_t len, const char *what, struct csr *out, struct err *err)
{
    AUTO_CSR struct csr csr = {.der = BUF_INIT(DER_MAX), .public_der = BUF_INIT(KEY_PUBLIC_DER_MAX)};
    X509_REQ AUTO(free_request) *request = NULL;
    unsigned char AUTO(ossl_free_bytes) *der = NULL;
    enum err_code code;

    if (len > DER_MAX)
        return refuse(what, "it is too large", err);
    request = read_request(data, len);
    if (!request)
        return refuse(what, "it is neither PEM nor DER of one", err);
    code = take_key(request, what, &csr, err);
    if (code == ERR_OK)
        code = take_names(request, what, &csr, err);
    if (code != ERR_OK)
        return code;
    ossl_put_der(&csr.der, i2d_X509_REQ(request, &der), &der);
    if (!buf_ok(&csr.der) || !buf_ok(&csr.public_der))
        return refuse(what, "it is too large", err);
    ERR_clear_error();
    *out = csr;
    csr = (struct csr){.has_must_staple = false};
    return ERR_OK;
}
