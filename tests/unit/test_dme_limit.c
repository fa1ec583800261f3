/* SPDX-License-Identifier: MIT */
#include "dme/limit.h"
#include "test.h"

#define WINDOW_MS 300000
#define START_MS 1000000000
#define US 7
#define THEM 8

static const int64_t limits[] = {150, 20, 5};
static const struct dme_claim up_to_8 = {.owner = US, .least = 1, .most = 8, .kind = DME_STAMP_SENT};

static struct dme_window opened(int64_t limit)
{
    return (struct dme_window){.window_ms = WINDOW_MS, .limit = limit};
}

static int64_t claim(struct dme_window *w, int64_t owner, int64_t count, int64_t now_ms)
{
    const struct dme_claim wanted = {.owner = owner, .least = count, .most = count, .kind = DME_STAMP_SENT};
    size_t got = 0;
    int64_t wait_ms = dme_window_claim(w, &wanted, now_ms, &got);

    assert_int_equal(got, wait_ms ? 0 : count);
    return wait_ms;
}

static int64_t hold(struct dme_window *w, int64_t owner, int64_t count, int64_t now_ms)
{
    const struct dme_claim wanted = {.owner = owner, .least = count, .most = count, .kind = DME_STAMP_HELD};
    size_t got;

    return dme_window_claim(w, &wanted, now_ms, &got);
}

/* `count` requests of an owner, sent at `sent_ms`, are answered now, and the server says what is left. */
static void answer(struct dme_window *w, int64_t owner, size_t count, int64_t sent_ms, int64_t remaining,
                   int64_t now_ms)
{
    dme_window_learn(
        w,
        &(struct dme_news){
            .owner = owner, .sent_ms = sent_ms, .answered = count, .limit = w->limit, .remaining = remaining},
        now_ms);
}

static void refuse(struct dme_window *w, int64_t owner, int64_t sent_ms, int64_t now_ms)
{
    dme_window_learn(
        w,
        &(struct dme_news){
            .owner = owner, .sent_ms = sent_ms, .refused = 1, .limit = w->limit, .remaining = w->limit ? 0 : -1},
        now_ms);
}

/* One request, answered at once; the server counts as we do. */
static void one(struct dme_window *w, int64_t now_ms)
{
    assert_int_equal(claim(w, US, 1, now_ms), 0);
    answer(w, US, 1, now_ms, dme_window_limit(w) - (int64_t)w->stamp_count, now_ms);
}

TEST(what_fits_goes_at_once_and_the_next_when_the_oldest_falls_out)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct dme_window w = opened(limits[i]);

        for (int64_t n = 0; n < limits[i]; n++) {
            assert_int_equal(dme_window_left(&w, START_MS + n), limits[i] - n);
            one(&w, START_MS + n);
        }
        assert_int_equal(dme_window_left(&w, START_MS + 1000), 0);
        assert_int_equal(dme_window_next_ms(&w, START_MS + 1000), WINDOW_MS - 1000);
        assert_int_equal(claim(&w, US, 1, START_MS + 1000), WINDOW_MS - 1000);
        assert_int_equal(claim(&w, US, 1, START_MS + WINDOW_MS - 1), 1);
        assert_int_equal(claim(&w, US, 1, START_MS + WINDOW_MS), 0);
        assert_int_equal(claim(&w, US, 1, START_MS + WINDOW_MS), 1);
        dme_window_done(&w);
    }
}

/* Whoever plays by it, for ever so long, never makes more than the limit in any window. */
TEST(no_stretch_of_time_as_long_as_the_window_ever_has_more_than_the_limit)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct dme_window w = opened(limits[i]);
        int64_t made_ms[2000];
        size_t made = 0;

        for (int64_t now_ms = START_MS; made < ARRAY_LEN(made_ms); now_ms += 37 * (int64_t)(1 + made % 91)) {
            int64_t wait_ms = claim(&w, US, 1, now_ms);

            if (wait_ms) {
                now_ms += wait_ms;
                assert_int_equal(claim(&w, US, 1, now_ms), 0);
            }
            dme_window_learn(&w, &(struct dme_news){.owner = US, .sent_ms = now_ms, .answered = 1, .remaining = -1},
                             now_ms);
            made_ms[made++] = now_ms;
            if (made > (size_t)limits[i])
                assert_true(made_ms[made - 1] - made_ms[made - 1 - (size_t)limits[i]] >= WINDOW_MS);
        }
        dme_window_done(&w);
    }
}

