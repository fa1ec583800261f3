/* SPDX-License-Identifier: MIT
 *
 * Orders: made, finalized, and their certificates.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "acme_fixture.h"
#include "test.h"

#define CERT_ID "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"

struct order_fixture {
    struct acme_fixture base;
    struct strlist names;
    struct acme_order order;
    struct acme_order *pointer;
};

static void init(struct order_fixture *o)
{
    *o = (struct order_fixture){.names = acme_fixture_names(2)};
    acme_fixture_init(&o->base);
    acme_fixture_register(&o->base);
    o->pointer = &o->order;
}

static void done(struct order_fixture *o)
{
    acme_order_done(&o->order);
    strlist_done(&o->names);
    acme_fixture_done(&o->base);
}

static enum err_code make(struct order_fixture *o, const char *profile, const char *replaces)
{
    acme_order_done(&o->order);
    assert_int_equal(acme_orders_new(o->base.acme, &(struct acme_order_request){&o->names, profile, replaces},
                                     &o->order, 1, &o->base.err),
                     ERR_OK);
    return o->order.result.code;
}

static enum err_code finalize(struct order_fixture *o)
{
    assert_int_equal(acme_orders_finalize(o->base.acme, &o->pointer, &(struct acme_csr){"csr", 3}, 1, &o->base.err),
                     ERR_OK);
    return o->order.result.code;
}

TEST(an_order_has_what_was_asked_for_and_where_to_go_on)
{
    struct order_fixture o;

    init(&o);
    assert_int_equal(make(&o, "shortlived", CERT_ID), ERR_OK);
    assert_string_equal(o.order.url, FAKE_CA_ROOT "/order/0");
    assert_int_equal(o.order.status, ACME_ORDER_PENDING);
    assert_int_equal(o.order.names.count, 2);
    assert_int_equal(o.order.authorizations.count, 2);
    assert_string_equal(o.order.finalize_url, FAKE_CA_ROOT "/finalize/0");
    assert_null(o.order.certificate_url);
    assert_string_equal(o.order.profile, "shortlived");
    assert_string_equal(o.order.replaces, CERT_ID);
    assert_true(o.order.expires_s > 0);
    assert_non_null(strstr(acme_fixture_log(&o.base),
                           "order " FAKE_CA_ROOT "/order/0 for \"name-0.example.com\" and 1 more name created"));
    done(&o);
}

TEST(a_profile_that_the_ca_does_not_list_costs_no_request)
{
    struct order_fixture o;
    size_t before;

    init(&o);
    before = o.base.http->seen_count;
    assert_acme_error(&o.order.result.err, make(&o, "tlsserver", NULL), ERR_ACME, "has no profile \"tlsserver\"",
                      "\"classic\", \"shortlived\"");
    assert_int_equal(o.order.result.problem, ACME_PROBLEM_INVALID_PROFILE);
    assert_int_equal(o.base.http->seen_count, before);
    done(&o);
}

TEST(a_ca_without_profiles_says_so)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.has_no_profiles = true;
    acme_fixture_restart(&o.base, 0);
    acme_fixture_register(&o.base);
    assert_acme_error(&o.order.result.err, make(&o, "classic", NULL), ERR_ACME, "has no profile", "no profiles at all");
    done(&o);
}

TEST(orders_that_fail_harm_no_others)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);
    const struct acme_order_request requests[] = {{.names = &names, .profile = "nope"}, {.names = &names}};
    struct acme_order orders[2];
    struct order_fixture o;

    init(&o);
    assert_int_equal(acme_orders_new(o.base.acme, requests, orders, 2, &o.base.err), ERR_OK);
    assert_int_equal(orders[0].result.code, ERR_ACME);
    assert_int_equal(orders[1].result.code, ERR_OK);
    acme_order_done(&orders[0]);
    acme_order_done(&orders[1]);
    done(&o);
}

TEST(replaces_is_dropped_when_the_ca_does_not_want_it)
{
    for (int soft = 0; soft < 2; soft++) {
        struct order_fixture o;

        init(&o);
        o.base.ca->manner.refuses_replaces = soft == 0;
        o.base.ca->manner.refuses_replaces_softly = soft == 1;
        assert_int_equal(make(&o, NULL, CERT_ID), ERR_OK);
        assert_null(o.order.replaces);
        assert_int_equal(o.base.http->seen_count, 5);
        assert_non_null(strstr(acme_fixture_log(&o.base), "trying again without saying which certificate it replaces"));
        done(&o);
    }
}

TEST(a_ca_that_fails_at_replaces_is_asked_without_it_before_long)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.fails_at_replaces = true;
    assert_int_equal(make(&o, NULL, CERT_ID), ERR_OK);
    assert_null(o.order.replaces);
    assert_int_equal(o.base.http->seen_count, 8); /* directory, nonce, account; four with it, one without */
    assert_in_range(fake_clock_slept_ms(&o.base.clock), 1, 5000);
    done(&o);
}

