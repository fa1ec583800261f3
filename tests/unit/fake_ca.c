/* SPDX-License-Identifier: MIT */
#include "fake_ca_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "util/parse.h"
#include "util/text.h"

const char *fake_ca_fault_name(enum fake_ca_fault fault)
{
    static const char *const names[FAKE_CA_FAULT_COUNT] = {
        "nothing",      "no connection", "request lost",     "answer lost", "timeout",      "tls",  "500",
        "503",          "rate limit",    "short rate limit", "bad nonce",   "unauthorized", "html", "truncated",
        "empty answer", "wrong object",  "redirect",         "404",         "cancel",
    };

    return names[fault];
}

/* ------------------------------------------------------------------ dispatch */

/* "/order/12/rest": is it that, with a number below `count`? */
static bool is_at(const char *path, const char *prefix, size_t count, size_t *out_number, const char **out_rest)
{
    size_t len = strlen(prefix);
    char *digits AUTO_FREE = NULL;
    uint64_t number;
    size_t digit_count;

    if (strncmp(path, prefix, len) != 0)
        return false;
    digit_count = strspn(path + len, "0123456789");
    digits = mem_strndup(path + len, digit_count);
    if (!parse_uint(digits, 0, UINT32_MAX, &number) || number >= count)
        return false;
    *out_number = (size_t)number;
    *out_rest = path + len + digit_count + (path[len + digit_count] == '/' ? 1 : 0);
    return true;
}

/* What only its own account may look at. */
static void serve_owned(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *rest = "";
    size_t number = 0;

    if (!asked->account)
        fake_ca_complain(ca, reply, "this wants an account");
    else if (is_at(asked->path, "/acct/", SIZE_MAX, &number, &rest))
        fake_ca_serve_account(ca, asked, reply);
    else if (is_at(asked->path, "/order/", ca->order_count, &number, &rest))
        fake_ca_serve_order(ca, asked, number, reply);
    else if (is_at(asked->path, "/authz/", ca->authz_count, &number, &rest))
        fake_ca_serve_authz(ca, asked, number, reply);
    else if (is_at(asked->path, "/chall/", ca->authz_count, &number, &rest))
        fake_ca_serve_challenge(ca, asked, number, rest, reply);
    else if (is_at(asked->path, "/finalize/", ca->order_count, &number, &rest))
        fake_ca_serve_finalize(ca, asked, number, reply);
    else if (is_at(asked->path, "/cert/", ca->order_count, &number, &rest))
        fake_ca_serve_certificate(ca, asked, number, rest, reply);
    else
        fake_ca_refuse(reply, 404, "malformed", "no such thing");
}

static void serve_post(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    if (!fake_ca_check_post(ca, asked, reply))
        return;
    if (strcmp(asked->path, "/new-account") == 0)
        fake_ca_serve_new_account(ca, asked, reply);
    else if (strcmp(asked->path, "/new-order") == 0)
        fake_ca_serve_new_order(ca, asked, reply);
    else if (strcmp(asked->path, "/revoke") == 0)
        fake_ca_serve_revoke(ca, asked, reply);
    else if (strcmp(asked->path, "/key-change") == 0)
        fake_ca_serve_key_change(ca, asked, reply);
    else
        serve_owned(ca, asked, reply);
}

static void serve(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *method = asked->seen->method;

    if (strcmp(method, "GET") == 0 && strcmp(asked->path, "/dir") == 0) {
        fake_ca_serve_directory(ca, reply);
    } else if (strcmp(method, "HEAD") == 0 && strcmp(asked->path, "/nonce") == 0) {
        ca->new_nonce_count++;
    } else if (strcmp(method, "GET") == 0 && text_starts_with(asked->path, "/ari/")) {
        fake_ca_serve_renewal_info(asked->path + strlen("/ari/"), reply);
    } else if (strcmp(method, "POST") == 0) {
        serve_post(ca, asked, reply);
    } else {
        fake_ca_complain(ca, reply, "no such method there");
    }
}

