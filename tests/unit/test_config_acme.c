/* SPDX-License-Identifier: MIT
 *
 * The section `acme`: the CA, the account, external account binding.
 */
#include <stdlib.h>
#include <string.h>

#include "config/ca.h"
#include "config/loading.h"
#include "config_fixture.h"
#include "fixture.h"
#include "test.h"

#define HMAC_KEY "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"

static void load_line(struct config_fixture *f, const char *line)
{
    char AUTO_FREE *text = mem_printf(GOOD_CREDENTIALS "%s\n", line);

    load_config_text(f, text);
}

TEST(without_settings_all_have_their_defaults)
{
    struct config_fixture *f = *state;
    const struct config_acme *acme;
    const struct config_certificate_settings *s;

    load_config_text(f, GOOD_CREDENTIALS);
    expect_silence(f);
    acme = &f->config->acme;
    assert_string_equal(acme->directory, "https://acme-v02.api.letsencrypt.org/directory");
    assert_int_equal(acme->emails.count, 0);
    assert_null(acme->ca_file);
    assert_false(acme->agree_tos);
    assert_string_equal(acme->account_key_type, "ecdsa-p256");
    assert_null(acme->eab_kid);
    assert_null(acme->eab_hmac_key);
    assert_int_equal(acme->eab_alg, CONFIG_HS256);
    assert_int_equal(acme->request_timeout_ms, 30000);
    assert_int_equal(acme->give_up_after_ms, 90000);
    assert_int_equal(acme->poll_timeout_ms, 300000);
    assert_true(acme->ari);
    assert_int_equal(acme->program_timeout_ms, 300000);
    assert_int_equal(acme->keep, 5);
    s = &f->config->certificate_defaults;
    assert_string_equal(s->key_type, "ecdsa-p256");
    assert_int_equal(s->challenge, CONFIG_DNS_01);
    assert_int_equal(s->renew_before.numerator, 1);
    assert_int_equal(s->renew_before.denominator, 3);
    assert_int_equal(s->key_mode, 0);
    assert_null(s->profile);
    assert_int_equal(s->deploy.count, 0);
    assert_int_equal(f->config->managed_count, 0);
}

TEST(every_setting_is_taken_from_the_file)
{
    struct config_fixture *f = *state;
    const struct config_acme *acme;

    load_config_text(f, GOOD_CREDENTIALS "acme:\n"
                                         "  directory: zerossl\n"
                                         "  email: [a@example.com, \"mailto:b@example.com\"]\n"
                                         "  ca_file: root.pem\n"
                                         "  agree_tos: true\n"
                                         "  account_key_type: rsa-4096\n"
                                         "  eab: {kid: id-1, hmac_key: " HMAC_KEY ", alg: hs512}\n"
                                         "  timeout: 5s\n"
                                         "  give_up_after: 6s\n"
                                         "  poll_timeout: 7s\n"
                                         "  ari: false\n"
                                         "  program_timeout: 8s\n"
                                         "  keep: 9\n");
    expect_silence(f);
    acme = &f->config->acme;
    assert_string_equal(acme->directory, "https://acme.zerossl.com/v2/DV90");
    assert_int_equal(acme->emails.count, 2);
    assert_string_equal(acme->emails.items[0], "a@example.com");
    assert_string_equal(acme->emails.items[1], "b@example.com");
    assert_string_equal(acme->ca_file + strlen(f->dir), "/root.pem");
    assert_true(acme->agree_tos);
    assert_string_equal(acme->account_key_type, "rsa-4096");
    assert_string_equal(acme->eab_kid, "id-1");
    assert_string_equal(secret_bytes(acme->eab_hmac_key), HMAC_KEY);
    assert_int_equal(acme->eab_alg, CONFIG_HS512);
    assert_int_equal(acme->request_timeout_ms, 5000);
    assert_int_equal(acme->give_up_after_ms, 6000);
    assert_int_equal(acme->poll_timeout_ms, 7000);
    assert_false(acme->ari);
    assert_int_equal(acme->program_timeout_ms, 8000);
    assert_int_equal(acme->keep, 9);
}

