/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dme_fixture.h"
#include "test.h"

#define RECORDS "/dns/managed/42/records"
#define LIST RECORDS "?type=TXT"
#define TXT(name, value, id)                                                                                           \
    "{\"name\":\"" name "\",\"value\":\"\\\"" value "\\\"\",\"id\":" #id ",\"type\":\"TXT\",\"source\":1}"
#define PAGE(records) "{\"totalPages\":1,\"totalRecords\":1,\"data\":[" records "],\"page\":0}"
#define PAGE_OF(page, pages, records)                                                                                  \
    "{\"totalPages\":" #pages ",\"totalRecords\":9,\"data\":[" records "],\"page\":" #page "}"

TEST(records_are_found_by_name_and_value_with_one_request_a_name)
{
    struct dme_fixture f;
    struct dme_record records[] = {{.name = "_acme-challenge", .value = "v1"},
                                   {.name = "_acme-challenge", .value = "v2"},
                                   {.name = "_acme-challenge.www", .value = "v3", .id = 77}};

    dme_fixture_init(&f);
    expect_get(&f, LIST "&recordName=_acme-challenge",
               PAGE(TXT("_acme-challenge", "v2", 12) "," TXT("_acme-challenge", "other",
                                                             13) "," TXT("_acme-challenge.www", "v3", 14)));
    expect_get(&f, LIST "&recordName=_acme-challenge.www", PAGE(""));
    assert_int_equal(dme_records_find(f.dme, 42, records, 3, &f.err), ERR_OK);
    assert_int_equal(records[0].id, 0);
    assert_int_equal(records[1].id, 12);
    assert_int_equal(records[2].id, 14); /* the filter may be a prefix match: taken where it shows up */
    dme_fixture_done(&f);
}

TEST(names_are_percent_encoded)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a&type=A b", .value = "v"};

    dme_fixture_init(&f);
    expect_get(&f, LIST "&recordName=a%26type%3DA%20b", PAGE(""));
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    assert_int_equal(record.id, 0);
    dme_fixture_done(&f);
}

TEST(the_apex_is_looked_up_without_the_name_filter)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "", .value = "v"};

    dme_fixture_init(&f);
    expect_get(&f, LIST, PAGE(TXT("www", "v", 1) "," TXT("", "v", 2)));
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    assert_int_equal(record.id, 2);
    dme_fixture_done(&f);
}

TEST(many_names_cost_one_request)
{
    struct dme_fixture f;
    struct dme_record records[] = {{.name = "a", .value = "v"},
                                   {.name = "b", .value = "v"},
                                   {.name = "c", .value = "v"},
                                   {.name = "C", .value = "w"}};

    dme_fixture_init(&f);
    expect_get(&f, LIST, PAGE(TXT("c", "v", 3) "," TXT("c", "w", 4) "," TXT("A", "v", 1) "," TXT("d", "v", 5)));
    assert_int_equal(dme_records_find(f.dme, 42, records, 4, &f.err), ERR_OK);
    assert_int_equal(records[0].id, 1);
    assert_int_equal(records[1].id, 0);
    assert_int_equal(records[2].id, 3);
    assert_int_equal(records[3].id, 4);
    dme_fixture_done(&f);
}

TEST(an_empty_account_or_zone_is_no_error)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v"};

    dme_fixture_init(&f);
    expect_get(&f, LIST "&recordName=a", "{}");
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    expect_get(&f, LIST "&recordName=a", "{ }");
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    assert_int_equal(record.id, 0);
    dme_fixture_done(&f);
}

TEST(nothing_to_find_costs_nothing)
{
    struct dme_fixture f;

    dme_fixture_init(&f);
    assert_int_equal(dme_records_find(f.dme, 42, NULL, 0, &f.err), ERR_OK);
    dme_fixture_done(&f);
}

TEST(a_stale_zone_id_is_not_found)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v"};

    dme_fixture_init(&f);
    expect(&f, "GET", LIST "&recordName=a", NULL, 404, "<html></html>");
    assert_error(&f, dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_NOT_FOUND, "no zone with id 42", NULL);
    assert_int_equal(dme_records_find(f.dme, 0, &record, 1, &f.err), ERR_INTERNAL);
    dme_fixture_done(&f);
}

