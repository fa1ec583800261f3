/* SPDX-License-Identifier: MIT
 *
 * Structs to JSON and back, driven by tables.  What is read may have been damaged or planted: every member is
 * checked for type, length and characters.  What is written passes the same checks first, so that nothing
 * gets on disk that could not be read back.
 *
 * Those checks can't see that a digit of a record's id has changed, so a checksum goes with the members.  Versions:
 *
 *   1  without checksum; still read, and written as 2 with the next change
 *   2  with it
 *
 * Whatever a later version changes, "version" and "checksum" stay as they are: so a version number that is damaged is
 * told from one that is too new for us.
 */
#include "store/internal.h"

#include <string.h>

#include "util/text.h"

#define DNS_NAME_MAX 253
#define DNS_LABEL_MAX 63
#define VERSION_KEY "version"
#define VERSION_WITHOUT_CHECKSUM 1

/* The void pointers lead to structs that the tables describe; memcpy keeps alignment and aliasing out of it.
 */
static const char *get_text(const void *from, const struct codec_field *field)
{
    const char *text;

    memcpy(&text, (const char *)from + field->offset, sizeof text);
    return text;
}

static void set_text(void *to, const struct codec_field *field, const char *text)
{
    char *copy = mem_strdup(text);

    memcpy((char *)to + field->offset, &copy, sizeof copy);
}

static int64_t get_number(const void *from, const struct codec_field *field)
{
    int64_t number;

    memcpy(&number, (const char *)from + field->offset, sizeof number);
    return number;
}

static int get_choice(const void *from, const struct codec_field *field)
{
    int value;

    memcpy(&value, (const char *)from + field->offset, sizeof value);
    return value;
}

static const struct strlist *get_list(const void *from, const struct codec_field *field)
{
    const void *member = (const char *)from + field->offset;

    return member;
}

static bool is_plain_text(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len > max || !text_is_utf8(text, len))
        return false;
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static bool is_name_char(char c)
{
    return c > 0x20 && c < 0x7f && !(c >= 'A' && c <= 'Z') && c != '"' && c != '\\';
}

bool codec_is_dns_name(const char *name)
{
    size_t label = 0;

    if (strlen(name) > DNS_NAME_MAX)
        return false;
    for (; *name; name++) {
        if (*name == '.' && label == 0)
            return false;
        label = *name == '.' ? 0 : label + 1;
        if (label > DNS_LABEL_MAX || !is_name_char(*name))
            return false;
    }
    return label > 0;
}

static bool is_good_text(const struct codec_field *field, const char *text)
{
    if (field->type == CODEC_OPTIONAL)
        return !text || is_plain_text(text, field->max);
    if (!text)
        return false;
    if (field->type == CODEC_NAME)
        return codec_is_dns_name(text);
    return *text && is_plain_text(text, field->max);
}

static size_t max_items(const struct codec_field *field)
{
    return field->type == CODEC_LONG_LIST ? CODEC_LONG_LIST_MAX : CODEC_LIST_MAX;
}

static bool is_good_item(const struct codec_field *field, const char *text)
{
    return is_plain_text(text, field->max) && (field->type != CODEC_LONG_LIST || *text);
}

static bool is_good_list(const struct codec_field *field, const struct strlist *list)
{
    if (list->count > max_items(field))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!is_good_item(field, list->items[i]))
            return false;
    return true;
}

static bool is_good(const struct codec_field *field, const void *from)
{
    switch (field->type) {
    case CODEC_NUMBER:
        return get_number(from, field) >= 0;
    case CODEC_LIST:
    case CODEC_LONG_LIST:
        return is_good_list(field, get_list(from, field));
    case CODEC_CHOICE:
        return field->choice(get_choice(from, field)) != NULL;
    case CODEC_TEXT:
    case CODEC_OPTIONAL:
    case CODEC_NAME:
        break;
    }
    return is_good_text(field, get_text(from, field));
}

/* ------------------------------------------------------------------ writing */

