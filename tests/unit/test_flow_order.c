/* SPDX-License-Identifier: MIT
 *
 * Orders that an earlier run left: which are taken up, which are not, and which stay for the run after this one.
 */
#include <stdio.h>
#include <string.h>

#include "issue_world.h"
#include "store_place.h"
#include "test.h"

static struct issue_world *begin(void)
{
    struct issue_world *iw = issue_world_new();

    iw->ca->manner.processing_looks = 2;
    (void)issue_world_add(iw, "www", "a.example.com,b.example.com");
    return iw;
}

/* Requests that the CA sees when nothing goes wrong. */
static size_t count_in_peace(void)
{
    struct issue_world *iw = begin();
    size_t before = iw->ca->request_count;
    size_t count;

    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    count = iw->ca->request_count - before;
    issue_world_free(iw);
    return count;
}

static void fail_from(struct issue_world *iw, enum fake_ca_fault fault, size_t n)
{
    fake_ca_fail(iw->ca, fault, iw->ca->request_count + n, FAKE_CA_FOREVER);
}

static void mend(struct issue_world *iw)
{
    fake_ca_fail(iw->ca, FAKE_CA_OK, 0, 0);
}

/* A world whose order is valid, and its certificate was not downloaded. */
static struct issue_world *begin_with_order(void)
{
    struct issue_world *iw = begin();

    fail_from(iw, FAKE_CA_NO_CONNECTION, count_in_peace() - 1);
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_NETWORK);
    mend(iw);
    assert_int_equal(iw->ca->order_count, 1);
    assert_string_equal(iw->ca->orders[0].status, "valid");
    assert_true(issue_world_has_order(iw));
    return iw;
}

static void assert_issued(struct issue_world *iw, size_t orders)
{
    if (issue_world_outcome(iw, issue_world_run(iw)) != ERR_OK)
        fail_msg("%s", iw->jobs[0].err.msg);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "after all"));
    assert_int_equal(iw->ca->order_count, orders);
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
}

/* ------------------------------------------------------------------ states */

static void stop_and_go_on(size_t n, struct strlist *states)
{
    struct issue_world *iw = begin();
    size_t orders;
    bool goes_on;

    fail_from(iw, FAKE_CA_NO_CONNECTION, n);
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_NETWORK);
    mend(iw);
    orders = iw->ca->order_count;
    goes_on = orders == 1 && issue_world_can_go_on(iw, 0);
    assert_int_equal(issue_world_has_order(iw), orders == 1);
    if (goes_on && !strlist_has(states, iw->ca->orders[0].status))
        strlist_add(states, iw->ca->orders[0].status);
    assert_issued(iw, goes_on ? 1 : orders + 1);
    issue_world_free(iw);
}

TEST(in_whatever_state_an_order_was_left_it_is_taken_up)
{
    struct strlist states AUTO_STRLIST = {NULL, 0};
    size_t total = count_in_peace();

    for (size_t n = 0; n < total; n++)
        stop_and_go_on(n, &states);
    assert_true(strlist_has(&states, "pending"));
    assert_true(strlist_has(&states, "ready"));
    assert_true(strlist_has(&states, "processing"));
    assert_true(strlist_has(&states, "valid"));
}

TEST(an_order_is_taken_up_with_its_key)
{
    struct issue_world *iw = begin_with_order();
    AUTO(order_record_done) struct order_record order = {.name = NULL};
    AUTO_KEY struct key *key = NULL;
    size_t before = iw->w->api->request_count;

    assert_true(issue_world_recall(iw, &order));
    assert_int_equal(key_parse_pem(order.key_pem, strlen(order.key_pem), "the key", &key, &iw->err), ERR_OK);
    assert_issued(iw, 1);
    assert_true(key_is_same(iw->jobs[0].own_key, key));
    assert_int_equal(iw->w->api->request_count, before);
    issue_world_free(iw);
}

TEST(an_order_that_was_paid_for_is_not_forgotten_before_its_certificate_is_installed)
{
    struct issue_world *iw = begin_with_order();

    assert_issued(iw, 1);
    assert_true(issue_world_has_order(iw));
    assert_issued(iw, 1);
    assert_int_equal(issue_world_finalized(iw), 1);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ orders of another kind */

static void want_other_names(struct issue_world *iw)
{
    strlist_add(&iw->domains[0], "c.example.com");
}

static void want_another_profile(struct issue_world *iw)
{
    iw->jobs[0].profile = "shortlived";
}

static void want_another_key_type(struct issue_world *iw)
{
    iw->jobs[0].key_type = KEY_ECDSA_P384;
}

static void want_own_key(struct issue_world *iw)
{
    iw->jobs[0].key = iw->spare_key;
}

static void wait_a_week(struct issue_world *iw)
{
    fake_clock_advance(&iw->w->clock, 7 * DAY_MS);
}

static void change_record(struct issue_world *iw, char *const *member, size_t offset)
{
    AUTO(order_record_done) struct order_record order = {.name = NULL};
    char **place;

    assert_true(issue_world_recall(iw, &order));
    place = (char **)(void *)((char *)&order + offset);
    mem_free_auto(place);
    *place = mem_strdup(*member);
    (void)world_engine(iw->w);
    assert_int_equal(place_save_order(iw->w->store, &order, &iw->err), ERR_OK);
    world_leave(iw->w);
}

static void be_of_another_ca(struct issue_world *iw)
{
    change_record(iw, (char *[]){(char *)(uintptr_t) "https://other.example/dir"},
                  offsetof(struct order_record, directory));
}

static void be_unknown(struct issue_world *iw)
{
    change_record(iw, (char *[]){(char *)(uintptr_t)(FAKE_CA_ROOT "/order/77")}, offsetof(struct order_record, url));
}

static void be_no_url(struct issue_world *iw)
{
    change_record(iw, (char *[]){(char *)(uintptr_t) ""}, offsetof(struct order_record, url));
}

static void become_invalid(struct issue_world *iw)
{
    mem_free_auto(&iw->ca->orders[0].status);
    iw->ca->orders[0].status = mem_strdup("invalid");
}

TEST(an_order_that_does_not_lead_to_what_is_wanted_is_not_taken_up)
{
    static void (*const changes[])(struct issue_world *) = {
        want_other_names,
        want_another_profile,
        want_another_key_type,
        want_own_key,
        wait_a_week,
        be_of_another_ca,
        be_unknown,
        be_no_url,
        become_invalid,
    };

    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct issue_world *iw = begin_with_order();

        changes[i](iw);
        assert_issued(iw, 2);
        issue_world_free(iw);
    }
}