TEST(replaces_is_not_sent_where_there_is_no_renewal_information)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.has_no_renewal_info = true;
    acme_fixture_restart(&o.base, 0);
    acme_fixture_register(&o.base);
    assert_int_equal(make(&o, NULL, CERT_ID), ERR_OK); /* the CA would complain */
    done(&o);
}

TEST(what_is_refused_without_replaces_as_well_is_the_second_error)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.refusal = "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"never\"}";
    o.base.ca->manner.refusal_status = 400;
    assert_acme_error(&o.order.result.err, make(&o, NULL, CERT_ID), ERR_ACME, "never (malformed)", NULL);
    assert_int_equal(o.base.http->seen_count, 5);
    assert_int_equal(make(&o, NULL, NULL), ERR_ACME);
    assert_int_equal(o.base.http->seen_count, 6);
    done(&o);
}

TEST(what_has_nothing_to_do_with_replaces_is_not_asked_for_twice)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.refusal = "{\"type\":\"urn:ietf:params:acme:error:rejectedIdentifier\",\"detail\":\"no\"}";
    o.base.ca->manner.refusal_status = 400;
    assert_acme_error(&o.order.result.err, make(&o, NULL, CERT_ID), ERR_ACME, "no (rejectedIdentifier)", "take it out");
    assert_int_equal(o.base.http->seen_count, 4);
    done(&o);
}

TEST(a_limit_of_certificates_is_not_waited_for)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.refusal = "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many "
                                "certificates already issued\"}";
    o.base.ca->manner.refusal_status = 429;
    assert_acme_error(&o.order.result.err, make(&o, NULL, NULL), ERR_ACME_LIMIT, "too many certificates", "limit");
    assert_int_equal(o.base.http->seen_count, 4);
    o.base.ca->manner.retry_after = "604800";
    assert_acme_error(&o.order.result.err, make(&o, NULL, NULL), ERR_ACME_LIMIT, "too many certificates",
                      "try again after 2011-02-19");
    assert_int_equal(o.order.result.err.retry_after_s, 604800);
    done(&o);
}

TEST(an_order_for_other_names_is_not_used)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.ignores_names = true;
    assert_acme_error(&o.order.result.err, make(&o, NULL, NULL), ERR_ACME, "made one for other names: it lacks", NULL);
    done(&o);
}

TEST(an_order_that_is_not_ready_says_how_it_stands)
{
    struct order_fixture o;

    init(&o);
    assert_int_equal(make(&o, NULL, NULL), ERR_OK);
    assert_acme_error(&o.order.result.err, finalize(&o), ERR_ACME, "the order is pending: could not finalize", NULL);
    done(&o);
}

TEST(finalizing_whose_answer_was_lost_is_found_to_be_done)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.reuses_authorizations = true;
    assert_int_equal(make(&o, NULL, NULL), ERR_OK);
    assert_int_equal(o.order.status, ACME_ORDER_READY);
    fake_ca_fail(o.base.ca, FAKE_CA_ANSWER_LOST, 4, 1);
    assert_int_equal(finalize(&o), ERR_OK);
    assert_int_equal(o.order.status, ACME_ORDER_VALID);
    assert_string_equal(o.base.ca->orders[0].csr, "Y3Ny");
    done(&o);
}

TEST(what_is_too_large_to_be_sent_is_not_sent)
{
    struct order_fixture o;
    char *der AUTO_FREE = mem_zalloc(2u << 20);
    size_t before;

    init(&o);
    o.base.ca->manner.reuses_authorizations = true;
    assert_int_equal(make(&o, NULL, NULL), ERR_OK);
    before = o.base.http->seen_count;
    assert_int_equal(acme_orders_finalize(o.base.acme, &o.pointer, &(struct acme_csr){der, 2u << 20}, 1, &o.base.err),
                     ERR_OK);
    assert_acme_error(&o.order.result.err, o.order.result.code, ERR_INPUT, "its CSR is too large", NULL);
    assert_int_equal(o.base.http->seen_count, before);
    done(&o);
}

static char *issue_nothing(UNUSED void *context, UNUSED const void *csr, UNUSED size_t len,
                           UNUSED const struct fake_ca_order *order)
{
    return NULL;
}

TEST(an_order_that_fails_at_the_end_says_why)
{
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.reuses_authorizations = true;
    o.base.ca->issue = issue_nothing;
    assert_int_equal(make(&o, NULL, NULL), ERR_OK);
    assert_acme_error(&o.order.result.err, finalize(&o), ERR_ACME,
                      "the order for \"name-0.example.com\" and 1 more name failed: the CA says: no certificate for "
                      "this (badCSR)",
                      "CSR");
    assert_int_equal(o.order.result.problem, ACME_PROBLEM_BAD_CSR);
    done(&o);
}

