/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "server_fixture.h"
#include "server_fixture_parts.h"
#include "test.h"
#include "util/mem.h"

#define SOCKETS_MAX 2

struct test_server {
    platform_socket sockets[SOCKETS_MAX];
    pid_t pid;
};

void server_sockets_init(void)
{
}

/* It is killed. */
bool server_is_over(UNUSED struct test_server *self)
{
    return false;
}

void server_opened(UNUSED struct test_server *self, UNUSED platform_socket fd)
{
}

platform_socket test_server_socket(const struct test_server *self, size_t n)
{
    return self->sockets[n];
}

void test_server_hang_up(UNUSED struct test_server *self, platform_socket fd)
{
    platform_socket_close(fd);
}

struct test_server *test_server_start(test_server_body *serve, void *ctx, const platform_socket *sockets, size_t count)
{
    struct test_server *server = mem_zalloc(sizeof *server);

    assert_true(count <= SOCKETS_MAX);
    for (size_t i = 0; i < count; i++)
        server->sockets[i] = sockets[i];
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        (void)signal(SIGPIPE, SIG_IGN);
#ifdef __linux__
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not stop us */
#endif
        _exit(serve(server, ctx));
    }
    for (size_t i = 0; i < count; i++)
        platform_socket_close(sockets[i]);
    return server;
}

bool test_server_stop(struct test_server *server)
{
    int status;

    assert_int_equal(kill(server->pid, SIGKILL), 0);
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
    free(server);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
