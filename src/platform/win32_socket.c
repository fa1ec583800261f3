/* SPDX-License-Identifier: MIT
 *
 * Waiting for sockets.
 *
 * WSAPoll() does not tell of a connection that failed before Windows 10 2004, refuses events that others ignore, and
 * fails when there is nothing to wait for.  select() is right in all of this, and here it has no limit but the size of
 * the arrays that it is given, which are ours.
 */
#include "platform/socket.h"

#include <errno.h>

#include "platform/win32.h"

#define PIECE_MS 200 /* how often we look whether we are to stop: nothing interrupts select() */
#define NO_TIMEOUT INT64_MAX

/* An fd_set of any size: what follows the count is as long as it says. */
struct sockets {
    u_int count;
    SOCKET items[];
};

/* What is waited for: reading, writing, and failure to connect. */
struct wait {
    struct sockets *readable;
    struct sockets *writable;
    struct sockets *failed;
};

static struct sockets *sockets_new(size_t most)
{
    return mem_zalloc(offsetof(struct sockets, items) + (most ? most : 1) * sizeof(SOCKET));
}

static void wait_done(struct wait *w)
{
    mem_free_auto(&w->readable);
    mem_free_auto(&w->writable);
    mem_free_auto(&w->failed);
}

/* select() wants them under another name. */
static fd_set *as_set(struct sockets *sockets)
{
    void *set = sockets;

    return sockets->count ? set : NULL;
}

static bool has(const struct sockets *sockets, SOCKET fd)
{
    for (u_int i = 0; i < sockets->count; i++)
        if (sockets->items[i] == fd)
            return true;
    return false;
}

static void fill(struct wait *w, const struct pollfd *polled, size_t count)
{
    w->readable->count = w->writable->count = w->failed->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (polled[i].fd == INVALID_SOCKET)
            continue;
        if (polled[i].events & POLLIN)
            w->readable->items[w->readable->count++] = polled[i].fd;
        if (polled[i].events & POLLOUT) {
            w->writable->items[w->writable->count++] = polled[i].fd;
            w->failed->items[w->failed->count++] = polled[i].fd;
        }
    }
}

/* A connection that failed is ready for all, as it is elsewhere: whoever tries is told. */
static int note_events(const struct wait *w, struct pollfd *polled, size_t count)
{
    int ready = 0;

    for (size_t i = 0; i < count; i++) {
        short events = 0;

        if (polled[i].fd != INVALID_SOCKET) {
            if (has(w->readable, polled[i].fd))
                events |= POLLRDNORM;
            if (has(w->writable, polled[i].fd))
                events |= POLLWRNORM;
            if (has(w->failed, polled[i].fd))
                events |= (short)(POLLERR | POLLHUP | (polled[i].events & (POLLRDNORM | POLLWRNORM)));
        }
        polled[i].revents = events;
        ready += events != 0;
    }
    return ready;
}

static int fail(int error)
{
    WSASetLastError(error);
    errno = platform_socket_errno();
    return -1;
}

/* Wait for a while; the number of those that are ready, -1 with the error set. */
static int wait_piece(struct wait *w, struct pollfd *polled, size_t count, int64_t ms)
{
    struct timeval limit = {.tv_sec = (long)(ms / 1000), .tv_usec = (long)(ms % 1000) * 1000};
    int ready;

    fill(w, polled, count);
    if (!w->readable->count && !w->writable->count) {
        (void)WaitForSingleObject(win32_cancel_event(), (DWORD)ms);
        ready = 0;
    } else {
        ready = select(0, as_set(w->readable), as_set(w->writable), as_set(w->failed), &limit);
        if (ready < 0)
            return fail(WSAGetLastError());
    }
    if (ready == 0)
        w->readable->count = w->writable->count = w->failed->count = 0;
    return note_events(w, polled, count);
}

static bool is_stop_wanted(void)
{
    return WaitForSingleObject(win32_cancel_event(), 0) == WAIT_OBJECT_0;
}

int platform_socket_poll(struct pollfd *polled, size_t count, int timeout_ms)
{
    struct wait AUTO(wait_done) w = {sockets_new(count), sockets_new(count), sockets_new(count)};
    int64_t left = timeout_ms < 0 ? NO_TIMEOUT : timeout_ms;
    int64_t end = timeout_ms < 0 ? NO_TIMEOUT : clock_mono_ms(platform_clock()) + left;
    bool was_stop_wanted = is_stop_wanted();

    for (;;) {
        int ready = wait_piece(&w, polled, count, left < PIECE_MS ? left : PIECE_MS);

        if (ready != 0)
            return ready;
        if (!was_stop_wanted && is_stop_wanted())
            return fail(WSAEINTR);
        left = end - clock_mono_ms(platform_clock());
        if (left <= 0)
            return 0;
    }
}

void platform_socket_close(platform_socket fd)
{
    (void)closesocket(fd);
}

static const struct {
    int system;
    int c;
} errors[] = {
    {WSAEINTR, EINTR},
    {WSAEBADF, EBADF},
    {WSAEACCES, EACCES},
    {WSAEFAULT, EFAULT},
    {WSAEINVAL, EINVAL},
    {WSAEMFILE, EMFILE},
    {WSAEWOULDBLOCK, EWOULDBLOCK},
    {WSAEINPROGRESS, EINPROGRESS},
    {WSAEALREADY, EALREADY},
    {WSAENOTSOCK, ENOTSOCK},
    {WSAEDESTADDRREQ, EDESTADDRREQ},
    {WSAEMSGSIZE, EMSGSIZE},
    {WSAEPROTOTYPE, EPROTOTYPE},
    {WSAENOPROTOOPT, ENOPROTOOPT},
    {WSAEPROTONOSUPPORT, EPROTONOSUPPORT},
    {WSAEOPNOTSUPP, EOPNOTSUPP},
    {WSAEAFNOSUPPORT, EAFNOSUPPORT},
    {WSAEADDRINUSE, EADDRINUSE},
    {WSAEADDRNOTAVAIL, EADDRNOTAVAIL},
    {WSAENETDOWN, ENETDOWN},
    {WSAENETUNREACH, ENETUNREACH},
    {WSAENETRESET, ENETRESET},
    {WSAECONNABORTED, ECONNABORTED},
    {WSAECONNRESET, ECONNRESET},
    {WSAENOBUFS, ENOBUFS},
    {WSAEISCONN, EISCONN},
    {WSAENOTCONN, ENOTCONN},
    {WSAESHUTDOWN, EPIPE},
    {WSAETIMEDOUT, ETIMEDOUT},
    {WSAECONNREFUSED, ECONNREFUSED},
    {WSAEHOSTDOWN, EHOSTUNREACH},
    {WSAEHOSTUNREACH, EHOSTUNREACH},
};

int platform_socket_errno(void)
{
    int system = WSAGetLastError();

    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (errors[i].system == system)
            return errors[i].c;
    return EIO;
}
