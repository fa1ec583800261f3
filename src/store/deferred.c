/* SPDX-License-Identifier: MIT
 *
 * Deferred work: one file for each record.  Files that nobody reads, modifies and writes back, so that hooks side by
 * side need no lock.
 *
 * They are not synced, as a call that leaves its work to a later one should cost next to nothing.  What a power failure
 * takes away was for a client that it ended as well: nothing is published yet, and what is to be withdrawn is in the
 * journal.
 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define SUFFIX ".json"

static const char *action_name(int action)
{
    static const char *const names[] = {[DEFERRED_PUBLISH] = "publish", [DEFERRED_WITHDRAW] = "withdraw"};

    return action >= 0 && (size_t)action < ARRAY_LEN(names) ? names[action] : NULL;
}

_Static_assert(sizeof(enum deferred_action) == sizeof(int), "the codec takes it for an int");

/* clang-format off */
#define FIELD(key, type, max, choice) {#key, type, offsetof(struct deferred_entry, key), max, choice}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(action, CODEC_CHOICE, 0, action_name),
    FIELD(run_id, CODEC_TEXT, 128, NULL),
    FIELD(batch, CODEC_OPTIONAL, 128, NULL),
    FIELD(position, CODEC_NUMBER, 0, NULL),
    FIELD(name, CODEC_NAME, 0, NULL),
    FIELD(value, CODEC_TEXT, 4096, NULL),
    FIELD(created_ms, CODEC_NUMBER, 0, NULL),
};

static void entry_done(struct deferred_entry *entry)
{
    free(entry->run_id);
    free(entry->batch);
    free(entry->name);
    free(entry->value);
    *entry = (struct deferred_entry){.action = DEFERRED_PUBLISH};
}

void deferred_list_done(struct deferred_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        entry_done(&list->items[i]);
    free(list->items);
    *list = (struct deferred_list){NULL, 0};
}

/* ------------------------------------------------------------------ files */

static char *file_of(const char *run_id, const char *name, const char *value)
{
    const char *const parts[] = {name, value, run_id};
    char AUTO_FREE *file = store_file_name(parts, ARRAY_LEN(parts));

    return mem_printf("%s" SUFFIX, file);
}

static enum err_code load(const char *path, const char *file, struct deferred_entry *out, struct err *err)
{
    struct deferred_entry AUTO(entry_done) entry = {.action = DEFERRED_PUBLISH};
    char AUTO_FREE *home = NULL;
    enum err_code rc = codec_load(fields, ARRAY_LEN(fields), path, &entry, err);

    if (rc != ERR_OK)
        return rc;
    home = file_of(entry.run_id, entry.name, entry.value);
    if (strcmp(home, file) != 0)
        return err_set(err, ERR_INPUT, "%s: it belongs into a file named \"%s\"", path, home);
    *out = entry;
    entry = (struct deferred_entry){.action = DEFERRED_PUBLISH};
    return ERR_OK;
}

/* Load the entry of a file into *out; ERR_NOT_FOUND when there is none that can be used. */
static enum err_code load_usable(struct store *store, const char *file, struct deferred_entry *out, struct err *err)
{
    char AUTO_FREE *path = store_part_path(store, &deferred_part, file);
    struct err why;
    enum err_code rc = load(path, file, out, &why);

    if (rc == ERR_OK)
        return ERR_OK;
    rc = damage_handle(store, &deferred_part, file, &why);
    return rc == ERR_OK ? err_set(err, ERR_NOT_FOUND, "there is no \"%s\"", path) : err_set(err, rc, "%s", why.msg);
}

enum err_code deferred_save(struct store *store, const struct deferred_entry *entry, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CODEC_FILE_MAX);
    char AUTO_FREE *file = NULL;
    char AUTO_FREE *path = NULL;
    enum err_code rc = codec_format(fields, ARRAY_LEN(fields), entry, "could not leave work to a later call", &text,
                                    err);

    if (rc == ERR_OK)
        rc = record_directory_ready(store, deferred_part.kind, err);
    if (rc != ERR_OK)
        return rc;
    file = file_of(entry->run_id, entry->name, entry->value);
    path = store_part_path(store, &deferred_part, file);
    return platform_files_write(&(struct platform_file_write){.path = path, .data = buf_cstr(&text), .len = text.len},
                                1, PLATFORM_REPLACE_UNSYNCED, err);
}

enum err_code deferred_find(struct store *store, const char *run_id, const char *name, const char *value,
                            enum deferred_action *out, struct err *err)
{
    struct deferred_entry AUTO(entry_done) entry = {.action = DEFERRED_PUBLISH};
    char AUTO_FREE *file = file_of(run_id, name, value);
    enum err_code rc = load_usable(store, file, &entry, err);

    if (rc == ERR_OK)
        *out = entry.action;
    return rc;
}

enum err_code deferred_remove(struct store *store, const struct deferred_entry *entry, struct err *err)
{
    char AUTO_FREE *file = file_of(entry->run_id, entry->name, entry->value);
    char AUTO_FREE *path = store_part_path(store, &deferred_part, file);

    return platform_file_remove(path, err);
}

/* ------------------------------------------------------------------ loading */

static int compare_entries(const void *a, const void *b)
{
    const struct deferred_entry *x = a;
    const struct deferred_entry *y = b;
    int order = x->created_ms == y->created_ms ? 0 : x->created_ms < y->created_ms ? -1 : 1;

    if (order == 0 && x->position != y->position)
        order = x->position > y->position ? -1 : 1;
    return order ? order : strcmp(x->name, y->name);
}

/* Append the entry of one file, if there is one and it is of the run. */
static enum err_code add_file(struct store *store, const char *file, const char *run_id, struct deferred_list *list,
                              struct err *err)
{
    struct deferred_entry *entry = &list->items[list->count];
    enum err_code rc = load_usable(store, file, entry, err);

    if (rc != ERR_OK)
        return rc == ERR_NOT_FOUND ? ERR_OK : rc;
    if (run_id && strcmp(entry->run_id, run_id) != 0)
        entry_done(entry);
    else
        list->count++;
    return ERR_OK;
}

enum err_code deferred_load(struct store *store, const char *run_id, struct deferred_list *out, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    struct deferred_list AUTO(deferred_list_done) list = {NULL, 0};
    char AUTO_FREE *dir = mem_printf("%s/%s", store->dir, deferred_part.kind);
    enum err_code rc = record_list(store, &deferred_part, &files, err);

    if (!store->read_only)
        platform_dir_sweep(dir, clock_wall_ms(store->clock), STORE_TEMP_MAX_AGE_MS);
    list.items = mem_calloc(files.count, sizeof *list.items);
    for (size_t i = 0; i < files.count && rc == ERR_OK; i++)
        rc = add_file(store, files.items[i], run_id, &list, err);
    if (rc != ERR_OK)
        return rc;
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_entries);
    *out = list;
    list = (struct deferred_list){NULL, 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct deferred_entry AUTO(entry_done) entry = {.action = DEFERRED_PUBLISH};
    enum err_code rc = load(path, file, &entry, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = entry.created_ms;
    *out_what = mem_printf("%s \"%s\", left to the last call of its run", action_name((int)entry.action), entry.name);
    return ERR_OK;
}

static char *consequence(UNUSED const char *text)
{
    return mem_strdup("if an ACME client is at work it may have to be started again");
}

const struct store_part deferred_part = {
    .kind = "deferred",
    .item = STORE_ITEM_DEFERRED,
    .when_good = STORE_KEPT,
    .is_ours = store_is_file_name,
    .check = check_file,
    .consequence = consequence,
};
