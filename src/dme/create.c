/* SPDX-License-Identifier: MIT
 *
 * Creating TXT records.
 *
 *   1. Those that are to be made go out in one request: POST records/ for one, createMulti for up to 200.
 *   2. Made: ids are taken from the answer, by name and value, never by position.  An id that is missing there is
 *      looked up.
 *   3. "Exists already": some of them do, perhaps made by an attempt of ours whose answer was lost.  Look all up and
 *      begin again with the rest; if that is refused as well, make the rest one by one.
 */
#include "dme/dme.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dme/answer.h"
#include "dme/record.h"
#include "util/text.h"

#define CREATE_CHUNK 200 /* other clients found that there is a maximum, and use this */
#define BODY_MAX (4u * 1024 * 1024)

static const char *shown(const struct dme_record *record)
{
    return record->shown ? record->shown : record->name;
}

struct creation {
    struct dme *dme;
    int64_t zone_id;
    uint32_t ttl_s;
};

/* ------------------------------------------------------------------ the request */

static enum err_code record_to_json(const struct dme_record *record, uint32_t ttl_s, json_t **out, struct err *err)
{
    /* gtdLocation is left out: the API fills in DEFAULT and refuses "".  The API adds the quotes of the value. */
    json_t *json = json_pack("{s:s, s:s, s:s, s:I}", "name", record->name, "type", "TXT", "value", record->value, "ttl",
                             (json_int_t)ttl_s);

    if (!json)
        return err_set(err, ERR_INPUT, "could not create TXT record \"%s\": name or value is not UTF-8", shown(record));
    *out = json;
    return ERR_OK;
}

static enum err_code body_for(const struct creation *c, const struct dme_pick *pick, struct buf *out, struct err *err)
{
    json_t *list AUTO_JSON = json_array();

    for (size_t i = 0; i < pick->count; i++) {
        json_t *item = NULL;
        enum err_code code = record_to_json(pick->items[i], c->ttl_s, &item, err);

        if (code != ERR_OK)
            return code;
        (void)json_array_append_new(list, item);
    }
    json_write(pick->count == 1 ? json_array_get(list, 0) : list, out);
    if (!buf_ok(out) || json_array_size(list) != pick->count)
        return err_set(err, ERR_INPUT, "could not create TXT records: names and values are too long");
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

static const struct dme_record *first_missing(const struct dme_pick *pick)
{
    for (size_t i = 0; i < pick->count; i++)
        if (pick->items[i]->id == 0)
            return pick->items[i];
    return NULL;
}

static enum err_code complete_ids(const struct creation *c, const struct dme_pick *pick, struct err *err)
{
    const struct dme_record *missing;
    enum err_code code;

    if (!first_missing(pick))
        return ERR_OK;
    code = dme_record_lookup(c->dme, c->zone_id, pick, err);
    if (code != ERR_OK)
        return code;
    missing = first_missing(pick);
    if (!missing)
        return ERR_OK;
    return err_set(err, ERR_API,
                   "could not create TXT record \"%s\": DNS Made Easy says that it was created, but does not list it",
                   shown(missing));
}

/* ------------------------------------------------------------------ the procedure */

/* Steps 1 and 2.  ERR_EXISTS: nothing was made. */
static enum err_code post(const struct creation *c, const struct dme_pick *pick, struct err *err)
{
    struct buf path AUTO_BUF = BUF_INIT(256);
    struct buf body AUTO_BUF = BUF_INIT(BODY_MAX);
    json_t *json AUTO_JSON = NULL;
    const char *first = shown(pick->items[0]);
    char *what AUTO_FREE = pick->count == 1
                               ? mem_printf("create TXT record \"%s\"", first)
                               : mem_printf("create TXT record \"%s\" and %zu more", first, pick->count - 1);
    struct dme_call call = {.method = "POST", .what = what, .expect = DME_EXPECT_ANY};
    enum err_code code = body_for(c, pick, &body, err);

