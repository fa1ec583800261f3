/* SPDX-License-Identifier: MIT
 *
 * Everything goes wrong at every request of a whole issuance: it ends well, or with one clear error and nothing else.
 */

#include "acme/internal.h"
#include "acme_fixture.h"
#include "fixture.h"
#include "test.h"

#define NAMES 2
#define REQUESTS_MAX 12 /* of an undisturbed issuance, and one more */

/* Register and issue with one fault; *out_err is the error, if any. */
static enum err_code run(enum fake_ca_fault fault, size_t first, size_t count, struct err *out_err)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(NAMES);
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct acme_account account = {.url = NULL};
    struct acme_fixture f;
    enum err_code code;
    bool is_new;

    acme_fixture_init(&f);
    fake_ca_fail(f.ca, fault, first, count);
    code = acme_account_register(f.acme, &(struct acme_registration){.key = f.key, .terms_agreed = true}, &account,
                                 &is_new, &f.err);
    if (code == ERR_OK)
        code = acme_fixture_issue(&f, &names, &pems);
    else
        assert_null(account.url);
    assert_int_equal(pems.count, code == ERR_OK ? 1 : 0);
    assert_int_equal(acme_request_count(f.acme), f.http->seen_count);
    assert_true(f.http->seen_count < 340);
    *out_err = f.err;
    acme_account_done(&account);
    acme_fixture_done(&f);
    return code;
}

static void check(enum err_code code, const struct err *err, enum fake_ca_fault fault, size_t first)
{
    if (code == ERR_OK)
        return;
    if (err->code != code || err->msg[0] == '\0' || code == ERR_INTERNAL)
        fail_msg("%s at request %zu: %s \"%s\"", fake_ca_fault_name(fault), first, err_name(code), err->msg);
}

/* What is not transient is told at the request where it happens. */
static void check_final(enum err_code code, enum fake_ca_fault fault, size_t first)
{
    static const enum err_code final[FAKE_CA_FAULT_COUNT] = {
        [FAKE_CA_TLS] = ERR_TLS,           [FAKE_CA_RATE_LIMIT] = ERR_ACME_LIMIT,
        [FAKE_CA_UNAUTHORIZED] = ERR_ACME, [FAKE_CA_REDIRECT] = ERR_ACME,
        [FAKE_CA_404] = ERR_ACME,          [FAKE_CA_CANCEL] = ERR_CANCELLED,
    };
    bool has_nonce = fault != FAKE_CA_TLS && fault != FAKE_CA_CANCEL;

    if (final[fault] == ERR_OK || first + 1 >= REQUESTS_MAX)
        return;
    if (first == 1 && has_nonce) /* newNonce: the nonce of an error is as good */
        return;
    if (fault == FAKE_CA_CANCEL && first + 2 == REQUESTS_MAX)
        return; /* the last one: all is done */
    if (code != final[fault])
        fail_msg("%s at request %zu: %s", fake_ca_fault_name(fault), first, err_name(code));
}

TEST(nothing_goes_wrong_in_peace)
{
    struct err err;

    assert_int_equal(run(FAKE_CA_OK, 0, 1, &err), ERR_OK);
}

TEST(one_request_that_goes_wrong_ends_well_or_with_a_clear_error)
{
    for (int kind = FAKE_CA_OK + 1; kind < FAKE_CA_FAULT_COUNT; kind++) {
        enum fake_ca_fault fault = (enum fake_ca_fault)kind;

        for (size_t first = 0; first < REQUESTS_MAX; first += fixture_step()) {
            struct err err;
            enum err_code code = run(fault, first, 1, &err);

            check(code, &err, fault, first);
            check_final(code, fault, first);
        }
    }
}

TEST(all_requests_that_go_wrong_from_one_on_end_with_a_clear_error)
{
    for (int fault = FAKE_CA_OK + 1; fault < FAKE_CA_FAULT_COUNT; fault++) {
        for (size_t first = 0; first + 2 < REQUESTS_MAX; first += fixture_step()) {
            struct err err;
            enum err_code code = run((enum fake_ca_fault)fault, first, FAKE_CA_FOREVER, &err);

            check(code, &err, (enum fake_ca_fault)fault, first);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_goes_wrong_in_peace),
        cmocka_unit_test(one_request_that_goes_wrong_ends_well_or_with_a_clear_error),
        cmocka_unit_test(all_requests_that_go_wrong_from_one_on_end_with_a_clear_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
