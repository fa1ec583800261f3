/* SPDX-License-Identifier: MIT */
#include "cmd/app.h"

#include <stdlib.h>

#include "cmd/logging.h"
#include "crypto/digest.h"
#include "platform/platform.h"

#define CONNECT_TIMEOUT_MS 15000

/* ------------------------------------------------------------------ configuration */

static const char *env_for_config(UNUSED void *ctx, const char *name)
{
    return platform_env(name);
}

static void print_lines(struct app *app, const struct strlist *lines, enum log_level level)
{
    for (size_t i = 0; i < lines->count; i++)
        log_line(app->log, level, "%s", lines->items[i]);
}

static void explain(struct app *app, enum config_explained what, enum log_level level)
{
    AUTO_STRLIST struct strlist lines = {0};

    if (!log_wants(app->log, level))
        return;
    config_explain(app->config, what, &lines);
    print_lines(app, &lines, level);
}

static void clear_progress(void *progress)
{
    progress_clear(progress);
}

/* The live line is for people who see nothing else. */
static void show_progress(struct app *app, const struct opts *opts)
{
    bool is_quiet_otherwise = app->log->level <= LOG_WARNING && app->log->format == LOG_TEXT;

    if (opts->quiet || !is_quiet_otherwise || !platform_stderr_is_terminal())
        return;
    app->progress.out = stderr;
    app->progress.clock = app->clock;
    app->log->clear = clear_progress;
    app->log->clear_ctx = &app->progress;
}

static enum err_code load_config(struct app *app, const struct app_request *app_request, struct err *err)
{
    AUTO_FREE char *home = platform_home();
    AUTO_FREE char *sysconfdir = platform_config_dir();
    AUTO_FREE char *user_config_dir = platform_user_config_dir();
    const struct opts *opts = app_request->opts;
    const struct config_request request = {
        .file = opts->config_file,
        .account = opts->account,
        .overrides = opts->overrides,
        .override_count = opts->override_count,
        .need = app_request->need,
        .env = env_for_config,
        .home = home,
        .sysconfdir = sysconfdir,
        .user_config_dir = user_config_dir,
    };

    return config_load(&request, &app->config, &app->problems, &app->warnings, err);
}

enum err_code app_configure(struct app *app, const struct app_request *app_request, struct err *err)
{
    const struct opts *opts = app_request->opts;
    enum err_code code = load_config(app, app_request, err);

    if (code == ERR_OK)
        logging_set_up(app->log, opts, &app->config->log);
    else
        logging_set_up_early(app->log, opts);
    show_progress(app, opts);
    if (app_request->findings == APP_FINDINGS_LOGGED) {
        print_lines(app, &app->warnings, LOG_WARNING);
        print_lines(app, &app->problems, LOG_ERROR);
    }
    if (code == ERR_IO && err) /* a file with settings that can't be read, not one of the state directory */
        code = err->code = ERR_CONFIG;
    if (code == ERR_OK) {
        explain(app, CONFIG_EXPLAIN_GIVEN, LOG_INFO);
        explain(app, CONFIG_EXPLAIN_DEFAULTS, LOG_DEBUG);
    }
    return code;
}

/* ------------------------------------------------------------------ parts */

char *app_state_dir(const struct app *app)
{
    return app->config->state_dir ? mem_strdup(app->config->state_dir) : platform_default_state_dir();
}

enum err_code app_open_store(struct app *app, struct err *err)
{
    AUTO_FREE char *dir = NULL;

    if (app->config->journal == CONFIG_JOURNAL_NONE)
        return ERR_OK;
    dir = app_state_dir(app);
    return store_open(dir, app->clock, app->log, &app->store, err);
}

static enum err_code open_http(struct app *app, const char *ca_file, struct http **out, struct err *err)
{
    const struct http_curl_opts opts = {
        .ca_file = ca_file,
        .user_agent = "acme-dme/" PACKAGE_VERSION,
        .clock_advice = platform_clock_advice(),
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .clock = app->clock,
    };
    struct http *curl = NULL;
    enum err_code code = http_curl_new(&opts, &curl, err);

    if (code == ERR_OK)
        *out = log_wants(app->log, LOG_DEBUG) ? http_trace_new(curl, app->log) : curl;
    return code;
}

enum err_code app_open_ca(struct app *app, struct err *err)
{
    return app->ca_http ? ERR_OK : open_http(app, app->config->acme.ca_file, &app->ca_http, err);
}

