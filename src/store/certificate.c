/* SPDX-License-Identifier: MIT
 *
 * The records of the certificates that we manage.
 */
#include "store/certs.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "util/text.h"

#define KIND "renewal"
#define SUFFIX ".json"
#define NAME_MAX_BYTES 100
#define URL_MAX_BYTES 2048
#define PERSISTED_MAX_BYTES 4096

/* clang-format off */
#define FIELD(key, type, max) {#key, type, offsetof(struct certificate_record, key), max, NULL}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(name, CODEC_TEXT, NAME_MAX_BYTES), FIELD(domains, CODEC_LONG_LIST, 255),
    FIELD(settings, CODEC_LONG_LIST, 65536), FIELD(directory, CODEC_OPTIONAL, URL_MAX_BYTES),
    FIELD(ari_id, CODEC_OPTIONAL, 255),      FIELD(generation, CODEC_NUMBER, 0),
    FIELD(issued_ms, CODEC_NUMBER, 0),       FIELD(not_before_s, CODEC_NUMBER, 0),
    FIELD(not_after_s, CODEC_NUMBER, 0),     FIELD(window_start_ms, CODEC_NUMBER, 0),
    FIELD(window_end_ms, CODEC_NUMBER, 0),   FIELD(drawn_ms, CODEC_NUMBER, 0),
    FIELD(next_look_ms, CODEC_NUMBER, 0),    FIELD(explanation_url, CODEC_OPTIONAL, URL_MAX_BYTES),
    FIELD(deploy_pending, CODEC_NUMBER, 0),  FIELD(revoked_ms, CODEC_NUMBER, 0),
    FIELD(retry_after_ms, CODEC_NUMBER, 0),  FIELD(persisted, CODEC_LONG_LIST, PERSISTED_MAX_BYTES),
};

/* ------------------------------------------------------------------ memory */

void certificate_record_done(struct certificate_record *record)
{
    if (!record)
        return;
    free(record->name);
    strlist_done(&record->domains);
    strlist_done(&record->settings);
    free(record->directory);
    free(record->ari_id);
    free(record->explanation_url);
    strlist_done(&record->persisted);
    *record = (struct certificate_record){.generation = 0};
}

void certificate_list_done(struct certificate_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        certificate_record_done(&list->items[i]);
    free(list->items);
    *list = (struct certificate_list){NULL, 0};
}

/* ------------------------------------------------------------------ names */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || text_is_digit(c) || strchr("-_.@", c);
}

/* "con", "nul.pem", "com1": devices, whatever is behind the first dot. */
static bool is_device(const char *name)
{
    static const char *const plain[] = {"con", "prn", "aux", "nul"};
    static const char *const numbered[] = {"com", "lpt"};
    size_t len = strcspn(name, ".");

    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (len == 3 && text_ncasecmp(name, plain[i], 3) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(numbered); i++)
        if (len == 4 && text_ncasecmp(name, numbered[i], 3) == 0 && text_is_digit(name[3]))
            return true;
    return false;
}

bool certificate_name_is_good(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_BYTES || name[0] == '.' || name[0] == '-' || name[len - 1] == '.')
        return false;
    for (const char *at = name; *at; at++)
        if (!is_name_char(*at))
            return false;
    return !is_device(name);
}

enum err_code certificate_check_name(const char *name, struct err *err)
{
    if (certificate_name_is_good(name))
        return ERR_OK;
    (void)err_set(err, ERR_USAGE, "\"%s\" can't be the name of a certificate", name);
    err_hint(err, "Use up to %d letters, digits, \"-\", \"_\", \".\" and \"@\", beginning with a letter or a digit.",
             NAME_MAX_BYTES);
    return ERR_USAGE;
}

/* ------------------------------------------------------------------ files */

bool certificate_is_record_file(const char *file)
{
    size_t len = strlen(file);
    char AUTO_FREE *name = NULL;

    if (len <= strlen(SUFFIX) || !text_ends_with(file, SUFFIX))
        return false;
    name = mem_strndup(file, len - strlen(SUFFIX));
    return certificate_name_is_good(name);
}

static enum err_code load_file(const char *path, const char *file, struct certificate_record *out, struct err *err)
{
    struct certificate_record AUTO(certificate_record_done) record = {.generation = 0};
    char AUTO_FREE *home = NULL;
    enum err_code rc = codec_load_long(fields, ARRAY_LEN(fields), path, &record, err);

    if (rc != ERR_OK)
        return rc;
    home = mem_printf("%s" SUFFIX, record.name);
    if (strcmp(home, file) != 0)
        return err_set(err, ERR_INPUT, "%s: it belongs into a file named \"%s\"", path, home);
    if (record.domains.count == 0)
        return err_set(err, ERR_INPUT, "%s: it has no domains", path);
    *out = record;
    record = (struct certificate_record){.generation = 0};
    return ERR_OK;
}

enum err_code certificate_noted_generation(const struct store *store, const char *name, int64_t *out, struct err *err)
{
    struct certificate_record AUTO(certificate_record_done) record = {.generation = 0};
    char AUTO_FREE *file = mem_printf("%s" SUFFIX, name);
    char AUTO_FREE *path = store_part_path(store, &certificate_part, file);
    enum err_code rc = load_file(path, file, &record, err);

