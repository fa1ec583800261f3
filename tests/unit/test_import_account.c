/* SPDX-License-Identifier: MIT
 *
 * Accounts as certbot, lego, acme.sh, dehydrated and uacme keep them.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/b64url.h"
#include "fixture.h"
#include "import/import.h"
#include "import_place.h"
#include "platform/platform.h"
#include "test.h"

#define LE "accounts/acme-v02.api.letsencrypt.org/directory/"
#define REGR "{\"body\": {}, \"uri\": \"https://acme-v02.api.letsencrypt.org/acme/acct/1\"}"
#define EC_JWK                                                                                                         \
    "{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","                    \
    " \"y\": \"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\", \"d\": \"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\"}" /* RFC 7517, A.2 */

static struct import_account import(struct import_place *p, const char *prefix, const char *name)
{
    struct import_account account = {.key = NULL};

    if (import_account(import_place_path(p, prefix, name), &account, &p->err) != ERR_OK)
        fail_msg("%s", p->err.msg);
    return account;
}

static void refused(struct import_place *p, const char *prefix, const char *name, enum err_code code, const char *why)
{
    struct import_account account = {.url = (char *)(uintptr_t) "untouched"};

    assert_int_equal(import_account(import_place_path(p, prefix, name), &account, &p->err), code);
    assert_string_equal(account.url, "untouched");
    if (!strstr(p->err.msg, why) && !strstr(p->err.hint, why))
        fail_msg("\"%s\" is not in: %s / %s", why, p->err.msg, p->err.hint);
}

static void put_certbot(struct import_place *p, const char *dir, const char *jwk)
{
    AUTO_FREE char *key = mem_printf("%s/private_key.json", dir);
    AUTO_FREE char *regr = mem_printf("%s/regr.json", dir);

    import_place_put(p, key, jwk);
    import_place_put(p, regr, REGR);
}

static char *rsa_jwk(struct key **out_same)
{
    static const char *const names[][2] = {
        {"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},
        {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    AUTO_BUF struct buf jwk = BUF_INIT(8192);
    BIO *bio = BIO_new(BIO_s_mem());
    struct err err;
    char *pem;
    long len;

    buf_puts(&jwk, "{\"kty\": \"RSA\"");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        BIGNUM *number = NULL;
        unsigned char bytes[256];

        assert_true(EVP_PKEY_get_bn_param(pkey, names[i][1], &number));
        buf_printf(&jwk, ", \"%s\": \"", names[i][0]);
        b64url_put(&jwk, bytes, (size_t)BN_bn2bin(number, bytes));
        buf_puts(&jwk, "\"");
        BN_free(number);
    }
    buf_puts(&jwk, "}");
    assert_true(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
    len = BIO_get_mem_data(bio, &pem);
    assert_int_equal(key_parse_pem(pem, (size_t)len, "it", out_same, &err), ERR_OK);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return buf_take(&jwk);
}

/* ------------------------------------------------------------------ what each client has */

TEST(certbot_keeps_a_jwk_and_its_path_is_the_ca)
{
    struct import_place *p = *state;
    AUTO_KEY struct key *same = NULL;
    AUTO_FREE char *jwk = rsa_jwk(&same);
    static const char *const paths[] = {"", LE "0123", LE "0123/private_key.json", LE "0123/regr.json", "accounts"};

    put_certbot(p, LE "0123", jwk);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        AUTO_IMPORT_ACCOUNT struct import_account a = import(p, i % 2 ? "" : "certbot:", paths[i]);

        assert_string_equal(a.directory, "https://acme-v02.api.letsencrypt.org/directory");
        assert_string_equal(a.url, "https://acme-v02.api.letsencrypt.org/acme/acct/1");
        assert_int_equal(a.contacts.count, 0);
        assert_true(key_is_same(a.key, same));
        assert_string_equal(a.from, import_place_path(p, "certbot:", LE "0123"));
    }
}

TEST(certbots_ec_keys_and_the_ports_of_cas_are_taken)
{
    struct import_place *p = *state;

    fixture_needs(FIXTURE_ANY_NAME);
    put_certbot(p, "accounts/localhost:14000/dir/ab", EC_JWK);
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "", "");
    assert_string_equal(a.directory, "https://localhost:14000/dir");
    assert_int_equal(key_type_of(a.key), KEY_ECDSA_P256);
}

TEST(what_acme_v1_left_behind_does_not_count_beside_others)
{
    struct import_place *p = *state;

    put_certbot(p, "accounts/acme-v01.api.letsencrypt.org/directory/0123", EC_JWK);
    put_certbot(p, LE "0123", EC_JWK);
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "certbot:", "");
    assert_string_equal(a.directory, "https://acme-v02.api.letsencrypt.org/directory");
}

