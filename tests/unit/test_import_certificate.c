/* SPDX-License-Identifier: MIT
 *
 * Certificates as certbot, lego, acme.sh, dehydrated and uacme keep them.
 */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "import/import.h"
#include "import_place.h"
#include "test.h"
#include "util/buf.h"

static struct import_certificate import(struct import_place *p, const char *prefix, const char *name)
{
    struct import_certificate certificate = {.name = NULL};

    if (import_certificate(import_place_path(p, prefix, name), &certificate, &p->err) != ERR_OK)
        fail_msg("%s", p->err.msg);
    return certificate;
}

static void refused(struct import_place *p, const char *name, enum err_code code, const char *why)
{
    struct import_certificate certificate = {.profile = (char *)(uintptr_t) "untouched"};

    assert_int_equal(import_certificate(import_place_path(p, "", name), &certificate, &p->err), code);
    assert_string_equal(certificate.profile, "untouched");
    if (!strstr(p->err.msg, why) && !strstr(p->err.hint, why))
        fail_msg("\"%s\" is not in: %s / %s", why, p->err.msg, p->err.hint);
}

static size_t warnings_with(const struct import_certificate *c, const char *part)
{
    size_t count = 0;

    for (size_t i = 0; i < c->warnings.count; i++)
        if (strstr(c->warnings.items[i], part))
            count++;
    return count;
}

static void check_names(const struct import_certificate *c)
{
    assert_int_equal(c->domains.count, 2);
    assert_string_equal(c->domains.items[0], "example.com");
    assert_string_equal(c->domains.items[1], "*.example.com");
}

#define NAMES "DNS:example.com,DNS:*.example.com"

/* ------------------------------------------------------------------ certbot */

static void put_certbot(struct import_place *p, const char *params)
{
    AUTO_FREE char *text = mem_printf("# renew_before_expiry = 30 days\nversion = 2.1.0\n"
                                      "cert = %s/live/example.com/cert.pem\nprivkey = %s/live/example.com/privkey.pem\n"
                                      "[renewalparams]\nauthenticator = manual\n%s",
                                      p->dir, p->dir, params);

    import_place_put(p, "renewal/example.com.conf", text);
    import_place_put_certificate(p, "live/example.com/cert.pem", NAMES);
    import_place_put(p, "live/example.com/privkey.pem", p->key_pem);
}

TEST(certbots_settings_are_taken_and_its_names_come_from_the_certificate)
{
    struct import_place *p = *state;
    static const char *const paths[] = {"renewal/example.com.conf", "live/example.com"};

    put_certbot(p, "server = https://ca.example/dir\nkey_type = rsa\nrsa_key_size = 3072\nreuse_key = True\n"
                   "preferred_chain = ISRG Root X1\npreferred_profile = tlsserver\n");
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, i ? "" : "certbot:", paths[i]);

        assert_string_equal(c.name, "example.com");
        check_names(&c);
        assert_string_equal(c.key_type, "rsa-3072"); /* what the next key is to be, not what this one is */
        assert_string_equal(c.directory, "https://ca.example/dir");
        assert_string_equal(c.profile, "tlsserver");
        assert_string_equal(c.preferred_chain, "ISRG Root X1");
        assert_true(c.reuse_key);
        assert_string_equal(c.key_file, import_place_path(p, "", "live/example.com/privkey.pem"));
        assert_string_equal(c.certificate_file, import_place_path(p, "", "live/example.com/cert.pem"));
        assert_string_equal(c.from, import_place_path(p, "certbot:", "renewal/example.com.conf"));
        assert_int_equal(c.warnings.count, 0);
    }
}

TEST(certbots_key_types_have_our_names)
{
    struct import_place *p = *state;
    static const struct {
        const char *params, *type;
    } rows[] = {
        {"", "ecdsa-p256"}, /* of the key that is there */
        {"key_type = rsa\n", "rsa-2048"},
        {"key_type = rsa\nrsa_key_size = 4096\n", "rsa-4096"},
        {"key_type = ecdsa\n", "ecdsa-p256"},
        {"key_type = ecdsa\nelliptic_curve = secp384r1\n", "ecdsa-p384"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put_certbot(p, rows[i].params);
        AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, "", "live/example.com");
        assert_string_equal(c.key_type, rows[i].type);
        assert_false(c.reuse_key);
        assert_null(c.directory);
        assert_int_equal(c.warnings.count, 0);
    }
}

