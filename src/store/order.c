/* SPDX-License-Identifier: MIT
 *
 * Orders that are under way.  The record tells which key its CSR has, by a digest: a crash between the writes of the
 * two leaves a record and a key that do not belong together, and such an order can't be finished.
 */
#include "store/certs.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "store/internal.h"
#include "util/text.h"

#define KIND "orders"
#define SUFFIX ".json"
#define URL_MAX_BYTES 2048
#define DIGEST_LEN 16 /* hex digits: enough to find what does not belong together */

/* What is on disk. */
struct stored {
    struct order_record order;
    char *key_digest; /* "": the CSR is the user's */
};

/* clang-format off */
#define FIELD(key, type, max) {#key, type, offsetof(struct stored, order.key), max, NULL}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(name, CODEC_TEXT, 100),
    FIELD(url, CODEC_OPTIONAL, URL_MAX_BYTES),
    FIELD(directory, CODEC_TEXT, URL_MAX_BYTES),
    FIELD(domains, CODEC_LONG_LIST, 255),
    FIELD(profile, CODEC_OPTIONAL, 255),
    FIELD(created_ms, CODEC_NUMBER, 0),
    {"key_digest", CODEC_OPTIONAL, offsetof(struct stored, key_digest), DIGEST_LEN, NULL},
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

static void stored_done(struct stored *stored)
{
    order_record_done(&stored->order);
    free(stored->key_digest);
    stored->key_digest = NULL;
}

/* ------------------------------------------------------------------ files */

static char *path_of(const struct store *store, const char *name, const char *suffix)
{
    char AUTO_FREE *file = mem_printf("%s%s", name, suffix);

    return store_part_path(store, &order_part, file);
}

static enum err_code load_file(const char *path, const char *file, struct stored *out, struct err *err)
{
    struct stored AUTO(stored_done) stored = {.key_digest = NULL};
    char AUTO_FREE *home = NULL;
    enum err_code rc = codec_load_long(fields, ARRAY_LEN(fields), path, &stored, err);

    if (rc != ERR_OK)
        return rc;
    home = mem_printf("%s" SUFFIX, stored.order.name);
    if (strcmp(home, file) != 0)
        return err_set(err, ERR_INPUT, "%s: it belongs into a file named \"%s\"", path, home);
    *out = stored;
    stored = (struct stored){.key_digest = NULL};
    return ERR_OK;
}

/* ------------------------------------------------------------------ keys */

static enum err_code digest_of(const char *pem, char out[DIGEST_LEN + 1], struct err *err)
{
    uint8_t digest[DIGEST_SHA256_LEN];
    enum err_code rc = digest_sha256(pem, strlen(pem), digest, err);

    if (rc != ERR_OK)
        return rc;
    text_hex_into(out, digest, DIGEST_LEN / 2);
    return ERR_OK;
}

/* The key that the record means. */
static enum err_code load_key(const struct store *store, struct stored *stored, struct err *err)
{
    char AUTO_FREE *path = path_of(store, stored->order.name, ".key");
    char digest[DIGEST_LEN + 1];
    enum err_code rc;

    if (!stored->key_digest[0])
        return ERR_OK;
    rc = keyfile_load(path, &stored->order.key_pem, err);
    if (rc == ERR_OK)
        rc = digest_of(stored->order.key_pem, digest, err);
    if (rc == ERR_OK && strcmp(digest, stored->key_digest) != 0)
        rc = err_set(err, ERR_NOT_FOUND, "another key is in \"%s\"", path);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no order for \"%s\" that can be finished: its key is gone (\"%s\")",
                       stored->order.name, path);
    return rc;
}

/* ------------------------------------------------------------------ saving, loading, removing */

/* The record without a key goes on with the key that the one on disk has; when there is none, a key file that is there
 * is left over from another order. */
static void take_digest_of_last(struct store *store, const char *name, char out[DIGEST_LEN + 1])
{
    struct stored AUTO(stored_done) last = {.key_digest = NULL};
    char AUTO_FREE *file = mem_printf("%s" SUFFIX, name);
    char AUTO_FREE *path = store_part_path(store, &order_part, file);

    out[0] = '\0';
    if (load_file(path, file, &last, NULL) == ERR_OK)
        text_cut_into(out, DIGEST_LEN + 1, last.key_digest);
}

