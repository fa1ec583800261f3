/* SPDX-License-Identifier: MIT
 *
 * Calls of a batch, each a process of its own: what they leave, who takes it up, and what is forgotten when.
 */
#include <stdlib.h>
#include <string.h>

#include "flow/deferral.h"
#include "flow_world.h"
#include "test.h"

static const struct pair one[] = {{"_acme-challenge.example.com", VALUE_A}, {NULL, NULL}};
static const struct pair two[] = {{"_acme-challenge.example.com", VALUE_B}, {NULL, NULL}};
static const struct pair net[] = {{"_acme-challenge.example.net", VALUE_C}, {NULL, NULL}};

/* A call of the run that the world is in. */
static struct deferral call_of(struct world *w, const char *batch, int64_t position)
{
    (void)world_engine(w);
    return (struct deferral){.store = w->store,
                             .run_id = w->opts.run_id,
                             .batch = batch,
                             .position = position,
                             .clock = &w->clock.base,
                             .log = &w->log};
}

static void leave(struct world *w, const char *batch, enum deferred_action action, const struct pair *pairs)
{
    AUTO(challenge_set_done) struct challenge_set set = world_set(pairs);
    const struct deferral d = call_of(w, batch, 1);

    assert_int_equal(deferral_leave(&d, action, &set, &w->err), ERR_OK);
    fake_clock_advance(&w->clock, 10);
}

/* "value value ..." of what a last call takes up beside its own. */
static char *gathered(struct world *w, const char *batch, enum deferred_action action)
{
    AUTO(challenge_set_done) struct challenge_set set = {NULL, 0};
    AUTO_BUF struct buf text = BUF_INIT(4096);
    const struct deferral d = call_of(w, batch, 0);
    size_t count;

    assert_int_equal(deferral_gather(&d, action, &set, &count, &w->err), ERR_OK);
    assert_int_equal(set.count, count);
    for (size_t i = 0; i < set.count; i++)
        buf_printf(&text, "%s%s", i ? " " : "", set.items[i].value);
    return mem_strdup(buf_cstr(&text));
}

static void expect_gathered(struct world *w, const char *batch, enum deferred_action action, const char *want)
{
    AUTO_FREE char *got = gathered(w, batch, action);

    assert_string_equal(got, want);
}

/* The last call: take up, do, settle. */
static enum err_code finish(struct world *w, const char *batch, enum deferred_action action, const struct pair *own)
{
    AUTO(challenge_set_done) struct challenge_set set = world_set(own);
    const struct challenge_publish_opts opts = {.wait = CHALLENGE_WAIT};
    const struct deferral d = call_of(w, batch, 0);
    enum err_code code;
    size_t count;

    assert_int_equal(deferral_gather(&d, action, &set, &count, &w->err), ERR_OK);
    code = action == DEFERRED_PUBLISH ? challenge_publish(w->engine, &set, &opts, &w->err)
                                      : challenge_withdraw(w->engine, &set, &w->err);
    assert_int_equal(deferral_settle(&d, action, &set, NULL), ERR_OK);
    return code;
}