/* ------------------------------------------------------------------ the CA */

TEST(every_short_name_has_a_url_of_its_own)
{
    size_t count;
    const char *const *names = config_ca_names(&count);

    assert_int_equal(count, 10);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(config_ca_url(names[i]));
        assert_string_equal(config_ca_name(config_ca_url(names[i])), names[i]);
    }
    assert_null(config_ca_url("https://acme.zerossl.com/v2/DV90"));
    assert_null(config_ca_name("https://acme.zerossl.com/v2/DV90/"));
}

TEST(only_letsencrypt_has_a_known_pace)
{
    assert_int_equal(config_ca_requests_per_s("https://acme-staging-v02.api.letsencrypt.org/directory"), 20);
    assert_int_equal(config_ca_requests_per_s("https://acme-v02.api.letsencrypt.org/directory"), 125);
    assert_int_equal(config_ca_requests_per_s("https://acme.zerossl.com/v2/DV90"), 0);
    assert_int_equal(config_ca_requests_per_s("https://ca.example/"), 0);
}

TEST(only_letsencrypt_has_a_known_number_of_orders)
{
    assert_int_equal(config_ca_new_orders_per_3h("https://acme-v02.api.letsencrypt.org/directory"), 300);
    assert_int_equal(config_ca_new_orders_per_3h("https://acme-staging-v02.api.letsencrypt.org/directory"), 1500);
    assert_int_equal(config_ca_new_orders_per_3h("https://ca.example/"), 0);
}

TEST(url_of_a_directory_is_kept_byte_for_byte)
{
    static const char *const urls[] = {"https://ca.example/acme/directory", "https://ca.example:14000/dir/",
                                       "http://127.0.0.1:4000/directory"};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        char AUTO_FREE *line = mem_printf("acme: {directory: \"%s\"}", urls[i]);

        load_line(f, line);
        expect_silence(f);
        assert_string_equal(f->config->acme.directory, urls[i]);
    }
}

TEST(directory_that_is_no_ca_is_refused)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {directory: letsencrypt-stagin}");
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml:2:19: \"acme.directory\" must be the short name of a CA or the URL of its directory, not "
                 "\"letsencrypt-stagin\"");
    expect_hint(f, "Did you mean \"letsencrypt-staging\"?  Known are \"letsencrypt\", \"letsencrypt-staging\", "
                   "\"zerossl\", \"google\", \"google-test\", \"buypass\", \"buypass-test\", \"sslcom\", "
                   "\"sslcom-ecc\", \"actalis\".");
    load_line(f, "acme: {directory: xyzzyplugh}");
    expect_hint(f, "Known are \"letsencrypt\", \"letsencrypt-staging\", \"zerossl\", \"google\", \"google-test\", "
                   "\"buypass\", \"buypass-test\", \"sslcom\", \"sslcom-ecc\", \"actalis\".");
    load_line(f, "acme: {directory: \"http://ca.example/dir\"}");
    expect_error(f, ERR_CONFIG,
                 "@/c.yaml:2:19: \"acme.directory\" must be an https URL (http is for servers on this machine only)");
}

/* ------------------------------------------------------------------ addresses and key types */

TEST(one_email_address_needs_no_list)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {email: a@example.com}");
    expect_silence(f);
    assert_int_equal(f->config->acme.emails.count, 1);
    assert_string_equal(f->config->acme.emails.items[0], "a@example.com");
}

TEST(what_is_no_email_address_is_refused)
{
    static const char *const bad[] = {"example.com",     "@example.com",         "a@",
                                      "a@b@example.com", "a@example.com?x=y",    "a,b@example.com",
                                      "a b@example.com", "M\xc3\xbc@example.com"};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char AUTO_FREE *line = mem_printf("acme: {email: \"%s\"}", bad[i]);
        char AUTO_FREE *message = mem_printf("@/c.yaml:2:15: \"acme.email\" must be an e-mail address "
                                             "(\"you@example.com\"), not \"%s\"",
                                             bad[i]);

        load_line(f, line);
        expect_error(f, ERR_CONFIG, message);
    }
}