TEST(until_a_header_tells_there_are_150_and_the_operator_may_allow_fewer)
{
    struct dme_window w = opened(0);

    assert_int_equal(dme_window_left(&w, START_MS), 150);
    w.allowed = 100;
    assert_int_equal(dme_window_left(&w, START_MS), 100);
    w.limit = 20;
    assert_int_equal(dme_window_left(&w, START_MS), 20);
    w.limit = 1000000;
    w.allowed = 0;
    assert_int_equal(dme_window_left(&w, START_MS), DME_LIMIT_MAX);
    dme_window_done(&w);
}

TEST(a_request_counts_from_its_answer_on)
{
    struct dme_window w = opened(1);

    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    answer(&w, US, 1, START_MS, 0, START_MS + 700);
    assert_int_equal(claim(&w, US, 1, START_MS + 1000), WINDOW_MS - 300);
    dme_window_done(&w);
}

TEST(one_that_never_arrived_does_not_count)
{
    struct dme_window w = opened(5);

    assert_int_equal(claim(&w, US, 3, START_MS), 0);
    dme_window_learn(&w, &(struct dme_news){.owner = US, .sent_ms = START_MS, .unsent = 2, .remaining = -1},
                     START_MS + 10);
    assert_int_equal(dme_window_left(&w, START_MS + 10), 4);
    dme_window_done(&w);
}

TEST(requests_of_other_hosts_are_seen_in_the_answers)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct dme_window w = opened(limits[i]);

        assert_int_equal(claim(&w, US, 1, START_MS), 0);
        answer(&w, US, 1, START_MS, limits[i] - 4, START_MS + 100); /* four are used */
        assert_int_equal(dme_window_left(&w, START_MS + 100), limits[i] - 4);
        assert_int_equal(dme_window_own(&w), 1);
        assert_int_equal(dme_window_left(&w, START_MS + 100 + WINDOW_MS), limits[i] - 4); /* not tidied */
        dme_window_tidy(&w, START_MS + 100 + WINDOW_MS);
        assert_int_equal(dme_window_left(&w, START_MS + 100 + WINDOW_MS), limits[i]);
        dme_window_done(&w);
    }
}

TEST(a_server_that_counts_fewer_is_believed)
{
    struct dme_window w = opened(5);

    for (int64_t n = 0; n < 4; n++)
        one(&w, START_MS + n * 1000);
    assert_int_equal(claim(&w, US, 1, START_MS + 10000), 0);
    answer(&w, US, 1, START_MS + 10000, 3, START_MS + 10000); /* its window is shorter: this one and one before it */
    assert_int_equal(dme_window_left(&w, START_MS + 10000), 3);
    assert_int_equal(w.stamps[0].at_ms, START_MS + 3000);
    dme_window_done(&w);
}

/* Processes side by side: the answers do not come in the order in which the server has counted. */
TEST(what_is_under_way_or_came_later_is_not_taken_for_missing)
{
    struct dme_window w = opened(20);

    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    assert_int_equal(claim(&w, THEM, 1, START_MS + 1), 0);
    answer(&w, US, 1, START_MS, 19, START_MS + 50); /* theirs had not arrived */
    assert_int_equal(dme_window_left(&w, START_MS + 50), 18);
    answer(&w, THEM, 1, START_MS + 1, 18, START_MS + 60);
    assert_int_equal(dme_window_left(&w, START_MS + 60), 18);

    assert_int_equal(claim(&w, US, 1, START_MS + 100), 0);
    assert_int_equal(claim(&w, THEM, 1, START_MS + 100), 0);
    answer(&w, THEM, 1, START_MS + 100, 16, START_MS + 150);
    answer(&w, US, 1, START_MS + 100, 17, START_MS + 160); /* it was counted before theirs */
    assert_int_equal(dme_window_left(&w, START_MS + 160), 16);
    dme_window_done(&w);
}

