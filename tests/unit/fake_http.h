/* SPDX-License-Identifier: MIT
 *
 * A server that answers from a script and checks what it is asked, or hands each request to a function of the test.
 *
 *     struct fake_http *http = fake_http_new(&clock, "https://api.example.net/V2.0");
 *     fake_http_expect(http, &(struct fake_exchange){.method = "GET", .url = "/dns/managed/1/records",
 *                                                    .status = 200, .answer = "{}"});
 *     ... call the code under test with fake_http_base(http) ...
 *     fake_http_done(http);   // fails when a scripted exchange did not happen
 *
 * Every answer carries a Date header of the server's clock, which is the fake clock less `server_behind_ms`.
 */
#ifndef ACME_DME_TESTS_UNIT_FAKE_HTTP_H
#define ACME_DME_TESTS_UNIT_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_clock.h"
#include "http/http.h"

struct fake_exchange {
    /* what is expected */
    const char *method;
    const char *url;  /* behind the base, exactly; NULL: any */
    const char *body; /* exactly; NULL: none */
    /* what is answered; strings are copied */
    enum err_code fail;  /* not ERR_OK: no answer but this */
    bool may_have_acted; /* with `fail` */
    long status;
    const char *headers; /* further ones, "Name: value\nName: value" */
    const char *answer;  /* NULL: empty body */
    bool no_date;
    bool is_foreign; /* without the API's headers: something on the way answers */
    int64_t takes_ms; /* the clock moves on before the answer; with ERR_TIMEOUT at most by the request's time-out */
};

/* What was asked, kept for tests that look closer. */
struct fake_seen {
    char *method;
    char *url; /* whole */
    char *body;
    struct strlist headers;
    int64_t wall_ms; /* when it was asked */
};

struct fake_http {
    struct http base;
    struct fake_clock *clock;
    char *root;
    int64_t server_behind_ms; /* this machine's clock is so far ahead of the server's */
    bool is_side_by_side;     /* requests that come together take as long as the longest, not as all of them */
    size_t widest;            /* so many came together at most */
    struct fake_exchange *script;
    size_t script_count;
    size_t next;
    struct fake_seen *seen;
    size_t seen_count;
    /* Set: answers all requests once the script is used up.  Fills *answer, whose strings are copied at once;
     * `index` counts requests from 0. */
    void (*handler)(void *context, const struct fake_seen *request, size_t index, struct fake_exchange *answer);
    void *handler_context;
};

struct fake_http *fake_http_new(struct fake_clock *clock, const char *root) MUST_USE;
struct http *fake_http_base(struct fake_http *http);
void fake_http_expect(struct fake_http *http, const struct fake_exchange *exchange);

/* Value of a request header, or NULL. */
const char *fake_seen_header(const struct fake_seen *seen, const char *name);

/* Fail the test when a scripted exchange is left over; free everything. */
void fake_http_done(struct fake_http *http);

#endif