TEST(unknown_type_of_key_is_refused_with_the_nearest_one)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {account_key_type: ecdsa-256}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:26: \"acme.account_key_type\" must be a type of key, not \"ecdsa-256\"");
    expect_hint(f, "Did you mean \"ecdsa-p256\"?  Known are \"ecdsa-p256\", \"ecdsa-p384\", \"rsa-2048\", "
                   "\"rsa-3072\", \"rsa-4096\", \"ed25519\".");
}

TEST(unknown_key_is_refused_with_the_nearest_one)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {profil: x}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:8: unknown key \"acme.profil\"; did you mean \"acme.profile\"?");
    load_line(f, "acme: {eab: {kidd: x}}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:14: unknown key \"acme.eab.kidd\"; did you mean \"acme.eab.kid\"?");
    load_line(f, "acme: {csr: x.csr}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:8: unknown key \"acme.csr\"; did you mean \"acme.der\"?");
}

/* ------------------------------------------------------------------ external account binding */

TEST(hmac_key_in_plain_base64_becomes_base64url)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {eab: {kid: x, hmac_key: \"+/+/QQ==\"}}");
    expect_silence(f);
    assert_string_equal(secret_bytes(f->config->acme.eab_hmac_key), "-_-_QQ");
}

TEST(what_surrounds_an_hmac_key_is_taken_off_with_a_warning)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {eab: {kid: x, hmac_key: \" " HMAC_KEY "\"}}");
    expect_warning(f, "@/c.yaml:2:32: took white space off the value of \"acme.eab.hmac_key\", continuing");
    assert_string_equal(secret_bytes(f->config->acme.eab_hmac_key), HMAC_KEY);
}

TEST(hmac_key_that_is_no_base64_is_refused_and_not_shown)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {eab: {kid: x, hmac_key: \"very*secret\"}}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:32: the value of \"acme.eab.hmac_key\" is not base64url");
    expect_unsaid(f, "very");
    load_line(f, "acme: {eab: {kid: x, hmac_key: \"==\"}}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:32: the value of \"acme.eab.hmac_key\" is not base64url");
}

TEST(hmac_key_and_its_identifier_need_each_other)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {eab: {kid: x}}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:19: \"acme.eab.kid\" is given without its key");
    load_line(f, "acme: {eab: {hmac_key: " HMAC_KEY "}}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:24: \"acme.eab.hmac_key\" is given without \"acme.eab.kid\"");
    load_line(f, "acme: {eab: {hmac_key_file: k}}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:29: \"acme.eab.hmac_key_file\" is given without \"acme.eab.kid\"");
    expect_unsaid(f, HMAC_KEY);
}

TEST(hmac_key_is_read_from_its_file)
{
    struct config_fixture *f = *state;

    given_write(f, "k", HMAC_KEY "\n");
    load_line(f, "acme: {eab: {kid: x, hmac_key_file: k}}");
    expect_silence(f);
    assert_string_equal(secret_bytes(f->config->acme.eab_hmac_key), HMAC_KEY);
    given_write(f, "k", "not base64\n");
    load_line(f, "acme: {eab: {kid: x, hmac_key_file: k}}");
    expect_error(f, ERR_CONFIG, "@/k: the value of \"acme.eab.hmac_key_file\" is not base64url");
    expect_unsaid(f, "not base64\n");
    load_line(f, "acme: {eab: {kid: x, hmac_key_file: absent}}");
    assert_int_equal(f->code, ERR_CONFIG);
    assert_non_null(strstr(f->said, "@/c.yaml:2:37: "));
    assert_non_null(strstr(f->said, "absent"));
}