TEST(lego_has_an_account_a_ca_and_address)
{
    struct import_place *p = *state;

    import_place_put(
        p, "accounts/acme-v02.api.letsencrypt.org/me@example.com/account.json",
        "{\"email\": \"me@example.com\", \"registration\": {\"body\": {\"status\": \"valid\", \"contact\": "
        "[\"mailto:you@example.com\"]}, \"uri\": \"https://acme-v02.api.letsencrypt.org/acme/acct/2\"}}");
    import_place_put(p, "accounts/acme-v02.api.letsencrypt.org/me@example.com/keys/me@example.com.key", p->key_pem);
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "", "");
    assert_string_equal(a.directory, "https://acme-v02.api.letsencrypt.org/directory");
    assert_string_equal(a.url, "https://acme-v02.api.letsencrypt.org/acme/acct/2");
    assert_int_equal(a.contacts.count, 1);
    assert_string_equal(a.contacts.items[0], "mailto:you@example.com");
    assert_true(key_is_same(a.key, p->key));
    AUTO_IMPORT_ACCOUNT struct import_account b = /* a file further down leads there too */
        import(p, "lego:", "accounts/acme-v02.api.letsencrypt.org/me@example.com/keys/me@example.com.key");
    assert_string_equal(b.from, a.from);
}

TEST(a_ca_that_legos_files_do_not_tell_is_left_open)
{
    struct import_place *p = *state;

    import_place_put(
        p, "accounts/ca.example_8443/me@example.com/account.json",
        "{\"email\": \"me@example.com\", \"registration\": {\"uri\": \"https://ca.example:8443/acct/2\"}}");
    import_place_put(p, "accounts/ca.example_8443/me@example.com/keys/me@example.com.key", p->key_pem);
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "lego:", "");
    assert_null(a.directory);
    assert_string_equal(a.contacts.items[0], "mailto:me@example.com");
}

TEST(acme_sh_has_an_account_a_ca)
{
    struct import_place *p = *state;

    import_place_put(p, "ca/acme.zerossl.com/v2/DV90/account.key", p->key_pem);
    import_place_put(
        p, "ca/acme.zerossl.com/v2/DV90/ca.conf",
        "CA_EAB_KEY_ID='abc'\nCA_EAB_HMAC_KEY='hidden'\nACCOUNT_URL='https://acme.zerossl.com/v2/DV90/account/x'\n"
        "CA_EMAIL='me@example.com'\nCA_KEY_HASH='0123='\n");
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "", "");
    assert_string_equal(a.directory, "https://acme.zerossl.com/v2/DV90");
    assert_string_equal(a.url, "https://acme.zerossl.com/v2/DV90/account/x");
    assert_string_equal(a.contacts.items[0], "mailto:me@example.com");
    assert_true(key_is_same(a.key, p->key));
}

TEST(acme_sh_drops_the_port_of_a_ca_and_the_account_has_it)
{
    struct import_place *p = *state;

    import_place_put(p, "ca/localhost/dir/account.key", p->key_pem);
    import_place_put(p, "ca/localhost/dir/ca.conf", "ACCOUNT_URL='https://localhost:14000/my-account/1'\n");
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "acme.sh:", "");
    assert_string_equal(a.directory, "https://localhost:14000/dir");
    assert_int_equal(a.contacts.count, 0);
}

