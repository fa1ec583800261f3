/* SPDX-License-Identifier: MIT */
#include "import/settings.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/text.h"

#define SETTINGS_MAX 2000

/* A line under the pen: its text, without white space at either end. */
struct line {
    const char *text;
    size_t len;
    size_t number;
};

void import_settings_done(struct import_settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        free(settings->items[i].section);
        free(settings->items[i].key);
        free(settings->items[i].value);
    }
    free(settings->items);
    free(settings->file);
    *settings = (struct import_settings){NULL, NULL, 0};
}

static struct line trimmed(const char *text, size_t len, size_t number)
{
    while (len && text_is_space(*text)) {
        text++;
        len--;
    }
    while (len && text_is_space(text[len - 1]))
        len--;
    return (struct line){text, len, number};
}

/* The next line of what is left of a text; false at its end. */
static bool next_line(const char **text, const char *end, struct line *line)
{
    const char *stop;

    if (*text == end)
        return false;
    stop = memchr(*text, '\n', (size_t)(end - *text));
    *line = trimmed(*text, (size_t)((stop ? stop : end) - *text), line->number + 1);
    *text = stop ? stop + 1 : end;
    return true;
}

static enum err_code fail(const struct import_settings *settings, const struct line *line, const char *why,
                          struct err *err)
{
    return err_set(err, ERR_INPUT, "%s:%zu: %s", settings->file, line->number, why);
}

/* Takes the value, NULL included. */
static enum err_code add(struct import_settings *settings, const char *section, const struct line *key, char *value,
                         struct err *err)
{
    if (settings->count == SETTINGS_MAX) {
        free(value);
        return err_set(err, ERR_INPUT, "%s:%zu: more than %d settings", settings->file, key->number, SETTINGS_MAX);
    }
    settings->items = mem_grow(settings->items, settings->count, sizeof *settings->items);
    settings->items[settings->count++] = (struct import_setting){mem_strdup(section), mem_strndup(key->text, key->len),
                                                                 value, key->number};
    return ERR_OK;
}

/* ------------------------------------------------------------------ certbot's */

/* "[name]" or "[[name]]", perhaps with a comment behind: *out_section is the name, nested ones in brackets; yours. */
static enum err_code parse_section(const struct import_settings *settings, const struct line *line, char **out_section,
                                   struct err *err)
{
    bool is_nested = line->len > 1 && line->text[1] == '[';
    const char *start = line->text + (is_nested ? 2 : 1);
    const char *end = line->text + line->len;
    const char *stop = memchr(start, ']', (size_t)(end - start));
    struct line rest;

    if (stop == NULL || stop == start || (is_nested && (stop + 1 == end || stop[1] != ']')))
        return fail(settings, line, "a section's name is not closed", err);
    rest = trimmed(stop + (is_nested ? 2 : 1), (size_t)(end - stop) - (is_nested ? 2 : 1), line->number);
    if (rest.len && *rest.text != '#')
        return fail(settings, line, "there is something behind a section's name", err);
    free(*out_section);
    *out_section = is_nested ? mem_printf("[%.*s]", (int)(stop - start), start)
                             : mem_strndup(start, (size_t)(stop - start));
    return ERR_OK;
}

/* A value in quotes, or one up to a comment; yours. */
static enum err_code parse_value(const struct import_settings *settings, const struct line *value, char **out,
                                 struct err *err)
{
    char quote = value->len ? *value->text : '\0';
    const char *end = value->text + value->len;
    const char *stop;
    struct line rest;

    if (quote != '\'' && quote != '"') {
        stop = memchr(value->text, '#', value->len);
        rest = trimmed(value->text, stop ? (size_t)(stop - value->text) : value->len, value->number);
        *out = mem_strndup(rest.text, rest.len);
        return ERR_OK;
    }
    if (value->len >= 3 && value->text[1] == quote && value->text[2] == quote)
        return fail(settings, value, "values of several lines are not supported", err);
    stop = memchr(value->text + 1, quote, value->len - 1);
    if (!stop)
        return fail(settings, value, "a quote is not closed", err);
    rest = trimmed(stop + 1, (size_t)(end - stop - 1), value->number);
    /* "a", "b" is a list: nobody here wants one, and it stays as it is written. */
    if (rest.len && *rest.text == ',')
        *out = mem_strndup(value->text, value->len);
    else if (rest.len && *rest.text != '#')
        return fail(settings, value, "there is something behind a closing quote", err);
    else
        *out = mem_strndup(value->text + 1, (size_t)(stop - value->text - 1));
    return ERR_OK;
}

static enum err_code parse_ini_setting(struct import_settings *settings, const char *section, const struct line *line,
                                       struct err *err)
{
    const char *equals = memchr(line->text, '=', line->len);
    char *text = NULL;
    struct line key, value;
    enum err_code code;

