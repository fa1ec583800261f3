/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "acme/internal.h"
#include "acme_fixture.h"
#include "cert_fixture.h"
#include "test.h"

struct account_fixture {
    struct acme_fixture base;
    struct acme_account account;
    bool is_new;
};

static void init(struct account_fixture *a)
{
    *a = (struct account_fixture){.is_new = false};
    acme_fixture_init(&a->base);
}

static void done(struct account_fixture *a)
{
    acme_account_done(&a->account);
    acme_fixture_done(&a->base);
}

static enum err_code do_register(struct account_fixture *a, const struct acme_registration *registration)
{
    struct acme_registration with_key = *registration;

    with_key.key = with_key.key ? with_key.key : a->base.key;
    acme_account_done(&a->account);
    return acme_account_register(a->base.acme, &with_key, &a->account, &a->is_new, &a->base.err);
}

TEST(an_account_is_registered_once_and_found_afterwards)
{
    struct strlist contacts AUTO_STRLIST = {.count = 0};
    struct account_fixture a;

    init(&a);
    strlist_add(&contacts, "mailto:a@example.com");
    assert_int_equal(do_register(&a, &(struct acme_registration){.contacts = &contacts, .terms_agreed = true}), ERR_OK);
    assert_true(a.is_new);
    assert_string_equal(a.account.url, FAKE_CA_ROOT "/acct/1");
    assert_int_equal(a.account.status, ACME_ACCOUNT_VALID);
    assert_string_equal(a.account.contacts.items[0], "mailto:a@example.com");
    assert_int_equal(a.base.http->seen_count, 3);
    assert_int_equal(do_register(&a, &(struct acme_registration){.only_existing = true}), ERR_OK);
    assert_false(a.is_new);
    assert_int_equal(a.base.ca->account_count, 1);
    done(&a);
}

TEST(an_account_that_does_not_exist_is_not_found_and_not_made)
{
    struct account_fixture a;

    init(&a);
    assert_acme_error(&a.base.err, do_register(&a, &(struct acme_registration){.only_existing = true}), ERR_NOT_FOUND,
                      "has no account with this key", "Register");
    assert_int_equal(a.base.ca->account_count, 0);
    done(&a);
}

TEST(terms_are_agreed_to_only_if_the_user_has)
{
    struct account_fixture a;

    init(&a);
    assert_acme_error(&a.base.err, do_register(&a, &(struct acme_registration){.terms_agreed = false}), ERR_ACME,
                      "must agree to terms of service", NULL);
    assert_int_equal(a.base.ca->account_count, 0);
    done(&a);
}

TEST(an_account_is_bound_to_that_of_a_customer)
{
    struct secret *secret AUTO_SECRET = secret_new(FAKE_CA_EAB_KEY, strlen(FAKE_CA_EAB_KEY));
    const struct acme_eab eab = {FAKE_CA_EAB_KID, secret, DIGEST_HMAC_SHA256};
    struct account_fixture a;

    init(&a);
    a.base.ca->manner.needs_eab = true;
    assert_acme_error(&a.base.err, do_register(&a, &(struct acme_registration){.terms_agreed = true}), ERR_ACME,
                      "externalAccountRequired", "external account binding");
    assert_int_equal(do_register(&a, &(struct acme_registration){.terms_agreed = true, .eab = &eab}), ERR_OK);
    assert_true(a.base.ca->accounts[0].has_eab);
    done(&a);
}

TEST(new_terms_are_shown_with_where_they_are)
{
    struct account_fixture a;

    init(&a);
    a.base.ca->manner.refusal = "{\"type\":\"urn:ietf:params:acme:error:userActionRequired\",\"detail\":\"Terms have "
                                "changed\"}";
    a.base.ca->manner.refusal_status = 403;
    assert_acme_error(&a.base.err, do_register(&a, &(struct acme_registration){.terms_agreed = true}), ERR_ACME,
                      "Terms have changed (userActionRequired)", FAKE_CA_TERMS);
    done(&a);
}

static void answer_with_headers(void *context, UNUSED const struct fake_seen *request, UNUSED size_t index,
                                struct fake_exchange *answer)
{
    *answer = (struct fake_exchange){.status = 201, .headers = context, .answer = "{\"status\":\"valid\"}"};
}

