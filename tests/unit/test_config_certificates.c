/* SPDX-License-Identifier: MIT
 *
 * The list `certificates`, settings of certificates, and their texts.
 */
#include <string.h>

#include "config/loading.h"
#include "config/schema.h"
#include "config_fixture.h"
#include "fixture.h"
#include "test.h"

static void load_lines(struct config_fixture *f, const char *lines)
{
    char AUTO_FREE *text = mem_printf(GOOD_CREDENTIALS "%s\n", lines);

    load_config_text(f, text);
}

static void expect_refusal(struct config_fixture *f, const char *lines, const char *message)
{
    char AUTO_FREE *want = mem_printf("@/c.yaml:%s", message);

    load_lines(f, lines);
    expect_error(f, ERR_CONFIG, want);
}

static void expect_argv(const struct config_commands *commands, size_t index, const char *words)
{
    struct config_commands one = {&commands->items[index], 1};
    char AUTO_FREE *text = config_commands_format(&one);

    assert_true(index < commands->count);
    assert_string_equal(text, words);
}

TEST(every_setting_of_a_certificate_is_taken)
{
    struct config_fixture *f = *state;
    const struct config_certificate *c;
    const struct config_certificate_settings *s;

    load_lines(f, "certificates:\n"
                  "- name: web\n"
                  "  domains: [\"*.Example.com\", m\xc3\xbcnchen.example]\n"
                  "  directory: letsencrypt-staging\n"
                  "  key_type: ed25519\n"
                  "  reuse_key: true\n"
                  "  profile: shortlived\n"
                  "  preferred_chain: ISRG Root X1\n"
                  "  challenge: dns-persist-01\n"
                  "  renew_before: 7d\n"
                  "  csr: web.csr\n"
                  "  key: /etc/web.key\n"
                  "  owner: www\n"
                  "  group: ssl\n"
                  "  key_mode: 0440\n"
                  "  combined: true\n"
                  "  der: true\n"
                  "  pfx: true\n"
                  "  pfx_legacy: true\n"
                  "  pfx_password_file: pw\n"
                  "  pre: " FIXTURE_DRIVE "/bin/pre\n"
                  "  deploy: [systemctl, reload, nginx]\n"
                  "  post: [[" FIXTURE_DRIVE "/bin/a, \"x y\"], [" FIXTURE_DRIVE "/bin/b]]\n"
                  "  failed: []\n");
    expect_silence(f);
    assert_int_equal(f->config->managed_count, 1);
    c = &f->config->managed[0];
    s = &c->settings;
    assert_string_equal(c->name, "web");
    assert_int_equal(c->domains.count, 2);
    assert_string_equal(c->domains.items[0], "*.Example.com");
    assert_string_equal(c->directory, "https://acme-staging-v02.api.letsencrypt.org/directory");
    assert_string_equal(s->key_type, "ed25519");
    assert_true(s->reuse_key);
    assert_string_equal(s->profile, "shortlived");
    assert_string_equal(s->preferred_chain, "ISRG Root X1");
    assert_int_equal(s->challenge, CONFIG_DNS_PERSIST_01);
    assert_int_equal(s->renew_before.denominator, 0);
    assert_int_equal(s->renew_before.ms, 7 * 86400000LL);
    assert_string_equal(s->csr_file + strlen(f->dir), "/web.csr");
    assert_string_equal(s->key_file, "/etc/web.key");
    assert_string_equal(s->owner, "www");
    assert_string_equal(s->group, "ssl");
    assert_int_equal(s->key_mode, 0440);
    assert_true(s->combined && s->der && s->pfx && s->pfx_legacy);
    assert_string_equal(s->pfx_password_file + strlen(f->dir), "/pw");
    assert_int_equal(s->pre.count, 1);
    expect_argv(&s->pre, 0, FIXTURE_DRIVE "/bin/pre;");
    assert_int_equal(s->deploy.count, 1);
    expect_argv(&s->deploy, 0, "systemctl,reload,nginx;");
    assert_int_equal(s->post.count, 2);
    expect_argv(&s->post, 0, FIXTURE_DRIVE "/bin/a,x y;");
    expect_argv(&s->post, 1, FIXTURE_DRIVE "/bin/b;");
    assert_int_equal(s->failed.count, 0);
}

