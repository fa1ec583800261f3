/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dme_fixture.h"
#include "test.h"

#define BY_NAME "/dns/managed/name?domainname="

static const char tomcat_404[] = "<html><head><title>Apache Tomcat/7.0.12 - Error report</title></head><body><h1>HTTP "
                                 "Status 404 - Not Found</h1></body></html>";

static enum err_code find(struct dme_fixture *f, const char *name, int64_t *out_id)
{
    struct dme_zone zone = {.id = 0};
    enum err_code code = dme_zone_find(f->dme, name, &zone, &f->err);

    *out_id = zone.id;
    dme_zone_done(&zone);
    return code;
}

TEST(a_zone_is_found_by_its_exact_name)
{
    struct dme_fixture f;
    int64_t id = 0;

    dme_fixture_init(&f);
    expect_get(&f, BY_NAME "example.com",
               "{\"nameServers\":[{\"id\":1,\"fqdn\":\"ns10.dnsmadeeasy.com\"}],\"name\":"
               "\"example.com\",\"id\":6870000}");
    assert_int_equal(find(&f, "example.com", &id), ERR_OK);
    assert_int_equal(id, 6870000);
    dme_fixture_done(&f);
}

TEST(the_name_is_sent_without_its_last_dot_and_percent_encoded)
{
    struct dme_fixture f;
    int64_t id = 0;

    dme_fixture_init(&f);
    expect_get(&f, BY_NAME "example.com", "{\"name\":\"Example.com\",\"id\":1}");
    assert_int_equal(find(&f, "example.com.", &id), ERR_OK);
    expect(&f, "GET", BY_NAME "a%26b%3D%2F%3F%23%25%20.com", NULL, 404, tomcat_404);
    assert_int_equal(find(&f, "a&b=/?#% .com", &id), ERR_NOT_FOUND);
    dme_fixture_done(&f);
}

TEST(a_zone_that_is_not_ours_is_not_found_whatever_the_404_looks_like)
{
    static const char *const bodies[] = {tomcat_404, "", "{}", "{\"error\":[\"no such zone\"]}", "\xff\xfe"};

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct dme_fixture f;
        int64_t id = 0;

        dme_fixture_init(&f);
        expect(&f, "GET", BY_NAME "example.com", NULL, 404, bodies[i]);
        assert_error(&f, find(&f, "example.com", &id), ERR_NOT_FOUND,
                     "this DNS Made Easy account has no zone \"example.com\"", NULL);
        assert_int_equal(f.clock.sleep_count, 0);
        dme_fixture_done(&f);
    }
}

TEST(a_zone_of_another_name_is_refused)
{
    static const char *const names[] = {"notexample.com", "www.example.com", "com", ""};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct dme_fixture f;
        int64_t id = 0;
        char answer[100];

        dme_fixture_init(&f);
        (void)snprintf(answer, sizeof answer, "{\"name\":\"%s\",\"id\":5}", names[i]);
        expect_get(&f, BY_NAME "example.com", answer);
        assert_error(&f, find(&f, "example.com", &id), ERR_API, "DNS Made Easy answered with zone", NULL);
        assert_int_equal(id, 0);
        dme_fixture_done(&f);
    }
}

TEST(a_zone_pending_creation_is_usable_and_one_pending_deletion_is_not)
{
    struct dme_fixture f;
    int64_t id = 0;

    dme_fixture_init(&f);
    expect_get(&f, BY_NAME "example.com", "{\"name\":\"example.com\",\"id\":5,\"pendingActionId\":1}");
    assert_int_equal(find(&f, "example.com", &id), ERR_OK);
    expect_get(&f, BY_NAME "example.com", "{\"name\":\"example.com\",\"id\":5,\"pendingActionId\":3}");
    assert_error(&f, find(&f, "example.com", &id), ERR_ZONE, "zone \"example.com\" is being deleted", "control panel");
    dme_fixture_done(&f);
}

TEST(an_answer_that_is_no_zone_is_an_api_error)
{
    struct dme_fixture f;
    int64_t id = 0;

    dme_fixture_init(&f);
    expect_get(&f, BY_NAME "example.com", "{}");
    assert_error(&f, find(&f, "example.com", &id), ERR_API,
                 "could not look up zone \"example.com\": DNS Made Easy's answer has no \"id\"", NULL);
    expect_get(&f, BY_NAME "example.com", "[[[[[[[[]]]]]]]]");
    assert_error(&f, find(&f, "example.com", &id), ERR_API, "is an array where an object belongs", NULL);
    dme_fixture_done(&f);
}

