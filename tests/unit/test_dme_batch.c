/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dme/client.h"
#include "dme_fixture.h"
#include "json/json.h"
#include "test.h"

#define GOOD_BODY "{\"name\":\"_acme-challenge.h0\",\"type\":\"TXT\",\"value\":\"good0\",\"ttl\":60}"
#define REFUSED "{\"error\":[\"Record value may not be a standalone dot.\"]}"

/* Creates all or nothing: refuses lists with a value that begins with "bad" in them. */
struct picky {
    struct buf text;
    struct err err;
    int64_t next_id;
    int64_t gone_zone; /* its id is not known; 0: none */
    size_t refused;
    const char *method; /* the last one asked for by anything but POST */
};

static bool is_bad(const json_t *item)
{
    return strncmp(json_string_value(json_object_get(item, "value")), "bad", 3) == 0;
}

static void put_record(struct picky *p, const json_t *item)
{
    buf_printf(&p->text,
               "%s{\"name\":\"%s\",\"value\":\"\\\"%s\\\"\",\"type\":\"TXT\",\"source\":1,\"id\":%" PRId64 "}",
               p->text.len > 1 ? "," : "", json_string_value(json_object_get(item, "name")),
               json_string_value(json_object_get(item, "value")), ++p->next_id);
}

static void create_or_refuse(struct picky *p, const char *body, struct fake_exchange *answer)
{
    json_t *json AUTO_JSON = NULL;
    json_t *list AUTO_JSON = NULL;
    bool is_refused = false;

    assert_int_equal(json_parse(body, strlen(body), "request", &json, &p->err), ERR_OK);
    list = json_is_array(json) ? json_incref(json) : json_pack("[O]", json);
    buf_clear(&p->text);
    buf_putc(&p->text, '[');
    for (size_t i = 0; i < json_array_size(list); i++) {
        is_refused |= is_bad(json_array_get(list, i));
        put_record(p, json_array_get(list, i));
    }
    buf_putc(&p->text, ']');
    p->refused += is_refused ? 1 : 0;
    answer->status = is_refused ? 400 : 201;
    answer->answer = is_refused ? REFUSED : buf_cstr(&p->text);
}

static void answer_picky(void *context, const struct fake_seen *request, UNUSED size_t index,
                         struct fake_exchange *answer)
{
    struct picky *p = context;
    const char *zone = strstr(request->url, "managed/");

    answer->takes_ms = 100;
    if (zone && atoll(zone + strlen("managed/")) == p->gone_zone)
        *answer = (struct fake_exchange){.status = 404, .answer = "<html></html>"};
    else if (strcmp(request->method, "POST") == 0)
        create_or_refuse(p, request->body, answer);
    else
        p->method = request->method;
}

struct scene {
    struct dme_fixture f;
    struct picky api;
};

static void scene_init(struct scene *s)
{
    *s = (struct scene){.api = {.text = BUF_INIT(1 << 20), .next_id = 1000}};
    dme_fixture_init(&s->f);
    s->f.dme->own_budget.window.limit = 150; /* an earlier answer told */
    s->f.http->handler = answer_picky;
    s->f.http->handler_context = &s->api;
    s->f.http->is_side_by_side = true;
}

static void scene_done(struct scene *s)
{
    buf_done(&s->api.text);
    dme_fixture_done(&s->f);
}

/* `count` records of a zone; the values of those whose numbers are in `bad` (0-terminated, counted from 1) are bad. */
static struct dme_batch batch_of(int64_t zone_id, size_t count, const size_t *bad)
{
    struct dme_batch batch = {.zone_id = zone_id, .records = mem_calloc(count, sizeof *batch.records), .count = count};

    for (size_t i = 0; i < count; i++) {
        bool is_one = false;

        for (const size_t *b = bad; b && *b; b++)
            is_one |= *b == i + 1;
        batch.records[i].name = mem_printf("_acme-challenge.h%zu", i);
        batch.records[i].value = mem_printf("%s%zu", is_one ? "bad" : "good", i);
    }
    return batch;
}

