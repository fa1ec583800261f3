/* SPDX-License-Identifier: MIT
 *
 * The journal: one file for each record of ours that may exist.  Files instead of one log, so that parallel
 * hooks need no lock among themselves, and a damaged entry harms no other.
 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "util/text.h"

#define ID_BYTES 16
#define ID_LEN (2 * ID_BYTES)
#define SUFFIX ".json"

static const char *state_name(int state)
{
    static const char *const names[] = {
        [JOURNAL_INTENDED] = "intended",
        [JOURNAL_PUBLISHED] = "published",
    };

    return state >= 0 && (size_t)state < ARRAY_LEN(names) ? names[state] : NULL;
}

_Static_assert(sizeof(enum journal_state) == sizeof(int), "the codec takes it for an int");

/* clang-format off */
#define FIELD(key, type, max) {#key, type, offsetof(struct journal_entry, key), max, NULL}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(account, CODEC_OPTIONAL, 255),  FIELD(endpoint, CODEC_TEXT, 1024),
    FIELD(zone, CODEC_NAME, 0),           FIELD(zone_id, CODEC_NUMBER, 0),
    FIELD(name, CODEC_NAME, 0),           FIELD(asked_name, CODEC_OPTIONAL, 253),
    FIELD(value, CODEC_TEXT, 4096),       FIELD(record_id, CODEC_NUMBER, 0),
    FIELD(run_id, CODEC_OPTIONAL, 128),   FIELD(created_ms, CODEC_NUMBER, 0),
    FIELD(published_ms, CODEC_NUMBER, 0), {"state", CODEC_CHOICE, offsetof(struct journal_entry, state), 0, state_name},
};

/* ------------------------------------------------------------------ memory */

void journal_entry_done(struct journal_entry *entry)
{
    if (!entry)
        return;
    free(entry->id);
    free(entry->account);
    free(entry->endpoint);
    free(entry->zone);
    free(entry->name);
    free(entry->asked_name);
    free(entry->value);
    free(entry->run_id);
    *entry = (struct journal_entry){.id = NULL};
}

void journal_list_done(struct journal_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        journal_entry_done(&list->items[i]);
    free(list->items);
    *list = (struct journal_list){NULL, 0};
}

void journal_entry_copy(struct journal_entry *out, const struct journal_entry *in)
{
    struct journal_entry copy = *in;

    copy.id = mem_strdup(in->id);
    copy.account = mem_strdup(in->account);
    copy.endpoint = mem_strdup(in->endpoint);
    copy.zone = mem_strdup(in->zone);
    copy.name = mem_strdup(in->name);
    copy.asked_name = mem_strdup(in->asked_name);
    copy.value = mem_strdup(in->value);
    copy.run_id = mem_strdup(in->run_id);
    *out = copy;
}

/* ------------------------------------------------------------------ format */

/* A record is in its zone: an entry that says otherwise would have us look, and delete, where we never were.
 */
static bool is_in_zone(const char *name, const char *zone)
{
    size_t name_len = strlen(name);
    size_t zone_len = strlen(zone);

    return text_ends_with(name, zone) && (name_len == zone_len || name[name_len - zone_len - 1] == '.');
}

enum err_code journal_format(const struct journal_entry *entry, struct buf *out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CODEC_FILE_MAX);
    enum err_code rc = codec_format(fields, ARRAY_LEN(fields), entry, "could not write the journal", &text, err);

    if (rc != ERR_OK)
        return rc;
    if (!is_in_zone(entry->name, entry->zone))
        return err_set(err, ERR_INTERNAL, "could not write the journal: \"%s\" is not in the zone \"%s\"", entry->name,
                       entry->zone);
    buf_append(out, buf_cstr(&text), text.len);
    return buf_ok(out) ? ERR_OK : err_set(err, ERR_INTERNAL, "could not write the journal: the entry is too large");
}

/* What holds of an entry as a whole. */
static enum err_code check_whole(const struct journal_entry *entry, const char *what, struct err *err)
{
    if (!is_in_zone(entry->name, entry->zone))
        return err_set(err, ERR_INPUT, "%s: \"%s\" is not in the zone \"%s\"", what, entry->name, entry->zone);
    return ERR_OK;
}

