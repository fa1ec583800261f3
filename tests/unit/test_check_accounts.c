/* SPDX-License-Identifier: MIT
 *
 * What one request tells of an account: connection, clock, credentials, budget.
 */
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "fake_http.h"
#include "test.h"

#define ROOT "https://api"
#define PRODUCTION ".dnsmadeeasy.com/V2.0/dns/managed/?rows=1&page=0"
#define SANDBOX ".sandbox.dnsmadeeasy.com/V2.0/dns/managed/?rows=1&page=0"
#define NO_ZONES "{\"totalPages\":1,\"totalRecords\":0,\"data\":[],\"page\":0}"
#define SERVICE "Server: DNSME API\nx-dnsme-requestId: 1\n"
#define BUDGET(remaining) SERVICE "x-dnsme-requestsRemaining: " remaining "\nx-dnsme-requestLimit: 150"

struct stage {
    struct fake_clock clock;
    struct fake_http *http;
    struct secret *key, *secret;
    struct challenge_account accounts[3];
    size_t account_count;
    struct strlist zones;
    struct check_report report;
    struct err err;
};

static struct dme *make_dme(struct stage *s, const char *endpoint)
{
    return dme_new(&(struct dme_opts){.endpoint = endpoint,
                                      .api_key = s->key,
                                      .api_secret = s->secret,
                                      .http = fake_http_base(s->http),
                                      .clock = &s->clock.base,
                                      .request_timeout_ms = 10000,
                                      .give_up_after_ms = 5000});
}

static void add_account(struct stage *s, const char *name, const char *endpoint)
{
    s->accounts[s->account_count++] = (struct challenge_account){
        .name = name, .endpoint = endpoint, .key_id = "f0", .zones = &s->zones, .dme = make_dme(s, endpoint)};
}