TEST(a_smaller_limit_is_respected_at_once)
{
    struct dme_window w = opened(150);

    for (int64_t n = 0; n < 6; n++)
        one(&w, START_MS + n);
    w.limit = 5;
    assert_int_equal(dme_window_left(&w, START_MS + 10), 0);
    assert_int_equal(claim(&w, US, 1, START_MS + 10), WINDOW_MS + 1 - 10); /* the first two have to fall out */
    dme_window_done(&w);
}

/* ------------------------------------------------------------------ refusals */

TEST(a_refusal_closes_the_window_for_all_until_our_oldest_falls_out)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct dme_window w = opened(limits[i]);

        one(&w, START_MS);
        assert_int_equal(claim(&w, US, 1, START_MS + 2000), 0);
        refuse(&w, US, START_MS + 2000, START_MS + 2100);
        assert_int_equal(claim(&w, THEM, 1, START_MS + 2100), WINDOW_MS - 2100);
        dme_window_done(&w);
    }
}

TEST(a_refusal_that_we_can_not_explain_closes_it_for_a_fifth_and_the_next_for_a_whole_window)
{
    struct dme_window w = opened(20);
    int64_t now_ms = START_MS;

    assert_int_equal(claim(&w, US, 1, now_ms), 0);
    refuse(&w, US, now_ms, now_ms);
    assert_int_equal(claim(&w, US, 1, now_ms), WINDOW_MS / 5);
    now_ms += WINDOW_MS / 5;
    for (size_t n = 0; n < 3; n++) {
        assert_int_equal(claim(&w, US, 1, now_ms), 0);
        refuse(&w, US, now_ms, now_ms);
        assert_int_equal(claim(&w, US, 1, now_ms), WINDOW_MS);
        now_ms += WINDOW_MS;
    }
    dme_window_done(&w);
}

TEST(after_a_refusal_one_at_a_time_tries_until_one_is_answered)
{
    struct dme_window w = opened(20);
    int64_t then_ms = START_MS + WINDOW_MS / 5;

    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    refuse(&w, US, START_MS, START_MS);
    assert_int_equal(claim(&w, US, 1, then_ms), 0);
    assert_int_not_equal(claim(&w, THEM, 1, then_ms), 0);
    answer(&w, US, 1, then_ms, 15, then_ms + 100); /* five are used, this one included */
    assert_int_equal(claim(&w, THEM, 1, then_ms + 100), 0);
    assert_int_equal(dme_window_left(&w, then_ms + 100), 14);
    dme_window_done(&w);
}

TEST(an_answer_to_an_older_request_does_not_open_what_a_refusal_has_closed)
{
    struct dme_window w = opened(20);

    assert_int_equal(claim(&w, THEM, 1, START_MS), 0);
    assert_int_equal(claim(&w, US, 1, START_MS + 5), 0);
    refuse(&w, US, START_MS + 5, START_MS + 50);
    answer(&w, THEM, 1, START_MS, 0, START_MS + 90);
    assert_true(claim(&w, THEM, 1, START_MS + 100) > WINDOW_MS / 6);
    dme_window_done(&w);
}

TEST(the_first_request_of_all_asks_for_the_limit)
{
    struct dme_window w = opened(0);
    size_t got;

    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS, &got), 0);
    assert_int_equal(got, 1);
    assert_in_range(claim(&w, THEM, 1, START_MS + 10), 1, 100); /* a moment */
    dme_window_learn(&w,
                     &(struct dme_news){.owner = US, .sent_ms = START_MS, .answered = 1, .limit = 5, .remaining = 4},
                     START_MS + 100);
    assert_int_equal(claim(&w, THEM, 1, START_MS + 100), 0);
    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS + 101, &got), 0);
    assert_int_equal(got, 3);
    dme_window_done(&w);
}

TEST(whoever_asked_for_the_limit_and_was_killed_is_waited_for_some_seconds)
{
    struct dme_window w = opened(0);

    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    assert_int_not_equal(claim(&w, THEM, 1, START_MS + 9000), 0);
    assert_int_equal(claim(&w, THEM, 1, START_MS + 10000), 0);
    dme_window_done(&w);
}

