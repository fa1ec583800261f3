/* SPDX-License-Identifier: MIT
 *
 * What the examination makes of a zone's DNSSEC, whatever that is.
 */
#include <stdlib.h>
#include <string.h>

#include "check/internal.h"
#include "dns/dnssec.h"
#include "fake_clock.h"
#include "test.h"

#define DAY_S 86400

static struct dnssec_view next;    /* what is found out */
static enum err_code next_code;    /* how that ends */
static struct dnssec_request seen; /* what was asked for; its pointers may be stale */

enum err_code __wrap_dnssec_examine(const struct dnssec_request *request, struct dnssec_view *out, struct err *err);

enum err_code __wrap_dnssec_examine(const struct dnssec_request *request, struct dnssec_view *out, struct err *err)
{
    seen = *request;
    if (next_code != ERR_OK)
        return err_set(err, next_code, "interrupted");
    *out = next;
    out->why = mem_strdup(next.why);
    return ERR_OK;
}

/* The only finding, yours to free with the report. */
static const struct check_finding *examine(struct check_report *report, struct dnssec_view view)
{
    struct fake_clock clock;
    const struct challenge_account account = {.name = "main"};
    const struct challenge_place place = {.zone = (char[]){"example.com"}, .account = &account};
    const struct check_zone zone = {.name = (char[]){"example.com"}};
    struct check *check;
    struct err err;

    fake_clock_init(&clock);
    check = check_new(&(struct check_opts){.clock = &clock.base}, report);
    next = view;
    next_code = ERR_OK;
    assert_int_equal(check_dnssec(check, &place, &zone, &err), ERR_OK);
    check_free(check);
    assert_int_equal(report->count, 1);
    assert_string_equal(report->items[0].step, "dnssec");
    assert_string_equal(report->items[0].subject, "example.com");
    return &report->items[0];
}

#define WHY(text) ((char[]){text})

static void expect_finding(struct dnssec_view view, enum check_level level, const char *in_text, const char *in_hint)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    const struct check_finding *f = examine(&report, view);

    if (f->level != level || !strstr(f->text, in_text) || !strstr(f->hint, in_hint) ||
        (level != CHECK_OK && level != CHECK_SKIPPED && !*f->hint))
        fail_msg("%s \"%s\" \"%s\"", check_level_name(f->level), f->text, f->hint);
    assert_int_equal(f->code, level == CHECK_FAIL ? ERR_DNS : ERR_OK);
}

TEST(a_zone_that_is_not_signed_is_fine)
{
    expect_finding((struct dnssec_view){.state = DNSSEC_UNSIGNED}, CHECK_OK, "not signed", "");
    expect_finding((struct dnssec_view){.state = DNSSEC_UNSIGNED, .why = WHY("zone \"com\" is not signed")}, CHECK_OK,
                   "nothing to validate: zone \"com\" is not signed", "");
}

TEST(a_chain_that_holds_is_fine_unless_it_is_about_to_end)
{
    struct dnssec_view view = {.state = DNSSEC_SECURE};

    expect_finding(view, CHECK_OK, "chain of trust holds", "");
    view.expires_s = FAKE_CLOCK_START_S + 3 * DAY_S;
    expect_finding(view, CHECK_OK, "expires 2011-02-15T", "");
    view.expires_s--;
    expect_finding(view, CHECK_WARN, "expires 2011-02-15T", "renews");
}

TEST(a_broken_chain_fails_with_its_reason)
{
    expect_finding((struct dnssec_view){.state = DNSSEC_BROKEN, .why = WHY("no key fits the DS record")}, CHECK_FAIL,
                   "no key fits the DS record: CAs validate, and so refuse", "DS record");
    expect_finding((struct dnssec_view){.state = DNSSEC_BROKEN}, CHECK_FAIL, "CAs validate", "DS record");
}

TEST(what_could_not_be_found_out_is_no_failure)
{
    expect_finding((struct dnssec_view){.state = DNSSEC_UNKNOWN, .why = WHY("nobody answers")}, CHECK_SKIPPED,
                   "could not be found out: nobody answers", "");
    expect_finding((struct dnssec_view){.state = DNSSEC_UNKNOWN}, CHECK_SKIPPED, "could not be found out", "");
}

TEST(numbers_are_for_machines)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    const struct check_finding *f = examine(&report, (struct dnssec_view){.state = DNSSEC_SECURE,
                                                                          .expires_s = FAKE_CLOCK_START_S + 9 * DAY_S,
                                                                          .was_validated = true});

    assert_int_equal(f->measure_count, 2);
    assert_string_equal(f->measures[0].name, "expires_s");
    assert_int_equal(f->measures[0].value, FAKE_CLOCK_START_S + 9 * DAY_S);
    assert_string_equal(f->measures[1].name, "was_validated");
    assert_int_equal(f->measures[1].value, 1);
    assert_int_equal(seen.now_s, FAKE_CLOCK_START_S);
}

TEST(an_interruption_is_handed_on)
{
    AUTO_CHECK_REPORT struct check_report report = {.count = 0};
    struct fake_clock clock;
    const struct challenge_account account = {.name = "main"};
    const struct challenge_place place = {.zone = (char[]){"example.com"}, .account = &account};
    const struct check_zone zone = {.name = (char[]){"example.com"}};
    struct check *check;
    struct err err;

    fake_clock_init(&clock);
    check = check_new(&(struct check_opts){.clock = &clock.base}, &report);
    next_code = ERR_CANCELLED;
    assert_int_equal(check_dnssec(check, &place, &zone, &err), ERR_CANCELLED);
    check_free(check);
    assert_int_equal(report.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_that_is_not_signed_is_fine),
        cmocka_unit_test(a_chain_that_holds_is_fine_unless_it_is_about_to_end),
        cmocka_unit_test(a_broken_chain_fails_with_its_reason),
        cmocka_unit_test(what_could_not_be_found_out_is_no_failure),
        cmocka_unit_test(numbers_are_for_machines),
        cmocka_unit_test(an_interruption_is_handed_on),
    };

    return cmocka_run_group_tests_name("check/policy (DNSSEC)", tests, NULL, NULL);
}