/* ------------------------------------------------------------------ what is left for the next run */

/* All that may stand between us and the CA for a while. */
TEST(an_order_that_can_not_be_asked_for_stays_for_the_next_run)
{
    static const enum fake_ca_fault faults[] = {
        FAKE_CA_NO_CONNECTION, FAKE_CA_TIMEOUT,  FAKE_CA_TLS, FAKE_CA_500,   FAKE_CA_503,   FAKE_CA_RATE_LIMIT,
        FAKE_CA_HTML,          FAKE_CA_REDIRECT, FAKE_CA_404, FAKE_CA_EMPTY, FAKE_CA_CANCEL};

    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        for (size_t n = 0; n < 3; n++) { /* the directory, a nonce, the order itself */
            struct issue_world *iw = begin_with_order();

            fail_from(iw, faults[i], n);
            if (issue_world_outcome(iw, issue_world_run(iw)) == ERR_OK)
                fail_msg("%s at %zu is success", fake_ca_fault_name(faults[i]), n);
            mend(iw);
            iw->w->clock.cancelled = false;
            fake_clock_advance(&iw->w->clock, INT64_C(3) * 3600 * 1000);
            if (!issue_world_has_order(iw))
                fail_msg("%s at %zu: the order is forgotten", fake_ca_fault_name(faults[i]), n);
            assert_issued(iw, iw->ca->order_count);
            assert_int_equal(issue_world_finalized(iw), 1);
            issue_world_free(iw);
        }
}

TEST(an_order_whose_records_could_not_be_published_is_taken_up)
{
    struct issue_world *iw = begin();

    fake_api_fail(iw->w->api, FAKE_API_403, 0, FAKE_API_FOREVER);
    assert_int_not_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    fake_api_heal(iw->w->api);
    assert_true(issue_world_has_order(iw));
    assert_issued(iw, 1);
    issue_world_free(iw);
}

TEST(an_order_whose_names_were_not_validated_is_forgotten)
{
    struct issue_world *iw = begin();

    iw->never_valid = "b.example.com";
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_CHALLENGE);
    assert_false(issue_world_has_order(iw));
    iw->never_valid = NULL;
    assert_issued(iw, 2);
    issue_world_free(iw);
}

TEST(without_a_store_no_order_is_remembered)
{
    struct issue_world *iw = begin();

    iw->w->no_journal = true;
    assert_issued(iw, 1);
    assert_issued(iw, 2);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ keys */

TEST(the_accounts_key_is_refused_before_anything_is_ordered)
{
    struct issue_world *iw = begin();

    iw->jobs[0].key = iw->account_key;
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_INPUT);
    assert_non_null(strstr(iw->jobs[0].err.msg, "\"www\""));
    assert_int_equal(iw->ca->order_count, 0);
    issue_world_free(iw);
}

TEST(an_operators_csr_is_sent_as_it_is_and_no_key_is_stored)
{
    struct issue_world *iw = begin();
    struct buf der = BUF_INIT(65536);
    AUTO_CSR struct csr csr = {.names = {NULL, 0}};
    AUTO(order_record_done) struct order_record order = {.name = NULL};

    assert_int_equal(csr_new(iw->spare_key, &iw->domains[0], &der, &iw->err), ERR_OK);
    assert_int_equal(csr_parse(der.data, der.len, "the CSR", &csr, &iw->err), ERR_OK);
    buf_done(&der);
    iw->jobs[0].csr = &csr;
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_null(iw->jobs[0].own_key);
    assert_non_null(iw->jobs[0].chain);
    assert_true(issue_world_recall(iw, &order));
    assert_null(order.key_pem);
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_int_equal(iw->ca->order_count, 1);
    issue_world_free(iw);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_whatever_state_an_order_was_left_it_is_taken_up),
        cmocka_unit_test(an_order_is_taken_up_with_its_key),
        cmocka_unit_test(an_order_that_was_paid_for_is_not_forgotten_before_its_certificate_is_installed),
        cmocka_unit_test(an_order_that_does_not_lead_to_what_is_wanted_is_not_taken_up),
        cmocka_unit_test(an_order_that_can_not_be_asked_for_stays_for_the_next_run),
        cmocka_unit_test(an_order_whose_records_could_not_be_published_is_taken_up),
        cmocka_unit_test(an_order_whose_names_were_not_validated_is_forgotten),
        cmocka_unit_test(without_a_store_no_order_is_remembered),
        cmocka_unit_test(the_accounts_key_is_refused_before_anything_is_ordered),
        cmocka_unit_test(an_operators_csr_is_sent_as_it_is_and_no_key_is_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
