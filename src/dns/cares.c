/* SPDX-License-Identifier: MIT
 *
 * c-ares 1.18 to 1.34 and later.  The old calls, which hand out messages, are deprecated since 1.28; the new
 * ones hand out parsed records, which are written back to a message here, so that one parser of ours serves
 * both.
 *
 * Sockets are followed through the socket-state callback and waited for with poll(): it knows no limit on
 * descriptor numbers, and both versions offer it without deprecation.
 */
#include "dns/cares.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ares.h>

#include "crypto/random.h"
#include "dns/cares_query.h"
#include "platform/socket.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/text.h"

/* Since 1.31 answers are cached for up to an hour unless this option says 0, which would make polling see the
 * first answer for ever.  A program built with older headers may run with such a library: the option's bit is
 * the same, older libraries ignore it, and the zeroes behind our shorter struct are read as its value. */
#ifndef ARES_OPT_QUERY_CACHE
#define ARES_OPT_QUERY_CACHE (1 << 21)
#endif

union roomy_options {
    struct ares_options known;
    char room[sizeof(struct ares_options) + 512];
};

#ifndef ARES_ENOSERVER
#define ARES_ENOSERVER 26 /* as later versions define it; older ones never return it */
#endif

#define FIRST_TRY_MS 1000 /* doubled for each further try */
#define TRIES 3
#define TCP_TRY_MS 3000 /* a second try goes over a new connection only */
#define TCP_TRIES 2
#define QCLASS_IN 1

struct cares_line {
    struct cares_line *next;
    struct cares *cares;
    ares_channel channel;
    bool wants_recursion;
    size_t open; /* questions without reply */
};

struct watched {
    ares_socket_t fd;
    short events;
    struct cares_line *line;
};

struct cares {
    struct cares_line *lines;
    struct watched *watched;
    size_t watched_count;
    struct pollfd *polled; /* as many as watched at the time of cares_wait() */
};

struct open_question {
    struct cares_line *line;
    cares_reply_fn *fn;
    void *ctx;
};

/* ------------------------------------------------------------------ replies */

static const struct {
    int status;
    enum err_code result;
    int rcode;
    const char *why;
} outcomes[] = {
    {ARES_ENODATA, ERR_OK, DNS_NOERROR, NULL},
    {ARES_EFORMERR, ERR_OK, DNS_FORMERR, NULL},
    {ARES_ESERVFAIL, ERR_OK, DNS_SERVFAIL, NULL},
    {ARES_ENOTFOUND, ERR_OK, DNS_NXDOMAIN, NULL},
    {ARES_ENOTIMP, ERR_OK, DNS_NOTIMP, NULL},
    {ARES_EREFUSED, ERR_OK, DNS_REFUSED, NULL},
    {ARES_ETIMEOUT, ERR_TIMEOUT, 0, "no answer in time"},
    {ARES_ECONNREFUSED, ERR_NETWORK, 0, "connection refused, or no route"},
    {ARES_ENOSERVER, ERR_NETWORK, 0, "no recursive resolver is configured"},
    {ARES_EBADRESP, ERR_DNS, 0, "malformed DNS message"},
    {ARES_EBADNAME, ERR_INPUT, 0, "no name that can be asked for"},
    {ARES_EBADQUERY, ERR_INPUT, 0, "no name that can be asked for"},
    {ARES_ECANCELLED, ERR_CANCELLED, 0, "given up"},
    {ARES_EDESTRUCTION, ERR_CANCELLED, 0, "given up"},
};

static struct cares_reply reply_of(int status, const uint8_t *msg, size_t len)
{
    if (msg && len > 0)
        return (struct cares_reply){.result = ERR_OK, .msg = msg, .len = len};
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        if (outcomes[i].status == status)
            return (struct cares_reply){
                .result = outcomes[i].result, .rcode = outcomes[i].rcode, .why = outcomes[i].why};
    return (struct cares_reply){.result = ERR_INTERNAL, .why = ares_strerror(status)};
}

static void deliver(void *ctx, int status, const uint8_t *msg, size_t len)
{
    struct open_question *question = ctx;
    struct cares_reply reply = reply_of(status, msg, len);

    question->line->open--;
    question->fn(question->ctx, &reply);
    free(question);
}

#if CARES_HAS_RECORDS
static void on_record(void *ctx, ares_status_t status, UNUSED size_t timeouts, const ares_dns_record_t *record)
{
    unsigned char *msg = NULL;
    size_t len = 0;

    if (record && ares_dns_write(record, &msg, &len) != ARES_SUCCESS)
        status = ARES_EBADRESP;
    deliver(ctx, (int)status, msg, len);
    ares_free_string(msg);
}

static void ask_with_flags(struct cares_line *line, const struct cares_query *query, struct open_question *question)
{
    ares_dns_record_t *record = NULL;
    ares_status_t status = cares_query_record(query, &record);

    /* The status comes through the callback too; so must ours. */
    if (status == ARES_SUCCESS)
        (void)ares_send_dnsrec(line->channel, record, on_record, question, NULL); /* with an id of its own */
    else
        deliver(question, (int)status, NULL, 0);
    ares_dns_record_destroy(record);
}

