/* SPDX-License-Identifier: MIT
 *
 * Private keys on disk.  None is ever lost: a key that another one takes the place of is copied beside it first, so
 * that at each moment the file holds one or the other.  The copies are named "<file>.<date>", behind ".key", and so
 * none of them can be the file of another account or certificate.
 */
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "util/secret.h"

#define KEY_MAX_BYTES 65536
#define SUFFIX ".key"

void keyfile_wipe(char **pem)
{
    if (*pem)
        secret_wipe(*pem, strlen(*pem));
    free(*pem);
    *pem = NULL;
}

static enum err_code refuse_foreign(const char *path, struct err *err)
{
    char AUTO_FREE *command = platform_advice_own_private(path);

    (void)err_set(err, ERR_UNSAFE, "the private key \"%s\" belongs to another user", path);
    err_hint(err, "Run: %s; replace the key if that user is not trusted.", command);
    return ERR_UNSAFE;
}

static enum err_code check_safe(const char *path, const struct platform_file_info *info, struct err *err)
{
    char AUTO_FREE *mode = platform_advice_mode(info->mode);
    char AUTO_FREE *command = NULL;

    if (!info->owner_is_trusted)
        return refuse_foreign(path, err);
    if (info->exposure == PLATFORM_PRIVATE)
        return ERR_OK;
    (void)err_set(err, ERR_UNSAFE, "%s can read the private key \"%s\"%s",
                  info->exposure == PLATFORM_WORLD_READABLE ? "every user of this machine" : platform_advice_group(),
                  path, mode);
    command = platform_advice_private(path);
    err_hint(err, "Run: %s; replace the key if somebody may have read it.", command);
    return ERR_UNSAFE;
}

enum err_code keyfile_load(const char *path, char **out, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(KEY_MAX_BYTES);
    struct platform_file_info info;
    enum err_code rc = platform_file_read(path, &text, &info, err);

    if (rc == ERR_OK)
        rc = check_safe(path, &info, err);
    if (rc == ERR_OK && (text.len == 0 || strlen(buf_cstr(&text)) != text.len))
        rc = err_set(err, ERR_IO, "the private key \"%s\" is damaged: %s", path,
                     text.len == 0 ? "the file is empty" : "there are zero bytes in the file");
    if (rc == ERR_OK)
        *out = buf_take(&text);
    return rc;
}

static enum err_code copy_aside(struct clock *clock, const char *path, const struct buf *text, struct err *err)
{
    char AUTO_FREE *date = damage_date(clock);
    enum err_code rc = ERR_EXISTS;

    for (int n = 1; n <= DAMAGE_SAME_NAME_MAX && rc == ERR_EXISTS; n++) {
        char AUTO_FREE *copy = n > 1 ? mem_printf("%s.%s.%d", path, date, n) : mem_printf("%s.%s", path, date);

        rc = platform_file_create(copy, text->data, text->len, err);
    }
    return rc == ERR_EXISTS ? err_set(err, ERR_IO, "could not keep \"%s\": too many copies of it", path) : rc;
}

enum err_code keyfile_move_aside(struct clock *clock, const char *path, struct err *err)
{
    char AUTO_FREE *date = damage_date(clock);
    char AUTO_FREE *to = mem_printf("%s.%s", path, date);
    enum err_code rc;

    if (!platform_file_exists(path))
        return ERR_OK;
    rc = damage_move_to_free(path, to, NULL, err);
    if (rc == ERR_EXISTS)
        return err_set(err, ERR_IO, "could not move \"%s\" aside: too many of that name", path);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

/* What a key is written over is safe: nothing, the same key with the wrong mode, or one that has been copied.
 * *out_same: it is there already. */
static enum err_code make_way(struct clock *clock, const struct keyfile *key, bool *out_same, struct err *err)
{
    struct buf AUTO_BUF before = BUF_INIT(KEY_MAX_BYTES);
    struct platform_file_info info = {.exposure = PLATFORM_PRIVATE};
    size_t len = strlen(key->pem);
    enum err_code rc = platform_file_read(key->path, &before, &info, err);
    bool is_same = rc == ERR_OK && before.len == len && memcmp(before.data, key->pem, len) == 0;

    *out_same = false;
    if (len == 0 || len > KEY_MAX_BYTES)
        return err_set(err, ERR_INTERNAL, "could not write \"%s\": that is no private key", key->path);
    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    *out_same = is_same && info.exposure == PLATFORM_PRIVATE;
    return rc == ERR_OK && before.len > 0 && !is_same ? copy_aside(clock, key->path, &before, err) : rc;
}

void keyfile_save_all(struct clock *clock, const struct keyfile *keys, size_t count, struct err *outcomes)
{
    struct platform_file_write AUTO_FREE *writes = mem_calloc(count, sizeof *writes);
    struct err AUTO_FREE *written = mem_calloc(count, sizeof *written);
    size_t AUTO_FREE *index = mem_calloc(count, sizeof *index);
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_same = false;

        if (!keys[i].path || outcomes[i].code != ERR_OK)
            continue;
        err_settle(&outcomes[i], make_way(clock, &keys[i], &is_same, &outcomes[i]));
        if (outcomes[i].code != ERR_OK || is_same)
            continue;
        writes[n] = (struct platform_file_write){.path = keys[i].path, .data = keys[i].pem, .len = strlen(keys[i].pem)};
        index[n++] = i;
    }
    record_files_replace(writes, n, written);
    for (size_t k = 0; k < n; k++)
        outcomes[index[k]] = written[k];
}

enum err_code keyfile_save(struct clock *clock, const char *path, const char *pem, struct err *err)
{
    const struct keyfile key = {mem_lend(path), pem};
    struct err outcome = {.code = ERR_OK};

    keyfile_save_all(clock, &key, 1, &outcome);
    if (outcome.code != ERR_OK && err)
        *err = outcome;
    return outcome.code;
}

bool keyfile_is_name(const char *file)
{
    const char *at = strstr(file, SUFFIX);

    for (; at; at = strstr(at + 1, SUFFIX))
        if (at > file && (at[strlen(SUFFIX)] == '\0' || at[strlen(SUFFIX)] == '.'))
            return true;
    return false;
}