TEST(what_of_certbot_has_no_counterpart_is_warned_of_without_its_text)
{
    struct import_place *p = *state;

    put_certbot(p, "renew_hook = curl -H 'Token: hidden'\npre_hook = hidden\npost_hook = hidden\nmust_staple = True\n"
                   "installer = nginx\nautorenew = False\nallow_subset_of_names = True\nelliptic_curve = secp521r1\n"
                   "key_type = ecdsa\n");
    import_place_put(p, "renewal-hooks/deploy/reload", "#!/bin/sh\n");
    AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, "", "live/example.com");
    assert_int_equal(warnings_with(&c, "renew_hook is not taken over: list the program under \"deploy\""), 1);
    assert_int_equal(warnings_with(&c, "pre_hook"), 1);
    assert_int_equal(warnings_with(&c, "post_hook"), 1);
    assert_int_equal(warnings_with(&c, "must_staple"), 1);
    assert_int_equal(warnings_with(&c, "installer"), 1);
    assert_int_equal(warnings_with(&c, "left this certificate out"), 1);
    assert_int_equal(warnings_with(&c, "allow_subset_of_names"), 1);
    assert_int_equal(warnings_with(&c, "renewal-hooks/deploy"), 1);
    assert_int_equal(warnings_with(&c, "\"secp521r1\" are not made here"), 1);
    assert_int_equal(c.warnings.count, 9);
    assert_int_equal(warnings_with(&c, "hidden"), 0);
}

TEST(names_that_certbot_proved_by_other_means_are_warned_of)
{
    struct import_place *p = *state;
    AUTO_FREE char *text = mem_printf("cert = %s/cert.pem\n[renewalparams]\nauthenticator = webroot\n"
                                      "[[webroot_map]]\nexample.com = /srv\n",
                                      p->dir);

    import_place_put(p, "renewal/example.com.conf", text);
    import_place_put_certificate(p, "cert.pem", NAMES);
    AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, "", "renewal/example.com.conf");
    assert_int_equal(warnings_with(&c, "\"webroot\""), 1);
    assert_null(c.key_file);
    assert_null(c.key_type);
}

TEST(mistakes_in_certbots_settings_name_file_and_line)
{
    struct import_place *p = *state;

    put_certbot(p, "server = ftp://ca.example\n");
    refused(p, "live/example.com", ERR_INPUT, "no https URL as server");
    put_certbot(p, "nonsense\n");
    refused(p, "live/example.com", ERR_INPUT, "renewal/example.com.conf:7: neither a setting");
    import_place_put(p, "renewal/example.com.conf", "[renewalparams]\n");
    refused(p, "live/example.com", ERR_INPUT, "does not say where the certificate is");
    import_place_put(p, "renewal/example.com.conf", "\xff\xfe\n");
    refused(p, "live/example.com", ERR_INPUT, "is no text");
    import_place_put(p, "renewal/example.com.conf", "cert = /nowhere/cert.pem\n");
    refused(p, "live/example.com", ERR_NOT_FOUND, "/nowhere/cert.pem");
}

/* ------------------------------------------------------------------ keys */

TEST(a_key_that_others_can_read_is_a_warning)
{
    struct import_place *p = *state;

    fixture_needs(FIXTURE_GROUPS);
    put_certbot(p, "");
    import_place_mode(p, "live/example.com/privkey.pem", 0640);
    AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, "", "live/example.com");
    assert_int_equal(warnings_with(&c, "other users of the file's group can read the private key"), 1);
    assert_int_equal(c.warnings.count, 1);
    assert_non_null(c.key_file);
}