TEST(an_order_is_fetched_by_its_url_alone)
{
    struct acme_order again = {.url = mem_strdup(FAKE_CA_ROOT "/order/0")};
    struct acme_order *pointer = &again;
    struct order_fixture o;

    init(&o);
    assert_int_equal(make(&o, NULL, NULL), ERR_OK);
    assert_int_equal(acme_orders_fetch(o.base.acme, &pointer, 1, &o.base.err), ERR_OK);
    assert_int_equal(again.result.code, ERR_OK);
    assert_int_equal(again.names.count, 2);
    free(again.url);
    again.url = mem_strdup(FAKE_CA_ROOT "/order/77");
    assert_int_equal(acme_orders_fetch(o.base.acme, &pointer, 1, &o.base.err), ERR_OK);
    assert_int_equal(again.result.code, ERR_ACME);
    acme_order_done(&again);
    done(&o);
}

/* ------------------------------------------------------------------ certificates */

static enum err_code fetch_chains(struct order_fixture *o, struct strlist *out)
{
    assert_int_equal(make(o, NULL, NULL), ERR_OK);
    assert_int_equal(finalize(o), ERR_OK);
    return acme_fixture_download(&o->base, &o->order, ACME_ALL_CHAINS, out);
}

TEST(alternate_chains_follow_the_default_one)
{
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.reuses_authorizations = true;
    o.base.ca->manner.alternates = 2;
    assert_int_equal(fetch_chains(&o, &pems), ERR_OK);
    assert_int_equal(pems.count, 3);
    assert_non_null(strstr(pems.items[0], "Q000"));
    assert_non_null(strstr(pems.items[1], "QWx01"));
    assert_non_null(strstr(pems.items[2], "QWx02"));
    done(&o);
}

TEST(alternates_that_can_not_be_had_are_a_warning)
{
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.reuses_authorizations = true;
    o.base.ca->manner.alternate_links = "<https://ca.example.net/nowhere>;rel=alternate, <1>;rel=alternate, "
                                        "</cert/0/5>;rel=alternate, <http://ca.example.net/x>;rel=alternate";
    assert_int_equal(fetch_chains(&o, &pems), ERR_OK);
    assert_int_equal(pems.count, 2);
    assert_non_null(strstr(acme_fixture_log(&o.base), "no usable URL, continuing"));
    assert_non_null(strstr(acme_fixture_log(&o.base), "no such thing (malformed), continuing"));
    done(&o);
}

TEST(anything_but_certificates_is_not_taken_for_one)
{
    static const char *const texts[] = {
        "<html>Thanks</html>",
        "",
        "MIIB",
        "-----BEGIN CERTIFICATE-----\nAA==\n",
        ("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nAA==\n"
         "-----END PRIVATE KEY-----\n"),
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct strlist pems AUTO_STRLIST = {.count = 0};
        struct order_fixture o;

        init(&o);
        o.base.ca->manner.reuses_authorizations = true;
        o.base.ca->manner.certificate_text = texts[i];
        assert_acme_error(&o.base.err, fetch_chains(&o, &pems), ERR_ACME,
                          "could not fetch the certificate for \"name-0.example.com\" and 1 more name: the CA's answer",
                          NULL);
        assert_int_equal(pems.count, 0);
        done(&o);
    }
}

/* Orders of one name each that are valid, and one that is told to be and is not there. */
TEST(many_certificates_are_fetched_side_by_side_and_fail_alone)
{
    struct acme_order orders[4] = {{.url = NULL}};
    struct acme_download downloads[4];
    struct order_fixture o;
    size_t most;

    init(&o);
    o.base.ca->manner.reuses_authorizations = true;
    o.base.ca->manner.alternates = 1;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        assert_int_equal(make(&o, NULL, NULL), ERR_OK);
        assert_int_equal(finalize(&o), ERR_OK);
        orders[i] = o.order;
        o.order = (struct acme_order){.url = NULL};
        downloads[i] = (struct acme_download){.order = &orders[i], .chains = i ? ACME_ALL_CHAINS : ACME_DEFAULT_CHAIN};
    }
    free(orders[2].certificate_url);
    orders[2].certificate_url = mem_strdup(FAKE_CA_ROOT "/cert/77");
    most = o.base.ca->request_count;
    assert_int_equal(acme_orders_certificates(o.base.acme, downloads, ARRAY_LEN(downloads), &o.base.err), ERR_OK);
    most = o.base.ca->request_count - most;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        assert_int_equal(downloads[i].result.code, i == 2 ? ERR_ACME : ERR_OK);
        assert_int_equal(downloads[i].pems.count, i == 2 ? 0 : i ? 2 : 1);
        strlist_done(&downloads[i].pems);
        acme_order_done(&orders[i]);
    }
    assert_non_null(strstr(downloads[2].result.err.msg, "could not fetch the certificate for"));
    assert_in_range(most, 6, 7);
    done(&o);
}

