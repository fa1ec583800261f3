/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "cert_fixture.h"
#include "crypto/key.h"
#include "test.h"
#include "util/mem.h"

/* ------------------------------------------------------------------ helpers */

static void expect_refused_bytes(const void *data, size_t len, const char *why)
{
    struct key *key = NULL;
    struct err err;

    err_init(&err);
    assert_int_equal(key_parse_pem(data, len, "a.pem", &key, &err), ERR_INPUT);
    assert_null(key);
    if (!strstr(err.msg, "\"a.pem\"") || !strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_int_equal(ERR_peek_error(), 0);
}

static void expect_refused(const char *pem, const char *why)
{
    expect_refused_bytes(pem, strlen(pem), why);
}

/* Takes the key. */
static void expect_pkey_refused(EVP_PKEY *pkey, const char *why)
{
    char AUTO_FREE *pem = cert_pkey_pem(pkey);

    expect_refused(pem, why);
    EVP_PKEY_free(pkey);
}

static char *pem_of(const struct key *key)
{
    struct buf AUTO_BUF pem = BUF_INIT(16384);

    assert_int_equal(key_format_pem(key, &pem, NULL), ERR_OK);
    assert_true(buf_ok(&pem));
    return buf_take(&pem);
}

static char *text_of(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = mem_strndup(data, (size_t)len);

    BIO_free(bio);
    return text;
}

/* ------------------------------------------------------------------ types */

TEST(types_have_names_and_those_of_other_clients_are_known)
{
    static const struct {
        const char *name;
        enum key_type type;
    } names[] = {
        {"RSA2048", KEY_RSA_2048},     {"4096", KEY_RSA_4096},         {"3072", KEY_RSA_3072},
        {"ec256", KEY_ECDSA_P256},     {"EC-256", KEY_ECDSA_P256},     {"P256", KEY_ECDSA_P256},
        {"P-256", KEY_ECDSA_P256},     {"prime256v1", KEY_ECDSA_P256}, {"secp256r1", KEY_ECDSA_P256},
        {"secp384r1", KEY_ECDSA_P384}, {"ec384", KEY_ECDSA_P384},      {"p384", KEY_ECDSA_P384},
        {"Ed25519", KEY_ED25519},
    };
    static const char *const unknown[] = {"", "rsa", "rsa-1024", "1024", "p-521", "secp256k1", "other", "ecdsa-p256 "};
    enum key_type type;

    for (int i = 0; i < KEY_TYPE_COUNT; i++) {
        assert_true(key_type_parse(key_type_name((enum key_type)i), &type));
        assert_int_equal(type, i);
    }
    assert_string_equal(key_type_name(KEY_ECDSA_P256), "ecdsa-p256");
    assert_string_equal(key_type_name(KEY_OTHER), "other");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_true(key_type_parse(names[i].name, &type));
        assert_int_equal(type, names[i].type);
    }
    type = KEY_OTHER;
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        assert_false(key_type_parse(unknown[i], &type));
    assert_int_equal(type, KEY_OTHER);
}

TEST(a_new_key_is_of_its_type_and_says_so)
{
    static const char *const texts[] = {
        [KEY_RSA_2048] = "RSA 2048",      [KEY_RSA_3072] = "RSA 3072",      [KEY_RSA_4096] = NULL,
        [KEY_ECDSA_P256] = "ECDSA P-256", [KEY_ECDSA_P384] = "ECDSA P-384", [KEY_ED25519] = "Ed25519"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct key AUTO_KEY *key = texts[i] ? key_made((enum key_type)i) : NULL; /* 4096 bits take seconds */
        char AUTO_FREE *text = key ? key_describe(key) : NULL;

        if (!key)
            continue;
        assert_int_equal(key_type_of(key), i);
        assert_string_equal(text, texts[i]);
    }
}

TEST(there_is_no_new_key_of_another_type)
{
    struct key *key = NULL;

    assert_int_equal(key_new(KEY_OTHER, &key, NULL), ERR_INTERNAL);
    assert_null(key);
}

