/* SPDX-License-Identifier: MIT
 *
 * Files that can't be understood.  They are moved to damaged/, where they are in nobody's way and nothing is lost, and
 * what that means is said once.
 *
 * Two processes may come across the same file, and a third may write it anew, all without a lock.  The move itself is
 * atomic, so one process has the file and the other finds nothing to do.  It is looked at once more after the move:
 * if it is whole by then, it was written between our look and our move, and goes back.
 */

#include "store/internal.h"

char *damage_date(struct clock *clock)
{
    char iso[CLOCK_HTTP_DATE_MAX];
    struct buf AUTO_BUF text = BUF_INIT(sizeof iso);

    clock_format_iso(iso, clock_wall_ms(clock) / 1000);
    for (const char *at = iso; *at; at++)
        if (*at != '-' && *at != ':')
            buf_putc(&text, *at);
    return buf_take(&text);
}

enum err_code damage_move_to_free(const char *from, const char *to, char **out_as, struct err *err)
{
    enum err_code rc = ERR_EXISTS;

    for (int n = 1; n <= DAMAGE_SAME_NAME_MAX && rc == ERR_EXISTS; n++) {
        char AUTO_FREE *as = n > 1 ? mem_printf("%s.%d", to, n) : mem_strdup(to);

        rc = platform_path_move(from, as, err);
        if (rc == ERR_OK && out_as) {
            *out_as = as;
            as = NULL;
        }
    }
    return rc;
}

enum err_code damage_move(const struct store *store, const char *path, const char *kind, const char *file,
                          char **out_as, struct err *err)
{
    char AUTO_FREE *date = damage_date(store->clock);
    char AUTO_FREE *to = mem_printf("%s/%s-%s-%s", store->damaged_dir, date, kind, file);
    enum err_code rc = store_directory_ready(store->damaged_dir, err);

    if (rc == ERR_OK)
        rc = damage_move_to_free(path, to, out_as, err);
    if (rc == ERR_EXISTS)
        return err_set(err, ERR_IO, "could not move \"%s\" to \"%s\": too many of that name", path, store->damaged_dir);
    return rc;
}

/* It is whole: somebody wrote it while we were about to move it.  If there is a newer one in its place by now, that
 * one says it all. */
static enum err_code move_back(const char *as, const char *path, struct err *err)
{
    enum err_code rc = platform_path_move(as, path, err);

    if (rc == ERR_EXISTS)
        rc = platform_file_remove(as, err);
    return rc == ERR_OK || rc == ERR_NOT_FOUND ? err_set(err, ERR_NOT_FOUND, "\"%s\" is not damaged any more", path)
                                               : rc;
}

enum err_code damage_set_aside(const struct store *store, const struct store_part *part, const char *file,
                               char **out_as, char **out_consequence, struct err *err)
{
    char AUTO_FREE *path = store_part_path(store, part, file);
    char AUTO_FREE *as = NULL;
    char AUTO_FREE *what = NULL;
    struct buf AUTO_BUF rest = BUF_INIT(CODEC_FILE_MAX);
    int64_t at_ms;
    enum err_code rc = damage_move(store, path, part->kind, file, &as, err);

    if (rc != ERR_OK)
        return rc;
    if (part->check(as, file, &at_ms, &what, NULL) != ERR_INPUT)
        return move_back(as, path, err);
    if (platform_file_read_own(as, &rest, NULL) != ERR_OK)
        buf_clear(&rest);
    *out_consequence = part->consequence(buf_cstr(&rest));
    *out_as = as;
    as = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ telling */

static void handle_damaged(struct store *store, const struct store_part *part, const char *file, const struct err *why)
{
    char AUTO_FREE *as = NULL;
    char AUTO_FREE *consequence = NULL;
    struct err err;
    enum err_code rc;

    if (store->read_only) {
        log_line(store->log, LOG_INFO, "%s: damaged: %s, continuing", part->kind, why->msg);
        return;
    }
    rc = damage_set_aside(store, part, file, &as, &consequence, &err);
    if (rc == ERR_OK) {
        log_line(store->log, LOG_WARNING, "%s: damaged: %s; it was set aside as \"%s\"; %s, continuing", part->kind,
                 why->msg, as, consequence);
    } else if (rc != ERR_NOT_FOUND) {
        log_line(store->log, store->has_told_stuck ? LOG_DEBUG : LOG_WARNING,
                 "%s: damaged: %s; it could not be set aside: %s, continuing", part->kind, why->msg, err.msg);
        store->has_told_stuck = true;
    }
}

static void tell_once(struct store *store, bool *has_told, const struct store_part *part, const char *why)
{
    log_line(store->log, *has_told ? LOG_DEBUG : LOG_WARNING, "%s: %s, continuing", part->kind, why);
    *has_told = true;
}

enum err_code damage_handle(struct store *store, const struct store_part *part, const char *file, struct err *err)
{
    switch (err->code) {
    case ERR_NOT_FOUND:
        return ERR_OK;
    case ERR_INPUT:
        handle_damaged(store, part, file, err);
        return ERR_OK;
    case ERR_DECLINED: {
        char AUTO_FREE *why = mem_printf("%s; it is left alone", err->msg);

        tell_once(store, &store->has_told_newer, part, why);
        return ERR_OK;
    }
    default:
        break;
    }
    if (store->read_only)
        return err->code;
    tell_once(store, &store->has_told_unreadable, part, err->msg);
    return ERR_OK;
}