TEST(a_wish_to_stop_ends_all_downloads)
{
    struct acme_download downloads[2];
    struct order_fixture o;

    init(&o);
    o.base.ca->manner.reuses_authorizations = true;
    assert_int_equal(make(&o, NULL, NULL), ERR_OK);
    assert_int_equal(finalize(&o), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(downloads); i++)
        downloads[i] = (struct acme_download){.order = &o.order};
    o.base.clock.cancelled = true;
    assert_int_equal(acme_orders_certificates(o.base.acme, downloads, ARRAY_LEN(downloads), &o.base.err),
                     ERR_CANCELLED);
    for (size_t i = 0; i < ARRAY_LEN(downloads); i++) {
        assert_int_equal(downloads[i].result.code, ERR_CANCELLED);
        assert_int_equal(downloads[i].pems.count, 0);
    }
    done(&o);
}

/* ------------------------------------------------------------------ objects that are none */

#define HEAD "{\"status\":\"pending\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"a\"}],"

TEST(what_is_no_order_is_refused)
{
    static const struct {
        const char *text;
        const char *in_msg;
    } bad[] = {
        {"{}", "has no \"status\""},
        {"{\"status\":\"done\"}", "the status \"done\""},
        {"{\"status\":\"pending\"}", "has no \"identifiers\""},
        {"{\"status\":\"pending\",\"identifiers\":[]}", "has 0 identifiers"},
        {HEAD "\"finalize\":\"https://a\"}", "has no \"authorizations\""},
        {HEAD "\"authorizations\":[1],\"finalize\":\"https://a\"}", "something else than strings"},
        {HEAD "\"authorizations\":[\"http://a\"],\"finalize\":\"https://a\"}", "no https URL"},
        {HEAD "\"authorizations\":[\"https://a\"]}", "has no \"finalize\""},
        {HEAD "\"authorizations\":[],\"finalize\":\"https://a\",\"certificate\":7}", "\"certificate\""},
        {HEAD "\"authorizations\":[],\"finalize\":\"https://a\",\"expires\":\"x\"}", "RFC 3339"},
        {"{\"status\":\"valid\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"a\"}],\"authorizations\":[],"
         "\"finalize\":\"https://a\"}",
         "is valid and has no \"certificate\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        json_t *json AUTO_JSON = json_loads(bad[i].text, 0, NULL);
        struct acme_order order = {.url = NULL};
        const json_t *error;
        struct err err;

        assert_acme_error(&err, acme_order_read(json, ACME_HTTPS_ONLY, &order, &error, &err), ERR_ACME, bad[i].in_msg,
                          "RFC 8555");
        assert_null(order.finalize_url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_has_what_was_asked_for_and_where_to_go_on),
        cmocka_unit_test(a_profile_that_the_ca_does_not_list_costs_no_request),
        cmocka_unit_test(a_ca_without_profiles_says_so),
        cmocka_unit_test(orders_that_fail_harm_no_others),
        cmocka_unit_test(replaces_is_dropped_when_the_ca_does_not_want_it),
        cmocka_unit_test(a_ca_that_fails_at_replaces_is_asked_without_it_before_long),
        cmocka_unit_test(replaces_is_not_sent_where_there_is_no_renewal_information),
        cmocka_unit_test(what_is_refused_without_replaces_as_well_is_the_second_error),
        cmocka_unit_test(what_has_nothing_to_do_with_replaces_is_not_asked_for_twice),
        cmocka_unit_test(a_limit_of_certificates_is_not_waited_for),
        cmocka_unit_test(an_order_for_other_names_is_not_used),
        cmocka_unit_test(an_order_that_is_not_ready_says_how_it_stands),
        cmocka_unit_test(finalizing_whose_answer_was_lost_is_found_to_be_done),
        cmocka_unit_test(what_is_too_large_to_be_sent_is_not_sent),
        cmocka_unit_test(an_order_that_fails_at_the_end_says_why),
        cmocka_unit_test(an_order_is_fetched_by_its_url_alone),
        cmocka_unit_test(alternate_chains_follow_the_default_one),
        cmocka_unit_test(alternates_that_can_not_be_had_are_a_warning),
        cmocka_unit_test(anything_but_certificates_is_not_taken_for_one),
        cmocka_unit_test(many_certificates_are_fetched_side_by_side_and_fail_alone),
        cmocka_unit_test(a_wish_to_stop_ends_all_downloads),
        cmocka_unit_test(what_is_no_order_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
