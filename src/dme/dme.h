/* SPDX-License-Identifier: MIT
 *
 * The DNS Made Easy REST API V2.0: one object an account.  Zones and TXT records, nothing else; every request is
 * signed anew, retried within bounds when that is safe, and every answer is checked before it is believed.
 *
 * Documents: "DNS Made Easy API V2.0 documentation" of 2014, and what the service really answers (tests/lab/dmesim).
 */
#ifndef ACME_DME_DME_DME_H
#define ACME_DME_DME_DME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"
#include "util/secret.h"

struct dme;

#define DME_ENDPOINT_PRODUCTION "https://api.dnsmadeeasy.com/V2.0/"
#define DME_ENDPOINT_SANDBOX "https://api.sandbox.dnsmadeeasy.com/V2.0/"

struct dme_window; /* limit.h */

/* Where the request budget of an API key is kept, so that all processes that use the key count together.  What is in it
 * is dme's business; whoever stands behind this keeps it. */
struct dme_budget {
    int64_t owner; /* tells this process from the others; not 0 */
    /* The window as all processes know it, for us alone until close(); both before the next second, so to speak:
     * nothing is waited for in between.  Never fails: what can't be shared is kept for this process. */
    struct dme_window *(*open)(struct dme_budget *self);
    void (*close)(struct dme_budget *self);
};

struct dme_opts {
    const char *endpoint;            /* with or without the trailing slash */
    const struct secret *api_key;    /* copied */
    const struct secret *api_secret; /* copied */
    const char *key_origin;          /* copied; where the key was read, e.g. "/etc/x.yaml:3:12"; NULL: unknown */
    const char *secret_origin;       /* the same of the secret */
    const char *hidden_origin;       /* where a different key or secret stands that these hide; NULL: nowhere */
    const char *clock_advice;        /* copied; how to set this machine's clock, a part of a sentence; NULL: unknown */
    struct http *http;               /* borrowed */
    struct clock *clock;             /* borrowed */
    struct log *log;                 /* borrowed, may be NULL */
    int64_t request_timeout_ms;      /* one attempt */
    int64_t give_up_after_ms;        /* one call of a function below, all its requests and pauses */
    struct dme_budget *budget;       /* borrowed; NULL: one that is private to this object */
    int64_t budget_window_ms;        /* of a private one; 0: 5 minutes */
    int64_t budget_allowed;          /* the same, requests in it; 0: what the API says */
    int64_t budget_wait_ms;          /* one call of a function below waits so long for the budget, beside that */
    int64_t budget_until_ms;         /* ... and not beyond this instant, monotonic; 0: there is none */
    void (*waiting)(void *ctx, int64_t left_ms); /* told now and then while it waits for the budget; may be NULL */
    void *waiting_ctx;
};

struct dme *dme_new(const struct dme_opts *opts) MUST_USE;
void dme_free(struct dme *dme); /* NULL is fine */

/* This machine's clock minus the server's, in milliseconds, measured from the Date header of the last answer and the
 * round trip; false before the first answer. */
bool dme_clock_offset_ms(const struct dme *dme, int64_t *out);

/* x-dnsme-requestsRemaining of the last answer; -1 before the first. */
int dme_requests_remaining(const struct dme *dme);

/* Ask for something that every account has and that changes nothing: are the credentials good, is the clock, what is
 * left of the budget?  One request, which is made also if the budget seems to be used up, more only as any other call.
 * Errors: as dme_zone_find() but ERR_NOT_FOUND and ERR_ZONE. */
enum err_code dme_probe(struct dme *dme, struct err *err) MUST_USE;

/* Requests that this host has made in the window; with a private budget, this object. */
int64_t dme_requests_own(struct dme *dme);

/* x-dnsme-requestLimit of the last answer; -1 before the first. */
int dme_requests_limit(const struct dme *dme);

/* After ERR_AUTH: what DNS Made Easy said of the API key itself. */
enum dme_key_verdict { DME_KEY_UNDECIDED, DME_KEY_NOT_FOUND, DME_KEY_FOUND };
enum dme_key_verdict dme_key_verdict(const struct dme *dme);

/* The same credentials, clock, measured time and HTTP at another endpoint. */
struct dme *dme_new_at(const struct dme *like, const char *endpoint) MUST_USE;

/* What is suspicious about the shape of key and secret, as a sentence part ("the secret has 35 characters instead of
 * 36"), never with any part of them; false when they look as they should. */
bool dme_credentials_remark(const struct secret *api_key, const struct secret *api_secret, struct buf *out);

/* ------------------------------------------------------------------ zones */

struct dme_nameserver {
    char *fqdn; /* no trailing dot, lower case */
    char *ipv4; /* NULL: none */
    char *ipv6;
};

