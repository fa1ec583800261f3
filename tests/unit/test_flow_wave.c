/* SPDX-License-Identifier: MIT
 *
 * Certificates of one wave, some of which are slow or fail: none holds up another.
 */
#include <stdio.h>
#include <string.h>

#include "issue_world.h"
#include "test.h"

#define QUICK_MS 12000         /* the wait for records that are shown at once, patience for others, and the CA */
#define TIMEOUT_MS 100000      /* propagation.timeout of this world */
#define POLL_TIMEOUT_MS 300000 /* acme.poll_timeout */

/* The servers of example.net, which "slow" is in. */
static struct fake_server *slow_server(struct issue_world *iw)
{
    return &iw->w->dns->servers[2];
}

static struct issue_world *begin(int64_t lag_ms)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "one", "a.example.com,*.a.example.com");
    (void)issue_world_add(iw, "slow", "c.example.net");
    (void)issue_world_add(iw, "two", "b.example.com");
    slow_server(iw)->lag_ms = lag_ms;
    return iw;
}

static void expect_others_done(struct issue_world *iw)
{
    static const size_t others[] = {0, 2};

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_true(issue_world_is_good(iw, &iw->jobs[others[i]], "beside a slow one"));
        assert_in_range(iw->told_ms[others[i]], 0, QUICK_MS);
    }
}

static void expect_nothing_left(struct issue_world *iw)
{
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    assert_int_equal(world_journal_count(iw->w), 0);
}

/* ------------------------------------------------------------------ zones */

TEST(a_zone_that_never_shows_its_record_holds_up_no_other_certificate)
{
    struct issue_world *iw = begin(FAKE_NEVER);

    assert_int_equal(issue_world_run(iw), ERR_OK);
    expect_others_done(iw);
    assert_int_equal(iw->jobs[1].err.code, ERR_PROPAGATION);
    assert_non_null(strstr(iw->jobs[1].err.msg, "\"_acme-challenge.c.example.net\" is not at every name server"));
    assert_null(strstr(iw->jobs[1].err.msg, "example.com"));
    assert_in_range(iw->told_ms[1], TIMEOUT_MS, TIMEOUT_MS + QUICK_MS);
    expect_nothing_left(iw);
    issue_world_free(iw);
}

TEST(a_zone_whose_servers_are_silent_holds_up_no_other_certificate)
{
    struct issue_world *iw = begin(0);

    iw->w->opts.doh_mode = CHALLENGE_DOH_NEVER;
    slow_server(iw)->mood = FAKE_SERVER_SILENT;
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "beside a silent one"));
    assert_true(issue_world_is_good(iw, &iw->jobs[2], "beside a silent one"));
    assert_true(iw->told_ms[0] <= iw->told_ms[1] && iw->told_ms[2] <= iw->told_ms[1]);
    assert_int_equal(iw->jobs[1].err.code, ERR_DNS);
    assert_non_null(strstr(iw->jobs[1].err.msg, "_acme-challenge.c.example.net"));
    expect_nothing_left(iw);
    issue_world_free(iw);
}

TEST(a_zone_that_is_slow_is_done_in_a_later_round_of_the_same_run)
{
    struct issue_world *iw = begin(40000);

    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    expect_others_done(iw);
    assert_true(issue_world_is_good(iw, &iw->jobs[1], "the slow one"));
    assert_in_range(iw->told_ms[1], 40000, 40000 + QUICK_MS);
    assert_int_equal(iw->unseen, 0);
    assert_int_equal(fake_api_count_method(iw->w->api, "DELETE"), 2); /* a zone each, when it is through */
    expect_nothing_left(iw);
    issue_world_free(iw);
}

TEST(zones_that_are_shown_within_seconds_go_together)
{
    struct issue_world *iw = begin(3000);

    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_true(iw->told_ms[0] == iw->told_ms[1] && iw->told_ms[1] == iw->told_ms[2]);
    issue_world_free(iw);
}

/* A certificate in two zones needs both; waiting for the second one is not cut into pieces that all settle. */
TEST(one_certificate_in_two_zones_waits_once)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "www", "a.example.com,c.example.net");
    slow_server(iw)->lag_ms = 20000;
    iw->w->opts.propagation.settle_ms = 5000;
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_in_range(iw->told_ms[0], 25000, 27000);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ the CA */

