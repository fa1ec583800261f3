/* SPDX-License-Identifier: MIT
 *
 * The system's name service is whatever this machine has; getaddrinfo() is replaced by one that answers, fails and
 * hangs as the name says.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform.h"
#include "test.h"

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    struct addrinfo numeric = *hints;

    if (hints->ai_flags & AI_NUMERICHOST)
        return __real_getaddrinfo(host, service, hints, out);
    if (strcmp(host, "hanging.example") == 0)
        for (;;)
            (void)pause();
    if (strcmp(host, "crashing.example") == 0)
        (void)raise(SIGKILL);
    if (strcmp(host, "none.example") == 0)
        return EAI_NONAME;
    if (strcmp(host, "again.example") == 0)
        return EAI_AGAIN;
    if (strcmp(host, "broken.example") == 0) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    numeric.ai_flags = AI_NUMERICHOST;
    return __real_getaddrinfo(strcmp(host, "six.example") == 0 ? "2001:db8::1" : "192.0.2.1", service, &numeric, out);
}

/* No child of ours is left, running or dead. */
static void expect_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static enum err_code look_up(const char *host, struct platform_lookup *out)
{
    *out = (struct platform_lookup){.host = host};
    assert_int_equal(platform_lookup(out, 1, 10000, platform_clock(), NULL), ERR_OK);
    expect_no_children();
    return out->code;
}

static void expect_address(const char *host, const char *address)
{
    AUTO(platform_lookup_done) struct platform_lookup lookup;

    assert_int_equal(look_up(host, &lookup), ERR_OK);
    assert_int_equal(lookup.addresses.count, 1);
    assert_string_equal(lookup.addresses.items[0], address);
}

static void expect_failure(const char *host, const char *why)
{
    AUTO(platform_lookup_done) struct platform_lookup lookup;

    assert_int_equal(look_up(host, &lookup), ERR_NETWORK);
    assert_int_equal(lookup.addresses.count, 0);
    if (!strstr(lookup.err.msg, why) || !strstr(lookup.err.msg, host))
        fail_msg("\"%s\" does not say \"%s\"", lookup.err.msg, why);
}

TEST(names_and_addresses_become_addresses)
{
    expect_address("four.example", "192.0.2.1");
    expect_address("six.example", "2001:db8::1");
    expect_address("192.0.2.7", "192.0.2.7");
    expect_address("2001:DB8:0::7", "2001:db8::7");
}

TEST(what_can_not_be_found_says_why)
{
    expect_failure("none.example", gai_strerror(EAI_NONAME));
    expect_failure("again.example", gai_strerror(EAI_AGAIN));
    expect_failure("broken.example", strerror(EMFILE));
    expect_failure("crashing.example", "it has none");
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
    expect_no_children();
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
    expect_no_children();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_addresses_become_addresses),
        cmocka_unit_test(what_can_not_be_found_says_why),
        cmocka_unit_test(a_name_service_that_hangs_has_until_the_time_limit_and_holds_no_other_name_up),
        cmocka_unit_test(a_wish_to_stop_ends_the_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
