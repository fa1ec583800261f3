/* SPDX-License-Identifier: MIT
 *
 * Authorizations, their challenges, and the records that answer them.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "acme_fixture.h"
#include "test.h"

struct authz_fixture {
    struct acme_fixture base;
    struct acme_order order;
    struct acme_authz authz;
};

static void init(struct authz_fixture *a, const char *name)
{
    struct strlist names AUTO_STRLIST = {.count = 0};

    *a = (struct authz_fixture){.order = {.url = NULL}};
    strlist_add(&names, name);
    acme_fixture_init(&a->base);
    acme_fixture_register(&a->base);
    a->order = acme_fixture_order(&a->base, &names);
}

static void done(struct authz_fixture *a)
{
    acme_authz_done(&a->authz);
    acme_order_done(&a->order);
    acme_fixture_done(&a->base);
}

static void fetch(struct authz_fixture *a, enum acme_challenge_type type)
{
    acme_authz_done(&a->authz);
    assert_int_equal(acme_authzs_fetch(a->base.acme, &a->order.authorizations, type, &a->authz, &a->base.err), ERR_OK);
}

TEST(an_authorization_tells_what_is_to_be_proved_and_how)
{
    struct authz_fixture a;

    init(&a, "*.Example.com");
    fetch(&a, ACME_DNS_01);
    assert_int_equal(a.authz.result.code, ERR_OK);
    assert_string_equal(a.authz.url, FAKE_CA_ROOT "/authz/0");
    assert_string_equal(a.authz.domain, "example.com");
    assert_true(a.authz.is_wildcard);
    assert_int_equal(a.authz.status, ACME_AUTHZ_PENDING);
    assert_true(a.authz.expires_s == 1893456000);
    assert_true(a.authz.has_challenge);
    assert_string_equal(a.authz.challenge.url, FAKE_CA_ROOT "/chall/0/dns-01");
    assert_int_equal(a.authz.challenge.status, ACME_CHALLENGE_PENDING);
    assert_int_equal(a.authz.offered.count, 3);
    assert_non_null(strstr(acme_fixture_log(&a.base), "1 authorization, 1 to be validated, 0.0 s"));
    done(&a);
}

/* What the CA was looking for. */
struct noted {
    char *name;
    char *value;
};

static json_t *note(void *context, const struct fake_ca_validation *validation)
{
    struct noted *noted = context;

    noted->name = mem_strdup(validation->record_name);
    noted->value = mem_strdup(validation->record_value);
    return NULL;
}

static void expect_same_record(enum acme_challenge_type type, const char *domain)
{
    struct acme_authz *pointer;
    struct noted noted = {NULL, NULL};
    struct authz_fixture a;
    char *name = NULL;
    char *value = NULL;
    struct acme_order *order = &a.order;
    const struct acme_settle how = {.while_status = ACME_ORDER_PENDING, .timeout_ms = 10000};

    init(&a, domain);
    pointer = &a.authz;
    a.base.ca->validate = note;
    a.base.ca->validate_context = &noted;
    fetch(&a, type);
    assert_int_equal(acme_challenge_record(a.base.acme, &a.authz, type, &name, &value, &a.base.err), ERR_OK);
    assert_int_equal(acme_challenges_answer(a.base.acme, &pointer, 1, &a.base.err), ERR_OK);
    assert_int_equal(a.authz.result.code, ERR_OK);
    assert_int_equal(acme_orders_settle(a.base.acme, &order, 1, &how, &a.base.err), ERR_OK);
    assert_int_equal(a.order.status, ACME_ORDER_READY);
    assert_string_equal(value, noted.value);
    if (type != ACME_DNS_ACCOUNT_01)
        assert_string_equal(name, noted.name);
    free(name);
    free(value);
    free(noted.name);
    free(noted.value);
    done(&a);
}

TEST(the_records_are_those_that_the_ca_looks_for)
{
    expect_same_record(ACME_DNS_01, "example.com");
    expect_same_record(ACME_DNS_01, "*.example.com");
    expect_same_record(ACME_DNS_ACCOUNT_01, "example.com");
    expect_same_record(ACME_DNS_PERSIST_01, "example.com");
    expect_same_record(ACME_DNS_PERSIST_01, "*.example.com");
}

