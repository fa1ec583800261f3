/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "cert_fixture.h"
#include "crypto/chain.h"
#include "crypto/csr.h"
#include "crypto/pfx.h"
#include "test.h"

#define TEXT_MAX (256u * 1024)

static struct strlist two_names(void)
{
    struct strlist names = {NULL, 0};

    strlist_add(&names, "example.com");
    strlist_add(&names, "*.example.com");
    return names;
}

static struct key *new_key(enum key_type type)
{
    struct key *key = NULL;

    assert_int_equal(key_new(type, &key, NULL), ERR_OK);
    return key;
}

/* ------------------------------------------------------------------ made by us */

static void check_made(enum key_type type)
{
    struct strlist AUTO_STRLIST names = two_names();
    AUTO_KEY struct key *key = new_key(type);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);
    struct buf AUTO_BUF public_der = BUF_INIT(TEXT_MAX);
    AUTO_CSR struct csr csr = {.has_must_staple = false};
    const unsigned char *at;
    X509_REQ *request;
    struct err err;

    assert_int_equal(csr_new(key, &names, &der, &err), ERR_OK);
    at = (const unsigned char *)der.data;
    request = d2i_X509_REQ(NULL, &at, (long)der.len);
    assert_non_null(request);
    assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), 0);
    assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    X509_REQ_free(request);
    if (csr_parse(der.data, der.len, "own.csr", &csr, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_true(strlist_is_same_set(&csr.names, &names));
    assert_int_equal(csr.key_type, type);
    assert_false(csr.has_must_staple);
    assert_int_equal(csr.der.len, der.len);
    assert_memory_equal(csr.der.data, der.data, der.len);
    assert_int_equal(key_public_der(key, &public_der, NULL), ERR_OK);
    assert_int_equal(csr.public_der.len, public_der.len);
    assert_memory_equal(csr.public_der.data, public_der.data, public_der.len);
    assert_int_equal(ERR_peek_error(), 0);
}

TEST(requests_have_the_names_no_subject_and_a_good_signature_for_each_type_of_key)
{
    static const enum key_type types[] = {KEY_RSA_2048, KEY_ECDSA_P256, KEY_ECDSA_P384, KEY_ED25519};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        check_made(types[i]);
}

/* ------------------------------------------------------------------ brought by the user */

static X509_REQ *request_for(const char *names, const char *common_name, EVP_PKEY *pkey)
{
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *extension = names ? X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names) : NULL;

    assert_int_equal(X509_REQ_set_pubkey(request, pkey), 1);
    if (common_name)
        assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                                                    (const unsigned char *)common_name, -1, -1, 0),
                         1);
    if (extension)
        assert_true(sk_X509_EXTENSION_push(extensions, extension) > 0);
    if (extension)
        assert_int_equal(X509_REQ_add_extensions(request, extensions), 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    assert_true(X509_REQ_sign(request, pkey, EVP_sha256()) > 0);
    return request;
}

static void put_pem(X509_REQ *request, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long len;

    assert_int_equal(PEM_write_bio_X509_REQ(bio, request), 1);
    len = BIO_get_mem_data(bio, &data);
    buf_append(out, data, (size_t)len);
    BIO_free(bio);
}

