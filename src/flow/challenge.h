/* SPDX-License-Identifier: MIT
 *
 * The engine: a set of TXT records is published at DNS Made Easy, seen by every authoritative server, and later
 * withdrawn.  A single name is a set of one.  Everything that a user calls a feature ends here.
 *
 *   publish    locate each name's zone (and follow CNAMEs) -> journal -> create, one request a zone -> wait once
 *   withdraw   find in the journal, else by name and value at the API -> delete by id, one request a zone -> strike out
 *   sweep      the journal's leftovers of runs that are gone
 *
 * What "ours" means: the journal says so, or the ACME client names the exact value, which is a digest that nobody but
 * its account can have asked for.  Nothing else is ever deleted, nothing is ever replaced.
 */
#ifndef ACME_DME_FLOW_CHALLENGE_H
#define ACME_DME_FLOW_CHALLENGE_H

#include "dme/dme.h"
#include "dns/propagation.h"
#include "store/store.h"

/* ------------------------------------------------------------------ a set of records */

struct challenge_item {
    char *name;  /* record name as asked for: lower case, no trailing dot */
    char *value; /* NULL only for withdrawal: all of ours at that name */
};

struct challenge_set {
    struct challenge_item *items;
    size_t count;
};

/* Add "_acme-challenge.<domain>" ("*." and a trailing dot are dropped), or a record name as it is.  A pair that is in
 * the set already is not added twice.  Errors: ERR_INPUT for what is no domain name. */
enum err_code challenge_set_add_domain(struct challenge_set *set, const char *domain, const char *value,
                                       struct err *err) MUST_USE;
enum err_code challenge_set_add_record(struct challenge_set *set, const char *name, const char *value,
                                       struct err *err) MUST_USE;
void challenge_set_done(struct challenge_set *set);

/* ------------------------------------------------------------------ the engine */

struct challenge_account {
    const char *name;
    const char *endpoint;
    const char *key_id;          /* fingerprint of the API key */
    const struct strlist *zones; /* zones that the operator says are in this account; may be empty */
    bool is_default;
    const char *unusable; /* why it can't be asked (its values are encrypted); NULL: it can */
    struct dme *dme;      /* NULL: unusable */
};

enum challenge_cname { CHALLENGE_CNAME_FOLLOW, CHALLENGE_CNAME_IGNORE };
enum challenge_doh { CHALLENGE_DOH_AUTO, CHALLENGE_DOH_ALWAYS, CHALLENGE_DOH_NEVER };

struct challenge_opts { /* all borrowed */
    const struct challenge_account *accounts;
    size_t account_count;
    struct store *store;         /* NULL: without a journal, because the operator said so */
    struct resolver *direct;     /* port 53 */
    struct resolver *const *doh; /* one a DoH server; may be none */
    size_t doh_count;
    enum challenge_doh doh_mode;
    enum challenge_cname cname;
    const struct strlist *nameservers; /* asked instead of the zone's own; may be empty */
    struct propagation_opts propagation;
    uint32_t ttl_s;
    const char *run_id;
    struct clock *clock;
    struct log *log;
};

struct challenge;

struct challenge *challenge_new(const struct challenge_opts *opts) MUST_USE;
void challenge_free(struct challenge *c); /* NULL is fine */

enum challenge_wait { CHALLENGE_WAIT, CHALLENGE_NO_WAIT };
enum challenge_on_timeout { CHALLENGE_TIMEOUT_ROLL_BACK, CHALLENGE_TIMEOUT_KEEP };

struct challenge_publish_opts {
    enum challenge_wait wait;
    enum challenge_on_timeout on_timeout;
    int64_t time_limit_ms;            /* the caller stops listening after this; 0: never */
    const int64_t *settle_ms;         /* in place of the engine's; NULL: that one */
    propagation_sighting_fn *sighted; /* told when a server first shows a record; may be NULL */
    void *sighted_ctx;
    struct err *outcomes; /* out, one an item of the set; NULL: all or nothing */
};

/* Publish all of the set or nothing: on failure what this call created is withdrawn again (but see
 * CHALLENGE_TIMEOUT_KEEP), and what could not be withdrawn stays in the journal.
 * Errors: ERR_ZONE (no zone of ours for a name; CNAME loop or foreign target), ERR_PROPAGATION, ERR_CANCELLED, those of
 * the store and of dme.h.
 *
 * With `outcomes` each record counts by itself: what can be published is, and what can't has one of these errors there,
 * and is withdrawn again by itself.  ERR_OK is returned then.  What ends everything is an error all the same, and takes
 * all of it back: ERR_CANCELLED, ERR_INTERNAL, those of the store. */
