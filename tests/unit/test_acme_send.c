/* SPDX-License-Identifier: MIT
 *
 * What a certificate costs, and what is done where a CA is far away, slow or moody.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "acme_fixture.h"
#include "test.h"

static void issue(struct acme_fixture *f, size_t name_count)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(name_count);
    struct strlist pems AUTO_STRLIST = {.count = 0};

    assert_acme_error(&f->err, acme_fixture_issue(f, &names, &pems), ERR_OK, NULL, NULL);
    assert_int_equal(pems.count, 1);
    assert_int_equal(acme_request_count(f->acme), f->http->seen_count);
}

TEST(a_certificate_of_n_names_takes_2n_plus_7_requests_with_a_new_account)
{
    static const size_t counts[] = {1, 2, 10, 100};

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct acme_fixture f;

        acme_fixture_init(&f);
        acme_fixture_register(&f);
        issue(&f, counts[i]);
        assert_int_equal(f.http->seen_count, 2 * counts[i] + 7);
        assert_int_equal(f.ca->new_nonce_count, 1);
        acme_fixture_done(&f);
    }
}

TEST(where_all_is_valid_already_five_requests_are_enough)
{
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    f.ca->manner.reuses_authorizations = true;
    issue(&f, 100);
    assert_int_equal(f.http->seen_count, 6); /* with newAccount */
    acme_fixture_done(&f);
}

TEST(on_a_quick_link_no_nonce_is_fetched_in_advance)
{
    struct acme_fixture f;

    acme_fixture_init(&f);
    f.ca->manner.round_trip_ms = 10;
    acme_fixture_register(&f);
    issue(&f, 100);
    assert_int_equal(f.ca->new_nonce_count, 1);
    assert_int_equal(f.http->widest, 1);
    acme_fixture_done(&f);
}

TEST(on_a_slow_link_requests_go_side_by_side_and_time_is_saved)
{
    struct acme_fixture f;
    int64_t start_ms;

    acme_fixture_init(&f);
    f.ca->manner.round_trip_ms = 200;
    acme_fixture_register(&f);
    start_ms = f.clock.mono_ms;
    issue(&f, 100);
    assert_int_equal(f.ca->new_nonce_count, 10);
    assert_int_equal(f.http->seen_count, 2 * 100 + 7 + 9);
    assert_int_equal(f.http->widest, 10);
    assert_true(f.clock.mono_ms - start_ms < 7000); /* one after the other: 41 s */
    acme_fixture_done(&f);
}

TEST(more_nonces_that_can_not_be_had_are_done_without)
{
    struct acme_fixture f;

    acme_fixture_init(&f);
    f.ca->manner.round_trip_ms = 200;
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_RATE_LIMIT, 4, 9); /* newOrder is request 3 */
    issue(&f, 20);
    assert_int_equal(f.ca->new_nonce_count, 1);
    assert_int_equal(f.http->seen_count, 2 * 20 + 7 + 9);
    acme_fixture_done(&f);
}

TEST(no_second_has_more_requests_than_the_ca_allows)
{
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_restart(&f, 5);
    f.ca->manner.round_trip_ms = 100;
    acme_fixture_register(&f);
    issue(&f, 30);
    for (size_t i = 0; i + 5 < f.http->seen_count; i++)
        assert_true(f.http->seen[i + 5].wall_ms - f.http->seen[i].wall_ms >= 1000);
    acme_fixture_done(&f);
}

TEST(good_nonces_that_are_refused_nine_times_of_ten_make_it_slow_and_no_more)
{
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    f.ca->manner.bad_nonce_percent = 90;
    f.ca->manner.round_trip_ms = 2;
    issue(&f, 100);
    assert_true(f.http->seen_count > 1000);
    acme_fixture_done(&f);
}

TEST(a_ca_that_refuses_every_nonce_is_given_up_on)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(3);
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    f.ca->manner.bad_nonce_percent = 100;
    assert_acme_error(&f.err, acme_fixture_issue(&f, &names, &pems), ERR_ACME,
                      "could not create the order for \"name-0.example.com\" and 2 more names: the CA refused 300 "
                      "nonces in a row",
                      "do not agree");
    assert_true(f.http->seen_count < 310);
    acme_fixture_done(&f);
}

