/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: what one answer means.
 */
#ifndef ACME_DME_DME_JUDGE_H
#define ACME_DME_DME_JUDGE_H

#include "dme/client.h"

struct dme_attempt {
    int64_t signed_ms; /* the instant that it was signed with */
    int64_t sent_mono_ms;
};

/* Judge what came of an attempt, an answer or none, and note in the call and in `dme` what is to be remembered.
 * *err is set unless the verdict is DME_FINAL and all is well, in which case its code is ERR_OK. */
enum dme_verdict dme_judge(struct dme *dme, struct dme_call *call, const struct dme_attempt *attempt,
                           const struct http_response *response, struct err *err);

/* Add what it tells of the budget. */
void dme_judge_count(const struct http_response *response, enum dme_verdict verdict, int64_t asked_ms,
                     struct dme_news *news);

#endif
