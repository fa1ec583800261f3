/* SPDX-License-Identifier: MIT
 *
 * DNS over HTTPS, RFC 8484: each question is one POST of a wire-format message with id 0.  Questions are
 * collected until somebody waits for an answer and then sent side by side.  Where a server fails (as HTTP; a
 * DNS refusal is an answer) the next one in the list is asked.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "dns/cares.h"
#include "dns/resolver.h"
#include "dns/trace.h"
#include "http/http.h"
#include "util/text.h"

#define MEDIA_TYPE "application/dns-message"
#define MESSAGE_MAX 65535
#define BATCH_MAX 64

struct ask {
    struct ask *next;
    char *name;
    enum dns_type type;
    unsigned flags;
    void *tag;
    int64_t timeout_ms;
    struct buf query;
};

struct doh {
    struct resolver base;
    struct strlist urls;
    struct http *http;
    struct clock *clock;
    struct log *log;
    struct ask *first; /* not sent yet */
    struct ask *last;
    struct answer_queue done;
};

/* Questions on their way to one URL. */
struct batch {
    struct ask *asks[BATCH_MAX];
    struct dns_answer answers[BATCH_MAX];
    size_t count;
    struct http_request requests[BATCH_MAX]; /* room for one round */
    struct http_response responses[BATCH_MAX];
};

static void ask_free(struct ask *ask)
{
    buf_done(&ask->query);
    free(ask->name);
    free(ask);
}

static void doh_start(struct resolver *self, const struct dns_question *question)
{
    struct doh *doh = (struct doh *)self;
    struct dns_answer refused = {.tag = question->tag};
    struct ask *ask = mem_zalloc(sizeof *ask);

    *ask = (struct ask){.name = mem_strdup(question->name),
                        .type = question->type,
                        .flags = question->flags,
                        .tag = question->tag,
                        .timeout_ms = question->timeout_ms,
                        .query = BUF_INIT(512)};
    if (question->server)
        refused.result = err_set(&refused.err, ERR_INTERNAL, "DNS over HTTPS can't ask the server %s",
                                 question->server);
    else if (!dns_name_can_be_asked(question->name))
        refused.result = err_set(&refused.err, ERR_INPUT, "\"%s\" is no name that can be asked for", question->name);
    else
        refused.result = cares_query_build(question->name, question->type, question->flags, &ask->query, &refused.err);
    if (refused.result != ERR_OK) {
        ask_free(ask);
        answer_queue_put_take(&doh->done, &refused);
        return;
    }
    if (doh->last)
        doh->last->next = ask;
    else
        doh->first = ask;
    doh->last = ask;
}

static void take_batch(struct doh *doh, struct batch *batch)
{
    while (doh->first && batch->count < BATCH_MAX) {
        struct ask *ask = doh->first;

        doh->first = ask->next;
        if (!doh->first)
            doh->last = NULL;
        batch->answers[batch->count].result = ERR_NETWORK; /* not asked yet */
        batch->asks[batch->count++] = ask;
    }
}

static bool has_media_type(const struct http_response *response)
{
    const char *type = http_response_header(response, "Content-Type");
    size_t len = strlen(MEDIA_TYPE);

    return type && text_ncasecmp(type, MEDIA_TYPE, len) == 0 && (type[len] == '\0' || strchr("; \t", type[len]));
}

static enum err_code take_response(struct http_response *response, const struct ask *ask, struct dns_answer *out,
                                   struct err *err)
{
    enum err_code code;

    if (response->result != ERR_OK) {
        *err = response->err;
        code = response->result;
    } else if (response->status != 200) {
        code = err_set(err, ERR_NETWORK, "HTTP status %ld", response->status);
    } else if (!has_media_type(response)) {
        code = err_set(err, ERR_DNS, "the answer is no " MEDIA_TYPE);
    } else {
        code = dns_answer_parse((const uint8_t *)buf_cstr(&response->body), response->body.len, out, err);
    }
    if (code == ERR_OK)
        return ERR_OK;
    return err_prefix(err, code, "%s \"%s\"", dns_type_name(ask->type), ask->name);
}

static struct http_request make_request(const struct ask *ask, const char *url)
{
    struct http_request request = {
        .method = "POST",
        .url = url,
        .body = buf_cstr(&ask->query),
        .body_len = ask->query.len,
        .timeout_ms = ask->timeout_ms,
        .max_body = MESSAGE_MAX,
    };