TEST(a_key_that_cannot_be_used_or_is_gone_is_a_warning)
{
    struct import_place *p = *state;

    put_certbot(p, "");
    import_place_put(p, "live/example.com/privkey.pem",
                     "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----\n");
    AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, "", "live/example.com");
    assert_int_equal(warnings_with(&c, "can't be used, and a new one is made"), 1);
    assert_int_equal(warnings_with(&c, "hidden"), 0);
    assert_null(c.key_file);
    import_place_put(p, "renewal/example.com.conf", "");
    AUTO_FREE char *text = mem_printf("cert = %s/live/example.com/cert.pem\nprivkey = %s/gone\n", p->dir, p->dir);
    import_place_put(p, "renewal/example.com.conf", text);
    AUTO_IMPORT_CERTIFICATE struct import_certificate d = import(p, "", "live/example.com");
    assert_int_equal(warnings_with(&d, "there is no private key"), 1);
    assert_null(d.key_file);
}

/* ------------------------------------------------------------------ the others */

TEST(lego_tells_names_and_key_by_its_files)
{
    struct import_place *p = *state;
    static const char *const paths[] = {"certificates/_.example.com.json", "certificates/_.example.com.crt",
                                        "certificates/_.example.com"};

    import_place_put(
        p, "certificates/_.example.com.json",
        "{\"domain\": \"*.example.com\", \"certUrl\": \"https://acme-v02.api.letsencrypt.org/acme/cert/1\"}");
    import_place_put_certificate(p, "certificates/_.example.com.crt", NAMES);
    import_place_put(p, "certificates/_.example.com.key", p->key_pem);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, i ? "" : "lego:", paths[i]);

        assert_string_equal(c.name, "_.example.com");
        check_names(&c);
        assert_string_equal(c.key_type, "ecdsa-p256");
        assert_string_equal(c.directory, "https://acme-v02.api.letsencrypt.org/directory");
        assert_string_equal(c.from, import_place_path(p, "lego:", "certificates/_.example.com.json"));
        assert_int_equal(c.warnings.count, 0);
    }
}

static void put_acme_sh(struct import_place *p, const char *settings)
{
    import_place_put(p, "example.com_ecc/example.com.conf", settings);
    import_place_put(p, "example.com_ecc/example.com.key", p->key_pem);
    import_place_put_certificate(p, "example.com_ecc/example.com.cer", "DNS:other.example.com");
}

TEST(acme_sh_says_all_in_its_settings)
{
    struct import_place *p = *state;
    static const char *const paths[] = {"example.com_ecc", "example.com_ecc/example.com.conf"};

    put_acme_sh(p, "Le_Domain='example.com'\nLe_Alt='*.example.com'\nLe_Webroot='dns_me'\nLe_PreHook=''\n"
                   "Le_API='https://ca.example/dir'\nLe_Keylength='ec-384'\nLe_Certificate_Profile='shortlived'\n"
                   "Le_Preferred_Chain='__ACME_BASE64__START_SVNSRyBSb290IFgx__ACME_BASE64__END_'\n");
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, i ? "" : "acme.sh:", paths[i]);

        assert_string_equal(c.name, "example.com");
        check_names(&c);
        assert_string_equal(c.key_type, "ecdsa-p384");
        assert_string_equal(c.directory, "https://ca.example/dir");
        assert_string_equal(c.profile, "shortlived");
        assert_string_equal(c.preferred_chain, "ISRG Root X1");
        assert_string_equal(c.from, import_place_path(p, "acme.sh:", "example.com_ecc/example.com.conf"));
        assert_int_equal(c.warnings.count, 0);
    }
}

TEST(what_of_acme_sh_has_no_counterpart_is_warned_of_without_its_text)
{
    struct import_place *p = *state;

    put_acme_sh(p,
                "Le_Domain='example.com'\nLe_Alt='no'\nLe_Webroot='dns_me,/srv/www'\nLe_Keylength=''\n"
                "Le_ReloadCmd='__ACME_BASE64__START_aGlkZGVu__ACME_BASE64__END_'\nLe_RealKeyPath='/etc/nginx/key.pem'\n"
                "Le_DeployHook='hidden,'\nLe_PostHook='it's hidden'\n");
    AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, "", "example.com_ecc");
    assert_int_equal(c.domains.count, 1);
    assert_string_equal(c.key_type, "rsa-2048"); /* that is what acme.sh takes an empty one for */
    assert_int_equal(warnings_with(&c, "Le_ReloadCmd"), 1);
    assert_int_equal(warnings_with(&c, "Le_RealKeyPath"), 1);
    assert_int_equal(warnings_with(&c, "Le_DeployHook"), 1);
    assert_int_equal(warnings_with(&c, "Le_PostHook"), 1);
    assert_int_equal(warnings_with(&c, "proved its names by"), 1);
    assert_int_equal(c.warnings.count, 5);
    assert_int_equal(warnings_with(&c, "hidden"), 0);
    assert_int_equal(warnings_with(&c, "aGlkZGVu"), 0);
}

