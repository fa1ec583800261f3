/* SPDX-License-Identifier: MIT
 *
 * Verdicts, above all at the boundaries and when the clock is wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "monitor/judge.h"
#include "test.h"
#include "util/text.h"

#define S INT64_C(1000)
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define NOW (INT64_C(1800000000) * S)

static const struct monitor_rules rules = {
    .warn = {1, 4, 0}, .critical = {1, 10, 0}, .failing_for_ms = 3 * DAY, .sweep_after_ms = DAY};

static void verdict_done(struct monitor_verdict *verdict)
{
    free(verdict->text);
    free(verdict->hint);
}

/* ------------------------------------------------------------------ certificates */

/* The verdict on a certificate of `lifetime` with so much left, both in milliseconds. */
static enum monitor_level judged(const struct monitor_rules *by, int64_t lifetime, int64_t left, char **out_text)
{
    struct monitor_certificate c = {
        .source = (char *)(uintptr_t) "x", .code = ERR_OK, .cert = {.subject = (char *)(uintptr_t) "www.example.com"}};
    enum monitor_level level;

    c.cert.not_after_s = (NOW + left) / S;
    c.cert.not_before_s = c.cert.not_after_s - lifetime / S;
    monitor_judge_certificate(&c, by, NOW);
    level = c.verdict.level;
    assert_true((level == MONITOR_OK) == (c.verdict.hint == NULL));
    if (out_text)
        *out_text = mem_strdup(c.verdict.text);
    verdict_done(&c.verdict);
    return level;
}

TEST(parts_of_the_lifetime_are_thresholds_to_the_second)
{
    const int64_t lifetime = 90 * DAY;

    assert_int_equal(judged(&rules, lifetime, lifetime, NULL), MONITOR_OK);
    assert_int_equal(judged(&rules, lifetime, lifetime / 4, NULL), MONITOR_OK);
    assert_int_equal(judged(&rules, lifetime, lifetime / 4 - S, NULL), MONITOR_WARNING);
    assert_int_equal(judged(&rules, lifetime, lifetime / 10, NULL), MONITOR_WARNING);
    assert_int_equal(judged(&rules, lifetime, lifetime / 10 - S, NULL), MONITOR_CRITICAL);
    assert_int_equal(judged(&rules, lifetime, 0, NULL), MONITOR_CRITICAL);
    assert_int_equal(judged(&rules, lifetime, -S, NULL), MONITOR_CRITICAL);
}

TEST(a_certificate_that_lives_for_six_days_has_thresholds_of_its_own)
{
    assert_int_equal(judged(&rules, 160 * HOUR, 41 * HOUR, NULL), MONITOR_OK);
    assert_int_equal(judged(&rules, 160 * HOUR, 39 * HOUR, NULL), MONITOR_WARNING);
    assert_int_equal(judged(&rules, 160 * HOUR, 15 * HOUR, NULL), MONITOR_CRITICAL);
}

TEST(days_are_thresholds_to_the_second)
{
    const struct monitor_rules days = {.warn = {.ms = 14 * DAY}, .critical = {.ms = 7 * DAY}};

    assert_int_equal(judged(&days, 90 * DAY, 14 * DAY, NULL), MONITOR_OK);
    assert_int_equal(judged(&days, 90 * DAY, 14 * DAY - S, NULL), MONITOR_WARNING);
    assert_int_equal(judged(&days, 90 * DAY, 7 * DAY, NULL), MONITOR_WARNING);
    assert_int_equal(judged(&days, 90 * DAY, 7 * DAY - S, NULL), MONITOR_CRITICAL);
}

TEST(without_thresholds_only_what_has_expired_is_critical)
{
    const struct monitor_rules none = {.warn = {.ms = 0}};

    assert_int_equal(judged(&none, 90 * DAY, S, NULL), MONITOR_OK);
    assert_int_equal(judged(&none, 90 * DAY, 0, NULL),
                     MONITOR_OK); /* notAfter itself is valid, RFC 5280 section 4.1.2.5 */
    assert_int_equal(judged(&none, 90 * DAY, -S, NULL), MONITOR_CRITICAL);
}

TEST(verdicts_tell_how_long_and_until_when)
{
    char AUTO_FREE *good = NULL;
    char AUTO_FREE *old = NULL;
    char AUTO_FREE *future = NULL;

    (void)judged(&rules, 90 * DAY, 45 * DAY, &good);
    (void)judged(&rules, 90 * DAY, -2 * DAY, &old);
    assert_int_equal(judged(&rules, 90 * DAY, 91 * DAY, &future), MONITOR_CRITICAL);
    assert_string_equal(good, "www.example.com: 45 days left, until 2027-03-01T08:00:00Z");
    assert_string_equal(old, "www.example.com: expired 2 days ago, at 2027-01-13T08:00:00Z");
    assert_string_equal(future, "www.example.com: not valid before 2027-01-16T08:00:00Z");
}

