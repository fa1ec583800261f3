/* SPDX-License-Identifier: MIT */
#include "fake_dns.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

struct fake_dns_open {
    struct fake_dns_open *next;
    int64_t at_ms;
    struct fake_dns_count *count;
    struct dns_answer answer;
};

static struct fake_dns_count *want_count(struct fake_dns *dns, const char *server)
{
    size_t i = 0;

    while (i < FAKE_DNS_SERVERS && dns->counts[i].server && strcmp(dns->counts[i].server, server) != 0)
        i++;
    assert_true(i < FAKE_DNS_SERVERS);
    if (!dns->counts[i].server)
        dns->counts[i].server = mem_strdup(server);
    return &dns->counts[i];
}

static void insert(struct fake_dns *dns, struct fake_dns_open *open)
{
    struct fake_dns_open **link = &dns->open;

    while (*link && (*link)->at_ms <= open->at_ms)
        link = &(*link)->next;
    open->next = *link;
    *link = open;
    dns->open_count++;
}

static void fake_start(struct resolver *self, const struct dns_question *question)
{
    struct fake_dns *dns = (struct fake_dns *)self;
    struct fake_dns_reply reply = {.takes_ms = 20, .answer = {.authoritative = true}};
    struct fake_dns_open *open = mem_zalloc(sizeof *open);
    struct fake_dns_count *count = want_count(dns, question->server ? question->server : "");

    dns->world(dns->ctx, question, dns->clock->mono_ms - dns->start_ms, &reply);
    if (reply.takes_ms >= question->timeout_ms) {
        reply.takes_ms = question->timeout_ms;
        dns_answer_done(&reply.answer);
        fake_dns_fail(&reply.answer, ERR_TIMEOUT);
    }
    reply.answer.tag = question->tag;
    reply.answer.elapsed_ms = reply.takes_ms;
    *open = (struct fake_dns_open){
        .at_ms = dns->clock->mono_ms + reply.takes_ms, .count = count, .answer = reply.answer};
    insert(dns, open);
    dns->asked++;
    count->asked++;
    count->tcp += question->transport == DNS_TCP ? 1 : 0;
    count->open++;
    if (count->open > count->open_most)
        count->open_most = count->open;
}

static struct dns_answer remove_first(struct fake_dns *dns)
{
    struct fake_dns_open *open = dns->open;
    struct dns_answer answer = open->answer;

    dns->open = open->next;
    dns->open_count--;
    open->count->open--;
    free(open);
    return answer;
}

static enum err_code fake_next(struct resolver *self, int64_t timeout_ms, struct dns_answer *out)
{
    struct fake_dns *dns = (struct fake_dns *)self;
    int64_t wait_ms;

    if (dns->clock->cancelled)
        return ERR_CANCELLED;
    if (!dns->open)
        return ERR_NOT_FOUND;
    wait_ms = dns->open->at_ms - dns->clock->mono_ms;
    if (wait_ms > timeout_ms) {
        fake_clock_advance(dns->clock, timeout_ms);
        return dns->clock->cancelled ? ERR_CANCELLED : ERR_TIMEOUT;
    }
    if (wait_ms > 0)
        fake_clock_advance(dns->clock, wait_ms);
    if (dns->clock->cancelled)
        return ERR_CANCELLED;
    *out = remove_first(dns);
    return ERR_OK;
}

static void fake_cancel(struct resolver *self)
{
    struct fake_dns *dns = (struct fake_dns *)self;

    dns->cancelled++;
    while (dns->open) {
        struct dns_answer answer = remove_first(dns);

        dns_answer_done(&answer);
    }
}

static void fake_free(UNUSED struct resolver *self)
{
    /* the test owns it: fake_dns_done() */
}

struct fake_dns *fake_dns_new(struct fake_clock *clock, fake_dns_world *world, void *ctx)
{
    struct fake_dns *dns = mem_zalloc(sizeof *dns);

    dns->base = (struct resolver){fake_start, fake_next, fake_free, fake_cancel};
    dns->clock = clock;
    dns->start_ms = clock->mono_ms;
    dns->world = world;
    dns->ctx = ctx;
    return dns;
}

void fake_dns_done(struct fake_dns *dns)
{
    size_t left = dns->open_count;

    fake_cancel(&dns->base);
    for (size_t i = 0; i < FAKE_DNS_SERVERS; i++)
        free(dns->counts[i].server);
    free(dns);
    if (left)
        fail_msg("%zu questions were left open", left);
}

const struct fake_dns_count *fake_dns_count(struct fake_dns *dns, const char *server)
{
    return want_count(dns, server);
}

static struct dns_rr *put(struct dns_rr **items, size_t *count, const char *owner, enum dns_type type, const char *text)
{
    struct dns_rr rr = {.owner = mem_strdup(owner),
                        .type = (uint16_t)type,
                        .ttl_s = 60,
                        .text = mem_strdup(text),
                        .text_len = strlen(text)};

    *items = mem_resize(*items, *count + 1, sizeof **items);
    (*items)[(*count)++] = rr;
    return &(*items)[*count - 1];
}

void fake_dns_put(struct dns_answer *answer, const char *owner, enum dns_type type, const char *text)
{
    (void)put(&answer->answers, &answer->answer_count, owner, type, text);
}

void fake_dns_put_txt(struct dns_answer *answer, const char *owner, const char *value)
{
    fake_dns_put(answer, owner, DNS_TXT, value);
}

void fake_dns_put_authority(struct dns_answer *answer, const char *owner, enum dns_type type, const char *text)
{
    (void)put(&answer->authority, &answer->authority_count, owner, type, text);
}

void fake_dns_put_additional(struct dns_answer *answer, const char *owner, enum dns_type type, const char *text)
{
    (void)put(&answer->additional, &answer->additional_count, owner, type, text);
}

void fake_dns_put_soa(struct dns_answer *answer, const char *owner, uint32_t negative_s)
{
    struct dns_rr *rr = put(&answer->authority, &answer->authority_count, owner, DNS_SOA, "ns1.example.net");

    rr->soa_minimum_s = negative_s;
    rr->ttl_s = negative_s * 2;
}

void fake_dns_fail(struct dns_answer *answer, enum err_code code)
{
    answer->result = err_set(&answer->err, code, "scripted failure");
}
