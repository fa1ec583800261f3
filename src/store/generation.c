/* SPDX-License-Identifier: MIT
 *
 * The files of certificates.  A generation is written whole under a number of its own and never changed; what servers
 * read is a link, which is switched when the generation is on disk.  Whatever kills us, the link leads to one that is
 * whole.
 *
 * With owner or group somebody else has to get at the files: then the directories on the way may be passed through
 * (0711), which shows nothing of what else is in them, and the generation's own may be listed.
 */
#include <stdlib.h>
#include <string.h>

#include "store/certs.h"
#include "store/internal.h"
#include "util/parse.h"

#define ARCHIVE "archive"
#define CERTS "certs"
#define DELETED "archive/.deleted"
#define GENERATION_MAX 99999999
#define FILE_MAX (16u * 1024 * 1024)
#define PUBLIC_MODE 0644
#define OWN_DIR_MODE 0700
#define PASSABLE_DIR_MODE 0711
#define SHARED_DIR_MODE 0755
#define SAME_NAME_MAX 1000

static char *archive_of(const struct store *store, const char *name)
{
    return mem_printf("%s/" ARCHIVE "/%s", store->dir, name);
}

char *certificate_dir(const struct store *store, const char *name)
{
    return mem_printf("%s/" CERTS "/%s", store->dir, name);
}

/* "00000012"; 0: the name is none. */
static int64_t number_of(const char *file)
{
    uint64_t number;

    return strlen(file) == 8 && parse_uint(file, 1, GENERATION_MAX, &number) ? (int64_t)number : 0;
}

/* The numbers that are there, smallest first, as names; none where there is no archive. */
static enum err_code list_generations(const struct store *store, const char *name, struct strlist *out, struct err *err)
{
    char AUTO_FREE *archive = archive_of(store, name);
    struct strlist AUTO_STRLIST files = {NULL, 0};
    enum err_code rc = platform_dir_list(archive, &files, err);

    for (size_t i = 0; rc == ERR_OK && i < files.count; i++)
        if (number_of(files.items[i]))
            strlist_add(out, files.items[i]);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

/* What certs/<name> leads to; 0: nothing of ours. */
static int64_t current_generation(const struct store *store, const char *name)
{
    char AUTO_FREE *link = certificate_dir(store, name);
    char AUTO_FREE *target = NULL;
    const char *slash;

    if (platform_link_read(link, &target, NULL) != ERR_OK)
        return 0;
    slash = strrchr(target, '/');
    return slash ? number_of(slash + 1) : 0;
}

/* ------------------------------------------------------------------ installing */

static bool is_shared(const struct certificate_access *access)
{
    return access->owner || access->group;
}

/* One higher than any that was there, also than one that was pruned or never switched to. */
static enum err_code next_number(struct store *store, const char *name, int64_t *out, struct err *err)
{
    struct strlist AUTO_STRLIST there = {NULL, 0};
    int64_t highest = 0;
    enum err_code rc = certificate_noted_generation(store, name, &highest, err);

    if (rc == ERR_INPUT || rc == ERR_DECLINED) /* the record tells nothing; the files and the link do */
        rc = ERR_OK;
    if (rc == ERR_OK)
        rc = list_generations(store, name, &there, err);
    if (rc != ERR_OK)
        return rc;
    if (there.count && number_of(there.items[there.count - 1]) > highest)
        highest = number_of(there.items[there.count - 1]);
    if (current_generation(store, name) > highest)
        highest = current_generation(store, name);
    if (highest >= GENERATION_MAX)
        return err_set(err, ERR_IO, "certificate \"%s\" has too many generations", name);
    *out = highest + 1;
    return ERR_OK;
}

/* Written by a run that was killed before it switched: the key is that of the order, which is still known. */
static enum err_code remove_unused(struct store *store, const char *name, struct err *err)
{
    struct strlist AUTO_STRLIST there = {NULL, 0};
    int64_t current = current_generation(store, name);
    char AUTO_FREE *archive = archive_of(store, name);
    enum err_code rc = list_generations(store, name, &there, err);

    for (size_t i = 0; rc == ERR_OK && i < there.count; i++) {
        char AUTO_FREE *path = mem_printf("%s/%s", archive, there.items[i]);

        if (number_of(there.items[i]) > current)
            rc = platform_tree_remove(path, err);
    }
    return rc;
}

/* The directories on the way, made and, if need be, passable. */
static enum err_code make_way(struct store *store, const char *archive, const struct certificate_access *access,
                              struct err *err)
{
    char AUTO_FREE *archives = mem_printf("%s/" ARCHIVE, store->dir);
    char AUTO_FREE *certs = mem_printf("%s/" CERTS, store->dir);
    const char *const way[] = {store->dir, archives, certs, archive};
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && i < ARRAY_LEN(way); i++) {
        rc = store_directory_ready(way[i], err);
        if (rc == ERR_OK && is_shared(access))
            rc = platform_dir_set_mode(way[i], PASSABLE_DIR_MODE, err);
    }
    return rc;
}

