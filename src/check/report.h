/* SPDX-License-Identifier: MIT
 *
 * What an examination has found, one finding a step, in the order in which it was found.  Findings are what people
 * read, what `--json` gives to machines, and what the exit status follows from.
 */
#ifndef ACME_DME_CHECK_REPORT_H
#define ACME_DME_CHECK_REPORT_H

#include "util/err.h"
#include "util/mem.h"

enum check_level {
    CHECK_OK,
    CHECK_SKIPPED, /* could not be looked at, because of an earlier finding or of what this machine lacks */
    CHECK_WARN,    /* will work, or is likely to, but somebody should look */
    CHECK_FAIL,    /* an issuance would fail */
};

struct check_measure {
    const char *name; /* static, snake_case with the unit: "offset_ms", "requests_remaining" */
    int64_t value;
};

#define CHECK_MEASURES_MAX 6

struct check_finding {
    enum check_level level;
    enum err_code code; /* CHECK_FAIL: what the exit status follows from */
    const char *step;   /* static, kebab-case, documented in acme-dme.1: "config", "clock", "delegation", ... */
    char *subject;      /* account, zone, domain or server; "" for the machine as a whole */
    char *text;         /* one sentence part, lower case, no full stop, safe to print */
    char *hint;         /* "" or full sentences */
    struct check_measure measures[CHECK_MEASURES_MAX];
    size_t measure_count;
};

typedef void check_report_fn(void *ctx, const struct check_finding *finding);

struct check_report {
    struct check_finding *items;
    size_t count;
    check_report_fn *on_finding; /* called when the next one begins or by check_report_flush(); may be NULL */
    void *ctx;
    size_t told;
};

/* Begin a finding; the text is escaped. */
void check_add(struct check_report *report, enum check_level level, const char *step, const char *subject,
               const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The same for a failure that an error tells of: its message, hint and code. */
void check_add_error(struct check_report *report, enum check_level level, const char *step, const char *subject,
                     const struct err *err);
/* To the last finding. */
void check_hint(struct check_report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);
void check_code(struct check_report *report, enum err_code code);
void check_measure(struct check_report *report, const char *name, int64_t value);

/* Tell of the last finding. */
void check_report_flush(struct check_report *report);

/* The worst level, and the code of the first CHECK_FAIL (ERR_OK when there is none). */
enum check_level check_worst(const struct check_report *report, enum err_code *out_code);

/* "ok", "skipped", "warn", "fail" */
const char *check_level_name(enum check_level level);

/* The whole as a JSON document: {"version":1,"result":"warn","findings":[{...}]}, one line. */
char *check_report_json(const struct check_report *report) MUST_USE;

void check_report_done(struct check_report *report);
#define AUTO_CHECK_REPORT AUTO(check_report_done)

#endif
