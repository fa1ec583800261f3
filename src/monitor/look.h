/* SPDX-License-Identifier: MIT
 *
 * Looking: reads the state directory, certificate files, and what servers show.  Changes nothing, and goes to the
 * network for "host:port" alone.  What can't be looked at is a finding like any other.
 */
#ifndef ACME_DME_MONITOR_LOOK_H
#define ACME_DME_MONITOR_LOOK_H

#include "monitor/judge.h"
#include "monitor/report.h"
#include "util/clock.h"

struct monitor_opts {                   /* all borrowed */
    struct store *store;                /* NULL: there is none, see state_err */
    const char *state_dir;              /* NULL: nothing is kept (`journal: none`) */
    const struct err *state_err;        /* why there is no store, if state_dir is given */
    const struct strlist *certificates; /* paths, patterns of paths, "host:port" */
    const char *ca_file;                /* for servers; NULL: the system's CAs */
    int64_t timeout_ms;                 /* for each server, and for finding their addresses */
    struct monitor_rules rules;
    struct clock *clock;
};

/* Errors: ERR_CANCELLED, ERR_INTERNAL. */
enum err_code monitor_look(const struct monitor_opts *opts, struct monitor_report *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ its parts, for look.c and tests */

/* Add what is at one path or pattern. */
void monitor_look_at_files(const char *pattern, struct monitor_report *report);
/* Add what the servers show, in this order; no "host:port" is passed over.  Errors: as monitor_look(). */
enum err_code monitor_look_at_servers(const struct monitor_opts *opts, struct monitor_report *report,
                                      struct err *err) MUST_USE;
/* A new line for a source, NULL if it has one already; no verdict yet. */
struct monitor_certificate *monitor_report_add_certificate(struct monitor_report *report, const char *source);
/* There is no certificate: the verdict tells why. */
void monitor_certificate_fail(struct monitor_certificate *certificate, const struct err *err);

#endif