static void batch_done(struct dme_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free((void *)(uintptr_t)batch->records[i].name);
        free((void *)(uintptr_t)batch->records[i].value);
    }
    free(batch->records);
}

static enum err_code create(struct scene *s, struct dme_batch *batches, size_t count)
{
    return dme_batches_create(s->f.dme, batches, count, 60, &s->f.err);
}

/* Exactly the bad ones have no id and an error. */
static void assert_isolated(const struct dme_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct dme_record *record = &batch->records[i];

        if (strncmp(record->value, "bad", 3) == 0) {
            assert_int_equal(record->err.code, ERR_API);
            assert_non_null(strstr(record->err.msg, "standalone dot"));
            assert_non_null(strstr(record->err.msg, record->name));
            assert_null(strstr(record->err.msg, "more"));
            assert_true(record->id == 0);
        } else {
            assert_int_equal(record->err.code, ERR_OK);
            assert_true(record->id > 0);
        }
    }
}

TEST(ten_zones_are_ten_requests_side_by_side)
{
    struct scene s;
    struct dme_batch batches[10];
    int64_t start_ms;

    scene_init(&s);
    for (size_t i = 0; i < ARRAY_LEN(batches); i++)
        batches[i] = batch_of((int64_t)i + 1, 10, NULL);
    start_ms = s.f.clock.mono_ms;
    assert_int_equal(create(&s, batches, ARRAY_LEN(batches)), ERR_OK);
    assert_int_equal(s.f.http->seen_count, 10);
    assert_int_equal(s.f.http->widest, 8);
    assert_int_equal(s.f.clock.mono_ms - start_ms, 200); /* two rounds */
    for (size_t i = 0; i < ARRAY_LEN(batches); i++) {
        assert_isolated(&batches[i]);
        assert_int_equal(batches[i].err.code, ERR_OK);
        batch_done(&batches[i]);
    }
    scene_done(&s);
}

TEST(each_request_of_a_round_is_signed_and_so_is_each_attempt)
{
    struct scene s;
    struct dme_batch batches[2] = {batch_of(1, 1, NULL), batch_of(2, 1, NULL)};

    scene_init(&s);
    fake_http_expect(s.f.http, &(struct fake_exchange){.method = "POST",
                                                       .url = "/dns/managed/1/records/",
                                                       .body = GOOD_BODY,
                                                       .status = 503,
                                                       .headers = "Retry-After: 30"});
    assert_int_equal(create(&s, batches, 2), ERR_OK);
    assert_int_equal(s.f.http->seen_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(fake_seen_header(&s.f.http->seen[i], "x-dnsme-hmac"));
    assert_string_not_equal(fake_seen_header(&s.f.http->seen[0], "x-dnsme-requestDate"),
                            fake_seen_header(&s.f.http->seen[2], "x-dnsme-requestDate"));
    assert_non_null(strstr(s.f.http->seen[1].url, "/2/")); /* did not wait for the other */
    for (size_t i = 0; i < 2; i++) {
        assert_isolated(&batches[i]);
        batch_done(&batches[i]);
    }
    scene_done(&s);
}

TEST(a_bad_record_fails_alone_at_two_requests_a_halving)
{
    static const struct {
        size_t count, bad[4], requests;
    } rows[] = {
        {1, {1}, 1},    {2, {2}, 3},      {3, {1}, 3},        {8, {5}, 7},
        {100, {1}, 13}, {200, {200}, 17}, {100, {3, 97}, 27}, {8, {1, 3, 8}, 13},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene s;
        struct dme_batch batch = batch_of(42, rows[i].count, rows[i].bad);

        scene_init(&s);
        assert_int_equal(create(&s, &batch, 1), ERR_OK);
        assert_isolated(&batch);
        assert_int_equal(batch.err.code, ERR_API);
        assert_in_range(s.f.http->seen_count, 1, rows[i].requests);
        batch_done(&batch);
        scene_done(&s);
    }
}

TEST(a_zone_whose_records_are_all_refused_does_not_use_the_budget_up)
{
    struct scene s;
    size_t bad[101];
    struct dme_batch batches[2];

    for (size_t i = 0; i < 100; i++)
        bad[i] = i + 1;
    bad[100] = 0;
    batches[0] = batch_of(41, 100, bad);
    batches[1] = batch_of(42, 100, NULL);
    scene_init(&s);
    assert_int_equal(create(&s, batches, 2), ERR_OK);
    assert_in_range(s.f.http->seen_count, 2, 40);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(batches[0].records[i].err.code, ERR_API);
        assert_true(batches[0].records[i].id == 0);
    }
    assert_isolated(&batches[1]);
    batch_done(&batches[0]);
    batch_done(&batches[1]);
    scene_done(&s);
}

