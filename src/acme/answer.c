/* SPDX-License-Identifier: MIT
 *
 * What an answer means: done, refused, or worth another attempt.  Nothing here is sent or waited for.
 */
#include <string.h>

#include "acme/internal.h"
#include "util/text.h"

#define SHOWN_MAX 200
#define BEGIN_CERTIFICATE "-----BEGIN CERTIFICATE-----"
#define END_CERTIFICATE "-----END CERTIFICATE-----"

static enum acme_verdict fail(struct acme_call *call, enum err_code code, enum acme_verdict verdict)
{
    call->result.code = code;
    call->result.err.code = code;
    return verdict;
}

static bool is_web_page(const struct http_response *response)
{
    const char *type = http_response_header(response, "Content-Type");
    const char *body = buf_cstr(&response->body);

    return (type && text_ncasecmp(type, "text/html", 9) == 0) || body[strspn(body, " \t\r\n")] == '<';
}

/* "a web page (content type text/html)", "an empty answer" */
static void describe_body(const struct http_response *response, char out[SHOWN_MAX])
{
    const char *type = http_response_header(response, "Content-Type");
    struct buf text AUTO_BUF = BUF_INIT(4096);

    if (response->body.len == 0)
        buf_puts(&text, "an empty answer");
    else
        buf_puts(&text, is_web_page(response) ? "a web page" : "something else");
    if (type && response->body.len)
        buf_printf(&text, " (content type %.100s)", type);
    text_cut_into(out, SHOWN_MAX, buf_cstr(&text));
}

static void hint_not_acme(struct err *err)
{
    err_hint(err, "Check that the directory URL is that of an ACME server, and whether a proxy or a captive portal "
                  "stands between this machine and the CA.");
}

/* ------------------------------------------------------------------ no answer */

static enum acme_verdict judge_failure(struct acme_call *call)
{
    enum err_code code = call->response.result;

    if (code == ERR_API || code == ERR_INPUT) /* too large, not HTTP, a URL that can't be used: all the CA's doing */
        code = ERR_ACME;
    call->result.err = call->response.err;
    (void)err_prefix(&call->result.err, code, "could not %s", call->what);
    return fail(call, code, code == ERR_NETWORK || code == ERR_TIMEOUT ? ACME_VERDICT_TRANSIENT : ACME_VERDICT_FAILED);
}

/* ------------------------------------------------------------------ 2xx */

/* Nothing but certificates in PEM? */
static bool is_pem(const struct buf *body)
{
    const char *text = buf_cstr(body);
    bool has_any = false;

    if (strlen(text) != body->len)
        return false;
    /* RFC 8555 section 11.4: anything but certificates could be taken for a key by who reads the file. */
    for (const char *p = strstr(text, "-----BEGIN"); p; p = strstr(p + 1, "-----BEGIN")) {
        if (strncmp(p, BEGIN_CERTIFICATE, strlen(BEGIN_CERTIFICATE)) != 0)
            return false;
        has_any = true;
    }
    return has_any && strstr(text, END_CERTIFICATE);
}

static enum acme_verdict not_acme(struct acme_call *call, const char *wanted)
{
    char shown[SHOWN_MAX];

    describe_body(&call->response, shown);
    (void)err_set(&call->result.err, ERR_ACME, "could not %s: the CA's answer (status %ld) is %s where %s belongs",
                  call->what, call->response.status, shown, wanted);
    hint_not_acme(&call->result.err);
    return fail(call, ERR_ACME, ACME_VERDICT_FAILED);
}

static json_t *parse_object(const struct http_response *response, struct err *err)
{
    json_t *json = NULL;

    if (json_parse(buf_cstr(&response->body), response->body.len, "the CA's answer", &json, err) != ERR_OK)
        return NULL;
    if (json_want_object(json, "the CA's answer", err) == ERR_OK)
        return json;
    json_decref(json);
    return NULL;
}

static enum acme_verdict judge_success(struct acme_call *call)
{
    const struct http_response *response = &call->response;
    struct err why;

    if (call->expect == ACME_EXPECT_PEM)
        return is_pem(&response->body) ? ACME_VERDICT_DONE : not_acme(call, "a chain of certificates");
    call->json = parse_object(response, &why);
    if (call->json || call->expect == ACME_EXPECT_ANY)
        return ACME_VERDICT_DONE;
    if (response->body.len == 0 || is_web_page(response))
        return not_acme(call, "a JSON object");
    (void)err_set(&call->result.err, ERR_ACME, "could not %s: %s", call->what, why.msg);
    hint_not_acme(&call->result.err);
    return fail(call, ERR_ACME, ACME_VERDICT_FAILED);
}

