/* SPDX-License-Identifier: MIT
 *
 * A thread can't be killed: it looks now and then whether it is over, and all its connections are shut down then, so
 * that none keeps it waiting.
 */
#include "server_fixture.h"
/* before it */
#include <windows.h>

#include <process.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server_fixture_parts.h"
#include "test.h"
#include "util/mem.h"

#define SOCKETS_MAX 2
#define CONNECTIONS_MAX 64

struct test_server {
    platform_socket sockets[SOCKETS_MAX];
    size_t count;
    test_server_body *serve;
    void *ctx;
    HANDLE thread;
    atomic_bool is_over;
    CRITICAL_SECTION lock; /* of what follows */
    platform_socket connections[CONNECTIONS_MAX];
    size_t connection_count;
};

void server_sockets_init(void)
{
    WSADATA data;

    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
}

bool server_is_over(struct test_server *self)
{
    return atomic_load(&self->is_over);
}

void server_opened(struct test_server *self, platform_socket fd)
{
    if (fd == PLATFORM_NO_SOCKET)
        return;
    EnterCriticalSection(&self->lock);
    if (self->connection_count == CONNECTIONS_MAX)
        abort();
    self->connections[self->connection_count++] = fd;
    if (atomic_load(&self->is_over))
        (void)shutdown(fd, SD_BOTH);
    LeaveCriticalSection(&self->lock);
}

platform_socket test_server_socket(const struct test_server *self, size_t n)
{
    return self->sockets[n];
}

void test_server_hang_up(struct test_server *self, platform_socket fd)
{
    EnterCriticalSection(&self->lock);
    for (size_t i = 0; i < self->connection_count; i++)
        if (self->connections[i] == fd)
            self->connections[i--] = self->connections[--self->connection_count];
    platform_socket_close(fd);
    LeaveCriticalSection(&self->lock);
}

static unsigned __stdcall run(void *context)
{
    struct test_server *self = context;

    return (unsigned)self->serve(self, self->ctx);
}

struct test_server *test_server_start(test_server_body *serve, void *ctx, const platform_socket *sockets, size_t count)
{
    struct test_server *server = mem_zalloc(sizeof *server);

    assert_true(count <= SOCKETS_MAX);
    for (size_t i = 0; i < count; i++)
        server->sockets[i] = sockets[i];
    server->count = count;
    server->serve = serve;
    server->ctx = ctx;
    InitializeCriticalSection(&server->lock);
    server->thread = (HANDLE)_beginthreadex(NULL, 0, run, server, 0, NULL);
    assert_non_null(server->thread);
    return server;
}

bool test_server_stop(struct test_server *server)
{
    bool ran = WaitForSingleObject(server->thread, 0) == WAIT_TIMEOUT;
    DWORD code = 1;

    atomic_store(&server->is_over, true);
    EnterCriticalSection(&server->lock);
    for (size_t i = 0; i < server->connection_count; i++)
        (void)shutdown(server->connections[i], SD_BOTH);
    LeaveCriticalSection(&server->lock);
    assert_int_equal(WaitForSingleObject(server->thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(server->thread, &code));
    (void)CloseHandle(server->thread);
    for (size_t i = 0; i < server->connection_count; i++)
        platform_socket_close(server->connections[i]);
    for (size_t i = 0; i < server->count; i++)
        platform_socket_close(server->sockets[i]);
    DeleteCriticalSection(&server->lock);
    free(server);
    return ran && code == 0;
}
