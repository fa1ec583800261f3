/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/trace.h"
#include "fixture.h"
#include "test.h"

static const struct dns_trace about = {
    .server = "192.0.2.1:53", .name = "_acme-challenge.example.com", .type = DNS_TXT};

#define ABOUT "192.0.2.1:53 TXT \"_acme-challenge.example.com\""

/* The lines of a question and its answer; yours. */
static char *traced(enum log_format format, enum log_level level, const struct dns_answer *answer)
{
    struct fixture_stream said;
    struct log log = {.level = level, .format = format};
    char *text;

    fixture_stream_open(&said);
    log.out = said.out;
    if (answer)
        dns_trace_answer(&log, &about, answer);
    else
        dns_trace_question(&log, &about);
    text = mem_strdup(fixture_stream_text(&said));
    fixture_stream_done(&said);
    return text;
}

static void expect_text(const struct dns_answer *answer, const char *want)
{
    char AUTO_FREE *text = traced(LOG_TEXT, LOG_DEBUG, answer);

    assert_string_equal(text, want);
}

static struct dns_rr txt(const char *text, size_t len)
{
    return (struct dns_rr){.owner = (char[]){"x"}, .type = DNS_TXT, .text = (char *)(uintptr_t)text, .text_len = len};
}

TEST(a_question_is_a_line)
{
    expect_text(NULL, "acme-dme: dns: > " ABOUT "\n");
}

TEST(a_question_shows_its_flags)
{
    struct fixture_stream said;
    struct log log = {.level = LOG_DEBUG, .format = LOG_TEXT};
    struct dns_trace flagged = about;

    fixture_stream_open(&said);
    log.out = said.out;
    flagged.flags = DNS_WANT_DNSSEC | DNS_NO_VALIDATION;
    dns_trace_question(&log, &flagged);
    assert_string_equal(fixture_stream_text(&said), "acme-dme: dns: > " ABOUT " DO CD\n");
    fixture_stream_done(&said);
}

TEST(tcp_is_shown)
{
    struct dns_trace over_tcp = about;
    struct dns_answer answer = {.elapsed_ms = 1};
    struct fixture_stream said;
    struct log log = {.level = LOG_DEBUG};

    fixture_stream_open(&said);
    log.out = said.out;
    over_tcp.transport = DNS_TCP;
    dns_trace_question(&log, &over_tcp);
    dns_trace_answer(&log, &over_tcp, &answer);
    answer.result = err_set(&answer.err, ERR_NETWORK, "refused");
    dns_trace_answer(&log, &over_tcp, &answer);
    assert_string_equal(fixture_stream_text(&said),
                        "acme-dme: dns: > " ABOUT " over TCP\n"
                        "acme-dme: dns: < " ABOUT " over TCP: NOERROR, 0 answers in 1 ms\n"
                        "acme-dme: dns: < " ABOUT " over TCP: failed after 1 ms: refused\n");
    fixture_stream_done(&said);
}

TEST(an_answer_shows_its_records)
{
    struct dns_rr rrs[] = {
        {.type = DNS_CNAME, .text = (char[]){"target.example.net"}},
        txt("value", 5),
        {.type = DNS_SOA, .text = (char[]){"ns.example.net"}, .soa_serial = 2024},
        {.type = DNS_CAA, .text = (char[]){""}},
        {.type = 65, .text = (char[]){""}},
    };
    const struct dns_answer answer = {.authoritative = true, .answers = rrs, .answer_count = 5, .elapsed_ms = 7};

    expect_text(&answer, "acme-dme: dns: < " ABOUT ": NOERROR authoritative, 5 answers in 7 ms: CNAME "
                         "target.example.net, TXT \"value\", SOA serial 2024, CAA, TYPE65\n");
}

TEST(a_denial_shows_the_serial_of_the_zone)
{
    struct dns_rr soa = {.type = DNS_SOA, .text = (char[]){"ns.example.net"}, .soa_serial = 4294967295};
    const struct dns_answer answer = {.rcode = DNS_NXDOMAIN, .authority = &soa, .authority_count = 1, .elapsed_ms = 1};

    expect_text(&answer, "acme-dme: dns: < " ABOUT ": NXDOMAIN, 0 answers in 1 ms; authority: SOA serial 4294967295\n");
}

TEST(long_and_many_records_are_cut_and_bytes_escaped)
{
    char text[201];
    struct dns_rr rrs[10];
    const struct dns_answer answer = {.rcode = 4095, .answers = rrs, .answer_count = 10};
    char AUTO_FREE *line = NULL;

    memset(text, 'x', sizeof text);
    rrs[0] = txt(text, 200);
    rrs[1] = txt("a\0\x1b\xff\"b", 6);
    for (size_t i = 2; i < 10; i++)
        rrs[i] = txt("y", 1);
    line = traced(LOG_TEXT, LOG_DEBUG, &answer);
    assert_non_null(strstr(line, ": RCODE4095, 10 answers"));
    assert_non_null(strstr(line, "TXT \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..., TXT"));
    assert_non_null(strstr(line, "\"y\" and 2 more\n"));
    assert_null(strchr(line, '\x1b'));
}

TEST(a_failure_shows_its_reason)
{
    struct dns_answer answer = {.elapsed_ms = 2000};

    answer.result = err_set(&answer.err, ERR_TIMEOUT, "no answer in time");
    expect_text(&answer, "acme-dme: dns: < " ABOUT ": failed after 2000 ms: no answer in time\n");
}

TEST(json_has_server_type_name_rcode_and_time)
{
    const struct dns_answer answer = {.rcode = DNS_REFUSED, .elapsed_ms = 7};
    char AUTO_FREE *line = traced(LOG_JSON, LOG_DEBUG, &answer);

    assert_non_null(strstr(line, "\"server\":\"192.0.2.1:53\",\"type\":\"TXT\","
                                 "\"name\":\"_acme-challenge.example.com\",\"rcode\":\"REFUSED\",\"ms\":7}\n"));
}

TEST(nothing_is_written_below_debug_level)
{
    const struct dns_answer answer = {.rcode = DNS_NOERROR};
    char AUTO_FREE *line = traced(LOG_TEXT, LOG_INFO, &answer);

    assert_string_equal(line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_a_line),
        cmocka_unit_test(a_question_shows_its_flags),
        cmocka_unit_test(tcp_is_shown),
        cmocka_unit_test(an_answer_shows_its_records),
        cmocka_unit_test(a_denial_shows_the_serial_of_the_zone),
        cmocka_unit_test(long_and_many_records_are_cut_and_bytes_escaped),
        cmocka_unit_test(a_failure_shows_its_reason),
        cmocka_unit_test(json_has_server_type_name_rcode_and_time),
        cmocka_unit_test(nothing_is_written_below_debug_level),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
