/* SPDX-License-Identifier: MIT */
#include "check/report.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "util/text.h"

#define TEXT_MAX 2048
#define JSON_MAX (8u * 1024 * 1024)
#define JSON_VERSION 1

static PRINTF_LIKE(1, 0) char *format_safe(const char *fmt, va_list args)
{
    char raw[TEXT_MAX + 1]; /* one more, so that what does not fit is seen to be cut */
    char safe[TEXT_MAX];

    if (vsnprintf(raw, sizeof raw, fmt, args) < 0)
        raw[0] = '\0';
    text_escape_into(safe, sizeof safe, raw, strlen(raw));
    return mem_strdup(safe);
}

static struct check_finding *last(struct check_report *report)
{
    return &report->items[report->count - 1];
}

void check_report_flush(struct check_report *report)
{
    for (; report->told < report->count; report->told++)
        if (report->on_finding)
            report->on_finding(report->ctx, &report->items[report->told]);
}

static struct check_finding *begin(struct check_report *report, enum check_level level, const char *step,
                                   const char *subject)
{
    char safe[TEXT_MAX];
    struct check_finding *finding;

    check_report_flush(report);
    text_escape_into(safe, sizeof safe, subject, strlen(subject));
    report->items = mem_grow(report->items, report->count, sizeof *report->items);
    finding = &report->items[report->count++];
    *finding = (struct check_finding){
        .level = level,
        .code = level == CHECK_FAIL ? ERR_API : ERR_OK,
        .step = step,
        .subject = mem_strdup(safe),
        .hint = mem_strdup(""),
    };
    return finding;
}

void check_add(struct check_report *report, enum check_level level, const char *step, const char *subject,
               const char *fmt, ...)
{
    struct check_finding *finding = begin(report, level, step, subject);
    va_list args;

    va_start(args, fmt);
    finding->text = format_safe(fmt, args);
    va_end(args);
}

void check_add_error(struct check_report *report, enum check_level level, const char *step, const char *subject,
                     const struct err *err)
{
    struct check_finding *finding = begin(report, level, step, subject);

    finding->text = mem_strdup(err->msg);
    free(finding->hint);
    finding->hint = mem_strdup(err->hint);
    if (level == CHECK_FAIL)
        finding->code = err->code;
}

void check_hint(struct check_report *report, const char *fmt, ...)
{
    struct check_finding *finding = last(report);
    va_list args;

    free(finding->hint);
    va_start(args, fmt);
    finding->hint = format_safe(fmt, args);
    va_end(args);
}

void check_code(struct check_report *report, enum err_code code)
{
    if (last(report)->level == CHECK_FAIL)
        last(report)->code = code;
}

void check_measure(struct check_report *report, const char *name, int64_t value)
{
    struct check_finding *finding = last(report);

    if (finding->measure_count < CHECK_MEASURES_MAX)
        finding->measures[finding->measure_count++] = (struct check_measure){name, value};
}

enum check_level check_worst(const struct check_report *report, enum err_code *out_code)
{
    enum check_level worst = CHECK_OK;

    *out_code = ERR_OK;
    for (size_t i = 0; i < report->count; i++) {
        const struct check_finding *finding = &report->items[i];

        if (finding->level == CHECK_FAIL && *out_code == ERR_OK)
            *out_code = finding->code;
        if (finding->level > worst)
            worst = finding->level;
    }
    return worst;
}

const char *check_level_name(enum check_level level)
{
    static const char *const names[] = {
        [CHECK_OK] = "ok", [CHECK_SKIPPED] = "skipped", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail"};

    return names[level];
}

static json_t *finding_json(const struct check_finding *finding)
{
    json_t *measures = json_object();
    json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:s}", "level", check_level_name(finding->level), "step",
                            finding->step, "subject", finding->subject, "text", finding->text, "hint", finding->hint);

    for (size_t i = 0; i < finding->measure_count; i++)
        (void)json_object_set_new(measures, finding->measures[i].name, json_integer(finding->measures[i].value));
    if (finding->level == CHECK_FAIL)
        (void)json_object_set_new(out, "code", json_string(err_name(finding->code)));
    (void)json_object_set_new(out, "measures", measures);
    return out;
}

char *check_report_json(const struct check_report *report)
{
    enum err_code code;
    AUTO_BUF struct buf text = BUF_INIT(JSON_MAX);
    AUTO_JSON json_t *root = json_pack("{s:i, s:s}", "version", JSON_VERSION, "result",
                                       check_level_name(check_worst(report, &code)));
    json_t *findings = json_array();

    for (size_t i = 0; i < report->count; i++)
        (void)json_array_append_new(findings, finding_json(&report->items[i]));
    (void)json_object_set_new(root, "findings", findings);
    json_write(root, &text);
    return buf_take(&text);
}

void check_report_done(struct check_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->items[i].subject);
        free(report->items[i].text);
        free(report->items[i].hint);
    }
    free(report->items);
    *report = (struct check_report){.count = 0};
}
