/* SPDX-License-Identifier: MIT */
#include "monitor/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define VERDICT_MAX (ERR_MSG_MAX + ERR_HINT_MAX)

static void verdict_done(struct monitor_verdict *verdict)
{
    free(verdict->text);
    free(verdict->hint);
    *verdict = (struct monitor_verdict){.text = NULL};
}

static void certificate_done(struct monitor_certificate *certificate)
{
    free(certificate->source);
    free(certificate->problem);
    cert_done(&certificate->cert);
    verdict_done(&certificate->verdict);
}

void monitor_report_done(struct monitor_report *report)
{
    for (size_t i = 0; i < report->result_count; i++) {
        result_done(&report->results[i].result);
        verdict_done(&report->results[i].verdict);
    }
    for (size_t i = 0; i < report->certificate_count; i++)
        certificate_done(&report->certificates[i]);
    free(report->results);
    free(report->certificates);
    strmap_done(&report->sources);
    free(report->state.dir);
    verdict_done(&report->state.access);
    verdict_done(&report->state.journal);
    verdict_done(&report->state.damaged);
    *report = (struct monitor_report){.now_ms = 0};
}

const char *monitor_level_name(enum monitor_level level)
{
    static const char *const names[] = {
        [MONITOR_OK] = "ok",
        [MONITOR_UNKNOWN] = "unknown",
        [MONITOR_WARNING] = "warning",
        [MONITOR_CRITICAL] = "critical",
    };

    return names[level];
}

/* ------------------------------------------------------------------ verdicts */

static PRINTF_LIKE(2, 0) void set_text(char **slot, const char *fmt, va_list args)
{
    char raw[VERDICT_MAX];
    char safe[VERDICT_MAX];

    (void)vsnprintf(raw, sizeof raw, fmt, args);
    text_escape_into(safe, sizeof safe, raw, strlen(raw));
    free(*slot);
    *slot = mem_strdup(safe);
}

void monitor_verdict_set(struct monitor_verdict *verdict, enum monitor_level level, const char *fmt, ...)
{
    va_list args;

    verdict_done(verdict);
    verdict->level = level;
    va_start(args, fmt);
    set_text(&verdict->text, fmt, args);
    va_end(args);
}

void monitor_verdict_hint(struct monitor_verdict *verdict, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_text(&verdict->hint, fmt, args);
    va_end(args);
}

/* ------------------------------------------------------------------ lines */

static bool state_line(const struct monitor_state *state, size_t index, struct monitor_line *out)
{
    if (state->kind == MONITOR_STATE_UNKNOWN && index == 0)
        *out = (struct monitor_line){"state", state->dir, &state->access};
    else if (state->kind == MONITOR_STATE_KNOWN && index == 0)
        *out = (struct monitor_line){"journal", state->dir, &state->journal};
    else if (state->kind == MONITOR_STATE_KNOWN && index == 1 && state->damaged_files)
        *out = (struct monitor_line){"damaged", state->dir, &state->damaged};
    else
        return false;
    return true;
}

bool monitor_report_line(const struct monitor_report *report, size_t index, struct monitor_line *out)
{
    if (index < report->result_count) {
        const struct monitor_result *r = &report->results[index];

        *out = (struct monitor_line){r->result.kind == RESULT_HOOK ? "hook" : "renewal", r->result.name, &r->verdict};
        return true;
    }
    index -= report->result_count;
    if (index < report->certificate_count) {
        const struct monitor_certificate *c = &report->certificates[index];

        *out = (struct monitor_line){"certificate", c->source, &c->verdict};
        return true;
    }
    return state_line(&report->state, index - report->certificate_count, out);
}

enum monitor_level monitor_report_worst(const struct monitor_report *report)
{
    enum monitor_level worst = MONITOR_OK;
    struct monitor_line line;

    for (size_t i = 0; monitor_report_line(report, i, &line); i++)
        if (line.verdict->level > worst)
            worst = line.verdict->level;
    return worst;
}
