/* SPDX-License-Identifier: MIT
 *
 * Servers on loopback beside a test: in a process of their own where there is fork(), which nothing of the test can
 * disturb, otherwise in a thread.
 */
#ifndef ACME_DME_TESTS_UNIT_SERVER_FIXTURE_H
#define ACME_DME_TESTS_UNIT_SERVER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/socket.h"
#include "util/attrs.h"

/* What send() and recv() take as a length. */
#ifdef _WIN32
#define SOCKET_LEN(len) ((int)(len))
#define MSG_NOSIGNAL 0
#define MSG_MORE 0
#else
#define SOCKET_LEN(len) (len)
#endif

/* Asked for a server's sockets now and then while it waits. */
#define SERVER_POLL_MS 20

struct test_server;

/* Serves until test_server_accept() or test_server_wait() say that it is over, and returns 0 then; anything else, or an
 * earlier end, is a failure.  `ctx` is what the test gave, and may belong to it until test_server_stop(). */
typedef int test_server_body(struct test_server *self, void *ctx);

/* A socket that is bound to a port of 127.0.0.1, or of `address`, which the system picks: PLATFORM_NO_SOCKET when there
 * is no such address.  It does not listen yet.  `*port` other than 0 asks for that one. */
platform_socket test_server_bind(int type, const char *address, uint16_t *port) MUST_USE;

/* Takes the sockets over. */
struct test_server *test_server_start(test_server_body *serve, void *ctx, const platform_socket *sockets,
                                      size_t count) MUST_USE;
/* True: it still ran, and so saw nothing that it should not. */
bool test_server_stop(struct test_server *server);

/* For the body: the sockets; the next connection, or PLATFORM_NO_SOCKET when it is over; its end. */
platform_socket test_server_socket(const struct test_server *self, size_t n) MUST_USE;
platform_socket test_server_accept(struct test_server *self, platform_socket listening) MUST_USE;
void test_server_hang_up(struct test_server *self, platform_socket fd);
/* poll(); false when it is over. */
bool test_server_wait(struct test_server *self, struct pollfd *polled, size_t count) MUST_USE;

#endif
