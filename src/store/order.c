/* SPDX-License-Identifier: MIT
 *
 * The order that is under way for a certificate, and the key of its CSR.  The key goes to disk first and goes away
 * last.
 */
#include <stdlib.h>
#include <string.h>

#include "store/certs.h"
#include "store/internal.h"
#include "util/text.h"

#define KIND "orders"
#define SUFFIX ".json"
#define KEY_SUFFIX ".key"
#define NAME_MAX_BYTES 100
#define URL_MAX_BYTES 2048

/* clang-format off */
#define FIELD(key, type, max) {#key, type, offsetof(struct order_record, key), max, NULL}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(name, CODEC_TEXT, NAME_MAX_BYTES),     FIELD(url, CODEC_OPTIONAL, URL_MAX_BYTES),
    FIELD(directory, CODEC_TEXT, URL_MAX_BYTES), FIELD(domains, CODEC_LONG_LIST, 255),
    FIELD(profile, CODEC_OPTIONAL, 255),         FIELD(created_ms, CODEC_NUMBER, 0),
};

void order_record_done(struct order_record *record)
{
    if (!record)
        return;
    free(record->name);
    free(record->url);
    free(record->directory);
    strlist_done(&record->domains);
    free(record->profile);
    keyfile_wipe(&record->key_pem);
    *record = (struct order_record){.created_ms = 0};
}

static char *path_of(const struct store *store, const char *name, const char *suffix)
{
    char AUTO_FREE *file = mem_printf("%s%s", name, suffix);

    return store_part_path(store, &order_part, file);
}

static bool is_record_file(const char *file)
{
    size_t len = strlen(file);
    char AUTO_FREE *name = NULL;

    if (len <= strlen(SUFFIX) || !text_ends_with(file, SUFFIX))
        return false;
    name = mem_strndup(file, len - strlen(SUFFIX));
    return certificate_name_is_good(name);
}

static enum err_code load_file(const char *path, const char *file, struct order_record *out, struct err *err)
{
    struct order_record AUTO(order_record_done) record = {.created_ms = 0};
    char AUTO_FREE *home = NULL;
    enum err_code rc = codec_load_long(fields, ARRAY_LEN(fields), path, &record, err);

    if (rc != ERR_OK)
        return rc;
    home = mem_printf("%s" SUFFIX, record.name);
    if (strcmp(home, file) != 0)
        return err_set(err, ERR_INPUT, "%s: it belongs into a file named \"%s\"", path, home);
    *out = record;
    record = (struct order_record){.created_ms = 0};
    return ERR_OK;
}

enum err_code order_save(struct store *store, const struct order_record *record, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CODEC_LONG_FILE_MAX);
    char AUTO_FREE *file = NULL;
    char AUTO_FREE *key = NULL;
    enum err_code rc = certificate_check_name(record->name, err);

    if (rc == ERR_OK)
        rc = codec_format(fields, ARRAY_LEN(fields), record, "could not note the order", &text, err);
    if (rc == ERR_OK)
        rc = record_directory_ready(store, KIND, err);
    if (rc != ERR_OK)
        return rc;
    key = path_of(store, record->name, KEY_SUFFIX);
    if (record->key_pem)
        rc = keyfile_save(store->clock, key, record->key_pem, err);
    if (rc != ERR_OK)
        return rc;
    file = mem_printf("%s" SUFFIX, record->name);
    return record_write(store, &order_part, file, &text, err);
}

enum err_code order_load(struct store *store, const char *name, struct order_record *out, struct err *err)
{
    struct order_record AUTO(order_record_done) record = {.created_ms = 0};
    char AUTO_FREE *what = mem_printf("no order for \"%s\"", name);
    char AUTO_FREE *file = mem_printf("%s" SUFFIX, name);
    char AUTO_FREE *path = store_part_path(store, &order_part, file);
    char AUTO_FREE *key = path_of(store, name, KEY_SUFFIX);
    struct err why;
    enum err_code rc = certificate_name_is_good(name) ? load_file(path, file, &record, &why)
                                                      : err_set(&why, ERR_NOT_FOUND, "no name");

    if (rc != ERR_OK)
        return record_failed(store, &order_part, file, &why, what, err);
    rc = keyfile_load(key, &record.key_pem, err);
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        return rc;
    *out = record;
    record = (struct order_record){.created_ms = 0};
    return ERR_OK;
}

/* Keys of earlier orders, that were kept when another one took their place, go with the order: no certificate has them.
 */
static enum err_code remove_copies(struct store *store, const char *name, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    char AUTO_FREE *dir = mem_printf("%s/" KIND, store->dir);
    char AUTO_FREE *prefix = mem_printf("%s" KEY_SUFFIX, name);
    enum err_code rc = platform_dir_list(dir, &files, err);

    for (size_t i = 0; rc == ERR_OK && i < files.count; i++) {
        char AUTO_FREE *path = mem_printf("%s/%s", dir, files.items[i]);

        if (text_starts_with(files.items[i], prefix) && keyfile_is_name(files.items[i]))
            rc = platform_file_remove(path, err);
    }
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

enum err_code order_remove(struct store *store, const char *name, struct err *err)
{
    char AUTO_FREE *record = path_of(store, name, SUFFIX);
    enum err_code rc = certificate_check_name(name, err);

    if (rc == ERR_OK)
        rc = platform_file_remove(record, err);
    return rc == ERR_OK ? remove_copies(store, name, err) : rc;
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct order_record AUTO(order_record_done) record = {.created_ms = 0};
    enum err_code rc = load_file(path, file, &record, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = record.created_ms;
    *out_what = mem_printf("order for \"%s\"", record.name);
    return ERR_OK;
}

static char *consequence(UNUSED const char *text)
{
    return mem_strdup("the order can't be taken up again; the next run places a new one");
}

const struct store_part order_part = {
    .kind = KIND,
    .item = STORE_ITEM_ORDER,
    .when_good = STORE_KEPT,
    .is_ours = is_record_file,
    .is_key = keyfile_is_name,
    .check = check_file,
    .consequence = consequence,
};
