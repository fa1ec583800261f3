/* SPDX-License-Identifier: MIT
 *
 * Programs of the operator's around a certificate: before it is asked for, after it is there, after all, after a
 * failure.  No shell; what they need to know is in the environment, with the names that users of certbot know
 * (RENEWED_LINEAGE, RENEWED_DOMAINS) and ours (ACME_DME_*, see acme-dme(1)).
 */
#ifndef ACME_DME_FLOW_PROGRAM_H
#define ACME_DME_FLOW_PROGRAM_H

#include "store/certs.h"

enum program_event { PROGRAM_PRE, PROGRAM_DEPLOY, PROGRAM_POST, PROGRAM_FAILED };
const char *program_event_name(enum program_event event); /* "deploy"; static */

struct program_call { /* all borrowed */
    enum program_event event;
    const struct strlist *names; /* of several certificates at once, with `dir` alone; NULL: one, with all below */
    const char *name;            /* of the certificate */
    const char *dir;             /* "<state directory>/certs/<name>"; of several "<state directory>/certs" */
    const struct strlist *domains;
    const char *directory; /* of the CA */
    int64_t not_after_s;   /* 0: there is no certificate yet */
    bool has_combined;
    bool has_pfx;
    const char *error; /* PROGRAM_FAILED: what went wrong; may be NULL */
};

struct program_runner { /* all borrowed */
    struct clock *clock;
    struct log *log;
    int64_t timeout_ms;
};

/* Run the commands one after the other; the first that fails ends it.  Their output goes to the log, and the last line
 * of a failing one into the message.  Errors: ERR_PROGRAM, ERR_CANCELLED. */
enum err_code programs_run(const struct program_runner *runner, const struct strlist *const *commands, size_t count,
                           const struct program_call *call, struct err *err) MUST_USE;

#endif
