/* SPDX-License-Identifier: MIT */
#include "dme_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "test.h"

void dme_fixture_init(struct dme_fixture *f)
{
    *f = (struct dme_fixture){.said = {.out = NULL}};
    fake_clock_init(&f->clock);
    f->http = fake_http_new(&f->clock, FIXTURE_ROOT);
    f->key = secret_new(FIXTURE_KEY, strlen(FIXTURE_KEY));
    f->secret = secret_new(FIXTURE_SECRET, strlen(FIXTURE_SECRET));
    fixture_stream_open(&f->said);
    f->log = (struct log){.level = LOG_DEBUG, .out = f->said.out};
    assert_non_null(f->log.out);
    f->dme = dme_new(&(struct dme_opts){
        .endpoint = FIXTURE_ROOT "/",
        .api_key = f->key,
        .api_secret = f->secret,
        .clock_advice = FIXTURE_CLOCK_ADVICE,
        .http = fake_http_base(f->http),
        .clock = &f->clock.base,
        .log = &f->log,
        .request_timeout_ms = 10000,
        .give_up_after_ms = 60000,
        .budget_wait_ms = 900000,
    });
}

const char *dme_fixture_log(struct dme_fixture *f)
{
    return fixture_stream_text(&f->said);
}

void dme_fixture_done(struct dme_fixture *f)
{
    assert_null(strstr(fixture_stream_text(&f->said), FIXTURE_SECRET));
    assert_null(strstr(fixture_stream_text(&f->said), FIXTURE_KEY));
    fixture_stream_done(&f->said);
    dme_free(f->dme);
    secret_free(f->key);
    secret_free(f->secret);
    fake_http_done(f->http);
}

void expect(struct dme_fixture *f, const char *method, const char *url, const char *body, long status,
            const char *answer)
{
    fake_http_expect(f->http, &(struct fake_exchange){
                                  .method = method, .url = url, .body = body, .status = status, .answer = answer});
}

void expect_get(struct dme_fixture *f, const char *url, const char *answer)
{
    expect(f, "GET", url, NULL, 200, answer);
}

void expect_lost(struct dme_fixture *f, const char *method, const char *url, const char *body)
{
    fake_http_expect(f->http,
                     &(struct fake_exchange){
                         .method = method, .url = url, .body = body, .fail = ERR_NETWORK, .may_have_acted = true});
}

static enum err_code outcome(struct dme_fixture *f, enum err_code code, const struct dme_batch *batch)
{
    if (code != ERR_OK || batch->err.code == ERR_OK)
        return code;
    f->err = batch->err;
    return batch->err.code;
}

enum err_code dme_fixture_create(struct dme_fixture *f, int64_t zone_id, struct dme_record *records, size_t count)
{
    struct dme_batch batch = {.zone_id = zone_id, .records = records, .count = count};
    enum err_code code = dme_batches_create(f->dme, &batch, 1, 60, &f->err);

    f->has_lost_answer = batch.has_lost_answer;
    return outcome(f, code, &batch);
}

enum err_code dme_fixture_delete(struct dme_fixture *f, int64_t zone_id, const int64_t *ids, size_t count)
{
    struct dme_record *records = mem_calloc(count, sizeof *records);
    struct dme_batch batch = {.zone_id = zone_id, .records = records, .count = count};
    enum err_code code;

    for (size_t i = 0; i < count; i++)
        records[i].id = ids[i];
    code = outcome(f, dme_batches_delete(f->dme, &batch, 1, &f->err), &batch);
    free(records);
    return code;
}

void assert_error(const struct dme_fixture *f, enum err_code got, enum err_code want, const char *in_msg,
                  const char *in_hint)
{
    assert_int_equal(got, want);
    assert_int_equal(f->err.code, want);
    if (in_msg && !strstr(f->err.msg, in_msg))
        fail_msg("\"%s\" is not in message \"%s\"", in_msg, f->err.msg);
    if (in_hint && !strstr(f->err.hint, in_hint))
        fail_msg("\"%s\" is not in hint \"%s\"", in_hint, f->err.hint);
    assert_null(strstr(f->err.msg, FIXTURE_SECRET));
    assert_null(strstr(f->err.msg, FIXTURE_KEY));
    assert_null(strstr(f->err.hint, FIXTURE_KEY));
}
