/* SPDX-License-Identifier: MIT
 *
 * Commands of the operator's: words that are never given to a shell.
 */
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "util/text.h"

#define TEXT_MAX (4 * 1024 * 1024) /* every character of a configuration file may need a backslash */
#define HINT "Write a program and its arguments as a list: [/path/to/program, argument]."

void config_commands_done(struct config_commands *commands)
{
    for (size_t i = 0; i < commands->count; i++)
        strlist_done(&commands->items[i].argv);
    free(commands->items);
    *commands = (struct config_commands){NULL, 0};
}

static struct strlist *add_command(struct config_commands *commands)
{
    commands->items = mem_grow(commands->items, commands->count, sizeof *commands->items);
    commands->items[commands->count] = (struct config_command){{NULL, 0}};
    return &commands->items[commands->count++].argv;
}

/* ------------------------------------------------------------------ checks */

/* A relative path would depend on where the program happens to be started. */
static bool check_program(const struct config_value *v, const struct config_text *text)
{
    if (config_value_is_plain(text->text) && (config_value_is_absolute(text->text) || !strpbrk(text->text, "/\\")))
        return true;
    config_value_must_be(v, text, "an absolute path, or the name of a program that PATH has");
    return false;
}

static bool check_argument(const struct config_value *v, const struct config_text *text)
{
    const char *p = text->text;

    while ((unsigned char)*p >= ' ' || *p == '\t' || *p == '\n')
        p++;
    if (!*p && p - text->text <= CONFIG_STRING_MAX)
        return true;
    config_report_problem(&v->load->report, &text->at, "an argument in \"%s\" is too long or has control characters",
                          v->path);
    return false;
}

/* "/bin/program argument" in one piece is meant for a shell, and there is none.  What was stored once was looked at
 * then. */
static bool check_alone(const struct config_value *v, const struct config_text *text)
{
    if (text->at.kind == CONFIG_DEFAULT || !strchr(text->text, ' ') || platform_file_exists(text->text))
        return true;
    config_report_problem(&v->load->report, &text->at,
                          "\"%s\" is one word with spaces, and no program of that name exists; there is no shell",
                          v->path);
    config_report_hint(&v->load->report, HINT);
    return false;
}

bool config_value_set_commands(const struct config_value *v)
{
    struct config_commands AUTO(config_commands_done) commands = {NULL, 0};
    struct config_commands *slot = v->field;
    struct config_commands old = *slot;
    struct strlist *argv = NULL;
    bool good = true;

    for (size_t i = 0; i < v->count; i++) {
        const struct config_text *text = &v->texts[i];
        bool is_first = i == 0 || text->command != v->texts[i - 1].command;
        bool is_last = i + 1 == v->count || text->command != v->texts[i + 1].command;

        if (is_first)
            argv = add_command(&commands);
        good = (is_first ? check_program(v, text) : check_argument(v, text)) && good;
        good = good && is_first && is_last ? check_alone(v, text) : good;
        strlist_add(argv, text->text);
    }
    if (!good)
        return false;
    *slot = commands;
    commands = old; /* freed at the end of the scope */
    return true;
}

/* ------------------------------------------------------------------ as one text */

static void put_word(struct buf *out, const char *word)
{
    for (; *word; word++) {
        if (strchr(",;\\", *word))
            buf_putc(out, '\\');
        buf_putc(out, *word);
    }
}

char *config_commands_format(const struct config_commands *commands)
{
    struct buf AUTO_BUF out = BUF_INIT(TEXT_MAX);

    for (size_t i = 0; i < commands->count; i++) {
        const struct strlist *argv = &commands->items[i].argv;

        for (size_t j = 0; j < argv->count; j++) {
            put_word(&out, argv->items[j]);
            buf_putc(&out, j + 1 < argv->count ? ',' : ';');
        }
    }
    return buf_take(&out);
}

bool config_commands_parse(const char *text, struct config_commands *out)
{
    struct config_commands AUTO(config_commands_done) commands = {NULL, 0};
    struct buf AUTO_BUF word = BUF_INIT(TEXT_MAX);
    struct strlist *argv = NULL;
    char end = ';';

    if (strlen(text) > TEXT_MAX)
        return false;
    for (; *text; text++) {
        if (!strchr(",;", *text)) {
            text += *text == '\\' ? 1 : 0;
            if (!*text)
                return false;
            buf_putc(&word, *text);
            end = '\0';
            continue;
        }
        argv = argv ? argv : add_command(&commands);
        strlist_add_take(argv, buf_take(&word));
        end = *text;
        argv = end == ';' ? NULL : argv;
    }
    if (end != ';')
        return false;
    *out = commands;
    commands = (struct config_commands){NULL, 0};
    return true;
}
