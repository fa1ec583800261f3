/* SPDX-License-Identifier: MIT
 *
 * What a CA delivers, and whether it is believed.
 */
#include <string.h>

#include "issue_world.h"
#include "test.h"

static struct issue_world *begin(void)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "www", "a.example.com");
    return iw;
}

/* It fails like that, nothing is handed out, no record is left, and the next run places another order. */
static void assert_refused(struct issue_world *iw, const char *says)
{
    size_t orders = iw->ca->order_count;

    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_int_equal(iw->jobs[0].err.code, ERR_ACME);
    if (!strstr(iw->jobs[0].err.msg, says))
        fail_msg("\"%s\" is not in \"%s\"", says, iw->jobs[0].err.msg);
    assert_null(iw->jobs[0].chain);
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    assert_false(issue_world_has_order(iw));
    iw->lie = ISSUE_WORLD_HONEST;
    iw->ca->manner.certificate_text = NULL;
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "the next run"));
    assert_int_equal(iw->ca->order_count, orders + 2);
}

TEST(a_certificate_for_another_key_is_refused)
{
    struct issue_world *iw = begin();

    iw->lie = ISSUE_WORLD_OTHER_KEY;
    assert_refused(iw, "key");
    issue_world_free(iw);
}

TEST(a_certificate_for_another_name_is_refused)
{
    struct issue_world *iw = begin();

    iw->lie = ISSUE_WORLD_OTHER_NAME;
    assert_refused(iw, "not for \"a.example.com\"");
    issue_world_free(iw);
}

TEST(what_is_no_certificate_is_refused)
{
    struct issue_world *iw = begin();

    iw->ca->manner.certificate_text = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
    assert_refused(iw, "certificate");
    issue_world_free(iw);
}

static char *issue_nothing(UNUSED void *context, UNUSED const void *csr_der, UNUSED size_t csr_len,
                           UNUSED const struct fake_ca_order *order)
{
    return NULL;
}

TEST(an_order_that_becomes_invalid_at_the_end_says_why_and_is_forgotten)
{
    struct issue_world *iw = begin();

    iw->ca->manner.processing_looks = 1;
    iw->ca->issue = issue_nothing;
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_int_equal(iw->jobs[0].err.code, ERR_ACME);
    assert_non_null(strstr(iw->jobs[0].err.msg, "no certificate for this"));
    assert_false(issue_world_has_order(iw));
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    issue_world_free(iw);
}

TEST(a_ca_that_never_comes_to_an_end_is_not_waited_for_longer_than_asked)
{
    struct issue_world *iw = begin();
    int64_t start_ms = iw->w->clock.mono_ms;

    iw->ca->manner.processing_looks = 100000;
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_int_equal(iw->jobs[0].err.code, ERR_TIMEOUT);
    assert_in_range(iw->w->clock.mono_ms - start_ms, 300000, 420000);
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    assert_true(issue_world_has_order(iw));
    iw->ca->orders[0].looks_left = 0;
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_int_equal(iw->ca->order_count, 1);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ chains */

TEST(the_cas_chain_is_taken_when_it_is_the_preferred_one)
{
    struct issue_world *iw = begin();

    iw->jobs[0].preferred_chain = "A CA in Memory";
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_int_equal(chain_len(iw->jobs[0].chain), 2);
    assert_false(world_log_has(iw->w, "no chain that leads to"));
    issue_world_free(iw);
}

/* The alternates of this CA are no certificates at all. */
TEST(alternates_that_can_not_be_used_and_a_chain_that_is_not_there_are_no_obstacle)
{
    struct issue_world *iw = begin();

    iw->ca->manner.alternates = 2;
    iw->jobs[0].preferred_chain = "Some Other Root";
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "the default"));
    assert_true(world_log_has(iw->w, "an alternate chain can't be used"));
    assert_true(world_log_has(iw->w, "no chain that leads to \"Some Other Root\""));
    issue_world_free(iw);
}

TEST(alternates_are_not_fetched_when_no_chain_is_preferred)
{
    struct issue_world *iw = begin();

    iw->ca->manner.alternates = 2;
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    for (size_t i = 0; i < iw->http->seen_count; i++)
        assert_null(strstr(iw->http->seen[i].url, "/cert/0/"));
    issue_world_free(iw);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_for_another_key_is_refused),
        cmocka_unit_test(a_certificate_for_another_name_is_refused),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(an_order_that_becomes_invalid_at_the_end_says_why_and_is_forgotten),
        cmocka_unit_test(a_ca_that_never_comes_to_an_end_is_not_waited_for_longer_than_asked),
        cmocka_unit_test(the_cas_chain_is_taken_when_it_is_the_preferred_one),
        cmocka_unit_test(alternates_that_can_not_be_used_and_a_chain_that_is_not_there_are_no_obstacle),
        cmocka_unit_test(alternates_are_not_fetched_when_no_chain_is_preferred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
