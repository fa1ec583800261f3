/* SPDX-License-Identifier: MIT
 *
 * https://nagios-plugins.org/doc/guidelines.html: "SERVICE STATUS - text|performance data", then lines of details, and
 * the status as exit status.
 */
#include <string.h>

#include "monitor/format.h"

#define FIRST_LINE_PROBLEMS 3
#define DETAIL_LINES 50 /* NRPE carries 64 kB, and older ones 1 kB */
#define DAY_S 86400

int monitor_nagios_status(enum monitor_level level)
{
    static const int statuses[] = {
        [MONITOR_OK] = 0,
        [MONITOR_WARNING] = 1,
        [MONITOR_CRITICAL] = 2,
        [MONITOR_UNKNOWN] = 3,
    };

    return statuses[level];
}

static const char *word(enum monitor_level level)
{
    static const char *const words[] = {
        [MONITOR_OK] = "OK",
        [MONITOR_WARNING] = "WARNING",
        [MONITOR_CRITICAL] = "CRITICAL",
        [MONITOR_UNKNOWN] = "UNKNOWN",
    };

    return words[level];
}

/* Behind a bar performance data begins. */
static void put_text(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_putc(out, *text == '|' ? '/' : *text);
}

static size_t count_not_ok(const struct monitor_report *report)
{
    struct monitor_line line;
    size_t count = 0;

    for (size_t i = 0; monitor_report_line(report, i, &line); i++)
        count += line.verdict->level != MONITOR_OK;
    return count;
}

/* ------------------------------------------------------------------ first line */

static void put_problem(const struct monitor_line *line, struct buf *out)
{
    put_text(out, line->kind);
    buf_putc(out, ' ');
    put_text(out, line->name);
    buf_puts(out, ": ");
    put_text(out, line->verdict->text);
}

/* The worst ones. */
static void put_problems(const struct monitor_report *report, size_t count, struct buf *out)
{
    size_t shown = 0;

    for (int level = MONITOR_CRITICAL; level > MONITOR_OK; level--) {
        struct monitor_line line;

        for (size_t i = 0; shown < FIRST_LINE_PROBLEMS && monitor_report_line(report, i, &line); i++) {
            if ((int)line.verdict->level != level)
                continue;
            buf_puts(out, shown++ ? "; " : "");
            put_problem(&line, out);
        }
    }
    if (count > shown)
        buf_printf(out, "; and %zu more", count - shown);
}

static void put_all_is_well(const struct monitor_report *report, struct buf *out)
{
    int64_t first_s = INT64_MAX;

    buf_printf(out, "%zu result%s, %zu certificate%s", report->result_count, report->result_count == 1 ? "" : "s",
               report->certificate_count, report->certificate_count == 1 ? "" : "s");
    for (size_t i = 0; i < report->certificate_count; i++)
        if (report->certificates[i].cert.not_after_s < first_s)
            first_s = report->certificates[i].cert.not_after_s;
    if (report->certificate_count)
        buf_printf(out, ", the first to expire in %lld days", (long long)((first_s - report->now_ms / 1000) / DAY_S));
}

/* ------------------------------------------------------------------ performance data */

static void put_days(struct buf *out, int64_t seconds)
{
    int64_t hundredths = seconds * 100 / DAY_S;
    const char *sign = hundredths < 0 ? "-" : "";

    if (hundredths < 0)
        hundredths = -hundredths;
    buf_printf(out, "%s%lld.%02lld", sign, (long long)(hundredths / 100), (long long)(hundredths % 100));
}

/* In single quotes; a quote would be doubled, which few programs understand, and "=" is not allowed. */
static void put_label(struct buf *out, const char *text)
{
    buf_puts(out, " '");
    for (; *text; text++)
        buf_putc(out, strchr("'=|", *text) ? '_' : *text);
    buf_puts(out, "'=");
}

/* 'SOURCE days'=45.20;22.50:;9.00: */
static void put_certificates(const struct monitor_report *report, struct buf *out)
{
    for (size_t i = 0; i < report->certificate_count; i++) {
        const struct monitor_certificate *c = &report->certificates[i];
        char AUTO_FREE *label = mem_printf("%s days", c->source);

        if (c->code != ERR_OK)
            continue;
        put_label(out, label);
        put_days(out, c->cert.not_after_s - report->now_ms / 1000);
        buf_putc(out, ';');
        put_days(out, c->cert.not_after_s - c->warn_s);
        buf_puts(out, ":;");
        put_days(out, c->cert.not_after_s - c->critical_s);
        buf_putc(out, ':');
    }
}

static size_t count_failing(const struct monitor_report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < report->result_count; i++)
        count += report->results[i].verdict.level != MONITOR_OK;
    return count;
}

static void put_performance(const struct monitor_report *report, struct buf *out)
{
    buf_printf(out, "failing=%zu;0", count_failing(report));
    if (report->state.kind == MONITOR_STATE_KNOWN)
        buf_printf(out, " journalled=%zu damaged=%zu;0", report->state.journal_records, report->state.damaged_files);
    put_certificates(report, out);
}

/* ------------------------------------------------------------------ whole */

static void put_details(const struct monitor_report *report, struct buf *out)
{
    struct monitor_line line;
    size_t shown = 0;

    for (size_t i = 0; shown < DETAIL_LINES && monitor_report_line(report, i, &line); i++) {
        if (line.verdict->level == MONITOR_OK)
            continue;
        shown++;
        buf_printf(out, "%s ", word(line.verdict->level));
        put_problem(&line, out);
        if (line.verdict->hint) {
            buf_puts(out, " - ");
            put_text(out, line.verdict->hint);
        }
        buf_putc(out, '\n');
    }
    if (count_not_ok(report) > shown)
        buf_printf(out, "and %zu more: run acme-dme status\n", count_not_ok(report) - shown);
}

void monitor_format_nagios(const struct monitor_report *report, struct buf *out)
{
    enum monitor_level worst = monitor_report_worst(report);

    buf_printf(out, "ACME-DME %s - ", word(worst));
    if (worst == MONITOR_OK)
        put_all_is_well(report, out);
    else
        put_problems(report, count_not_ok(report), out);
    buf_puts(out, " | ");
    put_performance(report, out);
    buf_putc(out, '\n');
    put_details(report, out);
}

void monitor_format_nagios_unknown(const struct err *err, struct buf *out)
{
    buf_puts(out, "ACME-DME UNKNOWN - ");
    put_text(out, err->msg);
    buf_putc(out, '\n');
    if (*err->hint) {
        buf_puts(out, "hint: ");
        put_text(out, err->hint);
        buf_putc(out, '\n');
    }
}
