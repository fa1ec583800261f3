/* SPDX-License-Identifier: MIT
 *
 * The sockets API, which is the same everywhere but for its headers, poll() and close().  For those who talk to servers
 * without libcurl: dns/ and crypto/peer.c.
 */
#ifndef ACME_DME_PLATFORM_SOCKET_H
#define ACME_DME_PLATFORM_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET platform_socket;
#define PLATFORM_NO_SOCKET INVALID_SOCKET
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
typedef int platform_socket;
#define PLATFORM_NO_SOCKET (-1)
#endif

/* poll(); -1 with errno set, EINTR among others.  None to wait for is fine: it sleeps. */
int platform_socket_poll(struct pollfd *polled, size_t count, int timeout_ms);
/* What came of a connect() that was under way: 0, or the errno. */
int platform_socket_outcome(platform_socket fd);
void platform_socket_close(platform_socket fd);
/* The errno of the last failure of a socket call of this thread, as of <errno.h> everywhere. */
int platform_socket_errno(void);

#endif
