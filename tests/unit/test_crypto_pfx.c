/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "cert_fixture.h"
#include "crypto/chain.h"
#include "crypto/pfx.h"
#include "test.h"

#define TEXT_MAX (256u * 1024)

/* ------------------------------------------------------------------ helpers */

/* A certificate, those behind it, and its key. */
struct bundle {
    struct made_cert root, middle, leaf;
    struct key *key;
    struct chain *chain;
};

static void put(struct buf *text, const struct made_cert *cert)
{
    char AUTO_FREE *pem = cert_pem(cert);

    buf_puts(text, pem);
}

/* `count` certificates of the three. */
static struct bundle bundled(size_t count)
{
    struct bundle b;
    struct buf AUTO_BUF text = BUF_INIT(TEXT_MAX);
    char AUTO_FREE *key = NULL;

    b.root = cert_make(&(struct cert_order){.common_name = "Root", .is_ca = true});
    b.middle = cert_make(&(struct cert_order){.common_name = "Middle", .is_ca = true, .issuer = &b.root});
    b.leaf = cert_make(&(struct cert_order){.names = "DNS:a.example.com", .issuer = &b.middle});
    key = cert_key_pem(&b.leaf);
    assert_int_equal(key_parse_pem(key, strlen(key), "key", &b.key, NULL), ERR_OK);
    put(&text, &b.leaf);
    if (count > 1)
        put(&text, &b.middle);
    if (count > 2)
        put(&text, &b.root);
    assert_int_equal(chain_parse(buf_cstr(&text), text.len, "chain", &b.chain, NULL), ERR_OK);
    return b;
}

static void bundle_done(struct bundle *b)
{
    made_cert_done(&b->root);
    made_cert_done(&b->middle);
    made_cert_done(&b->leaf);
    key_free(b->key);
    chain_free(b->chain);
}

static void make(const struct bundle *b, enum pfx_algorithms algorithms, const char *password, struct buf *out)
{
    AUTO_SECRET struct secret *secret = password ? secret_new(password, strlen(password)) : NULL;
    struct err err;

    if (pfx_new(&(struct pfx_opts){.key = b->key,
                                   .chain = b->chain,
                                   .password = secret,
                                   .friendly_name = "w\xc3\xbcw",
                                   .algorithms = algorithms},
                out, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_true(buf_ok(out));
    assert_int_equal(ERR_peek_error(), 0);
}

static PKCS12 *read_back(const struct buf *der)
{
    const unsigned char *at = (const unsigned char *)der->data;
    PKCS12 *pfx = d2i_PKCS12(NULL, &at, (long)der->len);

    assert_non_null(pfx);
    assert_ptr_equal(at, der->data + der->len);
    return pfx;
}

/* What OpenSSL takes out of it. */
static void expect_contents(const struct buf *der, const char *password, const struct bundle *b)
{
    PKCS12 *pfx = read_back(der);
    STACK_OF(X509) *others = NULL;
    EVP_PKEY *pkey = NULL;
    X509 *x509 = NULL;
    int len;

    assert_int_equal(PKCS12_verify_mac(pfx, "another", -1), 0);
    assert_int_equal(PKCS12_parse(pfx, "another", &pkey, &x509, &others), 0);
    ERR_clear_error();
    assert_int_equal(PKCS12_parse(pfx, password, &pkey, &x509, &others), 1);
    assert_int_equal(EVP_PKEY_eq(pkey, b->leaf.key), 1);
    assert_int_equal(X509_cmp(x509, b->leaf.x509), 0);
    assert_memory_equal(X509_alias_get0(x509, &len), "w\xc3\xbcw", 4);
    assert_int_equal(len, 4);
    assert_int_equal(sk_X509_num(others) < 0 ? 0 : sk_X509_num(others), chain_len(b->chain) - 1);
    if (sk_X509_num(others) > 0)
        assert_int_equal(X509_cmp(sk_X509_value(others, 0), b->middle.x509), 0);
    if (sk_X509_num(others) > 1)
        assert_int_equal(X509_cmp(sk_X509_value(others, 1), b->root.x509), 0);
    sk_X509_pop_free(others, X509_free);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    PKCS12_free(pfx);
    assert_int_equal(ERR_peek_error(), 0);
}

/* ------------------------------------------------------------------ contents */

TEST(files_of_both_kinds_are_read_back)
{
    static const char *const passwords[] = {"correct horse", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91", NULL};
    struct bundle b = bundled(3);

    for (size_t i = 0; i < ARRAY_LEN(passwords); i++) {
        static const enum pfx_algorithms both[] = {PFX_MODERN, PFX_LEGACY};

        for (size_t j = 0; j < ARRAY_LEN(both); j++) {
            struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);

            make(&b, both[j], passwords[i], &der);
            expect_contents(&der, passwords[i] ? passwords[i] : "", &b);
        }
    }
    bundle_done(&b);
}

TEST(a_certificate_may_come_alone)
{
    struct bundle b = bundled(1);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);

    make(&b, PFX_MODERN, "x", &der);
    expect_contents(&der, "x", &b);
    bundle_done(&b);
}

/* IIS pairs the two by it. */
TEST(key_and_certificate_have_the_same_local_key_id)
{
    struct bundle b = bundled(2);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);
    PKCS12 *pfx;
    EVP_PKEY *pkey = NULL;
    X509 *x509 = NULL;
    unsigned char print[EVP_MAX_MD_SIZE];
    unsigned print_len;
    unsigned char *id;
    int len = 0;

    make(&b, PFX_MODERN, "x", &der);
    pfx = read_back(&der);
    assert_int_equal(PKCS12_parse(pfx, "x", &pkey, &x509, NULL), 1);
    id = X509_keyid_get0(x509, &len);
    assert_int_equal(X509_digest(b.leaf.x509, EVP_sha1(), print, &print_len), 1);
    assert_int_equal(len, print_len);
    assert_memory_equal(id, print, print_len);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    PKCS12_free(pfx);
    bundle_done(&b);
}