static enum err_code open_doh(struct app *app, struct err *err)
{
    const struct strlist *urls = &app->config->doh_urls;
    enum err_code code;

    if (app->config->doh == CONFIG_DOH_NEVER)
        return ERR_OK;
    code = open_http(app, NULL, &app->doh_http, err); /* dnsmadeeasy.ca_file is for the API alone */
    app->doh = mem_calloc(urls->count, sizeof(struct resolver *));
    for (size_t i = 0; code == ERR_OK && i < urls->count; i++) {
        struct strlist one = {&urls->items[i], 1};
        const struct resolver_doh_opts opts = {
            .urls = &one, .http = app->doh_http, .clock = app->clock, .log = app->log};
        code = resolver_doh_new(&opts, &app->doh[i], err);
        if (code == ERR_OK)
            app->doh_count++;
    }
    return code;
}

static enum err_code open_resolvers(struct app *app, struct err *err)
{
    const struct resolver_direct_opts opts = {
        .resolvers = &app->config->resolvers, .clock = app->clock, .log = app->log};
    enum err_code code = resolver_direct_new(&opts, &app->direct, err);

    return code == ERR_OK ? open_doh(app, err) : code;
}

static void show_waiting(void *progress, int64_t left_ms)
{
    progress_wait(progress, "waiting for the request limit of DNS Made Easy", left_ms);
}

/* What is left of the API's request limit is known to all processes by way of the state directory. */
static enum err_code open_budget(struct app *app, const char *fingerprint, struct dme_opts *opts, struct err *err)
{
    const struct budget_opts budget_opts = {
        .store = app->store,
        .endpoint = app->config->endpoint,
        .key_id = fingerprint,
        .window_ms = app->config->request_window_ms,
        .allowed = app->config->request_limit,
        .log = app->log,
    };
    struct budget **budget = &app->budgets[app->account_count];
    enum err_code code;

    if (!app->store)
        return ERR_OK;
    code = budget_new(&budget_opts, budget, err);
    if (code == ERR_OK)
        opts->budget = budget_base(*budget);
    return code;
}

static enum err_code open_account(struct app *app, const struct config_account *from, int64_t time_limit_ms,
                                  struct err *err)
{
    char fingerprint[9];
    int64_t give_up_after_ms = app->config->give_up_after_ms;
    struct dme_opts opts = {
        .endpoint = app->config->endpoint,
        .api_key = from->api_key,
        .api_secret = from->api_secret,
        .key_origin = from->key_origin,
        .secret_origin = from->secret_origin,
        .hidden_origin = from->hidden_origin,
        .clock_advice = platform_clock_advice(),
        .http = app->api_http,
        .clock = app->clock,
        .log = app->log,
        .request_timeout_ms = app->config->request_timeout_ms,
        .give_up_after_ms = time_limit_ms && time_limit_ms / APP_CALLS_IN_TIME_LIMIT < give_up_after_ms
                                ? time_limit_ms / APP_CALLS_IN_TIME_LIMIT
                                : give_up_after_ms,
        .budget_window_ms = app->config->request_window_ms,
        .budget_allowed = app->config->request_limit,
        .budget_wait_ms = app->config->budget_wait_ms,
        .budget_until_ms = time_limit_ms
                               ? clock_mono_ms(app->clock) + time_limit_ms - time_limit_ms / APP_CALLS_IN_TIME_LIMIT
                               : 0,
        .waiting = show_waiting,
        .waiting_ctx = &app->progress,
    };
    enum err_code code = from->unusable ? ERR_OK : digest_fingerprint(from->api_key, fingerprint, err);

    if (code == ERR_OK && !from->unusable)
        code = open_budget(app, fingerprint, &opts, err);
    if (code == ERR_OK)
        app->accounts[app->account_count++] = (struct challenge_account){
            .name = from->name,
            .endpoint = app->config->endpoint,
            .key_id = from->unusable ? NULL : mem_strdup(fingerprint),
            .zones = &from->zones,
            .is_default = from->is_default,
            .unusable = from->unusable,
            .dme = from->unusable ? NULL : dme_new(&opts),
        };
    return code;
}

static enum err_code open_accounts(struct app *app, int64_t time_limit_ms, struct err *err)
{
    const struct config *config = app->config;
    enum err_code code = ERR_OK;

