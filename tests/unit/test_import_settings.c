/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "import/settings.h"
#include "test.h"
#include "util/buf.h"

typedef enum err_code parse_fn(const char *, size_t, const char *, struct import_settings *, struct err *);

static struct import_settings parse(parse_fn *fn, const char *text)
{
    struct import_settings settings;
    struct err err;

    if (fn(text, strlen(text), "x.conf", &settings, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return settings;
}

/* The message; borrowed until the next one. */
static const char *refusal(parse_fn *fn, const char *text)
{
    static struct err err;
    struct import_settings settings = {NULL, NULL, 7};

    assert_int_equal(fn(text, strlen(text), "x.conf", &settings, &err), ERR_INPUT);
    assert_int_equal(settings.count, 7); /* untouched */
    return err.msg;
}

static const char *text_of(const struct import_settings *settings, const char *section, const char *key)
{
    const char *text = "unset";
    struct err err;

    assert_int_equal(import_settings_text(settings, section, key, &text, &err), ERR_OK);
    return text;
}

TEST(sections_comments_and_quotes_of_certbot_are_read)
{
    AUTO_IMPORT_SETTINGS struct import_settings s = parse(import_settings_parse_ini,
                                                          "# renew_before_expiry = 30 days\r\n"
                                                          "version = 2.1.0\n"
                                                          "\n"
                                                          "cert =   /etc/a = b/cert.pem  # where it is\n"
                                                          "[renewalparams] # what follows\n"
                                                          "version = other\n"
                                                          "hook = \"echo 'a' # b\" # quoted\n"
                                                          "single = 'say \"x\"'\n"
                                                          "empty =\n"
                                                          "none = None\n"
                                                          "chall = dns-01,\n"
                                                          "list = \"a\", \"b\"\n"
                                                          "reuse_key = True\n"
                                                          "[[webroot_map]]\n"
                                                          "example.com = /srv/www");

    assert_string_equal(text_of(&s, "", "version"), "2.1.0");
    assert_string_equal(text_of(&s, "", "cert"), "/etc/a = b/cert.pem");
    assert_string_equal(text_of(&s, "renewalparams", "version"), "other");
    assert_string_equal(text_of(&s, "renewalparams", "hook"), "echo 'a' # b");
    assert_string_equal(text_of(&s, "renewalparams", "single"), "say \"x\"");
    assert_string_equal(text_of(&s, "renewalparams", "chall"), "dns-01,");
    assert_string_equal(text_of(&s, "renewalparams", "list"), "\"a\", \"b\"");
    assert_string_equal(text_of(&s, "[webroot_map]", "example.com"), "/srv/www");
    assert_null(text_of(&s, "renewalparams", "empty"));
    assert_null(text_of(&s, "renewalparams", "none"));
    assert_null(text_of(&s, "renewalparams", "absent"));
    assert_true(import_settings_has(&s, "renewalparams", "hook"));
    assert_false(import_settings_has(&s, "renewalparams", "none"));
    assert_false(import_settings_has(&s, "renewalparams", "empty"));
    assert_false(import_settings_has(&s, "", "hook"));
    assert_true(import_settings_is_true(&s, "renewalparams", "reuse_key"));
    assert_false(import_settings_is_true(&s, "renewalparams", "none"));
    assert_int_equal(import_settings_find(&s, "[webroot_map]", "example.com")->line, 15);
}

TEST(mistakes_in_certbots_files_are_told_with_their_line)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"a = 1\nnothing\n", "x.conf:2: neither a setting"},
        {"= 1\n", "x.conf:1: neither a setting"},
        {"\n\n[open\n", "x.conf:3: a section's name is not closed"},
        {"[]\n", "x.conf:1: a section's name is not closed"},
        {"[[a]\n", "x.conf:1: a section's name is not closed"},
        {"[a] b\n", "x.conf:1: there is something behind a section's name"},
        {"a = 'x\n", "x.conf:1: a quote is not closed"},
        {"a = '\n", "x.conf:1: a quote is not closed"},
        {"a = 'x' y\n", "x.conf:1: there is something behind a closing quote"},
        {"a = '''x\ny'''\n", "x.conf:1: values of several lines"},
        {"a = 1\nb = 2\na = 3\n", "x.conf:3: \"a\" is set again; line 1 has it first"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_non_null(strstr(refusal(import_settings_parse_ini, rows[i].text), rows[i].why));
}

TEST(assignments_of_a_shell_are_read_without_one)
{
    AUTO_IMPORT_SETTINGS struct import_settings s = parse(import_settings_parse_shell,
                                                          "# comment\n"
                                                          "Le_Domain='example.com'\n"
                                                          "  Le_Alt=\"a.example.com,b.example.com\"\n"
                                                          "Le_Keylength=ec-256\n"
                                                          "Le_Empty=''\n"
                                                          "Le_Bare=\n"
                                                          "Le_Literal='$(touch /tmp/x) `id` \\ \"'\n"
                                                          "Le_Domain='last.example.com'\n");

    assert_string_equal(text_of(&s, "", "Le_Domain"), "last.example.com");
    assert_string_equal(text_of(&s, "", "Le_Alt"), "a.example.com,b.example.com");
    assert_string_equal(text_of(&s, "", "Le_Keylength"), "ec-256");
    assert_null(text_of(&s, "", "Le_Empty"));
    assert_null(text_of(&s, "", "Le_Bare"));
    assert_string_equal(text_of(&s, "", "Le_Literal"), "$(touch /tmp/x) `id` \\ \"");
}

TEST(what_takes_a_shell_to_tell_is_refused_when_it_is_needed_and_not_before)
{
    static const char *const values[] = {"'a'b'", "'a'\\''b'", "\"$HOME\"", "\"`id`\"", "\"a\\\"b\"", "$(id)", "a b",
                                         "'open", "'",         "\"",        "a;id",     "~/x",        "a'b'"};

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        AUTO_BUF struct buf text = BUF_INIT(100);
        const char *value = "untouched";
        struct err err;

        buf_printf(&text, "A='1'\nB=%s\n", values[i]);
        AUTO_IMPORT_SETTINGS struct import_settings s = parse(import_settings_parse_shell, buf_cstr(&text));
        assert_int_equal(import_settings_text(&s, "", "B", &value, &err), ERR_INPUT);
        assert_string_equal(err.msg, "x.conf:2: it takes a shell to tell the value of \"B\"");
        assert_string_equal(value, "untouched");
        assert_true(import_settings_has(&s, "", "B")); /* it is there, whatever it is */
        assert_string_equal(text_of(&s, "", "A"), "1");
    }
}

