/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/format.h"
#include "util/text.h"

#define NAME_WIDTH_MAX 44
#define TEXT_MAX 160 /* the whole text is in the other formats */

static bool is_wanted(const struct monitor_line *line, enum monitor_detail detail)
{
    return detail == MONITOR_ALL || line->verdict->level != MONITOR_OK;
}

static int name_width(const struct monitor_report *report, enum monitor_detail detail)
{
    struct monitor_line line;
    size_t width = 4;

    for (size_t i = 0; monitor_report_line(report, i, &line); i++)
        if (is_wanted(&line, detail) && strlen(line.name) > width)
            width = strlen(line.name);
    return width < NAME_WIDTH_MAX ? (int)width : NAME_WIDTH_MAX;
}

static void put_line(const struct monitor_line *line, int width, struct buf *out)
{
    char text[TEXT_MAX];

    text_cut_into(text, sizeof text, line->verdict->text);
    buf_printf(out, "%-8s  %-11s  %-*s  %s\n", monitor_level_name(line->verdict->level), line->kind, width, line->name,
               text);
    if (line->verdict->hint && line->verdict->level != MONITOR_OK)
        buf_printf(out, "%-8s  hint: %s\n", "", line->verdict->hint);
}

static void put_summary(const struct monitor_report *report, struct buf *out)
{
    size_t counts[MONITOR_CRITICAL + 1] = {0};
    struct monitor_line line;
    const char *between = "";

    for (size_t i = 0; monitor_report_line(report, i, &line); i++)
        counts[line.verdict->level]++;
    buf_putc(out, '\n');
    for (size_t level = MONITOR_CRITICAL + 1; level-- > 0;) {
        if (!counts[level])
            continue;
        buf_printf(out, "%s%zu %s%s", between, counts[level], monitor_level_name((enum monitor_level)level),
                   level == MONITOR_WARNING && counts[level] > 1 ? "s" : "");
        between = ", ";
    }
    buf_putc(out, '\n');
}

void monitor_format_table(const struct monitor_report *report, enum monitor_detail detail, struct buf *out)
{
    int width = name_width(report, detail);
    struct monitor_line line;

    if (!monitor_report_line(report, 0, &line)) {
        if (detail == MONITOR_ALL)
            buf_puts(out, "nothing to look at: there is no state directory, and no certificate was named\n");
        return;
    }
    if (detail == MONITOR_ALL)
        buf_printf(out, "%-8s  %-11s  %-*s  %s\n", "LEVEL", "KIND", width, "NAME", "STATUS");
    for (size_t i = 0; monitor_report_line(report, i, &line); i++)
        if (is_wanted(&line, detail))
            put_line(&line, width, out);
    if (detail == MONITOR_ALL)
        put_summary(report, out);
}
