/* SPDX-License-Identifier: MIT
 *
 * It is read and written for each request to the API, so nothing is synced: after a power failure a budget is empty, or
 * old, or damaged, and the API tells soon how it really stands.
 */
#include "store/budget.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "util/parse.h"

#define LOCK_WAIT_MS 5000
#define ITEM_MAX_BYTES 80
#define MEMBERS_MAX 3 /* of a list's item */

/* What is on disk. */
struct stored {
    char *endpoint;
    char *key_id;
    int64_t limit;
    int64_t closed_until_ms;
    int64_t refusals;
    int64_t refused_ms;
    struct strlist stamps;  /* "<time> <kind> <owner>" */
    struct strlist tickets; /* "<owner> <count> <time>" */
};

/* clang-format off */
#define FIELD(key, type, max) {#key, type, offsetof(struct stored, key), max, NULL}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(endpoint, CODEC_TEXT, 1024),
    FIELD(key_id, CODEC_TEXT, 128),
    FIELD(limit, CODEC_NUMBER, 0),
    FIELD(closed_until_ms, CODEC_NUMBER, 0),
    FIELD(refusals, CODEC_NUMBER, 0),
    FIELD(refused_ms, CODEC_NUMBER, 0),
    FIELD(stamps, CODEC_LONG_LIST, ITEM_MAX_BYTES),
    FIELD(tickets, CODEC_LONG_LIST, ITEM_MAX_BYTES),
};

struct budget_file {
    struct store *store;
    char *endpoint;
    char *key_id;
    char *name;
    struct platform_lock *lock;
};

void budget_record_done(struct budget_record *record)
{
    free(record->stamps);
    free(record->tickets);
    *record = (struct budget_record){.limit = 0};
}

static void stored_done(struct stored *stored)
{
    free(stored->endpoint);
    free(stored->key_id);
    strlist_done(&stored->stamps);
    strlist_done(&stored->tickets);
}

static void file_free(struct budget_file **file)
{
    if (!*file)
        return;
    platform_lock_free((*file)->lock);
    free((*file)->endpoint);
    free((*file)->key_id);
    free((*file)->name);
    free(*file);
    *file = NULL;
}

/* ------------------------------------------------------------------ text */

/* Numbers with one space between them. */
static bool read_numbers(const char *text, int64_t out[MEMBERS_MAX])
{
    char part[ITEM_MAX_BYTES + 1];

    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        size_t len = strcspn(text, " ");
        uint64_t number;

        if (len == 0 || len >= sizeof part)
            return false;
        memcpy(part, text, len);
        part[len] = '\0';
        if (!parse_uint(part, 0, INT64_MAX, &number))
            return false;
        out[i] = (int64_t)number;
        text += len;
        if (i + 1 < MEMBERS_MAX && *text++ != ' ')
            return false;
    }
    return !*text;
}

static bool read_stamps(const struct strlist *list, struct budget_record *out)
{
    int64_t n[MEMBERS_MAX];

    out->stamps = mem_calloc(list->count, sizeof *out->stamps);
    for (size_t i = 0; i < list->count; i++) {
        if (!read_numbers(list->items[i], n) || n[1] >= BUDGET_KINDS)
            return false;
        out->stamps[out->stamp_count++] = (struct budget_stamp){
            .at_ms = n[0], .kind = (enum budget_stamp_kind)n[1], .owner = n[2]};
    }
    return true;
}

static bool read_tickets(const struct strlist *list, struct budget_record *out)
{
    int64_t n[MEMBERS_MAX];

    out->tickets = mem_calloc(list->count, sizeof *out->tickets);
    for (size_t i = 0; i < list->count; i++) {
        if (!read_numbers(list->items[i], n))
            return false;
        out->tickets[out->ticket_count++] = (struct budget_ticket){n[0], n[1], n[2]};
    }
    return true;
}

static void write_lists(const struct budget_record *record, struct stored *out)
{
    for (size_t i = 0; i < record->stamp_count; i++)
        strlist_add_take(&out->stamps, mem_printf("%" PRId64 " %d %" PRId64, record->stamps[i].at_ms,
                                                  (int)record->stamps[i].kind, record->stamps[i].owner));
    for (size_t i = 0; i < record->ticket_count; i++)
        strlist_add_take(&out->tickets, mem_printf("%" PRId64 " %" PRId64 " %" PRId64, record->tickets[i].owner,
                                                   record->tickets[i].count, record->tickets[i].seen_ms));
}

/* ------------------------------------------------------------------ files */

