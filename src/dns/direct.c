/* SPDX-License-Identifier: MIT
 *
 * The resolver over UDP and TCP.  A question first waits in the list of its line (one server over one
 * transport), of which at most FLYING_MAX are on the wire at a time, so that any number may be started.  Its
 * time runs from the moment it is sent.  When that is over it is answered with ERR_TIMEOUT at once; c-ares
 * still holds it for some seconds, and what it says later is dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "dns/cares.h"
#include "dns/resolver.h"
#include "dns/route.h"
#include "dns/trace.h"

#define FLYING_MAX 64
#define SLICE_MS 200 /* how soon the operator's interrupt is seen */
#define LINES_MAX 48 /* idle lines are closed beyond this; c-ares takes about 80 kB for each */
#define RECURSIVE "DNS resolver"

enum ask_state { ASK_WAITING, ASK_FLYING, ASK_GIVEN_UP };

struct line;

struct ask {
    struct ask *next; /* in the line's list of its state; given-up ones are in no list */
    struct line *line;
    enum ask_state state;
    char *name;
    enum dns_type type;
    unsigned flags;
    void *tag;
    int64_t timeout_ms;
    int64_t started_ms;
};

struct ask_list {
    struct ask *first;
    struct ask *last;
};

struct line {
    struct line *next;
    struct direct *direct;
    char *server; /* canonical; NULL: recursive */
    enum cares_kind kind;
    struct cares_line *wire;
    struct ask_list waiting;
    struct ask_list flying;
    size_t flying_count;
};

struct direct {
    struct resolver base;
    struct clock *clock;
    struct log *log;
    char *recursive; /* canonical addresses, "," between; NULL: the system's */
    struct cares *cares;
    struct line *lines;
    size_t line_count;
    size_t under_way; /* waiting and flying */
    struct answer_queue done;
};

/* ------------------------------------------------------------------ questions */

static void list_put(struct ask_list *list, struct ask *ask)
{
    ask->next = NULL;
    if (list->last)
        list->last->next = ask;
    else
        list->first = ask;
    list->last = ask;
}

static void list_remove(struct ask_list *list, struct ask *ask)
{
    struct ask *before = NULL;

    for (struct ask *a = list->first; a != ask; a = a->next)
        before = a;
    if (before)
        before->next = ask->next;
    else
        list->first = ask->next;
    if (list->last == ask)
        list->last = before;
}

static void ask_free(struct ask *ask)
{
    free(ask->name);
    free(ask);
}

static const char *line_name(const struct line *line)
{
    return line->server ? line->server : RECURSIVE;
}

static struct dns_trace trace_of(const struct ask *ask)
{
    return (struct dns_trace){
        .server = line_name(ask->line),
        .name = ask->name,
        .type = ask->type,
        .flags = ask->flags,
        .transport = ask->line->kind == CARES_SERVER_TCP ? DNS_TCP : DNS_UDP_THEN_TCP,
    };
}

/* Answer the question; it leaves its list but is not freed. */
static void ask_answer(struct ask *ask, struct dns_answer *answer_take)
{
    struct line *line = ask->line;
    struct direct *d = line->direct;
    struct dns_trace trace;

    answer_take->tag = ask->tag;
    answer_take->elapsed_ms = ask->state == ASK_FLYING ? clock_mono_ms(d->clock) - ask->started_ms : 0;
    trace = trace_of(ask);
    dns_trace_answer(d->log, &trace, answer_take);
    if (ask->state == ASK_FLYING) {
        list_remove(&line->flying, ask);
        line->flying_count--;
    }
    d->under_way--;
    answer_queue_put_take(&d->done, answer_take);
}

static void ask_fail(struct ask *ask, enum err_code code, const char *why)
{
    struct dns_answer answer = {0};

    if (code == ERR_NETWORK && ask->line->server && !route_exists(ask->line->server)) {
        answer.has_no_route = true;
        why = "this machine has no route there";
    }
    answer.result = err_set(&answer.err, code, "could not ask %s for %s \"%s\": %s", line_name(ask->line),
                            dns_type_name(ask->type), ask->name, why);
    ask_answer(ask, &answer);
}

static enum err_code line_want(struct direct *d, const char *server, enum cares_kind kind, struct line **out,
                               struct err *err);

/* The resolvers could not be reached, or all refuse: ask once more in the way that tells which. */
static bool ask_again(struct ask *ask)
{
    struct line *from = ask->line;
    struct line *to = NULL;

    if (from->kind != CARES_RECURSIVE || line_want(from->direct, NULL, CARES_RECURSIVE_ANY, &to, NULL) != ERR_OK)
        return false;
    list_remove(&from->flying, ask);
    from->flying_count--;
    ask->timeout_ms -= clock_mono_ms(from->direct->clock) - ask->started_ms;
    ask->state = ASK_WAITING;
    ask->line = to;
    list_put(&to->waiting, ask); /* sent in the next turn: c-ares is busy with this one */
    return true;
}