TEST(an_order_that_stays_pending_holds_up_no_other)
{
    struct issue_world *iw = begin(0);

    iw->ca->manner.never_validates = "c.example.net";
    assert_int_equal(issue_world_run(iw), ERR_OK);
    expect_others_done(iw);
    assert_int_equal(iw->jobs[1].err.code, ERR_TIMEOUT);
    assert_non_null(strstr(iw->jobs[1].err.msg, "c.example.net"));
    assert_in_range(iw->told_ms[1], POLL_TIMEOUT_MS, POLL_TIMEOUT_MS + QUICK_MS);
    expect_nothing_left(iw);
    issue_world_free(iw);
}

TEST(an_order_that_stays_processing_holds_up_no_other)
{
    struct issue_world *iw = begin(0);

    iw->ca->manner.never_issues = "c.example.net";
    assert_int_equal(issue_world_run(iw), ERR_OK);
    expect_others_done(iw);
    assert_int_equal(iw->jobs[1].err.code, ERR_TIMEOUT);
    assert_non_null(strstr(iw->jobs[1].err.msg, "has not issued the certificate for \"c.example.net\""));
    assert_in_range(iw->told_ms[1], POLL_TIMEOUT_MS, POLL_TIMEOUT_MS + QUICK_MS);
    expect_nothing_left(iw);
    issue_world_free(iw);
}

/* Two that are stuck at different places wait for each other no more than others do. */
TEST(the_ca_and_the_name_servers_are_waited_for_side_by_side)
{
    struct issue_world *iw = begin(30000);

    (void)issue_world_add(iw, "stuck", "d.example.com");
    iw->ca->manner.never_validates = "d.example.com";
    assert_int_equal(issue_world_run(iw), ERR_OK);
    expect_others_done(iw);
    assert_true(issue_world_is_good(iw, &iw->jobs[1], "the slow one"));
    assert_in_range(iw->told_ms[1], 30000, 30000 + QUICK_MS);
    assert_int_equal(iw->jobs[3].err.code, ERR_TIMEOUT);
    assert_in_range(iw->told_ms[3], POLL_TIMEOUT_MS, POLL_TIMEOUT_MS + QUICK_MS);
    issue_world_free(iw);
}

TEST(an_order_of_an_earlier_run_that_is_ready_waits_for_no_records)
{
    struct issue_world *iw = begin(FAKE_NEVER);

    iw->ca->manner.never_issues = "a.example.com";
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_int_equal(iw->jobs[0].err.code, ERR_TIMEOUT);
    iw->ca->manner.never_issues = NULL;
    (void)issue_world_run(iw);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "taken up"));
    assert_in_range(iw->told_ms[0], 0, 3000);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ a second run */

TEST(the_next_run_takes_up_exactly_what_is_left)
{
    struct issue_world *iw = begin(FAKE_NEVER);
    size_t orders;

    assert_int_equal(issue_world_run(iw), ERR_OK);
    orders = iw->ca->order_count;
    for (size_t i = 0; i < iw->job_count; i += 2) { /* the caller leaves out what is done */
        issue_job_done(&iw->jobs[i]);
        strlist_done(&iw->domains[i]);
    }
    iw->jobs[0] = iw->jobs[1];
    iw->domains[0] = iw->domains[1];
    iw->jobs[0].domains = &iw->domains[0];
    iw->job_count = 1;
    slow_server(iw)->lag_ms = 0;
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "the second run"));
    assert_int_equal(iw->ca->order_count, orders); /* its order was still good */
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ the operator */

static bool stops_cleanly(int64_t at_ms)
{
    struct issue_world *iw = begin(20000);
    bool good = true;
    enum err_code code;

    iw->w->clock.cancel_at_ms = iw->w->clock.mono_ms + at_ms;
    code = issue_world_run(iw);
    for (size_t i = 0; i < iw->job_count; i++) {
        enum err_code want = iw->told_ms[i] < at_ms ? ERR_OK : ERR_CANCELLED;

        if (iw->jobs[i].err.code == want || (iw->told_ms[i] == at_ms && iw->jobs[i].err.code == ERR_OK))
            continue;
        (void)fprintf(stderr, "stopped after %lld ms: \"%s\", told after %lld ms: %s\n", (long long)at_ms,
                      iw->jobs[i].name, (long long)iw->told_ms[i], iw->jobs[i].err.msg);
        good = false;
    }
    good = (code == ERR_CANCELLED || iw->w->clock.mono_ms < iw->w->clock.cancel_at_ms) && good;
    if (fake_api_count_ours(iw->w->api) || world_journal_count(iw->w)) {
        (void)fprintf(stderr, "stopped after %lld ms: records are left\n", (long long)at_ms);
        good = false;
    }
    iw->w->clock.cancelled = false;
    iw->w->clock.cancel_at_ms = 0;
    good = issue_world_outcome(iw, issue_world_run(iw)) == ERR_OK && good;
    issue_world_free(iw);
    return good;
}

