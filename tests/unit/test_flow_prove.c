/* SPDX-License-Identifier: MIT
 *
 * Records that prove names: where they are, when they go, and which stay.
 */
#include <stdlib.h>
#include <string.h>

#include "issue_world.h"
#include "test.h"

static void assert_issued(struct issue_world *iw)
{
    if (issue_world_outcome(iw, issue_world_run(iw)) != ERR_OK)
        fail_msg("%s", iw->jobs[0].err.msg);
    for (size_t i = 0; i < iw->job_count; i++)
        assert_true(issue_world_is_good(iw, &iw->jobs[i], "issued"));
}

static void assert_nothing_left(struct issue_world *iw)
{
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    assert_int_equal(world_journal_count(iw->w), 0);
}

/* ------------------------------------------------------------------ records that stay */

static struct issue_job *add_persistent(struct issue_world *iw, const char *name, const char *domains)
{
    struct issue_job *job = issue_world_add(iw, name, domains);

    job->challenge = ACME_DNS_PERSIST_01;
    return job;
}

TEST(a_record_that_persists_is_in_no_journal_and_no_sweep_takes_it)
{
    struct issue_world *iw = issue_world_new();
    struct world_swept swept;
    AUTO_FREE char *pair = NULL;

    (void)add_persistent(iw, "www", "example.com");
    assert_issued(iw);
    pair = mem_printf("_validation-persist.example.com ca.example.net; accounturi=%s", iw->account_url);
    assert_int_equal(iw->jobs[0].to_keep.count, 1);
    assert_string_equal(iw->jobs[0].to_keep.items[0], pair);
    assert_int_equal(world_journal_count(iw->w), 0);
    fake_clock_advance(&iw->w->clock, 30 * DAY_MS);
    assert_int_equal(world_sweep(iw->w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(fake_api_count_ours(iw->w->api), 1);
    issue_world_free(iw);
}

TEST(apex_and_wildcard_persist_with_a_record_each)
{
    struct issue_world *iw = issue_world_new();

    (void)add_persistent(iw, "www", "example.com,*.example.com");
    assert_issued(iw);
    assert_int_equal(iw->jobs[0].to_keep.count, 2);
    assert_non_null(strstr(iw->jobs[0].to_keep.items[1], "; policy=wildcard"));
    assert_int_equal(fake_api_count_ours(iw->w->api), 2);
    issue_world_free(iw);
}

/* What the certificate's record would remember. */
static struct strlist remember(struct issue_job *job)
{
    struct strlist persisted = {NULL, 0};

    strlist_copy(&persisted, &job->to_keep);
    job->persisted = NULL;
    return persisted;
}

TEST(what_stands_already_is_not_published_again_and_stays_known)
{
    struct issue_world *iw = issue_world_new();
    struct issue_job *job = add_persistent(iw, "www", "example.com,a.example.com");
    struct strlist persisted AUTO_STRLIST = {NULL, 0};
    size_t before;

    assert_issued(iw);
    persisted = remember(job);
    assert_int_equal(persisted.count, 2);
    job->persisted = &persisted;
    before = iw->w->api->request_count;
    iw->jobs[0].profile = "shortlived"; /* another order */
    assert_issued(iw);
    assert_int_equal(iw->w->api->request_count, before);
    assert_true(strlist_is_same_set(&job->to_keep, &persisted));
    iw->ca->manner.reuses_authorizations = true;
    iw->jobs[0].profile = "classic";
    assert_issued(iw);
    assert_true(strlist_is_same_set(&job->to_keep, &persisted));
    assert_int_equal(fake_api_count_ours(iw->w->api), 2);
    issue_world_free(iw);
}

TEST(a_record_that_persists_goes_when_the_order_fails)
{
    struct issue_world *iw = issue_world_new();

    (void)add_persistent(iw, "www", "example.com");
    iw->never_valid = "example.com";
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_CHALLENGE);
    assert_nothing_left(iw);
    issue_world_free(iw);
}

TEST(a_record_that_another_certificate_keeps_stays_when_an_order_fails)
{
    struct issue_world *iw = issue_world_new();

    (void)add_persistent(iw, "good", "example.com");
    (void)add_persistent(iw, "bad", "example.com,broken.example.com");
    iw->never_valid = "broken.example.com";
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_int_equal(iw->jobs[0].err.code, ERR_OK);
    assert_int_equal(iw->jobs[1].err.code, ERR_CHALLENGE);
    assert_int_equal(fake_api_count_ours(iw->w->api), 1);
    assert_int_equal(world_journal_count(iw->w), 0);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ dns-account-01 */

TEST(a_record_of_the_accounts_own_is_published_and_withdrawn)
{
    struct issue_world *iw = issue_world_new();
    struct issue_job *job = issue_world_add(iw, "www", "a.example.com,*.a.example.com");

    job->challenge = ACME_DNS_ACCOUNT_01;
    assert_issued(iw);
    assert_int_equal(iw->unseen, 0);
    assert_nothing_left(iw);
    issue_world_free(iw);
}

TEST(certificates_of_one_wave_may_be_proved_in_different_ways)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "one", "a.example.com");
    issue_world_add(iw, "two", "b.example.com")->challenge = ACME_DNS_ACCOUNT_01;
    (void)add_persistent(iw, "three", "c.example.net");
    assert_issued(iw);
    assert_int_equal(iw->unseen, 0);
    assert_int_equal(iw->jobs[0].to_keep.count + iw->jobs[1].to_keep.count, 0);
    assert_int_equal(fake_api_count_ours(iw->w->api), 1);
    assert_int_equal(world_journal_count(iw->w), 0);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ what was never published */

TEST(nothing_is_withdrawn_that_was_never_published)
{
    static const enum fake_ca_fault faults[] = {FAKE_CA_CANCEL, FAKE_CA_UNAUTHORIZED};

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct issue_world *iw = issue_world_new();

        (void)issue_world_add(iw, "www", "a.example.com,b.example.com");
        /* directory, nonce and newOrder are fine, and the first of two authorizations */
        fake_ca_fail(iw->ca, faults[i], iw->ca->request_count + 4, 1);
        assert_int_not_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
        assert_int_equal(iw->ca->order_count, 1);
        assert_int_equal(iw->w->api->request_count, 0);
        issue_world_free(iw);
    }
}

