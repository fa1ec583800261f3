/* SPDX-License-Identifier: MIT
 *
 * A report for people, for programs, for the textfile collector of Prometheus' node_exporter, and for Nagios and its
 * likes.  Each is documented in acme-dme(1).
 */
#ifndef ACME_DME_MONITOR_FORMAT_H
#define ACME_DME_MONITOR_FORMAT_H

#include "monitor/report.h"
#include "util/buf.h"

#define MONITOR_TEXT_MAX (64 * 1024 * 1024) /* of all formats: a buffer for them may take this much */

enum monitor_detail { MONITOR_ALL, MONITOR_NOT_OK };

/* A line for each thing that was looked at, its hint below it if it is not ok, and a summary.  MONITOR_NOT_OK: only
 * what is not ok, and so nothing at all when all is well. */
void monitor_format_table(const struct monitor_report *report, enum monitor_detail detail, struct buf *out);

#define MONITOR_JSON_VERSION 1
/* One line; on lack of memory `out` gets its overflow mark. */
void monitor_format_json(const struct monitor_report *report, struct buf *out);

/* Text exposition format, version 0.0.4. */
void monitor_format_prometheus(const struct monitor_report *report, struct buf *out);

/* Plugin output: a line with performance data, then details of what is not ok. */
void monitor_format_nagios(const struct monitor_report *report, struct buf *out);
/* The line for an examination that could not even begin. */
void monitor_format_nagios_unknown(const struct err *err, struct buf *out);
/* The plugin's exit status. */
int monitor_nagios_status(enum monitor_level level);

#endif