/* What is to be written of one order: its key, and the record that tells which key it has. */
static enum err_code prepare(struct store *store, const struct order_record *record, struct keyfile *key,
                             struct record_text *text, struct err *err)
{
    struct stored stored = {.order = *record}; /* borrows all */
    char digest[DIGEST_LEN + 1] = "";
    enum err_code rc = certificate_check_name(record->name, err);

    text->text = BUF_INIT(CODEC_LONG_FILE_MAX);
    text->file = mem_printf("%s" SUFFIX, record->name);
    if (rc == ERR_OK)
        rc = record_directory_ready(store, KIND, err);
    if (rc != ERR_OK)
        return rc;
    if (record->key_pem) {
        *key = (struct keyfile){path_of(store, record->name, ".key"), record->key_pem};
        rc = digest_of(record->key_pem, digest, err);
    } else {
        take_digest_of_last(store, record->name, digest);
    }
    stored.key_digest = digest;
    return rc == ERR_OK ? codec_format(fields, ARRAY_LEN(fields), &stored, "could not note the order", &text->text, err)
                        : rc;
}

void order_save_all(struct store *store, const struct order_record *records, size_t count, struct err *outcomes)
{
    struct record_text *texts = mem_calloc(count, sizeof *texts);
    struct keyfile AUTO_FREE *keys = mem_calloc(count, sizeof *keys);

    for (size_t i = 0; i < count; i++) {
        err_settle(&outcomes[i], prepare(store, &records[i], &keys[i], &texts[i], &outcomes[i]));
    }
    keyfile_save_all(store->clock, keys, count, outcomes);
    record_write_all(store, &order_part, texts, count, outcomes);
    for (size_t i = 0; i < count; i++)
        free(keys[i].path);
    record_texts_free(texts, count);
}

enum err_code order_load(struct store *store, const char *name, struct order_record *out, struct err *err)
{
    struct stored AUTO(stored_done) stored = {.key_digest = NULL};
    char AUTO_FREE *what = mem_printf("no order for \"%s\"", name);
    char AUTO_FREE *file = mem_printf("%s" SUFFIX, name);
    char AUTO_FREE *path = store_part_path(store, &order_part, file);
    struct err why;
    enum err_code rc = certificate_name_is_good(name) ? load_file(path, file, &stored, &why)
                                                      : err_set(&why, ERR_NOT_FOUND, "no name");

    if (rc != ERR_OK)
        return record_failed(store, &order_part, file, &why, what, err);
    rc = load_key(store, &stored, err);
    if (rc != ERR_OK)
        return rc;
    *out = stored.order;
    stored.order = (struct order_record){.created_ms = 0};
    return ERR_OK;
}

/* The record first: one without its key could be taken for an order with the user's own CSR. */
enum err_code order_remove(struct store *store, const char *name, struct err *err)
{
    char AUTO_FREE *record = path_of(store, name, SUFFIX);
    char AUTO_FREE *key = path_of(store, name, ".key");
    enum err_code rc = certificate_check_name(name, err);

    if (rc == ERR_OK)
        rc = platform_file_remove(record, err);
    return rc == ERR_OK ? platform_file_remove(key, err) : rc;
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct stored AUTO(stored_done) stored = {.key_digest = NULL};
    enum err_code rc = load_file(path, file, &stored, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = stored.order.created_ms;
    *out_what = mem_printf("order for \"%s\"", stored.order.name);
    return ERR_OK;
}

static char *consequence(UNUSED const char *text)
{
    return mem_strdup("a new order is begun when the certificate is due");
}

const struct store_part order_part = {
    .kind = KIND,
    .item = STORE_ITEM_ORDER,
    .when_good = STORE_KEPT,
    .is_ours = certificate_is_record_file,
    .is_key = keyfile_is_name,
    .check = check_file,
    .consequence = consequence,
};
