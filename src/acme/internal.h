/* SPDX-License-Identifier: MIT
 *
 * What the files of acme/ share.  Nobody else includes this.
 *
 * Layers within: answers are read by functions that know no session (directory, order, authorization ...); calls are
 * sent by send.c alone, which signs, paces, retries and judges; the files of the public functions put both together.
 */
#ifndef ACME_DME_ACME_INTERNAL_H
#define ACME_DME_ACME_INTERNAL_H

#include "acme/acme.h"
#include "json/json.h"

#define ACME_URL_MAX 2048
#define ACME_IDENTIFIERS_MAX 10000 /* of one order; CAs allow 25 to 100 */
#define ACME_NONCE_MAX 512
#define ACME_NONCES_MAX 64

/* ------------------------------------------------------------------ session */

enum acme_resource {
    ACME_NEW_NONCE,
    ACME_NEW_ACCOUNT,
    ACME_NEW_ORDER,
    ACME_REVOKE_CERT,
    ACME_KEY_CHANGE,
    ACME_RENEWAL_INFO,
    ACME_RESOURCE_COUNT
};

/* Which URLs a CA's objects may hold. */
enum acme_scheme { ACME_HTTPS_ONLY, ACME_HTTP_TOO };

struct acme_directory {
    char *urls[ACME_RESOURCE_COUNT]; /* NULL: not offered */
    struct acme_meta meta;
};

void acme_directory_done(struct acme_directory *directory);
/* Errors: ERR_ACME. */
enum err_code acme_directory_read(const json_t *json, enum acme_scheme scheme, struct acme_directory *out,
                                  struct err *err) MUST_USE;

/* Unused nonces; the youngest is used first, as CAs forget old ones. */
struct acme_nonces {
    char *items[ACME_NONCES_MAX];
    size_t count;
};

/* What is no nonce, is there already, or does not fit is dropped. */
void acme_nonces_add(struct acme_nonces *nonces, const char *text);
char *acme_nonces_take(struct acme_nonces *nonces) MUST_USE; /* NULL: none; yours */
bool acme_nonce_is_valid(const char *text);
void acme_nonces_done(struct acme_nonces *nonces);

/* When the last requests went out: in no period there are more than there are slots. */
#define ACME_SLOTS_MAX 256
struct acme_pace {
    size_t slots; /* 0: no limit is known */
    int64_t period_ms;
    int64_t sent_ms[ACME_SLOTS_MAX]; /* monotonic; a ring */
    size_t next;                     /* the oldest */
};

struct acme {
    char *directory_url;
    enum acme_scheme scheme;
    struct http *http;
    struct clock *clock;
    struct log *log;
    int64_t request_timeout_ms;
    int64_t give_up_after_ms;
    struct acme_pace pace;
    bool has_directory;
    struct acme_directory directory;
    struct acme_nonces nonces;
    struct key *key;
    char *account_url;
    size_t request_count;
    int64_t quiet_until_ms; /* monotonic time until which the CA wants to be left alone */
    int64_t round_trip_ms;  /* smoothed; 0: not known */
    int64_t look_at_ms;     /* monotonic time that the CA named when challenges were answered; 0: none */
    uint64_t seed;          /* of jitter */
};

/* Fetch the directory unless it is there. */
enum err_code acme_open(struct acme *acme, struct err *err) MUST_USE;
/* URL of a resource, after acme_open().  Errors: ERR_ACME (not offered). */
enum err_code acme_resource_want(const struct acme *acme, enum acme_resource resource, const char **out,
                                 struct err *err) MUST_USE;
/* Errors: ERR_INTERNAL (no account is in use). */
enum err_code acme_account_want(const struct acme *acme, struct err *err) MUST_USE;
/* Both: what everything that an account signs needs. */
enum err_code acme_ready(struct acme *acme, struct err *err) MUST_USE;

void acme_result_set(struct acme_result *result, enum err_code code, const struct err *err);
void acme_result_init(struct acme_result *result);

/* ------------------------------------------------------------------ members of answers */

/* What json/ calls ERR_INPUT is the CA's fault here: ERR_ACME with a hint.  Returns the code. */
enum err_code acme_member_error(enum err_code code, struct err *err);

/* Absolute, of an allowed scheme, with a host and no user name, of printable ASCII that needs no escaping in JSON. */
bool acme_url_is_valid(const char *url, enum acme_scheme scheme);
/* An absolute URL, or one that begins with "/", seen from `base`; NULL: neither.  Yours. */
char *acme_url_resolve(const char *base, const char *reference) MUST_USE;

/* Errors: ERR_INPUT. */
enum err_code acme_member_want_url(const json_t *object, const char *key, enum acme_scheme scheme, const char *what,
                                   char **out, struct err *err) MUST_USE;