static int setup(void **state)
{
    struct stage *s = mem_zalloc(sizeof *s);

    fake_clock_init(&s->clock);
    err_init(&s->err);
    s->http = fake_http_new(&s->clock, ROOT);
    s->key = secret_new("1c1a3c91-4770-4ce7-96f4-54c0eb0e457a", 36);
    s->secret = secret_new("c9b5625f-9834-4ff8-baba-4ed5f32cae55", 36);
    add_account(s, "main", DME_ENDPOINT_PRODUCTION);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stage *s = *state;

    check_report_done(&s->report);
    for (size_t i = 0; i < s->account_count; i++)
        dme_free(s->accounts[i].dme);
    secret_free(s->key);
    secret_free(s->secret);
    fake_http_done(s->http);
    free(s);
    return 0;
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void answer(struct stage *s, const char *url, long status, const char *headers, const char *body)
{
    fake_http_expect(s->http, &(struct fake_exchange){
                                  .method = "GET", .url = url, .status = status, .headers = headers, .answer = body});
}

static enum err_code examine(struct stage *s)
{
    const struct check_opts opts = {.accounts = s->accounts,
                                    .account_count = s->account_count,
                                    .clock_advice = "turn its hands",
                                    .clock = &s->clock.base};
    struct check *check = check_new(&opts, &s->report);
    enum err_code code = check_accounts(check, &s->err);

    check_free(check);
    return code;
}

/* The only finding of that step about that account, or the test fails. */
static const struct check_finding *finding(const struct stage *s, const char *step, const char *subject)
{
    const struct check_finding *found = NULL;

    for (size_t i = 0; i < s->report.count; i++) {
        const struct check_finding *f = &s->report.items[i];

        if (strcmp(f->step, step) != 0 || strcmp(f->subject, subject) != 0)
            continue;
        assert_null(found);
        found = f;
    }
    if (!found)
        fail_msg("there is no finding of \"%s\" about \"%s\"", step, subject);
    return found;
}

static void expect_finding(const struct stage *s, const char *step, const char *subject, enum check_level level,
                           const char *in_text)
{
    const struct check_finding *f = finding(s, step, subject);

    assert_string_equal(check_level_name(f->level), check_level_name(level));
    if (!strstr(f->text, in_text))
        fail_msg("\"%s\" is not in \"%s\"", in_text, f->text);
}

static int64_t measure(const struct check_finding *f, const char *name)
{
    for (size_t i = 0; i < f->measure_count; i++)
        if (strcmp(f->measures[i].name, name) == 0)
            return f->measures[i].value;
    fail_msg("there is no measure \"%s\"", name);
    return 0;
}

/* ------------------------------------------------------------------ in order */

TEST(one_request_tells_everything)
{
    struct stage *s = *state;

    answer(s, PRODUCTION, 200, BUDGET("149"), NO_ZONES);
    assert_int_equal(examine(s), ERR_OK);
    assert_int_equal(s->report.count, 4);
    expect_finding(s, "api", "", CHECK_OK, "\"https://api.dnsmadeeasy.com/V2.0/\"");
    expect_finding(s, "clock", "", CHECK_OK, "agrees");
    expect_finding(s, "credentials", "main", CHECK_OK, "accepts");
    expect_finding(s, "budget", "main", CHECK_OK, "149 of 150");
    assert_int_equal(measure(finding(s, "budget", "main"), "requests_remaining"), 149);
    assert_int_equal(measure(finding(s, "budget", "main"), "requests_limit"), 150);
}

TEST(clock_and_connection_are_told_once_however_many_accounts_there_are)
{
    struct stage *s = *state;

    add_account(s, "second", DME_ENDPOINT_PRODUCTION);
    answer(s, PRODUCTION, 200, BUDGET("149"), NO_ZONES);
    answer(s, PRODUCTION, 200, BUDGET("99"), NO_ZONES);
    assert_int_equal(examine(s), ERR_OK);
    assert_int_equal(s->report.count, 6);
    (void)finding(s, "api", "");
    (void)finding(s, "clock", "");
    expect_finding(s, "budget", "second", CHECK_OK, "99 of 150");
}

TEST(an_account_that_can_t_be_used_is_told_and_not_asked)
{
    struct stage *s = *state;

    dme_free(s->accounts[0].dme);
    s->accounts[0].dme = NULL;
    s->accounts[0].unusable = "its values are encrypted";
    assert_int_equal(examine(s), ERR_OK);
    expect_finding(s, "credentials", "main", CHECK_WARN, "its values are encrypted");
    assert_int_equal(s->report.count, 1);
}

/* ------------------------------------------------------------------ clock */

static void expect_clock(struct stage *s, int64_t ahead_ms, enum check_level level, const char *in_text)
{
    s->http->server_behind_ms = ahead_ms;
    answer(s, PRODUCTION, 200, BUDGET("149"), NO_ZONES);
    check_report_done(&s->report);
    assert_int_equal(examine(s), ERR_OK);
    expect_finding(s, "clock", "", level, in_text);
    assert_true((level == CHECK_WARN) == (*finding(s, "clock", "")->hint != '\0'));
    assert_in_range((uintmax_t)(measure(finding(s, "clock", ""), "offset_ms") - ahead_ms + 1000), 0, 2000);
}

TEST(an_offset_is_told_by_what_it_leads_to)
{
    struct stage *s = *state;

    expect_clock(s, 0, CHECK_OK, "agrees");
    expect_clock(s, 3000, CHECK_OK, "3 s ahead of");
    expect_clock(s, -3500, CHECK_OK, "behind DNS Made Easy's, which is close enough");
    expect_clock(s, 6500, CHECK_WARN, "from 30 s on");
    expect_clock(s, -20000, CHECK_WARN, "behind");
    expect_clock(s, 29000, CHECK_WARN, "other programs");
    expect_clock(s, -412000, CHECK_WARN, "s behind DNS Made Easy's; acme-dme corrects");
    assert_non_null(strstr(finding(s, "clock", "")->hint, "turn its hands"));
}

TEST(an_answer_without_a_date_leaves_the_clock_open)
{
    struct stage *s = *state;

    fake_http_expect(s->http, &(struct fake_exchange){.method = "GET",
                                                      .url = PRODUCTION,
                                                      .status = 200,
                                                      .headers = BUDGET("149"),
                                                      .answer = NO_ZONES,
                                                      .no_date = true});
    assert_int_equal(examine(s), ERR_OK);
    expect_finding(s, "clock", "", CHECK_SKIPPED, "no usable date");
    expect_finding(s, "credentials", "main", CHECK_OK, "accepts");
}

/* ------------------------------------------------------------------ budget */

TEST(less_than_a_fifth_of_the_budget_is_little)
{
    struct stage *s = *state;

    answer(s, PRODUCTION, 200, BUDGET("30"), NO_ZONES);
    assert_int_equal(examine(s), ERR_OK);
    expect_finding(s, "budget", "main", CHECK_OK, "30 of 150");
    check_report_done(&s->report);
    answer(s, PRODUCTION, 200, BUDGET("29"), NO_ZONES);
    assert_int_equal(examine(s), ERR_OK);
    expect_finding(s, "budget", "main", CHECK_WARN, "29 of 150");
    assert_non_null(strstr(finding(s, "budget", "main")->hint, "150 requests"));
}

TEST(a_budget_that_is_not_told_is_no_failure)
{
    struct stage *s = *state;

    answer(s, PRODUCTION, 200, SERVICE, NO_ZONES);
    assert_int_equal(examine(s), ERR_OK);
    expect_finding(s, "budget", "main", CHECK_SKIPPED, "does not tell");
}

TEST(a_used_up_budget_fails_by_its_name)
{
    struct stage *s = *state;
    enum err_code code;

    answer(s, PRODUCTION, 400, BUDGET("0"), "{\"error\": [\"Rate limit exceeded\"]}");
    assert_int_equal(examine(s), ERR_OK);
    expect_finding(s, "budget", "main", CHECK_FAIL, "limit");
    expect_finding(s, "api", "", CHECK_OK, "answers");
    expect_finding(s, "credentials", "main", CHECK_SKIPPED, "could not be tried");
    assert_int_equal(check_worst(&s->report, &code), CHECK_FAIL);
    assert_int_equal(code, ERR_RATE_LIMIT);
}

/* ------------------------------------------------------------------ credentials */

#define NOT_FOUND "{\"error\":[\"API key not found\"]}"
#define BAD_HMAC "{\"error\":[\"Unable to verify HMAC\"]}"

static const char *refused(struct stage *s)
{
    assert_int_equal(examine(s), ERR_OK);
    assert_int_equal(finding(s, "credentials", "main")->level, CHECK_FAIL);
    assert_int_equal(finding(s, "credentials", "main")->code, ERR_AUTH);
    return finding(s, "credentials", "main")->hint;
}

TEST(a_key_of_the_sandbox_is_found_there)
{
    struct stage *s = *state;
    const char *hint;

    answer(s, PRODUCTION, 403, SERVICE, NOT_FOUND);
    answer(s, SANDBOX, 200, BUDGET("149"), NO_ZONES);
    hint = refused(s);
    assert_non_null(strstr(hint, "good at the sandbox"));
    assert_non_null(strstr(hint, "sandbox: true"));
}

TEST(a_key_of_production_is_found_there)
{
    struct stage *s = *state;
    const char *hint;

    dme_free(s->accounts[0].dme);
    s->account_count = 0;
    add_account(s, "main", DME_ENDPOINT_SANDBOX);
    answer(s, SANDBOX, 403, SERVICE, NOT_FOUND);
    answer(s, PRODUCTION, 200, BUDGET("149"), NO_ZONES);
    hint = refused(s);
    assert_non_null(strstr(hint, "good at production"));
}

TEST(a_key_that_is_known_elsewhere_with_another_secret_is_told_so)
{
    struct stage *s = *state;

    answer(s, PRODUCTION, 403, SERVICE, NOT_FOUND);
    answer(s, SANDBOX, 403, SERVICE, BAD_HMAC);
    assert_non_null(strstr(refused(s), "known at the sandbox"));
}

TEST(a_key_that_nobody_knows_keeps_the_advice_of_the_refusal)
{
    struct stage *s = *state;

    answer(s, PRODUCTION, 403, SERVICE, NOT_FOUND);
    answer(s, SANDBOX, 403, SERVICE, NOT_FOUND);
    assert_non_null(strstr(refused(s), "Compare"));
}

TEST(a_wrong_secret_is_not_tried_elsewhere)
{
    struct stage *s = *state;

    answer(s, PRODUCTION, 403, SERVICE, BAD_HMAC);
    (void)refused(s);
}

TEST(another_endpoint_than_dns_made_easy_s_has_no_other)
{
    struct stage *s = *state;

    dme_free(s->accounts[0].dme);
    s->account_count = 0;
    add_account(s, "main", "https://api.example.net/V2.0/");
    answer(s, ".example.net/V2.0/dns/managed/?rows=1&page=0", 403, SERVICE, NOT_FOUND);
    (void)refused(s);
}

/* ------------------------------------------------------------------ no connection, no answer */

TEST(without_a_connection_the_other_accounts_are_left_alone)
{
    struct stage *s = *state;

    add_account(s, "second", DME_ENDPOINT_PRODUCTION);
    fake_http_expect(s->http, &(struct fake_exchange){.method = "GET", .url = PRODUCTION, .fail = ERR_TLS});
    assert_int_equal(examine(s), ERR_OK);
    assert_int_equal(finding(s, "api", "")->level, CHECK_FAIL);
    assert_int_equal(finding(s, "api", "")->code, ERR_TLS);
    expect_finding(s, "credentials", "main", CHECK_SKIPPED, "without a connection");
    expect_finding(s, "credentials", "second", CHECK_SKIPPED, "without a connection");
    assert_int_equal(s->report.count, 3);
}

TEST(an_account_that_gets_no_sense_does_not_keep_the_other_from_being_asked)
{
    struct stage *s = *state;

    add_account(s, "second", DME_ENDPOINT_PRODUCTION);
    answer(s, PRODUCTION, 404, NULL, "<html>no such page</html>");
    answer(s, PRODUCTION, 200, BUDGET("149"), NO_ZONES);
    assert_int_equal(examine(s), ERR_OK);
    assert_int_equal(finding(s, "api", "main")->level, CHECK_FAIL);
    expect_finding(s, "api", "", CHECK_OK, "answers");
    expect_finding(s, "credentials", "second", CHECK_OK, "accepts");
}

TEST(an_interruption_ends_it)
{
    struct stage *s = *state;

    add_account(s, "second", DME_ENDPOINT_PRODUCTION);
    s->clock.cancelled = true;
    assert_int_equal(examine(s), ERR_CANCELLED);
    assert_int_equal(s->err.code, ERR_CANCELLED);
    assert_int_equal(s->report.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(one_request_tells_everything),
        STAGE_TEST(clock_and_connection_are_told_once_however_many_accounts_there_are),
        STAGE_TEST(an_account_that_can_t_be_used_is_told_and_not_asked),
        STAGE_TEST(an_offset_is_told_by_what_it_leads_to),
        STAGE_TEST(an_answer_without_a_date_leaves_the_clock_open),
        STAGE_TEST(less_than_a_fifth_of_the_budget_is_little),
        STAGE_TEST(a_budget_that_is_not_told_is_no_failure),
        STAGE_TEST(a_used_up_budget_fails_by_its_name),
        STAGE_TEST(a_key_of_the_sandbox_is_found_there),
        STAGE_TEST(a_key_of_production_is_found_there),
        STAGE_TEST(a_key_that_is_known_elsewhere_with_another_secret_is_told_so),
        STAGE_TEST(a_key_that_nobody_knows_keeps_the_advice_of_the_refusal),
        STAGE_TEST(a_wrong_secret_is_not_tried_elsewhere),
        STAGE_TEST(another_endpoint_than_dns_made_easy_s_has_no_other),
        STAGE_TEST(without_a_connection_the_other_accounts_are_left_alone),
        STAGE_TEST(an_account_that_gets_no_sense_does_not_keep_the_other_from_being_asked),
        STAGE_TEST(an_interruption_ends_it),
    };

    return cmocka_run_group_tests_name("check/accounts", tests, NULL, NULL);
}
