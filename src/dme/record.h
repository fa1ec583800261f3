/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: what creating, finding and deleting records share.
 */
#ifndef ACME_DME_DME_RECORD_H
#define ACME_DME_DME_RECORD_H

#include "dme/client.h"

/* A choice from the caller's records. */
struct dme_pick {
    struct dme_record **items;
    size_t count;
};

void dme_pick_done(struct dme_pick *pick);
#define AUTO_DME_PICK AUTO(dme_pick_done)

/* Add those that have no id yet; of several with the same name and value only the first. */
void dme_pick_missing(struct dme_pick *pick, struct dme_record *records, size_t count);

/* Do all have an id? */
bool dme_pick_is_complete(const struct dme_pick *pick);

/* Same name (without regard to case) and same value? */
bool dme_record_is_same(const struct dme_record *a, const struct dme_record *b);

/* Set the id of each picked record that has none and that the zone has. */
enum err_code dme_record_lookup(struct dme *dme, int64_t zone_id, const struct dme_pick *wanted,
                                struct err *err) MUST_USE;

/* A zone id that can't be one is a bug of the caller. */
enum err_code dme_record_check_zone(int64_t zone_id, struct err *err) MUST_USE;

/* ERR_NOT_FOUND about a zone id, in words. */
enum err_code dme_record_zone_gone(int64_t zone_id, struct err *err);

#endif