TEST(what_can_not_be_sent_at_all_does_not_keep_the_others_back)
{
    struct scene s;
    struct dme_record records[] = {{.name = "a", .value = ""},
                                   {.name = "b", .value = "good"},
                                   {.name = "c", .value = "q\"q"},
                                   {.name = "b", .value = "good"}};
    struct dme_batch batch = {.zone_id = 42, .records = records, .count = ARRAY_LEN(records)};

    scene_init(&s);
    assert_int_equal(create(&s, &batch, 1), ERR_OK);
    assert_int_equal(records[0].err.code, ERR_INPUT);
    assert_int_equal(records[2].err.code, ERR_INPUT);
    assert_int_equal(records[1].err.code, ERR_OK);
    assert_true(records[1].id > 0 && records[3].id == records[1].id); /* named twice, made once */
    assert_int_equal(batch.err.code, ERR_INPUT);
    assert_int_equal(s.f.http->seen_count, 1);
    scene_done(&s);
}

TEST(a_zone_that_is_gone_fails_alone)
{
    struct scene s;
    struct dme_batch batches[3] = {batch_of(1, 2, NULL), batch_of(2, 2, NULL), batch_of(0, 1, NULL)};

    scene_init(&s);
    s.api.gone_zone = 1;
    assert_int_equal(create(&s, batches, 3), ERR_OK);
    assert_int_equal(batches[0].err.code, ERR_NOT_FOUND);
    assert_int_equal(batches[0].records[1].err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(batches[0].err.msg, "no zone with id 1"));
    assert_isolated(&batches[1]);
    assert_int_equal(batches[1].err.code, ERR_OK);
    assert_int_equal(batches[2].err.code, ERR_INTERNAL); /* no zone id */
    for (size_t i = 0; i < 3; i++)
        batch_done(&batches[i]);
    scene_done(&s);
}

TEST(a_lost_answer_concerns_its_zone_alone)
{
    struct scene s;
    struct dme_batch batches[2] = {batch_of(1, 1, NULL), batch_of(2, 1, NULL)};

    scene_init(&s);
    for (size_t i = 0; i < 2; i++)
        fake_http_expect(s.f.http, &(struct fake_exchange){.method = "POST",
                                                           .body = GOOD_BODY,
                                                           .fail = i ? ERR_NETWORK : ERR_TLS,
                                                           .may_have_acted = i == 1});
    assert_int_equal(create(&s, batches, 2), ERR_OK);
    assert_int_equal(batches[0].err.code, ERR_TLS); /* final */
    assert_false(batches[0].has_lost_answer || batches[0].records[0].may_exist);
    assert_int_equal(batches[1].err.code, ERR_OK);
    assert_true(batches[1].has_lost_answer && batches[1].records[0].may_exist);
    batch_done(&batches[0]);
    batch_done(&batches[1]);
    scene_done(&s);
}

static void interrupt(void *context, const struct fake_seen *request, size_t index, struct fake_exchange *answer)
{
    struct scene *s = context;

    answer_picky(&s->api, request, index, answer);
    s->f.clock.cancelled = index == 7;
}