/* ------------------------------------------------------------------ names and domains */

TEST(name_comes_from_the_first_domain)
{
    struct config_fixture *f = *state;

    load_lines(f, "certificates: [{domains: [\"*.Example.COM.\", a.example]}, {domains: [www.example.com]}]");
    expect_silence(f);
    assert_string_equal(f->config->managed[0].name, "example.com");
    assert_string_equal(f->config->managed[1].name, "www.example.com");
}

TEST(certificate_without_name_or_domains_is_refused)
{
    struct config_fixture *f = *state;

    expect_refusal(f, "certificates: [{name: a}]", "2:16: this certificate has no \"domains\"");
    expect_refusal(f, "certificates: [{name: a, domains: []}]", "2:35: this certificate has no \"domains\"");
    expect_refusal(f, "certificates: [{csr: /x}]",
                   "2:16: this certificate has no \"name\", and no \"domains\" to make one of");
    expect_refusal(f, "certificates: [{domains: [m\xc3\xbc.example]}]",
                   "2:16: this certificate has no \"name\", and none can be made of \"m\xc3\xbc.example\"");
    expect_hint(f, "Add a line like: name: web-server");
    load_lines(f, "certificates: [{csr: /x, name: mine}]");
    expect_silence(f);
    load_lines(f, "certificates: []");
    expect_silence(f);
}

#define TOO_LONG "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbc"

TEST(names_that_are_unfit_for_a_directory_are_refused)
{
    static const char *const bad[] = {".a", "-a", "a/b", "a b", "", "m\xc3\xbc", "..", TOO_LONG};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char AUTO_FREE *line = mem_printf("certificates: [{name: \"%s\", domains: [a.example]}]", bad[i]);

        load_lines(f, line);
        assert_int_equal(f->code, ERR_CONFIG);
        assert_non_null(strstr(f->err.msg, "c.yaml:2:23: \"certificates[0].name\" must be at most 100 letters"));
        assert_int_equal(f->problems.count, 0);
    }
    load_lines(f, "certificates: [{name: _A-b.c@d9, domains: [a.example]}]");
    expect_silence(f);
}

TEST(two_certificates_of_one_name_are_refused)
{
    struct config_fixture *f = *state;

    expect_refusal(f, "certificates:\n- domains: [a.example]\n- domains: [\"*.A.example\"]",
                   "4:3: a second certificate of the name \"a.example\"; the other is in line 3");
}

/* Some file systems have one directory for both. */
TEST(two_certificates_whose_names_differ_in_case_alone_are_refused)
{
    struct config_fixture *f = *state;

    expect_refusal(
        f,
        "certificates:\n- {name: WEB, domains: [a.example]}\n- {name: mail, domains: [b.example]}\n"
        "- {name: Web, domains: [c.example]}",
        "5:3: a second certificate of the name \"Web\", but for upper and lower case; the other is in line 3");
    load_lines(f, "certificates:\n- {name: WEB, domains: [a.example]}\n- {name: mail, domains: [b.example]}\n"
                  "- {name: a, domains: [c.example]}");
    expect_silence(f);
    assert_int_equal(config_certificate_find(f->config, "WEB"), 0);
    assert_int_equal(config_certificate_find(f->config, "mail"), 1);
    assert_int_equal(config_certificate_find(f->config, "a"), 2);
    assert_int_equal(config_certificate_find(f->config, "web"), SIZE_MAX);
}

TEST(domains_are_a_list_of_single_names)
{
    struct config_fixture *f = *state;

    expect_refusal(f, "certificates: [{domains: \"a.example\"}]",
                   "2:26: \"certificates[0].domains\" must be a list, e.g. [one, two]");
    expect_refusal(f, "certificates: [{domains: [a.example b.example]}]",
                   "2:27: \"certificates[0].domains\" must be one domain name, not \"a.example b.example\"");
}

