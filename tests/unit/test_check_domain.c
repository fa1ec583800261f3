/* SPDX-License-Identifier: MIT
 *
 * Domains: zone, delegation, servers, serials, records, CAA, DNSSEC and the round trip, between fakes of the API and
 * of DNS.
 */
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "flow_world.h"
#include "test.h"

static const char *const issuers[] = {"ca.test", NULL};

struct stage {
    struct world *w;
    struct check_report report;
    struct check_opts opts;
};

static int setup(void **state)
{
    struct stage *s = mem_zalloc(sizeof *s);
    struct world *w = world_new();
    struct fake_server *com = fake_resolver_add_server(w->dns, "a.gtld.test", "192.0.2.200");

    fake_server_serve(com, "com");
    fake_server_serve(com, "net");
    fake_server_serve(com, "test");
    for (int i = 0; i < 2; i++) {
        fake_resolver_add(w->dns, i ? "sub.example.com" : "example.com", DNS_NS, "ns1.dme.test");
        fake_resolver_add(w->dns, i ? "sub.example.com" : "example.com", DNS_NS, "ns2.dme.test");
    }
    fake_resolver_add(w->dns, "example.net", DNS_NS, "ns3.dme.test");
    s->w = w;
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stage *s = *state;

    assert_int_equal(s->w->dns->names_spoilt, 0);
    check_report_done(&s->report);
    world_free(s->w);
    free(s);
    return 0;
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

enum writing { READ_ONLY, ROUND_TRIP };

/* A process that looks at accounts and domains, all of them before the NULL. */
static enum err_code examine(struct stage *s, const char *const *domains, enum writing writing)
{
    struct challenge *engine = world_engine(s->w);
    struct check_opts opts = s->opts;
    struct check *check;
    enum err_code code;

    opts.challenge = engine;
    opts.accounts = s->w->opts.accounts;
    opts.account_count = s->w->opts.account_count;
    opts.store = s->w->store;
    opts.direct = s->w->opts.direct;
    opts.ca_issuers = issuers;
    opts.ca = "test-ca";
    opts.clock_advice = "turn its hands";
    opts.follows_cname = s->w->opts.cname == CHALLENGE_CNAME_FOLLOW;
    opts.sweep_after_ms = DAY_MS;
    opts.timeout_ms = s->w->opts.propagation.timeout_ms;
    opts.clock = &s->w->clock.base;
    check_report_done(&s->report);
    check = check_new(&opts, &s->report);
    code = check_accounts(check, &s->w->err);
    for (; code == ERR_OK && *domains; domains++)
        code = check_domain(check, *domains, &s->w->err);
    if (code == ERR_OK && writing == ROUND_TRIP)
        code = check_write(check, &s->w->err);
    check_free(check);
    world_leave(s->w);
    return code;
}

#define DOMAINS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void look(struct stage *s, const char *domain)
{
    assert_int_equal(examine(s, DOMAINS(domain), READ_ONLY), ERR_OK);
}

static size_t count(const struct stage *s, const char *step)
{
    size_t n = 0;

    for (size_t i = 0; i < s->report.count; i++)
        n += strcmp(s->report.items[i].step, step) == 0;
    return n;
}

/* The first finding of that step. */
static const struct check_finding *finding(const struct stage *s, const char *step)
{
    for (size_t i = 0; i < s->report.count; i++)
        if (strcmp(s->report.items[i].step, step) == 0)
            return &s->report.items[i];
    fail_msg("there is no finding of \"%s\"", step);
    return NULL;
}

static void expect_finding(const struct stage *s, const char *step, enum check_level level, const char *in_text)
{
    const struct check_finding *f = finding(s, step);

    if (f->level != level || !strstr(f->text, in_text))
        fail_msg("%s: %s \"%s\", and not %s \"%s\"", step, check_level_name(f->level), f->text, check_level_name(level),
                 in_text);
}

static int64_t measure(const struct stage *s, const char *step, const char *name)
{
    const struct check_finding *f = finding(s, step);

    for (size_t i = 0; i < f->measure_count; i++)
        if (strcmp(f->measures[i].name, name) == 0)
            return f->measures[i].value;
    fail_msg("%s has no measure \"%s\"", step, name);
    return 0;
}

/* All but these steps, " " between, are ok. */
static void expect_only(const struct stage *s, const char *steps)
{
    for (size_t i = 0; i < s->report.count; i++) {
        const struct check_finding *f = &s->report.items[i];

        if (f->level != CHECK_OK && !strstr(steps, f->step))
            fail_msg("%s: %s \"%s\"", f->step, check_level_name(f->level), f->text);
    }
}

/* ------------------------------------------------------------------ in order */

TEST(a_healthy_domain_is_ok_in_every_step)
{
    static const char *const steps[] = {"name", "zone", "delegation", "servers", "serials", "dnssec", "records", "caa"};
    struct stage *s = *state;

    look(s, "www.example.com");
    expect_only(s, "budget");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        assert_int_equal(count(s, steps[i]), 1);
    assert_int_equal(fake_api_count_method(s->w->api, "GET"), s->w->api->request_count);
    assert_int_equal(world_journal_count(s->w), 0);
}

TEST(names_of_one_zone_share_what_concerns_the_zone)
{
    struct stage *s = *state;
    size_t requests;

    look(s, "a.example.com");
    requests = s->w->api->request_count;
    assert_int_equal(
        examine(s, DOMAINS("a.example.com", "b.example.com", "*.a.example.com", "A.Example.Com"), READ_ONLY), ERR_OK);
    assert_int_equal(s->w->api->request_count - requests, 2); /* the account and the zone */
    assert_int_equal(count(s, "zone"), 1);
    assert_int_equal(count(s, "servers"), 1);
    assert_int_equal(count(s, "name"), 3);
    assert_int_equal(count(s, "records"), 2);
    assert_int_equal(count(s, "caa"), 3);
}

TEST(without_a_usable_account_caa_is_looked_at_all_the_same)
{
    struct stage *s = *state;

    s->w->api->refused_account = 0;
    look(s, "www.example.com");
    expect_finding(s, "name", CHECK_SKIPPED, "no account");
    expect_finding(s, "caa", CHECK_OK, "");
    assert_int_equal(count(s, "zone"), 0);
}

/* ------------------------------------------------------------------ zone and delegation */

TEST(a_remembered_zone_that_is_being_deleted_fails)
{
    struct stage *s = *state;

    look(s, "www.example.com");
    fake_api_find_zone(s->w->api, "example.com")->pending_action = 3;
    look(s, "www.example.com");
    expect_finding(s, "zone", CHECK_FAIL, "delet");
    fake_api_find_zone(s->w->api, "example.com")->pending_action = 1;
    look(s, "www.example.com");
    expect_finding(s, "zone", CHECK_WARN, "creating");
    assert_int_equal(measure(s, "zone", "pending_action"), 1);
}

TEST(strange_servers_with_the_same_serial_fetch_the_zone)
{
    struct stage *s = *state;
    struct fake_server *ns3 = &s->w->dns->servers[2];
    struct fake_server *foreign = &s->w->dns->servers[3];

    look(s, "www.example.net");
    expect_finding(s, "delegation", CHECK_OK, "the same 1 name server as");
    ns3->is_inside = true; /* it serves, and nobody refers to it */
    fake_server_serve(foreign, "example.net");
    look(s, "www.example.net");
    expect_finding(s, "delegation", CHECK_OK, "fetch it from DNS Made Easy: \"ns.foreign.test\"");
    foreign->serial = 7;
    look(s, "www.example.net");
    expect_finding(s, "delegation", CHECK_FAIL, "not DNS Made Easy's: \"ns.foreign.test\"");
    assert_int_equal(finding(s, "delegation")->code, ERR_ZONE);
    assert_non_null(strstr(finding(s, "delegation")->hint, "\"ns3.dme.test\""));
}

TEST(a_parent_that_can_t_be_asked_skips_that_step_alone)
{
    struct stage *s = *state;

    s->w->dns->servers[4].mood = FAKE_SERVER_SILENT;
    look(s, "www.example.com");
    expect_finding(s, "delegation", CHECK_SKIPPED, "\"com\"");
    expect_only(s, "delegation dnssec budget");
}

TEST(a_silent_server_is_one_warning)
{
    struct stage *s = *state;

    s->w->dns->servers[1].mood = FAKE_SERVER_SILENT;
    look(s, "www.example.com");
    assert_int_equal(count(s, "servers"), 1);
    expect_finding(s, "servers", CHECK_WARN, "192.0.2.2 does not answer over UDP and TCP");
    assert_string_equal(finding(s, "servers")->subject, "ns2.dme.test");
    expect_finding(s, "serials", CHECK_OK, "");
}

static size_t asked_txt(const struct stage *s, const char *server, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < s->w->dns->asked_count && i < ARRAY_LEN(s->w->dns->asked); i++)
        n += strcmp(s->w->dns->asked[i].server, server) == 0 && strcmp(s->w->dns->asked[i].name, name) == 0 &&
             s->w->dns->asked[i].type == DNS_TXT;
    return n;
}

