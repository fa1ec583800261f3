/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "acme/internal.h"
#include "acme_fixture.h"
#include "test.h"

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);

    assert_non_null(json);
    return json;
}

static enum acme_problem_type type_of(const char *text)
{
    json_t *json AUTO_JSON = parse(text);

    return acme_problem_type_of(json);
}

TEST(types_are_known_by_their_urn_alone)
{
    assert_int_equal(type_of("{\"type\":\"urn:ietf:params:acme:error:badNonce\"}"), ACME_PROBLEM_BAD_NONCE);
    assert_int_equal(type_of("{\"type\":\"urn:ietf:params:acme:error:userActionRequired\"}"),
                     ACME_PROBLEM_USER_ACTION_REQUIRED);
    assert_int_equal(type_of("{\"type\":\"badNonce\"}"), ACME_PROBLEM_OTHER);
    assert_int_equal(type_of("{\"type\":\"urn:ietf:params:acme:error:badNonces\"}"), ACME_PROBLEM_OTHER);
    assert_int_equal(type_of("{\"type\":5}"), ACME_PROBLEM_OTHER);
    assert_int_equal(type_of("{\"detail\":\"badNonce\"}"), ACME_PROBLEM_OTHER);
    assert_int_equal(type_of("[]"), ACME_PROBLEM_OTHER);
    assert_int_equal(acme_problem_type_of(NULL), ACME_PROBLEM_OTHER);
}

static void expect(const char *text, long status, enum acme_problem_place place, enum err_code code, const char *in_msg,
                   const char *in_hint)
{
    json_t *json AUTO_JSON = text ? parse(text) : NULL;
    struct err err;

    assert_acme_error(&err, acme_problem_set(&err, json, status, place, "could not do it"), code, in_msg, in_hint);
}

TEST(the_example_of_the_rfc_is_one_sentence_with_its_subproblems)
{
    expect(
        "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"Some of the identifiers requested were "
        "rejected\",\"subproblems\":[{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"Invalid "
        "underscore in DNS name \\\"_example.org\\\"\",\"identifier\":{\"type\":\"dns\",\"value\":\"_example.org\"}},"
        "{\"type\":\"urn:ietf:params:acme:error:rejectedIdentifier\",\"detail\":\"This CA will not issue for "
        "\\\"example.net\\\"\",\"identifier\":{\"type\":\"dns\",\"value\":\"example.net\"}}]}",
        403, ACME_PROBLEM_OF_REQUEST, ERR_ACME,
        "could not do it: the CA says: Some of the identifiers requested were rejected (malformed); "
        "\"_example.org\": Invalid underscore in DNS name \"_example.org\" (malformed); \"example.net\": This CA will "
        "not issue for \"example.net\" (rejectedIdentifier)",
        NULL);
}

#define PROBLEM(type) "{\"type\":\"urn:ietf:params:acme:error:" type "\",\"detail\":\"why\"}"

TEST(codes_and_hints_fit_the_type)
{
    expect(PROBLEM("rateLimited"), 429, ACME_PROBLEM_OF_REQUEST, ERR_ACME_LIMIT, "why (rateLimited)", "limit");
    expect(PROBLEM("accountDoesNotExist"), 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "why", "directory URL");
    expect(PROBLEM("externalAccountRequired"), 403, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "why",
           "external account binding");
    expect(PROBLEM("invalidProfile"), 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "why", "profile");
    expect(PROBLEM("rejectedIdentifier"), 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "why", "take it out");
    expect(PROBLEM("unsupportedIdentifier"), 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "why", "of this kind");
    expect(PROBLEM("badCSR"), 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "why", "CSR");
    expect(PROBLEM("serverInternal"), 500, ACME_PROBLEM_OF_REQUEST, ERR_SERVER, "why", "status page");
    expect(PROBLEM("caa"), 403, ACME_PROBLEM_OF_REQUEST, ERR_CHALLENGE, "why", "CAA records");
    expect(PROBLEM("dns"), 0, ACME_PROBLEM_OF_VALIDATION, ERR_CHALLENGE, "why", "DNSSEC");
    expect(PROBLEM("unauthorized"), 0, ACME_PROBLEM_OF_VALIDATION, ERR_CHALLENGE, "why", "did not find our TXT record");
    expect(PROBLEM("unauthorized"), 403, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "why", "deactivated");
    expect("{\"type\":\"urn:ietf:params:acme:error:userActionRequired\",\"detail\":\"new terms\",\"instance\":"
           "\"https://ca.example/agree\"}",
           403, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "new terms", "https://ca.example/agree");
    expect("{\"type\":\"urn:ietf:params:acme:error:compound\",\"detail\":\"several\",\"subproblems\":[" PROBLEM(
               "caa") "]}",
           0, ACME_PROBLEM_OF_VALIDATION, ERR_CHALLENGE, "several (compound); why (caa)", "CAA records");
}

