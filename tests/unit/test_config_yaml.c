/* SPDX-License-Identifier: MIT
 *
 * Input that is no acceptable YAML, up to the tree.
 */
#include <string.h>

#include "config/yaml.h"
#include "config_fixture.h"
#include "test.h"
#include "util/buf.h"

struct bad {
    const char *text;
    const char *message;
};

static void expect_each(struct config_fixture *f, const struct bad *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        load_config_text(f, table[i].text);
        expect_error(f, ERR_CONFIG, table[i].message);
    }
}

TEST(wrong_syntax_is_one_mistake_with_its_place)
{
    static const struct bad table[] = {
        {GOOD_CREDENTIALS "\tstate_dir: /x\n",
         "@/c.yaml:2:1: the line is indented with a tab, which YAML does not allow"},
        {"dnsmadeeasy:\n\tttl: 60\n", "@/c.yaml:2:1: the line is indented with a tab, which YAML does not allow"},
        {"state_dir: /a: b\n", "@/c.yaml:1:14: not valid YAML: mapping values are not allowed in this context"},
        {"state_dir: \"/a\n", "@/c.yaml:2:1: not valid YAML: found unexpected end of stream, while scanning a quoted "
                              "scalar that began in line 1"},
        {"accounts: [a, b\n", "@/c.yaml:2:1: not valid YAML: did not find expected ',' or ']', while parsing a flow "
                              "sequence that began in line 1"},
        {"dnsmadeeasy:\n   ttl: 60\n  timeout: 1s\n", "@/c.yaml:3:3: not valid YAML: did not find expected key, while "
                                                      "parsing a block mapping that began in line 1"},
        {"a: @b\n", "@/c.yaml:1:4: not valid YAML: found character that cannot start any token, while scanning for "
                    "the next token"},
        {"a: \"\\z\"\n", "@/c.yaml:1:5: not valid YAML: found unknown escape character, while parsing a quoted scalar"},
        {"state_dir: /a\x01\n", "@/c.yaml:1:14: not valid YAML: control characters are not allowed"},
    };
    struct config_fixture *f = *state;

    expect_each(f, table, ARRAY_LEN(table));
}

TEST(an_advice_comes_with_common_slips)
{
    struct config_fixture *f = *state;

    load_config_text(f, "dnsmadeeasy:\n\tttl: 60\n");
    expect_hint(f, "Indent with spaces.");
    load_config_text(f, "state_dir: \"/a\n");
    expect_hint(f, "A quote is opened and not closed.");
}

TEST(what_yaml_has_and_a_configuration_does_not_need_is_refused)
{
    static const struct bad table[] = {
        {GOOD_CREDENTIALS "state_dir: &a /x\n", "@/c.yaml:2:12: anchors (\"&name\") are not supported"},
        {GOOD_CREDENTIALS "dnsmadeeasy: &a\n  ttl: 60\n", "@/c.yaml:2:14: anchors (\"&name\") are not supported"},
        {GOOD_CREDENTIALS "state_dir: *a\n", "@/c.yaml:2:12: aliases (\"*name\") are not supported"},
        {GOOD_CREDENTIALS "state_dir: !!str /x\n", "@/c.yaml:2:12: tags (\"!name\") are not supported"},
        {GOOD_CREDENTIALS "dnsmadeeasy: {<<: {ttl: 60}}\n", "@/c.yaml:2:15: merge keys (\"<<\") are not supported"},
        {GOOD_CREDENTIALS "---\nstate_dir: /x\n", "@/c.yaml:2:1: a second document begins here; a file holds one"},
        {GOOD_CREDENTIALS "? [a, b]\n: 1\n", "@/c.yaml:2:3: a key must be plain text"},
        {GOOD_CREDENTIALS "? {a: 1}\n: 1\n", "@/c.yaml:2:3: a key must be plain text"},
        {GOOD_CREDENTIALS "\"\": 1\n", "@/c.yaml:2:1: a key must be plain text"},
        {GOOD_CREDENTIALS "\"a\\0b\": 1\n", "@/c.yaml:2:1: a key must be plain text"},
        {GOOD_CREDENTIALS "*a : 1\n", "@/c.yaml:2:1: aliases (\"*name\") are not supported"},
        {GOOD_CREDENTIALS "state_dir: \"/a\\0b\"\n", "@/c.yaml:2:12: \"state_dir\" holds a NUL character"},
    };
    struct config_fixture *f = *state;

    expect_each(f, table, ARRAY_LEN(table));
}

