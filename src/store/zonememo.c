/* SPDX-License-Identifier: MIT
 *
 * Remembered zones: a cache.  One that is damaged, or that another key has written, is worth nothing; then
 * the zone is looked up again, and not taken from a memo of a parent zone, which would lead into the wrong
 * zone.
 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

/* clang-format off */
#define FIELD(key, type, max) {#key, type, offsetof(struct zone_memo, key), max, NULL}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(endpoint, CODEC_TEXT, 1024), FIELD(account, CODEC_OPTIONAL, 255), FIELD(key_id, CODEC_OPTIONAL, 128),
    FIELD(name, CODEC_NAME, 0),        FIELD(id, CODEC_NUMBER, 0),          FIELD(nameservers, CODEC_LIST, 320),
    FIELD(seen_ms, CODEC_NUMBER, 0),
};

void zone_memo_done(struct zone_memo *memo)
{
    if (!memo)
        return;
    free(memo->endpoint);
    free(memo->account);
    free(memo->key_id);
    free(memo->name);
    strlist_done(&memo->nameservers);
    *memo = (struct zone_memo){.id = 0};
}

static char *path_of(const struct store *store, const char *endpoint, const char *account, const char *zone)
{
    const char *const parts[] = {zone, endpoint, account ? account : ""};
    char AUTO_FREE *file = store_file_name(parts, ARRAY_LEN(parts));

    return mem_printf("%s/%s.json", store->zones_dir, file);
}

static enum err_code load(const char *path, struct zone_memo *out, struct err *err)
{
    struct zone_memo AUTO(zone_memo_done) memo = {.id = 0};
    json_t AUTO_JSON *json = NULL;
    enum err_code rc = codec_load_file(path, &json, err);

    if (rc == ERR_OK)
        rc = codec_read(fields, ARRAY_LEN(fields), json, path, &memo, err);
    if (rc != ERR_OK)
        return rc;
    *out = memo;
    memo = (struct zone_memo){.id = 0};
    return ERR_OK;
}

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static enum err_code not_remembered(const char *name, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "no zone is remembered for \"%s\"", name);
}

static void drop(const struct store *store, const char *path, const struct err *why)
{
    struct err err;

    log_line(store->log, LOG_DEBUG, "dropping a remembered zone: %s", why->msg);
    if (platform_file_remove(path, &err) != ERR_OK)
        log_line(store->log, LOG_DEBUG, "%s, continuing", err.msg);
}

/* The name itself, then what is behind each of its dots. */
static const char *parent_of(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot && dot[1] ? dot + 1 : NULL;
}

enum err_code zone_memo_find(struct store *store, const char *endpoint, const char *account, const char *key_id,
                             const char *name, struct zone_memo *out, struct err *err)
{
    for (const char *zone = name; zone; zone = parent_of(zone)) {
        char AUTO_FREE *path = path_of(store, endpoint, account, zone);
        struct zone_memo AUTO(zone_memo_done) memo = {.id = 0};
        struct err why;
        enum err_code rc = load(path, &memo, &why);

        if (rc == ERR_NOT_FOUND)
            continue;
        if (rc == ERR_INPUT)
            drop(store, path, &why);
        if (rc != ERR_OK || !is_same(memo.endpoint, endpoint) || !is_same(memo.account, account) ||
            !is_same(memo.key_id, key_id) || !is_same(memo.name, zone))
            break;
        *out = memo;
        memo = (struct zone_memo){.id = 0};
        return ERR_OK;
    }
    return not_remembered(name, err);
}

enum err_code zone_memo_save(struct store *store, const struct zone_memo *memo, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CODEC_FILE_MAX);
    char AUTO_FREE *path = NULL;
    json_t AUTO_JSON *json = NULL;
    enum err_code rc = codec_check(fields, ARRAY_LEN(fields), memo, err);

    if (rc != ERR_OK)
        return rc;
    json = codec_write(fields, ARRAY_LEN(fields), memo);
    json_write(json, &text);
    buf_putc(&text, '\n');
    if (!buf_ok(&text))
        return err_set(err, ERR_INTERNAL, "could not remember the zone \"%s\": too many name servers", memo->name);
    path = path_of(store, memo->endpoint, memo->account, memo->name);
    return platform_files_write(
        &(struct platform_file_write){.path = path, .data = buf_cstr(&text), .len = text.len}, 1,
        PLATFORM_REPLACE_LAZILY, err);
}

enum err_code zone_memo_forget(struct store *store, const struct zone_memo *memo, struct err *err)
{
    char AUTO_FREE *path = path_of(store, memo->endpoint, memo->account, memo->name);

    return platform_file_remove(path, err);
}