static void on_reply(void *ctx, const struct cares_reply *reply)
{
    struct ask *ask = ctx;
    struct dns_answer answer = {0};
    struct err err;

    if (ask->state == ASK_FLYING && reply->result == ERR_NETWORK && ask_again(ask))
        return;
    if (ask->state == ASK_FLYING) {
        if (reply->result != ERR_OK)
            ask_fail(ask, reply->result, reply->why);
        else if (reply->msg && dns_answer_parse(reply->msg, reply->len, &answer, &err) != ERR_OK)
            ask_fail(ask, err.code, err.msg);
        else {
            if (!reply->msg)
                answer.rcode = reply->rcode;
            ask_answer(ask, &answer);
        }
    }
    ask_free(ask);
}

static void line_send(struct line *line)
{
    while (line->waiting.first && line->flying_count < FLYING_MAX) {
        struct ask *ask = line->waiting.first;
        struct dns_trace trace;

        list_remove(&line->waiting, ask);
        list_put(&line->flying, ask);
        ask->state = ASK_FLYING;
        ask->started_ms = clock_mono_ms(line->direct->clock);
        line->flying_count++;
        trace = trace_of(ask);
        dns_trace_question(line->direct->log, &trace);
        cares_line_ask(line->wire, ask->name, ask->type, ask->flags, on_reply, ask);
    }
}

/* End what is too old; returns the time until the next question is. */
static int64_t line_expire(struct line *line, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;

    for (struct ask *ask = line->flying.first; ask;) {
        struct ask *following = ask->next;
        int64_t left_ms = ask->started_ms + ask->timeout_ms - now_ms;

        if (left_ms <= 0) {
            ask_fail(ask, ERR_TIMEOUT, "no answer in time");
            ask->state = ASK_GIVEN_UP;
        } else if (left_ms < next_ms) {
            next_ms = left_ms;
        }
        ask = following;
    }
    return next_ms;
}

/* ------------------------------------------------------------------ lines */

static void line_free(struct line *line)
{
    struct line **link = &line->direct->lines;

    while (*link != line)
        link = &(*link)->next;
    *link = line->next;
    line->direct->line_count--;
    cares_line_free(line->wire); /* given-up questions are freed by their replies */
    free(line->server);
    free(line);
}

/* Never from within a reply: c-ares, and the loops over lines, are busy with them then. */
static void close_idle_lines(struct direct *d)
{
    for (struct line *line = d->lines; line && d->line_count > LINES_MAX;) {
        struct line *following = line->next;

        if (!line->flying.first && !line->waiting.first)
            line_free(line);
        line = following;
    }
}

static enum err_code line_new(struct direct *d, const char *server, enum cares_kind kind, struct line **out,
                              struct err *err)
{
    struct cares_line *wire = NULL;
    struct line *line;
    enum err_code code = cares_line_new(d->cares, server ? server : d->recursive, kind, &wire, err);
    if (code != ERR_OK)
        return code;
    line = mem_zalloc(sizeof *line);
    *line = (struct line){.next = d->lines, .direct = d, .server = mem_strdup(server), .kind = kind, .wire = wire};
    d->lines = line;
    d->line_count++;
    *out = line;
    return ERR_OK;
}

static enum err_code line_want(struct direct *d, const char *server, enum cares_kind kind, struct line **out,
                               struct err *err)
{
    for (struct line *line = d->lines; line; line = line->next) {
        if (line->kind == kind && (!server || strcmp(line->server, server) == 0)) {
            *out = line;
            return ERR_OK;
        }
    }
    return line_new(d, server, kind, out, err);
}

static enum err_code line_for(struct direct *d, const struct dns_question *q, struct line **out, struct err *err)
{
    AUTO_FREE char *server = NULL;
    enum err_code code;

    if (!q->server)
        return line_want(d, NULL, CARES_RECURSIVE, out, err);
    code = cares_address_parse(q->server, &server, err);
    if (code != ERR_OK)
        return code;
    return line_want(d, server, q->transport == DNS_TCP ? CARES_SERVER_TCP : CARES_SERVER, out, err);
}

/* ------------------------------------------------------------------ the resolver */

