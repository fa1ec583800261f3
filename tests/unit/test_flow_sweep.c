/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow_world.h"
#include "test.h"

#define MINUTE_MS (60 * INT64_C(1000))

static const struct pair one[] = {{"_acme-challenge.example.com", VALUE_A}, {NULL, NULL}};
static const struct pair other[] = {{"_acme-challenge.example.net", VALUE_A}, {NULL, NULL}};
static const struct pair both[] = {
    {"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_A}, {NULL, NULL}};

/* Publish in a run that has ended since, or in one that goes on. */
static void publish_in(struct world *w, const char *run_id, const struct pair *pairs)
{
    const char *mine = w->opts.run_id;

    w->opts.run_id = run_id;
    assert_int_equal(world_publish(w, pairs), ERR_OK);
    w->opts.run_id = mine;
}

static void publish_in_dead_run(struct world *w, const struct pair *pairs)
{
    AUTO_FREE char *dead = world_dead_run_id();

    publish_in(w, dead, pairs);
}

/* ------------------------------------------------------------------ what is due */

TEST(a_young_entry_is_kept_even_when_its_run_is_gone)
{
    struct world *w = world_new();
    struct world_swept swept;

    publish_in_dead_run(w, one);
    fake_clock_advance(&w->clock, 50 * MINUTE_MS);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.young, 1);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    world_free(w);
}

TEST(an_entry_of_a_run_that_is_gone_is_removed_after_an_hour)
{
    struct world *w = world_new();
    struct world_swept swept;

    publish_in_dead_run(w, both);
    fake_clock_advance(&w->clock, 61 * MINUTE_MS);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.removed, 2);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(an_entry_of_a_run_that_goes_on_is_kept_until_it_is_old)
{
    struct world *w = world_new();
    struct world_swept swept;

    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_clock_advance(&w->clock, DAY_MS - MINUTE_MS);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.young, 1);
    fake_clock_advance(&w->clock, 2 * MINUTE_MS);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.removed, 1);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

/* The clock was ahead when the records were created, and is set right while another process waits for them. */
TEST(an_entry_from_the_future_is_kept_while_its_run_may_go_on)
{
    static const int64_t corrections_ms[] = {MINUTE_MS, 50 * MINUTE_MS, DAY_MS, 365 * 30 * DAY_MS};

    for (size_t i = 0; i < ARRAY_LEN(corrections_ms); i++) {
        struct world *w = world_new();
        struct world_swept swept;
        AUTO_FREE char *own = platform_run_id(NULL);

        publish_in(w, own, one);
        publish_in(w, WORLD_RUN_ELSEWHERE, other);
        w->clock.wall_ms -= corrections_ms[i];
        assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
        assert_int_equal(swept.young, 2);
        assert_int_equal(fake_api_count_ours(w->api), 2);
        assert_int_equal(world_sweep_older(w, 0, &swept), ERR_OK); /* all, says the operator */
        assert_int_equal(swept.removed, 2);
        world_free(w);
    }
}

TEST(an_entry_from_the_future_is_removed_when_its_run_is_over)
{
    struct world *w = world_new();
    struct world_swept swept;

    publish_in_dead_run(w, one);
    w->clock.wall_ms -= 50 * MINUTE_MS;
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.young, 1);
    w->clock.wall_ms -= DAY_MS;
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.removed, 1);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

/* The clock was behind, by a day or by 30 years as without a battery, and is set right while a process waits. */
TEST(an_entry_is_no_older_than_the_process_that_waits_for_it)
{
    struct world *w = world_new();
    struct world_swept swept;
    enum platform_run_trust trust;
    AUTO_FREE char *own = platform_run_id(&trust);

    if (trust == PLATFORM_RUN_UNKNOWN) {
        print_message("[   NOTE   ] nothing is known of the process that started this one\n");
        world_free(w);
        skip();
    }
    publish_in(w, own, one);
    publish_in(w, WORLD_RUN_ELSEWHERE, other);
    w->clock.wall_ms += 365 * 30 * DAY_MS;
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.young, 1);
    assert_int_equal(swept.removed, 1); /* of that run nobody can tell */
    assert_int_equal(fake_api_count_ours(w->api), 1);
    world_free(w);
}

/* ------------------------------------------------------------------ what becomes of it */

TEST(a_dry_run_asks_nothing_and_changes_nothing)
{
    struct world *w = world_new();
    struct world_swept swept;

    publish_in_dead_run(w, both);
    fake_clock_advance(&w->clock, 61 * MINUTE_MS);
    w->api->request_count = 0;
    assert_int_equal(world_sweep(w, SWEEP_DRY_RUN, &swept), ERR_OK);
    assert_int_equal(swept.would_remove, 2);
    assert_int_equal(w->api->request_count, 0);
    assert_int_equal(fake_api_count_ours(w->api), 2);
    assert_int_equal(world_journal_count(w), 2);
    world_free(w);
}