struct dme_zone {
    int64_t id;
    char *name;                         /* lower case, no trailing dot */
    int64_t pending_action;             /* pendingActionId: 0 none, 1 creation, 3 deletion */
    struct dme_nameserver *nameservers; /* "nameServers" */
    size_t nameserver_count;
    struct strlist delegate_names; /* "delegateNameServers" (vanity names) */
};

void dme_zone_done(struct dme_zone *zone);

/* The zone of exactly this name (a dot at its end does not matter).
 * Errors: ERR_INPUT (no name of a zone), ERR_NOT_FOUND (not in this account), ERR_ZONE (pending deletion), ERR_AUTH,
 * ERR_RATE_LIMIT, ERR_API, ERR_SERVER, ERR_NETWORK, ERR_TLS, ERR_TIMEOUT, ERR_CANCELLED. */
enum err_code dme_zone_find(struct dme *dme, const char *name, struct dme_zone *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ TXT records */

struct dme_record {
    const char *name;  /* relative to the zone, "" at the apex; borrowed */
    const char *value; /* without quotes; borrowed */
    const char *shown; /* what messages call it, its full name say; NULL: `name`; borrowed */
    int64_t id;        /* out of dme_records_find() and dme_batches_create(), 0: none; in for dme_batches_delete() */
    bool may_exist;    /* out, on failure: an attempt may have got through although the id is 0 */
    struct err err;    /* out, of dme_batches_*(): ERR_OK, or why this record was not created or deleted */
};

/* Find the ids of the TXT records that match name AND value exactly (template records left out); records[i].id is 0
 * for those that do not exist.  One request a distinct name; with more than two, one request for all TXT records of the
 * zone.  Values are compared with case, names without.
 * Errors: as dme_zone_find(); ERR_NOT_FOUND when the zone id is gone. */
enum err_code dme_records_find(struct dme *dme, int64_t zone_id, struct dme_record *records, size_t count,
                               struct err *err) MUST_USE;

/* ------------------------------------------------------------------ several zones */

/* Records of one zone, as part of a request for several zones. */
struct dme_batch {
    int64_t zone_id;
    struct dme_record *records;
    size_t count;
    bool has_lost_answer; /* out, of dme_batches_create(): a request was sent and the service's own answer did not come.
                             Then a record that can't be found now may still appear, when the service gets round to
                             it */
    struct err err;       /* out: ERR_OK, or the first error of its records, or that of the zone (ERR_NOT_FOUND: its id
                             is gone) */
};

/* Other clients found that there is a maximum for one request, and use this. */
#define DME_RECORDS_A_REQUEST 200

/* Create TXT records of several zones: one POST or createMulti a zone and so many records, those of all zones side by
 * side, each signed anew for every attempt.  Nothing is replaced.  A record that exists already (also because an
 * earlier attempt's answer was lost) is success once a look-up shows name and value.  A record that can't be sent, or
 * that the API does not like, fails alone; the others of its zone are created.  Ids of records that are known to exist
 * are set, the others 0.  ERR_OK also when batches failed.
 * Errors of records and batches: as dme_zone_find(); ERR_NOT_FOUND when the zone id is gone (a remembered id went
 * stale); ERR_INPUT for an empty value, one with a double quote in it, which the API can't store, and what is not
 * UTF-8; ERR_INTERNAL for a zone id that is none.  Errors: ERR_CANCELLED, ERR_INTERNAL. */
enum err_code dme_batches_create(struct dme *dme, struct dme_batch *batches, size_t count, uint32_t ttl_s,
                                 struct err *err) MUST_USE;

/* Delete by records[].id: one request a zone and so many records, all side by side.  Ids must have been matched by name
 * and value before, by one of the functions above.  An id that is 0 or an empty batch is refused with ERR_INTERNAL
 * before a URL is built, because the API reads "no ids" as "all records of the zone"; then nothing is deleted.  ERR_OK
 * also when batches failed.
 * Errors of records and batches: as dme_zone_find(); ERR_NOT_FOUND when the record (if it is one) or the zone is gone
 * already, so says a 404.  Whoever must be sure asks dme_records_find().  Errors: ERR_CANCELLED, ERR_INTERNAL (also: a
 * zone id that is none). */
enum err_code dme_batches_delete(struct dme *dme, struct dme_batch *batches, size_t count, struct err *err) MUST_USE;

/* Before anything is changed: wait until so many more requests (or as many as there can be at once) fit into the key's
 * budget, say so, and hold them for the calls to come of this object.
 * Errors: ERR_RATE_LIMIT (they will not before the deadline; err->retry_after_s is set), ERR_CANCELLED. */
enum err_code dme_admit(struct dme *dme, size_t requests, struct err *err) MUST_USE;

#endif
