/* SPDX-License-Identifier: MIT
 *
 * The state directory is brought into order:
 *
 *   1. what stands where a directory of ours should be is set aside, and the directory made;
 *   2. under the lock of a sweep, each file of the journal, of deferred work, of the remembered zones, of the results,
 *      of the request budgets and of the records of accounts, certificates and orders is looked at: damaged ones are
 *      set aside, zones, results and budgets go, as they come again by themselves, the others stay;
 *   3. keys and the files of certificates are not touched, and whatever else is there is none of our business.
 *
 * Hooks may be at work meanwhile: nothing that one of them needs is taken away, see damage.c.
 */
#include <string.h>

#include "store/internal.h"
#include "util/text.h"

#define LOCK_WAIT_MS 60000

struct reset {
    struct store *store;
    const struct store_reset_opts *opts;
    struct err first; /* of the files that were left as they are; code ERR_OK: none */
};

static bool is_dry(const struct reset *r)
{
    return r->opts->mode == STORE_RESET_DRY_RUN;
}

static void report(const struct reset *r, const char *dir, const char *file, enum store_item item,
                   enum store_reset_outcome outcome, const char *why)
{
    char AUTO_FREE *name = dir ? mem_printf("%s/%s", dir, file) : mem_strdup(file);

    if (r->opts->report)
        r->opts->report(r->opts->ctx,
                        &(struct store_reset_report){.file = name, .item = item, .outcome = outcome, .why = why});
}

/* A file that can't be dealt with does not keep us from the others. */
static void note_failure(struct reset *r, const char *dir, const char *file, enum store_item item,
                         const struct err *why)
{
    report(r, dir, file, item, STORE_KEPT, why->msg);
    if (r->first.code == ERR_OK)
        r->first = *why;
}

/* ------------------------------------------------------------------ layout */

/* Something is where a directory should be.  For damaged/ itself there is no damaged/ to move it to: it steps aside
 * first. */
static enum err_code clear_way(struct reset *r, const char *path, const char *name, struct err *err)
{
    char AUTO_FREE *aside = mem_printf("%s.%lld", path, (long long)clock_wall_ms(r->store->clock));
    char AUTO_FREE *as = NULL;
    const char *from = path;
    enum err_code rc = ERR_OK;

    if (is_dry(r)) {
        report(r, NULL, name, STORE_ITEM_DIRECTORY, STORE_SET_ASIDE, "it is no directory");
        return ERR_OK;
    }
    if (strcmp(path, r->store->damaged_dir) == 0) {
        rc = platform_path_move(path, aside, err);
        from = aside;
    }
    if (rc == ERR_OK)
        rc = damage_move(r->store, from, "state", name, &as, err);
    if (rc == ERR_OK)
        report(r, NULL, name, STORE_ITEM_DIRECTORY, STORE_SET_ASIDE, "it is no directory");
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

static enum err_code clear_directory(struct reset *r, const char *path, const char *name, struct err *err)
{
    struct platform_path_info info;
    enum err_code rc = platform_path_look(path, &info, err);

    if (rc == ERR_OK && info.kind != PLATFORM_PATH_DIRECTORY && !info.leads_to_directory)
        rc = clear_way(r, path, name, err);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

/* What we keep files in; the last five are made when they are needed. */
static const struct {
    const char *name;
    bool is_made;
} directories[] = {
    {"damaged", true},   {"lock", true},      {"journal", true},  {"zones", true},   {"results", true},
    {"deferred", false}, {"accounts", false}, {"renewal", false}, {"orders", false}, {"budget", false},
};

static enum err_code set_up(struct reset *r, struct err *err)
{
    enum err_code rc = is_dry(r) ? ERR_OK : store_directory_ready(r->store->dir, err);

