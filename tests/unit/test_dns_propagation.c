/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/propagation.h"
#include "fake_dns.h"
#include "fixture.h"
#include "test.h"
#include "util/mem.h"

#define NEVER INT64_MAX

enum manner { GOOD, SILENT, TCP_ONLY, UNREACHABLE, REFUSING, NO_AUTHORITY, ALIAS };

struct host {
    const char *address;
    int64_t shows_at_ms; /* from when on the values are there */
    enum manner manner;
    int64_t mends_at_ms; /* from when on it is GOOD; 0: never */
};

/* The world behind the fake resolver, and what the code under test gets. */
struct scene {
    struct fake_clock clock;
    struct fake_dns *dns;
    const struct host *hosts; /* ends with an address of NULL */
    size_t values_shown;      /* before they all are: so many */
    const char *never_shown;  /* names that begin with this are never there */
    struct dns_servers servers;
    struct propagation_opts opts;
    struct log log;
    struct fixture_stream said;
    struct err err;
    const char *values[2];
    size_t value_count;
};

static const struct host *find_host(const struct scene *s, const char *address)
{
    const struct host *h = s->hosts;

    while (h->address && strcmp(h->address, address) != 0)
        h++;
    if (!h->address)
        fail_msg("nobody should ask %s", address);
    return h;
}

static void world(void *ctx, const struct dns_question *question, int64_t now_ms, struct fake_dns_reply *reply)
{
    const struct scene *s = ctx;
    const struct host *h = find_host(s, question->server);
    enum manner manner = h->mends_at_ms && now_ms >= h->mends_at_ms ? GOOD : h->manner;
    bool is_shown = now_ms >= h->shows_at_ms &&
                    !(s->never_shown && strncmp(question->name, s->never_shown, strlen(s->never_shown)) == 0);

    assert_int_equal(question->type, DNS_TXT);
    if (manner == SILENT || (manner == TCP_ONLY && question->transport != DNS_TCP))
        reply->takes_ms = NEVER;
    else if (manner == UNREACHABLE)
        fake_dns_fail(&reply->answer, ERR_NETWORK);
    else if (manner == REFUSING)
        reply->answer.rcode = DNS_REFUSED;
    else if (manner == ALIAS)
        fake_dns_put(&reply->answer, question->name, DNS_CNAME, "elsewhere.example.net");
    else if (is_shown)
        for (size_t i = 0; i < s->value_count; i++)
            fake_dns_put_txt(&reply->answer, question->name, s->values[i]);
    else if (s->values_shown)
        fake_dns_put_txt(&reply->answer, question->name, s->values[0]);
    else
        reply->answer.rcode = DNS_NXDOMAIN;
    if (manner == NO_AUTHORITY)
        reply->answer.authoritative = false;
}

static void scene_init(struct scene *s, const struct host *hosts)
{
    *s = (struct scene){.hosts = hosts, .values = {"value-one", "value-two"}, .value_count = 1};
    fake_clock_init(&s->clock);
    s->dns = fake_dns_new(&s->clock, world, s);
    fixture_stream_open(&s->said);
    s->log = (struct log){.level = LOG_DEBUG, .out = s->said.out};
    s->opts = (struct propagation_opts){
        .timeout_ms = 100000, .lame_after_ms = 10000, .clock = &s->clock.base, .log = &s->log};
    for (size_t i = 0; hosts[i].address; i++) {
        AUTO_FREE char *name = mem_printf("ns%zu.example.net", i + 1);

        dns_servers_add(&s->servers, name, hosts[i].address);
    }
}

static void scene_done(struct scene *s)
{
    fake_dns_done(s->dns);
    dns_servers_done(&s->servers);
    fixture_stream_done(&s->said);
}

static enum err_code wait_for(struct scene *s, const char *name)
{
    struct propagation_item item = {name, s->values, s->value_count, &s->servers, "example.com"};

    return propagation_wait(&s->dns->base, &item, 1, &s->opts, &s->err);
}

static enum err_code wait_for_many(struct scene *s, size_t count)
{
    struct propagation_item *items = mem_calloc(count, sizeof *items);
    AUTO_STRLIST struct strlist names = {NULL, 0};
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        strlist_add_take(&names, mem_printf("_acme-challenge.h%zu.example.com", i));
        items[i] = (struct propagation_item){names.items[i], s->values, s->value_count, &s->servers, "example.com"};
    }
    code = propagation_wait(&s->dns->base, items, count, &s->opts, &s->err);
    free(items);
    return code;
}

