/* SPDX-License-Identifier: MIT */
#include "fake_http.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "util/mem.h"
#include "util/text.h"

static char *copy(const char *s)
{
    return mem_strdup(s);
}

static struct fake_exchange exchange_copy(const struct fake_exchange *from)
{
    struct fake_exchange to = *from;

    to.method = copy(from->method);
    to.url = copy(from->url);
    to.body = copy(from->body);
    to.headers = copy(from->headers);
    to.answer = copy(from->answer);
    return to;
}

static void exchange_done(struct fake_exchange *e)
{
    const char *const owned[] = {e->method, e->url, e->body, e->headers, e->answer};

    for (size_t i = 0; i < ARRAY_LEN(owned); i++)
        free((void *)(uintptr_t)owned[i]);
}

static void add_header(struct http_response *out, const char *name, size_t name_len, const char *value,
                       size_t value_len)
{
    out->headers = mem_resize(out->headers, out->header_count + 1, sizeof *out->headers);
    out->headers[out->header_count++] = (struct http_header){mem_strndup(name, name_len),
                                                             mem_strndup(value, value_len)};
}

static void add_headers(struct http_response *out, const char *lines)
{
    while (lines && *lines) {
        size_t len = strcspn(lines, "\n");
        const char *colon = memchr(lines, ':', len);

        assert_non_null(colon);
        add_header(out, lines, (size_t)(colon - lines), colon + 2, len - (size_t)(colon + 2 - lines));
        lines += len + (lines[len] == '\n' ? 1 : 0);
    }
}

static const struct fake_seen *remember(struct fake_http *http, const struct http_request *request)
{
    struct fake_seen *seen;

    http->seen = mem_resize(http->seen, http->seen_count + 1, sizeof *http->seen);
    seen = &http->seen[http->seen_count++];
    *seen = (struct fake_seen){.method = copy(request->method), .url = copy(request->url)};
    seen->body = request->body ? mem_strndup(request->body, request->body_len) : NULL;
    seen->wall_ms = http->clock->wall_ms;
    for (size_t i = 0; i < request->headers.count; i++)
        strlist_add(&seen->headers, request->headers.items[i]);
    return seen;
}

static void check(const struct fake_http *http, const struct fake_exchange *want, const struct fake_seen *seen)
{
    size_t root_len = strlen(http->root);

    assert_string_equal(seen->method, want->method);
    if (want->url) {
        assert_memory_equal(seen->url, http->root, root_len);
        assert_string_equal(seen->url + root_len, want->url);
    }
    if (want->body) {
        assert_non_null(seen->body);
        assert_string_equal(seen->body, want->body);
    } else {
        assert_null(seen->body);
    }
}

static void answer(struct fake_http *http, const struct http_request *request, const struct fake_exchange *with,
                   struct http_response *out)
{
    int64_t start_ms = http->clock->mono_ms;
    char date[CLOCK_HTTP_DATE_MAX];
    int64_t takes_ms = with->takes_ms;

    if (with->fail == ERR_TIMEOUT && takes_ms > request->timeout_ms)
        takes_ms = request->timeout_ms;
    fake_clock_advance(http->clock, takes_ms);
    *out = (struct http_response){.result = with->fail, .body = BUF_INIT(request->max_body)};
    out->elapsed_ms = http->clock->mono_ms - start_ms;
    out->mono_answered_ms = http->clock->mono_ms;
    if (with->fail != ERR_OK) {
        out->may_have_acted = with->may_have_acted;
        (void)err_set(&out->err, with->fail, "scripted failure of \"%s %s\"", request->method, request->url);
        return;
    }
    out->status = with->status;
    clock_format_http_date(date, (http->clock->wall_ms - http->server_behind_ms) / 1000);
    if (!with->no_date)
        add_header(out, "Date", 4, date, strlen(date));
    add_headers(out, with->headers);
    if (!with->is_foreign && !http_response_header(out, "x-dnsme-requestId"))
        add_header(out, "x-dnsme-requestId", 17, "5e36d5a5", 8);
    buf_puts(&out->body, with->answer ? with->answer : "");
    assert_true(buf_ok(&out->body));
}

