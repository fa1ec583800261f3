/* SPDX-License-Identifier: MIT
 *
 * Withdrawing: withdraw.c and remove.c.
 */
#include <stdlib.h>
#include <string.h>

#include "flow_world.h"
#include "test.h"
#include "util/text.h"

#define TWO_HOURS_MS (2 * 60 * 60 * INT64_C(1000))

static const struct pair one[] = {{"_acme-challenge.example.com", VALUE_A}, {NULL, NULL}};
static const struct pair nameless[] = {{"_acme-challenge.example.com", NULL}, {NULL, NULL}};

/* The state directory is another one: a container that was thrown away. */
static void lose_state(struct world *w)
{
    struct journal_list journal;

    (void)world_engine(w);
    assert_int_equal(journal_load(w->store, &journal, NULL), ERR_OK);
    for (size_t i = 0; i < journal.count; i++)
        assert_int_equal(journal_remove(w->store, journal.items[i].id, NULL), ERR_OK);
    journal_list_done(&journal);
}

/* ------------------------------------------------------------------ only ours */

TEST(a_foreign_record_at_the_same_name_survives_even_when_ids_are_looked_up)
{
    struct world *w = world_new();

    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", "foreign");
    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", VALUE_B);
    fake_api_add_foreign(w->api, EXAMPLE_COM, "MX", "_acme-challenge", VALUE_A);
    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "my_acme-challenge", VALUE_A);
    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge.www", VALUE_A);
    w->api->filters_loosely = true;
    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_clock_advance(&w->clock, TWO_HOURS_MS);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(w->api->foreign_touched, 0);
    world_free(w);
}

TEST(a_template_s_record_with_the_very_value_is_left_alone)
{
    struct world *w = world_new();
    int64_t id = fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", VALUE_A);

    fake_api_find(w->api, id)->source = 0;
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(w->api->foreign_touched, 0);
    assert_int_equal(fake_api_count_method(w->api, "DELETE"), 0);
    world_free(w);
}

TEST(a_template_s_record_with_the_very_value_is_not_taken_for_ours_when_publishing)
{
    struct world *w = world_new();
    int64_t id = fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", VALUE_A);

    fake_api_find(w->api, id)->source = 0;
    assert_int_equal(world_publish(w, one), ERR_API); /* the API has it, and does not say that it is the zone's */
    assert_non_null(strstr(w->err.hint, "template"));
    assert_int_equal(w->api->foreign_touched, 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(a_record_that_somebody_has_edited_since_is_theirs)
{
    struct world *w = world_new();
    struct fake_api_record *record;

    assert_int_equal(world_publish(w, one), ERR_OK);
    record = fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A);
    memcpy(record->value, "edited", 7);
    record->origin = FAKE_API_FOREIGN;
    fake_clock_advance(&w->clock, TWO_HOURS_MS);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(w->api->foreign_touched, 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(a_record_in_another_zone_with_our_old_id_is_out_of_reach)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A)->zone_id = EXAMPLE_NET;
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    world_free(w);
}

/* ------------------------------------------------------------------ again, and without a journal */

TEST(what_is_gone_already_is_success)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A)->deleted_ms = 1;
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(world_journal_count(w), 0);
    assert_false(w->api->wiped);
    world_free(w);
}

TEST(a_record_that_the_journal_does_not_know_is_found_by_name_and_value)
{
    struct world *w = world_new();

    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.com", VALUE_B})),
        ERR_OK);
    lose_state(w);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_B));
    world_free(w);
}

TEST(a_stale_zone_id_does_not_pass_for_a_withdrawal)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK); /* remembers the zone */
    lose_state(w);
    fake_api_find_zone(w->api, "example.com")->id = 111; /* exported, deleted, imported again */
    fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A)->zone_id = 111;
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(an_entry_whose_zone_got_another_id_is_withdrawn_from_there)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_api_find_zone(w->api, "example.com")->id = 111;
    fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A)->zone_id = 111;
    fake_clock_advance(&w->clock, TWO_HOURS_MS);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

TEST(an_entry_whose_zone_is_gone_is_no_obstacle_and_is_struck_out_a_day_later)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_api_drop_zone(w->api, EXAMPLE_COM);
    fake_clock_advance(&w->clock, TWO_HOURS_MS);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_int_equal(world_journal_count(w), 1);
    assert_true(world_log_has(w, "zone \"example.com\" is gone"));
    assert_true(world_sweeps_clean(w, "a day later"));
    (void)fake_api_add_zone(w->api, 0, 111, "example.com"); /* there again: its old id is not remembered */
    w->api->request_count = 0;
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(w->api->request_count, 2);
    world_free(w);
}