TEST(a_wish_to_stop_at_any_time_withdraws_and_keeps_what_is_finished)
{
    size_t bad = 0;

    for (int64_t at_ms = 100; at_ms < 28000; at_ms += 300)
        bad += !stops_cleanly(at_ms);
    assert_int_equal(bad, 0);
}

/* Who has accepted a wish to stop accepts it for good: in a later wave it would not be heeded. */
TEST(an_order_that_fails_is_no_reason_to_be_deaf_afterwards)
{
    struct issue_world *iw = begin(FAKE_NEVER);

    iw->never_valid = "b.example.com";
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_int_equal(iw->jobs[1].err.code, ERR_PROPAGATION);
    assert_int_equal(iw->jobs[2].err.code, ERR_CHALLENGE);
    assert_int_equal(iw->w->clock.accepted, 0);
    expect_nothing_left(iw);
    issue_world_free(iw);
}

static struct issue_world *begin_one(void)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "www", "a.example.com");
    return iw;
}

TEST(a_wish_to_stop_while_records_are_withdrawn_leaves_none)
{
    struct issue_world *iw = begin_one();
    size_t requests;

    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    requests = iw->w->api->request_count;
    issue_world_free(iw);
    iw = begin_one();
    fake_api_fail(iw->w->api, FAKE_API_CANCEL, requests - 1, 1); /* the DELETE */
    assert_int_equal(issue_world_run(iw), ERR_CANCELLED);
    assert_int_equal(iw->w->clock.accepted, 1);
    assert_int_equal(iw->jobs[0].err.code, ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "although interrupted"));
    expect_nothing_left(iw);
    issue_world_free(iw);
}

TEST(a_wish_to_stop_while_some_records_are_withdrawn_ends_the_wait_for_others)
{
    struct issue_world *iw = begin(FAKE_NEVER);
    size_t requests;

    assert_int_equal(issue_world_run(iw), ERR_OK);
    requests = iw->w->api->request_count;
    issue_world_free(iw);
    iw = begin(FAKE_NEVER);
    fake_api_fail(iw->w->api, FAKE_API_CANCEL, requests - 2, 1); /* the first of two DELETEs */
    assert_int_equal(issue_world_run(iw), ERR_CANCELLED);
    expect_others_done(iw);
    assert_int_equal(iw->jobs[1].err.code, ERR_CANCELLED);
    assert_in_range(iw->told_ms[1], 0, QUICK_MS);
    expect_nothing_left(iw);
    issue_world_free(iw);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_that_never_shows_its_record_holds_up_no_other_certificate),
        cmocka_unit_test(a_zone_whose_servers_are_silent_holds_up_no_other_certificate),
        cmocka_unit_test(a_zone_that_is_slow_is_done_in_a_later_round_of_the_same_run),
        cmocka_unit_test(zones_that_are_shown_within_seconds_go_together),
        cmocka_unit_test(one_certificate_in_two_zones_waits_once),
        cmocka_unit_test(an_order_that_stays_pending_holds_up_no_other),
        cmocka_unit_test(an_order_that_stays_processing_holds_up_no_other),
        cmocka_unit_test(the_ca_and_the_name_servers_are_waited_for_side_by_side),
        cmocka_unit_test(an_order_of_an_earlier_run_that_is_ready_waits_for_no_records),
        cmocka_unit_test(the_next_run_takes_up_exactly_what_is_left),
        cmocka_unit_test(a_wish_to_stop_at_any_time_withdraws_and_keeps_what_is_finished),
        cmocka_unit_test(an_order_that_fails_is_no_reason_to_be_deaf_afterwards),
        cmocka_unit_test(a_wish_to_stop_while_records_are_withdrawn_leaves_none),
        cmocka_unit_test(a_wish_to_stop_while_some_records_are_withdrawn_ends_the_wait_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