TEST(a_key_that_is_there_twice_is_refused_wherever_it_is)
{
    static const struct bad table[] = {
        {GOOD_CREDENTIALS "state_dir: /a\nstate_dir: /b\n",
         "@/c.yaml:3:1: key \"state_dir\" is there twice; the first is in line 2"},
        {GOOD_CREDENTIALS "dnsmadeeasy: {ttl: 5, \"ttl\": 5}\n",
         "@/c.yaml:2:23: key \"ttl\" is there twice; the first is in line 2"},
        {GOOD_CREDENTIALS GOOD_CREDENTIALS, "@/c.yaml:2:1: key \"credentials\" is there twice; the first is in line 1"},
    };
    struct config_fixture *f = *state;

    expect_each(f, table, ARRAY_LEN(table));
}

TEST(other_encodings_than_utf8_are_named)
{
    struct config_fixture *f = *state;

    load_config_bytes(f,
                      "\xff\xfe"
                      "a\0:\0 \0b\0",
                      10);
    expect_error(f, ERR_CONFIG, "@/c.yaml: the file is UTF-16");
    expect_hint(f, "Save it as UTF-8.");
    load_config_bytes(f, "\xfe\xff\0a\0:", 6);
    expect_error(f, ERR_CONFIG, "@/c.yaml: the file is UTF-16");
    load_config_bytes(f, "a\0:\0 \0b\0", 8);
    expect_error(f, ERR_CONFIG, "@/c.yaml: the file is UTF-16");
    load_config_text(f, GOOD_CREDENTIALS "# \xc3\xa4 caf\xe9\n");
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:8: the file is not UTF-8 from here on");
    load_config_text(f, "a\xc3");
    expect_error(f, ERR_CONFIG, "@/c.yaml:1:2: the file is not UTF-8 from here on");
}

TEST(a_byte_order_mark_and_crlf_are_no_mistakes)
{
    struct config_fixture *f = *state;

    load_config_text(f,
                     "\xef\xbb\xbf"
                     "credentials:\r\n  api_key: " GOOD_KEY "\r\n  api_secret: " GOOD_SECRET "\r\nstate_dir: /x\r\n");
    expect_silence(f);
    assert_string_equal(f->config->state_dir, "/x");
    load_config_text(f, "\xef\xbb\xbf"
                        "zzz: 1\r\nyyy: 2\r\n");
    expect_problems(f, "@/c.yaml:1:1: unknown key \"zzz\"\n@/c.yaml:2:1: unknown key \"yyy\"");
}

TEST(an_empty_file_is_a_mistake_and_one_of_comments_is_not)
{
    static const char *const empty[] = {"", "\n", " \r\n\t\n", "\xef\xbb\xbf"};
    static const char *const comments[] = {"# nothing yet\n", "---\n", "--- ~\n", "--- {}\n", "# a\n---\n# b\n...\n"};
    struct config_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        load_config_text(f, empty[i]);
        expect_error(f, ERR_CONFIG, "@/c.yaml: the file is empty");
    }
    given_env(f, "DNSMADEEASY_API_KEY", GOOD_KEY);
    given_env(f, "DNSMADEEASY_API_SECRET", GOOD_SECRET);
    for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
        load_config_text(f, comments[i]);
        expect_silence(f);
    }
}

TEST(the_top_must_be_a_mapping)
{
    struct config_fixture *f = *state;

    load_config_text(f, "- a\n- b\n");
    expect_error(f, ERR_CONFIG, "@/c.yaml:1:1: the file must hold \"key: value\" lines, not a list");
    load_config_text(f, GOOD_SECRET "\n");
    expect_error(f, ERR_CONFIG, "@/c.yaml:1:1: the file must hold \"key: value\" lines, not a single value");
    load_config_text(f, "*a\n");
    expect_error(f, ERR_CONFIG, "@/c.yaml:1:1: aliases (\"*name\") are not supported");
}

/* `n` levels of lists, or of mappings. */
static void load_nested(struct config_fixture *f, const char *open, const char *close, size_t n)
{
    struct buf AUTO_BUF b = BUF_INIT(1 << 20);

    buf_puts(&b, GOOD_CREDENTIALS "zzz: ");
    for (size_t i = 0; i < n; i++)
        buf_puts(&b, open);
    for (size_t i = 0; i < n; i++)
        buf_puts(&b, close);
    load_config_bytes(f, buf_cstr(&b), b.len);
}