TEST(items_that_are_no_mappings_and_unknown_keys_are_refused)
{
    struct config_fixture *f = *state;

    expect_refusal(f, "certificates: [a.example]",
                   "2:16: \"certificates[0]\" must be a mapping (\"key: value\" lines), not a single value");
    expect_refusal(f, "certificates: [~]", "2:16: \"certificates[0]\" is empty");
    expect_refusal(f, "certificates: [{domains: [a.example], profil: x}]",
                   "2:39: unknown key \"certificates[0].profil\"; did you mean \"certificates[0].profile\"?");
    expect_refusal(f, "certificates: [{domains: [a.example], keep: 3}]",
                   "2:39: unknown key \"certificates[0].keep\"; did you mean \"certificates[0].key\"?");
}

/* ------------------------------------------------------------------ single settings */

TEST(mode_that_lets_others_in_is_refused)
{
    static const char *const bad[] = {"0644", "0604", "0660", "0700", "0610", "0", "600x", "00600", "0200", "1600"};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char AUTO_FREE *line = mem_printf("acme: {key_mode: %s}", bad[i]);
        char AUTO_FREE *message = mem_printf("2:18: \"acme.key_mode\" must be 0600, 0640, 0400 or 0440, not \"%s\"",
                                             bad[i]);

        expect_refusal(f, line, message);
    }
    load_lines(f, "acme: {key_mode: 640}");
    expect_silence(f);
    assert_int_equal(f->config->certificate_defaults.key_mode, 0640);
}

TEST(commands_that_need_a_shell_are_refused)
{
    struct config_fixture *f = *state;

    expect_refusal(f, "acme: {deploy: \"" FIXTURE_DRIVE "/bin/hook reload\"}",
                   "2:16: \"acme.deploy\" is one word with spaces, and no program of that name exists; there is no "
                   "shell");
    expect_hint(f, "Write a program and its arguments as a list: [/path/to/program, argument].");
    expect_refusal(f, "acme: {deploy: \"systemctl reload\"}",
                   "2:16: \"acme.deploy\" is one word with spaces, and no program of that name exists; there is no "
                   "shell");
    expect_refusal(f, "acme: {deploy: ./hook}",
                   "2:16: \"acme.deploy\" must be an absolute path, or the name of a program that PATH has, not "
                   "\"./hook\"");
    expect_refusal(f, "acme: {deploy: [\"~/hook\", x]}",
                   "2:17: \"acme.deploy\" must be an absolute path, or the name of a program that PATH has, not "
                   "\"~/hook\"");
    expect_refusal(f, "acme: {deploy: [\"\"]}",
                   "2:17: \"acme.deploy\" must be an absolute path, or the name of a program that PATH has, not \"\"");
    expect_refusal(f, "acme: {deploy: [" FIXTURE_DRIVE "/bin/x, \"a\\x01\"]}",
                   fixture_here("2:25: an argument in \"acme.deploy\" is too long or has control characters",
                                "2:27: an argument in \"acme.deploy\" is too long or has control characters"));
}

TEST(program_with_a_space_in_its_name_is_taken_when_it_exists)
{
    struct config_fixture *f = *state;
    char AUTO_FREE *line = mem_printf("acme: {deploy: \"%s/my hook\"}", f->dir);

    given_write(f, "my hook", "");
    load_lines(f, line);
    expect_silence(f);
    assert_int_equal(f->config->certificate_defaults.deploy.items[0].argv.count, 1);
}

TEST(commands_of_another_shape_are_refused)
{
    struct config_fixture *f = *state;

    expect_refusal(f, "acme: {deploy: [[/bin/a], /bin/b]}",
                   "2:27: \"acme.deploy\" must hold lists of a program and its arguments only");
    expect_refusal(f, "acme: {deploy: [[/bin/a], []]}",
                   "2:27: \"acme.deploy\" must hold lists of a program and its arguments only");
    expect_refusal(f, "acme: {deploy: [[/bin/a, [x]]]}", "2:26: \"acme.deploy\" must be a single value, not a list");
    expect_refusal(f, "acme: {deploy: {a: b}}", "2:16: \"acme.deploy\" must be a list, e.g. [one, two]");
    expect_refusal(f, "acme: {deploy:  }", "2:17: \"acme.deploy\" has no value; an empty list is []");
}