TEST(names_come_from_san_and_common_name_in_pem_too)
{
    struct made_cert some = cert_make(&(struct cert_order){.names = "DNS:x.example"});
    X509_REQ *request = request_for("DNS:B.example.com,DNS:*.a.example.com", "a.example.com", some.key);
    struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);
    AUTO_CSR struct csr csr = {.has_must_staple = false};
    struct err err;

    buf_puts(&pem, "Subject: whatever\n");
    put_pem(request, &pem);
    if (csr_parse(buf_cstr(&pem), pem.len, "own.csr", &csr, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(csr.names.count, 3);
    assert_string_equal(csr.names.items[0], "b.example.com");
    assert_string_equal(csr.names.items[1], "*.a.example.com");
    assert_string_equal(csr.names.items[2], "a.example.com");
    X509_REQ_free(request);
    made_cert_done(&some);
}

static void refused(const void *data, size_t len, const char *why)
{
    AUTO_CSR struct csr csr = {.has_must_staple = false};
    struct err err;

    err_init(&err);
    assert_int_equal(csr_parse(data, len, "own.csr", &csr, &err), ERR_INPUT);
    if (!strstr(err.msg, "own.csr") || !strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_int_equal(ERR_peek_error(), 0);
}

TEST(what_can_not_be_used_is_refused)
{
    static const struct {
        const char *names;
        const char *common_name;
        const char *why;
    } cases[] = {
        {NULL, NULL, "no DNS name"},
        {"IP:192.0.2.1", NULL, "IP address"},
        {"DNS:a.example.com,email:a@example.com", NULL, "a@example.com"},
        {"DNS:a.example.com,URI:https://example.com/", NULL, "https://example.com/"},
        {"DNS:a.example.com", "Fred Bloggs", "Fred Bloggs"},
        {"DNS:a.example.com", "192.0.2.1", "192.0.2.1"},
        {"DNS:192.0.2.1", NULL, "192.0.2.1"},
        {"DNS:a.example.com.", NULL, "a.example.com."},
        {"DNS:a..example.com", NULL, "a..example.com"},
        {"DNS:.example.com", NULL, ".example.com"},
        {"DNS:-a.example.com", NULL, "-a.example.com"},
        {"DNS:a-.example.com", NULL, "a-.example.com"},
        {"DNS:*", NULL, "\"*\""},
        {"DNS:*.", NULL, "\"*.\""},
        {"DNS:a.*.example.com", NULL, "a.*.example.com"},
        {"DNS:*.*.example.com", NULL, "*.*.example.com"},
        {"DNS:a b.example.com", NULL, "a b.example.com"},
        {"DNS:b\xc3\xbc.example.com", NULL, ".example.com"},
        {"DNS:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com", NULL, "aaa"},
    };
    struct made_cert some = cert_make(&(struct cert_order){.names = "DNS:x.example"});
    struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        X509_REQ *request = request_for(cases[i].names, cases[i].common_name, some.key);

        buf_clear(&pem);
        put_pem(request, &pem);
        refused(buf_cstr(&pem), pem.len, cases[i].why);
        X509_REQ_free(request);
    }
    refused("", 0, "neither PEM nor DER");
    refused("hello", 5, "neither PEM nor DER");
    made_cert_done(&some);
}

/* As x509v3_config(5) has no way to write it. */
static X509_REQ *request_with_sans(size_t count, EVP_PKEY *pkey)
{
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();

    assert_int_equal(X509_REQ_set_pubkey(request, pkey), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"c.example.com", -1, -1, 0),
                     1);
    for (size_t i = 0; i < count; i++)
        assert_true(sk_X509_EXTENSION_push(
                        extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a.example.com")) > 0);
    if (count == 0) {
        ASN1_OCTET_STRING *damage = ASN1_OCTET_STRING_new();

        assert_true(ASN1_OCTET_STRING_set(damage, (const unsigned char *)"damage", 6));
        assert_true(sk_X509_EXTENSION_push(extensions,
                                           X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, damage)) > 0);
        ASN1_OCTET_STRING_free(damage);
    }
    assert_int_equal(X509_REQ_add_extensions(request, extensions), 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    assert_true(X509_REQ_sign(request, pkey, EVP_sha256()) > 0);
    return request;
}

/* Passing them over would ask for the common name alone. */
TEST(names_that_are_damaged_or_there_twice_are_refused)
{
    struct made_cert some = cert_make(&(struct cert_order){.names = "DNS:x.example"});

    for (size_t count = 0; count <= 2; count += 2) {
        X509_REQ *request = request_with_sans(count, some.key);
        struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);

        put_pem(request, &pem);
        refused(buf_cstr(&pem), pem.len, "its names can't be read");
        X509_REQ_free(request);
    }
    made_cert_done(&some);
}

static void expect_key_refused(EVP_PKEY *pkey, const char *why)
{
    X509_REQ *request = request_for("DNS:a.example.com", NULL, pkey);
    struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);

    put_pem(request, &pem);
    refused(buf_cstr(&pem), pem.len, why);
    X509_REQ_free(request);
    EVP_PKEY_free(pkey);
}

TEST(keys_that_can_not_be_used_are_refused)
{
    expect_key_refused(EVP_RSA_gen(1024), "an RSA key of 1024 bits");
    expect_key_refused(EVP_EC_gen("secp256k1"), "on the curve \"secp256k1\"");
    expect_key_refused(EVP_EC_gen("P-224"), "on the curve \"secp224r1\"");
}

TEST(must_staple_is_seen)
{
    struct made_cert some = cert_make(&(struct cert_order){.names = "DNS:x.example"});
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);
    AUTO_CSR struct csr csr = {.has_must_staple = false};

    assert_int_equal(X509_REQ_set_pubkey(request, some.key), 1);
    assert_true(sk_X509_EXTENSION_push(extensions,
                                       X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a.example.com")) > 0);
    assert_true(sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_tlsfeature, "status_request")) >
                0);
    assert_int_equal(X509_REQ_add_extensions(request, extensions), 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    assert_true(X509_REQ_sign(request, some.key, EVP_sha256()) > 0);
    put_pem(request, &pem);
    assert_int_equal(csr_parse(buf_cstr(&pem), pem.len, "own.csr", &csr, NULL), ERR_OK);
    assert_true(csr.has_must_staple);
    X509_REQ_free(request);
    made_cert_done(&some);
}

TEST(a_signature_that_does_not_verify_is_refused)
{
    struct made_cert some = cert_make(&(struct cert_order){.names = "DNS:x.example"});
    X509_REQ *request = request_for("DNS:a.example.com", NULL, some.key);
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(request, &der);

    assert_true(len > 10);
    der[len - 5] ^= 1;
    refused(der, (size_t)len, "");
    OPENSSL_free(der);
    X509_REQ_free(request);
    made_cert_done(&some);
}

