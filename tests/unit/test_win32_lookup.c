/* SPDX-License-Identifier: MIT
 *
 * Windows only.  The system's name service is whatever this machine has; GetAddrInfoW() is replaced by one that
 * answers, fails and hangs as the name says.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/win32.h"
#include "test.h"

#include <ws2tcpip.h>

typedef INT(WSAAPI *lookup_function)(PCWSTR host, PCWSTR service, const ADDRINFOW *hints, PADDRINFOW *out);

/* Calls go through pointers that the system fills: this one, and ours in its place. */
extern const lookup_function __real___imp_GetAddrInfoW;
extern const lookup_function __wrap___imp_GetAddrInfoW;

static INT WSAAPI fake_lookup(PCWSTR host, PCWSTR service, const ADDRINFOW *hints, PADDRINFOW *out)
{
    ADDRINFOW numeric = *hints;

    if (hints->ai_flags & AI_NUMERICHOST)
        return __real___imp_GetAddrInfoW(host, service, hints, out);
    if (wcscmp(host, L"hanging.example") == 0)
        Sleep(INFINITE);
    if (wcscmp(host, L"none.example") == 0)
        return WSAHOST_NOT_FOUND;
    if (wcscmp(host, L"again.example") == 0)
        return WSATRY_AGAIN;
    if (wcscmp(host, L"b\u00FCcher.example") == 0)
        host = L"192.0.2.3";
    numeric.ai_flags = AI_NUMERICHOST;
    if (wcscmp(host, L"six.example") == 0)
        host = L"2001:db8::1";
    else if (wcscmp(host, L"four.example") == 0)
        host = L"192.0.2.1";
    return __real___imp_GetAddrInfoW(host, service, &numeric, out);
}

const lookup_function __wrap___imp_GetAddrInfoW = fake_lookup;

static enum err_code look_up(const char *host, struct platform_lookup *out)
{
    *out = (struct platform_lookup){.host = host};
    assert_int_equal(platform_lookup(out, 1, 10000, platform_clock(), NULL), ERR_OK);
    return out->code;
}

static void expect_address(const char *host, const char *address)
{
    AUTO(platform_lookup_done) struct platform_lookup lookup;

    assert_int_equal(look_up(host, &lookup), ERR_OK);
    assert_int_equal(lookup.addresses.count, 1);
    assert_string_equal(lookup.addresses.items[0], address);
}

TEST(names_and_addresses_become_addresses)
{
    expect_address("four.example", "192.0.2.1");
    expect_address("six.example", "2001:db8::1");
    expect_address("bücher.example", "192.0.2.3");
    expect_address("192.0.2.7", "192.0.2.7");
    expect_address("2001:DB8:0::7", "2001:db8::7");
}

TEST(what_can_not_be_found_says_why)
{
    static const char *const hosts[] = {"none.example", "again.example"};

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        AUTO(platform_lookup_done) struct platform_lookup lookup;
        char AUTO_FREE *begin = mem_printf("could not find the address of \"%s\": ", hosts[i]);

        assert_int_equal(look_up(hosts[i], &lookup), ERR_NETWORK);
        assert_int_equal(lookup.addresses.count, 0);
        assert_int_equal(strncmp(lookup.err.msg, begin, strlen(begin)), 0);
        assert_true(strlen(lookup.err.msg) > strlen(begin) + 5);
    }
}

TEST(a_name_service_that_hangs_has_until_the_time_limit_and_holds_no_other_name_up)
{
    enum { COUNT = 40 };
    struct platform_lookup lookups[COUNT];
    struct clock *clock = platform_clock();
    int64_t start_ms = clock_mono_ms(clock);

    for (size_t i = 0; i < COUNT; i++)
        lookups[i] = (struct platform_lookup){.host = i % 2 ? "hanging.example" : "four.example"};
    assert_int_equal(platform_lookup(lookups, COUNT, 1500, clock, NULL), ERR_OK);
    assert_true(clock_mono_ms(clock) - start_ms < 10 * 1500); /* one after the other: 20 times that */
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(lookups[i].code, i % 2 ? ERR_TIMEOUT : ERR_OK);
        assert_int_equal(lookups[i].addresses.count, i % 2 ? 0 : 1);
        platform_lookup_done(&lookups[i]);
    }
}

static int64_t mono_ms(UNUSED struct clock *self)
{
    return clock_mono_ms(platform_clock());
}

static bool is_cancelled(UNUSED struct clock *self)
{
    return true;
}

TEST(a_wish_to_stop_ends_the_search)
{
    AUTO(platform_lookup_done) struct platform_lookup lookup = {.host = "hanging.example"};
    struct clock clock = {.mono_ms = mono_ms, .is_cancelled = is_cancelled};

    assert_int_equal(platform_lookup(&lookup, 1, 60000, &clock, NULL), ERR_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_addresses_become_addresses),
        cmocka_unit_test(what_can_not_be_found_says_why),
        cmocka_unit_test(a_name_service_that_hangs_has_until_the_time_limit_and_holds_no_other_name_up),
        cmocka_unit_test(a_wish_to_stop_ends_the_search),
    };

    if (platform_start(NULL) != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