TEST(a_record_that_is_not_seen_in_time_goes_and_harms_no_other_certificate)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "good", "a.example.com");
    (void)issue_world_add(iw, "unseen", "b.example.net");
    iw->w->dns->servers[2].lag_ms = FAKE_NEVER;
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "the other one"));
    assert_int_equal(iw->jobs[1].err.code, ERR_PROPAGATION);
    assert_nothing_left(iw);
    issue_world_free(iw);
}

TEST(an_interruption_while_waiting_takes_all_records_away)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "one", "a.example.com");
    (void)issue_world_add(iw, "two", "b.example.net");
    for (size_t i = 0; i < iw->w->dns->server_count; i++)
        iw->w->dns->servers[i].lag_ms = FAKE_NEVER;
    iw->w->clock.cancel_at_ms = iw->w->clock.mono_ms + 20000;
    assert_int_equal(issue_world_run(iw), ERR_CANCELLED);
    assert_int_equal(iw->jobs[0].err.code, ERR_CANCELLED);
    assert_int_equal(iw->jobs[1].err.code, ERR_CANCELLED);
    assert_nothing_left(iw);
    issue_world_free(iw);
}

TEST(what_can_not_be_withdrawn_is_journalled_and_no_obstacle)
{
    struct issue_world *iw = issue_world_new();
    struct world_swept swept;

    (void)issue_world_add(iw, "www", "a.example.com");
    fake_api_fail(iw->w->api, FAKE_API_403, 2, FAKE_API_FOREVER); /* look-up and creation are fine */
    assert_issued(iw);
    assert_int_equal(fake_api_count_ours(iw->w->api), 1);
    assert_int_equal(world_journal_count(iw->w), 1);
    assert_true(world_log_has(iw->w, "continuing"));
    fake_api_heal(iw->w->api);
    fake_clock_advance(&iw->w->clock, 2 * DAY_MS);
    assert_int_equal(world_sweep(iw->w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_nothing_left(iw);
    issue_world_free(iw);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_persists_is_in_no_journal_and_no_sweep_takes_it),
        cmocka_unit_test(apex_and_wildcard_persist_with_a_record_each),
        cmocka_unit_test(what_stands_already_is_not_published_again_and_stays_known),
        cmocka_unit_test(a_record_that_persists_goes_when_the_order_fails),
        cmocka_unit_test(a_record_that_another_certificate_keeps_stays_when_an_order_fails),
        cmocka_unit_test(a_record_of_the_accounts_own_is_published_and_withdrawn),
        cmocka_unit_test(certificates_of_one_wave_may_be_proved_in_different_ways),
        cmocka_unit_test(nothing_is_withdrawn_that_was_never_published),
        cmocka_unit_test(a_record_that_is_not_seen_in_time_goes_and_harms_no_other_certificate),
        cmocka_unit_test(an_interruption_while_waiting_takes_all_records_away),
        cmocka_unit_test(what_can_not_be_withdrawn_is_journalled_and_no_obstacle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
