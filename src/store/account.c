/* SPDX-License-Identifier: MIT
 *
 * Accounts at CAs.  The key is the account: whoever has it can ask the CA for the rest.  So a record that is lost or
 * damaged is an inconvenience, and a key that is lost is an account that nobody can use any more; the key is written
 * first and read first.
 */
#include "store/certs.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define KIND "accounts"
#define URL_MAX_BYTES 2048

/* clang-format off */
#define FIELD(key, type, max) {#key, type, offsetof(struct account_record, key), max, NULL}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(directory, CODEC_TEXT, URL_MAX_BYTES),
    FIELD(url, CODEC_OPTIONAL, URL_MAX_BYTES),
    FIELD(contacts, CODEC_LIST, 512),
    FIELD(created_ms, CODEC_NUMBER, 0),
};

void account_record_done(struct account_record *record)
{
    if (!record)
        return;
    free(record->directory);
    free(record->url);
    strlist_done(&record->contacts);
    keyfile_wipe(&record->key_pem);
    keyfile_wipe(&record->next_key_pem);
    *record = (struct account_record){.created_ms = 0};
}

/* ------------------------------------------------------------------ files */

/* "acme-v02.api.letsencrypt.org_directory-<hash>", and `suffix`: the scheme is of no use to a reader. */
static char *file_of(const char *directory, const char *suffix)
{
    const char *host = strstr(directory, "://");
    const char *const parts[] = {host ? host + 3 : directory, directory};
    char AUTO_FREE *file = store_file_name(parts, ARRAY_LEN(parts));

    return mem_printf("%s%s", file, suffix);
}

static char *path_of(const struct store *store, const char *directory, const char *suffix)
{
    char AUTO_FREE *file = file_of(directory, suffix);

    return store_part_path(store, &account_part, file);
}

static enum err_code load_file(const char *path, const char *file, struct account_record *out, struct err *err)
{
    struct account_record AUTO(account_record_done) record = {.created_ms = 0};
    char AUTO_FREE *home = NULL;
    enum err_code rc = codec_load(fields, ARRAY_LEN(fields), path, &record, err);

    if (rc != ERR_OK)
        return rc;
    home = file_of(record.directory, ".json");
    if (strcmp(home, file) != 0)
        return err_set(err, ERR_INPUT, "%s: it belongs into a file named \"%s\"", path, home);
    *out = record;
    record = (struct account_record){.created_ms = 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ loading */

static enum err_code load_keys(const struct store *store, const char *directory, struct account_record *record,
                               struct err *err)
{
    char AUTO_FREE *key = path_of(store, directory, ".key");
    char AUTO_FREE *next = path_of(store, directory, ".next.key");
    enum err_code rc = keyfile_load(key, &record->key_pem, err);

    if (rc == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no account for \"%s\" here (no file \"%s\")", directory, key);
    if (rc != ERR_OK)
        return rc;
    rc = keyfile_load(next, &record->next_key_pem, err);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

/* The key is all there is. */
static enum err_code load_without_record(struct store *store, const char *directory, const char *file, struct err *why,
                                         struct account_record *record, struct err *err)
{
    char AUTO_FREE *what = mem_printf("no record of the account for \"%s\"", directory);
    enum err_code rc = record_failed(store, &account_part, file, why, what, err);

    if (rc != ERR_NOT_FOUND)
        return rc;
    record->directory = mem_strdup(directory);
    record->url = mem_strdup("");
    if (err)
        err->code = ERR_INPUT;
    return ERR_INPUT;
}

enum err_code account_record_load(struct store *store, const char *directory, struct account_record *out,
                                  struct err *err)
{
    struct account_record AUTO(account_record_done) keys = {.created_ms = 0};
    struct account_record AUTO(account_record_done) record = {.created_ms = 0};
    char AUTO_FREE *file = file_of(directory, ".json");
    char AUTO_FREE *path = store_part_path(store, &account_part, file);
    struct err why;
    enum err_code rc = load_keys(store, directory, &keys, err);

    if (rc != ERR_OK)
        return rc;
    if (load_file(path, file, &record, &why) != ERR_OK)
        rc = load_without_record(store, directory, file, &why, &record, err);
    if (rc != ERR_OK && rc != ERR_INPUT)
        return rc;
    *out = record;
    out->key_pem = keys.key_pem;
    out->next_key_pem = keys.next_key_pem;
    record = (struct account_record){.created_ms = 0};
    keys.key_pem = NULL;
    keys.next_key_pem = NULL;
    return rc;
}

/* ------------------------------------------------------------------ saving */

/* A rollover is over: the next key is the key now, or has never become it. */
static enum err_code end_rollover(struct store *store, const struct account_record *record, struct err *err)
{
    char AUTO_FREE *path = path_of(store, record->directory, ".next.key");
    char AUTO(keyfile_wipe) *next = NULL;