TEST(a_silent_server_costs_its_time_once_and_not_with_each_name)
{
    struct stage *s = *state;
    int64_t start_ms = s->w->clock.mono_ms;
    int64_t one_ms;

    s->w->dns->servers[1].mood = FAKE_SERVER_SILENT;
    look(s, "a.example.com");
    one_ms = s->w->clock.mono_ms - start_ms;
    start_ms = s->w->clock.mono_ms;
    assert_int_equal(examine(s, DOMAINS("b.example.com", "c.example.com", "d.example.com"), READ_ONLY), ERR_OK);
    assert_int_equal(count(s, "records"), 3);
    assert_true(s->w->clock.mono_ms - start_ms < one_ms + 1000);
    assert_int_equal(asked_txt(s, "192.0.2.1", "_acme-challenge.d.example.com"), 1);
    assert_int_equal(asked_txt(s, "192.0.2.2", "_acme-challenge.d.example.com"), 0);
}

TEST(servers_that_refuse_without_another_are_a_failure)
{
    struct stage *s = *state;

    s->w->dns->servers[0].mood = s->w->dns->servers[1].mood = FAKE_SERVER_REFUSES;
    look(s, "www.example.com");
    assert_int_equal(count(s, "servers"), 2);
    expect_finding(s, "servers", CHECK_FAIL, "REFUSED over UDP and TCP");
    assert_int_equal(finding(s, "servers")->code, ERR_DNS);
    assert_int_equal(count(s, "serials"), 0);
}