    if (code != ERR_OK)
        return code;
    buf_printf(&path, "/dns/managed/%" PRId64 "/records/%s", c->zone_id, pick->count == 1 ? "" : "createMulti");
    call.path = buf_cstr(&path);
    call.body = buf_cstr(&body);
    code = dme_call_perform(c->dme, &call, &json, err);
    /* That it makes all or none has been seen by others, and is promised nowhere: what it refused is not taken as
     * certainly absent. */
    if (code == ERR_API && pick->count > 1)
        c->dme->unclear_posts++;
    if (code == ERR_NOT_FOUND)
        return dme_record_zone_gone(c->zone_id, err);
    if (code != ERR_OK)
        return code;
    ids_from_answer(json, pick);
    return complete_ids(c, pick, err);
}

static void pick_rest(const struct dme_pick *from, struct dme_pick *out)
{
    for (size_t i = 0; i < from->count; i++)
        dme_pick_missing(out, from->items[i], 1);
}

static enum err_code fail_unlisted(const struct dme_record *record, struct err *err)
{
    enum err_code code = err_set(err, ERR_API,
                                 "could not create TXT record \"%s\": DNS Made Easy says that it exists, but "
                                 "does not list it as a record of the zone",
                                 shown(record));

    err_hint(err, "It may come from a template or belong to another Global Traffic Director location: remove it there "
                  "in the control panel of DNS Made Easy.");
    return code;
}

/* One record, steps 1 to 3. */
static enum err_code create_one(const struct creation *c, struct dme_record *record, struct err *err)
{
    const struct dme_pick pick = {&record, 1};
    enum err_code code = post(c, &pick, err);

    if (code != ERR_EXISTS)
        return code;
    code = dme_record_lookup(c->dme, c->zone_id, &pick, err);
    if (code != ERR_OK)
        return code;
    return record->id ? ERR_OK : fail_unlisted(record, err);
}

static enum err_code create_singly(const struct creation *c, const struct dme_pick *pick, struct err *err)
{
    for (size_t i = 0; i < pick->count; i++) {
        enum err_code code = create_one(c, pick->items[i], err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

/* At most CREATE_CHUNK records, steps 1 to 3. */
static enum err_code create_chunk(const struct creation *c, const struct dme_pick *pick, struct err *err)
{
    struct dme_pick rest AUTO_DME_PICK = {NULL, 0};
    enum err_code code;

    if (pick->count == 1)
        return create_one(c, pick->items[0], err);
    code = post(c, pick, err);
    if (code != ERR_EXISTS)
        return code;
    code = dme_record_lookup(c->dme, c->zone_id, pick, err);
    if (code != ERR_OK)
        return code;
    pick_rest(pick, &rest);
    /* With none of them found, the same request would only be refused again. */
    if (rest.count < 2 || rest.count == pick->count)
        return create_singly(c, &rest, err);
    code = post(c, &rest, err);
    return code == ERR_EXISTS ? create_singly(c, &rest, err) : code;
}

/* Records that the caller named twice were made once. */
static void share_ids(struct dme_record *records, size_t count, const struct dme_pick *made)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; records[i].id == 0 && j < made->count; j++)
            if (dme_record_is_same(&records[i], made->items[j]))
                records[i].id = made->items[j]->id;
}

static enum err_code check(const struct dme_record *records, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!*records[i].value)
            return err_set(err, ERR_INPUT, "could not create TXT record \"%s\": its value is empty",
                           shown(&records[i]));
        if (strchr(records[i].value, '"'))
            return err_set(err, ERR_INPUT,
                           "could not create TXT record \"%s\": DNS Made Easy can't store a value with a quote in it",
                           shown(&records[i]));
    }
    return ERR_OK;
}

enum err_code dme_records_create(struct dme *dme, int64_t zone_id, struct dme_record *records, size_t count,
                                 uint32_t ttl_s, struct err *err)
{
    const struct creation creation = {dme, zone_id, ttl_s};
    struct dme_pick all AUTO_DME_PICK = {NULL, 0};
    uint64_t unclear_before = dme->unclear_posts;
    enum err_code code = dme_record_check_zone(zone_id, err);

    dme_begin(dme);
    dme->has_lost_answer = false;
    if (code == ERR_OK)
        code = check(records, count, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < count; i++) {
        records[i].id = 0;
        records[i].may_exist = false;
    }
    dme_pick_missing(&all, records, count);
    for (size_t done = 0; code == ERR_OK && done < all.count; done += CREATE_CHUNK) {
        size_t left = all.count - done;
        const struct dme_pick chunk = {all.items + done, left < CREATE_CHUNK ? left : CREATE_CHUNK};

        code = create_chunk(&creation, &chunk, err);
    }
    share_ids(records, count, &all);
    for (size_t i = 0; i < count; i++)
        records[i].may_exist = dme->unclear_posts > unclear_before;
    return code;
}

bool dme_has_lost_answer(const struct dme *dme)
{
    return dme->has_lost_answer;
}