TEST(an_api_that_denies_everything_for_a_while_does_not_make_us_forget)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_api_fail(w->api, FAKE_API_404, w->api->request_count, FAKE_API_FOREVER);
    assert_int_equal(world_withdraw(w, one), ERR_OK);
    assert_true(world_is_safe(w, "denied"));
    assert_true(world_sweeps_clean(w, "a day later"));
    world_free(w);
}

TEST(an_api_that_denies_the_records_of_a_zone_it_shows_is_not_believed)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    fake_clock_advance(&w->clock, TWO_HOURS_MS);
    w->api->denied_zone = EXAMPLE_COM;
    assert_int_equal(world_withdraw(w, one), ERR_API);
    assert_non_null(strstr(w->err.msg, "denies"));
    assert_int_equal(world_journal_count(w), 1);
    w->api->denied_zone = 0;
    assert_true(world_sweeps_clean(w, "believed"));
    world_free(w);
}

TEST(a_single_not_found_is_asked_about_again)
{
    struct world *w = world_new();

    for (size_t n = 0; n < 2; n++) { /* the look-up, then the deletion */
        assert_int_equal(world_publish(w, one), ERR_OK);
        fake_clock_advance(&w->clock, TWO_HOURS_MS);
        fake_api_fail(w->api, FAKE_API_404, w->api->request_count + n, 1);
        assert_int_equal(world_withdraw(w, one), ERR_OK);
        assert_int_equal(fake_api_count_ours(w->api), 0);
        assert_int_equal(world_journal_count(w), 0);
    }
    world_free(w);
}

TEST(names_in_no_zone_of_ours_are_success)
{
    struct world *w = world_new();

    assert_int_equal(world_withdraw(w, PAIRS({"_acme-challenge.www.foreign.test", VALUE_A},
                                             {"_acme-challenge.nowhere.test", VALUE_A})),
                     ERR_OK);
    assert_int_equal(fake_api_count_method(w->api, "DELETE"), 0);
    world_free(w);
}

TEST(a_name_that_fails_does_not_keep_the_others_from_being_withdrawn)
{
    struct world *w = world_new();
    const struct pair both[] = {
        {"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.net", VALUE_A}, {NULL, NULL}};

    assert_int_equal(world_publish(w, both), ERR_OK);
    fake_api_fail_where(w->api, FAKE_API_500, "DELETE /dns/managed/11/");
    assert_int_equal(world_withdraw(w, both), ERR_SERVER);
    fake_api_heal(w->api);
    assert_true(text_starts_with(w->err.msg, "left for \"acme-dme sweep\": "));
    assert_non_null(strstr(w->err.msg, "\"_acme-challenge.example.com\""));
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_A));
    assert_null(fake_api_find_txt(w->api, EXAMPLE_NET, "_acme-challenge", VALUE_A));
    assert_int_equal(world_journal_count(w), 1);
    assert_int_equal(world_withdraw(w, both), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(several_failures_end_with_the_first_one)
{
    struct world *w = world_new();

    w->no_journal = true;
    fake_api_fail(w->api, FAKE_API_500, 0, FAKE_API_FOREVER);
    assert_int_equal(
        world_withdraw(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.nowhere.test", VALUE_A},
                                {"_acme-challenge.example.net", VALUE_A})),
        ERR_SERVER);
    assert_non_null(strstr(w->err.msg, "example.com"));
    world_free(w);
}

/* ------------------------------------------------------------------ without a value */

TEST(without_a_value_all_of_the_run_s_at_that_name_are_withdrawn)
{
    struct world *w = world_new();

    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", "foreign");
    assert_int_equal(
        world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.com", VALUE_B},
                               {"_acme-challenge.www.example.com", VALUE_A})),
        ERR_OK);
    assert_int_equal(world_withdraw(w, nameless), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge.www", VALUE_A));
    assert_int_equal(w->api->foreign_touched, 0);
    world_free(w);
}

TEST(without_a_value_another_run_s_stay_when_the_run_has_some_of_its_own)
{
    struct world *w = world_new();
    const char *mine = w->opts.run_id;

    w->opts.run_id = "another run";
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_B})), ERR_OK);
    w->opts.run_id = mine;
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, nameless), ERR_OK);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_B));
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_int_equal(world_withdraw(w, nameless), ERR_OK); /* nothing of its own left: the client means all of ours */
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

