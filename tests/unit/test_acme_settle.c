/* SPDX-License-Identifier: MIT
 *
 * Waiting for the CA to validate and to issue.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "acme_fixture.h"
#include "test.h"

struct settle_fixture {
    struct acme_fixture base;
    struct acme_order order;
    struct acme_order *pointer;
    size_t done, total, told;
};

/* An order of `name_count` names all of whose challenges are answered. */
static void init(struct settle_fixture *s, size_t name_count, const struct fake_ca_manner *manner)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(name_count);
    struct acme_authz *authzs AUTO_FREE = mem_calloc(name_count, sizeof *authzs);

    *s = (struct settle_fixture){.pointer = &s->order};
    acme_fixture_init(&s->base);
    s->base.ca->manner = *manner;
    acme_fixture_register(&s->base);
    s->order = acme_fixture_order(&s->base, &names);
    assert_int_equal(acme_authzs_fetch(s->base.acme, &s->order.authorizations, ACME_DNS_01, authzs, &s->base.err),
                     ERR_OK);
    for (size_t i = 0; i < name_count; i++) {
        struct acme_authz *pointer = &authzs[i];

        assert_int_equal(acme_challenges_answer(s->base.acme, &pointer, 1, &s->base.err), ERR_OK);
        acme_authz_done(&authzs[i]);
    }
}

static void done(struct settle_fixture *s)
{
    acme_order_done(&s->order);
    acme_fixture_done(&s->base);
}

static void tell(void *context, size_t is_done, size_t total)
{
    struct settle_fixture *s = context;

    s->done = is_done;
    s->total = total;
    s->told++;
}

static enum err_code settle(struct settle_fixture *s, enum acme_order_status status, int64_t timeout_ms)
{
    const struct acme_settle how = {status, timeout_ms, tell, s};
    enum err_code code = acme_orders_settle(s->base.acme, &s->pointer, 1, &how, &s->base.err);

    return code == ERR_OK ? s->order.result.code : code;
}

