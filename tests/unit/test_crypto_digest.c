/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "crypto/b64url.h"
#include "crypto/digest.h"
#include "test.h"
#include "util/mem.h"

static void expect_hmac(const char *key, const char *message, const char *want)
{
    struct err err;
    char hex[DIGEST_SHA1_HEX_LEN + 1];
    struct secret *secret AUTO_SECRET = secret_new(key, strlen(key));

    assert_int_equal(digest_hmac_sha1_hex(secret, message, strlen(message), hex, &err), ERR_OK);
    assert_string_equal(hex, want);
}

TEST(signatures_agree_with_the_api_document_and_with_other_clients)
{
    expect_hmac("c9b5625f-9834-4ff8-baba-4ed5f32cae55", "Sat, 12 Feb 2011 20:59:04 GMT",
                "b3502e6116a324f3cf4a8ed693d78bcee8d8fe3c");
    expect_hmac("secret", "Tue, 02 Jun 2015 02:36:07 UTC", "6b6c8432119c31e1d3776eb4cd3abd92fae4a71c");
    expect_hmac("soooo secret", "Wed, 21 May 2014 18:08:37 GMT", "ff6e87e78ff909573362c9a38df13ccc5fa01846");
}

TEST(hmac_of_an_empty_key_and_message_is_defined)
{
    expect_hmac("", "", "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

TEST(sha256_of_abc)
{
    static const uint8_t want[DIGEST_SHA256_LEN] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                                    0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                                    0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct err err;
    uint8_t md[DIGEST_SHA256_LEN];

    assert_int_equal(digest_sha256("abc", 3, md, &err), ERR_OK);
    assert_memory_equal(md, want, sizeof md);
}

/* FIPS 180-4's examples */
TEST(sha1_and_sha384_of_abc)
{
    static const uint8_t sha1[DIGEST_SHA1_LEN] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                                                  0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    static const uint8_t sha384[DIGEST_SHA384_LEN] = {
        0xcb, 0x00, 0x75, 0x3f, 0x45, 0xa3, 0x5e, 0x8b, 0xb5, 0xa0, 0x3d, 0x69, 0x9a, 0xc6, 0x50, 0x07,
        0x27, 0x2c, 0x32, 0xab, 0x0e, 0xde, 0xd1, 0x63, 0x1a, 0x8b, 0x60, 0x5a, 0x43, 0xff, 0x5b, 0xed,
        0x80, 0x86, 0x07, 0x2b, 0xa1, 0xe7, 0xcc, 0x23, 0x58, 0xba, 0xec, 0xa1, 0x34, 0xc8, 0x25, 0xa7};
    uint8_t md[DIGEST_SHA384_LEN];

    assert_int_equal(digest_sha1("abc", 3, md, NULL), ERR_OK);
    assert_memory_equal(md, sha1, sizeof sha1);
    assert_int_equal(digest_sha384("abc", 3, md, NULL), ERR_OK);
    assert_memory_equal(md, sha384, sizeof sha384);
}

TEST(the_txt_value_of_a_key_authorization)
{
    struct err err;
    char text[DIGEST_B64URL_SHA256_LEN + 1];

    /* echo -n abc | openssl sha256 -binary | basenc --base64url */
    assert_int_equal(digest_sha256_b64url("abc", 3, text, &err), ERR_OK);
    assert_string_equal(text, "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

TEST(a_fingerprint_is_the_start_of_sha256)
{
    struct err err;
    char text[9];
    struct secret *secret AUTO_SECRET = secret_new("abc", 3);

    assert_int_equal(digest_fingerprint(secret, text, &err), ERR_OK);
    assert_string_equal(text, "ba7816bf");
}

TEST(base64url_agrees_with_rfc_4648)
{
    static const char *const want[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};
    char text[16];

    for (size_t len = 0; len < ARRAY_LEN(want); len++) {
        b64url_encode(text, "foobar", len);
        assert_string_equal(text, want[len]);
        assert_int_equal(strlen(text), B64URL_LEN(len));
    }
    b64url_encode(text, "\xfb\xff\xfe", 3);
    assert_string_equal(text, "-__-");
}

/* RFC 7515 appendix A.1 */
TEST(hs256_agrees_with_rfc_7515)
{
    static const char input[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ";
    static const char key[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    struct buf AUTO_BUF raw = BUF_INIT(100);
    struct secret AUTO_SECRET *secret = NULL;
    uint8_t mac[DIGEST_HMAC_MAX];
    char text[B64URL_LEN(DIGEST_HMAC_MAX) + 1];
    size_t len;

    assert_true(b64url_decode(key, strlen(key), &raw));
    secret = secret_new(raw.data, raw.len);
    assert_int_equal(digest_hmac(DIGEST_HMAC_SHA256, secret, input, strlen(input), mac, &len, NULL), ERR_OK);
    b64url_encode(text, mac, len);
    assert_string_equal(text, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

/* RFC 4231 section 4.3 */
TEST(hmacs_with_sha384_and_sha512_agree_with_rfc_4231)
{
    static const uint8_t want384[] = {0xaf, 0x45, 0xd2, 0xe3, 0x76, 0x48, 0x40, 0x31, 0x61, 0x7f, 0x78, 0xd2,
                                      0xb5, 0x8a, 0x6b, 0x1b, 0x9c, 0x7e, 0xf4, 0x64, 0xf5, 0xa0, 0x1b, 0x47,
                                      0xe4, 0x2e, 0xc3, 0x73, 0x63, 0x22, 0x44, 0x5e, 0x8e, 0x22, 0x40, 0xca,
                                      0x5e, 0x69, 0xe2, 0xc7, 0x8b, 0x32, 0x39, 0xec, 0xfa, 0xb2, 0x16, 0x49};
    static const uint8_t want512[] = {0x16, 0x4b, 0x7a, 0x7b, 0xfc, 0xf8, 0x19, 0xe2, 0xe3, 0x95, 0xfb, 0xe7, 0x3b,
                                      0x56, 0xe0, 0xa3, 0x87, 0xbd, 0x64, 0x22, 0x2e, 0x83, 0x1f, 0xd6, 0x10, 0x27,
                                      0x0c, 0xd7, 0xea, 0x25, 0x05, 0x54, 0x97, 0x58, 0xbf, 0x75, 0xc0, 0x5a, 0x99,
                                      0x4a, 0x6d, 0x03, 0x4f, 0x65, 0xf8, 0xf0, 0xe6, 0xfd, 0xca, 0xea, 0xb1, 0xa3,
                                      0x4d, 0x4a, 0x6b, 0x4b, 0x63, 0x6e, 0x07, 0x0a, 0x38, 0xbc, 0xe7, 0x37};
    struct secret AUTO_SECRET *secret = secret_new("Jefe", 4);
    uint8_t mac[DIGEST_HMAC_MAX];
    size_t len;

    assert_int_equal(digest_hmac(DIGEST_HMAC_SHA384, secret, "what do ya want for nothing?", 28, mac, &len, NULL),
                     ERR_OK);
    assert_int_equal(len, sizeof want384);
    assert_memory_equal(mac, want384, len);
    assert_int_equal(digest_hmac(DIGEST_HMAC_SHA512, secret, "what do ya want for nothing?", 28, mac, &len, NULL),
                     ERR_OK);
    assert_int_equal(len, sizeof want512);
    assert_memory_equal(mac, want512, len);
}

TEST(base64url_is_appended_piece_by_piece_as_in_one)
{
    uint8_t data[10000];
    char AUTO_FREE *whole = mem_zalloc(B64URL_LEN(sizeof data) + 1);
    struct buf AUTO_BUF pieces = BUF_INIT(20000);
    struct buf AUTO_BUF back = BUF_INIT(20000);

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 + i / 256);
    b64url_encode(whole, data, sizeof data);
    b64url_put(&pieces, data, sizeof data);
    assert_string_equal(buf_cstr(&pieces), whole);
    assert_true(b64url_decode(pieces.data, pieces.len, &back));
    assert_int_equal(back.len, sizeof data);
    assert_memory_equal(back.data, data, sizeof data);
}

TEST(base64url_is_decoded_strictly)
{
    static const char *const good[] = {"", "Zg", "Zm8", "Zm9v", "-__-", "AA", "AAA"};
    static const char *const bad[] = {"Z",      "Zg==", "Zh",    "Zm9", "Zm8=",    "Zm 9v",
                                      "Zm9v\n", "+//+", "Zm9vZ", "Z*",  "\x80gAA", "Zm9v\xff\xff"};
    struct buf AUTO_BUF out = BUF_INIT(100);

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        char again[16];

        buf_clear(&out);
        assert_true(b64url_decode(good[i], strlen(good[i]), &out));
        b64url_encode(again, out.data, out.len);
        assert_string_equal(again, good[i]);
    }
    buf_clear(&out);
    buf_puts(&out, "before");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (b64url_decode(bad[i], strlen(bad[i]), &out))
            fail_msg("\"%s\" was decoded", bad[i]);
    assert_false(b64url_decode("Zg\0", 3, &out));
    assert_string_equal(buf_cstr(&out), "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_agree_with_the_api_document_and_with_other_clients),
        cmocka_unit_test(hmac_of_an_empty_key_and_message_is_defined),
        cmocka_unit_test(sha256_of_abc),
        cmocka_unit_test(sha1_and_sha384_of_abc),
        cmocka_unit_test(the_txt_value_of_a_key_authorization),
        cmocka_unit_test(a_fingerprint_is_the_start_of_sha256),
        cmocka_unit_test(base64url_agrees_with_rfc_4648),
        cmocka_unit_test(hs256_agrees_with_rfc_7515),
        cmocka_unit_test(hmacs_with_sha384_and_sha512_agree_with_rfc_4231),
        cmocka_unit_test(base64url_is_appended_piece_by_piece_as_in_one),
        cmocka_unit_test(base64url_is_decoded_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
