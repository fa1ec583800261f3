/* SPDX-License-Identifier: MIT */
#include "dme/retry.h"
#include "test.h"

static void assert_about(int64_t got_ms, int64_t want_ms)
{
    assert_in_range(got_ms, want_ms - want_ms / 4 - 1, want_ms + want_ms / 4 + 1);
}

static struct dme_retry begun(uint64_t seed)
{
    return (struct dme_retry){.start_ms = 1000, .deadline_ms = 1000000, .budget_deadline_ms = 3000000, .seed = seed};
}

TEST(transient_failures_are_retried_seven_times_with_growing_pauses)
{
    static const int64_t want_ms[] = {300, 600, 1200, 2400, 4800, 9600, 10000};
    int64_t pause_ms = -1;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct dme_retry retry = begun(seed);

        for (size_t i = 0; i < ARRAY_LEN(want_ms); i++) {
            assert_true(dme_retry_next(&retry, DME_TRANSIENT, 2000, &pause_ms));
            assert_about(pause_ms, want_ms[i]);
        }
        assert_false(dme_retry_next(&retry, DME_TRANSIENT, 2000, &pause_ms));
    }
}

TEST(garbled_answers_are_retried_twice)
{
    struct dme_retry retry = begun(1);
    int64_t pause_ms = -1;

    assert_true(dme_retry_next(&retry, DME_GARBLED, 2000, &pause_ms));
    assert_about(pause_ms, 300);
    assert_true(dme_retry_next(&retry, DME_GARBLED, 2000, &pause_ms));
    assert_about(pause_ms, 600);
    assert_false(dme_retry_next(&retry, DME_GARBLED, 2000, &pause_ms));
}

TEST(the_rate_limit_has_a_deadline_of_its_own_and_no_pauses)
{
    struct dme_retry retry = begun(7);
    int64_t pause_ms = -1;

    for (size_t i = 0; i < 50; i++) {
        assert_true(dme_retry_next(&retry, DME_LIMITED, 2000000, &pause_ms));
        assert_int_equal(pause_ms, 0);
    }
    assert_false(dme_retry_next(&retry, DME_LIMITED, 3000001, &pause_ms));
    assert_false(dme_retry_next(&retry, DME_TRANSIENT, 2000000, &pause_ms));
}

TEST(a_server_that_asks_for_a_longer_pause_gets_it_if_there_is_time)
{
    static const enum dme_verdict verdicts[] = {DME_TRANSIENT, DME_LIMITED, DME_GARBLED};
    int64_t pause_ms = -1;

    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
        struct dme_retry retry = begun(5);

        retry.asked_ms = 30000;
        assert_true(dme_retry_next(&retry, verdicts[i], 2000, &pause_ms));
        assert_int_equal(pause_ms, 30000);
        retry.asked_ms = 1;
        assert_true(dme_retry_next(&retry, verdicts[i], 2000, &pause_ms));
        assert_true(verdicts[i] == DME_LIMITED ? pause_ms == 1 : pause_ms > 200);
        retry.asked_ms = verdicts[i] == DME_LIMITED ? 2998001 : 998001;
        assert_false(dme_retry_next(&retry, verdicts[i], 2000, &pause_ms));
    }
}

TEST(no_pause_reaches_beyond_the_deadline)
{
    struct dme_retry retry = begun(3);
    int64_t pause_ms = -1;

    assert_false(dme_retry_next(&retry, DME_TRANSIENT, 999999, &pause_ms));
    assert_int_equal(pause_ms, -1);
}

TEST(signing_again_happens_once_and_at_once)
{
    struct dme_retry retry = begun(3);
    int64_t pause_ms = -1;

    assert_true(dme_retry_next(&retry, DME_RESIGN, 2000, &pause_ms));
    assert_int_equal(pause_ms, 0);
    assert_false(dme_retry_next(&retry, DME_RESIGN, 2000, &pause_ms));
}

TEST(what_is_final_is_not_retried)
{
    struct dme_retry retry = begun(3);
    int64_t pause_ms = -1;

    assert_false(dme_retry_next(&retry, DME_FINAL, 2000, &pause_ms));
}

TEST(processes_started_together_do_not_come_back_together)
{
    size_t same = 0;

    for (uint64_t seed = 1; seed < 100; seed++) {
        struct dme_retry a = begun(seed * 4096);
        struct dme_retry b = begun(seed * 4096 + 4096);
        int64_t a_ms = 0;
        int64_t b_ms = 0;

        assert_true(dme_retry_next(&a, DME_TRANSIENT, 2000, &a_ms));
        assert_true(dme_retry_next(&b, DME_TRANSIENT, 2000, &b_ms));
        same += a_ms == b_ms;
    }
    assert_true(same < 5);
}

TEST(an_attempt_ends_with_the_deadline_but_always_gets_a_second)
{
    struct dme_retry retry = begun(3);

    assert_int_equal(dme_retry_timeout_ms(&retry, 10000, 1000), 10000);
    assert_int_equal(dme_retry_timeout_ms(&retry, 10000, 997000), 3000);
    assert_int_equal(dme_retry_timeout_ms(&retry, 10000, 999999), 1000);
    assert_int_equal(dme_retry_timeout_ms(&retry, 10000, 2000000), 1000);
    assert_int_equal(dme_retry_timeout_ms(&retry, 500, 999999), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transient_failures_are_retried_seven_times_with_growing_pauses),
        cmocka_unit_test(garbled_answers_are_retried_twice),
        cmocka_unit_test(the_rate_limit_has_a_deadline_of_its_own_and_no_pauses),
        cmocka_unit_test(a_server_that_asks_for_a_longer_pause_gets_it_if_there_is_time),
        cmocka_unit_test(no_pause_reaches_beyond_the_deadline),
        cmocka_unit_test(signing_again_happens_once_and_at_once),
        cmocka_unit_test(what_is_final_is_not_retried),
        cmocka_unit_test(processes_started_together_do_not_come_back_together),
        cmocka_unit_test(an_attempt_ends_with_the_deadline_but_always_gets_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