static void expect_sleeps(const struct settle_fixture *s, const int64_t *want, size_t count)
{
    assert_int_equal(s->base.clock.sleep_count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(s->base.clock.sleeps[i] == want[i]);
}

TEST(looks_become_rarer)
{
    struct settle_fixture s;

    init(&s, 1, &(struct fake_ca_manner){.validation_looks = 6});
    assert_int_equal(settle(&s, ACME_ORDER_PENDING, 60000), ERR_OK);
    assert_int_equal(s.order.status, ACME_ORDER_READY);
    expect_sleeps(&s, (const int64_t[]){300, 1000, 2000, 3000, 5000, 5000, 5000}, 7);
    assert_int_equal(s.done, 1);
    assert_int_equal(s.total, 1);
    assert_non_null(strstr(acme_fixture_log(&s.base), "1 of 1 order validated after 21.3 s"));
    done(&s);
}

TEST(the_cas_word_goes_before_ours)
{
    struct settle_fixture s;

    init(&s, 1, &(struct fake_ca_manner){.validation_looks = 2, .retry_after = "7", .challenge_retry_after = "4"});
    assert_int_equal(settle(&s, ACME_ORDER_PENDING, 60000), ERR_OK);
    expect_sleeps(&s, (const int64_t[]){4000, 7000, 7000}, 3);
    done(&s);
}

TEST(a_date_is_as_good_as_seconds)
{
    struct settle_fixture s;

    init(&s, 1,
         &(struct fake_ca_manner){.validation_looks = 1, .challenge_retry_after = "Sat, 12 Feb 2011 20:59:14 GMT"});
    assert_int_equal(settle(&s, ACME_ORDER_PENDING, 60000), ERR_OK);
    expect_sleeps(&s, (const int64_t[]){10000, 1000}, 2);
    done(&s);
}

TEST(a_pause_longer_than_the_time_ends_with_one_last_look)
{
    struct settle_fixture s;

    init(&s, 1, &(struct fake_ca_manner){.challenge_retry_after = "3600"});
    assert_int_equal(settle(&s, ACME_ORDER_PENDING, 20000), ERR_OK);
    expect_sleeps(&s, (const int64_t[]){20000}, 1);
    done(&s);
}

TEST(an_order_that_never_settles_is_a_timeout)
{
    struct settle_fixture s;
    int64_t start_ms;

    init(&s, 1, &(struct fake_ca_manner){.validation_looks = 1000});
    start_ms = s.base.clock.mono_ms;
    assert_acme_error(&s.order.result.err, settle(&s, ACME_ORDER_PENDING, 20000), ERR_TIMEOUT,
                      "the order for \"name-0.example.com\" is pending still after 20 s", "acme.poll_timeout");
    assert_true(s.base.clock.mono_ms - start_ms == 20000);
    done(&s);
}

TEST(issuing_is_waited_for_as_well)
{
    struct settle_fixture s;

    init(&s, 1, &(struct fake_ca_manner){.processing_looks = 3, .retry_after = "3"});
    assert_int_equal(settle(&s, ACME_ORDER_PENDING, 20000), ERR_OK);
    assert_int_equal(acme_orders_finalize(s.base.acme, &s.pointer, &(struct acme_csr){"csr", 3}, 1, &s.base.err),
                     ERR_OK);
    assert_int_equal(s.order.status, ACME_ORDER_PROCESSING);
    s.base.clock.sleep_count = 0;
    assert_int_equal(settle(&s, ACME_ORDER_PROCESSING, 20000), ERR_OK);
    assert_int_equal(s.order.status, ACME_ORDER_VALID);
    expect_sleeps(&s, (const int64_t[]){3000, 3000, 3000}, 3);
    done(&s);
}

TEST(what_is_not_in_that_state_costs_nothing)
{
    struct settle_fixture s;
    size_t before;

    init(&s, 1, &(struct fake_ca_manner){.validation_looks = 0});
    before = s.base.http->seen_count;
    assert_int_equal(settle(&s, ACME_ORDER_PROCESSING, 20000), ERR_OK);
    assert_int_equal(s.base.http->seen_count, before);
    assert_int_equal(s.base.clock.sleep_count, 0);
    done(&s);
}

TEST(a_wish_to_stop_ends_the_wait)
{
    struct settle_fixture s;

    init(&s, 1, &(struct fake_ca_manner){.validation_looks = 1000});
    s.base.clock.cancel_at_ms = s.base.clock.mono_ms + 1200;
    assert_acme_error(&s.base.err, settle(&s, ACME_ORDER_PENDING, 60000), ERR_CANCELLED, "interrupted", NULL);
    assert_int_equal(s.order.result.code, ERR_CANCELLED);
    done(&s);
}

static json_t *refuse_two(UNUSED void *context, const struct fake_ca_validation *validation)
{
    if (strcmp(validation->domain, "name-1.example.com") == 0)
        return fake_ca_problem("unauthorized", "Incorrect TXT record \"x\"");
    return strcmp(validation->domain, "name-2.example.com") == 0 ? fake_ca_problem("dns", "SERVFAIL") : NULL;
}

TEST(names_that_could_not_be_validated_are_told_with_the_reason)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(3);
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct acme_fixture f;

    acme_fixture_init(&f);
    acme_fixture_register(&f);
    f.ca->validate = refuse_two;
    assert_acme_error(&f.err, acme_fixture_issue(&f, &names, &pems), ERR_CHALLENGE,
                      "the CA could not validate \"name-1.example.com\": the CA says: Incorrect TXT record \"x\" "
                      "(unauthorized); nor could it validate \"name-2.example.com\"",
                      "did not find our TXT record");
    assert_int_equal(f.http->seen_count, 3 + 1 + 3 + 3 + 1 + 3);
    acme_fixture_done(&f);
}

TEST(an_order_that_is_invalid_for_no_reason_says_that)
{
    struct settle_fixture s;

    init(&s, 1, &(struct fake_ca_manner){.validation_looks = 0});
    free(s.base.ca->orders[0].status);
    s.base.ca->orders[0].status = mem_strdup("invalid");
    assert_acme_error(&s.order.result.err, settle(&s, ACME_ORDER_PENDING, 20000), ERR_CHALLENGE,
                      "is invalid, and the CA does not say why", FAKE_CA_ROOT "/order/0");
    done(&s);
}

TEST(many_orders_are_waited_for_at_once)
{
    struct settle_fixture s;
    struct acme_order orders[20];
    struct acme_order *pointers[20];
    const struct acme_settle how = {ACME_ORDER_PENDING, 20000, NULL, NULL};
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);

    init(&s, 1, &(struct fake_ca_manner){.validation_looks = 0});
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        orders[i] = acme_fixture_order(&s.base, &names);
        pointers[i] = &orders[i];
        free(s.base.ca->orders[i + 1].status);
        s.base.ca->orders[i + 1].status = mem_strdup(i % 2 ? "ready" : "invalid");
    }
    assert_int_equal(acme_orders_settle(s.base.acme, pointers, ARRAY_LEN(orders), &how, &s.base.err), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        assert_int_equal(orders[i].result.code, i % 2 ? ERR_OK : ERR_CHALLENGE);
        acme_order_done(&orders[i]);
    }
    assert_int_equal(s.base.clock.sleep_count, 1);
    done(&s);
}

