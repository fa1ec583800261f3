/* SPDX-License-Identifier: MIT */
#include "json/json.h"

#include <stdbool.h>

#include "util/parse.h"

/* jansson's own limit is 2048, each level of which costs stack; find the depth before it parses. */
static bool is_too_deep(const char *text, size_t len)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_MAX)
                return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

enum err_code json_parse(const char *text, size_t len, const char *what, json_t **out, struct err *err)
{
    json_error_t why;
    json_t *json;

    if (is_too_deep(text, len))
        return err_set(err, ERR_INPUT, "%s is not usable JSON: nested deeper than %d levels", what, JSON_DEPTH_MAX);
    json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (!json)
        return err_set(err, ERR_INPUT, "%s is not valid JSON: line %d, column %d: %s", what, why.line, why.column,
                       why.text);
    *out = json;
    return ERR_OK;
}

void json_free_auto(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something unknown";
}

/* The member, or NULL when it is absent or null. */
static const json_t *member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value && !json_is_null(value) ? value : NULL;
}

static enum err_code fail_absent(struct err *err, const char *what, const char *key)
{
    return err_set(err, ERR_INPUT, "%s has no \"%s\"", what, key);
}

static enum err_code fail_type(struct err *err, const char *what, const char *key, const json_t *value,
                               const char *wanted)
{
    return err_set(err, ERR_INPUT, "%s has %s as \"%s\" where %s belongs", what, type_name(value), key, wanted);
}

/* ------------------------------------------------------------------ strings */

enum err_code json_find_string(const json_t *object, const char *key, const char *what, const char **out,
                               struct err *err)
{
    const json_t *value = member(object, key);

    if (value && !json_is_string(value))
        return fail_type(err, what, key, value, "a string");
    *out = value ? json_string_value(value) : NULL;
    return ERR_OK;
}

enum err_code json_want_string(const json_t *object, const char *key, const char *what, const char **out,
                               struct err *err)
{
    return member(object, key) ? json_find_string(object, key, what, out, err) : fail_absent(err, what, key);
}

/* ------------------------------------------------------------------ whole numbers */

static bool whole_number(const json_t *value, int64_t *out)
{
    uint64_t number;

    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    if (json_is_string(value) && parse_uint(json_string_value(value), 0, INT64_MAX, &number)) {
        *out = (int64_t)number;
        return true;
    }
    return false;
}

enum err_code json_find_int64(const json_t *object, const char *key, int64_t min, int64_t max, int64_t absent,
                              const char *what, int64_t *out, struct err *err)
{
    const json_t *value = member(object, key);
    int64_t number = absent;

    if (value && !whole_number(value, &number))
        return fail_type(err, what, key, value, "a whole number");
    if (value && (number < min || number > max))
        return err_set(err, ERR_INPUT, "%s has %lld as \"%s\", which is out of range", what, (long long)number, key);
    *out = number;
    return ERR_OK;
}

enum err_code json_want_int64(const json_t *object, const char *key, int64_t min, int64_t max, const char *what,
                              int64_t *out, struct err *err)
{
    return member(object, key) ? json_find_int64(object, key, min, max, 0, what, out, err)
                               : fail_absent(err, what, key);
}

/* ------------------------------------------------------------------ containers */

enum err_code json_find_array(const json_t *object, const char *key, const char *what, const json_t **out,
                              struct err *err)
{
    const json_t *value = member(object, key);

    if (value && !json_is_array(value))
        return fail_type(err, what, key, value, "an array");
    *out = value;
    return ERR_OK;
}

enum err_code json_want_array(const json_t *object, const char *key, const char *what, const json_t **out,
                              struct err *err)
{
    return member(object, key) ? json_find_array(object, key, what, out, err) : fail_absent(err, what, key);
}

enum err_code json_want_object(const json_t *value, const char *what, struct err *err)
{
    if (json_is_object(value))
        return ERR_OK;
    return err_set(err, ERR_INPUT, "%s is %s where an object belongs", what, value ? type_name(value) : "absent");
}

/* ------------------------------------------------------------------ writing */

static int append(const char *data, size_t len, void *out)
{
    buf_append(out, data, len);
    return 0;
}

static void write_with(const json_t *json, size_t flags, struct buf *out)
{
    /* It fails only where `append` does, or on a string that is not UTF-8; the latter must not pass unnoticed. */
    if (json_dump_callback(json, append, out, JSON_COMPACT | JSON_ENCODE_ANY | flags) != 0)
        out->overflow = true;
}

void json_write(const json_t *json, struct buf *out)
{
    write_with(json, 0, out);
}

void json_write_sorted(const json_t *json, struct buf *out)
{
    write_with(json, JSON_SORT_KEYS, out);
}

json_t *json_strings(const struct strlist *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, json_string(list->items[i]));
    return array;
}
