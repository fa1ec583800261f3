/* SPDX-License-Identifier: MIT
 *
 * Creating TXT records, those of all zones side by side, in rounds.
 *
 *   1. Those of a zone that are to be made go out in one request: POST records/ for one, createMulti for up to 200.
 *   2. Made: ids are taken from the answer, by name and value, never by position.  An id that is missing there is
 *      looked up.
 *   3. "Exists already": some of them do, perhaps made by an attempt of ours whose answer was lost.  Look all up and
 *      begin again with the rest; if that is refused as well, make the rest one by one.
 *   4. Refused otherwise: createMulti makes all or none, so that one that the API does not like keeps the others from
 *      being made.  Begin again with each half, until those that are refused stand alone.
 */
#include "dme/dme.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dme/answer.h"
#include "dme/record.h"
#include "util/text.h"

#define BODY_MAX (4u * 1024 * 1024)
#define REFUSALS_MAX 15 /* of a zone's requests in a row: then it is not about single records */

static const char *shown(const struct dme_record *record)
{
    return record->shown ? record->shown : record->name;
}

/* One request. */
struct job {
    struct dme_batch *batch;
    unsigned *refusals; /* in a row, of the batch */
    struct dme_pick pick;
    bool is_rest; /* of one that was refused since some exist */
    char *what;
    struct buf path;
    struct buf body;
};

struct jobs {
    struct job *items;
    size_t count;
};

struct creation {
    struct dme *dme;
    uint32_t ttl_s;
    struct jobs jobs; /* of the next round */
};

static void jobs_done(struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        dme_pick_done(&jobs->items[i].pick);
        free(jobs->items[i].what);
        buf_done(&jobs->items[i].path);
        buf_done(&jobs->items[i].body);
    }
    free(jobs->items);
    *jobs = (struct jobs){NULL, 0};
}

/* A job for `count` of the records of another, or of a batch. */
static void add_job(struct creation *c, const struct job *like, struct dme_record *const *items, size_t count)
{
    struct job job = {.batch = like->batch, .refusals = like->refusals, .is_rest = like->is_rest};

    if (count == 0)
        return;
    job.pick.items = mem_calloc(count, sizeof(struct dme_record *));
    memcpy(job.pick.items, items, count * sizeof(struct dme_record *));
    job.pick.count = count;
    job.path = BUF_INIT(256);
    job.body = BUF_INIT(BODY_MAX);
    c->jobs.items = mem_grow(c->jobs.items, c->jobs.count, sizeof *c->jobs.items);
    c->jobs.items[c->jobs.count++] = job;
}

static void add_singly(struct creation *c, const struct job *like, const struct dme_pick *pick)
{
    for (size_t i = 0; i < pick->count; i++)
        add_job(c, like, &pick->items[i], 1);
}

/* Those of a pick that have no id yet fail. */
static void fail_rest(const struct dme_pick *pick, const struct err *why)
{
    for (size_t i = 0; i < pick->count; i++)
        if (pick->items[i]->id == 0 && pick->items[i]->err.code == ERR_OK)
            pick->items[i]->err = *why;
}

/* ------------------------------------------------------------------ the request */

/* NULL: name or value is not UTF-8, which is refused before a job is made of it. */
static json_t *record_to_json(const struct dme_record *record, uint32_t ttl_s)
{
    /* gtdLocation is left out: the API fills in DEFAULT and refuses "".  The API adds the quotes of the value. */
    return json_pack("{s:s, s:s, s:s, s:I}", "name", record->name, "type", "TXT", "value", record->value, "ttl",
                     (json_int_t)ttl_s);
}

static enum err_code body_for(uint32_t ttl_s, const struct dme_pick *pick, struct buf *out, struct err *err)
{
    json_t *list AUTO_JSON = json_array();

    for (size_t i = 0; i < pick->count; i++)
        (void)json_array_append_new(list, record_to_json(pick->items[i], ttl_s));
    json_write(pick->count == 1 ? json_array_get(list, 0) : list, out);
    if (!buf_ok(out) || json_array_size(list) != pick->count)
        return err_set(err, ERR_INPUT, "could not create TXT records: names and values are too long");
    return ERR_OK;
}

/* The call of a job, which borrows from it. */
static enum err_code make_call(const struct creation *c, struct job *job, struct dme_call *out, struct err *err)
{
    const struct dme_pick *pick = &job->pick;
    const char *first = shown(pick->items[0]);
    enum err_code code = body_for(c->ttl_s, pick, &job->body, err);

    if (code != ERR_OK)
        return code;
    job->what = pick->count == 1 ? mem_printf("create TXT record \"%s\"", first)
                                 : mem_printf("create TXT record \"%s\" and %zu more", first, pick->count - 1);
    buf_printf(&job->path, "/dns/managed/%" PRId64 "/records/%s", job->batch->zone_id,
               pick->count == 1 ? "" : "createMulti");
    *out = (struct dme_call){.method = "POST",
                             .path = buf_cstr(&job->path),
                             .body = buf_cstr(&job->body),
                             .what = job->what,
                             .expect = DME_EXPECT_ANY};
    return ERR_OK;
}