TEST(arguments_may_be_empty_and_have_several_lines)
{
    struct config_fixture *f = *state;

    load_lines(f, "acme: {deploy: [" FIXTURE_DRIVE "/bin/x, \"\", \"a\\nb\", \"-c;d,e\"]}");
    expect_silence(f);
    expect_argv(&f->config->certificate_defaults.deploy, 0, FIXTURE_DRIVE "/bin/x,,a\nb,-c\\;d\\,e;");
}

TEST(options_for_commands_may_be_repeated_and_are_not_split)
{
    struct config_fixture *f = *state;

    given_override(f, "acme.deploy", FIXTURE_DRIVE "/bin/a,b");
    given_override(f, "acme.deploy", FIXTURE_DRIVE "/bin/c");
    load_lines(f, "acme: {deploy: " FIXTURE_DRIVE "/bin/z}");
    expect_silence(f);
    assert_int_equal(f->config->certificate_defaults.deploy.count, 2);
    expect_argv(&f->config->certificate_defaults.deploy, 0, FIXTURE_DRIVE "/bin/a\\,b;");
    expect_argv(&f->config->certificate_defaults.deploy, 1, FIXTURE_DRIVE "/bin/c;");
}

/* ------------------------------------------------------------------ what wins */

static void expect_given(const struct config *config, size_t index, const char *setting, const char *where)
{
    enum config_source_kind kind;
    const char *got;

    assert_int_equal(config_certificate_setting(config, index, setting, &kind, &got), strcmp(where, "default") != 0);
    assert_int_equal(kind != CONFIG_DEFAULT, strcmp(where, "default") != 0);
    assert_string_equal(strncmp(got, config->file, strlen(config->file)) == 0 ? got + strlen(config->file) : got,
                        where);
}

#define TWO                                                                                                            \
    "acme: {profile: general, der: true, deploy: " FIXTURE_DRIVE "/bin/general}\n"                                     \
    "certificates:\n"                                                                                                  \
    "- {domains: [a.example], profile: own, der: false, deploy: [], directory: zerossl}\n"                             \
    "- {domains: [b.example]}"

TEST(own_setting_wins_over_that_of_acme)
{
    struct config_fixture *f = *state;
    const struct config_certificate *c;

    load_lines(f, TWO);
    expect_silence(f);
    c = f->config->managed;
    assert_string_equal(c[0].settings.profile, "own");
    assert_false(c[0].settings.der);
    assert_int_equal(c[0].settings.deploy.count, 0);
    assert_string_equal(c[0].settings.key_type, "ecdsa-p256");
    assert_string_equal(c[0].directory, "https://acme.zerossl.com/v2/DV90");
    assert_string_equal(c[1].settings.profile, "general");
    assert_true(c[1].settings.der);
    assert_int_equal(c[1].settings.deploy.count, 1);
    assert_null(c[1].directory);
    expect_given(f->config, 0, "profile", ":4:35");
    expect_given(f->config, 1, "profile", ":2:17");
    expect_given(f->config, SIZE_MAX, "profile", ":2:17");
    expect_given(f->config, 0, "directory", ":4:75");
    expect_given(f->config, 0, "csr", "default");
    expect_given(f->config, 1, "owner", "default");
    assert_int_equal(config_source(f->config, "certificates[0].profile"), CONFIG_FILE);
    assert_int_equal(config_source(f->config, "certificates[1].profile"), CONFIG_DEFAULT);
}

TEST(option_wins_over_all)
{
    struct config_fixture *f = *state;

    given_override(f, "acme.profile", "option");
    given_override(f, "acme.directory", "buypass");
    given_override(f, "certificates[].csr", "x.csr");
    load_lines(f, TWO);
    expect_silence(f);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(f->config->managed[i].settings.profile, "option");
        assert_string_equal(f->config->managed[i].settings.csr_file, "x.csr");
        assert_null(f->config->managed[i].directory);
        expect_given(f->config, i, "profile", "option --profile");
        expect_given(f->config, i, "csr", "option --csr");
        expect_given(f->config, i, "directory", "option --directory");
    }
    assert_string_equal(f->config->certificate_defaults.csr_file, "x.csr");
    expect_given(f->config, SIZE_MAX, "csr", "option --csr");
}

TEST(settings_of_one_certificate_are_no_options)
{
    struct config_fixture *f = *state;

    given_override(f, "certificates[].profile", "x");
    load_lines(f, TWO);
    expect_error(f, ERR_CONFIG, "option certificates[].profile: this can't be set on the command line");
}

