/* SPDX-License-Identifier: MIT
 *
 * Opening the state directory.  A hook does this each time it is started, so it costs a handful of system
 * calls and no write: that the disk is full shows when the journal is written, which is before anything is
 * published.
 */
#include "store/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "util/text.h"

#define READABLE_MAX 100
#define HASH_LEN 16
#define SUFFIX ".json"

void store_free_auto(struct store **store)
{
    store_free(*store);
}

static void advise(struct err *err)
{
    err_hint(err, "Set \"state_dir\" to a directory that this user can write to, or \"journal: none\" to do without "
                  "one (records of killed runs then stay behind).");
}

static enum err_code refuse(const char *dir, const char *why, struct err *err)
{
    (void)err_set(err, ERR_IO, "could not use the state directory \"%s\": %s", dir, why);
    advise(err);
    return ERR_IO;
}

static enum err_code check_writable(const char *dir, const struct platform_dir_info *info, struct err *err)
{
    switch (info->access) {
    case PLATFORM_DIR_WRITABLE:
        return ERR_OK;
    case PLATFORM_DIR_READ_ONLY:
        return refuse(dir, "its file system is mounted read-only", err);
    case PLATFORM_DIR_DENIED:
        break;
    }
    return refuse(dir, "no permission to write to it", err);
}

static enum err_code refuse_owner(const char *dir, const char *what, struct err *err)
{
    (void)err_set(err, ERR_IO, "could not use the state directory \"%s\": %s belongs to another user", dir, what);
    err_hint(err,
             "Run as the user that it belongs to, give it to the user you run as (%s), or set \"state_dir\" to another "
             "directory.",
             platform_advice_owner_program());
    return ERR_IO;
}

/* Whoever can write there could have us delete records, or send us to other zones. */
static enum err_code check_safe(const char *dir, const struct platform_dir_info *info, struct err *err)
{
    if (!info->owner_is_trusted)
        return refuse_owner(dir, "it", err);
    if (!info->above_is_trusted)
        return refuse_owner(dir, "the directory above it", err);
    if (info->others_can_write) {
        char AUTO_FREE *mode = platform_advice_mode(info->mode);
        char AUTO_FREE *command = platform_advice_dir_no_write(dir);

        (void)err_set(err, ERR_IO, "could not use the state directory \"%s\": others can write to it%s", dir, mode);
        err_hint(err, "Run: %s", command);
        return ERR_IO;
    }
    return ERR_OK;
}

enum err_code store_directory_ready(const char *dir, struct err *err)
{
    struct platform_dir_info info;
    enum err_code rc = platform_dir_inspect(dir, &info, err);

    if (rc == ERR_NOT_FOUND) {
        rc = platform_dir_make(dir, err);
        if (rc == ERR_OK)
            rc = platform_dir_inspect(dir, &info, err);
    }
    if (rc != ERR_OK) {
        advise(err);
        return ERR_IO;
    }
    rc = check_safe(dir, &info, err);
    return rc == ERR_OK ? check_writable(dir, &info, err) : rc;
}

/* The state directory itself is the operator's choice; what is in it is ours to put right. */
static void advise_reset(const char *dir, struct err *err)
{
    struct platform_path_info info;

    if (platform_path_look(dir, &info, NULL) == ERR_OK && info.kind != PLATFORM_PATH_DIRECTORY &&
        !info.leads_to_directory)
        err_hint(err, "Run \"acme-dme reset --state\": it sets aside what stands in the directory's place.");
}

struct store *store_new(const char *dir, struct clock *clock, struct log *log)
{
    struct store *store = mem_zalloc(sizeof *store);

    store->dir = mem_strdup(dir);
    store->journal_dir = mem_printf("%s/journal", dir);
    store->zones_dir = mem_printf("%s/zones", dir);
    store->results_dir = mem_printf("%s/results", dir);
    store->damaged_dir = mem_printf("%s/damaged", dir);
    store->lock_dir = mem_printf("%s/lock", dir);
    store->clock = clock;
    store->log = log;
    return store;
}