TEST(dehydrated_names_a_directory_after_the_ca)
{
    struct import_place *p = *state;

    /* base64url of "https://localhost:14000/dir\n" */
    import_place_put(p, "accounts/aHR0cHM6Ly9sb2NhbGhvc3Q6MTQwMDAvZGlyCg/account_key.pem", p->key_pem);
    import_place_put(p, "accounts/aHR0cHM6Ly9sb2NhbGhvc3Q6MTQwMDAvZGlyCg/account_id.json",
                     "{\"url\":\"https://localhost:14000/my-account/1\"}");
    import_place_put(p, "accounts/aHR0cHM6Ly9sb2NhbGhvc3Q6MTQwMDAvZGlyCg/registration_info.json",
                     "{\"status\": \"valid\", \"contact\": [\"mailto:me@example.com\"]}");
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "", "");
    assert_string_equal(a.directory, "https://localhost:14000/dir");
    assert_string_equal(a.url, "https://localhost:14000/my-account/1");
    assert_string_equal(a.contacts.items[0], "mailto:me@example.com");
    assert_true(key_is_same(a.key, p->key));
}

TEST(uacme_has_a_key_and_nothing_else)
{
    struct import_place *p = *state;

    import_place_put(p, "private/key.pem", p->key_pem);
    import_place_put(p, "private/example.com/key.pem", p->key_pem);
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "", "");
    assert_null(a.directory);
    assert_null(a.url);
    assert_int_equal(a.contacts.count, 0);
    assert_true(key_is_same(a.key, p->key));
    assert_string_equal(a.from, import_place_path(p, "uacme:", "private"));
    refused(p, "", "private/example.com", ERR_NOT_FOUND, "no account"); /* that one is a certificate's */
}

/* ------------------------------------------------------------------ what is refused */

TEST(several_accounts_are_listed)
{
    struct import_place *p = *state;

    put_certbot(p, LE "0123", EC_JWK);
    put_certbot(p, LE "4567", EC_JWK);
    refused(p, "certbot:", "", ERR_USAGE, "there are 2 accounts");
    assert_non_null(strstr(p->err.hint, import_place_path(p, "certbot:", LE "0123")));
    assert_non_null(strstr(p->err.hint, import_place_path(p, "certbot:", LE "4567")));
}

TEST(accounts_of_several_clients_are_told_apart_by_the_prefix)
{
    struct import_place *p = *state;

    put_certbot(p, LE "0123", EC_JWK);
    import_place_put(p, "private/key.pem", p->key_pem);
    refused(p, "", "", ERR_USAGE, "uacme:");
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "uacme:", "");
    assert_true(key_is_same(a.key, p->key));
}

TEST(what_was_looked_for_is_said_when_there_is_nothing)
{
    struct import_place *p = *state;

    refused(p, "", "", ERR_NOT_FOUND, "no account of another client");
    assert_non_null(strstr(p->err.hint, "lego: account.json"));
    refused(p, "acme.sh:", "nowhere", ERR_NOT_FOUND, "no account of acme.sh");
    assert_non_null(strstr(p->err.hint, "account.key"));
    assert_null(strstr(p->err.hint, "lego"));
}

TEST(prefixes_that_name_no_client_are_refused)
{
    struct import_place *p = *state;

    refused(p, "cerbot:", "", ERR_USAGE, "Did you mean \"certbot:\"?");
    refused(p, "caddy:", "", ERR_USAGE, "There are: certbot, lego, acme.sh");
    assert_int_equal(import_account("lego:", &(struct import_account){.key = NULL}, &p->err), ERR_USAGE);
}

TEST(a_key_that_others_can_read_is_refused_unless_its_directory_is_shut)
{
    struct import_place *p = *state;

    import_place_put(p, "private/key.pem", p->key_pem);
    import_place_mode(p, "private/key.pem", 0644);
    refused(p, "", "", ERR_UNSAFE, "every user of this machine");
    assert_non_null(strstr(p->err.hint, fixture_here("chmod 600", "icacls")));
    if (fixture_can(FIXTURE_GROUPS)) {
        import_place_mode(p, "private/key.pem", 0640);
        refused(p, "", "", ERR_UNSAFE, platform_advice_group());
    }
    fixture_needs(FIXTURE_MODES); /* elsewhere a directory shuts nobody out of what is in it */
    import_place_mode(p, "private", 0700);
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "", "");
    assert_true(key_is_same(a.key, p->key));
}