enum err_code journal_parse(const json_t *json, const char *what, struct journal_entry *out, struct err *err)
{
    struct journal_entry AUTO(journal_entry_done) entry = {.id = NULL};
    enum err_code rc = codec_read(fields, ARRAY_LEN(fields), json, what, &entry, err);

    if (rc == ERR_OK)
        rc = check_whole(&entry, what, err);
    if (rc != ERR_OK)
        return rc;
    *out = entry;
    entry = (struct journal_entry){.id = NULL};
    return ERR_OK;
}

/* ------------------------------------------------------------------ files */

/* Ids become file names, so they are checked wherever they come from. */
static bool is_id(const char *id, size_t len)
{
    if (len != ID_LEN)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!text_is_hex(id[i]))
            return false;
    return true;
}

static char *new_id(struct err *err)
{
    unsigned char random[ID_BYTES];
    char *id;

    if (platform_random(random, sizeof random, err) != ERR_OK)
        return NULL;
    id = mem_calloc(ID_LEN + 1, 1);
    text_hex_into(id, random, sizeof random);
    return id;
}

static enum err_code path_of(const struct store *store, const char *id, char **out, struct err *err)
{
    if (!id || !is_id(id, strlen(id)))
        return err_set(err, ERR_INTERNAL, "could not find a journal entry: \"%s\" is no id", id ? id : "");
    *out = mem_printf("%s/%s" SUFFIX, store->journal_dir, id);
    return ERR_OK;
}

/* Files to be written, and the texts that they are made of. */
struct writing {
    struct platform_file_write *files;
    size_t count;
    struct strlist texts;
};

static void writing_done(struct writing *w)
{
    free(w->files);
    strlist_done(&w->texts);
}

static enum err_code writing_add(struct writing *w, const struct store *store, const char *id,
                                 const struct journal_entry *entry, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CODEC_FILE_MAX);
    struct platform_file_write *file = &w->files[w->count];
    char *path;
    char *data;
    enum err_code rc = journal_format(entry, &text, err);

    if (rc == ERR_OK)
        rc = path_of(store, id, &path, err);
    if (rc != ERR_OK)
        return rc;
    file->len = text.len;
    data = buf_take(&text);
    strlist_add_take(&w->texts, path);
    strlist_add_take(&w->texts, data);
    file->path = path;
    file->data = data;
    w->count++;
    return ERR_OK;
}

static enum err_code update(struct store *store, struct journal_entry *const *entries, size_t count,
                            enum platform_write_mode mode, struct err *err)
{
    struct writing AUTO(writing_done) w = {.files = mem_calloc(count, sizeof *w.files)};

    for (size_t i = 0; i < count; i++) {
        enum err_code rc = writing_add(&w, store, entries[i]->id, entries[i], err);

        if (rc != ERR_OK)
            return rc;
    }
    return platform_files_write(w.files, w.count, mode, err);
}

enum err_code journal_add_all(struct store *store, struct journal_entry *const *entries, size_t count, struct err *err)
{
    struct writing AUTO(writing_done) w = {.files = mem_calloc(count, sizeof *w.files)};
    struct strlist AUTO_STRLIST ids = {NULL, 0};
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < count && rc == ERR_OK; i++) {
        char *id = new_id(err);

        if (!id)
            return ERR_INTERNAL;
        strlist_add_take(&ids, id);
        rc = writing_add(&w, store, id, entries[i], err);
    }
    if (rc == ERR_OK)
        rc = platform_files_write(w.files, w.count, PLATFORM_CREATE, err);
    for (size_t i = 0; i < count && rc == ERR_OK; i++) {
        free(entries[i]->id);
        entries[i]->id = ids.items[i];
        ids.items[i] = NULL;
    }
    return rc;
}

enum err_code journal_update_all(struct store *store, struct journal_entry *const *entries, size_t count,
                                 struct err *err)
{
    return update(store, entries, count, PLATFORM_REPLACE, err);
}

enum err_code journal_confirm(struct store *store, struct journal_entry *const *entries, size_t count, struct err *err)
{
    return update(store, entries, count, PLATFORM_REPLACE_LAZILY, err);
}

enum err_code journal_remove(struct store *store, const char *id, struct err *err)
{
    char AUTO_FREE *path = NULL;
    enum err_code rc = path_of(store, id, &path, err);

