/* SPDX-License-Identifier: MIT
 *
 * Whatever a CA, or what stands in its place, may answer.  The input is headers, one a line, an empty line, and a body,
 * which is read as every object that there is.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "fuzz.h"
#include "util/text.h"

#define HEADERS_MAX 32

static void check(enum err_code code, const struct err *err)
{
    if (code != ERR_OK)
        FUZZ_CHECK(code == ERR_ACME && err->code == ERR_ACME && err->msg[0] != '\0');
}

static void as_directory(const json_t *json)
{
    struct acme_directory directory AUTO(acme_directory_done) = {.urls = {NULL}};
    struct err err;
    enum err_code code = acme_directory_read(json, ACME_HTTPS_ONLY, &directory, &err);

    check(code, &err);
    for (size_t i = 0; code == ERR_OK && i < ACME_RESOURCE_COUNT; i++)
        FUZZ_CHECK(!directory.urls[i] || text_ncasecmp(directory.urls[i], "https://", 8) == 0);
}

static void as_order(const json_t *json)
{
    struct acme_order order AUTO(acme_order_done) = {.url = NULL};
    const json_t *error = NULL;
    struct err err;
    enum err_code code = acme_order_read(json, ACME_HTTP_TOO, &order, &error, &err);

    check(code, &err);
    if (code != ERR_OK)
        return;
    FUZZ_CHECK(order.finalize_url && order.names.count > 0 &&
               (order.status != ACME_ORDER_VALID || order.certificate_url));
    for (size_t i = 0; i < order.names.count; i++)
        FUZZ_CHECK(strspn(order.names.items[i], "abcdefghijklmnopqrstuvwxyz0123456789-_.*") ==
                   strlen(order.names.items[i]));
    if (error)
        FUZZ_CHECK(acme_problem_set(&err, error, 0, ACME_PROBLEM_OF_VALIDATION, "x") != ERR_OK);
}

/* Token, issuer and domain go into a record. */
static void as_authz(const json_t *json, enum acme_challenge_type type)
{
    struct acme_authz authz AUTO(acme_authz_done) = {.url = NULL};
    const json_t *error = NULL;
    struct err err;
    enum err_code code = acme_authz_read(json, ACME_HTTPS_ONLY, type, &authz, &error, &err);

    check(code, &err);
    if (code != ERR_OK || !authz.has_challenge)
        return;
    FUZZ_CHECK(authz.challenge.url && !strpbrk(authz.domain, " ;\"\\/\n*"));
    if (type == ACME_DNS_PERSIST_01)
        FUZZ_CHECK(authz.challenge.issuer_domains.count >= 1 && authz.challenge.issuer_domains.count <= 10 &&
                   !strpbrk(authz.challenge.issuer_domains.items[0], " ;\"\\\n"));
    else
        FUZZ_CHECK(*authz.challenge.token && !strpbrk(authz.challenge.token, " .=+/\"\n"));
}

static void as_account(const json_t *json)
{
    struct acme_account account AUTO(acme_account_done) = {.url = NULL};
    struct err err;

    check(acme_account_read(json, &account, &err), &err);
}

static void as_renewal_info(const json_t *json)
{
    struct acme_renewal_info info AUTO(acme_renewal_info_done) = {.start_ms = 0};
    struct err err;
    enum err_code code = acme_renewal_info_read(json, &info, &err);

    check(code, &err);
    if (code == ERR_OK)
        FUZZ_CHECK(info.start_ms < info.end_ms);
}

static void as_problem(const json_t *json)
{
    struct err err;

    FUZZ_CHECK(acme_problem_set(&err, json, 400, ACME_PROBLEM_OF_REQUEST, "x") != ERR_OK && err.msg[0] != '\0');
    FUZZ_CHECK(text_is_utf8(err.msg, strlen(err.msg)) && text_is_utf8(err.hint, strlen(err.hint)));
}

static void as_answer(struct http_response *response, long status, enum acme_expect expect)
{
    struct acme_call call = {.url = "https://a/", .what = mem_strdup("do it"), .expect = expect};
    int64_t pause_ms = acme_retry_after_ms(response, 0);
    enum acme_verdict verdict;

    FUZZ_CHECK(pause_ms == ACME_PAUSE_NONE || (pause_ms >= 0 && pause_ms <= ACME_PAUSE_MAX_MS));
    response->status = status;
    call.response = *response;
    verdict = acme_answer_judge(&call, pause_ms, 0);
    FUZZ_CHECK((verdict == ACME_VERDICT_DONE) == (call.result.code == ERR_OK));
    FUZZ_CHECK(verdict == ACME_VERDICT_DONE || call.result.err.msg[0] != '\0');
    if (verdict == ACME_VERDICT_DONE && expect == ACME_EXPECT_PEM)
        FUZZ_CHECK(!strstr(buf_cstr(&response->body), "-----BEGIN PRIVATE"));
    call.response = (struct http_response){.result = ERR_OK}; /* it is the caller's */
    acme_call_done(&call);
}

static void links_of(const struct http_response *response)
{
    struct strlist links AUTO_STRLIST = {.count = 0};

    acme_links_find(response, "alternate", 16, &links);
    FUZZ_CHECK(links.count <= 16);
    for (size_t i = 0; i < links.count; i++) {
        char *url AUTO_FREE = acme_url_resolve("https://a/b", links.items[i]);

        FUZZ_CHECK(!url || text_ncasecmp(url, "http", 4) == 0);
    }
}

/* "Name: value" lines up to an empty one; returns where the body begins. */
static const char *take_headers(const char *text, struct http_response *out)
{
    while (*text && *text != '\n' && out->header_count < HEADERS_MAX) {
        size_t len = strcspn(text, "\n");
        size_t name_len = strcspn(text, ":\n");
        const char *value = text + name_len + (name_len < len ? 1 : 0);

        value += strspn(value, " ");
        if (value > text + len)
            value = text + len;
        out->headers = mem_grow(out->headers, out->header_count, sizeof *out->headers);
        out->headers[out->header_count++] = (struct http_header){mem_strndup(text, name_len),
                                                                 mem_strndup(value, (size_t)(text + len - value))};
        text += len + (text[len] ? 1 : 0);
    }
    return *text == '\n' ? text + 1 : text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 302, 400, 503};
    struct http_response response AUTO_HTTP_RESPONSE = {.body = BUF_INIT(1024 * 1024)};
    json_t *json AUTO_JSON = NULL;
    char *text AUTO_FREE = mem_strndup((const char *)data, size);
    const char *body = take_headers(text, &response);
    struct err err;

    buf_puts(&response.body, body);
    if (!buf_ok(&response.body))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        for (int expect = ACME_EXPECT_OBJECT; expect <= ACME_EXPECT_ANY; expect++)
            as_answer(&response, statuses[i], (enum acme_expect)expect);
    links_of(&response);
    if (json_parse(body, strlen(body), "the answer", &json, &err) != ERR_OK)
        return 0;
    as_problem(json);
    as_directory(json);
    as_order(json);
    as_authz(json, ACME_DNS_01);
    as_authz(json, ACME_DNS_PERSIST_01);
    as_account(json);
    as_renewal_info(json);
    return 0;
}