TEST(the_nonce_of_a_badNonce_answer_is_used_for_the_next_attempt)
{
    struct acme_fixture f;
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);
    struct acme_order order;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_BAD_NONCE, 3, 1);
    order = acme_fixture_order(&f, &names);
    assert_int_equal(f.http->seen_count, 5);
    assert_int_equal(f.ca->new_nonce_count, 1);
    acme_order_done(&order);
    acme_fixture_done(&f);
}

TEST(nonces_that_the_ca_has_forgotten_cost_a_request_each)
{
    struct acme_fixture f;
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);
    struct acme_order order;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_forget_nonces(f.ca);
    order = acme_fixture_order(&f, &names);
    assert_int_equal(f.http->seen_count, 5);
    acme_order_done(&order);
    acme_fixture_done(&f);
}

TEST(a_ca_whose_nonces_are_none_is_no_ca)
{
    struct acme_fixture f;
    struct acme_account account;
    bool is_new;

    acme_fixture_init(&f);
    f.ca->manner.gives_garbage_nonces = true;
    assert_acme_error(&f.err,
                      acme_account_register(f.acme, &(struct acme_registration){.key = f.key, .terms_agreed = true},
                                            &account, &is_new, &f.err),
                      ERR_ACME, "has no usable Replay-Nonce header", "ACME server");
    assert_int_equal(f.http->seen_count, 2);
    acme_fixture_done(&f);
}

TEST(a_ca_that_gives_nonces_at_newNonce_alone_is_asked_there_each_time)
{
    struct acme_fixture f;

    acme_fixture_init(&f);
    f.ca->manner.gives_no_nonces = true;
    acme_fixture_register(&f);
    issue(&f, 2);
    assert_int_equal(f.http->seen_count, 1 + 2 * (2 * 2 + 5));
    acme_fixture_done(&f);
}

TEST(what_is_transient_is_tried_again_and_signed_anew)
{
    static const enum fake_ca_fault faults[] = {
        FAKE_CA_NO_CONNECTION, FAKE_CA_REQUEST_LOST, FAKE_CA_ANSWER_LOST, FAKE_CA_TIMEOUT,
        FAKE_CA_500,           FAKE_CA_503,          FAKE_CA_BAD_NONCE,   FAKE_CA_RATE_LIMIT_SHORT,
    };

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        for (size_t n = 0; n < 11; n++) {
            struct acme_fixture f;

            if (faults[i] == FAKE_CA_BAD_NONCE && n < 2) /* those have none */
                continue;
            acme_fixture_init(&f);
            fake_ca_fail(f.ca, faults[i], n, 1);
            acme_fixture_register(&f);
            issue(&f, 2);
            acme_fixture_done(&f);
        }
    }
}

TEST(a_short_pause_that_the_ca_asks_for_is_kept)
{
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_RATE_LIMIT_SHORT, 3, 1);
    issue(&f, 1);
    assert_true(fake_clock_slept_ms(&f.clock) >= 3000);
    assert_non_null(strstr(acme_fixture_log(&f), "trying again in 3000 ms"));
    acme_fixture_done(&f);
}

TEST(a_long_pause_is_an_error_at_once_that_says_when_to_come_back)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_RATE_LIMIT, 3, 1);
    assert_acme_error(&f.err, acme_fixture_issue(&f, &names, &pems), ERR_ACME_LIMIT,
                      "could not create the order for \"name-0.example.com\": the CA says: too many (rateLimited)",
                      "try again after 23:00 UTC");
    assert_int_equal(f.err.retry_after_s, 7200);
    assert_int_equal(f.clock.sleep_count, 0);
    acme_fixture_done(&f);
}

/* newOrder for names of one's own, `count` of them; the orders are yours. */
static struct acme_order *order_each(struct acme_fixture *f, size_t count)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(count);
    struct strlist *lists AUTO_FREE = mem_calloc(count, sizeof *lists);
    struct acme_order_request *requests AUTO_FREE = mem_calloc(count, sizeof *requests);
    struct acme_order *orders = mem_calloc(count, sizeof *orders);

    for (size_t i = 0; i < count; i++) {
        lists[i] = (struct strlist){&names.items[i], 1};
        requests[i].names = &lists[i];
    }
    assert_int_equal(acme_orders_new(f->acme, requests, orders, count, &f->err), ERR_OK);
    return orders;
}

