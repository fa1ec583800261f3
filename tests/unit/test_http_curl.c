/* SPDX-License-Identifier: MIT
 *
 * Against a server of our own, which listens on a loopback port and behaves as one test wants it.
 */
#include <curl/curl.h>
#ifndef _WIN32
#include <dlfcn.h>
#include <netdb.h>
#endif
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "http/http.h"
#include "platform/platform.h"
#include "server_fixture.h"
#include "test.h"
#include "util/text.h"

/* ------------------------------------------------------------------ a real clock that can cancel */

struct real_clock {
    struct clock base;
    int64_t cancel_at_ms; /* 0: never */
};

static int64_t real_mono_ms(UNUSED struct clock *self)
{
    return clock_mono_ms(platform_clock());
}

static int64_t real_wall_ms(UNUSED struct clock *self)
{
    return (int64_t)time(NULL) * 1000;
}

static bool real_is_cancelled(struct clock *self)
{
    const struct real_clock *clock = (const struct real_clock *)self;

    return clock->cancel_at_ms && real_mono_ms(self) >= clock->cancel_at_ms;
}

static bool real_sleep_ms(UNUSED struct clock *self, UNUSED int64_t ms)
{
    fail_msg("nothing here sleeps");
    return false;
}

/* ------------------------------------------------------------------ the server */

/* Serves connection number `n` (from 1). */
typedef void behaviour(platform_socket fd, int n);

struct fixture {
    struct real_clock clock;
    struct http *http;
    struct test_server *server;
    behaviour *behave;
    int port;
    char url[64];
    struct http_request request;
    struct http_response response;
    struct err err;
};

/* Read the head of a request and its body, if it has one; false at the end of the connection. */
static bool read_request(platform_socket fd, char *out, size_t size)
{
    size_t len = 0;
    size_t want = SIZE_MAX;

    out[0] = '\0';
    while (len < want) {
        ssize_t got = recv(fd, out + len, SOCKET_LEN(size - 1 - len), 0);
        const char *end;
        const char *length;

        if (got <= 0)
            return false;
        len += (size_t)got;
        out[len] = '\0';
        end = strstr(out, "\r\n\r\n");
        if (!end)
            continue;
        length = strstr(out, "Content-Length: ");
        want = (size_t)(end + 4 - out) + (length ? (size_t)strtoul(length + 16, NULL, 10) : 0);
    }
    return true;
}

static void send_text(platform_socket fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t done = send(fd, text, SOCKET_LEN(left), MSG_NOSIGNAL);
        if (done <= 0)
            return;
        text += done;
        left -= (size_t)done;
    }
}

static void reset_connection(platform_socket fd)
{
    const struct linger now = {1, 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, (const void *)&now, sizeof now);
}

static int serve(struct test_server *self, void *ctx)
{
    behaviour *behave = ((const struct fixture *)ctx)->behave;
    platform_socket fd;

    for (int n = 1; (fd = test_server_accept(self, test_server_socket(self, 0))) != PLATFORM_NO_SOCKET; n++) {
        behave(fd, n);
        test_server_hang_up(self, fd);
    }
    return 0;
}

static void listen_on_loopback(struct fixture *f, behaviour *behave)
{
    uint16_t port = 0;
    platform_socket listening = test_server_bind(SOCK_STREAM, NULL, &port);

    assert_true(listening != PLATFORM_NO_SOCKET);
    f->port = port;
    f->behave = behave;
    if (behave) {
        assert_int_equal(listen(listening, 64), 0);
        f->server = test_server_start(serve, f, &listening, 1);
    } else {
        platform_socket_close(listening);
    }
}

/* `behave` NULL: the port is closed. */
static void setup(struct fixture *f, behaviour *behave)
{
    *f = (struct fixture){.clock.base = {real_wall_ms, real_mono_ms, real_sleep_ms, real_is_cancelled}};
    listen_on_loopback(f, behave);
    assert_int_equal(http_curl_new(&(struct http_curl_opts){.user_agent = "acme-dme/test",
                                                            .connect_timeout_ms = 5000,
                                                            .clock = &f->clock.base},
                                   &f->http, &f->err),
                     ERR_OK);
    (void)snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d/x", f->port);
    f->request = (struct http_request){.method = "GET", .url = f->url, .timeout_ms = 10000, .max_body = 100000};
}

static void teardown(struct fixture *f)
{
    http_request_done(&f->request);
    http_response_done(&f->response);
    http_free(f->http);
    if (f->server)
        assert_true(test_server_stop(f->server));
}