    for (size_t i = 0; i < ARRAY_LEN(directories) && rc == ERR_OK; i++) {
        char AUTO_FREE *path = mem_printf("%s/%s", r->store->dir, directories[i].name);

        rc = clear_directory(r, path, directories[i].name, err);
        if (rc == ERR_OK && directories[i].is_made && !is_dry(r))
            rc = store_directory_ready(path, err);
    }
    return rc;
}

/* ------------------------------------------------------------------ files of ours */

static void keep_or_drop(struct reset *r, const struct store_part *part, const char *file, const char *path,
                         const char *what)
{
    struct err err;

    if (part->when_good == STORE_KEPT)
        report(r, part->kind, file, part->item, STORE_KEPT, what);
    else if (is_dry(r) || platform_file_remove(path, &err) == ERR_OK)
        report(r, part->kind, file, part->item, STORE_DROPPED, what);
    else
        note_failure(r, part->kind, file, part->item, &err);
}

/* Errors begin with the path, which the report tells anyway. */
static char *without_path(const struct err *why, const char *path)
{
    const char *rest = why->msg + strlen(path);

    if (!text_starts_with(why->msg, path))
        return mem_strdup(why->msg);
    return text_starts_with(rest, ": ") ? mem_strdup(rest + 2) : mem_printf("it%s", rest);
}

static void set_aside(struct reset *r, const struct store_part *part, const char *file, const char *why)
{
    char AUTO_FREE *as = NULL;
    char AUTO_FREE *consequence = NULL;
    char AUTO_FREE *text = NULL;
    struct err err;
    enum err_code rc = ERR_OK;

    if (!is_dry(r))
        rc = damage_set_aside(r->store, part, file, &as, &consequence, &err);
    if (rc == ERR_NOT_FOUND)
        return;
    if (rc != ERR_OK) {
        note_failure(r, part->kind, file, part->item, &err);
        return;
    }
    text = consequence ? mem_printf("%s; %s", why, consequence) : mem_strdup(why);
    report(r, part->kind, file, part->item, STORE_SET_ASIDE, text);
}

static void reset_file(struct reset *r, const struct store_part *part, const char *file)
{
    char AUTO_FREE *path = store_part_path(r->store, part, file);
    char AUTO_FREE *what = NULL;
    char AUTO_FREE *text = NULL;
    int64_t at_ms;
    struct err why;
    enum err_code rc = part->check(path, file, &at_ms, &what, &why);

    if (rc != ERR_OK)
        text = without_path(&why, path);
    switch (rc) {
    case ERR_OK:
        keep_or_drop(r, part, file, path, what);
        break;
    case ERR_NOT_FOUND:
        break;
    case ERR_INPUT:
        set_aside(r, part, file, text);
        break;
    case ERR_DECLINED:
        report(r, part->kind, file, part->item, STORE_KEPT, text);
        break;
    default:
        note_failure(r, part->kind, file, part->item, &why);
        break;
    }
}

/* A young one belongs to a call that is at work. */
static void reset_temporary(struct reset *r, const struct store_part *part, const char *file)
{
    char AUTO_FREE *path = store_part_path(r->store, part, file);
    struct platform_path_info info;
    struct err err;
    enum err_code rc = platform_path_look(path, &info, &err);

    if (rc == ERR_NOT_FOUND)
        return;
    if (rc == ERR_OK && clock_wall_ms(r->store->clock) - info.changed_ms < STORE_TEMP_MAX_AGE_MS) {
        report(r, part->kind, file, STORE_ITEM_TEMPORARY, STORE_KEPT, "a call that runs now may be writing it");
        return;
    }
    if (rc == ERR_OK && !is_dry(r))
        rc = platform_file_remove(path, &err);
    if (rc == ERR_OK)
        report(r, part->kind, file, STORE_ITEM_TEMPORARY, STORE_DROPPED, "left over by a call that was killed");
    else
        note_failure(r, part->kind, file, STORE_ITEM_TEMPORARY, &err);
}

static enum err_code reset_part(struct reset *r, const struct store_part *part, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    char AUTO_FREE *dir = mem_printf("%s/%s", r->store->dir, part->kind);
    enum err_code rc = platform_dir_list(dir, &files, err);

    if (rc != ERR_OK)
        return rc == ERR_NOT_FOUND || is_dry(r) ? ERR_OK : rc;
    for (size_t i = 0; i < files.count; i++) {
        if (platform_is_temp_name(files.items[i]))
            reset_temporary(r, part, files.items[i]);
        else if (part->is_ours(files.items[i]))
            reset_file(r, part, files.items[i]);
        else if (part->is_key && part->is_key(files.items[i]))
            report(r, part->kind, files.items[i], STORE_ITEM_KEY, STORE_KEPT,
                   "a private key, or what was put away with one");
        else
            report(r, part->kind, files.items[i], STORE_ITEM_UNKNOWN, STORE_KEPT, "not a file of acme-dme");
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ the rest */

/* Lock files stay: one that another process holds would lock nothing any more.  What is no file can't be locked. */
static enum err_code reset_locks(struct reset *r, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    enum err_code rc = platform_dir_list(r->store->lock_dir, &files, err);

    if (rc != ERR_OK)
        return rc == ERR_NOT_FOUND || is_dry(r) ? ERR_OK : rc;
    for (size_t i = 0; i < files.count && rc == ERR_OK; i++) {
        char AUTO_FREE *path = mem_printf("%s/%s", r->store->lock_dir, files.items[i]);
        char AUTO_FREE *as = NULL;
        struct platform_path_info info;

        if (platform_path_look(path, &info, NULL) != ERR_OK || info.kind == PLATFORM_PATH_FILE)
            continue;
        if (!is_dry(r))
            rc = damage_move(r->store, path, "lock", files.items[i], &as, err);
        if (rc == ERR_OK)
            report(r, "lock", files.items[i], STORE_ITEM_LOCK, STORE_SET_ASIDE, "it is no file");
    }
    return rc;
}

static bool is_directory_of_ours(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(directories); i++)
        if (strcmp(directories[i].name, name) == 0)
            return true;
    return false;
}

static void report_other(struct reset *r, const char *name)
{
    if (strcmp(name, "archive") == 0 || strcmp(name, "certs") == 0)
        report(r, NULL, name, STORE_ITEM_KEY, STORE_KEPT, "certificates and their private keys");
    else if (!is_directory_of_ours(name))
        report(r, NULL, name, STORE_ITEM_UNKNOWN, STORE_KEPT, "not a file of acme-dme");
}

static enum err_code report_rest(struct reset *r, struct err *err)
{
    struct strlist AUTO_STRLIST top = {NULL, 0};
    enum err_code rc = platform_dir_list(r->store->dir, &top, err);

    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; i < top.count; i++)
        report_other(r, top.items[i]);
    return ERR_OK;
}

static void report_set_aside(struct reset *r)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};