static void put_nonce(struct fake_ca *ca, const struct asked *asked, struct reply *reply)
{
    bool is_new_nonce = strcmp(asked->path, "/nonce") == 0;
    char *nonce AUTO_FREE = NULL;

    if (ca->manner.gives_garbage_nonces) {
        buf_puts(&reply->headers, "Replay-Nonce: not a nonce!\n");
        return;
    }
    if (strcmp(asked->seen->method, "GET") == 0 || (ca->manner.gives_no_nonces && !is_new_nonce))
        return;
    nonce = fake_ca_new_nonce(ca);
    buf_printf(&reply->headers, "Replay-Nonce: %s\n", nonce);
}

/* ------------------------------------------------------------------ faults */

/* Before anything is carried out; true: that was all. */
static bool fail_early(enum fake_ca_fault fault, struct reply *reply, struct fake_exchange *answer)
{
    switch (fault) {
    case FAKE_CA_NO_CONNECTION:
    case FAKE_CA_TLS:
        answer->fail = fault == FAKE_CA_TLS ? ERR_TLS : ERR_NETWORK;
        return true;
    case FAKE_CA_REQUEST_LOST:
        answer->fail = ERR_NETWORK;
        answer->may_have_acted = true;
        return true;
    case FAKE_CA_500:
        fake_ca_refuse(reply, 500, "serverInternal", "oops");
        return true;
    case FAKE_CA_503:
        fake_ca_refuse(reply, 503, "serverInternal", "busy");
        buf_puts(&reply->headers, "Retry-After: 2\n");
        return true;
    case FAKE_CA_RATE_LIMIT:
    case FAKE_CA_RATE_LIMIT_SHORT:
        fake_ca_refuse(reply, 429, "rateLimited", "too many");
        buf_printf(&reply->headers, "Retry-After: %s\n", fault == FAKE_CA_RATE_LIMIT ? "7200" : "3");
        return true;
    case FAKE_CA_BAD_NONCE:
        fake_ca_refuse(reply, 400, "badNonce", "bad");
        return true;
    case FAKE_CA_UNAUTHORIZED:
        fake_ca_refuse(reply, 403, "unauthorized", "no");
        return true;
    case FAKE_CA_REDIRECT:
        reply->status = 302;
        buf_puts(&reply->headers, "Location: https://portal.example/login\n");
        return true;
    case FAKE_CA_404:
        reply->status = 404;
        reply->text = mem_strdup("<html>not here</html>");
        return true;
    default:
        return false;
    }
}

/* After it was carried out. */
static void fail_late(struct fake_ca *ca, enum fake_ca_fault fault, struct fake_exchange *answer)
{
    if (fault == FAKE_CA_ANSWER_LOST || fault == FAKE_CA_TIMEOUT) {
        answer->fail = fault == FAKE_CA_TIMEOUT ? ERR_TIMEOUT : ERR_NETWORK;
        answer->may_have_acted = true;
        answer->takes_ms = fault == FAKE_CA_TIMEOUT ? 1000000 : answer->takes_ms;
    } else if (fault == FAKE_CA_HTML) {
        answer->status = 200;
        fake_ca_set_string(&ca->body, "<html><title>Welcome</title></html>");
    } else if (fault == FAKE_CA_TRUNCATED && ca->body) {
        ca->body[strlen(ca->body) / 2] = '\0';
    } else if (fault == FAKE_CA_EMPTY) {
        answer->status = 200;
        fake_ca_set_string(&ca->body, "");
    } else if (fault == FAKE_CA_WRONG) {
        answer->status = 200;
        fake_ca_set_string(&ca->body, "{}");
    } else if (fault == FAKE_CA_CANCEL) {
        ca->clock->cancelled = true;
    }
    answer->answer = ca->body;
}

void fake_ca_fail(struct fake_ca *ca, enum fake_ca_fault fault, size_t first, size_t count)
{
    ca->fault = fault;
    ca->fault_first = first;
    ca->fault_count = count;
}

