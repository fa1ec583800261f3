/* SPDX-License-Identifier: MIT
 *
 * Finding the addresses of hosts.
 *
 * getaddrinfo() alone knows all that a system may be set up for, and it can neither be given a time limit nor be
 * interrupted: with dead name servers it takes half a minute a host.  So each call is made by a process of its own,
 * which writes what it found into a pipe and is killed when it takes too long.
 */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/posix.h"
#include "util/text.h"

#define AT_ONCE_MAX 16
#define WAKE_UP_MS 200
#define ANSWER_MAX 4096
#define ADDRESSES_MAX 16
#define FAULT_MARK '!' /* in front of what went wrong, in place of addresses */

void platform_lookup_done(struct platform_lookup *lookup)
{
    strlist_done(&lookup->addresses);
}

/* ------------------------------------------------------------------ the process that looks up */

static void put_addresses(const struct addrinfo *list, struct buf *out)
{
    size_t count = 0;

    for (const struct addrinfo *at = list; at && count < ADDRESSES_MAX; at = at->ai_next, count++) {
        char address[NI_MAXHOST];

        if (getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0)
            buf_printf(out, "%s\n", address);
    }
}

static void look_up(const char *host, int flags, struct buf *out)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    int fault = getaddrinfo(host, NULL, &hints, &list);

    if (fault == 0) {
        put_addresses(list, out);
        freeaddrinfo(list);
    } else {
        buf_printf(out, "%c%s", FAULT_MARK, fault == EAI_SYSTEM ? strerror(errno) : gai_strerror(fault));
    }
}

NORETURN static void run_child(const char *host, int fd)
{
    struct buf AUTO_BUF answer = BUF_INIT(ANSWER_MAX);

    /* Not AI_ADDRCONFIG, which finds no address at all on a machine that has but loopback. */
    look_up(host, 0, &answer);
    _exit(posix_write_all(fd, buf_cstr(&answer), answer.len) ? 0 : 1);
}

/* ------------------------------------------------------------------ one host */

struct search {
    struct platform_lookup *lookup;
    pid_t pid; /* 0: none */
    int fd;    /* -1: none */
    int64_t end_ms;
    struct buf answer;
};

static void search_done(struct search *search)
{
    if (search->pid > 0) {
        (void)kill(search->pid, SIGKILL);
        while (waitpid(search->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    search->pid = 0;
    posix_close_auto(&search->fd);
    buf_done(&search->answer);
}

static enum err_code fail(struct platform_lookup *lookup, enum err_code code, const char *why)
{
    lookup->code = err_set(&lookup->err, code, "could not find the address of \"%s\": %s", lookup->host, why);
    return lookup->code;
}

/* Take the addresses from an answer. */
static void take(struct platform_lookup *lookup, const struct buf *answer)
{
    const char *text = buf_cstr(answer);

    if (*text == FAULT_MARK) {
        (void)fail(lookup, ERR_NETWORK, text + 1);
        return;
    }
    while (*text) {
        size_t len = strcspn(text, "\n");

        strlist_add_take(&lookup->addresses, mem_strndup(text, len));
        text += len + (text[len] ? 1 : 0);
    }
    lookup->code = ERR_OK;
    if (lookup->addresses.count == 0)
        (void)fail(lookup, ERR_NETWORK, "it has none");
}

/* Is it an address already?  Then no name service is asked. */
static bool take_numeric(struct platform_lookup *lookup)
{
    struct buf AUTO_BUF answer = BUF_INIT(ANSWER_MAX);

    look_up(lookup->host, AI_NUMERICHOST, &answer);
    if (*buf_cstr(&answer) == FAULT_MARK)
        return false;
    take(lookup, &answer);
    return true;
}

static bool start_child(struct search *search)
{
    int fds[2];

    if (pipe(fds) != 0)
        return false;
    search->pid = fork();
    if (search->pid == 0)
        run_child(search->lookup->host, fds[1]);
    (void)close(fds[1]);
    search->fd = fds[0];
    return search->pid > 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

static void search_start(struct search *search, struct platform_lookup *lookup, int64_t end_ms)
{
    *search = (struct search){.lookup = lookup, .fd = -1, .end_ms = end_ms, .answer = BUF_INIT(ANSWER_MAX)};
    strlist_done(&lookup->addresses);
    if (!take_numeric(lookup) && !start_child(search)) {
        (void)fail(lookup, ERR_NETWORK, strerror(errno));
        search_done(search);
    }
}

/* Read what there is; at the end of it the search is over. */
static void search_read(struct search *search)
{
    if (!posix_read_all(search->fd, &search->answer) && errno == EAGAIN)
        return;
    take(search->lookup, &search->answer);
    search_done(search);
}

/* ------------------------------------------------------------------ all of them */

struct searches {
    struct search items[AT_ONCE_MAX];
    size_t count;
};

static void searches_done(struct searches *searches)
{
    for (size_t i = 0; i < searches->count; i++)
        search_done(&searches->items[i]);
}

/* Wait for those under way, and handle what came; false with errno set. */
static bool step(struct searches *searches, struct clock *clock)
{
    struct pollfd polled[AT_ONCE_MAX];

    for (size_t i = 0; i < searches->count; i++)
        polled[i] = (struct pollfd){.fd = searches->items[i].fd, .events = POLLIN}; /* -1 is passed over */
    if (poll(polled, (nfds_t)searches->count, WAKE_UP_MS) < 0)
        return errno == EINTR;
    for (size_t i = 0; i < searches->count; i++) {
        struct search *search = &searches->items[i];

        if (search->fd >= 0 && polled[i].revents) {
            search_read(search);
        } else if (search->fd >= 0 && clock_mono_ms(clock) >= search->end_ms) {
            (void)fail(search->lookup, ERR_TIMEOUT, "the system's name service does not answer in time");
            search_done(search);
        }
    }
    return true;
}

static bool is_under_way(const struct searches *searches)
{
    for (size_t i = 0; i < searches->count; i++)
        if (searches->items[i].fd >= 0)
            return true;
    return false;
}

static enum err_code look_up_some(struct platform_lookup *lookups, size_t count, int64_t timeout_ms,
                                  struct clock *clock, struct err *err)
{
    struct searches AUTO(searches_done) searches = {.count = 0};
    int64_t end_ms = clock_mono_ms(clock) + timeout_ms;

    for (; searches.count < count; searches.count++)
        search_start(&searches.items[searches.count], &lookups[searches.count], end_ms);
    while (is_under_way(&searches)) {
        if (clock_is_cancelled(clock))
            return err_set(err, ERR_CANCELLED, "stopped while looking for the addresses of servers");
        if (!step(&searches, clock))
            return err_set_errno(err, ERR_INTERNAL, errno, "could not wait for the addresses of servers");
    }
    return ERR_OK;
}

enum err_code platform_lookup(struct platform_lookup *lookups, size_t count, int64_t timeout_ms, struct clock *clock,
                              struct err *err)
{
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < count && rc == ERR_OK; i += AT_ONCE_MAX)
        rc = look_up_some(lookups + i, count - i < AT_ONCE_MAX ? count - i : AT_ONCE_MAX, timeout_ms, clock, err);
    return rc;
}