    if (rc == ERR_OK)
        *out = record.generation;
    else if (rc == ERR_NOT_FOUND)
        *out = 0;
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

/* ------------------------------------------------------------------ one and all */

enum err_code certificate_load(struct store *store, const char *name, struct certificate_record *out, struct err *err)
{
    char AUTO_FREE *what = mem_printf("no certificate \"%s\"", name);
    char AUTO_FREE *file = mem_printf("%s" SUFFIX, name);
    char AUTO_FREE *path = store_part_path(store, &certificate_part, file);
    struct err why;
    enum err_code rc = certificate_name_is_good(name) ? load_file(path, file, out, &why)
                                                      : err_set(&why, ERR_NOT_FOUND, "no name");

    return rc == ERR_OK ? rc : record_failed(store, &certificate_part, file, &why, what, err);
}

static enum err_code make_text(const struct certificate_record *record, struct record_text *out, struct err *err)
{
    enum err_code rc = certificate_check_name(record->name, err);

    out->text = BUF_INIT(CODEC_LONG_FILE_MAX);
    out->file = mem_printf("%s" SUFFIX, record->name);
    if (rc == ERR_OK && record->domains.count == 0)
        rc = err_set(err, ERR_INTERNAL, "could not note the certificate \"%s\": it has no domains", record->name);
    return rc == ERR_OK
               ? codec_format(fields, ARRAY_LEN(fields), record, "could not note the certificate", &out->text, err)
               : rc;
}

void certificate_save_all(struct store *store, struct certificate_record *const *records, size_t count,
                          struct err *outcomes)
{
    struct record_text *texts = mem_calloc(count, sizeof *texts);

    for (size_t i = 0; i < count; i++) {
        err_settle(&outcomes[i], make_text(records[i], &texts[i], &outcomes[i]));
        if (outcomes[i].code == ERR_OK)
            err_settle(&outcomes[i], record_directory_ready(store, KIND, &outcomes[i]));
    }
    record_write_all(store, &certificate_part, texts, count, outcomes);
    record_texts_free(texts, count);
}

enum err_code certificate_save(struct store *store, const struct certificate_record *record, struct err *err)
{
    struct certificate_record borrowed = *record;
    struct certificate_record *const records[] = {&borrowed};
    struct err outcome;

    certificate_save_all(store, records, 1, &outcome);
    if (outcome.code != ERR_OK && err)
        *err = outcome;
    return outcome.code;
}

/* Sorted again, as with the suffix "a-b" comes before "a". */
enum err_code certificate_names(struct store *store, struct strlist *out, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    enum err_code rc = record_list(store, &certificate_part, &files, err);

    if (rc != ERR_OK)
        return rc;
    strlist_done(out);
    for (size_t i = 0; i < files.count; i++)
        strlist_add_take(out, mem_strndup(files.items[i], strlen(files.items[i]) - strlen(SUFFIX)));
    strlist_sort(out);
    return ERR_OK;
}

static int compare_records(const void *a, const void *b)
{
    const struct certificate_record *x = a;
    const struct certificate_record *y = b;

    return strcmp(x->name, y->name);
}

enum err_code certificate_list(struct store *store, struct certificate_list *out, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    struct certificate_list AUTO(certificate_list_done) list = {NULL, 0};
    enum err_code rc = record_list(store, &certificate_part, &files, err);

    list.items = mem_calloc(files.count, sizeof *list.items);
    for (size_t i = 0; i < files.count && rc == ERR_OK; i++) {
        char AUTO_FREE *path = store_part_path(store, &certificate_part, files.items[i]);
        struct err why;

        if (load_file(path, files.items[i], &list.items[list.count], &why) == ERR_OK)
            list.count++;
        else if (damage_handle(store, &certificate_part, files.items[i], &why) != ERR_OK)
            rc = err_set(err, why.code, "%s", why.msg);
    }
    if (rc != ERR_OK)
        return rc;
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_records);
    *out = list;
    list = (struct certificate_list){NULL, 0};
    return ERR_OK;
}

enum err_code certificate_lock(struct store *store, const char *name, int64_t timeout_ms, struct platform_lock **out,
                               struct err *err)
{
    char AUTO_FREE *lock = mem_printf("certificate-%s", name);
    enum err_code rc = store_lock(store, lock, timeout_ms, out, err);

    return rc == ERR_OK ? rc : err_prefix(err, rc, "certificate \"%s\"", name);
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct certificate_record AUTO(certificate_record_done) record = {.generation = 0};
    enum err_code rc = load_file(path, file, &record, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = record.issued_ms;
    *out_what = mem_printf("certificate \"%s\"", record.name);
    return ERR_OK;
}

static char *consequence(UNUSED const char *text)
{
    return mem_strdup(
        "the certificate stays in use, but is not renewed until it is asked for again (\"acme-dme issue\")");
}

const struct store_part certificate_part = {
    .kind = KIND,
    .item = STORE_ITEM_CERTIFICATE,
    .when_good = STORE_KEPT,
    .is_ours = certificate_is_record_file,
    .check = check_file,
    .consequence = consequence,
};
