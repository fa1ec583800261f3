/* SPDX-License-Identifier: MIT
 *
 * What servers of both kinds do alike; the rest is in server_fixture_posix.c and server_fixture_win32.c.
 */
#include "server_fixture.h"

#include <string.h>

#include "server_fixture_parts.h"
#include "test.h"

platform_socket test_server_bind(int type, const char *address, uint16_t *port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(*port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(*port)};
    bool is_v6 = address && strchr(address, ':');
    struct sockaddr *any = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = is_v6 ? sizeof v6 : sizeof v4;
    platform_socket fd;

    server_sockets_init();
    fd = socket(any->sa_family, type, 0);
    if (fd == PLATFORM_NO_SOCKET)
        return fd;
    assert_int_equal(inet_pton(any->sa_family, address ? address : "127.0.0.1",
                               is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr),
                     1);
    if (bind(fd, any, len) != 0 || getsockname(fd, any, &len) != 0) {
        platform_socket_close(fd);
        return PLATFORM_NO_SOCKET;
    }
    *port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
    return fd;
}

platform_socket test_server_accept(struct test_server *self, platform_socket listening)
{
    struct pollfd polled = {.fd = listening, .events = POLLIN};
    platform_socket fd;

    do {
        if (!test_server_wait(self, &polled, 1))
            return PLATFORM_NO_SOCKET;
    } while (!polled.revents);
    fd = accept(listening, NULL, NULL);
    server_opened(self, fd);
    return fd;
}

bool test_server_wait(struct test_server *self, struct pollfd *polled, size_t count)
{
    do {
        for (size_t i = 0; i < count; i++)
            polled[i].revents = 0;
        if (server_is_over(self))
            return false;
    } while (platform_socket_poll(polled, count, SERVER_POLL_MS) == 0);
    return true;
}