/* *out is NULL when absent. */
enum err_code acme_member_find_url(const json_t *object, const char *key, enum acme_scheme scheme, const char *what,
                                   char **out, struct err *err) MUST_USE;
/* A copy; *out is NULL when absent. */
enum err_code acme_member_find_text(const json_t *object, const char *key, const char *what, char **out,
                                    struct err *err) MUST_USE;
/* false when absent. */
enum err_code acme_member_find_bool(const json_t *object, const char *key, const char *what, bool *out,
                                    struct err *err) MUST_USE;
/* RFC 3339; 0 when absent. */
enum err_code acme_member_find_time(const json_t *object, const char *key, const char *what, int64_t *out_s,
                                    struct err *err) MUST_USE;
/* An array of at most `max` strings, appended; nothing when absent. */
enum err_code acme_member_find_strings(const json_t *object, const char *key, size_t max, const char *what,
                                       struct strlist *out, struct err *err) MUST_USE;
/* One of `names`, as its index. */
enum err_code acme_member_want_status(const json_t *object, const char *const *names, size_t count, const char *what,
                                      size_t *out, struct err *err) MUST_USE;
/* An identifier object {"type":"dns","value":...}: the name in lower case, of letters, digits, "-", "_" and "." alone;
 * "*." in front only where the caller allows it. */
enum acme_star { ACME_STAR_REFUSED, ACME_STAR_ALLOWED };
enum err_code acme_member_identifier(const json_t *identifier, enum acme_star star, const char *what, char **out,
                                     struct err *err) MUST_USE;

/* ------------------------------------------------------------------ headers of answers */

#define ACME_PAUSE_NONE (-1)
#define ACME_PAUSE_MAX_MS (INT64_C(1000) * 86400 * 366)
/* Milliseconds that Retry-After asks for, in both forms; a date is one of the server's clock, or else of ours, which
 * shows `now_ms`.  ACME_PAUSE_NONE: absent or unreadable. */
int64_t acme_retry_after_ms(const struct http_response *response, int64_t now_ms);

/* Targets of Link headers with that relation, as they stand there (RFC 8288), appended; at most `max`. */
void acme_links_find(const struct http_response *response, const char *relation, size_t max, struct strlist *out);

/* ------------------------------------------------------------------ problems */

struct acme_problem_context {
    const json_t *json;
    long status; /* 0: inside another object */
    enum acme_problem_place place;
    const char *doing;
    const char *terms_url;  /* Link rel="terms-of-service"; NULL: none */
    int64_t retry_after_ms; /* ACME_PAUSE_NONE: not told */
    int64_t now_ms;         /* wall clock; for saying when that is over */
};

/* acme_problem_set() with what is known beside the document. */
enum err_code acme_problem_explain(struct err *err, const struct acme_problem_context *context);

/* ------------------------------------------------------------------ JWS */

struct acme_jws {
    const struct key *key;
    const char *kid;   /* NULL: the key itself stands in the header */
    const char *nonce; /* NULL: none, of an inner JWS */
    const char *url;
    const char *payload; /* NULL: empty, POST-as-GET */
};