    if (!equals || equals == line->text)
        return fail(settings, line, "neither a setting (\"key = value\"), a section nor a comment", err);
    key = trimmed(line->text, (size_t)(equals - line->text), line->number);
    value = trimmed(equals + 1, (size_t)(line->text + line->len - equals - 1), line->number);
    for (size_t i = 0; i < settings->count; i++) {
        const struct import_setting *other = &settings->items[i];

        if (strcmp(other->section, section) == 0 && strlen(other->key) == key.len &&
            memcmp(other->key, key.text, key.len) == 0)
            return err_set(err, ERR_INPUT, "%s:%zu: \"%s\" is set again; line %zu has it first", settings->file,
                           line->number, other->key, other->line);
    }
    code = parse_value(settings, &value, &text, err);
    return code == ERR_OK ? add(settings, section, &key, text, err) : code;
}

static enum err_code parse_ini_lines(const char *text, size_t len, struct import_settings *settings, struct err *err)
{
    char AUTO_FREE *section = mem_strdup("");
    struct line line = {NULL, 0, 0};
    const char *end = text + len;
    enum err_code code = ERR_OK;

    while (code == ERR_OK && next_line(&text, end, &line)) {
        if (line.len == 0 || *line.text == '#')
            continue;
        code = *line.text == '[' ? parse_section(settings, &line, &section, err)
                                 : parse_ini_setting(settings, section, &line, err);
    }
    return code;
}

enum err_code import_settings_parse_ini(const char *text, size_t len, const char *file, struct import_settings *out,
                                        struct err *err)
{
    struct import_settings AUTO_IMPORT_SETTINGS made = {mem_strdup(file), NULL, 0};
    enum err_code code = parse_ini_lines(text, len, &made, err);

    if (code != ERR_OK)
        return code;
    *out = made;
    made = (struct import_settings){NULL, NULL, 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ acme.sh's */

static bool is_key_char(char c)
{
    char lower = text_lower(c);

    return (lower >= 'a' && lower <= 'z') || text_is_digit(c) || c == '_';
}

static bool has_any(const char *text, size_t len, const char *chars)
{
    for (size_t i = 0; i < len; i++)
        if (strchr(chars, text[i]))
            return true;
    return false;
}

/* The value that a shell would assign, as far as no shell is needed; NULL where one is.  Yours. */
static char *shell_value(const struct line *value)
{
    char quote = value->len ? *value->text : '\0';
    size_t inside = value->len >= 2 ? value->len - 2 : 0;

    if (quote != '\'' && quote != '"')
        return has_any(value->text, value->len, " \t'\"$`\\;&|<>()*?[]{}~#!") ? NULL
                                                                              : mem_strndup(value->text, value->len);
    if (value->len < 2 || value->text[value->len - 1] != quote ||
        has_any(value->text + 1, inside, quote == '\'' ? "'" : "\"$`\\"))
        return NULL;
    return mem_strndup(value->text + 1, inside);
}

static enum err_code parse_shell_lines(const char *text, size_t len, struct import_settings *settings, struct err *err)
{
    struct line line = {NULL, 0, 0};
    const char *end = text + len;
    enum err_code code = ERR_OK;

    while (code == ERR_OK && next_line(&text, end, &line)) {
        struct line key = {line.text, 0, line.number};
        struct line value;

        if (line.len == 0 || *line.text == '#')
            continue;
        while (key.len < line.len && is_key_char(line.text[key.len]))
            key.len++;
        if (key.len == 0 || text_is_digit(*key.text) || key.len == line.len || line.text[key.len] != '=')
            return fail(settings, &line, "neither a setting (\"KEY='value'\") nor a comment", err);
        value = (struct line){line.text + key.len + 1, line.len - key.len - 1, line.number};
        code = add(settings, "", &key, shell_value(&value), err);
    }
    return code;
}

enum err_code import_settings_parse_shell(const char *text, size_t len, const char *file, struct import_settings *out,
                                          struct err *err)
{
    struct import_settings AUTO_IMPORT_SETTINGS made = {mem_strdup(file), NULL, 0};
    enum err_code code = parse_shell_lines(text, len, &made, err);

    if (code != ERR_OK)
        return code;
    *out = made;
    made = (struct import_settings){NULL, NULL, 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ looking things up */

const struct import_setting *import_settings_find(const struct import_settings *settings, const char *section,
                                                  const char *key)
{
    for (size_t i = settings->count; i-- > 0;)
        if (strcmp(settings->items[i].key, key) == 0 && strcmp(settings->items[i].section, section) == 0)
            return &settings->items[i];
    return NULL;
}

enum err_code import_settings_text(const struct import_settings *settings, const char *section, const char *key,
                                   const char **out, struct err *err)
{
    const struct import_setting *found = import_settings_find(settings, section, key);

    if (found && !found->value)
        return err_set(err, ERR_INPUT, "%s:%zu: it takes a shell to tell the value of \"%s\"", settings->file,
                       found->line, key);
    *out = found && *found->value && strcmp(found->value, "None") != 0 ? found->value : NULL;
    return ERR_OK;
}

bool import_settings_has(const struct import_settings *settings, const char *section, const char *key)
{
    const struct import_setting *found = import_settings_find(settings, section, key);

    return found && (!found->value || (*found->value && strcmp(found->value, "None") != 0));
}

bool import_settings_is_true(const struct import_settings *settings, const char *section, const char *key)
{
    const struct import_setting *found = import_settings_find(settings, section, key);

    return found && found->value && text_casecmp(found->value, "true") == 0;
}
