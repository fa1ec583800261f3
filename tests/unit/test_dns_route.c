/* SPDX-License-Identifier: MIT
 *
 * Ways in a network namespace in which nothing is up: there are none.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/resolver.h"
#include "dns/route.h"
#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

TEST(loopback_is_reached)
{
    assert_true(route_exists("127.0.0.1:53"));
}

TEST(what_can_not_be_told_may_be_there)
{
    assert_true(route_exists(""));
    assert_true(route_exists("example.com:53"));
    assert_true(route_exists("192.0.2.1"));
    assert_true(route_exists("[]:53"));
    assert_true(route_exists("[::1:53"));
    assert_true(route_exists("127.0.0.1:99999"));
}

static int find_no_route(UNUSED void *context)
{
    if (!fixture_leave_network())
        return CHILD_CANNOT;
    CHILD_CHECK(!route_exists("127.0.0.1:53") && !route_exists("192.0.2.1:53") && !route_exists("[2001:db8::1]:53"));
    return CHILD_OK;
}

TEST(without_a_network_nothing_is_reached)
{
    fixture_needs(FIXTURE_FAULTS);
    fixture_in_child(find_no_route, NULL);
}

static int ask_into_nothing(UNUSED void *context)
{
    struct clock *clock = platform_clock();
    struct resolver *resolver = NULL;
    struct dns_answer answer = {.rcode = 0};

    if (!fixture_leave_network())
        return CHILD_CANNOT;
    CHILD_CHECK(resolver_direct_new(&(struct resolver_direct_opts){.clock = clock}, &resolver, NULL) == ERR_OK);
    for (int tcp = 0; tcp < 2; tcp++) {
        resolver->start(resolver, &(struct dns_question){.name = "example.com",
                                                         .type = DNS_SOA,
                                                         .server = "192.0.2.1",
                                                         .transport = tcp ? DNS_TCP : DNS_UDP_THEN_TCP,
                                                         .timeout_ms = 5000});
        CHILD_CHECK(resolver->next(resolver, 5000, &answer) == ERR_OK && answer.result == ERR_NETWORK);
        CHILD_CHECK(answer.has_no_route && strstr(answer.err.msg, "no route"));
        dns_answer_done(&answer);
    }
    resolver_free(resolver);
    return CHILD_OK;
}

TEST(the_resolver_says_that_there_is_no_route)
{
    fixture_needs(FIXTURE_FAULTS);
    fixture_in_child(ask_into_nothing, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_is_reached),
        cmocka_unit_test(what_can_not_be_told_may_be_there),
        cmocka_unit_test(without_a_network_nothing_is_reached),
        cmocka_unit_test(the_resolver_says_that_there_is_no_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
