/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "cert_fixture.h"
#include "crypto/csr.h"
#include "test.h"
#include "util/mem.h"

#define TEXT_MAX (256u * 1024)

static struct strlist two_names(void)
{
    struct strlist names = {NULL, 0};

    strlist_add(&names, "example.com");
    strlist_add(&names, "*.example.com");
    return names;
}

/* ------------------------------------------------------------------ made by us */

/* Just the names, in their order. */
static void expect_names(X509_REQ *request, const struct strlist *names)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *sans = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);

    assert_int_equal(sk_X509_EXTENSION_num(extensions), 1);
    assert_int_equal(sk_GENERAL_NAME_num(sans), names->count);
    for (size_t i = 0; i < names->count; i++) {
        int type;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(sans, (int)i), &type);

        assert_int_equal(type, GEN_DNS);
        assert_int_equal(ASN1_STRING_length(text), strlen(names->items[i]));
        assert_memory_equal(ASN1_STRING_get0_data(text), names->items[i], strlen(names->items[i]));
    }
    GENERAL_NAMES_free(sans);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void check_made(const struct key *key, enum key_type type, int signature)
{
    struct strlist AUTO_STRLIST names = two_names();
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
    assert_ptr_equal(at, der.data + der.len);
    assert_int_equal(X509_REQ_get_version(request), X509_REQ_VERSION_1);
    assert_int_equal(X509_REQ_get_signature_nid(request), signature);
    assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    expect_names(request, &names);
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
    static const struct {
        enum key_type type;
        int signature;
    } types[] = {{KEY_RSA_2048, NID_sha256WithRSAEncryption},
                 {KEY_RSA_3072, NID_sha256WithRSAEncryption},
                 {KEY_ECDSA_P256, NID_ecdsa_with_SHA256},
                 {KEY_ECDSA_P384, NID_ecdsa_with_SHA384},
                 {KEY_ED25519, NID_ED25519}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        AUTO_KEY struct key *key = key_made(types[i].type);

        check_made(key, types[i].type, types[i].signature);
    }
}

TEST(requests_are_made_with_keys_from_elsewhere_too)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-521");
    AUTO_FREE char *pem = cert_pkey_pem(pkey);
    AUTO_KEY struct key *key = NULL;

    assert_int_equal(key_parse_pem(pem, strlen(pem), "a.pem", &key, NULL), ERR_OK);
    check_made(key, KEY_OTHER, NID_ecdsa_with_SHA512);
    EVP_PKEY_free(pkey);
}

TEST(requests_are_appended)
{
    struct strlist AUTO_STRLIST names = two_names();
    AUTO_KEY struct key *key = key_made(KEY_ECDSA_P256);
    struct buf AUTO_BUF out = BUF_INIT(TEXT_MAX);
    AUTO_CSR struct csr csr = {.has_must_staple = false};

    buf_puts(&out, "ab");
    assert_int_equal(csr_new(key, &names, &out, NULL), ERR_OK);
    assert_memory_equal(out.data, "ab", 2);
    assert_int_equal(csr_parse(out.data + 2, out.len - 2, "own.csr", &csr, NULL), ERR_OK);
}

/* ------------------------------------------------------------------ brought by the user */

/* Not signed yet. */
static X509_REQ *bare_request(const char *common_name, EVP_PKEY *pkey)
{
    X509_REQ *request = X509_REQ_new();

    assert_int_equal(X509_REQ_set_pubkey(request, pkey), 1);
    if (common_name)
        assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                                                    (const unsigned char *)common_name, -1, -1, 0),
                         1);
    return request;
}

static void sign(X509_REQ *request, EVP_PKEY *pkey)
{
    const EVP_MD *digest = EVP_PKEY_is_a(pkey, "ED448") ? NULL : EVP_sha256();

    assert_true(X509_REQ_sign(request, pkey, digest) > 0);
}