enum err_code store_open(const char *dir, struct clock *clock, struct log *log, struct store **out, struct err *err)
{
    struct store AUTO(store_free_auto) *store = store_new(dir, clock, log);
    const char *directories[4];
    int64_t now_ms = clock_wall_ms(clock);

    directories[0] = store->dir;
    directories[1] = store->journal_dir;
    directories[2] = store->zones_dir;
    directories[3] = store->lock_dir;
    for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
        enum err_code rc = store_directory_ready(directories[i], err);

        if (rc != ERR_OK) {
            if (i > 0)
                advise_reset(directories[i], err);
            return rc;
        }
    }
    platform_dir_sweep(store->journal_dir, now_ms, STORE_TEMP_MAX_AGE_MS);
    platform_dir_sweep(store->zones_dir, now_ms, STORE_TEMP_MAX_AGE_MS);
    *out = store;
    store = NULL;
    return ERR_OK;
}

enum err_code store_open_readonly(const char *dir, struct clock *clock, struct log *log, struct store **out,
                                  struct err *err)
{
    struct strlist AUTO_STRLIST names = {NULL, 0};
    enum err_code rc = platform_dir_list(dir, &names, err);

    if (rc == ERR_NOT_FOUND) {
        (void)err_set(err, ERR_NOT_FOUND, "there is no state directory \"%s\"", dir);
        err_hint(err, "The first call of a hook makes it; set \"state_dir\" to the one that the hooks use.");
    }
    if (rc != ERR_OK)
        return rc;
    *out = store_new(dir, clock, log);
    (*out)->read_only = true;
    return ERR_OK;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    free(store->dir);
    free(store->journal_dir);
    free(store->zones_dir);
    free(store->results_dir);
    free(store->damaged_dir);
    free(store->lock_dir);
    free(store);
}

const char *store_dir(const struct store *store)
{
    return store->dir;
}

/* ------------------------------------------------------------------ file names */

static bool is_file_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || text_is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* FNV-1a, 64 bits, the terminating NULs included so that ("a", "b") is not ("ab", "").  Two that meet are
 * told apart by what is in the file. */
static uint64_t hash_parts(const char *const *parts, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < count; i++)
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
            if (!*at)
                break;
        }
    return hash;
}

static char *readable_name(const char *const *parts, size_t count)
{
    struct buf AUTO_BUF name = BUF_INIT(READABLE_MAX);
    bool is_whole = count == 1 && strlen(parts[0]) <= READABLE_MAX && parts[0][0] != '\0' && parts[0][0] != '.';
    uint64_t hash = hash_parts(parts, count);

    for (const char *at = parts[0]; *at && buf_ok(&name); at++) {
        is_whole = is_whole && is_file_name_char(*at);
        buf_putc(&name, is_file_name_char(*at) && *at != '.' ? *at : *at == '.' && name.len > 0 ? '.' : '_');
    }
    if (is_whole)
        return buf_take(&name);
    return mem_printf("%s-%016" PRIx64, buf_cstr(&name), hash);
}

char *store_file_name(const char *const *parts, size_t count)
{
    char *name = readable_name(parts, count);
    char *longer;

    if (platform_name_is_possible(name))
        return name;
    longer = mem_printf("_%s", name);
    free(name);
    return longer;
}

bool store_is_file_name(const char *file)
{
    size_t len = strlen(file);
    size_t tail = strlen("-" SUFFIX) + HASH_LEN;

    if (len < tail || file[0] == '.' || !text_ends_with(file, SUFFIX) || file[len - tail] != '-')
        return false;
    for (size_t i = len - tail + 1; i < len - strlen(SUFFIX); i++)
        if (!text_is_hex(file[i]))
            return false;
    return true;
}

char *store_part_path(const struct store *store, const struct store_part *part, const char *file)
{
    return mem_printf("%s/%s/%s", store->dir, part->kind, file);
}

/* ------------------------------------------------------------------ locks */

enum err_code store_lock(struct store *store, const char *name, int64_t timeout_ms, struct platform_lock **out,
                         struct err *err)
{
    char AUTO_FREE *file = store_file_name(&name, 1);
    char AUTO_FREE *path = mem_printf("%s/%s.lock", store->lock_dir, file);

    return platform_lock_take(path, timeout_ms, store->clock, out, err);
}
