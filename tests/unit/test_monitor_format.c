/* SPDX-License-Identifier: MIT
 *
 * What people and programs read, with names in it that try to break out of their place.
 */
#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "monitor/format.h"
#include "test.h"

#define NOW_S INT64_C(1800000000) /* 2027-01-15T08:00:00Z */

static struct buf empty(void)
{
    return BUF_INIT(MONITOR_TEXT_MAX);
}

/* ------------------------------------------------------------------ a report */

static void add_result(struct monitor_report *r, const char *name, const char *action, enum err_code code)
{
    struct monitor_result *item;

    r->results = mem_grow(r->results, r->result_count, sizeof *r->results);
    item = &r->results[r->result_count++];
    *item = (struct monitor_result){.result = {.kind = RESULT_HOOK,
                                               .name = mem_strdup(name),
                                               .client = mem_strdup("certbot"),
                                               .action = mem_strdup(action),
                                               .code = code,
                                               .error = mem_strdup(code == ERR_OK ? "" : "the \"error\" | it"),
                                               .hint = mem_strdup(""),
                                               .at_ms = (NOW_S - 7200) * 1000,
                                               .took_ms = 12345,
                                               .success_ms = code == ERR_OK ? (NOW_S - 7200) * 1000 : 0,
                                               .failure_ms = code == ERR_OK ? 0 : (NOW_S - 7200) * 1000,
                                               .failing_ms = code == ERR_OK ? 0 : (NOW_S - 7200) * 1000,
                                               .failures = code == ERR_OK ? 0 : 1}};
    if (code == ERR_OK)
        monitor_verdict_set(&item->verdict, MONITOR_OK, "published by certbot 2 h ago");
    else
        monitor_verdict_set(&item->verdict, MONITOR_WARNING, "%s failed: the \"error\" | it", action);
}

static struct monitor_certificate *add_certificate(struct monitor_report *r, const char *source, const char *subject)
{
    struct monitor_certificate *c;

    r->certificates = mem_grow(r->certificates, r->certificate_count, sizeof *r->certificates);
    c = &r->certificates[r->certificate_count++];
    *c = (struct monitor_certificate){.source = mem_strdup(source),
                                      .cert = {.not_before_s = NOW_S - 45 * 86400,
                                               .not_after_s = NOW_S + 45 * 86400 + 43200,
                                               .subject = mem_strdup(subject),
                                               .issuer = mem_strdup("R3"),
                                               .serial = mem_strdup("0a0b")},
                                      .warn_s = NOW_S + 22 * 86400,
                                      .critical_s = NOW_S + 36 * 86400};
    strlist_add(&c->cert.names, "www.example.com");
    monitor_verdict_set(&c->verdict, MONITOR_OK, "%s: 45 days left", subject);
    return c;
}

static void add_failed_certificate(struct monitor_report *r, const char *source)
{
    struct monitor_certificate *c;

    r->certificates = mem_grow(r->certificates, r->certificate_count, sizeof *r->certificates);
    c = &r->certificates[r->certificate_count++];
    *c = (struct monitor_certificate){.source = mem_strdup(source), .code = ERR_IO};
    monitor_verdict_set(&c->verdict, MONITOR_UNKNOWN, "could not open it");
    monitor_verdict_hint(&c->verdict, "Look | at it.");
}

static void set_state(struct monitor_report *r, size_t damaged)
{
    r->now_ms = NOW_S * 1000;
    r->state = (struct monitor_state){.kind = MONITOR_STATE_KNOWN,
                                      .dir = mem_strdup("/var/lib/acme-dme"),
                                      .journal_records = 1,
                                      .journal_oldest_ms = (NOW_S - 60) * 1000,
                                      .damaged_files = damaged};
    monitor_verdict_set(&r->state.journal, MONITOR_OK, "1 record published, the oldest 1 min ago");
    monitor_verdict_set(&r->state.damaged, damaged ? MONITOR_WARNING : MONITOR_OK, "%zu damaged files", damaged);
}