TEST(a_server_that_does_not_tell_its_limit_is_taken_to_have_the_usual_one)
{
    struct dme_window w = opened(0);

    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    dme_window_learn(&w, &(struct dme_news){.owner = US, .sent_ms = START_MS, .answered = 1, .remaining = -1},
                     START_MS);
    assert_int_equal(claim(&w, US, 100, START_MS), 0);
    assert_int_equal(claim(&w, THEM, 49, START_MS), 0);
    dme_window_done(&w);
}

TEST(a_server_that_asks_for_a_pause_is_given_that)
{
    struct dme_window w = opened(150);

    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    dme_window_learn(
        &w, &(struct dme_news){.owner = US, .sent_ms = START_MS, .refused = 1, .asked_ms = 1000, .remaining = -1},
        START_MS);
    assert_int_equal(claim(&w, US, 1, START_MS), 1000);
    assert_int_equal(claim(&w, US, 1, START_MS + 1000), 0);
    dme_window_done(&w);
}

/* ------------------------------------------------------------------ the queue */

TEST(whoever_came_first_goes_first)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct dme_window w = opened(limits[i]);
        int64_t full_ms = START_MS + limits[i];
        int64_t free_ms = START_MS + WINDOW_MS;

        for (int64_t n = 0; n < limits[i]; n++)
            one(&w, START_MS + n);
        assert_int_equal(claim(&w, 101, 1, full_ms), free_ms - full_ms);
        assert_int_equal(claim(&w, 102, 2, full_ms), free_ms + 2 - full_ms); /* needs the second and the third */
        assert_int_equal(claim(&w, 103, 1, full_ms), free_ms + 3 - full_ms);
        for (int64_t now_ms = full_ms; now_ms < free_ms; now_ms += dme_window_poll_ms(&w)) {
            assert_int_equal(claim(&w, 103, 1, now_ms), free_ms + 3 - now_ms); /* in whatever order they ask */
            assert_int_equal(claim(&w, 101, 1, now_ms), free_ms - now_ms);
            assert_int_equal(claim(&w, 102, 2, now_ms), free_ms + 2 - now_ms);
        }
        assert_int_equal(claim(&w, 103, 1, free_ms), 3); /* one has fallen out, and is not for them */
        assert_int_equal(claim(&w, 101, 1, free_ms), 0);
        assert_int_equal(claim(&w, 104, 1, free_ms + 1), 3); /* a newcomer */
        assert_int_equal(claim(&w, 102, 2, free_ms + 2), 0);
        assert_int_equal(claim(&w, 103, 1, free_ms + 3), 0);
        dme_window_done(&w);
    }
}

TEST(whoever_does_not_come_back_loses_the_place)
{
    struct dme_window w = opened(5);
    int64_t free_ms = START_MS + WINDOW_MS;

    for (int64_t n = 0; n < 5; n++)
        one(&w, START_MS + n * 60000);
    assert_int_equal(claim(&w, 101, 1, free_ms - 60000), 60000); /* and is killed */
    assert_int_equal(claim(&w, 102, 1, free_ms - 60000), 120000);
    assert_int_equal(claim(&w, 102, 1, free_ms), 0);
    dme_window_done(&w);
}

TEST(whoever_gives_up_leaves_the_place_to_the_next)
{
    struct dme_window w = opened(5);

    for (int64_t n = 0; n < 5; n++)
        one(&w, START_MS + n * 60000);
    assert_int_equal(claim(&w, 101, 1, START_MS + 240000), 60000);
    assert_int_equal(claim(&w, 102, 1, START_MS + 240000), 120000);
    dme_window_leave(&w, 101);
    assert_int_equal(claim(&w, 102, 1, START_MS + 240000), 60000);
    dme_window_done(&w);
}

TEST(several_go_together_only_if_nobody_waits)
{
    struct dme_window w = opened(5);
    size_t got;

    one(&w, START_MS);
    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS + 1, &got), 0);
    assert_int_equal(got, 4);
    answer(&w, US, 4, START_MS + 1, 0, START_MS + 2);
    assert_int_equal(hold(&w, THEM, 3, START_MS + WINDOW_MS - 10), 12);
    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS + WINDOW_MS, &got), 2);
    assert_int_equal(hold(&w, THEM, 3, START_MS + WINDOW_MS + 2), 0);
    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS + WINDOW_MS + 2, &got), 0);
    assert_int_equal(got, 2);
    dme_window_done(&w);
}

