/* SPDX-License-Identifier: MIT */
#include "config/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* Longer than any path that systems take, plus a message. */
#define LINE_MAX_LEN 6144

void config_report_done(struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->problems[i].text);
        free(report->problems[i].hint);
    }
    free(report->problems);
    *report = (struct config_report){.warnings = report->warnings};
}

char *config_place_format(const struct config_place *at)
{
    switch (at->kind) {
    case CONFIG_FILE:
        return at->line ? mem_printf("%s:%zu:%zu", at->name, at->line, at->column) : mem_strdup(at->name);
    case CONFIG_ENVIRONMENT:
        return mem_printf("environment variable %s", at->name);
    case CONFIG_COMMAND_LINE:
        return mem_printf("option %s", at->name);
    case CONFIG_DEFAULT:
        break;
    }
    return mem_strdup(at->name ? at->name : "default");
}

/* "<place>: <text>", safe to print. */
static PRINTF_LIKE(2, 0) char *line_format(const struct config_place *at, const char *fmt, va_list args,
                                           const char *end)
{
    char AUTO_FREE *place = at ? config_place_format(at) : NULL;
    char AUTO_FREE *raw = mem_calloc(LINE_MAX_LEN, 1);
    char AUTO_FREE *safe = mem_calloc(LINE_MAX_LEN, 1);
    size_t used = 0;

    if (place)
        used = (size_t)snprintf(raw, LINE_MAX_LEN, "%s: ", place);
    if (used < LINE_MAX_LEN)
        (void)vsnprintf(raw + used, LINE_MAX_LEN - used, fmt, args);
    used = strlen(raw);
    (void)snprintf(raw + used, LINE_MAX_LEN - used, "%s", end);
    text_escape_into(safe, LINE_MAX_LEN, raw, strlen(raw));
    return mem_strdup(safe);
}

static PRINTF_LIKE(4, 0) void add(struct config_report *report, enum err_code code, const struct config_place *at,
                                  const char *fmt, va_list args)
{
    if (report->count == CONFIG_PROBLEMS_MAX) {
        report->left_out++;
        return;
    }
    report->problems = mem_resize(report->problems, report->count + 1, sizeof *report->problems);
    report->problems[report->count++] = (struct config_problem){.code = code, .text = line_format(at, fmt, args, "")};
}

void config_report_problem(struct config_report *report, const struct config_place *at, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add(report, ERR_CONFIG, at, fmt, args);
    va_end(args);
}

void config_report_error(struct config_report *report, enum err_code code, const struct config_place *at,
                         const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add(report, code, at, fmt, args);
    va_end(args);
}

void config_report_hint(struct config_report *report, const char *fmt, ...)
{
    struct config_problem *last;
    va_list args;

    if (report->count == 0 || report->left_out)
        return;
    last = &report->problems[report->count - 1];
    free(last->hint);
    va_start(args, fmt);
    last->hint = line_format(NULL, fmt, args, "");
    va_end(args);
}

void config_report_warning(struct config_report *report, const struct config_place *at, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    strlist_add_take(report->warnings, line_format(at, fmt, args, ", continuing"));
    va_end(args);
}

/* The code of the whole: mistakes in the text come first, as they need an editor; then what chmod can cure.
 */
static enum err_code overall_code(const struct config_report *report)
{
    enum err_code code = report->problems[0].code;

    for (size_t i = 0; i < report->count; i++) {
        if (report->problems[i].code == ERR_CONFIG)
            return ERR_CONFIG;
        if (report->problems[i].code == ERR_UNSAFE)
            code = ERR_UNSAFE;
    }
    return code;
}

static const struct config_problem *first_with_hint(const struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->problems[i].hint)
            return &report->problems[i];
    }
    return NULL;
}

enum err_code config_report_finish(struct config_report *report, const char *file, struct strlist *problems,
                                   struct err *err)
{
    const struct config_problem *hinting = first_with_hint(report);
    enum err_code code;

    if (report->count == 0)
        return ERR_OK;
    code = overall_code(report);
    if (report->count == 1) {
        (void)err_set(err, code, "%s", report->problems[0].text);
    } else {
        for (size_t i = 0; i < report->count; i++)
            strlist_add(problems, report->problems[i].text);
        if (report->left_out)
            strlist_add_take(problems, mem_printf("... and %zu more", report->left_out));
        (void)err_set(err, code, "the configuration%s%s%s has %zu mistakes", file ? " \"" : "", file ? file : "",
                      file ? "\"" : "", report->count + report->left_out);
    }
    if (hinting)
        err_hint(err, "%s", hinting->hint);
    return code;
}

/* Keys of DNS Made Easy are UUIDs, encrypted ones base64: a long run of letters and digits, with more
 * digits than the names of files and hosts have. */
bool config_may_be_secret(const char *text)
{
    size_t run = 0;
    size_t digits = 0;
    bool letter = false;

    for (; *text; text++) {
        bool is_digit = text_is_digit(*text);
        bool is_letter = text_lower(*text) >= 'a' && text_lower(*text) <= 'z';

        if (!is_digit && !is_letter && !strchr("+=_-", *text)) {
            run = digits = 0;
            letter = false;
            continue;
        }
        run++;
        digits += is_digit ? 1 : 0;
        letter = letter || is_letter;
        if (run >= 20 && digits >= 3 && letter)
            return true;
    }
    return false;
}

char *config_quote(const char *text)
{
    char short_text[100];

    if (config_may_be_secret(text))
        return mem_strdup("a value that is not shown here, as it looks like a secret");
    text_cut_into(short_text, sizeof short_text, text);
    return mem_printf("\"%s\"", short_text);
}