static struct monitor_report good_report(void)
{
    struct monitor_report r = {.now_ms = 0};

    set_state(&r, 0);
    add_result(&r, "example.com", "publish", ERR_OK);
    (void)add_certificate(&r, "/etc/cert.pem", "www.example.com");
    return r;
}

static struct monitor_report bad_report(void)
{
    struct monitor_report r = good_report();
    struct monitor_certificate *server;

    r.state.damaged_files = 2;
    monitor_verdict_set(&r.state.damaged, MONITOR_WARNING, "2 damaged files");
    add_result(&r, "a\\b\"c|'=d", "publish", ERR_ZONE);
    add_result(&r, "a\\b\"c|'=d", "withdraw", ERR_API);
    server = add_certificate(&r, "mail.example.com:465", "evil\"} 1\\x0aup 0");
    server->is_server = true;
    server->problem = mem_strdup("it is self-signed");
    monitor_verdict_set(&server->verdict, MONITOR_CRITICAL, "it is self-signed");
    add_failed_certificate(&r, "/none|'=.pem");
    return r;
}

/* ------------------------------------------------------------------ for people */

TEST(the_table_has_a_line_for_each_thing_and_a_sum)
{
    struct monitor_report AUTO_MONITOR_REPORT good = good_report();
    struct monitor_report AUTO_MONITOR_REPORT bad = bad_report();
    struct buf AUTO_BUF out = empty();

    monitor_format_table(&good, MONITOR_ALL, &out);
    assert_string_equal(buf_cstr(&out), "LEVEL     KIND         NAME               STATUS\n"
                                        "ok        hook         example.com        published by certbot 2 h ago\n"
                                        "ok        certificate  /etc/cert.pem      www.example.com: 45 days left\n"
                                        "ok        journal      /var/lib/acme-dme  1 record published, the oldest 1 "
                                        "min ago\n"
                                        "\n3 ok\n");
    buf_clear(&out);
    monitor_format_table(&bad, MONITOR_ALL, &out);
    assert_non_null(strstr(buf_cstr(&out), "\n1 critical, 1 unknown, 3 warnings, 3 ok\n"));
    assert_non_null(strstr(buf_cstr(&out), "\n          hint: Look | at it.\n"));
}

TEST(only_what_is_not_ok_is_nothing_when_all_is_well)
{
    struct monitor_report AUTO_MONITOR_REPORT good = good_report();
    struct monitor_report AUTO_MONITOR_REPORT bad = bad_report();
    struct monitor_report none = {.now_ms = 0};
    struct buf AUTO_BUF out = empty();

    monitor_format_table(&good, MONITOR_NOT_OK, &out);
    monitor_format_table(&none, MONITOR_NOT_OK, &out);
    assert_string_equal(buf_cstr(&out), "");
    monitor_format_table(&bad, MONITOR_NOT_OK, &out);
    assert_null(strstr(buf_cstr(&out), "published by"));
    assert_null(strstr(buf_cstr(&out), "LEVEL"));
    assert_int_equal(strncmp(buf_cstr(&out), "warning   hook         a\\b", 26), 0);
    buf_clear(&out);
    monitor_format_table(&none, MONITOR_ALL, &out);
    assert_non_null(strstr(buf_cstr(&out), "nothing to look at"));
}

TEST(long_texts_are_cut_in_the_table_and_whole_elsewhere)
{
    struct monitor_report AUTO_MONITOR_REPORT report = good_report();
    struct buf AUTO_BUF table = empty();
    struct buf AUTO_BUF json = empty();
    char long_text[600];

    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    monitor_verdict_set(&report.results[0].verdict, MONITOR_WARNING, "%s", long_text);
    monitor_format_table(&report, MONITOR_ALL, &table);
    monitor_format_json(&report, &json);
    assert_null(strstr(buf_cstr(&table), long_text));
    assert_non_null(strstr(buf_cstr(&table), "xxx...\n"));
    assert_non_null(strstr(buf_cstr(&json), long_text));
}