TEST(an_account_without_a_url_is_none)
{
    static const char *const urls[] = {NULL, "/acct/1", "http://ca.example.net/acct/1"};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        char *headers AUTO_FREE = urls[i] ? mem_printf("Replay-Nonce: n1\nLocation: %s", urls[i])
                                          : mem_strdup("Replay-Nonce: n1");
        struct account_fixture a;

        init(&a);
        assert_int_equal(acme_open(a.base.acme, &a.base.err), ERR_OK);
        acme_nonces_add(&a.base.acme->nonces, "n0");
        a.base.http->handler_context = headers;
        a.base.http->handler = answer_with_headers;
        assert_acme_error(&a.base.err, do_register(&a, &(struct acme_registration){.terms_agreed = true}), ERR_ACME,
                          "Location", "RFC 8555");
        done(&a);
    }
}

TEST(contacts_are_looked_at_and_changed)
{
    struct strlist contacts AUTO_STRLIST = {.count = 0};
    struct acme_account account = {.url = NULL};
    struct account_fixture a;

    init(&a);
    acme_fixture_register(&a.base);
    strlist_add(&contacts, "mailto:b@example.com");
    assert_int_equal(acme_account_update(a.base.acme, &contacts, &account, &a.base.err), ERR_OK);
    assert_string_equal(account.contacts.items[0], "mailto:b@example.com");
    acme_account_done(&account);
    assert_int_equal(acme_account_fetch(a.base.acme, &account, &a.base.err), ERR_OK);
    assert_string_equal(account.url, FAKE_CA_ROOT "/acct/1");
    assert_string_equal(account.contacts.items[0], "mailto:b@example.com");
    acme_account_done(&account);
    done(&a);
}

TEST(a_deactivated_account_can_do_nothing)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct account_fixture a;

    init(&a);
    acme_fixture_register(&a.base);
    assert_int_equal(acme_account_deactivate(a.base.acme, &a.base.err), ERR_OK);
    assert_acme_error(&a.base.err, acme_fixture_issue(&a.base, &names, &pems), ERR_ACME, "deactivated (unauthorized)",
                      "deactivated");
    done(&a);
}

TEST(an_account_that_the_ca_forgot_is_to_be_registered_again)
{
    struct acme_account account;
    struct account_fixture a;

    init(&a);
    acme_fixture_register(&a.base);
    a.base.ca->manner.forgets_account = true;
    assert_acme_error(&a.base.err, acme_account_fetch(a.base.acme, &account, &a.base.err), ERR_ACME,
                      "accountDoesNotExist", "directory URL");
    done(&a);
}

/* ------------------------------------------------------------------ rollover */

TEST(the_key_of_an_account_is_changed)
{
    struct key *key AUTO_KEY = key_made(KEY_ECDSA_P384);
    struct acme_account account;
    struct account_fixture a;

    init(&a);
    acme_fixture_register(&a.base);
    assert_int_equal(acme_account_rollover(a.base.acme, key, &a.base.err), ERR_OK);
    assert_int_equal(a.base.http->seen_count, 4);
    assert_int_equal(acme_account_fetch(a.base.acme, &account, &a.base.err), ERR_OK);
    acme_account_done(&account);
    done(&a);
}

TEST(a_change_of_keys_whose_answer_was_lost_is_found_out)
{
    struct key *key AUTO_KEY = key_made(KEY_ECDSA_P384);
    struct acme_account account;
    struct account_fixture a;

    init(&a);
    acme_fixture_register(&a.base);
    a.base.ca->manner.has_other_keys = true;
    fake_ca_fail(a.base.ca, FAKE_CA_ANSWER_LOST, 3, 1);
    assert_int_equal(acme_account_rollover(a.base.acme, key, &a.base.err), ERR_OK);
    assert_int_equal(acme_account_fetch(a.base.acme, &account, &a.base.err), ERR_OK);
    assert_string_equal(account.url, FAKE_CA_ROOT "/acct/1");
    acme_account_done(&account);
    done(&a);
}

TEST(a_change_of_keys_that_an_earlier_process_has_made_is_success)
{
    struct key *key AUTO_KEY = key_made(KEY_ECDSA_P384);
    struct account_fixture a;

    init(&a);
    acme_fixture_register(&a.base);
    a.base.ca->manner.has_other_keys = true;
    assert_int_equal(acme_account_rollover(a.base.acme, key, &a.base.err), ERR_OK);
    acme_use_account(a.base.acme, a.base.key, FAKE_CA_ROOT "/acct/1"); /* it still has the old one */
    assert_int_equal(acme_account_rollover(a.base.acme, key, &a.base.err), ERR_OK);
    done(&a);
}