TEST(when_nobody_answers_it_is_this_machine_s_network)
{
    struct stage *s = *state;

    s->w->dns->servers[0].mood = s->w->dns->servers[1].mood = FAKE_SERVER_SILENT;
    look(s, "www.example.com");
    assert_int_equal(count(s, "servers"), 1);
    expect_finding(s, "servers", CHECK_FAIL, "port 53");
    expect_finding(s, "records", CHECK_SKIPPED, "");
    s->opts.has_doh_fallback = true;
    look(s, "www.example.com");
    expect_finding(s, "servers", CHECK_WARN, "port 53");
}

TEST(serials_are_compared_as_they_wrap)
{
    struct stage *s = *state;

    s->w->dns->servers[0].serial = UINT32_MAX;
    s->w->dns->servers[1].serial = 4;
    look(s, "www.example.com");
    expect_finding(s, "serials", CHECK_WARN,
                   "\"ns1.dme.test\" (192.0.2.1) has serial 4294967295, \"ns2.dme.test\" has 4");
    assert_int_equal(measure(s, "serials", "behind"), 5);
    assert_true(fake_clock_slept_ms(&s->w->clock) >= 3000); /* it asked again */
}

TEST(records_are_told_apart_by_the_journal)
{
    struct stage *s = *state;

    (void)fake_api_add_foreign(s->w->api, EXAMPLE_COM, "TXT", "_acme-challenge.www", "somebody else's");
    assert_int_equal(world_publish(s->w, PAIRS({"_acme-challenge.www.example.com", VALUE_A})), ERR_OK);
    look(s, "www.example.com");
    expect_finding(s, "records", CHECK_WARN, "2 TXT records: 1 of runs at work, 1 of unknown origin");
    s->opts.sweep_after_ms = 0;
    fake_clock_advance(&s->w->clock, 2 * DAY_MS);
    look(s, "www.example.com");
    expect_finding(s, "records", CHECK_WARN, "2 TXT records: 1 left behind by runs that are gone, 1 of unknown");
    assert_non_null(strstr(finding(s, "records")->hint, "acme-dme sweep"));
    assert_int_equal(measure(s, "records", "unknown"), 1);
}

TEST(a_cname_that_is_not_followed_fails)
{
    struct stage *s = *state;

    fake_resolver_add(s->w->dns, "_acme-challenge.www.example.com", DNS_CNAME, "x.example.net");
    look(s, "www.example.com");
    expect_finding(s, "name", CHECK_OK, "leads to \"x.example.net\" in zone \"example.net\"");
    s->w->opts.cname = CHALLENGE_CNAME_IGNORE;
    look(s, "www.example.com");
    expect_finding(s, "records", CHECK_FAIL, "a CNAME to \"x.example.net\"");
    assert_int_equal(finding(s, "records")->code, ERR_ZONE);
}

