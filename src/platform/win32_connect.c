/* SPDX-License-Identifier: MIT
 *
 * What came of a connection, in the errno that POSIX has for it.
 */
#include "platform/socket.h"

int platform_socket_outcome(platform_socket fd)
{
    DWORD error = 0;
    int len = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, (char *)&error, &len) == 0) {
        if (!error)
            return 0;
        WSASetLastError((int)error);
    }
    return platform_socket_errno();
}