static enum err_code perform(struct fixture *f)
{
    http_response_done(&f->response);
    return http_perform(f->http, &f->request, &f->response, &f->err);
}

static void assert_failure(struct fixture *f, enum err_code want, bool may_have_acted, const char *in_msg)
{
    enum err_code got = perform(f);

    if (got != want || !strstr(f->err.msg, in_msg))
        fail_msg("got %s \"%s\", wanted %s \"%s\"", err_name(got), f->err.msg, err_name(want), in_msg);
    assert_int_equal(f->err.code, want);
    assert_int_equal(f->response.result, want);
    assert_int_equal(f->response.may_have_acted, may_have_acted);
}

/* ------------------------------------------------------------------ exchanges that work */

/* Answers each request with its own text, over a connection that stays open. */
static void echo(platform_socket fd, int n)
{
    char request[8192];
    char head[200];

    while (read_request(fd, request, sizeof request)) {
        (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nX-Connection: %d\r\nContent-Length: %zu\r\n\r\n", n,
                       strlen(request));
        send_text(fd, head);
        send_text(fd, request);
    }
}

TEST(a_request_carries_what_it_was_given_and_nothing_of_this_machine)
{
    struct fixture f;
    const char *body;

    setup(&f, echo);
    http_request_add_header(&f.request, "x-dnsme-apiKey", "key");
    f.request.method = "POST";
    f.request.body = "{\"a\":1}";
    f.request.body_len = 7;
    assert_int_equal(perform(&f), ERR_OK);
    body = buf_cstr(&f.response.body);
    assert_true(text_starts_with(body, "POST /x HTTP/1.1\r\n"));
    assert_non_null(strstr(body, "\r\nx-dnsme-apiKey: key\r\n"));
    assert_non_null(strstr(body, "\r\nUser-Agent: acme-dme/test\r\n"));
    assert_non_null(strstr(body, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(body, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(body, "Expect"));
    assert_null(strstr(body, "Cookie"));
    assert_null(strstr(body, "Authorization"));
    assert_int_equal(f.response.status, 200);
    teardown(&f);
}

TEST(every_method_goes_out_as_such_and_over_one_connection)
{
    static const char *const methods[] = {"GET", "DELETE", "POST", "PUT", "GET"};
    struct fixture f;

    setup(&f, echo);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        f.request.method = methods[i];
        f.request.body = methods[i][0] == 'P' ? "{}" : NULL;
        f.request.body_len = f.request.body ? 2 : 0;
        assert_int_equal(perform(&f), ERR_OK);
        assert_memory_equal(buf_cstr(&f.response.body), methods[i], strlen(methods[i]));
        assert_string_equal(http_response_header(&f.response, "x-connection"), "1");
        assert_true(text_ends_with(buf_cstr(&f.response.body), f.request.body ? "\r\n\r\n{}" : "\r\n\r\n"));
    }
    teardown(&f);
}

/* As to a GET, but for the body that Content-Length tells of. */
static void head_only(platform_socket fd, UNUSED int n)
{
    char all[4000];

    while (read_request(fd, all, sizeof all))
        send_text(fd, text_starts_with(all, "HEAD ") ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nReplay-Nonce: n\r\n\r\n"
                                                     : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

TEST(an_answer_to_HEAD_has_no_body_whatever_its_length_says)
{
    struct fixture f;

    setup(&f, head_only);
    f.request.method = "HEAD";
    for (int i = 0; i < 2; i++) {
        assert_int_equal(perform(&f), ERR_OK);
        assert_int_equal(f.response.status, 200);
        assert_int_equal(f.response.body.len, 0);
        assert_string_equal(http_response_header(&f.response, "replay-nonce"), "n");
    }
    f.request.method = "GET";
    assert_int_equal(perform(&f), ERR_OK);
    assert_string_equal(buf_cstr(&f.response.body), "hello");
    teardown(&f);
}

/* Says "no" when the head of a request asks for 100 Continue; reads a body of any size. */
static void swallow(platform_socket fd, UNUSED int n)
{
    static char all[2200000];

    if (!read_request(fd, all, sizeof all))
        return;
    send_text(fd, strstr(all, "Expect:") ? "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"
                                         : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(a_large_body_goes_out_without_asking_first)
{
    enum { LEN = 2000000 };
    struct fixture f;
    char *body AUTO_FREE = mem_zalloc(LEN + 1);

    setup(&f, swallow);
    memset(body, 'x', LEN);
    f.request.method = "POST";
    f.request.body = body;
    f.request.body_len = LEN;
    assert_int_equal(perform(&f), ERR_OK);
    assert_int_equal(f.response.status, 200);
    teardown(&f);
}

static void interim(platform_socket fd, UNUSED int n)
{
    char request[8192];

    if (!read_request(fd, request, sizeof request))
        return;
    send_text(fd, "HTTP/1.1 103 Early Hints\r\nDate: interim\r\nX-Interim: 1\r\n\r\n"
                  "HTTP/1.1 404 Not Found\r\nDate:\t final  \r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2\r\nde\r\n0\r\nDate: trailer\r\nX-Trailer: 1\r\n\r\n");
}

TEST(only_the_final_answers_headers_count)
{
    struct fixture f;

    setup(&f, interim);
    assert_int_equal(perform(&f), ERR_OK);
    assert_int_equal(f.response.status, 404);
    assert_string_equal(buf_cstr(&f.response.body), "abcde");
    assert_string_equal(http_response_header(&f.response, "date"), "final");
    assert_string_equal(http_response_header(&f.response, "X-Empty"), "");
    assert_null(http_response_header(&f.response, "X-Interim"));
    assert_null(http_response_header(&f.response, "X-Trailer"));
    assert_true(f.response.mono_answered_ms > 0);
    teardown(&f);
}

static void close_after_echo(platform_socket fd, UNUSED int n)
{
    char request[8192];

    if (!read_request(fd, request, sizeof request))
        return;
    send_text(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    send_text(fd, request);
}

TEST(many_requests_run_side_by_side_and_answers_keep_their_places)
{
    enum { COUNT = 20 };
    struct fixture f;
    struct http_request requests[COUNT];
    struct http_response responses[COUNT];
    char urls[COUNT][64];

    setup(&f, close_after_echo);
    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "http://127.0.0.1:%d/number-%zu-", f.port, i);
        requests[i] = f.request;
        requests[i].url = i == 7 ? "http://127.0.0.1:1/closed" : urls[i];
    }
    assert_int_equal(http_perform_many(f.http, requests, COUNT, responses, &f.err), ERR_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(responses[i].result, i == 7 ? ERR_NETWORK : ERR_OK);
        if (i != 7)
            assert_non_null(strstr(buf_cstr(&responses[i].body), strrchr(urls[i], '/')));
        http_response_done(&responses[i]);
    }
    teardown(&f);
}

static void redirect(platform_socket fd, int n)
{
    char request[8192];

    if (!read_request(fd, request, sizeof request))
        return;
    send_text(fd, n == 1
                      ? "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                      : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(a_redirect_is_an_answer_like_any_other)
{
    struct fixture f;

    setup(&f, redirect);
    assert_int_equal(perform(&f), ERR_OK);
    assert_int_equal(f.response.status, 302);
    assert_string_equal(http_response_header(&f.response, "Location"), "/elsewhere");
    teardown(&f);
}

static void set_cookie(platform_socket fd, UNUSED int n)
{
    char request[8192];

    while (read_request(fd, request, sizeof request)) {
        send_text(fd, strstr(request, "JSESSIONID") ? "HTTP/1.1 500 Cookie\r\nContent-Length: 0\r\n\r\n"
                                                    : "HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=1; Path=/\r\n"
                                                      "Content-Length: 0\r\n\r\n");
    }
}

TEST(cookies_are_not_kept)
{
    struct fixture f;

    setup(&f, set_cookie);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(perform(&f), ERR_OK);
        assert_int_equal(f.response.status, 200);
    }
    teardown(&f);
}

static void answer_once(platform_socket fd, UNUSED int n)
{
    char request[8192];

    if (read_request(fd, request, sizeof request))
        send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(a_connection_that_the_server_closed_meanwhile_is_replaced)
{
    struct fixture f;

    setup(&f, answer_once);
    f.request.method = "POST";
    f.request.body = "{}";
    f.request.body_len = 2;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(perform(&f), ERR_OK);
        assert_int_equal(f.response.status, 200);
    }
    teardown(&f);
}

/* ------------------------------------------------------------------ failures */

static void reset_after_request(platform_socket fd, UNUSED int n)
{
    char request[8192];

    (void)read_request(fd, request, sizeof request);
    reset_connection(fd);
}

TEST(a_reset_after_the_request_may_have_acted)
{
    struct fixture f;

    setup(&f, reset_after_request);
    assert_failure(&f, ERR_NETWORK, true, "the connection broke to \"127.0.0.1:");
    teardown(&f);
}

static void close_after_request(platform_socket fd, UNUSED int n)
{
    char request[8192];

    (void)read_request(fd, request, sizeof request);
}

TEST(an_empty_reply_may_have_acted)
{
    struct fixture f;

    setup(&f, close_after_request);
    assert_failure(&f, ERR_NETWORK, true, "the connection broke to");
    teardown(&f);
}

TEST(a_closed_port_has_not_acted)
{
    struct fixture f;

    setup(&f, NULL);
    assert_failure(&f, ERR_NETWORK, false, "no connection to \"127.0.0.1:");
    assert_non_null(strstr(f.err.hint, "firewall"));
    teardown(&f);
}

TEST(a_name_that_cannot_be_resolved_has_not_acted)
{
    struct fixture f;

    setup(&f, NULL);
    f.request.url =
        "http://a-label-of-more-than-sixty-three-characters-which-no-name-server-is-ever-asked-about.invalid/";
    assert_failure(&f, ERR_NETWORK, false, "could not resolve the host name of \"a-label");
    assert_non_null(strstr(f.err.hint, platform_resolvers_place()));
    teardown(&f);
}

static atomic_bool is_released;

#ifndef _WIN32
/* In place of the C library's, which libcurl calls in a thread of its own: for one name it takes as long as a resolver
 * does whose name servers keep silent. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
    typedef int real_function(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    real_function *real = NULL;

    if (node && strcmp(node, "silence.invalid") == 0) {
        while (!atomic_load(&is_released))
            fixture_sleep_ms(5);
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, res);
}
#endif

TEST(silent_name_servers_outlast_neither_the_time_out_nor_an_interruption)
{
    struct fixture f;
    int64_t start_ms;

    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x075700)
        skip();
    fixture_needs(FIXTURE_INTERPOSITION);
    setup(&f, NULL);
    f.request.url = "http://silence.invalid/";
    f.request.timeout_ms = 300;
    start_ms = real_mono_ms(NULL);
    assert_failure(&f, ERR_TIMEOUT, false, "no answer in time from \"silence.invalid\"");
    f.request.timeout_ms = 10000;
    f.clock.cancel_at_ms = real_mono_ms(NULL) + 100;
    assert_int_equal(perform(&f), ERR_CANCELLED);
    assert_in_range(real_mono_ms(NULL) - start_ms, 400, 4000);
    atomic_store(&is_released, true);
    fixture_sleep_ms(100); /* the threads end */
    teardown(&f);
}

static void cut_body(platform_socket fd, UNUSED int n)
{
    char request[8192];

    if (read_request(fd, request, sizeof request))
        send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":[{\"id\":");
}

TEST(a_truncated_body_is_no_answer)
{
    struct fixture f;

    setup(&f, cut_body);
    assert_failure(&f, ERR_NETWORK, true, "the connection broke to");
    teardown(&f);
}

static void garbage(platform_socket fd, UNUSED int n)
{
    char request[8192];

    if (read_request(fd, request, sizeof request))
        send_text(fd, "\x01\x02SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n");
}

TEST(what_is_not_http_is_an_api_error)
{
    struct fixture f;

    setup(&f, garbage);
    assert_failure(&f, ERR_API, true, "not an HTTP answer from");
    teardown(&f);
}

static void endless_body(platform_socket fd, UNUSED int n)
{
    char request[8192];

    if (!read_request(fd, request, sizeof request))
        return;
    send_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 100; i++)
        send_text(fd, "0123456789012345678901234567890123456789012345678901234567890123456789");
}

TEST(a_body_beyond_the_limit_is_refused)
{
    struct fixture f;

    setup(&f, endless_body);
    f.request.max_body = 6999;
    assert_failure(&f, ERR_API, true, "is larger than 6999 bytes");
    f.request.max_body = 7000;
    assert_int_equal(perform(&f), ERR_OK);
    assert_int_equal(f.response.body.len, 7000);
    teardown(&f);
}

static void endless_headers(platform_socket fd, UNUSED int n)
{
    char request[8192];

    if (!read_request(fd, request, sizeof request))
        return;
    send_text(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1000; i++)
        send_text(fd, "X-Header: value\r\n");
    send_text(fd, "\r\n");
}

TEST(headers_beyond_the_limit_are_refused)
{
    struct fixture f;

    setup(&f, endless_headers);
    assert_failure(&f, ERR_API, true, "too many headers");
    teardown(&f);
}

static void silence(platform_socket fd, UNUSED int n)
{
    char request[8192];

    while (read_request(fd, request, sizeof request))
        ;
}

TEST(a_silent_server_is_a_timeout_that_may_have_acted)
{
    struct fixture f;
    int64_t start_ms;

    setup(&f, silence);
    f.request.timeout_ms = 300;
    start_ms = real_mono_ms(NULL);
    assert_failure(&f, ERR_TIMEOUT, true, "no answer in time from \"127.0.0.1:");
    assert_in_range(real_mono_ms(NULL) - start_ms, 250, 3000);
    assert_in_range(f.response.elapsed_ms, 250, 3000);
    teardown(&f);
}

TEST(an_interruption_ends_a_request_within_a_blink)
{
    struct fixture f;
    int64_t start_ms;

    setup(&f, silence);
    start_ms = real_mono_ms(NULL);
    f.clock.cancel_at_ms = start_ms + 100;
    assert_int_equal(perform(&f), ERR_CANCELLED);
    assert_int_equal(f.err.code, ERR_CANCELLED);
    assert_true(f.response.may_have_acted);
    assert_in_range(real_mono_ms(NULL) - start_ms, 100, 2000);
    teardown(&f);
}

TEST(after_an_interruption_nothing_is_sent)
{
    struct fixture f;

    setup(&f, echo);
    f.clock.cancel_at_ms = 1;
    assert_int_equal(perform(&f), ERR_CANCELLED);
    assert_false(f.response.may_have_acted);
    f.clock.cancel_at_ms = 0; /* cleaning up after it works */
    assert_int_equal(perform(&f), ERR_OK);
    assert_string_equal(http_response_header(&f.response, "X-Connection"), "1");
    teardown(&f);
}

/* ------------------------------------------------------------------ TLS and URLs */

static void plain_text(platform_socket fd, UNUSED int n)
{
    char hello[1024];

    (void)!recv(fd, hello, sizeof hello, 0);
    send_text(fd, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
}

TEST(a_server_without_tls_is_a_tls_error_and_has_not_acted)
{
    struct fixture f;
    char url[64];

    setup(&f, plain_text);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%d/", f.port);
    f.request.url = url;
    assert_failure(&f, ERR_TLS, false, "no secure connection to \"127.0.0.1:");
    assert_non_null(strstr(f.err.hint, "speaks no TLS"));
    assert_non_null(strstr(f.err.hint, "captive portal"));
    teardown(&f);
}

static void hang_up(platform_socket fd, UNUSED int n)
{
    char hello[1024];

    (void)!recv(fd, hello, sizeof hello, 0);
    reset_connection(fd);
}

TEST(a_handshake_that_is_cut_off_is_a_network_error_and_has_not_acted)
{
    struct fixture f;
    char url[64];

    setup(&f, hang_up);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%d/", f.port);
    f.request.url = url;
    assert_failure(&f, ERR_NETWORK, false, "the connection broke to");
    teardown(&f);
}

TEST(urls_that_are_not_ours_to_ask_are_refused_without_being_shown)
{
    static const char *const urls[] = {"ftp://example.net/",
                                       "file:///etc/passwd",
                                       "https://",
                                       "https:///x",
                                       "example.net",
                                       "https://user:hunter2@example.net/",
                                       "",
                                       "HTTPS"};
    struct fixture f;

    setup(&f, NULL);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        f.request.url = urls[i];
        assert_failure(&f, ERR_INPUT, false, "not a usable URL");
        assert_null(strstr(f.err.msg, "hunter2"));
    }
    teardown(&f);
}

TEST(a_scheme_in_capitals_is_one_too)
{
    struct fixture f;

    setup(&f, echo);
    (void)snprintf(f.url, sizeof f.url, "HTTP://127.0.0.1:%d/x", f.port);
    assert_int_equal(perform(&f), ERR_OK);
    teardown(&f);
}

/* It carries signatures in clear. */
TEST(no_proxy_sees_a_request_without_tls)
{
    struct fixture f;

    setup(&f, echo);
    fixture_setenv("http_proxy", "http://127.0.0.1:1");
    fixture_setenv("all_proxy", "http://127.0.0.1:1");
    assert_int_equal(perform(&f), ERR_OK);
    fixture_setenv("http_proxy", NULL);
    fixture_setenv("all_proxy", NULL);
    teardown(&f);
}

TEST(a_password_in_a_proxy_setting_is_not_shown)
{
    static const char *const settings[] = {"bogus://user:hunter2@127.0.0.1:1", "user:hunter2@[::1",
                                           "user:hunter2@127.0.0.1:1", "http://user:hunt/er2@127.0.0.1:1"};

    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        struct fixture f;
        enum err_code code;

        setup(&f, NULL);
        fixture_setenv("https_proxy", settings[i]);
        f.request.url = "https://api.example.net/";
        code = perform(&f);
        assert_true(code == ERR_NETWORK || code == ERR_INTERNAL);
        assert_false(f.response.may_have_acted);
        assert_null(strstr(f.err.msg, "hunt"));
        if (i == 0)
            assert_non_null(strstr(f.err.msg, "'***@127.0.0.1:1'"));
        assert_null(strstr(f.err.hint, "hunt"));
        teardown(&f);
    }
    fixture_setenv("https_proxy", NULL);
}

static void refuse_connect(platform_socket fd, UNUSED int n)
{
    char request[8192];

    if (read_request(fd, request, sizeof request))
        send_text(fd, "HTTP/1.1 407 Proxy Authentication Required\r\nDate: proxy\r\nContent-Length: 0\r\n\r\n");
}

TEST(a_proxy_that_refuses_is_named_as_such_and_nothing_has_acted)
{
    struct fixture f;
    char proxy[64];

    setup(&f, refuse_connect);
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", f.port);
    fixture_setenv("https_proxy", proxy);
    f.request.url = "https://api.example.net/";
    assert_failure(&f, ERR_NETWORK, false, "the proxy refused a connection to \"api.example.net\"");
    assert_non_null(strstr(f.err.hint, "https_proxy"));
    assert_null(http_response_header(&f.response, "Date"));
    fixture_setenv("https_proxy", NULL);
    teardown(&f);
}

TEST(two_objects_live_side_by_side_and_one_after_the_other)
{
    struct fixture f;
    struct fixture g;

    setup(&f, echo);
    setup(&g, echo);
    assert_int_equal(perform(&f), ERR_OK);
    teardown(&f);
    assert_int_equal(perform(&g), ERR_OK);
    teardown(&g);
}

int main(void)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_carries_what_it_was_given_and_nothing_of_this_machine),
        cmocka_unit_test(every_method_goes_out_as_such_and_over_one_connection),
        cmocka_unit_test(an_answer_to_HEAD_has_no_body_whatever_its_length_says),
        cmocka_unit_test(a_large_body_goes_out_without_asking_first),
        cmocka_unit_test(only_the_final_answers_headers_count),
        cmocka_unit_test(many_requests_run_side_by_side_and_answers_keep_their_places),
        cmocka_unit_test(a_redirect_is_an_answer_like_any_other),
        cmocka_unit_test(cookies_are_not_kept),
        cmocka_unit_test(a_connection_that_the_server_closed_meanwhile_is_replaced),
        cmocka_unit_test(a_reset_after_the_request_may_have_acted),
        cmocka_unit_test(an_empty_reply_may_have_acted),
        cmocka_unit_test(a_closed_port_has_not_acted),
        cmocka_unit_test(a_name_that_cannot_be_resolved_has_not_acted),
        cmocka_unit_test(silent_name_servers_outlast_neither_the_time_out_nor_an_interruption),
        cmocka_unit_test(a_truncated_body_is_no_answer),
        cmocka_unit_test(what_is_not_http_is_an_api_error),
        cmocka_unit_test(a_body_beyond_the_limit_is_refused),
        cmocka_unit_test(headers_beyond_the_limit_are_refused),
        cmocka_unit_test(a_silent_server_is_a_timeout_that_may_have_acted),
        cmocka_unit_test(an_interruption_ends_a_request_within_a_blink),
        cmocka_unit_test(after_an_interruption_nothing_is_sent),
        cmocka_unit_test(a_server_without_tls_is_a_tls_error_and_has_not_acted),
        cmocka_unit_test(a_handshake_that_is_cut_off_is_a_network_error_and_has_not_acted),
        cmocka_unit_test(urls_that_are_not_ours_to_ask_are_refused_without_being_shown),
        cmocka_unit_test(a_scheme_in_capitals_is_one_too),
        cmocka_unit_test(no_proxy_sees_a_request_without_tls),
        cmocka_unit_test(a_password_in_a_proxy_setting_is_not_shown),
        cmocka_unit_test(a_proxy_that_refuses_is_named_as_such_and_nothing_has_acted),
        cmocka_unit_test(two_objects_live_side_by_side_and_one_after_the_other),
    };

    for (size_t i = 0; i < ARRAY_LEN(proxies); i++)
        fixture_setenv(proxies[i], NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