TEST(caa_is_asked_through_dns_over_https_where_resolvers_are_silent)
{
    struct stage *s = *state;
    struct resolver *doh[] = {fake_resolver_base(s->w->doh)};

    s->w->api->refused_account = 0; /* nothing else is asked */
    fake_resolver_fail(s->w->dns, ERR_TIMEOUT, 0, SIZE_MAX);
    look(s, "www.example.com");
    expect_finding(s, "caa", CHECK_WARN, "");
    s->opts.doh = doh;
    s->opts.doh_count = 1;
    look(s, "www.example.com");
    expect_finding(s, "caa", CHECK_OK, "no CAA record");
    fake_resolver_fail(s->w->doh, ERR_SERVER, 0, SIZE_MAX);
    look(s, "www.example.com");
    expect_finding(s, "caa", CHECK_FAIL, "SERVFAIL");
    assert_non_null(strstr(finding(s, "caa")->hint, "A CA that can't look CAA records up must not issue"));
}

TEST(a_resolver_that_alone_fails_at_caa_is_a_warning)
{
    struct stage *s = *state;
    struct resolver *doh[] = {fake_resolver_base(s->w->doh)};

    s->w->api->refused_account = 0; /* nothing else is asked */
    fake_resolver_fail(s->w->dns, ERR_SERVER, 0, SIZE_MAX);
    look(s, "www.example.com");
    expect_finding(s, "caa", CHECK_FAIL, "SERVFAIL");
    s->opts.doh = doh;
    s->opts.doh_count = 1;
    look(s, "www.example.com");
    expect_finding(s, "caa", CHECK_WARN, "SERVFAIL, while DNS over HTTPS gets an answer that permits it");
    fake_resolver_fail(s->w->doh, ERR_TIMEOUT, 0, SIZE_MAX); /* says nothing against it */
    look(s, "www.example.com");
    expect_finding(s, "caa", CHECK_FAIL, "SERVFAIL");
}

TEST(resolvers_that_are_silent_about_caa_are_not_asked_first_again)
{
    struct stage *s = *state;
    struct resolver *doh[] = {fake_resolver_base(s->w->doh)};
    int64_t start_ms = s->w->clock.mono_ms;
    size_t asked;

    s->w->api->refused_account = 0;
    s->opts.doh = doh;
    s->opts.doh_count = 1;
    fake_resolver_fail(s->w->dns, ERR_TIMEOUT, 0, SIZE_MAX);
    look(s, "a.example.com");
    asked = s->w->dns->asked_count;
    assert_int_equal(examine(s, DOMAINS("a.example.com", "b.example.com", "c.example.com"), READ_ONLY), ERR_OK);
    assert_int_equal(s->w->dns->asked_count, 2 * asked);
    assert_int_equal(count(s, "caa"), 3);
    assert_true(s->w->clock.mono_ms - start_ms < 12000); /* 5 s for each of the two runs */
}

TEST(without_any_resolver_each_further_name_costs_nothing)
{
    struct stage *s = *state;
    int64_t start_ms;

    s->w->api->refused_account = 0;
    fake_resolver_fail(s->w->dns, ERR_TIMEOUT, 0, SIZE_MAX);
    start_ms = s->w->clock.mono_ms;
    assert_int_equal(examine(s, DOMAINS("a.example.com", "b.example.com", "*.example.com"), READ_ONLY), ERR_OK);
    assert_true(s->w->clock.mono_ms - start_ms < 8000); /* 5 s for CAA, 2 s for the top-level domain */
    expect_finding(s, "caa", CHECK_WARN, "can't tell");
    assert_int_equal(count(s, "caa"), 3);
    assert_int_equal(s->report.items[s->report.count - 1].level, CHECK_SKIPPED);
    assert_string_equal(s->report.items[s->report.count - 1].text, "no resolver answers this machine");
    fake_resolver_fail(s->w->dns, ERR_TIMEOUT, s->w->dns->asked_count, 3); /* of one name only */
    assert_int_equal(examine(s, DOMAINS("a.example.com", "b.example.com"), READ_ONLY), ERR_OK);
    expect_finding(s, "caa", CHECK_WARN, "can't tell");
    assert_int_equal(s->report.items[s->report.count - 1].level, CHECK_OK);
}

/* ------------------------------------------------------------------ a round trip */