static char *file_of(const char *endpoint, const char *key_id)
{
    const char *const parts[] = {key_id, endpoint};
    char AUTO_FREE *name = store_file_name(parts, ARRAY_LEN(parts));

    return mem_printf("%s.json", name);
}

static enum err_code load(const char *path, const char *file, struct budget_record *out, struct err *err)
{
    struct stored AUTO(stored_done) stored = {.limit = 0};
    struct budget_record AUTO(budget_record_done) record = {.limit = 0};
    char AUTO_FREE *home = NULL;
    enum err_code rc = codec_load_long(fields, ARRAY_LEN(fields), path, &stored, err);

    if (rc != ERR_OK)
        return rc;
    home = file_of(stored.endpoint, stored.key_id);
    if (strcmp(home, file) != 0)
        return err_set(err, ERR_INPUT, "%s: it belongs into a file named \"%s\"", path, home);
    if (!read_stamps(&stored.stamps, &record) || !read_tickets(&stored.tickets, &record))
        return err_set(err, ERR_INPUT, "%s: a list has an item it can't have", path);
    record.limit = stored.limit;
    record.closed_until_ms = stored.closed_until_ms;
    record.refusals = stored.refusals;
    record.refused_ms = stored.refused_ms;
    *out = record;
    record = (struct budget_record){.limit = 0};
    return ERR_OK;
}

enum err_code budget_open(struct store *store, const char *endpoint, const char *key_id, struct budget_file **out,
                          struct budget_record *out_record, struct err *err)
{
    struct budget_file AUTO(file_free) *file = mem_zalloc(sizeof *file);
    char AUTO_FREE *lock = NULL;
    char AUTO_FREE *path = NULL;
    struct budget_record found = {.limit = 0};
    struct err why;
    enum err_code rc = record_directory_ready(store, budget_part.kind, err);

    file->store = store;
    file->endpoint = mem_strdup(endpoint);
    file->key_id = mem_strdup(key_id);
    file->name = file_of(endpoint, key_id);
    lock = mem_printf("budget-%s", file->name);
    path = store_part_path(store, &budget_part, file->name);
    if (rc == ERR_OK)
        rc = store_lock(store, lock, LOCK_WAIT_MS, &file->lock, err);
    if (rc != ERR_OK)
        return rc;
    rc = load(path, file->name, &found, &why);
    if (rc != ERR_OK)
        (void)!damage_handle(store, &budget_part, file->name, &why);
    if (rc == ERR_DECLINED)
        return err_set(err, rc, "%s", why.msg);
    *out_record = found;
    *out = file;
    file = NULL;
    return ERR_OK;
}

static enum err_code save(const struct budget_file *file, const struct budget_record *record, struct err *err)
{
    struct stored AUTO(stored_done) stored = {.endpoint = mem_strdup(file->endpoint),
                                              .key_id = mem_strdup(file->key_id),
                                              .limit = record->limit,
                                              .closed_until_ms = record->closed_until_ms,
                                              .refusals = record->refusals,
                                              .refused_ms = record->refused_ms};
    struct buf AUTO_BUF text = BUF_INIT(CODEC_LONG_FILE_MAX);
    char AUTO_FREE *path = store_part_path(file->store, &budget_part, file->name);
    enum err_code rc;

    write_lists(record, &stored);
    rc = codec_format(fields, ARRAY_LEN(fields), &stored, "could not note the requests", &text, err);
    if (rc != ERR_OK)
        return rc;
    return platform_files_write(&(struct platform_file_write){.path = path, .data = buf_cstr(&text), .len = text.len},
                                1, PLATFORM_REPLACE_UNSYNCED, err);
}

enum err_code budget_close(struct budget_file *file_take, const struct budget_record *record, struct err *err)
{
    enum err_code rc = record ? save(file_take, record, err) : ERR_OK;

    file_free(&file_take);
    return rc;
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct budget_record AUTO(budget_record_done) record = {.limit = 0};
    enum err_code rc = load(path, file, &record, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = record.stamp_count ? record.stamps[record.stamp_count - 1].at_ms : 0;
    *out_what = mem_printf("%zu request%s of an API key", record.stamp_count, record.stamp_count == 1 ? "" : "s");
    return ERR_OK;
}

static char *consequence(UNUSED const char *text)
{
    return mem_strdup("requests are counted anew");
}

const struct store_part budget_part = {
    .kind = "budget",
    .item = STORE_ITEM_BUDGET,
    .when_good = STORE_DROPPED,
    .is_ours = store_is_file_name,
    .check = check_file,
    .consequence = consequence,
};