TEST(hmac_key_and_file_in_one_place_are_refused)
{
    struct config_fixture *f = *state;

    load_line(f, "acme: {eab: {kid: x, hmac_key: " HMAC_KEY ", hmac_key_file: k}}");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:113: \"acme.eab.hmac_key\" and \"acme.eab.hmac_key_file\" are both given");
}

TEST(hmac_key_of_a_stronger_place_wins)
{
    struct config_fixture *f = *state;

    given_write(f, "k", "QUJD\n");
    given_env(f, "ACME_DME_EAB_HMAC_KEY", HMAC_KEY);
    load_line(f, "acme: {eab: {kid: x, hmac_key_file: k}}");
    expect_silence(f);
    assert_string_equal(secret_bytes(f->config->acme.eab_hmac_key), HMAC_KEY);
    assert_null(f->config->acme.eab_hmac_key_file);
    strlist_done(&f->env);
    given_env_path(f, "ACME_DME_EAB_HMAC_KEY_FILE", "k");
    load_line(f, "acme: {eab: {kid: x, hmac_key: " HMAC_KEY "}}");
    expect_silence(f);
    assert_string_equal(secret_bytes(f->config->acme.eab_hmac_key), "QUJD");
}

TEST(without_credentials_the_key_file_is_left_alone_until_it_is_wanted)
{
    struct config_fixture *f = *state;
    struct strlist AUTO_STRLIST warnings = {NULL, 0};

    given_write(f, "k", HMAC_KEY "\n");
    f->req.need = CONFIG_WITHOUT_CREDENTIALS;
    load_line(f, "acme: {eab: {kid: x, hmac_key_file: k}}");
    expect_silence(f);
    assert_null(f->config->acme.eab_hmac_key);
    given_chmod(f, "k", 0644);
    assert_int_equal(config_read_eab(f->config, &warnings, &f->err), ERR_UNSAFE);
    assert_null(f->config->acme.eab_hmac_key);
    given_chmod(f, "k", 0600);
    assert_int_equal(config_read_eab(f->config, &warnings, &f->err), ERR_OK);
    assert_string_equal(secret_bytes(f->config->acme.eab_hmac_key), HMAC_KEY);
    assert_int_equal(config_read_eab(f->config, &warnings, &f->err), ERR_OK);
    assert_int_equal(warnings.count, 0);
}

TEST(file_with_an_hmac_key_must_not_be_readable_for_others)
{
    struct config_fixture *f = *state;

    given_write(f, "s.yaml", "acme: {eab: {kid: x, hmac_key: " HMAC_KEY "}}\n");
    given_chmod(f, "s.yaml", 0644);
    free(f->named_file);
    f->named_file = mem_printf("%s/s.yaml", f->dir);
    f->req.file = f->named_file;
    f->req.need = CONFIG_WITHOUT_CREDENTIALS;
    load_config(f);
    expect_error(f, ERR_UNSAFE, "@/s.yaml: every user of this machine can read the secrets in this file");
}

TEST(hmac_key_is_not_taken_from_the_command_line)
{
    struct config_fixture *f = *state;

    given_override(f, "acme.eab.hmac_key", HMAC_KEY);
    load_line(f, "acme: {eab: {kid: x}}");
    assert_int_equal(f->code, ERR_CONFIG);
    assert_non_null(strstr(f->said, "option acme.eab.hmac_key: secrets are not taken from the command line"));
    expect_unsaid(f, HMAC_KEY);
}

/* ------------------------------------------------------------------ where from */