TEST(an_entry_of_an_account_that_is_not_configured_any_more_is_reported_and_kept)
{
    struct world *w = world_new();
    struct world_swept swept;

    assert_int_equal(world_publish(w, both), ERR_OK);
    fake_clock_advance(&w->clock, 2 * DAY_MS);
    w->accounts[0].name = "renamed";
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.foreign, 2);
    w->accounts[0].name = "account-0";
    w->accounts[0].endpoint = "https://sandbox.example.net/V2.0/";
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.foreign, 2);
    assert_int_equal(world_journal_count(w), 2);
    assert_int_equal(fake_api_count_ours(w->api), 2);
    world_free(w);
}

TEST(a_zone_that_fails_does_not_keep_the_others_from_being_swept)
{
    struct world *w = world_new();
    struct world_swept swept;

    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_clock_advance(&w->clock, 1000); /* it is the oldest */
    assert_int_equal(world_publish(w, both + 1), ERR_OK);
    fake_clock_advance(&w->clock, 2 * DAY_MS);
    fake_api_fail(w->api, FAKE_API_500, w->api->request_count, 8);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_SERVER);
    assert_non_null(strstr(w->err.msg, "\"_acme-challenge.example.com\""));
    assert_int_equal(swept.failed, 1);
    assert_int_equal(swept.removed, 1);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_true(world_is_safe(w, "swept"));
    assert_true(world_sweeps_clean(w, "swept again"));
    world_free(w);
}

TEST(an_interrupt_ends_the_sweep_and_leaves_the_rest_in_the_journal)
{
    struct world *w = world_new();
    struct world_swept swept;

    assert_int_equal(world_publish(w, both), ERR_OK);
    fake_clock_advance(&w->clock, 2 * DAY_MS);
    fake_api_fail(w->api, FAKE_API_CANCEL, w->api->request_count, 1);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_CANCELLED);
    assert_int_equal(world_journal_count(w), 2);
    assert_true(world_sweeps_clean(w, "swept again"));
    world_free(w);
}

TEST(a_record_that_was_edited_since_is_struck_out_and_stays)
{
    struct world *w = world_new();
    struct fake_api_record *record;
    struct world_swept swept;

    assert_int_equal(world_publish(w, one), ERR_OK);
    record = fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A);
    memcpy(record->value, "edited", 7);
    record->origin = FAKE_API_FOREIGN;
    fake_clock_advance(&w->clock, 2 * DAY_MS);
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(w->api->foreign_touched, 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(twenty_leftovers_of_two_zones_cost_two_requests_a_zone)
{
    struct world *w = world_new();
    struct world_swept swept;

    for (int i = 0; i < 20; i++) {
        AUTO_FREE char *name = mem_printf("_acme-challenge.h%d.example.%s", i, i % 2 ? "com" : "net");
        (void)world_engine(w);
        assert_int_equal(
            world_publish_with(w, PAIRS({name, VALUE_A}), &(struct challenge_publish_opts){.wait = CHALLENGE_NO_WAIT}),
            ERR_OK);
        fake_clock_advance(&w->clock, 1000); /* they come interleaved, oldest first */
    }
    fake_clock_advance(&w->clock, 2 * DAY_MS);
    w->api->request_count = 0;
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(swept.removed, 20);
    assert_int_equal(w->api->request_count, 4);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_false(w->api->wiped);
    world_free(w);
}

TEST(an_empty_journal_is_swept_without_a_request)
{
    struct world *w = world_new();
    struct world_swept swept;

    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_OK);
    assert_int_equal(w->api->request_count, 0);
    world_free(w);
}

TEST(without_a_journal_there_is_nothing_to_sweep)
{
    struct world *w = world_new();
    struct world_swept swept;

    w->no_journal = true;
    assert_int_equal(world_sweep(w, SWEEP_REMOVE, &swept), ERR_CONFIG);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_young_entry_is_kept_even_when_its_run_is_gone),
        cmocka_unit_test(an_entry_of_a_run_that_is_gone_is_removed_after_an_hour),
        cmocka_unit_test(an_entry_of_a_run_that_goes_on_is_kept_until_it_is_old),
        cmocka_unit_test(an_entry_from_the_future_is_kept_while_its_run_may_go_on),
        cmocka_unit_test(an_entry_from_the_future_is_removed_when_its_run_is_over),
        cmocka_unit_test(an_entry_is_no_older_than_the_process_that_waits_for_it),
        cmocka_unit_test(a_dry_run_asks_nothing_and_changes_nothing),
        cmocka_unit_test(an_entry_of_an_account_that_is_not_configured_any_more_is_reported_and_kept),
        cmocka_unit_test(a_zone_that_fails_does_not_keep_the_others_from_being_swept),
        cmocka_unit_test(an_interrupt_ends_the_sweep_and_leaves_the_rest_in_the_journal),
        cmocka_unit_test(a_record_that_was_edited_since_is_struck_out_and_stays),
        cmocka_unit_test(twenty_leftovers_of_two_zones_cost_two_requests_a_zone),
        cmocka_unit_test(an_empty_journal_is_swept_without_a_request),
        cmocka_unit_test(without_a_journal_there_is_nothing_to_sweep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
