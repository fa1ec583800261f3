/* SPDX-License-Identifier: MIT
 *
 * What the records of accounts, certificates and orders have in common.  Unlike zones and results they can't be had
 * again by asking, so that a record which a newer acme-dme has written is an error, and is not written over.
 */
#include <stdlib.h>

#include "store/internal.h"

enum err_code record_directory_ready(struct store *store, const char *kind, struct err *err)
{
    char AUTO_FREE *dir = mem_printf("%s/%s", store->dir, kind);

    if (store->read_only)
        return err_set(err, ERR_INTERNAL, "could not write to \"%s\": it was opened for reading only", dir);
    return store_directory_ready(dir, err);
}

enum err_code record_write(struct store *store, const struct store_part *part, const char *file, const struct buf *text,
                           struct err *err)
{
    char AUTO_FREE *path = store_part_path(store, part, file);
    char AUTO_FREE *dir = mem_printf("%s/%s", store->dir, part->kind);

    platform_dir_sweep(dir, clock_wall_ms(store->clock), STORE_TEMP_MAX_AGE_MS);
    return platform_file_replace(path, buf_cstr(text), text->len, err);
}

void record_texts_free(struct record_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i].file);
        buf_done(&texts[i].text);
    }
    free(texts);
}

void record_files_replace(const struct platform_file_write *writes, size_t count, struct err *outcomes)
{
    struct err err;
    enum err_code rc = count ? platform_files_write(writes, count, PLATFORM_REPLACE, &err) : ERR_OK;

    for (size_t i = 0; i < count; i++) {
        err_init(&outcomes[i]);
        if (rc != ERR_OK && count == 1)
            outcomes[i] = err;
        else if (rc != ERR_OK)
            err_settle(&outcomes[i], platform_files_write(&writes[i], 1, PLATFORM_REPLACE, &outcomes[i]));
    }
}

void record_write_all(struct store *store, const struct store_part *part, const struct record_text *texts, size_t count,
                      struct err *outcomes)
{
    char AUTO_FREE *dir = mem_printf("%s/%s", store->dir, part->kind);
    struct platform_file_write AUTO_FREE *writes = mem_calloc(count, sizeof *writes);
    struct err AUTO_FREE *written = mem_calloc(count, sizeof *written);
    struct strlist AUTO_STRLIST paths = {NULL, 0};
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (outcomes[i].code != ERR_OK)
            continue;
        strlist_add_take(&paths, store_part_path(store, part, texts[i].file));
        writes[n] = (struct platform_file_write){
            .path = paths.items[n], .data = buf_cstr(&texts[i].text), .len = texts[i].text.len};
        n++;
    }
    if (n) /* looking through a directory of thousands is not for nothing */
        platform_dir_sweep(dir, clock_wall_ms(store->clock), STORE_TEMP_MAX_AGE_MS);
    record_files_replace(writes, n, written);
    for (size_t i = 0, k = 0; i < count; i++)
        if (outcomes[i].code == ERR_OK)
            outcomes[i] = written[k++];
}

enum err_code record_failed(struct store *store, const struct store_part *part, const char *file, struct err *why,
                            const char *what, struct err *err)
{
    switch (why->code) {
    case ERR_NOT_FOUND:
        return err_set(err, ERR_NOT_FOUND, "there is %s", what);
    case ERR_INPUT:
        (void)err_set(err, ERR_NOT_FOUND, "there is %s any more: its file was damaged (%s)", what, why->msg);
        return damage_handle(store, part, file, why) == ERR_OK ? ERR_NOT_FOUND : ERR_IO;
    case ERR_DECLINED:
        (void)err_set(err, ERR_IO, "%s", why->msg);
        err_hint(err, "Use that acme-dme, or the newest; this one does not change what it does not understand.");
        return ERR_IO;
    default:
        break;
    }
    if (err)
        *err = *why;
    return why->code;
}

enum err_code record_list(const struct store *store, const struct store_part *part, struct strlist *out,
                          struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    char AUTO_FREE *dir = mem_printf("%s/%s", store->dir, part->kind);
    enum err_code rc = platform_dir_list(dir, &files, err);

    for (size_t i = 0; i < files.count; i++)
        if (part->is_ours(files.items[i]))
            strlist_add(out, files.items[i]);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}
