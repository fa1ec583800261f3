/* SPDX-License-Identifier: MIT
 *
 * What `acme-dme status` knows: how the last calls ended, what is left behind, how long certificates are valid.  Filled
 * by look.h, judged by judge.h, written by format.h.
 */
#ifndef ACME_DME_MONITOR_REPORT_H
#define ACME_DME_MONITOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/cert.h"
#include "store/store.h"
#include "util/err.h"
#include "util/strmap.h"

/* From good to bad, named as monitoring systems do. */
enum monitor_level {
    MONITOR_OK,
    MONITOR_WARNING,
    MONITOR_UNKNOWN, /* could not be looked at, and so may hide anything */
    MONITOR_CRITICAL,
};

/* A judgement.  Texts are safe to print: lower case, no full stop; hints are full sentences. */
struct monitor_verdict {
    enum monitor_level level;
    char *text;
    char *hint; /* NULL: none */
};

struct monitor_result {
    struct result result;
    struct monitor_verdict verdict;
};

/* What must remain of a certificate's lifetime. */
struct monitor_share {
    uint32_t numerator;
    uint32_t denominator; /* 0: `ms` counts */
    int64_t ms;
};

struct monitor_certificate {
    char *source; /* path or "host:port"; safe to print */
    bool is_server;
    enum err_code code; /* ERR_OK: there is a certificate */
    struct cert cert;
    char *problem;      /* of a server: why it does not verify; NULL: it does */
    int64_t warn_s;     /* Unix time from which the verdict is a warning, if `code` is ERR_OK */
    int64_t critical_s; /* ... is critical */
    struct monitor_verdict verdict;
};

enum monitor_state_kind {
    MONITOR_STATE_NONE, /* `journal: none`, nothing is kept */
    MONITOR_STATE_KNOWN,
    MONITOR_STATE_UNKNOWN, /* could not be looked at */
};

struct monitor_state {
    enum monitor_state_kind kind;
    char *dir;
    size_t journal_records;
    int64_t journal_oldest_ms; /* wall clock; 0: none */
    size_t damaged_files;
    struct monitor_verdict access;
    struct monitor_verdict journal;
    struct monitor_verdict damaged;
};

struct monitor_report {
    int64_t now_ms; /* wall clock, of the looking */
    struct monitor_state state;
    struct monitor_result *results;
    size_t result_count;
    struct monitor_certificate *certificates;
    size_t certificate_count;
    struct strmap sources; /* of these certificates: each is looked at once */
};

void monitor_report_done(struct monitor_report *report);
#define AUTO_MONITOR_REPORT AUTO(monitor_report_done)

/* "ok", "unknown", "warning", "critical" */
const char *monitor_level_name(enum monitor_level level);

/* Set a verdict; text and hint (which may be NULL) are escaped. */
void monitor_verdict_set(struct monitor_verdict *verdict, enum monitor_level level, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void monitor_verdict_hint(struct monitor_verdict *verdict, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One line of a report: what it is about, and the verdict.  `kind` is "hook", "renewal", "certificate", "state",
 * "journal" or "damaged"; all borrowed from the report. */
struct monitor_line {
    const char *kind;
    const char *name;
    const struct monitor_verdict *verdict;
};

/* The lines of a report in order; false when there is no line `index`. */
bool monitor_report_line(const struct monitor_report *report, size_t index, struct monitor_line *out);

enum monitor_level monitor_report_worst(const struct monitor_report *report);

#endif
