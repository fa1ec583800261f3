/* SPDX-License-Identifier: MIT
 *
 * What server_fixture.c wants of server_fixture_posix.c and server_fixture_win32.c.
 */
#ifndef ACME_DME_TESTS_UNIT_SERVER_FIXTURE_PARTS_H
#define ACME_DME_TESTS_UNIT_SERVER_FIXTURE_PARTS_H

#include "server_fixture.h"

/* Before the first socket. */
void server_sockets_init(void);
/* Has test_server_stop() been called? */
bool server_is_over(struct test_server *self);
/* A connection, which is to end when the server does. */
void server_opened(struct test_server *self, platform_socket fd);

#endif
