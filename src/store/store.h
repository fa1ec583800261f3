/* SPDX-License-Identifier: MIT
 *
 * The state directory.  Only this module opens files there.
 *
 *   journal/<id>.json   one file for each TXT record of ours that may exist at DNS Made Easy
 *   deferred/<...>.json what a call left for the last one of its run to do
 *   results/<...>.json  how the last call for each name and certificate ended
 *   damaged/<...>       what could not be understood, set aside as "<date>-<kind>-<file>"; never looked at again
 *   zones/<...>.json    what we know of a zone (id, name servers), so that it need not be looked up again
 *   budget/<...>.json   requests that were made with an API key: see budget.h
 *   lock/...            lock files
 *
 * and what the standalone client keeps: see certs.h.
 *
 * Journal first, then the API: an entry is on disk before the API is asked to create its record and goes away after
 * the record's deletion succeeded.  Every write is atomic and durable (platform_file_*), every file has a checksum.
 */
#ifndef ACME_DME_STORE_STORE_H
#define ACME_DME_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/platform.h"
#include "util/attrs.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

struct store;

/* Open the state directory, make it when needed, and try that it can be written to.
 * Errors: ERR_IO (names the directory; the hint tells of `state_dir` and `journal: none`), ERR_LOCK. */
enum err_code store_open(const char *dir, struct clock *clock, struct log *log, struct store **out,
                         struct err *err) MUST_USE;
/* Open it to look at what is there: nothing is made, moved, written or locked, and it may belong to another user.
 * Such a store is for result_load() and store_examine() alone, which leave damaged files where they are (and count
 * them), and fail with ERR_IO when a file may not be read.
 * Errors: ERR_NOT_FOUND (there is no such directory), ERR_IO. */
enum err_code store_open_readonly(const char *dir, struct clock *clock, struct log *log, struct store **out,
                                  struct err *err) MUST_USE;
void store_free(struct store *store); /* NULL is fine */
const char *store_dir(const struct store *store);

/* ------------------------------------------------------------------ journal */

enum journal_state {
    JOURNAL_INTENDED,  /* written before the API call: the record may or may not exist */
    JOURNAL_PUBLISHED, /* the API confirmed name, value and id */
};

struct journal_entry {
    char *id; /* file name, random; set by journal_add_all() */
    enum journal_state state;
    char *account;  /* name of the account in the configuration */
    char *endpoint; /* the API's base URL: a sandbox record is not looked for in production */
    char *zone;     /* zone name */
    int64_t zone_id;
    char *name;           /* the record's full name, lower case, no trailing dot, CNAME followed */
    char *asked_name;     /* the name the client asked for: differs from `name` when a CNAME was followed */
    char *value;          /* the TXT value */
    int64_t record_id;    /* 0 while not known */
    char *run_id;         /* platform_run_id() of the run that published it */
    int64_t created_ms;   /* wall clock */
    int64_t published_ms; /* wall clock, when the API confirmed; 0 before */
};

struct journal_list {
    struct journal_entry *items;
    size_t count;
};

void journal_entry_done(struct journal_entry *entry);
void journal_list_done(struct journal_list *list);
void journal_entry_copy(struct journal_entry *out, const struct journal_entry *in);

/* Write new entries, all or none; sets their ids.  Durable when it returns, and much faster than one by one. */
enum err_code journal_add_all(struct store *store, struct journal_entry *const *entries, size_t count,
                              struct err *err) MUST_USE;
/* Write entries again, before the API is asked to do something that the old texts do not cover.  Durable. */
enum err_code journal_update_all(struct store *store, struct journal_entry *const *entries, size_t count,
                                 struct err *err) MUST_USE;
/* Write entries again with what the API answered (state, record_id, ...).  A power failure right after may bring the
 * old texts back, which is harmless: what is intended is looked for by name and value. */
enum err_code journal_confirm(struct store *store, struct journal_entry *const *entries, size_t count,
                              struct err *err) MUST_USE;
/* Strike an entry out; one that is gone is success.  A power failure right after may bring it back, which costs the
 * next sweep a look. */