TEST(commands_in_a_file_of_assignments_are_refused)
{
    static const char *const texts[] = {"A='1'\nrm -rf /\n", "A='1'\nexport B='2'\n", "A='1'\n2A='x'\n",
                                        "A='1'\nA B='x'\n",  "A='1'\n='x'\n",         "A='1'\nB\n",
                                        "A='1'\nB ='x'\n"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_non_null(strstr(refusal(import_settings_parse_shell, texts[i]), "x.conf:2: neither a setting"));
}

TEST(the_number_of_settings_is_bounded)
{
    AUTO_BUF struct buf text = BUF_INIT(100000);

    for (int i = 0; i < 2001; i++)
        buf_printf(&text, "K%d=1\n", i);
    assert_non_null(
        strstr(refusal(import_settings_parse_ini, buf_cstr(&text)), "x.conf:2001: more than 2000 settings"));
    assert_non_null(
        strstr(refusal(import_settings_parse_shell, buf_cstr(&text)), "x.conf:2001: more than 2000 settings"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_comments_and_quotes_of_certbot_are_read),
        cmocka_unit_test(mistakes_in_certbots_files_are_told_with_their_line),
        cmocka_unit_test(assignments_of_a_shell_are_read_without_one),
        cmocka_unit_test(what_takes_a_shell_to_tell_is_refused_when_it_is_needed_and_not_before),
        cmocka_unit_test(commands_in_a_file_of_assignments_are_refused),
        cmocka_unit_test(the_number_of_settings_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
