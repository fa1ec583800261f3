/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dme_fixture.h"
#include "json/json.h"
#include "test.h"

#define RECORDS "/dns/managed/42/records"
#define ONE RECORDS "/"
#define MULTI RECORDS "/createMulti"
#define LIST RECORDS "?type=TXT"
#define SENT(name, value) "{\"name\":\"" name "\",\"type\":\"TXT\",\"value\":\"" value "\",\"ttl\":60}"
#define TXT(name, value, id)                                                                                           \
    "{\"sourceId\":42,\"gtdLocation\":\"DEFAULT\",\"ttl\":60,\"source\":1,\"name\":\"" name                            \
    "\",\"value\":\"\\\"" value "\\\"\",\"id\":" #id ",\"type\":\"TXT\"}"
#define PAGE(records) "{\"totalPages\":1,\"totalRecords\":1,\"data\":[" records "],\"page\":0}"
#define EXISTS "{\"error\":[\"Record with this type (TXT), name (a), and value (\\\"v1\\\") already exists.\"]}"
#define DUPLICATE                                                                                                      \
    "{\"error\":[\"Duplicate name and value match detected for record \\\"a v1.\\\" with domain "                      \
    "\\\"example.com\\\".\"]}"

static enum err_code create(struct dme_fixture *f, struct dme_record *records, size_t count)
{
    return dme_fixture_create(f, 42, records, count);
}

/* ------------------------------------------------------------------ one */

TEST(one_record_is_one_post_without_quotes_and_location)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "_acme-challenge.www", .value = "tok", .id = 99};

    dme_fixture_init(&f);
    expect(&f, "POST", ONE, SENT("_acme-challenge.www", "tok"), 201, TXT("_acme-challenge.www", "tok", 131517074));
    assert_int_equal(create(&f, &record, 1), ERR_OK);
    assert_int_equal(record.id, 131517074);
    dme_fixture_done(&f);
}

TEST(status_200_with_a_body_is_fine_too)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "", .value = "tok"};

    dme_fixture_init(&f);
    expect(&f, "POST", ONE, SENT("", "tok"), 200, TXT("", "tok", 9007199254740993));
    assert_int_equal(create(&f, &record, 1), ERR_OK);
    assert_true(record.id == 9007199254740993);
    dme_fixture_done(&f);
}

TEST(an_answer_that_does_not_show_our_record_leads_to_a_look_up)
{
    static const char *const answers[] = {"",
                                          "{}",
                                          "[]",
                                          "7",
                                          "{\"data\":[{\"id\":",
                                          TXT("b", "v1", 666),
                                          TXT("a", "v2", 666),
                                          TXT("a", "v1", 0),
                                          "{\"name\":\"a\",\"value\":\"v1\",\"type\":\"A\",\"id\":666}"};

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct dme_fixture f;
        struct dme_record record = {.name = "a", .value = "v1"};

        dme_fixture_init(&f);
        expect(&f, "POST", ONE, SENT("a", "v1"), 201, answers[i]);
        expect_get(&f, LIST "&recordName=a", PAGE(TXT("a", "v0", 4) "," TXT("a", "v1", 5)));
        assert_int_equal(create(&f, &record, 1), ERR_OK);
        assert_int_equal(record.id, 5);
        dme_fixture_done(&f);
    }
}

TEST(a_record_that_was_made_but_is_not_listed_is_an_error)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v1"};

    dme_fixture_init(&f);
    expect(&f, "POST", ONE, SENT("a", "v1"), 201, "");
    expect_get(&f, LIST "&recordName=a", PAGE(""));
    assert_error(&f, create(&f, &record, 1), ERR_API, "could not create TXT record \"a\"", NULL);
    assert_int_equal(record.id, 0);
    dme_fixture_done(&f);
}