TEST(odd_lifetimes_overflow_nothing)
{
    const int64_t far = INT64_C(253402300799) * S - NOW; /* the end of the year 9999 */
    const struct monitor_rules most = {.warn = {999, 1000, 0}, .critical = {998, 1000, 0}};

    assert_int_equal(judged(&rules, far + 1000 * DAY, far, NULL), MONITOR_OK);
    assert_int_equal(judged(&most, far + INT64_C(62000000000) * S, far, NULL), MONITOR_CRITICAL);
    /* notAfter is before notBefore. */
    assert_int_equal(judged(&rules, -DAY, -DAY, NULL), MONITOR_CRITICAL);
    assert_int_equal(judged(&rules, -DAY, DAY, NULL), MONITOR_CRITICAL);
}

TEST(what_does_not_verify_is_critical_however_long_it_is_valid)
{
    struct monitor_certificate c = {.is_server = true,
                                    .problem = (char *)(uintptr_t) "it is self-signed",
                                    .cert = {.subject = (char *)(uintptr_t) "",
                                             .serial = (char *)(uintptr_t) "0a",
                                             .not_before_s = NOW / S,
                                             .not_after_s = (NOW + 90 * DAY) / S}};

    monitor_judge_certificate(&c, &rules, NOW);
    assert_int_equal(c.verdict.level, MONITOR_CRITICAL);
    assert_string_equal(c.verdict.text, "0a: it is self-signed"); /* without a name, the serial number */
    verdict_done(&c.verdict);
    c.verdict = (struct monitor_verdict){.text = NULL};
    c.cert.not_after_s = NOW / S - 1;
    monitor_judge_certificate(&c, &rules, NOW);
    assert_non_null(strstr(c.verdict.text, "expired"));
    verdict_done(&c.verdict);
}

/* ------------------------------------------------------------------ results */

static struct monitor_verdict result_verdict(const char *action, enum err_code code, int64_t at_ms, int64_t failing_ms,
                                             int64_t failures)
{
    struct monitor_result r = {.result = {.name = (char *)(uintptr_t) "example.com",
                                          .client = (char *)(uintptr_t) "certbot",
                                          .action = (char *)(uintptr_t)action,
                                          .code = code,
                                          .error = (char *)(uintptr_t) "no zone",
                                          .hint = (char *)(uintptr_t) "",
                                          .at_ms = at_ms,
                                          .failing_ms = failing_ms,
                                          .failures = failures}};

    monitor_judge_result(&r, &rules, NOW);
    return r.verdict;
}

static void expect_verdict(struct monitor_verdict verdict, enum monitor_level level, const char *text)
{
    if (verdict.level != level)
        fail_msg("%s: \"%s\"", monitor_level_name(verdict.level), verdict.text);
    assert_string_equal(verdict.text, text);
    verdict_done(&verdict);
}

TEST(a_failure_is_a_warning_and_critical_when_it_lasts)
{
    expect_verdict(result_verdict("publish", ERR_OK, NOW - 3 * HOUR, 0, 0), MONITOR_OK, "published 3 h ago (certbot)");
    expect_verdict(result_verdict("publish", ERR_ZONE, NOW - HOUR, NOW - HOUR, 1), MONITOR_WARNING,
                   "publish failed 60 min ago (certbot): no zone");
    expect_verdict(result_verdict("publish", ERR_ZONE, NOW - HOUR, NOW - 3 * DAY + S, 6), MONITOR_WARNING,
                   "publish failed 60 min ago, 6 times in 2 days (certbot): no zone");
    expect_verdict(result_verdict("publish", ERR_ZONE, NOW - HOUR, NOW - 3 * DAY, 6), MONITOR_CRITICAL,
                   "publish failed 60 min ago, 6 times in 3 days (certbot): no zone");
    /* Nobody has tried again since: the certificate will not renew itself. */
    expect_verdict(result_verdict("renew", ERR_API, NOW - 4 * DAY, NOW - 4 * DAY, 1), MONITOR_CRITICAL,
                   "renew failed 4 days ago (certbot): no zone");
}

TEST(a_withdrawal_that_failed_is_never_more_than_a_warning)
{
    struct monitor_verdict verdict = result_verdict("withdraw", ERR_API, NOW - HOUR, NOW - 90 * DAY, 9);

    assert_non_null(strstr(verdict.hint, "acme-dme sweep"));
    expect_verdict(verdict, MONITOR_WARNING, "withdraw failed 60 min ago, 9 times in 90 days (certbot): no zone");
}

TEST(a_name_that_was_given_up_is_no_longer_judged)
{
    expect_verdict(result_verdict("publish", ERR_ZONE, NOW - 400 * DAY, NOW - 400 * DAY, 1), MONITOR_CRITICAL,
                   "publish failed 400 days ago (certbot): no zone");
    expect_verdict(result_verdict("publish", ERR_ZONE, NOW - 400 * DAY - S, NOW - 400 * DAY - S, 1), MONITOR_OK,
                   "nothing was heard of it for 400 days: no longer judged");
}