    return rc == ERR_OK ? platform_file_remove(path, err) : rc;
}

/* ------------------------------------------------------------------ loading */

static enum err_code load_entry(const char *path, struct journal_entry *out, struct err *err)
{
    struct journal_entry AUTO(journal_entry_done) entry = {.id = NULL};
    enum err_code rc = codec_load(fields, ARRAY_LEN(fields), path, &entry, err);

    if (rc == ERR_OK)
        rc = check_whole(&entry, path, err);
    if (rc != ERR_OK)
        return rc;
    *out = entry;
    entry = (struct journal_entry){.id = NULL};
    return ERR_OK;
}

/* Append the entry of one file, if there is one. */
static enum err_code load_file(struct store *store, const char *file, struct journal_list *list, struct err *err)
{
    char AUTO_FREE *path = store_part_path(store, &journal_part, file);
    struct journal_entry *entry = &list->items[list->count];
    struct err why;

    if (load_entry(path, entry, &why) == ERR_OK) {
        entry->id = mem_strndup(file, ID_LEN);
        list->count++;
        return ERR_OK;
    }
    if (damage_handle(store, &journal_part, file, &why) == ERR_OK)
        return ERR_OK;
    if (err)
        *err = why;
    return why.code;
}

static bool is_entry_file(const char *file)
{
    size_t len = strlen(file);

    return len == ID_LEN + strlen(SUFFIX) && is_id(file, ID_LEN) && text_ends_with(file, SUFFIX);
}

static int compare_entries(const void *a, const void *b)
{
    const struct journal_entry *x = a;
    const struct journal_entry *y = b;

    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

enum err_code journal_load(struct store *store, struct journal_list *out, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    struct journal_list AUTO(journal_list_done) list = {NULL, 0};
    enum err_code rc = platform_dir_list(store->journal_dir, &files, err);

    if (rc != ERR_OK)
        return rc;
    list.items = mem_calloc(files.count, sizeof *list.items);
    for (size_t i = 0; i < files.count && rc == ERR_OK; i++)
        if (is_entry_file(files.items[i]))
            rc = load_file(store, files.items[i], &list, err);
    if (rc != ERR_OK)
        return rc;
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_entries);
    *out = list;
    list = (struct journal_list){NULL, 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, UNUSED const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct journal_entry AUTO(journal_entry_done) entry = {.id = NULL};
    enum err_code rc = load_entry(path, &entry, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = entry.created_ms;
    *out_what = mem_printf("record \"%s\" in zone \"%s\"", entry.name, entry.zone);
    return ERR_OK;
}

/* The host name that stands behind a key in a text that may be anything; NULL if none does.  It goes into a command
 * that is shown, so it is one that a shell leaves alone. */
static char *salvage(const char *text, const char *key)
{
    static const char host_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    static const char space[] = " \t\r\n";
    char AUTO_FREE *quoted = mem_printf("\"%s\"", key);
    char AUTO_FREE *name = NULL;
    const char *at = strstr(text, quoted);
    char *out;

    if (!at)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, space);
    if (*at++ != ':')
        return NULL;
    at += strspn(at, space);
    if (*at++ != '"')
        return NULL;
    name = mem_strndup(at, strspn(at, host_chars));
    if (at[strlen(name)] != '"' || !codec_is_dns_name(name))
        return NULL;
    out = name;
    name = NULL;
    return out;
}

static char *consequence(const char *text)
{
    static const char challenge[] = "_acme-challenge.";
    char AUTO_FREE *name = salvage(text, "name");
    char AUTO_FREE *zone = salvage(text, "zone");
    const char *domain = name   ? name + (text_starts_with(name, challenge) ? strlen(challenge) : 0)
                         : zone ? zone
                                : "DOMAIN";
    char AUTO_FREE *where = name   ? mem_printf(" at \"%s\"", name)
                            : zone ? mem_printf(" in zone \"%s\"", zone)
                                   : mem_strdup("");

    return mem_printf("a TXT record of ours may remain at DNS Made Easy%s: run \"acme-dme check %s\"", where, domain);
}

const struct store_part journal_part = {
    .kind = "journal",
    .item = STORE_ITEM_JOURNAL,
    .when_good = STORE_KEPT,
    .is_ours = is_entry_file,
    .check = check_file,
    .consequence = consequence,
};
