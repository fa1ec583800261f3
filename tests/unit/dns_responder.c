/* SPDX-License-Identifier: MIT */
#include "dns_responder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_message.h"
#include "server_fixture.h"
#include "test.h"

#define TCP_MAX 32
#define REFUSAL_MS 500

/* One port that is free for both; the address is "127.0.0.1:port". */
static void bind_both(platform_socket sockets[2], char address[32])
{
    uint16_t port;

    do {
        port = 0;
        sockets[0] = test_server_bind(SOCK_DGRAM, NULL, &port);
        sockets[1] = test_server_bind(SOCK_STREAM, NULL, &port);
        if (sockets[1] == PLATFORM_NO_SOCKET)
            platform_socket_close(sockets[0]);
    } while (sockets[1] == PLATFORM_NO_SOCKET);
    (void)snprintf(address, 32, "127.0.0.1:%u", port);
}

/* ------------------------------------------------------------------ answering */

struct question {
    uint16_t id;
    char name[256];
    uint16_t type;
    bool rd, edns, tcp, wants_dnssec, no_validation;
};

static bool parse_question(const uint8_t *data, size_t len, struct question *q)
{
    size_t pos = 12;
    size_t out = 0;

    if (len < 17)
        return false;
    q->id = (uint16_t)(data[0] << 8 | data[1]);
    q->rd = (data[2] & 1) != 0;
    q->edns = data[11] != 0;
    while (data[pos]) {
        if (pos + data[pos] + 1u >= len || out + data[pos] + 2 > sizeof q->name)
            return false;
        memcpy(q->name + out, data + pos + 1, data[pos]);
        out += data[pos];
        q->name[out++] = '.';
        pos += data[pos] + 1u;
    }
    q->name[out ? out - 1 : 0] = '\0';
    if (pos + 5 > len)
        return false;
    q->type = (uint16_t)(data[pos + 1] << 8 | data[pos + 2]);
    q->no_validation = (data[3] & 0x10) != 0;
    /* the OPT record: no name, type 41, and DO in its TTL */
    pos += 5;
    q->wants_dnssec = pos + 11 <= len && data[pos] == 0 && data[pos + 2] == 41 && (data[pos + 7] & 0x80) != 0;
    return true;
}

static bool is_case(const struct question *q, const char *label)
{
    size_t len = strlen(label);

    return strncmp(q->name, label, len) == 0 && (q->name[len] == '.' || q->name[len] == '\0');
}

static void put_data(const struct question *q, struct message *m, unsigned count)
{
    char text[64] = "hello";

    if (is_case(q, "rd"))
        (void)snprintf(text, sizeof text, "rd=%d tcp=%d edns=%d", q->rd, q->tcp, q->edns);
    else if (is_case(q, "flags"))
        (void)snprintf(text, sizeof text, "rd=%d do=%d cd=%d", q->rd, q->wants_dnssec, q->no_validation);
    else if (is_case(q, "count"))
        (void)snprintf(text, sizeof text, "%u", count);
    else if (is_case(q, "tc"))
        (void)snprintf(text, sizeof text, "whole");
    for (int i = is_case(q, "tc") ? 20 : 1; i > 0; i--)
        message_rr_txt(m, q->name, 300, text);
}

/* What came so far. */
struct asked {
    unsigned count;
    unsigned dropped;
};

/* False: say nothing. */
static bool make_answer(const struct question *q, struct message *m, struct asked *asked)
{
    unsigned flags = MESSAGE_RESPONSE | MESSAGE_AUTHORITATIVE | (q->rd ? MESSAGE_RD : 0);
    bool truncated = !q->tcp && (is_case(q, "tc") || is_case(q, "close"));

    asked->count++;
    if (is_case(q, "silent") || (is_case(q, "drop") && asked->dropped++ == 0))
        return false;
    flags |= is_case(q, "nx") ? 3 : is_case(q, "servfail") ? 2 : is_case(q, "refused") ? 5 : 0;
    flags |= is_case(q, "formerr") && q->edns ? 1 : 0;
    flags |= is_case(q, "flags") && q->wants_dnssec ? MESSAGE_AUTHENTICATED : 0;
    message_begin(m, (uint16_t)(q->id + (is_case(q, "wrongid") ? 1 : 0)), flags | (truncated ? MESSAGE_TRUNCATED : 0));
    message_question(m, q->name, q->type);
    if ((flags & 15) == 0 && !truncated)
        put_data(q, m, asked->count);
    if (is_case(q, "nx"))
        message_rr_soa(m, MESSAGE_AUTHORITY, "example.com", 600, 180);
    if (is_case(q, "garbage"))
        m->data[m->len - 8] = 200;
    if (is_case(q, "short"))
        m->len = 5;
    return true;
}