    app->accounts = mem_calloc(config->account_count, sizeof *app->accounts);
    app->budgets = mem_calloc(config->account_count, sizeof(struct budget *));
    for (size_t i = 0; code == ERR_OK && i < config->account_count; i++)
        code = open_account(app, &config->accounts[i], time_limit_ms, err);
    return code;
}

static void open_challenge(struct app *app)
{
    const struct config *config = app->config;
    const struct challenge_opts opts = {
        .accounts = app->accounts,
        .account_count = app->account_count,
        .store = app->store,
        .direct = app->direct,
        .doh = app->doh,
        .doh_count = app->doh_count,
        .doh_mode = config->doh == CONFIG_DOH_ALWAYS  ? CHALLENGE_DOH_ALWAYS
                    : config->doh == CONFIG_DOH_NEVER ? CHALLENGE_DOH_NEVER
                                                      : CHALLENGE_DOH_AUTO,
        .cname = config->follow_cname ? CHALLENGE_CNAME_FOLLOW : CHALLENGE_CNAME_IGNORE,
        .nameservers = &config->nameservers,
        .propagation = {.timeout_ms = config->propagation_timeout_ms,
                        .settle_ms = config->settle_ms,
                        .lame_after_ms = config->lame_after_ms,
                        .clock = app->clock,
                        .log = app->log,
                        .progress = progress_show,
                        .progress_ctx = &app->progress},
        .ttl_s = config->ttl_s,
        .run_id = app->run_id,
        .clock = app->clock,
        .log = app->log,
    };

    app->challenge = challenge_new(&opts);
}

/* ------------------------------------------------------------------ whole */

void app_start(struct app *app, const struct opts *opts)
{
    app->clock = platform_clock();
    app->log = opts->log;
}

void app_find_run(struct app *app, const struct app_request *request)
{
    if (!app->run_id)
        app->run_id = request->run == APP_RUN_OWN ? platform_own_run_id() : platform_run_id(&app->run_trust);
}

enum err_code app_connect(struct app *app, const struct app_request *request, struct err *err)
{
    enum err_code code = open_http(app, app->config->ca_file, &app->api_http, err);

    if (code == ERR_OK)
        code = open_resolvers(app, err);
    if (code == ERR_OK)
        code = open_accounts(app, request->time_limit_ms, err);
    if (code != ERR_OK)
        return code;
    app_find_run(app, request);
    open_challenge(app);
    return ERR_OK;
}

enum err_code app_open(struct app *app, const struct app_request *request, struct err *err)
{
    enum err_code code;

    app_start(app, request->opts);
    code = app_configure(app, request, err);
    if (code == ERR_OK)
        code = app_open_store(app, err);
    return code == ERR_OK ? app_connect(app, request, err) : code;
}

/* No secret is used, so it does not matter who can read them. */
enum err_code app_open_store_alone(struct app *app, const struct opts *opts, struct err *err)
{
    AUTO_FREE struct config_override *overrides = mem_calloc(opts->override_count + 1, sizeof *overrides);
    struct opts lenient = *opts;
    const struct app_request request = {.opts = &lenient, .need = CONFIG_WITHOUT_CREDENTIALS};
    enum err_code code;

    for (size_t i = 0; i < opts->override_count; i++)
        overrides[i] = opts->overrides[i];
    overrides[opts->override_count] = (struct config_override){.key = "allow_readable_secrets", .value = "true"};
    lenient.overrides = overrides;
    lenient.override_count = opts->override_count + 1;
    app->clock = platform_clock();
    code = load_config(app, &request, err);
    return code == ERR_OK ? app_open_store(app, err) : code;
}

void app_close(struct app *app)
{
    progress_clear(&app->progress);
    if (app->log)
        app->log->clear = NULL;
    challenge_free(app->challenge);
    for (size_t i = 0; i < app->account_count; i++) {
        dme_free(app->accounts[i].dme);
        budget_free(app->budgets[i]);
        mem_free_auto(&app->accounts[i].key_id);
    }
    free(app->accounts);
    free(app->budgets);
    for (size_t i = 0; i < app->doh_count; i++)
        resolver_free(app->doh[i]);
    free(app->doh);
    resolver_free(app->direct);
    http_free(app->doh_http);
    http_free(app->ca_http);
    http_free(app->api_http);
    store_free(app->store);
    config_free(app->config);
    strlist_done(&app->warnings);
    strlist_done(&app->problems);
    free(app->run_id);
}