/* ------------------------------------------------------------------ the answer */

/* Ids from the answer, as far as it is what we expect.  That the records were made is said by the status; what is
 * missing here is looked up. */
static void ids_from_answer(const json_t *json, const struct dme_pick *pick)
{
    json_t *list AUTO_JSON = json_is_object(json) ? json_pack("[O]", json) : NULL;
    enum err_code code = dme_answer_match(list ? list : json, pick->items, pick->count, NULL);

    (void)code; /* what it could not read has no id */
}

static enum err_code look_up(const struct creation *c, const struct job *job, struct err *err)
{
    enum err_code code = dme_record_lookup(c->dme, job->batch->zone_id, &job->pick, err);

    if (code != ERR_OK && err)
        fail_rest(&job->pick, err);
    return code;
}

static void fail_unlisted(const struct dme_pick *pick)
{
    for (size_t i = 0; i < pick->count; i++)
        if (pick->items[i]->id == 0)
            (void)err_set(&pick->items[i]->err, ERR_API,
                          "could not create TXT record \"%s\": DNS Made Easy says that it was created, but does not "
                          "list it",
                          shown(pick->items[i]));
}

/* Step 2. */
static enum err_code take_made(const struct creation *c, const struct job *job, const json_t *json, struct err *err)
{
    enum err_code code;

    *job->refusals = 0;
    ids_from_answer(json, &job->pick);
    if (dme_pick_is_complete(&job->pick))
        return ERR_OK;
    code = look_up(c, job, err);
    if (code == ERR_OK)
        fail_unlisted(&job->pick);
    return code;
}

static void fail_hidden(struct dme_record *record)
{
    (void)err_set(&record->err, ERR_API,
                  "could not create TXT record \"%s\": DNS Made Easy says that it exists, but does not list it as a "
                  "record of the zone",
                  shown(record));
    err_hint(&record->err, "It may come from a template or belong to another Global Traffic Director location: remove "
                           "it there in the control panel of DNS Made Easy.");
}

/* Step 3. */
static enum err_code take_existing(struct creation *c, struct job *job, struct err *err)
{
    struct dme_pick rest AUTO_DME_PICK = {NULL, 0};
    enum err_code code;

    if (job->is_rest && job->pick.count > 1) {
        add_singly(c, job, &job->pick);
        return ERR_OK;
    }
    code = look_up(c, job, err);
    if (code != ERR_OK || dme_pick_is_complete(&job->pick))
        return code;
    if (job->pick.count == 1) {
        fail_hidden(job->pick.items[0]);
        return ERR_OK;
    }
    for (size_t i = 0; i < job->pick.count; i++)
        dme_pick_missing(&rest, job->pick.items[i], 1);
    /* With none of them found, the same request would only be refused again. */
    if (rest.count == job->pick.count) {
        add_singly(c, job, &rest);
    } else {
        job->is_rest = true;
        add_job(c, job, rest.items, rest.count);
    }
    return ERR_OK;
}

/* Step 4. */
static void take_refused(struct creation *c, const struct job *job, const struct err *why)
{
    size_t half = job->pick.count / 2;

    if (++*job->refusals > REFUSALS_MAX || half == 0) {
        fail_rest(&job->pick, why);
        return;
    }
    add_job(c, job, job->pick.items, half);
    add_job(c, job, job->pick.items + half, job->pick.count - half);
}

static bool is_refusal(const struct dme_call *call)
{
    return call->err.code == ERR_API && call->status >= 400 && call->status < 500;
}

/* That createMulti makes all or none has been seen by others, and is promised nowhere: what it refused is not taken as
 * certainly absent. */
static void note_unclear(const struct job *job, const struct dme_call *call)
{
    bool may_exist = call->may_have_acted || (call->err.code == ERR_API && job->pick.count > 1);

    for (size_t i = 0; may_exist && i < job->pick.count; i++)
        job->pick.items[i]->may_exist = true;
    job->batch->has_lost_answer |= call->has_lost_answer;
}

/* Errors: those of look-ups. */
static enum err_code take_answer(struct creation *c, struct job *job, const struct dme_call *call, struct err *err)
{
    struct err why = call->err;

    note_unclear(job, call);
    if (why.code == ERR_OK)
        return take_made(c, job, call->json, err);
    if (why.code == ERR_EXISTS)
        return take_existing(c, job, err);
    if (why.code == ERR_NOT_FOUND)
        (void)dme_record_zone_gone(job->batch->zone_id, &why);
    if (is_refusal(call) && job->pick.count > 1)
        take_refused(c, job, &why);
    else
        fail_rest(&job->pick, &why);
    return ERR_OK;
}

/* ------------------------------------------------------------------ rounds */

struct round {
    struct jobs jobs;
    struct dme_call *calls; /* one a job */
};

static void round_done(struct round *round)
{
    for (size_t i = 0; i < round->jobs.count; i++)
        dme_call_done(&round->calls[i]);
    free(round->calls);
    jobs_done(&round->jobs);
}

static bool ends_everything(enum err_code code)
{
    return code == ERR_CANCELLED || code == ERR_INTERNAL;
}

