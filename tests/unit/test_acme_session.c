/* SPDX-License-Identifier: MIT
 *
 * The directory, and whatever else may answer where one is expected.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "acme_fixture.h"
#include "test.h"

TEST(a_directory_tells_of_the_ca_and_is_fetched_once)
{
    const struct acme_meta *meta = NULL;
    struct acme_fixture f;

    acme_fixture_init(&f);
    assert_int_equal(acme_meta(f.acme, &meta, &f.err), ERR_OK);
    assert_int_equal(acme_meta(f.acme, &meta, &f.err), ERR_OK);
    assert_int_equal(f.http->seen_count, 1);
    assert_string_equal(f.http->seen[0].method, "GET");
    assert_string_equal(fake_seen_header(&f.http->seen[0], "Accept-Language"), "en");
    assert_string_equal(meta->terms_of_service, FAKE_CA_TERMS);
    assert_string_equal(meta->website, "https://www.ca.example.net");
    assert_int_equal(meta->caa_identities.count, 1);
    assert_string_equal(meta->caa_identities.items[0], "ca.example.net");
    assert_int_equal(meta->profile_count, 2);
    assert_true(meta->has_renewal_info);
    assert_false(meta->external_account_required);
    assert_string_equal(acme_directory_url(f.acme), FAKE_CA_DIRECTORY);
    acme_fixture_done(&f);
}

struct bad_directory {
    long status;
    const char *headers;
    const char *body;
    const char *in_msg;
};

static const struct bad_directory bad[] = {
    {200, "Content-Type: text/html", "<html>Hi</html>", "is a web page (content type text/html)"},
    {200, "Content-Type: application/json", "<html>Hi</html>", "is a web page (content type application/json)"},
    {200, NULL, "", "is an empty answer"},
    {200, NULL, "{\"a\":", "is not valid JSON"},
    {200, NULL, "[]", "is an array where an object belongs"},
    {200, NULL, "{}", "has no \"newNonce\""},
    {200, NULL, "{\"newNonce\":5}", "has a number as \"newNonce\" where a string belongs"},
    {200, NULL, "{\"newNonce\":\"http://ca.example.net/n\"}", "which is no https URL"},
    {200, NULL, "{\"newNonce\":\"/n\"}", "which is no https URL"},
    {301, "Location: https://elsewhere.example/dir", "", "redirects to \"https://elsewhere.example/dir\""},
    {302, NULL, "", "redirects to nowhere"},
    {404, "Content-Type: text/html", "<html>", "answered with status 404 and a web page"},
    {403, NULL, "{\"detail\":\"go away\"}", "the CA says: go away"},
    {200, NULL, "{\"newNonce\":\"https://a/\",\"newAccount\":\"https://a/\",\"newOrder\":\"https://a/\",\"meta\":[]}",
     "\"meta\" of the CA's directory is an array"},
    {200, NULL,
     "{\"newNonce\":\"https://a/\",\"newAccount\":\"https://a/\",\"newOrder\":\"https://a/\",\"meta\":"
     "{\"profiles\":{\"a\":1}}}",
     "describes the profile \"a\" with something else"},
    {200, NULL,
     "{\"newNonce\":\"https://a/\",\"newAccount\":\"https://a/\",\"newOrder\":\"https://a/\",\"meta\":"
     "{\"externalAccountRequired\":\"yes\"}}",
     "\"externalAccountRequired\""},
    {200, NULL,
     "{\"newNonce\":\"https://a/\",\"newAccount\":\"https://a/\",\"newOrder\":\"https://a/\",\"meta\":"
     "{\"caaIdentities\":[1]}}",
     "\"caaIdentities\""},
};

TEST(what_is_no_directory_is_one_clear_error)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct acme_meta *meta = NULL;
        struct acme_fixture f;

        acme_fixture_init(&f);
        fake_http_expect(f.http, &(struct fake_exchange){.method = "GET",
                                                         .url = "/dir",
                                                         .status = bad[i].status,
                                                         .headers = bad[i].headers,
                                                         .answer = bad[i].body});
        assert_acme_error(&f.err, acme_meta(f.acme, &meta, &f.err), ERR_ACME, bad[i].in_msg, NULL);
        assert_null(meta);
        assert_int_equal(f.http->seen_count, 1);
        acme_fixture_done(&f);
    }
}

TEST(an_answer_that_is_too_large_is_the_cas_fault)
{
    const struct acme_meta *meta = NULL;
    struct acme_fixture f;

    acme_fixture_init(&f);
    fake_http_expect(f.http, &(struct fake_exchange){.method = "GET", .url = "/dir", .fail = ERR_API});
    assert_acme_error(&f.err, acme_meta(f.acme, &meta, &f.err), ERR_ACME, "could not read the directory", NULL);
    acme_fixture_done(&f);
}

TEST(what_tls_does_not_like_is_told_as_it_is_and_not_tried_again)
{
    const struct acme_meta *meta = NULL;
    struct acme_fixture f;

    acme_fixture_init(&f);
    fake_ca_fail(f.ca, FAKE_CA_TLS, 0, FAKE_CA_FOREVER);
    assert_acme_error(&f.err, acme_meta(f.acme, &meta, &f.err), ERR_TLS,
                      "could not read the directory of the CA at \"" FAKE_CA_DIRECTORY "\": scripted failure", NULL);
    assert_int_equal(f.http->seen_count, 1);
    acme_fixture_done(&f);
}

TEST(a_directory_that_could_not_be_read_is_read_again_at_the_next_call)
{
    const struct acme_meta *meta = NULL;
    struct acme_fixture f;

    acme_fixture_init(&f);
    fake_ca_fail(f.ca, FAKE_CA_404, 0, 1);
    assert_int_equal(acme_meta(f.acme, &meta, &f.err), ERR_ACME);
    assert_int_equal(acme_meta(f.acme, &meta, &f.err), ERR_OK);
    acme_fixture_done(&f);
}

TEST(http_is_taken_where_the_directory_itself_is_http)
{
    struct acme_fixture f;
    struct acme *acme;
    const struct acme_meta *meta;

    acme_fixture_init(&f);
    fake_http_expect(f.http, &(struct fake_exchange){.method = "GET",
                                                     .status = 200,
                                                     .answer = "{\"newNonce\":\"http://[::1]/n\",\"newAccount\":"
                                                               "\"http://[::1]/a\",\"newOrder\":\"http://[::1]/o\"}"});
    acme = acme_new(&(struct acme_opts){.directory = "http://[::1]/dir",
                                        .http = fake_http_base(f.http),
                                        .clock = &f.clock.base,
                                        .request_timeout_ms = 10000,
                                        .give_up_after_ms = 60000});
    assert_int_equal(acme_meta(acme, &meta, &f.err), ERR_OK);
    assert_false(meta->has_renewal_info);
    acme_free(acme);
    acme_fixture_done(&f);
}

TEST(a_directory_that_is_no_url_is_not_asked_for)
{
    struct acme_fixture f;
    struct acme *acme;
    const struct acme_meta *meta;

    acme_fixture_init(&f);
    acme = acme_new(
        &(struct acme_opts){.directory = "letsencrypt", .http = fake_http_base(f.http), .clock = &f.clock.base});
    assert_acme_error(&f.err, acme_meta(acme, &meta, &f.err), ERR_CONFIG, "\"letsencrypt\" is no URL", "https URL");
    assert_int_equal(f.http->seen_count, 0);
    acme_free(acme);
    acme_free(NULL);
    acme_fixture_done(&f);
}

TEST(nothing_is_signed_without_an_account)
{
    struct strlist names AUTO_STRLIST = acme_fixture_names(1);
    struct acme_order order;
    struct acme_fixture f;

    acme_fixture_init(&f);
    assert_acme_error(&f.err, acme_orders_new(f.acme, &(struct acme_order_request){.names = &names}, &order, 1, &f.err),
                      ERR_INTERNAL, "no account", NULL);
    assert_int_equal(order.result.code, ERR_INTERNAL);
    assert_int_equal(f.http->seen_count, 0);
    acme_order_done(&order);
    acme_fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_tells_of_the_ca_and_is_fetched_once),
        cmocka_unit_test(what_is_no_directory_is_one_clear_error),
        cmocka_unit_test(an_answer_that_is_too_large_is_the_cas_fault),
        cmocka_unit_test(what_tls_does_not_like_is_told_as_it_is_and_not_tried_again),
        cmocka_unit_test(a_directory_that_could_not_be_read_is_read_again_at_the_next_call),
        cmocka_unit_test(http_is_taken_where_the_directory_itself_is_http),
        cmocka_unit_test(a_directory_that_is_no_url_is_not_asked_for),
        cmocka_unit_test(nothing_is_signed_without_an_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