static void direct_start(struct resolver *self, const struct dns_question *question)
{
    struct direct *d = (struct direct *)self;
    struct line *line = NULL;
    struct dns_answer refused = {.tag = question->tag};
    struct ask *ask;

    if (!dns_name_can_be_asked(question->name))
        refused.result = err_set(&refused.err, ERR_INPUT, "\"%s\" is no name that can be asked for", question->name);
    else
        refused.result = line_for(d, question, &line, &refused.err);
    if (refused.result != ERR_OK) {
        answer_queue_put_take(&d->done, &refused);
        return;
    }
    ask = mem_zalloc(sizeof *ask);
    *ask = (struct ask){.line = line,
                        .state = ASK_WAITING,
                        .name = mem_strdup(question->name),
                        .type = question->type,
                        .flags = question->flags,
                        .tag = question->tag,
                        .timeout_ms = question->timeout_ms};
    d->under_way++;
    list_put(&line->waiting, ask);
    line_send(line);
    close_idle_lines(d);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* One round on the wire: send, wait, take answers, end what is too old. */
static void turn(struct direct *d, int64_t wait_ms)
{
    int64_t next_ms = least(wait_ms, SLICE_MS);

    for (struct line *line = d->lines; line; line = line->next) {
        next_ms = least(next_ms, line_expire(line, clock_mono_ms(d->clock)));
        line_send(line);
    }
    if (d->done.first)
        next_ms = 0;
    /* Should waiting fail, the questions run into their time-outs; an interrupt is seen by the caller. */
    if (cares_wait(d->cares, next_ms, NULL) != ERR_OK)
        (void)d->clock->sleep_ms(d->clock, next_ms);
}

static enum err_code direct_next(struct resolver *self, int64_t timeout_ms, struct dns_answer *out)
{
    struct direct *d = (struct direct *)self;
    int64_t end_ms = clock_mono_ms(d->clock) + timeout_ms;

    while (true) {
        int64_t left_ms;

        if (clock_is_cancelled(d->clock))
            return ERR_CANCELLED;
        if (answer_queue_get(&d->done, out))
            return ERR_OK;
        if (d->under_way == 0)
            return ERR_NOT_FOUND;
        left_ms = end_ms - clock_mono_ms(d->clock);
        turn(d, left_ms > 0 ? left_ms : 0);
        if (left_ms <= 0 && !d->done.first && d->under_way)
            return ERR_TIMEOUT;
    }
}

static void direct_cancel(struct resolver *self)
{
    struct direct *d = (struct direct *)self;

    for (struct line *line = d->lines; line; line = line->next) {
        for (struct ask *ask = line->flying.first; ask; ask = ask->next)
            ask->state = ASK_GIVEN_UP;
        line->flying = (struct ask_list){NULL, NULL};
        line->flying_count = 0;
        while (line->waiting.first) {
            struct ask *ask = line->waiting.first;

            list_remove(&line->waiting, ask);
            ask_free(ask);
        }
    }
    d->under_way = 0;
    cares_cancel(d->cares);
    answer_queue_done(&d->done);
}

static void direct_free(struct resolver *self)
{
    struct direct *d = (struct direct *)self;

    direct_cancel(self);
    while (d->lines)
        line_free(d->lines);
    cares_free(d->cares);
    free(d->recursive);
    free(d);
}

/* The resolvers' addresses in canonical form; *out stays NULL when there are none. */
static enum err_code join_resolvers(const struct strlist *resolvers, char **out, struct err *err)
{
    AUTO_BUF struct buf joined = BUF_INIT(4096);

    for (size_t i = 0; resolvers && i < resolvers->count; i++) {
        AUTO_FREE char *address = NULL;
        enum err_code code = cares_address_parse(resolvers->items[i], &address, err);

        if (code != ERR_OK)
            return err_prefix(err, code, "resolver");
        buf_printf(&joined, "%s%s", i ? "," : "", address);
    }
    if (!buf_ok(&joined))
        return err_set(err, ERR_INPUT, "too many resolvers");
    if (joined.len)
        *out = buf_take(&joined);
    return ERR_OK;
}

enum err_code resolver_direct_new(const struct resolver_direct_opts *opts, struct resolver **out, struct err *err)
{
    AUTO_FREE char *recursive = NULL;
    struct cares *cares = NULL;
    enum err_code code = join_resolvers(opts->resolvers, &recursive, err);
    struct direct *d;

    if (code == ERR_OK)
        code = cares_new(&cares, err);
    if (code != ERR_OK)
        return code;
    d = mem_zalloc(sizeof *d);
    d->base = (struct resolver){direct_start, direct_next, direct_free, direct_cancel, NULL};
    d->clock = opts->clock;
    d->log = opts->log;
    d->recursive = recursive;
    recursive = NULL;
    d->cares = cares;
    *out = &d->base;
    return ERR_OK;
}
