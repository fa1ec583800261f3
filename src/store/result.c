/* SPDX-License-Identifier: MIT
 *
 * How the last calls ended: one file for each name and action, written over at each call.  What is lost with it is
 * history that monitoring would have shown, nothing that a later call needs.
 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define SUFFIX ".json"
#define NAME_MAX_BYTES 1024

static const char *kind_name(int kind)
{
    static const char *const names[] = {[RESULT_HOOK] = "hook", [RESULT_CERTIFICATE] = "certificate"};

    return kind >= 0 && (size_t)kind < ARRAY_LEN(names) ? names[kind] : NULL;
}

static const char *code_name(int code)
{
    return code >= 0 && code < ERR_COUNT ? err_name((enum err_code)code) : NULL;
}

_Static_assert(sizeof(enum result_kind) == sizeof(int) && sizeof(enum err_code) == sizeof(int),
               "the codec takes them for an int");

/* All that there may be: result_forget() has to find their files. */
static const char *const actions[] = {"publish", "withdraw", "issue", "renew"};

/* clang-format off */
#define FIELD(key, type, max, choice) {#key, type, offsetof(struct result, key), max, choice}
/* clang-format on */

static const struct codec_field fields[] = {
    FIELD(kind, CODEC_CHOICE, 0, kind_name),         FIELD(name, CODEC_TEXT, NAME_MAX_BYTES, NULL),
    FIELD(client, CODEC_OPTIONAL, 255, NULL),        FIELD(action, CODEC_TEXT, 64, NULL),
    FIELD(code, CODEC_CHOICE, 0, code_name),         FIELD(error, CODEC_OPTIONAL, ERR_MSG_MAX, NULL),
    FIELD(hint, CODEC_OPTIONAL, ERR_HINT_MAX, NULL), FIELD(at_ms, CODEC_NUMBER, 0, NULL),
    FIELD(took_ms, CODEC_NUMBER, 0, NULL),           FIELD(success_ms, CODEC_NUMBER, 0, NULL),
    FIELD(failure_ms, CODEC_NUMBER, 0, NULL),        FIELD(failing_ms, CODEC_NUMBER, 0, NULL),
    FIELD(failures, CODEC_NUMBER, 0, NULL),
};

/* ------------------------------------------------------------------ memory */

void result_done(struct result *result)
{
    if (!result)
        return;
    free(result->name);
    free(result->client);
    free(result->action);
    free(result->error);
    free(result->hint);
    *result = (struct result){.kind = RESULT_HOOK};
}

void result_list_done(struct result_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        result_done(&list->items[i]);
    free(list->items);
    *list = (struct result_list){NULL, 0};
}

/* ------------------------------------------------------------------ files */

static char *file_of(enum result_kind kind, const char *name, const char *action)
{
    const char *const parts[] = {name, kind_name((int)kind), action};
    char AUTO_FREE *file = store_file_name(parts, ARRAY_LEN(parts));

    return mem_printf("%s" SUFFIX, file);
}

static enum err_code load(const char *path, const char *file, struct result *out, struct err *err)
{
    struct result AUTO(result_done) result = {.kind = RESULT_HOOK};
    char AUTO_FREE *home = NULL;
    enum err_code rc = codec_load(fields, ARRAY_LEN(fields), path, &result, err);

    if (rc != ERR_OK)
        return rc;
    home = file_of(result.kind, result.name, result.action);
    if (strcmp(home, file) != 0)
        return err_set(err, ERR_INPUT, "%s: it belongs into a file named \"%s\"", path, home);
    *out = result;
    result = (struct result){.kind = RESULT_HOOK};
    return ERR_OK;
}

/* ------------------------------------------------------------------ noting */

/* What follows from the call that ended and from what was known; borrows from both. */
static struct result continued(const struct result *call, const struct result *before)
{
    bool is_failure = call->code != ERR_OK;

    return (struct result){
        .kind = call->kind,
        .name = call->name,
        .client = call->client,
        .action = call->action,
        .code = call->code,
        .error = is_failure ? call->error : before->error,
        .hint = is_failure ? call->hint : before->hint,
        .at_ms = call->at_ms,
        .took_ms = call->took_ms,
        .success_ms = is_failure ? before->success_ms : call->at_ms,
        .failure_ms = is_failure ? call->at_ms : before->failure_ms,
        .failing_ms = !is_failure            ? 0
                      : before->failures > 0 ? before->failing_ms
                                             : call->at_ms,
        .failures = !is_failure                    ? 0
                    : before->failures < INT64_MAX ? before->failures + 1
                                                   : INT64_MAX,
    };
}

static bool is_action(const char *action)
{
    for (size_t i = 0; action && i < ARRAY_LEN(actions); i++)
        if (strcmp(actions[i], action) == 0)
            return true;
    return false;
}

/* Files to be written, and the texts that they are made of. */
struct noting {
    struct platform_file_write *files;
    size_t count;
    struct strlist texts;
};

static void noting_done(struct noting *n)
{
    free(n->files);
    strlist_done(&n->texts);
}