TEST(a_record_that_exists_already_is_success_and_its_id_is_looked_up)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v1"};

    dme_fixture_init(&f);
    expect(&f, "POST", ONE, SENT("a", "v1"), 400, EXISTS);
    expect_get(&f, LIST "&recordName=a", PAGE(TXT("a", "v1", 5)));
    assert_int_equal(create(&f, &record, 1), ERR_OK);
    assert_int_equal(record.id, 5);
    dme_fixture_done(&f);
}

TEST(a_lost_answer_followed_by_exists_is_success)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v1"};

    dme_fixture_init(&f);
    expect_lost(&f, "POST", ONE, SENT("a", "v1"));
    expect(&f, "POST", ONE, SENT("a", "v1"), 400, EXISTS);
    expect_get(&f, LIST "&recordName=a", PAGE(TXT("a", "v1", 5)));
    assert_int_equal(create(&f, &record, 1), ERR_OK);
    assert_int_equal(record.id, 5);
    dme_fixture_done(&f);
}

TEST(a_record_that_exists_but_is_not_the_zones_own_is_an_error_that_says_where_to_look)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v1"};

    dme_fixture_init(&f);
    expect(&f, "POST", ONE, SENT("a", "v1"), 400, EXISTS);
    expect_get(&f, LIST "&recordName=a",
               PAGE("{\"name\":\"a\",\"value\":\"v1\",\"type\":\"TXT\",\"id\":8,\"source\":0}"));
    assert_error(&f, create(&f, &record, 1), ERR_API, "says that it exists", "template");
    assert_int_equal(record.id, 0);
    dme_fixture_done(&f);
}

TEST(a_refused_record_is_an_error_with_the_servers_words)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "."};

    dme_fixture_init(&f);
    expect(&f, "POST", ONE, SENT("a", "."), 400, "{\"error\":[\"Record value may not be a standalone dot.\"]}");
    assert_error(&f, create(&f, &record, 1), ERR_API,
                 "could not create TXT record \"a\": DNS Made Easy refused the "
                 "request (status 400): \"Record value may not be a standalone dot.\"",
                 NULL);
    dme_fixture_done(&f);
}

TEST(a_stale_zone_id_is_not_found)
{
    struct dme_fixture f;
    struct dme_record records[] = {{.name = "a", .value = "v1"}, {.name = "a", .value = "v2"}};

    dme_fixture_init(&f);
    expect(&f, "POST", ONE, SENT("a", "v1"), 404, "<html></html>");
    assert_error(&f, create(&f, records, 1), ERR_NOT_FOUND, "no zone with id 42", NULL);
    expect(&f, "POST", MULTI, "[" SENT("a", "v1") "," SENT("a", "v2") "]", 404, "");
    assert_error(&f, create(&f, records, 2), ERR_NOT_FOUND, "no zone with id 42", NULL);
    dme_fixture_done(&f);
}

TEST(what_cannot_be_published_is_not_sent_and_keeps_no_other_from_being_made)
{
    static const char *const bad[] = {"", "a\"b", "\"v\"", "\xff"};
    struct dme_fixture f;

    dme_fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct dme_record records[] = {{.name = "a", .value = "fine"}, {.name = "a", .value = bad[i], .id = 99}};

        expect(&f, "POST", ONE, SENT("a", "fine"), 201, TXT("a", "fine", 11));
        assert_error(&f, create(&f, records, 2), ERR_INPUT, "could not create TXT record", NULL);
        assert_int_equal(records[0].err.code, ERR_OK);
        assert_int_equal(records[0].id, 11);
        assert_int_equal(records[1].err.code, ERR_INPUT);
        assert_int_equal(records[1].id, 0);
        assert_false(records[1].may_exist);
    }
    assert_int_equal(f.http->seen_count, ARRAY_LEN(bad));
    dme_fixture_done(&f);
}