/* ------------------------------------------------------------------ handles */

TEST(keys_are_the_same_or_they_are_not)
{
    struct key AUTO_KEY *a = key_made(KEY_ECDSA_P256);
    struct key AUTO_KEY *b = key_made(KEY_ECDSA_P256);
    struct key AUTO_KEY *c = key_made(KEY_ED25519);
    struct key AUTO_KEY *copy = key_dup(a);

    assert_true(key_is_same(a, copy));
    assert_false(key_is_same(a, b));
    assert_false(key_is_same(a, c));
    key_free(a);
    a = NULL;
    assert_int_equal(key_type_of(copy), KEY_ECDSA_P256);
    key_free(NULL);
}

TEST(a_key_that_is_written_is_read_as_the_same)
{
    static const enum key_type types[] = {KEY_RSA_2048, KEY_ECDSA_P256, KEY_ECDSA_P384, KEY_ED25519};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct key AUTO_KEY *key = key_made(types[i]);
        char AUTO_FREE *pem = pem_of(key);
        struct key AUTO_KEY *again = key_parsed(pem);
        struct buf AUTO_BUF der = BUF_INIT(8192);
        struct buf AUTO_BUF spki = BUF_INIT(8192);
        struct buf AUTO_BUF spki_again = BUF_INIT(8192);
        const unsigned char *at;
        EVP_PKEY *pkey;

        assert_memory_equal(pem, "-----BEGIN PRIVATE KEY-----\n", 28);
        assert_true(key_is_same(key, again));
        assert_int_equal(key_format_der(key, &der, NULL), ERR_OK);
        at = (const unsigned char *)der.data;
        pkey = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
        assert_non_null(pkey);
        assert_ptr_equal(at, der.data + der.len);
        EVP_PKEY_free(pkey);
        assert_int_equal(key_public_der(key, &spki, NULL), ERR_OK);
        assert_int_equal(key_public_der(again, &spki_again, NULL), ERR_OK);
        assert_int_equal(spki.len, spki_again.len);
        assert_memory_equal(spki.data, spki_again.data, spki.len);
    }
}

/* ------------------------------------------------------------------ what is read */

/* As older programs write it: PKCS#1 and SEC1. */
static char *traditional_pem(const EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_true(PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL));
    return text_of(bio);
}

TEST(pkcs1_and_sec1_are_read)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    EVP_PKEY *ec = EVP_EC_gen("P-384");
    char AUTO_FREE *rsa_pem = traditional_pem(rsa);
    char AUTO_FREE *ec_pem = traditional_pem(ec);
    struct key AUTO_KEY *rsa_key = key_parsed(rsa_pem);
    struct key AUTO_KEY *ec_key = key_parsed(ec_pem);

    assert_non_null(strstr(rsa_pem, "-----BEGIN RSA PRIVATE KEY-----"));
    assert_non_null(strstr(ec_pem, "-----BEGIN EC PRIVATE KEY-----"));
    assert_int_equal(key_type_of(rsa_key), KEY_RSA_2048);
    assert_int_equal(key_type_of(ec_key), KEY_ECDSA_P384);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

TEST(other_blocks_and_text_in_front_are_passed_over)
{
    struct made_cert cert = cert_make(&(struct cert_order){.common_name = "a.example"});
    char AUTO_FREE *cert_text = cert_pem(&cert);
    char AUTO_FREE *key_text = cert_key_pem(&cert);
    char AUTO_FREE *all = mem_printf("Bag Attributes\n    friendlyName: x\n%s"
                                     "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n%s"
                                     "more\n",
                                     cert_text, key_text);
    struct key AUTO_KEY *key = key_parsed(all);
    struct key AUTO_KEY *alone = key_parsed(key_text);

    assert_true(key_is_same(key, alone));
    made_cert_done(&cert);
}

