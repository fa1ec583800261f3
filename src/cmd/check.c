/* SPDX-License-Identifier: MIT
 *
 * "acme-dme check [DOMAIN...]": what would an issuance run into?
 */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "dns/caa.h"
#include "platform/platform.h"
#include "util/text.h"

/* ------------------------------------------------------------------ printing */

enum style { STYLE_PLAIN, STYLE_COLOUR };

struct printer {
    const struct opts *opts;
    enum style style;
    size_t counts[4]; /* by level */
};

static void print_level(const struct printer *printer, enum check_level level)
{
    static const char *const words[] = {"ok", "skip", "warn", "FAIL"};
    static const char *const colours[] = {"\033[32m", "\033[2m", "\033[33m", "\033[1;31m"};

    if (printer->style == STYLE_COLOUR)
        (void)printf("%s%-4s\033[0m", colours[level], words[level]);
    else
        (void)printf("%-4s", words[level]);
}

static void print_finding(void *ctx, const struct check_finding *finding)
{
    struct printer *printer = ctx;
    bool is_bad = finding->level == CHECK_WARN || finding->level == CHECK_FAIL;

    printer->counts[finding->level]++;
    if (printer->opts->json || (printer->opts->quiet && !is_bad))
        return;
    print_level(printer, finding->level);
    (void)printf("  %-11s  %s%s%s\n", finding->step, finding->subject, *finding->subject ? ": " : "", finding->text);
    if (*finding->hint)
        (void)printf("      hint: %s\n", finding->hint);
    (void)fflush(stdout);
}

static void print_end(const struct printer *printer, const struct check_report *report)
{
    const size_t *counts = printer->counts;

    if (printer->opts->json) {
        AUTO_FREE char *json = check_report_json(report);

        (void)puts(json);
    } else if (!printer->opts->quiet) {
        (void)printf("%zu ok, %zu warning%s, %zu failure%s, %zu skipped\n", counts[CHECK_OK], counts[CHECK_WARN],
                     counts[CHECK_WARN] == 1 ? "" : "s", counts[CHECK_FAIL], counts[CHECK_FAIL] == 1 ? "" : "s",
                     counts[CHECK_SKIPPED]);
    }
}

/* ------------------------------------------------------------------ what to look at */

static bool has_word(const struct strlist *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->items[i], word) == 0)
            return true;
    return false;
}

static void add_word(struct strlist *words, const char *word)
{
    if (!has_word(words, word))
        strlist_add(words, word);
}

/* Without arguments: what hooks were called for, and the zones that the configuration names. */
static void choose_domains(const struct app *app, const struct opts *opts, struct strlist *out)
{
    AUTO(result_list_done) struct result_list results = {NULL, 0};

    for (size_t i = 0; i < opts->word_count; i++)
        add_word(out, opts->words[i]);
    if (opts->word_count)
        return;
    if (app->store && result_load(app->store, &results, NULL) != ERR_OK)
        results = (struct result_list){NULL, 0}; /* the state directory has a finding of its own */
    for (size_t i = 0; i < results.count; i++)
        if (results.items[i].kind == RESULT_HOOK)
            add_word(out, results.items[i].name);
    for (size_t i = 0; i < app->config->account_count; i++)
        for (size_t z = 0; z < app->config->accounts[i].zones.count; z++)
            add_word(out, app->config->accounts[i].zones.items[z]);
}

/* A short name, or a domain as it stands in CAA records. */
static enum err_code choose_issuers(const struct config *config, const char **own, const char *const **out,
                                    struct err *err)
{
    size_t count;
    const char *const *names = caa_ca_names(&count);
    const char *nearest;

    *out = caa_issuers_of(config->check_ca);
    if (*out)
        return ERR_OK;
    if (strchr(config->check_ca, '.')) {
        own[0] = config->check_ca;
        own[1] = NULL;
        *out = own;
        return ERR_OK;
    }
    (void)err_set(err, ERR_CONFIG, "there is no CA \"%s\"", config->check_ca);
    nearest = text_nearest(config->check_ca, names, count);
    if (nearest)
        err_hint(err, "Did you mean \"%s\"?", nearest);
    else
        err_hint(err, "Give \"check.ca\" or --ca a known name, or the domain that the CA asks for in CAA records, e.g. "
                      "\"letsencrypt.org\".");
    return ERR_CONFIG;
}

/* ------------------------------------------------------------------ the program's parts */

static void report_config(const struct app *app, struct check_report *report)
{
    if (app->config->file)
        check_add(report, CHECK_OK, "config", app->config->file, "read, no mistakes in it");
    else
        check_add(report, CHECK_OK, "config", "",
                  "no file; everything comes from the environment and the command line");
}

