/* SPDX-License-Identifier: MIT
 *
 * A struct dme in front of the fake server, and short ways to say what the server expects and answers.
 */
#ifndef ACME_DME_TESTS_UNIT_DME_FIXTURE_H
#define ACME_DME_TESTS_UNIT_DME_FIXTURE_H

#include <stdio.h>

#include "dme/dme.h"
#include "fake_http.h"
#include "fixture.h"

#define FIXTURE_KEY "1c1a3c91-4770-4ce7-96f4-54c0eb0e457a" /* of the API's document */
#define FIXTURE_SECRET "c9b5625f-9834-4ff8-baba-4ed5f32cae55"
#define FIXTURE_CLOCK_ADVICE "turn its hands"
#define FIXTURE_ROOT "https://api.example.net/V2.0"

struct dme_fixture {
    struct fake_clock clock;
    struct fake_http *http;
    struct secret *key;
    struct secret *secret;
    struct log log;
    struct fixture_stream said; /* what `log` got */
    struct dme *dme;
    struct err err;       /* for the call under test */
    bool has_lost_answer; /* of the last dme_fixture_create() */
};

/* One attempt may take 10 s, a call 60 s and 15 minutes of waiting for the budget. */
void dme_fixture_init(struct dme_fixture *f);
/* Fails the test when scripted requests were not made, or when a secret is in the log. */
void dme_fixture_done(struct dme_fixture *f);

/* The log so far. */
const char *dme_fixture_log(struct dme_fixture *f);

/* Expect a request and answer it; `body` and `answer` may be NULL. */
void expect(struct dme_fixture *f, const char *method, const char *url, const char *body, long status,
            const char *answer);
/* Expect a GET and answer with 200. */
void expect_get(struct dme_fixture *f, const char *url, const char *answer);
/* Expect a request and break its connection after the server has got it. */
void expect_lost(struct dme_fixture *f, const char *method, const char *url, const char *body);

/* Create records of one zone, with a TTL of 60 s, or delete them: one batch.  f->err is why nothing was done at all, or
 * the batch's first error; it is left alone when there is none. */
enum err_code dme_fixture_create(struct dme_fixture *f, int64_t zone_id, struct dme_record *records,
                                 size_t count) MUST_USE;
enum err_code dme_fixture_delete(struct dme_fixture *f, int64_t zone_id, const int64_t *ids, size_t count) MUST_USE;

/* err holds this code, and its message and hint contain these (NULL: no matter). */
void assert_error(const struct dme_fixture *f, enum err_code got, enum err_code want, const char *in_msg,
                  const char *in_hint);

#endif