static void ask(struct cares_line *line, const char *name, int type, struct open_question *question)
{
    (void)ares_query_dnsrec(line->channel, name, ARES_CLASS_IN, (ares_dns_rec_type_t)type, on_record, question, NULL);
}
#else
static void on_message(void *ctx, int status, UNUSED int timeouts, unsigned char *msg, int len)
{
    deliver(ctx, status, msg, len > 0 ? (size_t)len : 0);
}

static void ask_with_flags(struct cares_line *line, struct cares_query *query, struct open_question *question)
{
    unsigned char *msg = NULL;
    size_t len = 0;
    int status = ARES_ENOMEM;

    /* Here the id is the caller's to choose, and it is half of what a forger has to guess. */
    if (random_bytes(&query->id, sizeof query->id, NULL) == ERR_OK)
        status = cares_query_message(query, &msg, &len);
    if (status == ARES_SUCCESS)
        ares_send(line->channel, msg, (int)len, on_message, question);
    else
        deliver(question, status, NULL, 0);
    ares_free_string(msg);
}

static void ask(struct cares_line *line, const char *name, int type, struct open_question *question)
{
    ares_query(line->channel, name, QCLASS_IN, type, on_message, question);
}
#endif

void cares_line_ask(struct cares_line *line, const char *name, enum dns_type type, unsigned flags, cares_reply_fn *fn,
                    void *ctx)
{
    struct open_question *question = mem_zalloc(sizeof *question);
    struct cares_query query = {
        .name = name, .type = (int)type, .wants_recursion = line->wants_recursion, .flags = flags};

    *question = (struct open_question){line, fn, ctx};
    line->open++;
    if (flags)
        ask_with_flags(line, &query, question);
    else
        ask(line, name, (int)type, question);
}

/* ------------------------------------------------------------------ sockets */

static void on_socket_state(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct cares_line *line = ctx;
    struct cares *cares = line->cares;
    short events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    size_t i = 0;

    while (i < cares->watched_count && (cares->watched[i].fd != fd || cares->watched[i].line != line))
        i++;
    if (i == cares->watched_count) {
        if (!events)
            return;
        cares->watched = mem_grow(cares->watched, i, sizeof *cares->watched);
        cares->watched[cares->watched_count++] = (struct watched){fd, events, line};
    } else if (events) {
        cares->watched[i].events = events;
    } else {
        cares->watched[i] = cares->watched[--cares->watched_count];
    }
}

/* The shorter of timeout_ms and c-ares' own next timer, rounded up so that the timer has run out when we
 * wake. */
static int poll_timeout(const struct cares *cares, int64_t timeout_ms)
{
    if (timeout_ms < 0)
        timeout_ms = 0;
    for (const struct cares_line *line = cares->lines; line; line = line->next) {
        struct timeval tv;

        if (line->open && ares_timeout(line->channel, NULL, &tv)) {
            int64_t ms = (int64_t)tv.tv_sec * 1000 + (int64_t)(tv.tv_usec + 999) / 1000;

            timeout_ms = ms < timeout_ms ? ms : timeout_ms;
        }
    }
    return timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;
}

