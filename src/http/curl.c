/* SPDX-License-Identifier: MIT
 *
 * HTTP through libcurl, which only this directory knows.
 *
 * One multi handle lives as long as the object and keeps connections, so that the requests of one run share one TLS
 * handshake; requests that are handed in together share one HTTP/2 connection where the server speaks it.  While
 * transfers run, the clock is asked every 200 ms whether the operator wants us to stop.
 *
 * Fixed whatever the options: certificates are verified, TLS 1.2 at least, no redirects, no cookies, no .netrc.
 * Proxies come from the environment as libcurl defines it (https_proxy, no_proxy ...), and for https only.
 */
#include "http/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/curl_error.h"
#include "http/curl_trust.h"
#include "util/secret.h"
#include "util/text.h"

#define SLICE_MS 200
#define HEADERS_MAX 200
#define HEADER_BYTES_MAX (256u * 1024)
#define CONNECTIONS_MAX 4 /* to one host, where it does not speak HTTP/2 */

struct http_curl {
    struct http base;
    CURLM *multi;
    CURLSH *share; /* TLS sessions: should the server close the connection, the next handshake is a short one */
    struct clock *clock;
    enum curl_trust trust;
    char *ca_file; /* of CURL_TRUST_FILE */
    char *user_agent;
    char *clock_advice;
    struct curl_watches watches;
    int64_t connect_timeout_ms;
};

/* Why we, not libcurl, ended a transfer. */
enum abort_reason { ABORT_NONE, ABORT_BODY_TOO_LARGE, ABORT_HEADERS_TOO_LARGE };

struct transfer {
    struct http_curl *owner;
    const struct http_request *request;
    struct http_response *out;
    CURL *easy;
    struct curl_slist *headers;
    int64_t start_ms;
    size_t header_bytes;
    enum curl_trust trust; /* that it was started with */
    struct curl_watch watch;
    bool body_began;
    bool done;
    enum abort_reason aborted;
    char reason[CURL_ERROR_SIZE];
};

/* ------------------------------------------------------------------ what libcurl calls */

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *t = user;

    t->body_began = true;
    buf_append(&t->out->body, data, size * count);
    if (buf_ok(&t->out->body))
        return size * count;
    t->aborted = ABORT_BODY_TOO_LARGE;
    return 0;
}

static void drop_headers(struct http_response *out)
{
    for (size_t i = 0; i < out->header_count; i++) {
        free(out->headers[i].name);
        free(out->headers[i].value);
    }
    out->header_count = 0;
}

static void add_header(struct http_response *out, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name_len, from;

    if (!colon)
        return;
    name_len = (size_t)(colon - line);
    for (from = name_len + 1; from < len && text_is_space(line[from]);)
        from++;
    while (len > from && text_is_space(line[len - 1]))
        len--;
    out->headers = mem_grow(out->headers, out->header_count, sizeof *out->headers);
    out->headers[out->header_count++] = (struct http_header){mem_strndup(line, name_len),
                                                             mem_strndup(line + from, len - from)};
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    size_t len = size * count;

    if (t->out->mono_answered_ms == 0)
        t->out->mono_answered_ms = clock_mono_ms(t->owner->clock);
    t->header_bytes += len;
    if (t->header_bytes > HEADER_BYTES_MAX || t->out->header_count >= HEADERS_MAX) {
        t->aborted = ABORT_HEADERS_TOO_LARGE;
        return 0;
    }
    if (t->body_began) /* trailers say nothing that we want */
        return len;
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) /* what came before was an interim answer */
        drop_headers(t->out);
    else
        add_header(t->out, data, len);
    return len;
}

/* ------------------------------------------------------------------ one transfer */

static bool has_scheme(const char *url, const char *scheme)
{
    return text_ncasecmp(url, scheme, strlen(scheme)) == 0;
}

static CURLcode set_url(CURL *easy, const char *url)
{
    /* Without TLS only where the operator wrote http:// himself: to a server on this machine, no proxy's affair. */
    const char *scheme = has_scheme(url, "http://") ? "http" : "https";
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, scheme);

    if (strcmp(scheme, "http") == 0)
        code = code ? code : curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return code ? code : curl_easy_setopt(easy, CURLOPT_URL, url);
}

static CURLcode set_method(struct transfer *t)
{
    const struct http_request *request = t->request;
    CURLcode code = CURLE_OK;

    if (strcmp(request->method, "GET") == 0 && !request->body)
        return curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
    if (strcmp(request->method, "HEAD") == 0) /* else libcurl waits for the body that Content-Length promises */
        return curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    if (request->body || strcmp(request->method, "POST") == 0) {
        code = curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        code = code ? code : curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
        code = code ? code : curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
    }
    if (strcmp(request->method, "POST") != 0)
        code = code ? code : curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, request->method);
    return code;
}

static bool add_request_header(struct transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);

    if (longer)
        t->headers = longer;
    return longer != NULL;
}

