/* SPDX-License-Identifier: MIT
 *
 * A session with the CA in memory, and whole issuances in one call.
 */
#ifndef ACME_DME_TESTS_UNIT_ACME_FIXTURE_H
#define ACME_DME_TESTS_UNIT_ACME_FIXTURE_H

#include "acme/acme.h"
#include "fake_ca.h"
#include "fixture.h"

struct acme_fixture {
    struct fake_clock clock;
    struct fake_http *http;
    struct fake_ca *ca;
    struct http *traced;
    struct log log;
    struct fixture_stream said; /* what `log` got */
    struct key *key;
    struct acme *acme;
    struct err err; /* for the call under test */
};

/* A request may take 10 s, giving up 60 s; no account yet. */
void acme_fixture_init(struct acme_fixture *f);
/* Fails the test when the CA complained, or when a token, a nonce or a key is in the log. */
void acme_fixture_done(struct acme_fixture *f);
/* A new session with the same CA; `requests_per_s` 0: no limit. */
void acme_fixture_restart(struct acme_fixture *f, uint32_t requests_per_s);

/* The log so far. */
const char *acme_fixture_log(struct acme_fixture *f);

/* Register an account with the fixture's key; the test fails if that fails. */
void acme_fixture_register(struct acme_fixture *f);

/* "name-0.example.com" and so on; yours. */
struct strlist acme_fixture_names(size_t count);

/* An order that was just made; acme_order_done(). */
struct acme_order acme_fixture_order(struct acme_fixture *f, const struct strlist *names);

/* The certificate of one order; its error is that of the fixture. */
enum err_code acme_fixture_download(struct acme_fixture *f, const struct acme_order *order, enum acme_chains chains,
                                    struct strlist *out_pems);

/* All that a certificate takes, in the way of whom flow/ does it; the PEM texts are appended.  The result of the first
 * step that failed. */
enum err_code acme_fixture_issue(struct acme_fixture *f, const struct strlist *names, struct strlist *out_pems);

/* err holds this code, and its message and hint contain these (NULL: no matter). */
void assert_acme_error(const struct err *err, enum err_code got, enum err_code want, const char *in_msg,
                       const char *in_hint);

#endif