static enum err_code send_round(const struct creation *c, struct round *round, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < round->jobs.count; i++)
        code = make_call(c, &round->jobs.items[i], &round->calls[i], err);
    return code == ERR_OK ? dme_calls_perform(c->dme, round->calls, round->jobs.count, err) : code;
}

static enum err_code take_answers(struct creation *c, struct round *round, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < round->jobs.count; i++) {
        struct err why = {.code = ERR_OK};

        if (code != ERR_OK) {
            note_unclear(&round->jobs.items[i], &round->calls[i]);
            continue;
        }
        if (!ends_everything(take_answer(c, &round->jobs.items[i], &round->calls[i], &why)))
            continue;
        code = why.code;
        if (err)
            *err = why;
    }
    return code;
}

static enum err_code perform_round(struct creation *c, struct err *err)
{
    struct round round AUTO(round_done) = {.jobs = c->jobs};
    enum err_code code;

    c->jobs = (struct jobs){NULL, 0};
    round.calls = mem_calloc(round.jobs.count, sizeof *round.calls);
    code = send_round(c, &round, err);
    if (code == ERR_OK)
        return take_answers(c, &round, err);
    for (size_t i = 0; i < round.jobs.count; i++) {
        struct job *job = &round.jobs.items[i];

        note_unclear(job, &round.calls[i]);
        if (round.calls[i].method && round.calls[i].err.code == ERR_OK)
            ids_from_answer(round.calls[i].json, &job->pick);
    }
    return code;
}

/* ------------------------------------------------------------------ whole */

static enum err_code check_record(const struct dme_record *record, uint32_t ttl_s, struct err *err)
{
    json_t *json AUTO_JSON = record_to_json(record, ttl_s);

    if (!*record->value)
        return err_set(err, ERR_INPUT, "could not create TXT record \"%s\": its value is empty", shown(record));
    if (strchr(record->value, '"'))
        return err_set(err, ERR_INPUT,
                       "could not create TXT record \"%s\": DNS Made Easy can't store a value with a quote in it",
                       shown(record));
    if (!json)
        return err_set(err, ERR_INPUT, "could not create TXT record \"%s\": name or value is not UTF-8", shown(record));
    return ERR_OK;
}

static void begin(struct creation *c, struct dme_batch *batch, unsigned *refusals, struct dme_pick *all)
{
    const struct job like = {.batch = batch, .refusals = refusals};
    struct err bad_zone = {.code = ERR_OK};
    bool is_zone = dme_record_check_zone(batch->zone_id, &bad_zone) == ERR_OK;

    batch->has_lost_answer = false;
    err_init(&batch->err);
    for (size_t i = 0; i < batch->count; i++) {
        struct dme_record *record = &batch->records[i];

        record->id = 0;
        record->may_exist = false;
        record->err = bad_zone;
        if (is_zone && check_record(record, c->ttl_s, &record->err) == ERR_OK)
            dme_pick_missing(all, record, 1);
    }
    for (size_t done = 0; done < all->count; done += DME_RECORDS_A_REQUEST)
        add_job(c, &like, all->items + done,
                all->count - done < DME_RECORDS_A_REQUEST ? all->count - done : DME_RECORDS_A_REQUEST);
}

/* Records that the caller named twice were made once. */
static void share(struct dme_record *record, const struct dme_pick *made)
{
    for (size_t i = 0; i < made->count; i++) {
        if (made->items[i] == record || !dme_record_is_same(record, made->items[i]))
            continue;
        record->id = made->items[i]->id;
        record->may_exist = made->items[i]->may_exist;
        record->err = made->items[i]->err;
    }
}

/* `why`: what has ended everything; ERR_OK: nothing has. */
static void end(struct dme_batch *batch, const struct dme_pick *made, const struct err *why)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct dme_record *record = &batch->records[i];

        if (record->id == 0 && record->err.code == ERR_OK)
            share(record, made);
        if (record->id == 0 && record->err.code == ERR_OK)
            record->err = *why;
        if (batch->err.code == ERR_OK)
            batch->err = record->err;
    }
}

enum err_code dme_batches_create(struct dme *dme, struct dme_batch *batches, size_t count, uint32_t ttl_s,
                                 struct err *err)
{
    struct creation c = {.dme = dme, .ttl_s = ttl_s};
    unsigned *refusals AUTO_FREE = mem_calloc(count, sizeof *refusals);
    struct dme_pick *made AUTO_FREE = mem_calloc(count, sizeof *made);
    struct err why = {.code = ERR_OK};

    dme_begin(dme);
    for (size_t i = 0; i < count; i++)
        begin(&c, &batches[i], &refusals[i], &made[i]);
    while (c.jobs.count > 0 && why.code == ERR_OK)
        (void)!perform_round(&c, &why);
    jobs_done(&c.jobs);
    for (size_t i = 0; i < count; i++) {
        end(&batches[i], &made[i], &why);
        dme_pick_done(&made[i]);
    }
    if (why.code != ERR_OK && err)
        *err = why;
    return why.code;
}