static CURLcode set_headers(struct transfer *t)
{
    const struct strlist *headers = &t->request->headers;
    bool ok = add_request_header(t, "Expect:"); /* no waiting for 100 Continue */

    for (size_t i = 0; ok && i < headers->count; i++)
        ok = add_request_header(t, headers->items[i]);
    return ok ? curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) : CURLE_OUT_OF_MEMORY;
}

static CURLcode set_callbacks(struct transfer *t)
{
    CURLcode code = curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);

    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    return code ? code : curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->reason);
}

static CURLcode set_connection(struct transfer *t)
{
    const struct http_curl *http = t->owner;
    CURLcode code = curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);

    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_SHARE, http->share);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_TCP_NODELAY, 1L);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, 1L);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->connect_timeout_ms);
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)t->request->timeout_ms);
#if LIBCURL_VERSION_NUM >= 0x075700 /* 7.87 */
    /* Else the end of a transfer waits for getaddrinfo(), which asks dead name servers for half a minute, whatever our
     * time-out and the operator say. */
    code = code ? code : curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return code || !http->user_agent ? code : curl_easy_setopt(t->easy, CURLOPT_USERAGENT, http->user_agent);
}

/* Nobody follows what a user name in a URL does; and it would be shown in messages. */
static bool is_usable_url(const char *url)
{
    const char *start = strstr(url, "://");
    size_t host_len = start ? strcspn(start + 3, "/?#") : 0;

    return (has_scheme(url, "https://") || has_scheme(url, "http://")) && host_len > 0 &&
           !memchr(start + 3, '@', host_len);
}

/* Host and port of the URL; yours. */
static char *host_of(const char *url)
{
    const char *start = strstr(url, "://");

    start = start ? start + 3 : url;
    return mem_strndup(start, strcspn(start, "/?#"));
}

static void finish(struct transfer *t, enum err_code result)
{
    t->done = true;
    t->out->result = result;
    t->out->elapsed_ms = clock_mono_ms(t->owner->clock) - t->start_ms;
    if (t->out->mono_answered_ms == 0)
        t->out->mono_answered_ms = clock_mono_ms(t->owner->clock);
}

/* Could the server have got the whole request?  libcurl stamps this moment once name, connection and TLS are
 * there and the request is out. */
static bool was_sent(const struct transfer *t)
{
    curl_off_t pretransfer_us = 0;

    return curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us) == CURLE_OK && pretransfer_us > 0;
}

static enum err_code set_error(const struct transfer *t, CURLcode code, struct err *err)
{
    const char *host = t->watch.host;

    if (t->aborted == ABORT_BODY_TOO_LARGE)
        return err_set(err, ERR_API, "the answer of \"%s\" is larger than %zu bytes", host, t->request->max_body);
    if (t->aborted == ABORT_HEADERS_TOO_LARGE)
        return err_set(err, ERR_API, "the answer of \"%s\" has too many headers", host);
    return curl_error_translate(
        &(struct curl_failure){
            .easy = t->easy,
            .code = code,
            .text = t->reason,
            .host = host,
            .ca_file = t->owner->ca_file,
            .watch = &t->watch,
            .clock_advice = t->owner->clock_advice,
            .now_ms = clock_wall_ms(t->owner->clock),
        },
        err);
}

static void finish_with_curl(struct transfer *t, CURLcode code)
{
    if (code == CURLE_OK) {
        (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->out->status);
        finish(t, ERR_OK);
        return;
    }
    t->out->may_have_acted = was_sent(t);
    finish(t, set_error(t, code, &t->out->err));
}

static void start(struct http_curl *http, struct transfer *t, const struct http_request *request,
                  struct http_response *out)
{
    CURLcode code;

    *t = (struct transfer){
        .owner = http,
        .request = request,
        .out = out,
        .trust = http->trust,
        .watch = {.all = &http->watches, .host = host_of(request->url)},
        .start_ms = clock_mono_ms(http->clock),
    };
    *out = (struct http_response){.body = BUF_INIT(request->max_body)};
    if (!is_usable_url(request->url)) {
        finish(t,
               err_set(&out->err, ERR_INPUT, "not a usable URL: it must begin with https:// and contain no user name"));
        return;
    }
    t->easy = curl_easy_init();
    if (!t->easy) {
        finish(t, err_set(&out->err, ERR_INTERNAL, "libcurl could not be started"));
        return;
    }
    code = set_callbacks(t);
    code = code ? code : set_url(t->easy, request->url);
    code = code ? code : set_method(t);
    code = code ? code : set_headers(t);
    code = code ? code : curl_trust_set(t->easy, t->trust, http->ca_file);
    code = code ? code : curl_watch_set(t->easy, &t->watch);
    code = code ? code : set_connection(t);
    if (code == CURLE_OK && curl_multi_add_handle(http->multi, t->easy) != CURLM_OK)
        code = CURLE_FAILED_INIT;
    if (code != CURLE_OK)
        finish(t, err_set(&out->err, ERR_INTERNAL, "libcurl refused an option: %s", curl_easy_strerror(code)));
}