TEST(hostile_lists_are_one_clear_error)
{
    static const char *const bodies[] = {"[]",
                                         "{\"data\":7}",
                                         "{\"data\":[7]}",
                                         "{\"data\":[{\"id\":1,\"type\":\"TXT\"}]}",
                                         "{\"data\":[{\"id\":1,\"type\":\"TXT\",\"name\":\"a\",\"value\":{}}]}",
                                         "{\"totalPages\":\"all\",\"data\":[]}"};

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct dme_fixture f;
        struct dme_record record = {.name = "a", .value = "v"};

        dme_fixture_init(&f);
        expect_get(&f, LIST "&recordName=a", bodies[i]);
        assert_error(&f, dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_API,
                     "could not look up TXT records: ", NULL);
        assert_int_equal(record.id, 0);
        dme_fixture_done(&f);
    }
}

TEST(further_pages_are_fetched_when_they_count_from_zero)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v"};

    dme_fixture_init(&f);
    expect_get(&f, LIST "&recordName=a", PAGE_OF(0, 3, TXT("a", "x", 1)));
    expect_get(&f, LIST "&recordName=a&page=1", PAGE_OF(1, 3, TXT("a", "y", 2)));
    expect_get(&f, LIST "&recordName=a&page=2", PAGE_OF(2, 3, TXT("a", "v", 3)));
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    assert_int_equal(record.id, 3);
    dme_fixture_done(&f);
}

TEST(further_pages_are_fetched_when_they_count_from_one)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v"};

    dme_fixture_init(&f);
    expect_get(&f, LIST "&recordName=a", PAGE_OF(1, 2, TXT("a", "x", 1)));
    expect_get(&f, LIST "&recordName=a&page=2", PAGE_OF(2, 2, TXT("a", "v", 3)));
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    assert_int_equal(record.id, 3);
    dme_fixture_done(&f);
}

TEST(a_first_page_that_says_0_but_is_1_costs_one_request_more)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v"};

    dme_fixture_init(&f);
    expect_get(&f, LIST "&recordName=a", PAGE_OF(0, 2, TXT("a", "x", 1)));
    expect_get(&f, LIST "&recordName=a&page=1", PAGE_OF(0, 2, TXT("a", "x", 1)));
    expect_get(&f, LIST "&recordName=a&page=2", PAGE_OF(0, 2, TXT("a", "v", 3)));
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    assert_int_equal(record.id, 3);
    dme_fixture_done(&f);
}

TEST(paging_stops_when_all_are_found_or_an_empty_page_comes)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v"};

    dme_fixture_init(&f);
    expect_get(&f, LIST "&recordName=a", PAGE_OF(0, 2147483647, TXT("a", "v", 1)));
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    record.value = "absent";
    expect_get(&f, LIST "&recordName=a", PAGE_OF(0, 2147483647, TXT("a", "x", 1)));
    expect_get(&f, LIST "&recordName=a&page=1", PAGE_OF(1, 2147483647, TXT("a", "x", 1)));
    expect_get(&f, LIST "&recordName=a&page=2", PAGE_OF(2, 2147483647, ""));
    assert_int_equal(dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_OK);
    assert_int_equal(record.id, 0);
    dme_fixture_done(&f);
}

static void endless_pages(UNUSED void *context, UNUSED const struct fake_seen *request, size_t index,
                          struct fake_exchange *answer)
{
    static char text[200];

    (void)snprintf(text, sizeof text,
                   "{\"totalPages\":2147483647,\"data\":[{\"id\":%zu,\"type\":\"TXT\",\"name\":\"a\",\"value\":\"x\"}],"
                   "\"page\":2147483647}",
                   index + 1);
    answer->answer = text;
}

/* What was not seen must not pass for what does not exist. */
TEST(endless_pages_come_to_an_end_that_is_an_error)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v"};

    dme_fixture_init(&f);
    f.http->handler = endless_pages;
    assert_error(&f, dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_API, "only 50 could be read", NULL);
    assert_true(f.http->seen_count <= 51);
    dme_fixture_done(&f);
}

