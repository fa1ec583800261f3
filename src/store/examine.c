/* SPDX-License-Identifier: MIT
 *
 * A look at the whole state directory.
 */
#include "store/internal.h"

#define LOCK_WAIT_MS 5000
#define TRIAL_BYTES 4096 /* a block: an empty file fits on a full disk */

/* ------------------------------------------------------------------ files */

/* What one file adds; for the journal the oldest is of interest. */
static enum err_code examine_file(struct store *store, const struct store_part *part, const char *file, size_t *count,
                                  struct store_examination *out, struct err *err)
{
    char AUTO_FREE *path = store_part_path(store, part, file);
    char AUTO_FREE *what = NULL;
    int64_t at_ms;
    struct err why;
    enum err_code rc = part->check(path, file, &at_ms, &what, &why);

    if (rc == ERR_OK) {
        if (part == &journal_part && (*count == 0 || at_ms < out->journal_oldest_ms))
            out->journal_oldest_ms = at_ms;
        ++*count;
        return ERR_OK;
    }
    if (rc == ERR_INPUT && store->read_only)
        out->damaged++;
    if (rc == ERR_NOT_FOUND || rc == ERR_INPUT || rc == ERR_DECLINED)
        return damage_handle(store, part, file, &why);
    if (err)
        *err = why;
    return rc;
}

static enum err_code examine_part(struct store *store, const struct store_part *part, size_t *count,
                                  struct store_examination *out, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    enum err_code rc = record_list(store, part, &files, err);

    for (size_t i = 0; i < files.count && rc == ERR_OK; i++)
        rc = examine_file(store, part, files.items[i], count, out, err);
    return rc;
}

static enum err_code count_set_aside(const struct store *store, size_t *count, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    enum err_code rc = platform_dir_list(store->damaged_dir, &files, err);

    *count += files.count;
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

/* ------------------------------------------------------------------ trials */

/* Under the name of a temporary file, so that one that a kill leaves behind is swept like any other. */
static enum err_code try_to_write(const struct store *store, struct err *err)
{
    static const char content[TRIAL_BYTES];
    char AUTO_FREE *path = mem_printf("%s/.acme-dme-trial.tmp", store->journal_dir);
    enum err_code rc = platform_file_replace(path, content, sizeof content, err);

    return rc == ERR_OK ? platform_file_remove(path, err) : rc;
}

static enum err_code try_to_lock(struct store *store, struct err *err)
{
    struct platform_lock AUTO(platform_lock_free_auto) *lock = NULL;

    return store_lock(store, "examine", LOCK_WAIT_MS, &lock, err);
}

/* ------------------------------------------------------------------ whole */

static enum err_code examine_parts(struct store *store, struct store_examination *found, struct err *err)
{
    const struct {
        const struct store_part *part;
        size_t *count;
    } parts[] = {
        {&journal_part, &found->journal_entries},
        {&deferred_part, &found->deferred},
        {&zone_memo_part, &found->zones},
        {&result_part, &found->results},
        {&account_part, &found->accounts},
        {&certificate_part, &found->certificates},
        {&order_part, &found->orders},
        {&budget_part, &found->budgets},
    };
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < ARRAY_LEN(parts) && rc == ERR_OK; i++)
        rc = examine_part(store, parts[i].part, parts[i].count, found, err);
    return rc;
}

enum err_code store_examine(struct store *store, struct store_examination *out, struct err *err)
{
    struct store_examination found = {.damaged = 0};
    enum err_code rc = examine_parts(store, &found, err);

    if (rc == ERR_OK)
        rc = count_set_aside(store, &found.damaged, err);
    if (rc == ERR_OK)
        rc = platform_free_bytes(store->dir, &found.free_bytes, err);
    if (rc == ERR_OK && !store->read_only)
        rc = try_to_write(store, err);
    if (rc == ERR_OK && !store->read_only)
        rc = try_to_lock(store, err);
    if (rc == ERR_OK)
        *out = found;
    return rc;
}