TEST(unknown_is_worse_than_a_warning_and_better_than_critical)
{
    struct monitor_report AUTO_MONITOR_REPORT report = good_report();

    assert_int_equal(monitor_report_worst(&report), MONITOR_OK);
    monitor_verdict_set(&report.results[0].verdict, MONITOR_WARNING, "x");
    assert_int_equal(monitor_report_worst(&report), MONITOR_WARNING);
    monitor_verdict_set(&report.certificates[0].verdict, MONITOR_UNKNOWN, "x");
    assert_int_equal(monitor_report_worst(&report), MONITOR_UNKNOWN);
    monitor_verdict_set(&report.results[0].verdict, MONITOR_CRITICAL, "x");
    assert_int_equal(monitor_report_worst(&report), MONITOR_CRITICAL);
}

/* ------------------------------------------------------------------ JSON */

static const json_t *at(const json_t *json, const char *array, size_t i)
{
    return json_array_get(json_object_get(json, array), i);
}

static void expect_text(const json_t *object, const char *key, const char *want)
{
    const json_t *value = json_object_get(object, key);

    assert_non_null(value);
    if (want)
        assert_string_equal(json_string_value(value), want);
    else
        assert_true(json_is_null(value));
}

TEST(json_has_every_member_whether_it_applies_or_not)
{
    struct monitor_report AUTO_MONITOR_REPORT report = bad_report();
    struct buf AUTO_BUF out = empty();
    json_t AUTO_JSON *json = NULL;
    const json_t *state_of;

    monitor_format_json(&report, &out);
    assert_ptr_equal(strchr(buf_cstr(&out), '\n'), buf_cstr(&out) + out.len - 1);
    assert_int_equal(json_parse(buf_cstr(&out), out.len, "it", &json, NULL), ERR_OK);
    assert_int_equal(json_integer_value(json_object_get(json, "version")), 1);
    expect_text(json, "time", "2027-01-15T08:00:00Z");
    expect_text(json, "level", "critical");
    state_of = json_object_get(json, "state");
    assert_true(json_is_true(json_object_get(state_of, "readable")));
    expect_text(state_of, "error", NULL);
    assert_int_equal(json_integer_value(json_object_get(state_of, "damaged_files")), 2);
    expect_text(json_object_get(state_of, "journal"), "oldest", "2027-01-15T07:59:00Z");
    assert_int_equal(json_array_size(json_object_get(json, "results")), 3);
    expect_text(at(json, "results", 0), "error", NULL);
    expect_text(at(json, "results", 0), "last_success", "2027-01-15T06:00:00Z");
    expect_text(at(json, "results", 1), "name", "a\\b\"c|'=d");
    expect_text(at(json, "results", 1), "error_code", "zone");
    expect_text(at(json, "results", 1), "last_success", NULL);
    assert_int_equal(json_array_size(json_object_get(json, "certificates")), 3);
    expect_text(at(json, "certificates", 0), "verified", NULL);
    assert_int_equal(json_integer_value(json_object_get(at(json, "certificates", 0), "seconds_left")), 3931200);
    assert_true(json_is_false(json_object_get(at(json, "certificates", 1), "verified")));
    expect_text(at(json, "certificates", 1), "type", "server");
    expect_text(at(json, "certificates", 2), "not_after", NULL);
    assert_int_equal(json_object_size(at(json, "certificates", 0)), json_object_size(at(json, "certificates", 2)));
    assert_int_equal(json_object_size(at(json, "results", 0)), json_object_size(at(json, "results", 1)));
}

TEST(json_tells_that_the_state_can_not_be_looked_at)
{
    struct monitor_report AUTO_MONITOR_REPORT report = {
        .state = {.kind = MONITOR_STATE_UNKNOWN, .dir = mem_strdup("/none")}};
    struct buf AUTO_BUF out = empty();

    monitor_verdict_set(&report.state.access, MONITOR_UNKNOWN, "no permission");
    monitor_format_json(&report, &out);
    assert_non_null(strstr(buf_cstr(&out), "\"state\":{\"directory\":\"/none\",\"readable\":false,\"error\":{\"level\":"
                                           "\"unknown\",\"text\":\"no permission\",\"hint\":null},\"journal\":null,"
                                           "\"damaged_files\":null}"));
}

