/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "config/address.h"
#include "platform/socket.h"
#include "test.h"
#include "util/mem.h"

/* The system's parser is the reference. */
static void expect_as_system(const char *text)
{
    unsigned char out[16];
    bool v4 = inet_pton(AF_INET, text, out) == 1;
    bool v6 = inet_pton(AF_INET6, text, out) == 1;

    if (config_is_ipv4(text, strlen(text)) != v4 || config_is_ipv6(text, strlen(text)) != v6)
        fail_msg("\"%s\": the system says %d %d", text, v4, v6);
}

TEST(addresses_are_what_the_system_takes_for_addresses)
{
    static const char *const texts[] = {
        "",
        "0.0.0.0",
        "255.255.255.255",
        "256.1.1.1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.4.",
        ".1.2.3.4",
        "1..2.3",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.4 ",
        "a.b.c.d",
        "1.2.3.-4",
        "::",
        "::1",
        "1::",
        "1::8",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        ":1::",
        "1::2::3",
        ":::",
        ":",
        "12345::",
        "g::",
        "::ffff:1.2.3.4",
        "1.2.3.4::",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7:",
        "2001:DB8::A",
        "1::2:",
        ":1",
        "1:",
        "::1:2:3:4:5:6:1.2.3.4",
        "::1:2:3:4:5:1.2.3.4",
        "1.2.3.4:5::",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect_as_system(texts[i]);
}

/* Every text of up to six characters of this alphabet, and then with tails that take more groups. */
TEST(addresses_made_by_brute_force_are_judged_as_by_the_system)
{
    static const char alphabet[] = ":.1f0";
    char text[64];

    for (unsigned n = 0; n < 15625; n++) {
        unsigned rest = n;
        size_t len = 0;

        for (; len < 6; len++, rest /= 5)
            text[len] = alphabet[rest % 5];
        for (size_t cut = 0; cut <= len; cut++) {
            text[cut] = '\0';
            expect_as_system(text);
            text[cut] = alphabet[(n + cut) % 5];
        }
        memcpy(text + len, ":2:3:4:5:6", 11);
        expect_as_system(text);
        memcpy(text + len, "1.2.3.4", 8);
        expect_as_system(text);
    }
}

TEST(a_port_may_follow_an_address)
{
    static const char *const good[] = {"192.0.2.1",   "192.0.2.1:53",  "192.0.2.1:65535",
                                       "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:5353"};
    static const char *const bad[] = {"",
                                      "192.0.2.1:",
                                      "192.0.2.1:0",
                                      "192.0.2.1:65536",
                                      "192.0.2.1:5a",
                                      "[::1",
                                      "[]",
                                      "[192.0.2.1]:53",
                                      "[::1]53",
                                      "[::1]:",
                                      "localhost",
                                      "dns.example",
                                      "192.0.2.1:053000",
                                      ":53",
                                      "192.0.2.1 "};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(config_is_address(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (config_is_address(bad[i]))
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

TEST(names_of_dns_have_labels_of_1_to_63_and_253_in_all)
{
    char text[300];

    assert_true(config_is_dns_name("example.com"));
    assert_true(config_is_dns_name("example.com."));
    assert_true(config_is_dns_name("_acme-challenge.xn--bcher-kva.example"));
    assert_false(config_is_dns_name(""));
    assert_false(config_is_dns_name("."));
    assert_false(config_is_dns_name("a..b"));
    assert_false(config_is_dns_name(".a"));
    assert_false(config_is_dns_name("*.example.com"));
    assert_false(config_is_dns_name("b\xc3\xbc"
                                    "cher.example"));
    assert_false(config_is_dns_name("a b"));
    memset(text, 'a', sizeof text);
    text[63] = '\0';
    assert_true(config_is_dns_name(text));
    text[63] = 'a';
    text[64] = '\0';
    assert_false(config_is_dns_name(text));
    for (size_t i = 1; i < 252; i += 2) {
        text[i] = '.';
        text[i - 1] = 'b';
    }
    text[252] = 'b';
    text[253] = '\0';
    assert_true(config_is_dns_name(text));
    text[253] = 'b';
    text[254] = '\0';
    assert_false(config_is_dns_name(text));
}

TEST(urls_are_https_or_stay_on_this_machine)
{
    static const struct {
        const char *url;
        const char *fault;
    } table[] = {
        {"https://api.dnsmadeeasy.com/V2.0/", NULL},
        {"HTTPS://api.example:8443", NULL},
        {"https://[2001:db8::1]:8443/x", NULL},
        {"https://192.0.2.1/", NULL},
        {"http://127.0.0.1:8080/V2.0/", NULL},
        {"http://127.255.255.254/", NULL},
        {"http://[::1]:8080/V2.0", NULL},
        {"http://localhost/V2.0", NULL},
        {"http://LOCALHOST:1/", NULL},
        {"", "and begin with \"https://\""},
        {"api.dnsmadeeasy.com/V2.0/", "and begin with \"https://\""},
        {"ftp://api.example/", "and begin with \"https://\""},
        {"https:/api.example/", "and begin with \"https://\""},
        {"http://api.example/", "(http is for servers on this machine only)"},
        {"http://127.0.0.1.example/", "(http is for servers on this machine only)"},
        {"http://localhost.example/", "(http is for servers on this machine only)"},
        {"http://[::2]/", "(http is for servers on this machine only)"},
        {"http://localhost@evil.example/", "without a user name or password"},
        {"https://user:pw@api.example/", "without a user name or password"},
        {"https://api.example/?x=1", "without \"?\" and \"#\""},
        {"https://api.example/#x", "without \"?\" and \"#\""},
        {"https://api.example?x", "without \"?\" and \"#\""},
        {"https:///V2.0/", "with a host name"},
        {"https://", "with a host name"},
        {"https://a..b/", "with a host name"},
        {"https://api.example:0/", "with a port from 1 to 65535, if any"},
        {"https://api.example:/", "with a port from 1 to 65535, if any"},
        {"https://api.example:99999/", "with a port from 1 to 65535, if any"},
        {"https://[::1/", "with a port from 1 to 65535, if any"},
        {"https://api.example/a b", "without white space and characters that URLs do not have"},
        {"https://api.example/\r\n", "without white space and characters that URLs do not have"},
        {"https://api.example\\@evil/", "without white space and characters that URLs do not have"},
        {"https://b\xc3\xbc"
         "cher.example/",
         "without white space and characters that URLs do not have"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const char *fault = config_url_fault(table[i].url);

        if (!fault != !table[i].fault || (fault && strcmp(fault, table[i].fault) != 0))
            fail_msg("\"%s\": %s", table[i].url, fault ? fault : "taken");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_what_the_system_takes_for_addresses),
        cmocka_unit_test(addresses_made_by_brute_force_are_judged_as_by_the_system),
        cmocka_unit_test(a_port_may_follow_an_address),
        cmocka_unit_test(names_of_dns_have_labels_of_1_to_63_and_253_in_all),
        cmocka_unit_test(urls_are_https_or_stay_on_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