enum err_code journal_remove(struct store *store, const char *id, struct err *err) MUST_USE;
/* All entries, oldest first.  A file that can't be understood is set aside with a warning in the log, one that can't be
 * read or that a newer acme-dme has written is left where it is; they do not hide the others.  Entries that another
 * process removes meanwhile are simply not in the list. */
enum err_code journal_load(struct store *store, struct journal_list *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ deferred work */

enum deferred_action { DEFERRED_PUBLISH, DEFERRED_WITHDRAW };

/* What a call of a run left for the run's last call to do.  Of one record only the latest is kept. */
struct deferred_entry {
    enum deferred_action action;
    char *run_id;     /* platform_run_id() */
    char *batch;      /* a run may have several batches, one after the other; "": it is not told */
    int64_t position; /* how many calls of the batch were to follow */
    char *name;       /* the record's name as asked for: lower case, no trailing dot */
    char *value;
    int64_t created_ms; /* wall clock */
};

struct deferred_list {
    struct deferred_entry *items;
    size_t count;
};

void deferred_list_done(struct deferred_list *list);

/* Write it, in place of what was left for the same record.  Not durable: after a power failure its client is gone too,
 * and nobody will ask for it.  Errors: ERR_IO; ERR_INTERNAL for what could not be read back. */
enum err_code deferred_save(struct store *store, const struct deferred_entry *entry, struct err *err) MUST_USE;
/* What is left to do for a record; ERR_NOT_FOUND: nothing. */
enum err_code deferred_find(struct store *store, const char *run_id, const char *name, const char *value,
                            enum deferred_action *out, struct err *err) MUST_USE;
/* Forget it; one that is gone is success. */
enum err_code deferred_remove(struct store *store, const struct deferred_entry *entry, struct err *err) MUST_USE;
/* Of a run, or of all (run_id NULL); oldest first.  Damaged ones are set aside. */
enum err_code deferred_load(struct store *store, const char *run_id, struct deferred_list *out,
                            struct err *err) MUST_USE;

/* ------------------------------------------------------------------ remembered zones */

struct zone_memo {
    char *endpoint;
    char *account;
    char *key_id; /* fingerprint of the API key: another key may see other zones */
    char *name;
    int64_t id;
    struct strlist nameservers; /* "fqdn address" pairs, one string each, address may be missing */
    int64_t seen_ms;            /* wall clock */
};

void zone_memo_done(struct zone_memo *memo);

/* The longest remembered zone that `name` is in, for that endpoint, account and key; ERR_NOT_FOUND if there is none.
 * `end`, a part of `name`, is the first name above that is not looked for any more; NULL: all are.  A damaged memo is
 * set aside and not an error. */
enum err_code zone_memo_find(struct store *store, const char *endpoint, const char *account, const char *key_id,
                             const char *name, const char *end, struct zone_memo *out, struct err *err) MUST_USE;
enum err_code zone_memo_save(struct store *store, const struct zone_memo *memo, struct err *err) MUST_USE;
enum err_code zone_memo_forget(struct store *store, const struct zone_memo *memo, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ results */

enum result_kind { RESULT_HOOK, RESULT_CERTIFICATE };

/* How the last call for a name ended.  There is one for each kind, name and action: most clients call their clean-up
 * after a failure too, and a withdrawal that succeeds says nothing of the publishing that failed before it. */
struct result {
    enum result_kind kind;
    char *name;         /* domain (a hook's record name without "_acme-challenge."), or the certificate's name */
    char *client;       /* who called, e.g. "certbot"; "" for our own */
    char *action;       /* "publish", "withdraw", "issue" or "renew" */
    enum err_code code; /* ERR_OK: success */
    char *error;        /* message and hint of the last failure, also when it succeeded since; "" if there was none */
    char *hint;
    int64_t at_ms; /* wall clock: end of the last call */
    int64_t took_ms;
    int64_t success_ms; /* wall clock: end of the last successful one; 0: never */
    int64_t failure_ms; /* ... of the last that failed; 0: never */
    int64_t failing_ms; /* ... of the first of the failures in a row, up to now; 0: the last call succeeded */
    int64_t failures;   /* in a row, up to now */
};

struct result_list {
    struct result *items;
    size_t count;
};

void result_done(struct result *result);
void result_list_done(struct result_list *list);

/* Note the end of a call: kind, name, client, action, code, at_ms and took_ms, and for a failure error and hint, are
 * taken from `result`, the rest is continued from what is on disk.  Not durable against a power failure; two processes
 * at once: the last wins.  Errors: ERR_IO; ERR_INTERNAL for what could not be read back. */
enum err_code result_note(struct store *store, const struct result *result, struct err *err) MUST_USE;
/* The same for several, much faster than one by one. */
enum err_code result_note_all(struct store *store, const struct result *results, size_t count,
                              struct err *err) MUST_USE;
/* All, sorted by kind, name and action.  Damaged ones are set aside. */
enum err_code result_load(struct store *store, struct result_list *out, struct err *err) MUST_USE;
/* Those of all actions; one that is gone is success. */
enum err_code result_forget(struct store *store, enum result_kind kind, const char *name, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ examination and repair */

struct store_examination {
    size_t journal_entries;    /* good ones, as of zones and results */
    int64_t journal_oldest_ms; /* wall clock; 0: none */
    size_t deferred;
    size_t zones;
    size_t results;
    size_t accounts; /* of CAs */
    size_t certificates;
    size_t orders;
    size_t budgets;      /* of API keys */
    size_t damaged;      /* files in damaged/; in a store that is read only, damaged ones where they are, too */
    uint64_t free_bytes; /* of the file system, for us */
};

/* Look at everything once, and try that a file can be written and that locks work.  What is damaged is set aside (and
 * so counted).  Errors: ERR_IO, ERR_LOCK. */
enum err_code store_examine(struct store *store, struct store_examination *out, struct err *err) MUST_USE;

enum store_reset_outcome {
    STORE_KEPT,      /* good, or none of our business, or it can't be dealt with now */
    STORE_SET_ASIDE, /* damaged, moved into damaged/ */
    STORE_DROPPED,   /* comes again by itself when it is needed */
};

enum store_item {
    STORE_ITEM_JOURNAL,
    STORE_ITEM_DEFERRED,
    STORE_ITEM_ZONE,
    STORE_ITEM_RESULT,
    STORE_ITEM_BUDGET,      /* requests that were made with an API key: budget.h */
    STORE_ITEM_ACCOUNT,     /* of a CA; these three are certs.h's */
    STORE_ITEM_CERTIFICATE, /* its record; its files are keys */
    STORE_ITEM_ORDER,
    STORE_ITEM_KEY,       /* private keys and certificates, which nothing is ever done to */
    STORE_ITEM_TEMPORARY, /* of a write that was not finished */
    STORE_ITEM_LOCK,
    STORE_ITEM_DIRECTORY, /* something where a directory of ours should be */
    STORE_ITEM_DAMAGED,   /* set aside, now or earlier */
    STORE_ITEM_UNKNOWN,   /* not ours, or not known to this version */
};

struct store_reset_report {
    const char *file; /* below the state directory */
    enum store_item item;
    enum store_reset_outcome outcome;
    const char *why; /* or what it is */
};
typedef void store_reset_fn(void *ctx, const struct store_reset_report *report);

enum store_reset_mode { STORE_RESET, STORE_RESET_DRY_RUN };

struct store_reset_opts { /* all borrowed */
    struct clock *clock;
    struct log *log;
    enum store_reset_mode mode; /* STORE_RESET_DRY_RUN: reports the same, changes nothing, takes no lock */
    store_reset_fn *report;     /* NULL: nobody wants to know */
    void *ctx;
};

/* Bring the directory into order, also one that store_open() refuses because something stands where a directory should
 * be: what is damaged is set aside; remembered zones, results and left-over temporary files are dropped; journal
 * entries that are good, and whatever else is there, are kept.  Each file is reported, and those that can't be dealt
 * with do not keep it from the others.
 * Errors: ERR_NOT_FOUND (there is no such directory), ERR_IO (the first of them), ERR_LOCK, ERR_CANCELLED. */
enum err_code store_reset(const char *dir, const struct store_reset_opts *opts, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ locks */

/* A named lock in the state directory, e.g. "sweep".  Errors: as platform_lock_take(). */
enum err_code store_lock(struct store *store, const char *name, int64_t timeout_ms, struct platform_lock **out,
                         struct err *err) MUST_USE;

#endif