TEST(settings_of_thousands_of_certificates_are_found_quickly)
{
    struct config_fixture *f = *state;
    struct buf AUTO_BUF text = BUF_INIT(1 << 20);

    buf_puts(&text, GOOD_CREDENTIALS "certificates:\n");
    for (int i = 0; i < 8000; i++)
        buf_printf(&text, "- {domains: [n%d.example], profile: p%d}\n", i, i);
    load_config_bytes(f, buf_cstr(&text), text.len);
    expect_silence(f);
    assert_int_equal(f->config->managed_count, 8000);
    assert_string_equal(f->config->managed[7999].settings.profile, "p7999");
    expect_given(f->config, 7999, "profile", ":8002:39");
    for (size_t i = 0; i < 8000; i++)
        assert_int_equal(config_certificate_find(f->config, f->config->managed[i].name), i);
    assert_true(config_certificate_find(f->config, "n8000.example") == SIZE_MAX);
    assert_true(config_certificate_find(f->config, "") == SIZE_MAX);
    assert_false(f->config->has_certificate_options);
}

/* ------------------------------------------------------------------ as text */

TEST(names_of_settings_are_those_of_the_table)
{
    size_t count, key_count, matching = 0;
    const char *const *names = config_certificate_setting_names(&count);
    const struct config_key *keys = config_keys(&key_count);

    for (size_t i = 0; i < key_count; i++) {
        if (strncmp(keys[i].path, "certificates[].", 15) != 0 ||
            keys[i].offset < offsetof(struct config_certificate, settings))
            continue;
        assert_true(matching < count);
        assert_string_equal(names[matching++], keys[i].path + 15);
    }
    assert_int_equal(matching, count);
}

TEST(every_setting_survives_the_way_through_text)
{
    static const struct {
        const char *setting, *value;
    } table[] = {{"key_type", "rsa-3072"},
                 {"reuse_key", "true"},
                 {"profile", "tls server \xc3\xbc"},
                 {"preferred_chain", " ISRG Root X1"},
                 {"challenge", "dns-account-01"},
                 {"renew_before", "2/5"},
                 {"renew_before", "36h"},
                 {"csr", "/a b,c.csr"},
                 {"key", "key.pem"},
                 {"owner", "www"},
                 {"group", "ssl"},
                 {"key_mode", "0440"},
                 {"combined", "true"},
                 {"der", "false"},
                 {"pfx", "true"},
                 {"pfx_legacy", "true"},
                 {"pfx_password_file", "/pw"},
                 {"pre", ""},
                 {"deploy", FIXTURE_DRIVE "/bin/a,x y,,\\,\\;\\\\,\n;b;"},
                 {"deploy_once", "true"},
                 {"post", FIXTURE_DRIVE "/no such program;"},
                 {"failed", FIXTURE_DRIVE "/bin/false;"}};
    size_t count;
    const char *const *names = config_certificate_setting_names(&count);
    bool seen[64] = {false};

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct config_certificate_settings AUTO_CONFIG_CERTIFICATE_SETTINGS s = {.key_type = NULL};
        struct config_certificate_settings AUTO_CONFIG_CERTIFICATE_SETTINGS copy = {.key_type = NULL};
        struct err err;

        assert_int_equal(config_certificate_apply(&s, table[i].setting, table[i].value, "x", &err), ERR_OK);
        config_certificate_settings_copy(&copy, &s);
        for (size_t j = 0; j < count; j++) {
            char AUTO_FREE *first = config_certificate_format(&s, names[j]);
            char AUTO_FREE *second = config_certificate_format(&copy, names[j]);

            assert_true(!first == !second);
            assert_true(!first || strcmp(first, second) == 0);
            if (strcmp(names[j], table[i].setting) != 0)
                continue;
            seen[j] = true;
            assert_non_null(first);
            assert_string_equal(first, table[i].value);
        }
    }
    for (size_t j = 0; j < count; j++)
        assert_true(seen[j]);
}