static void report_warnings(const struct app *app, struct check_report *report)
{
    for (size_t i = 0; i < app->warnings.count; i++)
        check_add(report, CHECK_WARN, "config", "", "%s", app->warnings.items[i]);
}

static enum err_code open_state(struct app *app, struct check_report *report)
{
    struct err err;

    err_init(&err);
    if (app->config->journal == CONFIG_JOURNAL_NONE) {
        check_add(report, CHECK_WARN, "state", "", "\"journal: none\": records of killed runs stay for ever");
        check_hint(report, "Take \"journal: none\" out of the configuration unless this machine can't write anywhere.");
        return ERR_OK;
    }
    if (app_open_store(app, &err) == ERR_CANCELLED)
        return ERR_CANCELLED;
    if (!app->store)
        check_add_error(report, CHECK_FAIL, "state", "", &err);
    return ERR_OK;
}

/* Everything that must be there to look any further.  What fails becomes a finding; false: look no further. */
static bool open_parts(struct app *app, const struct app_request *request, struct check_report *report)
{
    struct err err;
    enum err_code code;

    err_init(&err);
    app_start(app, request->opts);
    code = app_configure(app, request, &err);
    for (size_t i = 0; i < app->problems.count; i++)
        check_add(report, CHECK_FAIL, "config", "", "%s", app->problems.items[i]);
    report_warnings(app, report);
    if (code != ERR_OK) {
        check_add_error(report, CHECK_FAIL, "config", "", &err);
        return false;
    }
    report_config(app, report);
    if (request->opts->verbosity == 0 && app->log->level > LOG_ERROR)
        app->log->level = LOG_ERROR; /* what the parts would warn of is a finding here */
    if (open_state(app, report) != ERR_OK)
        return false;
    code = app_connect(app, request, &err);
    if (code != ERR_OK)
        check_add_error(report, CHECK_FAIL, "config", "", &err);
    return code == ERR_OK;
}

/* ------------------------------------------------------------------ the examination */

static enum err_code look_at_domains(struct check *check, const struct opts *opts, const struct strlist *domains,
                                     struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < domains->count; i++)
        code = check_domain(check, domains->items[i], err);
    for (size_t i = 0; code == ERR_OK && opts->write && i < domains->count; i++)
        code = check_write(check, domains->items[i], err);
    return code;
}

static enum err_code examine(struct app *app, const struct opts *opts, struct check_report *report, struct err *err)
{
    AUTO_STRLIST struct strlist domains = {0};
    const char *own[2];
    struct check_opts check_opts = {
        .challenge = app->challenge,
        .accounts = app->accounts,
        .account_count = app->account_count,
        .store = app->store,
        .direct = app->direct,
        .doh = app->doh,
        .doh_count = app->doh_count,
        .ca = app->config->check_ca,
        .account_uri = app->config->check_account_uri,
        .clock_advice = platform_clock_advice(),
        .has_doh_fallback = app->config->doh != CONFIG_DOH_NEVER,
        .settle_ms = app->config->settle_ms,
        .timeout_ms = app->config->propagation_timeout_ms,
        .clock = app->clock,
        .log = app->log,
    };
    struct check *check;
    enum err_code code = choose_issuers(app->config, own, &check_opts.ca_issuers, err);

    if (code != ERR_OK)
        return code;
    choose_domains(app, opts, &domains);
    check = check_new(&check_opts, report);
    code = check_state(check, err);
    if (code == ERR_OK)
        code = check_accounts(check, err);
    if (code == ERR_OK)
        code = look_at_domains(check, opts, &domains, err);
    check_free(check);
    return code;
}

static enum err_code conclude(const struct check_report *report, const struct printer *printer, struct err *err)
{
    enum err_code code;
    size_t failures = printer->counts[CHECK_FAIL];

    (void)check_worst(report, &code);
    return code == ERR_OK ? ERR_OK : err_set(err, code, "%zu of %zu steps failed", failures, report->count);
}

enum err_code cmd_check(const struct opts *opts, struct err *err)
{
    AUTO_APP struct app app = {0};
    struct printer printer = {
        .opts = opts, .style = platform_stdout_is_terminal() && !platform_env("NO_COLOR") ? STYLE_COLOUR : STYLE_PLAIN};
    AUTO_CHECK_REPORT struct check_report report = {.on_finding = print_finding, .ctx = &printer};
    const struct app_request request = {.opts = opts, .findings = APP_FINDINGS_KEPT};
    enum err_code code = ERR_OK;

    if (open_parts(&app, &request, &report))
        code = examine(&app, opts, &report, err);
    check_report_flush(&report);
    if (code != ERR_OK)
        return code;
    print_end(&printer, &report);
    return conclude(&report, &printer, err);
}