static void orders_free(struct acme_order *orders, size_t count)
{
    for (size_t i = 0; i < count; i++)
        acme_order_done(&orders[i]);
    free(orders);
}

TEST(a_limit_of_one_of_several_holds_up_no_other)
{
    struct acme_fixture f;
    struct acme_order *orders;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_RATE_LIMIT, 4, 1);
    orders = order_each(&f, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(orders[i].result.code, i == 1 ? ERR_ACME_LIMIT : ERR_OK);
    assert_int_equal(orders[1].result.err.retry_after_s, 7200);
    assert_int_equal(f.clock.sleep_count, 0);
    orders_free(orders, 5);
    acme_fixture_done(&f);
}

TEST(while_one_is_limited_for_a_moment_the_others_are_carried_out)
{
    struct acme_fixture f;
    struct acme_order *orders;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_RATE_LIMIT_SHORT, 3, 1);
    orders = order_each(&f, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(orders[i].result.code, ERR_OK);
    assert_string_equal(f.ca->orders[f.ca->order_count - 1].names.items[0], "name-0.example.com");
    assert_int_equal(f.clock.sleep_count, 1);
    orders_free(orders, 3);
    acme_fixture_done(&f);
}

TEST(where_a_row_is_refused_for_their_number_the_rest_is_not_asked)
{
    static const size_t count = 60;
    struct acme_fixture f;
    struct acme_order *orders;
    size_t before;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    before = f.http->seen_count;
    fake_ca_fail(f.ca, FAKE_CA_RATE_LIMIT, before, FAKE_CA_FOREVER);
    orders = order_each(&f, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(orders[i].result.code, ERR_ACME_LIMIT);
        assert_int_equal(orders[i].result.err.retry_after_s, 7200);
    }
    assert_acme_error(&orders[count - 1].result.err, ERR_ACME_LIMIT, ERR_ACME_LIMIT,
                      "could not create the order for \"name-59.example.com\": the CA refused 16 in a row before it: ",
                      "try again after 23:00 UTC");
    assert_int_equal(f.http->seen_count - before, ACME_SIDE_BY_SIDE_MAX);
    orders_free(orders, count);
    acme_fixture_done(&f);
}

TEST(what_ends_the_rest_is_the_refusal_and_not_what_else_went_wrong_beside_it)
{
    static const size_t count = 40;
    static const size_t beside = 19; /* the last one of the window in which the row is complete */
    struct acme_fixture f;
    struct acme_order *orders;

    acme_fixture_init(&f);
    f.ca->manner.round_trip_ms = 200; /* ten side by side, after nine requests for nonces */
    acme_fixture_register(&f);
    f.ca->manner.refusal = "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many\"}";
    f.ca->manner.refusal_status = 429;
    fake_ca_fail(f.ca, FAKE_CA_500, f.http->seen_count + 9 + beside, 1);
    orders = order_each(&f, count);
    assert_int_equal(f.http->widest, 10);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(orders[i].result.code, ERR_ACME_LIMIT);
    for (size_t i = beside; i < count; i++)
        assert_non_null(strstr(orders[i].result.err.msg, "the CA refused 19 in a row before it: "));
    assert_non_null(strstr(orders[count - 1].result.err.msg, "too many (rateLimited)"));
    orders_free(orders, count);
    acme_fixture_done(&f);
}

TEST(refusals_with_a_success_between_them_are_no_row)
{
    static const size_t count = 40;
    struct acme_fixture f;
    struct acme_order *orders;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_RATE_LIMIT, f.http->seen_count, ACME_SIDE_BY_SIDE_MAX - 1);
    orders = order_each(&f, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(orders[i].result.code, i < ACME_SIDE_BY_SIDE_MAX - 1 ? ERR_ACME_LIMIT : ERR_OK);
    orders_free(orders, count);
    acme_fixture_done(&f);
}

TEST(what_stays_broken_is_given_up_on_after_eight_attempts)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_500, 3, FAKE_CA_FOREVER);
    assert_acme_error(&f.err, acme_fixture_issue(&f, &names, &pems), ERR_SERVER,
                      "the CA says: oops (serverInternal) (gave up after 8 attempts in ", "status page");
    acme_fixture_done(&f);
}