static void perform_one(struct fake_http *http, const struct http_request *request, struct http_response *out)
{
    size_t index = http->seen_count;
    const struct fake_seen *seen = remember(http, request);
    struct fake_exchange made = {.status = 200};

    if (http->next < http->script_count) {
        const struct fake_exchange *want = &http->script[http->next++];

        check(http, want, seen);
        answer(http, request, want, out);
        return;
    }
    if (!http->handler)
        fail_msg("request %zu was not expected: %s %s %s", index, seen->method, seen->url,
                 seen->body ? seen->body : "");
    http->handler(http->handler_context, seen, index, &made);
    answer(http, request, &made, out);
}

/* Begin at `start` again; keep in *longest_ms how long one has taken. */
static void turn_back(struct fake_clock *clock, const struct fake_clock *start, int64_t *longest_ms)
{
    int64_t took_ms = clock->mono_ms - start->mono_ms;

    if (took_ms > *longest_ms)
        *longest_ms = took_ms;
    clock->mono_ms -= took_ms;
    clock->wall_ms -= took_ms;
}

static enum err_code fake_perform_many(struct http *self, const struct http_request *requests, size_t count,
                                       struct http_response *out, struct err *err)
{
    struct fake_http *http = (struct fake_http *)self;
    const struct fake_clock start = *http->clock;
    bool cancelled = http->clock->cancelled;
    int64_t longest_ms = 0;

    http->widest = count > http->widest ? count : http->widest;
    for (size_t i = 0; i < count; i++) {
        if (http->is_side_by_side)
            turn_back(http->clock, &start, &longest_ms);
        if (cancelled) {
            out[i] = (struct http_response){.result = ERR_CANCELLED, .body = BUF_INIT(requests[i].max_body)};
            (void)err_set(&out[i].err, ERR_CANCELLED, "interrupted");
        } else {
            perform_one(http, &requests[i], &out[i]);
        }
    }
    if (http->is_side_by_side) {
        turn_back(http->clock, &start, &longest_ms);
        fake_clock_advance(http->clock, longest_ms);
    }
    return cancelled ? err_set(err, ERR_CANCELLED, "interrupted") : ERR_OK;
}

static void fake_free(UNUSED struct http *self)
{
    /* the test owns it: fake_http_done() */
}

struct fake_http *fake_http_new(struct fake_clock *clock, const char *root)
{
    struct fake_http *http = mem_zalloc(sizeof *http);

    http->base.perform_many = fake_perform_many;
    http->base.free = fake_free;
    http->clock = clock;
    http->root = copy(root);
    return http;
}

struct http *fake_http_base(struct fake_http *http)
{
    return &http->base;
}

void fake_http_expect(struct fake_http *http, const struct fake_exchange *exchange)
{
    http->script = mem_resize(http->script, http->script_count + 1, sizeof *http->script);
    http->script[http->script_count++] = exchange_copy(exchange);
}

const char *fake_seen_header(const struct fake_seen *seen, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < seen->headers.count; i++)
        if (text_ncasecmp(seen->headers.items[i], name, len) == 0 && seen->headers.items[i][len] == ':')
            return seen->headers.items[i] + len + 2;
    return NULL;
}

void fake_http_done(struct fake_http *http)
{
    size_t left = http->script_count - http->next;

    for (size_t i = 0; i < http->script_count; i++)
        exchange_done(&http->script[i]);
    for (size_t i = 0; i < http->seen_count; i++) {
        free(http->seen[i].method);
        free(http->seen[i].url);
        free(http->seen[i].body);
        strlist_done(&http->seen[i].headers);
    }
    free(http->script);
    free(http->seen);
    free(http->root);
    free(http);
    if (left)
        fail_msg("%zu scripted requests were never made", left);
}