TEST(line_ends_of_dos_are_read)
{
    struct key AUTO_KEY *key = key_made(KEY_ECDSA_P256);
    char AUTO_FREE *pem = pem_of(key);
    struct buf AUTO_BUF dos = BUF_INIT(4096);
    struct key AUTO_KEY *again = NULL;

    for (const char *p = pem; *p; p++)
        buf_puts(&dos, *p == '\n' ? "\r\n" : (char[]){*p, '\0'});
    again = key_parsed(buf_cstr(&dos));
    assert_true(key_is_same(key, again));
}

/* CAs take curves by name and points in full only. */
TEST(points_that_are_compressed_and_curves_in_numbers_become_usual)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    char AUTO_FREE *usual_pem = cert_pkey_pem(pkey);
    struct key AUTO_KEY *usual = key_parsed(usual_pem);
    char AUTO_FREE *odd_pem = NULL;
    struct key AUTO_KEY *odd = NULL;
    struct buf AUTO_BUF a = BUF_INIT(1000);
    struct buf AUTO_BUF b = BUF_INIT(1000);

    assert_true(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"));
    assert_true(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"));
    odd_pem = cert_pkey_pem(pkey);
    EVP_PKEY_free(pkey);
    assert_string_not_equal(odd_pem, usual_pem);
    odd = key_parsed(odd_pem);
    assert_int_equal(key_public_der(usual, &a, NULL), ERR_OK);
    assert_int_equal(key_public_der(odd, &b, NULL), ERR_OK);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
}

/* Sizes that are never made here. */
TEST(keys_of_other_sizes_are_taken)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2056);
    EVP_PKEY *ec = EVP_EC_gen("P-521");
    char AUTO_FREE *rsa_pem = cert_pkey_pem(rsa);
    char AUTO_FREE *ec_pem = cert_pkey_pem(ec);
    struct key AUTO_KEY *rsa_key = key_parsed(rsa_pem);
    struct key AUTO_KEY *ec_key = key_parsed(ec_pem);
    char AUTO_FREE *rsa_text = key_describe(rsa_key);
    char AUTO_FREE *ec_text = key_describe(ec_key);

    assert_int_equal(key_type_of(rsa_key), KEY_OTHER);
    assert_int_equal(key_type_of(ec_key), KEY_OTHER);
    assert_string_equal(rsa_text, "RSA 2056");
    assert_string_equal(ec_text, "ECDSA P-521");
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

/* RFC 5915 section 3: the public key is optional. */
TEST(a_key_without_its_public_part_gets_it)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    char AUTO_FREE *whole_pem = cert_pkey_pem(pkey);
    struct key AUTO_KEY *whole = key_parsed(whole_pem);
    char AUTO_FREE *part_pem = NULL;
    struct key AUTO_KEY *part = NULL;
    char whole_print[KEY_THUMBPRINT_LEN + 1];
    char part_print[KEY_THUMBPRINT_LEN + 1];

    assert_true(EVP_PKEY_set_int_param(pkey, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 0));
    part_pem = cert_pkey_pem(pkey);
    EVP_PKEY_free(pkey);
    assert_true(strlen(part_pem) < strlen(whole_pem));
    part = key_parsed(part_pem);
    assert_true(key_is_same(whole, part));
    assert_int_equal(key_thumbprint(whole, whole_print, NULL), ERR_OK);
    assert_int_equal(key_thumbprint(part, part_print, NULL), ERR_OK);
    assert_string_equal(whole_print, part_print);
}

/* ------------------------------------------------------------------ what is refused */

static char *encrypted_pem(const EVP_PKEY *pkey, int is_traditional)
{
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned char password[] = "secret";

    if (is_traditional)
        assert_true(PEM_write_bio_PrivateKey_traditional(bio, pkey, EVP_aes_128_cbc(), password, 6, NULL, NULL));
    else
        assert_true(PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_128_cbc(), "secret", 6, NULL, NULL));
    return text_of(bio);
}