TEST(time_that_is_used_up_ends_it_earlier)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct acme_fixture f;
    int64_t start_ms;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    start_ms = f.clock.mono_ms;
    fake_ca_fail(f.ca, FAKE_CA_TIMEOUT, 3, FAKE_CA_FOREVER);
    assert_acme_error(&f.err, acme_fixture_issue(&f, &names, &pems), ERR_TIMEOUT, "gave up after", NULL);
    assert_in_range(f.clock.mono_ms - start_ms, 50000, 62000);
    acme_fixture_done(&f);
}

TEST(a_wish_to_stop_ends_pauses_and_everything_else)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(5);
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    fake_ca_fail(f.ca, FAKE_CA_RATE_LIMIT_SHORT, 3, FAKE_CA_FOREVER);
    f.clock.cancel_at_ms = f.clock.mono_ms + 4000;
    assert_acme_error(&f.err, acme_fixture_issue(&f, &names, &pems), ERR_CANCELLED, "interrupted", NULL);
    assert_true(f.http->seen_count <= 6);
    acme_fixture_done(&f);
}

TEST(nonces_are_a_pool_without_doubles_and_with_an_end)
{
    struct acme_nonces nonces AUTO(acme_nonces_done) = {.count = 0};
    static const char *const garbage[] = {"", "a b", "a=", "a+b", "\xc3\xa4", "a\n"};

    for (size_t i = 0; i < ARRAY_LEN(garbage); i++)
        acme_nonces_add(&nonces, garbage[i]);
    assert_int_equal(nonces.count, 0);
    acme_nonces_add(&nonces, "same");
    acme_nonces_add(&nonces, "same");
    assert_int_equal(nonces.count, 1);
    for (size_t i = 0; i < 2 * ACME_NONCES_MAX; i++) {
        char *nonce AUTO_FREE = mem_printf("n%zu", i);

        acme_nonces_add(&nonces, nonce);
    }
    assert_int_equal(nonces.count, ACME_NONCES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_n_names_takes_2n_plus_7_requests_with_a_new_account),
        cmocka_unit_test(where_all_is_valid_already_five_requests_are_enough),
        cmocka_unit_test(on_a_quick_link_no_nonce_is_fetched_in_advance),
        cmocka_unit_test(on_a_slow_link_requests_go_side_by_side_and_time_is_saved),
        cmocka_unit_test(more_nonces_that_can_not_be_had_are_done_without),
        cmocka_unit_test(no_second_has_more_requests_than_the_ca_allows),
        cmocka_unit_test(good_nonces_that_are_refused_nine_times_of_ten_make_it_slow_and_no_more),
        cmocka_unit_test(a_ca_that_refuses_every_nonce_is_given_up_on),
        cmocka_unit_test(the_nonce_of_a_badNonce_answer_is_used_for_the_next_attempt),
        cmocka_unit_test(nonces_that_the_ca_has_forgotten_cost_a_request_each),
        cmocka_unit_test(a_ca_whose_nonces_are_none_is_no_ca),
        cmocka_unit_test(a_ca_that_gives_nonces_at_newNonce_alone_is_asked_there_each_time),
        cmocka_unit_test(what_is_transient_is_tried_again_and_signed_anew),
        cmocka_unit_test(a_short_pause_that_the_ca_asks_for_is_kept),
        cmocka_unit_test(a_long_pause_is_an_error_at_once_that_says_when_to_come_back),
        cmocka_unit_test(a_limit_of_one_of_several_holds_up_no_other),
        cmocka_unit_test(while_one_is_limited_for_a_moment_the_others_are_carried_out),
        cmocka_unit_test(where_a_row_is_refused_for_their_number_the_rest_is_not_asked),
        cmocka_unit_test(what_ends_the_rest_is_the_refusal_and_not_what_else_went_wrong_beside_it),
        cmocka_unit_test(refusals_with_a_success_between_them_are_no_row),
        cmocka_unit_test(what_stays_broken_is_given_up_on_after_eight_attempts),
        cmocka_unit_test(time_that_is_used_up_ends_it_earlier),
        cmocka_unit_test(a_wish_to_stop_ends_pauses_and_everything_else),
        cmocka_unit_test(nonces_are_a_pool_without_doubles_and_with_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