TEST(a_clock_that_was_set_back_makes_no_trouble)
{
    expect_verdict(result_verdict("publish", ERR_OK, NOW + 2 * MINUTE, 0, 0), MONITOR_OK,
                   "published 1 min ago (certbot)");
    expect_verdict(result_verdict("publish", ERR_OK, NOW + 9000 * DAY, 0, 0), MONITOR_OK,
                   "published in the future, says this machine's clock");
    expect_verdict(result_verdict("publish", ERR_ZONE, NOW + 9000 * DAY, NOW + 9000 * DAY, 1), MONITOR_WARNING,
                   "publish failed 1 min ago (certbot): no zone");
    expect_verdict(result_verdict("publish", ERR_ZONE, INT64_MAX, INT64_MAX, INT64_MAX), MONITOR_WARNING,
                   "publish failed 1 min ago, 9223372036854775807 times in 1 min (certbot): no zone");
    expect_verdict(result_verdict("publish", ERR_ZONE, NOW, 0, 1), MONITOR_WARNING,
                   "publish failed 1 min ago (certbot): no zone");
}

/* ------------------------------------------------------------------ state directory */

static void judge_state(struct monitor_state *state, size_t records, int64_t oldest_ms, size_t damaged)
{
    *state = (struct monitor_state){.kind = MONITOR_STATE_KNOWN,
                                    .dir = (char *)(uintptr_t) "/var/lib/acme-dme",
                                    .journal_records = records,
                                    .journal_oldest_ms = oldest_ms,
                                    .damaged_files = damaged};
    monitor_judge_state(state, &rules, NOW);
}

static void state_done(struct monitor_state *state)
{
    verdict_done(&state->journal);
    verdict_done(&state->damaged);
}

TEST(records_of_runs_at_work_are_fine_and_older_ones_should_be_swept)
{
    struct monitor_state known;

    judge_state(&known, 0, 0, 0);
    assert_int_equal(known.journal.level, MONITOR_OK);
    assert_int_equal(known.damaged.level, MONITOR_OK);
    state_done(&known);
    judge_state(&known, 2, NOW - DAY, 0);
    assert_int_equal(known.journal.level, MONITOR_OK);
    assert_string_equal(known.journal.text, "2 records published, the oldest 24 h ago");
    state_done(&known);
    judge_state(&known, 1, NOW - DAY - S, 0);
    assert_int_equal(known.journal.level, MONITOR_WARNING);
    assert_string_equal(known.journal.hint, "Run: acme-dme sweep");
    state_done(&known);
    judge_state(&known, 1, NOW + DAY, 0);
    assert_int_equal(known.journal.level, MONITOR_OK);
    state_done(&known);
}

TEST(damaged_files_are_a_warning)
{
    struct monitor_state known;

    judge_state(&known, 0, 0, 1);
    assert_int_equal(known.damaged.level, MONITOR_WARNING);
    assert_string_equal(known.damaged.text, "1 damaged file");
    assert_non_null(strstr(known.damaged.hint, "/var/lib/acme-dme/damaged"));
    state_done(&known);
}

TEST(ages_are_short)
{
    static const struct {
        int64_t ms;
        const char *text;
    } table[] = {{0, "1 min"},
                 {59 * S, "1 min"},
                 {119 * S, "1 min"},
                 {2 * HOUR - 1, "119 min"},
                 {2 * HOUR, "2 h"},
                 {48 * HOUR - 1, "47 h"},
                 {2 * DAY, "2 days"},
                 {400 * DAY, "400 days"},
                 {INT64_MAX, "106751991167 days"}};
    char out[MONITOR_AGE_MAX];

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        monitor_format_age(out, table[i].ms);
        assert_string_equal(out, table[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_the_lifetime_are_thresholds_to_the_second),
        cmocka_unit_test(a_certificate_that_lives_for_six_days_has_thresholds_of_its_own),
        cmocka_unit_test(days_are_thresholds_to_the_second),
        cmocka_unit_test(without_thresholds_only_what_has_expired_is_critical),
        cmocka_unit_test(verdicts_tell_how_long_and_until_when),
        cmocka_unit_test(odd_lifetimes_overflow_nothing),
        cmocka_unit_test(what_does_not_verify_is_critical_however_long_it_is_valid),
        cmocka_unit_test(a_failure_is_a_warning_and_critical_when_it_lasts),
        cmocka_unit_test(a_withdrawal_that_failed_is_never_more_than_a_warning),
        cmocka_unit_test(a_name_that_was_given_up_is_no_longer_judged),
        cmocka_unit_test(a_clock_that_was_set_back_makes_no_trouble),
        cmocka_unit_test(records_of_runs_at_work_are_fine_and_older_ones_should_be_swept),
        cmocka_unit_test(damaged_files_are_a_warning),
        cmocka_unit_test(ages_are_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