static enum err_code noting_add(struct noting *n, const char *path, const struct result *now, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CODEC_FILE_MAX);
    enum err_code rc = codec_format(fields, ARRAY_LEN(fields), now, "could not note a result", &text, err);

    if (rc != ERR_OK)
        return rc;
    strlist_add(&n->texts, path);
    n->files[n->count] = (struct platform_file_write){.path = n->texts.items[n->texts.count - 1], .len = text.len};
    strlist_add_take(&n->texts, buf_take(&text));
    n->files[n->count++].data = n->texts.items[n->texts.count - 1];
    return ERR_OK;
}

static enum err_code note_one(struct store *store, const struct result *call, struct noting *n, struct err *err)
{
    struct result AUTO(result_done) before = {.kind = RESULT_HOOK};
    char AUTO_FREE *file = NULL;
    char AUTO_FREE *path = NULL;
    struct result now;
    struct err why;
    enum err_code rc;

    if (!kind_name((int)call->kind) || !call->name || !is_action(call->action))
        return err_set(err, ERR_INTERNAL, "could not note a result: kind, name or action is none");
    file = file_of(call->kind, call->name, call->action);
    path = store_part_path(store, &result_part, file);
    rc = load(path, file, &before, &why);
    if (rc != ERR_OK && damage_handle(store, &result_part, file, &why) != ERR_OK)
        return err_set(err, why.code, "%s", why.msg);
    if (rc == ERR_DECLINED)
        return ERR_OK;
    now = continued(call, &before);
    return noting_add(n, path, &now, err);
}

enum err_code result_note_all(struct store *store, const struct result *results, size_t count, struct err *err)
{
    struct noting AUTO(noting_done) n = {.files = mem_calloc(count, sizeof *n.files)};
    enum err_code rc = store->read_only ? err_set(err, ERR_INTERNAL, "could not note a result: for reading only")
                                        : store_directory_ready(store->results_dir, err);

    for (size_t i = 0; i < count && rc == ERR_OK; i++)
        rc = note_one(store, &results[i], &n, err);
    if (rc != ERR_OK)
        return rc;
    platform_dir_sweep(store->results_dir, clock_wall_ms(store->clock), STORE_TEMP_MAX_AGE_MS);
    return platform_files_write(n.files, n.count, PLATFORM_REPLACE_LAZILY, err);
}

enum err_code result_note(struct store *store, const struct result *result, struct err *err)
{
    return result_note_all(store, result, 1, err);
}

enum err_code result_forget(struct store *store, enum result_kind kind, const char *name, struct err *err)
{
    if (!kind_name((int)kind) || !name)
        return err_set(err, ERR_INTERNAL, "could not forget a result: kind or name is none");
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        char AUTO_FREE *file = file_of(kind, name, actions[i]);
        char AUTO_FREE *path = store_part_path(store, &result_part, file);
        enum err_code rc = platform_file_remove(path, err);

        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}

/* ------------------------------------------------------------------ loading */

static int compare_results(const void *a, const void *b)
{
    const struct result *x = a;
    const struct result *y = b;
    int order = x->kind == y->kind ? strcmp(x->name, y->name) : x->kind < y->kind ? -1 : 1;

    return order ? order : strcmp(x->action, y->action);
}

/* Append one file's result, if there is one. */
static enum err_code add_file(struct store *store, const char *file, struct result_list *list, struct err *err)
{
    char AUTO_FREE *path = store_part_path(store, &result_part, file);
    struct err why;

    if (load(path, file, &list->items[list->count], &why) == ERR_OK) {
        list->count++;
        return ERR_OK;
    }
    if (damage_handle(store, &result_part, file, &why) == ERR_OK)
        return ERR_OK;
    if (err)
        *err = why;
    return why.code;
}

enum err_code result_load(struct store *store, struct result_list *out, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    struct result_list AUTO(result_list_done) list = {NULL, 0};
    enum err_code rc = record_list(store, &result_part, &files, err);

    list.items = mem_calloc(files.count, sizeof *list.items);
    for (size_t i = 0; i < files.count && rc == ERR_OK; i++)
        rc = add_file(store, files.items[i], &list, err);
    if (rc != ERR_OK)
        return rc;
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_results);
    *out = list;
    list = (struct result_list){NULL, 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ damage */

static enum err_code check_file(const char *path, const char *file, int64_t *out_at_ms, char **out_what,
                                struct err *err)
{
    struct result AUTO(result_done) result = {.kind = RESULT_HOOK};
    enum err_code rc = load(path, file, &result, err);

    if (rc != ERR_OK)
        return rc;
    *out_at_ms = result.at_ms;
    *out_what = mem_printf("%s of \"%s\"", result.action, result.name);
    return ERR_OK;
}

static char *consequence(UNUSED const char *text)
{
    return mem_strdup("what it told of earlier calls is lost, the next call begins anew");
}

const struct store_part result_part = {
    .kind = "results",
    .item = STORE_ITEM_RESULT,
    .when_good = STORE_DROPPED,
    .is_ours = store_is_file_name,
    .check = check_file,
    .consequence = consequence,
};
