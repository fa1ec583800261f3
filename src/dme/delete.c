/* SPDX-License-Identifier: MIT
 *
 * Deleting, by id.  The API reads a DELETE without ids as "all records of the zone", so the URL of a deletion can't be
 * written without a first id.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "dme/client.h"
#include "dme/record.h"

#define PATH_MAX_BYTES 8192

/* Some of a batch's records, deleted with one request. */
struct chunk {
    struct dme_batch *batch;
    size_t first;
    size_t count;
    char *what;
    struct buf path;
};

struct deletion {
    struct chunk *chunks;
    struct dme_call *calls; /* one a chunk */
    size_t count;
};

static void deletion_done(struct deletion *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->chunks[i].what);
        buf_done(&d->chunks[i].path);
        if (d->calls)
            dme_call_done(&d->calls[i]);
    }
    free(d->chunks);
    free(d->calls);
}

/* The one place where the URL of a deletion is written.  The first id is a parameter of its own so that there
 * is no such URL without an id: without ids it would mean the whole zone. */
static void put_delete_path(struct buf *path, int64_t zone_id, int64_t first, const struct dme_record *more,
                            size_t more_count)
{
    assert(zone_id > 0 && first > 0);
    if (more_count == 0) {
        buf_printf(path, "/dns/managed/%" PRId64 "/records/%" PRId64, zone_id, first);
        return;
    }
    buf_printf(path, "/dns/managed/%" PRId64 "/records?ids=%" PRId64, zone_id, first);
    for (size_t i = 0; i < more_count; i++)
        buf_printf(path, "&ids=%" PRId64, more[i].id);
}

static enum err_code check(const struct dme_batch *batch, struct err *err)
{
    enum err_code code = dme_record_check_zone(batch->zone_id, err);

    if (code == ERR_OK && batch->count == 0)
        return err_set(err, ERR_INTERNAL, "refused to delete records of zone %" PRId64 " without an id",
                       batch->zone_id);
    for (size_t i = 0; code == ERR_OK && i < batch->count; i++)
        if (batch->records[i].id <= 0)
            return err_set(err, ERR_INTERNAL, "refused to delete record %" PRId64 " of zone %" PRId64 ": no record id",
                           batch->records[i].id, batch->zone_id);
    return code;
}

static enum err_code add_chunk(struct deletion *d, struct dme_batch *batch, size_t first, struct err *err)
{
    size_t left = batch->count - first;
    struct chunk chunk = {batch, first, left < DME_RECORDS_A_REQUEST ? left : DME_RECORDS_A_REQUEST, NULL,
                          BUF_INIT(PATH_MAX_BYTES)};
    const struct dme_record *records = batch->records + first;

    chunk.what = chunk.count == 1 ? mem_printf("delete TXT record %" PRId64, records[0].id)
                                  : mem_printf("delete %zu TXT records", chunk.count);
    put_delete_path(&chunk.path, batch->zone_id, records[0].id, records + 1, chunk.count - 1);
    d->chunks = mem_grow(d->chunks, d->count, sizeof *d->chunks);
    d->chunks[d->count++] = chunk;
    if (!buf_ok(&chunk.path)) /* half a URL would name the wrong records */
        return err_set(err, ERR_INTERNAL, "could not %s: the URL is too long", chunk.what);
    return ERR_OK;
}

static void take_outcome(const struct chunk *chunk, const struct err *outcome)
{
    for (size_t i = 0; i < chunk->count; i++)
        chunk->batch->records[chunk->first + i].err = *outcome;
    if (chunk->batch->err.code == ERR_OK)
        chunk->batch->err = *outcome;
}

static enum err_code perform(struct dme *dme, struct deletion *d, struct err *err)
{
    enum err_code code;

    d->calls = mem_calloc(d->count, sizeof *d->calls);
    for (size_t i = 0; i < d->count; i++)
        d->calls[i] = (struct dme_call){.method = "DELETE",
                                        .path = buf_cstr(&d->chunks[i].path),
                                        .what = d->chunks[i].what,
                                        .expect = DME_EXPECT_NOTHING};
    code = dme_calls_perform(dme, d->calls, d->count, err);
    for (size_t i = 0; i < d->count; i++)
        take_outcome(&d->chunks[i], &d->calls[i].err);
    return code;
}

enum err_code dme_batches_delete(struct dme *dme, struct dme_batch *batches, size_t count, struct err *err)
{
    struct deletion deletion AUTO(deletion_done) = {.count = 0};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < count; i++) {
        err_init(&batches[i].err);
        batches[i].has_lost_answer = false;
        if (code == ERR_OK)
            code = check(&batches[i], err);
        for (size_t k = 0; code == ERR_OK && k < batches[i].count; k += DME_RECORDS_A_REQUEST)
            code = add_chunk(&deletion, &batches[i], k, err);
    }
    if (code != ERR_OK)
        return code;
    dme_begin(dme);
    return perform(dme, &deletion, err);
}