/* ------------------------------------------------------------------ Prometheus */

static void expect_line(const struct buf *out, const char *line)
{
    AUTO_FREE char *whole = mem_printf("\n%s\n", line);
    const char *found = strstr(buf_cstr(out), whole);

    if (!found)
        fail_msg("%s\nis not in\n%s", line, buf_cstr(out));
    assert_null(strstr(found + 1, whole));
}

TEST(metrics_are_escaped_typed_and_in_base_units)
{
    struct monitor_report AUTO_MONITOR_REPORT report = bad_report();
    struct buf AUTO_BUF out = empty();

    monitor_format_prometheus(&report, &out);
    assert_int_equal(buf_cstr(&out)[out.len - 1], '\n');
    expect_line(&out, "# TYPE acme_dme_hook_last_run_success gauge");
    expect_line(&out, "acme_dme_hook_last_run_success{name=\"example.com\",client=\"certbot\",action=\"publish\"} 1");
    expect_line(&out, "acme_dme_hook_failures{name=\"a\\\\b\\\"c|'=d\",client=\"certbot\",action=\"withdraw\"} 1");
    expect_line(&out, "acme_dme_hook_last_success_timestamp_seconds{name=\"example.com\",client=\"certbot\",action="
                      "\"publish\"} 1799992800");
    expect_line(&out, "acme_dme_hook_last_success_timestamp_seconds{name=\"a\\\\b\\\"c|'=d\",client=\"certbot\",action="
                      "\"publish\"} 0");
    expect_line(&out, "acme_dme_certificate_not_after_timestamp_seconds{source=\"/etc/cert.pem\",subject=\"www.example."
                      "com\"} 1803931200");
    expect_line(&out, "acme_dme_certificate_verified{source=\"mail.example.com:465\",subject=\"evil\\\"} 1\\\\x0aup "
                      "0\"} 0");
    expect_line(&out, "acme_dme_certificate_readable{source=\"/none|'=.pem\"} 0");
    expect_line(&out, "acme_dme_journal_records 1");
    expect_line(&out, "acme_dme_journal_oldest_timestamp_seconds 1799999940");
    expect_line(&out, "acme_dme_state_damaged_files 2");
    expect_line(&out, "acme_dme_status_timestamp_seconds 1800000000");
    assert_null(strstr(buf_cstr(&out), "certificate_verified{source=\"/etc/cert.pem\""));
    assert_null(strstr(buf_cstr(&out), "not_after_timestamp_seconds{source=\"/none"));
}

TEST(metrics_without_samples_are_left_out)
{
    struct monitor_report AUTO_MONITOR_REPORT report = {.now_ms = NOW_S * 1000};
    struct buf AUTO_BUF out = empty();

    monitor_format_prometheus(&report, &out);
    assert_string_equal(buf_cstr(&out), "# HELP acme_dme_status_timestamp_seconds When acme-dme status looked.\n"
                                        "# TYPE acme_dme_status_timestamp_seconds gauge\n"
                                        "acme_dme_status_timestamp_seconds 1800000000\n");
}

TEST(a_state_that_can_not_be_looked_at_is_a_metric)
{
    struct monitor_report AUTO_MONITOR_REPORT report = {.state = {.kind = MONITOR_STATE_UNKNOWN}};
    struct buf AUTO_BUF out = empty();

    monitor_format_prometheus(&report, &out);
    expect_line(&out, "acme_dme_state_readable 0");
    assert_null(strstr(buf_cstr(&out), "journal"));
}

/* ------------------------------------------------------------------ Nagios */

TEST(a_plugin_says_that_all_is_well_in_one_line)
{
    struct monitor_report AUTO_MONITOR_REPORT report = good_report();
    struct buf AUTO_BUF out = empty();

    monitor_format_nagios(&report, &out);
    assert_string_equal(buf_cstr(&out),
                        "ACME-DME OK - 1 result, 1 certificate, the first to expire in 45 days | failing=0;0 "
                        "journalled=1 damaged=0;0 '/etc/cert.pem days'=45.50;23.50:;9.50:\n");
}

