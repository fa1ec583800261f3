/* SPDX-License-Identifier: MIT
 *
 * What is good, worth a look, or trouble.  Nothing here asks a clock or a file.
 *
 *   - A name whose last call failed is a warning, and critical once it has been failing for `failing_for_ms`.  A
 *     withdrawal that failed is never more than a warning: what it leaves is in the journal, and no certificate waits
 *     for it.
 *   - A name of which nothing was heard for MONITOR_FORGOTTEN_MS is shown and no longer judged: it was given up.
 *   - A certificate is judged by how much of its lifetime remains; one that is not valid yet, or that the clients of
 *     its server refuse, is critical.
 *   - A record that should have been swept, and files that were set aside, are a warning.
 */
#ifndef ACME_DME_MONITOR_JUDGE_H
#define ACME_DME_MONITOR_JUDGE_H

#include "monitor/report.h"

#define MONITOR_FORGOTTEN_MS (INT64_C(400) * 24 * 60 * 60 * 1000)

struct monitor_rules {
    struct monitor_share warn;
    struct monitor_share critical;
    int64_t failing_for_ms;
    int64_t sweep_after_ms; /* age at which a record in the journal is a leftover */
};

/* Milliseconds that must remain of a lifetime of `lifetime_ms`. */
int64_t monitor_share_of(const struct monitor_share *share, int64_t lifetime_ms);

/* Fill in the verdict of one result, and of one certificate that there is (`code` is ERR_OK), with its thresholds. */
void monitor_judge_result(struct monitor_result *result, const struct monitor_rules *rules, int64_t now_ms);
void monitor_judge_certificate(struct monitor_certificate *certificate, const struct monitor_rules *rules,
                               int64_t now_ms);
/* Of journal and damaged files of a state that is known. */
void monitor_judge_state(struct monitor_state *state, const struct monitor_rules *rules, int64_t now_ms);

/* How long something takes or took, for people: "12 min", "2 h", "3 days"; not less than "1 min". */
#define MONITOR_AGE_MAX 32
void monitor_format_age(char out[MONITOR_AGE_MAX], int64_t ms);

#endif