TEST(the_label_of_an_account_is_that_of_the_drafts_example)
{
    struct authz_fixture a;
    char *name AUTO_FREE = NULL;
    char *value AUTO_FREE = NULL;

    init(&a, "example.org");
    fetch(&a, ACME_DNS_ACCOUNT_01);
    acme_use_account(a.base.acme, a.base.key, "https://example.com/acme/acct/ExampleAccount");
    assert_int_equal(acme_challenge_record(a.base.acme, &a.authz, ACME_DNS_ACCOUNT_01, &name, &value, &a.base.err),
                     ERR_OK);
    assert_string_equal(name, "_ujmmovf2vn55tgye._acme-challenge.example.org");
    assert_int_equal(strlen(value), 43);
    done(&a);
}

TEST(an_account_whose_url_would_break_the_persistent_record_is_an_error)
{
    struct authz_fixture a;
    char *name = NULL;
    char *value = NULL;

    init(&a, "example.org");
    fetch(&a, ACME_DNS_PERSIST_01);
    acme_use_account(a.base.acme, a.base.key, "https://example.com/acct;x");
    assert_acme_error(&a.base.err,
                      acme_challenge_record(a.base.acme, &a.authz, ACME_DNS_PERSIST_01, &name, &value, &a.base.err),
                      ERR_ACME, "semicolon", NULL);
    assert_null(name);
    done(&a);
}

TEST(a_challenge_is_told_of_once)
{
    struct acme_authz *pointer;
    struct authz_fixture a;
    size_t before;

    init(&a, "example.org");
    pointer = &a.authz;
    fetch(&a, ACME_DNS_01);
    assert_int_equal(acme_challenges_answer(a.base.acme, &pointer, 1, &a.base.err), ERR_OK);
    assert_int_equal(a.authz.challenge.status, ACME_CHALLENGE_PROCESSING);
    before = a.base.http->seen_count;
    assert_int_equal(acme_challenges_answer(a.base.acme, &pointer, 1, &a.base.err), ERR_OK);
    assert_int_equal(a.base.http->seen_count, before);
    done(&a);
}

TEST(a_challenge_that_the_ca_does_not_want_answered_is_that_names_error_only)
{
    struct acme_authz *pointer;
    struct authz_fixture a;

    init(&a, "example.org");
    pointer = &a.authz;
    fetch(&a, ACME_DNS_01);
    fake_ca_fail(a.base.ca, FAKE_CA_UNAUTHORIZED, 5, 1);
    assert_int_equal(acme_challenges_answer(a.base.acme, &pointer, 1, &a.base.err), ERR_OK);
    assert_acme_error(&a.authz.result.err, a.authz.result.code, ERR_ACME,
                      "could not ask the CA to validate \"example.org\": the CA says: no (unauthorized)", NULL);
    done(&a);
}

/* ------------------------------------------------------------------ objects that are none */

static enum err_code read_authz(const char *text, enum acme_challenge_type type, struct acme_authz *out,
                                struct err *err)
{
    json_t *json AUTO_JSON = json_loads(text, 0, NULL);
    const json_t *error;

    assert_non_null(json);
    return acme_authz_read(json, ACME_HTTPS_ONLY, type, out, &error, err);
}

#define AUTHZ(challenges)                                                                                              \
    "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},\"challenges\":" challenges "}"
#define CHALLENGE(type, rest) AUTHZ("[{\"type\":\"" type "\",\"url\":\"https://a/c\",\"status\":\"pending\"" rest "}]")
#define TEN "\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\""

