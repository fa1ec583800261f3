/* SPDX-License-Identifier: MIT
 *
 * The one place that builds the program's parts from the configuration and tears them down again.
 */
#ifndef ACME_DME_CMD_APP_H
#define ACME_DME_CMD_APP_H

#include "cmd/opts.h"
#include "cmd/progress.h"
#include "flow/budget.h"
#include "flow/challenge.h"
#include "http/http.h"

struct app {
    struct log *log; /* borrowed from the options */
    struct clock *clock;
    struct progress progress;
    struct config *config;
    struct strlist warnings; /* of the configuration, with APP_FINDINGS_KEPT */
    struct strlist problems;
    struct http *api_http;
    struct http *ca_http; /* of ACME CAs; NULL until app_open_ca() */
    struct http *doh_http;
    struct resolver *direct;
    struct resolver **doh;
    size_t doh_count;
    struct store *store; /* NULL with `journal: none` */
    struct challenge_account *accounts;
    size_t account_count;
    struct budget **budgets; /* one an account; NULL: private to the process */
    char *run_id;            /* NULL until app_find_run() */
    enum platform_run_trust run_trust;
    struct challenge *challenge;
};

/* A call to the API may take this part of the time that the ACME client listens; and so much is left for all else after
 * a wait for the request limit. */
#define APP_CALLS_IN_TIME_LIMIT 3

/* What differs between commands. */
struct app_request {
    const struct opts *opts;
    enum config_need need; /* CONFIG_WITHOUT_CREDENTIALS: app_connect() is not called */
    enum { APP_FINDINGS_LOGGED, APP_FINDINGS_KEPT } findings; /* of the configuration: logged, or kept in the app */
    int64_t time_limit_ms;                                    /* the ACME client stops listening after this; 0: never */
    enum { APP_RUN_OF_CALLER, APP_RUN_OWN } run; /* whose records they are: of the ACME client that calls us, or ours */
};

/* Load the configuration and build everything: the steps below, one after the other.  Warnings and the configuration's
 * problems are printed here.  Errors: those of config_load(), store_open() and the constructors. */
enum err_code app_open(struct app *app, const struct app_request *request, struct err *err) MUST_USE;

/* The steps, for commands that go on without one of them. */
void app_start(struct app *app, const struct opts *opts); /* clock, log, progress */
enum err_code app_configure(struct app *app, const struct app_request *request, struct err *err) MUST_USE;
enum err_code app_open_store(struct app *app, struct err *err) MUST_USE; /* may be left out */
void app_find_run(struct app *app, const struct app_request *request);   /* app_connect() does so, too */
enum err_code app_connect(struct app *app, const struct app_request *request, struct err *err) MUST_USE;

/* HTTP to ACME CAs, once, for the standalone client. */
enum err_code app_open_ca(struct app *app, struct err *err) MUST_USE;

/* Where the state is, or would be with `journal: none`; yours. */
char *app_state_dir(const struct app *app) MUST_USE;

/* Nothing but the state directory, and without a word: for what is noted there when the rest can't be used. */
enum err_code app_open_store_alone(struct app *app, const struct opts *opts, struct err *err) MUST_USE;

void app_close(struct app *app);
#define AUTO_APP AUTO(app_close)

#endif