TEST(what_cannot_be_published_at_all_is_refused_before_a_request)
{
    static const char *const bad[] = {"", "a\"b", "\"v\"", "\xff"};
    struct dme_record record = {.name = "a", .value = "v"};
    struct dme_fixture f;

    dme_fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct dme_record alone = {.name = "a", .value = bad[i]};

        assert_error(&f, create(&f, &alone, 1), ERR_INPUT, "could not create TXT record", NULL);
    }
    assert_int_equal(dme_fixture_create(&f, 0, &record, 1), ERR_INTERNAL);
    assert_int_equal(create(&f, NULL, 0), ERR_OK);
    assert_int_equal(f.http->seen_count, 0);
    dme_fixture_done(&f);
}

/* ------------------------------------------------------------------ many */

#define PAIR "[" SENT("a", "v1") "," SENT("b", "v2") "]"

static void pair(struct dme_record records[2])
{
    records[0] = (struct dme_record){.name = "a", .value = "v1", .id = 99};
    records[1] = (struct dme_record){.name = "b", .value = "v2", .id = 99};
}

TEST(several_records_are_one_request_and_ids_go_by_name_and_value)
{
    struct dme_fixture f;
    struct dme_record records[2];

    dme_fixture_init(&f);
    pair(records);
    expect(&f, "POST", MULTI, PAIR, 201, "[" TXT("b", "v2", 22) "," TXT("a", "v1", 11) "]");
    assert_int_equal(create(&f, records, 2), ERR_OK);
    assert_int_equal(records[0].id, 11);
    assert_int_equal(records[1].id, 22);
    dme_fixture_done(&f);
}

TEST(ids_that_are_missing_in_the_answer_are_looked_up)
{
    struct dme_fixture f;
    struct dme_record records[2];

    dme_fixture_init(&f);
    pair(records);
    expect(&f, "POST", MULTI, PAIR, 201, "[" TXT("a", "v1", 11) "]");
    expect_get(&f, LIST "&recordName=b", PAGE(TXT("b", "v2", 22)));
    assert_int_equal(create(&f, records, 2), ERR_OK);
    assert_int_equal(records[0].id, 11);
    assert_int_equal(records[1].id, 22);
    dme_fixture_done(&f);
}

TEST(the_same_record_named_twice_is_made_once)
{
    struct dme_fixture f;
    struct dme_record records[] = {
        {.name = "a", .value = "v1"}, {.name = "A", .value = "v1"}, {.name = "b", .value = "v2"}};

    dme_fixture_init(&f);
    expect(&f, "POST", MULTI, PAIR, 201, "[" TXT("a", "v1", 11) "," TXT("b", "v2", 22) "]");
    assert_int_equal(create(&f, records, 3), ERR_OK);
    assert_int_equal(records[0].id, 11);
    assert_int_equal(records[1].id, 11);
    assert_int_equal(records[2].id, 22);
    dme_fixture_done(&f);
}

TEST(when_some_exist_the_rest_is_made_in_a_second_request)
{
    struct dme_fixture f;
    struct dme_record records[] = {
        {.name = "a", .value = "v1"}, {.name = "b", .value = "v2"}, {.name = "b", .value = "v3"}};

    dme_fixture_init(&f);
    expect(&f, "POST", MULTI, "[" SENT("a", "v1") "," SENT("b", "v2") "," SENT("b", "v3") "]", 400, DUPLICATE);
    expect_get(&f, LIST "&recordName=a", PAGE(TXT("a", "v1", 11)));
    expect_get(&f, LIST "&recordName=b", PAGE(TXT("b", "foreign", 77)));
    expect(&f, "POST", MULTI, "[" SENT("b", "v2") "," SENT("b", "v3") "]", 201,
           "[" TXT("b", "v2", 22) "," TXT("b", "v3", 33) "]");
    assert_int_equal(create(&f, records, 3), ERR_OK);
    assert_int_equal(records[0].id, 11);
    assert_int_equal(records[1].id, 22);
    assert_int_equal(records[2].id, 33);
    dme_fixture_done(&f);
}