/* With a terminal OpenSSL would ask, and wait. */
TEST(encrypted_keys_are_refused_without_asking)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    char AUTO_FREE *pkcs8 = encrypted_pem(pkey, 0);
    char AUTO_FREE *sec1 = encrypted_pem(pkey, 1);
    char AUTO_FREE *disguised = NULL;
    char *begin = strstr(pkcs8, "ENCRYPTED ");
    char *end;

    expect_refused(pkcs8, "it is encrypted");
    expect_refused(sec1, "it is encrypted");
    /* The same under the name of a key that is not encrypted. */
    disguised = mem_strdup(pkcs8);
    begin = strstr(disguised, "ENCRYPTED ");
    memmove(begin, begin + 10, strlen(begin + 10) + 1);
    end = strstr(disguised, "ENCRYPTED ");
    memmove(end, end + 10, strlen(end + 10) + 1);
    expect_refused(disguised, "no private key that OpenSSL can read");
    EVP_PKEY_free(pkey);
}

TEST(public_keys_and_certificates_are_no_private_keys)
{
    struct made_cert cert = cert_make(&(struct cert_order){.common_name = "a.example"});
    char AUTO_FREE *cert_text = cert_pem(&cert);
    BIO *bio = BIO_new(BIO_s_mem());
    char AUTO_FREE *public = NULL;

    assert_true(PEM_write_bio_PUBKEY(bio, cert.key));
    public = text_of(bio);
    expect_refused(public, "only \"PUBLIC KEY\"");
    expect_refused(cert_text, "only \"CERTIFICATE\"");
    expect_refused("", "there is none in it");
    expect_refused("hello\n", "there is none in it");
    made_cert_done(&cert);
}

TEST(rsa_keys_that_are_too_short_are_refused)
{
    expect_pkey_refused(EVP_RSA_gen(1024), "it is an RSA key of 1024 bits");
    expect_pkey_refused(EVP_RSA_gen(2047), "it is an RSA key of 2047 bits");
}

TEST(other_curves_are_refused_by_name)
{
    expect_pkey_refused(EVP_EC_gen("secp256k1"), "it is on the curve \"secp256k1\"");
    expect_pkey_refused(EVP_EC_gen("P-224"), "it is on the curve \"secp224r1\"");
    expect_pkey_refused(EVP_EC_gen("brainpoolP256r1"), "it is on the curve \"brainpoolP256r1\"");
}

TEST(other_kinds_of_keys_are_refused_by_name)
{
    expect_pkey_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), "it is a key of type \"ED448\"");
    expect_pkey_refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "it is a key of type \"X25519\"");
    expect_refused("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "OpenSSH");
    expect_refused("-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n", "DSA");
    expect_refused("-----BEGIN ANY PRIVATE KEY-----\nAAAA\n-----END ANY PRIVATE KEY-----\n", "not known");
}

TEST(rsa_keys_for_pss_only_are_refused)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pkey = NULL;

    assert_true(EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1 &&
                EVP_PKEY_generate(ctx, &pkey) == 1);
    EVP_PKEY_CTX_free(ctx);
    expect_pkey_refused(pkey, "it is a key of type \"RSA-PSS\"");
}

TEST(dsa_keys_in_pkcs8_are_refused)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    EVP_PKEY *params = NULL;
    EVP_PKEY *pkey = NULL;

    assert_true(EVP_PKEY_paramgen_init(ctx) == 1 && EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024) == 1 &&
                EVP_PKEY_paramgen(ctx, &params) == 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
    assert_true(EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_generate(ctx, &pkey) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(params);
    expect_pkey_refused(pkey, "it is a key of type \"DSA\"");
}

TEST(text_that_is_damaged_is_refused)
{
    struct key AUTO_KEY *key = key_made(KEY_ECDSA_P256);
    char AUTO_FREE *pem = pem_of(key);
    char AUTO_FREE *wrong = mem_strdup(pem);
    size_t len = strlen(pem);

    expect_refused_bytes(pem, len - 30, "damaged");
    wrong[60] = '*';
    expect_refused(wrong, "damaged");
    expect_refused("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "");
    expect_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                   "no private key that OpenSSL can read");
    expect_refused("-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n",
                   "no private key that OpenSSL can read");
    expect_refused_bytes("-----BEGIN \0KEY-----\n", 21, "");
}