TEST(a_key_of_another_account_is_not_taken)
{
    struct key *key AUTO_KEY = key_made(KEY_ECDSA_P384);
    struct account_fixture a;

    init(&a);
    assert_int_equal(do_register(&a, &(struct acme_registration){.key = key, .terms_agreed = true}), ERR_OK);
    acme_fixture_register(&a.base);
    assert_acme_error(&a.base.err, acme_account_rollover(a.base.acme, key, &a.base.err), ERR_EXISTS, "/acct/1", NULL);
    done(&a);
}

TEST(a_change_of_keys_that_the_ca_refuses_changes_nothing)
{
    struct key *key AUTO_KEY = key_made(KEY_ECDSA_P384);
    struct acme_account account;
    struct account_fixture a;

    init(&a);
    acme_fixture_register(&a.base);
    fake_ca_fail(a.base.ca, FAKE_CA_UNAUTHORIZED, 3, 1);
    assert_acme_error(&a.base.err, acme_account_rollover(a.base.acme, key, &a.base.err), ERR_ACME,
                      "could not change the account's key: the CA says: no (unauthorized)", NULL);
    assert_int_equal(acme_account_fetch(a.base.acme, &account, &a.base.err), ERR_OK);
    acme_account_done(&account);
    done(&a);
}

/* ------------------------------------------------------------------ revocation */

TEST(a_certificate_is_revoked_by_account_or_by_its_own_key_once)
{
    struct key *key AUTO_KEY = key_made(KEY_ECDSA_P384);
    struct account_fixture a;
    bool was_revoked = true;

    init(&a);
    acme_fixture_register(&a.base);
    assert_int_equal(acme_revoke(a.base.acme, &(struct acme_revocation){"der", 3, 4, NULL}, &was_revoked, &a.base.err),
                     ERR_OK);
    assert_false(was_revoked);
    assert_int_equal(a.base.ca->last_reason, 4);
    assert_string_equal(a.base.ca->revoked.items[0], "ZGVy");
    assert_int_equal(acme_revoke(a.base.acme, &(struct acme_revocation){"der", 3, -1, key}, &was_revoked, &a.base.err),
                     ERR_OK);
    assert_true(was_revoked);
    assert_int_equal(acme_revoke(a.base.acme, &(struct acme_revocation){"two", 3, -1, key}, &was_revoked, &a.base.err),
                     ERR_OK);
    assert_false(was_revoked);
    assert_int_equal(a.base.ca->last_reason, -1);
    done(&a);
}

TEST(reasons_are_names_or_numbers_that_a_subscriber_may_give)
{
    static const char *const bad[] = {"", "2", "6", "cACompromise", "-1", "10", "99999999999999999999", "key"};
    int reason = -2;

    assert_true(acme_revocation_reason_parse("keycompromise", &reason));
    assert_int_equal(reason, 1);
    assert_true(acme_revocation_reason_parse("5", &reason));
    assert_int_equal(reason, 5);
    assert_true(acme_revocation_reason_parse("unspecified", &reason));
    assert_int_equal(reason, 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(acme_revocation_reason_parse(bad[i], &reason));
    assert_int_equal(reason, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_registered_once_and_found_afterwards),
        cmocka_unit_test(an_account_that_does_not_exist_is_not_found_and_not_made),
        cmocka_unit_test(terms_are_agreed_to_only_if_the_user_has),
        cmocka_unit_test(an_account_is_bound_to_that_of_a_customer),
        cmocka_unit_test(new_terms_are_shown_with_where_they_are),
        cmocka_unit_test(an_account_without_a_url_is_none),
        cmocka_unit_test(contacts_are_looked_at_and_changed),
        cmocka_unit_test(a_deactivated_account_can_do_nothing),
        cmocka_unit_test(an_account_that_the_ca_forgot_is_to_be_registered_again),
        cmocka_unit_test(the_key_of_an_account_is_changed),
        cmocka_unit_test(a_change_of_keys_whose_answer_was_lost_is_found_out),
        cmocka_unit_test(a_change_of_keys_that_an_earlier_process_has_made_is_success),
        cmocka_unit_test(a_key_of_another_account_is_not_taken),
        cmocka_unit_test(a_change_of_keys_that_the_ca_refuses_changes_nothing),
        cmocka_unit_test(a_certificate_is_revoked_by_account_or_by_its_own_key_once),
        cmocka_unit_test(reasons_are_names_or_numbers_that_a_subscriber_may_give),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