static void take_reply(struct fake_ca *ca, struct reply *reply, struct fake_exchange *answer)
{
    bool is_problem = reply->status >= 400;

    free(ca->body);
    ca->body = reply->text ? reply->text : reply->json ? json_dumps(reply->json, JSON_COMPACT) : mem_strdup("");
    json_decref(reply->json);
    if (reply->text)
        buf_printf(&reply->headers, "Content-Type: %s\n",
                   *reply->text == '-'   ? "application/pem-certificate-chain"
                   : *reply->text == '<' ? "text/html"
                   : is_problem          ? "application/problem+json"
                                         : "application/json");
    else
        buf_printf(&reply->headers, "Content-Type: application/%s\n", is_problem ? "problem+json" : "json");
    if (reply->headers.len && reply->headers.data[reply->headers.len - 1] == '\n')
        reply->headers.data[reply->headers.len - 1] = '\0';
    assert_true(buf_ok(&reply->headers));
    fake_ca_set_string(&ca->headers, buf_cstr(&reply->headers));
    buf_done(&reply->headers);
    answer->status = reply->status;
    answer->headers = ca->headers;
    answer->answer = ca->body;
}

static void handle(void *context, const struct fake_seen *request, UNUSED size_t of_http, struct fake_exchange *answer)
{
    struct fake_ca *ca = context;
    size_t index = ca->request_count++;
    bool is_faulty = index >= ca->fault_first && index - ca->fault_first < ca->fault_count;
    enum fake_ca_fault fault = is_faulty ? ca->fault : FAKE_CA_OK;
    struct asked asked = {.seen = request, .path = request->url + strlen(FAKE_CA_ROOT)};
    struct reply reply = {.status = 200, .headers = BUF_INIT(1u << 16)};

    *answer = (struct fake_exchange){.takes_ms = ca->manner.round_trip_ms, .is_foreign = true};
    if (!fail_early(fault, &reply, answer))
        serve(ca, &asked, &reply);
    put_nonce(ca, &asked, &reply);
    take_reply(ca, &reply, answer);
    fail_late(ca, fault, answer);
    json_decref(asked.payload);
    free(asked.jwk);
    fake_ca_jws_done(&asked.jws);
}

void fake_ca_attach(struct fake_ca *ca, struct fake_http *http)
{
    http->handler = handle;
    http->handler_context = ca;
}

/* ------------------------------------------------------------------ memory */

struct fake_ca *fake_ca_new(struct fake_clock *clock)
{
    struct fake_ca *ca = mem_zalloc(sizeof *ca);

    ca->clock = clock;
    ca->last_reason = -1;
    ca->seed = 4711;
    return ca;
}

static void free_parts(struct fake_ca *ca)
{
    for (size_t i = 0; i < ca->account_count; i++) {
        free(ca->accounts[i].jwk);
        free(ca->accounts[i].url);
        free(ca->accounts[i].status);
        json_decref(ca->accounts[i].contact);
    }
    for (size_t i = 0; i < ca->authz_count; i++) {
        free(ca->authzs[i].domain);
        free(ca->authzs[i].status);
        free(ca->authzs[i].challenge_status);
        free(ca->authzs[i].token);
        free(ca->authzs[i].account_url);
        json_decref(ca->authzs[i].error);
    }
    for (size_t i = 0; i < ca->order_count; i++) {
        free(ca->orders[i].account_url);
        free(ca->orders[i].status);
        strlist_done(&ca->orders[i].names);
        free(ca->orders[i].profile);
        free(ca->orders[i].replaces);
        free(ca->orders[i].csr);
        free(ca->orders[i].certificate);
        json_decref(ca->orders[i].error);
    }
}

void fake_ca_done(struct fake_ca *ca)
{
    char *complaint = ca->complaint;

    free_parts(ca);
    free(ca->accounts);
    free(ca->authzs);
    free(ca->orders);
    strlist_done(&ca->nonces);
    strlist_done(&ca->used_nonces);
    strlist_done(&ca->revoked);
    free(ca->body);
    free(ca->headers);
    free(ca);
    if (complaint)
        fail_msg("the CA complains: %s", complaint);
}
