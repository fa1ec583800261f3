/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/renewal.h"
#include "test.h"

#define DAY_S (INT64_C(24) * 3600)
#define DAYS_MS(n) ((n)*DAY_S * 1000)
#define BEGIN_S INT64_C(1790000000)

static const struct renewal_rule third = {.numerator = 1, .denominator = 3};

/* 90 days from BEGIN_S on. */
static struct certificate_record record_of_90_days(void)
{
    return (struct certificate_record){.name = (char *)(uintptr_t) "www",
                                       .generation = 1,
                                       .not_before_s = BEGIN_S,
                                       .not_after_s = BEGIN_S + 90 * DAY_S};
}

static int64_t day(double n)
{
    return BEGIN_S * 1000 + (int64_t)(n * (double)DAYS_MS(1));
}

TEST(without_a_window_a_third_of_the_lifetime_must_be_left)
{
    const struct certificate_record record = record_of_90_days();

    assert_int_equal(renewal_decide(&record, &third, day(59.9)), RENEWAL_NOT_DUE);
    assert_int_equal(renewal_decide(&record, &third, day(60.1)), RENEWAL_LIFETIME);
    assert_int_equal(renewal_decide(&record, &third, day(90)), RENEWAL_EXPIRED);
    assert_int_equal(renewal_moment_ms(&record, &third), day(60));
}

TEST(the_rest_may_be_given_as_a_time)
{
    const struct certificate_record record = record_of_90_days();
    const struct renewal_rule rule = {.ms = DAYS_MS(10), .is_given = true};

    assert_int_equal(renewal_decide(&record, &rule, day(79.9)), RENEWAL_NOT_DUE);
    assert_int_equal(renewal_decide(&record, &rule, day(80.1)), RENEWAL_LIFETIME);
}

TEST(the_moment_drawn_in_the_window_counts_instead)
{
    struct certificate_record record = record_of_90_days();

    record.drawn_ms = day(70);
    assert_int_equal(renewal_decide(&record, &third, day(65)), RENEWAL_NOT_DUE);
    assert_int_equal(renewal_decide(&record, &third, day(70)), RENEWAL_WINDOW);
    record.drawn_ms = day(2); /* the CA revokes soon */
    assert_int_equal(renewal_decide(&record, &third, day(3)), RENEWAL_WINDOW);
}

TEST(no_window_is_waited_for_when_a_tenth_is_left)
{
    struct certificate_record record = record_of_90_days();

    record.drawn_ms = day(400);
    assert_int_equal(renewal_decide(&record, &third, day(80.9)), RENEWAL_NOT_DUE);
    assert_int_equal(renewal_decide(&record, &third, day(81.1)), RENEWAL_LIFETIME);
}

TEST(a_rule_of_the_operators_counts_beside_the_window)
{
    struct certificate_record record = record_of_90_days();
    const struct renewal_rule half = {.numerator = 1, .denominator = 2, .is_given = true};

    record.drawn_ms = day(60);
    assert_int_equal(renewal_decide(&record, &half, day(46)), RENEWAL_LIFETIME);
    assert_int_equal(renewal_decide(&record, &third, day(46)), RENEWAL_NOT_DUE);
}

TEST(the_window_may_be_ignored)
{
    struct certificate_record record = record_of_90_days();
    const struct renewal_rule rule = {.numerator = 1, .denominator = 3, .ignore_window = true};

    record.drawn_ms = day(2);
    assert_int_equal(renewal_decide(&record, &rule, day(30)), RENEWAL_NOT_DUE);
}

TEST(what_is_missing_or_revoked_is_due_at_once)
{
    struct certificate_record record = record_of_90_days();

    record.revoked_ms = day(1);
    assert_int_equal(renewal_decide(&record, &third, day(1)), RENEWAL_REVOKED);
    assert_int_equal(renewal_moment_ms(&record, &third), 0);
    record.generation = 0;
    assert_int_equal(renewal_decide(&record, &third, day(1)), RENEWAL_MISSING);
}

TEST(a_lifetime_of_six_days_has_its_share_as_well)
{
    struct certificate_record record = record_of_90_days();

    record.not_after_s = BEGIN_S + 6 * DAY_S;
    assert_int_equal(renewal_decide(&record, &third, day(3.9)), RENEWAL_NOT_DUE);
    assert_int_equal(renewal_decide(&record, &third, day(4.1)), RENEWAL_LIFETIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_window_a_third_of_the_lifetime_must_be_left),
        cmocka_unit_test(the_rest_may_be_given_as_a_time),
        cmocka_unit_test(the_moment_drawn_in_the_window_counts_instead),
        cmocka_unit_test(no_window_is_waited_for_when_a_tenth_is_left),
        cmocka_unit_test(a_rule_of_the_operators_counts_beside_the_window),
        cmocka_unit_test(the_window_may_be_ignored),
        cmocka_unit_test(what_is_missing_or_revoked_is_due_at_once),
        cmocka_unit_test(a_lifetime_of_six_days_has_its_share_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