TEST(a_plugin_says_the_worst_first_and_keeps_bars_and_quotes_apart)
{
    struct monitor_report AUTO_MONITOR_REPORT report = bad_report();
    struct buf AUTO_BUF out = empty();
    const char *bar;

    monitor_format_nagios(&report, &out);
    bar = strchr(buf_cstr(&out), '|');
    assert_ptr_equal(strstr(buf_cstr(&out),
                            "ACME-DME CRITICAL - certificate mail.example.com:465: it is self-signed; "
                            "certificate /none/'=.pem: could not open it; hook a\\b\"c/'=d: publish failed: "),
                     buf_cstr(&out));
    assert_non_null(strstr(buf_cstr(&out), "; and 2 more | failing=2;0 journalled=1 damaged=2;0 "));
    assert_ptr_equal(strrchr(buf_cstr(&out), '|'), bar); /* the only one */
    assert_null(strstr(bar, "none_"));                   /* no data without a certificate */
    assert_non_null(strstr(buf_cstr(&out), "\nUNKNOWN certificate /none/'=.pem: could not open it - Look / at it.\n"));
}

TEST(very_many_findings_are_counted_and_not_all_listed)
{
    struct monitor_report AUTO_MONITOR_REPORT report = {.now_ms = NOW_S * 1000};
    struct buf AUTO_BUF out = empty();
    size_t lines = 0;

    for (int i = 0; i < 200; i++) {
        AUTO_FREE char *name = mem_printf("n%d.example", i);

        add_result(&report, name, "publish", ERR_ZONE);
    }
    monitor_format_nagios(&report, &out);
    for (const char *p = buf_cstr(&out); *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 52);
    assert_non_null(strstr(buf_cstr(&out), "; and 197 more | failing=200;0\n"));
    assert_non_null(strstr(buf_cstr(&out), "\nand 150 more: run acme-dme status\n"));
}

TEST(a_plugin_has_the_statuses_of_plugins)
{
    struct buf AUTO_BUF out = empty();
    struct err err;

    assert_int_equal(monitor_nagios_status(MONITOR_OK), 0);
    assert_int_equal(monitor_nagios_status(MONITOR_WARNING), 1);
    assert_int_equal(monitor_nagios_status(MONITOR_CRITICAL), 2);
    assert_int_equal(monitor_nagios_status(MONITOR_UNKNOWN), 3);
    (void)err_set(&err, ERR_CONFIG, "no | config");
    err_hint(&err, "Write one.");
    monitor_format_nagios_unknown(&err, &out);
    assert_string_equal(buf_cstr(&out), "ACME-DME UNKNOWN - no / config\nhint: Write one.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_a_line_for_each_thing_and_a_sum),
        cmocka_unit_test(only_what_is_not_ok_is_nothing_when_all_is_well),
        cmocka_unit_test(long_texts_are_cut_in_the_table_and_whole_elsewhere),
        cmocka_unit_test(unknown_is_worse_than_a_warning_and_better_than_critical),
        cmocka_unit_test(json_has_every_member_whether_it_applies_or_not),
        cmocka_unit_test(json_tells_that_the_state_can_not_be_looked_at),
        cmocka_unit_test(metrics_are_escaped_typed_and_in_base_units),
        cmocka_unit_test(metrics_without_samples_are_left_out),
        cmocka_unit_test(a_state_that_can_not_be_looked_at_is_a_metric),
        cmocka_unit_test(a_plugin_says_that_all_is_well_in_one_line),
        cmocka_unit_test(a_plugin_says_the_worst_first_and_keeps_bars_and_quotes_apart),
        cmocka_unit_test(very_many_findings_are_counted_and_not_all_listed),
        cmocka_unit_test(a_plugin_has_the_statuses_of_plugins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
