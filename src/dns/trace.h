/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: questions and answers as log lines at LOG_DEBUG, "dns: > <server> <type> <name>" when a question is
 * sent and "dns: < ..." when it is answered or given up.
 */
#ifndef ACME_DME_DNS_TRACE_H
#define ACME_DME_DNS_TRACE_H

#include "dns/resolver.h"

struct dns_trace {
    const char *server; /* address, URL, or what else it is called */
    const char *name;
    enum dns_type type;
    unsigned flags;               /* of enum dns_flag; shown with the question */
    enum dns_transport transport; /* DNS_TCP is shown */
};

void dns_trace_question(struct log *log, const struct dns_trace *about);
void dns_trace_answer(struct log *log, const struct dns_trace *about, const struct dns_answer *answer);

#endif
