/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: what a 401 or 403 means, in one sentence with the cause and one with the remedy.
 */
#ifndef ACME_DME_DME_REFUSAL_H
#define ACME_DME_DME_REFUSAL_H

#include "dme/client.h"

struct dme_refusal {
    long status;
    const char *text;   /* what the answer says, without secrets */
    bool is_foreign;    /* neither its headers nor its body are those of the API */
    const char *server; /* its Server header; NULL: none */
    int64_t signed_ms;  /* the instant that the request was signed with */
    bool knows_time;    /* the answer told the server's time */
};

bool dme_refusal_is_about_date(const struct dme_refusal *refusal);

/* What it tells of the API key. */
enum dme_key_verdict dme_refusal_key_verdict(const struct dme_refusal *refusal);

/* Set *err to ERR_AUTH.  `was_resigned`: the request had been signed with the server's time already. */
void dme_refusal_explain(const struct dme *dme, const struct dme_refusal *refusal, bool was_resigned, struct err *err);

/* What to put behind "this machine's clock is": "412 s ahead of DNS Made Easy's". */
void dme_refusal_offset(int64_t offset_ms, struct buf *out);

/* Is an offset what comes of taking local time for UTC: whole quarters of an hour, as far as time zones go? */
bool dme_refusal_is_zone_offset(int64_t offset_ms);

#endif