    http_request_add_header(&request, "Accept", MEDIA_TYPE);
    http_request_add_header(&request, "Content-Type", MEDIA_TYPE);
    return request;
}

static struct dns_trace trace_of(const char *url, const struct ask *ask)
{
    return (struct dns_trace){.server = url, .name = ask->name, .type = ask->type, .flags = ask->flags};
}

/* Send those questions of the batch that have no good answer yet to `url`.
 * Errors: ERR_CANCELLED and what http_perform_many() returns. */
static enum err_code ask_url(struct doh *doh, const char *url, struct batch *batch, struct err *err)
{
    size_t index[BATCH_MAX];
    size_t count = 0;
    struct dns_trace trace;
    enum err_code code;

    for (size_t i = 0; i < batch->count; i++) {
        if (batch->answers[i].result == ERR_OK)
            continue;
        index[count] = i;
        batch->requests[count++] = make_request(batch->asks[i], url);
        trace = trace_of(url, batch->asks[i]);
        dns_trace_question(doh->log, &trace);
    }
    if (count == 0)
        return ERR_OK;
    code = http_perform_many(doh->http, batch->requests, count, batch->responses, err);
    for (size_t i = 0; i < count; i++) {
        struct dns_answer *answer = &batch->answers[index[i]];
        struct err why = {0};

        *answer = (struct dns_answer){0};
        answer->result = take_response(&batch->responses[i], batch->asks[index[i]], answer, &why);
        answer->err = why;
        answer->elapsed_ms = batch->responses[i].elapsed_ms;
        trace = trace_of(url, batch->asks[index[i]]);
        dns_trace_answer(doh->log, &trace, answer);
        http_response_done(&batch->responses[i]);
        http_request_done(&batch->requests[i]);
    }
    return code;
}

static enum err_code perform(struct doh *doh)
{
    struct batch *batch = mem_zalloc(sizeof *batch);
    struct err err;
    enum err_code code = ERR_OK;

    take_batch(doh, batch);
    for (size_t i = 0; i < doh->urls.count && code == ERR_OK; i++)
        code = ask_url(doh, doh->urls.items[i], batch, &err);
    for (size_t i = 0; i < batch->count; i++) {
        batch->answers[i].tag = batch->asks[i]->tag;
        answer_queue_put_take(&doh->done, &batch->answers[i]);
        ask_free(batch->asks[i]);
    }
    free(batch);
    return code;
}

static enum err_code doh_next(struct resolver *self, UNUSED int64_t timeout_ms, struct dns_answer *out)
{
    struct doh *doh = (struct doh *)self;

    if (clock_is_cancelled(doh->clock))
        return ERR_CANCELLED;
    if (!doh->done.first && doh->first && perform(doh) == ERR_CANCELLED)
        return ERR_CANCELLED;
    return answer_queue_get(&doh->done, out) ? ERR_OK : ERR_NOT_FOUND;
}

static void doh_cancel(struct resolver *self)
{
    struct doh *doh = (struct doh *)self;

    while (doh->first) {
        struct ask *ask = doh->first;

        doh->first = ask->next;
        ask_free(ask);
    }
    doh->last = NULL;
    answer_queue_done(&doh->done);
}

static void doh_free(struct resolver *self)
{
    struct doh *doh = (struct doh *)self;

    doh_cancel(self);
    strlist_done(&doh->urls);
    free(doh);
}

enum err_code resolver_doh_new(const struct resolver_doh_opts *opts, struct resolver **out, struct err *err)
{
    struct doh *doh;

    if (opts->urls->count == 0)
        return err_set(err, ERR_INPUT, "no URL of a DNS over HTTPS server");
    for (size_t i = 0; i < opts->urls->count; i++)
        if (text_ncasecmp(opts->urls->items[i], "https://", 8) != 0)
            return err_set(err, ERR_INPUT, "\"%s\" is no URL of a DNS over HTTPS server", opts->urls->items[i]);
    doh = mem_zalloc(sizeof *doh);
    for (size_t i = 0; i < opts->urls->count; i++)
        strlist_add(&doh->urls, opts->urls->items[i]);
    doh->base = (struct resolver){doh_start, doh_next, doh_free, doh_cancel, doh->urls.items[0]};
    doh->http = opts->http;
    doh->clock = opts->clock;
    doh->log = opts->log;
    *out = &doh->base;
    return ERR_OK;
}