TEST(a_lost_answer_to_many_followed_by_duplicate_is_success)
{
    struct dme_fixture f;
    struct dme_record records[2];

    dme_fixture_init(&f);
    pair(records);
    expect_lost(&f, "POST", MULTI, PAIR);
    expect(&f, "POST", MULTI, PAIR, 400, DUPLICATE);
    expect_get(&f, LIST "&recordName=a", PAGE(TXT("a", "v1", 11)));
    expect_get(&f, LIST "&recordName=b", PAGE(TXT("b", "v2", 22)));
    assert_int_equal(create(&f, records, 2), ERR_OK);
    assert_int_equal(records[0].id, 11);
    assert_int_equal(records[1].id, 22);
    dme_fixture_done(&f);
}

TEST(when_the_rest_is_refused_too_records_are_made_one_by_one)
{
    struct dme_fixture f;
    struct dme_record records[] = {
        {.name = "a", .value = "v1"}, {.name = "b", .value = "v2"}, {.name = "b", .value = "v3"}};

    dme_fixture_init(&f);
    expect(&f, "POST", MULTI, "[" SENT("a", "v1") "," SENT("b", "v2") "," SENT("b", "v3") "]", 400, DUPLICATE);
    expect_get(&f, LIST "&recordName=a", PAGE(TXT("a", "v1", 11)));
    expect_get(&f, LIST "&recordName=b", PAGE(""));
    expect(&f, "POST", MULTI, "[" SENT("b", "v2") "," SENT("b", "v3") "]", 400, DUPLICATE);
    expect(&f, "POST", ONE, SENT("b", "v2"), 400, EXISTS); /* came into being meanwhile */
    expect(&f, "POST", ONE, SENT("b", "v3"), 201, TXT("b", "v3", 33));
    expect_get(&f, LIST "&recordName=b", PAGE(TXT("b", "v2", 22)));
    assert_int_equal(create(&f, records, 3), ERR_OK);
    assert_int_equal(records[1].id, 22);
    assert_int_equal(records[2].id, 33);
    dme_fixture_done(&f);
}

TEST(when_one_of_two_exists_the_other_is_a_single_post)
{
    struct dme_fixture f;
    struct dme_record records[2];

    dme_fixture_init(&f);
    pair(records);
    expect(&f, "POST", MULTI, PAIR, 400, DUPLICATE);
    expect_get(&f, LIST "&recordName=a", PAGE(TXT("a", "v1", 11)));
    expect_get(&f, LIST "&recordName=b", PAGE(""));
    expect(&f, "POST", ONE, SENT("b", "v2"), 201, TXT("b", "v2", 22));
    assert_int_equal(create(&f, records, 2), ERR_OK);
    assert_int_equal(records[0].id, 11);
    assert_int_equal(records[1].id, 22);
    dme_fixture_done(&f);
}

TEST(a_failure_leaves_the_ids_of_those_that_exist)
{
    struct dme_fixture f;
    struct dme_record records[2];

    dme_fixture_init(&f);
    pair(records);
    expect(&f, "POST", MULTI, PAIR, 400, DUPLICATE);
    expect_get(&f, LIST "&recordName=a", PAGE(TXT("a", "v1", 11)));
    expect_get(&f, LIST "&recordName=b", PAGE(""));
    expect(&f, "POST", ONE, SENT("b", "v2"), 400, "{\"error\":[\"no\"]}");
    assert_int_equal(create(&f, records, 2), ERR_API);
    assert_int_equal(records[0].id, 11);
    assert_int_equal(records[1].id, 0);
    dme_fixture_done(&f);
}

/* ------------------------------------------------------------------ what is certain after a failure */

