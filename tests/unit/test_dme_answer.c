/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dme/answer.h"
#include "test.h"

/* As production answers since 2020: ids in nested objects, ours last. */
static const char zone_text[] =
    "{\"created\":1583193600000,\"updated\":1583193600001,\"delegateNameServers\":[\"NS1.Vanity.example.\"],"
    "\"folderId\":1234,\"gtdEnabled\":false,\"nameServers\":[{\"ipv6\":\"2600:1800:10::1\",\"fqdn\":"
    "\"ns10.dnsmadeeasy.com\",\"groupId\":1,\"ipv4\":\"208.94.148.4\",\"id\":1},{\"ipv6\":\"\",\"fqdn\":"
    "\"NS11.dnsmadeeasy.com.\",\"groupId\":1,\"ipv4\":null,\"id\":2}],\"pendingActionId\":1,\"processMulti\":false,"
    "\"activeThirdParties\":[],\"name\":\"Example.COM\",\"id\":9007199254740993}";

static json_t *parsed(const char *text)
{
    struct err err;
    json_t *json = NULL;

    if (json_parse(text, strlen(text), "test", &json, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return json;
}

TEST(a_zone_is_read_with_its_own_id_and_its_name_servers)
{
    struct err err;
    struct dme_zone zone;
    json_t *json AUTO_JSON = parsed(zone_text);

    assert_int_equal(dme_answer_zone(json, &zone, &err), ERR_OK);
    assert_true(zone.id == 9007199254740993);
    assert_string_equal(zone.name, "example.com");
    assert_int_equal(zone.pending_action, 1);
    assert_int_equal(zone.nameserver_count, 2);
    assert_string_equal(zone.nameservers[0].fqdn, "ns10.dnsmadeeasy.com");
    assert_string_equal(zone.nameservers[0].ipv4, "208.94.148.4");
    assert_string_equal(zone.nameservers[0].ipv6, "2600:1800:10::1");
    assert_string_equal(zone.nameservers[1].fqdn, "ns11.dnsmadeeasy.com");
    assert_null(zone.nameservers[1].ipv4);
    assert_null(zone.nameservers[1].ipv6);
    assert_int_equal(zone.delegate_names.count, 1);
    assert_string_equal(zone.delegate_names.items[0], "ns1.vanity.example");
    dme_zone_done(&zone);
}

TEST(the_least_that_makes_a_zone)
{
    struct err err;
    struct dme_zone zone;
    json_t *json AUTO_JSON = parsed("{\"id\":\"17\",\"name\":\"a.b\",\"nameServers\":null}");

    assert_int_equal(dme_answer_zone(json, &zone, &err), ERR_OK);
    assert_int_equal(zone.id, 17);
    assert_int_equal(zone.pending_action, 0);
    assert_int_equal(zone.nameserver_count, 0);
    dme_zone_done(&zone);
}

TEST(what_is_no_zone_is_one_clear_error)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"id\":1}",
        "{\"name\":\"a.b\"}",
        "{\"id\":0,\"name\":\"a.b\"}",
        "{\"id\":-1,\"name\":\"a.b\"}",
        "{\"id\":1.5,\"name\":\"a.b\"}",
        "{\"id\":\"x\",\"name\":\"a.b\"}",
        "{\"id\":{\"id\":1},\"name\":\"a.b\"}",
        "{\"id\":1,\"name\":[]}",
        "{\"id\":1,\"name\":\"a.b\",\"pendingActionId\":\"soon\"}",
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err;
        struct dme_zone zone = {.id = 4711};
        json_t *json AUTO_JSON = parsed(bad[i]);

        assert_int_equal(dme_answer_zone(json, &zone, &err), ERR_API);
        assert_int_equal(err.code, ERR_API);
        assert_int_equal(zone.id, 4711);
    }
}

/* They are a help where DNS is none, and no reason to do without a certificate. */
TEST(odd_name_servers_are_left_out)
{
    static const char *const odd[] = {
        "{\"id\":1,\"name\":\"a.b\",\"nameServers\":{}}",
        "{\"id\":1,\"name\":\"a.b\",\"nameServers\":[1,null,[],{},{\"ipv4\":\"1.2.3.4\"},{\"fqdn\":7},{\"fqdn\":\"\"}]}",
        "{\"id\":1,\"name\":\"a.b\",\"delegateNameServers\":\"x\"}",
        "{\"id\":1,\"name\":\"a.b\",\"delegateNameServers\":[null,7,{},\"\"]}",
    };
    struct err err;
    struct dme_zone zone;
    json_t *json AUTO_JSON = parsed("{\"id\":1,\"name\":\"a.b\",\"nameServers\":[7,{\"fqdn\":\"X\",\"ipv4\":4,\"ipv6\":"
                                    "\"::1\"}],\"delegateNameServers\":[7,\"Y.\"]}");

    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        json_t *none AUTO_JSON = parsed(odd[i]);

        assert_int_equal(dme_answer_zone(none, &zone, &err), ERR_OK);
        assert_int_equal(zone.nameserver_count + zone.delegate_names.count, 0);
        dme_zone_done(&zone);
    }
    assert_int_equal(dme_answer_zone(json, &zone, &err), ERR_OK);
    assert_int_equal(zone.nameserver_count, 1);
    assert_string_equal(zone.nameservers[0].fqdn, "x");
    assert_null(zone.nameservers[0].ipv4);
    assert_string_equal(zone.nameservers[0].ipv6, "::1");
    assert_int_equal(zone.delegate_names.count, 1);
    assert_string_equal(zone.delegate_names.items[0], "y");
    dme_zone_done(&zone);
}

