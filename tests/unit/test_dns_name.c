/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "test.h"
#include "util/buf.h"
#include "util/mem.h"

static void expect_name(const char *in, const char *want)
{
    char *out = NULL;
    struct err err;

    if (name_normalise(in, &out, &err) != ERR_OK)
        fail_msg("\"%s\": %s", in, err.msg);
    assert_string_equal(out, want);
    free(out);
}

static void expect_refused(const char *in, const char *because)
{
    char *out = NULL;
    struct err err = {0};

    assert_int_equal(name_normalise(in, &out, &err), ERR_INPUT);
    assert_int_equal(err.code, ERR_INPUT);
    assert_null(out);
    if (!strstr(err.msg, because))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, because);
}

TEST(names_become_lower_case_without_the_trailing_dot)
{
    expect_name("Example.COM.", "example.com");
    expect_name("_acme-challenge.Example.com", "_acme-challenge.example.com");
    expect_name("a", "a");
    expect_name("xn--bcher-kva.example", "xn--bcher-kva.example");
    expect_name("1.2.0.192.in-addr.arpa", "1.2.0.192.in-addr.arpa");
}

TEST(a_null_or_empty_name_is_refused)
{
    expect_refused(NULL, "empty");
    expect_refused("", "empty");
    expect_refused(".", "empty label");
    expect_refused("..", "empty label");
}

TEST(empty_labels_are_refused_with_their_position)
{
    expect_refused("a..b", "empty label at position 3");
    expect_refused(".a", "empty label at position 1");
    expect_refused("a..", "empty label");
}

TEST(wildcards_are_refused_by_name)
{
    expect_refused("*.example.com", "wildcard");
    expect_refused("a.*.example.com", "\"*\" at position 3");
}

TEST(characters_that_no_host_name_has_are_refused)
{
    static const char *const bad[] = {"a b.example",  "a/b.example",   "a\\.example", "a\"b.example",
                                      "a;b",          "$(id).example", "a@example",   "a:53",
                                      "[::1]",        "a\tb",          "a\nb",        "\x7f.example",
                                      "\x1b[2J.evil", "-a,b",          "a%00b",       "`id`"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_refused(bad[i], "");
}

TEST(control_characters_do_not_reach_the_message)
{
    struct err err = {0};
    char *out = NULL;

    assert_int_equal(name_normalise("evil\x1b[2J\r\n.example", &out, &err), ERR_INPUT);
    for (const char *p = err.msg; *p; p++)
        assert_true((unsigned char)*p >= ' ');
}

TEST(a_label_may_have_63_octets_but_not_64)
{
    char name[80];

    memset(name, 'a', sizeof name);
    memcpy(name + 63, ".com", 5);
    expect_name(name, name);
    memset(name, 'a', sizeof name);
    memcpy(name + 64, ".com", 5);
    expect_refused(name, "64 octets at position 1");
}

static char *long_name(size_t len)
{
    char *name = mem_calloc(len + 1, 1);

    for (size_t i = 0; i < len; i++)
        name[i] = i % 50 == 49 && i + 1 < len ? '.' : 'b';
    return name;
}

TEST(a_name_may_have_253_octets_but_not_254)
{
    AUTO_FREE char *longest = long_name(253);
    AUTO_FREE char *longer = long_name(254);
    AUTO_FREE char *with_dot = mem_printf("%s.", longest);

    expect_name(longest, longest);
    expect_name(with_dot, longest);
    expect_refused(longer, "254 octets");
}

TEST(a_megabyte_is_refused_without_being_read)
{
    AUTO_FREE char *huge = long_name(1 << 20);

    expect_refused(huge, "1048576 octets");
}

TEST(text_that_is_no_utf8_is_refused)
{
    expect_refused("b\xfc"
                   "cher.example",
                   "neither ASCII nor UTF-8");
    expect_refused("\xc0\xae.example", "neither ASCII nor UTF-8");
}

#ifdef HAVE_LIBIDN2
TEST(non_ascii_names_become_a_labels)
{
    expect_name("b\xc3\xbc"
                "cher.example",
                "xn--bcher-kva.example");
    expect_name("B\xc3\x9c"
                "CHER.Example.",
                "xn--bcher-kva.example");
    expect_name("_acme-challenge.b\xc3\xbc"
                "cher.example",
                "_acme-challenge.xn--bcher-kva.example");
    expect_name("stra\xc3\x9f"
                "e.example",
                "xn--strae-oqa.example"); /* IDNA 2008, not 2003's "strasse" */
}

TEST(non_ascii_names_that_idna_forbids_are_refused)
{
    expect_refused("\xe2\x98\xba\xe2\x80\x8b.example", "internationalised");
    expect_refused("a\xe3\x80\x82\xe3\x80\x82"
                   "b",
                   "");
}
#else
TEST(non_ascii_names_become_a_labels)
{
    expect_refused("b\xc3\xbc"
                   "cher.example",
                   "built without libidn2");
}

TEST(non_ascii_names_that_idna_forbids_are_refused)
{
    expect_refused("\xe2\x98\xba.example", "built without libidn2");
}
#endif

TEST(within_means_equal_or_below_at_a_label_border)
{
    assert_true(name_is_within("example.com", "example.com"));
    assert_true(name_is_within("a.b.example.com", "example.com"));
    assert_true(name_is_within("example.com", ""));
    assert_false(name_is_within("notexample.com", "example.com"));
    assert_false(name_is_within("com", "example.com"));
    assert_false(name_is_within("example.com.evil", "example.com"));
    assert_false(name_is_within("", "example.com"));
}

TEST(relative_is_what_stands_in_front_of_the_zone)
{
    AUTO_FREE char *apex = name_relative("example.com", "example.com");
    AUTO_FREE char *below = name_relative("a.b.example.com", "example.com");
    AUTO_FREE char *root = name_relative("example.com", "");

    assert_string_equal(apex, "");
    assert_string_equal(below, "a.b");
    assert_string_equal(root, "example.com");
}

TEST(the_parent_lacks_the_first_label)
{
    assert_string_equal(name_parent("a.b.c"), "b.c");
    assert_null(name_parent("c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_lower_case_without_the_trailing_dot),
        cmocka_unit_test(a_null_or_empty_name_is_refused),
        cmocka_unit_test(empty_labels_are_refused_with_their_position),
        cmocka_unit_test(wildcards_are_refused_by_name),
        cmocka_unit_test(characters_that_no_host_name_has_are_refused),
        cmocka_unit_test(control_characters_do_not_reach_the_message),
        cmocka_unit_test(a_label_may_have_63_octets_but_not_64),
        cmocka_unit_test(a_name_may_have_253_octets_but_not_254),
        cmocka_unit_test(a_megabyte_is_refused_without_being_read),
        cmocka_unit_test(text_that_is_no_utf8_is_refused),
        cmocka_unit_test(non_ascii_names_become_a_labels),
        cmocka_unit_test(non_ascii_names_that_idna_forbids_are_refused),
        cmocka_unit_test(within_means_equal_or_below_at_a_label_border),
        cmocka_unit_test(relative_is_what_stands_in_front_of_the_zone),
        cmocka_unit_test(the_parent_lacks_the_first_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
