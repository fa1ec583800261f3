/* SPDX-License-Identifier: MIT
 *
 * Whole issuances in memory: the engine's world with a CA beside it, which validates what name servers would show and
 * signs certificates for the CSRs that it gets.  Each call of issue_world_run() is a process of its own: what one knows
 * reaches the next one through the state directory only.
 */
#ifndef ACME_DME_TESTS_UNIT_ISSUE_WORLD_H
#define ACME_DME_TESTS_UNIT_ISSUE_WORLD_H

#include "cert_fixture.h"
#include "fake_ca.h"
#include "flow/issue.h"
#include "flow_world.h"

#define ISSUE_JOBS_MAX 4

struct issue_world {
    struct world *w;
    struct fake_http *http; /* of the CA */
    struct fake_ca *ca;
    struct made_cert issuer;
    struct key *account_key;
    char *account_url;
    struct key *spare_key; /* for tests that bring one */
    struct strlist domains[ISSUE_JOBS_MAX];
    struct issue_job jobs[ISSUE_JOBS_MAX];
    size_t job_count;
    const char *never_valid; /* a domain whose challenges fail whatever is shown; NULL: none */
    size_t unseen;           /* validations that found no record */
    enum issue_world_lie { ISSUE_WORLD_HONEST, ISSUE_WORLD_OTHER_KEY, ISSUE_WORLD_OTHER_NAME } lie; /* of the CA */
    struct strlist steps;            /* what progress was told of */
    int64_t told_ms[ISSUE_JOBS_MAX]; /* when each was told to be finished, from the start of the run; -1: not yet */
    enum err_code told_as[ISSUE_JOBS_MAX];
    int64_t start_ms;
    struct err err;
};

struct issue_world *issue_world_new(void) MUST_USE;
void issue_world_free(struct issue_world *iw);

/* One more certificate to be had: names with "," between.  The job, to be refined. */
struct issue_job *issue_world_add(struct issue_world *iw, const char *name, const char *domains);

/* All jobs, as a new process does; results of an earlier run are gone.  Fails the test unless each job was told to be
 * finished exactly once, and as it then stayed. */
enum err_code issue_world_run(struct issue_world *iw);

/* The first error of the run: its own, or that of a job. */
enum err_code issue_world_outcome(const struct issue_world *iw, enum err_code code);

/* Orders for which a CSR came. */
size_t issue_world_finalized(const struct issue_world *iw);

/* Is that order neither at its end, nor about to be, because the CA will look for records that are gone? */
bool issue_world_can_go_on(const struct issue_world *iw, size_t order);

/* Does the job have a certificate for its names and for its key? */
bool issue_world_is_good(const struct issue_world *iw, const struct issue_job *job, const char *when);

/* The order that is stored for "www"; order_record_done().  False: there is none. */
bool issue_world_recall(struct issue_world *iw, struct order_record *out);
bool issue_world_has_order(struct issue_world *iw);

#endif
