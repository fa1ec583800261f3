/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "fake_ca.h"
#include "test.h"

#define URL "https://ca.example.net/new-order"

static json_t *format(const struct acme_jws *jws)
{
    struct buf text AUTO_BUF = BUF_INIT(1u << 20);
    struct err err;
    json_t *json = NULL;

    assert_int_equal(acme_jws_format(jws, &text, &err), ERR_OK);
    assert_int_equal(json_parse(buf_cstr(&text), text.len, "it", &json, &err), ERR_OK);
    return json;
}

static void expect_member(const json_t *json, const char *key, const char *want)
{
    assert_string_equal(json_string_value(json_object_get(json, key)), want);
}

TEST(every_type_of_key_signs_what_openssl_verifies)
{
    static const enum key_type types[] = {KEY_RSA_2048, KEY_ECDSA_P256, KEY_ECDSA_P384, KEY_ED25519};
    static const char *const algs[] = {"RS256", "ES256", "ES384", "EdDSA"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct key *key AUTO_KEY = NULL;
        struct fake_ca_jws jws;
        json_t *json;

        assert_int_equal(key_new(types[i], &key, NULL), ERR_OK);
        json = format(&(struct acme_jws){.key = key, .nonce = "n-1", .url = URL, .payload = "{\"a\":1}"});
        assert_true(fake_ca_jws_parse(json, &jws));
        expect_member(jws.header, "alg", algs[i]);
        expect_member(jws.header, "nonce", "n-1");
        expect_member(jws.header, "url", URL);
        assert_null(json_object_get(jws.header, "kid"));
        assert_string_equal(jws.payload, "{\"a\":1}");
        assert_true(fake_ca_jws_verify(&jws, json_object_get(jws.header, "jwk")));
        jws.signing_input[5] ^= 1;
        assert_false(fake_ca_jws_verify(&jws, json_object_get(jws.header, "jwk")));
        fake_ca_jws_done(&jws);
        json_decref(json);
    }
}

TEST(an_account_signs_by_its_url_and_fetches_with_an_empty_payload)
{
    struct key *key AUTO_KEY = NULL;
    struct fake_ca_jws jws;
    json_t *json;

    assert_int_equal(key_new(KEY_ECDSA_P256, &key, NULL), ERR_OK);
    json = format(&(struct acme_jws){.key = key, .kid = "https://ca/acct/1", .nonce = "n", .url = URL});
    expect_member(json, "payload", "");
    assert_true(fake_ca_jws_parse(json, &jws));
    expect_member(jws.header, "kid", "https://ca/acct/1");
    assert_null(json_object_get(jws.header, "jwk"));
    assert_int_equal(json_object_size(jws.header), 4);
    fake_ca_jws_done(&jws);
    json_decref(json);
}

TEST(a_binding_has_the_mac_algorithm_the_key_identifier_and_no_nonce)
{
    static const char *const algs[] = {"HS256", "HS384", "HS512"};
    static const size_t lens[] = {32, 48, 64};
    struct key *key AUTO_KEY = NULL;
    struct secret *secret AUTO_SECRET = secret_new("key", 3);

    assert_int_equal(key_new(KEY_ECDSA_P256, &key, NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        const struct acme_eab eab = {"k\"id\\", secret, (enum digest_hmac)i};
        struct buf text AUTO_BUF = BUF_INIT(1u << 16);
        struct buf jwk AUTO_BUF = BUF_INIT(1u << 16);
        struct fake_ca_jws jws;
        json_t *json;

        assert_int_equal(acme_jws_format_eab(&eab, key, URL, &text, NULL), ERR_OK);
        json = json_loads(buf_cstr(&text), 0, NULL);
        assert_true(fake_ca_jws_parse(json, &jws));
        expect_member(jws.header, "alg", algs[i]);
        expect_member(jws.header, "kid", "k\"id\\");
        expect_member(jws.header, "url", URL);
        assert_int_equal(json_object_size(jws.header), 3);
        assert_int_equal(jws.signature.len, lens[i]);
        assert_int_equal(key_jwk(key, &jwk, NULL), ERR_OK);
        assert_string_equal(jws.payload, buf_cstr(&jwk));
        fake_ca_jws_done(&jws);
        json_decref(json);
    }
}

TEST(a_binding_whose_identifier_is_no_text_is_an_error)
{
    struct key *key AUTO_KEY = NULL;
    struct secret *secret AUTO_SECRET = secret_new("key", 3);
    struct buf text AUTO_BUF = BUF_INIT(1u << 16);
    const struct acme_eab eab = {"\xff", secret, DIGEST_HMAC_SHA256};

    assert_int_equal(key_new(KEY_ECDSA_P256, &key, NULL), ERR_OK);
    assert_int_equal(acme_jws_format_eab(&eab, key, URL, &text, NULL), ERR_INTERNAL);
    assert_int_equal(text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_key_signs_what_openssl_verifies),
        cmocka_unit_test(an_account_signs_by_its_url_and_fetches_with_an_empty_payload),
        cmocka_unit_test(a_binding_has_the_mac_algorithm_the_key_identifier_and_no_nonce),
        cmocka_unit_test(a_binding_whose_identifier_is_no_text_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