TEST(a_refusal_says_that_the_record_does_not_exist)
{
    struct dme_fixture f;
    struct dme_record record = {.name = "a", .value = "v1", .may_exist = true};

    dme_fixture_init(&f);
    expect(&f, "POST", ONE, SENT("a", "v1"), 400, "{\"error\":[\"no\"]}");
    assert_int_equal(create(&f, &record, 1), ERR_API);
    assert_false(record.may_exist);
    expect(&f, "POST", ONE, SENT("a", "v1"), 400, EXISTS); /* another's, and the list does not have it */
    expect_get(&f, LIST "&recordName=a", PAGE(""));
    assert_int_equal(create(&f, &record, 1), ERR_API);
    assert_false(record.may_exist);
    assert_false(f.has_lost_answer);
    dme_fixture_done(&f);
}

TEST(whether_a_refused_list_was_refused_whole_is_not_certain)
{
    struct dme_fixture f;
    struct dme_record records[2];

    dme_fixture_init(&f);
    pair(records);
    expect(&f, "POST", MULTI, PAIR, 400, "{\"error\":[\"no\"]}");
    expect(&f, "POST", ONE, SENT("a", "v1"), 400, "{\"error\":[\"no\"]}");
    expect(&f, "POST", ONE, SENT("b", "v2"), 400, "{\"error\":[\"no\"]}");
    assert_int_equal(create(&f, records, 2), ERR_API);
    assert_true(records[0].may_exist && records[1].may_exist);
    dme_fixture_done(&f);
}

static void fails_with_status(void *context, UNUSED const struct fake_seen *request, UNUSED size_t index,
                              struct fake_exchange *answer)
{
    answer->status = *(const long *)context;
}

TEST(a_gateway_that_speaks_for_the_service_has_lost_its_answer)
{
    static const struct {
        long status;
        bool is_lost;
    } rows[] = {{500, false}, {502, true}, {503, false}, {504, true}, {524, true}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dme_fixture f;
        struct dme_record record = {.name = "a", .value = "v1"};
        long status = rows[i].status;

        dme_fixture_init(&f);
        f.http->handler = fails_with_status;
        f.http->handler_context = &status;
        assert_int_equal(create(&f, &record, 1), ERR_SERVER);
        assert_true(record.may_exist);
        assert_int_equal(f.has_lost_answer, rows[i].is_lost);
        dme_fixture_done(&f);
    }
}

/* ------------------------------------------------------------------ many */

/* Says of every list that it has duplicates, shows none of them, and makes single records, nine seconds each. */
static void tedious(void *context, const struct fake_seen *request, UNUSED size_t index, struct fake_exchange *answer)
{
    struct buf *text = context;

    answer->takes_ms = 9000;
    if (strcmp(request->method, "GET") == 0) {
        answer->status = 200;
        answer->answer = PAGE("");
    } else if (strstr(request->url, "createMulti")) {
        answer->status = 400;
        answer->answer = DUPLICATE;
    } else {
        buf_clear(text);
        buf_printf(text, "{\"id\":7,%s", request->body + 1);
        answer->status = 201;
        answer->answer = buf_cstr(text);
    }
}

TEST(all_requests_of_a_call_share_its_time)
{
    struct dme_fixture f;
    struct buf text AUTO_BUF = BUF_INIT(1024);
    struct dme_record records[100];
    char values[100][8];
    int64_t start_ms;

    dme_fixture_init(&f);
    f.http->handler = tedious;
    f.http->handler_context = &text;
    f.http->is_side_by_side = true;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        (void)snprintf(values[i], sizeof values[i], "v%zu", i);
        records[i] = (struct dme_record){.name = "a", .value = values[i]};
    }
    start_ms = f.clock.mono_ms;
    assert_error(&f, create(&f, records, ARRAY_LEN(records)), ERR_TIMEOUT, "no time is left", NULL);
    assert_in_range(f.clock.mono_ms - start_ms, 60000, 70000);
    assert_int_equal(records[39].id, 7); /* in rounds of eight */
    assert_int_equal(records[40].id, 0);
    dme_fixture_done(&f);
}

