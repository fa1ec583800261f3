/* SPDX-License-Identifier: MIT
 *
 * The command line.  Options stand in front of the verb; for our own commands also behind it.  Behind a client's verb
 * nothing is an option (hook/hook.h).  Two tables drive parsing, --help and a lint that compares them with the man
 * page: opts_rows here, and the configuration's keys that have an option (config/schema.h).
 */
#ifndef ACME_DME_CMD_OPTS_H
#define ACME_DME_CMD_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "util/log.h"
#include "util/mem.h"

enum opts_action { OPTS_RUN, OPTS_HELP, OPTS_VERSION };

struct opts {
    enum opts_action action;
    const char *config_file; /* borrowed from argv, as all text here */
    const char *account;
    bool no_wait;
    bool defer;
    bool dry_run;
    bool state;
    bool json;
    bool nagios;
    const char *prometheus; /* file to write, "-": standard output; NULL: none */
    struct strlist domains; /* items as given; owned */
    const char *name;
    const char *import_from;
    const char *cert;
    const char *reason;
    bool force;
    const char *jitter; /* a duration, not parsed yet */
    bool staging;
    bool write;
    bool strict;
    bool quiet;
    int verbosity;
    uint64_t given; /* bit n: row n of opts_rows was on the command line */
    struct config_override *overrides;
    size_t override_count;
    struct log *log;    /* borrowed; where the whole program logs to, the final error included */
    const char **words; /* behind a command of ours; the list is owned */
    size_t word_count;
};

struct opts_row {
    const char *name;  /* "--config" */
    char letter;       /* 'c'; 0: none */
    const char *value; /* what its value is called; NULL: takes none */
    const char *help;
    const char *commands; /* the commands that take it, " " between; NULL: everything does */
};

extern const struct opts_row opts_rows[];
extern const size_t opts_row_count;

void opts_done(struct opts *opts);

/* Does the command take all options that were given?  "hook" stands for the verbs of clients.  Errors: ERR_USAGE. */
enum err_code opts_check_command(const struct opts *opts, const char *command, struct err *err) MUST_USE;

/* Parse options from argv[*index] on; *index is left at the first word that is none ("--" is passed over).
 * Errors: ERR_USAGE, with the nearest known option as a hint. */
enum err_code opts_parse(int argc, char *const *argv, int *index, struct opts *opts, struct err *err) MUST_USE;

/* The rest of the line behind a command of ours: options and words in any order, all behind "--" words.
 * Errors: as opts_parse(). */
enum err_code opts_parse_rest(int argc, char *const *argv, int index, struct opts *opts, struct err *err) MUST_USE;

#endif
