/* SPDX-License-Identifier: MIT
 *
 * Ways in a network namespace in which nothing is up: there are none.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dns/resolver.h"
#include "dns/route.h"
#include "platform/platform.h"
#include "test.h"

#define NO_NAMESPACE 77

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

/* The same in a process of its own without any network; the exit status is that of `fn`. */
static int run_without_network(int (*fn)(void))
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
            _exit(NO_NAMESPACE);
        _exit(fn());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_without_network(int (*fn)(void))
{
    int status = run_without_network(fn);

    if (status == NO_NAMESPACE)
        skip();
    assert_int_equal(status, 0);
}

static int find_no_route(void)
{
    return route_exists("127.0.0.1:53") || route_exists("192.0.2.1:53") || route_exists("[2001:db8::1]:53");
}

TEST(without_a_network_nothing_is_reached)
{
    expect_without_network(find_no_route);
}

static int ask_into_nothing(void)
{
    struct clock *clock = platform_clock();
    struct resolver *resolver = NULL;
    struct dns_answer answer = {.rcode = 0};
    int wrong = 1;

    if (resolver_direct_new(&(struct resolver_direct_opts){.clock = clock}, &resolver, NULL) != ERR_OK)
        return 2;
    for (int tcp = 0; tcp < 2; tcp++) {
        resolver->start(resolver, &(struct dns_question){.name = "example.com",
                                                         .type = DNS_SOA,
                                                         .server = "192.0.2.1",
                                                         .transport = tcp ? DNS_TCP : DNS_UDP_THEN_TCP,
                                                         .timeout_ms = 5000});
        wrong = resolver->next(resolver, 5000, &answer) != ERR_OK || answer.result != ERR_NETWORK ||
                !answer.has_no_route || !strstr(answer.err.msg, "no route");
        dns_answer_done(&answer);
        if (wrong)
            break;
    }
    resolver_free(resolver);
    return wrong;
}

TEST(the_resolver_says_that_there_is_no_route)
{
    expect_without_network(ask_into_nothing);
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