/* ------------------------------------------------------------------ serving */

static void serve_udp(platform_socket fd, struct asked *asked)
{
    struct message m;
    uint8_t data[1500];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t len = recvfrom(fd, (void *)data, sizeof data, 0, (struct sockaddr *)&from, &from_len);
    struct question q = {.tcp = false};

    if (len > 0 && parse_question(data, (size_t)len, &q) && make_answer(&q, &m, asked))
        (void)sendto(fd, (void *)m.data, SOCKET_LEN(m.len), 0, (struct sockaddr *)&from, from_len);
}

static bool read_all(platform_socket fd, uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(fd, (void *)data, SOCKET_LEN(len), 0);

        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* False: the connection is to be closed. */
static bool serve_tcp(platform_socket fd, struct asked *asked)
{
    struct message m;
    uint8_t prefix[2];
    uint8_t data[1500];
    struct question q = {.tcp = true};
    size_t len;

    if (!read_all(fd, prefix, 2))
        return false;
    len = (size_t)(prefix[0] << 8 | prefix[1]);
    if (len > sizeof data || !read_all(fd, data, len) || !parse_question(data, len, &q) || is_case(&q, "close"))
        return false;
    if (!make_answer(&q, &m, asked))
        return true;
    prefix[0] = (uint8_t)(m.len >> 8);
    prefix[1] = (uint8_t)m.len;
    return send(fd, (void *)prefix, 2, MSG_NOSIGNAL | MSG_MORE) == 2 &&
           send(fd, (void *)m.data, SOCKET_LEN(m.len), MSG_NOSIGNAL) == (ssize_t)m.len;
}

static int serve(struct test_server *self, UNUSED void *ctx)
{
    platform_socket udp = test_server_socket(self, 0);
    platform_socket tcp = test_server_socket(self, 1);
    struct pollfd fds[2 + TCP_MAX] = {{.fd = udp, .events = POLLIN}, {.fd = tcp, .events = POLLIN}};
    size_t count = 2;
    struct asked asked = {0, 0};

    while (test_server_wait(self, fds, count)) {
        if (fds[0].revents)
            serve_udp(udp, &asked);
        for (size_t i = 2; i < count; i++) {
            if (fds[i].revents && !serve_tcp(fds[i].fd, &asked)) {
                test_server_hang_up(self, fds[i].fd);
                fds[i--] = fds[--count];
            }
        }
        if (fds[1].revents && count < 2 + TCP_MAX) {
            fds[count] = (struct pollfd){.fd = test_server_accept(self, tcp), .events = POLLIN};
            count += fds[count].fd != PLATFORM_NO_SOCKET;
        }
    }
    return 0;
}

void dns_responder_start(struct dns_responder *responder)
{
    platform_socket sockets[2];

    bind_both(sockets, responder->address);
    assert_int_equal(listen(sockets[1], 16), 0);
    responder->server = test_server_start(serve, NULL, sockets, 2);
}

void dns_responder_stop(struct dns_responder *responder)
{
    assert_true(test_server_stop(responder->server));
}

void dns_responder_closed_address(char out[32])
{
    platform_socket sockets[2];

    bind_both(sockets, out);
    platform_socket_close(sockets[0]);
    platform_socket_close(sockets[1]);
}

bool dns_responder_refusals_are_told(void)
{
    char address[32];
    uint16_t port = 0;
    char byte = 0;
    platform_socket fd = test_server_bind(SOCK_DGRAM, NULL, &port);
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool are_told;

    dns_responder_closed_address(address);
    to.sin_port = htons((uint16_t)strtoul(strchr(address, ':') + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
    are_told = platform_socket_poll(&polled, 1, REFUSAL_MS) == 1 && recv(fd, &byte, 1, 0) < 0;
    platform_socket_close(fd);
    return are_told;
}