/* ------------------------------------------------------------------ PKCS#12 */

struct bundle {
    struct made_cert root, leaf;
    struct key *key;
    struct chain *chain;
};

static struct bundle bundled(void)
{
    struct bundle b;
    struct buf AUTO_BUF text = BUF_INIT(TEXT_MAX);
    char *pem;

    b.root = cert_make(&(struct cert_order){.common_name = "Root", .is_ca = true});
    b.leaf = cert_make(&(struct cert_order){.names = "DNS:a.example.com", .issuer = &b.root});
    pem = cert_key_pem(&b.leaf);
    assert_int_equal(key_parse_pem(pem, strlen(pem), "key", &b.key, NULL), ERR_OK);
    free(pem);
    pem = cert_pem(&b.leaf);
    buf_puts(&text, pem);
    free(pem);
    pem = cert_pem(&b.root);
    buf_puts(&text, pem);
    free(pem);
    assert_int_equal(chain_parse(buf_cstr(&text), text.len, "chain", &b.chain, NULL), ERR_OK);
    return b;
}

static void bundle_done(struct bundle *b)
{
    made_cert_done(&b->root);
    made_cert_done(&b->leaf);
    key_free(b->key);
    chain_free(b->chain);
}

static void check_pfx(const struct bundle *b, enum pfx_algorithms algorithms, const char *password)
{
    AUTO_SECRET struct secret *secret = password ? secret_new(password, strlen(password)) : NULL;
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);
    const unsigned char *at;
    STACK_OF(X509) *others = NULL;
    EVP_PKEY *pkey = NULL;
    X509 *x509 = NULL;
    PKCS12 *pfx;
    struct err err;

    if (pfx_new(
            &(struct pfx_opts){
                .key = b->key, .chain = b->chain, .password = secret, .friendly_name = "www", .algorithms = algorithms},
            &der, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    at = (const unsigned char *)der.data;
    pfx = d2i_PKCS12(NULL, &at, (long)der.len);
    assert_non_null(pfx);
    assert_int_equal(PKCS12_verify_mac(pfx, "another", -1), 0);
    ERR_clear_error();
    assert_int_equal(PKCS12_parse(pfx, password ? password : "", &pkey, &x509, &others), 1);
    assert_int_equal(EVP_PKEY_eq(pkey, b->leaf.key), 1);
    assert_int_equal(X509_cmp(x509, b->leaf.x509), 0);
    assert_int_equal(sk_X509_num(others), 1);
    sk_X509_pop_free(others, X509_free);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    PKCS12_free(pfx);
    assert_int_equal(ERR_peek_error(), 0);
}

TEST(pkcs12_files_of_both_kinds_are_read_back)
{
    struct bundle b = bundled();

    check_pfx(&b, PFX_MODERN, "correct horse");
    check_pfx(&b, PFX_MODERN, NULL);
    check_pfx(&b, PFX_LEGACY, "correct horse");
    check_pfx(&b, PFX_LEGACY, "gr\xc3\xbc\xc3\x9f");
    bundle_done(&b);
}

TEST(a_key_that_does_not_belong_to_the_certificate_is_refused)
{
    struct bundle b = bundled();
    AUTO_KEY struct key *other = new_key(KEY_ECDSA_P256);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);
    struct err err;

    assert_int_equal(pfx_new(&(struct pfx_opts){.key = other, .chain = b.chain, .friendly_name = "www"}, &der, &err),
                     ERR_INPUT);
    assert_int_equal(der.len, 0);
    bundle_done(&b);
}

/* PKCS12_create() would stop there, and nobody could open the file with the whole password. */
TEST(a_password_with_a_nul_is_refused)
{
    struct bundle b = bundled();
    AUTO_SECRET struct secret *password = secret_new("be\0hind", 7);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);
    struct err err;

    assert_int_equal(pfx_new(&(struct pfx_opts){.key = b.key, .chain = b.chain, .password = password}, &der, &err),
                     ERR_INPUT);
    assert_non_null(strstr(err.msg, "NUL"));
    assert_int_equal(der.len, 0);
    bundle_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_have_the_names_no_subject_and_a_good_signature_for_each_type_of_key),
        cmocka_unit_test(names_come_from_san_and_common_name_in_pem_too),
        cmocka_unit_test(what_can_not_be_used_is_refused),
        cmocka_unit_test(names_that_are_damaged_or_there_twice_are_refused),
        cmocka_unit_test(keys_that_can_not_be_used_are_refused),
        cmocka_unit_test(must_staple_is_seen),
        cmocka_unit_test(a_signature_that_does_not_verify_is_refused),
        cmocka_unit_test(pkcs12_files_of_both_kinds_are_read_back),
        cmocka_unit_test(a_key_that_does_not_belong_to_the_certificate_is_refused),
        cmocka_unit_test(a_password_with_a_nul_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
