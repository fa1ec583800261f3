/* SPDX-License-Identifier: MIT
 *
 * Finding.  The API's recordName filter has never been shown to be exact, so whatever it returns is matched again here,
 * by name and value.
 */
#include "dme/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dme/answer.h"
#include "util/text.h"

#define PAGES_MAX 50         /* a third of the request budget */
#define NAMES_ASKED_SINGLY 2 /* more names than that: one request for all TXT records of the zone is cheaper */
#define PATH_MAX_BYTES 8192

/* ------------------------------------------------------------------ picking */

void dme_pick_done(struct dme_pick *pick)
{
    free(pick->items);
    *pick = (struct dme_pick){NULL, 0};
}

bool dme_record_is_same(const struct dme_record *a, const struct dme_record *b)
{
    return strcmp(a->value, b->value) == 0 && text_casecmp(a->name, b->name) == 0;
}

static void pick_add(struct dme_pick *pick, struct dme_record *record)
{
    pick->items = mem_grow(pick->items, pick->count, sizeof *pick->items);
    pick->items[pick->count++] = record;
}

void dme_pick_missing(struct dme_pick *pick, struct dme_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_new = records[i].id == 0;

        for (size_t j = 0; is_new && j < pick->count; j++)
            is_new = !dme_record_is_same(pick->items[j], &records[i]);
        if (is_new)
            pick_add(pick, &records[i]);
    }
}

bool dme_pick_is_complete(const struct dme_pick *pick)
{
    for (size_t i = 0; i < pick->count; i++)
        if (pick->items[i]->id == 0)
            return false;
    return true;
}

enum err_code dme_record_check_zone(int64_t zone_id, struct err *err)
{
    return zone_id > 0 ? ERR_OK : err_set(err, ERR_INTERNAL, "%" PRId64 " is no zone id", zone_id);
}

enum err_code dme_record_zone_gone(int64_t zone_id, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "this DNS Made Easy account has no zone with id %" PRId64, zone_id);
}

/* ------------------------------------------------------------------ finding */

/* One list request; `name` NULL: TXT records of the whole zone. */
struct query {
    int64_t zone_id;
    const char *name;
    const struct dme_pick *wanted;
};

static enum err_code get_page(struct dme *dme, const struct query *query, int64_t page, json_t **out_json,
                              struct dme_page *out, struct err *err)
{
    struct buf path AUTO_BUF = BUF_INIT(PATH_MAX_BYTES);
    json_t *json AUTO_JSON = NULL;
    enum err_code code;

    buf_printf(&path, "/dns/managed/%" PRId64 "/records?type=TXT", query->zone_id);
    if (query->name) {
        buf_puts(&path, "&recordName=");
        buf_put_urlencoded(&path, query->name);
    }
    if (page >= 0)
        buf_printf(&path, "&page=%" PRId64, page);
    if (!buf_ok(&path))
        return err_set(err, ERR_INPUT, "could not look up TXT records: the name is too long");
    code = dme_call_perform(
        dme, &(struct dme_call){.method = "GET", .path = buf_cstr(&path), .what = "look up TXT records"}, &json, err);
    if (code == ERR_NOT_FOUND)
        return dme_record_zone_gone(query->zone_id, err);
    if (code != ERR_OK)
        return code;
    code = dme_answer_page(json, out, err);
    if (code == ERR_OK)
        code = dme_answer_match(out->items, query->wanted->items, query->wanted->count, err);
    if (code != ERR_OK)
        return err_prefix(err, code, "could not look up TXT records");
    *out_json = json;
    json = NULL;
    return ERR_OK;
}

/* Pages that were read, by the id they begin with. */
struct pages_seen {
    int64_t first_ids[PAGES_MAX];
    size_t count;
};

static bool is_fresh(struct pages_seen *seen, const struct dme_page *page)
{
    if (page->first_id == 0)
        return false;
    for (size_t i = 0; i < seen->count; i++)
        if (seen->first_ids[i] == page->first_id)
            return false;
    if (seen->count < PAGES_MAX)
        seen->first_ids[seen->count++] = page->first_id;
    return true;
}

/* A record that stands on a page that was not read must not pass for one that does not exist: its journal entry would
 * be struck out. */
static enum err_code fail_incomplete(const struct query *query, const struct dme_page *first, size_t read,
                                     struct err *err)
{
    return err_set(err, ERR_API,
                   "could not look up TXT records: of %" PRId64 " pages of zone %" PRId64 " only %zu could be read",
                   first->total_pages, query->zone_id, read);
}

/* All records come in one page unless paging was asked for, so says the API's support; this is for the day when they
 * don't.  Whether pages count from 0 or from 1 is not known: go on from the number that the first page bears, and
 * forgive one page that brings nothing new.  An empty page is the end: records were deleted since. */
static enum err_code find_all_pages(struct dme *dme, const struct query *query, struct err *err)
{
    json_t *json AUTO_JSON = NULL;
    struct pages_seen seen = {.count = 0};
    struct dme_page first;
    unsigned stale = 0;
    enum err_code code = get_page(dme, query, -1, &json, &first, err);

    if (code != ERR_OK)
        return code;
    if (!is_fresh(&seen, &first)) /* empty */
        return ERR_OK;
    for (int64_t n = first.page + 1; (int64_t)seen.count < first.total_pages && !dme_pick_is_complete(query->wanted);
         n++) {
        json_t *more AUTO_JSON = NULL;
        struct dme_page page;

        if (stale > 1 || n > first.page + PAGES_MAX)
            return fail_incomplete(query, &first, seen.count, err);
        code = get_page(dme, query, n, &more, &page, err);
        if (code != ERR_OK || json_array_size(page.items) == 0)
            return code;
        stale = is_fresh(&seen, &page) ? 0 : stale + 1;
    }
    return ERR_OK;
}

/* Distinct names among those that have no id yet, in the order of appearance. */
static void distinct_names(const struct dme_pick *wanted, struct strlist *out)
{
    for (size_t i = 0; i < wanted->count; i++) {
        bool is_new = wanted->items[i]->id == 0;

        for (size_t j = 0; is_new && j < out->count; j++)
            is_new = text_casecmp(out->items[j], wanted->items[i]->name) != 0;
        if (is_new)
            strlist_add(out, wanted->items[i]->name);
    }
}

enum err_code dme_record_lookup(struct dme *dme, int64_t zone_id, const struct dme_pick *wanted, struct err *err)
{
    struct strlist names AUTO_STRLIST = {NULL, 0};
    struct query query = {.zone_id = zone_id, .wanted = wanted};

    distinct_names(wanted, &names);
    if (names.count > NAMES_ASKED_SINGLY)
        return find_all_pages(dme, &query, err);
    for (size_t i = 0; i < names.count; i++) {
        enum err_code code;

        /* What an empty recordName selects is not documented; without it the zone's apex is surely there. */
        query.name = *names.items[i] ? names.items[i] : NULL;
        code = find_all_pages(dme, &query, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code dme_records_find(struct dme *dme, int64_t zone_id, struct dme_record *records, size_t count,
                               struct err *err)
{
    struct dme_pick wanted AUTO_DME_PICK = {NULL, 0};
    enum err_code code = dme_record_check_zone(zone_id, err);

    if (code != ERR_OK)
        return code;
    dme_begin(dme);
    for (size_t i = 0; i < count; i++) {
        records[i].id = 0;
        pick_add(&wanted, &records[i]);
    }
    return dme_record_lookup(dme, zone_id, &wanted, err);
}