/* Under the attribute `nid`; frees the extension. */
static void add_extension(X509_REQ *request, X509_EXTENSION *extension, int nid)
{
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();

    assert_non_null(extension);
    assert_true(sk_X509_EXTENSION_push(extensions, extension) > 0);
    assert_int_equal(X509_REQ_add_extensions_nid(request, extensions, nid), 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static X509_EXTENSION *extension_of(int nid, const char *value)
{
    return X509V3_EXT_conf_nid(NULL, NULL, nid, value);
}

/* A SAN of any bytes. */
static X509_EXTENSION *raw_san(const void *data, size_t len)
{
    ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    assert_int_equal(ASN1_OCTET_STRING_set(bytes, data, (int)len), 1);
    extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, bytes);
    ASN1_OCTET_STRING_free(bytes);
    return extension;
}

static X509_REQ *request_for(const char *names, const char *common_name, EVP_PKEY *pkey)
{
    X509_REQ *request = bare_request(common_name, pkey);

    if (names)
        add_extension(request, extension_of(NID_subject_alt_name, names), NID_ext_req);
    sign(request, pkey);
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

/* Takes the request. */
static void expect_taken(X509_REQ *request, struct csr *out)
{
    struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);
    struct err err;

    put_pem(request, &pem);
    if (csr_parse(buf_cstr(&pem), pem.len, "own.csr", out, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    X509_REQ_free(request);
    assert_int_equal(ERR_peek_error(), 0);
}

TEST(each_name_counts_once_in_whatever_case)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    AUTO_CSR struct csr csr = {.has_must_staple = false};

    expect_taken(request_for("DNS:a.example.com,DNS:A.example.COM,DNS:_x.example.com", "a.Example.com", pkey), &csr);
    assert_int_equal(csr.names.count, 2);
    assert_string_equal(csr.names.items[0], "a.example.com");
    assert_string_equal(csr.names.items[1], "_x.example.com");
    EVP_PKEY_free(pkey);
}

TEST(a_common_name_alone_is_enough)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    AUTO_CSR struct csr csr = {.has_must_staple = false};

    expect_taken(request_for(NULL, "www.example.com", pkey), &csr);
    assert_int_equal(csr.names.count, 1);
    assert_string_equal(csr.names.items[0], "www.example.com");
    EVP_PKEY_free(pkey);
}

TEST(the_wish_for_must_staple_is_seen)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509_REQ *request = bare_request("www.example.com", pkey);
    AUTO_CSR struct csr csr = {.has_must_staple = false};

    add_extension(request, extension_of(NID_tlsfeature, "status_request"), NID_ext_req);
    sign(request, pkey);
    expect_taken(request, &csr);
    assert_true(csr.has_must_staple);
    EVP_PKEY_free(pkey);
}

TEST(extensions_are_found_where_older_windows_puts_them)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509_REQ *request = bare_request(NULL, pkey);
    AUTO_CSR struct csr csr = {.has_must_staple = false};

    add_extension(request, extension_of(NID_subject_alt_name, "DNS:a.example.com"), NID_ms_ext_req);
    sign(request, pkey);
    expect_taken(request, &csr);
    assert_string_equal(csr.names.items[0], "a.example.com");
    EVP_PKEY_free(pkey);
}

/* "NEW CERTIFICATE REQUEST" is what Windows and keytool write. */
TEST(the_other_name_of_the_block_and_line_ends_of_dos_are_read)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509_REQ *request = request_for("DNS:a.example.com", NULL, pkey);
    struct buf AUTO_BUF usual = BUF_INIT(TEXT_MAX);
    struct buf AUTO_BUF other = BUF_INIT(TEXT_MAX);
    AUTO_CSR struct csr csr = {.has_must_staple = false};

    put_pem(request, &usual);
    for (const char *at = buf_cstr(&usual); *at; at++) {
        if (strncmp(at, "CERTIFICATE REQUEST", 19) == 0)
            buf_puts(&other, "NEW ");
        if (*at == '\n')
            buf_putc(&other, '\r');
        buf_putc(&other, *at);
    }
    assert_non_null(strstr(buf_cstr(&other), "-----BEGIN NEW CERTIFICATE REQUEST-----\r\n"));
    assert_int_equal(csr_parse(buf_cstr(&other), other.len, "own.csr", &csr, NULL), ERR_OK);
    assert_string_equal(csr.names.items[0], "a.example.com");
    X509_REQ_free(request);
    EVP_PKEY_free(pkey);
}

/* ------------------------------------------------------------------ refused */