TEST(a_service_that_repeats_one_page_for_ever_is_an_error)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v"};

    dme_fixture_init(&f);
    expect_get(&f, LIST "&recordName=a", PAGE_OF(0, 4, TXT("a", "x", 1)));
    expect_get(&f, LIST "&recordName=a&page=1", PAGE_OF(0, 4, TXT("a", "x", 1)));
    expect_get(&f, LIST "&recordName=a&page=2", PAGE_OF(0, 4, TXT("a", "x", 1)));
    assert_error(&f, dme_records_find(f.dme, 42, &record, 1, &f.err), ERR_API,
                 "of 4 pages of zone 42 only 1 could be read", NULL);
    dme_fixture_done(&f);
}

/* ------------------------------------------------------------------ deleting */

TEST(one_record_is_deleted_by_its_own_url)
{
    struct dme_fixture f;
    const int64_t id = 9007199254740993;

    dme_fixture_init(&f);
    expect(&f, "DELETE", RECORDS "/9007199254740993", NULL, 200, "");
    assert_int_equal(dme_fixture_delete(&f, 42, &id, 1), ERR_OK);
    dme_fixture_done(&f);
}

TEST(several_records_are_deleted_with_one_request)
{
    struct dme_fixture f;
    const int64_t ids[] = {1, 2, 3};

    dme_fixture_init(&f);
    expect(&f, "DELETE", RECORDS "?ids=1&ids=2&ids=3", NULL, 200, "");
    assert_int_equal(dme_fixture_delete(&f, 42, ids, 3), ERR_OK);
    dme_fixture_done(&f);
}

TEST(without_an_id_no_url_is_built)
{
    static const int64_t bad[][3] = {{0, 1, 2}, {1, 0, 2}, {1, 2, 0}, {-1, 2, 3}, {1, 2, INT64_MIN}};
    struct dme_fixture f;
    const int64_t good = 5;

    dme_fixture_init(&f);
    assert_error(&f, dme_fixture_delete(&f, 42, &good, 0), ERR_INTERNAL, "without an id", NULL);
    assert_error(&f, dme_fixture_delete(&f, 42, NULL, 0), ERR_INTERNAL, "without an id", NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        for (size_t count = 1; count <= 3; count++) {
            bool is_bad = false;

            for (size_t n = 0; n < count; n++)
                is_bad = is_bad || bad[i][n] <= 0;
            if (is_bad)
                assert_error(&f, dme_fixture_delete(&f, 42, bad[i], count), ERR_INTERNAL, "no record id", NULL);
        }
    assert_error(&f, dme_fixture_delete(&f, 0, &good, 1), ERR_INTERNAL, "no zone id", NULL);
    assert_error(&f, dme_fixture_delete(&f, -42, &good, 1), ERR_INTERNAL, "no zone id", NULL);
    assert_int_equal(f.http->seen_count, 0);
    dme_fixture_done(&f);
}

static void count_ids(void *context, const struct fake_seen *request, UNUSED size_t index,
                      UNUSED struct fake_exchange *answer)
{
    size_t *total = context;
    const char *p = strstr(request->url, "/records");

    assert_string_equal(request->method, "DELETE");
    assert_non_null(p);
    p += strlen("/records");
    if (*p == '/') {
        assert_true(atoll(p + 1) > 0);
        ++*total;
        return;
    }
    assert_true(strncmp(p, "?ids=", 5) == 0);
    while ((p = strstr(p, "ids="))) {
        p += 4;
        assert_true(atoll(p) > 0);
        ++*total;
    }
}

TEST(every_delete_of_any_size_names_its_ids_and_all_of_them)
{
    static const size_t counts[] = {1, 2, 199, 200, 201, 400, 401, 1000};
    int64_t ids[1000];

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        ids[i] = INT64_MAX - (int64_t)i;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct dme_fixture f;
        size_t total = 0;

        dme_fixture_init(&f);
        f.http->handler = count_ids;
        f.http->handler_context = &total;
        assert_int_equal(dme_fixture_delete(&f, 42, ids, counts[i]), ERR_OK);
        assert_int_equal(total, counts[i]);
        assert_int_equal(f.http->seen_count, (counts[i] + 199) / 200);
        dme_fixture_done(&f);
    }
}