/* ------------------------------------------------------------------ other statuses */

static enum acme_verdict judge_redirection(struct acme_call *call)
{
    const char *target = http_response_header(&call->response, "Location");
    char shown[SHOWN_MAX];

    text_cut_into(shown, sizeof shown, target ? target : "");
    if (target)
        (void)err_set(&call->result.err, ERR_ACME, "could not %s: \"%s\" redirects to \"%s\" (status %ld)", call->what,
                      call->url, shown, call->response.status);
    else
        (void)err_set(&call->result.err, ERR_ACME, "could not %s: \"%s\" redirects to nowhere (status %ld)", call->what,
                      call->url, call->response.status);
    err_hint(&call->result.err, "ACME servers do not redirect; give the URL of the directory itself, and look for a "
                                "proxy or a captive portal on the way.");
    return fail(call, ERR_ACME, ACME_VERDICT_FAILED);
}

static enum acme_verdict verdict_for(const struct acme_call *call, int64_t pause_ms)
{
    enum acme_problem_type type = call->result.problem;
    long status = call->response.status;

    if (type == ACME_PROBLEM_BAD_NONCE && call->kind == ACME_POST)
        return ACME_VERDICT_BAD_NONCE;
    if ((type == ACME_PROBLEM_RATE_LIMITED || status == 429 || status == 503) && pause_ms != ACME_PAUSE_NONE)
        return ACME_VERDICT_LIMITED;
    if (type == ACME_PROBLEM_RATE_LIMITED) /* for who knows how long: a week, if it is one of certificates */
        return ACME_VERDICT_FAILED;
    return status >= 500 || status == 408 || status == 429 ? ACME_VERDICT_TRANSIENT : ACME_VERDICT_FAILED;
}

static void explain_without_problem(struct acme_call *call)
{
    long status = call->response.status;
    enum err_code code = status == 429 ? ERR_ACME_LIMIT : status >= 500 ? ERR_SERVER : ERR_ACME;
    char shown[SHOWN_MAX];

    describe_body(&call->response, shown);
    (void)err_set(&call->result.err, code, "could not %s: the CA answered with status %ld and %s", call->what, status,
                  shown);
    if (status == 404 || status == 405)
        hint_not_acme(&call->result.err);
    else if (status >= 500)
        err_hint(&call->result.err, "The CA has trouble of its own; look at its status page, and try again later.");
}

static enum acme_verdict judge_refusal(struct acme_call *call, int64_t pause_ms, int64_t now_ms)
{
    struct strlist terms AUTO_STRLIST = {.count = 0};
    struct acme_result *result = &call->result;
    char *doing AUTO_FREE = mem_printf("could not %s", call->what);
    struct err ignored;

    call->json = parse_object(&call->response, &ignored);
    result->problem = call->json ? acme_problem_type_of(call->json) : ACME_PROBLEM_NONE;
    acme_links_find(&call->response, "terms-of-service", 1, &terms);
    if (call->json)
        (void)acme_problem_explain(&result->err, &(struct acme_problem_context){
                                                     .json = call->json,
                                                     .status = call->response.status,
                                                     .place = ACME_PROBLEM_OF_REQUEST,
                                                     .doing = doing,
                                                     .terms_url = terms.count ? terms.items[0] : NULL,
                                                     .retry_after_ms = pause_ms,
                                                     .now_ms = now_ms,
                                                 });
    else
        explain_without_problem(call);
    if (pause_ms > 0)
        result->err.retry_after_s = pause_ms / 1000 >= INT32_MAX ? INT32_MAX : (int32_t)((pause_ms + 999) / 1000);
    return fail(call, result->err.code, verdict_for(call, pause_ms));
}

enum acme_verdict acme_answer_judge(struct acme_call *call, int64_t pause_ms, int64_t now_ms)
{
    long status = call->response.status;

    json_free_auto(&call->json);
    acme_result_init(&call->result);
    if (call->response.result != ERR_OK)
        return judge_failure(call);
    if (status >= 200 && status < 300)
        return judge_success(call);
    if (status >= 300 && status < 400)
        return judge_redirection(call);
    return judge_refusal(call, pause_ms, now_ms);
}