TEST(what_was_not_said_has_no_text)
{
    static const char *const unsaid[] = {
        "key_type", "profile",  "preferred_chain",   "renew_before",   "csr", "key", "owner",
        "group",    "key_mode", "pfx_password_file", "no_such_setting"};
    const struct config_certificate_settings s = {.key_type = NULL};

    for (size_t i = 0; i < ARRAY_LEN(unsaid); i++)
        assert_null(config_certificate_format(&s, unsaid[i]));
}

TEST(text_that_is_wrong_changes_nothing)
{
    static const struct {
        const char *setting, *value, *message;
    } table[] = {
        {"key_type", "dsa", "renewal of \"a\": \"key_type\" must be a type of key, not \"dsa\""},
        {"key_mode", "0777", "renewal of \"a\": \"key_mode\" must be 0600, 0640, 0400 or 0440, not \"0777\""},
        {"deploy", FIXTURE_DRIVE "/bin/a", "renewal of \"a\": \"deploy\" is no text of commands"},
        {"deploy", FIXTURE_DRIVE "/bin/a,", "renewal of \"a\": \"deploy\" is no text of commands"},
        {"deploy", FIXTURE_DRIVE "/bin/a;\\", "renewal of \"a\": \"deploy\" is no text of commands"},
        {"deploy", ";",
         "renewal of \"a\": \"deploy\" must be an absolute path, or the name of a program that PATH has, not \"\""},
        {"pfx", "perhaps", "renewal of \"a\": \"pfx\" must be true or false, not \"perhaps\""},
        {"name", "x", "renewal of \"a\": certificates have no setting \"name\""},
        {"keep", "1", "renewal of \"a\": certificates have no setting \"keep\""},
    };
    struct config_certificate_settings AUTO_CONFIG_CERTIFICATE_SETTINGS s = {.key_type = NULL};
    struct err err;

    assert_int_equal(config_certificate_apply(&s, "key_type", "rsa-2048", "x", &err), ERR_OK);
    assert_int_equal(config_certificate_apply(&s, "key_mode", "0640", "x", &err), ERR_OK);
    assert_int_equal(config_certificate_apply(&s, "deploy", FIXTURE_DRIVE "/bin/old;", "x", &err), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        assert_int_equal(config_certificate_apply(&s, table[i].setting, table[i].value, "renewal of \"a\"", &err),
                         ERR_CONFIG);
        assert_string_equal(err.msg, table[i].message);
    }
    assert_string_equal(s.key_type, "rsa-2048");
    assert_int_equal(s.key_mode, 0640);
    expect_argv(&s.deploy, 0, FIXTURE_DRIVE "/bin/old;");
    assert_false(s.pfx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(every_setting_of_a_certificate_is_taken),
        CONFIG_TEST(name_comes_from_the_first_domain),
        CONFIG_TEST(certificate_without_name_or_domains_is_refused),
        CONFIG_TEST(names_that_are_unfit_for_a_directory_are_refused),
        CONFIG_TEST(two_certificates_of_one_name_are_refused),
        CONFIG_TEST(two_certificates_whose_names_differ_in_case_alone_are_refused),
        CONFIG_TEST(domains_are_a_list_of_single_names),
        CONFIG_TEST(items_that_are_no_mappings_and_unknown_keys_are_refused),
        CONFIG_TEST(mode_that_lets_others_in_is_refused),
        CONFIG_TEST(commands_that_need_a_shell_are_refused),
        CONFIG_TEST(program_with_a_space_in_its_name_is_taken_when_it_exists),
        CONFIG_TEST(commands_of_another_shape_are_refused),
        CONFIG_TEST(arguments_may_be_empty_and_have_several_lines),
        CONFIG_TEST(options_for_commands_may_be_repeated_and_are_not_split),
        CONFIG_TEST(own_setting_wins_over_that_of_acme),
        CONFIG_TEST(option_wins_over_all),
        CONFIG_TEST(settings_of_one_certificate_are_no_options),
        CONFIG_TEST(settings_of_thousands_of_certificates_are_found_quickly),
        cmocka_unit_test(names_of_settings_are_those_of_the_table),
        cmocka_unit_test(every_setting_survives_the_way_through_text),
        cmocka_unit_test(what_was_not_said_has_no_text),
        cmocka_unit_test(text_that_is_wrong_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