static void refused(const void *data, size_t len, const char *why)
{
    AUTO_CSR struct csr csr = {.has_must_staple = false};
    struct err err;

    err_init(&err);
    assert_int_equal(csr_parse(data, len, "own.csr", &csr, &err), ERR_INPUT);
    assert_true(!csr.names.items && !csr.der.data && !csr.public_der.data);
    if (!strstr(err.msg, "\"own.csr\"") || !strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_int_equal(ERR_peek_error(), 0);
}

/* Takes the request. */
static void expect_refused(X509_REQ *request, const char *why)
{
    struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);

    put_pem(request, &pem);
    refused(buf_cstr(&pem), pem.len, why);
    X509_REQ_free(request);
}

TEST(what_can_not_be_used_is_refused)
{
    static const struct {
        const char *names;
        const char *common_name;
        const char *why;
    } cases[] = {
        {NULL, NULL, "no DNS name"},
        {"IP:192.0.2.1", NULL, "the IP address \"192.0.2.1\", which can't be proved by DNS"},
        {"DNS:a.example.com,IP:2001:db8::1", NULL, "the IP address \"2001:db8::1\""},
        {"DNS:a.example.com,RID:1.2.3.4", NULL, "a name that is no DNS name"},
        {"DNS:a b.example.com", NULL, "the DNS name \"a b.example.com\""},
        {"DNS:*", NULL, "the DNS name \"*\""},
        {"DNS:*.", NULL, "the DNS name \"*.\""},
        {"DNS:*.*.example.com", NULL, "the DNS name \"*.*.example.com\""},
        {"DNS:a*.example.com", NULL, "the DNS name"},
        {"DNS:a.example.com", "192.0.2.1 ", "the common name"},
        {"DNS:a.example.com", "\xc3\xa4.example.com", "the common name"},
        {"DNS:a.example.com,email:a@example.com", NULL, "a@example.com"},
        {"DNS:a.example.com,URI:https://example.com/", NULL, "https://example.com/"},
        {"DNS:a.example.com", "Fred Bloggs", "Fred Bloggs"},
        {"DNS:a.example.com", "192.0.2.1", "192.0.2.1"},
        {"DNS:192.0.2.1", NULL, "192.0.2.1"},
        {"DNS:a.example.com.", NULL, "a.example.com."},
        {"DNS:a..example.com", NULL, "a..example.com"},
        {"DNS:-a.example.com", NULL, "-a.example.com"},
        {"DNS:a-.example.com", NULL, "a-.example.com"},
        {"DNS:*", NULL, "\"*\""},
        {"DNS:*.*.example.com", NULL, "*.*.example.com"},
        {"DNS:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com", NULL, "aaa"},
    };
    EVP_PKEY *pkey = EVP_EC_gen("P-256");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refused(request_for(cases[i].names, cases[i].common_name, pkey), cases[i].why);
    EVP_PKEY_free(pkey);
}

TEST(what_is_no_request_is_refused)
{
    struct made_cert some = cert_make(&(struct cert_order){.names = "DNS:x.example"});
    char AUTO_FREE *cert = cert_pem(&some);
    char AUTO_FREE *key = cert_key_pem(&some);
    X509_REQ *request = request_for("DNS:a.example.com", NULL, some.key);
    struct buf AUTO_BUF pem = BUF_INIT(TEXT_MAX);
    size_t huge_len = 1024 * 1024 + 1;
    char AUTO_FREE *huge = mem_calloc(huge_len, 1);

    refused("", 0, "neither PEM nor DER");
    refused("hello", 5, "neither PEM nor DER");
    refused("0\x80", 2, "neither PEM nor DER");
    refused(cert, strlen(cert), "neither PEM nor DER");
    refused(key, strlen(key), "neither PEM nor DER");
    refused(huge, huge_len, "too large");
    put_pem(request, &pem);
    refused(pem.data, pem.len - 40, "neither PEM nor DER");
    pem.data[pem.len / 2] = '!';
    refused(pem.data, pem.len, "neither PEM nor DER");
    X509_REQ_free(request);
    made_cert_done(&some);
}

TEST(der_with_something_behind_it_or_cut_is_refused)
{
    struct strlist AUTO_STRLIST names = two_names();
    AUTO_KEY struct key *key = key_made(KEY_ECDSA_P256);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);

    assert_int_equal(csr_new(key, &names, &der, NULL), ERR_OK);
    refused(der.data, der.len - 1, "neither PEM nor DER");
    buf_putc(&der, '\n');
    refused(der.data, der.len, "neither PEM nor DER");
}