static int64_t elapsed(const struct scene *s)
{
    return s->clock.mono_ms - s->dns->start_ms;
}

static void expect_ok(struct scene *s, enum err_code code)
{
    if (code != ERR_OK)
        fail_msg("%s after %lld ms", s->err.msg, (long long)elapsed(s));
}

static void expect_said(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static const char *logged(struct scene *s)
{
    return fixture_stream_text(&s->said);
}

#define NAME "_acme-challenge.example.com"

/* ------------------------------------------------------------------ when all goes well */

TEST(when_every_server_shows_the_value_one_question_each_is_enough)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {"192.0.2.2", 0, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    expect_ok(&s, wait_for(&s, NAME));
    assert_int_equal(s.dns->asked, 2);
    assert_int_equal(elapsed(&s), 20); /* one round trip */
    assert_int_equal(s.clock.sleep_count, 0);
    assert_null(strstr(logged(&s), "warning"));
    scene_done(&s);
}

TEST(the_log_tells_who_is_waited_for_and_when_each_had_it)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {"192.0.2.2", 1000, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    dns_servers_add(&s.servers, "ns3.example.net", NULL);
    s.log.level = LOG_INFO;
    s.opts.settle_ms = 500;
    expect_ok(&s, wait_for_many(&s, 3));
    assert_string_equal(logged(&s),
                        "acme-dme: waiting for 3 names of zone \"example.com\" at ns1.example.net (192.0.2.1), "
                        "ns2.example.net (192.0.2.2), ns3.example.net (no address)\n"
                        "acme-dme: ns1.example.net (192.0.2.1) shows everything after 20 ms\n"
                        "acme-dme: ns2.example.net (192.0.2.2) shows everything after 1100 ms\n"
                        "acme-dme: warning: name server \"ns3.example.net\" of zone \"example.com\" has no address, "
                        "continuing\n"
                        "acme-dme: everything is shown after 1100 ms, settling for 500 ms\n");
    scene_done(&s);
}

TEST(no_names_means_no_wait)
{
    const struct host hosts[] = {{NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    s.opts.settle_ms = 10000;
    assert_int_equal(propagation_wait(&s.dns->base, NULL, 0, &s.opts, &s.err), ERR_OK);
    assert_int_equal(elapsed(&s), 0);
    scene_done(&s);
}

TEST(the_slowest_server_is_waited_for_and_seen_within_half_a_second)
{
    static const int64_t lags_ms[] = {1, 333, 500, 1000, 2000, 2718, 5000, 7654, 9999, 15000, 29000, 45000};

    for (size_t i = 0; i < ARRAY_LEN(lags_ms); i++) {
        const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0},
                                     {"192.0.2.2", lags_ms[i], GOOD, 0},
                                     {"192.0.2.3", lags_ms[i] / 2, GOOD, 0},
                                     {NULL, 0, GOOD, 0}};
        struct scene s;

        scene_init(&s, hosts);
        expect_ok(&s, wait_for(&s, NAME));
        assert_true(elapsed(&s) >= lags_ms[i]);
        if (elapsed(&s) >= lags_ms[i] + 400)
            fail_msg("%lld ms after %lld", (long long)(elapsed(&s) - lags_ms[i]), (long long)lags_ms[i]);
        assert_int_equal(fake_dns_count(s.dns, "192.0.2.1")->asked, 1); /* has shown it, is left alone */
        scene_done(&s);
    }
}

TEST(a_silent_server_does_not_slow_down_how_the_others_are_seen)
{
    for (int64_t lag_ms = 10000; lag_ms < 45000; lag_ms += 1237) {
        const struct host hosts[] = {
            {"192.0.2.1", 0, GOOD, 0}, {"192.0.2.2", 0, SILENT, 0}, {"192.0.2.3", lag_ms, GOOD, 0}, {NULL, 0, GOOD, 0}};
        struct scene s;

        scene_init(&s, hosts);
        expect_ok(&s, wait_for(&s, NAME));
        assert_in_range(elapsed(&s), lag_ms, lag_ms + 400);
        scene_done(&s);
    }
}

TEST(settling_takes_what_it_was_told_to_take)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    s.opts.settle_ms = 7500;
    expect_ok(&s, wait_for(&s, NAME));
    assert_int_equal(elapsed(&s), 20 + 7500);
    assert_int_equal(fake_clock_slept_ms(&s.clock), 7500);
    scene_done(&s);
}

