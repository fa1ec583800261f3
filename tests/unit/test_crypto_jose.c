/* SPDX-License-Identifier: MIT
 *
 * Keys in the forms of JOSE, against the examples of the RFCs and against OpenSSL's verification.
 */
#include <string.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "cert_fixture.h"
#include "crypto/b64url.h"
#include "crypto/key.h"
#include "test.h"
#include "util/mem.h"

#define TRIES 5000 /* one of 128 signatures, one of 128 keys has a leading zero octet somewhere */

/* ------------------------------------------------------------------ helpers */

static struct key_number number(struct buf *room, const char *text)
{
    *room = BUF_INIT(1024);
    assert_true(b64url_decode(text, strlen(text), room));
    return (struct key_number){(const uint8_t *)room->data, room->len};
}

static struct key *ec_key(const char *crv, const char *x, const char *y, const char *d)
{
    struct buf AUTO_BUF room_x = {0};
    struct buf AUTO_BUF room_y = {0};
    struct buf AUTO_BUF room_d = {0};
    struct key_ec_numbers numbers = {crv, number(&room_x, x), number(&room_y, y), number(&room_d, d)};
    struct key *key = NULL;
    struct err err;

    if (key_from_ec(&numbers, "a.json", &key, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return key;
}

static void expect_jwk(const struct key *key, const char *want)
{
    struct buf AUTO_BUF jwk = BUF_INIT(4096);

    assert_int_equal(key_jwk(key, &jwk, NULL), ERR_OK);
    assert_string_equal(buf_cstr(&jwk), want);
}

static void expect_thumbprint(const struct key *key, const char *want)
{
    char text[KEY_THUMBPRINT_LEN + 1];

    assert_int_equal(key_thumbprint(key, text, NULL), ERR_OK);
    assert_string_equal(text, want);
}

/* Octets of a signature of ECDSA, and of its digest. */
static size_t field_len(const char *alg)
{
    return strcmp(alg, "ES256") == 0 ? 32 : strcmp(alg, "ES384") == 0 ? 48 : strcmp(alg, "ES512") == 0 ? 66 : 0;
}

static const EVP_MD *digest_of(const char *alg)
{
    if (strcmp(alg, "EdDSA") == 0)
        return NULL;
    return strstr(alg, "256") ? EVP_sha256() : strstr(alg, "384") ? EVP_sha384() : EVP_sha512();
}

/* The DER form that OpenSSL verifies, from R and S side by side. */
static void to_der(struct buf *signature, size_t len)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    const unsigned char *data = (const unsigned char *)signature->data;
    unsigned char *der = NULL;
    int der_len;

    assert_int_equal(signature->len, 2 * len);
    assert_true(ECDSA_SIG_set0(pair, BN_bin2bn(data, (int)len, NULL), BN_bin2bn(data + len, (int)len, NULL)));
    der_len = i2d_ECDSA_SIG(pair, &der);
    buf_clear(signature);
    buf_append(signature, der, (size_t)der_len);
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
}

static bool verifies(const struct key *key, const char *text, const char *data)
{
    struct buf AUTO_BUF spki = BUF_INIT(4096);
    struct buf AUTO_BUF signature = BUF_INIT(4096);
    const char *alg = key_jws_alg(key);
    const unsigned char *der;
    EVP_PKEY *pkey;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_good;

    assert_int_equal(key_public_der(key, &spki, NULL), ERR_OK);
    der = (const unsigned char *)spki.data;
    pkey = d2i_PUBKEY(NULL, &der, (long)spki.len);
    assert_non_null(pkey);
    assert_true(b64url_decode(text, strlen(text), &signature));
    if (field_len(alg))
        to_der(&signature, field_len(alg));
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, digest_of(alg), NULL, pkey), 1);
    is_good = EVP_DigestVerify(ctx, (const unsigned char *)signature.data, signature.len, (const unsigned char *)data,
                               strlen(data)) == 1;
    ERR_clear_error();
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return is_good;
}

static void expect_signs(const struct key *key, const char *alg)
{
    struct buf AUTO_BUF signature = BUF_INIT(4096);

    assert_string_equal(key_jws_alg(key), alg);
    assert_int_equal(key_jws_sign(key, "header.payload", 14, &signature, NULL), ERR_OK);
    assert_true(verifies(key, buf_cstr(&signature), "header.payload"));
    assert_false(verifies(key, buf_cstr(&signature), "header.payloae"));
}

/* ------------------------------------------------------------------ examples of the RFCs */