TEST(mistakes_in_acme_shs_settings_name_file_and_line)
{
    struct import_place *p = *state;

    put_acme_sh(p, "Le_Keylength='2048'\n");
    refused(p, "example.com_ecc", ERR_INPUT, "names no domain");
    put_acme_sh(p, "# x\nLe_Domain=$(hostname)\n");
    refused(p, "example.com_ecc", ERR_INPUT, "example.com.conf:2: it takes a shell");
    put_acme_sh(p, "Le_Domain='a.example'\nLe_Preferred_Chain='__ACME_BASE64__START_!__ACME_BASE64__END_'\n");
    refused(p, "example.com_ecc", ERR_INPUT, "example.com.conf:2: the base64 in \"Le_Preferred_Chain\" is damaged");
    put_acme_sh(p, "reboot\n");
    refused(p, "example.com_ecc", ERR_INPUT, "example.com.conf:1: neither a setting");
}

TEST(dehydrated_and_uacme_have_directories_of_certificates)
{
    struct import_place *p = *state;

    import_place_put_certificate(p, "certs/example.com/cert.pem", NAMES);
    import_place_put(p, "certs/example.com/privkey.pem", p->key_pem);
    AUTO_IMPORT_CERTIFICATE struct import_certificate c = import(p, "", "certs/example.com");
    assert_string_equal(c.name, "example.com");
    check_names(&c);
    assert_string_equal(c.key_type, "ecdsa-p256");
    assert_null(c.directory);
    assert_string_equal(c.from, import_place_path(p, "dehydrated:", "certs/example.com"));

    import_place_put_certificate(p, "example.com/cert.pem", NAMES);
    import_place_put(p, "private/example.com/key.pem", p->key_pem);
    AUTO_IMPORT_CERTIFICATE struct import_certificate d = import(p, "", "example.com/");
    assert_string_equal(d.name, "example.com");
    check_names(&d);
    assert_string_equal(d.key_file, import_place_path(p, "", "private/example.com/key.pem"));
}

TEST(what_was_looked_for_is_said_when_there_is_nothing)
{
    struct import_place *p = *state;

    refused(p, "nowhere", ERR_NOT_FOUND, "no certificate of another client");
    assert_non_null(strstr(p->err.hint, "certbot: renewal/<name>.conf"));
    assert_non_null(strstr(p->err.hint, "uacme: <name>/cert.pem"));
    import_place_put_certificate(p, "certs/x/cert.pem", NULL);
    import_place_put(p, "certs/x/privkey.pem", p->key_pem);
    refused(p, "certs/x", ERR_INPUT, "has no names");
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, import_place_setup, import_place_teardown)
    const struct CMUnitTest tests[] = {
        ROW(certbots_settings_are_taken_and_its_names_come_from_the_certificate),
        ROW(certbots_key_types_have_our_names),
        ROW(what_of_certbot_has_no_counterpart_is_warned_of_without_its_text),
        ROW(names_that_certbot_proved_by_other_means_are_warned_of),
        ROW(mistakes_in_certbots_settings_name_file_and_line),
        ROW(a_key_that_others_can_read_is_a_warning),
        ROW(a_key_that_cannot_be_used_or_is_gone_is_a_warning),
        ROW(lego_tells_names_and_key_by_its_files),
        ROW(acme_sh_says_all_in_its_settings),
        ROW(what_of_acme_sh_has_no_counterpart_is_warned_of_without_its_text),
        ROW(mistakes_in_acme_shs_settings_name_file_and_line),
        ROW(dehydrated_and_uacme_have_directories_of_certificates),
        ROW(what_was_looked_for_is_said_when_there_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
