/* SPDX-License-Identifier: MIT
 *
 * The files of certificates.  A new generation:
 *
 *   1. takes the number after the highest that is there;
 *   2. is written beside the others and synced, all of it or nothing, with its final owners and modes;
 *   3. where others than we are to read it, the directories on the way to it are opened for passing through;
 *   4. certs/<name> is switched to it by one rename;
 *   5. what earlier calls wrote and did not come to switch to is removed.
 *
 * Wherever we are killed, the link leads to a generation that is whole: the old one until 4, the new one from then on.
 * Of several certificates each step is done for all before the next, so that a few syncs are enough for them; one that
 * fails drops out.
 */
#include "store/certs.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define PUBLIC_MODE 0644U
#define PASS_THROUGH 0111U

/* One of certificate_install_all(). */
struct install {
    struct store *store;
    struct certificate_install *request;
    const char *name;
    const struct certificate_access *access;
    struct platform_tree_file *files;
    int64_t before; /* generation that the link leads to; 0: none */
    int64_t number;
    char *path; /* of the new generation */
    char *link;
    char *target;
};

static void install_done(struct install *in)
{
    free(in->files);
    free(in->path);
    free(in->link);
    free(in->target);
}

static bool is_for_others(const struct certificate_access *access)
{
    return access->owner || access->group;
}

/* ------------------------------------------------------------------ the steps */

static enum err_code make_ready(struct install *in, struct err *err)
{
    char AUTO_FREE *kind = mem_printf("archive/%s", in->name);
    enum err_code rc = record_directory_ready(in->store, "archive", err);

    if (rc == ERR_OK)
        rc = record_directory_ready(in->store, kind, err);
    if (rc == ERR_OK)
        rc = record_directory_ready(in->store, "certs", err);
    if (rc == ERR_OK)
        rc = archive_current(in->store, in->name, &in->before, err);
    if (rc == ERR_EXISTS && err)
        err->code = ERR_IO;
    return rc == ERR_EXISTS ? ERR_IO : rc;
}

static enum err_code take_number(struct install *in, struct err *err)
{
    struct archive_numbers AUTO(archive_numbers_done) numbers = {NULL, 0};
    enum err_code rc = archive_numbers_load(in->store, in->name, &numbers, err);

    if (rc != ERR_OK)
        return rc;
    in->number = numbers.count > 0 ? numbers.items[numbers.count - 1] + 1 : 1;
    if (in->number <= in->before) /* the link leads to what is not there any more */
        in->number = in->before + 1;
    in->path = archive_path(in->store, in->name, in->number);
    in->link = certificate_dir(in->store, in->name);
    in->target = archive_target(in->name, in->number);
    return ERR_OK;
}

/* The directory stays ours: its owner could change what is in it.  A group reads it; an owner need not be in the group,
 * so that with one it is open to all, as the names of the files are no secret. */
static struct platform_access directory_access(const struct certificate_access *access)
{
    if (access->owner)
        return (struct platform_access){.group = access->group, .mode = 0755};
    return (struct platform_access){.group = access->group, .mode = access->group ? 0750 : 0700};
}

static unsigned key_mode(const struct certificate_access *access)
{
    if (access->key_mode)
        return access->key_mode;
    return access->group ? 0640 : 0600;
}

static struct platform_tree tree_of(struct install *in)
{
    const struct certificate_install *request = in->request;

    in->files = mem_calloc(request->count, sizeof *in->files);
    for (size_t i = 0; i < request->count; i++)
        in->files[i] = (struct platform_tree_file){
            .name = request->files[i].name,
            .data = request->files[i].data,
            .len = request->files[i].len,
            .access = {.owner = in->access->owner,
                       .group = in->access->group,
                       .mode = request->files[i].kind == CERTIFICATE_FILE_SECRET ? key_mode(in->access) : PUBLIC_MODE},
        };
    return (struct platform_tree){
        .path = in->path, .access = directory_access(in->access), .files = in->files, .count = request->count};
}

/* Passing through is added to what there is. */
static enum err_code open_way(const struct install *in, struct err *err)
{
    char AUTO_FREE *archive = mem_printf("%s/archive", in->store->dir);
    char AUTO_FREE *certs = mem_printf("%s/certs", in->store->dir);
    char AUTO_FREE *mine = archive_dir(in->store, in->name);
    const char *const way[] = {in->store->dir, archive, certs, mine};
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < ARRAY_LEN(way) && rc == ERR_OK; i++) {
        struct platform_dir_info info;

        rc = platform_dir_inspect(way[i], &info, err);
        if (rc == ERR_OK && (info.mode & PASS_THROUGH) != PASS_THROUGH)
            rc = platform_dir_set_mode(way[i], info.mode | PASS_THROUGH, err);
    }
    return rc == ERR_NOT_FOUND ? ERR_IO : rc;
}