TEST(of_endless_lists_of_name_servers_only_the_start_is_taken)
{
    struct err err;
    struct dme_zone zone;
    struct buf text AUTO_BUF = BUF_INIT(100000);

    for (size_t round = 0; round < 2; round++) {
        json_t *json AUTO_JSON = NULL;

        buf_clear(&text);
        buf_printf(&text, "{\"id\":1,\"name\":\"a.b\",\"%s\":[", round ? "nameServers" : "delegateNameServers");
        for (size_t i = 0; i < 1000; i++)
            buf_printf(&text, "%s%s", i ? "," : "", round ? "{\"fqdn\":\"x\"}" : "\"x\"");
        buf_puts(&text, "]}");
        json = parsed(buf_cstr(&text));
        assert_int_equal(dme_answer_zone(json, &zone, &err), ERR_OK);
        assert_int_equal(zone.nameserver_count + zone.delegate_names.count, 64);
        dme_zone_done(&zone);
    }
}

static void expect_unquoted(const char *value, const char *want)
{
    struct buf out AUTO_BUF = BUF_INIT(1000);

    dme_answer_unquote(value, &out);
    assert_string_equal(buf_cstr(&out), want);
}

TEST(values_lose_one_pair_of_quotes_and_chunks_are_joined)
{
    expect_unquoted("\"tok\"", "tok");
    expect_unquoted("tok", "tok");
    expect_unquoted("\"chunk1\"\"chunk2\"", "chunk1chunk2");
    expect_unquoted("\"chunk1\" \"chunk2\"", "chunk1chunk2");
    expect_unquoted("\"a b\"", "a b");
    expect_unquoted("\"\"", "");
    expect_unquoted("\"", "\"");
    expect_unquoted("\"open", "\"open");
    expect_unquoted("", "");
}