TEST(a_round_trip_leaves_nothing_and_tells_each_server_s_lag)
{
    struct stage *s = *state;

    s->w->dns->servers[1].lag_ms = 4000;
    assert_int_equal(examine(s, DOMAINS("www.example.com", "*.example.com", "example.net"), ROUND_TRIP), ERR_OK);
    assert_int_equal(count(s, "write"), 2 + 1 + 1 + 1); /* two servers and their sum, one server and its sum */
    assert_int_equal(fake_api_count_method(s->w->api, "POST"), 2);
    assert_int_equal(fake_api_count_method(s->w->api, "DELETE"), 2);
    assert_int_equal(fake_api_count_ours(s->w->api), 0);
    assert_int_equal(world_journal_count(s->w), 0);
    for (size_t i = 0; i < s->report.count; i++) {
        const struct check_finding *f = &s->report.items[i];

        if (strcmp(f->step, "write") == 0 && strcmp(f->subject, "ns2.dme.test") == 0)
            assert_in_range((uintmax_t)f->measures[0].value, 3900, 6000);
    }
}

TEST(a_slow_server_makes_the_time_out_too_short)
{
    struct stage *s = *state;

    s->w->dns->servers[1].lag_ms = 60000; /* of 100 s */
    assert_int_equal(examine(s, DOMAINS("www.example.com"), ROUND_TRIP), ERR_OK);
    assert_int_equal(s->report.items[s->report.count - 1].level, CHECK_WARN);
    assert_non_null(strstr(s->report.items[s->report.count - 1].hint, "\"propagation.timeout\" to at least 12"));
}

TEST(a_zone_apex_behind_a_cname_is_written_to_below_itself)
{
    struct stage *s = *state;

    fake_resolver_add(s->w->dns, "_acme-challenge.www.example.com", DNS_CNAME, "example.net");
    assert_int_equal(examine(s, DOMAINS("www.example.com"), ROUND_TRIP), ERR_OK);
    assert_int_equal(s->report.items[s->report.count - 1].level, CHECK_OK);
    assert_string_equal(s->report.items[s->report.count - 1].subject, "example.net");
    assert_int_equal(fake_api_count_ours(s->w->api), 0);
}

TEST(a_name_of_any_length_can_be_tried)
{
    struct stage *s = *state;
    AUTO_BUF struct buf name = BUF_INIT(300);

    while (name.len < 253 - strlen("_acme-challenge.") - strlen("example.com") - 8)
        buf_puts(&name, "abcdef.");
    buf_puts(&name, "example.com");
    assert_int_equal(examine(s, DOMAINS(buf_cstr(&name)), ROUND_TRIP), ERR_OK);
    assert_int_equal(s->report.items[s->report.count - 1].level, CHECK_OK);
    assert_string_equal(s->report.items[s->report.count - 1].step, "write");
}

/* ------------------------------------------------------------------ whatever goes wrong */

TEST(no_failing_question_ends_it_or_changes_anything)
{
    static const enum err_code faults[] = {ERR_TIMEOUT, ERR_NETWORK, ERR_DNS, ERR_SERVER};
    struct stage *s = *state;
    size_t questions;

    look(s, "www.example.com");
    questions = s->w->dns->asked_count;
    assert_in_range(questions, 10, 200);
    for (size_t f = 0; f < ARRAY_LEN(faults); f++)
        for (size_t n = 0; n < questions; n++) {
            fake_resolver_fail(s->w->dns, faults[f], s->w->dns->asked_count + n, 1);
            look(s, "www.example.com");
            assert_int_equal(count(s, "caa"), 1);
            assert_int_equal(count(s, "name"), 1);
        }
    assert_int_equal(fake_api_count_method(s->w->api, "GET"), s->w->api->request_count);
}

TEST(an_interruption_at_any_time_ends_it_and_leaves_nothing)
{
    struct stage *s = *state;
    int64_t start_ms = s->w->clock.mono_ms;
    int64_t took_ms;

    s->w->dns->servers[1].lag_ms = 500;
    assert_int_equal(examine(s, DOMAINS("www.example.com"), ROUND_TRIP), ERR_OK);
    took_ms = s->w->clock.mono_ms - start_ms;
    assert_in_range((uintmax_t)took_ms, 500, 60000);
    for (int64_t at = 1; at < took_ms; at += 7) {
        enum err_code code;

        s->w->clock.cancelled = false;
        s->w->clock.cancel_at_ms = s->w->clock.mono_ms + at;
        code = examine(s, DOMAINS("www.example.com"), ROUND_TRIP);
        if (code == ERR_OK) /* the wish came too late, or while the record was being deleted */
            assert_int_equal(count(s, "write"), 3);
        else
            assert_int_equal(code, ERR_CANCELLED);
        s->w->clock.cancel_at_ms = 0;
        s->w->clock.cancelled = false;
        assert_int_equal(fake_api_count_ours(s->w->api), 0);
        assert_int_equal(world_journal_count(s->w), 0);
    }
}