static bool leads_to_new(const struct install *in)
{
    char AUTO_FREE *target = NULL;

    return in->target && platform_link_read(in->link, &target, NULL) == ERR_OK && strcmp(target, in->target) == 0;
}

/* Back to how it was.  What the link leads to is not removed, whatever happens. */
static void undo(const struct install *in)
{
    char AUTO_FREE *before = archive_target(in->name, in->before);

    if (leads_to_new(in)) {
        if (in->before > 0)
            (void)!platform_link_switch(in->link, before, NULL);
        else
            (void)!platform_file_remove(in->link, NULL);
    }
    if (!leads_to_new(in))
        (void)!platform_tree_remove(in->path, NULL);
}

/* Of what an earlier call left: a generation that no link and no record ever knew, and temporary directories.  One that
 * the operator has switched back from is known to the record. */
static void clean(const struct install *in)
{
    struct strlist AUTO_STRLIST names = {NULL, 0};
    struct archive_numbers AUTO(archive_numbers_done) numbers = {NULL, 0};
    char AUTO_FREE *dir = archive_dir(in->store, in->name);
    int64_t noted = 0;

    if (platform_dir_list(dir, &names, NULL) == ERR_OK)
        for (size_t i = 0; i < names.count; i++) {
            char AUTO_FREE *path = mem_printf("%s/%s", dir, names.items[i]);

            if (platform_is_temp_name(names.items[i]))
                (void)!platform_tree_remove(path, NULL);
        }
    if (in->before == 0 || certificate_noted_generation(in->store, in->name, &noted, NULL) != ERR_OK ||
        archive_numbers_load(in->store, in->name, &numbers, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < numbers.count; i++) {
        char AUTO_FREE *path = archive_path(in->store, in->name, numbers.items[i]);

        if (numbers.items[i] > in->before && numbers.items[i] > noted && numbers.items[i] < in->number)
            (void)!platform_tree_remove(path, NULL);
    }
}

/* ------------------------------------------------------------------ whole */

static enum err_code check_arguments(const char *name, const struct certificate_access *access, size_t count,
                                     struct err *err)
{
    enum err_code rc = certificate_check_name(name, err);

    if (rc == ERR_OK && (count == 0 || (key_mode(access) & ~0770U) != 0))
        rc = err_set(err, ERR_INTERNAL, "could not install \"%s\": no files, or the mode %04o for its key", name,
                     key_mode(access));
    return rc;
}

static bool is_well(const struct install *in)
{
    return in->request->err.code == ERR_OK;
}

static enum err_code begin(struct install *in, struct store *store, struct certificate_install *request)
{
    enum err_code rc = check_arguments(request->name, request->access, request->count, &request->err);

    *in = (struct install){.store = store, .request = request, .name = request->name, .access = request->access};
    if (rc == ERR_OK)
        rc = make_ready(in, &request->err);
    return rc == ERR_OK ? take_number(in, &request->err) : rc;
}

static void write_all(struct install *all, size_t count)
{
    struct platform_tree AUTO_FREE *trees = mem_calloc(count, sizeof *trees);
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (is_well(&all[i]))
            trees[n++] = tree_of(&all[i]);
    platform_trees_create(trees, n);
    for (size_t i = 0, k = 0; i < count; i++) {
        if (!is_well(&all[i]))
            continue;
        all[i].request->err = trees[k++].err;
        if (all[i].request->err.code == ERR_EXISTS)
            all[i].request->err.code = ERR_IO;
    }
}

static void switch_all(struct install *all, size_t count)
{
    struct platform_link AUTO_FREE *links = mem_calloc(count, sizeof *links);
    size_t AUTO_FREE *index = mem_calloc(count, sizeof *index);
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_well(&all[i]))
            continue;
        if (is_for_others(all[i].access))
            err_settle(&all[i].request->err, open_way(&all[i], &all[i].request->err));
        if (!is_well(&all[i])) {
            undo(&all[i]);
            continue;
        }
        links[n] = (struct platform_link){.path = all[i].link, .target = all[i].target};
        index[n++] = i;
    }
    platform_links_switch(links, n);
    for (size_t k = 0; k < n; k++) {
        struct install *in = &all[index[k]];

        in->request->err = links[k].err;
        if (is_well(in))
            in->request->generation = in->number;
        else
            undo(in);
    }
}