/* Match `text` against name "_acme-challenge.www", value "tok"; returns the id found. */
static int64_t matched(const char *text)
{
    struct err err;
    struct dme_record record = {.name = "_acme-challenge.www", .value = "tok"};
    struct dme_record *wanted = &record;
    json_t *json AUTO_JSON = parsed(text);

    if (dme_answer_match(json, &wanted, 1, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return record.id;
}

#define RECORD(name, value, type, more) "{\"name\":\"" name "\",\"value\":\"" value "\",\"type\":\"" type "\"," more "}"

TEST(a_record_is_matched_by_type_name_and_value)
{
    assert_int_equal(matched("[" RECORD("_acme-challenge.www", "\\\"tok\\\"", "TXT", "\"id\":5,\"source\":1") "]"), 5);
    assert_int_equal(matched("[" RECORD("_ACME-Challenge.WWW", "tok", "txt", "\"id\":\"5\"") "]"), 5);
    assert_int_equal(matched("[" RECORD("_acme-challenge.www", "\\\"to\\\"\\\"k\\\"", "TXT", "\"id\":5") "]"), 5);
    assert_int_equal(matched("[" RECORD("_acme-challenge.www2", "tok", "TXT", "\"id\":5") "]"), 0);
    assert_int_equal(matched("[" RECORD("_acme-challenge", "tok", "TXT", "\"id\":5") "]"), 0);
    assert_int_equal(matched("[" RECORD("_acme-challenge.www", "TOK", "TXT", "\"id\":5") "]"), 0);
    assert_int_equal(matched("[" RECORD("_acme-challenge.www", "tok2", "TXT", "\"id\":5") "]"), 0);
    assert_int_equal(matched("[" RECORD("_acme-challenge.www", "tok", "SPF", "\"id\":5") "]"), 0);
    assert_int_equal(matched("[]"), 0);
}

TEST(template_records_are_left_alone)
{
    assert_int_equal(matched("[" RECORD("_acme-challenge.www", "tok", "TXT", "\"id\":5,\"source\":0") "]"), 0);
    assert_int_equal(matched("[" RECORD("_acme-challenge.www", "tok", "TXT", "\"id\":5,\"source\":2") "]"), 0);
    assert_int_equal(matched("[" RECORD("_acme-challenge.www", "tok", "TXT", "\"id\":5,\"source\":0") "," RECORD(
                         "_acme-challenge.www", "tok", "TXT", "\"id\":6,\"source\":1") "]"),
                     6);
}

TEST(records_of_other_types_may_look_as_they_like)
{
    assert_int_equal(matched("[{\"type\":\"HTTPRED\",\"value\":7},{\"type\":\"MX\",\"id\":\"?\",\"name\":[]}," RECORD(
                         "_acme-challenge.www", "tok", "TXT", "\"id\":6") "]"),
                     6);
}

TEST(the_apex_has_an_empty_or_no_name)
{
    struct err err;
    struct dme_record record = {.name = "", .value = "tok"};
    struct dme_record *wanted = &record;
    json_t *json AUTO_JSON = parsed(
        "[" RECORD("www", "tok", "TXT", "\"id\":1") ",{\"name\":null,\"value\":\"tok\",\"type\":"
                                                    "\"TXT\",\"id\":2}," RECORD("", "tok", "TXT", "\"id\":3") "]");

    assert_int_equal(dme_answer_match(json, &wanted, 1, &err), ERR_OK);
    assert_int_equal(record.id, 2);
}

TEST(an_id_that_is_known_is_not_replaced)
{
    struct err err;
    struct dme_record record = {.name = "a", .value = "tok", .id = 99};
    struct dme_record *wanted = &record;
    json_t *json AUTO_JSON = parsed("[" RECORD("a", "tok", "TXT", "\"id\":1") "]");

    assert_int_equal(dme_answer_match(json, &wanted, 1, &err), ERR_OK);
    assert_int_equal(record.id, 99);
}

TEST(records_that_make_no_sense_are_one_clear_error)
{
    static const char *const bad[] = {
        "[1]",
        "[null]",
        "[{}]",
        "[{\"type\":7}]",
        "[{\"type\":\"TXT\",\"name\":\"a\",\"value\":\"b\"}]",
        "[{\"type\":\"TXT\",\"name\":\"a\",\"value\":\"b\",\"id\":0}]",
        "[{\"type\":\"TXT\",\"name\":\"a\",\"value\":\"b\",\"id\":-7}]",
        "[{\"type\":\"TXT\",\"name\":\"a\",\"id\":1}]",
        "[{\"type\":\"TXT\",\"name\":1,\"value\":\"b\",\"id\":1}]",
        "[{\"type\":\"TXT\",\"name\":\"a\",\"value\":[\"b\"],\"id\":1}]",
        "[{\"type\":\"TXT\",\"name\":\"a\",\"value\":\"b\",\"id\":1,\"source\":\"mine\"}]",
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err;
        struct dme_record record = {.name = "a", .value = "b"};
        struct dme_record *wanted = &record;
        json_t *json AUTO_JSON = parsed(bad[i]);

        assert_int_equal(dme_answer_match(json, &wanted, 1, &err), ERR_API);
        assert_int_equal(err.code, ERR_API);
        assert_int_equal(record.id, 0);
    }
}

TEST(a_page_says_where_it_stands)
{
    struct err err;
    struct dme_page page;
    json_t *json AUTO_JSON = parsed(
        "{\"totalPages\":3,\"totalRecords\":9,\"data\":[{\"id\":41},{\"id\":42}],\"page\":1}");

    assert_int_equal(dme_answer_page(json, &page, &err), ERR_OK);
    assert_int_equal(page.total_pages, 3);
    assert_int_equal(page.page, 1);
    assert_int_equal(page.first_id, 41);
    assert_int_equal(json_array_size(page.items), 2);
}

TEST(an_empty_object_is_an_empty_page)
{
    struct err err;
    struct dme_page page;
    json_t *json AUTO_JSON = parsed("{}");

    assert_int_equal(dme_answer_page(json, &page, &err), ERR_OK);
    assert_null(page.items);
    assert_int_equal(page.total_pages, 1);
    assert_int_equal(page.first_id, 0);
}

TEST(pages_that_make_no_sense_are_refused)
{
    static const char *const bad[] = {"[]",
                                      "{\"data\":{}}",
                                      "{\"totalPages\":-1}",
                                      "{\"page\":\"x\"}",
                                      "{\"data\":[1]}",
                                      "{\"data\":[{}]}",
                                      "{\"totalPages\":1e3}",
                                      "{\"data\":\"\"}"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err;
        struct dme_page page;
        json_t *json AUTO_JSON = parsed(bad[i]);

        assert_int_equal(dme_answer_page(json, &page, &err), ERR_API);
        assert_int_equal(err.code, ERR_API);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_read_with_its_own_id_and_its_name_servers),
        cmocka_unit_test(the_least_that_makes_a_zone),
        cmocka_unit_test(what_is_no_zone_is_one_clear_error),
        cmocka_unit_test(odd_name_servers_are_left_out),
        cmocka_unit_test(of_endless_lists_of_name_servers_only_the_start_is_taken),
        cmocka_unit_test(values_lose_one_pair_of_quotes_and_chunks_are_joined),
        cmocka_unit_test(a_record_is_matched_by_type_name_and_value),
        cmocka_unit_test(template_records_are_left_alone),
        cmocka_unit_test(records_of_other_types_may_look_as_they_like),
        cmocka_unit_test(the_apex_has_an_empty_or_no_name),
        cmocka_unit_test(an_id_that_is_known_is_not_replaced),
        cmocka_unit_test(records_that_make_no_sense_are_one_clear_error),
        cmocka_unit_test(a_page_says_where_it_stands),
        cmocka_unit_test(an_empty_object_is_an_empty_page),
        cmocka_unit_test(pages_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