/* ------------------------------------------------------------------ admission */

TEST(what_is_held_is_used_by_its_owner_alone)
{
    struct dme_window w = opened(5);

    assert_int_equal(hold(&w, US, 4, START_MS), 0);
    assert_int_equal(claim(&w, THEM, 1, START_MS + 1), 0);
    assert_int_equal(claim(&w, THEM, 1, START_MS + 2), WINDOW_MS - 2);
    dme_window_leave(&w, THEM);
    assert_int_equal(claim(&w, US, 3, START_MS + 3), 0);
    assert_int_equal(dme_window_left(&w, START_MS + 3), 0);
    dme_window_release(&w, US);
    assert_int_equal(dme_window_left(&w, START_MS + 3), 1);
    assert_int_equal(claim(&w, THEM, 1, START_MS + 3), 0);
    dme_window_done(&w);
}

TEST(whoever_uses_what_is_held_waits_no_more)
{
    struct dme_window w = opened(0);
    size_t got;

    assert_int_equal(hold(&w, THEM, 4, START_MS), 0);
    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    assert_int_not_equal(claim(&w, THEM, 1, START_MS + 10), 0); /* for the answer that tells the limit */
    w.limit = 20;
    answer(&w, US, 1, START_MS, 19, START_MS + 100);
    assert_int_equal(claim(&w, THEM, 1, START_MS + 100), 0);
    assert_int_equal(w.ticket_count, 0);
    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS + 110, &got), 0);
    assert_int_equal(got, 8);
    dme_window_done(&w);
}

TEST(what_is_held_can_not_be_had_once_there_is_less_than_it_seemed)
{
    struct dme_window w = opened(0);
    size_t got;

    assert_int_equal(hold(&w, US, 12, START_MS), 0);
    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS, &got), 0);
    assert_int_equal(got, 1); /* the first of all */
    w.limit = 5;
    answer(&w, US, 1, START_MS, 4, START_MS + 100);
    assert_int_equal(w.stamp_count, 5);
    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS + 100, &got), 0);
    assert_int_equal(got, 4);
    answer(&w, US, 4, START_MS + 100, 0, START_MS + 200);

    dme_window_tidy(&w, START_MS + WINDOW_MS + 200);
    assert_int_equal(hold(&w, US, 4, START_MS + WINDOW_MS + 200), 0);
    assert_int_equal(claim(&w, THEM, 1, START_MS + WINDOW_MS + 200), 0);
    answer(&w, THEM, 1, START_MS + WINDOW_MS + 200, 2, START_MS + WINDOW_MS + 300); /* another host has used two */
    assert_int_equal(dme_window_claim(&w, &up_to_8, START_MS + WINDOW_MS + 300, &got), 0);
    assert_int_equal(got, 2);
    dme_window_done(&w);
}

TEST(a_refusal_ends_what_was_held)
{
    struct dme_window w = opened(20);

    assert_int_equal(hold(&w, US, 4, START_MS), 0);
    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    refuse(&w, US, START_MS, START_MS);
    assert_int_equal(claim(&w, US, 1, START_MS), WINDOW_MS / 5);
    assert_int_equal(claim(&w, US, 1, START_MS + WINDOW_MS / 5), 0);
    dme_window_done(&w);
}

TEST(more_than_the_limit_wait_for_as_many_as_there_can_be)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct dme_window w = opened(limits[i]);

        one(&w, START_MS);
        assert_int_equal(hold(&w, US, 10 * limits[i], START_MS + 1000), WINDOW_MS - 1000);
        assert_int_equal(hold(&w, US, 10 * limits[i], START_MS + WINDOW_MS), 0);
        assert_int_equal(w.stamp_count, limits[i]);
        dme_window_done(&w);
    }
}

/* ------------------------------------------------------------------ clocks that jump */