/* A private number that does not belong to the public one. */
TEST(keys_whose_parts_do_not_belong_together_are_refused)
{
    /* RFC 7515 appendix A.3 with another d */
    static const uint8_t x[] = {127, 205, 206, 39, 112, 246, 196, 93, 65,  131, 203, 238, 111, 219, 75, 123,
                                88,  7,   51,  53, 123, 233, 239, 19, 186, 207, 110, 60,  123, 209, 84, 69};
    static const uint8_t y[] = {199, 241, 68, 205, 27,  189, 155, 126, 135, 44, 223, 237, 185, 238, 185, 244,
                                179, 105, 93, 110, 169, 11,  36,  173, 138, 70, 35,  40,  133, 136, 229, 173};
    static const uint8_t long_y[33] = {1};
    static const uint8_t d[] = {1, 2, 3};
    struct key_ec_numbers numbers = {"P-256", {x, sizeof x}, {y, sizeof y}, {d, sizeof d}};
    struct key *key = NULL;
    struct err err;

    assert_int_equal(key_from_ec(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "the key in \"a.json\" is damaged"));
    numbers.y.len--; /* no point of the curve */
    assert_int_equal(key_from_ec(&numbers, "a.json", &key, &err), ERR_INPUT);
    numbers.y = (struct key_number){long_y, sizeof long_y};
    assert_int_equal(key_from_ec(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "missing or too large"));
    numbers.y.len = 0;
    assert_int_equal(key_from_ec(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "missing or too large"));
    numbers.crv = "P-224";
    assert_int_equal(key_from_ec(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "its curve"));
    numbers.crv = NULL;
    assert_int_equal(key_from_ec(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_null(key);
}

TEST(rsa_numbers_that_make_no_key_are_refused)
{
    static const uint8_t three[] = {3};
    static const uint8_t even[256] = {0x80};
    static const uint8_t huge[1025] = {1};
    struct key_number n = {three, 1};
    struct key_rsa_numbers numbers = {n, n, n, n, n, n, n, n};
    struct key *key = NULL;
    struct err err;

    assert_int_equal(key_from_rsa(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "RSA key of 2 bits"));
    numbers.n = (struct key_number){even, sizeof even};
    assert_int_equal(key_from_rsa(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "damaged"));
    numbers.n = (struct key_number){huge, sizeof huge};
    assert_int_equal(key_from_rsa(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "\"n\" is missing or too large"));
    numbers.n = n;
    numbers.qi = (struct key_number){NULL, 0};
    assert_int_equal(key_from_rsa(&numbers, "a.json", &key, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "\"qi\" is missing"));
    assert_null(key);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_openssl_is_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(types_have_names_and_those_of_other_clients_are_known),
        CASE(a_new_key_is_of_its_type_and_says_so),
        CASE(there_is_no_new_key_of_another_type),
        CASE(keys_are_the_same_or_they_are_not),
        CASE(a_key_that_is_written_is_read_as_the_same),
        CASE(pkcs1_and_sec1_are_read),
        CASE(other_blocks_and_text_in_front_are_passed_over),
        CASE(line_ends_of_dos_are_read),
        CASE(points_that_are_compressed_and_curves_in_numbers_become_usual),
        CASE(keys_of_other_sizes_are_taken),
        CASE(a_key_without_its_public_part_gets_it),
        CASE(encrypted_keys_are_refused_without_asking),
        CASE(public_keys_and_certificates_are_no_private_keys),
        CASE(rsa_keys_that_are_too_short_are_refused),
        CASE(other_curves_are_refused_by_name),
        CASE(other_kinds_of_keys_are_refused_by_name),
        CASE(rsa_keys_for_pss_only_are_refused),
        CASE(dsa_keys_in_pkcs8_are_refused),
        CASE(text_that_is_damaged_is_refused),
        CASE(keys_whose_parts_do_not_belong_together_are_refused),
        CASE(rsa_numbers_that_make_no_key_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