/* ------------------------------------------------------------------ with patience */

/* Two more orders beside the one that is made with names: the second is ready at once, the third never. */
struct three {
    struct settle_fixture s;
    struct acme_order more[2];
    struct acme_order *pointers[3];
};

static void three_init(struct three *t, unsigned looks)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);

    init(&t->s, 1, &(struct fake_ca_manner){.validation_looks = looks});
    t->pointers[0] = &t->s.order;
    for (size_t i = 0; i < 2; i++) {
        t->more[i] = acme_fixture_order(&t->s.base, &names);
        t->pointers[i + 1] = &t->more[i];
    }
    free(t->s.base.ca->orders[1].status);
    t->s.base.ca->orders[1].status = mem_strdup("ready");
}

static void three_done(struct three *t)
{
    acme_order_done(&t->more[0]);
    acme_order_done(&t->more[1]);
    done(&t->s);
}

static void three_settle(struct three *t, int64_t timeout_ms, int64_t patience_ms)
{
    const struct acme_settle how = {
        .while_status = ACME_ORDER_PENDING, .timeout_ms = timeout_ms, .patience_ms = patience_ms};

    assert_int_equal(acme_orders_settle(t->s.base.acme, t->pointers, 3, &how, &t->s.base.err), ERR_OK);
}

TEST(an_order_that_stays_pending_does_not_hold_back_the_others)
{
    struct three t;
    int64_t start_ms, took_ms;

    three_init(&t, 0);
    start_ms = t.s.base.clock.mono_ms;
    three_settle(&t, 60000, 5000);
    took_ms = t.s.base.clock.mono_ms - start_ms;
    assert_in_range(took_ms, 5000, 6000);
    assert_int_equal(t.s.order.status, ACME_ORDER_READY);
    assert_int_equal(t.more[0].status, ACME_ORDER_READY);
    assert_int_equal(t.more[1].status, ACME_ORDER_PENDING);
    assert_int_equal(t.more[1].result.code, ERR_OK);
    three_done(&t);
}

TEST(patience_lasts_as_long_as_orders_come)
{
    struct three t;
    int64_t start_ms;

    three_init(&t, 3); /* the first one at 6.3 s, 3 s after the last look */
    start_ms = t.s.base.clock.mono_ms;
    three_settle(&t, 60000, 6100);
    assert_int_equal(t.s.order.status, ACME_ORDER_READY);
    assert_in_range(t.s.base.clock.mono_ms - start_ms, 12300, 12500);
    three_done(&t);
}

TEST(time_and_looks_go_on_in_the_next_call)
{
    struct three t;
    int64_t start_ms;
    size_t requests;

    three_init(&t, 0);
    start_ms = t.s.base.clock.mono_ms;
    requests = t.s.base.ca->request_count;
    for (size_t calls = 0; calls < 100 && t.more[1].result.code == ERR_OK; calls++)
        three_settle(&t, 60000, 1000); /* shorter than the pauses between looks */
    assert_int_equal(t.more[1].result.code, ERR_TIMEOUT);
    assert_in_range(t.s.base.clock.mono_ms - start_ms, 60000, 60100);
    assert_in_range(t.s.base.ca->request_count - requests, 10, 3 + 16);
    assert_int_equal(t.s.order.result.code, ERR_OK);
    three_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_become_rarer),
        cmocka_unit_test(the_cas_word_goes_before_ours),
        cmocka_unit_test(a_date_is_as_good_as_seconds),
        cmocka_unit_test(a_pause_longer_than_the_time_ends_with_one_last_look),
        cmocka_unit_test(an_order_that_never_settles_is_a_timeout),
        cmocka_unit_test(issuing_is_waited_for_as_well),
        cmocka_unit_test(what_is_not_in_that_state_costs_nothing),
        cmocka_unit_test(a_wish_to_stop_ends_the_wait),
        cmocka_unit_test(names_that_could_not_be_validated_are_told_with_the_reason),
        cmocka_unit_test(an_order_that_is_invalid_for_no_reason_says_that),
        cmocka_unit_test(many_orders_are_waited_for_at_once),
        cmocka_unit_test(an_order_that_stays_pending_does_not_hold_back_the_others),
        cmocka_unit_test(patience_lasts_as_long_as_orders_come),
        cmocka_unit_test(time_and_looks_go_on_in_the_next_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