/* ------------------------------------------------------------------ algorithms */

/* Is the object identifier of an algorithm in the file?  Those of encryption and MAC stand in the clear. */
static bool mentions(const struct buf *der, int nid)
{
    unsigned char *oid = NULL;
    int len = i2d_ASN1_OBJECT(OBJ_nid2obj(nid), &oid);
    bool is_there = false;

    assert_true(len > 2);
    for (size_t i = 0; !is_there && i + (size_t)len <= der->len; i++)
        is_there = memcmp(der->data + i, oid, (size_t)len) == 0;
    OPENSSL_free(oid);
    return is_there;
}

static void expect_mac(const struct buf *der, int nid)
{
    PKCS12 *pfx = read_back(der);
    const X509_ALGOR *algorithm;
    const ASN1_OBJECT *object;
    const ASN1_INTEGER *iterations;

    PKCS12_get0_mac(NULL, &algorithm, NULL, &iterations, pfx);
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    assert_int_equal(OBJ_obj2nid(object), nid);
    assert_true(ASN1_INTEGER_get(iterations) >= 2048);
    PKCS12_free(pfx);
}

TEST(modern_files_have_aes_and_sha256_only)
{
    struct bundle b = bundled(2);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);

    make(&b, PFX_MODERN, "x", &der);
    assert_true(mentions(&der, NID_aes_256_cbc));
    assert_true(mentions(&der, NID_id_pbkdf2));
    assert_true(mentions(&der, NID_hmacWithSHA256));
    assert_false(mentions(&der, NID_pbe_WithSHA1And3_Key_TripleDES_CBC));
    assert_false(mentions(&der, NID_sha1));
    expect_mac(&der, NID_sha256);
    bundle_done(&b);
}

TEST(legacy_files_have_3des_and_sha1_only)
{
    struct bundle b = bundled(2);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);

    make(&b, PFX_LEGACY, "x", &der);
    assert_true(mentions(&der, NID_pbe_WithSHA1And3_Key_TripleDES_CBC));
    assert_false(mentions(&der, NID_pbe_WithSHA1And40BitRC2_CBC)); /* needs OpenSSL's provider of old algorithms */
    assert_false(mentions(&der, NID_pbes2));
    expect_mac(&der, NID_sha1);
    bundle_done(&b);
}

/* ------------------------------------------------------------------ refused */

TEST(a_key_that_does_not_belong_to_the_certificate_is_refused)
{
    struct bundle b = bundled(2);
    AUTO_KEY struct key *other = NULL;
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);
    struct err err;

    assert_int_equal(key_new(KEY_ECDSA_P256, &other, NULL), ERR_OK);
    assert_int_equal(pfx_new(&(struct pfx_opts){.key = other, .chain = b.chain, .friendly_name = "www"}, &der, &err),
                     ERR_INPUT);
    assert_non_null(strstr(err.msg, "the key does not belong to the certificate"));
    assert_int_equal(der.len, 0);
    bundle_done(&b);
}

/* PKCS12_create() would stop there, and nobody could open the file with the whole password. */
TEST(a_password_with_a_nul_is_refused)
{
    struct bundle b = bundled(1);
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
        cmocka_unit_test(files_of_both_kinds_are_read_back),
        cmocka_unit_test(a_certificate_may_come_alone),
        cmocka_unit_test(key_and_certificate_have_the_same_local_key_id),
        cmocka_unit_test(modern_files_have_aes_and_sha256_only),
        cmocka_unit_test(legacy_files_have_3des_and_sha1_only),
        cmocka_unit_test(a_key_that_does_not_belong_to_the_certificate_is_refused),
        cmocka_unit_test(a_password_with_a_nul_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