TEST(an_interruption_of_the_deletion_does_not_keep_the_record)
{
    struct stage *s = *state;
    size_t requests;

    look(s, "www.example.com"); /* now the zone is remembered */
    requests = s->w->api->request_count;
    assert_int_equal(examine(s, DOMAINS("www.example.com"), ROUND_TRIP), ERR_OK);
    requests = s->w->api->request_count - requests;
    assert_string_equal(s->w->api->requests[s->w->api->request_count - 1].method, "DELETE");
    fake_api_fail(s->w->api, FAKE_API_CANCEL, s->w->api->request_count + requests - 1, 1);
    assert_int_equal(examine(s, DOMAINS("www.example.com"), ROUND_TRIP), ERR_CANCELLED);
    assert_int_equal(fake_api_count_ours(s->w->api), 0);
    assert_int_equal(world_journal_count(s->w), 0);
}

TEST(a_round_trip_keeps_its_promises_whatever_the_api_does)
{
    struct stage *s = *state;

    for (int fault = FAKE_API_OK + 1; fault < FAKE_API_FAULT_COUNT; fault++) {
        if (fault == FAKE_API_KILL || fault == FAKE_API_CANCEL || fault == FAKE_API_CANCEL_LATE)
            continue;
        for (size_t n = 0; n < 6; n++) {
            const char *name = fake_api_fault_name((enum fake_api_fault)fault);

            fake_api_fail(s->w->api, (enum fake_api_fault)fault, s->w->api->request_count + n, 3);
            assert_int_equal(examine(s, DOMAINS("www.example.com"), ROUND_TRIP), ERR_OK);
            fake_api_heal(s->w->api);
            assert_true(world_is_safe(s->w, name));
        }
    }
    assert_true(world_sweeps_clean(s->w, "after all of it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_healthy_domain_is_ok_in_every_step),
        STAGE_TEST(names_of_one_zone_share_what_concerns_the_zone),
        STAGE_TEST(without_a_usable_account_caa_is_looked_at_all_the_same),
        STAGE_TEST(a_remembered_zone_that_is_being_deleted_fails),
        STAGE_TEST(strange_servers_with_the_same_serial_fetch_the_zone),
        STAGE_TEST(a_parent_that_can_t_be_asked_skips_that_step_alone),
        STAGE_TEST(a_silent_server_is_one_warning),
        STAGE_TEST(a_silent_server_costs_its_time_once_and_not_with_each_name),
        STAGE_TEST(servers_that_refuse_without_another_are_a_failure),
        STAGE_TEST(when_nobody_answers_it_is_this_machine_s_network),
        STAGE_TEST(serials_are_compared_as_they_wrap),
        STAGE_TEST(records_are_told_apart_by_the_journal),
        STAGE_TEST(a_cname_that_is_not_followed_fails),
        STAGE_TEST(caa_is_asked_through_dns_over_https_where_resolvers_are_silent),
        STAGE_TEST(a_resolver_that_alone_fails_at_caa_is_a_warning),
        STAGE_TEST(resolvers_that_are_silent_about_caa_are_not_asked_first_again),
        STAGE_TEST(without_any_resolver_each_further_name_costs_nothing),
        STAGE_TEST(a_round_trip_leaves_nothing_and_tells_each_server_s_lag),
        STAGE_TEST(a_slow_server_makes_the_time_out_too_short),
        STAGE_TEST(a_zone_apex_behind_a_cname_is_written_to_below_itself),
        STAGE_TEST(a_name_of_any_length_can_be_tried),
        STAGE_TEST(no_failing_question_ends_it_or_changes_anything),
        STAGE_TEST(an_interruption_at_any_time_ends_it_and_leaves_nothing),
        STAGE_TEST(an_interruption_of_the_deletion_does_not_keep_the_record),
        STAGE_TEST(a_round_trip_keeps_its_promises_whatever_the_api_does),
    };

    return cmocka_run_group_tests_name("check/domain", tests, NULL, NULL);
}
