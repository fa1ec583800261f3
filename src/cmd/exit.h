/* SPDX-License-Identifier: MIT
 *
 * Exit statuses: one table, repeated in acme-dme(1); a lint compares the two.
 */
#ifndef ACME_DME_CMD_EXIT_H
#define ACME_DME_CMD_EXIT_H

#include <stddef.h>

#include "util/err.h"

enum exit_status {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_INTERNAL = 1,
    EXIT_STATUS_USAGE = 2,
    EXIT_STATUS_CONFIG = 3,
    EXIT_STATUS_AUTH = 4,
    EXIT_STATUS_ZONE = 5,
    EXIT_STATUS_API = 6,
    EXIT_STATUS_RATE_LIMIT = 7,
    EXIT_STATUS_PROPAGATION = 8,
    EXIT_STATUS_STATE = 9,
    EXIT_STATUS_CANCELLED = 10,
    EXIT_STATUS_ATTENTION = 11,
    EXIT_STATUS_CA = 12,
    EXIT_STATUS_CA_LIMIT = 13,
    EXIT_STATUS_CHALLENGE = 14,
    EXIT_STATUS_PROGRAM = 15,
};

struct exit_row {
    enum exit_status status;
    const char *meaning; /* one line, as in the man page */
};

extern const struct exit_row exit_rows[];
extern const size_t exit_row_count;

enum exit_status exit_status_for(enum err_code code);

#endif