enum err_code challenge_publish(struct challenge *c, const struct challenge_set *set,
                                const struct challenge_publish_opts *opts, struct err *err) MUST_USE;

/* How a record stands that was published with CHALLENGE_NO_WAIT and is waited for. */
enum challenge_state { CHALLENGE_WAITING, CHALLENGE_SHOWN, CHALLENGE_FAILED };

/* Such a wait, which can be left as soon as some records are shown, and gone on with. */
struct challenge_awaiting;

/* `set` is what this engine published with CHALLENGE_NO_WAIT since the last such call, or a part of it; its order is
 * that of the numbers below.  The engine has to live as long as this. */
struct challenge_awaiting *challenge_awaiting_new(struct challenge *c, const struct challenge_set *set) MUST_USE;
void challenge_awaiting_free(struct challenge_awaiting *awaiting); /* NULL is fine */

/* Wait until no record is waited for any more, or until `patience` (NULL: endless) is over.  What is then shown has
 * settled.  A zone whose servers never show a record fails its own records only, after propagation.timeout, which
 * counts over all calls; the time between calls does not count.  Where DNS over HTTPS is asked that is done without
 * patience, once no other record is waited for: at the end of an endless call, or in one that has no limit and brings
 * nothing else.
 * Errors: ERR_CANCELLED. */
enum err_code challenge_await(struct challenge_awaiting *awaiting, const struct propagation_patience *patience,
                              struct err *err) MUST_USE;

enum challenge_state challenge_awaiting_state(const struct challenge_awaiting *awaiting, size_t i);
/* Why record number i has failed.  Errors: ERR_PROPAGATION, ERR_DNS, ERR_INTERNAL (it was not published). */
enum err_code challenge_awaiting_explain(const struct challenge_awaiting *awaiting, size_t i, struct err *err);

/* Withdraw the set.  Records that are not there, and names in no zone of ours, are success. */
enum err_code challenge_withdraw(struct challenge *c, const struct challenge_set *set, struct err *err) MUST_USE;

/* Withdraw whatever the journal has of this run. */
enum err_code challenge_withdraw_run(struct challenge *c, struct err *err) MUST_USE;

/* Records that are to stay (dns-persist-01): struck out of the journal, so that no sweep takes them for leftovers. */
enum err_code challenge_release(struct challenge *c, const struct challenge_set *set, struct err *err) MUST_USE;

/* Where a record would go; reads only. */
struct challenge_place {
    char *record_name; /* CNAMEs followed */
    char *zone;
    int64_t zone_id;
    const struct challenge_account *account; /* borrowed from the engine's options */
    const struct dns_servers *servers;       /* those that are waited for; borrowed from the engine; NULL: not known,
                                                servers_err says why */
    struct err servers_err;
};

/* Locate `name` (a record's name, lower case, no trailing dot) as challenge_publish() would.
 * Errors: ERR_ZONE, ERR_CANCELLED, those of dme_zone_find(). */
enum err_code challenge_locate(struct challenge *c, const char *name, struct challenge_place *out,
                               struct err *err) MUST_USE;
void challenge_place_done(struct challenge_place *place);

/* ------------------------------------------------------------------ sweeping */

enum sweep_outcome { SWEEP_KEPT_YOUNG, SWEEP_KEPT_FOREIGN_ACCOUNT, SWEEP_WOULD_REMOVE, SWEEP_REMOVED, SWEEP_FAILED };
enum sweep_mode { SWEEP_REMOVE, SWEEP_DRY_RUN };

/* Told of each entry in the journal, oldest first. */
typedef void sweep_report_fn(void *ctx, const struct journal_entry *entry, enum sweep_outcome outcome,
                             const struct err *err);

struct sweep_opts {
    int64_t age_ms; /* older entries are removed, whatever their run; younger ones only when their run is gone */
    enum sweep_mode mode;
    sweep_report_fn *report;
    void *ctx;
};

/* A failing zone does not keep the others from being swept; the first error is returned at the end. */
enum err_code challenge_sweep(struct challenge *c, const struct sweep_opts *opts, struct err *err) MUST_USE;

#endif