/* Were it taken for none, the common name would be all that the certificate is for. */
TEST(names_and_extensions_that_can_not_be_read_are_refused)
{
    static const unsigned char cut[] = {0x30, 0x20, 0x82, 0x01, 'a'};
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509_REQ *request = bare_request("www.example.com", pkey);

    add_extension(request, raw_san(cut, sizeof cut), NID_ext_req);
    sign(request, pkey);
    expect_refused(request, "its names can't be read");

    request = bare_request("www.example.com", pkey);
    assert_int_equal(X509_REQ_add1_attr_by_NID(request, NID_ext_req, MBSTRING_ASC, (const unsigned char *)"x", 1), 1);
    sign(request, pkey);
    expect_refused(request, "its extensions can't be read");
    EVP_PKEY_free(pkey);
}

TEST(a_nul_in_a_name_does_not_end_it)
{
    static const unsigned char san[] = {0x30, 0x0f, 0x82, 0x0d, 'a', '.', 'e', 'x', 'a',
                                        'm',  'p',  'l',  'e',  0,   '.', 'o', 'r'};
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509_REQ *request = bare_request(NULL, pkey);

    add_extension(request, raw_san(san, sizeof san), NID_ext_req);
    sign(request, pkey);
    expect_refused(request, "the DNS name \"a.example\\");
    EVP_PKEY_free(pkey);
}

/* Of an algorithm that nobody knows. */
TEST(a_key_that_can_not_be_read_is_refused)
{
    static const unsigned char ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}; /* id-ecPublicKey */
    struct strlist AUTO_STRLIST names = two_names();
    AUTO_KEY struct key *key = key_made(KEY_ECDSA_P256);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);

    assert_int_equal(csr_new(key, &names, &der, NULL), ERR_OK);
    for (size_t i = 0; i + sizeof ec <= der.len; i++)
        if (memcmp(der.data + i, ec, sizeof ec) == 0)
            der.data[i + sizeof ec - 1] = 0x7f;
    refused(der.data, der.len, "its key can't be read");
}

/* Takes the key. */
static void expect_key_refused(EVP_PKEY *pkey, const char *why)
{
    expect_refused(request_for("DNS:a.example.com", NULL, pkey), why);
    EVP_PKEY_free(pkey);
}

TEST(keys_that_are_not_good_enough_are_refused)
{
    expect_key_refused(EVP_RSA_gen(1024), "an RSA key of 1024 bits");
    expect_key_refused(EVP_EC_gen("secp256k1"), "on the curve \"secp256k1\"");
    expect_key_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), "of type \"ED448\"");
}

/* The name that is signed is another one. */
TEST(a_signature_that_does_not_verify_is_refused)
{
    struct strlist AUTO_STRLIST names = two_names();
    AUTO_KEY struct key *key = key_made(KEY_ECDSA_P256);
    struct buf AUTO_BUF der = BUF_INIT(TEXT_MAX);

    assert_int_equal(csr_new(key, &names, &der, NULL), ERR_OK);
    for (size_t i = 0; i + 7 <= der.len; i++)
        if (memcmp(der.data + i, "example", 7) == 0)
            der.data[i] = 'E';
    refused(der.data, der.len, "its signature does not verify");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_have_the_names_no_subject_and_a_good_signature_for_each_type_of_key),
        cmocka_unit_test(requests_are_made_with_keys_from_elsewhere_too),
        cmocka_unit_test(requests_are_appended),
        cmocka_unit_test(names_come_from_san_and_common_name_in_pem_too),
        cmocka_unit_test(each_name_counts_once_in_whatever_case),
        cmocka_unit_test(a_common_name_alone_is_enough),
        cmocka_unit_test(the_wish_for_must_staple_is_seen),
        cmocka_unit_test(extensions_are_found_where_older_windows_puts_them),
        cmocka_unit_test(the_other_name_of_the_block_and_line_ends_of_dos_are_read),
        cmocka_unit_test(what_can_not_be_used_is_refused),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(der_with_something_behind_it_or_cut_is_refused),
        cmocka_unit_test(names_and_extensions_that_can_not_be_read_are_refused),
        cmocka_unit_test(a_nul_in_a_name_does_not_end_it),
        cmocka_unit_test(a_key_that_can_not_be_read_is_refused),
        cmocka_unit_test(keys_that_are_not_good_enough_are_refused),
        cmocka_unit_test(a_signature_that_does_not_verify_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