    if (keyfile_load(path, &next, NULL) == ERR_OK && strcmp(next, record->key_pem) == 0)
        return platform_file_remove(path, err);
    return keyfile_move_aside(store->clock, path, err);
}

static enum err_code save_keys(struct store *store, const struct account_record *record, struct err *err)
{
    char AUTO_FREE *key = path_of(store, record->directory, ".key");
    char AUTO_FREE *next = path_of(store, record->directory, ".next.key");
    enum err_code rc = record->next_key_pem ? keyfile_save(store->clock, next, record->next_key_pem, err) : ERR_OK;

    return rc == ERR_OK ? keyfile_save(store->clock, key, record->key_pem, err) : rc;
}

enum err_code account_record_save(struct store *store, const struct account_record *record, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CODEC_FILE_MAX);
    char AUTO_FREE *file = NULL;
    enum err_code rc = codec_format(fields, ARRAY_LEN(fields), record, "could not note the account", &text, err);

    if (rc == ERR_OK && !record->key_pem)
        rc = err_set(err, ERR_INTERNAL, "could not note the account: it has no key");
    if (rc == ERR_OK)
        rc = record_directory_ready(store, KIND, err);
    if (rc == ERR_OK)
        rc = save_keys(store, record, err);
    if (rc != ERR_OK)
        return rc;
    file = file_of(record->directory, ".json");
    rc = record_write(store, &account_part, file, &text, err);
    return rc == ERR_OK && !record->next_key_pem ? end_rollover(store, record, err) : rc;
}

/* The key goes first: a record without a key is no account, a key without a record would be asked for one. */
enum err_code account_record_retire(struct store *store, const char *directory, struct err *err)
{
    static const char *const suffixes[] = {".key", ".next.key", ".json"};
    enum err_code rc = ERR_OK;
    bool is_there = false;

    for (size_t i = 0; i < ARRAY_LEN(suffixes) && rc == ERR_OK; i++) {
        char AUTO_FREE *path = path_of(store, directory, suffixes[i]);

        is_there = is_there || platform_file_exists(path);
        rc = keyfile_move_aside(store->clock, path, err);
    }
    if (rc == ERR_OK && !is_there)
        rc = err_set(err, ERR_NOT_FOUND, "there is no account for \"%s\" here", directory);
    return rc;
}

enum err_code account_record_list(struct store *store, struct strlist *out_directories, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    struct strlist AUTO_STRLIST directories = {NULL, 0};
    enum err_code rc = record_list(store, &account_part, &files, err);

    for (size_t i = 0; i < files.count && rc == ERR_OK; i++) {
        struct account_record AUTO(account_record_done) record = {.created_ms = 0};
        char AUTO_FREE *path = store_part_path(store, &account_part, files.items[i]);
        struct err why;

        if (load_file(path, files.items[i], &record, &why) == ERR_OK) {
            strlist_add(&directories, record.directory);
        } else if (damage_handle(store, &account_part, files.items[i], &why) != ERR_OK) {
            rc = err_set(err, why.code, "%s", why.msg);
        }
    }
    if (rc != ERR_OK)
        return rc;
    strlist_done(out_directories);
    *out_directories = directories;
    directories = (struct strlist){NULL, 0};
    return ERR_OK;
}

enum err_code account_lock(struct store *store, const char *directory, int64_t timeout_ms, struct platform_lock **out,
                           struct err *err)
{
    char AUTO_FREE *file = file_of(directory, "");
    char AUTO_FREE *name = mem_printf("account-%s", file);
    enum err_code rc = store_lock(store, name, timeout_ms, out, err);

    return rc == ERR_OK ? rc : err_prefix(err, rc, "account for \"%s\"", directory);
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct account_record AUTO(account_record_done) record = {.created_ms = 0};
    enum err_code rc = load_file(path, file, &record, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = record.created_ms;
    *out_what = mem_printf("account for \"%s\"", record.directory);
    return ERR_OK;
}

static char *consequence(UNUSED const char *text)
{
    return mem_strdup("the account's key is there, and the CA is asked for the rest");
}

/* What account_record_retire() puts away is among it. */
static bool is_kept_file(const char *file)
{
    return keyfile_is_name(file) || strstr(file, ".json.");
}

const struct store_part account_part = {
    .kind = KIND,
    .item = STORE_ITEM_ACCOUNT,
    .when_good = STORE_KEPT,
    .is_ours = store_is_file_name,
    .is_key = is_kept_file,
    .check = check_file,
    .consequence = consequence,
};