static void end(struct http_curl *http, struct transfer *t)
{
    if (t->easy) {
        (void)curl_multi_remove_handle(http->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    for (struct curl_slist *line = t->headers; line; line = line->next)
        secret_wipe(line->data, strlen(line->data));
    curl_slist_free_all(t->headers);
    free(t->watch.host);
}

/* ------------------------------------------------------------------ all transfers */

/* The directory does not hold the CA: once more with the bundle.  Nothing was sent yet. */
static bool restart_with_bundle(struct http_curl *http, struct transfer *t, CURLcode code)
{
    int64_t left_ms = t->request->timeout_ms - (clock_mono_ms(http->clock) - t->start_ms);

    if (t->trust != CURL_TRUST_DIRECTORY || code != CURLE_PEER_FAILED_VERIFICATION)
        return false;
    http->trust = t->trust = CURL_TRUST_SYSTEM;
    t->reason[0] = '\0';
    (void)curl_multi_remove_handle(http->multi, t->easy);
    return curl_trust_widen(t->easy) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1)) == CURLE_OK &&
           curl_multi_add_handle(http->multi, t->easy) == CURLM_OK;
}

/* Take note of transfers that ended; true: one was started again. */
static bool collect(struct http_curl *http)
{
    CURLMsg *message;
    bool restarted = false;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left))) {
        CURLcode code = message->data.result;
        struct transfer *t;
        char *user = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
        t = (struct transfer *)(void *)user;
        if (restart_with_bundle(http, t, code))
            restarted = true;
        else
            finish_with_curl(t, code);
    }
    return restarted;
}

static enum err_code run(struct http_curl *http, struct err *err)
{
    int running = 0;

    do {
        CURLMcode code = curl_multi_perform(http->multi, &running);

        if (collect(http))
            running++;
        if (code == CURLM_OK && running > 0)
            code = curl_multi_poll(http->multi, NULL, 0, SLICE_MS, NULL);
        if (code != CURLM_OK)
            return err_set(err, ERR_INTERNAL, "libcurl failed: %s", curl_multi_strerror(code));
        if (running > 0 && clock_is_cancelled(http->clock))
            return err_set(err, ERR_CANCELLED, "interrupted while waiting for an answer");
    } while (running > 0);
    return ERR_OK;
}

static enum err_code curl_perform_many(struct http *self, const struct http_request *requests, size_t count,
                                       struct http_response *out, struct err *err)
{
    struct http_curl *http = (struct http_curl *)self;
    struct transfer *transfers AUTO_FREE = mem_calloc(count, sizeof *transfers);
    bool is_cancelled = clock_is_cancelled(http->clock);
    struct err whole = {.code = ERR_OK};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < count; i++)
        start(http, &transfers[i], &requests[i], &out[i]);
    code = is_cancelled ? err_set(&whole, ERR_CANCELLED, "interrupted") : run(http, &whole);
    for (size_t i = 0; i < count; i++) {
        if (!transfers[i].done) {
            out[i].may_have_acted = transfers[i].easy && was_sent(&transfers[i]);
            out[i].err = whole;
            finish(&transfers[i], code == ERR_OK ? ERR_INTERNAL : code);
        }
        end(http, &transfers[i]);
    }
    if (code != ERR_OK && err)
        *err = whole;
    return code;
}

/* ------------------------------------------------------------------ the object */

static void curl_free_object(struct http *self)
{
    struct http_curl *http = (struct http_curl *)self;

    if (http->multi)
        (void)curl_multi_cleanup(http->multi);
    if (http->share)
        (void)curl_share_cleanup(http->share);
    curl_watches_done(&http->watches); /* after all connections */
    free(http->ca_file);
    free(http->user_agent);
    free(http->clock_advice);
    free(http);
    curl_global_cleanup();
}

enum err_code http_curl_new(const struct http_curl_opts *opts, struct http **out, struct err *err)
{
    struct http_curl *http;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl could not be initialised");
    http = mem_zalloc(sizeof *http);
    http->base.perform_many = curl_perform_many;
    http->base.free = curl_free_object;
    http->clock = opts->clock;
    http->trust = http->watches.kind = curl_trust_choose(opts->ca_file);
    http->ca_file = mem_strdup(opts->ca_file);
    http->user_agent = mem_strdup(opts->user_agent);
    http->clock_advice = mem_strdup(opts->clock_advice);
    http->connect_timeout_ms = opts->connect_timeout_ms;
    http->multi = curl_multi_init();
    http->share = curl_share_init();
    if (!http->multi || !http->share ||
        curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK ||
        curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_MAX) != CURLM_OK) {
        curl_free_object(&http->base);
        return err_set(err, ERR_INTERNAL, "libcurl could not be initialised");
    }
    *out = &http->base;
    return ERR_OK;
}