    if (platform_dir_list(r->store->damaged_dir, &files, NULL) == ERR_OK)
        for (size_t i = 0; i < files.count; i++)
            report(r, "damaged", files.items[i], STORE_ITEM_DAMAGED, STORE_KEPT, "set aside earlier; nothing needs it");
}

/* ------------------------------------------------------------------ whole */

static enum err_code reset_parts(struct reset *r, struct err *err)
{
    static const struct store_part *const parts[] = {&journal_part, &deferred_part,    &zone_memo_part, &result_part,
                                                     &account_part, &certificate_part, &order_part,     &budget_part};
    struct platform_lock AUTO(platform_lock_free_auto) *lock = NULL;
    enum err_code rc = is_dry(r) ? ERR_OK : store_lock(r->store, "sweep", LOCK_WAIT_MS, &lock, err);

    for (size_t i = 0; i < ARRAY_LEN(parts) && rc == ERR_OK; i++)
        rc = reset_part(r, parts[i], err);
    return rc;
}

enum err_code store_reset(const char *dir, const struct store_reset_opts *opts, struct err *err)
{
    struct store AUTO(store_free_auto) *store = store_new(dir, opts->clock, opts->log);
    struct reset r = {.store = store, .opts = opts};
    struct platform_path_info info;
    enum err_code rc = platform_path_look(dir, &info, err);

    if (rc == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no state directory \"%s\"", dir);
    if (rc == ERR_OK)
        report_set_aside(&r);
    if (rc == ERR_OK)
        rc = set_up(&r, err);
    if (rc == ERR_OK)
        rc = reset_locks(&r, err);
    if (rc == ERR_OK)
        rc = reset_parts(&r, err);
    if (rc == ERR_OK)
        rc = report_rest(&r, err);
    if (rc == ERR_OK && r.first.code != ERR_OK) {
        rc = r.first.code;
        if (err)
            *err = r.first;
    }
    return rc;
}
