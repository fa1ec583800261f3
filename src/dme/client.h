/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: API calls, with everything between the first signature and a believable answer.
 *
 * A call is signed, sent and judged; what is transient is tried again, within bounds and before the deadline, which
 * all calls of one function of dme.h share:
 *
 *   connection failed or broke, time-out, 5xx    again after 0.3, 0.6, 1.2 ... 10 s, at most 8 attempts
 *   not HTTP, not JSON                           the same, at most 3 attempts
 *   refused because of the clock                 again at once with the server's time, once
 *   rate limit                                   again when the budget (budget.h) allows
 *
 * A server that asks for a longer pause (Retry-After) gets it; one that asks for more than is left is not asked again.
 * Several calls go side by side, each with its own attempts, as many as the budget allows.  Time that is spent waiting
 * for the budget does not count towards the deadline.
 *
 * Every method is repeated: reading and deleting by id can't do harm twice, and a record that an earlier
 * attempt has created already is answered with "already exists", which is ERR_EXISTS here and which create.c
 * expects.
 */
#ifndef ACME_DME_DME_CLIENT_H
#define ACME_DME_DME_CLIENT_H

#include "dme/dme.h"
#include "dme/limit.h"
#include "dme/retry.h"
#include "json/json.h"

/* A request budget that is private to the process. */
struct dme_own_budget {
    struct dme_budget base;
    struct dme_window window;
};

struct dme {
    char *base; /* the endpoint without slash at the end */
    struct secret *api_key;
    struct secret *api_secret;
    struct http *http;
    struct clock *clock;
    struct log *log;
    int64_t request_timeout_ms;
    int64_t give_up_after_ms;
    bool has_server_time;
    bool has_api_time;            /* ... and it is not that of something on the way */
    int64_t server_minus_mono_ms; /* the server's wall clock less our monotonic one, which no operator can turn */
    int requests_remaining;       /* -1: not known yet */
    int requests_limit;           /* the same */
    enum dme_key_verdict key_verdict;
    char *key_origin; /* where the credentials were read; NULL: unknown */
    char *secret_origin;
    char *hidden_origin;       /* what they hide; NULL: nothing */
    char *clock_advice;        /* how to set this machine's clock; NULL: unknown */
    int64_t deadline_ms;       /* monotonic, of the function of dme.h that is running */
    bool is_api;               /* known to be the API, or not to be asked again */
    struct dme_budget *budget; /* borrowed, or `own_budget` */
    struct dme_own_budget own_budget;
    int64_t budget_wait_ms;
    int64_t budget_until_ms;
    int64_t budget_deadline_ms; /* monotonic: until then the function of dme.h that is running waits for the budget */
    bool has_held;              /* of the budget, for requests to come */
    void (*waiting)(void *ctx, int64_t left_ms);
    void *waiting_ctx;
};

enum dme_expect {
    DME_EXPECT_JSON,    /* an answer without JSON is garbled */
    DME_EXPECT_ANY,     /* take JSON if it is there: the status alone says that it was done */
    DME_EXPECT_NOTHING, /* the body is not looked at, unless it is a web page: those are somebody else's */
};

struct dme_call {
    const char *method;
    const char *path; /* behind the endpoint, with a slash in front */
    const char *body; /* NULL: none */
    enum dme_expect expect;
    const char *what;  /* completes "could not ..." */
    bool is_unbounded; /* goes out whatever the budget says */
    /* out */
    json_t *json;         /* yours; NULL when there was no usable JSON */
    long status;          /* of the last answer; 0: none */
    bool has_lost_answer; /* to a POST */
    bool may_have_acted;  /* a POST that may have been carried out, or was */
    struct err err;       /* ERR_OK, or as dme_call_perform() */
    /* while it is under way */
    bool is_finished;
    int64_t not_before_ms; /* monotonic */
    struct dme_retry retry;
};

void dme_call_done(struct dme_call *call);

/* What every function of dme.h begins with: its time runs from now. */
void dme_begin(struct dme *dme);

/* Is this the endpoint, a slash at its end aside? */
bool dme_is_at(const struct dme *dme, const char *endpoint);

/* Before "not found" is believed of an endpoint that the operator has chosen and that has shown none of the API's
 * headers yet: does it have what every account has?  Asked once.  ERR_API: it is something else. */
enum err_code dme_doubt_endpoint(struct dme *dme, struct err *err) MUST_USE;

/* Perform all, side by side; each ends with an error of its own.
 * Errors: ERR_CANCELLED, ERR_INTERNAL, which end all that are not finished. */
enum err_code dme_calls_perform(struct dme *dme, struct dme_call *calls, size_t count, struct err *err) MUST_USE;

/* One.  *out is yours (AUTO_JSON), or NULL when there was no usable JSON; `out` itself may be NULL.
 * Errors: ERR_NOT_FOUND (404), ERR_EXISTS (a record with this name and value exists), ERR_AUTH,
 * ERR_RATE_LIMIT, ERR_API, ERR_SERVER, ERR_NETWORK, ERR_TLS, ERR_TIMEOUT, ERR_CANCELLED. */
enum err_code dme_call_perform(struct dme *dme, const struct dme_call *call, json_t **out, struct err *err) MUST_USE;

#endif
