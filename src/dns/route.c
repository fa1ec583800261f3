/* SPDX-License-Identifier: MIT
 *
 * To connect a UDP socket sends nothing, but the system looks for the way and for an address of its own to send from.
 */
#include "dns/route.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "platform/socket.h"
#include "util/parse.h"

union endpoint {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

/* Length of *out, or 0. */
static socklen_t parse(const char *address, union endpoint *out)
{
    bool is_ipv6 = address[0] == '[';
    const char *colon = strrchr(address, ':');
    size_t skip = is_ipv6 ? 1 : 0;
    char host[64];
    uint64_t port;
    size_t len;

    memset(out, 0, sizeof *out);
    if (!colon || !parse_uint(colon + 1, 1, 65535, &port) || (size_t)(colon - address) < 2 * skip)
        return 0;
    len = (size_t)(colon - address) - 2 * skip;
    if (len >= sizeof host)
        return 0;
    memcpy(host, address + skip, len);
    host[len] = '\0';
    if (is_ipv6) {
        out->ipv6.sin6_family = AF_INET6;
        out->ipv6.sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &out->ipv6.sin6_addr) == 1 ? sizeof out->ipv6 : 0;
    }
    out->ipv4.sin_family = AF_INET;
    out->ipv4.sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &out->ipv4.sin_addr) == 1 ? sizeof out->ipv4 : 0;
}

/* EADDRNOTAVAIL: no address of that family to send from, as where IPv6 is switched off. */
static bool is_no_way(int errnum)
{
    return errnum == ENETUNREACH || errnum == EHOSTUNREACH || errnum == ENETDOWN || errnum == EADDRNOTAVAIL ||
           errnum == EAFNOSUPPORT;
}

bool route_exists(const char *address)
{
    union endpoint to;
    socklen_t len = parse(address, &to);
    bool exists = true;
    platform_socket fd;

    if (!len)
        return true;
    fd = socket(to.any.sa_family, SOCK_DGRAM, 0);
    if (fd == PLATFORM_NO_SOCKET)
        return !is_no_way(platform_socket_errno());
    if (connect(fd, &to.any, len) < 0)
        exists = !is_no_way(platform_socket_errno());
    platform_socket_close(fd);
    return exists;
}