TEST(other_values_beside_ours_do_no_harm)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;
    const char *const wanted[] = {"value-two"};
    struct propagation_item item = {NAME, wanted, 1, &s.servers, "example.com"};

    scene_init(&s, hosts);
    s.value_count = 2; /* the server shows both */
    assert_int_equal(propagation_wait(&s.dns->base, &item, 1, &s.opts, &s.err), ERR_OK);
    scene_done(&s);
}

/* ------------------------------------------------------------------ servers that stay silent or refuse */

TEST(one_silent_server_of_several_is_named_and_left_after_its_time)
{
    const struct host hosts[] = {
        {"192.0.2.1", 1000, GOOD, 0}, {"192.0.2.2", 0, SILENT, 0}, {"192.0.2.3", 1000, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    expect_ok(&s, wait_for(&s, NAME));
    assert_in_range(elapsed(&s), 10000, 10250);
    expect_said(logged(&s),
                "warning: name server \"ns2.example.net\" of zone \"example.com\" did not answer, continuing");
    scene_done(&s);
}

TEST(half_of_the_servers_must_show_it_whatever_the_others_do)
{
    const struct host half[] = {{"192.0.2.1", 0, GOOD, 0}, {"192.0.2.2", 0, REFUSING, 0}, {NULL, 0, GOOD, 0}};
    const struct host less[] = {
        {"192.0.2.1", 0, GOOD, 0}, {"192.0.2.2", 0, SILENT, 0}, {"192.0.2.3", 0, REFUSING, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, half);
    expect_ok(&s, wait_for(&s, NAME));
    assert_in_range(elapsed(&s), 10000, 10250);
    expect_said(logged(&s), "\"ns2.example.net\" of zone \"example.com\" answers with an error (REFUSED, code 5), "
                            "continuing");
    scene_done(&s);
    scene_init(&s, less);
    assert_int_equal(wait_for(&s, NAME), ERR_PROPAGATION);
    assert_in_range(elapsed(&s), 100000, 100100);
    expect_said(s.err.msg, "ns2.example.net (192.0.2.2) did not answer");
    expect_said(s.err.msg, "ns3.example.net (192.0.2.3) answers with an error (REFUSED, code 5)");
    assert_null(strstr(s.err.msg, "ns1."));
    scene_done(&s);
}

TEST(a_server_that_refuses_at_first_is_waited_for_once_it_serves)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {"192.0.2.2", 8000, REFUSING, 4000}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    expect_ok(&s, wait_for(&s, NAME));
    assert_in_range(elapsed(&s), 8000, 8400);
    assert_null(strstr(logged(&s), "warning"));
    scene_done(&s);
}

TEST(a_server_with_old_data_is_waited_for_until_the_time_out)
{
    const struct host hosts[] = {
        {"192.0.2.1", 0, GOOD, 0}, {"192.0.2.2", 0, GOOD, 0}, {"192.0.2.3", NEVER, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, NAME), ERR_PROPAGATION);
    assert_in_range(elapsed(&s), 100000, 100100);
    assert_string_equal(s.err.msg, "TXT record \"" NAME "\" is not at every name server after 100 s: "
                                   "ns3.example.net (192.0.2.3) has no such name");
    assert_true(s.err.hint[0] != '\0');
    scene_done(&s);
}

TEST(when_nobody_answers_at_all_the_wait_ends_early_and_blames_port_53)
{
    const struct host hosts[] = {{"192.0.2.1", 0, SILENT, 0}, {"192.0.2.2", 0, UNREACHABLE, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, NAME), ERR_NETWORK);
    assert_in_range(elapsed(&s), 10000, 10300);
    assert_string_equal(s.err.msg,
                        "no name server of zone \"example.com\" answers: ns1.example.net (192.0.2.1) did not "
                        "answer; ns2.example.net (192.0.2.2) can't be reached");
    expect_said(s.err.hint, "Port 53");
    assert_true(fake_dns_count(s.dns, "192.0.2.1")->tcp > 0);
    scene_done(&s);
}

TEST(when_something_else_answers_in_their_place_the_wait_ends_early)
{
    const struct host hosts[] = {
        {"192.0.2.1", 0, NO_AUTHORITY, 0}, {"192.0.2.2", 0, NO_AUTHORITY, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, NAME), ERR_NETWORK);
    assert_in_range(elapsed(&s), 10000, 10300);
    expect_said(s.err.msg, "no name server of zone \"example.com\" answers with authority");
    expect_said(s.err.msg, "ns1.example.net (192.0.2.1) does not answer as a server of the zone");
    scene_done(&s);
}

TEST(servers_that_all_refuse_may_only_be_late_and_get_all_the_time)
{
    const struct host late[] = {{"192.0.2.1", 0, REFUSING, 40000}, {NULL, 0, GOOD, 0}};
    const struct host never[] = {{"192.0.2.1", 0, REFUSING, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, late);
    expect_ok(&s, wait_for(&s, NAME));
    assert_in_range(elapsed(&s), 40000, 40400);
    scene_done(&s);
    scene_init(&s, never);
    assert_int_equal(wait_for(&s, NAME), ERR_NETWORK);
    assert_in_range(elapsed(&s), 100000, 100100);
    expect_said(s.err.msg, "answers with an error (REFUSED, code 5)");
    scene_done(&s);
}

TEST(an_answer_without_authority_does_not_count_even_with_the_value)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {"192.0.2.2", 0, NO_AUTHORITY, 3000}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    expect_ok(&s, wait_for(&s, NAME));
    assert_in_range(elapsed(&s), 3000, 3300);
    scene_done(&s);
}

/* ------------------------------------------------------------------ addresses */

TEST(an_address_without_route_is_not_waited_for_while_another_of_the_server_answers)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {"2001:db8::1", 0, UNREACHABLE, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    dns_servers_done(&s.servers);
    dns_servers_add(&s.servers, "ns1.example.net", "192.0.2.1");
    dns_servers_add(&s.servers, "ns1.example.net", "2001:db8::1");
    expect_ok(&s, wait_for(&s, NAME));
    assert_true(elapsed(&s) <= 20);
    assert_null(strstr(logged(&s), "warning"));
    expect_said(logged(&s), "does not answer at 2001:db8::1 but elsewhere");
    scene_done(&s);
}

TEST(a_silent_address_is_not_waited_for_long_while_another_of_the_server_answers)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {"2001:db8::1", 0, SILENT, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    dns_servers_done(&s.servers);
    dns_servers_add(&s.servers, "ns1.example.net", "192.0.2.1");
    dns_servers_add(&s.servers, "ns1.example.net", "2001:db8::1");
    expect_ok(&s, wait_for(&s, NAME));
    assert_true(elapsed(&s) < 4500); /* once over UDP, once over TCP */
    scene_done(&s);
}

TEST(an_address_that_answers_with_old_data_is_waited_for_though_another_is_done)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {"2001:db8::1", 6000, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    dns_servers_done(&s.servers);
    dns_servers_add(&s.servers, "ns1.example.net", "192.0.2.1");
    dns_servers_add(&s.servers, "ns1.example.net", "2001:db8::1");
    expect_ok(&s, wait_for(&s, NAME));
    assert_in_range(elapsed(&s), 6000, 6400);
    scene_done(&s);
}

TEST(a_server_without_address_is_warned_of_and_costs_no_time)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    dns_servers_add(&s.servers, "ns9.example.net", NULL);
    expect_ok(&s, wait_for(&s, NAME));
    assert_int_equal(elapsed(&s), 20);
    expect_said(logged(&s), "\"ns9.example.net\" of zone \"example.com\" has no address, continuing");
    scene_done(&s);
}

TEST(without_any_address_there_is_nobody_to_ask)
{
    const struct host hosts[] = {{NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, NAME), ERR_NETWORK);
    assert_int_equal(elapsed(&s), 0);
    expect_said(s.err.msg, "no name server of zone \"example.com\" has an address");
    dns_servers_add(&s.servers, "ns1.example.net", NULL);
    assert_int_equal(wait_for(&s, NAME), ERR_NETWORK);
    scene_done(&s);
}

TEST(where_udp_is_dropped_tcp_takes_over)
{
    const struct host hosts[] = {{"192.0.2.1", 6000, TCP_ONLY, 0}, {"192.0.2.2", 0, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    expect_ok(&s, wait_for(&s, NAME));
    assert_in_range(elapsed(&s), 6000, 6400);
    assert_int_equal(fake_dns_count(s.dns, "192.0.2.1")->asked - fake_dns_count(s.dns, "192.0.2.1")->tcp, 1);
    assert_int_equal(fake_dns_count(s.dns, "192.0.2.2")->tcp, 0);
    scene_done(&s);
}

/* ------------------------------------------------------------------ what is told */

TEST(a_server_with_some_of_the_values_is_described_so)
{
    const struct host hosts[] = {{"192.0.2.1", NEVER, GOOD, 0}, {"192.0.2.2", 0, ALIAS, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    s.value_count = 2;
    s.values_shown = 1;
    assert_int_equal(wait_for(&s, NAME), ERR_PROPAGATION);
    expect_said(s.err.msg, "ns1.example.net (192.0.2.1) shows 1 of 2 values");
    expect_said(s.err.msg, "ns2.example.net (192.0.2.2) still answers CNAME \"elsewhere.example.net\"");
    scene_done(&s);
}

TEST(both_values_of_a_name_are_waited_for)
{
    const struct host hosts[] = {{"192.0.2.1", 3000, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    s.value_count = 2;
    s.values_shown = 1;
    expect_ok(&s, wait_for(&s, NAME));
    assert_in_range(elapsed(&s), 3000, 3300);
    scene_done(&s);
}

TEST(a_long_list_of_laggards_is_cut_and_counted)
{
    struct host hosts[14] = {{NULL, 0, GOOD, 0}};
    char addresses[13][16];
    struct scene s;

    for (size_t i = 0; i < 13; i++) {
        (void)snprintf(addresses[i], sizeof addresses[i], "192.0.2.%zu", i + 1);
        hosts[i] = (struct host){addresses[i], NEVER, GOOD, 0};
    }
    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, NAME), ERR_PROPAGATION);
    expect_said(s.err.msg, "ns6.example.net (192.0.2.6) has no such name; and 7 more addresses");
    scene_done(&s);
}

TEST(of_many_names_one_stands_for_what_a_server_lacks)
{
    const struct host hosts[] = {{"192.0.2.1", NEVER, GOOD, 0}, {"192.0.2.2", 0, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for_many(&s, 20), ERR_PROPAGATION);
    assert_string_equal(
        s.err.msg, "20 of 20 TXT records are not at every name server after 100 s: ns1.example.net (192.0.2.1) has no "
                   "such name for \"_acme-challenge.h0.example.com\" and lacks 19 more");
    scene_done(&s);
}

TEST(names_that_never_come_do_not_keep_the_others_from_being_asked)
{
    const struct host hosts[] = {{"192.0.2.1", 2000, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    s.never_shown = "_acme-challenge.h1"; /* h1, h10 to h19, h100 to h119 */
    assert_int_equal(wait_for_many(&s, 120), ERR_PROPAGATION);
    expect_said(s.err.msg, "31 of 120 TXT records");
    expect_said(s.err.msg, "for \"_acme-challenge.h1.example.com\" and lacks 30 more");
    scene_done(&s);
}

struct told {
    struct scene *scene;
    size_t calls;
    int64_t last_ms;
    size_t done_most;
    char first_lagging[200];
    char last_lagging[200];
};

static void on_progress(void *ctx, const struct propagation_progress *p)
{
    struct told *told = ctx;

    if (told->calls++)
        assert_true(p->elapsed_ms - told->last_ms >= 200);
    else
        (void)snprintf(told->first_lagging, sizeof told->first_lagging, "%s", p->lagging);
    (void)snprintf(told->last_lagging, sizeof told->last_lagging, "%s", p->lagging);
    told->last_ms = p->elapsed_ms;
    assert_true(p->records_done >= told->done_most && p->records_done <= p->records_total);
    told->done_most = p->records_done;
    assert_int_equal(p->records_total, 3);
    assert_int_equal(p->elapsed_ms, elapsed(told->scene));
}

TEST(progress_is_told_five_times_a_second_at_most_and_fits_a_line)
{
    struct host hosts[9] = {{NULL, 0, GOOD, 0}};
    char addresses[8][16];
    struct scene s;
    struct told told = {.scene = &s};

    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(addresses[i], sizeof addresses[i], "192.0.2.%zu", i + 1);
        hosts[i] = (struct host){addresses[i], (int64_t)(i + 1) * 1000, GOOD, 0};
    }
    scene_init(&s, hosts);
    s.opts.progress = on_progress;
    s.opts.progress_ctx = &told;
    s.opts.settle_ms = 2000;
    expect_ok(&s, wait_for_many(&s, 3));
    assert_in_range(told.calls, 40, 53);
    assert_string_equal(told.first_lagging, "ns1.example.net, ns2.example.net, ns3.example.net, \xe2\x80\xa6");
    assert_string_equal(told.last_lagging, "");
    assert_int_equal(told.done_most, 3);
    assert_in_range(elapsed(&s), 10000, 10400);
    scene_done(&s);
}

/* ------------------------------------------------------------------ interrupts */

TEST(an_interrupt_ends_the_wait_and_leaves_nothing_open)
{
    const struct host hosts[] = {{"192.0.2.1", NEVER, GOOD, 0}, {"192.0.2.2", 0, SILENT, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    s.clock.cancel_at_ms = s.clock.mono_ms + 3333;
    assert_int_equal(wait_for(&s, NAME), ERR_CANCELLED);
    assert_in_range(elapsed(&s), 3333, 3533);
    assert_int_equal(s.dns->open_count, 0);
    scene_done(&s);
}

TEST(an_interrupt_ends_settling_too)
{
    const struct host hosts[] = {{"192.0.2.1", 0, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    s.opts.settle_ms = 60000;
    s.clock.cancel_at_ms = s.clock.mono_ms + 5000;
    assert_int_equal(wait_for(&s, NAME), ERR_CANCELLED);
    assert_in_range(elapsed(&s), 5000, 5200);
    scene_done(&s);
}

/* ------------------------------------------------------------------ load */

TEST(one_name_costs_few_questions_however_long_it_takes)
{
    const struct host hosts[] = {{"192.0.2.1", NEVER, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for(&s, NAME), ERR_PROPAGATION);
    assert_in_range(s.dns->asked, 100, 320);
    scene_done(&s);
    scene_init(&s, hosts);
    s.opts.timeout_ms = 3600 * 1000;
    assert_int_equal(wait_for(&s, NAME), ERR_PROPAGATION);
    assert_in_range(s.dns->asked, 1000, 2200);
    scene_done(&s);
}

static const struct host six_hosts[] = {{"192.0.2.1", 1000, GOOD, 0},
                                        {"192.0.2.2", 2000, GOOD, 0},
                                        {"192.0.2.3", 3000, GOOD, 0},
                                        {"192.0.2.4", 5000, GOOD, 0},
                                        {"192.0.2.5", 8000, GOOD, 0},
                                        {"192.0.2.6", 12000, GOOD, 0},
                                        {NULL, 0, GOOD, 0}};

TEST(a_thousand_names_at_six_servers_are_seen_soon_with_few_questions)
{
    struct scene s;

    scene_init(&s, six_hosts);
    expect_ok(&s, wait_for_many(&s, 1000));
    assert_in_range(elapsed(&s), 12000, 13200);
    for (size_t i = 0; i < 6; i++) {
        const struct fake_dns_count *count = fake_dns_count(s.dns, six_hosts[i].address);

        assert_true(count->open_most <= 64);
        assert_in_range(count->asked, 1000, 1700);
    }
    scene_done(&s);
}

TEST(no_server_is_asked_more_than_its_share_however_many_names_are_missing)
{
    const struct host hosts[] = {{"192.0.2.1", NEVER, GOOD, 0}, {NULL, 0, GOOD, 0}};
    struct scene s;

    scene_init(&s, hosts);
    assert_int_equal(wait_for_many(&s, 3000), ERR_PROPAGATION);
    assert_true(s.dns->asked <= 1000 + 200 * 100);
    assert_true(fake_dns_count(s.dns, "192.0.2.1")->open_most <= 64);
    scene_done(&s);
}

TEST(many_zones_at_the_same_servers_share_the_limits)
{
    enum { ZONES = 60, NAMES = 10 };
    struct propagation_item items[ZONES * NAMES];
    struct dns_servers servers[ZONES];
    AUTO_STRLIST struct strlist names = {NULL, 0};
    struct scene s;

    scene_init(&s, six_hosts);
    for (size_t z = 0; z < ZONES; z++) {
        dns_servers_copy(&servers[z], &s.servers);
        for (size_t n = 0; n < NAMES; n++) {
            strlist_add_take(&names, mem_printf("h%zu.zone%zu.example", n, z));
            items[z * NAMES + n] = (struct propagation_item){names.items[z * NAMES + n], s.values, 1, &servers[z],
                                                             "zone.example"};
        }
    }
    assert_int_equal(propagation_wait(&s.dns->base, items, ARRAY_LEN(items), &s.opts, &s.err), ERR_OK);
    assert_in_range(elapsed(&s), 12000, 13000);
    for (size_t i = 0; i < 6; i++) {
        assert_true(fake_dns_count(s.dns, six_hosts[i].address)->open_most <= 64);
        assert_true(fake_dns_count(s.dns, six_hosts[i].address)->asked <= 1000 + 200 * 13);
    }
    for (size_t z = 0; z < ZONES; z++)
        dns_servers_done(&servers[z]);
    scene_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_every_server_shows_the_value_one_question_each_is_enough),
        cmocka_unit_test(the_log_tells_who_is_waited_for_and_when_each_had_it),
        cmocka_unit_test(no_names_means_no_wait),
        cmocka_unit_test(the_slowest_server_is_waited_for_and_seen_within_half_a_second),
        cmocka_unit_test(a_silent_server_does_not_slow_down_how_the_others_are_seen),
        cmocka_unit_test(settling_takes_what_it_was_told_to_take),
        cmocka_unit_test(other_values_beside_ours_do_no_harm),
        cmocka_unit_test(one_silent_server_of_several_is_named_and_left_after_its_time),
        cmocka_unit_test(half_of_the_servers_must_show_it_whatever_the_others_do),
        cmocka_unit_test(a_server_that_refuses_at_first_is_waited_for_once_it_serves),
        cmocka_unit_test(a_server_with_old_data_is_waited_for_until_the_time_out),
        cmocka_unit_test(when_nobody_answers_at_all_the_wait_ends_early_and_blames_port_53),
        cmocka_unit_test(when_something_else_answers_in_their_place_the_wait_ends_early),
        cmocka_unit_test(servers_that_all_refuse_may_only_be_late_and_get_all_the_time),
        cmocka_unit_test(an_answer_without_authority_does_not_count_even_with_the_value),
        cmocka_unit_test(an_address_without_route_is_not_waited_for_while_another_of_the_server_answers),
        cmocka_unit_test(a_silent_address_is_not_waited_for_long_while_another_of_the_server_answers),
        cmocka_unit_test(an_address_that_answers_with_old_data_is_waited_for_though_another_is_done),
        cmocka_unit_test(a_server_without_address_is_warned_of_and_costs_no_time),
        cmocka_unit_test(without_any_address_there_is_nobody_to_ask),
        cmocka_unit_test(where_udp_is_dropped_tcp_takes_over),
        cmocka_unit_test(a_server_with_some_of_the_values_is_described_so),
        cmocka_unit_test(both_values_of_a_name_are_waited_for),
        cmocka_unit_test(a_long_list_of_laggards_is_cut_and_counted),
        cmocka_unit_test(of_many_names_one_stands_for_what_a_server_lacks),
        cmocka_unit_test(names_that_never_come_do_not_keep_the_others_from_being_asked),
        cmocka_unit_test(progress_is_told_five_times_a_second_at_most_and_fits_a_line),
        cmocka_unit_test(an_interrupt_ends_the_wait_and_leaves_nothing_open),
        cmocka_unit_test(an_interrupt_ends_settling_too),
        cmocka_unit_test(one_name_costs_few_questions_however_long_it_takes),
        cmocka_unit_test(a_thousand_names_at_six_servers_are_seen_soon_with_few_questions),
        cmocka_unit_test(no_server_is_asked_more_than_its_share_however_many_names_are_missing),
        cmocka_unit_test(many_zones_at_the_same_servers_share_the_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
