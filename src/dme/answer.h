/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: zones and records in the API's JSON, checked before anything is believed.  All errors are
 * ERR_API.
 */
#ifndef ACME_DME_DME_ANSWER_H
#define ACME_DME_DME_ANSWER_H

#include "dme/client.h"

/* A zone object.  Nested objects have ids too: only the zone's own counts. */
enum err_code dme_answer_zone(const json_t *json, struct dme_zone *out, struct err *err) MUST_USE;

/* One page of a list. */
struct dme_page {
    const json_t *items; /* array, borrowed; NULL: none, as in the {} of an empty account */
    int64_t page;        /* as the server counts, from 0 or from 1 */
    int64_t total_pages;
    int64_t first_id; /* of items, to recognise a page; 0: empty */
};

enum err_code dme_answer_page(const json_t *json, struct dme_page *out, struct err *err) MUST_USE;

/* For each of the `count` wanted records that is among `items` with the same name and value, and is a TXT
 * record of the zone itself (not of a template), set its id, unless it has one. */
enum err_code dme_answer_match(const json_t *items, struct dme_record *const *wanted, size_t count,
                               struct err *err) MUST_USE;

/* The plain text of a TXT value as the API shows it: one pair of quotes taken off, chunks of a long one
 * joined. */
void dme_answer_unquote(const char *value, struct buf *out);

#endif