TEST(no_name_no_request)
{
    struct dme_fixture f;
    int64_t id = 0;
    char longest[300];

    dme_fixture_init(&f);
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(find(&f, "", &id), ERR_INPUT);
    assert_int_equal(find(&f, ".", &id), ERR_INPUT);
    assert_int_equal(find(&f, longest, &id), ERR_INPUT);
    assert_int_equal(f.http->seen_count, 0);
    dme_fixture_done(&f);
}

static void expect_foreign(struct dme_fixture *f, const char *url, long status, const char *answer)
{
    fake_http_expect(f->http, &(struct fake_exchange){
                                  .method = "GET", .url = url, .status = status, .answer = answer, .is_foreign = true});
}

#define PROBE "/dns/managed/?rows=1&page=0"

TEST(an_endpoint_that_is_not_the_api_is_told_from_one_without_the_zone)
{
    struct dme_zone zone = {.id = 0};
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_foreign(&f, BY_NAME "example.com", 404, tomcat_404);
    expect_foreign(&f, PROBE, 404, tomcat_404);
    assert_error(&f, dme_zone_find(f.dme, "example.com", &zone, &f.err), ERR_API,
                 "\"https://api.example.net/V2.0\" is not the API of DNS Made Easy", "endpoint");
    dme_fixture_done(&f);
}

TEST(an_endpoint_without_the_apis_headers_is_doubted_once)
{
    struct dme_zone zone = {.id = 0};
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect_foreign(&f, BY_NAME "www.example.com", 404, tomcat_404);
    expect_foreign(&f, PROBE, 200, "{}");
    expect_foreign(&f, BY_NAME "example.com", 404, tomcat_404);
    assert_error(&f, dme_zone_find(f.dme, "www.example.com", &zone, &f.err), ERR_NOT_FOUND, "has no zone", NULL);
    assert_error(&f, dme_zone_find(f.dme, "example.com", &zone, &f.err), ERR_NOT_FOUND, "has no zone", NULL);
    dme_fixture_done(&f);
}

TEST(a_probe_takes_an_empty_account_for_a_good_one)
{
    static const char *const bodies[] = {
        "{}", "{ }", "{\"totalPages\":0,\"totalRecords\":0,\"data\":[],\"page\":0}",
        "{\"totalPages\":3,\"totalRecords\":3,\"data\":[{\"id\":7,\"name\":\"a.org\"}],\"page\":0}"};

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct dme_fixture f;

        dme_fixture_init(&f);
        fake_http_expect(
            f.http, &(struct fake_exchange){.method = "GET",
                                            .url = PROBE,
                                            .status = 200,
                                            .answer = bodies[i],
                                            .headers = "x-dnsme-requestLimit: 150\nx-dnsme-requestsRemaining: 149"});
        assert_int_equal(dme_requests_limit(f.dme), -1);
        assert_int_equal(dme_probe(f.dme, &f.err), ERR_OK);
        assert_int_equal(dme_requests_limit(f.dme), 150);
        assert_int_equal(dme_requests_remaining(f.dme), 149);
        dme_fixture_done(&f);
    }
}

TEST(a_probe_that_is_refused_says_why)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    expect(&f, "GET", PROBE, NULL, 403, "{\"error\": [\"API key not found\"]}");
    assert_error(&f, dme_probe(f.dme, &f.err), ERR_AUTH,
                 "could not ask DNS Made Easy for the account's zones: DNS Made Easy "
                 "does not know the API key",
                 NULL);
    expect(&f, "GET", PROBE, NULL, 404, tomcat_404);
    assert_error(&f, dme_probe(f.dme, &f.err), ERR_API, "is not the API of DNS Made Easy", "endpoint");
    expect(&f, "GET", PROBE, NULL, 200, "[]");
    assert_error(&f, dme_probe(f.dme, &f.err), ERR_API, NULL, NULL);
    dme_fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_found_by_its_exact_name),
        cmocka_unit_test(the_name_is_sent_without_its_last_dot_and_percent_encoded),
        cmocka_unit_test(a_zone_that_is_not_ours_is_not_found_whatever_the_404_looks_like),
        cmocka_unit_test(a_zone_of_another_name_is_refused),
        cmocka_unit_test(a_zone_pending_creation_is_usable_and_one_pending_deletion_is_not),
        cmocka_unit_test(an_answer_that_is_no_zone_is_an_api_error),
        cmocka_unit_test(no_name_no_request),
        cmocka_unit_test(an_endpoint_that_is_not_the_api_is_told_from_one_without_the_zone),
        cmocka_unit_test(an_endpoint_without_the_apis_headers_is_doubted_once),
        cmocka_unit_test(a_probe_takes_an_empty_account_for_a_good_one),
        cmocka_unit_test(a_probe_that_is_refused_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
