/* SPDX-License-Identifier: MIT
 *
 * Windows only: waiting for sockets, and what their errors are called.
 */
#include <errno.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/socket.h"
#include "platform/win32.h"
#include "test.h"

#define MANY 200 /* more than an fd_set of the system has room for */

static struct sockaddr_in local_address(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static platform_socket bound(int type, struct sockaddr_in *out)
{
    platform_socket fd = socket(AF_INET, type, 0);
    int len = sizeof *out;

    *out = local_address();
    assert_true(fd != PLATFORM_NO_SOCKET);
    assert_int_equal(bind(fd, (struct sockaddr *)out, sizeof *out), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)out, &len), 0);
    return fd;
}

static platform_socket connecting(const struct sockaddr_in *address)
{
    platform_socket fd = socket(AF_INET, SOCK_STREAM, 0);
    u_long yes = 1;

    assert_int_equal(ioctlsocket(fd, (long)FIONBIO, &yes), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof *address), -1);
    assert_int_equal(platform_socket_errno(), EWOULDBLOCK);
    return fd;
}

static void send_to(platform_socket fd, const struct sockaddr_in *address)
{
    assert_int_equal(sendto(fd, "x", 1, 0, (const struct sockaddr *)address, sizeof *address), 1);
}

TEST(none_to_wait_for_is_a_sleep)
{
    struct pollfd none = {.fd = PLATFORM_NO_SOCKET, .events = POLLIN, .revents = POLLIN};
    int64_t start = clock_mono_ms(platform_clock());

    assert_int_equal(platform_socket_poll(NULL, 0, 300), 0);
    assert_int_equal(platform_socket_poll(&none, 1, 300), 0);
    assert_int_equal(none.revents, 0);
    assert_in_range(clock_mono_ms(platform_clock()) - start, 560, 5000);
}

TEST(what_can_be_read_is_told_and_what_can_not_is_waited_for)
{
    struct sockaddr_in address;
    platform_socket fd = bound(SOCK_DGRAM, &address);
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    assert_int_equal(platform_socket_poll(&polled, 1, 0), 0);
    assert_int_equal(platform_socket_poll(&polled, 1, 250), 0);
    send_to(fd, &address);
    assert_int_equal(platform_socket_poll(&polled, 1, 5000), 1);
    assert_true(polled.revents & POLLIN);
    assert_false(polled.revents & (POLLOUT | POLLERR));
    polled.events = POLLOUT;
    assert_int_equal(platform_socket_poll(&polled, 1, -1), 1);
    assert_true(polled.revents & POLLOUT);
    assert_false(polled.revents & POLLIN);
    platform_socket_close(fd);
}

TEST(a_connection_that_is_made_or_closed_is_told)
{
    struct sockaddr_in address;
    platform_socket listener = bound(SOCK_STREAM, &address);
    platform_socket fd;
    platform_socket accepted;
    struct pollfd polled[2];

    assert_int_equal(listen(listener, 1), 0);
    fd = connecting(&address);
    polled[0] = (struct pollfd){.fd = fd, .events = POLLOUT};
    polled[1] = (struct pollfd){.fd = PLATFORM_NO_SOCKET, .events = POLLIN};
    assert_int_equal(platform_socket_poll(polled, 2, 5000), 1);
    assert_int_equal(polled[0].revents, POLLOUT);
    accepted = accept(listener, NULL, NULL);
    assert_true(accepted != PLATFORM_NO_SOCKET);
    platform_socket_close(accepted);
    polled[0].events = POLLIN;
    assert_int_equal(platform_socket_poll(polled, 1, 5000), 1);
    assert_true(polled[0].revents & POLLIN);
    platform_socket_close(fd);
    platform_socket_close(listener);
}

/* Windows tries for two seconds. */
TEST(a_connection_that_fails_is_told_and_its_error_is_still_there)
{
    struct sockaddr_in address;
    platform_socket listener = bound(SOCK_STREAM, &address);
    platform_socket fd;
    struct pollfd polled;
    int error = 0;
    int len = sizeof error;

    platform_socket_close(listener);
    fd = connecting(&address);
    polled = (struct pollfd){.fd = fd, .events = POLLOUT};
    assert_int_equal(platform_socket_poll(&polled, 1, 20000), 1);
    assert_true(polled.revents & POLLERR && polled.revents & POLLOUT);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, (char *)&error, &len), 0);
    WSASetLastError(error);
    assert_int_equal(platform_socket_errno(), ECONNREFUSED);
    platform_socket_close(fd);
}

TEST(there_is_no_limit_on_their_number)
{
    struct sockaddr_in address[MANY];
    struct pollfd polled[MANY];

    for (size_t i = 0; i < MANY; i++)
        polled[i] = (struct pollfd){.fd = bound(SOCK_DGRAM, &address[i]), .events = POLLIN};
    send_to(polled[MANY - 1].fd, &address[MANY - 1]);
    assert_int_equal(platform_socket_poll(polled, MANY, 5000), 1);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(polled[i].revents != 0, i == MANY - 1);
        platform_socket_close(polled[i].fd);
    }
}

TEST(what_is_no_socket_is_an_error)
{
    struct sockaddr_in address;
    struct pollfd polled = {.fd = bound(SOCK_DGRAM, &address), .events = POLLIN};

    platform_socket_close(polled.fd);
    assert_int_equal(platform_socket_poll(&polled, 1, 5000), -1);
    assert_int_equal(errno, ENOTSOCK);
    assert_int_equal(platform_socket_errno(), ENOTSOCK);
}

static DWORD WINAPI stop_soon(UNUSED void *argument)
{
    Sleep(300);
    win32_cancel("test");
    return 0;
}

/* The last one, as it can't be taken back. */
TEST(a_wish_to_stop_interrupts_once_and_after_it_was_accepted_not_at_all)
{
    struct sockaddr_in address;
    struct pollfd polled = {.fd = bound(SOCK_DGRAM, &address), .events = POLLIN};
    HANDLE thread = CreateThread(NULL, 0, stop_soon, NULL, 0, NULL);
    int64_t start = clock_mono_ms(platform_clock());

    assert_int_equal(platform_socket_poll(&polled, 1, 20000), -1);
    assert_int_equal(errno, EINTR);
    assert_in_range(clock_mono_ms(platform_clock()) - start, 250, 10000);
    assert_int_equal(platform_socket_poll(&polled, 1, 300), 0);
    clock_accept_cancel(platform_clock());
    assert_int_equal(platform_socket_poll(&polled, 1, 300), 0);
    platform_socket_close(polled.fd);
    assert_int_equal(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    (void)CloseHandle(thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_to_wait_for_is_a_sleep),
        cmocka_unit_test(what_can_be_read_is_told_and_what_can_not_is_waited_for),
        cmocka_unit_test(a_connection_that_is_made_or_closed_is_told),
        cmocka_unit_test(a_connection_that_fails_is_told_and_its_error_is_still_there),
        cmocka_unit_test(there_is_no_limit_on_their_number),
        cmocka_unit_test(what_is_no_socket_is_an_error),
        cmocka_unit_test(a_wish_to_stop_interrupts_once_and_after_it_was_accepted_not_at_all),
    };

    if (platform_start(NULL) != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