TEST(the_last_call_takes_up_what_the_others_left_in_their_order)
{
    struct world *w = world_new();

    leave(w, "batch", DEFERRED_PUBLISH, two);
    leave(w, "batch", DEFERRED_PUBLISH, one);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, VALUE_B " " VALUE_A);
    expect_gathered(w, "batch", DEFERRED_WITHDRAW, "");
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(a_batch_is_published_at_once_and_then_nothing_is_left)
{
    struct world *w = world_new();

    leave(w, "batch", DEFERRED_PUBLISH, one);
    leave(w, "batch", DEFERRED_PUBLISH, two);
    assert_int_equal(finish(w, "batch", DEFERRED_PUBLISH, net), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 3);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, "");
    leave(w, "batch", DEFERRED_WITHDRAW, one);
    leave(w, "batch", DEFERRED_WITHDRAW, two);
    assert_int_equal(fake_api_count_ours(w->api), 3);
    assert_int_equal(finish(w, "batch", DEFERRED_WITHDRAW, net), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    expect_gathered(w, "batch", DEFERRED_WITHDRAW, "");
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(of_several_batches_each_publishes_its_own_and_a_nameless_last_call_all)
{
    struct world *w = world_new();

    leave(w, "first", DEFERRED_PUBLISH, one);
    leave(w, "second", DEFERRED_PUBLISH, two);
    expect_gathered(w, "first", DEFERRED_PUBLISH, VALUE_A);
    expect_gathered(w, "second", DEFERRED_PUBLISH, VALUE_B);
    expect_gathered(w, "", DEFERRED_PUBLISH, VALUE_A " " VALUE_B);
    world_free(w);
}

TEST(two_runs_never_mix)
{
    struct world *w = world_new();
    const char *mine = w->opts.run_id;

    leave(w, "batch", DEFERRED_PUBLISH, one);
    w->opts.run_id = "4712:1:12345678:12345678:abcdefgh";
    leave(w, "batch", DEFERRED_PUBLISH, two);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, VALUE_B);
    w->opts.run_id = mine;
    expect_gathered(w, "batch", DEFERRED_PUBLISH, VALUE_A);
    world_free(w);
}

TEST(a_batch_that_begins_forgets_what_was_to_be_published_and_keeps_what_is_to_be_withdrawn)
{
    struct world *w = world_new();
    struct deferral d;

    assert_int_equal(world_publish(w, one), ERR_OK);
    leave(w, "first", DEFERRED_WITHDRAW, one);
    leave(w, "first", DEFERRED_PUBLISH, two);
    leave(w, "second", DEFERRED_PUBLISH, net);
    d = call_of(w, "second", 2);
    assert_int_equal(deferral_begin(&d, &w->err), ERR_OK);
    expect_gathered(w, "", DEFERRED_PUBLISH, "");
    expect_gathered(w, "second", DEFERRED_WITHDRAW, VALUE_A);
    world_free(w);
}

TEST(what_was_never_published_needs_no_withdrawal)
{
    struct world *w = world_new();

    leave(w, "batch", DEFERRED_PUBLISH, one);
    leave(w, "batch", DEFERRED_WITHDRAW, one);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, "");
    expect_gathered(w, "batch", DEFERRED_WITHDRAW, "");
    assert_true(world_log_has(w, "was never published"));
    world_free(w);
}

/* The last call was killed after it had published: it had no time to forget what was left to it. */
TEST(what_was_published_by_a_call_that_died_is_withdrawn_though_it_still_waits_to_be_published)
{
    struct world *w = world_new();

    leave(w, "batch", DEFERRED_PUBLISH, one);
    assert_int_equal(world_publish(w, one), ERR_OK);
    leave(w, "batch", DEFERRED_WITHDRAW, one);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, "");
    expect_gathered(w, "batch", DEFERRED_WITHDRAW, VALUE_A);
    assert_int_equal(finish(w, "batch", DEFERRED_WITHDRAW, two), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(what_a_failing_last_call_did_not_publish_waits_for_its_clean_up)
{
    static const struct pair foreign[] = {{"_acme-challenge.foreign.test", VALUE_A}, {NULL, NULL}};
    struct world *w = world_new();

    leave(w, "batch", DEFERRED_PUBLISH, one);
    assert_int_equal(finish(w, "batch", DEFERRED_PUBLISH, foreign), ERR_ZONE);
    assert_int_equal(world_journal_count(w), 0);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, VALUE_A);
    leave(w, "batch", DEFERRED_WITHDRAW, one);
    expect_gathered(w, "batch", DEFERRED_WITHDRAW, "");
    world_free(w);
}