/* Creates what it is asked to, out of order. */
static void obliging(void *context, const struct fake_seen *request, UNUSED size_t index, struct fake_exchange *answer)
{
    struct buf *text = context;
    struct err err;
    json_t *json AUTO_JSON = NULL;
    size_t count;

    assert_int_equal(json_parse(request->body, strlen(request->body), "request", &json, &err), ERR_OK);
    count = json_array_size(json);
    assert_in_range(count, 2, 200);
    buf_clear(text);
    for (size_t i = count; i-- > 0;) {
        const json_t *item = json_array_get(json, i);
        const char *value = json_string_value(json_object_get(item, "value"));

        buf_printf(text, "%s{\"name\":\"%s\",\"value\":\"\\\"%s\\\"\",\"type\":\"TXT\",\"source\":1,\"id\":1%s}",
                   text->len ? "," : "[", json_string_value(json_object_get(item, "name")), value, value);
    }
    buf_putc(text, ']');
    answer->status = 201;
    answer->answer = buf_cstr(text);
}

TEST(more_than_two_hundred_records_go_out_in_chunks)
{
    struct dme_fixture f;
    struct buf text AUTO_BUF = BUF_INIT(1 << 20);
    static struct dme_record records[450];
    static char values[450][8];

    dme_fixture_init(&f);
    f.http->handler = obliging;
    f.http->handler_context = &text;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        (void)snprintf(values[i], sizeof values[i], "%04zu", i);
        records[i] = (struct dme_record){.name = i % 2 ? "_acme-challenge" : "_acme-challenge.www", .value = values[i]};
    }
    assert_int_equal(create(&f, records, ARRAY_LEN(records)), ERR_OK);
    assert_int_equal(f.http->seen_count, 3);
    for (size_t i = 0; i < ARRAY_LEN(records); i++)
        assert_int_equal(records[i].id, 10000 + (int64_t)i);
    dme_fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_record_is_one_post_without_quotes_and_location),
        cmocka_unit_test(status_200_with_a_body_is_fine_too),
        cmocka_unit_test(an_answer_that_does_not_show_our_record_leads_to_a_look_up),
        cmocka_unit_test(a_record_that_was_made_but_is_not_listed_is_an_error),
        cmocka_unit_test(a_record_that_exists_already_is_success_and_its_id_is_looked_up),
        cmocka_unit_test(a_lost_answer_followed_by_exists_is_success),
        cmocka_unit_test(a_record_that_exists_but_is_not_the_zones_own_is_an_error_that_says_where_to_look),
        cmocka_unit_test(a_refused_record_is_an_error_with_the_servers_words),
        cmocka_unit_test(a_stale_zone_id_is_not_found),
        cmocka_unit_test(what_cannot_be_published_is_not_sent_and_keeps_no_other_from_being_made),
        cmocka_unit_test(what_cannot_be_published_at_all_is_refused_before_a_request),
        cmocka_unit_test(several_records_are_one_request_and_ids_go_by_name_and_value),
        cmocka_unit_test(ids_that_are_missing_in_the_answer_are_looked_up),
        cmocka_unit_test(the_same_record_named_twice_is_made_once),
        cmocka_unit_test(when_some_exist_the_rest_is_made_in_a_second_request),
        cmocka_unit_test(a_lost_answer_to_many_followed_by_duplicate_is_success),
        cmocka_unit_test(when_the_rest_is_refused_too_records_are_made_one_by_one),
        cmocka_unit_test(when_one_of_two_exists_the_other_is_a_single_post),
        cmocka_unit_test(a_failure_leaves_the_ids_of_those_that_exist),
        cmocka_unit_test(a_refusal_says_that_the_record_does_not_exist),
        cmocka_unit_test(whether_a_refused_list_was_refused_whole_is_not_certain),
        cmocka_unit_test(a_gateway_that_speaks_for_the_service_has_lost_its_answer),
        cmocka_unit_test(all_requests_of_a_call_share_its_time),
        cmocka_unit_test(more_than_two_hundred_records_go_out_in_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