/* Flattened JSON serialization, appended.  Errors: ERR_INTERNAL. */
enum err_code acme_jws_format(const struct acme_jws *jws, struct buf *out, struct err *err) MUST_USE;
/* The MAC over the account key that RFC 8555 section 7.3.4 wants, appended. */
enum err_code acme_jws_format_eab(const struct acme_eab *eab, const struct key *account_key, const char *url,
                                  struct buf *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ calls */

enum acme_call_kind {
    ACME_POST, /* signed */
    ACME_GET,
    ACME_HEAD,
};

enum acme_expect {
    ACME_EXPECT_OBJECT, /* a JSON object */
    ACME_EXPECT_PEM,    /* certificates */
    ACME_EXPECT_ANY,    /* the body does not matter; a JSON object is kept all the same */
};

struct acme_call {
    enum acme_call_kind kind;
    enum acme_expect expect;
    const char *url;       /* borrowed */
    char *what;            /* completes "could not ..."; owned */
    char *payload;         /* JSON; NULL: POST-as-GET; owned */
    const struct key *key; /* of ACME_POST: sign with it and show it; NULL: the account's, by its URL; borrowed */
    bool is_optional;      /* not worth a second attempt */
    bool has_alternative;  /* what the CA itself fails at (serverInternal) is not tried often */

    /* the outcome */
    struct acme_result result;
    struct http_response response; /* of the last attempt */
    json_t *json;                  /* NULL: none */
    bool was_lost;                 /* an attempt may have been carried out though no answer came */

    /* send.c's */
    bool is_finished;
    char *nonce; /* that the next attempt has to use; NULL: any */
    int64_t first_ms;
    int64_t not_before_ms;
    unsigned attempts, transient, limited;
};

/* Perform all calls, as many side by side as nonces and the CA's limit allow.  All results are set.
 * Errors: ERR_CANCELLED, ERR_INTERNAL (nothing more can be sent); all others are in results. */
enum err_code acme_send(struct acme *acme, struct acme_call *calls, size_t count, struct err *err) MUST_USE;
/* One; returns its result. */
enum err_code acme_send_one(struct acme *acme, struct acme_call *call, struct err *err) MUST_USE;

/* End it before it is sent: ERR_INPUT, "could not <what>: <why>". */
void acme_call_refuse(struct acme_call *call, const char *why);
void acme_call_done(struct acme_call *call);
#define AUTO_ACME_CALL AUTO(acme_call_done)

/* Calls of an array that was allocated with mem_calloc(). */
struct acme_calls {
    struct acme_call *items;
    size_t count;
};
struct acme_calls acme_calls_new(size_t count) MUST_USE;
void acme_calls_done(struct acme_calls *calls);
#define AUTO_ACME_CALLS AUTO(acme_calls_done)

/* One attempt, signed with a nonce of its own, which is used up; `body` has to live as long as the request. */
enum err_code acme_request_make(struct acme *acme, struct acme_call *call, int64_t timeout_ms, struct http_request *out,
                                struct buf *body, struct err *err) MUST_USE;

/* What an answer means, without knowing the session. */
enum acme_verdict {
    ACME_VERDICT_DONE,
    ACME_VERDICT_FAILED,
    ACME_VERDICT_BAD_NONCE,
    ACME_VERDICT_TRANSIENT, /* may be better soon */
    ACME_VERDICT_LIMITED,   /* the CA asks for a pause */
};
/* Sets result and json of the call from its response.  `pause_ms` is what acme_retry_after_ms() says of it, `now_ms`
 * the wall clock. */
enum acme_verdict acme_answer_judge(struct acme_call *call, int64_t pause_ms, int64_t now_ms);

/* ------------------------------------------------------------------ objects */

/* Read an object; members that `out` had are freed, and its URL and result stay.  On failure it stays as it was.
 * Errors: ERR_ACME. */
enum err_code acme_account_read(const json_t *json, struct acme_account *out, struct err *err) MUST_USE;
/* *out_error is the order's "error", borrowed from `json`, or NULL. */
enum err_code acme_order_read(const json_t *json, enum acme_scheme scheme, struct acme_order *out,
                              const json_t **out_error, struct err *err) MUST_USE;
/* `type` picks the challenge.  *out_error is that of the first challenge that has one, of any type. */
enum err_code acme_authz_read(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                              struct acme_authz *out, const json_t **out_error, struct err *err) MUST_USE;
/* Errors: ERR_INPUT. */
enum err_code acme_challenge_read(const json_t *json, enum acme_scheme scheme, enum acme_challenge_type type,
                                  struct acme_challenge *out, struct err *err) MUST_USE;
void acme_challenge_done(struct acme_challenge *challenge);
enum err_code acme_renewal_info_read(const json_t *json, struct acme_renewal_info *out, struct err *err) MUST_USE;

/* Compact text, yours.  NULL when it is too large or not UTF-8. */
char *acme_json_text(const json_t *json) MUST_USE;

/* Why a validation failed: the CA's problem document, NULL: it does not say. */
void acme_result_take_problem(struct acme_result *result, const json_t *error, const char *doing);

/* "\"a.example\"", "\"a.example\" and 3 more names"; yours. */
char *acme_names_describe(const struct strlist *names) MUST_USE;

/* A call that asks for what is at `url`, which is borrowed; "could not <what> ..." */
void acme_call_fetch(struct acme_call *call, const char *url, char *what_take);

/* "<verb> the order for ..."; yours. */
char *acme_order_describe(const char *verb, const struct acme_order *order) MUST_USE;
/* Nothing can be done: the result of each, and *err, become `why`; returns the code. */
enum err_code acme_orders_fail(struct acme_order *const *orders, size_t count, enum err_code code,
                               const struct err *why, struct err *err);
/* Take what an answer about an order says: its members, Retry-After, and of an invalid one its error as result. */
void acme_order_take(struct acme *acme, const struct acme_call *call, struct acme_order *order);
/* Give orders that are invalid, and do not say why, the errors of their authorizations as results. */
enum err_code acme_orders_explain(struct acme *acme, struct acme_order *const *orders, size_t count,
                                  struct err *err) MUST_USE;

#endif
