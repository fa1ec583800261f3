/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "crypto/b64url.h"
#include "crypto/digest.h"
#include "test.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