/* Where there is a certificate for the first time; make_ready() finds out what could not be made. */
static void make_directories(struct store *store, const struct certificate_install *installs, size_t count)
{
    struct strlist AUTO_STRLIST paths = {NULL, 0};

    if (record_directory_ready(store, "archive", NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < count; i++)
        if (certificate_name_is_good(installs[i].name))
            strlist_add_take(&paths, archive_dir(store, installs[i].name));
    platform_dirs_make(&paths);
}

void certificate_install_all(struct store *store, struct certificate_install *installs, size_t count)
{
    struct install AUTO_FREE *all = mem_calloc(count, sizeof *all);
    char AUTO_FREE *certs = mem_printf("%s/certs", store->dir);

    make_directories(store, installs, count);
    for (size_t i = 0; i < count; i++)
        err_settle(&installs[i].err, begin(&all[i], store, &installs[i]));
    write_all(all, count);
    switch_all(all, count);
    platform_dir_sweep(certs, clock_wall_ms(store->clock), STORE_TEMP_MAX_AGE_MS);
    for (size_t i = 0; i < count; i++) {
        if (is_well(&all[i]))
            clean(&all[i]);
        install_done(&all[i]);
    }
}

enum err_code certificate_prune(struct store *store, const char *name, size_t keep, struct err *err)
{
    struct archive_numbers AUTO(archive_numbers_done) numbers = {NULL, 0};
    int64_t current = 0;
    enum err_code rc = certificate_check_name(name, err);

    if (rc == ERR_OK)
        rc = archive_current(store, name, &current, err);
    if (rc == ERR_OK)
        rc = archive_numbers_load(store, name, &numbers, err);
    if (keep == 0) /* the newest holds the place of its number */
        keep = 1;
    for (size_t i = 0; rc == ERR_OK && i + keep < numbers.count; i++) {
        char AUTO_FREE *path = archive_path(store, name, numbers.items[i]);

        if (numbers.items[i] != current)
            rc = platform_tree_remove(path, err);
    }
    return rc;
}

enum err_code certificate_read(struct store *store, const char *name, const char *file, struct buf *out,
                               struct err *err)
{
    char AUTO_FREE *dir = certificate_dir(store, name);
    char AUTO_FREE *path = mem_printf("%s/%s", dir, file);
    char AUTO_FREE *target = NULL;
    enum err_code rc;

    if (!certificate_name_is_good(name) || strchr(file, '/'))
        return err_set(err, ERR_NOT_FOUND, "there is no file \"%s\" of a certificate \"%s\"", file, name);
    rc = platform_file_read(path, out, NULL, err);
    /* A link whose switching was cut short is put right by looking at it. */
    if (rc == ERR_NOT_FOUND && platform_link_read(dir, &target, NULL) == ERR_OK)
        rc = platform_file_read(path, out, NULL, err);
    return rc;
}

/* ------------------------------------------------------------------ the end of a certificate */

static enum err_code remove_link(struct store *store, const char *name, bool *found, struct err *err)
{
    char AUTO_FREE *link = certificate_dir(store, name);
    char AUTO_FREE *target = NULL;
    enum err_code rc = platform_link_read(link, &target, err);

    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc == ERR_INPUT)
        return err_set(err, ERR_IO, "could not remove \"%s\": it is no link", link);
    *found = true;
    return rc == ERR_OK ? platform_file_remove(link, err) : rc;
}

static enum err_code put_away(struct store *store, const char *name, bool *found, struct err *err)
{
    char AUTO_FREE *from = archive_dir(store, name);
    char AUTO_FREE *date = damage_date(store->clock);
    char AUTO_FREE *to = mem_printf("%s/archive/.deleted/%s-%s", store->dir, date, name);
    enum err_code rc;

    if (!platform_file_exists(from))
        return ERR_OK;
    *found = true;
    rc = record_directory_ready(store, "archive/.deleted", err);
    if (rc == ERR_OK)
        rc = damage_move_to_free(from, to, NULL, err);
    if (rc == ERR_EXISTS)
        return err_set(err, ERR_IO, "could not put \"%s\" away: too many of that name", from);
    return rc;
}

static enum err_code remove_record(struct store *store, const char *name, bool *found, struct err *err)
{
    char AUTO_FREE *path = mem_printf("%s/renewal/%s.json", store->dir, name);

    *found = *found || platform_file_exists(path);
    return platform_file_remove(path, err);
}

static enum err_code remove_order(struct store *store, const char *name, bool *found, struct err *err)
{
    char AUTO_FREE *path = mem_printf("%s/orders/%s.json", store->dir, name);

    *found = *found || platform_file_exists(path);
    return order_remove(store, name, err);
}

/* The record is last, so that a call that was killed can be made again. */
enum err_code certificate_delete(struct store *store, const char *name, struct err *err)
{
    bool found = false;
    enum err_code rc = certificate_name_is_good(name) ? ERR_OK : ERR_NOT_FOUND;

    if (rc == ERR_OK)
        rc = remove_order(store, name, &found, err);
    if (rc == ERR_OK)
        rc = remove_link(store, name, &found, err);
    if (rc == ERR_OK)
        rc = put_away(store, name, &found, err);
    if (rc == ERR_OK)
        rc = remove_record(store, name, &found, err);
    if (rc == ERR_NOT_FOUND || (rc == ERR_OK && !found))
        return err_set(err, ERR_NOT_FOUND, "there is no certificate \"%s\"", name);
    return rc;
}
