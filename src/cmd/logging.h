/* SPDX-License-Identifier: MIT
 *
 * From options and configuration to the log: what goes to standard error, what to a file, and how it looks.
 */
#ifndef ACME_DME_CMD_LOGGING_H
#define ACME_DME_CMD_LOGGING_H

#include "cmd/opts.h"

/* A log to standard error that counts from now. */
void logging_start(struct log *log);

/* Take over what the configuration says, and open the file.  One that can't be opened is a warning: what would have
 * gone there goes to standard error as far as -v wants it. */
void logging_set_up(struct log *log, const struct opts *opts, const struct config_log *config);

/* The same from the command line and the environment alone, for errors of or before the configuration; does nothing
 * when logging_set_up() was called. */
void logging_set_up_early(struct log *log, const struct opts *opts);

/* Close the file. */
void logging_done(struct log *log);

#endif