TEST(without_a_value_and_without_an_entry_nothing_is_asked_or_deleted)
{
    struct world *w = world_new();

    fake_api_add_foreign(w->api, EXAMPLE_COM, "TXT", "_acme-challenge", "foreign");
    assert_int_equal(world_withdraw(w, nameless), ERR_OK);
    assert_int_equal(w->api->request_count, 0);
    world_free(w);
}

TEST(without_a_value_a_followed_cname_is_withdrawn_by_the_name_that_was_asked_for)
{
    struct world *w = world_new();

    fake_resolver_add(w->dns, "_acme-challenge.example.com", DNS_CNAME, "x.example.net");
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_withdraw(w, nameless), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    world_free(w);
}

/* ------------------------------------------------------------------ a whole run */

TEST(a_run_withdraws_its_own_and_no_other_s)
{
    struct world *w = world_new();
    const char *mine = w->opts.run_id;

    w->opts.run_id = "another run";
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.com", VALUE_B})), ERR_OK);
    w->opts.run_id = mine;
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(world_publish(w, PAIRS({"_acme-challenge.example.net", VALUE_C})), ERR_OK);
    assert_int_equal(challenge_withdraw_run(world_engine(w), &w->err), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    assert_non_null(fake_api_find_txt(w->api, EXAMPLE_COM, "_acme-challenge", VALUE_B));
    assert_int_equal(world_journal_count(w), 1);
    world_free(w);
}

TEST(a_run_without_an_id_withdraws_nothing_as_a_run)
{
    struct world *w = world_new();
    const char *mine = w->opts.run_id;

    w->opts.run_id = "";
    assert_int_equal(world_publish(w, one), ERR_OK);
    assert_int_equal(challenge_withdraw_run(world_engine(w), &w->err), ERR_OK);
    assert_int_equal(fake_api_count_ours(w->api), 1);
    w->opts.run_id = mine;
    world_free(w);
}

TEST(the_same_pair_named_twice_is_withdrawn_once)
{
    struct world *w = world_new();

    assert_int_equal(world_publish(w, one), ERR_OK);
    w->api->request_count = 0;
    assert_int_equal(
        world_withdraw(w, PAIRS({"_acme-challenge.example.com", VALUE_A}, {"_acme-challenge.example.com", NULL})),
        ERR_OK);
    assert_int_equal(w->api->request_count, 1);
    assert_int_equal(fake_api_count_ours(w->api), 0);
    assert_int_equal(world_journal_count(w), 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_record_at_the_same_name_survives_even_when_ids_are_looked_up),
        cmocka_unit_test(a_template_s_record_with_the_very_value_is_left_alone),
        cmocka_unit_test(a_template_s_record_with_the_very_value_is_not_taken_for_ours_when_publishing),
        cmocka_unit_test(a_record_that_somebody_has_edited_since_is_theirs),
        cmocka_unit_test(a_record_in_another_zone_with_our_old_id_is_out_of_reach),
        cmocka_unit_test(what_is_gone_already_is_success),
        cmocka_unit_test(a_record_that_the_journal_does_not_know_is_found_by_name_and_value),
        cmocka_unit_test(a_stale_zone_id_does_not_pass_for_a_withdrawal),
        cmocka_unit_test(an_entry_whose_zone_got_another_id_is_withdrawn_from_there),
        cmocka_unit_test(an_entry_whose_zone_is_gone_is_no_obstacle_and_is_struck_out_a_day_later),
        cmocka_unit_test(an_api_that_denies_everything_for_a_while_does_not_make_us_forget),
        cmocka_unit_test(an_api_that_denies_the_records_of_a_zone_it_shows_is_not_believed),
        cmocka_unit_test(a_single_not_found_is_asked_about_again),
        cmocka_unit_test(names_in_no_zone_of_ours_are_success),
        cmocka_unit_test(a_name_that_fails_does_not_keep_the_others_from_being_withdrawn),
        cmocka_unit_test(several_failures_end_with_the_first_one),
        cmocka_unit_test(without_a_value_all_of_the_run_s_at_that_name_are_withdrawn),
        cmocka_unit_test(without_a_value_another_run_s_stay_when_the_run_has_some_of_its_own),
        cmocka_unit_test(without_a_value_and_without_an_entry_nothing_is_asked_or_deleted),
        cmocka_unit_test(without_a_value_a_followed_cname_is_withdrawn_by_the_name_that_was_asked_for),
        cmocka_unit_test(a_run_withdraws_its_own_and_no_other_s),
        cmocka_unit_test(a_run_without_an_id_withdraws_nothing_as_a_run),
        cmocka_unit_test(the_same_pair_named_twice_is_withdrawn_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