static struct platform_tree_file *describe(const struct certificate_file *files, size_t count,
                                           const struct certificate_access *access)
{
    struct platform_tree_file *out = mem_calloc(count, sizeof *out);

    for (size_t i = 0; i < count; i++) {
        bool is_secret = files[i].kind == CERTIFICATE_FILE_SECRET;

        out[i] = (struct platform_tree_file){
            .name = files[i].name,
            .data = files[i].data,
            .len = files[i].len,
            .access = {.owner = access->owner,
                       .group = access->group,
                       .mode = is_secret ? access->key_mode : PUBLIC_MODE},
        };
    }
    return out;
}

static enum err_code switch_to(struct store *store, const char *name, int64_t number, struct err *err)
{
    char AUTO_FREE *link = certificate_dir(store, name);
    char AUTO_FREE *target = mem_printf("../" ARCHIVE "/%s/%08lld", name, (long long)number);

    return platform_link_switch(link, target, err);
}

enum err_code certificate_install(struct store *store, const char *name, const struct certificate_file *files,
                                  size_t count, const struct certificate_access *access, int64_t *out_generation,
                                  struct err *err)
{
    const struct platform_access dir_access = {
        .owner = access->owner, .group = access->group, .mode = is_shared(access) ? SHARED_DIR_MODE : OWN_DIR_MODE};
    AUTO_FREE struct platform_tree_file *tree = describe(files, count, access);
    char AUTO_FREE *archive = archive_of(store, name);
    char AUTO_FREE *path = NULL;
    int64_t number = 0;
    enum err_code rc = certificate_check_name(name, err);

    if (rc == ERR_OK)
        rc = make_way(store, archive, access, err);
    if (rc == ERR_OK)
        rc = next_number(store, name, &number, err);
    if (rc == ERR_OK)
        rc = remove_unused(store, name, err);
    if (rc != ERR_OK)
        return rc;
    path = mem_printf("%s/%08lld", archive, (long long)number);
    rc = platform_tree_create(path, &dir_access, tree, count, err);
    if (rc != ERR_OK)
        return rc == ERR_EXISTS ? ERR_IO : rc;
    rc = switch_to(store, name, number, err);
    if (rc != ERR_OK) {
        (void)!platform_tree_remove(path, NULL); /* else the next installation does */
        return rc == ERR_EXISTS ? ERR_IO : rc;
    }
    *out_generation = number;
    return ERR_OK;
}

/* ------------------------------------------------------------------ afterwards */

enum err_code certificate_prune(struct store *store, const char *name, size_t keep, struct err *err)
{
    struct strlist AUTO_STRLIST there = {NULL, 0};
    char AUTO_FREE *archive = archive_of(store, name);
    int64_t current = current_generation(store, name);
    enum err_code rc = list_generations(store, name, &there, err);

    for (size_t i = 0; rc == ERR_OK && i + keep < there.count; i++) {
        char AUTO_FREE *path = mem_printf("%s/%s", archive, there.items[i]);

        if (number_of(there.items[i]) != current)
            rc = platform_tree_remove(path, err);
    }
    return rc;
}

enum err_code certificate_read(struct store *store, const char *name, const char *file, struct buf *out,
                               struct err *err)
{
    char AUTO_FREE *path = mem_printf("%s/" CERTS "/%s/%s", store->dir, name, file);
    enum err_code rc = certificate_check_name(name, err);

    return rc == ERR_OK ? platform_file_read(path, out, NULL, err) : rc;
}

/* ------------------------------------------------------------------ deleting */

static enum err_code move_archive(struct store *store, const char *name, struct err *err)
{
    char AUTO_FREE *archive = archive_of(store, name);
    char AUTO_FREE *deleted = mem_printf("%s/" DELETED, store->dir);
    char AUTO_FREE *date = damage_date(store->clock);
    enum err_code rc = store_directory_ready(deleted, err);

    for (int n = 1; rc == ERR_OK && n <= SAME_NAME_MAX; n++) {
        char AUTO_FREE *to = n > 1 ? mem_printf("%s/%s-%s.%d", deleted, date, name, n)
                                   : mem_printf("%s/%s-%s", deleted, date, name);

        rc = platform_path_move(archive, to, err);
        if (rc != ERR_EXISTS)
            return rc == ERR_NOT_FOUND ? ERR_OK : rc;
        rc = ERR_OK;
    }
    return rc == ERR_OK ? err_set(err, ERR_IO, "could not move \"%s\": too many of that name", archive) : rc;
}

enum err_code certificate_delete(struct store *store, const char *name, struct err *err)
{
    char AUTO_FREE *link = certificate_dir(store, name);
    char AUTO_FREE *file = mem_printf("%s.json", name);
    char AUTO_FREE *record = store_part_path(store, &certificate_part, file);
    char AUTO_FREE *archive = archive_of(store, name);
    enum err_code rc = certificate_check_name(name, err);

    if (rc != ERR_OK)
        return rc;
    if (!platform_file_exists(record) && !platform_file_exists(archive))
        return err_set(err, ERR_NOT_FOUND, "there is no certificate \"%s\"", name);
    rc = platform_file_remove(link, err);
    if (rc == ERR_OK && platform_file_exists(archive))
        rc = move_archive(store, name, err);
    if (rc == ERR_OK)
        rc = order_remove(store, name, err);
    return rc == ERR_OK ? platform_file_remove(record, err) : rc;
}