TEST(command_line_wins_over_environment_and_that_over_the_file)
{
    struct config_fixture *f = *state;

    given_env(f, "ACME_DME_DIRECTORY", "buypass");
    load_line(f, "acme: {directory: zerossl, profile: a}");
    assert_string_equal(f->config->acme.directory, "https://api.buypass.com/acme/directory");
    assert_int_equal(config_source(f->config, "acme.directory"), CONFIG_ENVIRONMENT);
    assert_string_equal(config_where(f->config, "acme.directory"), "environment variable ACME_DME_DIRECTORY");
    assert_int_equal(config_source(f->config, "acme.profile"), CONFIG_FILE);
    given_override(f, "acme.directory", "google");
    given_override(f, "acme.profile", "b");
    load_line(f, "acme: {directory: zerossl, profile: a}");
    expect_silence(f);
    assert_string_equal(f->config->acme.directory, "https://dv.acme-v02.api.pki.goog/directory");
    assert_string_equal(config_where(f->config, "acme.directory"), "option --directory");
    assert_string_equal(f->config->certificate_defaults.profile, "b");
    assert_string_equal(config_where(f->config, "acme.profile"), "option --profile");
    assert_string_equal(config_where(f->config, "acme.keep"), "default");
}

TEST(all_that_is_explained_hides_the_hmac_key)
{
    struct config_fixture *f = *state;
    struct strlist AUTO_STRLIST lines = {NULL, 0};
    size_t found = 0;

    load_line(f, "acme: {eab: {kid: x, hmac_key: " HMAC_KEY "}, key_mode: 0640, deploy: [" FIXTURE_DRIVE
                 "/bin/d, s3kr1t], "
                 "pre: [[" FIXTURE_DRIVE "/bin/p, a, b], [" FIXTURE_DRIVE "/bin/q]]}");
    expect_silence(f);
    config_explain(f->config, CONFIG_EXPLAIN_GIVEN, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        assert_null(strstr(lines.items[i], HMAC_KEY));
        assert_null(strstr(lines.items[i], "s3kr1t"));
        found += strstr(lines.items[i], "acme.eab.hmac_key: 64 characters, fingerprint ") ? 1 : 0;
        found += strstr(lines.items[i], "acme.key_mode: 0640 (") ? 1 : 0;
        found += strstr(lines.items[i], "acme.deploy: \"" FIXTURE_DRIVE "/bin/d\" with 1 argument (") ? 1 : 0;
        found += strstr(lines.items[i],
                        "acme.pre: \"" FIXTURE_DRIVE "/bin/p\" with 2 arguments, \"" FIXTURE_DRIVE "/bin/q\" (")
                     ? 1
                     : 0;
    }
    assert_int_equal(found, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(without_settings_all_have_their_defaults),
        CONFIG_TEST(every_setting_is_taken_from_the_file),
        cmocka_unit_test(every_short_name_has_a_url_of_its_own),
        cmocka_unit_test(only_letsencrypt_has_a_known_number_of_orders),
        cmocka_unit_test(only_letsencrypt_has_a_known_pace),
        CONFIG_TEST(url_of_a_directory_is_kept_byte_for_byte),
        CONFIG_TEST(directory_that_is_no_ca_is_refused),
        CONFIG_TEST(one_email_address_needs_no_list),
        CONFIG_TEST(what_is_no_email_address_is_refused),
        CONFIG_TEST(unknown_type_of_key_is_refused_with_the_nearest_one),
        CONFIG_TEST(unknown_key_is_refused_with_the_nearest_one),
        CONFIG_TEST(hmac_key_in_plain_base64_becomes_base64url),
        CONFIG_TEST(what_surrounds_an_hmac_key_is_taken_off_with_a_warning),
        CONFIG_TEST(hmac_key_that_is_no_base64_is_refused_and_not_shown),
        CONFIG_TEST(hmac_key_and_its_identifier_need_each_other),
        CONFIG_TEST(hmac_key_is_read_from_its_file),
        CONFIG_TEST(hmac_key_and_file_in_one_place_are_refused),
        CONFIG_TEST(hmac_key_of_a_stronger_place_wins),
        CONFIG_TEST(without_credentials_the_key_file_is_left_alone_until_it_is_wanted),
        CONFIG_TEST(file_with_an_hmac_key_must_not_be_readable_for_others),
        CONFIG_TEST(hmac_key_is_not_taken_from_the_command_line),
        CONFIG_TEST(command_line_wins_over_environment_and_that_over_the_file),
        CONFIG_TEST(all_that_is_explained_hides_the_hmac_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
