/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/issue.h"
#include "test.h"
#include "util/mem.h"

static void refuses(const char *text, const char *why)
{
    AUTO(strlist_done) struct strlist names = {NULL, 0};
    struct err err;

    err_init(&err);
    if (issue_names_add(&names, text, &err) != ERR_INPUT)
        fail_msg("\"%s\" was taken", text);
    assert_int_equal(names.count, 0);
    if (!strstr(err.msg, why))
        fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, err.msg, why);
}

TEST(names_are_normalised_and_kept_in_their_order)
{
    AUTO(strlist_done) struct strlist names = {NULL, 0};

    assert_int_equal(issue_names_add(&names, "WWW.Example.com.", NULL), ERR_OK);
    assert_int_equal(issue_names_add(&names, "*.Example.COM", NULL), ERR_OK);
    assert_int_equal(issue_names_add(&names, "example.com", NULL), ERR_OK);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.items[0], "www.example.com");
    assert_string_equal(names.items[1], "*.example.com");
    assert_string_equal(names.items[2], "example.com");
}

TEST(several_names_may_stand_in_one_word)
{
    AUTO(strlist_done) struct strlist names = {NULL, 0};

    assert_int_equal(issue_names_add(&names, "a.example.com, b.example.com ,c.example.com", NULL), ERR_OK);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.items[1], "b.example.com");
}

TEST(a_name_that_is_there_is_not_added_again)
{
    AUTO(strlist_done) struct strlist names = {NULL, 0};

    assert_int_equal(issue_names_add(&names, "example.com,EXAMPLE.com.,*.example.com,*.Example.com", NULL), ERR_OK);
    assert_int_equal(names.count, 2);
}

#ifdef HAVE_LIBIDN2
TEST(names_of_other_scripts_become_a_labels)
{
    AUTO(strlist_done) struct strlist names = {NULL, 0};

    assert_int_equal(issue_names_add(&names, "*.gr\xc3\xbc\xc3\x9f.example.com", NULL), ERR_OK);
    assert_string_equal(names.items[0], "*.xn--gr-hia9i.example.com");
}
#endif

TEST(what_no_certificate_can_be_had_for_is_explained)
{
    refuses("192.0.2.1", "IP address");
    refuses("2001:db8::1", "IP address");
    refuses("https://example.com/", "URL");
    refuses("admin@example.com", "e-mail");
    refuses("_dmarc.example.com", "\"_\"");
    refuses("localhost", "single label");
    refuses("*.com", "single label");
    refuses("*.*.example.com", "one label");
    refuses("www.*.example.com", "whole first label");
    refuses("w*.example.com", "whole first label");
    refuses("a.example.com,,b.example.com", "empty name");
    refuses("", "empty name");
    refuses("*.", "empty");
    refuses("exa mple.com", "\"");
    refuses("a..example.com", "\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_normalised_and_kept_in_their_order),
        cmocka_unit_test(several_names_may_stand_in_one_word),
        cmocka_unit_test(a_name_that_is_there_is_not_added_again),
#ifdef HAVE_LIBIDN2
        cmocka_unit_test(names_of_other_scripts_become_a_labels),
#endif
        cmocka_unit_test(what_no_certificate_can_be_had_for_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