TEST(an_interruption_ends_all_and_keeps_what_was_made)
{
    struct scene s;
    struct dme_batch batches[10];

    scene_init(&s);
    s.f.http->handler = interrupt;
    s.f.http->handler_context = &s;
    for (size_t i = 0; i < ARRAY_LEN(batches); i++)
        batches[i] = batch_of((int64_t)i + 1, 1, NULL);
    assert_error(&s.f, create(&s, batches, ARRAY_LEN(batches)), ERR_CANCELLED, "interrupted", NULL);
    for (size_t i = 0; i < ARRAY_LEN(batches); i++) {
        assert_int_equal(batches[i].records[0].id > 0, i < 8);
        assert_int_equal(batches[i].err.code, i < 8 ? ERR_OK : ERR_CANCELLED);
        batch_done(&batches[i]);
    }
    scene_done(&s);
}

/* ------------------------------------------------------------------ deleting */

TEST(deletions_of_all_zones_go_side_by_side)
{
    struct scene s;
    struct dme_batch batches[3] = {batch_of(1, 3, NULL), batch_of(2, 1, NULL), batch_of(3, 201, NULL)};

    scene_init(&s);
    s.api.gone_zone = 2;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < batches[i].count; k++)
            batches[i].records[k].id = (int64_t)(1000 * i + k + 1);
    assert_int_equal(dme_batches_delete(s.f.dme, batches, 3, &s.f.err), ERR_OK);
    assert_int_equal(s.f.http->seen_count, 4);
    assert_int_equal(s.f.http->widest, 4);
    assert_string_equal(s.f.http->seen[0].url, FIXTURE_ROOT "/dns/managed/1/records?ids=1&ids=2&ids=3");
    assert_string_equal(s.f.http->seen[1].url, FIXTURE_ROOT "/dns/managed/2/records/1001");
    assert_string_equal(s.f.http->seen[3].url, FIXTURE_ROOT "/dns/managed/3/records/2201");
    assert_string_equal(s.api.method, "DELETE");
    assert_int_equal(batches[0].err.code, ERR_OK);
    assert_int_equal(batches[1].err.code, ERR_NOT_FOUND);
    assert_int_equal(batches[1].records[0].err.code, ERR_NOT_FOUND);
    assert_int_equal(batches[2].err.code, ERR_OK);
    for (size_t i = 0; i < 3; i++)
        batch_done(&batches[i]);
    scene_done(&s);
}

TEST(one_batch_without_an_id_and_nothing_is_deleted)
{
    for (size_t i = 0; i < 2; i++) {
        struct scene s;
        struct dme_batch batches[2] = {batch_of(1, 1, NULL), batch_of(2, i, NULL)};

        scene_init(&s);
        batches[0].records[0].id = 7;
        assert_error(&s.f, dme_batches_delete(s.f.dme, batches, 2, &s.f.err), ERR_INTERNAL, "refused to delete", NULL);
        assert_int_equal(s.f.http->seen_count, 0);
        batch_done(&batches[0]);
        batch_done(&batches[1]);
        scene_done(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_zones_are_ten_requests_side_by_side),
        cmocka_unit_test(each_request_of_a_round_is_signed_and_so_is_each_attempt),
        cmocka_unit_test(a_bad_record_fails_alone_at_two_requests_a_halving),
        cmocka_unit_test(a_zone_whose_records_are_all_refused_does_not_use_the_budget_up),
        cmocka_unit_test(what_can_not_be_sent_at_all_does_not_keep_the_others_back),
        cmocka_unit_test(a_zone_that_is_gone_fails_alone),
        cmocka_unit_test(a_lost_answer_concerns_its_zone_alone),
        cmocka_unit_test(an_interruption_ends_all_and_keeps_what_was_made),
        cmocka_unit_test(deletions_of_all_zones_go_side_by_side),
        cmocka_unit_test(one_batch_without_an_id_and_nothing_is_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