TEST(what_would_break_a_record_is_refused)
{
    static const struct {
        const char *text;
        enum acme_challenge_type type;
        const char *in_msg;
    } bad[] = {
        {AUTHZ("{}"), ACME_DNS_01, "\"challenges\""},
        {AUTHZ("[5]"), ACME_DNS_01, "is a number where an object belongs"},
        {AUTHZ("[{\"url\":\"https://a\"}]"), ACME_DNS_01, "has no \"type\""},
        {AUTHZ("[{\"type\":\"dns-01\",\"url\":\"https://a/c\",\"token\":\"t\"}]"), ACME_DNS_01, "no \"status\""},
        {AUTHZ("[{\"type\":\"dns-01\",\"status\":\"pending\",\"url\":\"http://a/c\",\"token\":\"t\"}]"), ACME_DNS_01,
         "no https URL"},
        {CHALLENGE("dns-01", ""), ACME_DNS_01, "has no \"token\""},
        {CHALLENGE("dns-01", ",\"token\":\"\""), ACME_DNS_01, "not base64url"},
        {CHALLENGE("dns-01", ",\"token\":\"a.b\""), ACME_DNS_01, "not base64url"},
        {CHALLENGE("dns-01", ",\"token\":\"a=\""), ACME_DNS_01, "not base64url"},
        {CHALLENGE("dns-persist-01", ""), ACME_DNS_PERSIST_01, "has no \"issuer-domain-names\""},
        {CHALLENGE("dns-persist-01", ",\"issuer-domain-names\":[]"), ACME_DNS_PERSIST_01, "has no"},
        {CHALLENGE("dns-persist-01", ",\"issuer-domain-names\":[" TEN ",\"k\"]"), ACME_DNS_PERSIST_01, "more than 10"},
        {CHALLENGE("dns-persist-01", ",\"issuer-domain-names\":[\"a;b\"]"), ACME_DNS_PERSIST_01, "no DNS name"},
        {CHALLENGE("dns-persist-01", ",\"issuer-domain-names\":[\"a.\"]"), ACME_DNS_PERSIST_01, "no DNS name"},
        {"{\"status\":\"odd\",\"identifier\":{\"type\":\"dns\",\"value\":\"a\"},\"challenges\":[]}", ACME_DNS_01,
         "the status \"odd\""},
        {"{\"status\":\"valid\",\"challenges\":[]}", ACME_DNS_01, "the identifier of"},
        {"{\"status\":\"valid\",\"identifier\":{\"type\":\"dns\",\"value\":\"*.a\"},\"challenges\":[]}", ACME_DNS_01,
         "no DNS name"},
        {"{\"status\":\"valid\",\"wildcard\":1,\"identifier\":{\"type\":\"dns\",\"value\":\"a\"},\"challenges\":[]}",
         ACME_DNS_01, "true or false"},
        {"{\"status\":\"valid\",\"expires\":\"soon\",\"identifier\":{\"type\":\"dns\",\"value\":\"a\"},"
         "\"challenges\":[]}",
         ACME_DNS_01, "RFC 3339"},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct acme_authz authz = {.url = NULL};
        struct err err;

        assert_acme_error(&err, read_authz(bad[i].text, bad[i].type, &authz, &err), ERR_ACME, bad[i].in_msg, NULL);
        assert_null(authz.domain);
    }
}

TEST(what_is_odd_in_other_challenges_does_not_matter)
{
    struct acme_authz authz = {.url = NULL};
    struct err err;

    assert_int_equal(read_authz(CHALLENGE("dns-01", ",\"token\":\"a.b\""), ACME_DNS_ACCOUNT_01, &authz, &err), ERR_OK);
    assert_false(authz.has_challenge);
    assert_string_equal(authz.offered.items[0], "dns-01");
    acme_authz_done(&authz);
    assert_int_equal(read_authz(CHALLENGE("dns-persist-01", ",\"issuer-domain-names\":[" TEN "]"), ACME_DNS_PERSIST_01,
                                &authz, &err),
                     ERR_OK);
    assert_int_equal(authz.challenge.issuer_domains.count, 10);
    acme_authz_done(&authz);
}

TEST(a_challenge_that_is_not_offered_has_no_record)
{
    struct authz_fixture a;
    char *name = NULL;
    char *value = NULL;

    init(&a, "example.org");
    fetch(&a, ACME_DNS_01);
    a.authz.has_challenge = false;
    assert_acme_error(&a.base.err,
                      acme_challenge_record(a.base.acme, &a.authz, ACME_DNS_01, &name, &value, &a.base.err), ERR_ACME,
                      "offers no dns-01 challenge for \"example.org\"", NULL);
    done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authorization_tells_what_is_to_be_proved_and_how),
        cmocka_unit_test(the_records_are_those_that_the_ca_looks_for),
        cmocka_unit_test(the_label_of_an_account_is_that_of_the_drafts_example),
        cmocka_unit_test(an_account_whose_url_would_break_the_persistent_record_is_an_error),
        cmocka_unit_test(a_challenge_is_told_of_once),
        cmocka_unit_test(a_challenge_that_the_ca_does_not_want_answered_is_that_names_error_only),
        cmocka_unit_test(what_would_break_a_record_is_refused),
        cmocka_unit_test(what_is_odd_in_other_challenges_does_not_matter),
        cmocka_unit_test(a_challenge_that_is_not_offered_has_no_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