static void process(struct cares_line *line, const struct pollfd *polled)
{
    bool failed = (polled->revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    bool readable = failed || (polled->revents & POLLIN) != 0;
    bool writable = (polled->revents & POLLOUT) != 0 || (failed && (polled->events & POLLOUT) != 0);

    if (readable || writable)
        ares_process_fd(line->channel, readable ? polled->fd : ARES_SOCKET_BAD,
                        writable ? polled->fd : ARES_SOCKET_BAD);
}

enum err_code cares_wait(struct cares *cares, int64_t timeout_ms, struct err *err)
{
    /* Processing changes the watched sockets; what was polled is worked through from a copy. */
    size_t count = cares->watched_count;
    AUTO_FREE struct cares_line **lines = mem_calloc(count, sizeof(struct cares_line *));

    cares->polled = mem_resize(cares->polled, count, sizeof *cares->polled);
    for (size_t i = 0; i < count; i++) {
        cares->polled[i] = (struct pollfd){.fd = cares->watched[i].fd, .events = cares->watched[i].events};
        lines[i] = cares->watched[i].line;
    }
    if (platform_socket_poll(cares->polled, count, poll_timeout(cares, timeout_ms)) < 0) {
        if (errno == EINTR)
            return ERR_OK;
        return err_set_errno(err, ERR_INTERNAL, errno, "could not wait for DNS answers");
    }
    for (size_t i = 0; i < count; i++)
        process(lines[i], &cares->polled[i]);
    for (struct cares_line *line = cares->lines; line; line = line->next)
        if (line->open)
            ares_process_fd(line->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return ERR_OK;
}

/* ------------------------------------------------------------------ lines */

static enum err_code fail(int status, const char *what, struct err *err)
{
    enum err_code code = status == ARES_ENOSERVER || status == ARES_EFILE ? ERR_NETWORK : ERR_INTERNAL;

    return err_set(err, code, "could not %s: %s", what, ares_strerror(status));
}

static int init_channel(struct cares_line *line, const char *servers, enum cares_kind kind)
{
    union roomy_options options = {.room = {0}};
    struct ares_options *o = &options.known;
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_EDNSPSZ |
               ARES_OPT_QUERY_CACHE;
    char no_file[] = "/dev/null";
    struct in_addr nobody = {.s_addr = 0};
    int status;

    o->flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
    if (kind != CARES_RECURSIVE)
        o->flags |= ARES_FLAG_NOCHECKRESP;
    if (kind == CARES_SERVER || kind == CARES_SERVER_TCP)
        o->flags |= ARES_FLAG_NORECURSE;
    if (kind == CARES_SERVER_TCP)
        o->flags |= ARES_FLAG_USEVC | ARES_FLAG_STAYOPEN;
    o->timeout = kind == CARES_SERVER_TCP ? TCP_TRY_MS : FIRST_TRY_MS;
    o->tries = kind == CARES_SERVER_TCP ? TCP_TRIES : TRIES;
    o->ednspsz = CARES_EDNS_SIZE;
    o->sock_state_cb = on_socket_state;
    o->sock_state_cb_data = line;
    if (servers) { /* nothing of the system's settings matters then, and it is not searched for: Windows takes long */
        o->resolvconf_path = no_file;
        o->servers = &nobody;
        o->nservers = 1;
        mask |= ARES_OPT_RESOLVCONF | ARES_OPT_SERVERS;
    }
    status = ares_init_options(&line->channel, o, mask);
    if (status == ARES_SUCCESS && servers)
        status = ares_set_servers_ports_csv(line->channel, servers);
    return status;
}

enum err_code cares_line_new(struct cares *cares, const char *servers, enum cares_kind kind, struct cares_line **out,
                             struct err *err)
{
    struct cares_line *line = mem_zalloc(sizeof *line);
    int status;

    line->cares = cares;
    line->wants_recursion = kind == CARES_RECURSIVE || kind == CARES_RECURSIVE_ANY;
    status = init_channel(line, servers, kind);
    if (status != ARES_SUCCESS) {
        if (line->channel)
            ares_destroy(line->channel);
        free(line);
        return fail(status, servers ? "prepare DNS questions" : "find the system's DNS resolvers", err);
    }
    line->next = cares->lines;
    cares->lines = line;
    *out = line;
    return ERR_OK;
}

void cares_line_free(struct cares_line *line)
{
    struct cares_line **link = &line->cares->lines;

    while (*link != line)
        link = &(*link)->next;
    *link = line->next;
    ares_destroy(line->channel);
    free(line);
}

void cares_cancel(struct cares *cares)
{
    for (struct cares_line *line = cares->lines; line; line = line->next)
        if (line->open)
            ares_cancel(line->channel);
}

enum err_code cares_new(struct cares **out, struct err *err)
{
    int status = ares_library_init(ARES_LIB_INIT_ALL);

    if (status != ARES_SUCCESS)
        return fail(status, "initialise c-ares", err);
    *out = mem_zalloc(sizeof **out);
    return ERR_OK;
}

void cares_free(struct cares *cares)
{
    if (!cares)
        return;
    while (cares->lines)
        cares_line_free(cares->lines);
    free(cares->watched);
    free(cares->polled);
    free(cares);
    ares_library_cleanup();
}

/* ------------------------------------------------------------------ addresses */

/* Split into host and port; false when the brackets or colons make no sense. */
static bool split_address(const char *text, char host[64], const char **out_port)
{
    bool bracketed = text[0] == '[';
    const char *start = text + (bracketed ? 1 : 0);
    const char *end = bracketed ? strchr(start, ']') : strchr(start, ':');
    size_t len;

    if (!bracketed && end && strchr(end + 1, ':')) /* two colons: IPv6 without port */
        end = NULL;
    if (bracketed && !end)
        return false;
    len = end ? (size_t)(end - start) : strlen(start);
    if (len >= 64)
        return false;
    memcpy(host, start, len);
    host[len] = '\0';
    if (end && bracketed)
        end++;
    if (end && *end && *end != ':')
        return false;
    *out_port = end && *end ? end + 1 : "53";
    return true;
}

enum err_code cares_address_parse(const char *text, char **out, struct err *err)
{
    char host[64];
    char canonical[64];
    unsigned char binary[16];
    const char *port_text;
    uint64_t port;
    int family;

    if (!split_address(text, host, &port_text) || !parse_uint(port_text, 1, 65535, &port))
        return err_set(err, ERR_INPUT, "\"%s\" is no IP address with an optional port", text);
    family = strchr(host, ':') ? AF_INET6 : AF_INET;
    if ((text[0] == '[' && family != AF_INET6) || inet_pton(family, host, binary) != 1 ||
        !inet_ntop(family, binary, canonical, sizeof canonical))
        return err_set(err, ERR_INPUT, "\"%s\" is no IP address with an optional port", text);
    *out = mem_printf(family == AF_INET6 ? "[%s]:%u" : "%s:%u", canonical, (unsigned)port);
    return ERR_OK;
}
