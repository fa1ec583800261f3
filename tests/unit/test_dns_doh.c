/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/resolver.h"
#include "dns_message.h"
#include "fake_clock.h"
#include "http/http.h"
#include "test.h"

/* A server of DNS over HTTPS that answers by the name that is asked for. */
struct fake_doh {
    struct http base;
    size_t requests;
    size_t batches;
    size_t most_at_once;
    const char *dead_url; /* requests to it fail */
    bool wants_flags;     /* questions must have DO and CD, others neither */
    enum err_code refuse; /* perform_many() itself fails */
};

static struct fake_clock the_clock;

static void put_header(struct http_response *out, const char *name, const char *value)
{
    out->headers = mem_resize(out->headers, out->header_count + 1, sizeof *out->headers);
    out->headers[out->header_count++] = (struct http_header){mem_strdup(name), mem_strdup(value)};
}

/* First label of the question in a message. */
static void first_label(const struct http_request *request, char out[64])
{
    size_t len = (unsigned char)request->body[12];

    assert_true(len < 64);
    memcpy(out, request->body + 13, len);
    out[len] = '\0';
}

static void check_request(const struct fake_doh *doh, const struct http_request *request)
{
    static const uint8_t plain[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    static const uint8_t with_cd_and_opt[] = {0, 0, 1, 0x10, 0, 1, 0, 0, 0, 0, 0, 1};
    static const uint8_t opt_with_do[] = {0, 0, 41, 4, 0xd0, 0, 0, 0x80, 0, 0, 0};

    assert_string_equal(request->method, "POST");
    assert_true(request->body_len > sizeof plain + sizeof opt_with_do);
    assert_memory_equal(request->body, doh->wants_flags ? with_cd_and_opt : plain, sizeof plain);
    if (doh->wants_flags)
        assert_memory_equal(request->body + request->body_len - sizeof opt_with_do, opt_with_do, sizeof opt_with_do);
    assert_int_equal(request->headers.count, 2);
    assert_string_equal(request->headers.items[0], "Accept: application/dns-message");
    assert_string_equal(request->headers.items[1], "Content-Type: application/dns-message");
    assert_int_equal(request->timeout_ms, 1500);
}

static void answer_one(struct fake_doh *doh, const struct http_request *request, struct http_response *out)
{
    static struct message m;
    char label[64];

    check_request(doh, request);
    first_label(request, label);
    *out = (struct http_response){.status = 200, .body = BUF_INIT(request->max_body), .elapsed_ms = 17};
    if (doh->dead_url && strcmp(request->url, doh->dead_url) == 0) {
        out->result = err_set(&out->err, ERR_TLS, "certificate has expired");
        return;
    }
    message_begin(&m, 0, MESSAGE_RESPONSE | (strcmp(label, "nx") == 0 ? 3 : 0) |
                             (doh->wants_flags ? MESSAGE_AUTHENTICATED : 0));
    message_question(&m, "whatever.example.com", 16);
    message_rr_txt(&m, "whatever.example.com", 60, request->url);
    if (strcmp(label, "html") == 0)
        put_header(out, "content-type", "text/html");
    else
        put_header(out, "content-type", "application/dns-message; charset=x");
    if (strcmp(label, "http500") == 0)
        out->status = 500;
    buf_append(&out->body, m.data, strcmp(label, "cut") == 0 ? m.len - 3 : m.len);
}

static enum err_code fake_perform(struct http *self, const struct http_request *requests, size_t count,
                                  struct http_response *out, struct err *err)
{
    struct fake_doh *doh = (struct fake_doh *)self;

    doh->batches++;
    doh->requests += count;
    doh->most_at_once = count > doh->most_at_once ? count : doh->most_at_once;
    for (size_t i = 0; i < count; i++) {
        if (doh->refuse != ERR_OK) {
            out[i] = (struct http_response){.result = doh->refuse};
            (void)err_set(&out[i].err, doh->refuse, "refused");
        } else {
            answer_one(doh, &requests[i], &out[i]);
        }
    }
    return doh->refuse != ERR_OK ? err_set(err, doh->refuse, "refused") : ERR_OK;
}

static void fake_free(UNUSED struct http *self)
{
    /* on the stack */
}

#define URL_ONE "https://one.example/dns-query"
#define URL_TWO "https://two.example/dns-query"

static struct resolver *new_resolver(struct fake_doh *doh)
{
    struct strlist urls = {NULL, 0};
    struct resolver_doh_opts opts = {.urls = &urls, .http = &doh->base, .clock = &the_clock.base};
    struct resolver *resolver = NULL;

    fake_clock_init(&the_clock);
    doh->base = (struct http){fake_perform, fake_free};
    strlist_add(&urls, URL_ONE);
    strlist_add(&urls, URL_TWO);
    assert_int_equal(resolver_doh_new(&opts, &resolver, NULL), ERR_OK);
    assert_string_equal(resolver->name, opts.urls->items[0]);
    strlist_done(&urls);
    return resolver;
}

static enum err_code ask(struct resolver *resolver, const char *name, struct dns_answer *out, struct err *err)
{
    return resolver_ask(resolver, &(struct dns_question){.name = name, .type = DNS_TXT, .timeout_ms = 1500}, out, err);
}

TEST(a_question_is_posted_and_its_answer_read)
{
    struct fake_doh doh = {.requests = 0};
    struct resolver *resolver = new_resolver(&doh);
    AUTO_DNS_ANSWER struct dns_answer answer = {0};

    assert_int_equal(ask(resolver, "ok.example.com", &answer, NULL), ERR_OK);
    assert_int_equal(answer.answer_count, 1);
    assert_string_equal(answer.answers[0].text, URL_ONE);
    assert_int_equal(answer.elapsed_ms, 17);
    assert_int_equal(doh.requests, 1);
    resolver_free(resolver);
}

TEST(do_and_cd_are_set_when_asked_for_and_ad_is_read)
{
    struct fake_doh doh = {.wants_flags = true};
    struct resolver *resolver = new_resolver(&doh);
    AUTO_DNS_ANSWER struct dns_answer answer = {0};
    AUTO_DNS_ANSWER struct dns_answer plain = {0};
    const struct dns_question question = {.name = "ok.example.com",
                                          .type = DNS_TXT,
                                          .flags = DNS_WANT_DNSSEC | DNS_NO_VALIDATION,
                                          .timeout_ms = 1500};

    assert_int_equal(resolver_ask(resolver, &question, &answer, NULL), ERR_OK);
    assert_true(answer.authenticated);
    doh.wants_flags = false;
    assert_int_equal(ask(resolver, "ok.example.com", &plain, NULL), ERR_OK);
    assert_false(plain.authenticated);
    resolver_free(resolver);
}

TEST(a_dns_refusal_is_an_answer_and_the_next_server_is_not_asked)
{
    struct fake_doh doh = {.requests = 0};
    struct resolver *resolver = new_resolver(&doh);
    AUTO_DNS_ANSWER struct dns_answer answer = {0};

    assert_int_equal(ask(resolver, "nx.example.com", &answer, NULL), ERR_OK);
    assert_int_equal(answer.rcode, DNS_NXDOMAIN);
    assert_int_equal(doh.requests, 1);
    resolver_free(resolver);
}

TEST(the_next_server_is_asked_when_one_fails)
{
    struct fake_doh doh = {.dead_url = URL_ONE};
    struct resolver *resolver = new_resolver(&doh);
    AUTO_DNS_ANSWER struct dns_answer answer = {0};

    assert_int_equal(ask(resolver, "ok.example.com", &answer, NULL), ERR_OK);
    assert_string_equal(answer.answers[0].text, URL_TWO);
    assert_int_equal(doh.requests, 2);
    resolver_free(resolver);
}

TEST(failures_of_all_servers_are_told_with_name_and_reason)
{
    static const struct {
        const char *name;
        enum err_code code;
        const char *why;
    } cases[] = {{"http500.example.com", ERR_NETWORK, "HTTP status 500"},
                 {"html.example.com", ERR_DNS, "no application/dns-message"},
                 {"cut.example.com", ERR_DNS, "malformed"}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_doh doh = {.requests = 0};
        struct resolver *resolver = new_resolver(&doh);
        struct dns_answer answer;
        struct err err;

        assert_int_equal(ask(resolver, cases[i].name, &answer, &err), cases[i].code);
        assert_non_null(strstr(err.msg, cases[i].name));
        assert_non_null(strstr(err.msg, cases[i].why));
        assert_int_equal(doh.requests, 2);
        resolver_free(resolver);
    }
}

TEST(questions_travel_together_and_only_the_failed_ones_go_to_the_next_server)
{
    struct fake_doh doh = {.requests = 0};
    struct resolver *resolver = new_resolver(&doh);
    struct dns_answer answer;
    size_t ok = 0, failed = 0;
    int tags[150];

    for (size_t i = 0; i < 150; i++)
        resolver->start(resolver, &(struct dns_question){.name = i % 50 ? "ok.example.com" : "http500.example.com",
                                                         .type = DNS_TXT,
                                                         .timeout_ms = 1500,
                                                         .tag = &tags[i]});
    while (resolver->next(resolver, 1000, &answer) == ERR_OK) {
        bool is_failed = ((int *)answer.tag - tags) % 50 == 0;

        assert_int_equal(answer.result, is_failed ? ERR_NETWORK : ERR_OK);
        *(is_failed ? &failed : &ok) += 1;
        dns_answer_done(&answer);
    }
    assert_int_equal(ok, 147);
    assert_int_equal(failed, 3);
    assert_int_equal(doh.requests, 153);
    assert_int_equal(doh.most_at_once, 64);
    assert_int_equal(resolver->next(resolver, 1000, &answer), ERR_NOT_FOUND);
    resolver_free(resolver);
}

TEST(what_it_can_not_ask_is_answered_with_an_error)
{
    struct fake_doh doh = {.requests = 0};
    struct resolver *resolver = new_resolver(&doh);
    struct dns_answer answer;
    struct err err;

    assert_int_equal(ask(resolver, "a..b", &answer, &err), ERR_INPUT);
    resolver->start(resolver,
                    &(struct dns_question){.name = "a.b", .type = DNS_TXT, .server = "192.0.2.1", .timeout_ms = 1500});
    assert_int_equal(resolver->next(resolver, 1000, &answer), ERR_OK);
    assert_int_equal(answer.result, ERR_INTERNAL);
    dns_answer_done(&answer);
    assert_int_equal(doh.requests, 0);
    resolver_free(resolver);
}

TEST(an_interrupt_comes_through)
{
    struct fake_doh doh = {.refuse = ERR_CANCELLED};
    struct resolver *resolver = new_resolver(&doh);
    struct dns_answer answer;
    struct err err;

    assert_int_equal(ask(resolver, "ok.example.com", &answer, &err), ERR_CANCELLED);
    assert_int_equal(doh.batches, 1);
    the_clock.cancelled = true;
    assert_int_equal(ask(resolver, "ok.example.com", &answer, &err), ERR_CANCELLED);
    assert_int_equal(doh.batches, 1);
    resolver_free(resolver);
}

TEST(what_was_cancelled_or_is_freed_is_never_sent)
{
    struct fake_doh doh = {.requests = 0};
    struct resolver *resolver = new_resolver(&doh);
    struct dns_answer answer;

    resolver->start(resolver, &(struct dns_question){.name = "ok.example.com", .type = DNS_TXT, .timeout_ms = 1500});
    resolver_cancel(resolver);
    assert_int_equal(resolver->next(resolver, 1000, &answer), ERR_NOT_FOUND);
    resolver->start(resolver, &(struct dns_question){.name = "ok.example.com", .type = DNS_TXT, .timeout_ms = 1500});
    resolver_free(resolver);
    assert_int_equal(doh.requests, 0);
}

TEST(only_https_urls_are_taken)
{
    static const char *const bad[] = {"http://dns.example/dns-query", "dns.example", "", "ftp://dns.example"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct strlist urls = {NULL, 0};
        struct resolver_doh_opts opts = {.urls = &urls, .clock = &the_clock.base};
        struct resolver *resolver = NULL;

        strlist_add(&urls, bad[i]);
        assert_int_equal(resolver_doh_new(&opts, &resolver, NULL), ERR_INPUT);
        strlist_done(&urls);
        assert_int_equal(resolver_doh_new(&opts, &resolver, NULL), ERR_INPUT);
        assert_null(resolver);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_posted_and_its_answer_read),
        cmocka_unit_test(do_and_cd_are_set_when_asked_for_and_ad_is_read),
        cmocka_unit_test(a_dns_refusal_is_an_answer_and_the_next_server_is_not_asked),
        cmocka_unit_test(the_next_server_is_asked_when_one_fails),
        cmocka_unit_test(failures_of_all_servers_are_told_with_name_and_reason),
        cmocka_unit_test(questions_travel_together_and_only_the_failed_ones_go_to_the_next_server),
        cmocka_unit_test(what_it_can_not_ask_is_answered_with_an_error),
        cmocka_unit_test(an_interrupt_comes_through),
        cmocka_unit_test(what_was_cancelled_or_is_freed_is_never_sent),
        cmocka_unit_test(only_https_urls_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