TEST(what_a_failing_last_call_did_not_withdraw_is_left_to_the_next)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_publish(w, two), ERR_OK);
    leave(w, "first", DEFERRED_WITHDRAW, one);
    fake_api_fail(w->api, FAKE_API_500, 0, FAKE_API_FOREVER);
    assert_int_not_equal(finish(w, "first", DEFERRED_WITHDRAW, two), ERR_OK);
    fake_api_heal(w->api);
    expect_gathered(w, "second", DEFERRED_WITHDRAW, VALUE_A);
    assert_int_equal(finish(w, "second", DEFERRED_WITHDRAW, two), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    expect_gathered(w, "second", DEFERRED_WITHDRAW, "");
    world_free(w);
}

/* ------------------------------------------------------------------ sweeping */

static void sweep(struct world *w, enum sweep_mode mode)
{
    struct world_swept swept;

    assert_int_equal(world_sweep(w, mode, &swept), ERR_OK);
}

TEST(a_sweep_forgets_what_dead_runs_left_and_its_dry_run_nothing)
{
    struct world *w = world_new();
    AUTO_FREE char *dead = world_dead_run_id();
    const char *mine = w->opts.run_id;

    w->opts.run_id = dead;
    leave(w, "batch", DEFERRED_PUBLISH, one);
    leave(w, "batch", DEFERRED_WITHDRAW, two);
    sweep(w, SWEEP_DRY_RUN);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, VALUE_A);
    sweep(w, SWEEP_REMOVE);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, "");
    expect_gathered(w, "batch", DEFERRED_WITHDRAW, "");
    w->opts.run_id = mine;
    world_free(w);
}

TEST(a_sweep_keeps_what_runs_left_that_may_go_on_until_it_is_old)
{
    struct world *w = world_new();

    leave(w, "batch", DEFERRED_PUBLISH, one);
    sweep(w, SWEEP_REMOVE);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, VALUE_A);
    fake_clock_advance(&w->clock, DAY_MS);
    sweep(w, SWEEP_REMOVE);
    expect_gathered(w, "batch", DEFERRED_PUBLISH, "");
    world_free(w);
}

TEST(a_record_whose_withdrawal_was_left_to_a_dead_run_is_a_leftover_like_any_other)
{
    struct world *w = world_new();
    AUTO_FREE char *dead = world_dead_run_id();
    const char *mine = w->opts.run_id;

    w->opts.run_id = dead;
    assert_int_equal(world_publish(w, one), ERR_OK);
    leave(w, "batch", DEFERRED_WITHDRAW, one);
    sweep(w, SWEEP_REMOVE);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    fake_clock_advance(&w->clock, DAY_MS);
    sweep(w, SWEEP_REMOVE);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    w->opts.run_id = mine;
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_call_takes_up_what_the_others_left_in_their_order),
        cmocka_unit_test(a_batch_is_published_at_once_and_then_nothing_is_left),
        cmocka_unit_test(of_several_batches_each_publishes_its_own_and_a_nameless_last_call_all),
        cmocka_unit_test(two_runs_never_mix),
        cmocka_unit_test(a_batch_that_begins_forgets_what_was_to_be_published_and_keeps_what_is_to_be_withdrawn),
        cmocka_unit_test(what_was_never_published_needs_no_withdrawal),
        cmocka_unit_test(what_was_published_by_a_call_that_died_is_withdrawn_though_it_still_waits_to_be_published),
        cmocka_unit_test(what_a_failing_last_call_did_not_publish_waits_for_its_clean_up),
        cmocka_unit_test(what_a_failing_last_call_did_not_withdraw_is_left_to_the_next),
        cmocka_unit_test(a_sweep_forgets_what_dead_runs_left_and_its_dry_run_nothing),
        cmocka_unit_test(a_sweep_keeps_what_runs_left_that_may_go_on_until_it_is_old),
        cmocka_unit_test(a_record_whose_withdrawal_was_left_to_a_dead_run_is_a_leftover_like_any_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
