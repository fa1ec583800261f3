/* SPDX-License-Identifier: MIT
 *
 * The DNS Made Easy API in memory, to stand behind fake_http: zones, records, rate headers, its HTML 404s and its error
 * texts; and every way in which a request can go wrong.
 *
 *     struct fake_api *api = fake_api_new(&clock);
 *     fake_api_attach(api, http);
 *     fake_api_add_zone(api, 0, 11, "example.com");
 *     fake_api_fail(api, FAKE_API_ANSWER_LOST, 2, 1);   // request 2 of all (from 0), that one only
 *
 * It has no pointers in it and lies in memory that is shared with child processes: a process under test can be killed
 * in the middle of a request, and what it has done at the API is still there to be looked at.
 *
 * Records that come in by POST are "ours".  Those that a test adds are foreign, and `foreign_touched` counts what
 * happens to them.
 */
#ifndef ACME_DME_TESTS_UNIT_FAKE_API_H
#define ACME_DME_TESTS_UNIT_FAKE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_clock.h"
#include "fake_http.h"

#define FAKE_API_ROOT "https://api.example.net/V2.0"
#define FAKE_API_ACCOUNTS 3 /* API keys "key-0" to "key-2" */
#define FAKE_API_FOREVER SIZE_MAX

enum fake_api_fault {
    FAKE_API_OK,
    FAKE_API_NO_CONNECTION, /* nothing arrived */
    FAKE_API_REQUEST_LOST,  /* it may have arrived, and has not */
    FAKE_API_ANSWER_LOST,   /* it was carried out, and the connection broke */
    FAKE_API_TIMEOUT,       /* it was carried out, and the answer takes too long */
    FAKE_API_500,           /* not carried out */
    FAKE_API_500_AFTER_ALL, /* carried out all the same */
    FAKE_API_RATE_LIMIT,
    FAKE_API_403,
    FAKE_API_GARBAGE,     /* carried out, and somebody's web page comes back with status 200 */
    FAKE_API_TRUNCATED,   /* carried out, and half of the JSON comes back */
    FAKE_API_404,         /* not carried out: a balancer that knows of no such service */
    FAKE_API_CANCEL,      /* the operator interrupts while it is carried out */
    FAKE_API_CANCEL_LATE, /* the same, but it is carried out only when all is over: see fake_api_heal() */
    FAKE_API_KILL,        /* SIGKILL to the process that asked, after it was carried out */
    FAKE_API_FAULT_COUNT
};

const char *fake_api_fault_name(enum fake_api_fault fault);

enum fake_api_origin { FAKE_API_OURS, FAKE_API_FOREIGN };

struct fake_api_record {
    int64_t id;
    int64_t zone_id;
    char type[8];
    char name[160];  /* relative to the zone */
    char value[160]; /* without quotes */
    int source;      /* 1: the zone's own, 0: from a template */
    enum fake_api_origin origin;
    int64_t created_ms; /* wall clock; servers see it later */
    int64_t deleted_ms; /* 0: it is there */
};

struct fake_api_zone {
    int64_t id;
    char name[256];
    int account;
    int pending_action;
    bool gone;
    char servers[4][2][64]; /* name, address */
    size_t server_count;
};

struct fake_api_request {
    char method[8];
    char target[160]; /* behind the root; cut */
};

struct fake_api {
    struct fake_clock *clock; /* that of the process that made it; valid in its children, which have a copy */
    struct fake_api_zone zones[32];
    size_t zone_count;
    struct fake_api_record records[2200];
    size_t record_count;
    int64_t next_id;
    struct fake_api_request requests[300]; /* what does not fit is counted only */
    size_t request_count;
    bool wiped; /* a DELETE without ids */
    size_t foreign_touched;
    int64_t denied_zone;                 /* shown by name, its records never */
    int refused_account;                 /* whose key is answered with 403; -1: none */
    int requests_remaining;              /* so says each answer; 100 */
    bool filters_loosely;                /* recordName finds every name that contains it */
    bool multi_is_nothing;               /* createMulti answers 201 with an empty body */
    char late_url[160], late_body[4096]; /* a POST of account 0 that is carried out later; "": none */
    enum fake_api_fault fault;
    size_t fault_first, fault_count;
    char fault_where[64];   /* only for requests that begin so, see fake_api_fail_where(); "": for any */
    char refused_value[64]; /* a TXT record with it is none that the API likes; "": it likes all */
    char answer[1u << 17];
    char headers[256];
};

/* Ends the test when there is no memory. */
struct fake_api *fake_api_new(struct fake_clock *clock) MUST_USE;
void fake_api_free(struct fake_api *api);
/* Answer the requests of `http` from now on. */
void fake_api_attach(struct fake_api *api, struct fake_http *http);

/* From request `first` (from 0, counted over the life of the API) on, `count` requests go wrong. */
void fake_api_fail(struct fake_api *api, enum fake_api_fault fault, size_t first, size_t count);
/* Each request that begins with `where` ("POST /dns/managed/11/") goes wrong, until another fault is set. */
void fake_api_fail_where(struct fake_api *api, enum fake_api_fault fault, const char *where);
/* Nothing goes wrong any more; and what was late is carried out. */
void fake_api_heal(struct fake_api *api);

struct fake_api_zone *fake_api_add_zone(struct fake_api *api, int account, int64_t id, const char *name);
/* One of the zone object's "nameServers". */
void fake_api_zone_add_server(struct fake_api_zone *zone, const char *name, const char *address);
struct fake_api_zone *fake_api_find_zone(struct fake_api *api, const char *name); /* NULL: none */
/* The zone is deleted, with all in it. */
void fake_api_drop_zone(struct fake_api *api, int64_t id);

/* A record that is not ours; its id. */
int64_t fake_api_add_foreign(struct fake_api *api, int64_t zone_id, const char *type, const char *name,
                             const char *value);
/* The record with that id; NULL when it is not there (any more). */
struct fake_api_record *fake_api_find(struct fake_api *api, int64_t id);
/* The TXT record of a zone with that name and value; NULL when it is not there. */
struct fake_api_record *fake_api_find_txt(struct fake_api *api, int64_t zone_id, const char *name, const char *value);
/* TXT records of ours that are there. */
size_t fake_api_count_ours(const struct fake_api *api);
/* Requests so far of that method, e.g. "DELETE". */
size_t fake_api_count_method(const struct fake_api *api, const char *method);

/* ------------------------------------------------------------------ between fake_api.c and fake_api_store.c */

struct fake_api_record *fake_api_add(struct fake_api *api, int64_t zone_id, const char *type, const char *name,
                                     const char *value, enum fake_api_origin origin);
void fake_api_delete(struct fake_api *api, struct fake_api_record *record);

#endif