TEST(what_is_gone_already_is_not_found)
{
    struct dme_fixture f;
    const int64_t ids[] = {1, 2};

    dme_fixture_init(&f);
    expect(&f, "DELETE", RECORDS "/1", NULL, 404, "<html></html>");
    assert_int_equal(dme_fixture_delete(&f, 42, ids, 1), ERR_NOT_FOUND);
    expect(&f, "DELETE", RECORDS "?ids=1&ids=2", NULL, 404, "<html></html>");
    assert_int_equal(dme_fixture_delete(&f, 42, ids, 2), ERR_NOT_FOUND);
    dme_fixture_done(&f);
}

TEST(a_delete_whose_answer_was_lost_is_repeated)
{
    struct dme_fixture f;
    const int64_t ids[] = {1, 2};

    dme_fixture_init(&f);
    expect_lost(&f, "DELETE", RECORDS "/1", NULL);
    expect(&f, "DELETE", RECORDS "/1", NULL, 404, "<html></html>");
    assert_int_equal(dme_fixture_delete(&f, 42, ids, 1), ERR_NOT_FOUND);
    expect_lost(&f, "DELETE", RECORDS "?ids=1&ids=2", NULL);
    expect(&f, "DELETE", RECORDS "?ids=1&ids=2", NULL, 200, "");
    assert_int_equal(dme_fixture_delete(&f, 42, ids, 2), ERR_OK);
    dme_fixture_done(&f);
}

TEST(a_delete_that_is_refused_is_an_error)
{
    struct dme_fixture f;
    const int64_t ids[] = {1, 2};

    dme_fixture_init(&f);
    expect(&f, "DELETE", RECORDS "/1", NULL, 400, "{\"error\":[\"no\"]}");
    assert_error(&f, dme_fixture_delete(&f, 42, ids, 1), ERR_API, "could not delete TXT record 1: ", NULL);
    expect(&f, "DELETE", RECORDS "?ids=1&ids=2", NULL, 400, "{\"error\":[\"no\"]}");
    assert_error(&f, dme_fixture_delete(&f, 42, ids, 2), ERR_API, "could not delete 2 TXT records: ", NULL);
    dme_fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_found_by_name_and_value_with_one_request_a_name),
        cmocka_unit_test(names_are_percent_encoded),
        cmocka_unit_test(the_apex_is_looked_up_without_the_name_filter),
        cmocka_unit_test(many_names_cost_one_request),
        cmocka_unit_test(an_empty_account_or_zone_is_no_error),
        cmocka_unit_test(nothing_to_find_costs_nothing),
        cmocka_unit_test(a_stale_zone_id_is_not_found),
        cmocka_unit_test(hostile_lists_are_one_clear_error),
        cmocka_unit_test(further_pages_are_fetched_when_they_count_from_zero),
        cmocka_unit_test(further_pages_are_fetched_when_they_count_from_one),
        cmocka_unit_test(a_first_page_that_says_0_but_is_1_costs_one_request_more),
        cmocka_unit_test(paging_stops_when_all_are_found_or_an_empty_page_comes),
        cmocka_unit_test(endless_pages_come_to_an_end_that_is_an_error),
        cmocka_unit_test(a_service_that_repeats_one_page_for_ever_is_an_error),
        cmocka_unit_test(one_record_is_deleted_by_its_own_url),
        cmocka_unit_test(several_records_are_deleted_with_one_request),
        cmocka_unit_test(without_an_id_no_url_is_built),
        cmocka_unit_test(every_delete_of_any_size_names_its_ids_and_all_of_them),
        cmocka_unit_test(what_is_gone_already_is_not_found),
        cmocka_unit_test(a_delete_whose_answer_was_lost_is_repeated),
        cmocka_unit_test(a_delete_that_is_refused_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
