/* SPDX-License-Identifier: MIT
 *
 * The surroundings of the engine for its tests: the real dme/, dns/ and store/ between the fakes of the API, of DNS and
 * of the clock, and a state directory that goes away.
 *
 *   zone               id   account  servers                          serves
 *   example.com        11   0        ns1, ns2.dme.test (192.0.2.1-2)  example.com and sub.example.com
 *   sub.example.com    12   0        the same
 *   example.net        21   0        ns3.dme.test (192.0.2.3)         example.net
 *
 * The configuration has one account, "account-0", until a test sets opts.account_count; the others have no zones.
 * foreign.test is served by ns.foreign.test (198.51.100.1) and in no account.  Each call of world_engine() stands for a
 * new process: what one process knows reaches the next one through the state directory only.
 */
#ifndef ACME_DME_TESTS_UNIT_FLOW_WORLD_H
#define ACME_DME_TESTS_UNIT_FLOW_WORLD_H

#include "fake_api.h"
#include "fake_resolver.h"
#include "fixture.h"
#include "flow/challenge.h"

#define EXAMPLE_COM 11
#define SUB_EXAMPLE_COM 12
#define EXAMPLE_NET 21

#define VALUE_A "AaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaA"
#define VALUE_B "BbBbBbBbBbBbBbBbBbBbBbBbBbBbBbBbBbBbBbBbBbB"
#define VALUE_C "-CcCcCcCcCcCcCcCcCcCcCcCcCcCcCcCcCcCcCcCcCc"

#define DAY_MS (24 * 60 * 60 * INT64_C(1000))

struct world {
    struct fake_clock clock;
    struct fake_http *http;
    struct fake_api *api;
    struct fake_resolver *dns;
    struct fake_resolver *doh;
    struct resolver *doh_list[1];
    struct strlist zones[FAKE_API_ACCOUNTS]; /* `zones:` of each account */
    struct strlist nameservers;
    struct challenge_account accounts[FAKE_API_ACCOUNTS];
    struct challenge_opts opts;
    char *dir;
    struct store *store;        /* NULL while there is no engine, or with `journal: none` */
    bool no_journal;            /* from the next process on */
    struct log log;             /* shown, with all details, when FLOW_LOG is in the environment */
    struct fixture_stream said; /* what `log` got */
    struct challenge *engine;
    struct err err; /* of the last call below */
};

struct world *world_new(void) MUST_USE;
void world_free(struct world *w);

/* A new process: another engine over the same state directory. */
struct challenge *world_engine(struct world *w);
/* The current one, or a new one when there is none. */
struct challenge *world_current(struct world *w);
/* The process ends. */
void world_leave(struct world *w);
/* An API object for an account that waits so long for its requests to fit. */
struct dme *world_dme(struct world *w, size_t account, int64_t budget_wait_ms) MUST_USE;

/* ------------------------------------------------------------------ calls */

/* Record names and values, ended by a NULL name. */
struct pair {
    const char *name;
    const char *value;
};
#define PAIRS(...) ((const struct pair[]){__VA_ARGS__, {NULL, NULL}})

struct challenge_set world_set(const struct pair *pairs);

/* Each in a process of its own; waiting, rolled back after a time-out. */
enum err_code world_publish(struct world *w, const struct pair *pairs);
enum err_code world_withdraw(struct world *w, const struct pair *pairs);
/* The same with other options, in the current process. */
enum err_code world_publish_with(struct world *w, const struct pair *pairs, const struct challenge_publish_opts *opts);

struct world_swept {
    size_t young, foreign, would_remove, removed, failed;
};
/* In a process of its own; entries older than 24 hours. */
enum err_code world_sweep(struct world *w, enum sweep_mode mode, struct world_swept *out);
/* Remove what is so old. */
enum err_code world_sweep_older(struct world *w, int64_t age_ms, struct world_swept *out);

/* ------------------------------------------------------------------ what is there */

/* The journal as it is on disk; the test fails when it can't be read. */
struct journal_list world_journal(struct world *w);
size_t world_journal_count(struct world *w);
bool world_log_has(struct world *w, const char *text);

/* The promises that hold at any time and whatever goes wrong: each record of ours is in the journal, nothing foreign
 * was touched, no zone was wiped, the store can be read.  False, with a line on stderr, when one is broken. */
bool world_is_safe(struct world *w, const char *when);
/* With everything in order again and 25 hours later a sweep leaves nothing of ours and an empty journal. */
bool world_sweeps_clean(struct world *w, const char *when);

/* The run that the world is in, unless a test says otherwise: one of another host, which nobody can tell whether it
 * goes on, nor since when. */
#define WORLD_RUN_ELSEWHERE "4711:1:12345678:12345678:abcdefgh"

/* A run id like that of this process' own run, but of a process that has ended. */
char *world_dead_run_id(void) MUST_USE;

#endif
