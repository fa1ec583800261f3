/* SPDX-License-Identifier: MIT
 *
 * How the last calls ended: one file for each name and action, written over at each call.  What is lost with it is
 * history that monitoring would have shown, nothing that a later call needs.
 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "util/text.h"

#define SUFFIX ".json"
#define HASH_LEN 16 /* at the end of names that store_file_name() makes of several parts */
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

static char *path_of(const struct store *store, const char *file)
{
    return mem_printf("%s/%s", store->results_dir, file);
}

/* Could file_of() have made that name? */
static bool is_result_file(const char *file)
{
    size_t len = strlen(file);
    size_t tail = strlen(SUFFIX) + HASH_LEN + 1;

    if (len < tail || file[0] == '.' || !text_ends_with(file, SUFFIX) || file[len - tail] != '-')
        return false;
    for (size_t i = len - tail + 1; i < len - strlen(SUFFIX); i++)
        if (!text_is_hex(file[i]))
            return false;
    return true;
}

static enum err_code load_file(const struct store *store, const char *file, struct result *out, struct err *err)
{
    struct result AUTO(result_done) result = {.kind = RESULT_HOOK};
    char AUTO_FREE *path = path_of(store, file);
    char AUTO_FREE *home = NULL;
    json_t AUTO_JSON *json = NULL;
    enum err_code rc = codec_load_file(path, &json, err);

    if (rc == ERR_OK)
        rc = codec_read(fields, ARRAY_LEN(fields), json, path, &result, err);
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

static enum err_code format(const struct result *result, struct buf *out, struct err *err)
{
    json_t AUTO_JSON *json = NULL;
    enum err_code rc = codec_check(fields, ARRAY_LEN(fields), result, err);

    if (rc != ERR_OK)
        return rc;
    json = codec_write(fields, ARRAY_LEN(fields), result);
    json_write(json, out);
    buf_putc(out, '\n');
    return buf_ok(out) ? ERR_OK : err_set(err, ERR_INTERNAL, "could not note a result: it is too large");
}

/* The new text of one result's file, and its path. */
static enum err_code prepare(const struct store *store, const struct result *call, char **out_path, char **out_text,
                             struct err *err)
{
    struct result AUTO(result_done) before = {.kind = RESULT_HOOK};
    struct buf AUTO_BUF text = BUF_INIT(CODEC_FILE_MAX);
    char AUTO_FREE *file = NULL;
    struct result now;
    struct err why;
    enum err_code rc;

    if (!kind_name((int)call->kind) || !call->name || !is_action(call->action))
        return err_set(err, ERR_INTERNAL, "could not note a result: kind, name or action is none");
    file = file_of(call->kind, call->name, call->action);
    rc = load_file(store, file, &before, &why);
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        log_line(store->log, LOG_INFO, "results: %s; it is begun anew, continuing", why.msg);
    now = continued(call, &before);
    rc = format(&now, &text, err);
    if (rc != ERR_OK)
        return rc;
    *out_path = path_of(store, file);
    *out_text = buf_take(&text);
    return ERR_OK;
}

enum err_code result_note_all(struct store *store, const struct result *results, size_t count, struct err *err)
{
    struct platform_file_write AUTO_FREE *writes = mem_calloc(count, sizeof *writes);
    struct strlist AUTO_STRLIST texts = {NULL, 0};
    enum err_code rc = store_directory_ready(store->results_dir, err);

    for (size_t i = 0; i < count && rc == ERR_OK; i++) {
        char *path;
        char *text;

        rc = prepare(store, &results[i], &path, &text, err);
        if (rc != ERR_OK)
            return rc;
        strlist_add_take(&texts, path);
        strlist_add_take(&texts, text);
        writes[i] = (struct platform_file_write){.path = path, .data = text, .len = strlen(text)};
    }
    if (rc != ERR_OK)
        return rc;
    platform_dir_sweep(store->results_dir, clock_wall_ms(store->clock), STORE_TEMP_MAX_AGE_MS);
    return platform_files_write(writes, count, PLATFORM_REPLACE_LAZILY, err);
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
        char AUTO_FREE *path = path_of(store, file);
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

/* Append one file's result.  Gone by now, or not understood: nothing is appended. */
static enum err_code add_file(const struct store *store, const char *file, struct result_list *list, struct err *err)
{
    enum err_code rc = load_file(store, file, &list->items[list->count], err);

    if (rc == ERR_OK)
        list->count++;
    if (rc == ERR_INPUT)
        log_line(store->log, LOG_WARNING, "results: %s, continuing", err->msg);
    return rc == ERR_INPUT || rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

enum err_code result_load(struct store *store, struct result_list *out, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    struct result_list AUTO(result_list_done) list = {NULL, 0};
    enum err_code rc = platform_dir_list(store->results_dir, &files, err);

    if (rc == ERR_NOT_FOUND)
        rc = ERR_OK;
    list.items = mem_calloc(files.count, sizeof *list.items);
    for (size_t i = 0; i < files.count && rc == ERR_OK; i++)
        if (is_result_file(files.items[i]))
            rc = add_file(store, files.items[i], &list, err);
    if (rc != ERR_OK)
        return rc;
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_results);
    *out = list;
    list = (struct result_list){NULL, 0};
    return ERR_OK;
}
