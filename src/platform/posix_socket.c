/* SPDX-License-Identifier: MIT */
#include "platform/socket.h"

#include <errno.h>
#include <unistd.h>

int platform_socket_poll(struct pollfd *polled, size_t count, int timeout_ms)
{
    return poll(polled, (nfds_t)count, timeout_ms);
}

int platform_socket_outcome(platform_socket fd)
{
    int errnum = 0;
    socklen_t len = sizeof errnum;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == 0 ? errnum : errno;
}

void platform_socket_close(platform_socket fd)
{
    (void)close(fd);
}

int platform_socket_errno(void)
{
    return errno;
}
