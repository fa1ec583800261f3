/* SPDX-License-Identifier: MIT
 *
 * Remembered zones: a cache.  One that is damaged, or that another key has written, is worth nothing; then
 * the zone is looked up again, and not taken from a memo of a parent zone, which would lead into the wrong
 * zone.  One that a newer acme-dme has written stays, and is not used.
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

static char *file_of(const char *endpoint, const char *account, const char *zone)
{
    const char *const parts[] = {zone, endpoint, account ? account : ""};
    char AUTO_FREE *file = store_file_name(parts, ARRAY_LEN(parts));

    return mem_printf("%s.json", file);
}

static enum err_code load(const char *path, const char *file, struct zone_memo *out, struct err *err)
{
    struct zone_memo AUTO(zone_memo_done) memo = {.id = 0};
    char AUTO_FREE *home = NULL;
    enum err_code rc = codec_load(fields, ARRAY_LEN(fields), path, &memo, err);

    if (rc != ERR_OK)
        return rc;
    home = file_of(memo.endpoint, memo.account, memo.name);
    if (strcmp(home, file) != 0)
        return err_set(err, ERR_INPUT, "%s: it belongs into a file named \"%s\"", path, home);
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

/* The name itself, then what is behind each of its dots. */
static const char *parent_of(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot && dot[1] ? dot + 1 : NULL;
}

enum err_code zone_memo_find(struct store *store, const char *endpoint, const char *account, const char *key_id,
                             const char *name, const char *end, struct zone_memo *out, struct err *err)
{
    for (const char *zone = name; zone && zone != end; zone = parent_of(zone)) {
        char AUTO_FREE *file = file_of(endpoint, account, zone);
        char AUTO_FREE *path = store_part_path(store, &zone_memo_part, file);
        struct zone_memo AUTO(zone_memo_done) memo = {.id = 0};
        struct err why;
        enum err_code rc = load(path, file, &memo, &why);

        if (rc == ERR_NOT_FOUND)
            continue;
        if (rc != ERR_OK)
            rc = damage_handle(store, &zone_memo_part, file, &why);
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
    struct zone_memo AUTO(zone_memo_done) before = {.id = 0};
    char AUTO_FREE *file = NULL;
    char AUTO_FREE *path = NULL;
    enum err_code rc = codec_format(fields, ARRAY_LEN(fields), memo, "could not remember the zone", &text, err);

    if (rc != ERR_OK)
        return rc;
    file = file_of(memo->endpoint, memo->account, memo->name);
    path = store_part_path(store, &zone_memo_part, file);
    if (load(path, file, &before, NULL) == ERR_DECLINED)
        return ERR_OK;
    return platform_files_write(&(struct platform_file_write){.path = path, .data = buf_cstr(&text), .len = text.len},
                                1, PLATFORM_REPLACE_LAZILY, err);
}

enum err_code zone_memo_forget(struct store *store, const struct zone_memo *memo, struct err *err)
{
    char AUTO_FREE *file = file_of(memo->endpoint, memo->account, memo->name);
    char AUTO_FREE *path = store_part_path(store, &zone_memo_part, file);

    return platform_file_remove(path, err);
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct zone_memo AUTO(zone_memo_done) memo = {.id = 0};
    enum err_code rc = load(path, file, &memo, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = memo.seen_ms;
    *out_what = mem_printf("zone \"%s\"", memo.name);
    return ERR_OK;
}

static char *consequence(UNUSED const char *text)
{
    return mem_strdup("the zone is looked up again");
}

const struct store_part zone_memo_part = {
    .kind = "zones",
    .item = STORE_ITEM_ZONE,
    .when_good = STORE_DROPPED,
    .is_ours = store_is_file_name,
    .check = check_file,
    .consequence = consequence,
};