TEST(documents_that_are_odd_or_absent_say_what_there_is)
{
    expect("{}", 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "the CA says: an error without type and text", NULL);
    expect("{\"title\":\"Oh\"}", 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "the CA says: Oh", NULL);
    expect("{\"type\":\"about:blank\"}", 502, ACME_PROBLEM_OF_REQUEST, ERR_SERVER, "(about:blank)", "status page");
    expect("{\"type\":\"x\",\"subproblems\":5}", 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "(x)", NULL);
    expect("{\"detail\":\"a\\nb\\u001b[31m\"}", 400, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "a\\x0ab\\x1b[31m", NULL);
    expect(NULL, 418, ACME_PROBLEM_OF_REQUEST, ERR_ACME, "status 418 and no word why", NULL);
    expect(NULL, 0, ACME_PROBLEM_OF_VALIDATION, ERR_CHALLENGE, "does not say why", NULL);
}

TEST(many_subproblems_are_counted)
{
    json_t *json AUTO_JSON = parse(PROBLEM("malformed"));
    json_t *list = json_array();
    struct err err;

    for (int i = 0; i < 50; i++)
        (void)json_array_append_new(list, parse("{\"identifier\":{\"value\":\"a.example\"},\"detail\":\"no\"}"));
    (void)json_object_set_new(json, "subproblems", list);
    assert_acme_error(&err, acme_problem_set(&err, json, 400, ACME_PROBLEM_OF_REQUEST, "x"), ERR_ACME, "; and 45 more",
                      NULL);
}

static void expect_time(int64_t pause_ms, const char *in_hint)
{
    json_t *json AUTO_JSON = parse(PROBLEM("rateLimited"));
    struct err err;

    (void)acme_problem_explain(&err, &(struct acme_problem_context){.json = json,
                                                                    .status = 429,
                                                                    .doing = "x",
                                                                    .retry_after_ms = pause_ms,
                                                                    .now_ms = FAKE_CLOCK_START_S * INT64_C(1000)});
    if (!strstr(err.hint, in_hint))
        fail_msg("\"%s\" is not in hint \"%s\"", in_hint, err.hint);
}

TEST(a_limit_says_when_it_is_over_with_the_day_if_it_is_far_off)
{
    expect_time(1000, "try again after 21:00 UTC"); /* 20:59:04 now */
    expect_time(3600000, "try again after 22:00 UTC");
    expect_time(INT64_C(7) * 86400 * 1000, "try again after 2011-02-19 21:00 UTC");
}

TEST(without_a_problem_document_terms_of_service_come_from_the_link)
{
    json_t *json AUTO_JSON = parse(PROBLEM("userActionRequired"));
    struct err err;

    (void)acme_problem_explain(&err, &(struct acme_problem_context){.json = json,
                                                                    .status = 403,
                                                                    .doing = "x",
                                                                    .terms_url = "https://ca.example/terms",
                                                                    .retry_after_ms = ACME_PAUSE_NONE});
    assert_non_null(strstr(err.hint, "https://ca.example/terms"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_known_by_their_urn_alone),
        cmocka_unit_test(the_example_of_the_rfc_is_one_sentence_with_its_subproblems),
        cmocka_unit_test(codes_and_hints_fit_the_type),
        cmocka_unit_test(documents_that_are_odd_or_absent_say_what_there_is),
        cmocka_unit_test(many_subproblems_are_counted),
        cmocka_unit_test(a_limit_says_when_it_is_over_with_the_day_if_it_is_far_off),
        cmocka_unit_test(without_a_problem_document_terms_of_service_come_from_the_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