static json_t *list_to_json(const struct strlist *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        if (json_array_append_new(array, json_string(list->items[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *member_to_json(const struct codec_field *field, const void *from)
{
    if (field->type == CODEC_NUMBER)
        return json_integer(get_number(from, field));
    if (field->type == CODEC_LIST || field->type == CODEC_LONG_LIST)
        return list_to_json(get_list(from, field));
    if (field->type == CODEC_CHOICE)
        return json_string(field->choice(get_choice(from, field)));
    return json_string(get_text(from, field) ? get_text(from, field) : "");
}

static json_t *to_json(const struct codec_field *fields, size_t count, const void *from)
{
    json_t AUTO_JSON *json = json_object();
    json_t *out;

    if (json_object_set_new(json, VERSION_KEY, json_integer(CODEC_VERSION)) != 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (json_object_set_new(json, fields[i].key, member_to_json(&fields[i], from)) != 0)
            return NULL;
    out = json;
    json = NULL;
    return out;
}

enum err_code codec_format(const struct codec_field *fields, size_t count, const void *from, const char *what,
                           struct buf *out, struct err *err)
{
    json_t AUTO_JSON *json = NULL;
    enum err_code rc;

    for (size_t i = 0; i < count; i++)
        if (!is_good(&fields[i], from))
            return err_set(err, ERR_INTERNAL, "%s: \"%s\" has a value it can't have", what, fields[i].key);
    json = to_json(fields, count, from);
    if (!json)
        return err_set(err, ERR_INTERNAL, "%s: no memory", what);
    rc = checksum_add(json, what, err);
    if (rc != ERR_OK) {
        if (err)
            err->code = ERR_INTERNAL;
        return ERR_INTERNAL;
    }
    json_write(json, out);
    buf_putc(out, '\n');
    return buf_ok(out) ? ERR_OK : err_set(err, ERR_INTERNAL, "%s: it is too large", what);
}

/* ------------------------------------------------------------------ reading */

static enum err_code bad_value(const struct codec_field *field, const char *what, struct err *err)
{
    return err_set(err, ERR_INPUT, "%s: \"%s\" has a value it can't have", what, field->key);
}

static enum err_code read_text(const struct codec_field *field, const json_t *json, const char *what, void *to,
                               struct err *err)
{
    const char *text = NULL;
    enum err_code rc = field->type == CODEC_OPTIONAL ? json_find_string(json, field->key, what, &text, err)
                                                     : json_want_string(json, field->key, what, &text, err);

    if (rc != ERR_OK)
        return rc;
    if (!is_good_text(field, text))
        return bad_value(field, what, err);
    set_text(to, field, text ? text : "");
    return ERR_OK;
}

static enum err_code read_number(const struct codec_field *field, const json_t *json, const char *what, void *to,
                                 struct err *err)
{
    int64_t number;
    enum err_code rc = json_want_int64(json, field->key, 0, INT64_MAX, what, &number, err);

    if (rc == ERR_OK)
        memcpy((char *)to + field->offset, &number, sizeof number);
    return rc;
}

static enum err_code read_list(const struct codec_field *field, const json_t *json, const char *what, void *to,
                               struct err *err)
{
    void *member = (char *)to + field->offset;
    struct strlist *list = member;
    const json_t *array;
    enum err_code rc = json_want_array(json, field->key, what, &array, err);

    if (rc != ERR_OK)
        return rc;
    if (json_array_size(array) > max_items(field))
        return bad_value(field, what, err);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));

        if (!text || !is_good_item(field, text))
            return bad_value(field, what, err);
        strlist_add(list, text);
    }
    return ERR_OK;
}

static enum err_code read_choice(const struct codec_field *field, const json_t *json, const char *what, void *to,
                                 struct err *err)
{
    const char *text;
    const char *name;
    enum err_code rc = json_want_string(json, field->key, what, &text, err);

    if (rc != ERR_OK)
        return rc;
    for (int value = 0; (name = field->choice(value)) != NULL; value++)
        if (strcmp(text, name) == 0) {
            memcpy((char *)to + field->offset, &value, sizeof value);
            return ERR_OK;
        }
    return bad_value(field, what, err);
}

static enum err_code read_field(const struct codec_field *field, const json_t *json, const char *what, void *to,
                                struct err *err)
{
    switch (field->type) {
    case CODEC_NUMBER:
        return read_number(field, json, what, to, err);
    case CODEC_LIST:
    case CODEC_LONG_LIST:
        return read_list(field, json, what, to, err);
    case CODEC_CHOICE:
        return read_choice(field, json, what, to, err);
    case CODEC_TEXT:
    case CODEC_OPTIONAL:
    case CODEC_NAME:
        break;
    }
    return read_text(field, json, what, to, err);
}

static enum err_code check_version(const json_t *json, const char *what, struct err *err)
{
    int64_t version;
    enum err_code rc = json_want_int64(json, VERSION_KEY, VERSION_WITHOUT_CHECKSUM, INT64_MAX, what, &version, err);

    if (rc != ERR_OK)
        return rc;
    if (version == VERSION_WITHOUT_CHECKSUM)
        return checksum_is_there(json) ? err_set(err, ERR_INPUT, "%s: its version is wrong", what) : ERR_OK;
    rc = checksum_verify(json, what, err);
    if (rc == ERR_OK && version > CODEC_VERSION)
        rc = err_set(err, ERR_DECLINED, "%s was written by a newer acme-dme (version %lld of the format)", what,
                     (long long)version);
    return rc;
}

enum err_code codec_read(const struct codec_field *fields, size_t count, const json_t *json, const char *what, void *to,
                         struct err *err)
{
    enum err_code rc = json_want_object(json, what, err);

    if (rc == ERR_OK)
        rc = check_version(json, what, err);
    for (size_t i = 0; i < count && rc == ERR_OK; i++)
        rc = read_field(&fields[i], json, what, to, err);
    return rc;
}

static enum err_code load(const struct codec_field *fields, size_t count, const char *path, size_t max, void *to,
                          struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(max);
    json_t AUTO_JSON *json = NULL;
    enum err_code rc = platform_file_read_own(path, &text, err);

    if (rc == ERR_OK && text.len == 0)
        return err_set(err, ERR_INPUT, "%s is empty", path);
    if (rc == ERR_OK)
        rc = json_parse(buf_cstr(&text), text.len, path, &json, err);
    return rc == ERR_OK ? codec_read(fields, count, json, path, to, err) : rc;
}

enum err_code codec_load(const struct codec_field *fields, size_t count, const char *path, void *to, struct err *err)
{
    return load(fields, count, path, CODEC_FILE_MAX, to, err);
}

enum err_code codec_load_long(const struct codec_field *fields, size_t count, const char *path, void *to,
                              struct err *err)
{
    return load(fields, count, path, CODEC_LONG_FILE_MAX, to, err);
}