TEST(jwks_that_are_none_are_refused_and_not_shown)
{
    struct import_place *p = *state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[1]", "an array"},
        {"{\"kty\": \"RSA\"", "not valid JSON: line 1"},
        {"{\"d\": \"x\"}", "has no \"kty\""},
        {"{\"kty\": \"oct\", \"k\": \"hidden\"}", "\"oct\""},
        {"{\"kty\": \"EC\", \"crv\": \"P-256\"}", "has no \"x\""},
        {"{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"AA\", \"y\": \"!!\", \"d\": \"hidden\"}", "as \"y\""},
        {"{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"AA\", \"y\": \"AA\", \"d\": \"\"}", "as \"d\""},
        {"{\"kty\": \"RSA\", \"n\": 5}", "as \"n\" where a string belongs"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put_certbot(p, LE "0123", rows[i].text);
        refused(p, "", "", ERR_INPUT, rows[i].why);
        assert_non_null(strstr(p->err.msg, "private_key.json"));
        assert_null(strstr(p->err.msg, "hidden"));
    }
}

TEST(urls_and_contacts_that_are_none_are_refused)
{
    struct import_place *p = *state;
    static const struct {
        const char *regr, *why;
    } rows[] = {
        {"{\"uri\": \"http://ca.example/1\"}", "no https URL as the account's URL"},
        {"{\"uri\": \"https://ca.example/\\u0007\"}", "no https URL as the account's URL"},
        {"{\"uri\": \"https:///1\"}", "no https URL as the account's URL"},
        {"{\"uri\": \"https://?\"}", "no https URL as the account's URL"},
        {"{\"uri\": 7}", "a number as \"uri\""},
        {"{\"body\": {\"contact\": [7]}}", "a contact that is no URL"},
        {"{\"body\": {\"contact\": [\"mailto:a b\"]}}", "a contact that is no URL"},
        {"{\"body\": {\"contact\": \"mailto:a\"}}", "a string as \"contact\""},
    };

    put_certbot(p, LE "0123", EC_JWK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        import_place_put(p, LE "0123/regr.json", rows[i].regr);
        refused(p, "", "", ERR_INPUT, rows[i].why);
    }
}

TEST(letters_that_mean_something_to_patterns_may_be_in_a_path)
{
    struct import_place *p = *state;

    fixture_needs(FIXTURE_ANY_NAME);
    import_place_put(p, "[a]*?/private/key.pem", p->key_pem);
    import_place_put(p, "ab/private/key.pem", "no key");
    AUTO_IMPORT_ACCOUNT struct import_account a = import(p, "", "[a]*?");
    assert_true(key_is_same(a.key, p->key));
    refused(p, "", "*", ERR_NOT_FOUND, "no account");
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, import_place_setup, import_place_teardown)
    const struct CMUnitTest tests[] = {
        ROW(certbot_keeps_a_jwk_and_its_path_is_the_ca),
        ROW(certbots_ec_keys_and_the_ports_of_cas_are_taken),
        ROW(what_acme_v1_left_behind_does_not_count_beside_others),
        ROW(lego_has_an_account_a_ca_and_address),
        ROW(a_ca_that_legos_files_do_not_tell_is_left_open),
        ROW(acme_sh_has_an_account_a_ca),
        ROW(acme_sh_drops_the_port_of_a_ca_and_the_account_has_it),
        ROW(dehydrated_names_a_directory_after_the_ca),
        ROW(uacme_has_a_key_and_nothing_else),
        ROW(several_accounts_are_listed),
        ROW(accounts_of_several_clients_are_told_apart_by_the_prefix),
        ROW(what_was_looked_for_is_said_when_there_is_nothing),
        ROW(prefixes_that_name_no_client_are_refused),
        ROW(a_key_that_others_can_read_is_refused_unless_its_directory_is_shut),
        ROW(jwks_that_are_none_are_refused_and_not_shown),
        ROW(urls_and_contacts_that_are_none_are_refused),
        ROW(letters_that_mean_something_to_patterns_may_be_in_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
