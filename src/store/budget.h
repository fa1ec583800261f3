/* SPDX-License-Identifier: MIT
 *
 * Request budgets: what all processes of this host know of the requests that were made with an API key, one file for
 * each key and endpoint, under a lock.  Losing one is harmless.  What the members mean is for those who count (dme/).
 */
#ifndef ACME_DME_STORE_BUDGET_H
#define ACME_DME_STORE_BUDGET_H

#include "store/store.h"

enum budget_stamp_kind { BUDGET_DONE, BUDGET_SENT, BUDGET_HELD, BUDGET_FOREIGN, BUDGET_KINDS };

struct budget_stamp {
    int64_t at_ms; /* wall clock, as all times here */
    int64_t owner; /* a process; 0: none */
    enum budget_stamp_kind kind;
};

struct budget_ticket {
    int64_t owner;
    int64_t count;
    int64_t seen_ms;
};

struct budget_record {
    int64_t limit; /* none of the numbers is negative */
    int64_t closed_until_ms;
    int64_t refusals;
    int64_t refused_ms;
    struct budget_stamp *stamps;
    size_t stamp_count; /* at most BUDGET_LIST_MAX, as tickets */
    struct budget_ticket *tickets;
    size_t ticket_count;
};
#define BUDGET_LIST_MAX 5000

void budget_record_done(struct budget_record *record);

/* A budget that is ours alone until budget_close(). */
struct budget_file;

/* Lock and read it; one that does not exist yet, or is damaged, which is set aside, is all zeros.
 * Errors: ERR_LOCK, ERR_CANCELLED, ERR_IO, ERR_DECLINED (a newer acme-dme wrote it, and it is left alone). */
enum err_code budget_open(struct store *store, const char *endpoint, const char *key_id, struct budget_file **out,
                          struct budget_record *out_record, struct err *err) MUST_USE;
/* Write it, not durably, and unlock.  NULL: only unlock.  Errors: ERR_IO, ERR_INTERNAL (it could not be read back). */
enum err_code budget_close(struct budget_file *file_take, const struct budget_record *record, struct err *err) MUST_USE;

#endif