TEST(nesting_is_bounded)
{
    struct config_fixture *f = *state;

    load_nested(f, "[", "]", 31);
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:1: unknown key \"zzz\"");
    load_nested(f, "[", "]", 32);
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:37: nested more than 32 levels deep");
    load_nested(f, "[", "", 100000);
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:37: nested more than 32 levels deep");
    load_nested(f, "{a: ", "}", 32);
    expect_error(f, ERR_CONFIG, "@/c.yaml:2:130: nested more than 32 levels deep");
}

TEST(size_is_bounded)
{
    struct config_fixture *f = *state;
    struct buf AUTO_BUF b = BUF_INIT(2 << 20);

    buf_puts(&b, GOOD_CREDENTIALS "# ");
    while (b.len < 1024 * 1024)
        buf_putc(&b, 'x');
    load_config_bytes(f, buf_cstr(&b), b.len);
    expect_silence(f);
    buf_putc(&b, 'x');
    load_config_bytes(f, buf_cstr(&b), b.len);
    expect_error(f, ERR_IO, "could not read \"@/c.yaml\": it is larger than 1048576 bytes");

    buf_clear(&b);
    buf_puts(&b, "a: [");
    for (size_t i = 0; i < 70000; i++)
        buf_puts(&b, "b,");
    buf_puts(&b, "]");
    load_config_bytes(f, buf_cstr(&b), b.len);
    expect_error(f, ERR_CONFIG, "@/c.yaml:1:131071: more than 65536 values in one file");

    buf_clear(&b);
    for (size_t i = 0; i < 257; i++)
        buf_printf(&b, "k%zu: 1\n", i);
    load_config_bytes(f, buf_cstr(&b), b.len);
    expect_error(f, ERR_CONFIG, "@/c.yaml:257:1: more than 256 keys in one place");
}

TEST(a_tree_has_keys_values_and_places)
{
    struct config_report report = {.warnings = NULL};
    struct yaml_tree AUTO(yaml_tree_free_auto) *tree = NULL;
    const char text[] = "a: {b: [1, 'two', null]}\n\"\xc3\xa4\": |\n  x\n  y\nc:\n";
    const struct yaml_tree *list;

    (void)state;
    tree = yaml_tree_parse("f", text, sizeof text - 1, &report);
    assert_non_null(tree);
    assert_int_equal(report.count, 0);
    assert_int_equal(tree->count, 3);
    list = yaml_tree_get(yaml_tree_get(tree, "a"), "b");
    assert_int_equal(list->kind, YAML_TREE_LIST);
    assert_int_equal(list->count, 3);
    assert_string_equal(list->items[0].text, "1");
    assert_string_equal(list->items[1].text, "two");
    assert_int_equal(list->items[2].kind, YAML_TREE_NULL);
    assert_int_equal(list->items[1].line, 1);
    assert_int_equal(list->items[1].column, 12);
    assert_string_equal(yaml_tree_get(tree, "\xc3\xa4")->text, "x\ny\n");
    assert_int_equal(yaml_tree_get(tree, "c")->kind, YAML_TREE_NULL);
    assert_int_equal(yaml_tree_get(tree, "c")->key_line, 5);
    assert_null(yaml_tree_get(tree, "d"));
    assert_null(yaml_tree_get(list, "d"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(wrong_syntax_is_one_mistake_with_its_place),
        CONFIG_TEST(an_advice_comes_with_common_slips),
        CONFIG_TEST(what_yaml_has_and_a_configuration_does_not_need_is_refused),
        CONFIG_TEST(a_key_that_is_there_twice_is_refused_wherever_it_is),
        CONFIG_TEST(other_encodings_than_utf8_are_named),
        CONFIG_TEST(a_byte_order_mark_and_crlf_are_no_mistakes),
        CONFIG_TEST(an_empty_file_is_a_mistake_and_one_of_comments_is_not),
        CONFIG_TEST(the_top_must_be_a_mapping),
        CONFIG_TEST(nesting_is_bounded),
        CONFIG_TEST(size_is_bounded),
        cmocka_unit_test(a_tree_has_keys_values_and_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
