/* SPDX-License-Identifier: MIT
 *
 * What is wrong with a configuration, collected so that all of it can be told at once.
 */
#ifndef ACME_DME_CONFIG_REPORT_H
#define ACME_DME_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "util/err.h"
#include "util/mem.h"

/* A place that a value came from.  `name` is borrowed and must live as long as what refers to it. */
struct config_place {
    enum config_source_kind kind;
    const char *name; /* file, environment variable, or option; NULL: a default */
    size_t line;      /* files only, from 1; 0: the file as a whole */
    size_t column;    /* from 1, in characters */
};

struct config_problem {
    enum err_code code;
    char *text;
    char *hint; /* NULL: none */
};

struct config_report {
    struct config_problem *problems;
    size_t count;
    size_t left_out;          /* problems beyond the first CONFIG_PROBLEMS_MAX */
    struct strlist *warnings; /* borrowed */
};

#define CONFIG_PROBLEMS_MAX 50

void config_report_done(struct config_report *report);

/* Where a value came from, for people: "file:12:8", "environment variable X", "option --ttl", "default". */
char *config_place_format(const struct config_place *at) MUST_USE;

/* Add a problem of code ERR_CONFIG; `at` may be NULL.  Never pass a secret. */
void config_report_problem(struct config_report *report, const struct config_place *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Add a problem of another code. */
void config_report_error(struct config_report *report, enum err_code code, const struct config_place *at,
                         const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Add a hint to the problem that was added last. */
void config_report_hint(struct config_report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Add a warning; ", continuing" is put at its end. */
void config_report_warning(struct config_report *report, const struct config_place *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Turn what was collected into `problems` and `err` as config_load() promises; ERR_OK when there is nothing.
 * `file` is the one that was read, NULL for none. */
enum err_code config_report_finish(struct config_report *report, const char *file, struct strlist *problems,
                                   struct err *err) MUST_USE;

/* Might a text be a secret in the wrong place? */
bool config_may_be_secret(const char *text);

/* A value for a message: in quotes, or, when it might be a secret in the wrong place, words that do not show
 * it. */
char *config_quote(const char *text) MUST_USE;

#endif