TEST(a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_window)
{
    struct dme_window w = opened(5);
    int64_t back_ms = START_MS - 86400000;

    for (int64_t n = 0; n < 4; n++)
        one(&w, START_MS);
    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    refuse(&w, US, START_MS, START_MS);
    assert_int_equal(claim(&w, 101, 1, START_MS), WINDOW_MS);
    assert_in_range(claim(&w, 102, 1, back_ms), WINDOW_MS, WINDOW_MS + 1);
    assert_int_equal(claim(&w, 101, 1, back_ms + WINDOW_MS), 0);
    dme_window_done(&w);
}

TEST(a_clock_that_is_set_forward_forgets_and_the_next_answer_tells)
{
    struct dme_window w = opened(5);

    for (int64_t n = 0; n < 4; n++)
        one(&w, START_MS);
    assert_int_equal(claim(&w, US, 1, START_MS + 86400000), 0);
    answer(&w, US, 1, START_MS + 86400000, 0, START_MS + 86400000);
    assert_int_equal(dme_window_left(&w, START_MS + 86400000), 0);
    dme_window_done(&w);
}

TEST(a_process_that_was_killed_with_a_request_under_way_does_not_keep_the_others_from_trying)
{
    struct dme_window w = opened(20);
    int64_t then_ms = START_MS + WINDOW_MS / 5;

    assert_int_equal(claim(&w, US, 1, START_MS), 0);
    refuse(&w, US, START_MS, START_MS);
    assert_int_equal(claim(&w, US, 1, then_ms), 0); /* killed */
    assert_int_not_equal(claim(&w, THEM, 1, then_ms + 30000), 0);
    assert_int_equal(dme_window_left(&w, then_ms + WINDOW_MS), 0);
    assert_int_equal(claim(&w, THEM, 1, START_MS + WINDOW_MS), 0);
    dme_window_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_goes_at_once_and_the_next_when_the_oldest_falls_out),
        cmocka_unit_test(no_stretch_of_time_as_long_as_the_window_ever_has_more_than_the_limit),
        cmocka_unit_test(until_a_header_tells_there_are_150_and_the_operator_may_allow_fewer),
        cmocka_unit_test(a_request_counts_from_its_answer_on),
        cmocka_unit_test(one_that_never_arrived_does_not_count),
        cmocka_unit_test(requests_of_other_hosts_are_seen_in_the_answers),
        cmocka_unit_test(a_server_that_counts_fewer_is_believed),
        cmocka_unit_test(what_is_under_way_or_came_later_is_not_taken_for_missing),
        cmocka_unit_test(a_smaller_limit_is_respected_at_once),
        cmocka_unit_test(a_refusal_closes_the_window_for_all_until_our_oldest_falls_out),
        cmocka_unit_test(a_refusal_that_we_can_not_explain_closes_it_for_a_fifth_and_the_next_for_a_whole_window),
        cmocka_unit_test(after_a_refusal_one_at_a_time_tries_until_one_is_answered),
        cmocka_unit_test(an_answer_to_an_older_request_does_not_open_what_a_refusal_has_closed),
        cmocka_unit_test(the_first_request_of_all_asks_for_the_limit),
        cmocka_unit_test(whoever_asked_for_the_limit_and_was_killed_is_waited_for_some_seconds),
        cmocka_unit_test(a_server_that_does_not_tell_its_limit_is_taken_to_have_the_usual_one),
        cmocka_unit_test(a_server_that_asks_for_a_pause_is_given_that),
        cmocka_unit_test(whoever_came_first_goes_first),
        cmocka_unit_test(whoever_does_not_come_back_loses_the_place),
        cmocka_unit_test(whoever_gives_up_leaves_the_place_to_the_next),
        cmocka_unit_test(several_go_together_only_if_nobody_waits),
        cmocka_unit_test(what_is_held_is_used_by_its_owner_alone),
        cmocka_unit_test(whoever_uses_what_is_held_waits_no_more),
        cmocka_unit_test(what_is_held_can_not_be_had_once_there_is_less_than_it_seemed),
        cmocka_unit_test(a_refusal_ends_what_was_held),
        cmocka_unit_test(more_than_the_limit_wait_for_as_many_as_there_can_be),
        cmocka_unit_test(a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_window),
        cmocka_unit_test(a_clock_that_is_set_forward_forgets_and_the_next_answer_tells),
        cmocka_unit_test(a_process_that_was_killed_with_a_request_under_way_does_not_keep_the_others_from_trying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
