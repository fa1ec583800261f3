/* SPDX-License-Identifier: MIT
 *
 * Several zones at once.
 */
#include "dme/dme.h"

#include <inttypes.h>
#include <stdlib.h>

static bool ends_everything(enum err_code code)
{
    return code == ERR_CANCELLED || code == ERR_INTERNAL;
}

static void fail_records(struct dme_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->records[i].id == 0)
            batch->records[i].err = batch->err;
}

static void clear_errors(struct dme_batch *batch)
{
    batch->has_lost_answer = false;
    err_init(&batch->err);
    for (size_t i = 0; i < batch->count; i++)
        err_init(&batch->records[i].err);
}

enum err_code dme_batches_create(struct dme *dme, struct dme_batch *batches, size_t count, uint32_t ttl_s,
                                 struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct dme_batch *batch = &batches[i];
        enum err_code code;

        clear_errors(batch);
        code = dme_records_create(dme, batch->zone_id, batch->records, batch->count, ttl_s, &batch->err);
        if (code == ERR_OK)
            continue;
        batch->has_lost_answer = dme_has_lost_answer(dme);
        fail_records(batch);
        if (ends_everything(code)) {
            if (err)
                *err = batch->err;
            return code;
        }
    }
    return ERR_OK;
}

enum err_code dme_batches_delete(struct dme *dme, struct dme_batch *batches, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct dme_batch *batch = &batches[i];
        AUTO_FREE int64_t *ids = mem_calloc(batch->count, sizeof *ids);
        enum err_code code;

        clear_errors(batch);
        for (size_t k = 0; k < batch->count; k++)
            ids[k] = batch->records[k].id;
        code = dme_records_delete(dme, batch->zone_id, ids, batch->count, &batch->err);
        for (size_t k = 0; code != ERR_OK && k < batch->count; k++)
            batch->records[k].err = batch->err;
        if (ends_everything(code)) {
            if (err)
                *err = batch->err;
            return code;
        }
    }
    return ERR_OK;
}

enum err_code dme_admit(UNUSED struct dme *dme, UNUSED size_t requests, UNUSED struct err *err)
{
    return ERR_OK;
}