/* RFC 7517 appendix A.2 has the private numbers of the key of RFC 7638 section 3.1. */
static struct key *rfc7638_key(void)
{
    static const char *const texts[] = {
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
        "BJECPebWKRXjBZCiFV4n3okn"
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
        "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM"
        "QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJz"
        "KnqDKgw",
        "AQAB",
        "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_"
        "Y"
        "Sfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_"
        "cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7x"
        "ojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-"
        "Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jf"
        "cKoAC8Q",
        "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-"
        "60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCMjOpSXicFHj7XOu"
        "VIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
        "3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft_"
        "NGEiovonizhKpo9VVS"
        "78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk",
        "G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_"
        "H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF402XRugKDTP8akYhFo5tAA77Q"
        "e_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0",
        "s9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_"
        "agI3nG8Ibp1BUb0JUiraRNqUfLh"
        "cQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk",
        "GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDjJHZDdDmFhW3AN7lI-puxk_"
        "mHZ"
        "GJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU",
    };
    struct buf rooms[ARRAY_LEN(texts)];
    struct key_number numbers[ARRAY_LEN(texts)];
    struct key_rsa_numbers rsa;
    struct key *key = NULL;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        numbers[i] = number(&rooms[i], texts[i]);
    rsa = (struct key_rsa_numbers){numbers[0], numbers[1], numbers[2], numbers[3],
                                   numbers[4], numbers[5], numbers[6], numbers[7]};
    if (key_from_rsa(&rsa, "a.json", &key, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        buf_done(&rooms[i]);
    return key;
}

TEST(an_rsa_key_and_its_thumbprint_are_those_of_rfc_7638)
{
    struct key AUTO_KEY *key = rfc7638_key();

    expect_jwk(
        key, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z"
             "wu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"
             "65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQF"
             "h6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}");
    expect_thumbprint(key, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_int_equal(key_type_of(key), KEY_RSA_2048);
    expect_signs(key, "RS256");
}

/* RFC 7515 appendix A.3 */
TEST(an_es256_key_and_signature_are_those_of_rfc_7515)
{
    struct key AUTO_KEY *key = ec_key("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                                      "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                                      "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");

    expect_jwk(
        key, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9"
             "m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}");
    assert_true(verifies(key, "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
                         "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
                         "bS9pc19yb290Ijp0cnVlfQ"));
    expect_signs(key, "ES256");
}

/* RFC 7515 appendix A.4; y begins with a zero octet */
TEST(an_es512_key_is_that_of_rfc_7515)
{
    struct key AUTO_KEY *key = ec_key(
        "P-521", "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
        "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C");

    expect_jwk(key,
               "{\"crv\":\"P-521\",\"kty\":\"EC\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6"
               "OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4K"
               "kd0AZMaZmh9ubmf63e3kyMj2\"}");
    assert_int_equal(key_type_of(key), KEY_OTHER);
    expect_signs(key, "ES512");
}

/* RFC 8037 appendix A.1 to A.4; the key as PKCS#8 */
TEST(an_ed25519_key_thumbprint_and_signature_are_those_of_rfc_8037)
{
    struct key AUTO_KEY *key = key_parsed("-----BEGIN PRIVATE KEY-----\n"
                                          "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                                          "-----END PRIVATE KEY-----\n");
    struct buf AUTO_BUF signature = BUF_INIT(200);

    expect_jwk(key, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    expect_thumbprint(key, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_int_equal(
        key_jws_sign(key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", 56, &signature, NULL), ERR_OK);
    assert_string_equal(buf_cstr(&signature),
                        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    expect_signs(key, "EdDSA");
}

/* ------------------------------------------------------------------ leading zeros */

TEST(numbers_of_a_signature_that_begin_with_zeros_keep_their_width)
{
    static const struct {
        enum key_type type;
        size_t len;
    } curves[] = {{KEY_ECDSA_P256, 32}, {KEY_ECDSA_P384, 48}};

    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        struct key AUTO_KEY *key = key_made(curves[i].type);
        bool has_short_r = false;
        bool has_short_s = false;

        for (int n = 0; n < TRIES && !(has_short_r && has_short_s); n++) {
            struct buf AUTO_BUF text = BUF_INIT(200);
            struct buf AUTO_BUF raw = BUF_INIT(200);

            assert_int_equal(key_jws_sign(key, "data", 4, &text, NULL), ERR_OK);
            assert_true(b64url_decode(text.data, text.len, &raw));
            assert_int_equal(raw.len, 2 * curves[i].len);
            if (raw.data[0] != 0 && raw.data[curves[i].len] != 0)
                continue;
            has_short_r = has_short_r || raw.data[0] == 0;
            has_short_s = has_short_s || raw.data[curves[i].len] == 0;
            assert_true(verifies(key, buf_cstr(&text), "data"));
        }
        assert_true(has_short_r && has_short_s);
    }
}

/* The number behind `"<name>":"`. */
static void read_member(const char *jwk, const char *name, struct buf *out)
{
    char AUTO_FREE *mark = mem_printf("\"%s\":\"", name);
    const char *text = strstr(jwk, mark);

    assert_non_null(text);
    text += strlen(mark);
    assert_true(b64url_decode(text, strcspn(text, "\""), out));
}

TEST(coordinates_that_begin_with_zeros_keep_their_width)
{
    bool has_short_x = false;
    bool has_short_y = false;

    for (int n = 0; n < TRIES && !(has_short_x && has_short_y); n++) {
        struct key AUTO_KEY *key = key_made(KEY_ECDSA_P256);
        struct buf AUTO_BUF jwk = BUF_INIT(400);
        struct buf AUTO_BUF x = BUF_INIT(64);
        struct buf AUTO_BUF y = BUF_INIT(64);

        assert_int_equal(key_jwk(key, &jwk, NULL), ERR_OK);
        read_member(buf_cstr(&jwk), "x", &x);
        read_member(buf_cstr(&jwk), "y", &y);
        assert_int_equal(x.len, 32);
        assert_int_equal(y.len, 32);
        has_short_x = has_short_x || x.data[0] == 0;
        has_short_y = has_short_y || y.data[0] == 0;
    }
    assert_true(has_short_x && has_short_y);
}

/* Other clients have left out leading zeros. */
TEST(numbers_of_a_jwk_may_lack_their_leading_zeros_or_have_more)
{
    struct key AUTO_KEY *full = ec_key(
        "P-521", "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
        "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C");
    struct key AUTO_KEY *other = ec_key(
        "P-521", "AAAB6SkFDxJPxrxVx9U5M2Xfne9KsMIssleY-TTrBOPGuuNwGlenkQ6dgb82MVno68sVXWNJ9L22zPipTFxZx6rBAaQ",
        "NKZEDjdnUNI3H9G9wsjztx0vTuXqNDLIFcyjFWD-XZOH7HdLVYOGMOXLv1qMvgqR3QBkxpmaH25uZ_rd7eTIyPY",
        "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C");

    assert_true(key_is_same(full, other));
}

/* ------------------------------------------------------------------ every kind */

TEST(keys_of_every_kind_sign_what_verifies)
{
    static const struct {
        enum key_type type;
        const char *alg;
    } kinds[] = {{KEY_RSA_2048, "RS256"}, {KEY_ECDSA_P256, "ES256"}, {KEY_ECDSA_P384, "ES384"}, {KEY_ED25519, "EdDSA"}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct key AUTO_KEY *key = key_made(kinds[i].type);

        expect_signs(key, kinds[i].alg);
    }
}

TEST(signatures_and_keys_are_appended)
{
    struct key AUTO_KEY *key = key_made(KEY_ED25519);
    struct buf AUTO_BUF out = BUF_INIT(1000);

    buf_puts(&out, "a.");
    assert_int_equal(key_jws_sign(key, "", 0, &out, NULL), ERR_OK);
    assert_int_equal(out.len, 2 + B64URL_LEN(64));
    assert_memory_equal(out.data, "a.", 2);
    buf_clear(&out);
    buf_puts(&out, "b");
    assert_int_equal(key_jwk(key, &out, NULL), ERR_OK);
    assert_memory_equal(out.data, "b{\"crv\"", 7);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_openssl_is_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_rsa_key_and_its_thumbprint_are_those_of_rfc_7638),
        CASE(an_es256_key_and_signature_are_those_of_rfc_7515),
        CASE(an_es512_key_is_that_of_rfc_7515),
        CASE(an_ed25519_key_thumbprint_and_signature_are_those_of_rfc_8037),
        CASE(numbers_of_a_signature_that_begin_with_zeros_keep_their_width),
        CASE(coordinates_that_begin_with_zeros_keep_their_width),
        CASE(numbers_of_a_jwk_may_lack_their_leading_zeros_or_have_more),
        CASE(keys_of_every_kind_sign_what_verifies),
        CASE(signatures_and_keys_are_appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
