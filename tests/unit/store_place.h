/* SPDX-License-Identifier: MIT
 *
 * A store in a directory of its own, and what it logs.
 */
#ifndef ACME_DME_TESTS_UNIT_STORE_PLACE_H
#define ACME_DME_TESTS_UNIT_STORE_PLACE_H

#include "fixture.h"
#include "store/certs.h"
#include "store/store.h"

struct place {
    char *dir;
    char *journal; /* paths below it */
    char *results;
    char *damaged;
    struct store *store;
    struct log log;             /* warnings and errors */
    struct fixture_stream said; /* see place_logged() */
};

void place_init(struct place *p);
void place_done(struct place *p);
/* All lines so far; borrowed until the next one. */
const char *place_logged(struct place *p);
/* The path of the one file that a directory of the store holds: "journal"; yours. */
char *place_only_file(const struct place *p, const char *kind) MUST_USE;

/* One entry, one order, or one generation, alone. */
enum err_code place_add(struct store *store, struct journal_entry *entry, struct err *err) MUST_USE;
enum err_code place_update(struct store *store, struct journal_entry *entry, struct err *err) MUST_USE;
enum err_code place_save_order(struct store *store, const struct order_record *order, struct err *err) MUST_USE;
enum err_code place_install(struct store *store, const char *name, const struct certificate_file *files, size_t count,
                            const struct certificate_access *access, int64_t *out_generation, struct err *err) MUST_USE;

/* A process does `work` with the numbers from `first` on, until it is killed after so long; should it fail before, the
 * test does.  `body` hands its text and the work on to place_work(). */
void place_kill_at_work(const struct place *p, fixture_process_body *body, int first, int64_t after_us);
int place_work(const char *text, bool (*work)(struct store *store, int number));

#endif
